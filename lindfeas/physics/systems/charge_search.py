"""Conserved charges of a system, found from its matrices.

A charge gives an integer q_s(k) to every basis state k of every site s. It is conserved by H, and
shifted by a fixed amount m_l by coupling l, if

    sum_s q_s(a_s) - q_s(b_s) = 0    for every element <a|H|b> that is not zero,
    sum_s q_s(a_s) - q_s(b_s) = m_l  for every element <a|S_l|b> that is not zero.

These are linear equations with integer coefficients; their solutions are found exactly, from a few
elements per unknown at first, and then from those that what was found does not solve.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lindfeas.physics.systems.sites import significant

ROUNDING = 2.0**-49
"""Elements below this fraction of the largest, 16 u, are rounding. It is far below what a claimed
charge may be violated by, because nobody has claimed this one: no element that could mean anything
is left out."""

SAMPLED = 3
"""Elements of every operator, per unknown, that are looked at in one step."""

LARGEST_INT = 2**62
"""From here on sums of charges are added as Python's integers."""

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
    size = unknowns + len(couplings)
    parts = [_Elements.of(hamiltonian, range(len(dimensions)), width, None)]
    for number, (sites, operator) in enumerate(couplings):
        parts.append(_Elements.of(sp.csr_array(operator), sites, None, unknowns + number))
    echelon: _Echelon = {}
    new = [row for part in parts for row in part.rows(part.sample(size), dimensions, size)]
    while new:
        echelon = _extended(echelon, new)
        kernel = _kernel(echelon, size)
        if not any(any(vector[:unknowns]) for vector in kernel):
            return None
        new = [
            row
            for part in parts
            for row in part.rows(
                part.sample(size, part.violating(kernel, dimensions)), dimensions, size
            )
        ]
    charges = [vector[:unknowns] for vector in _kernel(echelon, size) if any(vector[:unknowns])]
    return _combined(charges, dimensions, largest) if charges else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Elements:
    """The elements <a|O|b> of one operator that are not zero and give an equation.

    Parameters
    ----------
    final, initial
        a and b, states of ``sites``.
    shift
        The unknown that stands for the shift of the charge; None for H, which has none.
    """

    final: NDArray[np.int64]
    initial: NDArray[np.int64]
    sites: tuple[int, ...]
    shift: int | None

    @classmethod
    def of(
        cls, operator: sp.csr_array, sites: Sequence[int], width: float | None, shift: int | None
    ) -> _Elements:
        final, initial = significant(operator, width, ROUNDING)
        keep = np.ones(len(final), dtype=bool) if shift is not None else final != initial
        return cls(final=final[keep], initial=initial[keep], sites=tuple(sites), shift=shift)

    def sample(self, size: int, among: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """A few elements for every unknown, the same ones each time; all if there are no more."""
        every = np.arange(len(self.final)) if among is None else among
        most = SAMPLED * size
        if len(every) <= most:
            return every
        return np.random.default_rng(0).choice(every, most, replace=False)

    def rows(
        self, chosen: NDArray[np.int64], dimensions: Sequence[int], size: int
    ) -> NDArray[np.int64]:
        """The equations of some elements, each once: how often a holds each basis state of each
        site, minus b, minus the shift.

        The first state of every site is left out: its charge is 0.
        """
        starts = np.cumsum([0, *(dimension - 1 for dimension in dimensions)])
        local = [dimensions[site] for site in self.sites]
        found = np.zeros((len(chosen), size), dtype=np.int64)
        rows = np.arange(len(chosen))
        for states, sign in ((self.final[chosen], 1), (self.initial[chosen], -1)):
            for site, digits in zip(self.sites, np.unravel_index(states, local), strict=True):
                inside = digits > 0
                np.add.at(found, (rows[inside], starts[site] + digits[inside] - 1), sign)
        if self.shift is not None:
            found[:, self.shift] = -1
        return np.unique(found, axis=0)

    def violating(
        self, kernel: Sequence[Sequence[int]], dimensions: Sequence[int]
    ) -> NDArray[np.int64]:
        """The elements whose equation one of the vectors does not solve."""
        broken = np.zeros(len(self.final), dtype=bool)
        unknowns = sum(dimension - 1 for dimension in dimensions)
        for vector in kernel:
            charge = _by_site(vector[:unknowns], dimensions)
            own = [charge[site] for site in self.sites]
            step = 0 if self.shift is None else vector[self.shift]
            largest = 2 * sum(max(map(abs, local)) for local in own) + abs(step)
            kind: Any = np.int64 if largest < LARGEST_INT else object
            total = np.zeros(1, dtype=kind)
            for local in own:
                total = np.add.outer(total, np.array(local, dtype=kind)).ravel()
            broken |= (total[self.final] - total[self.initial] != step).astype(bool)
        return np.flatnonzero(broken)


_Echelon = dict[int, list[Fraction]]
"""Rows in reduced echelon form by the column of their pivot, which is 1."""


def _extended(echelon: _Echelon, rows: Iterable[Iterable[int]]) -> _Echelon:
    """The reduced echelon form of these rows together with further ones."""
    done = dict(echelon)
    for given in rows:
        row = [Fraction(int(value)) for value in given]
        for column, pivot in done.items():
            row = _without(row, pivot, column)
        first = next((column for column, value in enumerate(row) if value), None)
        if first is None:
            continue
        row = [value / row[first] if value else value for value in row]
        done = {column: _without(pivot, row, first) for column, pivot in done.items()}
        done[first] = row
    return done


def _kernel(echelon: _Echelon, size: int) -> list[list[int]]:
    """A basis of the integer vectors that solve all equations, without common factors."""
    basis = []
    for column in (column for column in range(size) if column not in echelon):
        vector = [Fraction(0)] * size
        vector[column] = Fraction(1)
        for pivot_column, row in echelon.items():
            vector[pivot_column] = -row[column]
        basis.append(_integers(vector))
    return basis


def _without(row: list[Fraction], pivot: list[Fraction], column: int) -> list[Fraction]:
    factor = row[column]
    if not factor:
        return row
    return [
        value - factor * other if other else value for value, other in zip(row, pivot, strict=True)
    ]


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
