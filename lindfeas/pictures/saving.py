"""Pictures as files: PNG, SVG or PDF by the name, the same bytes for the same table."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lindfeas.errors import InputError
from lindfeas.files.atomic import replace_file, writing
from lindfeas.files.table import SUFFIX
from lindfeas.pictures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Suffix: what matplotlib would write of itself and of the time, left out."""

FORMATS = tuple(_METADATA)


def save(drawn: Figure, path: str | os.PathLike[str]) -> Path:
    """Write the figure as the suffix of ``path`` says, whole or not at all.

    Raises
    ------
    InputError
        If the suffix is not supported or the file cannot be written; ``where`` is ``--out``.
    """
    file = Path(path)
    suffix = supported_suffix(file)
    if os.path.isdir(file):  # unlike Path.is_dir, it takes any name
        raise InputError(f"must be a file, but {file} is a directory", "--out")
    content = io.BytesIO()
    with style.applied():
        drawn.savefig(content, format=suffix[1:], metadata=_METADATA[suffix])
    with writing(file, kind="file"):
        file.parent.mkdir(parents=True, exist_ok=True)
    return replace_file(file, content.getvalue(), kind="file")


def default_path(table: Path) -> Path:
    """``DIR.png`` beside the folder ``DIR``, in which only the table may be."""
    place = table.resolve() if table.name in ("", "..") else table
    name = place.name.removesuffix(SUFFIX) if place.is_file() else place.name
    return place.with_name(f"{name or 'table'}{FORMATS[0]}")


def require_outside(file: Path, table: Path) -> None:
    """Refuse a picture inside of a table's folder, where other programs expect tables only."""
    folder = table.resolve()
    hidden = file.name.startswith((".", "_"))
    if folder.is_dir() and folder in file.resolve().parents and not hidden:
        raise InputError(f"must be outside of {table}, which is a table, but is {file}", "--out")


def supported_suffix(file: Path) -> str:
    """The suffix of a file that `save` can write."""
    suffix = file.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"must end in {', '.join(FORMATS)}, but is {str(file)!r}", "--out")
    return suffix
