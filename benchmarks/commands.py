"""Whole commands from a cold start: wall time and peak memory of the process.

Only the standard library is imported here: on Linux a child starts with its parent's peak memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("lindfeas")
REPETITIONS = 5

LONG_CHAIN = """
[system]
model = "xxz_chain"
sites = {sites}
coupling = 0.01

[[bath]]
name = "left"
sites = [0, 1]
beta = 1.0

[[bath]]
name = "right"
sites = [{first}, {last}]
beta = 10.0
"""


def chain(sites: int) -> str:
    """A problem file: baths on the two sites at each end of a chain."""
    return LONG_CHAIN.format(sites=sites, first=sites - 2, last=sites - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One command, measured; the limits are what it is held to."""

    command: str
    seconds: float
    cpu_seconds: float
    megabytes: float
    most_seconds: float
    most_megabytes: float | None

    @property
    def met(self) -> bool:
        """Whether the command is within its limits."""
        memory = self.most_megabytes is None or self.megabytes <= self.most_megabytes
        return memory and self.seconds <= self.most_seconds


def measure(
    arguments: list[str],
    shown: str,
    *,
    most_seconds: float,
    most_megabytes: float | None,
    repetitions: int = REPETITIONS,
) -> Measurement:
    """Run ``lindfeas`` a few times; the fastest run counts, and the largest memory."""
    seconds, cpu_seconds, megabytes = zip(
        *(_once(arguments) for _ in range(repetitions)), strict=True
    )
    return Measurement(
        command=shown,
        seconds=min(seconds),
        cpu_seconds=min(cpu_seconds),
        megabytes=max(megabytes),
        most_seconds=most_seconds,
        most_megabytes=most_megabytes,
    )


def main() -> Iterator[Measurement]:
    """The commands that a user meets first, and the largest chain."""
    yield measure(["--help"], "lindfeas --help", most_seconds=0.3, most_megabytes=None)
    problem = "problems/xxz-1+2+1.toml"
    yield measure(
        ["certify", problem], f"lindfeas certify {problem}", most_seconds=3.0, most_megabytes=400
    )
    with _problem_file(chain(8)) as file:
        yield measure(
            ["certify", str(file)],
            "lindfeas certify (2+4+2 sites, 256 levels)",
            most_seconds=10.0,
            most_megabytes=500,
            repetitions=1,
        )
    with _problem_file(chain(10)) as file:
        yield measure(
            ["certify", str(file)],
            "lindfeas certify (2+6+2 sites, 1024 levels)",
            most_seconds=20.0,
            most_megabytes=2000,
            repetitions=1,
        )


def _once(arguments: list[str]) -> tuple[float, float, float]:
    """Wall time, CPU time, and peak memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen([COMMAND, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"lindfeas {' '.join(arguments)}: exit code {process.returncode}")
    unit = 1e-6 if sys.platform == "darwin" else 1.024e-3
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit


@contextmanager
def _problem_file(text: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "problem.toml"
        file.write_text(text, encoding="utf-8")
        yield file
