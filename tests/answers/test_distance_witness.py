"""Sharp bounds on the trace distance, and Lindbladians that nearly reach them."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from lindfeas import (
    Answer,
    Bath,
    Question,
    Rates,
    Redfield,
    certify,
    models,
    prove,
    redfield_equation,
)
from lindfeas.answers.candidate import lindbladian
from lindfeas.answers.distance_witness import Cell, Cut, distance_witness
from lindfeas.answers.enclosure import enclose
from lindfeas.answers.nearest import _Search, nearest_lindbladian
from lindfeas.checker import verify
from lindfeas.physics.dynamics.measures import trace_distance
from lindfeas.physics.equations.operator_basis import Region, regions_of
from lindfeas.program.flow import flow_blocks
from lindfeas.program.program import Program
from lindfeas.program.target import populations
from tests.least_distance import generators, least_distance, random_rates, steady_states
from tests.mutations import changed, resealed, without
from tests.perturbed import NEAR, nearby_points
from tests.systems import (
    SIGMA_MINUS,
    SIGMA_Z,
    assembled,
    complex_trimer,
    oscillator_and_qubit,
    reference_rows,
    reference_system,
    two_ended_chain,
)

CHAIN = two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)
RULES = {
    "each": Rates.each(1.0),
    "total": Rates.total(1.5),
    "range": Rates.range(0.5, (1.0, 3.0)),
}
ROWS = [row for row in reference_rows() if (row["n_left"], row["n_right"]) == (1, 1)]
LOOSEST = (9, 13, 32, 36, 38)
"""Rows where one multiplier for all Lindbladians certifies least: 1/1.35 to 1/1.40 of the truth."""


@cache
def sharpened(row: int) -> Answer:
    return certify(Question(system=reference_system(ROWS[row])), check=False)


def test_measured_values_of_the_four_qubit_chain() -> None:
    """||p - p'||_1: Lemma 1 gives 4.5e-5, the sharp bound 1.52e-2, and 1.87e-2 is attained."""
    distance = certify(Question(system=CHAIN)).trace_distance
    assert 2 * distance.lemma1 == pytest.approx(4.5e-5, rel=0.01)
    assert 2 * distance.lower >= 1.52e-2
    assert 2 * distance.upper <= 1.87e-2


def test_the_reference_has_48_rows_with_regions_of_one_qubit() -> None:
    assert len(ROWS) == 48


@pytest.mark.parametrize("row", range(48))
def test_both_ends_enclose_the_true_minimum_of_every_reference_row(row: int) -> None:
    distance = sharpened(row).trace_distance
    least = least_distance(sharpened(row).reference)
    assert distance.lower <= least
    assert distance.upper == pytest.approx(least, rel=1e-5)
    assert distance.upper <= 1.3 * distance.lower


@pytest.mark.parametrize("row", LOOSEST)
def test_one_multiplier_for_all_lindbladians_leaves_a_gap(row: int) -> None:
    """The relaxation's own gap, whatever the solver: cuts are what closes it."""
    answer = sharpened(row)
    reference, program, flows = answer.reference, answer.setting.program, answer.setting.flows
    ceiling = 2 * answer.trace_distance.upper
    whole = distance_witness(
        program, reference, flows, answer.multiplier, ceiling, "CLARABEL", cells=1
    )
    assert isinstance(whole.whole, Cell)
    assert 1.34 < ceiling / whole.length < 1.41
    assert isinstance(answer.distance_witness.whole, Cut)
    assert answer.distance_witness.length > 1.07 * whole.length


@pytest.mark.parametrize("row", LOOSEST)
def test_no_one_of_many_lindbladians_beats_the_certified_end(row: int) -> None:
    answer = sharpened(row)
    flows = generators(answer.reference)
    for seed in range(3):
        found = steady_states(flows, random_rates(seed + 1, 10_000))
        distances = np.abs(found - answer.reference.populations).sum(axis=1) / 2
        assert distances.min() >= answer.trace_distance.lower


@pytest.mark.parametrize("rule", ["total", "range"])
@pytest.mark.parametrize("row", LOOSEST)
def test_other_rate_rules_reach_the_same_minimum(row: int, rule: str) -> None:
    """Mirror symmetry: only Gamma of both ends together counts, and its scale does not."""
    answer = certify(Question(system=reference_system(ROWS[row]), rates=RULES[rule]), check=False)
    least = least_distance(answer.reference)
    assert answer.trace_distance.upper == pytest.approx(least, rel=1e-5)
    assert answer.trace_distance.lower <= least <= 1.3 * answer.trace_distance.lower


def test_two_qubit_regions_are_cut_and_proved_too() -> None:
    """Blocks of order above 1 have matrices K; nobody knows the true minimum."""
    answer = answered("two sites", "each")
    distance = answer.trace_distance
    assert isinstance(answer.distance_witness.whole, Cut)
    assert distance.lower <= distance.upper <= 1.25 * distance.lower
    _, proof = prove(answer)
    assert proof.status == "accepted"
    assert float(proof.trace_distance) == pytest.approx(distance.lower, rel=1e-6)


def test_sharp_bounds_are_ordered_for_complex_hamiltonians() -> None:
    question = Question(system=complex_trimer())
    quick = certify(question, sharp=False).trace_distance
    sharp = certify(question, sharp=True).trace_distance
    assert quick.lemma1 <= quick.lower <= sharp.lower <= sharp.upper <= quick.upper
    assert sharp.upper <= 1.3 * sharp.lower


def test_nearest_lindbladian_has_the_distance_that_is_reported() -> None:
    answer = certify(Question(system=CHAIN))
    found = trace_distance(answer.nearest.lindbladian.populations, answer.reference.populations)
    assert found == pytest.approx(answer.trace_distance.upper, rel=1e-6)


SYSTEMS = {
    "chain": CHAIN,
    "qutrit": oscillator_and_qubit(),
    "two sites": two_ended_chain(2, 1, 1, coupling=0.1, beta_right=10.0),
}
CASES = [
    (name, rule) for name in SYSTEMS for rule in RULES if name != "two sites" or rule == "each"
]
"""Regions of two sites take ten seconds a rule; how rules enter does not depend on the region."""


@cache
def answered(name: str, rule: str) -> Answer:
    return certify(Question(system=SYSTEMS[name], rates=RULES[rule]), sharp=True, check=False)


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_no_lindbladian_is_nearer_than_the_bound(name: str, rule: str) -> None:
    """Beside the nearest one known, which is up to 1.3 times as far as the bound."""
    reference, ansatz, program = prepared(name, rule)
    stated = answered(name, rule).trace_distance
    flows = flow_blocks(ansatz, reference.spectrum.dimension)
    start = enclose(program, ["CLARABEL"]).point
    assert start is not None
    found = nearest_lindbladian(program, reference.populations, flows, start)
    assert found is not None
    search = _Search(program, reference.populations, flows)
    distances = [search.distance(point) for point in nearby_points(program, found[0])]
    assert min(distances) >= stated.lower
    assert stated.upper <= min(distances) * (1 + NEAR)
    candidate = lindbladian(program, found[0], reference, ansatz)
    assert candidate.populations is not None
    own = trace_distance(candidate.populations, reference.populations)
    assert own == pytest.approx(search.distance(found[0]), rel=1e-6)
    assert name != "two sites" or max(block.size for block in program.blocks) > 3


@cache
def prepared(name: str, rule: str) -> tuple[Redfield, tuple[Region, ...], Program]:
    reference = redfield_equation(SYSTEMS[name])
    ansatz = regions_of(SYSTEMS[name], reference.spectrum)
    return reference, ansatz, assembled(populations(reference), reference, ansatz, RULES[rule])


def test_flow_coefficients_sum_to_those_of_the_defect() -> None:
    reference, ansatz, program = prepared("chain", "each")
    flows = flow_blocks(ansatz, reference.spectrum.dimension)
    for flow, block in zip(flows, program.blocks, strict=True):
        np.testing.assert_allclose(flow.of_state(reference.populations), block.rows, atol=1e-15)
        np.testing.assert_allclose(flow.coefficients.sum(axis=1), 0.0, atol=1e-15)


# Proofs of cut witnesses.


@cache
def cut_certificate() -> dict[str, Any]:
    written, proof = prove(sharpened(14))
    assert proof.status == "accepted"
    assert float(proof.trace_distance) == pytest.approx(
        sharpened(14).distance_witness.length / 2, rel=1e-6
    )
    return written


def first_cell(part: dict[str, Any]) -> tuple[str, ...]:
    """Path of a cell of a cut witness."""
    return () if "cut" not in part else ("above", *first_cell(part["above"]))


def test_a_cut_witness_proves_its_length_and_none_beyond_it() -> None:
    content = cut_certificate()
    length = float(content["trace_distance"]["norm1_lower"])
    longer = changed(content, ("trace_distance", "norm1_lower"), repr(length * (1 + 1e-3)))
    assert verify(longer).status == "undecided"


def test_the_sides_of_a_cut_are_not_interchangeable() -> None:
    content = cut_certificate()
    claim = content["trace_distance"]
    turned = changed(content, ("trace_distance", "above"), claim["below"])
    turned = changed(turned, ("trace_distance", "below"), claim["above"])
    assert verify(turned).status in ("rejected", "undecided")


def test_slopes_must_be_there_and_not_negative() -> None:
    content = cut_certificate()
    place = ("trace_distance", *first_cell(content["trace_distance"]), "slopes")
    assert verify(without(content, place)).status == "rejected"
    assert verify(changed(content, place, [])).status == "rejected"
    assert verify(changed(content, (*place, 0, 0), "-1e-3")).status == "rejected"


def test_a_cut_needs_both_sides_and_a_weight_per_charge() -> None:
    content = cut_certificate()
    for side in ("above", "below"):
        assert verify(without(content, ("trace_distance", side))).status == "rejected"
    short = changed(content, ("trace_distance", "cut", "left"), ["1", "0"])
    assert verify(short).status == "rejected"


def test_a_shortened_witness_still_holds() -> None:
    answer = sharpened(14)
    for ratio in (0.999, 0.5, 1e-3):
        witness = answer.distance_witness.shortened(ratio)
        _, proof = prove(replace(answer, distance_witness=witness))
        assert proof.status == "accepted"


def cells_and_cuts(part: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All cells and all cuts of a claimed distance."""
    if "cut" not in part:
        return [part], []
    above, below = (cells_and_cuts(part[side]) for side in ("above", "below"))
    return above[0] + below[0], [part, *above[1], *below[1]]


def altered(claim: dict[str, Any], generator: np.random.Generator) -> None:
    """Change the witness of a distance at random: sides, weights, slopes, K or a whole cell."""
    cells, cuts = cells_and_cuts(claim)
    cell, other = (cells[generator.integers(len(cells))] for _ in range(2))
    cut, factor = cuts[generator.integers(len(cuts))], generator.choice([-1.0, 0.0, 0.5, 3.0, 1e6])
    change = generator.integers(5)
    if change == 0:
        cut["above"], cut["below"] = cut["below"], cut["above"]
    elif change == 1:
        for name, weights in cut["cut"].items():
            moved = factor * np.array(weights, dtype=float) + generator.normal(size=len(weights))
            cut["cut"][name] = [repr(float(value)) for value in moved]
    elif change == 2:
        grown = abs(factor) * np.array(cell["slopes"], dtype=float)
        cell["slopes"] = [[repr(float(value)) for value in row] for row in grown]
    elif change == 3:
        for name, blocks in cell["shifts"].items():
            cell["shifts"][name] = [[[repr(factor * float(b[0][0]))]] for b in blocks]
    else:
        cell.update(multiplier=other["multiplier"], shifts=other["shifts"])


def test_no_altered_witness_proves_more_than_the_truth() -> None:
    """Claims above and below the least ||p - p'||_1: only those below it may be accepted."""
    system = two_ended_chain(1, 1, 1, coupling=0.1, beta_right=10.0)
    answer = certify(Question(system=system), sharp=True, check=False)
    least = 2 * least_distance(answer.reference)
    content, _ = prove(answer)
    generator, proved = np.random.default_rng(7), 0
    for number in range(80):
        tampered = copy.deepcopy(content)
        claim = tampered["trace_distance"]
        length = least * generator.choice([0.3, 0.9, 1 + 1e-7, 1.001, 1.2, 3.0])
        claim["norm1_lower"] = repr(float(length))
        if number % 4:  # the others claim another length only
            altered(claim, generator)
        accepted = verify(resealed(tampered)).status == "accepted"
        assert not accepted or length < least
        proved += accepted
    assert proved > 0


def test_the_theorem_leaves_out_what_mixes_the_charges_of_coinciding_levels() -> None:
    """Coherences between levels of equal energy and different charge feed the populations.

    Both jumps add sigma_- and sigma_+; the states of charge 0 and 2 coincide. The full Lindblad
    equation has one steady state, nearer than the bound that holds for the p' with C p' = 0.
    """
    system = models.xxz_chain(
        sites=2,
        coupling=0.3,
        field=(0.2, -0.2),
        anisotropy=0.0,
        baths=[
            Bath(name="hot", sites=(0,), beta=1.0, couplings=(SIGMA_MINUS,)),
            Bath(name="cold", sites=(1,), beta=5.0, couplings=(SIGMA_Z,)),
        ],
    )
    answer = certify(Question(system=system), check=False)
    _, proof = prove(answer)
    jumps = [
        np.kron([[0.0, 0.54], [0.84, 0.0]], np.eye(2)),
        np.kron(np.eye(2), [[0.0, 0.97], [0.25, 0.0]]),
    ]
    state, gap = weakly_coupled_state(system.hamiltonian.toarray(), jumps, 1e-5)
    vectors = answer.reference.spectrum.vectors
    found = np.einsum("ak,ab,bk->k", vectors.conj(), state, vectors).real
    distance = trace_distance(found, answer.reference.populations)
    assert gap > 0.1
    assert distance < 0.7 * float(proof.trace_distance)
    assert "except where levels of different charge coincide and L' mixes" in proof.statement


def weakly_coupled_state(
    hamiltonian: np.ndarray, jumps: list[np.ndarray], strength: float
) -> tuple[np.ndarray, float]:
    """The steady state, and the second smallest singular value per strength."""
    unit = np.eye(len(hamiltonian))
    generator = -1j * (np.kron(hamiltonian, unit) - np.kron(unit, hamiltonian.T))
    for jump in jumps:
        loss = jump.T @ jump / 2
        gain = np.kron(jump, jump.conj())
        generator += strength * (gain - np.kron(loss, unit) - np.kron(unit, loss.T))
    _, sizes, rows = np.linalg.svd(generator)
    state = rows[-1].conj().reshape(hamiltonian.shape)
    return state / np.trace(state), sizes[-2] / strength


def test_without_a_charge_the_theorem_has_no_exception() -> None:
    _, proof = prove(certify(Question(system=complex_trimer()), check=False))
    assert proof.trace_distance is not None
    assert "except" not in proof.statement


@pytest.mark.parametrize("depth", [33, 100, 1_000, 50_000])
def test_cuts_without_end_are_rejected(depth: int) -> None:
    content = cut_certificate()
    claim = content["trace_distance"]
    part = claim["below"]
    for _ in range(depth):
        part = {"cut": claim["cut"], "above": part, "below": claim["below"]}
    endless = {**content, "trace_distance": {**claim, "above": part}}
    with contextlib.suppress(RecursionError):
        endless = resealed(endless)
    assert verify(endless).status == "rejected"


def test_a_length_far_below_the_ceiling_is_no_error() -> None:
    system = two_ended_chain(1, 1, 1, coupling=1e-4, beta_left=1e-5, beta_right=2e-5)
    answer = certify(Question(system=system), check=False)
    reference, ansatz = answer.reference, regions_of(system, answer.reference.spectrum)
    program = assembled(populations(reference), reference, ansatz, Rates.each(1.0))
    flows = flow_blocks(ansatz, reference.spectrum.dimension)
    found = distance_witness(program, reference, flows, answer.multiplier, 2.0, "CLARABEL")
    assert found is None or 0 < found.length <= 2 * answer.trace_distance.upper
