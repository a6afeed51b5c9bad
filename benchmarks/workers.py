"""How soon processes end and servers are given up: ``python -m benchmarks.workers`` prints JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from lindfeas.errors import InputError
from lindfeas.sweeps.workers import GRACE, ClusterWorkers, LocalWorkers

LONG = 60.0
"""Seconds of a task that nobody waits for, and after which a measurement is given up."""

ASKED = 1.0
"""Seconds that a scheduler gets to answer."""

ORPHANS = """
import os
from lindfeas.sweeps.workers import LocalWorkers
with LocalWorkers(2, preload=()) as pool:
    pool.submit(os.getpid).result()
    os.kill(os.getpid(), 9)
"""


def main() -> list[dict[str, Any]]:
    """Name, seconds and most seconds of every case."""
    return [{"case": case, "seconds": found, "most": most} for case, found, most in _cases()]


def _cases() -> Iterator[tuple[str, float, float]]:
    yield "leaving two busy processes", stopping(), 1.0
    yield "processes of a parent that was killed", orphans(), 1.0
    yield f"no scheduler, {ASKED:g} s asked for", refusal(), ASKED + GRACE


def stopping() -> float:
    """From the wish to stop until the processes, each in the middle of a long task, are gone."""
    with LocalWorkers(2, preload=()) as pool:
        pool.submit(os.getpid).result()
        for _ in range(2):
            pool.submit(time.sleep, LONG)
        started = time.perf_counter()
    return time.perf_counter() - started


def orphans() -> float:
    """From the death of the parent until the last process has closed standard output."""
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    parent.wait()
    started = time.perf_counter()
    parent.communicate(timeout=LONG)
    return time.perf_counter() - started


def refusal() -> float:
    """From the question to the error where nobody listens."""
    started = time.perf_counter()
    try:
        ClusterWorkers("tcp://127.0.0.1:1", seconds=ASKED)
    except InputError:
        return time.perf_counter() - started
    raise SystemExit("a Dask scheduler must not listen on port 1, but does")


if __name__ == "__main__":
    print(json.dumps(main()))
