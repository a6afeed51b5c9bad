"""Claims about the error of coherences in balls: the true are accepted, the others refused."""

from __future__ import annotations

import copy
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from lindfeas import certify
from lindfeas.checker import coherence_errors, cost, verify
from lindfeas.checker.coherence_errors import CoherenceProof
from lindfeas.checker.format import check_certificate
from lindfeas.checker.model import model
from lindfeas.theorems.certificate import certificate
from tests.coherent import EACH, FREE, coherent_setting, ladder
from tests.mutations import changed, get, resealed, scaled, without

NEAR = "1+0+2, g = 0.1"
FAR = "1+1+1"
LADDER = "coherence_error"


@cache
def claimed(name: str, *, fixed: bool = False) -> dict[str, Any]:
    rates = EACH if fixed else FREE
    answer = certify(
        coherent_setting(name, rates).question, sharp=False, check=False, progress=False
    )
    return certificate(None, answer, coherence=ladder(name, rates))


def claims(content: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = content[LADDER]
    return found


def alone(content: dict[str, Any], number: int) -> dict[str, Any]:
    """The same with one claim only."""
    return changed(content, (LADDER,), [claims(content)[number]])


def weakened(number: int, lower: str = "0.001") -> dict[str, Any]:
    """A claim about 1+0+2 with rates of 1 that says far less than its witness."""
    return changed(alone(claimed(NEAR, fixed=True), number), (LADDER, 0, "lower"), lower)


@pytest.mark.parametrize(
    ("name", "fixed", "distances"),
    [
        (NEAR, False, ["0.0", "0.000001", "0.0001"]),
        (NEAR, True, ["0.0", "0.000001", "0.0001", "0.01"]),
        (FAR, True, ["0.0001", "0.01"]),
        ("two sites", False, ["0.01"]),
        ("oscillator", False, ["0.0001"]),
    ],
)
def test_every_rung_is_proved(name: str, fixed: bool, distances: list[str]) -> None:
    content = claimed(name, fixed=fixed)
    assert [one["distance"] for one in claims(content)] == distances
    proof = verify(content)
    assert proof.status == "accepted", proof.reason
    assert isinstance(proof, CoherenceProof)
    rungs = {one.distance: one for one in ladder(name, EACH if fixed else FREE).rungs}
    for distance, lower in proof.coherence_error:
        known = rungs[float(distance)].lower
        if known is None:
            assert lower is None
        else:
            assert float(lower or "nan") == pytest.approx(known, rel=1e-6)
            assert float(lower or "nan") <= known


def test_the_statement_says_what_is_proved() -> None:
    near, far = verify(claimed(NEAR, fixed=True)).statement, verify(claimed(FAR)).statement
    lower = claims(claimed(NEAR, fixed=True))[1]["lower"]
    assert f"If T <= 0.000001, then ||rho2' - rho2|| >= {lower} ||rho2||." in near
    assert "T <= 0.0001 for none of them of which some Gamma^r is not 0." in far
    fixed = verify(claimed(FAR, fixed=True)).statement
    assert "T <= 0.0001 for none of them." in fixed


def test_a_bound_that_is_a_millionth_higher_is_refused() -> None:
    for number, claim in enumerate(claims(claimed(NEAR, fixed=True))):
        higher = changed(
            alone(claimed(NEAR, fixed=True), number),
            (LADDER, 0, "lower"),
            scaled(claim["lower"], "1.000001"),
        )
        proof = verify(higher)
        assert proof.status == "rejected"
        assert "nearer than claimed" in (proof.reason or "")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_larger_distance_is_refused(number: int) -> None:
    content = alone(claimed(NEAR, fixed=True), number)
    distance = scaled(content[LADDER][0]["distance"], "1.1")
    assert verify(changed(content, (LADDER, 0, "distance"), distance)).status == "rejected"


def test_a_larger_distance_is_not_excluded() -> None:
    content = claimed(FAR)
    assert verify(changed(content, (LADDER, 0, "distance"), "0.02")).status != "accepted"


def test_distances_are_between_0_and_1() -> None:
    for distance in ("-0.000001", "1.0000001"):
        proof = verify(changed(weakened(3), (LADDER, 0, "distance"), distance))
        assert proof.status == "rejected"
        assert "between 0 and 1" in (proof.reason or "")


def _shifted(content: dict[str, Any], key: str, amount: str) -> dict[str, Any]:
    """W or U of all blocks with a multiple of 1 added."""
    tampered = copy.deepcopy(content)
    for region in tampered[LADDER][0]["blocks"].values():
        for block in region:
            for row in block[key]:
                row[0] = str(Decimal(row[0]) + Decimal(amount))
    return resealed(tampered)


def test_the_weakened_claim_is_accepted() -> None:
    assert verify(weakened(3)).status == "accepted"
    assert verify(weakened(1)).status == "accepted"


@pytest.mark.parametrize("key", ["below", "above"])
def test_w_and_u_must_meet_their_conditions(key: str) -> None:
    """Lowered a little, they raise s_r, and every other condition holds all the more."""
    proof = verify(_shifted(weakened(3), key, "-0.001"))
    assert proof.status == "rejected"
    assert "do not meet a condition" in (proof.reason or "")
    assert verify(_shifted(weakened(3), key, "0.001")).status == "accepted"


def test_m_must_be_positive() -> None:
    """With U raised and all M_g lowered every condition of a level holds as before."""
    content, tampered = weakened(3), _shifted(weakened(3), "above", "1")
    count = 0
    for region in tampered[LADDER][0]["blocks"].values():
        for block in region:
            for one in block["emptied"]:
                count += 1
                for row in one["matrix"]:
                    row[0] = str(Decimal(row[0]) - 1)
    assert count > 0
    proof = verify(resealed(tampered))
    assert proof.status == "rejected"
    assert "do not meet a condition" in (proof.reason or "")
    assert verify(_shifted(content, "above", "1")).status == "accepted"


def test_m_is_paid_for() -> None:
    """All M_g raised by 1 meet their conditions all the more, and cost sum_g p_g."""
    tampered = alone(claimed(NEAR, fixed=True), 3)
    for region in tampered[LADDER][0]["blocks"].values():
        for block in region:
            for one in block["emptied"]:
                for row in one["matrix"]:
                    row[0] = str(Decimal(row[0]) + 1)
    proof = verify(resealed(tampered))
    assert proof.status == "rejected"
    assert "nearer than claimed" in (proof.reason or "")


def test_every_level_has_its_condition() -> None:
    """Without the M of one level, that level's condition fails."""
    content = weakened(3)
    for name, region in content[LADDER][0]["blocks"].items():
        for number, block in enumerate(region):
            for place, one in enumerate(block["emptied"]):
                if abs(Decimal(str(one["matrix"][0][0]))) > Decimal("0.01"):
                    path = (LADDER, 0, "blocks", name, number, "emptied", place)
                    assert verify(without(content, path)).status == "rejected"
                    return
    raise AssertionError("no M is needed anywhere")


def test_what_local_hamiltonians_hide_is_paid_for() -> None:
    content = alone(claimed(NEAR, fixed=True), 1)
    limit = ("problem", "ansatz", "hamiltonian_limit")
    assert verify(changed(content, limit, scaled(get(content, limit), "1000"))).status == "rejected"
    content = alone(claimed(NEAR, fixed=True), 3)
    tampered = copy.deepcopy(content)
    for region in tampered[LADDER][0]["locals"].values():
        region[0][0] = str(Decimal(region[0][0]) + 1)
    assert verify(resealed(tampered)).status == "rejected"
    proof = verify(changed(weakened(1), limit, None))
    assert proof.status == "rejected"
    assert "limit" in (proof.reason or "")


def test_no_hamiltonians_need_no_limit() -> None:
    content = weakened(1)
    content = changed(content, ("problem", "ansatz", "lamb_shift"), False)
    content = changed(content, ("problem", "ansatz", "hamiltonian_limit"), None)
    content = changed(content, ("upper_bound",), None)
    assert verify(content).status == "accepted"


def test_other_rates_are_refused() -> None:
    content = claimed(NEAR)
    wide = {"rule": "range", "min": "0", "max": "1e14"}
    tampered = changed(alone(claimed(NEAR, fixed=True), 1), ("problem", "ansatz", "rates"), wide)
    assert verify(changed(tampered, ("upper_bound",), None)).status == "rejected"
    assert verify(content).status == "accepted"


def test_malformed_claims_are_refused() -> None:
    content, far = weakened(3), alone(claimed(FAR), 0)
    blocks = (LADDER, 0, "blocks")
    left = (*blocks, "left")
    first = get(content, left)
    emptied = next((number, one["emptied"]) for number, one in enumerate(first) if one["emptied"])
    at = (*left, emptied[0], "emptied")
    wrong = [
        changed(content, (LADDER, 0, "lower"), "0"),
        changed(content, (LADDER, 0, "lower"), "-1"),
        without(content, left),
        changed(content, left, first[1:]),
        changed(content, (*left, 0, "below"), [["1", "0"], ["1"]]),
        changed(content, at, [*emptied[1], emptied[1][0]]),
        changed(content, (*at, 0, "level"), 8),
        changed(content, (LADDER, 0, "multiplier"), get(content, (LADDER, 0, "multiplier"))[1:]),
        changed(content, (LADDER, 0, "locals", "left"), [["0"]]),
        without(content, (LADDER, 0, "locals", "left")),
        changed(far, (LADDER, 0, "multiplier"), get(far, (LADDER, 0, "multiplier"))[1:]),
        changed(content, (LADDER,), []),
        changed(content, (LADDER, 0, "more"), "0"),
        changed(content, ("problem", "question", "target"), "populations"),
    ]
    for number, one in enumerate(wrong):
        assert verify(one).status == "rejected", number


def test_a_claim_about_populations_alone_is_refused_by_its_form() -> None:
    content = changed(claimed(FAR), ("problem", "question", "target"), "populations")
    proof = verify(content)
    assert (proof.status, proof.proved) == ("rejected", False)


def test_what_it_costs_is_known_before() -> None:
    content = claimed(FAR)
    exact = model(content["problem"])
    plain = without(content, (LADDER,))
    check_certificate(content)
    assert cost.point_work(exact, content) > cost.point_work(exact, plain)
    apart = cost.point_work(exact, content) - cost.point_work(exact, plain)
    many = changed(content, (LADDER,), claims(content) * 32)
    assert cost.point_work(exact, many) == pytest.approx(cost.point_work(exact, plain) + 32 * apart)


def test_what_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = claimed(FAR)
    exact = model(content["problem"])
    plain = cost.point_work(exact, without(content, (LADDER,)))
    monkeypatch.setattr(coherence_errors, "MOST_WORK", plain + 1)
    assert "would take about" in (verify(content).reason or "")


def test_where_nothing_is_certified_nothing_is_claimed() -> None:
    assert LADDER not in claimed("1+0+2, g = 0.0231")
