"""The least trace distance of all allowed Lindbladians, by brute force, for regions of one qubit.

There Gamma^r is diag(rate of sigma_-, of sigma_z, of sigma_+) with a given sum, so that C(Gamma) is
a combination of six known matrices: thousands of random points, then steps of linear programming in
a trust region from the best ones. Nothing of lindfeas.answers.nearest or
lindfeas.answers.distance_witness is used.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from lindfeas import Redfield
from lindfeas.physics.equations.operator_basis import regions_of

REGIONS, RATES = 2, 6


def generators(reference: Redfield) -> np.ndarray:
    """C for every unit rate, shape (6, d, d): columns are initial levels."""
    size = len(reference.populations)
    found = []
    for region in regions_of(reference.system, reference.spectrum):
        for group in region.groups:
            jumps = np.zeros((size, size))
            for final, initial, block in group.blocks:
                jumps[final.levels, initial.levels] = np.abs(block[0]) ** 2
            found.append(jumps - np.diag(jumps.sum(axis=0)))
    return np.array(found)


def random_rates(seed: int, count: int) -> np.ndarray:
    """Random rates of sum one per region, spread evenly and over many orders of magnitude."""
    generator = np.random.default_rng(seed)
    even = generator.dirichlet([0.5] * 3, (count // 2, REGIONS))
    spread = 10.0 ** generator.uniform(-8, 0, (count - count // 2, REGIONS, 3))
    spread /= spread.sum(axis=2, keepdims=True)
    return np.concatenate([even, spread]).reshape(count, RATES)


def steady_states(flows: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """p' of every row of ``rates``, shape (n, d)."""
    matrices = np.einsum("nm,mka->nka", rates, flows)
    matrices /= np.abs(matrices).max(axis=(1, 2), keepdims=True)
    matrices[:, 0, :] = 1.0
    right = np.zeros((len(rates), flows.shape[1], 1))
    right[:, 0] = 1.0
    return np.linalg.solve(matrices, right)[:, :, 0]


def least_distance(reference: Redfield, *, seed: int = 0, starts: int = 3) -> float:
    """The smallest T found: from every start the same to six digits, or the search has failed."""
    flows, p = generators(reference), reference.populations
    rates = random_rates(seed, 6000)
    distances = np.abs(steady_states(flows, rates) - p).sum(axis=1) / 2
    best = [descended(flows, p, rates[n]) for n in np.argsort(distances)[: 20 * starts : 20]]
    assert max(best) <= min(best) * (1 + 1e-4)
    return min(best)


def descended(flows: np.ndarray, p: np.ndarray, rates: np.ndarray) -> float:
    """T after steps of linear programming, in each of which rates change by a limited factor."""
    size, radius = len(p), 0.3
    moved = steady_states(flows, rates[None])[0]
    distance = np.abs(moved - p).sum() / 2
    conserved = np.hstack([np.kron(np.eye(REGIONS), np.ones(3)), np.zeros((REGIONS, size))])
    while radius > 1e-6:
        matrix = np.einsum("m,mka->ka", rates, flows)
        slopes = -np.einsum("mka,a->km", flows, moved)
        matrix[0], slopes[0] = 1.0, 0.0
        slopes = np.linalg.solve(matrix, slopes)
        allowed = radius * np.maximum(rates, 1e-9)
        step = linprog(
            np.concatenate([np.zeros(RATES), np.ones(size)]),
            A_ub=np.block([[slopes, -np.eye(size)], [-slopes, -np.eye(size)]]),
            b_ub=np.concatenate([p - moved, moved - p]),
            A_eq=conserved,
            b_eq=np.zeros(REGIONS),
            bounds=[*zip(-np.minimum(allowed, rates), allowed, strict=True), *[(0, None)] * size],
        )
        gained = False
        if step.x is not None:
            trial = np.maximum(rates + step.x[:RATES], 1e-12)
            there = steady_states(flows, trial[None])[0]
            value = np.abs(there - p).sum() / 2
            gained = value < distance * (1 - 1e-7)
            if value < distance:
                rates, moved, distance = trial, there, value
        radius = min(2 * radius, 1.0) if gained else radius / 4
    return float(distance)
