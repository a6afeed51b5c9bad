"""The allowed Lindbladians, region by region, and what they do to a state, in balls.

    L'(rho) = sum_r i[rho, H_r] + sum_ij Gamma^r_ij (F_j rho F_i^dag - {F_i^dag F_j, rho}/2),

F_i = f_i (x) 1 / sqrt(d/d_r), with f_i orthonormal and traceless on the region: for a site of n
levels the generalised Gell-Mann diagonals, the matrix units |a><b| and 1/sqrt(n); products for
more sites, the product of units left out. They are ordered by the charge that they carry.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flint import acb_mat, arb, fmpq

from lindfeas.checker.balls import dagger, submatrix
from lindfeas.checker.errors import Rejected
from lindfeas.checker.exact import placement, product_charges
from lindfeas.checker.model import Bath, Model

MOST_REGION_LEVELS = 16
"""Levels d_r of a region that this checker takes on: four qubits."""

_Operator = tuple[int, str, dict[tuple[int, int], arb]]
"""(charge shift, label, nonzero entries), all real."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Basis operators of one charge: their labels, and their place in the region's basis."""

    charge: int
    labels: tuple[str, ...]
    members: range


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One bath's region.

    Parameters
    ----------
    name, dimension
        The bath, and d_r.
    share
        d_r/d.
    place
        Number of the basis state with the region in state a and the rest in e, [a][e].
    charges
        Charge of every state of the region.
    groups
        The basis, by ascending charge.
    basis
        Row i holds the entries (a, b) of f_i at a d_r + b, shape (d_r^2 - 1, d_r^2).
    """

    name: str
    dimension: int
    share: fmpq
    place: list[list[int]]
    charges: list[int]
    groups: tuple[Group, ...]
    basis: acb_mat

    def blocks(self, matrix: acb_mat) -> Iterator[tuple[Group, acb_mat]]:
        """The diagonal blocks of a (d_r^2 - 1)-square matrix, group by group."""
        for group in self.groups:
            yield group, submatrix(matrix, group.members, group.members)

    def dual_matrix(self, weight: acb_mat, state: acb_mat, product: acb_mat) -> acb_mat:
        """A_ij = tr(Y (F_j rho F_i^dag - {F_i^dag F_j, rho}/2)), shape (d_r^2 - 1,) twice.

        ``weight`` Y, ``state`` rho and ``product`` (Y rho + rho Y)/2 are Hermitian in the product
        basis. With the region's indices first, tr(Y f_j rho f_i^dag) is
        sum f_i[c,d] f_j[a,b] Y[cg, ae] rho[be, dg], and the rest needs the region's part of
        ``product`` only. Between operators of different charge A vanishes, because Y and rho
        conserve the charge.
        """
        flow = self.regrouped(weight) * dagger(self.regrouped(state))
        return self.gain(flow) - self.loss(product)

    def gain(self, flow: acb_mat) -> acb_mat:
        """tr(Y F_j rho F_i^dag), from the regrouped Y times the regrouped rho's adjoint."""
        size = self.dimension
        form = acb_mat(size * size, size * size)
        for a, b, c, d in itertools.product(range(size), repeat=4):
            form[c * size + d, a * size + b] = flow[c * size + a, d * size + b]
        return self._in_basis(form)

    def loss(self, product: acb_mat) -> acb_mat:
        """tr(Y {F_i^dag F_j, rho}/2), from (Y rho + rho Y)/2."""
        size, local = self.dimension, self.partial_trace(product)
        form = acb_mat(size * size, size * size)
        for b, c, d in itertools.product(range(size), repeat=3):
            form[c * size + d, c * size + b] = local[b, d]
        return self._in_basis(form)

    def dissipated(self, gamma: acb_mat, state: acb_mat) -> acb_mat:
        """sum_ij Gamma_ij (F_j rho F_i^dag - {F_i^dag F_j, rho}/2) in the product basis."""
        size = self.dimension
        # process[ab, cd] = sum_ij f_j[a,b] Gamma_ij f_i[c,d]
        process = self.basis.transpose() * gamma.transpose() * self.basis
        gain = acb_mat(size * size, size * size)
        loss = acb_mat(size, size)
        for a, b, c, d in itertools.product(range(size), repeat=4):
            gain[a * size + c, b * size + d] = process[a * size + b, c * size + d]
        for a, b, d in itertools.product(range(size), repeat=3):
            loss[d, b] += process[a * size + b, a * size + d]
        gained = gain * self.regrouped(state)
        lost = self.embedded(loss) * state
        total = acb_mat(state.nrows(), state.nrows())
        for (a, rows), (c, columns) in itertools.product(enumerate(self.place), repeat=2):
            for e, row in enumerate(rows):
                for f, column in enumerate(columns):
                    total[row, column] = gained[a * size + c, e * len(rows) + f]
        return (total - (lost + dagger(lost)) / 2) * arb(self.share)

    def embedded(self, matrix: acb_mat) -> acb_mat:
        """A matrix on the region times the identity on the rest."""
        size = len(self.place) * len(self.place[0])
        total = acb_mat(size, size)
        for (a, rows), (b, columns) in itertools.product(enumerate(self.place), repeat=2):
            for row, column in zip(rows, columns, strict=True):
                total[row, column] = matrix[a, b]
        return total

    def partial_trace(self, matrix: acb_mat) -> acb_mat:
        """The trace over the rest, shape (d_r, d_r)."""
        return acb_mat(
            [
                [
                    sum((matrix[r, c] for r, c in zip(rows, columns, strict=True)), arb(0))
                    for columns in self.place
                ]
                for rows in self.place
            ]
        )

    def is_neutral(self, local: acb_mat) -> bool:
        """Whether an exact matrix on the region conserves the charge."""
        return all(
            local[a, b].is_zero()
            for a, b in itertools.product(range(self.dimension), repeat=2)
            if self.charges[a] != self.charges[b]
        )

    def regrouped(self, matrix: acb_mat) -> acb_mat:
        """Rows (a, b), columns (e, g): M[ae, bg]."""
        table = matrix.tolist()
        return acb_mat(
            [
                [table[row][column] for row in rows for column in columns]
                for rows, columns in itertools.product(self.place, repeat=2)
            ]
        )

    def _in_basis(self, form: acb_mat) -> acb_mat:
        return self.basis * form * self.basis.transpose() * arb(self.share)


def region(model: Model, bath: Bath) -> Region:
    """The region of a bath, with its operator basis.

    Raises
    ------
    Rejected
        If the region has more than `MOST_REGION_LEVELS` levels.
    """
    size = region_levels(model, bath)
    dimensions = [model.dimensions[site] for site in bath.sites]
    local = [model.charge[site] for site in bath.sites]
    operators = _operators(dimensions, local)
    groups = []
    first = 0
    for charge, members in itertools.groupby(operators, key=lambda operator: operator[0]):
        labels = tuple(label for _, label, _ in members)
        range_ = range(first, first + len(labels))
        groups.append(Group(charge=charge, labels=labels, members=range_))
        first += len(labels)
    basis = acb_mat(len(operators), size * size)
    for number, (_, _, entries) in enumerate(operators):
        for (row, column), value in entries.items():
            basis[number, row * size + column] = value
    return Region(
        name=bath.name,
        dimension=size,
        share=fmpq(size, model.size),
        place=placement(model.dimensions, bath.sites),
        charges=product_charges(local),
        groups=tuple(groups),
        basis=basis,
    )


def region_levels(model: Model, bath: Bath) -> int:
    """Levels d_r of a bath's region.

    Raises
    ------
    Rejected
        If these are more than `MOST_REGION_LEVELS`.
    """
    size = math.prod(model.dimensions[site] for site in bath.sites)
    if size > MOST_REGION_LEVELS:
        raise Rejected(f"bath.{bath.name} has {size} levels, beyond {MOST_REGION_LEVELS}")
    return size


def _operators(dimensions: Sequence[int], charge: Sequence[Sequence[int]]) -> list[_Operator]:
    """Products of site operators by ascending charge, the product of units left out."""
    factors = [
        list(_site_operators(size, own)) for size, own in zip(dimensions, charge, strict=True)
    ]
    found = []
    for choice in itertools.product(*factors):
        entries = {(0, 0): arb(1)}
        for size, (_, _, factor) in zip(dimensions, choice, strict=True):
            entries = {
                (r * size + row, c * size + column): value * other
                for (r, c), value in entries.items()
                for (row, column), other in factor.items()
            }
        label = " ".join(token for _, token, _ in choice)
        if any(token != "1" for _, token, _ in choice):
            found.append((sum(shift for shift, _, _ in choice), label, entries))
    return sorted(found, key=lambda operator: operator[0])


def _site_operators(size: int, charge: Sequence[int]) -> Iterator[_Operator]:
    for rank in range(1, size):
        norm = arb(rank * (rank + 1)).sqrt()
        entries = {(n, n): -1 / norm for n in range(rank)} | {(rank, rank): rank / norm}
        yield 0, "z" if size == 2 else f"z{rank}", entries
    for final, initial in itertools.permutations(range(size), 2):
        name = "+-"[final] if size == 2 else f"|{final}><{initial}|"
        yield charge[final] - charge[initial], name, {(final, initial): arb(1)}
    yield 0, "1", {(n, n): 1 / arb(size).sqrt() for n in range(size)}
