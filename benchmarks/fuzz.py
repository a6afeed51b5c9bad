"""Many changed certificates against the checker: ``python -m benchmarks fuzz --count 20000``.

Runs from a checkout: mutants and judge are those of ``tests/`` (`tests.certificate_fuzzer`). Prints
how many mutants state something else, how many are accepted, and every accepted one whose claims
the dense reference does not confirm, with the number that makes it again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.certificate_fuzzer import Findings

CHUNK = 100
"""Mutants that one process takes at a time."""

CHANGED = 0.95
"""Share of the mutants that must state something else."""


def main(arguments: list[str]) -> int:
    """Make, verify and judge the mutants; 1 if one was accepted in spite of being false."""
    asked = _parser().parse_args(arguments)
    from tests.certificate_fuzzer import Findings

    total = Findings()
    stop = asked.first + asked.count
    starts = range(asked.first, stop, CHUNK)
    with ProcessPoolExecutor(asked.workers) as pool:
        for found in pool.map(_chunk, starts, itertools.repeat(stop)):
            total.add(found)
            print(
                f"{total.mutants}/{asked.count}: {total.accepted_share:.1%} accepted, "
                f"{len(total.false)} falsely",
                file=sys.stderr,
                flush=True,
            )
    found = report(total)
    if asked.out is not None:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    return 1 if total.false or total.exceptions or total.changed_share < CHANGED else 0


def report(total: Findings) -> dict[str, Any]:
    """The counts, and all that went wrong, as JSON types."""
    return {
        "mutants": total.mutants,
        "state_something_else": round(total.changed_share, 4),
        "accepted_share": round(total.accepted_share, 4),
        "statuses": dict(total.statuses),
        "accepted_by_original": dict(total.accepted),
        "falsely_accepted": total.false,
        "exceptions": total.exceptions,
    }


def _chunk(first: int, stop: int) -> Findings:
    from tests.certificate_fuzzer import fuzz

    return fuzz(range(first, min(first + CHUNK, stop)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks fuzz")
    parser.add_argument("--count", type=int, default=20000, help="mutants")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=None, help="JSON file")
    return parser
