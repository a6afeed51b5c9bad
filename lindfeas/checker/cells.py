"""The steady state and the dual matrices over a whole cell of parameters, as Taylor models.

A cell is a box of parameters, each of them c + h t with t in [-1, 1]. Its parameters are such that
H, every beta and every mu are affine in each of them separately; so their values at the corners
determine them everywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from flint import acb_mat, arb, fmpq

from lindfeas.checker.bounds import Region, region
from lindfeas.checker.cell_levels import CellSector, cell_sector
from lindfeas.checker.format import Unsettled
from lindfeas.checker.model import ZERO, Density, Entries, Model, embedded
from lindfeas.checker.steady_state import (
    Levels,
    dagger,
    jumps,
    largest_rate,
    levels,
    spectral_density,
)
from lindfeas.checker.taylor import Exponents, Taylor, constant, power_series, solution


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The exact model over a cell.

    Parameters
    ----------
    order
        Of the Taylor models.
    centre
        The model in the middle.
    corners
        The models at t = (-1, ..., -1), (-1, ..., 1), ..., (1, ..., 1), the last parameter fastest.
    """

    order: int
    centre: Model
    corners: tuple[Model, ...]

    @property
    def variables(self) -> int:
        """Number of parameters."""
        return (len(self.corners) - 1).bit_length()

    def scalar(self, values: Sequence[fmpq]) -> Taylor:
        """The number, affine in each parameter, that has these values at the corners."""
        terms = {exponents: arb(value) for exponents, value in multilinear(values).items()}
        return Taylor(order=self.order, terms=terms, rest=arb(0))

    def hamiltonian(self) -> dict[Exponents, Entries]:
        """H = sum_m H_m t^m, exactly."""
        places = {place for corner in self.corners for place in corner.hamiltonian}
        total: dict[Exponents, Entries] = {(0,) * self.variables: {}}  # there even if H = 0
        for place in places:
            values = [corner.hamiltonian.get(place, (ZERO, ZERO)) for corner in self.corners]
            real, imaginary = (multilinear(part) for part in zip(*values, strict=True))
            for exponents in real.keys() | imaginary.keys():
                entry = (real.get(exponents, ZERO), imaginary.get(exponents, ZERO))
                total.setdefault(exponents, {})[place] = entry
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSetting:
    """What the claims about a cell are about, at the precision of the moment."""

    cell: Cell
    levels: Levels
    sectors: tuple[CellSector, ...]
    populations: tuple[Taylor, ...]
    state: Taylor
    regions: tuple[Region, ...]


def cell_setting(cell: Cell) -> CellSetting:
    """Levels, rho0 and the allowed operators over a cell.

    Raises
    ------
    Rejected
        If two levels are exactly degenerate in the middle.
    Unsettled
        If the levels or the uniqueness of the steady state cannot be shown over the whole cell.
    """
    spectrum = levels(cell.centre)
    hamiltonian = cell.hamiltonian()
    sectors = tuple(cell_sector(own, hamiltonian, cell.order) for own in spectrum.sectors)
    p = _populations(cell, spectrum, sectors)
    return CellSetting(
        cell=cell,
        levels=spectrum,
        sectors=sectors,
        populations=p,
        state=_weighted(spectrum, sectors, p),
        regions=tuple(region(cell.centre, bath) for bath in cell.centre.baths),
    )


def dual_matrices(at: CellSetting, multipliers: Sequence[Sequence[fmpq]]) -> Iterator[Taylor]:
    """A^r(y) of every region, where y is interpolated between its values at the corners.

    Interpolation is a convex combination, so that |y| <= 1 at the corners is enough everywhere.
    """
    y = [at.cell.scalar(values) for values in zip(*multipliers, strict=True)]
    products = [one * other for one, other in zip(y, at.populations, strict=True)]
    weight = _weighted(at.levels, at.sectors, y)
    product = _weighted(at.levels, at.sectors, products)
    for part in at.regions:
        adjoint = at.state.map(part.regrouped).map(dagger)
        flow = weight.map(part.regrouped) * adjoint
        none, nothing = flow.rest * 0, product.rest * 0
        gained = flow.map(partial(part.dual, product=nothing))
        yield gained + product.map(partial(part.dual, none))


def corner_matrices(matrix: Taylor) -> Iterator[acb_mat]:
    """Matrices whose smallest eigenvalues bound that of ``matrix`` over the whole cell.

    The terms with no power above one are affine in each parameter separately. The smallest
    eigenvalue is concave, so that theirs is smallest at a corner, whatever matrix is added. What
    remains is such a matrix, in a ball that does not depend on the corner. All of it is replaced by
    its Hermitian part, as the terms of a Hermitian matrix need not be Hermitian to the last bit.

    Raises
    ------
    Unsettled
        If the ball is infinite.
    """
    matrix = matrix.map(lambda entries: (entries + dagger(entries)) / 2)
    affine = {key: term for key, term in matrix.terms.items() if max(key, default=0) <= 1}
    others = {key: term for key, term in matrix.terms.items() if key not in affine}
    others[matrix.constant] = matrix.rest * 0
    ball = Taylor(order=matrix.order, terms=others, rest=matrix.rest).range()
    if not all(entry.is_finite() for entry in ball.entries()):
        raise Unsettled("what bounds the dual matrices over a cell")
    for corner in itertools.product((-1, 1), repeat=len(matrix.constant)):
        yield sum((term * _power(corner, key) for key, term in affine.items()), ball)


def multilinear(values: Sequence[fmpq]) -> dict[Exponents, fmpq]:
    """Coefficients of the multilinear polynomial with these values at the corners."""
    count = (len(values) - 1).bit_length()
    corners = list(itertools.product((-1, 1), repeat=count))
    found = {}
    for exponents in itertools.product((0, 1), repeat=count):
        terms = (v * _power(t, exponents) for v, t in zip(values, corners, strict=True))
        total = sum(terms, ZERO) / len(values)
        if total != 0 or not any(exponents):
            found[exponents] = total
    return found


def _power(corner: Sequence[int], exponents: Exponents) -> int:
    """t^m at a corner, for powers of at most one."""
    return -1 if sum(t < 0 for t, m in zip(corner, exponents, strict=True) if m) % 2 else 1


# The steady state.


def _populations(cell: Cell, spectrum: Levels, sectors: Sequence[CellSector]) -> tuple[Taylor, ...]:
    """The populations over the cell; see `lindfeas.checker.steady_state.populations`."""
    size, zero = spectrum.size, (0,) * cell.variables
    entries: dict[tuple[int, int], Taylor] = {}
    for source, target, rate in _all_rates(cell, spectrum, sectors):
        for place, flow in (((target, source), rate), ((source, source), -rate)):
            entries[place] = entries[place] + flow if place in entries else flow
    for level in range(size):
        entries[0, level] = Taylor(order=cell.order, terms={zero: arb(1)}, rest=arb(0))
    ones = acb_mat(size, 1)
    ones[0, 0] = 1
    right = Taylor(order=cell.order, terms={zero: ones}, rest=acb_mat(size, 1))
    p = solution(_matrix(size, entries), right)
    return tuple(p.entry(level, 0).real for level in range(size))


def _all_rates(
    cell: Cell, spectrum: Levels, sectors: Sequence[CellSector]
) -> Iterator[tuple[int, int, Taylor]]:
    """(from, to, rate) of every transition."""
    by_charge = {sector.centre.charge: sector for sector in sectors}
    for number, bath in enumerate(cell.centre.baths):
        thermal = _Thermal(cell, number)
        for coupling in bath.couplings:
            operator = embedded(coupling.operator, cell.centre.dimensions, bath.sites)
            for one, other, matrix in spectrum.blocks(operator, coupling.shift):
                final, initial = by_charge[one.charge], by_charge[other.charge]
                strengths = _strengths(final, initial, matrix)
                for (row, k), (column, a) in itertools.product(
                    enumerate(one.levels), enumerate(other.levels)
                ):
                    strength = strengths[row, column]
                    if k != a and not _vanishes(strength):
                        energy = initial.energies[column] - final.energies[row]
                        absorbed, emitted = thermal.between(coupling.density, k, a, energy)
                        yield a, k, strength * emitted
                        yield k, a, strength * absorbed


def _strengths(
    final: CellSector, initial: CellSector, matrix: acb_mat
) -> dict[tuple[int, int], Taylor]:
    """|<k|S|a>|^2 = (L_k S R_a)(L_a S^dagger R_k)."""
    back = dagger(matrix)
    one = final.left.map(lambda left: left * matrix) * initial.right
    two = initial.left.map(lambda left: left * back) * final.right
    found = {}
    for row, column in itertools.product(range(matrix.nrows()), range(matrix.ncols())):
        found[row, column] = (one.entry(row, column) * two.entry(column, row)).real
    return found


class _Thermal:
    """What a bath does over the cell; the rates between two levels are computed once."""

    def __init__(self, cell: Cell, number: int) -> None:
        own = [corner.baths[number] for corner in cell.corners]
        betas = [corner.beta for corner in own if corner.beta is not None]
        self.known: dict[tuple[Density, int, int], tuple[Taylor, Taylor]] = {}
        self.beta = cell.scalar(betas) if len(betas) == len(own) else None
        self.mu = cell.scalar([corner.mu for corner in own])

    def between(self, density: Density, k: int, a: int, energy: Taylor) -> tuple[Taylor, Taylor]:
        """(J n, J (n+1)) between levels k and a, whose energy the system gives to the bath."""
        if (density, k, a) not in self.known:
            self.known[density, k, a] = self._rates(density, energy)
        return self.known[density, k, a]

    def _rates(self, density: Density, energy: Taylor) -> tuple[Taylor, Taylor]:
        """(J n, J (n+1)) at the energy that the system gives to the bath.

        Where the sign of the energy is in doubt, both enclose everything from 0 to a bound.

        Raises
        ------
        Unsettled
            If the energy may be zero, where the limits of the rates from both sides may differ.
        """
        zero, values = constant(energy, arb(0)), energy.range()
        if values < 0:
            return zero, zero
        if not values > 0:
            coldest = None if self.beta is None else self.beta.range()
            if jumps(density, coldest, self.mu.range()):
                raise Unsettled("the rates of a transition whose energy may be zero in the cell")
            bound = largest_rate(density, coldest, self.mu.range(), values.upper())
            either = constant(energy, arb(0).union(bound))
            return either, either
        spectrum = energy.applied(power_series(lambda w: spectral_density(density, w)))
        if self.beta is None:
            return zero, spectrum
        absorbed = spectrum * (self.beta * (energy - self.mu)).applied(_bose)
        return absorbed, absorbed + spectrum


def _bose(thermal: arb, count: int) -> list[arb]:
    """Taylor coefficients of n(x) = 1/(exp(x) - 1), which falls with x, from n' = -n (1 + n)."""
    if not thermal > 0:
        raise Unsettled("the sign of an energy over a cell")
    n = [(1 / thermal.lower().expm1()).union(1 / thermal.upper().expm1())]
    for power in range(1, count):
        square = sum((n[k] * n[power - 1 - k] for k in range(power)), arb(0))
        n.append(-(n[-1] + square) / power)
    return n


# Matrices.


def _vanishes(number: Taylor) -> bool:
    """Whether a number is exactly zero everywhere."""
    return all(part.is_zero() for part in (number.rest, *number.terms.values()))


def _weighted(spectrum: Levels, sectors: Sequence[CellSector], weights: Sequence[Taylor]) -> Taylor:
    """sum_a weights_a P_a in the product basis; see `steady_state.Levels.weighted`."""
    blocks = []
    for sector in sectors:
        own = [weights[level] for level in sector.centre.levels]
        middle = _matrix(len(own), {(n, n): weight for n, weight in enumerate(own)})
        blocks.append((sector.centre, sector.right * middle * sector.left))
    like = blocks[0][1]
    keys = {key for _, part in blocks for key in part.terms}
    return Taylor(
        order=like.order,
        terms={
            key: spectrum.assembled(
                (sector, sector, part.terms[key]) for sector, part in blocks if key in part.terms
            )
            for key in keys
        },
        rest=spectrum.assembled((sector, sector, part.rest) for sector, part in blocks),
    )


def _matrix(size: int, entries: Mapping[tuple[int, int], Taylor]) -> Taylor:
    """The square matrix with these entries."""
    some = next(iter(entries.values()))
    terms: dict[Exponents, acb_mat] = {}
    rest = acb_mat(size, size)
    for place, entry in entries.items():
        rest[place] = entry.rest
        for key, term in entry.terms.items():
            if key not in terms:
                terms[key] = acb_mat(size, size)
            terms[key][place] = term
    return Taylor(order=some.order, terms=terms, rest=rest)
