"""Certified answers to: which Lindblad equation has the true steady state?

The public names below are imported when they are first used, so that importing lindfeas costs
nothing that is not needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lindfeas import models
    from lindfeas.answer import Answer
    from lindfeas.backends import solver_status
    from lindfeas.certification import certify
    from lindfeas.comparison import compare
    from lindfeas.errors import (
        AccuracyError,
        InputError,
        LindfeasError,
        MissingExtraError,
        PhysicsError,
        ProofRejectedError,
        SolverError,
    )
    from lindfeas.files import problem_schema, read_problem
    from lindfeas.lindbladian import Lindbladian
    from lindfeas.pictures import plot
    from lindfeas.proving import prove
    from lindfeas.question import Question, Rates
    from lindfeas.redfield import Redfield, redfield_equation
    from lindfeas.spectral_density import (
        CustomDensity,
        DrudeLorentz,
        Ohmic,
        OhmicExponential,
    )
    from lindfeas.system import Bath, OpenSystem
    from lindfeas.table import Table, read_table
    from lindfeas.target import Target

_HOME = {
    "AccuracyError": "errors",
    "Answer": "answer",
    "Bath": "system",
    "CustomDensity": "spectral_density",
    "DrudeLorentz": "spectral_density",
    "InputError": "errors",
    "Lindbladian": "lindbladian",
    "LindfeasError": "errors",
    "MissingExtraError": "errors",
    "Ohmic": "spectral_density",
    "OhmicExponential": "spectral_density",
    "OpenSystem": "system",
    "PhysicsError": "errors",
    "ProofRejectedError": "errors",
    "Question": "question",
    "Rates": "question",
    "Redfield": "redfield",
    "SolverError": "errors",
    "Table": "table",
    "Target": "target",
    "certify": "certification",
    "compare": "comparison",
    "models": "",
    "plot": "pictures",
    "problem_schema": "files",
    "prove": "proving",
    "read_problem": "files",
    "read_table": "table",
    "redfield_equation": "redfield",
    "solver_status": "backends",
}
"""Every public name and the module that it lives in."""

__all__ = [
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
    "solver_status",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lindfeas' has no attribute {name!r}")
    if name == "models":
        return importlib.import_module("lindfeas.models")
    value = getattr(importlib.import_module(f"lindfeas.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
