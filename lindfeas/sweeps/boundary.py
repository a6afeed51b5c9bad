"""Where along one key the certified verdict changes: brackets by bisection, never interpolated.

The table of a boundary sweep (kind ``boundary``) has one row for every change that was seen, in
rising order of the key, and one row where there was none. After the columns of the other swept
keys and ``point``:

``boundary_key``
    The key K along which the verdict changes.
``change``, ``direction``
    0, 1, ... and ``possible below`` or ``impossible below``; both null if there is no change.
``last_possible``, ``first_impossible``
    The two ends of the bracket, values of K; null if there is no change. Both are decimals that
    ``--set K=VALUE`` takes. Which one is larger is what ``direction`` says.
``possible_upper``, ``impossible_lower``
    The upper end of the defect there, and the lower: what certifies them by ``criterion``
    ``defect`` (below ``tolerance``, and not below); null otherwise.
``possible_distance_upper``, ``impossible_distance_lower``
    The same of the trace distance, by ``criterion`` ``distance``.
``undecided_low``, ``undecided_high``
    Smallest and largest value between the two that was computed and had no verdict; null if all
    had one.
``verdicts``
    All verdicts in rising order of K, repeated ones once, such as ``possible -> impossible`` or,
    for a row without a change, ``impossible``; ``failed`` stands where an error was raised.
``evaluations``, ``seconds``
    Of the whole search: the same on every row of a point.
``proved``
    Whether the verdict at ``first_impossible`` was proved in ball arithmetic; null if not asked.
``failure``
    The first value of K that failed, and why; null if none did. A search goes on past such values.
``error``
    Why the search failed: nothing could be computed at any value. Null otherwise.

The other columns are those of a sweep; a tolerance is null where it is the key itself.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from lindfeas.answers.answer import Answer
from lindfeas.answers.certify import certify
from lindfeas.errors import InputError
from lindfeas.files import schema
from lindfeas.files.columns import Axis, named
from lindfeas.files.complaints import shown
from lindfeas.files.problem_file import ProblemFile, problem_from_document, set_value
from lindfeas.solvers.catalogue import usable_solvers
from lindfeas.sweeps import bisection
from lindfeas.sweeps.bisection import Change, Evaluation, Spacing
from lindfeas.sweeps.engine import one_line
from lindfeas.theorems.proving import prove as prove_answer

TOLERANCE_COLUMNS = ("tolerance", "distance_tolerance", "coherence_tolerance")

WIDTH = 1e-3
"""Relative width of a bracket that is narrow enough, if nothing else is asked for."""

SMALLEST_WIDTH = 1e-12
"""Below this, neighbouring values would not differ as doubles by much."""

TOLERANCES = tuple(f"question.{name}" for name in TOLERANCE_COLUMNS)
"""Keys that are columns, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Where the certified verdict changes along one key.

    Parameters
    ----------
    key
        Dotted key of the problem file.
    changes
        The brackets, in rising order of the key; empty if all certified verdicts agree.
    evaluations
        Every value that was computed, in rising order.
    seconds
        Wall time.
    """

    key: str
    changes: tuple[Change, ...]
    evaluations: tuple[Evaluation, ...]
    seconds: float

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The verdicts in rising order of the key, repeated ones once."""
        return bisection.verdicts(self.evaluations)

    @property
    def failures(self) -> tuple[Evaluation, ...]:
        """The values where an error was raised, in rising order."""
        return tuple(item for item in self.evaluations if item.error)


def find_boundary(
    problem: ProblemFile,
    key: str,
    values: Sequence[float | Decimal] | None = None,
    *,
    scale: str = "list",
    width: float = WIDTH,
    solver: str | None = None,
    prove: bool = False,
) -> Boundary:
    """Bracket every change of the certified verdict along one key.

    All ``values`` are computed first; each change between them is then bisected until its bracket
    is narrow. Changes that come in pairs between two neighbouring values are not seen.

    Parameters
    ----------
    problem
        Fixes everything but the key.
    key
        Dotted key of a number, such as ``system.coupling``.
    values
        Where to look; by default the key's own values in ``[sweep]``, with their scale.
    scale
        ``log``, ``linear``, or ``list``: as ``log`` where all values are positive.
    width
        Of a bracket, relative to its smaller end (``log``) or to the largest of all values.
    solver
        See `lindfeas.certify`.
    prove
        Whether to prove the verdict at every `first_impossible` in ball arithmetic.

    Returns
    -------
    Boundary

    Raises
    ------
    InputError
        If the key is not swept, or not a number that can take any value in between.
    SolverError
        If the solver cannot be used.

    Examples
    --------
    >>> import lindfeas as lf
    >>> from lindfeas.sweeps.boundary import find_boundary
    >>> problem = lf.read_problem("problems/xxz-1+2+1.toml", ["question.distance_tolerance=5e-3"])
    >>> found = find_boundary(problem, "system.coupling", [0.001, 0.01], width=0.1)
    >>> [str(item.value) for item in found.evaluations][:2]
    ['0.001', '0.0032']
    >>> [(str(c.last_possible.value), str(c.first_impossible.value)) for c in found.changes]
    [('0.00531', '0.0057')]
    """
    started = time.perf_counter()
    usable_solvers(solver)
    axis = named(problem.sweep, key, "--boundary") if values is None else _axis(key, values, scale)
    bare = _without_sweep(problem)
    rule = require_numbers(bare, axis, width)
    found = bisection.search(
        lambda value: _evaluation(bare, key, value, solver), _decimals(axis), rule
    )
    brackets = bisection.changes(found)
    if prove:
        brackets = tuple(
            replace(change, proved=_is_proved(bare, key, change, solver)) for change in brackets
        )
    return Boundary(
        key=key,
        changes=brackets,
        evaluations=found,
        seconds=time.perf_counter() - started,
    )


def require_numbers(problem: ProblemFile, axis: Axis, width: float) -> Spacing:
    """How brackets on this axis are measured, after a look at whether there can be any.

    Raises
    ------
    InputError
        If the axis is not at least two finite numbers, the key takes nothing between the first two
        (as ``system.sites``), or the width is none.
    """
    if not SMALLEST_WIDTH <= width < 1:
        message = f"must be at least {SMALLEST_WIDTH:g} and below 1, but is {shown(width)}"
        raise InputError(message, "--boundary-width")
    values = _decimals(axis)
    rule = bisection.spacing(values, axis.scale, Decimal(repr(width)))
    document = problem.at({}).document
    set_value(document, axis.key, rule.middle(*values[:2]))
    try:
        schema.validate(document)
    except InputError as error:
        message = f"must be a key that takes any number between the values of [sweep], but: {error}"
        raise InputError(message, "--boundary") from None
    return rule


def rows(boundary: Boundary, problem: ProblemFile) -> list[dict[str, Any]]:
    """The table's rows of one search, without the other swept keys and ``point``.

    Parameters
    ----------
    boundary
        What was found.
    problem
        The problem that was searched.
    """
    question = problem.question
    plain = question.asks_for_populations
    tolerances = {
        "distance_tolerance": question.distance_tolerance,
        "coherence_tolerance": None if plain else question.coherence_tolerance,
        "tolerance": question.tolerance,
    }
    common = {
        "boundary_key": boundary.key,
        "verdicts": " -> ".join(boundary.verdicts),
        "evaluations": len(boundary.evaluations),
        "target": question.target_name,
        "criterion": question.criterion,
        "norm": question.target_norm,
        **without_key(tolerances, boundary.key),
        "seconds": boundary.seconds,
        **_failures(boundary),
        "lindfeas_version": version("lindfeas"),
    }
    if not boundary.changes:
        return [{**common, "solver": _solvers(boundary.evaluations)}]
    return [
        {**common, "change": number, **_bracket(change, question.criterion)}
        for number, change in enumerate(boundary.changes)
    ]


def _without_sweep(problem: ProblemFile) -> ProblemFile:
    """The problem alone, which is quicker to change than one whose sweep is checked each time."""
    document = {k: v for k, v in problem.document.items() if k not in ("sweep", "expected")}
    return problem_from_document(document, problem.base_directory, path=problem.path)


def without_key(row: dict[str, Any], key: str) -> dict[str, Any]:
    """The row without its tolerance where that is the key itself."""
    return {**row, key.removeprefix("question."): None} if key in TOLERANCES else row


def _bracket(change: Change, criterion: str) -> dict[str, Any]:
    possible, impossible = change.last_possible, change.first_impossible
    by_distance = criterion == "distance"
    return {
        "direction": change.direction,
        "last_possible": float(possible.value),
        "first_impossible": float(impossible.value),
        "possible_upper": None if by_distance else possible.upper,
        "impossible_lower": None if by_distance else impossible.lower,
        "possible_distance_upper": possible.distance_upper if by_distance else None,
        "impossible_distance_lower": impossible.distance_lower if by_distance else None,
        "undecided_low": float(change.between[0].value) if change.between else None,
        "undecided_high": float(change.between[-1].value) if change.between else None,
        "proved": change.proved,
        "solver": _solvers((possible, impossible)),
    }


def _failures(boundary: Boundary) -> dict[str, str | None]:
    failed, count = boundary.failures, len(boundary.evaluations)
    if not failed:
        return {"failure": None, "error": None}
    first = f"{failed[0].value}: {failed[0].error}"
    every = f"all {count} values of {boundary.key} failed, first {first}"
    return {"failure": first, "error": every if len(failed) == count else None}


def _solvers(evaluations: Sequence[Evaluation]) -> str | None:
    return ", ".join(sorted({item.solver for item in evaluations if item.solver})) or None


def _axis(key: str, values: Sequence[float | Decimal], scale: str) -> Axis:
    scales = ("list", "linear", "log")
    if scale not in scales:
        raise InputError(f"must be one of {', '.join(scales)}, but is {shown(scale)}", "scale")
    numbers = [Decimal(repr(v)) if isinstance(v, float) else v for v in values]
    return Axis(key=key, values=tuple(numbers), scale=scale)


def _decimals(axis: Axis) -> tuple[Decimal, ...]:
    where = f"sweep.{axis.key}"
    for value in axis.values:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if not (is_number and Decimal(value).is_finite()):
            message = f"must hold finite numbers to search between, but holds {shown(value)}"
            raise InputError(message, where)
    decimals = tuple(sorted({Decimal(value) for value in axis.values}))
    if len(decimals) < 2:
        raise InputError("must hold at least two numbers to search between", where)
    if axis.scale == "log" and decimals[0] <= 0:
        raise InputError(f"must be > 0 for scale 'log', but is {shown(decimals[0])}", where)
    return decimals


def _evaluation(problem: ProblemFile, key: str, value: Decimal, solver: str | None) -> Evaluation:
    """What is certified at one value; an error is kept, because the others go on."""
    try:
        answer = _answer(problem.at({key: value}), solver)
    except Exception as error:  # a solver's crash at one value is no reason to lose the others
        return Evaluation(value=value, verdict=None, error=one_line(error))
    return Evaluation(
        value=value,
        verdict=answer.verdict,
        lower=answer.lower,
        upper=answer.upper,
        distance_lower=answer.trace_distance.lower,
        distance_upper=answer.trace_distance.upper,
        solver=answer.solver,
    )


def _answer(problem: ProblemFile, solver: str | None) -> Answer:
    sharp = None if problem.question.criterion == "distance" else False
    return certify(problem.question, solver=solver, sharp=sharp, check=False, progress=False)


def _is_proved(problem: ProblemFile, key: str, change: Change, solver: str | None) -> bool:
    """Whether the checker accepts a lower bound that is no smaller than the tolerance."""
    point = problem.at({key: change.first_impossible.value})
    _, proof = prove_answer(_answer(point, solver), point)
    question = point.question
    bound, tolerance = proof.lower, question.tolerance
    if question.criterion == "distance":
        bound, tolerance = proof.trace_distance, question.distance_tolerance
    return proof.proved and bound is not None and Decimal(bound) >= Decimal(repr(tolerance))
