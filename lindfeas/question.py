"""The question: which system, which Lindbladians are allowed, what they must reproduce."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from lindfeas.errors import InputError, quoted, require
from lindfeas.system import OpenSystem
from lindfeas.target import NORMS, Target

TARGETS = ("populations", "populations+coherences")
DEFAULT_NORM = "spectral"
RATE_RULES = ("each", "total", "range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is known about the overall rates tr Gamma^r of the allowed Lindbladians.

    ``each``: tr Gamma^r = value (one number, or one per bath). ``total``: sum_r tr Gamma^r =
    value. ``range``: min <= tr Gamma^r <= max (numbers, or one per bath). Unit: the rate unit of
    the coupling-stripped master equation (energy^-1 times spectral density).
    """

    rule: str = "each"
    value: float | tuple[float, ...] = 1.0
    min: float | tuple[float, ...] = 0.0
    max: float | tuple[float, ...] = math.inf

    def __post_init__(self) -> None:
        _check_choice(self.rule, RATE_RULES, "ansatz.rates.rule")
        for name in ("value", "min", "max"):
            object.__setattr__(self, name, _rate(getattr(self, name), name))
        if self.rule == "range":
            self._check_range()
        elif any(not 0 < value < math.inf for value in _as_tuple(self.value)):
            raise InputError(f"must be > 0, but is {quoted(self.value)}", "ansatz.rates.value")
        if self.rule == "total" and isinstance(self.value, tuple):
            raise InputError("must be one number for rule 'total'", "ansatz.rates.value")

    @classmethod
    def each(cls, value: float | Sequence[float] = 1.0) -> Rates:
        """tr Gamma^r = value for every region r."""
        return cls(rule="each", value=value)  # type: ignore[arg-type]

    @classmethod
    def total(cls, value: float = 1.0) -> Rates:
        """sum_r tr Gamma^r = value."""
        return cls(rule="total", value=value)

    @classmethod
    def range(
        cls, min: float | Sequence[float] = 0.0, max: float | Sequence[float] | None = None
    ) -> Rates:
        """min <= tr Gamma^r <= max for every region r; ``max`` must be given."""
        if max is None:
            raise InputError(
                "must be given, such as Rates.range(min=0.0, max=1e4), but is missing",
                "ansatz.rates.max",
            )
        return cls(rule="range", min=min, max=max)  # type: ignore[arg-type]

    def times(self, factor: float) -> Rates:
        """The same rule with all its rates multiplied by ``factor`` > 0."""
        value, low, high = (
            tuple(factor * rate for rate in field) if isinstance(field, tuple) else factor * field
            for field in (self.value, self.min, self.max)
        )
        return Rates(rule=self.rule, value=value, min=low, max=high)

    def per_region(self, name: str, regions: int) -> tuple[float, ...]:
        """The field ``value``, ``min`` or ``max`` as one number per region."""
        values = getattr(self, name)
        if not isinstance(values, tuple):
            return (values,) * regions
        if len(values) != regions:
            raise InputError(
                f"must be one number, or one per bath ({regions}), but has {len(values)}",
                f"ansatz.rates.{name}",
            )
        return values

    def check_regions(self, regions: int) -> None:
        """Refuse lists that do not have one number per region.

        Raises
        ------
        InputError
            If one of them has another length.
        """
        for name in ("value", "min", "max"):
            self.per_region(name, regions)

    def _check_range(self) -> None:
        if math.inf in _as_tuple(self.max):
            raise InputError("must be finite, but is inf", "ansatz.rates.max")
        if any(value < 0 for value in _as_tuple(self.min)):
            raise InputError(f"must be >= 0, but is {self.min}", "ansatz.rates.min")
        count = max(len(_as_tuple(self.min)), len(_as_tuple(self.max)))
        pairs = zip(self.per_region("min", count), self.per_region("max", count), strict=True)
        if any(low > high or high <= 0 for low, high in pairs):
            raise InputError(
                f"must be > 0 and at least min = {self.min}, but is {self.max}", "ansatz.rates.max"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
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
        tolerance = _as_float(self.tolerance)
        if tolerance is None or not 0 < tolerance < math.inf:
            raise InputError(
                f"must be a number > 0, but is {quoted(self.tolerance)}", "question.tolerance"
            )
        object.__setattr__(self, "tolerance", tolerance)
        if self.hamiltonian_limit is not None:
            limit = _as_float(self.hamiltonian_limit)
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

    def _check_target(self) -> None:
        _check_choice(self.norm, NORMS, "question.norm")
        if isinstance(self.target, Target):
            self.target.check_size(self.system.dimension)
        else:
            _check_choice(self.target, TARGETS, "question.target")
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
        low = self.rates.per_region("min", len(self.system.baths))
        populations = self.target == "populations" or (
            isinstance(self.target, Target) and self.target.is_populations
        )
        if populations and self.rates.rule == "range" and not any(low):
            raise InputError(
                "must be > 0 for target 'populations': with all rates zero every state is steady, "
                "so the question has no content; the scale of Gamma is irrelevant, use 'each' or "
                "'total'",
                "ansatz.rates.min",
            )


def _as_tuple(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _rate(value: Any, name: str) -> float | tuple[float, ...]:
    where = f"ansatz.rates.{name}"
    several = (
        np.ndim(value) > 0 if isinstance(value, np.ndarray) else isinstance(value, list | tuple)
    )
    numbers = tuple(_as_float(item) for item in (value if several else (value,)))
    if not numbers:
        raise InputError("must be one number, or one per bath, but is empty", where)
    for item, number in zip(value if several else (value,), numbers, strict=True):
        if number is None or math.isnan(number):
            raise InputError(f"must be a number, but is {quoted(item)}", where)
    checked = tuple(number for number in numbers if number is not None)
    return checked if several else checked[0]


def _as_float(value: Any) -> float | None:
    """A real number as a float, infinite beyond the doubles; None for anything else."""
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not real:
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _check_choice(value: Any, choices: tuple[str, ...], where: str) -> None:
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"must be one of {', '.join(choices)}, but is {quoted(value)}", where)


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
