"""Numbers of a problem file: decimals as the user wrote them, checked but not rounded."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation, localcontext
from typing import Annotated, Any

from pydantic import (
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from lindfeas.files.complaints import complaint, shown

DECIMAL_STRINGS = "decimal_strings"
"""Validation context: numbers may be decimal strings, as certificates hold them."""

RANGE_DIGITS = 12
"""Significant digits of the points of a range, so that their decimals stay readable."""


class _Number:
    """A TOML number as a Decimal that a double can hold: finite, or also ``inf``, and in range."""

    def __init__(self, bound: str = "", *, infinite: bool = False) -> None:
        self.bound, self.infinite = bound, infinite

    def __call__(self, value: Any, info: ValidationInfo) -> Decimal:
        if isinstance(value, str) and (info.context or {}).get(DECIMAL_STRINGS):
            with contextlib.suppress(InvalidOperation):
                value = Decimal(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise complaint(f"must be a number, but is {shown(value)}")
        number = Decimal(value)
        if number.is_nan():
            raise complaint("must be a number, but is nan")
        if number.is_infinite() and not self.infinite:
            raise complaint(f"must be finite, but is {shown(number)}")
        if number.is_finite() and (math.isinf(float(number)) or (number and not float(number))):
            raise complaint(f"must fit a double-precision number, but is {shown(number)}")
        if (self.bound and number < 0) or (self.bound == "> 0" and not number):
            raise complaint(f"must be {self.bound}, but is {shown(number)}")
        return number


_ANY = WithJsonSchema({"type": "number"})
_FROM_ZERO = WithJsonSchema({"type": "number", "minimum": 0})
_ABOVE_ZERO = WithJsonSchema({"type": "number", "exclusiveMinimum": 0})

Number = Annotated[Decimal, PlainValidator(_Number()), _ANY]
NonNegative = Annotated[Decimal, PlainValidator(_Number(">= 0")), _FROM_ZERO]
Positive = Annotated[Decimal, PlainValidator(_Number("> 0")), _ABOVE_ZERO]
PositiveOrInfinite = Annotated[Decimal, PlainValidator(_Number("> 0", infinite=True)), _ABOVE_ZERO]


class _OneOrMany:
    """Validates a number or a list of numbers, so that an error names the list's entry."""

    def __init__(self, entry: Any) -> None:
        self.one: TypeAdapter[Decimal] = TypeAdapter(entry)
        self.many: TypeAdapter[list[Decimal]] = TypeAdapter(list[entry])

    def __call__(
        self, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Decimal | list[Decimal]:
        if isinstance(value, list):
            return self.many.validate_python(value, context=info.context)
        return self.one.validate_python(value, context=info.context)


Numbers = Annotated[Number | list[Number], WrapValidator(_OneOrMany(Number))]
NonNegatives = Annotated[NonNegative | list[NonNegative], WrapValidator(_OneOrMany(NonNegative))]
Positives = Annotated[Positive | list[Positive], WrapValidator(_OneOrMany(Positive))]


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
