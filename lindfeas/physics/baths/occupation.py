"""How a bath's modes are occupied: n(w), and the densities J n and J (n + 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lindfeas.errors import InputError
from lindfeas.physics.baths.spectral_density import SpectralDensity

FloatArray = NDArray[np.float64]


def occupation(frequency: ArrayLike, beta: float, mu: float = 0.0) -> FloatArray:
    """Mean number of bosons n(w) = 1/(exp(beta (w - mu)) - 1) in a mode of frequency w.

    Parameters
    ----------
    frequency
        Frequencies w > mu (energy), any shape.
    beta
        Inverse temperature (1/energy), > 0; inf is zero temperature.
    mu
        Chemical potential (energy), <= 0.

    Returns
    -------
    n(w), in the shape of `frequency`; relative error a few ulp times max(1, beta (w - mu)).

    Raises
    ------
    InputError
        A parameter is out of range, or a frequency is not above mu.
    """
    beta, mu = _bath(beta, mu)
    above = finite(frequency, "frequency") - mu
    if np.any(above <= 0.0):
        raise InputError(f"must be above mu = {mu}, but reaches {above.min() + mu}", "frequency")
    with np.errstate(over="ignore", under="ignore"):
        occupied: FloatArray = -np.exp(-beta * above) / np.expm1(-beta * above)
    return occupied


@dataclass(frozen=True)
class Occupied:
    """J n and J (n + 1) of independent bosons in thermal equilibrium.

    Parameters
    ----------
    density
        Spectral density J.
    beta
        Inverse temperature (1/energy), > 0; inf is zero temperature.
    mu
        Chemical potential (energy), <= 0.

    Raises
    ------
    InputError
        A parameter is out of range.
    """

    density: SpectralDensity
    beta: float
    mu: float = 0.0

    def __post_init__(self) -> None:
        beta, mu = _bath(self.beta, self.mu)
        object.__setattr__(self, "beta", beta)
        object.__setattr__(self, "mu", mu)

    def occupied(self, w: FloatArray) -> FloatArray:
        """(J n, J (n + 1)) at frequencies w, stacked; zero for w <= 0."""
        positive = np.where(w > 0.0, w, 1.0)
        with np.errstate(over="ignore", under="ignore"):
            # dividing J, not multiplying by n, stays finite where n overflows and J n does not
            emission = self.density(w) / -np.expm1(-self.beta * (positive - self.mu))
            # beta (w - mu) would lose digits of w; at zero temperature and mu = 0 it is no number
            fugacity = math.exp(self.beta * self.mu) if self.mu < 0.0 else 1.0
            absorption = emission * np.exp(-self.beta * positive) * fugacity
        return np.array([absorption, emission])

    @property
    def low_frequency_power(self) -> float:
        """Power p of J(w) (n(w) + 1) ~ w**p as w -> 0+; J n has the same, or is zero."""
        # a vanishing leading coefficient says that J is smaller than w**exponent: the next power
        vanishing = 1.0 if self.density.leading_coefficient == 0.0 else 0.0
        singular = 1.0 if self.mu == 0.0 and self.beta < math.inf else 0.0
        return self.density.exponent + vanishing - singular


def finite(values: ArrayLike, where: str) -> FloatArray:
    """Values as an array of doubles.

    Raises
    ------
    InputError
        If one of them is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise InputError(f"must be finite, but holds {array[~np.isfinite(array)][0]}", where)
    return array


def _bath(beta: float, mu: float) -> tuple[float, float]:
    """Validate the parameters of a bosonic bath whose spectrum starts at 0."""
    if not (_is_number(beta) and beta > 0.0):
        raise InputError(f"must be > 0, but is {beta!r}", "beta")
    if not (_is_number(mu) and -math.inf < mu <= 0.0):
        raise InputError(f"must be finite and <= 0, but is {mu!r}", "mu")
    return float(beta), float(mu)


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool)
