"""Complex matrices of 60-digit decimals, and their eigenvalues, for the dense reference.

Python's `decimal` (libmpdec) is arbitrary-precision arithmetic at the speed of C, and has nothing
in common with the double-precision code or with FLINT. Nothing of lindfeas is imported here.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

DIGITS = 60
"""Of every operation."""

NEGLIGIBLE = Decimal("1e-50")
"""Off-diagonal elements of a diagonalised matrix are below this fraction of its norm."""

SWEEPS = 40

SMALL = 24
"""Matrices up to this size are diagonalised for their smallest eigenvalue."""


@contextlib.contextmanager
def digits(count: int = DIGITS) -> Iterator[None]:
    """Decimal arithmetic of so many digits, without traps for tiny numbers."""
    with localcontext() as context:
        context.prec = count
        context.Emax, context.Emin = 999999, -999999
        yield


def exact(values: Any) -> np.ndarray:
    """Real numbers (floats, decimal strings, Decimals) as an object array of Decimals."""
    array = np.asarray(values, dtype=object)
    flat = [Decimal(value) for value in array.flat]
    out = np.empty(len(flat), dtype=object)
    out[:] = flat
    return out.reshape(array.shape)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A complex array of Decimals, with the part of numpy's interface that physics needs."""

    re: np.ndarray
    im: np.ndarray

    @classmethod
    def of(cls, values: Any) -> Matrix:
        """A float or complex array, exactly."""
        if isinstance(values, Matrix):
            return values
        array = np.asarray(values)
        if array.dtype == object:
            return cls(array, array * 0)
        return cls(exact(array.real.astype(float)), exact(array.imag.astype(float)))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.re.shape

    @property
    def T(self) -> Matrix:  # noqa: N802
        return Matrix(self.re.T, self.im.T)

    def conj(self) -> Matrix:
        return Matrix(self.re, -self.im)

    def reshape(self, *shape: int) -> Matrix:
        return Matrix(self.re.reshape(*shape), self.im.reshape(*shape))

    def transpose(self, *axes: int) -> Matrix:
        return Matrix(self.re.transpose(*axes), self.im.transpose(*axes))

    def __getitem__(self, key: Any) -> Matrix:
        return Matrix(np.asarray(self.re[key]), np.asarray(self.im[key]))

    def __matmul__(self, other: Matrix) -> Matrix:
        other = Matrix.of(other)
        return Matrix(
            self.re @ other.re - self.im @ other.im, self.re @ other.im + self.im @ other.re
        )

    def __add__(self, other: Matrix) -> Matrix:
        return Matrix(self.re + other.re, self.im + other.im)

    def __sub__(self, other: Matrix) -> Matrix:
        return Matrix(self.re - other.re, self.im - other.im)

    def __mul__(self, other: Any) -> Matrix:
        """Times a real number, a real array of Decimals, or entry by entry with a Matrix."""
        if isinstance(other, Matrix):
            return Matrix(
                self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
            )
        return Matrix(self.re * other, self.im * other)

    def times_i(self) -> Matrix:
        return Matrix(-self.im, self.re)

    def sum(self, axis: int | None = None) -> Matrix:
        return Matrix(np.asarray(self.re.sum(axis=axis)), np.asarray(self.im.sum(axis=axis)))

    def trace(self) -> Decimal:
        """The real part of the trace."""
        return sum((self.re[k, k] for k in range(len(self.re))), Decimal(0))

    def squared_entries(self) -> np.ndarray:
        return self.re * self.re + self.im * self.im

    def frobenius(self) -> Decimal:
        return sum(self.squared_entries().flat, Decimal(0)).sqrt()

    def numpy(self) -> np.ndarray:
        """Rounded to complex doubles."""
        return self.re.astype(float) + 1j * self.im.astype(float)


def identity(size: int) -> Matrix:
    """The unit matrix."""
    return Matrix.of(np.eye(size))


def zeros(*shape: int) -> Matrix:
    """A matrix of zeros."""
    return Matrix.of(np.zeros(shape))


def dagger(matrix: Any) -> Any:
    """The adjoint of a Matrix or a numpy array."""
    return matrix.conj().T


def concatenated(parts: Sequence[Matrix], axis: int) -> Matrix:
    """Matrices beside (axis 1) or below (axis 0) each other."""
    return Matrix(
        np.concatenate([part.re for part in parts], axis),
        np.concatenate([part.im for part in parts], axis),
    )


def eigh(matrix: Matrix) -> tuple[np.ndarray, Matrix]:
    """(eigenvalues ascending, eigenvectors as columns) of a Hermitian matrix, by Jacobi's method.

    The double-precision eigenvectors, made orthonormal, are where the rotations start.
    """
    size = matrix.shape[0]
    shift = matrix.trace() / size
    centred = matrix - identity(size) * shift
    scale = centred.frobenius()
    if scale == 0:
        return np.array([shift] * size, dtype=object), identity(size)
    vectors = _orthonormal(np.linalg.eigh((centred * (1 / scale)).numpy())[1])
    rotated = dagger(vectors) @ centred @ vectors
    small = scale * NEGLIGIBLE
    for _ in range(SWEEPS):
        pairs = [
            (p, q)
            for p in range(size)
            for q in range(p + 1, size)
            if abs(rotated.re[p, q]) + abs(rotated.im[p, q]) > small
        ]
        if not pairs:
            break
        for p, q in pairs:
            _rotate(rotated, vectors, p, q)
    else:
        raise ArithmeticError("Jacobi's method did not converge")
    values = np.array([rotated.re[k, k] + shift for k in range(size)], dtype=object)
    order = sorted(range(size), key=lambda k: values[k])
    return values[order], vectors[:, order]


def smallest_eigenvalue(matrix: Matrix, *, rough: bool = False) -> Decimal:
    """A lower bound on the smallest eigenvalue, below it by about 1e-40 of the norm.

    The estimate less a margin is certified by L D L^dagger, all of whose pivots must be positive.
    Large matrices get a cheaper estimate and a wider margin, and so do all with ``rough``: the
    estimate of double precision, and 1e-14 of the norm.
    """
    scale = matrix.frobenius()
    if scale == 0 or matrix.shape[0] == 0:
        return Decimal(0)
    if rough:
        values = np.linalg.eigvalsh((matrix * (1 / scale)).numpy())
        bound, margin = Decimal(float(values[0])) * scale, scale * Decimal("1e-14")
    elif matrix.shape[0] <= SMALL:
        bound, margin = eigh(matrix)[0][0], scale * Decimal("1e-40")
    else:
        bound, margin = _refined_estimate(matrix), scale * Decimal("1e-25")
    while not is_positive(matrix - identity(matrix.shape[0]) * (bound - margin)):
        margin *= 10
    return bound - margin


def is_positive(matrix: Matrix) -> bool:
    """Whether a Hermitian matrix has positive pivots only."""
    re, im = matrix.re.copy(), matrix.im.copy()
    for k in range(len(re)):
        pivot = re[k, k]
        if not pivot > 0:
            return False
        a, b = re[k + 1 :, k] / pivot, im[k + 1 :, k] / pivot
        # row k is the conjugate of column k
        c, d = re[k + 1 :, k], -im[k + 1 :, k]
        re[k + 1 :, k + 1 :] -= np.outer(a, c) - np.outer(b, d)
        im[k + 1 :, k + 1 :] -= np.outer(a, d) + np.outer(b, c)
    return True


def norm(matrix: Matrix, kind: str) -> Decimal:
    """Schatten norm of a Hermitian matrix: spectral, frobenius or trace."""
    if kind == "frobenius":
        return matrix.frobenius()
    if matrix.frobenius() == 0:
        return Decimal(0)
    values = [abs(value) for value in eigh(matrix)[0]]
    return max(values) if kind == "spectral" else sum(values, Decimal(0))


def _refined_estimate(matrix: Matrix) -> Decimal:
    """Rayleigh quotient of the eigenvector nearest to the smallest eigenvalue in doubles."""
    scale = matrix.frobenius()
    values, vectors = np.linalg.eigh((matrix * (1 / scale)).numpy())
    vector = Matrix.of(vectors[:, :1])
    for _ in range(2):
        quotient = _quotient(matrix, vector)
        rest = matrix @ vector - vector * quotient
        # one step of perturbation theory with the double-precision spectrum
        apart = values - float(quotient / scale)
        weights = np.where(abs(apart) > 1e-8, apart, np.inf)
        part = dagger(Matrix.of(vectors)) @ rest
        weights = exact(np.where(np.isinf(weights), 1e300, weights)) * scale
        step = Matrix.of(vectors) @ Matrix(part.re / weights[:, None], part.im / weights[:, None])
        vector = vector - step
    return _quotient(matrix, vector)


def _quotient(matrix: Matrix, vector: Matrix) -> Decimal:
    return (dagger(vector) @ (matrix @ vector)).trace() / (dagger(vector) @ vector).trace()


def _orthonormal(vectors: np.ndarray) -> Matrix:
    """Newton and Schulz: V <- V (3 - V^dagger V) / 2."""
    found = Matrix.of(vectors)
    three = identity(len(vectors)) * 3
    for _ in range(math.ceil(math.log2(DIGITS / 14)) + 1):
        found = found @ (three - dagger(found) @ found) * Decimal("0.5")
    return found


def _rotate(matrix: Matrix, vectors: Matrix, p: int, q: int) -> None:
    """One complex Jacobi rotation that annihilates the elements (p, q) and (q, p)."""
    re, im = matrix.re[p, q], matrix.im[p, q]
    size = (re * re + im * im).sqrt()
    if size == 0:
        return
    ratio = (matrix.re[q, q] - matrix.re[p, p]) / (2 * size)
    t = (1 if ratio >= 0 else -1) / (abs(ratio) + (1 + ratio * ratio).sqrt())
    c = 1 / (1 + t * t).sqrt()
    s_re, s_im = t * c * re / size, t * c * im / size
    for array in (matrix, vectors):
        _mix_columns(array, p, q, c, s_re, s_im)
    _mix_columns(matrix.T, p, q, c, s_re, -s_im)


def _mix_columns(array: Any, p: int, q: int, c: Decimal, s_re: Decimal, s_im: Decimal) -> None:
    """v_p <- c v_p - conj(s) v_q and v_q <- s v_p + c v_q, in place."""
    re, im = array.re, array.im
    p_re, p_im, q_re, q_im = (x.copy() for x in (re[:, p], im[:, p], re[:, q], im[:, q]))
    re[:, p] = c * p_re - (s_re * q_re + s_im * q_im)
    im[:, p] = c * p_im - (s_re * q_im - s_im * q_re)
    re[:, q] = s_re * p_re - s_im * p_im + c * q_re
    im[:, q] = s_re * p_im + s_im * p_re + c * q_im
