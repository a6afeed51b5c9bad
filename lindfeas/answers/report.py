"""What an answer says, in words and tables: for the command, `print` and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from lindfeas.physics.equations.lindbladian import jump_operators
from lindfeas.program.verdict import Verdict
from lindfeas.text import (
    Badge,
    Facts,
    Grid,
    Heading,
    Row,
    Section,
    Sentence,
    Tone,
    interval_text,
    rounded,
    short_text,
)

if TYPE_CHECKING:
    from lindfeas.answers.candidate import Candidate
    from lindfeas.answers.findings import Findings
    from lindfeas.answers.steady_state_check import SteadyStateCheck

STEADY_STATE = "Its steady state"

TINY_GAP = 1e-6
"""A spectral gap below this fraction of the rates is called tiny."""

_TONES: dict[str, Tone] = {
    Verdict.IMPOSSIBLE: "no",
    Verdict.POSSIBLE: "yes",
    Verdict.UNDECIDED: "open",
}


def sections(answer: Findings, title: str = "", *, detail: int = 0) -> list[Section]:
    """The answer, part after part: what `print`, the command and a notebook show.

    Parameters
    ----------
    answer
        What `lindfeas.answers.certify.certify` returned.
    title
        Headline, such as the problem's title; none by default.
    detail
        0 for one screen, 1 with the solves and the candidate put to work, 2 for everything.
    """
    parts: list[Section] = [Heading(title)] if title else []
    parts.append(Badge("verdict", headline(answer), _TONES[answer.verdict]))
    parts.append(Sentence(meaning(answer)))
    parts.append(Facts(summary_rows(answer, detail)))
    if detail > 0:
        parts.append(Grid("attempts", *attempts(answer)))
    shown = answer.shown
    if shown is not None:
        parts.append(Grid(_found(answer), *jump_operators(shown.lindbladian)))
        parts.append(Facts(candidate_rows(answer, detail)))
        if answer.check is not None and (detail > 0 or answer.check.limit is None):
            if answer.check.rows:
                asked = detail > 1 or not answer.question.asks_for_populations
                parts.append(Grid(STEADY_STATE, *steady_state(answer.check, asked)))
            parts.append(Sentence(answer.check.conclusion))
    return parts


def headline(answer: Findings) -> str:
    """The verdict with the tolerance that it is about, and whether it is so exactly.

    Such as ``possible within T < 1e-4; exactly: impossible (proved)``.
    """
    exactly = "open"
    if answer.exact == "excluded":
        how = "proved" if "exact" in answer.proved_quantities else "certified"
        exactly = f"impossible ({how})"
    return f"{answer.verdict} within {_tolerances(answer)}{_how(answer)}; exactly: {exactly}"


def _how(answer: Findings) -> str:
    """`` (proved)`` where what makes it impossible was proved."""
    if answer.verdict != Verdict.IMPOSSIBLE:
        return ""
    if answer.criterion == "defect":
        is_proved = "defect" in answer.proved_quantities
    elif answer.question.asks_for_populations:
        proved = answer.proved_distance
        is_proved = proved is not None and proved >= answer.distance_tolerance
    else:
        is_proved = "coherence" in answer.proved_quantities
    return " (proved)" if is_proved else " (certified)"


def _tolerances(answer: Findings) -> str:
    if answer.criterion == "defect":
        return f"a defect < {as_written(answer.tolerance)}"
    distance = f"T < {as_written(answer.distance_tolerance)}"
    if answer.question.asks_for_populations:
        return distance
    return f"{distance} and R < {as_written(answer.coherence_tolerance)}"


def as_written(value: float) -> str:
    """A tolerance as a person writes it: all its digits, such as ``0.05`` or ``1e-4``."""
    exact = Decimal(repr(value)).normalize()
    power = exact.adjusted()
    if -2 <= power < 6:
        return f"{exact:f}"
    return f"{exact.scaleb(-power).normalize():f}e{power}"


def meaning(answer: Findings) -> str:
    """What the numbers say, in one or two sentences."""
    if answer.criterion == "defect":
        words = _defect_words(answer)
    elif answer.question.asks_for_populations:
        words = _distance_words(answer)
    else:
        words = _coherence_words(answer)
    return words if answer.reason is None else f"{words} {_sentence(answer.reason)}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _defect_words(answer: Findings) -> str:
    lower, upper = (
        rounded(answer.lower, 4, ROUND_FLOOR),
        rounded(answer.upper, 4, ROUND_CEILING),
    )
    return (
        f"On the true state, every allowed Lindbladian is wrong by at least {lower} (the defect, "
        f"in units of the rates), and one by at most {upper}."
    )


def _distance_words(answer: Findings) -> str:
    distance = answer.trace_distance
    parts = []
    if distance.lower:
        parts.append(
            "Every allowed Lindbladian with a unique steady state misses the true populations by "
            f"a trace distance T of at least {rounded(distance.lower, 4, ROUND_FLOOR)}"
        )
    if distance.upper is not None:
        nearest = (
            "the nearest one found misses" if parts else "The nearest Lindbladian found misses"
        )
        about = "them" if parts else "the true populations"
        by = f"{'' if parts else 'a trace distance T of '}at most"
        parts.append(f"{nearest} {about} by {by} {rounded(distance.upper, 4, ROUND_CEILING)}")
    return "; ".join(parts) + "." if parts else "Nothing is known about the trace distance."


def _coherence_words(answer: Findings) -> str:
    found, shown = answer.coherence_error, answer.shown
    within = f"T < {as_written(answer.distance_tolerance)}"
    parts = []
    if found is not None and found.is_excluded:
        parts.append(f"No allowed Lindbladian with a unique steady state has {within}")
    elif found is not None and found.lower:
        parts.append(
            f"Every allowed Lindbladian with {within} misses the leading coherences by a relative "
            f"error R of at least {rounded(found.lower, 4, ROUND_FLOOR)}"
        )
    if shown is not None and shown.distance is not None and shown.coherence_error is not None:
        parts.append(
            f"{'the' if parts else 'The'} one shown has T <= "
            f"{rounded(shown.distance, 4, ROUND_CEILING)} and R <= "
            f"{rounded(shown.coherence_error, 4, ROUND_CEILING)}"
        )
    return "; ".join(parts) + "." if parts else "Nothing is known about the distance."


def summary_rows(answer: Findings, detail: int = 0) -> list[Row]:
    """The answer's main facts as (name, text)."""
    rows = [("target", _target(answer)), *_charge_rows(answer)]
    rows.append(("optimal defect", interval_text(answer.lower, answer.upper)))
    rows.append(("", f"how wrong L' is on the true state, at best; {_proof(answer)}"))
    rows += _distance_rows(answer, detail)
    rows += _coherence_rows(answer)
    if answer.hamiltonian_limit is not None:
        rows.append(("local Hamiltonians", f"up to {answer.hamiltonian_limit:g} (norm of each)"))
    cut = ", cut short" if answer.truncated else ""
    rows.append(("solver", f"{answer.solver or 'none'}, {answer.seconds:.2f} s in all{cut}"))
    if answer.certificate:
        rows.append(("certificate", str(answer.certificate)))
    return rows


def _charge_rows(answer: Findings) -> list[Row]:
    """The charge that is used, who found it, and what it means where levels coincide."""
    rows = [("charge", text)] if (text := answer.question.system.charge_text) else []
    if answer.levels_coincide:
        rows.append(("", "levels of different charge coincide: trace distances are"))
        rows.append(("", "about Lindbladians that mix no charges"))
    return rows


def _target(answer: Findings) -> str:
    return answer.target if answer.norm is None else f"{answer.target}, {answer.norm} norm"


def _proof(answer: Findings) -> str:
    if not answer.proved:
        return "certified in double precision"
    return "its lower end proved"


def _distance_rows(answer: Findings, detail: int) -> list[Row]:
    distance, every = answer.trace_distance, answer.trace_distance_all
    rows = []
    if distance.lower is not None or distance.upper is not None:
        rows.append(("trace distance T", interval_text(distance.lower, distance.upper)))
    if every.upper is not None and every.upper != distance.upper:
        text = f"{interval_text(every.lower, every.upper)}, steady states that are not unique too"
        rows.append(("", text))
    if answer.proved_distance is not None:
        rows.append(("", f"proved: >= {rounded(answer.proved_distance, 4, ROUND_FLOOR)}"))
    if distance.lemma1 is not None and detail > 0:
        rows.append(("  by Lemma 1", f">= {rounded(distance.lemma1, 4, ROUND_FLOOR)}"))
    return rows


def _coherence_rows(answer: Findings) -> list[Row]:
    found = answer.coherence_error
    if found is None:
        return []
    rows: list[Row] = []
    for rung in found.ladder:
        within = f"R, for T <= {as_written(rung.distance)}" if rung.distance else "R, for T = 0"
        text = "no Lindbladian is so near" if rung.excluded else f">= {_least(rung.lower)}"
        at_tolerance = rung.distance == answer.distance_tolerance
        if at_tolerance and "coherence" in answer.proved_quantities:
            text += ", proved"
        rows.append((within, text))
    return rows


def _least(value: float | None) -> str:
    return "0" if not value else rounded(value, 4, ROUND_FLOOR)


def attempts(answer: Findings) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of solver runs, the failed ones among them."""
    header = ("solver", "scale", "status", "lower", "upper", "seconds", "message")
    rows = [
        (
            attempt.solver,
            f"{attempt.scale:.3g}",
            str(attempt.status).replace("_", " "),
            short_text(attempt.lower, ROUND_FLOOR, 4),
            short_text(attempt.upper, ROUND_CEILING, 4),
            f"{attempt.seconds:.2f}",
            attempt.message or "",
        )
        for attempt in answer.attempts
    ]
    return header, list(rows)


def _found(answer: Findings) -> str:
    nearest = answer.nearest is not None and answer.shown is answer.nearest
    return "Nearest Lindbladian found" if nearest else "Lindbladian of least defect found"


def candidate_rows(answer: Findings, detail: int = 0) -> list[Row]:
    """What is known about the Lindbladian that is shown, as (name, text): its own numbers."""
    candidate = answer.shown
    if candidate is None:
        return []
    rows = [("its defect", f"<= {short_text(candidate.defect, ROUND_CEILING)}")]
    if candidate.distance is not None:
        rows.append(("its T", f"<= {short_text(candidate.distance, ROUND_CEILING)}"))
    if candidate.coherence_error is not None:
        rows.append(("its R", f"<= {short_text(candidate.coherence_error, ROUND_CEILING)}"))
    rows.append(("its steady state", _gap_words(candidate)))
    return rows


def _gap_words(candidate: Candidate) -> str:
    if not candidate.lindbladian.steady_state_unique:
        return "not unique"
    gap = candidate.relative_gap
    tiny = (
        ", a tiny fraction of its rates: it is hardly reached"
        if gap < TINY_GAP
        else " of its rates"
    )
    return f"unique, spectral gap {candidate.lindbladian.spectral_gap:.4g}, {gap:.2g}{tiny}"


def steady_state(
    check: SteadyStateCheck, coherences: bool = True
) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of errors at falling strength, the limit last."""
    header = ("eps", "population error", *(["coherence error"] if coherences else []))
    shown = [*check.rows, *([] if check.limit is None else [check.limit])]
    rows = []
    for row in shown:
        error = "-" if row.coherence_error is None else f"{row.coherence_error:.3g}"
        rows.append(
            (
                f"{row.epsilon:g}" if row.epsilon else "-> 0",
                f"{row.population_error:.3g}",
                *([error] if coherences else []),
            )
        )
    return header, list(rows)
