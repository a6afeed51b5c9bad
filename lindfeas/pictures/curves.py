"""A sweep along one key: certified intervals, verdicts and the tolerance, panel by panel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, Row, asked, matching
from lindfeas.pictures.intervals import DEFECT, SMALLEST, Curve, Interval, curve, extent
from lindfeas.pictures.labels import DISTANCE_LABEL, defect_label, target_label
from lindfeas.pictures.legends import curves_legend
from lindfeas.pictures.scales import draw_axis, log_limits, positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_curves(arranged: Arrangement, quantity: str) -> Figure:
    """One panel per value of the panels' keys, one curve per value of the others."""
    drawn, panels = style.panels(len(arranged.panels))
    rows = [matching(arranged.rows, setting) for setting in arranged.panels]
    content = [_curves(arranged, points, quantity) for points in rows]
    limits = [log_limits(_numbers(*pair, quantity)) for pair in zip(rows, content, strict=True)]
    for number, axes in enumerate(panels):
        same = [n for n in range(len(rows)) if asked(rows[n]) == asked(rows[number])]
        bottom, top = min(limits[n][0] for n in same), max(limits[n][1] for n in same)
        axes.set_yscale("log")
        axes.set_ylim(bottom, top)
        draw_axis(axes, "x", arranged.x)
        several = _room_for_all(axes, content[number], arranged.x.log)
        target, _ = asked(rows[number])
        label = defect_label(target) if quantity == DEFECT else DISTANCE_LABEL
        axes.set_ylabel(label, fontsize=style.TEXT)
        for index, item in enumerate(content[number]):
            _draw_curve(axes, item, index)
        if quantity == DEFECT:
            _draw_tolerances(axes, rows[number], arranged.x.key)
        if several:
            axes.autoscale(axis="x")
    titles = [target_label(*asked(r), p) for r, p in zip(rows, arranged.panels, strict=True)]
    style.panel_titles(panels, titles)
    curves_legend(drawn, arranged, content, quantity)
    return drawn


def _curves(arranged: Arrangement, rows: Sequence[Row], quantity: str) -> list[Curve]:
    places = positions(arranged.x)
    return [
        curve(matching(rows, setting), setting, arranged.x.key, places, quantity)
        for setting in arranged.curves
    ]


def _numbers(rows: Sequence[Row], content: Sequence[Curve], quantity: str) -> list[float]:
    tolerances = [row["tolerance"] for row in rows if row["tolerance"] is not None]
    found = [number for item in content for number in extent(item.known)]
    return [*found, *(tolerances if quantity == DEFECT else [])]


def _room_for_all(axes: Axes, content: Sequence[Curve], log: bool) -> bool:
    """Fix the limits of x while curves are drawn, and say whether the points have several places.

    Around a single place, matplotlib's own limits shrink to nothing by rounding errors.
    """
    places = {x for item in content for x in (*(i.x for i in item.known), *item.empty)}
    if places:
        low, high = min(places), max(places)
        room = 10.0 if log else 0.05 * max(abs(low), abs(high)) or 1.0
        axes.set_xlim((low / room, high * room) if log else (low - room, high + room))
    return len(places) > 1


def _draw_curve(axes: Axes, item: Curve, index: int) -> None:
    """Band and line guide the eye; bars and marks are what is certified."""
    colour = style.COLOURS[index]
    lower, upper = _ends(item.intervals, *axes.get_ylim())
    found = [math.nan if interval is None else interval.found for interval in item.intervals]
    axes.fill_between(item.places, lower, upper, color=colour, alpha=0.22, lw=0, gid="band")
    axes.plot(item.places, found, gid="guide", **style.curve_line(index))
    axes.vlines(item.places, lower, upper, color=colour, lw=1.5 * style.LINE, gid="interval")
    for verdict in style.MARKS:
        chosen = [interval for interval in item.known if interval.verdict == verdict]
        x, y = [interval.x for interval in chosen], [interval.found for interval in chosen]
        if chosen:
            axes.plot(x, y, gid=verdict, zorder=3, **style.mark(verdict, colour, index))
    below = [interval.x for interval in item.known if interval.is_one_sided]
    style.at_height(axes, below, gid="one-sided", **style.caret(colour))
    above = [interval.x for interval in item.known if interval.is_open_above]
    style.at_height(axes, above, 1.0, gid="open above", **style.caret(colour, up=True))
    style.at_height(axes, item.empty, 0.04, gid="failed", **style.failed_mark(colour))
    _draw_lemma1(axes, item, index)


def _ends(
    intervals: Sequence[Interval | None], bottom: float, top: float
) -> tuple[list[float], list[float]]:
    """Lower and upper ends as drawn between the ends of the axis, nan where there is a gap."""
    lower, upper = [], []
    for item in intervals:
        upper.append(math.nan if item is None else max(min(item.upper, top), SMALLEST))
        known = None if item is None else item.lower
        lower.append(math.nan if known is None else max(known, bottom))
    return lower, upper


def _draw_lemma1(axes: Axes, item: Curve, index: int) -> None:
    found = {interval.x: interval.lemma1 or 0.0 for interval in item.known}
    lemma1 = [y if (y := found.get(x, 0.0)) >= SMALLEST else math.nan for x in item.places]
    if not all(map(math.isnan, lemma1)):
        axes.plot(item.places, lemma1, gid="lemma1", **style.lemma1_line(index))


def _draw_tolerances(axes: Axes, rows: Sequence[Row], key: str) -> None:
    """A level line for every tolerance, or the line y = x where it is swept along x."""
    values = sorted({row["tolerance"] for row in rows if row["tolerance"] is not None})
    if key == "question.tolerance":
        axes.plot(values, values, gid="tolerance", **style.TOLERANCE_LINE)
    else:
        for value in values:
            axes.axhline(value, gid="tolerance", **style.TOLERANCE_LINE)
