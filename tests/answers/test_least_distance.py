"""Both ends of the least trace distance, in both its meanings."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from lindfeas import Bath, OpenSystem, Question, Rates
from lindfeas.answers import polynomial_witness
from lindfeas.answers.enclosure import enclose
from lindfeas.answers.least_distance import (
    Budget,
    LeastDistance,
    least_distance,
    with_charge,
)
from lindfeas.answers.nearest import population_distance
from lindfeas.answers.nearest_search import random_starts
from lindfeas.answers.polynomial_witness import PolynomialWitness, _Search
from lindfeas.program.flow import rate_matrix
from lindfeas.program.program import Point
from lindfeas.program.setting import Setting
from tests.least_distance import generators, random_rates, steady_states
from tests.least_distance import least_distance as brute_force
from tests.systems import SIGMA_MINUS, SIGMA_Z, two_ended_chain

CHAIN = two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)
ALL, UNIQUE = 8.71635190e-3, 9.32764247e-3
"""The least T of the chain: of dephasing, and by brute force of unique steady states."""

NOTHING = 1e-12
"""T of systems whose steady state some allowed Lindbladian has exactly, up to rounding."""

SMALL = Budget(steps=4000, starts=2)


def answered(system: OpenSystem, budget: Budget = SMALL, **options: Any) -> LeastDistance:
    setting = Setting(Question(system=system, **options))
    found = enclose(setting.program, ["CLARABEL"])
    return least_distance(setting, found.point, found.multiplier, "CLARABEL", budget=budget)


@cache
def chain(rule: str = "each") -> LeastDistance:
    rates = {"each": Rates.each(1.0), "total": Rates.total(1.5), "range": Rates.range(0.1, 5.0)}
    return answered(CHAIN, rates=rates[rule])


@pytest.mark.parametrize("rule", ["each", "total", "range"])
def test_both_meanings_are_closed_at_the_four_qubit_chain(rule: str) -> None:
    found = chain(rule)
    assert found.all.lower <= ALL * (1 + 1e-6) and found.all.upper >= ALL * (1 - 1e-6)
    assert found.all.upper <= 1.01 * found.all.lower
    assert found.unique.lower <= UNIQUE * (1 + 1e-6) and found.unique.upper >= UNIQUE * (1 - 1e-6)
    assert found.unique.upper <= 1.02 * found.unique.lower
    assert found.unique.lower > found.all.upper


def test_dephasing_has_the_steady_state_that_is_exhibited() -> None:
    exhibit = chain().exhibit
    assert exhibit is not None
    setting = chain().setting
    generator = rate_matrix(setting.flows, exhibit.point.gammas)
    np.testing.assert_allclose(generator @ exhibit.populations, 0.0, atol=1e-15)
    off = np.abs(exhibit.populations - setting.reference.populations).sum() / 2
    assert off <= exhibit.distance <= off * (1 + 1e-9)
    assert np.linalg.matrix_rank(generator, tol=1e-12) < len(generator) - 1


def test_the_same_every_time() -> None:
    first, again = answered(CHAIN), answered(CHAIN)
    assert (first.unique, first.all) == (again.unique, again.all)


def test_a_stop_leaves_what_is_known_and_says_so() -> None:
    setting = Setting(Question(system=CHAIN))
    found = enclose(setting.program, ["CLARABEL"])
    cut = least_distance(setting, found.point, found.multiplier, "CLARABEL", stop=lambda: True)
    assert cut.cut_short and cut.unique.lower == 0
    assert cut.unique.upper is not None and cut.unique.upper >= UNIQUE * (1 - 1e-6)


def evaluated(witness: PolynomialWitness, rates: np.ndarray) -> np.ndarray:
    """y at given rates of every pool, from the definition of its monomials."""
    total = np.zeros(witness.multipliers.shape[1])
    for monomial, own in zip(witness.monomials, witness.multipliers, strict=True):
        orders = len(
            set(itertools.chain.from_iterable(itertools.permutations(p) for p in monomial))
        )
        if len(monomial) > 1:
            orders = int(np.prod([len(set(itertools.permutations(p))) for p in monomial]))
        total += orders * np.prod([rates[pool] for part in monomial for pool in part]) * own
    return total


@pytest.mark.parametrize("unique", [False, True])
def test_witnesses_hold_at_random_rates(unique: bool) -> None:
    """y.C p > T spread(C^T y), whoever of a pool has the rates; without any of the expansion."""
    found = chain()
    witness = next(one for one in found.polynomials if one.is_unique == unique)
    p = found.setting.reference.populations
    flows = generators(found.setting.reference)
    for rates in random_rates(3, 400):
        pooled = np.array([rates[list(own)].sum() for own in witness.pools.members])
        y = evaluated(witness, pooled)
        generator = np.einsum("m,mka->ka", rates, flows)
        v = generator.T @ y
        assert y @ generator @ p >= witness.distance * (v.max() - v.min()) * (1 - 1e-9)


def test_multipliers_of_dephasing_alone_are_exactly_constant_in_every_sector() -> None:
    found = chain()
    witness = next(one for one in found.polynomials if one.is_unique)
    sectors = found.setting.reference.spectrum.sectors
    exempt = [
        own
        for monomial, own in zip(witness.monomials, witness.multipliers, strict=True)
        if all(witness.pools.conserving[pool] for part in monomial for pool in part)
    ]
    assert len(exempt) == 1
    assert all(len(set(exempt[0][sector.levels])) == 1 for sector in sectors)


def test_what_pooled_regions_differ_by_is_paid_for() -> None:
    search = _Search(chain().setting, False)
    y = np.linspace(-1.0, 1.0, 16)
    before = search._values(y, search.pools.members[0])
    search.flows[search.pools.members[0][0]] *= 1 + 1e-6
    after = search._values(y, search.pools.members[0])
    assert after[1] > before[1] + 1e-9 and after[3] > before[3] + 1e-9


def qubits(seed: int, count: int) -> OpenSystem:
    """Random qubits with exchange, complex phases and cold and hot ends; they conserve sum sz."""
    rng = np.random.default_rng([seed, count])
    identity = np.eye(2)

    def at(operator: np.ndarray, site: int) -> np.ndarray:
        found = np.eye(1)
        for other in range(count):
            found = np.kron(found, operator if other == site else identity)
        return found

    hamiltonian = sum(rng.uniform(0.3, 1.2) * at(SIGMA_Z, site) for site in range(count)) + 0j
    for site in range(count - 1):
        hop = rng.uniform(0.05, 0.5) * np.exp(1j * rng.uniform(0, 6)) * at(SIGMA_MINUS, site)
        hop = hop @ at(SIGMA_MINUS.T, site + 1)
        hamiltonian = hamiltonian + hop + hop.conj().T
        hamiltonian = hamiltonian + rng.uniform(-0.3, 0.3) * at(SIGMA_Z, site) @ at(
            SIGMA_Z, site + 1
        )
    beta = 10.0 ** rng.uniform(-1, 0.7, 2)
    baths = [
        Bath(name="left", sites=(0,), beta=float(beta[0]), couplings=(SIGMA_MINUS,)),
        Bath(name="right", sites=(count - 1,), beta=float(beta[1]), couplings=(SIGMA_MINUS,)),
    ]
    charge = ((1, 0),) * count
    return OpenSystem(
        hamiltonian=hamiltonian, dimensions=(2,) * count, baths=tuple(baths), charge=charge
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_charge_that_is_not_declared_changes_nothing(seed: int) -> None:
    system = qubits(seed, 2 + seed % 2)
    plain = replace(system, charge=None)
    declared, found = answered(system), answered(plain)
    for one, two in ((declared.unique, found.unique), (declared.all, found.all)):
        assert one.lower <= two.upper and two.lower <= one.upper
        assert max(one.upper, two.upper) <= 1.3 * min(one.upper, two.upper) + NOTHING
        assert max(one.lower, two.lower) <= 2 * min(one.lower, two.lower)
    asked = Setting(Question(system=plain))
    assert with_charge(asked) is not asked
    assert found.point is not None and len(found.point.gammas) == len(asked.flows)
    own = population_distance(asked.program, asked.reference.populations, asked.flows, found.point)
    assert own == pytest.approx(found.unique.upper, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_no_random_rates_beat_the_certified_end(seed: int) -> None:
    system = qubits(100 + seed, 2 + seed % 2)
    found = answered(system)
    reference = Setting(Question(system=system)).reference
    rates = random_rates(seed, 3000)
    distances = (
        np.abs(steady_states(generators(reference), rates) - reference.populations).sum(axis=1) / 2
    )
    assert found.all.lower <= found.all.upper <= found.unique.upper
    assert found.unique.lower <= found.unique.upper
    assert found.unique.lower <= distances.min()
    assert found.unique.lower > 0.3 * found.unique.upper - NOTHING


@pytest.mark.parametrize("seed", (1, 2, 3, 4, 6))
def test_the_upper_end_is_that_of_brute_force(seed: int) -> None:
    system = qubits(200 + seed, 2)
    found = answered(system)
    assert found.unique.upper > NOTHING
    least = brute_force(Setting(Question(system=system)).reference)
    assert found.unique.lower <= least * (1 + 1e-9)
    assert found.unique.upper == pytest.approx(least, rel=1e-3)


def tilted(seed: int) -> OpenSystem:
    """Two random qubits without any charge: blocks of order 3."""
    rng = np.random.default_rng([seed, 77])
    matrix = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    operator = rng.normal(size=(2, 2))
    beta = float(10.0 ** rng.uniform(-1, 0.5))
    baths = (Bath(name="left", sites=(0,), beta=beta, couplings=(operator,)),)
    return OpenSystem(
        hamiltonian=matrix + matrix.conj().T, dimensions=(2, 2), baths=baths, charge=None
    )


@pytest.mark.parametrize("seed", range(20))
def test_no_random_gamma_beats_the_certified_end_without_a_charge(seed: int) -> None:
    system = tilted(seed)
    found = answered(system)
    setting = Setting(Question(system=system))
    assert with_charge(setting) is setting
    program, p = setting.program, setting.reference.populations
    like = Point(gammas=[], shift=np.zeros(program.shifts.count))
    starts = itertools.islice(random_starts(program, setting.flows, like), 300)
    least = min(population_distance(program, p, setting.flows, one) for one in starts)
    lower = found.unique.lower
    assert lower <= least and lower <= found.unique.upper <= least * (1 + 1e-6)


def transmon(levels: int) -> OpenSystem:
    """A transmon (first) that exchanges excitations with a resonator on a bath: rho0 is Gibbs."""
    lower = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    b, a = np.kron(lower, np.eye(levels)), np.kron(np.eye(levels), lower)
    hamiltonian = 5 * b.T @ b - 0.15 * b.T @ b.T @ b @ b + 7 * a.T @ a
    hamiltonian = hamiltonian + 0.1 * (a.T @ b + b.T @ a)
    bath = Bath(name="bath", sites=(1,), beta=0.5, couplings=(lower,))
    charge = (tuple(range(levels)),) * 2
    return OpenSystem(
        hamiltonian=hamiltonian, dimensions=(levels, levels), baths=(bath,), charge=charge
    )


def test_the_race_gets_past_local_minima_of_a_transmon_and_a_resonator() -> None:
    """Smooth descents alone end at 3.3e-4; the least that is known is 9.37e-5."""
    found = answered(transmon(4), Budget(steps=60_000, starts=4))
    assert 9.3e-5 < found.unique.upper < 1e-4
    assert 1e-5 < found.unique.lower < found.unique.upper
    setting = found.setting
    assert found.point is not None
    own = population_distance(
        setting.program, setting.reference.populations, setting.flows, found.point
    )
    assert own == pytest.approx(found.unique.upper, rel=1e-6)


def test_a_solver_that_is_not_exact_is_levelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a solver leaves of differences within a sector would make 0 > 0 a matter of noise."""
    exact = polynomial_witness.propose

    def noisy(*given: Any, **options: Any) -> np.ndarray | None:
        y = exact(*given, **options)
        noise = np.random.default_rng(0).uniform(-1e-9, 1e-9, np.shape(y))
        return None if y is None else y + noise

    monkeypatch.setattr(polynomial_witness, "propose", noisy)
    setting = chain().setting
    witness = polynomial_witness.polynomial_witness(setting, UNIQUE, unique=True)
    assert witness is not None and witness.distance > 0.9 * UNIQUE
    sectors = setting.reference.spectrum.sectors
    for monomial, own in zip(witness.monomials, witness.multipliers, strict=True):
        if all(witness.pools.conserving[pool] for part in monomial for pool in part):
            assert all(len(set(own[sector.levels])) == 1 for sector in sectors)


def test_a_charge_is_not_used_where_levels_coincide_across_it() -> None:
    """Both product states of equal spins have energy 0: mixing their charges can come nearer."""
    hop = np.kron(SIGMA_MINUS, SIGMA_MINUS.T)
    fields = 0.2 * (np.kron(SIGMA_Z, np.eye(2)) - np.kron(np.eye(2), SIGMA_Z))
    baths = (
        Bath(name="left", sites=(0,), beta=1.0, couplings=(SIGMA_MINUS,)),
        Bath(name="right", sites=(1,), beta=5.0, couplings=(SIGMA_Z,)),
    )
    system = OpenSystem(
        hamiltonian=fields + 0.6 * (hop + hop.T), dimensions=(2, 2), baths=baths, charge=None
    )
    assert system.with_found_charge().charge is not None
    setting = Setting(Question(system=system))
    assert with_charge(setting) is setting
