"""Proofs over a box of parameters: from the certificate of a box to a theorem about all of it.

The certificate lists a bisection of the box into cells. Every cell that is claimed to be proved has
a dual vector for each of its corners and a lower bound; the others are left open.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, ctx, fmpq

from lindfeas.checker.ansatz import region
from lindfeas.checker.balls import identity, is_positive_definite
from lindfeas.checker.cells import Cell, cell_setting, corner_matrices, dual_matrices
from lindfeas.checker.claims import POPULATIONS, column_bound
from lindfeas.checker.cost import MOST_BOX_WORK, MOST_WORK, cell_work, require_little
from lindfeas.checker.errors import Rejected, Unsettled
from lindfeas.checker.exact import ONE, ZERO, rational
from lindfeas.checker.format import CertificateError, check_certificate
from lindfeas.checker.model import Model, model, placed
from lindfeas.checker.statement import box_statement
from lindfeas.checker.verdict import (
    ACCEPTED,
    IN_PART,
    PRECISIONS,
    REJECTED,
    UNDECIDED,
    Proof,
    refusal,
    rounded_down,
)

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
    started = time.perf_counter()
    bits = 0
    try:
        check_certificate(certificate)
        claims = _claims(certificate)
        proved = [claim for claim in claims if claim.bound is not None]
        for claim in proved:
            bits = max(bits, _settled(certificate, claim))
        return _accepted(certificate, claims, bits, started)
    except (CertificateError, Rejected) as error:
        status, reason = REJECTED, str(error)
    except Unsettled as doubt:
        status, reason, bits = UNDECIDED, str(doubt), PRECISIONS[-1]
    return refusal(status, reason, bits, time.perf_counter() - started)


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
    if exact.target != POPULATIONS:
        raise Rejected(f"a box is proved for {POPULATIONS} only")
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


def _settled(certificate: Mapping[str, Any], claim: Claim) -> int:
    """How many bits prove the claim about a cell.

    Raises
    ------
    Rejected
        If it is false.
    Unsettled
        If no precision settles it.
    """
    keys = [side["key"] for side in certificate["box"]]
    own = cell(certificate["problem"], keys, claim.ranges, certificate["order"])
    reason = ""
    for bits in PRECISIONS:
        try:
            with ctx.workprec(bits):
                _check_cell(own, claim)
        except Unsettled as doubt:
            reason = f"{bits} bits do not settle {doubt}"
        except (ArithmeticError, ValueError) as trouble:
            reason = f"the arithmetic failed at {bits} bits: {trouble}"
        else:
            return bits
    raise Unsettled(f"cell {claim.number}: {reason}")


def _check_cell(own: Cell, claim: Claim) -> None:
    """Prove the smallest eigenvalues of all A^r(y) over the cell; then weak duality, as ever."""
    bound = claim.bound or {}
    at = cell_setting(own)
    multipliers = [[rational(value) for value in y] for y in bound["multipliers"]]
    for part, matrix in zip(at.regions, dual_matrices(at, multipliers), strict=True):
        eigenvalue = arb(rational(bound["smallest_eigenvalues"][part.name]))
        for corner in corner_matrices(matrix):
            for group, block in part.blocks(corner):
                if not is_positive_definite(block - eigenvalue * identity(block.nrows())):
                    raise Rejected(
                        f"cell {claim.number}: A(y) of region {part.name} has an eigenvalue "
                        f"below the claimed one, at charge {group.charge}"
                    )


def _accepted(
    certificate: Mapping[str, Any], claims: Sequence[Claim], bits: int, started: float
) -> Proof:
    """The theorem, when all claims are proved."""
    proved = [claim for claim in claims if claim.bound is not None]
    keys = [side["key"] for side in certificate["box"]]
    exact = cell(certificate["problem"], keys, proved[0].ranges, 1).centre
    regions = [region(exact, bath) for bath in exact.baths]
    lower = certificate["lower_bound"]
    distance = rounded_down(column_bound(exact, regions, rational(lower)) / 2)
    whole = len(proved) == len(claims)
    share = sum((claim.share for claim in proved), ZERO)
    parts = None if whole else proved_parts(certificate)
    return Proof(
        status=ACCEPTED if whole else IN_PART,
        proved=True,
        statement=box_statement(certificate, exact, distance, parts, share),
        lower=lower,
        trace_distance=distance,
        checks=(
            f"cells: {len(claims)}, which fill the box by exact bisection; {len(proved)} proved",
            "setting: charge conservation is exact; over each of these cells no level is "
            "degenerate within its sector and the steady populations are unique",
            "lower bound: each multiplier is feasible, A(y) is above the claimed eigenvalues",
        ),
        bits=bits,
        seconds=time.perf_counter() - started,
        reason=None if whole else f"{len(claims) - len(proved)} cells are left open",
    )
