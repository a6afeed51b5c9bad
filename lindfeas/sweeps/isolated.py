"""A task in a process of its own, which may hang or crash without harm to anyone else."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from lindfeas.errors import End

Report = Callable[[dict[str, Any]], None]
"""What a task calls with facts in plain JSON types; they survive whatever happens to it later."""

TIME_LIMIT = 300.0
"""Seconds that a task gets unless someone says otherwise."""

GRACE = 5.0
"""Seconds after which a process ends itself whose parent did not live to stop it."""

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "RAYON_NUM_THREADS",
)
"""What to set to 1: tasks are many, and threads inside one change the last digits."""

_LONGEST = 200
_END = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a task ended.

    Parameters
    ----------
    outcome
        ``finished``, ``failed`` (an exception), ``crashed`` or ``timed out``.
    message
        Empty, or one line about it.
    facts
        Everything that was reported; of two values under one name the later one.
    """

    outcome: End
    message: str
    facts: dict[str, Any]


def run_isolated(
    task: Callable[..., None], *arguments: Any, time_limit: float | None = TIME_LIMIT
) -> Ending:
    """Call ``task(report, *arguments)`` in a new process, and kill that when its time is over.

    Parameters
    ----------
    task
        A function of a module; its first argument is a `Report`.
    arguments
        What can be pickled.
    time_limit
        Seconds of wall time, the start of the process included (about two for CVXPY). At the end
        the process and all that it started are killed.

    Returns
    -------
    Ending
    """
    job = pickle.dumps((task, arguments, time_limit))
    with tempfile.TemporaryFile() as reported, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from lindfeas.sweeps.isolated import child; child()"],
            stdin=subprocess.PIPE,
            stdout=reported,
            stderr=complaints,
            env=_environment(),
            start_new_session=True,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                process.communicate(job, time_limit)
            code = process.returncode
        finally:
            _kill(process)
        return _ending(code, time_limit, _facts(reported), _last_line(complaints))


def child() -> None:
    """What the new process does: the task from standard input, its reports to standard output."""
    task, arguments, time_limit = pickle.load(sys.stdin.buffer)
    _restrain(time_limit)
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what solvers print must not get among the reports

    def report(facts: dict[str, Any]) -> None:
        channel.write(json.dumps(facts) + "\n")
        channel.flush()

    try:
        task(report, *arguments)
    except Exception as error:
        report({_END: [End.FAILED, f"{type(error).__name__}: {error}"]})
    else:
        report({_END: [End.FINISHED, ""]})
    os._exit(0)  # no thread and no exit handler of a solver may keep the process alive


def _restrain(time_limit: float | None) -> None:
    """No core files, and an end even without a parent; no Python code is needed for it then."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if time_limit is not None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, time_limit + GRACE)


def _environment() -> dict[str, str]:
    """The same modules as here, and one thread for everyone unless the user says otherwise."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**dict.fromkeys(ONE_THREAD, "1"), **os.environ, "PYTHONPATH": path}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started; a group without members is none."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ending(
    code: int | None, time_limit: float | None, facts: dict[str, Any], complaint: str
) -> Ending:
    if _END in facts:
        outcome, message = facts.pop(_END)
        outcome = End(outcome)
    elif code is None:
        outcome, message = End.TIMED_OUT, f"stopped after {time_limit:g} s"
    else:
        cause = _signal_name(-code) if code < 0 else f"exit code {code}"
        message = f"the process ended with {cause}" + (f": {complaint}" if complaint else "")
        outcome = End.CRASHED
    line = " ".join(message.split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."
    return Ending(outcome=outcome, message=line, facts=facts)


def _signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"{name} (out of memory?)" if name == "SIGKILL" else name


def _facts(stream: IO[bytes]) -> dict[str, Any]:
    """All that was reported, in whole lines; a crash may have cut the last one."""
    stream.seek(0)
    reports = [json.loads(line) for line in stream if line.endswith(b"\n")]
    return {name: value for report in reports for name, value in report.items()}


def _last_line(stream: IO[bytes]) -> str:
    """The end of what was printed."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - 10 * _LONGEST))
    lines = stream.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
