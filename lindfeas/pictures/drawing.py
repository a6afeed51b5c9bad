"""From a table to a picture: what is checked, which kind of picture, panel by panel, titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure
from pandas import DataFrame

from lindfeas.errors import InputError
from lindfeas.files.columns import BOUNDARY_COLUMNS, COMPARISON_COLUMNS, SWEEP_COLUMNS
from lindfeas.files.table import Table
from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, arrange, asked, matching
from lindfeas.pictures.boundaries import boundary_legend, draw_boundaries
from lindfeas.pictures.comparisons import draw_comparison
from lindfeas.pictures.curves import curves_legend, draw_curves
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
    lines = [plain(title)]
    with style.applied():
        if table.kind == "comparison":
            drawn = draw_comparison(rows)
        else:
            is_sweep = table.kind == "sweep"
            rows = certified(rows, y) if is_sweep else rows
            arranged = arrange(table.axes, rows, x, where, as_map if is_sweep else False)
            drawn = _draw(table.kind, arranged, y)
            # target and norm stand above the panels
            named = ("question.target", "question.norm")
            fixed = {key: value for key, value in arranged.fixed.items() if key not in named}
            lines.append(setting_label(fixed))
        style.heading(drawn, lines)
    return drawn


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
        letter = f"({chr(ord('a') + number)}) " if len(panels) > 1 else ""
        axes.set_title(letter + target_label(*asked(points), setting))
    draw_legend(drawn, arranged, quantity)
    return drawn
