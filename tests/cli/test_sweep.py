"""``lindfeas sweep``: what it prints, its exit codes, and how it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lindfeas.cli import main
from lindfeas.files.problem_file import read_problem
from lindfeas.files.table import MERGED, read_table
from lindfeas.sweeps.points import Options
from lindfeas.sweeps.sweep import run, sweep_plan
from lindfeas.sweeps.workers import LocalWorkers
from tests.sweeping import PROBLEM, without_time

QUICK = Options(prove=False, sharp=False)


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["sweep", *map(str, arguments)])


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """(problem file, folder), swept by the command with two processes."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "problem.toml").write_text(PROBLEM)
    result = command(folder / "problem.toml", "--out", folder / "out", "--no-sharp", "--workers", 2)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert "three qubits" in result.stdout
    assert "4 points in " in result.stdout
    assert "impossible  4" in result.stdout
    assert str(folder / "out" / MERGED) in result.stdout.replace("\n", "")
    yield folder / "problem.toml", folder / "out"


def test_processes_give_the_same_bits(swept: tuple[Path, Path], tmp_path: Path) -> None:
    problem = read_problem(swept[0])
    with LocalWorkers(1) as workers:
        run(sweep_plan(problem, Options(sharp=False)), tmp_path / "out", workers)
    assert without_time(tmp_path / "out") == without_time(swept[1])


def test_json_is_one_object(swept: tuple[Path, Path]) -> None:
    problem, out = swept
    result = command(problem, "--out", out, "--no-sharp", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found.pop("seconds") >= 0
    assert found == {
        "table": str(out / MERGED),
        "points": 4,
        "reused": 4,
        "verdicts": {"impossible": 4},
        "failed": 0,
    }


def test_failed_points_are_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text(PROBLEM.partition("[sweep]")[0] + '[sweep]\n"bath.right.sites" = [[0], [7]]\n')
    result = command(file, "--out", tmp_path / "out", "--no-sharp", "--no-prove")
    assert result.exit_code == 1
    assert "failed  2" in result.stdout
    assert result.stderr.count("failed (1): bath.right.sites") == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--workers", 0], "workers"),
        (["--workers", 1, "--dask", "tcp://127.0.0.1:8786"], "exclude each other"),
        (["--set", "bath.right.beta=1", "--set", "system.coupling=1"], "every key of it was fixed"),
        (["--solver", "simplex"], "solver"),
        (["--dask", "somewhere"], "--dask: must be the address of a running Dask scheduler"),
    ],
)
def test_bad_input_is_one_line(swept: tuple[Path, Path], arguments: list[Any], reason: str) -> None:
    result = command(swept[0], "--out", swept[1], *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def stopped(folder: Path, signal_number: int, group: bool) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of a command stopped after its first points."""
    (folder / "problem.toml").write_text(PROBLEM.replace("points = 2", "points = 30"))
    process = subprocess.Popen(
        [sys.executable, "-m", "lindfeas", "sweep", "problem.toml", "--out", "out", *FAST],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.poll() is None and not list((folder / "out").glob("*.parquet")):
        time.sleep(0.05)
    (os.killpg if group else os.kill)(process.pid, signal_number)
    printed, said = process.communicate(timeout=60)  # until the last worker has closed it
    return process.returncode, printed, said


FAST = ("--no-sharp", "--no-prove")


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    code, printed, said = stopped(tmp_path, signal.SIGINT, group=True)  # as the terminal does it
    assert (code, printed) == (130, "")
    assert said.startswith("interrupted: ")
    assert said.endswith(" of 60 points are done; the same command goes on\n")
    done = int(said.split()[1])
    assert 1 <= done <= len(read_table(tmp_path / "out")) < 60


def test_kill_9_of_the_command(tmp_path: Path) -> None:
    code, _, _ = stopped(tmp_path, signal.SIGKILL, group=False)
    assert code == -signal.SIGKILL
    done = len(read_table(tmp_path / "out"))
    assert 1 <= done < 60
    again = command(tmp_path / "problem.toml", "--out", tmp_path / "out", *FAST)
    assert again.exit_code == 0, again.output
    assert f" s, {done} of them in earlier runs" in again.stdout
    assert len(read_table(tmp_path / "out")) == 60
