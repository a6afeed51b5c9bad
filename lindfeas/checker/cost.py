"""What a check is going to cost, estimated from the shape of a problem before anything is computed.

The unit is a microsecond of one core at the first precision, on the machine where the constants
were measured; a check that needs more bits takes up to `LONGER` times as long. The estimate is
there to refuse what would keep a checker busy for hours, and is no more exact than that takes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lindfeas.checker.ansatz import region_levels
from lindfeas.checker.errors import Rejected
from lindfeas.checker.exact import product_charges
from lindfeas.checker.model import Bath, Coupling, Model

MOST_WORK = 120_000_000
"""Of a point's certificate, and of one cell of a box: two minutes."""

MOST_BOX_WORK = 3_600_000_000
"""Of all proved cells of a box: an hour."""

LONGER = 16
"""All precisions together over the first one."""

EIGENVECTORS = 10.0
"""Per n^3 of a charge sector: enclosures of n eigenvalues and eigenvectors."""

CHARACTERISTIC = 4e-5
"""Per n^4 and bit of the Hamiltonian's entries."""

ELIMINATION = 2.5e-4
"""Per n^4 and bit of the Hamiltonian's entries: the exact rank of n commutators."""

PRODUCT = 0.007
"""Per multiplication in a product of matrices of balls."""

SMALLEST = 1.0
"""Per n^3 of a matrix whose smallest eigenvalue is wanted."""

POSITIVE = 0.1
"""Per n^3 of a matrix that may be positive definite."""

ENTRY = 1.0
"""Per entry that Python moves about."""

RATE = 10.0
"""Per transition and coupling."""

TRANSFORM = 20_000.0
"""Per transition, bath and spectral density: two principal values."""

SERIES = 0.3
"""Per product of two terms of Taylor models of numbers."""


def require_little(work: float, most: int, what: str) -> None:
    """Refuse what takes too long.

    Raises
    ------
    Rejected
        If ``work`` is more than ``most``.
    """
    if work > most:
        raise Rejected(
            f"{what} would take about {work / 1e6:.3g} s at the first precision, beyond this "
            f"checker's {most / 1e6:.0f} s"
        )


def point_work(model: Model, certificate: Mapping[str, Any]) -> float:
    """Microseconds for the certificate of a point."""
    plain = model.target == "populations"
    work = _levels_work(model) + _rates_work(model)
    if not plain:
        work += _transforms_work(model) + _shifts_work(model)
        work += 4 * SMALLEST * sum(n**3 for n in _sectors(model).values())
    dual = sum(_dual_work(model, bath) for bath in model.baths)
    definite = sum(_cubes(model, bath) for bath in model.baths)
    work += 2 * dual + POSITIVE * definite
    distance = certificate["trace_distance"]
    if distance:
        each = 2 * dual + 2 * SMALLEST * definite + _weighted_work(model)
        work += _parts(distance) * model.size * each
    return work


def cell_work(model: Model, parameters: int, order: int) -> float:
    """Microseconds for one cell of a box."""
    terms = math.comb(order + parameters, parameters)
    pairs, corners = terms * (terms + 1) / 2, 2**parameters
    size, couplings = model.size, _couplings(model)
    transitions = sum(_transitions(model, coupling) for _, coupling in couplings)
    work = _levels_work(model) + corners * ENTRY * size * size
    work += 8 * pairs * _weighted_work(model)
    work += transitions * (RATE * terms + 3 * order * pairs * SERIES)
    work += terms * PRODUCT * size**3 + pairs * size * size * SERIES
    for bath in model.baths:
        work += pairs * _dual_work(model, bath)
        work += corners * (POSITIVE * _cubes(model, bath) + terms * _region(model, bath) ** 4)
    return work


def _sectors(model: Model) -> Counter[int]:
    """How many levels have each charge."""
    return Counter(product_charges(model.charge))


def _couplings(model: Model) -> list[tuple[Bath, Coupling]]:
    return [(bath, coupling) for bath in model.baths for coupling in bath.couplings]


def _blocks(model: Model, coupling: Coupling) -> Iterator[tuple[int, int]]:
    """Numbers of final and initial levels between which a coupling may have elements."""
    sectors = _sectors(model)
    for charge, initial in sectors.items():
        if final := sectors.get(charge + coupling.shift):
            yield final, initial


def _transitions(model: Model, coupling: Coupling) -> int:
    return sum(final * initial for final, initial in _blocks(model, coupling))


def _levels_work(model: Model) -> float:
    bits = _bits(model)
    copies = 2 if any(imaginary != 0 for _, imaginary in model.hamiltonian.values()) else 1
    return sum(
        EIGENVECTORS * n**3 + CHARACTERISTIC * (copies * n) ** 4 * bits
        for n in _sectors(model).values()
    )


def _bits(model: Model) -> int:
    """Of the longest number in the Hamiltonian."""
    values = [value for entry in model.hamiltonian.values() for value in entry]
    return max((int(v.p).bit_length() + int(v.q).bit_length() for v in values), default=1)


def _weighted_work(model: Model) -> float:
    """Of a matrix that is diagonal in the levels."""
    return sum(2 * PRODUCT * n**3 + ENTRY * n * n for n in _sectors(model).values())


def _rates_work(model: Model) -> float:
    work = PRODUCT * 10 * model.size**3
    for _, coupling in _couplings(model):
        for final, initial in _blocks(model, coupling):
            work += RATE * final * initial + 4 * PRODUCT * final * initial * (final + initial)
    return work


def _transforms_work(model: Model) -> float:
    work = len(_couplings(model)) * (10 * PRODUCT * model.size**3 + 4 * ENTRY * model.size**2)
    for bath in model.baths:
        # couplings of one density share a transform, unless they shift the charge differently
        shifts = {(coupling.density, coupling.shift): coupling for coupling in bath.couplings}
        work += TRANSFORM * sum(_transitions(model, coupling) for coupling in shifts.values())
    return work


def _shifts_work(model: Model) -> float:
    """Of what the local Hamiltonians do."""
    if not model.lamb_shift:
        return 0.0
    size = model.size
    if model.hamiltonian_limit is not None:
        return len(model.baths) * ENTRY * size * size
    count = sum(sum(n * n for n in Counter(_charges(model, bath)).values()) for bath in model.baths)
    exact = ELIMINATION * count**4 * _bits(model)
    return (
        exact + count * count * (PRODUCT * size * size + ENTRY * size) + count * PRODUCT * size**3
    )


def _charges(model: Model, bath: Bath) -> list[int]:
    return product_charges([model.charge[site] for site in bath.sites])


def _region(model: Model, bath: Bath) -> int:
    return region_levels(model, bath)


def _dual_work(model: Model, bath: Bath) -> float:
    """Of A(Y) of one region."""
    size, local = model.size, _region(model, bath)
    return PRODUCT * (size**2 * local**2 + 4 * local**6) + ENTRY * (size**2 + local**4)


def _cubes(model: Model, bath: Bath) -> int:
    """n^3 of all blocks of A."""
    charges = _charges(model, bath)
    groups = Counter(a - b for a in charges for b in charges)
    return sum(n**3 for n in groups.values())


def _parts(distance: Mapping[str, Any]) -> int:
    """Into how many parts a trace distance cuts the allowed Lindbladians."""
    if "cut" not in distance:
        return 1
    return _parts(distance["above"]) + _parts(distance["below"])
