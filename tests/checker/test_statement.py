"""The theorem in words: it determines what was checked, and nothing else gets into it."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq

import lindfeas as lf
from lindfeas.checker import boxes, coherences, verify
from lindfeas.checker.boxes import decimal
from lindfeas.checker.format import CertificateError, Rejected, check_certificate
from lindfeas.checker.model import model
from lindfeas.checker.statement import subject
from lindfeas.theorems.certificate import certificate
from tests.documents import SIGMA_MINUS, SIGMA_X, tilted_qubits
from tests.mutations import changed, get, is_number, leaves
from tests.shipped import SPLIT, document, leaf_numbers, proved, written

CHAIN = "xxz-1+2+1"


def large_problem() -> dict[str, Any]:
    """More entries than a theorem prints."""
    problem = tilted_qubits(SIGMA_X, SIGMA_MINUS)
    hamiltonian = [[n, n, str(n * n)] for n in range(8)]
    hamiltonian += [[a, b, ["0.1", "0.2"]] for a, b in itertools.combinations(range(8), 2)]
    everything = [[a, b, "0.5"] for a, b in itertools.product(range(4), repeat=2)]
    bath = {**problem["bath"][0], "sites": [1, 0], "couplings": [everything] * 2}
    system = {"dimensions": [2, 2, 2], "charge": None, "hamiltonian": hamiltonian}
    return {**problem, "system": system, "bath": [bath]}


def limited_problem() -> dict[str, Any]:
    problem = tilted_qubits(SIGMA_X, SIGMA_MINUS)
    problem["ansatz"]["hamiltonian_limit"] = "12.5"
    problem["ansatz"]["rates"] = {"rule": "range", "min": "0", "max": ["7.5"]}
    problem["bath"][0]["spectral_density"]["strength"] = ["0.5", "0.7"]
    return problem


def charged_problem() -> dict[str, Any]:
    problem = tilted_qubits(SIGMA_MINUS)
    system = {"dimensions": [2, 2], "charge": [[0, 1], [0, 1]], "hamiltonian": [[0, 0, "1"]]}
    return {**problem, "system": system}


PROBLEMS = {
    "a chain": document(CHAIN),
    "matrices that are printed": tilted_qubits(SIGMA_X, SIGMA_MINUS),
    "matrices that are not": large_problem(),
    "a limit on H_r": limited_problem(),
    "a charge": charged_problem(),
}


def words(problem: dict[str, Any]) -> str:
    exact = model(problem)
    about = subject if exact.target == "populations" else coherences.subject
    return " ".join(about(problem, exact))


OTHERS = {
    "ohmic": "ohmic_exponential",
    "sigma_minus": "sigma_x",
    "populations+coherences": "populations",
    "left": "LEFT",
    "right": "RIGHT",
    "A": "B",
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_value_of_a_problem_is_in_the_words(kind: str) -> None:
    """Change any of them, and the theorem reads differently; so each can be read off."""
    problem = {"problem": PROBLEMS[kind], "sha256": ""}
    original, found = words(problem["problem"]), 0
    for path in leaves(problem):
        value = get(problem, path)
        if path[0] != "problem" or path[1] in ("title", "question"):
            continue
        if is_number(value):
            changes: tuple[Any, ...] = (str(Decimal(value) * 2 + Decimal("0.25")),)
            changes = ("-" + value,) if "mu" in path and value != "0" else changes
            changes = ("-1",) if "mu" in path and Decimal(value) == 0 else changes
        elif isinstance(value, str):
            changes = (OTHERS[value],) if value in OTHERS else ()
        elif isinstance(value, bool):
            changes = (not value,)
        elif isinstance(value, int):
            changes = (value + 1, value - 1)
        else:
            continue
        for other in changes:
            tampered = changed(problem, path, other)["problem"]
            try:
                text = words(tampered)
            except (Rejected, IndexError):
                continue  # what is no problem has no theorem
            assert text != original, path
            found += 1
    assert found > 10


def test_the_title_is_no_part_of_a_theorem() -> None:
    content = written(CHAIN)
    before = verify(content).statement
    after = verify(changed(content, ("problem", "title"), "For all beta, p = 1/2."))
    assert after.status == "accepted"
    assert after.statement == before
    assert content["problem"]["title"] not in before


@pytest.mark.parametrize("name", ["ㅤ", "a b", "a;b", "", "a.b", "é", "a\n"])
def test_the_name_of_a_bath_is_made_of_letters_and_digits(name: str) -> None:
    content = changed(written(CHAIN), ("problem", "bath", 0, "name"), name)
    with pytest.raises(CertificateError, match="must be a string of the form") as caught:
        check_certificate(content)
    assert caught.value.where == "problem.bath[0].name"
    assert verify(content).status == "rejected"


def test_the_charge_is_stated_where_levels_of_different_charge_may_coincide() -> None:
    assert "joint eigenvectors of H and N" in words(charged_problem())
    assert "N_0 = diag(0, 1), N_1 = diag(0, 1)" in words(charged_problem())
    assert "N = 0" in words(tilted_qubits(SIGMA_X))


def test_small_matrices_are_printed() -> None:
    text = words(PROBLEMS["matrices that are printed"])
    assert "H[0,1] = (0.2) + (0.15) i" in text
    assert "S_2[1,0] = 1" in text
    assert "SHA-256" not in text


def test_large_matrices_are_named_by_their_hash_and_place() -> None:
    problem = large_problem()
    lists = [problem["system"]["hamiltonian"], [problem["bath"][0]["couplings"]]]
    text = json.dumps(lists).replace(" ", "")
    assert hashlib.sha256(text.encode()).hexdigest() in words(problem)
    assert "problem.system.hamiltonian" in words(problem)
    assert "H[0,1]" not in words(problem)


def test_conventions_at_zero_frequency_are_stated() -> None:
    text = words(PROBLEMS["a limit on H_r"])
    for part in (
        "J_l(w) = 0 for w <= 0",
        "J_l n_l and J_l (n_l + 1) are 0 for E <= 0",
        "limits for E -> 0",
        "the limit of D_l(E) + C_l(-E)^*",
    ):
        assert part in text
    assert "C_l(E)" not in words(PROBLEMS["a chain"])


def test_the_limit_on_local_hamiltonians_is_stated() -> None:
    assert "tr H_r = 0 and sqrt(tr H_r^2) <= 12.5" in words(limited_problem())
    unlimited = limited_problem()
    unlimited["ansatz"]["hamiltonian_limit"] = None
    assert "any Hermitian H_r" in words(unlimited)


# Boxes.


def opened(*numbers: int) -> dict[str, Any]:
    """The box of several cells with some of its leaves left open."""
    content = proved(*SPLIT)
    places = leaf_numbers(content)
    for number in numbers:
        place = places[number]
        entry = {"box": content["cells"][place]["box"], "open": "not tried"}
        content = changed(content, ("cells", place), entry)
    return content


def test_a_box_proved_in_part_names_its_cells() -> None:
    whole = proved(*SPLIT)
    leaves_ = [whole["cells"][n]["box"][0] for n in leaf_numbers(whole)]
    for left_open in range(len(leaves_)):
        proof = verify(opened(left_open))
        assert proof.status == "accepted in part"
        found = re.findall(r"system\.field in \[([\d.]+), ([\d.]+)\]", proof.statement)
        assert found[0] == tuple(map(str, (whole["box"][0]["low"], whole["box"][0]["high"])))
        covered = [(Fraction(low), Fraction(high)) for low, high in found[1:]]
        for number, (low, high) in enumerate(leaves_):
            middle = (Fraction(low) + Fraction(high)) / 2
            inside = any(one < middle < other for one, other in covered)
            assert inside == (number != left_open)


def test_halves_that_are_both_proved_count_as_one_cell() -> None:
    whole = proved(*SPLIT)
    assert len(boxes.proved_parts(whole)) == 1
    low, high = (Fraction(whole["box"][0][end]) for end in ("low", "high"))
    assert boxes.proved_parts(whole)[0] == ((exact(low), exact(high)),)
    count = len(leaf_numbers(whole))
    for left_open in range(count):
        assert len(boxes.proved_parts(opened(left_open))) < count


def exact(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def test_cells_of_several_parameters_are_joined_along_the_axis_of_their_halves() -> None:
    def entry(*box: tuple[str, str]) -> dict[str, Any]:
        return {"box": [list(side) for side in box], "lower_bound": {}}

    content = {
        "box": [{"key": key, "low": "0", "high": "1"} for key in ("x", "y")],
        "cells": [
            {"split": "x"},
            {"split": "y"},
            entry(("0", "0.5"), ("0", "0.5")),
            {"box": [["0", "0.5"], ["0.5", "1"]], "open": ""},
            {"split": "y"},
            entry(("0.5", "1"), ("0", "0.5")),
            entry(("0.5", "1"), ("0.5", "1")),
        ],
    }
    half = fmpq(1, 2)
    assert boxes.proved_parts(content) == [
        ((fmpq(0), half), (fmpq(0), half)),
        ((half, fmpq(1)), (fmpq(0), fmpq(1))),
    ]


def test_finite_decimals_are_written_out_exactly() -> None:
    for text in ("0", "-0.5", "12.0375", "0.00001", "-123", "1e-30", "3e20"):
        value = exact(Fraction(text))
        assert Fraction(decimal(value)) == Fraction(text)
        assert "e" not in decimal(value)
    with pytest.raises(ValueError, match="no finite decimal"):
        decimal(fmpq(1, 3))


def coinciding() -> lf.OpenSystem:
    """Three qubits; |000> and |111> have the energy 0, and any mixtures of them are levels of H."""
    lower, number, unit = np.array([[0, 1.0], [0, 0]]), np.diag([0, 1.0]), np.eye(2)

    def product(*factors: Any) -> Any:
        return np.kron(np.kron(factors[0], factors[1]), factors[2])

    energies = (0.25, -1.5, 0.875)
    hamiltonian = -sum(energies) * product(number, number, number)
    for site, energy in enumerate(energies):
        hamiltonian += energy * product(*(number if site == n else unit for n in range(3)))
    hop = 0.5 * product(lower.T, lower, unit) + 0.25 * product(unit, lower.T, lower)
    baths = [
        lf.Bath(name=name, sites=(site,), beta=beta, couplings=(lower, lower.T))
        for name, site, beta in (("A", 0, 1.0), ("B", 2, 3.0))
    ]
    return lf.OpenSystem(
        dimensions=(2, 2, 2),
        hamiltonian=hamiltonian + hop + hop.T,
        baths=tuple(baths),
        charge=((0, 1),) * 3,
    )


def test_levels_of_different_charge_that_coincide_are_those_of_the_stated_charge() -> None:
    """In other eigenvectors of H, (|000> +- |111>)/sqrt(2), the defect is another one."""
    answer = lf.certify(lf.Question(system=coinciding()), sharp=False, check=False)
    content = certificate(None, answer)
    proof = verify(content)
    assert proof.status == "accepted"
    assert proof.proved
    for part in (
        "joint eigenvectors of H and N, no two of which agree in both eigenvalues",
        "N_0 = diag(0, 1), N_1 = diag(0, 1), N_2 = diag(0, 1)",
        "except where levels of different charge coincide and L' mixes charges",
    ):
        assert part in proof.statement
    neutral = changed(content, ("problem", "system", "charge"), None)
    neutral = changed(neutral, ("lower_bound", "multiplier"), ["0"] * 8)
    assert "exactly degenerate" in (verify(neutral).reason or "")
