"""Pictures show what the table says: every interval, every verdict, every gap."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matplotlib import rcParams
from matplotlib.colors import to_rgba
from matplotlib.layout_engine import ConstrainedLayoutEngine

import lindfeas as lf
from lindfeas.cli import main
from lindfeas.errors import InputError, MissingExtraError
from lindfeas.files.columns import BOUNDARY_COLUMNS, Axis
from lindfeas.files.table import Table, make_table
from lindfeas.pictures.saving import save
from lindfeas.pictures.style import BOUNDARY, LEGEND_CELL, MARKS
from lindfeas.plot import figure
from tests.pictures.tables import (
    BETA,
    BETAS,
    COUPLING,
    SIX,
    TARGET,
    THREE_VERDICTS,
    Row,
    along_coupling,
    artists,
    bars,
    boundary_table,
    comparison_table,
    grid,
    legend_entries,
    legend_texts,
    marked,
    point,
    remarks,
    sweep,
)


def test_bars_and_band_are_the_certified_intervals() -> None:
    (axes,) = figure(THREE_VERDICTS).axes
    expected = list(
        zip(COUPLING.values, [1e-9, 5e-7, 1e-3, 0.1], [2e-9, 4e-6, 1.5e-3, 0.1], strict=True)
    )
    assert bars(axes) == expected
    (band,) = artists(axes, "band")
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert {(x, lower) for x, lower, _ in expected} <= corners
    assert {(x, upper) for x, _, upper in expected} <= corners


def test_marks_tell_verdicts_apart_without_colour() -> None:
    drawn = figure(THREE_VERDICTS)
    (axes,) = drawn.axes
    assert marked(axes, "possible") == [(0.001, 2e-9)]
    assert marked(axes, "undecided") == [(0.01, 4e-6)]
    assert marked(axes, "impossible") == [(0.1, 1.5e-3), (1.0, 0.1)]
    lines = [artists(axes, verdict)[0] for verdict in ("possible", "undecided", "impossible")]
    assert len({line.get_marker() for line in lines}) == 3
    assert [line.get_fillstyle() for line in lines] == ["full", "left", "full"]
    assert to_rgba(lines[0].get_markerfacecolor()) == to_rgba("white")
    assert to_rgba(lines[2].get_markerfacecolor()) != to_rgba("white")
    assert legend_texts(drawn) == [
        "impossible",
        "possible",
        "undecided",
        "certified interval",
        "tolerance $10^{-6}$",
    ]


def test_axes_have_symbols_units_and_scales() -> None:
    drawn = figure(THREE_VERDICTS)
    (axes,) = drawn.axes
    assert axes.get_xlabel() == "coupling $g$ (energy)"
    assert axes.get_ylabel() == r"smallest defect $\tau_\mathrm{pop}$ ($\epsilon^2$)"
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert drawn.get_suptitle() == "A chain\npopulations"
    assert axes.get_title() == ""
    (tolerance,) = artists(axes, "tolerance")
    assert set(tolerance.get_ydata()) == {1e-6}


def test_listed_values_within_two_decades_get_a_linear_axis() -> None:
    table = grid(BETA)
    assert figure(table).axes[0].get_xscale() == "linear"
    wide = grid(replace(BETA, values=(0.01, 0.1, 10.0)))
    assert figure(wide).axes[0].get_xscale() == "log"


def test_narrow_intervals_are_marks_and_said_to_be_narrow() -> None:
    drawn = figure(along_coupling(*[(1e-3, 1e-3 * (1 + 1e-12))] * 4))
    assert len(marked(drawn.axes[0], "impossible")) == 4
    assert remarks(drawn) == ["intervals smaller than marks"]
    assert "certified interval" not in legend_texts(drawn)


@pytest.mark.parametrize("lower", [0.0, 1e-20])
def test_lower_end_off_the_axis_is_an_arrow_to_its_bottom(lower: float) -> None:
    (axes,) = figure(along_coupling((lower, 1e-9), (1e-4, 2e-4), None, None)).axes
    bottom, _ = axes.get_ylim()
    assert bars(axes)[0] == (0.001, bottom, 1e-9)
    assert bottom < 1e-9
    assert marked(axes, "one-sided") == [(0.001, 0.0)]


@pytest.mark.parametrize("first", [0, 1])
def test_curves_of_one_point_each_share_an_axis(first: int) -> None:
    """Two curves, each with one of the two places: the axis holds both from the beginning."""
    field = Axis(key="system.field", values=(1e4, 1e-3))
    pairs = zip(field.values, BETA.values if first else BETA.values[::-1], strict=True)
    keys = [{"system.field": x, "bath.right.beta": beta} for x, beta in pairs]
    drawn = figure(sweep([point(key, 0.0, 0.0) for key in keys], field, BETA))
    drawn.savefig(BytesIO(), dpi=40)
    low, high = drawn.axes[0].get_xlim()
    assert low < 1e-3 < 1e4 < high


@pytest.mark.parametrize("upper", [0.0, 1e-30])
def test_upper_end_below_rounding_stays_visible(upper: float) -> None:
    (axes,) = figure(along_coupling((0.0, upper), (1e-4, 2e-4), None, None)).axes
    bottom, _ = axes.get_ylim()
    ((x, y),) = marked(axes, "possible")
    assert x == 0.001
    assert y > bottom
    assert marked(axes, "one-sided") == [(0.001, 0.0)]


def test_no_upper_end_is_an_arrow_to_the_top() -> None:
    (axes,) = figure(along_coupling((1e-3, math.inf), (1e-4, 2e-4), None, None)).axes
    _, top = axes.get_ylim()
    assert bars(axes)[0] == (0.001, 1e-3, top)
    assert marked(axes, "impossible")[0] == (0.001, 1e-3)
    assert marked(axes, "open above") == [(0.001, 1.0)]


def test_failed_points_are_marked_at_the_bottom_and_counted() -> None:
    drawn = figure(along_coupling((1e-4, 2e-4), (None, None), (1e-4, 2e-4), (None, None)))
    (axes,) = drawn.axes
    crosses = marked(axes, "failed")
    assert [x for x, _ in crosses] == [0.01, 1.0]
    assert all(0 < y < 0.1 for _, y in crosses)
    assert "failed (2)" in legend_texts(drawn)


def test_what_says_nothing_is_no_interval() -> None:
    """Between 0 and infinity; or numbers of a point that failed afterwards."""
    table = along_coupling((1e-4, 2e-4), (0.0, math.inf), (1e-4, 2e-4), None)
    (axes,) = figure(table).axes
    assert [x for x, _ in marked(axes, "failed")] == [0.01]
    assert [x for x, _, _ in bars(axes)] == [0.001, 0.1]
    failed = [{**row, "verdict": None} for row in table.rows()[:1]] + table.rows()[2:]
    (axes,) = figure(sweep(failed, COUPLING)).axes
    assert [x for x, _ in marked(axes, "failed")] == [0.001]
    assert [x for x, _, _ in bars(axes)] == [0.1]


def test_all_failed_is_still_a_picture() -> None:
    drawn = figure(along_coupling(*[(None, None)] * 4))
    assert "failed (4)" in legend_texts(drawn)
    assert drawn.axes[0].get_xlim()[1] > 1.0


def test_curve_breaks_at_a_missing_point_which_is_counted() -> None:
    drawn = figure(along_coupling((1e-4, 2e-4), None, (1e-4, 2e-4), (1e-4, 2e-4)))
    (guide,) = artists(drawn.axes[0], "guide")
    assert np.isnan(guide.get_ydata()).tolist() == [False, True, False, False]
    assert "1 of 4 points missing" in remarks(drawn)
    assert not any("missing" in text for text in remarks(figure(THREE_VERDICTS)))


@pytest.mark.parametrize("table", [THREE_VERDICTS, "map"])
def test_the_style_is_in_the_picture_whoever_writes_it(table: Any) -> None:
    """matplotlib makes ticks when it draws, long after the style's settings are gone."""
    drawn = figure(grid(SIX, BETAS) if table == "map" else table)
    drawn.savefig(BytesIO(), dpi=40)
    for axes in drawn.axes:
        for axis in (axes.xaxis, axes.yaxis):
            for which in ("major", "minor"):
                look = axis.get_tick_params(which)
                assert (look["direction"], look["labelsize"]) == ("in", 7.0)
            assert {tick.label1.get_fontsize() for tick in axis.get_major_ticks()} <= {7.0}
        assert axes.yaxis.label.get_fontsize() == 8.0
    (panel, *_) = drawn.axes
    assert panel.xaxis.get_tick_params()["top"]
    assert panel.yaxis.get_tick_params()["right"]
    assert isinstance(drawn.get_layout_engine(), ConstrainedLayoutEngine)


def test_one_point() -> None:
    drawn = figure(grid(BETA, COUPLING), where=["system.coupling=0.1", "bath.right.beta=5"])
    (axes,) = drawn.axes
    assert len(bars(axes)) == 1
    assert "$g = 0.1$" in drawn.get_suptitle()


def test_one_point_at_the_low_end_of_a_grid_has_room() -> None:
    drawn = figure(along_coupling((0.0, 0.0), None, None, None))
    low, high = drawn.axes[0].get_xlim()
    assert low < 0.5e-3
    assert high > 2e-3
    drawn.savefig(BytesIO(), dpi=40)


def test_other_axes_are_curves_and_words_are_panels() -> None:
    def bound(values: Row) -> float:
        return float(values["bath.right.beta"]) * values["system.coupling"]

    drawn = figure(grid(TARGET, BETA, COUPLING, bound=bound))
    assert [axes.get_title()[:4] for axes in drawn.axes] == ["(a) ", "(b) "]
    assert legend_texts(drawn)[::2][:2] == [r"$\beta_{R} = 10$", r"$\beta_{R} = 5$"]
    for axes in drawn.axes:
        guides = artists(axes, "guide")
        assert [line.get_color() for line in guides] == ["#0072b2", "#d55e00"]
        assert guides[0].get_linestyle() != guides[1].get_linestyle()
        assert guides[0].get_ydata()[-1] == pytest.approx(10.1)
        assert guides[1].get_ydata()[-1] == pytest.approx(5.05)


def test_panels_are_named_by_what_had_to_be_reproduced() -> None:
    rows = [
        point(
            {"question.target": target, "system.coupling": value},
            1e-4,
            1e-3,
            target=target,
            norm=None if target == "populations" else "spectral",
        )
        for target in TARGET.values
        for value in COUPLING.values
    ]
    first, second = figure(sweep(rows, TARGET, COUPLING)).axes
    assert first.get_title() == "(a) populations"
    assert second.get_title() == "(b) populations + coherences, spectral norm"
    assert r"\tau_\mathrm{pop}" in first.get_ylabel()
    assert r"\tau_\mathrm{pop{,}coh}" in second.get_ylabel()


def test_x_and_where_choose() -> None:
    table = grid(BETA, COUPLING, bound=lambda values: 1e-3 * values["system.coupling"])
    (axes,) = figure(table, x="bath.right.beta").axes
    assert axes.get_xlabel() == r"inverse temperature $\beta_{R}$ (1/energy)"
    assert len(artists(axes, "guide")) == 4
    chosen = ["system.coupling=0.1", "system.coupling=1e0"]
    (axes,) = figure(table, x="system.coupling", where=chosen).axes
    assert {x for x, _, _ in bars(axes)} == {0.1, 1.0}


def test_the_legend_shows_the_artists_of_the_picture() -> None:
    drawn = figure(THREE_VERDICTS)
    entries = legend_entries(drawn)
    for verdict in ("impossible", "possible", "undecided"):
        (line,) = artists(drawn.axes[0], verdict)
        for what in ("marker", "color", "markerfacecolor", "fillstyle"):
            of_entry, of_line = (
                getattr(item, f"get_{what}")() for item in (entries[verdict], line)
            )
            assert of_entry == of_line
    assert entries["certified interval"].get_marker() == "|"
    assert entries["certified interval"].get_color().tolist()[0] == [*to_rgba("#0072b2")]


def test_beside_curves_the_marks_of_the_legend_are_black() -> None:
    def bound(values: Row) -> float:
        return 1e-5 * values["system.coupling"] ** 2

    entries = legend_entries(figure(grid(BETA, COUPLING, bound=bound)))
    curves = [entries[rf"$\beta_{{R}} = {value}$"].get_color() for value in (10, 5)]
    assert curves == ["#0072b2", "#d55e00"]
    assert entries["possible"].get_color() == entries["impossible"].get_color() == "black"
    assert entries["possible"].get_markerfacecolor() == "white"
    assert entries["impossible"].get_markerfacecolor() == "black"


def test_map_legend_is_hatched_like_the_cells() -> None:
    entries = legend_entries(figure(grid(SIX, BETAS, bound=half_possible)))
    assert entries["possible"].get_hatch() == "////"
    assert not entries["impossible"].get_hatch()
    assert entries["possible"].get_facecolor() == to_rgba(LEGEND_CELL)


def test_panels_of_one_question_have_the_same_limits() -> None:
    norms = Axis(key="question.norm", values=("spectral", "trace"))

    def table(*norm: str) -> Table:
        rows = [
            point(
                {"question.norm": key, "system.coupling": g},
                size * g,
                1.1 * size * g,
                norm=asked,
                target="populations+coherences",
            )
            for key, asked, size in zip(norms.values, norm, (1e-3, 1e-5), strict=True)
            for g in COUPLING.values
        ]
        return sweep(rows, norms, COUPLING)

    first, second = figure(table("spectral", "spectral")).axes
    assert first.get_ylim() == second.get_ylim()
    assert first.get_ylim()[0] < 1e-8 < 1e-3 < first.get_ylim()[1]
    first, second = figure(table("spectral", "trace")).axes
    assert first.get_ylim()[1] > 10 * second.get_ylim()[1]


def test_a_panel_whose_points_all_failed_says_what_was_asked() -> None:
    rows = [
        point({"question.target": target, "system.coupling": g}, *ends)
        for target, ends in zip(TARGET.values, ((1e-4, 1e-3), (None, None)), strict=True)
        for g in COUPLING.values
    ]
    axes = figure(sweep(rows, TARGET, COUPLING)).axes
    assert [panel.get_title() for panel in axes] == [
        "(a) populations",
        "(b) populations + coherences",
    ]


def test_the_later_of_two_rows_of_a_point_is_drawn() -> None:
    rows = [point({"system.coupling": 0.1}, *ends) for ends in ((1e-4, 2e-4), (1e-3, 2e-3))]
    drawn = figure(sweep(rows, replace(COUPLING, values=(0.1, 1.0))))
    assert bars(drawn.axes[0]) == [(0.1, 1e-3, 2e-3)]
    assert "1 of 2 points missing" in remarks(drawn)


def test_infinite_value_stands_apart_at_the_end() -> None:
    table = grid(replace(BETA, values=(1.0, 10.0, 1000.0, math.inf)))
    (axes,) = figure(table).axes
    *_, last = bars(axes)
    assert last[0] == pytest.approx(1e5)
    assert [label.get_text() for label in axes.get_xticklabels()][-1] == r"$\infty$"
    (guide,) = artists(axes, "guide")
    assert np.isnan(guide.get_ydata()).tolist() == [False, False, False, True, False]


def test_swept_tolerance_is_drawn_as_a_line() -> None:
    axis = Axis(key="question.tolerance", values=(1e-8, 1e-6, 1e-4))
    rows = [point({axis.key: t}, 1e-6, 1e-6, tolerance=t) for t in axis.values]
    (axes,) = figure(sweep(rows, axis)).axes
    assert marked(axes, "tolerance") == [(t, t) for t in axis.values]


def test_trace_distance_has_lemma_1_and_no_tolerance() -> None:
    rows = [
        point(
            {"system.coupling": value},
            1e-4,
            1e-3,
            trace_distance_lower=lower,
            trace_distance_upper=upper,
            trace_distance_lemma1=lemma1,
        )
        for value, lower, upper, lemma1 in (
            (0.001, 1e-3, 2e-3, 1e-5),
            (0.01, 2e-3, None, 2e-5),
            (0.1, None, 0.5, None),
            (1.0, None, None, None),
        )
    ]
    drawn = figure(sweep(rows, COUPLING), y="trace-distance")
    (axes,) = drawn.axes
    assert bars(axes) == [(0.001, 1e-3, 2e-3), (0.01, 2e-3, 1.0)]
    assert marked(axes, "impossible") == [(0.001, 2e-3), (0.01, 1.0), (0.1, 0.5)]
    (lemma1,) = artists(axes, "lemma1")
    assert lemma1.get_ydata()[:2].tolist() == [1e-5, 2e-5]
    assert np.isnan(lemma1.get_ydata()[2:]).all()
    assert not artists(axes, "tolerance")
    assert {"Lemma 1", "no value (1)"} <= set(legend_texts(drawn))
    assert axes.get_ylabel() == "trace distance $T$ of steady states"


def half_possible(values: Row) -> float:
    return 1e-9 if values["system.coupling"] < 1e-3 else 1e-3


def test_two_long_axes_make_a_map_with_hatched_verdicts() -> None:
    drawn = figure(grid(SIX, BETAS, bound=half_possible))
    axes = drawn.axes[0]
    (possible,) = artists(axes, "possible")
    (impossible,) = artists(axes, "impossible")
    assert len(possible.get_paths()) == len(impossible.get_paths()) == 18
    assert possible.get_hatch() and not impossible.get_hatch()
    (boundary,) = artists(axes, "boundary")
    places = np.array(boundary.get_segments())
    assert len(places) == 6
    assert places[:, :, 0] == pytest.approx(10**-3.5)
    assert boundary.get_color()[0] == pytest.approx(to_rgba(BOUNDARY["color"]))
    assert axes.get_ylabel() == r"inverse temperature $\beta_{L}$ (1/energy)"
    assert {"impossible", "possible", "change of verdict", "tolerance $10^{-6}$"} == set(
        legend_texts(drawn)
    )


def test_map_colours_are_the_upper_ends() -> None:
    axes, bar = figure(grid(SIX, BETAS, bound=half_possible)).axes
    mesh = next(item for item in axes.collections if item.get_array() is not None)
    assert mesh.get_array().shape == (6, 6)
    assert mesh.get_array()[0].tolist() == pytest.approx([1.01e-9] * 3 + [1.01e-3] * 3)
    assert bar.get_ylabel() == r"smallest defect $\tau_\mathrm{pop}$ ($\epsilon^2$)"
    assert len([line for line in bar.lines if line.get_gid() == "tolerance"]) == 1


def test_map_shows_failed_undecided_and_missing_cells() -> None:
    rows = [
        point({"bath.left.beta": beta, "system.coupling": g}, 1e-7, 1e-5)
        for beta in BETAS.values
        for g in SIX.values
    ]
    rows[0] = point({"bath.left.beta": 0.5, "system.coupling": SIX.values[0]}, None, None)
    drawn = figure(sweep(rows[:-2], SIX, BETAS))
    (undecided,) = artists(drawn.axes[0], "undecided")
    assert len(undecided.get_paths()) == 33
    assert undecided.get_hatch() not in ("", "////")
    assert marked(drawn.axes[0], "failed") == [(SIX.values[0], 0.5)]
    assert "failed (1)" in legend_texts(drawn)
    assert remarks(drawn) == ["2 of 36 points missing (white)"]


def test_map_parts_verdicts_across_both_keys() -> None:
    def bound(values: Row) -> float:
        return 1e-9 if values["bath.left.beta"] < 1.2 and values["system.coupling"] < 1e-3 else 1e-3

    (boundary,) = artists(figure(grid(SIX, BETAS, bound=bound)).axes[0], "boundary")
    places = np.array(boundary.get_segments())
    upright = places[:, 0, 0] == places[:, 1, 0]
    assert (upright.sum(), (~upright).sum()) == (2, 3)
    assert places[upright][:, :, 0] == pytest.approx(10**-3.5)
    assert places[~upright][:, :, 1] == pytest.approx(1.25)


def test_map_on_request_only_or_never() -> None:
    assert len(artists(figure(grid(BETA, COUPLING), as_map=True).axes[0], "impossible")) == 1
    assert artists(figure(grid(SIX, BETAS), as_map=False).axes[0], "guide")
    with pytest.raises(InputError, match="--map: must have two keys"):
        figure(grid(COUPLING), as_map=True)


def test_boundary_is_a_bracket_between_two_verdicts() -> None:
    rows = [
        {"bath.right.beta": 10.0, "last_possible": 0.01, "first_impossible": 0.02},
        {"bath.right.beta": 5.0, "last_possible": 0.05, "first_impossible": 0.04},
    ]
    drawn = figure(boundary_table(*rows))
    (axes,) = drawn.axes
    assert marked(axes, "possible") == [(10.0, 0.01), (5.0, 0.05)]
    assert marked(axes, "impossible") == [(10.0, 0.02), (5.0, 0.04)]
    assert bars(axes) == [(10.0, 0.01, 0.02), (5.0, 0.04, 0.05)]
    assert axes.get_ylabel() == "coupling $g$ (energy)"
    assert "verdict changes inside" in legend_texts(drawn)


def test_short_brackets_say_on_which_side_it_is_possible() -> None:
    row = {"bath.right.beta": 10.0, "last_possible": 0.01, "first_impossible": 0.01000001}
    wide = {"bath.right.beta": 5.0, "last_possible": 0.1, "first_impossible": 0.1000001}
    rows = [{**item, "direction": "possible below"} for item in (row, wide)]
    drawn = figure(boundary_table(*rows))
    assert drawn.axes[0].get_yscale() == "linear"
    assert remarks(drawn) == ["brackets smaller than marks", "possible below"]
    entries = legend_entries(drawn)
    assert entries["possible"].get_markersize() == entries["impossible"].get_markersize()


def test_boundary_of_a_logarithmic_sweep_has_a_logarithmic_axis() -> None:
    row = {"bath.right.beta": 10.0, "last_possible": 0.01, "first_impossible": 0.02}
    table = boundary_table(row)
    (axes,) = figure(replace(table, axes=(*table.axes, COUPLING))).axes
    assert axes.get_yscale() == "log"


def test_boundary_of_two_long_keys_is_no_map() -> None:
    rows = [
        {"system.field": x, "bath.left.beta": beta, "boundary_key": "system.coupling"}
        | {"point": f"{x} {beta}", "last_possible": 0.01, "first_impossible": 0.02}
        for x in range(6)
        for beta in BETAS.values
    ]
    field = Axis(key="system.field", values=tuple(range(6)))
    columns = [field.column, BETAS.column, *BOUNDARY_COLUMNS]
    table = make_table(rows, columns, kind="boundary", problem={}, axes=(field, BETAS))
    assert len(artists(figure(table).axes[0], "guide")) == 6


def test_every_curve_of_boundaries_is_in_the_legend_and_changes_are_not_joined() -> None:
    rows = [
        {"bath.right.beta": 10.0, "change": 0, "last_possible": 0.01, "first_impossible": 0.02},
        {"bath.right.beta": 10.0, "change": 1, "last_possible": 0.05, "first_impossible": 0.04},
        {"bath.right.beta": 5.0, "change": 0, "last_possible": 0.03, "first_impossible": 0.04},
    ]
    sites = Axis(key="system.sites", values=(4, 6))
    content = [
        {"point": str(n), "boundary_key": "system.coupling", "system.sites": 4, **row}
        for n, row in enumerate(rows)
    ]
    content.append({"system.sites": 6, "bath.right.beta": 5.0, "verdicts": "possible"})
    columns = [sites.column, BETA.column, *BOUNDARY_COLUMNS]
    axes = (sites, BETA)
    table = make_table(content, columns, kind="boundary", problem={}, axes=axes)
    drawn = figure(table, x="bath.right.beta")
    assert {"$N = 4$", "$N = 6$", "no change found"} <= set(legend_texts(drawn))
    first, second = artists(drawn.axes[0], "guide")
    assert first.get_ydata().tolist() == pytest.approx(
        [0.04, 0.02, math.nan, math.nan, 0.04, math.nan], nan_ok=True
    )
    assert np.isnan(second.get_ydata()).all()


def test_boundary_without_a_change_or_a_verdict() -> None:
    rows = [
        {"bath.right.beta": 10.0, "verdicts": "impossible"},
        {"bath.right.beta": 5.0, "verdicts": "failed"},
    ]
    drawn = figure(boundary_table(*rows))
    (axes,) = drawn.axes
    assert marked(axes, "all impossible") == [(10.0, 0.03), (10.0, 0.97)]
    assert [x for x, _ in marked(axes, "failed")] == [5.0]
    assert {"impossible", "no change found", "no bracket"} == set(legend_texts(drawn))


def test_comparison_has_a_row_per_problem_and_a_line_per_solver() -> None:
    drawn = figure(comparison_table())
    widths, times = drawn.axes
    ((plain_width, line),) = marked(widths, "CLARABEL plain")
    ((width, same),) = marked(widths, "CLARABEL rescaled")
    assert (plain_width, width) == (1e-8, 1e-12)
    assert marked(times, "CLARABEL plain") == [(pytest.approx(0.04), line)]
    assert marked(times, "CLARABEL rescaled") == [(0.1, line)]
    assert line == same
    ((smallest, other),) = marked(widths, "SCS rescaled")
    assert (smallest, other > line) == (1e-16, True)
    assert [label.get_text() for label in widths.get_yticklabels()] == ["chain"]
    assert widths.get_ylim() == times.get_ylim() == (0.5, -0.5)
    assert (widths.get_xscale(), times.get_xscale()) == ("log", "log")
    shapes = {artists(widths, f"{name} rescaled")[0].get_marker() for name in ("CLARABEL", "SCS")}
    assert len(shapes) == 2
    assert {"MOSEK (1 unusable)", "SCS (1 no interval)"} <= set(legend_texts(drawn))


@pytest.mark.parametrize(
    ("table", "options", "line"),
    [
        (grid(COUPLING), {"x": "system.field"}, "--x: must be a swept key, but is 'system.field'"),
        (grid(TARGET, COUPLING), {"x": "question.target"}, "--x: must be a key with numbers"),
        (grid(TARGET), {}, "table: must have a swept key with numbers, but has none"),
        (grid(COUPLING), {"y": "lower"}, "--y: must be one of defect, trace-distance"),
        (grid(COUPLING), {"where": ["system.coupling"]}, "--where: must be KEY=VALUE"),
        (
            grid(COUPLING),
            {"where": ["system.coupling=2"]},
            "--where system.coupling: must be one of 0.001, 0.01, 0.1, 1, but is '2'",
        ),
        (grid(COUPLING), {"where": ["system.couplin=2"]}, "did you mean 'system.coupling'"),
        (sweep([], COUPLING), {}, "table: must hold at least one point to draw, but holds none"),
        (comparison_table(), {"x": "solver"}, "--x: must not be given for a table of kind"),
        (comparison_table(), {"y": "trace-distance"}, "--y: must not be given for a table of kind"),
        (boundary_table({"bath.right.beta": 5.0}), {"as_map": True}, "--map: must not be given"),
        ([THREE_VERDICTS] * 2, {"as_map": True}, "--map: must not be given for several tables"),
        ([THREE_VERDICTS] * 7, {}, "DIR: must be 1 to 6 tables, but are 7"),
        ([], {}, "DIR: must be 1 to 6 tables, but are 0"),
        ([THREE_VERDICTS, comparison_table()], {}, "DIR: must be tables of sweeps to stand in one"),
        ([grid(TARGET, COUPLING)], {}, "DIR: must narrow the tables to one panel"),
        ([THREE_VERDICTS], {"y": "lower"}, "--y: must be one of defect, trace-distance"),
        (boundary_table({"bath.right.beta": 5.0}), {"y": "trace-distance"}, "--y: must not be"),
    ],
)
def test_what_cannot_be_drawn(table: Table, options: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as caught:
        figure(table, **options)
    assert line in str(caught.value)


@pytest.mark.parametrize(
    "table", [THREE_VERDICTS, boundary_table({"bath.right.beta": 5.0}), comparison_table()]
)
def test_tables_that_were_changed_by_another_program(table: Table) -> None:
    less = replace(table, arrow=table.arrow.drop_columns(["tolerance"]))
    with pytest.raises(InputError, match=r"^tolerance: must be a column of the table, but is"):
        figure(less)
    place = table.arrow.column_names.index("tolerance")
    words = table.arrow.set_column(place, "tolerance", pa.array(["1e-6"] * len(table)))
    with pytest.raises(InputError, match=r"^tolerance: must be .* float64, but is string"):
        figure(replace(table, arrow=words))


@pytest.mark.parametrize(
    "table", [THREE_VERDICTS, boundary_table({"bath.right.beta": 5.0}), comparison_table()]
)
def test_a_table_needs_no_column_that_is_not_drawn(table: Table) -> None:
    """Columns that a later version adds are not in the tables of earlier ones."""
    less = replace(table, arrow=table.arrow.drop_columns(["lindfeas_version"]))
    assert legend_texts(figure(less)) == legend_texts(figure(table))


def test_too_many_curves_say_how_to_narrow() -> None:
    many = [
        Axis(key=f"bath.{name}.beta", values=tuple(float(n) for n in range(1, 6)))
        for name in ("a", "b", "c", "d")
    ]
    with pytest.raises(InputError, match=r"--where: must narrow .* bath.b.beta \(5 values\)"):
        figure(grid(*many))


def test_title_is_shown_as_it_is() -> None:
    table = sweep([point({"system.coupling": 0.1}, 1e-4, 1e-3)], COUPLING, title="50 $ for $x_$")
    drawn = figure(table)
    drawn.savefig(BytesIO(), dpi=40)
    assert drawn.get_suptitle() == "50 \\$ for \\$x_\\$\npopulations"
    assert figure(table, title="").get_suptitle() == ""


def test_characters_that_no_svg_may_hold_are_replaced(tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff")  # as a shell hands it over
    drawn = figure(THREE_VERDICTS, title=f"bell \a, {odd}\nend")
    assert drawn.get_suptitle() == "bell \ufffd, \ufffd end\npopulations"
    ElementTree.parse(save(drawn, tmp_path / "odd.svg"))


def test_names_of_keys_and_baths_never_break_the_drawing(tmp_path: Path) -> None:
    axes = (
        Axis(key="bath.hot_1-a.spectral_density.cutoff", values=(1.0, 2.0)),
        Axis(key="bath.b.unknown_key", values=(1.0, 2.0)),
        Axis(key="ansatz.rates", values=('{"rule": "each"}', '{"rule": "$_x^"}')),
    )
    save(figure(grid(*axes)), tmp_path / "names.svg")


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89")],
)
def test_files_are_the_same_every_time(suffix: str, start: bytes, tmp_path: Path) -> None:
    first = save(figure(THREE_VERDICTS), tmp_path / f"a{suffix}").read_bytes()
    again = save(figure(THREE_VERDICTS), tmp_path / "new" / f"b{suffix}").read_bytes()
    assert first == again
    assert first.startswith(start)


def test_unknown_suffix_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--out: must end in \.png, \.svg, \.pdf, but is"):
        save(figure(THREE_VERDICTS), tmp_path / "a.jpg")


def test_figures_are_drawn_in_threads_and_leave_no_setting_changed() -> None:
    before = dict(rcParams)
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(figure, [THREE_VERDICTS] * 4))
    assert dict(rcParams) == before
    assert not rcParams["figure.constrained_layout.use"]  # unlike in the style file
    assert [bars(item.axes[0]) for item in drawn] == [bars(figure(THREE_VERDICTS).axes[0])] * 4


@pytest.mark.parametrize(
    "order",
    [
        "import lindfeas; lindfeas.plot; from lindfeas.plot import figure",
        "from lindfeas.plot import figure; import lindfeas",
        "import lindfeas.plot; from lindfeas.plot import figure",
        "import lindfeas.plot as p; import lindfeas; assert p is lindfeas.plot; figure = p.figure",
    ],
)
def test_plot_is_a_function_and_the_home_of_figure(order: str) -> None:
    """However it is imported; what the import system would put there is a module."""
    code = f"{order}; assert callable(lindfeas.plot) and lindfeas.plot.figure is figure"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_plot_takes_a_folder_and_writes_what_the_command_writes(tmp_path: Path) -> None:
    (tmp_path / "chain").mkdir()
    THREE_VERDICTS.write(tmp_path / "chain" / "table.parquet")
    options = ["--where", "system.coupling=0.1", "--title", "one"]
    assert run("plot", tmp_path / "chain", *options)[0] == 0
    where = ["system.coupling=0.1"]
    drawn = lf.plot(tmp_path / "chain", out=tmp_path / "b.png", where=where, title="one")
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "chain.png").read_bytes()
    assert bars(drawn.axes[0]) == bars(lf.plot(THREE_VERDICTS, where=where).axes[0])
    with pytest.raises(InputError, match="does not exist"):
        lf.plot(tmp_path / "nothing")


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"lindfeas plot needs .*lindfeas\[plot\]"):
        figure(THREE_VERDICTS)


ENDS = st.one_of(
    st.none(),
    st.tuples(
        st.sampled_from([0.0, 1e-300, 1e-17, 1e-9, 1e-6, 0.5]) | st.floats(0, 10),
        st.sampled_from([0.0, 1.0, 1 + 1e-15, 1e3, math.inf]),
    ).map(lambda pair: (pair[0], pair[0] * pair[1] if pair[0] else pair[1])),
    st.just((None, None)),
)
NUMBERS = st.lists(
    st.sampled_from([-2.0, 0.0, 1e-3, 1.0, 1.5, 2.0, 1e4, math.inf]), min_size=1, unique=True
)


@settings(max_examples=25, deadline=None)
@given(st.data(), NUMBERS, st.sampled_from(["defect", "trace-distance"]), st.booleans())
def test_whatever_the_table_every_point_is_in_the_picture(
    data: st.DataObject, values: list[float], quantity: str, as_map: bool
) -> None:
    axes = (Axis(key="system.field", values=tuple(values)), BETA)
    keys = [{"system.field": x, "bath.right.beta": beta} for x in values for beta in BETA.values]
    ends = data.draw(st.lists(ENDS, min_size=len(keys), max_size=len(keys)))
    rows = []
    for key, pair in zip(keys, ends, strict=True):
        if pair is not None:
            more = dict(zip(("trace_distance_lower", "trace_distance_upper"), pair, strict=True))
            rows.append(point(key, *pair, **more))
    assume(rows)
    drawn = figure(sweep(rows, *axes), y=quantity, as_map=as_map and len(values) > 1)
    drawn.savefig(BytesIO(), dpi=40)
    panel = drawn.axes[0]
    shown = [p for gid in (*MARKS, "failed") for item in artists(panel, gid) for p in points(item)]
    assert len(shown) == len(rows)
    assert np.isfinite(shown).all()


def points(artist: Any) -> list[Any]:
    """The places of a line's marks, or of a collection's cells."""
    if hasattr(artist, "get_xydata"):
        return [*artist.get_xydata()]
    return [path.vertices[0] for path in artist.get_paths()]


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_command_writes_beside_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "g=0.01"
    folder.mkdir()
    THREE_VERDICTS.write(folder / "table.parquet")
    assert run("plot", folder) == (0, f"written: {folder}.png\n")
    assert (tmp_path / "g=0.01.png").is_file()
    assert [file.name for file in folder.iterdir()] == ["table.parquet"]
    code, _ = run("plot", folder / "table.parquet", "--out", tmp_path / "b.svg", "--curves")
    assert code == 0
    assert (tmp_path / "b.svg").is_file()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--out", "a.jpg"], "error: --out: must end in .png, .svg, .pdf, but is 'a.jpg'"),
        (["--out", "DIR/a.png"], "error: --out: must be outside of DIR"),
        (["--out", "taken.png"], "error: --out: must be a file, but taken.png is a directory"),
        (["--out", "DIR/table.parquet/a.png"], "error: --out: must be outside of"),
        (["--where", "system.coupling=7"], "error: --where system.coupling: must be one of"),
        (["--x", "system.field"], "error: --x: must be a swept key"),
        (["--y", "upper"], "Invalid value for '--y'"),
        (["--out", f"{300 * 'b'}.png"], f"be a file that can be written, but {300 * 'b'}.png: "),
    ],
)
def test_command_line_mistakes_are_one_line(
    arguments: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("DIR").mkdir()
    Path("taken.png").mkdir()
    THREE_VERDICTS.write("DIR/table.parquet")
    code, output = run("plot", "DIR", *arguments)
    assert code == 2
    assert line in output
    assert output.count("\n") == 1
    assert sorted(path.name for path in Path().rglob("*")) == ["DIR", "table.parquet", "taken.png"]
