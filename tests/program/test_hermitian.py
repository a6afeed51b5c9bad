"""Coordinates and norms of residuals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lindfeas.program.hermitian import (
    DUAL_NORM,
    Layout,
    hermitian_coordinates,
    hermitian_matrix,
    hermitian_root,
)

ROUNDING = 1e-12


def random_hermitian(seed: int, size: int, is_complex: bool) -> np.ndarray:
    generator = np.random.default_rng(seed)
    matrix = generator.normal(size=(size, size))
    if is_complex:
        matrix = matrix + 1j * generator.normal(size=(size, size))
    return matrix + matrix.conj().T


SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(seed=st.integers(0, 2**31), sizes=SIZES, is_complex=st.booleans())
def test_coordinates_are_an_isometry(seed: int, sizes: list[int], is_complex: bool) -> None:
    layout = Layout(sizes=tuple(sizes), is_complex=is_complex)
    blocks = [random_hermitian(seed + n, size, is_complex) for n, size in enumerate(sizes)]
    others = [random_hermitian(seed + 100 + n, size, is_complex) for n, size in enumerate(sizes)]
    r, y = layout.coordinates(blocks), layout.coordinates(others)
    assert len(r) == layout.rows
    for block, back in zip(blocks, layout.blocks(r), strict=True):
        np.testing.assert_allclose(back, block, atol=ROUNDING)
    traces = sum(np.trace(a @ b).real for a, b in zip(others, blocks, strict=True))
    assert y @ r == pytest.approx(traces, abs=1e-9)
    whole = np.concatenate([np.abs(np.linalg.eigvalsh(block)) for block in blocks])
    assert layout.norm(r, "spectral") == pytest.approx(whole.max())
    assert layout.norm(r, "trace") == pytest.approx(whole.sum())
    assert layout.norm(r, "frobenius") == pytest.approx(np.sqrt((whole**2).sum()))
    for kind, dual in DUAL_NORM.items():
        assert abs(y @ r) <= layout.norm(r, kind) * layout.norm(y, dual) * (1 + ROUNDING)


def test_basis_is_orthonormal() -> None:
    for is_complex in (False, True):
        count = 9 if is_complex else 6
        basis = np.array([hermitian_matrix(unit, 3, is_complex) for unit in np.eye(count)])
        gram = hermitian_coordinates(basis, is_complex)
        np.testing.assert_allclose(gram, np.eye(count), atol=ROUNDING)


def test_root_squares_to_the_matrix_with_its_eigenvalues_raised() -> None:
    generator = np.random.default_rng(5)
    factor = generator.normal(size=(4, 2)) + 1j * generator.normal(size=(4, 2))
    matrix = factor @ factor.conj().T
    root = hermitian_root(matrix, floor=0.3)
    values, vectors = np.linalg.eigh(matrix)
    raised = (vectors * np.maximum(values, 0.3)) @ vectors.conj().T
    np.testing.assert_allclose(root @ root.conj().T, raised, atol=1e-12)
