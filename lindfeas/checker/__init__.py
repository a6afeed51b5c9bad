"""The checker: proofs of certified bounds in ball arithmetic, from a certificate alone.

It rebuilds the whole problem from the certificate's decimal strings with python-flint and trusts
no number that a solver or floating-point code has computed. For populations at a point, read
`format` and `densities` (1: what a certificate is), `model` (2: the exact problem), `steady_state`
(3: its steady state), `bounds` (4: the allowed Lindbladians and the theorem), `statement` (5: its
words) and `verification` (6: the verdict). Nothing else is imported for them. Everything else is
built on these and imported where a certificate asks for it: `coherences`, `coherence_errors`,
`distances`, `boxes`, the forms of such certificates, `further_forms`, and `further_verification`.
"""

from typing import Any

from lindfeas.checker.format import Proof as Proof


def verify(certificate: Any) -> Proof:
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
    if isinstance(certificate, dict) and certificate.keys() & {"kind", "coherence_error"}:
        from lindfeas.checker.further_verification import verify_further

        return verify_further(certificate)
    from lindfeas.checker.verification import verify_point

    return verify_point(certificate)
