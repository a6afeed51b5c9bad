"""What an allowed Lindbladian does to every level: L'(|g><g|) in arrays.

In coordinates of an orthonormal basis E_m of the Hermitian matrices that conserve the charge,

    tr(E_m L'(|g><g|)) = sum_r <Gamma^r, B^r[m, g]> + sum_k x_k S[m, g, k],
    B[m, g]_ij = tr( E_m (F_j |g><g| F_i^dag - {F_i^dag F_j, |g><g|} / 2) ),
    S[m, g, k] = tr( E_m i[|g><g|, h_k (x) 1] ),

with the orthonormal local Hamiltonians h_k. For a multiplier Y with coordinates y,
B_g(Y) = sum_m y_m B[m, g] and N_g(Y)_k = sum_m y_m S[m, g, k]; for a state sum_g q_g |g><g| both
are summed over g with the weights q_g.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.equations.operator_basis import Group, Region
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.systems.spectrum import Sector
from lindfeas.program.flow import CoefficientBlock
from lindfeas.program.hermitian import Layout, hermitian_coordinates
from lindfeas.program.program import ShiftDirections


@dataclass(frozen=True, kw_only=True)
class LevelBlock(CoefficientBlock):
    """B for one Kossakowski block.

    Parameters
    ----------
    region
        Number of the region.
    coefficients
        B, shape (rows, d, n, n); real where the data are real.
    """

    def of_multiplier(self, multiplier: NDArray[np.float64]) -> NDArray[Any]:
        """B_g(Y) for every level, shape (d, n, n)."""
        return np.tensordot(multiplier, self.coefficients, axes=1)

    def of_state(self, populations: NDArray[np.float64]) -> NDArray[Any]:
        """sum_g q_g B[m, g], shape (rows, n, n)."""
        return np.einsum("g,mgij->mij", populations, self.coefficients)

    def value(self, gamma: NDArray[Any]) -> NDArray[np.float64]:
        """<Gamma, B[m, g]>, shape (rows, d)."""
        rows, levels = self.coefficients.shape[:2]
        flat = self.coefficients.reshape(rows * levels, -1)
        found: NDArray[np.float64] = np.real(flat @ gamma.reshape(-1)).reshape(rows, levels)
        return found


@dataclass(frozen=True, kw_only=True)
class LevelAction:
    """B and S of all regions, in the order of a program about coherences.

    Parameters
    ----------
    layout
        The coordinates m.
    blocks
        B of every Kossakowski block.
    shifts
        S, shape (rows, d, coordinates of all H_r).
    gaps
        |E_a - E_b| of the pair of levels that every coordinate is about, shape (rows,); 0 for the
        diagonal ones (energy).
    gap_errors
        How far they can be wrong, shape (rows,).
    """

    layout: Layout
    blocks: tuple[LevelBlock, ...]
    shifts: NDArray[np.float64]
    gaps: NDArray[np.float64]
    gap_errors: NDArray[np.float64]

    @property
    def is_off_diagonal(self) -> NDArray[np.bool_]:
        """Which coordinates are about coherences, shape (rows,)."""
        found = np.ones(len(self.gaps), dtype=bool)
        found[self.layout.diagonal] = False
        return found

    def of_point(
        self, gammas: Sequence[NDArray[Any]], shift: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """tr(E_m L'(|g><g|)), shape (rows, d)."""
        total = self.shifts @ shift
        for block, gamma in zip(self.blocks, gammas, strict=True):
            total = total + block.value(gamma)
        return total


def level_action(
    reference: Redfield, regions: Sequence[Region], layout: Layout, shifts: ShiftDirections
) -> LevelAction:
    """B and S for the regions of an ansatz.

    Parameters
    ----------
    layout, shifts
        Of the question's program: one block of coordinates per sector, and the local Hamiltonians.
    """
    sectors = reference.spectrum.sectors
    spans = {sector.charge: span for sector, (_, span) in zip(sectors, layout.spans(), strict=True)}
    blocks = tuple(
        LevelBlock(
            region=number,
            coefficients=_coefficients(group, layout, spans, reference.spectrum.dimension),
        )
        for number, region in enumerate(regions)
        for group in region.groups
    )
    spectrum = reference.spectrum
    return LevelAction(
        layout=layout,
        blocks=blocks,
        shifts=_shift_effects(reference, regions, layout, shifts),
        gaps=_by_row(np.abs(spectrum.bohr), sectors, layout),
        gap_errors=_by_row(spectrum.bohr_uncertainty, sectors, layout),
    )


def _coefficients(
    group: Group, layout: Layout, spans: dict[int, slice], levels: int
) -> NDArray[Any]:
    """B of one group, shape (rows, d, n, n)."""
    n = group.size
    dtype = np.result_type(
        float,
        *([complex] if layout.is_complex else []),
        *(block.dtype for _, _, block in group.blocks),
    )
    found = np.zeros((layout.rows, levels, n, n), dtype=dtype)
    for final, initial, block in group.blocks:
        columns = block.transpose(2, 0, 1)  # level, operator, final level
        gain = np.einsum("gja,gib->gijab", columns, columns.conj())
        found[spans[final.charge], initial.levels] += _rows(gain, layout.is_complex)
        product = np.einsum("iba,jbc->ijac", block.conj(), block)
        loss = np.zeros((initial.states.size, *product.shape), dtype=product.dtype)
        for level in range(initial.states.size):
            loss[level, :, :, :, level] += product[:, :, :, level] / 2
            loss[level, :, :, level, :] += product[:, :, level, :] / 2
        found[spans[initial.charge], initial.levels] -= _rows(loss, layout.is_complex)
    if np.iscomplexobj(found) and (n == 1 or not found.imag.any()):
        return np.ascontiguousarray(found.real)
    return found


def _rows(stack: NDArray[Any], is_complex: bool) -> NDArray[Any]:
    """Coordinates of (g, i, j, a, b) matrices, as (rows, g, i, j)."""
    return np.moveaxis(hermitian_coordinates(stack, is_complex), -1, 0)


def _shift_effects(
    reference: Redfield, regions: Sequence[Region], layout: Layout, shifts: ShiftDirections
) -> NDArray[np.float64]:
    """S, shape (rows, d, coordinates)."""
    spectrum = reference.spectrum
    found = np.zeros((layout.rows, spectrum.dimension, shifts.count))
    for number, (region, local) in enumerate(shifts.basis):
        embedded = reference.system.embed(local, regions[region].sites)
        pairs = zip(spectrum.sectors, layout.spans(), strict=True)
        for sector, (size, span) in pairs:
            part = embedded[sector.states][:, sector.states]
            matrix = sector.vectors.conj().T @ (part @ sector.vectors)
            change = np.zeros((size, size, size), dtype=complex)
            for level in range(size):
                change[level, level, :] += 1j * matrix[level, :]
                change[level, :, level] -= 1j * matrix[:, level]
            rows = hermitian_coordinates(change, layout.is_complex).real
            found[span, sector.levels, number] = rows.T
    return found


def _by_row(
    matrix: NDArray[np.float64], sectors: Sequence[Sector], layout: Layout
) -> NDArray[np.float64]:
    """What a symmetric matrix between levels holds for the pair of every coordinate; 0 if one."""
    parts = []
    for sector in sectors:
        own = matrix[sector.levels, sector.levels]
        upper = own[np.triu_indices(len(own), 1)]
        parts += [np.zeros(len(own)), *[upper] * (2 if layout.is_complex else 1)]
    return np.concatenate(parts)
