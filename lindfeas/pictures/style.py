"""Marks of verdicts, panels, headings and legends; sizes and colours are in paper.mplstyle."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from matplotlib import colormaps, rc_context, rc_params_from_file, rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lindfeas.program.verdict import Verdict

FILE = Path(__file__).with_name("paper.mplstyle")

COLUMN = 3.4
PAGE = 7.0
"""Inches: one column and two columns of Physical Review."""

TEXT = 8.0
SMALL = 7.0
LINE = 0.9
MARKER = 4.5
"""Points, as in the style file."""

Look = dict[str, Any]
"""Properties of an artist."""

MARKS: dict[str, Look] = {
    Verdict.IMPOSSIBLE: {"marker": "s"},
    Verdict.POSSIBLE: {"marker": "o", "markerfacecolor": "white"},
    Verdict.UNDECIDED: {"marker": "D", "fillstyle": "left", "markerfacecoloralt": "white"},
}
"""Verdict: shape and filling, so that no colour is needed."""

CELLS: dict[str, Look] = {
    verdict: {"facecolor": "none", "edgecolor": "black", "linewidth": 0.0, "hatch": hatch}
    for verdict, hatch in (
        (Verdict.IMPOSSIBLE, ""),
        (Verdict.POSSIBLE, "////"),
        (Verdict.UNDECIDED, "xxxxx"),
    )
}
"""Verdict: hatching of a map's cells, on top of their colours."""

LEGEND_CELL = "#c7e9b4"

GRADED = ListedColormap(colormaps["viridis"](np.linspace(0.0, 0.92, 256)), "lindfeas")
"""From dark to light, not so far that a line is lost on white paper."""

SOLVER_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")

TOLERANCE: Look = {"color": "black", "ls": (0, (4, 2)), "zorder": 1.5, "gid": "tolerance"}
BOUNDARY: Look = {"color": "black", "lw": 1.8 * LINE, "gid": "boundary"}
CASING: Look = {"color": "white", "lw": 3 * LINE, "zorder": 1.4}
CROSS: Look = {"marker": "x", "ls": "none", "markersize": 4.0, "markeredgewidth": 1.1}
UPRIGHT: Look = {"marker": "|", "ls": "none", "markersize": 9.0, "markeredgewidth": 1.35}
UNCHANGED: Look = {"lw": LINE, "ls": (0, (1, 2)), "gid": "unchanged"}
NOISE: Look = {"facecolor": "0.93", "edgecolor": "0.6", "hatch": "....", "lw": 0, "gid": "noise"}
POSSIBLE_SIDE: Look = {"color": "0.92", "lw": 0, "zorder": 0.5, "gid": "possible side"}
CARET_UP: Look = {"marker": 6, "markersize": 5.5, "ls": "none"}
CARET_DOWN: Look = CARET_UP | {"marker": 7}
"""The casing is to see a line on every colour; markers 6 and 7 have their tips on the point."""

_LOCK = Lock()


@contextmanager
def applied() -> Iterator[None]:
    """The style file's settings, which matplotlib knows only as global ones: one thread at a time.

    Whoever changes ``matplotlib.rcParams`` in another thread meanwhile, loses that.
    """
    settings = rc_params_from_file(FILE, use_default_template=False)
    with _LOCK, rc_context(settings):
        yield


def look(index: int) -> Look:
    """Colour and dashes of a curve, from the style file."""
    return dict(list(rcParams["axes.prop_cycle"])[index])


def graded(places: Sequence[float], *, log: bool) -> tuple[list[Look], ScalarMappable]:
    """Colours of curves that are too many for dashes, by the value that tells them apart."""
    norm = (LogNorm if log else Normalize)(min(places), max(places))
    colours = ScalarMappable(norm, GRADED)
    return [
        {"color": to_hex(colours.to_rgba(np.asarray(place))), "ls": "-"} for place in places
    ], colours


def mark(verdict: str, colour: str, index: int = 1) -> Look:
    """Line properties of a verdict's marker; later curves have smaller ones, to hide no other."""
    size = MARKER * (1.25 - 0.15 * min(index, 5))
    return {"color": colour, "ls": "none", "markersize": size, "zorder": 3, **MARKS[verdict]}


def panels(count: int, height: float = 2.5) -> tuple[Figure, list[Axes]]:
    """A figure with ``count`` equal panels, one column wide if there is only one."""
    columns = {1: 1, 2: 2, 4: 2}.get(count, 3)
    lines = -(-count // columns)
    drawn = Figure(figsize=(COLUMN if columns == 1 else PAGE, lines * height))
    grid = drawn.subplots(lines, columns, squeeze=False).ravel()
    for unused in grid[count:]:
        unused.remove()
    for axes in grid[:count]:
        inward(axes)
    return drawn, list(grid[:count])


def inward(axes: Axes) -> None:
    """Ticks as in the style file, also where they are made when the picture is written."""
    axes.tick_params(which="both", direction="in", labelsize=SMALL)


def at_height(axes: Axes, x: Sequence[float], height: float, gid: str, **properties: Any) -> None:
    """Marks at a height that is counted in parts of the panel."""
    if len(x):
        up = axes.get_xaxis_transform()
        look = {"clip_on": False, "zorder": 4, "transform": up, **properties}
        axes.plot(x, [height] * len(x), gid=gid, **look)


def heading(drawn: Figure, lines: Sequence[str]) -> None:
    """The title above all panels, folded into the figure's width; it may hold mathtext."""
    width = int(15 * drawn.get_figwidth())
    folded = [textwrap.fill(line, width) for line in lines if line]
    if folded:
        drawn.suptitle("\n".join(folded))
        height = sum(text.count("\n") + 1 for text in folded)
        _grow(drawn, 1.2 * height * TEXT + 0.5 * TEXT)


def folded(text: str, axes: Axes) -> str:
    """A panel's title on as many lines as it needs."""
    width = axes.get_subplotspec().get_gridspec().ncols  # type: ignore[union-attr]
    return textwrap.fill(text, int(15 * (COLUMN if width == 1 else PAGE) / width))


def legend(
    drawn: Figure, curves: Sequence[Artist], marks: Sequence[Artist], remarks: Sequence[str] = ()
) -> None:
    """One legend below the panels, of labelled artists: a column per group if narrow, else a line.

    Beside curves, the marks are black. Remarks stand above it in words.
    """
    wide, half = drawn.get_figwidth() > COLUMN, -(-len(marks) // 2)
    pairs = [curves, marks] if curves or wide else [marks[:half], marks[half:]]
    groups = [list(group) for group in pairs if group]
    words = textwrap.fill("; ".join(remarks), int(17 * drawn.get_figwidth()))
    if not groups and not words:
        return
    longest = max(map(len, groups), default=0)
    padded = [[*group, *[_blank()] * (longest - len(group))] for group in groups]
    in_lines = wide and longest <= 5
    # matplotlib fills a legend column by column
    columns = list(zip(*padded, strict=True)) if in_lines else padded
    handles = [handle for column in columns for handle in column]
    place = {"loc": "outside lower center", "ncols": max(len(columns), 1)}
    box = drawn.legend(handles=handles, title=words or None, title_fontsize=SMALL, **place)
    for entry, handle in zip(filter(None, box.legend_handles), handles, strict=True):
        if isinstance(entry, Patch):
            is_cell = handle.get_label() in CELLS
            entry.set(fill=True, linewidth=0.6, **({"facecolor": LEGEND_CELL} if is_cell else {}))
            continue
        if handle.get_label() in MARKS:
            entry.set(markersize=MARKER, alpha=None)
        if curves and handle in marks:
            entry.set(color="black")
    lines = (len(groups) if in_lines else longest) + (words.count("\n") + 1 if words else 0)
    _grow(drawn, 1.45 * lines * SMALL + SMALL)


def _grow(drawn: Figure, points: float) -> None:
    """Make the figure higher, so that what stands outside of the panels takes nothing from them."""
    drawn.set_figheight(drawn.get_figheight() + points / 72)


def _blank() -> Line2D:
    """A place of the legend that stays empty."""
    return Line2D([], [], linestyle="none", label=" ")
