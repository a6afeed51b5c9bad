"""Sharpen a solver's primal point by linear algebra, far below the solver's own accuracy.

At an optimum of a sum of absolute values most rows of the residual vanish: those whose
multiplier is strictly inside [-1, 1]. An interior-point solver leaves noise there. A small
change Gamma -> B (1 + E) B^dag with Gamma = B B^dag removes it: it keeps the cone as long as
||E|| <= 1, and the rate rule as long as it keeps the traces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.program.hermitian import hermitian_root
from lindfeas.program.program import Point, Program

MARGINS = (1e-4, 1e-2)
"""A row is driven to zero if its |multiplier| is farther than this from 1."""

CUTS = (1e-13, 1e-10, 1e-7, 1e-4)
"""Singular values below these fractions of the largest are not used, one candidate each."""


def polished(program: Program, point: Point, multiplier: NDArray[np.float64]) -> Iterator[Point]:
    """Candidates near ``point`` whose residual vanishes where the multiplier says so.

    Only for sums of absolute values; other norms yield nothing.

    Parameters
    ----------
    point
        A feasible point (see `lindfeas.program.bounds.repair_point`).
    multiplier
        y, entries between -1 and 1, shape (rows,).

    Yields
    ------
    Point
        With positive blocks; the caller evaluates them and keeps the best.
    """
    if not (program.layout.is_vector and program.norm == "trace"):
        return
    gammas = point.gammas
    roots = [hermitian_root(gamma) for gamma in gammas]
    residual = program.residual(point)
    traces = _trace_rows(program, roots)
    for margin in MARGINS:
        inactive = np.abs(multiplier) < 1 - margin
        if not inactive.any():
            continue
        rows = np.concatenate(
            [
                _coordinates(block.rows[inactive], root)
                for block, root in zip(program.blocks, roots, strict=True)
            ],
            axis=1,
        )
        weight = float(np.abs(rows).max()) or 1.0
        system = np.vstack([rows / weight, traces])
        target = np.concatenate([-residual[inactive] / weight, np.zeros(len(traces))])
        u, singular, v = np.linalg.svd(system, full_matrices=False)
        for cut in CUTS:
            keep = singular > cut * singular[0]
            step = v[keep].T @ ((u[:, keep].T @ target) / singular[keep])
            yield Point(gammas=_applied(step, roots), shift=point.shift)


def _coordinates(matrices: NDArray[Any], root: NDArray[Any]) -> NDArray[np.float64]:
    """Real coordinates of B^T A conj(B), one row per matrix: <A, B E B^dag> is their dot with E."""
    reduced = root.T @ matrices @ root.conj()
    flat = reduced.reshape(len(matrices), -1)
    if not np.iscomplexobj(flat):
        return flat
    return np.hstack([flat.real, -flat.imag])


def _trace_rows(program: Program, roots: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """One row per region: the change of its trace."""
    rows = []
    for region in range(len(program.regions)):
        parts = []
        for block, root in zip(program.blocks, roots, strict=True):
            unit = np.eye(block.size) * float(block.region == region)
            part = _coordinates(unit[None].astype(block.rows.dtype), root)
            parts.append(part)
        rows.append(np.hstack(parts))
    return np.vstack(rows)


def _applied(step: NDArray[np.float64], roots: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """B (1 + a E) B^dag for every block, with the largest a <= 1 that keeps all positive."""
    changes = []
    start = 0
    for root in roots:
        n = len(root)
        part = step[start : start + n * n].reshape(n, n)
        start += n * n
        change: NDArray[Any] = (part + part.T) / 2
        if np.iscomplexobj(root):
            imaginary = step[start : start + n * n].reshape(n, n)
            start += n * n
            change = change + 0.5j * (imaginary - imaginary.T)
        changes.append(change)
    lowest = min(float(np.linalg.eigvalsh(change)[0]) for change in changes)
    factor = min(1.0, -0.99 / lowest) if lowest < 0 else 1.0
    found = []
    for root, change in zip(roots, changes, strict=True):
        half = root @ hermitian_root(np.eye(len(root)) + factor * change)
        found.append(half @ half.conj().T)
    return found
