"""The public names: listed once, importable, documented."""

import importlib.metadata
import re
import subprocess
import sys
from importlib.resources import files

import lindfeas
from tests.public_api import FILE, listing

PUBLIC = [
    "AccuracyError",
    "Answer",
    "Bath",
    "CustomDensity",
    "DrudeLorentz",
    "InputError",
    "Lindbladian",
    "LindfeasError",
    "MissingExtraError",
    "Ohmic",
    "OhmicExponential",
    "OpenSystem",
    "PhysicsError",
    "ProofRejectedError",
    "Question",
    "Rates",
    "Redfield",
    "SolverError",
    "Table",
    "Target",
    "certify",
    "compare",
    "models",
    "plot",
    "problem_schema",
    "prove",
    "read_problem",
    "read_table",
    "redfield_equation",
    "score",
    "solver_status",
    "sweep",
    "write_problem",
]


def test_names_are_pinned() -> None:
    assert sorted(lindfeas.__all__) == PUBLIC


def test_dir_shows_the_public_names_once() -> None:
    assert dir(lindfeas) == sorted([*PUBLIC, "__version__"])


def test_signatures_are_pinned() -> None:
    """Where one changes on purpose, `python -m tests.public_api` writes them down anew."""
    assert listing().splitlines() == FILE.read_text(encoding="utf-8").splitlines()


def test_the_pinned_text_has_what_users_call() -> None:
    text = FILE.read_text(encoding="utf-8")
    for name in set(PUBLIC) - {"models"}:
        assert re.search(rf"^(class )?lindfeas\.{name}\(", text, re.M), name
    for line in (
        "    populations: NDArray[np.float64]",
        "    target: str | Target = 'populations',",
    ):
        assert line in text.splitlines()
    assert " at 0x" not in text


def test_types_are_shipped() -> None:
    assert (files(lindfeas) / "py.typed").is_file()


def test_every_name_resolves_and_is_documented() -> None:
    for name in PUBLIC:
        assert getattr(lindfeas, name).__doc__, name


def test_importing_lindfeas_imports_nothing_heavy() -> None:
    code = (
        "import sys, lindfeas; print([m for m in ('numpy', 'cvxpy', 'rich') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_documented_paths_forward() -> None:
    from lindfeas import checker, models, proof
    from lindfeas.physics.models import xxz_chain

    assert proof.verify is checker.verify and proof.Proof is checker.Proof
    assert lindfeas.models is models and models.xxz_chain is xxz_chain


def test_the_version_is_the_installed_one() -> None:
    assert lindfeas.__version__ == importlib.metadata.version("lindfeas")
