"""Any Lindbladian of the user's own, by its jump operators on the whole system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import InputError, quoted
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.physics.systems.checks import finite_number, square_matrix
from lindfeas.physics.systems.open_system import OpenSystem

HERMITIAN = 1e-12
"""Largest |H - H^dagger|, relative to the largest |H|, put down to rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Jumps:
    """L'(rho) = i[rho, H] + sum_n gamma_n (L_n rho L_n^dag - {L_n^dag L_n, rho}/2).

    All matrices are in the product basis; L' is in units of eps^2, and H_S is no part of H.

    Parameters
    ----------
    operators
        L_n, shape (n, d, d).
    rates
        gamma_n >= 0, shape (n,).
    hamiltonian
        H, Hermitian, shape (d, d).
    """

    operators: NDArray[np.complex128]
    rates: NDArray[np.float64]
    hamiltonian: NDArray[np.complex128]

    @property
    def loss(self) -> NDArray[np.complex128]:
        """sum_n gamma_n L_n^dag L_n, shape (d, d)."""
        weighted = self.rates[:, None, None] * self.operators
        loss: NDArray[np.complex128] = np.einsum("nba,nbc->ac", weighted.conj(), self.operators)
        return loss

    def apply(self, state: NDArray[Any]) -> NDArray[np.complex128]:
        """L'(state) for a Hermitian (d, d) ``state``."""
        gained = _summed(self.rates, self.operators @ state, self.operators.conj().swapaxes(1, 2))
        half = -1j * self.hamiltonian @ state - self.loss @ state / 2
        total: NDArray[np.complex128] = gained + half + half.conj().T
        return total

    def adjoint(self, observable: NDArray[Any]) -> NDArray[np.complex128]:
        """L'^dag(O) for a (d, d) ``observable``: how fast L' changes its expectation value."""
        adjoints = self.operators.conj().swapaxes(1, 2)
        gained = _summed(self.rates, adjoints @ observable, self.operators)
        shift = 1j * (self.hamiltonian @ observable - observable @ self.hamiltonian)
        loss = self.loss
        total: NDArray[np.complex128] = gained + shift - (loss @ observable + observable @ loss) / 2
        return total

    def canonical(self) -> Jumps:
        """The same L' with traceless L_n and H: (L + c, H) is (L, H + i (c* L - c L^dag)/2)."""
        size = len(self.hamiltonian)
        eye = np.eye(size)
        means = np.trace(self.operators, axis1=1, axis2=2) / size
        traceless = self.operators - means[:, None, None] * eye
        moved = np.einsum("n,nab->ab", self.rates * means.conj(), traceless) * 0.5j
        hamiltonian = self.hamiltonian + moved + moved.conj().T
        return Jumps(
            operators=traceless,
            rates=self.rates,
            hamiltonian=hamiltonian - np.trace(hamiltonian).real / size * eye,
        )

    def rotated(self, vectors: NDArray[Any]) -> Jumps:
        """In the basis of these columns."""
        inverse = vectors.conj().T
        return Jumps(
            operators=inverse @ self.operators @ vectors,
            rates=self.rates,
            hamiltonian=inverse @ self.hamiltonian @ vectors,
        )


def _summed(
    rates: NDArray[np.float64], left: NDArray[Any], right: NDArray[Any]
) -> NDArray[np.complex128]:
    """sum_n gamma_n left_n right_n."""
    total: NDArray[np.complex128] = np.einsum("n,nab,nbc->ac", rates, left, right, optimize=True)
    return total


def jumps_of(
    system: OpenSystem, candidate: Any, rates: Any = None, hamiltonian: Any = None
) -> Jumps:
    """What a user calls a Lindbladian, as jump operators on the whole system.

    Parameters
    ----------
    system
        The open system.
    candidate
        A `Lindbladian`; a list of jump operators, each d x d on the whole system (array, sparse
        matrix or ``Qobj``) or a pair (sites, operator on them); such lists by the names of the
        baths, with operators on the bath's region or on the system; or a pair (H, jump operators),
        as from `Lindbladian.qobj`.
    rates
        gamma_n >= 0, one per jump operator in their order; 1 each by default.
    hamiltonian
        H beside H_S, d x d; zero by default.

    Raises
    ------
    InputError
        If something does not fit; the message names it.
    """
    if isinstance(candidate, Jumps | Lindbladian):
        if rates is not None or hamiltonian is not None:
            raise InputError("must be left out for a Lindbladian, which has its own", "rates")
        return candidate if isinstance(candidate, Jumps) else _of_lindbladian(system, candidate)
    if isinstance(candidate, tuple) and len(candidate) == 2 and isinstance(candidate[1], list):
        if hamiltonian is not None:
            raise InputError("must be given once, but is given twice", "candidate.hamiltonian")
        hamiltonian, candidate = candidate
    operators = list(_listed(system, candidate))
    size = system.dimension
    shift = np.zeros((size, size), dtype=complex)
    if hamiltonian is not None:
        shift += _matrix(system, hamiltonian, "candidate.hamiltonian")
        if np.abs(shift - shift.conj().T).max() > HERMITIAN * np.abs(shift).max():
            raise InputError("must be Hermitian, but is not", "candidate.hamiltonian")
    stack = np.stack(operators) if operators else np.zeros((0, size, size), dtype=complex)
    return Jumps(operators=stack, rates=_rates(rates, len(stack)), hamiltonian=shift)


def _of_lindbladian(system: OpenSystem, candidate: Lindbladian) -> Jumps:
    if candidate.dimensions != system.dimensions:
        raise InputError(
            f"must be of a system with dimensions {list(system.dimensions)}, but is of one with "
            f"{list(candidate.dimensions)}",
            "candidate",
        )
    operators, rates = [], []
    shift = np.zeros((system.dimension,) * 2, dtype=complex)
    for region in candidate.regions:
        scale = region.dimension / system.dimension
        for rate, jump in zip(region.jump_rates, region.jump_operators, strict=True):
            operators.append(system.embed(jump, region.sites).toarray().astype(complex))
            rates.append(rate * scale)
        shift += system.embed(region.hamiltonian, region.sites).toarray()
    return Jumps(operators=np.stack(operators), rates=np.array(rates), hamiltonian=shift)


def _listed(system: OpenSystem, candidate: Any) -> Sequence[NDArray[np.complex128]]:
    where = "candidate.jump_operators"
    if isinstance(candidate, Mapping):
        known = {bath.name: bath.sites for bath in system.baths}
        for name in candidate:
            if name not in known:
                listed = ", ".join(known)
                raise InputError(f"must be one of {listed}, but is {quoted(name)}", "candidate")
        return [
            _matrix(system, operator, f"candidate.{name}[{number}]", known[name])
            for name, own in candidate.items()
            for number, operator in enumerate(_several(own, f"candidate.{name}"))
        ]
    found = []
    for number, one in enumerate(_several(candidate, where)):
        place = f"{where}[{number}]"
        if isinstance(one, tuple) and len(one) == 2:
            found.append(system.embed(one[1], one[0]).toarray().astype(complex))
        else:
            found.append(_matrix(system, one, place))
    return found


def _several(value: Any, where: str) -> list[Any]:
    stacked = isinstance(value, np.ndarray) and value.ndim == 3
    if not (stacked or isinstance(value, list | tuple)):
        raise InputError(
            "must be a Lindbladian or a list of jump operators, but is of type "
            f"{type(value).__name__}",
            where,
        )
    return list(value)


def _matrix(
    system: OpenSystem, operator: Any, where: str, sites: tuple[int, ...] | None = None
) -> NDArray[np.complex128]:
    """An operator on the whole system, from one on it or on ``sites``."""
    dims: Any = getattr(operator, "dims", None)
    factors = dims[0] if isinstance(dims, list) and len(dims) == 2 else [0]
    own = [list(system.dimensions)]
    own += [[system.dimensions[site] for site in sites]] if sites is not None else []
    if len(factors) > 1 and (dims[0] != dims[1] or factors not in own):
        ways = " or ".join(str([one, one]) for one in own)
        raise InputError(f"must have the tensor factors {ways}, but has dims {dims}", where)
    matrix = square_matrix(operator, where)
    if sites is not None and matrix.shape[0] == int(np.prod(own[1])):
        matrix = system.embed(matrix, sites)
    if matrix.shape[0] != system.dimension:
        raise InputError(
            f"must be {system.dimension} x {system.dimension}, but is {matrix.shape[0]} x "
            f"{matrix.shape[1]}",
            where,
        )
    return np.asarray(matrix.toarray(), dtype=complex)


def _rates(rates: Any, count: int) -> NDArray[np.float64]:
    where = "candidate.rates"
    if rates is None:
        return np.ones(count)
    try:
        several = [finite_number(rate, where) for rate in rates]
    except TypeError:
        raise InputError(f"must list numbers, but is {quoted(rates)}", where) from None
    if len(several) != count:
        raise InputError(
            f"must be one per jump operator ({count}), but there are {len(several)}", where
        )
    for rate in several:
        if rate < 0:
            raise InputError(f"must be >= 0, but holds {rate:g}", where)
    return np.array(several, dtype=float)
