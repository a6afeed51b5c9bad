"""Populations whose weakest links compete with matrix elements that rounding cannot tell from zero.

The stationary distribution then hangs on what is not known, and the only honest answer is a wide
one: no estimate of first order may be taken for small here.
"""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest

from lindfeas import Bath, Ohmic, OpenSystem, Question, Rates, certify, models
from lindfeas.physics.equations.population_error import population_error
from lindfeas.physics.equations.redfield import redfield_equation
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.rounding import SAFETY
from tests import precise
from tests.systems import SIGMA_X

SIGMA_Z = np.diag([1.0, -1.0])
SIGMA_MINUS = np.array([[0.0, 0.0], [1.0, 0.0]])
SIGMA_Y = np.array([[0, -1j], [1j, 0]])


def a_link_below_the_resolution() -> OpenSystem:
    """An entry of H below 2^-49 of the largest connects levels that weak baths connect, too."""
    lower = np.diag([1.0, 1.0], 1)
    flip = np.zeros((3, 3))
    flip[0, 2] = flip[2, 0] = 1.0
    hamiltonian = np.kron(np.diag([0.0, 0.35, 1.1]), np.eye(2))
    hamiltonian += 0.25 * np.kron(np.eye(3), SIGMA_Z) + 1.5e-15 * np.kron(flip, SIGMA_X)
    weak, strong = Ohmic(strength=1e-29), Ohmic(strength=0.3)
    cold = Bath(name="cold", sites=(0,), couplings=(lower,), beta=np.inf, spectral_density=weak)
    hot = Bath(
        name="hot",
        sites=(1,),
        couplings=(SIGMA_Z, SIGMA_MINUS),
        beta=0.5,
        spectral_density=(strong, weak),
    )
    return OpenSystem(dimensions=(3, 2), hamiltonian=hamiltonian, baths=(cold, hot))


def a_symmetry_that_forbids_a_link(strength: float) -> OpenSystem:
    """An element that is exactly zero is computed as 1e-19, and its rate beats those of a bath."""
    hamiltonian = 0.55 * np.kron(SIGMA_X, np.eye(2)) + 0.0156 * np.kron(np.eye(2), SIGMA_X)
    hamiltonian += 0.0117 * np.kron(SIGMA_Z, SIGMA_Z) + 0.0083 * np.kron(SIGMA_X, SIGMA_X)
    hamiltonian += 0.0041 * np.kron(SIGMA_Y, SIGMA_Y).real
    hot = Bath(
        name="hot",
        sites=(0,),
        couplings=(SIGMA_Z,),
        beta=0.5,
        spectral_density=Ohmic(strength=strength),
    )
    cold = Bath(
        name="cold",
        sites=(1,),
        couplings=(SIGMA_X,),
        beta=np.inf,
        spectral_density=Ohmic(cutoff=0.03),
    )
    return OpenSystem(dimensions=(2, 2), hamiltonian=hamiltonian, baths=(hot, cold))


SYSTEMS = {
    "link": a_link_below_the_resolution(),
    **{f"symmetry {s:g}": a_symmetry_that_forbids_a_link(s) for s in (1e-34, 1e-38, 1e-42)},
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_populations_are_as_wrong_as_they_say(name: str) -> None:
    system = SYSTEMS[name]
    reference = redfield_equation(system)
    with mpmath.workdps(80):
        exact = np.array([float(p) for p in precise.populations(system)[0]])
    wrong = np.abs(exact - reference.populations)
    assert (wrong <= population_error(reference) * (1 + 1e-9) + 1e-15).all()


@pytest.mark.parametrize("name", SYSTEMS)
def test_ends_hold_for_the_true_populations(name: str) -> None:
    """The candidate's defect, and its distance, are those from the true state."""
    system = SYSTEMS[name]
    answer = certify(Question(system=system, rates=Rates.each(1.0), tolerance=0.05), check=False)
    assert answer.candidate is not None
    with mpmath.workdps(80):
        defect = float(precise.defect(system, answer.candidate))
        exact = np.array([float(p) for p in precise.populations(system)[0]])
    assert answer.lower <= defect <= answer.upper
    if answer.candidate.populations is not None:
        own = float(np.abs(answer.candidate.populations - exact).sum()) / 2
        assert answer.trace_distance.upper is not None
        moved = SAFETY * population_error(answer.reference).sum() / 2
        assert own <= min(1.0, answer.trace_distance.upper + moved)
        assert answer.trace_distance.upper >= min(1.0, moved)


def test_a_distance_counts_what_the_populations_are_wrong_by() -> None:
    """The upper end of T is no smaller than the uncertainty of the true populations."""
    answer = certify(Question(system=a_link_below_the_resolution()), check=False)
    assert population_error(answer.reference).sum() > 0.1
    assert answer.trace_distance.upper is not None
    assert answer.trace_distance.upper > 0.1


@pytest.mark.parametrize("strength", [1e-315, 1e-319, 1e-321])
def test_densities_as_small_as_doubles_can_be_lose_digits_that_are_counted(strength: float) -> None:
    """The strength of both baths plays no role for populations."""

    def chain(strength: float) -> OpenSystem:
        density = Ohmic(strength=strength)
        ends = [
            Bath(name="left", sites=(0,), beta=1.0, spectral_density=density),
            Bath(name="right", sites=(2,), beta=5.0, spectral_density=density),
        ]
        return models.xxz_chain(sites=3, field=0.5, coupling=0.1, baths=ends)

    usual, tiny = (certify(Question(system=chain(s)), check=False) for s in (1.0, strength))
    assert tiny.lower <= usual.lower
    assert tiny.upper >= usual.upper


@pytest.mark.parametrize(("detuning", "coupling"), [(1e-9, 1e-9), (1e-7, 1e-7), (1e-9, 3e-10)])
@pytest.mark.parametrize("sign", [1, -1])
def test_close_levels_rotated_as_far_as_allowed_stay_within_the_bound(
    detuning: float, coupling: float, sign: int
) -> None:
    """Two qubits near resonance, a hot and a cold bath: both reach both close levels.

    The couplings' elements are turned by the whole angle that rounding may have turned the close
    levels by; first order alone, without its safety, holds what that does to the populations.
    """
    exchange = np.kron(SIGMA_MINUS, SIGMA_MINUS.T)
    energy = 0.5 * np.kron(SIGMA_Z, np.eye(2)) + (0.5 + detuning) * np.kron(np.eye(2), SIGMA_Z)
    baths = [
        Bath(name=name, sites=(site,), beta=beta, couplings=(SIGMA_MINUS,))
        for name, site, beta in (("hot", 0, 0.3), ("cold", 1, 3.0))
    ]
    system = OpenSystem(
        hamiltonian=energy + 2 * coupling * (exchange + exchange.T),
        dimensions=(2, 2),
        charge=None,
        baths=tuple(baths),
    )
    reference = redfield_equation(system)
    angles = reference.spectrum.rotation_angles(extended=True)
    pair = np.unravel_index(int(np.argmax(angles)), angles.shape)
    turn = np.eye(4)
    turn[np.ix_(pair, pair)] += sign * angles[pair] * np.array([[0.0, 1.0], [-1.0, 0.0]])
    couplings = tuple(
        replace(one, matrix=turn.T @ one.matrix @ turn) for one in reference.couplings
    )
    moved = np.abs(replace(reference, couplings=couplings).populations - reference.populations)
    assert moved.max() > 1e3 * UNIT_ROUNDOFF
    assert (moved <= population_error(reference)).all()
