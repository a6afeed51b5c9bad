"""All panels of the SDP-paper's Figs. 2, 3, A1 and A2 as sweeps, whole commands.

``python -m benchmarks.sweep`` prints one JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("lindfeas")
WORKERS = 2
INTERVAL = 0.1
"""Seconds between two looks at the memory."""

FIGURES = {"2 and 3": ("2", "3"), "A1 and A2": ("a1", "a2")}
PANELS = "abcd"
QUESTIONS = {
    "intervals only": ("--no-prove", "--no-sharp"),
    "and proofs": ("--no-sharp",),
    "and trace distances": (),
}
"""With which options; proofs and sharp trace distances where they are quick, as by default."""


def main() -> dict[str, Any]:
    """Seconds and megabytes of every set of panels."""
    rows = []
    for figures, names in FIGURES.items():
        for asked, options in QUESTIONS.items():
            found = [swept(f"figure-{name}{panel}", options) for name in names for panel in PANELS]
            rows.append(
                {
                    "figures": figures,
                    "asked": asked,
                    "problems": sum(panel["points"] for panel in found),
                    "failed": sum(panel["failed"] for panel in found),
                    "seconds": sum(panel["seconds"] for panel in found),
                    "cpu_seconds": sum(panel["cpu_seconds"] for panel in found),
                    "megabytes": max(panel["megabytes"] for panel in found),
                }
            )
    return {"workers": WORKERS, "rows": rows}


def swept(panel: str, options: tuple[str, ...]) -> dict[str, Any]:
    """One panel: from the cold start of the command to its exit."""
    with tempfile.TemporaryDirectory() as out:
        arguments = ["sweep", f"problems/{panel}.toml", "--out", out, "--json", *options]
        started = time.perf_counter()
        process = subprocess.Popen(
            [COMMAND, *arguments, "--workers", str(WORKERS)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        cpu_seconds, megabytes = _watch(process)
        seconds = time.perf_counter() - started
        assert process.stdout is not None
        printed = process.stdout.read()
    if process.returncode not in (0, 1):
        raise SystemExit(f"lindfeas {' '.join(arguments)}: exit code {process.returncode}")
    summary = json.loads(printed)
    return {
        "points": summary["points"],
        "failed": summary["failed"],
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "megabytes": megabytes,
    }


def _watch(process: subprocess.Popen[str]) -> tuple[float, float]:
    """(CPU seconds, peak megabytes) of the command and all its processes, shared pages once."""
    used: dict[int, float] = {}
    peak = 0.0
    while process.poll() is None:
        megabytes = 0.0
        for member in _session(process.pid):
            # a process may end while it is looked at
            with suppress(OSError, IndexError, ValueError):
                used[member] = _cpu_seconds(member)
                megabytes += _megabytes(member)
        peak = max(peak, megabytes)
        time.sleep(INTERVAL)
    return sum(used.values()), peak


def _session(leader: int) -> list[int]:
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if os.getsid(int(entry.name)) == leader:
                    members.append(int(entry.name))
    return members


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(process: int) -> float:
    """Proportional set size: what is shared by n processes counts 1/n in each of them."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1e3
    return 0.0


if __name__ == "__main__":
    print(json.dumps(main()))
