"""Solvers side by side: certified intervals agree whatever a solver says, does or breaks."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import lindfeas as lf
from lindfeas.answers import enclosure
from lindfeas.cli import main
from lindfeas.files.table import make_table, read_table
from lindfeas.program.setting import Setting
from lindfeas.solvers import catalogue as backends
from lindfeas.solvers.conic import solve
from lindfeas.sweeps import solver_comparison as comparison
from lindfeas.sweeps.solver_comparison import (
    COLUMNS,
    ComparisonRow,
    compare,
    comparison_table,
    contradictions,
)
from tests import fake_trials

PROBLEMS = Path(__file__).resolve().parents[2] / "problems"
CHAIN = PROBLEMS / "xxz-1+2+1.toml"
COHERENCES = PROBLEMS / "xxz-1+0+2-coherences.toml"
PAIR = ("CLARABEL", "SCS")

LONG = 200.0
"""Seconds; no trial here comes near it."""

SHORT = 10.0
"""Seconds; a hanging solver costs them, an instant answer takes one or two."""


@pytest.fixture(scope="module", autouse=True)
def unlicensed_mosek() -> Iterator[None]:
    status = backends.SolverStatus(
        name="MOSEK",
        version="11.0.0",
        installed=True,
        usable=False,
        message="installed, but no licence file",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(backends._CHECKS, "MOSEK", lambda: status)
        yield


@pytest.fixture(scope="module")
def problems() -> dict[str, Any]:
    return {path.stem: lf.read_problem(path) for path in (CHAIN, COHERENCES)}


@pytest.fixture(scope="module")
def rows(problems: dict[str, Any], unlicensed_mosek: None) -> list[ComparisonRow]:
    return list(compare(problems, (*PAIR, "mosek"), time_limit=LONG))


@pytest.fixture
def chain(problems: dict[str, Any]) -> dict[str, Any]:
    return {CHAIN.stem: problems[CHAIN.stem]}


def usable(rows: Sequence[ComparisonRow]) -> list[ComparisonRow]:
    return [row for row in rows if row.usable]


def test_every_solver_meets_every_problem(
    rows: list[ComparisonRow], problems: dict[str, Any]
) -> None:
    assert [(r.problem, r.solver) for r in rows] == [
        (name, solver) for name in problems for solver in (*PAIR, "MOSEK")
    ]


def test_certified_intervals_meet(rows: list[ComparisonRow]) -> None:
    assert contradictions(rows) == []
    for row in usable(rows):
        assert row.outcome == "answered"
        for other in usable(rows):
            if other.problem == row.problem:
                assert row.lower <= other.upper
                assert row.plain_lower <= other.upper
                assert row.lower <= other.plain_upper


def test_what_is_certified_is_as_narrow_as_an_answer(rows: list[ComparisonRow]) -> None:
    for row in usable(rows):
        assert row.width == row.upper - row.lower <= max(1e-6 * row.lower, 1e-9)
        assert row.plain_width == row.plain_upper - row.plain_lower
        assert row.solves >= 1


def test_the_plain_solve_is_reported_as_it_is(rows: list[ComparisonRow]) -> None:
    for row in usable(rows):
        assert row.status in ("optimal", "optimal_inaccurate")
        assert row.iterations >= 1
        assert row.compile_seconds > 0
        assert row.solve_seconds > 0
        outside = max(row.lower - row.objective, row.objective - row.upper, 0)
        assert row.objective_error == pytest.approx(outside, abs=row.width)


def test_default_settings_are_coarser_than_those_of_lindfeas(rows: list[ComparisonRow]) -> None:
    """SCS stops at 1e-5 by default: the optimum of 1e-3 is certified to a few digits only."""
    row = next(r for r in rows if r.solver == "SCS" and r.problem == CHAIN.stem)
    assert row.plain_width > 1e3 * row.width


def test_unlicensed_mosek_is_a_row_that_says_so(rows: list[ComparisonRow]) -> None:
    for row in (r for r in rows if r.solver == "MOSEK"):
        assert (row.usable, row.outcome) == (False, "unusable")
        assert row.message == "installed, but no licence file"
        assert row.version == "11.0.0"
        assert row.status is row.objective is row.lower is row.seconds is None


def test_all_that_is_installed_takes_part_by_default(chain: dict[str, Any]) -> None:
    found = [row.solver for row in compare(chain, trial=fake_trials.answers)]
    assert found == [status.name for status in lf.solver_status() if status.installed]
    assert {"CLARABEL", "SCS", "MOSEK"} <= set(found)


def test_a_solver_that_is_not_installed_is_a_row_when_asked_for(
    chain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = backends._check_package("COPT", "no_such_package")
    monkeypatch.setitem(backends._CHECKS, "COPT", missing)
    assert "COPT" not in {status.name for status in lf.solver_status()}
    (row,) = compare(chain, ["copt"])
    assert (row.outcome, row.version) == ("unusable", None)
    assert row.message.startswith("not installed")


@pytest.mark.parametrize(
    ("trial", "outcome", "says", "limit"),
    [
        (fake_trials.scs_hangs, "timed out", "stopped after 10 s", SHORT),
        (fake_trials.scs_segfaults, "crashed", "SIGSEGV", LONG),
    ],
)
def test_one_solvers_trouble_is_its_own(
    chain: dict[str, Any], trial: Callable[..., None], outcome: str, says: str, limit: float
) -> None:
    def known(row: ComparisonRow) -> dict[str, Any]:
        return {key: value for key, value in row.to_dict().items() if key in fake_trials.KNOWN}

    scs, clarabel = compare(chain, ["SCS", "CLARABEL"], trial=trial, time_limit=limit)
    assert (clarabel.outcome, clarabel.message) == ("answered", "")
    assert scs.outcome == outcome
    assert says in scs.message
    # what was certified before stays
    assert known(scs) == known(clarabel) == fake_trials.KNOWN


@pytest.mark.parametrize(("factor", "holds"), [(1.002, False), (1.0005, True)])
def test_an_objective_that_is_wrong_by_more_than_the_tolerance_shows(
    chain: dict[str, Any], rows: list[ComparisonRow], factor: float, holds: bool
) -> None:
    """The optimum is 1.08e-3, the tolerance 1e-6: it allows a factor of 1.0009."""
    clarabel, scs = rows[:2]
    trial = partial(fake_trials.lies_about_the_objective, factor=factor)
    (liar,) = compare(chain, ["SCS"], trial=trial, time_limit=LONG)
    assert liar.status == "optimal"
    assert liar.objective_holds is holds
    assert liar.objective_error == pytest.approx(factor * scs.objective - clarabel.upper, rel=1e-3)
    assert liar.lower <= clarabel.upper
    assert clarabel.lower <= liar.upper


def test_calling_a_feasible_program_infeasible_shows(chain: dict[str, Any]) -> None:
    trial = fake_trials.calls_it_infeasible
    (liar,) = compare(chain, ["SCS"], trial=trial, time_limit=LONG)
    assert liar.status == "infeasible"
    assert liar.objective_holds is False
    assert liar.lower is liar.upper is liar.seconds is liar.objective_error is None
    assert liar.outcome == "failed"
    assert "no solver returned a usable solution" in liar.message


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-7])
@pytest.mark.parametrize("name", [CHAIN.stem, COHERENCES.stem])
def test_a_solution_that_is_too_good_by_a_little_certifies_nothing_false(
    name: str,
    size: float,
    problems: dict[str, Any],
    rows: list[ComparisonRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = next(row for row in rows if row.problem == name)
    program = Setting(problems[name].question).program
    liar = partial(fake_trials.solves_too_well, size=size)
    raw = liar(program, "CLARABEL")
    assert program.defect(raw.point) < honest.lower
    assert honest.width < 0.9 * size * honest.lower  # how far the multiplier is off
    monkeypatch.setattr(comparison, "solve", liar)
    monkeypatch.setattr(enclosure, "solve", liar)
    told: dict[str, Any] = {}
    comparison.try_solver(told.update, program, "CLARABEL")
    for lower, upper in (("plain_lower", "plain_upper"), ("lower", "upper")):
        assert told[lower] <= honest.upper
        assert honest.lower <= told[upper]


def test_intervals_that_do_not_meet_are_told(chain: dict[str, Any]) -> None:
    found = list(compare(chain, PAIR, trial=fake_trials.contradicts))
    (message,) = contradictions(found)
    assert message == f"{CHAIN.stem}: a lower bound of 2 and an upper one of 1"


def test_a_problem_without_an_answer_does_not_stop_the_next(problems: dict[str, Any]) -> None:
    chain = problems[CHAIN.stem]
    uncoupled = chain.at({"system.coupling": Decimal("0.0")})
    bad, good = compare({"flat": uncoupled, "chain": chain}, ["SCS"], trial=fake_trials.answers)
    assert bad.outcome == "failed"
    assert "must have levels that can be told apart" in bad.message
    assert good.outcome == "answered"


@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan])
def test_a_time_limit_is_positive(chain: dict[str, Any], limit: float) -> None:
    with pytest.raises(lf.InputError, match="time_limit: must be > 0"):
        compare(chain, time_limit=limit)


def test_the_table_holds_the_rows(
    rows: list[ComparisonRow], problems: dict[str, Any], tmp_path: Path
) -> None:
    comparison_table(rows, problems).write(tmp_path / "table.parquet")
    table = read_table(tmp_path)
    assert table.kind == "comparison"
    assert table.rows() == [row.to_dict() for row in rows]
    assert set(table.problem["problems"]) == set(problems)
    assert table.unit("width") == "epsilon^2"
    assert table.unit("solve_seconds") == "s"
    assert [column.name for column in COLUMNS] == list(rows[0].to_dict())


OPTIONAL = [name for name in backends.OPTIONAL if backends._CHECKS[name]().installed]


@pytest.mark.parametrize(
    "solver",
    OPTIONAL or [pytest.param("none", marks=pytest.mark.skip(reason="no optional solver here"))],
)
def test_optional_solvers_agree_with_the_others(
    solver: str, problems: dict[str, Any], rows: list[ComparisonRow]
) -> None:
    found = list(compare(problems, [solver], time_limit=LONG))
    assert contradictions([*rows, *found]) == []
    for row in found:
        assert row.outcome == "answered", row.message
        assert row.width <= max(1e-3 * row.lower, 1e-7)


def test_what_a_solver_prints_from_c_does_not_reach_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    from lindfeas.solvers.running import _mute

    os.write(1, b"before ")
    with _mute("SDPA"):
        os.write(1, b"noise")
    os.write(1, b"after")
    assert capfd.readouterr().out == "before after"


def test_settings_can_be_chosen_for_one_solve(problems: dict[str, Any]) -> None:
    raw = solve(Setting(problems[CHAIN.stem].question).program, "SCS", settings=({"max_iters": 3},))
    assert raw.iterations == 3


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["compare", *arguments])


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def install(name: str) -> None:
        monkeypatch.setattr(
            "lindfeas.sweeps.solver_comparison.try_solver", getattr(fake_trials, name)
        )

    return install


def test_the_command_prints_one_json_object(instant: Callable[[str], None]) -> None:
    instant("answers")
    result = run(str(CHAIN), "--json", "--solvers", "scs,mosek", "--set", "bath.right.beta=5")
    assert result.exit_code == 0, result.stderr
    content = json.loads(result.stdout)
    assert [(row["solver"], row["outcome"]) for row in content["rows"]] == [
        ("SCS", "answered"),
        ("MOSEK", "unusable"),
    ]
    assert result.stderr == ""


def test_the_command_prints_tables_and_what_happened(instant: Callable[[str], None]) -> None:
    instant("scs_segfaults")
    result = run(str(CHAIN), "--solvers", "clarabel,scs,mosek")
    assert result.exit_code == 0, result.stderr
    assert "Four qubits" in result.stdout
    assert "MOSEK unusable: installed, but no licence file" in result.stdout
    assert "SCS crashed: the process ended with SIGSEGV" in result.stdout


def test_the_command_writes_a_table(instant: Callable[[str], None], tmp_path: Path) -> None:
    instant("answers")
    out = tmp_path / "new" / "out"
    for _ in range(2):  # a second run replaces the first one's table
        result = run(str(CHAIN), str(COHERENCES), "--solvers", "scs", "--out", str(out))
        assert result.exit_code == 0, result.stderr
        assert read_table(out).column("problem") == [CHAIN.stem, COHERENCES.stem]
    assert [path.name for path in out.iterdir()] == ["table.parquet"]


def test_a_sweep_is_not_overwritten(tmp_path: Path) -> None:
    make_table([{"problem": "one"}], COLUMNS, kind="sweep", problem={}).write(
        tmp_path / "table.parquet"
    )
    before = (tmp_path / "table.parquet").read_bytes()
    result = run(str(CHAIN), "--out", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --out: must hold no other table, but ")
    assert (tmp_path / "table.parquet").read_bytes() == before


def test_files_of_one_name_are_told_apart(instant: Callable[[str], None], tmp_path: Path) -> None:
    instant("answers")
    other = tmp_path / CHAIN.name
    other.write_bytes(CHAIN.read_bytes())
    result = run(str(CHAIN), str(other), str(CHAIN), "--solvers", "scs", "--json")
    names = [row["problem"] for row in json.loads(result.stdout)["rows"]]
    assert names == [str(CHAIN), str(other)]


@pytest.mark.parametrize(
    ("trial", "solvers", "code", "says"),
    [
        ("answers_nothing", "scs", 3, "no solver gave an interval for xxz-1+2+1"),
        ("answers", "mosek", 2, "no solver gave an interval for xxz-1+2+1"),
        ("contradicts", "scs,clarabel", 1, "certified intervals must meet, but do not"),
        ("answers", "scs,glpk", 2, "solvers: must be among CLARABEL, SCS, MOSEK, CVXOPT"),
        ("answers", "", 2, "solvers: must be among CLARABEL, SCS, MOSEK, CVXOPT"),
    ],
)
def test_exit_codes(
    instant: Callable[[str], None], trial: str, solvers: str, code: int, says: str
) -> None:
    instant(trial)
    result = run(str(CHAIN), "--solvers", solvers)
    assert result.exit_code == code
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("limit", "shown"), [("inf", None), ("1e300", 1e300)])
def test_a_time_limit_may_be_beyond_all_alarms(
    instant: Callable[[str], None], limit: str, shown: float | None
) -> None:
    instant("answers")
    result = run(str(CHAIN), "--solvers", "scs", "--time-limit", limit, "--json")
    assert result.exit_code == 0, result.stderr
    content = json.loads(result.stdout)
    assert content["time_limit"] == shown
    assert [row["outcome"] for row in content["rows"]] == ["answered"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_no_utf_8(instant: Callable[[str], None], tmp_path: Path) -> None:
    instant("answers")
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.toml")
    Path(path).write_bytes(CHAIN.read_bytes())
    result = run(path, "--solvers", "scs", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert read_table(tmp_path / "out").column("problem") == ["\ufffd"]


@pytest.mark.parametrize("limit", ["0", "-1", "soon"])
def test_a_time_limit_on_the_command_line_is_positive(limit: str) -> None:
    result = run(str(CHAIN), "--time-limit", limit)
    assert result.exit_code == 2
    assert "--time-limit" in result.stderr
