"""Where a verdict changes along one parameter: brackets by bisection at short decimals.

Every end of a bracket was evaluated and decided; nothing is interpolated. A bracket says that the
verdict changes within it at least once, and an odd number of times. It says nothing about what
happens between two neighbouring values with the same verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from itertools import groupby, pairwise

from lindfeas.errors import End
from lindfeas.program.verdict import Verdict

PRECISION = 60
"""Digits of the arithmetic between decimals."""

OFF_CENTRE = 32
"""A midpoint may be moved by this fraction of the way to the nearer end to have fewer digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One value of the parameter, and what was certified there.

    Parameters
    ----------
    value
        Exactly the decimal that was evaluated.
    verdict
        ``possible``, ``impossible`` or ``undecided``; None if an error was raised.
    lower, upper
        Certified bounds on the optimal defect.
    distance_lower, distance_upper
        Certified bounds on the least trace distance.
    solver
        Whose numbers gave them.
    error
        The error in one line.
    """

    value: Decimal
    verdict: str | None
    lower: float | None = None
    upper: float | None = None
    distance_lower: float | None = None
    distance_upper: float | None = None
    solver: str | None = None
    error: str | None = None

    @property
    def is_decided(self) -> bool:
        """Whether a verdict was certified."""
        return self.verdict in (Verdict.POSSIBLE, Verdict.IMPOSSIBLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Two values with opposite certified verdicts, and nothing decided between them.

    Parameters
    ----------
    below, above
        The smaller and the larger value.
    between
        What was evaluated between them without a verdict, in rising order.
    proved
        Whether the verdict at `first_impossible` was proved in ball arithmetic; None if not asked.
    """

    below: Evaluation
    above: Evaluation
    between: tuple[Evaluation, ...] = ()
    proved: bool | None = None

    @property
    def direction(self) -> str:
        """``possible below`` or ``impossible below``."""
        return f"{self.below.verdict} below"

    @property
    def last_possible(self) -> Evaluation:
        """The end that was certified possible."""
        return self.below if self.below.verdict == Verdict.POSSIBLE else self.above

    @property
    def first_impossible(self) -> Evaluation:
        """The end that was certified impossible."""
        return self.above if self.below.verdict == Verdict.POSSIBLE else self.below


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """How distances between values are measured.

    Parameters
    ----------
    log
        Whether the parameter is positive and counts in ratios.
    width
        A bracket [a, b] is narrow if b - a <= width * a, or without ``log`` width * ``largest``.
    largest
        The largest magnitude that the parameter takes.
    """

    log: bool
    width: Decimal
    largest: Decimal

    def is_narrow(self, below: Decimal, above: Decimal) -> bool:
        """Whether nothing more is to be gained between two values."""
        with localcontext(prec=PRECISION):
            return above - below <= self.width * (below if self.log else self.largest)

    def middle(self, below: Decimal, above: Decimal) -> Decimal:
        """A decimal near the (geometric) mean, with no more digits than its place needs."""
        with localcontext(prec=PRECISION) as context:
            mean = (below * above).sqrt(context) if self.log else (below + above) / 2
            allowed = min(mean - below, above - mean) / OFF_CENTRE
            for digits in range(1, PRECISION):
                rounded = Context(prec=digits).plus(mean)
                if abs(rounded - mean) <= allowed:
                    return rounded
            return mean


def spacing(values: Sequence[Decimal], scale: str, width: Decimal) -> Spacing:
    """The spacing of an axis: listed values count in ratios where they are all positive."""
    log = scale == "log" or (scale != "linear" and min(values) > 0)
    return Spacing(log=log, width=width, largest=max(abs(value) for value in values))


def search(
    evaluate: Callable[[Decimal], Evaluation], values: Iterable[Decimal], rule: Spacing
) -> tuple[Evaluation, ...]:
    """Evaluate all ``values``, then bisect every change between them until it is narrow.

    Parameters
    ----------
    evaluate
        What is certified at one value.
    values
        The coarse grid, in any order.
    rule
        When a bracket is narrow enough.

    Returns
    -------
    tuple of Evaluation
        In rising order. A bracket of length L takes at most log(L / narrow) / log(2 - 1/16)
        bisections, rounded up, where ``narrow`` is the length that is narrow enough (lengths of
        logarithms with ``rule.log``); twice as many if values without a verdict lie in it, because
        both sides of these are refined.
    """
    found = [evaluate(value) for value in sorted(set(values))]
    while (value := _next(found, rule)) is not None:
        found = sorted([*found, evaluate(value)], key=lambda evaluation: evaluation.value)
    return tuple(found)


def changes(found: Sequence[Evaluation]) -> tuple[Change, ...]:
    """All changes of the verdict in evaluations that are in rising order."""
    decided = [number for number, evaluation in enumerate(found) if evaluation.is_decided]
    return tuple(
        Change(below=found[i], above=found[j], between=tuple(found[i + 1 : j]))
        for i, j in pairwise(decided)
        if found[i].verdict != found[j].verdict
    )


def verdicts(found: Sequence[Evaluation]) -> tuple[str, ...]:
    """The verdicts in rising order, repeated ones once, ``failed`` among them."""
    return tuple(verdict for verdict, _ in groupby(item.verdict or End.FAILED for item in found))


def _next(found: Sequence[Evaluation], rule: Spacing) -> Decimal | None:
    """The next value to evaluate; None if all brackets are narrow."""
    for change in changes(found):
        if rule.is_narrow(change.below.value, change.above.value):
            continue
        for below, above in _gaps(change):
            if not rule.is_narrow(below, above):
                return rule.middle(below, above)
    return None


def _gaps(change: Change) -> list[tuple[Decimal, Decimal]]:
    """What to bisect: the bracket, or what is left of it on both sides of the undecided zone."""
    values = [change.below.value, *(item.value for item in change.between), change.above.value]
    return [(values[0], values[1]), (values[-2], values[-1])]
