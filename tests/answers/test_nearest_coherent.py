"""The Lindbladian that is shown for populations and coherences, and its own T and R."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from lindfeas import Question, Rates
from lindfeas.answers.candidate import lindbladian_of
from lindfeas.answers.coherence_evaluation import Evaluation
from lindfeas.answers.nearest_coherent import (
    CoherentEvaluation,
    CoherentPoint,
    evaluated,
    nearest_coherent,
)
from lindfeas.answers.steady_state_check import check_candidate
from lindfeas.program.program import Point
from lindfeas.program.setting import Setting
from tests.coherent import EACH, FREE, all_evaluated, coherent_setting, nearest
from tests.systems import qubit

SOLVED = 1e-6
"""Relative accuracy of a dense solve of the steady state."""

BEST = {
    ("1+0+2, g = 0.0231", 1e-6): (1e-6, 1e-9),
    ("1+0+2, g = 0.0433", 1e-6): (1e-6, 0.00688),
    ("1+0+2, g = 0.0433", 1e-4): (1e-4, 0.0019),
    ("1+0+2, g = 0.1", 1e-6): (1e-6, 0.0696),
    ("1+0+2, g = 0.1", 1e-4): (1e-4, 0.0676),
    ("1+0+2, g = 0.1", 1e-2): (1e-2, 0.0262),
    ("1+1+1", 1e-6): (2 * 0.0066, 0.01757),
    ("1+2+1", 1e-6): (2 * 0.0095, 0.01741),
    ("two sites", 1e-6): (2 * 0.0568, 1.0001),
    ("2+0+2", 1e-4): (1.5e-4, 0.156),
    ("2+0+2", 1e-2): (1e-2, 0.0476),
}
"""T and R that are known to be reached with free rates."""


@pytest.mark.parametrize(("name", "tolerance"), BEST)
def test_the_search_finds_what_is_known(name: str, tolerance: float) -> None:
    found = nearest(name, FREE, tolerance)
    distance, error = BEST[name, tolerance]
    assert found.distance <= distance
    assert found.error <= error


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        *itertools.product(("1+0+2, g = 0.0433", "1+1+1", "trimer", "oscillator"), (FREE, EACH)),
        ("2+0+2", FREE),
    ],
)
def test_t_and_r_are_those_of_its_steady_state_computed_densely(name: str, rates: Rates) -> None:
    """By `check_candidate`, in the limit of weak coupling: another route, from the jump operators.

    The upper ends are not below, and not above by more than rounding.
    """
    setting = coherent_setting(name, rates)
    found = nearest(name, rates)
    candidate = lindbladian_of(setting, found.point)
    check = check_candidate(candidate, setting.reference).limit
    assert candidate.steady_state_unique
    assert check is not None
    assert check.coherence_error is not None
    assert found.distance == pytest.approx(check.population_error, rel=SOLVED, abs=1e-11)
    assert found.error == pytest.approx(check.coherence_error, rel=SOLVED, abs=1e-9)
    assert found.populations == pytest.approx(candidate.populations, abs=1e-12)


@pytest.mark.parametrize("rates", [FREE, EACH])
def test_the_point_is_allowed(rates: Rates) -> None:
    name = "1+0+2, g = 0.1"
    setting, found = coherent_setting(name, rates), nearest(name, rates)
    program = setting.program
    traces = program.traces(found.point.gammas)
    if rates is EACH:
        assert traces == pytest.approx([1.0, 1.0], rel=1e-12)
    for gamma in found.point.gammas:
        assert np.linalg.eigvalsh(gamma)[0] >= -1e-14 * traces.max()
    assert all(
        size <= program.shifts.limit for size in program.shifts.norms(found.point.shift).values()
    )


def test_free_rates_are_not_negligible() -> None:
    """The oscillator's R is least without any dissipation; its populations say how it relaxes."""
    setting, found = coherent_setting("oscillator"), nearest("oscillator")
    shares = np.array([3, 2]) / 6
    traces = setting.program.traces(found.point.gammas) * shares
    assert traces.min() > 0.99e-5 * setting.program.natural_rate


def test_no_disturbance_of_what_was_found_has_a_much_smaller_r() -> None:
    """A local minimum, among those that are within the tolerance."""
    best = nearest("1+0+2, g = 0.1")
    for one in all_evaluated("1+0+2, g = 0.1", FREE, (1e-6,)):
        if one.distance <= 1e-6:
            assert one.error >= 0.999 * best.error


def test_t_may_be_twice_the_least_where_the_tolerance_is_out_of_reach() -> None:
    """2+0+2: the least T alone is a bad choice, with R = 0.99."""
    found = nearest("2+0+2")
    assert 1e-6 < found.distance < 2 * 9.2e-5
    assert found.error < 0.2


def test_a_lindbladian_without_a_unique_steady_state_is_infinitely_far() -> None:
    setting = coherent_setting("1+1+1")
    gammas = [np.zeros_like(gamma) for gamma in nearest("1+1+1").point.gammas]
    found = evaluated(setting, Point(gammas=gammas, shift=nearest("1+1+1").point.shift))
    assert found.distance == found.error == np.inf


def test_a_steady_state_that_only_rounding_makes_unique_does_not_count() -> None:
    """Dephasing, and jumps between the charges that are slower than rotated levels allow for."""
    setting, found = coherent_setting("1+1+1"), nearest("1+1+1").point
    charges = [group.charge for region in setting.ansatz.regions for group in region.groups]
    gammas = [np.eye(1) * (1.0 if charge == 0 else 1e-40) for charge in charges]
    assert evaluated(setting, Point(gammas=gammas, shift=found.shift)).distance == np.inf
    faster = [gamma + 1e-6 * np.eye(len(gamma)) for gamma in gammas]
    assert evaluated(setting, Point(gammas=faster, shift=found.shift)).distance < 1


def test_a_start_that_is_given_is_used() -> None:
    setting, known = coherent_setting("1+0+2, g = 0.1"), nearest("1+0+2, g = 0.1")
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return True

    found = nearest_coherent(setting, "CLARABEL", starts=(known.point,), stop=stop)
    assert asked
    assert found is not None
    assert found.error == pytest.approx(known.error, rel=1e-9)
    assert nearest_coherent(setting, "CLARABEL", stop=stop) is None


def test_without_coherences_r_is_zero() -> None:
    question = Question(system=qubit(), target="populations+coherences", rates=FREE)
    found = nearest_coherent(Setting(question), "CLARABEL")
    assert found is not None
    assert found.error == 0.0
    assert found.distance < 1e-10


@pytest.mark.parametrize("what", ["action", "single", "size", "gaps", "vectors", "populations"])
def test_every_uncertainty_raises_r_or_t(what: str) -> None:
    name, large = "1+0+2, g = 0.1", 1e-6
    point = nearest(name).point
    setting = coherent_setting(name)
    point = point.times(1 / setting.program.unit)
    before: CoherentPoint = CoherentEvaluation(Evaluation(setting)).of(point)
    at = Evaluation(setting)
    if what == "action":
        at.__dict__["program"] = replace(
            at.program, uncertainty=replace(at.program.uncertainty, action=large)
        )
        at.__dict__["size_error"] = Evaluation(setting).size_error
    elif what == "single":
        at.__dict__["single_error"] = large
    elif what == "size":
        at.__dict__["size_error"] = large
    elif what == "gaps":
        wider = replace(at.data.action, gap_errors=0 * at.data.gaps + large)
        at.__dict__["data"] = replace(at.data, action=wider)
    elif what == "populations":
        fresh = Setting(setting.question)
        fresh.__dict__["population_distance"] = large
        at = Evaluation(fresh)
    else:
        fresh = Setting(setting.question)
        sectors = tuple(
            replace(one, uncertainty=large) for one in setting.reference.spectrum.sectors
        )
        spectrum = replace(fresh.reference.spectrum, sectors=sectors)
        fresh.__dict__["reference"] = replace(fresh.reference, spectrum=spectrum)
        fresh.__dict__["population_distance"] = setting.population_distance
        at = Evaluation(fresh)
    after = CoherentEvaluation(at).of(point)
    if what in ("populations", "vectors"):
        assert after.distance > before.distance + 1e-8
    if what != "populations":
        assert after.error > before.error * (1 + 1e-8)
