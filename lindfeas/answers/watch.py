"""Time that a computation may take, and word of what runs when it takes long.

Budgets count work, so that verdicts do not depend on the clock. Wall time cuts a computation only
where a time limit is given.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lindfeas.errors import InputError, quoted
from lindfeas.program.checks import real_number

QUIET = 10.0
"""Seconds that a stage may take before anything is said about it, and between two reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What runs, and what it is for.

    Parameters
    ----------
    stage
        What is computed, such as ``the nearest Lindbladian``.
    seconds
        Since the stage began.
    steps
        Solves, or steps of a search, that it has begun.
    known
        What is certified already, and would be improved.
    """

    stage: str
    seconds: float
    steps: int
    known: str

    def __str__(self) -> str:
        steps = f", step {self.steps}" if self.steps else ""
        known = f"; so far {self.known}" if self.known else ""
        return f"{self.stage}: {self.seconds:.0f} s{steps}{known}"


Report = Callable[[Progress], None]


def to_standard_error(progress: Progress) -> None:
    """One line on standard error."""
    print(f"lindfeas: {progress}", file=sys.stderr, flush=True)


def reporter(progress: object) -> Report | None:
    """Whom to tell: True for standard error, False for nobody, or a function of one `Progress`.

    Raises
    ------
    InputError
        For anything else.
    """
    if progress is True:
        return to_standard_error
    if progress is False or progress is None:
        return None
    if not callable(progress):
        message = f"must be True, False or a function of one argument, but is {quoted(progress)}"
        raise InputError(message, "progress")
    return progress


class Watch:
    """The clock of one computation.

    Parameters
    ----------
    limit
        Seconds from now on, or None.
    report
        Called with a `Progress` every `QUIET` seconds of a stage, from another thread.
    """

    def __init__(self, limit: float | None = None, report: Report | None = None) -> None:
        self.started = time.perf_counter()
        self.limit, self.report = limit, report
        self.truncated = False
        self._steps = 0

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.perf_counter() - self.started

    def is_over(self) -> bool:
        """Whether the time limit has passed; to be asked before every step of a search.

        What asks and is told yes must stop: from then on the result counts as truncated.
        """
        self._steps += 1
        if self.limit is not None and self.seconds >= self.limit:
            self.truncated = True
        return self.truncated

    @contextmanager
    def stage(self, name: str, known: Callable[[], str] = str) -> Iterator[None]:
        """Report on what runs inside, as long as it runs."""
        if self.report is None:
            yield
            return
        self._steps = 0
        begun, done = time.perf_counter(), threading.Event()
        thread = threading.Thread(
            target=self._tell, args=(self.report, name, known, begun, done), daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _tell(
        self,
        report: Report,
        name: str,
        known: Callable[[], str],
        begun: float,
        done: threading.Event,
    ) -> None:
        while not done.wait(QUIET):
            seconds = time.perf_counter() - begun
            report(Progress(stage=name, seconds=seconds, steps=self._steps, known=known()))


def checked_limit(time_limit: object) -> float | None:
    """A time limit in seconds, or None.

    Raises
    ------
    InputError
        If it is no number > 0.
    """
    if time_limit is None:
        return None
    seconds = real_number(time_limit)
    if seconds is None or not seconds > 0:
        raise InputError(
            f"must be a number of seconds > 0, but is {quoted(time_limit)}", "time_limit"
        )
    return seconds
