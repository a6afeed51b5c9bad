"""Every shipped problem file with one answer, held to what it says about it."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from lindfeas.answers.certify import certify
from lindfeas.files.problem_file import read_problem
from lindfeas.program.question import Question
from tests.shipped import FILES, PROBLEMS, solved

PLAIN_ACCURACY = 1e-8
"""What an unscaled cvxpy model of these sizes can be trusted to, absolutely."""


def test_the_shipped_problems_are_found() -> None:
    assert len(FILES) >= 15


@pytest.mark.parametrize("target", ["populations", "populations+coherences"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_targets_are_answered(path: Path, target: str) -> None:
    """Also the one that the file does not ask for; Frobenius, which is quick."""
    settings = [f"question.target={target}", "question.norm=frobenius"]
    answer = certify(read_problem(path, settings).question, sharp=False, check=False)
    assert answer.target == target
    assert 0 <= answer.lower <= answer.upper
    assert answer.upper - answer.lower <= max(1e-5 * answer.lower, 1e-10)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answer_is_the_expected_one(path: Path) -> None:
    problem, answer = solved(path.stem)
    assert problem.title
    assert problem.expected is not None
    assert answer.verdict == problem.expected.verdict
    if problem.expected.lower is not None:
        assert answer.lower >= problem.expected.lower
    if problem.expected.upper is not None:
        assert answer.upper <= problem.expected.upper


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answer_agrees_with_a_plain_model(path: Path) -> None:
    system = read_problem(path).question.system
    if max(system.region_dimension(bath) for bath in system.baths) > 3:
        pytest.skip("the plain model takes a minute for larger regions")
    settings = ["question.target=populations", 'ansatz.rates={ rule = "each", value = 1.0 }']
    question = read_problem(path, settings).question
    answer = certify(question, sharp=False, check=False)
    value = plain_optimum(question)
    assert answer.lower - PLAIN_ACCURACY <= value <= answer.upper + PLAIN_ACCURACY


def test_matrices_are_what_the_script_makes() -> None:
    script = _script()
    assert {path.name for path in PROBLEMS.glob("*.npz")} == set(script.FILES)
    for name, make in script.FILES.items():
        with np.load(PROBLEMS / name, allow_pickle=False) as stored:
            made = make()
            assert set(stored.files) == set(made)
            for key, array in made.items():
                np.testing.assert_allclose(stored[key], array, rtol=0, atol=1e-15)


def plain_optimum(question: Question) -> float:
    """tau_pop straight from its definition: no charges, no scaling, a random operator basis.

    Populations from the null space of the rate matrix; rows of L'(rho0) entry by entry; one
    Hermitian matrix per bath. Shares no code with the package beyond the problem's own data.
    """
    import cvxpy as cp

    system = question.system
    energies, vectors = np.linalg.eigh(system.hamiltonian.toarray())
    p = _populations(question, energies, vectors)
    rows, constraints = 0, []
    for number, bath in enumerate(system.baths):
        scale = math.sqrt(system.region_dimension(bath) / system.dimension)
        basis = np.array(
            [
                scale * vectors.conj().T @ system.embed(f, bath.sites).toarray() @ vectors
                for f in _random_basis(system.region_dimension(bath))
            ]
        )
        gain = np.einsum("a,jka,ika->kij", p, basis, basis.conj())
        loss = np.einsum("k,ink,jnk->kij", p, basis.conj(), basis)
        gamma = cp.Variable((len(basis), len(basis)), hermitian=True)
        constraints += [gamma >> 0, cp.real(cp.trace(gamma)) == _rate(question, number)]
        flat = (gain - loss).reshape(len(p), -1)
        rows = rows + cp.real(flat @ cp.vec(gamma, order="C"))
    program = cp.Problem(cp.Minimize(cp.norm1(rows)), constraints)
    return float(program.solve(solver="CLARABEL"))


def _rate(question: Question, number: int) -> float:
    assert question.rates.rule == "each"
    return question.rates.bounds(len(question.system.baths)).upper[number]


def _populations(
    question: Question, energies: NDArray[np.float64], vectors: NDArray[np.complex128]
) -> NDArray[np.float64]:
    size = len(energies)
    rates = np.zeros((size, size))
    for bath, number, operator in question.system.couplings():
        elements = abs(vectors.conj().T @ operator.toarray() @ vectors) ** 2
        for final in range(size):
            for initial in range(size):
                released = energies[initial] - energies[final]
                if released <= 0:
                    continue
                density = float(bath.density_of(number)(released))
                thermal = 1 / math.expm1(bath.beta * (released - bath.mu))
                strength = elements[final, initial]
                rates[final, initial] += strength * density * (thermal + 1)
                rates[initial, final] += strength * density * thermal
    generator = rates - np.diag(rates.sum(axis=0))
    return np.linalg.lstsq(
        np.vstack([generator, np.ones(size)]), np.append(np.zeros(size), 1.0), rcond=None
    )[0]


def _random_basis(dimension: int) -> NDArray[np.complex128]:
    """Orthonormal traceless operators: a random unitary's worth, orthogonal to the identity."""
    random = np.random.default_rng(7)
    columns = random.normal(size=(dimension**2, dimension**2, 2)) @ np.array([1, 1j])
    columns[:, 0] = np.eye(dimension).reshape(-1)
    unitary = np.linalg.qr(columns)[0]
    return unitary[:, 1:].T.reshape(-1, dimension, dimension)


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_matrices", PROBLEMS / "make_matrices.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
