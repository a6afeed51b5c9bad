"""The program behind sharp trace distances, through cvxpy.

As in `lindfeas.solvers.conic`, what comes back is raw material:
`lindfeas.answers.distance_witness` evaluates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.program.flow import FlowBlock
from lindfeas.program.hermitian import coordinate_count, hermitian_coordinates, hermitian_matrix
from lindfeas.program.rates import RateBounds
from lindfeas.solvers.conic import positive, rule_margin
from lindfeas.solvers.running import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a solver suggests for a claimed length.

    Parameters
    ----------
    multiplier
        y, shape (d,).
    shifts
        K, one matrix per Kossakowski block.
    slopes
        Multipliers of the cuts, shape (cuts, 2d): levels for sign +, then for sign -.
    shares
        How the relaxation spreads tr Gamma over the blocks, for every level and sign: shape
        (blocks, 2d). Were it exact, all columns would be parallel.
    margin
        As the solver reports it.
    """

    multiplier: NDArray[np.float64]
    shifts: list[NDArray[Any]]
    slopes: NDArray[np.float64]
    shares: NDArray[np.float64]
    margin: float


class WitnessProgram:
    """y, K and slopes m with the largest margin for a claimed distance ||p - p'||_1 >= L.

    Maximise over y in [-1, 1]^d, Hermitian K and m >= 0 the smallest value, over levels a and both
    signs, of sum_r t_r min_b [lambda_min( A_b(y) -/+ (L B_ba(y) - K_b) ) - sum_j m_ja w_jb], all
    divided by L. It is compiled once for all L and all weights w of the cuts.

    Parameters
    ----------
    cuts
        How many cuts there can be.
    """

    def __init__(
        self,
        flows: Sequence[FlowBlock],
        populations: NDArray[np.float64],
        rates: RateBounds,
        cuts: int,
        solver: str,
    ) -> None:
        import cvxpy as cp

        levels, regions = len(populations), 1 + max(flow.region for flow in flows)
        self.flows, self.solver = flows, solver
        self.inverse = cp.Parameter(nonneg=True)
        self.weights = cp.Parameter((cuts, len(flows)))
        self.y = cp.Variable(levels)
        self.slopes = cp.Variable((cuts, 2 * levels), nonneg=True)
        self.shifts = [cp.Variable(coordinate_count(flow.size, flow.is_complex)) for flow in flows]
        smallest, margin = cp.Variable((regions, 2 * levels)), cp.Variable()
        constraints: list[Any] = [cp.abs(self.y) <= 1]
        constraints += rule_margin(rates, smallest, margin, cp)
        self.links = []
        for number, (flow, shift) in enumerate(zip(flows, self.shifts, strict=True)):
            lowest = cp.Variable(2 * levels)
            constraints += self._cones(flow, shift, lowest, populations, cp)
            paid = self.weights[:, number] @ self.slopes
            self.links.append(smallest[flow.region] <= lowest - paid)
        self.program = cp.Problem(cp.Maximize(margin), constraints + self.links)

    def solve(self, length: float, weights: Sequence[NDArray[np.float64]]) -> Proposal | None:
        """What the solver suggests, for fewer cuts than there can be or as many; None if it fails.

        A cut that is not used says sum_b tr Gamma_b >= 0, which is no news.
        """
        table = np.ones(self.weights.shape)
        for row, given in zip(table, weights, strict=False):
            row[:] = given
        self.inverse.value, self.weights.value = 1 / length, table
        run(self.program, self.solver)
        if self.y.value is None or any(link.dual_value is None for link in self.links):
            return None
        return Proposal(
            multiplier=np.clip(self.y.value, -1.0, 1.0),
            shifts=[
                length * hermitian_matrix(np.asarray(shift.value), flow.size, flow.is_complex)
                for shift, flow in zip(self.shifts, self.flows, strict=True)
            ],
            slopes=length * np.maximum(self.slopes.value[: len(weights)], 0.0),
            shares=np.maximum([link.dual_value for link in self.links], 0.0),
            margin=float(self.program.value),
        )

    def _cones(
        self,
        flow: FlowBlock,
        shift: Any,
        lowest: Any,
        populations: NDArray[np.float64],
        cp: Any,
    ) -> list[Any]:
        """A(y) / L -/+ (B_a(y) - K) >= lowest for all levels a and both signs."""
        levels, count = len(populations), shift.size
        steady = hermitian_coordinates(flow.of_state(populations), flow.is_complex).real
        single = hermitian_coordinates(flow.coefficients, flow.is_complex).real
        rows = np.ascontiguousarray(single.transpose(0, 2, 1)).reshape(levels * count, levels)
        base, tilt = cp.Variable(count), cp.Variable(levels * count)
        cones = [
            base == self.inverse * (steady.T @ self.y),
            tilt == rows @ self.y - np.tile(np.eye(count), (levels, 1)) @ shift,
        ]
        if flow.size == 1:
            return [*cones, base - tilt >= lowest[:levels], base + tilt >= lowest[levels:]]
        for level in range(levels):
            own = tilt[level * count : (level + 1) * count]
            for matrix, place in ((base - own, level), (base + own, levels + level)):
                cones.append(positive(matrix, flow.size, flow.is_complex, lowest[place], cp))
        return cones
