"""A task may hang, crash or print: what it reported survives, and nobody else notices."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from lindfeas.sweeps.isolated import GRACE, _facts, run_isolated
from tests import fake_trials


def is_alive(pid: int) -> bool:
    """Whether a process still runs; one that nobody has waited for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_what_a_task_prints_stays_out_of_its_reports() -> None:
    ending = run_isolated(fake_trials.prints, '["facts", {"text": "forged"}]\n')
    assert (ending.outcome, ending.message) == ("finished", "")
    assert ending.facts == {"text": '["facts", {"text": "forged"}]\n'}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_hanging_task_is_killed_with_everything_it_started() -> None:
    ending = run_isolated(fake_trials.hangs, time_limit=5.0)
    assert (ending.outcome, ending.message) == ("timed out", "stopped after 5 s")
    for _ in range(100):
        if not is_alive(ending.facts["sleeper"]):
            return
        time.sleep(0.1)
    pytest.fail("what the task started still runs")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_task_too(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_isolated(fake_trials.interrupts_its_parent, tmp_path / "pid")
    assert not is_alive(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("task", "outcome", "says"),
    [
        (fake_trials.segfaults, "crashed", "SIGSEGV"),
        (fake_trials.is_killed, "crashed", "SIGKILL (out of memory?)"),
        (fake_trials.leaves, "crashed", "exit code 0: cannot go on"),
        (fake_trials.raises, "failed", "RuntimeError: no luck"),
    ],
)
def test_every_end_has_its_words(task: Callable[..., None], outcome: str, says: str) -> None:
    ending = run_isolated(task)
    assert ending.outcome == outcome
    assert says in ending.message
    assert "\n" not in ending.message


@pytest.mark.parametrize("limit", [None, 20.0])
def test_an_end_without_a_parent_and_without_a_core_file(limit: float | None) -> None:
    """The alarm of the system ends a process whose parent was killed; see setitimer(2)."""
    facts = run_isolated(fake_trials.tells_limits, time_limit=limit).facts
    assert facts["core"] == 0
    assert facts["ends"]
    if limit is None:
        assert facts["alarm"] == 0
    else:
        assert GRACE < facts["alarm"] <= limit + GRACE


def test_a_report_that_a_crash_has_cut_is_left_out() -> None:
    assert _facts(BytesIO(b'{"lower": 1.0, "solves": 1}\n{"lower": 2.0}\n{"lower": 3.')) == {
        "lower": 2.0,
        "solves": 1,
    }


def test_one_thread_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert run_isolated(fake_trials.tells_threads).facts == {"threads": "1"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert run_isolated(fake_trials.tells_threads).facts == {"threads": "3"}
