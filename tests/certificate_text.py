"""The problem and the matrices of a certificate, from its text, for the dense reference.

The form is that of docs/proofs.md and the published schema, versions 1 and 2. Nothing of lindfeas
is imported.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tests.bath_integrals import UndefinedError
from tests.decimal_matrices import Matrix, dagger, zeros
from tests.dense_reference import product_charges
from tests.dense_regions import Region
from tests.system_data import Asked, BathData, Density, Rule, SystemData

SPINS = {
    "sigma_minus": {(1, 0): 1},
    "sigma_x": {(0, 1): 1, (1, 0): 1},
    "sigma_z": {(0, 0): 1, (1, 1): -1},
}


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


def hermitian(rows: Sequence[Any]) -> Matrix:
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


def kossakowski(data: SystemData, bath: BathData, blocks: Sequence[Any]) -> tuple[Matrix, Matrix]:
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


def groups_of(data: SystemData, bath: BathData) -> list[Matrix]:
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
