"""Certified answers to: which Lindblad equation has the true steady state?

The public names below are imported when they are first used, so that importing lindfeas costs
nothing that is not needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lindfeas import models as models
    from lindfeas.answers.answer import Answer as Answer
    from lindfeas.answers.certify import certify as certify
    from lindfeas.answers.score import score as score
    from lindfeas.errors import AccuracyError as AccuracyError
    from lindfeas.errors import InputError as InputError
    from lindfeas.errors import LindfeasError as LindfeasError
    from lindfeas.errors import MissingExtraError as MissingExtraError
    from lindfeas.errors import PhysicsError as PhysicsError
    from lindfeas.errors import ProofRejectedError as ProofRejectedError
    from lindfeas.errors import SolverError as SolverError
    from lindfeas.files.problem_file import problem_schema as problem_schema
    from lindfeas.files.problem_file import read_problem as read_problem
    from lindfeas.files.table import Table as Table
    from lindfeas.files.table import read_table as read_table
    from lindfeas.files.writing import write_problem as write_problem
    from lindfeas.physics.baths.custom_density import CustomDensity as CustomDensity
    from lindfeas.physics.baths.spectral_density import DrudeLorentz as DrudeLorentz
    from lindfeas.physics.baths.spectral_density import Ohmic as Ohmic
    from lindfeas.physics.baths.spectral_density import OhmicExponential as OhmicExponential
    from lindfeas.physics.equations.lindbladian import Lindbladian as Lindbladian
    from lindfeas.physics.equations.redfield import Redfield as Redfield
    from lindfeas.physics.equations.redfield import redfield_equation as redfield_equation
    from lindfeas.physics.systems.bath import Bath as Bath
    from lindfeas.physics.systems.open_system import OpenSystem as OpenSystem
    from lindfeas.pictures import plot as plot
    from lindfeas.program.question import Question as Question
    from lindfeas.program.rates import Rates as Rates
    from lindfeas.program.target import Target as Target
    from lindfeas.solvers.catalogue import solver_status as solver_status
    from lindfeas.sweeps.functions import sweep as sweep
    from lindfeas.sweeps.solver_comparison import compare as compare
    from lindfeas.theorems.proving import prove as prove

    __version__: str

_HOMES = {
    "answers.answer": "Answer",
    "answers.certify": "certify",
    "answers.score": "score",
    "errors": "AccuracyError InputError LindfeasError MissingExtraError PhysicsError "
    "ProofRejectedError SolverError",
    "files.problem_file": "problem_schema read_problem",
    "files.table": "Table read_table",
    "files.writing": "write_problem",
    "models": "models",
    "physics.baths.custom_density": "CustomDensity",
    "physics.baths.spectral_density": "DrudeLorentz Ohmic OhmicExponential",
    "physics.equations.lindbladian": "Lindbladian",
    "physics.equations.redfield": "Redfield redfield_equation",
    "physics.systems.bath": "Bath",
    "physics.systems.open_system": "OpenSystem",
    "pictures": "plot",
    "program.question": "Question",
    "program.rates": "Rates",
    "program.target": "Target",
    "solvers.catalogue": "solver_status",
    "sweeps.solver_comparison": "compare",
    "sweeps.functions": "sweep",
    "theorems.proving": "prove",
}
"""Every module with public names, and these."""

_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

if not TYPE_CHECKING:  # those who check types see the imports above, and nothing else
    __all__ = list(_HOME)

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            value = importlib.import_module("importlib.metadata").version("lindfeas")
        elif name in _HOME:
            home = importlib.import_module(f"lindfeas.{_HOME[name]}")
            value = home if name == "models" else getattr(home, name)
        else:
            raise AttributeError(f"module 'lindfeas' has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted([*__all__, "__version__"])
