"""Axes of a picture: where a value stands, how far the axis goes, which ticks it has."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lindfeas.pictures.arrangement import PlotAxis
from lindfeas.pictures.intervals import SMALLEST
from lindfeas.pictures.labels import axis_label, number
from lindfeas.pictures.style import TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def positions(axis: PlotAxis) -> dict[Any, float]:
    """Where every value stands; an infinite one, one step beyond the largest finite one."""
    finite = sorted(value for value in axis.values if math.isfinite(value))
    return {
        value: float(value) if math.isfinite(value) else _beyond(finite, axis.log)
        for value in axis.values
    }


def _beyond(finite: list[float], log: bool) -> float:
    if len(finite) < 2:
        return 2 * finite[0] if finite and finite[0] > 0 else 1.0
    before, last = finite[-2:]
    return last * last / before if log else 2 * last - before


def edges(places: Iterable[float], log: bool) -> list[float]:
    """Borders of the cells around sorted places: midpoints, and as far beyond both ends."""
    at = [math.log(place) if log else place for place in places]
    inner = [(a + b) / 2 for a, b in pairwise(at)]
    if inner:
        at = [2 * at[0] - inner[0], *inner, 2 * at[-1] - inner[-1]]
    else:
        at = [at[0] - 0.5, at[0] + 0.5]
    return [math.exp(edge) if log else edge for edge in at]


def draw_axis(axes: Axes, which: str, axis: PlotAxis) -> None:
    """Scale, label and ticks of the x or y axis of a swept key."""
    draw_numbers(axes, which, axis.key, log=axis.log)
    places = positions(axis)
    if math.inf in axis.values:
        _infinite_tick(getattr(axes, f"{which}axis"), places)
    elif not axis.log and all(float(value).is_integer() for value in axis.values):
        getattr(axes, f"{which}axis").get_major_locator().set_params(integer=True)


def draw_numbers(axes: Axes, which: str, key: str, *, log: bool) -> None:
    """Scale and label of an axis with numbers of ``key`` that are no grid."""
    if log:
        getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}label")(axis_label(key), fontsize=TEXT)


def _infinite_tick(axis: Any, places: dict[Any, float]) -> None:
    """The usual ticks up to the largest finite value, and one for infinity."""
    finite = [value for value in places if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    usual = _few_ticks(axis.get_scale() == "log").tick_values(low, high)
    ticks = [tick for tick in usual if low <= tick <= high]
    ticks = [*(ticks if finite else []), places[math.inf]]
    labels = [f"${number(tick)}$" for tick in ticks[:-1]]
    axis.set_ticks(ticks, [*labels, r"$\infty$"])
    axis.set_minor_locator(_no_ticks())


def _few_ticks(log: bool) -> Any:
    from matplotlib.ticker import LogLocator, MaxNLocator

    return LogLocator() if log else MaxNLocator(4)


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def log_limits(values: Iterable[float]) -> tuple[float, float]:
    """Ends of a logarithmic axis that shows all positive values above `SMALLEST`.

    There is room for what lies below, and at least one decade to read the scale from.
    """
    positive = [value for value in values if value >= SMALLEST]
    low = math.log10(min(positive, default=SMALLEST))
    high = math.log10(max(positive, default=1.0))
    room = max(0.08 * (high - low), 0.25)
    low, high = low - room, high + room
    if math.floor(high) - math.ceil(low) < 1:
        low, high = math.floor(low), math.ceil(high)
    return 10.0**low, 10.0**high
