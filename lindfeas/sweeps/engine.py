"""Tasks in, outcomes out: computed by workers that may die, reported one by one.

The engine knows nothing of physics or files. A caller gives it tasks, which are picklable
dataclasses; ``evaluate``, a function of a module that runs in a worker, ``evaluate(task) ->
Outcome``, and may raise anything; and `Workers`, such as those of `lindfeas.sweeps.executors`. It
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
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from lindfeas.errors import LindfeasError

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

    row: dict[str, float | int | bool | str | None]
    files: dict[str, str] = field(default_factory=dict)
    more: tuple[dict[str, float | int | bool | str | None], ...] = ()

    @property
    def rows(self) -> tuple[dict[str, float | int | bool | str | None], ...]:
        """All rows of the point; a writer writes these."""
        return (self.row, *self.more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a task gave nothing, in one line, and after how many seconds."""

    error: str
    seconds: float


class WorkersLostError(LindfeasError):
    """The workers cannot be reached any more; what was finished is safe."""


class Workers(Protocol):
    """Where tasks are computed.

    ``window`` is how many tasks may be in flight. `submit` and the futures raise `BrokenExecutor`
    when worker processes died; `renew` then replaces them. `check` raises `WorkersLostError` when
    nothing will ever come back.
    """

    @property
    def window(self) -> int: ...

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]: ...

    def renew(self) -> None: ...

    def is_death(self, error: Exception) -> bool: ...

    def check(self) -> None: ...


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
    line = f"{name}: {text}" if name and text else name or text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


class _DeathError(Exception):
    """The worker of one task died."""


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
            broken = []
            for future in done:
                task, started = self.running.pop(future)
                try:
                    found = self._result(future, started)
                except BrokenExecutor:
                    broken.append((task, started))
                except _DeathError:
                    yield from self._suspect(task, started)
                else:
                    yield task, found
            if broken:
                yield from self._after_a_death(broken)

    def _submit(self) -> None:
        """Fill the window; suspects one at a time."""
        if not self.running:
            self.alone = bool(self.suspects)
        queue = self.suspects if self.alone else self.waiting
        window = 1 if self.alone else self.workers.window
        while queue and len(self.running) < window:
            task = queue.popleft()
            try:
                future = self.workers.submit(attempt, self.evaluate, task)
            except BrokenExecutor:
                queue.appendleft(task)
                if not self.running:
                    self.workers.renew()
                return
            self.running[future] = task, time.perf_counter()

    def _result(self, future: Future[Outcome | Failure], started: float) -> Outcome | Failure:
        try:
            return future.result()
        except BrokenExecutor:
            raise
        except CancelledError:
            self.workers.check()
            raise WorkersLostError("the workers gave up what they had been asked for") from None
        except Exception as error:
            if self.workers.is_death(error):
                raise _DeathError from None
            # what the worker process itself could not do, such as import lindfeas
            return Failure(error=one_line(error), seconds=time.perf_counter() - started)

    def _after_a_death(
        self, broken: list[tuple[Task, float]]
    ) -> Iterator[tuple[Task, Outcome | Failure]]:
        """What else had finished; the rest is computed again, alone, or has failed alone."""
        wait(self.running)
        for future, (task, started) in self.running.items():
            try:
                yield task, self._result(future, started)
            except BrokenExecutor:
                broken.append((task, started))
        self.running.clear()
        self.workers.renew()
        for task, started in broken:
            yield from self._suspect(task, started)

    def _suspect(self, task: Task, started: float) -> Iterator[tuple[Task, Failure]]:
        """A task whose worker died: alone it was its own fault, else it gets another chance."""
        if self.alone:
            yield task, Failure(error=DIED, seconds=time.perf_counter() - started)
        else:
            self.suspects.append(task)
