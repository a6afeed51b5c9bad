"""Generators in the product basis; the Redfield one with its Kossakowski matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import require
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.systems.open_system import OpenSystem


class Generator(Protocol):
    """The part of second order of a master equation, as a map of states in the product basis."""

    def apply(self, state: NDArray[Any]) -> NDArray[np.complex128]:
        """What the generator makes of a Hermitian (d, d) state."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RedfieldGenerator:
    """L2(rho) = i[rho, H] + sum_ij c_ij (F_i rho F_j^dag - {F_j^dag F_i, rho}/2), c Hermitian.

    All matrices are in the product basis.

    Parameters
    ----------
    system
        The open system.
    operators
        V~_m, traceless, shape (m, d, d): they span the range of the Kossakowski matrix.
    weights
        M, shape (m, m), symmetric.
    lamb_shift
        H, traceless and Hermitian, shape (d, d) (rate unit).
    loss
        B = sum_ij c_ij F_j^dag F_i, Hermitian, shape (d, d).
    """

    system: OpenSystem
    operators: NDArray[np.complex128]
    weights: NDArray[np.float64]
    lamb_shift: NDArray[np.complex128]
    loss: NDArray[np.complex128]

    @property
    def dimension(self) -> int:
        """Dimension d of the system's Hilbert space."""
        return self.system.dimension

    @property
    def kossakowski_eigenvalues(self) -> NDArray[np.float64]:
        """Up to 4 eigenvalues of c per coupling, largest first; all others are zero."""
        values = np.linalg.eigvalsh(_sandwiched(self.operators, self.weights))
        return np.array(values[::-1], dtype=float)

    @property
    def trace(self) -> float:
        """tr c, the overall rate."""
        return float(np.trace(self.loss).real)

    def apply(self, state: NDArray[Any]) -> NDArray[np.complex128]:
        """L2(state) for a Hermitian ``state`` in the product basis, (d, d)."""
        gained = np.einsum(
            "mn,mab,bc,ndc->ad", self.weights, self.operators, state, self.operators.conj()
        )
        half = -1j * self.lamb_shift @ state - self.loss @ state / 2
        total: NDArray[np.complex128] = gained + half + half.conj().T
        return total

    @property
    def norm(self) -> float:
        """||L2||_HS, the Frobenius norm of its d^2 x d^2 matrix."""
        matrix = _sandwiched(self.operators, self.weights)
        return float(
            math.hypot(
                np.linalg.norm(matrix),
                self.trace,
                math.sqrt(2 * self.dimension) * np.linalg.norm(self.lamb_shift),
                math.sqrt(self.dimension / 2) * np.linalg.norm(traceless_part(self.loss)),
            )
        )


def redfield_generator(reference: Redfield) -> RedfieldGenerator:
    """The Redfield equation as Hamiltonian, Kossakowski matrix and loss.

    Raises
    ------
    PhysicsError
        If a principal-value integral diverges (see `lindfeas.physics.equations.redfield.Coupling`).
    """
    require(reference, Redfield, "reference", "give lf.redfield_equation(system)")
    size = reference.spectrum.dimension
    vectors = reference.spectrum.vectors
    eye = np.eye(size)
    drift = np.zeros((size, size), dtype=complex)
    operators, pairs = [], []
    for coupling in reference.couplings:
        absorbed, emitted = coupling.half_sided
        lower, raised = coupling.matrix, coupling.matrix.conj().T
        # (A, B) stands for A rho B^dag + B rho A^dag, which B^dag A rho + h.c. balances
        for half, whole in ((emitted, lower), (absorbed.conj().T, raised)):
            means = np.trace(half) / size, np.trace(whole) / size
            pairs.append((half - means[0] * eye, whole - means[1] * eye))
            drift += np.conj(means[1]) * pairs[-1][0] + np.conj(means[0]) * pairs[-1][1]
            drift -= whole.conj().T @ half
        operators.extend(pairs[-2:])
    loss = sum(whole.conj().T @ half + half.conj().T @ whole for half, whole in pairs)
    stack = np.array([part for pair in operators for part in pair])
    return RedfieldGenerator(
        system=reference.system,
        operators=vectors @ stack @ vectors.conj().T,
        weights=np.kron(np.eye(len(pairs)), np.array([[0.0, 1.0], [1.0, 0.0]])).astype(float),
        lamb_shift=traceless_part(vectors @ ((drift - drift.conj().T) / -2j) @ vectors.conj().T),
        loss=vectors @ loss @ vectors.conj().T,
    )


def _sandwiched(
    operators: NDArray[np.complex128], weights: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """R M R^dag with the same nonzero eigenvalues and norm as v M v^dag, v = QR."""
    factor = triangular_factor(operators)
    matrix: NDArray[np.complex128] = factor @ weights @ factor.conj().T
    return matrix


def triangular_factor(operators: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """R of the operators as columns, v = QR."""
    factor: NDArray[np.complex128] = np.linalg.qr(operators.reshape(len(operators), -1).T)[1]
    return factor


def traceless_part(matrices: NDArray[Any]) -> NDArray[Any]:
    """X - tr(X)/d, for one matrix or a stack."""
    size = matrices.shape[-1]
    means = np.trace(matrices, axis1=-2, axis2=-1) / size
    traceless: NDArray[Any] = matrices - means[..., None, None] * np.eye(size)
    return traceless
