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
    from lindfeas.sweeps.sweep import Plan, Progress, Summary
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
    from lindfeas.sweeps.points import Options
    from lindfeas.sweeps.sweep import run

    problem = read_problem(path, settings)
    fixed = {parse_setting(setting)[0] for setting in settings}
    plan = _plan(problem, Options(**how), fixed, boundary, boundary_width)
    with _Display() as display:
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


class _Display:
    """A bar on standard error, if that is a terminal, and what there is to say at the end."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[verdicts]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, rate="", verdicts="")
        self.errors: Counter[str] = Counter()
        self.state = "no point is done"

    def __enter__(self) -> _Display:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bar as it is."""
        if not self._bar.disable:  # rich before 15 ends even a bar that is not shown with a line
            self._bar.stop()

    def report(self, progress: Progress) -> None:
        """Show one more point."""
        row = progress.row
        if row is None:
            # points of earlier runs are no measure of the speed
            self._bar.reset(self._task, total=progress.total, completed=progress.done)
        elif row.get("error") is not None:
            self.errors[row["error"]] += 1
        self.state = f"{progress.done} of {progress.total} points are done"
        elapsed = self._bar.tasks[0].elapsed or 0.0
        computed = progress.done - progress.reused
        self._bar.update(
            self._task,
            completed=progress.done,
            rate=f"{computed / elapsed:.1f}/s" if elapsed and computed else "",
            verdicts=", ".join(f"{n} {name}" for name, n in sorted(progress.verdicts.items())),
        )


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
