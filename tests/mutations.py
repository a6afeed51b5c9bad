"""Ways to tamper with a certificate, for tests that no false claim is ever accepted."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lindfeas.checker.format import checksum

Path = tuple[str | int, ...]

JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    0.5,
    float("nan"),
    "",
    "NaN",
    "inf",
    "1e9999",
    "1e-999",
    "1e999",
    "0x10",
    "1_0",
    " 1",
    "1\n",
    "١",
    "9" * 2000,
    [],
    {},
    [[[[]]]],
    {"a": {"b": ["c"]}},
)

MALFORMED = {
    "empty": (b"", "must be JSON in UTF-8"),
    "no object": (b"[]", "must be a table, but is a list"),
    "truncated": (b'{"schema_version": 1, "pro', "must be JSON"),
    "a byte of no character": (b'{"a": "\xff"}', "in UTF-8"),
    "duplicate key": (b'{"a": "1", "a": "2"}', "must not repeat a key"),
    "nested duplicate key": (b'{"a": [{"b": 1, "b": 1}]}', "must not repeat a key"),
    "float": (b'{"schema_version": 0.5}', "one of 2 to 2, but is 0.5"),
    "exponent": (b'{"schema_version": 2e0}', "but is 2.0"),
    "nan": (b'{"schema_version": NaN}', "but is nan"),
    "infinity": (b'{"schema_version": -Infinity}', "but is -inf"),
    "huge integer": (b'{"a": 1' + b"0" * 10_000 + b"}", "must be JSON"),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, "nested not too deeply"),
    "deep tables": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested not too deeply"),
    "many lists": (b"[" + b"[]," * 2_000_000 + b"[]]", "lists and tables"),
    "brackets in a string do not count": (b'{"a": "' + b"[" * 100_000 + b'"}', "must be given"),
    "an open string": (b'{"a": "' + b"\\" * 9_001, "must be JSON"),
    "many backslashes": (b'{"a": "' + b"\\" * 100_001, "backslashes"),
    "many strings": (b"[" + b'"",' * 2_000_000 + b'""]', "strings"),
    "zeros": (b"0" * 1_000_000, "must"),
    "null bytes": (b"\0" * 1_000_000, "must be JSON"),
    "trailing text": (b'{"a": 1} {"b": 2}', "must be JSON"),
}
"""What no reader of certificates may take: bytes, and what it says of them."""


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of everything that is neither a table nor a list."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        yield path
    for key, item in items:
        yield from leaves(item, (*path, key))


def containers(value: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of all tables and lists, the outermost one left out."""
    if not isinstance(value, dict | list):
        return
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from containers(item, (*path, key))


def get(certificate: dict[str, Any], path: Path) -> Any:
    node: Any = certificate
    for key in path:
        node = node[key]
    return node


def changed(certificate: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy with one value replaced, and the checksum put right again."""
    tampered = copy.deepcopy(certificate)
    get(tampered, path[:-1])[path[-1]] = value
    return resealed(tampered)


def without(certificate: dict[str, Any], path: Path) -> dict[str, Any]:
    """A copy with one entry removed, and the checksum put right again."""
    tampered = copy.deepcopy(certificate)
    del get(tampered, path[:-1])[path[-1]]
    return resealed(tampered)


def resealed(certificate: dict[str, Any]) -> dict[str, Any]:
    """With the checksum that an attacker would compute."""
    with contextlib.suppress(TypeError, ValueError, AttributeError, KeyError):
        certificate["sha256"] = checksum(certificate)
    return certificate


def scaled(text: str, factor: str) -> str:
    """A decimal string times a factor, exactly."""
    return str(Decimal(text) * Decimal(factor))


def is_number(value: Any) -> bool:
    """Whether a leaf is a decimal string."""
    if not isinstance(value, str) or value.strip("-+.0123456789eE"):
        return False
    try:
        return Decimal(value).is_finite()
    except ArithmeticError:
        return False
