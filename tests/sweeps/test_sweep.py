"""Sweeps: every point answered, nothing computed twice."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lindfeas.answers.certify import certify
from lindfeas.checker import verify
from lindfeas.checker.format import read_certificate
from lindfeas.files.problem_file import ProblemFile
from lindfeas.files.table import read_table
from lindfeas.sweeps.points import Options
from lindfeas.sweeps.sweep import Progress, run, sweep_plan
from lindfeas.sweeps.workers import InProcess
from tests.sweeping import AXIS, PROBLEM, Counting, cheap_plan, in_process, problem_of

QUICK = Options(prove=False, sharp=False)


@pytest.fixture
def problem(tmp_path: Path) -> ProblemFile:
    return problem_of(tmp_path)


def test_every_point_is_the_answer_of_certify(problem: ProblemFile, tmp_path: Path) -> None:
    summary = in_process(sweep_plan(problem, QUICK), tmp_path / "out")
    table = read_table(summary.table)
    assert summary.points == len(table) == 4
    assert [axis.key for axis in table.axes] == ["bath.right.beta", "system.coupling"]
    assert table.column("bath.right.beta") == [5.0, 5.0, float("inf"), float("inf")]
    assert table.column("system.coupling") == [0.1, 0.2, 0.1, 0.2]
    for row in table.rows():
        beta = Decimal(str(row["bath.right.beta"]))
        coupling = Decimal(str(row["system.coupling"]))
        point = problem.at({"bath.right.beta": beta, "system.coupling": coupling})
        answer = certify(point.question, sharp=False)
        assert (row["verdict"], row["lower"], row["upper"]) == (
            answer.verdict,
            answer.lower,
            answer.upper,
        )
        assert row["trace_distance_lower"] == answer.trace_distance.lower
        assert row["trace_distance_lemma1"] == answer.trace_distance.lemma1
        assert (row["proved"], row["error"], row["certificate"]) == (False, None, None)
    assert table.problem == problem.json_document()


def test_proofs_and_their_certificates(problem: ProblemFile, tmp_path: Path) -> None:
    options = Options(certificates=True, sharp=False)
    plan = sweep_plan(problem, options, fixed=["bath.right.beta"])
    in_process(plan, tmp_path / "out")
    table = read_table(tmp_path / "out")
    assert table.column("proved") == [True, True]
    for name in table.column("certificate"):
        assert verify(read_certificate(tmp_path / "out" / name)).status == "accepted"
    assert len(pq.read_table(tmp_path / "out")) == 2


def test_certificates_asked_for_later_are_made(problem: ProblemFile, tmp_path: Path) -> None:
    plans = [
        Counting(
            sweep_plan(
                problem,
                Options(certificates=certificates, sharp=False),
                fixed=["bath.right.beta"],
            )
        )
        for certificates in (False, True, True)
    ]
    for counting in plans:
        in_process(counting.plan, tmp_path / "out")
    assert [len(counting.tasks) for counting in plans] == [2, 2, 0]
    assert all(read_table(tmp_path / "out").column("certificate"))


def test_running_again_computes_nothing(problem: ProblemFile, tmp_path: Path) -> None:
    out = tmp_path / "out"
    in_process(sweep_plan(problem, QUICK), out)
    before = read_table(out).rows()
    counting = Counting(sweep_plan(problem, QUICK))
    summary = in_process(counting.plan, out)
    assert (counting.tasks, summary.reused, summary.points) == ([], 4, 4)
    assert read_table(out).rows() == before


def test_interrupted_sweep_goes_on(tmp_path: Path) -> None:
    seen: list[str] = []

    def interrupt(progress: Progress) -> None:
        if progress.row is not None:
            seen.append(progress.row["point"])
        if progress.done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(cheap_plan(), tmp_path, InProcess(), interrupt)
    assert read_table(tmp_path).column("point") == seen
    counting = Counting(cheap_plan())
    reports: list[Progress] = []
    summary = in_process(counting.plan, tmp_path, reports.append)
    assert {task.key for task in counting.tasks}.isdisjoint(seen)
    assert (summary.reused, len(counting.tasks)) == (7, len(AXIS) - 7)
    assert [report.done for report in reports] == list(range(7, len(AXIS) + 1))
    assert read_table(tmp_path).column("upper") == [float(n**2) for n in AXIS]


def test_a_failed_point_is_a_row_and_is_tried_again(problem: ProblemFile, tmp_path: Path) -> None:
    text = PROBLEM.replace('"system.coupling" =', '"bath.right.sites" = [[2], [0], [7]]\n#')
    problem = problem_of(tmp_path, text.replace(", inf]", "]"))
    counting = Counting(sweep_plan(problem, QUICK))
    summary = in_process(counting.plan, tmp_path / "out")
    assert (summary.failed, sum(summary.verdicts.values()), len(counting.tasks)) == (2, 1, 3)
    good, overlapping, missing = read_table(tmp_path / "out").rows()
    assert good["error"] is None
    assert "bath.right.sites" in overlapping["error"]
    assert "bath.right.sites" in missing["error"]
    assert (missing["verdict"], missing["lower"], missing["proved"]) == (None, None, None)
    assert missing["target"] == "populations"
    assert missing["seconds"] >= 0
    again = Counting(sweep_plan(problem, QUICK))
    assert in_process(again.plan, tmp_path / "out").reused == 1
    assert [task.values["bath.right.sites"] for task in again.tasks] == ["[0]", "[7]"]


def test_more_values_keep_the_points_that_are_there(tmp_path: Path) -> None:
    in_process(sweep_plan(problem_of(tmp_path, PROBLEM), QUICK), tmp_path / "out")
    more = problem_of(tmp_path, PROBLEM.replace("[5.0, inf]", "[1, 5.0, inf]"))
    counting = Counting(sweep_plan(more, QUICK))
    in_process(counting.plan, tmp_path / "out")
    assert [task.values["bath.right.beta"] for task in counting.tasks] == [1.0, 1.0]
    table = read_table(tmp_path / "out")
    assert table.axes[0].values == (1.0, 5.0, float("inf"))
    assert table.column("bath.right.beta") == [1.0, 1.0, 5.0, 5.0, float("inf"), float("inf")]
