"""A feasibility map: verdict and size of the defect over two swept keys.

The colour, light for small, is the upper end of the certified interval; hatching and a thick
boundary are the verdict, so that the map reads without colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lindfeas.answer import IMPOSSIBLE, POSSIBLE, UNDECIDED
from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, PlotAxis, Row, asked, matching
from lindfeas.pictures.intervals import DEFECT, Interval, interval
from lindfeas.pictures.labels import DISTANCE_LABEL, defect_label, target_label
from lindfeas.pictures.legends import map_legend
from lindfeas.pictures.scales import draw_axis, edges, positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Cells = list[list[Interval | None]]
"""One line per place along y, from the bottom; None where nothing is known."""


def draw_map(arranged: Arrangement, y_axis: PlotAxis, quantity: str) -> Figure:
    """One map per value of the panels' keys."""
    drawn, panels = style.panels(len(arranged.panels), height=2.9)
    rows = [matching(arranged.rows, setting) for setting in arranged.panels]
    for axes, points in zip(panels, rows, strict=True):
        cells = _cells(points, arranged.x, y_axis, quantity)
        borders = _edges(arranged.x), _edges(y_axis)
        draw_axis(axes, "x", arranged.x)
        draw_axis(axes, "y", y_axis)
        mesh = _draw_colours(axes, cells, borders)
        if mesh is not None:
            _colour_bar(drawn, axes, mesh, points, quantity)
        for verdict in (POSSIBLE, UNDECIDED, IMPOSSIBLE):
            _draw_verdict(axes, cells, borders, verdict)
        _draw_boundary(axes, cells, borders)
        _draw_failed(axes, points, cells, (arranged.x, y_axis))
        axes.set_xlim(borders[0][0], borders[0][-1])
        axes.set_ylim(borders[1][0], borders[1][-1])
    titles = [target_label(*asked(r), p) for r, p in zip(rows, arranged.panels, strict=True)]
    style.panel_titles(panels, titles)
    map_legend(drawn, arranged)
    return drawn


def _cells(points: Sequence[Row], x: PlotAxis, y: PlotAxis, quantity: str) -> Cells:
    found = {(row[x.key], row[y.key]): interval(row, 0.0, quantity) for row in points}
    return [[found.get((a, b)) for a in _sorted(x)] for b in _sorted(y)]


def _sorted(axis: PlotAxis) -> list[Any]:
    places = positions(axis)
    return sorted(places, key=lambda value: places[value])


def _edges(axis: PlotAxis) -> list[float]:
    return edges(sorted(positions(axis).values()), axis.log)


def _draw_colours(axes: Axes, cells: Cells, borders: tuple[list[float], list[float]]) -> Any:
    """The cells, coloured on a logarithmic scale; None if nothing is known."""
    import numpy as np
    from matplotlib.colors import LogNorm

    values = np.array([[math.nan if c is None else c.found for c in line] for line in cells])
    if np.isnan(values).all():
        return None
    low, high = np.nanmin(values), np.nanmax(values)
    norm = LogNorm(low, max(high, 1.1 * low))
    axes.set_facecolor("white")
    return axes.pcolormesh(
        *borders, np.ma.masked_invalid(values), norm=norm, cmap=style.MAP_COLOURS
    )


def _colour_bar(drawn: Figure, axes: Axes, mesh: Any, points: Sequence[Row], quantity: str) -> None:
    bar = drawn.colorbar(mesh, ax=axes, pad=0.02, aspect=22)
    bar.ax.tick_params(which="both", labelsize=style.SMALL, direction="in")
    label = defect_label(asked(points)[0]) if quantity == DEFECT else DISTANCE_LABEL
    bar.set_label(label, fontsize=style.TEXT)
    if quantity != DEFECT:
        return
    low, high = mesh.norm.vmin, mesh.norm.vmax
    for value in {row["tolerance"] for row in points} - {None}:
        if low < value < high:
            bar.ax.axhline(value, **style.CASING)
            bar.ax.axhline(value, gid="tolerance", **{**style.TOLERANCE_LINE, "ls": "solid"})


def _draw_verdict(
    axes: Axes, cells: Cells, borders: tuple[list[float], list[float]], verdict: str
) -> None:
    """The hatching of one verdict, over all its cells."""
    from matplotlib.collections import PolyCollection

    x, y = borders
    corners = [
        [(x[i], y[j]), (x[i + 1], y[j]), (x[i + 1], y[j + 1]), (x[i], y[j + 1])]
        for j, line in enumerate(cells)
        for i, cell in enumerate(line)
        if cell is not None and cell.verdict == verdict
    ]
    if corners:
        axes.add_collection(PolyCollection(corners, gid=verdict, **style.hatching(verdict)))


def _draw_boundary(axes: Axes, cells: Cells, borders: tuple[list[float], list[float]]) -> None:
    """A line between neighbours whose verdicts differ."""
    from matplotlib.collections import LineCollection

    x, y = borders
    verdicts = [[None if cell is None else cell.verdict for cell in line] for line in cells]
    upright = [
        [(x[i + 1], y[j]), (x[i + 1], y[j + 1])]
        for j, line in enumerate(verdicts)
        for i, pair in enumerate(pairwise(line))
        if None not in pair and pair[0] != pair[1]
    ]
    level = [
        [(x[i], y[j + 1]), (x[i + 1], y[j + 1])]
        for j, lines in enumerate(pairwise(verdicts))
        for i, pair in enumerate(zip(*lines, strict=True))
        if None not in pair and pair[0] != pair[1]
    ]
    if upright or level:
        axes.add_collection(
            LineCollection(
                [*upright, *level], gid="boundary", capstyle="projecting", **style.BOUNDARY_LINE
            )
        )


def _draw_failed(
    axes: Axes, points: Sequence[Row], cells: Cells, along: tuple[PlotAxis, PlotAxis]
) -> None:
    """A cross in every cell whose point is there, but knows nothing."""
    x, y = along
    there = {(row[x.key], row[y.key]) for row in points}
    columns, lines = _sorted(x), _sorted(y)
    failed = [
        (positions(x)[columns[i]], positions(y)[lines[j]])
        for j, line in enumerate(cells)
        for i, cell in enumerate(line)
        if cell is None and (columns[i], lines[j]) in there
    ]
    if failed:
        axes.plot(*zip(*failed, strict=True), gid="failed", **style.failed_mark("black"))
