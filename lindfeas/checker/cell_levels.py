"""Energies and eigenvectors of H_S over a whole cell of parameters, as Taylor models."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flint import acb, acb_mat, arb

from lindfeas.checker.format import Unsettled
from lindfeas.checker.model import Entries
from lindfeas.checker.steady_state import Sector, block, identity
from lindfeas.checker.taylor import Exponents, Taylor, divisors, monomials, solution, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSector:
    """The levels of one charge over a cell; see `lindfeas.checker.steady_state.Sector`."""

    centre: Sector
    energies: tuple[Taylor, ...]
    right: Taylor
    left: Taylor


def cell_sector(sector: Sector, hamiltonian: Mapping[Exponents, Entries], order: int) -> CellSector:
    """Energies and eigenvectors of one sector for every t.

    With the eigenvectors V at the centre, perturbation theory gives polynomials X and E such that
    M = (V X)^-1 H V X = diag(E) + G with a tiny G. Let g bound the sums g_b = sum_c |G_bc| of all
    rows, and let |E_a - E_b| >= w_ab >= w > 2 g. By Gershgorin's theorem there is one eigenvalue e
    within g of each E_a, and no other. The largest entry of its eigenvector can only be that at a,
    or e were within g of another E_b; let it be 1. Then row b of M z = e z,

        (e - E_b) z_b = sum_c G_bc z_c,    gives |z_b| <= z = g / (w - g) for b != a,

    and with that |z_b| <= (|G_ba| + z g_b) / (w_ab - g), |e - E_a| <= |G_aa| + z g_a. So the right
    eigenvectors are V X (1 + Z), with these bounds on Z_ba, and Z_aa = 0.

    Raises
    ------
    Unsettled
        If w > 2 g cannot be shown.
    """
    size = len(sector.states)
    frame = sector.right.mid()
    back = frame.inv()
    turned = {
        exponents: back * block(entries, sector.states, sector.states) * frame
        for exponents, entries in hamiltonian.items()
    }
    full = Taylor(order=order, terms=turned, rest=acb_mat(size, size))
    energies, vectors = _perturbed(full)
    inverse = solution(vectors, unit(order, len(full.constant), size))
    mixing = (inverse * (full * vectors - vectors * energies)).range()
    errors, spread = _deviations(energies, mixing, sector.charge)
    found = tuple(
        energies.entry(a, a).real.widened(arb(0, error)) for a, error in enumerate(errors)
    )
    right = vectors.map(lambda matrix: frame * matrix)
    left = inverse.map(lambda matrix: matrix * back)
    undone = (identity(size) + spread).inv() - identity(size)
    return CellSector(
        centre=sector,
        energies=found,
        right=right.widened(right.range() * spread),
        left=left.widened(undone * left.range()),
    )


def _perturbed(full: Taylor) -> tuple[Taylor, Taylor]:
    """Polynomials E (diagonal) and X with full X = X E but for a small rest, X = 1 at the centre.

    They need not be exact. Order m of the equation, with S the sum of what is known already, reads
    X_m[a,b] (E_b - E_a) = S[a,b] for a != b, and E_m[a,a] = S[a,a].
    """
    size, zero = full.rest.nrows(), full.constant
    start = [full.terms[zero][a, a].mid() for a in range(size)]
    energies = {zero: _diagonal(start)}
    vectors = {zero: identity(size)}
    for exponents in monomials(len(zero), full.order):
        if not any(exponents):
            continue
        total = acb_mat(size, size)
        for term, others in divisors(exponents, full.terms):
            total += term * vectors.get(others, total * 0)
        for term, others in divisors(exponents, energies):
            total -= vectors.get(others, total * 0) * term
        # entries that may vanish are left out, so that exact zeros stay zero
        known = acb_mat([[0 if x.contains(0) else x.mid() for x in row] for row in total.tolist()])
        shift = _diagonal([known[a, a] for a in range(size)])
        if shift != shift * 0:
            energies[exponents] = shift
        mixed = known - shift
        if mixed != mixed * 0:
            for a, b in itertools.permutations(range(size), 2):
                mixed[a, b] = (mixed[a, b] / (start[b] - start[a])).mid()
            vectors[exponents] = mixed
    nothing = acb_mat(size, size)
    return (
        Taylor(order=full.order, terms=energies, rest=nothing),
        Taylor(order=full.order, terms=vectors, rest=nothing),
    )


def _deviations(energies: Taylor, mixing: acb_mat, charge: int) -> tuple[list[arb], acb_mat]:
    """Bounds on |e - E_a|, and the matrix of balls Z; see `cell_sector`."""
    size = mixing.nrows()
    absolute = [[entry.abs_upper() for entry in row] for row in mixing.tolist()]
    sums = [sum(row, arb(0)).upper() for row in absolute]
    gaps = {
        (b, a): (energies.entry(a, a) - energies.entry(b, b)).real.range().abs_lower()
        for a, b in itertools.permutations(range(size), 2)
    }
    largest, gap = max(sums), min(gaps.values(), default=arb.pos_inf())
    if not gap > 2 * largest:
        raise Unsettled(f"the levels of charge sector {charge} over a cell")
    crude = largest / (gap - largest) if gaps else arb(0)
    spread = acb_mat(size, size)
    for (b, a), own in gaps.items():
        bound = ((absolute[b][a] + crude * sums[b]) / (own - largest)).upper()
        spread[b, a] = acb(arb(0, bound), arb(0, bound))
    return [(absolute[a][a] + crude * sums[a]).upper() for a in range(size)], spread


def _diagonal(values: Sequence[acb]) -> acb_mat:
    matrix = acb_mat(len(values), len(values))
    for number, value in enumerate(values):
        matrix[number, number] = value
    return matrix
