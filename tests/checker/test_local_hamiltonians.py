"""A limit on the local Hamiltonians H_r: what it adds to a bound, and who must keep it."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest
from flint import acb_mat, ctx, fmpq

from lindfeas.answers.answer import Answer
from lindfeas.checker import verify
from lindfeas.checker.bounds import Enclosed, enclosed
from lindfeas.checker.local_hamiltonians import gained, squared_norm
from lindfeas.checker.model import model
from lindfeas.theorems.certificate import certificate
from tests.documents import SIGMA_X, tilted_qubits
from tests.mutations import changed, get, scaled, without
from tests.shipped import solved, written

CHAIN = "xxz-1+2+1"
THREE = (
    "system.sites=3",
    "bath.right.sites=[2]",
    "question.target=populations+coherences",
    "question.norm=frobenius",
)
LIMIT = ("problem", "ansatz", "hamiltonian_limit")
CANDIDATE = ("upper_bound", "candidate", "left", "hamiltonian")


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    with ctx.workprec(128):
        yield


def limited(answer: Answer, limit: float) -> Answer:
    """The answer as if it had been asked for with this limit."""
    fields = {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)}
    shown = {name: getattr(answer, name) for name in ("question", "reference", "target")}
    whole = {**fields, **shown, "hamiltonian_limit": limit}
    return cast("Answer", types.SimpleNamespace(**whole))


def numbers(matrix: acb_mat) -> Any:
    return np.array([[complex(entry) for entry in row] for row in matrix.tolist()])


def some_setting() -> tuple[Enclosed, Any]:
    """Two qubits of which one has a bath, and a multiplier that commutes with nothing."""
    at = enclosed(model(tilted_qubits(SIGMA_X)))
    draw = np.random.default_rng(5)
    matrix = draw.integers(-9, 10, (4, 4)) + 1j * draw.integers(-9, 10, (4, 4))
    return at, matrix + matrix.conj().T


def test_what_the_hamiltonians_gain_is_the_least_over_all_of_them() -> None:
    """tr(Y i[rho0, H (x) 1]) over traceless H of norm h: -h ||N||, which H = -h N/||N|| attains."""
    at, weight = some_setting()
    state, limit = numbers(at.state), fmpq(3, 7)
    most = float(gained(at.regions, acb_mat((weight @ state).tolist()), limit))

    def gain(local: Any) -> float:
        whole = np.kron(local, np.eye(2))
        return float(np.trace(weight @ (1j * (state @ whole - whole @ state))).real)

    paulis = [np.array(p) for p in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    gradient = np.array([gain(pauli / np.sqrt(2)) for pauli in paulis])
    assert most == pytest.approx(3 / 7 * np.linalg.norm(gradient), rel=1e-12)
    assert most > 0.1
    worst = sum(-g * pauli / np.sqrt(2) for g, pauli in zip(gradient, paulis, strict=True))
    worst *= 3 / 7 / np.linalg.norm(worst)
    assert gain(worst) == pytest.approx(-most, rel=1e-12)


def test_without_a_limit_nothing_is_gained_and_with_zero_neither() -> None:
    at, weight = some_setting()
    product = acb_mat(weight.tolist()) * at.state
    assert gained(at.regions, product, None) == 0
    assert gained(at.regions, product, fmpq(0)) == 0


def test_the_norm_of_a_hamiltonian_is_exact_and_leaves_its_trace_out() -> None:
    assert squared_norm([["0.3", ["0.1", "-0.2"]], ["-0.3"]]) == fmpq(28, 100)
    assert squared_norm([["1.3", ["0.1", "-0.2"]], ["0.7"]]) == fmpq(28, 100)
    assert squared_norm([["5"]]) == 0


def unshifted(limit: str) -> dict[str, Any]:
    """The certificate of a chain without H_r, but with a limit: its Y is orthogonal to nothing."""
    content = written(CHAIN, *THREE, "ansatz.lamb_shift=false")
    content = changed(content, ("problem", "ansatz", "lamb_shift"), True)
    return changed(content, LIMIT, limit)


def hidden(content: dict[str, Any]) -> tuple[float, float]:
    """(sum_r ||N^r||, the Frobenius norm of Y) of a certificate, in double precision."""
    at = enclosed(model(content["problem"]))
    size = at.levels.size
    weight = np.zeros((size, size), complex)
    for sector, upper in zip(at.levels.sectors, content["lower_bound"]["multiplier"], strict=True):
        for i, row in enumerate(upper):
            for j, value in enumerate(row, start=i):
                pair = [value, "0"] if isinstance(value, str) else value
                entry = complex(float(pair[0]), float(pair[1]))
                weight[sector.states[i], sector.states[j]] = entry
                weight[sector.states[j], sector.states[i]] = entry.conjugate()
    state = numbers(at.state)
    commutator = (1j * (weight @ state - state @ weight)).reshape([2] * 6)
    first = np.einsum("abcdbc->ad", commutator)
    last = np.einsum("abcabd->cd", commutator)
    total = float(np.linalg.norm(first) + np.linalg.norm(last))
    return total, float(np.linalg.norm(weight))


def test_a_bound_pays_for_what_the_hamiltonians_may_do() -> None:
    assert verify(unshifted("0")).proved
    total, size = hidden(unshifted("0"))
    for limit in ("0.001", "0.01"):
        content = unshifted(limit)
        proof = verify(content)
        assert proof.status == "rejected"
        assert "more than the claimed eigenvalues give" in (proof.reason or "")
        value = float(get(content, ("lower_bound", "value")))
        price = float(limit) * total / size
        assert value > 2 * price > 1e-6
        for share, status in ((1.001, "accepted"), (0.9, "rejected")):
            claim = ("lower_bound", "value")
            assert verify(changed(content, claim, repr(value - share * price))).status == status


def test_a_candidate_keeps_the_limit_exactly() -> None:
    content = changed(unshifted("0.001"), ("lower_bound", "value"), "0")
    content = changed(content, ("upper_bound", "value"), "10")
    within = [["0.0006", "0"], ["-0.0006"]]
    traced = [["1.0006", "0"], ["0.9994"]]
    for hamiltonian in (within, traced):
        proof = verify(changed(content, CANDIDATE, hamiltonian))
        assert proof.status == "accepted", proof.reason
    for hamiltonian in ([["0.001", "0"], ["-0.001"]], [["0", "0"], ["0.00142"]]):
        proof = verify(changed(content, CANDIDATE, hamiltonian))
        assert proof.status == "rejected"
        assert "exceeds the limit" in (proof.reason or "")
    # sqrt(2) 0.0003 = 0.000424264068711928514...
    diagonal = changed(content, CANDIDATE, [["0.0003", "0"], ["-0.0003"]])
    for limit, status in (
        ("0.000424264068711929", "accepted"),
        ("0.000424264068711928", "rejected"),
    ):
        assert verify(changed(diagonal, LIMIT, limit)).status == status


@pytest.mark.parametrize("limit", [50.0, 0.02, 1e-9])
def test_an_answer_with_a_limit_is_written_so_that_it_is_proved(limit: float) -> None:
    problem, answer = solved(CHAIN, *THREE)
    content = certificate(problem, limited(answer, limit))
    assert float(get(content, LIMIT)) == limit
    proof = verify(content)
    assert proof.status == "accepted", proof.reason
    assert float(proof.lower or 0) == pytest.approx(answer.lower, rel=1e-9)
    if limit == 50.0:
        assert float(proof.upper or 0) == pytest.approx(answer.upper, rel=1e-9)
    without_file = certificate(None, limited(answer, limit))
    assert float(get(without_file, LIMIT)) == limit
    assert verify(without_file).proved


def test_a_limit_is_no_part_of_populations() -> None:
    content = written(CHAIN)
    assert get(content, LIMIT) is None
    _, answer = solved(CHAIN)
    assert get(certificate(None, limited(answer, 5.0)), LIMIT) is None
    proof = verify(changed(content, LIMIT, "5"))
    assert proof.status == "rejected"
    assert "must be null" in (proof.reason or "")


def test_a_negative_limit_is_none() -> None:
    assert "negative" in (verify(unshifted("-1")).reason or "")


# Versions.


def first_version(content: dict[str, Any]) -> dict[str, Any]:
    """The same certificate as it was written before there were limits."""
    return changed(without(content, LIMIT), ("schema_version",), 1)


def test_certificates_of_the_first_version_are_read() -> None:
    for settings in ((), THREE):
        content = written(CHAIN, *settings)
        old = first_version(content)
        unlimited = changed(content, LIMIT, None)
        assert verify(old).status == "accepted"
        assert verify(old).statement == verify(unlimited).statement
    assert "any Hermitian H_r" in verify(old).statement


def test_certificates_of_the_first_version_obey_the_same_rules() -> None:
    old = first_version(written(CHAIN))
    for path, value in (
        (("problem", "bath", 0, "name"), "ㅤ"),
        (("lower_bound", "value"), scaled(old["lower_bound"]["value"], "1.001")),
    ):
        proof = verify(changed(old, path, value))
        assert proof.status == "rejected"
        assert "\n" not in (proof.reason or "")


def test_versions_and_keys_must_fit() -> None:
    content = written(CHAIN)
    for wrong, where in (
        (without(content, LIMIT), "problem.ansatz.hamiltonian_limit"),
        (changed(content, ("schema_version",), 1), "problem.ansatz.hamiltonian_limit"),
        (changed(content, ("schema_version",), 3), "schema_version"),
        (changed(content, ("schema_version",), True), "schema_version"),
    ):
        proof = verify(wrong)
        assert proof.status == "rejected"
        assert (proof.reason or "").startswith(where)
