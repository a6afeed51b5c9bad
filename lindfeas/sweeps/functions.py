"""Sweeps over a function of one's own: parameters in, a system or a question out.

A function cannot be written down, and is not: points are named by their values, by the name of the
sweep and by the version of lindfeas. It travels to workers by value (cloudpickle), so that closures
and functions of a notebook work, and is never written into a file.
"""

from __future__ import annotations

import itertools
import math
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from lindfeas.errors import InputError, quoted, require
from lindfeas.files.columns import SWEEP_COLUMNS, Axis
from lindfeas.files.problem_file import ProblemFile
from lindfeas.files.table import Table, read_table
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.program.question import Question, asked_about
from lindfeas.sweeps.display import Display
from lindfeas.sweeps.engine import Outcome, Workers
from lindfeas.sweeps.folder import Form
from lindfeas.sweeps.points import (
    MOST_POINTS,
    RESULT_VERSION,
    Options,
    answer_row,
    point_key,
    require_result_version,
)
from lindfeas.sweeps.sweep import Plan, require_tools, run, sweep_plan
from lindfeas.sweeps.workers import ClusterWorkers, InProcess, LocalWorkers

Asked = Callable[..., "OpenSystem | Question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTask:
    """One point; ``function`` is the pickled function, or the function itself in this process."""

    key: str
    values: dict[str, float | int | bool | str]
    function: Any = field(repr=False)
    options: Options
    result_version: int = RESULT_VERSION


def sweep(
    what: Asked | Question | ProblemFile,
    grid: Mapping[str, Iterable[Any]],
    *,
    out: str | os.PathLike[str] | None = None,
    name: str | None = None,
    workers: int = 1,
    dask: str | None = None,
    solver: str | None = None,
    sharp: bool | None = None,
    prove: bool | None = None,
    progress: bool = True,
) -> Table:
    """Answer a question at every point of a grid of parameters.

    Parameters
    ----------
    what
        A function of keyword arguments that returns an `OpenSystem` or a `Question`; or a
        `Question`, of which ``bath.NAME.beta``, ``bath.NAME.mu`` and ``question.tolerance`` can be
        swept; or a problem file, of which everything can.
    grid
        Name of a parameter -> its values: numbers, bools or strings. The last one changes fastest.
    out
        Folder of the table; the same call goes on where it was stopped. By default nothing is kept
        on disk.
    name
        What the sweep is called, by default like the function. A folder that holds a sweep of
        another name, of other points or of another version of lindfeas is refused; lindfeas cannot
        see that a function of the same name has changed: give it a new name or folder then.
    workers
        Processes on this machine; 1 is this process.
    dask
        Address of a Dask scheduler, in place of ``workers``.
    solver, sharp
        As in `certify`.
    prove
        Whether to prove the bounds; by default where python-flint makes it quick.
    progress
        Whether to show a bar on standard error, if that is a terminal.

    Returns
    -------
    Table
        A point whose function or answer failed has its error in the column ``error``.

    Raises
    ------
    InputError
        If there is nothing to sweep, or the folder cannot be used.

    Examples
    --------
    >>> import lindfeas as lf
    >>> def chain(g, beta):
    ...     hot = lf.Bath(name="left", sites=(0,), beta=1.0)
    ...     cold = lf.Bath(name="right", sites=(2,), beta=beta)
    ...     return lf.models.xxz_chain(sites=3, coupling=g, baths=[hot, cold])
    >>> table = lf.sweep(chain, {"g": [0.05, 0.1], "beta": [2.0, 5.0]})
    >>> table.to_pandas()[["g", "beta", "verdict"]].values.tolist()[0]
    [0.05, 2.0, 'impossible']
    """
    options = Options(solver=solver, sharp=sharp, prove=prove)
    _check_workers(workers, dask)
    if name is not None:
        require(name, str, "name", "give a word")
    local = workers == 1 and dask is None
    plan = _plan(what, grid, name, options, by_value=not local)
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return _run(plan, folder, _workers(workers, dask), progress)
    return _run(plan, out, _workers(workers, dask), progress)


def evaluate(task: FunctionTask) -> Outcome:
    """Answer one point."""
    from lindfeas.answers.certify import certify
    from lindfeas.theorems.proving import with_proof

    require_result_version(task.result_version)
    own = task.function
    function: Asked = pickle.loads(own) if isinstance(own, bytes) else own
    question = asked_about(function(**task.values))
    options = task.options
    answer = certify(question, solver=options.solver, sharp=options.sharp)
    answer, _ = with_proof(answer, None, options.prove)
    return Outcome(row={**task.values, "point": task.key, **answer_row(answer)})


def _run(plan: Plan, out: str | os.PathLike[str], workers: Workers, progress: bool) -> Table:
    with workers:
        if not progress:
            return read_table(run(plan, out, workers).table)
        with Display() as display:
            return read_table(run(plan, out, workers, display.report).table)


def _check_workers(count: Any, dask: str | None) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InputError(f"must be a whole number >= 1, but is {quoted(count)}", "workers")
    if dask is not None and count != 1:
        raise InputError("must be left out with dask, but is given", "workers")


def _workers(count: int, dask: str | None) -> Workers:
    if dask is not None:
        return ClusterWorkers(dask)
    return InProcess() if count == 1 else LocalWorkers(count)


def _plan(what: Any, grid: Any, name: str | None, options: Options, *, by_value: bool) -> Plan:
    axes = _axes(grid)
    if isinstance(what, ProblemFile):
        if name is not None:
            raise InputError("must be left out for a problem file, which has its own", "name")
        exact = tuple(replace(axis, values=tuple(map(_decimal, axis.values))) for axis in axes)
        for axis in exact:
            for value in axis.values:
                what.at({axis.key: value})
        return sweep_plan(replace(what, sweep=exact), options)
    require_tools(options)
    if isinstance(what, Question):
        for axis in axes:
            for value in axis.values:
                _changed(what, **{axis.key: value})
        function, called = partial(_changed, what), name or "question"
    elif callable(what):
        function, called = what, name or str(getattr(what, "__name__", type(what).__name__))
    else:
        require(what, (Question, ProblemFile), "what", "or give a function that returns a system")
    content = {"title": called, "function": called}
    plain = tuple(axis.plain() for axis in axes)
    sent = _by_value(function) if by_value else function
    return Plan(
        form=Form(
            kind="sweep",
            problem=content,
            axes=plain,
            columns=(*(axis.column for axis in plain), *SWEEP_COLUMNS),
        ),
        tasks=tuple(_tasks(plain, sent, called, options)),
        evaluate=evaluate,
        blank=_blank,
    )


def _decimal(value: Any) -> Any:
    """A number as a problem file would have it."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _tasks(
    axes: Iterable[Axis], function: Any, name: str, options: Options
) -> Iterable[FunctionTask]:
    axes = list(axes)
    for values in itertools.product(*(axis.values for axis in axes)):
        own = dict(zip((axis.key for axis in axes), values, strict=True))
        named = {
            "values": own,
            "function": name,
            "options": options.content(),
            "result_version": RESULT_VERSION,
            "lindfeas_version": version("lindfeas"),
        }
        yield FunctionTask(key=point_key(named), values=own, function=function, options=options)


def _blank(task: FunctionTask) -> dict[str, Any]:
    return {**task.values, "point": task.key, "lindfeas_version": version("lindfeas")}


def _by_value(function: Asked) -> bytes:
    import cloudpickle

    try:
        pickled: bytes = cloudpickle.dumps(function)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"must be a function that can be sent to another process, but: {reason}", "what"
        ) from None
    return pickled


def _axes(grid: Any) -> tuple[Axis, ...]:
    if not isinstance(grid, Mapping) or not grid:
        raise InputError(
            f"must map parameters to their values, such as {{'g': [0.1, 1.0]}}, but is "
            f"{quoted(grid)}",
            "grid",
        )
    axes = tuple(Axis(key=_key(key), values=_values(key, own)) for key, own in grid.items())
    points = math.prod(len(axis.values) for axis in axes)
    if points > MOST_POINTS:
        raise InputError(f"must have at most {MOST_POINTS} points, but has {points}", "grid")
    return axes


def _key(key: Any) -> str:
    known = {column.name for column in SWEEP_COLUMNS}
    if not isinstance(key, str) or key in known:
        raise InputError(
            f"must have names that are no columns of the table, but has {quoted(key)}", "grid"
        )
    return key


def _values(key: str, values: Any) -> tuple[Any, ...]:
    where = f"grid[{quoted(key)}]"
    try:
        several = [] if isinstance(values, str) else list(values)
    except TypeError:
        several = []
    if not several:
        raise InputError(f"must list values, but is {quoted(values)}", where)
    plain = [value.item() if isinstance(value, np.generic) else value for value in several]
    for value in plain:
        too_large = isinstance(value, int) and abs(value) >= 2**63  # tables hold 64 bits
        known = isinstance(value, bool | int | float | str) and value == value
        if too_large or not known:
            raise InputError(
                f"must hold numbers, bools or strings, but holds {quoted(value)}", where
            )
    if len({type(value) for value in plain} - {int, float}) > (0 if _numbers(plain) else 1):
        raise InputError("must hold values of one kind, but holds several", where)
    if len(set(plain)) < len(plain):
        raise InputError("must hold every value once, but repeats one", where)
    return tuple(plain)


def _numbers(values: Iterable[Any]) -> bool:
    return any(type(value) in (int, float) for value in values)


def _changed(question: Question, **values: Any) -> Question:
    """The question with ``bath.NAME.beta``, ``bath.NAME.mu`` or ``question.tolerance`` set."""
    system = question.system
    for key, value in values.items():
        first, _, rest = key.partition(".")
        name, _, what = rest.rpartition(".")
        names = [bath.name for bath in system.baths]
        if key == "question.tolerance":
            question = replace(question, tolerance=value)
        elif first == "bath" and name in names and what in ("beta", "mu"):
            baths = [
                replace(bath, **{what: value}) if bath.name == name else bath
                for bath in system.baths
            ]
            system = replace(system, baths=tuple(baths))
        else:
            raise InputError(
                "must be bath.NAME.beta, bath.NAME.mu or question.tolerance for a question, whose "
                f"baths are {', '.join(names)}, but is {quoted(key)}",
                "grid",
            )
    return replace(question, system=system)
