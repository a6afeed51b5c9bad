"""Stationary distributions of Markov chains without a subtraction, and how far they can be wrong.

State reduction (Grassmann, Taksar and Heyman, Oper. Res. 33, 1107 (1985)): levels are eliminated
one by one, the flow through each being redirected, so that only non-negative numbers are added,
multiplied and divided. Every entry keeps its relative accuracy, also those of 1e-26.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from lindfeas.errors import PhysicsError
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF

BLOCK = 48
"""Levels eliminated before the rest of the chain learns of it, in one matrix product."""


def stationary_distribution(
    rates: NDArray[np.float64], connections: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Stationary distribution of the Markov chain with rates W[k, a] from a to k.

    Parameters
    ----------
    rates
        Shape (d, d), non-negative off the diagonal.
    connections
        Which of them may be relied upon to connect levels; all positive ones by default.

    Raises
    ------
    PhysicsError
        If more than one set of levels, once entered, is never left.
    """
    connections = rates > 0 if connections is None else connections
    members = _recurrent(connections)
    # the levels that are left fastest go first, so that what remains is never left too slowly
    members = members[np.argsort(rates[np.ix_(members, members)].sum(axis=0))]
    reduced = _reduce(rates[np.ix_(members, members)].T.copy())
    if np.isnan(reduced.weights).any():
        raise PhysicsError(
            "must be such that rates do not underflow, but at this temperature a level is "
            "left at a rate below 1e-308; use a smaller beta, or inf",
            "bath",
        )
    populations = np.zeros(len(rates))
    populations[members] = reduced.weights / reduced.weights.sum()
    return populations


def distribution_error(
    rates: NDArray[np.float64], errors: NDArray[np.float64], populations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bound on what errors of the rates do to every entry p_j of the distribution, shape (d,).

    p_j is the share T_j / sum_i T_i of the spanning trees rooted at j, each tree weighing the
    product of the rates of its edges (Markov chain tree theorem; Freidlin and Wentzell, Random
    Perturbations of Dynamical Systems, Lemma 6.3.1). T_j never decreases with a rate, so that
    for all rates within their errors it lies between its values for the lowest and for the
    highest rates, both of which state reduction gives without a subtraction. Hence the odds
    p_j / (1 - p_j) lie between T_j(low) / sum_(i != j) T_i(high) and the same with low and high
    exchanged. The bound is not one to first order: it holds for errors of any size.

    Parameters
    ----------
    rates
        W[k, a], shape (d, d).
    errors
        Bound on |delta W[k, a]|, of any size, shape (d, d).
    populations
        Their stationary distribution, shape (d,).
    """
    rest = _sum_of_others(populations)
    # levels without a population come last, and are eliminated first
    order = np.lexsort((rates.sum(axis=0), populations == 0))
    place = np.ix_(order, order)
    low = _reduce(np.maximum(rates - errors, 0.0)[place].T.copy())
    high = _reduce((rates + errors)[place].T.copy())
    fewest, most = np.zeros((2, len(rates)))
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        fewest[order] = low.weights
        most[order] = high.weights * np.prod(high.exits / low.exits)
        rounding = 1 + 8 * UNIT_ROUNDOFF * len(rates)
        rise = _rise(populations, rest, rounding * most / _sum_of_others(fewest))
        fall = _rise(rest, populations, rounding * _sum_of_others(most) / fewest)
    return np.maximum(rise, fall)


def _rise(
    part: NDArray[np.float64], rest: NDArray[np.float64], odds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """By how much ``part`` exceeds itself when its odds part / rest rise to ``odds``.

    With P / R the new odds and part + rest = P + R = 1: P - part = R rest (P/R - part/rest).
    """
    grown = rest / (1 + odds) * np.maximum(odds - part / rest, 0.0)
    return np.where(np.isfinite(grown), np.minimum(grown, rest), rest)


def _sum_of_others(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """sum_(i != j) values_i for every j."""
    before = np.concatenate([[0.0], np.cumsum(values[:-1])])
    after = np.concatenate([np.cumsum(values[:0:-1])[::-1], [0.0]])
    return np.asarray(before + after)


def _recurrent(connections: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The levels that the chain ends up in, whatever it starts from."""
    classes, labels = connected_components(connections.T, directed=True, connection="strong")
    leaves = np.zeros(classes, dtype=bool)
    target, source = np.nonzero(connections)
    leaves[labels[source[labels[source] != labels[target]]]] = True
    closed = np.flatnonzero(~leaves)
    if closed.size != 1:
        raise PhysicsError(
            "must connect all levels, but they fall into "
            f"{closed.size} groups without transitions between them, so the steady state is not "
            "unique (a coupling acts only where it takes energy E with J(|E|) > 0 down; at large "
            "beta upward rates can underflow)",
            "bath",
        )
    return np.flatnonzero(labels == closed[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reduced:
    """What state reduction finds.

    Parameters
    ----------
    weights
        Stationary distribution relative to the first level, shape (d,).
    exits
        Rate out of every level, the ones after it eliminated, shape (d,); 1 for the first. Their
        product is the weight of all spanning trees rooted at the first level.
    """

    weights: NDArray[np.float64]
    exits: NDArray[np.float64]


def _reduce(chain: NDArray[np.float64]) -> _Reduced:
    """State reduction of a chain with rates chain[from, to], in place, the last level first.

    Where a level has no exit to the ones before it, or one that underflows, nothing is found: all
    entries are nan.
    """
    size = len(chain)
    exits = np.ones(size)
    weights = np.ones(size)
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        for stop in range(size, 1, -BLOCK):
            start = max(stop - BLOCK, 0)
            for last in range(stop - 1, max(start, 1) - 1, -1):
                exits[last] = chain[last, :last].sum()
                chain[:last, last] /= exits[last]
                chain[start:last, :last] += np.multiply.outer(
                    chain[start:last, last], chain[last, :last]
                )
                if start:
                    chain[:start, start:last] += np.multiply.outer(
                        chain[:start, last], chain[last, start:last]
                    )
            if start:
                chain[:start, :start] += chain[:start, start:stop] @ chain[start:stop, :start]
        for last in range(1, size):
            weights[last] = weights[:last] @ chain[:last, last]
        if not np.isfinite(weights.sum()):
            exits[:] = weights[:] = np.nan
    return _Reduced(weights=weights, exits=exits)
