"""The checker: it proves what is true, and nothing else."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import acb, acb_mat, arb, ctx, fmpq
from scipy.optimize import linprog

import lindfeas as lf
from lindfeas import bath_functions
from lindfeas.ansatz import regions
from lindfeas.assembly import assemble
from lindfeas.certificate import DistanceWitness, certificate, read_certificate, write_certificate
from lindfeas.files import problem_from_document, read_problem
from lindfeas.proof import Proof, balls, verify
from lindfeas.proof import levels as levels_module
from lindfeas.proof import model as model_module
from lindfeas.proof import reference as reference_module
from lindfeas.proof.claims import setting
from lindfeas.proof.errors import Rejected, Unsettled
from lindfeas.proof.model import Bath as ExactBath
from lindfeas.proof.model import Density, Model
from lindfeas.proof.principal_values import half_sided, zero_frequency
from lindfeas.proof.redfield import redfield_action
from lindfeas.redfield import Redfield, redfield_equation
from lindfeas.target import populations
from tests.mutations import JUNK, changed, get, is_number, leaves, resealed, scaled, without
from tests.test_certificate import PROBLEMS, solved, written

NAMES = sorted(path.stem for path in PROBLEMS.glob("*.toml"))
QUICK = [name for name in NAMES if name != "xxz-2+2+2-coherences"]
RELATIVE_AGREEMENT = 1e-9
ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "xxz-certified.csv").open()))
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


@pytest.mark.parametrize("number", range(0, len(ROWS), 7))
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
    return verify(certificate(problem, lf.certify(problem.question)))


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
    "elastic couplings": ["bath.left.operator='sigma_x'", "system.coupling=[0.1,0.12]"],
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
    for part in ("4 qubits", "field 0.5", "coupling 0.01", "beta = 10.0", "tr Gamma^r = 1.0"):
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


def distance_witness(reference: Redfield, length: float) -> DistanceWitness:
    """For regions of one qubit, where Gamma is three rates, the witness is a linear program."""
    ansatz = regions(reference.system, reference.spectrum)
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
    shifts = solution.x[size : size + operators].reshape(len(ansatz), 3, 1, 1)
    return DistanceWitness(
        norm1_lower=length,
        multiplier=solution.x[:size],
        shifts=tuple(tuple(own) for own in shifts),
    )


# What is false is rejected.


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
    started = time.perf_counter()
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
    assert time.perf_counter() - started < 120
    for label, content, proof in accepted:
        truth = answer
        if content["problem"] != written(SHIPPED_CHAIN)["problem"]:
            truth = lf.certify(question_of(content["problem"]))
        # a claim is true if it does not contradict the other end of the certified interval
        assert float(proof.lower or 0) <= truth.upper * (1 + 1e-12), label
        assert float(proof.upper or math.inf) >= truth.lower * (1 - 1e-12), label


def question_of(problem: dict[str, Any]) -> lf.Question:
    return problem_from_document(problem, decimal_strings=True).question


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
            started = time.perf_counter()
            assert not verify(changed(original, path, text)).proved
            assert time.perf_counter() - started < 5


def test_large_systems_are_refused_before_they_cost_anything() -> None:
    original = written(SHIPPED_CHAIN)
    started = time.perf_counter()
    assert verify(changed(original, ("problem", "system", "sites"), 8)).status == "rejected"
    assert time.perf_counter() - started < 1


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
    system["field"] = ["0.5", "0.4", "0.3", "0.6"]
    content = changed(content, ("problem", "system"), system)
    baths = [{**content["problem"]["bath"][0]}, {**content["problem"]["bath"][1], "sites": [1]}]
    content = changed(content, ("problem", "bath"), baths)
    assert verify(content).status == "undecided"


# What the checker is made of.


def test_the_checker_runs_without_any_numerical_package(tmp_path: Path) -> None:
    """In a process where cvxpy, numpy, scipy and pydantic cannot be imported."""
    path = write_certificate(tmp_path / "chain.json", written(SHIPPED_CHAIN))
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("cvxpy", "numpy", "scipy", "pydantic", "clarabel", "scs"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from lindfeas.certificate_file import read_certificate
from lindfeas.proof import verify
assert verify(read_certificate({str(path)!r})).proved
own = sorted(name for name in sys.modules if name.startswith("lindfeas."))
print(" ".join(own))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    allowed = {"lindfeas.errors", "lindfeas.output", "lindfeas.certificate_file", "lindfeas.proof"}
    assert {name for name in loaded if not name.startswith("lindfeas.proof.")} == allowed


@pytest.fixture
def precise() -> Iterator[None]:
    with ctx.workprec(128):
        yield


def exact(name: str, *settings: str) -> Model:
    return model_module.model(written(name, *settings)["problem"])


@pytest.mark.usefixtures("precise")
@pytest.mark.parametrize("name", [SHIPPED_CHAIN, "chiral-ring", "qutrit-qubit", "xxz-3+0"])
def test_levels_and_populations_enclose_the_floating_point_ones(name: str) -> None:
    _, answer = solved(name)
    model = exact(name)
    found = levels_module.levels(model)
    energies = [float(energy) for sector in found.sectors for energy in sector.energies]
    np.testing.assert_allclose(energies, answer.reference.spectrum.energies, atol=1e-13)
    p = reference_module.populations(model, found)
    np.testing.assert_allclose(
        [float(value) for value in p], answer.reference.populations, rtol=1e-10
    )
    assert all(value.rad() < 1e-30 for value in p)


@pytest.mark.usefixtures("precise")
def test_the_action_of_the_redfield_equation_agrees_with_floating_point() -> None:
    _, answer = solved("chiral-ring")
    at = setting(exact("chiral-ring"))
    action = redfield_action(at.model, at.levels, at.state)
    numbers = np.array([[complex(entry) for entry in row] for row in action.tolist()])
    vectors = answer.reference.spectrum.vectors
    expected = vectors @ answer.reference.coherence_source @ vectors.conj().T
    np.testing.assert_allclose(numbers, expected, atol=1e-12)
    trace = sum((action[n, n] for n in range(at.levels.size)), acb(0))
    assert trace.contains(0)


@pytest.mark.usefixtures("precise")
@pytest.mark.parametrize("name", [SHIPPED_CHAIN, "chiral-ring", "qutrit-qubit"])
def test_dual_matrices_agree_with_floating_point(name: str) -> None:
    """A(y) from partial traces in the product basis against the sum of all A_k."""
    _, answer = solved(name)
    at = setting(exact(name))
    rng = np.random.default_rng(5)
    y = rng.uniform(-1, 1, at.levels.size)
    ansatz = regions(answer.question.system, answer.reference.spectrum)
    program = assemble(
        populations(answer.reference), answer.reference, ansatz, answer.question.rates
    )
    weights = [arb(value) for value in y]
    product = at.levels.weighted([a * b for a, b in zip(weights, at.populations, strict=True)])
    numbers = iter(program.blocks)
    for part in at.regions:
        matrix = part.dual_matrix(at.levels.weighted(weights), at.state, product)
        assert matrix.overlaps(balls.dagger(matrix))
        for group, block in part.blocks(matrix):
            expected = next(numbers)
            assert group.charge == expected.charge
            found = np.array([[complex(entry) for entry in row] for row in block.tolist()])
            np.testing.assert_allclose(found, expected.combine(y), atol=1e-14)


FAMILIES = {
    "ohmic": (lf.Ohmic, {"exponent": 1.0, "cutoff": 10.0}),
    "ohmic_exponential": (lf.OhmicExponential, {"exponent": 2.5, "cutoff": 4.0}),
    "drude_lorentz": (lf.DrudeLorentz, {"cutoff": 5.0}),
}


@pytest.mark.usefixtures("precise")
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("beta", [0.2, 10.0, math.inf])
@pytest.mark.parametrize("mu", [0.0, -0.4])
def test_half_sided_transforms_enclose_the_floating_point_ones(
    family: str, beta: float, mu: float
) -> None:
    kind, shape = FAMILIES[family]
    density = kind(strength=0.75, **shape)
    rational = {key: fraction(value) for key, value in {"exponent": 1.0, **shape}.items()}
    exact_density = Density(family=family, strength=fraction(0.75), **rational)
    bath = ExactBath(
        name="bath",
        sites=(0,),
        beta=None if math.isinf(beta) else fraction(beta),
        mu=fraction(mu),
        couplings=(),
    )
    for energy in (1.02, -0.98, 0.01, -0.003, 7.75):
        found = half_sided(bath, exact_density, arb(energy))
        expected = bath_functions.half_sided(density, beta, mu, energy)
        for one, other in zip(found, expected, strict=True):
            assert one.rad() < 1e-15
            assert complex(one) == pytest.approx(complex(other), rel=1e-12, abs=1e-18)
    limit = bath_functions.zero_frequency_hermitian(density, beta, mu)
    assert complex(zero_frequency(bath, exact_density)) == pytest.approx(limit, rel=1e-12)


def fraction(value: float) -> fmpq:
    return fmpq(*value.as_integer_ratio())


def random_hermitian(seed: int, size: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    return (matrix + matrix.conj().T) / 2


def as_balls(matrix: np.ndarray, radius: float = 0.0) -> acb_mat:
    rows = [
        [acb(arb(entry.real, radius), arb(entry.imag, radius)) for entry in row] for row in matrix
    ]
    return acb_mat(rows)


@pytest.mark.usefixtures("precise")
@pytest.mark.parametrize("seed", range(20))
def test_norms_and_smallest_eigenvalues_are_bounds(seed: int) -> None:
    matrix = random_hermitian(seed, 1 + seed % 6)
    values = np.linalg.eigvalsh(matrix)
    enclosed = as_balls(matrix, 1e-20)
    smallest = float(balls.smallest_eigenvalue(enclosed))
    assert values[0] - 1e-12 <= smallest <= values[0] + 1e-12
    exact_norms = {
        balls.spectral_norm: np.abs(values).max(),
        balls.frobenius_norm: np.linalg.norm(matrix),
        balls.trace_norm: np.abs(values).sum(),
    }
    for norm, value in exact_norms.items():
        assert float(norm(enclosed)) == pytest.approx(value, rel=1e-12)


@pytest.mark.usefixtures("precise")
@pytest.mark.parametrize("seed", range(20))
def test_positivity_is_decided_only_where_the_balls_allow_it(seed: int) -> None:
    matrix = random_hermitian(seed, 4)
    gap = np.linalg.eigvalsh(matrix)[0]
    lifted = matrix - (gap - 1e-3) * np.eye(4)
    lowered = matrix - (gap + 1e-3) * np.eye(4)
    assert balls.is_positive_definite(as_balls(lifted, 1e-6))
    assert not balls.is_positive_definite(as_balls(lowered, 1e-6))
    for undecidable in (as_balls(lifted, 1e-2), as_balls(lowered, 1e-2)):
        with pytest.raises(Unsettled):
            balls.is_positive_definite(undecidable)


@pytest.mark.usefixtures("precise")
def test_tiny_couplings_with_wide_balls_are_not_skipped() -> None:
    """Off-diagonal balls around zero may not be taken for zero."""
    wide = acb(arb(0, 0.5))
    with pytest.raises(Unsettled):
        balls.is_positive_definite(acb_mat([[acb(0.4), wide], [wide, acb(0.4)]]))


@pytest.mark.usefixtures("precise")
def test_trace_norm_of_degenerate_matrices() -> None:
    ones = as_balls(np.ones((5, 5), dtype=complex))
    assert float(balls.trace_norm(ones)) == pytest.approx(5)
    assert float(balls.trace_norm(acb_mat(3, 3))) == pytest.approx(0, abs=1e-30)


@pytest.mark.usefixtures("precise")
def test_a_complex_diagonal_is_not_hermitian() -> None:
    with pytest.raises(Rejected):
        balls.hermitian([[["1", "1"]]])


def test_read_problem_settings_reach_the_certificate() -> None:
    problem = read_problem(PROBLEMS / f"{SHIPPED_CHAIN}.toml", ["bath.right.beta=5"])
    content = certificate(problem, lf.certify(problem.question))
    assert content["problem"]["bath"][1]["beta"] == "5"
    assert resealed(dict(content)) == content
    assert redfield_equation(problem.question.system).populations.size == 16
