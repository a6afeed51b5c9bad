"""Which local conservation laws and which charge a Lindbladian breaks, and by how much.

L' is written with traceless L_n and H, which fixes both. Its Kossakowski matrix is K = sum_n
gamma_n |L_n><L_n| on the space of operators with <A, B> = tr A^dag B. Orthogonal projections P of
that space then say what L' is made of: P_r on the traceless operators of region r (times the
identity), and Pi_q on the operators that shift the charge by q. L' is of the allowed form
(SDP-paper Eq. 23) if K = sum_r P_r K P_r and H = sum_r P_r H, and it respects the charge if
K = sum_q Pi_q K Pi_q and H = Pi_0 H. What is broken is the Frobenius norm of the difference.

For pieces A_n of the L_n in one space and B_n in another one

    ||sum_n gamma_n |A_n><B_n| ||_F^2 = sum_mn gamma_m gamma_n <A_n, A_m> <B_m, B_n>,

so that no d^2 x d^2 matrix is formed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.physics.equations.jumps import Jumps
from lindfeas.physics.equations.operator_basis import operator_basis
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.physics.systems.sites import partial_trace


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLaws:
    """By how much a Lindbladian breaks the local conservation laws and the charge (rate unit).

    Parameters
    ----------
    nonlocal_rate
        ||K - sum_r P_r K P_r||_F.
    nonlocal_hamiltonian
        ||H - sum_r P_r H||_HS / sqrt(d).
    sites
        For every site s without a bath: the largest ||L'^dag(O)|| over the traceless O on s with
        ||O|| = 1, norms ||X|| = sqrt(tr X^dag X / d). It is zero if H_S alone moves the site.
    baths
        For every bath: the same over the O on its region, of the part of L'^dag(O) that is no
        operator on the region. It is zero if what the bath does to the region depends on the region
        alone.
    charge
        sqrt(||K - sum_q Pi_q K Pi_q||_F^2 + ||H - Pi_0 H||_HS^2 / d); None without a charge.
    """

    nonlocal_rate: float
    nonlocal_hamiltonian: float
    sites: dict[int, float]
    baths: dict[str, float]
    charge: float | None


def broken_laws(jumps: Jumps, system: OpenSystem) -> BrokenLaws:
    """See `BrokenLaws`."""
    own = jumps.canonical()
    regions = [bath.sites for bath in system.baths]
    inside = [_on_region(own.operators, sites, system) for sites in regions]
    parts = [*inside, own.operators - sum(inside, np.zeros_like(own.operators))]
    pairs = [(a, b) for a, b in itertools.product(range(len(parts)), repeat=2) if a != b]
    pairs.append((len(regions), len(regions)))
    local = sum(_on_region(own.hamiltonian[None], sites, system)[0] for sites in regions)
    size = system.dimension
    covered = {site for sites in regions for site in sites}
    free = [site for site in range(len(system.dimensions)) if site not in covered]
    return BrokenLaws(
        nonlocal_rate=_norm(own.rates, parts, pairs),
        nonlocal_hamiltonian=float(np.linalg.norm(own.hamiltonian - local)) / size**0.5,
        sites={site: _moved(own, (site,), system, keep_local=True) for site in free},
        baths={
            bath.name: _moved(own, bath.sites, system, keep_local=False) for bath in system.baths
        },
        charge=_charge(own, system),
    )


def region_rates(jumps: Jumps, system: OpenSystem) -> dict[str, float]:
    """tr Gamma of every region's part, sum_n gamma_n ||P_r L_n||^2, by the bath's name."""
    own = jumps.canonical()
    return {
        bath.name: float(
            own.rates
            @ (np.abs(_on_region(own.operators, bath.sites, system)) ** 2).sum(axis=(1, 2))
        )
        for bath in system.baths
    }


def hamiltonian_norms(jumps: Jumps, system: OpenSystem) -> dict[str, float]:
    """sqrt(tr_r H_r^2) of every region's part of H, by the bath's name."""
    own = jumps.canonical().hamiltonian[None]
    return {
        bath.name: float(np.linalg.norm(_on_region(own, bath.sites, system)))
        * (system.region_dimension(bath) / system.dimension) ** 0.5
        for bath in system.baths
    }


def _on_region(
    operators: NDArray[Any], sites: Sequence[int], system: OpenSystem
) -> NDArray[np.complex128]:
    """P_r of several operators, traceless as they are: tr over the rest, times the identity."""
    rest = system.dimension // int(np.prod([system.dimensions[site] for site in sites]))
    found = [
        system.embed(partial_trace(one, sites, system.dimensions) / rest, sites).toarray()
        for one in operators
    ]
    shape = (len(found), system.dimension, system.dimension)
    return np.array(found, dtype=complex).reshape(shape)


def _norm(
    rates: NDArray[np.float64],
    parts: Sequence[NDArray[Any]],
    pairs: Sequence[tuple[int, int]],
) -> float:
    """Frobenius norm of all blocks (a, b) of K together."""
    grams = []
    for part in parts:
        flat = part.reshape(len(part), part.shape[1] * part.shape[2])
        grams.append(flat.conj() @ flat.T)
    weights = np.outer(rates, rates)
    square = sum(float((weights * grams[a] * grams[b].conj()).sum().real) for a, b in pairs)
    return max(square, 0.0) ** 0.5


def _moved(jumps: Jumps, sites: tuple[int, ...], system: OpenSystem, *, keep_local: bool) -> float:
    """Largest ||L'^dag(O)||, or of its part that is no operator on the sites; ||O|| = 1."""
    dimensions = [system.dimensions[site] for site in sites]
    changes = []
    for _, _, operator in operator_basis(dimensions, None):
        full = system.embed(operator, sites).toarray()
        change = jumps.adjoint(full / np.linalg.norm(full))
        if not keep_local:
            change = change - _on_region(change[None], sites, system)[0]
        changes.append(change.ravel())
    return float(np.linalg.norm(np.array(changes), 2))


def _charge(own: Jumps, system: OpenSystem) -> float | None:
    if system.charge is None:
        return None
    charges = system.charges()
    shift = np.subtract.outer(charges, charges)
    parts = [np.where(shift == value, own.operators, 0.0) for value in np.unique(shift)]
    parts = [part for part in parts if part.any()]
    pairs = list(itertools.permutations(range(len(parts)), 2))
    moved = float(np.linalg.norm(own.hamiltonian[shift != 0])) / system.dimension**0.5
    return float(np.hypot(_norm(own.rates, parts, pairs), moved))
