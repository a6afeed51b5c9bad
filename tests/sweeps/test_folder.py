"""The folder of a sweep: nothing lost whatever happens, and no table of something else touched."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import lindfeas.sweeps.folder
from lindfeas.errors import InputError, SolverError
from lindfeas.files.problem_file import ProblemFile
from lindfeas.files.table import MERGED, read_table
from lindfeas.sweeps.folder import LOCK
from lindfeas.sweeps.points import Options
from lindfeas.sweeps.sweep import Progress, run, sweep_plan
from lindfeas.sweeps.workers import InProcess
from tests.sweeping import (
    AXIS,
    PROBLEM,
    Counting,
    cheap_plan,
    cheap_tasks,
    in_process,
    problem_of,
    sweep_and_tell,
)

QUICK = Options(prove=False, sharp=False)


@pytest.fixture
def problem(tmp_path: Path) -> ProblemFile:
    return problem_of(tmp_path)


def test_parts_are_merged_from_time_to_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lindfeas.sweeps.folder, "MOST_PARTS", 7)
    most = 0

    def count(_: Progress) -> None:
        nonlocal most
        most = max(most, len(list(tmp_path.glob("*.parquet"))))

    run(cheap_plan(), tmp_path, InProcess(), count)
    assert most == 7
    assert read_table(tmp_path).column("system.sites") == list(AXIS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("sites = 3", "sites = 4"), "system.sites is 3 there, and 4 here"),
        (("beta = 1.0", "beta = 1.1"), r"bath.left.beta is '1.0' there, and '1.1' here"),
        (("[5.0, inf]", "[5.0]"), "holds 2 points that are not of this sweep"),
        (("system.coupling", "system.field"), "a sweep over bath.right.beta, system.coupling"),
    ],
)
def test_the_table_of_something_else_is_left_alone(
    tmp_path: Path, change: tuple[str, str], reason: str
) -> None:
    out = tmp_path / "out"
    in_process(sweep_plan(problem_of(tmp_path, PROBLEM), QUICK), out)
    before = (out / MERGED).read_bytes()
    other = problem_of(tmp_path, PROBLEM.replace(*change))
    counting = Counting(sweep_plan(other, QUICK))
    with pytest.raises(InputError, match=reason) as caught:
        in_process(counting.plan, out)
    assert caught.value.where == "--out"
    assert counting.tasks == []
    assert (out / MERGED).read_bytes() == before


def test_a_table_of_an_older_schema_is_left_alone(tmp_path: Path) -> None:
    in_process(cheap_plan(), tmp_path)
    arrow = read_table(tmp_path).arrow
    old = {**arrow.schema.metadata, b"lindfeas.schema_version": b"0"}
    pq.write_table(arrow.replace_schema_metadata(old), tmp_path / MERGED)
    before = (tmp_path / MERGED).read_bytes()
    with pytest.raises(InputError, match="is of version 0"):
        in_process(cheap_plan(), tmp_path)
    assert (tmp_path / MERGED).read_bytes() == before


def test_a_sweep_whose_points_all_failed_and_that_was_then_killed_goes_on(tmp_path: Path) -> None:
    """The next run forgets what failed before it computes anything."""
    tasks = cheap_tasks(**{f"n{number}": "raise" for number in AXIS})
    in_process(cheap_plan(tasks), tmp_path)

    class Killed(BaseException):
        pass

    def kill(_: Progress) -> None:
        raise Killed

    with pytest.raises(Killed):
        in_process(cheap_plan(), tmp_path, kill)
    assert in_process(cheap_plan(), tmp_path).verdicts == {"possible": len(AXIS)}


def test_a_second_sweep_into_the_folder_is_refused(tmp_path: Path) -> None:
    refused = []

    def second(progress: Progress) -> None:
        if progress.done in (0, 20):
            with pytest.raises(InputError, match="another sweep is writing into") as caught:
                in_process(cheap_plan(), tmp_path)
            refused.append(caught.value)

    run(cheap_plan(), tmp_path, InProcess(), second)
    assert len(refused) == 2
    assert read_table(tmp_path).column("system.sites") == list(AXIS)
    assert in_process(cheap_plan(), tmp_path).reused == len(AXIS)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real = getattr(os, step)
    calls = 0

    def full(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments)

    seen: list[Progress] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, step, full)
        with pytest.raises(InputError, match="No space left on device") as caught:
            in_process(cheap_plan(), tmp_path, seen.append)
    assert caught.value.where == "--out"
    reported = [report.row["point"] for report in seen if report.row is not None]
    assert len(reported) >= 4
    assert set(reported) <= set(read_table(tmp_path).column("point"))
    assert not list(tmp_path.glob(".*.part"))
    assert in_process(cheap_plan(), tmp_path).reused >= len(reported)
    assert read_table(tmp_path).column("system.sites") == list(AXIS)


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """What a quota does, seen by a whole command."""
    (tmp_path / "problem.toml").write_text(PROBLEM)
    lindfeas = f"{sys.executable} -m lindfeas"
    command = f"ulimit -f 4; exec {lindfeas} sweep problem.toml --out out --no-prove --no-sharp"
    ended = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: --out: must be a directory that can be written, but ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("place", ["file/out", "file", "/proc/lindfeas"])
def test_a_folder_that_cannot_be_made(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="must be a directory that can be written"):
        in_process(cheap_plan(), tmp_path / place)


def test_a_solver_that_cannot_be_used(problem: ProblemFile) -> None:
    with pytest.raises(SolverError):
        sweep_plan(problem, Options(solver="simplex"))


def test_a_worker_of_another_version_is_refused(
    problem: ProblemFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = sweep_plan(problem, QUICK)
    monkeypatch.setattr("lindfeas.sweeps.points.RESULT_VERSION", 10**6)
    assert in_process(plan, tmp_path / "out").failed == 4
    assert "install the same version" in read_table(tmp_path / "out").column("error")[0]


KILLS = 20
CONTEXT = multiprocessing.get_context("forkserver")


def test_kill_9_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    """Twenty sweeps killed anywhere, merging included, one after another in two folders."""
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    moments = random.Random(seed)
    CONTEXT.set_forkserver_preload(["tests.sweeping", "lindfeas.sweeps.sweep", "pyarrow.parquet"])
    expected = tmp_path / "expected"
    in_process(cheap_plan(), expected)
    finished = 0
    reported: dict[Path, list[str]] = {}
    for number in range(KILLS):
        folder = tmp_path / str(finished)
        keys = reported.setdefault(folder, [])
        new = killed_sweep(folder, moments.uniform(0.0, 0.25))
        assert not set(new) & set(keys), "a reported point was computed again"
        keys.extend(key for key in new if key != "end")
        finished += "end" in new
        found = read_table(folder).column("point") if keys else []
        assert set(keys) <= set(found), number
    for folder in reported:
        in_process(cheap_plan(), folder)
        assert [file.name for file in sorted(folder.iterdir())] == [LOCK, MERGED]
        assert (folder / MERGED).read_bytes() == (expected / MERGED).read_bytes()


def killed_sweep(folder: Path, seconds: float) -> list[str]:
    """The keys that a sweep reported until it was killed so long after its first one."""
    reader, writer = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_sweep_child, args=(folder, writer))
    process.start()
    writer.close()
    told = b""
    with os.fdopen(os.dup(reader.fileno()), "rb", buffering=0) as stream:
        told += stream.read(33)
        time.sleep(seconds)
        process.kill()
        process.join()
        while chunk := stream.read(1 << 16):
            told += chunk
    reader.close()
    return [line.decode() for line in told.split(b"\n") if len(line) == 32 or line == b"end"]


def _sweep_child(folder: Path, writer: Any) -> None:
    with suppress(BrokenPipeError):
        sweep_and_tell(folder, writer.fileno())
