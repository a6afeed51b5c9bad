"""Flow between levels as a function of Gamma and of the input state: C(Gamma) in arrays.

C_ka = <k|L'(|a><a|)|k> = sum_r sum_ij Gamma^r_ij G[a, k]_ij with

    G[a, k]_ij = conj(m^i_ka) m^j_ka - delta_ak sum_n conj(m^i_na) m^j_na,

so that A_k = sum_a p_a G[a, k] are the coefficients of tau_pop, and B_a(y) = sum_k y_k G[a, k]
those of v = C^T y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.equations.operator_basis import Group, Region


@dataclass(frozen=True, kw_only=True)
class CoefficientBlock:
    """Coefficients of one Kossakowski block: two axes of their own, then operators i and j.

    Parameters
    ----------
    region
        Number of the region.
    coefficients
        Shape (., ., n, n); real where the data are real.
    """

    region: int
    coefficients: NDArray[Any]

    @property
    def size(self) -> int:
        """Order n of the block."""
        return int(self.coefficients.shape[-1])

    @property
    def is_complex(self) -> bool:
        """Whether the block needs a complex Hermitian variable."""
        return bool(np.iscomplexobj(self.coefficients))


@dataclass(frozen=True, kw_only=True)
class FlowBlock(CoefficientBlock):
    """G for one Kossakowski block.

    Parameters
    ----------
    region
        Number of the region.
    coefficients
        G, shape (d, d, n, n): input level, output level, operators i and j.
    """

    def of_state(self, populations: NDArray[np.float64]) -> NDArray[Any]:
        """sum_a q_a G[a, k], shape (d, n, n)."""
        return np.tensordot(populations, self.coefficients, axes=1)

    def of_multiplier(self, multiplier: NDArray[np.float64]) -> NDArray[Any]:
        """B_a(y) = sum_k y_k G[a, k], shape (d, n, n)."""
        return np.einsum("k,akij->aij", multiplier, self.coefficients)

    def slope(
        self, multiplier: NDArray[np.float64], populations: NDArray[np.float64]
    ) -> NDArray[Any]:
        """sum_ka y_k q_a G[a, k], shape (n, n): y.C(Gamma) q is its sum with Gamma's entries."""
        flat = self.coefficients.reshape(-1, self.size**2)
        weights = np.multiply.outer(populations, multiplier).ravel()
        found: NDArray[Any] = (weights @ flat).reshape(self.size, self.size)
        return found

    def rates(self, gamma: NDArray[Any]) -> NDArray[np.float64]:
        """This block's part of C[k, a], shape (d, d)."""
        flat = self.coefficients.reshape(*self.coefficients.shape[:2], -1)
        found: NDArray[np.float64] = np.real(flat @ gamma.reshape(-1)).T
        return found


def rate_matrix(flows: Sequence[FlowBlock], gammas: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """C(Gamma), shape (d, d)."""
    parts = [flow.rates(gamma) for flow, gamma in zip(flows, gammas, strict=True)]
    found: NDArray[np.float64] = np.sum(parts, axis=0)
    return found


def flow_blocks(regions: tuple[Region, ...], levels: int) -> tuple[FlowBlock, ...]:
    """G for all blocks of all regions, in the order of a populations program."""
    return tuple(
        FlowBlock(region=number, coefficients=_coefficients(group, levels))
        for number, region in enumerate(regions)
        for group in region.groups
    )


def _coefficients(group: Group, levels: int) -> NDArray[Any]:
    n = group.size
    dtype = np.result_type(float, *(block.dtype for _, _, block in group.blocks))
    found = np.zeros((levels, levels, n, n), dtype=dtype)
    for final, initial, block in group.blocks:
        gain = np.einsum("ika,jka->akij", block.conj(), block)
        found[initial.levels, final.levels] = gain
    diagonal = np.arange(levels)
    found[diagonal, diagonal] -= found.sum(axis=1)
    return found
