"""Coherences: the same two bounds for Lindbladians that reproduce L2(rho0) as well.

Notation: rho0 = sum_a p_a P_a is the exact steady state, tau the least norm of L'(rho0) - L2(rho0)
for all allowed Lindbladians L'; see `lindfeas.checker.redfield` for L2.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flint import acb, acb_mat, arb

from lindfeas.checker import bounds, statement
from lindfeas.checker.balls import (
    frobenius_norm,
    hermitian,
    spectral_norm,
    submatrix,
    trace_norm,
)
from lindfeas.checker.bounds import Region, by_region, candidate, check_eigenvalues
from lindfeas.checker.format import Rejected, require
from lindfeas.checker.local_hamiltonians import gained, squared_norm, without_shifts
from lindfeas.checker.model import (
    PRICE,
    Coupling,
    Model,
    product_charges,
    rational,
)
from lindfeas.checker.redfield import redfield_action
from lindfeas.checker.steady_state import Levels, dagger

DUAL_NORM = {"spectral": "trace", "frobenius": "frobenius", "trace": "spectral"}

NORMS = {
    "spectral": "the largest singular value",
    "frobenius": "the Frobenius norm (the root of the sum of all squared absolute entries)",
    "trace": "the trace norm (the sum of all singular values)",
}

REDFIELD = """Let L2(rho) = - sum_l ([S_l^dag, S_l^D rho] + [rho S_l^C, S_l^dag] + h.c.) with
<a|S_l^C|g> = C_l(E_g - E_a) <a|S_l|g>, <a|S_l^D|g> = D_l(E_g - E_a) <a|S_l|g>, C_l(E) = J_l(E)
n_l(E) / 2 - (i/(2 pi)) P int_0^inf J_l(w) n_l(w) / (w - E) dw, and D_l(E) the same with n_l + 1
for n_l. Where E_g = E_a and <a|S_l|g> is not 0, C_l(0) and D_l(0) are their limits for E -> 0,
which exist; but between |a> and itself, if S_l times some phase is Hermitian, C_l(0) = 0 and
D_l(0) is the limit of D_l(E) + C_l(-E)^* for E -> 0 from above, on which alone L2 depends."""

LIMITED = """Hermitian H_r on region r with tr H_r = 0 and sqrt(tr H_r^2) <= {limit}, """

SMALLEST = 1.0
"""Microseconds per n^3 of a matrix whose smallest eigenvalue is wanted."""

ELIMINATION = 2.5e-4
"""Per n^4 and bit of the Hamiltonian's entries: the exact rank of n commutators."""

TRANSFORM = 20_000.0
"""Per transition, bath and spectral density: two principal values."""


class Enclosed(NamedTuple):
    """What all claims are about, at the precision of the moment; ``action`` is L2(rho0)."""

    model: Model
    levels: Levels
    populations: list[arb]
    state: acb_mat
    regions: tuple[Region, ...]
    action: acb_mat


@dataclass(frozen=True, slots=True, kw_only=True)
class _Multiplier:
    """Y, (Y rho0 + rho0 Y)/2, a bound on Y's dual norm, and what Gamma has no part in.

    That is the least of tr(Y (i[rho0, H] - L2(rho0))) over all allowed H = sum_r H_r (x) 1.
    """

    weight: acb_mat
    product: acb_mat
    size: arb
    offset: arb


def enclosed(model: Model) -> Enclosed:
    """Levels, rho0, L2(rho0) and the allowed operators, rebuilt from the exact model."""
    limit = model.hamiltonian_limit
    counts = limit is None or model.lamb_shift
    require(counts, "ansatz.hamiltonian_limit must be null where no H_r counts")
    require(limit is None or limit >= 0, "ansatz.hamiltonian_limit is negative")
    at = bounds.enclosed(model)
    action = redfield_action(model, at.levels, at.state)
    return Enclosed(*at, action)


def check_lower(at: Enclosed, claim: Mapping[str, Any]) -> None:
    """Prove tau >= claim, by weak duality.

    For every Hermitian Y of dual norm at most N, every allowed Gamma and H_r, and X = L2(rho0),

        N tau >= tr(Y (L'(rho0) - X)) = sum_r <Gamma^r, A^r> - tr(Y X) + sum_r tr(H_r N^r)
              >= sum_r tr(Gamma^r) lambda_min(A^r) - tr(Y X) - h sum_r ||N^r||,

    with A^r as in `dual_matrix` and N^r = tr_(not r) i[Y, rho0]. Without a limit h of the norm of
    H_r, Y is made orthogonal to what the H_r do, so that every N^r is zero.

    Raises
    ------
    Rejected
        If the multiplier or the claimed eigenvalues do not give the claimed bound.
    Unsettled
        If the balls are too wide to tell.
    """
    eigenvalues = [rational(value) for value in by_region(at, claim, "smallest_eigenvalues")]
    multiplier = _multiplier(at, claim["multiplier"])
    reached = arb(at.model.rates.smallest(eigenvalues)) + multiplier.offset
    bounds.require_at_most(
        arb(rational(claim["value"])) * multiplier.size - reached,
        "the claimed lower bound is more than the claimed eigenvalues give",
    )
    check_eigenvalues(at, eigenvalues, multiplier.weight, multiplier.product)


def check_upper(at: Enclosed, claim: Mapping[str, Any]) -> None:
    """Prove that the candidate is allowed, and that its defect is at most the claim.

    See `lindfeas.checker.bounds.candidate` for why Gamma is allowed.

    Raises
    ------
    Rejected
        If the candidate is malformed or its defect is larger.
    Unsettled
        If the balls are too wide to tell.
    """
    change = rotation(at, by_region(at, claim, "candidate")) - at.action
    for part, rows, scale in candidate(at, claim):
        gamma = rows.transpose() * rows.conjugate() * arb(scale)
        change += dissipated(part, gamma, at.state)
    excess = _norm(at, change, at.model.norm) - arb(rational(claim["value"]))
    bounds.require_at_most(excess, "the candidate's defect is more than claimed")


def _multiplier(at: Enclosed, listed: Sequence[Any]) -> _Multiplier:
    if [len(upper) for upper in listed] != [len(sector.states) for sector in at.levels.sectors]:
        raise Rejected("lower_bound.multiplier must be one Hermitian matrix per charge sector")
    given = at.levels.assembled(
        (sector, sector, hermitian(upper))
        for sector, upper in zip(at.levels.sectors, listed, strict=True)
    )
    limit = at.model.hamiltonian_limit
    weight = without_shifts(at.model, at.state, given) if limit is None else given
    product = weight * at.state
    trace = sum(
        (a * b for a, b in zip(weight.entries(), at.action.transpose().entries(), strict=True)),
        acb(0),
    )
    return _Multiplier(
        weight=weight,
        product=(product + dagger(product)) / 2,
        size=_norm(at, weight, DUAL_NORM[at.model.norm]),
        offset=-trace.real - gained(at.regions, product, limit),
    )


def _norm(at: Enclosed, matrix: acb_mat, norm: str) -> arb:
    """An upper bound on a Schatten norm of a Hermitian matrix that conserves the charge."""
    blocks = [submatrix(matrix, own.states, own.states) for own in at.levels.sectors]
    if norm == "frobenius":
        return frobenius_norm(matrix)
    if norm == "trace":
        return sum((trace_norm(block) for block in blocks), arb(0))
    return max(spectral_norm(block) for block in blocks)


def rotation(at: Enclosed, candidate: Sequence[Mapping[str, Any]]) -> acb_mat:
    """i[rho0, sum_r H_r (x) 1] of the candidate."""
    total = acb_mat(at.levels.size, at.levels.size)
    for part, own in zip(at.regions, candidate, strict=True):
        upper = own["hamiltonian"]
        if upper is None:
            continue
        local, where = hermitian(upper), f"the candidate's Hamiltonian of region {part.bath.name}"
        if not at.model.lamb_shift or local.nrows() != part.dimension:
            raise Rejected(f"{where} is not allowed")
        if not is_neutral(at.model, part, local):
            raise Rejected(f"{where} changes the charge")
        limit = at.model.hamiltonian_limit
        if limit is not None and squared_norm(upper) > limit * limit:
            raise Rejected(f"{where} exceeds the limit")
        product = at.state * embedded_matrix(part, local)
        total += (product - dagger(product)) * acb(0, 1)
    return total


def is_neutral(model: Model, part: Region, local: acb_mat) -> bool:
    """Whether an exact matrix on the region conserves the charge."""
    charges = product_charges([model.charge[site] for site in part.bath.sites])
    return all(
        local[a, b].is_zero()
        for a, b in itertools.product(range(part.dimension), repeat=2)
        if charges[a] != charges[b]
    )


def dissipated(part: Region, gamma: acb_mat, state: acb_mat) -> acb_mat:
    """sum_ij Gamma_ij (F_j rho F_i^dag - {F_i^dag F_j, rho}/2) in the product basis."""
    size = part.dimension
    # process[ab, cd] = sum_ij f_j[a,b] Gamma_ij f_i[c,d]
    process = part.basis.transpose() * gamma.transpose() * part.basis
    gain = acb_mat(size * size, size * size)
    loss = acb_mat(size, size)
    for a, b, c, d in itertools.product(range(size), repeat=4):
        gain[a * size + c, b * size + d] = process[a * size + b, c * size + d]
    for a, b, d in itertools.product(range(size), repeat=3):
        loss[d, b] += process[a * size + b, a * size + d]
    gained = gain * part.regrouped(state)
    lost = embedded_matrix(part, loss) * state
    total = acb_mat(state.nrows(), state.nrows())
    for (a, rows), (c, columns) in itertools.product(enumerate(part.place), repeat=2):
        for e, row in enumerate(rows):
            for f, column in enumerate(columns):
                total[row, column] = gained[a * size + c, e * len(rows) + f]
    return (total - (lost + dagger(lost)) / 2) * arb(part.share)


def embedded_matrix(part: Region, matrix: acb_mat) -> acb_mat:
    """A matrix on the region times the identity on the rest."""
    size = len(part.place) * len(part.place[0])
    total = acb_mat(size, size)
    for (a, rows), (b, columns) in itertools.product(enumerate(part.place), repeat=2):
        for row, column in zip(rows, columns, strict=True):
            total[row, column] = matrix[a, b]
    return total


# The words.


def defect(model: Model) -> str:
    """What the bounds are bounds on."""
    return f"{NORMS[model.norm]} of L'(rho0) - L2(rho0)"


def subject(problem: Mapping[str, Any], model: Model) -> list[str]:
    """What the theorem is about; see `lindfeas.checker.statement.subject`."""
    redfield = [statement.filled(REDFIELD)]
    if model.hamiltonian_limit is None:
        return statement.subject(problem, model, redfield)
    limited = LIMITED.format(limit=problem["ansatz"]["hamiltonian_limit"])
    return statement.subject(problem, model, redfield, limited)


# What the check will cost.


def further_work(model: Model) -> float:
    """Microseconds for what populations do not need; see `lindfeas.checker.model.work`."""
    norms = 4 * SMALLEST * sum(n**3 for n in model.sectors.values())
    return norms + _transforms_work(model) + _shifts_work(model)


def transitions(model: Model, coupling: Coupling) -> int:
    return sum(n * model.sectors[charge + coupling.shift] for charge, n in model.sectors.items())


def _transforms_work(model: Model) -> float:
    work = sum(len(bath.couplings) for bath in model.baths) * (
        10 * PRICE["product"] * model.size**3 + 4 * PRICE["entry"] * model.size**2
    )
    for bath in model.baths:
        # couplings of one density share a transform, unless they shift the charge differently
        shifts = {(coupling.density, coupling.shift): coupling for coupling in bath.couplings}
        work += TRANSFORM * sum(transitions(model, coupling) for coupling in shifts.values())
    return work


def _shifts_work(model: Model) -> float:
    """Of what the local Hamiltonians do."""
    if not model.lamb_shift:
        return 0.0
    size = model.size
    if model.hamiltonian_limit is not None:
        return len(model.baths) * PRICE["entry"] * size * size
    count = sum(
        sum(
            n * n
            for n in Counter(product_charges([model.charge[site] for site in bath.sites])).values()
        )
        for bath in model.baths
    )
    exact = ELIMINATION * count**4 * _bits(model)
    return (
        exact
        + count * count * (PRICE["product"] * size * size + PRICE["entry"] * size)
        + count * PRICE["product"] * size**3
    )


def _bits(model: Model) -> int:
    """Of the longest number in the Hamiltonian."""
    numbers = [value for entry in model.hamiltonian.values() for value in entry]
    return max((int(v.p).bit_length() + int(v.q).bit_length() for v in numbers), default=1)
