"""The search for cells of a box of parameters, and for the dual vectors that prove them.

A cell is tried with the dual vectors that the solver finds at its corners; if the checker's own
arithmetic does not give a bound that is good enough, it is halved. The certificate of what is found
so far is also what a run that was stopped goes on from.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from typing import Any

import numpy as np

from lindfeas.answers.certify import certify
from lindfeas.checker.format import checksum
from lindfeas.checker.forms import VERSION
from lindfeas.errors import InputError, LindfeasError, SolverError
from lindfeas.files.problem_file import ProblemFile
from lindfeas.theorems.certificate import versions
from lindfeas.theorems.exact_problem import problem_document, shortest

ORDER = 4
"""Of the Taylor models: measured to be among the fastest for the box of the documentation."""

SHARPNESS = 0.5
"""A cell is halved until its bound is at least this fraction of the least one at its corners."""

DEEPEST = 16
"""Halvings of the box down to a cell."""

FURTHER_DECIMALS = 3
"""Decimals of a dual vector beyond the first one of the tolerance."""

CLAIMED_DIGITS = 12
EXACT_DIGITS = 2000
"""Enough for the ends of all cells, which are not rounded."""

MOST_ENTRIES = 800_000
"""Entries of all dual vectors of a certificate, so that its reader does not find it too large."""

NOT_TRIED = "not tried"

Ranges = tuple[tuple[Decimal, Decimal], ...]
Address = tuple[int, ...]
"""Which half (0 or 1) to take at every halving, down to a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """All values of one parameter from ``low`` to ``high``."""

    key: str
    low: Decimal
    high: Decimal


@dataclass(slots=True, kw_only=True)
class Search:
    """The bisection so far.

    Parameters
    ----------
    nodes
        What the certificate says of every cell, or along what it is halved.
    document
        The problem in the middle of the box, as the certificate has it.
    corners
        What the solver found, by point.
    cell_work
        Microseconds that the checker is estimated to take for a cell.
    """

    problem: ProblemFile
    box: tuple[Interval, ...]
    solver: str | None
    nodes: dict[Address, dict[str, Any]] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    corners: dict[tuple[Decimal, ...], Corner] = field(default_factory=dict)
    cell_work: float = 0.0

    def __post_init__(self) -> None:
        middle = {side.key: _middle(side.low, side.high) for side in self.box}
        at_middle = self.problem.at(middle)
        self.document = problem_document(at_middle, at_middle.question)
        self.nodes[()] = {"open": NOT_TRIED}
        self.cell_work = self._cell_work()

    def certificate(self) -> dict[str, Any]:
        """What is known by now."""
        cells = list(self._listed((), self._whole()))
        bounds = [cell["lower_bound"]["value"] for cell in cells if "lower_bound" in cell]
        content: dict[str, Any] = {
            "kind": "box",
            "schema_version": VERSION,
            "problem": self.document,
            "box": [{"key": s.key, "low": str(s.low), "high": str(s.high)} for s in self.box],
            "order": ORDER,
            "lower_bound": min(bounds, key=Decimal, default=None),
            "cells": cells,
            "versions": versions(),
        }
        content["sha256"] = checksum(content)
        return content

    def go_on(self, start: Mapping[str, Any]) -> None:
        """Take over the cells of an earlier run.

        Raises
        ------
        InputError
            If it was about something else.
        """
        own = self.certificate()
        if start.get("schema_version") != VERSION:
            raise InputError(
                f"must hold a certificate of version {VERSION} to go on from, but holds one of "
                f"version {start.get('schema_version')}: remove that, or choose another directory",
                "--out",
            )
        if any(start.get(key) != own[key] for key in ("kind", "problem", "box", "order")):
            raise InputError(
                "must not hold the certificate of another box, but does: remove that, or choose "
                "another directory",
                "--out",
            )
        from lindfeas.checker.boxes import tiles
        from lindfeas.checker.format import Rejected

        try:
            list(tiles(start))
        except Rejected as error:
            raise InputError(
                f"must hold a certificate to go on from, but {error}", "--out"
            ) from None
        waiting: list[Address] = [()]
        for entry in start["cells"]:
            address = waiting.pop()
            self.nodes[address] = {key: entry[key] for key in entry if key != "box"}
            if "split" in entry:
                waiting += [(*address, 1), (*address, 0)]

    @property
    def tried(self) -> int:
        """How many cells have been tried."""
        return sum(node.get("open") != NOT_TRIED for node in self.nodes.values())

    def step(self, most_cells: int) -> bool:
        """Try one more cell, the largest first; False if there is nothing left to do."""
        waiting = [a for a, node in self.nodes.items() if node.get("open") == NOT_TRIED]
        if not waiting or self.tried >= most_cells or self._is_full():
            return False
        address = min(waiting, key=lambda own: (len(own), own))
        ranges = self._ranges(address)
        outcome = self._tried(ranges)
        axis = self._to_halve(ranges, outcome) if len(address) < DEEPEST else None
        if axis is not None and outcome.worth_halving:
            self.nodes[address] = {"split": self.box[axis].key}
            for half in (0, 1):
                self.nodes[*address, half] = {"open": NOT_TRIED}
        else:
            self.nodes[address] = outcome.node
        return True

    def _tried(self, ranges: Ranges) -> Outcome:
        corners = [self._corner(point) for point in itertools.product(*ranges)]
        tolerance = self.problem.question.tolerance
        for corner in corners:
            if corner.reason or corner.lower < tolerance:
                hopeless = all(other.reason or other.lower < tolerance for other in corners)
                reason = corner.reason or f"{corner.lower:.6g} is all that is certified at a corner"
                return Outcome(node={"open": reason}, worth_halving=not hopeless)
        try:
            bound, curvature = cell_bound(
                self.document,
                [side.key for side in self.box],
                ranges,
                [corner.multiplier for corner in corners],
            )
        except (LindfeasError, ArithmeticError, ValueError) as trouble:
            return Outcome(node={"open": f"undecided: {trouble}"[:500]}, worth_halving=True)
        value = float(bound["value"])
        if value < tolerance:
            reason = f"{value:.6g} is all that is proved"
            return Outcome(node={"open": reason}, worth_halving=True, curvature=curvature)
        weak = value < SHARPNESS * min(corner.lower for corner in corners)
        return Outcome(node={"lower_bound": bound}, worth_halving=weak, curvature=curvature)

    def _to_halve(self, ranges: Ranges, outcome: Outcome) -> int | None:
        """The parameter that the dual matrices depend on most; None if none varies.

        Without a bound to judge by, it is the one that varies most relative to its size.
        """
        importance = outcome.curvature or [
            float((high - low) / max(abs(side.low), abs(side.high))) if high > low else 0.0
            for (low, high), side in zip(ranges, self.box, strict=True)
        ]
        return importance.index(max(importance)) if any(importance) else None

    def _corner(self, point: tuple[Decimal, ...]) -> Corner:
        if point not in self.corners:
            values = dict(zip((side.key for side in self.box), point, strict=True))
            try:
                question = self.problem.at(values).question
                answer = certify(question, solver=self.solver, sharp=False, check=False)
                decimals = FURTHER_DECIMALS - math.floor(math.log10(question.tolerance))
                rounded = np.clip(answer.multiplier.round(decimals), -1.0, 1.0)
                found = Corner(lower=answer.lower, multiplier=[shortest(y) for y in rounded])
            except SolverError:
                raise
            except LindfeasError as error:
                found = Corner(reason=f"no answer at a corner: {error}"[:500])
            self.corners[point] = found
        return self.corners[point]

    def _cell_work(self) -> float:
        from lindfeas.checker.cost import cell_work
        from lindfeas.checker.model import model

        return cell_work(model(self.document), len(self.box), ORDER)

    def _is_full(self) -> bool:
        from lindfeas.checker.cost import MOST_BOX_WORK

        levels, corners = self.problem.question.system.dimension, 2 ** len(self.box)
        proved = sum("lower_bound" in node for node in self.nodes.values())
        if (proved + 1) * self.cell_work > MOST_BOX_WORK:
            return True
        return (proved + 1) * levels * corners > MOST_ENTRIES

    def _whole(self) -> Ranges:
        return tuple((side.low, side.high) for side in self.box)

    def _axis(self, address: Address) -> int:
        split = self.nodes[address]["split"]
        return [side.key for side in self.box].index(split)

    def _ranges(self, address: Address) -> Ranges:
        ranges = self._whole()
        for depth, half in enumerate(address):
            ranges = _halves(ranges, self._axis(address[:depth]))[half]
        return ranges

    def _listed(self, address: Address, ranges: Ranges) -> Iterator[dict[str, Any]]:
        """The certificate's list of the cells below an address."""
        node = self.nodes[address]
        if "split" not in node:
            yield {"box": [[str(low), str(high)] for low, high in ranges], **node}
            return
        yield node
        for half, part in enumerate(_halves(ranges, self._axis(address))):
            yield from self._listed((*address, half), part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """The solver's certified bound and dual vector at a point, or why there is none."""

    lower: float = 0.0
    multiplier: list[str] = field(default_factory=list)
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a cell.

    Parameters
    ----------
    node
        What the certificate says of it, unless it is halved.
    worth_halving
        Whether its halves may do better.
    curvature
        By parameter, how far the dual matrices are from affine; empty if that is not known.
    """

    node: dict[str, Any]
    worth_halving: bool
    curvature: Sequence[float] = ()


def cell_bound(
    document: Mapping[str, Any],
    keys: Sequence[str],
    ranges: Ranges,
    multipliers: list[list[str]],
) -> tuple[dict[str, Any], list[float]]:
    """What the checker's arithmetic gives for a cell with these multipliers, rounded down.

    And, by parameter, the size of those terms of the dual matrices that are not affine in it.
    """
    from flint import ctx, fmpq

    from lindfeas.checker import boxes, cells
    from lindfeas.checker.balls import smallest_eigenvalue
    from lindfeas.checker.model import rational
    from lindfeas.checker.verification import PRECISIONS

    exact = tuple((rational(str(low)), rational(str(high))) for low, high in ranges)
    own = boxes.cell(document, keys, exact, ORDER)
    y = [[rational(value) for value in values] for values in multipliers]
    eigenvalues: dict[str, str] = {}
    curvature = [0.0] * len(keys)
    with ctx.workprec(PRECISIONS[0]):
        at = cells.cell_setting(own)
        for part, matrix in zip(at.regions, cells.dual_matrices(at, y), strict=True):
            blocks = (
                block
                for corner in cells.corner_matrices(matrix)
                for _, block in part.blocks(corner)
            )
            for exponents, term in matrix.terms.items():
                if max(exponents) > 1:
                    size = max(float(entry.abs_upper()) for entry in term.entries())
                    curvature = [c + m * size for c, m in zip(curvature, exponents, strict=True)]
            eigenvalues[part.bath.name] = _down(min(map(smallest_eigenvalue, blocks)).fmpq())
    value: fmpq = own.centre.rates.smallest([rational(text) for text in eigenvalues.values()])
    bound = {
        "value": _down(value),
        "multipliers": multipliers,
        "smallest_eigenvalues": eigenvalues,
    }
    return bound, curvature


def _down(value: Any) -> str:
    """An exact rational as a decimal of `CLAIMED_DIGITS` digits, rounded down."""
    rounding = Context(prec=CLAIMED_DIGITS, rounding=ROUND_FLOOR)
    return str(rounding.divide(Decimal(int(value.p)), Decimal(int(value.q))))


def _halves(ranges: Ranges, axis: int) -> tuple[Ranges, Ranges]:
    """The lower and the upper half of a cell."""
    low, high = ranges[axis]
    middle = _middle(low, high)
    before, after = ranges[:axis], ranges[axis + 1 :]
    return (*before, (low, middle), *after), (*before, (middle, high), *after)


def _middle(low: Decimal, high: Decimal) -> Decimal:
    """Exactly half way."""
    with localcontext() as context:
        context.prec = EXACT_DIGITS
        return (low + high) / 2
