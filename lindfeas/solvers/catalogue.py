"""Which solvers are installed, licensed and usable, and how lindfeas sets them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lindfeas.errors import InputError, SolverError, quoted

SOLVERS = ("CLARABEL", "SCS", "MOSEK")
"""The solvers that lindfeas drives, in the order in which it tries them."""

OPTIONAL = {"CVXOPT": "cvxopt", "SDPA": "sdpa-python", "COPT": "coptpy"}
"""Solvers that lindfeas never chooses by itself, and the packages that hold them."""

_TIGHT = 1e-12
_CLARABEL = {
    "tol_gap_abs": _TIGHT,
    "tol_gap_rel": _TIGHT,
    "tol_feas": _TIGHT,
    "tol_ktratio": 1e-10,
    "max_iter": 200,
    "accept_unknown": True,  # the last iterate is worth certifying even if it stalls
}

_CVXOPT = {"abstol": _TIGHT, "reltol": _TIGHT, "feastol": _TIGHT, "max_iters": 200}

SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "CLARABEL": (
        _CLARABEL,
        {**_CLARABEL, "static_regularization_constant": 1e-7},
        {**_CLARABEL, "direct_solve_method": "qdldl"},
    ),
    "SCS": ({"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iters": 20_000},),
    "MOSEK": (
        {
            "mosek_params": {
                "MSK_DPAR_INTPNT_CO_TOL_REL_GAP": _TIGHT,
                "MSK_DPAR_INTPNT_CO_TOL_PFEAS": _TIGHT,
                "MSK_DPAR_INTPNT_CO_TOL_DFEAS": _TIGHT,
                "MSK_IPAR_NUM_THREADS": 1,
            }
        },
    ),
    "CVXOPT": (
        {**_CVXOPT, "kktsolver": "robust"},
        _CVXOPT,
        {"abstol": 1e-9, "reltol": 1e-9, "feastol": 1e-9, "max_iters": 200},
        {},
    ),
    "SDPA": ({"maxIteration": 200, "numThreads": 1},),  # smaller tolerances make it worse
    "COPT": ({"RelGap": _TIGHT, "FeasTol": 1e-9, "DualTol": 1e-9, "Threads": 1},),
}
"""Settings for every solver; the later ones are tried where the earlier ones end in an error.

Clarabel's default linear algebra meets a numerical error in the first step of some programs with
large blocks; more regularisation, or its other factorisation, gets through. CVXOPT
may return nothing where it misses its tolerance, so looser ones follow.
"""

DEFAULTS: tuple[dict[str, Any], ...] = ({},)
"""What a solver does where nobody sets anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverStatus:
    """Whether a solver can be used here, and if not, what to do."""

    name: str
    version: str | None
    installed: bool
    usable: bool
    message: str


def require(solver: str) -> None:
    """Raise a `SolverError` that says what to do, unless the solver can be used."""
    if not isinstance(solver, str) or solver not in _CHECKS:
        raise SolverError(f"solver: must be one of {', '.join(_CHECKS)}, but is {quoted(solver)}")
    status = _CHECKS[solver]()
    if not status.usable:
        raise SolverError(f"solver {solver}: {status.message}")


def usable_solvers(solver: str | None) -> list[str]:
    """The solver that was asked for, or all usable ones in their order.

    Raises
    ------
    SolverError
        If there is none.
    """
    if solver is not None:
        name = solver.upper() if isinstance(solver, str) else solver
        require(name)
        return [name]
    names = [name for name in SOLVERS if _CHECKS[name]().usable]
    if not names:
        raise SolverError(f"solver: none of {', '.join(SOLVERS)} is usable; see `lindfeas solvers`")
    return names


def solver_status() -> tuple[SolverStatus, ...]:
    """Which solvers are installed, licensed and usable here; optional ones where installed."""
    status = tuple(check() for check in _CHECKS.values())
    return tuple(row for row in status if row.installed or row.name in SOLVERS)


def status_of(names: Iterable[str]) -> tuple[SolverStatus, ...]:
    """The same for solvers by name, installed or not, each once.

    Raises
    ------
    InputError
        If a name is not known; ``where`` is ``solvers``.
    """
    try:
        listed = [names] if isinstance(names, str) else list(names)
    except TypeError:
        raise InputError(f"must be a list of names, but is {quoted(names)}", "solvers") from None
    for name in listed:
        if not isinstance(name, str) or name.strip().upper() not in _CHECKS:
            known = ", ".join(_CHECKS)
            raise InputError(f"must be among {known}, but is {quoted(name)}", "solvers")
    wanted = dict.fromkeys(name.strip().upper() for name in listed)
    return tuple(_CHECKS[name]() for name in wanted)


def _status(name: str, version: str | None, message: str, *, usable: bool) -> SolverStatus:
    installed = version is not None
    return SolverStatus(
        name=name, version=version, installed=installed, usable=usable, message=message
    )


def _check_package(name: str, package: str) -> Callable[[], SolverStatus]:
    ready = "ready; without a licence for small programs" if name == "COPT" else "ready"
    module = "sdpap" if name == "SDPA" else package

    def check() -> SolverStatus:
        if importlib.util.find_spec(module) is None:
            return _status(name, None, f"not installed: `pip install {package}`", usable=False)
        return _status(name, importlib.metadata.version(package), ready, usable=True)

    return check


def _check_mosek() -> SolverStatus:
    """A licence is proved by checking one out, which takes milliseconds."""
    if importlib.util.find_spec("mosek") is None:
        message = "not installed: `pip install 'lindfeas[mosek]'`, and get a licence from mosek.com"
        return _status("MOSEK", None, message, usable=False)
    import mosek

    message = "ready"
    try:
        with mosek.Env() as environment:
            environment.checkoutlicense(mosek.feature.pton)
    except mosek.Error as error:
        message = _mosek_message(int(error.errno))
    version = importlib.metadata.version("mosek")
    return _status("MOSEK", version, message, usable=message == "ready")


def _mosek_message(code: int) -> str:
    """MOSEK's licence error codes in words."""
    known = {
        1008: "no licence file: put mosek.lic where MOSEKLM_LICENSE_FILE points",
        1014: "the licence file cannot be read: replace mosek.lic",
        1021: "the licence server cannot be reached: check MOSEKLM_LICENSE_FILE",
    }
    return f"installed, but {known.get(code, f'no licence could be checked out (error {code})')}"


_CHECKS: dict[str, Callable[[], SolverStatus]] = {
    "CLARABEL": _check_package("CLARABEL", "clarabel"),
    "SCS": _check_package("SCS", "scs"),
    "MOSEK": _check_mosek,
    **{name: _check_package(name, package) for name, package in OPTIONAL.items()},
}
