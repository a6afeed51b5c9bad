"""Solvers compared, problem by problem: the width of what could be certified, and the time."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas import DataFrame

from lindfeas.errors import End, InputError
from lindfeas.pictures import style
from lindfeas.pictures.intervals import SMALLEST
from lindfeas.pictures.labels import plain
from lindfeas.pictures.legends import tolerances
from lindfeas.pictures.scales import log_limits

TIMES, WIDTHS = ["plain_seconds", "seconds"], ["plain_width", "width"]
"""Columns of one solve, and of all of them with rescaling in between."""

_FACES: dict[str, style.Look] = {"plain": {"markerfacecolor": "white"}, "rescaled": {}}
"""What was done with a solver: how its mark is filled."""

LINE_HEIGHT = 0.085
"""Inches for every solver of every problem."""

SPREAD = 0.8
"""The part of a problem's row that its solvers take."""


def draw_comparison(table: DataFrame) -> Figure:
    """A row per problem and a line per solver in it: widths on the left, times on the right.

    The open mark is a plain solve, the filled one what lindfeas makes of the solver.
    """
    names, problems = table["solver"].unique(), table["problem"].unique()
    if len(names) > len(style.SOLVER_MARKS):
        limit = len(style.SOLVER_MARKS)
        raise InputError(f"must hold at most {limit} solvers, but holds {len(names)}", "table")
    rows = _drawable(table, names, problems)
    lines = len(problems) * max(rows.dropna(subset="y")["solver"].nunique(), 2)
    drawn = Figure(figsize=(style.PAGE, 0.8 + LINE_HEIGHT * lines))
    width_axes, time_axes = drawn.subplots(1, 2, sharey=True, width_ratios=(1.3, 1.0))
    width_axes.set(xlabel=r"certified width, upper $-$ lower ($\epsilon^2$)")
    time_axes.set(xlabel="wall time (s)")
    for axes, columns in ((width_axes, [*WIDTHS, "tolerance"]), (time_axes, TIMES)):
        _draw_rows(axes, problems)
        if rows[columns[:2]].notna().any(axis=None):
            axes.set(xlim=log_limits(np.ravel(rows[columns])))
    levels = [
        width_axes.axvline(value, **style.TOLERANCE) for value in set(rows["tolerance"].dropna())
    ]
    solvers = [
        _draw_solver((width_axes, time_axes), rows[rows["solver"] == name], index)
        for index, name in enumerate(names)
    ]
    marks = [
        *width_axes.plot([], [], "ok", label="one plain solve", **_FACES["plain"]),
        *width_axes.plot([], [], "ok", label="rescaled, solved again"),
    ]
    for level in levels[:1]:
        level.set_label(tolerances(table))
    style.legend(drawn, solvers, [*marks, *levels[:1]])
    return drawn


def _drawable(table: DataFrame, names: Sequence[str], problems: Sequence[str]) -> DataFrame:
    """The rows with their height ``y`` in the picture, and nothing that no axis can show."""
    rows = table.assign(plain_seconds=table["compile_seconds"] + table["solve_seconds"])
    for seconds, width in zip(TIMES, WIDTHS, strict=True):
        known = np.isfinite(rows[width]) & rows[seconds].notna()
        rows[width] = rows[width].clip(lower=SMALLEST).where(known)
        rows[seconds] = rows[seconds].where(known)
    seen = [
        name for name in names if rows.loc[rows["solver"] == name, WIDTHS].notna().any(axis=None)
    ]
    place = {name: (i + 0.5) / len(seen) - 0.5 for i, name in enumerate(seen)}
    row = {problem: i for i, problem in enumerate(problems)}
    return rows.assign(y=rows["problem"].map(row) + SPREAD * rows["solver"].map(place))


def _draw_rows(axes: Axes, problems: Sequence[str]) -> None:
    """One band per problem, every other one shaded, the first on top."""
    axes.set(xscale="log", ylim=(len(problems) - 0.5, -0.5))
    axes.set_yticks(range(len(problems)), [textwrap.fill(plain(name), 24) for name in problems])
    axes.tick_params(axis="y", which="both", length=0)
    for number in range(0, len(problems), 2):
        axes.axhspan(number - 0.5, number + 0.5, color="0.95", lw=0, zorder=0.5, gid="row")
    style.inward(axes)


def _draw_solver(panels: tuple[Axes, Axes], rows: DataFrame, index: int) -> Line2D:
    """All marks of one solver; the filled ones, with what the legend says of it."""
    name = rows["solver"].iloc[0]
    look = {"color": style.look(index)["color"], "marker": style.SOLVER_MARKS[index]}
    for axes, columns in zip(panels, (WIDTHS, TIMES), strict=True):
        both = rows.dropna(subset=columns)
        axes.hlines(
            both["y"], *both[columns].to_numpy().T, color=look["color"], lw=0.6, gid=f"{name} gain"
        )
        for (kind, face), column in zip(_FACES.items(), columns, strict=True):
            found = rows.dropna(subset=column)
            marks = {**look, "ls": "none", "zorder": 3, "markersize": 4.0, **face}
            (line,) = axes.plot(found[column], found["y"], gid=f"{name} {kind}", **marks)
    endings = rows["outcome"].mask(
        (rows["outcome"] == End.ANSWERED) & rows["width"].isna(), "no interval"
    )
    counts = endings[endings != End.ANSWERED].value_counts(sort=False)
    text = ", ".join(f"{number} {ending}" for ending, number in counts.items())
    line.set_label(f"{name} ({text})" if text else name)
    return line
