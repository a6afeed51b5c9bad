"""What a Lindbladian must reproduce, compiled to the arrays of a semidefinite program.

Populations (SDP-paper Eqs. 28-29): state rho0 = diag(p), required action 0, diagonal part,
sum of absolute values. With m^i = F_i in the eigenbasis,

    (A_k)_ij = sum_a p_a m^j_ka conj(m^i_ka) - p_k sum_n conj(m^i_nk) m^j_nk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.ansatz import Group, Region
from lindfeas.problem import GammaBlock, Problem, Uncertainty
from lindfeas.question import Rates
from lindfeas.redfield import Redfield, population_error
from lindfeas.spectrum import UNIT_ROUNDOFF

SAFETY = 4.0
"""Factor on every first-order rounding estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strengths:
    """Per level and region: largest eigenvalues that bound what any Gamma of trace 1 can do."""

    gain: NDArray[np.float64]
    loss: NDArray[np.float64]


def populations_problem(reference: Redfield, regions: tuple[Region, ...], rates: Rates) -> Problem:
    """The program for tau_pop: rows are levels.

    Only arrays of shape (d, n, n) and (n, n_final, n_initial) are formed, n being the largest
    number of basis operators of one charge.
    """
    populations = reference.populations
    blocks, strengths = [], []
    for number, region in enumerate(regions):
        gain = np.zeros_like(populations)
        loss = np.zeros_like(populations)
        for group in region.groups:
            gained, lost = gain_and_loss(group, populations)
            blocks.append(
                GammaBlock(
                    region=number,
                    charge=group.charge,
                    rows=gained - populations[:, None, None] * lost,
                )
            )
            gain = np.maximum(gain, np.linalg.eigvalsh(gained)[:, -1])
            loss = np.maximum(loss, np.linalg.eigvalsh(lost)[:, -1])
        strengths.append(_Strengths(gain=gain, loss=loss))
    return Problem(
        offset=np.zeros_like(populations),
        blocks=tuple(blocks),
        regions=tuple(region.name for region in regions),
        rates=rates,
        norm="l1",
        uncertainty=_uncertainty(reference, regions, strengths, rates),
    )


def gain_and_loss(
    group: Group, populations: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """What flows into every level, and out of it per unit of population.

    Returns
    -------
    gain
        sum_a p_a conj(m^i_ka) m^j_ka, shape (d, n, n).
    loss
        sum_n conj(m^i_nk) m^j_nk, shape (d, n, n).
    """
    shape = (populations.size, group.size, group.size)
    dtype = np.result_type(float, *(block.dtype for _, _, block in group.blocks))
    gain = np.zeros(shape, dtype=dtype)
    loss = np.zeros(shape, dtype=dtype)
    for final, initial, block in group.blocks:
        into = block.transpose(1, 0, 2)
        weighted = into.conj() * populations[initial.levels]
        gain[final.levels] = weighted @ into.transpose(0, 2, 1)
        out = block.transpose(2, 0, 1)
        loss[initial.levels] = out.conj() @ out.transpose(0, 2, 1)
    return gain, loss


def largest_rates(rates: Rates, regions: int) -> tuple[float, ...]:
    """The largest trace that the rate rule allows in every region."""
    if rates.rule == "range":
        return rates.per_region("max", regions)
    return rates.per_region("value", regions)


def _uncertainty(
    reference: Redfield,
    regions: tuple[Region, ...],
    strengths: list[_Strengths],
    rates: Rates,
) -> Uncertainty:
    """First-order rounding model, times `SAFETY`; derived in docs/theory.md, "Rounding".

    A rotation of levels k, k' by the angle theta changes sum_k y_k X_kk, X = L'(rho0), by
    2 theta |y_k - y_k'| |X_kk'|, and by Cauchy-Schwarz |X_kk'| <= t (sqrt(gain_k gain_k') +
    (p_k + p_k')/2 sqrt(loss_k loss_k')). An error of p_a counts at most 2 t loss_a |delta p_a|.
    """
    populations = reference.populations
    size = reference.spectrum.dimension
    angles = reference.spectrum.rotation_angles()
    limits = largest_rates(rates, len(regions))
    mean = np.add.outer(populations, populations) / 2
    pair = np.zeros_like(angles)
    row = np.zeros(size)
    reach = np.zeros(size)
    strongest = 0.0
    for region, strength, limit in zip(regions, strengths, limits, strict=True):
        flow = np.sqrt(np.multiply.outer(strength.gain, strength.gain))
        flow += mean * np.sqrt(np.multiply.outer(strength.loss, strength.loss))
        pair += 2 * limit * angles * flow
        terms = size + region.dimension**2
        row += terms * UNIT_ROUNDOFF * limit * (strength.gain + populations * strength.loss)
        reach += 2 * limit * strength.loss
        strongest += 2 * limit * region.dimension / size
    rotated = float(np.sum(angles * np.abs(np.subtract.outer(populations, populations))))
    whole = strongest * rotated + float(reach @ population_error(reference))
    return Uncertainty(pair=SAFETY * pair, row=SAFETY * row, whole=SAFETY * whole)
