"""QuTiP's Bloch-Redfield tensor against `Redfield.apply`, Hermitian couplings.

``python -m benchmarks.bloch_redfield SITES`` prints one JSON object. QuTiP has no principal-value
part, so that what can be compared is the real part: the action of

    rho -> - sum_l [S_l, Lambda_l rho] + h.c.,  Lambda = S times half the rate at its Bohr energy,

and the rates between levels. The tensor is asked for in the input basis (``fock_basis=True``): in
QuTiP 5.3.1 the other one does not agree with it.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lindfeas as lf
from benchmarks.chains import two_bath_chain

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # QuTiP warns about packages that it can do without
    import qutip

COUPLING = 0.13
SIGMA_X = np.array([[0.0, 1.0], [1.0, 0.0]])
METHODS = ("sparse", "dense", "matrix")
"""QuTiP's ways to compute the tensor; the first is its default."""

REPETITIONS = 5


def power_spectrum(bath: lf.Bath, number: int) -> Callable[[float], float]:
    """J (n+1) for what the bath takes, J n for what it gives; the argument must be called w."""
    density = bath.density_of(number)

    def spectrum(w: float) -> float:
        if w == 0:
            return density.leading_coefficient / bath.beta
        return float(density(abs(w))) * (1 / math.expm1(bath.beta * abs(w)) + (w > 0))

    return spectrum


def real_part(reference: lf.Redfield, state: NDArray[Any]) -> NDArray[Any]:
    """L2 without its principal values, in the eigenbasis (Hermitian couplings)."""
    total = np.zeros_like(state)
    for coupling in reference.couplings:
        absorption, emission = coupling.rates
        half = coupling.matrix * (emission + absorption.T) / 2
        step = coupling.matrix @ half @ state - half @ state @ coupling.matrix
        total -= step + step.conj().T
    return total


def random_state(dimension: int) -> NDArray[Any]:
    """A density matrix without structure."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(2, dimension, dimension))
    square = (matrix[0] + 1j * matrix[1]) @ (matrix[0] + 1j * matrix[1]).conj().T
    return square / np.trace(square)


def time_qutip(system: lf.OpenSystem, method: str) -> tuple[Any, float]:
    """The tensor with the free part -i[H, .] in it, and the seconds that it took."""
    dims = [list(system.dimensions)] * 2
    hamiltonian = qutip.Qobj(system.hamiltonian.toarray(), dims=dims)
    baths = [
        [qutip.Qobj(operator.toarray(), dims=dims), power_spectrum(bath, number)]
        for bath, number, operator in system.couplings()
    ]
    started = time.perf_counter()
    tensor = qutip.bloch_redfield_tensor(
        hamiltonian, baths, sec_cutoff=-1, fock_basis=True, br_computation_method=method
    )
    return tensor, time.perf_counter() - started


def time_lindfeas(sites: int, state: NDArray[Any]) -> tuple[float, float]:
    """Seconds from the system to its first L2(rho), and for every further one."""
    first, further = [], []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        reference = lf.redfield_equation(chain(sites))
        reference.apply(state)
        applied = time.perf_counter()
        reference.apply(state)
        first.append(applied - started)
        further.append(time.perf_counter() - applied)
    return statistics.median(first), statistics.median(further)


def chain(sites: int) -> lf.OpenSystem:
    """Hermitian couplings sigma_x on both ends."""
    return two_bath_chain(1, sites - 2, 1, coupling=COUPLING, operator=SIGMA_X)


def largest_difference(tensor: Any, reference: lf.Redfield, state: NDArray[Any]) -> float:
    """Largest entry of QuTiP's action minus ours, both without principal values."""
    vectors, energies = reference.spectrum.vectors, reference.spectrum.energies
    dimension = len(energies)
    stacked = (vectors @ state @ vectors.conj().T).reshape(-1, order="F")
    full = (tensor.data_as() @ stacked).reshape(dimension, dimension, order="F")
    free = 1j * state * np.subtract.outer(energies, energies)
    theirs = vectors.conj().T @ full @ vectors + free
    return float(np.abs(theirs - real_part(reference, state)).max())


def main(sites: int) -> dict[str, Any]:
    """Time both on one chain, and compare what can be compared."""
    system = chain(sites)
    reference = lf.redfield_equation(system)
    state = random_state(system.dimension)
    reference.apply(state)
    first, further = time_lindfeas(sites, state)
    seconds, difference = {}, 0.0
    for method in METHODS:
        tensor, seconds[method] = time_qutip(system, method)
        difference = max(difference, largest_difference(tensor, reference, state))
        del tensor
    return {
        "sites": sites,
        "qutip_seconds": seconds,
        "first_seconds": first,
        "further_seconds": further,
        "difference": difference,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
