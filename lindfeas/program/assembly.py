"""From a target to the arrays of its semidefinite program.

For a state rho and a multiplier Y the coefficients are (design of SDP-paper Eqs. 28 and 32)

    A(Y)_ij = tr( Y (F_j rho F_i^dag - {F_i^dag F_j, rho} / 2) ),

row by row for an orthonormal basis of Hermitian Y. With a conserved charge, states and actions of
charge zero leave everything block diagonal; otherwise one block holds all operators of a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import InputError
from lindfeas.physics.equations.operator_basis import Group, Region, merged
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.systems.spectrum import Sector, whole_space
from lindfeas.program.ansatz import Ansatz
from lindfeas.program.hermitian import Layout, hermitian_coordinates
from lindfeas.program.program import GammaBlock, Program, ShiftDirections, no_shifts
from lindfeas.program.rounding import Strengths, Uncertainty, level_uncertainty, state_uncertainty
from lindfeas.program.target import Requirement, Target

LARGEST_SHIFT = 10.0
"""Local Hamiltonians are meant with norms up to so many times Redfield's largest rate."""

LIMIT_DIGITS = 4
"""Significant digits of that default."""

NEUTRAL_TOLERANCE = 1e-13
"""Largest part of a state or action between charge sectors, relative, put down to rounding."""


def assemble(
    target: Target,
    reference: Redfield,
    ansatz: Ansatz,
) -> Program:
    """The program of one target.

    For populations only arrays of shape (d, n, n) and (n, n_final, n_initial) are formed, n being
    the largest number of basis operators of one charge.
    """
    if _refers_to_levels(target):
        return _diagonal_program(target, reference, ansatz)
    limit = None
    if ansatz.lamb_shift:
        limit = ansatz.hamiltonian_limit or default_hamiltonian_limit(reference)
    return _matrix_program(target, reference, ansatz, limit)


def default_hamiltonian_limit(reference: Redfield) -> float:
    """`LARGEST_SHIFT` times the largest golden-rule rate, to `LIMIT_DIGITS` significant digits.

    Raises
    ------
    InputError
        If there is no rate, so that no scale is known.
    """
    largest = float(reference.transition_rates.max(initial=0.0))
    limit = float(f"{LARGEST_SHIFT * largest:.{LIMIT_DIGITS - 1}e}")
    if not 0 < limit < np.inf:
        raise InputError(
            "must be given where no transition between levels has a (finite) rate, but is not",
            "ansatz.hamiltonian_limit",
        )
    return limit


def gain_and_loss(
    group: Group, populations: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """What flows into every level, and out of it per unit of population.

    Returns
    -------
    gain
        sum_a p_a conj(m^i_ka) m^j_ka, shape (d, n, n).
    loss
        sum_n conj(m^i_nk) m^j_nk, shape (d, n, n).
    """
    shape = (populations.size, group.size, group.size)
    dtype = np.result_type(float, *(block.dtype for _, _, block in group.blocks))
    gain = np.zeros(shape, dtype=dtype)
    loss = np.zeros(shape, dtype=dtype)
    for final, initial, block in group.blocks:
        into = block.transpose(1, 0, 2)
        weighted = into.conj() * populations[initial.levels]
        gain[final.levels] = weighted @ into.transpose(0, 2, 1)
        out = block.transpose(2, 0, 1)
        loss[initial.levels] = out.conj() @ out.transpose(0, 2, 1)
    return gain, loss


def _refers_to_levels(target: Target) -> bool:
    """Whether only the flow between levels counts, from one state without coherences."""
    if not isinstance(target.projection, str) or target.projection != "diagonal":
        return False
    return len(target.requirements) == 1 and _is_diagonal(target.requirements[0].state)


def _diagonal_program(target: Target, reference: Redfield, ansatz: Ansatz) -> Program:
    """Rows are levels; H_r drops out, because i[rho, H] has no diagonal for diagonal rho."""
    (requirement,) = target.requirements
    weight, regions = requirement.weight, ansatz.regions
    levels, strengths = _level_rows(np.diag(requirement.state).real, regions)
    offset = -weight * np.diag(requirement.action).real
    return Program(
        offset=offset,
        blocks=tuple(
            GammaBlock(region=region, charge=charge, rows=weight * rows)
            for region, charge, rows in levels
        ),
        shifts=no_shifts(len(offset)),
        regions=tuple(region.name for region in regions),
        rates=ansatz.rates,
        layout=Layout(sizes=(1,) * len(offset)),
        norm=target.norm,
        uncertainty=level_uncertainty(
            reference,
            [region.dimension for region in regions],
            strengths,
            weight,
            _level_errors(requirement),
            is_populations=target.is_populations,
        ),
    )


def _level_errors(requirement: Requirement) -> NDArray[np.float64]:
    """By how much every population of the state may be wrong."""
    known = requirement.level_errors
    return np.zeros(len(requirement.state)) if known is None else known


def _level_rows(
    populations: NDArray[np.float64], regions: tuple[Region, ...]
) -> tuple[list[tuple[int, int, NDArray[Any]]], list[Strengths]]:
    """(region, charge, A of shape (d, n, n)) for every block, and the strengths per region.

    (A_k)_ij = sum_a p_a m^j_ka conj(m^i_ka) - p_k sum_n conj(m^i_nk) m^j_nk (SDP-paper Eq. 28).
    """
    blocks, strengths = [], []
    for number, region in enumerate(regions):
        gain = np.zeros_like(populations)
        loss = np.zeros_like(populations)
        for group in region.groups:
            gained, lost = gain_and_loss(group, populations)
            blocks.append((number, group.charge, gained - populations[:, None, None] * lost))
            gain = np.maximum(gain, np.linalg.eigvalsh(gained)[:, -1])
            loss = np.maximum(loss, np.linalg.eigvalsh(lost)[:, -1])
        strengths.append(Strengths(gain=gain, loss=loss))
    return blocks, strengths


def _matrix_program(
    target: Target, reference: Redfield, ansatz: Ansatz, limit: float | None
) -> Program:
    regions = ansatz.regions
    sectors, groups, neutral = _block_structure(target, reference, regions)
    is_complex = _needs_imaginary_parts(target, groups)
    layout, offset = _offset(target, sectors, is_complex)
    blocks = []
    for number, members in enumerate(groups):
        for group in members:
            rows = np.concatenate(
                [_rows(group, r, target, sectors, is_complex) for r in target.requirements]
            )
            blocks.append(GammaBlock(region=number, charge=group.charge, rows=_trimmed(rows)))
    shifts = no_shifts(len(offset))
    if limit is not None:
        found = _commuted(target, reference, regions, sectors, is_complex, neutral)
        shifts = ShiftDirections(
            basis=tuple((region, local) for region, local, _ in found),
            columns=np.column_stack([shifts.columns, *(column for *_, column in found)]),
            limit=limit,
            scale=_scale(target),
        )
    return Program(
        offset=offset,
        blocks=tuple(blocks),
        shifts=shifts,
        regions=tuple(region.name for region in regions),
        rates=ansatz.rates,
        layout=layout,
        norm=target.norm,
        uncertainty=_matrix_uncertainty(target, reference, regions, blocks),
        natural_rate=float(reference.transition_rates.max()) if target.follows_redfield else 0.0,
    )


def _matrix_uncertainty(
    target: Target,
    reference: Redfield,
    regions: tuple[Region, ...],
    blocks: Sequence[GammaBlock],
) -> Uncertainty:
    sizes = [
        np.max([np.abs(b.rows).max(axis=(1, 2)) for b in blocks if b.region == number], axis=0)
        for number in range(len(regions))
    ]
    return state_uncertainty(
        reference.spectrum,
        [region.dimension for region in regions],
        sizes,
        weight=_weighted(target, [_trace_norm(r.state) for r in target.requirements]),
        scale=_scale(target),
        state_error=_weighted(target, [r.state_error for r in target.requirements]),
        action_error=_weighted(target, [r.action_error for r in target.requirements]),
    )


def _weighted(target: Target, norms: Sequence[float]) -> float:
    """sum_k w_k norms_k, times the norm of Y per largest coordinate."""
    total = sum(r.weight * norm for r, norm in zip(target.requirements, norms, strict=True))
    if isinstance(target.projection, str):
        return total
    return total * sum(float(np.linalg.norm(o, 2)) for o in target.projection)


def _trace_norm(matrix: NDArray[Any]) -> float:
    return float(np.abs(np.linalg.eigvalsh(matrix)).sum())


def _scale(target: Target) -> float:
    """The largest w_k ||rho_k||_F."""
    return max(r.weight * float(np.linalg.norm(r.state)) for r in target.requirements)


def _block_structure(
    target: Target, reference: Redfield, regions: tuple[Region, ...]
) -> tuple[tuple[Sector, ...], list[tuple[Group, ...]], bool]:
    """Sectors and operator groups of the residual: by charge where everything has charge zero."""
    spectrum = reference.spectrum
    apart = np.not_equal.outer(spectrum.charges, spectrum.charges)
    matrices = [m for r in target.requirements for m in (r.state, r.action)]
    if not isinstance(target.projection, str):
        matrices.extend(target.projection)
    neutral = all(
        np.abs(matrix[apart]).max(initial=0.0) <= NEUTRAL_TOLERANCE * np.abs(matrix).max()
        for matrix in matrices
    )
    if neutral:
        return spectrum.sectors, [region.groups for region in regions], True
    return (whole_space(spectrum),), [(merged(r, spectrum),) for r in regions], False


def _offset(
    target: Target, sectors: tuple[Sector, ...], is_complex: bool
) -> tuple[Layout, NDArray[np.float64]]:
    """The residual's layout, and minus the required actions in its coordinates."""
    parts = []
    sizes: list[int] = []
    for requirement in target.requirements:
        stack = [requirement.action[None, s.levels, s.levels] for s in sectors]
        rows = _projected(stack, target, sectors, is_complex)[:, 0]
        parts.append(-requirement.weight * rows.real)
        if isinstance(target.projection, str) and target.projection == "all":
            sizes.extend(sector.states.size for sector in sectors)
        else:
            sizes.extend([1] * len(rows))
    return Layout(sizes=tuple(sizes), is_complex=is_complex), np.concatenate(parts)


def _rows(
    group: Group,
    requirement: Requirement,
    target: Target,
    sectors: tuple[Sector, ...],
    is_complex: bool,
) -> NDArray[Any]:
    """Coefficients A of one group for one requirement, shape (rows, n, n)."""
    n = group.size
    actions = _group_action(group, requirement.state, sectors)
    flat = [block.reshape(n * n, *block.shape[2:]) for block in actions]
    rows = _projected(flat, target, sectors, is_complex)
    return requirement.weight * rows.reshape(len(rows), n, n)


def _group_action(
    group: Group, state: NDArray[Any], sectors: tuple[Sector, ...]
) -> list[NDArray[Any]]:
    """F_j rho F_i^dag - {F_i^dag F_j, rho}/2 for all i, j: (n, n, n_q, n_q) for every sector."""
    n = group.size
    place = {sector.charge: number for number, sector in enumerate(sectors)}
    dtype = np.result_type(state.dtype, *(block.dtype for _, _, block in group.blocks))
    found = [np.zeros((n, n, s.states.size, s.states.size), dtype=dtype) for s in sectors]
    for final, initial, block in group.blocks:
        inner = state[initial.levels, initial.levels]
        moved = (block @ inner).reshape(-1, initial.states.size)
        plain = block.reshape(-1, initial.states.size)
        gain = (moved @ plain.conj().T).reshape(n, final.states.size, n, final.states.size)
        found[place[final.charge]] += gain.transpose(2, 0, 1, 3)
        raised = block.transpose(0, 2, 1).reshape(-1, final.states.size)
        product = (raised.conj() @ raised.T).reshape(n, initial.states.size, n, -1)
        loss = product.transpose(0, 2, 1, 3)
        found[place[initial.charge]] -= (loss @ inner + inner @ loss) / 2
    return found


def _projected(
    stacks: Sequence[NDArray[Any]],
    target: Target,
    sectors: tuple[Sector, ...],
    is_complex: bool,
) -> NDArray[Any]:
    """Coordinates of (m, n_q, n_q) stacks under the target's projection, shape (rows, m)."""
    if isinstance(target.projection, str):
        if target.projection == "diagonal":
            parts = [np.diagonal(stack, axis1=1, axis2=2) for stack in stacks]
        else:
            parts = [hermitian_coordinates(stack, is_complex) for stack in stacks]
        return np.concatenate(parts, axis=1).T
    total = sum(
        np.einsum("oba,mab->om", target.projection[:, s.levels, s.levels], stack)
        for stack, s in zip(stacks, sectors, strict=True)
    )
    return np.asarray(total)


def _needs_imaginary_parts(target: Target, groups: Sequence[tuple[Group, ...]]) -> bool:
    """Whether a residual can have imaginary parts: not if all data and H_r keep it real."""
    matrices = [m for r in target.requirements for m in (r.state, r.action)]
    data = [*matrices, *(b for members in groups for g in members for _, _, b in g.blocks)]
    return any(np.iscomplexobj(array) and bool(np.imag(array).any()) for array in data)


def _trimmed(rows: NDArray[Any]) -> NDArray[Any]:
    """Real where the imaginary part is exactly zero."""
    if np.iscomplexobj(rows) and not rows.imag.any():
        return np.ascontiguousarray(rows.real)
    return rows


def _commuted(
    target: Target,
    reference: Redfield,
    regions: tuple[Region, ...],
    sectors: tuple[Sector, ...],
    is_complex: bool,
    neutral: bool,
) -> list[tuple[int, NDArray[Any], NDArray[np.float64]]]:
    """(region, H_r, i[rho, H_r (x) 1] in the residual's coordinates) for a basis of all H_r.

    Where all data are real, real parts of H_r only add imaginary parts to the residual.
    """
    only_imaginary = not is_complex and isinstance(target.projection, str)
    found = []
    for number, region in enumerate(regions):
        charges = region.charges if neutral else np.zeros_like(region.charges)
        for local in _hermitian_basis(charges):
            if only_imaginary and not np.iscomplexobj(local):
                continue
            embedded = reference.system.embed(local, region.sites)
            blocks = [_rotated(embedded, sector) for sector in sectors]
            column = [
                requirement.weight
                * _projected(
                    _commutators(blocks, requirement, sectors), target, sectors, is_complex
                )
                for requirement in target.requirements
            ]
            found.append((number, local, np.concatenate(column)[:, 0].real))
    return found


def _commutators(
    blocks: Sequence[NDArray[Any]], requirement: Requirement, sectors: tuple[Sector, ...]
) -> list[NDArray[Any]]:
    """i[rho, H] sector by sector, each of shape (1, n_q, n_q)."""
    found = []
    for block, sector in zip(blocks, sectors, strict=True):
        state = requirement.state[sector.levels, sector.levels]
        found.append(1j * (state @ block - block @ state)[None])
    return found


def _rotated(operator: Any, sector: Sector) -> NDArray[Any]:
    part = operator[sector.states][:, sector.states]
    rotated: NDArray[Any] = sector.vectors.conj().T @ (part @ sector.vectors)
    return rotated


def _hermitian_basis(charges: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Orthonormal traceless Hermitian operators that conserve the charge."""
    size = len(charges)
    found: list[NDArray[Any]] = []
    for rank in range(1, size):
        diagonal = np.zeros(size)
        diagonal[:rank] = 1.0
        diagonal[rank] = -rank
        found.append(np.diag(diagonal / np.sqrt(rank * (rank + 1))))
    for first in range(size):
        for second in range(first + 1, size):
            if charges[first] == charges[second]:
                for value in (1.0, 1j):
                    unit = np.zeros((size, size), dtype=complex if value == 1j else float)
                    unit[first, second] = value / np.sqrt(2)
                    unit[second, first] = np.conj(value) / np.sqrt(2)
                    found.append(unit)
    return found


def _is_diagonal(matrix: NDArray[Any]) -> bool:
    return bool(np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0)
