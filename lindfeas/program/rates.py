"""What is known about the overall rates of the allowed Lindbladians."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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

    def times(self, factor: float) -> Rates:
        """The same rule with all its rates multiplied by ``factor`` > 0."""
        value, low, high = (
            tuple(factor * rate for rate in field) if isinstance(field, tuple) else factor * field
            for field in (self.value, self.min, self.max)
        )
        return Rates(rule=self.rule, value=value, min=low, max=high)

    def per_region(self, name: str, regions: int) -> tuple[float, ...]:
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
            self.per_region(name, regions)

    def _check_range(self) -> None:
        if math.inf in _as_tuple(self.max):
            raise InputError("must be finite, but is inf", "ansatz.rates.max")
        if any(value < 0 for value in _as_tuple(self.min)):
            raise InputError(f"must be >= 0, but is {self.min}", "ansatz.rates.min")
        count = max(len(_as_tuple(self.min)), len(_as_tuple(self.max)))
        pairs = zip(self.per_region("min", count), self.per_region("max", count), strict=True)
        if any(low > high or high <= 0 for low, high in pairs):
            raise InputError(
                f"must be > 0 and at least min = {self.min}, but is {self.max}", "ansatz.rates.max"
            )


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
