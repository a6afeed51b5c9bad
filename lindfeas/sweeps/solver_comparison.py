"""The same programs through every solver: what each reports, and what is true.

A comparison has one row per (problem, solver); see `COLUMNS`. Null stands where nothing is known.

Two things are measured. What a *plain* user gets: one solve of the program as it is, with the
solver's own default settings; ``status``, ``objective`` and ``iterations`` are what it reports, and
``plain_lower`` and ``plain_upper`` are certified from this solve alone. And what lindfeas makes of
the solver by rescaling and solving again: ``lower``, ``upper``, ``solves`` and ``seconds``. All
solvers get the same arrays, one thread, and a process of their own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lindfeas.answers.enclosure import Enclosure, enclose
from lindfeas.errors import End, InputError, LindfeasError, quoted
from lindfeas.files.columns import COMPARISON_COLUMNS, ComparisonRow
from lindfeas.files.problem_file import ProblemFile
from lindfeas.files.table import Table, make_table
from lindfeas.program import bounds
from lindfeas.program.program import Program
from lindfeas.program.question import Question, require_question
from lindfeas.program.setting import Setting
from lindfeas.solvers.catalogue import DEFAULTS, SolverStatus, solver_status, status_of
from lindfeas.solvers.conic import RawSolution, solve
from lindfeas.solvers.running import warm_up
from lindfeas.sweeps.isolated import TIME_LIMIT, Ending, Report, run_isolated

LONGEST_LIMIT = 1e8
"""Seconds, three years: alarms of the system do not take much more, and nobody waits for them."""

Trial = Callable[[Report, Program, str], None]
"""What runs in the solver's process: (report, problem, name of the solver)."""


COLUMNS = COMPARISON_COLUMNS
"""Name, type, unit and meaning of every column of a comparison's table."""


def compare(
    problems: Mapping[str, Question | ProblemFile],
    solvers: Iterable[str] | None = None,
    *,
    time_limit: float | None = TIME_LIMIT,
    trial: Trial | None = None,
    watch: Callable[[str, str], None] | None = None,
) -> Iterator[ComparisonRow]:
    """Rows for the same problems through every solver, each in a process of its own.

    Parameters
    ----------
    problems
        By name.
    solvers
        Names; by default every one that is installed. One that cannot be used gives rows that say
        why.
    time_limit
        Seconds of wall time for one solver on one problem, the start of its process included; None
        for none. What was certified by then is kept.
    trial
        What runs in the process, in place of `try_solver`; a function of a module.
    watch
        Called with the names of problem and solver before every process.

    Returns
    -------
    Iterator[ComparisonRow]
        Works while it is read; all rows of one problem come when they are known.

    Raises
    ------
    InputError
        If a solver is not known or the time limit is not positive.

    Examples
    --------
    >>> import lindfeas as lf
    >>> problem = lf.read_problem("problems/xxz-1+2+1.toml")
    >>> for row in lf.compare({"chain": problem}, ["clarabel", "scs"]):
    ...     print(row.solver, row.status, row.width < 1e-9)
    CLARABEL optimal True
    SCS optimal True
    """
    if not isinstance(problems, Mapping):
        raise InputError(
            f"must be questions or problem files by name, such as {{'chain': question}}, but is "
            f"{type(problems).__name__}",
            "problems",
        )
    for name, problem in problems.items():
        if not isinstance(problem, ProblemFile):
            require_question(problem, f"problems[{quoted(name)}]")
    if time_limit is not None and not (_is_number(time_limit) and time_limit > 0):
        raise InputError(f"must be > 0, but is {quoted(time_limit)}", "time_limit")
    limit = None if time_limit is None or time_limit > LONGEST_LIMIT else time_limit
    chosen = competitors(solvers)

    def run(name: str, program: Program, solver: str) -> Ending:
        if watch is not None:
            watch(name, solver)
        return run_isolated(trial or try_solver, program, solver, time_limit=limit)

    return (
        row
        for name, problem in problems.items()
        for row in _judged(_rows(name, problem, chosen, run))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def competitors(solvers: Iterable[str] | None) -> tuple[SolverStatus, ...]:
    """The solvers of a comparison: those named, or all that are installed."""
    if solvers is not None:
        return status_of(solvers)
    return tuple(status for status in solver_status() if status.installed)


def try_solver(report: Report, program: Program, solver: str) -> None:
    """A plain solve, then what `lindfeas.answers.enclosure.enclose` makes of the solver."""
    warm_up(solver)
    report(_plain(program, solve(program, solver, settings=DEFAULTS)))
    started = time.perf_counter()

    def observe(enclosure: Enclosure) -> None:
        report(_certified(enclosure, time.perf_counter() - started))

    observe(enclose(program, [solver], observe=observe))


def comparison_table(
    rows: Iterable[ComparisonRow], problems: Mapping[str, ProblemFile] | None = None
) -> Table:
    """The rows as a table; its metadata hold the problems' JSON documents by name."""
    documents = {name: problem.json_document() for name, problem in (problems or {}).items()}
    content = [row.to_dict() for row in rows]
    return make_table(content, COLUMNS, kind="comparison", problem={"problems": documents})


def contradictions(rows: Iterable[ComparisonRow]) -> list[str]:
    """Problems whose certified intervals do not meet: a mistake of lindfeas, not of a solver."""
    found = []
    for name, group in by_problem(rows).items():
        lower, upper = _best(group)
        if lower > upper:
            found.append(f"{name}: a lower bound of {lower:.17g} and an upper one of {upper:.17g}")
    return found


def unanswered(rows: Iterable[ComparisonRow]) -> list[str]:
    """Problems for which no solver gave a certified interval."""
    groups = by_problem(rows)
    return [name for name, group in groups.items() if all(row.upper is None for row in group)]


def _rows(
    name: str,
    problem: Question | ProblemFile,
    solvers: Iterable[SolverStatus],
    run: Callable[[str, Program, str], Ending],
) -> list[ComparisonRow]:
    """One problem through all solvers."""
    question = problem.question if isinstance(problem, ProblemFile) else problem
    title = problem.title if isinstance(problem, ProblemFile) else ""
    program: Program | None = None
    mistake = ""
    try:
        program = Setting(question).program
    except LindfeasError as error:
        mistake = str(error)
    rows = []
    for status in solvers:
        row = ComparisonRow(
            problem=name,
            title=title,
            target=question.target_name,
            norm=question.target_norm,
            tolerance=question.tolerance,
            solver=status.name,
            version=status.version,
            usable=status.usable,
            outcome=End.FAILED if status.usable else End.UNUSABLE,
            message=mistake if status.usable else status.message,
        )
        if status.usable and program is not None:
            row = _after(row, run(name, program, status.name))
        rows.append(row)
    return rows


def _after(row: ComparisonRow, ending: Ending) -> ComparisonRow:
    """The row with everything that the process reported before its end."""
    outcome = End.ANSWERED if ending.outcome == End.FINISHED else ending.outcome
    facts = dict(ending.facts)
    message = ending.message or facts.pop("message", "")
    return replace(row, outcome=outcome, **{**facts, "message": message})


def _plain(program: Program, raw: RawSolution) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "status": raw.status,
        "objective": raw.objective,
        "iterations": None if raw.iterations is None else int(raw.iterations),
        "compile_seconds": raw.compile_seconds,
        "solve_seconds": raw.solve_seconds,
        "message": f"default settings: {raw.message}" if raw.message else "",
    }
    if raw.point is None or raw.multiplier is None:
        return facts
    lower = bounds.lower_bound(program, raw.multiplier)
    upper = bounds.upper_bound(program, bounds.repair_point(program, raw.point))
    return {**facts, "plain_lower": lower, "plain_upper": upper, "plain_width": upper - lower}


def _certified(enclosure: Enclosure, seconds: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"solves": len(enclosure.attempts)}
    interval = enclosure.interval
    if not math.isfinite(interval.upper):
        return facts
    facts |= {"lower": interval.lower, "upper": interval.upper, "width": interval.width}
    return {**facts, "seconds": seconds}


def _judged(rows: list[ComparisonRow]) -> list[ComparisonRow]:
    """The rows of one problem, the reported objectives held against the best certified interval."""
    lower, upper = _best(rows)
    return [_held_against(row, lower, upper) for row in rows]


def _held_against(row: ComparisonRow, lower: float, upper: float) -> ComparisonRow:
    if row.objective is None or math.isinf(upper):
        refuses = row.status is not None and row.status.startswith(("infeasible", "unbounded"))
        return replace(row, objective_holds=False if refuses else None)
    error = max(lower - row.objective, row.objective - upper, 0.0)
    return replace(row, objective_error=error, objective_holds=error <= row.tolerance)


def _best(rows: Iterable[ComparisonRow]) -> tuple[float, float]:
    """The intersection of everything that was certified for one problem."""
    lower, upper = 0.0, math.inf
    for row in rows:
        lower = max(lower, row.plain_lower or 0.0, row.lower or 0.0)
        upper = min(upper, *(u for u in (row.plain_upper, row.upper, math.inf) if u is not None))
    return lower, upper


def by_problem(rows: Iterable[ComparisonRow]) -> dict[str, list[ComparisonRow]]:
    groups: dict[str, list[ComparisonRow]] = {}
    for row in rows:
        groups.setdefault(row.problem, []).append(row)
    return groups
