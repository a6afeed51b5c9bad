"""Write the npz files that the problem files beside this script use.

Run ``python problems/make_matrices.py``; the result is the same on every machine, and a test
compares it with the committed files. Conventions: leftmost tensor factor most significant, state
0 of a site is its highest level, hbar = k_B = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float64] | NDArray[np.complex128]]

LOWERING = np.array([[0.0, 0.0], [1.0, 0.0]])
"""sigma_minus = |1><0| of a qubit."""

SIGMA_Z = np.diag([1.0, -1.0])

TRANSMON_LOWERING = np.array([[0.0, 0.0, 0.0], [np.sqrt(2.0), 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Annihilation operator of an oscillator cut off at two quanta, states ordered |2>, |1>, |0>."""


def qutrit_qubit() -> Arrays:
    """A transmon, kept to three levels, exchanges quanta with a qubit.

    H = b^dag b + (alpha/2) b^dag b^dag b b + epsilon |0><0| + g (b^dag sigma_minus + h.c.), with
    alpha = -0.1, epsilon = 0.9, g = 0.02. Each of the two loses quanta to its own bath.
    """
    lowering, number = TRANSMON_LOWERING, TRANSMON_LOWERING.T @ TRANSMON_LOWERING
    dimensions = (3, 2)
    excitation = LOWERING.T @ LOWERING
    transmon = number - 0.05 * (number @ number - number)
    hopping = _on({0: lowering.T, 1: LOWERING}, dimensions)
    hamiltonian = _on({0: transmon}, dimensions) + 0.9 * _on({1: excitation}, dimensions)
    hamiltonian = hamiltonian + 0.02 * (hopping + hopping.T)
    couplings = [_on({0: lowering}, dimensions), _on({1: LOWERING}, dimensions)]
    return {"H": hamiltonian, "couplings": np.stack(couplings)}


def spin_star() -> Arrays:
    """A central qubit between three outer qubits, each of which has its own bath.

    H = sum_i (w_i/2) sigma_z^i + sum_j g_j (sigma_x sigma_x + sigma_y sigma_y)^(0,j), with
    w = 1.0, 0.95, 1.0, 1.1 and g = 0.05, 0.04, 0.03. The exchange conserves the number of
    up spins, and the central qubit (site 0) touches no bath.
    """
    dimensions = (2, 2, 2, 2)
    hamiltonian = np.zeros((16, 16))
    for site, splitting in enumerate((1.0, 0.95, 1.0, 1.1)):
        hamiltonian += splitting / 2 * _on({site: SIGMA_Z}, dimensions)
    for site, exchange in ((1, 0.05), (2, 0.04), (3, 0.03)):
        hopping = _on({0: LOWERING.T, site: LOWERING}, dimensions)
        hamiltonian += 2 * exchange * (hopping + hopping.T)
    couplings = [_on({site: LOWERING}, dimensions) for site in (1, 2, 3)]
    return {"H": hamiltonian, "couplings": np.stack(couplings)}


def chiral_ring() -> Arrays:
    """Three qubits in a ring that is threaded by a flux, two of them with baths.

    H = sum_i (w_i/2) sigma_z^i + sum_i g (e^(i phi) sigma_+^i sigma_-^(i+1) + h.c.), with
    w = 1.0, 1.05, 0.9, g = 0.05 and phi = 0.4 a bond. The flux cannot be gauged away, so that H is
    truly complex. The couplings are given on the regions of two levels, not on the whole system.
    """
    dimensions = (2, 2, 2)
    hamiltonian = np.zeros((8, 8), dtype=complex)
    for site, splitting in enumerate((1.0, 1.05, 0.9)):
        hamiltonian += splitting / 2 * _on({site: SIGMA_Z}, dimensions)
    for site in range(3):
        hopping = np.exp(0.4j) * _on({site: LOWERING.T, (site + 1) % 3: LOWERING}, dimensions)
        hamiltonian += 0.05 * (hopping + hopping.conj().T)
    return {"H": hamiltonian, "couplings": LOWERING[None]}


FILES = {
    "qutrit-qubit.npz": qutrit_qubit,
    "spin-star.npz": spin_star,
    "chiral-ring.npz": chiral_ring,
}


def _on(factors: dict[int, NDArray[np.float64]], dimensions: Sequence[int]) -> NDArray[np.float64]:
    """Product of one-site operators, with the identity on all other sites."""
    return reduce(
        np.kron, [factors.get(site, np.eye(size)) for site, size in enumerate(dimensions)]
    )


if __name__ == "__main__":
    for name, matrices in FILES.items():
        np.savez(Path(__file__).with_name(name), **matrices())
