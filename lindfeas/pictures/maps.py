"""A feasibility map: verdict and size of the defect over two swept keys.

The colour, light for small, is the upper end of the certified interval; hatching and a thick
boundary are the verdict, so that the map reads without colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pandas import DataFrame

from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, asked
from lindfeas.pictures.intervals import DEFECT
from lindfeas.pictures.labels import quantity_label
from lindfeas.pictures.legends import draw_legend, failures, tolerances
from lindfeas.pictures.scales import draw_axis, edges, positions

Numbers = NDArray[np.float64]


def draw_map(axes: Axes, arranged: Arrangement, points: DataFrame, quantity: str) -> None:
    """The points of one panel, a cell each."""
    borders = [edges(axis) for axis in arranged.along]
    for name, axis, border in zip("xy", arranged.along, borders, strict=True):
        draw_axis(axes, name, axis)
        axes.set(**{f"{name}lim": (border[0], border[-1])})
    known = points[points["known"]]
    _draw_colours(axes, borders, _cells(known["found"], known, arranged), known, quantity)
    for verdict, cells in known.groupby("verdict", observed=True):
        corners = _corners(cells, *borders)
        axes.add_collection(PolyCollection([*corners], gid=verdict, **style.CELLS[verdict]))
    changes = _changes(_cells(known["verdict"].cat.codes, known, arranged), *borders)
    if changes:
        axes.add_collection(LineCollection(changes, capstyle="projecting", **style.BOUNDARY))
    failed = points[~points["known"]]
    if len(failed):
        axes.plot(failed["x"], failed["y"], gid="failed", color="black", **style.CROSS)


def map_legend(drawn: Figure, arranged: Arrangement, quantity: str) -> None:
    """Hatchings of the verdicts, the boundary, the tolerance, and what is missing."""
    points = arranged.points
    texts = {"boundary": "change of verdict", "tolerance": tolerances(points)}
    draw_legend(drawn, [arranged], texts | {"failed": failures(points)})


def _cells(values: Any, points: DataFrame, arranged: Arrangement) -> Numbers:
    """``values`` of the points on the grid, shape (places along y, places along x)."""
    x, y = ([*positions(axis).values()] for axis in arranged.along)
    cells = points.assign(cell=values).pivot(index="y", columns="x", values="cell")
    return np.asarray(cells.reindex(index=y, columns=x), dtype=float)


def _draw_colours(
    axes: Axes, borders: Sequence[Numbers], cells: Numbers, points: DataFrame, quantity: str
) -> None:
    """The cells on a logarithmic scale, and the bar that explains it."""
    values = np.ma.masked_invalid(cells)
    if not values.count():
        return
    low, high = values.min(), values.max()
    mesh = axes.pcolormesh(*borders, values, norm=LogNorm(low, max(high, 1.1 * low)))
    bar = axes.figure.colorbar(mesh, ax=axes, pad=0.02, aspect=22)
    style.inward(bar.ax)
    bar.set_label(quantity_label(quantity, asked(points)[0]))
    for value in set(points["tolerance"].dropna()) if quantity == DEFECT else ():
        if low < value < high:
            bar.ax.axhline(value, **style.CASING)
            bar.ax.axhline(value, **{**style.TOLERANCE, "ls": "solid"})


def _corners(points: DataFrame, x: Numbers, y: Numbers) -> Numbers:
    """Corners of the cells of the points, shape (points, 4, 2)."""
    i, j = np.searchsorted(x, points["x"]), np.searchsorted(y, points["y"])
    left, right, bottom, top = x[i - 1], x[i], y[j - 1], y[j]
    corners = [[left, bottom], [right, bottom], [right, top], [left, top]]
    return np.array(corners).transpose(2, 0, 1)


def _changes(verdicts: Numbers, x: Numbers, y: Numbers) -> list[Any]:
    """The borders between neighbours whose verdicts differ; nan is none."""
    upright = np.argwhere(abs(np.diff(verdicts, axis=1)) > 0)
    level = np.argwhere(abs(np.diff(verdicts, axis=0)) > 0)
    return [
        *([(x[i + 1], y[j]), (x[i + 1], y[j + 1])] for j, i in upright),
        *([(x[i], y[j + 1]), (x[i + 1], y[j + 1])] for j, i in level),
    ]
