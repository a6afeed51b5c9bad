"""Certified bounds b(a): every allowed Lindbladian with T <= a has R >= b(a), or there is none.

With p' = p + Delta the steady populations of L', X = L2(rho0), B_g(Y) and N_g(Y) from
`lindfeas.program.level_action`, A = sum_g p_g B_g, N = sum_g p_g N_g, and any Hermitian Y,

    tr Y (L'(rho0') - X) = tr( [H_S, Y] i (rho2' - rho2) ) <= ||[H_S, Y]||_F R ||rho2||_F .

T <= a <= 1 says Delta = u - v with u, v >= 0, sum u = sum v <= a and v <= p. If for every
Kossakowski block there are Hermitian W and U and M_g >= 0 such that, for all levels g,

    W + B_g >= 0 ,   U - B_g + M_g >= 0 ,   A - a (W + U) - sum_g p_g M_g >= s_r ,

then <Gamma, A + sum_g Delta_g B_g> >= s_r tr Gamma, and with ||H_r|| <= h

    R >= ( - tr Y X + sum_r t_r s_r - h sum_r ( ||N^r|| + 2 a max_g ||N^r_g - K^r|| ) )
         / ( ||[H_S, Y]||_F ||rho2||_F ) .

A Y that is diagonal between the levels commutes with H_S: where its sum_r t_r s_r is positive for
all allowed rates, T <= a is excluded. The derivation, and what rounding does to it, is in
docs/theory.md, "How far are the coherences?".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lindfeas.answers.coherence_error import CoherenceError, Rung
from lindfeas.answers.coherence_evaluation import Evaluation
from lindfeas.program.rates import RateBounds
from lindfeas.program.setting import Setting
from lindfeas.solvers.coherence import ErrorProposal, exclusion, least_error

DISTANCES = (0.0, 1e-6, 1e-4, 1e-2)
"""The rungs, besides the question's own distance tolerance."""

MARGINS = (1e-8, 1e-6)
"""s_r at which conditions for any rates are asked for, so that no solver's noise breaks them."""

LARGE = 1e4
"""Above this work the larger margin is tried first: there a solve takes seconds."""

WORTH = 0.99
"""Another margin is tried where less than this share of what a solver claims is certified."""

NEGLIGIBLE = 1e-5
"""A bound on a relative error is no use below."""

FAILED = -1e-3
"""Y = 0 has the value 0, less what the margin costs: a solver that claims less has failed."""

ANY_RATE = 1e300
"""Any rates: up to here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedRung:
    """A rung with what certifies it.

    Parameters
    ----------
    distance
        a, a trace distance of the populations.
    lower
        b(a); None where T <= a is excluded.
    witness
        Y, W, U and M behind it, repaired, Y diagonal between the levels if ``lower`` is None;
        None where nothing better than b = 0 is known, or where a larger a certifies as much.
    """

    distance: float
    lower: float | None
    witness: ErrorProposal | None = None

    @property
    def rung(self) -> Rung:
        """Without the witness."""
        return Rung(distance=self.distance, lower=self.lower, excluded=self.lower is None)

    @property
    def reach(self) -> float:
        """b(a), infinite where T <= a is excluded."""
        return float("inf") if self.lower is None else self.lower


@dataclass(frozen=True, slots=True, kw_only=True)
class CoherenceLadder:
    """b(a) for several a, for the question's rate rule and for any rates.

    Parameters
    ----------
    rungs
        One per distance, rising; b never rises.
    any_rates
        The same for all Lindbladians whatever their rates; equal to ``rungs`` where the rule
        demands none.
    reason
        Why bounds were left out, else None.
    """

    rungs: tuple[CertifiedRung, ...]
    any_rates: tuple[CertifiedRung, ...]
    reason: str | None = None

    @property
    def is_exact_excluded(self) -> bool:
        """Whether no allowed Lindbladian has exactly these populations and coherences."""
        return self.rungs[0].distance == 0 and self.rungs[0].reach > 0

    def error(self, distance: float, upper: float | None) -> CoherenceError:
        """What an answer holds, ``distance`` being the question's tolerance."""
        lower = next(one.lower for one in self.rungs if one.distance == distance)
        return CoherenceError(
            lower=lower, upper=upper, ladder=tuple(one.rung for one in self.rungs)
        )


def coherence_ladder(
    setting: Setting,
    solver: str,
    *,
    distances: Sequence[float] = DISTANCES,
    attained: float = float("inf"),
    least: float = 0.0,
    stop: Callable[[], bool] = lambda: False,
) -> CoherenceLadder:
    """Certified b(a) for ``distances`` and the question's distance tolerance.

    Parameters
    ----------
    setting
        Of a question about populations and coherences.
    attained
        T of an allowed Lindbladian: no exclusion is tried from there on.
    least
        A certified lower end of T: all a below it are excluded.
    stop
        Asked before every solve; once it says yes, what is not known yet is b = 0.
    """
    wanted = sorted({0.0, setting.question.distance_tolerance, *distances})
    course = _Ladder(Evaluation(setting), solver, wanted, attained, least, stop)
    rates = course.at.program.rates
    free = RateBounds(lower=(0.0,) * len(rates.lower), upper=(ANY_RATE,) * len(rates.lower))
    needless = rates.total is None and rates.demanded == 0
    any_rates = course.climb(rates if needless else free, least=0.0 if not needless else least)
    rungs = any_rates if needless else course.climb(rates, least=least, known=any_rates)
    return CoherenceLadder(rungs=rungs, any_rates=any_rates, reason=course.at.reason)


@dataclass(frozen=True, slots=True)
class _Ladder:
    """The solves for one question, rung by rung."""

    at: Evaluation
    solver: str
    distances: Sequence[float]
    attained: float
    least: float
    stop: Callable[[], bool]

    def climb(
        self, rates: RateBounds, *, least: float, known: Sequence[CertifiedRung] = ()
    ) -> tuple[CertifiedRung, ...]:
        """b(a) of every distance for one rate rule; never below what is ``known``."""
        found = {a: CertifiedRung(distance=a, lower=None) for a in self.distances if a < least}
        for one in known:
            if one.lower is None:
                found.setdefault(one.distance, one)
        for a in reversed([a for a in self.distances if a not in found]):
            if (witness := self._excluded(a, rates)) is not None:
                for smaller in [b for b in self.distances if b <= a]:
                    found.setdefault(
                        smaller, CertifiedRung(distance=smaller, lower=None, witness=witness)
                    )
                break
        for a in [a for a in self.distances if a not in found]:
            own = self._bounded(a, rates)
            found[a] = own
            if a > 0 and own.reach == 0 and own.witness is not None:
                break  # what is 0 stays 0
        for one in known:
            if one.distance not in found or found[one.distance].reach < one.reach:
                found[one.distance] = one
        return self._falling(found)

    def _excluded(self, a: float, rates: RateBounds) -> ErrorProposal | None:
        """What excludes T <= a, if anything does."""
        if a >= self.attained or not self.at.covers_exclusion(a) or self.stop():
            return None
        a = min(a, 1.0)
        proposal = exclusion(self.at.level_blocks, self.at.data.populations, a, rates, self.solver)
        return None if proposal is None else self.at.excludes(proposal, a, rates)

    def _bounded(self, a: float, rates: RateBounds) -> CertifiedRung:
        """The best bound found for one distance."""
        best, near = CertifiedRung(distance=a, lower=0.0), min(a, 1.0)
        margins = _margins(rates, large=self.at.work > LARGE)
        for margin in margins if self.at.covers(a) and self.at.has_coherences else ():
            if self.stop():
                break
            proposal = least_error(self.at.data, near, rates, margin, self.solver)
            for one in self.at.variants(proposal, near):
                lower, witness = self.at.bound(one, near, rates)
                if best.witness is None or lower > best.reach:
                    best = CertifiedRung(distance=a, lower=lower, witness=witness)
            if proposal is None or proposal.claimed < FAILED:
                continue
            if best.reach >= WORTH * proposal.claimed or proposal.claimed < NEGLIGIBLE:
                break
        return best

    def _falling(self, found: dict[float, CertifiedRung]) -> tuple[CertifiedRung, ...]:
        """All rungs; what holds for all T <= a holds for fewer."""
        rungs: list[CertifiedRung] = []
        most = 0.0
        for a in reversed(self.distances):
            one = found.get(a, CertifiedRung(distance=a, lower=0.0))
            if one.reach < most:
                one = replace(rungs[-1], distance=a)
            most = one.reach
            rungs.append(replace(one, witness=None) if one.reach == 0 else one)
        return tuple(reversed(rungs))


def _margins(rates: RateBounds, *, large: bool) -> tuple[float | None, ...]:
    """Which s_r to ask for, one after the other, until something is certified."""
    if not rates.are_free:
        return (None,)
    margins = MARGINS[::-1] if large else MARGINS
    return margins if max(rates.upper) >= ANY_RATE else (*margins, None)
