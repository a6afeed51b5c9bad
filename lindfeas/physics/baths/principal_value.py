"""Principal values P int f(w)/(w - E) dw of thermal spectral densities, for many E at once.

A mesh of panels, each a factor 2 in frequency unless f needs finer ones, resolves f once for all
energies; the checks on its Legendre coefficients are the error control. Below the mesh lies a
Gauss-Jacobi rule for the known power of w. Panels far from E then see a smooth 1/(w - E). Near E,
f(E) is subtracted:

    P int_L^R f/(w - E) dw = f(E) log((R - E)/(E - L)) + int_L^R (f(w) - f(E))/(w - E) dw,

and on the panel that holds E the smooth quotient is integrated exactly from the Legendre
coefficients, int_-1^1 (P_k(t) - P_k(z))/(t - z) dt = 2 W_{k-1}(z), where no node can meet E.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import AccuracyError, PhysicsError
from lindfeas.physics.baths.occupation import FloatArray, Occupied
from lindfeas.physics.baths.spectral_density import SpectralDensity

ORDER = 24
"""Nodes per panel: a pole at w = 0 costs a panel [a, 2a] a factor 5.8 per node."""

RESOLVED = 1e-13
"""Largest trailing Legendre coefficient of a panel, relative to the transform's size there."""

TAIL = 4
"""Trailing coefficients looked at: more than one, as symmetric functions skip every other."""

REFINEMENTS = 200
"""Rounds of refinement before the density is declared unresolvable."""

MOST_PANELS = 1 << 15
"""Panels before the density is declared unresolvable."""

BOTTOM = 1.0 / (14.0 * math.pi)
"""Where the mesh begins, as a fraction of the smallest scale of the problem.

Transcendental, like GRADED, so that panels do not end by chance, and then stay unrefined, at a
kink that was not declared.
"""

GRADED = 1.0 / math.e
"""Distance from a breakpoint at which panels begin to shrink, as a fraction of what is free."""

CLOSEST = 40
"""Energies are told from a breakpoint b down to a distance b / 2**CLOSEST."""

SMALLEST, LARGEST = 1e-280, 1e280
"""Frequencies between which the mesh may extend; doubles go a little further."""

KERNEL_ENTRIES = 1 << 20
"""Entries of the kernel matrix 1/(w - E) held at a time (8 MB)."""

UNTHREADED = 8192
"""Length of scalar products for which BLAS starts no threads: they crawl on busy cores."""

BUCKET = 32.0
"""Energies that share a mesh have the same log2|E| up to this much."""


def buckets(energies: FloatArray) -> Iterator[NDArray[np.bool_]]:
    """Masks of energies of comparable size, zero apart, so that no mesh is needlessly deep."""
    _, octave = np.frexp(energies)
    bucket = np.where(energies == 0.0, -np.inf, np.floor(octave / BUCKET))
    for number in np.unique(bucket):
        yield bucket == number


@lru_cache(maxsize=1)
def _gauss_legendre() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nodes and weights on [-1, 1], and the matrix from values there to coefficients of P_k."""
    nodes, weights = np.polynomial.legendre.leggauss(ORDER)
    # leggauss leaves 1e-13 in its outermost weights, so they serve only to make the matrix to
    # invert nearly orthogonal; the inverse holds the weights that fit the rounded nodes
    norms = np.asarray(np.sqrt(np.arange(ORDER) + 0.5), dtype=np.float64)
    roots = np.asarray(np.sqrt(weights), dtype=np.float64)
    orthogonal = roots[:, None] * np.polynomial.legendre.legvander(nodes, ORDER - 1) * norms
    to_coefficients = norms[:, None] * np.linalg.inv(orthogonal) * roots
    return nodes, 2.0 * to_coefficients[0], to_coefficients


@lru_cache(maxsize=64)
def _gauss_jacobi(power: float, order: int) -> tuple[FloatArray, FloatArray]:
    """Rule sum_j v_j f(x_j) for int_0^1 f(x) dx, exact for f = x**power * polynomial."""
    from scipy.special import roots_jacobi  # 30 ms that reading a file need not wait for

    nodes, weights = roots_jacobi(order, 0.0, power)
    nodes = 0.5 * (1.0 + nodes)
    return nodes, weights * 0.5 ** (power + 1.0) / nodes**power


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mesh:
    """f = (J n, J (n + 1)) sampled on [0, edges[0]] and on m panels up to edges[-1].

    edges (m+1,); nodes and weights of the rule on the panels (m, ORDER); values of f, and of f
    times weights, and coefficients of f in Legendre polynomials on each panel (2, m, ORDER).
    For the rule on [0, edges[0]]: bottom_nodes (ORDER,), bottom_weighted (2, ORDER), and the
    error of its share of the transform, bottom_error (2,).
    """

    edges: FloatArray
    nodes: FloatArray
    weights: FloatArray
    values: FloatArray
    weighted: FloatArray
    coefficients: FloatArray
    bottom_nodes: FloatArray
    bottom_weighted: FloatArray
    bottom_error: FloatArray

    @property
    def moments(self) -> FloatArray:
        """int f(w)/w dw over every panel, shape (2, m)."""
        moments: FloatArray = np.sum(self.weighted / self.nodes, axis=-1)
        return moments

    def magnitudes(self) -> FloatArray:
        """Size of the transform at energies in every panel, without its cancellations, (2, m)."""
        bottom = np.sum(self.bottom_weighted, axis=-1, keepdims=True)
        below = (bottom + np.cumsum(np.sum(self.weighted, axis=-1), axis=-1)) / self.edges[1:]
        above = np.cumsum(self.moments[:, ::-1], axis=-1)[:, ::-1]
        size: FloatArray = np.maximum(below, above)
        np.maximum(size, np.max(self.values, axis=-1), out=size)
        return size


def principal_values(bath: Occupied, energies: FloatArray, at_energy: FloatArray) -> FloatArray:
    """P int_0^inf f(w)/(w - E) dw for f = (J n, J (n + 1)) at increasing E, shape (2, len(E))."""
    power = bath.low_frequency_power
    if energies[0] == 0.0:
        if power <= 0.0:
            raise PhysicsError(
                "must not be 0, where the principal value diverges for a bath with exponent "
                f"{bath.density.exponent} <= 1, mu = 0 and a positive temperature, but one is",
                "energies",
            )
        # the kernel 1/w is part of the integrand's power
        power -= 1.0
    _refuse_jumps(bath.density, energies)
    mesh = _resolve(bath, power, energies)
    panel = np.searchsorted(mesh.edges, energies, side="right") - 1
    result = np.empty((2, len(energies)))
    missed = _missed(mesh, panel, energies, at_energy)
    if missed.any():
        raise _unresolvable(energies[missed][0])
    most = max(1, KERNEL_ENTRIES // (mesh.nodes.size + ORDER))
    starts = np.flatnonzero(np.diff(panel, prepend=-2))
    for start, stop in zip(starts, [*starts[1:], len(energies)], strict=True):
        for first in range(start, stop, most):
            part = slice(first, min(first + most, stop))
            result[:, part] = _transform(mesh, panel[start], energies[part], at_energy[:, part])
    return result


def _transform(mesh: _Mesh, panel: int, energies: FloatArray, at_energy: FloatArray) -> FloatArray:
    """Principal values at energies that lie in one panel, or all outside the mesh."""
    inside = 0 <= panel < len(mesh.nodes)
    distance = mesh.nodes.ravel() - energies[:, None]
    if inside:
        # drops the panel that holds the energies: it is added exactly below
        distance[:, panel * ORDER : (panel + 1) * ORDER] = np.inf
    kernel = np.divide(1.0, distance, out=distance)
    result = np.zeros((2, len(energies)))
    for first in range(0, mesh.nodes.size, UNTHREADED):
        block = slice(first, first + UNTHREADED)
        result += np.vecdot(mesh.weighted.reshape(2, 1, -1)[..., block], kernel[:, block])
    bottom = 1.0 / (mesh.bottom_nodes - energies[:, None])
    result += np.vecdot(mesh.bottom_weighted[:, None], bottom)
    if inside:
        low, high = mesh.edges[panel], mesh.edges[panel + 1]
        first = int(np.searchsorted(mesh.edges, 0.5 * low, side="right")) - 1
        first = max(first, 0)
        last = min(int(np.searchsorted(mesh.edges, 1.5 * high)), len(mesh.nodes))
        window = slice(first * ORDER, last * ORDER)
        subtracted = np.vecdot(kernel[:, window], mesh.weights.ravel()[window])
        left, right = energies - mesh.edges[first], mesh.edges[last] - energies
        result += at_energy * (np.log(right / left) - subtracted)
        result += mesh.coefficients[:, panel] @ _quotient_integrals(_centred(energies, low, high))
    return result


def _centred(energies: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Energies in panels [low, high], mapped to [-1, 1]."""
    centred: FloatArray = (energies - 0.5 * (low + high)) / (0.5 * (high - low))
    return centred


def _missed(
    mesh: _Mesh, panel: NDArray[np.intp], energies: FloatArray, at_energy: FloatArray
) -> NDArray[np.bool_]:
    """Energies at which the mesh interpolates something else than f: a peak between its nodes."""
    missed = np.zeros(len(energies), dtype=bool)
    inside = (panel >= 0) & (panel < len(mesh.nodes))
    held = panel[inside]
    centred = _centred(energies[inside], mesh.edges[held], mesh.edges[held + 1])
    # Clenshaw's recurrence for sum_k c_k P_k, with the coefficients of every energy's panel
    following, current = np.zeros((2, 2, len(held)))
    for k in range(ORDER - 1, -1, -1):
        step = (2 * k + 1) / (k + 1) * centred * current - (k + 1) / (k + 2) * following
        following, current = current, mesh.coefficients[:, held, k] + step
    error = np.abs(current - at_energy[:, inside])
    missed[inside] = np.any(error > 10.0 * RESOLVED * mesh.magnitudes()[:, held], axis=0)
    return missed


def _quotient_integrals(z: FloatArray) -> FloatArray:
    """int_-1^1 (P_k(t) - P_k(z))/(t - z) dt for k < ORDER, shape (ORDER, len(z)); |z| <= 1.

    Twice the associated Legendre polynomials W_{k-1}, which obey the recurrence of the P_k.
    """
    integrals = np.zeros((ORDER, len(z)))
    integrals[1] = 2.0
    for k in range(1, ORDER - 1):
        integrals[k + 1] = ((2 * k + 1) * z * integrals[k] - k * integrals[k - 1]) / (k + 1)
    return integrals


def _resolve(bath: Occupied, power: float, energies: FloatArray) -> _Mesh:
    """Refine a mesh until it resolves J n and J (n + 1) for transforms at these energies."""
    edges = _initial_edges(bath, energies)
    for _ in range(REFINEMENTS):
        mesh = _sample(bath, power, edges, at_zero=energies[0] == 0.0)
        size = mesh.magnitudes()
        coarse = _unresolved(mesh, size, energies)
        rough_bottom = np.any(mesh.bottom_error > RESOLVED * size[:, 0])
        long_tail = math.isinf(bath.density.support) and _cut_tail(mesh, size, energies)
        if not (coarse.any() or rough_bottom or long_tail):
            return mesh
        if not _refinable(edges, coarse):
            break
        halves = 0.5 * (edges[:-1] + edges[1:])[coarse]
        lower = edges[0] * 0.5 ** np.arange(8 * rough_bottom, 0, -1)
        upper = edges[-1] * 2.0 ** np.arange(1, 1 + 32 * long_tail)
        edges = np.sort(np.concatenate([lower, edges, halves, upper]))
    where = mesh.nodes[coarse][0, 0] if coarse.any() else edges[-1 if long_tail else 0]
    raise _unresolvable(where)


def _unresolvable(where: float) -> AccuracyError:
    return AccuracyError(
        f"the spectral density cannot be resolved to {RESOLVED:g} near frequency {where:.6g}: "
        "it must be smooth except at `breakpoints`, follow `exponent` near zero and decay "
        "towards infinity"
    )


def _refinable(edges: FloatArray, coarse: NDArray[np.bool_]) -> bool:
    """Whether a mesh may become larger, and doubles can hold halves of its coarse panels."""
    room = len(edges) <= MOST_PANELS and edges[0] >= 0.01 * SMALLEST and edges[-1] <= LARGEST
    return bool(room and np.all(np.diff(edges)[coarse] > 1e-14 * edges[1:][coarse]))


def _sample(bath: Occupied, power: float, edges: FloatArray, *, at_zero: bool) -> _Mesh:
    """Evaluate the bath on the nodes of a mesh with these edges."""
    x, v, to_coefficients = _gauss_legendre()
    half = 0.5 * np.diff(edges)[:, None]
    nodes = 0.5 * (edges[:-1] + edges[1:])[:, None] + half * x
    values = bath.occupied(nodes)
    rules, shares = [], []
    for order in (ORDER, ORDER - 8):
        bottom_nodes, bottom_weights = (edges[0] * part for part in _gauss_jacobi(power, order))
        bottom_weighted = bottom_weights * bath.occupied(bottom_nodes)
        # energies other than 0 are so far above the bottom that they see a constant kernel
        seen = bottom_nodes if at_zero else edges[0]
        rules.append((bottom_nodes, bottom_weighted))
        shares.append(np.sum(bottom_weighted / seen, axis=1))
    return _Mesh(
        edges=edges,
        nodes=nodes,
        weights=half * v,
        values=values,
        weighted=half * v * values,
        coefficients=values @ to_coefficients.T,
        bottom_nodes=rules[0][0],
        bottom_weighted=rules[0][1],
        bottom_error=np.abs(shares[0] - shares[1]),
    )


def _unresolved(mesh: _Mesh, size: FloatArray, energies: FloatArray) -> NDArray[np.bool_]:
    """Panels whose trailing Legendre coefficients matter at some energy, shape (m,)."""
    low, high = mesh.edges[:-1], mesh.edges[1:]
    following = np.searchsorted(energies, low)
    padded = np.concatenate([[-np.inf], energies, [np.inf]])
    # zero for a panel that holds an energy
    gap = np.maximum(0.0, np.minimum(low - padded[following], padded[following + 1] - high))
    # seen from afar, an unresolved panel is only as important as it is wide
    weight = (high - low) / np.maximum(high - low, gap)
    trailing = np.max(np.abs(mesh.coefficients[..., -TAIL:]), axis=-1)
    coarse: NDArray[np.bool_] = np.any(trailing * weight > RESOLVED * size, axis=0)
    return coarse


def _cut_tail(mesh: _Mesh, size: FloatArray, energies: FloatArray) -> bool:
    """Whether what lies beyond the mesh may matter, judged by its last panels."""
    before, last = mesh.moments[:, -2], mesh.moments[:, -1]
    # a power law loses the same factor from panel to panel
    remaining = last * last / np.maximum(before - last, np.finfo(float).tiny)
    highest = min(int(np.searchsorted(mesh.edges, energies[-1])), len(mesh.nodes)) - 1
    return bool(np.any(remaining > 0.01 * RESOLVED * size[:, max(highest, 0)]))


def _initial_edges(bath: Occupied, energies: FloatArray) -> FloatArray:
    """Octaves from below every scale of the problem to the support, finer at breakpoints."""
    density, beta, mu = bath.density, bath.beta, bath.mu
    sizes = np.abs(energies[energies != 0.0])
    points = _breakpoints(density)
    scales = [density.scale, *points[:1], *sizes]
    if beta < math.inf:
        # the occupation has poles at mu + 2 pi i k / beta
        scales += [2.0 * math.pi / beta, *([-mu] if mu < 0.0 else [])]
    bottom, top = max(BOTTOM * min(scales), 0.01 * SMALLEST), density.support
    if math.isinf(top):
        top = min(2.0**54 * max(density.scale, float(np.max(sizes, initial=0.0))), LARGEST)
    octaves = bottom * 2.0 ** np.arange(math.ceil(math.log2(top / bottom)))
    graded = [_graded(points, number, energies) for number in range(len(points))]
    for low, high in ((g[0], g[-1]) for g in graded):
        octaves = octaves[(octaves < 0.99 * low) | (octaves > 1.01 * high)]
    edges = np.sort(np.concatenate([octaves[octaves < 0.99 * top], [top], *graded]))
    distinct = np.diff(edges, prepend=0.0) > 1e-13 * edges
    kept: FloatArray = edges[distinct & (edges <= top)]
    return kept


def _breakpoints(density: SpectralDensity) -> list[float]:
    """Where panels must end: the breakpoints, and a support that may be a hard edge."""
    end = [density.support] if math.isfinite(density.support) else []
    return [*density.breakpoints, *end]


def _graded(points: list[float], number: int, energies: FloatArray) -> FloatArray:
    """Edges that shrink towards a breakpoint until they are shorter than any E is near to it."""
    point = points[number]
    below = points[number - 1] if number > 0 else 0.0
    above = points[number + 1] if number + 1 < len(points) else math.inf
    radius = GRADED * min(point - below, above - point)
    nearest = max(float(np.min(np.abs(energies - point))), 2.0**-CLOSEST * point)
    steps = radius * 0.5 ** np.arange(1.0 + max(math.log2(radius / nearest) + 2.0, 0.0))
    return np.concatenate([point - steps, [point], (point + steps)[::-1]])


def _refuse_jumps(density: SpectralDensity, energies: FloatArray) -> None:
    """Raise if an energy cannot be told from a jump of J, where the transform diverges."""
    for point in _breakpoints(density):
        margin = 2.0**-CLOSEST * point
        if np.any(np.abs(energies - point) <= margin):
            steps = margin * np.array([1.0, 1024.0])
            near, far = np.abs(density(point - steps) - density(point + steps))
            # continuous functions, even sqrt(point - w), change less within a smaller distance
            if near > 0.5 * far and near > RESOLVED * float(density(0.5 * density.scale)):
                raise PhysicsError(
                    f"must differ from {point}, where J jumps and the principal value diverges, "
                    "but one does not",
                    "energies",
                )
