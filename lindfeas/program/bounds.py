"""Certified bounds on the optimum, evaluated without knowing which solver ran.

Whatever multipliers and matrices come in, they are first repaired to exact feasibility; weak
duality then makes the lower bound a lower bound and the upper bound an upper bound, up to
rounding, which `Program.uncertainty` pays for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.hermitian import DUAL_NORM, hermitian_coordinates, hermitian_root
from lindfeas.program.program import Point, Program

LIFTS = 5
"""Steps in which negative eigenvalues are lifted; each leaves what is quadratic in it."""

LARGEST_LIFT = 1000
"""Conditions on a lift; with more than this the multiplier is too far off to be worth it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """lower <= optimum <= upper, rounding included."""

    lower: float
    upper: float

    @property
    def width(self) -> float:
        """upper - lower."""
        return self.upper - self.lower

    def is_narrow(self, relative: float = 1e-6, absolute: float = 1e-12) -> bool:
        """Whether the width is at most ``relative`` of the lower end, or ``absolute``."""
        return self.width <= max(relative * self.lower, absolute)

    def meet(self, other: Interval) -> Interval:
        """The intersection: both hold, so the tighter end of each does."""
        return Interval(max(self.lower, other.lower), min(self.upper, other.upper))


def lower_bound(program: Program, multiplier: NDArray[np.float64]) -> float:
    """Dual function at the repaired multiplier, minus the rounding allowance; at least 0.

    tau >= -tr(Y X) + sum_r t_r lambda_min(A^r(Y)) - h sum_r ||M_r^T y|| for every Hermitian Y of
    dual norm at most 1, with coordinates y; for populations Y = diag(y) with y in [-1, 1]^d.
    """
    y = repair_multiplier(program, multiplier)
    largest = program.layout.norm(y, "spectral")
    smallest = smallest_eigenvalues(program, y)
    value = float(y @ program.offset) + float(program.rates.smallest(np.array(smallest)))
    shifts, uncertainty = program.shifts, program.uncertainty
    unknown = len(shifts.regions) * uncertainty.hamiltonian.of(y, largest)
    felt = shifts.limit * (shifts.felt(y) + unknown)
    return max(0.0, value - uncertainty.action * largest - felt)


def smallest_eigenvalues(program: Program, y: NDArray[np.float64]) -> list[float]:
    """lambda_min of A^r(Y) for every region, minus its rounding allowance."""
    largest = program.layout.norm(y, "spectral")
    return [
        _smallest_eigenvalue(program, region, y) - rounding.of(y, largest)
        for region, rounding in enumerate(program.uncertainty.regions)
    ]


def raised(
    program: Program, multiplier: NDArray[np.float64], inner: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The multiplier plus as much of ``inner`` as makes A^r(Y) positive in all regions.

    With rates up to a large maximum every negative eigenvalue counts that many times.

    Parameters
    ----------
    inner
        A repaired multiplier with A^r(Y) > 0 in all regions.
    """
    y = repair_multiplier(program, multiplier)
    reserve = min(smallest_eigenvalues(program, inner))
    missing = -min(smallest_eigenvalues(program, y))
    if missing <= 0 or reserve <= 0:
        return y
    return repair_multiplier(program, y + 1.1 * missing / reserve * inner)


def lifted(program: Program, multiplier: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest change of a multiplier that lifts the negative eigenvalues of A^r(Y) to zero.

    To first order, with the eigenvectors held fixed, so that every step leaves what is quadratic
    in it. Far less of the bound is lost than in `raised`, which lifts all eigenvalues at once.
    """
    y = repair_multiplier(program, multiplier)
    directions = program.shifts.directions
    for _ in range(LIFTS):
        effects, missing = _negative_parts(program, y)
        if not 0 < len(missing) <= LARGEST_LIFT:
            break
        effects = effects - directions @ (directions.T @ effects)
        y = repair_multiplier(program, y + np.linalg.lstsq(effects.T, missing, rcond=None)[0])
    return y


def _negative_parts(
    program: Program, y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """V^dagger A[row] V on the negative eigenspaces V of A(y), and what is missing there to 0.

    Returns
    -------
    (coordinates of every row, shape (rows, c), coordinates of what is missing, shape (c,))
    """
    effects, missing = [np.zeros((program.rows, 0))], [np.zeros(0)]
    for block in program.blocks:
        values, vectors = np.linalg.eigh(block.combine(y))
        inside = vectors[:, values < 0]
        if inside.size:
            compressed = inside.conj().T @ block.rows @ inside
            effects.append(np.real(hermitian_coordinates(compressed, block.is_complex)))
            gap = np.diag(-values[values < 0])
            missing.append(np.real(hermitian_coordinates(gap, block.is_complex)))
    return np.hstack(effects), np.concatenate(missing)


def upper_bound(program: Program, point: Point) -> float:
    """Defect of a feasible point (see `repair_point`), plus the allowance.

    Where the state is hardly known the allowance is worth less than what no state can exceed.
    """
    ceiling = program.uncertainty.ceiling(program.traces(point.gammas))
    return min(program.defect(point) + rounding_of(program, point), ceiling)


def rounding_of(program: Program, point: Point) -> float:
    """What rounding can do to the defect of a point."""
    uncertainty, layout = program.uncertainty, program.layout
    of_gammas = uncertainty.of_defect(program.traces(point.gammas), layout, program.norm)
    size = program.shifts.size(point.shift)
    return of_gammas + size * uncertainty.hamiltonian.worst(layout, program.norm)


def repair_multiplier(program: Program, multiplier: NDArray[np.float64]) -> NDArray[np.float64]:
    """A multiplier near the given one in the dual unit ball: clipped for a vector, else scaled."""
    y = np.nan_to_num(np.asarray(multiplier, dtype=float), nan=0.0, posinf=1.0, neginf=-1.0)
    if program.layout.is_vector and program.norm == "trace" and not program.shifts.count:
        if program.preserves_sum:
            # a constant in y changes nothing: put the middle of its range at 0 before clipping
            y = y - (y.max() + y.min()) / 2
        return np.clip(y, -1.0, 1.0)
    size = program.layout.norm(y, DUAL_NORM[program.norm])
    return y / (size * (1 + 4 * UNIT_ROUNDOFF * program.rows)) if size > 0 else y


def unfelt(
    program: Program,
    multiplier: NDArray[np.float64],
    regions: Sequence[int],
    least: float = 0.0,
) -> NDArray[np.float64]:
    """The multiplier without the part that the H_r of some regions feel.

    Where the optimal H_r is inside its ball, M_r^T y = 0 at the optimum; a solver leaves noise.
    Directions in which no H_r can move the residual by more than ``least`` are left alone.
    """
    directions = program.shifts.range_of(regions, least)
    y = np.nan_to_num(np.asarray(multiplier, dtype=float), nan=0.0, posinf=1.0, neginf=-1.0)
    for _ in range(2):
        y = y - directions @ (directions.T @ y)
    return y


def repair_point(program: Program, point: Point) -> Point:
    """Gamma projected to the positive cone, rescaled to the rate rule; H_r scaled into its ball."""
    positive = [_positive_part(np.asarray(gamma)) for gamma in point.gammas]
    factors = program.rates.scale_factors(program.traces(positive))
    gammas = (
        _uniform(program)
        if factors is None
        else [
            gamma * factors[block.region]
            for block, gamma in zip(program.blocks, positive, strict=True)
        ]
    )
    return Point(gammas=gammas, shift=program.shifts.within(point.shift))


def _smallest_eigenvalue(program: Program, region: int, y: NDArray[np.float64]) -> float:
    """Rigorous up to rounding: the eigensolver's own error is subtracted."""
    found = []
    for number in program.of_region(region):
        matrix = program.blocks[number].combine(y)
        values = np.linalg.eigvalsh(matrix)
        norm = float(max(abs(values[0]), abs(values[-1])))
        found.append(float(values[0]) - 8 * len(matrix) * UNIT_ROUNDOFF * norm)
    return min(found)


def _positive_part(gamma: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(gamma).all():
        return np.zeros_like(gamma)
    root = hermitian_root((gamma + gamma.conj().T) / 2)
    positive: NDArray[Any] = root @ root.conj().T
    return positive


def _uniform(program: Program) -> list[NDArray[Any]]:
    """A feasible point that needs no data: Gamma^r proportional to the identity."""
    wanted = program.rates.some()
    sizes = [sum(program.blocks[b].size for b in program.of_region(r)) for r in range(len(wanted))]
    return [
        np.eye(block.size) * (wanted[block.region] / sizes[block.region])
        for block in program.blocks
    ]
