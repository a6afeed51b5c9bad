"""Trace distances, T = ||.||_1 / 2, between the true steady state and any Lindbladian's."""

from __future__ import annotations

from dataclasses import dataclass

from lindfeas.program.ansatz import Ansatz


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """A certified interval of a least distance, either end None where nothing is known.

    Parameters
    ----------
    lower
        No allowed Lindbladian comes nearer.
    upper
        One that was found comes that near.
    """

    lower: float | None = None
    upper: float | None = None

    def meet(self, other: Ends) -> Ends:
        """The better one of both at either end."""
        lowers = [end for end in (self.lower, other.lower) if end is not None]
        uppers = [end for end in (self.upper, other.upper) if end is not None]
        return Ends(lower=max(lowers, default=None), upper=min(uppers, default=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceDistance(Ends):
    """T between the true populations and those of Lindbladians with a unique steady state.

    Every allowed one is at least ``lower`` away, and one is at most ``upper`` away. Where levels of
    different charge coincide, ``lower`` is a bound for the Lindbladians that mix no charges.

    Parameters
    ----------
    lemma1
        Lemma 1 of the SDP-paper, halved: there it is stated for ||.||_1.
    """

    lemma1: float | None = None


NOTHING_KNOWN = TraceDistance()
"""Neither end."""


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
