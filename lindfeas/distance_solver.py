"""The two programs behind sharp trace distances, through cvxpy.

As in `lindfeas.solver`, what comes back is raw material: `lindfeas.sharp_distance` evaluates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.flow import FlowBlock
from lindfeas.question import Rates
from lindfeas.residual import hermitian_coordinates, hermitian_matrix
from lindfeas.solver import apply_rule, positive, run


def best_witness(
    flows: Sequence[FlowBlock],
    populations: NDArray[np.float64],
    rates: Rates,
    length: float,
    scale: float,
    solver: str,
) -> tuple[NDArray[np.float64], list[NDArray[Any]]] | None:
    """y and K^r with the largest margin for a claimed distance ||p - p'||_1 >= length.

    Maximise over y in [-1, 1]^d and Hermitian K the smallest value, over levels a and both signs,
    of sum_r t_r lambda_min(A^r(y) -/+ (length B^r_a(y) - K^r)), all data multiplied by ``scale``.

    Returns
    -------
    (y of shape (d,), one K per block), or None if the solver fails
    """
    import cvxpy as cp

    levels = len(populations)
    regions = 1 + max(flow.region for flow in flows)
    y = cp.Variable(levels)
    shifts = [cp.Variable(_count(flow)) for flow in flows]
    smallest = cp.Variable((regions, 2 * levels))
    margin = cp.Variable()
    constraints: list[Any] = [cp.abs(y) <= 1, *_margin(rates, smallest, margin, regions, cp)]
    for flow, shift in zip(flows, shifts, strict=True):
        constraints += _witness_cones(
            flow, shift, y, smallest[flow.region], populations, length, scale, cp
        )
    run(cp.Problem(cp.Maximize(margin), constraints), solver)
    if y.value is None:
        return None
    is_complex = [np.iscomplexobj(flow.coefficients) for flow in flows]
    return np.asarray(y.value), [
        hermitian_matrix(np.asarray(s.value), flow.size, c) / scale
        for s, flow, c in zip(shifts, flows, is_complex, strict=True)
    ]


def nearer_lindbladian(
    flows: Sequence[FlowBlock],
    populations: NDArray[np.float64],
    rates: Rates,
    gammas: Sequence[NDArray[Any]],
    deviation: NDArray[np.float64],
    solver: str,
) -> list[NDArray[Any]] | None:
    """One step of sequential programming towards the smallest ||delta||_1, C(Gamma)(p + delta) = 0.

    The product C(Gamma) delta is linearised around the given ``gammas`` and ``deviation``.
    """
    import cvxpy as cp

    levels = len(populations)
    variables = [cp.Variable(_count(flow)) for flow in flows]
    delta = cp.Variable(levels)
    moved = populations + deviation
    total: Any = 0
    constraints: list[Any] = []
    traces: list[Any] = [0] * (1 + max(flow.region for flow in flows))
    current = np.zeros((levels, levels))
    for flow, variable, gamma in zip(flows, variables, gammas, strict=True):
        is_complex = np.iscomplexobj(flow.coefficients)
        columns = hermitian_coordinates(flow.of_state(moved).conj(), is_complex).real
        total = total + columns @ variable
        constraints.append(positive(variable, flow.size, is_complex, 0, cp))
        traces[flow.region] = traces[flow.region] + cp.sum(variable[: flow.size])
        current += flow.rates(gamma)
    weight = 1.0 / np.abs(np.diag(current)).max()
    constraints += [
        weight * (total + current @ (delta - deviation)) == 0,
        cp.sum(delta) == 0,
        *apply_rule(rates, traces),
    ]
    run(cp.Problem(cp.Minimize(cp.norm1(delta)), constraints), solver)
    if delta.value is None:
        return None
    return [
        hermitian_matrix(np.asarray(v.value), flow.size, bool(np.iscomplexobj(flow.coefficients)))
        for v, flow in zip(variables, flows, strict=True)
    ]


def _count(flow: FlowBlock) -> int:
    n = flow.size
    return n * n if np.iscomplexobj(flow.coefficients) else n * (n + 1) // 2


def _margin(rates: Rates, smallest: Any, margin: Any, regions: int, cp: Any) -> list[Any]:
    """margin <= the smallest sum_r tr(Gamma^r) s_r that the rate rule allows."""
    if rates.rule == "each":
        weights = np.array(rates.per_region("value", regions))
        return [weights @ smallest >= margin]
    if rates.rule == "total":
        return [rates.per_region("value", regions)[0] * smallest >= margin]
    share = cp.Variable(smallest.shape)
    low = np.array(rates.per_region("min", regions))[:, None]
    high = np.array(rates.per_region("max", regions))[:, None]
    return [
        share <= cp.multiply(np.broadcast_to(low, smallest.shape), smallest),
        share <= cp.multiply(np.broadcast_to(high, smallest.shape), smallest),
        cp.sum(share, axis=0) >= margin,
    ]


def _witness_cones(
    flow: FlowBlock,
    shift: Any,
    y: Any,
    smallest: Any,
    populations: NDArray[np.float64],
    length: float,
    scale: float,
    cp: Any,
) -> list[Any]:
    """A(y) -/+ (length B_a(y) - K) >= s for all levels a and both signs."""
    levels = len(populations)
    is_complex = bool(np.iscomplexobj(flow.coefficients))
    steady = scale * hermitian_coordinates(flow.of_state(populations), is_complex).real
    single = scale * hermitian_coordinates(flow.coefficients, is_complex).real
    if flow.size == 1:
        whole = cp.sum(cp.multiply(steady[:, 0], y))
        each = length * (single[:, :, 0] @ y) - shift
        return [whole - each >= smallest[:levels], whole + each >= smallest[levels:]]
    base = steady.T @ y
    cones = []
    for level in range(levels):
        tilt = length * (single[level].T @ y) - shift
        for sign, place in ((1, level), (-1, levels + level)):
            cones.append(positive(base - sign * tilt, flow.size, is_complex, smallest[place], cp))
    return cones
