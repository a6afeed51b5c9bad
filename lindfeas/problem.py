"""The semidefinite program behind a question: arrays only.

    minimise  || offset + sum_b <A_b, Gamma_b> + shift h ||   over Gamma_b >= 0, h real

with <A, Gamma>_row = sum_ij Gamma_ij A[row]_ij, and the rate rule on the traces. Populations,
coherences and trajectories all compile to it; nothing here knows of a solver.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.question import Rates
from lindfeas.residual import Layout
from lindfeas.rounding import Uncertainty

LARGEST_HAMILTONIAN = 1e4
"""The ansatz is meant with local Hamiltonians H_r of Hilbert-Schmidt norm at most this (rate unit).

Only a bound makes lower bounds computable in floating point: an H_r of 1e12 can move what a
population difference of 1e-12 seems to protect.
"""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftDirections:
    """What the free local Hamiltonians H_r can do to the residual.

    Parameters
    ----------
    directions
        Orthonormal basis of the range of H -> i[rho, H], shape (rows, k).
    hamiltonians
        The coefficients, in ``basis``, of an H that produces each direction, shape (m, k); the
        smallest such H.
    basis
        For every coefficient: (region, Hermitian local operator of shape (d_r, d_r)).
    columns
        What every operator of ``basis`` does to the residual, shape (rows, m).
    scale
        Rounding of the residual per unit of ||H||: weights times the norms of the states.
    """

    directions: NDArray[np.float64]
    hamiltonians: NDArray[np.float64]
    basis: tuple[tuple[int, NDArray[Any]], ...] = field(repr=False)
    columns: NDArray[np.float64]
    scale: float

    @property
    def count(self) -> int:
        """Number of directions k."""
        return int(self.directions.shape[1])

    def size(self, shift: NDArray[np.float64]) -> float:
        """Hilbert-Schmidt norm of the local Hamiltonians behind a shift."""
        return float(np.linalg.norm(self.hamiltonians @ shift))


@dataclass(frozen=True, kw_only=True)
class Point:
    """Feasible variables: Kossakowski blocks, and coordinates along the shift directions."""

    gammas: list[NDArray[Any]]
    shift: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A semidefinite program in arrays; see the module's equation.

    Parameters
    ----------
    offset
        Shape (rows,).
    blocks
        The Kossakowski blocks of all regions.
    shifts
        The directions of the free local Hamiltonians (none for populations).
    regions
        Name of every region.
    rates
        The rate rule.
    layout, norm
        The residual's blocks, and its Schatten norm ``spectral``, ``frobenius`` or ``trace``.
    uncertainty
        Rounding model of the coefficients.
    """

    offset: NDArray[np.float64]
    blocks: tuple[GammaBlock, ...]
    shifts: ShiftDirections
    regions: tuple[str, ...]
    rates: Rates
    layout: Layout
    norm: str
    uncertainty: Uncertainty

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
        """offset + sum_b <A_b, Gamma_b> + shift h, shape (rows,)."""
        return self.dissipation(point.gammas) + self.shifts.directions @ point.shift

    def defect(self, point: Point) -> float:
        """Norm of the residual."""
        return self.layout.norm(self.residual(point), self.norm)

    @cached_property
    def key(self) -> str:
        """SHA-256 over all the numbers: equal for equal problems on every machine."""
        text = repr((self.regions, self.rates, self.norm, self.layout))
        digest = hashlib.sha256(text.encode())
        for array in (self.offset, self.shifts.directions):
            digest.update(np.ascontiguousarray(array).tobytes())
        for block in self.blocks:
            digest.update(repr((block.region, block.charge, block.rows.shape)).encode())
            digest.update(np.ascontiguousarray(block.rows).tobytes())
        return digest.hexdigest()


def no_shifts(rows: int) -> ShiftDirections:
    """Where H_r drops out or is forbidden."""
    return ShiftDirections(
        directions=np.zeros((rows, 0)),
        hamiltonians=np.zeros((0, 0)),
        basis=(),
        columns=np.zeros((rows, 0)),
        scale=0.0,
    )
