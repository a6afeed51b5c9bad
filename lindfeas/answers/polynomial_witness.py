"""Certified lower ends of T by multipliers that are polynomials in the rates.

Where all Kossakowski blocks have order 1 (regions of one qubit and a charge), Gamma is a list of
rates t >= 0 and C(Gamma) = sum_c t_c C_c. Every y may depend on t: with v = C^T y,

    y.C p = v.(p - p') <= T spread(v),   spread(v) = max_a v_a - min_a v_a.

For y(t) = sum_m t^m y_m, homogeneous in the rates of every region (of all regions together, for
rules that do not fix each),

    y.C p = sum_k t^k N_k,   v = sum_k t^k V_k,   N_k = sum_(m c = k) y_m.C_c p,
    V_k = sum_(m c = k) C_c^T y_m,

and N_k > T spread(V_k) for all k proves T for every steady state p' of every t. That is the lower
end for `all`. For Lindbladians with a unique steady state, keys k of blocks of charge 0 alone are
exempt if their y_m are the same for all levels of one charge, exactly: then N_k = 0 and V_k = 0,
without rounding, and the sum is positive unless only blocks of charge 0 have rates. But these
conserve the charge, so that the steady state is not unique.

Regions with the same C (mirrored ones) share their rates: only the sums count, up to deviations of
rounding's size, for which the evaluation pays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.rounding import SAFETY
from lindfeas.program.setting import Setting
from lindfeas.solvers.polynomial import Term, propose

SAME = 1e-10
"""Flows that differ by less than this fraction of their largest entry are pooled."""

DEGREES = (1, 2, 3, 4, 6)

LARGEST_WORK = 50_000
"""Terms times d^2 of a program. One of 21,504 took 0.05 to 0.16 s."""

MOST_TERMS = 600
"""Terms of the largest program, however few levels there are."""

RATIOS = (1.002, 1.01, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 4.0, 16.0)
"""By what the ceiling is divided in the trials of one degree."""

CLOSE = 1.02
"""No higher degree is tried where the ceiling is at most so many times the certified T."""

Monomial = tuple[tuple[int, ...], ...]
"""For every factor the sorted numbers of its pools, each as often as its power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """The blocks whose rates count only in sum.

    Parameters
    ----------
    members
        Numbers of the blocks of every pool.
    factors
        Numbers of the pools whose rates are not all zero, for every factor of the polynomials.
    conserving
        For every pool whether its charge is 0.
    """

    members: tuple[tuple[int, ...], ...]
    factors: tuple[tuple[int, ...], ...]
    conserving: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolynomialWitness:
    """What certifies a trace distance.

    Parameters
    ----------
    distance
        T.
    is_unique
        Whether it is about unique steady states only.
    pools
        Whose rates the polynomial is in.
    monomials
        Its monomials, every one times its multinomial coefficient.
    multipliers
        y of each, shape (monomials, d).
    """

    distance: float
    is_unique: bool
    pools: Pools
    monomials: tuple[Monomial, ...]
    multipliers: NDArray[np.float64]


def polynomial_witness(
    setting: Setting,
    ceiling: float,
    *,
    unique: bool,
    work: float = LARGEST_WORK,
    stop: Callable[[], bool] = lambda: False,
) -> PolynomialWitness | None:
    """The best witness found, for polynomials of rising degree; None if there is none.

    Parameters
    ----------
    ceiling
        T of a Lindbladian that was found.
    unique
        Whether for unique steady states only.
    work
        Terms times d^2 of the largest program.
    """
    if any(flow.size > 1 for flow in setting.flows):
        return None
    if not unique and setting.program.rates.total is None and max(setting.program.rates.lower) == 0:
        return None  # Gamma = 0 is allowed, and every state is steady
    search = _Search(setting, unique)
    if unique and not search.has_charge:
        return None
    best: PolynomialWitness | None = None
    for degree in DEGREES:
        if search.size(degree) > work or stop():
            break
        best = search.improved(degree, ceiling, best, stop)
        if best is not None and best.distance * CLOSE >= ceiling:
            break
    return best


class _Search:
    """Programs of every degree, and what their solutions certify."""

    def __init__(self, setting: Setting, unique: bool) -> None:
        self.setting, self.unique = setting, unique
        self.populations = setting.reference.populations
        self.flows = np.array([flow.rates(np.ones((1, 1))) for flow in setting.flows])
        self.regions = [flow.region for flow in setting.flows]
        self.pools = _pools(setting, self.flows)
        members = [self.flows[list(own)] for own in self.pools.members]
        self.means = np.array([own.mean(axis=0) for own in members])
        sectors = setting.reference.spectrum.sectors
        self.sectors = [np.arange(len(self.populations))[sector.levels] for sector in sectors]
        self.has_charge = len(self.sectors) > 1

    def size(self, degree: int) -> float:
        """Terms times d^2."""
        terms = 1.0
        for own in self.pools.factors:
            terms *= len(own) * _count(len(own), degree)
        return terms * len(self.populations) ** 2 if terms <= MOST_TERMS else np.inf

    def improved(
        self,
        degree: int,
        ceiling: float,
        best: PolynomialWitness | None,
        stop: Callable[[], bool],
    ) -> PolynomialWitness | None:
        """The better one of ``best`` and what this degree certifies."""
        monomials, keys = _expanded(self.pools.factors, degree)
        exempt = [self.unique and self._conserving(key) for key in keys]
        levelled = [self.unique and self._conserving(monomial) for monomial in monomials]
        terms = list(keys.values())
        for scale in (np.ones(len(self.populations)), self._steep):
            tight, loose = 0, len(RATIOS)
            while tight < loose and not stop():
                middle = (tight + loose) // 2
                trial = ceiling / RATIOS[middle]
                if best is not None and trial <= best.distance:
                    loose = middle
                    continue
                y = propose(
                    terms,
                    exempt,
                    self.means,
                    self.populations,
                    scale,
                    trial,
                    levelled=levelled,
                    averaging=self._averaging,
                )
                reached = 0.0
                if y is not None:
                    self._level_out(y, levelled)
                    reached = self.certified(y, keys, exempt)
                if reached > (0.0 if best is None else best.distance):
                    best = self._witness(reached, monomials, y)
                tight, loose = (tight, middle) if reached >= trial else (middle + 1, loose)
            if best is not None:
                break
        return best

    @property
    def _steep(self) -> NDArray[np.float64]:
        """Limits of y that grow as populations fall, for very cold levels."""
        found: NDArray[np.float64] = (self.populations.max() / self.populations) ** 0.5
        return found

    def _witness(
        self, distance: float, monomials: Sequence[Monomial], y: NDArray[np.float64] | None
    ) -> PolynomialWitness:
        assert y is not None
        return PolynomialWitness(
            distance=distance,
            is_unique=self.unique,
            pools=self.pools,
            monomials=tuple(monomials),
            multipliers=y,
        )

    def _conserving(self, monomial: Monomial) -> bool:
        return all(self.pools.conserving[pool] for part in monomial for pool in part)

    def _level_out(self, y: NDArray[np.float64], levelled: Sequence[bool]) -> None:
        """Make the y of blocks of charge 0 the same for all levels of one charge, exactly."""
        for row in (y[number] for number, one in enumerate(levelled) if one):
            for levels in self.sectors:
                row[levels] = row[levels].mean()

    @property
    def _averaging(self) -> NDArray[np.float64]:
        """The mean over the levels of one charge, shape (d, d)."""
        found = np.zeros((len(self.populations),) * 2)
        for levels in self.sectors:
            found[np.ix_(levels, levels)] = 1 / len(levels)
        return found

    def certified(
        self, y: NDArray[np.float64], keys: dict[Monomial, list[Term]], exempt: Sequence[bool]
    ) -> float:
        """The T that multipliers certify, rounding included; 0 if none."""
        table = [[self._values(own, pool) for pool in self.pools.members] for own in y]
        least = np.inf
        for key, is_exempt in zip(keys.values(), exempt, strict=True):
            if is_exempt:
                continue
            value, loss, size = 0.0, 0.0, 0.0
            spread = np.zeros(len(self.populations))
            for term in key:
                mean, error, flow, moved = table[term.monomial][term.flow]
                value += term.weight * (mean - error)
                spread += term.weight * flow
                loss += term.weight * moved
                size += term.weight * float(np.abs(flow).max())
            rounding = 8 * len(key) * UNIT_ROUNDOFF
            width = float(spread.max() - spread.min()) + 2 * (loss + rounding * size)
            value -= rounding * size
            if value <= 0:
                return 0.0
            least = min(least, value / width * (1 - rounding))
        return float(least) if np.isfinite(least) else 0.0

    def _values(
        self, y: NDArray[np.float64], members: Sequence[int]
    ) -> tuple[float, float, NDArray[np.float64], float]:
        """(y.C p, its error, C^T y, its error) of a pool, whoever of it has the rates."""
        reference, program = self.setting.reference, self.setting.program
        largest, levels = float(np.abs(y).max(initial=0.0)), len(y)
        angle = float(reference.spectrum.rotation_angles().sum(axis=1).max(initial=0.0))
        found = np.array([y @ self.flows[member] for member in members])
        values = found @ self.populations
        mean, middle = found.mean(axis=0), float(values.mean())
        error, moved = 0.0, 0.0
        for member, own, value in zip(members, found, values, strict=True):
            region = self.regions[member]
            share = self.setting.ansatz.regions[region].dimension / levels
            single = SAFETY * largest * 4 * share * (2 * angle + levels * UNIT_ROUNDOFF)
            fixed = program.uncertainty.regions[region].of(y, largest)
            error = max(error, abs(float(value) - middle) + fixed)
            moved = max(moved, float(np.abs(own - mean).max()) + single)
        return middle, error, mean, moved


def _pools(setting: Setting, flows: NDArray[np.float64]) -> Pools:
    """Blocks with the same C in one pool, if that leaves one factor; else each its own."""
    charges = [group.charge for region in setting.ansatz.regions for group in region.groups]
    pools: list[list[int]] = []
    for number, flow in enumerate(flows):
        for own in pools:
            size = SAME * float(np.abs(flow).max())
            if charges[own[0]] == charges[number] and np.abs(flows[own[0]] - flow).max() <= size:
                own.append(number)
                break
        else:
            pools.append([number])
    rates = setting.program.rates
    fixed = rates.total is None and not rates.are_free
    regions = len(setting.ansatz.regions)
    if fixed and any(len(own) < regions for own in pools):
        pools = [[number] for number in range(len(flows))]
        factors = tuple(
            tuple(n for n, flow in enumerate(setting.flows) if flow.region == region)
            for region in range(regions)
        )
    else:
        factors = (tuple(range(len(pools))),)
    return Pools(
        members=tuple(map(tuple, pools)),
        factors=factors,
        conserving=tuple(charges[own[0]] == 0 for own in pools),
    )


def _expanded(
    factors: Sequence[Sequence[int]], degree: int
) -> tuple[list[Monomial], dict[Monomial, list[Term]]]:
    """The monomials of y, and those of y C with the terms that they are made of.

    C is made homogeneous in all factors: C_c is multiplied by the sums of the other factors' rates.
    """
    monomials: list[Monomial] = list(
        itertools.product(
            *(itertools.combinations_with_replacement(own, degree) for own in factors)
        )
    )
    keys: dict[Monomial, list[Term]] = {}
    for number, monomial in enumerate(monomials):
        for extra in itertools.product(*factors):
            key = tuple(
                tuple(sorted((*part, one))) for part, one in zip(monomial, extra, strict=True)
            )
            weight = _multinomial(monomial) / _multinomial(key)
            keys.setdefault(key, []).extend(
                Term(monomial=number, flow=one, weight=weight) for one in extra
            )
    return monomials, keys


def _multinomial(monomial: Monomial) -> float:
    """How many orders its factors have."""
    found = 1
    for part in monomial:
        found *= factorial(len(part))
        for pool in set(part):
            found //= factorial(part.count(pool))
    return float(found)


def _count(pools: int, degree: int) -> int:
    """Monomials of a degree."""
    return factorial(pools + degree - 1) // (factorial(degree) * factorial(pools - 1))
