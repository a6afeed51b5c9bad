"""The certified intervals that a table gives for the quantity along y, curve by curve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lindfeas.pictures.arrangement import Row

DEFECT = "defect"
TRACE_DISTANCE = "trace-distance"
QUANTITIES = (DEFECT, TRACE_DISTANCE)

SMALLEST = 1e-16
"""What is below is drawn at the bottom of a logarithmic axis, with an arrow."""

LARGEST_DISTANCE = 1.0
"""No two states are farther apart in trace distance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What is certified at one point of a sweep.

    Parameters
    ----------
    x
        Where the point stands.
    lower, upper
        Both ends; None for a lower end that is not known.
    verdict
        ``impossible``, ``possible`` or ``undecided``.
    lemma1
        Lemma 1, for the trace distance only.
    """

    x: float
    lower: float | None
    upper: float
    verdict: str
    lemma1: float | None = None

    @property
    def found(self) -> float:
        """The upper end, the best Lindbladian found, as a logarithmic axis can show it.

        Where nothing was found, it is the lower end.
        """
        end = self.lower or 0.0 if self.is_open_above else self.upper
        return max(end, SMALLEST)

    @property
    def is_open_above(self) -> bool:
        """Whether there is no upper end."""
        return math.isinf(self.upper)

    @property
    def is_one_sided(self) -> bool:
        """Whether the lower end is known, but off a logarithmic axis."""
        return self.lower is not None and self.lower < SMALLEST

    @property
    def decades(self) -> float:
        """Length on a logarithmic axis."""
        if self.lower is None:
            return 0.0
        if self.is_one_sided or self.is_open_above:
            return math.inf
        return math.log10(self.found / self.lower)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The points of one curve, from the left to the right.

    Parameters
    ----------
    setting
        What the curve has fixed.
    intervals
        One per place of the x axis; None where there is no point or it knows nothing.
    places
        The places of the x axis.
    empty
        Where there is a point that knows nothing.
    """

    setting: Row
    places: tuple[float, ...]
    intervals: tuple[Interval | None, ...]
    empty: tuple[float, ...]

    @property
    def known(self) -> list[Interval]:
        """The intervals that there are."""
        return [item for item in self.intervals if item is not None]


def curve(
    rows: Iterable[Row], setting: Row, key: str, places: Mapping[Any, float], quantity: str
) -> Curve:
    """The curve of these rows along ``key``, whose values stand at ``places``."""
    found = {places[row[key]]: interval(row, places[row[key]], quantity) for row in rows}
    along = sorted(places.values())
    if any(math.isinf(value) for value in places) and len(along) > 1:
        # nothing is between the largest finite value and infinity: an empty place parts the curve
        along.insert(-1, (along[-2] + along[-1]) / 2)
    return Curve(
        setting=setting,
        places=tuple(along),
        intervals=tuple(found.get(place) for place in along),
        empty=tuple(place for place in along if place in found and found[place] is None),
    )


def interval(row: Row, x: float, quantity: str) -> Interval | None:
    """The interval of one row, None where the point failed or knows nothing of the quantity."""
    prefix = "" if quantity == DEFECT else "trace_distance_"
    lower, upper = row[f"{prefix}lower"], row[f"{prefix}upper"]
    lemma1 = None
    if quantity == TRACE_DISTANCE:
        lemma1 = row["trace_distance_lemma1"]
        if lower is not None and upper is None:
            upper = LARGEST_DISTANCE
    if row["verdict"] is None or upper is None or (math.isinf(upper) and not lower):
        return None
    return Interval(x=x, lower=lower, upper=upper, verdict=row["verdict"], lemma1=lemma1)


def extent(found: Iterable[Interval]) -> list[float]:
    """All numbers that a logarithmic axis should show."""
    numbers = []
    for item in found:
        numbers += [item.lower or 0.0, item.found, item.lemma1 or 0.0]
    return [number for number in numbers if number >= SMALLEST]
