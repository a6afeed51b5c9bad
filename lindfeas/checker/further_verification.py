"""Which checker a certificate needs that is not about a point alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lindfeas.checker.format import Proof


def verify_further(certificate: Mapping[str, Any]) -> Proof:
    """Check the certificate of a box, or of a point with claims about the error of coherences."""
    if certificate.get("kind") == "box":
        from lindfeas.checker.boxes import verify_box

        return verify_box(certificate)
    if "coherence_error" in certificate:
        from lindfeas.checker.coherence_errors import verify_coherent

        return verify_coherent(certificate)
    from lindfeas.checker.verification import verify_point

    return verify_point(certificate)
