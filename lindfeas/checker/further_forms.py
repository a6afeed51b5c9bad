"""Forms of certificates about coherences, about a distance, and over a box of parameters."""

from __future__ import annotations

from typing import Any

from lindfeas.checker.forms import (
    DECIMAL,
    DECIMALS,
    EIGENVALUES,
    INDEX,
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

POPULATIONS, COHERENCES = "populations", "populations+coherences"

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

EMPTIED = Many({"level": INDEX, "matrix": UPPER_TRIANGLE}, 0, 1024)
CONDITIONS = dict.fromkeys(("below", "above"), UPPER_TRIANGLE) | {"emptied": EMPTIED}
BLOCKS = Named(Many(CONDITIONS, 1, 4096), 8)
SECTORS = Many(UPPER_TRIANGLE, 1, 1024)
LADDER = Many(
    (
        {
            "distance": DECIMAL,
            "lower": DECIMAL,
            "multiplier": SECTORS,
            "blocks": BLOCKS,
            "locals": Named(UPPER_TRIANGLE, 8),
        },
        {"distance": DECIMAL, "multiplier": DECIMALS, "blocks": BLOCKS},
    ),
    1,
    32,
)

MULTIPLIERS = {POPULATIONS: DECIMALS, COHERENCES: Many(UPPER_TRIANGLE, 1, 1024)}
LIMITS: dict[tuple[str, int], dict[str, Any]] = {
    (POPULATIONS, 2): {"hamiltonian_limit": None},
    (COHERENCES, 2): {"hamiltonian_limit": (None, DECIMAL)},
}
"""Version 1 has no limit on H_r."""

KINDS = tuple((target, version) for target in MULTIPLIERS for version in (VERSION, 1))
PROBLEMS = {kind: problem(kind[0], **LIMITS.get(kind, {})) for kind in KINDS}
POINTS: dict[tuple[str, int], Any] = {
    (target, version): point(
        version,
        PROBLEMS[target, version],
        MULTIPLIERS[target],
        (None, UPPER_TRIANGLE),
        DISTANCE,
    )
    for target, version in KINDS
}
COHERENT = POINTS[COHERENCES, VERSION] | {"coherence_error": LADDER}
POINTS[COHERENCES, VERSION] = (POINTS[COHERENCES, VERSION], COHERENT)

RANGES = Many(Many(DECIMAL, 2, 2), 1, 4)
CELL_BOUND = {
    "value": DECIMAL,
    "multipliers": Many(DECIMALS, 2, 16),
    "smallest_eigenvalues": EIGENVALUES,
}


def box(version: int, problem: Any) -> dict[str, Any]:
    """The form of the certificate of a box of parameters."""
    side = {"key": text(300), "low": DECIMAL, "high": DECIMAL}
    cells = (
        {"split": text(300)},
        {"box": RANGES, "open": text(1000)},
        {"box": RANGES, "lower_bound": CELL_BOUND},
    )
    return {
        "kind": ("box",),
        "schema_version": range(version, version + 1),
        "problem": problem,
        "box": Many(side, 1, 4),
        "order": range(1, 9),
        "lower_bound": (None, DECIMAL),
        "cells": Many(cells, 1, 100_000),
        **SEAL,
    }


BOXES = {kind: box(kind[1], PROBLEMS[kind]) for kind in KINDS}
"""One about coherences is well formed, though nothing is proved about it."""


def check_further(certificate: Any) -> None:
    """Compare a certificate with the form of its kind, target and version.

    Raises
    ------
    CertificateError
        At the first difference.
    """
    coherent = _at(certificate, "problem", "question", "target") == COHERENCES
    first = type(number := _at(certificate, "schema_version")) is int and number == 1
    forms = BOXES if _at(certificate, "kind") == "box" else POINTS
    kind = (COHERENCES if coherent else POPULATIONS, 1 if first else VERSION)
    try:
        check(certificate, forms[kind])
    except RecursionError:
        raise CertificateError("must be nested less deeply", "certificate") from None


def _at(value: Any, *keys: str) -> Any:
    """What stands below these keys, if anything."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
