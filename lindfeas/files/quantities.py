"""What the numbers of a problem file are called, their symbols and units."""

from __future__ import annotations

import re
from dataclasses import fields

from lindfeas.physics.baths.families import FAMILIES
from lindfeas.physics.models import MODELS
from lindfeas.text import RATE, Quantity

_QUANTITIES: dict[str, Quantity] = {
    **{f"system.{k}": key for spec in MODELS.values() for k, key in spec.keys.items()},
    "bath.*.beta": Quantity("inverse temperature", r"\beta", "1/energy"),
    "bath.*.mu": Quantity("chemical potential", r"\mu", "energy"),
    **{
        f"bath.*.spectral_density.{one.name}": one.metadata["quantity"]
        for family in FAMILIES.values()
        for one in fields(family)
    },
    "ansatz.rates.value": Quantity("rate", "t", RATE),
    "ansatz.rates.min": Quantity("least rate", r"t_\mathrm{min}", RATE),
    "ansatz.rates.max": Quantity("largest rate", r"t_\mathrm{max}", RATE),
    "ansatz.hamiltonian_limit": Quantity("", "", RATE),
    "question.tolerance": Quantity("tolerance", r"\delta_\mathrm{tol}", RATE),
    "question.distance_tolerance": Quantity(
        "distance tolerance", r"T_\mathrm{tol}", "dimensionless"
    ),
    "question.coherence_tolerance": Quantity(
        "coherence tolerance", r"R_\mathrm{tol}", "dimensionless"
    ),
}
"""Dotted key, a bath's name as *."""


def quantity(key: str) -> Quantity:
    """What a dotted key such as ``bath.right.beta`` is; empty texts where nothing is known."""
    general = re.sub(r"^bath\.[^.]+\.", "bath.*.", key)
    return _QUANTITIES.get(general, Quantity("", "", ""))
