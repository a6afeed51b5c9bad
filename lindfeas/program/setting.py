"""A question with everything that follows from it before anything is solved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.physics.equations.population_error import population_error
from lindfeas.physics.equations.redfield import Redfield, redfield_equation
from lindfeas.program.ansatz import Ansatz
from lindfeas.program.assembly import assemble
from lindfeas.program.flow import FlowBlock, flow_blocks
from lindfeas.program.program import Program
from lindfeas.program.question import Question
from lindfeas.program.rounding import SAFETY
from lindfeas.program.target import Target, coherences, populations


@dataclass(frozen=True, eq=False)
class Setting:
    """Reference, target, ansatz and program of a question, each worked out once, when asked for.

    Raises
    ------
    LindfeasError
        On asking, if the question has no answer of its kind (degenerate levels, several steady
        states, diverging integrals).
    """

    question: Question

    @cached_property
    def reference(self) -> Redfield:
        """The Redfield equation whose steady state is asked for."""
        return redfield_equation(self.question.system)

    @cached_property
    def target(self) -> Target:
        """What the question's target is for this reference."""
        target = self.question.target
        if isinstance(target, Target):
            target.check_reference(self.reference)
            return target
        if target == "populations":
            return populations(self.reference)
        return coherences(self.reference, self.question.norm)

    @cached_property
    def ansatz(self) -> Ansatz:
        """The allowed Lindbladians, a region for every bath."""
        question = self.question
        return Ansatz(
            regions=regions_of(question.system, self.reference.spectrum),
            rates=question.rates.bounds(len(question.system.baths)),
            lamb_shift=question.lamb_shift,
            hamiltonian_limit=question.hamiltonian_limit,
        )

    @cached_property
    def program(self) -> Program:
        """The question in arrays."""
        return assemble(self.target, self.reference, self.ansatz)

    @cached_property
    def flows(self) -> tuple[FlowBlock, ...]:
        """The flow between levels as a function of Gamma."""
        return flow_blocks(self.ansatz.regions, self.reference.spectrum.dimension)

    @cached_property
    def population_distance(self) -> float:
        """How far rounding may have moved the reference's populations, as a trace distance."""
        known = self.target.requirements[0].level_errors if self.target.follows_redfield else None
        moved = population_error(self.reference) if known is None else known
        return min(1.0, SAFETY * float(moved.sum()) / 2)

    @property
    def hamiltonian_limit(self) -> float | None:
        """Largest norm of the H_r; None where there are none."""
        return self.program.shifts.limit if self.program.shifts.count else None
