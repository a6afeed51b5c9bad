"""Forms of certificates about coherences, about a distance, and over a box of parameters."""

from __future__ import annotations

from typing import Any

from lindfeas.checker.forms import (
    DECIMAL,
    DECIMALS,
    EIGENVALUES,
    SEAL,
    VECTOR,
    VERSION,
    CertificateError,
    Many,
    Named,
    check,
    point,
    problem,
    text,
)

COHERENCES = "populations+coherences"

UPPER_TRIANGLE = Many(VECTOR, 1, 4096)
SHIFTS = Named(Many(UPPER_TRIANGLE, 1, 4096), 8)
SLOPES = Many(DECIMALS, 0, 32)
CUT = Named(DECIMALS, 8)

WITNESS = {"multiplier": DECIMALS, "shifts": SHIFTS}
CUT_PART: dict[str, Any] = {"cut": CUT}
PART = (WITNESS, WITNESS | {"slopes": SLOPES}, CUT_PART)
CUT_PART |= {"above": PART, "below": PART}

LENGTH = {"norm1_lower": DECIMAL}
DISTANCE = (None, *(LENGTH | part for part in PART))

POPULATIONS_PROBLEM = problem("populations")
COHERENCES_PROBLEM = problem(COHERENCES, limit=(None, DECIMAL))

_FURTHER = {"hamiltonian": (None, UPPER_TRIANGLE), "distance": DISTANCE}
POPULATIONS = point(problem=POPULATIONS_PROBLEM, multiplier=DECIMALS, **_FURTHER)
POINT_WITH_COHERENCES = point(
    problem=COHERENCES_PROBLEM, multiplier=Many(UPPER_TRIANGLE, 1, 1024), **_FURTHER
)

RANGES = Many(Many(DECIMAL, 2, 2), 1, 4)
CELL_BOUND = {
    "value": DECIMAL,
    "multipliers": Many(DECIMALS, 2, 16),
    "smallest_eigenvalues": EIGENVALUES,
}


def box(problem: Any) -> dict[str, Any]:
    """The form of the certificate of a box of parameters."""
    side = {"key": text(300), "low": DECIMAL, "high": DECIMAL}
    cells = (
        {"split": text(300)},
        {"box": RANGES, "open": text(1000)},
        {"box": RANGES, "lower_bound": CELL_BOUND},
    )
    return {
        "kind": ("box",),
        "schema_version": range(1, VERSION + 1),
        "problem": problem,
        "box": Many(side, 1, 4),
        "order": range(1, 9),
        "lower_bound": (None, DECIMAL),
        "cells": Many(cells, 1, 100_000),
        **SEAL,
    }


BOX = box(POPULATIONS_PROBLEM)
BOX_WITH_COHERENCES = box(COHERENCES_PROBLEM)
"""Well formed, though nothing is proved about it."""


def check_further(certificate: Any) -> None:
    """Compare a certificate with the form of its kind.

    Raises
    ------
    CertificateError
        At the first difference.
    """
    coherent = _at(certificate, "problem", "question", "target") == COHERENCES
    if _at(certificate, "kind") == "box":
        form = BOX_WITH_COHERENCES if coherent else BOX
    else:
        form = POINT_WITH_COHERENCES if coherent else POPULATIONS
    try:
        check(certificate, form)
    except RecursionError:
        raise CertificateError("must be nested less deeply", "certificate") from None


def _at(value: Any, *keys: str) -> Any:
    """What stands below these keys, if anything."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
