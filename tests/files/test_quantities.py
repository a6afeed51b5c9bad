"""The registries of models and densities, and what is read from them."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

import lindfeas
from lindfeas.errors import InputError
from lindfeas.files.quantities import quantity
from lindfeas.files.schema import DENSITIES, PROBLEMS
from lindfeas.physics.baths.families import FAMILIES
from lindfeas.physics.models import MODELS
from lindfeas.text import Quantity

PACKAGE = Path(lindfeas.__file__).parent
PAGE = PACKAGE.parent / "docs" / "problem-files.md"


@pytest.mark.parametrize("name", MODELS)
def test_a_models_keys_are_what_builds_it(name: str) -> None:
    spec = MODELS[name]
    built = dict(inspect.signature(spec.build).parameters)
    del built["baths"]
    assert list(spec.keys) == list(built)
    for key, parameter in built.items():
        default = None if parameter.default is parameter.empty else parameter.default
        assert spec.keys[key].default == default
    assert PROBLEMS[name].spec is spec


def test_too_many_sites_are_refused_before_any_matrix_is_made() -> None:
    with pytest.raises(InputError, match=r"^system\.sites: must be at most \d+ for the "):
        MODELS["xxz_chain"].sites({"sites": 64})


@pytest.mark.parametrize("name", FAMILIES)
def test_a_familys_keys_are_its_parameters(name: str) -> None:
    table, family = DENSITIES[name], FAMILIES[name]
    parameters = {one.name: one.default for one in dataclasses.fields(family)}
    assert list(table.model_fields) == ["family", *parameters]
    filled = table(family=name).model_dump(exclude={"family"})
    assert {key: float(value) for key, value in filled.items()} == parameters
    assert f'| `"{name}"` |' in PAGE.read_text(encoding="utf-8")


def swept_keys() -> list[str]:
    return [
        *(f"system.{key}" for spec in MODELS.values() for key in spec.keys),
        *(
            f"bath.left.spectral_density.{one.name}"
            for family in FAMILIES.values()
            for one in dataclasses.fields(family)
        ),
        *("bath.left.beta", "bath.right.mu", "ansatz.rates.value", "question.tolerance"),
    ]


@pytest.mark.parametrize("key", sorted(set(swept_keys())))
def test_every_number_has_a_name_a_symbol_and_a_unit(key: str) -> None:
    found = quantity(key)
    assert found.name and found.symbol and found.unit


def test_nothing_is_known_of_other_keys() -> None:
    for key in ("bath.left.name", "system.matrices", "bath.beta", "beta"):
        assert quantity(key) == Quantity("", "", "")


def test_a_models_keys_stand_in_one_file_beside_what_proofs_cover() -> None:
    """What the checker covers, it says for itself; so does the search that it is written for."""
    found = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if re.search("anisotropy", file.read_text(encoding="utf-8")) and "checker" not in file.parts
    }
    assert found == {"physics/models/xxz.py", "theorems/box.py"}
