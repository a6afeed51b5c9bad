"""Axes of a picture: where a value stands, how far the axis goes, which ticks it has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from lindfeas.files.columns import Axis
from lindfeas.pictures.intervals import SMALLEST
from lindfeas.pictures.labels import axis_label, number

WIDE = 100.0
"""Positive values that span this factor or more are drawn on a logarithmic axis."""


def is_numeric(axis: Axis) -> bool:
    """Whether the values of a swept key are numbers."""
    return axis.column.type in ("float64", "int64")


def spans_decades(values: Iterable[Any]) -> bool:
    """Whether the values are better read on a logarithmic axis."""
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) / min(finite) >= WIDE


def positions(axis: Axis) -> dict[Any, float]:
    """Where every value stands, in rising order; an infinite one, one step beyond the largest."""
    values: list[Any] = sorted(axis.values)
    finite = [value for value in values if math.isfinite(value)]
    beyond = _beyond(finite, axis.scale == "log")
    return {value: float(value) if math.isfinite(value) else beyond for value in values}


def places(axis: Axis) -> list[float]:
    """All places in rising order; an empty one before infinity, which nothing joins to the rest."""
    found = [*positions(axis).values()]
    if math.inf in axis.values and len(found) > 1:
        found.insert(-1, (found[-2] + found[-1]) / 2)
    return found


def _beyond(finite: list[float], log: bool) -> float:
    if len(finite) < 2:
        return 2 * finite[0] if finite and finite[0] > 0 else 1.0
    before, last = finite[-2:]
    return last * last / before if log else 2 * last - before


def edges(axis: Axis) -> NDArray[np.float64]:
    """Borders of the cells around all places: midpoints, and as far beyond both ends."""
    log = axis.scale == "log"
    places = np.array([*positions(axis).values()])
    at = np.log(places) if log else places
    inner = (at[1:] + at[:-1]) / 2
    ends = (2 * at[0] - inner[0], 2 * at[-1] - inner[-1]) if len(inner) else at[0] + [-0.5, 0.5]
    borders = np.array([ends[0], *inner, ends[1]])
    return np.exp(borders) if log else borders


def draw_axis(axes: Axes, which: str, axis: Axis) -> None:
    """Scale, label and ticks of the x or y axis of a swept key."""
    draw_numbers(axes, which, axis.key, log=axis.scale == "log")
    drawn = getattr(axes, f"{which}axis")
    if math.inf in axis.values:
        _infinite_tick(drawn, [*positions(axis).values()])
    elif axis.scale != "log" and all(float(value).is_integer() for value in axis.values):
        drawn.get_major_locator().set_params(integer=True)


def draw_numbers(axes: Axes, which: str, key: str, *, log: bool) -> None:
    """Scale and label of an axis with numbers of ``key`` that are no grid."""
    axes.set(**{f"{which}scale": "log" if log else "linear", f"{which}label": axis_label(key)})


def _infinite_tick(axis: Any, places: Sequence[float]) -> None:
    """The usual ticks up to the largest finite value, and one for infinity."""
    *finite, last = places
    usual = LogLocator() if axis.get_scale() == "log" else MaxNLocator(4)
    ticks = usual.tick_values(finite[0], finite[-1]) if finite else []
    ticks = [tick for tick in ticks if finite[0] <= tick <= finite[-1]]
    axis.set_ticks([*ticks, last], [*(f"${number(tick)}$" for tick in ticks), r"$\infty$"])
    axis.set_minor_locator(NullLocator())


LEAST_FILL = 0.6
"""The part of an axis that the data fill at least, if they span a factor 2 or more."""

LEAST_DECADES = 0.3
"""What a logarithmic axis shows at the least, to read the scale from."""


def log_limits(values: Iterable[float], wanted: Iterable[float] = ()) -> tuple[float, float]:
    """Ends of a logarithmic axis that shows all positive values above `SMALLEST`.

    There is room for what lies below, more if something does. The ``wanted`` values are shown too
    where the others still fill `LEAST_FILL` of the axis.
    """
    known = [value for value in values if not math.isnan(value)]
    positive = [value for value in known if value >= SMALLEST]
    low = math.log10(min(positive, default=SMALLEST))
    high = math.log10(max(positive, default=1.0))
    lacking = max(LEAST_DECADES - (high - low), 0.0)
    below = 0.4 if len(positive) < len(known) else 0.0
    low, high = low - 0.6 * lacking - below, high + 0.4 * lacking
    filled = high - low
    for value in sorted(filter(None, wanted), key=lambda value: abs(math.log10(value) - high)):
        ends = min(low, math.log10(value)), max(high, math.log10(value))
        if filled >= LEAST_FILL * _length(*ends):
            low, high = ends
    bottom, top = _roomy(low, high)
    return 10.0**bottom, 10.0**top


def _roomy(low: float, high: float) -> tuple[float, float]:
    """The decades with room on both sides."""
    room = max(0.08 * (high - low), 0.05)
    return low - room, high + room


def _length(low: float, high: float) -> float:
    bottom, top = _roomy(low, high)
    return top - bottom
