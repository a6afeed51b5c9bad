"""QICS behind CVXPY's back: what goes to it and comes back, with linear programs in its place."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import lindfeas as lf
from lindfeas.program import bounds
from lindfeas.program.setting import Setting
from lindfeas.solvers import catalogue as backends
from lindfeas.solvers.conic import solve

CHAIN = Path(__file__).resolve().parents[2] / "problems" / "xxz-1+2+1.toml"


class LinearProgram:
    """min c.x with b - A x = 0, h - G x >= 0, and multipliers with c + A^T y + G^T z = 0."""

    def __init__(self, model: SimpleNamespace, verbose: int, **options: Any) -> None:
        assert all(kind == "nonnegative" for kind, _ in model.cones)
        assert sum(size for _, size in model.cones) == len(model.h)
        self.model, self.options = model, options

    def solve(self) -> dict[str, Any]:
        m = self.model
        found = linprog(
            m.c[:, 0], m.G, m.h[:, 0], m.A.toarray(), m.b[:, 0], bounds=(None, None), method="highs"
        )
        y, z = -found.eqlin.marginals[:, None], -found.ineqlin.marginals[:, None]
        assert np.allclose(m.c + m.A.T @ y + m.G.T @ z, 0)
        return {
            "x_opt": found.x[:, None],
            "y_opt": y,
            "z_opt": SimpleNamespace(vec=z),
            "sol_status": self.options.get("sol_status", "optimal"),
            "p_obj": found.fun,
            "solve_time": 0.25,
            "num_iter": 7,
        }


@pytest.fixture(autouse=True)
def qics(monkeypatch: pytest.MonkeyPatch) -> None:
    usable = backends.SolverStatus(
        name="QICS", version="1", installed=True, usable=True, message="ready"
    )
    monkeypatch.setitem(backends._CHECKS, "QICS", lambda: usable)
    module = SimpleNamespace(
        cones=SimpleNamespace(NonNegOrthant=lambda size: ("nonnegative", size)),
        Model=SimpleNamespace,
        Solver=LinearProgram,
    )
    monkeypatch.setitem(sys.modules, "qics", module)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("optimal", "optimal"),
        ("near_optimal", "optimal_inaccurate"),
        ("unknown", "user_limit"),
    ],
)
def test_both_halves_of_a_solution_come_back(said: str, status: str) -> None:
    problem = Setting(lf.read_problem(CHAIN).question).program
    raw = solve(problem, "QICS", scale=1e3, settings=({"sol_status": said},))
    assert (raw.status, raw.message) == (status, "")
    assert (raw.solve_seconds, raw.iterations) == (0.25, 7)
    lower = bounds.lower_bound(problem, raw.multiplier)
    upper = bounds.upper_bound(problem, bounds.repair_point(problem, raw.point))
    assert raw.objective == pytest.approx(upper, rel=1e-9)
    assert 0 < upper - lower < 1e-9 * upper


def test_a_program_called_infeasible_comes_back_empty() -> None:
    problem = Setting(lf.read_problem(CHAIN).question).program
    raw = solve(problem, "QICS", settings=({"sol_status": "pinfeas"},))
    assert raw.status == "infeasible"
    assert raw.point is raw.multiplier is raw.objective is None
