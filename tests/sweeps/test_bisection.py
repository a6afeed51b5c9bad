"""Bisection of known verdicts: every change is found, bracketed and cheap."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lindfeas.sweeps.bisection import Evaluation, Spacing, changes, search, spacing, verdicts

WIDTH = Decimal("1e-3")
GRID = tuple(map(Decimal, ("0.01", "0.1", "1", "10")))
SHRINKS = 2 - 1 / 16
"""By at least this factor a bisection shortens a bracket."""

Verdict = Callable[[Decimal], str | None]


def threshold(*places: float, first: str = "possible") -> Verdict:
    """A verdict that changes at each of the places."""
    names = ["possible", "impossible"]

    def verdict(value: Decimal) -> str:
        passed = sum(value > place for place in places)
        return names[(names.index(first) + passed) % 2]

    return verdict


def found(
    verdict: Verdict, values: tuple[Decimal, ...] = GRID, scale: str = "list"
) -> tuple[Evaluation, ...]:
    return search(
        lambda value: Evaluation(value=value, verdict=verdict(value)),
        values,
        spacing(values, scale, WIDTH),
    )


def bisections(ratio: float) -> int:
    """At most so many from a bracket with this ratio of its ends to one of relative `WIDTH`."""
    return math.ceil(math.log(math.log(ratio) / math.log1p(float(WIDTH)), SHRINKS))


@given(st.floats(min_value=0.0101, max_value=9.99), st.sampled_from(["possible", "impossible"]))
def test_one_change_is_bracketed(place: float, first: str) -> None:
    evaluations = found(threshold(place, first=first))
    (change,) = changes(evaluations)
    assert change.below.value <= place < change.above.value
    assert change.above.value - change.below.value <= WIDTH * change.below.value
    assert change.direction == f"{first} below"
    assert change.last_possible.verdict == "possible"
    assert change.first_impossible.verdict == "impossible"
    assert len(evaluations) <= len(GRID) + bisections(10)
    assert verdicts(evaluations) == (change.below.verdict, change.above.verdict)


def test_values_are_decimals_that_one_can_type_in() -> None:
    """Five digits tell neighbours apart at a relative distance of 1e-3; the double is exact."""
    evaluations = found(threshold(0.034567))
    for evaluation in evaluations:
        assert len(evaluation.value.as_tuple().digits) <= 6
        assert Decimal(repr(float(evaluation.value))) == evaluation.value


def test_no_value_is_evaluated_twice() -> None:
    asked: list[Decimal] = []
    verdict = threshold(0.5, 0.52, 7)

    def evaluate(value: Decimal) -> Evaluation:
        asked.append(value)
        return Evaluation(value=value, verdict=verdict(value))

    values = (*GRID, Decimal("1.0"), Decimal("0.51"))
    search(evaluate, values, spacing(values, "list", WIDTH))
    assert len(asked) == len(set(asked))


def test_several_changes_are_found_each() -> None:
    evaluations = found(threshold(0.03, 0.3, 3))
    first, second, third = changes(evaluations)
    assert [c.direction for c in (first, second, third)] == [
        "possible below",
        "impossible below",
        "possible below",
    ]
    assert [float(c.below.value) for c in (first, second, third)] == pytest.approx(
        [0.03, 0.3, 3], rel=float(WIDTH)
    )
    assert verdicts(evaluations) == ("possible", "impossible", "possible", "impossible")


def test_two_changes_in_one_cell_are_not_seen() -> None:
    """The limit of any method that looks at points only; a finer grid sees both."""
    verdict = threshold(0.03, 0.05)
    assert changes(found(verdict)) == ()
    assert len(changes(found(verdict, (*GRID, Decimal("0.04"))))) == 2


@pytest.mark.parametrize("verdict", ["possible", "impossible", "undecided", None])
def test_no_change_costs_the_grid_only(verdict: str | None) -> None:
    evaluations = found(lambda _: verdict)
    assert [evaluation.value for evaluation in evaluations] == list(GRID)
    assert changes(evaluations) == ()
    assert verdicts(evaluations) == (verdict or "failed",)


@pytest.mark.parametrize("gap", ["undecided", None])
def test_both_sides_of_an_undecided_zone_are_refined(gap: str | None) -> None:
    """Also of values that failed: what has no verdict bounds nothing."""
    low, high = 0.2, 0.5

    def verdict(value: Decimal) -> str | None:
        return "possible" if value < low else "impossible" if value > high else gap

    evaluations = found(verdict)
    (change,) = changes(evaluations)
    assert change.between
    assert low * (1 - float(WIDTH)) <= change.last_possible.value <= low
    assert high <= change.first_impossible.value <= high * (1 + float(WIDTH))
    assert low <= change.between[0].value <= change.between[-1].value <= high
    assert len(evaluations) <= len(GRID) + 2 * bisections(10)
    assert verdicts(evaluations) == ("possible", gap or "failed", "impossible")


def test_a_single_failed_value_does_not_hide_the_change_beside_it() -> None:
    """The first midpoint fails, the verdict changes elsewhere in the cell."""
    failing = spacing(GRID, "list", WIDTH).middle(Decimal("0.1"), Decimal(1))
    for place in (0.15, 0.8):
        evaluations = found(lambda v, p=place: None if v == failing else threshold(p)(v))
        (change,) = changes(evaluations)
        assert change.between == ()
        assert change.below.value <= place < change.above.value
        assert change.above.value - change.below.value <= WIDTH * change.below.value


def test_undecided_values_between_equal_verdicts_are_no_change() -> None:
    evaluations = found(lambda value: "undecided" if value == 1 else "possible")
    assert changes(evaluations) == ()
    assert verdicts(evaluations) == ("possible", "undecided", "possible")


def test_a_linear_axis_may_cross_zero() -> None:
    values = tuple(map(Decimal, ("-2", "0", "2")))
    for place in (0.0, -1e-9, 0.7):
        evaluations = found(threshold(place), values, "linear")
        (change,) = changes(evaluations)
        assert change.below.value <= place < change.above.value
        assert change.above.value - change.below.value <= 2 * WIDTH
        assert len(evaluations) <= 3 + math.ceil(math.log(1e3, SHRINKS))


@pytest.mark.parametrize(
    ("values", "scale", "log"),
    [
        (("1", "100"), "log", True),
        (("1", "100"), "linear", False),
        (("1", "100"), "list", True),
        (("0", "100"), "list", False),
    ],
)
def test_listed_values_count_in_ratios_where_they_can(
    values: tuple[str, str], scale: str, log: bool
) -> None:
    assert spacing(tuple(map(Decimal, values)), scale, WIDTH).log is log


@given(
    st.decimals(min_value="1e-9", max_value="1e9", places=12),
    st.decimals(min_value="1e-9", max_value="1e6", places=9),
    st.booleans(),
)
def test_a_midpoint_lies_near_the_middle(below: Decimal, ratio: Decimal, log: bool) -> None:
    above = below * (1 + ratio)
    middle = Spacing(log=log, width=WIDTH, largest=above).middle(below, above)
    assert below < middle < above
    if log:
        part = math.log1p(float((middle - below) / below)) / math.log1p(float(ratio))
    else:
        part = float((middle - below) / (above - below))
    assert 1 / SHRINKS + 1e-6 > part > 1 - 1 / SHRINKS - 1e-6
