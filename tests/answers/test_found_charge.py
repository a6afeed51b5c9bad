"""A charge that was found: the same statement, printed, and certified like a declared one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lindfeas import Answer, Bath, OpenSystem, PhysicsError, Question, certify, prove
from lindfeas.answers.report import summary_rows
from tests.systems import SIGMA_MINUS, SIGMA_Z, complex_trimer

ONE = np.eye(2)


def pair(splitting: float, **options: object) -> OpenSystem:
    """Two qubits, uncoupled, each with a bath: equal splittings make levels coincide."""
    hamiltonian = np.kron(SIGMA_Z, ONE) / 2 + splitting * np.kron(ONE, SIGMA_Z) / 2
    baths = [
        Bath(name="hot", sites=(0,), beta=1.0, couplings=(SIGMA_MINUS,)),
        Bath(name="cold", sites=(1,), beta=3.0, couplings=(SIGMA_MINUS,)),
    ]
    return OpenSystem(hamiltonian, dimensions=(2, 2), baths=baths, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def answers() -> tuple[Answer, Answer]:
    plain = complex_trimer()
    return certify(plain), certify(plain.with_found_charge())


def test_the_answer_is_the_same(answers: tuple[Answer, Answer]) -> None:
    plain, found = answers
    assert plain.question.system.charge is None and found.question.system.charge is not None
    assert found.verdict == plain.verdict
    assert found.lower == pytest.approx(plain.lower, rel=1e-5)
    assert found.upper == pytest.approx(plain.upper, rel=1e-5)
    one, other = plain.trace_distance, found.trace_distance
    assert one.lower <= other.upper and other.lower <= one.upper


def test_it_is_printed_and_in_the_object(answers: tuple[Answer, Answer]) -> None:
    plain, found = answers
    assert plain.to_dict()["charge"] is None
    assert "charge" not in dict(summary_rows(plain))
    assert dict(summary_rows(found))["charge"] == "(0, 1) on every site, found"
    assert found.to_dict()["charge"] == {
        "values": [[0, 1]] * 3,
        "found": True,
        "levels_coincide": False,
    }


def test_it_is_certified(answers: tuple[Answer, Answer]) -> None:
    written, proof = prove(answers[1])
    assert proof.status == "accepted"
    assert written["problem"]["system"]["charge"] == [[0, 1]] * 3
    assert "N_0 = diag(0, 1)" in proof.statement


def test_it_lifts_a_refusal_and_says_what_that_means() -> None:
    with pytest.raises(PhysicsError, match="apart"):
        certify(pair(1.0, charge=None))
    answer = certify(pair(1.0))
    assert answer.verdict == "possible" and answer.levels_coincide
    assert "about Lindbladians that mix no charges" in str(answer)
    assert answer.to_dict()["charge"]["levels_coincide"]


def test_nothing_is_said_where_no_levels_coincide() -> None:
    answer = certify(pair(1.3))
    assert not answer.levels_coincide
    assert "mix no charges" not in str(answer)


def test_a_system_alone_asks_the_default_question() -> None:
    alone, asked = certify(pair(1.3)), certify(Question(system=pair(1.3)))
    assert (alone.lower, alone.upper) == (asked.lower, asked.upper)
    assert alone.question.tolerance == asked.question.tolerance


def test_a_given_charge_is_not_called_found() -> None:
    answer = certify(replace(pair(1.3), charge=((1, 0), (1, 0))))
    assert dict(summary_rows(answer))["charge"] == "(1, 0) on every site"
    assert answer.to_dict()["charge"]["found"] is False
