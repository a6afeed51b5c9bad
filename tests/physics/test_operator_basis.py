"""The operator basis of the allowed Lindbladians."""

import numpy as np
import pytest

from lindfeas import redfield_equation
from lindfeas.physics.equations.operator_basis import operator_basis, regions_of
from tests.systems import complex_trimer, oscillator_and_qubit, two_ended_chain

ROUNDING = 1e-14


@pytest.mark.parametrize("dimensions", [(2,), (3,), (2, 2), (3, 2), (2, 2, 2), (4,)])
def test_basis_is_orthonormal_traceless_and_complete(dimensions: tuple[int, ...]) -> None:
    basis = [operator.toarray() for _, _, operator in operator_basis(dimensions, None)]
    size = int(np.prod(dimensions))
    assert len(basis) == size**2 - 1
    gram = np.array([[np.vdot(a, b) for b in basis] for a in basis])
    np.testing.assert_allclose(gram, np.eye(len(basis)), atol=ROUNDING)
    assert max(abs(np.trace(operator)) for operator in basis) < ROUNDING


def test_qubit_basis_is_the_papers() -> None:
    found = {label: operator.toarray() for _, label, operator in operator_basis((2,), [(1, 0)])}
    np.testing.assert_allclose(found["z"], -np.diag([1, -1]) / np.sqrt(2), atol=ROUNDING)
    np.testing.assert_array_equal(found["+"], [[0, 1], [0, 0]])
    np.testing.assert_array_equal(found["-"], [[0, 0], [1, 0]])


@pytest.mark.parametrize(
    "system", [two_ended_chain(2, 1, 1), oscillator_and_qubit(), complex_trimer()]
)
def test_groups_hold_the_normalised_operators_in_the_eigenbasis(system) -> None:  # type: ignore[no-untyped-def]
    spectrum = redfield_equation(system).spectrum
    for region, bath in zip(regions_of(system, spectrum), system.baths, strict=True):
        for group in region.groups:
            for number, local in enumerate(group.local):
                scale = np.sqrt(region.dimension / system.dimension)
                full = scale * system.embed(local, bath.sites).toarray()
                expected = spectrum.vectors.conj().T @ full @ spectrum.vectors
                found = np.zeros_like(expected)
                for final, initial, block in group.blocks:
                    found[final.levels, initial.levels] = block[number]
                np.testing.assert_allclose(found, expected, atol=1e-13)
                assert np.trace(full @ full.T) == pytest.approx(1.0)
