"""Step 1: the certificate is data of a known form.

Lemma: what `check_certificate` lets pass is made of the strings, small integers, truth values,
lists and tables of one of the forms in `forms`, or in `further_forms`, and of nothing else; its
text is what the checksum says. Reading a file runs no code, and takes time and memory linear in its
size, which is bounded. Only the standard library is used.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lindfeas.checker.forms import CERTIFICATE, check
from lindfeas.checker.forms import CertificateError as CertificateError
from lindfeas.errors import LindfeasError

LARGEST_FILE = 16_000_000
"""Bytes; parsed JSON takes up to 30 times as much memory."""

MOST = {"lists and tables": 1_000_000, "quotes of strings": 3_000_000, "backslashes": 10_000}
"""In one file, keys included; only a title may need backslashes."""


class Rejected(LindfeasError):  # noqa: N818 - a verdict, not a mishap
    """A claim is false, contradicts itself, or is about something this checker does not know."""


class Unsettled(LindfeasError):  # noqa: N818
    """The balls are too wide to decide; more bits may help."""


def require(condition: bool, otherwise: str) -> None:
    """Reject what does not meet a condition."""
    if not condition:
        raise Rejected(otherwise)


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
    seconds: float = 0.0
    reason: str | None = None


# Reading.


def read_certificate(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a certificate file strictly.

    Parameters
    ----------
    path
        JSON file; see ``checker/certificate.schema.json`` for its keys.

    Returns
    -------
    dict
        Plain JSON types, of the published form, with the right checksum. Whether the claims hold
        is for `lindfeas.checker.verify` to say.

    Raises
    ------
    CertificateError
        At the first mistake; ``where`` is the path of the key, or of the file.

    Examples
    --------
    >>> from lindfeas.theorems.certificate import read_certificate
    >>> certificate = read_certificate("results/chain.certificate.json")  # doctest: +SKIP
    """
    try:
        with open(path, "rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CertificateError(f"must be a readable file, but: {reason}", str(path)) from None
    check_certificate(certificate := parse_certificate(content, str(path)))
    return dict(certificate)


def parse_certificate(content: bytes, where: str = "certificate") -> Any:
    """Parse JSON in UTF-8 of bounded size, without repeated keys.

    Raises
    ------
    CertificateError
        If it is anything else.
    """
    found = [sum(map(content.count, marks)) for marks in ((b"[", b"{"), (b'"',), (b"\\",))]
    for (what, most), count in zip(MOST.items(), found, strict=True):
        if count > most or len(content) > LARGEST_FILE:
            limits = f"{LARGEST_FILE} bytes and {most} {what}"
            raise CertificateError(f"must hold at most {limits}, but holds more", where)
    try:
        return json.loads(content.decode(), object_pairs_hook=_table)
    except CertificateError as error:
        raise CertificateError(error.message, where) from None
    except (ValueError, RecursionError) as error:
        message = f"must be JSON in UTF-8, nested not too deeply, but is not: {error}"
        raise CertificateError(message, where) from None


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(table := dict(pairs)) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise CertificateError(f"must not repeat a key, but repeats {twice[:40]!r}")
    return table


def check_certificate(certificate: Any) -> None:
    """Compare form and checksum with what the forms and ``sha256`` say.

    Raises
    ------
    CertificateError
        At the first difference.
    """
    try:
        check(certificate, CERTIFICATE)
    except CertificateError:
        from lindfeas.checker.further_forms import check_further

        check_further(certificate)
    if (stated := certificate["sha256"]) != (computed := checksum(certificate)):
        raise CertificateError(f"must be {computed}, but is {stated}", "sha256")


def checksum(certificate: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of everything but the checksum itself."""
    content = {key: value for key, value in certificate.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
