"""Energies, and their differences, whatever offset H comes with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from lindfeas import Bath, Ohmic, OpenSystem, PhysicsError, Question, certify, redfield_equation
from lindfeas.answers.certify import steady_state_check
from lindfeas.physics.equations.population_error import population_error
from lindfeas.physics.equations.reference_state import transform_errors
from tests import precise
from tests.systems import two_ended_chain

GRID = 2.0**-26
"""Entries that are multiples of this, and below 4, are exact with 2**20 added."""

OFFSETS = (-3.375, 2.0**20)
LAST_DIGITS = 1e-11
NUMBER = np.diag([0.0, 1.0])
LOWERING = np.array([[0.0, 1.0], [0.0, 0.0]])


def on_grid(values: Any) -> Any:
    return np.round(np.asarray(values) / GRID) * GRID


def random_system(seed: int, offset: float) -> OpenSystem:
    """Two or three sites of two or three levels, with or without a charge, real or complex."""
    random = np.random.default_rng(seed)
    dimensions = [(2, 2), (2, 3), (3, 2), (2, 2, 2)][seed % 4]
    charged = bool(seed // 4 % 2)
    size = int(np.prod(dimensions))
    charge = tuple(tuple(range(dimension)) for dimension in dimensions) if charged else None
    hamiltonian = random.normal(size=(size, size)) / 2
    if seed // 8 % 2:
        hamiltonian = hamiltonian + 0.5j * random.normal(size=(size, size))
    hamiltonian = on_grid((hamiltonian + hamiltonian.conj().T).real) + 1j * on_grid(
        (hamiltonian + hamiltonian.conj().T).imag
    )
    total = np.zeros(1, dtype=int)
    for dimension in dimensions:
        total = np.add.outer(total, np.arange(dimension)).ravel()
    if charged:
        hamiltonian = np.where(np.equal.outer(total, total), hamiltonian, 0.0)
    baths = []
    for number, site in enumerate((0, len(dimensions) - 1)):
        lowering = np.diag(np.sqrt(np.arange(1.0, dimensions[site])), k=1)
        mixed = lowering + lowering.T + 0.25 * np.eye(dimensions[site])
        baths.append(
            Bath(
                name=f"bath{number}",
                sites=(site,),
                beta=float(10 ** random.uniform(-1, 1)),
                couplings=(lowering, lowering.T) if charged else (mixed,),
            )
        )
    return OpenSystem(
        hamiltonian=hamiltonian + offset * np.eye(size),
        dimensions=dimensions,
        baths=tuple(baths),
        charge=charge,
    )


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("seed", range(16))
def test_an_offset_changes_nothing_but_the_last_digits(seed: int, offset: float) -> None:
    plain, shifted = (
        certify(Question(system=random_system(seed, energy)), sharp=False, check=False)
        for energy in (0.0, offset)
    )
    np.testing.assert_allclose(
        shifted.reference.populations, plain.reference.populations, rtol=LAST_DIGITS
    )
    allowed = 1e-9 * plain.upper + 1e-13
    assert shifted.lower == pytest.approx(plain.lower, abs=allowed)
    assert shifted.upper == pytest.approx(plain.upper, abs=allowed)
    with mpmath.workdps(50):
        found = precise.defect(random_system(seed, offset), shifted.candidate)
    assert shifted.lower <= found <= shifted.upper


@pytest.mark.parametrize("offset", [0.0, *OFFSETS])
@pytest.mark.parametrize("seed", range(8))
def test_bohr_energies_are_as_exact_as_they_say(seed: int, offset: float) -> None:
    system = random_system(seed, offset)
    spectrum = redfield_equation(system).spectrum
    with mpmath.workdps(50):
        energies, _ = precise.levels(system)
        for a, lower in enumerate(energies):
            for g, upper in enumerate(energies):
                error = abs(mpmath.mpf(float(spectrum.bohr[a, g])) - (upper - lower))
                assert error <= spectrum.bohr_uncertainty[a, g]
    apart = ~spectrum.coinciding
    assert np.all(spectrum.bohr_uncertainty[apart] <= 1e-15 * np.abs(spectrum.bohr[apart]) + 1e-17)


def lost_in_an_offset(offset: float) -> OpenSystem:
    """Four modes; two levels of different charge coincide where the offset leaves 1e-10."""
    hopping, level, attraction = 2.336073293350637, 0.920070820255205, -2.586524518672377
    eye = np.eye(2)

    def product(*factors: Any) -> Any:
        total = np.eye(1)
        for factor in factors:
            total = np.kron(total, factor)
        return total

    hamiltonian = (
        offset * np.eye(16)
        + 0.25 * product(NUMBER, eye, eye, eye)
        + 3 * product(eye, NUMBER, eye, eye)
        + hopping * product(LOWERING.T, LOWERING, eye, eye)
        + hopping * product(LOWERING, LOWERING.T, eye, eye)
        + level * product(eye, eye, NUMBER, eye)
        + attraction * product(eye, NUMBER, NUMBER, eye)
        + product(eye, eye, eye, NUMBER)
        - 0.5 * product(eye, eye, NUMBER, NUMBER)
    )
    warm = (
        np.kron(LOWERING, eye - NUMBER),
        np.kron(LOWERING.T, NUMBER),
        np.kron(eye, LOWERING),
    )
    return OpenSystem(
        dimensions=(2,) * 4,
        hamiltonian=hamiltonian,
        baths=(
            Bath(name="cold", sites=(0,), beta=30.0, couplings=(LOWERING, LOWERING.T)),
            Bath(name="warm", sites=(2, 3), beta=1.0, mu=-29.0, couplings=warm),
        ),
        charge=((0, 1), (0, 1), (0, 10), (0, 100)),
    )


@pytest.mark.parametrize("offset", [0.0, 2.0**20])
def test_what_an_offset_has_cost_is_not_claimed(offset: float) -> None:
    """The input itself leaves a population open here: it enters the error, not the interval."""
    system = lost_in_an_offset(offset)
    answer = certify(Question(system=system), sharp=False, check=False)
    reference = answer.reference
    bound = population_error(reference)
    with mpmath.workdps(50):
        exact, _ = precise.populations(system)
        found = precise.defect(system, answer.candidate)
        errors = [
            abs(mpmath.mpf(float(p)) - q) for p, q in zip(reference.populations, exact, strict=True)
        ]
    assert all(error <= allowed for error, allowed in zip(errors, bound, strict=True))
    assert answer.lower <= found <= answer.upper
    assert (max(errors) > 0.1) == (offset > 0)


def meeting_levels(
    distance: float, *, exponent: float = 1.0, mu: float = 0.0, offset: float = 0.0
) -> OpenSystem:
    """Three modes; |110> and |111>, which the second bath connects, are ``distance`` apart."""
    eye = np.eye(2)

    def product(a: Any, b: Any, c: Any) -> Any:
        return np.kron(np.kron(a, b), c)

    hamiltonian = (
        product(NUMBER, eye, eye)
        + 1.25 * product(eye, NUMBER, eye)
        + 0.5 * product(LOWERING.T, LOWERING, eye)
        + 0.5 * product(LOWERING, LOWERING.T, eye)
        + product(eye, eye, NUMBER)
        - (1 - distance) * product(NUMBER, NUMBER, NUMBER)
    )
    return OpenSystem(
        dimensions=(2, 2, 2),
        hamiltonian=hamiltonian + offset * np.eye(8),
        baths=(
            Bath(name="first", sites=(0,), beta=0.5, couplings=(LOWERING,)),
            Bath(
                name="second",
                sites=(2,),
                beta=2.0,
                mu=mu,
                couplings=(LOWERING,),
                spectral_density=Ohmic(exponent=exponent),
            ),
        ),
        charge=((0, 1), (0, 1), (0, 10)),
    )


@pytest.mark.parametrize(("exponent", "limit"), [(1.0, "0 or 0.5,"), (0.5, "0 or inf,")])
@pytest.mark.parametrize(
    ("distance", "offset"), [(0.0, 0.0), (2.0**-52, 0.0), (0.0, 2.0**20), (-(2.0**-30), 2.0**20)]
)
def test_a_rate_that_jumps_is_refused(
    distance: float, offset: float, exponent: float, limit: str
) -> None:
    """J n is 0 below E = 0; above, its limit is gamma/beta, or infinite below exponent 1."""
    system = meeting_levels(distance, exponent=exponent, offset=offset)
    with pytest.raises(PhysicsError, match=rf"bath\.second\.couplings: .*{limit}") as raised:
        certify(Question(system=system))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("options", [{"exponent": 2.0}, {"mu": -0.5}, {"exponent": 0.5, "mu": -1}])
def test_a_rate_that_vanishes_from_both_sides_is_no_obstacle(options: dict[str, float]) -> None:
    system = meeting_levels(0.0, **options)
    answer = certify(Question(system=system), sharp=False, check=False)
    with mpmath.workdps(50):
        exact, _ = precise.populations(system)
        found = precise.defect(system, answer.candidate)
    np.testing.assert_allclose(answer.reference.populations, [float(p) for p in exact], rtol=1e-6)
    assert answer.lower <= found <= answer.upper


@pytest.mark.parametrize("distance", [1e-7, -1e-7])
def test_levels_that_are_apart_are_not_refused(distance: float) -> None:
    """The two sides of the jump: the defect depends on which one it is."""
    system = meeting_levels(distance)
    answer = certify(Question(system=system), sharp=False, check=False)
    with mpmath.workdps(50):
        found = precise.defect(system, answer.candidate)
    assert answer.lower <= found <= answer.upper
    assert answer.upper == pytest.approx(answer.lower, rel=1e-6)


def test_elements_that_vanish_by_a_symmetry_do_so_in_extended_precision() -> None:
    """SU(2): the middle site's singlet does not see the ends; computed elements of 1e-17 did."""
    reference = redfield_equation(two_ended_chain(1, 1, 1, coupling=1.0))
    (coupling, _) = reference.couplings
    size = np.abs(coupling.matrix)
    vanishing = (size < 1e-15) & (coupling.element_errors > 0)
    assert vanishing.any()
    assert size[vanishing].max() < 1e-17
    assert coupling.element_errors[vanishing].max() < 1e-16
    assert not coupling.significant[vanishing].any()


def symmetric_pair(exponent: float) -> OpenSystem:
    """Two spins whose singlet meets a triplet level; the collective coupling cannot connect them.

    The singlet is reached by a second coupling, whose rates vanish at E = 0 from both sides.
    """
    eye = np.eye(2)
    first, second = np.kron(LOWERING, eye), np.kron(eye, LOWERING)
    number = first.T @ first + second.T @ second
    exchange = 2 * (first @ second.T + first.T @ second)
    exchange = exchange + (2 * first.T @ first - np.eye(4)) @ (2 * second.T @ second - np.eye(4))
    bath = Bath(
        name="both",
        sites=(0, 1),
        beta=1.0,
        couplings=(first + second, first),
        spectral_density=(Ohmic(exponent=exponent), Ohmic(exponent=3.0)),
    )
    return OpenSystem(
        hamiltonian=exchange + 4 * (number - np.eye(4)),
        dimensions=(2, 2),
        baths=(bath,),
        charge=((0, 1), (0, 1)),
    )


def test_an_element_that_a_symmetry_forbids_makes_no_rate_where_the_limit_is_finite() -> None:
    system = symmetric_pair(1.0)
    reference = redfield_equation(system)
    between = reference.spectrum.coinciding & ~np.eye(4, dtype=bool)
    assert np.any(between & (reference.couplings[0].element_errors > 0))
    bound = population_error(reference)
    with mpmath.workdps(50):
        exact, _ = precise.populations(system)
        pairs = zip(reference.populations, exact, strict=True)
        errors = [abs(mpmath.mpf(float(p)) - q) for p, q in pairs]
    assert all(error <= allowed for error, allowed in zip(errors, bound, strict=True))
    assert bound.max() < 1e-13


def test_an_element_that_only_a_symmetry_forbids_is_refused_where_the_limit_is_infinite() -> None:
    with pytest.raises(PhysicsError, match="0 or inf,"):
        _ = redfield_equation(symmetric_pair(0.5)).populations


@pytest.mark.parametrize("exponent", [1.25, 2.0])
def test_transforms_between_coinciding_levels_know_what_the_distance_may_do(
    exponent: float,
) -> None:
    """E = 2^-51 is taken as zero; C and D there differ from C(0) and D(0) by less than stated."""
    distance = 2.0**-51
    reference = redfield_equation(meeting_levels(distance, exponent=exponent))
    coupling = reference.couplings[1]
    between = reference.spectrum.coinciding & coupling.significant & ~np.eye(8, dtype=bool)
    assert between.sum() == 1
    errors = transform_errors(coupling)
    for energy in (-distance, distance):
        true = coupling.correlation.transforms(energy)
        for used, exact, allowed in zip(coupling.half_sided, true, errors, strict=True):
            change = np.abs(used[between] - complex(exact) * coupling.matrix[between])
            assert change[0] <= allowed[between][0]
            assert exponent > 1.5 or change[0] > 1e-13


def test_transforms_near_zero_are_as_uncertain_as_the_distance() -> None:
    """D(E) goes like log E: levels 2^-44 apart are known to 1e-6 of that, not to 1e-13."""
    reference = redfield_equation(meeting_levels(2.0**-44))
    coupling = reference.couplings[1]
    distance = np.where(reference.spectrum.coinciding, np.inf, np.abs(coupling.bohr))
    place = np.unravel_index(int(np.argmin(distance)), distance.shape)
    energy, error = coupling.bohr[place], reference.spectrum.bohr_uncertainty[place]
    assert 1e-7 < error / abs(energy) < 1e-4
    for moved in (energy - error, energy + error):
        values = coupling.correlation.transforms(moved)
        used = zip(coupling.half_sided, values, transform_errors(coupling), strict=True)
        for part, value, allowed in used:
            assert abs(part[place] - value * coupling.matrix[place]) <= allowed[place]


def test_coherences_and_dynamics_do_not_see_an_offset() -> None:
    plain, shifted = (
        certify(
            Question(
                system=random_system(0, energy),
                target="populations+coherences",
                criterion="defect",
            ),
        )
        for energy in (0.0, 2.0**20)
    )
    np.testing.assert_allclose(
        np.abs(shifted.reference.coherences), np.abs(plain.reference.coherences), rtol=1e-11
    )
    assert plain.check is not None and shifted.check is not None
    for one, other in zip(plain.check.rows, shifted.check.rows, strict=True):
        checked = steady_state_check(replace(shifted, optimal=plain.optimal), [one.epsilon])
        assert checked.rows[0].coherence_error == pytest.approx(one.coherence_error, rel=1e-11)
        assert other.epsilon == one.epsilon


@pytest.mark.parametrize("offset", [0.0, 2.0**20])
def test_levels_that_the_entries_do_not_tell_apart_are_refused(offset: float) -> None:
    """1e-8 apart: fine where entries are of order one, 100 ulp where they are 1e6."""
    hamiltonian = np.diag([0.0, 1e-8, 1.0, 2.5]) + offset * np.eye(4)
    bath = Bath(name="bath", sites=(0, 1), beta=1.0, couplings=(np.ones((4, 4)),))
    system = OpenSystem(hamiltonian=hamiltonian, dimensions=(2, 2), baths=(bath,))
    if offset:
        with pytest.raises(PhysicsError, match="told apart"):
            redfield_equation(system)
    else:
        assert redfield_equation(system).spectrum.bohr[0, 1] == pytest.approx(1e-8, rel=1e-9)
