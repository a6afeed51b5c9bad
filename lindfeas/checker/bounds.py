"""Step 4: the allowed Lindbladians, and the two bounds on the least defect tau of all of them.

    L'(rho) = sum_r i[rho, H_r] + sum_ij Gamma^r_ij (F_j rho F_i^dag - {F_i^dag F_j, rho}/2),

F_i = f_i (x) 1 / sqrt(d/d_r), with f_i orthonormal and traceless on the region: for a site of n
levels the generalised Gell-Mann diagonals, the matrix units |a><b| and 1/sqrt(n); products for
more sites, the product of units left out. They are ordered by the charge that they carry.

Lemma: `check_lower` proves that sum_k |<k|L'(rho0)|k>| is at least the claim for every allowed L',
`check_upper` that it is at most the claim for one of them. The H_r have no part in it, because
rho0 = sum_a p_a P_a commutes with every P_k.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from flint import acb, acb_mat, arb, fmpq

from lindfeas.checker.format import Unsettled, require
from lindfeas.checker.model import Bath, Entries, Model, gaussian, placement, rational
from lindfeas.checker.steady_state import Levels, block, dagger, identity, steady_state

Sparse = dict[tuple[int, int], arb]
_Operator = tuple[int, str, Sparse]
"""(charge shift, label, nonzero entries), all real."""

# The allowed operators.


class Group(NamedTuple):
    """Basis operators of one charge: their labels, and their place in the region's basis."""

    charge: int
    labels: tuple[str, ...]
    members: range


class Region(NamedTuple):
    """One bath's region.

    Parameters
    ----------
    bath, dimension
        The bath, and d_r.
    share
        d_r/d.
    place
        Number of the basis state with the region in state a and the rest in e, [a][e].
    groups
        The basis, by ascending charge.
    basis
        Row i holds the entries (a, b) of f_i at a d_r + b, shape (d_r^2 - 1, d_r^2); all real.
    """

    bath: Bath
    dimension: int
    share: fmpq
    place: list[list[int]]
    groups: tuple[Group, ...]
    basis: acb_mat

    def blocks(self, matrix: acb_mat) -> Iterator[tuple[Group, acb_mat]]:
        """The diagonal blocks of a (d_r^2 - 1)-square matrix, group by group."""
        for group in self.groups:
            members = group.members
            yield group, acb_mat([[matrix[row, column] for column in members] for row in members])

    def dual_matrix(self, weight: acb_mat, state: acb_mat, product: acb_mat) -> acb_mat:
        """A_ij = tr(Y (F_j rho F_i^dag - {F_i^dag F_j, rho}/2)), shape (d_r^2 - 1,) twice.

        ``weight`` Y, ``state`` rho and ``product`` (Y rho + rho Y)/2 are Hermitian in the product
        basis. Between operators of different charge A vanishes, because Y and rho conserve the
        charge.
        """
        return self.dual(self.regrouped(weight) * dagger(self.regrouped(state)), product)

    def dual(self, flow: acb_mat, product: acb_mat) -> acb_mat:
        """A from the regrouped Y times the regrouped rho's adjoint, and (Y rho + rho Y)/2.

        With the region's indices first, tr(Y f_j rho f_i^dag) is
        sum f_i[c,d] f_j[a,b] Y[cg, ae] rho[be, dg], and the rest takes a partial trace only.
        """
        size, local = self.dimension, self.partial_trace(product)
        form = acb_mat(size * size, size * size)
        for a, b, c, d in itertools.product(range(size), repeat=4):
            lost = local[b, d] if a == c else 0
            form[c * size + d, a * size + b] = flow[c * size + a, d * size + b] - lost
        return self.basis * form * self.basis.transpose() * arb(self.share)

    def partial_trace(self, matrix: acb_mat) -> acb_mat:
        """The trace over the rest, shape (d_r, d_r)."""
        pairs = itertools.product(self.place, repeat=2)
        traces = [sum(map(matrix.__getitem__, zip(a, b, strict=True)), acb(0)) for a, b in pairs]
        return acb_mat(self.dimension, self.dimension, traces)

    def regrouped(self, matrix: acb_mat) -> acb_mat:
        """Rows (a, b), columns (e, g): M[ae, bg]."""
        table = matrix.tolist()
        pairs = itertools.product(self.place, repeat=2)
        return acb_mat([[table[r][c] for r in rows for c in columns] for rows, columns in pairs])


def region(model: Model, bath: Bath) -> Region:
    """The region of a bath, with its operator basis."""
    d, found, groups = bath.levels, _operators(model, bath), []
    entries = {(n, a * d + b): (x, 0) for n, (*_, f) in enumerate(found) for (a, b), x in f.items()}
    for charge, members in itertools.groupby(enumerate(found), key=lambda own: own[1][0]):
        numbers, own = zip(*members, strict=True)
        labels = tuple(label for _, label, _ in own)
        groups.append(Group(charge, labels, range(numbers[0], numbers[-1] + 1)))
    place, basis = (
        placement(model.dimensions, bath.sites),
        block(entries, range(len(found)), range(d * d)),
    )
    return Region(bath, d, fmpq(d, model.size), place, tuple(groups), basis)


def _operators(model: Model, bath: Bath) -> list[_Operator]:
    """Products of site operators by ascending charge, the product of units left out."""
    found: list[_Operator] = [(0, "", {(0, 0): arb(1)})]
    for site in bath.sites:
        size, charge = model.dimensions[site], model.charge[site]
        found = [
            (shift + step, f"{label} {token}".lstrip(), _product(one, other, size))
            for shift, label, one in found
            for step, token, other in _site_operators(size, charge)
        ]
    unit = " ".join("1" * len(bath.sites))
    return sorted((own for own in found if own[1] != unit), key=lambda own: own[0])


def _product(one: Sparse, other: Sparse, size: int) -> Sparse:
    """The tensor product with a matrix of ``size`` rows."""
    pairs = itertools.product(one.items(), other.items())
    return {(a * size + c, b * size + d): x * y for ((a, b), x), ((c, d), y) in pairs}


def _site_operators(size: int, charge: tuple[int, ...]) -> Iterator[_Operator]:
    for rank in range(1, size):
        norm = arb(rank * (rank + 1)).sqrt()
        entries = {(n, n): -1 / norm for n in range(rank)} | {(rank, rank): rank / norm}
        yield 0, "z" if size == 2 else f"z{rank}", entries
    for final, initial in itertools.permutations(range(size), 2):
        name = "+-"[final] if size == 2 else f"|{final}><{initial}|"
        yield charge[final] - charge[initial], name, {(final, initial): arb(1)}
    yield 0, "1", {(n, n): 1 / arb(size).sqrt() for n in range(size)}


# Positive matrices.


def is_positive_definite(matrix: acb_mat) -> bool:
    """Whether the exact Hermitian matrix inside the balls is positive definite.

    The exact matrix is the Hermitian part of the midpoints plus a Hermitian error, with entries of
    at most (r_ij + r_ji)/2, whose norm is at most the Frobenius norm of the radii r; by Weyl's
    inequality no eigenvalue moves by more. An LDL^dagger factorisation of that Hermitian part,
    shifted by that much, decides.

    Raises
    ------
    Unsettled
        If the balls are too wide to tell.
    """
    shift = hermitian_radius(matrix)
    if _has_positive_pivots(matrix, shift):
        return True
    if _has_positive_pivots(matrix, -shift) is False:
        return False
    raise Unsettled("whether a matrix is positive")


def hermitian_radius(matrix: acb_mat) -> arb:
    """Frobenius norm of all radii: the exact matrix is as near to the midpoints' Hermitian part."""
    return sum((x.rad() * x.rad() for x in matrix.entries()), arb(0)).sqrt().upper()


def _has_positive_pivots(matrix: acb_mat, shift: arb) -> bool | None:
    """Whether (M + M^dag)/2 - shift has an LDL^dagger with positive pivots, M being the midpoints.

    None if in doubt. The rows are those of the upper triangle, from the diagonal on; each pivot
    leaves those of the Schur complement.
    """
    middle = (matrix.mid() + dagger(matrix.mid())) / 2 - shift * identity(matrix.nrows())
    rows = [row[number:] for number, row in enumerate(middle.tolist())]
    while rows:
        (pivot, *first), *rows = rows
        if not pivot.real > 0:
            return False if pivot.real < 0 else None
        for number, (row, entry) in enumerate(zip(rows, first, strict=True)):
            factor = entry.conjugate() / pivot.real
            if not factor.is_zero():
                row[:] = [x - factor * y for x, y in zip(row, first[number:], strict=True)]
    return True


# The claims.


class Enclosed(NamedTuple):
    """What all claims are about, at the precision of the moment; the state is rho0."""

    model: Model
    levels: Levels
    populations: list[arb]
    state: acb_mat
    regions: tuple[Region, ...]


def enclosed(model: Model) -> Enclosed:
    """Levels, rho0 and the allowed operators, rebuilt from the exact model."""
    return Enclosed(model, *steady_state(model), tuple(region(model, own) for own in model.baths))


def check_lower(at: Enclosed, claim: Any) -> None:
    """Prove tau >= claim, by weak duality.

    For Y = sum_k y_k P_k, |y_k| <= 1, and every allowed Gamma, with A^r as in `dual_matrix`,

        tau >= tr(Y L'(rho0)) = sum_r <Gamma^r, A^r> >= sum_r tr(Gamma^r) lambda_min(A^r).

    Raises
    ------
    Rejected
        If the multiplier or the claimed eigenvalues do not give the claimed bound.
    Unsettled
        If the balls are too wide to tell.
    """
    y = [rational(value) for value in claim["multiplier"]]
    eigenvalues = [rational(value) for value in by_region(at, claim, "smallest_eigenvalues")]
    require(max(map(abs, y)) <= 1, "lower_bound.multiplier has an entry outside [-1, 1]")
    enough = rational(claim["value"]) <= at.model.rates.smallest(eigenvalues)
    require(enough, "the claimed lower bound is more than the claimed eigenvalues give")
    product = at.levels.weighted([a * b for a, b in zip(y, at.populations, strict=True)])
    check_eigenvalues(at, eigenvalues, at.levels.weighted(y), product)


def check_eigenvalues(at: Any, claimed: list[fmpq], weight: acb_mat, product: acb_mat) -> None:
    """Prove that every A^r is above the claimed eigenvalue; for the arguments see `dual_matrix`."""
    for part, eigenvalue in zip(at.regions, claimed, strict=True):
        for group, own in part.blocks(part.dual_matrix(weight, at.state, product)):
            above = is_positive_definite(own - arb(eigenvalue) * identity(own.nrows()))
            otherwise = f"A(y) of region {part.bath.name} has an eigenvalue below the claimed one"
            require(above, f"{otherwise}, at charge {group.charge}")


def check_upper(at: Enclosed, claim: Any) -> None:
    """Prove that the candidate is allowed, and that its defect is at most the claim.

    With Gamma = s sum_n w_n w_n^dag, a region acts by the jumps sqrt(s d_r/d) L_n (x) 1,
    L_n = sum_j w_nj^* f_j. As rho0 commutes with every P_k, the defect is sum_k |<k|X|k>| with
    X = sum_n L_n rho0 L_n^dag - L_n^dag L_n rho0, which acts on the region's indices of rho0 only.

    Raises
    ------
    Rejected
        If the candidate is malformed or its defect is larger.
    Unsettled
        If the balls are too wide to tell.
    """
    total, change = [[acb(0)] * at.levels.size for _ in range(at.levels.size)], arb(0)
    for part, rows, scale in candidate(at, claim):
        d, jumps, action = part.dimension, rows.conjugate() * part.basis, []
        # sum_n L_n[x] L_n[y]^* for entries x = d a + c and y = d b + e, and sum_n L_n^dag L_n
        both, firsts = (jumps.transpose() * jumps.conjugate()).tolist(), range(0, d * d, d)
        lost = [[sum(both[n + c][n + a] for n in firsts) for c in range(d)] for a in range(d)]
        for a, b in itertools.product(range(d), repeat=2):
            row = [x for own in both[d * a : d * a + d] for x in own[d * b : d * b + d]]
            row[b::d] = map(acb.__sub__, row[b::d], lost[a])
            action.append(row)
        moved = acb_mat(action) * part.regrouped(at.state) * arb(scale * part.share)
        for spots, row in zip(itertools.product(part.place, repeat=2), moved.tolist(), strict=True):
            for (r, c), x in zip(itertools.product(*spots), row, strict=True):
                total[r][c] += x
    for sector in at.levels.sectors:
        own = acb_mat([[total[r][c] for c in sector.states] for r in sector.states])
        inside = sector.left * own * sector.right
        change += sum(abs(inside[n, n].real) for n in range(own.nrows()))
    excess = change - arb(rational(claim["value"]))
    require_at_most(excess, "the candidate's defect is more than claimed")


def candidate(at: Any, claim: Any) -> Iterator[tuple[Region, Any, Any]]:
    """Gamma = s sum_n w_n w_n^dag of every region: rows w_n over its basis, and s.

    It is positive whatever the w_n are, and the exact s makes its trace meet the rate rule exactly.
    """
    found = map(_factors, at.regions, by_region(at, claim, "candidate"))
    rows, traces = zip(*found, strict=True)
    return zip(at.regions, rows, at.model.rates.factors(traces), strict=True)


def _factors(part: Region, own: Any) -> tuple[acb_mat, fmpq]:
    """All w_n of a region, and sum_n ||w_n||^2, exactly."""
    blocks, where = own["kossakowski"], f"the candidate of region {part.bath.name}"
    known = [(charge, list(labels)) for charge, labels, _ in part.groups]
    found = [(listed["charge"], listed["basis"]) for listed in blocks]
    require(found == known, f"{where} is not in the basis of the ansatz")
    entries: Entries = {}
    count = 0
    for group, listed in zip(part.groups, blocks, strict=True):
        require(len(listed["factors"]) <= len(group.members), f"{where} has too many factors")
        for factor in listed["factors"]:
            require(len(factor) == len(group.members), f"{where} has a factor of another length")
            for column, value in zip(group.members, factor, strict=True):
                entries[count, column] = gaussian(value)
            count += 1
    trace = sum((a * a + b * b for a, b in entries.values()), fmpq(0))
    return block(entries, range(count), range(part.basis.nrows())), trace


def by_region(at: Any, claim: Any, key: str) -> list[Any]:
    """What a claim lists of every region, in the order of the baths."""
    names = [part.bath.name for part in at.regions]
    require(set(claim[key]) == set(names), f"{key} must have the regions {', '.join(names)}")
    return [claim[key][name] for name in names]


def require_at_most(excess: arb, otherwise: str) -> None:
    """Reject what is certainly above zero."""
    require(not excess > 0, otherwise)
    if not excess <= 0:
        raise Unsettled(f"whether {otherwise}")


def column_bound(model: Model, lower: fmpq) -> fmpq:
    """||p - p'||_1 >= tau / (2 sum_r t_r d_r/d), for every allowed Lindbladian.

    tau <= ||C p||_1 = ||C (p - p')||_1 <= max_a sum_k |C_ka| ||p - p'||_1, and as the columns of C
    add up to zero, sum_k |C_ka| = 2 |C_aa| <= 2 sum_r <a|sum_ij Gamma^r_ij F_i^dag F_j|a> with
    operators whose squared norms are at most d_r/d for a Gamma of trace one.
    """
    shares = [fmpq(bath.levels, model.size) for bath in model.baths]
    terms = [rate * share for rate, share in zip(model.rates.highest, shares, strict=True)]
    return lower / (2 * (max(terms) if model.rates.total else sum(terms, fmpq(0))))
