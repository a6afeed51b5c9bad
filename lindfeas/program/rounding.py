"""How far floating-point rounding can move a bound: a documented, conservative model.

The derivation is in docs/theory.md, "Rounding". It is a first-order model times `SAFETY`, not a
proof; the proof in ball arithmetic does not use it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.baths import transforms as bath_functions
from lindfeas.physics.baths.custom_density import CustomDensity
from lindfeas.physics.equations.population_error import population_error
from lindfeas.physics.equations.redfield import Coupling, Redfield
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.hermitian import Layout

SAFETY = 4.0
"""Factor on every first-order rounding estimate."""

BATH_FUNCTION_ERROR = 1e-13
"""Relative accuracy of C(E) and D(E) for the built-in spectral densities (tested at 3e-14)."""

CUSTOM_DENSITY_ERROR = 1e-12
"""The same for a user's spectral density, which is only as smooth as it is."""


@dataclass(frozen=True, kw_only=True)
class RateUncertainty:
    """How far A^r(Y), per unit of the region's rate, can be wrong: by at most

        sum_{k<k'} pair[k, k'] |y_k - y_k'|  +  sum_k row[k] |y_k|  +  whole ||Y||

    in operator norm, for a multiplier Y with coordinates y.

    Parameters
    ----------
    pair
        Rotation of close levels into each other, shape (d, d); empty (0, 0) where the
        multiplier does not refer to single levels.
    row
        Rounding of the coefficients, shape (rows,).
    whole
        Error of the state, in trace norm, times the norm of the dissipator.
    ceiling
        What the defect cannot exceed for any state, if the required action is zero.
    """

    pair: NDArray[np.float64]
    row: NDArray[np.float64]
    whole: float
    ceiling: float = math.inf

    def of(self, multiplier: NDArray[np.float64], largest: float) -> float:
        """Allowance for one multiplier; ``largest`` is its spectral norm ||Y||."""
        total = float(self.row @ np.abs(multiplier)) + self.whole * largest
        for weights, value in zip(self.pair, multiplier, strict=False):
            total += float(weights @ np.abs(multiplier - value)) / 2
        return total

    def worst(self, layout: Layout, norm: str) -> float:
        """Allowance for the worst multiplier of dual norm 1: what a defect can be wrong by."""
        if norm == "trace":
            spread = 1.0 if layout.is_vector else np.sqrt(2)
            return float(spread * self.row.sum() + self.whole + self.pair.sum())
        return float(np.linalg.norm(self.row)) + self.whole


@dataclass(frozen=True, slots=True, kw_only=True)
class HamiltonianUncertainty:
    """How far y.M_r x can be wrong for ||x|| = 1: by at most state ||Y|| + product ||y||_2.

    Parameters
    ----------
    state
        Error of i[rho, H_r] in trace norm, from the states and from levels not quite orthonormal.
    product
        Its rounding in the Frobenius norm.
    """

    state: float = 0.0
    product: float = 0.0

    def of(self, multiplier: NDArray[np.float64], largest: float) -> float:
        """Allowance for one multiplier; ``largest`` is its spectral norm ||Y||."""
        return self.state * largest + self.product * float(np.linalg.norm(multiplier))

    def worst(self, layout: Layout, norm: str) -> float:
        """Allowance for the worst multiplier of dual norm 1."""
        return self.state + self.product * (layout.dimension**0.5 if norm == "trace" else 1.0)


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """The rounding model of one program.

    Parameters
    ----------
    regions
        One model per region, per unit of its rate.
    action
        Error of the required actions, in trace norm.
    hamiltonian
        The model of what a local Hamiltonian does, per unit of its norm.
    distance
        T between the reference's populations and the true ones, where the target is made of them.
    """

    regions: tuple[RateUncertainty, ...]
    action: float
    hamiltonian: HamiltonianUncertainty = HamiltonianUncertainty()
    distance: float = 0.0

    def of_defect(self, traces: NDArray[np.float64], layout: Layout, norm: str) -> float:
        """What the defect of a point with these rates can be wrong by."""
        worst = [region.worst(layout, norm) for region in self.regions]
        return self.action + float(np.dot(traces, worst))

    def ceiling(self, traces: NDArray[np.float64]) -> float:
        """What the defect of a point with these rates cannot exceed, whatever the state is."""
        return sum(
            float(trace) * region.ceiling
            for trace, region in zip(traces, self.regions, strict=True)
            if trace > 0
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Strengths:
    """Per level and region: largest eigenvalues that bound what any Gamma of trace 1 can do."""

    gain: NDArray[np.float64]
    loss: NDArray[np.float64]


def level_uncertainty(
    reference: Redfield,
    dimensions: Sequence[int],
    strengths: Sequence[Strengths],
    weight: float,
    *,
    is_populations: bool = False,
) -> Uncertainty:
    """For the diagonal of L'(rho0) in the eigenbasis, times ``weight``.

    A rotation of levels k, k' by the angle theta changes sum_k y_k X_kk, X = L'(rho0), by
    2 theta |y_k - y_k'| |X_kk'|, and by Cauchy-Schwarz |X_kk'| <= sqrt(gain_k gain_k') +
    (p_k + p_k')/2 sqrt(loss_k loss_k') per unit of rate. An error of p_a counts at most
    2 loss_a |delta p_a|. No state makes sum_k |X_kk| larger than the largest column sum of C, at
    most 2 max_a loss_a.

    Parameters
    ----------
    dimensions
        d_r of every region.
    is_populations
        Whether X = 0 is wanted for a state of trace 1, so that this bounds the defect.
    """
    populations = reference.populations
    size = reference.spectrum.dimension
    angles = reference.spectrum.rotation_angles()
    mean = np.add.outer(populations, populations) / 2
    moved = population_error(reference)
    rotated = float(np.sum(angles * np.abs(np.subtract.outer(populations, populations))))
    regions = []
    for dimension, strength in zip(dimensions, strengths, strict=True):
        flow = np.sqrt(np.multiply.outer(strength.gain, strength.gain))
        flow += mean * np.sqrt(np.multiply.outer(strength.loss, strength.loss))
        terms = (size + dimension**2) * UNIT_ROUNDOFF
        whole = 2 * dimension / size * rotated + float(2 * strength.loss @ moved)
        ceiling = 2 * float(strength.loss.max()) * (1 + SAFETY * terms)
        regions.append(
            RateUncertainty(
                pair=SAFETY * weight * 2 * angles * flow,
                row=SAFETY * weight * terms * (strength.gain + populations * strength.loss),
                whole=SAFETY * weight * whole,
                ceiling=weight * ceiling if is_populations else math.inf,
            )
        )
    return Uncertainty(regions=tuple(regions), action=0.0, distance=population_distance(moved))


def state_uncertainty(
    reference: Redfield,
    dimensions: Sequence[int],
    row_sizes: Sequence[NDArray[np.float64]],
    *,
    follows_redfield: bool,
    weight: float = 1.0,
    scale: float = 1.0,
) -> Uncertainty:
    """For multipliers that do not refer to single levels: only states and actions are uncertain.

    A multiplier Y is a fixed matrix, whatever the exact eigenvectors are, so that close levels do
    no harm: ||delta rho0||_1 enters times the norm 2 d_r/d of the dissipator per unit of rate, or
    2 ||H|| of a commutator, and the error of the required action L2[rho0] as it is.

    Parameters
    ----------
    row_sizes
        For every region the largest entry of the coefficients of every row, each (rows,).
    follows_redfield
        Whether states and actions come from the Redfield reference; a user's own are exact.
    weight
        Weights times trace norms of the states, summed, times ||Y|| per largest coordinate.
    scale
        The largest weight times the Frobenius norm of its state.
    """
    size = reference.spectrum.dimension
    vectors = 4 * UNIT_ROUNDOFF * max(sector.states.size for sector in reference.spectrum.sectors)
    # a user's own states may be those of a system whose steady state is not unique
    moved = population_error(reference) if follows_redfield else np.zeros(size)
    own = _state_error(reference, moved) if follows_redfield else 0.0
    state = weight * (2 * vectors + own)
    regions = tuple(
        RateUncertainty(
            pair=np.zeros((0, 0)),
            row=SAFETY * (size + dimension**2) * UNIT_ROUNDOFF * sizes,
            whole=SAFETY * 2 * dimension / size * state,
        )
        for dimension, sizes in zip(dimensions, row_sizes, strict=True)
    )
    terms = (size + max(dimensions) ** 2) * UNIT_ROUNDOFF
    return Uncertainty(
        regions=regions,
        action=SAFETY * weight * _action_error(reference, moved) if follows_redfield else 0.0,
        hamiltonian=HamiltonianUncertainty(
            state=SAFETY * 2 * state, product=SAFETY * terms * 2 * scale
        ),
        distance=population_distance(moved),
    )


def population_distance(moved: NDArray[np.float64]) -> float:
    """T of populations that are wrong by ``moved``."""
    return SAFETY * float(moved.sum()) / 2


def _state_error(reference: Redfield, moved: NDArray[np.float64]) -> float:
    """||delta rho0||_1: populations, and eigenvectors rotated into each other."""
    populations = reference.populations
    angles = reference.spectrum.rotation_angles()
    rotated = float(np.sum(angles * np.abs(np.subtract.outer(populations, populations))))
    return rotated + float(moved.sum())


def transform_errors(coupling: Coupling) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Errors of the entries of S^C and S^D but for those of S itself, two of shape (d, d).

    The relative accuracy of the bath functions, and of the Bohr energies; between levels that
    coincide all that C and D change by where the energy may lie.
    """
    spectrum = coupling.spectrum
    custom = isinstance(coupling.density, CustomDensity)
    relative = CUSTOM_DENSITY_ERROR if custom else BATH_FUNCTION_ERROR
    gap = np.where(spectrum.coinciding, np.inf, np.abs(spectrum.bohr))
    spread = relative + spectrum.bohr_uncertainty / gap
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
    bath = coupling.bath
    sides = np.array([-furthest, furthest])
    values = np.array(bath_functions.half_sided(coupling.density, bath.beta, bath.mu, sides))
    if bath_functions.converges_at_zero(coupling.density, bath.beta, bath.mu):
        zero = bath_functions.half_sided(coupling.density, bath.beta, bath.mu, 0.0)
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
