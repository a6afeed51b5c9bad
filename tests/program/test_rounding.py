"""The rounding model against the same stored matrices, evaluated with 40 digits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from lindfeas import Bath, Ohmic, OpenSystem, PhysicsError, Question, Rates, certify, prove
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.physics.equations.population_error import (
    _group_inverse_size,
    _rate_errors,
    population_error,
)
from lindfeas.physics.equations.redfield import redfield_equation
from lindfeas.program.bounds import repair_multiplier, repair_point
from lindfeas.program.program import Point
from lindfeas.program.target import coherences
from tests import precise
from tests.systems import SIGMA_X, assembled, qubit, two_ended_chain

LEVELS = 4
CUTOFF = 10


def close_levels(seed: int) -> OpenSystem:
    """Four levels, two of them 1e-3 to 1e-8.5 apart, no charge, a bath on each of two qubits."""
    random = np.random.default_rng(seed)
    energies = np.sort(random.normal(size=LEVELS))
    energies[2] = energies[1] + 10 ** random.uniform(-8.5, -3)
    rotation, _ = np.linalg.qr(random.normal(size=(LEVELS, LEVELS)))
    hamiltonian = rotation * energies @ rotation.T + random.normal() * np.eye(LEVELS)
    baths = []
    for site, name in enumerate(("left", "right")):
        coupling = random.normal(size=(2, 2))
        baths.append(
            Bath(
                name=name,
                sites=(site,),
                beta=float(10 ** random.uniform(-1, 1)),
                couplings=(coupling + coupling.T,),
            )
        )
    return OpenSystem(
        hamiltonian=(hamiltonian + hamiltonian.T) / 2, dimensions=(2, 2), baths=tuple(baths)
    )


def exact_populations(system: OpenSystem) -> list[Any]:
    """The kernel of the rate matrix, from Fermi's rule with J(w) = w exp(-(w/10)^2)."""
    energies, vectors = mpmath.eigsy(mpmath.matrix(system.hamiltonian.toarray().tolist()))
    generator = mpmath.matrix(LEVELS, LEVELS)
    for bath, _, operator in system.couplings():
        beta = mpmath.mpf(bath.beta)
        between = vectors.T * mpmath.matrix(operator.toarray().tolist()) * vectors
        for k in range(LEVELS):
            for a in range(LEVELS):
                energy = energies[a] - energies[k]
                if energy > 0:
                    density = energy * mpmath.exp(-((energy / CUTOFF) ** 2))
                    occupation = 1 / mpmath.expm1(beta * energy)
                    generator[k, a] += between[k, a] ** 2 * density * (occupation + 1)
                    generator[a, k] += between[a, k] ** 2 * density * occupation
    for a in range(LEVELS):
        generator[a, a] = -mpmath.fsum(generator[k, a] for k in range(LEVELS) if k != a)
    generator[0, :] = mpmath.ones(1, LEVELS)
    right = mpmath.matrix(LEVELS, 1)
    right[0] = 1
    return list(mpmath.lu_solve(generator, right))


@pytest.mark.parametrize("seed", [*range(60), 1222, 1375, 1710])
def test_populations_of_close_levels_are_as_accurate_as_the_model_says(seed: int) -> None:
    system = close_levels(seed)
    reference = redfield_equation(system)
    allowed = population_error(reference)
    with mpmath.workdps(40):
        exact = exact_populations(system)
        errors = [
            abs(mpmath.mpf(float(p)) - q) for p, q in zip(reference.populations, exact, strict=True)
        ]
    assert all(error <= bound for error, bound in zip(errors, allowed, strict=True))


def weak_link(strength: float, exponent: float = 1.0) -> OpenSystem:
    """Three qubits without a declared charge; the second bath's rates are ``strength`` small.

    n_2 is conserved by everything but that bath, and elements that vanish by it are rounding.
    """
    eye, x, number = np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([0.0, 1.0])
    lowering = np.array([[0.0, 1.0], [0.0, 0.0]])

    def product(a: Any, b: Any, c: Any) -> Any:
        return np.kron(np.kron(a, b), c)

    hamiltonian = (
        0.5 * product(number, eye, eye)
        + 0.75 * product(eye, number, eye)
        + product(lowering.T, lowering, eye)
        + product(lowering, lowering.T, eye)
        + 0.35 * product(x, eye, eye)
        + 0.25 * product(eye, eye, x)
        + 0.25 * product(eye, number, eye + x)
    )
    return OpenSystem(
        hamiltonian=hamiltonian,
        dimensions=(2, 2, 2),
        baths=(
            Bath(
                name="strong",
                sites=(0,),
                beta=0.5,
                couplings=(lowering,),
                spectral_density=Ohmic(exponent=exponent),
            ),
            Bath(
                name="weak",
                sites=(2,),
                beta=4.0,
                couplings=(np.diag([1.0, -1.0]),),
                spectral_density=Ohmic(strength=strength, exponent=exponent),
            ),
        ),
    )


@pytest.mark.parametrize("exponent", [-16, -20, -24, -28, -30, -32, -34, -36])
def test_weak_links_are_known_as_well_as_the_model_says(exponent: int) -> None:
    """Where rounding competes with a link, the error says so, up to everything."""
    system = weak_link(10.0**exponent)
    answer = certify(Question(system=system), sharp=False, check=False)
    reference = answer.reference
    allowed = population_error(reference)
    with mpmath.workdps(100):
        exact, _ = precise.populations(system)
        errors = [
            abs(mpmath.mpf(float(p)) - q) for p, q in zip(reference.populations, exact, strict=True)
        ]
        found = precise.defect(system, answer.candidate)
    assert all(error <= bound for error, bound in zip(errors, allowed, strict=True))
    assert answer.lower <= found <= answer.upper
    assert answer.upper <= 2 * sum(2 / 8 for _ in system.baths) * (1 + 1e-9)
    if exponent >= -24:
        assert max(errors) < 1e-11, "elements that vanish do so to 1e-19, not 1e-16"
    if exponent >= -20:
        assert answer.upper - answer.lower <= 1e-5 * answer.upper


@pytest.mark.parametrize("strength", [1e-24, 1e-28])
def test_what_a_state_is_wrong_by_is_allowed_for(strength: float) -> None:
    """Populations moved as far as they may be wrong move A(Y) by less than is allowed."""
    reference = redfield_equation(weak_link(strength, exponent=2.0))
    regions = regions_of(reference.system, reference.spectrum)
    target = coherences(reference)
    (requirement,) = target.requirements
    errors = requirement.level_errors
    assert errors is not None and errors.sum() > 1e-13
    program = assembled(target, reference, regions, Rates.each(1.0))
    generator = np.random.default_rng(0)
    reached = []
    for _ in range(20):
        moved = errors * generator.choice([-1.0, 1.0], size=len(errors))
        moved -= moved.sum() * errors / errors.sum()
        state = requirement.state + np.diag(moved)
        other = replace(target, requirements=(replace(requirement, state=state),))
        changed = assembled(other, reference, regions, Rates.each(1.0))
        y = repair_multiplier(program, generator.normal(size=program.rows))
        largest = program.layout.norm(y, "spectral")
        for number, allowance in enumerate(program.uncertainty.regions):
            shift = max(
                np.linalg.norm(changed.blocks[b].combine(y) - program.blocks[b].combine(y), 2)
                for b in program.of_region(number)
            )
            reached.append(shift / allowance.of(y, largest))
    assert 1e-2 < max(reached) <= 1.0


COLD = {
    "two sites, beta 20": ((1, 0, 1), 1.0, 20.0, 20.0),
    "two sites, beta 50": ((1, 0, 1), 1.0, 50.0, 50.0),
    "three sites, beta 10": ((1, 1, 1), 1.0, 10.0, 10.0),
    "three sites, beta 50": ((1, 1, 1), 1.0, 50.0, 50.0),
    "four sites, beta 50": ((1, 2, 1), 1.0, 50.0, 50.0),
    "four sites, beta 50 and 5": ((1, 2, 1), 0.1, 50.0, 5.0),
    "regions of two": ((2, 0, 2), 1.0, 50.0, 50.0),
}


@pytest.mark.parametrize(("shape", "coupling", "left", "right"), COLD.values(), ids=COLD.keys())
def test_cold_chains_have_narrow_intervals(
    shape: tuple[int, int, int], coupling: float, left: float, right: float
) -> None:
    system = two_ended_chain(*shape, coupling=coupling, beta_left=left, beta_right=right)
    assert_narrow(system)


@pytest.mark.parametrize("field", [60.0, 100.0])
@pytest.mark.parametrize("betas", [(1.0, 0.04), (0.04, 1.0)])
def test_badly_scaled_chains_have_narrow_intervals(
    field: float, betas: tuple[float, float]
) -> None:
    """Boltzmann factors of 1e-100 beside rates of order one: W is singular in doubles."""
    system = two_ended_chain(
        1, 1, 1, coupling=1.0, field=[0.5, 0.5, field], beta_left=betas[0], beta_right=betas[1]
    )
    assert_narrow(system)


def assert_narrow(system: OpenSystem) -> None:
    answer = certify(Question(system=system), sharp=False, check=False)
    with mpmath.workdps(250):
        exact, _ = precise.populations(system)
        errors = [
            abs(mpmath.mpf(float(p)) - q)
            for p, q in zip(answer.reference.populations, exact, strict=True)
        ]
        found = precise.defect(system, answer.candidate)
    allowed = population_error(answer.reference)
    assert all(error <= bound for error, bound in zip(errors, allowed, strict=True))
    assert answer.lower > 0
    assert answer.lower <= found <= answer.upper
    assert answer.upper - answer.lower <= 1e-6 * answer.upper


@pytest.mark.parametrize("coupling", [0.01, 0.1])
def test_cold_product_states_are_matched_within_the_rounding_of_the_program(
    coupling: float,
) -> None:
    """The ground state is a product, and the optimum exp(-50 x something): below what doubles say.

    The yardstick is 1e-4 of the larger of the upper end and 1e-6 times the defect of Gamma = 1.
    """
    for shape in ((1, 0, 2), (1, 1, 1), (1, 2, 1), (2, 0, 2)):
        system = two_ended_chain(*shape, coupling=coupling, beta_left=50.0, beta_right=50.0)
        answer = certify(Question(system=system), sharp=False, check=False)
        problem = answer.setting.program
        gammas = [np.eye(block.size) for block in problem.blocks]
        point = Point(gammas=gammas, shift=np.zeros(0))
        whatever = problem.defect(repair_point(problem, point))
        assert answer.upper - answer.lower <= 1e-4 * max(answer.upper, 1e-6 * whatever)


def test_a_proof_agrees_with_a_cold_interval() -> None:
    system = two_ended_chain(1, 0, 1, coupling=1.0, beta_left=20.0, beta_right=20.0)
    answer = certify(Question(system=system), sharp=False, check=False)
    _, proof = prove(answer)
    assert proof.status == "accepted"
    assert float(proof.lower) == pytest.approx(answer.lower, rel=1e-9)


def test_a_deep_chemical_potential_costs_digits_and_they_are_counted() -> None:
    """exp(beta mu) = 1e-229: its argument is rounded by 527 u."""
    system = qubit(beta=0.24513621402679983, mu=-2148.114168824086)
    reference = redfield_equation(system)
    with mpmath.workdps(60):
        exact, _ = precise.populations(system)
        errors = [
            abs(mpmath.mpf(float(p)) - q) for p, q in zip(reference.populations, exact, strict=True)
        ]
    allowed = population_error(reference)
    assert all(error <= bound for error, bound in zip(errors, allowed, strict=True))
    assert allowed.min() <= 1e-12 * reference.populations.min()


def test_rates_are_as_exact_as_they_say() -> None:
    """A qubit's two rates, from 50 digits, at many frequencies and temperatures."""
    random = np.random.default_rng(7)
    for _ in range(100):
        frequency, beta = 10 ** random.uniform(-3, 1.3), 10 ** random.uniform(-2, 1.5)
        system = qubit(frequency=frequency, beta=beta, operator=SIGMA_X, charge=None)
        reference = redfield_equation(system)
        single, rotated = _rate_errors(reference)
        with mpmath.workdps(50):
            energy = mpmath.mpf(frequency)
            found = reference.transition_rates
            bath = reference.system.baths[0]
            absorbed, emitted = precise.rates(bath.density_of(0), bath.beta, bath.mu, energy)
            for place, exact in (((0, 1), emitted), ((1, 0), absorbed)):
                error = abs(mpmath.mpf(float(found[place])) - exact)
                assert error <= single[place] + rotated[place]


@pytest.mark.parametrize("system", [weak_link(1e-36), close_levels(3)], ids=["weak", "close"])
def test_elements_within_their_errors_leave_rates_within_theirs(system: OpenSystem) -> None:
    """Also where an element vanishes within its error: g |delta S|^2 is all there is then."""
    reference = redfield_equation(system)
    single, rotated = _rate_errors(reference)
    moved = replace(
        reference,
        couplings=tuple(
            replace(c, matrix=np.abs(c.matrix) + c.element_errors) for c in reference.couplings
        ),
    )
    change = np.abs(moved.transition_rates - reference.transition_rates)
    assert np.all(change <= (single + rotated) * (1 + 1e-9))


GRADED = {
    **{f"weak {exponent}": weak_link(10.0**exponent) for exponent in (-12, -16, -20, -24, -30)},
    **{
        f"cold {beta}": two_ended_chain(1, 1, 1, coupling=1.0, beta_left=beta, beta_right=beta)
        for beta in (1.0, 7.0, 10.0, 20.0, 50.0)
    },
    **{
        f"field {field}": two_ended_chain(
            1, 1, 1, coupling=1.0, field=[0.5, 0.5, field], beta_left=0.04, beta_right=1.0
        )
        for field in (40.0, 60.0, 100.0)
    },
}


@pytest.mark.parametrize("system", GRADED.values(), ids=GRADED.keys())
def test_the_group_inverse_is_not_underestimated_where_the_inversion_fails(
    system: OpenSystem,
) -> None:
    """The computed inverse can be 1e100 times too small; then there is none."""
    reference = redfield_equation(system)
    rates = reference.transition_rates
    size = _group_inverse_size(rates, reference.populations)
    if size is None:
        return
    with mpmath.workdps(200):
        exact = exact_group_inverse(rates)
        for place in np.ndindex(rates.shape):
            assert abs(exact[place]) <= size[place] * 1.01


def test_the_group_inverse_is_used_where_it_can_be() -> None:
    reference = redfield_equation(GRADED["cold 1.0"])
    assert _group_inverse_size(reference.transition_rates, reference.populations) is not None


def exact_group_inverse(rates: Any) -> Any:
    """(W - p 1^T)^-1 + p 1^T."""
    count = len(rates)
    generator = mpmath.matrix(rates.tolist())
    for a in range(count):
        generator[a, a] = -mpmath.fsum(generator[k, a] for k in range(count) if k != a)
    bordered = generator.copy()
    bordered[0, :] = mpmath.ones(1, count)
    right = mpmath.zeros(count, 1)
    right[0] = 1
    p = mpmath.lu_solve(bordered, right)
    projector = p * mpmath.ones(1, count)
    return (generator - projector) ** -1 + projector


def hidden_symmetry(seed: int) -> OpenSystem:
    """A spin that no bath touches, its conserved component along an axis that is no axis."""
    random = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(2, 2)))
    conserved = rotation @ np.diag([1.0, -1.0]) @ rotation.T
    hamiltonian = np.kron(np.diag([0.7, -0.7]), np.eye(2)) + 0.3 * np.kron(np.eye(2), conserved)
    hamiltonian = hamiltonian + 0.21 * np.kron(SIGMA_X + np.diag([0.4, 0.1]), conserved)
    bath = Bath(name="bath", sites=(0,), beta=1.0, couplings=(SIGMA_X,))
    return OpenSystem(
        hamiltonian=(hamiltonian + hamiltonian.T) / 2, dimensions=(2, 2), baths=(bath,)
    )


@pytest.mark.parametrize("seed", range(10))
def test_rounding_of_the_input_makes_no_links(seed: int) -> None:
    """As stored, H breaks the symmetry by an ulp: rates of 1e-32 are not to be answered with."""
    with pytest.raises(PhysicsError, match="2 groups"):
        _ = redfield_equation(hidden_symmetry(seed)).populations
