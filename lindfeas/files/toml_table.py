"""What TOML files are made of, as pydantic checks it: numbers, tables, a choice of tables.

Numbers are decimals as the user wrote them, checked but not rounded.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Self, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from lindfeas.files.complaints import complaint, shown, suggestion

DECIMAL_STRINGS = "decimal_strings"
"""Validation context: numbers may be decimal strings, as certificates hold them."""


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


class TomlTable(BaseModel):
    """A TOML table: no key that is not known, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kind: ClassVar[str] = ""
    """What the known keys depend on, for the error message, such as ``rule 'each'``."""

    @model_validator(mode="before")
    @classmethod
    def _knows_every_key(cls, table: Any) -> Any:
        for key in table if isinstance(table, dict) else ():
            if key not in cls.model_fields:
                raise complaint(f"unknown key{suggestion(key, cls.model_fields, cls.kind)}", key)
        return table

    @classmethod
    def variant(
        cls, title: str, description: str = "", kind: str = "", **keys: tuple[Any, Any]
    ) -> type[Self]:
        """This table with further keys, each with its (type, default), ``...`` for none."""
        content: dict[str, Any] = {**keys}
        table = create_model(title, __base__=cls, __doc__=description or cls.__doc__, **content)
        table.kind = kind
        return table


class Choice:
    """Picks the table of one kind by one of its keys, so that errors carry plain paths."""

    def __init__(self, key: str, models: Mapping[str, type[TomlTable]]) -> None:
        self.key, self.models, self.default = key, models, next(iter(models))

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        every = handler.generate_schema(Union[tuple(self.models.values())])  # noqa: UP007
        return core_schema.with_info_wrap_validator_function(self, every)

    def __call__(
        self, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        if not isinstance(value, dict):
            raise complaint(f"must be a table, but is {shown(value)}")
        choice = value.get(self.key, self.default)
        if not isinstance(choice, str) or choice not in self.models:
            options = ", ".join(self.models)
            raise complaint(f"must be one of {options}, but is {shown(choice)}", self.key)
        return self.models[choice].model_validate(value, context=info.context)
