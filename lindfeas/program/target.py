"""What a Lindbladian must reproduce: its action on given states.

One abstraction carries all questions. The unknown L' must act on states rho_k as required
actions X_k, up to a projection, in a norm. Populations, populations and coherences, and a
trajectory are instances; so is anything that a user can write in this form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from lindfeas.errors import InputError, quoted, require
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.equations.reference_state import leading_order
from lindfeas.physics.systems.checks import finite_number, square_matrix

NORMS = ("spectral", "frobenius", "trace")

STATE_TOLERANCE = 1e-10
"""Largest entry of a state or operator minus its adjoint, relative to its largest entry."""

REFERENCE = "give lf.redfield_equation(system)"


@dataclass(frozen=True, kw_only=True, eq=False)
class Requirement:
    """L'(state) = action, with a weight.

    Parameters
    ----------
    state, action
        Hermitian matrices in the eigenbasis of H_S, levels in the order of the spectrum, (d, d).
    weight
        The residual is multiplied by it; > 0.
    level_errors
        By how much rounding may have moved the state's populations, shape (d,); None for a state
        that is exact.
    state_error, action_error
        Trace norms of the errors of the state and of the action.

    Raises
    ------
    InputError
        If a matrix is not finite and Hermitian, or the weight is no number > 0.
    """

    state: NDArray[Any] = field(repr=False)
    action: NDArray[Any] = field(repr=False)
    weight: float = 1.0
    level_errors: NDArray[np.float64] | None = field(default=None, repr=False)
    state_error: float = 0.0
    action_error: float = 0.0

    def __post_init__(self) -> None:
        for name in ("state", "action"):
            given = getattr(self, name)
            checked = _hermitian(given, f"target.{name}")
            kept = isinstance(given, np.ndarray)
            object.__setattr__(self, name, given if kept else checked)
        if self.state.shape != self.action.shape:
            raise InputError(
                f"must be as large as the state, {len(self.state)} x {len(self.state)}, but is "
                f"{len(self.action)} x {len(self.action)}",
                "target.action",
            )
        weight = finite_number(self.weight, "target.weight")
        if not weight > 0:
            raise InputError(f"must be > 0, but is {weight:g}", "target.weight")
        object.__setattr__(self, "weight", weight)
        for name in ("state_error", "action_error"):
            error = finite_number(getattr(self, name), f"target.{name}")
            if error < 0:
                raise InputError(f"must be >= 0, but is {error:g}", f"target.{name}")
            object.__setattr__(self, name, error)
        if self.level_errors is not None:
            _check_level_errors(self.level_errors, len(self.state))


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """A list of requirements, a projection, and a norm of what is left over.

    Parameters
    ----------
    name
        Shown in answers.
    requirements
        States, required actions, weights. The residuals of several requirements are the blocks of
        one matrix: the spectral norm takes the largest, the trace norm adds them.
    projection
        ``"all"``; ``"diagonal"`` in the eigenbasis; or Hermitian operators O_m in the eigenbasis,
        shape (m, d, d), so that only tr(O_m L'(rho)) counts.
    norm
        ``spectral``, ``frobenius`` or ``trace``; of the vector of tr(O_m L'(rho)) the largest
        absolute value, the Euclidean norm or the sum of absolute values.
    follows_redfield
        Whether state and action are those of the Redfield reference, whose rates set a scale.
    is_populations
        Set by `populations` alone: then steady populations can be compared, too.
    """

    name: str
    requirements: tuple[Requirement, ...]
    projection: str | NDArray[Any] = "all"
    norm: str = "spectral"
    follows_redfield: bool = False
    is_populations: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.norm, str) or self.norm not in NORMS:
            raise InputError(
                f"must be one of {', '.join(NORMS)}, but is {quoted(self.norm)}", "target.norm"
            )
        object.__setattr__(
            self, "requirements", _listed(self.requirements, "Requirement", "target.requirements")
        )
        if not self.requirements:
            raise InputError("must hold at least one state, but is empty", "target.requirements")
        for requirement in self.requirements:
            require(requirement, Requirement, "target.requirements")
        object.__setattr__(self, "projection", _projection(self.projection))
        if self.follows_redfield and any(one.level_errors is None for one in self.requirements):
            raise InputError(
                "must come with the errors of its states, as from populations(), coherences() and "
                "observables(), to follow the Redfield equation, but has none",
                "target.requirements",
            )
        if self.is_populations and not self._has_their_form:
            raise InputError(
                "must be one state, of weight 1, with action 0, diagonal, in the trace norm, as "
                "from populations(), to be about populations, but is not",
                "target.is_populations",
            )

    @property
    def _has_their_form(self) -> bool:
        first = self.requirements[0]
        return (
            len(self.requirements) == 1
            and first.weight == 1.0
            and not first.action.any()
            and isinstance(self.projection, str)
            and (self.projection, self.norm) == ("diagonal", "trace")
            and self.follows_redfield
        )

    def check_reference(self, reference: Redfield) -> None:
        """Refuse populations that are not those of ``reference``.

        Raises
        ------
        InputError
            If the state is another one.
        """
        own = np.diag(reference.populations)
        if self.is_populations and not np.array_equal(self.requirements[0].state, own):
            raise InputError(
                "must be the populations of the question's own system, but are others",
                "question.target",
            )

    def check_size(self, dimension: int) -> None:
        """Refuse states or operators that are not of a system with ``dimension`` levels.

        Raises
        ------
        InputError
            If one of them has another size.
        """
        sizes = [len(requirement.state) for requirement in self.requirements]
        if not isinstance(self.projection, str):
            sizes.append(self.projection.shape[1])
        for size in sizes:
            if size != dimension:
                raise InputError(
                    f"must be of a system with {dimension} levels, but has matrices of {size}",
                    "question.target",
                )


def _check_level_errors(errors: Any, levels: int) -> None:
    where = "target.level_errors"
    if not isinstance(errors, np.ndarray) or errors.shape != (levels,):
        raise InputError(f"must be an array of {levels} numbers, one per level", where)
    if errors.dtype.kind != "f" or not (errors >= 0).all():
        raise InputError("must be numbers >= 0, but are not", where)


def populations(reference: Redfield) -> Target:
    """tau_pop (SDP-paper Eqs. 28-29): action 0 on rho0, diagonal part, sum of absolute values."""
    require(reference, Redfield, "reference", REFERENCE)
    state = leading_order(reference)
    nothing = np.zeros_like(state.matrix)
    requirement = Requirement(state=state.matrix, action=nothing, level_errors=state.level_errors)
    return Target(
        name="populations",
        requirements=(requirement,),
        projection="diagonal",
        norm="trace",
        follows_redfield=True,
        is_populations=True,
    )


def coherences(reference: Redfield, norm: str = "spectral") -> Target:
    """tau_popcoh (SDP-paper Eqs. 32-33): action L2[rho0] on rho0, the whole matrix.

    The published figures use the spectral norm, and L2 with the sign reversed.
    """
    require(reference, Redfield, "reference", REFERENCE)
    state = leading_order(reference)
    requirement = Requirement(
        state=state.matrix,
        action=state.action,
        level_errors=state.level_errors,
        state_error=state.error,
        action_error=state.action_error,
    )
    return Target(
        name="populations+coherences",
        requirements=(requirement,),
        norm=norm,
        follows_redfield=True,
    )


def trajectory(
    reference: Redfield,
    states: Sequence[ArrayLike],
    actions: Sequence[ArrayLike],
    *,
    weights: Sequence[float] | None = None,
    norm: str = "frobenius",
) -> Target:
    """Dissipative action X_k on states rho(t_k), from any exact or reference dynamics.

    Parameters
    ----------
    states, actions
        In the product basis, each (d, d), numpy, scipy sparse or QuTiP: rho(t_k), and what the
        dissipator must do to it, that is d rho/dt - i[rho, H_S] in units of eps^2.
    weights
        One per state; 1 by default.

    Raises
    ------
    InputError
        For a wrong number or shape, or matrices that are not Hermitian.
    """
    require(reference, Redfield, "reference", REFERENCE)
    states, actions = (
        _listed(states, "state", "target.states"),
        _listed(actions, "action", "target.actions"),
    )
    weights = (
        (1.0,) * len(states) if weights is None else _listed(weights, "weight", "target.weights")
    )
    if len(states) != len(actions):
        raise InputError(
            f"must be one per state ({len(states)}), but there are {len(actions)}",
            "target.actions",
        )
    if len(weights) != len(states):
        raise InputError(
            f"must be one per state ({len(states)}), but there are {len(weights)}",
            "target.weights",
        )
    return Target(
        name="trajectory",
        requirements=tuple(
            Requirement(
                state=in_eigenbasis(reference, state, f"target.states[{k}]"),
                action=in_eigenbasis(reference, action, f"target.actions[{k}]"),
                weight=finite_number(weight, f"target.weights[{k}]"),
            )
            for k, (state, action, weight) in enumerate(zip(states, actions, weights, strict=True))
        ),
        norm=norm,
    )


def observables(
    reference: Redfield, operators: Sequence[ArrayLike], *, norm: str = "trace"
) -> Target:
    """Only the rates of some observables: tr(O_m L'(rho0)) = tr(O_m L2[rho0]).

    Parameters
    ----------
    operators
        Hermitian O_m in the product basis, each (d, d): numpy, scipy sparse or QuTiP.

    Raises
    ------
    InputError
        For a wrong shape, or matrices that are not Hermitian.
    """
    require(reference, Redfield, "reference", REFERENCE)
    stack = [
        in_eigenbasis(reference, operator, f"target.operators[{m}]")
        for m, operator in enumerate(_listed(operators, "operator", "target.operators"))
    ]
    return Target(
        name="observables",
        requirements=coherences(reference).requirements,
        projection=np.array(stack),
        norm=norm,
        follows_redfield=True,
    )


def in_eigenbasis(reference: Redfield, matrix: ArrayLike, where: str) -> NDArray[Any]:
    """A Hermitian matrix of the product basis in the eigenbasis of H_S.

    Raises
    ------
    InputError
        If its shape is wrong, or it is not finite and Hermitian.
    """
    dense = _hermitian(matrix, where)
    size = reference.spectrum.dimension
    if dense.shape != (size, size):
        raise InputError(f"must be {size} x {size}, but has shape {dense.shape}", where)
    vectors = reference.spectrum.vectors
    rotated: NDArray[Any] = vectors.conj().T @ (dense / 2 + dense.conj().T / 2) @ vectors
    return rotated


def _hermitian(matrix: Any, where: str) -> NDArray[Any]:
    """A user's matrix as an array, after checking that it is Hermitian up to rounding."""
    dense = square_matrix(matrix, where).toarray()
    difference = float(np.abs(dense - dense.conj().T).max(initial=0.0))
    allowed = STATE_TOLERANCE * float(np.abs(dense).max(initial=0.0))
    if difference > allowed:
        raise InputError(
            f"must be Hermitian up to {allowed:.1e}, but differs from its adjoint by "
            f"{difference:.3e}",
            where,
        )
    return np.asarray(dense)


def _projection(projection: Any) -> str | NDArray[Any]:
    """``all``, ``diagonal``, or Hermitian operators as one array (m, d, d)."""
    if isinstance(projection, str):
        if projection not in ("all", "diagonal"):
            raise InputError(
                f"must be 'all', 'diagonal' or operators, but is {quoted(projection)}",
                "target.projection",
            )
        return projection
    where = "target.projection"
    stack = [_hermitian(one, where) for one in _listed(projection, "operator", where)]
    if len({len(one) for one in stack}) != 1:
        raise InputError("must hold operators of one size, at least one", where)
    return np.array(stack)


def _listed(values: Any, what: str, where: str) -> tuple[Any, ...]:
    """Several things as a tuple; one matrix in the place of several is a mistake."""
    if sp.issparse(values) or hasattr(values, "full") or getattr(values, "ndim", 3) == 2:
        raise InputError(f"must be a list, one {what} each, but is one matrix", where)
    try:
        return tuple(values)
    except TypeError:
        raise InputError(
            f"must be a list, one {what} each, but is {quoted(values)}", where
        ) from None
