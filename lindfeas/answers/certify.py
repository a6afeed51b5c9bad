"""From a question to a certified answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from lindfeas.answers.answer import Answer
from lindfeas.answers.candidate import lindbladian_of
from lindfeas.answers.distance_witness import CELLS, Witness, distance_witness
from lindfeas.answers.enclosure import Enclosure, enclose
from lindfeas.answers.nearest import nearest_lindbladian
from lindfeas.answers.possibility import Demands
from lindfeas.answers.steady_state_check import EPSILONS, SteadyStateCheck, check_candidate
from lindfeas.answers.trace_distance import TraceDistance, column_bound, lemma1
from lindfeas.errors import InputError, quoted
from lindfeas.physics.dynamics.measures import trace_distance
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.program.bounds import Interval
from lindfeas.program.program import Program
from lindfeas.program.question import Question, asked_about
from lindfeas.program.setting import Setting
from lindfeas.program.verdict import Verdict
from lindfeas.solvers.catalogue import usable_solvers

QUICK_LEVELS = 64

QUICK_CONES = 200
"""Up to this size the sharp bound on the trace distance is computed without being asked for."""

CHECKED = 1000
"""The candidate's steady state is computed along with the answer up to this many unknowns."""


def certify(
    question: Question | OpenSystem,
    *,
    solver: str | None = None,
    sharp: bool | None = None,
    check: bool = True,
) -> Answer:
    """Which verdict, between which certified bounds, and by which Lindbladian.

    Parameters
    ----------
    question
        The system, the allowed Lindbladians and what they must reproduce. A system alone asks the
        default question about it, ``Question(system=system)``.
    solver
        A name of `lindfeas.solver_status`; by default Clarabel, then SCS or MOSEK if usable.
    sharp
        Whether to spend time on a sharp bound on the trace distance, for populations; by default
        where it takes less than about a second.
    check
        Whether to compute the candidate's steady state at several coupling strengths, where the
        system is small enough.

    Returns
    -------
    Answer

    Raises
    ------
    InputError
        If the question has no answer of this kind (degenerate levels, several steady states).
    SolverError
        If no usable solver returned anything.

    Examples
    --------
    >>> import lindfeas as lf
    >>> hot = lf.Bath(name="left", sites=(0,), beta=1.0)
    >>> cold = lf.Bath(name="right", sites=(2,), beta=5.0)
    >>> chain = lf.models.xxz_chain(sites=3, coupling=0.1, baths=[hot, cold])
    >>> lf.certify(chain).verdict
    'impossible'
    """
    started = time.perf_counter()
    question = asked_about(question)
    solvers = usable_solvers(solver)
    setting = Setting(question)
    enclosure = enclose(setting.program, solvers)
    verdict, reason, candidate, defect = _decided(setting, enclosure)
    put_to_work = _checked(candidate, setting) if check else None
    distance = _distances(setting, enclosure.interval, candidate)
    witness, nearest = None, None
    cells = _cells(setting.program, sharp) if setting.target.is_populations else 0
    if cells:
        distance, witness, nearest = _sharp(setting, enclosure, distance, cells)
    return Answer(
        setting=setting,
        verdict=verdict,
        reason=reason,
        lower=enclosure.interval.lower,
        upper=enclosure.interval.upper,
        trace_distance=distance,
        solver=enclosure.solver,
        seconds=time.perf_counter() - started,
        attempts=enclosure.attempts,
        multiplier=enclosure.multiplier,
        candidate=candidate,
        candidate_defect=defect,
        hamiltonian_limit=setting.hamiltonian_limit,
        check=put_to_work,
        distance_witness=witness,
        nearest=nearest,
    )


def verdict_of(interval: Interval, tolerance: float) -> Verdict:
    """``impossible`` from the tolerance on, ``possible`` below it, else ``undecided``."""
    if interval.lower >= tolerance:
        return Verdict.IMPOSSIBLE
    return Verdict.POSSIBLE if interval.upper < tolerance else Verdict.UNDECIDED


def _decided(
    setting: Setting, enclosure: Enclosure
) -> tuple[Verdict, str | None, Lindbladian | None, float | None]:
    """(verdict, why it is undecided, candidate, its defect).

    ``possible`` wants a candidate that meets all `Demands`; its defect, below the tolerance, may
    exceed the optimum.
    """
    interval, point = enclosure.interval, enclosure.point
    verdict = verdict_of(interval, setting.question.tolerance)
    if verdict == Verdict.POSSIBLE:
        candidate, defect, reason = Demands(setting=setting).search(enclosure)
        return Verdict.UNDECIDED if reason else Verdict.POSSIBLE, reason, candidate, defect
    reason = None
    if verdict == Verdict.UNDECIDED:
        reason = "the certified interval straddles the tolerance"
    if point is None:
        return verdict, reason, None, None
    return verdict, reason, lindbladian_of(setting, point), interval.upper


def _checked(candidate: Lindbladian | None, setting: Setting) -> SteadyStateCheck | None:
    """The candidate put to work, where that is cheap."""
    if candidate is None:
        return None
    check = check_candidate(
        candidate,
        setting.reference,
        regions=setting.ansatz.regions,
        coherences_asked=not setting.target.is_populations,
        largest=CHECKED,
    )
    return None if check.unknowns > CHECKED else check


def _cells(program: Program, sharp: bool | None) -> int:
    """Into how many cells a sharp bound may cut the allowed Gamma; 0 for no sharp bound.

    Matrix inequalities of order above 1 make every cell take about a second: then, unless a sharp
    bound is asked for, there is one.
    """
    if sharp is not None:
        return CELLS if sharp else 0
    cones = 2 * program.rows * sum(block.size > 1 for block in program.blocks)
    if program.rows > QUICK_LEVELS or cones > QUICK_CONES:
        return 0
    return 1 if cones else CELLS


def _sharp(
    setting: Setting, enclosure: Enclosure, distance: TraceDistance, cells: int
) -> tuple[TraceDistance, Witness | None, Lindbladian | None]:
    """Both ends of the trace distance, sharpened; what cannot be improved stays."""
    if enclosure.point is None:
        return distance, None, None
    program, reference, flows = setting.program, setting.reference, setting.flows
    found = nearest_lindbladian(program, reference.populations, flows, enclosure.point)
    nearest, upper = None, distance.upper
    moved = setting.population_distance
    if found is not None and (upper is None or found[1] + moved <= upper):
        upper = min(found[1] + moved, 1.0)
        nearest = lindbladian_of(setting, found[0])
    ceiling = 2.0 if upper is None else 2 * upper
    witness = distance_witness(
        program, reference, flows, enclosure.multiplier, ceiling, enclosure.solver, cells=cells
    )
    if witness is not None and distance.lower is not None:
        distance = replace(distance, lower=max(distance.lower, witness.length / 2))
    return replace(distance, upper=upper), witness, nearest


def _distances(
    setting: Setting, interval: Interval, candidate: Lindbladian | None
) -> TraceDistance:
    """Distances between steady populations follow from tau_pop only.

    The upper end counts how far the true populations can be from the computed ones.
    """
    reference, ansatz = setting.reference, setting.ansatz
    upper = None
    if candidate is not None and candidate.populations is not None:
        upper = trace_distance(candidate.populations, reference.populations)
        upper = min(upper + setting.population_distance, 1.0)
    if not setting.target.is_populations:
        return TraceDistance(lower=None, upper=upper, lemma1=None)
    return TraceDistance(
        lower=column_bound(interval.lower, ansatz, reference.spectrum.dimension),
        upper=upper,
        lemma1=lemma1(interval.lower, ansatz),
    )


def steady_state_check(answer: Answer, epsilons: Sequence[float] = EPSILONS) -> SteadyStateCheck:
    """The steady state of i[., H_S] + eps^2 L' for the answer's candidate L'.

    Parameters
    ----------
    answer
        What `lindfeas.certify` returned.
    epsilons
        Coupling strengths, each > 0.

    Returns
    -------
    SteadyStateCheck
        With a ``reason`` and no rows where it cannot be computed.

    Examples
    --------
    >>> import lindfeas as lf
    >>> from lindfeas.answers.certify import steady_state_check
    >>> bath = lf.Bath(name="bath", sites=(0, 1), beta=1.0)
    >>> pair = lf.models.xxz_chain(sites=2, coupling=0.1, baths=[bath])
    >>> check = steady_state_check(lf.certify(lf.Question(system=pair)))
    >>> check.limit.population_error < 1e-6
    True
    """
    if not all(hasattr(answer, name) for name in ("candidate", "reference", "target")):
        raise InputError(f"must be what lf.certify returns, but is {quoted(answer)}", "answer")
    if answer.candidate is None:
        return SteadyStateCheck.refused(0, "no Lindbladian was found")
    return check_candidate(
        answer.candidate,
        answer.reference,
        epsilons,
        coherences_asked=answer.target != "populations",
    )
