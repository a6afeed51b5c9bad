"""What the fields of a question may hold."""

from __future__ import annotations

from numbers import Real
from typing import Any

from lindfeas.errors import InputError, quoted
from lindfeas.physics.systems.checks import as_float


def check_choice(value: Any, choices: tuple[str, ...], where: str) -> None:
    """Refuse anything but one of the words ``choices``.

    Raises
    ------
    InputError
        If it is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"must be one of {', '.join(choices)}, but is {quoted(value)}", where)


def real_number(value: Any) -> float | None:
    """A real number as a float, infinite beyond the doubles; None for anything else."""
    real = isinstance(value, Real) and not isinstance(value, bool)
    return as_float(value) if real else None
