"""The problem of a certificate: everything as exact decimal strings, nothing left to defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import scipy.sparse as sp

from lindfeas.checker import forms
from lindfeas.errors import InputError
from lindfeas.files import schema
from lindfeas.files.problem_file import ProblemFile
from lindfeas.physics.baths import families
from lindfeas.physics.baths.spectral_density import DrudeLorentz, SpectralDensity
from lindfeas.physics.systems.bath import Bath
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.physics.systems.sites import shifts
from lindfeas.program.question import Question

FAMILIES: dict[type, str] = {
    family: name for name, family in families.FAMILIES.items() if name in forms.FAMILIES
}
"""Spectral densities that certificates can hold, and their names there."""

STATED = ("target", "norm", "tolerance")
"""What of the question a certificate states: its theorems are bounds, for any criterion."""


def problem_document(
    problem: ProblemFile | None, question: Question, *, limit: float | None = None
) -> dict[str, Any]:
    """The problem as a certificate holds it.

    Parameters
    ----------
    problem
        The file that asked the question; its decimals are kept as they are, its defaults filled
        in. Without one, the system is written down as matrices of exact doubles.
    question
        The question.
    limit
        On the norm of every H_r, as the answer took it; None if there was none.

    Raises
    ------
    InputError
        If a spectral density is not of the built-in families.
    """
    _require_known_densities(question.system)
    if problem is None:
        return {
            "title": "",
            "system": _matrices(question.system),
            "bath": [_plain_bath(bath, question.system) for bath in question.system.baths],
            "ansatz": _limited(
                {"rates": _rates(question), "lamb_shift": question.lamb_shift}, limit
            ),
            "question": {
                "target": question.target,
                "norm": question.norm,
                "tolerance": shortest(question.tolerance),
            },
        }
    checked = schema.validate(dict(problem.document))
    document: dict[str, Any] = _strings(
        checked.model_dump(exclude={"sweep", "candidate", "expected"})
    )
    document["ansatz"] = _limited(document["ansatz"], limit)
    document["question"] = {key: document["question"][key] for key in STATED}
    if "matrices" in document["system"]:
        document["system"] = _matrices(question.system)
        for table, bath in zip(document["bath"], question.system.baths, strict=True):
            table["couplings"] = _couplings(bath, question.system)
    return document


def _limited(ansatz: dict[str, Any], limit: float | None) -> dict[str, Any]:
    """With the limit on H_r in the decimals of the problem file, if that states it."""
    stated = ansatz.get("hamiltonian_limit")
    text = None if limit is None else stated or shortest(limit)
    return {**ansatz, "hamiltonian_limit": text}


def _strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strings(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strings(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value


def _matrices(system: OpenSystem) -> dict[str, Any]:
    """The Hamiltonian's upper triangle, without rounding that would violate the charge."""
    charges = system.charges()
    upper = sp.coo_array(sp.triu(system.hamiltonian))
    row, column = upper.coords
    keep = charges[row] == charges[column]
    charge = None if system.charge is None else [list(local) for local in system.charge]
    return {
        "dimensions": list(system.dimensions),
        "charge": charge,
        "hamiltonian": _entries(row[keep], column[keep], upper.data[keep]),
    }


def _couplings(bath: Bath, system: OpenSystem) -> list[Any]:
    charges = system.region_charges(bath)
    listed = []
    for operator in bath.couplings or ():
        entries = sp.coo_array(operator)
        row, column = entries.coords
        kept = np.isin(charges[row] - charges[column], list(shifts(entries, charges)))
        listed.append(_entries(row[kept], column[kept], entries.data[kept]))
    return listed


def _entries(row: Iterable[Any], column: Iterable[Any], data: Iterable[Any]) -> list[list[Any]]:
    triples = zip(row, column, data, strict=True)
    return [
        [int(r), int(c), complex_number(value, _exact)] for r, c, value in triples if value != 0
    ]


def _plain_bath(bath: Bath, system: OpenSystem) -> dict[str, Any]:
    return {
        "name": bath.name,
        "sites": list(bath.sites),
        "beta": "Infinity" if np.isinf(bath.beta) else shortest(bath.beta),
        "mu": shortest(bath.mu),
        "spectral_density": _density(bath),
        "couplings": _couplings(bath, system),
    }


def can_be_written(system: OpenSystem) -> bool:
    """Whether certificates can hold all its spectral densities."""
    return all(_has_known_densities(bath) for bath in system.baths)


def _require_known_densities(system: OpenSystem) -> None:
    for bath in system.baths:
        if not _has_known_densities(bath):
            raise InputError(
                f"must be of one family, {', '.join(FAMILIES.values())}, with one shape for all "
                "couplings, to be written into a certificate",
                f"bath.{bath.name}.spectral_density",
            )


def _has_known_densities(bath: Bath) -> bool:
    shapes = {(type(one), one.exponent, one.scale) for one in _densities(bath)}
    return len(shapes) <= 1 and all(kind in FAMILIES for kind, _, _ in shapes)


def _densities(bath: Bath) -> list[SpectralDensity]:
    return [bath.density_of(number) for number in range(len(bath.couplings or ()))]


def _density(bath: Bath) -> dict[str, Any]:
    densities = _densities(bath)
    kind = type(densities[0])
    table: dict[str, Any] = {
        "family": FAMILIES[kind],
        "strength": [shortest(one.leading_coefficient) for one in densities],
    }
    if kind is not DrudeLorentz:
        table["exponent"] = shortest(densities[0].exponent)
    return {**table, "cutoff": shortest(densities[0].scale)}


def _rates(question: Question) -> dict[str, Any]:
    rates = question.rates
    keys = ("min", "max") if rates.rule == "range" else ("value",)
    return {"rule": rates.rule} | {key: _one_or_many(getattr(rates, key)) for key in keys}


def _one_or_many(value: float | tuple[float, ...]) -> str | list[str]:
    return [shortest(item) for item in value] if isinstance(value, tuple) else shortest(value)


def shortest(value: float) -> str:
    """The shortest decimal that rounds to the double ``value``."""
    return str(Decimal(repr(float(value))))


def complex_number(value: complex, write: Callable[[float], str]) -> str | list[str]:
    """A complex number as a certificate lists it."""
    if value.imag == 0:
        return write(value.real)
    return [write(value.real), write(value.imag)]


def _exact(value: float) -> str:
    return str(Decimal(float(value)))
