"""From a question to a certified answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lindfeas.answers.answer import Answer
from lindfeas.answers.candidate import Candidate, candidate_of
from lindfeas.answers.coherence_witness import CoherenceLadder, coherence_ladder
from lindfeas.answers.distance_witness import CELLS, Witness
from lindfeas.answers.enclosure import Enclosure, enclose
from lindfeas.answers.judgement import (
    Judgement,
    by_defect,
    by_distance,
    by_distance_and_coherences,
    verdict_of,
)
from lindfeas.answers.least_distance import DEFAULT, Budget, least_distance
from lindfeas.answers.nearest_coherent import nearest_coherent
from lindfeas.answers.possibility import Demands
from lindfeas.answers.steady_state_check import EPSILONS, SteadyStateCheck, check_candidate
from lindfeas.answers.trace_distance import (
    NOTHING_KNOWN,
    Ends,
    TraceDistance,
    column_bound,
    lemma1,
)
from lindfeas.answers.watch import Report, Watch, checked_limit, reporter
from lindfeas.errors import InputError, quoted
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.program.question import Question, asked_about
from lindfeas.program.setting import Setting
from lindfeas.program.verdict import Verdict
from lindfeas.solvers.catalogue import usable_solvers
from lindfeas.text import interval_text

if TYPE_CHECKING:
    from lindfeas.answers.coherence_error import CoherenceError

QUICK_LEVELS = {"distance": 64, "defect": 36}
"""Up to this size both ends of T are sharpened without being asked for, by criterion: about ten
seconds at 36 levels and 20 at 64, where it is worth it if the verdict depends on it."""

LARGE = Budget(cells=CELLS, cones=100_000, polynomial=500_000, steps=1_000_000, starts=16)
"""For ``sharp=True``: minutes."""

CHECKED = 1000
"""The candidate's steady state is computed along with the answer up to this many unknowns."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while an answer was computed.

    Parameters
    ----------
    answer
        What is certified by then; its bounds and its verdict hold.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__("interrupted; .answer holds what is certified so far")
        self.answer = answer


def certify(
    question: Question | OpenSystem,
    *,
    solver: str | None = None,
    sharp: bool | None = None,
    check: bool = True,
    time_limit: float | None = None,
    progress: bool | Report = True,
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
        Whether to spend time on both ends of the least distance; by default where it takes less
        than about ten seconds.
    check
        Whether to compute the candidate's steady state at several coupling strengths, where the
        system is small enough.
    time_limit
        Seconds after which nothing more is begun. One solve is always done, and no running solve
        is cut. Then `Answer.truncated` is True, and bounds and verdict hold all the same.
    progress
        Who is told what runs, from ten seconds on: True for one line on standard error, False for
        nobody, or a function of a `Progress`, which is called from another thread.

    Returns
    -------
    Answer

    Raises
    ------
    InputError
        If the question has no answer of this kind (degenerate levels, several steady states).
    SolverError
        If no usable solver returned anything.
    Interrupted
        On Ctrl-C after the first solve; its ``answer`` holds what is certified so far.

    Examples
    --------
    >>> import lindfeas as lf
    >>> hot = lf.Bath(name="left", sites=(0,), beta=1.0)
    >>> cold = lf.Bath(name="right", sites=(2,), beta=5.0)
    >>> chain = lf.models.xxz_chain(sites=3, coupling=0.1, baths=[hot, cold])
    >>> lf.certify(chain).verdict
    'impossible'
    """
    question = asked_about(question)
    watch = Watch(checked_limit(time_limit), reporter(progress))
    course = _Course(
        setting=Setting(question), solvers=usable_solvers(solver), sharp=sharp, watch=watch
    )
    stages = (course.enclose, course.measure, *([course.put_to_work] if check else []))
    try:
        for stage in stages:
            stage()
    except KeyboardInterrupt:
        if course.enclosure is None or course.enclosure.point is None:
            raise
        watch.truncated = True
        raise Interrupted(course.answer()) from None
    return course.answer()


@dataclass(slots=True, kw_only=True)
class _Course:
    """A question on its way to an answer; an answer can be had at any time after a solve."""

    setting: Setting
    solvers: Sequence[str]
    sharp: bool | None
    watch: Watch
    enclosure: Enclosure | None = None
    shortcoming: str | None = None
    optimal: Candidate | None = None
    nearest: Candidate | None = None
    distance: TraceDistance = NOTHING_KNOWN
    distance_all: Ends = NOTHING_KNOWN
    coherence: CoherenceError | None = None
    ladder: CoherenceLadder | None = None
    witness: Witness | None = None
    check: SteadyStateCheck | None = None

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.setting.question

    def enclose(self) -> None:
        """The interval of the defect, and the Lindbladian at its upper end."""

        def observe(enclosure: Enclosure) -> None:
            self.enclosure = enclosure

        with self.watch.stage("optimal defect", self._known_defect):
            self.enclosure = enclose(
                self.setting.program, self.solvers, observe=observe, stop=self.watch.is_over
            )
            self._take_optimal()
        self._take_simple_distances()

    def _take_optimal(self) -> None:
        enclosure, question = self.enclosure, self.question
        assert enclosure is not None
        verdict = verdict_of(enclosure.interval, question.tolerance)
        if question.criterion == "defect" and verdict == Verdict.POSSIBLE:
            self.optimal, self.shortcoming = Demands(setting=self.setting).search(enclosure)
        elif enclosure.point is not None:
            upper = enclosure.interval.upper
            self.optimal = candidate_of(self.setting, enclosure.point, defect=upper)
            if self.optimal.distance is not None:
                self.nearest = self.optimal

    def _take_simple_distances(self) -> None:
        """What follows from the defect; distances follow from that of populations only."""
        assert self.enclosure is not None
        upper = None if self.optimal is None else self.optimal.distance
        lower, by_lemma1 = None, None
        if self.setting.target.is_populations:
            defect, ansatz = self.enclosure.interval.lower, self.setting.ansatz
            levels = self.setting.reference.spectrum.dimension
            lower, by_lemma1 = column_bound(defect, ansatz, levels), lemma1(defect, ansatz)
        self.distance = TraceDistance(lower=lower, upper=upper, lemma1=by_lemma1)
        self.distance_all = Ends(lower=lower, upper=upper)

    def measure(self) -> None:
        """Both ends of the least distance of the steady states."""
        if self.sharp is False:
            return
        if self.setting.target.is_populations:
            with self.watch.stage("least trace distance", self._known_distance):
                self._measure_populations()
        elif self.question.criterion == "distance":
            self._measure_coherences()

    def _measure_populations(self) -> None:
        """Both ends of T; what cannot be improved stays."""
        enclosure, setting = self.enclosure, self.setting
        assert enclosure is not None
        levels = setting.reference.spectrum.dimension
        if self.sharp is None and levels > QUICK_LEVELS[self.question.criterion]:
            return
        found = least_distance(
            setting,
            enclosure.point,
            enclosure.multiplier,
            enclosure.solver,
            budget=LARGE if self.sharp else DEFAULT,
            stop=self.watch.is_over,
        )
        unique, every = self.distance.meet(found.unique), self.distance_all.meet(found.all)
        if found.point is not None and found.unique.upper == unique.upper:
            self.nearest = candidate_of(setting, found.point, distance=found.unique.upper)
        # a witness in the blocks of a charge that the question does not use proves nothing about it
        self.witness = found.witness if found.setting is setting else None
        self.distance = replace(self.distance, lower=unique.lower, upper=unique.upper)
        self.distance_all = every

    def _measure_coherences(self) -> None:
        """The nearest Lindbladian in T and R, then certified bounds on R for several T."""
        enclosure, setting, stop = self.enclosure, self.setting, self.watch.is_over
        assert enclosure is not None
        if enclosure.point is None:
            return
        with self.watch.stage("nearest populations and coherences", self._known_distance):
            found = nearest_coherent(
                setting, enclosure.solver, starts=(enclosure.point,), stop=stop
            )
        attained = math.inf
        if found is not None:
            attained = found.distance
            self.nearest = candidate_of(
                setting, found.point, distance=found.distance, coherence_error=found.error
            )
            self.distance = replace(self.distance, upper=found.distance)
            self.distance_all = replace(self.distance_all, upper=found.distance)
        with self.watch.stage("bounds on the error of the coherences", self._known_distance):
            ladder = coherence_ladder(setting, enclosure.solver, attained=attained, stop=stop)
        self.ladder = ladder
        within = self.question.distance_tolerance
        self.coherence = ladder.error(within, None if found is None else found.error)
        excluded = [rung.distance for rung in ladder.rungs if rung.lower is None]
        if excluded:
            lower = max(excluded)
            self.distance = replace(self.distance, lower=lower)

    def put_to_work(self) -> None:
        """The Lindbladian that is shown, at several coupling strengths, where that is cheap."""
        shown = self.answer().shown
        if shown is None or self.watch.is_over():
            return
        with self.watch.stage("steady states of the Lindbladian found"):
            check = check_candidate(
                shown.lindbladian,
                self.setting.reference,
                regions=self.setting.ansatz.regions,
                coherences_asked=not self.setting.target.is_populations,
                largest=CHECKED,
            )
        self.check = None if check.unknowns > CHECKED else check

    def _judged(self) -> Judgement:
        assert self.enclosure is not None
        question = self.question
        if question.criterion == "defect":
            return by_defect(self.enclosure.interval, question.tolerance, self.shortcoming)
        if question.asks_for_populations:
            return by_distance(self.distance, question.distance_tolerance, self.nearest)
        reason = None if self.ladder is None else self.ladder.reason
        return by_distance_and_coherences(self.coherence, question, self.nearest, reason)

    def answer(self) -> Answer:
        """What is certified so far."""
        enclosure, judgement = self.enclosure, self._judged()
        assert enclosure is not None
        return Answer(
            setting=self.setting,
            verdict=judgement.verdict,
            reason=judgement.reason,
            lower=enclosure.interval.lower,
            upper=enclosure.interval.upper,
            trace_distance=self.distance,
            trace_distance_all=self.distance_all,
            coherence_error=self.coherence,
            solver=enclosure.solver,
            seconds=self.watch.seconds,
            truncated=self.watch.truncated,
            attempts=enclosure.attempts,
            multiplier=enclosure.multiplier,
            optimal=self.optimal,
            nearest=self.nearest,
            hamiltonian_limit=self.setting.hamiltonian_limit,
            check=self.check,
            distance_witness=self.witness,
            coherence_witness=self.ladder,
        )

    def _known_defect(self) -> str:
        if self.enclosure is None:
            return ""
        ends = self.enclosure.interval
        return f"the defect is in {interval_text(ends.lower, ends.upper)}"

    def _known_distance(self) -> str:
        return f"T is in {interval_text(self.distance.lower, self.distance.upper)}"


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
