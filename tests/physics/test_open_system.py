"""What a system says of itself: its factors from QuTiP, its charge from the matrices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import qutip

from lindfeas import Bath, InputError, OpenSystem
from tests.systems import SIGMA_MINUS, SIGMA_X, SIGMA_Z, oscillator_and_qubit

LOWER, SM, SZ = qutip.destroy(3), qutip.sigmam(), qutip.sigmaz()
EXCHANGE = qutip.tensor(LOWER, SM.dag())
MODEL = (
    5 * qutip.tensor(qutip.num(3), qutip.qeye(2))
    + 2.2 * qutip.tensor(qutip.qeye(3), SZ)
    + 0.1 * (EXCHANGE + EXCHANGE.dag())
)


def bath(coupling: Any = LOWER, site: int = 0) -> Bath:
    return Bath(name="bath", sites=(site,), beta=0.5, couplings=(coupling,))


def test_the_factors_are_those_of_the_qutip_object() -> None:
    own = OpenSystem(MODEL, baths=[bath()])
    assert own.dimensions == (3, 2)
    told = OpenSystem(hamiltonian=MODEL, dimensions=(3, 2), baths=[bath()])
    assert (own.hamiltonian != told.hamiltonian).nnz == 0 and own.charge == told.charge


def test_other_factors_than_those_of_the_qutip_object_are_refused() -> None:
    with pytest.raises(InputError, match=r"system\.H: .*\[3, 2\]"):
        OpenSystem(MODEL, dimensions=(2, 3), baths=[bath(SM)])
    turned = qutip.tensor(SM, qutip.qeye(3))
    with pytest.raises(InputError, match=r"bath\.bath\.couplings\[0\]: .*dims \[\[2, 3\]"):
        OpenSystem(MODEL, baths=[bath(turned, site=1)])


@pytest.mark.parametrize("hamiltonian", [MODEL.full(), qutip.basis([3, 2], [0, 0]), None])
def test_without_factors_they_must_be_given(hamiltonian: Any) -> None:
    with pytest.raises(InputError, match=r"system\.dimensions: must be given"):
        OpenSystem(hamiltonian, baths=[bath()])


def test_the_charge_is_found_unless_something_else_is_said() -> None:
    found = OpenSystem(MODEL, baths=[bath()])
    assert found.charge == ((0, 1, 2), (0, -1)) and found.charge_is_found
    assert found.charge_text == "(0, 1, 2), (0, -1), found"
    none = OpenSystem(MODEL, baths=[bath()], charge=None)
    assert none.charge is None and not none.charge_is_found and none.charge_text == ""
    own = OpenSystem(MODEL, baths=[bath()], charge=((0, 1, 2), (1, 0)))
    assert own.charge == ((0, 1, 2), (1, 0)) and not own.charge_is_found
    assert own.charge_text == "(0, 1, 2), (1, 0)"
    with pytest.raises(InputError, match=r"system\.charge: .*'find' or None, but is 'any'"):
        OpenSystem(MODEL, baths=[bath()], charge="any")  # type: ignore[arg-type]


def test_no_charge_stays_none_in_a_copy() -> None:
    plain = replace(oscillator_and_qubit(), charge=None)
    assert replace(plain, baths=plain.baths).charge is None
    assert plain.with_found_charge().charge_is_found


def test_nothing_is_found_where_nothing_is_conserved() -> None:
    tilted = SIGMA_Z + 0.3 * SIGMA_X
    own = OpenSystem(tilted, dimensions=(2,), baths=[bath(SIGMA_X)])
    assert own.charge is None and not own.charge_is_found


@pytest.mark.parametrize(("element", "is_found"), [(4e-15, False), (1e-15, True), (0.0, True)])
def test_an_element_that_means_something_forbids_a_charge(element: float, is_found: bool) -> None:
    """Nobody has claimed the charge, so that only rounding is left out: 16 u of the largest."""
    levels = np.diag([1.0, -1.0]) + element * SIGMA_X
    own = OpenSystem(levels, dimensions=(2,), baths=[bath(SIGMA_MINUS)])
    assert own.charge_is_found is is_found
    assert own.hamiltonian[0, 1] == (0.0 if is_found else element)
