"""When a Lindbladian of small defect counts as one that reproduces the steady state.

A defect below the tolerance is not enough. Free rates allow L' that do next to nothing: where the
required action is small, or a commutator, the defect of L' -> 0 is small, too. So a candidate must

* have a unique steady state (`Lindbladian.steady_state_unique`);
* act at a rate that is not negligible beside the Redfield equation's, where that sets the scale;
* have populations that are steady up to the tolerance, also with its total rate scaled to 1.

The last is what keeps the verdicts on the two targets consistent. D = sum_k |<k|L'(rho0)|k>| is the
candidate's defect for populations, and D/t, t = sum_r tr Gamma^r, that of the same candidate scaled
to total rate 1, which the rule ``total`` allows. If populations are certified impossible with
``total`` = 1, D/t is at least the tolerance; with the candidate's own rates, D is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lindfeas.answers.candidate import Candidate, candidate_of, lindbladian_of
from lindfeas.answers.enclosure import Enclosure, enclose
from lindfeas.errors import SolverError
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.program import bounds
from lindfeas.program.program import Point, Program
from lindfeas.program.setting import Setting
from lindfeas.solvers.conic import best_conditioned

NEGLIGIBLE = 1e-6
"""A candidate whose rates are below this fraction of Redfield's largest does next to nothing."""

HELD = (1e-2, 10.0)
"""Fractions of Redfield's largest rate that free rates are held between in the search."""

NEAR_OPTIMAL = (1.00005, 1.1, 10.0, 1e3, 1e6)
"""By what factor the defect may exceed the optimum in the search."""

SHARE = 0.9
"""What the search allows, as a fraction of the tolerance: solvers are not exact."""

EXACT = 1e-12
"""Optima below this fraction of the program's unit count as zero there."""

NOT_UNIQUE = "a matching Lindbladian exists, but none with a unique steady state was found"
TOO_SLOW = (
    "a matching Lindbladian was found only with rates below "
    f"{NEGLIGIBLE:g} of the Redfield equation's largest"
)
WRONG_POPULATIONS = (
    "a matching Lindbladian was found, but only with populations that do not match: their defect, "
    "as it is or scaled to total rate 1, is not below the tolerance"
)
SHORTCOMINGS = (NOT_UNIQUE, TOO_SLOW, WRONG_POPULATIONS)
"""In the order in which they are looked for: a candidate with a later one meets the ones before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a candidate must do besides a small defect."""

    setting: Setting

    @property
    def program(self) -> Program:
        """The question in arrays."""
        return self.setting.program

    @property
    def tolerance(self) -> float:
        """What the defect must be below."""
        return self.setting.question.tolerance

    def candidate(self, point: Point) -> Lindbladian:
        """The Lindbladian of a feasible point."""
        return lindbladian_of(self.setting, point)

    def shortcoming(self, point: Point, candidate: Lindbladian) -> str | None:
        """Why the candidate does not count, in words, or None."""
        if not candidate.steady_state_unique:
            return NOT_UNIQUE
        target = self.setting.target
        if target.is_populations or not target.follows_redfield:
            return None
        levels = self.setting.reference.spectrum.dimension
        rate = sum(region.rate * region.dimension / levels for region in candidate.regions)
        if rate < NEGLIGIBLE * self.program.natural_rate:
            return TOO_SLOW
        if self._asks_for_populations:
            total = sum(region.rate for region in candidate.regions)
            if population_defect(self.program, point) * max(1.0, 1 / total) >= self.tolerance:
                return WRONG_POPULATIONS
        return None

    @property
    def _asks_for_populations(self) -> bool:
        """Whether the target is rho0's coherences along with its populations."""
        target = self.setting.target
        whole = isinstance(target.projection, str)
        return target.follows_redfield and whole and not target.is_populations

    def search(self, enclosure: Enclosure) -> tuple[Candidate | None, str | None]:
        """(candidate, why it does not count or None).

        The reason is that of the candidate that came closest. The optimum found comes first, then
        near-optimal points farther from the cone's boundary, then optima with rates that are held
        near Redfield's.
        """
        point = enclosure.point
        if point is None:
            return None, NOT_UNIQUE
        found = candidate_of(self.setting, point, defect=enclosure.interval.upper)
        reason = self.shortcoming(point, found.lindbladian)
        if reason is None:
            return found, None
        for other in self._others(enclosure):
            upper = bounds.upper_bound(self.program, other)
            if upper < self.tolerance:
                candidate = candidate_of(self.setting, other, defect=upper)
                again = self.shortcoming(other, candidate.lindbladian)
                if again is None:
                    return candidate, None
                reason = max(reason, again, key=SHORTCOMINGS.index)
        return found, reason

    def _others(self, enclosure: Enclosure) -> Iterator[Point]:
        """Feasible points near the optimum, with better conditioned Gamma or larger rates."""
        held_up = self._held_up()
        least = EXACT * self.program.unit
        most = SHARE * self.tolerance
        flow = most if self._asks_for_populations else None
        for factor in NEAR_OPTIMAL:
            allowed = min(max(factor * enclosure.interval.upper, least), most)
            for program in (self.program,) if held_up is None else (held_up, self.program):
                point = best_conditioned(program, enclosure.solver, allowed, flow)
                if point is not None:
                    yield bounds.repair_point(program, point)
        if held_up is not None:
            try:
                point = enclose(held_up, [enclosure.solver]).point
            except SolverError:
                return
            if point is not None:
                yield point

    def _held_up(self) -> Program | None:
        """The program with free rates held near Redfield's largest, as far as the rule allows."""
        rates, natural = self.program.rates, self.program.natural_rate
        if not rates.are_free or not natural:
            return None
        levels = self.setting.reference.spectrum.dimension
        regions = self.setting.ansatz.regions
        shares = np.array([levels / region.dimension for region in regions])
        low, high = (fraction * natural * shares for fraction in HELD)
        return replace(self.program, rates=rates.within(low, high))


def population_defect(program: Program, point: Point) -> float:
    """sum_k |<k|L'(rho0)|k>| of a point of a program for whole matrices, rounding included.

    Neither the required action nor a local Hamiltonian has a diagonal there.
    """
    flow = program.dissipation(point.gammas) - program.offset
    total = float(np.abs(flow[program.layout.diagonal]).sum())
    rates = zip(program.uncertainty.regions, program.traces(point.gammas), strict=True)
    return total + sum(float(t) * own.worst(program.layout, "trace") for own, t in rates)
