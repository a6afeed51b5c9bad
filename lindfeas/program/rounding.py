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

from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.equations.reference_state import rotation_error
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF, Spectrum
from lindfeas.program.hermitian import Layout

SAFETY = 4.0
"""Factor on every first-order rounding estimate."""


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
    """

    regions: tuple[RateUncertainty, ...]
    action: float
    hamiltonian: HamiltonianUncertainty = HamiltonianUncertainty()

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
    moved: NDArray[np.float64],
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
    moved
        By how much every population may be wrong, shape (d,).
    is_populations
        Whether X = 0 is wanted for a state of trace 1, so that this bounds the defect.
    """
    populations = reference.populations
    size = reference.spectrum.dimension
    angles = reference.spectrum.rotation_angles()
    mean = np.add.outer(populations, populations) / 2
    rotated = rotation_error(reference)
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
    return Uncertainty(regions=tuple(regions), action=0.0)


def state_uncertainty(
    spectrum: Spectrum,
    dimensions: Sequence[int],
    row_sizes: Sequence[NDArray[np.float64]],
    *,
    weight: float,
    scale: float,
    state_error: float,
    action_error: float,
) -> Uncertainty:
    """For multipliers that do not refer to single levels: only states and actions are uncertain.

    A multiplier Y is a fixed matrix, whatever the exact eigenvectors are, so that close levels do
    no harm: ||delta rho0||_1 enters times the norm 2 d_r/d of the dissipator per unit of rate, or
    2 ||H|| of a commutator, and the error of the required action L2[rho0] as it is.

    Parameters
    ----------
    row_sizes
        For every region the largest entry of the coefficients of every row, each (rows,).
    weight
        Weights times trace norms of the states, summed, times ||Y|| per largest coordinate.
    scale
        The largest weight times the Frobenius norm of its state.
    state_error, action_error
        Trace norms of the errors of states and required actions, weighted and summed alike.
    """
    size = spectrum.dimension
    vectors = 4 * UNIT_ROUNDOFF * max(sector.states.size for sector in spectrum.sectors)
    state = 2 * vectors * weight + state_error
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
        action=SAFETY * action_error,
        hamiltonian=HamiltonianUncertainty(
            state=SAFETY * 2 * state, product=SAFETY * terms * 2 * scale
        ),
    )
