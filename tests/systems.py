"""Systems with known answers, and random ones, for all tests."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from lindfeas import Bath, Lindbladian, Ohmic, OpenSystem, Rates, Redfield, models
from lindfeas.physics.equations.operator_basis import Region
from lindfeas.program.ansatz import Ansatz
from lindfeas.program.assembly import assemble
from lindfeas.program.program import Program
from lindfeas.program.target import Target

DATA = Path(__file__).parent / "data"

SIGMA_X = np.array([[0.0, 1.0], [1.0, 0.0]])
SIGMA_Z = np.diag([1.0, -1.0])
SIGMA_MINUS = np.array([[0.0, 0.0], [1.0, 0.0]])


def two_ended_chain(
    left: int,
    middle: int,
    right: int,
    *,
    coupling: Any = 0.1,
    beta_left: float = 1.0,
    beta_right: float = 1.0,
    **options: Any,
) -> OpenSystem:
    """The SDP-paper's chain: baths on the first ``left`` and the last ``right`` sites."""
    sites = left + middle + right
    baths = [Bath(name="left", sites=tuple(range(left)), beta=beta_left)]
    if right:
        baths.append(Bath(name="right", sites=tuple(range(sites - right, sites)), beta=beta_right))
    return models.xxz_chain(sites=sites, coupling=coupling, baths=baths, **options)


def qubit(
    *,
    frequency: float = 1.0,
    beta: float = 1.0,
    mu: float = 0.0,
    operator: Any = SIGMA_MINUS,
    density: Any = None,
    charge: Any = ((1, 0),),
) -> OpenSystem:
    """One qubit, H = frequency sigma_z / 2, on one bath."""
    bath = Bath(
        name="bath",
        sites=(0,),
        beta=beta,
        mu=mu,
        couplings=(operator,),
        spectral_density=density or Ohmic(),
    )
    return OpenSystem(
        hamiltonian=frequency * SIGMA_Z / 2, dimensions=(2,), baths=(bath,), charge=charge
    )


def oscillator_and_qubit(*, beta: float = 1.0, mu: float = 0.0) -> OpenSystem:
    """A truncated oscillator (3 levels, leftmost) exchanging excitations with a qubit.

    Both ends touch a bath of the same temperature and chemical potential: the steady state is
    proportional to exp(-beta (H - mu N)).
    """
    lower = np.diag([np.sqrt(2.0), 1.0], k=-1)
    number = np.diag([2.0, 1.0, 0.0])
    hamiltonian = (
        1.1 * np.kron(number, np.eye(2))
        + 0.45 * np.kron(np.eye(3), SIGMA_Z)
        + 0.2 * (np.kron(lower, SIGMA_MINUS.T) + np.kron(lower.T, SIGMA_MINUS))
        + 0.05 * np.kron(number @ number, np.eye(2))
    )
    return OpenSystem(
        hamiltonian=hamiltonian,
        dimensions=(3, 2),
        baths=(
            Bath(name="mode", sites=(0,), beta=beta, mu=mu, couplings=(lower,)),
            Bath(name="spin", sites=(1,), beta=beta, mu=mu, couplings=(SIGMA_MINUS,)),
        ),
        charge=((2, 1, 0), (1, 0)),
    )


def complex_trimer(*, betas: tuple[float, float] = (0.7, 2.0)) -> OpenSystem:
    """Three qubits with a chiral (complex) exchange and no charge used: complex, one sector."""
    raising = SIGMA_MINUS.T
    eye = np.eye(2)

    def pair(a: np.ndarray, b: np.ndarray, first: int, second: int) -> np.ndarray:
        factors = [eye, eye, eye]
        factors[first], factors[second] = a, b
        return np.kron(np.kron(factors[0], factors[1]), factors[2])

    hamiltonian = np.zeros((8, 8), dtype=complex)
    for site, field in enumerate((0.5, 0.6, 0.8)):
        hamiltonian += pair(field * SIGMA_Z, eye, site, (site + 1) % 3)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        hop = 0.15 * np.exp(0.7j) * pair(raising, SIGMA_MINUS, first, second)
        hamiltonian += hop + hop.conj().T
    return OpenSystem(
        hamiltonian=hamiltonian,
        dimensions=(2, 2, 2),
        baths=(
            Bath(name="left", sites=(0,), beta=betas[0], couplings=(SIGMA_MINUS,)),
            Bath(name="right", sites=(2,), beta=betas[1], couplings=(SIGMA_MINUS,)),
        ),
        charge=None,
    )


def cold_qutrit(beta: float) -> OpenSystem:
    """Populations down to exp(-1.7 beta): an H_r of 1e12 can move what they seem to protect."""
    coupling = np.array([[0, 1, 0.8], [1, 0, 0.5], [0.8, 0.5, 0]])
    bath = Bath(name="bath", sites=(0,), beta=beta, couplings=(coupling,))
    return OpenSystem(hamiltonian=np.diag([0, 1, 1.7]), dimensions=(3,), baths=(bath,))


def full_action(candidate: Lindbladian, reference: Redfield, state: np.ndarray) -> np.ndarray:
    """L'(state) from the definition, dense, in the eigenbasis."""
    system, vectors = reference.system, reference.spectrum.vectors
    change = np.zeros_like(state, dtype=complex)

    def lift(local: np.ndarray, sites: tuple[int, ...]) -> np.ndarray:
        return vectors.conj().T @ system.embed(local, sites).toarray() @ vectors

    for region in candidate.regions:
        shift = lift(region.hamiltonian, region.sites)
        change += 1j * (state @ shift - shift @ state)
        scale = region.dimension / system.dimension
        for rate, jump in zip(region.jump_rates, region.jump_operators, strict=True):
            operator = lift(jump, region.sites)
            product = operator.conj().T @ operator
            gain = operator @ state @ operator.conj().T
            change += rate * scale * (gain - (product @ state + state @ product) / 2)
    return change


def reference_rows() -> list[dict[str, Any]]:
    """The certified reference values: one dictionary per point, numbers as floats."""
    with (DATA / "xxz-certified.csv").open() as file:
        return [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(file)]


def reference_system(row: dict[str, Any]) -> OpenSystem:
    """The chain of one reference row."""
    return two_ended_chain(
        int(row["n_left"]),
        int(row["n_middle"]),
        int(row["n_right"]),
        coupling=row["coupling"],
        beta_left=row["beta_left"],
        beta_right=row["beta_right"],
    )


def gibbs(energies: np.ndarray, beta: float, particles: Any = 0.0, mu: float = 0.0) -> np.ndarray:
    """Populations proportional to exp(-beta (E - mu N))."""
    exponent = -beta * (energies - mu * np.asarray(particles))
    weights = np.exp(exponent - exponent.max())
    return weights / weights.sum()


@st.composite
def random_positive(draw: Any, size: int, is_complex: bool = False) -> np.ndarray:
    """A random positive matrix of trace 1: full rank, low rank, or nearly diagonal."""
    seed = draw(st.integers(0, 2**32 - 1))
    rank = draw(st.integers(1, size))
    generator = np.random.default_rng(seed)
    factor = generator.normal(size=(size, rank))
    if is_complex:
        factor = factor + 1j * generator.normal(size=(size, rank))
    factor *= 10.0 ** generator.uniform(-3, 0, size=(size, 1))
    matrix = factor @ factor.conj().T
    return matrix / np.trace(matrix).real


def _number(text: str) -> Any:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def assembled(
    target: Target,
    reference: Redfield,
    regions: tuple[Region, ...],
    rates: Rates,
    **options: Any,
) -> Program:
    """The program of a target; options of `Ansatz`."""
    ansatz = Ansatz(regions=regions, rates=rates.bounds(len(regions)), **options)
    return assemble(target, reference, ansatz)
