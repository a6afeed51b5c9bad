"""The engine: every task comes back once, whatever it does to its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from lindfeas.errors import InputError
from lindfeas.isolation import ONE_THREAD
from lindfeas.sweeps.engine import DIED, Failure, Outcome, WorkersLostError, one_line, results
from lindfeas.sweeps.executors import InProcess, LocalWorkers, usable_cpus
from tests.sweeping import Cheap, cheap_tasks, square

LIMIT = 30.0
"""Seconds in which a process has certainly gone."""


@pytest.fixture
def workers() -> Iterator[LocalWorkers]:
    with LocalWorkers(2, preload=("tests.sweeping",)) as pool:
        yield pool


def squares(tasks: list[Cheap], workers: LocalWorkers | InProcess) -> dict[int, object]:
    found = {}
    for task, outcome in results(tasks, square, workers):
        assert task.number not in found
        found[task.number] = outcome.row["upper"] if isinstance(outcome, Outcome) else outcome
    return found


def test_every_task_comes_back_once(workers: LocalWorkers) -> None:
    tasks = cheap_tasks()
    assert squares(tasks, workers) == {task.number: float(task.number**2) for task in tasks}


@pytest.mark.parametrize(
    ("damage", "error"),
    [("raise", "ArithmeticError: no square for this one"), ("panic", "BaseException: a panic")],
)
def test_an_error_is_data(damage: str, error: str) -> None:
    found = squares(cheap_tasks(n3=damage), InProcess())
    failure = found.pop(3)
    assert isinstance(failure, Failure)
    assert failure.error == error
    assert len(found) == len(cheap_tasks()) - 1


def test_a_worker_that_dies_takes_no_task_with_it(workers: LocalWorkers, tmp_path: Path) -> None:
    tasks = cheap_tasks(n5="die-once")
    tasks[5] = Cheap(key="5", number=5, damage="die-once", marker=tmp_path / "died")
    assert squares(tasks, workers) == {task.number: float(task.number**2) for task in tasks}
    assert (tmp_path / "died").exists()


def test_a_task_that_kills_its_worker_again_fails_and_no_other(workers: LocalWorkers) -> None:
    found = squares(cheap_tasks(n5="die", n6="die"), workers)
    for number in (5, 6):
        failure = found.pop(number)
        assert isinstance(failure, Failure)
        assert failure.error == DIED
    assert all(isinstance(value, float) for value in found.values())
    assert len(found) == len(cheap_tasks()) - 2


def test_stopping_early_ends_the_processes() -> None:
    with LocalWorkers(2, preload=("tests.sweeping",)) as pool:
        slow = [Cheap(key=str(n), number=n, seconds=60.0 * (n > 0)) for n in range(8)]
        started = time.perf_counter()
        task, _ = next(results(slow, square, pool))
        assert task.number == 0
    assert time.perf_counter() - started < LIMIT


def test_an_evaluation_that_cannot_be_sent_is_a_failure(workers: LocalWorkers) -> None:
    tasks = cheap_tasks()[:3]
    found = [outcome for _, outcome in results(tasks, lambda task: square(task), workers)]
    assert [type(outcome) for outcome in found] == [Failure] * 3


def test_workers_that_give_up_stop_the_run() -> None:
    class Gone(InProcess):
        def submit(self, *_: object) -> Future[object]:
            future: Future[object] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(WorkersLostError):
        list(results(cheap_tasks(), square, Gone()))


def test_errors_are_one_printable_line() -> None:
    assert one_line(InputError("must be > 0,\nbut is \x1b[0m", "beta")) == (
        "beta: must be > 0, but is \\x1b[0m"
    )
    assert one_line(KeyError()) == "KeyError"


def linear_algebra_threads() -> tuple[int, dict[str, str | None]]:
    """(threads of this process after BLAS has been at work, the variables that limit them)."""
    import numpy as np

    matrix = np.ones((600, 600))
    for _ in range(3):
        matrix = matrix @ matrix / 600
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())), {name: os.environ.get(name) for name in ONE_THREAD}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
def test_workers_use_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    with LocalWorkers(1, preload=("tests.sweeping",)) as pool:
        threads, variables = pool.submit(linear_algebra_threads).result()
    assert threads == 2  # the main one, and the one that watches the parent
    assert set(variables.values()) == {"1"}
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


def test_workers_leave_ctrl_c_to_their_parent(workers: LocalWorkers) -> None:
    assert workers.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


ORPHANS = """
import os
from lindfeas.sweeps.executors import LocalWorkers
with LocalWorkers(1, preload=()) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), 9)
"""


def test_workers_do_not_outlive_a_killed_parent() -> None:
    run = subprocess.run(
        [sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True, check=False
    )
    assert run.returncode == -signal.SIGKILL
    deadline = time.monotonic() + LIMIT
    while _lives(int(run.stdout)):
        assert time.monotonic() < deadline, "the worker waits for ever"
        time.sleep(0.02)


def test_usable_cpus_is_what_the_system_allows() -> None:
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
