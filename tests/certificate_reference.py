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
from tests.decimal_matrices import Matrix, dagger, digits, eigh, smallest_eigenvalue, zeros
from tests.dense_reference import Reference, product_charges, reference
from tests.dense_regions import Region, dissipator_tensor
from tests.system_data import Asked, BathData, Density, Rule, SystemData

SLACK = Decimal("1e-30")
"""How much of its size a claim may exceed the number computed here."""

POINTS = 3
"""Random points of a proved cell at which its claim is evaluated, beside corners and centre."""

MOST_CELLS = 6
"""Proved cells of a box that are evaluated: the first, the last, and some in between."""

RANK = Decimal("1e-48")
"""Eigenvalues of a Gram matrix below this fraction of the largest are zero."""

SPINS = {
    "sigma_minus": {(1, 0): 1},
    "sigma_x": {(0, 1): 1, (1, 0): 1},
    "sigma_z": {(0, 0): 1, (1, 1): -1},
}


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


def system_of(problem: Mapping[str, Any]) -> SystemData:
    """The open system of a certificate's problem."""
    system = problem["system"]
    chain = "model" in system
    dimensions = (2,) * system["sites"] if chain else tuple(system["dimensions"])
    baths = tuple(_bath(bath, dimensions) for bath in problem["bath"])
    size = math.prod(dimensions)
    if not chain:
        hamiltonian = _matrix(system["hamiltonian"], size)
        upper = zeros(size, size)
        for row, column in itertools.combinations_with_replacement(range(size), 2):
            upper.re[row, column] = upper.re[column, row] = hamiltonian.re[row, column]
            upper.im[row, column] = hamiltonian.im[row, column]
            upper.im[column, row] = -hamiltonian.im[row, column]
        charge = system["charge"]
        data = SystemData(
            dimensions=dimensions,
            hamiltonian=upper,
            baths=baths,
            charge=None if charge is None else tuple(tuple(own) for own in charge),
        )
        _require_charge(data)
        return data
    up = ((1, 0),) * system["sites"]
    data = SystemData(dimensions=dimensions, hamiltonian=_chain(system), baths=baths, charge=up)
    try:
        _require_charge(data)
    except UndefinedError:
        return SystemData(dimensions=dimensions, hamiltonian=data.hamiltonian, baths=baths)
    return data


def asked_of(problem: Mapping[str, Any]) -> Asked:
    """The question of a certificate's problem."""
    ansatz, question = problem["ansatz"], problem["question"]
    rates, count = ansatz["rates"], len(problem["bath"])
    low, high = ("min", "max") if rates["rule"] == "range" else ("value", "value")
    limit = None
    if ansatz["lamb_shift"]:
        stated = ansatz.get("hamiltonian_limit")
        limit = Decimal("Infinity") if stated is None else Decimal(stated)
    return Asked(
        target=question["target"],
        norm=question["norm"],
        rule=Rule(
            name=rates["rule"],
            low=_numbers(rates[low], count),
            high=_numbers(rates[high], count),
        ),
        hamiltonian_limit=limit,
    )


def _numbers(value: Any, count: int) -> tuple[Decimal, ...]:
    listed = [value] * count if isinstance(value, str) else value
    if len(listed) != count:
        raise UndefinedError("a list of numbers has the wrong length")
    return tuple(Decimal(text) for text in listed)


def _complex(value: Any) -> tuple[Decimal, Decimal]:
    return (Decimal(value), Decimal(0)) if isinstance(value, str) else tuple(map(Decimal, value))


def _matrix(entries: Sequence[Any], size: int) -> Matrix:
    found = zeros(size, size)
    seen = set()
    for row, column, value in entries:
        if (row, column) in seen:
            raise UndefinedError("an entry is listed twice")
        seen.add((row, column))
        found.re[row, column], found.im[row, column] = _complex(value)
    return found


def _spin(name: str, place: int, sites: int) -> Matrix:
    """A spin operator on one of several qubits."""
    local = zeros(2, 2)
    for key, value in SPINS[name].items():
        local.re[key] = Decimal(value)
    chain = SystemData(dimensions=(2,) * sites, hamiltonian=None, baths=())
    return Region(chain, (place,)).embedded(local)


def _chain(system: Mapping[str, Any]) -> Matrix:
    """sum field sigma_z + sum coupling (xx + yy + anisotropy zz) between neighbours."""
    sites = system["sites"]
    total = zeros(2**sites, 2**sites)
    for site, field in enumerate(_numbers(system["field"], sites)):
        total = total + _spin("sigma_z", site, sites) * field
    bonds = zip(
        _numbers(system["coupling"], sites - 1),
        _numbers(system["anisotropy"], sites - 1),
        strict=True,
    )
    for bond, (coupling, ratio) in enumerate(bonds):
        lower = [_spin("sigma_minus", bond + k, sites) for k in (0, 1)]
        z = [_spin("sigma_z", bond + k, sites) for k in (0, 1)]
        hop = lower[0] @ dagger(lower[1])
        total = total + (hop + dagger(hop)) * (2 * coupling) + z[0] @ z[1] * (coupling * ratio)
    return total


def _bath(bath: Mapping[str, Any], dimensions: Sequence[int]) -> BathData:
    own = [dimensions[site] for site in bath["sites"]]
    if "operator" in bath:
        couplings = [_spin(bath["operator"], place, len(own)) for place in range(len(own))]
    else:
        couplings = [_matrix(entries, math.prod(own)) for entries in bath["couplings"]]
    shape = bath["spectral_density"]
    strengths = _numbers(shape["strength"], len(couplings))
    return BathData(
        name=bath["name"],
        sites=tuple(bath["sites"]),
        beta=Decimal(bath["beta"]),
        mu=Decimal(bath["mu"]),
        couplings=tuple(couplings),
        densities=tuple(
            Density(
                family=shape["family"],
                strength=strength,
                exponent=Decimal(shape.get("exponent", "1")),
                cutoff=Decimal(shape["cutoff"]),
            )
            for strength in strengths
        ),
    )


def _require_charge(data: SystemData) -> None:
    """H conserves the charge, and every coupling shifts it by one amount."""
    if data.charge is None:
        return
    if [len(own) for own in data.charge] != list(data.dimensions):
        raise UndefinedError("the charge has another shape")
    operators = [(product_charges(data), data.hamiltonian)]
    for bath in data.baths:
        local = [data.charge[site] for site in bath.sites]
        charges = [sum(choice) for choice in itertools.product(*local)]
        operators += [(charges, coupling) for coupling in bath.couplings]
    for number, (charges, operator) in enumerate(operators):
        size = len(charges)
        shifts = {
            charges[row] - charges[column]
            for row, column in itertools.product(range(size), repeat=2)
            if operator.re[row, column] != 0 or operator.im[row, column] != 0
        }
        if len(shifts) > 1 or (number == 0 and shifts - {0}):
            raise UndefinedError("the charge is not conserved, or not shifted by one amount")


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
        local = _hermitian(rows)
        for (a, row), (b, column) in itertools.product(enumerate(states), repeat=2):
            weight.re[row, column], weight.im[row, column] = local.re[a, b], local.im[a, b]
    limit = asked.hamiltonian_limit
    if limit is not None and limit.is_infinite():
        free = Asked(target=asked.target, norm=asked.norm, rule=asked.rule)
        return truth.dual_value(_orthogonal(truth, weight), free)
    return truth.dual_value(weight, asked)


def _hermitian(rows: Sequence[Any]) -> Matrix:
    """From an upper triangle, row by row."""
    size = len(rows)
    found = zeros(size, size)
    for a, row in enumerate(rows):
        if len(row) != size - a:
            raise UndefinedError("an upper triangle has the wrong shape")
        for b, value in enumerate(row, start=a):
            re, im = _complex(value)
            found.re[a, b] = found.re[b, a] = re
            if a != b:
                found.im[a, b], found.im[b, a] = im, -im
    return found


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
        gamma, basis = _kossakowski(truth.data, bath, own["kossakowski"])
        gammas.append(gamma)
        bases.append(basis)
        local = own["hamiltonian"]
        hamiltonian = zeros(region.levels, region.levels) if local is None else _hermitian(local)
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


def _kossakowski(data: SystemData, bath: BathData, blocks: Sequence[Any]) -> tuple[Matrix, Matrix]:
    """(Gamma, basis) from factors of every block: Gamma = sum_n w_n w_n^dagger."""
    labels = [label for block in blocks for label in block["basis"]]
    if len(set(labels)) != data.region_dimension(bath) ** 2 - 1 or len(labels) != len(set(labels)):
        raise UndefinedError("the candidate's basis is not one")
    dimensions = [data.dimensions[site] for site in bath.sites]
    basis = _stacked([_operator(label, dimensions) for label in labels])
    gamma = zeros(len(labels), len(labels))
    first = 0
    for block in blocks:
        size = len(block["basis"])
        for factor in block["factors"]:
            column = zeros(size, 1)
            for k, value in zip(range(size), factor, strict=True):
                column.re[k, 0], column.im[k, 0] = _complex(value)
            part = column @ dagger(column)
            gamma.re[first : first + size, first : first + size] += part.re
            gamma.im[first : first + size, first : first + size] += part.im
        first += size
    return gamma, basis


def _stacked(operators: Sequence[Matrix]) -> Matrix:
    return Matrix(
        np.stack([operator.re.ravel() for operator in operators]),
        np.stack([operator.im.ravel() for operator in operators]),
    )


def _operator(label: str, dimensions: Sequence[int]) -> Matrix:
    """A product of site operators from its label, a token per site."""
    found = Matrix.of(np.ones((1, 1)))
    for token, size in zip(label.split(" "), dimensions, strict=True):
        local = _site_operator(token, size)
        count = found.shape[0]
        product = found.reshape(count * count, 1) @ local.reshape(1, size * size)
        product = product.reshape(count, count, size, size).transpose(0, 2, 1, 3)
        found = product.reshape(count * size, count * size)
    return found


def _site_operator(token: str, size: int) -> Matrix:
    """1/sqrt(n), a generalised Gell-Mann diagonal z or zK, or a matrix unit +, - or |a><b|."""
    found = zeros(size, size)
    if token == "1":
        for k in range(size):
            found.re[k, k] = 1 / Decimal(size).sqrt()
    elif token.startswith("z"):
        rank = int(token[1:] or 1)
        for k in range(rank + 1):
            found.re[k, k] = Decimal(-1 if k < rank else rank) / Decimal(rank * rank + rank).sqrt()
    elif size == 2:
        found.re[(0, 1) if token == "+" else (1, 0)] = Decimal(1)
    else:
        final, initial = token.strip("|<>").split("><")
        found.re[int(final), int(initial)] = Decimal(1)
    return found


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
    groups = [_groups(truth.data, bath) for bath in truth.data.baths]
    shifts = [[_hermitian(rows) for rows in part["shifts"][b.name]] for b in truth.data.baths]
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


def _groups(data: SystemData, bath: BathData) -> list[Matrix]:
    """The basis operators of a region by the charge that they carry, ascending.

    Sites in order; on each the diagonals, the units |a><b| in order of (a, b), and the identity.
    """
    dimensions = [data.dimensions[site] for site in bath.sites]
    charge = data.charge or tuple((0,) * n for n in data.dimensions)
    factors = []
    for site, size in zip(bath.sites, dimensions, strict=True):
        own = [(0, "z" if size == 2 else f"z{rank}") for rank in range(1, size)]
        for a, b in itertools.permutations(range(size), 2):
            token = "+-"[a] if size == 2 else f"|{a}><{b}|"
            own.append((charge[site][a] - charge[site][b], token))
        factors.append([*own, (0, "1")])
    found: dict[int, list[Matrix]] = {}
    for choice in itertools.product(*factors):
        label = " ".join(token for _, token in choice)
        if any(token != "1" for _, token in choice):
            shift = sum(shift for shift, _ in choice)
            found.setdefault(shift, []).append(_operator(label, dimensions))
    return [_stacked(found[shift]) for shift in sorted(found)]


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
