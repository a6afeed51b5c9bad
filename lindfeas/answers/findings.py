"""All that is certified about a question, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.candidate import Candidate
from lindfeas.answers.enclosure import Attempt
from lindfeas.answers.steady_state_check import SteadyStateCheck
from lindfeas.answers.trace_distance import NOTHING_KNOWN, Ends, TraceDistance
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.program.question import Question
from lindfeas.program.setting import Setting
from lindfeas.program.verdict import Verdict

if TYPE_CHECKING:
    from lindfeas.answers.coherence_error import CoherenceError
    from lindfeas.answers.coherence_witness import CoherenceLadder
    from lindfeas.answers.distance_witness import Witness
    from lindfeas.physics.equations.redfield import Redfield


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """What is certified about a `Question`: the fields of an `Answer`.

    Parameters
    ----------
    setting
        The question, and what follows from it before anything is solved.
    verdict
        ``impossible``, ``possible`` or ``undecided``, by the question's criterion.
    reason
        Why it is undecided, else None.
    lower, upper
        Certified bounds on the optimal defect tau, floating-point error included.
    proved
        Whether ``lower`` was proved in ball arithmetic.
    proved_quantities
        What was proved in ball arithmetic: ``defect`` (``lower``, above 0), ``exact`` (that nothing
        is exact), ``distance`` (`proved_distance`), ``coherence`` (the bound on R, or that nothing
        is so near, at the distance tolerance).
    proved_distance
        The lower bound on T that was proved, above 0, or None; it may be below that of
        ``trace_distance``, whose witnesses are not all of a kind that certificates hold.
    trace_distance
        Of the populations of every allowed Lindbladian with a unique steady state.
    trace_distance_all
        Of all p' >= 0 that some allowed Lindbladian leaves alone, unique or not.
    coherence_error
        Of the leading coherences, for ``populations+coherences`` by distance; None otherwise.
    solver, seconds
        Whose numbers gave the final interval, and wall time in all.
    truncated
        Whether a time limit, or an interruption, cut the computation short.
    attempts
        Every solve, failures included.
    multiplier
        The dual vector y behind ``lower``, one entry per row of the program; for populations
        one per level, in the order of ``reference.spectrum``, shape (d,).
    optimal
        The Lindbladian of least defect; by the criterion ``defect`` and with the verdict
        ``possible`` the best found that counts (unique steady state, rates not negligible).
    nearest
        The Lindbladian whose steady state is nearest, behind the upper ends of ``trace_distance``
        and ``coherence_error``; None if none with a unique steady state was found.
    hamiltonian_limit
        Largest Hilbert-Schmidt norm of the allowed H_r; None where there are none.
    certificate
        Path of the certificate file, if one was written.
    check
        The candidate's steady state against the true one; None without a candidate or where it
        was left to `lindfeas.answers.certify.steady_state_check` because of its size.
    distance_witness
        What certifies the sharp lower end of ``trace_distance_all``, if it was computed.
    coherence_witness
        What certifies the bounds on the error of the coherences, if they were computed.
    """

    setting: Setting = field(repr=False)
    verdict: Verdict
    reason: str | None = None
    lower: float
    upper: float
    proved: bool = False
    proved_quantities: tuple[str, ...] = ()
    proved_distance: float | None = None
    trace_distance: TraceDistance
    trace_distance_all: Ends = NOTHING_KNOWN
    coherence_error: CoherenceError | None = None
    solver: str
    seconds: float
    truncated: bool = False
    attempts: tuple[Attempt, ...] = field(repr=False)
    multiplier: NDArray[np.float64] = field(repr=False)
    optimal: Candidate | None = field(default=None, repr=False)
    nearest: Candidate | None = field(default=None, repr=False)
    hamiltonian_limit: float | None = None
    certificate: str | None = None
    check: SteadyStateCheck | None = field(default=None, repr=False)
    distance_witness: Witness | None = field(default=None, repr=False)
    coherence_witness: CoherenceLadder | None = field(default=None, repr=False)

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
    def criterion(self) -> str:
        """What the verdict is about: ``distance`` or ``defect``."""
        return self.question.criterion

    @property
    def tolerance(self) -> float:
        """The tolerance for the defect: behind the verdict with the criterion ``defect``."""
        return self.question.tolerance

    @property
    def distance_tolerance(self) -> float:
        """The tolerance for the trace distance of the populations."""
        return self.question.distance_tolerance

    @property
    def coherence_tolerance(self) -> float:
        """The tolerance for the relative error of the leading coherences."""
        return self.question.coherence_tolerance

    @property
    def exact(self) -> str:
        """``excluded`` if it is certified that no allowed Lindbladian has exactly that state.

        Else ``open``: a defect of 0 was not ruled out.
        """
        return "excluded" if self.lower > 0 else "open"

    @property
    def shown(self) -> Candidate | None:
        """The one that is shown, written and put to work, with its own numbers.

        The nearest one by the criterion ``distance``, that of least defect by ``defect``; where
        there is no nearest one, that of least defect.
        """
        by_distance = self.criterion == "distance" and self.nearest is not None
        return self.nearest if by_distance else self.optimal

    @property
    def candidate(self) -> Lindbladian | None:
        """The Lindbladian that is shown; see `shown`."""
        return None if self.shown is None else self.shown.lindbladian

    @property
    def candidate_defect(self) -> float | None:
        """Its own defect, rounding included; ``upper`` is that of the optimum."""
        return None if self.shown is None else self.shown.defect

    @property
    def levels_coincide(self) -> bool:
        """Whether levels of different charge coincide, as far as can be told.

        Distances from steady states are then about Lindbladians that mix no charges.
        """
        return self.reference.spectrum.charges_coincide

    def to_dict(self) -> dict[str, Any]:
        """All of it but the arrays, as plain JSON types."""
        coherence = self.coherence_error
        return {
            "verdict": str(self.verdict),
            "exact": self.exact,
            "reason": self.reason,
            "target": self.target,
            "criterion": self.criterion,
            "distance_tolerance": self.distance_tolerance,
            "coherence_tolerance": self.coherence_tolerance,
            "norm": self.norm,
            "tolerance": self.tolerance,
            "charge": _charge_dict(self),
            "hamiltonian_limit": self.hamiltonian_limit,
            "largest_hamiltonian": self.hamiltonian_limit,
            "lower": self.lower,
            "upper": self.upper,
            "proved": self.proved,
            "proved_quantities": list(self.proved_quantities),
            "proved_distance": self.proved_distance,
            "trace_distance": asdict(self.trace_distance),
            "trace_distance_all": asdict(self.trace_distance_all),
            "coherence_error": None if coherence is None else coherence.to_dict(),
            "solver": self.solver,
            "seconds": self.seconds,
            "truncated": self.truncated,
            "certificate": self.certificate,
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "check": None if self.check is None else self.check.to_list(),
            "candidate": None if self.shown is None else _candidate_dict(self.shown),
        }


def _charge_dict(findings: Findings) -> dict[str, Any] | None:
    system = findings.question.system
    if system.charge is None:
        return None
    return {
        "values": [list(local) for local in system.charge],
        "found": system.charge_is_found,
        "levels_coincide": findings.levels_coincide,
    }


def _candidate_dict(candidate: Candidate) -> dict[str, Any]:
    found = candidate.lindbladian
    return {
        "defect": candidate.defect,
        "trace_distance": candidate.distance,
        "coherence_error": candidate.coherence_error,
        "steady_state_unique": found.steady_state_unique,
        "spectral_gap": found.spectral_gap,
        "relative_gap": candidate.relative_gap,
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
            for region in found.regions
        ],
    }


def _complex_lists(matrix: Any) -> dict[str, Any]:
    return {"real": matrix.real.tolist(), "imag": matrix.imag.tolist()}
