"""What becomes of a certificate's claims."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal

from flint import fmpq

PRECISIONS = (128, 256, 512, 1024)
"""Bits to try, one after the other."""

ACCEPTED, REJECTED, UNDECIDED = "accepted", "rejected", "undecided"
IN_PART = "accepted in part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What became of a certificate's claims.

    Parameters
    ----------
    status
        ``accepted``: every claim holds. ``accepted in part``: the certificate of a box leaves some
        cells open, every claim about the others holds. ``rejected``: some claim is false, or the
        certificate is malformed. ``undecided``: 1024 bits did not settle it.
    proved
        Whether a positive lower bound was proved: accepted, and more than the trivial bound 0.
    statement
        The theorem in words and numbers, or what is missing.
    lower, upper
        The proved bounds on the defect as exact decimals; None where there is none.
    trace_distance
        The proved lower bound on T = ||p - p'||_1 / 2 as a decimal, rounded down, or None.
    checks
        What was checked, in order.
    bits
        Precision that settled it; 0 if no arithmetic was needed.
    seconds
        Wall time.
    reason
        Why it was not accepted, or why the lower bound is trivial; None otherwise.
    """

    status: str
    proved: bool
    statement: str
    lower: str | None = None
    upper: str | None = None
    trace_distance: str | None = None
    checks: tuple[str, ...] = ()
    bits: int = 0
    seconds: float
    reason: str | None = None


def refusal(status: str, reason: str, bits: int, seconds: float) -> Proof:
    """The verdict on a certificate from which nothing follows."""
    return Proof(
        status=status,
        proved=False,
        statement=f"Nothing is proved: {reason}.",
        bits=bits,
        seconds=seconds,
        reason=reason,
    )


def rounded_down(value: fmpq) -> str:
    """A decimal of seven digits that is not above ``value``."""
    rounding = Context(prec=7, rounding=ROUND_FLOOR)
    return str(rounding.divide(Decimal(int(value.p)), Decimal(int(value.q))))
