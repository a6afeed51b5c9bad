"""What a certificate is about, rebuilt from its decimals in exact rational arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import fmpq

from lindfeas.checker.errors import Rejected
from lindfeas.checker.exact import (
    SPIN_OPERATORS,
    ZERO,
    Entries,
    charge_shifts,
    embedded,
    gaussian,
    product_charges,
    rational,
)

PLACES = {"system": ("field", "coupling", "anisotropy"), "bath": ("beta", "mu")}
"""Keys of which H, or the bath, is an affine function."""

MOST_LEVELS = 256
"""Levels d that this checker takes on: eight qubits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """J(w) of one of the families in `lindfeas.checker.baths`."""

    family: str
    strength: fmpq
    exponent: fmpq
    cutoff: fmpq


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupling:
    """One operator S_l on its bath's region, which shifts the charge by ``shift``."""

    operator: Entries
    shift: int
    density: Density


@dataclass(frozen=True, slots=True, kw_only=True)
class Bath:
    """A thermal bath: inverse temperature (None is infinite), chemical potential, couplings."""

    name: str
    sites: tuple[int, ...]
    beta: fmpq | None
    mu: fmpq
    couplings: tuple[Coupling, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Which traces of the Kossakowski matrices are allowed.

    ``each`` and ``range``: lowest <= tr Gamma^r <= highest for every region, equal for ``each``;
    ``total``: all traces together are ``highest[0]``.
    """

    rule: str
    lowest: tuple[fmpq, ...]
    highest: tuple[fmpq, ...]

    def smallest(self, eigenvalues: Sequence[fmpq]) -> fmpq:
        """min sum_r tr(Gamma^r) lambda_r over the allowed traces."""
        if self.rule == "total":
            return self.highest[0] * min(eigenvalues)
        terms = [
            value * (low if value > 0 else high)
            for value, low, high in zip(eigenvalues, self.lowest, self.highest, strict=True)
        ]
        return sum(terms, ZERO)

    def factors(self, traces: Sequence[fmpq]) -> list[fmpq]:
        """By what to multiply every region's Gamma so that the rule holds exactly."""
        if self.rule == "total":
            share = _quotient(self.highest[0], sum(traces, ZERO))
            return [share] * len(traces)
        return [
            _quotient(min(max(trace, low), high), trace)
            for trace, low, high in zip(traces, self.lowest, self.highest, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The open system, the allowed Lindbladians and the question, all exact.

    Parameters
    ----------
    dimensions
        Levels of every site.
    charge
        Conserved charge of every basis state of every site; all zero if none is claimed. That H_S
        conserves it, and that every coupling shifts it by a fixed amount, was checked exactly.
    hamiltonian
        H_S; Hermitian, because only its upper triangle is read.
    hamiltonian_limit
        The largest Hilbert-Schmidt norm of every traceless H_r on its region; None if there is no
        limit, or no H_r counts.
    """

    dimensions: tuple[int, ...]
    charge: tuple[tuple[int, ...], ...]
    hamiltonian: Entries
    baths: tuple[Bath, ...]
    rates: Rates
    lamb_shift: bool
    hamiltonian_limit: fmpq | None
    target: str
    norm: str
    tolerance: fmpq

    @property
    def size(self) -> int:
        """Number of levels d."""
        return math.prod(self.dimensions)

    @property
    def sectors(self) -> int:
        """Number of charge sectors."""
        return len(set(product_charges(self.charge)))


def model(problem: Mapping[str, Any]) -> Model:
    """The model that the ``problem`` of a certificate describes.

    Raises
    ------
    Rejected
        If its parts do not fit together.
    """
    system, baths = problem["system"], problem["bath"]
    chain = "model" in system
    dimensions = (2,) * system["sites"] if chain else tuple(system["dimensions"])
    size = math.prod(dimensions)
    _require(size <= MOST_LEVELS, f"the system has {size} levels, beyond {MOST_LEVELS}")
    _check_regions(baths, len(dimensions))
    operators = [_operators(bath, [dimensions[site] for site in bath["sites"]]) for bath in baths]
    charge = _spin_charge(operators, baths, len(dimensions)) if chain else _charge(system)
    _require([len(own) for own in charge] == list(dimensions), "system.charge has another shape")
    hamiltonian = _chain(system) if chain else _matrix(system["hamiltonian"], size)
    _require(
        charge_shifts(hamiltonian, product_charges(charge)) <= {0}, "H does not conserve the charge"
    )
    question, ansatz = problem["question"], problem["ansatz"]
    tolerance = rational(question["tolerance"])
    _require(tolerance > 0, "question.tolerance is not positive")
    return Model(
        dimensions=dimensions,
        charge=charge,
        hamiltonian=hamiltonian,
        baths=tuple(
            _bath(bath, own, [charge[site] for site in bath["sites"]])
            for bath, own in zip(baths, operators, strict=True)
        ),
        rates=_rates(ansatz["rates"], len(baths)),
        lamb_shift=ansatz["lamb_shift"],
        hamiltonian_limit=_hamiltonian_limit(ansatz, question["target"]),
        target=question["target"],
        norm=question["norm"],
        tolerance=tolerance,
    )


def placed(problem: Mapping[str, Any], key: str, value: str) -> dict[str, Any]:
    """The problem with another value of a dotted key: one of `PLACES`, or ``bath.NAME.`` and more.

    Raises
    ------
    Rejected
        If the problem has no such key, or it is not one of these.
    """
    table, *inner = key.split(".")
    known = inner[-1:] != [] and inner[-1] in PLACES.get(table, ())
    if known and table == "system" and len(inner) == 1 and inner[0] in problem["system"]:
        return {**problem, "system": {**problem["system"], inner[0]: value}}
    if known and table == "bath" and len(inner) == 2:
        baths = problem["bath"]
        changed = [{**b, inner[1]: value} if b["name"] == inner[0] else b for b in baths]
        if any(bath["name"] == inner[0] for bath in baths):
            return {**problem, "bath": changed}
    raise Rejected(f"{key} is no parameter of a box for this problem")


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Rejected(otherwise)


def _quotient(value: fmpq, divisor: fmpq) -> fmpq:
    """``value / divisor``, and 0/0 = 0: a region without rates needs none."""
    _require(divisor > 0 or value == 0, "a candidate without rates cannot meet the rate rule")
    return value / divisor if divisor > 0 else ZERO


def _numbers(value: str | list[str], count: int, where: str) -> tuple[fmpq, ...]:
    """One number, or one for each of ``count`` things."""
    if isinstance(value, str):
        return (rational(value),) * count
    _require(len(value) == count, f"{where} has {len(value)} values for {count}")
    return tuple(rational(text) for text in value)


def _chain(system: Mapping[str, Any]) -> Entries:
    """sum_l field sigma_z + sum_l coupling (xx + yy + anisotropy zz) between neighbours."""
    sites = system["sites"]
    dimensions = (2,) * sites
    total: Entries = {}
    for site, field in enumerate(_numbers(system["field"], sites, "system.field")):
        term = {key: (field * value, ZERO) for key, (value, _) in SPIN_OPERATORS["sigma_z"].items()}
        _add(total, embedded(term, dimensions, [site]))
    exchange = _numbers(system["coupling"], sites - 1, "system.coupling")
    ratios = _numbers(system["anisotropy"], sites - 1, "system.anisotropy")
    for bond, (g, ratio) in enumerate(zip(exchange, ratios, strict=True)):
        term = {(n, n): (g * ratio * (1 if n in (0, 3) else -1), ZERO) for n in range(4)}
        term[1, 2] = term[2, 1] = (2 * g, ZERO)
        _add(total, embedded(term, dimensions, [bond, bond + 1]))
    return total


def _add(total: Entries, term: Entries) -> None:
    for key, (value, _) in term.items():
        total[key] = (total.get(key, (ZERO, ZERO))[0] + value, ZERO)


def _matrix(listed: Sequence[Any], size: int) -> Entries:
    """The listed upper triangle, completed to a Hermitian matrix."""
    upper = _entries(listed, size, "system.hamiltonian")
    for (row, column), (_, imaginary) in upper.items():
        _require(row <= column, "system.hamiltonian lists an entry below the diagonal")
        _require(row < column or imaginary == 0, "system.hamiltonian has a complex diagonal")
    return upper | {(c, r): (real, -imag) for (r, c), (real, imag) in upper.items()}


def _entries(listed: Sequence[Any], size: int, where: str) -> Entries:
    entries: Entries = {}
    for row, column, value in listed:
        indices = isinstance(row, int) and isinstance(column, int) and not isinstance(value, int)
        _require(indices, f"{where} must list [row, column, value]")
        _require(row < size and column < size, f"{where} has an entry outside the matrix")
        _require((row, column) not in entries, f"{where} lists entry {row}, {column} twice")
        entries[row, column] = gaussian(value)
    return entries


def _operators(bath: Mapping[str, Any], dimensions: Sequence[int]) -> list[Entries]:
    """The coupling operators on the bath's region of these local dimensions."""
    if "operator" in bath:
        single = SPIN_OPERATORS[bath["operator"]]
        return [embedded(single, dimensions, [place]) for place in range(len(dimensions))]
    where, size = f"bath.{bath['name']}.couplings", math.prod(dimensions)
    return [_entries(listed, size, where) for listed in bath["couplings"]]


def _check_regions(baths: Sequence[Mapping[str, Any]], sites: int) -> None:
    used = [site for bath in baths for site in bath["sites"]]
    _require(all(site < sites for site in used), "a bath acts on a site that does not exist")
    _require(len(set(used)) == len(used), "the baths' regions overlap")
    _require(len({bath["name"] for bath in baths}) == len(baths), "two baths have the same name")


def _spin_charge(
    operators: Sequence[Sequence[Entries]], baths: Sequence[Mapping[str, Any]], sites: int
) -> tuple[tuple[int, ...], ...]:
    """The magnetisation, if every coupling shifts it by a fixed amount."""
    up = ((1, 0),)
    respected = all(
        len(charge_shifts(operator, product_charges(up * len(bath["sites"])))) == 1
        for bath, own in zip(baths, operators, strict=True)
        for operator in own
    )
    return (up if respected else ((0, 0),)) * sites


def _charge(system: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
    if system["charge"] is None:
        return tuple((0,) * size for size in system["dimensions"])
    return tuple(tuple(own) for own in system["charge"])


def _bath(
    bath: Mapping[str, Any], operators: Sequence[Entries], charge: Sequence[Sequence[int]]
) -> Bath:
    where = f"bath.{bath['name']}"
    beta = None if bath["beta"] == "Infinity" else rational(bath["beta"])
    mu, density = rational(bath["mu"]), bath["spectral_density"]
    exponent, cutoff = rational(density.get("exponent", "1")), rational(density["cutoff"])
    strengths = _numbers(density["strength"], len(operators), f"{where}.spectral_density.strength")
    _require(beta is None or beta > 0, f"{where}.beta is not positive")
    _require(mu <= 0, f"{where}.mu is positive")
    _require(exponent > 0 and cutoff > 0 and min(strengths) >= 0, f"{where} has a bad density")
    couplings = []
    for operator, strength in zip(operators, strengths, strict=True):
        shifts = charge_shifts(operator, product_charges(charge)) or {0}
        _require(len(shifts) == 1, f"{where}: a coupling shifts the charge by {sorted(shifts)}")
        shape = Density(
            family=density["family"], strength=strength, exponent=exponent, cutoff=cutoff
        )
        couplings.append(Coupling(operator=operator, shift=shifts.pop(), density=shape))
    return Bath(
        name=bath["name"],
        sites=tuple(bath["sites"]),
        beta=beta,
        mu=mu,
        couplings=tuple(couplings),
    )


def _hamiltonian_limit(ansatz: Mapping[str, Any], target: str) -> fmpq | None:
    text = ansatz.get("hamiltonian_limit")
    if text is None:
        return None
    counts = ansatz["lamb_shift"] and target != "populations"
    _require(counts, "ansatz.hamiltonian_limit must be null where no H_r counts")
    limit = rational(text)
    _require(limit >= 0, "ansatz.hamiltonian_limit is negative")
    return limit


def _rates(rates: Mapping[str, Any], regions: int) -> Rates:
    rule = rates["rule"]
    low, high = ("min", "max") if rule == "range" else ("value", "value")
    lowest = _numbers(rates[low], regions, f"ansatz.rates.{low}")
    highest = _numbers(rates[high], regions, f"ansatz.rates.{high}")
    ordered = all(0 <= a <= b and b > 0 for a, b in zip(lowest, highest, strict=True))
    _require(ordered, "ansatz.rates allows no rates")
    return Rates(rule=rule, lowest=lowest, highest=highest)
