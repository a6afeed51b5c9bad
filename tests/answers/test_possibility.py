"""``possible``: what a candidate must do besides a small defect."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest

from lindfeas import Bath, LindfeasError, OpenSystem, Question, Rates, certify, models
from lindfeas.answers import possibility
from lindfeas.answers.enclosure import enclose
from lindfeas.answers.possibility import (
    NEGLIGIBLE,
    TOO_SLOW,
    WRONG_POPULATIONS,
    Demands,
    population_defect,
)
from lindfeas.files.problem_file import read_problem
from lindfeas.physics.equations.redfield import redfield_equation
from lindfeas.program.setting import Setting
from tests.systems import (
    SIGMA_MINUS,
    SIGMA_X,
    SIGMA_Z,
    complex_trimer,
    qubit,
    two_ended_chain,
)

FREE = Rates.range(0.0, 1e4)
COHERENCES = "populations+coherences"


def ask(system: OpenSystem, norm: str = "spectral", rates: Rates = FREE, **options: Any) -> Any:
    return certify(
        Question(
            system=system,
            target="populations+coherences",
            norm=norm,
            rates=rates,
            criterion="defect",
            **options,
        ),
        check=False,
    )


def pair(site: int) -> OpenSystem:
    """Two qubits, one bath on one of them."""
    bath = Bath(name="bath", sites=(site,), beta=1.0)
    return models.xxz_chain(sites=2, field=0.5, coupling=0.1, baths=[bath])


@pytest.mark.parametrize("norm", ["spectral", "frobenius", "trace"])
@pytest.mark.parametrize("site", [0, 1])
def test_vanishing_rates_are_no_lindbladian(site: int, norm: str) -> None:
    """A commutator does what coherences need; at rate 1e-16 no populations are wrong by much."""
    assert certify(Question(system=pair(site)), sharp=False).verdict == "impossible"
    answer = ask(pair(site), norm)
    assert answer.upper < 1e-9
    assert answer.verdict == "undecided"
    assert "rate" in answer.reason


@pytest.mark.parametrize("norm", ["spectral", "frobenius"])
@pytest.mark.parametrize(
    "system",
    [
        two_ended_chain(2, 0, 0, coupling=0.1),
        two_ended_chain(3, 0, 0, coupling=0.3),
        two_ended_chain(1, 0, 2, coupling=0.003, beta_right=10.0),
        qubit(operator=SIGMA_X + 0.3 * SIGMA_Z, charge=None),
    ],
    ids=["2+0", "3+0", "1+0+2", "dephased qubit"],
)
def test_what_is_possible_stays_possible(system: OpenSystem, norm: str) -> None:
    answer = ask(system, norm)
    assert answer.verdict == "possible"
    assert answer.candidate.steady_state_unique
    reference = redfield_equation(system)
    total = sum(region.rate for region in answer.candidate.regions)
    assert total > 1e-4 * reference.transition_rates.max()
    assert answer.trace_distance.upper < 1e-3


def demands_of(
    system: OpenSystem, rates: Rates, target: str, tolerance: float = 1e-6
) -> tuple[Demands, Any]:
    setting = Setting(
        Question(system=system, rates=rates, target=target, criterion="defect", tolerance=tolerance)
    )
    return Demands(setting=setting), enclose(setting.program, ["CLARABEL"])


def test_rates_count_relative_to_the_redfield_equation() -> None:
    """The right Lindbladian at 1e-3 of its rate acts, at 1e-9 of it hardly; its populations fit."""
    demands, enclosure = demands_of(
        two_ended_chain(2, 0, 0), Rates.each(1.0), "populations+coherences"
    )
    slow = {}
    for factor in (1.0, 1e-3, 1e-9):
        point = enclosure.point.times(factor)
        slow[factor] = demands.shortcoming(point, demands.candidate(point))
    assert slow[1.0] is None
    assert slow[1e-3] is None
    assert slow[1e-9] == TOO_SLOW


def test_populations_count_relative_to_the_total_rate() -> None:
    """A dissipator that is wrong by 4e-2 per unit of rate is wrong however slow it is."""
    demands, enclosure = demands_of(pair(0), Rates.each(1.0), COHERENCES)
    plain, _ = demands_of(pair(0), Rates.each(1.0), "populations")
    point = enclosure.point
    defect = plain.program.defect(replace(point, shift=np.zeros(0)))
    assert population_defect(demands.program, point) == pytest.approx(defect, rel=1e-9)
    assert defect > 3e-2
    for factor in (1.0, 1e-3, NEGLIGIBLE * 100):
        slower = point.times(factor)
        assert demands.shortcoming(slower, demands.candidate(slower)) == WRONG_POPULATIONS
    assert population_defect(demands.program, point.times(1e-4)) == pytest.approx(
        1e-4 * defect, rel=1e-9
    )


def test_near_the_tolerance_a_candidate_with_fitting_populations_is_found() -> None:
    """3+1 qubits: the optimum of the spectral norm, 4.2e-7, misses the populations by 2.7e-6."""
    problem = read_problem("problems/figure-4b-temperature.toml").at(
        {"system.sites": 4, "bath.left.beta": Decimal("0.35111917")}
    )
    answer = certify(problem.question, check=False)
    assert answer.verdict == "possible"
    assert answer.lower == pytest.approx(4.209e-7, rel=1e-3)
    # the interval is the optimum's; the Lindbladian shown is another, and states its own defect
    assert answer.upper == pytest.approx(answer.lower, rel=1e-4)
    assert 1.01 * answer.upper < answer.candidate_defect < 1e-6
    assert answer.to_dict()["candidate"]["defect"] == answer.candidate_defect
    assert spectral_defect(answer) == pytest.approx(answer.candidate_defect, rel=1e-4)


def spectral_defect(answer: Any) -> float:
    """||L'(rho0) - L2(rho0)|| of the answer's candidate."""
    reference = answer.reference
    vectors = reference.spectrum.vectors
    state = (vectors * reference.populations) @ vectors.conj().T
    residual = answer.candidate.apply(state)
    residual = residual - vectors @ reference.coherence_source @ vectors.conj().T
    return float(np.linalg.norm(residual, 2))


def test_populations_count_as_they_are_too() -> None:
    """At ten times the rate their defect is ten times as large, whatever it is per unit of rate."""
    demands, enclosure = demands_of(pair(0), Rates.each(1.0), COHERENCES, 0.05)
    found = {}
    for factor in (1.0, 10.0):
        point = enclosure.point.times(factor)
        assert population_defect(demands.program, point) / factor < 0.05
        found[factor] = demands.shortcoming(point, demands.candidate(point))
    assert found == {1.0: None, 10.0: WRONG_POPULATIONS}


def test_a_gap_counts_relative_to_the_fastest_decay() -> None:
    """Beside dephasing 1e12 times as fast, relaxation is not told from none."""
    demands = Demands(setting=Setting(Question(system=qubit(), rates=FREE, target=COHERENCES)))
    program = demands.program
    thermal = enclose(replace(program, rates=Rates.each(1.0).bounds(1)), ["CLARABEL"]).point
    assert thermal is not None
    unique = {}
    for factor in (1.0, 1e-5, 1e-12):
        gammas = [
            gamma * factor + (np.eye(block.size) if block.charge == 0 else 0.0)
            for block, gamma in zip(program.blocks, thermal.gammas, strict=True)
        ]
        unique[factor] = demands.candidate(replace(thermal, gammas=gammas)).steady_state_unique
    assert unique == {1.0: True, 1e-5: True, 1e-12: False}


def test_another_candidate_is_tried_before_giving_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the optimum found has vanishing rates, one with rates near Redfield's is looked for."""
    system = two_ended_chain(2, 0, 0)
    honest = possibility.Demands.candidate
    demands, enclosure = demands_of(system, FREE, COHERENCES)
    lazy = replace(enclosure, point=enclosure.point.times(1e-12))
    candidate, reason = demands.search(lazy)
    assert reason is None
    assert candidate is not None
    assert candidate.defect < 1e-6
    assert sum(region.rate for region in candidate.lindbladian.regions) > 1e-3
    monkeypatch.setattr(possibility, "best_conditioned", lambda *_: None)
    candidate, reason = demands.search(lazy)
    assert reason is None
    monkeypatch.setattr(possibility, "enclose", lambda *_: lazy)
    candidate, reason = demands.search(lazy)
    assert reason is not None
    assert candidate is not None
    assert candidate.defect == enclosure.interval.upper
    np.testing.assert_array_equal(
        candidate.lindbladian.regions[0].kossakowski,
        honest(demands, lazy.point).regions[0].kossakowski,
    )


def random_system(seed: int) -> OpenSystem:
    """Two or three qubits with random fields and links.

    By turns one bath on one site (impossible, but a commutator may give the coherences), one bath
    on all sites (possible), and baths of random temperatures on random sites.
    """
    generator = np.random.default_rng(seed)
    sites = 2 if seed % 3 == 1 else int(generator.integers(2, 4))
    operator = (SIGMA_MINUS, SIGMA_X)[int(generator.integers(2))]
    beta = float(10 ** generator.uniform(-1, 0.7))
    one = int(generator.integers(sites))
    several = sorted(
        int(s) for s in generator.permutation(sites)[: generator.integers(1, sites + 1)]
    )
    temperatures = 10 ** generator.uniform(-1, 0.7, size=sites)
    regions_of: tuple[list[tuple[int, ...]], ...] = (
        [(one,)],
        [tuple(range(sites))],
        [(site,) for site in several],
    )
    baths = [
        Bath(
            name=f"b{number}",
            sites=region,
            beta=beta if seed % 3 < 2 else float(temperatures[number]),
            couplings=tuple(
                np.kron(np.kron(np.eye(2**k), operator), np.eye(2 ** (len(region) - 1 - k)))
                for k in range(len(region))
            ),
        )
        for number, region in enumerate(regions_of[seed % 3])
    ]
    return models.xxz_chain(
        sites=sites,
        field=list(generator.uniform(0.2, 1.5, size=sites)) if seed % 2 else 0.5,
        coupling=list(10 ** generator.uniform(-2, 0, size=sites - 1)),
        baths=baths,
    )


SEEDS = range(45)
NORMS = ("frobenius", "spectral")
RULES = {"total": Rates.total(1.0), "range": FREE}


@cache
def verdicts(seed: int) -> tuple[str, dict[tuple[str, str], str]] | None:
    """The verdict on populations at total rate 1, and those with coherences by norm and rule."""
    system = random_system(seed)
    try:
        weak = certify(
            Question(system=system, rates=RULES["total"], criterion="defect"),
            sharp=False,
            check=False,
        )
    except LindfeasError:
        return None
    strong = {(n, r): ask(system, n, RULES[r]).verdict for n in NORMS for r in RULES}
    return weak.verdict, strong


@pytest.mark.parametrize("seed", SEEDS)
def test_no_possible_contradicts_an_impossible(seed: int) -> None:
    """A weaker target, norm or larger ansatz is never impossible where a stronger is possible."""
    found = verdicts(seed)
    if found is None:
        pytest.skip("refused")
    weak, strong = found
    for (norm, rule), verdict in strong.items():
        if verdict == "possible":
            assert weak != "impossible", (norm, rule)
            for other in NORMS[NORMS.index(norm) :]:
                assert strong[other, rule] != "impossible"
                assert strong[other, "range"] != "impossible"


def test_random_systems_are_of_every_kind() -> None:
    """Many possible, many impossible, and some with a candidate of vanishing rates."""
    found = [one for one in map(verdicts, SEEDS) if one is not None]
    counted = Counter((strong["spectral", "range"], weak) for weak, strong in found)
    assert counted["possible", "possible"] >= 10
    assert counted["impossible", "impossible"] >= 10
    assert counted["undecided", "impossible"] >= 3
    assert len(found) >= 40


def test_a_complex_system_without_a_charge_is_impossible_or_not_at_any_rate() -> None:
    answer = ask(complex_trimer())
    assert answer.verdict == "impossible"
