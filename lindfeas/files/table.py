"""Tables of results: parquet files that carry their units, and that other programs open too.

A table is a file, or a folder of ``*.parquet`` files with the same columns. While a sweep runs, its
folder holds ``table.parquet`` from earlier runs and one part per finished point; `read_table` takes
a part before the table where both know a point.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lindfeas.errors import InputError, MissingExtraError, quoted, require
from lindfeas.files.atomic import replace_file
from lindfeas.files.columns import Axis, Column
from lindfeas.program.verdict import Verdict
from lindfeas.text import Grid, Heading, Section, Shown, rounded

if TYPE_CHECKING:
    from pandas import DataFrame, Series

SCHEMA_VERSION = 1
"""Raised when a column changes its name, type, unit or meaning."""

KINDS = ("sweep", "boundary", "comparison")
UNITS = "hbar = k_B = 1; energies in the unit of the problem file, rates in units of epsilon^2"
SUFFIX = ".parquet"
MERGED = f"table{SUFFIX}"
"""The file of a sweep's folder that holds all points of earlier runs."""

SHOWN_ROWS = 12
"""Rows that a notebook shows."""

FIRST_LOOK = (
    *("verdict", "lower", "upper", "proved", "trace_distance_lower", "trace_distance_upper"),
    *("direction", "last_possible", "first_impossible", "outcome", "error"),
)
"""Columns that a notebook shows beside the swept keys."""

_FURTHER_KEYS = {"boundary": ("change",), "comparison": ("problem", "solver")}
"""Kind of a table: what tells its rows apart, beside the swept keys."""

Record = Mapping[str, Any]
"""A row by the names of its columns: floats, ints, bools, strings, or None."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table(Shown):
    """A table in memory, with what its metadata say.

    Parameters
    ----------
    arrow
        The `pyarrow.Table`; every field's metadata hold its ``description`` and ``unit``.
    kind
        ``sweep``, ``boundary`` or ``comparison``.
    problem
        JSON document of the problem: decimal strings for numbers.
    axes
        The swept keys, outermost first.
    """

    arrow: Any
    kind: str
    problem: dict[str, Any] = field(repr=False)
    axes: tuple[Axis, ...] = ()

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def column(self, name: str) -> list[Any]:
        """The values of one column.

        Raises
        ------
        InputError
            If there is no such column.
        """
        if name not in self.arrow.column_names:
            raise InputError(f"must be one of {', '.join(self.arrow.column_names)}", name)
        return list(self.arrow.column(name).to_pylist())

    def unit(self, name: str) -> str:
        """Unit of one column."""
        return self._metadata(name, "unit")

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary per row."""
        return list(self.arrow.to_pylist())

    def to_pandas(self) -> DataFrame:
        """A `pandas.DataFrame` with one row per row.

        Words, whole numbers and truth values have pandas' nullable types ``string``, ``Int64`` and
        ``boolean``, other numbers are float64 with nan for null. ``verdict`` is an ordered
        category: impossible < undecided < possible. ``attrs`` holds ``kind``, the ``problem``,
        the ``units`` of the columns that have one, and the ``axes``: the swept keys' values.

        Raises
        ------
        InputError
            If another program has put something else into ``verdict``.
        """
        import pandas as pd
        import pyarrow as pa

        types = {pa.bool_(): pd.BooleanDtype(), pa.int64(): pd.Int64Dtype()}
        words = dict.fromkeys((pa.string(), pa.large_string()), pd.StringDtype())
        frame = self.arrow.to_pandas(types_mapper=(types | words).get)
        if "verdict" in frame:
            known = [verdict.value for verdict in Verdict]
            for other in set(frame["verdict"].dropna()) - set(known):
                raise InputError(f"must be one of {', '.join(known)}, but is {other!r}", "verdict")
            frame["verdict"] = pd.Categorical(frame["verdict"], known, ordered=True)
        units = {name: unit for name in frame if (unit := self.unit(name))}
        axes = {axis.key: list(axis.values) for axis in self.axes}
        frame.attrs = {
            "kind": self.kind,
            "problem": self.problem,
            "units": units,
            "axes": axes,
        }
        return frame

    def to_polars(self) -> Any:
        """A `polars.DataFrame` with one row per row; needs polars.

        Raises
        ------
        MissingExtraError
            Without polars.
        """
        try:
            import polars
        except ImportError:
            raise MissingExtraError("polars", "polars", "Table.to_polars()") from None
        return polars.from_arrow(self.arrow)

    def _sections(self) -> list[Section]:
        names = [
            name
            for name in self.arrow.column_names
            if name in self._shown() and self.arrow.column(name).null_count < len(self)
        ]
        units = {name: self.unit(name).replace("dimensionless", "") for name in names}
        header = [f"{name} [{unit}]" if (unit := units[name]) else name for name in names]
        head = self.arrow.select(names).slice(0, SHOWN_ROWS).to_pylist()
        rows = [[_cell(name, row[name]) for name in names] for row in head]
        more = len(self) - len(rows)
        title = f"{len(self)} rows" + (f", the first {len(rows)}" if more else "")
        return [
            Heading(str(self.problem.get("title") or f"Table of a {self.kind}")),
            Grid(title, header, rows),
        ]

    def _shown(self) -> set[str]:
        """The columns of a first look: the swept keys, and what was found."""
        further = _FURTHER_KEYS.get(self.kind, ())
        return {*(axis.key for axis in self.axes), *further, *FIRST_LOOK}

    def to_xarray(self) -> Any:
        """An `xarray.Dataset`; needs xarray.

        Its coordinates are the swept keys with all their values, in the order of the grid; a
        boundary has ``change`` as one more (0 where there is none), a comparison has ``problem``
        and ``solver``. Points that the table does not hold are null. Variables have ``units`` and
        ``long_name``, the dataset has ``kind``, ``problem`` (JSON) and ``units``.

        Raises
        ------
        MissingExtraError
            Without xarray.
        InputError
            If there are several rows for one point.
        """
        try:
            import xarray  # noqa: F401
        except ImportError:
            raise MissingExtraError("xarray", "xarray", "Table.to_xarray()") from None
        from pandas.api.types import is_string_dtype

        frame = self.arrow.to_pandas()
        frame = frame.astype({name: object for name in frame if is_string_dtype(frame[name])})
        axes = {axis.key: axis.values for axis in self.axes if axis.key in frame}
        keys = [*axes, *_FURTHER_KEYS.get(self.kind, ())]
        if self.kind == "boundary":
            frame["change"] = frame["change"].fillna(0).astype(int)
        if frame.duplicated(keys).any():
            raise InputError(f"must hold one row per {', '.join(keys)}, but holds several", "table")
        places = {key: list(dict.fromkeys([*axes.get(key, ()), *frame[key]])) for key in keys}
        dataset = frame.set_index(keys).to_xarray().reindex(places)
        for name, variable in dataset.variables.items():
            words = {"units": self.unit(name), "long_name": self._metadata(name, "description")}
            variable.attrs = {key: text for key, text in words.items() if text}
        problem = json.dumps(self.problem, allow_nan=False)
        return dataset.assign_attrs(kind=self.kind, problem=problem, units=UNITS)

    def _metadata(self, name: str, key: str) -> str:
        metadata = self.arrow.schema.field(name).metadata or {}
        return str(metadata.get(key.encode(), b"").decode())

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the table to the file ``path``: whole or not at all, on disk when this returns.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(self.arrow, sink)
        return replace_file(Path(path), sink.getvalue())


def _cell(name: str, value: Any) -> str:
    """A value on a few digits, ends of intervals rounded outwards."""
    if isinstance(value, float):
        for end, direction in (("lower", ROUND_FLOOR), ("upper", ROUND_CEILING)):
            if name.endswith(end):
                return rounded(value, 5, direction)
        return f"{value:.5g}"
    return "" if value is None else str(value)


def make_table(
    rows: Iterable[Record],
    columns: Sequence[Column],
    *,
    kind: str,
    problem: dict[str, Any],
    axes: Sequence[Axis] = (),
) -> Table:
    """The table of these rows; a column that a row lacks is null there."""
    import pyarrow as pa

    content = [dict(row) for row in rows]
    names = {column.name for column in columns}
    if unknown := {key for row in content for key in row} - names:
        raise ValueError(f"rows have no columns for {', '.join(sorted(unknown))}")
    schema = _schema(columns, kind, problem, axes)
    arrow = pa.Table.from_pylist(content, schema=schema)
    return Table(arrow=arrow, kind=kind, problem=problem, axes=tuple(axes))


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a table of lindfeas, finished or not.

    Rows of a sweep come in the order of its grid, the last key changing fastest, and those of every
    point from one file.

    Parameters
    ----------
    path
        A parquet file, or a folder with one or several.

    Raises
    ------
    InputError
        If there is no table, it cannot be read, or it was written by a version of lindfeas with
        another layout.
    """
    import pyarrow as pa

    require(path, (str, os.PathLike), "path", "give the path of a table")
    place = Path(path)
    tables = [_read_file(file) for file in _files(place)]
    first = tables[0]
    for table in tables[1:]:
        if not table.arrow.schema.equals(first.arrow.schema):
            raise InputError("must hold one table, but holds parts of several", str(place))
    arrow = pa.concat_tables([table.arrow for table in tables])
    files = [number for number, table in enumerate(tables) for _ in range(len(table))]
    arrow = _in_grid_order(arrow, files, first.axes)
    return Table(arrow=arrow, kind=first.kind, problem=first.problem, axes=first.axes)


def table_files(folder: Path) -> list[Path]:
    """The parquet files of a folder, `MERGED` first; hidden names and ``_names`` are none."""
    files = [file for file in folder.glob(f"*{SUFFIX}") if not file.name.startswith((".", "_"))]
    return sorted(files, key=lambda file: (file.name != MERGED, file.name))


def _files(place: Path) -> list[Path]:
    where = str(place)
    try:
        is_file, exists = place.is_file(), place.exists()
    except OSError as error:
        raise InputError(f"must be a table, but: {error.strerror}", quoted(where)) from None
    if is_file:
        return [place]
    if not exists:
        raise InputError("must be a table or a folder with one, but does not exist", where)
    try:
        files = table_files(place)
    except OSError as error:
        raise InputError(f"must be readable, but: {error.strerror}", where) from None
    if not files:
        raise InputError("must hold a table, but holds no parquet file", where)
    return files


def _read_file(file: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    where = str(file)
    try:
        # ParquetFile takes no folder name such as "beta=1" for a column, and an open file may
        # have a name that is no UTF-8
        with file.open("rb") as stream, pq.ParquetFile(stream) as source:
            arrow = source.read()
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise InputError(f"must be a readable parquet file, but: {reason}", where) from None
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"must be a parquet file, but is not: {reason}", where) from None
    return _with_metadata(arrow, where)


def _with_metadata(arrow: Any, where: str) -> Table:
    metadata = arrow.schema.metadata or {}
    version = metadata.get(b"lindfeas.schema_version")
    if version is None:
        raise InputError("must be a table of lindfeas, but its metadata say nothing of it", where)
    if version != str(SCHEMA_VERSION).encode():
        raise InputError(
            f"must be a table of schema version {SCHEMA_VERSION}, but is of version "
            f"{version.decode(errors='replace')}: read it with the version of lindfeas that "
            "wrote it",
            where,
        )
    try:
        axes = tuple(_axis(axis) for axis in json.loads(metadata[b"lindfeas.axes"]))
        problem = json.loads(metadata[b"lindfeas.problem"])
        kind = metadata[b"lindfeas.kind"].decode()
        if not isinstance(problem, dict) or kind not in KINDS:
            raise ValueError("of another kind")
    except (KeyError, ValueError, TypeError):
        raise InputError("must hold whole metadata, but they are damaged", where) from None
    return Table(arrow=arrow, kind=kind, problem=problem, axes=axes)


def _axis(entry: dict[str, Any]) -> Axis:
    values = entry["values"]
    if not any(isinstance(value, str) and value not in _INFINITE for value in values):
        values = [_INFINITE.get(value, value) for value in values]
    return Axis(key=entry["key"], values=tuple(values), scale=entry["scale"])


def _in_grid_order(arrow: Any, files: Sequence[int], axes: Sequence[Axis]) -> Any:
    """Every point as its last file has it; sorted by where its values stand on the axes.

    ``files`` tells the rows' files apart: a point of a boundary has several rows.
    """
    import pandas as pd
    import pyarrow as pa

    keys = {axis.key: axis.values for axis in axes if axis.key in arrow.column_names}
    names = [name for name in arrow.column_names if name == "point" or name in keys]
    order = arrow.select(names).to_pandas().assign(file=files)
    if "point" in names:
        last = order.groupby("point", dropna=False)["file"].transform("max")
        order = order[order["file"] == last]

    def ranked(column: Series) -> Series:
        known = list(dict.fromkeys([*keys[column.name], *column.dropna()]))
        return pd.Series(pd.Categorical(column, known, ordered=True))

    order = order.sort_values([*keys], key=ranked, kind="stable")
    return arrow.take(pa.array(order.index, pa.int64()))


def _schema(
    columns: Sequence[Column], kind: str, problem: dict[str, Any], axes: Sequence[Axis]
) -> Any:
    import pyarrow as pa

    types = {"float64": pa.float64(), "int64": pa.int64(), "bool": pa.bool_()}
    fields = [
        pa.field(
            column.name,
            types.get(column.type, pa.string()),
            metadata={"description": column.description, "unit": column.unit},
        )
        for column in columns
    ]
    metadata = {
        "lindfeas.schema_version": str(SCHEMA_VERSION),
        "lindfeas.kind": kind,
        "lindfeas.problem": json.dumps(problem, allow_nan=False),
        "lindfeas.axes": json.dumps([_axis_entry(axis) for axis in axes], allow_nan=False),
        "lindfeas.units": UNITS,
    }
    return pa.schema(fields, metadata=metadata)


def _axis_entry(axis: Axis) -> dict[str, Any]:
    values = [str(v) if isinstance(v, float) and math.isinf(v) else v for v in axis.values]
    return {"key": axis.key, "values": values, "scale": axis.scale}


_INFINITE = {"inf": math.inf, "-inf": -math.inf}
