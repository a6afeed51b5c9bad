"""Couplings with elements at zero frequency: what converges, what cancels, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner

from lindfeas import (
    Bath,
    Ohmic,
    OpenSystem,
    PhysicsError,
    Question,
    Rates,
    certify,
    redfield_equation,
)
from lindfeas.cli import main
from tests.systems import SIGMA_X, SIGMA_Z, qubit

QUTRIT = np.diag([0.0, 0.7, 1.9])
MIXED = np.array([[0.4, 0.3, -0.2j], [1.0, -0.5, 0.6], [0.1, 0.8j, 0.9 + 0.2j]])
"""Not Hermitian up to any phase, with diagonal elements."""

CONVERGENT = {
    "mu": {"mu": -0.4},
    "zero temperature": {"beta": np.inf},
    "super-ohmic": {"exponent": 3.0},
    "barely super-ohmic": {"exponent": 1.25},
    "sub-ohmic with mu": {"exponent": 0.5, "mu": -1.0},
}
QUADRATURE = 1e-10


def qutrit(
    operator: Any, *, beta: float = 1.5, mu: float = 0.0, exponent: float = 1.0
) -> OpenSystem:
    bath = Bath(
        name="bath",
        sites=(0,),
        beta=beta,
        mu=mu,
        couplings=(operator,),
        spectral_density=Ohmic(exponent=exponent),
    )
    return OpenSystem(hamiltonian=QUTRIT, dimensions=(3,), baths=(bath,))


def transforms(bath: Bath, energy: float) -> tuple[complex, complex]:
    """(C(E), D(E)) by mpmath's quadrature; the pole at E > 0 is folded onto itself."""
    density = bath.density_of(0)

    def spectral(w: Any) -> Any:
        return w**density.exponent * mpmath.exp(-((w / density.cutoff) ** 2))

    def occupied(w: Any, emission: int) -> Any:
        if np.isinf(bath.beta):
            return spectral(w) * emission
        return spectral(w) * (1 / mpmath.expm1(bath.beta * (w - bath.mu)) + emission)

    found = []
    for emission in (0, 1):

        def f(w: Any, emission: int = emission) -> Any:
            return occupied(w, emission)

        if energy > 0:
            near = mpmath.quad(
                lambda x: (f(energy + x) - f(energy - x)) / x, [0, energy / 2, energy]
            )
            far = mpmath.quad(lambda w: f(w) / (w - energy), [2 * energy, 5, 20, 80])
            rate, principal = f(energy), near + far
        else:
            # w = v^4 removes the power of w at 0
            principal = mpmath.quad(
                lambda v: 4 * v**3 * f(v**4) / (v**4 - energy), [0, 0.5, 1, 2, 3]
            )
            rate = mpmath.mpf(0)
        found.append(complex(rate / 2, -principal / (2 * mpmath.pi)))
    return found[0], found[1]


def superoperator(system: OpenSystem) -> np.ndarray:
    """L2 on row-stacked states, written out from its definition; H_S is diagonal."""
    (bath,) = system.baths
    operator, identity = np.asarray(bath.couplings[0]), np.eye(3)
    energies = np.diag(QUTRIT)
    both = {
        (a, g): transforms(bath, float(energies[g] - energies[a]))
        for a in range(3)
        for g in range(3)
    }
    absorbed = np.array([[both[a, g][0] for g in range(3)] for a in range(3)]) * operator
    emitted = np.array([[both[a, g][1] for g in range(3)] for a in range(3)]) * operator
    raised = operator.conj().T

    def two_sided(left: Any, right: Any) -> Any:
        return np.kron(left, np.asarray(right).T)

    half = two_sided(raised @ emitted, identity) - two_sided(emitted, raised)
    half += two_sided(identity, absorbed @ raised) - two_sided(raised, absorbed)
    adjoint = two_sided(identity, emitted.conj().T @ operator) - two_sided(
        operator, emitted.conj().T
    )
    adjoint += two_sided(operator @ absorbed.conj().T, identity) - two_sided(
        absorbed.conj().T, operator
    )
    return -(half + adjoint)


@pytest.mark.parametrize("options", CONVERGENT.values(), ids=CONVERGENT.keys())
def test_a_coupling_with_any_diagonal_is_taken_where_the_integrals_converge(
    options: dict[str, float],
) -> None:
    system = qutrit(MIXED, **options)
    reference = redfield_equation(system)
    with mpmath.workdps(20):
        expected = superoperator(system)
    order = np.argsort(np.argmax(np.abs(reference.spectrum.vectors), axis=0))
    random = np.random.default_rng(3)
    factor = random.normal(size=(3, 3)) + 1j * random.normal(size=(3, 3))
    state = factor @ factor.conj().T
    found = reference.apply(state)[np.ix_(order, order)]
    wanted = (expected @ state.ravel()).reshape(3, 3)
    np.testing.assert_allclose(found, wanted, atol=QUADRATURE * np.abs(wanted).max())


def test_such_a_system_is_certified() -> None:
    question = Question(system=qutrit(MIXED, mu=-0.4), target="populations+coherences")
    answer = certify(question, check=False)
    assert answer.verdict == "possible", "one bath on the whole system is always matched"
    assert answer.upper < 1e-10


@pytest.mark.parametrize("phase", [0.3, np.pi / 2, np.pi, -2.0])
@pytest.mark.parametrize("operator", [SIGMA_X + 0.3 * SIGMA_Z, np.array([[0.2, 1j], [-1j, -0.5]])])
def test_a_phase_of_a_hermitian_coupling_changes_nothing(phase: float, operator: Any) -> None:
    plain = redfield_equation(qubit(operator=operator, charge=None))
    turned = redfield_equation(qubit(operator=np.exp(1j * phase) * operator, charge=None))
    state = np.array([[0.3, 0.1 - 0.4j], [0.1 + 0.4j, 0.7]])
    np.testing.assert_allclose(turned.apply(state), plain.apply(state), atol=1e-14)
    np.testing.assert_allclose(turned.populations, plain.populations, rtol=1e-14)


@pytest.mark.parametrize("exponent", [1.0, 0.75])
def test_what_diverges_is_refused_for_coherences_only(exponent: float) -> None:
    system = qutrit(MIXED, exponent=exponent)
    answer = certify(Question(system=system))
    assert answer.upper >= answer.lower >= 0
    with pytest.raises(PhysicsError, match=r"^bath\.bath\.couplings: .*Hermitian up to a phase"):
        certify(Question(system=system, target="populations+coherences"))


def test_a_nearly_hermitian_coupling_is_not_hermitian() -> None:
    operator = SIGMA_X + 0.3 * SIGMA_Z + np.array([[0.0, 1e-10], [0.0, 0.0]])
    reference = redfield_equation(qubit(operator=operator, charge=None))
    with pytest.raises(PhysicsError, match="Hermitian"):
        reference.apply(np.eye(2) / 2)


def test_coherences_of_a_matched_qubit_with_a_phase() -> None:
    operator = np.exp(0.7j) * (SIGMA_X + 0.3 * SIGMA_Z)
    question = Question(
        system=qubit(operator=operator, charge=None),
        target="populations+coherences",
        rates=Rates.range(0.0, 1e4),
    )
    answer = certify(question)
    assert answer.verdict == "possible"
    assert answer.upper < 1e-9


def problem(folder: Path, target: str) -> Path:
    np.savez(folder / "qutrit.npz", H=QUTRIT, couplings=MIXED[None])
    path = folder / "qutrit.toml"
    path.write_text(
        f"""
[system]
matrices = "qutrit.npz"
dimensions = [3]
[[bath]]
name = "bath"
sites = [0]
couplings = [0]
beta = 1.5
[question]
target = "{target}"
"""
    )
    return path


def test_the_command_line_refuses_per_target(tmp_path: Path) -> None:
    run = CliRunner().invoke
    accepted = run(main, ["certify", str(problem(tmp_path, "populations")), "--json"])
    assert accepted.exit_code == 0, accepted.stderr
    assert json.loads(accepted.stdout)["lower"] >= 0
    refused = run(main, ["certify", str(problem(tmp_path, "populations+coherences"))])
    assert refused.exit_code == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.strip().splitlines()
    assert "bath.bath.couplings" in line and "Hermitian up to a phase" in line
