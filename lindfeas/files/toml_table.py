"""A table of a TOML file, as pydantic checks it, and the choice between several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from lindfeas.files.complaints import complaint, shown, suggestion


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
