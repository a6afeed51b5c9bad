"""An independent dense reference for open systems, to about 40 digits.

Written from docs/theory.md alone; nothing of lindfeas is imported. Everything is a dense d x d
matrix in the product basis: no charge blocks but where a charge is given, no sparse operators, no
doubles but as starting points.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from tests.bath_integrals import Bath, UndefinedError, bath
from tests.decimal_matrices import (
    Matrix,
    dagger,
    eigh,
    exact,
    norm,
    smallest_eigenvalue,
    zeros,
)
from tests.dense_regions import Region, hermitian_basis
from tests.stationary import balanced
from tests.system_data import Asked, BathData, SystemData

ZERO = Decimal("1e-40")
"""Energies and matrix elements below this fraction of the largest are zero."""

DUAL_NORM = {"spectral": "trace", "frobenius": "frobenius", "trace": "spectral"}


@dataclass(frozen=True, eq=False)
class Reference:
    """The exact leading-order steady state of one system.

    Levels come sector by sector in ascending charge, energies ascending in each.
    """

    data: SystemData
    energies: np.ndarray
    vectors: Matrix
    couplings: tuple[tuple[Bath, Matrix], ...]

    @property
    def size(self) -> int:
        return self.data.dimension

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        return tuple(Region(self.data, own.sites) for own in self.data.baths)

    @cached_property
    def width(self) -> Decimal:
        """Largest energy difference."""
        return max(self.energies) - min(self.energies)

    def bohr(self, a: int, g: int) -> Decimal:
        """E_g - E_a, exactly zero where it cannot be told from zero."""
        energy = self.energies[g] - self.energies[a]
        return energy if abs(energy) > ZERO * self.width else Decimal(0)

    @cached_property
    def rates(self) -> np.ndarray:
        """W[k, a] from level a to k: |S_ka|^2 J (n + 1) downwards, |S_ak|^2 J n upwards.

        Raises
        ------
        UndefinedError
            If a coupling connects levels of equal energy and its rate jumps there.
        """
        total = zeros(self.size, self.size).re.copy()
        for own, matrix in self.couplings:
            strength = matrix.squared_entries()
            for a, g in itertools.permutations(range(self.size), 2):
                if strength[a, g] == 0:
                    continue
                energy = self.bohr(a, g)
                if energy == 0 and own.jumps:
                    raise UndefinedError("coupled levels coincide where the rate jumps")
                absorbed, emitted = own.rates(energy)
                total[a, g] += strength[a, g] * emitted
                total[g, a] += strength[a, g] * absorbed
        return total

    @cached_property
    def populations(self) -> np.ndarray:
        """p, whose gain and loss balance to 40 digits at every level."""
        return balanced(self.rates)

    @cached_property
    def state(self) -> Matrix:
        """rho0 in the product basis."""
        return self.in_product_basis(self.populations)

    def in_product_basis(self, weights: np.ndarray) -> Matrix:
        """sum_k w_k |k><k|."""
        return self.vectors * np.asarray(weights, dtype=object) @ dagger(self.vectors)

    @cached_property
    def action(self) -> Matrix:
        """L2[rho0] in the product basis."""
        return self.redfield(self.state)

    @cached_property
    def coherences(self) -> Matrix:
        """rho2 between levels of equal charge, in the product basis, without diagonal."""
        source = dagger(self.vectors) @ self.action @ self.vectors
        re, im = source.re.copy(), source.im.copy()
        charges = level_charges(self.data)
        for a, g in itertools.product(range(self.size), repeat=2):
            if a == g or charges[a] != charges[g]:
                re[a, g] = im[a, g] = Decimal(0)
                continue
            gap = self.energies[a] - self.energies[g]
            re[a, g], im[a, g] = source.im[a, g] / gap, -source.re[a, g] / gap
        return self.vectors @ Matrix(re, im) @ dagger(self.vectors)

    @cached_property
    def half_sided(self) -> tuple[tuple[Matrix, Matrix, Matrix], ...]:
        """(S, S^C, S^D) of every coupling, in the eigenbasis."""
        return tuple((matrix, *half_sided(self, own, matrix)) for own, matrix in self.couplings)

    def redfield(self, state: Matrix) -> Matrix:
        """L2(rho) = -sum_l ([S^dag, S^D rho] + [rho S^C, S^dag] + h.c.), product basis."""
        rho = dagger(self.vectors) @ state @ self.vectors
        total = zeros(self.size, self.size)
        for matrix, absorbed, emitted in self.half_sided:
            raised, one, two = dagger(matrix), emitted @ rho, rho @ absorbed
            part = raised @ one - one @ raised + two @ raised - raised @ two
            total = total - part - dagger(part)
        return self.vectors @ total @ dagger(self.vectors)

    def defect(self, change: Matrix, asked: Asked) -> Decimal:
        """The defect of a Lindbladian that does ``change`` to rho0."""
        if asked.plain:
            inside = (dagger(self.vectors) @ change) * self.vectors.T
            return sum(abs(value) for value in inside.sum(axis=1).re.flat)
        return norm(change - self.action, asked.norm)

    def change(self, tensors: Sequence[Matrix], hamiltonians: Sequence[Any] = ()) -> Matrix:
        """L'(rho0) of the dissipators given by tensors, and of local Hamiltonians."""
        total = zeros(self.size, self.size)
        for region, tensor in zip(self.regions, tensors, strict=True):
            total = total + region.dissipated(tensor, self.state)
        for region, local in zip(self.regions, hamiltonians, strict=False):
            full = region.embedded(Matrix.of(local))
            total = total + (self.state @ full - full @ self.state).times_i()
        return total

    def flow(self, tensors: Sequence[Matrix]) -> np.ndarray:
        """C[k, a] = <k|L'[|a><a|]|k>, off the diagonal."""
        found = zeros(self.size, self.size).re.copy()
        for a in range(self.size):
            weights = np.array([Decimal(int(k == a)) for k in range(self.size)], dtype=object)
            state = self.in_product_basis(weights)
            for region, tensor in zip(self.regions, tensors, strict=True):
                change = region.dissipated(tensor, state)
                inside = (dagger(self.vectors) @ change) * self.vectors.T
                found[:, a] += inside.sum(axis=1).re
        for a in range(self.size):
            found[a, a] = Decimal(0)
        # what is negative by rounding is zero
        return np.where(found > self.tiny(found), found, Decimal(0))

    def tiny(self, values: np.ndarray) -> Decimal:
        return ZERO * max(abs(value) for value in values.flat)

    def distance(self, tensors: Sequence[Matrix]) -> Decimal:
        """T between rho0 and the steady populations of an allowed Lindbladian."""
        return sum(abs(self.populations - balanced(self.flow(tensors))), Decimal(0)) / 2

    def dual_value(self, weight: Matrix, asked: Asked, *, rough: bool = False) -> Decimal:
        """A lower bound on the optimum from any Hermitian Y (or the matrix sum_k y_k |k><k|).

        With coherences, Y is divided by its dual norm, and every region with an H_r pays
        h ||tr_rest i[Y, rho0]||.
        """
        offset = Decimal(0)
        if not asked.plain:
            size = norm(weight, DUAL_NORM[asked.norm])
            weight = weight * (1 / size) if size != 0 else weight
            offset = -(weight @ self.action).trace()
            if asked.hamiltonian_limit is not None:
                turned = (weight @ self.state - self.state @ weight).times_i()
                limit = Decimal(asked.hamiltonian_limit)
                offset -= sum(limit * region.reduced(turned).frobenius() for region in self.regions)
        return offset + asked.rule.smallest(self.eigenvalues(weight, rough=rough))

    def eigenvalues(self, weight: Matrix, *, rough: bool = False) -> list[Decimal]:
        """Lower bounds on the smallest eigenvalue of every A^r(Y)."""
        return [
            smallest_eigenvalue(
                region.dual_matrix(weight, self.state, hermitian_basis(region.levels)), rough=rough
            )
            for region in self.regions
        ]


def reference(data: SystemData) -> Reference:
    """Diagonalise H, per charge sector if there is a charge.

    Raises
    ------
    UndefinedError
        If levels of one sector coincide.
    """
    hamiltonian = Matrix.of(data.hamiltonian)
    energies, columns = [], []
    charges = product_charges(data)
    for charge in sorted(set(charges)):
        states = np.array([k for k, own in enumerate(charges) if own == charge])
        values, vectors = eigh(hamiltonian[states][:, states])
        width = max(values) - min(values)
        if any(b - a <= ZERO * width for a, b in itertools.pairwise(values)):
            raise UndefinedError("levels of one sector coincide")
        full = zeros(data.dimension, len(states))
        full.re[states], full.im[states] = vectors.re, vectors.im
        energies.extend(values)
        columns.append(full)
    vectors = Matrix(
        np.concatenate([part.re for part in columns], 1),
        np.concatenate([part.im for part in columns], 1),
    )
    return Reference(
        data=data,
        energies=np.array(energies, dtype=object),
        vectors=vectors,
        couplings=tuple(
            (bath(density, own.beta, own.mu), _in_eigenbasis(data, own, operator, vectors))
            for own in data.baths
            for density, operator in zip(own.densities, own.couplings, strict=True)
        ),
    )


def product_charges(data: SystemData) -> list[int]:
    """The charge of every product state; zeros without a charge."""
    local = data.charge or tuple((0,) * dimension for dimension in data.dimensions)
    return [sum(choice) for choice in itertools.product(*local)]


def level_charges(data: SystemData) -> list[int]:
    """The charge of every level."""
    return sorted(product_charges(data))


def half_sided(own: Reference, density: Bath, matrix: Matrix) -> tuple[Matrix, Matrix]:
    """(S^C, S^D) in the eigenbasis.

    Elements at zero frequency: for S Hermitian up to a phase only D(0) + conj(C(0)) enters, and
    all of it is put into S^D; for others both must converge.
    """
    found = [zeros(own.size, own.size) for _ in range(2)]
    for a, g in itertools.product(range(own.size), repeat=2):
        element = matrix[a, g]
        if element.re == 0 and element.im == 0:
            continue
        energy = own.bohr(a, g)
        if energy == 0 and a != g and density.jumps:
            raise UndefinedError("coupled levels coincide where the rate jumps")
        if energy == 0 and is_hermitian_up_to_phase(matrix):
            pair = ((Decimal(0), Decimal(0)), density.elastic_sum())
        else:
            pair = density.half_sided(energy)
        for out, (re, im) in zip(found, pair, strict=True):
            out.re[a, g] = re * element.re - im * element.im
            out.im[a, g] = re * element.im + im * element.re
    return found[0], found[1]


def is_hermitian_up_to_phase(matrix: Matrix) -> bool:
    """Whether S^dag = c S for a number c, to the accuracy of doubles."""
    doubles = (matrix * (1 / matrix.frobenius())).numpy()
    overlap = np.vdot(doubles, doubles.conj().T)
    return bool(np.abs(doubles.conj().T - overlap * doubles).max() <= 1e-14)


def _in_eigenbasis(data: SystemData, own: BathData, operator: Any, vectors: Matrix) -> Matrix:
    """<a|S|g>, with elements below `ZERO` of the norm put to zero."""
    local = Matrix.of(operator)
    full = Region(data, own.sites).embedded(local)
    matrix = dagger(vectors) @ full @ vectors
    small = (matrix.frobenius() * ZERO) ** 2
    keep = exact(np.asarray(matrix.squared_entries() > small, dtype=bool).astype(float))
    return matrix * keep
