"""Which swept key goes where in a picture: along the axes, into curves, or into panels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lindfeas.errors import InputError
from lindfeas.wording import shown, suggestion

if TYPE_CHECKING:
    from lindfeas.columns import Axis
    from lindfeas.table import Table

MOST_CURVES = 8
MOST_PANELS = 6
"""What still reads on one page."""

GRID = 6
"""Two numeric axes of at least this many values make a map by default."""

WIDE = 100.0
"""Positive values that span this factor or more are drawn on a logarithmic axis."""

ACCURACY = 1e-9
"""Relative: how exactly ``--where`` must repeat a number."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotAxis:
    """One swept key, and its values in the order of the grid."""

    key: str
    values: tuple[Any, ...]
    log: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return all(is_number(value) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """A table's points, sorted into panels and curves.

    Parameters
    ----------
    rows
        The points to draw, in the order of the grid.
    x, y
        The axis along x, and for a map the one along y.
    curves, panels
        What every curve and every panel has fixed, as keys and values.
    fixed
        What all points have in common.
    planned, missing
        Number of points of the grid, and of those that the table does not hold.
    """

    rows: tuple[Row, ...]
    x: PlotAxis
    y: PlotAxis | None
    curves: tuple[Row, ...]
    panels: tuple[Row, ...]
    fixed: Row
    planned: int
    missing: int


def is_number(value: Any) -> bool:
    """Whether ``value`` is a number, which a bool is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def matching(rows: Iterable[Row], *fixed: Row) -> list[Row]:
    """The rows that have all the fixed values."""
    wanted = [item for values in fixed for item in values.items()]
    return [row for row in rows if all(row[key] == value for key, value in wanted)]


def asked(rows: Iterable[Row]) -> tuple[str | None, str | None]:
    """(target, norm) of the rows of one panel; failed points may not know."""
    return next(((row["target"], row["norm"]) for row in rows if row["target"]), (None, None))


def arrange(
    table: Table,
    *,
    x: str | None = None,
    where: Sequence[str] = (),
    as_map: bool | None = None,
) -> Arrangement:
    """Sort the points of a sweep into a picture; see `lindfeas.plot.figure` for the arguments."""
    axes = _axes(table)
    chosen = _chosen(axes, where)
    axes = [PlotAxis(key=axis.key, values=chosen[axis.key], log=axis.log) for axis in axes]
    rows = [row for row in table.rows() if all(row[a.key] in chosen[a.key] for a in axes)]
    if not rows:
        raise InputError("must hold at least one point to draw, but holds none", "table")
    order = {axis.key: {value: n for n, value in enumerate(axis.values)} for axis in axes}
    rows.sort(key=lambda row: [order[axis.key][row[axis.key]] for axis in axes])
    along = _along(axes, x)
    across = _across(axes, along, as_map)
    others = [a for a in axes if a not in (along, across) and len(a.values) > 1]
    curves, panels = _divided(others, across is not None)
    return Arrangement(
        rows=tuple(rows),
        x=along,
        y=across,
        curves=_combinations(curves),
        panels=_combinations(panels),
        fixed={a.key: a.values[0] for a in axes if a is not along and len(a.values) == 1},
        planned=_count(axes),
        missing=_count(axes) - len({tuple(row[axis.key] for axis in axes) for row in rows}),
    )


def _axes(table: Table) -> list[PlotAxis]:
    """The swept keys that are columns, with the values planned and any others found."""
    return [
        _axis(axis, table.column(axis.key))
        for axis in table.axes
        if axis.key in table.arrow.column_names
    ]


def _axis(axis: Axis, found: Sequence[Any]) -> PlotAxis:
    values = tuple(dict.fromkeys([*axis.values, *found]))
    log = axis.scale == "log" or (all(map(is_number, values)) and spans_decades(values))
    return PlotAxis(key=axis.key, values=values, log=log)


def spans_decades(values: Iterable[float]) -> bool:
    """Whether the values are better read on a logarithmic axis."""
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) / min(finite) >= WIDE


def _chosen(axes: Sequence[PlotAxis], where: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """The values of every axis that ``where`` leaves."""
    wanted: dict[str, list[Any]] = {}
    for setting in where:
        key, equals, text = (part.strip() for part in setting.partition("="))
        if not (key and equals and text):
            message = f"must be KEY=VALUE, such as bath.left.beta=5, but is {shown(setting)}"
            raise InputError(message, "--where")
        wanted.setdefault(key, []).append(_value(_named(axes, key, "--where"), text))
    return {
        axis.key: tuple(v for v in axis.values if v in wanted.get(axis.key, axis.values))
        for axis in axes
    }


def _value(axis: PlotAxis, text: str) -> Any:
    """The value of the axis that the user means by ``text``."""
    for value in axis.values:
        if text == str(value) or _same_number(value, text):
            return value
    known = ", ".join(f"{v:.12g}" if is_number(v) else str(v) for v in axis.values)
    raise InputError(f"must be one of {known}, but is {shown(text)}", f"--where {axis.key}")


def _same_number(value: Any, text: str) -> bool:
    try:
        return is_number(value) and math.isclose(value, float(text), rel_tol=ACCURACY)
    except ValueError:
        return False


def _named(axes: Sequence[PlotAxis], key: str, option: str) -> PlotAxis:
    for axis in axes:
        if axis.key == key:
            return axis
    known = [axis.key for axis in axes]
    raise InputError(f"must be a swept key, but is {shown(key)}{suggestion(key, known)}", option)


def _along(axes: Sequence[PlotAxis], x: str | None) -> PlotAxis:
    """The axis along x: the one asked for, or the numeric one with most values."""
    numeric = [axis for axis in axes if axis.is_numeric]
    if x is not None:
        axis = _named(axes, x, "--x")
        if axis not in numeric:
            raise InputError(f"must be a key with numbers, but {x} has none", "--x")
        return axis
    if not numeric:
        raise InputError("must have a swept key with numbers, but has none", "table")
    return max(numeric, key=lambda axis: len(axis.values))


def _across(axes: Sequence[PlotAxis], along: PlotAxis, as_map: bool | None) -> PlotAxis | None:
    """The axis along y of a map; None for curves."""
    if as_map is False:
        return None
    others = [a for a in axes if a.is_numeric and a is not along]
    other = max(others, key=lambda axis: len(axis.values), default=None)
    points = 0 if other is None else min(len(along.values), len(other.values))
    if as_map and points < 2:
        raise InputError("must have two keys with several numbers each, but has not", "--map")
    return other if as_map or points >= GRID else None


def _divided(others: list[PlotAxis], is_map: bool) -> tuple[list[PlotAxis], list[PlotAxis]]:
    """The axes that make curves, and those that make panels."""
    panels = [axis for axis in others if is_map or not axis.is_numeric]
    curves = [axis for axis in others if axis not in panels]
    while len(curves) > 1 and _count(curves) > MOST_CURVES:
        least = min(curves, key=lambda axis: len(axis.values))
        curves.remove(least)
        panels.append(least)
    if _count(panels) > MOST_PANELS or _count(curves) > MOST_CURVES:
        sizes = ", ".join(f"{axis.key} ({len(axis.values)} values)" for axis in others)
        one_panel = "maps" if is_map else f"panels of {MOST_CURVES} curves"
        message = f"must narrow the sweep to {MOST_PANELS} {one_panel} with KEY=VALUE"
        raise InputError(f"{message}, but {sizes} make more", "--where")
    return curves, panels


def _count(axes: Sequence[PlotAxis]) -> int:
    return math.prod(len(axis.values) for axis in axes)


def _combinations(axes: Sequence[PlotAxis]) -> tuple[Row, ...]:
    keys = [axis.key for axis in axes]
    return tuple(
        dict(zip(keys, values, strict=True)) for values in product(*(axis.values for axis in axes))
    )
