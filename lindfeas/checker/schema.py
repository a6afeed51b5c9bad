"""What is published and written: the JSON Schemas of certificates, and the text of one.

The schemas are the forms that the checker enforces, in another notation: after a change of a form,
run ``python -m lindfeas.checker.schema`` to write the files anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lindfeas.checker import forms
from lindfeas.checker import further_forms as further
from lindfeas.checker.forms import Many, Named

SCHEMA_FILE = "certificate.schema.json"
BOX_SCHEMA_FILE = "box-certificate.schema.json"

DRAFT = "https://json-schema.org/draft/2020-12/schema"

DESCRIBED: tuple[tuple[str, Any, str], ...] = (
    ("decimal", forms.DECIMAL, "an exact number"),
    ("decimals", forms.DECIMALS, ""),
    ("one_or_many", forms.SEVERAL, "one for all, or one for each"),
    ("complex_pair", forms.PAIR, "[real part, imaginary part]"),
    ("vector", forms.VECTOR, "real numbers, or [real part, imaginary part]"),
    (
        "upper_triangle",
        further.UPPER_TRIANGLE,
        "a Hermitian matrix: row i holds its entries from the diagonal on",
    ),
    (
        "entries",
        forms.ENTRIES,
        "a sparse matrix: [row, column, value]; a Hamiltonian lists row <= column only",
    ),
    ("chain", forms.CHAIN, "a chain of qubits"),
    (
        "matrices",
        forms.MATRICES,
        "a system of matrices; charge: one integer per basis state of every site, or null",
    ),
    ("spectral_density", forms.DENSITIES, "J(w)"),
    ("chain_bath", forms.SPINS, ""),
    ("matrix_bath", forms.REGION, "couplings: operators on the bath's region"),
    ("rates", forms.RATES, "which traces of Gamma are allowed"),
    (
        "kossakowski_block",
        forms.GROUP,
        "Gamma = sum_n w_n w_n^dagger over the operators of one charge",
    ),
    (
        "smallest_eigenvalues",
        forms.EIGENVALUES,
        "per region: a lower bound on the smallest eigenvalue of A(y)",
    ),
    *(
        (
            f"problem_{number}",
            further.PROBLEMS[kind],
            f"about {kind[0]}, version {kind[1]}; hamiltonian_limit: the largest Hilbert-Schmidt "
            "norm of every traceless H_r on its region; null for no limit, and where no H_r counts",
        )
        for number, kind in enumerate(further.KINDS)
    ),
    (
        "shifts",
        further.SHIFTS,
        "per region: K, one Hermitian matrix per charge of the basis operators, ascending",
    ),
    (
        "slopes",
        further.SLOPES,
        "per cut around the cell: a number >= 0 for every level and sign +, then for sign -",
    ),
    (
        "cut",
        further.CUT,
        "per region: w, one number per charge; above is sum w tr Gamma >= 0, below is <= 0",
    ),
    ("part", further.PART, "what proves the distance for the Gamma of one cell"),
    (
        "trace_distance",
        further.DISTANCE,
        "every allowed Lindbladian's steady populations p' have ||p - p'||_1 >= norm1_lower",
    ),
    (
        "coherence_blocks",
        further.BLOCKS,
        "per region and charge of the basis operators, ascending: W, U, and M_g of some levels; "
        "empty where distance is 0",
    ),
    (
        "coherence_error",
        further.LADDER,
        "for all allowed Lindbladians with T <= distance the relative error of the leading "
        "coherences is at least lower, or there are none; locals: K^r of every region",
    ),
    *(
        (f"point_{number}", further.POINTS[kind], f"about {kind[0]}, version {kind[1]}")
        for number, kind in enumerate(further.KINDS)
    ),
)
"""Definitions: their name, the form, and what it means."""

BOX_DESCRIBED: tuple[tuple[str, Any, str], ...] = (
    ("ranges", further.RANGES, "[low, high] of every parameter"),
    (
        "cell_bound",
        further.CELL_BOUND,
        "multipliers: y at each corner of the cell, (low, ..., low, low) first, (low, ..., low, "
        "high) second; in between it is interpolated",
    ),
    *(
        (f"box_{number}", further.BOXES[kind], f"about {kind[0]}, version {kind[1]}")
        for number, kind in enumerate(further.KINDS)
    ),
)


@cache
def certificate_schema() -> dict[str, Any]:
    """JSON Schema of the certificate of a point."""
    names = {id(form): f"#/$defs/{name}" for name, form, _ in DESCRIBED}
    return {
        "$schema": DRAFT,
        "title": "lindfeas certificate, versions 1 and 2",
        "description": (
            "Everything a proof of the claimed bounds needs, as data. Real numbers are decimal "
            "strings and mean exactly what they say. Version 1 has no limit on the Hamiltonians "
            "H_r; sha256 is over the canonical JSON (sorted keys, no spaces, UTF-8) of all other "
            "keys."
        ),
        "anyOf": [{"$ref": names[id(form)]} for form in further.POINTS.values()],
        "$defs": _definitions(DESCRIBED, names),
    }


@cache
def box_schema() -> dict[str, Any]:
    """JSON Schema of the certificate of a box; it refers to definitions of the other schema."""
    names = {id(form): f"{SCHEMA_FILE}#/$defs/{name}" for name, form, _ in DESCRIBED}
    names |= {id(form): f"#/$defs/{name}" for name, form, _ in BOX_DESCRIBED}
    return {
        "$schema": DRAFT,
        "title": "lindfeas certificate of a box of parameters, versions 1 and 2",
        "description": (
            "Everything a proof over a box of parameters needs, as data: a bisection of the box "
            "into cells, and for every proved cell a dual vector at each corner. {split} halves "
            "the cell at hand, and first all cells of the lower half follow, then those of the "
            "upper half. What the problem says about the parameters of the box does not count."
        ),
        "anyOf": [{"$ref": names[id(form)]} for form in further.BOXES.values()],
        "$defs": _definitions(BOX_DESCRIBED, names),
    }


def _definitions(described: Any, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        name: ({"description": meaning} if meaning else {}) | _expanded(form, names)
        for name, form, meaning in described
    }


def _schema(form: Any, names: Mapping[int, str]) -> dict[str, Any]:
    """A form as JSON Schema; those that have a name are referred to."""
    return {"$ref": names[id(form)]} if id(form) in names else _expanded(form, names)


def _expanded(form: Any, names: Mapping[int, str]) -> dict[str, Any]:
    """A form as JSON Schema, in full."""
    match form:
        case re.Pattern():
            return {"type": "string", "pattern": f"^({form.pattern})$"}
        case Many(inner, least, most):
            size = {"minItems": least, "maxItems": most}
            return {"type": "array", **size, "items": _schema(inner, names)}
        case Named(inner, most):
            others = {"additionalProperties": _schema(inner, names)}
            return {"type": "object", "maxProperties": most, **others}
        case dict():
            return {
                "type": "object",
                "additionalProperties": False,
                "required": list(form),
                "properties": {key: _schema(inner, names) for key, inner in form.items()},
            }
        case (str(), *_):
            return {"enum": list(form)}
        case tuple():
            return {"anyOf": [_schema(inner, names) for inner in form]}
        case range():
            return {"type": "integer", "minimum": form[0], "maximum": form[-1]}
        case _:
            return {"type": "null" if form is None else "boolean"}


def certificate_text(certificate: Mapping[str, Any]) -> str:
    """The text of the file: indented, with lists of numbers on one line each."""
    return _pretty(certificate, "") + "\n"


def _pretty(value: Any, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, Mapping) and value:
        rows = [f"{inner}{json.dumps(key)}: {_pretty(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def write_schemas(folder: Path) -> None:
    """Both files."""
    for name, schema in ((SCHEMA_FILE, certificate_schema()), (BOX_SCHEMA_FILE, box_schema())):
        (folder / name).write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(__file__).parent)
