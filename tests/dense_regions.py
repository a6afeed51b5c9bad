"""Regions of a dense system: embeddings, dissipators and their duals, operator bases.

The same lines work on numpy arrays and on `decimal_matrices.Matrix`. Nothing of lindfeas is
imported here.

Notation: [c, d] of a region's operators are matrix units |c><d|; a state rho of the system is
split into the region's indices and the indices m of all other sites.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from tests.decimal_matrices import Matrix, dagger, identity, zeros
from tests.system_data import SystemData


@dataclass(frozen=True, eq=False)
class Region:
    """Sites of one bath inside the system: where the product states stand when they come first."""

    data: SystemData
    sites: tuple[int, ...]

    @cached_property
    def levels(self) -> int:
        """d_r."""
        return math.prod(self.data.dimensions[site] for site in self.sites)

    @cached_property
    def rest(self) -> int:
        """d / d_r."""
        return self.data.dimension // self.levels

    @cached_property
    def order(self) -> np.ndarray:
        """Product states of the system, those of the region's sites varying slowest."""
        dimensions = self.data.dimensions
        others = [site for site in range(len(dimensions)) if site not in self.sites]
        listed = []
        moved = (*self.sites, *others)
        for digits in itertools.product(*(range(dimensions[site]) for site in moved)):
            own = dict(zip(moved, digits, strict=True))
            number = 0
            for site, dimension in enumerate(dimensions):
                number = number * dimension + own[site]
            listed.append(number)
        return np.array(listed)

    def split(self, matrix: Any) -> Any:
        """A system operator as an array [b, m, d, m']."""
        shape = (self.levels, self.rest)
        return matrix[self.order][:, self.order].reshape(*shape, *shape)

    def joined(self, array: Any) -> Any:
        """[b, m, d, m'] as a system operator."""
        back = np.argsort(self.order)
        size = self.data.dimension
        return array.reshape(size, size)[back][:, back]

    def embedded(self, operator: Any) -> Any:
        """An operator of the region times the identity of all other sites."""
        unit = identity(self.rest) if isinstance(operator, Matrix) else np.eye(self.rest)
        n, e = self.levels, self.rest
        product = operator.reshape(n * n, 1) @ unit.reshape(1, e * e)
        return self.joined(product.reshape(n, n, e, e).transpose(0, 2, 1, 3))

    def reduced(self, matrix: Any) -> Any:
        """The partial trace over all other sites."""
        n, e = self.levels, self.rest
        parts = self.split(matrix).transpose(0, 2, 1, 3).reshape(n * n, e * e)
        one = Matrix.of(np.eye(e)) if isinstance(matrix, Matrix) else np.eye(e)
        return (parts @ one.reshape(e * e, 1)).reshape(n, n)

    def dissipated(self, tensor: Any, state: Any) -> Any:
        """sum_ij Gamma_ij (F_j rho F_i^dag - {F_i^dag F_j, rho}/2), from `dissipator_tensor`."""
        n, e = self.levels, self.rest
        moved = tensor.reshape(n, n, n, n).transpose(0, 2, 1, 3).reshape(n * n, n * n)
        gain = moved @ self.split(state).transpose(0, 2, 1, 3).reshape(n * n, e * e)
        gain = self.joined(gain.reshape(n, n, e, e).transpose(0, 2, 1, 3))
        # (F_i^dag F_j)[d, b] = sum_a conj(f_i[a, d]) f_j[a, b]
        pairs = tensor.reshape(n, n, n, n).transpose(3, 1, 0, 2).reshape(n * n, n * n)
        one = Matrix.of(np.eye(n)) if isinstance(tensor, Matrix) else np.eye(n)
        loss = self.embedded((pairs @ one.reshape(n * n, 1)).reshape(n, n))
        half = loss @ state + state @ loss
        return (gain - half * self.number(state, 0.5)) * self.number(state, 1 / self.rest)

    def dual_units(self, weight: Any, state: Any) -> Any:
        """tr Y (F_j rho F_i^dag - {F_i^dag F_j, rho}/2) for matrix units, [i = (c, d), j = (a, b)].

        tr(Y |a><b| rho |d><c|) = sum_mm' Y[c m', a m] rho[b m, d m'], and
        F_i^dag F_j = delta_ca |d><b| (times the identity, over d / d_r).
        """
        n, e = self.levels, self.rest
        left = self.split(weight).transpose(0, 2, 1, 3).reshape(n * n, e * e)
        right = self.split(state).transpose(3, 1, 0, 2).reshape(e * e, n * n)
        gain = (left @ right).reshape(n, n, n, n).transpose(0, 3, 1, 2).reshape(n * n, n * n)
        local = self.reduced(state @ weight + weight @ state)
        one = Matrix.of(np.eye(n)) if isinstance(state, Matrix) else np.eye(n)
        loss = one.reshape(n * n, 1) @ local.reshape(1, n * n)
        loss = loss.reshape(n, n, n, n).transpose(0, 3, 1, 2).reshape(n * n, n * n)
        return (gain - loss * self.number(state, 0.5)) * self.number(state, 1 / self.rest)

    def dual_matrix(self, weight: Any, state: Any, basis: Any) -> Any:
        """A^r(Y) in a basis of operators, shape (n, d_r^2) of flattened matrices."""
        return basis.conj() @ self.dual_units(weight, state) @ basis.T

    def number(self, like: Any, value: float) -> Any:
        """1/2 or 1/(d/d_r) in the arithmetic of a matrix."""
        if not isinstance(like, Matrix):
            return value
        return Decimal(value) if value == 0.5 else Decimal(1) / self.rest


def dissipator_tensor(gamma: Any, basis: Any) -> Any:
    """sum_ij Gamma_ij f_j[a, b] conj(f_i[c, d]) as [(a, b), (c, d)]; basis (n, d_r^2)."""
    return basis.T @ gamma.T @ basis.conj()


@lru_cache(maxsize=16)
def hermitian_basis(levels: int) -> Matrix:
    """Orthonormal traceless Hermitian matrices (Gell-Mann), flattened, (d_r^2 - 1, d_r^2)."""
    found = []
    for a, b in itertools.combinations(range(levels), 2):
        pair, turned = zeros(levels, levels), zeros(levels, levels)
        pair.re[a, b] = pair.re[b, a] = 1 / Decimal(2).sqrt()
        turned.im[a, b], turned.im[b, a] = pair.re[a, b], -pair.re[a, b]
        found += [pair, turned]
    for rank in range(1, levels):
        diagonal = zeros(levels, levels)
        for k in range(rank + 1):
            diagonal.re[k, k] = (
                Decimal(1 if k < rank else -rank) / Decimal(rank * (rank + 1)).sqrt()
            )
        found.append(diagonal)
    return Matrix(
        np.stack([operator.re.ravel() for operator in found]),
        np.stack([operator.im.ravel() for operator in found]),
    )


def mended_basis(operators: np.ndarray) -> Matrix:
    """The exactly orthonormal traceless operators nearest to those given, (n, d_r^2)."""
    levels = operators.shape[1]
    return _mended(operators.astype(complex).tobytes(), levels)


@lru_cache(maxsize=16)
def _mended(content: bytes, levels: int) -> Matrix:
    operators = np.frombuffer(content, dtype=complex).reshape(-1, levels * levels)
    count, rows = len(operators), Matrix.of(operators)
    unit = identity(levels).reshape(1, levels * levels)
    rows = rows - (rows @ unit.T) @ unit * (Decimal(1) / levels)
    three = identity(count) * 3
    for _ in range(3):
        rows = (three - rows @ dagger(rows)) @ rows * Decimal("0.5")
    return rows
