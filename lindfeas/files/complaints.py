"""The words of errors about a problem file: which key, what it holds, what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from pydantic_core import ErrorDetails, PydanticCustomError

from lindfeas.errors import InputError

_MESSAGES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "model_type": "must be a table",
    "string_type": "must be a string",
}


def complaint(message: str, key: str | None = None) -> PydanticCustomError:
    """What a validator raises: ``message`` about the value, or about its entry ``key``."""
    return PydanticCustomError("lindfeas", "{message}", {"message": message, "key": key})


def suggestion(key: str, known: Iterable[str], kind: str = "") -> str:
    """Ending of an error about an unknown ``key``: what was probably meant."""
    known = list(known)
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"{f' of {kind}' if kind else ''}; known: {', '.join(known)}"


def key_and_value(setting: str, where: str) -> tuple[str, str]:
    """Both sides of ``KEY=VALUE``; ``where`` is the option that takes it."""
    key, _, text = (part.strip() for part in setting.partition("="))
    if not (key and text):
        message = f"must be KEY=VALUE, such as bath.left.beta=5, but is {shown(setting)}"
        raise InputError(message, where)
    return key, text


def shown(value: Any, quote: Callable[[Any], str] = repr) -> str:
    """``value`` as an error message quotes it: on one line, and short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        text = "inf" if value == Decimal("inf") else "-inf" if value.is_infinite() else str(value)
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, list):
        text = "a list" if value else "an empty list"
    else:
        text = quote(value) if isinstance(value, str | int) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def key_path(keys: Iterable[str | int], document: Mapping[str, Any]) -> str:
    """``keys`` into ``document`` as a dotted path, baths by their names."""
    path = ""
    node: Any = document
    above: str | int = ""
    for key in keys:
        node = _child(node, key)
        name = node.get("name") if above == "bath" and isinstance(node, dict) else None
        if isinstance(key, int) and not (isinstance(name, str) and _is_plain(name)):
            path += f"[{key}]"
        else:
            path += f".{name if isinstance(key, int) else key}" if path else str(key)
        above = key
    return path


def _is_plain(name: str) -> bool:
    return 0 < len(name) <= 60 and name.isascii() and name.isprintable()


def _child(node: Any, key: str | int) -> Any:
    try:
        return node[key]
    except (KeyError, IndexError, TypeError):
        return None


def message(detail: ErrorDetails) -> str:
    """One of pydantic's complaints in this project's grammar, "must be ..., but is ..."."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "lindfeas":
        return str(context["message"])
    if kind == "missing":
        return "must be given, but is missing"
    if kind in ("too_short", "string_too_short"):
        return "must hold at least one entry, but is empty"
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        return f"must be one of {expected}, but is {shown(given)}"
    if kind == "string_pattern_mismatch":
        # the only pattern is that of a name; escapes, because what is wrong may be invisible
        return f"must be 1 to 200 letters a-z or A-Z, digits, - and _, but is {shown(given, ascii)}"
    if kind == "greater_than_equal":
        return f"must be >= {context['ge']}, but is {shown(given)}"
    if kind == "less_than_equal":
        return f"must be <= {context['le']}, but is {shown(given)}"
    return f"{_MESSAGES.get(kind, detail['msg'])}, but is {shown(given)}"
