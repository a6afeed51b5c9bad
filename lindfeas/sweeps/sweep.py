"""Sweeps: every point of a problem's grid answered, in a table that grows while it runs.

::

    from lindfeas.sweeps.sweep import run, sweep_plan
    from lindfeas.sweeps.workers import LocalWorkers

    plan = sweep_plan(read_problem("problem.toml"))
    with LocalWorkers(2) as workers:
        summary = run(plan, "results/problem", workers)

A `Plan` is all that `run` needs to know; other kinds of sweeps bring their own tasks, function and
columns.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lindfeas.errors import End, MissingExtraError
from lindfeas.files.columns import SWEEP_COLUMNS
from lindfeas.files.problem_file import ProblemFile
from lindfeas.files.table import Record
from lindfeas.sweeps import engine
from lindfeas.sweeps.engine import Failure, Outcome, Workers
from lindfeas.sweeps.folder import Form, SweepFolder
from lindfeas.sweeps.points import Options, blank_row, evaluate, free_axes, grid


class Task(Protocol):
    """What `run` needs to know of a task."""

    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A table to be filled.

    Parameters
    ----------
    form
        What the table looks like.
    tasks
        One picklable task per row, in the table's order.
    evaluate
        A function of a module: task -> `Outcome`; runs in a worker.
    blank
        Task -> the row of a task that failed, but for ``error`` and ``seconds``.
    is_finished
        Whether a row of an earlier run will do.
    """

    form: Form
    tasks: tuple[Any, ...] = field(repr=False)
    evaluate: Callable[[Any], Outcome]
    blank: Callable[[Any], Record]
    is_finished: Callable[[Record, Path], bool] = lambda row, folder: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A point has been finished, and is on disk.

    Parameters
    ----------
    row
        Its row; None for the first report, before anything has been computed.
    done, total
        Points, those of earlier runs included.
    reused
        Points of earlier runs.
    verdicts
        How many points have which verdict; ``failed`` counts those with an error.
    """

    row: Record | None
    done: int
    total: int
    reused: int
    verdicts: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A sweep that has come to its end."""

    table: Path
    points: int
    reused: int
    verdicts: dict[str, int]
    failed: int
    seconds: float


def sweep_plan(
    problem: ProblemFile, options: Options | None = None, fixed: Collection[str] = ()
) -> Plan:
    """The sweep that the problem file asks for.

    Parameters
    ----------
    options
        How the points are answered.
    fixed
        Swept keys that shall keep the value which the problem has.

    Raises
    ------
    InputError
        If there is nothing to sweep.
    SolverError
        If the solver cannot be used.
    MissingExtraError
        If proofs are asked for and python-flint is not installed.
    """
    options = Options() if options is None else options
    require_tools(options)
    swept = free_axes(problem, fixed)
    axes = tuple(axis.plain() for axis in swept)
    return Plan(
        form=Form(
            kind="sweep",
            problem=problem.json_document(),
            axes=axes,
            columns=(*(axis.column for axis in axes), *SWEEP_COLUMNS),
        ),
        tasks=grid(problem, swept, options),
        evaluate=evaluate,
        blank=blank_row,
        is_finished=_has_certificate if options.certificates else lambda row, folder: True,
    )


def require_tools(options: Options) -> None:
    """Refuse a solver that cannot be used, and proofs without python-flint."""
    from lindfeas.solvers.catalogue import usable_solvers
    from lindfeas.theorems.proving import can_prove

    usable_solvers(options.solver)
    if options.prove and not can_prove():
        raise MissingExtraError("python-flint", "proof", "A proof in ball arithmetic")


def run(
    plan: Plan,
    out: str | os.PathLike[str],
    workers: Workers,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Compute what is missing in the folder ``out``, and put all of it into one table.

    Points that failed in an earlier run are tried again. Stopped at any moment, in any way, the
    same call goes on.

    Parameters
    ----------
    report
        Called before the first point, and after each one when it is on disk.

    Raises
    ------
    InputError
        If the folder cannot be used; see `SweepFolder`.
    WorkersLostError
        If the workers cannot be reached any more.
    """
    started = time.perf_counter()
    with SweepFolder(out, plan.form, [task.key for task in plan.tasks]) as folder:
        done = {k: row for k, row in folder.rows.items() if plan.is_finished(row, folder.path)}
        missing = [task for task in plan.tasks if task.key not in done]
        verdicts = Counter(_verdict(row) for row in done.values())

        def tell(row: Record | None) -> None:
            report(
                Progress(
                    row=row,
                    done=verdicts.total(),
                    total=len(plan.tasks),
                    reused=len(done),
                    verdicts=verdicts.copy(),
                )
            )

        tell(None)
        for task, outcome in engine.results(missing, plan.evaluate, workers):
            if isinstance(outcome, Failure):
                outcome = _failed(plan.blank(task), outcome)
            folder.write(outcome)
            verdicts[_verdict(outcome.row)] += 1
            tell(outcome.row)
        table = folder.merge()
    failed = verdicts.pop(End.FAILED, 0)
    return Summary(
        table=table,
        points=len(plan.tasks),
        reused=len(done),
        verdicts=dict(verdicts),
        failed=failed,
        seconds=time.perf_counter() - started,
    )


def _failed(row: Record, failure: Failure) -> Outcome:
    return Outcome(row={**row, "seconds": failure.seconds, "error": failure.error})


def _verdict(row: Record) -> str:
    """What a row is counted as."""
    if row.get("error") is not None:
        return End.FAILED
    return str(row.get("verdict") or row.get("verdicts"))


def _has_certificate(row: Record, folder: Path) -> bool:
    """Whether a proved row has the certificate that is now asked for."""
    name = row.get("certificate")
    return not row.get("proved") or (name is not None and (folder / name).is_file())
