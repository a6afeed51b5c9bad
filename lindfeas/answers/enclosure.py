"""Rescale and solve again until the certified interval is narrow.

Optima are often far below a solver's absolute tolerance, so the data are multiplied until the
optimum is about 1e-2. Every attempt is certified by itself; the interval is the intersection.

All of it happens in the program's own unit (`Program.unit`), a power of two, so that nothing is
rounded and no constant below refers to the units of the question.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import InputError, SolverError
from lindfeas.program import bounds
from lindfeas.program.bounds import Interval
from lindfeas.program.polish import polished
from lindfeas.program.program import Point, Program
from lindfeas.program.rates import Rates
from lindfeas.program.shift_fit import refit_shift, smaller_shift
from lindfeas.solvers.conic import UNSEEN, RawSolution, solve

GOAL = 1e-2
"""What the scaled optimum should be: far above a solver's absolute tolerance."""

SMALLEST_ESTIMATE = 1e-14
"""Optima below this are not told apart from zero."""

PLAN: tuple[tuple[float, float | None], ...] = (
    (1.0, None),
    (1.0, None),
    (1.0, 1e-7),
    (0.1, 1e-7),
    (1.0, 1e-5),
    (0.01, 1e-7),
    (10.0, 1e-6),
    (0.1, None),
    (0.03, None),
    (0.3, 1e-8),
    (0.1, 1e-5),
    (10.0, None),
    (3.0, 1e-7),
    (0.3, None),
)
"""(scale relative to the one that puts the optimum at `GOAL`, floor of the substitution around the
best point or None) for every attempt; see `lindfeas.solvers.conic.solve`."""

INSIDE = 0.999
"""An H_r below this fraction of its limit counts as not held back by it."""

MODERATE = 100.0
"""Rates up to so many times the Redfield equation's largest are moderate."""

LARGEST_CONE = 20_000
"""Entries of a semidefinite cone, whose square a solver holds: about 3 GB."""

BARELY = 0.99
"""An attempt that leaves the width above this fraction has not improved it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """When to stop.

    Parameters
    ----------
    relative, absolute
        The interval is narrow enough at this width.
    first_scale
        Scale of the first solve, for a program of magnitude 1.
    idle
        Give up after so many attempts in a row without improvement.
    goal
        What the scaled optimum should be.
    """

    relative: float
    absolute: float
    first_scale: float
    idle: int
    goal: float = GOAL


LEVELS = Effort(relative=1e-6, absolute=1e-12, first_scale=1e3, idle=9)
"""For sums of absolute values over levels: cheap solves, tiny optima."""

MATRICES = Effort(relative=5e-6, absolute=2e-11, first_scale=1e1, idle=3)
"""For Schatten norms of matrices: every solve counts."""

RANGED = Effort(relative=5e-6, absolute=2e-11, first_scale=3e2, idle=3, goal=1.0)
"""With ranged rates multipliers must be right to 1e-4 of that: larger data, smaller errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """The interval after all attempts, with the points that certify its ends."""

    interval: Interval
    attempts: tuple[Attempt, ...]
    point: Point | None
    multiplier: NDArray[np.float64]
    solver: str

    def times(self, unit: float) -> Enclosure:
        """The same with all rates and defects multiplied by ``unit``."""
        return replace(
            self,
            interval=Interval(self.interval.lower * unit, self.interval.upper * unit),
            attempts=tuple(attempt.times(unit) for attempt in self.attempts),
            point=None if self.point is None else self.point.times(unit),
        )


def enclose(
    program: Program,
    solvers: Sequence[str],
    *,
    observe: Callable[[Enclosure], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Enclosure:
    """The certified interval of a program, and the points behind it.

    A further solver is tried only while the ones before it returned nothing at all. ``observe`` is
    called after every attempt with what is known by then; ``stop`` is asked before each but the
    first that returns a point, and ends the search by saying yes.

    Raises
    ------
    InputError
        If a Kossakowski block is too large for any solver.
    SolverError
        If no solver returned anything.
    """
    _require_small(program)
    unit = program.unit

    def report(enclosure: Enclosure) -> None:
        if observe is not None:
            observe(enclosure.times(unit))

    return _enclosed(program.in_units_of(unit), solvers, report, stop).times(unit)


def _require_small(program: Program) -> None:
    """Refuse cones for which an interior-point solver would need more than a few gigabytes."""
    for block in program.blocks:
        order = 2 * block.size if block.is_complex else block.size
        if order * (order + 1) // 2 > LARGEST_CONE:
            raise InputError(
                "must be a region with fewer operators of one charge: a Kossakowski matrix of "
                f"order {block.size}{' with complex entries' if block.is_complex else ''} is too "
                "large; state a conserved charge, or take fewer sites or levels",
                f"bath.{program.regions[block.region]}.sites",
            )


def _enclosed(
    program: Program,
    solvers: Sequence[str],
    observe: Callable[[Enclosure], None],
    stop: Callable[[], bool],
) -> Enclosure:
    effort = _effort(program)
    best = Enclosure(
        interval=Interval(0.0, math.inf),
        attempts=(),
        point=None,
        multiplier=np.zeros(program.rows),
        solver="",
    )
    for name in solvers:
        idle = 0
        inner = _inner_multiplier(program, name)
        for factor, floor in PLAN:
            if best.point is not None and stop():
                break
            width = best.interval.width
            raw = solve(
                program,
                name,
                scale=factor * _scale(program, best, effort),
                around=None if floor is None else best.point,
                floor=floor or 0.0,
            )
            best = _improve(program, best, raw, inner, effort)
            observe(best)
            idle = idle + 1 if best.interval.width > BARELY * width else 0
            if _is_narrow(best.interval, program, best.point, effort) or idle == effort.idle:
                break
        if not stop():
            best = _with_slower_rates(program, best, name, inner, effort)
        if best.point is not None:
            slack = bounds.rounding_of(program, best.point) / 100
            point = smaller_shift(program, best.point, slack)
            upper = max(best.interval.upper, bounds.upper_bound(program, point))
            return replace(best, point=point, interval=Interval(best.interval.lower, upper))
    last = {a.solver: a.message or a.status for a in best.attempts}
    messages = "; ".join(f"{name}: {message}" for name, message in last.items())
    raise SolverError(f"no solver returned a usable solution ({messages})")


def _with_slower_rates(
    program: Program,
    best: Enclosure,
    solver: str,
    inner: NDArray[np.float64] | None,
    effort: Effort,
) -> Enclosure:
    """One more attempt with moderate rates, where it is the rates that the upper end pays for.

    Rounding counts by the rate, and where some dissipator leaves the states alone, free rates are
    as large as the solver likes.
    """
    if best.point is None or not program.rates.are_free or not program.natural_rate:
        return best
    moderate = np.full(len(program.regions), MODERATE * program.natural_rate)
    slower = replace(program, rates=program.rates.within(np.zeros_like(moderate), moderate))
    rounding = bounds.rounding_of(program, best.point)
    fast = bool((program.traces(best.point.gammas) > slower.rates.upper).any())
    if not fast or rounding < best.interval.width / 2:
        return best
    raw = solve(slower, solver, scale=_scale(program, best, effort))
    return _improve(program, best, raw, inner, effort)


def _effort(program: Program) -> Effort:
    """What the kind of program is worth."""
    if program.layout.is_vector:
        return LEVELS
    return RANGED if program.rates.are_free else MATRICES


def _inner_multiplier(program: Program, solver: str) -> NDArray[np.float64] | None:
    """For ranged rates: a multiplier with A^r(Y) > 0 everywhere, if there is one.

    It is optimal for the same program without required actions, at total rate 1: positive exactly
    if no Lindbladian of the ansatz leaves the states alone.
    """
    if not program.rates.are_free:
        return None
    quiet = replace(
        program,
        offset=np.zeros(program.rows),
        rates=Rates.total(1.0).bounds(len(program.regions)),
        norm="frobenius",
    )
    raw = solve(quiet, solver, scale=10.0)
    if raw.multiplier is None:
        return None
    y = bounds.unfelt(program, raw.multiplier, list(program.shifts.regions))
    return bounds.repair_multiplier(program, y)


def _scale(program: Program, best: Enclosure, effort: Effort) -> float:
    if best.point is None:
        return effort.first_scale / program.magnitude
    return effort.goal / max(best.interval.upper, SMALLEST_ESTIMATE)


def _is_narrow(interval: Interval, program: Program, point: Point | None, effort: Effort) -> bool:
    """Narrow enough, or as narrow as rounding lets it become."""
    if point is None:
        return False
    rounding = bounds.rounding_of(program, point)
    return interval.is_narrow(effort.relative, max(effort.absolute, 2.1 * rounding))


def _improve(
    program: Program,
    best: Enclosure,
    raw: RawSolution,
    inner: NDArray[np.float64] | None,
    effort: Effort,
) -> Enclosure:
    """Certify one attempt and take over what is better."""
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
    if raw.point is None or raw.multiplier is None:
        return replace(best, attempts=(*best.attempts, attempt))
    multiplier, lower = _best_multiplier(program, best, raw, inner)
    point, upper = _best_point(program, best, raw.point, multiplier, lower, effort)
    better_dual = best.point is None or lower > best.interval.lower
    better_primal = upper < best.interval.upper
    return Enclosure(
        interval=best.interval.meet(Interval(lower, upper)),
        attempts=(*best.attempts, replace(attempt, lower=lower, upper=upper)),
        point=point if better_primal else best.point,
        multiplier=multiplier if better_dual else best.multiplier,
        solver=raw.solver if better_primal or better_dual else best.solver,
    )


def _best_multiplier(
    program: Program,
    best: Enclosure,
    raw: RawSolution,
    inner: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], float]:
    """The dual function is concave: also try the middle between old and new."""
    candidates = [bounds.repair_multiplier(program, y) for y in _unfelt(program, raw)]
    if best.point is not None:
        middles = [(y + best.multiplier) / 2 for y in candidates]
        candidates += [bounds.repair_multiplier(program, y) for y in middles]
    if inner is not None:
        candidates += [bounds.lifted(program, y) for y in candidates]
        candidates += [bounds.raised(program, y, inner) for y in candidates]
    values = [bounds.lower_bound(program, y) for y in candidates]
    winner = int(np.argmax(values))
    return candidates[winner], values[winner]


def _unfelt(program: Program, raw: RawSolution) -> list[NDArray[np.float64]]:
    """The multiplier without what the H_r inside their balls feel, and without what any feels.

    Where an H_r is at its limit, M_r^T y points along it, and is paid for.
    """
    if raw.multiplier is None or raw.point is None:
        return []
    shifts = program.shifts
    if not shifts.count:
        return [raw.multiplier]
    norms = shifts.norms(raw.point.shift)
    inside = [region for region, norm in norms.items() if norm < INSIDE * shifts.limit]
    choices = [inside] if len(inside) == len(norms) else [inside, list(norms)]
    least = UNSEEN / raw.scale
    return [bounds.unfelt(program, raw.multiplier, regions, least) for regions in choices]


def _best_point(
    program: Program,
    best: Enclosure,
    raw: Point,
    multiplier: NDArray[np.float64],
    lower: float,
    effort: Effort,
) -> tuple[Point, float]:
    """The repaired point, and where that is not enough what linear algebra makes of it."""
    found, upper = None, math.inf
    known_lower = max(lower, best.interval.lower)
    for candidate in _candidates(program, best, raw, multiplier):
        repaired = bounds.repair_point(program, candidate)
        value = bounds.upper_bound(program, repaired)
        if value < upper:
            found, upper = repaired, value
        if _is_narrow(Interval(known_lower, upper), program, found, effort):
            break
    if found is None:
        found = bounds.repair_point(program, raw)
    return found, upper


def _candidates(
    program: Program, best: Enclosure, raw: Point, multiplier: NDArray[np.float64]
) -> Iterator[Point]:
    yield raw
    repaired = bounds.repair_point(program, raw)
    yield refit_shift(program, repaired)
    yield from polished(program, repaired, multiplier)
    if best.point is not None:
        gammas = zip(repaired.gammas, best.point.gammas, strict=True)
        middle = Point(
            gammas=[(a + b) / 2 for a, b in gammas],
            shift=(repaired.shift + best.point.shift) / 2,
        )
        yield middle
        yield from polished(program, middle, multiplier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One solve: what the solver reported, and what could be certified from it.

    Parameters
    ----------
    solver, scale, status, objective, iterations, message
        As reported; nothing of it is trusted.
    lower, upper
        Certified from this attempt alone; None where the solver returned nothing.
    compile_seconds, solve_seconds
        Wall time.
    """

    solver: str
    scale: float
    status: str
    objective: float | None
    iterations: int | None
    message: str
    lower: float | None
    upper: float | None
    compile_seconds: float
    solve_seconds: float

    @property
    def seconds(self) -> float:
        """Wall time in all."""
        return self.compile_seconds + self.solve_seconds

    def times(self, unit: float) -> Attempt:
        """The same with all rates and defects multiplied by ``unit``."""
        objective, lower, upper = (
            None if value is None else value * unit
            for value in (self.objective, self.lower, self.upper)
        )
        scale = self.scale / unit
        return replace(self, scale=scale, objective=objective, lower=lower, upper=upper)
