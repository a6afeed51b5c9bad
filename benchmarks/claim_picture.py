"""The picture at the top of the documentation: ``python -m benchmarks.claim_picture`` draws it.

A chain between a hot and a cold bath, and how near any allowed Lindblad equation comes to its
populations, from the table in `results/figure-2c`: nothing is computed here.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch
from pandas import DataFrame

from benchmarks.commands import ROOT
from lindfeas.files.table import read_table
from lindfeas.pictures import style
from lindfeas.pictures.labels import axis_label
from lindfeas.pictures.saving import save

FILE = ROOT / "docs" / "_static" / "claim.png"
TABLE = ROOT / "results" / "figure-2c"

COLDEST = 10.0
"""Inverse temperature of the right bath; the left one has 1."""

HOT, COLD, FOUND = "#d55e00", "#0072b2", "#0072b2"


def points() -> DataFrame:
    """The curve that is drawn, in rising order of the coupling."""
    rows = read_table(TABLE).to_pandas()
    return rows[rows["bath.right.beta"] == COLDEST].sort_values("system.coupling")


def figure() -> Figure:
    """The sketch on the left, the certified bound on the right."""
    with style.applied():
        drawn = Figure(figsize=(style.PAGE, 2.6))
        sketch, axes = drawn.subplots(1, 2, width_ratios=(0.8, 1))
        _draw_chain(sketch)
        _draw_bound(axes, points())
    return drawn


def _draw_chain(axes: Axes) -> None:
    axes.set(xlim=(-1.9, 4.9), ylim=(-2.2, 2.2), aspect="equal")
    axes.axis("off")
    axes.plot([-0.7, 3.7], [0.6, 0.6], color="black", lw=1.2, zorder=1)
    for site in range(4):
        axes.add_patch(Circle((site, 0.6), 0.28, facecolor="white", edgecolor="black", zorder=2))
    for left, colour, name in ((-1.75, HOT, "hot"), (3.7, COLD, "cold")):
        box: dict[str, Any] = {"boxstyle": "round,pad=0.05", "facecolor": colour, "lw": 0}
        axes.add_patch(FancyBboxPatch((left, 0.0), 1.05, 1.2, zorder=2, **box))
        middle = {"ha": "center", "va": "center", "color": "white", "fontsize": style.TEXT}
        axes.text(left + 0.52, 0.6, name, **middle)
    text = (
        "Its exact populations are known.\nDoes any Lindblad equation with\n"
        "local conservation laws have them?"
    )
    axes.text(1.5, -1.1, text, ha="center", va="center", fontsize=style.TEXT + 1)


def _draw_bound(axes: Axes, rows: DataFrame) -> None:
    x = rows["system.coupling"]
    low, high = rows["trace_distance_lower"], rows["trace_distance_upper"]
    axes.set(xscale="log", yscale="log", xlim=(x.min(), x.max()))
    axes.set(ylim=(0.3 * low.min(), 1.4 * high.max()), xlabel=axis_label("system.coupling"))
    axes.set_ylabel("trace distance from the exact state")
    axes.fill_between(x, axes.get_ylim()[0], low, color="0.85", lw=0, gid="excluded")
    axes.plot(x, low, color="black", lw=1.4 * style.LINE, gid="bound")
    axes.plot(x, high, "o", color=FOUND, mfc="white", clip_on=False, zorder=3, gid="found")
    up = {"transform": axes.transAxes, "fontsize": style.TEXT}
    axes.text(0.96, 0.10, "no such Lindblad equation\n(certified)", ha="right", va="bottom", **up)
    axes.text(0.06, 0.93, "the nearest one that was found", va="top", color=FOUND, **up)
    style.inward(axes)


if __name__ == "__main__":
    save(figure(), FILE)
