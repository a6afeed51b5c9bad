"""Any spectral density that a user writes as a function, held against what is said about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lindfeas.errors import InputError, quoted
from lindfeas.physics.baths.spectral_density import FloatArray, checked, store

PROBE = 1e-12
"""Where a custom density is compared with its claimed low-frequency form, in its scale."""

PROBE_TOLERANCE = 1e-2
"""Relative difference there that a next-to-leading term may cause."""


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
        store(self, "exponent", positive=True)
        store(self, "leading_coefficient")
        store(self, "scale", positive=True)
        store(self, "support", positive=True, infinite=True)
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


def _sorted_breakpoints(density: CustomDensity) -> tuple[float, ...]:
    try:
        listed = tuple(density.breakpoints)
    except TypeError:
        raise InputError(
            f"must list frequencies, but is {quoted(density.breakpoints)}", "breakpoints"
        ) from None
    points = tuple(sorted(checked(b, "breakpoints", positive=True) for b in listed))
    if points and points[-1] >= density.support:
        raise InputError(
            f"must be below the support {density.support}, but is {points[-1]}", "breakpoints"
        )
    return tuple(dict.fromkeys(points))
