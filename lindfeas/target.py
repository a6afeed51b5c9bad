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
from numpy.typing import ArrayLike, NDArray

from lindfeas.errors import InputError
from lindfeas.redfield import Redfield

NORMS = ("spectral", "frobenius", "trace")

STATE_TOLERANCE = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class Requirement:
    """L'(state) = action, with a weight.

    Parameters
    ----------
    state, action
        Hermitian matrices in the eigenbasis of H_S, levels in the order of the spectrum, (d, d).
    weight
        The residual is multiplied by it.
    """

    state: NDArray[Any] = field(repr=False)
    action: NDArray[Any] = field(repr=False)
    weight: float = 1.0


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
        Whether state and action are those of the Redfield reference, with its rounding errors;
        False takes them as exact.
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
        if self.norm not in NORMS:
            raise InputError(
                f"must be one of {', '.join(NORMS)}, but is {self.norm!r}", "question.norm"
            )
        if not self.requirements:
            raise InputError("must hold at least one state, but is empty", "target.requirements")
        if isinstance(self.projection, str) and self.projection not in ("all", "diagonal"):
            raise InputError(
                f"must be 'all', 'diagonal' or operators, but is {self.projection!r}",
                "target.projection",
            )


def populations(reference: Redfield) -> Target:
    """tau_pop (SDP-paper Eqs. 28-29): action 0 on rho0, diagonal part, sum of absolute values."""
    state = np.diag(reference.populations)
    return Target(
        name="populations",
        requirements=(Requirement(state=state, action=np.zeros_like(state)),),
        projection="diagonal",
        norm="trace",
        follows_redfield=True,
        is_populations=True,
    )


def coherences(reference: Redfield, norm: str = "spectral") -> Target:
    """tau_popcoh (SDP-paper Eqs. 32-33): action L2[rho0] on rho0, the whole matrix.

    The published figures use the spectral norm, and L2 with the sign reversed.
    """
    return Target(
        name="populations+coherences",
        requirements=(
            Requirement(state=np.diag(reference.populations), action=reference.coherence_source),
        ),
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
        In the product basis, each (d, d): rho(t_k), and what the dissipator must do to it, that
        is d rho/dt - i[rho, H_S] in units of eps^2.
    weights
        One per state; 1 by default.

    Raises
    ------
    InputError
        For a wrong number or shape, or matrices that are not Hermitian.
    """
    if len(states) != len(actions):
        raise InputError(
            f"must be one per state ({len(states)}), but there are {len(actions)}",
            "target.actions",
        )
    weights = [1.0] * len(states) if weights is None else weights
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
                weight=float(weight),
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
        Hermitian O_m in the product basis, each (d, d).
    """
    stack = np.stack(
        [
            in_eigenbasis(reference, operator, f"target.operators[{m}]")
            for m, operator in enumerate(operators)
        ]
    )
    return Target(
        name="observables",
        requirements=coherences(reference).requirements,
        projection=stack,
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
    full = getattr(matrix, "full", None)
    dense = np.asarray(full() if callable(full) else matrix)
    size = reference.spectrum.dimension
    if dense.shape != (size, size):
        raise InputError(f"must be {size} x {size}, but has shape {dense.shape}", where)
    if not np.isfinite(dense).all():
        raise InputError("must be finite, but holds NaN or infinity", where)
    if np.abs(dense - dense.conj().T).max() > STATE_TOLERANCE * np.abs(dense).max(initial=1e-300):
        raise InputError("must be Hermitian, but is not", where)
    vectors = reference.spectrum.vectors
    rotated: NDArray[Any] = vectors.conj().T @ ((dense + dense.conj().T) / 2) @ vectors
    return rotated
