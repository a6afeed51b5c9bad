"""lindfeas against the dense reference on random systems; the long run is in ``benchmarks``."""

from __future__ import annotations

import pytest

from benchmarks.differential import WIDE, cause, report
from tests.differential import check_case

SEEDS = (1, 2, 5, 9, 12, 16, 20, 24)


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_agree_with_the_reference(seed: int) -> None:
    found = check_case(seed, thorough=False)
    assert found["findings"] == []
    assert found["questions"] or found["refusals"]
    for entry in found["questions"]:
        assert entry["width"] <= WIDE, (entry, cause(entry))


def test_the_report_names_seeds_and_causes() -> None:
    entry = {
        "question": "populations each",
        "verdict": "undecided",
        "lower": 0.0,
        "upper": 1.0,
        "width": 1.0,
        "defect": 0.4,
        "reference": [0.3, 0.3],
    }
    case = {
        "seed": 7,
        "kind": "chain",
        "about": {},
        "undefined": None,
        "questions": [entry, {**entry, "width": 1e-7}],
        "findings": [{"check": "defect", "question": "populations each", "detail": "0.4"}],
        "refusals": [{"question": "trace each", "error": "PhysicsError: bath.a: no"}],
        "warnings": [],
        "seconds": {"all": 1.0},
    }
    found = report([case, {"seed": 8, "error": "more than 1 s"}])
    assert found["share_not_wide"] == 0.5
    assert found["wide"][0]["seed"] == 7
    assert "rounding at the upper end (60%)" in found["wide"][0]["cause"]
    assert found["contradictions"][0]["seed"] == 7
    assert found["contradictions_by_check"] == {"defect": 1}
    assert found["refusals"] == {"PhysicsError: no": 1}
    assert found["unfinished"] == [{"seed": 8, "error": "more than 1 s"}]
