"""In which order a coupling's tensor factors are read, and that it is never read two ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lindfeas import Bath, InputError, Ohmic, OpenSystem, models, redfield_equation

SIGMA_MINUS = np.array([[0.0, 0.0], [1.0, 0.0]])
SIGMA_X = SIGMA_MINUS + SIGMA_MINUS.T
TRIT = np.diag([np.sqrt(2.0), 1.0], k=-1)
ROUNDING = 1e-13


def hamiltonian(dimensions: tuple[int, ...]) -> NDArray[np.float64]:
    """Hermitian, with all levels different, and without a symmetry between the sites."""
    random = np.random.default_rng(7).normal(size=(int(np.prod(dimensions)),) * 2)
    return np.asarray(random + random.T)


def system(
    dimensions: tuple[int, ...], sites: tuple[int, ...], *couplings: NDArray[np.float64]
) -> OpenSystem:
    bath = Bath(name="bath", sites=sites, beta=1.0, couplings=couplings)
    return OpenSystem(hamiltonian=hamiltonian(dimensions), dimensions=dimensions, baths=(bath,))


def whole(of: OpenSystem, number: int = 0) -> NDArray[np.float64]:
    """A coupling as the system's operator."""
    return np.asarray(of.couplings()[number][2].toarray())


TWO_MEANINGS = {
    "two qubits": ((2, 2), (1, 0), np.kron(SIGMA_MINUS, np.eye(2))),
    "qubit and qutrit": ((2, 3), (1, 0), np.kron(SIGMA_X, np.eye(3))),
    "a sum": ((2, 2), (1, 0), np.kron(SIGMA_X, np.eye(2)) + np.kron(np.eye(2), SIGMA_MINUS)),
    "a small part": (
        (2, 2),
        (1, 0),
        np.kron(SIGMA_X, SIGMA_X) + 1e-9 * np.kron(np.diag([1.0, -1.0]), np.eye(2)),
    ),
    "three of a cycle": ((2, 2, 2), (1, 2, 0), np.kron(SIGMA_X, np.eye(4))),
    "two of three swapped": ((2, 2, 2), (0, 2, 1), np.kron(np.eye(4), SIGMA_X)),
}


@pytest.mark.parametrize(
    ("dimensions", "sites", "coupling"), TWO_MEANINGS.values(), ids=[*TWO_MEANINGS]
)
def test_a_coupling_of_two_meanings_is_refused(
    dimensions: tuple[int, ...], sites: tuple[int, ...], coupling: NDArray[np.float64]
) -> None:
    with pytest.raises(InputError) as refused:
        system(dimensions, sites, np.zeros_like(coupling), coupling)
    assert refused.value.where == "bath.bath.couplings[1]"
    assert f"the bath's sites {list(sites)} or the system's sites" in refused.value.message
    assert refused.value.message.endswith("list the bath's sites in ascending order")


def test_the_way_out_that_the_error_names() -> None:
    """Sites in ascending order: the matrix is the system's and the region's, which are one."""
    coupling = np.kron(SIGMA_MINUS, np.eye(2))
    np.testing.assert_array_equal(whole(system((2, 2), (0, 1), coupling)), coupling)


ONE_MEANING = {
    "symmetric": ((2, 2), (1, 0), np.kron(SIGMA_X, SIGMA_X)),
    "symmetric sum": (
        (2, 2),
        (1, 0),
        np.kron(SIGMA_MINUS, np.eye(2)) + np.kron(np.eye(2), SIGMA_MINUS),
    ),
    "site that stays": ((2, 2, 2), (2, 1, 0), np.kron(np.kron(np.eye(2), SIGMA_X), np.eye(2))),
    "zero": ((2, 3), (1, 0), np.zeros((6, 6))),
}


@pytest.mark.parametrize(
    ("dimensions", "sites", "coupling"), ONE_MEANING.values(), ids=[*ONE_MEANING]
)
def test_a_coupling_of_one_meaning_is_taken_in_any_order(
    dimensions: tuple[int, ...], sites: tuple[int, ...], coupling: NDArray[np.float64]
) -> None:
    own = system(dimensions, sites, coupling)
    np.testing.assert_allclose(whole(own), coupling, atol=ROUNDING)
    np.testing.assert_allclose(whole(replace(own, charge=None)), coupling, atol=ROUNDING)


def test_a_part_of_the_system_is_read_in_the_order_of_the_bath() -> None:
    """Sites (2, 0) of qubit, qubit and qutrit: the qutrit's factor comes first."""
    own = system((2, 2, 3), (2, 0), np.kron(TRIT, SIGMA_MINUS))
    expected = np.kron(np.kron(SIGMA_MINUS, np.eye(2)), TRIT)
    np.testing.assert_allclose(whole(own), expected, atol=ROUNDING)


def test_a_matrix_on_the_whole_system_is_read_in_the_order_of_the_system() -> None:
    full = np.kron(np.kron(SIGMA_MINUS, np.eye(2)), TRIT)
    own = system((2, 2, 3), (2, 0), full)
    np.testing.assert_allclose(whole(own), full, atol=ROUNDING)
    local = np.asarray(own.baths[0].couplings[0])  # type: ignore[index]
    np.testing.assert_allclose(local, np.kron(TRIT, SIGMA_MINUS), atol=ROUNDING)


def test_region_order_says_which_reading_is_meant() -> None:
    bath = Bath(
        name="bath",
        sites=(1, 0),
        beta=1.0,
        couplings=(np.kron(TRIT, SIGMA_X),),
        region_order=True,
    )
    own = OpenSystem(hamiltonian=hamiltonian((2, 3)), dimensions=(2, 3), baths=(bath,))
    np.testing.assert_allclose(whole(own), np.kron(SIGMA_X, TRIT), atol=ROUNDING)
    again = replace(own, hamiltonian=2 * own.hamiltonian)
    np.testing.assert_array_equal(whole(again), whole(own))


def test_a_chain_may_list_all_its_sites_in_any_order() -> None:
    """Every listed site has its own coupling and density; the order does not matter."""

    def rates(sites: tuple[int, ...], strengths: tuple[float, ...]) -> NDArray[np.float64]:
        densities = tuple(Ohmic(strength=strength) for strength in strengths)
        bath = Bath(name="bath", sites=sites, beta=2.0, spectral_density=densities)
        chain = models.xxz_chain(sites=2, coupling=0.3, field=[0.5, 0.7], baths=[bath])
        assert replace(chain, hamiltonian=chain.hamiltonian).baths[0].sites == sites
        return np.asarray(redfield_equation(chain).transition_rates)

    one, other = rates((0, 1), (1.0, 3.0)), rates((1, 0), (3.0, 1.0))
    np.testing.assert_allclose(one, other, rtol=1e-12)
    assert not np.allclose(one, rates((1, 0), (1.0, 3.0)), rtol=1e-3)


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a\nb", "left\n", "a.b", "\u3164", "\u0456", "a" * 201, 1, None, b"a"]
)
def test_bath_names_are_plain(name: object) -> None:
    with pytest.raises(InputError, match=r"^bath\.name: must be 1 to 200 letters") as refused:
        Bath(name=name, sites=(0,), beta=1.0)  # type: ignore[arg-type]
    assert str(refused.value).isascii() and str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["a", "left", "L-2", "_", "-", "7", "a" * 200])
def test_plain_bath_names_are_taken(name: str) -> None:
    assert Bath(name=name, sites=(0,), beta=1.0).name == name
