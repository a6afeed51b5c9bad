"""Points and multipliers near an optimum, and far from it: what must not beat a certified bound.

Random ones are far from the optimum: their defects are larger by factors, and a bound that is too
high by a percent passes. So the optimum itself is disturbed, by 1 down to 1e-9.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lindfeas.program.bounds import repair_point
from lindfeas.program.hermitian import hermitian_root
from lindfeas.program.program import Point, Program

SIZES = 10.0 ** -np.arange(10)

NEAR = 1e-6
"""How near some of them come, relatively."""


def nearby_points(program: Program, point: Point, seed: int = 0) -> Iterator[Point]:
    """Repaired points: by a step of every size and kind from a given one, low ranks included."""
    generator = np.random.default_rng(seed)
    for size in SIZES:
        for kind in range(5):
            moved = [_moved(gamma, size, kind, generator) for gamma in point.gammas]
            noise = program.shifts.limit * generator.normal(size=program.shifts.count)
            shift = point.shift + size * noise * (kind % 2)
            yield repair_point(program, Point(gammas=moved, shift=shift))
    for gone in range(len(point.gammas)):
        gammas = [gamma * (n != gone) for n, gamma in enumerate(point.gammas)]
        yield repair_point(program, Point(gammas=gammas, shift=point.shift))


def _moved(
    gamma: NDArray[np.complexfloating] | NDArray[np.floating],
    size: float,
    kind: int,
    generator: np.random.Generator,
) -> NDArray[np.complexfloating] | NDArray[np.floating]:
    """Gamma or its root and any matrix; the root relatively; another rate; Gamma and rank 1."""
    normal = generator.normal(size=gamma.shape)
    if np.iscomplexobj(gamma):
        normal = normal + 1j * generator.normal(size=gamma.shape)
    scale = float(np.abs(gamma).max()) or 1.0
    root = hermitian_root(gamma)
    if kind == 0:
        return gamma + size * scale * (normal + normal.conj().T)
    if kind == 1:
        root = root + size * np.sqrt(scale) * normal
    elif kind == 2:
        root = root + size * root @ normal
    elif kind == 3:
        return gamma * np.exp(size * generator.normal())
    else:
        return gamma + size * scale * np.outer(normal[0], normal[0].conj())
    return root @ root.conj().T


def nearby_multipliers(
    multiplier: NDArray[np.float64], seed: int = 0
) -> Iterator[NDArray[np.float64]]:
    """Any real vectors: all of it or one entry moved, stretched, or of another sign."""
    generator = np.random.default_rng(seed)
    scale = float(np.abs(multiplier).max()) or 1.0
    for size in SIZES:
        noise = size * scale * generator.normal(size=multiplier.shape)
        one = np.zeros_like(multiplier)
        one[generator.integers(one.size)] = size * scale
        yield from (multiplier + noise, multiplier + one, multiplier - one)
        yield from ((1 + size) * multiplier, (1 - size) * multiplier)
    for factor in (-1.0, 1e6, 1e-6):
        yield factor * multiplier
