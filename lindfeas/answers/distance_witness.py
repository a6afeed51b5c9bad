"""Certified lower bounds on the trace distance between true and Lindblad steady populations.

With v = C(Gamma)^T y and B^r_a(y) from `lindfeas.program.flow`, every Lindbladian of a convex set
of Gamma with steady populations p' has ||p - p'||_1 >= L if there are y and Hermitian K^r such
that, for all Gamma of the set, all levels a and both signs,

    sum_r <Gamma^r, A^r(y) -/+ (L B^r_a(y) - K^r)> > 0.

For then y.C p > max_a |L v_a - k| with k = sum_r <Gamma^r, K^r>, while y.C p = v.(p - p') because
C p' = 0, which is (1/L) sum_a (L v_a - k)(p_a - p'_a) because sum(p - p') = 0, and so at most
(1/L) (y.C p) ||p - p'||_1.

One y for all allowed Gamma leaves a gap. So their set is cut into cells, by hyperplanes
sum_b w_b tr Gamma_b = 0 with one weight for every Kossakowski block, and every cell has a (y, K)
of its own. In a cell where sum_b w_jb tr Gamma_b >= 0 the condition follows, with slopes m_ja >= 0,
from

    sum_r t_r min_b [ lambda_min( A_b(y) -/+ (L B_ba(y) - K_b) ) - sum_j m_ja w_jb ] > 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.flow import FlowBlock
from lindfeas.program.program import Program
from lindfeas.program.rounding import SAFETY
from lindfeas.solvers.distance import WitnessProgram

CLOSE = 1.1
"""The ceiling is close if it is at most this many times the length: then nothing more is cut."""

CELLS = 4
"""Most cells."""

ROUNDS = 12
"""Most solves for one cell."""

GAIN = 1e-3
"""Stop when a solve lengthens relatively less than this."""

FIRST = 1.5
"""The first length tried is the ceiling divided by this."""

NEGLIGIBLE = 1e-6
"""Shares of a relaxation below this fraction of the largest are noise."""

BISECTIONS = 26


_Place = tuple[bool, ...]
"""Where a cell lies: above or below the first cut, then above or below the next, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What certifies a length for all Gamma of one cell.

    Parameters
    ----------
    multiplier
        y, shape (d,), entries between -1 and 1.
    shifts
        K, one matrix per Kossakowski block.
    slopes
        m, shape (cuts around the cell, 2d): all levels for sign +, then for sign -.
    """

    multiplier: NDArray[np.float64]
    shifts: list[NDArray[Any]]
    slopes: NDArray[np.float64]

    def scaled(self, ratio: float) -> Cell:
        """The same for ``ratio`` times the length; what holds for a length holds for shorter ones.

        The matrices of a shorter length are the mean of those of both signs, with weights
        (1 +- ratio) / 2, and so are the slopes.
        """
        slopes = (1 + ratio) / 2 * self.slopes
        slopes += (1 - ratio) / 2 * np.roll(self.slopes, len(self.multiplier), axis=1)
        shifts = [ratio * shift for shift in self.shifts]
        return replace(self, shifts=shifts, slopes=np.maximum(slopes, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Gamma is on one side or the other: sum_b w_b tr Gamma_b >= 0 (above) or <= 0 (below).

    Parameters
    ----------
    weights
        w, one number per Kossakowski block, shape (blocks,).
    """

    weights: NDArray[np.float64]
    above: Cell | Cut
    below: Cell | Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What certifies ||p - p'||_1 >= length for all allowed Lindbladians.

    Parameters
    ----------
    length
        L; the trace distance is at least half of it.
    whole
        The cell of all allowed Gamma, or how it is cut.
    regions
        The number of the region of every Kossakowski block.
    """

    length: float
    whole: Cell | Cut
    regions: tuple[int, ...]

    def shortened(self, ratio: float) -> Witness:
        """The witness of ``ratio`` <= 1 times the length."""
        return replace(self, length=ratio * self.length, whole=_scaled(self.whole, ratio))


def distance_witness(
    program: Program,
    reference: Redfield,
    flows: Sequence[FlowBlock],
    multiplier: NDArray[np.float64],
    ceiling: float,
    solver: str,
    *,
    cells: int = CELLS,
    rounds: int = ROUNDS,
    stop: Callable[[], bool] = lambda: False,
) -> Witness | None:
    """The largest certified length found, starting from a multiplier of tau_pop.

    The cell that certifies least is cut in two until ``ceiling`` (2 T of a Lindbladian) is close,
    or there are ``cells`` of them.

    Parameters
    ----------
    rounds
        Most solves for one cell.
    stop
        Asked between solves.
    """
    start = Cell(
        multiplier=multiplier,
        shifts=[np.zeros((flow.size,) * 2) for flow in flows],
        slopes=np.zeros((0, 2 * len(multiplier))),
    )
    search = _Search(program, reference, flows, ceiling, solver, cells, rounds, stop)
    length = search.reach(start, 1.0, (), 0.0)
    if not length:  # so far below the ceiling that the bisection ends at zero
        return None
    whole = search.lengthen(_Found(cell=start.scaled(length), length=length, cuts=()))
    found: dict[_Place, _Found] = {(): whole}
    cuts: dict[_Place, NDArray[np.float64]] = {}
    while len(found) < cells and not stop():
        place = min(found, key=lambda at: found[at].length)
        worst = found[place]
        weights = None if worst.shares is None else _direction(worst.shares)
        if worst.length * CLOSE >= ceiling or weights is None:
            break
        cuts[place] = weights
        for side, normal in ((True, weights), (False, -weights)):
            found[(*place, side)] = search.lengthen(worst.inside(normal))
        del found[place]
    length = min(one.length for one in found.values())
    leaves = {at: one.cell.scaled(length / one.length) for at, one in found.items()}
    regions = tuple(flow.region for flow in flows)
    return Witness(length=length, whole=_tree((), cuts, leaves), regions=regions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A cell, the length that it certifies, its cuts, and how the last relaxation spread Gamma."""

    cell: Cell
    length: float
    cuts: tuple[NDArray[np.float64], ...]
    shares: NDArray[np.float64] | None = None

    def inside(self, weights: NDArray[np.float64]) -> _Found:
        """The part of the cell above one more cut: what holds for the cell holds there."""
        slopes = np.vstack([self.cell.slopes, np.zeros((1, 2 * len(self.cell.multiplier)))])
        cell = replace(self.cell, slopes=slopes)
        return replace(self, cell=cell, cuts=(*self.cuts, weights))


class _Search:
    """Solves for the witness of a cell and evaluates what it certifies."""

    def __init__(
        self,
        program: Program,
        reference: Redfield,
        flows: Sequence[FlowBlock],
        ceiling: float,
        solver: str,
        cells: int,
        rounds: int = ROUNDS,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.program, self.reference, self.flows, self.ceiling = program, reference, flows, ceiling
        self.solver, self.cells, self.rounds, self.stop = solver, cells, rounds, stop
        self.steady = [flow.of_state(reference.populations) for flow in flows]

    @cached_property
    def witness_program(self) -> WitnessProgram:
        """Compiled once, for as many cuts as a cell can have."""
        populations, rates = self.reference.populations, self.program.rates
        most = max(self.cells - 1, 1)
        return WitnessProgram(self.flows, populations, rates, most, self.solver)

    def lengthen(self, found: _Found) -> _Found:
        """Solve for a length, certify what comes back, and on from there.

        What a solution for one length certifies is longer, as in Dinkelbach's method for ratios.
        The next trial is where the secant of the last two margins vanishes, if that is longer
        still; a trial for which nothing is certified was too long.
        """
        trial, tried = max(found.length, self.ceiling / FIRST), []
        for _ in range(self.rounds):
            if self.stop():
                break
            proposal = self.witness_program.solve(trial, found.cuts)
            if proposal is None:
                break
            cell = Cell(
                multiplier=proposal.multiplier, shifts=proposal.shifts, slopes=proposal.slopes
            )
            length = self.reach(cell, trial, found.cuts, found.length)
            if length is not None:
                tried.append((trial, proposal.margin))
                cell = cell.scaled(length / trial)
                found = replace(found, cell=cell, length=length, shares=proposal.shares)
                trial = min(max(length, _vanishing(tried)), self.ceiling)
            elif trial <= found.length * (1 + GAIN):
                break
            else:
                trial = float(np.sqrt(trial * found.length))
            if len(tried) > 1 and trial <= found.length * (1 + GAIN):
                break
        return found

    def reach(
        self,
        cell: Cell,
        nominal: float,
        cuts: Sequence[NDArray[np.float64]],
        known: float,
    ) -> float | None:
        """The largest length above ``known`` that a cell certifies, whose shifts are for another.

        What holds for ``nominal`` holds below it; what is above is tried.
        """
        y, table = cell.multiplier, np.array(cuts).reshape(len(cuts), len(self.flows))
        bases = [np.tensordot(y, rows, axes=1) for rows in self.steady]
        tilts = [
            flow.of_multiplier(y) - shift / nominal
            for flow, shift in zip(self.flows, cell.shifts, strict=True)
        ]
        fixed, growing = self._rounding(y)

        def holds(length: float) -> bool:
            slopes = cell.scaled(length / nominal).slopes
            paid = table.T @ slopes + 8 * UNIT_ROUNDOFF * np.abs(table).T @ slopes
            smallest = self._smallest(bases, [length * tilt for tilt in tilts], paid)
            smallest -= (fixed + length * growing)[:, None]
            return bool(self.program.rates.smallest(smallest).min() > 0)

        low = known * (1 + GAIN / 10)
        if not holds(low):
            return None
        high = max(self.ceiling, low)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return low

    def _smallest(
        self,
        bases: Sequence[NDArray[Any]],
        tilts: Sequence[NDArray[Any]],
        paid: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """min_b (lambda_min(base_b -/+ tilt_ba) - paid_ba) - rounding, shape (regions, 2d)."""
        smallest = np.full((len(self.program.regions), paid.shape[1]), np.inf)
        for flow, base, tilt, cost in zip(self.flows, bases, tilts, paid, strict=True):
            matrices = np.concatenate([base - tilt, base + tilt])
            values = np.linalg.eigvalsh(matrices) if flow.size > 1 else matrices[:, 0].real
            error = 8 * flow.size * UNIT_ROUNDOFF * np.abs(values).max(axis=1)
            found = values[:, 0] - cost - error
            smallest[flow.region] = np.minimum(smallest[flow.region], found)
        return smallest

    def _rounding(self, y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What rounded levels and populations can do to the eigenvalues of every region.

        Returns
        -------
        (what does not depend on the length, what is multiplied by it), each of shape (regions,)
        """
        reference, levels = self.reference, len(y)
        largest = float(np.abs(y).max(initial=0.0))
        angle = float(reference.spectrum.rotation_angles().sum(axis=1).max(initial=0.0))
        dimensions = [reference.system.region_dimension(bath) for bath in reference.system.baths]
        single = 4 * np.array(dimensions) / levels * (2 * angle + levels * UNIT_ROUNDOFF)
        fixed = [region.of(y, largest) for region in self.program.uncertainty.regions]
        return np.array(fixed), SAFETY * largest * single


def _vanishing(tried: Sequence[tuple[float, float]]) -> float:
    """Where the line through the last two (length, margin) is zero; 0 if there is no such place."""
    if len(tried) < 2:
        return 0.0
    (before, more), (now, less) = tried[-2:]
    return now + less * (now - before) / (more - less) if more > less and now > before else 0.0


def _direction(shares: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Weights of a cut through the mean of what a relaxation mixes, across its largest spread.

    Parameters
    ----------
    shares
        See `Proposal`; shape (blocks, 2d).

    Returns
    -------
    Shape (blocks,), the largest absolute weight 1; None if nothing is mixed.
    """
    totals = shares.sum(axis=0)
    used = totals > NEGLIGIBLE * totals.max(initial=0.0)
    if not used.any():
        return None
    weights = totals[used] / totals[used].sum()
    mixed = shares[:, used] / totals[used]
    mean = mixed @ weights
    spread, sizes, _ = np.linalg.svd((mixed - mean[:, None]) * np.sqrt(weights))
    if sizes[0] < NEGLIGIBLE:
        return None
    normal = spread[:, 0] - spread[:, 0] @ mean
    direction: NDArray[np.float64] = normal / np.abs(normal).max()
    return direction


def _tree(
    place: _Place, cuts: dict[_Place, NDArray[np.float64]], cells: dict[_Place, Cell]
) -> Cell | Cut:
    """The cells at and below a place."""
    if place in cells:
        return cells[place]
    above, below = (_tree((*place, side), cuts, cells) for side in (True, False))
    return Cut(weights=cuts[place], above=above, below=below)


def _scaled(part: Cell | Cut, ratio: float) -> Cell | Cut:
    if isinstance(part, Cell):
        return part.scaled(ratio)
    return replace(part, above=_scaled(part.above, ratio), below=_scaled(part.below, ratio))
