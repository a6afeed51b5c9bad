"""The allowed Lindbladians: an orthonormal operator basis for every region.

SDP-paper Eq. (23): F_i = f_i (x) 1 / sqrt(d/d_r), with {f_i} Hilbert-Schmidt orthonormal and
traceless on the region. The operators are grouped by the charge that they carry; a
Kossakowski matrix that respects the charge is block diagonal in these groups.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lindfeas.physics.systems.bath import Bath
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.physics.systems.spectrum import Sector, Spectrum, whole_space


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Basis operators of one region that carry the same charge.

    Parameters
    ----------
    charge
        By how much the operators shift the charge.
    labels
        One name per operator, a token per site (``z``, ``+``, ``-``, ``1`` for qubits).
    local
        f_i on the region, shape (n, d_r, d_r).
    blocks
        (final sector, initial sector, <k|F_i|a> of shape (n, n_final, n_initial)).
    """

    charge: int
    labels: tuple[str, ...]
    local: NDArray[np.float64]
    blocks: tuple[tuple[Sector, Sector, NDArray[Any]], ...]

    @property
    def size(self) -> int:
        """Number of operators n."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The part of the system that one dissipator acts on, and its operators.

    Parameters
    ----------
    name, sites
        Shown in answers; site numbers counted from 0.
    dimension
        d_r.
    charges
        Charge of every basis state of the region, shape (d_r,); zeros without a charge.
    groups
        The operator basis.
    """

    name: str
    sites: tuple[int, ...]
    dimension: int
    charges: NDArray[np.int64]
    groups: tuple[Group, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of all d_r^2 - 1 basis operators, group after group."""
        return tuple(label for group in self.groups for label in group.labels)

    @property
    def basis(self) -> NDArray[np.float64]:
        """All f_i, group after group, shape (d_r^2 - 1, d_r, d_r)."""
        return np.concatenate([group.local for group in self.groups])


def regions_of(system: OpenSystem, spectrum: Spectrum) -> tuple[Region, ...]:
    """The operator basis of every bath's region, in the eigenbasis of H_S."""
    return tuple(_region(system, bath, spectrum) for bath in system.baths)


def merged(region: Region, spectrum: Spectrum) -> Group:
    """All operators of a region as one group of dense matrices, whatever charge they carry."""
    whole = whole_space(spectrum)
    size = spectrum.dimension
    stacks = []
    for group in region.groups:
        dtype = np.result_type(float, *(block.dtype for _, _, block in group.blocks))
        dense = np.zeros((group.size, size, size), dtype=dtype)
        for final, initial, block in group.blocks:
            dense[:, final.levels, initial.levels] = block
        stacks.append(dense)
    return Group(
        charge=0,
        labels=region.labels,
        local=region.basis,
        blocks=((whole, whole, np.concatenate(stacks)),),
    )


def operator_basis(
    dimensions: Sequence[int], charge: Sequence[Sequence[int]] | None
) -> list[tuple[int, str, sp.csr_array]]:
    """Orthonormal traceless operators on sites of the given dimensions.

    Returns
    -------
    list of (charge shift, label, sparse d_r x d_r matrix)
        For a qubit -sigma_z/sqrt2, sigma_+, sigma_- (SDP-paper, below Eq. 42); for more
        levels the generalised Gell-Mann diagonals and the matrix units; products for more sites.
    """
    factors = [
        list(_site_operators(dimension, None if charge is None else charge[site]))
        for site, dimension in enumerate(dimensions)
    ]
    found = []
    for choice in itertools.product(*factors):
        label = " ".join(token for _, token, _ in choice)
        if all(token == "1" for _, token, _ in choice):
            continue
        operator = sp.csr_array(np.ones((1, 1)))
        for _, _, factor in choice:
            operator = sp.csr_array(sp.kron(operator, factor))
        found.append((sum(shift for shift, _, _ in choice), label, operator))
    return found


def _site_operators(
    dimension: int, charge: Sequence[int] | None
) -> Iterator[tuple[int, str, NDArray[np.float64]]]:
    charge = [0] * dimension if charge is None else charge
    for rank in range(1, dimension):
        diagonal = np.zeros(dimension)
        diagonal[:rank] = -1.0
        diagonal[rank] = rank
        name = "z" if dimension == 2 else f"z{rank}"
        yield 0, name, np.diag(diagonal / np.sqrt(rank * (rank + 1)))
    for final, initial in itertools.permutations(range(dimension), 2):
        unit = np.zeros((dimension, dimension))
        unit[final, initial] = 1.0
        name = ("+" if final == 0 else "-") if dimension == 2 else f"|{final}><{initial}|"
        yield charge[final] - charge[initial], name, unit
    yield 0, "1", np.eye(dimension) / np.sqrt(dimension)


def _region(system: OpenSystem, bath: Bath, spectrum: Spectrum) -> Region:
    dimensions = [system.dimensions[site] for site in bath.sites]
    charge = None if system.charge is None else [system.charge[site] for site in bath.sites]
    basis = operator_basis(dimensions, charge)
    dimension = system.region_dimension(bath)
    groups = []
    for shift in sorted({shift for shift, _, _ in basis}):
        members = [(label, operator) for s, label, operator in basis if s == shift]
        groups.append(_group(system, bath, spectrum, shift, members))
    return Region(
        name=bath.name,
        sites=bath.sites,
        dimension=dimension,
        charges=system.region_charges(bath),
        groups=tuple(groups),
    )


def _group(
    system: OpenSystem,
    bath: Bath,
    spectrum: Spectrum,
    shift: int,
    members: list[tuple[str, sp.csr_array]],
) -> Group:
    scale = np.sqrt(system.region_dimension(bath) / system.dimension)
    single = [
        spectrum.blocks(scale * system.embed(operator, bath.sites), shift)
        for _, operator in members
    ]
    blocks = tuple(
        (parts[0][0], parts[0][1], np.stack([part[2] for part in parts]))
        for parts in zip(*single, strict=True)
    )
    return Group(
        charge=shift,
        labels=tuple(label for label, _ in members),
        local=np.stack([operator.toarray() for _, operator in members]),
        blocks=blocks,
    )
