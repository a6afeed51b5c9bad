"""What the marks, lines and fillings of a picture mean, and what it does not show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from lindfeas.pictures import style
from lindfeas.pictures.arrangement import Arrangement, Row
from lindfeas.pictures.intervals import DEFECT, Curve
from lindfeas.pictures.labels import number, setting_label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

VISIBLE = 0.015
"""An interval shorter than this part of the axis, from the middle of its mark, is hidden by it."""


def curves_legend(
    drawn: Figure, arranged: Arrangement, content: Sequence[Sequence[Curve]], quantity: str
) -> None:
    """Curves on one side; verdicts, interval, tolerance and what is missing on the other."""
    from matplotlib.lines import Line2D

    curves, colour = _curves(arranged)
    all_curves = [item for panel in content for item in panel]
    marks = [*_verdicts(all_curves, colour), *_lines(drawn, arranged, all_curves, quantity, colour)]
    failed = sum(len(item.empty) for item in all_curves)
    if failed:
        known = any(row["verdict"] for row in arranged.rows if quantity != DEFECT)
        name = "no value" if known else "failed"
        marks.append(Line2D([], [], label=f"{name} ({failed})", **style.failed_mark(colour)))
    style.legend(drawn, [curves, [*marks, *missing_remark(arranged)]])


def map_legend(drawn: Figure, arranged: Arrangement) -> None:
    """Hatchings of the verdicts, the boundary, the tolerance, and what is missing."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    gids = [artist.get_gid() for axes in drawn.axes for artist in axes.get_children()]
    handles: list[Artist] = []
    for verdict in style.HATCHES:
        if verdict in gids:
            shown = {**style.hatching(verdict), "linewidth": 0.6, "facecolor": style.LEGEND_CELL}
            handles.append(Patch(label=verdict, **shown))
    if "boundary" in gids:
        handles.append(Line2D([], [], label="change of verdict", **style.BOUNDARY_LINE))
    if "tolerance" in gids:
        values = {row["tolerance"] for row in arranged.rows} - {None}
        handles.append(tolerance_line(values, "solid"))
    failed = sum(row["verdict"] is None for row in arranged.rows)
    if "failed" in gids:
        handles.append(Line2D([], [], label=f"failed ({failed})", **style.failed_mark("black")))
    handles += missing_remark(arranged, " (white)")
    half = -(-len(handles) // 2) if drawn.get_figwidth() <= style.COLUMN else len(handles)
    style.legend(drawn, [handles[:half], handles[half:]])


def boundary_legend(drawn: Figure, arranged: Arrangement) -> None:
    """The ends of a bracket, and what stands where there is none."""
    from matplotlib.lines import Line2D

    curves, colour = _curves(arranged)
    gids = {artist.get_gid() for axes in drawn.axes for artist in axes.get_children()}
    marks = [
        Line2D([], [], label=verdict, **style.mark(verdict, colour))
        for verdict in style.MARKS
        if {verdict, f"all {verdict}"} & gids
    ]
    if "interval" in gids:
        marks += _brackets(drawn, arranged, colour)
    if "unchanged" in gids:
        marks.append(Line2D([], [], label="no change found", **style.unchanged_line(colour)))
    if "failed" in gids:
        marks.append(Line2D([], [], label="no bracket", **style.failed_mark(colour)))
    style.legend(drawn, [curves, [*marks, *missing_remark(arranged)]])


def _brackets(drawn: Figure, arranged: Arrangement, colour: str) -> list[Line2D]:
    """What a bracket is, and on which side of it is what, if that is the same everywhere."""
    from matplotlib.lines import Line2D

    handles = [style.remark("brackets smaller than marks")]
    if any(_is_long(axes, row) for axes in drawn.axes for row in arranged.rows):
        handles = [Line2D([], [], label="verdict changes inside", **style.bar(colour))]
    directions = {str(row["direction"]) for row in arranged.rows if row["direction"]}
    return handles + [style.remark(text) for text in directions if len(directions) == 1]


def _is_long(axes: Axes, row: Row) -> bool:
    """Whether a bracket is longer than the mark at its end."""
    ends = row["last_possible"], row["first_impossible"]
    if None in ends:
        return False
    (_, low), (_, high) = axes.transAxes.inverted().transform(
        [axes.transData.transform((1.0, end)) for end in ends]
    )
    return bool(abs(high - low) > VISIBLE)


def _curves(arranged: Arrangement) -> tuple[list[Line2D], str]:
    """The entries of the curves, none for a single one; and the colour of everything else."""
    from matplotlib.lines import Line2D

    if len(arranged.curves) == 1:
        return [], style.COLOURS[0]
    handles = [
        Line2D([], [], label=setting_label(setting), **style.curve_line(number))
        for number, setting in enumerate(arranged.curves)
    ]
    return handles, "black"


def missing_remark(arranged: Arrangement, shown: str = "") -> list[Line2D]:
    """How much of the sweep is not there, if anything."""
    if not arranged.missing:
        return []
    return [style.remark(f"{arranged.missing} of {arranged.planned} points missing{shown}")]


def _verdicts(curves: Sequence[Curve], colour: str) -> list[Line2D]:
    from matplotlib.lines import Line2D

    found = {item.verdict for curve in curves for item in curve.known}
    return [
        Line2D([], [], label=verdict, **style.mark(verdict, colour))
        for verdict in style.MARKS
        if verdict in found
    ]


def _lines(
    drawn: Figure, arranged: Arrangement, curves: Sequence[Curve], quantity: str, colour: str
) -> list[Line2D]:
    from matplotlib.lines import Line2D

    handles = []
    known = [item for curve in curves for item in curve.known]
    if known and all(item.lower is None for item in known):
        handles.append(style.remark("upper ends only"))
    elif known:
        span = max(_decades(axes.get_ylim()) for axes in drawn.axes)
        if any(item.decades > VISIBLE * span for item in known):
            handles.append(Line2D([], [], label="certified interval", **style.bar(colour)))
        else:
            handles.append(style.remark("intervals smaller than marks"))
    if any(item.lemma1 is not None for item in known):
        handles.append(Line2D([], [], label="Lemma 1", **style.lemma1_line(0, colour)))
    if quantity == DEFECT:
        values = {row["tolerance"] for row in arranged.rows} - {None}
        if values:
            handles.append(tolerance_line(values))
    return handles


def tolerance_line(values: Collection[float], dashes: Any = None) -> Line2D:
    """The tolerances, spelt out if they are few."""
    from matplotlib.lines import Line2D

    text = ", ".join(f"${number(value)}$" for value in sorted(values) if len(values) <= 3)
    look = {**style.TOLERANCE_LINE, "ls": dashes or style.TOLERANCE_LINE["ls"]}
    return Line2D([], [], label=f"tolerance {text}".strip(), **look)


def _decades(limits: tuple[float, float]) -> float:
    from math import log10

    return log10(limits[1] / limits[0])
