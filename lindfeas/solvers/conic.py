"""Semidefinite programs through cvxpy: the only place that knows it.

What comes back is raw material for `lindfeas.program.bounds`; no status, objective or dual of a
cone constraint is ever a result. Multipliers come from a real equality constraint, whose dual is
right in every cvxpy version that we allow.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lindfeas.program.hermitian import (
    coordinate_count,
    hermitian_coordinates,
    hermitian_matrix,
    hermitian_root,
)
from lindfeas.program.program import GammaBlock, Point, Program
from lindfeas.program.rates import RateBounds
from lindfeas.solvers.catalogue import require
from lindfeas.solvers.running import run

UNSEEN = 1e-10
"""Directions in which no H_r can move the scaled residual by more than this are no unknowns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSolution:
    """What a solver returned, unverified.

    Parameters
    ----------
    solver, scale
        Who, and by what the data were multiplied.
    status, objective, iterations
        As reported; the objective is divided by the scale.
    point
        Kossakowski blocks and shift, or None if the solver failed.
    multiplier
        y, shape (rows,), or None.
    compile_seconds, solve_seconds
        Wall time.
    message
        Empty, or what went wrong.
    """

    solver: str
    scale: float
    status: str
    objective: float | None
    iterations: int | None
    point: Point | None = field(repr=False)
    multiplier: NDArray[np.float64] | None = field(repr=False)
    compile_seconds: float
    solve_seconds: float
    message: str = ""


def solve(
    program: Program,
    solver: str = "CLARABEL",
    *,
    scale: float = 1.0,
    around: Point | None = None,
    floor: float = 1e-6,
    settings: Sequence[dict[str, Any]] | None = None,
) -> RawSolution:
    """Hand the program to one solver, with all data multiplied by ``scale``.

    With a point ``around`` the unknown is G in Gamma = B G B^dag, B B^dag being the point with
    its eigenvalues raised to at least ``floor``. Near that point G is close to the identity, also
    where optimal Kossakowski matrices have eigenvalues from 1 down to 1e-13: what the solver
    resolves badly becomes as large as the rest.

    ``settings`` replace those of `lindfeas.solvers.catalogue.SETTINGS`, where given.

    A solver that fails is an answer too: its ``message`` says how.

    Raises
    ------
    SolverError
        If the solver is not installed or has no licence.
    """
    require(solver)
    import cvxpy as cp

    started = time.perf_counter()
    roots = [np.eye(block.size) for block in program.blocks]
    if around is not None:
        roots = [hermitian_root(gamma, floor) for gamma in around.gammas]
    variables = _Variables(program, cp, roots, scale)
    matrix, offset, expand = _data(program, scale, roots, variables.shifts)
    residual = cp.Variable(len(offset))
    link = residual == matrix @ variables.vector + offset
    objective, cones = _norm(program, residual, cp)
    stated = cp.Problem(cp.Minimize(objective), [link, *cones, *variables.constraints])
    handed_over = time.perf_counter()
    status, message = run(stated, solver, settings)
    elapsed = time.perf_counter() - started
    stats = stated.solver_stats
    solving = float(getattr(stats, "solve_time", None) or 0.0)
    if not solving:  # not reported: what CVXPY did not need for compiling
        solving = elapsed - (handed_over - started) - float(stated.compilation_time or 0.0)
    solved = residual.value is not None and link.dual_value is not None
    return RawSolution(
        solver=solver,
        scale=scale,
        status=status,
        objective=_finite(stated.value, scale) if solved else None,
        iterations=getattr(stats, "num_iters", None),
        point=variables.point() if solved else None,
        multiplier=-expand(np.asarray(link.dual_value, dtype=float)) if solved else None,
        compile_seconds=elapsed - solving,
        solve_seconds=solving,
        message=message,
    )


def best_conditioned(
    program: Program, solver: str, allowed: float, flow: float | None = None
) -> Point | None:
    """A point of defect at most ``allowed`` whose Gamma has the largest smallest eigenvalue.

    Maximise mu subject to Gamma^r >= mu 1: the near-optimal point farthest from the boundary of
    the cone. None if the solver fails; the caller checks whatever comes back.

    Parameters
    ----------
    flow
        Also limit the sum of the absolute diagonal of the residual to this, and to this times the
        total rate sum_r tr Gamma^r.
    """
    import cvxpy as cp

    unit = program.unit
    program = program.in_units_of(unit)
    allowed = allowed / unit
    scale = 1e-2 / allowed
    smallest = cp.Variable()
    roots = [np.eye(block.size) for block in program.blocks]
    variables = _Variables(program, cp, roots, scale, smallest)
    matrix, offset, _ = _data(program, scale, roots, variables.shifts, whole=flow is not None)
    residual = cp.Variable(len(offset))
    objective, cones = _norm(program, residual, cp)
    if flow is not None:
        leaving = cp.norm1(residual[program.layout.diagonal])
        cones += [leaving <= scale * flow / unit, leaving <= scale * flow * variables.total]
    stated = cp.Problem(
        cp.Maximize(smallest),
        [
            residual == matrix @ variables.vector + offset,
            objective <= scale * allowed,
            smallest >= 0,
            *cones,
            *variables.constraints,
        ],
    )
    run(stated, solver)
    return None if residual.value is None else variables.point().times(unit)


class _Variables:
    """The unknowns: G for every Kossakowski block, then those of every H_r.

    A real block is a matrix variable; a complex one is given by its real coordinates, with the
    matrix [[Re, -Im], [Im, Re]] positive.
    """

    def __init__(
        self, program: Program, cp: Any, roots: list[NDArray[Any]], scale: float, smallest: Any = 0
    ) -> None:
        self.program = program
        self.roots = roots
        self.parts = [_variable(block, cp) for block in program.blocks]
        self.shifts = _shifts(program, scale, cp)
        flat = [
            part if block.is_complex else cp.vec(part, order="C") for block, part in self._pairs
        ]
        self.vector = cp.hstack([*flat, *(shift.variable for shift in self.shifts)])
        self.constraints = [
            positive(part, block.size, True, smallest, cp)
            if block.is_complex
            else part - smallest * np.eye(block.size) >> 0
            for block, part in self._pairs
            if block.is_complex or not isinstance(smallest, int)
        ]
        self.constraints += [shift.ball(cp) for shift in self.shifts]
        traces = self._traces()
        self.total = sum(traces)
        self.constraints += apply_rule(program.rates, traces)

    @property
    def _pairs(self) -> list[tuple[GammaBlock, Any]]:
        return list(zip(self.program.blocks, self.parts, strict=True))

    def point(self) -> Point:
        """The solver's values."""
        gammas = []
        for (block, part), root in zip(self._pairs, self.roots, strict=True):
            value = np.asarray(part.value, dtype=float)
            inner = hermitian_matrix(value, block.size, True) if block.is_complex else value
            gammas.append(root @ inner @ root.conj().T)
        coordinates = np.zeros(self.program.shifts.count)
        for shift in self.shifts:
            coordinates[shift.span] = shift.weights @ np.asarray(shift.variable.value)
        return Point(gammas=gammas, shift=coordinates)

    def _traces(self) -> list[Any]:
        """tr(B G B^dag) of every region."""
        traces: list[Any] = [0] * len(self.program.regions)
        for (block, part), root in zip(self._pairs, self.roots, strict=True):
            weights = _columns(np.eye(block.size)[None], root, block.is_complex)[0]
            flat = part if block.is_complex else part.flatten(order="C")
            traces[block.region] = traces[block.region] + weights @ flat
        return traces


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shift:
    """One region's unknown v with x_r = W v: what it does to the scaled residual is of order 1.

    Parameters
    ----------
    span
        Where x_r stands among all coordinates.
    variable
        v.
    weights
        W, shape (m, k).
    columns
        Scale times M_r W, shape (rows, k).
    radii
        ||x_r|| <= h says ||v / radii|| <= 1.
    """

    span: slice
    variable: Any
    weights: NDArray[np.float64]
    columns: NDArray[np.float64]
    radii: NDArray[np.float64]

    def ball(self, cp: Any) -> Any:
        return cp.norm2(cp.multiply(1 / self.radii, self.variable)) <= 1


def _shifts(program: Program, scale: float, cp: Any) -> list[_Shift]:
    """The unknowns of all H_r, along the singular directions of M_r = U diag(s) V^T.

    Along each, H_r of norm h moves the scaled residual by c = scale h s. For c > 1 the unknown is
    what it is moved by, for c < 1 the fraction of h; what is below `UNSEEN` is left out.
    """
    found = []
    for region, (left, singular, right) in program.shifts.factors.items():
        reach = scale * program.shifts.limit * singular
        seen = reach > UNSEEN
        if not seen.any():
            continue
        radii = np.maximum(reach[seen], 1.0)
        found.append(
            _Shift(
                span=program.shifts.regions[region],
                variable=cp.Variable(int(seen.sum())),
                weights=right[:, seen] * (program.shifts.limit / radii),
                columns=left[:, seen] * (reach[seen] / radii),
                radii=radii,
            )
        )
    return found


def _variable(block: GammaBlock, cp: Any) -> Any:
    if block.is_complex:
        return cp.Variable(block.size**2)
    size = (block.size, block.size)
    return cp.Variable(size, nonneg=True) if block.size == 1 else cp.Variable(size, PSD=True)


def _columns(rows: NDArray[Any], root: NDArray[Any], is_complex: bool) -> NDArray[np.float64]:
    """Coefficients on a block's unknowns: B^T A conj(B), as coordinates or flattened."""
    inner = root.T @ rows @ root.conj()
    if is_complex:
        return np.ascontiguousarray(hermitian_coordinates(inner.conj(), True).real)
    return np.ascontiguousarray(inner.reshape(len(inner), -1).real)


def _data(
    program: Program,
    scale: float,
    roots: list[NDArray[Any]],
    shifts: Sequence[_Shift],
    *,
    whole: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Any]:
    """(matrix, offset, map of multipliers back to the program's rows).

    For the Frobenius norm the rows are reduced by a QR factorisation, so that the cost of a solve
    does not grow with the dimension of the system; ``whole`` keeps them all.
    """
    parts = [
        scale * _columns(block.rows, root, block.is_complex)
        for block, root in zip(program.blocks, roots, strict=True)
    ]
    matrix = np.hstack([*parts, *(shift.columns for shift in shifts)])
    offset = scale * program.offset
    if whole or program.norm != "frobenius" or program.rows <= matrix.shape[1] + 1:
        return matrix, offset, lambda y: y
    basis, reduced = np.linalg.qr(np.hstack([matrix, offset[:, None]]))
    return reduced[:, :-1], reduced[:, -1], lambda y: basis @ y


def _norm(program: Program, residual: Any, cp: Any) -> tuple[Any, list[Any]]:
    """The norm of the residual as an expression, and the cone constraints behind it."""
    layout = program.layout
    if program.norm == "frobenius":
        return cp.norm2(residual), []
    if layout.is_vector:
        return (cp.norm1(residual) if program.norm == "trace" else cp.norm_inf(residual)), []
    constraints: list[Any] = []
    total: Any = 0
    bound = cp.Variable(nonneg=True)
    for size, span in layout.spans():
        part = residual[span]
        if program.norm == "spectral":
            constraints.append(positive(part, size, layout.is_complex, -bound, cp))
            constraints.append(positive(-part, size, layout.is_complex, -bound, cp))
            continue
        count = span.stop - span.start
        up, down = cp.Variable(count), cp.Variable(count)
        constraints.append(part == up - down)
        constraints.append(positive(up, size, layout.is_complex, 0, cp))
        constraints.append(positive(down, size, layout.is_complex, 0, cp))
        total = total + cp.sum(up[:size]) + cp.sum(down[:size])
    return (bound if program.norm == "spectral" else total), constraints


def positive(coordinates: Any, size: int, is_complex: bool, smallest: Any, cp: Any) -> Any:
    """The constraint that the Hermitian matrix of these coordinates is >= smallest * 1."""
    if size == 1:
        return coordinates - smallest >= 0
    order = 2 * size if is_complex else size
    matrix = cp.reshape(_embedding(size, is_complex) @ coordinates, (order, order), order="C")
    if not isinstance(smallest, int):
        matrix = matrix - smallest * np.eye(order)
    return matrix >> 0


@lru_cache(maxsize=256)
def _embedding(size: int, is_complex: bool) -> sp.csr_array:
    """Coordinates -> flattened real symmetric matrix: [[Re, -Im], [Im, Re]] if complex."""
    count = coordinate_count(size, is_complex)
    columns = np.array([hermitian_matrix(unit, size, is_complex) for unit in np.eye(count)])
    if is_complex:
        columns = np.block([[columns.real, -columns.imag], [columns.imag, columns.real]])
    return sp.csr_array(columns.reshape(count, -1).T)


def apply_rule(rates: RateBounds, traces: list[Any]) -> list[Any]:
    if rates.total is not None:
        return [sum(traces) == rates.total]
    limits = list(zip(traces, rates.lower, rates.upper, strict=True))
    if not rates.are_free:
        return [trace == rate for trace, _, rate in limits]
    return [bound for trace, low, high in limits for bound in (trace >= low, trace <= high)]


def rule_margin(rates: RateBounds, smallest: Any, margin: Any, cp: Any) -> list[Any]:
    """margin <= the smallest sum_r tr(Gamma^r) s_r that the rate rule allows.

    Parameters
    ----------
    smallest
        s, shape (regions,) or (regions, conditions).
    """
    if rates.total is not None:
        return [rates.total * smallest >= margin]
    low, high = np.array(rates.lower), np.array(rates.upper)
    if not rates.are_free:
        return [high @ smallest >= margin]
    low, high = (
        np.broadcast_to(rate.reshape(-1, *(1,) * (smallest.ndim - 1)), smallest.shape)
        for rate in (low, high)
    )
    share = cp.Variable(smallest.shape)
    return [
        share <= cp.multiply(low, smallest),
        share <= cp.multiply(high, smallest),
        cp.sum(share, axis=0) >= margin,
    ]


def _finite(value: Any, scale: float) -> float | None:
    """A reported objective in the program's units, or None if it is not a number."""
    number = float("nan") if value is None else float(value) / scale
    return number if np.isfinite(number) else None
