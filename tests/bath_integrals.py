"""J, n, and the half-sided transforms C(E), D(E) of a thermal bath, to about 40 digits.

Independent of lindfeas: every principal value is one trapezoidal sum. With w = s exp(pi/2 sinh t),

    h sum_k F(k h) = P int F(t) dt - pi r cot(pi t0 / h) + (exponentially small)

for an analytic F with a simple pole of residue r at t0, and the sum is refined until it stands.
Source: Stenger, Numerical Methods Based on Sinc and Analytic Functions (1993), Sec. 3.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np

from tests.decimal_matrices import DIGITS, digits
from tests.system_data import Density

SETTLED = Decimal("1e-38")
"""Relative change between two refinements at which a sum stands."""

NEGLIGIBLE = Decimal("1e-58")
"""Relative size at which the transformed integrand is cut off."""

REFINEMENTS = 8

NEAR = Decimal("1e-9")
"""A pole must be farther from all points than this, relatively: the digits that cancel."""

GRIDS = (Decimal("1.0471"), Decimal("1.3183"), Decimal("0.8017"))
"""Scales of the grids to try, relative to the bath's; energies are seldom at such ratios."""

with mpmath.workdps(DIGITS + 10):
    PI = Decimal(mpmath.nstr(mpmath.pi, DIGITS + 5))


class UndefinedError(Exception):
    """The question has no answer: a divergent integral, a rate that jumps, no unique state."""


class TooNearError(Exception):
    """A point of the grid is too near to the pole."""


@dataclass(frozen=True, slots=True)
class Bath:
    """One bath copy: its density, inverse temperature and chemical potential."""

    density: Density
    beta: Decimal
    mu: Decimal
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def cold(self) -> bool:
        """Whether it is at zero temperature."""
        return self.beta.is_infinite()

    def strength(self, w: Decimal) -> Decimal:
        """J(w)."""
        if w <= 0:
            return Decimal(0)
        own = self.density
        gamma, x = Decimal(own.strength), w / Decimal(own.cutoff)
        if own.family == "drude_lorentz":
            return gamma * w / (1 + x * x)
        cut = (-x * x if own.family == "ohmic" else -x).exp() if x < 10**4 else Decimal(0)
        return gamma * w ** Decimal(own.exponent) * cut

    def occupation(self, w: Decimal) -> Decimal:
        """n(w) = 1/(exp(beta (w - mu)) - 1), without cancellation."""
        if self.cold:
            return Decimal(0)
        x = self.beta * (w - self.mu)
        if x > 2 * 10**6:
            return Decimal(0)
        with digits(DIGITS + max(0, -x.adjusted()) + 5):
            decay = (-x).exp()
            return decay / (1 - decay)

    def rates(self, energy: Decimal) -> tuple[Decimal, Decimal]:
        """(J n, J (n + 1)) at a frequency; zero for E <= 0."""
        if energy <= 0:
            return Decimal(0), Decimal(0)
        j = self.strength(energy)
        absorbed = j * self.occupation(energy)
        return absorbed, absorbed + j

    @property
    def jumps(self) -> bool:
        """Whether J (n + 1) has different limits at E -> 0 from above and from below."""
        warm = not self.cold and self.mu == 0 and Decimal(self.density.strength) != 0
        return warm and self.exponent <= 1

    @property
    def exponent(self) -> Decimal:
        """s in J ~ w^s at small w."""
        drude = self.density.family == "drude_lorentz"
        return Decimal(1) if drude else Decimal(self.density.exponent)

    def half_sided(self, energy: Decimal) -> tuple[tuple[Decimal, Decimal], ...]:
        """(C(E), D(E)), each (real, imaginary part)."""
        if energy not in self.cache:
            absorbed, emitted = self.rates(energy)
            thermal, vacuum = self._transforms(energy)
            self.cache[energy] = (
                (absorbed / 2, -thermal / (2 * PI)),
                (emitted / 2, -(thermal + vacuum) / (2 * PI)),
            )
        return self.cache[energy]

    def elastic_sum(self) -> tuple[Decimal, Decimal]:
        """D(0) + conj(C(0)) in the limit: all that enters for a Hermitian coupling.

        J (n + 1/2) at zero, half of it, and the reorganisation energy: -(1/2 pi) int J/w.
        """
        if self.jumps and self.exponent < 1:
            raise UndefinedError("the elastic rate diverges")
        real = Decimal(0)
        if self.jumps:
            real = Decimal(self.density.strength) / self.beta / 2
        return real, -self._line("J/w", lambda w: self.strength(w) / w).plain() / (2 * PI)

    def _transforms(self, energy: Decimal) -> tuple[Decimal, Decimal]:
        """P int J n/(w - E) and P int J/(w - E)."""
        if energy == 0:
            if self.jumps:
                raise UndefinedError("a principal value diverges at zero frequency")
            thermal = self._line("Jn/w", lambda w: self.strength(w) * self.occupation(w) / w)
            return thermal.plain(), self._line("J/w", lambda w: self.strength(w) / w).plain()
        thermal = self._principal_value(
            "Jn", lambda w: self.strength(w) * self.occupation(w), energy
        )
        return thermal, self._principal_value("J", self.strength, energy)

    def _principal_value(
        self, name: str, function: Callable[[Decimal], Decimal], energy: Decimal
    ) -> Decimal:
        """On the first grid that has no point too near to the pole."""
        for factor in GRIDS:
            try:
                return self._line(name, function, factor).principal_value(energy)
            except TooNearError:
                continue
        raise ArithmeticError("a principal value has its pole on every grid")

    def _line(
        self, name: str, function: Callable[[Decimal], Decimal], factor: Decimal = Decimal(1)
    ) -> HalfLine:
        if (name, factor) not in self.cache:
            scale = Decimal(self.density.cutoff)
            if name.startswith("Jn") and not self.cold:
                scale = min(scale, 1 / self.beta)
            self.cache[name, factor] = HalfLine(function, scale * factor)
        return self.cache[name, factor]


@lru_cache(maxsize=64)
def bath(density: Density, beta: Any, mu: Any) -> Bath:
    """The bath functions of these parameters, with everything that was computed before."""
    return Bath(density, Decimal(beta), Decimal(mu))


class HalfLine:
    """Integrals int_0^inf f(w) (...) dw by trapezoidal sums in t, w = scale exp(pi/2 sinh t)."""

    def __init__(self, function: Callable[[Decimal], Decimal], scale: Decimal) -> None:
        self.function, self.scale = function, scale
        coarse = Decimal(1) / 8
        self.low, self.high = self._range(coarse, -1), self._range(coarse, 1)
        self.levels = [self._sampled(coarse, range(self.low, self.high + 1))]
        self.step = coarse

    def plain(self) -> Decimal:
        """int_0^inf f dw."""
        return self._settled(lambda nodes, weights: weights, lambda step: Decimal(0))

    def principal_value(self, energy: Decimal) -> Decimal:
        """P int_0^inf f(w) / (w - E) dw."""

        def correction(step: Decimal) -> Decimal:
            residue = self.function(energy) if energy > 0 else Decimal(0)
            if residue == 0:
                return Decimal(0)
            x = (energy / self.scale).ln() * 2 / PI
            pole = (abs(x) + (x * x + 1).sqrt()).ln().copy_sign(x)
            with mpmath.workdps(DIGITS + 5):
                cot = mpmath.cot(mpmath.pi * mpmath.mpf(str(pole / step)))
            return PI * residue * Decimal(mpmath.nstr(cot, DIGITS))

        def terms(nodes: np.ndarray, weights: np.ndarray) -> np.ndarray:
            apart = nodes - energy
            if energy > 0 and min(abs(apart)) < NEAR * energy:
                raise TooNearError
            return weights / apart

        return self._settled(terms, correction)

    def _settled(
        self,
        terms: Callable[[np.ndarray, np.ndarray], np.ndarray],
        correction: Callable[[Decimal], Decimal],
    ) -> Decimal:
        last, total, size, step = None, Decimal(0), Decimal(0), Decimal(1) / 8
        for level in itertools.count():
            if level == len(self.levels):
                if level > REFINEMENTS:
                    raise ArithmeticError("a bath integral does not settle")
                self._refine()
            values = terms(*self.levels[level])
            total += values.sum()
            size += abs(values).sum()
            if level:
                step /= 2
            found = step * total + correction(step)
            if last is not None and abs(found - last) <= SETTLED * step * size:
                return found
            last = found
        raise AssertionError

    def _refine(self) -> None:
        """Points in the middle of those that there are."""
        level = len(self.levels)
        step = self.step / 2**level
        self.levels.append(
            self._sampled(step, range(self.low * 2**level + 1, self.high * 2**level, 2))
        )

    def _sampled(self, step: Decimal, numbers: range) -> tuple[np.ndarray, np.ndarray]:
        pairs = [self._point(step * number) for number in numbers]
        nodes, weights = np.empty(len(pairs), dtype=object), np.empty(len(pairs), dtype=object)
        for k, (node, slope) in enumerate(pairs):
            nodes[k], weights[k] = node, self.function(node) * slope
        return nodes, weights

    def _point(self, t: Decimal) -> tuple[Decimal, Decimal]:
        """(w, dw/dt)."""
        grow, decay = t.exp(), (-t).exp()
        node = self.scale * (PI / 2 * (grow - decay) / 2).exp()
        return node, node * PI / 2 * (grow + decay) / 2

    def _range(self, step: Decimal, sign: int) -> int:
        """How far the integrand reaches, in steps: f dw/dt / (1 + w/scale) decides."""
        largest, number, below = Decimal(0), 0, 0
        while below < 4 and number < 80:
            node, slope = self._point(step * number * sign)
            size = abs(self.function(node)) * slope / (1 + node / self.scale)
            largest = max(largest, size)
            below = below + 1 if size <= NEGLIGIBLE * largest else 0
            number += 1
        return sign * number
