"""One step towards the nearest Lindbladian, a semidefinite program handed straight to Clarabel.

Around Gamma_0 with steady populations q (C_0 q = 0), the change of both is found together: over

    Gamma_b = R_b G_b R_b^dagger, G_b >= 0,   and   u,   p' = q (1 + u), |u_a| <= radius,

    minimise || q (1 + u) - p ||_1   subject to   C_0 (q u) + C(Gamma) q = 0

and the rate rule. That is C(Gamma) p' = 0 without the product of both changes. Positivity is
exact, so that ranks of Gamma may fall and rise, and populations count in proportion, so that those
of 1e-10 do not stop the others.

Hundreds of such programs of a few dozen unknowns are solved in one search, so that compiling each
through cvxpy would count. What comes back is a proposal, evaluated by its own steady state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lindfeas.program.flow import FlowBlock
from lindfeas.program.hermitian import coordinate_count, hermitian_coordinates, hermitian_matrix
from lindfeas.program.rates import RateBounds

FLOOR = 1e-3
"""Eigenvalues of R R^dagger are at least this times the radius times the mean of the largest."""

MOST_ITERATIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a step leads to, not yet repaired or evaluated.

    Parameters
    ----------
    gammas
        Gamma.
    change
        q u, what is predicted for p' - q.
    distance
        The T that is predicted.
    """

    gammas: list[NDArray[Any]]
    change: NDArray[np.float64]
    distance: float


class StepProgram:
    """What does not change from step to step."""

    def __init__(
        self, flows: Sequence[FlowBlock], populations: NDArray[np.float64], rates: RateBounds
    ) -> None:
        self.flows, self.populations, self.rates = flows, populations, rates
        self.counts = [coordinate_count(flow.size, flow.is_complex) for flow in flows]
        self.starts = np.cumsum([0, *self.counts])
        self.levels = len(populations)
        self.positive = [positive_rows(flow.size, flow.is_complex) for flow in flows]
        self.regions = 1 + max(flow.region for flow in flows)

    def propose(
        self,
        gammas: Sequence[NDArray[Any]],
        generator: NDArray[np.float64],
        steady: NDArray[np.float64],
        radius: float,
        neglected: NDArray[np.float64] | None = None,
    ) -> Proposal | None:
        """What the program ends in; None where the solver has nothing.

        Parameters
        ----------
        generator, steady
            C of ``gammas``, shape (d, d), and its steady populations, all > 0.
        neglected
            (C - C_0) (q u) of an earlier proposal, which is then part of the balance.
        """
        import clarabel

        largest = max(float(np.trace(gamma).real) for gamma in gammas)
        roots = [_root(gamma, FLOOR * min(radius, 1.0) * largest / len(gamma)) for gamma in gammas]
        matrix, right, zeros, bounded = self._rows(roots, generator, steady, radius)
        if neglected is not None:
            right[: self.levels] -= neglected / (steady * -np.diag(generator))
        unknowns, levels = self.starts[-1], self.levels
        cost = np.concatenate([np.zeros(unknowns + levels), np.ones(levels)])
        cones: list[Any] = [clarabel.ZeroConeT(zeros), clarabel.NonnegativeConeT(bounded)]
        for order, _ in self.positive:
            cones.append(clarabel.PSDTriangleConeT(order))
        settings = clarabel.DefaultSettings()
        settings.verbose, settings.max_iter, settings.max_threads = False, MOST_ITERATIONS, 1
        empty = sp.csc_matrix((len(cost), len(cost)))
        solver = clarabel.DefaultSolver(empty, cost, matrix, right, cones, settings)
        found = np.array(solver.solve().x)
        size = float(np.abs(steady - self.populations).sum()) or 1.0
        if not np.isfinite(found).all():
            return None
        changed = []
        for flow, root, start, count in zip(
            self.flows, roots, self.starts, self.counts, strict=False
        ):
            inner = hermitian_matrix(found[start : start + count], flow.size, flow.is_complex)
            changed.append(root @ inner @ root.conj().T)
        return Proposal(
            gammas=changed,
            change=steady * found[unknowns : unknowns + levels],
            distance=float(np.sum(found[-levels:])) * size / 2,
        )

    def _rows(
        self,
        roots: Sequence[NDArray[Any]],
        generator: NDArray[np.float64],
        steady: NDArray[np.float64],
        radius: float,
    ) -> tuple[sp.csc_matrix, NDArray[np.float64], int, int]:
        """(A, b, equalities, inequalities) of A x + s = b for x = (G, u, moduli)."""
        unknowns, levels = int(self.starts[-1]), self.levels
        effect = np.hstack(
            [
                _coordinates(root.conj().T @ flow.of_state(steady).transpose(0, 2, 1) @ root, flow)
                for flow, root in zip(self.flows, roots, strict=True)
            ]
        )
        weights = steady * -np.diag(generator)
        none = np.zeros((levels, levels))
        balance = np.hstack([effect, generator * steady, none]) / weights[:, None]
        whole = np.concatenate([np.zeros(unknowns), steady, np.zeros(levels)])[None]
        equal, limits, most, least = self._traces(roots)
        # 1-norm in units of its present value
        size = float(np.abs(steady - self.populations).sum()) or 1.0
        off, moved = (self.populations - steady) / size, np.diag(steady) / size
        empty, unit = np.zeros((levels, unknowns)), np.eye(levels)
        upper = [
            np.hstack([empty, moved, -unit]),
            np.hstack([empty, -moved, -unit]),
            np.hstack([empty, unit, none]),
            np.hstack([empty, -unit, none]),
        ]
        positive = [
            sp.hstack(
                [
                    sp.csr_matrix((rows.shape[0], start)),
                    -rows,
                    sp.csr_matrix((rows.shape[0], unknowns + 2 * levels - start - count)),
                ]
            )
            for (_, rows), start, count in zip(
                self.positive, self.starts, self.counts, strict=False
            )
        ]
        zero = np.vstack([balance, whole, equal])
        bounded = np.vstack([*upper, limits, -limits])
        right = [np.zeros(levels + 1), most[: len(equal)], off, -off, np.full(2 * levels, radius)]
        right += [most[len(equal) :], -least[len(equal) :]]
        right.append(np.zeros(sum(rows.shape[0] for rows in positive)))
        matrix = sp.vstack([sp.csr_matrix(zero), sp.csr_matrix(bounded), *positive], format="csc")
        return matrix, np.concatenate(right), len(zero), len(bounded)

    def _traces(self, roots: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float64], ...]:
        """(rows of traces that are given, rows of traces between limits, most, least)."""
        rows = np.zeros((self.regions, int(self.starts[-1]) + 2 * self.levels))
        for flow, root, start, count in zip(
            self.flows, roots, self.starts, self.counts, strict=False
        ):
            rows[flow.region, start : start + count] = _coordinates(
                (root.conj().T @ root)[None], flow
            )[0]
        most, least = np.array(self.rates.upper), np.array(self.rates.lower)
        if self.rates.total is not None:
            return rows.sum(axis=0)[None], rows[:0], np.array([self.rates.total]), np.zeros(1)
        if self.rates.are_free:
            return rows[:0], rows, most, least
        return rows, rows[:0], most, least


def positive_rows(size: int, is_complex: bool) -> tuple[int, sp.csr_matrix]:
    """(order, map) from coordinates of a Hermitian matrix to Clarabel's triangle of a real one.

    A complex matrix X + iY is positive where [[X, -Y], [Y, X]] is.
    """
    basis = np.array(
        [
            hermitian_matrix(unit, size, is_complex)
            for unit in np.eye(coordinate_count(size, is_complex))
        ]
    )
    if is_complex:
        basis = np.block([[basis.real, -basis.imag], [basis.imag, basis.real]])
    order = basis.shape[-1]
    places = [(i, j) for j in range(order) for i in range(j + 1)]
    scale = np.array([1.0 if i == j else np.sqrt(2) for i, j in places])
    above, left = np.array(places).T
    return order, sp.csr_matrix((basis[:, above, left] * scale).T)


def _coordinates(stack: NDArray[Any], flow: FlowBlock) -> NDArray[np.float64]:
    found: NDArray[np.float64] = hermitian_coordinates(stack, flow.is_complex).real
    return found


def _root(gamma: NDArray[Any], floor: float) -> NDArray[Any]:
    """R with R R^dagger = Gamma + floor."""
    values, vectors = np.linalg.eigh(gamma)
    root: NDArray[Any] = vectors * np.sqrt(np.maximum(values, 0.0) + floor)
    return root
