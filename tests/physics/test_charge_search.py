"""Conserved charges found from matrices."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from lindfeas import Bath, OpenSystem, Question, certify, models
from lindfeas.physics.systems.charge_search import find_charge
from lindfeas.physics.systems.sites import embed, product_charges, shifts
from tests.systems import SIGMA_MINUS, SIGMA_X, SIGMA_Z, oscillator_and_qubit

LARGEST = 1_000_000
LOWER = np.diag(np.sqrt(np.arange(1.0, 5)), 1)


def found(hamiltonian, couplings, dimensions, largest=LARGEST):
    matrix = sp.csr_array(hamiltonian)
    width = float(abs(matrix).max())
    listed = [(sites, sp.csr_array(operator)) for sites, operator in couplings]
    return find_charge(matrix, listed, dimensions, width=width, largest=largest)


def sectors(charge, dimensions):
    """The states of every sector, as a set of sets."""
    total = product_charges(charge, dimensions)
    return {tuple(np.flatnonzero(total == value)) for value in np.unique(total)}


def test_a_chain_conserves_its_magnetisation() -> None:
    bath = Bath(name="bath", sites=(0,), beta=1.0)
    chain = models.xxz_chain(sites=4, coupling=0.1, baths=[bath])
    charge = found(chain.hamiltonian, [((0,), SIGMA_MINUS)], chain.dimensions)
    assert sectors(charge, chain.dimensions) == sectors(chain.charge, chain.dimensions)


def test_a_field_across_leaves_none() -> None:
    field = embed(SIGMA_X, (0,), (2, 2)) + embed(SIGMA_Z, (1,), (2, 2))
    bond = embed(SIGMA_X, (0,), (2, 2)) @ embed(SIGMA_X, (1,), (2, 2))
    mixed = embed(SIGMA_Z, (0,), (2, 2)) @ embed(SIGMA_X, (1,), (2, 2))
    assert found(field + bond + 0.3 * mixed, [((0,), SIGMA_MINUS)], (2, 2)) is None


def test_a_hermitian_coupling_is_shifted_by_no_fixed_amount() -> None:
    """sigma_x raises and lowers: the site keeps one charge, the other its own."""
    free = embed(SIGMA_Z, (0,), (2, 3)) + embed(np.diag([0.0, 1.0, 2.5]), (1,), (2, 3))
    charge = found(free, [((0,), SIGMA_X)], (2, 3))
    assert charge[0] == (0, 0)
    assert len(set(charge[1])) == 3


def test_a_transmon_and_its_resonator_share_their_quanta() -> None:
    dimensions = (5, 5)
    a, b = embed(LOWER, (0,), dimensions), embed(LOWER, (1,), dimensions)
    energy = 7 * a.T @ a + 5 * b.T @ b - 0.15 * b.T @ b.T @ b @ b + 0.1 * (a.T @ b + b.T @ a)
    charge = found(energy, [((0,), LOWER)], dimensions)
    assert sectors(charge, dimensions) == sectors((tuple(range(5)),) * 2, dimensions)


def test_two_photons_at_a_time() -> None:
    """b'^2 a + h.c.: two quanta of b are one of a, a charge that nobody would guess as (1, 1)."""
    dimensions = (5, 5)
    a, b = embed(LOWER, (0,), dimensions), embed(LOWER, (1,), dimensions)
    energy = 2 * a.T @ a + b.T @ b + 0.1 * (a.T @ b @ b + b.T @ b.T @ a)
    charge = found(energy, [((0,), LOWER), ((1,), LOWER)], dimensions)
    assert sectors(charge, dimensions) == sectors(
        (tuple(range(0, 10, 2)), tuple(range(5))), dimensions
    )


def test_charges_that_do_not_fit_into_one_number_are_left_out() -> None:
    dimensions = (2,) * 6
    free = sum(embed((1 + site) * SIGMA_Z, (site,), dimensions) for site in range(6))
    assert len(sectors(found(free, [], dimensions), dimensions)) == 64
    few = found(free, [], dimensions, largest=10)
    assert 2 <= len(sectors(few, dimensions)) < 64
    assert max(abs(value) for local in few for value in local) <= 10


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_whatever_is_conserved_is_found(seed: int) -> None:
    """With a planted charge, what is found is conserved, and tells as much apart."""
    generator = np.random.default_rng(seed)
    dimensions = tuple(int(n) for n in generator.integers(2, 4, size=generator.integers(2, 4)))
    planted = tuple(tuple(generator.integers(-2, 3, size=n).tolist()) for n in dimensions)
    total = product_charges(planted, dimensions)
    size = len(total)
    full = generator.normal(size=(size, size)) * (generator.random((size, size)) < 0.4)
    hamiltonian = np.where(np.equal.outer(total, total), full + full.T, 0.0)
    site = int(generator.integers(len(dimensions)))
    local = np.array(planted[site])
    step = int(generator.integers(-2, 3))
    coupling = np.where(np.subtract.outer(local, local) == step, 1.0, 0.0)
    charge = found(hamiltonian, [((site,), coupling)], dimensions)
    if charge is None:
        assert len(set(total.tolist())) == 1
        return
    own = product_charges(charge, dimensions)
    assert shifts(sp.csr_array(hamiltonian), own) == {0}
    assert len(shifts(sp.csr_array(coupling), np.array(charge[site]))) == 1
    for one, other in itertools.combinations(range(size), 2):
        assert own[one] != own[other] or total[one] == total[other]


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e9])
def test_rounding_violates_no_charge(scale: float) -> None:
    matrix = scale * np.array(
        [[1.0, 0, 0, 1e-15], [0, 0, 0.3, 0], [0, 0.3, 0, 0], [1e-15, 0, 0, 2]]
    )
    charge = found(matrix, [((0,), SIGMA_MINUS)], (2, 2))
    assert len(sectors(charge, (2, 2))) == 3


def test_no_element_among_many_is_passed_over() -> None:
    """Thirty levels are all connected; of the other ten two and two are, by one element each."""
    matrix = np.zeros((40, 40))
    matrix[:30, :30] = 1.0
    for level in range(30, 40, 2):
        matrix[level, level + 1] = matrix[level + 1, level] = 1.0
    (charge,) = found(matrix, [], (40,))
    assert set(charge[:30]) == {0} and charge[30::2] == charge[31::2]
    assert len(set(charge)) == 6


def test_a_found_charge_changes_no_answer() -> None:
    """Three levels on a qubit: the question with the found charge is the one without, in blocks."""
    plain = replace(oscillator_and_qubit(), charge=None)
    found = plain.with_found_charge()
    assert sectors(found.charge, found.dimensions) == sectors(
        oscillator_and_qubit().charge, found.dimensions
    )
    one, other = (certify(Question(system=system), sharp=False) for system in (plain, found))
    assert one.verdict == other.verdict
    assert other.lower == pytest.approx(one.lower, rel=1e-5)
    assert other.upper == pytest.approx(one.upper, rel=1e-5)


def test_no_charge_is_none() -> None:
    """A tilted field and a coupling that flips: nothing is conserved."""
    bath = Bath(name="bath", sites=(0,), beta=1.0, couplings=(SIGMA_X,))
    tilted = OpenSystem(hamiltonian=SIGMA_Z + 0.3 * SIGMA_X, dimensions=(2,), baths=(bath,))
    assert tilted.with_found_charge().charge is None
