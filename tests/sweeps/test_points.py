"""Points of a sweep: their values, and keys that change when the answer may."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lindfeas.errors import InputError
from lindfeas.files.problem_file import ProblemFile
from lindfeas.sweeps.points import Options, free_axes, grid
from lindfeas.sweeps.sweep import sweep_plan
from tests.sweeping import PROBLEM, problem_of

QUICK = Options(prove=False, sharp=False)


@pytest.fixture
def problem(tmp_path: Path) -> ProblemFile:
    return problem_of(tmp_path)


def test_a_problem_without_a_sweep(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, PROBLEM.partition("[sweep]")[0])
    with pytest.raises(InputError, match=r'^sweep: must say what to sweep, such as "system\.'):
        sweep_plan(problem)


def test_a_fixed_key_is_not_swept(problem: ProblemFile) -> None:
    assert [axis.key for axis in free_axes(problem, ["system.coupling"])] == ["bath.right.beta"]
    with pytest.raises(InputError, match="every key of it was fixed"):
        free_axes(problem, ["system.coupling", "bath.right.beta"])


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ("[1, 2]", (1, 2)),
        ("[1, 2.5]", (1.0, 2.5)),
        ("[0.5, [0.5, 0.25, 1]]", ("0.5", "[0.5, 0.25, 1]")),
    ],
)
def test_how_swept_values_stand_in_the_table(tmp_path: Path, values: str, shown: Any) -> None:
    text = PROBLEM.partition("[sweep]")[0] + f'[sweep]\n"system.field" = {values}\n'
    (axis,) = problem_of(tmp_path, text).sweep
    found = axis.plain()
    assert found.values == shown
    assert [type(value) for value in found.values] == [type(value) for value in shown]


def test_a_value_that_is_written_twice_is_no_two_points(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, PROBLEM.replace("[5.0, inf]", "[5, inf, 5.0]"))
    with pytest.raises(InputError, match=r"^sweep: must hold every point once, but .* 5\.0, "):
        grid(problem, free_axes(problem), QUICK)


def keys(problem: ProblemFile, options: Options = QUICK) -> list[str]:
    return [task.key for task in grid(problem, free_axes(problem), options)]


def test_keys_name_the_question_and_not_its_title(problem: ProblemFile, tmp_path: Path) -> None:
    before = keys(problem)
    assert len(set(before)) == 4
    assert all(len(key) == 32 for key in before)
    assert keys(problem_of(tmp_path, PROBLEM.replace("three", "3"))) == before
    # a swept key's own value in the file is never used
    assert (
        keys(problem_of(tmp_path, PROBLEM.replace("coupling = 0.1\n", "coupling = 7\n"))) == before
    )
    for change in (("sites = 3", "sites = 3\nfield = 0.4"), ("beta = 1.0", "beta = 1.1")):
        assert not set(keys(problem_of(tmp_path, PROBLEM.replace(*change)))) & set(before)


@pytest.mark.parametrize(
    "options",
    [replace(QUICK, prove=None), replace(QUICK, sharp=None), replace(QUICK, solver="SCS")],
)
def test_keys_depend_on_options_that_change_results(problem: ProblemFile, options: Options) -> None:
    assert not set(keys(problem, options)) & set(keys(problem))


def test_keys_do_not_depend_on_options_that_change_none(problem: ProblemFile) -> None:
    assert keys(problem, replace(QUICK, certificates=True)) == keys(problem)
    scs = [keys(problem, replace(QUICK, solver=name)) for name in ("scs", "SCS")]
    assert scs[0] == scs[1]


def test_keys_depend_on_the_result_version(
    problem: ProblemFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(problem)
    monkeypatch.setattr("lindfeas.sweeps.points.RESULT_VERSION", 10**6)
    assert not set(keys(problem)) & set(before)


def test_keys_depend_on_what_the_matrix_file_holds(tmp_path: Path) -> None:
    import numpy as np

    text = """
        [system]
        matrices = "two.npz"
        dimensions = [2]
        [[bath]]
        name = "cold"
        sites = [0]
        couplings = [0]
        beta = 1.0
        [sweep]
        "bath.cold.beta" = [1.0, 2.0]
    """
    found = []
    for splitting in (1.0, 1.5):
        lowering = np.array([[[0.0, 0.0], [1.0, 0.0]]])
        np.savez(tmp_path / "two.npz", H=np.diag([splitting, 0.0]), couplings=lowering)
        found.append(keys(problem_of(tmp_path, text)))
    assert not set(found[0]) & set(found[1])
