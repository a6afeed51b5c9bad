"""Local Hamiltonians of bounded norm: a cone in the program, and what the dual pays for it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from lindfeas import Bath, InputError, Ohmic, OpenSystem, Question, Rates, certify, models
from lindfeas.answers import enclosure as enclosure_module
from lindfeas.answers.candidate import lindbladian
from lindfeas.answers.enclosure import enclose
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.physics.equations.redfield import redfield_equation
from lindfeas.program.assembly import default_hamiltonian_limit
from lindfeas.program.bounds import Interval, lower_bound, repair_point, unfelt, upper_bound
from lindfeas.program.program import Point, Program
from lindfeas.program.shift_fit import refit_shift, smaller_shift
from lindfeas.program.target import coherences, trajectory
from tests.perturbed import nearby_points
from tests.systems import (
    assembled,
    cold_qutrit,
    complex_trimer,
    full_action,
    two_ended_chain,
)

NORMS = ("spectral", "frobenius", "trace")
FREE = Rates.range(0.0, 1e4)
NARROW = 2e-5
"""Relative width of a closed interval."""

FLOOR = 5e-11
"""Absolute width that rounding leaves in the worst of these programs."""


def chain(
    scale: float = 1.0, *, betas: tuple[float, float] = (20.0, 20.0), coupling: float = 0.01
) -> OpenSystem:
    """Four qubits with baths at both ends, all energies times ``scale``."""
    density = Ohmic(cutoff=10.0 * scale)
    baths = [
        Bath(name=name, sites=(site,), beta=beta / scale, spectral_density=density)
        for name, site, beta in (("left", 0, betas[0]), ("right", 3, betas[1]))
    ]
    return models.xxz_chain(sites=4, field=0.5 * scale, coupling=coupling * scale, baths=baths)


def ask(system: OpenSystem, norm: str = "frobenius", **options: Any) -> Any:
    return certify(
        Question(
            system=system,
            target="populations+coherences",
            norm=norm,
            criterion="defect",
            **options,
        ),
        check=False,
    )


def is_closed(lower: float, upper: float, unit: float = 1.0) -> bool:
    return upper - lower <= max(NARROW * upper, FLOOR * unit)


def compiled(
    system: OpenSystem, norm: str, limit: float | None = None, rates: Rates = FREE
) -> Program:
    reference = redfield_equation(system)
    ansatz = regions_of(system, reference.spectrum)
    return assembled(coherences(reference, norm), reference, ansatz, rates, hamiltonian_limit=limit)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("rates", [Rates.each(1.0), FREE], ids=["each", "range"])
def test_cold_chain_closes(norm: str, rates: Rates) -> None:
    """An H_r of 1e4 would do more: [6.085e-6, 3.330e-5] was all that could be said."""
    answer = ask(chain(), norm, rates=rates)
    assert is_closed(answer.lower, answer.upper)
    assert answer.verdict == "impossible"
    assert all(
        np.linalg.norm(region.hamiltonian) <= answer.hamiltonian_limit * (1 + 1e-12)
        for region in answer.candidate.regions
    )


@pytest.mark.parametrize("beta", [5.0, 10.0, 20.0, 30.0])
@pytest.mark.parametrize("norm", NORMS)
def test_cold_qutrit_closes(beta: float, norm: str) -> None:
    """Populations down to 1e-22, and a rate of 1e-3: H_r is at its limit, or wants to be."""
    answer = ask(cold_qutrit(beta), norm, rates=Rates.each(1e-3))
    assert is_closed(answer.lower, answer.upper)


def test_limit_is_felt_and_the_optimum_falls_with_it() -> None:
    limits = (1e-6, 1e-3, 0.1, 1.0, 30.0, 1e4)
    answers = [ask(chain(), hamiltonian_limit=limit) for limit in limits]
    assert all(is_closed(answer.lower, answer.upper) for answer in answers[:-1])
    assert answers[-1].upper - answers[-1].lower < 1e-3 * answers[-1].upper  # rounding times 1e4
    for first, second in itertools.pairwise(answers):
        assert second.lower <= first.upper
    none = ask(chain(), lamb_shift=False)
    assert none.hamiltonian_limit is None
    assert answers[0].lower <= none.upper
    assert none.lower <= answers[0].upper + 1e-6 * 2  # ||[rho0, H]|| <= 2 ||H|| for each of two
    assert answers[-1].upper < 0.9 * answers[0].lower


SOUND = {
    "cold chain": (chain(), 1.0),
    "warm chain": (two_ended_chain(1, 1, 1, coupling=0.1, beta_right=5.0), 0.05),
    "chiral": (complex_trimer(), 0.02),
    "one bath on two sites": (two_ended_chain(2, 1, 0, coupling=0.3), 0.05),
}


@cache
def certified(name: str, norm: str) -> tuple[Program, Interval]:
    system, limit = SOUND[name]
    program = compiled(system, norm, limit, Rates.each(1.0))
    return program, enclose(program, ["CLARABEL"]).interval


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", SOUND)
def test_no_hamiltonian_inside_its_ball_beats_the_lower_bound(name: str, norm: str) -> None:
    program, interval = certified(name, norm)
    point = enclose(program, ["CLARABEL"]).point
    assert point is not None
    for near in nearby_points(program, point):
        far = repair_point(program, replace(near, shift=1e6 * near.shift))
        for candidate in (near, far, refit_shift(program, near)):
            norms = program.shifts.norms(candidate.shift).values()
            assert max(norms) <= program.shifts.limit
            defect = program.defect(candidate)
            assert interval.lower <= defect <= upper_bound(program, candidate)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", SOUND)
def test_a_multiplier_that_hamiltonians_feel_pays_for_it(name: str, norm: str) -> None:
    """The best multiplier without any H_r claims more than is true with them."""
    program, interval = certified(name, norm)
    rigid = replace(program, shifts=replace(program.shifts, limit=1e-15))
    enclosure = enclose(rigid, ["CLARABEL"])
    assert enclosure.interval.lower > interval.upper * (1 + 1e-6)
    assert lower_bound(rigid, enclosure.multiplier) > interval.upper
    assert lower_bound(program, enclosure.multiplier) <= interval.upper


def test_what_no_hamiltonian_feels_costs_nothing() -> None:
    program, _ = certified("warm chain", "frobenius")
    y = np.random.default_rng(1).normal(size=program.rows)
    free = unfelt(program, y, [0, 1])
    assert program.shifts.felt(free) < 1e-15 * program.shifts.felt(y) * program.rows
    assert program.shifts.felt(unfelt(program, y, [0])) > 1e-3 * program.shifts.felt(y)


def test_refit_is_the_constrained_least_squares_solution() -> None:
    """At the optimum -M_r^T R points along x_r where ||x_r|| = h, and vanishes where it is less."""
    held = 0
    for name in SOUND:
        program, _ = certified(name, "frobenius")
        for seed in range(5):
            generator = np.random.default_rng(seed)
            gammas = [generator.uniform(size=b.size) for b in program.blocks]
            start = Point(gammas=[np.diag(g) for g in gammas], shift=np.zeros(program.shifts.count))
            point = refit_shift(program, repair_point(program, start))
            pull = -program.shifts.columns.T @ program.residual(point)
            for region, span in program.shifts.regions.items():
                x, force = point.shift[span], pull[span]
                size = float(np.linalg.norm(program.shifts.columns[:, span], 2))
                if np.linalg.norm(x) < 0.999 * program.shifts.limit:
                    assert np.linalg.norm(force) <= 1e-7 * size, region
                else:
                    held += 1
                    along = float(force @ x) / float(x @ x) * x
                    assert np.linalg.norm(force - along) <= 1e-6 * size, region
                    assert float(force @ x) >= 0
    assert held > 5


def test_hamiltonians_that_do_nothing_are_dropped() -> None:
    program, _ = certified("warm chain", "frobenius")
    enclosure = enclose(program, ["CLARABEL"])
    assert enclosure.point is not None
    _, singular, right = program.shifts.factors[0]
    idle = np.eye(len(right)) - right @ right.T
    noisy = enclosure.point.shift.copy()
    span = program.shifts.regions[0]
    noisy[span] += 0.01 * idle.sum(axis=1) + 1e-3 * right[:, -1] * (singular[-1] < 1e-6)
    point = Point(gammas=enclosure.point.gammas, shift=noisy)
    smaller = smaller_shift(program, point, 1e-12)
    assert program.defect(smaller) <= program.defect(point) * (1 + 1e-8) + 1e-12
    assert np.linalg.norm(smaller.shift) <= np.linalg.norm(noisy)
    np.testing.assert_allclose(idle @ smaller.shift[span], 0.0, atol=1e-14)


@pytest.mark.parametrize("limit", [10.0, 1e5, 1e8])
def test_uncertainty_covers_a_perturbed_hamiltonian(limit: float) -> None:
    """H_S moved by its last bits: with large H_r the optimum moves by much more than they."""
    system = two_ended_chain(1, 1, 1, coupling=0.02, beta_left=3.0, beta_right=8.0)
    intervals = []
    for seed in range(6):
        generator = np.random.default_rng(seed)
        hamiltonian = system.hamiltonian.copy()
        noise = 1 + generator.uniform(-1, 1, size=hamiltonian.data.size) * 2.0**-52
        hamiltonian.data = hamiltonian.data * noise
        moved = OpenSystem(
            hamiltonian=(hamiltonian + hamiltonian.T) / 2,
            dimensions=system.dimensions,
            baths=system.baths,
            charge=system.charge,
        )
        program = compiled(moved, "frobenius", limit, Rates.each(1.0))
        intervals.append(enclose(program, ["CLARABEL"]).interval)
    assert max(i.lower for i in intervals) <= min(i.upper for i in intervals)


def test_rounding_of_the_commutators_is_paid_for_in_proportion_to_the_limit() -> None:
    """The lower end pays for all that is allowed, the upper end for the H_r that it has."""
    program, _ = certified("warm chain", "frobenius")
    enclosure = enclose(program, ["CLARABEL"])
    assert enclosure.point is not None
    exact = replace(program, uncertainty=replace(program.uncertainty, hamiltonian=NO_ERROR))
    y = unfelt(program, enclosure.multiplier, [0, 1])
    paid = [
        lower_bound(replace(exact, shifts=replace(exact.shifts, limit=limit)), y)
        - lower_bound(replace(program, shifts=replace(program.shifts, limit=limit)), y)
        for limit in (1e6, 1e7)
    ]
    y = y / np.linalg.norm(y)
    least = 2 * 1e6 * program.uncertainty.hamiltonian.product
    assert paid[0] > 0.99 * least
    assert paid[1] == pytest.approx(10 * paid[0], rel=1e-3)
    point = Point(gammas=enclosure.point.gammas, shift=np.full(program.shifts.count, 1e6))
    extra = upper_bound(program, point) - upper_bound(exact, point)
    size = program.shifts.size(point.shift)
    assert extra == pytest.approx(
        size * program.uncertainty.hamiltonian.worst(program.layout, "frobenius"), rel=1e-2, abs=0
    )


NO_ERROR = type(certified("warm chain", "frobenius")[0].uncertainty.hamiltonian)()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("betas", [(1.0, 10.0), (20.0, 20.0)])
@pytest.mark.parametrize("rule", ["each", "total", "range"])
@pytest.mark.parametrize("scale", [1e6, 1e-12])
def test_units_of_energy_change_nothing(
    scale: float, rule: str, betas: tuple[float, float], norm: str
) -> None:
    """H, mu, 1/beta, cut-offs, rates and h times a number: both ends times that number."""
    rules = {"each": Rates.each(1.0), "total": Rates.total(1.0), "range": FREE}
    plain, scaled = (
        ask(
            chain(factor, betas=betas),
            norm,
            rates=rules[rule].times(factor),
            tolerance=1e-6 * factor,
        )
        for factor in (1.0, scale)
    )
    assert scaled.hamiltonian_limit == pytest.approx(scale * plain.hamiltonian_limit, rel=1e-12)
    assert scaled.verdict == plain.verdict
    assert is_closed(scaled.lower, scaled.upper, scale)
    assert scaled.lower == pytest.approx(scale * plain.lower, rel=NARROW)
    assert scaled.upper == pytest.approx(scale * plain.upper, rel=NARROW)
    assert scaled.lower <= scale * plain.upper * (1 + 1e-12)
    assert scale * plain.lower <= scaled.upper * (1 + 1e-12)


@pytest.mark.parametrize("rate", [1e9, 3e-7])
def test_rates_cost_populations_no_digits(rate: float) -> None:
    """tau_pop is proportional to the rates; they are taken out before anything is solved."""
    system = chain(betas=(1.0, 10.0))
    plain = certify(Question(system=system), sharp=False)
    scaled = certify(Question(system=system, rates=Rates.each(rate)), sharp=False)
    width = (plain.upper - plain.lower) / plain.lower
    assert scaled.lower == pytest.approx(rate * plain.lower, rel=2 * width)
    assert scaled.upper == pytest.approx(rate * plain.upper, rel=2 * width)


def test_a_weight_of_a_target_is_paid_for_in_rounding() -> None:
    """Weights multiply the residual, its errors and so both ends."""
    system = two_ended_chain(1, 1, 1, coupling=0.1, beta_right=5.0)
    reference = redfield_equation(system)
    vectors = reference.spectrum.vectors
    state = vectors @ np.diag(reference.populations) @ vectors.conj().T
    action = vectors @ reference.coherence_source @ vectors.conj().T
    problems = []
    for weight in (1.0, 1e6):
        target = trajectory(reference, [state], [action], weights=[weight])
        ansatz = regions_of(system, reference.spectrum)
        problems.append(assembled(target, reference, ansatz, FREE).uncertainty)
    first, second = problems
    assert second.regions[0].whole == pytest.approx(1e6 * first.regions[0].whole)
    assert second.hamiltonian.state == pytest.approx(1e6 * first.hamiltonian.state)
    assert second.hamiltonian.product == pytest.approx(1e6 * first.hamiltonian.product)


def test_default_is_ten_times_the_largest_rate_to_four_digits() -> None:
    reference = redfield_equation(chain(betas=(1.0, 10.0)))
    largest = reference.transition_rates.max()
    limit = default_hamiltonian_limit(reference)
    assert limit == pytest.approx(10 * largest, rel=1e-3)
    assert limit == float(f"{limit:.3e}")
    answer = ask(chain(betas=(1.0, 10.0)))
    assert answer.hamiltonian_limit == limit
    assert answer.to_dict()["hamiltonian_limit"] == limit
    assert answer.to_dict()["largest_hamiltonian"] == limit


def test_own_limit_is_used_and_told() -> None:
    answer = ask(chain(), hamiltonian_limit=0.25)
    assert answer.to_dict()["hamiltonian_limit"] == 0.25
    assert answer.to_dict()["largest_hamiltonian"] == 0.25
    assert all(np.linalg.norm(r.hamiltonian) <= 0.25 for r in answer.candidate.regions)


def test_populations_have_no_limit() -> None:
    answer = certify(Question(system=chain(), hamiltonian_limit=2.0))
    assert answer.hamiltonian_limit is None
    assert answer.to_dict()["hamiltonian_limit"] is None


@pytest.mark.parametrize("limit", [0.0, -1.0, np.nan, np.inf, True, "1", 1j])
def test_limits_that_are_none_are_refused(limit: Any) -> None:
    with pytest.raises(InputError, match=r"ansatz.hamiltonian_limit: must be a finite number > 0"):
        Question(system=chain(), hamiltonian_limit=limit)


def test_real_data_keep_to_the_hamiltonians_whose_action_is_real() -> None:
    """i[rho, H] of a real H is imaginary: it must not be an unknown of a real residual."""
    system = two_ended_chain(2, 1, 0, coupling=0.3)
    reference = redfield_equation(system)
    ansatz = regions_of(system, reference.spectrum)
    generator = np.random.default_rng(4)
    root, action = generator.normal(size=(2, 8, 8))
    state = root @ root.T / np.trace(root @ root.T)
    action = action + action.T - np.eye(8) * np.trace(action) / 4
    target = trajectory(reference, [state], [action])
    program = assembled(target, reference, ansatz, Rates.each(1.0))
    assert not program.layout.is_complex
    point = Point(
        gammas=[np.eye(block.size) for block in program.blocks],
        shift=generator.normal(size=program.shifts.count),
    )
    point = repair_point(program, point)
    candidate = lindbladian(program, point, reference, ansatz)
    (wanted,) = target.requirements
    left = full_action(candidate, reference, wanted.state) - wanted.action
    assert program.shifts.count > 0
    assert np.linalg.norm(left) == pytest.approx(program.defect(point), rel=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_solver_noise_is_not_multiplied_by_the_limit(
    norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no H_r is at its limit, the dual need not pay for what noise leaves of M^T y."""
    honest = enclosure_module.solve
    generator = np.random.default_rng(0)

    def noisy(program: Program, solver: str, **options: Any) -> Any:
        raw = honest(program, solver, **options)
        return replace(raw, multiplier=raw.multiplier + 1e-8 * generator.normal(size=program.rows))

    monkeypatch.setattr(enclosure_module, "solve", noisy)
    system = two_ended_chain(1, 2, 1, coupling=0.1, beta_right=10.0)
    answer = ask(system, norm, hamiltonian_limit=1e4)
    assert answer.upper - answer.lower <= 3e-6 * answer.upper
