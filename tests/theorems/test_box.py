"""The search over a box: what it proves is true, and it stops, resumes and refuses as it should."""

from __future__ import annotations

import itertools
import json
import random
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lindfeas as lf
from lindfeas.checker import verify
from lindfeas.checker.format import check_certificate, checksum
from lindfeas.checker.schema import certificate_text
from lindfeas.cli import main
from lindfeas.errors import InputError, SolverError
from lindfeas.files.problem_file import ProblemFile, read_problem
from lindfeas.theorems.box import BoxAnswer, Interval, parse_interval, prove_box
from lindfeas.theorems.certificate import certificate
from tests.shipped import PROBLEMS

CHAIN = "xxz-1+2+1"
COUPLING, BETA = "system.coupling", "bath.left.beta"
WIDE = (f"{COUPLING}=0.0095:0.0105", f"{BETA}=0.95:1.05")
SPLIT = ("system.field=0.35:0.65",)
ROUNDING = 1e-9
"""Absolute: the dual vectors of a box are rounded to a thousandth of the tolerance."""


def intervals(*box: str) -> list[Interval]:
    return [parse_interval(text) for text in box]


def problem_file(*settings: str, name: str = CHAIN) -> ProblemFile:
    return read_problem(PROBLEMS / f"{name}.toml", settings)


def quick(problem: ProblemFile) -> lf.Answer:
    """The certified interval alone."""
    return lf.certify(problem.question, sharp=False, check=False)


@cache
def searched(*box: str) -> BoxAnswer:
    return prove_box(problem_file(), intervals(*box))


def test_a_point_is_proved_like_a_point() -> None:
    answer = searched(f"{COUPLING}=0.01:0.01", f"{BETA}=1:1")
    assert answer.verdict == "impossible"
    problem = problem_file()
    point = float(verify(certificate(problem, quick(problem))).lower or 0)
    assert answer.proof is not None
    assert float(answer.proof.lower or 0) == pytest.approx(point, abs=ROUNDING)
    assert float(answer.proof.lower or 0) <= point * (1 + 1e-9)


def test_ten_percent_in_coupling_and_temperature_are_impossible() -> None:
    answer = searched(*WIDE)
    assert (answer.verdict, answer.undecided, answer.share) == ("impossible", 0, 1.0)
    assert answer.proof is not None
    assert float(answer.proof.lower or 0) > 5e-4
    assert answer.to_dict()["cells"] == {"proved": answer.proved, "undecided": 0}


@pytest.mark.parametrize(
    "box", [WIDE, SPLIT, ("bath.right.mu=-0.3:-0.2", "system.anisotropy=1:1.1")]
)
def test_no_point_of_a_proved_box_lies_below_its_bound(box: tuple[str, ...]) -> None:
    answer = searched(*box)
    assert answer.proof is not None
    assert answer.proof.status == "accepted"
    bound = float(answer.proof.lower or 0)
    draw = random.Random(5)
    problem = problem_file()
    for _ in range(4):
        point = {
            side.key: side.low + (side.high - side.low) * Decimal(draw.randint(0, 1000)) / 1000
            for side in intervals(*box)
        }
        assert quick(problem.at(point)).lower >= bound


def test_cells_are_halved_where_needed_and_tile_the_box() -> None:
    answer = searched(*SPLIT)
    assert answer.proved > 1
    cells = [cell for cell in answer.certificate["cells"] if "split" not in cell]
    ends = sorted((Decimal(low), Decimal(high)) for ((low, high),) in (c["box"] for c in cells))
    assert ends[0][0] == Decimal("0.35")
    assert ends[-1][1] == Decimal("0.65")
    assert all(one[1] == two[0] for one, two in itertools.pairwise(ends))


class Killed(Exception):  # noqa: N818
    """Stands in for the end of a process."""


@pytest.mark.parametrize("after", [1, 4])
def test_a_killed_run_ends_with_the_same_certificate(after: int) -> None:
    kept: list[dict[str, Any]] = []

    def keep(found: dict[str, Any]) -> None:
        kept.append(json.loads(certificate_text(found)))
        if len(kept) == after:
            raise Killed

    with pytest.raises(Killed):
        prove_box(problem_file(), intervals(*SPLIT), progress=keep, every=0.0)
    check_certificate(kept[after - 1])
    assert any(cell.get("open") == "not tried" for cell in kept[after - 1]["cells"])
    resumed = prove_box(problem_file(), intervals(*SPLIT), start=kept[after - 1])
    assert resumed.certificate == searched(*SPLIT).certificate


def test_a_budget_leaves_cells_that_a_later_run_finishes() -> None:
    part = prove_box(problem_file(), intervals(*SPLIT), most_cells=3)
    assert part.verdict == "undecided"
    assert part.undecided > 0
    done = prove_box(problem_file(), intervals(*SPLIT), start=part.certificate)
    assert done.certificate == searched(*SPLIT).certificate


def test_a_certificate_does_not_outgrow_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lindfeas.theorems.box_search.MOST_ENTRIES", 2 * 16 * 2)
    answer = prove_box(problem_file(), intervals(*SPLIT))
    assert (answer.proved, answer.verdict) == (2, "undecided")


def test_a_tampered_checkpoint_is_not_believed() -> None:
    content = json.loads(certificate_text(searched(*WIDE).certificate))
    for name in ("left", "right"):
        content["cells"][0]["lower_bound"]["smallest_eigenvalues"][name] = "0.001"
    content["cells"][0]["lower_bound"]["value"] = "0.002"
    answer = prove_box(problem_file(), intervals(*WIDE), start=content)
    assert answer.verdict == "undecided"
    assert answer.proof is not None
    assert answer.proof.status == "rejected"


def test_a_checkpoint_without_all_its_cells_is_refused() -> None:
    content = json.loads(certificate_text(searched(*SPLIT).certificate))
    for cells in (content["cells"][:-1], [*content["cells"], content["cells"][-1]]):
        with pytest.raises(InputError, match="to go on from"):
            prove_box(problem_file(), intervals(*SPLIT), start={**content, "cells": cells})


def test_levels_that_meet_inside_the_box_stay_undecided() -> None:
    """At g = 0 all levels of a sector meet, and there is no question to answer."""
    answer = prove_box(problem_file(), intervals(f"{COUPLING}=-0.001:0.001"), most_cells=12)
    assert answer.verdict == "undecided"
    for cell in answer.certificate["cells"]:
        if "lower_bound" in cell:
            low, high = (Decimal(end) for end in cell["box"][0])
            assert low > 0 or high < 0
    if answer.proof is not None:
        assert answer.proof.status == "accepted in part"


def test_a_possible_region_stays_undecided() -> None:
    """The defect grows with the coupling, through 1.0826e-3 at g = 0.01."""
    problem = problem_file("question.tolerance=1.08e-3")
    answer = prove_box(problem, intervals(WIDE[0]), most_cells=12)
    assert answer.verdict == "undecided"
    assert answer.proof is not None
    assert answer.proof.status == "accepted in part"
    assert float(answer.proof.lower or 0) >= 1.08e-3
    for cell in answer.certificate["cells"]:
        if "lower_bound" in cell:
            low, _ = cell["box"][0]
            assert quick(problem.at({COUPLING: Decimal(low)})).lower >= 1.08e-3
    assert quick(problem.at({COUPLING: Decimal("0.0095")})).upper < 1.08e-3


def test_a_hopeless_box_is_given_up_at_once() -> None:
    answer = prove_box(problem_file("question.tolerance=0.1"), intervals(*WIDE))
    assert len(answer.certificate["cells"]) == 1
    assert answer.proof is None
    assert "certified" in answer.certificate["cells"][0]["open"]
    assert verify(answer.certificate).status == "rejected"


@pytest.mark.parametrize("rule", ["{rule='total',value=0.7}", "{rule='range',min=0.3,max=1.5}"])
def test_all_rate_rules_are_proved(rule: str) -> None:
    answer = prove_box(problem_file(f"ansatz.rates={rule}"), intervals("bath.left.beta=0.99:1.01"))
    assert answer.verdict == "impossible"


def test_systems_of_matrices_are_proved_over_their_baths() -> None:
    problem = problem_file(name="spin-star")
    bath = problem.question.system.baths[0]
    box = intervals(f"bath.{bath.name}.beta={bath.beta * 0.999}:{bath.beta}")
    answer = prove_box(problem, box)
    assert quick(problem).lower > 1e-6
    assert answer.verdict == "impossible"


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (f"{COUPLING}", "KEY=LOW:HIGH"),
        (f"{COUPLING}=0.1", "KEY=LOW:HIGH"),
        (f"{COUPLING}=a:b", "KEY=LOW:HIGH"),
        (f"{COUPLING}=nan:1", "KEY=LOW:HIGH"),
        (f"{COUPLING}=0:inf", "KEY=LOW:HIGH"),
        ("=0:1", "must be one of system.field"),
        ("system.sites=2:3", "must be one of system.field"),
        ("bath.left.sites=2:3", "must be one of system.field"),
        (f"{COUPLING}=0.2:0.1", "from low to high"),
    ],
)
def test_what_is_no_interval_is_refused(box: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_interval(box)


@pytest.mark.parametrize(
    ("box", "where"),
    [
        (["bath.middle.beta=1:2"], "bath.middle"),
        (["bath.left.beta=0:1"], "bath.left.beta"),
        (["bath.left.mu=-1:1"], "bath.left.mu"),
        ([f"{COUPLING}=1e400:1e401"], COUPLING),
        ([f"{COUPLING}=1:2", f"{COUPLING}=1:2"], "--box"),
        ([], "--box"),
    ],
)
def test_a_box_that_does_not_fit_the_problem_is_refused(box: list[str], where: str) -> None:
    with pytest.raises(InputError) as error:
        prove_box(problem_file(), intervals(*box))
    assert where in str(error.value)


def test_other_questions_are_refused() -> None:
    with pytest.raises(InputError, match="populations"):
        prove_box(problem_file("question.target='populations+coherences'"), intervals(*WIDE))
    with pytest.raises(InputError):
        prove_box(problem_file(name="spin-star"), intervals(f"{COUPLING}=0.1:0.2"))
    with pytest.raises(InputError, match=r"^system: must have at most 64 levels"):
        prove_box(problem_file("system.sites=7"), intervals(*WIDE))
    with pytest.raises(SolverError):
        prove_box(problem_file(), intervals(*WIDE), solver="none")
    with pytest.raises(InputError, match="another box"):
        start = searched(*SPLIT).certificate
        prove_box(problem_file(), intervals(*WIDE), start=start)


def test_a_run_of_an_earlier_version_is_not_gone_on_from() -> None:
    start = {**searched(*SPLIT).certificate, "schema_version": 1}
    with pytest.raises(InputError, match="holds one of version 1: remove that"):
        prove_box(problem_file(), intervals(*SPLIT), start=start)


# The command.


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, list(arguments))


def test_the_command_writes_a_certificate_that_the_other_command_accepts(tmp_path: Path) -> None:
    path = str(PROBLEMS / f"{CHAIN}.toml")
    box = [part for text in WIDE for part in ("--box", text)]
    result = run("certify", path, *box, "--out", str(tmp_path / "new"), "--json")
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content["verdict"] == "impossible"
    assert content["cells"] == {"proved": 1, "undecided": 0}
    assert content["volume_proved"] == 1.0
    checked = run("verify", content["certificate"])
    assert checked.exit_code == 0
    assert checked.output.startswith("accepted")
    again = run("certify", path, *box, "--out", str(tmp_path / "new"))
    assert again.exit_code == 0
    assert "1 proved, 0 undecided" in again.stdout
    other = run("certify", path, "--box", SPLIT[0], "--out", str(tmp_path / "new"))
    assert other.exit_code == 2
    assert "another box" in other.stderr


def test_the_command_says_what_is_left_open(tmp_path: Path) -> None:
    path = str(PROBLEMS / f"{CHAIN}.toml")
    arguments = ("certify", path, "--box", SPLIT[0], "--out", str(tmp_path))
    part = run(*arguments, "--max-cells", "5")
    assert part.exit_code == 3
    assert "undecided" in part.stdout
    checked = run("verify", str(tmp_path / f"{CHAIN}-box.certificate.json"))
    assert checked.exit_code == 3
    assert checked.stdout.startswith("accepted in part")
    done = run(*arguments)
    assert done.exit_code == 0
    assert "verdict  impossible" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-cells", "3"),
        ("--box", WIDE[0], "--no-prove"),
        ("--box", WIDE[0], "--sharp"),
        ("--box", WIDE[0], "--max-cells", "0"),
        ("--box", "nonsense"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: tuple[str, ...]) -> None:
    result = run("certify", str(PROBLEMS / f"{CHAIN}.toml"), *arguments)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_damaged_checkpoint_is_named_and_left_alone(tmp_path: Path) -> None:
    checkpoint = tmp_path / f"{CHAIN}-box.certificate.json"
    for content in ("", "{}", '{"kind": "box"}'):
        checkpoint.write_text(content)
        path = str(PROBLEMS / f"{CHAIN}.toml")
        result = run("certify", path, "--box", SPLIT[0], "--out", str(tmp_path))
        assert result.exit_code == 2
        assert result.stderr.startswith("error: --out: must hold a certificate to go on from, or")
        assert result.stderr.count(str(checkpoint)) == 1
        assert result.stderr.count("\n") == 1
        assert checkpoint.read_text() == content


def test_a_false_checkpoint_is_named_and_gives_no_answer(tmp_path: Path) -> None:
    content = dict(searched(*WIDE).certificate)
    content["cells"] = json.loads(json.dumps(content["cells"]).replace('"value": "', '"value": "9'))
    content["lower_bound"] = f"9{content['lower_bound']}"
    checkpoint = tmp_path / f"{CHAIN}-box.certificate.json"
    checkpoint.write_text(json.dumps({**content, "sha256": checksum(content)}))
    box = [part for text in WIDE for part in ("--box", text)]
    result = run("certify", str(PROBLEMS / f"{CHAIN}.toml"), *box, "--out", str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f": false in {checkpoint}: remove that" in result.stderr


def test_the_command_says_why_cells_are_undecided() -> None:
    result = run("certify", str(PROBLEMS / f"{CHAIN}.toml"), "--box", "system.field=0:0")
    assert result.exit_code == 3
    assert (
        "undecided cells, most often: no answer at a corner: bath.left.couplings: must"
        in result.stdout
    )
