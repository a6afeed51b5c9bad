"""Proofs over a box of parameters: for all their values, no allowed Lindbladian exists."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from lindfeas.errors import InputError, MissingExtraError, require
from lindfeas.files.complaints import shown
from lindfeas.files.problem_file import ProblemFile
from lindfeas.program.verdict import Verdict
from lindfeas.theorems.box_search import Interval, Search
from lindfeas.theorems.proving import can_prove

if TYPE_CHECKING:
    from lindfeas.checker import Proof

MOST_CELLS = 1000
"""Cells to try unless asked otherwise."""

MOST_PARAMETERS = 4
MOST_LEVELS = 64

PARAMETERS = "system.field, system.coupling, system.anisotropy, bath.NAME.beta, bath.NAME.mu"
_PARAMETER = re.compile(r"system\.(field|coupling|anisotropy)|bath\.[\w-]+\.(beta|mu)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxAnswer:
    """What was proved over a box.

    Parameters
    ----------
    certificate
        Of the form of ``checker/box-certificate.schema.json``.
    proof
        The checker's verdict on it; None if no cell was proved.
    proved, undecided
        Numbers of cells.
    share
        Which part of the box's volume the proved cells are.
    tolerance
        Of the question.
    seconds
        Wall time of this run, the check included.
    """

    certificate: dict[str, Any]
    proof: Proof | None
    proved: int
    undecided: int
    share: float
    tolerance: float
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """``impossible`` if the whole box is proved to be, else ``undecided``."""
        whole = self.proof is not None and self.proof.status == "accepted"
        return Verdict.IMPOSSIBLE if whole else Verdict.UNDECIDED

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        proof = self.proof
        return {
            "verdict": str(self.verdict),
            "box": {s["key"]: [s["low"], s["high"]] for s in self.certificate["box"]},
            "cells": {"proved": self.proved, "undecided": self.undecided},
            "volume_proved": self.share,
            "tolerance": self.tolerance,
            "lower": proof and proof.lower,
            "trace_distance_lower": proof and proof.trace_distance,
            "proof": proof and proof.status,
            "statement": proof.statement if proof else "No cell of the box is proved.",
            "seconds": self.seconds,
        }


def parse_interval(text: str) -> Interval:
    """``KEY=LOW:HIGH`` as an interval.

    Raises
    ------
    InputError
        If it is anything else, or the key is no parameter of a box.

    Examples
    --------
    >>> parse_interval("bath.left.beta=0.95:1.05").high
    Decimal('1.05')
    """
    require(text, str, "--box", "give KEY=LOW:HIGH")
    key, equals, ends = (part.strip() for part in text.partition("="))
    low, colon, high = ends.partition(":")
    try:
        interval = Interval(key=key, low=Decimal(low.strip()), high=Decimal(high.strip()))
    except InvalidOperation:
        interval = Interval(key=key, low=Decimal("NaN"), high=Decimal("NaN"))
    if not (equals and colon and interval.low.is_finite() and interval.high.is_finite()):
        raise InputError(
            f"must be KEY=LOW:HIGH, such as system.coupling=0.0095:0.0105, but is {shown(text)}",
            "--box",
        )
    if not _PARAMETER.fullmatch(key):
        raise InputError(f"must be one of {PARAMETERS} in a box, but is not", key)
    if interval.low > interval.high:
        raise InputError(f"must go from low to high, but is {shown(ends)}", key)
    return interval


def prove_box(
    problem: ProblemFile,
    box: Sequence[Interval],
    *,
    solver: str | None = None,
    most_cells: int = MOST_CELLS,
    start: Mapping[str, Any] | None = None,
    progress: Callable[[dict[str, Any]], None] | None = None,
    every: float = 2.0,
) -> BoxAnswer:
    """Prove that no allowed Lindbladian has the steady populations, anywhere in a box.

    Parameters
    ----------
    problem
        The problem file; what it says about the parameters of the box does not count.
    box
        One interval per parameter.
    solver
        As for `lindfeas.certify`.
    most_cells
        How many cells may be tried, those of ``start`` included; the others stay undecided.
    start
        The certificate of an earlier run, to go on from.
    progress
        Called with the certificate so far, every few seconds and at the end.
    every
        Seconds between these calls.

    Raises
    ------
    InputError
        If the box is not one for this problem, or ``start`` is about something else.
    MissingExtraError
        Without python-flint.
    """
    require(problem, ProblemFile, "problem", "give what lf.read_problem returns")
    for interval in box if isinstance(box, list | tuple) else (box,):
        require(interval, Interval, "box", "give a list of parse_interval(...)")
    if not can_prove():
        raise MissingExtraError("python-flint", "proof", "A proof over a box")
    from lindfeas.checker import verify
    from lindfeas.checker.cost import MOST_WORK

    started = time.perf_counter()
    _check_box(problem, box)
    search = Search(problem=problem, box=tuple(box), solver=solver)
    if search.cell_work > MOST_WORK:
        raise InputError(
            f"must have cells whose check takes at most about {MOST_WORK / 1e6:.0f} s, but one "
            f"takes about {search.cell_work / 1e6:.3g} s: take fewer parameters or levels",
            "--box",
        )
    if start is not None:
        search.go_on(start)
    _run(search, most_cells, progress or (lambda certificate: None), every)
    found = search.certificate()
    proved = [address for address, node in search.nodes.items() if "lower_bound" in node]
    return BoxAnswer(
        certificate=found,
        proof=verify(found) if proved else None,
        proved=len(proved),
        undecided=sum("open" in node for node in search.nodes.values()),
        share=sum(2.0 ** -len(address) for address in proved),
        tolerance=float(problem.question.tolerance),
        seconds=time.perf_counter() - started,
    )


def _run(
    search: Search, most_cells: int, report: Callable[[dict[str, Any]], None], every: float
) -> None:
    """Try cells until nothing is left to do, and report every few seconds and at the end."""
    last, unreported = time.perf_counter(), False
    try:
        while search.step(most_cells):
            unreported = True
            if time.perf_counter() - last >= every:
                report(search.certificate())
                last, unreported = time.perf_counter(), False
    finally:
        if unreported:
            report(search.certificate())


def _check_box(problem: ProblemFile, box: Sequence[Interval]) -> None:
    question = problem.question
    if question.target != "populations":
        raise InputError(
            f"must be 'populations' for a box, but is {shown(question.target)}", "question.target"
        )
    levels = question.system.dimension
    if levels > MOST_LEVELS:
        message = f"must have at most {MOST_LEVELS} levels for a box, but has {levels}"
        raise InputError(message, "system")
    keys = [interval.key for interval in box]
    if not 1 <= len(set(keys)) == len(keys) <= MOST_PARAMETERS:
        raise InputError(
            f"must name 1 to {MOST_PARAMETERS} different parameters, but names "
            f"{', '.join(keys) or 'none'}",
            "--box",
        )
    for ends in itertools.product(*((interval.low, interval.high) for interval in box)):
        problem.at(dict(zip(keys, ends, strict=True)))
