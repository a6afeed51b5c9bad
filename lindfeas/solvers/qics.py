"""QICS for CVXPY, which has no interface to it: cone data over, primal and dual back."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix  # QICS does not take sparse arrays


def qics_solver() -> Any:
    """A solver object for ``cvxpy.Problem.solve(solver=...)``; options go to `qics.Solver`.

    QICS solves min c.x with b - A x = 0 and h - G x in a product of cones, matrices flattened
    whole: the form that CVXPY has for CVXOPT.
    """
    import cvxpy.settings as s
    from cvxpy.reductions.solvers.conic_solvers.cvxopt_conif import CVXOPT

    status = {
        "optimal": s.OPTIMAL,
        "near_optimal": s.OPTIMAL_INACCURATE,
        "unknown": s.USER_LIMIT,  # the best iterate is worth certifying
        "pinfeas": s.INFEASIBLE,
        "near_pinfeas": s.INFEASIBLE_INACCURATE,
        "dinfeas": s.UNBOUNDED,
        "near_dinfeas": s.UNBOUNDED_INACCURATE,
    }

    class Qics(CVXOPT):  # type: ignore[misc]
        def name(self) -> str:
            return "QICS"

        def import_solver(self) -> None:
            import_module("qics")

        def cite(self, data: Any) -> str:
            return ""

        def solve_via_data(
            self, data: Any, warm_start: bool, verbose: bool, options: Any, cache: Any = None
        ) -> dict[str, Any]:
            found = _solve(data, options)
            return {
                s.STATUS: status.get(found["sol_status"], s.SOLVER_ERROR),
                s.VALUE: found["p_obj"],
                s.PRIMAL: found["x_opt"].ravel(),
                s.EQ_DUAL: found["y_opt"].ravel(),
                s.INEQ_DUAL: found["z_opt"].vec.ravel(),
                s.SOLVE_TIME: found["solve_time"],
                s.NUM_ITERS: found["num_iter"],
            }

        def invert(self, solution: Any, inverse_data: Any) -> Any:
            result = super().invert(solution, inverse_data)
            for key in (s.SOLVE_TIME, s.NUM_ITERS):
                result.attr[key] = solution[key]
            return result

    return Qics()


def _solve(data: Any, options: Any) -> dict[str, Any]:
    qics = import_module("qics")
    equalities, dims = data["A"], data["dims"]
    cones = [qics.cones.NonNegOrthant(dims.nonneg)] if dims.nonneg else []
    cones += [qics.cones.SecondOrder(size - 1) for size in dims.soc]
    cones += [qics.cones.PosSemidefinite(size) for size in dims.psd]
    model = qics.Model(
        c=_column(data["c"]),
        A=None if equalities is None else csr_matrix(equalities),
        b=None if equalities is None else _column(data["b"]),
        G=csr_matrix(data["G"]),
        h=_column(data["h"]),
        cones=cones,
    )
    return dict(qics.Solver(model, verbose=0, **options).solve())


def _column(vector: Any) -> Any:
    return np.asarray(vector, dtype=float).reshape(-1, 1)
