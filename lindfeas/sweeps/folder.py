"""The folder of a sweep: one writer at a time, whole files only, nothing computed twice.

``.lock`` keeps a second sweep out for as long as the process lives that holds it. Finished points
are parts, ``point-<key>.parquet``; from time to time, and at the end, they are put into
``table.parquet``, which is replaced before the parts are removed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lindfeas.errors import InputError
from lindfeas.files.atomic import UNFINISHED, replace_file, writing
from lindfeas.files.columns import Axis, Column
from lindfeas.files.table import MERGED, Record, Table, make_table, read_table, table_files
from lindfeas.sweeps.engine import Outcome

LOCK = ".lock"

MOST_PARTS = 1000
"""Parts in the folder before they are put into the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a folder's table looks like; see `lindfeas.files.table.make_table`."""

    kind: str
    problem: dict[str, Any]
    axes: tuple[Axis, ...]
    columns: tuple[Column, ...]

    def table(self, rows: Sequence[Record]) -> Table:
        """The table of these rows."""
        return make_table(rows, self.columns, kind=self.kind, problem=self.problem, axes=self.axes)


class SweepFolder:
    """A sweep's folder, opened for writing: ``with SweepFolder(path, form, keys) as folder``.

    Parameters
    ----------
    path
        Made if it is missing.
    form
        What its table looks like.
    keys
        The points of the sweep.

    Raises
    ------
    InputError
        If it cannot be written, another sweep writes into it, or it holds another table.
    """

    def __init__(self, path: str | os.PathLike[str], form: Form, keys: Collection[str]) -> None:
        self.path = Path(path)
        self.form = form
        self.keys = frozenset(keys)
        self.rows: dict[str, dict[str, Any]] = {}
        """Points of earlier runs by their key, each with one row; those that failed excepted."""
        self._parts = 0
        self._lock = -1

    def __enter__(self) -> Self:
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _acquire(self._lock, self.path)
            self._open()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def write(self, outcome: Outcome) -> None:
        """Keep a finished point: on disk when this returns.

        Raises
        ------
        InputError
            If the disk is full or the folder cannot be written; what was kept before stays.
        """
        key = str(outcome.row["point"])
        for name, text in outcome.files.items():
            target = self.path / name
            with writing(target):
                target.parent.mkdir(exist_ok=True)
            replace_file(target, text.encode())
        self.form.table(outcome.rows).write(self.path / f"point-{key}.parquet")
        self._parts += 1
        if self._parts >= MOST_PARTS:
            self.merge()

    def merge(self) -> Path:
        """Put all parts into one file, in the order of the grid.

        Returns
        -------
        The path of the table.
        """
        path = self.path / MERGED
        if table_files(self.path) != [path]:
            self._replace_all(read_table(self.path))
        return path

    def _open(self) -> None:
        """Remove what a killed sweep left unfinished, and learn what it had finished."""
        with writing(self.path):
            for file in self.path.glob(f".*{UNFINISHED}"):
                file.unlink(missing_ok=True)
        if not table_files(self.path):
            return
        found = read_table(self.path)
        rows = found.rows() if "point" in found.arrow.column_names else []
        _require_same(self.path, found, self.form, self.keys, rows)
        kept = [row for row in rows if row["error"] is None]
        self.rows = {row["point"]: row for row in kept}
        wanted = self.form.table(kept)
        merged = table_files(self.path) == [self.path / MERGED]
        if not merged or not found.arrow.equals(wanted.arrow, check_metadata=True):
            self._replace_all(wanted)

    def _replace_all(self, table: Table) -> None:
        table.write(self.path / MERGED)
        with writing(self.path):
            for file in table_files(self.path):
                if file.name != MERGED:
                    file.unlink()
        self._parts = 0


def _acquire(descriptor: int, path: Path) -> None:
    """Lock the folder; the system releases it when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: nothing keeps a second sweep out
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise InputError(
                f"must be a folder of its own, but another sweep is writing into {path}", "--out"
            ) from None
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
            raise InputError(
                f"must be a folder that can be locked, but {path}: {error.strerror}", "--out"
            ) from None
        # a network file system without locks: nothing keeps a second sweep out


def _require_same(
    path: Path, found: Table, form: Form, keys: Collection[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse to write into the table of something else."""
    reason = None
    if found.kind != form.kind:
        reason = f"the table of a {found.kind}"
    elif [field.name for field in found.arrow.schema] != [column.name for column in form.columns]:
        reason = "a sweep over " + ", ".join(axis.key for axis in found.axes)
    elif strange := [row for row in rows if row["point"] not in keys]:
        other = _difference(found.problem, form.problem) or (
            f"other values, other options, or results of lindfeas {strange[0]['lindfeas_version']}"
        )
        reason = f"{len(strange)} points that are not of this sweep: {other}"
    if reason is not None:
        raise InputError(
            f"must be a new folder or one with this sweep, but {path} holds {reason}", "--out"
        )


def _difference(there: Any, here: Any, path: str = "") -> str:
    """The first key in which two problems differ, and how; empty if they do not."""
    if isinstance(there, dict) and isinstance(here, dict):
        pairs = ((key, there.get(key), here.get(key)) for key in {**there, **here})
        found = (_difference(a, b, f"{path}.{key}".strip(".")) for key, a, b in pairs)
        return next((text for text in found if text and not text.startswith("title ")), "")
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        pairs = (
            (str(a.get("name", number)) if isinstance(a, dict) else str(number), a, b)
            for number, (a, b) in enumerate(zip(there, here, strict=True))
        )
        return next((text for k, a, b in pairs if (text := _difference(a, b, f"{path}.{k}"))), "")
    return "" if there == here else f"{path} is {there!r} there, and {here!r} here"
