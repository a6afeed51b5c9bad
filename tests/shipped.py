"""The shipped problems: their answers, certificates and boxes, each computed once a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import lindfeas as lf
from lindfeas.answers.answer import Answer
from lindfeas.files.problem_file import ProblemFile, problem_from_document, read_problem
from lindfeas.theorems.box import parse_interval, prove_box
from lindfeas.theorems.certificate import certificate
from lindfeas.theorems.exact_problem import problem_document

PROBLEMS = Path(__file__).parent.parent / "problems"
SWEEPS = ("boundary-", "figure-")
FILES = sorted(path for path in PROBLEMS.glob("*.toml") if not path.name.startswith(SWEEPS))
"""One problem each; boundaries and the sweeps of the published figures have their own tests."""

CHAIN = "xxz-1+2+1"
SPLIT = ("system.field=0.35:0.65",)
"""A box around the chain that takes several cells."""


@cache
def solved(name: str, *settings: str) -> tuple[ProblemFile, Answer]:
    """A shipped problem with some settings, and its answer."""
    problem = read_problem(PROBLEMS / f"{name}.toml", settings)
    return problem, lf.certify(problem.question)


@cache
def written(name: str, *settings: str) -> dict[str, Any]:
    """The certificate of `solved`."""
    problem, answer = solved(name, *settings)
    return certificate(problem, answer)


def certificate_of(problem: ProblemFile) -> dict[str, Any]:
    """Without a trace distance and the candidate's own steady state."""
    return certificate(problem, lf.certify(problem.question, sharp=False, check=False))


@cache
def document(name: str) -> dict[str, Any]:
    """The exact problem of a shipped file, as a certificate states it."""
    problem = read_problem(PROBLEMS / f"{name}.toml")
    return problem_document(problem, problem.question)


def question_of(problem: dict[str, Any]) -> lf.Question:
    """The question that the problem of a certificate asks."""
    # what a certificate states as null has no key in a problem file
    ansatz = {key: value for key, value in problem["ansatz"].items() if value is not None}
    return problem_from_document({**problem, "ansatz": ansatz}, decimal_strings=True).question


@cache
def proved(*box: str) -> dict[str, Any]:
    """The certificate of a box around the chain."""
    problem = read_problem(PROBLEMS / f"{CHAIN}.toml")
    return prove_box(problem, [parse_interval(text) for text in box]).certificate


def leaf_numbers(content: dict[str, Any]) -> list[int]:
    """Where the cells of a box certificate stand that are not split."""
    return [n for n, cell in enumerate(content["cells"]) if "split" not in cell]
