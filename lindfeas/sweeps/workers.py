"""Where a sweep computes: processes of this machine, a Dask cluster, or this very process.

All are used through `concurrent.futures`; see `lindfeas.sweeps.engine.Workers`. Nothing heavy is
imported here, because a worker process imports this module before it sets its number of threads.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, Self

from lindfeas.errors import InputError, LindfeasError, MissingExtraError
from lindfeas.sweeps.engine import Workers, WorkersLostError
from lindfeas.sweeps.isolated import ONE_THREAD

START_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"

PRELOADED = ("lindfeas.sweeps.points", "lindfeas.theorems.proving", "cvxpy", "lindfeas.checker")
"""What the server process imports once, before workers are forked from it."""

CLUSTER_WINDOW = 1000
"""Tasks in flight on a cluster, so that one which grows on demand sees what is waiting."""

GRACE = 5.0
"""Seconds on top of Dask's own deadline, which does not hold for every kind of server."""

CONNECT_SECONDS = 10.0


def usable_cpus() -> int:
    """CPUs that this process may use."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalWorkers(Workers):
    """Processes of this machine, with one thread each for linear algebra.

    They are forked from a clean server process, or spawned where the system cannot do that. They
    leave Ctrl-C to their parent, and exit when it dies, however it dies.
    """

    deaths = (BrokenExecutor,)

    def __init__(self, count: int, preload: Sequence[str] = PRELOADED) -> None:
        self.count = count
        self.preload = preload
        self.window = 2 * count
        self._executor: ProcessPoolExecutor | None = None
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._environment = {name: os.environ[name] for name in ONE_THREAD if name in os.environ}
        os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
        return self

    def __exit__(self, *_: object) -> None:
        self.renew()
        for name in ONE_THREAD:
            os.environ.pop(name, None)
        os.environ.update(self._environment)

    def submit(self, function: Callable[..., Any], /, *args: object) -> Future[Any]:
        """See `Executor.submit`; the first call starts the processes."""
        executor = self._executor or self._start()
        return executor.submit(function, *args)

    def renew(self) -> None:
        """End the processes now, whatever they are at; others start when they are needed."""
        if self._executor is None:
            return
        executor, self._executor = self._executor, None
        processes = list((executor._processes or {}).values())
        executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.join()

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context(START_METHOD)
        if START_METHOD == "forkserver":
            context.set_forkserver_preload(list(self.preload))
        executor = ProcessPoolExecutor(self.count, mp_context=context, initializer=_start_worker)
        self._executor = executor
        try:
            with _ctrl_c_waits(), _without_script():
                started = [executor.submit(os.getpid) for _ in range(self.count)]
            wait(started)
            started[0].result()
        except (BrokenExecutor, OSError) as error:
            raise LindfeasError(f"--workers: no worker process could be started: {error}") from None
        return executor


class ClusterWorkers(Workers):
    """The workers of a Dask cluster, reached through its scheduler.

    Dask itself computes a task again when its worker dies, and gives it up after
    ``distributed.scheduler.allowed-failures`` more deaths; the engine then tries it once more,
    alone.

    Raises
    ------
    MissingExtraError
        Without the package distributed.
    InputError
        If no scheduler answers at the address.
    """

    window = CLUSTER_WINDOW

    def __init__(self, address: str, seconds: float = CONNECT_SECONDS) -> None:
        self.address = address
        self._client = _client(address, seconds)
        from distributed import KilledWorker

        self.deaths = (KilledWorker,)  # it suspects all that its dead workers had been given
        self._executor: Executor = self._client.get_executor(pure=False)

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False)
        self._client.close(timeout=CONNECT_SECONDS)

    def submit(self, function: Callable[..., Any], /, *args: object) -> Future[Any]:
        """See `Executor.submit`."""
        return self._executor.submit(function, *args)

    def check(self) -> None:
        """Whether the scheduler is still there."""
        if self._client.status != "running":
            raise WorkersLostError(f"--dask: the scheduler at {self.address} has gone")

    @property
    def worker_count(self) -> int:
        """Workers that the scheduler knows now; more may come."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])


class InProcess(Workers):
    """This process: no protection against a solver that crashes; for scripts and tests."""

    def submit(self, function: Callable[..., Any], /, *args: object) -> Future[Any]:
        """Compute it now."""
        future: Future[Any] = Future()
        future.set_result(function(*args))
        return future


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Processes that are started in here never see Ctrl-C, and this one not before the end.

    Interrupted halfway, it would lose sight of a process that it has just started.
    """
    if not (START_METHOD == "forkserver" and threading.current_thread() is threading.main_thread()):
        yield
        return
    pressed: list[int] = []
    resource_tracker.ensure_running()  # its own start would end the blocking
    handler = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # new processes inherit it
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def _without_script() -> Iterator[None]:
    """Processes that are started in here do not run the user's script again, guarded or not.

    No task needs it: functions of a script are sent by value.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _start_worker() -> None:
    """Set up a worker process: one thread, no Ctrl-C, no life after its parent's."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_the_parent, daemon=True).start()


def _exit_with_the_parent() -> None:
    """A killed parent closes no queue: its workers would wait for the next task for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _client(address: str, seconds: float) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("distributed", "dask", "lindfeas sweep --dask") from None
    try:
        if not re.fullmatch(r"\w+://[^/]+:\d{1,5}", address):
            raise ValueError("must be protocol://host:port")
        return _within(
            seconds + GRACE, lambda: Client(address, timeout=seconds, set_as_default=False)
        )
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            "must be the address of a running Dask scheduler, such as tcp://127.0.0.1:8786, but "
            f"{address!r} is not: {reason}",
            "--dask",
        ) from None


def _within(seconds: float, start: Callable[[], Any]) -> Any:
    """What ``start`` returns; Dask waits for ever for a server that does not speak its language.

    Raises
    ------
    TimeoutError
        After so many seconds.
    """
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(start())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"nothing that it understands in {seconds:g} s") from None
