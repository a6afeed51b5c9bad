"""Where the verdict changes: brackets between a possible and an impossible value of one key."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lindfeas.answer import IMPOSSIBLE, POSSIBLE, UNDECIDED
from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, Row, asked, matching, spans_decades
from lindfeas.pictures.labels import target_label
from lindfeas.pictures.legends import boundary_legend
from lindfeas.pictures.scales import draw_axis, draw_numbers, positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_SIZES = {POSSIBLE: 5, IMPOSSIBLE: 0, UNDECIDED: 4}
"""A short bracket is a small open mark upon a large filled one."""

_COLUMNS = {
    IMPOSSIBLE: ("first_impossible",),
    UNDECIDED: ("undecided_low", "undecided_high"),
    POSSIBLE: ("last_possible",),
}
"""Verdict: the columns with values of the key that have it; later ones are drawn on top."""


def draw_boundaries(arranged: Arrangement, log_keys: Collection[str] = ()) -> Figure:
    """One bracket per change of verdict, against the other swept key.

    The key of the boundary gets a logarithmic axis if it is one of ``log_keys`` or spans decades.
    """
    drawn, panels = style.panels(len(arranged.panels))
    key = str(arranged.rows[0]["boundary_key"])
    log = key in log_keys or spans_decades(_values(arranged.rows))
    for axes, setting in zip(panels, arranged.panels, strict=True):
        draw_axis(axes, "x", arranged.x)
        draw_numbers(axes, "y", key, log=log)
        for index, curve in enumerate(arranged.curves):
            _draw_curve(axes, arranged, matching(arranged.rows, setting, curve), index)
    _share_limits(panels, _values(arranged.rows), log)
    rows = [matching(arranged.rows, setting) for setting in arranged.panels]
    titles = [target_label(*asked(r), p) for r, p in zip(rows, arranged.panels, strict=True)]
    style.panel_titles(panels, titles)
    boundary_legend(drawn, arranged)
    return drawn


def _values(rows: Iterable[Row]) -> list[float]:
    columns = [column for names in _COLUMNS.values() for column in names]
    found = [row[column] for row in rows for column in columns]
    return [value for value in found if value is not None and math.isfinite(value)]


def _share_limits(panels: Sequence[Axes], values: Sequence[float], log: bool) -> None:
    """The same range in all panels, with room for the marks at its ends."""
    if not values:
        return
    low, high = min(values), max(values)
    room = (high / low) ** 0.08 * 1.1 if log else 0.08 * (high - low) + 0.01 * abs(high)
    for axes in panels:
        axes.set_ylim((low / room, high * room) if log else (low - room, high + room))


def _draw_curve(axes: Axes, arranged: Arrangement, rows: Sequence[Row], index: int) -> None:
    colour = style.COLOURS[index]
    places = positions(arranged.x)
    brackets = [row for row in rows if None not in _ends(row)]
    x = [places[row[arranged.x.key]] for row in brackets]
    ends = [_ends(row) for row in brackets]
    if brackets:
        low, high = [min(pair) for pair in ends], [max(pair) for pair in ends]
        axes.vlines(x, low, high, color=colour, lw=1.5 * style.LINE, gid="interval")
        _draw_guides(axes, arranged, brackets, index)
    for verdict, columns in _COLUMNS.items():
        points = [
            (place, row[column])
            for place, row in zip(x, brackets, strict=True)
            for column in columns
            if row[column] is not None
        ]
        if points:
            look = style.mark(verdict, colour, _SIZES[verdict])
            axes.plot(*zip(*points, strict=True), gid=verdict, zorder=3, **look)
    for row in rows:
        if None in _ends(row):
            _draw_unchanged(axes, places[row[arranged.x.key]], row, colour)


def _ends(row: Row) -> tuple[Any, Any]:
    return row["last_possible"], row["first_impossible"]


def _draw_guides(axes: Axes, arranged: Arrangement, rows: Sequence[Row], index: int) -> None:
    """Lines through the first, second, ... change; a guide for the eye only."""
    places = positions(arranged.x)
    for change in sorted({row["change"] or 0 for row in rows}):
        found = {
            places[row[arranged.x.key]]: row["first_impossible"]
            for row in rows
            if (row["change"] or 0) == change
        }
        along = sorted(places.values())
        y = [found.get(place, math.nan) for place in along]
        axes.plot(along, y, gid="guide", **style.curve_line(index))


def _draw_unchanged(axes: Axes, x: float, row: Row, colour: str) -> None:
    """One verdict all along the key: its mark at both ends of a dotted line; a cross if none."""
    verdict = row["verdicts"]
    if verdict not in style.MARKS:
        style.at_height(axes, [x], 0.04, gid="failed", **style.failed_mark(colour))
        return
    transform = axes.get_xaxis_transform()
    axes.plot([x, x], [0, 1], gid="unchanged", transform=transform, **style.unchanged_line(colour))
    look = style.mark(verdict, colour)
    axes.plot([x, x], [0.03, 0.97], gid=f"all {verdict}", transform=transform, **look)
