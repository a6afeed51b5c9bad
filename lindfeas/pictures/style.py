"""Sizes for a paper's column, colours that colour-blind readers tell apart, marks of verdicts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lindfeas.answer import IMPOSSIBLE, POSSIBLE, UNDECIDED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

COLUMN = 3.4
PAGE = 7.0
"""Inches: one column and two columns of Physical Review."""

TEXT = 8.0
SMALL = 7.0
"""Points."""

LINE = 0.9
MARKER = 4.5
"""Points."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#7f7f7f")
"""The palette of Okabe and Ito without its yellow, and a grey."""

DASHES = (
    "solid",
    (0, (5, 1.5)),
    (0, (1, 1.2)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (3, 1)),
    (0, (5, 1, 1, 1, 1, 1)),
    (0, (1, 2.5)),
    (0, (8, 2)),
)

MARKS = {IMPOSSIBLE: ("s", "full"), POSSIBLE: ("o", "none"), UNDECIDED: ("D", "left")}
"""Verdict: shape and filling, so that no colour is needed."""

TOLERANCE_LINE: dict[str, Any] = {"color": "black", "lw": LINE, "ls": (0, (4, 2)), "zorder": 1.5}

CARET_UP, CARET_DOWN = 6, 7
"""matplotlib's numbers of the triangles whose tips stand on the point."""


HATCHES = {IMPOSSIBLE: "", POSSIBLE: "////", UNDECIDED: "xxxxx"}
"""Verdict: pattern of a map's cells."""

MAP_COLOURS = "YlGnBu"
"""Grows darker all the way, so that it survives a printer without colours."""

LEGEND_CELL = "#c7e9b4"

BOUNDARY_LINE: dict[str, Any] = {"color": "black", "lw": 1.8 * LINE}

CASING: dict[str, Any] = {"color": "white", "lw": 3 * LINE, "zorder": 1.4}
"""Under a line on a colour bar, to be seen on every colour."""


def hatching(verdict: str) -> dict[str, Any]:
    """Properties of a verdict's cells on top of their colours."""
    return {
        "facecolor": "none",
        "edgecolor": "black",
        "hatch": HATCHES[verdict],
        "linewidth": 0.0,
        "hatch_linewidth": 0.45,
    }


def mark(verdict: str, colour: str, index: int = 1) -> dict[str, Any]:
    """Line properties of a verdict's marker; later curves have smaller ones, to hide no other."""
    shape, filling = MARKS[verdict]
    return {
        "marker": shape,
        "markersize": MARKER * (1.25 - 0.15 * min(index, 5)),
        "fillstyle": "full" if filling == "none" else filling,
        "markerfacecolor": "white" if filling == "none" else colour,
        "markerfacecoloralt": "white",
        "markeredgecolor": colour,
        "markeredgewidth": LINE,
        "linestyle": "none",
    }


def failed_mark(colour: str) -> dict[str, Any]:
    """Line properties of a failed point's marker."""
    return {
        "marker": "x",
        "markersize": 0.9 * MARKER,
        "markeredgecolor": colour,
        "markeredgewidth": 1.2 * LINE,
        "linestyle": "none",
    }


SOLVER_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


def solver_mark(index: int, *, is_open: bool) -> dict[str, Any]:
    """Line properties of a solver's marker."""
    colour = COLOURS[index]
    return {
        "marker": SOLVER_MARKS[index],
        "markersize": MARKER,
        "markerfacecolor": "white" if is_open else colour,
        "markeredgecolor": colour,
        "markeredgewidth": LINE,
        "linestyle": "none",
    }


def unchanged_line(colour: str) -> dict[str, Any]:
    """Line properties where the verdict is the same all along."""
    return {"color": colour, "lw": LINE, "ls": (0, (1, 2))}


def caret(colour: str, *, up: bool = False) -> dict[str, Any]:
    """Line properties of the arrow to what is below or above the panel."""
    return {
        "marker": CARET_UP if up else CARET_DOWN,
        "markersize": 5.5,
        "color": colour,
        "linestyle": "none",
    }


def bar(colour: str) -> dict[str, Any]:
    """Line properties of an interval in a legend: an upright bar."""
    return {
        "marker": "|",
        "markersize": 2 * MARKER,
        "markeredgewidth": 1.5 * LINE,
        "markeredgecolor": colour,
        "linestyle": "none",
    }


def curve_line(index: int) -> dict[str, Any]:
    """Line properties of a curve."""
    return {"color": COLOURS[index], "ls": DASHES[index], "lw": LINE}


def lemma1_line(index: int, colour: str | None = None) -> dict[str, Any]:
    """Line properties of a curve's Lemma 1: the same, but thin."""
    return {"color": colour or COLOURS[index], "ls": DASHES[index], "lw": 0.5 * LINE}


def panels(count: int, height: float = 2.5) -> tuple[Figure, list[Axes]]:
    """A figure with ``count`` equal panels, one column wide if there is only one."""
    from matplotlib.figure import Figure

    columns = {1: 1, 2: 2, 4: 2}.get(count, 3)
    lines = -(-count // columns)
    size = (COLUMN if columns == 1 else PAGE, lines * height)
    drawn = Figure(figsize=size, layout="constrained")
    grid = drawn.subplots(lines, columns, squeeze=False).ravel()
    for unused in grid[count:]:
        unused.remove()
    for axes in grid[:count]:
        axes.tick_params(which="both", direction="in", top=True, right=True, labelsize=SMALL)
    return drawn, list(grid[:count])


def at_height(axes: Axes, x: Sequence[float], height: float = 0.0, **properties: Any) -> None:
    """Marks at a height that is counted in parts of the panel."""
    if x:
        transform = axes.get_xaxis_transform()
        axes.plot(x, [height] * len(x), transform=transform, clip_on=False, zorder=4, **properties)


def panel_titles(panels: Sequence[Axes], titles: Sequence[str]) -> None:
    """What every panel shows, with a letter to cite it by if there are several."""
    for number, (axes, title) in enumerate(zip(panels, titles, strict=True)):
        letter = f"({chr(ord('a') + number)}) " if len(panels) > 1 else ""
        axes.set_title(letter + title, fontsize=TEXT)


def heading(drawn: Figure, lines: Sequence[str]) -> None:
    """The title above all panels, folded into the figure's width; it may hold mathtext."""
    width = int(15 * drawn.get_figwidth())
    folded = [textwrap.fill(line, width) for line in lines if line]
    if folded:
        drawn.suptitle("\n".join(folded), fontsize=TEXT)
        height = sum(text.count("\n") + 1 for text in folded)
        _grow(drawn, 1.2 * height * TEXT + 0.5 * TEXT)


def legend(drawn: Figure, groups: Sequence[Sequence[Artist]]) -> None:
    """One legend below the panels: a column per group if narrow, else a line per group."""
    groups = [list(group) for group in groups if group]
    if not groups:
        return
    longest = max(map(len, groups))
    padded = [[*group, *[_blank()] * (longest - len(group))] for group in groups]
    wide = drawn.get_figwidth() > COLUMN and longest <= 5
    columns = longest if wide else len(padded)
    # matplotlib fills a legend column by column
    order = zip(*padded, strict=True) if wide else padded
    drawn.legend(
        handles=[handle for column in order for handle in column],
        loc="outside lower center",
        ncols=columns,
        fontsize=SMALL,
        frameon=False,
        handlelength=2.6,
        columnspacing=1.2,
        labelspacing=0.35,
    )
    _grow(drawn, 1.45 * (len(groups) if wide else longest) * SMALL + SMALL)


def _grow(drawn: Figure, points: float) -> None:
    """Make the figure higher, so that what stands outside of the panels takes nothing from them."""
    drawn.set_figheight(drawn.get_figheight() + points / 72)


def remark(text: str) -> Line2D:
    """A legend entry without a symbol."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=text)


def _blank() -> Line2D:
    return remark(" ")
