"""One property per look: what a reader of the printed picture relies on."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lindfeas.files.columns import Axis
from lindfeas.files.table import read_table
from lindfeas.pictures import style
from lindfeas.plot import figure
from tests.pictures.tables import (
    BETA,
    COUPLING,
    along_coupling,
    artists,
    boundary_table,
    grid,
    legend_entries,
    legend_texts,
    marked,
    point,
    remarks,
    sweep,
)

RESULTS = Path(__file__).resolve().parents[2] / "results"
SWEPT = sorted(path.parent.name for path in RESULTS.glob("figure-*/table.parquet"))

FILLED = 0.6
"""Of an axis, by the data."""

WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Of red, green and blue in the grey of a printer."""


def drawn_table(name: str, **how: Any) -> Figure:
    return figure(read_table(RESULTS / name), **how)


def heights(axes: Axes) -> np.ndarray[Any, Any]:
    """Ends of all bars and marks, in parts of the axis along y."""
    ends = [y for item in artists(axes, "interval") for s in item.get_segments() for _, y in s]
    ends += [y for verdict in style.MARKS for _, y in marked(axes, verdict)]
    bottom, top = np.log10(axes.get_ylim())
    return (np.log10([end for end in ends if math.isfinite(end)]) - bottom) / (top - bottom)


@pytest.mark.parametrize("name", SWEPT)
def test_the_data_fill_the_axis(name: str) -> None:
    for axes in drawn_table(name).axes:
        found = heights(axes)
        assert found.min() >= 0 and found.max() <= 1
        assert found.max() - found.min() >= FILLED


def test_a_tolerance_that_would_stretch_the_axis_is_an_arrow_at_its_end() -> None:
    drawn = figure(along_coupling(*[(g, 1.01 * g) for g in (1e-3, 1e-2, 3e-2, 0.1)]))
    (axes,) = drawn.axes
    assert not artists(axes, "tolerance")
    assert [y for _, y in marked(axes, "tolerance below")] == [0.0]
    assert "tolerance $10^{-6}$, below" in legend_texts(drawn)
    low = figure(along_coupling(*[(g, 1.01 * g) for g in (1e-12, 1e-11, 1e-10, 1e-9)]))
    assert [y for _, y in marked(low.axes[0], "tolerance above")] == [1.0]
    assert "tolerance $10^{-6}$, above" in legend_texts(low)


def test_what_rounding_leaves_is_drawn_as_noise() -> None:
    drawn = figure(along_coupling((0.0, 1e-13), (0.0, 3e-12), (1e-8, 1.1e-8), (0.0, 1e-3)))
    (axes,) = drawn.axes
    (shade,) = artists(axes, "noise")
    assert shade.get_hatch()
    assert {x for path in shade.get_paths() for x, _ in path.vertices} <= {0.001, 0.01}
    (guide,) = artists(axes, "guide")
    assert np.isnan(guide.get_ydata()).tolist() == [True, True, False, False]
    pale = {x: line.get_alpha() for line in artists(axes, "possible") for x in line.get_xdata()}
    assert pale[0.001] == pale[0.01] < pale[0.1] == 1.0
    assert "not told from 0" in legend_texts(drawn)


@pytest.mark.parametrize("name", [*SWEPT, "boundary-2+2+2", "solvers"])
def test_no_row_of_a_legend_lacks_its_symbol(name: str) -> None:
    for text, entry in legend_entries(drawn_table(name)).items():
        if not text.strip() or not isinstance(entry, Line2D):
            continue
        assert entry.get_linestyle() != "None" or entry.get_marker() not in ("None", "", None), text


def gaps(drawn: Figure) -> float:
    """Smallest distance, in points, of two marks of different curves."""
    drawn.savefig("/dev/null", format="png")
    lines = [line for verdict in style.MARKS for line in artists(drawn.axes[0], verdict)]
    curves: dict[Any, list[Any]] = {}
    for line in lines:
        places = line.get_transform().transform(line.get_xydata()) * 72 / drawn.dpi
        curves.setdefault(line.get_color(), []).extend(places)
    pairs = combinations(curves.values(), 2)
    return min(float(np.hypot(*(a - b))) for one, other in pairs for a in one for b in other)


@pytest.mark.parametrize("name", ["figure-2c", "figure-2d", "figure-3c"])
def test_no_mark_hides_one_of_another_curve(name: str) -> None:
    drawn = drawn_table(name)
    assert gaps(drawn) > 2.5
    assert "curves set apart sideways" in remarks(drawn)


def test_curves_far_from_each_other_stay_where_they_are() -> None:
    drawn = figure(grid(BETA, COUPLING, bound=lambda v: 1e-5 * v["bath.right.beta"] ** 5))
    assert "curves set apart sideways" not in remarks(drawn)
    (axes,) = drawn.axes
    for line in artists(axes, "guide"):
        moved = line.get_transform().transform((0.1, 1e-3))
        assert moved.tolist() == axes.transData.transform((0.1, 1e-3)).tolist()


def test_intervals_of_several_curves_never_mix_their_colours() -> None:
    """Not even where their marks are far from each other."""
    rows = [
        point({"bath.right.beta": beta, "system.coupling": g}, 1e-5, 1e-4 * beta)
        for beta in BETA.values
        for g in COUPLING.values
    ]
    drawn = figure(sweep(rows, BETA, COUPLING))
    assert not artists(drawn.axes[0], "band")
    assert "curves set apart sideways" in remarks(drawn)
    assert not artists(drawn_table("figure-3c", y="trace-distance").axes[0], "band")


BRACKETS = [
    {"bath.right.beta": beta, "direction": "possible below", **ends}
    for beta, ends in (
        (10.0, {"last_possible": 0.01, "first_impossible": 0.02}),
        (5.0, {"last_possible": 0.05, "first_impossible": 0.06}),
    )
]


@pytest.mark.parametrize("below", [True, False])
def test_the_possible_side_of_a_boundary_is_shaded_and_named(below: bool) -> None:
    direction = "possible below" if below else "impossible below"
    drawn = figure(boundary_table(*[{**row, "direction": direction} for row in BRACKETS]))
    (axes,) = drawn.axes
    (shade,) = artists(axes, "possible side")
    ends = {float(y) for _, y in shade.get_paths()[0].vertices}
    assert {0.01, 0.05} < ends
    assert ends - {0.01, 0.05} == {axes.get_ylim()[not below]}
    (word,) = artists(axes, "possible side label")
    (other,) = artists(axes, "impossible side label")
    assert (word.get_text(), other.get_text()) == ("possible", "impossible")
    assert (word.get_position()[1] < other.get_position()[1]) == below
    assert "possible for this side" in legend_texts(drawn)


def test_boundaries_of_both_directions_have_no_possible_side() -> None:
    rows = [{**BRACKETS[0], "direction": "impossible below"}, BRACKETS[1]]
    assert not artists(figure(boundary_table(*rows)).axes[0], "possible side")


def test_many_curves_have_a_scale_of_colours_that_survives_a_grey_printer() -> None:
    fields = Axis(key="system.field", values=tuple(0.1 * n for n in range(1, 13)))
    axes = (Axis(key="bath.right.beta", values=(1.0, 2.0, 3.0)), fields)
    drawn = figure(grid(*axes), x="bath.right.beta", as_map=False)
    panel, bar = drawn.axes
    guides = artists(panel, "guide")
    greys = [WEIGHTS @ to_rgba(line.get_color())[:3] for line in guides]
    assert len(guides) == 12
    assert np.all(np.diff(greys) > 0)
    assert bar.get_ylabel() == "field $h$ (energy)"
    assert not any("h =" in text for text in legend_texts(drawn))


def test_several_tables_are_the_panels_of_one_figure() -> None:
    names = ["figure-2a", "figure-2b", "figure-2c", "figure-2d"]
    drawn = figure([read_table(RESULTS / name) for name in names])
    assert [axes.get_title()[:4] for axes in drawn.axes] == ["(a) ", "(b) ", "(c) ", "(d) "]
    assert all(marked(axes, "impossible") for axes in drawn.axes)
    assert len(drawn.legends) == 1
    assert len([text for text in legend_texts(drawn) if "beta" in text]) == 4
    assert drawn.get_figwidth() == style.PAGE


@pytest.mark.parametrize("name", SWEPT)
def test_there_is_one_title(name: str) -> None:
    drawn = drawn_table(name)
    assert drawn.get_suptitle()
    assert [axes.get_title() for axes in drawn.axes] == [""]
    assert drawn.get_suptitle().count("populations") == 1


def test_solvers_stand_apart() -> None:
    """Every mark on a line of its own: nothing crosses, nothing is on top of another solver."""
    widths, _ = drawn_table("solvers").axes
    lines: dict[float, set[str]] = {}
    for line in widths.lines:
        name, _, kind = str(line.get_gid()).rpartition(" ")
        if kind in ("plain", "rescaled"):
            for y in line.get_ydata():
                lines.setdefault(round(float(y), 6), set()).add(name)
    assert len(lines) > 60
    assert all(len(solvers) == 1 for solvers in lines.values())
