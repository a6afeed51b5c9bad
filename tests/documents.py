"""Problems as documents: their numbers are decimals, as in files and certificates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

SIGMA_X = [[0, 1, "1"], [1, 0, "1"]]
SIGMA_Y = [[0, 1, ["0", "-1"]], [1, 0, ["0", "1"]]]
SIGMA_MINUS = [[1, 0, "1"]]
SIGMA_PLUS = [[0, 1, "1"]]
"""Operators of a qubit by their entries: row, column, value."""

CROSSING = {
    "title": "two isotropic qubits",
    "system": {
        "model": "xxz_chain",
        "sites": 2,
        "field": Decimal("0.5"),
        "coupling": Decimal("0.25"),
    },
    "bath": [
        {"name": "left", "sites": [0], "beta": Decimal(1), "mu": Decimal("-0.2")},
        {"name": "right", "sites": [1], "beta": Decimal(3), "mu": Decimal("-0.2")},
    ],
}
"""The singlet of energy -3g crosses g - 2 field at field = 2g."""


def tilted_qubits(*couplings: list[Any], **density: Any) -> dict[str, Any]:
    """Two qubits without a charge, whose levels all have sigma_x and sigma_y on the diagonal."""
    spectral_density = {"strength": "1", "exponent": "1", "cutoff": "10"} | density
    mu = spectral_density.pop("mu", "0")
    return {
        "title": "",
        "system": {
            "dimensions": [2, 2],
            "charge": None,
            "hamiltonian": [
                [0, 0, "1.1"],
                [0, 1, ["0.2", "0.15"]],
                [0, 2, ["0.45", "-0.1"]],
                [0, 3, "0.3"],
                [1, 1, "-0.1"],
                [1, 2, "0.3"],
                [1, 3, ["0.45", "-0.1"]],
                [2, 2, "0.1"],
                [2, 3, ["0.2", "0.15"]],
                [3, 3, "-1.1"],
            ],
        },
        "bath": [
            {
                "name": "A",
                "sites": [0],
                "beta": "0.7",
                "mu": mu,
                "spectral_density": {"family": "ohmic", **spectral_density},
                "couplings": list(couplings),
            }
        ],
        "ansatz": {"rates": {"rule": "each", "value": "1"}, "lamb_shift": True},
        "question": {
            "target": "populations+coherences",
            "norm": "frobenius",
            "tolerance": "1e-6",
        },
    }
