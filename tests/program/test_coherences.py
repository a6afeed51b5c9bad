"""Populations and coherences: any norm, any rate rule, own targets."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from lindfeas import (
    Bath,
    InputError,
    Ohmic,
    OpenSystem,
    Question,
    Rates,
    certify,
    models,
    redfield_equation,
)
from lindfeas.answers.candidate import lindbladian
from lindfeas.answers.enclosure import Enclosure, enclose
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.physics.equations.operator_basis import Region, regions_of
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.program.bounds import (
    lifted,
    lower_bound,
    repair_multiplier,
    repair_point,
    smallest_eigenvalues,
    unfelt,
    upper_bound,
)
from lindfeas.program.hermitian import DUAL_NORM
from lindfeas.program.program import Point, Program
from lindfeas.program.target import Target, coherences, observables, populations, trajectory
from tests.perturbed import NEAR, nearby_multipliers, nearby_points
from tests.systems import (
    SIGMA_X,
    SIGMA_Z,
    assembled,
    cold_qutrit,
    complex_trimer,
    full_action,
    oscillator_and_qubit,
    qubit,
    reference_rows,
    reference_system,
    two_ended_chain,
)

NORMS = ("spectral", "frobenius", "trace")
RELATIVE, ABSOLUTE = 2e-6, 4e-9
"""Accuracy of the reference values."""

RULES = {
    "each": Rates.each(1.0),
    "total": Rates.total(2.0),
    "range": Rates.range(0.0, 1e4),
}

CHAIN = two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)


def ask(system: OpenSystem, norm: str = "spectral", rates: Rates = RULES["each"], **options: Any):  # type: ignore[no-untyped-def]
    question = Question(
        system=system,
        target="populations+coherences",
        norm=norm,
        rates=rates,
        criterion="defect",
        **options,
    )
    return certify(question, check=False)


def is_narrow(answer: Any) -> bool:
    return answer.upper - answer.lower <= max(1e-5 * answer.lower, 1e-10)


CASES = [
    (row, norm)
    for row in reference_rows()
    for norm in ("spectral", "frobenius")
    if row[f"tau_popcoh_{norm}"] is not None
]


@pytest.mark.parametrize(
    ("row", "norm"),
    CASES,
    ids=[f"{r['panel']}-{r['coupling']}-{r['beta_left']}-{r['beta_right']}-{n}" for r, n in CASES],
)
def test_reference_rows(row: dict, norm: str) -> None:  # type: ignore[type-arg]
    answer = ask(reference_system(row), norm)
    value = row[f"tau_popcoh_{norm}"]
    slack = max(RELATIVE * value, ABSOLUTE)
    assert answer.lower - slack <= value <= answer.upper + slack
    assert is_narrow(answer)
    assert answer.verdict == "impossible"


@pytest.mark.parametrize("coupling", [0.001, 0.1, 1.0])
def test_all_qubits_on_one_bath_have_a_lindbladian(coupling: float) -> None:
    """SDP-paper Fig. 4, N_M = 0: thermal baths on all sites admit an exact match."""
    answer = ask(two_ended_chain(3, 0, 0, coupling=coupling), "frobenius")
    assert answer.verdict == "possible"
    assert answer.upper < 1e-9
    assert answer.candidate.steady_state_unique


@pytest.mark.parametrize("coupling", [0.001, 0.03, 1.0])
@pytest.mark.parametrize("norm", ["spectral", "frobenius"])
def test_one_site_without_bath_is_certified(coupling: float, norm: str) -> None:
    answer = ask(two_ended_chain(2, 1, 0, coupling=coupling), norm)
    assert is_narrow(answer)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("norm", ["spectral", "frobenius"])
@pytest.mark.parametrize(
    "system",
    [
        two_ended_chain(2, 0, 2, coupling=0.1, beta_right=10.0),
        two_ended_chain(1, 0, 2, coupling=0.1, beta_right=5.0),
        complex_trimer(),
        oscillator_and_qubit(mu=-0.2),
    ],
    ids=["2+0+2", "1+0+2", "chiral, no charge", "qutrit and qubit"],
)
def test_intervals_are_narrow_for_all_rules(system: OpenSystem, norm: str, rule: str) -> None:
    answer = ask(system, norm, RULES[rule])
    assert is_narrow(answer)
    assert all(np.isfinite(region.hamiltonian).all() for region in answer.candidate.regions)
    assert all(region.hamiltonian_norm < 1e3 for region in answer.candidate.regions)


def test_lower_bound_pays_for_what_small_local_hamiltonians_can_do() -> None:
    """A feasible point with |H_r| below the documented limit never beats the lower bound."""
    for beta in (5.0, 10.0, 20.0, 30.0):
        reference, ansatz, program = compiled(cold_qutrit(beta), "frobenius", Rates.each(1e-3))
        interval = enclose(program, ["CLARABEL"]).interval
        generator = np.random.default_rng(0)
        for size in (0.01, 0.1, 1.0):
            for _ in range(50):
                coefficients = generator.normal(size=program.shifts.columns.shape[1])
                coefficients *= size * program.shifts.limit / np.linalg.norm(coefficients)
                gammas = [np.eye(b.size) for b in program.blocks]
                point = repair_point(
                    program, Point(gammas=gammas, shift=np.zeros(program.shifts.count))
                )
                rest = program.dissipation(point.gammas)
                rest = rest + program.shifts.columns @ coefficients
                assert program.layout.norm(rest, "frobenius") >= interval.lower
        candidate = lindbladian(program, enclose(program, ["CLARABEL"]).point, reference, ansatz)
        limit = program.shifts.limit * (1 + 1e-12)
        assert all(np.linalg.norm(r.hamiltonian) <= limit for r in candidate.regions)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_local_hamiltonians_do_nothing_to_the_mixed_state(size: int) -> None:
    """A state that commutes with every H_r: rounding noise must not pass for a direction."""
    generator = np.random.default_rng(size)
    coupling = generator.normal(size=(size, size))
    bath = Bath(name="bath", sites=(0,), beta=1.0, couplings=(coupling + coupling.T,))
    energies = np.diag(np.arange(size) + 0.1 * np.arange(size) ** 2)
    system = OpenSystem(hamiltonian=energies, dimensions=(size,), baths=(bath,))
    reference = redfield_equation(system)
    action = generator.normal(size=(size, size))
    action = action + action.T - 2 * np.eye(size) * np.trace(action) / size
    target = trajectory(reference, [np.eye(size) / size], [action])
    answers = [
        certify(Question(system=system, target=target, rates=Rates.each(1e-6), lamb_shift=shift))
        for shift in (True, False)
    ]
    assert answers[0].lower <= answers[1].upper
    assert answers[1].lower <= answers[0].upper


def test_a_single_observable_is_not_lost_by_centring() -> None:
    """One row in the trace norm: its only multiplier is not a constant that may be dropped."""
    reference = redfield_equation(CHAIN)
    operator = CHAIN.embed(SIGMA_Z, (1,)).toarray()
    right = coherences(reference).requirements[0]
    for norm in NORMS:
        target = replace(
            observables(reference, [operator], norm=norm),
            requirements=(replace(right, action=unit_action(reference)),),
        )
        answer = certify(Question(system=CHAIN, target=target, rates=Rates.range(0.0, 10.0)))
        assert answer.lower == pytest.approx(1.0, rel=1e-6)


def test_a_name_does_not_make_a_target_the_populations() -> None:
    reference = redfield_equation(CHAIN)
    own = replace(coherences(reference), name="populations")
    answer = certify(Question(system=CHAIN, target=own))
    assert answer.trace_distance.lower is None


@pytest.mark.parametrize("norm", ["spectral", "frobenius"])
def test_free_rates_on_64_levels_are_narrow(norm: str) -> None:
    """Rates up to 1e4 multiply every negative eigenvalue of a solver's multiplier by 1e4."""
    system = two_ended_chain(2, 2, 2, coupling=0.01, beta_right=10.0)
    assert is_narrow(ask(system, norm, RULES["range"]))


def test_a_lift_makes_a_multiplier_feasible_and_costs_little() -> None:
    """A multiplier of the cone's boundary, disturbed by 1e-4, where rates of 1e4 punish it."""
    reference = redfield_equation(CHAIN)
    question = Question(system=CHAIN, target="populations+coherences", rates=RULES["range"])
    program = assembled(
        coherences(reference), reference, regions_of(CHAIN, reference.spectrum), question.rates
    )
    best = certify(question).multiplier
    disturbed = best + 1e-4 * np.random.default_rng(5).normal(size=best.size)
    disturbed = unfelt(program, disturbed, [0, 1])
    feasible = lifted(program, disturbed)
    assert min(smallest_eigenvalues(program, disturbed)) < -1e-7
    assert min(smallest_eigenvalues(program, feasible)) > -1e-12
    assert lower_bound(program, disturbed) == 0.0
    assert lower_bound(program, feasible) > 0.99 * lower_bound(program, best)


def test_couplings_that_also_dephase_are_certified() -> None:
    """S = sigma_x + 0.3 sigma_z has a zero-frequency part; one qubit can always be matched."""
    system = qubit(operator=SIGMA_X + 0.3 * SIGMA_Z, charge=None)
    answer = ask(system, rates=RULES["range"])
    assert answer.verdict == "possible"
    assert answer.upper < 1e-9


def test_overall_rate_decides() -> None:
    """1+2+1, g = 0.01, beta 1 and 10: most of the defect at `each` = 1 is only the rate."""
    each = ask(CHAIN, "frobenius")
    free = ask(CHAIN, "frobenius", RULES["range"])
    assert each.lower == pytest.approx(1.279e-1, rel=1e-3)
    assert free.lower == pytest.approx(2.29e-3, rel=1e-3)


@pytest.mark.parametrize("norm", NORMS)
def test_free_rates_never_do_worse(norm: str) -> None:
    for system in (CHAIN, two_ended_chain(2, 1, 0, coupling=0.1)):
        assert ask(system, norm, RULES["range"]).lower <= ask(system, norm).upper


@pytest.mark.parametrize("factor", [0.1, 3.0])
def test_strength_of_the_baths_scales_the_free_optimum(factor: float) -> None:
    """J -> c J multiplies L2, and with free rates the best defect, by c."""

    def chain(strength: float) -> OpenSystem:
        density = Ohmic(strength=strength)
        baths = [
            Bath(name="left", sites=(0,), beta=1.0, spectral_density=density),
            Bath(name="right", sites=(2,), beta=10.0, spectral_density=density),
        ]
        return models.xxz_chain(sites=3, coupling=0.1, baths=baths)

    free = Rates.range(0.0, 1e4)
    base = ask(chain(1.0), "frobenius", free)
    scaled = ask(chain(factor), "frobenius", free)
    assert scaled.lower == pytest.approx(factor * base.lower, rel=1e-5)


def test_published_numbers_come_from_the_reversed_sign() -> None:
    """SDP-paper Fig. 2(d), first point: published 0.0961089738; the right sign gives 0.0961089486.

    The published value is that of the action -L2[rho0]: Eq. (40) has the sign reversed.
    """
    system = two_ended_chain(1, 2, 1, coupling=0.1, beta_right=10.0)
    reference = redfield_equation(system)
    right = coherences(reference)
    reversed_sign = replace(
        right,
        requirements=tuple(replace(r, action=-r.action) for r in right.requirements),
    )
    ansatz = regions_of(system, reference.spectrum)
    values = [
        enclose(assembled(t, reference, ansatz, Rates.each(1.0)), ["CLARABEL"]).interval.lower
        for t in (right, reversed_sign)
    ]
    assert values[0] != pytest.approx(values[1], rel=1e-3)
    first = two_ended_chain(1, 2, 1, coupling=0.001, beta_right=10.0)
    reference = redfield_equation(first)
    right = coherences(reference)
    target = replace(
        right, requirements=tuple(replace(r, action=-r.action) for r in right.requirements)
    )
    program = assembled(target, reference, regions_of(first, reference.spectrum), Rates.each(1.0))
    interval = enclose(program, ["CLARABEL"]).interval
    assert interval.lower == pytest.approx(0.0961089738, rel=1e-6)


def test_forbidding_the_lamb_shift_cannot_help() -> None:
    with_shift, without = ask(CHAIN), ask(CHAIN, lamb_shift=False)
    assert without.upper >= with_shift.lower
    assert without.lower > with_shift.upper
    assert all(not region.hamiltonian.any() for region in without.candidate.regions)


def compiled(
    system: OpenSystem, norm: str, rates: Rates
) -> tuple[Redfield, tuple[Region, ...], Program]:
    reference = redfield_equation(system)
    ansatz = regions_of(system, reference.spectrum)
    return reference, ansatz, assembled(coherences(reference, norm), reference, ansatz, rates)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    "system",
    [CHAIN, two_ended_chain(2, 1, 0, coupling=0.3), oscillator_and_qubit(), complex_trimer()],
    ids=["1+2+1", "2+1", "qutrit and qubit", "chiral"],
)
def test_candidate_has_the_defect_that_is_certified(system: OpenSystem, norm: str) -> None:
    """||L'(rho0) - L2[rho0]|| of the returned operators, from scratch."""
    answer = ask(system, norm)
    state = np.diag(answer.reference.populations)
    rest = full_action(answer.candidate, answer.reference, state)
    rest = rest - answer.reference.coherence_source
    order: Any = {"spectral": 2, "frobenius": "fro", "trace": "nuc"}[norm]
    defect = np.linalg.norm(rest, order)
    assert answer.lower <= defect * (1 + 1e-12) + 1e-13
    assert defect == pytest.approx(answer.upper, rel=1e-6, abs=1e-9)


SOUND = {
    "1+1+1": two_ended_chain(1, 1, 1, coupling=0.1, beta_right=5.0),
    "2+1": two_ended_chain(2, 1, 0, coupling=0.3),
    "chiral": complex_trimer(),
}


@cache
def certified(name: str, norm: str, rule: str) -> tuple[Program, Enclosure]:
    program = compiled(SOUND[name], norm, RULES[rule])[2]
    return program, enclose(program, ["CLARABEL"])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", SOUND)
def test_no_feasible_point_beats_the_lower_bound(name: str, norm: str, rule: str) -> None:
    program, found = certified(name, norm, rule)
    assert found.point is not None
    nearest = np.inf
    for point in nearby_points(program, found.point):
        defect = program.defect(point)
        assert found.interval.lower <= defect <= upper_bound(program, point)
        assert max(program.shifts.norms(point.shift).values()) <= program.shifts.limit
        nearest = min(nearest, defect)
    assert nearest <= found.interval.upper * (1 + NEAR) + ABSOLUTE


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", SOUND)
def test_every_multiplier_gives_a_valid_lower_bound(name: str, norm: str, rule: str) -> None:
    program, found = certified(name, norm, rule)
    best = 0.0
    for y in nearby_multipliers(found.multiplier):
        best = max(best, lower_bound(program, y))
        repaired = repair_multiplier(program, y)
        assert program.layout.norm(repaired, DUAL_NORM[norm]) <= 1.0
        free = unfelt(program, repaired, list(program.shifts.regions))
        assert np.abs(program.shifts.directions.T @ free).max(initial=0.0) < 1e-14
    assert best <= found.interval.upper
    assert best >= found.interval.lower * (1 - 1e-3)


def test_charge_blocks_lose_nothing() -> None:
    system = two_ended_chain(1, 1, 1, coupling=0.1, beta_right=5.0)
    plain = OpenSystem(
        hamiltonian=system.hamiltonian,
        dimensions=system.dimensions,
        baths=system.baths,
        charge=None,
    )
    for norm in NORMS:
        first, second = ask(system, norm), ask(plain, norm)
        assert first.lower <= second.upper
        assert second.lower <= first.upper
        assert first.lower == pytest.approx(second.upper, rel=2e-5)


def known_lindbladian() -> tuple[Redfield, tuple[Region, ...], Program, Lindbladian]:
    """A Lindbladian of the ansatz, with a random Gamma and H_r."""
    reference, ansatz, program = compiled(CHAIN, "frobenius", Rates.range(0.0, 10.0))
    generator = np.random.default_rng(5)
    gammas = []
    for block in program.blocks:
        factor = generator.normal(size=(block.size,) * 2)
        gammas.append(factor @ factor.T)
    point = repair_point(
        program, Point(gammas=gammas, shift=generator.normal(size=program.shifts.count))
    )
    return reference, ansatz, program, lindbladian(program, point, reference, ansatz)


@pytest.mark.parametrize("neutral", [True, False])
def test_trajectory_of_a_known_lindbladian_is_reproduced(neutral: bool) -> None:
    """States of mixed charge leave the charge blocks; the answer must still be exact."""
    reference, _, _, known = known_lindbladian()
    vectors = reference.spectrum.vectors
    generator = np.random.default_rng(9)
    states, actions = [], []
    for _ in range(3):
        factor = generator.normal(size=(16, 16)) + 1j * generator.normal(size=(16, 16))
        state = factor @ factor.conj().T
        if neutral:
            charges = reference.spectrum.charges
            state = state * np.equal.outer(charges, charges)
        state /= np.trace(state).real
        action = full_action(known, reference, state)
        states.append(vectors @ state @ vectors.conj().T)
        actions.append(vectors @ action @ vectors.conj().T)
    target = trajectory(reference, states, actions, weights=[1.0, 2.0, 0.5])
    answer = certify(
        Question(system=CHAIN, target=target, rates=Rates.range(0.0, 100.0), tolerance=1e-5)
    )
    assert answer.target == "trajectory"
    assert answer.upper < 1e-6


def test_observables_ask_for_less_than_everything() -> None:
    reference = redfield_equation(CHAIN)
    operators = [CHAIN.embed(SIGMA_Z, (site,)).toarray() for site in range(4)]
    target = observables(reference, operators)
    answer = certify(Question(system=CHAIN, target=target, rates=Rates.range(0.0, 10.0)))
    assert answer.verdict == "possible"
    assert answer.upper < 1e-8


def test_observables_without_a_bath_cannot_be_moved() -> None:
    """tr(O L'(rho0)) = 0 for O on the middle sites: a required rate there is missed in full."""
    reference = redfield_equation(CHAIN)
    operator = CHAIN.embed(SIGMA_X, (1,)).toarray()
    target = replace(
        observables(reference, [operator, CHAIN.embed(SIGMA_Z, (1,)).toarray()]),
        requirements=(
            replace(
                coherences(reference).requirements[0],
                action=np.eye(16) / 16 * 0.0 + unit_action(reference),
            ),
        ),
    )
    answer = certify(Question(system=CHAIN, target=target, rates=Rates.range(0.0, 10.0)))
    assert answer.lower == pytest.approx(1.0, rel=1e-6)


def unit_action(reference: Redfield) -> np.ndarray:
    """An action with tr(sigma_z^(1) X) = 1 and tr(sigma_x^(1) X) = 0."""
    vectors = reference.spectrum.vectors
    operator = reference.system.embed(SIGMA_Z, (1,)).toarray()
    return vectors.conj().T @ operator @ vectors / 16


def test_populations_as_a_target_object_are_the_populations() -> None:
    reference = redfield_equation(CHAIN)
    plain = certify(Question(system=CHAIN))
    own = certify(Question(system=CHAIN, target=populations(reference)))
    assert own.lower == plain.lower
    assert own.trace_distance == plain.trace_distance


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"norm": "nuclear"}, "spectral"),
        ({"requirements": ()}, "empty"),
        ({"projection": "offdiagonal"}, "diagonal"),
    ],
)
def test_wrong_targets_are_refused(change: dict, match: str) -> None:  # type: ignore[type-arg]
    good = coherences(redfield_equation(CHAIN))
    fields = {"name": "x", "requirements": good.requirements, **change}
    with pytest.raises(InputError, match=match):
        Target(**fields)


@pytest.mark.parametrize(
    ("states", "actions", "match"),
    [
        ([np.eye(16)], [], "one per state"),
        ([np.eye(4)], [np.eye(16)], "16 x 16"),
        ([np.eye(16) * np.nan], [np.eye(16)], "finite"),
        ([np.triu(np.ones((16, 16)))], [np.eye(16)], "Hermitian"),
    ],
)
def test_wrong_trajectories_are_refused(states: list, actions: list, match: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=match):
        trajectory(redfield_equation(CHAIN), states, actions)


def test_populations_with_free_rates_have_no_content() -> None:
    with pytest.raises(InputError, match="scale of Gamma is irrelevant"):
        Question(system=CHAIN, rates=Rates.range(0.0, 1.0))
