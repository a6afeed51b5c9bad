"""Energies and eigenvectors of H_S, charge sector by charge sector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lindfeas.errors import PhysicsError
from lindfeas.system import OpenSystem

DEGENERACY_TOLERANCE = 1e-9
"""Smallest level spacing inside a sector, relative to the sector's width, taken as resolved."""

LOST_IN_OFFSET = 1e-13
"""Spacings below this fraction of the energy itself are lost when energies are subtracted."""

MOST_STEPS = 3
"""Steps of iterative refinement; two are enough for levels that `diagonalise` does not refuse."""

UNIT_ROUNDOFF = float(np.finfo(float).eps) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """The levels of one charge.

    Parameters
    ----------
    charge
        Total charge of the sector.
    states
        Numbers of its product basis states, shape (n,).
    levels
        Where its levels stand in the spectrum's order.
    vectors
        Eigenvectors as columns over ``states``, shape (n, n).
    uncertainty
        Bound on ||delta H||: before they are rounded to doubles, the vectors are exact for
        H + delta H (energy).
    """

    charge: int
    states: NDArray[np.int64]
    levels: slice
    vectors: NDArray[Any]
    uncertainty: float


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Eigensystem of H_S, levels ordered by sector, then by energy.

    Parameters
    ----------
    energies
        Shape (d,).
    sectors
        In the order of their charges; one sector when the system has no charge.
    """

    energies: NDArray[np.float64]
    sectors: tuple[Sector, ...]

    @property
    def dimension(self) -> int:
        """Number of levels d."""
        return int(self.energies.size)

    @cached_property
    def charges(self) -> NDArray[np.int64]:
        """Charge of every level, shape (d,)."""
        return np.concatenate(
            [np.full(sector.states.size, sector.charge) for sector in self.sectors]
        )

    @cached_property
    def vectors(self) -> NDArray[Any]:
        """All eigenvectors as columns in the product basis, shape (d, d)."""
        dtype = np.result_type(*(sector.vectors.dtype for sector in self.sectors))
        vectors = np.zeros((self.dimension, self.dimension), dtype=dtype)
        for sector in self.sectors:
            vectors[sector.states, sector.levels] = sector.vectors
        return vectors

    def blocks(
        self, operator: sp.csr_array, shift: int
    ) -> list[tuple[Sector, Sector, NDArray[Any]]]:
        """``operator``, which shifts the charge by ``shift``, in the eigenbasis.

        Returns
        -------
        list of (final sector, initial sector, matrix of shape (n_final, n_initial))
        """
        by_charge = {sector.charge: sector for sector in self.sectors}
        found = []
        for initial in self.sectors:
            final = by_charge.get(initial.charge + shift)
            if final is not None:
                part = operator[final.states][:, initial.states]
                matrix = final.vectors.conj().T @ (part @ initial.vectors)
                found.append((final, initial, matrix))
        return found

    def in_eigenbasis(self, operator: sp.csr_array, shift: int) -> NDArray[Any]:
        """``operator`` as a dense (d, d) matrix between levels."""
        blocks = self.blocks(operator, shift)
        dtype = np.result_type(float, *(block.dtype for _, _, block in blocks))
        matrix = np.zeros((self.dimension, self.dimension), dtype=dtype)
        for final, initial, block in blocks:
            matrix[final.levels, initial.levels] = block
        return matrix

    def rotation_angles(self) -> NDArray[np.float64]:
        """First-order bound on the angle between exact and computed levels, shape (d, d).

        Zero between different sectors, where charge conservation is exact.
        """
        angles = np.zeros((self.dimension, self.dimension))
        for sector in self.sectors:
            energies = self.energies[sector.levels]
            gaps = np.abs(np.subtract.outer(energies, energies))
            np.fill_diagonal(gaps, np.inf)
            angles[sector.levels, sector.levels] = sector.uncertainty / gaps + 4 * UNIT_ROUNDOFF
        return angles


def diagonalise(system: OpenSystem) -> Spectrum:
    """Eigensystem of H_S, refusing levels of one sector that cannot be told apart.

    Raises
    ------
    PhysicsError
        If two levels of equal charge are closer than `DEGENERACY_TOLERANCE` of the sector's
        width: the steady state then has coherences at zeroth order.
    """
    charges = system.charges()
    sectors: list[Sector] = []
    energies: list[NDArray[np.float64]] = []
    start = 0
    for charge in np.unique(charges):
        states = np.flatnonzero(charges == charge)
        block = system.hamiltonian[states][:, states].toarray()
        place = f"in charge sector {charge} " if system.charge is not None else ""
        values, vectors, uncertainty = _eigensystem(block, place)
        levels = slice(start, start + states.size)
        sectors.append(
            Sector(
                charge=int(charge),
                states=states,
                levels=levels,
                vectors=vectors,
                uncertainty=uncertainty,
            )
        )
        energies.append(values)
        start += states.size
    return Spectrum(energies=np.concatenate(energies), sectors=tuple(sectors))


def _eigensystem(
    block: NDArray[Any], place: str
) -> tuple[NDArray[np.float64], NDArray[Any], float]:
    """Eigenvalues, eigenvectors to a few ulp, and the backward error before they are rounded.

    The mean energy is taken out, so that errors are relative to the sector's width and not to its
    offset. Steps of iterative refinement in extended precision (Ogita and Aishima, Japan J.
    Indust. Appl. Math. 35, 1007 (2018), Algorithm 1) then remove the amplification of rounding
    by small level spacings, up to what the extended precision leaves. What a step leaves is
    quadratic in it: the next one is taken until that is lost in the extended precision.
    """
    size = len(block)
    centre = float(np.trace(block).real) / size
    values, vectors = np.linalg.eigh(block - centre * np.eye(size))
    if size == 1:
        return values + centre, vectors, 0.0
    _check_spacing(values, centre, place)
    unit = float(np.finfo(np.longdouble).eps)
    extended = np.clongdouble if np.iscomplexobj(block) else np.longdouble
    exact = block.astype(extended) - np.longdouble(centre) * np.eye(size)
    v = vectors.astype(extended)
    for _ in range(MOST_STEPS):
        refined, step = _refinement(exact, v)
        v = v + v @ step
        left = float(np.abs(step).max()) ** 2 * size
        if left <= unit:
            break
    norm = float(np.abs(refined).max())
    uncertainty = 4 * size * unit * norm + left * float(np.diff(np.sort(refined)).min())
    return (
        (refined + np.longdouble(centre)).astype(float),
        v.astype(vectors.dtype),
        uncertainty,
    )


def _refinement(matrix: NDArray[Any], v: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Eigenvalues of ``matrix`` and the step E for which v (1 + E) are better eigenvectors.

    The Hermitian part of E is what makes the vectors orthonormal, without a division by level
    spacings; rounding in these divisions can then do no more than rotate close levels.
    """
    size = len(matrix)
    adjoint = v.conj().T
    rotated = adjoint @ (matrix @ v)
    defect = np.eye(size) - adjoint @ v
    refined = (np.diag(rotated) / (1 - np.diag(defect))).real
    gaps = refined[None, :] - refined[:, None]
    np.fill_diagonal(gaps, 1)
    rotation = (rotated + refined * defect) / gaps
    np.fill_diagonal(rotation, 0)
    return refined, (rotation - rotation.conj().T + defect) / 2


def _check_spacing(values: NDArray[np.float64], centre: float, place: str) -> None:
    gaps = np.diff(values)
    closest = int(np.argmin(gaps))
    width = float(np.abs(values).max())
    if gaps[closest] > max(DEGENERACY_TOLERANCE * width, LOST_IN_OFFSET * abs(centre)):
        return
    raise PhysicsError(
        f"must have levels that can be told apart, but two levels {place}near energy "
        f"{values[closest] + centre:.6g} are {max(gaps[closest], 0.0):.1e} apart; lift the "
        "degeneracy" + ("" if place else " or state the conserved charge that separates them"),
        "system.H",
    )
