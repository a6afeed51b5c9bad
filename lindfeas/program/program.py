"""The semidefinite program behind a question: arrays only.

    minimise  || offset + sum_b <A_b, Gamma_b> + sum_r M_r x_r ||
    over Gamma_b >= 0 and real x_r with ||x_r|| <= h,

with <A, Gamma>_row = sum_ij Gamma_ij A[row]_ij, and the rate rule on the traces. x_r are the
coordinates of the local Hamiltonian H_r in an orthonormal basis. Populations, coherences and
trajectories all compile to it; nothing here knows of a solver.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.program.hermitian import Layout
from lindfeas.program.rates import RateBounds
from lindfeas.program.rounding import Uncertainty

SIGNIFICANT = 1e-13
"""Directions in which local Hamiltonians of norm 1 move the residual by less than this fraction of
the states' norm are taken for rounding noise; the lower bound pays for them all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaBlock:
    """One diagonal block of one region's Kossakowski matrix.

    Parameters
    ----------
    region
        Number of the region.
    charge
        Charge that the block's operators carry.
    rows
        A, Hermitian matrices of shape (rows, n, n); real where the data are real.
    """

    region: int
    charge: int
    rows: NDArray[Any]

    @property
    def size(self) -> int:
        """Order n of the block."""
        return int(self.rows.shape[1])

    @property
    def is_complex(self) -> bool:
        """Whether the block needs a complex Hermitian variable."""
        return bool(np.iscomplexobj(self.rows))

    def value(self, gamma: NDArray[Any]) -> NDArray[np.float64]:
        """<A, Gamma> for every row."""
        flat = self.rows.reshape(len(self.rows), -1)
        result: NDArray[np.float64] = np.real(flat @ gamma.reshape(-1))
        return result

    def combine(self, multiplier: NDArray[np.float64]) -> NDArray[Any]:
        """A(y) = sum_row y_row A[row], shape (n, n)."""
        flat = self.rows.reshape(len(self.rows), -1)
        combined: NDArray[Any] = (multiplier @ flat).reshape(self.size, self.size)
        return combined


@dataclass(frozen=True, kw_only=True)
class ShiftDirections:
    """What the local Hamiltonians H_r, of Hilbert-Schmidt norm at most h, can do to the residual.

    Parameters
    ----------
    basis
        For every coordinate: (region, Hermitian local operator of shape (d_r, d_r)); orthonormal
        and traceless, region after region.
    columns
        M: what every operator of ``basis`` does to the residual, shape (rows, m).
    limit
        h, the largest Hilbert-Schmidt norm of every H_r (rate unit).
    scale
        Weights times the norms of the states.
    """

    basis: tuple[tuple[int, NDArray[Any]], ...] = field(repr=False)
    columns: NDArray[np.float64]
    limit: float
    scale: float

    @property
    def count(self) -> int:
        """Number of coordinates m."""
        return len(self.basis)

    @cached_property
    def regions(self) -> dict[int, slice]:
        """Where the coordinates of every region that has some stand."""
        owners = [region for region, _ in self.basis]
        return {
            region: slice(owners.index(region), owners.index(region) + owners.count(region))
            for region in sorted(set(owners))
        }

    def norms(self, shift: NDArray[np.float64]) -> dict[int, float]:
        """||x_r||, the Hilbert-Schmidt norm of every H_r."""
        return {r: float(np.linalg.norm(shift[span])) for r, span in self.regions.items()}

    def size(self, shift: NDArray[np.float64]) -> float:
        """sum_r ||x_r||."""
        return sum(self.norms(shift).values())

    def felt(self, multiplier: NDArray[np.float64]) -> float:
        """sum_r ||M_r^T y||: what local Hamiltonians of norm 1 can take from a lower bound."""
        moved = self.columns.T @ multiplier
        return self.size(moved)

    def within(self, shift: NDArray[np.float64]) -> NDArray[np.float64]:
        """The coordinates with every ||x_r|| > h scaled down to h."""
        inside = np.nan_to_num(np.array(shift, dtype=float))
        for region, norm in self.norms(inside).items():
            if norm > self.limit:
                inside[self.regions[region]] *= (1 - 1e-15) * self.limit / norm
        return inside

    @cached_property
    def factors(
        self,
    ) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]:
        """M_r = U diag(s) V^T of every region: (U, s, V), without rounding noise."""
        found = {}
        for region, span in self.regions.items():
            left, singular, right = np.linalg.svd(self.columns[:, span], full_matrices=False)
            keep = singular > SIGNIFICANT * self.scale
            found[region] = (left[:, keep], singular[keep], right[keep].T)
        return found

    def range_of(self, regions: Sequence[int], least: float = 0.0) -> NDArray[np.float64]:
        """Orthonormal basis of what the H_r of some regions can do, shape (rows, k).

        Without directions in which they can move the residual by no more than ``least``.
        """
        if not len(regions):
            return np.zeros((len(self.columns), 0))
        columns = np.hstack([self.columns[:, self.regions[region]] for region in regions])
        left, singular, _ = np.linalg.svd(columns, full_matrices=False)
        reach = self.limit * singular
        return left[:, (singular > SIGNIFICANT * self.scale) & (reach > least)]

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """`range_of` all regions."""
        return self.range_of(list(self.regions))


@dataclass(frozen=True, kw_only=True)
class Point:
    """Feasible variables: Kossakowski blocks, and the coordinates x of all H_r."""

    gammas: list[NDArray[Any]]
    shift: NDArray[np.float64]

    def times(self, factor: float) -> Point:
        """Gamma and H_r times a factor."""
        return Point(gammas=[gamma * factor for gamma in self.gammas], shift=self.shift * factor)


@dataclass(frozen=True, kw_only=True)
class Program:
    """A semidefinite program in arrays; see the module's equation.

    Parameters
    ----------
    offset
        Shape (rows,).
    blocks
        The Kossakowski blocks of all regions.
    shifts
        The local Hamiltonians (none for populations).
    regions
        Name of every region.
    rates
        The rate rule.
    layout, norm
        The residual's blocks, and its Schatten norm ``spectral``, ``frobenius`` or ``trace``.
    uncertainty
        Rounding model of the coefficients.
    natural_rate
        Largest rate of the Redfield equation, where its action is required; else 0.
    """

    offset: NDArray[np.float64]
    blocks: tuple[GammaBlock, ...]
    shifts: ShiftDirections
    regions: tuple[str, ...]
    rates: RateBounds
    layout: Layout
    norm: str
    uncertainty: Uncertainty
    natural_rate: float = 0.0

    @cached_property
    def preserves_sum(self) -> bool:
        """Whether the rows of every allowed residual add up to zero, as level populations do."""
        largest = max(float(np.abs(block.rows).max(initial=0.0)) for block in self.blocks)
        total = max(float(np.abs(block.rows.sum(axis=0)).max(initial=0.0)) for block in self.blocks)
        return total <= 1e-12 * largest and abs(float(self.offset.sum())) <= 1e-12 * largest

    @property
    def rows(self) -> int:
        """Number of rows of the residual."""
        return int(self.offset.size)

    def of_region(self, region: int) -> list[int]:
        """Numbers of the blocks that make up one region's Kossakowski matrix."""
        return [number for number, block in enumerate(self.blocks) if block.region == region]

    def traces(self, gammas: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """tr Gamma^r of every region."""
        total = np.zeros(len(self.regions))
        for block, gamma in zip(self.blocks, gammas, strict=True):
            total[block.region] += float(np.trace(gamma).real)
        return total

    def dissipation(self, gammas: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """offset + sum_b <A_b, Gamma_b>, shape (rows,)."""
        total = self.offset.copy()
        for block, gamma in zip(self.blocks, gammas, strict=True):
            total += block.value(gamma)
        return total

    def residual(self, point: Point) -> NDArray[np.float64]:
        """offset + sum_b <A_b, Gamma_b> + sum_r M_r x_r, shape (rows,)."""
        return self.dissipation(point.gammas) + self.shifts.columns @ point.shift

    def defect(self, point: Point) -> float:
        """Norm of the residual."""
        return self.layout.norm(self.residual(point), self.norm)

    @cached_property
    def magnitude(self) -> float:
        """The rate that sets the scale: what the action needs, the rule demands, or Redfield's.

        Where nothing is required, and no rate is demanded, it is the largest that is allowed.
        """
        largest = max(float(np.abs(block.rows).max(initial=0.0)) for block in self.blocks)
        needed = float(np.linalg.norm(self.offset)) / largest if largest > 0 else 0.0
        scale = max(self.rates.demanded, needed, self.natural_rate)
        return scale or max(self.rates.upper)

    @property
    def unit(self) -> float:
        """The power of two below `magnitude`: dividing by it rounds nothing."""
        return 2.0 ** math.floor(math.log2(self.magnitude))

    def in_units_of(self, unit: float) -> Program:
        """The same program with actions, rates, H_r and defects in units of a rate."""
        shifts, uncertainty = self.shifts, self.uncertainty
        return replace(
            self,
            offset=self.offset / unit,
            rates=self.rates.times(1 / unit),
            shifts=replace(shifts, limit=shifts.limit / unit),
            uncertainty=replace(uncertainty, action=uncertainty.action / unit),
            natural_rate=self.natural_rate / unit,
        )

    @cached_property
    def key(self) -> str:
        """SHA-256 over all the numbers: equal for equal problems on every machine."""
        text = repr((self.regions, self.rates, self.norm, self.layout, self.shifts.limit))
        digest = hashlib.sha256(text.encode())
        for array in (self.offset, self.shifts.columns):
            digest.update(np.ascontiguousarray(array).tobytes())
        for block in self.blocks:
            digest.update(repr((block.region, block.charge, block.rows.shape)).encode())
            digest.update(np.ascontiguousarray(block.rows).tobytes())
        return digest.hexdigest()


def no_shifts(rows: int) -> ShiftDirections:
    """Where H_r drops out or is forbidden."""
    return ShiftDirections(basis=(), columns=np.zeros((rows, 0)), limit=0.0, scale=0.0)
