"""Tables drawn: intervals along one key, maps of two, boundaries, solvers compared.

matplotlib's object-oriented interface only: no window, and nothing global stays changed. It is
imported by the modules below, and they when something is drawn.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lindfeas.answers.steady_state_check import SteadyStateCheck
from lindfeas.errors import InputError, MissingExtraError
from lindfeas.files.table import Table, read_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Drawable = Table | str | os.PathLike[str]
"""A table, or the folder or file that holds it."""


def plot(
    table: Drawable | SteadyStateCheck | list[Drawable],
    *,
    out: str | os.PathLike[str] | None = None,
    x: str | None = None,
    y: str = "defect",
    where: Sequence[str] = (),
    as_map: bool | None = None,
    title: str | None = None,
) -> Figure:
    """Draw what the command ``lindfeas plot`` draws, as a matplotlib figure, to be changed at will.

    ``lindfeas.plot.figure`` is the same function.

    Parameters
    ----------
    table
        A table, the folder or file that holds one, or the ``check`` of an answer: the errors of its
        candidate's steady state against the coupling strength, for which ``x``, ``y``, ``where``
        and ``as_map`` must be left out. Several tables of sweeps, in a list, make the panels of one
        figure.
    out
        PNG, SVG or PDF file to write; none by default.
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
        If there is no table, it has nothing to draw, more than fits, or not what was asked for, or
        the file cannot be written.
    MissingExtraError
        Without matplotlib.
    """
    require_matplotlib()
    from lindfeas.pictures.drawing import draw, draw_together
    from lindfeas.pictures.saving import save
    from lindfeas.pictures.steady_state import draw_check

    if isinstance(table, SteadyStateCheck):
        if (x, y, tuple(where), as_map) != (None, "defect", (), None):
            raise InputError(
                "must be left out for the check of a steady state", "x, y, where, as_map"
            )
        drawn = draw_check(table, title or "")
    elif isinstance(table, list):
        if as_map:
            raise InputError("must not be given for several tables, but is", "--map")
        drawn = draw_together([*map(_content, table)], title or "", x, y, where)
    else:
        content = _content(table)
        text = str(content.problem.get("title", "")) if title is None else title
        drawn = draw(content, text, x, y, where, as_map)
    if out is not None:
        save(drawn, out)
    return drawn


def _content(table: Drawable) -> Table:
    return table if isinstance(table, Table) else read_table(table)


plot.figure = plot  # type: ignore[attr-defined]


def require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingExtraError("matplotlib", "plot", "lindfeas plot") from None
