"""What is left over, L'(rho) - X: its real coordinates and its Schatten norms.

A residual is a list of Hermitian blocks. Its coordinates are those of an orthonormal basis of
Hermitian matrices, so that tr(Y R) is the dot product of coordinates and the Frobenius norm is the
Euclidean one. Blocks of order 1 make a plain real vector: its trace norm is the sum of absolute
values, its spectral norm the largest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

DUAL_NORM = {"trace": "spectral", "spectral": "trace", "frobenius": "frobenius"}
"""Schatten norms and their duals: sup tr(Y R) over dual norm of Y at most 1."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The blocks of a residual.

    Parameters
    ----------
    sizes
        Order of every block.
    is_complex
        Whether imaginary parts can be nonzero.
    """

    sizes: tuple[int, ...]
    is_complex: bool = False

    @cached_property
    def rows(self) -> int:
        """Number of real coordinates."""
        return sum(coordinate_count(size, self.is_complex) for size in self.sizes)

    @cached_property
    def is_vector(self) -> bool:
        """Whether all blocks have order 1."""
        return all(size == 1 for size in self.sizes)

    @property
    def dimension(self) -> int:
        """Total order of the blocks."""
        return sum(self.sizes)

    def spans(self) -> Iterator[tuple[int, slice]]:
        """(order, where its coordinates stand) for every block."""
        start = 0
        for size in self.sizes:
            stop = start + coordinate_count(size, self.is_complex)
            yield size, slice(start, stop)
            start = stop

    @property
    def diagonal(self) -> NDArray[np.intp]:
        """Which coordinates are those of the blocks' diagonals."""
        return np.concatenate([span.start + np.arange(size) for size, span in self.spans()])

    def coordinates(self, blocks: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Real coordinates of Hermitian blocks, shape (rows,)."""
        parts = [hermitian_coordinates(block[None], self.is_complex)[0].real for block in blocks]
        return np.concatenate(parts) if parts else np.zeros(0)

    def blocks(self, coordinates: NDArray[np.float64]) -> list[NDArray[Any]]:
        """The Hermitian blocks of given coordinates."""
        return [
            hermitian_matrix(coordinates[span], size, self.is_complex)
            for size, span in self.spans()
        ]

    def norm(self, coordinates: NDArray[np.float64], kind: str) -> float:
        """Schatten norm ``kind`` (spectral, frobenius, trace) of the residual."""
        if kind == "frobenius":
            return float(np.linalg.norm(coordinates))
        values = self.singular_values(coordinates)
        return float(values.sum() if kind == "trace" else values.max(initial=0.0))

    def singular_values(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Absolute eigenvalues of all blocks."""
        if self.is_vector:
            return np.abs(coordinates)
        return np.concatenate(
            [np.abs(np.linalg.eigvalsh(block)) for block in self.blocks(coordinates)]
        )


def coordinate_count(size: int, is_complex: bool) -> int:
    """Number of real coordinates of a Hermitian (real symmetric) matrix of order ``size``."""
    return size * size if is_complex else size * (size + 1) // 2


def hermitian_coordinates(stack: NDArray[Any], is_complex: bool) -> NDArray[Any]:
    """Coordinates tr(E_m C) of matrices C, shape (..., n, n) -> (..., rows).

    E_m runs through |a><a|, then (|a><b| + h.c.)/sqrt2 and, if ``is_complex``,
    i(|a><b| - h.c.)/sqrt2 for a < b. For Hermitian C the result is real.
    """
    size = stack.shape[-1]
    upper = np.triu_indices(size, 1)
    diagonal = np.diagonal(stack, axis1=-2, axis2=-1)
    above = stack[..., upper[0], upper[1]]
    below = stack[..., upper[1], upper[0]]
    parts = [diagonal, (above + below) / np.sqrt(2)]
    if is_complex:
        parts.append((above - below) / (1j * np.sqrt(2)))
    return np.concatenate(parts, axis=-1)


def hermitian_matrix(coordinates: NDArray[np.float64], size: int, is_complex: bool) -> NDArray[Any]:
    """The Hermitian matrix of given coordinates, shape (n, n)."""
    upper = np.triu_indices(size, 1)
    pairs = len(upper[0])
    matrix = np.zeros((size, size), dtype=complex if is_complex else float)
    above = coordinates[size : size + pairs] / np.sqrt(2)
    if is_complex:
        above = above + 1j * coordinates[size + pairs :] / np.sqrt(2)
    matrix[upper] = above
    matrix += matrix.conj().T
    matrix[np.diag_indices(size)] = coordinates[:size]
    return matrix


def hermitian_root(matrix: NDArray[Any], floor: float = 0.0) -> NDArray[Any]:
    """B with B B^dagger = matrix, its eigenvalues raised to at least ``floor``, shape (n, n)."""
    values, vectors = np.linalg.eigh(matrix)
    root: NDArray[Any] = vectors * np.sqrt(np.maximum(values, floor))
    return root
