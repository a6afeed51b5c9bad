"""A sweep along one key: certified intervals, verdicts and the tolerance, panel by panel."""

from __future__ import annotations

import math

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, asked, matching
from lindfeas.pictures.intervals import DEFECT, SMALLEST
from lindfeas.pictures.labels import quantity_label, setting_label
from lindfeas.pictures.legends import VISIBLE, draw_legend, failures, longest, tolerances
from lindfeas.pictures.scales import draw_axis, log_limits, places


def draw_curves(axes: Axes, arranged: Arrangement, points: DataFrame, quantity: str) -> None:
    """The points of one panel, a curve per value of the keys that make curves."""
    target, norm = asked(points)
    alike = matching(arranged.points, {"target": target, "norm": norm})
    further = "tolerance" if quantity == DEFECT else "lemma1"
    axes.set_yscale("log")
    axes.set_ylim(log_limits(alike[["low", "found", further]].to_numpy().ravel()))
    axes.set_ylabel(quantity_label(quantity, target))
    draw_axis(axes, "x", arranged.along[0])
    _room_around(axes, float(points["x"].min()), float(points["x"].max()))
    for index, setting in enumerate(arranged.curves):
        _draw_curve(axes, arranged, matching(points, setting), index)
    if quantity == DEFECT:
        _draw_tolerances(axes, points, arranged.along[0].key)


def curves_legend(drawn: Figure, arranged: Arrangement, quantity: str) -> None:
    """Curves on one side; verdicts, interval, tolerance and what is missing on the other."""
    points = arranged.points
    known = points[points["known"]]
    panels = [matching(known, setting) for setting in arranged.panels]
    lengths = [
        longest(axes, panel["low"], panel["high"].clip(lower=SMALLEST))
        for axes, panel in zip(drawn.axes, panels, strict=True)
    ]
    texts, remarks = {}, []
    if max(lengths) > VISIBLE:
        texts["interval"] = "certified interval"
    elif len(known):
        has_bars = known["low"].notna().any()
        remarks = ["intervals smaller than marks" if has_bars else "upper ends only"]
    texts |= {"lemma1": "Lemma 1", "tolerance": tolerances(points), "failed": failures(points)}
    draw_legend(drawn, arranged, texts, remarks)


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


def _draw_curve(axes: Axes, arranged: Arrangement, points: DataFrame, index: int) -> None:
    """Band and line guide the eye; bars and marks are what is certified."""
    look = style.look(index)
    colour = look["color"]
    bottom, top = axes.get_ylim()
    # where there is no point or it knows nothing, there is a gap
    curve = points.set_index("x").reindex(places(arranged.along[0]))
    x, lower, upper = curve.index, curve["low"].clip(bottom), curve["high"].clip(SMALLEST, top)
    axes.fill_between(x, lower, upper, color=colour, alpha=0.22, lw=0, gid="band")
    axes.plot(x, curve["found"], gid="guide", label=setting_label(arranged.curves[index]), **look)
    axes.vlines(x, lower, upper, color=colour, lw=1.5 * style.LINE, gid="interval")
    known = points[points["known"]]
    for verdict, found in known.groupby("verdict", observed=True):
        axes.plot(found["x"], found["found"], gid=verdict, **style.mark(verdict, colour, index))
    below, above = known[known["low"] < SMALLEST], known[known["high"] == math.inf]
    style.at_height(axes, below["x"], 0.0, "one-sided", color=colour, **style.CARET_DOWN)
    style.at_height(axes, above["x"], 1.0, "open above", color=colour, **style.CARET_UP)
    failed = points[~points["known"]]
    style.at_height(axes, failed["x"], 0.04, "failed", color=colour, **style.CROSS)
    lemma1 = curve["lemma1"].where(curve["lemma1"] >= SMALLEST)
    if lemma1.notna().any():
        axes.plot(x, lemma1, gid="lemma1", lw=0.5 * style.LINE, **look)


def _draw_tolerances(axes: Axes, points: DataFrame, key: str) -> None:
    """A level line for every tolerance, or the line y = x where it is swept along x."""
    values = sorted(points["tolerance"].dropna().unique())
    if key == "question.tolerance":
        axes.plot(values, values, **style.TOLERANCE)
    else:
        for value in values:
            axes.axhline(value, **style.TOLERANCE)
