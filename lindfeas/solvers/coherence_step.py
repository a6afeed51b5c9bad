"""The convex program behind one step towards a Lindbladian with the right coherences.

L'(rho0') = sum_g p'_g L'(|g><g|) is linear in (Gamma, H) and in p', and is linearised about a point
in both. What comes back is raw: `lindfeas.answers.nearest_coherent` repairs and evaluates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.program.hermitian import coordinate_count, hermitian_coordinates, hermitian_matrix
from lindfeas.program.program import Point, Program
from lindfeas.solvers.coherence import LOOSE_SETTINGS, ErrorData
from lindfeas.solvers.conic import apply_rule, positive
from lindfeas.solvers.running import run


@dataclass(frozen=True)
class StepProgram:
    """Least T or least R near a point, or as much of both as a weight says.

    Parameters
    ----------
    program, data
        The question in its own unit, and what Lindbladians do to every level.
    size
        What the coherences' error is divided by.
    solver
        Who solves it.
    """

    program: Program
    data: ErrorData
    size: float
    solver: str

    @cached_property
    def effects(self) -> NDArray[np.float64]:
        """tr(E_m L'(|g><g|)) per coordinate of all Gamma, then of all H_r: (rows, d, count)."""
        parts = [
            hermitian_coordinates(block.coefficients.conj(), block.is_complex).real
            for block in self.data.action.blocks
        ]
        return np.concatenate([*parts, self.data.action.shifts], axis=2)

    def start(self, weight: float) -> Point | None:
        """Least ||miss|| / size + weight * ||flow||_1 with p' = p: a convex program."""
        cp, unknown, constraints = self._unknowns()
        p = self.data.populations
        total = np.einsum("g,mgk->mk", p, self.effects) @ unknown
        flow, miss = self._parts(total)
        goal = cp.norm2(miss) + weight * cp.norm1(flow)
        return self._solved(cp.Problem(cp.Minimize(goal), constraints), unknown)

    def step(
        self,
        point: Point,
        steady: NDArray[np.float64],
        *,
        reach: float,
        distance: float | None = None,
        error: float | None = None,
    ) -> Point | None:
        """The point with the least R for T <= ``distance``, or the least T for R <= ``error``.

        To first order about ``point`` and its steady populations, which move by ``reach`` at most.
        """
        cp, unknown, constraints = self._unknowns()
        moved = cp.Variable(len(steady))
        known = self._coordinates(point)
        total = np.einsum("g,mgk->mk", steady, self.effects) @ unknown
        total = total + (self.effects @ known) @ moved
        flow, miss = self._parts(total)
        off = steady - self.data.populations
        apart, wrong = cp.norm1(moved + off) / 2, cp.norm2(miss)
        if distance is not None:
            goal, held = wrong, apart <= distance
        else:
            goal, held = apart, wrong <= error
        constraints += [
            flow == 0,
            held,
            cp.sum(moved) == 0,
            cp.abs(moved) <= reach,
            moved + steady >= 0,
        ]
        return self._solved(cp.Problem(cp.Minimize(goal), constraints), unknown)

    def _parts(self, total: Any) -> tuple[Any, Any]:
        """(what flows into the levels, the coherences' error) of coordinates of L'(rho0')."""
        off = self.data.action.is_off_diagonal
        weights = 1 / (self.data.gaps[off] * self.size)
        missing = np.multiply(weights[:, None], np.eye(len(off))[off])
        return total[np.flatnonzero(~off)], missing @ (total - self.data.source)

    def _unknowns(self) -> tuple[Any, Any, list[Any]]:
        """(cvxpy, all coordinates, what every allowed Lindbladian obeys)."""
        import cvxpy as cp

        unknown = cp.Variable(self.effects.shape[2])
        constraints: list[Any] = []
        traces: list[Any] = [0] * len(self.program.regions)
        at = 0
        for block in self.data.action.blocks:
            count = coordinate_count(block.size, block.is_complex)
            own = unknown[at : at + count]
            constraints.append(positive(own, block.size, block.is_complex, 0, cp))
            traces[block.region] = traces[block.region] + cp.sum(own[: block.size])
            at += count
        for span in self.data.regions.values():
            own = unknown[at + span.start : at + span.stop]
            constraints.append(cp.norm2(own) <= self.data.limit)
        return cp, unknown, [*constraints, *apply_rule(self.program.rates, traces)]

    def _coordinates(self, point: Point) -> NDArray[np.float64]:
        parts = [
            hermitian_coordinates(gamma[None], block.is_complex)[0].real
            for block, gamma in zip(self.data.action.blocks, point.gammas, strict=True)
        ]
        return np.concatenate([*parts, point.shift])

    def _solved(self, stated: Any, unknown: Any) -> Point | None:
        run(stated, self.solver, LOOSE_SETTINGS.get(self.solver))
        if unknown.value is None or not np.isfinite(unknown.value).all():
            return None
        gammas, at = [], 0
        for block in self.data.action.blocks:
            count = coordinate_count(block.size, block.is_complex)
            own = np.asarray(unknown.value[at : at + count])
            gammas.append(hermitian_matrix(own, block.size, block.is_complex))
            at += count
        return Point(gammas=gammas, shift=np.asarray(unknown.value[at:]))
