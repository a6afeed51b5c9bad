"""Boundary sweeps: several rows a point, and the promises of every sweep kept for them too."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lindfeas.answers.certify import certify
from lindfeas.cli import main
from lindfeas.errors import InputError
from lindfeas.files.columns import boundary_columns
from lindfeas.files.problem_file import ProblemFile, problem_from_document, read_problem
from lindfeas.files.table import Table, read_table
from lindfeas.sweeps.boundary import find_boundary, rows
from lindfeas.sweeps.boundary_sweep import boundary_plan
from lindfeas.sweeps.points import Options
from lindfeas.sweeps.sweep import Progress, Summary, run
from lindfeas.sweeps.workers import InProcess

ROOT = Path(__file__).parents[2]
PROBLEM = ROOT / "problems" / "xxz-1+2+1.toml"
COUPLING, LEFT, RIGHT = "system.coupling", "bath.left.beta", "bath.right.beta"
WIDTH = 0.1

Sweep = dict[str, list[Any]]


def decimals(*values: str) -> list[Decimal]:
    return [Decimal(value) for value in values]


HUMP: Sweep = {COUPLING: decimals("0.1", "0.01"), LEFT: decimals("0.5", "2.2", "10.0")}
"""At beta_R = 1 and g = 0.1, the reference of Fig. 2(a) is above 1.55e-2 at beta_L = 1.87 and 2.85
only; at g = 0.0123 it is ten times smaller."""


def hump(sweep: Sweep | None = None) -> ProblemFile:
    base = read_problem(
        PROBLEM, ["question.criterion=defect", "bath.right.beta=1", "question.tolerance=1.55e-2"]
    )
    document = {k: v for k, v in base.document.items() if k != "expected"}
    return problem_from_document({**document, "sweep": sweep or HUMP}, PROBLEM.parent)


def swept(folder: Path, problem: ProblemFile, report: Any = None, **changes: Any) -> Summary:
    plan = boundary_plan(problem, LEFT, **{"width": WIDTH, **changes})
    return run(plan, folder, InProcess(), report or (lambda progress: None))


def without_times(table: Table) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in table.rows()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    summary = swept(folder, hump())
    assert summary.verdicts == {"possible -> impossible -> possible": 1, "possible": 1}
    return folder


def test_every_change_is_a_row_of_its_point(whole: Path) -> None:
    table = read_table(whole)
    assert table.kind == "boundary"
    assert table.arrow.column_names == [
        COUPLING,
        *(column.name for column in boundary_columns(LEFT)),
    ]
    assert [axis.key for axis in table.axes] == [COUPLING, LEFT]
    assert table.column(COUPLING) == [0.1, 0.1, 0.01]
    assert table.column("change") == [0, 1, None]
    assert table.column("direction") == ["possible below", "impossible below", None]
    first, second, none = table.rows()
    assert 1.23 < first["last_possible"] < first["first_impossible"] < 1.88
    assert 2.84 < second["first_impossible"] < second["last_possible"] < 4.33
    assert (none["last_possible"], none["first_impossible"]) == (None, None)
    assert table.unit("last_possible") == "1/energy"


def test_rows_are_those_of_the_library(whole: Path) -> None:
    problem = hump().at({COUPLING: Decimal("0.1")})
    expected = rows(find_boundary(problem, LEFT, HUMP[LEFT], width=WIDTH), problem)
    found = read_table(whole).rows()[:2]
    for row, other in zip(found, expected, strict=True):
        assert {key: row[key] for key in other if key != "seconds"} == {
            key: value for key, value in other.items() if key != "seconds"
        }


def test_interrupted_sweep_goes_on_and_keeps_all_rows(tmp_path: Path, whole: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.row is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept(tmp_path, hump(), interrupt)
    assert read_table(tmp_path).column("change") == [0, 1]
    assert swept(tmp_path, hump()).reused == 1
    assert without_times(read_table(tmp_path)) == without_times(read_table(whole))
    assert swept(tmp_path, hump()).reused == 2
    assert without_times(read_table(tmp_path)) == without_times(read_table(whole))


def test_other_widths_values_and_keys_are_other_searches() -> None:
    keys = {
        task.key
        for plan in (
            boundary_plan(hump(), LEFT),
            boundary_plan(hump(), LEFT, width=WIDTH),
            boundary_plan(hump(), LEFT, Options(prove=True)),
            boundary_plan(hump({**HUMP, LEFT: decimals("0.5", "10.0")}), LEFT),
            boundary_plan(hump(), COUPLING),
        )
        for task in plan.tasks
    }
    assert len(keys) == 4 * 2 + 3


def test_no_other_axis_is_a_single_search() -> None:
    (task,) = boundary_plan(hump({LEFT: HUMP[LEFT]}), LEFT).tasks
    assert task.values == {}
    (task,) = boundary_plan(hump(), LEFT, fixed=[COUPLING]).tasks
    assert task.values == {}


def test_failed_searches_are_rows_and_are_tried_again(tmp_path: Path) -> None:
    """Without coupling the levels are degenerate; two sites have no place for the right bath."""
    for sweep, message in (
        ({COUPLING: decimals("0.0", "0.01")}, "all 2 values of bath.left.beta failed, first 0.5: "),
        ({"system.sites": [2, 4]}, "bath.right.sites"),
    ):
        folder = tmp_path / message[:3]
        problem = hump({**sweep, LEFT: decimals("0.5", "0.6")})
        for _ in range(2):
            summary = swept(folder, problem)
            assert (summary.failed, summary.points) == (1, 2)
        assert summary.reused == 1
        failed, found = read_table(folder).rows()
        assert message in failed["error"]
        assert (failed["boundary_key"], failed["target"]) == (LEFT, "populations")
        assert (found["verdicts"], found["error"]) == ("possible", None)


def test_what_does_not_go_with_a_boundary_is_refused() -> None:
    for options in (Options(sharp=True), Options(certificates=True)):
        with pytest.raises(InputError, match=r"^--boundary: must be without --certificates and"):
            boundary_plan(hump(), LEFT, options)
    with pytest.raises(InputError, match=r"^--boundary: must be a swept key"):
        boundary_plan(hump(), LEFT, fixed=[LEFT])


def test_shipped_boundary_is_what_its_file_gives() -> None:
    """All ends are certified and proved; a mirrored chain has the same bracket; one row anew."""
    problem = read_problem(ROOT / "problems" / "boundary-2+2+2.toml")
    table = read_table(ROOT / "results" / "boundary-2+2+2")
    plan = boundary_plan(problem, COUPLING, Options(prove=True))
    assert table.problem == plan.form.problem
    assert table.column("point") == [task.key for task in plan.tasks]
    found = {(row[LEFT], row[RIGHT]): row for row in table.rows()}
    for row in found.values():
        assert row["possible_upper"] < row["tolerance"] <= row["impossible_lower"]
        assert row["last_possible"] < row["first_impossible"] <= 1.001 * row["last_possible"]
        assert row["proved"] is True
    for column in ("last_possible", "first_impossible"):
        assert found[1.0, 10.0][column] == found[10.0, 1.0][column]
        value = Decimal(repr(found[1.0, 10.0][column]))
        point = problem.at({COUPLING: value}).question
        verdict = column.removeprefix("last_").removeprefix("first_")
        assert certify(point, sharp=False, check=False).verdict == verdict


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sweep", *arguments])


@pytest.fixture
def problem_path(tmp_path: Path) -> str:
    path = tmp_path / "problem.toml"
    content = PROBLEM.read_text().partition("[expected]")[0]
    path.write_text(content + f'[sweep]\n"{COUPLING}" = [0.001, 0.01]\n"{LEFT}" = [0.5, 1.0]\n')
    return str(path)


def test_command_writes_the_table(problem_path: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [problem_path, "--out", str(out), "--workers", "1", "--json"]
    settings = [
        "--set",
        "question.criterion=defect",
        "--set",
        "question.tolerance=5e-4",
        "--boundary",
        COUPLING,
        "--prove",
    ]
    result = command(*arguments, *settings, "--boundary-width", "0.05")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["verdicts"] == {"possible -> impossible": 2}
    table = read_table(out)
    assert table.column(LEFT) == [0.5, 1.0]
    assert table.column("proved") == [True, True]
    for row in table.rows():
        assert row["first_impossible"] <= 1.05 * row["last_possible"]
        assert row["possible_upper"] < 5e-4 <= row["impossible_lower"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--boundary", "bath.lef.beta"],
            "--boundary: must be a swept key, but is 'bath.lef.beta'",
        ),
        (["--boundary", LEFT, "--boundary-width", "0"], "--boundary-width: must be at least 1e-12"),
        (["--boundary-width", "0.1"], "--boundary-width needs --boundary"),
        (["--boundary", LEFT, "--certificates"], "--boundary: must be without --certificates"),
    ],
)
def test_wrong_options_are_one_line(
    problem_path: str, tmp_path: Path, options: list[str], message: str
) -> None:
    result = command(problem_path, "--out", str(tmp_path / "out"), *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
