"""A Lindbladian of the user's own, measured like those that lindfeas finds.

To leading order in the coupling its steady state is diag(p'), with C p' = 0 and C_ka =
<k|L'(|a><a|)|k>, and its leading coherences are <a|rho2'|g> = -i <a|L'[diag p']|g>/(E_a - E_g).
Everything here is in double precision; the certified optimum beside it is an interval.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import ROUND_FLOOR
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.answer import Answer
from lindfeas.answers.candidate import UNIQUENESS_TOLERANCE, secular_gap
from lindfeas.answers.certify import certify
from lindfeas.errors import InputError, LindfeasError, PhysicsError, require
from lindfeas.physics.dynamics.measures import trace_distance
from lindfeas.physics.equations.jumps import Jumps, jumps_of
from lindfeas.physics.equations.laws import BrokenLaws, broken_laws, hamiltonian_norms, region_rates
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.physics.equations.rate_equation import stationary_distribution
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.program.question import TARGETS, Question, asked_about
from lindfeas.program.rates import RateBounds
from lindfeas.text import Facts, Heading, Row, Section, Sentence, html_report, plain_report

BROKEN = 1e-10
"""A law counts as broken from this fraction of the largest rate on."""

ON_RULE = 1e-9
"""Relative deviation of tr Gamma from the rate rule that is put down to rounding."""

_NORMS: dict[str, Any] = {"spectral": 2, "frobenius": "fro", "trace": "nuc"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Score:
    """How well a Lindbladian does, beside the best that is possible.

    Parameters
    ----------
    defect
        ||L'(rho0) - X|| as in the question, at the candidate's own rates (rate unit): for
        populations sum_k |<k|L'(rho0)|k>|, with coherences the question's norm of
        L'(rho0) - L2(rho0).
    trace_distance
        T = ||p - p'||_1 / 2 of its leading steady populations; None where they are not unique.
    coherence_error
        R = ||rho2' - rho2||_F / ||rho2||_F, off-diagonal parts; None without a unique steady state,
        without coherences to compare with, or where they diverge.
    steady_state_unique
        Whether its steady state is unique to leading order.
    spectral_gap, relative_gap
        Slowest relaxation rate of populations and coherences under its secular part (rate unit),
        and divided by the fastest.
    rates
        tr Gamma of its part on every bath's region, by the bath's name.
    allowed
        Whether it is one of the question's Lindbladians: it breaks no local conservation law, and
        its rates obey the question's rule. Only then must its defect be at least ``answer.lower``.
    laws
        What it breaks, and by how much.
    reason
        Why a number is missing, else None.
    answer
        The certified answer to the question that it is compared with.
    """

    defect: float
    trace_distance: float | None
    coherence_error: float | None
    steady_state_unique: bool
    spectral_gap: float
    relative_gap: float
    rates: dict[str, float]
    allowed: bool
    laws: BrokenLaws
    reason: str | None = None
    answer: Answer = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain JSON types; of the answer its intervals."""
        numbers = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("laws", "answer")
        }
        broken = asdict(self.laws)
        broken["sites"] = {str(site): value for site, value in self.laws.sites.items()}
        optimum = {
            "lower": self.answer.lower,
            "upper": self.answer.upper,
            "trace_distance": asdict(self.answer.trace_distance),
        }
        return {**numbers, "broken": broken, "optimum": optimum}

    def sections(self) -> list[Section]:
        """What `print` and a notebook show."""
        parts: list[Section] = [Heading("Your Lindbladian"), Facts(self._rows())]
        return parts if self.reason is None else [*parts, Sentence(self.reason)]

    def __str__(self) -> str:
        return plain_report(self.sections())

    def _repr_html_(self) -> str:
        return html_report(self.sections())

    def _rows(self) -> list[Row]:
        answer = self.answer
        gap = f"{self.spectral_gap:.4g}, {self.relative_gap:.2g} of its fastest rate"
        unique = "unique" if self.steady_state_unique else "not unique"
        rates = ", ".join(f"{name} {rate:.6g}" for name, rate in self.rates.items())
        distance = answer.trace_distance
        return [
            ("its defect", f"{self.defect:.6g}{_best(answer.lower)}"),
            ("its trace distance", f"{_number(self.trace_distance)}{_best(distance.lower)}"),
            ("its coherence error", _number(self.coherence_error)),
            ("its steady state", f"{unique}; gap {gap}"),
            ("its rates", rates),
            ("one of the allowed", "yes" if self.allowed else "no"),
            *_law_rows(self.laws),
        ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _best(lower: float | None) -> str:
    from lindfeas.text import short_text

    return "" if lower is None else f"  (no allowed one below {short_text(lower, ROUND_FLOOR, 4)})"


def _law_rows(laws: BrokenLaws) -> list[Row]:
    rows = [
        ("not local", f"dissipator {laws.nonlocal_rate:.3g}, H {laws.nonlocal_hamiltonian:.3g}")
    ]
    rows += [(f"moves site {site} by", f"{value:.3g}") for site, value in laws.sites.items()]
    rows += [(f"moves {name} by others", f"{value:.3g}") for name, value in laws.baths.items()]
    if laws.charge is not None:
        rows.append(("mixes charges by", f"{laws.charge:.3g}"))
    return rows


def score(
    question: Question | OpenSystem,
    candidate: Lindbladian | Jumps | Any,
    *,
    rates: Any = None,
    hamiltonian: Any = None,
    answer: Answer | None = None,
) -> Score:
    """Measure a Lindbladian of your own: its defect, steady state, and the laws that it breaks.

    Parameters
    ----------
    question
        The question, or a system for the default one.
    candidate
        A `Lindbladian`; a list of jump operators L_n, each d x d on the whole system (array, sparse
        matrix or ``Qobj``) or a pair (sites, operator on them); such lists by the names of the
        baths, with operators on the bath's region; or a pair (H, list of collapse operators), as
        from `Lindbladian.qobj`.
    rates
        gamma_n >= 0, one per jump operator; 1 each by default, as for QuTiP's ``c_ops``.
    hamiltonian
        The Lamb shift H, d x d: what stands beside H_S, which is no part of it.
    answer
        The certified answer to the question, if it is at hand; computed by default.

    Raises
    ------
    InputError
        If the candidate does not fit the system, or for a `Target` of one's own.

    Examples
    --------
    >>> import numpy as np
    >>> import lindfeas as lf
    >>> hot = lf.Bath(name="left", sites=(0,), beta=1.0)
    >>> cold = lf.Bath(name="right", sites=(2,), beta=5.0)
    >>> chain = lf.models.xxz_chain(sites=3, coupling=0.1, baths=[hot, cold])
    >>> lower = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> ups = {"left": np.exp(-1.0), "right": np.exp(-5.0)}  # local detailed balance
    >>> own = {name: [lower, up**0.5 * lower.T] for name, up in ups.items()}
    >>> found = lf.score(chain, own)
    >>> bool(found.trace_distance > found.answer.trace_distance.lower), found.laws.nonlocal_rate
    (True, 0.0)
    """
    asked = asked_about(question)
    if asked.target_name not in TARGETS or not isinstance(asked.target, str):
        raise InputError(f"must be one of {', '.join(TARGETS)} for a score", "question.target")
    jumps = jumps_of(asked.system, candidate, rates, hamiltonian)
    if answer is None:
        answer = certify(asked, check=False)
    require(answer, Answer, "answer", "give what lf.certify returns")
    if answer.question.system is not asked.system or answer.target != asked.target:
        raise InputError("must be the answer to this question, but is another one's", "answer")
    return _scored(asked, jumps, answer)


def _scored(question: Question, jumps: Jumps, answer: Answer) -> Score:
    reference = answer.reference
    system = question.system
    own = jumps.rotated(reference.spectrum.vectors)
    laws = broken_laws(jumps, system)
    traces = region_rates(jumps, system)
    populations, gap, fastest, reason = _steady(own, reference, laws)
    error, why = None, None
    if populations is not None:
        error, why = _coherence_error(own, reference, populations)
    return Score(
        defect=_defect(question, own, reference),
        trace_distance=None
        if populations is None
        else trace_distance(populations, reference.populations),
        coherence_error=error,
        steady_state_unique=populations is not None,
        spectral_gap=gap,
        relative_gap=gap / fastest if fastest > 0 else 0.0,
        rates=traces,
        allowed=_is_local(laws, jumps)
        and _on_rule(question, np.array([*traces.values()]))
        and _within_limit(answer, jumps),
        laws=laws,
        reason=reason or why,
        answer=answer,
    )


def _defect(question: Question, own: Jumps, reference: Redfield) -> float:
    action = own.apply(np.diag(reference.populations).astype(complex))
    if question.target == "populations":
        return float(np.abs(np.diag(action).real).sum())
    left = action - reference.coherence_source
    return float(np.linalg.norm(left, _NORMS[question.norm]))


def _steady(
    own: Jumps, reference: Redfield, laws: BrokenLaws
) -> tuple[NDArray[np.float64] | None, float, float, str | None]:
    """(p' or None if there is no unique one, gap, fastest rate, why there is none)."""
    weights = own.rates[:, None, None] * np.abs(own.operators) ** 2
    rates = weights.sum(axis=0)
    diagonal = np.diagonal(own.operators, axis1=1, axis2=2)
    overlap = np.einsum("n,na,ng->ag", own.rates, diagonal, diagonal.conj()).real
    out = rates.sum(axis=0)
    decay = np.add.outer(out, out) / 2 - overlap
    np.fill_diagonal(rates, 0.0)
    gap = secular_gap(rates, decay)
    fastest = max(float(rates.sum(axis=0).max(initial=0.0)), float(decay.max(initial=0.0)))
    mixes = laws.charge is not None and laws.charge > BROKEN * fastest
    if mixes and reference.spectrum.charges_coincide:
        reason = "it mixes charges whose levels coincide: its leading state may be no diagonal"
        return None, gap, fastest, reason
    try:
        populations = stationary_distribution(rates)
    except PhysicsError:
        return None, gap, fastest, "its steady state is not unique: the levels fall into groups"
    if not gap > UNIQUENESS_TOLERANCE * fastest:
        return None, gap, fastest, "its steady state is not unique, or cannot be told from others"
    return populations, gap, fastest, None


def _coherence_error(
    own: Jumps, reference: Redfield, populations: NDArray[np.float64]
) -> tuple[float | None, str | None]:
    """(R, or None and why)."""
    try:
        true = reference.coherences
    except LindfeasError as error:
        return None, f"the true coherences are not known: {error}"
    size = float(np.linalg.norm(true))
    if not size > 0:
        return None, "there are no coherences to compare with"
    action = own.apply(np.diag(populations).astype(complex))
    gaps = -reference.spectrum.bohr
    apart = ~reference.spectrum.coinciding
    found = np.zeros_like(true)
    found[apart] = -1j * action[apart] / gaps[apart]
    return float(np.linalg.norm(found - true)) / size, None


def _is_local(laws: BrokenLaws, jumps: Jumps) -> bool:
    own = jumps.canonical()
    largest = max(
        float(own.rates @ (np.abs(own.operators) ** 2).sum(axis=(1, 2))),
        float(np.linalg.norm(own.hamiltonian)),
    )
    return max(laws.nonlocal_rate, laws.nonlocal_hamiltonian) <= BROKEN * largest


def _within_limit(answer: Answer, jumps: Jumps) -> bool:
    """Whether every H_r is as short as the question allows; for populations none matters."""
    if answer.target == "populations":
        return True
    limit = answer.hamiltonian_limit or 0.0
    norms = hamiltonian_norms(jumps, answer.question.system).values()
    return all(norm <= limit * (1 + ON_RULE) + BROKEN * jumps.rates.sum() for norm in norms)


def _on_rule(question: Question, traces: NDArray[np.float64]) -> bool:
    """Whether the rule would leave these rates as they are."""
    bounds: RateBounds = question.rates.bounds(len(traces))
    factors = bounds.scale_factors(traces)
    return factors is not None and bool((np.abs(factors - 1) <= ON_RULE)[traces > 0].all())
