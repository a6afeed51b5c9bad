"""What `certify` returns: the verdict, what certifies it, and how it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.enclosure import Attempt
from lindfeas.answers.steady_state_check import SteadyStateCheck
from lindfeas.answers.trace_distance import TraceDistance
from lindfeas.physics.equations.lindbladian import Lindbladian, jump_operators
from lindfeas.program.question import Question
from lindfeas.program.setting import Setting
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
    html_report,
    interval_text,
    plain_report,
    rounded,
    short_text,
)

if TYPE_CHECKING:
    from lindfeas.answers.distance_witness import Witness
    from lindfeas.physics.equations.redfield import Redfield


STEADY_STATE = "Steady state of the candidate"

_UNKNOWN = "unknown"

_TONES: dict[str, Tone] = {
    Verdict.IMPOSSIBLE: "no",
    Verdict.POSSIBLE: "yes",
    Verdict.UNDECIDED: "open",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """The certified answer to a `Question`.

    Parameters
    ----------
    setting
        The question, and what follows from it before anything is solved.
    verdict
        ``impossible``, ``possible`` or ``undecided``.
    reason
        Why it is undecided, else None.
    lower, upper
        Certified bounds on the optimum tau, floating-point error included.
    proved
        Whether ``lower`` was proved in ball arithmetic.
    trace_distance
        See `TraceDistance`; None values where it does not apply.
    solver, seconds
        Whose numbers gave the final interval, and wall time in all.
    attempts
        Every solve, failures included.
    multiplier
        The dual vector y behind ``lower``, one entry per row of the program; for populations
        one per level, in the order of ``reference.spectrum``, shape (d,).
    candidate
        The best Lindbladian found; with the verdict ``possible`` the best found that counts (unique
        steady state, rates that are not negligible).
    candidate_defect
        Its defect, rounding included: ``upper``, or above it where the optimum does not count.
    hamiltonian_limit
        Largest Hilbert-Schmidt norm of the allowed H_r; None where there are none.
    certificate
        Path of the certificate file, if one was written.
    check
        The candidate's steady state against the true one; None without a candidate or where it
        was left to `lindfeas.answers.certify.steady_state_check` because of its size.
    distance_witness
        What certifies the sharp lower end of the trace distance, if it was computed.
    nearest
        The Lindbladian behind the upper end of the trace distance, if it is not the candidate.
    """

    setting: Setting = field(repr=False)
    verdict: Verdict
    reason: str | None = None
    lower: float
    upper: float
    proved: bool = False
    trace_distance: TraceDistance
    solver: str
    seconds: float
    attempts: tuple[Attempt, ...] = field(repr=False)
    multiplier: NDArray[np.float64] = field(repr=False)
    candidate: Lindbladian | None = field(repr=False)
    candidate_defect: float | None = field(default=None, repr=False)
    hamiltonian_limit: float | None = None
    certificate: str | None = None
    check: SteadyStateCheck | None = field(default=None, repr=False)
    distance_witness: Witness | None = field(default=None, repr=False)
    nearest: Lindbladian | None = field(default=None, repr=False)

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.setting.question

    @property
    def reference(self) -> Redfield:
        """The Redfield equation whose steady state is asked for."""
        return self.setting.reference

    @property
    def target(self) -> str:
        """What had to be reproduced."""
        return self.question.target_name

    @property
    def norm(self) -> str | None:
        """The norm of the defect; None for populations, which have one only."""
        return self.question.target_norm

    @property
    def tolerance(self) -> float:
        """The tolerance behind the verdict."""
        return self.question.tolerance

    @property
    def levels_coincide(self) -> bool:
        """Whether levels of different charge coincide, as far as can be told.

        Distances from steady states are then about Lindbladians that mix no charges.
        """
        spectrum = self.reference.spectrum
        apart = np.not_equal.outer(spectrum.charges, spectrum.charges)
        return bool((spectrum.coinciding & apart).any())

    def to_dict(self) -> dict[str, Any]:
        """All of it but the arrays, as plain JSON types."""
        return {
            "verdict": str(self.verdict),
            "reason": self.reason,
            "target": self.target,
            "norm": self.norm,
            "tolerance": self.tolerance,
            "charge": _charge_dict(self),
            "hamiltonian_limit": self.hamiltonian_limit,
            "largest_hamiltonian": self.hamiltonian_limit,
            "lower": self.lower,
            "upper": self.upper,
            "proved": self.proved,
            "trace_distance": asdict(self.trace_distance),
            "solver": self.solver,
            "seconds": self.seconds,
            "certificate": self.certificate,
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "check": None if self.check is None else self.check.to_list(),
            "candidate": None if self.candidate is None else _candidate_dict(self),
        }

    def _repr_html_(self) -> str:
        return html_report(sections(self))

    def __str__(self) -> str:
        return plain_report(sections(self))


def _charge_dict(answer: Answer) -> dict[str, Any] | None:
    system = answer.question.system
    if system.charge is None:
        return None
    return {
        "values": [list(local) for local in system.charge],
        "found": system.charge_is_found,
        "levels_coincide": answer.levels_coincide,
    }


def _candidate_dict(answer: Answer) -> dict[str, Any]:
    candidate = answer.candidate
    assert candidate is not None
    return {
        "defect": answer.candidate_defect,
        "steady_state_unique": candidate.steady_state_unique,
        "spectral_gap": candidate.spectral_gap,
        "regions": [
            {
                "name": region.name,
                "sites": list(region.sites),
                "rate": region.rate,
                "hamiltonian_norm": region.hamiltonian_norm,
                "jump_rates": region.jump_rates.tolist(),
                "basis_labels": list(region.basis_labels),
                "kossakowski": _complex_lists(region.kossakowski),
                "hamiltonian": _complex_lists(region.hamiltonian),
            }
            for region in candidate.regions
        ],
    }


def _complex_lists(matrix: Any) -> dict[str, Any]:
    return {"real": matrix.real.tolist(), "imag": matrix.imag.tolist()}


def sections(answer: Answer, title: str = "") -> list[Section]:
    """The whole answer, part after part: what `print`, the command and a notebook show.

    Parameters
    ----------
    answer
        What `lindfeas.answers.certify.certify` returned.
    title
        Headline, such as the problem's title; none by default.
    """
    parts: list[Section] = [Heading(title)] if title else []
    parts.append(Badge("verdict", str(answer.verdict), _TONES[answer.verdict]))
    parts.append(Facts(summary_rows(answer)))
    parts.append(Grid("attempts", *attempts(answer)))
    if answer.candidate is not None:
        parts.append(Grid("Lindbladian found", *jump_operators(answer.candidate)))
        parts.append(Facts(candidate_rows(answer)))
        if answer.check is not None:
            if answer.check.rows:
                parts.append(Grid(STEADY_STATE, *steady_state(answer.check)))
            parts.append(Sentence(answer.check.conclusion))
    return parts


def summary_rows(answer: Answer) -> list[Row]:
    """The answer's main facts as (name, text)."""
    rows = [("reason", answer.reason)] if answer.reason else []
    rows.append(("target", answer.target))
    if answer.norm:
        rows.append(("norm", answer.norm))
    rows += _charge_rows(answer)
    rows.append(("optimal defect", interval_text(answer.lower, answer.upper)))
    rows.append(("", "lower bound proved" if answer.proved else "certified in double precision"))
    rows.append(("tolerance", f"{answer.tolerance:g}"))
    if answer.hamiltonian_limit is not None:
        rows.append(("local Hamiltonians", f"up to {answer.hamiltonian_limit:g} (norm of each)"))
    distance = answer.trace_distance
    if distance.lower is not None or distance.upper is not None:
        rows.append(("trace distance", interval_text(distance.lower, distance.upper)))
    if distance.lemma1 is not None:
        rows.append(("  by Lemma 1", f">= {rounded(distance.lemma1, 4, ROUND_FLOOR)}"))
    rows.append(("solver", f"{answer.solver or 'none'}, {answer.seconds:.2f} s in all"))
    if answer.certificate:
        rows.append(("certificate", str(answer.certificate)))
    return rows


def _charge_rows(answer: Answer) -> list[Row]:
    """The charge that is used, who found it, and what it means where levels coincide."""
    rows = [("charge", text)] if (text := answer.question.system.charge_text) else []
    if answer.levels_coincide:
        rows.append(("", "levels of different charge coincide: trace distances are"))
        rows.append(("", "about Lindbladians that mix no charges"))
    return rows


def attempts(answer: Answer) -> tuple[Sequence[str], list[Sequence[str]]]:
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


def candidate_rows(answer: Answer) -> list[Row]:
    """What is known about the Lindbladian found, as (name, text)."""
    candidate = answer.candidate
    if candidate is None:
        return []
    unique = {True: "unique", False: "not unique"}.get(candidate.steady_state_unique, _UNKNOWN)
    gap = candidate.spectral_gap
    return [
        ("its defect", f"<= {short_text(answer.candidate_defect, ROUND_CEILING)}"),
        ("its steady state", unique),
        ("its spectral gap", _UNKNOWN if gap is None else f"{gap:.4g}"),
    ]


def steady_state(check: SteadyStateCheck) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of errors at falling strength, the limit last."""
    header = ("eps", "population error", "coherence error")
    shown = [*check.rows, *([] if check.limit is None else [check.limit])]
    rows = [
        (
            f"{row.epsilon:g}" if row.epsilon else "-> 0",
            f"{row.population_error:.3g}",
            "-" if row.coherence_error is None else f"{row.coherence_error:.3g}",
        )
        for row in shown
    ]
    return header, list(rows)
