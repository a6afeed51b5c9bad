"""A sweep along one key: certified intervals, verdicts and the tolerance, panel by panel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray
from pandas import DataFrame, concat

from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, asked, matching
from lindfeas.pictures.intervals import DEFECT, SMALLEST
from lindfeas.pictures.labels import axis_label, quantity_label, setting_label
from lindfeas.pictures.legends import (
    VISIBLE,
    draw_legend,
    failures,
    longest,
    off_scale,
    tolerances,
)
from lindfeas.pictures.scales import draw_axis, log_limits, places, positions

STEP = 3.2
"""Points by which neighbouring curves are displaced, where they would hide each other."""

HIDDEN = 0.03
"""Marks nearer than this part of the axis hide each other."""

CROWDED = 0.25
"""Curves that hide each other at this part of their points are displaced."""

CROWDED_SIZE = 3
"""Which of the sizes of `style.mark` the marks of displaced curves have."""

PALE = 0.5
"""Opacity of what is rounding."""


def draw_curves(axes: Axes, arranged: Arrangement, points: DataFrame, quantity: str) -> None:
    """The points of one panel, a curve per value of the keys that make curves."""
    target, norm = asked(points)
    alike = matching(arranged.points, {"target": target, "norm": norm})
    key = arranged.along[0].key
    shown = ["low", "found"] if quantity == DEFECT else ["low", "found", "lemma1"]
    if quantity == DEFECT and key == "question.tolerance":
        shown.append("tolerance")
    wanted = alike["tolerance"].dropna().unique() if quantity == DEFECT else ()
    axes.set_yscale("log")
    axes.set_ylim(log_limits(alike[shown].to_numpy().ravel(), wanted))
    axes.set_ylabel(quantity_label(quantity, target))
    draw_axis(axes, "x", arranged.along[0])
    _room_around(axes, float(points["x"].min()), float(points["x"].max()))
    looks, _ = _looks(arranged)
    step = STEP if is_crowded(axes, arranged, points) else 0.0
    for index, (setting, look) in enumerate(zip(arranged.curves, looks, strict=True)):
        shift = step * (index - (len(looks) - 1) / 2)
        size = CROWDED_SIZE if step else index
        curve = _Curve(axes, arranged, matching(points, setting), look, size, shift)
        # matplotlib leaves labels with an underscore out of legends
        curve.draw(setting_label(setting) if arranged.graded is None else "_", filled=not step)
    if quantity == DEFECT:
        _draw_tolerances(axes, points, key)


def curves_legend(drawn: Figure, arranged: Arrangement, quantity: str) -> None:
    """Curves on one side; verdicts, interval, tolerance and what is missing on the other."""
    together_legend(drawn, [arranged], quantity)


def together_legend(drawn: Figure, tables: Sequence[Arrangement], quantity: str) -> None:
    """One legend for the panels of several tables, or of one."""
    panels = [
        (arranged, matching(arranged.points, setting))
        for arranged in tables
        for setting in arranged.panels
    ]
    texts, remarks = {}, []
    if max(_longest_bar(*panel) for panel in zip(drawn.axes, panels, strict=True)) > VISIBLE:
        texts["interval"] = "certified interval"
    elif any(points["known"].any() for _, points in panels):
        has_bars = any(points.loc[points["known"], "low"].notna().any() for _, points in panels)
        remarks = ["intervals smaller than marks" if has_bars else "upper ends only"]
    if any(is_crowded(axes, *panel) for axes, panel in zip(drawn.axes, panels, strict=True)):
        remarks.append("curves set apart sideways")
    points = concat([arranged.points for arranged in tables])
    texts |= {"noise": "not told from 0", "lemma1": "Lemma 1", "tolerance": tolerances(points)}
    texts |= {name: f"{tolerances(points)}, {name.split()[-1]}" for name in off_scale()}
    _draw_colour_bar(drawn, tables[0])
    draw_legend(drawn, tables, texts | {"failed": failures(points)}, remarks)


def _longest_bar(axes: Axes, panel: tuple[Arrangement, DataFrame]) -> float:
    known = panel[1][panel[1]["known"]]
    return longest(axes, known["low"], known["high"].clip(lower=SMALLEST))


def _draw_colour_bar(drawn: Figure, arranged: Arrangement) -> None:
    """What the colours of many curves mean."""
    _, colours = _looks(arranged)
    if colours is not None and arranged.graded is not None:
        bar = drawn.colorbar(colours, ax=drawn.axes, pad=0.02, aspect=22)
        bar.set_label(axis_label(arranged.graded.key))
        style.inward(bar.ax)


def _looks(arranged: Arrangement) -> tuple[list[style.Look], ScalarMappable | None]:
    """The look of every curve, and the scale of colours if there is one."""
    axis = arranged.graded
    if axis is None:
        return [style.look(number) for number in range(len(arranged.curves))], None
    where = positions(axis)
    values = [where[setting[axis.key]] for setting in arranged.curves]
    return style.graded(values, log=axis.scale == "log")


def is_crowded(axes: Axes, arranged: Arrangement, points: DataFrame) -> bool:
    """Whether curves hide each other's marks at many of their points, or share intervals."""
    if len(arranged.curves) < 2 or arranged.graded is not None:
        return False
    if _bands_overlap(axes, arranged, points):
        return True
    heights = np.log10(_columns(arranged, points, "found"))
    bottom, top = np.log10(axes.get_ylim())
    near = np.zeros(heights.shape[1], dtype=bool)
    for one, other in combinations(heights, 2):
        near |= abs(one - other) < HIDDEN * (top - bottom)
    return bool(near.mean() >= CROWDED)


def _bands_overlap(axes: Axes, arranged: Arrangement, points: DataFrame) -> bool:
    """Whether the intervals of two curves share a visible part, so that colours would mix."""
    bottom, top = axes.get_ylim()
    low = np.clip(_columns(arranged, points, "low"), bottom, top)
    high = np.clip(_columns(arranged, points, "high"), bottom, top)
    for one, other in combinations(range(len(low)), 2):
        shared_low = np.fmax(low[one], low[other])
        shared_high = np.fmin(high[one], high[other])
        shared = np.log(shared_high / shared_low) / np.log(top / bottom)
        if np.any(shared > VISIBLE):
            return True
    return False


def _columns(arranged: Arrangement, points: DataFrame, name: str) -> NDArray[np.float64]:
    """Values of every curve at all places, shape (curves, places); nan where there is none."""
    where = places(arranged.along[0])
    curves = (matching(points, setting).set_index("x")[name] for setting in arranged.curves)
    return np.array([curve.reindex(where).to_numpy(dtype=float) for curve in curves])


def _room_around(axes: Axes, low: float, high: float) -> None:
    """Limits around all places, before anything is drawn.

    Matplotlib's own follow what has been drawn so far: a curve of one point at a time, around which
    they shrink to nothing by rounding errors.
    """
    margin = rcParams["axes.xmargin"]
    if axes.get_xscale() == "log":
        room = (high / low) ** margin if high > low else 10.0
        axes.set_xlim(low / room, high * room)
    else:
        room = margin * (high - low) if high > low else 0.05 * abs(low) or 1.0
        axes.set_xlim(low - room, high + room)


class _Curve:
    """One curve of a panel. Band and line guide the eye; bars and marks are what is certified."""

    def __init__(
        self,
        axes: Axes,
        arranged: Arrangement,
        points: DataFrame,
        look: style.Look,
        size: int,
        shift: float,
    ) -> None:
        self.axes, self.points, self.look, self.size = axes, points, look, size
        # where there is no point or it knows nothing, there is a gap
        self.curve = points.set_index("x").reindex(places(arranged.along[0]))
        self._shift = ScaledTranslation(shift / 72, 0.0, axes.figure.dpi_scale_trans)

    def draw(self, label: str, *, filled: bool) -> None:
        axes, curve, colour = self.axes, self.curve, self.look["color"]
        bottom, top = axes.get_ylim()
        x, found = curve.index, curve["found"]
        lower, upper = curve["low"].clip(bottom), curve["high"].clip(SMALLEST, top)
        noise = curve["noise"].fillna(False).astype(bool)
        data: style.Look = {"transform": self._moved(axes.transData)}
        if noise.any():
            axes.fill_between(x, bottom, upper, where=noise, **style.NOISE, **data)
        if filled:
            axes.fill_between(
                x, lower, upper, where=~noise, color=colour, alpha=0.22, lw=0, gid="band", **data
            )
        axes.plot(x, found.mask(noise), gid="guide", label=label, **self.look, **data)
        for pale, alpha in ((False, 1.0), (True, PALE)):
            bar: style.Look = {"lw": 1.5 * style.LINE, "alpha": alpha, "gid": "interval", **data}
            some = noise == pale
            if some.any():
                axes.vlines(x[some], lower[some], upper[some], color=colour, **bar)
        self._draw_marks(data)
        lemma1 = curve["lemma1"].where(curve["lemma1"] >= SMALLEST)
        if lemma1.notna().any():
            axes.plot(x, lemma1, gid="lemma1", lw=0.5 * style.LINE, **self.look, **data)

    def _draw_marks(self, data: dict[str, Any]) -> None:
        """Verdicts, pale where they rest on rounding; arrows and crosses at the edges."""
        axes, colour = self.axes, self.look["color"]
        known = self.points[self.points["known"]]
        for noise, alpha in ((False, 1.0), (True, PALE)):
            for verdict, found in known[known["noise"] == noise].groupby("verdict", observed=True):
                look = style.mark(verdict, colour, self.size)
                axes.plot(found["x"], found["found"], gid=verdict, alpha=alpha, **look, **data)
        below, above = known[known["low"] < SMALLEST], known[known["high"] == math.inf]
        failed = self.points[~self.points["known"]]
        edge = {"transform": self._moved(axes.get_xaxis_transform()), "color": colour}
        style.at_height(axes, below["x"], 0.0, "one-sided", **edge, **style.CARET_DOWN)
        style.at_height(axes, above["x"], 1.0, "open above", **edge, **style.CARET_UP)
        style.at_height(axes, failed["x"], 0.04, "failed", **edge, **style.CROSS)

    def _moved(self, transform: Transform) -> Transform:
        """Displaced sideways on the page; the data stay what they are."""
        return transform + self._shift


def _draw_tolerances(axes: Axes, points: DataFrame, key: str) -> None:
    """A level line for every tolerance, or the line y = x where it is swept along x.

    Where the axis does not reach, a black arrow at its end says where to.
    """
    values = sorted(points["tolerance"].dropna().unique())
    if key == "question.tolerance":
        axes.plot(values, values, **style.TOLERANCE)
        return
    bottom, top = axes.get_ylim()
    for value in values:
        if bottom <= value <= top:
            axes.axhline(value, **style.TOLERANCE)
    below, above = off_scale()
    ends = [(below, 0.0, style.CARET_DOWN)] if any(value < bottom for value in values) else []
    ends += [(above, 1.0, style.CARET_UP)] if any(value > top for value in values) else []
    for name, height, caret in ends:
        look: style.Look = {
            "color": "black",
            "transform": axes.transAxes,
            "clip_on": False,
            "zorder": 5,
        }
        axes.plot([0.96], [height], gid=name, **look, **caret)
