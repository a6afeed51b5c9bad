"""Where the verdict changes: brackets between a possible and an impossible value of one key."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame, Series

from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, matching
from lindfeas.pictures.labels import setting_label
from lindfeas.pictures.legends import VISIBLE, draw_legend, longest
from lindfeas.pictures.scales import draw_axis, draw_numbers, places, spans_decades
from lindfeas.program.verdict import Verdict

ENDS = ["last_possible", "first_impossible"]

_MARKS = {
    "first_impossible": (Verdict.IMPOSSIBLE, 0),
    "undecided_low": (Verdict.UNDECIDED, 4),
    "undecided_high": (Verdict.UNDECIDED, 4),
    "last_possible": (Verdict.POSSIBLE, 5),
}
"""Column with values of the key: their verdict and size; later ones are drawn on top.

A short bracket is a small open mark upon a large filled one.
"""


def draw_boundaries(axes: Axes, arranged: Arrangement, points: DataFrame, _: str) -> None:
    """One bracket per change of verdict in one panel, against the other swept key.

    The boundary's own key gets a logarithmic axis if it was swept on one, or spans decades.
    """
    every = arranged.points
    key = every["boundary_key"].iloc[0]
    values = every[[*_MARKS]].to_numpy()
    values = values[np.isfinite(values)]
    log = key in arranged.log_keys or spans_decades(values)
    draw_axis(axes, "x", arranged.along[0])
    draw_numbers(axes, "y", key, log=log)
    for index, setting in enumerate(arranged.curves):
        _draw_curve(axes, arranged, matching(points, setting), index)
    if len(values):
        low, high = values.min(), values.max()
        room = (high / low) ** 0.08 * 1.1 if log else 0.08 * (high - low) + 0.01 * abs(high)
        axes.set_ylim((low / room, high * room) if log else (low - room, high + room))
        _shade_possible(axes, arranged, points)


def boundary_legend(drawn: Figure, arranged: Arrangement, _: str) -> None:
    """The ends of a bracket, and what stands where there is none."""
    ends = arranged.points[ENDS].dropna()
    texts, remarks = {}, []
    if longest(drawn.axes[0], *ends.to_numpy().T) > VISIBLE:
        texts["interval"] = "verdict changes inside"
    elif len(ends):
        remarks = ["brackets smaller than marks"]
    several = "all curves" if len(arranged.curves) > 1 else "this side"
    texts["possible side"] = f"possible for {several}"
    directions = arranged.points["direction"].dropna().unique()
    remarks += [*directions] if len(ends) and len(directions) == 1 else []
    texts |= {"unchanged": "no change found", "failed": "no bracket"}
    draw_legend(drawn, [arranged], texts, remarks)


def _shade_possible(axes: Axes, arranged: Arrangement, points: DataFrame) -> None:
    """The side of all brackets on which it is possible for every curve, and a word for each side.

    Nothing where the directions differ, or a curve has no bracket or several at some place.
    """
    brackets = points.dropna(subset=ENDS)
    table = brackets.pivot_table(
        index="x", values="last_possible", aggfunc=["count", "min", "max"], observed=True
    )
    directions = brackets["direction"].dropna().unique()
    if len(directions) != 1 or len(table) < 2:
        return
    counted = table["count"]["last_possible"] == len(arranged.curves)
    below = directions[0] == "possible below"
    bottom, top = axes.get_ylim()
    edge = table["min" if below else "max"]["last_possible"].where(counted)
    axes.fill_between(edge.index, bottom if below else top, edge, **style.POSSIBLE_SIDE)
    _label_sides(axes, edge.dropna(), below=below)


def _label_sides(axes: Axes, edge: Series, *, below: bool) -> None:
    """The words where there is most room: in the middle of the shade, and in the far corner."""
    inner = edge.iloc[1:-1] if len(edge) > 2 else edge
    place = inner.idxmax() if below else inner.idxmin()
    x, y = axes.transAxes.inverted().transform(axes.transData.transform((place, inner[place])))
    words: style.Look = {"ha": "center", "va": "center", "style": "italic", "fontsize": style.SMALL}
    up: style.Look = {"transform": axes.transAxes, **words}
    gid = f"{Verdict.POSSIBLE} side label"
    axes.text(x, 0.45 * y if below else 0.55 + 0.45 * y, Verdict.POSSIBLE, gid=gid, **up)
    gid = f"{Verdict.IMPOSSIBLE} side label"
    corner: style.Look = {**up, "ha": "right", "va": "top" if below else "bottom"}
    axes.text(0.97, 0.97 if below else 0.03, Verdict.IMPOSSIBLE, gid=gid, **corner)


def _draw_curve(axes: Axes, arranged: Arrangement, points: DataFrame, index: int) -> None:
    look = style.look(index)
    colour = look["color"]
    brackets = points.dropna(subset=ENDS)
    # lines through the first, second, ... change; a guide for the eye only
    changes = brackets.assign(change=brackets["change"].fillna(0))
    lines = changes.pivot(index="x", columns="change", values="first_impossible")
    lines = lines.reindex([*places(arranged.along[0]), np.nan])
    guide = np.tile(lines.index, lines.shape[1]), lines.to_numpy().T.ravel()
    axes.plot(*guide, gid="guide", label=setting_label(arranged.curves[index]), **look)
    if len(brackets):
        low, high = brackets[ENDS].min(axis=1), brackets[ENDS].max(axis=1)
        axes.vlines(brackets["x"], low, high, color=colour, lw=1.5 * style.LINE, gid="interval")
    for column, (verdict, size) in _MARKS.items():
        found = brackets.dropna(subset=column)
        if len(found):
            axes.plot(found["x"], found[column], gid=verdict, **style.mark(verdict, colour, size))
    _draw_unchanged(axes, points.drop(index=brackets.index), colour)


def _draw_unchanged(axes: Axes, points: DataFrame, colour: str) -> None:
    """One verdict all along the key: its mark at both ends of a dotted line; a cross if none."""
    known = points["verdicts"].isin(style.MARKS)
    style.at_height(axes, points.loc[~known, "x"], 0.04, "failed", color=colour, **style.CROSS)
    for verdict, alike in points[known].groupby("verdicts"):
        up, look = axes.get_xaxis_transform(), style.mark(verdict, colour)
        axes.vlines(alike["x"], 0, 1, transform=up, color=colour, **style.UNCHANGED)
        for height in (0.03, 0.97):
            style.at_height(axes, alike["x"], height, f"all {verdict}", **look)
