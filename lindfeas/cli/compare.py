"""``lindfeas compare``: the same problems through every solver."""

from __future__ import annotations

import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lindfeas.cli import options
from lindfeas.cli.group import ExitCode, main, show, show_json
from lindfeas.sweeps.isolated import TIME_LIMIT

if TYPE_CHECKING:
    from lindfeas.files.columns import ComparisonRow
    from lindfeas.files.problem_file import ProblemFile


@main.command()
@click.argument(
    "paths", metavar="PROBLEM...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@options.settings("Change every problem, such as bath.right.beta=5; may be repeated.")
@click.option(
    "--solvers",
    metavar="NAMES",
    help="Compare only these, such as clarabel,scs; by default all that are installed.",
)
@click.option(
    "--time-limit",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=TIME_LIMIT,
    show_default=True,
    help="Stop a solver that takes longer for one problem, and keep what was certified by then.",
)
@options.out("Write the rows as a parquet table into DIR.")
@options.as_json
def compare(
    paths: Sequence[Path],
    settings: tuple[str, ...],
    solvers: str | None,
    time_limit: float,
    out: str | None,
    as_json: bool,
) -> int:
    """Run every PROBLEM through every solver, and certify what comes back."""
    from lindfeas.files.problem_file import read_problem
    from lindfeas.sweeps.solver_comparison import compare as compare_solvers

    problems = {name: read_problem(path, settings) for name, path in _named(paths).items()}
    names = None if solvers is None else solvers.split(",")
    with _progress() as watch:
        rows = compare_solvers(problems, names, time_limit=time_limit, watch=watch)
        found = list(rows) if out is None else _written(rows, problems, out)
    if as_json:
        limit = time_limit if math.isfinite(time_limit) else None
        show_json({"time_limit": limit, "rows": [row.to_dict() for row in found]})
    else:
        from lindfeas.cli.comparison_text import comparison_report

        show(comparison_report(found))
    return _exit_code(found)


def _named(paths: Sequence[Path]) -> dict[str, Path]:
    """Every file once, by its name without ending, or by its path where that is not unique."""
    stems = Counter(path.stem for path in set(paths))
    names = ((path, path.stem if stems[path.stem] == 1 else str(path)) for path in paths)
    return {os.fsencode(name).decode(errors="replace"): path for path, name in names}


def _written(
    rows: Iterator[ComparisonRow], problems: dict[str, ProblemFile], out: str
) -> list[ComparisonRow]:
    """All rows; the table in ``out`` holds those of every problem as soon as they are known."""
    from lindfeas.files.atomic import pending_file
    from lindfeas.files.table import MERGED
    from lindfeas.sweeps.solver_comparison import comparison_table

    _refuse_other_tables(Path(out))
    found: list[ComparisonRow] = []
    with pending_file(out, MERGED) as file:
        for row in rows:
            found.append(row)
            comparison_table(found, problems).write(file.path)
    click.echo(f"written: {file.path}", err=True)
    return found


def _refuse_other_tables(folder: Path) -> None:
    """An older comparison is replaced, a sweep is not."""
    from lindfeas.errors import InputError
    from lindfeas.files.table import read_table, table_files

    kind = read_table(folder).kind if table_files(folder) else "comparison"
    if kind != "comparison":
        raise InputError(f"must hold no other table, but {folder} holds a {kind}", "--out")


@contextmanager
def _progress() -> Iterator[Callable[[str, str], None]]:
    """What runs just now, on a terminal's standard error."""
    if not sys.stderr.isatty():
        yield lambda problem, solver: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda problem, solver: status.update(f"{problem}: {solver}")


def _exit_code(rows: list[ComparisonRow]) -> int:
    from lindfeas.sweeps.solver_comparison import contradictions, unanswered

    for problem in contradictions(rows):
        click.echo(f"error: certified intervals must meet, but do not: {problem}", err=True)
    if contradictions(rows):
        return ExitCode.FAILED
    missing = unanswered(rows)
    if missing:
        click.echo(f"error: no solver gave an interval for {', '.join(missing)}", err=True)
    if not any(row.usable for row in rows):
        return ExitCode.BAD_INPUT
    return ExitCode.UNDECIDED if missing else ExitCode.ANSWERED
