"""lindfeas against the dense reference on one random system: every difference is a finding.

`check_case` builds the system of a seed twice from the same plain data, asks lindfeas several
questions about it through its public interface, and holds everything in the answers to 60-digit
numbers. Findings are contradictions; what lindfeas refuses with an error of its own is counted,
and so is the width of every interval.
"""

from __future__ import annotations

import itertools
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import lindfeas as lf
from tests import differential_answers as answers
from tests.bath_integrals import UndefinedError
from tests.decimal_matrices import digits
from tests.dense_reference import Reference, reference
from tests.random_systems import Case, in_units, on_grid, random_case, shifted
from tests.system_data import Asked, BathData, Density, Rule, SystemData

SAME_ENDS = 1e-4
"""How far the ends of an interval may move under a change that changes nothing, relative to
max(upper, 1e-6 times the trivial defect)."""

SHARP_LEVELS = 4
"""Levels up to which the sharp bound on T is asked for without a charge."""

SHARP = ("populations each", "populations total")
"""Which question is asked for the sharp bound on T, seed by seed."""

OLD_LIMIT = 1e4
"""The bound on H_r of answers that do not state it."""

DENSITIES = {
    "ohmic": lf.Ohmic,
    "ohmic_exponential": lf.OhmicExponential,
    "drude_lorentz": lf.DrudeLorentz,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to lindfeas; rates count in the system's unit."""

    label: str
    target: str
    rates: tuple[Any, ...]
    norm: str = "spectral"
    lamb_shift: bool = True

    def question(self, system: Any, unit: float, regions: int) -> lf.Question:
        """The question as lindfeas takes it."""
        return lf.Question(
            system=system,
            target=self.target,
            norm=self.norm,
            rates=self._rates(unit, regions),
            lamb_shift=self.lamb_shift,
            criterion="defect",
            tolerance=1e-6 * unit,
        )

    def _rates(self, unit: float, regions: int) -> lf.Rates:
        rule, *values = self.rates
        if rule == "each":
            return lf.Rates.each(values[0] * unit)
        if rule == "total":
            return lf.Rates.total(values[0] * unit * regions)
        return lf.Rates.range(values[0] * unit, values[1] * unit)

    def asked(self, question: lf.Question, answer: Any) -> Asked:
        """The question as the reference takes it."""
        regions = len(question.system.baths)
        rates = question.rates
        limits = rates.bounds(regions)
        # the reference's own convention for rule total: the sum stands in every place
        low = limits.upper if limits.total is not None else limits.lower
        limit = getattr(answer, "hamiltonian_limit", OLD_LIMIT)
        free = self.lamb_shift and self.target != "populations"
        return Asked(
            target=self.target,
            norm=self.norm,
            rule=Rule(name=rates.rule, low=low, high=limits.upper),
            hamiltonian_limit=limit if free else None,
        )


@dataclass(slots=True)
class Report:
    """What came out for one system; plain JSON types inside."""

    seed: int
    kind: str
    about: dict[str, Any]
    questions: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, str]] = field(default_factory=list)
    undefined: str | None = None
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def find(self, check: str, question: str, detail: str) -> None:
        """A contradiction."""
        self.findings.append({"check": check, "question": question, "detail": detail})

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {name: getattr(self, name) for name in self.__slots__}


def asks(seed: int, *, thorough: bool) -> list[Ask]:
    """The questions that a seed asks."""
    rng = np.random.default_rng([seed, 14])
    one, two = (str(norm) for norm in rng.choice(["spectral", "frobenius", "trace"], 2, False))
    joint, wide = "populations+coherences", ("range", 0.0, 1e4)
    listed = [
        Ask(label="populations each", target="populations", rates=("each", 1.0)),
        Ask(label="populations total", target="populations", rates=("total", 1.0)),
        Ask(label="populations range", target="populations", rates=("range", 0.5, 2.0)),
        Ask(label=f"{one} each", target=joint, rates=("each", 1.0), norm=one),
        Ask(label=f"{one} range", target=joint, rates=wide, norm=one),
        Ask(label=f"{two} range", target=joint, rates=wide, norm=two),
        Ask(label=f"{one} range, no H", target=joint, rates=wide, norm=one, lamb_shift=False),
    ]
    if thorough:
        return listed
    return [listed[0], listed[int(rng.integers(1, 3))], listed[int(rng.integers(3, 7))]]


def check_case(seed: int, *, thorough: bool = True) -> dict[str, Any]:
    """All comparisons for the system of a seed, as JSON types."""
    case = random_case(seed)
    report = Report(seed=seed, kind=case.kind, about=described(case))
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _Comparison(case, report).run(thorough=thorough)
    report.warnings = sorted({f"{type(w.message).__name__}: {w.message}"[:200] for w in caught})
    report.seconds["all"] = time.perf_counter() - started
    return report.to_dict()


def described(case: Case) -> dict[str, Any]:
    """A system in a few words; the seed gives the rest."""
    return {
        "dimensions": list(case.data.dimensions),
        "charge": case.data.charge is not None,
        "unit": case.unit,
        "offset": case.offset,
        "baths": [
            {
                "sites": list(bath.sites),
                "beta": str(bath.beta),
                "mu": bath.mu,
                "couplings": len(bath.couplings),
                "density": f"{bath.densities[0].family} {bath.densities[0].exponent}",
            }
            for bath in case.data.baths
        ],
    }


def lindfeas_system(data: SystemData) -> lf.OpenSystem:
    """The system as lindfeas takes it."""
    return lf.OpenSystem(
        hamiltonian=data.hamiltonian,
        dimensions=data.dimensions,
        charge=data.charge,
        baths=tuple(_lindfeas_bath(bath) for bath in data.baths),
    )


def _lindfeas_bath(bath: BathData) -> lf.Bath:
    return lf.Bath(
        name=bath.name,
        sites=bath.sites,
        beta=bath.beta,
        mu=bath.mu,
        couplings=bath.couplings,
        spectral_density=tuple(_lindfeas_density(one) for one in bath.densities),
    )


def _lindfeas_density(density: Density) -> Any:
    shape = {"strength": density.strength, "cutoff": density.cutoff}
    if density.family != "drude_lorentz":
        shape["exponent"] = density.exponent
    return DENSITIES[density.family](**shape)


class _Comparison:
    """One system: its reference, lindfeas' answers, and what they have to do with each other."""

    def __init__(self, case: Case, report: Report) -> None:
        self.case, self.report = case, report
        self.truth: Reference | None = None
        self.found: list[tuple[Ask, Asked, Any]] = []

    def run(self, *, thorough: bool) -> None:
        self.truth = self._reference()
        system = self._guarded("system", lambda: lindfeas_system(self.case.data))
        if system is None:
            return
        for ask in asks(self.case.seed, thorough=thorough):
            answer = self._answer(system, ask, self.case.unit)
            if answer is not None:
                asked = ask.asked(answer.question, answer)
                self.found.append((ask, asked, answer))
                self._compare(ask, asked, answer)
        for check in (self._ordered, self._consistent):
            for label, detail in check():
                self.report.find(check.__name__.strip("_"), label, detail)
        if self.case.seed % 4 == 0 or not thorough:
            self._unchanged()

    def _reference(self) -> Reference | None:
        started = time.perf_counter()
        try:
            with digits():
                found = reference(self.case.data)
                assert found.populations is not None
            return found
        except UndefinedError as error:
            self.report.undefined = str(error)
            return None
        finally:
            self.report.seconds["reference"] = time.perf_counter() - started

    def _guarded(self, label: str, call: Callable[[], Any]) -> Any:
        """The result; None with a refusal or, for a foreign exception, a finding."""
        try:
            return call()
        except lf.LindfeasError as error:
            self.report.refusals.append(
                {"question": label, "error": f"{type(error).__name__}: {error}"[:300]}
            )
        except BaseException as error:
            # a panic of a solver written in Rust is no Exception
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.report.find(
                "foreign exception",
                label,
                f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"[:300],
            )
        return None

    def _answer(self, system: Any, ask: Ask, unit: float) -> Any:
        started = time.perf_counter()
        regions = len(self.case.data.baths)
        answer = self._guarded(
            ask.label,
            lambda: lf.certify(ask.question(system, unit, regions), sharp=self._sharp(ask)),
        )
        spent = time.perf_counter() - started
        self.report.seconds["lindfeas"] = self.report.seconds.get("lindfeas", 0.0) + spent
        return answer

    def _sharp(self, ask: Ask) -> bool:
        """Whether to ask for the sharp bound on T: of one question where that is quick."""
        data = self.case.data
        largest = max(data.region_dimension(bath) for bath in data.baths)
        small = data.dimension <= SHARP_LEVELS if data.charge is None else largest <= 4
        return small and ask.label == SHARP[self.case.seed % len(SHARP)]

    def _compare(self, ask: Ask, asked: Asked, answer: Any) -> None:
        entry = {
            "question": ask.label,
            "verdict": answer.verdict,
            "lower": answer.lower,
            "upper": answer.upper,
            "distance": [answer.trace_distance.lower, answer.trace_distance.upper],
        }
        self.report.questions.append(entry)
        if self.truth is None:
            self.report.find("undefined", ask.label, f"answered, but {self.report.undefined}")
            return
        started = time.perf_counter()
        try:
            with digits():
                found = answers.compared(
                    self.truth, asked, answer, seed=self.case.seed, first=len(self.found) == 1
                )
                entry.update(found.numbers)
                for check, detail in found.contradictions:
                    self.report.find(check, ask.label, detail)
        except UndefinedError as error:
            self.report.find("undefined", ask.label, f"answered, but {error}")
        spent = time.perf_counter() - started
        self.report.seconds["comparison"] = self.report.seconds.get("comparison", 0.0) + spent

    def _ordered(self) -> Iterator[tuple[str, str]]:
        """An ansatz that contains another has no larger optimum, nor has a smaller norm."""
        for (one, _, first), (two, _, second) in itertools.permutations(self.found, 2):
            factor = at_most(one, two, self.case.data.dimension)
            if factor is not None and first.lower > factor * second.upper:
                yield one.label, f"lower {first.lower} > {factor} x {second.upper} of {two.label}"

    def _consistent(self) -> Iterator[tuple[str, str]]:
        """No `possible` with coherences where populations are certified impossible."""
        for (one, _, first), (two, _, second) in itertools.permutations(self.found, 2):
            if one.target != "populations" or two.target == "populations":
                continue
            if one.rates[0] != "total" and one.rates != two.rates:
                continue
            far = first.trace_distance.lower or 0.0
            if first.verdict == "impossible" and far > 1e-6 and second.verdict == "possible":
                yield two.label, f"possible, but {one.label}: impossible, T >= {far}"

    def _unchanged(self) -> None:
        """A constant in H, and other units, change nothing but the last digits."""
        if not self.found or self.case.offset or self.case.unit != 1.0:
            return
        ask = self.found[self.case.seed // 4 % len(self.found)][0]
        case = on_grid(self.case)
        base = self._answer_of(case, ask)
        if base is None:
            return
        moved = (shifted(case, 2.0**20), in_units(case, 1e6), in_units(case, 1e-12))
        for number, other in enumerate(moved):
            answer = self._answer_of(other, ask)
            if answer is None:
                self.report.find("unchanged", ask.label, f"refused after change {number}")
                continue
            # the defect of populations is in units of the rates, so that all ends have a unit
            unit = other.unit
            size = max(base.upper, 1e-6 * self._trivial(ask))
            # ends of intervals that stay wide are where the solver left them
            width = max(base.upper - base.lower, (answer.upper - answer.lower) / unit)
            for name in ("lower", "upper"):
                before, after = getattr(base, name), getattr(answer, name) / unit
                if abs(before - after) > SAME_ENDS * size + width:
                    self.report.find(
                        "unchanged", ask.label, f"{name} {before} -> {after} after change {number}"
                    )

    def _trivial(self, ask: Ask) -> float:
        found = [e for e in self.report.questions if e["question"] == ask.label]
        return float(found[0].get("trivial", 0.0)) if found else 0.0

    def _answer_of(self, case: Case, ask: Ask) -> Any:
        system = self._guarded(ask.label, lambda: lindfeas_system(case.data))
        return None if system is None else self._answer(system, ask, case.unit)


def at_most(one: Ask, two: Ask, dimension: int) -> float | None:
    """A factor such that optimum(one) <= factor * optimum(two) in every system, or None."""
    wider = one.rates == two.rates or two.rates[0] == "each"
    if not wider or (two.lamb_shift and not one.lamb_shift):
        return None
    if (one.target, two.target) == ("populations", "populations"):
        return 1.0
    if one.target == "populations":
        # sum_k |x_kk| <= ||x||_1 <= sqrt(d) ||x||_F and <= d ||x||
        same = one.rates == two.rates
        factors = {"trace": 1.0, "frobenius": dimension**0.5, "spectral": float(dimension)}
        return factors[two.norm] if same or one.rates[0] == "total" else None
    if two.target == "populations":
        return None
    ranks = {"spectral": 0, "frobenius": 1, "trace": 2}
    return 1.0 if ranks[one.norm] <= ranks[two.norm] else None
