"""What the checker is made of: it runs alone, and its enclosures hold the known numbers."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flint import acb, acb_mat, arb, ctx, fmpq

import lindfeas as lf
from lindfeas.checker import balls, steady_state
from lindfeas.checker import model as model_module
from lindfeas.checker.bounds import enclosed, is_positive_definite
from lindfeas.checker.format import Rejected, Unsettled
from lindfeas.checker.model import Bath as ExactBath
from lindfeas.checker.model import Density, Model
from lindfeas.checker.principal_values import half_sided, zero_frequency
from lindfeas.checker.redfield import redfield_action
from lindfeas.physics.baths.correlation import Thermal
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.program.target import populations
from lindfeas.theorems.certificate import write_certificate
from tests.shipped import solved, written
from tests.systems import assembled

SHIPPED_CHAIN = "xxz-1+2+1"


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
from lindfeas.checker.format import read_certificate
from lindfeas.proof import verify
assert verify(read_certificate({str(path)!r})).proved
own = sorted(name for name in sys.modules if name.startswith("lindfeas."))
print(" ".join(own))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    allowed = {"lindfeas.errors", "lindfeas.proof"}
    assert {name for name in loaded if not name.startswith("lindfeas.checker")} == allowed


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
    found = steady_state.levels(model)
    energies = [float(energy) for sector in found.sectors for energy in sector.energies]
    np.testing.assert_allclose(energies, answer.reference.spectrum.energies, atol=1e-13)
    p = steady_state.populations(model, found)
    np.testing.assert_allclose(
        [float(value) for value in p], answer.reference.populations, rtol=1e-10
    )
    assert all(value.rad() < 1e-30 for value in p)


@pytest.mark.usefixtures("precise")
def test_the_action_of_the_redfield_equation_agrees_with_floating_point() -> None:
    _, answer = solved("chiral-ring")
    at = enclosed(exact("chiral-ring"))
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
    at = enclosed(exact(name))
    rng = np.random.default_rng(5)
    y = rng.uniform(-1, 1, at.levels.size)
    ansatz = regions_of(answer.question.system, answer.reference.spectrum)
    program = assembled(
        populations(answer.reference), answer.reference, ansatz, answer.question.rates
    )
    weights = [arb(value) for value in y]
    product = at.levels.weighted([a * b for a, b in zip(weights, at.populations, strict=True)])
    numbers = iter(program.blocks)
    for part in at.regions:
        matrix = part.dual_matrix(at.levels.weighted(weights), at.state, product)
        assert matrix.overlaps(steady_state.dagger(matrix))
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
        levels=2,
        beta=None if math.isinf(beta) else fraction(beta),
        mu=fraction(mu),
        couplings=(),
    )
    for energy in (1.02, -0.98, 0.01, -0.003, 7.75):
        found = half_sided(bath, exact_density, arb(energy))
        expected = Thermal(density, beta, mu).transforms(energy)
        for one, other in zip(found, expected, strict=True):
            assert one.rad() < 1e-15
            assert complex(one) == pytest.approx(complex(other), rel=1e-12, abs=1e-18)
    limit = Thermal(density, beta, mu).at_zero()
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


@pytest.mark.parametrize("size", [1, 3])
def test_a_matrix_that_is_exactly_zero_has_a_smallest_eigenvalue(size: int) -> None:
    """As a multiplier has in a sector that plays no role."""
    zero = acb_mat(size, size)
    with ctx.workprec(128):
        assert -1e-30 < float(balls.smallest_eigenvalue(zero)) <= 0
        assert 0 <= float(balls.spectral_norm(zero)) < 1e-30


@pytest.mark.usefixtures("precise")
@pytest.mark.parametrize("seed", range(20))
def test_positivity_is_decided_only_where_the_balls_allow_it(seed: int) -> None:
    matrix = random_hermitian(seed, 4)
    gap = np.linalg.eigvalsh(matrix)[0]
    lifted = matrix - (gap - 1e-3) * np.eye(4)
    lowered = matrix - (gap + 1e-3) * np.eye(4)
    assert is_positive_definite(as_balls(lifted, 1e-6))
    assert not is_positive_definite(as_balls(lowered, 1e-6))
    for undecidable in (as_balls(lifted, 1e-2), as_balls(lowered, 1e-2)):
        with pytest.raises(Unsettled):
            is_positive_definite(undecidable)


@pytest.mark.usefixtures("precise")
def test_tiny_couplings_with_wide_balls_are_not_skipped() -> None:
    """Off-diagonal balls around zero may not be taken for zero."""
    wide = acb(arb(0, 0.5))
    with pytest.raises(Unsettled):
        is_positive_definite(acb_mat([[acb(0.4), wide], [wide, acb(0.4)]]))


@pytest.mark.usefixtures("precise")
def test_trace_norm_of_degenerate_matrices() -> None:
    ones = as_balls(np.ones((5, 5), dtype=complex))
    assert float(balls.trace_norm(ones)) == pytest.approx(5)
    assert float(balls.trace_norm(acb_mat(3, 3))) == pytest.approx(0, abs=1e-30)


@pytest.mark.usefixtures("precise")
def test_a_complex_diagonal_is_not_hermitian() -> None:
    with pytest.raises(Rejected):
        balls.hermitian([[["1", "1"]]])
