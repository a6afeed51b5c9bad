"""Energies and eigenvectors of H_S, charge sector by charge sector."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lindfeas.errors import PhysicsError
from lindfeas.physics.systems.open_system import OpenSystem

DEGENERACY_TOLERANCE = 1e-9
"""Smallest level spacing inside a sector, relative to the sector's width, taken as resolved."""

INPUT_PRECISION = 2.0**-49
"""Energy differences below this fraction of the largest entry of H, 16 u, are taken as zero.

The entries carry the rounding of whoever wrote them, whatever their offset: a smaller difference
has no sign that means anything.
"""

INPUT_SPACING = 64
"""Smallest level spacing inside a sector in units of that: closer levels have eigenvectors that
the entries of H as given do not determine to better than a per cent."""

MOST_STEPS = 3
"""Steps of iterative refinement; two are enough for levels that `diagonalise` does not refuse."""

UNIT_ROUNDOFF = float(np.finfo(float).eps) / 2

EXTENDED_ROUNDOFF = float(np.finfo(np.longdouble).eps) / 2


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
        Rounded to doubles with their offset, for display; shape (d,). Differences of them lose
        what the offset cost: see `bohr`.
    sectors
        In the order of their charges; one sector when the system has no charge.
    centred
        Energies relative to an offset common to all levels, in extended precision, shape (d,).
    resolution
        Differences of energies below this cannot be told from zero (energy).
    extended
        The vectors of every sector before they were rounded, each as in `Sector.vectors`.
    """

    energies: NDArray[np.float64]
    sectors: tuple[Sector, ...]
    centred: NDArray[np.longdouble]
    resolution: float
    extended: tuple[NDArray[Any], ...] = field(repr=False)

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
    def bohr(self) -> NDArray[np.float64]:
        """E_g - E_a, shape (d, d), rounded once; zero where `coinciding`."""
        difference = (self.centred[None, :] - self.centred[:, None]).astype(float)
        return np.where(self.coinciding, 0.0, difference)

    @cached_property
    def coinciding(self) -> NDArray[np.bool_]:
        """Pairs of levels whose energies cannot be told apart, shape (d, d); each with itself."""
        difference = np.abs(self.centred[None, :] - self.centred[:, None]).astype(float)
        own = self._level_uncertainty
        return difference <= self.resolution + 2 * np.add.outer(own, own)

    @property
    def charges_coincide(self) -> bool:
        """Whether levels of different charge coincide, as far as can be told."""
        apart = np.not_equal.outer(self.charges, self.charges)
        return bool((self.coinciding & apart).any())

    @cached_property
    def bohr_uncertainty(self) -> NDArray[np.float64]:
        """Bound on the error of `bohr`, shape (d, d); zero for a level and itself.

        Uncertainty of both levels and two units of rounding; where levels coincide, all that the
        difference might be.
        """
        own = self._level_uncertainty
        total = np.add.outer(own, own) + 2 * UNIT_ROUNDOFF * np.abs(self.bohr)
        total[self.coinciding] += 2 * (self.resolution + total[self.coinciding])
        np.fill_diagonal(total, 0.0)
        return total

    @cached_property
    def _level_uncertainty(self) -> NDArray[np.float64]:
        """Error of every level's energy relative to the common offset, shape (d,)."""
        sizes = np.concatenate(
            [np.full(sector.states.size, sector.uncertainty) for sector in self.sectors]
        )
        rounding = 2 * EXTENDED_ROUNDOFF * np.abs(self.centred).astype(float)
        return np.asarray(sizes + rounding)

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

    def elements(self, operator: sp.csr_array, shift: int) -> NDArray[Any]:
        """`in_eigenbasis` with products in extended precision, rounded once.

        Elements that vanish by a symmetry are then zero to about 1e-19, not 1e-16, of the others.
        """
        place = {sector.charge: number for number, sector in enumerate(self.sectors)}
        is_complex = any(map(np.iscomplexobj, (operator.data, *self.extended)))
        precise = operator.astype(np.clongdouble if is_complex else np.longdouble)
        matrix = np.zeros((self.dimension,) * 2, dtype=complex if is_complex else float)
        for initial, vectors in zip(self.sectors, self.extended, strict=True):
            number = place.get(initial.charge + shift)
            if number is not None:
                final = self.sectors[number]
                moved = precise[final.states][:, initial.states] @ vectors.astype(precise.dtype)
                matrix[final.levels, initial.levels] = self.extended[number].conj().T @ moved
        return matrix

    def element_errors(
        self, size: NDArray[np.float64], *, of_input: bool = False
    ) -> NDArray[np.float64]:
        """Bound on the error of `elements` of absolute values ``size``, shape (d, d).

        theta |S| + |S| theta with the angles of vectors that are not yet rounded, and u |S|. Zero
        where the charge forbids an element. With ``of_input``, what an error of H by `resolution`
        would do is added: no element below that is known to differ from zero.
        """
        result = np.zeros_like(size)
        for sector in self.sectors:
            own = self._extended_angles(sector, self.resolution if of_input else 0.0)
            result[sector.levels] += own @ size[sector.levels]
            result[:, sector.levels] += size[:, sector.levels] @ own
        return result + UNIT_ROUNDOFF * size

    def rotation_angles(self, *, extended: bool = False) -> NDArray[np.float64]:
        """First-order bound on the angle between exact and computed levels, shape (d, d).

        Zero between different sectors, where charge conservation is exact. With ``extended`` for
        the vectors before they were rounded to doubles, from which `elements` are computed.
        """
        angles = np.zeros((self.dimension, self.dimension))
        for sector in self.sectors:
            own = self._extended_angles(sector, 0.0)
            if not extended:
                own = own + 4 * UNIT_ROUNDOFF
            angles[sector.levels, sector.levels] = own
        return angles

    def _extended_angles(self, sector: Sector, of_input: float) -> NDArray[np.float64]:
        """eta / |E_k - E_k'|, and what products with the vectors are rounded by."""
        gaps = np.abs(self.bohr[sector.levels, sector.levels])
        np.fill_diagonal(gaps, np.inf)
        rounding = 4 * sector.states.size * EXTENDED_ROUNDOFF
        angles: NDArray[np.float64] = (sector.uncertainty + of_input) / gaps + rounding
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
    energies: list[NDArray[np.longdouble]] = []
    extended: list[NDArray[Any]] = []
    offset = _offset(system)
    resolution = INPUT_PRECISION * float(np.abs(system.hamiltonian.data).max(initial=0.0))
    start = 0
    for charge in np.unique(charges):
        states = np.flatnonzero(charges == charge)
        block = _without(system.hamiltonian[states][:, states].toarray(), offset)
        place = f"in charge sector {charge} " if system.charge is not None else ""
        values, vectors, uncertainty = _eigensystem(block, offset, resolution, place)
        levels = slice(start, start + states.size)
        sectors.append(
            Sector(
                charge=int(charge),
                states=states,
                levels=levels,
                vectors=vectors.astype(complex if np.iscomplexobj(vectors) else float),
                uncertainty=uncertainty,
            )
        )
        energies.append(values)
        extended.append(vectors)
        start += states.size
    centred = np.concatenate(energies)
    return Spectrum(
        energies=(centred + np.longdouble(offset)).astype(float),
        sectors=tuple(sectors),
        centred=centred,
        resolution=resolution,
        extended=tuple(extended),
    )


def _offset(system: OpenSystem) -> float:
    """One energy common to all levels: the middle of the diagonal of H."""
    diagonal = system.hamiltonian.diagonal().real
    return float(diagonal.min() / 2 + diagonal.max() / 2)


def _without(block: NDArray[Any], energy: float | np.longdouble) -> NDArray[Any]:
    """The matrix minus an energy, in extended precision: exact where doubles have one size."""
    extended = np.clongdouble if np.iscomplexobj(block) else np.longdouble
    return block.astype(extended) - np.longdouble(energy) * np.eye(len(block))


def _eigensystem(
    block: NDArray[Any], offset: float, resolution: float, place: str
) -> tuple[NDArray[np.longdouble], NDArray[Any], float]:
    """Eigenvalues, eigenvectors, and their backward error, in extended precision like ``block``.

    Its mean energy is taken out, so that errors are relative
    to the sector's width. Steps of iterative refinement in extended precision (Ogita and Aishima,
    Japan J. Indust. Appl. Math. 35, 1007 (2018), Algorithm 1) then remove the amplification of
    rounding by small level spacings, up to what the extended precision leaves. What a step leaves
    is quadratic in it: the next one is taken until that is lost in the extended precision.
    """
    size = len(block)
    if size == 1:
        return block.real[0], np.eye(1, dtype=block.dtype), 0.0
    centre = np.trace(block).real / size
    exact = _without(block, centre)
    values, vectors = np.linalg.eigh(exact.astype(complex if np.iscomplexobj(block) else float))
    _check_spacing(values, float(centre) + offset, resolution, place)
    unit = 2 * EXTENDED_ROUNDOFF
    v = vectors.astype(block.dtype)
    for _ in range(MOST_STEPS):
        refined, step = _refinement(exact, v)
        v = v + v @ step
        left = float(np.abs(step).max()) ** 2 * size
        if left <= unit:
            break
    norm = float(np.abs(refined).max())
    uncertainty = 4 * size * unit * norm + left * float(np.diff(np.sort(refined)).min())
    return refined + centre, v, uncertainty


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


def _check_spacing(
    values: NDArray[np.float64], centre: float, resolution: float, place: str
) -> None:
    gaps = np.diff(values)
    closest = int(np.argmin(gaps))
    width = float(np.abs(values).max())
    if gaps[closest] > max(DEGENERACY_TOLERANCE * width, INPUT_SPACING * resolution):
        return
    raise PhysicsError(
        f"must have levels that can be told apart, but two levels {place}near energy "
        f"{values[closest] + centre:.6g} are {max(gaps[closest], 0.0):.1e} apart; lift the "
        "degeneracy" + ("" if place else " or state the conserved charge that separates them"),
        "system.H",
    )


def whole_space(spectrum: Spectrum) -> Sector:
    """All levels as one sector, for states and actions that do not respect the charge."""
    return Sector(
        charge=0,
        states=np.arange(spectrum.dimension),
        levels=slice(0, spectrum.dimension),
        vectors=spectrum.vectors,
        uncertainty=max(sector.uncertainty for sector in spectrum.sectors),
    )
