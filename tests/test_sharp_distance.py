"""Sharp bounds on the trace distance, and Lindbladians that nearly reach them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lindfeas import Question, Rates, certify, redfield_equation
from lindfeas.ansatz import regions
from lindfeas.assembly import assemble
from lindfeas.bounds import repair_point
from lindfeas.distance import trace_distance
from lindfeas.flow import flow_blocks
from lindfeas.lindbladian import lindbladian
from lindfeas.problem import Point
from lindfeas.target import populations
from tests.systems import oscillator_and_qubit, random_positive, two_ended_chain

CHAIN = two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)
RULES = {
    "each": Rates.each(1.0),
    "total": Rates.total(1.5),
    "range": Rates.range(0.5, (1.0, 3.0)),
}


def test_measured_values_of_the_four_qubit_chain() -> None:
    """||p - p'||_1: Lemma 1 gives 4.5e-5, the sharp bound 1.52e-2, and 1.99e-2 is attained."""
    distance = certify(Question(system=CHAIN)).trace_distance
    assert 2 * distance.lemma1 == pytest.approx(4.5e-5, rel=0.01)
    assert 2 * distance.lower >= 1.52e-2
    assert 2 * distance.upper <= 1.99e-2
    assert distance.upper <= 1.3 * distance.lower


@pytest.mark.parametrize(
    ("coupling", "left", "right"), [(0.1, 1.0, 1.0), (1.0, 1.0, 10.0), (0.1, 10.0, 10.0)]
)
def test_bounds_are_ordered_and_close(coupling: float, left: float, right: float) -> None:
    system = two_ended_chain(1, 2, 1, coupling=coupling, beta_left=left, beta_right=right)
    quick = certify(Question(system=system), sharp=False).trace_distance
    sharp = certify(Question(system=system), sharp=True).trace_distance
    assert quick.lemma1 <= quick.lower <= sharp.lower <= sharp.upper <= quick.upper
    assert sharp.upper <= 1.4 * sharp.lower


def test_nearest_lindbladian_has_the_distance_that_is_reported() -> None:
    answer = certify(Question(system=CHAIN))
    found = trace_distance(answer.nearest.populations, answer.reference.populations)
    assert found == pytest.approx(answer.trace_distance.upper, rel=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("system", [CHAIN, oscillator_and_qubit()], ids=["chain", "qutrit"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_lindbladian_is_nearer_than_the_bound(system, rule: str, data) -> None:  # type: ignore[no-untyped-def]
    reference, ansatz, problem, bound = prepared(system, rule)
    gammas = [data.draw(random_positive(b.size, b.is_complex)) for b in problem.blocks]
    point = repair_point(problem, Point(gammas=gammas, shift=np.zeros(0)))
    candidate = lindbladian(problem, point, reference, ansatz)
    if candidate.populations is not None:
        assert trace_distance(candidate.populations, reference.populations) >= bound


CACHE: dict = {}  # type: ignore[type-arg]


def prepared(system, rule: str):  # type: ignore[no-untyped-def]
    key = (id(system), rule)
    if key not in CACHE:
        reference = redfield_equation(system)
        ansatz = regions(system, reference.spectrum)
        problem = assemble(populations(reference), reference, ansatz, RULES[rule])
        bound = certify(Question(system=system, rates=RULES[rule])).trace_distance.lower
        CACHE[key] = reference, ansatz, problem, bound
    return CACHE[key]


def test_flow_coefficients_sum_to_those_of_the_defect() -> None:
    reference, ansatz, problem, _ = prepared(CHAIN, "each")
    flows = flow_blocks(ansatz, reference.spectrum.dimension)
    for flow, block in zip(flows, problem.blocks, strict=True):
        np.testing.assert_allclose(flow.of_state(reference.populations), block.rows, atol=1e-15)
        np.testing.assert_allclose(flow.coefficients.sum(axis=1), 0.0, atol=1e-15)
