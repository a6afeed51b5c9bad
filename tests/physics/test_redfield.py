"""The Redfield reference against analytic limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from lindfeas import Bath, DrudeLorentz, Ohmic, OpenSystem, PhysicsError, models, redfield_equation
from lindfeas.physics.equations.population_error import group_inverse
from lindfeas.physics.equations.rate_equation import stationary_distribution
from tests.systems import (
    SIGMA_X,
    SIGMA_Z,
    complex_trimer,
    gibbs,
    oscillator_and_qubit,
    qubit,
    two_ended_chain,
)

ROUNDING = 1e-13
THERMAL = 1e-10


def test_zero_temperature_qubit_decays() -> None:
    """The sign of L2: an excited qubit loses population at the golden-rule rate J(omega)."""
    frequency = 1.3
    reference = redfield_equation(qubit(frequency=frequency, beta=np.inf))
    excited = np.diag(reference.spectrum.energies > 0).astype(float)
    change = reference.apply(excited)
    golden = frequency * np.exp(-((frequency / 10) ** 2))
    upper = int(np.argmax(reference.spectrum.energies))
    assert change[upper, upper].real == pytest.approx(-golden, rel=1e-14)
    assert reference.populations[upper] == 0.0


def test_qubit_coherence_decays_and_is_shifted() -> None:
    """For S = sigma_- the coherence obeys rho_10' = -(D + C) rho_10 (0: down, 1: up).

    Re(D + C) = J (2n+1)/2, and Im(D + C) is the Lamb shift with the 1/(2 pi) that Eq. (41) of
    the SDP-paper lacks: here computed by scipy's Cauchy quadrature.
    """
    frequency, beta = 0.9, 2.0
    reference = redfield_equation(qubit(frequency=frequency, beta=beta))
    up = int(np.argmax(reference.spectrum.energies))
    down = 1 - up
    state = np.zeros((2, 2), dtype=complex)
    state[up, down] = 1.0
    decay = -reference.apply(state)[up, down]

    def density(w: float) -> float:
        return w * np.exp(-((w / 10) ** 2)) / np.tanh(beta * w / 2) if w > 0 else 2 / beta

    near = quad(density, 0, 2 * frequency, weight="cauchy", wvar=frequency, epsabs=1e-13)[0]
    far = quad(lambda w: density(w) / (w - frequency), 2 * frequency, 80, epsabs=1e-13)[0]
    assert decay.imag == pytest.approx(-(near + far) / (2 * np.pi), abs=1e-10)
    assert decay.real == pytest.approx(
        frequency * np.exp(-(frequency**2) / 100) / np.tanh(beta * frequency / 2) / 2, rel=1e-13
    )


@pytest.mark.parametrize("beta", [0.1, 1.0, 5.0, 10.0])
@pytest.mark.parametrize("shape", [(1, 2, 1), (2, 2, 2), (1, 0, 2)])
def test_equal_temperatures_give_the_thermal_state(shape: tuple[int, ...], beta: float) -> None:
    system = two_ended_chain(*shape, coupling=0.2, beta_left=beta, beta_right=beta)
    reference = redfield_equation(system)
    expected = gibbs(reference.spectrum.energies, beta)
    np.testing.assert_allclose(reference.populations, expected, rtol=THERMAL)


@pytest.mark.parametrize("mu", [0.0, -0.3, -2.0])
def test_chemical_potential_enters_the_thermal_state(mu: float) -> None:
    reference = redfield_equation(oscillator_and_qubit(beta=1.4, mu=mu))
    expected = gibbs(reference.spectrum.energies, 1.4, reference.spectrum.charges, mu)
    np.testing.assert_allclose(reference.populations, expected, rtol=THERMAL)


@pytest.mark.parametrize("density", [Ohmic(exponent=3.0), DrudeLorentz(cutoff=2.0)])
def test_thermalisation_does_not_depend_on_the_spectral_density(density: object) -> None:
    reference = redfield_equation(qubit(frequency=0.7, beta=3.0, density=density))
    np.testing.assert_allclose(
        reference.populations, gibbs(reference.spectrum.energies, 3.0), rtol=1e-13
    )


def test_zero_temperature_ends_in_the_ground_state() -> None:
    reference = redfield_equation(two_ended_chain(1, 2, 1, beta_left=np.inf, beta_right=np.inf))
    ground = int(np.argmin(reference.spectrum.energies))
    assert reference.populations[ground] == 1.0
    assert reference.populations.sum() == 1.0


def random_state(seed: int, size: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    factor = generator.normal(size=(size, size)) + 1j * generator.normal(size=(size, size))
    state = factor @ factor.conj().T
    return state / np.trace(state).real


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize(
    "system", [two_ended_chain(1, 1, 1, beta_right=4.0), complex_trimer(), oscillator_and_qubit()]
)
def test_action_preserves_trace_and_hermiticity(system: OpenSystem, seed: int) -> None:
    reference = redfield_equation(system)
    change = reference.apply(random_state(seed, system.dimension))
    assert abs(np.trace(change)) < ROUNDING
    np.testing.assert_allclose(change, change.conj().T, atol=ROUNDING)


@pytest.mark.parametrize(
    "system", [two_ended_chain(1, 2, 1, beta_right=10.0), complex_trimer(), oscillator_and_qubit()]
)
def test_populations_solve_the_rate_equation_of_the_full_action(system: OpenSystem) -> None:
    """Two routes: the rate matrix, and the diagonal of L2 with its principal values."""
    reference = redfield_equation(system)
    source = reference.coherence_source
    np.testing.assert_allclose(np.diag(source), 0.0, atol=1e-15)
    for level in range(system.dimension):
        state = np.zeros((system.dimension,) * 2)
        state[level, level] = 1.0
        change = np.diag(reference.apply(state)).real
        expected = reference.transition_rates[:, level].copy()
        expected[level] -= expected.sum()
        np.testing.assert_allclose(change, expected, atol=1e-14)


def test_coherences_solve_the_second_order_equation() -> None:
    """0 = i[rho2, H] + L2(rho0) off the diagonal, checked in the product basis."""
    reference = redfield_equation(two_ended_chain(1, 1, 1, coupling=0.3, beta_right=6.0))
    energies = np.diag(reference.spectrum.energies)
    rho2 = reference.coherences
    rest = 1j * (rho2 @ energies - energies @ rho2) + reference.coherence_source
    np.testing.assert_allclose(rest, 0.0, atol=1e-15)
    assert np.abs(rho2).max() > 1e-3


def test_perturbative_steady_state_of_the_full_equation() -> None:
    """The kernel of i[., H] + eps^2 L2 approaches rho0 + eps^2 rho2 as eps -> 0."""
    reference = redfield_equation(two_ended_chain(1, 1, 1, coupling=0.3, beta_right=6.0))
    size = reference.spectrum.dimension
    basis = np.eye(size * size).reshape(size * size, size, size)
    dissipator = np.array([reference.apply(unit).ravel() for unit in basis]).T
    energies = reference.spectrum.energies
    rotation = np.diag(-1j * np.subtract.outer(energies, energies).ravel())
    for eps, bound in ((0.1, 0.05), (0.01, 5e-4)):
        generator = rotation + eps**2 * dissipator
        state = np.linalg.svd(generator)[2][-1].conj().reshape(size, size)
        state /= np.trace(state)
        off = ~np.eye(size, dtype=bool)
        assert np.abs(np.diag(state) - reference.populations).max() < bound
        assert np.abs(state[off] / eps**2 - reference.coherences[off]).max() < bound
        assert np.linalg.eigvals(generator).real.max() < 10 * eps**4


@pytest.mark.parametrize("system", [two_ended_chain(1, 2, 1, beta_right=10.0)])
def test_local_continuity_equation(system: OpenSystem) -> None:
    """Observables on sites without a bath feel no dissipation: tr(O L2(rho)) = 0."""
    reference = redfield_equation(system)
    state = random_state(5, system.dimension)
    change = reference.apply(state)
    for operator in (SIGMA_X, SIGMA_Z):
        for site in (1, 2):
            observable = system.embed(operator, (site,)).toarray()
            vectors = reference.spectrum.vectors
            in_levels = vectors.conj().T @ observable @ vectors
            assert abs(np.trace(in_levels @ change)) < ROUNDING


def test_hermitian_coupling_dephases_at_the_zero_frequency_rate() -> None:
    """S = sigma_z on a qubit: pure dephasing at 4 K(0), K = gamma/(2 beta) for an ohmic bath."""
    beta = 2.5
    reference = redfield_equation(qubit(operator=SIGMA_Z, beta=beta, charge=None))
    up = int(np.argmax(reference.spectrum.energies))
    state = np.zeros((2, 2), dtype=complex)
    state[up, 1 - up] = 1.0
    assert reference.apply(state)[up, 1 - up] == pytest.approx(-4 * 1 / (2 * beta), rel=1e-12)


def test_non_hermitian_zero_frequency_is_refused() -> None:
    operator = np.array([[0.5, 0.0], [1.0, 0.0]])
    reference = redfield_equation(qubit(operator=operator, charge=None))
    with pytest.raises(PhysicsError, match="Hermitian"):
        reference.apply(np.eye(2) / 2)


def test_levels_that_no_bath_connects_are_refused() -> None:
    system = OpenSystem(
        hamiltonian=np.kron(SIGMA_Z, np.eye(2)) + 0.3 * np.kron(np.eye(2), SIGMA_Z),
        dimensions=(2, 2),
        baths=(Bath(name="left", sites=(0,), beta=1.0, couplings=(SIGMA_X,)),),
    )
    with pytest.raises(PhysicsError, match="2 groups"):
        _ = redfield_equation(system).populations


def test_degenerate_levels_of_one_sector_are_refused() -> None:
    with pytest.raises(PhysicsError, match="charge sector"):
        redfield_equation(two_ended_chain(1, 2, 1, coupling=0.0))


def test_degenerate_levels_of_different_sectors_are_allowed() -> None:
    """Field 0.5, coupling 1, six sites: exactly degenerate levels of different magnetisation."""
    reference = redfield_equation(two_ended_chain(2, 2, 2, coupling=1.0))
    energies = np.sort(reference.spectrum.energies)
    assert np.diff(energies).min() < 1e-12
    np.testing.assert_allclose(
        reference.populations, gibbs(reference.spectrum.energies, 1.0), rtol=THERMAL
    )


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 12))
def test_stationary_distribution_is_a_kernel_vector(seed: int, size: int) -> None:
    generator = np.random.default_rng(seed)
    rates = 10.0 ** generator.uniform(-8, 0, size=(size, size))
    np.fill_diagonal(rates, 0.0)
    p = stationary_distribution(rates)
    assert np.all(p > 0)
    np.testing.assert_allclose(rates @ p, rates.sum(axis=0) * p, rtol=1e-12)
    inverse = group_inverse(rates, p)
    full = rates - np.diag(rates.sum(axis=0))
    projector = np.eye(size) - np.outer(p, np.ones(size))
    np.testing.assert_allclose(full @ inverse, projector, atol=1e-6)


def test_populations_keep_relative_accuracy_at_low_temperature() -> None:
    """Boltzmann factors of 1e-100 are right to rounding: nothing is subtracted."""
    system = two_ended_chain(1, 1, 1, coupling=0.2, beta_left=80.0, beta_right=80.0)
    reference = redfield_equation(system)
    expected = gibbs(reference.spectrum.energies, 80.0)
    assert expected.min() < 1e-90
    np.testing.assert_allclose(reference.populations, expected, rtol=1e-11)


@pytest.mark.parametrize("beta", [40.0, 60.0, 100.0])
def test_cold_chains_do_not_overflow(beta: float) -> None:
    baths = [Bath(name="left", sites=(0, 1), beta=beta)]
    chain = models.xxz_chain(sites=3, field=[0.5, 0.6, 0.75], coupling=2.0, baths=baths)
    reference = redfield_equation(chain)
    expected = gibbs(reference.spectrum.energies, beta)
    np.testing.assert_allclose(reference.populations, expected, rtol=1e-10, atol=1e-200)
