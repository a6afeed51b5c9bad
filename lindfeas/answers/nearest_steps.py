"""Steps of linear programming to a local minimum of T = ||p' - p||_1 / 2 over the allowed Gamma.

Around a point, with Gamma = V diag(w) V^dagger, a change is written

    dGamma = R X R^dagger,  R = V diag(sqrt(w + f)),

and p' + J X is its effect to first order, C dp' = -dC p'. The X in a trust region that minimises
||p' + J X - p||_1 within the rate rule is a linear program: the 1-norm is not smoothed, and a small
f > 0 lets eigenvalues grow from 0, where methods that work with a root of Gamma are stuck. What is
no Gamma >= 0 then, to second order in X, is repaired before it is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import PhysicsError
from lindfeas.physics.equations.rate_equation import stationary_distribution
from lindfeas.program.bounds import repair_point
from lindfeas.program.flow import FlowBlock, rate_matrix
from lindfeas.program.hermitian import hermitian_coordinates, hermitian_matrix
from lindfeas.program.program import Point, Program

WIDEST = 0.5
"""Largest radius of the trust region: entries of X."""

NARROWEST = 1e-6
"""The search ends when the radius falls below."""

MOST_STEPS = 25

MOST_PIVOTS = 2000
"""Of the simplex method in one step; what takes more is too badly scaled to be of use."""

GAIN = 1e-6
"""A step that lowers T relatively by less makes the trust region smaller."""

FLOOR = 0.1
"""f is this times the radius times the largest eigenvalue."""


def stepped(
    program: Program,
    populations: NDArray[np.float64],
    flows: Sequence[FlowBlock],
    point: Point,
    distance: Callable[[Point], float],
) -> tuple[Point, float]:
    """The point that the steps end in, and its T; the start itself if nothing is nearer.

    Parameters
    ----------
    point
        A feasible one.
    distance
        T of a point.
    """
    value, radius = distance(point), WIDEST
    for _ in range(MOST_STEPS):
        trial = _step(program, populations, flows, point, radius)
        reached = float("inf") if trial is None else distance(trial)
        radius = min(2 * radius, WIDEST) if reached < value * (1 - GAIN) else radius / 4
        if trial is not None and reached < value:
            point, value = trial, reached
        if radius < NARROWEST or value == 0:
            break
    return point, value


@dataclass(frozen=True, slots=True)
class _Linear:
    """R, the eigenvalues of Gamma with and without f, and the columns of J of one block."""

    root: NDArray[Any]
    raised: NDArray[np.float64]
    values: NDArray[np.float64]
    rows: NDArray[np.float64]


def _step(
    program: Program,
    populations: NDArray[np.float64],
    flows: Sequence[FlowBlock],
    point: Point,
    radius: float,
) -> Point | None:
    """The best point of the trust region to first order; None if there is none."""
    from scipy.optimize import linprog

    generator = rate_matrix(flows, point.gammas)
    rates = np.maximum(generator, 0.0)
    np.fill_diagonal(rates, 0.0)
    try:
        steady = stationary_distribution(rates)
    except PhysicsError:
        return None
    blocks = [
        _linear(flow, gamma, steady, FLOOR * radius)
        for flow, gamma in zip(flows, point.gammas, strict=True)
    ]
    unit = float(np.abs(np.diag(generator)).max()) or 1.0
    bordered = generator / unit + 1 / len(generator)
    off = steady - populations
    size = float(np.abs(off).sum()) or 1.0
    try:
        effect = np.linalg.solve(bordered, np.hstack([b.rows for b in blocks])) / (-unit * size)
    except np.linalg.LinAlgError:
        return None
    count, levels = effect.shape[1], len(steady)
    slack = np.eye(levels)
    traces, limits = _trace_rows(program, flows, blocks, program.traces(point.gammas))
    found = linprog(
        np.concatenate([np.zeros(count), np.ones(levels)]),
        A_ub=np.vstack(
            [
                np.block([[effect, -slack], [-effect, -slack]]),
                np.hstack([np.vstack([traces, -traces]), np.zeros((2 * len(traces), levels))]),
            ]
        ),
        b_ub=np.concatenate([-off / size, off / size, limits[:, 1], -limits[:, 0]]),
        bounds=[*_bounds(flows, blocks, radius), *[(0, None)] * levels],
        method="highs-ds",
        options={"maxiter": MOST_PIVOTS},
    )
    return None if found.x is None else _moved(program, flows, point, blocks, found.x)


def _linear(
    flow: FlowBlock, gamma: NDArray[Any], steady: NDArray[np.float64], floor: float
) -> _Linear:
    values, vectors = np.linalg.eigh(gamma)
    values = np.maximum(values, 0.0)
    raised = values + floor * max(float(values[-1]), 1e-12)
    root: NDArray[Any] = vectors * np.sqrt(raised)
    turned = root.conj().T @ flow.of_state(steady).transpose(0, 2, 1) @ root
    rows = hermitian_coordinates(turned, flow.is_complex).real
    return _Linear(root=root, raised=raised, values=values, rows=rows)


def _bounds(
    flows: Sequence[FlowBlock], blocks: Sequence[_Linear], radius: float
) -> list[tuple[float, float]]:
    """The trust region: no eigenvalue becomes negative to first order."""
    limits = []
    for flow, block in zip(flows, blocks, strict=True):
        limits += [(-min(radius, low), radius) for low in block.values / block.raised]
        limits += [(-radius, radius)] * (block.rows.shape[1] - flow.size)
    return limits


def _trace_rows(
    program: Program,
    flows: Sequence[FlowBlock],
    blocks: Sequence[_Linear],
    traces: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much every region's trace changes, or all together, and between which limits."""
    rates = program.rates
    spans = np.cumsum([0, *(block.rows.shape[1] for block in blocks)])
    rows = np.zeros((len(traces), spans[-1]))
    for flow, block, start in zip(flows, blocks, spans, strict=False):
        rows[flow.region, start : start + flow.size] = block.raised
    if rates.are_free:
        low, high = np.array(rates.lower), np.array(rates.upper)
        return rows, np.stack([np.minimum(low - traces, 0), np.maximum(high - traces, 0)], axis=1)
    if rates.total is not None:
        rows = rows.sum(axis=0, keepdims=True)
    return rows, np.zeros((len(rows), 2))


def _moved(
    program: Program,
    flows: Sequence[FlowBlock],
    point: Point,
    blocks: Sequence[_Linear],
    x: NDArray[np.float64],
) -> Point:
    gammas, at = [], 0
    for flow, gamma, block in zip(flows, point.gammas, blocks, strict=True):
        count = block.rows.shape[1]
        change = hermitian_matrix(x[at : at + count], flow.size, flow.is_complex)
        gammas.append(gamma + block.root @ change @ block.root.conj().T)
        at += count
    return repair_point(program, Point(gammas=gammas, shift=point.shift))
