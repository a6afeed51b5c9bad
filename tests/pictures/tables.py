"""Tables to draw, and what stands in a picture of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lindfeas.files.columns import BOUNDARY_COLUMNS, SWEEP_COLUMNS, Axis
from lindfeas.files.table import Table, make_table
from lindfeas.sweeps.solver_comparison import COLUMNS as COMPARISON_COLUMNS

COUPLING = Axis(key="system.coupling", values=(0.001, 0.01, 0.1, 1.0), scale="log")

BETA = Axis(key="bath.right.beta", values=(10.0, 5.0))

TARGET = Axis(key="question.target", values=("populations", "populations+coherences"))

Row = dict[str, Any]


def point(values: Mapping[str, Any], lower: float | None, upper: float | None, **more: Any) -> Row:
    """A row of a sweep; without bounds, a failed point."""
    row: Row = {**values, "point": repr(values), "tolerance": 1e-6, "target": "populations"}
    if lower is None or upper is None:
        return {**row, "verdict": None, "target": None, "error": "must ..., but is ...", **more}
    verdict = "impossible" if lower >= 1e-6 else "possible" if upper < 1e-6 else "undecided"
    return {**row, "lower": lower, "upper": upper, "verdict": verdict, **more}


def sweep(rows: Iterable[Row], *axes: Axis, title: str = "A chain") -> Table:
    columns = [*(axis.column for axis in axes), *SWEEP_COLUMNS]
    return make_table(rows, columns, kind="sweep", problem={"title": title}, axes=axes)


def along_coupling(*ends: tuple[float | None, float | None] | None) -> Table:
    """One curve; None for a point that is missing."""
    rows = [
        point({"system.coupling": value}, *pair)
        for value, pair in zip(COUPLING.values, ends, strict=True)
        if pair is not None
    ]
    return sweep(rows, COUPLING)


def grid(*axes: Axis, bound: Any = lambda values: 1e-5) -> Table:
    """Every point of the grid, each an interval of 1 % around ``bound``."""
    rows: list[dict[str, Any]] = [{}]
    for axis in axes:
        rows = [{**row, axis.key: value} for row in rows for value in axis.values]
    return sweep([point(row, 0.99 * bound(row), 1.01 * bound(row)) for row in rows], *axes)


def artists(axes: Axes, gid: str) -> list[Any]:
    return [artist for artist in axes.get_children() if artist.get_gid() == gid]


def marked(axes: Axes, gid: str) -> list[tuple[float, float]]:
    return [
        (float(x), float(y))
        for line in artists(axes, gid)
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]


def bars(axes: Axes) -> list[tuple[float, float, float]]:
    """(x, lower, upper) of every interval drawn."""
    segments = [s for lines in artists(axes, "interval") for s in lines.get_segments()]
    return [(s[0][0], s[0][1], s[1][1]) for s in segments if len(s)]


def legend_texts(drawn: Figure) -> list[str]:
    texts = (text.get_text().strip() for legend in drawn.legends for text in legend.get_texts())
    return [text for text in texts if text]


def remarks(drawn: Figure) -> list[str]:
    """What the legend says in words, without a symbol."""
    titles = (legend.get_title().get_text() for legend in drawn.legends)
    return [text for title in titles for text in " ".join(title.split()).split("; ") if text]


THREE_VERDICTS = along_coupling((1e-9, 2e-9), (5e-7, 4e-6), (1e-3, 1.5e-3), (0.1, 0.1))


def legend_entries(drawn: Figure) -> dict[str, Any]:
    """Text of an entry: its symbol."""
    return {
        text.get_text(): symbol
        for box in drawn.legends
        for text, symbol in zip(box.get_texts(), box.legend_handles, strict=True)
    }


SIX = Axis(key="system.coupling", values=tuple(10.0**k for k in range(-6, 0)), scale="log")

BETAS = Axis(key="bath.left.beta", values=(0.5, 1.0, 1.5, 2.0, 2.5, 3.0), scale="linear")


def boundary_table(*rows: Row) -> Table:
    columns = [BETA.column, *BOUNDARY_COLUMNS]
    content = [
        {"point": str(n), "boundary_key": "system.coupling", "target": "populations", **row}
        for n, row in enumerate(rows)
    ]
    return make_table(content, columns, kind="boundary", problem={"title": ""}, axes=(BETA,))


def comparison_table() -> Table:
    base = {"problem": "chain", "target": "populations", "tolerance": 1e-6, "usable": True}
    rows = [
        {
            **base,
            "solver": "CLARABEL",
            "outcome": "answered",
            "compile_seconds": 0.01,
            "solve_seconds": 0.03,
            "plain_width": 1e-8,
            "seconds": 0.1,
            "width": 1e-12,
        },
        {**base, "solver": "SCS", "outcome": "answered", "seconds": 5.0, "width": 0.0},
        {**base, "solver": "SCS", "outcome": "answered", "seconds": 9.0, "width": math.inf},
        {**base, "solver": "MOSEK", "outcome": "unusable", "usable": False},
    ]
    return make_table(rows, COMPARISON_COLUMNS, kind="comparison", problem={})
