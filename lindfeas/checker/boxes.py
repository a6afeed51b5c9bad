"""Proofs over a box of parameters: from the certificate of a box to a theorem about all of it.

The certificate lists a bisection of the box into cells. Every cell that is claimed to be proved has
a dual vector for each of its corners and a lower bound; the others are left open.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq

from lindfeas.checker.bounds import column_bound, is_positive_definite
from lindfeas.checker.cells import Cell, cell_setting, corner_matrices, dual_matrices
from lindfeas.checker.cost import MOST_BOX_WORK, MOST_WORK, cell_work
from lindfeas.checker.format import Proof, Rejected, Unsettled, check_certificate
from lindfeas.checker.model import ONE, ZERO, Model, model, rational, require_little
from lindfeas.checker.statement import DEFECT, statement, subject
from lindfeas.checker.steady_state import identity
from lindfeas.checker.verification import judged, rounded_down, settle

PLACES = {"system": ("field", "coupling", "anisotropy"), "bath": ("beta", "mu")}
"""Keys of which H, or the bath, is an affine function."""

MOST_CELL_LEVELS = 64
"""Levels d of a system whose boxes this checker takes on: six qubits."""

MOST_MONOMIALS = 126
"""Terms of a Taylor model: order 5 in four parameters."""

MOST_HALVINGS = 64
"""How often a cell may have been halved."""

Ranges = tuple[tuple[fmpq, fmpq], ...]
"""Lowest and highest value of every parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is claimed about one cell.

    Parameters
    ----------
    number
        Place in the certificate's list.
    ranges
        The cell, as the bisection gives it.
    share
        Which part of the box the cell is.
    bound
        The cell's ``lower_bound``; None for an open cell.
    """

    number: int
    ranges: Ranges
    share: fmpq
    bound: Mapping[str, Any] | None


def verify_box(certificate: Mapping[str, Any]) -> Proof:
    """Check the certificate of a box from scratch; see `lindfeas.checker.verify`."""
    return judged(lambda used: _proof(certificate, used))


def _proof(certificate: Mapping[str, Any], used: list[int]) -> Proof:
    """All claims, and the theorem."""
    check_certificate(certificate)
    claims = _claims(certificate)
    for claim in claims:
        if claim.bound is not None:
            _settle(certificate, claim, used)
    return _accepted(certificate, claims)


def cell(problem: Mapping[str, Any], keys: Sequence[str], ranges: Ranges, order: int) -> Cell:
    """The exact model over a cell of parameters.

    Raises
    ------
    Rejected
        If a parameter is none, or takes on values that it must not have.
    """
    middle = tuple((low + high) / 2 for low, high in ranges)
    corners = itertools.product(*ranges)
    return Cell(
        order=order,
        centre=_model_at(problem, keys, middle),
        corners=tuple(_model_at(problem, keys, corner) for corner in corners),
    )


def halves(ranges: Ranges, axis: int) -> tuple[Ranges, Ranges]:
    """The lower and the upper half of a cell along one axis."""
    low, high = ranges[axis]
    middle = (low + high) / 2
    before, after = ranges[:axis], ranges[axis + 1 :]
    return (*before, (low, middle), *after), (*before, (middle, high), *after)


def tiles(certificate: Mapping[str, Any]) -> Iterator[tuple[Ranges, int, Mapping[str, Any]]]:
    """(cell, halvings, entry) of every cell: the bisection of the box, done again.

    An entry of the list either says along which parameter to halve the cell at hand, and then come
    all cells of the lower half and all of the upper half; or it is about the whole cell.

    Raises
    ------
    Rejected
        If the cells are not exactly the ones of that bisection.
    """
    keys = [side["key"] for side in certificate["box"]]
    waiting = [(_whole(certificate), 0)]
    for number, entry in enumerate(certificate["cells"]):
        if not waiting:
            raise Rejected(f"cells[{number}] lies outside the box")
        ranges, halvings = waiting.pop()
        if "split" in entry:
            if entry["split"] not in keys or halvings == MOST_HALVINGS:
                raise Rejected(f"cells[{number}] cannot be halved along {entry['split']}")
            lower, upper = halves(ranges, keys.index(entry["split"]))
            waiting += [(upper, halvings + 1), (lower, halvings + 1)]
        else:
            stated = tuple(
                (rational(low), rational(high)) for low, high in map(_pair, entry["box"])
            )
            if stated != ranges:
                raise Rejected(f"cells[{number}] is not the cell that the bisection gives")
            yield ranges, halvings, entry
    if waiting:
        raise Rejected("the cells leave a part of the box out")


def proved_parts(certificate: Mapping[str, Any]) -> list[Ranges]:
    """The proved cells of a bisection, where two proved halves of a cell count as that cell."""
    keys = [side["key"] for side in certificate["box"]]
    entries = iter(certificate["cells"])

    def parts(ranges: Ranges) -> list[Ranges]:
        entry = next(entries)
        if "split" not in entry:
            return [ranges] if "lower_bound" in entry else []
        lower, upper = halves(ranges, keys.index(entry["split"]))
        found = parts(lower), parts(upper)
        return [ranges] if found == ([lower], [upper]) else [*found[0], *found[1]]

    return parts(_whole(certificate))


def placed(problem: Mapping[str, Any], key: str, value: str) -> dict[str, Any]:
    """The problem with another value of a dotted key: one of `PLACES`, or ``bath.NAME.`` and more.

    Raises
    ------
    Rejected
        If the problem has no such key, or it is not one of these.
    """
    table, *inner = key.split(".")
    known = inner[-1:] != [] and inner[-1] in PLACES.get(table, ())
    if known and table == "system" and len(inner) == 1 and inner[0] in problem["system"]:
        return {**problem, "system": {**problem["system"], inner[0]: value}}
    if known and table == "bath" and len(inner) == 2:
        baths = problem["bath"]
        changed = [{**b, inner[1]: value} if b["name"] == inner[0] else b for b in baths]
        if any(bath["name"] == inner[0] for bath in baths):
            return {**problem, "bath": changed}
    raise Rejected(f"{key} is no parameter of a box for this problem")


def _whole(certificate: Mapping[str, Any]) -> Ranges:
    """The box."""
    return tuple((rational(side["low"]), rational(side["high"])) for side in certificate["box"])


def _pair(listed: Sequence[str]) -> tuple[str, str]:
    low, high = listed
    return low, high


def _model_at(problem: Mapping[str, Any], keys: Sequence[str], values: Sequence[fmpq]) -> Model:
    for key, value in zip(keys, values, strict=True):
        problem = placed(problem, key, str(value))
    return model(problem)


def _claims(certificate: Mapping[str, Any]) -> list[Claim]:
    """All cells, after the cheap reasons to reject."""
    keys = [side["key"] for side in certificate["box"]]
    if len(set(keys)) < len(keys):
        raise Rejected("the box names a parameter twice")
    for side in certificate["box"]:
        if rational(side["low"]) > rational(side["high"]):
            raise Rejected(f"the box is empty in {side['key']}")
    if math.comb(certificate["order"] + len(keys), len(keys)) > MOST_MONOMIALS:
        raise Rejected(f"Taylor models of order {certificate['order']} have too many terms")
    claims = [
        Claim(
            number=number,
            ranges=ranges,
            share=ONE / 2**halvings,
            bound=entry.get("lower_bound"),
        )
        for number, (ranges, halvings, entry) in enumerate(tiles(certificate))
    ]
    exact = cell(certificate["problem"], keys, claims[0].ranges, 1).centre
    if exact.target != "populations":
        raise Rejected("a box is proved for populations only")
    if exact.size > MOST_CELL_LEVELS:
        raise Rejected(f"the system has {exact.size} levels, beyond {MOST_CELL_LEVELS}")
    bounds = [_consistent(claim, exact, len(keys)) for claim in claims if claim.bound is not None]
    if not bounds:
        raise Rejected("no cell of the box is claimed to be proved")
    work = cell_work(exact, len(keys), certificate["order"])
    require_little(work, MOST_WORK, "the check of a cell")
    require_little(work * len(bounds), MOST_BOX_WORK, f"the check of {len(bounds)} cells")
    if not certificate["lower_bound"] or rational(certificate["lower_bound"]) > min(bounds):
        raise Rejected("the claimed lower bound is not the least of the cells'")
    if not rational(certificate["lower_bound"]) > 0:
        raise Rejected("a lower bound that is not positive proves nothing")
    return claims


def _consistent(claim: Claim, exact: Model, parameters: int) -> fmpq:
    """The lower bound that is claimed for a cell, if the claimed eigenvalues give it."""
    bound, where = claim.bound or {}, f"the bound of cell {claim.number}"
    names = [bath.name for bath in exact.baths]
    if sorted(bound["smallest_eigenvalues"]) != sorted(names):
        raise Rejected(f"{where} must have exactly the regions {', '.join(names)}")
    eigenvalues = [rational(bound["smallest_eigenvalues"][name]) for name in names]
    if rational(bound["value"]) > exact.rates.smallest(eigenvalues):
        raise Rejected(f"{where} is more than the claimed eigenvalues give")
    shape = [len(y) for y in bound["multipliers"]]
    if shape != [exact.size] * 2**parameters:
        raise Rejected(f"{where} needs {exact.size} multipliers at each of the corners")
    if any(abs(rational(value)) > 1 for y in bound["multipliers"] for value in y):
        raise Rejected(f"{where} has a multiplier outside [-1, 1]")
    return rational(bound["value"])


def _settle(certificate: Mapping[str, Any], claim: Claim, used: list[int]) -> None:
    """Prove the claim about a cell.

    Raises
    ------
    Rejected
        If it is false.
    Unsettled
        If no precision settles it.
    """
    keys = [side["key"] for side in certificate["box"]]
    own = cell(certificate["problem"], keys, claim.ranges, certificate["order"])
    try:
        settle(lambda: _check_cell(own, claim), used)
    except Unsettled as doubt:
        raise Unsettled(f"cell {claim.number}: {doubt}") from None


def _check_cell(own: Cell, claim: Claim) -> None:
    """Prove the smallest eigenvalues of all A^r(y) over the cell; then weak duality, as ever."""
    bound = claim.bound or {}
    at = cell_setting(own)
    multipliers = [[rational(value) for value in y] for y in bound["multipliers"]]
    for part, matrix in zip(at.regions, dual_matrices(at, multipliers), strict=True):
        eigenvalue = arb(rational(bound["smallest_eigenvalues"][part.bath.name]))
        for corner in corner_matrices(matrix):
            for group, block in part.blocks(corner):
                if not is_positive_definite(block - eigenvalue * identity(block.nrows())):
                    raise Rejected(
                        f"cell {claim.number}: A(y) of region {part.bath.name} has an eigenvalue "
                        f"below the claimed one, at charge {group.charge}"
                    )


def _accepted(certificate: Mapping[str, Any], claims: Sequence[Claim]) -> Proof:
    """The theorem, when all claims are proved."""
    proved = [claim for claim in claims if claim.bound is not None]
    keys = [side["key"] for side in certificate["box"]]
    exact = cell(certificate["problem"], keys, proved[0].ranges, 1).centre
    lower = certificate["lower_bound"]
    distance = rounded_down(column_bound(exact, rational(lower)) / 2)
    whole = len(proved) == len(claims)
    share = sum((claim.share for claim in proved), ZERO)
    return Proof(
        status="accepted" if whole else "accepted in part",
        proved=True,
        statement=_statement(certificate, exact, distance, None if whole else share),
        lower=lower,
        trace_distance=distance,
        checks=(
            f"cells: {len(claims)}, which fill the box by exact bisection; {len(proved)} proved",
            "setting: charge conservation is exact; over each of these cells no level is "
            "degenerate within its sector and the steady populations are unique",
            "lower bound: each multiplier is feasible, A(y) is above the claimed eigenvalues",
        ),
        reason=None if whole else f"{len(claims) - len(proved)} cells are left open",
    )


def _statement(
    certificate: Mapping[str, Any], exact: Model, distance: str, share: fmpq | None
) -> str:
    """The theorem that the certificate of a box stands for.

    Parameters
    ----------
    exact
        Its model, somewhere in the box.
    distance
        The proved bound on T.
    share
        What part of the box's volume is proved, or None for the whole box.
    """
    problem, lower = certificate["problem"], certificate["lower_bound"]
    keys = [side["key"] for side in certificate["box"]]
    for key in keys:
        problem = placed(problem, key, key)
    whole = [(side["low"], side["high"]) for side in certificate["box"]]
    scope = " and all ".join(_intervals(keys, whole))
    if share is not None:
        scope += (
            f" in the cells that are proved, {rounded_down(share)} of the box's volume, namely "
            f"{_cells(keys, proved_parts(certificate))}"
        )
    first, *others = subject(problem, exact)
    paragraphs = [f"For all {scope}: {first}", *others]
    words = statement(paragraphs, DEFECT, problem, exact, lower, None, distance)
    return words if share is None else f"{words}\nNothing is proved about the rest of the box."


def _cells(keys: Sequence[str], parts: Sequence[Ranges]) -> str:
    """Cells of a box, one after the other."""
    exact = ([(decimal(low), decimal(high)) for low, high in part] for part in parts)
    return "; ".join(" and ".join(_intervals(keys, part)) for part in exact)


def _intervals(keys: Sequence[str], ranges: Sequence[tuple[str, str]]) -> Iterator[str]:
    for key, (low, high) in zip(keys, ranges, strict=True):
        yield f"{key} in [{low}, {high}]"


def decimal(value: fmpq) -> str:
    """A rational number with a finite decimal expansion, written out exactly."""
    numerator, divisor, places = int(value.p), int(value.q), 0
    while divisor % 10 == 0 or divisor % 2 == 0 or divisor % 5 == 0:
        shorter = 10 if divisor % 10 == 0 else 2 if divisor % 2 == 0 else 5
        numerator, divisor, places = numerator * (10 // shorter), divisor // shorter, places + 1
    if divisor != 1:
        raise ValueError(f"{value} has no finite decimal expansion")
    digits = str(abs(numerator)).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :]
    sign = "-" if numerator < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
