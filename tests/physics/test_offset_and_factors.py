"""What an offset must not hide, and what an object says about its own tensor factors."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytest
import qutip

from lindfeas import Bath, InputError, OpenSystem, Question, certify
from tests.systems import SIGMA_X

SIGMA_Z = np.diag([1.0, -1.0])
SIGMA_MINUS = np.array([[0.0, 0.0], [1.0, 0.0]])
OFFSETS = [0.0, 1e6]
LOWER = np.diag([1.0, 1.0], 1)


def at(**operators: Any) -> Any:
    return reduce(np.kron, [operators.get(f"s{n}", np.eye(2)) for n in range(3)])


def chain(violation: float, offset: float, charge: Any) -> OpenSystem:
    """Three qubits with energies of 1e-6, and an entry that changes the magnetisation."""
    hop = at(s0=SIGMA_MINUS, s1=SIGMA_MINUS.T) + at(s1=SIGMA_MINUS, s2=SIGMA_MINUS.T)
    hamiltonian = 0.5 * at(s0=SIGMA_Z) + 0.45 * at(s1=SIGMA_Z) + 0.55 * at(s2=SIGMA_Z)
    hamiltonian = 1e-6 * (hamiltonian + 0.1 * (hop + hop.T)) + violation * at(s1=SIGMA_X)
    ends = [
        Bath(name="left", sites=(0,), couplings=(SIGMA_MINUS,), beta=1e6),
        Bath(name="right", sites=(2,), couplings=(SIGMA_MINUS,), beta=5e6),
    ]
    hamiltonian = hamiltonian + offset * np.eye(8)
    return OpenSystem(hamiltonian=hamiltonian, dimensions=(2, 2, 2), baths=ends, charge=charge)


@pytest.mark.parametrize("offset", OFFSETS)
def test_an_offset_hides_no_violation_of_a_charge(offset: float) -> None:
    with pytest.raises(InputError, match="must be conserved by H"):
        chain(8e-8, offset, ((1, 0),) * 3)


def test_what_rounding_adds_to_a_charge_is_left_out_of_the_system() -> None:
    """The answer is about the matrix that is kept."""
    system = chain(3e-20, 0.0, ((1, 0),) * 3)
    clean = chain(0.0, 0.0, ((1, 0),) * 3)
    assert abs(system.hamiltonian - clean.hamiltonian).max() == 0
    raising = np.array([[0.0, 1.0], [0.0, 0.0]])
    bath = Bath(name="b", sites=(0,), couplings=(raising + 1e-16 * raising.T,), beta=1.0)
    kept = OpenSystem(hamiltonian=SIGMA_Z, dimensions=(2,), baths=(bath,), charge=((1, 0),))
    assert (kept.couplings()[0][2].toarray() == raising).all()


@pytest.mark.parametrize("offset", OFFSETS)
def test_an_offset_hides_no_missing_conjugate(offset: float) -> None:
    hamiltonian = 1e-6 * np.diag([0.95, 0.05, -0.05, -0.95]) + offset * np.eye(4)
    hamiltonian[1, 2] = 8e-8
    bath = Bath(name="b", sites=(0,), couplings=(SIGMA_MINUS,), beta=1e6)
    with pytest.raises(InputError, match=r"must be Hermitian.*entries \[1, 2\]"):
        OpenSystem(hamiltonian=hamiltonian, dimensions=(2, 2), baths=(bath,))


def test_a_large_diagonal_hides_no_order_of_sites() -> None:
    coupling = 1e14 * np.diag([1.0, 0, 0, 0]) + np.kron(SIGMA_MINUS, np.eye(2))
    bath = Bath(name="b", sites=(1, 0), couplings=(coupling,), beta=1.0)
    with pytest.raises(InputError, match="could be the bath's sites"):
        OpenSystem(hamiltonian=np.diag([0.0, 1, 2.5, 4]), dimensions=(2, 2), baths=(bath,))


def pair(hamiltonian: Any, *couplings: Any) -> OpenSystem:
    sites = (0, 1) if len(couplings) == 1 else (0,)
    baths = [Bath(name="a", sites=sites, beta=1.0, couplings=couplings[:1])]
    if len(couplings) == 2:
        baths.append(Bath(name="b", sites=(1,), beta=2.0, couplings=couplings[1:]))
    return OpenSystem(hamiltonian=hamiltonian, dimensions=(3, 2), baths=baths)


def test_the_dims_of_a_qutip_object_must_fit() -> None:
    levels = np.diag([0.7, 0.0, 1.7, 1.0, 2.7, 2.0])
    for dims in ([[2, 3], [2, 3]], [[6, 1], [6, 1]], [[3, 2], [2, 3]]):
        with pytest.raises(InputError, match=r"system\.H: must have the tensor factors \[\[3, 2\]"):
            pair(qutip.Qobj(levels, dims=dims), LOWER, SIGMA_MINUS)
    coupling = qutip.Qobj(np.kron(LOWER, np.eye(2)), dims=[[2, 3], [2, 3]])
    with pytest.raises(InputError, match=r"bath\.a\.couplings\[0\]: must have the tensor factors"):
        pair(levels, coupling)


def test_a_qutip_object_without_factors_or_with_the_right_ones_is_taken() -> None:
    """On the whole space, on the region, and as the whole system's operator on a region."""
    levels = np.diag([0.7, 0.0, 1.7, 1.0, 2.7, 2.0])
    factors, whole = [[3, 2], [3, 2]], np.kron(LOWER, np.eye(2))
    plain = certify(Question(system=pair(levels, LOWER, SIGMA_MINUS)), sharp=False)
    for hamiltonian, coupling in (
        (qutip.Qobj(levels), qutip.Qobj(LOWER)),
        (qutip.Qobj(levels, dims=factors), qutip.Qobj(whole, dims=factors)),
        (qutip.Qobj(levels, dims=factors), qutip.Qobj(LOWER)),
    ):
        answer = certify(Question(system=pair(hamiltonian, coupling, SIGMA_MINUS)), sharp=False)
        assert answer.lower == plain.lower
