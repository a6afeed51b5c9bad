"""The Redfield populations and a Lindbladian's defect with many digits, from stored doubles.

Independent of the package's own numerics: mpmath's eigensolver, Fermi's rule, and a linear solve.
Levels are in the package's order, by charge and then by energy.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

from lindfeas import Ohmic, OpenSystem
from lindfeas.physics.equations.lindbladian import Lindbladian


def matrix(array: Any) -> Any:
    """A numpy or scipy sparse matrix of doubles, exactly."""
    dense = array.toarray() if hasattr(array, "toarray") else np.asarray(array)
    number = mpmath.mpc if np.iscomplexobj(dense) else mpmath.mpf
    return mpmath.matrix([[number(entry) for entry in row] for row in dense.tolist()])


def levels(system: OpenSystem) -> tuple[list[Any], Any]:
    """Energies, and eigenvectors as columns."""
    charges = system.charges()
    size = system.dimension
    hamiltonian = matrix(system.hamiltonian)
    energies: list[Any] = []
    vectors = mpmath.zeros(size)
    for charge in np.unique(charges):
        states = [int(state) for state in np.flatnonzero(charges == charge)]
        block = mpmath.matrix([[hamiltonian[i, j] for j in states] for i in states])
        values, columns = mpmath.eighe(block)
        for level in range(len(states)):
            for row, state in enumerate(states):
                vectors[state, len(energies)] = columns[row, level]
            energies.append(mpmath.re(values[level]))
    return energies, vectors


def rates(density: Ohmic, beta: float, mu: float, energy: Any) -> tuple[Any, Any]:
    """(J n, J (n + 1)) for a family of densities strength w^s exp(-(w/cutoff)^2); zero at 0."""
    if energy <= 0:
        return mpmath.mpf(0), mpmath.mpf(0)
    strength = density.strength * energy ** mpmath.mpf(density.exponent)
    strength *= mpmath.exp(-((energy / density.cutoff) ** 2))
    if np.isinf(beta):
        return mpmath.mpf(0), strength
    occupation = 1 / mpmath.expm1(mpmath.mpf(beta) * (energy - mpmath.mpf(mu)))
    return strength * occupation, strength * (occupation + 1)


def populations(system: OpenSystem) -> tuple[list[Any], Any]:
    """Kernel of the rate matrix, and the eigenvectors."""
    energies, vectors = levels(system)
    size = len(energies)
    generator = mpmath.zeros(size)
    for bath, number, operator in system.couplings():
        between = vectors.H * matrix(operator) * vectors
        for k in range(size):
            for a in range(size):
                absorbed, emitted = rates(
                    bath.density_of(number), bath.beta, bath.mu, energies[a] - energies[k]
                )
                if k != a:
                    generator[k, a] += abs(between[k, a]) ** 2 * emitted
                    generator[a, k] += abs(between[k, a]) ** 2 * absorbed
    for a in range(size):
        generator[a, a] = -mpmath.fsum(generator[k, a] for k in range(size) if k != a)
    generator[0, :] = mpmath.ones(1, size)
    right = mpmath.zeros(size, 1)
    right[0] = 1
    return list(mpmath.lu_solve(generator, right)), vectors


def defect(system: OpenSystem, candidate: Lindbladian) -> Any:
    """sum_k |<k|L'(rho0)|k>| of the Gamma that the candidate holds."""
    p, vectors = populations(system)
    state = vectors * mpmath.diag(p) * vectors.H
    total = mpmath.zeros(system.dimension)
    for region in candidate.regions:
        operators = [matrix(system.embed(local, region.sites)) for local in region.basis]
        norms = [mpmath.mnorm(matrix(local), "f") for local in region.basis]
        share = mpmath.mpf(region.dimension) / system.dimension
        for i, left in enumerate(operators):
            for j, right in enumerate(operators):
                if region.kossakowski[i, j] != 0:
                    rate = mpmath.mpc(complex(region.kossakowski[i, j])) * share
                    rate /= norms[i] * norms[j]
                    loss = left.H * right
                    total += rate * (right * state * left.H - (loss * state + state * loss) / 2)
    flow = vectors.H * total * vectors
    return mpmath.fsum(abs(flow[k, k]) for k in range(system.dimension))
