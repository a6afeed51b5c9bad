"""Tasks in, outcomes out: computed by workers that may die, reported one by one.

The engine knows nothing of physics or files. A caller gives it tasks, which are picklable
dataclasses; ``evaluate``, a function of a module that runs in a worker, ``evaluate(task) ->
Outcome``, and may raise anything; and `Workers`, such as those of `lindfeas.sweeps.workers`. It
then iterates over the pairs of a task and its `Outcome` or `Failure`, in the order in which they
finish::

    with LocalWorkers(2) as workers:
        for task, outcome in results(tasks, evaluate, workers): ...

An error of ``evaluate`` is a `Failure`. When a worker process dies, nobody knows whose fault it
was: every task that was in flight is computed again, alone, in fresh processes; a task whose worker
dies then too is a `Failure`. Whoever stops iterating loses what was in flight and nothing else.
"""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from lindfeas.errors import LindfeasError, printable

if TYPE_CHECKING:
    from lindfeas.files.table import Record

Task = TypeVar("Task")

TICK = 2.0
"""Seconds between two looks at whether the workers can still be reached."""

DIED = (
    "the worker process died twice at this point: killed by the system (out of memory?), "
    "or a crash of the solver"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a task gave.

    Parameters
    ----------
    row
        The row of the table.
    files
        Text files that belong to it, by their path relative to the table's folder.
    more
        Further rows of the same point: a boundary has one per change of the verdict.
    """

    row: Record
    files: dict[str, str] = field(default_factory=dict)
    more: tuple[Record, ...] = ()

    @property
    def rows(self) -> tuple[Record, ...]:
        """All rows of the point; a writer writes these."""
        return (self.row, *self.more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a task gave nothing, in one line, and after how many seconds."""

    error: str
    seconds: float


class WorkersLostError(LindfeasError):
    """The workers cannot be reached any more; what was finished is safe."""


class Workers:
    """Where tasks are computed; the defaults are those of a place that cannot be lost.

    ``window`` is how many tasks may be in flight. When a process died, futures raise one of
    ``deaths``, and so may `submit` until `renew` has replaced what is broken. `check` raises
    `WorkersLostError` when nothing will ever come back.
    """

    window = 1
    deaths: tuple[type[Exception], ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End what was started."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """See `concurrent.futures.Executor.submit`."""
        raise NotImplementedError

    def renew(self) -> None:
        """Called after a death, when nothing is in flight."""

    def check(self) -> None:
        """Called when nothing has come back for a while."""


def results(
    tasks: Iterable[Task], evaluate: Callable[[Task], Outcome], workers: Workers
) -> Iterator[tuple[Task, Outcome | Failure]]:
    """Every task with what became of it, in the order in which they finish.

    Raises
    ------
    WorkersLostError
        If the workers cannot be reached any more.
    """
    return _Run(deque(tasks), evaluate, workers).results()


def attempt(evaluate: Callable[[Task], Outcome], task: Task) -> Outcome | Failure:
    """``evaluate(task)`` in a worker, its error as data."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return evaluate(task)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of a solver written in Rust is no Exception
            return Failure(error=one_line(error), seconds=time.perf_counter() - started)


def one_line(error: BaseException) -> str:
    """An error in one printable line; the type is named unless lindfeas raised it."""
    text = " ".join(str(error).split())
    name = "" if isinstance(error, LindfeasError) else type(error).__name__
    return printable(": ".join(filter(None, (name, text))))


class _Run(Generic[Task]):
    """The state behind `results`."""

    def __init__(
        self, waiting: deque[Task], evaluate: Callable[[Task], Outcome], workers: Workers
    ) -> None:
        self.waiting = waiting
        self.suspects: deque[Task] = deque()
        self.evaluate = evaluate
        self.workers = workers
        self.running: dict[Future[Outcome | Failure], tuple[Task, float]] = {}
        self.alone = False

    def results(self) -> Iterator[tuple[Task, Outcome | Failure]]:
        while self.waiting or self.suspects or self.running:
            self._submit()
            done, _ = wait(self.running, timeout=TICK, return_when=FIRST_COMPLETED)
            if not done:
                self.workers.check()
            for future in done:
                task, started = self.running.pop(future)
                found = self._result(future, started)
                if found is None:
                    self.suspects.append(task)
                else:
                    yield task, found

    def _submit(self) -> None:
        """Fill the window; suspects one at a time."""
        if not self.running:
            self.alone = bool(self.suspects)
        queue = self.suspects if self.alone else self.waiting
        window = 1 if self.alone else self.workers.window
        while queue and len(self.running) < window:
            try:
                future = self.workers.submit(attempt, self.evaluate, queue[0])
            except self.workers.deaths:
                if not self.running:
                    self.workers.renew()
                return
            self.running[future] = queue.popleft(), time.perf_counter()

    def _result(
        self, future: Future[Outcome | Failure], started: float
    ) -> Outcome | Failure | None:
        """What became of a task; None if its worker died, and it was not alone."""
        try:
            return future.result()
        except self.workers.deaths:
            if not self.alone:
                return None
            error = DIED
        except CancelledError:
            self.workers.check()
            raise WorkersLostError("the workers gave up what they had been asked for") from None
        except Exception as problem:
            # what the worker process itself could not do, such as import lindfeas
            error = one_line(problem)
        return Failure(error=error, seconds=time.perf_counter() - started)
