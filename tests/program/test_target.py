"""Targets of one's own say no more than they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lindfeas import Bath, InputError, Question, Rates, Target, certify, models, redfield_equation
from lindfeas.program.target import Requirement, coherences, populations
from tests.systems import two_ended_chain

CHAIN = two_ended_chain(1, 1, 1, coupling=0.1)
REFERENCE = redfield_equation(CHAIN)


def changed(**changes: Any) -> Target:
    """Populations with a changed requirement."""
    target = populations(REFERENCE)
    return replace(target, requirements=(replace(target.requirements[0], **changes),))


@pytest.mark.parametrize(
    "make",
    [
        lambda: changed(weight=1e4),
        lambda: changed(action=np.diag([0.5, -0.5] + [0.0] * 6)),
        lambda: replace(
            populations(REFERENCE), requirements=populations(REFERENCE).requirements * 2
        ),
        lambda: replace(populations(REFERENCE), projection="all"),
        lambda: replace(populations(REFERENCE), norm="spectral"),
    ],
    ids=["weight", "action", "two states", "projection", "norm"],
)
def test_populations_cannot_be_made_into_something_else(make: Any) -> None:
    """Distances between steady populations would be claimed that do not follow."""
    with pytest.raises(
        InputError, match=r"^target\.is_populations: must be one state, of weight 1"
    ):
        make()


def test_populations_are_those_of_the_question() -> None:
    other = two_ended_chain(1, 1, 1, coupling=0.2)
    with pytest.raises(InputError, match="populations of the question's own system"):
        certify(Question(system=other, target=populations(REFERENCE)))
    pure = changed(state=np.diag([1.0] + [0.0] * 7))
    with pytest.raises(InputError, match="populations of the question's own system"):
        certify(Question(system=CHAIN, target=pure))
    by_name = certify(Question(system=CHAIN))
    by_target = certify(Question(system=CHAIN, target=populations(REFERENCE)))
    assert (by_name.lower, by_name.upper) == (by_target.lower, by_target.upper)
    assert by_name.trace_distance == by_target.trace_distance


def test_what_follows_redfield_has_its_errors() -> None:
    own = coherences(REFERENCE).requirements[0]
    bare = Requirement(state=own.state, action=own.action)
    with pytest.raises(InputError, match=r"^target\.requirements: must come with the errors"):
        Target(name="mine", requirements=(bare,), follows_redfield=True)
    exact = Target(name="mine", requirements=(bare,))
    kept = Target(name="mine", requirements=(own,), follows_redfield=True)
    rates = Rates.each(1.0)
    inner, outer = (
        certify(Question(system=CHAIN, target=target, rates=rates), check=False)
        for target in (exact, kept)
    )
    assert outer.lower <= inner.upper
    assert inner.lower <= outer.upper
    assert own.action_error > 0 < own.state_error


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"action_error": -1.0}, r"^target\.action_error: must be >= 0, but is -1$"),
        ({"state_error": float("nan")}, r"^target\.state_error: must be finite, but is nan$"),
        ({"action_error": "x"}, r"^target\.action_error: must be a number, but is 'x'$"),
        (
            {"level_errors": np.array([1.0])},
            r"^target\.level_errors: must be an array of 8 numbers",
        ),
        ({"level_errors": [0.0] * 8}, r"^target\.level_errors: must be an array of 8 numbers"),
        ({"level_errors": np.full(8, -1.0)}, r"^target\.level_errors: must be numbers >= 0"),
        ({"level_errors": np.full(8, np.nan)}, r"^target\.level_errors: must be numbers >= 0"),
    ],
)
def test_errors_are_numbers(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        replace(coherences(REFERENCE).requirements[0], **changes)


def test_a_model_of_another_size_is_refused() -> None:
    small = models.xxz_chain(sites=2, coupling=0.1, baths=[Bath(name="a", sites=(0,), beta=1.0)])
    with pytest.raises(InputError, match="must be of a system with 4 levels"):
        Question(system=small, target=populations(REFERENCE))
