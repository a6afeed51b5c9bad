"""The errors that lindfeas raises: one root, one clear line each; and how computations end."""

from collections.abc import Callable
from enum import StrEnum


class End(StrEnum):
    """How a computation ends, as tables and messages say it; printed as the string that it is."""

    FINISHED = "finished"
    ANSWERED = "answered"
    UNUSABLE = "unusable"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"

    def __repr__(self) -> str:
        return repr(self.value)


class LindfeasError(Exception):
    """Root of every error that lindfeas raises on purpose."""


class InputError(LindfeasError, ValueError):
    """What the user gave cannot be right: what, where, and what would be.

    Parameters
    ----------
    message
        One line, in the grammar "must ..., but is ...".
    where
        Path of the offending key or argument, such as ``bath.left.beta``.
    """

    def __init__(self, message: str, where: str | None = None) -> None:
        super().__init__(message, where)
        self.message = message
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message

    def under(self, prefix: str) -> "InputError":
        """The same error with its path put below ``prefix``."""
        return InputError(self.message, f"{prefix}.{self.where}" if self.where else prefix)


class PhysicsError(InputError):
    """The input is well formed, but the question has no answer of the asked kind.

    Degenerate levels, a steady state that is not unique, a divergent bath integral.
    """


class AccuracyError(LindfeasError):
    """A number could not be computed to the accuracy that lindfeas promises."""


class SolverError(LindfeasError):
    """A solver is missing, has no licence, or failed; the message says what to do."""


class MissingExtraError(LindfeasError, ImportError):
    """An optional package is not installed; the message names the extra to install."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}: install it with "
            f"`pip install 'lindfeas[{extra}]'`"
        )


class ProofRejectedError(LindfeasError):
    """The checker refused a certificate that lindfeas wrote: the answer must not be used."""

    def __init__(self, statement: str) -> None:
        super().__init__(statement)
        self.statement = statement

    def __str__(self) -> str:
        return f"the proof was rejected, which is a bug in lindfeas: {self.statement}"


LONGEST_QUOTE = 60
"""So many characters of a wrong value are quoted in a message."""


def quoted(value: object, longest: int = LONGEST_QUOTE, how: Callable[[object], str] = repr) -> str:
    """``value`` as a message quotes it: on one line, short, and whatever its own text does."""
    try:
        text = " ".join(how(value).split())
    except Exception:  # its own code, or an integer too long for decimal digits
        text = f"of type {type(value).__name__}"
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def printable(text: str) -> str:
    """``text`` with control characters escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def require(value: object, kind: type | tuple[type, ...], where: str, otherwise: str = "") -> None:
    """Refuse an argument of another type.

    Parameters
    ----------
    value, kind
        What was given, and the type that it must have, or the types that it may have.
    where
        The argument's name.
    otherwise
        What would be right, in words.

    Raises
    ------
    InputError
        One line that names both types.
    """
    if not isinstance(value, kind):
        hint = f": {otherwise}" if otherwise else ""
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(one.__name__ for one in kinds)
        raise InputError(f"must be of type {names}, but is {type(value).__name__}{hint}", where)
