"""The allowed Lindbladian with near populations whose coherences are as right as possible.

Of all with a unique steady state and T within the tolerance, or T <= 2 T_least where the least T
that was found is not, the one with the least R is looked for: the least T alone is a bad choice, as
R can fall by factors while T rises by a tenth. L'(rho0') is linear in (Gamma, H) and in p'; convex
programs that are linearised about a point, in a trust region of p', follow each other. They
promise a local minimum and no more: T and R are upper ends, evaluated from the Lindbladian found.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.coherence_evaluation import Evaluation
from lindfeas.errors import PhysicsError
from lindfeas.physics.equations.rate_equation import distribution_error, stationary_distribution
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.bounds import repair_point
from lindfeas.program.program import Point, Program
from lindfeas.program.rounding import SAFETY
from lindfeas.program.setting import Setting
from lindfeas.solvers.coherence_step import StepProgram

WEIGHTS = (1.0, 1e2, 1e4)
"""Of the flow between levels beside the coherences' error, in the programs that begin the search;
in units of both."""

SLACK = 2.0
"""T may be so many times the least that was found, where that is above the tolerance."""

ROOM = 1e-4
"""What a step leaves below its limit of T, relatively."""

MOST_STEPS = 30
"""Of each of the two searches."""

ENOUGH = 1e-3
"""A start whose R is below this fraction of the tolerance is taken as it is."""

STEP_WORK = 1e7
"""Steps in all, times levels times the sum of n^4 over the blocks plus levels^4 / 4: about ten
seconds..."""

FEWEST_STEPS = 6
"""...but never fewer steps than these."""

GAIN = 1e-6
"""A step that lowers its goal relatively by less makes the trust region smaller."""

SLOWEST = 1e-5
"""Free rates stay above this fraction of Redfield's largest: a Lindbladian that does next to
nothing has the same T as one that is faster, but nothing can be computed from it."""

NOTHING = 1e-12
"""Errors below this are rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoherentPoint:
    """A feasible point with upper ends of its T and R, rounding included.

    Parameters
    ----------
    point
        Gamma and H_r, in the unit of the question's program.
    populations
        p', shape (d,).
    distance
        T; infinite if its steady state is not unique.
    error
        R.
    """

    point: Point
    populations: NDArray[np.float64]
    distance: float
    error: float


def nearest_coherent(
    setting: Setting,
    solver: str,
    *,
    starts: tuple[Point, ...] = (),
    stop: Callable[[], bool] = lambda: False,
) -> CoherentPoint | None:
    """The Lindbladian with the least R found; None if none has a unique steady state.

    Parameters
    ----------
    setting
        Of a question about populations and coherences.
    starts
        Feasible points of its program to begin with, besides those of convex programs.
    stop
        Asked before every solve; once it says yes, the best so far is returned.
    """
    evaluation = Evaluation(setting)
    work = evaluation.work + setting.reference.spectrum.dimension**4 / 4
    allowed = max(FEWEST_STEPS, int(STEP_WORK / work))
    search = _Search(CoherentEvaluation(evaluation), solver, _limited(stop, allowed))
    unit = setting.program.unit
    found = search.search([start.times(1 / unit) for start in starts])
    if found is None or not np.isfinite(found.distance):
        return None
    own = found.point.times(unit)
    return CoherentPoint(
        point=Point(gammas=own.gammas, shift=setting.program.shifts.within(own.shift)),
        populations=found.populations,
        distance=found.distance,
        error=found.error,
    )


def _limited(stop: Callable[[], bool], most: int) -> Callable[[], bool]:
    """Also yes when it was asked ``most`` times."""
    count = itertools.count()
    return lambda: stop() or next(count) >= most


def evaluated(setting: Setting, point: Point) -> CoherentPoint:
    """T and R of any feasible point of the question's program, from above."""
    own = CoherentEvaluation(Evaluation(setting)).of(point.times(1 / setting.program.unit))
    return CoherentPoint(
        point=point, populations=own.populations, distance=own.distance, error=own.error
    )


@dataclass(frozen=True)
class CoherentEvaluation:
    """T and R of feasible points, in the program's own unit, from above."""

    at: Evaluation

    @property
    def size(self) -> float:
        """What R is divided by: ||rho2||_F from below, or 1 where that cannot be told from 0."""
        if not self.at.has_coherences:
            return 1.0
        return self.at.data.size - self.at.size_error

    def of(self, point: Point) -> CoherentPoint:
        """T and R of a point; both are infinite if its steady state is not unique."""
        rates, noise = self._rates(point)
        try:
            stationary_distribution(np.maximum(rates - noise, 0.0))
            steady = stationary_distribution(rates)
        except PhysicsError:
            nothing = np.full(len(rates), np.nan)
            return CoherentPoint(point=point, populations=nothing, distance=np.inf, error=np.inf)
        wrong = distribution_error(rates, noise, steady) + 8 * UNIT_ROUNDOFF * steady
        apart = float(np.abs(steady - self.at.data.populations).sum() + wrong.sum()) / 2
        return CoherentPoint(
            point=point,
            populations=steady,
            distance=min(1.0, apart + self.at.setting.population_distance),
            error=self._error(point, steady, wrong),
        )

    def _rates(self, point: Point) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """C off the diagonal, and how far it can be wrong.

        |<k|L|a>|^2, summed over jumps, changes by 2 sqrt(C_ka c) theta + c theta^2 when levels are
        rotated by theta, c being the largest rate that any element can have, tr Gamma^r d_r / d.
        """
        setting = self.at.setting
        levels = len(self.at.data.populations)
        rates, rounded = np.zeros((levels, levels)), np.zeros((levels, levels))
        for flow, gamma in zip(setting.flows, point.gammas, strict=True):
            rates += flow.rates(gamma)
            sizes = np.abs(flow.coefficients).reshape(levels, levels, -1)
            rounded += 4 * UNIT_ROUNDOFF * (sizes @ np.abs(gamma).ravel()).T
        rates = np.maximum(rates, 0.0)
        angles = setting.reference.spectrum.rotation_angles().sum(axis=1)
        theta = np.add.outer(angles, angles)
        most = float(self.shares @ self.at.program.traces(point.gammas))
        rotated = 2 * np.sqrt(rates * most) * theta + most * theta**2
        noise = rounded + SAFETY * rotated
        np.fill_diagonal(rates, 0.0)
        np.fill_diagonal(noise, 0.0)
        return rates, noise

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """d_r / d of every region."""
        regions, levels = self.at.setting.ansatz.regions, len(self.at.data.populations)
        return np.array([region.dimension for region in regions]) / levels

    def _error(
        self, point: Point, steady: NDArray[np.float64], wrong: NDArray[np.float64]
    ) -> float:
        """R from above; p' may be off by ``wrong``."""
        data, program = self.at.data, self.at.program
        off = data.action.is_off_diagonal
        if not off.any():
            return 0.0
        action = data.action.of_point(point.gammas, point.shift)
        left = action @ steady - data.source
        gaps = data.gaps[off]
        missing = left[off] / gaps
        moved = (np.abs(action[off]) @ wrong + np.abs(missing) * data.action.gap_errors[off]) / gaps
        angle = float(np.linalg.norm(self.at.setting.reference.spectrum.rotation_angles(), 2))
        shifts = program.shifts.size(point.shift)
        traces = program.traces(point.gammas)
        terms = [len(steady) + region.dimension**2 for region in self.at.setting.ansatz.regions]
        unknown = 2 * float(self.shares @ traces) + 2 * shifts
        total = unknown * self.at.single_error + 2 * angle * float(np.linalg.norm(left))
        rounded = float(traces @ terms) * float(np.linalg.norm(self._largest))
        rounded += 2 * max(terms) * shifts
        total = SAFETY * (total + UNIT_ROUNDOFF * rounded) + program.uncertainty.action
        upper = float(np.linalg.norm(missing)) + SAFETY * float(np.linalg.norm(moved))
        return (upper + total / float(gaps.min())) / self.size * (1 + 8 * UNIT_ROUNDOFF)

    @cached_property
    def _largest(self) -> NDArray[np.float64]:
        """The largest entry of the coefficients of every row, shape (rows,)."""
        found = [
            np.abs(block.coefficients).max(axis=(1, 2, 3)) for block in self.at.data.action.blocks
        ]
        largest: NDArray[np.float64] = np.max(found, axis=0)
        return largest


@dataclass(frozen=True)
class _Search:
    """Two searches, for the least T and then for the least R, and the points that they begin at."""

    at: CoherentEvaluation
    solver: str
    stop: Callable[[], bool]

    @cached_property
    def steps(self) -> StepProgram:
        """What proposes points."""
        return StepProgram(self.program, self.at.at.data, self.at.size, self.solver)

    @cached_property
    def program(self) -> Program:
        """The question's, in its own unit, free rates held above `SLOWEST`."""
        program = self.at.at.program
        if not program.rates.are_free:
            return program
        slowest = SLOWEST * program.natural_rate / self.at.shares
        return replace(program, rates=program.rates.within(slowest, np.array(program.rates.upper)))

    def search(self, starts: list[Point]) -> CoherentPoint | None:
        """The best point found, or None."""
        tolerance = self.at.at.setting.question.distance_tolerance
        points = [self._feasible(start) for start in starts]
        near = [one for one in points if one is not None and self._is_enough(one)]
        if near:
            return min(near, key=lambda one: one.error)
        for weight in WEIGHTS:
            if not self.stop():
                points.append(self._feasible(self.steps.start(weight)))
        found = [one for one in points if one is not None and np.isfinite(one.distance)]
        if not found:
            return None
        if min(one.distance for one in found) > tolerance / SLACK:
            found += [self._nearer(one, tolerance / SLACK) for one in found]
        least = min(one.distance for one in found)
        allowed = tolerance * (1 - ROOM)
        if least > allowed:
            allowed = SLACK * least
        within = [one for one in found if one.distance <= allowed]
        ends = [self._righter(one, allowed) for one in within]
        return min(ends, key=lambda one: one.error)

    def _is_enough(self, found: CoherentPoint) -> bool:
        """Whether a point is so far within both tolerances that nothing nearer is looked for."""
        question = self.at.at.setting.question
        near = found.distance <= question.distance_tolerance / SLACK
        return near and found.error <= ENOUGH * question.coherence_tolerance

    def _nearer(self, found: CoherentPoint, enough: float) -> CoherentPoint:
        """Steps towards the least T."""
        reach = max(found.distance, NOTHING)
        for _ in range(MOST_STEPS):
            if self.stop() or found.distance <= enough or reach < 1e-9 * found.distance:
                break
            limit = max(found.error, 1.0)
            trial = self._feasible(
                self.steps.step(found.point, found.populations, reach=reach, error=limit)
            )
            if trial is not None and trial.distance < found.distance * (1 - GAIN):
                found, reach = trial, 2 * reach
            else:
                reach /= 4
        return found

    def _righter(self, found: CoherentPoint, allowed: float) -> CoherentPoint:
        """Steps towards the least R with T <= ``allowed``."""
        reach = allowed
        for _ in range(MOST_STEPS):
            if self.stop() or found.error < NOTHING or reach < 1e-6 * allowed:
                break
            trial = self._feasible(
                self.steps.step(
                    found.point, found.populations, reach=reach, distance=allowed * (1 - ROOM)
                )
            )
            better = trial is not None and trial.distance <= allowed
            if trial is not None and better and trial.error < found.error * (1 - GAIN):
                found, reach = trial, min(2 * reach, 2 * allowed)
            else:
                reach /= 4
        return found

    def _feasible(self, point: Point | None) -> CoherentPoint | None:
        """A point repaired and evaluated."""
        if point is None:
            return None
        return self.at.of(repair_point(self.program, point))
