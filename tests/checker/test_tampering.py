"""What is false, malformed or hostile is rejected: no exception, no false claim accepted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flint import acb, acb_mat, ctx

import lindfeas as lf
from lindfeas.checker import coherences, verify
from lindfeas.checker import model as model_module
from lindfeas.checker.bounds import enclosed
from lindfeas.checker.steady_state import dagger
from tests.mutations import JUNK, changed, get, is_number, leaves, scaled, without
from tests.shipped import question_of, solved, written

SHIPPED_CHAIN = "xxz-1+2+1"


def mutants() -> Iterator[tuple[str, dict[str, Any]]]:
    """Several hundred tampered certificates, each with a valid checksum."""
    original = written(SHIPPED_CHAIN)
    for number, path in enumerate(leaves(original)):
        label, value = ".".join(map(str, path)), get(original, path)
        yield f"{label} removed", without(original, path)
        junk = JUNK[number % len(JUNK)]
        yield f"{label} = {str(junk)[:9]!r}", changed(original, path, junk)
        if is_number(value):
            for factor in ("1.000000001", "0.999999999", "-1", "1.5", "0.1", "1e60"):
                yield f"{label} * {factor}", changed(original, path, scaled(value, factor))
        elif isinstance(value, int):
            yield f"{label} + 1", changed(original, path, value + 1)


def test_tampered_certificates_are_rejected_or_still_true() -> None:
    _, answer = solved(SHIPPED_CHAIN)
    total, accepted = 0, []
    for label, content in mutants():
        proof = verify(content)
        total += 1
        assert isinstance(proof.statement, str)
        if proof.status != "accepted":
            assert not proof.proved
            assert proof.reason
        else:
            accepted.append((label, content, proof))
    assert total >= 400
    assert 10 < len(accepted) < total / 2
    for label, content, proof in accepted:
        truth = answer
        if content["problem"] != written(SHIPPED_CHAIN)["problem"]:
            truth = lf.certify(question_of(content["problem"]), sharp=False, check=False)
        # a claim is true if it does not contradict the other end of the certified interval
        assert float(proof.lower or 0) <= truth.upper * (1 + 1e-12), label
        assert float(proof.upper or math.inf) >= truth.lower * (1 - 1e-12), label


def test_bounds_raised_by_a_billionth_are_rejected() -> None:
    original = written(SHIPPED_CHAIN)
    lower, upper = ("lower_bound", "value"), ("upper_bound", "value")
    for path, factor in ((lower, "1.000000001"), (upper, "0.999999999")):
        raised = changed(original, path, scaled(get(original, path), factor))
        assert verify(raised).status == "rejected"
    # also when the claimed eigenvalues are raised with it
    raised = changed(original, lower, scaled(get(original, lower), "1.000000001"))
    for name in ("left", "right"):
        path = ("lower_bound", "smallest_eigenvalues", name)
        value = Decimal(get(raised, path)) + Decimal("2e-12")
        raised = changed(raised, path, str(value))
    proof = verify(raised)
    assert proof.status == "rejected"
    assert "eigenvalue" in (proof.reason or "")


@pytest.mark.parametrize("norm", ["spectral", "frobenius", "trace"])
def test_tampered_coherence_certificates_are_rejected(norm: str) -> None:
    settings = (
        "system.sites=2",
        "bath.right.sites=[1]",
        "question.target=populations+coherences",
        f"question.norm={norm}",
    )
    original = written(SHIPPED_CHAIN, *settings)
    assert verify(original).proved
    multiplier = ("lower_bound", "multiplier")
    wrong = [
        changed(original, ("lower_bound", "value"), scaled(proof_lower(original), "1.000001")),
        changed(original, (*multiplier, 1, 0, 0), "0.9"),
        changed(original, (*multiplier, 1, 0, 0), ["0.1", "0.1"]),
        changed(original, (*multiplier, 1), [["0.1"]]),
        changed(original, multiplier, get(original, multiplier)[1:]),
        changed(original, multiplier, ["0"] * 4),
        changed(original, ("upper_bound", "value"), "0.0001"),
        changed(original, ("upper_bound", "candidate", "left", "hamiltonian"), [["1", "1"], ["1"]]),
        changed(original, ("upper_bound", "candidate", "left", "hamiltonian"), [["9", "0"], ["1"]]),
        changed(original, ("problem", "bath", 0, "beta"), "1.001"),
        changed(original, ("problem", "question", "norm"), other_norm(norm)),
        changed(original, ("problem", "question", "target"), "populations"),
    ]
    for number, content in enumerate(wrong):
        assert verify(content).status == "rejected", number


def proof_lower(content: dict[str, Any]) -> str:
    return str(content["lower_bound"]["value"])


def other_norm(norm: str) -> str:
    """A norm in which the same defect is larger or the bound smaller."""
    return {"spectral": "trace", "frobenius": "spectral", "trace": "spectral"}[norm]


def test_what_local_hamiltonians_can_hide_is_removed_from_a_multiplier() -> None:
    """A multiple of i[rho0, sigma_z (x) 1] in Y changes nothing where any H_r is allowed.

    Without H_r, and with a limit on them that has to be paid for, it counts.
    """
    settings = ("question.target=populations+coherences", "question.norm='frobenius'")
    limit = ("problem", "ansatz", "hamiltonian_limit")
    for lamb_shift, largest, status in (
        (True, None, "accepted"),
        (True, "10", "rejected"),
        (False, None, "rejected"),
    ):
        original = changed(written(SHIPPED_CHAIN, *settings), limit, largest)
        problem = ("problem", "ansatz", "lamb_shift")
        original = changed(original, problem, lamb_shift)
        for name in ("left", "right"):
            path = ("upper_bound", "candidate", name, "hamiltonian")
            original = original if lamb_shift else changed(original, path, None)
        with ctx.workprec(128):
            at = enclosed(model_module.model(original["problem"]))
            sigma_z = acb_mat([[1, 0], [0, -1]])
            product = at.state * coherences.embedded_matrix(at.regions[0], sigma_z)
            hidden = (product - dagger(product)) * acb(0, 20)
        tampered = original
        for number, sector in enumerate(at.levels.sectors):
            for i, row in enumerate(sector.states):
                for j, column in enumerate(sector.states[i:]):
                    path = ("lower_bound", "multiplier", number, i, j)
                    tampered = moved(tampered, path, complex(hidden[row, column]))
        proof = verify(tampered)
        assert proof.status == status, proof.reason


def moved(content: dict[str, Any], path: tuple[str | int, ...], step: complex) -> dict[str, Any]:
    """With a complex number of a certificate changed by ``step``."""
    value = get(content, path)
    real, imaginary = value if isinstance(value, list) else (value, "0")
    if not step:
        return content
    moved_real = str(Decimal(real) + Decimal(step.real))
    if path[-1] == 0:
        return changed(content, path, moved_real)
    return changed(content, path, [moved_real, str(Decimal(imaginary) + Decimal(step.imag))])


def test_a_failure_of_the_arithmetic_is_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("lindfeas.checker.bounds.enclosed", fail)
    proof = verify(written(SHIPPED_CHAIN))
    assert proof.status == "undecided"
    assert proof.bits == 1024


def test_junk_is_rejected_without_an_exception() -> None:
    for junk in (*JUNK, [1], "text", b"bytes", object(), {1: 2}, {"sha256": "0" * 64}):
        proof = verify(junk)
        assert proof.status == "rejected"
        assert not proof.proved


def test_a_forged_checksum_is_rejected() -> None:
    content = {**written(SHIPPED_CHAIN), "sha256": "0" * 64}
    assert "sha256" in (verify(content).reason or "")


def test_extreme_numbers_cost_neither_time_nor_memory() -> None:
    original = written(SHIPPED_CHAIN)
    for path in (
        ("problem", "system", "coupling"),
        ("problem", "system", "field"),
        ("problem", "bath", 0, "beta"),
        ("problem", "bath", 0, "spectral_density", "cutoff"),
        ("problem", "bath", 0, "spectral_density", "exponent"),
        ("problem", "bath", 0, "spectral_density", "strength"),
    ):
        for text in ("1e999", "1e-999", "0." + "3" * 1000, "9" * 400):
            assert not verify(changed(original, path, text)).proved


def test_large_systems_are_refused_before_they_cost_anything() -> None:
    original = written(SHIPPED_CHAIN)
    assert verify(changed(original, ("problem", "system", "sites"), 8)).status == "rejected"


def matrix_certificate(**changes: Any) -> dict[str, Any]:
    """The certificate of a system of matrices with parts of its problem replaced."""
    content = written("qutrit-qubit")
    for path, value in changes.items():
        content = changed(content, tuple(path.split("__")), value)
    return content


def test_claims_about_charges_are_checked_exactly() -> None:
    content = written("qutrit-qubit")
    hamiltonian = [*content["problem"]["system"]["hamiltonian"], [0, 5, "1e-300"]]
    broken = matrix_certificate(problem__system__hamiltonian=hamiltonian)
    assert "charge" in (verify(broken).reason or "")
    couplings = [[*content["problem"]["bath"][0]["couplings"][0], [0, 0, "1e-300"]]]
    broken = changed(content, ("problem", "bath", 0, "couplings"), couplings)
    assert "charge" in (verify(broken).reason or "")


@pytest.mark.parametrize(
    "entries",
    [
        [[1, 0, "1"]],
        [[0, 0, ["1", "1"]]],
        [[0, 0, "1"], [0, 0, "1"]],
        [[0, 6, "1"]],
        [["1", 0, "1"]],
        [[0, 0, 1]],
    ],
)
def test_a_malformed_hamiltonian_is_rejected(entries: list[Any]) -> None:
    broken = matrix_certificate(problem__system__hamiltonian=entries)
    assert verify(broken).status == "rejected"


def test_exactly_degenerate_levels_are_rejected() -> None:
    """Without the charge, sites 1 and 2 of a chain with a free middle bond have equal levels."""
    content = written(SHIPPED_CHAIN)
    system = {**content["problem"]["system"], "coupling": "0"}
    proof = verify(changed(content, ("problem", "system"), system))
    assert proof.status == "rejected"
    assert "degenerate" in (proof.reason or "")


def test_several_steady_states_are_not_settled() -> None:
    """Two qubits that nothing connects, one of them without a bath of its own."""
    content = written(SHIPPED_CHAIN)
    system = {**content["problem"]["system"], "coupling": ["0.1", "0", "0.1"]}
    system["field"] = ["0.5", "0.4", "0.3", "0.7"]
    content = changed(content, ("problem", "system"), system)
    baths = [{**content["problem"]["bath"][0]}, {**content["problem"]["bath"][1], "sites": [1]}]
    content = changed(content, ("problem", "bath"), baths)
    assert verify(content).status == "undecided"


@pytest.mark.parametrize("kind", [None, "box"])
def test_what_cannot_be_shown_is_rejected_in_one_line(kind: str | None) -> None:
    """Numbers that Python does not print, and nesting that it cannot walk."""
    nested: Any = ()
    for _ in range(100_000):
        nested = (nested,)
    for value in (10**5000, nested, b"bytes"):
        content = {"schema_version": value} | ({"kind": kind} if kind else {})
        proof = verify(content)
        assert proof.status == "rejected"
        assert "\n" not in proof.statement
