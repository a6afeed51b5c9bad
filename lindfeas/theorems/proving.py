"""From a certified answer to a proved one: write the certificate, and have it checked."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lindfeas.answers.answer import Answer
from lindfeas.answers.certify import certify
from lindfeas.answers.distance_witness import Witness
from lindfeas.answers.watch import Report
from lindfeas.errors import InputError, MissingExtraError, ProofRejectedError, require
from lindfeas.files.problem_file import ProblemFile
from lindfeas.theorems.certificate import certificate
from lindfeas.theorems.exact_problem import can_be_written

if TYPE_CHECKING:
    from lindfeas.checker import Proof

LEVELS = {"populations": 64, "populations+coherences": 16}
"""Up to so many levels a proof takes no more than a few seconds."""

CLAIMED_LENGTH = 1 - 1e-9
"""What is claimed of a certified length, so that rounding does not spoil its proof."""

PROVED_SHARE = 1 - 1e-5
"""A proof of this share of a number counts as one of the number: claims are weakened a little."""


def prove(answer: Answer, problem: ProblemFile | None = None) -> tuple[dict[str, Any], Proof]:
    """The certificate of an answer, and the checker's verdict on it.

    Parameters
    ----------
    answer
        What `lindfeas.certify` returned.
    problem
        The file that asked, whose decimals the theorem is then about; without it the theorem is
        about the doubles.

    Returns
    -------
    (certificate, Proof)

    Raises
    ------
    MissingExtraError
        Without python-flint.
    InputError
        For targets that cannot be written down, and where the check would take too long.

    Examples
    --------
    >>> import lindfeas as lf
    >>> problem = lf.read_problem("problems/xxz-1+2+1.toml")
    >>> written, proof = lf.prove(lf.certify(problem.question), problem)
    >>> proof.status, proof.lower[:12]
    ('accepted', '0.0010825824')
    """
    require(answer, Answer, "answer", "give what lf.certify returns")
    if problem is not None:
        require(problem, ProblemFile, "problem", "give what lf.read_problem returns, or nothing")
    if not can_prove():
        raise MissingExtraError("python-flint", "proof", "A proof in ball arithmetic")
    from lindfeas.checker import verify

    written = certificate(
        problem, answer, distance=_distance(answer), coherence=answer.coherence_witness
    )
    _require_short(written)
    return written, verify(written)


def _require_short(written: Mapping[str, Any]) -> None:
    """Refuse what the checker would, because it takes too long."""
    from lindfeas.checker import cost
    from lindfeas.checker.format import Rejected
    from lindfeas.checker.model import model

    try:
        exact = model(written["problem"])
    except Rejected:
        return  # the checker says why
    work = cost.point_work(exact, written)
    if work > cost.MOST_WORK:
        raise InputError(
            f"must take at most about {cost.MOST_WORK / 1e6:.0f} s to check, but would take about "
            f"{work / 1e6:.3g} s: take fewer levels, or no coherences",
            "proof",
        )


def answered(
    problem: ProblemFile,
    *,
    solver: str | None = None,
    sharp: bool | None = None,
    proof: bool | None = None,
    time_limit: float | None = None,
    progress: bool | Report = True,
) -> tuple[Answer, dict[str, Any] | None]:
    """A problem's certified answer, proved if asked for, and the certificate of the proof.

    Parameters
    ----------
    solver, sharp, time_limit, progress
        As in `lindfeas.certify`; a proof is not begun after the time limit.
    proof
        Whether to prove it; by default where python-flint is installed, it takes a few seconds, and
        a certificate can hold the spectral densities.

    Returns
    -------
    (Answer, certificate or None)

    Raises
    ------
    ProofRejectedError
        If the checker refuses the answer's certificate.
    """
    answer = certify(
        problem.question, solver=solver, sharp=sharp, time_limit=time_limit, progress=progress
    )
    if answer.truncated and proof is None:
        return answer, None
    return with_proof(answer, problem, proof)


def with_proof(
    answer: Answer, problem: ProblemFile | None, proof: bool | None
) -> tuple[Answer, dict[str, Any] | None]:
    """See `answered`; without a problem file the proof is about the doubles."""
    if not (can_prove() and is_quick(answer) if proof is None else proof):
        return answer, None
    written, found = prove(answer, problem)
    if found.status == "rejected":
        raise ProofRejectedError(found.statement)
    answer = replace(
        answer,
        proved=found.proved,
        proved_quantities=proved_quantities(answer, found),
        proved_distance=None if found.trace_distance is None else float(found.trace_distance),
        seconds=answer.seconds + found.seconds,
    )
    return answer, written if found.status == "accepted" else None


def proved_quantities(answer: Answer, proof: Proof) -> tuple[str, ...]:
    """Which of an answer's statements a proof shows; see `Findings.proved_quantities`."""
    found = ["defect", "exact"] if proof.proved else []
    found += ["distance"] if proof.trace_distance is not None else []
    error, within = answer.coherence_error, answer.distance_tolerance
    claims = getattr(proof, "coherence_error", ())
    if error is not None and any(
        float(distance) >= within and _covers(lower, error.lower) for distance, lower in claims
    ):
        found.append("coherence")
    return tuple(found)


def _covers(proved: str | None, claimed: float | None) -> bool:
    """Whether a proved bound, None for an exclusion, is the claimed one but for a little."""
    if proved is None:
        return True
    return claimed is not None and claimed > 0 and float(proved) >= PROVED_SHARE * claimed


def can_prove() -> bool:
    """Whether python-flint is installed."""
    return importlib.util.find_spec("flint") is not None


def is_quick(answer: Answer) -> bool:
    """Whether a proof can be written down, and takes no more than a few seconds."""
    few_levels = len(answer.reference.populations) <= LEVELS.get(answer.target, 0)
    return few_levels and can_be_written(answer.question.system)


def _distance(answer: Answer) -> Witness | None:
    witness = answer.distance_witness
    if witness is None or witness.length <= 0 or answer.optimal is None:
        return None
    return witness.shortened(CLAIMED_LENGTH)
