"""What a solver can do in its process, played by functions that a new process can import."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

Report = Callable[[dict[str, Any]], None]

KNOWN = {
    "status": "optimal",
    "objective": 1.0,
    "plain_lower": 0.5,
    "plain_upper": 1.5,
    "lower": 1.0,
    "upper": 1.0,
    "solves": 1,
}
"""What an honest solver would report."""


def answers(report: Report, program: Any, solver: str) -> None:
    report(KNOWN)


def answers_nothing(report: Report, program: Any, solver: str) -> None:
    report({"status": "failed", "solves": 3})


def contradicts(report: Report, program: Any, solver: str) -> None:
    value = 1.0 if solver == "CLARABEL" else 2.0
    report({**KNOWN, "lower": value, "upper": value})


def scs_hangs(report: Report, program: Any, solver: str) -> None:
    report(KNOWN)
    if solver == "SCS":
        time.sleep(600)


def scs_segfaults(report: Report, program: Any, solver: str) -> None:
    report(KNOWN)
    if solver == "SCS":
        segfaults(report)


def lies_about_the_objective(report: Report, program: Any, solver: str, factor: float) -> None:
    _try(report, program, solver, lambda raw: replace(raw, objective=factor * raw.objective))


def calls_it_infeasible(report: Report, program: Any, solver: str) -> None:
    nothing = {"status": "infeasible", "objective": None, "point": None, "multiplier": None}
    _try(report, program, solver, lambda raw: replace(raw, **nothing))


def solves_too_well(program: Any, *arguments: Any, size: float, **options: Any) -> Any:
    """A solver that is wrong by this fraction, to its own advantage.

    The Kossakowski matrices are (1 + size) G - size U with G >= 0 and U the multiple of the
    identity with the right rates: negative where G has no weight, and of a smaller defect than any
    positive matrices. The multiplier is too long.
    """
    from lindfeas.program import bounds
    from lindfeas.solvers import conic as solver

    uniform = bounds._uniform(program)
    offset = (program.offset - size * program.dissipation(uniform)) / (1 + size)
    raw = solver.solve(replace(program, offset=offset), *arguments, **options)
    gammas = [(1 + size) * g - size * u for g, u in zip(raw.point.gammas, uniform, strict=True)]
    point = replace(raw.point, gammas=gammas, shift=(1 + size) * raw.point.shift)
    return replace(raw, point=point, multiplier=(1 + size) * raw.multiplier)


def hangs(report: Report) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    report({"sleeper": sleeper.pid})
    time.sleep(600)


def interrupts_its_parent(report: Report, file: Path) -> None:
    file.write_text(str(os.getpid()))
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(600)


def segfaults(report: Report) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def is_killed(report: Report) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raises(report: Report) -> None:
    raise RuntimeError("no\nluck")


def leaves(report: Report) -> None:
    print("cannot go on", file=sys.stderr, flush=True)
    os._exit(0)


def prints(report: Report, text: str) -> None:
    """Into standard output from Python and past it."""
    print(text, flush=True)
    os.write(1, text.encode())
    report({"text": text})


def tells_limits(report: Report) -> None:
    report(
        {
            "alarm": signal.getitimer(signal.ITIMER_REAL)[0],
            "ends": signal.getsignal(signal.SIGALRM) == signal.SIG_DFL,
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        }
    )


def tells_threads(report: Report) -> None:
    report({"threads": os.environ["OMP_NUM_THREADS"]})


def _try(report: Report, program: Any, solver: str, change: Callable[[Any], Any]) -> None:
    """The usual trial with a solver whose words are changed; this process is its own."""
    from lindfeas.answers import enclosure
    from lindfeas.solvers import conic as backend
    from lindfeas.sweeps import solver_comparison as comparison

    def solve(*arguments: Any, **options: Any) -> Any:
        return change(backend.solve(*arguments, **options))

    comparison.solve = enclosure.solve = solve
    comparison.try_solver(report, program, solver)
