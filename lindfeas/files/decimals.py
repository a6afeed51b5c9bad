"""Decimals as the user wrote them: kept, spaced, and changed in whole documents."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

RANGE_DIGITS = 12
"""Significant digits of the points of a range, so that their decimals stay readable."""


def evenly_spaced(start: Decimal, stop: Decimal, points: int, *, log: bool) -> tuple[Decimal, ...]:
    """``points`` decimals from ``start`` to ``stop``, evenly spaced (in their logarithms).

    The ends are exact; the others are rounded to `RANGE_DIGITS` significant digits, so that a
    point can be written down and asked for again.
    """
    with localcontext() as context:
        context.prec = 4 * RANGE_DIGITS
        steps = [Decimal(step) / (points - 1) for step in range(1, points - 1)]
        if log:
            ratio = stop / start
            inner = [start * ratio**step for step in steps]
        else:
            inner = [start + (stop - start) * step for step in steps]
        context.prec = RANGE_DIGITS
        return (start, *((+value).normalize() for value in inner), stop)


def with_decimals(value: Any, change: Callable[[Decimal], Any]) -> Any:
    """A deep copy of TOML data, every Decimal in it changed."""
    if isinstance(value, dict):
        return {key: with_decimals(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [with_decimals(item, change) for item in value]
    return change(value) if isinstance(value, Decimal) else value
