"""Certified answers to: which Lindblad equation has the true steady state?

The public names below are imported when they are first used, so that importing lindfeas costs
nothing that is not needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lindfeas import models
    from lindfeas.answers.answer import Answer
    from lindfeas.answers.certify import certify
    from lindfeas.errors import (
        AccuracyError,
        InputError,
        LindfeasError,
        MissingExtraError,
        PhysicsError,
        ProofRejectedError,
        SolverError,
    )
    from lindfeas.files.problem_file import problem_schema, read_problem
    from lindfeas.files.table import Table, read_table
    from lindfeas.physics.baths.spectral_density import (
        CustomDensity,
        DrudeLorentz,
        Ohmic,
        OhmicExponential,
    )
    from lindfeas.physics.equations.lindbladian import Lindbladian
    from lindfeas.physics.equations.redfield import Redfield, redfield_equation
    from lindfeas.physics.systems.bath import Bath
    from lindfeas.physics.systems.open_system import OpenSystem
    from lindfeas.pictures import plot
    from lindfeas.program.question import Question
    from lindfeas.program.rates import Rates
    from lindfeas.program.target import Target
    from lindfeas.solvers.catalogue import solver_status
    from lindfeas.sweeps.solver_comparison import compare
    from lindfeas.theorems.proving import prove

_HOME = {
    "AccuracyError": "errors",
    "Answer": "answers.answer",
    "Bath": "physics.systems.bath",
    "CustomDensity": "physics.baths.spectral_density",
    "DrudeLorentz": "physics.baths.spectral_density",
    "InputError": "errors",
    "Lindbladian": "physics.equations.lindbladian",
    "LindfeasError": "errors",
    "MissingExtraError": "errors",
    "Ohmic": "physics.baths.spectral_density",
    "OhmicExponential": "physics.baths.spectral_density",
    "OpenSystem": "physics.systems.open_system",
    "PhysicsError": "errors",
    "ProofRejectedError": "errors",
    "Question": "program.question",
    "Rates": "program.rates",
    "Redfield": "physics.equations.redfield",
    "SolverError": "errors",
    "Table": "files.table",
    "Target": "program.target",
    "certify": "answers.certify",
    "compare": "sweeps.solver_comparison",
    "models": "",
    "plot": "pictures",
    "problem_schema": "files.problem_file",
    "prove": "theorems.proving",
    "read_problem": "files.problem_file",
    "read_table": "files.table",
    "redfield_equation": "physics.equations.redfield",
    "solver_status": "solvers.catalogue",
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
    if name == "__version__":
        value: Any = importlib.import_module("importlib.metadata").version("lindfeas")
    elif name == "models":
        return importlib.import_module("lindfeas.models")
    elif name in _HOME:
        value = getattr(importlib.import_module(f"lindfeas.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module 'lindfeas' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
