"""Does the Lindblad equation that was found have the steady state that it should have?

The candidate L' is put to work: the steady state of d rho/dt = i[rho, H_S] + eps^2 L'(rho) is
solved for at several strengths eps and compared with the true one, rho0 + eps^2 rho2. With
rho = diag(p) + eps^2 c (c without diagonal), in the eigenbasis of H_S, and after division by eps^2,

    <a|L'[diag p + eps^2 c]|a> = 0,   i (E_g - E_a) c_ag + <a|L'[diag p + eps^2 c]|g> = 0,

with sum p = 1 (design of SDP-paper Eqs. 12-15). L' is taken in units of its largest entry, energies
in units of their largest difference, and c in units of the ratio: all coefficients are then of
order one, whatever the scales of L' and H_S, and small eps costs no digits; eps = 0 is the limit
itself. A candidate that respects the charge leaves the
unknowns between levels of equal charge only: sum_q n_q^2 instead of d^2.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, lu_factor, lu_solve

from lindfeas.physics.equations.lindbladian import Lindbladian, RegionDissipator
from lindfeas.physics.equations.operator_basis import Group, Region, merged
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.systems.sites import shifts
from lindfeas.physics.systems.spectrum import Sector, Spectrum, whole_space

RESOLVED = 1e-9
"""Reciprocal condition numbers below this leave the steady state undetermined.

Rounding counts by the condition number, so that errors are right to about 1e-6 in the worst case.
"""

NEUTRAL_TOLERANCE = 1e-13
"""Largest entry between charges, relative to the largest, put down to rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStateEquations:
    """(A0 + eps^2 (rate/energy) A1) x = 0 for x = (p, Re c', Im c'), for pairs of levels a < g.

    The rows are in the same order; the rows of p add up to zero. ``rate`` and ``energy`` are the
    units of L' and H_S, and c = c' rate/energy.
    """

    constant: NDArray[np.float64]
    quadratic: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    dimension: int
    rate: float
    energy: float

    def matrix(self, epsilon: float) -> NDArray[np.float64]:
        return self.constant + epsilon**2 * (self.rate / self.energy) * self.quadratic

    def steady_state(self, epsilon: float) -> NDArray[np.float64] | None:
        """The x with sum p = 1, or None if there is more than one.

        s (sum p) = s is added to every population row: their sum then says sum p = 1, and each
        of them what it said before.
        """
        d = self.dimension
        system = self.matrix(epsilon)
        scale = float(np.abs(np.diag(system)[:d]).max(initial=0.0))
        if scale == 0.0:
            return None
        system[:d, :d] += scale / d
        wanted = np.zeros(len(system))
        wanted[:d] = scale / d
        sizes = np.abs(system).max(axis=1)
        if not sizes.all():
            return None
        system /= sizes[:, None]
        factors = lu_factor(system, check_finite=False)
        norm = float(np.abs(system).sum(axis=0).max())
        if not lapack.dgecon(factors[0], norm)[0] > RESOLVED:
            return None
        target = wanted / sizes
        solution: NDArray[np.float64] = lu_solve(factors, target)
        solution += lu_solve(factors, target - system @ solution)
        return solution

    def coherences(self, state: NDArray[np.float64]) -> NDArray[np.complex128]:
        """c_ag for all pairs a < g."""
        pairs = len(self.first)
        real, imaginary = np.split(state[self.dimension :], [pairs])
        result: NDArray[np.complex128] = real + 1j * imaginary
        result *= self.rate / self.energy
        return result

    def residual(self, epsilon: float, state: NDArray[np.float64]) -> float:
        """Frobenius norm of what the state leaves over; every pair stands for two entries."""
        left = self.matrix(epsilon) @ state
        left[self.dimension :] *= np.sqrt(2)
        return self.rate * float(np.linalg.norm(left))


def unmixed_sectors(
    candidate: Lindbladian, spectrum: Spectrum, regions: tuple[Region, ...]
) -> tuple[Sector, ...]:
    """Blocks of the state that the candidate does not mix: by charge if it respects it."""
    parts = zip(candidate.regions, regions, strict=True)
    if all(_is_neutral(part, region.charges) for part, region in parts):
        return spectrum.sectors
    return (whole_space(spectrum),)


def _is_neutral(region: RegionDissipator, charges: NDArray[np.int64]) -> bool:
    """Whether H_r has charge 0, and Gamma connects operators of equal charge only."""
    carried = [next(iter(shifts(operator, charges))) for operator in region.basis]
    return _is_block_diagonal(region.hamiltonian, charges) and _is_block_diagonal(
        region.kossakowski, np.array(carried)
    )


def _is_block_diagonal(matrix: NDArray[Any], labels: NDArray[np.int64]) -> bool:
    apart = np.not_equal.outer(labels, labels)
    size = np.abs(matrix)
    outside = size[apart].max(initial=0.0)
    return bool(outside <= NEUTRAL_TOLERANCE * size.max(initial=0.0))


def steady_state_equations(
    candidate: Lindbladian,
    reference: Redfield,
    regions: tuple[Region, ...],
    sectors: tuple[Sector, ...],
) -> SteadyStateEquations:
    """The linear equations of the steady state, on the entries of the given blocks."""
    size = reference.spectrum.dimension
    level, other = _pairs(sectors)
    full = _superoperator(candidate, reference, regions, sectors)
    rate = _unit(np.abs(full))
    generator: NDArray[np.complex128] = full / rate
    diagonal = level == other
    upper = level < other
    # (g, a) stands where (a, g) would stand with rows and columns of its block exchanged
    place = {pair: number for number, pair in enumerate(zip(level, other, strict=True))}
    first, second = level[upper], other[upper]
    lower = np.array([place[pair] for pair in zip(second, first, strict=True)], dtype=int)
    columns = np.hstack(
        [
            generator[:, diagonal],
            generator[:, upper] + generator[:, lower],
            1j * (generator[:, upper] - generator[:, lower]),
        ]
    )
    rows = np.vstack([columns[diagonal].real, columns[upper].real, columns[upper].imag])
    constant, quadratic = np.zeros_like(rows), np.zeros_like(rows)
    constant[:, :size] = rows[:, :size]
    quadratic[:, size:] = rows[:, size:]
    # i (E_g - E_a) (Re c + i Im c)
    gaps = reference.spectrum.bohr[first, second]
    energy = _unit(gaps)
    gaps = gaps / energy
    real = size + np.arange(len(first))
    imaginary = real + len(first)
    constant[real, imaginary] -= gaps
    constant[imaginary, real] += gaps
    return SteadyStateEquations(
        constant=constant,
        quadratic=quadratic,
        first=first,
        second=second,
        dimension=size,
        rate=rate,
        energy=energy,
    )


def _unit(values: NDArray[np.float64]) -> float:
    """The power of two below the largest absolute value, so that dividing by it rounds nothing."""
    largest = float(np.abs(values).max(initial=0.0))
    return 2.0 ** math.floor(math.log2(largest)) if largest > 0 else 1.0


def _pairs(sectors: tuple[Sector, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Levels (a, g) of every entry of the state, block after block, row by row."""
    levels = [np.arange(sector.levels.start, sector.levels.stop) for sector in sectors]
    level = [np.repeat(members, members.size) for members in levels]
    other = [np.tile(members, members.size) for members in levels]
    return np.concatenate(level), np.concatenate(other)


def _superoperator(
    candidate: Lindbladian,
    reference: Redfield,
    regions: tuple[Region, ...],
    sectors: tuple[Sector, ...],
) -> NDArray[np.complex128]:
    """L' as a matrix on the entries `_pairs` of the state, shape (unknowns, unknowns)."""
    sizes = [sector.states.size for sector in sectors]
    ends = np.cumsum([0, *(n * n for n in sizes)])
    spans = [slice(a, b) for a, b in itertools.pairwise(ends)]
    place = {sector.charge: number for number, sector in enumerate(sectors)}
    result = np.zeros((ends[-1], ends[-1]), dtype=complex)
    # d rho/dt = K rho + rho K^dag + sum_n L_n rho L_n^dag, K = -i H_LS - sum_n L_n^dag L_n / 2
    drift = [-1j * block for block in _shift_blocks(candidate, reference, sectors)]
    for group, gamma in _parts(candidate, reference, regions, sectors):
        values, vectors = np.linalg.eigh(gamma)
        weights = (vectors * np.sqrt(np.maximum(values, 0.0))).conj().T
        for final, initial, block in group.blocks:
            jumps = np.tensordot(weights, block, axes=1)
            f, i = place[final.charge], place[initial.charge]
            flat = jumps.reshape(len(jumps), -1)
            gain = (flat.T @ flat.conj()).reshape(sizes[f], sizes[i], sizes[f], sizes[i])
            result[spans[f], spans[i]] += gain.transpose(0, 2, 1, 3).reshape(
                sizes[f] ** 2, sizes[i] ** 2
            )
            down = jumps.reshape(-1, sizes[i])
            drift[i] = drift[i] - down.conj().T @ down / 2
    for span, half, n in zip(spans, drift, sizes, strict=True):
        result[span, span] += np.kron(half, np.eye(n)) + np.kron(np.eye(n), half.conj())
    return result


def _parts(
    candidate: Lindbladian,
    reference: Redfield,
    regions: tuple[Region, ...],
    sectors: tuple[Sector, ...],
) -> Iterator[tuple[Group, NDArray[Any]]]:
    """The operators of every region between levels, with their Kossakowski block."""
    by_charge = sectors is reference.spectrum.sectors
    for region, dissipator in zip(regions, candidate.regions, strict=True):
        start = 0
        groups = region.groups if by_charge else (merged(region, reference.spectrum),)
        for group in groups:
            stop = start + group.size
            yield group, dissipator.kossakowski[start:stop, start:stop]
            start = stop


def _shift_blocks(
    candidate: Lindbladian, reference: Redfield, sectors: tuple[Sector, ...]
) -> list[NDArray[Any]]:
    """sum_r H_r (x) 1 between the levels of every block."""
    system = reference.system
    total = sum(system.embed(region.hamiltonian, region.sites) for region in candidate.regions)
    blocks = []
    for sector in sectors:
        part = total[sector.states][:, sector.states]
        block = sector.vectors.conj().T @ (part @ sector.vectors)
        # exactly Hermitian, so that no rounding of a large H_r counts as a small rate
        blocks.append((block + block.conj().T) / 2)
    return blocks
