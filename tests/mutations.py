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
