"""Problem files: TOML in, a `Question` out, and every mistake named by its key."""

from __future__ import annotations

import copy
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO

from lindfeas.errors import InputError, quoted, require
from lindfeas.files import construction, schema
from lindfeas.files.columns import Axis
from lindfeas.files.complaints import key_and_value, shown, suggestion
from lindfeas.files.decimals import evenly_spaced, with_decimals
from lindfeas.files.schema import problem_schema as problem_schema
from lindfeas.physics.equations.jumps import Jumps
from lindfeas.physics.systems.open_system import FIND
from lindfeas.program.question import Question

LARGEST_FILE = 10_000_000
"""Bytes; a problem file beyond this is a mistake."""

SETTABLE = ("system", "bath", "ansatz", "question")
"""Tables that ``--set`` and ``[sweep]`` may reach into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known about the answer.

    Parameters
    ----------
    verdict
        ``impossible``, ``possible`` or ``undecided``, by the question's criterion.
    lower, upper
        Both ends of the certified interval of the defect must lie between them; None where nothing
        is known.
    distance
        The same for the trace distance.
    source
        Who computed it, and how.
    """

    verdict: str
    lower: float | None
    upper: float | None
    distance: tuple[float | None, float | None]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProblemFile:
    """A problem as read from a file, after ``--set``.

    Parameters
    ----------
    title
        The file's title, or an empty string.
    document
        The whole document as TOML gave it, with a Decimal for every number with a point.
    question
        What `lindfeas.answers.certify.certify` answers.
    sweep
        The axes of the sweep, empty without ``[sweep]``.
    expected
        What the file says about the answer, or None.
    base_directory
        Where paths in the document start.
    path
        The file, or None.
    candidate
        The user's own Lindbladian, to be scored beside the answer, or None.
    """

    title: str
    document: dict[str, Any]
    question: Question
    sweep: tuple[Axis, ...]
    expected: Expected | None
    base_directory: Path
    path: Path | None
    candidate: Jumps | None = None

    def at(self, values: Mapping[str, Any]) -> ProblemFile:
        """The same problem with dotted keys set, such as one point of the sweep."""
        document = copy.deepcopy(self.document)
        for key, value in values.items():
            set_value(document, key, value)
        return problem_from_document(document, self.base_directory, path=self.path)

    def json_document(self) -> dict[str, Any]:
        """The problem alone, with all defaults and decimal strings: what a certificate holds.

        A charge that was found stands there as if it had been given.
        """
        content = json_document(self.document)
        system = self.question.system
        if content["system"].get("charge") == FIND:
            charge = system.charge
            content["system"]["charge"] = [list(q) for q in charge] if charge else "none"
        return content


def json_document(document: dict[str, Any]) -> dict[str, Any]:
    """See `ProblemFile.json_document`; nothing but the document's own validity is checked."""
    problem = schema.validate(document)
    content = problem.model_dump(exclude={"sweep", "candidate", "expected"}, exclude_none=True)
    strings: dict[str, Any] = with_decimals(content, str)
    return strings


def read_problem(path: str | os.PathLike[str], settings: Sequence[str] = ()) -> ProblemFile:
    """Read a problem file strictly.

    Parameters
    ----------
    path
        TOML file; see ``files/problem.schema.json`` for its keys.
    settings
        ``KEY=VALUE`` with a dotted key (``bath.right.beta=5``) and a TOML value; what is no TOML
        value is a string.

    Raises
    ------
    InputError
        At the first mistake; ``where`` is the path of the key, or of the file.

    Examples
    --------
    >>> from lindfeas.files.problem_file import read_problem
    >>> problem = read_problem("problems/xxz-1+2+1.toml", ["bath.right.beta=5"])
    >>> problem.question.system.baths[1].beta
    5.0
    """
    file = file_path(path)
    with _readable(str(file)):
        stream = file.open("rb")
    with stream:
        return _read(stream, str(file), settings, path=file)


def problem_from_stream(stream: BinaryIO, settings: Sequence[str] = ()) -> ProblemFile:
    """The problem that a stream such as standard input holds; paths in it start here.

    Raises
    ------
    InputError
        As `read_problem`.
    """
    return _read(stream, "standard input", settings, path=None)


def _read(
    stream: BinaryIO, where: str, settings: Sequence[str], *, path: Path | None
) -> ProblemFile:
    document = _parse(_text(stream, where), where)
    for setting in _listed(settings):
        key, value = parse_setting(setting)
        set_value(document, key, value)
    return problem_from_document(document, "." if path is None else path.parent, path=path)


def file_path(path: Any) -> Path:
    """A user's path, or one line that says what it is instead."""
    require(path, (str, os.PathLike), "path", "give the path of a file")
    try:
        return Path(path)
    except TypeError:  # bytes from __fspath__
        raise InputError(f"must be a path, but is {quoted(path)}", "path") from None


def _listed(settings: Any) -> Sequence[str]:
    several = settings if isinstance(settings, list | tuple) else (None,)
    for setting in several:
        if not isinstance(setting, str):
            raise InputError(f"must be a list of KEY=VALUE, but is {quoted(settings)}", "settings")
    return several


def problem_from_document(
    document: Mapping[str, Any],
    base_directory: str | os.PathLike[str] = ".",
    *,
    path: Path | None = None,
    decimal_strings: bool = False,
) -> ProblemFile:
    """The problem that a document describes, such as one out of a certificate.

    Parameters
    ----------
    document
        A problem file's content: tables, lists, strings, bools, ints and Decimals.
    base_directory
        Where paths in the document start.
    path
        The file that the document is from, if any.
    decimal_strings
        Take strings such as ``"0.5"`` where a number belongs (see `ProblemFile.json_document`).

    Raises
    ------
    InputError
        At the first mistake; ``where`` is the path of the key.
    """
    content = copy.deepcopy(dict(document))
    problem = schema.validate(content, decimal_strings=decimal_strings)
    if decimal_strings:
        content = problem.model_dump(exclude_unset=True)
    base = Path(base_directory)
    question = construction.question(problem, base)
    return ProblemFile(
        title=problem.title,
        document=content,
        sweep=_sweep(problem.sweep, content),
        question=question,
        candidate=construction.candidate(problem, question.system, base),
        expected=_expected(problem.expected),
        base_directory=base,
        path=path,
    )


def parse_setting(setting: str) -> tuple[str, Any]:
    """``KEY=VALUE`` as a dotted key and a TOML value."""
    key, text = key_and_value(setting, "--set")
    try:
        parsed = _parse(f"value = {text}", key)
    except InputError:
        return key, text
    return (key, parsed["value"]) if list(parsed) == ["value"] else (key, text)


def set_value(document: dict[str, Any], key: str, value: Any) -> None:
    """Put ``value`` at the dotted ``key``; whether it may stand there, validation finds out."""
    first, *rest = key.split(".")
    if first not in SETTABLE or not rest:
        known = "system.KEY, bath.NAME.KEY, ansatz.KEY, question.KEY"
        raise InputError(f"must be a key of the form {known}", key)
    if first == "bath":
        table, rest, path = _bath_table(document, key, rest), rest[1:], f"bath.{rest[0]}"
    else:
        table, path = document.setdefault(first, {}), first
    for part in rest[:-1]:
        _require_table(table, path)
        table, path = table.setdefault(part, {}), f"{path}.{part}"
    _require_table(table, path)
    table[rest[-1]] = value


def _bath_table(document: dict[str, Any], key: str, rest: list[str]) -> dict[str, Any]:
    if len(rest) < 2:
        raise InputError("must name a key of the bath, such as bath.left.beta", key)
    baths = document.get("bath")
    tables = [bath for bath in baths if isinstance(bath, dict)] if isinstance(baths, list) else []
    for bath in tables:
        if bath.get("name") == rest[0]:
            return bath
    names = [str(bath.get("name")) for bath in tables]
    raise InputError(f"no bath is called {rest[0]!r}{suggestion(rest[0], names)}", key)


def _require_table(table: Any, path: str) -> None:
    if not isinstance(table, dict):
        raise InputError(f"must be a table to hold a key, but is {shown(table)}", path)


@contextmanager
def _readable(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"must be a readable file, but: {error.strerror}", where) from None
    except ValueError as error:
        raise InputError(f"must be a path, but: {error}", where) from None


def _text(stream: BinaryIO, where: str) -> str:
    with _readable(where):
        data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise InputError(f"must be a problem file, but is beyond {LARGEST_FILE} bytes", where)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"must be TOML text in UTF-8, but byte {error.start} is not", where
        ) from None
    if not text.strip():
        raise InputError("must be a problem file, but is empty", where)
    return text.replace("\r\n", "\n")


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        raise InputError("must be TOML, but is nested too deeply", where) from None
    except InvalidOperation:
        raise InputError("must be TOML, but holds a number beyond all range", where) from None
    except ValueError as error:
        raise InputError(f"must be TOML, but is not: {error}", where) from None


def _sweep(
    sweep: Mapping[str, schema.SweepRange | list[Any]], document: dict[str, Any]
) -> tuple[Axis, ...]:
    return tuple(_axis(key, values, document) for key, values in sweep.items())


def _axis(key: str, values: schema.SweepRange | list[Any], document: dict[str, Any]) -> Axis:
    """The axis of one key, after each of its values was tried on the document."""
    where = f"sweep.{key}"
    tried: Sequence[Any]
    if isinstance(values, schema.SweepRange):
        numbers = evenly_spaced(values.start, values.stop, values.points, log=values.scale == "log")
        axis = Axis(key=key, values=numbers, scale=values.scale)
        tried = numbers[:: len(numbers) - 1]
    else:
        axis, tried = Axis(key=key, values=tuple(values)), values
    for value in tried:
        point = copy.deepcopy(document)
        try:
            set_value(point, key, value)
            schema.validate(point)
        except InputError as error:
            message = error.message if error.where == key else str(error)
            raise InputError(message, where) from None
    return axis


def _expected(expected: schema.ExpectedTable | None) -> Expected | None:
    if expected is None:
        return None
    known = with_decimals(expected.model_dump(), float)
    distance = known.pop("distance")
    return Expected(**known, distance=(distance["lower"], distance["upper"]))
