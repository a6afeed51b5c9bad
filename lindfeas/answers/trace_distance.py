"""Trace distances, T = ||.||_1 / 2, between the true steady state and any Lindbladian's."""

from __future__ import annotations

from dataclasses import dataclass

from lindfeas.program.ansatz import Ansatz


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


def lemma1(defect: float, ansatz: Ansatz) -> float:
    """T >= tau / (2 alpha), alpha = 2 sum_r t_r (d_r^3 - d_r) (SDP-paper Eq. 31, halved).

    For rule ``total`` the worst share of the total rate is taken.
    """
    alpha = 2 * ansatz.rates.largest([r.dimension**3 - r.dimension for r in ansatz.regions])
    return defect / (2 * alpha)


def column_bound(defect: float, ansatz: Ansatz, dimension: int) -> float:
    """T >= tau / (4 sum_r t_r d_r/d): Lemma 1 with the column sums bounded sharply.

    C_ka >= 0 off the diagonal and every column of C sums to zero, so that sum_k |C_ka| =
    2 |C_aa| <= 2 <a|sum_ij Gamma_ij F_i^dag F_j|a> <= 2 t d_r/d, because a normalised
    combination of the F_i has operator norm at most sqrt(d_r/d).
    """
    shares = [region.dimension / dimension for region in ansatz.regions]
    return defect / (4 * ansatz.rates.largest(shares))
