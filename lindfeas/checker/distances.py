"""Proofs of a distance between the exact populations and those of every allowed Lindbladian."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flint import acb_mat, arb, fmpq

from lindfeas.checker.balls import hermitian, smallest_eigenvalue
from lindfeas.checker.bounds import Enclosed, Region, by_region
from lindfeas.checker.format import Rejected, Unsettled
from lindfeas.checker.model import PRICE, ZERO, Model, rational, work

SMALLEST = 1.0
"""Microseconds per n^3 of a matrix whose smallest eigenvalue is wanted."""


def claimed(claim: Mapping[str, Any]) -> fmpq:
    """L; where none is claimed that is positive, there is nothing to check."""
    return rational(claim["norm1_lower"])


def check_distance(at: Enclosed, claim: Mapping[str, Any]) -> None:
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
    _check_part(at, arb(claimed(claim)), claim, ())


def _check_part(
    at: Enclosed, length: arb, part: Mapping[str, Any], cuts: tuple[list[list[fmpq]], ...]
) -> None:
    """Prove a distance for the Gamma with sum_b w_b tr Gamma_b >= 0 for all w in ``cuts``."""
    if "cut" not in part:
        return _check_cell(at, length, part, cuts)
    listed = by_region(at, part, "cut")
    if [len(own) for own in listed] != [len(region.groups) for region in at.regions]:
        raise Rejected("trace_distance.cut must have one weight per charge of every region")
    above = [[rational(weight) for weight in own] for own in listed]
    below = [[-weight for weight in own] for own in above]
    _check_part(at, length, part["above"], (*cuts, above))
    _check_part(at, length, part["below"], (*cuts, below))
    return None


def _check_cell(
    at: Enclosed, length: arb, cell: Mapping[str, Any], cuts: tuple[list[list[fmpq]], ...]
) -> None:
    y = _level_weights(at, cell["multiplier"])
    listed = by_region(at, cell, "shifts")
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


def _level_weights(at: Enclosed, listed: Sequence[Any]) -> list[fmpq]:
    """y of a certificate, one exact number per level."""
    if len(listed) != at.levels.size:
        raise Rejected(f"a multiplier has {len(listed)} entries for {at.levels.size} levels")
    return [rational(value) for value in listed]


def _weighted(at: Enclosed, y: Sequence[fmpq], populations: list[arb]) -> tuple[acb_mat, acb_mat]:
    """sum_k y_k P_k, and sum_k y_k p_k P_k."""
    multiplier = [arb(value) for value in y]
    products = [a * b for a, b in zip(multiplier, populations, strict=True)]
    return at.levels.weighted(multiplier), at.levels.weighted(products)


def _level_matrices(
    at: Enclosed, y: Sequence[fmpq], populations: list[arb]
) -> Iterator[list[acb_mat]]:
    """Blocks of the dual matrix of sum_k y_k P_k and sum_a p_a P_a, region by region."""
    weight, product = _weighted(at, y, populations)
    state = at.levels.weighted(populations)
    for part in at.regions:
        yield [block for _, block in part.blocks(part.dual_matrix(weight, state, product))]


def _slopes(at: Enclosed, listed: Sequence[Sequence[str]], cuts: int) -> list[list[fmpq]]:
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
            raise Rejected(f"trace_distance.shifts.{part.bath.name} does not fit the basis")
    return [hermitian(upper) for upper in listed]


def further_work(model: Model, distance: Mapping[str, Any]) -> float:
    """Microseconds for a trace distance; see `lindfeas.checker.model.work`."""
    known = work(model)
    smallest = known["positive"] * SMALLEST / PRICE["positive"]
    each = weighted_work(model) + 2 * known["dual"] + 2 * smallest
    return _parts(distance) * model.size * each


def weighted_work(model: Model) -> float:
    """Of a matrix that is diagonal in the levels."""
    counts = model.sectors.values()
    return sum(2 * PRICE["product"] * n**3 + PRICE["entry"] * n * n for n in counts)


def _parts(distance: Mapping[str, Any]) -> int:
    """Into how many parts a trace distance cuts the allowed Lindbladians."""
    if "cut" not in distance:
        return 1
    return _parts(distance["above"]) + _parts(distance["below"])
