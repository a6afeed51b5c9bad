"""Conserved charges of a system, found from its matrices.

A charge gives an integer q_s(k) to every basis state k of every site s. It is conserved by H, and
shifted by a fixed amount m_l by coupling l, if

    sum_s q_s(a_s) - q_s(b_s) = 0    for every element <a|H|b> that is not zero,
    sum_s q_s(a_s) - q_s(b_s) = m_l  for every element <a|S_l|b> that is not zero.

These are linear equations with integer coefficients; their solutions are found exactly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lindfeas.physics.systems.sites import significant

Charge = tuple[tuple[int, ...], ...]


def find_charge(
    hamiltonian: sp.csr_array,
    couplings: Sequence[tuple[Sequence[int], Any]],
    dimensions: Sequence[int],
    *,
    width: float,
    largest: int,
) -> Charge | None:
    """One charge that tells states apart wherever any conserved charge does; None if none does.

    Parameters
    ----------
    hamiltonian
        H, sparse d x d.
    couplings
        (sites, operator on them) of every coupling.
    dimensions
        Local dimension of every site.
    width
        Size of H, beside which its elements are rounding or not.
    largest
        Largest absolute charge of a basis state. Where several independent charges do not fit into
        one number, the last ones are left out.
    """
    unknowns = sum(dimension - 1 for dimension in dimensions)
    steps = _steps(hamiltonian, range(len(dimensions)), dimensions, width)
    blocks = [np.pad(steps, ((0, 0), (0, len(couplings))))]
    for number, (sites, operator) in enumerate(couplings):
        steps = _steps(sp.csr_array(operator), sites, dimensions, None)
        shift = np.zeros((len(steps), len(couplings)), dtype=np.int64)
        shift[:, number] = -1
        blocks.append(np.hstack([steps, shift]))
    rows = np.unique(np.vstack(blocks), axis=0)
    found = [vector[:unknowns] for vector in _kernel(rows.T @ rows)]
    charges = [charge for charge in found if any(charge)]
    return _combined(charges, dimensions, largest) if charges else None


def _steps(
    operator: sp.csr_array, sites: Sequence[int], dimensions: Sequence[int], width: float | None
) -> NDArray[np.int64]:
    """For every element <a|O|b> how often a holds each basis state of each site, minus b.

    The first state of every site is left out: its charge is 0. Every row stands once.
    """
    starts = np.cumsum([0, *(dimension - 1 for dimension in dimensions)])
    final, initial = significant(operator, width)
    local = [dimensions[site] for site in sites]
    found = np.zeros((len(final), starts[-1]), dtype=np.int64)
    rows = np.arange(len(final))
    for states, sign in ((final, 1), (initial, -1)):
        for site, digits in zip(sites, np.unravel_index(states, local), strict=True):
            inside = digits > 0
            np.add.at(found, (rows[inside], starts[site] + digits[inside] - 1), sign)
    return np.unique(found, axis=0)


def _kernel(matrix: NDArray[np.int64]) -> list[list[int]]:
    """A basis of the integer vectors x with M x = 0, without common factors."""
    rows = [[Fraction(int(value)) for value in row] for row in matrix]
    pivots: list[int] = []
    done: list[list[Fraction]] = []
    for column in range(matrix.shape[1]):
        at = next((n for n, row in enumerate(rows) if row[column]), None)
        if at is None:
            continue
        pivot = rows.pop(at)
        pivot = [value / pivot[column] for value in pivot]
        rows, done = ([_without(row, pivot, column) for row in part] for part in (rows, done))
        done.append(pivot)
        pivots.append(column)
    free = [column for column in range(matrix.shape[1]) if column not in pivots]
    basis = []
    for column in free:
        vector = [Fraction(0)] * matrix.shape[1]
        vector[column] = Fraction(1)
        for pivot_column, row in zip(pivots, done, strict=True):
            vector[pivot_column] = -row[column]
        basis.append(_integers(vector))
    return basis


def _without(row: list[Fraction], pivot: list[Fraction], column: int) -> list[Fraction]:
    factor = row[column]
    if not factor:
        return row
    return [value - factor * other for value, other in zip(row, pivot, strict=True)]


def _integers(vector: Sequence[Fraction]) -> list[int]:
    """The vector times the number that makes its entries whole, without a common factor, the first
    one positive."""
    denominator = math.lcm(*(value.denominator for value in vector))
    whole = [int(value * denominator) for value in vector]
    common = math.gcd(*whole) * (1 if next(filter(None, whole)) > 0 else -1)
    return [value // common for value in whole]


def _combined(
    charges: Sequence[Sequence[int]], dimensions: Sequence[int], largest: int
) -> Charge | None:
    """sum_j w_j q_j, the weights so far apart that no two sets of charges have one sum."""
    total: NDArray[np.int64] | None = None
    weight = 1
    for charge in sorted(charges, key=lambda one: _span(one, dimensions)):
        candidate = weight * np.array(charge, dtype=object)
        candidate = candidate if total is None else total + candidate
        if max(abs(value) for value in candidate) > largest:
            break
        total = candidate
        weight *= 2 * _span(charge, dimensions) + 1
    if total is None:
        return None
    return _by_site([int(value) for value in total], dimensions)


def _span(charge: Sequence[int], dimensions: Sequence[int]) -> int:
    """Largest difference of the total charge of two states."""
    return sum(max(local) - min(local) for local in _by_site(charge, dimensions))


def _by_site(charge: Sequence[int], dimensions: Sequence[int]) -> Charge:
    """The charge of every state of every site, that of the first state, 0, included."""
    starts = itertools.accumulate((dimension - 1 for dimension in dimensions), initial=0)
    return tuple((0, *charge[start:stop]) for start, stop in itertools.pairwise(starts))
