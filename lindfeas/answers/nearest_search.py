"""The nearest Lindbladian by a race of semidefinite steps from many starts.

`lindfeas.answers.nearest` ends in local minima up to hundreds of times above the least T where
blocks of Gamma are large. Steps of `lindfeas.solvers.nearest_step` see Gamma >= 0 exactly and
populations in proportion. What their linear model neglects, (C - C_0) dp', is put into the next
one: that is what lets steps be long where slow and fast rates are mixed.

From every start there are a few steps, from the best ones more, and from the best of those as many
as the budget allows. The starts are the same every time, and the budget counts steps, so that the
result does not depend on the clock. It is a local minimum, and an upper end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lindfeas.program.bounds import repair_point
from lindfeas.program.flow import FlowBlock, rate_matrix
from lindfeas.program.program import Point, Program
from lindfeas.solvers.nearest_step import StepProgram

WIDEST = 4.0
"""Largest radius: no population changes by more than this factor, to first order."""

FIRST_RADIUS = 1.0

NARROWEST = 1e-5
"""The steps end when the radius falls below."""

GAIN = 1e-6
"""A step in which T falls relatively by less than this times the radius makes it smaller."""

SHARE = 0.3
"""The radius grows if T falls by at least this share of what was predicted."""

GOOD = 0.7
"""A step is corrected if T falls by less than this share of what was predicted..."""

CORRECTIONS = 3
"""...so many times at most, as long as T falls."""

HEATS = ((1.0, 20), (0.5, 40), (0.25, 80))
"""(share of the starts, steps from each): the rest goes to the nearest."""

PATIENCE = 20
"""After every so many steps..."""

WORTH = 0.01
"""...a search goes on if T has fallen by this fraction."""

SPREAD = 3.0
"""Decades over which the rows of a random root of Gamma are spread."""


@dataclass(slots=True)
class Racer:
    """A point on its way, its T and its trust region."""

    point: Point
    distance: float
    radius: float = FIRST_RADIUS

    @property
    def is_done(self) -> bool:
        """Whether no step is worth trying."""
        return self.radius < NARROWEST or not 0 < self.distance < np.inf


@dataclass(slots=True)
class Race:
    """Steps from many points, the budget shared out as they come on.

    Parameters
    ----------
    distance
        T of a point, infinite if its steady state is not unique.
    steady
        (C, p') of a point's Gamma.
    steps
        How many steps there may be in all.
    stop
        Asked between steps.
    """

    program: Program
    populations: NDArray[np.float64]
    flows: Sequence[FlowBlock]
    distance: Callable[[Point], float]
    steady: Callable[[Point], tuple[NDArray[np.float64], NDArray[np.float64]] | None]
    steps: int
    stop: Callable[[], bool] = lambda: False
    taken: int = 0
    steps_of: StepProgram = field(init=False)

    def __post_init__(self) -> None:
        self.steps_of = StepProgram(self.flows, self.populations, self.program.rates)

    def run(self, starts: Sequence[Point]) -> Racer | None:
        """The nearest point that any start leads to; None if none has a unique steady state."""
        racers = [Racer(start, self.distance(start)) for start in starts]
        racers = [racer for racer in racers if np.isfinite(racer.distance)]
        if not racers:
            return None
        count = len(racers)
        for share, each in HEATS:
            for racer in racers:
                self.advance(racer, each)
            racers.sort(key=lambda racer: racer.distance)
            racers = racers[: max(1, int(share * count))]
        racers.sort(key=lambda racer: racer.distance)
        self.advance(racers[0], self.steps - self.taken)
        return min(racers, key=lambda racer: racer.distance)

    def advance(self, racer: Racer, steps: int) -> None:
        """So many steps, or fewer where they gain nothing."""
        before = racer.distance
        for number in range(steps):
            if racer.is_done or self.taken >= self.steps or self.stop():
                return
            self.taken += 1
            self._step(racer)
            if number % PATIENCE == PATIENCE - 1:
                if racer.distance > before * (1 - WORTH):
                    return
                before = racer.distance

    def _step(self, racer: Racer) -> None:
        """One step; where the product of both changes spoils it, that is put into the balance."""
        before, neglected, tried = racer.distance, None, []
        for _ in range(1 + CORRECTIONS):
            found = self._trial(racer, neglected)
            if found is None:
                break
            trial, neglected, predicted = found
            tried.append((self.distance(trial), predicted, trial))
            if before - tried[-1][0] >= GOOD * (before - predicted):
                break
            if len(tried) > 1 and tried[-1][0] > tried[-2][0]:
                break
        self.taken += max(len(tried) - 1, 0)
        reached, predicted, trial = min(tried, key=_first, default=(np.inf, 0.0, racer.point))
        if not reached < before * (1 - GAIN * min(racer.radius, 1.0)):
            racer.radius /= 4
            return
        share = (before - reached) / max(before - predicted, 1e-300)
        racer.radius = min(racer.radius * (2.0 if share >= SHARE else 0.5), WIDEST)
        racer.point, racer.distance = trial, reached

    def _trial(
        self, racer: Racer, neglected: NDArray[np.float64] | None
    ) -> tuple[Point, NDArray[np.float64], float] | None:
        """(where a step leads to, what its balance neglects, the T that was predicted)."""
        at = self.steady(racer.point)
        if at is None or not (at[1] > 0).all():
            return None
        proposal = self.steps_of.propose(racer.point.gammas, *at, racer.radius, neglected)
        if proposal is None:
            return None
        point = Point(gammas=proposal.gammas, shift=racer.point.shift)
        moved = rate_matrix(self.flows, proposal.gammas) - at[0]
        return repair_point(self.program, point), moved @ proposal.change, proposal.distance


def _first(found: tuple[float, float, Point]) -> float:
    return found[0]


def random_starts(program: Program, flows: Sequence[FlowBlock], like: Point) -> Iterator[Point]:
    """Random Gamma with rates over several orders of magnitude, the same ones every time."""
    generator = np.random.default_rng(2)
    while True:
        gammas = []
        for flow in flows:
            root = generator.normal(size=(flow.size, flow.size))
            if flow.is_complex:
                root = root + 1j * generator.normal(size=root.shape)
            root = root * 10 ** generator.uniform(-SPREAD, 0)
            gammas.append(root @ root.conj().T)
        yield repair_point(program, Point(gammas=gammas, shift=like.shift))
