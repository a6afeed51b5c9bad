"""What the marks, lines and fillings of a picture mean, and what it does not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike
from pandas import DataFrame

from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement
from lindfeas.pictures.labels import number

VISIBLE = 0.015
"""An interval shorter than this part of the axis, from the middle of its mark, is hidden by it."""


def draw_legend(
    drawn: Figure,
    tables: Sequence[Arrangement],
    texts: Mapping[str, str],
    remarks: Sequence[str] = (),
) -> None:
    """The labelled curves, what else the picture holds, and what it lacks.

    ``remarks`` have no symbol, and stand above the rows that have one. ``texts`` says what the
    artists mean, by their names (gid), in the order of the legend; verdicts come first, and mean
    themselves.
    """
    curves: dict[str, Any] = {}
    artists: dict[str, Any] = {}
    for axes in drawn.axes:
        handles, labels = axes.get_legend_handles_labels()
        curves.update(zip(labels, handles, strict=True))
        for artist in axes.get_children():
            artists.setdefault((artist.get_gid() or "").removeprefix("all "), artist)
    if "interval" in artists:
        colour = artists["interval"].get_color()
        artists["interval"] = Line2D([], [], color=colour, **style.UPRIGHT)
    texts = {**{verdict: verdict for verdict in style.MARKS}, **texts}
    marks = [artists[gid] for gid in texts if gid in artists]
    for gid in texts.keys() & artists.keys():
        artists[gid].set_label(texts[gid])
    missing = sum(arranged.missing for arranged in tables)
    if missing:
        planned = sum(arranged.planned for arranged in tables)
        seen = " (white)" if len(tables[0].along) > 1 else ""
        remarks = [*remarks, f"{missing} of {planned} points missing{seen}"]
    style.legend(drawn, [*curves.values()], marks, remarks)


def off_scale() -> tuple[str, str]:
    """Names (gid) of the arrows that stand for a tolerance below and above the axis."""
    return "tolerance below", "tolerance above"


def longest(axes: Axes, low: ArrayLike, high: ArrayLike) -> float:
    """Length of the longest interval, as a part of the axis along y; nan is no end."""
    scale = axes.yaxis.get_transform()
    lengths = scale.transform(np.asarray(high)) - scale.transform(np.asarray(low))
    bottom, top = scale.transform(np.array(axes.get_ylim()))
    return float(np.fmax.reduce(abs(lengths), initial=0.0) / (top - bottom))


def tolerances(points: DataFrame) -> str:
    """The tolerances, spelt out if they are few."""
    values = sorted(points["tolerance"].dropna().unique())
    text = ", ".join(f"${number(value)}$" for value in values if len(values) <= 3)
    return f"tolerance {text}".strip()


def failures(points: DataFrame) -> str:
    """How many points know nothing of what is drawn."""
    unknown = points.loc[~points["known"], "verdict"]
    return f"{'no value' if unknown.notna().any() else 'failed'} ({len(unknown)})"
