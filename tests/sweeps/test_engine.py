"""The engine: every task comes back once, whatever it does to its worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from select import select

import pytest

from lindfeas.errors import InputError, LindfeasError
from lindfeas.sweeps.engine import DIED, Failure, Outcome, WorkersLostError, one_line, results
from lindfeas.sweeps.isolated import ONE_THREAD
from lindfeas.sweeps.workers import InProcess, LocalWorkers, usable_cpus
from tests.sweeping import Cheap, cannot_start, cheap_tasks, square

LIMIT = 30.0
"""Seconds after which a process that still lives is given up."""


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


def test_stopping_early_ends_the_processes(tmp_path: Path) -> None:
    with LocalWorkers(2, preload=("tests.sweeping",)) as pool:
        slow = [Cheap(key=str(n), number=n, seconds=60.0 * (n > 0)) for n in range(8)]
        slow = [replace(task, finished=tmp_path / task.key) for task in slow]
        task, _ = next(results(slow, square, pool))
        assert task.number == 0
        processes = [child.pid for child in multiprocessing.active_children()]
        assert len(processes) == 2
    assert not any(map(_lives, processes))
    assert [file.name for file in tmp_path.iterdir()] == ["0"]


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


THREADS = """
import os
import tests.sweeping
from lindfeas.sweeps.workers import LocalWorkers
with LocalWorkers(1, preload=("numpy",)) as pool:
    print(*pool.submit(tests.sweeping.linear_algebra_threads).result())
print(os.environ["OPENBLAS_NUM_THREADS"], os.environ.get("MKL_NUM_THREADS"))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
def test_workers_use_one_thread() -> None:
    """Also where the server process has imported NumPy, and the user asks for more."""
    others = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    told = subprocess.run(
        [sys.executable, "-c", THREADS],
        env={**others, "OPENBLAS_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    # the main thread, and the one that watches the parent; the user's own settings are untouched
    assert told == f"2 {'1' * len(ONE_THREAD)}\n2 None\n"


def test_workers_leave_ctrl_c_to_their_parent(workers: LocalWorkers) -> None:
    assert workers.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


ORPHANS = """
import os
from lindfeas.sweeps.workers import LocalWorkers
with LocalWorkers(1, preload=()) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), 9)
"""


def test_workers_do_not_outlive_a_killed_parent() -> None:
    """The worker shares the parent's standard output, and reads end when both have closed it."""
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert parent.wait() == -signal.SIGKILL
        ended, _, _ = select([parent.stdout], [], [], LIMIT)
        if not ended:
            os.kill(worker, signal.SIGKILL)
        assert ended, "the worker waits for ever"
        assert parent.stdout.read() == b""


@pytest.mark.parametrize("count", [1, 3])
def test_workers_that_cannot_start_are_no_endless_loop(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lindfeas.sweeps.workers._start_worker", cannot_start)
    with (
        LocalWorkers(count, preload=("tests.sweeping",)) as pool,
        pytest.raises(LindfeasError, match=r"^--workers: no worker process could be started: "),
    ):
        list(results(cheap_tasks(), square, pool))


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs sched_setaffinity")
def test_usable_cpus_is_what_the_system_allows() -> None:
    allowed = os.sched_getaffinity(0)
    assert usable_cpus() == len(allowed)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
