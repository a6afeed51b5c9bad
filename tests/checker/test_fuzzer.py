"""No changed certificate is accepted unless the dense reference confirms what it says.

The long run is ``python -m benchmarks fuzz``.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lindfeas.checker import bounds, boxes
from lindfeas.checker.format import checksum
from tests.certificate_fuzzer import fuzz, judged, statement
from tests.certificate_originals import ORIGINALS
from tests.mutations import scaled

MUTANTS = range(1000, 1154)


@pytest.mark.parametrize("name", list(ORIGINALS))
def test_the_originals_are_true(name: str) -> None:
    assert judged(ORIGINALS[name]()) == []


def test_no_false_mutant_is_accepted() -> None:
    found = fuzz(MUTANTS)
    assert found.false == []
    assert found.exceptions == []
    assert found.changed_share >= 0.95
    # some stay true, and of every kind of certificate
    assert 0.05 < found.accepted_share < 0.5
    kinds = {name.split(",")[0].split(" ")[0] for name in found.accepted}
    assert kinds == {"chain", "matrices", "box"}


def with_claim(name: str, factor: str, *path: Any) -> dict[str, Any]:
    certificate = copy.deepcopy(ORIGINALS[name]())
    node: Any = certificate
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = scaled(node[path[-1]], factor)
    certificate["sha256"] = checksum(certificate)
    return certificate


@pytest.mark.parametrize("name", [name for name in ORIGINALS if not name.startswith("box")])
def test_the_judge_sees_claims_that_go_too_far(name: str) -> None:
    assert "lower bound" in judged(with_claim(name, "1.001", "lower_bound", "value"))[0]
    assert "upper bound" in judged(with_claim(name, "0.999", "upper_bound", "value"))[0]
    if ORIGINALS[name]()["trace_distance"] is not None:
        far = with_claim(name, "1.5", "trace_distance", "norm1_lower")
        assert "p'" in judged(far)[0]


@pytest.mark.parametrize("name", [name for name in ORIGINALS if name.startswith("box")])
def test_the_judge_sees_cells_that_go_too_far(name: str) -> None:
    cells = ORIGINALS[name]()["cells"]
    place = next(number for number, cell in enumerate(cells) if "lower_bound" in cell)
    far = with_claim(name, "3", "cells", place, "lower_bound", "value")
    assert "cell bound" in judged(far)[0]


def test_a_checker_that_is_blind_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its tests of eigenvalues, and of claims against them, false mutants pass."""
    with monkeypatch.context() as blind:
        blind.setattr(bounds, "is_positive_definite", lambda matrix: True)
        blind.setattr(bounds, "require_at_most", lambda excess, otherwise: None)
        blind.setattr(boxes, "is_positive_definite", lambda matrix: True)
        found = fuzz(range(2000, 2077))
    false = {entry["original"] for entry in found.false}
    assert any(name.startswith("chain") for name in false)
    assert any(name.startswith("matrices") for name in false)
    assert any(name.startswith("box") for name in false)


def test_equal_numbers_state_the_same() -> None:
    original = ORIGINALS["chain"]()
    same, other = copy.deepcopy(original), copy.deepcopy(original)
    same["problem"]["system"]["coupling"] = "0.30"
    same["problem"]["title"] = "another one"
    other["problem"]["system"]["coupling"] = "0.300000000001"
    assert statement(same) == statement(original)
    assert statement(other) != statement(original)
