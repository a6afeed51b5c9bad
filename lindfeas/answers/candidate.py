"""The candidate: an explicit Lindbladian, with what its steady state is at leading order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from lindfeas.errors import PhysicsError
from lindfeas.physics.dynamics.measures import trace_distance
from lindfeas.physics.equations.lindbladian import Lindbladian, RegionDissipator
from lindfeas.physics.equations.operator_basis import Region, merged
from lindfeas.physics.equations.rate_equation import stationary_distribution
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.program import bounds
from lindfeas.program.program import Point, Program
from lindfeas.program.setting import Setting

DENSE_LEVELS = 300

SLOWEST = 8

UNIQUENESS_TOLERANCE = 1e-10
"""Smallest spectral gap, relative to the candidate's own fastest rate, populations or coherences,
that counts as a unique steady state."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A Lindbladian that was found, and how far from the truth it is: its own numbers, no others'.

    Parameters
    ----------
    lindbladian
        The Lindbladian.
    defect
        Upper end of its defect, rounding included (rate unit).
    distance
        Upper end of the trace distance T of its populations from the true ones; None if its steady
        state is not unique.
    coherence_error
        Upper end of the relative error R of its coherences; None where it was not asked for.
    """

    lindbladian: Lindbladian
    defect: float
    distance: float | None
    coherence_error: float | None = None

    @property
    def relative_gap(self) -> float:
        """Its spectral gap as a fraction of its rates: the largest tr Gamma^r d_r / d."""
        levels = int(np.prod(self.lindbladian.dimensions))
        largest = max(own.rate * own.dimension / levels for own in self.lindbladian.regions)
        return self.lindbladian.spectral_gap / largest if largest > 0 else 0.0


def candidate_of(
    setting: Setting,
    point: Point,
    *,
    defect: float | None = None,
    distance: float | None = None,
    coherence_error: float | None = None,
) -> Candidate:
    """The candidate of a feasible point of a question's program.

    Parameters
    ----------
    defect, distance
        Upper ends that are known; worked out from the point if left out.
    """
    found = lindbladian_of(setting, point)
    if defect is None:
        defect = bounds.upper_bound(setting.program, point)
    if distance is None and found.populations is not None:
        moved = trace_distance(found.populations, setting.reference.populations)
        distance = min(moved + setting.population_distance, 1.0)
    return Candidate(
        lindbladian=found,
        defect=defect,
        distance=distance if found.steady_state_unique else None,
        coherence_error=coherence_error,
    )


def lindbladian_of(setting: Setting, point: Point) -> Lindbladian:
    """The Lindbladian of a feasible point of a question's program."""
    return lindbladian(setting.program, point, setting.reference, setting.ansatz.regions)


def lindbladian(
    program: Program, point: Point, reference: Redfield, regions: tuple[Region, ...]
) -> Lindbladian:
    """Assemble the Lindbladian of a feasible point and find its steady state."""
    rates, decay = _secular_part(program, point, reference, regions)
    try:
        populations = stationary_distribution(rates)
    except PhysicsError:
        populations = None
    gap = secular_gap(rates, decay)
    fastest = max(float(rates.sum(axis=0).max(initial=0.0)), float(decay.max(initial=0.0)))
    unique = populations is not None and gap > UNIQUENESS_TOLERANCE * fastest
    return Lindbladian(
        regions=tuple(
            _dissipator(number, region, program, point) for number, region in enumerate(regions)
        ),
        populations=populations if unique else None,
        spectral_gap=gap,
        steady_state_unique=unique,
        dimensions=reference.system.dimensions,
    )


def _dissipator(number: int, region: Region, program: Program, point: Point) -> RegionDissipator:
    return RegionDissipator(
        name=region.name,
        sites=region.sites,
        dimension=region.dimension,
        hamiltonian=_local_hamiltonian(number, region, program, point),
        kossakowski=block_diag(*(point.gammas[b] for b in program.of_region(number))),
        basis=region.basis,
        basis_labels=region.labels,
    )


def _local_hamiltonian(number: int, region: Region, program: Program, point: Point) -> NDArray[Any]:
    """H_r of the point's coordinates."""
    total = np.zeros((region.dimension,) * 2, dtype=complex)
    for weight, (owner, operator) in zip(point.shift, program.shifts.basis, strict=True):
        if owner == number:
            total += weight * operator
    return total if total.imag.any() else total.real


def _secular_part(
    program: Program, point: Point, reference: Redfield, regions: tuple[Region, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(rates C[k, a] between levels, decay[a, g] of every coherence), both (d, d).

    decay = (out_a + out_g)/2 - Re sum_n <a|L_n|a> conj(<g|L_n|g>), out_a = <a|sum L^dag L|a>.
    """
    size = reference.spectrum.dimension
    rates = np.zeros((size, size))
    overlap = np.zeros((size, size))
    for number, region in enumerate(regions):
        blocks = program.of_region(number)
        by_charge = len(blocks) == len(region.groups)
        groups = region.groups if by_charge else (merged(region, reference.spectrum),)
        for b, group in zip(blocks, groups, strict=True):
            values, vectors = np.linalg.eigh(point.gammas[b])
            weights = (vectors * np.sqrt(np.maximum(values, 0.0))).conj().T
            diagonal = np.zeros((len(values), size), dtype=complex)
            for final, initial, block in group.blocks:
                jumps = np.tensordot(weights, block, axes=1)
                rates[final.levels, initial.levels] += np.sum(np.abs(jumps) ** 2, axis=0)
                if final.charge == initial.charge:
                    diagonal[:, final.levels] = np.diagonal(jumps, axis1=1, axis2=2)
            overlap += (diagonal.T @ diagonal.conj()).real
    out = rates.sum(axis=0)
    decay = np.add.outer(out, out) / 2 - overlap
    np.fill_diagonal(rates, 0.0)
    return rates, decay


def secular_gap(rates: NDArray[np.float64], decay: NDArray[np.float64]) -> float:
    """Slowest rate of relaxation of the populations, and of decay of the coherences."""
    apart = ~np.eye(len(decay), dtype=bool)
    return max(0.0, min(_population_gap(rates), float(decay[apart].min(initial=np.inf))))


def _population_gap(rates: NDArray[np.float64]) -> float:
    """Slowest relaxation rate of the populations: min Re(-lambda) over the nonzero spectrum.

    For many levels only the `SLOWEST` eigenvalues nearest to zero are found, by Arnoldi
    iteration on the shifted inverse (ARPACK, through scipy).
    """
    generator = np.diag(rates.sum(axis=0)) - rates
    if len(rates) <= DENSE_LEVELS:
        values = np.linalg.eigvals(generator)
    else:
        from scipy.sparse.linalg import eigs

        shift = -1e-9 * float(np.diag(generator).max())
        start = np.ones(len(rates))
        values = eigs(generator, k=SLOWEST, sigma=shift, v0=start, return_eigenvectors=False)
    return float(np.sort(values.real)[1]) if len(values) > 1 else np.inf
