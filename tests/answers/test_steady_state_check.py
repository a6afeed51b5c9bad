"""The candidate put to work: its steady state against the true one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from lindfeas import (
    Answer,
    InputError,
    MissingExtraError,
    OpenSystem,
    Question,
    Rates,
    certify,
    plot,
    redfield_equation,
)
from lindfeas.answers.certify import steady_state_check
from lindfeas.answers.report import sections
from lindfeas.answers.steady_state_check import SteadyStateCheck, check_candidate
from lindfeas.physics.dynamics.measures import trace_distance
from lindfeas.physics.equations.lindbladian import Lindbladian, RegionDissipator
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.text import html_report, rich_report
from tests.console import printed
from tests.systems import (
    SIGMA_MINUS,
    SIGMA_X,
    complex_trimer,
    oscillator_and_qubit,
    qubit,
    two_ended_chain,
)

ACCURACY = 1e-9
"""Relative to 1: two solutions of linear systems with condition numbers up to 1e6."""

ANY_RATE = Rates.range(0.0, 1e4)


def stiff_candidate(factor: float, rates: float) -> tuple[Redfield, Lindbladian]:
    """A random complex Lindbladian: Gamma times ``rates``, then all of it times ``factor``."""
    reference = redfield_equation(complex_trimer())
    generator = np.random.default_rng(0)
    kossakowskis, hamiltonians = [], []
    for region in regions_of(reference.system, reference.spectrum):
        count, size = region.dimension**2 - 1, region.dimension
        root = generator.normal(size=(count,) * 2) + 1j * generator.normal(size=(count,) * 2)
        root *= 10 ** generator.uniform(-2, 0, size=(count, 1))
        shift = generator.normal(size=(size,) * 2) + 1j * generator.normal(size=(size,) * 2)
        kossakowskis.append(factor * rates * root @ root.conj().T)
        hamiltonians.append(factor * (shift + shift.conj().T) / 2)
    return reference, candidate_of(reference, kossakowskis, hamiltonians)


@pytest.mark.parametrize("factor", [1.0, 1e-6, 1e-12])
@pytest.mark.parametrize("rates", [1.0, 1e-4, 1e-8])
def test_limit_depends_on_no_scale(factor: float, rates: float) -> None:
    """As eps -> 0 neither the scale of L' nor H_r, whose diagonal does nothing, matters."""
    limits = []
    for candidate in (stiff_candidate(1.0, 1.0), stiff_candidate(factor, rates)):
        check = check_candidate(candidate[1], candidate[0], [1e-6])
        assert check.limit is not None
        limits.append(check.limit.population_error)
    assert limits[1] == pytest.approx(limits[0], rel=1e-11)


@cache
def impossible() -> Answer:
    return certify(Question(system=two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)))


@cache
def thermal() -> Answer:
    """Three qubits on one bath: populations and coherences can be reproduced."""
    return certify(
        Question(
            system=two_ended_chain(3, 0, 0, coupling=0.1),
            target="populations+coherences",
            rates=ANY_RATE,
        )
    )


def candidate_of(
    reference: Redfield, kossakowskis: list[np.ndarray], hamiltonians: list[np.ndarray]
) -> Lindbladian:
    """Any Lindbladian of this system, as if it had been found."""
    ansatz = regions_of(reference.system, reference.spectrum)
    return Lindbladian(
        regions=tuple(
            RegionDissipator(
                name=region.name,
                sites=region.sites,
                dimension=region.dimension,
                hamiltonian=hamiltonian,
                kossakowski=kossakowski,
                basis=region.basis,
                basis_labels=region.labels,
            )
            for region, kossakowski, hamiltonian in zip(
                ansatz, kossakowskis, hamiltonians, strict=True
            )
        ),
        populations=None,
        spectral_gap=0.0,
        steady_state_unique=True,
        dimensions=reference.system.dimensions,
    )


def random_candidate(reference: Redfield, *, neutral: bool, seed: int = 1) -> Lindbladian:
    """A random Lindbladian, with or without respect for the charge."""
    generator = np.random.default_rng(seed)
    kossakowskis, hamiltonians = [], []
    for region, bath in zip(
        regions_of(reference.system, reference.spectrum), reference.system.baths, strict=True
    ):
        sizes = [group.size for group in region.groups]
        labels = np.repeat(np.arange(len(sizes)), sizes)
        charges = reference.system.region_charges(bath)
        gamma = random_square(generator, labels.size)
        shift = random_square(generator, region.dimension)
        if neutral:
            gamma = gamma * np.equal.outer(labels, labels)
            shift = shift * np.equal.outer(charges, charges)
        kossakowskis.append(gamma @ gamma.conj().T)
        hamiltonians.append(shift + shift.conj().T)
    return candidate_of(reference, kossakowskis, hamiltonians)


def random_square(generator: np.random.Generator, size: int) -> np.ndarray:
    return generator.normal(size=(size, size)) + 1j * generator.normal(size=(size, size))


def brute_force(candidate: Lindbladian, reference: Redfield, epsilon: float) -> np.ndarray:
    """rho_eps in the eigenbasis from the d^2 x d^2 Liouvillian in the product basis."""
    shift, collapse = candidate.qobj()
    size = reference.spectrum.dimension
    eye = np.eye(size)
    hamiltonian = reference.system.hamiltonian.toarray() + epsilon**2 * shift.full()
    total = -1j * (np.kron(hamiltonian, eye) - np.kron(eye, hamiltonian.T))
    for operator in (c.full() for c in collapse):
        loss = operator.conj().T @ operator
        total += epsilon**2 * np.kron(operator, operator.conj())
        total -= epsilon**2 * (np.kron(loss, eye) + np.kron(eye, loss.T)) / 2
    system = np.vstack([total, np.eye(size).reshape(1, -1)])
    wanted = np.zeros(len(system))
    wanted[-1] = 1.0
    state = np.linalg.lstsq(system, wanted)[0].reshape(size, size)
    vectors = reference.spectrum.vectors
    return vectors.conj().T @ state @ vectors


def errors(state: np.ndarray, reference: Redfield, epsilon: float) -> tuple[float, float]:
    """The two errors of a row from their definitions."""
    population = np.abs(np.diag(state) - reference.populations).sum() / 2
    true = reference.coherences
    same = np.equal.outer(reference.spectrum.charges, reference.spectrum.charges)
    found = (state - np.diag(np.diag(state))) * same / epsilon**2
    return float(population), float(np.linalg.norm(found - true) / np.linalg.norm(true))


@pytest.mark.parametrize(
    "system",
    [two_ended_chain(1, 1, 1, beta_right=3.0), complex_trimer(), oscillator_and_qubit()],
    ids=["chain", "complex, no charge", "oscillator"],
)
@pytest.mark.parametrize("epsilon", [0.3, 0.05])
def test_brute_force_agrees(system: OpenSystem, epsilon: float) -> None:
    reference = redfield_equation(system)
    candidate = random_candidate(reference, neutral=True)
    check = check_candidate(candidate, reference, [epsilon])
    population, coherence = errors(brute_force(candidate, reference, epsilon), reference, epsilon)
    assert check.rows[0].population_error == pytest.approx(population, abs=ACCURACY)
    assert check.rows[0].coherence_error == pytest.approx(coherence, rel=1e-6)


def test_candidate_that_breaks_the_charge_is_solved_in_the_whole_space() -> None:
    reference = redfield_equation(oscillator_and_qubit())
    candidate = random_candidate(reference, neutral=False)
    check = check_candidate(candidate, reference, [0.2])
    assert check.unknowns == 36
    population = errors(brute_force(candidate, reference, 0.2), reference, 0.2)[0]
    assert check.rows[0].population_error == pytest.approx(population, abs=ACCURACY)


def test_charge_makes_it_smaller_and_changes_nothing() -> None:
    with_charge = oscillator_and_qubit()
    without = replace(with_charge, charge=None)
    found = []
    for system in (with_charge, without):
        reference = redfield_equation(system)
        # rates |1><0| and |0><1| only: the order of the basis does not matter
        gammas = [
            np.diag([1.0 + len(label) + (">" in label) for label in region.labels])
            for region in regions_of(system, reference.spectrum)
        ]
        candidate = candidate_of(reference, gammas, [np.zeros((3, 3)), np.zeros((2, 2))])
        found.append(check_candidate(candidate, reference, [0.1], largest=36))
    assert [check.unknowns for check in found] == [10, 36]
    small, large = (check.rows[0] for check in found)
    assert small.population_error == pytest.approx(large.population_error, abs=ACCURACY)


@pytest.mark.parametrize("epsilon", [0.5, 0.1, 0.01])
def test_driven_qubit(epsilon: float) -> None:
    """Bloch equations, H = w sz/2 + O sx, O = eps^2 h, T2 = 2 T1, G1 = eps^2 (up + down):

    z = z0 / (1 + (2 O)^2 G2 / (G1 (w^2 + G2^2))), and T = |z - z0| / 2 if z0 is the true one.
    """
    frequency, strength = 1.0, 0.7
    reference = redfield_equation(qubit(frequency=frequency, charge=None))
    order = np.argsort(-reference.spectrum.energies)
    excited, ground = reference.populations[order]
    labels = regions_of(reference.system, reference.spectrum)[0].labels
    gamma = np.diag([{"z": 0.0, "+": excited, "-": ground}[label] for label in labels])
    candidate = candidate_of(reference, [gamma], [strength * SIGMA_X])
    row = check_candidate(candidate, reference, [epsilon]).rows[0]
    drive, relaxation = epsilon**2 * strength, epsilon**2
    damping = relaxation / 2
    factor = 1 + (2 * drive) ** 2 * damping / (relaxation * (frequency**2 + damping**2))
    z0 = excited - ground
    assert row.population_error == pytest.approx(abs(z0 / factor - z0) / 2, rel=1e-6, abs=1e-15)
    assert row.coherence_error is None


def test_qubit_with_the_true_rates_is_exact() -> None:
    answer = certify(Question(system=qubit()))
    check = steady_state_check(answer)
    assert check.unknowns == 2
    assert all(row.population_error < 1e-9 for row in check.rows)
    assert all(row.coherence_error is None for row in check.rows)
    assert "populations converge" in check.conclusion
    assert "coherences" not in check.conclusion


def test_reproducible_steady_state_is_approached_as_epsilon_squared() -> None:
    check = thermal().check
    assert check is not None
    assert check.coherence_order == pytest.approx(2.0, abs=0.05)
    assert check.limit is not None
    assert check.limit.population_error < 1e-9
    assert check.limit.coherence_error is not None
    assert check.limit.coherence_error < 1e-6
    assert "coherences converge to the true ones as eps^2" in check.conclusion


def test_impossible_steady_state_is_missed_by_the_trace_distance() -> None:
    answer = impossible()
    check, candidate = answer.check, answer.candidate
    assert check is not None and check.limit is not None
    assert candidate is not None and candidate.populations is not None
    distance = trace_distance(candidate.populations, answer.reference.populations)
    assert check.limit.population_error == pytest.approx(distance, rel=1e-9)
    assert check.rows[-1].population_error == pytest.approx(distance, rel=1e-4)
    assert answer.trace_distance.lower is not None
    assert check.limit.population_error >= answer.trace_distance.lower
    assert check.population_order == pytest.approx(0.0, abs=1e-3)
    assert f"populations stay {distance:.3g}" in check.conclusion
    assert "coherences" not in check.conclusion  # nobody asked


def test_small_coupling_costs_no_digits() -> None:
    reference = redfield_equation(two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0))
    candidate = random_candidate(reference, neutral=True)
    check = check_candidate(candidate, reference, [1e-2, 1e-5, 1e-7])
    assert check.limit is not None
    assert all(row.residual < 1e-12 for row in (*check.rows, check.limit))
    assert check.rows[-1].coherence_error == pytest.approx(check.limit.coherence_error, rel=1e-8)


def test_more_strengths_in_any_order() -> None:
    check = steady_state_check(impossible(), (0.01, 0.2, 0.05))
    assert [row.epsilon for row in check.rows] == [0.01, 0.2, 0.05]
    assert steady_state_check(impossible(), [0.1]).population_order is None


@pytest.mark.parametrize("epsilons", [[], [0.0], [-0.1], [float("nan")]])
def test_strengths_must_be_positive(epsilons: list[float]) -> None:
    with pytest.raises(InputError, match="epsilons: must"):
        steady_state_check(impossible(), epsilons)


def without_candidate() -> SteadyStateCheck:
    return steady_state_check(replace(impossible(), optimal=None, nearest=None))


def too_large() -> SteadyStateCheck:
    candidate = impossible().candidate
    assert candidate is not None
    return check_candidate(candidate, impossible().reference, largest=69)


def dephasing() -> SteadyStateCheck:
    reference = redfield_equation(qubit())
    labels = regions_of(reference.system, reference.spectrum)[0].labels
    gamma = np.diag([float(label == "z") for label in labels])
    return check_candidate(candidate_of(reference, [gamma], [np.zeros((2, 2))]), reference)


REFUSALS = {
    without_candidate: "no Lindbladian",
    too_large: "70 unknowns are more than 69",
    dephasing: "not unique",
}


@pytest.mark.parametrize("refuse", REFUSALS, ids=lambda refuse: refuse.__name__)
def test_refused_with_a_reason(refuse: Callable[[], SteadyStateCheck]) -> None:
    check = refuse()
    assert check.rows == () and check.limit is None and check.to_list() is None
    assert REFUSALS[refuse] in str(check.reason) and REFUSALS[refuse] in check.conclusion
    with pytest.raises(InputError, match="must have been computed"):
        plot(check)


def test_true_state_without_coherences_leaves_the_populations() -> None:
    """Principal values of this coupling diverge, its transition rates do not."""
    operator = SIGMA_MINUS + 0.2 * np.diag([1.0, 0.0])
    system = qubit(operator=operator, charge=None)
    reference = redfield_equation(system)
    with pytest.raises(InputError):
        _ = reference.coherences
    check = certify(Question(system=system)).check
    assert check is not None and check.limit is not None
    assert check.limit.population_error < 1e-6
    assert check.limit.coherence_error is None


def test_answer_shows_the_check() -> None:
    answer = impossible()
    rows = json.loads(json.dumps(answer.to_dict()["check"], allow_nan=False))
    assert [row["epsilon"] for row in rows] == [0.1, 0.03, 0.01, 0.003, 0.0]
    assert set(rows[0]) == {"epsilon", "population_error", "coherence_error", "residual"}
    text = printed(rich_report(sections(answer, detail=1)))
    for part in ("Its steady state", "population error", "-> 0", "populations stay 0.00"):
        assert part in text
    assert "coherence error" not in text  # nobody asked
    assert "coherence error" in printed(rich_report(sections(answer, detail=2)))
    assert "-&gt; 0" in html_report(sections(answer, detail=1))
    assert replace(answer, check=None).to_dict()["check"] is None
    bare = replace(answer, check=None)
    assert "Its steady state" not in printed(rich_report(sections(bare, detail=2)))


def test_large_candidates_are_left_alone() -> None:
    reference = redfield_equation(two_ended_chain(1, 5, 1, coupling=0.3, beta_right=2.0))
    candidate = random_candidate(reference, neutral=True)
    check = check_candidate(candidate, reference)
    assert check.unknowns == 3432 and "more than 3000" in str(check.reason)


def test_plot_shows_both_errors_and_the_slope() -> None:
    check = thermal().check
    assert check is not None
    (axes,) = plot(check, title="thermal").axes
    labels = axes.get_legend_handles_labels()[1]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_title() == "thermal"
    assert any("populations" in label for label in labels)
    assert any("coherences" in label for label in labels)
    assert any("slope" in label for label in labels)
    with pytest.raises(InputError, match="must be left out"):
        plot(check, y="trace-distance")


def test_plot_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    check = impossible().check
    assert check is not None
    with pytest.raises(MissingExtraError, match=r"lindfeas\[plot\]"):
        plot(check)
