"""Tables: what is written is what other programs read, with units; what is no table is refused."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lindfeas.errors import InputError, MissingExtraError
from lindfeas.files.columns import COMPARISON_COLUMNS, SWEEP_COLUMNS, Axis, boundary_columns
from lindfeas.files.table import SCHEMA_VERSION, Table, make_table, read_table

PROBLEM = {"title": "two qubits", "system": {"model": "xxz_chain", "coupling": "0.1"}}
AXES = (
    Axis(key="system.coupling", values=(0.001, 0.1, 1.0), scale="log"),
    Axis(key="bath.right.beta", values=(math.inf, 10.0)),
    Axis(key="question.target", values=("populations", "populations+coherences")),
)
COLUMNS = (*(axis.column for axis in AXES), *SWEEP_COLUMNS)


def row(coupling: float, beta: float, target: str, **results: Any) -> dict[str, Any]:
    place = {"system.coupling": coupling, "bath.right.beta": beta, "question.target": target}
    return {**place, "point": f"{coupling} {beta} {target}", **results}


def grid() -> list[dict[str, Any]]:
    return [
        row(g, beta, target, lower=g / 3, verdict="possible")
        for g in AXES[0].values
        for beta in AXES[1].values
        for target in AXES[2].values
        if isinstance(g, float) and isinstance(beta, float)
    ]


def sweep_table(rows: list[dict[str, Any]], **changes: Any) -> Table:
    return make_table(
        rows, COLUMNS, **{"kind": "sweep", "problem": PROBLEM, "axes": AXES, **changes}
    )


def test_round_trip_keeps_rows_and_metadata(tmp_path: Path) -> None:
    path = sweep_table(grid()).write(tmp_path / "table.parquet")
    table = read_table(path)
    assert (table.kind, table.problem, table.axes) == ("sweep", PROBLEM, AXES)
    assert [{k: v for k, v in r.items() if v is not None} for r in table.rows()] == grid()
    assert table.column("lower") == [r["lower"] for r in grid()]
    assert len(table) == 12


def test_parts_come_in_grid_order_and_before_the_older_table(tmp_path: Path) -> None:
    rows = grid()
    old = [{**rows[5], "verdict": None, "error": "out of memory"}, rows[0]]
    sweep_table(old).write(tmp_path / "table.parquet")
    for number, part in enumerate([rows[7], rows[5], rows[1]]):
        sweep_table([part]).write(tmp_path / f"point-{number}.parquet")
    table = read_table(tmp_path)
    assert table.column("point") == [rows[number]["point"] for number in (0, 1, 5, 7)]
    assert table.column("verdict") == ["possible"] * 4


def test_a_point_with_several_rows_comes_whole_from_its_last_file(tmp_path: Path) -> None:
    """A boundary has a row per change; an earlier failure must not stay beside them."""
    columns = (AXES[0].column, *boundary_columns("bath.right.beta"))

    def write(name: str, coupling: float, **results: list[Any]) -> None:
        number = len(next(iter(results.values())))
        place = {"system.coupling": coupling, "point": f"{coupling}"}
        rows = [{**place, **{k: v[n] for k, v in results.items()}} for n in range(number)]
        table = make_table(rows, columns, kind="boundary", problem=PROBLEM, axes=AXES)
        table.write(tmp_path / name)

    write("table.parquet", 0.001, error=["out of memory"])
    write("point-b.parquet", 0.001, change=[0, 1, 2], last_possible=[0.5, 0.7, 3.0])
    write("point-a.parquet", 0.1, change=[0, 1])
    table = read_table(tmp_path)
    assert table.column("system.coupling") == [0.001] * 3 + [0.1] * 2
    assert table.column("change") == [0, 1, 2, 0, 1]
    assert table.column("error") == [None] * 5
    assert table.unit("last_possible") == "1/energy"


@pytest.mark.parametrize("columns", [SWEEP_COLUMNS, boundary_columns("bath.left.beta")])
def test_every_column_says_what_it_holds_and_in_which_unit(columns: Any) -> None:
    for field in make_table([], columns, kind="sweep", problem={}).arrow.schema:
        assert field.metadata[b"description"]
        assert field.metadata[b"unit"] or field.type in (pa.string(), pa.bool_())


def test_units_of_swept_keys_and_results() -> None:
    table = sweep_table(grid())
    assert table.unit("system.coupling") == "energy"
    assert table.unit("bath.right.beta") == "1/energy"
    assert table.unit("lower") == "epsilon^2"
    assert table.unit("trace_distance_lower") == "dimensionless"
    assert table.arrow.schema.metadata[b"lindfeas.units"].startswith(b"hbar = k_B = 1")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 2), "int64"),
        ((1, 2.5), "float64"),
        ((True, False), "bool"),
        (("each", "total"), "string"),
        ((1, "[0.5, 1.0]"), "string"),
    ],
)
def test_type_of_a_swept_key(values: Any, expected: str) -> None:
    assert Axis(key="bath.right.beta", values=values).column.type == expected


def test_other_programs_read_a_folder(tmp_path: Path) -> None:
    """pandas, pyarrow, polars and DuckDB; hidden names and those with _ are no part of it."""
    rows = grid()
    sweep_table(rows[:10]).write(tmp_path / "table.parquet")
    sweep_table(rows[10:]).write(tmp_path / "point-1.parquet")
    (tmp_path / ".lock").touch()
    (tmp_path / "_certificates").mkdir()
    (tmp_path / "_certificates" / "1.json").write_text("{}")
    expected = sorted(r["lower"] for r in rows)

    import duckdb
    import pandas as pd
    import polars as pl

    frame = pd.read_parquet(tmp_path)
    assert sorted(frame["lower"]) == expected
    assert frame["system.coupling"].dtype == "float64"
    assert sorted(pq.read_table(tmp_path)["lower"].to_pylist()) == expected
    assert sorted(pl.read_parquet(tmp_path / "*.parquet")["lower"]) == expected
    found = duckdb.sql(f"select lower from '{tmp_path}/*.parquet' where \"system.coupling\" > 0")
    assert sorted(value for (value,) in found.fetchall()) == expected
    assert list(read_table(tmp_path).to_pandas()["lower"]) == [r["lower"] for r in rows]


def boundary(*rows: dict[str, Any]) -> Table:
    columns = (AXES[0].column, *boundary_columns("bath.right.beta"))
    return make_table(rows, columns, kind="boundary", problem=PROBLEM, axes=AXES)


def test_frame_has_nullable_types_and_nan_for_no_number() -> None:
    rows = grid()
    rows[0] |= {"proved": True, "norm": "spectral"}
    rows[1] |= {"proved": False, "verdict": None, "lower": None, "error": "out of memory"}
    frame = sweep_table(rows).to_pandas()
    assert [str(frame[name].dtype) for name in ("proved", "error", "lower", "question.target")] == [
        "boolean",
        "string",
        "float64",
        "string",
    ]
    assert frame["proved"].tolist()[:3] == [True, False, pd.NA]
    assert frame["proved"].sum() == 1
    assert frame["error"].tolist()[:2] == [pd.NA, "out of memory"]
    assert np.isnan(frame["lower"][1])
    assert frame["bath.right.beta"].tolist() == [r["bath.right.beta"] for r in rows]
    changes = boundary({"change": 1}, {"change": None}).to_pandas()["change"]
    assert (str(changes.dtype), changes.tolist()) == ("Int64", [1, pd.NA])


def test_frame_orders_verdicts_from_impossible_to_possible() -> None:
    names = ["possible", "impossible", None, "undecided"]
    rows = [{**r, "verdict": name} for r, name in zip(grid(), names, strict=False)]
    frame = sweep_table(rows).to_pandas()
    assert frame.sort_values("verdict")["verdict"].tolist()[:3] == [
        "impossible",
        "undecided",
        "possible",
    ]
    assert (frame["verdict"] >= "undecided").tolist() == [True, False, False, True]
    counts = frame.groupby("verdict", observed=False).size()
    assert counts.to_dict() == {"impossible": 1, "undecided": 1, "possible": 1}


def test_frame_refuses_a_verdict_that_is_none() -> None:
    table = sweep_table([row(0.1, 10.0, "populations", verdict="perhaps")])
    with pytest.raises(InputError, match=r"^verdict: must be one of impossible, .* 'perhaps'$"):
        table.to_pandas()


def test_frame_knows_units_and_the_problem() -> None:
    frame = sweep_table(grid()).to_pandas()
    assert (frame.attrs["kind"], frame.attrs["problem"]) == ("sweep", PROBLEM)
    units = frame.attrs["units"]
    assert (units["bath.right.beta"], units["lower"]) == ("1/energy", "epsilon^2")
    assert "verdict" not in units
    assert frame[frame["lower"] > 0.01].attrs == frame.attrs


def test_frame_is_grouped_and_pivoted_by_the_swept_keys() -> None:
    frame = sweep_table(grid()).to_pandas()
    largest = frame.groupby("system.coupling")["lower"].max()
    assert largest.to_dict() == {g: g / 3 for g in AXES[0].values if isinstance(g, float)}
    chosen = frame[frame["question.target"] == "populations"]
    cells = chosen.pivot(index="bath.right.beta", columns="system.coupling", values="lower")
    assert cells.loc[10.0, 0.1] == 0.1 / 3


def test_dataset_has_the_axes_as_coordinates_in_the_order_of_the_grid() -> None:
    rows = grid()
    missing = rows.pop(5)
    del rows[3]["lower"]
    data = sweep_table(rows).to_xarray()
    for axis in AXES:
        assert data[axis.key].values.tolist() == list(axis.values)
    assert data["lower"].dims == tuple(axis.key for axis in AXES)
    assert data["lower"].isnull().sum() == 2
    place = {axis.key: missing[axis.key] for axis in AXES}
    assert bool(data["verdict"].sel(place).isnull())
    for there in rows:
        cell = data.sel({axis.key: there[axis.key] for axis in AXES})
        assert cell["point"].item() == there["point"]
        assert cell["lower"].item() == pytest.approx(there.get("lower", math.nan), nan_ok=True)
    assert data["lower"].attrs["units"] == "epsilon^2"
    assert data["bath.right.beta"].attrs["units"] == "1/energy"
    assert data["lower"].attrs["long_name"].startswith("certified lower end")
    assert "units" not in data["verdict"].attrs
    assert data.attrs["kind"] == "sweep"
    assert json.loads(data.attrs["problem"]) == PROBLEM


def test_dataset_keeps_whole_numbers_and_truth_values_that_are_all_there() -> None:
    sites = Axis(key="system.sites", values=(4, 2))
    columns = (sites.column, *SWEEP_COLUMNS)
    rows = [{"system.sites": n, "proved": n > 2} for n in sites.values]
    data = make_table(rows, columns, kind="sweep", problem={}, axes=(sites,)).to_xarray()
    assert (data["system.sites"].dtype.kind, data["proved"].dtype.kind) == ("i", "b")
    assert data["proved"].sel({"system.sites": 4}).item() is True


def test_dataset_of_a_boundary_has_its_changes_as_a_coordinate() -> None:
    rows = [
        {"system.coupling": 0.1, "change": 0, "last_possible": 0.5},
        {"system.coupling": 0.1, "change": 1, "last_possible": 0.7},
        {"system.coupling": 1.0, "change": None, "verdicts": "impossible"},
    ]
    data = boundary(*rows).to_xarray()
    assert data["last_possible"].sel({"system.coupling": 0.1}).values.tolist() == [0.5, 0.7]
    assert data["verdicts"].sel({"system.coupling": 1.0, "change": 0}).item() == "impossible"


def test_dataset_of_a_comparison_is_a_grid_of_problems_and_solvers() -> None:
    rows = [{"problem": p, "solver": s, "width": 0.5} for p in "ba" for s in ("SCS", "CLARABEL")]
    table = make_table(rows, COMPARISON_COLUMNS, kind="comparison", problem={})
    data = table.to_xarray()
    assert data["width"].dims == ("problem", "solver")
    assert data["problem"].values.tolist() == ["b", "a"]
    twice = make_table([*rows, rows[0]], COMPARISON_COLUMNS, kind="comparison", problem={})
    with pytest.raises(InputError, match="must hold one row per problem, solver, but holds"):
        twice.to_xarray()


def test_without_xarray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingExtraError, match=r"to_xarray\(\) needs .*lindfeas\[xarray\]"):
        sweep_table(grid()).to_xarray()


def test_values_that_were_not_planned_come_last(tmp_path: Path) -> None:
    rows = [row(g, 10.0, "populations") for g in (0.05, 1.0, 0.001)]
    sweep_table(rows).write(tmp_path / "table.parquet")
    assert read_table(tmp_path).column("system.coupling") == [0.001, 1.0, 0.05]


def test_a_folder_called_like_a_column_adds_none(tmp_path: Path) -> None:
    folder = tmp_path / "beta=10"
    folder.mkdir()
    sweep_table(grid()).write(folder / "table.parquet")
    assert "beta" not in read_table(folder).arrow.column_names


def test_unknown_columns_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="colour"):
        make_table([{"colour": "red"}], SWEEP_COLUMNS, kind="sweep", problem={})


def test_column_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"^colour: must be one of system\.coupling, "):
        sweep_table(grid()).column("colour")


def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    junk = tmp_path / "junk.parquet"
    junk.write_bytes(b"PAR1 this is not parquet PAR1")
    (tmp_path / "nothing.parquet").touch()
    foreign = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"lower": [1.0]}), foreign)
    whole = sweep_table(grid()).write(tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "half.parquet").write_bytes(whole[: len(whole) // 2])
    for name, reason in {
        "missing": "does not exist",
        "empty": "holds no parquet file",
        "junk.parquet": "is not",
        "nothing.parquet": "but",
        "half.parquet": "is not",
        "foreign.parquet": "must be a table of lindfeas",
    }.items():
        with pytest.raises(InputError, match=reason) as caught:
            read_table(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", ["0", str(SCHEMA_VERSION + 1)])
def test_another_schema_version_is_refused(tmp_path: Path, version: str) -> None:
    arrow = sweep_table(grid()).arrow
    metadata = {**arrow.schema.metadata, b"lindfeas.schema_version": version.encode()}
    pq.write_table(arrow.replace_schema_metadata(metadata), tmp_path / "table.parquet")
    with pytest.raises(InputError, match=f"of version {version}: read it with"):
        read_table(tmp_path)


def test_damaged_metadata_are_refused(tmp_path: Path) -> None:
    arrow = sweep_table(grid()).arrow
    metadata = {**arrow.schema.metadata, b"lindfeas.axes": b"[{"}
    pq.write_table(arrow.replace_schema_metadata(metadata), tmp_path / "table.parquet")
    with pytest.raises(InputError, match="damaged"):
        read_table(tmp_path)


def test_parts_of_two_tables_are_refused(tmp_path: Path) -> None:
    sweep_table(grid()).write(tmp_path / "a.parquet")
    make_table([], SWEEP_COLUMNS, kind="sweep", problem=PROBLEM).write(tmp_path / "b.parquet")
    with pytest.raises(InputError, match="parts of several"):
        read_table(tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_full_disk_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = sweep_table(grid()[:3]).write(tmp_path / "table.parquet")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, step, full)
        with pytest.raises(InputError, match="No space left on device"):
            sweep_table(grid()).write(path)
    assert len(read_table(tmp_path)) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["table.parquet"]


def test_a_table_without_rows_is_read(tmp_path: Path) -> None:
    sweep_table([]).write(tmp_path / "table.parquet")
    assert read_table(tmp_path).rows() == []


@pytest.mark.parametrize(
    ("key", "value"), [("problem", b"[1]"), ("problem", b"\xff"), ("kind", b"other")]
)
def test_metadata_of_the_wrong_form_are_refused(tmp_path: Path, key: str, value: bytes) -> None:
    arrow = sweep_table(grid()).arrow
    metadata = {**arrow.schema.metadata, f"lindfeas.{key}".encode(): value}
    pq.write_table(arrow.replace_schema_metadata(metadata), tmp_path / "table.parquet")
    with pytest.raises(InputError, match="damaged"):
        read_table(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.parquet"))
    sweep_table(grid()).write(path)
    assert len(read_table(path)) == len(grid())
