"""Which swept key goes where in a picture: along the axes, into curves, or into panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import isclose, prod
from typing import Any

from pandas import DataFrame, to_numeric

from lindfeas.errors import InputError
from lindfeas.files.columns import Axis, named
from lindfeas.files.complaints import key_and_value, shown
from lindfeas.pictures.scales import is_numeric, positions, spans_decades

MOST_CURVES = 8
MOST_PANELS = 6
"""What still reads on one page."""

MOST_GRADED = 60
"""So many curves of one key are told apart by a scale of colours."""

GRID = 6
"""Two numeric axes of at least this many values make a map by default."""

ACCURACY = 1e-9
"""Relative: how exactly ``--where`` must repeat a number."""

Fixed = Mapping[str, Any]
"""Keys with the values that they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """A table's points, sorted into panels and curves.

    Parameters
    ----------
    points
        The points to draw; columns ``x``, and ``y`` of a map, are their places.
    along
        The axis along x, and for a map the one along y.
    curves, panels
        What every curve and every panel has fixed.
    graded
        The key of the curves, if they are too many for a legend.
    fixed
        What all points have in common.
    planned, missing
        Number of points of the grid, and of those that the table does not hold.
    log_keys
        The keys that were swept on a logarithmic scale, also those that are no columns.
    """

    points: DataFrame
    along: tuple[Axis, ...]
    curves: tuple[Fixed, ...]
    panels: tuple[Fixed, ...]
    graded: Axis | None
    fixed: Fixed
    planned: int
    missing: int
    log_keys: frozenset[str]


def matching(points: DataFrame, setting: Fixed) -> DataFrame:
    """The points that have the values of ``setting``."""
    for key, value in setting.items():
        points = points[points[key] == value]
    return points


def asked(points: DataFrame) -> tuple[str, str]:
    """(target, norm) of the points of one panel, empty if unknown: failed points do not know."""
    return max(points["target"], default=""), max(points["norm"], default="")


def arrange(
    axes: Sequence[Axis], rows: DataFrame, x: str | None, where: Sequence[str], as_map: bool | None
) -> Arrangement:
    """Sort the points of a sweep into a picture; see `lindfeas.plot` for the last three."""
    log_keys = frozenset(axis.key for axis in axes if axis.scale == "log")
    axes = _chosen([_whole(axis, rows) for axis in axes if axis.key in rows], where)
    points = rows
    for axis in axes:
        points = points[points[axis.key].isin(axis.values)]
    if points.empty:
        raise InputError("must hold at least one point to draw, but holds none", "table")
    along = _along(axes, x, as_map)
    others = [axis for axis in axes if axis not in along and len(axis.values) > 1]
    by_curve, by_panel = _divided(others, len(along) > 1)
    curves, panels = _combinations(by_curve), _combinations(by_panel)
    keys = [axis.key for axis in axes]
    # a point of a boundary has a row per change
    points = points.drop_duplicates(points.columns.intersection([*keys, "change"]), keep="last")
    columns = {name: points[name].fillna("") for name in ("target", "norm")}
    for name, axis in zip("xy", along, strict=False):
        columns[name] = points[axis.key].map(positions(axis)).astype(float)
    return Arrangement(
        points=points.assign(**columns),
        along=along,
        curves=curves,
        panels=panels,
        graded=by_curve[0] if len(curves) > MOST_CURVES else None,
        fixed={a.key: a.values[0] for a in axes if a != along[0] and len(a.values) == 1},
        planned=_count(axes),
        missing=_count(axes) - len(points.drop_duplicates(keys)),
        log_keys=log_keys,
    )


def _whole(axis: Axis, points: DataFrame) -> Axis:
    """The axis with the values planned and any others found; its scale is that of the picture."""
    found = points[axis.key].dropna().unique().tolist()
    axis = replace(axis, values=tuple(dict.fromkeys([*axis.values, *found])))
    log = axis.scale == "log" or (is_numeric(axis) and spans_decades(axis.values))
    return replace(axis, scale="log" if log else "linear")


def _chosen(axes: Sequence[Axis], where: Sequence[str]) -> list[Axis]:
    """The axes with the values that ``where`` leaves."""
    wanted: dict[str, list[Any]] = {}
    for setting in where:
        key, text = key_and_value(setting, "--where")
        wanted.setdefault(key, []).append(_value(named(axes, key, "--where"), text))
    left = {a.key: [v for v in a.values if v in wanted.get(a.key, a.values)] for a in axes}
    return [replace(axis, values=tuple(left[axis.key])) for axis in axes]


def _value(axis: Axis, text: str) -> Any:
    """The value of the axis that the user means by ``text``."""
    numeric = is_numeric(axis)
    value: Any
    near = float(to_numeric(text, errors="coerce"))
    for value in axis.values:
        if text == str(value) or (numeric and isclose(value, near, rel_tol=ACCURACY)):
            return value
    known = ", ".join(f"{v:.12g}" if numeric else str(v) for v in axis.values)
    raise InputError(f"must be one of {known}, but is {shown(text)}", f"--where {axis.key}")


def _along(axes: Sequence[Axis], x: str | None, as_map: bool | None) -> tuple[Axis, ...]:
    """The axis along x: the one asked for, or the one with most numbers; for a map, along y too."""
    numeric = sorted(filter(is_numeric, axes), key=lambda axis: -len(axis.values))
    if x is not None and named(axes, x, "--x") not in numeric:
        raise InputError(f"must be a key with numbers, but {x} has none", "--x")
    if not numeric:
        raise InputError("must have a swept key with numbers, but has none", "table")
    numeric.sort(key=lambda axis: axis.key != x)
    points = min(len(axis.values) for axis in numeric[:2]) if len(numeric) > 1 else 0
    if as_map and points < 2:
        raise InputError("must have two keys with several numbers each, but has not", "--map")
    is_map = points >= GRID if as_map is None else as_map
    return tuple(numeric[: 2 if is_map else 1])


def _divided(others: list[Axis], is_map: bool) -> tuple[list[Axis], list[Axis]]:
    """The axes that make curves, and those that make panels."""
    panels = [axis for axis in others if is_map or not is_numeric(axis)]
    curves = [axis for axis in others if axis not in panels]
    while len(curves) > 1 and _count(curves) > MOST_CURVES:
        least = min(curves, key=lambda axis: len(axis.values))
        curves.remove(least)
        panels.append(least)
    most = MOST_GRADED if len(curves) == 1 else MOST_CURVES
    if _count(panels) > MOST_PANELS or _count(curves) > most:
        sizes = ", ".join(f"{axis.key} ({len(axis.values)} values)" for axis in others)
        fit = f"{MOST_PANELS} {'maps' if is_map else f'panels of {MOST_CURVES} curves'}"
        message = f"must narrow the sweep to {fit} with KEY=VALUE, but {sizes} make more"
        raise InputError(message, "--where")
    return curves, panels


def _count(axes: Sequence[Axis]) -> int:
    return prod(len(axis.values) for axis in axes)


def _combinations(axes: Sequence[Axis]) -> tuple[Fixed, ...]:
    keys = [axis.key for axis in axes]
    values = product(*(axis.values for axis in axes))
    return tuple(dict(zip(keys, combination, strict=True)) for combination in values)
