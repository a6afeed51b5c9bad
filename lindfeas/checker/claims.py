"""The claims of a certificate, each proved or refuted in balls.

Notation: rho0 = sum_a p_a P_a is the exact steady state, tau the least defect of all allowed
Lindbladians. For populations the defect is sum_k |<k|L'(rho0)|k>|, with coherences the norm of
L'(rho0) - L2(rho0).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import acb, acb_mat, arb, fmpq

from lindfeas.checker.ansatz import Region, region
from lindfeas.checker.balls import (
    dagger,
    frobenius_norm,
    hermitian,
    identity,
    is_positive_definite,
    smallest_eigenvalue,
    sparse,
    spectral_norm,
    trace_norm,
)
from lindfeas.checker.errors import Rejected, Unsettled
from lindfeas.checker.exact import ZERO, gaussian, rational
from lindfeas.checker.levels import Levels, levels
from lindfeas.checker.local_hamiltonians import gained, squared_norm, without_shifts
from lindfeas.checker.model import Model
from lindfeas.checker.redfield import redfield_action
from lindfeas.checker.reference import populations

POPULATIONS = "populations"
DUAL_NORM = {"spectral": "trace", "frobenius": "frobenius", "trace": "spectral"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all claims are about, at the precision of the moment; ``action`` is L2(rho0)."""

    model: Model
    levels: Levels
    populations: list[arb]
    state: acb_mat
    action: acb_mat | None
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Multiplier:
    """Y, (Y rho0 + rho0 Y)/2, a bound on Y's dual norm, and what Gamma has no part in.

    That is the least of tr(Y (i[rho0, H] - L2(rho0))) over all allowed H = sum_r H_r (x) 1.
    """

    weight: acb_mat
    product: acb_mat
    size: arb
    offset: arb


def setting(model: Model) -> Setting:
    """Levels, rho0, L2(rho0) and the allowed operators, rebuilt from the exact model."""
    regions = tuple(region(model, bath) for bath in model.baths)
    spectrum = levels(model)
    p = populations(model, spectrum)
    state = spectrum.weighted(p)
    plain = model.target == POPULATIONS
    return Setting(
        model=model,
        levels=spectrum,
        populations=p,
        state=state,
        action=None if plain else redfield_action(model, spectrum, state),
        regions=regions,
    )


def check_lower(at: Setting, claim: Mapping[str, Any]) -> None:
    """Prove tau >= claim, by weak duality.

    For every Hermitian Y of dual norm at most N and every allowed Gamma and H_r, with X = 0 for
    populations (Y = sum_k y_k P_k, |y_k| <= 1) and else L2(rho0),

        N tau >= tr(Y (L'(rho0) - X)) = sum_r <Gamma^r, A^r> - tr(Y X) + sum_r tr(H_r N^r)
              >= sum_r tr(Gamma^r) lambda_min(A^r) - tr(Y X) - h sum_r ||N^r||,

    with A^r as in `dual_matrix` and N^r = tr_(not r) i[Y, rho0], which is zero if Y commutes with
    rho0, as for populations. Without a limit h of the norm of H_r, Y is made orthogonal to what
    the H_r do, so that every N^r is zero.

    Raises
    ------
    Rejected
        If the multiplier or the claimed eigenvalues do not give the claimed bound.
    Unsettled
        If the balls are too wide to tell.
    """
    smallest = _by_region(at, claim["smallest_eigenvalues"], "lower_bound.smallest_eigenvalues")
    eigenvalues = [rational(value) for value in smallest]
    multiplier = _multiplier(at, claim["multiplier"])
    reached = arb(at.model.rates.smallest(eigenvalues)) + multiplier.offset
    _require_at_most(
        arb(rational(claim["value"])) * multiplier.size - reached,
        "the claimed lower bound is more than the claimed eigenvalues give",
    )
    matrices = (
        part.dual_matrix(multiplier.weight, at.state, multiplier.product) for part in at.regions
    )
    for part, matrix, eigenvalue in zip(at.regions, matrices, eigenvalues, strict=True):
        for group, block in part.blocks(matrix):
            if not is_positive_definite(block - arb(eigenvalue) * identity(block.nrows())):
                raise Rejected(
                    f"A(y) of region {part.name} has an eigenvalue below the claimed "
                    f"one, at charge {group.charge}"
                )


def check_upper(at: Setting, claim: Mapping[str, Any]) -> None:
    """Prove that the candidate is allowed, and that its defect is at most the claim.

    Gamma = s sum_n w_n w_n^dagger is positive whatever the w_n are, and the exact s gives its
    trace the exact value that the rate rule wants.

    Raises
    ------
    Rejected
        If the candidate is malformed or its defect is larger.
    Unsettled
        If the balls are too wide to tell.
    """
    candidate = _by_region(at, claim["candidate"], "upper_bound.candidate")
    factors = [_factors(part, own) for part, own in zip(at.regions, candidate, strict=True)]
    traces = [sum((a * a + b * b for a, b in own.values()), ZERO) for own, _ in factors]
    scales = at.model.rates.factors(traces)
    change = acb_mat(at.levels.size, at.levels.size)
    for part, (own, count), scale in zip(at.regions, factors, scales, strict=True):
        rows = sparse(own, count, part.basis.nrows())
        gamma = rows.transpose() * rows.conjugate() * arb(scale)
        change += part.dissipated(gamma, at.state)
    if at.action is not None:
        change += _rotation(at, candidate) - at.action
    claimed = arb(rational(claim["value"]))
    _require_at_most(_defect(at, change) - claimed, "the candidate's defect is more than claimed")


def check_distance(at: Setting, claim: Mapping[str, Any]) -> None:
    """Prove ||p - p'||_1 >= L for all p' with C p' = 0 of every allowed Lindbladian.

    With C_ka = <k|L'(P_a)|k>, v = C^T y and B^r_a the dual matrix of Y and P_a, so that
    v_a = sum_r <Gamma^r, B^r_a>, the condition checked here for every level a and both signs,

        min over the rates of sum_r tr(Gamma^r) lambda_min(A^r -/+ (L B^r_a - K^r)) > 0,

    gives y.C p > max_a |L v_a - k| with k = sum_r <Gamma^r, K^r>. As C p' = 0 and
    sum_a (p_a - p'_a) = 0, L y.C p = sum_a (L v_a - k)(p_a - p'_a) <= (y.C p) ||p - p'||_1.

    A claim may cut the allowed Gamma in two, along sum_b w_b tr Gamma_b = 0 with the charges b of
    all regions, and each part again; every part has its own y and K. In a part in which the w_j
    have sum_b w_jb tr Gamma_b >= 0, slopes m_ja >= 0 make the condition weaker: the smallest
    eigenvalue of a region becomes min_b (lambda_min of charge b - sum_j m_ja w_jb).

    Raises
    ------
    Rejected
        If the witnesses are malformed.
    Unsettled
        If the condition could not be shown.
    """
    _check_part(at, arb(rational(claim["norm1_lower"])), claim, ())


def _check_part(
    at: Setting, length: arb, part: Mapping[str, Any], cuts: tuple[list[list[fmpq]], ...]
) -> None:
    """Prove a distance for the Gamma with sum_b w_b tr Gamma_b >= 0 for all w in ``cuts``."""
    if "cut" not in part:
        return _check_cell(at, length, part, cuts)
    listed = _by_region(at, part["cut"], "trace_distance.cut")
    if [len(own) for own in listed] != [len(region.groups) for region in at.regions]:
        raise Rejected("trace_distance.cut must have one weight per charge of every region")
    above = [[rational(weight) for weight in own] for own in listed]
    below = [[-weight for weight in own] for own in above]
    _check_part(at, length, part["above"], (*cuts, above))
    _check_part(at, length, part["below"], (*cuts, below))
    return None


def _check_cell(
    at: Setting, length: arb, cell: Mapping[str, Any], cuts: tuple[list[list[fmpq]], ...]
) -> None:
    y = _level_weights(at, cell["multiplier"])
    listed = _by_region(at, cell["shifts"], "trace_distance.shifts")
    shifts = [_shift_blocks(region, own) for region, own in zip(at.regions, listed, strict=True)]
    slopes = _slopes(at, cell.get("slopes", ()), len(cuts))
    forward = list(_level_matrices(at, y, at.populations))
    for level in range(at.levels.size):
        single = [arb(int(other == level)) for other in range(at.levels.size)]
        apart = [
            [block * length - shift for block, shift in zip(column, own, strict=True)]
            for column, own in zip(_level_matrices(at, y, single), shifts, strict=True)
        ]
        for sign, place in ((1, level), (-1, at.levels.size + level)):
            smallest = [
                min(
                    smallest_eigenvalue(a - b * sign).fmpq()
                    - sum((m[place] * w[r][g] for m, w in zip(slopes, cuts, strict=True)), ZERO)
                    for g, (a, b) in enumerate(zip(one, two, strict=True))
                )
                for r, (one, two) in enumerate(zip(forward, apart, strict=True))
            ]
            if not at.model.rates.smallest(smallest) > 0:
                raise Unsettled(f"the trace distance, at level {level}")


def column_bound(model: Model, regions: Sequence[Region], lower: fmpq) -> fmpq:
    """||p - p'||_1 >= tau / (2 sum_r t_r d_r/d), for every allowed Lindbladian.

    tau <= ||C p||_1 = ||C (p - p')||_1 <= max_a sum_k |C_ka| ||p - p'||_1, and as the columns of C
    add up to zero, sum_k |C_ka| = 2 |C_aa| <= 2 sum_r <a|sum_ij Gamma^r_ij F_i^dag F_j|a> with
    operators whose squared norms are at most d_r/d for a Gamma of trace one.
    """
    rates = model.rates.highest
    terms = [rate * part.share for rate, part in zip(rates, regions, strict=True)]
    total = max(terms) if model.rates.rule == "total" else sum(terms, ZERO)
    return lower / (2 * total)


def _require_at_most(excess: arb, otherwise: str) -> None:
    if excess > 0:
        raise Rejected(otherwise)
    if not excess <= 0:
        raise Unsettled(f"whether {otherwise}")


def _multiplier(at: Setting, listed: Sequence[Any]) -> _Multiplier:
    if at.action is None:
        y = _level_weights(at, listed)
        if max(abs(value) for value in y) > 1:
            raise Rejected("lower_bound.multiplier has an entry outside [-1, 1]")
        weight, product = _weighted(at, y, at.populations)
        return _Multiplier(weight=weight, product=product, size=arb(1), offset=arb(0))
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


def _defect(at: Setting, change: acb_mat) -> arb:
    """An upper bound on the defect of L'(rho0) - X = ``change``."""
    if at.action is None:
        return sum((abs(value) for value in at.levels.expectations(change)), arb(0))
    return _norm(at, change, at.model.norm)


def _norm(at: Setting, matrix: acb_mat, norm: str) -> arb:
    """An upper bound on a Schatten norm of a Hermitian matrix that conserves the charge."""
    blocks = at.levels.diagonal_blocks(matrix)
    if norm == "frobenius":
        return frobenius_norm(matrix)
    if norm == "trace":
        return sum((trace_norm(block) for block in blocks), arb(0))
    return max(spectral_norm(block) for block in blocks)


def _rotation(at: Setting, candidate: Sequence[Mapping[str, Any]]) -> acb_mat:
    """i[rho0, sum_r H_r (x) 1] of the candidate."""
    total = acb_mat(at.levels.size, at.levels.size)
    for part, own in zip(at.regions, candidate, strict=True):
        upper = own["hamiltonian"]
        if upper is None:
            continue
        local = hermitian(upper)
        if not at.model.lamb_shift or local.nrows() != part.dimension:
            raise Rejected(f"the candidate's Hamiltonian of region {part.name} is not allowed")
        if not part.is_neutral(local):
            raise Rejected(f"the candidate's Hamiltonian of region {part.name} changes the charge")
        limit = at.model.hamiltonian_limit
        if limit is not None and squared_norm(upper) > limit * limit:
            raise Rejected(f"the candidate's Hamiltonian of region {part.name} exceeds the limit")
        product = at.state * part.embedded(local)
        total += (product - dagger(product)) * acb(0, 1)
    return total


def _level_weights(at: Setting, listed: Sequence[Any]) -> list[fmpq]:
    """y of a certificate, one exact number per level."""
    if not all(isinstance(value, str) for value in listed):
        raise Rejected("a multiplier of levels must be a list of numbers")
    if len(listed) != at.levels.size:
        raise Rejected(f"a multiplier has {len(listed)} entries for {at.levels.size} levels")
    return [rational(value) for value in listed]


def _weighted(
    at: Setting, y: Sequence[fmpq], populations: Sequence[arb]
) -> tuple[acb_mat, acb_mat]:
    """sum_k y_k P_k, and sum_k y_k p_k P_k."""
    multiplier = [arb(value) for value in y]
    products = [a * b for a, b in zip(multiplier, populations, strict=True)]
    return at.levels.weighted(multiplier), at.levels.weighted(products)


def _by_region(at: Setting, table: Mapping[str, Any], where: str) -> list[Any]:
    names = [part.name for part in at.regions]
    if set(table) != set(names):
        raise Rejected(f"{where} must have exactly the regions {', '.join(names)}")
    return [table[name] for name in names]


def _level_matrices(
    at: Setting, y: Sequence[fmpq], populations: Sequence[arb]
) -> Iterator[list[acb_mat]]:
    """Blocks of the dual matrix of sum_k y_k P_k and sum_a p_a P_a, region by region."""
    weight, product = _weighted(at, y, populations)
    state = at.levels.weighted(populations)
    for part in at.regions:
        yield [block for _, block in part.blocks(part.dual_matrix(weight, state, product))]


def _factors(
    part: Region, candidate: Mapping[str, Any]
) -> tuple[dict[tuple[int, int], tuple[fmpq, fmpq]], int]:
    """All w_n as rows over the region's whole basis, exact, and how many they are."""
    listed = [(block["charge"], tuple(block["basis"])) for block in candidate["kossakowski"]]
    if listed != [(group.charge, group.labels) for group in part.groups]:
        raise Rejected(f"the candidate of region {part.name} is not in the basis of the ansatz")
    rows = itertools.count()
    entries = {}
    for group, block in zip(part.groups, candidate["kossakowski"], strict=True):
        if len(block["factors"]) > len(group.members):
            raise Rejected(f"the candidate of region {part.name} has more factors than it needs")
        for factor in block["factors"]:
            if len(factor) != len(group.members):
                raise Rejected(f"a factor of region {part.name} has {len(factor)} entries")
            row = next(rows)
            for column, value in zip(group.members, factor, strict=True):
                entries[row, column] = gaussian(value)
    return entries, next(rows)


def _slopes(at: Setting, listed: Sequence[Sequence[str]], cuts: int) -> list[list[fmpq]]:
    """One number >= 0 per cut, level and sign."""
    slopes = [[rational(value) for value in row] for row in listed]
    if [len(row) for row in slopes] != [2 * at.levels.size] * cuts:
        raise Rejected("trace_distance.slopes must have two numbers per level for every cut")
    if any(value < 0 for row in slopes for value in row):
        raise Rejected("trace_distance.slopes has a number below 0")
    return slopes


def _shift_blocks(part: Region, listed: Sequence[Any]) -> list[acb_mat]:
    """K of one region, group by group."""
    for group, upper in itertools.zip_longest(part.groups, listed):
        if group is None or upper is None or len(upper) != len(group.members):
            raise Rejected(f"trace_distance.shifts.{part.name} does not fit the basis")
    return [hermitian(upper) for upper in listed]
