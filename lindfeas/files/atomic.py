"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from lindfeas.errors import InputError

UNFINISHED = ".part"
"""How the names of files under construction end; they begin with a dot."""


class PendingFile:
    """A file under construction beside its final place; made by `pending_file`.

    ``kind`` is what the user has named: the ``file`` itself or its ``directory``.
    """

    def __init__(self, path: Path, kind: str = "directory") -> None:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        self.path, self.kind = path, kind
        self.written = False
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
        self._descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)

    def write(self, content: str | bytes | memoryview) -> Path:
        """Make ``content`` the whole content of the file, on disk when this returns."""
        with writing(self.path, kind=self.kind):
            with os.fdopen(self._descriptor, "wb", closefd=False) as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(self._temporary, self.path)
            sync_folder(self.path.parent)
        self.written = True
        return self.path

    def close(self) -> None:
        """Give up what has not been written."""
        os.close(self._descriptor)
        if not self.written:
            with suppress(OSError):
                self._temporary.unlink()


@contextmanager
def pending_file(directory: str | os.PathLike[str], name: str) -> Iterator[PendingFile]:
    """Prove now that the file ``name`` can be written into ``directory`` later.

    Directories that are missing are made. Unless `PendingFile.write` succeeds before the end of
    the ``with`` block, neither a file nor a new directory stays behind, and an older file of the
    same name is untouched.

    Raises
    ------
    InputError
        If the file cannot be written; ``where`` is ``--out``.
    """
    folder = Path(directory)
    made: list[Path] = []
    pending = None
    try:
        with writing(folder):
            _make(folder, made)
            pending = PendingFile(folder / name)
        yield pending
    finally:
        if pending is not None:
            pending.close()
        if pending is None or not pending.written:
            for path in reversed(made):
                with suppress(OSError):
                    path.rmdir()


@contextmanager
def writing(path: Path, where: str = "--out", kind: str = "directory") -> Iterator[None]:
    """Turn what the system says about ``path`` into an `InputError`."""
    try:
        yield
    except OSError as error:
        name = str(error.filename or path)
        # nobody has asked for the file under construction
        place = path if name.endswith(UNFINISHED) else name
        raise InputError(
            f"must be a {kind} that can be written, but {place}: {error.strerror}", where
        ) from None


def _make(folder: Path, made: list[Path]) -> None:
    """Make ``folder`` and its parents, noting each one that was not there."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def replace_file(path: Path, content: bytes | memoryview, kind: str = "directory") -> Path:
    """Make ``content`` the whole content of ``path``, on disk when this returns.

    Readers see the old file or the new one, never a part of it. ``kind`` is what the user has
    named: the ``file`` itself or its ``directory``.

    Raises
    ------
    InputError
        If the file cannot be written; an older one is untouched then.
    """
    with writing(path, kind=kind), closing(PendingFile(path, kind)) as pending:
        return pending.write(content)


def sync_folder(folder: Path) -> None:
    """Bring the names in ``folder`` to disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(descriptor)
