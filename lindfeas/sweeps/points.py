"""The points of a sweep: what each of them asks, the key that names it, and its row."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lindfeas.errors import InputError, LindfeasError
from lindfeas.files.columns import Axis
from lindfeas.files.decimals import with_decimals
from lindfeas.files.problem_file import (
    ProblemFile,
    json_document,
    problem_from_document,
    set_value,
)
from lindfeas.program.question import DISTANCE_TOLERANCES
from lindfeas.sweeps.engine import Outcome

if TYPE_CHECKING:
    from lindfeas.answers.answer import Answer

RESULT_VERSION = 3
"""Raised when the same question gets another answer than before; part of every point's key."""

CERTIFICATES = "_certificates"
"""Folder of the certificates, beside the table; programs that read parquet pass it over."""

ANSWERED = (
    *("exact", "reason", "target", "criterion", "distance_tolerance", "norm", "tolerance"),
    *("hamiltonian_limit", "lower", "upper", "proved", "solver", "seconds"),
)
"""Columns that hold what an answer calls by the same name."""

MOST_POINTS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the points are answered.

    Parameters
    ----------
    solver, sharp
        As in `lindfeas.certify`.
    prove
        Whether to prove the bounds; by default where python-flint makes it quick.
    certificates
        Whether to keep the certificates of what was proved.
    """

    solver: str | None = None
    prove: bool | None = None
    sharp: bool | None = None
    certificates: bool = False

    def content(self) -> dict[str, Any]:
        """What of it changes a result."""
        solver = None if self.solver is None else self.solver.upper()
        return {"solver": solver, "prove": self.prove, "sharp": self.sharp}


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTask:
    """One point, ready to be sent to a worker.

    Parameters
    ----------
    key
        See `point_key`.
    values
        The swept keys as they stand in the table.
    document
        The problem of this point, as TOML would give it.
    question
        Target, norm and tolerance for the row of a point that fails.
    base_directory
        Where paths in the document start.
    """

    key: str
    values: dict[str, float | int | bool | str]
    document: dict[str, Any] = field(repr=False)
    question: dict[str, Any] = field(repr=False)
    base_directory: Path
    options: Options
    result_version: int = RESULT_VERSION


def free_axes(problem: ProblemFile, fixed: Collection[str] = ()) -> tuple[Axis, ...]:
    """The axes of the problem's sweep without those that were fixed.

    Raises
    ------
    InputError
        If nothing is left to sweep.
    """
    axes = tuple(axis for axis in problem.sweep if axis.key not in fixed)
    if axes:
        return axes
    raise InputError(
        'must say what to sweep, such as "system.coupling" = [0.01, 0.1, 1.0] below [sweep], but '
        + ("every key of it was fixed" if problem.sweep else "is missing"),
        "sweep",
    )


def grid(problem: ProblemFile, axes: Collection[Axis], options: Options) -> tuple[PointTask, ...]:
    """All points, the last key changing fastest.

    Raises
    ------
    InputError
        If there are more than a million, or two of them are the same.
    """
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_POINTS:
        raise InputError(f"must have at most {MOST_POINTS} points, but has {count}", "sweep")
    plain = [axis.plain() for axis in axes]

    @cache
    def digest(name: str | None) -> str | None:
        """What the matrix file holds, read once: other matrices are another problem."""
        if name is None:
            return None
        return hashlib.sha256((problem.base_directory / name).read_bytes()).hexdigest()

    tasks = tuple(
        _task(problem, options, values, row, digest)
        for values, row in zip(_named(axes), _named(plain), strict=True)
    )
    _require_different(tasks)
    return tasks


def _named(axes: Collection[Axis]) -> Iterator[dict[str, Any]]:
    """The values of every point by their keys."""
    keys = [axis.key for axis in axes]
    for values in itertools.product(*(axis.values for axis in axes)):
        yield dict(zip(keys, values, strict=True))


def point_key(content: Mapping[str, Any]) -> str:
    """Name of a point: 32 hex digits that are the same for the same question, everywhere."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def evaluate(task: PointTask) -> Outcome:
    """Answer one point: its row, and its certificate if it was proved and that was asked for."""
    from lindfeas.checker.schema import certificate_text
    from lindfeas.theorems.proving import answered

    require_result_version(task.result_version)
    problem = problem_from_document(task.document, task.base_directory)
    options = task.options
    answer, certificate = answered(
        problem, solver=options.solver, sharp=options.sharp, proof=options.prove
    )
    files = {}
    if options.certificates and certificate is not None:
        files[f"{CERTIFICATES}/{task.key}.json"] = certificate_text(certificate)
    row = {
        **task.values,
        "point": task.key,
        **answer_row(answer),
        "certificate": next(iter(files), None),
    }
    return Outcome(row=row, files=files)


def answer_row(answer: Answer) -> dict[str, Any]:
    """What a table holds of an answer."""
    return {
        "verdict": str(answer.verdict),
        **{name: getattr(answer, name) for name in ANSWERED},
        "proved_quantities": " ".join(answer.proved_quantities),
        **_distances(answer),
        "error": None,
        "lindfeas_version": version("lindfeas"),
    }


def _distances(answer: Answer) -> dict[str, Any]:
    """The columns about T and R."""
    distance, every, found = (
        answer.trace_distance,
        answer.trace_distance_all,
        answer.coherence_error,
    )
    plain = answer.question.asks_for_populations
    return {
        "coherence_tolerance": None if plain else answer.coherence_tolerance,
        "trace_distance_lower": distance.lower,
        "trace_distance_upper": distance.upper,
        "trace_distance_all_lower": every.lower,
        "trace_distance_all_upper": every.upper,
        "trace_distance_lemma1": distance.lemma1,
        "coherence_error_lower": None if found is None else found.lower,
        "coherence_error_upper": None if found is None else found.upper,
        "coherence_ladder": None if found is None else json.dumps(found.to_dict()["ladder"]),
    }


def blank_row(task: PointTask) -> dict[str, Any]:
    """The row of a point of which nothing is known but what it asks."""
    return {
        **task.values,
        "point": task.key,
        **task.question,
        "lindfeas_version": version("lindfeas"),
    }


def require_result_version(expected: int) -> None:
    """Refuse to mix the results of two versions of lindfeas in one table."""
    if expected != RESULT_VERSION:
        raise LindfeasError(
            f"the worker has lindfeas {version('lindfeas')} with result version {RESULT_VERSION}, "
            f"but the sweep was started with result version {expected}: install the same version"
        )


_NO_QUESTION = ("title", "sweep", "candidate", "expected")
"""What of a problem file is no part of a point's question."""


def _task(
    problem: ProblemFile,
    options: Options,
    values: Mapping[str, Any],
    row: dict[str, Any],
    digest: Callable[[str | None], str | None],
) -> PointTask:
    base = {key: table for key, table in problem.document.items() if key not in _NO_QUESTION}
    document = with_decimals(base, Decimal)
    for key, value in values.items():
        set_value(document, key, with_decimals(value, Decimal))
    content, question = _asked(document)
    named = {
        "problem": content,
        "matrices": digest(document["system"].get("matrices")),
        "options": options.content(),
        "result_version": RESULT_VERSION,
    }
    return PointTask(
        key=point_key(named),
        values=row,
        document=document,
        question=question,
        base_directory=problem.base_directory,
        options=options,
    )


def _asked(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the problem without its title, its question as the columns name it)."""
    try:
        content = json_document(document)
    except InputError:
        return document, {}  # values that do not go together; the point's row will say so
    content.pop("title", None)
    asked = content["question"]
    plain = asked["target"] == "populations"
    return content, {
        "target": asked["target"],
        "criterion": asked["criterion"],
        "distance_tolerance": float(
            asked.get("distance_tolerance", DISTANCE_TOLERANCES[asked["target"]])
        ),
        "coherence_tolerance": None if plain else float(asked["coherence_tolerance"]),
        "norm": None if plain else asked["norm"],
        "tolerance": float(asked["tolerance"]),
    }


def _require_different(tasks: Collection[PointTask]) -> None:
    seen: set[Any] = set()
    for task in tasks:
        names = {task.key, tuple(task.values.items())}  # 5 and 5.0 are one value in the table
        if names & seen:
            raise InputError(f"must hold every point once, but {task.values} occurs twice", "sweep")
        seen |= names
