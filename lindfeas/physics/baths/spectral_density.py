"""Spectral densities J(w) = 2 pi sum_k |kappa_k|^2 delta(w - W_k) of bosonic baths.

Units: hbar = k_B = 1, so frequencies and energies are the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lindfeas.errors import InputError, quoted

FloatArray = NDArray[np.float64]

EXP_UNDERFLOW = 750.0
"""exp(-x) is exactly zero in double precision from here on."""

NEGLIGIBLE = 1e-30
"""Beyond its support, J is at most this fraction of its maximum."""

PROBE = 1e-12
"""Where a custom density is compared with its claimed low-frequency form, in its scale."""

LONGEST_NUMBER = 500
"""Characters of a wrong parameter that are shown; enough for an integer beyond the doubles."""

PROBE_TOLERANCE = 1e-2
"""Relative difference there that a next-to-leading term may cause."""


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


class _Smooth:
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
class Ohmic(_Smooth):
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

    strength: float = 1.0
    exponent: float = 1.0
    cutoff: float = 10.0

    def __post_init__(self) -> None:
        _store_family(self, cutoffs=math.sqrt(EXP_UNDERFLOW))

    def __call__(self, frequency: ArrayLike) -> FloatArray:
        """Return J(frequency), in the shape of `frequency`."""
        w = _clip(frequency, math.sqrt(EXP_UNDERFLOW) * self.cutoff)
        return self.strength * w**self.exponent * np.exp(-np.square(w / self.cutoff))

    @property
    def support(self) -> float:
        """Frequency beyond which J is below 1e-30 of its maximum."""
        return self.cutoff * math.sqrt(_decay_length(self.exponent / 2.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class OhmicExponential(_Smooth):
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

    strength: float = 1.0
    exponent: float = 1.0
    cutoff: float = 10.0

    def __post_init__(self) -> None:
        _store_family(self, cutoffs=EXP_UNDERFLOW)

    def __call__(self, frequency: ArrayLike) -> FloatArray:
        """Return J(frequency), in the shape of `frequency`."""
        w = _clip(frequency, EXP_UNDERFLOW * self.cutoff)
        return self.strength * w**self.exponent * np.exp(-w / self.cutoff)

    @property
    def support(self) -> float:
        """Frequency beyond which J is below 1e-30 of its maximum."""
        return self.cutoff * _decay_length(self.exponent)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrudeLorentz(_Smooth):
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

    strength: float = 1.0
    cutoff: float = 10.0

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomDensity:
    """Any spectral density, given as a function of an array of positive frequencies.

    J(w) = function(w) for 0 < w <= support, otherwise zero. Near zero, J(w) must behave as
    leading_coefficient * w**exponent times a smooth function of w.

    Parameters
    ----------
    function
        Maps positive frequencies, shape (n,), to J >= 0, shape (n,).
    exponent
        Low-frequency power s > 0.
    leading_coefficient
        Limit of J(w) / w**exponent as w -> 0+; 0 if J vanishes faster
        (for example below a gap).
    scale
        Frequency on which J changes, > 0; unit energy. Far narrower peaks may be missed unless
        a breakpoint marks them; where doubles cannot hold them to 1e-12 (widths below 1e-3 of
        their frequency), energies inside them are refused.
    support
        J is zero beyond it; inf if it never is. It may be a hard edge.
    breakpoints
        Frequencies in (0, support) at which J or a derivative jumps.

    Raises
    ------
    InputError
        A parameter is out of range or does not describe `function`; on a call, the
        function returns the wrong shape or a value that is negative or not finite.

    Examples
    --------
    >>> band = CustomDensity(
    ...     function=lambda w: np.sqrt(w * (2.0 - w)), exponent=0.5,
    ...     leading_coefficient=math.sqrt(2.0), scale=1.0, support=2.0)
    >>> float(band(1.0))
    1.0
    """

    function: Callable[[FloatArray], ArrayLike]
    exponent: float = 1.0
    leading_coefficient: float
    scale: float
    support: float = math.inf
    breakpoints: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InputError(
                f"must be callable with an array, but is {quoted(self.function)}", "function"
            )
        _store(self, "exponent", positive=True)
        _store(self, "leading_coefficient")
        _store(self, "scale", positive=True)
        _store(self, "support", positive=True, infinite=True)
        object.__setattr__(self, "breakpoints", _sorted_breakpoints(self))
        self._check_leading_term()

    def __call__(self, frequency: ArrayLike) -> FloatArray:
        """Return J(frequency), in the shape of `frequency`."""
        w = np.asarray(frequency, dtype=np.float64)
        inside = (w > 0.0) & (w <= self.support)
        # nan stays nan instead of turning into a plausible zero
        result = np.where(np.isnan(w), np.nan, 0.0)
        result[inside] = self._evaluate(w[inside])
        return result

    def _evaluate(self, frequency: FloatArray) -> FloatArray:
        returned = self.function(frequency)
        try:
            if np.iscomplexobj(returned):
                raise TypeError
            with np.errstate(over="ignore"):
                value = np.asarray(returned, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"must return one number per frequency, but returns {quoted(returned)}", "function"
            ) from None
        if value.shape != frequency.shape:
            raise InputError(
                f"must return one value per frequency, shape {frequency.shape}, "
                f"but returns shape {value.shape}",
                "function",
            )
        bad = ~(np.isfinite(value) & (value >= 0.0))
        if np.any(bad):
            raise InputError(
                f"must be finite and non-negative, but is {float(value[bad][0])} "
                f"at frequency {float(frequency[bad][0])}",
                "function",
            )
        return value

    def _check_leading_term(self) -> None:
        inner = min(self.scale, self.support) / 2.0
        power = (PROBE * inner) ** self.exponent
        if power < 1e-290:
            # a power this small says nothing in double precision
            return
        measured = float(self(PROBE * inner)) / power
        size = self.leading_coefficient or float(self(inner)) / inner**self.exponent
        if abs(measured - self.leading_coefficient) > PROBE_TOLERANCE * size:
            raise InputError(
                f"must be the limit of J(w)/w**exponent as w -> 0+, about {measured:.6g}, "
                f"but is {self.leading_coefficient}",
                "leading_coefficient",
            )


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


def _store_family(density: Ohmic | OhmicExponential | DrudeLorentz, cutoffs: float) -> None:
    """Validate the parameters of a built-in family, and that w**s is finite where it is used."""
    _store(density, "strength")
    if not isinstance(density, DrudeLorentz):
        _store(density, "exponent", positive=True)
    _store(density, "cutoff", positive=True)
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


def _store(
    density: SpectralDensity, name: str, *, positive: bool = False, infinite: bool = False
) -> None:
    """Replace a field of a frozen density by a validated float."""
    object.__setattr__(
        density,
        name,
        _checked(getattr(density, name), name, positive=positive, infinite=infinite),
    )


def _checked(value: object, where: str, *, positive: bool = False, infinite: bool = False) -> float:
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


def _sorted_breakpoints(density: CustomDensity) -> tuple[float, ...]:
    try:
        listed = tuple(density.breakpoints)
    except TypeError:
        raise InputError(
            f"must list frequencies, but is {quoted(density.breakpoints)}", "breakpoints"
        ) from None
    points = tuple(sorted(_checked(b, "breakpoints", positive=True) for b in listed))
    if points and points[-1] >= density.support:
        raise InputError(
            f"must be below the support {density.support}, but is {points[-1]}", "breakpoints"
        )
    return tuple(dict.fromkeys(points))
