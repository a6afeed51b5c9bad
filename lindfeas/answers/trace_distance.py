"""Trace distances, T = ||.||_1 / 2, between the true steady state and any Lindbladian's."""

from __future__ import annotations

from dataclasses import dataclass

from lindfeas.physics.equations.operator_basis import Region
from lindfeas.program.rates import Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceDistance:
    """Every allowed Lindbladian is at least ``lower`` away, and one is at most ``upper`` away.

    Parameters
    ----------
    lower
        Certified bound on T, or None. Where levels of different charge coincide, it is one for
        the Lindbladians that mix no charges.
    upper
        T of the best Lindbladian found, or None if its steady state is not unique.
    lemma1
        Lemma 1 of the SDP-paper, halved: there it is stated for ||.||_1.
    """

    lower: float | None
    upper: float | None
    lemma1: float | None


def largest_rates(rates: Rates, regions: int) -> tuple[float, ...]:
    """The largest trace that the rate rule allows in every region."""
    if rates.rule == "range":
        return rates.per_region("max", regions)
    return rates.per_region("value", regions)


def lemma1(defect: float, regions: tuple[Region, ...], rates: Rates) -> float:
    """T >= tau / (2 alpha), alpha = 2 sum_r t_r (d_r^3 - d_r) (SDP-paper Eq. 31, halved).

    For rule ``total`` the worst share of the total rate is taken.
    """
    limits = largest_rates(rates, len(regions))
    terms = [t * (r.dimension**3 - r.dimension) for t, r in zip(limits, regions, strict=True)]
    alpha = 2 * (max(terms) if rates.rule == "total" else sum(terms))
    return defect / (2 * alpha)


def column_bound(defect: float, regions: tuple[Region, ...], rates: Rates, dimension: int) -> float:
    """T >= tau / (4 sum_r t_r d_r/d): Lemma 1 with the column sums bounded sharply.

    C_ka >= 0 off the diagonal and every column of C sums to zero, so that sum_k |C_ka| =
    2 |C_aa| <= 2 <a|sum_ij Gamma_ij F_i^dag F_j|a> <= 2 t d_r/d, because a normalised
    combination of the F_i has operator norm at most sqrt(d_r/d).
    """
    limits = largest_rates(rates, len(regions))
    terms = [t * r.dimension / dimension for t, r in zip(limits, regions, strict=True)]
    total = max(terms) if rates.rule == "total" else sum(terms)
    return defect / (4 * total)
