"""Semidefinite solvers behind one function: the only place that knows cvxpy.

What comes back is raw material for `lindfeas.bounds`; no status, objective or dual of a cone
constraint is ever a result. Multipliers come from a real equality constraint, whose dual is right
in every cvxpy version that we allow.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import SolverError
from lindfeas.problem import GammaBlock, Problem
from lindfeas.question import Rates

SOLVERS = ("CLARABEL", "SCS", "MOSEK")
"""The solvers that lindfeas drives, in the order in which it tries them."""

_TIGHT = 1e-12
_SETTINGS: dict[str, dict[str, Any]] = {
    "CLARABEL": {
        "tol_gap_abs": _TIGHT,
        "tol_gap_rel": _TIGHT,
        "tol_feas": _TIGHT,
        "tol_ktratio": 1e-10,
        "max_iter": 200,
    },
    "SCS": {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iters": 50_000},
    "MOSEK": {
        "mosek_params": {
            "MSK_DPAR_INTPNT_CO_TOL_REL_GAP": _TIGHT,
            "MSK_DPAR_INTPNT_CO_TOL_PFEAS": _TIGHT,
            "MSK_DPAR_INTPNT_CO_TOL_DFEAS": _TIGHT,
            "MSK_IPAR_NUM_THREADS": 1,
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverStatus:
    """Whether a solver can be used here, and if not, what to do."""

    name: str
    version: str | None
    installed: bool
    usable: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSolution:
    """What a solver returned, unverified.

    Parameters
    ----------
    solver, scale
        Who, and by what the data were multiplied.
    status, objective, iterations
        As reported; the objective is divided by the scale.
    gammas
        One matrix per block, or None if the solver failed.
    multiplier
        y, shape (rows,), or None.
    compile_seconds, solve_seconds
        Wall time.
    message
        Empty, or what went wrong.
    """

    solver: str
    scale: float
    status: str
    objective: float | None
    iterations: int | None
    gammas: list[NDArray[Any]] | None = field(repr=False)
    multiplier: NDArray[np.float64] | None = field(repr=False)
    compile_seconds: float
    solve_seconds: float
    message: str = ""


def solve(problem: Problem, solver: str = "CLARABEL", *, scale: float = 1.0) -> RawSolution:
    """Hand the program to one solver, with all data multiplied by ``scale``.

    A solver that fails is an answer too: its ``message`` says how.

    Raises
    ------
    SolverError
        If the solver is not installed or has no licence.
    """
    require(solver)
    import cvxpy as cp

    started = time.perf_counter()
    variables = [_variable(block) for block in problem.blocks]
    residual = cp.Variable(problem.rows)
    expression = sum(
        (scale * _flat_rows(block)) @ cp.vec(variable, order="C")
        for block, variable in zip(problem.blocks, variables, strict=True)
    )
    link = residual == expression + scale * problem.offset
    program = cp.Problem(
        cp.Minimize(cp.norm1(residual)), [link, *_rate_constraints(problem, variables)]
    )
    status, message = "failed", ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program.solve(solver=solver, **_SETTINGS[solver])
            status = program.status
        except Exception as error:  # a solver may raise anything; the next one gets its chance
            message = f"{type(error).__name__}: {error}".splitlines()[0]
    elapsed = time.perf_counter() - started
    stats = program.solver_stats
    solving = float(getattr(stats, "solve_time", None) or 0.0)
    solved = residual.value is not None and link.dual_value is not None
    return RawSolution(
        solver=solver,
        scale=scale,
        status=status,
        objective=None if not solved else float(program.value) / scale,
        iterations=getattr(stats, "num_iters", None),
        gammas=[_gamma(b, v.value) for b, v in zip(problem.blocks, variables, strict=True)]
        if solved
        else None,
        multiplier=-np.asarray(link.dual_value, dtype=float) if solved else None,
        compile_seconds=elapsed - solving,
        solve_seconds=solving,
        message=message,
    )


def best_conditioned(problem: Problem, solver: str, allowed: float) -> list[NDArray[Any]] | None:
    """Kossakowski blocks with defect at most ``allowed`` and the largest smallest eigenvalue.

    Maximise mu subject to Gamma^r >= mu 1: the near-optimal point farthest from the boundary of
    the cone. None if the solver fails; the caller checks whatever comes back.
    """
    import cvxpy as cp

    scale = 1e-2 / allowed
    variables = [_variable(block) for block in problem.blocks]
    smallest = cp.Variable()
    expression = scale * problem.offset + sum(
        (scale * _flat_rows(block))
        @ cp.vec(variable + smallest * np.eye(variable.shape[0]), order="C")
        for block, variable in zip(problem.blocks, variables, strict=True)
    )
    shifted = [variable + smallest * np.eye(variable.shape[0]) for variable in variables]
    program = cp.Problem(
        cp.Maximize(smallest),
        [
            cp.norm1(expression) <= scale * allowed,
            smallest >= 0,
            *_rate_constraints(problem, shifted),
        ],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program.solve(solver=solver, **_SETTINGS[solver])
        except Exception:  # a solver may raise anything; no candidate is a valid outcome
            return None
    if smallest.value is None or any(variable.value is None for variable in variables):
        return None
    return [
        _gamma(block, variable.value + float(smallest.value) * np.eye(variable.shape[0]))
        for block, variable in zip(problem.blocks, variables, strict=True)
    ]


def require(solver: str) -> None:
    """Raise a `SolverError` that says what to do, unless the solver can be used."""
    if solver not in SOLVERS:
        raise SolverError(f"solver: must be one of {', '.join(SOLVERS)}, but is {solver!r}")
    status = _CHECKS[solver]()
    if not status.usable:
        raise SolverError(f"solver {solver}: {status.message}")


def solver_status() -> tuple[SolverStatus, ...]:
    """Which solvers are installed, licensed and usable here."""
    return tuple(_CHECKS[name]() for name in SOLVERS)


def _variable(block: GammaBlock) -> Any:
    """A real positive variable; twice the order for a complex block (see `_flat_rows`)."""
    import cvxpy as cp

    size = 2 * block.size if block.is_complex else block.size
    return cp.Variable((1, 1), nonneg=True) if size == 1 else cp.Variable((size, size), PSD=True)


def _flat_rows(block: GammaBlock) -> NDArray[np.float64]:
    """Coefficients on the flattened variable.

    A complex block is Gamma = (Z11 + Z22)/2 + i (Z21 - Z12)/2 of a real positive Z of twice the
    order; averaging over the rotation that mixes the halves shows that nothing is lost.
    """
    rows = block.rows
    if block.is_complex:
        rows = np.block([[rows.real, rows.imag], [-rows.imag, rows.real]]) / 2
    return np.ascontiguousarray(rows.reshape(len(rows), -1))


def _gamma(block: GammaBlock, value: NDArray[np.float64]) -> NDArray[Any]:
    if not block.is_complex:
        return value
    n = block.size
    gamma: NDArray[Any] = (value[:n, :n] + value[n:, n:]) / 2
    return gamma + 0.5j * (value[n:, :n] - value[:n, n:])


def _rate_constraints(problem: Problem, variables: list[Any]) -> list[Any]:
    import cvxpy as cp

    traces = [
        sum(
            cp.trace(variables[b]) / (2 if problem.blocks[b].is_complex else 1)
            for b in problem.of_region(region)
        )
        for region in range(len(problem.regions))
    ]
    return _apply_rule(problem.rates, traces)


def _apply_rule(rates: Rates, traces: list[Any]) -> list[Any]:
    count = len(traces)
    if rates.rule == "each":
        wanted = rates.per_region("value", count)
        return [trace == value for trace, value in zip(traces, wanted, strict=True)]
    if rates.rule == "total":
        return [sum(traces) == rates.per_region("value", count)[0]]
    low, high = rates.per_region("min", count), rates.per_region("max", count)
    return [
        constraint
        for trace, a, b in zip(traces, low, high, strict=True)
        for constraint in (trace >= a, trace <= b)
    ]


def _check_open_source(name: str, module: str) -> Callable[[], SolverStatus]:
    def check() -> SolverStatus:
        installed = importlib.util.find_spec(module) is not None
        return SolverStatus(
            name=name,
            version=importlib.metadata.version(module) if installed else None,
            installed=installed,
            usable=installed,
            message="ready" if installed else f"not installed: `pip install {module}`",
        )

    return check


def _check_mosek() -> SolverStatus:
    """A licence is proved by checking one out, which takes milliseconds."""
    if importlib.util.find_spec("mosek") is None:
        message = "not installed: `pip install 'lindfeas[mosek]'`, and get a licence from mosek.com"
        return SolverStatus(
            name="MOSEK", version=None, installed=False, usable=False, message=message
        )
    import mosek

    message, usable = "ready", True
    try:
        with mosek.Env() as environment:
            environment.checkoutlicense(mosek.feature.pton)
    except mosek.Error as error:
        message, usable = _mosek_message(int(error.errno)), False
    return SolverStatus(
        name="MOSEK",
        version=importlib.metadata.version("mosek"),
        installed=True,
        usable=usable,
        message=message,
    )


def _mosek_message(code: int) -> str:
    """MOSEK's licence error codes in words."""
    known = {
        1008: "no licence file: put mosek.lic where MOSEKLM_LICENSE_FILE points",
        1014: "the licence file cannot be read: replace mosek.lic",
        1021: "the licence server cannot be reached: check MOSEKLM_LICENSE_FILE",
    }
    return f"installed, but {known.get(code, f'no licence could be checked out (error {code})')}"


_CHECKS: dict[str, Callable[[], SolverStatus]] = {
    "CLARABEL": _check_open_source("CLARABEL", "clarabel"),
    "SCS": _check_open_source("SCS", "scs"),
    "MOSEK": _check_mosek,
}
