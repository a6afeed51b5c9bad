"""Exact numbers and sparse operators on products of sites.

Conventions: the leftmost tensor factor is the most significant; state 0 of a qubit is up,
sigma_minus = |1><0|.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from flint import fmpq

Entries = dict[tuple[int, int], tuple[fmpq, fmpq]]
"""A sparse matrix: (row, column) to (real part, imaginary part)."""

ZERO, ONE = fmpq(0), fmpq(1)

SPIN_OPERATORS: Mapping[str, Entries] = {
    "sigma_minus": {(1, 0): (ONE, ZERO)},
    "sigma_x": {(0, 1): (ONE, ZERO), (1, 0): (ONE, ZERO)},
    "sigma_z": {(0, 0): (ONE, ZERO), (1, 1): (-ONE, ZERO)},
}


def rational(text: str) -> fmpq:
    """A decimal string as the exact rational number that it denotes."""
    value = Fraction(text)
    return fmpq(value.numerator, value.denominator)


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


def gaussian(value: str | Sequence[str]) -> tuple[fmpq, fmpq]:
    """A complex number of a certificate as its exact real and imaginary parts."""
    if isinstance(value, str):
        return rational(value), ZERO
    return rational(value[0]), rational(value[1])


def placement(dimensions: Sequence[int], sites: Sequence[int]) -> list[list[int]]:
    """Number of the basis state with the region in state a and the rest in e, as [a][e]."""
    rest = [site for site in range(len(dimensions)) if site not in sites]
    outside = _offsets(dimensions, rest)
    return [[a + e for e in outside] for a in _offsets(dimensions, sites)]


def embedded(operator: Entries, dimensions: Sequence[int], sites: Sequence[int]) -> Entries:
    """``operator`` on a region times the identity on the rest."""
    place = placement(dimensions, sites)
    return {
        (row, column): value
        for (a, b), value in operator.items()
        for row, column in zip(place[a], place[b], strict=True)
    }


def product_charges(charge: Sequence[Sequence[int]]) -> list[int]:
    """Total charge of every product state of sites with these local charges."""
    return [sum(state) for state in itertools.product(*charge)]


def charge_shifts(operator: Entries, charges: Sequence[int]) -> set[int]:
    """By how much ``operator`` shifts the charge: all final minus initial charges."""
    return {
        charges[row] - charges[column]
        for (row, column), (real, imaginary) in operator.items()
        if real != 0 or imaginary != 0
    }


def _offsets(dimensions: Sequence[int], sites: Sequence[int]) -> list[int]:
    strides = [math.prod(dimensions[site + 1 :]) for site in sites]
    states = itertools.product(*(range(dimensions[site]) for site in sites))
    return [sum(n * stride for n, stride in zip(s, strides, strict=True)) for s in states]
