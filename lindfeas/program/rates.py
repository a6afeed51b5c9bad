"""What is known about the overall rates of the allowed Lindbladians."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import InputError, quoted
from lindfeas.program.checks import check_choice, real_number

RATE_RULES = ("each", "total", "range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is known about the overall rates tr Gamma^r of the allowed Lindbladians.

    ``each``: tr Gamma^r = value (one number, or one per bath). ``total``: sum_r tr Gamma^r =
    value. ``range``: min <= tr Gamma^r <= max (numbers, or one per bath). Unit: the rate unit of
    the coupling-stripped master equation (energy^-1 times spectral density).
    """

    rule: str = "each"
    value: float | tuple[float, ...] = 1.0
    min: float | tuple[float, ...] = 0.0
    max: float | tuple[float, ...] = math.inf

    def __post_init__(self) -> None:
        check_choice(self.rule, RATE_RULES, "ansatz.rates.rule")
        for name in ("value", "min", "max"):
            object.__setattr__(self, name, _rate(getattr(self, name), name))
        if self.rule == "range":
            self._check_range()
        elif any(not 0 < value < math.inf for value in _as_tuple(self.value)):
            raise InputError(f"must be > 0, but is {quoted(self.value)}", "ansatz.rates.value")
        if self.rule == "total" and isinstance(self.value, tuple):
            raise InputError("must be one number for rule 'total'", "ansatz.rates.value")

    @classmethod
    def each(cls, value: float | Sequence[float] = 1.0) -> Rates:
        """tr Gamma^r = value for every region r."""
        return cls(rule="each", value=value)  # type: ignore[arg-type]

    @classmethod
    def total(cls, value: float = 1.0) -> Rates:
        """sum_r tr Gamma^r = value."""
        return cls(rule="total", value=value)

    @classmethod
    def range(
        cls, min: float | Sequence[float] = 0.0, max: float | Sequence[float] | None = None
    ) -> Rates:
        """min <= tr Gamma^r <= max for every region r; ``max`` must be given."""
        if max is None:
            raise InputError(
                "must be given, such as Rates.range(min=0.0, max=1e4), but is missing",
                "ansatz.rates.max",
            )
        return cls(rule="range", min=min, max=max)  # type: ignore[arg-type]

    @property
    def text(self) -> str:
        """The rule on one line."""
        if self.rule == "range":
            return f"between {self.min} and {self.max}"
        return f"{self.value} {'each' if self.rule == 'each' else 'in all'}"

    def times(self, factor: float) -> Rates:
        """The same rule with all its rates multiplied by ``factor`` > 0."""
        value, low, high = (
            tuple(factor * rate for rate in field) if isinstance(field, tuple) else factor * field
            for field in (self.value, self.min, self.max)
        )
        return Rates(rule=self.rule, value=value, min=low, max=high)

    def bounds(self, regions: int) -> RateBounds:
        """The rule in normal form, for so many regions.

        Raises
        ------
        InputError
            If a list has not one number per region.
        """
        if self.rule == "range":
            low, high = (self._per_region(name, regions) for name in ("min", "max"))
            return RateBounds(lower=low, upper=high)
        values = self._per_region("value", regions)
        if self.rule == "each":
            return RateBounds(lower=values, upper=values)
        return RateBounds(lower=(0.0,) * regions, upper=values, total=values[0])

    def _per_region(self, name: str, regions: int) -> tuple[float, ...]:
        """The field ``value``, ``min`` or ``max`` as one number per region."""
        values = getattr(self, name)
        if not isinstance(values, tuple):
            return (values,) * regions
        if len(values) != regions:
            raise InputError(
                f"must be one number, or one per bath ({regions}), but has {len(values)}",
                f"ansatz.rates.{name}",
            )
        return values

    def check_regions(self, regions: int) -> None:
        """Refuse lists that do not have one number per region.

        Raises
        ------
        InputError
            If one of them has another length.
        """
        for name in ("value", "min", "max"):
            self._per_region(name, regions)

    def _check_range(self) -> None:
        if math.inf in _as_tuple(self.max):
            raise InputError("must be finite, but is inf", "ansatz.rates.max")
        if any(value < 0 for value in _as_tuple(self.min)):
            raise InputError(f"must be >= 0, but is {self.min}", "ansatz.rates.min")
        count = max(len(_as_tuple(self.min)), len(_as_tuple(self.max)))
        pairs = zip(self._per_region("min", count), self._per_region("max", count), strict=True)
        if any(low > high or high <= 0 for low, high in pairs):
            raise InputError(
                f"must be > 0 and at least min = {self.min}, but is {self.max}", "ansatz.rates.max"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateBounds:
    """A rate rule in normal form: lower_r <= tr Gamma^r <= upper_r, and their sum if it is given.

    Parameters
    ----------
    lower, upper
        One number per region (rate unit); equal where the rule gives the rates themselves.
    total
        sum_r tr Gamma^r, or None where every region has its own rate.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    total: float | None = None

    @property
    def are_free(self) -> bool:
        """Whether the overall scale of the rates is unknown."""
        return self.total is None and self.lower != self.upper

    @property
    def demanded(self) -> float:
        """The largest rate that the rule demands, of a region or in all."""
        return max(self.lower) if self.total is None else self.total

    def times(self, factor: float) -> RateBounds:
        """All rates multiplied by ``factor`` > 0."""
        lower, upper = (
            tuple(factor * rate for rate in rates) for rates in (self.lower, self.upper)
        )
        total = None if self.total is None else factor * self.total
        return RateBounds(lower=lower, upper=upper, total=total)

    def within(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> RateBounds:
        """Free rates held between ``low`` and ``high``, shape (regions,), as far as they may."""
        lower, upper = (
            tuple(np.clip(limit, self.lower, self.upper).tolist()) for limit in (low, high)
        )
        return RateBounds(lower=lower, upper=upper)

    def smallest(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """min over the allowed t of sum_r t_r values_r, for ``values`` of shape (regions, ...)."""
        if self.total is not None:
            return np.asarray(self.total * values.min(axis=0))
        rates = np.array(self.lower), np.array(self.upper)
        low, high = (rate.reshape(-1, *(1,) * (values.ndim - 1)) for rate in rates)
        return np.asarray(np.sum(values * np.where(values > 0, low, high), axis=0))

    def largest(self, weights: Sequence[float]) -> float:
        """max over the allowed t of sum_r t_r weights_r, for weights >= 0."""
        if self.total is not None:
            return self.total * max(weights)
        return sum(rate * weight for rate, weight in zip(self.upper, weights, strict=True))

    def scale_factors(self, traces: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """By what to multiply the regions' rates to meet the rule; None where zeros forbid it.

        Free rates that are allowed stay as they are.
        """
        if self.total is not None:
            found = float(traces.sum())
            return np.full(len(traces), self.total / found) if found > 0 else None
        wanted = np.clip(traces, self.lower, self.upper)
        if np.any((traces <= 0) & (wanted > 0)):
            return None
        factors: NDArray[np.float64] = wanted / np.where(traces > 0, traces, 1.0)
        return factors

    def some(self) -> tuple[float, ...]:
        """Rates that are allowed: the largest, or equal shares of the sum."""
        if self.total is None:
            return self.upper
        return (self.total / len(self.upper),) * len(self.upper)


def _as_tuple(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _rate(value: Any, name: str) -> float | tuple[float, ...]:
    where = f"ansatz.rates.{name}"
    several = (
        np.ndim(value) > 0 if isinstance(value, np.ndarray) else isinstance(value, list | tuple)
    )
    numbers = tuple(real_number(item) for item in (value if several else (value,)))
    if not numbers:
        raise InputError("must be one number, or one per bath, but is empty", where)
    for item, number in zip(value if several else (value,), numbers, strict=True):
        if number is None or math.isnan(number):
            raise InputError(f"must be a number, but is {quoted(item)}", where)
    checked = tuple(number for number in numbers if number is not None)
    return checked if several else checked[0]
