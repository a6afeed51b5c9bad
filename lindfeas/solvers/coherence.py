"""The programs behind bounds on the error of the leading coherences, through cvxpy.

As in `lindfeas.solvers.conic`, what comes back is raw material:
`lindfeas.answers.coherence_witness` evaluates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.program.hermitian import coordinate_count, hermitian_coordinates, hermitian_matrix
from lindfeas.program.level_action import LevelAction, LevelBlock
from lindfeas.program.rates import RateBounds
from lindfeas.solvers.conic import positive, rule_margin
from lindfeas.solvers.running import run

_LOOSE = {"tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9, "accept_unknown": True}

LOOSE_SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "CLARABEL": (_LOOSE, {**_LOOSE, "static_regularization_constant": 1e-7})
}
"""Looser than elsewhere: what is found is repaired, and the last digits of a bound on a relative
error cost as many iterations as all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockWitness:
    """W, U and M of one Kossakowski block, in the notation of the theorem.

    Parameters
    ----------
    below, above
        W and U, Hermitian, shape (n, n).
    emptied
        M_g of the levels that have one.
    """

    below: NDArray[Any]
    above: NDArray[Any]
    emptied: dict[int, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorProposal:
    """What a solver suggests.

    Parameters
    ----------
    multiplier
        Coordinates of Y, shape (rows,).
    blocks
        One witness per Kossakowski block.
    locals
        Coordinates of the K^r that local Hamiltonians are compared with, all regions together.
    claimed
        The bound as the solver reports it.
    """

    multiplier: NDArray[np.float64]
    blocks: tuple[BlockWitness, ...]
    locals: NDArray[np.float64]
    claimed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorData:
    """A question about coherences in the unit of its program.

    Parameters
    ----------
    action
        What the Lindbladians do to every level.
    populations
        p, shape (d,).
    source
        Coordinates of X = L2(rho0), shape (rows,).
    gaps
        |E_a - E_b| of every coordinate, shape (rows,).
    size
        ||rho2||_F.
    regions
        Where the coordinates of every region's local Hamiltonian stand.
    limit
        h.
    """

    action: LevelAction
    populations: NDArray[np.float64]
    source: NDArray[np.float64]
    gaps: NDArray[np.float64]
    size: float
    regions: dict[int, slice]
    limit: float


def least_error(
    data: ErrorData, distance: float, rates: RateBounds, margin: float | None, solver: str
) -> ErrorProposal | None:
    """Y, W, U and M with the largest bound on R for T <= ``distance``.

    Parameters
    ----------
    margin
        Demand s_r >= margin of every region, so that any rates are allowed and the smallest ones
        count; None for the rate rule as it is.
    """
    import cvxpy as cp

    off = data.action.is_off_diagonal
    free, turned = cp.Variable(int((~off).sum())), cp.Variable(int(off.sum()))
    y = (
        _spread(~off, np.ones(len(off))) @ free
        + _spread(off, 1 / np.where(off, data.gaps, 1)) @ turned
    )
    smallest = cp.Variable(1 + max(block.region for block in data.action.blocks))
    cones = _Cones(data.action.blocks, y, smallest, data.populations, distance, cp)
    constraints = [*cones.constraints, cp.norm2(turned) <= 1, cp.sum(free) == 0]  # 1 does nothing
    gain: Any = cp.Variable()
    if margin is None:
        constraints += rule_margin(rates, smallest, gain, cp)
    else:
        low = np.zeros(len(rates.lower)) if rates.total is not None else np.array(rates.lower)
        constraints += [smallest >= margin, gain == low @ smallest]
    local = cp.Variable(data.action.shifts.shape[2]) if data.regions else None
    felt = _felt(data, distance, y, local, constraints, cp)
    value = (-data.source @ y + gain - data.limit * felt) / data.size
    stated = cp.Problem(cp.Maximize(value), constraints)
    run(stated, solver, LOOSE_SETTINGS.get(solver))
    if y.value is None:
        return None
    found = np.zeros(data.action.shifts.shape[2])
    if local is not None and local.value is not None:
        found = np.asarray(local.value)
    return ErrorProposal(
        multiplier=np.asarray(y.value),
        blocks=cones.witnesses(),
        locals=found,
        claimed=float(stated.value),
    )


def exclusion(
    blocks: Sequence[LevelBlock],
    populations: NDArray[np.float64],
    distance: float,
    rates: RateBounds,
    solver: str,
) -> ErrorProposal | None:
    """A diagonal y in [-1, 1]^d that excludes T <= ``distance`` by as much as possible.

    Where the rule demands no rate, the smallest s_r counts; else the rule's sum of t_r s_r.

    Parameters
    ----------
    blocks
        B[k, g], with a row for every level k.
    """
    import cvxpy as cp

    y = cp.Variable(len(populations))
    smallest, gain = cp.Variable(1 + max(block.region for block in blocks)), cp.Variable()
    cones = _Cones(blocks, y, smallest, populations, distance, cp)
    constraints = [*cones.constraints, cp.abs(y) <= 1]
    if rates.demanded > 0:
        constraints += rule_margin(rates, smallest, gain, cp)
    else:
        constraints.append(smallest >= gain)
    run(cp.Problem(cp.Maximize(gain), constraints), solver, LOOSE_SETTINGS.get(solver))
    if y.value is None:
        return None
    clipped = np.clip(np.asarray(y.value), -1.0, 1.0)
    return ErrorProposal(multiplier=clipped, blocks=cones.witnesses(), locals=np.zeros(0))


class _Cones:
    """W + B_g >= 0, U - B_g + M_g >= 0, A - a (W + U) - sum_g p_g M_g >= s_r.

    The unknowns are a W, a U and a M_g, so that all matrices are of the size of A. M_g exists
    where p_g < a, and costs p_g / a < 1 of it.
    """

    def __init__(
        self,
        blocks: Sequence[LevelBlock],
        y: Any,
        smallest: Any,
        populations: NDArray[np.float64],
        distance: float,
        cp: Any,
    ) -> None:
        self.blocks, self.distance = blocks, distance
        self.constraints: list[Any] = []
        self.parts: list[Any] = []
        rare = np.flatnonzero(populations < distance)
        for block in blocks:
            count = coordinate_count(block.size, block.is_complex)
            below, above = cp.Variable(count), cp.Variable(count)
            emptied = cp.Variable((len(rare), count)) if len(rare) else None
            self.parts.append((below, above, dict(enumerate(rare)), emptied))
            steady = _coordinates(block, block.of_state(populations)).T @ y
            if distance > 0:
                steady = steady - below - above
                if emptied is not None:
                    steady = steady - (populations[rare] / distance) @ emptied
                self._levels(block, y, self.parts[-1], rare, cp)
            self._positive(block, steady, cp, smallest[block.region])

    def _levels(self, block: LevelBlock, y: Any, part: Any, rare: Any, cp: Any) -> None:
        """The conditions of every level, and that M_g is positive."""
        below, above, _, emptied = part
        levels, count = block.coefficients.shape[1], below.size
        rows = self.distance * _coordinates(block, block.coefficients)  # (rows, levels, count)
        flat = np.ascontiguousarray(rows.transpose(1, 2, 0)).reshape(levels * count, -1)
        tilt = cp.Variable(levels * count)
        self.constraints.append(tilt == flat @ y)
        place = {int(level): number for number, level in enumerate(rare)}
        if block.size == 1:
            spare: Any = 0
            if emptied is not None:
                pick = np.zeros((levels, len(rare)))
                pick[rare, np.arange(len(rare))] = 1
                spare = pick @ emptied[:, 0]
                self.constraints.append(emptied >= 0)
            self.constraints += [below + tilt >= 0, above - tilt + spare >= 0]
            return
        for level in range(levels):
            own = tilt[level * count : (level + 1) * count]
            self._positive(block, below + own, cp)
            room = above - own
            if level in place:
                self._positive(block, emptied[place[level]], cp)
                room = room + emptied[place[level]]
            self._positive(block, room, cp)

    def _positive(self, block: LevelBlock, coordinates: Any, cp: Any, smallest: Any = 0) -> None:
        self.constraints.append(positive(coordinates, block.size, block.is_complex, smallest, cp))

    def witnesses(self) -> tuple[BlockWitness, ...]:
        """The values, divided by a; zero where there are none."""
        found = []
        for block, (below, above, rare, emptied) in zip(self.blocks, self.parts, strict=True):

            def matrix(values: Any, block: LevelBlock = block) -> NDArray[Any]:
                return hermitian_matrix(values, block.size, block.is_complex)

            known = self.distance > 0 and below.value is not None
            zero = np.zeros(below.size)
            values = [
                np.asarray(one.value) / self.distance if known else zero for one in (below, above)
            ]
            own = {
                int(level): matrix(np.asarray(emptied.value)[number] / self.distance)
                for number, level in rare.items()
                if known
            }
            found.append(
                BlockWitness(
                    below=matrix(values[0]),
                    above=matrix(values[1]),
                    emptied=own,
                )
            )
        return tuple(found)


def _felt(
    data: ErrorData, distance: float, y: Any, local: Any, constraints: list[Any], cp: Any
) -> Any:
    """sum_r ( ||N^r|| + 2 a max_g ||N^r_g - K^r|| ); constraints are added."""
    total: Any = 0
    steady = np.einsum("g,mgk->km", data.populations, data.action.shifts)
    for span in data.regions.values():
        total = total + cp.norm2(steady[span] @ y)
        if distance > 0:
            most = cp.Variable()
            for level in range(len(data.populations)):
                own = data.action.shifts[:, level, span].T @ y - local[span]
                constraints.append(cp.norm2(own) <= most)
            total = total + 2 * distance * most
    return total


def _spread(places: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix that puts numbers, times their weights, into some places of a longer vector."""
    spread: NDArray[np.float64] = np.diag(weights)[:, places]
    return spread


def _coordinates(block: LevelBlock, stack: NDArray[Any]) -> NDArray[np.float64]:
    """Real coordinates of Hermitian matrices of a block's order."""
    return np.ascontiguousarray(hermitian_coordinates(stack, block.is_complex).real)
