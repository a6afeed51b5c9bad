"""What reading and checking a certificate may cost: linear in its size, and bounded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from types import FrameType
from typing import Any

import pytest

from lindfeas.checker import boxes, cost, verification, verify
from lindfeas.checker import format as certificate_file
from lindfeas.checker.format import CertificateError, check_certificate
from lindfeas.checker.model import model
from lindfeas.errors import InputError
from lindfeas.files.problem_file import problem_from_document, read_problem
from lindfeas.theorems.box import parse_interval, prove_box
from tests.mutations import changed, resealed
from tests.shipped import PROBLEMS, SPLIT, document, leaf_numbers, proved, written

CHAIN = "xxz-1+2+1"
LINEAR = 4.5
"""Work for four times as much, over the work for one; four would do but for what is constant."""


# Reading.


class Counted(str):
    """A key that counts how often it is compared."""

    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_a_repeated_key_is_found_in_linear_time() -> None:
    def comparisons(count: int) -> int:
        pairs = [(Counted(f"k{n}"), 1) for n in (*range(count), count - 1)]
        Counted.comparisons = 0
        with pytest.raises(CertificateError, match=f"repeats 'k{count - 1}'"):
            certificate_file._table(pairs)
        return Counted.comparisons

    assert comparisons(4000) < LINEAR * comparisons(1000) + 1000


def calls(function: Callable[[], Any]) -> int:
    """How many functions are called meanwhile, of Python and of C."""
    count = 0

    def event(frame: FrameType, kind: str, argument: Any) -> None:
        nonlocal count
        count += kind in ("call", "c_call")

    sys.setprofile(event)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def grown(factor: int) -> dict[str, dict[str, Any]]:
    """Certificates of so many times the size: numbers, cells and tables."""
    point, box = written(CHAIN), proved(*SPLIT)
    cell = box["cells"][leaf_numbers(box)[0]]
    wide = {**cell["lower_bound"], "multipliers": [["0.5"] * (200 * factor)] * 2}
    shift = [["0.5"] * n for n in range(20 * factor, 0, -1)]
    return {
        "numbers": resealed({**box, "cells": [{**cell, "lower_bound": wide}]}),
        "cells": resealed({**box, "cells": [cell] * (50 * factor)}),
        "shifts": resealed(
            {
                **point,
                "trace_distance": {
                    "norm1_lower": "1",
                    "multiplier": ["1"] * (100 * factor),
                    "shifts": {"left": [shift[:1]] * (50 * factor)},
                },
            }
        ),
    }


@pytest.mark.parametrize("kind", ["numbers", "cells", "shifts"])
def test_the_form_is_checked_in_linear_time(kind: str) -> None:
    contents = [grown(factor)[kind] for factor in (1, 4)]
    one, four = (calls(partial(check_certificate, content)) for content in contents)
    sizes = [len(str(content)) for content in contents]
    assert four / one < LINEAR / 4 * sizes[1] / sizes[0] * 1.2


# Checking.


def test_a_large_system_without_a_charge_is_refused_at_once() -> None:
    """Eight qubits in one sector: 256 enclosures of eigenvectors of 256 levels."""
    content = written(CHAIN)
    baths = [
        {**bath, "operator": "sigma_x", "sites": [site]}
        for bath, site in zip(content["problem"]["bath"], (0, 7), strict=True)
    ]
    content = changed(content, ("problem", "system", "sites"), 8)
    content = changed(content, ("problem", "bath"), baths)
    content = changed(content, ("lower_bound", "multiplier"), ["0.5"] * 256)
    found: list[Any] = []
    work = calls(lambda: found.append(verify(content)))
    proof = found[0]
    assert proof.status == "rejected"
    assert proof.bits == 0
    assert "beyond this checker's 120 s" in (proof.reason or "")
    assert work < 3_000_000


def some_chain(sites: int, **question: Any) -> dict[str, Any]:
    problem = document(CHAIN)
    problem = {**problem, "system": {**problem["system"], "sites": sites}}
    baths = [
        {**bath, "sites": [site]}
        for bath, site in zip(problem["bath"], (0, sites - 1), strict=True)
    ]
    return {**problem, "bath": baths, "question": {**problem["question"], **question}}


PLAIN: dict[str, Any] = {"trace_distance": None}


def test_what_users_prove_is_far_from_the_limit() -> None:
    assert cost.point_work(model(some_chain(8)), PLAIN) < cost.MOST_WORK / 5
    coherent = model(some_chain(6, target="populations+coherences"))
    assert cost.point_work(coherent, PLAIN) < cost.MOST_WORK / 2
    for keys, order in ((1, 4), (2, 4), (4, 3)):
        assert 100 * cost.cell_work(model(some_chain(4)), keys, order) < cost.MOST_BOX_WORK


def test_every_cause_of_a_long_check_counts() -> None:
    plain = model(some_chain(6))
    usual = cost.point_work(plain, PLAIN)
    no_charge = some_chain(6)
    no_charge["bath"][0]["operator"] = "sigma_x"
    assert cost.point_work(model(no_charge), PLAIN) > 5 * usual
    digits = some_chain(6)
    digits["system"]["field"] = "0." + "3" * 1000
    assert cost.point_work(model(digits), PLAIN) > 1.2 * usual
    coherent = some_chain(6, target="populations+coherences")
    assert cost.point_work(model(coherent), PLAIN) > 50 * usual
    large = some_chain(6)
    large["bath"][0]["sites"] = [0, 1, 2, 3]
    assert cost.point_work(model(large), PLAIN) > 3 * usual
    part = {"multiplier": [], "shifts": {}}
    for parts, distance in ((1, part), (3, {"cut": {}, "above": part, "below": {**PARTS}})):
        known = {"trace_distance": distance}
        assert cost.point_work(plain, known) > usual * (1 + 5 * parts)
    assert cost.cell_work(plain, 3, 4) > 10 * cost.cell_work(plain, 1, 4)
    assert cost.cell_work(plain, 1, 8) > 1.5 * cost.cell_work(plain, 1, 4)


PARTS = {
    "cut": {},
    "above": {"multiplier": [], "shifts": {}},
    "below": {"multiplier": [], "shifts": {}},
}


def test_many_couplings_of_their_own_densities_count() -> None:
    bath = {
        **document("qutrit-qubit")["bath"][1],
        "couplings": [[[1, 0, "1"]]] * 20,
    }
    bath["spectral_density"] = {**bath["spectral_density"], "strength": ["1"] * 20}
    problem = document("qutrit-qubit")
    problem = {**problem, "bath": [bath]}
    problem["question"] = {**problem["question"], "target": "populations+coherences"}
    shared = cost.point_work(model(problem), PLAIN)
    bath["spectral_density"]["strength"] = [str(n) for n in range(1, 21)]
    assert cost.point_work(model(problem), PLAIN) > 10 * shared


def test_a_box_of_too_many_cells_is_refused_before_any_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = proved(*SPLIT)
    exact = model(content["problem"])
    count = len(leaf_numbers(content))
    work = cost.cell_work(exact, 1, content["order"])
    monkeypatch.setattr(boxes, "MOST_BOX_WORK", work * (count - 0.5))
    proof = verify(content)
    assert proof.status == "rejected"
    assert f"the check of {count} cells would take" in (proof.reason or "")
    monkeypatch.setattr(boxes, "MOST_BOX_WORK", work * (count + 0.5))
    assert verify(content).status == "accepted"
    monkeypatch.setattr(boxes, "MOST_WORK", work / 2)
    assert "the check of a cell would take" in (verify(content).reason or "")


def test_a_search_stops_before_its_certificate_costs_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = proved(*SPLIT)
    work = cost.cell_work(model(whole["problem"]), 1, whole["order"])
    monkeypatch.setattr(cost, "MOST_BOX_WORK", work * 1.5)
    answer = prove_box(read_problem(PROBLEMS / f"{CHAIN}.toml"), [parse_interval(SPLIT[0])])
    assert (answer.proved, answer.verdict) == (1, "undecided")
    assert answer.proof is not None
    assert answer.proof.status == "accepted in part"
    monkeypatch.setattr(cost, "MOST_WORK", work / 2)
    with pytest.raises(InputError, match="take fewer parameters or levels"):
        prove_box(read_problem(PROBLEMS / f"{CHAIN}.toml"), [parse_interval(SPLIT[0])])


def test_a_proof_that_would_take_too_long_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    import lindfeas as lf

    problem = problem_from_document(
        {
            "system": {"model": "xxz_chain", "sites": 2, "coupling": Decimal("0.1")},
            "bath": [{"name": "left", "sites": [0], "beta": Decimal(1)}],
        }
    )
    answer = lf.certify(problem.question, sharp=False, check=False)
    monkeypatch.setattr(cost, "MOST_WORK", 1)
    with pytest.raises(InputError, match="would take about"):
        lf.prove(answer, problem)


def test_a_point_is_checked_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(CHAIN)
    work = cost.point_work(model(content["problem"]), content)
    for factor, status in ((0.9, "rejected"), (1.1, "accepted")):
        monkeypatch.setattr(verification, "MOST_WORK", work * factor)
        assert verify(content).status == status


def test_tables_of_any_keys_have_few() -> None:
    content = written(CHAIN)
    many = {f"package-{number}": "1" for number in range(65)}
    with pytest.raises(CertificateError, match="at most 64 keys"):
        check_certificate(changed(content, ("versions",), many))
    del many["package-0"]
    check_certificate(changed(content, ("versions",), many))
