"""The allowed Lindbladian whose steady populations are as near as possible to the true ones.

Minimise T = ||p' - p||_1 / 2 over Gamma = B B^dagger, scaled to the rate rule. The gradient needs
one more linear system: from C p' = 0 and sum(p') = 1, with M = C + 1 1^T / d,

    dF = g.dp' = -(M^-T g) . dC p'        for g = dF/dp'.

The 1-norm is smoothed, |x| -> sqrt(x^2 + e^2), and e lowered in stages. That ends too early where
an eigenvalue of B has become 0 on the way, so steps of `lindfeas.answers.nearest_steps` follow, in
turns.

T has other local minima, up to hundreds of times larger: the search starts from several points, the
same ones every time. It promises a local minimum and no more: T is an upper end, and what is
reported is evaluated from the Lindbladian found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.nearest_steps import stepped
from lindfeas.errors import PhysicsError
from lindfeas.physics.dynamics.measures import trace_distance
from lindfeas.physics.equations.rate_equation import stationary_distribution
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.bounds import repair_point
from lindfeas.program.flow import FlowBlock, rate_matrix
from lindfeas.program.hermitian import hermitian_root
from lindfeas.program.program import Point, Program

COARSE, FINE = (3, 60, 1.0), (9, 200, 1.0)
"""Most stages, most steps of every stage, and the first e in mean deviations of the populations; e
falls by 10 every time."""

SMOOTH = 1e-4
"""The last stage is the one whose e is below this fraction of the mean deviation."""

MEMORY = 30
"""Steps that the approximate curvature is built from."""

FLOOR = 1e-2
"""Eigenvalues of a starting Gamma are raised to this fraction of the largest rate, off 0."""

TURNS = 3
"""Fine descents and linear steps take turns, so many of them at most..."""

GAIN = 1e-5
"""...while T falls relatively by more."""

NOTHING = 1e-13
"""A T below is that of the true populations, up to rounding."""

RANDOM = 32
"""Random points that are looked at..."""

KEPT = 4
"""...so many of which the search starts from."""

SPREAD = 1e-8
"""Smallest rates of a random point, relative to the largest."""

LARGEST_WORK = 20_000
"""Up to this size, d^2 times the entries of Gamma, there are random points."""

SMALLEST_RATE = 1e-9
"""Rates that may be zero are kept above this fraction of the largest."""


def nearest_lindbladian(
    program: Program,
    populations: NDArray[np.float64],
    flows: Sequence[FlowBlock],
    point: Point,
) -> tuple[Point, float] | None:
    """A Lindbladian with steady populations as near as possible to ``populations``, and their T.

    Parameters
    ----------
    point
        A feasible point to start from, besides Gamma proportional to the identity.

    Returns
    -------
    (feasible point, T), or None if no point tried has a unique steady state
    """
    search = _Search(program, populations, flows)
    if (distance := search.distance(point)) < NOTHING:
        return point, distance
    even = Point(gammas=[np.eye(flow.size) for flow in flows], shift=point.shift)
    best, distance = search.best((point, repair_point(program, even)), search.scattered(point))
    return (best, distance) if np.isfinite(distance) else None


def population_distance(
    program: Program,
    populations: NDArray[np.float64],
    flows: Sequence[FlowBlock],
    point: Point,
) -> float:
    """T of a point; infinite if its steady state is not unique. See `_Search.distance`."""
    return _Search(program, populations, flows).distance(point)


@dataclass(frozen=True, slots=True)
class _Search:
    """F(x), x being the entries of all B, then for rule ``range`` the logarithms of all rates."""

    program: Program
    populations: NDArray[np.float64]
    flows: Sequence[FlowBlock]

    def distance(self, point: Point) -> float:
        """T of a point; infinite if its steady state is not unique.

        The larger one of the T of rates lowered and raised by what rounding can do to them, so
        that no steady state counts that only rounding makes unique.
        """
        rates = rate_matrix(self.flows, point.gammas)
        noise = np.sum(
            [_rounding(f, g) for f, g in zip(self.flows, point.gammas, strict=True)], axis=0
        )
        found = 0.0
        for side in (-1, 1):
            moved = np.maximum(rates + side * noise, 0.0)
            np.fill_diagonal(moved, 0.0)
            try:
                steady = stationary_distribution(moved)
            except PhysicsError:
                return float("inf")
            found = max(found, trace_distance(steady, self.populations))
        return found

    def best(self, starts: Sequence[Point], scattered: Sequence[Point]) -> tuple[Point, float]:
        """The nearest of all points that the search from these ends in, and its T.

        A fine search from the starts and a coarse one from the scattered points; what is nearest
        of both is followed to a local minimum.
        """
        ends = [self._nearest([start, *self.descend(start, FINE)]) for start in starts]
        point, distance = self._stepped(*min(ends, key=_second))
        if not scattered or distance < NOTHING:
            return point, distance
        coarse = [self._nearest([one, *self.descend(one, COARSE)]) for one in scattered]
        other = self._turn(*min(coarse, key=_second))
        point, distance = min((point, distance), other, key=_second)
        for _ in range(TURNS):
            before = distance
            point, distance = self._turn(point, distance)
            if not distance < before * (1 - GAIN):
                break
        return point, distance

    def _turn(self, point: Point, distance: float) -> tuple[Point, float]:
        """Smooth descents, then linear steps.

        The descents know curvature, but are stuck where an eigenvalue of Gamma is 0; the linear
        steps are not, and meet corners of the 1-norm exactly.
        """
        return self._stepped(*self._nearest([point, *self.descend(point, FINE)]))

    def _stepped(self, point: Point, distance: float) -> tuple[Point, float]:
        if not NOTHING < distance < np.inf:
            return point, distance
        return stepped(self.program, self.populations, self.flows, point, self.distance)

    def _nearest(self, points: Sequence[Point]) -> tuple[Point, float]:
        return min(((one, self.distance(one)) for one in points), key=_second)

    def scattered(self, like: Point) -> list[Point]:
        """The nearest of random Gamma with rates over many orders of magnitude.

        There are none where the search takes long anyway.
        """
        work = len(self.populations) ** 2 * sum(flow.size**2 for flow in self.flows)
        if work > LARGEST_WORK:
            return []
        generator = np.random.default_rng(0)
        points = []
        for _ in range(RANDOM):
            shares = 10.0 ** generator.uniform(-2, 2, len(self.program.regions))
            gammas = [shares[flow.region] * _random(flow, generator) for flow in self.flows]
            points.append(repair_point(self.program, Point(gammas=gammas, shift=like.shift)))
        return sorted(points, key=self.distance)[:KEPT]

    def descend(self, start: Point, effort: tuple[int, int, float]) -> Iterator[Point]:
        """The feasible points that the stages end in.

        Parameters
        ----------
        effort
            Most stages, most steps of every stage, and the first e in mean deviations.
        """
        from scipy.optimize import minimize

        x, limits = self._coordinates(start)
        length = effort[2] * self._deviation(x)
        if not 0 < length < np.inf:
            return
        for _ in range(effort[0]):
            found = minimize(
                self._value,
                x,
                args=(length,),
                jac=True,
                method="L-BFGS-B",
                bounds=limits,
                options={"maxiter": effort[1], "maxcor": MEMORY, "ftol": 1e-10, "gtol": 1e-12},
            )
            x = found.x
            yield repair_point(self.program, Point(gammas=self._gammas(x)[0], shift=start.shift))
            if length < SMOOTH * self._deviation(x):
                break
            length /= 10

    def _value(self, x: NDArray[np.float64], length: float) -> tuple[float, NDArray[np.float64]]:
        """sum_a sqrt(delta_a^2 + e^2) / e and its gradient; large where p' is not unique."""
        gammas, roots, factors = self._gammas(x)
        generator = rate_matrix(self.flows, gammas)
        matrix, unit = _bordered(generator)
        try:
            steady = np.linalg.solve(matrix, np.full(len(matrix), 1 / len(matrix)))
            size = np.hypot(steady - self.populations, length)
            adjoint = np.linalg.solve(matrix.T, (steady - self.populations) / size)
        except np.linalg.LinAlgError:
            return 1e300, np.zeros_like(x)
        weights = np.asarray(-adjoint / unit, dtype=float)
        slopes = [flow.slope(weights, steady) for flow in self.flows]
        gradient = self._pulled_back(slopes, gammas, roots, factors)
        return float(size.sum()) / length, gradient / length

    def _pulled_back(
        self,
        slopes: Sequence[NDArray[Any]],
        gammas: Sequence[NDArray[Any]],
        roots: Sequence[NDArray[Any]],
        factors: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """From dF/dGamma, of the scaled Gamma, to dF/dx."""
        along = np.zeros(len(factors))
        for flow, slope, gamma in zip(self.flows, slopes, gammas, strict=True):
            along[flow.region] += float(np.sum(slope * gamma).real)
        traces = self.program.traces(gammas)
        mean = along / traces
        if self.program.rates.total is not None:
            mean = np.full(len(along), along.sum() / traces.sum())
        parts = []
        for flow, slope, root in zip(self.flows, slopes, roots, strict=True):
            flat = slope - mean[flow.region] * np.eye(flow.size)
            product = 2 * factors[flow.region] * flat @ root.conj()
            parts.append(product.real.ravel())
            if np.iscomplexobj(root):
                parts.append(-product.imag.ravel())
        if self.program.rates.are_free:
            parts.append(along)
        return np.concatenate(parts)

    def _gammas(
        self, x: NDArray[np.float64]
    ) -> tuple[list[NDArray[Any]], list[NDArray[Any]], NDArray[np.float64]]:
        """Gamma scaled to the rate rule, B, and by what every region of B B^dagger was scaled."""
        roots, at = [], 0
        for flow in self.flows:
            count = flow.size**2
            root: NDArray[Any] = x[at : at + count].reshape(flow.size, flow.size)
            at += count
            if flow.is_complex:
                root = root + 1j * x[at : at + count].reshape(flow.size, flow.size)
                at += count
            roots.append(root)
        products = [root @ root.conj().T for root in roots]
        factors = self._wanted(x[at:]) / self._measured(products)
        scaled = [
            product * factors[flow.region]
            for flow, product in zip(self.flows, products, strict=True)
        ]
        return scaled, roots, factors

    def _wanted(self, logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
        """tr Gamma^r that the rule wants; the sum of all in every place for ``total``."""
        rates = self.program.rates
        if rates.are_free:
            wanted: NDArray[np.float64] = np.exp(logarithms)
            return wanted
        return np.array(rates.upper)

    def _measured(self, gammas: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """What `_wanted` is compared with."""
        traces = self.program.traces(gammas)
        whole = self.program.rates.total is not None
        return np.full(len(traces), traces.sum()) if whole else traces

    def _coordinates(
        self, point: Point
    ) -> tuple[NDArray[np.float64], list[tuple[float | None, float | None]]]:
        """x of a point, and its limits."""
        parts = []
        for flow, gamma in zip(self.flows, point.gammas, strict=True):
            largest = float(self.program.traces(point.gammas).max())
            root = hermitian_root(gamma, floor=FLOOR * largest)
            parts.append(root.real.ravel())
            if flow.is_complex:
                parts.append(root.imag.ravel())
        limits: list[tuple[float | None, float | None]] = [(None, None)] * sum(map(len, parts))
        rates = self.program.rates
        if rates.are_free:
            high = np.array(rates.upper)
            low = np.maximum(rates.lower, SMALLEST_RATE * high)
            parts.append(np.log(np.clip(self.program.traces(point.gammas), low, high)))
            limits += list(zip(np.log(low), np.log(high), strict=True))
        return np.concatenate(parts), limits

    def _deviation(self, x: NDArray[np.float64]) -> float:
        """Mean of |p' - p| over all levels, infinite if p' is not unique."""
        matrix, _ = _bordered(rate_matrix(self.flows, self._gammas(x)[0]))
        try:
            steady = np.linalg.solve(matrix, np.full(len(matrix), 1 / len(matrix)))
        except np.linalg.LinAlgError:
            return float("inf")
        return float(np.abs(steady - self.populations).mean())


def _second(found: tuple[Point, float]) -> float:
    return found[1]


def _rounding(flow: FlowBlock, gamma: NDArray[Any]) -> NDArray[np.float64]:
    """What rounding can do to this block's part of C, shape (d, d); 0 for blocks of one entry."""
    if flow.size == 1:
        return np.zeros(flow.coefficients.shape[:2])
    sizes = np.abs(flow.coefficients).reshape(*flow.coefficients.shape[:2], -1)
    found: NDArray[np.float64] = 4 * UNIT_ROUNDOFF * (sizes @ np.abs(gamma).ravel()).T
    return found


def _random(flow: FlowBlock, generator: np.random.Generator) -> NDArray[Any]:
    """A random Gamma of one block, eigenvalues between `SPREAD` and 1."""
    normal: NDArray[Any] = generator.normal(size=(flow.size, flow.size))
    if flow.is_complex:
        normal = normal + 1j * generator.normal(size=normal.shape)
    vectors, _ = np.linalg.qr(normal)
    values = SPREAD ** generator.uniform(size=flow.size)
    gamma: NDArray[Any] = (vectors * values) @ vectors.conj().T
    return gamma


def _bordered(generator: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """(C / s + 1 1^T / d, s), s the largest rate out of a level: it maps p' to 1/d."""
    largest = float(np.abs(np.diag(generator)).max()) or 1.0
    return generator / largest + 1.0 / len(generator), largest
