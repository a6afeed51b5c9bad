"""Certified bounds b(a): every allowed Lindbladian with T <= a has R >= b(a), or there is none.

With p' = p + Delta the steady populations of L', X = L2(rho0), B_g(Y) and N_g(Y) from
`lindfeas.program.level_action`, A = sum_g p_g B_g, N = sum_g p_g N_g, and any Hermitian Y,

    tr Y (L'(rho0') - X) = tr( [H_S, Y] i (rho2' - rho2) ) <= ||[H_S, Y]||_F R ||rho2||_F .

T <= a says Delta = u - v with u, v >= 0, sum u = sum v <= a and v <= p. If for every Kossakowski
block there are Hermitian K and W, U, M_g >= 0 such that, for all levels g,

    W + B_g + K >= 0 ,   U - B_g - K + M_g >= 0 ,   A - a (W + U) - sum_g p_g M_g >= s_r ,

then <Gamma, A + sum_g Delta_g B_g> >= s_r tr Gamma, and with ||H_r|| <= h

    R >= ( - tr Y X + sum_r t_r s_r - h sum_r ( ||N^r|| + 2 a max_g ||N^r_g - K^r|| ) )
         / ( ||[H_S, Y]||_F ||rho2||_F ) .

A Y that is diagonal between the levels commutes with H_S: where its sum_r t_r s_r is positive for
all allowed rates, T <= a is excluded. The derivation, and what rounding does to it, is in
docs/theory.md, "How far are the coherences?".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.coherence_error import CoherenceError, Rung
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.assembly import assemble
from lindfeas.program.bounds import unfelt
from lindfeas.program.level_action import LevelBlock, level_action
from lindfeas.program.program import Program
from lindfeas.program.rates import RateBounds
from lindfeas.program.rounding import SAFETY
from lindfeas.program.setting import Setting
from lindfeas.program.target import populations
from lindfeas.solvers.coherence import (
    BlockWitness,
    ErrorData,
    ErrorProposal,
    exclusion,
    least_error,
)

DISTANCES = (0.0, 1e-6, 1e-4, 1e-2)
"""The rungs, besides the question's own distance tolerance."""

MARGINS = (1e-8, 1e-6)
"""s_r at which conditions for any rates are asked for, so that no solver's noise breaks them."""

NEGLIGIBLE = 1e-7
"""A bound that a solver claims to be smaller is no use."""

ANY_RATE = 1e300
"""Any rates: up to here."""

LARGEST_WORK = 1e6
"""Up to this size, levels times the sum of n^4 over the blocks, there are rungs above 0."""

LARGEST_ROWS = 1000
"""Up to so many coordinates of Y there is a rung at 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedRung:
    """A rung with what certifies it.

    Parameters
    ----------
    distance
        a, a trace distance of the populations.
    lower
        b(a); None where T <= a is excluded.
    witness
        Y, K, W, U and M behind it, repaired, Y diagonal between the levels if ``lower`` is None;
        None where nothing better than b = 0 is known, or where a larger a certifies as much.
    """

    distance: float
    lower: float | None
    witness: ErrorProposal | None = None

    @property
    def rung(self) -> Rung:
        """Without the witness."""
        return Rung(distance=self.distance, lower=self.lower, excluded=self.lower is None)

    @property
    def reach(self) -> float:
        """b(a), infinite where T <= a is excluded."""
        return float("inf") if self.lower is None else self.lower


@dataclass(frozen=True, slots=True, kw_only=True)
class CoherenceLadder:
    """b(a) for several a, for the question's rate rule and for any rates.

    Parameters
    ----------
    rungs
        One per distance, rising; b never rises.
    any_rates
        The same for all Lindbladians whatever their rates; equal to ``rungs`` where the rule
        demands none.
    reason
        Why bounds were left out, else None.
    """

    rungs: tuple[CertifiedRung, ...]
    any_rates: tuple[CertifiedRung, ...]
    reason: str | None = None

    @property
    def is_exact_excluded(self) -> bool:
        """Whether no allowed Lindbladian has exactly these populations and coherences."""
        return self.rungs[0].distance == 0 and self.rungs[0].reach > 0

    def error(self, distance: float, upper: float | None) -> CoherenceError:
        """What an answer holds, ``distance`` being the question's tolerance."""
        lower = next(one.lower for one in self.rungs if one.distance == distance)
        return CoherenceError(
            lower=lower, upper=upper, ladder=tuple(one.rung for one in self.rungs)
        )


def coherence_ladder(
    setting: Setting,
    solver: str,
    *,
    distances: Sequence[float] = DISTANCES,
    attained: float = float("inf"),
    least: float = 0.0,
    stop: Callable[[], bool] = lambda: False,
) -> CoherenceLadder:
    """Certified b(a) for ``distances`` and the question's distance tolerance.

    Parameters
    ----------
    setting
        Of a question about populations and coherences.
    attained
        T of an allowed Lindbladian: no exclusion is tried from there on.
    least
        A certified lower end of T: all a below it are excluded.
    stop
        Asked before every solve; once it says yes, what is not known yet is b = 0.
    """
    wanted = sorted({0.0, setting.question.distance_tolerance, *distances})
    course = _Ladder(Evaluation(setting), solver, wanted, attained, least, stop)
    rates = course.at.program.rates
    free = RateBounds(lower=(0.0,) * len(rates.lower), upper=(ANY_RATE,) * len(rates.lower))
    needless = rates.total is None and rates.demanded == 0
    any_rates = course.climb(rates if needless else free, least=0.0 if not needless else least)
    rungs = any_rates if needless else course.climb(rates, least=least, known=any_rates)
    return CoherenceLadder(rungs=rungs, any_rates=any_rates, reason=course.at.reason)


@dataclass(frozen=True, slots=True)
class _Ladder:
    """The solves for one question, rung by rung."""

    at: Evaluation
    solver: str
    distances: Sequence[float]
    attained: float
    least: float
    stop: Callable[[], bool]

    def climb(
        self, rates: RateBounds, *, least: float, known: Sequence[CertifiedRung] = ()
    ) -> tuple[CertifiedRung, ...]:
        """b(a) of every distance for one rate rule; never below what is ``known``."""
        found = {a: CertifiedRung(distance=a, lower=None) for a in self.distances if a < least}
        for one in known:
            if one.lower is None:
                found.setdefault(one.distance, one)
        for a in reversed([a for a in self.distances if a not in found]):
            if (witness := self._excluded(a, rates)) is not None:
                for smaller in [b for b in self.distances if b <= a]:
                    found.setdefault(
                        smaller, CertifiedRung(distance=smaller, lower=None, witness=witness)
                    )
                break
        for a in [a for a in self.distances if a not in found]:
            best = next((one for one in known if one.distance == a), None)
            own = self._bounded(a, rates)
            found[a] = own if best is None or own.reach >= best.reach else best
            if a > 0 and own.reach == 0 and own.witness is not None:
                break  # what is 0 stays 0
        return self._falling(found)

    def _excluded(self, a: float, rates: RateBounds) -> ErrorProposal | None:
        """What excludes T <= a, if anything does."""
        if a >= self.attained or not self.at.covers(a) or self.stop():
            return None
        proposal = exclusion(
            self.at.level_blocks, self.at.data.populations, a, rates, self.solver
        )
        return None if proposal is None else self.at.excludes(proposal, a, rates)

    def _bounded(self, a: float, rates: RateBounds) -> CertifiedRung:
        """The best bound found for one distance."""
        best = CertifiedRung(distance=a, lower=0.0)
        margins = _margins(rates)
        for margin in margins if self.at.covers(a) and self.at.has_coherences else ():
            if self.stop():
                break
            proposal = least_error(self.at.data, a, rates, margin, self.solver)
            for one in self.at.variants(proposal, a):
                lower, witness = self.at.bound(one, a, rates)
                if best.witness is None or lower > best.reach:
                    best = CertifiedRung(distance=a, lower=lower, witness=witness)
            if best.reach > 0 or (proposal is not None and proposal.claimed < NEGLIGIBLE):
                break
        return best

    def _falling(self, found: dict[float, CertifiedRung]) -> tuple[CertifiedRung, ...]:
        """All rungs; what holds for all T <= a holds for fewer."""
        rungs: list[CertifiedRung] = []
        most = 0.0
        for a in reversed(self.distances):
            one = found.get(a, CertifiedRung(distance=a, lower=0.0))
            if one.reach < most:
                one = replace(rungs[-1], distance=a)
            most = one.reach
            rungs.append(replace(one, witness=None) if one.reach == 0 else one)
        return tuple(reversed(rungs))


@dataclass(frozen=True)
class Evaluation:
    """What Y, K, W, U and M certify, evaluated and rounded down, in the program's own unit.

    Parameters
    ----------
    setting
        Of a question about populations and coherences.
    """

    setting: Setting

    @cached_property
    def program(self) -> Program:
        """The question in units of a rate."""
        whole = self.setting.program
        return whole.in_units_of(whole.unit)

    @cached_property
    def data(self) -> ErrorData:
        """The arrays that the bound is made from."""
        reference, program = self.setting.reference, self.program
        unit = self.setting.program.unit
        action = level_action(
            reference, self.setting.ansatz.regions, program.layout, program.shifts
        )
        action = replace(
            action, gaps=action.gaps / unit, gap_errors=action.gap_errors / unit
        )
        return ErrorData(
            action=action,
            populations=reference.populations,
            source=-program.offset,
            gaps=action.gaps,
            size=float(np.linalg.norm(reference.coherences)),
            regions=program.shifts.regions,
            limit=program.shifts.limit,
        )

    @cached_property
    def level_blocks(self) -> tuple[LevelBlock, ...]:
        """B of the diagonal Y alone: one row per level."""
        return tuple(
            LevelBlock(
                region=flow.region,
                coefficients=np.ascontiguousarray(flow.coefficients.transpose(1, 0, 2, 3)),
            )
            for flow in self.setting.flows
        )

    @cached_property
    def work(self) -> float:
        """Levels times the sum of n^4."""
        sizes = [flow.size for flow in self.setting.flows]
        return self.setting.reference.spectrum.dimension * float(sum(n**4 for n in sizes))

    @property
    def reason(self) -> str | None:
        """Why some bounds are left out, or None."""
        if self.program.rows > LARGEST_ROWS:
            return f"no bound on R: {self.program.rows} entries of Y are more than {LARGEST_ROWS}"
        if self.work > LARGEST_WORK:
            return (
                "no bound on R above T = 0: the levels times the sum of n^4 over the Kossakowski "
                f"blocks of order n are {self.work:.0f}, more than {LARGEST_WORK:.0f}"
            )
        return None

    def covers(self, distance: float) -> bool:
        """Whether the system is small enough for a bound at this distance."""
        small = self.program.rows <= LARGEST_ROWS
        return small and (distance == 0 or self.work <= LARGEST_WORK)

    @cached_property
    def size_error(self) -> float:
        """How far ||rho2||_F can be wrong: the error of X over the gaps, and that of the gaps."""
        off = self.data.action.is_off_diagonal
        if not off.any():
            return 0.0
        gaps, errors = self.data.gaps[off], self.data.action.gap_errors[off]
        moved = float(np.linalg.norm(self.data.source[off] / gaps * (errors / gaps)))
        return self.program.uncertainty.action / float(gaps.min()) + SAFETY * moved

    @property
    def has_coherences(self) -> bool:
        """Whether ||rho2|| is known to differ from zero, so that R means something."""
        return self.data.size > self.size_error

    @cached_property
    def single_error(self) -> float:
        """Trace norm of the error of any |g><g|: rotated levels, and vectors not orthonormal."""
        spectrum = self.setting.reference.spectrum
        angle = float(spectrum.rotation_angles().sum(axis=1).max(initial=0.0))
        size = max(sector.states.size for sector in spectrum.sectors)
        return 2 * angle + 8 * size * UNIT_ROUNDOFF

    @cached_property
    def level_errors(self) -> NDArray[np.float64]:
        """`SAFETY` times how far every population can be wrong, shape (d,)."""
        errors = self.setting.target.requirements[0].level_errors
        assert errors is not None
        return SAFETY * errors

    def variants(self, proposal: ErrorProposal | None, distance: float) -> list[ErrorProposal]:
        """What a solver suggests; at distance 0 also without what the H_r feel."""
        if proposal is None:
            return []
        if distance > 0 or not self.data.regions:
            return [proposal]
        y = unfelt(self.program, proposal.multiplier, list(self.data.regions))
        return [proposal, replace(proposal, multiplier=y)]

    def excludes(
        self, proposal: ErrorProposal, distance: float, rates: RateBounds
    ) -> ErrorProposal | None:
        """The repaired witness if it excludes T <= a for all allowed rates; rates of 0 in all
        regions have no unique steady state."""
        y = proposal.multiplier
        steady = [region.of(y, _largest(y)) for region in self._level_program.uncertainty.regions]
        smallest, blocks = self._smallest(self.level_blocks, proposal, distance, np.array(steady))
        positive = float(rates.smallest(smallest)) > 0 or float(smallest.min()) > 0
        return replace(proposal, blocks=blocks) if positive else None

    def bound(
        self, proposal: ErrorProposal, distance: float, rates: RateBounds
    ) -> tuple[float, ErrorProposal]:
        """b(a) from below, at least 0, and the repaired witness."""
        y = proposal.multiplier
        if not np.isfinite(y).all():
            return 0.0, proposal
        largest = self.program.layout.norm(y, "spectral")
        steady = [region.of(y, largest) for region in self.program.uncertainty.regions]
        smallest, blocks = self._smallest(
            self.data.action.blocks, proposal, distance, np.array(steady)
        )
        value = -float(self.data.source @ y) + float(rates.smallest(smallest))
        value -= self.program.uncertainty.action * largest
        value -= SAFETY * len(y) * UNIT_ROUNDOFF * float(np.abs(self.data.source) @ np.abs(y))
        value -= self.data.limit * self._felt(proposal, distance, largest)
        size = self._commutator(y) * (self.data.size + self.size_error)
        witness = replace(proposal, blocks=blocks)
        return (max(0.0, value / size * (1 - 8 * UNIT_ROUNDOFF)) if size > 0 else 0.0), witness

    def _commutator(self, y: NDArray[np.float64]) -> float:
        """||[H_S, Y]||_F from above: H_S is diagonal in the computed levels up to eta."""
        weights = self.data.gaps + SAFETY * self.data.action.gap_errors
        spectrum = self.setting.reference.spectrum
        unknown = max(sector.uncertainty for sector in spectrum.sectors)
        unknown *= SAFETY * 2 / self.setting.program.unit
        return float(np.linalg.norm(weights * y)) * (1 + len(y) * UNIT_ROUNDOFF) + (
            unknown * float(np.linalg.norm(y))
        )

    def _felt(self, proposal: ErrorProposal, distance: float, largest: float) -> float:
        """sum_r ( ||N^r|| + 2 a max_g ||N^r_g - K^r|| ) from above."""
        y, shifts = proposal.multiplier, self.program.shifts
        if not shifts.count:
            return 0.0
        regions = len(shifts.regions)
        total = shifts.felt(y) + regions * self.program.uncertainty.hamiltonian.of(y, largest)
        if distance == 0:
            return total
        levels = np.tensordot(y, self.data.action.shifts, axes=1) - proposal.locals
        terms = len(y) + max(region.dimension for region in self.setting.ansatz.regions) ** 2
        unknown = SAFETY * 2 * self.single_error * largest
        unknown += SAFETY * 2 * terms * UNIT_ROUNDOFF * float(np.linalg.norm(y))
        for span in shifts.regions.values():
            most = float(np.linalg.norm(levels[:, span], axis=1).max())
            total += 2 * distance * (most + unknown)
        return total

    @cached_property
    def _level_program(self) -> Program:
        """The program of the populations alone, for its model of what rounding does."""
        reference = self.setting.reference
        return assemble(populations(reference), reference, self.setting.ansatz)

    def _smallest(
        self,
        blocks: Sequence[LevelBlock],
        proposal: ErrorProposal,
        distance: float,
        steady: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], tuple[BlockWitness, ...]]:
        """s_r of every region, rounding included, and the repaired witnesses.

        Parameters
        ----------
        steady
            Allowance for A per region, shape (regions,).
        """
        y, p = proposal.multiplier, self.data.populations
        smallest = np.full(len(steady), np.inf)
        single = self._level_allowance(blocks, y)
        repaired = []
        for block, given in zip(blocks, proposal.blocks, strict=True):
            levels = block.of_multiplier(y)
            own = given if distance == 0 else _repaired(given, levels)
            repaired.append(own)
            matrix = np.tensordot(p, levels, axes=1)
            size, lost = _norm(matrix), 0.0
            if distance > 0:
                matrix = matrix - distance * (own.below + own.above)
                size += distance * (_norm(own.below) + _norm(own.above))
                lost = 2 * distance * single[block.region]
                for level, emptied in own.emptied.items():
                    matrix = matrix - p[level] * emptied
                    size += p[level] * _norm(emptied)
                    lost += self.level_errors[level] * _norm(emptied)
            rounding = SAFETY * (len(p) + 4) * UNIT_ROUNDOFF * size
            value = _lowest(matrix) - lost - rounding - steady[block.region]
            smallest[block.region] = min(smallest[block.region], value)
        return smallest, tuple(repaired)

    def _level_allowance(
        self, blocks: Sequence[LevelBlock], y: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """How far B_g can be wrong for any level, in operator norm, shape (regions,).

        A dissipator of rate 1 has norm 2 d_r / d; the rest is the rounding of the coefficients.
        """
        reference = self.setting.reference
        levels = reference.spectrum.dimension
        is_diagonal = len(y) == levels and blocks is self.level_blocks
        largest = _largest(y) if is_diagonal else self.program.layout.norm(y, "spectral")
        found = np.zeros(len(self.setting.ansatz.regions))
        for number, region in enumerate(self.setting.ansatz.regions):
            rows = [
                np.abs(block.coefficients).max(axis=(1, 2, 3))
                for block in blocks
                if block.region == number
            ]
            terms = (levels + region.dimension**2) * UNIT_ROUNDOFF
            rounded = terms * float(np.max(rows, axis=0) @ np.abs(y))
            moved = 2 * region.dimension / levels * 2 * self.single_error * largest
            found[number] = SAFETY * (moved + rounded)
        return found


def _margins(rates: RateBounds) -> tuple[float | None, ...]:
    """Which s_r to ask for, one after the other, until something is certified."""
    if not rates.are_free:
        return (None,)
    return MARGINS if max(rates.upper) >= ANY_RATE else (MARGINS[0], None)


def _repaired(given: BlockWitness, levels: NDArray[Any]) -> BlockWitness:
    """W, U and M_g raised by multiples of 1 until their conditions hold for every level."""
    one = np.eye(len(given.shift))
    emptied = {g: m + max(0.0, -_lowest(m)) * one for g, m in given.emptied.items()}
    sizes = UNIT_ROUNDOFF * 8 * (_norm(given.shift) + _norm(levels))
    low = min(_lowest(given.below + level + given.shift) for level in levels)
    low -= sizes + 8 * UNIT_ROUNDOFF * _norm(given.below)
    below = given.below + max(0.0, -low, -_lowest(given.below)) * one
    high = min(
        _lowest(given.above - level - given.shift + emptied.get(g, 0.0 * one))
        - 8 * UNIT_ROUNDOFF * _norm(emptied.get(g, 0.0 * one))
        for g, level in enumerate(levels)
    )
    high -= sizes + 8 * UNIT_ROUNDOFF * _norm(given.above)
    above = given.above + max(0.0, -high, -_lowest(given.above)) * one
    return BlockWitness(shift=given.shift, below=below, above=above, emptied=emptied)


def _lowest(matrix: NDArray[Any]) -> float:
    """The smallest eigenvalue, minus the eigensolver's error."""
    values = np.linalg.eigvalsh(matrix)
    error = 8 * len(values) * UNIT_ROUNDOFF * float(np.abs(values).max())
    return float(values[0]) - error


def _norm(matrices: NDArray[Any]) -> float:
    """The largest spectral norm of a stack, or of one matrix, from above (Frobenius)."""
    return float(np.linalg.norm(matrices, axis=(-2, -1)).max())


def _largest(y: NDArray[np.float64]) -> float:
    return float(np.abs(y).max(initial=0.0))
