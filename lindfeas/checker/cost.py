"""What a check is going to cost in all, for whoever writes certificates.

See `lindfeas.checker.model.work` for the unit, and what it is good for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lindfeas.checker import coherence_errors, coherences, distances
from lindfeas.checker.coherences import transitions
from lindfeas.checker.distances import weighted_work
from lindfeas.checker.model import MOST_WORK, PRICE, Model, work

__all__ = ["MOST_BOX_WORK", "MOST_WORK", "cell_work", "point_work"]

MOST_BOX_WORK = 3_600_000_000
"""Of all proved cells of a box: an hour."""

SERIES = 0.3
"""Per product of two terms of Taylor models of numbers."""


def point_work(model: Model, certificate: Mapping[str, Any]) -> float:
    """Microseconds for the certificate of a point."""
    total = sum(work(model).values())
    if model.target != "populations":
        total += coherences.further_work(model)
    if certificate["trace_distance"]:
        total += distances.further_work(model, certificate["trace_distance"])
    if "coherence_error" in certificate:
        total += coherence_errors.further_work(model, certificate["coherence_error"])
    return total


def cell_work(model: Model, parameters: int, order: int) -> float:
    """Microseconds for one cell of a box."""
    terms = math.comb(order + parameters, parameters)
    pairs, corners = terms * (terms + 1) / 2, 2**parameters
    size, entry, product = model.size, PRICE["entry"], PRICE["product"]
    moves = sum(transitions(model, own) for bath in model.baths for own in bath.couplings)
    known, regions = work(model), sum(bath.levels**4 for bath in model.baths)
    total = known["levels"] + corners * entry * size * size
    total += 8 * pairs * weighted_work(model)
    total += moves * (PRICE["rate"] * terms + 3 * order * pairs * SERIES)
    total += terms * product * size**3 + pairs * size * size * SERIES
    return total + pairs * known["dual"] + corners * (known["positive"] + terms * regions)
