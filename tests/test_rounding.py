"""The rounding model against the same stored matrices, evaluated with 40 digits."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from lindfeas import Bath, OpenSystem
from lindfeas.population_error import population_error
from lindfeas.redfield import redfield_equation

LEVELS = 4
CUTOFF = 10


def close_levels(seed: int) -> OpenSystem:
    """Four levels, two of them 1e-3 to 1e-8.5 apart, no charge, a bath on each of two qubits."""
    random = np.random.default_rng(seed)
    energies = np.sort(random.normal(size=LEVELS))
    energies[2] = energies[1] + 10 ** random.uniform(-8.5, -3)
    rotation, _ = np.linalg.qr(random.normal(size=(LEVELS, LEVELS)))
    hamiltonian = rotation * energies @ rotation.T + random.normal() * np.eye(LEVELS)
    baths = []
    for site, name in enumerate(("left", "right")):
        coupling = random.normal(size=(2, 2))
        baths.append(
            Bath(
                name=name,
                sites=(site,),
                beta=float(10 ** random.uniform(-1, 1)),
                couplings=(coupling + coupling.T,),
            )
        )
    return OpenSystem(
        hamiltonian=(hamiltonian + hamiltonian.T) / 2, dimensions=(2, 2), baths=tuple(baths)
    )


def exact_populations(system: OpenSystem) -> list[Any]:
    """The kernel of the rate matrix, from Fermi's rule with J(w) = w exp(-(w/10)^2)."""
    energies, vectors = mpmath.eigsy(mpmath.matrix(system.hamiltonian.toarray().tolist()))
    generator = mpmath.matrix(LEVELS, LEVELS)
    for bath, _, operator in system.couplings():
        beta = mpmath.mpf(bath.beta)
        between = vectors.T * mpmath.matrix(operator.toarray().tolist()) * vectors
        for k in range(LEVELS):
            for a in range(LEVELS):
                energy = energies[a] - energies[k]
                if energy > 0:
                    density = energy * mpmath.exp(-((energy / CUTOFF) ** 2))
                    occupation = 1 / mpmath.expm1(beta * energy)
                    generator[k, a] += between[k, a] ** 2 * density * (occupation + 1)
                    generator[a, k] += between[a, k] ** 2 * density * occupation
    for a in range(LEVELS):
        generator[a, a] = -mpmath.fsum(generator[k, a] for k in range(LEVELS) if k != a)
    generator[0, :] = mpmath.ones(1, LEVELS)
    right = mpmath.matrix(LEVELS, 1)
    right[0] = 1
    return list(mpmath.lu_solve(generator, right))


@pytest.mark.parametrize("seed", [*range(60), 1222, 1375, 1710])
def test_populations_of_close_levels_are_as_accurate_as_the_model_says(seed: int) -> None:
    system = close_levels(seed)
    reference = redfield_equation(system)
    allowed = population_error(reference)
    with mpmath.workdps(40):
        exact = exact_populations(system)
        errors = [
            abs(mpmath.mpf(float(p)) - q) for p, q in zip(reference.populations, exact, strict=True)
        ]
    assert all(error <= bound for error, bound in zip(errors, allowed, strict=True))
