"""How far rounding can move the populations of the Redfield reference.

Two estimates, the smaller of which counts level by level. One is of first order in everything,
delta p = -W^# (delta W) p, and knows how rotations of close levels cancel; but |W^#| |delta W p|
adds up what cancels between rates that differ by many orders of magnitude. The other brackets p by
spanning trees and subtracts nothing
(`lindfeas.physics.equations.rate_equation.distribution_error`), but takes the errors of all rates
as independent. The derivations are in docs/theory.md, "The populations".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.baths.correlation import DENORMAL
from lindfeas.physics.equations.rate_equation import distribution_error
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.systems.spectrum import EXTENDED_ROUNDOFF, UNIT_ROUNDOFF

RATE_ROUNDING = 16 * UNIT_ROUNDOFF
"""Relative: 4 u from |S|^2, 6 u from J, 3 u from n, 3 u from products and sums.

What exponentials make of their arguments is counted with the error of the Bohr energy.
"""

INVERTIBLE = 1e-2
"""Largest d u || |A^-1| |A| || with which an inverse is taken for one."""


SMALL = 0.1
"""Largest || |W^#| |delta W| || with which first order means something."""


def population_error(reference: Redfield) -> NDArray[np.float64]:
    """Bound on the rounding error of every population, shape (d,)."""
    populations = reference.populations
    plain, rotated = _rate_errors(reference)
    bound = np.fmin(
        distribution_error(reference.transition_rates, plain + rotated, populations),
        _first_order(reference, plain),
    )
    return np.asarray(bound + 8 * UNIT_ROUNDOFF * populations)


def _first_order(reference: Redfield, errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """|W^#| |delta W p| with the group inverse W^# of the rate matrix; inf where that is lost.

    It is lost, too, where the rates are so uncertain that W^# delta W is no small matrix: then
    first order says nothing. What p leaves over, W p, counts as it is, as p may be the stationary
    distribution of fewer links than W has.

    (delta W) p has ``errors``, the rounding of the rates, and what a rotation of levels k, c by
    the angle theta does to the flow through k: 2 theta |X_kc| for the secular part X_kc = in_kc -
    p_k out_ck of L2(rho0), and to the flow into other levels (`_rotated_sources`).
    """
    populations = reference.populations
    size = _group_inverse_size(reference.transition_rates, populations)
    if size is None:
        return np.full(len(populations), np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        relative = size @ (errors + np.diag(errors.sum(axis=0)))
    if not relative.sum(axis=1).max() <= SMALL:
        return np.full(len(populations), np.inf)
    spectrum = reference.spectrum
    angles = spectrum.rotation_angles(extended=True)
    rates = reference.transition_rates
    kick = np.abs(rates @ populations - rates.sum(axis=0) * populations)
    for sector in spectrum.sectors:
        own = sector.levels
        flow = np.abs(_secular_flow(reference, own))
        kick[own] += 2 * np.sum(angles[own, own] * flow, axis=1)
    kick += _rotated_sources(reference, angles)
    kick += errors @ populations + populations * errors.sum(axis=0)
    error: NDArray[np.float64] = size @ kick
    return error + 8 * UNIT_ROUNDOFF * reference.spectrum.dimension * populations


def _rotated_sources(reference: Redfield, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the rotation of two levels a, b into each other does to the flow into any level.

    Into k: |S_ka S_kb| |g_ka p_a - g_kb p_b| theta with the rates g = J (n+1) or J n, at most the
    sum of g |p_a - p_b| theta and of p |g_ka - g_kb| theta. For close levels the second term is
    small as g is smooth, so that theta ~ eta / gap is cancelled there by the gap, which
    `_rate_errors` counts; what is left is the rounding of products with the vectors, 2 n eps_ext.
    """
    populations = reference.populations
    spread = angles * np.abs(np.subtract.outer(populations, populations))
    total = np.zeros(len(populations))
    for coupling in reference.couplings:
        absorption, emission = coupling.rates
        size = np.abs(coupling.matrix)
        for sector in reference.spectrum.sectors:
            own = sector.levels
            for into, gain in ((size, emission), (size.T, absorption.T)):
                part = into[:, own]
                flow = part * gain[:, own]
                total += np.sum((flow @ spread[own, own]) * part, axis=1)
                apart = (flow @ populations[own]) * part.sum(axis=1)
                apart += (part @ populations[own]) * flow.sum(axis=1)
                total += 4 * sector.states.size * EXTENDED_ROUNDOFF * apart
    return total


def _secular_flow(reference: Redfield, own: slice) -> NDArray[Any]:
    """X_kc = in_kc - p_k out_ck between the levels of one sector, the secular part of L2(rho0)."""
    populations = reference.populations
    flow = np.zeros((own.stop - own.start,) * 2)
    for coupling in reference.couplings:
        absorption, emission = coupling.rates
        down, up = coupling.matrix, coupling.matrix.conj().T
        into, back = down[own], up[own]
        flow = flow + (into * emission[own] * populations) @ into.conj().T
        flow = flow + (back * absorption.T[own] * populations) @ back.conj().T
        out = back @ (down * emission)[:, own] + into @ (up * absorption.T)[:, own]
        flow = flow - populations[own, None] * out.T
    return flow


def group_inverse(
    rates: NDArray[np.float64], populations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """W^# of the generator W with kernel p: (W - s p 1^T)^-1 + p 1^T / s for any s > 0."""
    matrix, projector, scale = _bordered(rates, populations)
    return np.asarray(np.linalg.inv(matrix) + projector) / scale


def _group_inverse_size(
    rates: NDArray[np.float64], populations: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """|W^#|, raised by what the inversion may have lost; None where that is too much.

    An inverse X of A is computed with an error of about d u |X| |A| |X|, entry by entry (Higham,
    Accuracy and Stability of Numerical Algorithms, Sec. 14.3), as long as d u |X| |A| is small.
    Beyond, the X of a matrix of rates at low temperature can be 1e100 times too small.
    """
    matrix, projector, scale = _bordered(rates, populations)
    try:
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return None
    size = np.abs(inverse)
    with np.errstate(over="ignore", invalid="ignore"):
        relative = len(rates) * UNIT_ROUNDOFF * (size @ np.abs(matrix))
        if not relative.sum(axis=1).max() <= INVERTIBLE:
            return None
        total: NDArray[np.float64] = (np.abs(inverse + projector) + relative @ size) / scale
    return total


def _bordered(
    rates: NDArray[np.float64], populations: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """(W/s - p 1^T, p 1^T, s) with the largest rate s out of a level."""
    generator = rates - np.diag(rates.sum(axis=0))
    scale = float(np.abs(np.diag(generator)).max())
    projector = np.multiply.outer(populations, np.ones_like(populations))
    return generator / scale - projector, projector, scale


def _rate_errors(reference: Redfield) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rounding errors of every transition rate |S_ka|^2 g, two parts of shape (d, d).

    The first is what remains when no level is rotated: 16 u of the rate, |S|^2 |delta g| with the
    rate g per unit at both ends of what the Bohr energy may be, and g |delta S|^2, which is all
    there is where S vanishes within its error. The second is 2 g |S| |delta S|.
    """
    uncertainty = reference.spectrum.bohr_uncertainty
    plain = RATE_ROUNDING * reference.transition_rates
    rotated = np.zeros_like(plain)
    for coupling in reference.couplings:
        size, error = np.abs(coupling.matrix), coupling.element_errors
        correlation, bohr = coupling.correlation, coupling.bohr
        low, high = (correlation.rates(bohr + way * uncertainty) for way in (-1, 1))
        rounding = correlation.rate_rounding(bohr)
        parts = zip(low, coupling.rates, high, rounding, strict=True)
        for upwards, (least, middle, most, rounded) in zip((True, False), parts, strict=True):
            gain = np.maximum(np.maximum(least, most), middle)
            alone = size**2 * np.abs(most - least) + gain * error**2
            alone += size**2 * middle * rounded
            alone += DENORMAL * (size > 0)
            both = 2 * gain * size * error
            plain += alone.T if upwards else alone
            rotated += both.T if upwards else both
    np.fill_diagonal(plain, 0.0)
    np.fill_diagonal(rotated, 0.0)
    return plain, rotated
