"""The candidate: an explicit Lindbladian, with what its steady state is at leading order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from lindfeas.ansatz import Region, merged
from lindfeas.errors import MissingExtraError, PhysicsError
from lindfeas.problem import Point, Problem
from lindfeas.redfield import Redfield
from lindfeas.state_reduction import stationary_distribution

DENSE_LEVELS = 300
SLOWEST = 8

UNIQUENESS_TOLERANCE = 1e-10
"""Smallest spectral gap, relative to the candidate's own fastest rate, populations or coherences,
that counts as a unique steady state."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionDissipator:
    """One bath's part of the candidate: D(rho) = sum_ij Gamma_ij (F_j rho F_i^dag - ...).

    Parameters
    ----------
    name, sites
        The bath and its region.
    dimension
        d_r, levels of the region.
    hamiltonian
        H_r, shape (d_r, d_r).
    kossakowski
        Gamma, shape (d_r^2 - 1, d_r^2 - 1), positive semidefinite.
    basis
        f_i, shape (d_r^2 - 1, d_r, d_r), orthonormal; F_i = f_i (x) 1 / sqrt(d/d_r).
    basis_labels
        One name per basis operator.
    """

    name: str
    sites: tuple[int, ...]
    dimension: int
    hamiltonian: NDArray[Any]
    kossakowski: NDArray[Any]
    basis: NDArray[Any]
    basis_labels: tuple[str, ...]

    @property
    def rate(self) -> float:
        """tr Gamma."""
        return float(np.trace(self.kossakowski).real)

    @property
    def hamiltonian_norm(self) -> float:
        """Largest absolute eigenvalue of H_r (rate unit)."""
        return float(np.linalg.norm(self.hamiltonian, 2))

    @property
    def jump_rates(self) -> NDArray[np.float64]:
        """Rates gamma_n of the diagonal form, largest first, shape (d_r^2 - 1,)."""
        return self._diagonal()[0]

    @property
    def jump_operators(self) -> NDArray[Any]:
        """L_n on the region, shape (d_r^2 - 1, d_r, d_r), orthonormal.

        D(rho) = sum_n gamma_n/(d/d_r) (L_n rho L_n^dag - {L_n^dag L_n, rho}/2).
        """
        return self._diagonal()[1]

    def _diagonal(self) -> tuple[NDArray[np.float64], NDArray[Any]]:
        values, vectors = np.linalg.eigh(self.kossakowski)
        order = np.argsort(values)[::-1]
        operators = np.einsum("jn,jab->nab", vectors[:, order].conj(), self.basis)
        return np.maximum(values[order], 0.0), operators


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lindbladian:
    """L'(rho) = sum_r i[rho, H_r] + D_r(rho), and its leading-order steady state.

    Parameters
    ----------
    regions
        One dissipator per bath.
    populations
        Its steady populations in the eigenbasis of H_S at leading order, shape (d,); None if they
        are not unique.
    spectral_gap
        Slowest nonzero relaxation rate of populations and coherences under the secular
        (weak-coupling) part of L', in units of eps^2.
    steady_state_unique
        Whether the steady state is unique.
    dimensions
        Local dimensions of the system.
    """

    regions: tuple[RegionDissipator, ...]
    populations: NDArray[np.float64] | None
    spectral_gap: float
    steady_state_unique: bool
    dimensions: tuple[int, ...]

    def qobj(self) -> tuple[Any, list[Any]]:
        """(sum_r H_r, collapse operators with their rates) as QuTiP objects on the system.

        Raises
        ------
        MissingExtraError
            Without QuTiP.
        """
        try:
            import qutip
        except ImportError:
            raise MissingExtraError("qutip", "qutip", "Lindbladian.qobj()") from None
        from lindfeas.system import embed

        dims = [list(self.dimensions)] * 2
        size = int(np.prod(self.dimensions))
        shift = qutip.Qobj(np.zeros((size, size)), dims=dims)
        collapse = []
        for region in self.regions:
            full = embed(region.hamiltonian, region.sites, self.dimensions).toarray()
            shift = shift + qutip.Qobj(full, dims=dims)
            scale = region.dimension / size
            for rate, jump in zip(region.jump_rates, region.jump_operators, strict=True):
                if rate > 0:
                    full = embed(jump, region.sites, self.dimensions).toarray()
                    collapse.append(qutip.Qobj(np.sqrt(rate * scale) * full, dims=dims))
        return shift, collapse


def lindbladian(
    problem: Problem, point: Point, reference: Redfield, regions: tuple[Region, ...]
) -> Lindbladian:
    """Assemble the Lindbladian of a feasible point and find its steady state."""
    rates, decay = _secular_part(problem, point, reference, regions)
    try:
        populations = stationary_distribution(rates)
    except PhysicsError:
        populations = None
    gap = _spectral_gap(rates, decay)
    fastest = max(float(rates.sum(axis=0).max(initial=0.0)), float(decay.max(initial=0.0)))
    unique = populations is not None and gap > UNIQUENESS_TOLERANCE * fastest
    return Lindbladian(
        regions=tuple(
            _dissipator(number, region, problem, point) for number, region in enumerate(regions)
        ),
        populations=populations if unique else None,
        spectral_gap=gap,
        steady_state_unique=unique,
        dimensions=reference.system.dimensions,
    )


def _dissipator(number: int, region: Region, problem: Problem, point: Point) -> RegionDissipator:
    return RegionDissipator(
        name=region.name,
        sites=region.sites,
        dimension=region.dimension,
        hamiltonian=_local_hamiltonian(number, region, problem, point),
        kossakowski=block_diag(*(point.gammas[b] for b in problem.of_region(number))),
        basis=region.basis,
        basis_labels=region.labels,
    )


def _local_hamiltonian(number: int, region: Region, problem: Problem, point: Point) -> NDArray[Any]:
    """H_r of the point's coordinates."""
    total = np.zeros((region.dimension,) * 2, dtype=complex)
    for weight, (owner, operator) in zip(point.shift, problem.shifts.basis, strict=True):
        if owner == number:
            total += weight * operator
    return total if total.imag.any() else total.real


def _secular_part(
    problem: Problem, point: Point, reference: Redfield, regions: tuple[Region, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(rates C[k, a] between levels, decay[a, g] of every coherence), both (d, d).

    decay = (out_a + out_g)/2 - Re sum_n <a|L_n|a> conj(<g|L_n|g>), out_a = <a|sum L^dag L|a>.
    """
    size = reference.spectrum.dimension
    rates = np.zeros((size, size))
    overlap = np.zeros((size, size))
    for number, region in enumerate(regions):
        blocks = problem.of_region(number)
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


def _spectral_gap(rates: NDArray[np.float64], decay: NDArray[np.float64]) -> float:
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
