"""From certified numbers to a verdict: what ``impossible`` and ``possible`` mean.

By distance, a verdict is about steady states. ``impossible`` says that every allowed Lindbladian
with a unique steady state is certified to miss the true one by at least the tolerance; ``possible``
that an explicit one, which is shown, misses it by less. By defect, it is about the action on the
true state, as in the SDP-paper's Eq. 30, whose numbers depend on the unit of the rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lindfeas.answers.candidate import Candidate
from lindfeas.answers.trace_distance import Ends
from lindfeas.program.bounds import Interval
from lindfeas.program.question import Question
from lindfeas.program.verdict import Verdict

if TYPE_CHECKING:
    from lindfeas.answers.coherence_error import CoherenceError

NONE_UNIQUE = "no Lindbladian with a unique steady state was found"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and why it is undecided, else None."""

    verdict: Verdict
    reason: str | None = None


IMPOSSIBLE, POSSIBLE = Judgement(Verdict.IMPOSSIBLE), Judgement(Verdict.POSSIBLE)


def undecided(reason: str) -> Judgement:
    """Why there is no verdict."""
    return Judgement(Verdict.UNDECIDED, reason)


def verdict_of(interval: Interval, tolerance: float) -> Verdict:
    """``impossible`` from the tolerance on, ``possible`` below it, else ``undecided``."""
    if interval.lower >= tolerance:
        return Verdict.IMPOSSIBLE
    return Verdict.POSSIBLE if interval.upper < tolerance else Verdict.UNDECIDED


def by_defect(interval: Interval, tolerance: float, shortcoming: str | None) -> Judgement:
    """The verdict on a defect.

    Parameters
    ----------
    shortcoming
        Why the Lindbladian of least defect does not count, or None.
    """
    verdict = verdict_of(interval, tolerance)
    if verdict == Verdict.UNDECIDED:
        return undecided("the certified interval straddles the tolerance")
    if verdict == Verdict.POSSIBLE and shortcoming is not None:
        return undecided(shortcoming)
    return Judgement(verdict)


def by_distance(distance: Ends, tolerance: float, nearest: Candidate | None) -> Judgement:
    """The verdict on populations, from the ends of T and the nearest Lindbladian."""
    if distance.lower is not None and distance.lower >= tolerance:
        return IMPOSSIBLE
    if nearest is None or nearest.distance is None:
        return undecided(NONE_UNIQUE)
    if nearest.distance < tolerance:
        return POSSIBLE
    return undecided("the certified interval of T straddles the tolerance")


def by_distance_and_coherences(
    found: CoherenceError | None,
    question: Question,
    nearest: Candidate | None,
    unmeasured: str | None = None,
) -> Judgement:
    """The verdict on populations and coherences: T and R within both tolerances, or not.

    Parameters
    ----------
    unmeasured
        Why bounds on R were left out, or None.
    """
    if found is not None:
        too_far = found.lower is not None and found.lower >= question.coherence_tolerance
        if found.is_excluded or too_far:
            return IMPOSSIBLE
    if nearest is None or nearest.distance is None or nearest.coherence_error is None:
        return undecided(unmeasured or NONE_UNIQUE)
    near = nearest.distance < question.distance_tolerance
    if near and nearest.coherence_error < question.coherence_tolerance:
        return POSSIBLE
    return undecided(
        unmeasured
        or "the certified bound on R is below its tolerance, but no Lindbladian was found within "
        "both tolerances"
    )
