"""The question: which system, which Lindbladians are allowed, what they must reproduce."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from lindfeas.errors import InputError
from lindfeas.system import OpenSystem
from lindfeas.target import NORMS, Target

TARGETS = ("populations", "populations+coherences")
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
        if self.rule not in RATE_RULES:
            raise InputError(
                f"must be one of {', '.join(RATE_RULES)}, but is {self.rule!r}", "ansatz.rates.rule"
            )
        for name in ("value", "min", "max"):
            object.__setattr__(self, name, _rate(getattr(self, name), name))
        if self.rule == "range":
            self._check_range()
        elif any(not 0 < value < math.inf for value in _as_tuple(self.value)):
            raise InputError(f"must be > 0, but is {self.value}", "ansatz.rates.value")
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
    def range(cls, min: float | Sequence[float], max: float | Sequence[float]) -> Rates:
        """min <= tr Gamma^r <= max for every region r."""
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
        ``spectral``, ``frobenius`` or ``trace``, for ``populations+coherences``; a `Target` has
        its own.
    hamiltonian_limit
        Largest Hilbert-Schmidt norm of every (traceless) H_r, in the rate unit, for targets with
        coherences; by default 10 times the largest rate of the Redfield equation.
    tolerance
        The verdict is ``impossible`` from here on, ``possible`` below (SDP-paper Eq. 30).
    """

    system: OpenSystem
    rates: Rates = field(default_factory=Rates)
    lamb_shift: bool = True
    target: str | Target = "populations"
    norm: str = "spectral"
    tolerance: float = 1e-6
    hamiltonian_limit: float | None = None

    def __post_init__(self) -> None:
        for name, kind in (("system", OpenSystem), ("rates", Rates)):
            if not isinstance(getattr(self, name), kind):
                found = type(getattr(self, name)).__name__
                raise InputError(f"must be of type {kind.__name__}, but is {found}", name)
        if not isinstance(self.target, Target) and self.target not in TARGETS:
            raise InputError(
                f"must be one of {', '.join(TARGETS)}, but is {self.target!r}", "question.target"
            )
        if self.norm not in NORMS:
            raise InputError(
                f"must be one of {', '.join(NORMS)}, but is {self.norm!r}", "question.norm"
            )
        object.__setattr__(self, "tolerance", _positive(self.tolerance, "question.tolerance"))
        if self.hamiltonian_limit is not None:
            limit = _positive(self.hamiltonian_limit, "ansatz.hamiltonian_limit")
            object.__setattr__(self, "hamiltonian_limit", limit)
        for name in ("value", "min", "max"):
            self.rates.per_region(name, len(self.system.baths))
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


def _positive(value: Any, where: str) -> float:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and 0 < value < math.inf):
        raise InputError(f"must be a finite number > 0, but is {value!r}", where)
    return float(value)


def _rate(value: Any, name: str) -> float | tuple[float, ...]:
    several = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    values = tuple(value) if several else (value,)
    for item in values:
        if isinstance(item, bool) or not isinstance(item, Real) or math.isnan(item):
            raise InputError(f"must be a number, but is {item!r}", f"ansatz.rates.{name}")
    return tuple(float(item) for item in values) if several else float(value)
