"""What Y, W, U and M certify about the error of the coherences, without a solver.

The theorem is in `lindfeas.answers.coherence_witness`; what rounding can do to it is in
docs/theory.md, "How far are the coherences?".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.assembly import assemble
from lindfeas.program.bounds import unfelt
from lindfeas.program.flow import FlowBlock
from lindfeas.program.level_action import LevelBlock, level_action
from lindfeas.program.program import Program
from lindfeas.program.rates import RateBounds
from lindfeas.program.rounding import SAFETY
from lindfeas.program.setting import Setting
from lindfeas.program.target import populations
from lindfeas.solvers.coherence import BlockWitness, ErrorData, ErrorProposal

LARGEST_WORK = 5e4
"""Up to this size, levels times the sum of n^4 over the blocks, there are rungs above 0; real
matrices count a sixteenth, as complex ones of order n are real ones of order 2n to a solver."""

LARGEST_ROWS = 1000
"""Up to so many coordinates of Y there is a rung at 0."""


@dataclass(frozen=True)
class Evaluation:
    """What Y, W, U and M certify, evaluated and rounded down, in the program's own unit.

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
        action = replace(action, gaps=action.gaps / unit, gap_errors=action.gap_errors / unit)
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
        """Levels times the sum of n^4; see `LARGEST_WORK`."""
        return _work(self.setting.flows, counts_as_complex=self.program.layout.is_complex)

    @property
    def reason(self) -> str | None:
        """Why some bounds are left out, or None."""
        if self.program.rows > LARGEST_ROWS:
            return f"no bound on R: {self.program.rows} entries of Y are more than {LARGEST_ROWS}"
        if self.work > LARGEST_WORK:
            return (
                "no bound on R above T = 0 but by T alone: the levels times the sum of n^4 over "
                f"the Kossakowski blocks of order n are {self.work:.0f}, more than "
                f"{LARGEST_WORK:.0f}"
            )
        return None

    def covers(self, distance: float) -> bool:
        """Whether the system is small enough for a bound at this distance."""
        small = self.program.rows <= LARGEST_ROWS
        return small and (distance == 0 or self.work <= LARGEST_WORK)

    def covers_exclusion(self, distance: float) -> bool:
        """Whether it is small enough for excluding this distance."""
        return distance == 0 or _work(self.setting.flows) <= LARGEST_WORK

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
        """The repaired witness if it excludes T <= a for all allowed rates, else None.

        Rates of 0 in all regions have no unique steady state.
        """
        y = proposal.multiplier
        if not _is_finite(proposal):
            return None
        steady = [region.of(y, _largest(y)) for region in self._level_program.uncertainty.regions]
        smallest, blocks = self.smallest(self.level_blocks, proposal, distance, np.array(steady))
        positive = float(rates.smallest(smallest)) > 0 or float(smallest.min()) > 0
        return replace(proposal, blocks=blocks) if positive else None

    def bound(
        self, proposal: ErrorProposal, distance: float, rates: RateBounds
    ) -> tuple[float, ErrorProposal]:
        """b(a) from below, at least 0, and the repaired witness."""
        y = proposal.multiplier
        if not _is_finite(proposal):
            return 0.0, proposal
        largest = self.program.layout.norm(y, "spectral")
        smallest, blocks = self.smallest(
            self.data.action.blocks, proposal, distance, self.steady_allowance(y)
        )
        value = -float(self.data.source @ y) + float(rates.smallest(smallest))
        value -= self.program.uncertainty.action * largest
        value -= SAFETY * len(y) * UNIT_ROUNDOFF * float(np.abs(self.data.source) @ np.abs(y))
        value -= self.data.limit * self.felt(proposal, distance, largest)
        size = self._commutator(y) * (self.data.size + self.size_error)
        witness = replace(proposal, blocks=blocks)
        return (max(0.0, value / size * (1 - 8 * UNIT_ROUNDOFF)) if size > 0 else 0.0), witness

    def steady_allowance(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far A(Y) can be wrong, in operator norm, shape (regions,)."""
        largest = self.program.layout.norm(y, "spectral")
        return np.array([region.of(y, largest) for region in self.program.uncertainty.regions])

    @cached_property
    def frame_error(self) -> float:
        """`SAFETY` times ||[delta H, .]||, H + delta H being diagonal in the computed levels."""
        sectors = self.setting.reference.spectrum.sectors
        return SAFETY * 2 * max(one.uncertainty for one in sectors) / self.setting.program.unit

    def _commutator(self, y: NDArray[np.float64]) -> float:
        """||[H_S, Y]||_F from above: H_S is diagonal in the computed levels up to eta."""
        weights = self.data.gaps + SAFETY * self.data.action.gap_errors
        size = float(np.linalg.norm(weights * y)) * (1 + len(y) * UNIT_ROUNDOFF)
        return size + self.frame_error * float(np.linalg.norm(y))

    def felt(self, proposal: ErrorProposal, distance: float, largest: float) -> float:
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

    def smallest(
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


def _work(flows: Sequence[FlowBlock], *, counts_as_complex: bool = False) -> float:
    levels = flows[0].coefficients.shape[0]
    shares = (1.0 if counts_as_complex or flow.is_complex else 1 / 16 for flow in flows)
    return float(sum(levels * flow.size**4 * s for flow, s in zip(flows, shares, strict=True)))


def _is_finite(proposal: ErrorProposal) -> bool:
    """Whether there is no nan and no infinity in it, with which no comparison means anything."""
    matrices = [
        matrix
        for own in proposal.blocks
        for matrix in (own.below, own.above, *own.emptied.values())
    ]
    arrays = (proposal.multiplier, proposal.locals, *matrices)
    return all(bool(np.isfinite(array).all()) for array in arrays)


def _repaired(given: BlockWitness, levels: NDArray[Any]) -> BlockWitness:
    """W, U and M_g raised by multiples of 1 until their conditions hold for every level."""
    one = np.eye(len(given.below))
    emptied = {g: m + max(0.0, -_lowest(m)) * one for g, m in given.emptied.items()}
    largest, unit = _norm(levels), 8 * UNIT_ROUNDOFF
    low = min(_lowest(given.below + level) for level in levels)
    low -= unit * (largest + _norm(given.below))
    high = min(
        _lowest(given.above - level + emptied[g]) - unit * _norm(emptied[g])
        if g in emptied
        else _lowest(given.above - level)
        for g, level in enumerate(levels)
    )
    high -= unit * (largest + _norm(given.above))
    return BlockWitness(
        below=given.below + max(0.0, -low) * one,
        above=given.above + max(0.0, -high) * one,
        emptied=emptied,
    )


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
