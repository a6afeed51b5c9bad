"""What `certify` returns: the verdict, what certifies it, and how it was found."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.enclosure import Attempt
from lindfeas.answers.steady_state_check import SteadyStateCheck
from lindfeas.answers.trace_distance import TraceDistance
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.program.question import Question
from lindfeas.program.setting import Setting
from lindfeas.program.verdict import Verdict
from lindfeas.text import Row, html_rows, html_table, interval_text, rounded, short_text

if TYPE_CHECKING:
    from lindfeas.answers.distance_witness import Witness
    from lindfeas.physics.equations.redfield import Redfield

STRONGEST = 3
"""How many jump operators of a region, and how many terms of each, are shown."""

SMALLEST_RATE = 1e-6
"""Jump operators with rates below this fraction of the region's largest are left out."""

SMALLEST_TERM = 0.1
"""Terms of a normalised jump operator below this are left out."""

STEADY_STATE = "Steady state of the candidate"

_UNKNOWN = "unknown"


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

    def to_dict(self) -> dict[str, Any]:
        """All of it but the arrays, as plain JSON types."""
        return {
            "verdict": str(self.verdict),
            "reason": self.reason,
            "target": self.target,
            "norm": self.norm,
            "tolerance": self.tolerance,
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
        return answer_html(self)


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


def answer_html(answer: Answer) -> str:
    """The whole answer as an HTML fragment, for a notebook's ``_repr_html_``."""
    parts = [f"<p><b>{html.escape(answer.verdict)}</b></p>", html_rows(summary_rows(answer))]
    parts.append(html_table("attempts", *attempts(answer)))
    if answer.candidate is not None:
        parts.append(html_table("Lindbladian found", *jump_operators(answer.candidate)))
        parts.append(html_rows(candidate_rows(answer)))
        if answer.check is not None:
            if answer.check.rows:
                parts.append(html_table(STEADY_STATE, *steady_state(answer.check)))
            parts.append(f"<p>{html.escape(answer.check.conclusion)}</p>")
    return "<div>" + "".join(parts) + "</div>"


def summary_rows(answer: Answer) -> list[Row]:
    """The answer's main facts as (name, text)."""
    rows = [("reason", answer.reason)] if answer.reason else []
    rows.append(("target", answer.target))
    if answer.norm:
        rows.append(("norm", answer.norm))
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


def jump_operators(candidate: Lindbladian) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of each region's strongest jump operators."""
    header = ("region", "sites", "rate", "jump rate", "jump operator (normalised)")
    rows: list[Sequence[str]] = []
    for region in candidate.regions:
        first = (region.name, ", ".join(map(str, region.sites)), f"{region.rate:.6g}")
        # expanded in the orthonormal basis: tr(f_i^dag L_n)
        terms = np.einsum("iab,nab->ni", region.basis.conj(), region.jump_operators)
        shown = region.jump_rates > SMALLEST_RATE * region.jump_rates[0]
        for number, rate in enumerate(region.jump_rates[shown][:STRONGEST]):
            operator = _operator(terms[number], region.basis_labels)
            rows.append((*(first if number == 0 else ("", "", "")), f"{rate:.4g}", operator))
    return header, rows


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


def _operator(vector: NDArray[Any], labels: Sequence[str]) -> str:
    """A normalised combination of basis operators, its largest term real and positive."""
    order = np.argsort(-np.abs(vector), kind="stable")
    phase = vector[order[0]] / abs(vector[order[0]])
    terms = [(complex(vector[k] / phase), labels[k]) for k in order[:STRONGEST]]
    return " + ".join(
        f"{_coefficient(c)} [{label}]" for c, label in terms if abs(c) >= SMALLEST_TERM
    ).replace("+ -", "- ")


def _coefficient(value: complex) -> str:
    if abs(value.imag) < 5e-3:
        return f"{value.real:.2f}"
    return f"({value.real:.2f}{value.imag:+.2f}i)"
