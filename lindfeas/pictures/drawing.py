"""From a table to a picture: what is checked, which kind of picture, panel by panel, titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure
from pandas import DataFrame

from lindfeas.errors import InputError
from lindfeas.files.columns import BOUNDARY_COLUMNS, COMPARISON_COLUMNS, SWEEP_COLUMNS
from lindfeas.files.table import Table
from lindfeas.pictures import style
from lindfeas.pictures.arrangement import (
    MOST_CURVES,
    MOST_PANELS,
    Arrangement,
    arrange,
    asked,
    matching,
)
from lindfeas.pictures.boundaries import boundary_legend, draw_boundaries
from lindfeas.pictures.comparisons import draw_comparison
from lindfeas.pictures.curves import curves_legend, draw_curves, together_legend
from lindfeas.pictures.intervals import DEFECT, QUANTITIES, certified
from lindfeas.pictures.labels import plain, setting_label, target_label
from lindfeas.pictures.maps import draw_map, map_legend

_COLUMNS = {"sweep": SWEEP_COLUMNS, "boundary": BOUNDARY_COLUMNS, "comparison": COMPARISON_COLUMNS}

_NEEDED = {
    "sweep": "verdict target norm tolerance lower upper trace_distance_lower trace_distance_upper "
    "trace_distance_lemma1",
    "boundary": "boundary_key change direction last_possible first_impossible undecided_low "
    "undecided_high verdicts target norm tolerance",
    "comparison": "solver outcome tolerance compile_seconds solve_seconds plain_width seconds "
    "width",
}
"""Kind of a table: the columns that a picture needs; older tables may lack others."""

_REFUSED = {"comparison": ("--x", "--y", "--where", "--map"), "boundary": ("--y", "--map")}
"""Kind of a table: the options that mean nothing for it."""

_DRAWN: dict[str, tuple[Callable[..., None], Callable[..., None], float]] = {
    "sweep": (draw_curves, curves_legend, 2.5),
    "map": (draw_map, map_legend, 2.9),
    "boundary": (draw_boundaries, boundary_legend, 2.5),
}
"""Kind of a picture: what draws a panel, what draws the legend, height of a panel in inches."""


def draw(
    table: Table, title: str, x: str | None, y: str, where: Sequence[str], as_map: bool | None
) -> Figure:
    """The picture of a table; see `lindfeas.plot` for the arguments and errors."""
    if y not in QUANTITIES:
        raise InputError(f"must be one of {', '.join(QUANTITIES)}, but is {y!r}", "--y")
    rows = _frame(table)
    given = {"--x": x, "--y": y != DEFECT, "--where": where, "--map": as_map}
    for option in _REFUSED.get(table.kind, ()):
        if given[option]:
            raise InputError(f"must not be given for a table of kind {table.kind}, but is", option)
    with style.applied():
        if table.kind == "comparison":
            drawn = draw_comparison(rows)
            style.heading(drawn, [plain(title)])
            return drawn
        is_sweep = table.kind == "sweep"
        rows = certified(rows, y) if is_sweep else rows
        arranged = arrange(table.axes, rows, x, where, as_map if is_sweep else False)
        drawn = _draw(table.kind, arranged, y)
        style.heading(drawn, [plain(title), _second_line(arranged, title)])
    return drawn


def draw_together(
    tables: Sequence[Table], title: str, x: str | None, y: str, where: Sequence[str]
) -> Figure:
    """Several sweeps as the panels (a), (b), ... of one figure, each with its problem's title."""
    if not 1 <= len(tables) <= MOST_PANELS:
        raise InputError(f"must be 1 to {MOST_PANELS} tables, but are {len(tables)}", "DIR")
    if y not in QUANTITIES:
        raise InputError(f"must be one of {', '.join(QUANTITIES)}, but is {y!r}", "--y")
    with style.applied():
        arranged = [_arranged_panel(table, x, y, where) for table in tables]
        drawn, panels = style.panels(len(tables), 2.4)
        for number, (axes, table, one) in enumerate(zip(panels, tables, arranged, strict=True)):
            draw_curves(axes, one, one.points, y)
            letter = f"({chr(ord('a') + number)})"
            axes.set_title(style.folded(f"{letter} {plain(table.problem.get('title', ''))}", axes))
        together_legend(drawn, arranged, y)
        style.heading(drawn, [plain(title)])
    return drawn


def _arranged_panel(table: Table, x: str | None, y: str, where: Sequence[str]) -> Arrangement:
    """One table that makes one panel of curves."""
    if table.kind != "sweep":
        message = f"must be tables of sweeps to stand in one figure, but one is a {table.kind}"
        raise InputError(message, "DIR")
    arranged = arrange(table.axes, certified(_frame(table), y), x, where, as_map=False)
    if len(arranged.panels) > 1 or arranged.graded is not None:
        fit = f"one panel of at most {MOST_CURVES} curves each, with --where"
        raise InputError(f"must narrow the tables to {fit}, but one needs more", "DIR")
    return arranged


def _second_line(arranged: Arrangement, title: str) -> str:
    """What all panels have in common, and of a single one what was asked, unless the title says it.

    Without a title, nobody wants to be told what was asked.
    """
    named = ("question.target", "question.norm")  # several panels say it themselves
    fixed = {key: value for key, value in arranged.fixed.items() if key not in named}
    if len(arranged.panels) > 1 or not title:
        return setting_label(fixed)
    target, norm = asked(arranged.points)
    said = target.replace("+", " and ") in title
    return ", ".join(
        filter(None, [target_label("" if said else target, norm), setting_label(fixed)])
    )


def _frame(table: Table) -> DataFrame:
    """The rows of a table, unless another program has made something else of it."""
    rows = table.to_pandas()
    needed = [c for c in _COLUMNS[table.kind] if c.name in _NEEDED[table.kind].split()]
    for column in needed:
        if column.name not in rows:
            raise InputError("must be a column of the table, but is missing", column.name)
        found = rows[column.name]
        if column.type == "float64" and found.dtype.kind not in "fiu" and found.notna().any():
            message = f"must be a column of type float64, but is {found.dtype}"
            raise InputError(message, column.name)
    return rows.astype({column.name: float for column in needed if column.type == "float64"})


def _draw(kind: str, arranged: Arrangement, quantity: str) -> Figure:
    """One panel per value of the panels' keys, with a letter to cite it by if there are several."""
    draw_panel, draw_legend, height = _DRAWN[kind if len(arranged.along) == 1 else "map"]
    drawn, panels = style.panels(len(arranged.panels), height)
    for number, (axes, setting) in enumerate(zip(panels, arranged.panels, strict=True)):
        points = matching(arranged.points, setting)
        draw_panel(axes, arranged, points, quantity)
        if len(panels) > 1:
            axes.set_title(f"({chr(ord('a') + number)}) {target_label(*asked(points), setting)}")
    draw_legend(drawn, arranged, quantity)
    return drawn
