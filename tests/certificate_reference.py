"""What a certificate says, from its text alone, held to the dense reference.

The problem's decimals become a `SystemData`, every claim is evaluated with 60 digits by
`dense_reference`, and `false_claims` names those that its own evidence does not support. Nothing
of lindfeas is imported: the form is that of docs/proofs.md and the published schema, versions 1
and 2.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tests.bath_integrals import UndefinedError
from tests.certificate_text import asked_of, groups_of, hermitian, kossakowski, system_of
from tests.decimal_matrices import Matrix, digits, eigh, smallest_eigenvalue, zeros
from tests.dense_reference import Reference, product_charges, reference
from tests.dense_regions import dissipator_tensor
from tests.system_data import Asked

SLACK = Decimal("1e-30")
"""How much of its size a claim may exceed the number computed here."""

POINTS = 3
"""Random points of a proved cell at which its claim is evaluated, beside corners and centre."""

MOST_CELLS = 6
"""Proved cells of a box that are evaluated: the first, the last, and some in between."""

RANK = Decimal("1e-48")
"""Eigenvalues of a Gram matrix below this fraction of the largest are zero."""


def false_claims(certificate: Mapping[str, Any]) -> list[str]:
    """The claims of a certificate, of a point or a box, that do not hold.

    Raises
    ------
    UndefinedError
        If the problem has no answer, so that nothing may be claimed.
    """
    with digits():
        if certificate.get("kind") == "box":
            return list(_false_in_box(certificate))
        return list(_false_at_point(certificate))


def _false_at_point(certificate: Mapping[str, Any]) -> Iterator[str]:
    data = system_of(certificate["problem"])
    asked = asked_of(certificate["problem"])
    truth = reference(data)
    claim = certificate["lower_bound"]
    # a bound that is not positive claims nothing, but the state must exist all the same
    assert truth.populations is not None
    if (value := Decimal(claim["value"])) > 0:
        proved = _dual(truth, asked, claim["multiplier"])
        if value > proved + SLACK * abs(proved):
            yield f"lower bound {claim['value']}, but its multiplier gives {proved}"
    if certificate["upper_bound"] is not None:
        yield from _false_upper(truth, asked, certificate["upper_bound"])
    if certificate["trace_distance"] is not None:
        distance = certificate["trace_distance"]
        length = Decimal(distance["norm1_lower"])
        if length > 0 and not _is_far(truth, asked, length, distance, ()):
            yield f"||p - p'||_1 >= {distance['norm1_lower']} is not supported"


def _dual(truth: Reference, asked: Asked, multiplier: Sequence[Any]) -> Decimal:
    """The largest lower bound that a multiplier gives."""
    if asked.plain:
        y = [Decimal(value) for value in multiplier]
        if len(y) != truth.size or max(map(abs, y)) > 1:
            raise UndefinedError("the multiplier is not one number in [-1, 1] per level")
        return truth.dual_value(truth.in_product_basis(np.array(y, dtype=object)), asked)
    weight = zeros(truth.size, truth.size)
    charges = product_charges(truth.data)
    for charge, rows in zip(sorted(set(charges)), multiplier, strict=True):
        states = [k for k, own in enumerate(charges) if own == charge]
        local = hermitian(rows)
        for (a, row), (b, column) in itertools.product(enumerate(states), repeat=2):
            weight.re[row, column], weight.im[row, column] = local.re[a, b], local.im[a, b]
    limit = asked.hamiltonian_limit
    if limit is not None and limit.is_infinite():
        free = Asked(target=asked.target, norm=asked.norm, rule=asked.rule)
        return truth.dual_value(_orthogonal(truth, weight), free)
    return truth.dual_value(weight, asked)


def _orthogonal(truth: Reference, weight: Matrix) -> Matrix:
    """Y without the part that local Hamiltonians feel: Q = i[rho0, h (x) 1] for all h."""
    rows = []
    for region in truth.regions:
        for a, b in itertools.product(range(region.levels), repeat=2):
            local = zeros(region.levels, region.levels)
            if a <= b:
                local.re[a, b] = local.re[b, a] = Decimal(1)
            else:
                local.im[a, b], local.im[b, a] = Decimal(1), Decimal(-1)
            full = region.embedded(local)
            turned = (truth.state @ full - full @ truth.state).times_i()
            # a Hermitian matrix as real coordinates
            rows.append(np.concatenate([turned.re.ravel(), turned.im.ravel()]))
    stacked = np.stack(rows)
    values, vectors = eigh(Matrix.of(stacked @ stacked.T))
    flat = np.concatenate([weight.re.ravel(), weight.im.ravel()])
    for k, value in enumerate(values):
        if value > RANK * values[-1]:
            direction = vectors.re[:, k] @ stacked
            flat = flat - direction * ((direction @ flat) / (direction @ direction))
    half, shape = len(flat) // 2, weight.shape
    return Matrix(flat[:half].reshape(shape), flat[half:].reshape(shape))


def _false_upper(truth: Reference, asked: Asked, claim: Mapping[str, Any]) -> Iterator[str]:
    candidate = claim["candidate"]
    if set(candidate) != {bath.name for bath in truth.data.baths}:
        raise UndefinedError("the candidate has other regions")
    gammas, bases, hamiltonians = [], [], []
    for region, bath in zip(truth.regions, truth.data.baths, strict=True):
        own = candidate[bath.name]
        gamma, basis = kossakowski(truth.data, bath, own["kossakowski"])
        gammas.append(gamma)
        bases.append(basis)
        local = own["hamiltonian"]
        hamiltonian = zeros(region.levels, region.levels) if local is None else hermitian(local)
        hamiltonians.append(hamiltonian)
        if asked.plain or local is None:
            continue
        length, limit = hamiltonian.frobenius(), asked.hamiltonian_limit
        if limit is None or length > limit * (1 + SLACK):
            yield f"||H|| of {bath.name} is {length:.6g}"
    traces = [gamma.trace() for gamma in gammas]
    factors = _factors(asked, traces)
    tensors = [
        dissipator_tensor(gamma * factor, basis)
        for gamma, factor, basis in zip(gammas, factors, bases, strict=True)
    ]
    change = truth.change(tensors, () if asked.plain else hamiltonians)
    defect, value = truth.defect(change, asked), Decimal(claim["value"])
    if defect > value + SLACK * (abs(value) + abs(defect)):
        yield f"upper bound {claim['value']}, but the candidate has {defect}"


def _factors(asked: Asked, traces: Sequence[Decimal]) -> list[Decimal]:
    """What makes the traces those of the rate rule."""
    if asked.rule.name == "total":
        wanted = [asked.rule.high[0] * trace / sum(traces) for trace in traces]
    else:
        wanted = [
            min(max(trace, low), high)
            for trace, low, high in zip(traces, asked.rule.low, asked.rule.high, strict=True)
        ]
    if any(trace == 0 and value != 0 for trace, value in zip(traces, wanted, strict=True)):
        raise UndefinedError("a candidate without rates cannot meet the rate rule")
    pairs = zip(wanted, traces, strict=True)
    return [value / trace if trace else Decimal(0) for value, trace in pairs]


def _is_far(
    truth: Reference,
    asked: Asked,
    length: Decimal,
    part: Mapping[str, Any],
    cuts: tuple[list[list[Decimal]], ...],
) -> bool:
    """The condition of the sharp bound, for the Gamma inside all cuts (docs/theory.md)."""
    if "cut" in part:
        names = [bath.name for bath in truth.data.baths]
        above = [[Decimal(weight) for weight in part["cut"][name]] for name in names]
        below = [[-weight for weight in own] for own in above]
        return _is_far(truth, asked, length, part["above"], (*cuts, above)) and _is_far(
            truth, asked, length, part["below"], (*cuts, below)
        )
    y = np.array([Decimal(value) for value in part["multiplier"]], dtype=object)
    slopes = [[Decimal(value) for value in row] for row in part.get("slopes", ())]
    if len(y) != truth.size or len(slopes) != len(cuts) or any(min(row) < 0 for row in slopes):
        raise UndefinedError("the witness of a distance is malformed")
    weight = truth.in_product_basis(y)
    groups = [groups_of(truth.data, bath) for bath in truth.data.baths]
    shifts = [[hermitian(rows) for rows in part["shifts"][b.name]] for b in truth.data.baths]
    steady = _blocks(truth, weight, truth.state, groups)
    for level in range(truth.size):
        single = np.array([Decimal(int(k == level)) for k in range(truth.size)], dtype=object)
        column = _blocks(truth, weight, truth.in_product_basis(single), groups)
        for sign, place in ((1, level), (-1, truth.size + level)):
            least = []
            for r, own in enumerate(groups):
                values = []
                for g in range(len(own)):
                    apart = column[r][g] * length - shifts[r][g]
                    value = smallest_eigenvalue(steady[r][g] - apart * Decimal(sign))
                    value -= sum(m[place] * w[r][g] for m, w in zip(slopes, cuts, strict=True))
                    values.append(value)
                least.append(min(values))
            if not asked.rule.smallest(least) > 0:
                return False
    return True


def _blocks(
    truth: Reference, weight: Matrix, state: Matrix, groups: Sequence[Sequence[Matrix]]
) -> list[list[Matrix]]:
    """The dual matrix of every region, charge by charge."""
    return [
        [region.dual_matrix(weight, state, basis) for basis in own]
        for region, own in zip(truth.regions, groups, strict=True)
    ]


def _false_in_box(certificate: Mapping[str, Any]) -> Iterator[str]:
    """Every proved cell at its corners, its centre and random points."""
    sides = certificate["box"]
    cells = list(_cells(certificate))
    proved = [(ranges, entry["lower_bound"]) for ranges, entry in cells if "lower_bound" in entry]
    if not proved:
        yield "no cell is proved"
        return
    least = min(Decimal(bound["value"]) for _, bound in proved)
    if Decimal(certificate["lower_bound"]) > least:
        yield f"lower bound {certificate['lower_bound']} of the box, but a cell has {least}"
    chosen = proved[:: max(1, len(proved) // MOST_CELLS)]
    for number, (ranges, bound) in enumerate(chosen):
        for place in _places(len(sides), number):
            values = [low + t * (high - low) for t, (low, high) in zip(place, ranges, strict=True)]
            found = _dual_in_cell(certificate["problem"], sides, values, place, bound)
            if Decimal(bound["value"]) > found + SLACK * abs(found):
                where = ", ".join(str(float(value)) for value in values)
                yield f"cell bound {bound['value']}, but at ({where}) there is {found}"


def _places(parameters: int, seed: int) -> Iterator[tuple[Fraction, ...]]:
    """Corners, the centre and random points of the unit cube."""
    yield from itertools.product((Fraction(0), Fraction(1)), repeat=parameters)
    yield (Fraction(1, 2),) * parameters
    rng = random.Random(seed)
    for _ in range(POINTS):
        yield tuple(Fraction(rng.randrange(1, 1000), 1000) for _ in range(parameters))


def _dual_in_cell(
    problem: Mapping[str, Any],
    sides: Sequence[Mapping[str, Any]],
    values: Sequence[Fraction],
    place: Sequence[Fraction],
    bound: Mapping[str, Any],
) -> Decimal:
    """The dual value at one point, the multiplier interpolated between the corners."""
    for side, value in zip(sides, values, strict=True):
        problem = _placed(problem, side["key"], value)
    truth, asked = reference(system_of(problem)), asked_of(problem)
    y = np.array([Decimal(0)] * truth.size, dtype=object)
    corners = itertools.product((0, 1), repeat=len(place))
    for corner, listed in zip(corners, bound["multipliers"], strict=True):
        share = math.prod(t if c else 1 - t for c, t in zip(corner, place, strict=True))
        own = np.array([Decimal(value) for value in listed], dtype=object)
        if max(abs(own)) > 1 or len(own) != truth.size:
            raise UndefinedError("a multiplier is not one number in [-1, 1] per level")
        y = y + own * _decimal(Fraction(share))
    return truth.dual_value(truth.in_product_basis(y), asked)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / value.denominator


def _placed(problem: Mapping[str, Any], key: str, value: Fraction) -> dict[str, Any]:
    """The problem with another value of a parameter of the box."""
    table, *inner = key.split(".")
    text = str(_decimal(value))
    if table == "system":
        return {**problem, "system": {**problem["system"], inner[0]: text}}
    baths = [{**b, inner[1]: text} if b["name"] == inner[0] else b for b in problem["bath"]]
    return {**problem, "bath": baths}


def _cells(certificate: Mapping[str, Any]) -> Iterator[tuple[list[Any], Mapping[str, Any]]]:
    """The bisection, done again: (ranges, entry) of every cell."""
    keys = [side["key"] for side in certificate["box"]]
    waiting = [[(Fraction(side["low"]), Fraction(side["high"])) for side in certificate["box"]]]
    if any(low > high for low, high in waiting[0]) or len(set(keys)) != len(keys):
        raise UndefinedError("the box is empty, or names a parameter twice")
    for entry in certificate["cells"]:
        ranges = waiting.pop()
        if "split" not in entry:
            stated = [tuple(map(Fraction, pair)) for pair in entry["box"]]
            if stated != ranges:
                raise UndefinedError("a cell is not where it should be")
            yield ranges, entry
            continue
        axis = keys.index(entry["split"])
        low, high = ranges[axis]
        middle = (low + high) / 2
        lower, upper = list(ranges), list(ranges)
        lower[axis], upper[axis] = (low, middle), (middle, high)
        waiting += [upper, lower]
    if waiting:
        raise UndefinedError("the cells do not fill the box")
