"""What the tests of sweeps share; worker processes import it, so that it is quick to import."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lindfeas.sweeps.engine import Outcome

AXIS = tuple(range(30))


@dataclass(frozen=True, kw_only=True)
class Cheap:
    """Squares a number; may do damage on the way.

    ``damage``: ``raise``, ``panic``, ``die`` (every time) or ``die-once`` (makes ``marker``). The
    file ``finished`` is made when the waiting is over.
    """

    key: str
    number: int
    damage: str = ""
    marker: Path | None = None
    seconds: float = 0.0
    finished: Path | None = None


def square(task: Cheap) -> Outcome:
    time.sleep(task.seconds)
    if task.finished is not None:
        task.finished.touch()
    if task.damage == "raise":
        raise ArithmeticError("no square\nfor this one")
    if task.damage == "panic":
        raise BaseException("a panic")
    if task.damage == "die" or (task.damage == "die-once" and _first(task.marker)):
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(row={**blank(task), "verdict": "possible", "upper": float(task.number**2)})


def linear_algebra_threads() -> tuple[int, str]:
    """(threads of this process after BLAS has been at work, the variables that limit them)."""
    import numpy as np

    from lindfeas.sweeps.isolated import ONE_THREAD

    matrix = np.ones((600, 600))
    for _ in range(3):
        matrix = matrix @ matrix / 600
    threads = list(Path("/proc/self/task").iterdir())
    return len(threads), "".join(os.environ.get(name, "-") for name in ONE_THREAD)


def cannot_start() -> None:
    """In place of what sets up a worker process."""
    os._exit(1)


def blank(task: Cheap) -> dict[str, Any]:
    return {"system.sites": task.number, "point": task.key}


def cheap_tasks(**damage: str) -> list[Cheap]:
    """A task for every number of AXIS; ``damage`` by number, such as ``n3="raise"``."""
    return [
        Cheap(key=f"{number:032x}", number=number, damage=damage.get(f"n{number}", ""))
        for number in AXIS
    ]


def cheap_plan(tasks: list[Cheap] | None = None) -> Any:
    from lindfeas.files.columns import SWEEP_COLUMNS, Axis
    from lindfeas.sweeps.folder import Form
    from lindfeas.sweeps.sweep import Plan

    axis = Axis(key="system.sites", values=AXIS)
    form = Form(
        kind="sweep", problem={"title": ""}, axes=(axis,), columns=(axis.column, *SWEEP_COLUMNS)
    )
    chosen = cheap_tasks() if tasks is None else tasks
    return Plan(form=form, tasks=tuple(chosen), evaluate=square, blank=blank)


def sweep_and_tell(folder: Path, pipe: int) -> None:
    """Run the cheap sweep in this process, and write the key of every reported point to a pipe."""
    from lindfeas.sweeps.sweep import run
    from lindfeas.sweeps.workers import InProcess

    def tell(progress: Any) -> None:
        if progress.row is not None:
            os.write(pipe, progress.row["point"].encode() + b"\n")

    run(cheap_plan(), folder, InProcess(), tell)
    os.write(pipe, b"end\n")


def _first(marker: Path | None) -> bool:
    if marker is None or marker.exists():
        return False
    marker.touch()
    return True


PROBLEM = """
title = "three qubits"
[system]
model = "xxz_chain"
sites = 3
coupling = 0.1
[[bath]]
name = "left"
sites = [0]
beta = 1.0
[[bath]]
name = "right"
sites = [2]
beta = 5.0
[sweep]
"bath.right.beta" = [5.0, inf]
"system.coupling" = { start = 0.1, stop = 0.2, points = 2 }
"""


def problem_of(folder: Path, text: str = PROBLEM) -> Any:
    """The `ProblemFile` of a text."""
    from lindfeas.files.problem_file import read_problem

    file = folder / "problem.toml"
    file.write_text(text)
    return read_problem(file)


def in_process(plan: Any, out: Path, report: Callable[[Any], None] = lambda _: None) -> Any:
    """The `Summary` of a sweep in this process."""
    from lindfeas.sweeps.sweep import run
    from lindfeas.sweeps.workers import InProcess

    return run(plan, out, InProcess(), report)


def without_time(folder: Path) -> list[dict[str, Any]]:
    """The rows of a table but for the seconds."""
    from lindfeas.files.table import read_table

    return [{**row, "seconds": None} for row in read_table(folder).rows()]


class Counting:
    """A plan that notes which of its tasks are evaluated."""

    def __init__(self, plan: Any) -> None:
        self.tasks: list[Any] = []
        self.plan = replace(plan, evaluate=self)
        self._evaluate = plan.evaluate

    def __call__(self, task: Any) -> Outcome:
        self.tasks.append(task)
        return self._evaluate(task)
