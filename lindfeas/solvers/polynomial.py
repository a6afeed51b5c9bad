"""The linear program behind multipliers that are polynomials in the rates, by Clarabel.

For a claimed distance T it looks for y_m, one vector for every monomial m, with the largest margin

    margin <= N_k / T - (max_a - min_a) V_ka   for every key k,

N_k = sum_j w_kj y_m(kj).c_kj and V_k = sum_j w_kj C_kj^T y_m(kj). What comes back is raw material:
`lindfeas.answers.polynomial_witness` evaluates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One product of a monomial's vector with the flow of a pool, in the sum of a key.

    Parameters
    ----------
    monomial, flow
        Numbers of the vector y_m and of the matrix C.
    weight
        w > 0.
    """

    monomial: int
    flow: int
    weight: float


def propose(
    keys: Sequence[Sequence[Term]],
    exempt: Sequence[bool],
    flows: NDArray[np.float64],
    populations: NDArray[np.float64],
    scale: NDArray[np.float64],
    distance: float,
    *,
    levelled: Sequence[bool],
    averaging: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """y of every monomial, shape (monomials, d), |y| <= scale; None if the solver has none.

    Parameters
    ----------
    exempt
        For every key whether its margin may be 0.
    flows
        C, shape (flows, d, d), columns being initial levels.
    levelled
        For every monomial whether y must be the same for all levels of a sector.
    averaging
        The matrix that makes it so, shape (d, d).
    """
    import clarabel

    levels, count = len(populations), len(keys)
    unit = float(np.abs(flows).max())
    adjoint = (flows / unit).transpose(0, 2, 1)
    turned = adjoint * scale, (adjoint @ averaging) * scale  # C^T diag(scale), levelled or not
    steady = [np.einsum("a,cak->ck", populations, one) / distance for one in turned]
    monomials = 1 + max(term.monomial for key in keys for term in key)
    width = monomials * levels
    blocks: list[list[sp.csr_matrix]] = []
    for number, key in enumerate(keys):
        spread, value = np.zeros((levels, width)), np.zeros((1, width))
        for term in key:
            place = slice(term.monomial * levels, (term.monomial + 1) * levels)
            spread[:, place] += term.weight * turned[levelled[term.monomial]][term.flow]
            value[0, place] += term.weight * steady[levelled[term.monomial]][term.flow]
        limits = np.zeros((2 * levels + 1, 2 * count + 1))
        limits[:levels, 2 * number] = -1.0
        limits[levels:-1, 2 * number + 1] = 1.0
        limits[-1, [2 * number, 2 * number + 1]] = 1.0, -1.0
        limits[-1, -1] = 0.0 if exempt[number] else 1.0
        rows = sp.csr_matrix(np.vstack([spread, -spread, -value]))
        blocks.append([rows, sp.csr_matrix(limits)])
    whole, padding = sp.identity(width), sp.csr_matrix((width, 2 * count + 1))
    blocks += [[whole, padding], [-whole, padding]]
    matrix = sp.bmat(blocks, format="csc")
    right = np.concatenate([np.zeros(count * (2 * levels + 1)), np.ones(2 * width)])
    cost = np.zeros(matrix.shape[1])
    cost[-1] = -1.0
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_threads = False, 1
    cones = [clarabel.NonnegativeConeT(len(right))]
    empty = sp.csc_matrix((len(cost), len(cost)))
    found = np.array(clarabel.DefaultSolver(empty, cost, matrix, right, cones, settings).solve().x)
    if not np.isfinite(found).all():
        return None
    y: NDArray[np.float64] = np.clip(found[:width].reshape(monomials, levels), -1, 1) * scale
    y[list(levelled)] = y[list(levelled)] @ averaging.T
    return y
