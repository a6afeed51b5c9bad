"""The main job: a question in, a certified verdict out."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
import pytest

from lindfeas import (
    Bath,
    InputError,
    OpenSystem,
    Question,
    Rates,
    SolverError,
    certify,
    models,
    redfield_equation,
)
from lindfeas.answers.enclosure import LEVELS
from lindfeas.physics.equations.operator_basis import regions_of
from lindfeas.program.program import Point
from lindfeas.program.target import populations
from tests import fake_trials
from tests.systems import (
    assembled,
    complex_trimer,
    oscillator_and_qubit,
    qubit,
    reference_rows,
    reference_system,
    two_ended_chain,
)

ROWS = reference_rows()
PRINTED_DIGITS = 10
"""The reference table prints ten significant digits, and rounds by half a unit in the tenth."""

REFERENCE_SLACK = 1e-12


def last_digit(value: float) -> float:
    """Half a unit in the last printed digit."""
    return 0.5 * 10.0 ** (np.floor(np.log10(value)) - PRINTED_DIGITS + 1) if value else 0.0


def row_name(row: dict) -> str:  # type: ignore[type-arg]
    return f"{row['panel']}-g{row['coupling']}-{row['beta_left']}-{row['beta_right']}"


@pytest.mark.parametrize("row", ROWS, ids=row_name)
def test_reference_rows(row: dict) -> None:  # type: ignore[type-arg]
    question = Question(system=reference_system(row), criterion="defect")
    answer = certify(question, sharp=False, check=False)
    low, high = row["tau_pop_lower"], row["tau_pop_upper"]
    assert answer.lower <= high + REFERENCE_SLACK + last_digit(high)
    assert answer.upper >= low - REFERENCE_SLACK - last_digit(low)
    width = answer.upper - answer.lower
    assert 0 <= width <= max(LEVELS.relative * answer.lower, LEVELS.absolute)
    expected = "impossible" if low >= 1e-6 else "possible"
    assert answer.verdict == expected


def test_published_number_of_the_paper() -> None:
    """SDP-paper Fig. 2(c) at g = 0.01 (its data: 1.082582e-3)."""
    answer = certify(Question(system=two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)))
    assert answer.verdict == "impossible"
    assert answer.lower == pytest.approx(1.082582e-3, abs=1e-9)
    assert answer.upper == pytest.approx(1.082582e-3, abs=1e-9)


@pytest.mark.parametrize(("bias", "bound"), [(0.01, 1.32488e-3)])
def test_biased_chain_of_appendix_c(bias: float, bound: float) -> None:
    """Published 5.5e-8 ("maybe possible"), in the wrong eigenbasis; the truth is 1.32e-3."""
    fields = [0.5, 0.5, 0.5 * (1 + bias), 0.5 * (1 + bias)]
    system = two_ended_chain(1, 2, 1, coupling=0.1, beta_left=10.0, beta_right=10.0, field=fields)
    answer = certify(Question(system=system))
    assert answer.verdict == "impossible"
    assert answer.lower == pytest.approx(bound, rel=1e-5)


def test_published_optimum_below_the_certified_bound() -> None:
    """2+2+2, g = 0.01, beta_L = 0.15199111, beta_R = 10: published 3.54e-9 is solver noise."""
    system = two_ended_chain(2, 2, 2, coupling=0.01, beta_left=0.15199111, beta_right=10.0)
    answer = certify(Question(system=system))
    assert answer.lower > 4.56198e-8


def test_single_qubit_thermalises() -> None:
    """One qubit, one bath: the textbook Lindbladian exists."""
    answer = certify(Question(system=qubit(frequency=1.0, beta=2.0)))
    assert answer.verdict == "possible"
    assert answer.candidate is not None
    assert answer.candidate.steady_state_unique
    assert answer.candidate.spectral_gap > 0
    assert answer.trace_distance.upper is not None
    assert answer.trace_distance.upper < 1e-6


def test_possible_comes_with_a_lindbladian_that_has_the_populations() -> None:
    """Checked with QuTiP: steady state of i[., H] + eps^2 L' for the returned operators."""
    qutip = pytest.importorskip("qutip")
    system = two_ended_chain(2, 0, 0, coupling=0.2, beta_left=1.5)
    answer = certify(Question(system=system))
    assert answer.verdict == "possible"
    shift, collapse = answer.candidate.qobj()
    eps = 1e-2
    hamiltonian = qutip.Qobj(system.hamiltonian.toarray(), dims=[[2, 2], [2, 2]]) + eps**2 * shift
    state = qutip.steadystate(hamiltonian, [eps * c for c in collapse]).full()
    vectors = answer.reference.spectrum.vectors
    found = np.diag(vectors.conj().T @ state @ vectors).real
    np.testing.assert_allclose(found, answer.reference.populations, atol=1e-4)


@pytest.mark.parametrize("solver", ["CLARABEL", "scs"])
def test_solvers_agree(solver: str) -> None:
    system = two_ended_chain(1, 2, 1, coupling=0.1, beta_right=10.0)
    answer = certify(Question(system=system), solver=solver, sharp=False, check=False)
    assert answer.solver == solver.upper()
    # the reference table's row of the mirrored chain
    assert answer.lower <= 0.01422393232 + REFERENCE_SLACK + last_digit(answer.lower)
    assert answer.upper >= 0.01422393232 - REFERENCE_SLACK - last_digit(answer.lower)
    assert answer.lower == pytest.approx(answer.upper, rel=1e-3)
    assert answer.verdict == "impossible"


def test_unknown_solver_is_refused() -> None:
    with pytest.raises(SolverError, match="CLARABEL"):
        certify(Question(system=qubit()), solver="nonsense")


def test_failing_solver_is_visible_and_the_next_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    from lindfeas.solvers import catalogue as backends

    monkeypatch.setitem(backends.SETTINGS, "CLARABEL", ({"no_such_setting": 1},))
    answer = certify(Question(system=two_ended_chain(1, 1, 1, beta_right=5.0)))
    failed = [a for a in answer.attempts if a.solver == "CLARABEL"]
    assert failed
    assert all(a.message for a in failed)
    assert answer.solver == "SCS"


def test_a_region_too_large_for_any_solver_is_refused() -> None:
    """The cone of a Kossakowski matrix of order 255 would take tens of gigabytes."""
    lower = np.diag(np.sqrt([1.0, 2.0, 3.0]), 1)
    number = np.diag([0.0, 1.0, 2.0, 3.0])
    hop = np.kron(lower, lower.T)
    hamiltonian = (
        np.kron(number, np.eye(4)) + 1.3 * np.kron(np.eye(4), number) + 0.1 * (hop + hop.T)
    )
    bath = Bath(name="both", sites=(0, 1), beta=1.0, couplings=(np.kron(lower, np.eye(4)),))
    system = OpenSystem(hamiltonian=hamiltonian, dimensions=(4, 4), baths=(bath,), charge=None)
    with pytest.raises(InputError, match=r"bath\.both\.sites: .*255.*charge") as refusal:
        certify(Question(system=system))
    assert "\n" not in str(refusal.value)


def test_a_solver_that_panics_is_a_solver_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Rust's panics become in Python is no `Exception`; an interrupt is none either."""
    import cvxpy

    def ends_in(error: BaseException) -> None:
        def solve(self: cvxpy.Problem, *, solver: str, **options: Any) -> None:
            raise error

        monkeypatch.setattr(cvxpy.Problem, "solve", solve)

    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
    ends_in(panic("index out of bounds"))
    with pytest.raises(SolverError, match="index out of bounds"):
        certify(Question(system=two_ended_chain(1, 1, 1, beta_right=5.0)))
    ends_in(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        certify(Question(system=two_ended_chain(1, 1, 1, beta_right=5.0)))


@pytest.mark.parametrize("size", [1e-7, 1e-4, 1e-2, 100.0])
def test_a_lying_solver_cannot_move_the_bounds(
    size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Multipliers and matrices that claim too much, by little or much: the interval stays true."""
    system = two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)
    truth = certify(Question(system=system), sharp=False, check=False)
    reference = redfield_equation(system)
    ansatz = regions_of(system, reference.spectrum)
    program = assembled(populations(reference), reference, ansatz, Rates.each(1.0))
    point = fake_trials.solves_too_well(program, "CLARABEL", size=size).point
    assert program.defect(point) < truth.lower
    liar = partial(fake_trials.solves_too_well, size=size)
    monkeypatch.setattr("lindfeas.answers.enclosure.solve", liar)
    lied = certify(Question(system=system), sharp=False, check=False)
    assert lied.attempts[0].status == "optimal"
    assert lied.lower <= truth.upper
    assert lied.upper >= truth.lower


def test_trace_distance_bounds_are_ordered() -> None:
    answer = certify(Question(system=two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)))
    distance = answer.trace_distance
    assert 0 < distance.lemma1 <= distance.lower <= distance.upper
    assert 2 * distance.lemma1 == pytest.approx(4.5e-5, rel=0.01)


@pytest.mark.parametrize("system", [oscillator_and_qubit(), complex_trimer()])
def test_other_systems_get_a_narrow_interval(system) -> None:  # type: ignore[no-untyped-def]
    answer = certify(Question(system=system))
    width = answer.upper - answer.lower
    assert width <= max(LEVELS.relative * answer.lower, LEVELS.absolute)


def test_three_baths() -> None:
    baths = [Bath(name=str(s), sites=(s,), beta=b) for s, b in ((0, 1.0), (2, 2.0), (4, 5.0))]
    answer = certify(Question(system=models.xxz_chain(sites=5, coupling=0.1, baths=baths)))
    assert answer.verdict == "impossible"
    assert [r.name for r in answer.candidate.regions] == ["0", "2", "4"]


def test_non_unique_candidate_is_not_called_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pure dephasing keeps all populations: zero defect, but no unique steady state."""
    from dataclasses import replace

    from lindfeas.answers import enclosure, possibility

    system = qubit(frequency=1.0, beta=2.0)
    honest = enclosure.solve

    def dephasing(problem, solver, **options):  # type: ignore[no-untyped-def]
        raw = honest(problem, solver, **options)
        gammas = [np.eye(b.size) * float(b.charge == 0) for b in problem.blocks]
        return replace(raw, point=Point(gammas=gammas, shift=np.zeros(0)))

    monkeypatch.setattr(enclosure, "solve", dephasing)
    answer = certify(Question(system=system, criterion="defect"))
    assert answer.verdict == "possible"
    assert answer.candidate.steady_state_unique
    monkeypatch.setattr(possibility, "best_conditioned", lambda *_: None)
    answer = certify(Question(system=system, criterion="defect"))
    assert answer.verdict == "undecided"
    assert "unique" in answer.reason


def test_interval_that_straddles_the_tolerance_is_undecided() -> None:
    system = two_ended_chain(1, 2, 1, coupling=0.01, beta_right=10.0)
    middle = certify(Question(system=system))
    tolerance = (middle.lower + middle.upper) / 2
    answer = certify(Question(system=system, criterion="defect", tolerance=tolerance))
    assert answer.verdict == "undecided"
    assert "straddles" in answer.reason


def test_answer_is_frozen_and_readable() -> None:
    answer = certify(Question(system=two_ended_chain(1, 1, 1, beta_right=5.0)))
    with pytest.raises(AttributeError):
        answer.verdict = "possible"  # type: ignore[misc]
    assert "impossible" in repr(answer)
    assert "<table" in answer._repr_html_()
    assert answer.to_dict()["verdict"] == "impossible"


def test_threads_leave_standard_output_alone() -> None:
    from concurrent.futures import ThreadPoolExecutor

    before = sys.stdout
    question = Question(system=two_ended_chain(1, 1, 1, beta_right=5.0))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: certify(question, sharp=False), range(8)))
    assert sys.stdout is before
    assert len({answer.lower for answer in answers}) == 1


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: Question(system=qubit(), rates=1.0), "rates: must be of type Rates"),
        (lambda: Question(system=Rates()), "system: must be of type OpenSystem"),
        (lambda: Question(system=qubit(), tolerance=True), "question.tolerance"),
        (
            lambda: Bath(name="b", sites=(0,), beta=1.0, spectral_density=lambda w: w),
            "CustomDensity",
        ),
        (lambda: Bath(name="b", sites=(0,), beta=1.0, couplings=np.eye(2)), "list of operators"),
    ],
)
def test_wrong_arguments_of_the_api_get_one_clear_line(call, match: str) -> None:  # type: ignore[no-untyped-def]
    from lindfeas import InputError

    with pytest.raises(InputError, match=match):
        call()


def test_numpy_numbers_are_numbers() -> None:
    rates = Rates.each(np.array([1.0, 2.0]))
    question = Question(system=two_ended_chain(1, 1, 1), rates=rates, tolerance=np.float32(1e-6))
    assert question.rates.value == (1.0, 2.0)
