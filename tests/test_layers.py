"""Imports go one way: a module imports only what stands above it in LAYERS."""

import ast
from pathlib import Path

import pytest

import lindfeas

PACKAGE = Path(lindfeas.__file__).parent

PROOF = [
    "proof",
    *(
        f"proof.{name}"
        for name in (
            "ansatz",
            "balls",
            "baths",
            "boxes",
            "cell_levels",
            "cells",
            "claims",
            "cost",
            "errors",
            "exact",
            "levels",
            "local_hamiltonians",
            "model",
            "principal_values",
            "redfield",
            "reference",
            "statement",
            "subject",
            "taylor",
            "verdict",
            "verification",
        )
    ),
]
"""The checker: it sees nothing of lindfeas but its own files, the errors and the file reader."""

PICTURES = [
    "pictures",
    *(
        f"pictures.{name}"
        for name in (
            "arrangement",
            "boundaries",
            "comparisons",
            "curves",
            "drawing",
            "intervals",
            "labels",
            "legends",
            "maps",
            "saving",
            "scales",
            "style",
        )
    ),
]
"""The pictures: they see tables, and nothing sees them but their command."""

LAYERS = [
    ["errors", "isolation"],
    ["output"],
    ["certificate_file"],
    PROOF,
    ["spectral_density"],
    ["principal_value", "system"],
    ["bath_functions"],
    ["spectrum", "models.xxz", "models"],
    ["state_reduction"],
    ["redfield", "ansatz", "residual"],
    ["target", "population_error"],
    ["question"],
    ["rounding"],
    ["problem"],
    ["assembly", "bounds", "backends", "flow", "qics_solver"],
    ["solver", "distance", "lindbladian", "polish", "shift_fit"],
    ["distance_solver", "nearest_steps"],
    ["nearest"],
    ["sharp_distance"],
    ["report", "dynamics"],
    ["answer"],
    ["enclosure"],
    ["possibility"],
    ["certification", "redfield_generator"],
    ["wording", "decimals"],
    ["schema"],
    ["construction"],
    ["files"],
    ["columns"],
    ["table"],
    ["certificate_problem"],
    ["certificate"],
    ["proving", "box_search"],
    ["box"],
    ["sweeps"],
    ["sweeps.engine", "sweeps.bisection"],
    ["sweeps.executors", "sweeps.points", "sweeps.boundary"],
    ["sweeps.folder"],
    ["sweeps.sweep"],
    ["sweeps.boundary_sweep"],
    ["comparison"],
    ["comparison_report"],
    PICTURES,
    ["plot"],
    ["cli.group"],
    ["cli.box"],
    ["cli.certify", "cli.compare", "cli.plot", "cli.solvers", "cli.sweep", "cli.verify"],
    ["cli"],
    ["__main__"],
]

HEAVY = {"cvxpy": {"solver", "distance_solver", "qics_solver"}, "mosek": {"backends"}}
"""Packages that only the named modules may import."""


def module_names() -> list[str]:
    names = []
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts:
            names.append(".".join(parts))
    return sorted(names)


def imports(name: str) -> set[str]:
    path = PACKAGE / Path(*name.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: set[str] = set()
    tree = ast.parse(source.read_text())
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in set(ast.walk(tree)) - typing_only:
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found


def level(name: str) -> int:
    for number, layer in enumerate(LAYERS):
        if name in layer:
            return number
    pytest.fail(f"module {name} has no layer: add it to LAYERS")


@pytest.mark.parametrize("name", module_names())
def test_imports_point_up_only(name: str) -> None:
    own = level(name)
    known = set(module_names())
    for target in imports(name):
        inner = target.removeprefix("lindfeas.")
        if target.startswith("lindfeas.") and inner in known and inner != name:
            assert level(inner) <= own, f"{name} imports {inner}, which stands below it"


@pytest.mark.parametrize("name", module_names())
def test_heavy_packages_stay_where_they_belong(name: str) -> None:
    for target in imports(name):
        package = target.split(".")[0]
        assert package not in HEAVY or name in HEAVY[package], f"{name} imports {package}"


def test_every_layer_exists() -> None:
    assert {name for layer in LAYERS for name in layer} == set(module_names())
