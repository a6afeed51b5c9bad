"""Pictures of tables: intervals along one key, maps of two, boundaries, solvers compared.

matplotlib's object-oriented interface only: no window, no global state.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from lindfeas.columns import BOUNDARY_COLUMNS, COMPARISON_COLUMNS, SWEEP_COLUMNS
from lindfeas.errors import InputError, MissingExtraError
from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, arrange
from lindfeas.pictures.boundaries import draw_boundaries
from lindfeas.pictures.comparisons import draw_comparison
from lindfeas.pictures.curves import draw_curves
from lindfeas.pictures.intervals import DEFECT, QUANTITIES
from lindfeas.pictures.labels import plain, setting_label
from lindfeas.pictures.maps import draw_map
from lindfeas.pictures.saving import save
from lindfeas.table import Table, read_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = {
    "sweep": SWEEP_COLUMNS,
    "boundary": BOUNDARY_COLUMNS,
    "comparison": COMPARISON_COLUMNS,
}
"""Kind of a table: what every such table holds, besides the swept keys."""


def figure(
    table: Table,
    *,
    x: str | None = None,
    y: str = DEFECT,
    where: Sequence[str] = (),
    as_map: bool | None = None,
    title: str | None = None,
) -> Figure:
    """Draw a table; the result is an ordinary matplotlib figure, to be changed at will.

    Parameters
    ----------
    table
        See `lindfeas.table.read_table`.
    x
        The swept key along x; by default the one with most numbers.
    y
        ``defect`` or ``trace-distance``.
    where
        ``KEY=VALUE`` settings of swept keys; only these points are drawn.
    as_map
        Whether to draw two keys as a map; by default where both have six numbers or more.
    title
        In place of the problem's title.

    Raises
    ------
    InputError
        If the table has nothing to draw, more than fits, or not what was asked for.
    MissingExtraError
        Without matplotlib.
    """
    require_matplotlib()
    if y not in QUANTITIES:
        raise InputError(f"must be one of {', '.join(QUANTITIES)}, but is {y!r}", "--y")
    _require_columns(table)
    other = None if y == DEFECT else y
    if table.kind == "comparison":
        _refuse(table.kind, {"--x": x, "--y": other, "--where": where, "--map": as_map})
        drawn, common = draw_comparison(table.rows()), ""
    else:
        if table.kind == "boundary":
            _refuse(table.kind, {"--y": other, "--map": as_map})
            as_map = False
        log_keys = {axis.key for axis in table.axes if axis.scale == "log"}
        arranged = arrange(table, x=x, where=where, as_map=as_map)
        drawn, common = _draw(table.kind, arranged, y, log_keys), _common(arranged.fixed)
    text = str(table.problem.get("title", "")) if title is None else title
    style.heading(drawn, [plain(text), common])
    return drawn


def plot(
    table: Table | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    x: str | None = None,
    y: str = DEFECT,
    where: Sequence[str] = (),
    as_map: bool | None = None,
    title: str | None = None,
) -> Figure:
    """Draw what the command ``lindfeas plot`` draws; `lindfeas.plot.figure` draws without a file.

    Parameters
    ----------
    table
        A table, or the folder or file that holds one.
    out
        PNG, SVG or PDF file to write; none by default.
    x, y, where, as_map, title
        As for `lindfeas.plot.figure`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is no table, it cannot be drawn as asked, or the file cannot be written.
    MissingExtraError
        Without matplotlib.
    """
    require_matplotlib()
    content = table if isinstance(table, Table) else read_table(table)
    drawn = figure(content, x=x, y=y, where=where, as_map=as_map, title=title)
    if out is not None:
        save(drawn, out)
    return drawn


plot.figure = figure  # type: ignore[attr-defined]


def require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingExtraError("matplotlib", "plot", "lindfeas plot") from None


def _require_columns(table: Table) -> None:
    """Refuse what another program has made of a table of lindfeas."""
    from pyarrow.types import is_floating, is_integer, is_null

    types = {field.name: field.type for field in table.arrow.schema}
    for column in COLUMNS[table.kind]:
        found = types.get(column.name)
        if found is None:
            raise InputError("must be a column of the table, but is missing", column.name)
        if column.type == "float64" and not (
            is_floating(found) or is_integer(found) or is_null(found)
        ):
            raise InputError(f"must be a column of type float64, but is {found}", column.name)


def _refuse(kind: str, options: Mapping[str, Any]) -> None:
    for option, value in options.items():
        if value:
            raise InputError(f"must not be given for a table of kind {kind}, but is", option)


def _draw(kind: str, arranged: Arrangement, quantity: str, log_keys: Set[str]) -> Figure:
    if kind == "boundary":
        return draw_boundaries(arranged, log_keys)
    if arranged.y is not None:
        return draw_map(arranged, arranged.y, quantity)
    return draw_curves(arranged, quantity)


def _common(fixed: Mapping[str, Any]) -> str:
    """What all points have in common; target and norm stand above the panels."""
    named = ("question.target", "question.norm")
    return setting_label({key: value for key, value in fixed.items() if key not in named})
