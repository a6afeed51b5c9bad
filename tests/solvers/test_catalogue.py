"""What is said of a solver is what could be tried just now."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace

import pytest

from lindfeas.errors import SolverError
from lindfeas.solvers import catalogue


class Refusal(Exception):  # noqa: N818
    """What MOSEK raises, with the number of what is wrong."""

    errno = 1008


@pytest.mark.parametrize("has_licence", [True, False])
def test_mosek_is_usable_with_a_licence_only(
    monkeypatch: pytest.MonkeyPatch, has_licence: bool
) -> None:
    class Environment:
        def __enter__(self) -> Environment:
            return self

        def __exit__(self, *_: object) -> None: ...

        def checkoutlicense(self, feature: str) -> None:
            if not has_licence:
                raise Refusal

    module = SimpleNamespace(
        Env=Environment, Error=Refusal, feature=SimpleNamespace(pton="pton"), __spec__=object()
    )
    monkeypatch.setitem(sys.modules, "mosek", module)  # type: ignore[arg-type]
    monkeypatch.setattr(catalogue.importlib.metadata, "version", lambda package: "11")
    (status,) = catalogue.status_of(["mosek"])
    assert (status.installed, status.usable, status.version) == (True, has_licence, "11")
    if has_licence:
        catalogue.require("MOSEK")
        return
    with pytest.raises(SolverError, match=r"^solver MOSEK: installed, but no licence file: put "):
        catalogue.require("MOSEK")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    (status,) = catalogue.status_of(["sdpa"])
    assert (status.installed, status.usable, status.version) == (False, False, None)
    assert status.message == "not installed: `pip install sdpa-python`"


def test_a_solver_that_lindfeas_does_not_drive_is_refused_with_those_that_it_does() -> None:
    with pytest.raises(SolverError, match=r"^solver: must be one of CLARABEL, .*, but is 'QICS'$"):
        catalogue.usable_solvers("qics")
