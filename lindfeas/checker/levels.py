"""Energies and eigenvectors of H_S in balls, charge sector by charge sector."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flint import acb_mat, arb, fmpq, fmpq_mat, fmpq_poly

from lindfeas.checker.balls import diagonal, identity, sparse, submatrix
from lindfeas.checker.errors import Rejected, Unsettled
from lindfeas.checker.exact import ZERO, Entries, product_charges
from lindfeas.checker.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """The levels of one charge.

    Parameters
    ----------
    charge, states
        The charge, and the numbers of the product states that carry it.
    first
        Number of the sector's lowest level.
    energies
        In ascending order, certainly.
    right, left
        Eigenvectors as columns, in some normalisation, and the inverse matrix. Only products of
        a column with the row of the same level are used: the projector is P_a = R_a L_a.
    polynomial
        Exact, with every level of the sector as a simple root, and no other.
    """

    charge: int
    states: tuple[int, ...]
    first: int
    energies: tuple[arb, ...]
    right: acb_mat
    left: acb_mat
    polynomial: fmpq_poly

    @property
    def levels(self) -> range:
        """Numbers of the sector's levels."""
        return range(self.first, self.first + len(self.states))


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """All levels, by ascending charge and then energy."""

    size: int
    sectors: tuple[Sector, ...]

    def weighted(self, weights: Sequence[arb]) -> acb_mat:
        """sum_a weights_a P_a in the product basis, shape (d, d)."""
        blocks = []
        for sector in self.sectors:
            own = [weights[level] for level in sector.levels]
            blocks.append((sector, sector, sector.right * diagonal(own) * sector.left))
        return self.assembled(blocks)

    def expectations(self, matrix: acb_mat) -> list[arb]:
        """tr(P_a M) of every level, for a Hermitian M in the product basis."""
        found = []
        for sector, block in zip(self.sectors, self.diagonal_blocks(matrix), strict=True):
            product = sector.left * block * sector.right
            found += [product[n, n].real for n in range(len(sector.states))]
        return found

    def diagonal_blocks(self, matrix: acb_mat) -> list[acb_mat]:
        """The part of a matrix in the product basis that stays in each sector."""
        return [submatrix(matrix, sector.states, sector.states) for sector in self.sectors]

    def assembled(self, blocks: Iterable[tuple[Sector, Sector, acb_mat]]) -> acb_mat:
        """A matrix in the product basis from its parts (final, initial, block)."""
        total = acb_mat(self.size, self.size)
        for final, initial, block in blocks:
            for i, row in enumerate(final.states):
                for j, column in enumerate(initial.states):
                    total[row, column] = block[i, j]
        return total

    def blocks(self, operator: Entries, shift: int) -> list[tuple[Sector, Sector, acb_mat]]:
        """An operator in the product basis that shifts the charge, as (final, initial, block)."""
        by_charge = {sector.charge: sector for sector in self.sectors}
        found = []
        for initial in self.sectors:
            final = by_charge.get(initial.charge + shift)
            if final is not None:
                found.append((final, initial, block(operator, final.states, initial.states)))
        return found


def levels(model: Model) -> Levels:
    """The eigensystem of H_S, by two routes that must agree.

    Raises
    ------
    Rejected
        If two levels of one sector are exactly degenerate.
    Unsettled
        If the levels of a sector cannot be told apart in balls.
    """
    charges = product_charges(model.charge)
    sectors = []
    first = 0
    for charge in sorted(set(charges)):
        states = tuple(number for number, own in enumerate(charges) if own == charge)
        polynomial = _characteristic(model.hamiltonian, states, charge)
        energies, right = _eigensystem(block(model.hamiltonian, states, states), charge)
        if not all(_has_root(polynomial, *_ends(energy)) for energy in energies):
            raise Rejected(f"two enclosures of a level of charge sector {charge} contradict")
        sectors.append(
            Sector(
                charge=charge,
                states=states,
                first=first,
                energies=tuple(energies),
                right=right,
                left=_inverse(right),
                polynomial=polynomial,
            )
        )
        first += len(states)
    return Levels(size=model.size, sectors=tuple(sectors))


def coincide(one: Sector, level: int, other: Sector, another: int) -> bool:
    """Whether a level of each of two sectors, by place, have exactly the same energy.

    A common root of the two exact polynomials in both enclosures is that energy, because each
    enclosure holds one root. Where there is none, enough bits tell the energies apart.
    """
    common = one.polynomial.gcd(other.polynomial)
    lows, highs = zip(*map(_ends, (one.energies[level], other.energies[another])), strict=True)
    low, high = max(lows), min(highs)
    return common.degree() > 0 and low <= high and _has_root(common, low, high)


def block(operator: Entries, rows: Sequence[int], columns: Sequence[int]) -> acb_mat:
    """The entries of a sparse exact matrix in ``rows`` and ``columns``, as balls."""
    row_of = {state: number for number, state in enumerate(rows)}
    column_of = {state: number for number, state in enumerate(columns)}
    inside = {
        (row_of[row], column_of[column]): value
        for (row, column), value in operator.items()
        if row in row_of and column in column_of
    }
    return sparse(inside, len(rows), len(columns))


def _eigensystem(block: acb_mat, charge: int) -> tuple[list[arb], acb_mat]:
    """Enclosures of all eigenvalues, ascending, and of eigenvectors (Rump's algorithm)."""
    size = block.nrows()
    if size == 1:
        return [block[0, 0].real], identity(1)
    try:
        values, vectors = block.eig(right=True, algorithm="rump")
    except ValueError:
        raise Unsettled(f"the levels of charge sector {charge}") from None
    order = sorted(range(size), key=lambda n: values[n].real.mid())
    energies = [values[n].real for n in order]
    for low, high in itertools.pairwise(energies):
        if not low.upper() < high.lower():
            raise Unsettled(f"the order of the levels of charge sector {charge}")
    return energies, acb_mat([[vectors[row, n] for n in order] for row in range(size)])


def _inverse(matrix: acb_mat) -> acb_mat:
    try:
        return matrix.solve(identity(matrix.nrows()), algorithm="precond")
    except ZeroDivisionError:
        raise Unsettled("the eigenvectors of H_S") from None


def _characteristic(hamiltonian: Entries, states: Sequence[int], charge: int) -> fmpq_poly:
    """The exact characteristic polynomial of one sector, as a product of distinct factors.

    A complex Hermitian H = A + iB is replaced by the real [[A, -B], [B, A]], which has every
    eigenvalue twice. Division by the greatest common divisor with the derivative leaves every
    root once.
    """
    size = len(states)
    copies = 2 if any(imaginary != 0 for _, imaginary in hamiltonian.values()) else 1
    rows = [[ZERO] * (copies * size) for _ in range(copies * size)]
    for i, row in enumerate(states):
        for j, column in enumerate(states):
            real, imaginary = hamiltonian.get((row, column), (ZERO, ZERO))
            for copy in range(copies):
                rows[copy * size + i][copy * size + j] = real
            if copies == 2:
                rows[i][size + j], rows[size + i][j] = -imaginary, imaginary
    polynomial = fmpq_mat(rows).charpoly()
    distinct = polynomial // polynomial.gcd(polynomial.derivative())
    if distinct.degree() < size:
        raise Rejected(f"two levels of charge sector {charge} are exactly degenerate")
    return distinct


def _has_root(polynomial: fmpq_poly, low: fmpq, high: fmpq) -> bool:
    """The second route: whether the exact polynomial changes its sign between the ends of a ball.

    As many disjoint balls as the polynomial's degree then hold one root each.
    """
    return bool(polynomial(low) * polynomial(high) <= 0)


def _ends(energy: arb) -> tuple[fmpq, fmpq]:
    return energy.lower().fmpq(), energy.upper().fmpq()
