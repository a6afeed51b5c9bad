"""The nearest Lindbladian: exact gradients, feasible answers, the true minimum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import check_grad

from lindfeas import Rates, redfield_equation
from lindfeas.ansatz import regions
from lindfeas.assembly import assemble
from lindfeas.bounds import repair_point
from lindfeas.flow import flow_blocks
from lindfeas.nearest import _Search, nearest_lindbladian
from lindfeas.problem import Point
from lindfeas.target import populations
from tests.least_distance import least_distance
from tests.systems import complex_trimer, oscillator_and_qubit, two_ended_chain

CHAIN = two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)
PAIRS = two_ended_chain(2, 0, 2, coupling=0.1, beta_right=10.0)
RULES = {
    "each": Rates.each(1.0),
    "total": Rates.total(1.5),
    "range": Rates.range(0.5, (1.0, 3.0)),
}


def prepared(system: Any, rule: str) -> tuple[Any, ...]:
    """(problem, true populations, flows, Gamma proportional to the identity)."""
    reference = redfield_equation(system)
    ansatz = regions(system, reference.spectrum)
    problem = assemble(populations(reference), reference, ansatz, RULES[rule])
    flows = flow_blocks(ansatz, reference.spectrum.dimension)
    even = Point(gammas=[np.eye(block.size) for block in problem.blocks], shift=np.zeros(0))
    return problem, reference.populations, flows, repair_point(problem, even)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("system", [CHAIN, PAIRS, complex_trimer()], ids=["1", "2", "complex"])
def test_gradient_is_that_of_finite_differences(system: Any, rule: str) -> None:
    problem, p, flows, even = prepared(system, rule)
    search = _Search(problem, p, flows)
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
    problem, p, flows, even = prepared(CHAIN, rule)
    point, distance = nearest_lindbladian(problem, p, flows, even)
    assert distance == pytest.approx(least_distance(redfield_equation(CHAIN)), rel=1e-5)
    repaired = repair_point(problem, point)
    for found, allowed in zip(point.gammas, repaired.gammas, strict=True):
        np.testing.assert_allclose(found, allowed, atol=1e-12)


@pytest.mark.parametrize("system", [PAIRS, oscillator_and_qubit()], ids=["pairs", "qutrit"])
def test_the_answer_is_nearer_than_its_start(system: Any) -> None:
    problem, p, flows, even = prepared(system, "each")
    start = _Search(problem, p, flows).distance(even)
    assert nearest_lindbladian(problem, p, flows, even)[1] < 0.2 * start


def test_where_no_steady_state_is_unique_nothing_is_found() -> None:
    """No flow at all: every state is steady."""
    problem, p, flows, even = prepared(CHAIN, "each")
    still = [type(flow)(region=flow.region, coefficients=0 * flow.coefficients) for flow in flows]
    assert nearest_lindbladian(problem, p, still, even) is None
