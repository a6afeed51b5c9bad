"""Random open systems as plain data, each from one integer.

From 1 to 3 sites (chains: up to 4) of 2 to 4 levels, at most 16 in all; complex Hamiltonians with
and without a conserved charge; 1 to 3 baths, hot and cold; weak links, close levels, offsets, badly
scaled fields, and everything in units of 10^+-12. Nothing of lindfeas is imported here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.system_data import BathData, Density, SystemData

LARGEST = 16
"""Levels."""

KINDS = ("dense", "charged", "chain", "weak_links", "close_levels", "steep_field")
WEIGHTS = (0.27, 0.22, 0.22, 0.1, 0.1, 0.09)

GRID = 2.0**-20
"""Entries of a Hamiltonian with an offset are multiples of it, so that the offset is exact."""

OFFSETS = (1.0, -37.0, 2.0**10, 2.0**20)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A random system: ``unit`` is what energies, temperatures and rates are counted in."""

    seed: int
    kind: str
    data: SystemData
    unit: float = 1.0
    offset: float = 0.0


def random_case(seed: int) -> Case:
    """The system of a seed."""
    rng = np.random.default_rng([seed, 20])
    kind = str(rng.choice(KINDS, p=WEIGHTS))
    data = {
        "dense": _dense,
        "charged": _charged,
        "chain": _chain,
        "weak_links": _weak_links,
        "close_levels": _close_levels,
        "steep_field": _steep_field,
    }[kind](rng)
    case = Case(seed=seed, kind=kind, data=data)
    change = rng.random()
    if change < 0.12:
        return _with_offset(case, float(rng.choice(OFFSETS)))
    if change < 0.24:
        return in_units(case, float(rng.choice([1e-12, 1e-6, 1e6, 1e12])))
    return case


def in_units(case: Case, unit: float) -> Case:
    """The same physics with all energies, temperatures, frequencies and rates times ``unit``."""
    data = case.data
    return replace(
        case,
        unit=case.unit * unit,
        data=replace(
            data,
            hamiltonian=data.hamiltonian * unit,
            baths=tuple(
                replace(
                    bath,
                    beta=bath.beta / unit,
                    mu=bath.mu * unit,
                    densities=tuple(_density_in_units(one, unit) for one in bath.densities),
                )
                for bath in data.baths
            ),
        ),
    )


def on_grid(case: Case) -> Case:
    """The system with its Hamiltonian rounded to multiples of `GRID`."""
    rounded = np.round(case.data.hamiltonian / GRID) * GRID
    return replace(case, data=replace(case.data, hamiltonian=rounded))


def shifted(case: Case, offset: float) -> Case:
    """The system with a constant added to its Hamiltonian (exact on the grid)."""
    data = case.data
    moved = data.hamiltonian + offset * np.eye(data.dimension)
    return replace(case, offset=case.offset + offset, data=replace(data, hamiltonian=moved))


def embedded(operator: np.ndarray, sites: Sequence[int], dimensions: Sequence[int]) -> np.ndarray:
    """An operator on some sites times the identity on the others, entry by entry."""
    size = math.prod(dimensions)
    states = list(itertools.product(*(range(n) for n in dimensions)))
    rest = [site for site in range(len(dimensions)) if site not in sites]
    total = np.zeros((size, size), dtype=complex)
    for (row, final), (column, initial) in itertools.product(enumerate(states), repeat=2):
        if any(final[site] != initial[site] for site in rest):
            continue
        a = b = 0
        for site in sites:
            a, b = a * dimensions[site] + final[site], b * dimensions[site] + initial[site]
        total[row, column] = operator[a, b]
    return total


def _with_offset(case: Case, offset: float) -> Case:
    return shifted(on_grid(case), offset)


def _density_in_units(density: Density, unit: float) -> Density:
    strength = density.strength * unit ** (1 - density.exponent)
    return replace(density, strength=strength, cutoff=density.cutoff * unit)


def _dimensions(rng: np.random.Generator) -> tuple[int, ...]:
    while True:
        count = int(rng.choice([1, 2, 3], p=[0.15, 0.5, 0.35]))
        found = tuple(int(n) for n in rng.choice([2, 3, 4], size=count, p=[0.6, 0.25, 0.15]))
        if math.prod(found) <= LARGEST:
            return found


def _hermitian(rng: np.random.Generator, size: int) -> np.ndarray:
    matrix = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    return (matrix + matrix.conj().T) / 2


def _dense(rng: np.random.Generator) -> SystemData:
    dimensions = _dimensions(rng)
    scale = 10 ** rng.uniform(-1, 0.7)
    hamiltonian = scale * _hermitian(rng, math.prod(dimensions))
    if rng.random() < 0.3:
        hamiltonian = (hamiltonian.real + hamiltonian.real.T).astype(complex) / 2
    return _with_baths(rng, dimensions, hamiltonian, None)


def _charged(rng: np.random.Generator) -> SystemData:
    dimensions = _dimensions(rng)
    charge = tuple(tuple(range(n - 1, -1, -1)) for n in dimensions)
    total = np.array([sum(choice) for choice in itertools.product(*charge)])
    hamiltonian = 10 ** rng.uniform(-1, 0.5) * _hermitian(rng, len(total))
    hamiltonian = np.where(np.equal.outer(total, total), hamiltonian, 0)
    hamiltonian = hamiltonian + np.diag(total * rng.uniform(0, 2))
    return _with_baths(rng, dimensions, hamiltonian, charge)


def _weak_links(rng: np.random.Generator) -> SystemData:
    """Random sites whose interaction is weaker by 1e-1 to 1e-6."""
    dimensions = _dimensions(rng)
    size = math.prod(dimensions)
    hamiltonian = 10 ** rng.uniform(-6, -1) * _hermitian(rng, size)
    for site, own in enumerate(dimensions):
        hamiltonian = hamiltonian + embedded(_hermitian(rng, own), (site,), dimensions)
    return _with_baths(rng, dimensions, hamiltonian, None)


def _close_levels(rng: np.random.Generator) -> SystemData:
    """Random eigenvectors; two neighbouring levels 1e-3 to 1e-8 apart."""
    dimensions = _dimensions(rng)
    size = math.prod(dimensions)
    energies = np.sort(rng.uniform(-2, 2, size))
    number = int(rng.integers(size - 1))
    energies[number + 1] = energies[number] + 10 ** rng.uniform(-8, -3)
    vectors = np.linalg.eigh(_hermitian(rng, size))[1]
    hamiltonian = (vectors * energies) @ vectors.conj().T
    return _with_baths(rng, dimensions, (hamiltonian + hamiltonian.conj().T) / 2, None)


def _chain(rng: np.random.Generator) -> SystemData:
    """Open XXZ chains of 2 to 4 qubits."""
    sites = int(rng.choice([2, 3, 4], p=[0.45, 0.35, 0.2]))
    field = np.full(sites, 0.5) if rng.random() < 0.6 else rng.uniform(-1, 1, sites)
    exchange = np.full(sites - 1, 10 ** rng.uniform(-2.5, 0.3))
    special = rng.random()
    if special < 0.3:
        exchange = 10 ** rng.uniform(-4, 0.3, sites - 1)
    elif special < 0.45:
        # levels of different magnetisation coincide for some of these
        exchange = np.full(sites - 1, rng.choice([0.125, 0.25, 0.5, 1.0]))
    ratio = 1.0 if rng.random() < 0.6 else float(rng.uniform(-1, 2))
    return _spins(rng, field, exchange, ratio)


def _steep_field(rng: np.random.Generator) -> SystemData:
    """Chains with one field 10 to 100 times as large as the others."""
    sites = int(rng.choice([2, 3]))
    field = np.full(sites, 0.5)
    field[int(rng.integers(sites))] = rng.choice([5.0, 20.0, 60.0, 100.0])
    exchange = np.full(sites - 1, 10 ** rng.uniform(-1, 0.3))
    return _spins(rng, field, exchange, 1.0)


def _spins(
    rng: np.random.Generator, field: np.ndarray, exchange: np.ndarray, ratio: float
) -> SystemData:
    sites = len(field)
    dimensions = (2,) * sites
    up = np.diag([1.0, -1.0])
    hop = np.array([[0, 0, 0, 0], [0, 0, 2.0, 0], [0, 2.0, 0, 0], [0, 0, 0, 0]])
    hamiltonian = sum(value * embedded(up, (site,), dimensions) for site, value in enumerate(field))
    for bond, value in enumerate(exchange):
        pair = value * (hop + ratio * np.kron(up, up))
        hamiltonian = hamiltonian + embedded(pair, (bond, bond + 1), dimensions)
    return _with_baths(rng, dimensions, hamiltonian, ((1, 0),) * sites, spins=True)


def _with_baths(
    rng: np.random.Generator,
    dimensions: tuple[int, ...],
    hamiltonian: np.ndarray,
    charge: tuple[tuple[int, ...], ...] | None,
    *,
    spins: bool = False,
) -> SystemData:
    count = min(len(dimensions), int(rng.choice([1, 2, 3], p=[0.25, 0.6, 0.15])))
    shuffled = [int(site) for site in rng.permutation(len(dimensions))]
    regions = [[site] for site in shuffled[:count]]
    for site in shuffled[count:]:
        if rng.random() < 0.35:
            regions[int(rng.integers(count))].append(site)
    if count == 1 and len(regions[0]) == len(dimensions):
        # the order of sites would be ambiguous: region and system are of one size
        regions[0].sort()
    baths = tuple(
        _bath(rng, f"bath{number}", tuple(sites), dimensions, charge, spins=spins)
        for number, sites in enumerate(regions)
    )
    return SystemData(dimensions=dimensions, hamiltonian=hamiltonian, baths=baths, charge=charge)


def _bath(
    rng: np.random.Generator,
    name: str,
    sites: tuple[int, ...],
    dimensions: tuple[int, ...],
    charge: tuple[tuple[int, ...], ...] | None,
    *,
    spins: bool,
) -> BathData:
    own = tuple(dimensions[site] for site in sites)
    beta = math.inf if rng.random() < 0.06 else 10 ** rng.uniform(-2, 2)
    if rng.random() < 0.5:
        beta = 10 ** rng.uniform(-1, 1)
    mu = 0.0 if rng.random() < 0.7 else -(10 ** rng.uniform(-1.5, 0.5))
    if spins:
        lower = np.array([[0.0, 0.0], [1.0, 0.0]])
        couplings = [embedded(lower, (k,), own) for k in range(len(own))]
    else:
        local = None if charge is None else [charge[site] for site in sites]
        couplings = [_coupling(rng, own, local) for _ in range(int(rng.choice([1, 2])))]
    density = _density(rng)
    if rng.random() < 0.2:
        densities = tuple(
            replace(density, strength=density.strength * 2**number)
            for number in range(len(couplings))
        )
    else:
        densities = (density,) * len(couplings)
    return BathData(
        name=name, sites=sites, beta=beta, mu=mu, densities=densities, couplings=tuple(couplings)
    )


def _coupling(
    rng: np.random.Generator, own: tuple[int, ...], charge: list[tuple[int, ...]] | None
) -> np.ndarray:
    """Hermitian, lowering or random; with a charge, of one fixed shift."""
    size = math.prod(own)
    kind = rng.choice(["hermitian", "lowering", "random"], p=[0.65, 0.22, 0.13])
    if charge is not None:
        total = np.array([sum(choice) for choice in itertools.product(*charge)])
        shift = 0 if kind == "hermitian" and rng.random() < 0.3 else -1
        allowed = np.subtract.outer(total, total) == shift
        matrix = _hermitian(rng, size) if shift == 0 else rng.normal(size=(size, size)) + 0j
        return np.where(allowed, matrix, 0)
    if kind == "hermitian":
        phase = np.exp(1j * rng.uniform(0, 6)) if rng.random() < 0.15 else 1.0
        return phase * _hermitian(rng, size)
    if kind == "lowering":
        site = int(rng.integers(len(own)))
        ladder = np.diag(np.sqrt(np.arange(1.0, own[site])), -1)
        return embedded(ladder, (site,), own)
    return (rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))) / 2


def _density(rng: np.random.Generator) -> Density:
    family = str(rng.choice(["ohmic", "ohmic_exponential", "drude_lorentz"], p=[0.6, 0.25, 0.15]))
    exponent = 1.0
    if family != "drude_lorentz" and rng.random() < 0.3:
        exponent = float(rng.choice([0.5, 1.5, 2.0, 3.0]))
    return Density(
        family=family,
        strength=float(np.round(10 ** rng.uniform(-1, 0.5), 3)),
        exponent=exponent,
        cutoff=float(np.round(10 ** rng.uniform(0.3, 1.5), 2)),
    )
