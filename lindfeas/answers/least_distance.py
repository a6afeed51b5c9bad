"""The least trace distance T of all allowed Lindbladians, for populations: both its meanings.

``unique`` is about Lindbladians with a unique steady state, an infimum. ``all`` is about every p'
with C(Gamma) p' = 0 for some allowed Gamma, whether or not that Gamma has other steady states. Its
least T is at most that of ``unique``; at the chain with 1+2+1 sites dephasing alone, which leaves
the distribution within every charge sector uniform, comes nearer than any unique steady state.

Where a charge exists that the question does not use, it is found and used: C depends only on the
part of Gamma that conserves it, as long as no two levels of different charge coincide, so that both
ends are the same with and without.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from lindfeas.answers.distance_witness import CELLS, ROUNDS, Witness, distance_witness
from lindfeas.answers.enclosure import enclose
from lindfeas.answers.nearest import nearest_lindbladian, population_distance
from lindfeas.answers.nearest_search import Race, random_starts
from lindfeas.answers.polynomial_witness import PolynomialWitness, polynomial_witness
from lindfeas.answers.trace_distance import Ends
from lindfeas.errors import LindfeasError, PhysicsError
from lindfeas.physics.equations.rate_equation import stationary_distribution
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.bounds import repair_point
from lindfeas.program.flow import rate_matrix
from lindfeas.program.program import Point
from lindfeas.program.setting import Setting

CONES_PER_ROUND = 5000
"""Matrix inequalities times rounds of a witness with matrices, roughly the largest work."""

SMALL_WORK = 20_000
"""Up to this size, d^2 times the entries of Gamma, the smooth descents run before the race."""

MOST_STEPS = 1500
"""Of a race, however small its steps are."""

UNREACHABLE = 1e-13
"""A T below is zero up to rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much work may be done; none of it depends on the clock.

    Parameters
    ----------
    cells
        Most cells of a witness with matrices.
    cones
        Most matrix inequalities of order above 1 in its program; beyond there is none.
    polynomial
        Terms times d^2 of the largest linear program.
    steps
        Of the race for the nearest Lindbladian, times the unknowns of one step (entries of Gamma
        plus three times the levels).
    starts
        Random points in it, besides the ones that are worked out.
    """

    cells: int = 1
    cones: int = 1000
    polynomial: float = 50_000
    steps: int = 100_000
    starts: int = 8


DEFAULT = Budget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A Gamma with a steady state that need not be its only one.

    Parameters
    ----------
    point
        Gamma.
    populations
        p' with C(Gamma) p' = 0.
    distance
        Its T, rounding included.
    """

    point: Point
    populations: NDArray[np.float64]
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastDistance:
    """Both ends of the least T in both meanings, and what they rest on.

    Parameters
    ----------
    unique, all
        The ends; a lower one is 0 where nothing is certified.
    setting
        The question that witnesses and exhibit refer to: the one asked, or with its charge found.
    point
        The Gamma behind the upper end of ``unique``, in the blocks of the question asked.
    exhibit
        What is behind the upper end of ``all``; None where that is ``point``, too.
    witness
        A witness for ``all`` that certificates can hold. Its length may be below twice the end.
    polynomials
        Witnesses that are polynomials in the rates, for ``all`` and for ``unique``.
    cut_short
        What a larger budget, or no stop, would have gone on with.
    """

    unique: Ends
    all: Ends
    setting: Setting
    point: Point | None = None
    exhibit: Exhibit | None = None
    witness: Witness | None = None
    polynomials: tuple[PolynomialWitness, ...] = ()
    cut_short: tuple[str, ...] = ()


def least_distance(
    setting: Setting,
    point: Point | None,
    multiplier: NDArray[np.float64] | None,
    solver: str,
    *,
    budget: Budget = DEFAULT,
    stop: Callable[[], bool] = lambda: False,
) -> LeastDistance:
    """Both ends of the least T.

    Parameters
    ----------
    setting
        Of a question about populations.
    point, multiplier
        A feasible point and a multiplier of tau_pop to start from, if there are any.
    solver
        A usable one, for witnesses with matrices.
    stop
        Asked between solves; where it says True, what is known so far is returned.
    """
    own = with_charge(setting)
    if own is not setting:
        found = enclose(own.program, [solver])
        point, multiplier = found.point, found.multiplier
    search = _Search(own, solver, budget, stop)
    nearest = search.nearest(point)
    upper = None if nearest is None else min(1.0, nearest[1] + own.population_distance)
    exhibit = search.exhibit()
    if exhibit is not None and upper is not None and exhibit.distance >= upper:
        exhibit = None
    upper_all = upper if exhibit is None else exhibit.distance
    polynomials = search.polynomials(upper, upper_all)
    lowers = [one.distance for one in polynomials if not one.is_unique]
    witness = search.witness(multiplier, upper_all)
    if witness is not None:
        lowers.append(witness.length / 2)
    lower_all = max(lowers, default=0.0)
    lower = max([one.distance for one in polynomials] + lowers, default=0.0)
    back = None if nearest is None else _carried_back(own, setting, nearest[0])
    return LeastDistance(
        unique=Ends(lower=lower, upper=upper),
        all=Ends(lower=lower_all, upper=upper_all),
        setting=own,
        point=back,
        exhibit=exhibit,
        witness=witness,
        polynomials=polynomials,
        cut_short=tuple(search.cut_short),
    )


def with_charge(setting: Setting) -> Setting:
    """The same question with its charge used, if it has one that it does not use.

    C_ka(Gamma) = sum_ij Gamma_ij (...) with levels k, a of definite charge has no terms between
    operators of different charge, and rates and positivity do not change when these are left out
    (the twirl over the charge). Where levels of different charge coincide they are no levels of
    definite charge, and a Lindbladian that mixes charges may do better: then nothing is changed.
    """
    system = setting.question.system
    if system.charge is not None:
        return setting
    found = system.with_found_charge()
    if found.charge is None:
        return setting
    charged = Setting(replace(setting.question, system=found))
    try:
        coinciding = charged.reference.spectrum.coinciding
    except LindfeasError:
        return setting
    return setting if np.any(coinciding & ~np.eye(len(coinciding), dtype=bool)) else charged


@dataclass(slots=True)
class _Search:
    """The parts of the computation."""

    setting: Setting
    solver: str
    budget: Budget
    stop: Callable[[], bool]
    cut_short: list[str] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.cut_short = []

    @property
    def _populations(self) -> NDArray[np.float64]:
        return self.setting.reference.populations

    def _is_over(self, what: str) -> bool:
        if self.stop():
            self.cut_short.append(what)
            return True
        return False

    def nearest(self, point: Point | None) -> tuple[Point, float] | None:
        """A point as near as can be found, and its T."""
        program, flows = self.setting.program, self.setting.flows
        if point is None:
            even = [np.eye(flow.size) for flow in flows]
            point = repair_point(program, Point(gammas=even, shift=np.zeros(program.shifts.count)))
        if self._is_over("the search for the nearest Lindbladian"):
            distance = population_distance(program, self._populations, flows, point)
            return (point, distance) if np.isfinite(distance) else None
        best, single = None, max(flow.size for flow in flows) == 1
        if single or len(self._populations) ** 2 * sum(f.size**2 for f in flows) <= SMALL_WORK:
            best = nearest_lindbladian(program, self._populations, flows, point)
        if single or (best and best[1] < UNREACHABLE):
            return best
        starts = [] if best is None else [best[0]]
        raced = self._race([*starts, point], point)
        return min((one for one in (best, raced) if one), key=lambda one: one[1], default=None)

    def _race(self, starts: Sequence[Point], like: Point) -> tuple[Point, float] | None:
        program, flows, target = self.setting.program, self.setting.flows, self._populations
        unknowns = 3 * len(target) + sum(flow.size**2 for flow in flows)
        race = Race(
            program=program,
            populations=target,
            flows=flows,
            distance=lambda one: population_distance(program, target, flows, one),
            steady=self._steady,
            steps=min(MOST_STEPS, int(self.budget.steps / unknowns)),
            stop=self.stop,
        )
        scattered = itertools.islice(random_starts(program, flows, like), self.budget.starts)
        winner = race.run([*starts, *scattered])
        if race.taken >= race.steps or self.stop():
            self.cut_short.append("the search for the nearest Lindbladian")
        return None if winner is None else (winner.point, winner.distance)

    def _steady(self, point: Point) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        generator = rate_matrix(self.setting.flows, point.gammas)
        rates = np.maximum(generator, 0.0)
        np.fill_diagonal(rates, 0.0)
        try:
            return generator, stationary_distribution(rates)
        except PhysicsError:
            return None

    def exhibit(self) -> Exhibit | None:
        """The nearest steady state of Gamma = 1 in the blocks of charge 0, in all regions.

        These blocks contain the adjoints of their operators, so that C is symmetric and conserves
        the charge: every distribution that is uniform in each charge sector is steady, exactly.
        """
        flows, program = self.setting.flows, self.setting.program
        charges = [g.charge for region in self.setting.ansatz.regions for g in region.groups]
        sectors = self.setting.reference.spectrum.sectors
        if len(charges) != len(flows) or len(sectors) < 2:
            return None
        gammas = [
            np.eye(flow.size) * float(charge == 0)
            for flow, charge in zip(flows, charges, strict=True)
        ]
        if program.rates.scale_factors(program.traces(gammas)) is None:
            return None
        given = Point(gammas=gammas, shift=np.zeros(program.shifts.count))
        point = repair_point(program, given)
        found = _level_out(self._populations, [sector.levels for sector in sectors])
        off = float(np.abs(found - self._populations).sum()) / 2
        rounding = 8 * len(found) * UNIT_ROUNDOFF + self.setting.population_distance
        return Exhibit(point=point, populations=found, distance=min(1.0, off + rounding))

    def polynomials(
        self, upper: float | None, upper_all: float | None
    ) -> tuple[PolynomialWitness, ...]:
        """Witnesses for ``all`` and for ``unique``."""
        found = []
        for unique, ceiling in ((False, upper_all), (True, upper)):
            if ceiling is None or ceiling < UNREACHABLE or self._is_over("the lower ends"):
                continue
            one = polynomial_witness(
                self.setting,
                ceiling,
                unique=unique,
                work=self.budget.polynomial,
                stop=self.stop,
            )
            if one is not None:
                found.append(one)
        return tuple(found)

    def witness(
        self, multiplier: NDArray[np.float64] | None, upper: float | None
    ) -> Witness | None:
        """A witness with matrices, for ``all``.

        How long a length it finds depends on the ceiling: with one that is 1000 times too high the
        solver's margins are lost in rounding.
        """
        program, populations = self.setting.program, self._populations
        cones = 2 * len(populations) * sum(flow.size > 1 for flow in self.setting.flows)
        if multiplier is None or cones > self.budget.cones:
            self.cut_short.append("the lower ends")
            return None
        if self._is_over("the lower ends"):
            return None
        ceiling = 2.0 if upper is None else 2 * upper
        return distance_witness(
            program,
            self.setting.reference,
            self.setting.flows,
            multiplier,
            ceiling,
            self.solver,
            cells=self.budget.cells if cones else CELLS,
            rounds=min(ROUNDS, max(3, CONES_PER_ROUND // max(cones, 1))),
            stop=self.stop,
        )


def _level_out(populations: NDArray[np.float64], sectors: Sequence[Any]) -> NDArray[np.float64]:
    """The nearest distribution that is uniform in every sector.

    sum_a |w_s - p_a| over a sector is least at its median; what the medians' sum then lacks or has
    too much of 1 costs least where the slope is least, which is a linear program.
    """
    from scipy.optimize import linprog

    levels, kinds = len(populations), len(sectors)
    columns = np.zeros((levels, kinds))
    for number, inside in enumerate(sectors):
        columns[inside, number] = 1.0
    unit = np.eye(levels)
    solved = linprog(
        np.concatenate([np.zeros(kinds), np.ones(levels)]),
        A_ub=np.block([[columns, -unit], [-columns, -unit]]),
        b_ub=np.concatenate([populations, -populations]),
        A_eq=np.concatenate([columns.sum(axis=0), np.zeros(levels)])[None],
        b_eq=[1.0],
    )
    means = columns.T @ populations / columns.sum(axis=0)
    found: NDArray[np.float64] = columns @ (
        means if solved.x is None else np.maximum(solved.x[:kinds], 0.0)
    )
    return found / found.sum()


def _carried_back(own: Setting, asked: Setting, point: Point) -> Point:
    """A point of the question with its charge as one of the question asked.

    With f_own_j = sum_i U_ij f_asked_i, Gamma_asked = conj(U) Gamma_own U^T.
    """
    if own is asked:
        return point
    gammas = []
    for number, (mine, theirs) in enumerate(
        zip(own.ansatz.regions, asked.ansatz.regions, strict=True)
    ):
        blocks = [point.gammas[b] for b in own.program.of_region(number)]
        overlap = np.einsum("iab,jab->ij", theirs.basis.conj(), mine.basis)
        gammas.append(overlap.conj() @ block_diag(*blocks) @ overlap.T)
    return repair_point(
        asked.program, Point(gammas=gammas, shift=np.zeros(asked.program.shifts.count))
    )
