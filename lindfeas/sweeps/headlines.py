"""Headline numbers and claims of the published figures, computed again.

The source is S. Sarma, M. Kulkarni, A. Purkayastha and D. Tupkary, *Semidefinite programming for
understanding limitations of Lindblad equations*, in the version of 3 February 2026 (the SDP-paper).
Single values are quoted from it. What becomes of each is computed, never written down here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lindfeas.answers.certify import certify
from lindfeas.physics.models.xxz import xxz_chain
from lindfeas.physics.systems.bath import Bath
from lindfeas.program.question import Question
from lindfeas.program.rates import Rates
from lindfeas.program.verdict import Verdict

VERSION = "3 February 2026"
"""Of the SDP-paper."""

TOLERANCE = 1e-6
"""The SDP-paper's: a defect from here on is called impossible."""

FIELD = 0.5
FREE_RATES = 1e4


class Fate(StrEnum):
    """What becomes of a printed value or a claim beside a certified interval."""

    AGREES = "agrees"
    TOO_LOW = "lower than any Lindbladian reaches"
    TOO_HIGH = "higher than the optimum"
    SURVIVES = "survives"
    FALLS = "does not survive"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A printed value, or a claim, with the point of the figure that it is about.

    Parameters
    ----------
    where
        Figure, table or section of the SDP-paper.
    claim
        ``impossible`` or ``possible`` at the tolerance; None for a value.
    printed
        The defect as printed, to as many digits as are quoted; None for a claim.
    left, middle, right
        Numbers of qubits in the left bath, in none, and in the right one.
    coupling, beta_left, beta_right
        The exchange g, and the inverse temperatures.
    bias
        Relative surplus of the field on the right half of the chain (Appendix C).
    coherences
        Whether the coherences must come out too (in the spectral norm).
    free_rates
        Whether each rate may be anything up to `FREE_RATES`, in place of 1.
    remark
        What is known of where the printed value comes from.
    """

    where: str
    claim: Verdict | None = None
    printed: Decimal | None = None
    left: int = 1
    middle: int = 2
    right: int = 1
    coupling: float
    beta_left: float = 1.0
    beta_right: float = 10.0
    bias: float = 0.0
    coherences: bool = False
    free_rates: bool = False
    remark: str = ""

    @property
    def chain(self) -> str:
        """The chain and the target in words."""
        asked = "populations and coherences" if self.coherences else "populations"
        rates = ", free rates" if self.free_rates else ""
        bias = f", bias {self.bias:g}" if self.bias else ""
        return f"{self.left}+{self.middle}+{self.right} {asked}{bias}{rates}"

    @property
    def point(self) -> str:
        """The parameters in words."""
        return f"g = {self.coupling:g}, beta = {self.beta_left:g} and {self.beta_right:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A headline beside what is certified for it: the ends of the optimal defect (epsilon^2)."""

    headline: Headline
    lower: float
    upper: float

    @property
    def fate(self) -> Fate:
        """Printed digits stand for the interval of all numbers that round to them."""
        printed = self.headline.printed
        if printed is not None:
            half = Decimal((0, (5,), int(printed.as_tuple().exponent) - 1))
            if float(printed + half) < self.lower:
                return Fate.TOO_LOW
            return Fate.TOO_HIGH if float(printed - half) > self.upper else Fate.AGREES
        if self.lower < TOLERANCE <= self.upper:
            return Fate.OPEN
        found = Verdict.IMPOSSIBLE if self.lower >= TOLERANCE else Verdict.POSSIBLE
        return Fate.SURVIVES if found == self.headline.claim else Fate.FALLS

    @property
    def off(self) -> float | None:
        """How far the printed value is outside of the interval, relative to its nearer end."""
        if self.fate not in (Fate.TOO_LOW, Fate.TOO_HIGH):
            return None
        printed = float(self.headline.printed or 0)
        end = self.lower if self.fate == Fate.TOO_LOW else self.upper
        return abs(printed - end) / end

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        asked = asdict(self.headline)
        asked["claim"] = None if self.headline.claim is None else str(self.headline.claim)
        asked["printed"] = None if self.headline.printed is None else float(self.headline.printed)
        return {
            **asked,
            "lower": self.lower,
            "upper": self.upper,
            "fate": str(self.fate),
            "off": self.off,
        }


_PAIRS: dict[str, Any] = {"left": 2, "middle": 2, "right": 2}

HEADLINES = (
    Headline(where="Table I, Sec. III A", claim=Verdict.IMPOSSIBLE, coupling=0.01),
    Headline(where="Fig. 2(c)", printed=Decimal("1.056e-4"), coupling=0.001),
    Headline(where="Fig. 2(d)", printed=Decimal("0.0961"), coupling=0.001, coherences=True),
    Headline(
        where="Fig. 2(d)",
        printed=Decimal("0.0502"),
        coupling=0.15199111,
        coherences=True,
        remark="printed with the sign of L2 reversed",
    ),
    Headline(
        where="Fig. A1(a)",
        printed=Decimal("5.5e-8"),
        coupling=0.1,
        beta_left=10.0,
        bias=0.01,
        remark="printed in the eigenbasis of another Hamiltonian",
    ),
    Headline(where="Table I, Sec. III B", claim=Verdict.POSSIBLE, coupling=0.01, **_PAIRS),
    Headline(where="Sec. III B, g < 0.1", claim=Verdict.POSSIBLE, coupling=0.0811, **_PAIRS),
    Headline(
        where="Fig. 3(a)",
        printed=Decimal("3.54e-9"),
        coupling=0.01,
        beta_left=0.15199111,
        remark="below 1e-7 the printed optima are noise",
        **_PAIRS,
    ),
    Headline(where="Fig. 3(c)", printed=Decimal("1.0694e-6"), coupling=0.0231013, **_PAIRS),
    Headline(
        where="Sec. III B, at equilibrium",
        claim=Verdict.POSSIBLE,
        coupling=0.01,
        beta_left=10.0,
        coherences=True,
        **_PAIRS,
    ),
    Headline(
        where="Sec. III C, Fig. 5, two temperatures",
        claim=Verdict.IMPOSSIBLE,
        left=1,
        middle=0,
        right=2,
        coupling=0.0123,
        beta_right=5.0,
        coherences=True,
    ),
    Headline(
        where="Sec. I, for any Lindbladian",
        claim=Verdict.IMPOSSIBLE,
        left=1,
        middle=0,
        right=2,
        coupling=0.0123,
        beta_right=5.0,
        coherences=True,
        free_rates=True,
    ),
)
"""In the order of the SDP-paper's sections, as far as they are one point each."""


def question(headline: Headline) -> Question:
    """What the headline asks; omega_0/2 of the published data is the field 0.5."""
    sites = headline.left + headline.middle + headline.right
    raised = FIELD * (1 + headline.bias)
    baths = [
        Bath(name="left", sites=tuple(range(headline.left)), beta=headline.beta_left),
        Bath(
            name="right",
            sites=tuple(range(sites - headline.right, sites)),
            beta=headline.beta_right,
        ),
    ]
    half = sites // 2
    chain = xxz_chain(
        sites=sites,
        field=[FIELD] * half + [raised] * (sites - half),
        coupling=headline.coupling,
        baths=baths,
    )
    return Question(
        system=chain,
        target="populations+coherences" if headline.coherences else "populations",
        rates=Rates.range(0.0, FREE_RATES) if headline.free_rates else Rates.each(1.0),
        tolerance=TOLERANCE,
    )


def outcomes() -> Iterator[Outcome]:
    """Every headline computed again, one after the other."""
    for headline in HEADLINES:
        answer = certify(question(headline), sharp=False, check=False)
        yield Outcome(headline=headline, lower=answer.lower, upper=answer.upper)
