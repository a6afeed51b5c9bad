"""The local Hamiltonians that suit given Kossakowski matrices, inside their balls.

Minimise ||rest + sum_r M_r x_r||_2 over ||x_r|| <= h. With M_r = U diag(s) V^T and b = -U^T rest,
the best x_r for the others held fixed is x_k = s_k b_k / (s_k^2 + m) along V, with m = 0 if that is
short enough, else with the m > 0 that makes ||x_r|| = h (Moré and Sorensen, SIAM J. Sci. Stat.
Comput. 4, 553 (1983)). Going round the regions converges to the joint optimum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lindfeas.program.program import Point, Program

ROUNDS = 100
"""Most times to go round the regions."""

SETTLED = 1e-12
"""A round that changes all ||x_r|| by less than this fraction of the limit is the last."""

HALVINGS = 200
"""Steps of the bisection for m, in its logarithm."""

SHRINKAGES = (np.inf, *(10.0**-power for power in range(0, 28, 2)))
"""Weights of ||x_r||^2 to try, relative to the states' norm squared, until one costs nothing."""


def refit_shift(program: Program, point: Point) -> Point:
    """The H_r that minimise the Frobenius norm for the same Kossakowski blocks."""
    shifts = program.shifts
    rest = program.dissipation(point.gammas)
    shift = np.zeros(shifts.count)
    for _ in range(ROUNDS):
        before = shift.copy()
        for region, (left, singular, right) in shifts.factors.items():
            span = shifts.regions[region]
            others = rest + shifts.columns @ shift - shifts.columns[:, span] @ shift[span]
            shift[span] = right @ _in_ball(singular, -left.T @ others, shifts.limit)
        if len(shifts.regions) < 2:
            break
        if float(np.abs(shift - before).max(initial=0.0)) <= SETTLED * shifts.limit:
            break
    return Point(gammas=point.gammas, shift=shifts.within(shift))


def _in_ball(
    singular: NDArray[np.float64], wanted: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """The x with ||x|| <= radius that minimises ||s x - b||."""
    free: NDArray[np.float64] = wanted / singular
    if not len(free) or np.linalg.norm(free) <= radius:
        return free
    # ||x(m)|| falls from beyond the radius at m = 0 to at most the radius at m = ||s b|| / radius
    high = float(np.linalg.norm(singular * wanted)) / radius
    low = high * 1e-300 / max(high, 1.0)
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low)) * float(np.sqrt(high))
        if np.linalg.norm(singular * wanted / (singular**2 + middle)) > radius:
            low = middle
        else:
            high = middle
    held: NDArray[np.float64] = singular * wanted / (singular**2 + high)
    return held


def smaller_shift(program: Program, point: Point, slack: float) -> Point:
    """The same point without what its H_r do not do for the defect.

    Every x_r is shrunk to x_k s_k^2 / (s_k^2 + m) along the singular directions of M_r, with the
    largest m of `SHRINKAGES` that raises the defect by less than ``slack`` and 1e-9 of itself.
    """
    allowed = program.defect(point) * (1 + 1e-9) + slack
    shifts = program.shifts
    for weight in SHRINKAGES if shifts.count else ():
        shift = np.zeros_like(point.shift)
        for region, (_, singular, right) in shifts.factors.items():
            span = shifts.regions[region]
            squares = (singular / shifts.scale) ** 2
            shift[span] = right @ (right.T @ point.shift[span] * squares / (squares + weight))
        smaller = Point(gammas=point.gammas, shift=shift)
        if program.defect(smaller) <= allowed:
            return smaller
    return point
