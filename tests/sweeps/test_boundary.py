"""Boundaries of real problems, against what is known about them from elsewhere."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scipy.optimize import brentq

from lindfeas.answers.certify import certify
from lindfeas.errors import InputError
from lindfeas.files.columns import boundary_columns
from lindfeas.files.problem_file import ProblemFile, problem_from_document, read_problem
from lindfeas.sweeps.boundary import Boundary, find_boundary, rows
from tests.systems import reference_rows

PROBLEMS = Path(__file__).parents[2] / "problems"
COUPLING = "system.coupling"
LEFT = "bath.left.beta"
RATE = "ansatz.rates.value"
WIDTH = 1e-3


def chain(file: str = "xxz-1+2+1", *settings: str, sweep: Any = None) -> ProblemFile:
    """A shipped chain, with a ``[sweep]`` if one is given."""
    problem = read_problem(PROBLEMS / f"{file}.toml", ["question.criterion=defect", *settings])
    if sweep is None:
        return problem
    return problem_from_document({**problem.document, "sweep": sweep}, PROBLEMS)


def reference_tau(**place: float) -> tuple[float, float]:
    """The interval that this project's reference gives for tau_pop at one point."""
    (row,) = (
        row for row in reference_rows() if all(row[key] == value for key, value in place.items())
    )
    return row["tau_pop_lower"], row["tau_pop_upper"]


def _lower(problem: ProblemFile) -> float:
    return certify(problem.question, sharp=False, check=False).lower


@cache
def two_qubit_ends() -> tuple[ProblemFile, Boundary]:
    """2+2+2 qubits, beta 1 and 10, tolerance 1e-6, over three decades of the coupling."""
    problem = chain("xxz-2+2+2")
    return problem, find_boundary(problem, COUPLING, [0.001, 0.01, 0.1, 1.0], prove=True)


def test_bracket_lies_where_the_reference_crosses_the_tolerance() -> None:
    """The reference is below 1e-6 up to g = 0.01232847 and above from 0.0231013 on."""
    curve = [row for row in reference_rows() if row["panel"] == "3(c)" and row["beta_right"] == 10]
    below = max(row["coupling"] for row in curve if row["tau_pop_upper"] < 1e-6)
    above = min(row["coupling"] for row in curve if row["tau_pop_lower"] >= 1e-6)
    _, boundary = two_qubit_ends()
    (change,) = boundary.changes
    possible, impossible = change.last_possible, change.first_impossible
    assert below < possible.value < impossible.value < above
    assert impossible.value - possible.value <= Decimal(repr(WIDTH)) * possible.value
    assert change.direction == "possible below"
    assert boundary.verdicts == ("possible", "impossible")


def test_both_ends_are_certified_and_the_no_go_is_proved() -> None:
    """What the table says about the ends, `certify` says too, at the very decimals."""
    problem, boundary = two_qubit_ends()
    (row,) = rows(boundary, problem)
    assert row["possible_upper"] < 1e-6 <= row["impossible_lower"]
    assert row["proved"] is True
    for column, verdict in (("last_possible", "possible"), ("first_impossible", "impossible")):
        point = chain("xxz-2+2+2", f"{COUPLING}={row[column]!r}")
        assert certify(point.question, sharp=False, check=False).verdict == verdict


def test_change_is_where_a_root_finder_sees_it() -> None:
    """tau_pop of the 1+2+1 chain rises with g up to 0.01; brentq on its certified lower end."""
    problem = chain("xxz-1+2+1", "question.tolerance=5e-4")

    def excess(coupling: float) -> float:
        return _lower(problem.at({COUPLING: Decimal(repr(coupling))})) - 5e-4

    root = brentq(excess, 0.001, 0.01, xtol=1e-10)
    (change,) = find_boundary(problem, COUPLING, [0.001, 0.01]).changes
    assert change.last_possible.value < root < change.first_impossible.value


def test_change_scales_with_the_rate_as_tau_does() -> None:
    """tau_pop is proportional to the common rate t: tau = t tau(1), so t = tolerance / tau(1)."""
    place = {"coupling": 0.01232847, "beta_left": 1.0, "beta_right": 10.0, "n_middle": 2}
    lower, upper = reference_tau(**place, panel="2(c)")
    problem = chain("xxz-1+2+1", f"{COUPLING}=0.01232847")
    (change,) = find_boundary(problem, RATE, [1e-4, 1e-2], scale="log", width=1e-6).changes
    assert change.last_possible.value < 1e-6 / lower * (1 + 1e-9)
    assert change.first_impossible.value > 1e-6 / upper * (1 - 1e-9)
    assert change.first_impossible.value / change.last_possible.value <= 1 + 1e-6


def test_tolerance_itself_brackets_the_optimum() -> None:
    """Impossible for every tolerance up to tau; the row has no single tolerance to name."""
    place = {"coupling": 0.01232847, "beta_left": 1.0, "beta_right": 10.0, "n_middle": 2}
    lower, upper = reference_tau(**place, panel="2(c)")
    problem = chain("xxz-1+2+1", f"{COUPLING}=0.01232847")
    boundary = find_boundary(problem, "question.tolerance", [1e-4, 1e-2])
    (row,) = rows(boundary, problem)
    assert row["direction"] == "impossible below"
    assert row["first_impossible"] <= upper * (1 + 1e-9)
    assert row["last_possible"] >= lower * (1 - 1e-9)
    assert row["last_possible"] / row["first_impossible"] <= 1 + WIDTH
    assert row["tolerance"] is None


def test_curve_that_crosses_the_tolerance_three_times() -> None:
    """Fig. 3(a) at beta_R = 1 dips where both baths are nearly equally hot: three changes."""
    settings = ("bath.right.beta=1", f"{COUPLING}=0.01", "question.tolerance=1e-8")
    problem = chain("xxz-2+2+2", *settings)
    curve = [
        row
        for row in reference_rows()
        if row["panel"] == "3(a)" and row["beta_right"] == 1 and row["beta_left"] <= 2
    ]
    verdicts = [row["tau_pop_lower"] >= 1e-8 for row in curve]
    expected = [
        (curve[n]["beta_left"], curve[n + 1]["beta_left"], verdicts[n])
        for n in range(len(curve) - 1)
        if verdicts[n] != verdicts[n + 1]
    ]
    values = [row["beta_left"] for row in curve]
    boundary = find_boundary(problem, LEFT, values, width=1e-2)
    assert len(expected) == len(boundary.changes) == 3
    for change, (low, high, is_impossible) in zip(boundary.changes, expected, strict=True):
        assert low <= change.below.value < change.above.value <= high
        assert change.direction == ("impossible below" if is_impossible else "possible below")
    found = rows(boundary, problem)
    assert [row["change"] for row in found] == [0, 1, 2]
    assert {row["verdicts"] for row in found} == {
        "possible -> impossible -> possible -> impossible"
    }


def test_bracket_closes_on_a_jump_of_the_optimum() -> None:
    """tau_pop is no continuous function of g: a rate J n jumps to 1/beta where a level crosses.

    With sigma_- couplings a transition between neighbouring sectors has either the rates J n and
    J (n + 1), which tend to gamma / beta as its energy falls to 0, or none once it is negative. The
    lower polarised level meets the one-magnon level of momentum k = 5 pi / 6, whose energy is
    2 field - 4 g (1 - cos k) above it, at g = 1 / (4 + 2 sqrt(3)) = 1 - sqrt(3) / 2.
    """
    settings = ("bath.right.beta=1", f"{LEFT}=0.6812920690579613")
    boundary = find_boundary(chain("xxz-2+2+2", *settings), COUPLING, [0.13, 0.14], width=1e-5)
    (change,) = boundary.changes
    possible, impossible = change.last_possible, change.first_impossible
    assert possible.value < 1 - math.sqrt(3) / 2 < impossible.value
    assert impossible.value - possible.value <= Decimal("1e-5") * possible.value
    assert possible.upper is not None
    assert impossible.lower is not None
    assert impossible.lower > 1.3 * possible.upper


def test_a_coarse_grid_sees_one_change_where_a_finer_one_sees_three() -> None:
    """Between two jumps tau_pop falls again: impossible only from 0.1965 to 0.1968 and from 0.1978.

    So it is at a point of the shipped table, which shows the last change only.
    """
    settings = ("bath.right.beta=0.5", f"{LEFT}=0.146779926762")
    problem = chain("xxz-2+2+2", *settings)
    (coarse,) = find_boundary(problem, COUPLING, [0.19, 0.2], width=1e-3).changes
    fine = find_boundary(problem, COUPLING, [0.19, 0.1966, 0.197, 0.2], width=1e-3).changes
    directions = [change.direction for change in fine]
    assert directions == ["possible below", "impossible below", "possible below"]
    assert fine[2].below.value < coarse.above.value
    assert coarse.below.value < fine[2].above.value


def test_no_change_is_a_row_without_ends() -> None:
    problem = chain()
    (row,) = rows(find_boundary(problem, LEFT, [0.5, 2.0, 1.0]), problem)
    assert (row["verdicts"], row["evaluations"]) == ("impossible", 3)
    assert (row["solver"], row["error"]) == ("CLARABEL", None)
    assert not {"change", "direction", "last_possible", "first_impossible", "proved"} & set(row)


def test_failed_values_are_told_and_the_others_go_on() -> None:
    """Without coupling the levels are degenerate."""
    problem = chain()
    boundary = find_boundary(problem, COUPLING, [0.0, 1e-7, 0.1], scale="linear", width=0.1)
    (row,) = rows(boundary, problem)
    assert row["verdicts"] == "failed -> possible -> impossible"
    assert row["last_possible"] == 1e-7
    assert row["failure"].startswith("0.0: system.H: must have levels that can be told apart")
    assert row["error"] is None
    (row,) = rows(find_boundary(problem, COUPLING, [0.0, 1e-14]), problem)
    assert row["verdicts"] == "failed"
    assert row["error"].startswith("all 2 values of system.coupling failed, first 0.0: system.H")


def test_rows_hold_columns_of_the_table_only() -> None:
    names = {column.name for column in boundary_columns(COUPLING)}
    problem, boundary = two_qubit_ends()
    (row,) = rows(boundary, problem)
    assert set(row) == names - {"point"}


def test_values_and_scale_come_from_the_sweep() -> None:
    axis = {"start": Decimal("0.002"), "stop": Decimal("0.008"), "points": 3, "scale": "log"}
    problem = chain(sweep={LEFT: [Decimal(1)], COUPLING: axis})
    boundary = find_boundary(problem, COUPLING)
    assert [str(item.value) for item in boundary.evaluations] == ["0.002", "0.004", "0.008"]


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        (COUPLING, None, "--boundary: must be a swept key, but is 'system.coupling'"),
        ("system.sites", [3, 5], "--boundary: must be a key that takes any number between the val"),
        (LEFT, [1.0, float("inf")], "sweep.bath.left.beta: must hold finite numbers to search bet"),
        ("question.target", ["populations", "x"], "sweep.question.target: must hold finite number"),
        ("bath.lef.beta", [1.0, 2.0], "bath.lef.beta: no bath is called 'lef'; did you mean 'left"),
        (COUPLING, [1.0, 1.0], "sweep.system.coupling: must hold at least two numbers to search b"),
    ],
)
def test_what_cannot_be_searched_is_refused(key: str, values: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        find_boundary(chain(), key, values)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("width", [0.0, 1.0, -1.0, float("nan"), float("inf"), 1e-15])
def test_impossible_widths_are_refused(width: float) -> None:
    with pytest.raises(InputError, match=r"^--boundary-width: must be at least"):
        find_boundary(chain(), COUPLING, [0.001, 0.01], width=width)


def test_logarithmic_scales_are_positive_and_scales_are_known() -> None:
    with pytest.raises(InputError, match="must be > 0 for scale 'log'"):
        find_boundary(chain(), COUPLING, [0.0, 0.01], scale="log")
    with pytest.raises(InputError, match="must be one of list, linear, log"):
        find_boundary(chain(), COUPLING, [0.001, 0.01], scale="logarithmic")
