"""Spectral densities J(w) = 2 pi sum_k |kappa_k|^2 delta(w - W_k) of bosonic baths.

Units: hbar = k_B = 1, so frequencies and energies are the same thing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lindfeas.errors import InputError, quoted
from lindfeas.text import Quantity

FloatArray = NDArray[np.float64]

EXP_UNDERFLOW = 750.0
"""exp(-x) is exactly zero in double precision from here on."""

NEGLIGIBLE = 1e-30
"""Beyond its support, J is at most this fraction of its maximum."""

LONGEST_NUMBER = 500
"""Characters of a wrong parameter that are shown; enough for an integer beyond the doubles."""


@runtime_checkable
class SpectralDensity(Protocol):
    """What the bath functions need to know about a density J(w)."""

    @property
    def exponent(self) -> float:
        """Power s in J(w) ~ leading_coefficient * w**s as w -> 0+."""

    @property
    def leading_coefficient(self) -> float:
        """Coefficient in J(w) ~ leading_coefficient * w**exponent; 0 if J vanishes faster."""

    @property
    def scale(self) -> float:
        """Frequency on which J changes; J(w) / w**exponent is smooth on [0, scale / 4]."""

    @property
    def support(self) -> float:
        """Frequency beyond which J is zero or below 1e-30 of its maximum; may be inf."""

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Frequencies at which J or a derivative of it jumps, in increasing order."""

    def __call__(self, frequency: ArrayLike) -> FloatArray:
        """Return J(frequency), in the shape of `frequency`; zero for frequency <= 0."""


def parameter(default: float, quantity: Quantity) -> Any:
    """A field of a family, in a problem file a key of its table: all but ``strength`` are > 0."""
    return field(default=default, metadata={"quantity": quantity})


STRENGTH = Quantity("strength", r"\gamma", "energy^(1 - exponent)")
EXPONENT = Quantity("exponent", "s", "dimensionless")
CUTOFF = Quantity("cutoff", r"\omega_c", "energy")


class Family:
    """Parts that the built-in families share: no breakpoints, `cutoff` as the scale."""

    __slots__ = ()
    strength: float
    cutoff: float

    @property
    def leading_coefficient(self) -> float:
        """Coefficient of w**exponent as w -> 0+."""
        return self.strength

    @property
    def scale(self) -> float:
        """Frequency on which J changes."""
        return self.cutoff

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """None: J is smooth for w > 0."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw(Family):
    """J(w) = strength * w**exponent * exp(-(w/cutoff)**n) with n = 2**squarings; 0 for w <= 0."""

    squarings: ClassVar[int]
    strength: float = parameter(1.0, STRENGTH)
    exponent: float = parameter(1.0, EXPONENT)
    cutoff: float = parameter(10.0, CUTOFF)

    def __post_init__(self) -> None:
        _store_family(self, cutoffs=self._root(EXP_UNDERFLOW))

    def __call__(self, frequency: ArrayLike) -> FloatArray:
        """Return J(frequency), in the shape of `frequency`."""
        w = _clip(frequency, self._root(EXP_UNDERFLOW) * self.cutoff)
        decay = w / self.cutoff
        for _ in range(self.squarings):
            decay = np.square(decay)
        return self.strength * w**self.exponent * np.exp(-decay)

    @property
    def support(self) -> float:
        """Frequency beyond which J is below 1e-30 of its maximum."""
        return self.cutoff * self._root(_decay_length(self.exponent / 2.0**self.squarings))

    def _root(self, value: float) -> float:
        """The n-th root of ``value``."""
        for _ in range(self.squarings):
            value = math.sqrt(value)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ohmic(PowerLaw):
    """Power law with a Gaussian cutoff, J(w) = strength * w**exponent * exp(-(w/cutoff)**2).

    Source: the family of Eq. (42) of "Semidefinite programming for understanding limitations
    of Lindblad equations". Zero for w <= 0.

    Parameters
    ----------
    strength
        Prefactor, >= 0; unit energy**(1 - exponent).
    exponent
        Power s > 0; 1 is Ohmic, below sub-Ohmic, above super-Ohmic.
    cutoff
        Cutoff frequency, > 0; unit energy.

    Raises
    ------
    InputError
        A parameter is out of range; `where` is its name.

    Examples
    --------
    >>> float(Ohmic(strength=3.0, cutoff=1e9)(2.0))
    6.0
    """

    squarings: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OhmicExponential(PowerLaw):
    """Power law with an exponential cutoff, J(w) = strength * w**exponent * exp(-w/cutoff).

    Zero for w <= 0. Source: Leggett et al., Rev. Mod. Phys. 59, 1 (1987), Eq. (1.8).

    Parameters
    ----------
    strength
        Prefactor, >= 0; unit energy**(1 - exponent).
    exponent
        Power s > 0.
    cutoff
        Cutoff frequency, > 0; unit energy.

    Raises
    ------
    InputError
        A parameter is out of range; `where` is its name.

    Examples
    --------
    >>> float(OhmicExponential(exponent=2.0, cutoff=1.0)(-1.0))
    0.0
    """

    squarings: ClassVar[int] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrudeLorentz(Family):
    """Ohmic with an algebraic (Drude) cutoff, J(w) = strength * w / (1 + (w/cutoff)**2).

    Zero for w <= 0. Source: Breuer and Petruccione, The Theory of Open Quantum Systems (2002),
    Eq. (3.386), up to the prefactor.

    Parameters
    ----------
    strength
        Prefactor, >= 0; dimensionless.
    cutoff
        Cutoff frequency, > 0; unit energy.

    Raises
    ------
    InputError
        A parameter is out of range; `where` is its name.

    Examples
    --------
    >>> float(DrudeLorentz(cutoff=2.0)(2.0))
    1.0
    """

    strength: float = parameter(1.0, STRENGTH)
    cutoff: float = parameter(10.0, CUTOFF)

    def __post_init__(self) -> None:
        _store_family(self, cutoffs=1.0)

    def __call__(self, frequency: ArrayLike) -> FloatArray:
        """Return J(frequency), in the shape of `frequency`."""
        w = _clip(frequency, np.inf)
        # far beyond the cutoff the 1 is lost anyway; the clip keeps the square finite
        x = np.minimum(w / self.cutoff, 1e150)
        return self.strength * np.minimum(w, 1e150 * self.cutoff) / (1.0 + np.square(x))

    @property
    def exponent(self) -> float:
        """Low-frequency power: 1."""
        return 1.0

    @property
    def support(self) -> float:
        """Infinite: J decays as 1/w."""
        return math.inf


def _clip(frequency: ArrayLike, upper: float) -> FloatArray:
    """Frequencies moved into [0, upper], where every family is finite; J(0) = 0."""
    return np.clip(np.asarray(frequency, dtype=np.float64), 0.0, upper)


def _decay_length(power: float) -> float:
    """Solve y**power * exp(-y) = NEGLIGIBLE * its maximum for the y beyond the maximum."""
    peak = power * (math.log(power) - 1.0)
    y = 100.0 + 10.0 * power
    for _ in range(100):
        y = power * math.log(y) - peak - math.log(NEGLIGIBLE)
    return y


def _store_family(density: PowerLaw | DrudeLorentz, cutoffs: float) -> None:
    """Validate the parameters of a built-in family, and that w**s is finite where it is used."""
    for one in fields(density):
        store(density, one.name, positive=one.name != "strength")
    try:
        largest = density.strength * (cutoffs * density.cutoff) ** density.exponent
    except OverflowError:
        largest = math.inf
    if not math.isfinite(largest):
        raise InputError(
            "must leave strength * frequency**exponent finite up to "
            f"{cutoffs * density.cutoff:.3g}, but is {density.exponent}",
            "exponent",
        )


def store(
    density: SpectralDensity, name: str, *, positive: bool = False, infinite: bool = False
) -> None:
    """Replace a field of a frozen density by a validated float."""
    object.__setattr__(
        density,
        name,
        checked(getattr(density, name), name, positive=positive, infinite=infinite),
    )


def checked(value: object, where: str, *, positive: bool = False, infinite: bool = False) -> float:
    """Return `value` as a float, or say what it must be."""
    bound = "positive" if positive else "non-negative"
    wanted = f"a {bound} number" if infinite else f"a finite {bound} number"
    number = math.nan
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        number = _as_float(value)
    in_range = number > 0.0 if positive else number >= 0.0
    if not in_range or (math.isinf(number) and not infinite):
        way = ""
        if where == "strength" and isinstance(value, list | tuple | np.ndarray):
            way = "; for one strength per coupling, give the bath a tuple of densities"
        raise InputError(f"must be {wanted}, but is {quoted(value, LONGEST_NUMBER)}{way}", where)
    return number


def _as_float(value: float | np.integer[Any] | np.floating[Any]) -> float:
    try:
        return float(value)
    except OverflowError:
        # a Python integer beyond the doubles; its sign does not matter to any check
        return math.inf
