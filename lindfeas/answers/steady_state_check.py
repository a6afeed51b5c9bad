"""The Lindblad equation that was found, put to work: is its steady state the true one?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import InputError, LindfeasError, quoted, require
from lindfeas.physics.dynamics.measures import trace_distance
from lindfeas.physics.dynamics.steady_state import (
    SteadyStateEquations,
    steady_state_equations,
    unmixed_sectors,
)
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.physics.equations.operator_basis import Region, regions_of
from lindfeas.physics.equations.redfield import Redfield
from lindfeas.physics.systems.checks import finite_number

EPSILONS = (0.1, 0.03, 0.01, 0.003)

LARGEST = 3000
"""More unknowns than this are refused."""

NO_FLOOR = 0.1
"""An error converges to zero visibly if its limit is below this fraction of its last value."""

ZERO = 1e-12
"""Errors below this are rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStateRow:
    """How far the candidate's steady state is from the true one, at one strength.

    Parameters
    ----------
    epsilon
        System-bath coupling strength; 0 for the limit.
    population_error
        T = ||diag(rho_eps) - p||_1 / 2.
    coherence_error
        ||offdiag(rho_eps)/eps^2 - rho2||_F / ||rho2||_F between levels of equal charge; None if
        the true state has no coherences there, or they are not defined.
    residual
        ||i[rho, H_S]/eps^2 + L'(rho)||_F of the solution (rate unit), at eps = 0 its limit.
    """

    epsilon: float
    population_error: float
    coherence_error: float | None
    residual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStateCheck:
    """The candidate's steady state against the true one, for falling strength.

    Solved in double precision: its errors are right to about 1e-13 where all rates are comparable,
    and to 1e-6 at worst, where the slowest hardly connect the levels.

    The exact steady state is rho0 + eps^2 rho2 + ... with corrections to the populations that
    the Redfield equation does not give, so that errors of order eps^2 count as agreement.

    Parameters
    ----------
    rows
        One per strength, in the order asked for; empty if the check was refused.
    limit
        eps -> 0, solved for directly; None if the check was refused.
    unknowns
        Size of the linear system.
    coherences_asked
        Whether the candidate was chosen for its coherences too.
    reason
        Why the check was refused, else None.
    """

    rows: tuple[SteadyStateRow, ...]
    limit: SteadyStateRow | None
    unknowns: int
    coherences_asked: bool = True
    reason: str | None = None

    @classmethod
    def refused(cls, unknowns: int, reason: str) -> SteadyStateCheck:
        """A check without numbers, and why."""
        return cls(rows=(), limit=None, unknowns=unknowns, reason=reason)

    @property
    def population_order(self) -> float | None:
        """k in population error ~ eps^k at small eps: 2 for agreement, 0 for a difference."""
        return _order([(row.epsilon, row.population_error) for row in self.rows])

    @property
    def coherence_order(self) -> float | None:
        """k in coherence error ~ eps^k at small eps: 2 for agreement, 0 for a difference."""
        return _order([(row.epsilon, row.coherence_error) for row in self.rows])

    @property
    def conclusion(self) -> str:
        """What the numbers say, in words; nothing about coherences that were not asked for."""
        if self.limit is None:
            return f"not computed: {self.reason}"
        last = min(self.rows, key=lambda row: row.epsilon)
        found = [
            _sentence(
                "populations",
                (last.epsilon, last.population_error),
                self.limit.population_error,
                self.population_order,
                "trace distance",
            )
        ]
        error, limit = last.coherence_error, self.limit.coherence_error
        if self.coherences_asked and error is not None and limit is not None:
            found.append(
                _sentence(
                    "coherences",
                    (last.epsilon, error),
                    limit,
                    self.coherence_order,
                    "relative to their size",
                )
            )
        return "; ".join(found)

    def to_list(self) -> list[dict[str, Any]] | None:
        """Rows as plain dictionaries, the limit (epsilon 0) last; None if refused."""
        if self.limit is None:
            return None
        return [asdict(row) for row in (*self.rows, self.limit)]


def check_candidate(
    candidate: Lindbladian,
    reference: Redfield,
    epsilons: Sequence[float] = EPSILONS,
    *,
    regions: tuple[Region, ...] | None = None,
    coherences_asked: bool = True,
    largest: int = LARGEST,
) -> SteadyStateCheck:
    """`steady_state_check` of any Lindbladian of this system.

    Parameters
    ----------
    candidate, reference
        The Lindbladian, and the Redfield equation with the true state.
    epsilons
        Coupling strengths, each > 0.
    regions
        The regions' operators in the eigenbasis, if they are at hand.
    coherences_asked
        Whether the Lindbladian should have the true coherences too.
    largest
        Refuse more unknowns than this.

    Raises
    ------
    InputError
        If a strength is not > 0.
    """
    require(candidate, Lindbladian, "candidate")
    require(reference, Redfield, "reference", "give lf.redfield_equation(system)")
    epsilons = _strengths(epsilons)
    if not len(epsilons):
        raise InputError("must hold at least one strength, but is empty", "epsilons")
    if regions is None:
        regions = regions_of(reference.system, reference.spectrum)
    sectors = unmixed_sectors(candidate, reference.spectrum, regions)
    unknowns = sum(sector.states.size**2 for sector in sectors)
    if unknowns > largest:
        return SteadyStateCheck.refused(unknowns, f"{unknowns} unknowns are more than {largest}")
    try:
        truth = _truth(reference)
    except LindfeasError as error:
        return SteadyStateCheck.refused(unknowns, f"the true state is not known: {error}")
    equations = steady_state_equations(candidate, reference, regions, sectors)
    rows = []
    for epsilon in (*epsilons, 0.0):
        state = equations.steady_state(epsilon)
        if state is None:
            return SteadyStateCheck.refused(
                unknowns,
                f"the steady state is not unique, or cannot be told from others, at eps = "
                f"{epsilon:g}",
            )
        rows.append(_row(epsilon, state, equations, truth))
    return SteadyStateCheck(
        rows=tuple(rows[:-1]),
        limit=rows[-1],
        unknowns=unknowns,
        coherences_asked=coherences_asked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    populations: NDArray[np.float64]
    coherences: NDArray[np.complex128] | None


def _truth(reference: Redfield) -> _Truth:
    populations = reference.populations
    try:
        coherences = reference.coherences
    except LindfeasError:
        return _Truth(populations=populations, coherences=None)
    return _Truth(populations=populations, coherences=coherences)


def _row(
    epsilon: float, state: NDArray[np.float64], equations: SteadyStateEquations, truth: _Truth
) -> SteadyStateRow:
    error = None
    if truth.coherences is not None:
        true = truth.coherences[equations.first, equations.second]
        size = float(np.linalg.norm(true))
        if size > 0:
            error = float(np.linalg.norm(equations.coherences(state) - true)) / size
    return SteadyStateRow(
        epsilon=epsilon,
        population_error=trace_distance(state[: equations.dimension], truth.populations),
        coherence_error=error,
        residual=equations.residual(epsilon, state),
    )


def _strengths(epsilons: Any) -> tuple[float, ...]:
    try:
        several = tuple(epsilons)
    except TypeError:
        raise InputError(f"must list numbers, but is {quoted(epsilons)}", "epsilons") from None
    for epsilon in several:
        if not finite_number(epsilon, "epsilons") > 0:
            raise InputError(f"must be > 0, but holds {quoted(epsilon)}", "epsilons")
    return tuple(map(float, several))


def _order(points: Sequence[tuple[float, float | None]]) -> float | None:
    """Slope of log(error) over log(eps) between the two smallest eps; None below rounding."""
    known = sorted((eps, error) for eps, error in points if error is not None and error > ZERO)
    if len(known) < 2 or known[0][0] == known[1][0]:
        return None
    (small, lower), (large, upper) = known[:2]
    return math.log(upper / lower) / math.log(large / small)


def _sentence(
    what: str, last: tuple[float, float], limit: float, order: float | None, unit: str
) -> str:
    epsilon, error = last
    if limit <= max(ZERO, NO_FLOOR * error):
        how = "" if order is None else f" as eps^{order:.1f}"
        return (
            f"its {what} converge to the true ones{how}: {error:.1e} ({unit}) at "
            f"eps = {epsilon:g}, {limit:.1e} as eps -> 0"
        )
    return f"its {what} stay {limit:.3g} ({unit}) away from the true ones as eps -> 0"
