"""The state that is asked about: rho0 and L2[rho0], with what rounding may have moved them by.

First order in everything; whoever uses the errors multiplies by a factor for the rest. The
derivations are in docs/theory.md, "Rounding".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.equations.population_error import population_error
from lindfeas.physics.equations.redfield import Coupling, Redfield


@dataclass(frozen=True, eq=False)
class ReferenceState:
    """The leading-order steady state of a Redfield equation, in the eigenbasis of H_S.

    rho0 is block diagonal on the eigenspaces of H_S. All of them have dimension one here, as levels
    of one charge sector that coincide are refused.
    """

    equation: Redfield

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """rho0, shape (d, d)."""
        return np.diag(self.equation.populations)

    @property
    def action(self) -> NDArray[np.complex128]:
        """L2[rho0], shape (d, d)."""
        return self.equation.coherence_source

    @cached_property
    def level_errors(self) -> NDArray[np.float64]:
        """By how much every population may be wrong, shape (d,)."""
        return population_error(self.equation)

    @cached_property
    def error(self) -> float:
        """||delta rho0||_1: populations, and eigenvectors rotated into each other."""
        return rotation_error(self.equation) + float(self.level_errors.sum())

    @cached_property
    def action_error(self) -> float:
        """||delta L2[rho0]||_1 <= sqrt(d) ||.||_F, from the bath functions and from rho0."""
        return _action_error(self.equation, self.level_errors)


def leading_order(equation: Redfield) -> ReferenceState:
    """The zeroth-order steady state, and the action that leading coherences must balance."""
    return ReferenceState(equation)


def rotation_error(equation: Redfield) -> float:
    """||delta rho0||_1 from eigenvectors rotated into each other: sum theta_ab |p_a - p_b|."""
    p, angles = equation.populations, equation.spectrum.rotation_angles()
    return float(np.sum(angles * np.abs(np.subtract.outer(p, p))))


def transform_errors(coupling: Coupling) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Errors of the entries of S^C and S^D but for those of S itself, two of shape (d, d).

    The relative accuracy of the bath functions, and of the Bohr energies; between levels that
    coincide all that C and D change by where the energy may lie.
    """
    spectrum = coupling.spectrum
    gap = np.where(spectrum.coinciding, np.inf, np.abs(spectrum.bohr))
    spread = coupling.correlation.relative_error + spectrum.bohr_uncertainty / gap
    absorbed, emitted = (spread * np.abs(part) for part in coupling.half_sided)
    between = spectrum.coinciding & (coupling.element_errors > 0)
    np.fill_diagonal(between, False)
    if between.any():
        furthest = float(spectrum.bohr_uncertainty[between].max())
        size = np.abs(coupling.matrix[between]) + coupling.element_errors[between]
        change = _changes_at_zero(coupling, furthest)
        absorbed[between] += change[0] * size
        emitted[between] += change[1] * size
    return absorbed, emitted


def _changes_at_zero(coupling: Coupling, furthest: float) -> NDArray[np.float64]:
    """How far C(E) and D(E) at |E| = ``furthest`` are from what is used at E = 0."""
    correlation = coupling.correlation
    values = np.array(correlation.transforms(np.array([-furthest, furthest])))
    if correlation.converges_at_zero:
        zero = correlation.transforms(0.0)
        values = values - np.array(zero)[:, None]
    changes: NDArray[np.float64] = np.abs(values).max(axis=1)
    return changes


def _action_error(reference: Redfield, moved: NDArray[np.float64]) -> float:
    """||delta L2[rho0]||_1 <= sqrt(d) ||.||_F, from the bath functions and from rho0."""
    spectrum = reference.spectrum
    angle = float(np.linalg.norm(spectrum.rotation_angles(), 2))
    error = angle * float(np.linalg.norm(reference.coherence_source))
    populations = reference.populations
    for coupling in reference.couplings:
        strength = float(np.linalg.norm(coupling.matrix, 2))
        parts = zip(coupling.half_sided, transform_errors(coupling), (True, False), strict=True)
        for part, wrong, transposed in parts:
            size = np.abs(part.T if transposed else part)
            from_bath = (wrong.T if transposed else wrong) + 2 * angle * size
            error += 4 * strength * float(np.linalg.norm(from_bath * populations + size * moved))
    return float(np.sqrt(spectrum.dimension)) * error
