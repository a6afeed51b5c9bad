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
    tolerance
        The verdict is ``impossible`` from here on, ``possible`` below (SDP-paper Eq. 30).

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
        tolerance = real_number(self.tolerance)
        if tolerance is None or not 0 < tolerance < math.inf:
            raise InputError(
                f"must be a number > 0, but is {quoted(self.tolerance)}", "question.tolerance"
            )
        object.__setattr__(self, "tolerance", tolerance)
        if self.hamiltonian_limit is not None:
            limit = real_number(self.hamiltonian_limit)
            if limit is None or not 0 < limit < math.inf:
                raise InputError(
                    f"must be a finite number > 0, but is {quoted(self.hamiltonian_limit)}",
                    "ansatz.hamiltonian_limit",
                )
            object.__setattr__(self, "hamiltonian_limit", limit)
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

    def _sections(self) -> list[Section]:
        rows = [("must reproduce", self.target_name)]
        rows += [("norm", self.target_norm)] if self.target_norm else []
        rows.append(("tolerance", f"{self.tolerance:g}"))
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
        populations = self.target == "populations" or (
            isinstance(self.target, Target) and self.target.is_populations
        )
        if populations and rates.total is None and not any(rates.lower):
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
