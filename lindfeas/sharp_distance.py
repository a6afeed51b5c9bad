"""Sharp bounds on the trace distance between true and Lindblad steady populations.

With v = C(Gamma)^T y and B^r_a(y) from `lindfeas.flow`, every allowed Lindbladian with steady
populations p' has ||p - p'||_1 >= L if there are y and Hermitian K^r such that for all levels a and
both signs

    sum_r t_r lambda_min( A^r(y) -/+ (L B^r_a(y) - K^r) ) > 0.

For then y.C p > max_a |L v_a - k| with k = sum_r <Gamma^r, K^r>, while y.C p = v.(p - p') because
C p' = 0, which is (1/L) sum_a (L v_a - k)(p_a - p'_a) because sum(p - p') = 0, and so at most
(1/L) (y.C p) ||p - p'||_1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.bounds import dual_rate_value, repair_point
from lindfeas.distance import trace_distance
from lindfeas.distance_solver import best_witness, nearer_lindbladian
from lindfeas.errors import PhysicsError
from lindfeas.flow import FlowBlock
from lindfeas.problem import Point, Problem
from lindfeas.redfield import Redfield, stationary_distribution
from lindfeas.rounding import SAFETY
from lindfeas.spectrum import UNIT_ROUNDOFF

ROUNDS = 14
"""Most solves for either end."""

GAIN = 1e-3
"""Stop when the bracket, or a step, is relatively smaller than this."""

BISECTIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What certifies ||p - p'||_1 >= length.

    Parameters
    ----------
    length
        L; the trace distance is at least half of it.
    multiplier
        y, shape (d,), entries between -1 and 1.
    shifts
        K^r, one matrix per Kossakowski block.
    """

    length: float
    multiplier: NDArray[np.float64]
    shifts: list[NDArray[Any]]


def distance_witness(
    problem: Problem,
    reference: Redfield,
    flows: Sequence[FlowBlock],
    multiplier: NDArray[np.float64],
    ceiling: float,
    solver: str,
) -> Witness | None:
    """The largest certified length found, starting from a multiplier of tau_pop.

    Bisection on the length between what is certified and ``ceiling`` (2 T of a Lindbladian): for
    a length, `best_witness` gives (y, K), and these certify the largest length that they can.
    """
    start = [np.zeros((flow.size,) * 2) for flow in flows]
    best = _longest(problem, reference, flows, multiplier, start, 0.0)
    if best is None:
        return None
    steady = [flow.of_state(reference.populations) for flow in flows]
    scale = 1.0 / max(_margin(problem, reference, flows, steady, multiplier, start, 0.0), 1e-12)
    high = max(ceiling, best.length)
    for _ in range(ROUNDS):
        if high <= best.length * (1 + GAIN):
            break
        length = float(np.sqrt(best.length * high))
        found = best_witness(flows, reference.populations, problem.rates, length, scale, solver)
        if found is None:
            break
        y = np.clip(found[0], -1.0, 1.0)
        longer = _longest(problem, reference, flows, y, found[1], best.length)
        best = longer or best
        high = min(high, length) if best.length < length else high
    return best


def nearest_lindbladian(
    problem: Problem,
    reference: Redfield,
    flows: Sequence[FlowBlock],
    point: Point,
    solver: str,
) -> tuple[Point, float] | None:
    """A Lindbladian whose steady populations are locally as near as possible, and their T.

    Sequential convex programming from ``point``, every step accepted only if the true trace
    distance falls.
    """
    found = _steady(flows, point)
    if found is None:
        return None
    best, distance = point, trace_distance(found, reference.populations)
    steady = found
    for _ in range(ROUNDS):
        gammas = nearer_lindbladian(
            flows,
            reference.populations,
            problem.rates,
            best.gammas,
            steady - reference.populations,
            solver,
        )
        if gammas is None:
            break
        before = distance
        goal = repair_point(problem, Point(gammas=gammas, shift=point.shift))
        for fraction in (1.0, 0.5, 0.2, 0.05):
            mixed = [
                (1 - fraction) * old + fraction * new
                for old, new in zip(best.gammas, goal.gammas, strict=True)
            ]
            trial = repair_point(problem, Point(gammas=mixed, shift=point.shift))
            populations = _steady(flows, trial)
            if populations is None:
                continue
            value = trace_distance(populations, reference.populations)
            if value < distance:
                best, distance, steady = trial, value, populations
                break
        if distance > before * (1 - GAIN):
            break
    return best, distance


def _longest(
    problem: Problem,
    reference: Redfield,
    flows: Sequence[FlowBlock],
    multiplier: NDArray[np.float64],
    shifts: list[NDArray[Any]],
    known: float,
) -> Witness | None:
    """The largest length, above ``known``, that these (y, K) certify."""
    steady = [flow.of_state(reference.populations) for flow in flows]

    def holds(length: float) -> bool:
        return _margin(problem, reference, flows, steady, multiplier, shifts, length) > 0

    low, high = known, 2.0
    if not holds(low):
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return Witness(length=low, multiplier=multiplier, shifts=shifts)


def _margin(
    problem: Problem,
    reference: Redfield,
    flows: Sequence[FlowBlock],
    steady: Sequence[NDArray[Any]],
    multiplier: NDArray[np.float64],
    shifts: Sequence[NDArray[Any]],
    length: float,
) -> float:
    """Smallest value of the certificate's left side, minus the rounding allowance."""
    levels = len(reference.populations)
    regions = len(problem.regions)
    smallest = np.full((regions, 2 * levels), np.inf)
    largest = float(np.abs(multiplier).max(initial=0.0))
    for flow, rows, shift in zip(flows, steady, shifts, strict=True):
        base = np.tensordot(multiplier, rows, axes=1)
        tilt = length * flow.of_multiplier(multiplier) - shift
        for sign, part in ((1, slice(0, levels)), (-1, slice(levels, 2 * levels))):
            matrices = base - sign * tilt
            values = np.linalg.eigvalsh(matrices)
            error = 8 * flow.size * UNIT_ROUNDOFF * np.abs(values).max(axis=1)
            found = values[:, 0] - error
            smallest[flow.region, part] = np.minimum(smallest[flow.region, part], found)
    angle = float(reference.spectrum.rotation_angles().sum(axis=1).max(initial=0.0))
    for region, rounding in enumerate(problem.uncertainty.regions):
        dimension = reference.system.region_dimension(reference.system.baths[region])
        single = 4 * dimension / levels * (2 * angle + levels * UNIT_ROUNDOFF)
        smallest[region] -= rounding.of(multiplier, largest) + SAFETY * length * largest * single
    return min(dual_rate_value(problem.rates, list(column)) for column in smallest.T)


def _steady(flows: Sequence[FlowBlock], point: Point) -> NDArray[np.float64] | None:
    """Steady populations of the candidate at leading order, None if they are not unique."""
    rates = sum(flow.rates(gamma) for flow, gamma in zip(flows, point.gammas, strict=True))
    rates = np.maximum(np.asarray(rates), 0.0)
    np.fill_diagonal(rates, 0.0)
    try:
        return stationary_distribution(rates)
    except PhysicsError:
        return None
