"""The nearest Lindbladian: exact gradients, feasible answers, the true minimum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import check_grad

from lindfeas import Bath, OpenSystem, Rates, redfield_equation
from lindfeas.answers.enclosure import enclose
from lindfeas.answers.nearest import _Search, nearest_lindbladian
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.physics.systems.sites import product_charges
from lindfeas.program.bounds import repair_point
from lindfeas.program.flow import flow_blocks, rate_matrix
from lindfeas.program.hermitian import hermitian_root
from lindfeas.program.program import Point
from lindfeas.program.target import populations
from tests.least_distance import least_distance
from tests.systems import assembled, complex_trimer, oscillator_and_qubit, two_ended_chain

CHAIN = two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)
PAIRS = two_ended_chain(2, 0, 2, coupling=0.1, beta_right=10.0)
RULES = {
    "each": Rates.each(1.0),
    "total": Rates.total(1.5),
    "range": Rates.range(0.5, (1.0, 3.0)),
}


def prepared(system: Any, rule: str) -> tuple[Any, ...]:
    """(program, true populations, flows, Gamma proportional to the identity)."""
    reference = redfield_equation(system)
    ansatz = regions_of(system, reference.spectrum)
    program = assembled(populations(reference), reference, ansatz, RULES[rule])
    flows = flow_blocks(ansatz, reference.spectrum.dimension)
    even = Point(gammas=[np.eye(block.size) for block in program.blocks], shift=np.zeros(0))
    return program, reference.populations, flows, repair_point(program, even)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("system", [CHAIN, PAIRS, complex_trimer()], ids=["1", "2", "complex"])
def test_gradient_is_that_of_finite_differences(system: Any, rule: str) -> None:
    program, p, flows, even = prepared(system, rule)
    search = _Search(program, p, flows)
    x, limits = search._coordinates(even)
    generator = np.random.default_rng(3)
    high = np.array([np.inf if b is None else b for _, b in limits])
    x = np.minimum(x + 0.1 * generator.normal(size=len(x)), high)
    length = 0.3 * np.abs(p).mean()
    _, gradient = search._value(x, length)
    error = check_grad(
        lambda at: search._value(at, length)[0], lambda at: search._value(at, length)[1], x
    )
    assert np.linalg.norm(gradient) > 1e-2
    assert error < 1e-5 * np.linalg.norm(gradient)


@pytest.mark.parametrize("rule", RULES)
def test_the_true_minimum_is_found_from_a_bad_start(rule: str) -> None:
    """From the identity, far from the optimum of tau; the answer keeps to the rate rule."""
    program, p, flows, even = prepared(CHAIN, rule)
    point, distance = nearest_lindbladian(program, p, flows, even)
    assert distance == pytest.approx(least_distance(redfield_equation(CHAIN)), rel=1e-5)
    repaired = repair_point(program, point)
    for found, allowed in zip(point.gammas, repaired.gammas, strict=True):
        np.testing.assert_allclose(found, allowed, atol=1e-12)


@pytest.mark.parametrize("system", [PAIRS, oscillator_and_qubit()], ids=["pairs", "qutrit"])
def test_the_answer_is_nearer_than_its_start(system: Any) -> None:
    program, p, flows, even = prepared(system, "each")
    start = _Search(program, p, flows).distance(even)
    assert nearest_lindbladian(program, p, flows, even)[1] < 0.2 * start


def test_where_no_steady_state_is_unique_nothing_is_found() -> None:
    """No flow at all: every state is steady."""
    program, p, flows, even = prepared(CHAIN, "each")
    still = [type(flow)(region=flow.region, coefficients=0 * flow.coefficients) for flow in flows]
    assert nearest_lindbladian(program, p, still, even) is None


SHAPES = ((2, 2), (2, 3), (3, 2), (2, 2, 2))
RANDOM_RULES = (Rates.each(1.0), Rates.total(1.0), Rates.range(1e-3, 1e2))
SIZES = 10.0 ** -np.arange(1, 7)
ROUNDING = 1e-13
SPLIT = 2
"""Seed of a system whose only Kossakowski matrix is not diagonal."""

LOCAL = 1e-4
"""By what fraction no small change may lower T."""


def random_system(seed: int) -> OpenSystem:
    """Two or three sites, with or without a charge, a bath on one or two of them."""
    generator = np.random.default_rng(seed)
    dimensions = SHAPES[generator.integers(len(SHAPES))]
    local = [tuple(range(levels))[::-1] for levels in dimensions]
    charges = product_charges(local, dimensions)
    charged, with_phases, two = generator.integers(2, size=3)

    def matrix(size: int) -> Any:
        imaginary = generator.normal(size=(size, size))
        return generator.normal(size=(size, size)) + 1j * with_phases * imaginary

    mixing = matrix(len(charges)) * 10 ** generator.uniform(-2, 0)
    hamiltonian = (mixing + mixing.conj().T) / 2 + np.diag(charges * generator.uniform(0.3, 3.0))
    hamiltonian += np.diag(0.3 * generator.normal(size=len(charges)))
    if charged:
        hamiltonian = hamiltonian * np.equal.outer(charges, charges)
    baths = []
    for site in generator.permutation(len(dimensions))[: 1 + two]:
        one = matrix(dimensions[site])
        lowering = np.diag(np.diag(one, -1), -1) if charged else (one + one.conj().T) / 2
        beta = 10 ** generator.uniform(-1.5, 1.2)
        baths.append(Bath(name=f"b{site}", sites=(int(site),), beta=beta, couplings=(lowering,)))
    return OpenSystem(
        hamiltonian=hamiltonian,
        dimensions=dimensions,
        baths=tuple(baths),
        charge=tuple(local) if charged else None,
    )


def started(system: OpenSystem, rates: Rates) -> tuple[Any, ...]:
    """(program, true populations, flows, the optimum of tau_pop)."""
    reference = redfield_equation(system)
    ansatz = regions_of(system, reference.spectrum)
    program = assembled(populations(reference), reference, ansatz, rates)
    point = enclose(program, ["CLARABEL"]).point
    assert point is not None
    return program, reference.populations, flow_blocks(ansatz, reference.spectrum.dimension), point


def changed(point: Point, size: float, kind: int, generator: np.random.Generator) -> Point:
    """Gamma changed by ``size``: by the root of it, relatively, by new rates, or as a whole."""
    gammas = []
    largest = max(float(np.abs(gamma).max()) for gamma in point.gammas)
    for gamma in point.gammas:
        normal = generator.normal(size=gamma.shape)
        if np.iscomplexobj(gamma):
            normal = normal + 1j * generator.normal(size=gamma.shape)
        root = hermitian_root(gamma)
        if kind == 3:
            gammas.append(gamma * np.exp(size * generator.normal()))
        elif kind == 2:
            gammas.append(gamma + size * largest * np.outer(normal[0], normal[0].conj()))
        else:
            step = np.sqrt(largest) * normal if kind == 0 else root @ normal
            gammas.append((root + size * step) @ (root + size * step).conj().T)
    return Point(gammas=gammas, shift=point.shift)


@pytest.mark.parametrize("seed", range(24))
def test_no_small_change_comes_nearer(seed: int) -> None:
    """In hundreds of random directions, from 1e-1 to 1e-6 of the rates."""
    rates = RANDOM_RULES[seed % 3]
    program, p, flows, start = started(random_system(seed), rates)
    found = nearest_lindbladian(program, p, flows, start)
    assert found is not None
    point, distance = found
    search = _Search(program, p, flows)
    assert distance <= search.distance(start)
    assert distance == pytest.approx(search.distance(point), rel=1e-12)
    generator = np.random.default_rng(seed)
    nearest = min(
        search.distance(repair_point(program, changed(point, size, kind, generator)))
        for size in SIZES
        for kind in range(4)
        for _ in range(10)
    )
    assert nearest >= distance * (1 - LOCAL) - ROUNDING


def test_no_steady_state_counts_that_only_rounding_makes_unique() -> None:
    """Rates between two halves of the levels that are what is left of a cancellation."""
    program, p, flows, _ = started(random_system(SPLIT), Rates.each(1.0))
    search = _Search(program, p, flows)
    parts = [np.zeros_like(flow.coefficients) for flow in flows]
    half = np.arange(len(p)) < len(p) // 2
    inside = np.equal.outer(half, half)[:, :, None, None]
    for part, flow in zip(parts, flows, strict=True):
        part += np.where(inside, flow.coefficients, 0)
        noise = np.diag([1.0, 2.0**-53 - 1, *np.zeros(flow.size - 2)])
        part += np.where(inside, 0, noise)
    split = [replace(flow, coefficients=part) for flow, part in zip(flows, parts, strict=True)]
    gammas = [np.full((flow.size, flow.size), 1 / flow.size) for flow in flows]
    point = Point(gammas=gammas, shift=np.zeros(0))
    assert rate_matrix(split, gammas)[half][:, ~half].max() > 0
    assert np.isfinite(search.distance(point))
    assert _Search(program, p, split).distance(point) == np.inf


def test_the_optimum_and_the_identity_may_both_lead_to_another_minimum() -> None:
    """A qutrit, with the bath, and a qubit: from these two starts T ends at 6.15e-2."""
    hamiltonian = np.diag([3.07, 1.61, 1.71, 1.02, 1.58, -0.05])
    hamiltonian[1, 2] = hamiltonian[2, 1] = 0.04
    hamiltonian[3, 4] = hamiltonian[4, 3] = 0.24
    bath = Bath(name="b", sites=(0,), beta=0.66, couplings=(np.diag([0.6, 1.26], -1),))
    system = OpenSystem(
        hamiltonian=hamiltonian, dimensions=(3, 2), baths=(bath,), charge=((2, 1, 0), (1, 0))
    )
    found = nearest_lindbladian(*started(system, Rates.range(1e-3, 1e2)))
    assert found is not None and found[1] < 4.6e-2


def test_eigenvalues_of_gamma_grow_again_from_zero() -> None:
    """Where the smoothed descents alone end at 1.1e-7, ten times too far away."""
    found = nearest_lindbladian(*started(random_system(24), Rates.each(1.0)))
    assert found is not None and found[1] < 2e-8
