"""What `certify` returns: the verdict, what certifies it, and how it was found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.distance import TraceDistance
from lindfeas.dynamics import SteadyStateCheck
from lindfeas.lindbladian import Lindbladian
from lindfeas.question import Question

if TYPE_CHECKING:
    from lindfeas.redfield import Redfield
    from lindfeas.sharp_distance import Witness

IMPOSSIBLE = "impossible"
POSSIBLE = "possible"
UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One solve: what the solver reported, and what could be certified from it.

    Parameters
    ----------
    solver, scale, status, objective, iterations, message
        As reported; nothing of it is trusted.
    lower, upper
        Certified from this attempt alone; None where the solver returned nothing.
    compile_seconds, solve_seconds
        Wall time.
    """

    solver: str
    scale: float
    status: str
    objective: float | None
    iterations: int | None
    message: str
    lower: float | None
    upper: float | None
    compile_seconds: float
    solve_seconds: float

    @property
    def seconds(self) -> float:
        """Wall time in all."""
        return self.compile_seconds + self.solve_seconds

    def times(self, unit: float) -> Attempt:
        """The same with all rates and defects multiplied by ``unit``."""
        objective, lower, upper = (
            None if value is None else value * unit
            for value in (self.objective, self.lower, self.upper)
        )
        scale = self.scale / unit
        return replace(self, scale=scale, objective=objective, lower=lower, upper=upper)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """The certified answer to a `Question`.

    Parameters
    ----------
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
        The best Lindbladian found.
    reference
        The Redfield equation whose steady state is asked for.
    hamiltonian_limit
        Largest Hilbert-Schmidt norm of the allowed H_r; None where there are none.
    certificate
        Path of the certificate file, if one was written.
    check
        The candidate's steady state against the true one; None without a candidate or where it
        was left to `lindfeas.dynamics.steady_state_check` because of its size.
    distance_witness
        What certifies the sharp lower end of the trace distance, if it was computed.
    nearest
        The Lindbladian behind the upper end of the trace distance, if it is not the candidate.
    """

    question: Question = field(repr=False)
    verdict: str
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
    reference: Redfield = field(repr=False)
    hamiltonian_limit: float | None = None
    certificate: str | None = None
    check: SteadyStateCheck | None = field(default=None, repr=False)
    distance_witness: Witness | None = field(default=None, repr=False)
    nearest: Lindbladian | None = field(default=None, repr=False)

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
            "verdict": self.verdict,
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
            "candidate": None if self.candidate is None else _candidate_dict(self.candidate),
        }

    def _repr_html_(self) -> str:
        from lindfeas.report import answer_html

        return answer_html(self)


def _candidate_dict(candidate: Lindbladian) -> dict[str, Any]:
    return {
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
