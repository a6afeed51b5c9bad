"""Sweeps on a real Dask cluster: a scheduler and workers that are processes of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from lindfeas.cli import main
from lindfeas.errors import InputError, MissingExtraError
from lindfeas.files.problem_file import read_problem
from lindfeas.files.table import read_table
from lindfeas.sweeps.engine import DIED, Failure, WorkersLostError, results
from lindfeas.sweeps.isolated import ONE_THREAD
from lindfeas.sweeps.points import Options
from lindfeas.sweeps.sweep import Progress, run, sweep_plan
from lindfeas.sweeps.workers import ClusterWorkers, LocalWorkers
from tests.sweeping import PROBLEM, Cheap, cheap_plan, cheap_tasks, square, without_time

pytest.importorskip("distributed")

LIMIT = 60.0
"""Seconds in which a process of the cluster has certainly started."""

ROOT = Path(__file__).resolve().parents[2]

ENVIRONMENT = {
    **os.environ,
    **dict.fromkeys(ONE_THREAD, "1"),
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
}


def started(stack: ExitStack, *arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


class Cluster:
    """A scheduler on the loopback interface and two workers with one thread each."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        file = folder / "scheduler.json"
        self.scheduler = started(
            stack,
            "distributed.cli.dask_scheduler",
            *("--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(file)),
        )
        self.address = self._address(file)
        self.workers = [self.worker() for _ in range(2)]

    def worker(self) -> subprocess.Popen[bytes]:
        """One more worker; without its nanny, so that it stays dead when it is killed."""
        return started(
            self.stack,
            "distributed.cli.dask_worker",
            self.address,
            *("--nthreads", "1", "--nworkers", "1", "--no-nanny", "--no-dashboard"),
            *("--host", "127.0.0.1", "--local-directory", str(self.folder)),
        )

    def wait_for_workers(self, count: int) -> None:
        with ClusterWorkers(self.address) as pool:
            deadline = time.monotonic() + LIMIT
            while pool.worker_count < count:
                assert time.monotonic() < deadline, "the workers do not start"
                time.sleep(0.05)

    def _address(self, file: Path) -> str:
        deadline = time.monotonic() + LIMIT
        while True:
            assert self.scheduler.poll() is None, "the scheduler has ended"
            assert time.monotonic() < deadline, "the scheduler does not start"
            with suppress(OSError, ValueError):  # not yet there, or not yet whole
                return str(json.loads(file.read_text())["address"])
            time.sleep(0.05)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(stack, folder)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("dask")) as made:
        made.wait_for_workers(2)
        yield made


def test_a_killed_worker_changes_nothing(shared: Cluster, tmp_path: Path) -> None:
    """The table is that of one local process, to the last bit, but for the seconds."""
    (tmp_path / "problem.toml").write_text(PROBLEM.replace("points = 2", "points = 8"))
    plan = sweep_plan(read_problem(tmp_path / "problem.toml"), Options(sharp=False))
    victim = shared.workers[0]

    def kill(progress: Progress) -> None:
        if progress.done == 3:
            victim.send_signal(signal.SIGKILL)
            victim.wait()

    with ClusterWorkers(shared.address) as workers:
        summary = run(plan, tmp_path / "cluster", workers, kill)
    assert victim.returncode == -signal.SIGKILL
    assert (summary.points, summary.failed) == (16, 0)
    with LocalWorkers(1) as local:
        run(plan, tmp_path / "serial", local)
    assert without_time(tmp_path / "cluster") == without_time(tmp_path / "serial")
    shared.workers[0] = shared.worker()
    shared.wait_for_workers(2)


def test_the_command(shared: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text(PROBLEM)
    arguments = ["sweep", str(file), "--out", str(tmp_path / "out"), "--no-sharp", "--no-prove"]
    result = CliRunner().invoke(main, [*arguments, "--dask", shared.address])
    assert result.exit_code == 0, result.output
    assert "impossible  4" in result.stdout
    assert len(read_table(tmp_path / "out")) == 4


def test_an_error_is_a_row(shared: Cluster, tmp_path: Path) -> None:
    with ClusterWorkers(shared.address) as workers:
        summary = run(cheap_plan(cheap_tasks(n3="raise", n4="panic")), tmp_path, workers)
    assert summary.failed == 2
    assert read_table(tmp_path).column("error")[3] == "ArithmeticError: no square for this one"


def test_a_point_that_kills_its_workers_fails_and_no_other(tmp_path: Path) -> None:
    """Dask gives up all tasks that its dead worker had been given: they get another chance."""
    tasks = cheap_tasks(n1="die")
    with cluster(tmp_path) as made:
        made.worker()
        made.wait_for_workers(3)
        with ClusterWorkers(made.address) as workers:
            found = {task.number: outcome for task, outcome in results(tasks, square, workers)}
    failure = found.pop(1)
    assert isinstance(failure, Failure)
    assert failure.error == DIED
    assert not any(isinstance(outcome, Failure) for outcome in found.values())
    assert len(found) == len(tasks) - 1


def test_a_scheduler_that_dies_ends_the_sweep_with_what_there_is(tmp_path: Path) -> None:
    seen = []
    slow = [
        Cheap(key=task.key, number=task.number, seconds=0.1 * (task.number > 3))
        for task in cheap_tasks()
    ]
    with cluster(tmp_path) as made:
        made.wait_for_workers(2)

        def kill(progress: Progress) -> None:
            if progress.row is not None:
                seen.append(progress.row["point"])
            if len(seen) == 5:
                made.scheduler.kill()
                made.scheduler.wait()

        with (
            ClusterWorkers(made.address) as workers,
            pytest.raises(WorkersLostError, match=r"^--dask: the scheduler at tcp://127"),
        ):
            run(cheap_plan(slow), tmp_path / "out", workers, kill)
    assert len(seen) < len(slow)
    assert set(seen) <= set(read_table(tmp_path / "out").column("point"))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("tcp://127.0.0.1:1", r"Timed out .* after 1 s$"),  # not after Dask's own 30 s
        ("tcp://no-such-host.invalid:8786", r"8786' is not: \w"),
        ("127.0.0.1:8786", "protocol://host:port"),
        ("tcp://127.0.0.1", "protocol://host:port"),
    ],
)
def test_where_no_scheduler_answers(address: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        ClusterWorkers(address, seconds=1.0)
    assert caught.value.where == "--dask"
    assert "\n" not in str(caught.value)


def test_a_server_of_another_kind_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask's own deadline does not hold for what accepts a connection and then says nothing."""
    monkeypatch.setattr("lindfeas.sweeps.workers.GRACE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match="running Dask scheduler"):
            ClusterWorkers(address, seconds=0.5)


def test_without_distributed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"lindfeas sweep --dask.*lindfeas\[dask\]"):
        ClusterWorkers("tcp://127.0.0.1:8786")
