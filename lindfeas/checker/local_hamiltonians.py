"""What the local Hamiltonians H_r can and cannot hide, in balls.

With a limit h of the Hilbert-Schmidt norm of every traceless H_r, a multiplier Y gains at least
-h ||N^r|| from H_r, N^r = tr_(not r) i[Y, rho0] (`gained`).

Without one, Y bounds the defect only if tr(Y i[rho0, H_r (x) 1]) = 0 for every Hermitian H_r. For
operators that change the charge this holds exactly, because Y and rho0 conserve it. The others are
spanned by h_1, ..., h_n, and Q_i = i[rho0, h_i (x) 1] must be orthogonal to Y.

Which h_i to take is decided exactly: an H that commutes with H_S is diagonal between its levels,
which are not degenerate, and so commutes with rho0. Hence the Q of a largest subset of the h_i
with linearly independent i[H_S, h_i (x) 1], an exact rank over the rationals, span all Q_i.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import acb, acb_mat, arb, fmpq, fmpq_mat

from lindfeas.checker.balls import frobenius_norm
from lindfeas.checker.bounds import Region
from lindfeas.checker.format import Unsettled
from lindfeas.checker.model import (
    ONE,
    ZERO,
    Entries,
    Model,
    embedded,
    gaussian,
    product_charges,
)
from lindfeas.checker.steady_state import block, dagger


def gained(regions: Sequence[Region], product: acb_mat, limit: fmpq | None) -> arb:
    """By how much the H_r can lower tr(Y i[rho0, sum_r H_r (x) 1]) below zero, at most.

    tr(Y i[rho0, H (x) 1]) = tr(H N) with N = tr_(not r) i[Y, rho0], which is traceless; and
    |tr(H N)| <= ||H|| ||N|| in the Hilbert-Schmidt norm.

    Parameters
    ----------
    product
        Y rho0 in the product basis.
    limit
        h; None if Y commutes with what the H_r do, which then gain nothing.
    """
    if limit is None:
        return arb(0)
    commutator = (product - dagger(product)) * acb(0, 1)
    norms = (frobenius_norm(region.partial_trace(commutator)) for region in regions)
    return arb(limit) * sum(norms, arb(0))


def squared_norm(upper: Sequence[Sequence[Any]]) -> fmpq:
    """tr H^2 - (tr H)^2 / n of a Hermitian n x n matrix, the norm of H less its trace, exactly."""
    squares = trace = ZERO
    for row in upper:
        for column, value in enumerate(row):
            real, imaginary = gaussian(value)
            squares += (real * real + imaginary * imaginary) * (2 if column else 1)
            trace += ZERO if column else real
    return squares - trace * trace / len(upper)


def without_shifts(model: Model, state: acb_mat, weight: acb_mat) -> acb_mat:
    """Y = Y' - sum_i c_i Q_i, orthogonal to what any H_r does to the state.

    Parameters
    ----------
    state
        rho0 in the product basis.
    weight
        Any Hermitian Y' in the product basis that conserves the charge.

    Raises
    ------
    Unsettled
        If the Gram matrix of the Q_i could not be shown to be regular.
    """
    if not model.lamb_shift:
        return weight
    size = model.size
    rows = []
    for operator in _independent(model):
        product = state * block(operator, range(size), range(size))
        rows.append((product - dagger(product)) * acb(0, 1))
    if not rows:
        return weight
    flat = acb_mat([_flat(row) for row in rows])
    gram = (flat.conjugate() * flat.transpose()).real
    overlap = (flat.conjugate() * acb_mat([_flat(weight)]).transpose()).real
    try:
        solution = gram.solve(overlap, algorithm="precond")
    except ZeroDivisionError:
        raise Unsettled("what local Hamiltonians do to the state") from None
    total = acb_mat(weight)
    for number, row in enumerate(rows):
        total -= row * solution[number, 0]
    return total


def _flat(matrix: acb_mat) -> list[acb]:
    return [entry for row in matrix.tolist() for entry in row]


def _independent(model: Model) -> list[Entries]:
    """h_i (x) 1 with linearly independent commutators with H_S, as many as there are."""
    operators = [
        embedded(local, model.dimensions, bath.sites)
        for bath in model.baths
        for local in _local_operators(product_charges([model.charge[s] for s in bath.sites]))
    ]
    commutators = [_commutator(model.hamiltonian, operator) for operator in operators]
    count = len(operators)
    gram = fmpq_mat(count, count, [_overlap(a, b) for a in commutators for b in commutators])
    reduced, rank = gram.rref()
    pivots = [
        next(column for column in range(count) if reduced[row, column] != 0) for row in range(rank)
    ]
    return [operators[pivot] for pivot in pivots]


def _local_operators(charges: Sequence[int]) -> list[Entries]:
    """A basis of the Hermitian matrices on a region that conserve the charge."""
    found: list[Entries] = []
    for a, own in enumerate(charges):
        found.append({(a, a): (ONE, ZERO)})
        for b in range(a):
            if charges[b] == own:
                found.append({(a, b): (ONE, ZERO), (b, a): (ONE, ZERO)})
                found.append({(a, b): (ZERO, ONE), (b, a): (ZERO, -ONE)})
    return found


def _commutator(one: Entries, other: Entries) -> Entries:
    """one * other - other * one."""
    total: Entries = {}
    for left, right, sign in ((one, other, 1), (other, one, -1)):
        rows: dict[int, list[tuple[int, tuple[fmpq, fmpq]]]] = {}
        for (row, column), value in right.items():
            rows.setdefault(row, []).append((column, value))
        for (row, middle), (a, b) in left.items():
            for column, (c, d) in rows.get(middle, ()):
                real, imaginary = total.get((row, column), (ZERO, ZERO))
                total[row, column] = (
                    real + sign * (a * c - b * d),
                    imaginary + sign * (a * d + b * c),
                )
    return total


def _overlap(one: Entries, other: Entries) -> fmpq:
    """Re tr(one^dagger other)."""
    products = (
        a * other[key][0] + b * other[key][1] for key, (a, b) in one.items() if key in other
    )
    return sum(products, ZERO)
