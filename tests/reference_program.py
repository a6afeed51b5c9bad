"""The least defect of all allowed Lindbladians, from a formulation of its own.

One real conic program in cvxpy: the whole Kossakowski matrix of every region in a random
orthonormal basis, the whole residual in a Hermitian basis of the product space, no charge blocks,
no eigenbasis. What the solver returns are guesses; both ends are evaluated with 60 digits
(`dense_reference`), so that they are bounds whatever the solver did. Nothing of lindfeas is
imported.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import cvxpy as cp
import numpy as np

from tests.decimal_matrices import Matrix, dagger
from tests.dense_reference import Reference
from tests.dense_regions import dissipator_tensor, hermitian_basis
from tests.system_data import Asked

LARGEST_BASIS = 15
"""Operators of a region (d_r <= 4); more of them take too long in this formulation."""

LARGEST_NORM = 9
"""Levels up to which the spectral and the trace norm are asked for."""

TIGHT = Decimal("1e-7")
"""Relative width at which one solve is enough."""

SETTINGS = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10, "max_iter": 150}


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """Rigorous bounds on the least defect; Decimals."""

    lower: Decimal
    upper: Decimal


@dataclass(frozen=True, kw_only=True)
class _Data:
    """Residual = sum_r gains[r] @ gamma_r + turns[r] @ h_r - wanted, all real."""

    gains: list[np.ndarray]
    turns: list[np.ndarray]
    wanted: np.ndarray
    weights: list[np.ndarray]
    bases: list[np.ndarray]
    hamiltonians: list[np.ndarray]


def is_small(ref: Reference, asked: Asked) -> bool:
    """Whether `optimum` takes no more than a few seconds."""
    basis = max(region.levels for region in ref.regions) ** 2 - 1
    return basis <= LARGEST_BASIS and (
        asked.plain or asked.norm == "frobenius" or ref.size <= LARGEST_NORM
    )


def optimum(ref: Reference, asked: Asked, seed: int = 0) -> Optimum:
    """Bounds on the least defect, from one solve, or a second that is scaled to its result."""
    data = _data(ref, asked, np.random.default_rng(seed))
    candidate = [identity_matrix(region.levels**2 - 1) for region in ref.regions]
    upper = upper_bound(ref, asked, data.bases, candidate)
    lower = Decimal(0)
    for _ in range(2):
        scale = float(max(upper, Decimal("1e-12") * Decimal(_size(asked))))
        found = _solved(ref, asked, data, scale)
        if found is None:
            continue
        gammas, hamiltonians, multipliers = found
        upper = min(upper, upper_bound(ref, asked, data.bases, gammas, hamiltonians))
        lower = max(lower, *(lower_bound(ref, asked, data, y) for y in multipliers))
        if upper - lower <= TIGHT * upper:
            break
    return Optimum(lower=lower, upper=upper)


def identity_matrix(size: int) -> np.ndarray:
    """The unit matrix, complex."""
    return np.eye(size, dtype=complex)


def upper_bound(
    ref: Reference,
    asked: Asked,
    bases: Sequence[np.ndarray],
    gammas: Sequence[np.ndarray],
    hamiltonians: Sequence[np.ndarray] = (),
) -> Decimal:
    """The defect of the allowed Lindbladian that is nearest to some matrices."""
    allowed = feasible(asked, gammas)
    tensors = [
        dissipator_tensor(gamma, exact_basis(basis))
        for gamma, basis in zip(allowed, bases, strict=True)
    ]
    local = [limited(matrix, asked.hamiltonian_limit) for matrix in hamiltonians]
    return ref.defect(ref.change(tensors, local), asked)


def exact_basis(rotation: np.ndarray) -> Matrix:
    """The rotated Gell-Mann basis, orthonormal to 60 digits."""
    levels = round((len(rotation) + 1) ** 0.5)
    unitary = Matrix.of(rotation)
    three = Matrix.of(3 * np.eye(len(rotation)))
    for _ in range(3):
        unitary = (three - unitary @ dagger(unitary)) @ unitary * Decimal("0.5")
    return unitary @ hermitian_basis(levels)


def feasible(asked: Asked, gammas: Sequence[np.ndarray]) -> list[Matrix]:
    """Positive matrices, exactly of allowed traces, near the given ones."""
    positive = []
    for gamma in gammas:
        values, vectors = np.linalg.eigh((gamma + gamma.conj().T) / 2)
        factor = Matrix.of(vectors * np.sqrt(np.maximum(values, 0.0)))
        if not (values > 0).any():
            factor = Matrix.of(identity_matrix(len(gamma)))
        positive.append(factor @ dagger(factor))
    traces = [gamma.trace() for gamma in positive]
    if asked.rule.name == "total":
        factors = [Decimal(asked.rule.high[0]) / sum(traces)] * len(traces)
    else:
        bounds = zip(traces, asked.rule.low, asked.rule.high, strict=True)
        factors = [
            min(max(trace, Decimal(low)), Decimal(high)) / trace for trace, low, high in bounds
        ]
    return [gamma * factor for gamma, factor in zip(positive, factors, strict=True)]


def limited(hamiltonian: np.ndarray, limit: Any) -> Matrix:
    """A local Hamiltonian, traceless and shortened to the limit."""
    size = len(hamiltonian)
    centred = Matrix.of((hamiltonian + hamiltonian.conj().T) / 2)
    centred = centred - Matrix.of(np.eye(size)) * (centred.trace() / size)
    length = centred.frobenius()
    if limit is None or length == 0:
        return centred * Decimal(0)
    return centred * min(Decimal(1), Decimal(limit) / length)


def lower_bound(ref: Reference, asked: Asked, data: _Data, y: np.ndarray) -> Decimal:
    """The dual value of a multiplier, repaired."""
    if asked.plain:
        y = y - (y.max() + y.min()) / 2
        y = np.clip(y, -1, 1)
        weights = np.array([Decimal(float(value)) for value in y], dtype=object)
        return ref.dual_value(ref.in_product_basis(weights), asked, rough=True)
    weight = np.tensordot(y, data.weights, axes=1)
    if not weight.any():
        return Decimal(0)
    # the residual has no trace: the multiple of the identity that makes the dual norm least
    values = np.linalg.eigvalsh(weight)
    centre = {"spectral": np.median(values), "trace": (values[0] + values[-1]) / 2}
    weight = weight - centre.get(asked.norm, 0.0) * np.eye(len(weight))
    return ref.dual_value(Matrix.of((weight + weight.conj().T) / 2), asked, rough=True)


def _size(asked: Asked) -> float:
    return float(max(Decimal(value) for value in asked.rule.high))


def _data(ref: Reference, asked: Asked, rng: np.random.Generator) -> _Data:
    state, size = ref.state.numpy(), ref.size
    vectors = ref.vectors.numpy()
    if asked.plain:
        weights = [np.outer(vectors[:, k], vectors[:, k].conj()) for k in range(size)]
    else:
        weights = list(hermitian_basis(size).numpy().reshape(-1, size, size))
    gains, turns, bases, hamiltonians = [], [], [], []
    for region in ref.regions:
        count = region.levels**2 - 1
        rotation = np.linalg.qr(rng.normal(size=(count, count, 2)) @ [1, 1j])[0]
        basis = rotation @ hermitian_basis(region.levels).numpy()
        dual = np.stack([region.dual_matrix(weight, state, basis) for weight in weights])
        gains.append((dual.reshape(len(weights), -1) @ _hermitian_rows(count).T).real)
        local = hermitian_basis(region.levels).numpy().reshape(-1, region.levels, region.levels)
        turned = []
        for operator in local if _turns(asked) else ():
            full = region.embedded(operator)
            change = 1j * (state @ full - full @ state)
            turned.append([np.vdot(weight, change).real for weight in weights])
        turns.append(np.array(turned).reshape(-1, len(weights)).T)
        bases.append(rotation)
        hamiltonians.append(local)
    wanted = np.zeros(len(weights))
    if not asked.plain:
        action = ref.action.numpy()
        wanted = np.array([np.vdot(weight, action).real for weight in weights])
    return _Data(
        gains=gains,
        turns=turns,
        wanted=wanted,
        weights=weights,
        bases=bases,
        hamiltonians=hamiltonians,
    )


def _turns(asked: Asked) -> bool:
    return not asked.plain and asked.hamiltonian_limit is not None


def _hermitian_rows(size: int) -> np.ndarray:
    """An orthonormal basis of all Hermitian matrices, flattened, (size^2, size^2)."""
    unit = np.eye(size).reshape(1, -1) / np.sqrt(size)
    return np.concatenate([unit, hermitian_basis(size).numpy()])


def _embedding(rows: np.ndarray) -> np.ndarray:
    """Coordinates in Hermitian matrices -> the real symmetric [[Re, -Im], [Im, Re]], flattened."""
    size = round(rows.shape[1] ** 0.5)
    images = []
    for row in rows:
        matrix = row.reshape(size, size)
        images.append(np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]]).ravel())
    return np.array(images).T


def _solved(ref: Reference, asked: Asked, data: _Data, scale: float) -> Any:
    """(Kossakowski matrices, Hamiltonians, multipliers) that a solver proposes, or None."""
    unit = _unit(ref, asked)
    rows = [_hermitian_rows(len(basis)) for basis in data.bases]
    gammas = [cp.Variable(len(row)) for row in rows]
    shifts = [cp.Variable(turn.shape[1]) if turn.size else None for turn in data.turns]
    residual = cp.Variable(len(data.wanted))
    total = -data.wanted / scale
    for gain, gamma, turn, shift in zip(data.gains, gammas, data.turns, shifts, strict=True):
        total = total + (gain * (unit / scale)) @ gamma
        if shift is not None:
            total = total + (turn * (unit / scale)) @ shift
    equality = residual == total
    constraints = [equality, *_rate_constraints(asked, rows, gammas, unit)]
    for row, gamma in zip(rows, gammas, strict=True):
        side = 2 * round(row.shape[1] ** 0.5)
        constraints.append(cp.reshape(_embedding(row) @ gamma, (side, side), order="F") >> 0)
    if _turns(asked):
        limit = float(asked.hamiltonian_limit) / unit
        constraints += [cp.norm2(shift) <= limit for shift in shifts if shift is not None]
    objective, more = _objective(asked, data, residual)
    problem = cp.Problem(cp.Minimize(objective), [*constraints, *more])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            problem.solve(solver="CLARABEL", **SETTINGS)
        except BaseException as error:
            # the solver may fail in its own ways; a panic in Rust is no Exception
            if not isinstance(error, cp.error.SolverError | ValueError | ArithmeticError) and (
                type(error).__name__ != "PanicException"
            ):
                raise
            return None
    if residual.value is None or equality.dual_value is None:
        return None
    kossakowski = [
        unit * (gamma.value @ row).reshape(len(basis), len(basis))
        for gamma, row, basis in zip(gammas, rows, data.bases, strict=True)
    ]
    hamiltonians = [
        unit * np.tensordot(shift.value, local, axes=1)
        for shift, local in zip(shifts, data.hamiltonians, strict=True)
        if shift is not None
    ]
    return kossakowski, hamiltonians, (equality.dual_value, -equality.dual_value)


def _unit(ref: Reference, asked: Asked) -> float:
    """The rate in which the program counts: what is needed, within what is allowed."""
    if asked.plain or asked.rule.name != "range":
        return _size(asked)
    wanted = float(ref.action.frobenius()) * max(region.rest for region in ref.regions)
    low = max(float(Decimal(value)) for value in asked.rule.low)
    # nothing is needed where the action vanishes, and no rate may be demanded
    return min(max(wanted, low), _size(asked)) or _size(asked)


def _rate_constraints(asked: Asked, rows: Any, gammas: Any, unit: float) -> list[Any]:
    traces = []
    for row, gamma in zip(rows, gammas, strict=True):
        side = round(row.shape[1] ** 0.5)
        traces.append(row.reshape(-1, side, side).trace(axis1=1, axis2=2).real @ gamma)
    low = [float(Decimal(value)) / unit for value in asked.rule.low]
    high = [float(Decimal(value)) / unit for value in asked.rule.high]
    if asked.rule.name == "total":
        return [sum(traces) == high[0]]
    if asked.rule.name == "each":
        return [trace == value for trace, value in zip(traces, high, strict=True)]
    pairs = zip(traces, low, high, strict=True)
    return [bound for trace, a, b in pairs for bound in (trace >= a, trace <= b)]


def _objective(asked: Asked, data: _Data, residual: Any) -> tuple[Any, list[Any]]:
    """The norm of the residual, and the constraints that define it."""
    if asked.plain:
        return cp.norm1(residual), []
    if asked.norm == "frobenius":
        return cp.norm2(residual), []
    rows = np.array([weight.ravel() for weight in data.weights])
    side = 2 * round(rows.shape[1] ** 0.5)
    matrix = cp.reshape(_embedding(rows) @ residual, (side, side), order="F")
    if asked.norm == "spectral":
        bound = cp.Variable()
        return bound, [bound * np.eye(side) - matrix >> 0, bound * np.eye(side) + matrix >> 0]
    plus = cp.Variable((side, side), PSD=True)
    minus = cp.Variable((side, side), PSD=True)
    return (cp.trace(plus) + cp.trace(minus)) / 2, [matrix == plus - minus]
