"""The Redfield generator's own Kossakowski matrix, and the nearest Lindbladian."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lindfeas import OpenSystem, Question, Rates, redfield_equation
from lindfeas.answers.redfield_verdict import RedfieldVerdict, nearest_program, redfield_verdict
from lindfeas.physics.equations.generator import redfield_generator
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.program.ansatz import Ansatz
from lindfeas.program.bounds import lower_bound
from lindfeas.program.program import Point
from tests.systems import (
    SIGMA_X,
    SIGMA_Z,
    complex_trimer,
    oscillator_and_qubit,
    qubit,
    random_positive,
    two_ended_chain,
)

ROUNDING = 1e-12
"""Relative: products of a few matrices of order at most 64."""

SYSTEMS = {
    "two qubits": two_ended_chain(1, 0, 1, beta_right=4.0),
    "three qubits": two_ended_chain(1, 1, 1, beta_right=4.0),
    "complex": complex_trimer(),
    "oscillator": oscillator_and_qubit(),
    "elastic": qubit(operator=SIGMA_X + 0.3 * SIGMA_Z + 0.1 * np.eye(2), charge=None),
}

EVERY_SYSTEM = pytest.mark.parametrize("name", SYSTEMS)


@cache
def verdict(name: str) -> RedfieldVerdict:
    return redfield_verdict(Question(system=SYSTEMS[name]))


def superoperator(reference: Redfield) -> np.ndarray:
    """L2 as a d^2 x d^2 matrix in the product basis, from its action on Hermitian matrices."""
    size = reference.spectrum.dimension
    vectors = reference.spectrum.vectors

    def act(state: np.ndarray) -> np.ndarray:
        inside = reference.apply(vectors.conj().T @ state @ vectors)
        return vectors @ inside @ vectors.conj().T

    columns = []
    for a, b in np.ndindex(size, size):
        unit = np.zeros((size, size))
        unit[a, b] = 1.0
        real, imaginary = act((unit + unit.T) / 2), act((unit - unit.T) / 2j)
        columns.append((real + 1j * imaginary).ravel())
    return np.array(columns).T


def lindblad_superoperator(found: Lindbladian) -> np.ndarray:
    """L' as a d^2 x d^2 matrix, from its QuTiP objects."""
    shift, collapse = found.qobj()
    eye = np.eye(shift.shape[0])
    drift = -1j * shift.full()
    total = np.zeros((eye.size, eye.size), dtype=complex)
    for jump in (c.full() for c in collapse):
        total += np.kron(jump, jump.conj())
        drift = drift - jump.conj().T @ jump / 2
    return total + np.kron(drift, eye) + np.kron(eye, drift.conj())


def brute_force_eigenvalues(generator: np.ndarray) -> np.ndarray:
    """Kossakowski matrix c = P R P, R[(k, a), (l, b)] = <k|L(|a><b|)|l>, P away from the identity.

    In matrix units L(rho) = sum R[(k, a), (l, b)] |k><a| rho (|l><b|)^dag; any orthonormal
    traceless basis spans the range of P.
    """
    size = round(generator.shape[0] ** 0.5)
    choi = generator.reshape((size,) * 4).transpose(0, 2, 1, 3).reshape(size**2, size**2)
    identity = np.eye(size).ravel() / np.sqrt(size)
    projector = np.eye(size**2) - np.outer(identity, identity)
    return np.linalg.eigvalsh(projector @ choi @ projector)


def random_state(size: int) -> np.ndarray:
    generator = np.random.default_rng(size)
    root = generator.normal(size=(size, size, 2)) @ [1, 1j]
    return root @ root.conj().T / np.linalg.norm(root) ** 2


@EVERY_SYSTEM
def test_brute_force_kossakowski_matrix_agrees(name: str) -> None:
    reference = redfield_equation(SYSTEMS[name])
    found = redfield_generator(reference).kossakowski_eigenvalues
    expected = brute_force_eigenvalues(superoperator(reference))
    # compare the larger list with the shorter one filled up with zeros
    length = max(found.size, expected.size)
    first, second = (np.sort(np.pad(v, (0, length - v.size))) for v in (found, expected))
    assert np.abs(first - second).max() <= ROUNDING * expected.max()


@EVERY_SYSTEM
def test_hamiltonian_kossakowski_matrix_and_loss_make_up_the_generator(name: str) -> None:
    reference = redfield_equation(SYSTEMS[name])
    parts = redfield_generator(reference)
    eye = np.eye(parts.dimension)
    drift = -1j * parts.lamb_shift - parts.loss / 2
    total = np.kron(drift, eye) + np.kron(eye, drift.conj())
    for m, n in zip(*np.nonzero(parts.weights), strict=True):
        total = total + np.kron(parts.operators[m], parts.operators[n].conj())
    expected = superoperator(reference)
    size = np.linalg.norm(expected)
    assert np.linalg.norm(total - expected) <= ROUNDING * size
    assert parts.norm == pytest.approx(size, rel=ROUNDING)
    assert parts.trace == pytest.approx(parts.kossakowski_eigenvalues.sum(), rel=ROUNDING)
    assert np.allclose(parts.lamb_shift, parts.lamb_shift.conj().T)
    assert abs(np.trace(parts.lamb_shift)) <= ROUNDING * size
    state = random_state(parts.dimension)
    assert np.allclose(parts.apply(state).ravel(), expected @ state.ravel(), atol=ROUNDING * size)


def test_lowering_operator_of_a_qubit_gives_a_lindblad_equation() -> None:
    """S^D = D(w) S and S^C^dag = conj(C(w)) S^dag: rates 2 Re D = J(n+1) and 2 Re C = J n."""
    reference = redfield_equation(qubit())
    absorption, emission = reference.couplings[0].rates
    found = redfield_verdict(Question(system=reference.system))
    excited, ground = np.argsort(-reference.spectrum.energies)
    nonzero = found.eigenvalues[:2]
    assert nonzero == pytest.approx([emission[ground, excited], absorption[ground, excited]])
    assert found.is_lindblad
    assert found.negative_fraction == pytest.approx(0.0, abs=1e-15)
    assert found.distance is not None and found.distance.upper < 1e-9
    assert found.population_defect == pytest.approx(0.0, abs=1e-9)
    assert repr(found).startswith("RedfieldVerdict(of GKSL form; nearest")


def test_pure_dephasing_is_a_lindblad_equation() -> None:
    operator = SIGMA_Z + 1e-3 * SIGMA_X
    exact = redfield_generator(redfield_equation(qubit(operator=operator, charge=None)))
    assert exact.kossakowski_eigenvalues[-1] == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("beta", [0.3, 1.0, 10.0])
def test_hermitian_coupling_has_one_negative_eigenvalue(beta: float) -> None:
    """X rho S + S rho X^dag with X = S^D + S^C^dag: eigenvalues Re c +- sqrt(a b - (Im c)^2)."""
    reference = redfield_equation(qubit(beta=beta, operator=SIGMA_X, charge=None))
    (coupling,) = reference.couplings
    absorbed, emitted = coupling.half_sided
    total = emitted + absorbed.conj().T
    a = np.linalg.norm(coupling.matrix) ** 2
    b = np.linalg.norm(total) ** 2
    c = np.trace(coupling.matrix.conj().T @ total)
    root = np.sqrt(a * b - c.imag**2)
    found = redfield_generator(reference).kossakowski_eigenvalues
    assert found[[0, -1]] == pytest.approx([c.real + root, c.real - root], rel=1e-10)
    assert found[-1] < 0
    assert np.abs(found[1:-1]).max() < 1e-14


@EVERY_SYSTEM
def test_distance_is_the_distance_of_the_superoperators(name: str) -> None:
    found = verdict(name)
    assert found.nearest is not None and found.distance is not None
    expected = superoperator(redfield_equation(SYSTEMS[name]))
    true = np.linalg.norm(lindblad_superoperator(found.nearest) - expected)
    assert found.distance.lower <= true <= found.distance.upper
    assert found.distance.is_narrow(relative=1e-6)
    assert found.distance.upper >= found.distance_to_any
    assert found.relative_distance is not None
    assert found.relative_distance.upper == pytest.approx(true / np.linalg.norm(expected))


@EVERY_SYSTEM
def test_defects_of_the_nearest(name: str) -> None:
    found = verdict(name)
    assert found.nearest is not None
    reference = redfield_equation(SYSTEMS[name])
    vectors = reference.spectrum.vectors
    state = (vectors * reference.populations) @ vectors.conj().T
    action = (lindblad_superoperator(found.nearest) @ state.ravel()).reshape(state.shape)
    assert np.allclose(found.nearest.apply(state), action, atol=1e-12)
    inside = vectors.conj().T @ action @ vectors
    assert found.population_defect == pytest.approx(np.abs(np.diag(inside)).sum(), abs=1e-12)
    missing = np.linalg.norm(inside - reference.coherence_source, 2)
    assert found.coherence_defect == pytest.approx(missing, abs=1e-12)
    assert found.eigenvalues[-1] == pytest.approx(found.most_negative)
    assert not found.is_lindblad
    assert repr(found).startswith("RedfieldVerdict(not of GKSL form: most negative")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_lindbladian_is_nearer_than_the_lower_bound(data: st.DataObject) -> None:
    system = SYSTEMS["complex"]
    reference = redfield_equation(system)
    ansatz = regions_of(system, reference.spectrum)
    generator = redfield_generator(reference)
    free = Rates.range(0.0, generator.trace + generator.norm).bounds(len(ansatz))
    problem = nearest_program(generator, reference, Ansatz(regions=ansatz, rates=free))
    scale = data.draw(st.floats(0.1, 30.0))
    gammas = [scale * data.draw(random_positive(block.size, True)) for block in problem.blocks]
    shift = np.array([data.draw(st.floats(-5, 5)) for _ in range(problem.shifts.count)])
    interval = verdict("complex").distance
    assert interval is not None
    point = Point(gammas=gammas, shift=shift)
    assert problem.defect(point) >= interval.lower
    # the residual is the best multiplier there is for this point; any will do for a bound
    assert lower_bound(problem, problem.residual(point)) <= interval.upper


def test_free_hamiltonians_help() -> None:
    system = SYSTEMS["two qubits"]
    without = redfield_verdict(Question(system=system, lamb_shift=False))
    assert without.distance is not None and without.nearest is not None
    free = verdict("two qubits").distance
    assert free is not None
    assert without.distance.lower > free.upper
    assert all(region.hamiltonian_norm == 0 for region in without.nearest.regions)


def test_given_rates_are_obeyed() -> None:
    system = SYSTEMS["two qubits"]
    fixed = redfield_verdict(Question(system=system), rates=Rates.each(1.0))
    assert fixed.nearest is not None and fixed.distance is not None
    assert [r.rate for r in fixed.nearest.regions] == pytest.approx([1.0, 1.0])
    free = verdict("two qubits").distance
    assert free is not None and fixed.distance.lower > free.upper


def test_charge_changes_nothing_but_the_size() -> None:
    system = SYSTEMS["oscillator"]
    plain: OpenSystem = replace(system, charge=None)
    found = redfield_verdict(Question(system=plain))
    with_charge = verdict("oscillator")
    assert found.distance is not None and with_charge.distance is not None
    assert found.distance.upper == pytest.approx(with_charge.distance.upper, rel=1e-6)
    assert np.allclose(found.eigenvalues, with_charge.eigenvalues, atol=1e-12)


def test_many_parameters_leave_the_eigenvalues() -> None:
    """A region of four qubits has sum_q n_q^2 = 12870 pairs of operators of equal charge."""
    found = redfield_verdict(Question(system=two_ended_chain(4, 0, 0, coupling=0.1)))
    assert found.distance is None and found.nearest is None
    assert "12870 real parameters" in str(found.reason)
    assert "not searched for" in repr(found)
    assert found.most_negative < 0


def test_larger_systems_need_no_superoperator() -> None:
    """d = 128: the superoperator would take 4 GB."""
    found = redfield_verdict(
        Question(system=two_ended_chain(1, 5, 1, coupling=0.11, beta_right=3.0))
    )
    assert found.distance is not None
    assert found.distance.is_narrow(relative=1e-5)
