"""What a certificate claims about the leading coherences of all Lindbladians that are near.

Witnesses are written in the product basis, where they do not depend on anyone's eigenvectors. What
is written is evaluated again, and only that is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Context, Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.coherence_evaluation import Evaluation
from lindfeas.answers.coherence_witness import CertifiedRung, CoherenceLadder
from lindfeas.program.setting import Setting
from lindfeas.solvers.coherence import BlockWitness, ErrorProposal
from lindfeas.theorems.exact_problem import complex_number, shortest

ROOM = 1e-11
"""By how much W, U and M are raised, relative to the largest of Y's entries and theirs, so that
their conditions hold with something to spare for balls."""

CLAIMED = 1 - 1e-9
"""What is claimed of a certified bound."""

DIGITS = 12


def coherence_claims(setting: Setting, ladder: CoherenceLadder) -> list[dict[str, Any]]:
    """The claims of a ladder, as a certificate lists them: none for rungs that say nothing.

    What a larger a claims as well is left out for a smaller one.
    """
    at = Evaluation(setting)
    found = []
    for rung, above in pairwise([*ladder.rungs, None]):
        if rung is None or rung.witness is None:
            continue
        if above is not None and above.witness is rung.witness:
            continue
        claim = _excluded(at, rung) if rung.lower is None else _bounded(at, rung)
        if claim is not None:
            found.append(claim)
    return found


def _excluded(at: Evaluation, rung: CertifiedRung) -> dict[str, Any] | None:
    assert rung.witness is not None
    given = _raised(rung.witness)
    witness = at.excludes(given, rung.distance, at.program.rates)
    if witness is None:
        return None
    return {
        "distance": shortest(rung.distance),
        "multiplier": [shortest(value) for value in witness.multiplier],
        "blocks": _blocks(at, witness.blocks, rung.distance),
    }


def _bounded(at: Evaluation, rung: CertifiedRung) -> dict[str, Any] | None:
    assert rung.witness is not None
    listed, coordinates = _product_basis(at, rung.witness.multiplier)
    given = replace(_raised(rung.witness), multiplier=coordinates)
    lower, witness = at.bound(given, rung.distance, at.program.rates)
    if lower <= 0:
        return None
    return {
        "distance": shortest(rung.distance),
        "lower": _rounded_down(lower * CLAIMED),
        "multiplier": listed,
        "blocks": _blocks(at, witness.blocks, rung.distance),
        "locals": _locals(at, witness.locals),
    }


def _product_basis(at: Evaluation, y: NDArray[np.float64]) -> tuple[list[Any], NDArray[np.float64]]:
    """Y sector by sector in the product basis, as it is listed, and the coordinates of that."""
    listed, blocks = [], []
    sectors = at.setting.reference.spectrum.sectors
    for sector, block in zip(sectors, at.program.layout.blocks(y), strict=True):
        product = sector.vectors @ block @ sector.vectors.conj().T
        product = (product + product.conj().T) / 2
        listed.append(upper_triangle(product))
        blocks.append(sector.vectors.conj().T @ product @ sector.vectors)
    return listed, at.program.layout.coordinates(blocks)


def _raised(witness: ErrorProposal) -> ErrorProposal:
    """The witness with W, U and M raised by a little more than rounding."""
    size = float(np.abs(witness.multiplier).max(initial=0.0))
    blocks = []
    for own in witness.blocks:
        largest = max(size, *(float(np.abs(m).max()) for m in (own.below, own.above)))
        room = ROOM * largest * np.eye(len(own.below))
        emptied = {level: matrix + room for level, matrix in own.emptied.items()}
        blocks.append(
            replace(own, below=own.below + room, above=own.above + 2 * room, emptied=emptied)
        )
    return replace(witness, blocks=tuple(blocks))


def _blocks(
    at: Evaluation, blocks: Sequence[BlockWitness], distance: float
) -> dict[str, list[dict[str, Any]]]:
    """By region; empty where only A counts."""
    if distance == 0:
        return {}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in at.program.regions}
    for flow, own in zip(at.setting.flows, blocks, strict=True):
        found[at.program.regions[flow.region]].append(
            {
                "below": upper_triangle(own.below),
                "above": upper_triangle(own.above),
                "emptied": [
                    {"level": level, "matrix": upper_triangle(matrix)}
                    for level, matrix in own.emptied.items()
                ],
            }
        )
    return found


def _locals(at: Evaluation, coordinates: NDArray[np.float64]) -> dict[str, list[Any]]:
    """K^r of every region; zero where no H_r counts."""
    totals = [
        np.zeros((region.dimension,) * 2, dtype=complex) for region in at.setting.ansatz.regions
    ]
    basis = at.program.shifts.basis
    for weight, (region, operator) in zip(coordinates, basis, strict=False):
        totals[region] += weight * operator
    return {
        name: upper_triangle(total) for name, total in zip(at.program.regions, totals, strict=True)
    }


def upper_triangle(matrix: NDArray[Any]) -> list[list[Any]]:
    """A Hermitian matrix as certificates list it: the rows from the diagonal on."""
    hermitian = (matrix + matrix.conj().T) / 2
    return [list(_row(row[number:])) for number, row in enumerate(hermitian)]


def _row(values: NDArray[Any]) -> Iterator[Any]:
    for value in values:
        yield complex_number(value, shortest)


def _rounded_down(value: float) -> str:
    exact = Decimal(float(value))
    return str(Context(prec=DIGITS, rounding=ROUND_FLOOR).create_decimal(exact).normalize())
