"""Proofs about the leading coherences of every allowed Lindbladian with near populations, in balls.

For an allowed L' and p' >= 0 with sum_k p'_k = 1 and sum_a <k|L'(P_a)|k> p'_a = 0, let
T = ||p - p'||_1 / 2, <a|rho2|g> = -i <a|L2(rho0)|g> / (E_a - E_g) between different levels of one
charge, zero elsewhere, and rho2' the same with L'(sum_a p'_a P_a) for L2(rho0). Every claim is
about all of them with T <= a: ||rho2' - rho2||_F >= b ||rho2||_F, or that there are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import acb, acb_mat, arb, fmpq

from lindfeas.checker import coherences, statement
from lindfeas.checker.balls import frobenius_norm, hermitian, smallest_eigenvalue
from lindfeas.checker.bounds import Region, by_region, is_positive_definite, require_at_most
from lindfeas.checker.coherences import Enclosed
from lindfeas.checker.distances import weighted_work
from lindfeas.checker.format import Proof, Rejected, Unsettled, require
from lindfeas.checker.model import MOST_WORK, PRICE, Model, model, rational, require_little, work
from lindfeas.checker.steady_state import block, dagger
from lindfeas.checker.verification import judged, point_proof, settle

SMALLEST = 1.0
"""Microseconds per n^3 of a matrix whose smallest eigenvalue is wanted."""

LEADING = """For L' as above let p' >= 0 with sum_k p'_k = 1 and sum_a <k|L'(|a><a|)|k> p'_a = 0 for
every k, T = sum_k |p_k - p'_k| / 2, <a|rho2|g> = -i <a|L2(rho0)|g> / (E_a - E_g) for a != g of one
N, 0 elsewhere, and rho2' the same with L'(sum_a p'_a |a><a|) for L2(rho0). At leading order, such
p' and rho2' are the populations and coherences of every steady state of L'{exception}. In the
Frobenius norm:"""
NEAR = "If T <= {distance}, then ||rho2' - rho2|| >= {lower} ||rho2||."
NONE = "T <= {distance} for none of them{dissipating}."
DISSIPATING = " of which some Gamma^r is not 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoherenceProof(Proof):
    """A proof with claims about coherences.

    Parameters
    ----------
    coherence_error
        (a, b) as exact decimals for every claim; b is None where T <= a is excluded.
    """

    coherence_error: tuple[tuple[str, str | None], ...] = ()


def verify_coherent(certificate: Any) -> Proof:
    """Check the certificate of a point with claims about coherences."""
    return judged(lambda used: _coherent_proof(certificate, used))


def _coherent_proof(certificate: Any, used: list[int]) -> Proof:
    """What the certificate proves besides, and then these claims."""
    known = point_proof(certificate, used)
    exact, claims = model(certificate["problem"]), certificate["coherence_error"]
    require(exact.target != "populations", "coherence_error is about coherences")
    unlimited = exact.lamb_shift and exact.hamiltonian_limit is None
    require(not unlimited, "coherence_error needs a limit of the norm of every H_r")
    cost = sum(work(exact).values()) + coherences.further_work(exact)
    require_little(cost + further_work(exact, claims), MOST_WORK, "the check")

    def all_claims() -> None:
        at = coherences.enclosed(exact)
        for claim in claims:
            check_claim(at, claim)

    settle(all_claims, used)
    found = tuple((claim["distance"], claim.get("lower")) for claim in claims)
    return CoherenceProof(
        **{
            **{name: getattr(known, name) for name in Proof.__dataclass_fields__},
            "statement": "\n".join([known.statement, *words(exact, found)]),
            "checks": (*known.checks, "coherences: the conditions hold at every level"),
        },
        coherence_error=found,
    )


def check_claim(at: Enclosed, claim: Mapping[str, Any]) -> None:
    """Prove a claim about all T <= a.

    Write p' - p = u - v with u, v >= 0, sum u = sum v = T <= a <= 1 and v <= p. With B_g the dual
    matrix of Y and P_g, and Hermitian W, U and M_g >= 0 of every charge of every region,

        W + B_g >= 0,  U - B_g + M_g >= 0,  A - a (W + U) - sum_g p_g M_g >= s_r

    for all levels g give sum_g (u_g - v_g) B_g >= - T (W + U) - sum_g v_g M_g, and that is at least
    - a (W + U) - sum_g p_g M_g, because W + U + M_g >= 0 makes (1 - T) (W + U) +
    sum_g (p_g - v_g) M_g >= 0, of which the difference is a convex combination with
    sum_g (p_g - v_g) M_g >= 0. So <Gamma^r, A^r + sum_g (p'_g - p_g) B^r_g> >= s_r tr Gamma^r. As
    L'(rho0') = i[H_S, rho2'] and L2(rho0) = i[H_S, rho2] off the diagonal,

        ||[H_S, Y]|| ||rho2' - rho2|| >= tr Y (L'(rho0') - L2(rho0)) >= - tr(Y L2(rho0))
            + sum_r t_r s_r - h sum_r (||N^r|| + 2 a max_g ||N^r_g - K^r||),

    N^r_g = tr_(not r) i[Y, P_g]. For Y = sum_k y_k P_k both sides are 0 but for the sum over r: if
    sum_r t_r s_r > 0 for all allowed rates, or all s_r > 0 and some rate is, there is no such p'.

    Raises
    ------
    Rejected
        If the witnesses are malformed or do not give the claim.
    Unsettled
        If the balls are too wide to tell.
    """
    distance = rational(claim["distance"])
    require(0 <= distance <= 1, "coherence_error.distance is not between 0 and 1")
    if "lower" not in claim:
        return _check_excluded(at, distance, claim)
    lower = rational(claim["lower"])
    require(lower > 0, "coherence_error.lower is not positive and proves nothing")
    weight = _weight(at, claim["multiplier"])
    smallest = _smallest(at, weight, distance, claim)
    trace = sum(
        (a * b for a, b in zip(weight.entries(), at.action.transpose().entries(), strict=True)),
        acb(0),
    )
    reached = -trace.real + arb(at.model.rates.smallest(smallest))
    reached -= _felt(at, weight, distance, claim)
    size = frobenius_norm(_commutator(at, weight)) * _size(at)
    require_at_most(arb(lower) * size - reached, "coherences are nearer than claimed")
    return None


def _check_excluded(at: Enclosed, distance: fmpq, claim: Mapping[str, Any]) -> None:
    listed = claim["multiplier"]
    require(len(listed) == at.levels.size, "coherence_error.multiplier needs one entry per level")
    weight = at.levels.weighted([arb(rational(value)) for value in listed])
    smallest = _smallest(at, weight, distance, claim)
    if not (at.model.rates.smallest(smallest) > 0 or min(smallest) > 0):
        raise Unsettled("whether T is larger than the claimed distance")


def _weight(at: Enclosed, listed: Sequence[Any]) -> acb_mat:
    """Y in the product basis from its blocks, one per charge."""
    sizes = [len(sector.states) for sector in at.levels.sectors]
    if [len(upper) for upper in listed] != sizes:
        raise Rejected("coherence_error.multiplier must be one Hermitian matrix per charge sector")
    pairs = zip(at.levels.sectors, listed, strict=True)
    return at.levels.assembled((sector, sector, hermitian(upper)) for sector, upper in pairs)


def _smallest(
    at: Enclosed, weight: acb_mat, distance: fmpq, claim: Mapping[str, Any]
) -> list[fmpq]:
    """s_r of every region."""
    levels = list(_level_matrices(at, weight)) if distance > 0 else []
    listed = by_region(at, claim, "blocks") if distance > 0 else [()] * len(at.regions)
    found = []
    for number, (part, own) in enumerate(zip(at.regions, listed, strict=True)):
        steady = _blocks(part, weight, at.state)
        if distance > 0:
            require(len(own) == len(steady), f"coherence_error.blocks.{part.bath.name} has others")
        values = [
            _smallest_of(at, matrix, [level[number][g] for level in levels], distance, own, g)
            for g, matrix in enumerate(steady)
        ]
        found.append(min(values))
    return found


def _smallest_of(
    at: Enclosed,
    steady: acb_mat,
    levels: Sequence[acb_mat],
    distance: fmpq,
    listed: Sequence[Mapping[str, Any]],
    group: int,
) -> fmpq:
    """s of one charge of a region, after its conditions."""
    if not levels:
        return smallest_eigenvalue(steady).fmpq()
    own, size = listed[group], steady.nrows()
    below, above = (_fitting(own[name], size) for name in ("below", "above"))
    emptied = {one["level"]: _fitting(one["matrix"], size) for one in own["emptied"]}
    require(len(emptied) == len(own["emptied"]), "coherence_error.emptied repeats a level")
    require(set(emptied) <= set(range(len(levels))), "coherence_error.emptied has no such level")
    total = steady - (below + above) * arb(distance)
    for level, matrix in emptied.items():
        _require_positive(matrix)
        total -= matrix * at.populations[level]
    for number, level in enumerate(levels):
        _require_positive(below + level)
        room = above - level
        _require_positive(room + emptied[number] if number in emptied else room)
    return smallest_eigenvalue(total).fmpq()


def _fitting(upper: Sequence[Any], size: int) -> acb_mat:
    require(len(upper) == size, "coherence_error.blocks do not fit the basis of the ansatz")
    return hermitian(upper)


def _require_positive(matrix: acb_mat) -> None:
    require(is_positive_definite(matrix), "coherence_error.blocks do not meet a condition")


def _level_matrices(at: Enclosed, weight: acb_mat) -> Iterator[list[list[acb_mat]]]:
    """B_g of every region and charge, level after level."""
    for projector in _projectors(at):
        yield [_blocks(part, weight, projector) for part in at.regions]


def _projectors(at: Enclosed) -> Iterator[acb_mat]:
    """P_g of every level."""
    for level in range(at.levels.size):
        yield at.levels.weighted([arb(int(other == level)) for other in range(at.levels.size)])


def _blocks(part: Region, weight: acb_mat, state: acb_mat) -> list[acb_mat]:
    """The blocks of the dual matrix of Y and a state."""
    product = weight * state
    dual = part.dual_matrix(weight, state, (product + dagger(product)) / 2)
    return [matrix for _, matrix in part.blocks(dual)]


def _felt(at: Enclosed, weight: acb_mat, distance: fmpq, claim: Mapping[str, Any]) -> arb:
    """h sum_r ( ||N^r|| + 2 a max_g ||N^r_g - K^r|| )."""
    limit = at.model.hamiltonian_limit
    if limit is None:
        return arb(0)
    total = sum((frobenius_norm(one) for one in _felt_by(at, weight, at.state)), arb(0))
    if distance > 0:
        listed = by_region(at, claim, "locals")
        local = [
            _fitting(upper, part.dimension) for part, upper in zip(at.regions, listed, strict=True)
        ]
        sizes: list[list[arb]] = [[] for _ in local]
        for projector in _projectors(at):
            felt = _felt_by(at, weight, projector)
            for own, matrix, shift in zip(sizes, felt, local, strict=True):
                own.append(frobenius_norm(matrix - shift).upper())
        total += 2 * arb(distance) * sum(map(max, sizes), arb(0))
    return arb(limit) * total


def _felt_by(at: Enclosed, weight: acb_mat, state: acb_mat) -> list[acb_mat]:
    """tr_(not r) i[Y, state] of every region."""
    product = weight * state
    commutator = (product - dagger(product)) * acb(0, 1)
    return [part.partial_trace(commutator) for part in at.regions]


def _commutator(at: Enclosed, weight: acb_mat) -> acb_mat:
    """[H_S, Y], up to a sign."""
    every = range(at.levels.size)
    hamiltonian = block(at.model.hamiltonian, every, every)
    return hamiltonian * weight - weight * hamiltonian


def _size(at: Enclosed) -> arb:
    """||rho2||_F; |<a|X|g>|^2 = (L_a X R_g)(L_g X R_a), whatever the normalisation of R."""
    total = arb(0)
    for sector in at.levels.sectors:
        rows = [[at.action[a, g] for g in sector.states] for a in sector.states]
        inside = sector.left * acb_mat(rows) * sector.right
        for a in range(inside.nrows()):
            for g in range(a):
                square = (inside[a, g] * inside[g, a]).real.nonnegative_part()
                gap = sector.energies[a] - sector.energies[g]
                total += 2 * square / (gap * gap)
    return total.nonnegative_part().sqrt()


# The words.


def words(exact: Model, found: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    """What is proved, a paragraph for what it is about and one for every claim."""
    exception = "" if len(exact.sectors) == 1 else statement.MIXED
    yield statement.filled(LEADING, exception=exception)
    needed = exact.rates.total or any(rate > 0 for rate in exact.rates.lowest)
    for distance, lower in found:
        if lower is None:
            dissipating = "" if needed else DISSIPATING
            yield statement.filled(NONE, distance=distance, dissipating=dissipating)
        else:
            yield statement.filled(NEAR, distance=distance, lower=lower)


# What the check will cost.


def further_work(exact: Model, claims: Sequence[Mapping[str, Any]]) -> float:
    """Microseconds for all claims; see `lindfeas.checker.model.work`."""
    known, size = work(exact), exact.size
    smallest = known["positive"] * SMALLEST / PRICE["positive"]
    commuted = PRICE["product"] * size**3 + PRICE["entry"] * size**2
    level = weighted_work(exact) + known["dual"] + 3 * smallest
    level += (1 + len(exact.baths)) * commuted
    counts = [1 + size * bool(rational(claim["distance"]) > 0) for claim in claims]
    return sum(counts) * level
