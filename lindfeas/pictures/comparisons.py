"""Solvers compared: the width of what could be certified, against the time it took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lindfeas.errors import InputError
from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Row
from lindfeas.pictures.intervals import SMALLEST
from lindfeas.pictures.legends import tolerance_line
from lindfeas.pictures.scales import log_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

ANSWERED = "answered"
"""The outcome of a row with an interval."""

Point = tuple[float, float]
"""(seconds, width)."""


def draw_comparison(rows: Sequence[Row]) -> Figure:
    """Two marks per solver and problem, joined by a thin line.

    The open one is a plain solve, the filled one what lindfeas makes of the solver.
    """
    solvers = list(dict.fromkeys(row["solver"] for row in rows))
    if len(solvers) > len(style.SOLVER_MARKS):
        limit = len(style.SOLVER_MARKS)
        raise InputError(f"must hold at most {limit} solvers, but holds {len(solvers)}", "table")
    drawn, (axes,) = style.panels(1, height=2.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("wall time (s)", fontsize=style.TEXT)
    axes.set_ylabel(r"certified width, upper $-$ lower ($\epsilon^2$)", fontsize=style.TEXT)
    points = [point for row in rows for point in (_plain(row), _best(row)) if point is not None]
    if points:
        axes.set_xlim(log_limits([seconds for seconds, _ in points]))
        tolerances = [row["tolerance"] for row in rows]
        axes.set_ylim(log_limits([*(width for _, width in points), *tolerances]))
    for tolerance in sorted({row["tolerance"] for row in rows}):
        axes.axhline(tolerance, gid="tolerance", **style.TOLERANCE_LINE)
    for index, solver in enumerate(solvers):
        _draw_solver(axes, [row for row in rows if row["solver"] == solver], index)
    style.legend(drawn, [_solver_handles(rows, solvers), _other_handles(rows)])
    return drawn


def _plain(row: Row) -> Point | None:
    """One solve with the solver's own settings."""
    parts = row["compile_seconds"], row["solve_seconds"], row["plain_width"]
    if None in parts or math.isinf(parts[2]):
        return None
    compiled, solved, width = parts
    return compiled + solved, max(width, SMALLEST)


def _best(row: Row) -> Point | None:
    """All solves, rescaled in between."""
    if row["seconds"] is None or row["width"] is None or math.isinf(row["width"]):
        return None
    return row["seconds"], max(row["width"], SMALLEST)


def _draw_solver(axes: Axes, rows: Sequence[Row], index: int) -> None:
    name = rows[0]["solver"]
    both = [(_plain(row), _best(row)) for row in rows]
    for plain, best in both:
        if plain is not None and best is not None:
            x, y = zip(plain, best, strict=True)
            axes.plot(x, y, gid=f"{name} gain", color=style.COLOURS[index], lw=0.4 * style.LINE)
    for kind, is_open in (("plain", True), ("rescaled", False)):
        points = [pair[0 if is_open else 1] for pair in both]
        found = [point for point in points if point is not None]
        if found:
            look = style.solver_mark(index, is_open=is_open)
            axes.plot(*zip(*found, strict=True), gid=f"{name} {kind}", zorder=3, **look)
    zero = [x for pair in both for x, width in filter(None, pair) if width <= SMALLEST]
    if zero:
        look = style.caret(style.COLOURS[index])
        style.at_height(axes, zero, gid="one-sided", **look)


def _solver_handles(rows: Sequence[Row], solvers: Sequence[str]) -> list[Line2D]:
    """Every solver, and how many of its rows ended without an answer."""
    from matplotlib.lines import Line2D

    handles = []
    for index, solver in enumerate(solvers):
        endings = Counter(_ending(row) for row in rows if row["solver"] == solver)
        del endings[ANSWERED]
        text = ", ".join(f"{number} {ending}" for ending, number in endings.items())
        label = f"{solver} ({text})" if text else solver
        handles.append(Line2D([], [], label=label, **style.solver_mark(index, is_open=False)))
    return handles


def _ending(row: Row) -> str:
    """How the row ended; an answer without an interval is none."""
    ending = str(row["outcome"])
    return "no interval" if ending == ANSWERED and _best(row) is None else ending


def _other_handles(rows: Sequence[Row]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    look = {**style.solver_mark(0, is_open=True), "markeredgecolor": "black"}
    full = {**style.solver_mark(0, is_open=False), "markeredgecolor": "black"}
    return [
        Line2D([], [], label="one plain solve", **look),
        Line2D([], [], label="rescaled, solved again", **{**full, "markerfacecolor": "black"}),
        tolerance_line({row["tolerance"] for row in rows}),
    ]
