"""The checker: it proves what is true, and nothing else."""

from __future__ import annotations

import csv
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import lindfeas as lf
from lindfeas.answers.distance_witness import Cell, Witness
from lindfeas.checker import Proof, verify
from lindfeas.files.problem_file import problem_from_document, read_problem
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.physics.equations.redfield import Redfield, redfield_equation
from lindfeas.theorems.certificate import certificate, read_certificate, write_certificate
from tests.mutations import changed, resealed
from tests.shipped import FILES, PROBLEMS, solved, written

NAMES = [path.stem for path in FILES]
QUICK = [name for name in NAMES if name != "xxz-2+2+2-coherences"]
RELATIVE_AGREEMENT = 1e-9
SURELY_PROVED = 1e-8
"""From this value on every row of the reference table must have a proof."""

TABLE = Path(__file__).parents[1] / "data" / "xxz-certified.csv"
ROWS = list(csv.DictReader(TABLE.read_text().splitlines()))
SHIPPED_CHAIN = "xxz-1+2+1"


@cache
def proved(name: str, *settings: str) -> Proof:
    return verify(written(name, *settings))


# What is true is proved.


@pytest.mark.parametrize("name", QUICK)
def test_every_shipped_problem_is_proved(name: str) -> None:
    _, answer = solved(name)
    proof = proved(name)
    assert proof.status == "accepted", proof.reason
    assert proof.bits == 128
    assert float(proof.upper or "nan") == pytest.approx(answer.upper, rel=0.5)
    assert proof.proved == (answer.lower > 0)
    if answer.lower > 1e-9:
        assert float(proof.lower or "nan") == pytest.approx(answer.lower, rel=RELATIVE_AGREEMENT)


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_rows_of_the_reference_table_are_proved(number: int) -> None:
    row = ROWS[number]
    left, middle, right = (int(row[key]) for key in ("n_left", "n_middle", "n_right"))
    proof = chain_proof(
        (left, middle, right),
        coupling=row["coupling"],
        field=row["field"],
        betas=(row["beta_left"], row["beta_right"]),
    )
    assert proof.status == "accepted", proof.reason
    assert proof.proved or float(row["tau_pop_lower"]) < SURELY_PROVED
    # the table has ten digits
    assert float(proof.lower or "0") <= float(row["tau_pop_upper"]) * (1 + 1e-9)
    assert float(proof.upper or "nan") >= float(row["tau_pop_lower"]) * (1 - 1e-9)


def test_a_published_point_that_lies_below_a_proved_bound() -> None:
    """SDP-paper Fig. 3(a): 3.54e-9 published at this point, solver noise."""
    proof = chain_proof((2, 2, 2), coupling="0.01", field="0.5", betas=("0.15199111", "10"))
    assert proof.proved
    assert Decimal(proof.lower or 0) >= Decimal("4.56198e-8")


def test_a_published_verdict_that_is_wrong() -> None:
    """SDP-paper Appendix C: 5.5e-8 published at a bias of 0.01, "maybe possible"."""
    fields = [Decimal("0.5")] * 2 + [Decimal("0.505")] * 2
    proof = chain_proof((1, 2, 1), coupling="0.1", field=fields, betas=("10", "10"))
    assert proof.proved
    assert Decimal(proof.lower or 0) >= Decimal("1.32488e-3")


def chain_proof(
    sites: tuple[int, int, int], *, coupling: str, field: Any, betas: tuple[str, str]
) -> Proof:
    left, middle, _ = sites
    document = {
        "system": {
            "model": "xxz_chain",
            "sites": sum(sites),
            "field": Decimal(field) if isinstance(field, str) else field,
            "coupling": Decimal(coupling),
        },
        "bath": [
            {"name": name, "sites": list(own), "beta": Decimal(beta)}
            for name, own, beta in (
                ("left", range(left), betas[0]),
                ("right", range(left + middle, sum(sites)), betas[1]),
            )
            if own
        ],
    }
    problem = problem_from_document(document)
    answer = lf.certify(problem.question, sharp=False, check=False)
    return verify(certificate(problem, answer))


VARIANTS = {
    "total rate": ["ansatz.rates={rule='total',value=0.7}"],
    "a range of rates": ["ansatz.rates={rule='range',min=0.3,max=[1.5,2.5]}"],
    "rates of their own": ["ansatz.rates={rule='each',value=[0.5,2]}"],
    "zero temperature": ["bath.right.beta=inf"],
    "chemical potential": ["bath.right.mu=-0.3"],
    "Drude": ["bath.left.spectral_density={family='drude_lorentz',cutoff=3.0}"],
    "exponential": ["bath.left.spectral_density={family='ohmic_exponential',exponent=2.5}"],
    "sub-Ohmic": ["bath.left.spectral_density={exponent=0.5}"],
    "no charge": ["bath.left.operator='sigma_x'", "system.coupling=[0.1,0.12,0.17]"],
    "fields and anisotropies": ["system.field=[0.5,0.4,0.6,0.5]", "system.anisotropy=0.3"],
}


@pytest.mark.parametrize("kind", VARIANTS)
def test_all_kinds_of_populations_problems_are_proved(kind: str) -> None:
    _, answer = solved(SHIPPED_CHAIN, *VARIANTS[kind])
    proof = proved(SHIPPED_CHAIN, *VARIANTS[kind])
    assert proof.status == "accepted", proof.reason
    if answer.lower > 1e-9:
        assert float(proof.lower or 0) == pytest.approx(answer.lower, rel=RELATIVE_AGREEMENT)


COHERENCE_VARIANTS = {
    **{f"{norm}": [f"question.norm='{norm}'"] for norm in ("spectral", "frobenius", "trace")},
    "total rate": ["ansatz.rates={rule='total',value=0.7}"],
    "a range of rates": ["ansatz.rates={rule='range',min=0.0,max=1e4}", "question.norm='trace'"],
    "no Lamb shift": ["ansatz.lamb_shift=false"],
    "Drude": ["bath.left.spectral_density={family='drude_lorentz',cutoff=3.0}"],
    "chemical potential": ["bath.right.mu=-0.3"],
    "exponential": ["bath.left.spectral_density={family='ohmic_exponential',exponent=1.5}"],
    "complex Hamiltonian": [],
    "elastic couplings": [
        "bath.left.operator='sigma_x'",
        "bath.right.operator='sigma_z'",
        "system.coupling=[0.1,0.12]",
    ],
}


@pytest.mark.parametrize("kind", COHERENCE_VARIANTS)
def test_all_kinds_of_coherence_problems_are_proved(kind: str) -> None:
    name = "chiral-ring" if kind == "complex Hamiltonian" else SHIPPED_CHAIN
    settings = ["question.target=populations+coherences", *COHERENCE_VARIANTS[kind]]
    if name == SHIPPED_CHAIN:
        settings = ["system.sites=3", "bath.right.sites=[2]", *settings]
    _, answer = solved(name, *settings)
    proof = proved(name, *settings)
    assert proof.status == "accepted", proof.reason
    assert float(proof.lower or 0) == pytest.approx(answer.lower, rel=RELATIVE_AGREEMENT)
    assert float(proof.upper or 0) == pytest.approx(answer.upper, rel=1e-6)


def test_the_theorem_is_stated_with_its_numbers() -> None:
    proof = proved(SHIPPED_CHAIN)
    for part in (
        "4 qubits",
        "field_m = 0.5",
        "coupling_m = 0.01",
        "beta = 10.0",
        "= 1.0 for every r",
    ):
        assert part in proof.statement
    assert f">= {proof.lower}" in proof.statement
    assert "impossible" in proof.statement
    assert len(proof.checks) == 3


def test_a_trivial_lower_bound_is_said_to_prove_nothing() -> None:
    content = changed(written(SHIPPED_CHAIN), ("lower_bound", "value"), "0")
    proof = verify(content)
    assert proof.status == "accepted"
    assert not proof.proved
    assert proof.lower is None
    assert "proves nothing" in (proof.reason or "")
    assert "proves nothing" in proof.statement
    alone = verify(changed(content, ("upper_bound",), None))
    assert alone.status == "rejected"


def test_a_system_of_doubles_is_proved_without_a_problem_file() -> None:
    _, answer = solved(SHIPPED_CHAIN)
    assert verify(certificate(None, answer)).proved


def test_a_certificate_from_disk_is_proved(tmp_path: Path) -> None:
    path = write_certificate(tmp_path / "chain.json", written(SHIPPED_CHAIN))
    assert verify(read_certificate(path)).proved


# The trace distance.


def test_a_trace_distance_is_proved_with_its_witnesses() -> None:
    """design value for this chain: 1.53e-2; the best Lindbladian known is 1.99e-2 away."""
    problem, answer = solved(SHIPPED_CHAIN)
    witness = distance_witness(answer.reference, 0.0152)
    content = certificate(problem, answer, distance=witness)
    proof = verify(content)
    assert proof.status == "accepted", proof.reason
    assert Decimal(proof.trace_distance or 0) == Decimal("0.0076")
    higher = verify(changed(content, ("trace_distance", "norm1_lower"), "0.0199"))
    assert higher.status != "accepted"
    broken = changed(content, ("trace_distance", "shifts", "left", 0), [["0.1", "0.2"]])
    assert verify(broken).status == "rejected"


def test_the_column_bound_follows_from_the_lower_bound() -> None:
    """T >= tau / (4 sum_r t_r d_r/d), with d_r/d = 1/8 twice."""
    proof = proved(SHIPPED_CHAIN)
    expected = Decimal(proof.lower or 0)
    assert Decimal(proof.trace_distance or 0) <= expected
    assert float(proof.trace_distance or 0) == pytest.approx(float(expected), rel=1e-6)


def distance_witness(reference: Redfield, length: float) -> Witness:
    """For regions of one qubit, where Gamma is three rates, the witness is a linear program."""
    ansatz = regions_of(reference.system, reference.spectrum)
    p, size = reference.populations, reference.spectrum.dimension
    flows = []
    for region in ansatz:
        for group in region.groups:
            moved = np.zeros((size, size))
            for final, initial, block in group.blocks:
                moved[final.levels, initial.levels] = np.abs(block[0]) ** 2
            flows.append(moved - np.diag(moved.sum(axis=0)))
    # variables: y, K per operator, smallest eigenvalues per (level, sign, region), margin
    operators, tests = len(flows), 2 * size * len(ansatz)
    count = size + operators + tests + 1
    rows = []
    for test, (level, sign) in enumerate((a, s) for a in range(size) for s in (1, -1)):
        for number, flow in enumerate(flows):
            row = np.zeros(count)
            row[:size] = -(flow @ p - sign * length * flow[:, level])
            row[size + number] = -sign
            row[size + operators + len(ansatz) * test + number // 3] = 1
            rows.append(row)
        row = np.zeros(count)
        start = size + operators + len(ansatz) * test
        row[start : start + len(ansatz)] = -1
        row[-1] = 1
        rows.append(row)
    bounds = [(-1, 1)] * size + [(None, None)] * (count - size)
    objective = np.zeros(count)
    objective[-1] = -1
    solution = linprog(objective, A_ub=np.array(rows), b_ub=np.zeros(len(rows)), bounds=bounds)
    assert solution.x[-1] > 0
    cell = Cell(
        multiplier=solution.x[:size],
        shifts=list(solution.x[size : size + operators].reshape(operators, 1, 1)),
        slopes=np.zeros((0, 2 * size)),
    )
    return Witness(length=length, whole=cell, regions=tuple(n // 3 for n in range(operators)))


def test_read_problem_settings_reach_the_certificate() -> None:
    problem = read_problem(PROBLEMS / f"{SHIPPED_CHAIN}.toml", ["bath.right.beta=5"])
    content = certificate(problem, lf.certify(problem.question))
    assert content["problem"]["bath"][1]["beta"] == "5"
    assert resealed(dict(content)) == content
    assert redfield_equation(problem.question.system).populations.size == 16
