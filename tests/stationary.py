"""The stationary distribution of a rate matrix of Decimals, with its proof by balance."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from scipy.sparse.csgraph import connected_components

from tests.bath_integrals import UndefinedError

RESIDUAL = Decimal("1e-40")
"""Largest imbalance of a level's gain and loss, relative to either."""


def balanced(rates: np.ndarray) -> np.ndarray:
    """The stationary distribution of rates W[k, a] from a to k.

    Levels are eliminated one by one; that gain and loss then balance at every level, to
    `RESIDUAL`, is checked, and proves the result whatever led to it (Markov-tree theorem).

    Raises
    ------
    UndefinedError
        If it is not unique.
    """
    size = len(rates)
    rest = rates.copy()
    order = _reachable_order(np.array(rates > 0, dtype=bool))
    for step in range(size - 1, 0, -1):
        own, others = order[step], order[:step]
        out = sum((rest[k, own] for k in others), Decimal(0))
        for k in others:
            share = rest[k, own] / out
            for a in others:
                rest[k, a] += share * rest[own, a]
    p = np.array([Decimal(0)] * size, dtype=object)
    p[order[0]] = Decimal(1)
    for step in range(1, size):
        own, others = order[step], order[:step]
        gain = sum((rest[own, a] * p[a] for a in others), Decimal(0))
        p[own] = gain / sum((rest[k, own] for k in others), Decimal(0))
    p = p / p.sum()
    for k in range(size):
        gain = sum((rates[k, a] * p[a] for a in range(size) if a != k), Decimal(0))
        loss = p[k] * sum((rates[a, k] for a in range(size) if a != k), Decimal(0))
        if abs(gain - loss) > RESIDUAL * (gain + loss):
            raise ArithmeticError("gain and loss do not balance")
    return p


def _reachable_order(connected: np.ndarray) -> list[int]:
    """Levels, each after one that it can reach: the first in the only closed class."""
    count, labels = connected_components(connected.T, directed=True, connection="strong")
    steps = zip(*np.nonzero(connected), strict=True)
    left = {labels[a] for k, a in steps if labels[k] != labels[a]}
    if count - len(left) != 1:
        raise UndefinedError(f"the steady state is not unique: {count - len(left)} closed classes")
    closed = next(label for label in range(count) if label not in left)
    order = [int(np.flatnonzero(labels == closed)[0])]
    for level in order:
        order += [int(a) for a in np.flatnonzero(connected[level]) if a not in order]
    return order
