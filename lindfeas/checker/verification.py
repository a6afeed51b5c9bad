"""Step 6: from a certificate to a theorem, or to the reason why there is none.

Lemma: an accepted `Proof` states what steps 1 to 4 have proved, all of it at one precision of the
balls, and nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any, TypeVar

from flint import ctx, fmpq

from lindfeas.checker import bounds, statement
from lindfeas.checker.format import (
    CertificateError,
    Proof,
    Rejected,
    Unsettled,
    check_certificate,
    require,
)
from lindfeas.checker.model import MOST_WORK, Model, model, rational, require_little, work

PRECISIONS = (128, 256, 512, 1024)
"""Bits to try, one after the other."""

SETTING = (
    "setting: charge conservation is exact; two enclosures of every level agree and no level is "
    "degenerate; the steady populations are unique"
)
LOWER = "lower bound: the multiplier is feasible, A(y) is above the claimed eigenvalues"
UPPER = "upper bound: the candidate is allowed, its defect is as claimed"
APART = "trace distance: all matrices of the dual condition are positive"

_Found = TypeVar("_Found")


def verify_point(certificate: Any) -> Proof:
    """Check the certificate of a point from scratch; see `lindfeas.checker.verify`."""
    return judged(lambda used: _proof(certificate, used))


def judged(check: Callable[[list[int]], Proof]) -> Proof:
    """The verdict on a certificate; ``check`` notes the precisions that it uses."""
    started, used = time.perf_counter(), [0]
    try:
        proof = check(used)
    except (CertificateError, Rejected, Unsettled) as error:
        status, reason = "undecided" if isinstance(error, Unsettled) else "rejected", str(error)
        nothing = f"Nothing is proved: {reason}."
        proof = Proof(status=status, proved=False, statement=nothing, reason=reason)
    return replace(proof, bits=max(used), seconds=time.perf_counter() - started)


def settled(attempt: Callable[[], _Found], used: list[int]) -> _Found:
    """What the first precision gives that settles it.

    Raises
    ------
    Unsettled
        If none does.
    """
    for bits in PRECISIONS:
        used.append(bits)
        try:
            with ctx.workprec(bits):
                return attempt()
        except Unsettled as doubt:
            reason = f"{bits} bits do not settle {doubt}"
        except (ArithmeticError, ValueError) as trouble:
            reason = f"the arithmetic failed at {bits} bits: {trouble}"
    raise Unsettled(reason)


def _proof(certificate: Any, used: list[int]) -> Proof:
    """The cheap reasons to reject, all claims, and the theorem."""
    check_certificate(certificate)
    exact, lower, upper = _exact(certificate), certificate["lower_bound"]["value"], None
    about, defect = statement.subject, statement.DEFECT
    if exact.target != "populations":
        from lindfeas.checker import coherences

        about, defect = coherences.subject, coherences.defect(exact)
    positive = rational(lower) > 0
    checks, norm1 = settled(lambda: _checked(certificate, exact, positive), used)
    if positive and exact.target == "populations":
        norm1 = max(norm1, bounds.column_bound(exact, rational(lower)))
    if certificate["upper_bound"]:
        upper = certificate["upper_bound"]["value"]
    problem, distance = certificate["problem"], rounded_down(norm1 / 2) if norm1 > 0 else None
    claims = (problem["question"]["tolerance"], lower, upper, distance, defect)
    return Proof(
        status="accepted",
        proved=positive,
        statement=statement.statement(about(problem, exact), exact, *claims),
        lower=lower if positive else None,
        upper=upper,
        trace_distance=distance,
        checks=checks,
        reason=None if positive else "the lower bound is not positive and proves nothing",
    )


def _exact(certificate: Any) -> Model:
    """The model, after the cheap reasons to reject."""
    exact, lower = model(certificate["problem"]), certificate["lower_bound"]
    wanted, cost = exact.size, work(exact)
    if exact.target != "populations":
        from lindfeas.checker import coherences

        wanted, cost = len(exact.sectors), cost + coherences.further_work(exact)
    if certificate["trace_distance"]:
        from lindfeas.checker import distances

        cost += distances.further_work(exact, certificate["trace_distance"])
    found = len(lower["multiplier"])
    require(found == wanted, f"lower_bound.multiplier has {found} entries, but needs {wanted}")
    useful = rational(lower["value"]) > 0 or certificate["upper_bound"] is not None
    require(useful, "a lower bound that is not positive proves nothing")
    require_little(cost, MOST_WORK, "the check")
    return exact


def _checked(certificate: Any, exact: Model, positive: bool) -> tuple[tuple[str, ...], fmpq]:
    """Everything at one precision: what was checked, and the proved bound on ||p - p'||_1."""
    kit, checks, norm1 = bounds, [SETTING], fmpq(0)
    if exact.target != "populations":
        from lindfeas.checker import coherences

        kit = coherences
    at = kit.setting(exact)
    if positive:
        kit.check_lower(at, certificate["lower_bound"])
        checks.append(LOWER)
    if certificate["upper_bound"]:
        kit.check_upper(at, certificate["upper_bound"])
        checks.append(UPPER)
    if certificate["trace_distance"]:
        from lindfeas.checker import distances

        norm1 = distances.check_distance(at, certificate["trace_distance"])
        checks += [APART] * (norm1 > 0)
    return tuple(checks), norm1


def rounded_down(value: fmpq) -> str:
    """A decimal of seven digits that is not above ``value``."""
    rounding = Context(prec=7, rounding=ROUND_FLOOR)
    return str(rounding.divide(Decimal(int(value.p)), Decimal(int(value.q))))
