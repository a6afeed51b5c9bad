"""A solver at work: whatever it raises, prints or warns of, the caller gets words."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from lindfeas.solvers.catalogue import OPTIONAL, SETTINGS, require

_LOCK = threading.Lock()
"""Warnings and standard output belong to the process; one solve at a time may silence them."""


def run(
    stated: Any, solver: str, settings: Sequence[dict[str, Any]] | None = None
) -> tuple[str, str]:
    """(status as reported, message): whatever a solver raises, the next settings get their turn."""
    message = ""
    with _LOCK, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _mute(solver):
        warnings.simplefilter("ignore")
        for options in SETTINGS[solver] if settings is None else settings:
            try:
                stated.solve(solver=solver, **options)
            except BaseException as error:
                if not (isinstance(error, Exception) or _is_panic(error)):
                    raise
                message = f"{type(error).__name__}: {error}".splitlines()[0]
                continue
            return stated.status, ""
    return "failed", message


def _is_panic(error: BaseException) -> bool:
    """Whether a solver written in Rust, such as Clarabel, gave up: that is no `Exception`."""
    return type(error).__module__ == "pyo3_runtime"


@contextlib.contextmanager
def _mute(solver: str) -> Iterator[None]:
    """SDPA and COPT print from C, past Python, into what may be a JSON object."""
    if solver not in OPTIONAL or os.name != "posix":
        yield
        return
    flush = ctypes.CDLL(None).fflush
    flush(None)
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        flush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def warm_up(solver: str) -> None:
    """One tiny program, so that what is loaded at the first solve does not count for the next."""
    require(solver)
    import cvxpy as cp

    matrix = cp.Variable((2, 2), PSD=True)
    run(cp.Problem(cp.Minimize(cp.trace(matrix)), [matrix[0, 1] == 1]), solver)
