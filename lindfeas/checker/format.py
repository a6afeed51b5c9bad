"""Certificate files: strict JSON in and out, held to the published schema.

Only the standard library is used, because the checker reads its input through this module. A
certificate is data: reading one runs no code, and a hostile file costs bounded memory and time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lindfeas.errors import InputError

SCHEMA_FILE = "certificate.schema.json"
"""The JSON Schema, beside this module; the reader enforces this very file."""

BOX_SCHEMA_FILE = "box-certificate.schema.json"
"""The same for the certificate of a box of parameters."""

VERSION = 2
"""Of the certificates that are written; those of version 1 are read as well."""

LARGEST_FILE = 16_000_000
"""Bytes; parsed JSON takes up to 30 times as much memory."""

MOST_CONTAINERS = 1_000_000
"""Lists and tables in one file."""

MOST_STRINGS = 1_500_000
"""Strings in one file, keys included."""

MOST_ESCAPES = 10_000
"""Backslashes in one file; only a title may need some."""

DEEPEST = 32
"""Levels of nesting; a certificate has 10."""

LONGEST_INTEGER = 9
"""Digits; all other numbers are strings."""


class CertificateError(InputError):
    """The certificate cannot be read, or does not have the form of one."""


def read_certificate(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a certificate file strictly.

    Parameters
    ----------
    path
        JSON file; see ``checker/certificate.schema.json`` for its keys.

    Returns
    -------
    dict
        Plain JSON types, of the published form, with the right checksum. Whether the claims hold
        is for `lindfeas.checker.verify` to say.

    Raises
    ------
    CertificateError
        At the first mistake; ``where`` is the path of the key, or of the file.

    Examples
    --------
    >>> from lindfeas.theorems.certificate import read_certificate
    >>> certificate = read_certificate("results/chain.certificate.json")  # doctest: +SKIP
    """
    certificate = parse_certificate(_content(Path(path)), str(path))
    check_certificate(certificate)
    return certificate


def certificate_text(certificate: Mapping[str, Any]) -> str:
    """The text of the file: indented, with lists of numbers on one line each."""
    return _pretty(certificate, "") + "\n"


def parse_certificate(content: bytes, where: str = "certificate") -> dict[str, Any]:
    """Parse JSON of bounded size and depth, without repeated keys, floats and constants.

    Raises
    ------
    CertificateError
        If it is anything else.
    """
    if len(content) > LARGEST_FILE:
        raise CertificateError(f"must be at most {LARGEST_FILE} bytes, but is larger", where)
    _check_size(content, where)
    try:
        parsed = json.loads(
            content.decode(),
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_integer,
            object_pairs_hook=_table,
        )
    except CertificateError as error:
        raise CertificateError(error.message, where) from None
    except UnicodeDecodeError as error:
        raise CertificateError(f"must be UTF-8, but byte {error.start} is not", where) from None
    except RecursionError:
        raise CertificateError("must be JSON, but is nested too deeply", where) from None
    except ValueError as error:
        raise CertificateError(f"must be JSON, but is not: {error}", where) from None
    if not isinstance(parsed, dict):
        raise CertificateError("must be a JSON object, but is not", where)
    return parsed


def check_certificate(certificate: Any) -> None:
    """Compare form and checksum with what the published schema and ``sha256`` say.

    Raises
    ------
    CertificateError
        At the first difference.
    """
    try:
        _check(certificate, box_schema() if is_box(certificate) else certificate_schema(), ())
    except RecursionError:
        message = f"must be nested at most {DEEPEST} deep, but is deeper"
        raise CertificateError(message, "certificate") from None
    stated, computed = certificate["sha256"], checksum(certificate)
    if stated != computed:
        raise CertificateError(f"must be {computed}, but is {stated}", "sha256")


def checksum(certificate: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of everything but the checksum itself."""
    content = {key: value for key, value in certificate.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_box(certificate: Any) -> bool:
    """Whether a certificate says that it is about a box of parameters."""
    return isinstance(certificate, dict) and certificate.get("kind") == "box"


@cache
def certificate_schema() -> dict[str, Any]:
    """JSON Schema of a certificate."""
    return _published(SCHEMA_FILE)


@cache
def box_schema() -> dict[str, Any]:
    """JSON Schema of the certificate of a box; it refers to definitions of the other schema."""
    return _published(BOX_SCHEMA_FILE)


def _published(file: str) -> dict[str, Any]:
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _content(file: Path) -> bytes:
    where = str(file)
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise CertificateError(f"must be a readable file, but: {error.strerror}", where) from None
    except ValueError as error:
        raise CertificateError(f"must be a path, but: {error}", where) from None


def _check_size(content: bytes, where: str) -> None:
    """Refuse a file that would take much memory or time, before it does; in linear time."""
    containers = content.count(b"[") + content.count(b"{")
    for count, most, what in (
        (containers, MOST_CONTAINERS, "lists and tables"),
        (content.count(b'"') // 2, MOST_STRINGS, "strings"),
        (content.count(b"\\"), MOST_ESCAPES, "backslashes"),
    ):
        if count > most:
            raise CertificateError(f"must hold at most {most} {what}, but holds {count}", where)
    if (deepest := nesting(content)) > DEEPEST:
        raise CertificateError(f"must be nested at most {DEEPEST} deep, but is {deepest}", where)


def nesting(content: bytes) -> int:
    """How deep the brackets of JSON are nested, up to the first that closes nothing.

    A string without an end is taken to reach to the end of the file.
    """
    depth = deepest = 0
    for mark in BRACKET.finditer(content):
        depth += _STEPS[mark[1]]
        deepest = max(deepest, depth)
        if depth < 0:
            break
    return deepest


_STEPS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1, b"": 0}

BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+\\?"?)*+([\[\]{}]|\Z)', re.DOTALL)
"""Anything but brackets outside of strings, and then a bracket or the end: no place is left over
from which to search again, so that it takes linear time."""


def _refuse(text: str) -> Any:
    raise CertificateError(
        f"must give numbers as decimal strings, but holds the number {text[:40]}"
    )


def _integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise CertificateError(f"must hold small integers only, but holds {text[:40]}")
    return int(text)


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = repeated(pairs, table)
        raise CertificateError(f"must not repeat a key, but repeats {twice[:40]!r}")
    return table


def repeated(pairs: list[tuple[str, Any]], unseen: dict[str, Any]) -> str:
    """The first key that comes a second time; ``unseen`` is a table of all, and is used up."""
    for key, _ in pairs:
        if key not in unseen:
            return key
        del unseen[key]
    raise ValueError("no key is repeated")


def _pretty(value: Any, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, Mapping) and value:
        rows = [f"{inner}{json.dumps(key)}: {_pretty(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


# A validator for the part of JSON Schema that the certificate's schema uses.

_Place = tuple[Any, ...]
"""Where a value stands: () for the certificate, else (place of what holds it, key or number).

It becomes text only in an error, because most values have none.
"""


def _check(value: Any, schema: Mapping[str, Any], where: _Place) -> None:
    if "$ref" in schema:
        _check(value, _definition(schema["$ref"]), where)
    for keyword, check in _KEYWORDS.items():
        if keyword in schema:
            check(value, schema, where)


@cache
def _definition(reference: str) -> Mapping[str, Any]:
    """What ``FILE#/$defs/NAME`` refers to; no name is in both files."""
    name = reference.rpartition("/")[2]
    return {**certificate_schema()["$defs"], **box_schema()["$defs"]}[name]


def _error(message: str, where: _Place) -> CertificateError:
    text = ""
    while where:
        where, key = where
        text = (f"[{key}]" if isinstance(key, int) else f".{str(key)[:60]}") + text
    return CertificateError(message, text.lstrip(".") or "certificate")


def _fail(message: str, value: Any, where: _Place) -> None:
    shown = "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else ""
    raise _error(f"{message}, but is {shown or repr(value)[:60]}", where)


_TYPES: dict[str, type] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


def _check_type(value: Any, schema: Mapping[str, Any], where: _Place) -> None:
    if type(value) is not _TYPES[schema["type"]]:
        _fail(f"must be of JSON type {schema['type']}", value, where)
    if isinstance(value, dict):
        _check_table(value, schema, where)
    elif isinstance(value, list):
        _check_list(value, schema, where)


def _check_table(value: dict[Any, Any], schema: Mapping[str, Any], where: _Place) -> None:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key in schema.get("required", ()):
        if key not in value:
            raise _error("must be given, but is missing", (where, key))
    if len(value) > schema.get("maxProperties", len(value)):
        message = f"must have at most {schema['maxProperties']} keys, but has {len(value)}"
        raise _error(message, where)
    for key, item in value.items():
        if not isinstance(key, str) or (key not in properties and others is False):
            raise _error("unknown key", (where, str(key)))
        _check(item, properties.get(key, {} if others is True else others), (where, key))


def _check_list(value: list[Any], schema: Mapping[str, Any], where: _Place) -> None:
    low, high = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if not low <= len(value) <= high:
        raise _error(f"must have {low} to {high} entries, but has {len(value)}", where)
    items = schema.get("items", {})
    for number, item in enumerate(value):
        _check(item, items, (where, number))


def _check_const(value: Any, schema: Mapping[str, Any], where: _Place) -> None:
    wanted = schema["const"]
    if type(value) is not type(wanted) or value != wanted:
        _fail(f"must be {wanted!r}", value, where)


def _check_enum(value: Any, schema: Mapping[str, Any], where: _Place) -> None:
    if not isinstance(value, str) or value not in schema["enum"]:
        _fail(f"must be one of {', '.join(schema['enum'])}", value, where)


def _check_range(value: Any, schema: Mapping[str, Any], where: _Place) -> None:
    low, high = schema["minimum"], schema["maximum"]
    if not low <= value <= high:
        _fail(f"must be between {low} and {high}", value, where)


def _check_pattern(value: Any, schema: Mapping[str, Any], where: _Place) -> None:
    if not re.fullmatch(schema["pattern"], value):
        _fail(f"must be a string of the form {schema['pattern']}", value, where)


def _check_length(value: Any, schema: Mapping[str, Any], where: _Place) -> None:
    if len(value) > schema["maxLength"]:
        _fail(f"must have at most {schema['maxLength']} characters", value, where)


def _check_any(value: Any, schema: Mapping[str, Any], where: _Place) -> None:
    """Some alternative must fit; the error is that of the one that fits furthest."""
    errors = []
    for alternative in schema["anyOf"]:
        try:
            return _check(value, alternative, where)
        except CertificateError as error:
            errors.append(error.with_traceback(None))
    raise max(errors, key=_depth)


def _depth(error: CertificateError) -> tuple[int, int]:
    """How far down in the certificate an error is."""
    where = error.where or ""
    return where.count(".") + where.count("["), len(where)


_KEYWORDS: dict[str, Callable[[Any, Mapping[str, Any], _Place], None]] = {
    "const": _check_const,
    "enum": _check_enum,
    "type": _check_type,
    "minimum": _check_range,
    "pattern": _check_pattern,
    "maxLength": _check_length,
    "anyOf": _check_any,
}
