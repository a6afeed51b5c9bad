"""From a certified answer to a proved one: write the certificate, and have it checked."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from lindfeas.answer import Answer
from lindfeas.certificate import DistanceWitness, certificate
from lindfeas.errors import MissingExtraError
from lindfeas.files import ProblemFile

if TYPE_CHECKING:
    from lindfeas.proof import Proof

LEVELS = {"populations": 64, "populations+coherences": 16}
"""Up to so many levels a proof takes no more than a few seconds."""

CLAIMED_LENGTH = 1 - 1e-9
"""What is claimed of a certified length, so that rounding does not spoil its proof."""


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
        For targets that cannot be written down.

    Examples
    --------
    >>> import lindfeas as lf
    >>> problem = lf.read_problem("problems/xxz-1+2+1.toml")
    >>> written, proof = lf.prove(lf.certify(problem.question), problem)
    >>> proof.status, proof.lower[:12]
    ('accepted', '0.0010825824')
    """
    if not can_prove():
        raise MissingExtraError("python-flint", "proof", "A proof in ball arithmetic")
    from lindfeas.proof import verify

    written = certificate(problem, answer, distance=_distance(answer))
    return written, verify(written)


def can_prove() -> bool:
    """Whether python-flint is installed."""
    return importlib.util.find_spec("flint") is not None


def is_quick(answer: Answer) -> bool:
    """Whether a proof takes no more than a few seconds."""
    return len(answer.reference.populations) <= LEVELS.get(answer.target, 0)


def _distance(answer: Answer) -> DistanceWitness | None:
    witness = answer.distance_witness
    if witness is None or witness.length <= 0 or answer.candidate is None:
        return None
    shifts = iter(witness.shifts)
    sizes = [[len(group) for group in groups] for groups in _groups(answer)]
    return DistanceWitness(
        norm1_lower=witness.length * CLAIMED_LENGTH,
        multiplier=witness.multiplier,
        shifts=tuple(tuple(next(shifts) for _ in groups) for groups in sizes),
    )


def _groups(answer: Answer) -> list[list[tuple[str, ...]]]:
    """Labels of the operator groups of every region."""
    from lindfeas.ansatz import regions

    ansatz = regions(answer.question.system, answer.reference.spectrum)
    return [[group.labels for group in region.groups] for region in ansatz]
