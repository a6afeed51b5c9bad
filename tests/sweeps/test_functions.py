"""Sweeps over a function of one's own."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lindfeas import Bath, InputError, OpenSystem, Question, Table, certify, models, sweep
from lindfeas.files.problem_file import read_problem
from lindfeas.sweeps import functions

CALLS: list[dict[str, Any]] = []
GRID = {"g": [0.05, 0.1], "beta": [2.0, 5.0]}
PROBLEM = Path(__file__).parents[2] / "problems" / "xxz-1+2+1.toml"


def chain(g: float, beta: float) -> OpenSystem:
    CALLS.append({"g": g, "beta": beta})
    baths = [Bath(name="left", sites=(0,), beta=1.0), Bath(name="right", sites=(2,), beta=beta)]
    return models.xxz_chain(sites=3, coupling=g, baths=baths)


def run(what: Any = chain, grid: Any = GRID, **options: Any) -> Table:
    return sweep(what, grid, sharp=False, prove=False, progress=False, **options)


def test_every_point_is_what_certify_says() -> None:
    table = run()
    assert [axis.key for axis in table.axes] == ["g", "beta"]
    assert [(row["g"], row["beta"]) for row in table.rows()] == [
        (0.05, 2.0),
        (0.05, 5.0),
        (0.1, 2.0),
        (0.1, 5.0),
    ]
    for row in table.rows():
        own = certify(chain(row["g"], row["beta"]), sharp=False)
        assert (row["lower"], row["upper"]) == (own.lower, own.upper)
        assert row["verdict"] == own.verdict
    assert table.unit("lower") == "epsilon^2"
    assert table.to_xarray()["lower"].dims == ("g", "beta")


def test_a_closure_and_numpy_values_and_a_question() -> None:
    field = 0.7

    def question(g: float, sites: int) -> Question:
        left = Bath(name="left", sites=(0,), beta=1.0)
        right = Bath(name="right", sites=(sites - 1,), beta=4.0)
        system = models.xxz_chain(sites=sites, field=field, coupling=g, baths=[left, right])
        return Question(system=system, tolerance=1e-3)

    table = run(question, {"g": np.array([0.1, 0.2]), "sites": [2, 3]})
    assert table.column("sites") == [2, 3, 2, 3]
    assert set(table.column("tolerance")) == {1e-3}


def test_it_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    def stopping(g: float, beta: float) -> OpenSystem:
        if len(CALLS) == 2:
            raise KeyboardInterrupt
        return chain(g, beta)

    CALLS.clear()
    with pytest.raises(KeyboardInterrupt):
        run(stopping, out=tmp_path / "t", name="chain")
    assert len(CALLS) == 2
    again = run(out=tmp_path / "t")
    assert len(CALLS) == 4 and len(again) == 4
    assert run(out=tmp_path / "t").arrow.equals(again.arrow) and len(CALLS) == 4
    assert again.problem == {"title": "chain", "function": "chain"}


@pytest.mark.parametrize(
    ("grid", "options", "says"),
    [
        ({"g": [0.05, 0.1], "beta": [2.0, 4.0]}, {}, "2 points that are not of this sweep"),
        ({"g": [0.05]}, {}, "a sweep over g, beta"),
        (GRID, {"name": "other"}, "function is 'chain' there, and 'other' here"),
    ],
)
def test_another_sweep_is_refused(tmp_path: Path, grid: Any, options: Any, says: str) -> None:
    run(out=tmp_path / "t")
    with pytest.raises(InputError, match=says):
        run(grid=grid, out=tmp_path / "t", **options)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(out=tmp_path / "t")
    monkeypatch.setattr(functions, "version", lambda _: "9.9")
    with pytest.raises(InputError, match="results of lindfeas"):
        run(out=tmp_path / "t")


def test_a_point_that_fails_says_why() -> None:
    def some(g: float) -> OpenSystem:
        if g > 0.1:
            raise ValueError("too large for me")
        return chain(g, 5.0)

    table = run(some, {"g": [0.1, 0.2]})
    assert table.column("error") == [None, "ValueError: too large for me"]
    nothing = run(lambda g: None, {"g": [1.0]})
    assert "must be of type Question" in nothing.column("error")[0]


def test_a_question_and_a_problem_file() -> None:
    question = Question(system=chain(0.1, 5.0))
    table = run(question, {"bath.right.beta": [2.0, 5.0], "question.tolerance": [1e-6]})
    assert table.column("lower") == run(grid={"g": [0.1], "beta": [2.0, 5.0]}).column("lower")
    problem = read_problem(PROBLEM)
    swept = run(problem, {"system.coupling": [0.01, 0.02]})
    assert swept.column("lower")[0] == certify(problem.question, sharp=False).lower
    assert swept.unit("system.coupling") == "energy"


@pytest.mark.parametrize(
    ("what", "grid", "options", "says"),
    [
        (3, GRID, {}, "what: must be of type Question or ProblemFile"),
        (chain, {}, {}, "grid: must map parameters"),
        (chain, {"g": []}, {}, r"grid\['g'\]: must list values"),
        (chain, {"g": "ab"}, {}, r"grid\['g'\]: must list values"),
        (chain, {"g": [0.1, 0.1]}, {}, "every value once"),
        (chain, {"g": [0.1, "a"]}, {}, "of one kind"),
        (chain, {"g": [float("nan")]}, {}, "numbers, bools or strings"),
        (chain, {"g": [[1]]}, {}, "numbers, bools or strings"),
        (chain, {"lower": [1.0]}, {}, "no columns of the table"),
        (chain, {"g": range(2000), "beta": range(2000)}, {}, "at most 1000000 points"),
        (chain, {"g": [10**400]}, {}, "numbers, bools or strings"),
        (chain, {"g": [np.eye(2)]}, {}, "numbers, bools or strings"),
        (chain, GRID, {"name": 3}, "name: must be of type str"),
        (chain, GRID, {"workers": np.array([1, 2])}, "workers: must be a whole number"),
        (chain, GRID, {"workers": 0}, "workers: must be a whole number >= 1"),
        (chain, GRID, {"workers": 2, "dask": "tcp://127.0.0.1:1"}, "must be left out with dask"),
        (Question(system=chain(0.1, 5.0)), {"bath.up.beta": [1.0]}, {}, "bath.NAME.beta"),
        (Question(system=chain(0.1, 5.0)), {"bath.left.beta": [-1.0]}, {}, "must be > 0"),
    ],
)
def test_what_is_wrong_is_refused_at_once(what: Any, grid: Any, options: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        run(what, grid, **options)


SCRIPT = """
import lindfeas as lf
field = 0.7
def chain(g):
    ends = {"left": (0, 1.0), "right": (2, 5.0)}
    baths = [lf.Bath(name=name, sites=(site,), beta=beta) for name, (site, beta) in ends.items()]
    return lf.models.xxz_chain(sites=3, field=field, coupling=g, baths=baths)
table = lf.sweep(chain, {"g": [0.1, 0.2]}, workers=2, sharp=False, prove=False)
print(table.column("verdict"), table.column("error"))
"""


def test_a_script_without_a_guard_runs_with_workers(tmp_path: Path) -> None:
    """The workers do not run the script again, and get its function by value."""
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["['impossible', 'impossible'] [None, None]"]


def test_what_cannot_be_sent_is_refused() -> None:
    lock = threading.Lock()
    with pytest.raises(InputError, match="sent to another process"):
        run(lambda g: lock, {"g": [1.0]}, workers=2)
