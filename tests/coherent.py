"""Questions about populations and coherences, and Lindbladians that no bound on R may exclude."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from lindfeas import Bath, OpenSystem, Question, Rates, models
from lindfeas.answers.coherence_witness import CoherenceLadder, coherence_ladder
from lindfeas.answers.nearest_coherent import CoherentPoint, evaluated, nearest_coherent
from lindfeas.program.bounds import repair_point
from lindfeas.program.program import Point
from lindfeas.program.setting import Setting
from tests.perturbed import nearby_points
from tests.systems import complex_trimer, oscillator_and_qubit, two_ended_chain

FREE, EACH = Rates.range(0.0, 1e4), Rates.each(1.0)


def _chain(left: int, middle: int, right: int, coupling: float) -> OpenSystem:
    return two_ended_chain(left, middle, right, coupling=coupling, beta_right=10.0)


SYSTEMS = {
    "1+0+2, g = 0.0231": lambda: _chain(1, 0, 2, 0.0231),
    "1+0+2, g = 0.0433": lambda: _chain(1, 0, 2, 0.0433),
    "1+0+2, g = 0.1": lambda: _chain(1, 0, 2, 0.1),
    "1+1+1": lambda: _chain(1, 1, 1, 0.01),
    "1+2+1": lambda: _chain(1, 2, 1, 0.01),
    "2+0+2": lambda: _chain(2, 0, 2, 0.1),
    "2+2+2": lambda: _chain(2, 2, 2, 0.1),
    "two sites": lambda: models.xxz_chain(
        sites=2, field=0.5, coupling=0.1, baths=[Bath(name="bath", sites=(0,), beta=1.0)]
    ),
    "trimer": complex_trimer,
    "oscillator": oscillator_and_qubit,
}
"""The chains of the table in docs/theory.md, beta = 1 and 10, and systems of other kinds."""


@cache
def coherent_setting(name: str, rates: Rates = FREE, tolerance: float = 1e-6) -> Setting:
    return Setting(
        Question(
            system=SYSTEMS[name](),
            target="populations+coherences",
            rates=rates,
            distance_tolerance=tolerance,
        )
    )


@cache
def ladder(name: str, rates: Rates = FREE) -> CoherenceLadder:
    return coherence_ladder(coherent_setting(name, rates), "CLARABEL")


@cache
def nearest(name: str, rates: Rates = FREE, tolerance: float = 1e-6) -> CoherentPoint:
    found = nearest_coherent(coherent_setting(name, rates, tolerance), "CLARABEL")
    assert found is not None
    return found


def allowed_points(name: str, rates: Rates, tolerances: tuple[float, ...]) -> Iterator[Point]:
    """The nearest Lindbladians of several tolerances, disturbed by 1 to 1e-9, and random ones."""
    setting = coherent_setting(name, rates)
    for tolerance in tolerances:
        found = nearest(name, rates, tolerance).point
        yield found
        yield from nearby_points(setting.program, found)
    generator = np.random.default_rng(1)
    for _ in range(30):
        scale = 10.0 ** generator.uniform(-3, 3)
        gammas = []
        for flow in setting.flows:
            normal = generator.normal(size=(flow.size,) * 2) * 10.0 ** generator.uniform(-2, 0)
            gammas.append(scale * normal @ normal.T)
        shift = generator.normal(size=setting.program.shifts.count)
        yield repair_point(setting.program, Point(gammas=gammas, shift=shift))


def all_evaluated(
    name: str, rates: Rates, tolerances: tuple[float, ...]
) -> Iterator[CoherentPoint]:
    """T and R of them, those with a unique steady state."""
    for point in allowed_points(name, rates, tolerances):
        found = evaluated(coherent_setting(name, rates), point)
        if np.isfinite(found.distance):
            yield found
