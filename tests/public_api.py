"""The public names with their signatures: ``python -m tests.public_api`` writes them down anew.

`tests/public_api.txt` is what users may rely on. A change of it is a change of their programs, and
has a line in CHANGELOG.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

import lindfeas
from lindfeas import models, proof

FILE = Path(__file__).with_name("public_api.txt")
WIDTH = 100


def listing() -> str:
    """Every public name, in alphabetical order."""
    lines: list[str] = []
    for module in (lindfeas, models, proof):
        for name in sorted(module.__all__):
            value = getattr(module, name)
            if not inspect.ismodule(value):
                lines += [*_described(f"{module.__name__}.{name}", value), ""]
    return "\n".join(lines)


def _described(name: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield from _call(name, value)
        return
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    if issubclass(value, BaseException | Enum):
        yield f"class {name}({bases})"
    else:
        yield from _call(f"class {name}", value)
    members: dict[str, Any] = {}
    for part in reversed(value.__mro__):
        if part.__module__.startswith("lindfeas."):
            members |= vars(part)
    for member in sorted(members):
        if member == "__call__" or not member.startswith("_"):
            yield from _member(member, members[member], value)


def _member(name: str, value: Any, owner: type) -> Iterator[str]:
    if is_dataclass(owner) and name in owner.__dataclass_fields__:
        return
    if isinstance(value, property | cached_property):
        getter = value.fget if isinstance(value, property) else value.func
        yield f"    {name}: {inspect.signature(getter).return_annotation}"
    elif isinstance(value, classmethod | staticmethod):
        yield from _call(name, getattr(owner, name), before=f"    {type(value).__name__} ")
    elif inspect.isfunction(value):
        yield from _call(name, value, before="    method ")
    else:
        yield f"    {name} = {value!r}"


def _call(name: str, value: Any, before: str = "") -> Iterator[str]:
    """On one line, or one parameter a line."""
    signature = inspect.signature(value)
    listed, star = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            listed.append("*")
        listed.append(_shown(parameter))
    returns = signature.return_annotation
    after = ")" if returns in (signature.empty, "None", None) else f") -> {returns}"
    line = f"{before}{name}({', '.join(listed)}{after}"
    if len(line) <= WIDTH:
        yield line
        return
    space = " " * (len(before) - len(before.lstrip()))
    yield f"{before}{name}("
    yield from (f"{space}    {text}," for text in listed)
    yield f"{space}{after}"


def _shown(parameter: inspect.Parameter) -> str:
    text = parameter.name
    if parameter.annotation is not parameter.empty:
        text += f": {parameter.annotation}"
    if parameter.default is parameter.empty:
        return text
    default = "..." if "factory" in repr(parameter.default) else repr(parameter.default)
    return f"{text} = {default}"


if __name__ == "__main__":
    FILE.write_text(listing(), encoding="utf-8")
    print(f"written: {FILE}")
