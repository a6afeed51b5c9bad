"""Solvers compared: the width of what could be certified, against the time it took."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas import DataFrame

from lindfeas.errors import End, InputError
from lindfeas.pictures import style
from lindfeas.pictures.intervals import SMALLEST
from lindfeas.pictures.legends import tolerances
from lindfeas.pictures.scales import log_limits

TIMES, WIDTHS = ["plain_seconds", "seconds"], ["plain_width", "width"]
"""Columns of one solve, and of all of them with rescaling in between."""

_FACES: dict[str, style.Look] = {"plain": {"markerfacecolor": "white"}, "rescaled": {}}
"""What was done with a solver: how its mark is filled."""


def draw_comparison(table: DataFrame) -> Figure:
    """Two marks per solver and problem, joined by a thin line.

    The open one is a plain solve, the filled one what lindfeas makes of the solver.
    """
    names = table["solver"].unique()
    if len(names) > len(style.SOLVER_MARKS):
        limit = len(style.SOLVER_MARKS)
        raise InputError(f"must hold at most {limit} solvers, but holds {len(names)}", "table")
    rows = table.assign(plain_seconds=table["compile_seconds"] + table["solve_seconds"])
    for seconds, width in zip(TIMES, WIDTHS, strict=True):
        known = np.isfinite(rows[width]) & rows[seconds].notna()
        rows[width] = rows[width].clip(lower=SMALLEST).where(known)
        rows[seconds] = rows[seconds].where(known)
    drawn, (axes,) = style.panels(1, height=2.8)
    axes.set(xscale="log", yscale="log", xlabel="wall time (s)")
    axes.set(ylabel=r"certified width, upper $-$ lower ($\epsilon^2$)")
    if rows[TIMES].notna().any(axis=None):
        heights = np.ravel(rows[[*WIDTHS, "tolerance"]])
        axes.set(xlim=log_limits(np.ravel(rows[TIMES])), ylim=log_limits(heights))
    levels = [axes.axhline(value, **style.TOLERANCE) for value in set(rows["tolerance"].dropna())]
    solvers = [_draw_solver(axes, rows[rows["solver"] == n], i) for i, n in enumerate(names)]
    marks = [
        *axes.plot([], [], "ok", label="one plain solve", **_FACES["plain"]),
        *axes.plot([], [], "ok", label="rescaled, solved again"),
    ]
    for level in levels[:1]:
        level.set_label(tolerances(table))
    style.legend(drawn, solvers, [*marks, *levels[:1]])
    return drawn


def _draw_solver(axes: Axes, rows: DataFrame, index: int) -> Line2D:
    """All marks of one solver; the filled ones, with what the legend says of it."""
    name = rows["solver"].iloc[0]
    colour, marker = style.look(index)["color"], style.SOLVER_MARKS[index]
    x, y = (rows.dropna(subset=WIDTHS)[columns].to_numpy().T for columns in (TIMES, WIDTHS))
    axes.plot(x, y, gid=f"{name} gain", color=colour, ls="-", lw=0.4 * style.LINE)
    for (kind, face), seconds, width in zip(_FACES.items(), TIMES, WIDTHS, strict=True):
        found = rows.dropna(subset=width)
        look = {"color": colour, "marker": marker, "ls": "none", "zorder": 3, **face}
        (marks,) = axes.plot(found[seconds], found[width], gid=f"{name} {kind}", **look)
        zero = found.loc[found[width] <= SMALLEST, seconds]
        style.at_height(axes, zero, 0.0, "one-sided", color=colour, **style.CARET_DOWN)
    no_interval = (rows["outcome"] == End.ANSWERED) & rows["width"].isna()
    endings = rows["outcome"].mask(no_interval, "no interval")
    counts = endings[endings != End.ANSWERED].value_counts(sort=False)
    text = ", ".join(f"{number} {ending}" for ending, number in counts.items())
    marks.set_label(f"{name} ({text})" if text else name)
    return marks
