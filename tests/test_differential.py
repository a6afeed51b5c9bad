"""lindfeas against the dense reference on random systems; the long run is in ``benchmarks``."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import lindfeas as lf
from benchmarks.differential import WIDE, cause, report
from lindfeas.program.setting import Setting
from tests.decimal_matrices import digits
from tests.dense_reference import Reference, reference
from tests.differential import Ask, at_most, check_case, lindfeas_system
from tests.differential_answers import compared
from tests.random_systems import random_case
from tests.system_data import Asked

SEEDS = (0, 1, 5, 8, 9, 11, 12, 14, 16, 20, 21, 28, 31, 32, 35)


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_agree_with_the_reference(seed: int) -> None:
    found = check_case(seed, thorough=False)
    assert found["findings"] == []
    assert found["questions"] or found["refusals"]
    for entry in found["questions"]:
        assert entry["width"] <= WIDE, (entry, cause(entry))


def test_the_report_names_seeds_and_causes() -> None:
    entry = {
        "question": "populations each",
        "verdict": "undecided",
        "lower": 0.0,
        "upper": 1.0,
        "width": 1.0,
        "width_at_highest": 1e-5,
        "defect": 0.4,
        "reference": [0.3, 0.3],
    }
    case = {
        "seed": 7,
        "kind": "chain",
        "about": {},
        "undefined": None,
        "questions": [entry, {**entry, "width": 1e-7}],
        "findings": [{"check": "defect", "question": "populations each", "detail": "0.4"}],
        "refusals": [{"question": "trace each", "error": "PhysicsError: bath.a: no"}],
        "warnings": [],
        "seconds": {"all": 1.0},
    }
    found = report([case, {"seed": 8, "error": "more than 1 s"}])
    assert found["share_not_wide"] == 0.5
    assert found["share_not_wide_at_highest_rates"] == 1.0
    assert found["wide"][0]["seed"] == 7
    assert "rounding at the upper end (60%)" in found["wide"][0]["cause"]
    assert found["contradictions"][0]["seed"] == 7
    assert found["contradictions_by_check"] == {"defect": 1}
    assert found["refusals"] == {"PhysicsError: no": 1}
    assert found["unfinished"] == [{"seed": 8, "error": "more than 1 s"}]


POPULATIONS = Ask(label="populations each", target="populations", rates=("each", 1.0))
FROBENIUS = Ask(
    label="frobenius range",
    target="populations+coherences",
    rates=("range", 0.0, 1e4),
    norm="frobenius",
)
IMPOSSIBLE = 5
"""A seed whose steady state is impossible, with a bound on T and coherences."""


@cache
def answered(ask: Ask) -> tuple[Reference, Asked, Any]:
    data = random_case(IMPOSSIBLE).data
    with digits():
        truth = reference(data)
        assert truth.action is not None
    question = ask.question(lindfeas_system(data), 1.0, len(data.baths))
    answer = lf.certify(question, sharp=ask is POPULATIONS)
    return truth, ask.asked(question, answer), answer


def checks(ask: Ask, **changes: Any) -> set[str]:
    """The checks that find fault with a changed answer."""
    truth, asked, answer = answered(ask)
    with digits():
        found = compared(truth, asked, replace(answer, **changes), seed=1, first=True)
    return {check for check, _ in found.contradictions}


def stating(answer: Any, defect: float) -> Any:
    """The answer's Lindbladian with another defect."""
    return replace(answer.optimal, defect=defect)


@pytest.mark.parametrize("ask", [POPULATIONS, FROBENIUS], ids=lambda ask: ask.label)
def test_every_doctored_end_is_found_out(ask: Ask) -> None:
    _, _, answer = answered(ask)
    assert answer.lower > 1e-6
    assert checks(ask) == set()
    assert {"lower end", "defect"} <= checks(ask, lower=answer.upper * 1.001, upper=1.0)
    assert checks(ask, upper=answer.lower * 0.999, lower=0.0) == {"upper end"}
    assert "defect" in checks(
        ask, optimal=stating(answer, answer.lower * 0.999), upper=answer.lower
    )
    assert checks(ask, optimal=stating(answer, answer.upper * 0.999)) == {"interval", "defect"}
    assert checks(ask, upper=10.0, optimal=stating(answer, 10.0)) == {"trivial"}
    assert checks(ask, lower=2.0, upper=1.0) >= {"interval"}


def test_a_lower_end_that_its_multiplier_does_not_give_is_found_out() -> None:
    _, _, answer = answered(POPULATIONS)
    assert checks(POPULATIONS, multiplier=answer.multiplier * 0.9) == {"multiplier"}


def test_doctored_candidates_are_found_out() -> None:
    _, _, answer = answered(FROBENIUS)
    regions = answer.candidate.regions
    place = max(range(len(regions)), key=lambda number: regions[number].rate)

    def with_region(**changes: Any) -> Any:
        changed = replace(regions[place], **changes)
        listed = (*regions[:place], changed, *regions[place + 1 :])
        return replace(answer.optimal, lindbladian=replace(answer.candidate, regions=listed))

    gamma, size = regions[place].kossakowski, regions[place].dimension
    assert "candidate" in checks(FROBENIUS, optimal=with_region(kossakowski=-gamma))
    assert "defect" in checks(FROBENIUS, optimal=with_region(kossakowski=2 * gamma))
    large = with_region(hamiltonian=1e9 * np.diag(np.arange(size)))
    assert {"candidate", "defect"} <= checks(FROBENIUS, optimal=large)


def test_doctored_distances_are_found_out() -> None:
    _, _, answer = answered(POPULATIONS)
    stated = answer.trace_distance
    assert stated.lower is not None and stated.lower > 1e-6
    further = replace(stated, lower=1.01 * stated.upper)
    assert {"distance", "beaten"} <= checks(POPULATIONS, trace_distance=further)
    nearer = replace(stated, upper=0.99 * stated.upper)
    assert checks(POPULATIONS, trace_distance=nearer) == {"distance"}
    own = answer.candidate.populations
    moved = replace(answer.optimal, lindbladian=replace(answer.candidate, populations=own[::-1]))
    assert "steady state" in checks(POPULATIONS, optimal=moved)
    limit = replace(answer.check.limit, population_error=0.9)
    assert checks(POPULATIONS, check=replace(answer.check, limit=limit)) == {"check"}


class Doctored:
    """A Redfield equation with other numbers."""

    def __init__(self, own: Any, **changes: Any) -> None:
        self.own, self.changes = own, changes

    def __getattr__(self, name: str) -> Any:
        return self.changes.get(name, getattr(self.own, name))


def test_doctored_references_are_found_out() -> None:
    _, _, answer = answered(FROBENIUS)
    own = answer.reference
    for name, check, factor in (
        ("populations", "populations", 1 + 1e-8),
        ("transition_rates", "rates", 1 + 1e-7),
        ("coherence_source", "L2", 1 + 1e-7),
        ("coherences", "rho2", 1 + 1e-5),
    ):
        other = Setting(answer.question)
        vars(other)["population_distance"] = answer.setting.population_distance
        vars(other)["reference"] = Doctored(own, **{name: factor * getattr(own, name)})
        assert checks(FROBENIUS, setting=other) == {check}


def test_which_optima_are_ordered() -> None:
    def ask(rates: Any, norm: str = "spectral", target: str = "both", shift: bool = True) -> Ask:
        return Ask(label="", target=target, rates=rates, norm=norm, lamb_shift=shift)

    each, wide = ("each", 1.0), ("range", 0.0, 1e4)
    assert at_most(ask(wide), ask(each), 4) == 1
    assert at_most(ask(each), ask(wide), 4) is None
    assert at_most(ask(wide), ask(wide, "trace"), 4) == 1
    assert at_most(ask(wide, "trace"), ask(wide), 4) is None
    assert at_most(ask(wide, shift=False), ask(wide), 4) is None
    assert at_most(ask(wide), ask(wide, shift=False), 4) == 1
    assert at_most(ask(each, target="populations"), ask(each), 4) == 4
    assert at_most(ask(each, target="populations"), ask(wide), 4) is None
    assert at_most(ask(each), ask(each, target="populations"), 4) is None
