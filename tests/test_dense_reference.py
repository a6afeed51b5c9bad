"""The dense reference against analytic results, explicit loops and numbers from the literature."""

from __future__ import annotations

import ast
import math
from decimal import Decimal
from pathlib import Path

import mpmath
import numpy as np
import pytest

from tests import reference_program as program
from tests.bath_integrals import UndefinedError, bath
from tests.decimal_matrices import Matrix, dagger, digits, eigh, exact, norm, smallest_eigenvalue
from tests.dense_reference import Reference, reference
from tests.dense_regions import Region, dissipator_tensor, hermitian_basis, mended_basis
from tests.random_systems import embedded, in_units, on_grid, random_case, shifted
from tests.stationary import balanced
from tests.system_data import Asked, BathData, Density, Rule, SystemData

DIGITS_40 = Decimal("1e-40")

INDEPENDENT = (
    "decimal_matrices",
    "bath_integrals",
    "dense_reference",
    "dense_regions",
    "stationary",
    "certificate_reference",
    "certificate_text",
    "reference_program",
    "random_systems",
    "system_data",
)

OHMIC = Density(family="ohmic", strength=1.0, exponent=1.0, cutoff=10.0)
EACH = Rule(name="each", low=(1.0, 1.0), high=(1.0, 1.0))


@pytest.mark.parametrize("name", INDEPENDENT)
def test_the_reference_imports_nothing_of_lindfeas(name: str) -> None:
    tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [module for module in imported if module.startswith("lindfeas")]
    own = {module.removeprefix("tests.") for module in imported if module.startswith("tests.")}
    assert own <= set(INDEPENDENT)


def hermitian(rng: np.random.Generator, size: int) -> np.ndarray:
    matrix = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    return (matrix + matrix.conj().T) / 2


@pytest.mark.parametrize("gap", [0.3, 1e-9, 1e-14])
def test_eigenvectors_also_of_close_levels(gap: float) -> None:
    rng = np.random.default_rng(1)
    vectors = np.linalg.eigh(hermitian(rng, 5))[1]
    matrix = (vectors * [-1.0, 0.5, 0.5 + gap, 1.0, 1e6]) @ vectors.conj().T
    with digits():
        whole = Matrix.of((matrix + matrix.conj().T) / 2)
        values, columns = eigh(whole)
        rest = whole @ columns - columns * values
        assert rest.frobenius() < whole.frobenius() * DIGITS_40
        assert (dagger(columns) @ columns - Matrix.of(np.eye(5))).frobenius() < DIGITS_40
        found = smallest_eigenvalue(whole)
        assert values[0] - whole.frobenius() * Decimal("1e-39") < found <= values[0]
        assert abs(norm(whole, "trace") - sum(abs(v) for v in values)) < Decimal("1e-30")


def test_smallest_eigenvalue_of_a_large_matrix() -> None:
    matrix = hermitian(np.random.default_rng(2), 40)
    with digits():
        found = smallest_eigenvalue(Matrix.of(matrix))
        exactly = eigh(Matrix.of(matrix))[0][0]
        assert exactly - Decimal("1e-20") < found <= exactly


@pytest.mark.parametrize("energy", ["0.7", "-0.7", "31", "1e-7"])
def test_principal_value_of_a_drude_density(energy: str) -> None:
    """P int w/(1 + w^2/c^2)/(w - E) dw = c^2 (pi c/2 - E ln(|E|/c)) / (c^2 + E^2).

    By partial fractions of c^2 w / ((w^2 + c^2)(w - E)).
    """
    own = Density(family="drude_lorentz", strength=1.0, exponent=1.0, cutoff=2.0)
    with digits(), mpmath.workdps(50):
        found = bath(own, math.inf, 0.0).half_sided(Decimal(energy))[1][1]
        e, c = mpmath.mpf(energy), mpmath.mpf(2)
        value = c**2 * (mpmath.pi * c / 2 - e * mpmath.log(abs(e) / c)) / (c**2 + e**2)
        wanted = Decimal(mpmath.nstr(-value / (2 * mpmath.pi), 45))
        assert abs(found - wanted) < DIGITS_40 * 100


@pytest.mark.parametrize("family", ["ohmic", "ohmic_exponential", "drude_lorentz"])
def test_principal_values_by_subtraction(family: str) -> None:
    """Against mpmath: P int_0^2E f/(w - E) dw by symmetric differences, and the rest."""
    own = Density(family=family, strength=1.3, exponent=1.0, cutoff=2.0)
    with digits(), mpmath.workdps(20):
        thermal = bath(own, 1.5, -0.2)
        found = thermal.half_sided(Decimal("0.8"))[0][1]

        def f(w: mpmath.mpf) -> mpmath.mpf:
            w = Decimal(mpmath.nstr(w, 25))
            return mpmath.mpf(str(thermal.strength(w) * thermal.occupation(w)))

        e = mpmath.mpf("0.8")
        near = mpmath.quad(lambda u: (f(e + u) - f(e - u)) / u, [0, e])
        far = mpmath.quad(lambda w: f(w) / (w - e), [2 * e, 4, 8, 20, 60])
        wanted = -(near + far) / (2 * mpmath.pi)
    assert float(found) == pytest.approx(float(wanted), abs=1e-12)


def two_baths(seed: int, dimensions: tuple[int, ...], beta: float = 2.0) -> Reference:
    rng = np.random.default_rng(seed)
    baths = tuple(
        BathData(
            name=f"bath{site}",
            sites=(site,),
            beta=beta if site else 1.0,
            mu=0.0,
            densities=(OHMIC,),
            couplings=(hermitian(rng, dimensions[site]),),
        )
        for site in range(2)
    )
    size = math.prod(dimensions)
    return reference(
        SystemData(dimensions=dimensions, hamiltonian=hermitian(rng, size), baths=baths)
    )


def test_equal_temperatures_give_the_thermal_state() -> None:
    with digits():
        truth = two_baths(3, (2, 3), beta=1.0)
        weights = np.array([(-e).exp() for e in truth.energies], dtype=object)
        assert max(abs(truth.populations - weights / weights.sum())) < DIGITS_40


def test_the_redfield_action_fits_the_rates() -> None:
    """L2[rho0] is Hermitian and traceless, and has no diagonal in the eigenbasis."""
    with digits():
        truth = two_baths(4, (3, 2))
        action = truth.action
        assert (action - dagger(action)).frobenius() < DIGITS_40
        inside = dagger(truth.vectors) @ action @ truth.vectors
        assert max(abs(inside.re[k, k]) for k in range(6)) < DIGITS_40
        assert inside.frobenius() > Decimal("0.01")
        # i [rho2, H] + L2[rho0] = 0
        full = Matrix.of(truth.data.hamiltonian)
        turned = (truth.coherences @ full - full @ truth.coherences).times_i()
        assert (turned + action).frobenius() < DIGITS_40 * 1000


def test_dissipators_and_dual_matrices_against_explicit_loops() -> None:
    """In a random complex basis, on permuted sites of different dimension."""
    rng = np.random.default_rng(5)
    dimensions, sites = (2, 3, 2), (2, 1)
    data = SystemData(dimensions=dimensions, hamiltonian=np.eye(12), baths=())
    region = Region(data, sites)
    count = region.levels**2 - 1
    with digits():
        gell_mann = hermitian_basis(region.levels).numpy()
    basis = np.linalg.qr(hermitian(rng, count) + 1j)[0] @ gell_mann
    gamma = hermitian(rng, count)
    state, weight = hermitian(rng, 12), hermitian(rng, 12)
    jumps = [embedded(f.reshape(6, 6), sites, dimensions) / math.sqrt(2) for f in basis]
    wanted = np.zeros((12, 12), dtype=complex)
    for i, one in enumerate(jumps):
        for j, two in enumerate(jumps):
            pair = one.conj().T @ two
            part = two @ state @ one.conj().T - (pair @ state + state @ pair) / 2
            wanted += gamma[i, j] * part
    found = region.dissipated(dissipator_tensor(gamma, basis), state)
    assert np.abs(found - wanted).max() < 1e-12
    dual = region.dual_matrix(weight, state, basis)
    assert abs((gamma * dual).sum() - np.trace(weight @ wanted)) < 1e-11
    with digits():
        mended = mended_basis(basis.reshape(count, 6, 6))
        tensor = dissipator_tensor(Matrix.of(gamma), mended)
        precise = region.dissipated(tensor, Matrix.of(state))
        assert np.abs(precise.numpy() - wanted).max() < 1e-12
        precise_dual = region.dual_matrix(Matrix.of(weight), Matrix.of(state), mended)
        assert np.abs(precise_dual.numpy() - dual).max() < 1e-12


def chain_1_2_1() -> SystemData:
    """Four qubits, field 0.5, exchange 0.01, a bath at each end, beta 1 and 10."""
    up = np.diag([1.0, -1.0])
    pair = np.array([[0, 0, 0, 0], [0, 0, 2.0, 0], [0, 2.0, 0, 0], [0, 0, 0, 0]])
    pair = pair + np.kron(up, up)
    hamiltonian = sum(0.5 * embedded(up, (site,), (2,) * 4) for site in range(4))
    hamiltonian += sum(0.01 * embedded(pair, (k, k + 1), (2,) * 4) for k in range(3))
    lower = np.array([[0.0, 0.0], [1.0, 0.0]])
    baths = tuple(
        BathData(
            name=f"bath{site}",
            sites=(site,),
            beta=beta,
            mu=0.0,
            densities=(OHMIC,),
            couplings=(lower,),
        )
        for site, beta in ((0, 1.0), (3, 10.0))
    )
    return SystemData(
        dimensions=(2,) * 4, hamiltonian=hamiltonian, baths=baths, charge=((1, 0),) * 4
    )


def test_the_certified_numbers_of_the_chain() -> None:
    """tau_pop = 1.0825824...e-3, and the Frobenius defect 0.1279 (docs/theory.md)."""
    with digits():
        truth = reference(chain_1_2_1())
        plain = Asked(target="populations", norm="trace", rule=EACH)
        found = program.optimum(truth, plain)
        assert float(found.lower) == pytest.approx(1.08258e-3, rel=1e-5)
        assert float(found.upper) == pytest.approx(1.08258e-3, rel=1e-5)
        joint = Asked(
            target="populations+coherences", norm="frobenius", rule=EACH, hamiltonian_limit=1e4
        )
        found = program.optimum(truth, joint)
        assert float(found.lower) == pytest.approx(0.1279, rel=1e-3)
        assert found.lower <= found.upper


@pytest.mark.parametrize("norm_name", ["spectral", "frobenius", "trace"])
@pytest.mark.parametrize("rule", ["each", "total", "range"])
def test_both_ends_of_the_own_program_meet_in_any_basis(norm_name: str, rule: str) -> None:
    low = (0.2, 0.1) if rule == "range" else (1.0, 1.0)
    asked = Asked(
        target="populations+coherences",
        norm=norm_name,
        rule=Rule(name=rule, low=low, high=(1.0, 1.0)),
        hamiltonian_limit=3.0,
    )
    with digits():
        truth = two_baths(6, (2, 2))
        one, two = (program.optimum(truth, asked, seed) for seed in (1, 2))
    for found in (one, two):
        assert Decimal(0) <= found.lower <= found.upper
        assert float(found.upper) == pytest.approx(float(found.lower), rel=1e-6)
    assert float(one.upper) == pytest.approx(float(two.upper), rel=1e-6)


def test_balance_of_a_chain_that_is_known() -> None:
    """A birth-death chain: p_(k+1)/p_k = up/down, over 10^-2000."""
    with digits():
        rates = exact(np.zeros((3, 3)))
        rates[1, 0], rates[0, 1] = Decimal("1e-2000"), Decimal(2)
        rates[2, 1], rates[1, 2] = Decimal(3), Decimal(7)
        p = balanced(rates)
        assert abs(p[1] / p[0] / Decimal("5e-2001") - 1) < DIGITS_40
        assert abs(p[2] / p[1] / (Decimal(3) / 7) - 1) < DIGITS_40
        rates[0, 1] = rates[1, 0] = Decimal(0)
        with pytest.raises(UndefinedError, match="not unique"):
            balanced(rates)


def test_what_has_no_answer_is_undefined() -> None:
    with digits():
        sigma = np.array([[0.0, 0.0], [1.0, 0.0]])
        own = BathData(
            name="a", sites=(0,), beta=1.0, mu=0.0, densities=(OHMIC,), couplings=(sigma,)
        )
        flat = SystemData(
            dimensions=(2,), hamiltonian=np.zeros((2, 2)), baths=(own,), charge=((1, 0),)
        )
        with pytest.raises(UndefinedError, match="the rate jumps"):
            _ = reference(flat).rates
        with pytest.raises(UndefinedError, match="one sector"):
            reference(SystemData(dimensions=(2,), hamiltonian=np.zeros((2, 2)), baths=(own,)))
        tilted = SystemData(
            dimensions=(2,), hamiltonian=np.array([[1.0, 0.3], [0.3, -1.0]]), baths=(own,)
        )
        with pytest.raises(UndefinedError, match="diverges at zero frequency"):
            _ = reference(tilted).action


def test_random_systems_come_from_their_seed_alone() -> None:
    kinds, sizes, charged = set(), set(), set()
    for seed in range(120):
        one, two = random_case(seed), random_case(seed)
        assert np.array_equal(one.data.hamiltonian, two.data.hamiltonian)
        matrix = one.data.hamiltonian
        assert np.abs(matrix - matrix.conj().T).max() <= 1e-15 * np.abs(matrix).max()
        assert one.data.dimension <= 16
        kinds.add(one.kind)
        sizes.add(one.data.dimensions)
        charged.add(one.data.charge is None)
    assert len(kinds) == 6
    assert len(sizes) > 15
    assert charged == {True, False}


def test_units_and_offsets_leave_the_reference_alone() -> None:
    case = on_grid(next(c for c in map(random_case, range(40)) if c.offset == 0 and c.unit == 1))
    with digits():
        p = reference(case.data).populations
        moved = reference(shifted(case, 2.0**20).data).populations
        scaled = reference(in_units(case, 2.0**40).data).populations
        assert max(abs(p - moved)) < DIGITS_40
        assert max(abs(p - scaled)) < DIGITS_40
