"""From a certificate to a theorem, or to the reason why there is none."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flint import ctx

from lindfeas.checker.boxes import verify_box
from lindfeas.checker.claims import (
    POPULATIONS,
    Setting,
    check_distance,
    check_lower,
    check_upper,
    column_bound,
    setting,
)
from lindfeas.checker.cost import MOST_WORK, point_work, require_little
from lindfeas.checker.errors import Rejected, Unsettled
from lindfeas.checker.exact import rational
from lindfeas.checker.format import CertificateError, check_certificate, is_box
from lindfeas.checker.model import Model, model
from lindfeas.checker.statement import statement
from lindfeas.checker.verdict import (
    ACCEPTED,
    PRECISIONS,
    REJECTED,
    UNDECIDED,
    Proof,
    refusal,
    rounded_down,
)

__all__ = ["Proof", "verify"]

SETTING_CHECKS = (
    "setting: charge conservation is exact; two enclosures of every level agree and no level is "
    "degenerate; the steady populations are unique"
)


def verify(certificate: Mapping[str, Any]) -> Proof:
    """Check a certificate from scratch in ball arithmetic; nothing in it is trusted.

    Parameters
    ----------
    certificate
        As `lindfeas.theorems.certificate.read_certificate` returns it.

    Returns
    -------
    Proof
        Also for a certificate that is malformed: such a one is rejected.

    Examples
    --------
    >>> from lindfeas.proof import verify
    >>> verify({}).status
    'rejected'
    """
    if is_box(certificate):
        return verify_box(certificate)
    started = time.perf_counter()
    bits = 0
    try:
        check_certificate(certificate)
        exact = _exact_model(certificate)
        for bits in PRECISIONS:
            try:
                return _proof(certificate, exact, bits, started)
            except Unsettled as doubt:
                status, reason = UNDECIDED, f"{bits} bits do not settle {doubt}"
            except (ArithmeticError, ValueError) as trouble:
                status, reason = UNDECIDED, f"the arithmetic failed at {bits} bits: {trouble}"
    except (CertificateError, Rejected) as error:
        status, reason = REJECTED, str(error)
    return refusal(status, reason, bits, time.perf_counter() - started)


def _exact_model(certificate: Mapping[str, Any]) -> Model:
    """The model, after the cheap reasons to reject."""
    exact, lower = model(certificate["problem"]), certificate["lower_bound"]
    entries = len(lower["multiplier"])
    wanted = exact.size if exact.target == POPULATIONS else exact.sectors
    if entries != wanted:
        raise Rejected(f"lower_bound.multiplier has {entries} entries, but needs {wanted}")
    if not _is_positive(lower["value"]) and not certificate["upper_bound"]:
        raise Rejected("a lower bound that is not positive proves nothing")
    require_little(point_work(exact, certificate), MOST_WORK, "the check")
    return exact


def _proof(certificate: Mapping[str, Any], exact: Model, bits: int, started: float) -> Proof:
    """Everything at one precision; raises Rejected or Unsettled."""
    lower, upper = certificate["lower_bound"], certificate["upper_bound"]
    distance = certificate["trace_distance"]
    positive = _is_positive(lower["value"])
    apart = _is_positive(distance["norm1_lower"]) if distance else False
    with ctx.workprec(bits):
        at = setting(exact)
        checks = [SETTING_CHECKS]
        if positive:
            check_lower(at, lower)
            checks.append(
                "lower bound: the multiplier is feasible, A(y) is above the claimed eigenvalues"
            )
        if upper:
            check_upper(at, upper)
            checks.append("upper bound: the candidate is allowed, its defect is as claimed")
        if apart:
            check_distance(at, distance)
            checks.append("trace distance: all matrices of the dual condition are positive")
        least = _distance(at, lower["value"], distance["norm1_lower"] if apart else "0")
    return Proof(
        status=ACCEPTED,
        proved=positive,
        statement=statement(certificate, exact, least),
        lower=lower["value"] if positive else None,
        upper=upper["value"] if upper else None,
        trace_distance=least,
        checks=tuple(checks),
        bits=bits,
        seconds=time.perf_counter() - started,
        reason=None if positive else "the lower bound is not positive and proves nothing",
    )


def _is_positive(text: str) -> bool:
    return bool(rational(text) > 0)


def _distance(at: Setting, lower: str, norm1_lower: str) -> str | None:
    """The best proved bound on T = ||p - p'||_1 / 2, rounded down."""
    best = rational(norm1_lower)
    if at.model.target == POPULATIONS:
        best = max(best, column_bound(at.model, at.regions, rational(lower)))
    best /= 2
    return rounded_down(best) if best > 0 else None
