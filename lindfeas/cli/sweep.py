"""``lindfeas sweep``: every point of a problem's grid, in a table."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lindfeas.cli import options
from lindfeas.cli.group import ExitCode, main, show, show_json

if TYPE_CHECKING:
    from lindfeas.files.problem_file import ProblemFile
    from lindfeas.sweeps.points import Options
    from lindfeas.sweeps.sweep import Plan, Summary
    from lindfeas.sweeps.workers import ClusterWorkers, LocalWorkers

SHOWN_ERRORS = 5
"""Different errors that are shown; the table has all of them."""


@main.command()
@options.problem
@options.out("Folder of the table; made if missing.", required=True)
@options.settings("Change the problem; a swept key keeps this value. May be repeated.")
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    help="Processes on this machine; by default one per CPU.",
)
@click.option("--dask", metavar="ADDRESS", help="Use the Dask cluster of this scheduler instead.")
@options.solver
@options.prove
@options.sharp
@click.option("--certificates", is_flag=True, help="Keep the certificates of what was proved.")
@click.option(
    "--boundary",
    metavar="KEY",
    help="Find where the verdict changes along this swept key, for each point of the others.",
)
@click.option(
    "--boundary-width",
    metavar="X",
    type=float,
    help="Relative width of the brackets around the changes; 0.001 by default.",
)
@options.as_json
def sweep(
    path: Path,
    out: str,
    settings: tuple[str, ...],
    workers: int | None,
    dask: str | None,
    boundary: str | None,
    boundary_width: float | None,
    as_json: bool,
    **how: Any,
) -> int:
    """Answer every point of PROBLEM's [sweep]; run again, it does what is missing.

    Exit codes: 0 the table is complete, undecided points included; 1 points failed, and have their
    error in the table; 2 bad input; 130 interrupted.
    """
    from lindfeas.files.problem_file import parse_setting, read_problem
    from lindfeas.sweeps.display import Display
    from lindfeas.sweeps.points import Options
    from lindfeas.sweeps.sweep import run

    problem = read_problem(path, settings)
    fixed = {parse_setting(setting)[0] for setting in settings}
    plan = _plan(problem, Options(**how), fixed, boundary, boundary_width)
    with Display() as display:
        try:
            with _workers(workers, dask) as pool:
                summary = run(plan, out, pool, display.report)
        except KeyboardInterrupt:
            display.stop()
            click.echo(f"interrupted: {display.state}; the same command goes on", err=True)
            return ExitCode.INTERRUPTED
    _show_summary(problem.title or path.stem, summary, display.errors, as_json)
    return ExitCode.FAILED if summary.failed else ExitCode.ANSWERED


def _plan(
    problem: ProblemFile,
    how: Options,
    fixed: set[str],
    boundary: str | None,
    width: float | None,
) -> Plan:
    from lindfeas.sweeps.boundary import WIDTH
    from lindfeas.sweeps.boundary_sweep import boundary_plan
    from lindfeas.sweeps.sweep import sweep_plan

    if boundary is not None:
        return boundary_plan(problem, boundary, how, fixed, width=WIDTH if width is None else width)
    if width is not None:
        raise click.UsageError("--boundary-width needs --boundary")
    return sweep_plan(problem, how, fixed)


def _workers(
    count: int | None, dask: str | None
) -> AbstractContextManager[LocalWorkers | ClusterWorkers]:
    from lindfeas.sweeps.workers import ClusterWorkers, LocalWorkers, usable_cpus

    if dask is None:
        return LocalWorkers(count or usable_cpus())
    if count is not None:
        raise click.UsageError("--workers and --dask exclude each other")
    cluster = ClusterWorkers(dask)
    if not cluster.worker_count:
        click.echo("waiting: the scheduler has no worker yet", err=True)
    return cluster


def _show_summary(title: str, summary: Summary, errors: Counter[str], as_json: bool) -> None:
    if as_json:
        show_json({**asdict(summary), "table": str(summary.table)})
        return
    from rich.console import Group
    from rich.text import Text

    from lindfeas.text import text_grid

    counts = [(name, str(number)) for name, number in sorted(summary.verdicts.items())]
    counts += [("failed", str(summary.failed))] if summary.failed else []
    earlier = f", {summary.reused} of them in earlier runs" if summary.reused else ""
    points = f"{summary.points} points in {summary.seconds:.1f} s{earlier}"
    table = Text(f"table  {summary.table}")
    show(Group(Text(title, style="bold"), Text(points), text_grid(counts), table))
    for error, number in errors.most_common(SHOWN_ERRORS):
        click.echo(f"failed ({number}): {error}", err=True)
