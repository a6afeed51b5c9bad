"""The program for tau_pop, against the definition of L' and Lindbladians near the optimum."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from lindfeas import OpenSystem, Rates, redfield_equation
from lindfeas.answers.candidate import lindbladian
from lindfeas.answers.enclosure import Enclosure, enclose
from lindfeas.physics.equations.operator_basis import Region, regions_of
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.program.bounds import (
    lower_bound,
    repair_multiplier,
    repair_point,
    upper_bound,
)
from lindfeas.program.program import Point, Program
from lindfeas.program.rates import RateBounds
from lindfeas.program.target import populations
from tests.perturbed import NEAR, nearby_multipliers, nearby_points
from tests.systems import assembled, complex_trimer, oscillator_and_qubit, two_ended_chain

ROUNDING = 1e-14

SYSTEMS = {
    "chain 1+2+1": two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0),
    "chain 2+1+1": two_ended_chain(2, 1, 1, coupling=0.2, beta_left=2.0, beta_right=0.5),
    "chain 2+2+2": two_ended_chain(2, 2, 2, coupling=0.1, beta_right=10.0),
    "three on one bath": two_ended_chain(3, 0, 0, coupling=0.3),
    "qutrit and qubit": oscillator_and_qubit(),
    "chiral, no charge": complex_trimer(),
}

EACH = Rates.each(1.0)
RULES = {
    "each": EACH,
    "each, unequal": Rates.each((0.3, 2.0)),
    "total": Rates.total(1.5),
    "range": Rates.range(0.5, (1.0, 3.0)),
}


def compiled(
    system: OpenSystem, rates: Rates = EACH
) -> tuple[Redfield, tuple[Region, ...], Program]:
    reference = redfield_equation(system)
    ansatz = regions_of(system, reference.spectrum)
    return reference, ansatz, assembled(populations(reference), reference, ansatz, rates)


def dissipator_diagonal(
    reference: Redfield, ansatz: tuple[Region, ...], kossakowski: list[np.ndarray]
) -> np.ndarray:
    """<k|L'(rho0)|k> from the definition, with dense operators in the product basis."""
    system, vectors = reference.system, reference.spectrum.vectors
    state = vectors @ np.diag(reference.populations) @ vectors.conj().T
    change = np.zeros_like(state, dtype=complex)
    for region, gamma in zip(ansatz, kossakowski, strict=True):
        scale = np.sqrt(region.dimension / system.dimension)
        operators = [scale * system.embed(local, region.sites).toarray() for local in region.basis]
        for i, left in enumerate(operators):
            for j, right in enumerate(operators):
                product = left.conj().T @ right
                jump = right @ state @ left.conj().T
                change += gamma[i, j] * (jump - (product @ state + state @ product) / 2)
    return np.diag(vectors.conj().T @ change @ vectors).real


@pytest.mark.parametrize("name", [n for n in SYSTEMS if n != "chain 2+2+2"])
def test_residual_is_the_diagonal_of_the_dissipator(name: str) -> None:
    reference, ansatz, program = compiled(SYSTEMS[name])
    generator = np.random.default_rng(3)
    gammas = []
    for block in program.blocks:
        factor = generator.normal(size=(block.size,) * 2)
        factor = factor + (1j * generator.normal(size=factor.shape) if block.is_complex else 0)
        gammas.append(factor @ factor.conj().T)
    point = Point(gammas=gammas, shift=np.zeros(0))
    candidate = lindbladian(program, point, reference, ansatz)
    expected = dissipator_diagonal(reference, ansatz, [r.kossakowski for r in candidate.regions])
    np.testing.assert_allclose(program.residual(point), expected, atol=1e-13)


def test_charge_blocks_lose_nothing() -> None:
    """The same chain without its charge has the same optimum, from one dense block."""
    system = SYSTEMS["chain 1+2+1"]
    plain = OpenSystem(
        hamiltonian=system.hamiltonian,
        dimensions=system.dimensions,
        baths=system.baths,
        charge=None,
    )
    intervals = [enclose(compiled(s)[2], ["CLARABEL"]).interval for s in (system, plain)]
    assert len(compiled(plain)[2].blocks) == 2
    assert intervals[0].lower == pytest.approx(intervals[1].upper, rel=1e-6)
    assert intervals[1].lower <= intervals[0].upper
    assert intervals[0].lower <= intervals[1].upper


@cache
def certified(name: str, rule: str) -> tuple[Program, Enclosure]:
    program = compiled(SYSTEMS[name], RULES[rule])[2]
    return program, enclose(program, ["CLARABEL"])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", [n for n in SYSTEMS if n != "three on one bath"])
def test_no_feasible_point_beats_the_lower_bound(name: str, rule: str) -> None:
    program, found = certified(name, rule)
    assert found.point is not None
    nearest = np.inf
    for point in nearby_points(program, found.point):
        assert rule_holds(program.rates, list(program.traces(point.gammas)))
        assert all(np.linalg.eigvalsh(g)[0] >= -ROUNDING * np.trace(g).real for g in point.gammas)
        defect = float(np.abs(program.residual(point)).sum())
        assert found.interval.lower <= defect <= upper_bound(program, point)
        nearest = min(nearest, defect)
    assert nearest <= found.interval.upper * (1 + NEAR)


def rule_holds(rates: RateBounds, traces: list[float]) -> bool:
    if rates.total is not None:
        return sum(traces) == pytest.approx(rates.total, rel=1e-12)
    return all(
        low * (1 - 1e-12) <= trace <= high * (1 + 1e-12)
        for trace, low, high in zip(traces, rates.lower, rates.upper, strict=True)
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", [n for n in SYSTEMS if n != "three on one bath"])
def test_every_multiplier_gives_a_valid_lower_bound(name: str, rule: str) -> None:
    """Whatever a solver returns: any y, repaired, stays below a feasible defect."""
    program, found = certified(name, rule)
    bounds = [lower_bound(program, y) for y in nearby_multipliers(found.multiplier)]
    assert max(bounds) <= found.interval.upper
    assert max(bounds) >= found.interval.lower * (1 - NEAR)
    assert min(bounds) < 0.5 * found.interval.lower


def test_multipliers_that_are_not_numbers_are_repaired() -> None:
    program, found = certified("chain 1+2+1", "each")
    broken = np.full(program.rows, np.nan)
    broken[0] = np.inf
    assert 0.0 <= lower_bound(program, broken) <= found.interval.upper
    assert np.abs(repair_multiplier(program, broken)).max() <= 1.0


def test_gammas_that_are_not_numbers_are_repaired() -> None:
    program, found = certified("chain 1+2+1", "each")
    broken = [np.full((block.size,) * 2, np.nan) for block in program.blocks]
    point = repair_point(program, Point(gammas=broken, shift=np.zeros(0)))
    assert upper_bound(program, point) >= found.interval.lower


def test_scale_of_the_rates_scales_the_optimum() -> None:
    base = enclose(compiled(SYSTEMS["chain 1+2+1"], Rates.each(1.0))[2], ["CLARABEL"]).interval
    triple = enclose(compiled(SYSTEMS["chain 1+2+1"], Rates.each(3.0))[2], ["CLARABEL"]).interval
    assert triple.lower == pytest.approx(3 * base.lower, rel=1e-9)


def test_total_is_at_most_any_split_of_each() -> None:
    """`total` chooses the split: no even split with the same sum has a smaller defect."""
    even = enclose(compiled(SYSTEMS["chain 1+2+1"], Rates.each(0.5))[2], ["CLARABEL"]).interval
    total = enclose(compiled(SYSTEMS["chain 1+2+1"], Rates.total(1.0))[2], ["CLARABEL"]).interval
    assert total.lower <= even.upper


@pytest.mark.parametrize(
    ("rates", "smallest", "expected"),
    [
        (Rates.each((2.0, 3.0)), [1.0, -1.0], -1.0),
        (Rates.total(2.0), [1.0, -1.0], -2.0),
        (Rates.range(0.5, 4.0), [1.0, -1.0], 0.5 - 4.0),
    ],
)
def test_dual_value_of_the_rate_rules(rates: Rates, smallest: list[float], expected: float) -> None:
    assert float(rates.bounds(2).smallest(np.array(smallest))) == expected


def test_global_region_can_reproduce_any_steady_state() -> None:
    """One bath on the whole system: no locality constraint is left, so tau = 0."""
    interval = enclose(compiled(SYSTEMS["three on one bath"])[2], ["CLARABEL"]).interval
    assert interval.upper < 1e-12
    assert interval.lower == 0.0


def test_uncertainty_covers_a_perturbed_hamiltonian() -> None:
    """Moving H by its last bits moves the optimum by less than the allowance says."""
    system = SYSTEMS["chain 2+1+1"]
    intervals = []
    for seed in range(4):
        generator = np.random.default_rng(seed)
        hamiltonian = system.hamiltonian.copy()
        noise = 1 + generator.uniform(-1, 1, size=hamiltonian.data.size) * 2.0**-53
        hamiltonian.data = hamiltonian.data * noise
        moved = OpenSystem(
            hamiltonian=(hamiltonian + hamiltonian.T) / 2,
            dimensions=system.dimensions,
            baths=system.baths,
            charge=system.charge,
        )
        intervals.append(enclose(compiled(moved)[2], ["CLARABEL"]).interval)
    assert max(i.lower for i in intervals) <= min(i.upper for i in intervals)
