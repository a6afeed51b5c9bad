"""Step 6: from a certificate to a theorem, or to the reason why there is none.

Lemma: an accepted `Proof` states what steps 1 to 4 have proved, all of it at one precision of the
balls, and nothing more.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any

from flint import ctx, fmpq

from lindfeas.checker import bounds
from lindfeas.checker.format import CertificateError, Proof, Rejected, Unsettled, require
from lindfeas.checker.format import check_certificate as check_form
from lindfeas.checker.model import MOST_WORK, model, rational, require_little, work
from lindfeas.checker.statement import DEFECT, statement, subject

PRECISIONS = (128, 256, 512, 1024)
"""Bits to try, one after the other."""

AGREED = "charge conservation is exact; two enclosures of every level agree and no level is"
SETTING = f"setting: {AGREED} degenerate; the steady populations are unique"
LOWER = "lower bound: the multiplier is feasible, A(y) is above the claimed eigenvalues"
UPPER = "upper bound: the candidate is allowed, its defect is as claimed"
APART = "trace distance: all matrices of the dual condition are positive"


def verify_point(certificate: Any) -> Proof:
    """Check the certificate of a point from scratch; see `lindfeas.checker.verify`."""
    return judged(lambda used: point_proof(certificate, used))


def judged(check: Callable[[list[int]], Proof]) -> Proof:
    """The verdict on a certificate; ``check`` notes the precisions that it uses."""
    started, used = time.perf_counter(), [0]
    try:
        proof = check(used)
    except (CertificateError, Rejected, Unsettled) as error:
        status, why = "undecided" if isinstance(error, Unsettled) else "rejected", str(error)
        nothing = f"Nothing is proved: {why}."
        proof = Proof(status=status, proved=False, statement=nothing, reason=why)
    return replace(proof, bits=max(used), seconds=time.perf_counter() - started)


def settle(attempt: Callable[[], None], used: list[int]) -> None:
    """Make an attempt at one precision after the other, until one settles it.

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


def point_proof(certificate: Any, used: list[int]) -> Proof:
    """The cheap reasons to reject, all claims, and the theorem."""
    check_form(certificate)
    problem, exact = certificate["problem"], model(certificate["problem"])
    lower, upper = certificate["lower_bound"], certificate["upper_bound"]
    kit: Any = bounds
    words, defect, wanted = subject(problem, exact), DEFECT, exact.size
    cost = sum(work(exact).values())
    if exact.target != "populations":
        from lindfeas.checker import coherences

        kit, wanted = coherences, len(exact.sectors)
        words, defect = coherences.subject(problem, exact), coherences.defect(exact)
        cost += coherences.further_work(exact)
    value, found, apart = rational(lower["value"]), len(lower["multiplier"]), fmpq(0)
    claims: list[Any] = [(LOWER, kit.check_lower, lower)] if value > 0 else []
    claims += [(UPPER, kit.check_upper, upper)] if upper else []
    if distance := certificate["trace_distance"]:
        from lindfeas.checker import distances

        apart, cost = distances.claimed(distance), cost + distances.further_work(exact, distance)
        claims += [(APART, distances.check_distance, distance)] if apart > 0 else []
    require(found == wanted, f"lower_bound.multiplier has {found} entries, but needs {wanted}")
    require(value > 0 or upper is not None, "a lower bound that is not positive proves nothing")
    require_little(cost, MOST_WORK, "the check")

    def all_claims() -> None:
        at = kit.enclosed(exact)
        for _, check, claim in claims:
            check(at, claim)

    settle(all_claims, used)
    if exact.target == "populations":
        apart = max(apart, bounds.column_bound(exact, value))
    length = rounded_down(apart / 2) if apart > 0 else None
    proved = (lower["value"], upper and upper["value"], length)
    return Proof(
        status="accepted",
        proved=value > 0,
        statement=statement(words, defect, problem, exact, *proved),
        lower=lower["value"] if value > 0 else None,
        upper=proved[1],
        trace_distance=length,
        checks=(SETTING, *(checked for checked, _, _ in claims)),
        reason=None if value > 0 else "the lower bound is not positive and proves nothing",
    )


def rounded_down(value: fmpq) -> str:
    """A decimal of seven digits that is not above ``value``."""
    rounding = Context(prec=7, rounding=ROUND_FLOOR)
    return str(rounding.divide(Decimal(int(value.p)), Decimal(int(value.q))))
