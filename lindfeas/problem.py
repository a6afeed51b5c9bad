"""The semidefinite program behind a question: arrays only.

    minimise  || offset + sum_b <A_b, Gamma_b> + shift h ||   over Gamma_b >= 0, h real

with <A, Gamma>_row = sum_ij Gamma_ij A[row]_ij, and the rate rule on the traces. Populations,
coherences and trajectories all compile to it; nothing here knows of a solver.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.question import Rates


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
class Uncertainty:
    """How far rounding can move a bound: a documented, conservative model.

    For a multiplier y (entries at most 1 for the norm ``l1``) the dual function moves by at most

        sum_{k<k'} pair[k, k'] |y_k - y_k'|  +  sum_k row[k] |y_k|  +  whole max|y|.

    ``pair`` is the rotation of close levels into each other, ``row`` the rounding of the
    coefficients, ``whole`` the error of rho0. See docs/theory.md, "Rounding".
    """

    pair: NDArray[np.float64]
    row: NDArray[np.float64]
    whole: float

    def of(self, multiplier: NDArray[np.float64]) -> float:
        """Allowance for one multiplier."""
        size = np.abs(multiplier)
        total = float(self.row @ size) + self.whole * float(size.max(initial=0.0))
        if self.pair.size:
            total += _weighted_differences(self.pair, multiplier)
        return total

    @cached_property
    def worst(self) -> float:
        """Allowance for the worst multiplier with entries between -1 and 1."""
        return float(self.row.sum() + self.whole + self.pair.sum())


def _weighted_differences(pair: NDArray[np.float64], multiplier: NDArray[np.float64]) -> float:
    """sum_{k<k'} pair |y_k - y_k'| without a second (d, d) array of all differences at once."""
    total = 0.0
    for row, value in zip(pair, multiplier, strict=True):
        total += float(row @ np.abs(multiplier - value))
    return total / 2


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A semidefinite program in arrays; see the module's equation.

    Parameters
    ----------
    offset
        Shape (rows,).
    blocks
        The Kossakowski blocks of all regions.
    regions
        Name of every region.
    rates
        The rate rule.
    norm
        ``l1``: sum of absolute values of the rows.
    uncertainty
        Rounding model of the coefficients.
    """

    offset: NDArray[np.float64]
    blocks: tuple[GammaBlock, ...]
    regions: tuple[str, ...]
    rates: Rates
    norm: str
    uncertainty: Uncertainty

    @property
    def rows(self) -> int:
        """Number of rows of the residual."""
        return int(self.offset.size)

    def of_region(self, region: int) -> list[int]:
        """Numbers of the blocks that make up one region's Kossakowski matrix."""
        return [number for number, block in enumerate(self.blocks) if block.region == region]

    def residual(self, gammas: list[NDArray[Any]]) -> NDArray[np.float64]:
        """offset + sum_b <A_b, Gamma_b>, shape (rows,)."""
        total = self.offset.copy()
        for block, gamma in zip(self.blocks, gammas, strict=True):
            total += block.value(gamma)
        return total

    @cached_property
    def key(self) -> str:
        """SHA-256 over all the numbers: equal for equal problems on every machine."""
        digest = hashlib.sha256(repr((self.regions, self.rates, self.norm)).encode())
        digest.update(np.ascontiguousarray(self.offset).tobytes())
        for block in self.blocks:
            digest.update(repr((block.region, block.charge, block.rows.shape)).encode())
            digest.update(np.ascontiguousarray(block.rows).tobytes())
        return digest.hexdigest()
