"""From a question to a certified answer."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas import bounds
from lindfeas.ansatz import Region, regions
from lindfeas.answer import IMPOSSIBLE, POSSIBLE, UNDECIDED, Answer, Attempt
from lindfeas.bounds import Interval
from lindfeas.distance import TraceDistance, column_bound, lemma1, trace_distance
from lindfeas.errors import SolverError
from lindfeas.lindbladian import Lindbladian, lindbladian
from lindfeas.polish import polished
from lindfeas.problem import Problem
from lindfeas.question import Question
from lindfeas.redfield import Redfield, redfield_equation
from lindfeas.solver import SOLVERS, RawSolution, best_conditioned, require, solve, solver_status
from lindfeas.target import populations_problem

FIRST_SCALE = 1e3
"""Populations are defects of 1e-2 and less; the first solve already enlarges the data."""

GOAL = 1e-2
"""What the scaled optimum should be: far above a solver's absolute tolerance."""

BARELY = 0.99
"""An attempt that leaves the width above this fraction has not improved it."""

IDLE_ATTEMPTS = 9
"""After so many attempts in a row without improvement the interval stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """The interval after all attempts, with the points that certify its ends."""

    interval: Interval
    attempts: tuple[Attempt, ...]
    gammas: list[NDArray[Any]] | None
    multiplier: NDArray[np.float64]
    solver: str


def certify(question: Question, *, solver: str | None = None) -> Answer:
    """Which verdict, between which certified bounds, and by which Lindbladian.

    Parameters
    ----------
    question
        The system, the allowed Lindbladians and what they must reproduce.
    solver
        ``CLARABEL``, ``SCS`` or ``MOSEK``; by default Clarabel, then any other usable one.

    Returns
    -------
    Answer

    Raises
    ------
    InputError
        If the question has no answer of this kind (degenerate levels, several steady states).
    SolverError
        If no usable solver returned anything.

    Examples
    --------
    >>> import lindfeas as lf
    >>> hot = lf.Bath(name="left", sites=(0,), beta=1.0)
    >>> cold = lf.Bath(name="right", sites=(2,), beta=5.0)
    >>> chain = lf.models.xxz_chain(sites=3, coupling=0.1, baths=[hot, cold])
    >>> lf.certify(lf.Question(system=chain)).verdict
    'impossible'
    """
    started = time.perf_counter()
    solvers = usable_solvers(solver)
    reference = redfield_equation(question.system)
    ansatz = regions(question.system, reference.spectrum)
    problem = populations_problem(reference, ansatz, question.rates)
    enclosure = enclose(problem, solvers)
    verdict = verdict_of(enclosure.interval, question.tolerance)
    reason = None if verdict != UNDECIDED else "the certified interval straddles the tolerance"
    candidate = _candidate(problem, enclosure.gammas, reference, ansatz)
    interval = enclosure.interval
    if verdict == POSSIBLE and not (candidate and candidate.steady_state_unique):
        candidate, interval, reason = _unique_candidate(
            problem, enclosure, reference, ansatz, question.tolerance
        )
        verdict = UNDECIDED if reason else POSSIBLE
    return Answer(
        question=question,
        verdict=verdict,
        reason=reason,
        lower=interval.lower,
        upper=interval.upper,
        trace_distance=_distances(interval, question, reference, ansatz, candidate),
        solver=enclosure.solver,
        seconds=time.perf_counter() - started,
        attempts=enclosure.attempts,
        multiplier=enclosure.multiplier,
        candidate=candidate,
        reference=reference,
    )


def usable_solvers(solver: str | None) -> list[str]:
    """The solver that was asked for, or all usable ones in their order."""
    if solver is not None:
        name = solver.upper()
        require(name)
        return [name]
    names = [status.name for status in solver_status() if status.usable]
    if not names:
        raise SolverError(f"solver: none of {', '.join(SOLVERS)} is usable; see `lindfeas solvers`")
    return names


def verdict_of(interval: Interval, tolerance: float) -> str:
    """``impossible`` from the tolerance on, ``possible`` below it, else ``undecided``."""
    if interval.lower >= tolerance:
        return IMPOSSIBLE
    return POSSIBLE if interval.upper < tolerance else UNDECIDED


def enclose(problem: Problem, solvers: list[str]) -> Enclosure:
    """Rescale and solve again until the certified interval is narrow.

    Every attempt is certified by itself; the interval is the intersection. A further solver is
    tried only while the ones before it returned nothing at all.

    Raises
    ------
    SolverError
        If no solver returned anything.
    """
    best = Enclosure(
        interval=Interval(0.0, math.inf),
        attempts=(),
        gammas=None,
        multiplier=np.zeros(problem.rows),
        solver="",
    )
    for name in solvers:
        idle = 0
        for scale in _scales():
            estimate = best.interval
            if best.gammas is not None:
                scale *= GOAL / max(estimate.upper, 1e-14)
            else:
                scale *= FIRST_SCALE
            before = best.interval.width
            best = _improve(problem, best, solve(problem, name, scale=scale))
            idle = idle + 1 if best.interval.width > BARELY * before else 0
            if best.interval.is_narrow or idle == IDLE_ATTEMPTS:
                return best
        if best.gammas is not None:
            return best
    messages = "; ".join(f"{a.solver}: {a.message or a.status}" for a in best.attempts)
    raise SolverError(f"no solver returned a solution ({messages})")


def _scales() -> Iterator[float]:
    """Factors around the scale that puts the optimum at `GOAL`."""
    yield from (1.0, 1.0, 10.0, 0.1, 100.0, 0.01, 3.0, 0.3, 30.0, 0.03, 5.0, 0.5, 2.0, 0.2, 0.05)


def _improve(problem: Problem, best: Enclosure, raw: RawSolution) -> Enclosure:
    attempt = Attempt(
        solver=raw.solver,
        scale=raw.scale,
        status=raw.status,
        objective=raw.objective,
        iterations=raw.iterations,
        message=raw.message,
        lower=None,
        upper=None,
        compile_seconds=raw.compile_seconds,
        solve_seconds=raw.solve_seconds,
    )
    if raw.gammas is None or raw.multiplier is None:
        return replace(best, attempts=(*best.attempts, attempt))
    multiplier = bounds.repair_multiplier(problem, raw.multiplier)
    gammas = bounds.repair_gammas(problem, raw.gammas)
    found = Interval(bounds.lower_bound(problem, multiplier), bounds.upper_bound(problem, gammas))
    if not best.interval.meet(found).is_narrow:
        for point in polished(problem, gammas, multiplier):
            repaired = bounds.repair_gammas(problem, point)
            upper = bounds.upper_bound(problem, repaired)
            if upper < found.upper:
                gammas, found = repaired, Interval(found.lower, upper)
    attempt = replace(attempt, lower=found.lower, upper=found.upper)
    better_primal = found.upper < best.interval.upper
    better_dual = best.gammas is None or found.lower > best.interval.lower
    return Enclosure(
        interval=best.interval.meet(found),
        attempts=(*best.attempts, attempt),
        gammas=gammas if better_primal else best.gammas,
        multiplier=multiplier if better_dual else best.multiplier,
        solver=raw.solver if better_primal or better_dual else best.solver,
    )


def _candidate(
    problem: Problem,
    gammas: list[NDArray[Any]] | None,
    reference: Redfield,
    ansatz: tuple[Region, ...],
) -> Lindbladian | None:
    return None if gammas is None else lindbladian(problem, gammas, reference, ansatz)


def _unique_candidate(
    problem: Problem,
    enclosure: Enclosure,
    reference: Redfield,
    ansatz: tuple[Region, ...],
    tolerance: float,
) -> tuple[Lindbladian | None, Interval, str | None]:
    """Among near-optimal points, the one farthest from the cone's boundary: is it ergodic?"""
    reason = "a matching Lindbladian exists, but none with a unique steady state was found"
    allowed = max(2 * enclosure.interval.upper, tolerance / 10)
    gammas = best_conditioned(problem, enclosure.solver, allowed)
    if gammas is None:
        return _candidate(problem, enclosure.gammas, reference, ansatz), enclosure.interval, reason
    gammas = bounds.repair_gammas(problem, gammas)
    upper = bounds.upper_bound(problem, gammas)
    candidate = lindbladian(problem, gammas, reference, ansatz)
    if upper >= tolerance or not candidate.steady_state_unique:
        return candidate, enclosure.interval, reason
    return candidate, Interval(enclosure.interval.lower, upper), None


def _distances(
    interval: Interval,
    question: Question,
    reference: Redfield,
    ansatz: tuple[Region, ...],
    candidate: Lindbladian | None,
) -> TraceDistance:
    upper = None
    if candidate is not None and candidate.populations is not None:
        upper = trace_distance(candidate.populations, reference.populations)
    dimension = reference.spectrum.dimension
    return TraceDistance(
        lower=column_bound(interval.lower, ansatz, question.rates, dimension),
        upper=upper,
        lemma1=lemma1(interval.lower, ansatz, question.rates),
    )
