"""The question: which system, which Lindbladians are allowed, what they must reproduce."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from lindfeas.errors import InputError, quoted, require
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.program.checks import check_choice, real_number
from lindfeas.program.rates import Rates
from lindfeas.program.target import NORMS, Target
from lindfeas.text import Facts, Heading, Section, Shown

TARGETS = ("populations", "populations+coherences")

DEFAULT_NORM = "spectral"

CRITERIA = ("distance", "defect")
"""What a verdict is about: how far the steady state is, or the defect (SDP-paper Eq. 30)."""

DISTANCE_TOLERANCES = {"populations": 1e-4, "populations+coherences": 1e-6}
"""Below what the next order in the coupling strength changes anyway, in a trace distance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question(Shown):
    """Which Lindbladian of this kind reproduces the true steady state of ``system``?

    Parameters
    ----------
    system
        The open system.
    rates
        The rate rule of the ansatz.
    lamb_shift
        False forbids the local Hamiltonians H_r.
    target
        ``populations`` (SDP-paper Eq. 28), ``populations+coherences`` (Eq. 32), or a `Target`.
    norm
        ``spectral``, ``frobenius`` or ``trace``, for ``populations+coherences`` only: the defect of
        ``populations`` is a sum of absolute values, and a `Target` has its own norm.
    hamiltonian_limit
        Largest Hilbert-Schmidt norm of every (traceless) H_r, in the rate unit, for targets with
        coherences; by default 10 times the largest rate of the Redfield equation.
    criterion
        What the verdict is about: ``distance``, of the steady states (for populations the trace
        distance, with coherences their relative error, too), or ``defect``, of the action on the
        true state; by default ``distance``, but ``defect`` for a `Target` of your own.
    distance_tolerance
        Trace distance T of the populations from which on the verdict is ``impossible``; by default
        1e-4, for ``populations+coherences`` 1e-6.
    coherence_tolerance
        The same for the relative error R of the leading coherences.
    tolerance
        The same for the defect, with ``criterion = "defect"`` (SDP-paper Eq. 30).

    Raises
    ------
    InputError
        If anything above does not hold, or a norm is given that plays no role.
    """

    system: OpenSystem
    rates: Rates = field(default_factory=Rates)
    lamb_shift: bool = True
    target: str | Target = "populations"
    norm: str = DEFAULT_NORM
    criterion: str = None  # type: ignore[assignment]  # filled in below, as the next one
    distance_tolerance: float = None  # type: ignore[assignment]
    coherence_tolerance: float = 1e-3
    tolerance: float = 1e-6
    hamiltonian_limit: float | None = None

    def __post_init__(self) -> None:
        require(self.system, OpenSystem, "system")
        require(self.rates, Rates, "rates", "give Rates.each, Rates.total or Rates.range")
        if not isinstance(self.lamb_shift, bool | np.bool_):
            raise InputError(
                f"must be True or False, but is {quoted(self.lamb_shift)}", "ansatz.lamb_shift"
            )
        object.__setattr__(self, "lamb_shift", bool(self.lamb_shift))
        self._check_target()
        self._check_criterion()
        for name in ("tolerance", "distance_tolerance", "coherence_tolerance"):
            self._check_positive(name, f"question.{name}", "a number > 0")
        if self.hamiltonian_limit is not None:
            self._check_positive(
                "hamiltonian_limit", "ansatz.hamiltonian_limit", "a finite number > 0"
            )
        self.rates.check_regions(len(self.system.baths))
        self._check_scale()

    @property
    def target_name(self) -> str:
        """What has to be reproduced."""
        return self.target if isinstance(self.target, str) else self.target.name

    @property
    def target_norm(self) -> str | None:
        """The norm of the defect; None for ``populations``, which have one only."""
        if not isinstance(self.target, str):
            return self.target.norm
        return None if self.target == "populations" else self.norm

    @property
    def asks_for_populations(self) -> bool:
        """Whether the target is the populations alone."""
        if isinstance(self.target, Target):
            return self.target.is_populations
        return self.target == "populations"

    def _check_criterion(self) -> None:
        """Fill in criterion and distance tolerance where they were left to the target."""
        has_state = isinstance(self.target, str) or self.target.is_populations
        if self.criterion is None:
            object.__setattr__(self, "criterion", CRITERIA[0] if has_state else "defect")
        check_choice(self.criterion, CRITERIA, "question.criterion")
        if self.criterion == "distance" and not has_state:
            raise InputError(
                f"must be 'defect' for target {self.target_name!r}, which gives no steady state to "
                "compare with, but is 'distance'",
                "question.criterion",
            )
        if self.distance_tolerance is None:
            name = "populations" if self.asks_for_populations else TARGETS[1]
            object.__setattr__(self, "distance_tolerance", DISTANCE_TOLERANCES[name])

    def _check_positive(self, name: str, where: str, wanted: str) -> None:
        number = real_number(getattr(self, name))
        if number is None or not 0 < number < math.inf:
            raise InputError(f"must be {wanted}, but is {quoted(getattr(self, name))}", where)
        object.__setattr__(self, name, number)

    def _sections(self) -> list[Section]:
        rows = [("must reproduce", self.target_name)]
        rows += [("norm", self.target_norm)] if self.target_norm else []
        rows.append(("criterion", self.criterion))
        if self.criterion == "defect":
            rows.append(("tolerance", f"{self.tolerance:g}"))
        else:
            rows.append(("tolerance of T", f"{self.distance_tolerance:g}"))
            if not self.asks_for_populations:
                rows.append(("tolerance of R", f"{self.coherence_tolerance:g}"))
        rows.append(("rates", self.rates.text))
        limit = self.hamiltonian_limit
        shift = "by default limited" if limit is None else f"of norm up to {limit:g}"
        rows.append(("local Hamiltonians", shift if self.lamb_shift else "none"))
        return [Heading("Question"), Facts(rows), *self.system._sections()]

    def _check_target(self) -> None:
        check_choice(self.norm, NORMS, "question.norm")
        if isinstance(self.target, Target):
            self.target.check_size(self.system.dimension)
        else:
            check_choice(self.target, TARGETS, "question.target")
        if self.target != "populations+coherences" and self.norm != DEFAULT_NORM:
            own = "is a sum of absolute values"
            if isinstance(self.target, Target):
                own = f"is measured in the target's own norm, {self.target.norm!r}"
            raise InputError(
                f"must be left out for target {self.target_name!r}, whose defect {own}, but is "
                f"{self.norm!r}",
                "question.norm",
            )

    def _check_scale(self) -> None:
        rates = self.rates.bounds(len(self.system.baths))
        if self.asks_for_populations and rates.total is None and not any(rates.lower):
            raise InputError(
                "must be > 0 for target 'populations': with all rates zero every state is steady, "
                "so the question has no content; the scale of Gamma is irrelevant, use 'each' or "
                "'total'",
                "ansatz.rates.min",
            )


def asked_about(value: object) -> Question:
    """A question as it is, or the default question about a system.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(value, OpenSystem):
        return Question(system=value)
    require_question(value)
    assert isinstance(value, Question)
    return value


def require_question(value: object, where: str = "question") -> None:
    """Refuse anything but a `Question`, and say how to get from it to one.

    Raises
    ------
    InputError
        One line.
    """
    ways = {
        "OpenSystem": "ask lf.Question(system=...) about it",
        "ProblemFile": "give its `question`",
    }
    require(value, Question, where, ways.get(type(value).__name__, "give lf.Question(system=...)"))
