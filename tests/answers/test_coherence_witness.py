"""Bounds b(a) on the error of the leading coherences, and Lindbladians that nearly reach them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from lindfeas import Question, Rates, models
from lindfeas.answers.coherence_evaluation import LARGEST_WORK, Evaluation
from lindfeas.answers.coherence_witness import (
    ANY_RATE,
    CertifiedRung,
    CoherenceLadder,
    _Ladder,
    coherence_ladder,
)
from lindfeas.physics.baths.spectral_density import Ohmic
from lindfeas.physics.systems.bath import Bath
from lindfeas.program.rates import RateBounds
from lindfeas.program.setting import Setting
from lindfeas.solvers.coherence import ErrorProposal, least_error
from tests.coherent import EACH, FREE, all_evaluated, coherent_setting, ladder, nearest
from tests.systems import qubit

SOLVED = 2e-3
"""How much of a bound a solver may lose, relatively."""

MEASURED = {
    "1+0+2, g = 0.0231": (0.0, 0.0, 0.0, 0.0),
    "1+0+2, g = 0.0433": (0.0069107, 0.006801, 0.0, 0.0),
    "1+0+2, g = 0.1": (0.069538, 0.06943, 0.0633, 0.0),
    "1+1+1": (None, None, None, 0.0),
    "1+2+1": (None, None, None, 0.0),
    "two sites": (None, None, None, None),
    "2+0+2": (None, None, 0.1125, 0.0),
}
"""b at T <= 0, 1e-6, 1e-4, 1e-2 with free rates; None where that is excluded."""


@pytest.mark.parametrize("name", MEASURED)
def test_the_bounds_with_free_rates_are_those_of_the_table(name: str) -> None:
    found = ladder(name)
    assert [one.distance for one in found.rungs] == [0.0, 1e-6, 1e-4, 1e-2]
    for one, known in zip(found.rungs, MEASURED[name], strict=True):
        if known is None or known == 0:
            assert one.lower == known or 0 <= one.lower < 1e-4
        else:
            assert one.lower == pytest.approx(known, rel=SOLVED)
    assert found.reason is None


@pytest.mark.parametrize("name", [name for name in MEASURED if name != "1+0+2, g = 0.0231"])
def test_what_is_exactly_impossible_is_excluded_exactly(name: str) -> None:
    assert ladder(name).is_exact_excluded


def test_the_region_of_figure_5_with_free_rates_stays_possible() -> None:
    """1+0+2, g <= 0.0231: a Lindbladian has populations and coherences, so b = 0 everywhere."""
    found = nearest("1+0+2, g = 0.0231")
    assert found.distance <= 1e-6
    assert found.error <= 1e-3
    assert not ladder("1+0+2, g = 0.0231").is_exact_excluded


def test_bounds_with_given_rates_mostly_say_that_the_rates_are_wrong() -> None:
    """b with tr Gamma = 1, beside that for any rates."""
    found = ladder("1+2+1", EACH)
    assert found.rungs[-1].lower == pytest.approx(0.8667, rel=5e-3)
    assert found.any_rates[-1].reach < 1e-4
    assert [one.lower for one in found.any_rates[:3]] == [None] * 3


@pytest.mark.parametrize("rates", [FREE, EACH, Rates.total(1.5), Rates.range(0.5, 2.0)])
@pytest.mark.parametrize("name", ["1+0+2, g = 0.1", "1+1+1", "trimer", "oscillator"])
def test_b_falls_with_a_and_is_smaller_for_any_rates(name: str, rates: Rates) -> None:
    found = ladder(name, rates)
    for rungs in (found.rungs, found.any_rates):
        reaches = [one.reach for one in rungs]
        assert all(before >= after for before, after in pairwise(reaches))
    for own, free in zip(found.rungs, found.any_rates, strict=True):
        assert free.reach <= own.reach


@pytest.mark.parametrize(
    ("name", "rates", "tolerances"),
    [
        ("1+0+2, g = 0.0433", FREE, (1e-6, 1e-4)),
        ("1+0+2, g = 0.1", FREE, (1e-6, 1e-4, 1e-2)),
        ("1+0+2, g = 0.1", EACH, (1e-6, 1e-4, 1e-2)),
        ("1+1+1", FREE, (1e-6,)),
        ("1+2+1", EACH, (1e-6,)),
        ("trimer", Rates.total(1.5), (1e-6,)),
        ("trimer", FREE, (1e-6,)),
        ("oscillator", Rates.range(0.5, 2.0), (1e-6,)),
        ("2+0+2", FREE, (1e-4,)),
    ],
)
def test_no_allowed_lindbladian_beats_a_bound(
    name: str, rates: Rates, tolerances: tuple[float, ...]
) -> None:
    found, count = ladder(name, rates), 0
    for one in all_evaluated(name, rates, tolerances):
        count += 1
        for rung in found.rungs:
            if one.distance <= rung.distance:
                assert rung.lower is not None
                assert one.error >= rung.lower
    assert count > 50


@pytest.mark.parametrize("name", ["1+0+2, g = 0.0433", "1+0+2, g = 0.1"])
def test_the_bound_is_nearly_reached_at_1e6(name: str) -> None:
    """So that a bound that is too high by a percent would be beaten."""
    assert nearest(name).distance <= 1e-6
    assert nearest(name).error <= 1.01 * ladder(name).rungs[1].reach


@pytest.mark.parametrize("name", ["1+0+2, g = 0.0433", "1+1+1"])
def test_bounds_do_not_depend_on_the_unit_of_energy(name: str) -> None:
    """H, 1/beta, the cut-offs, the rates and h times 1e6."""
    left, middle, right = (int(part) for part in name[:5].split("+"))
    coupling = 0.0433 if "0.0433" in name else 0.01
    factor, sites = 1e6, left + middle + right
    baths = [
        Bath(
            name="left",
            sites=tuple(range(left)),
            beta=1.0 / factor,
            spectral_density=Ohmic(cutoff=10.0 * factor),
        ),
        Bath(
            name="right",
            sites=tuple(range(sites - right, sites)),
            beta=10.0 / factor,
            spectral_density=Ohmic(cutoff=10.0 * factor),
        ),
    ]
    system = models.xxz_chain(
        sites=sites, field=0.5 * factor, coupling=coupling * factor, baths=baths
    )
    question = Question(
        system=system,
        target="populations+coherences",
        rates=FREE.times(factor),
        hamiltonian_limit=factor * coherent_setting(name).program.shifts.limit,
    )
    scaled = coherence_ladder(Setting(question), "CLARABEL")
    for own, known in zip(scaled.rungs, ladder(name).rungs, strict=True):
        if known.lower is None:
            assert own.lower is None
        else:
            assert own.lower == pytest.approx(known.lower, rel=SOLVED, abs=1e-6)


def test_a_larger_limit_of_the_local_hamiltonians_has_no_larger_bound() -> None:
    setting = coherent_setting("1+0+2, g = 0.1")
    larger = Setting(
        Question(
            system=setting.question.system,
            target="populations+coherences",
            rates=FREE,
            hamiltonian_limit=1e4,
        )
    )
    found = coherence_ladder(larger, "CLARABEL", distances=(0.0,))
    assert 0.04 < found.rungs[1].reach < ladder("1+0+2, g = 0.1").rungs[1].reach


def test_a_system_too_large_for_bounds_says_so_and_is_excluded_by_its_populations() -> None:
    found = ladder("2+2+2")
    assert found.reason is not None
    assert f"more than {LARGEST_WORK:.0f}" in found.reason
    assert [one.lower for one in found.rungs] == [None, None, None, 0.0]


def test_nothing_is_solved_once_told_to_stop() -> None:
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 3

    found = coherence_ladder(coherent_setting("1+1+1"), "CLARABEL", stop=stop)
    assert [one.lower for one in found.rungs] == [None, None, None, 0.0]
    found = coherence_ladder(coherent_setting("1+1+1"), "CLARABEL", stop=lambda: True)
    assert [one.lower for one in found.rungs] == [0.0] * 4
    assert not found.is_exact_excluded


def test_a_certified_distance_excludes_what_is_nearer() -> None:
    setting = coherent_setting("1+0+2, g = 0.1")
    found = coherence_ladder(setting, "CLARABEL", least=2e-6, stop=lambda: True)
    assert [one.lower for one in found.rungs] == [None, None, 0.0, 0.0]


def test_no_exclusion_is_tried_where_a_lindbladian_is() -> None:
    setting = coherent_setting("1+1+1")
    found = coherence_ladder(setting, "CLARABEL", distances=(0.0,), attained=1e-6)
    assert [one.distance for one in found.rungs] == [0.0, 1e-6]
    assert found.rungs[0].lower is None
    assert found.rungs[1].lower is not None


def test_a_state_without_coherences_has_no_bound() -> None:
    question = Question(system=qubit(), target="populations+coherences", rates=FREE)
    found = coherence_ladder(Setting(question), "CLARABEL")
    assert [one.lower for one in found.rungs] == [0.0] * 4


def test_the_error_of_an_answer_holds_the_rung_of_its_tolerance() -> None:
    found = ladder("1+0+2, g = 0.0433").error(1e-6, 0.5)
    assert found.to_dict() == {
        "lower": found.ladder[1].lower,
        "upper": 0.5,
        "ladder": [
            {"distance": one.distance, "lower": one.lower, "excluded": False}
            for one in found.ladder
        ],
    }
    assert ladder("two sites").error(1e-6, None).to_dict()["ladder"][0] == {
        "distance": 0.0,
        "lower": None,
        "excluded": True,
    }


# Every condition of the theorem, on the witnesses themselves.


def _rung(name: str, rates: Rates, number: int) -> tuple[Evaluation, CertifiedRung]:
    found: CoherenceLadder = ladder(name, rates)
    rung = found.rungs[number]
    assert rung.witness is not None
    return Evaluation(coherent_setting(name, rates)), rung


@pytest.mark.parametrize(
    ("name", "rates", "number"),
    [
        ("1+0+2, g = 0.0433", FREE, 1),
        ("1+0+2, g = 0.1", FREE, 2),
        ("1+0+2, g = 0.1", EACH, 3),
        ("1+2+1", EACH, 3),
        ("trimer", FREE, 3),
    ],
)
def test_s_and_the_cost_of_h_hold_at_the_worst_populations(
    name: str, rates: Rates, number: int
) -> None:
    """Delta = w (e_g - e_k), w = min(a, p_k): the worst Gamma gives at least s_r, the worst H_r
    costs at most what is paid for it."""
    at, rung = _rung(name, rates, number)
    proposal, a, p = rung.witness, rung.distance, at.data.populations
    assert proposal is not None
    y = proposal.multiplier
    smallest = at.smallest(at.data.action.blocks, proposal, a, at.steady_allowance(y))[0]
    felt = at.felt(proposal, a, at.program.layout.norm(y, "spectral"))
    local = np.tensordot(y, at.data.action.shifts, axes=1)
    least, most = np.full(len(smallest), np.inf), 0.0
    for block in at.data.action.blocks:
        matrices = block.of_multiplier(y)
        for start in np.linalg.eigh(matrices)[1].reshape(-1, block.size):
            own = _worst(matrices, p, a, start)
            least[block.region] = min(least[block.region], own)
    for up, down in np.ndindex(len(p), len(p)):
        state = p.copy()
        state[[up, down]] += min(a, p[down]) * np.array([1, -1]) * (up != down)
        most = max(most, at.program.shifts.size(state @ local))
    assert np.all(least >= smallest)
    assert most <= felt
    assert np.all(least - smallest <= 0.05 * np.abs(least) + 0.3 * a * np.abs(y).max())


def _worst(matrices: np.ndarray, p: np.ndarray, a: float, vector: np.ndarray) -> float:
    """The smallest <x|sum_g p'_g B_g|x> that is found with T <= a, by turns in p' and in x."""
    lowest = np.inf
    for _ in range(8):
        values = np.einsum("i,gij,j->g", vector.conj(), matrices, vector).real
        state, left = p.copy(), a
        for level in np.argsort(values)[::-1]:
            taken = min(left, p[level])
            state[level] -= taken
            left -= taken
        state[np.argmin(values)] += a - left
        eigenvalues, vectors = np.linalg.eigh(np.tensordot(state, matrices, axes=1))
        lowest, vector = min(lowest, float(eigenvalues[0])), vectors[:, 0]
    return lowest


@pytest.mark.parametrize(
    "what",
    ["action", "steady", "single", "levels", "hamiltonian", "size", "gaps", "unknown"],
)
def test_every_uncertainty_lowers_the_bound(what: str) -> None:
    name = "1+0+2, g = 0.1"
    at, rung = _rung(name, EACH, 3)
    assert rung.witness is not None
    rates = at.program.rates
    before = at.bound(rung.witness, rung.distance, rates)[0]
    worse = Evaluation(coherent_setting(name, EACH))
    uncertainty, large = worse.program.uncertainty, 1e-6
    if what == "action":
        uncertainty = replace(uncertainty, action=large)
    elif what == "steady":
        regions = tuple(replace(one, whole=large) for one in uncertainty.regions)
        uncertainty = replace(uncertainty, regions=regions)
    elif what == "hamiltonian":
        own = replace(uncertainty.hamiltonian, state=large)
        uncertainty = replace(uncertainty, hamiltonian=own)
    elif what == "single":
        worse.__dict__["single_error"] = 1e-2
    elif what == "levels":
        worse.__dict__["level_errors"] = np.full(len(at.data.populations), large)
    elif what == "size":
        worse.__dict__["size_error"] = large
    elif what == "gaps":
        wider = replace(worse.data.action, gap_errors=0 * worse.data.gaps + large)
        worse.__dict__["data"] = replace(worse.data, action=wider)
        assert worse.size_error > at.size_error
        worse.__dict__["size_error"] = at.size_error
    else:
        worse.__dict__["frame_error"] = large
    worse.__dict__["program"] = replace(worse.program, uncertainty=uncertainty)
    if what == "single":
        counted = [_parts(one, rung.witness, rung.distance) for one in (at, worse)]
        assert np.all(counted[1][0] < counted[0][0] - 1e-6)
        assert counted[1][1] > counted[0][1] + 1e-6
    after = worse.bound(rung.witness, rung.distance, rates)[0]
    assert after < before * (1 - 1e-8)


def _parts(at: Evaluation, witness: ErrorProposal, a: float) -> tuple[np.ndarray, float]:
    """s of every region, and what local Hamiltonians of norm 1 take away."""
    y = witness.multiplier
    smallest = at.smallest(at.data.action.blocks, witness, a, at.steady_allowance(y))[0]
    return smallest, at.felt(witness, a, at.program.layout.norm(y, "spectral"))


def test_m_must_be_positive_and_is_made_so() -> None:
    """A negative M_g would lift s_r by p_g."""
    at, rung = _rung("1+0+2, g = 0.1", EACH, 3)
    witness = rung.witness
    assert witness is not None
    assert all(one.emptied for one in witness.blocks)
    before = at.bound(witness, rung.distance, at.program.rates)[0]
    blocks = tuple(
        replace(
            one,
            above=one.above + np.eye(len(one.above)),
            emptied={g: m - np.eye(len(m)) for g, m in one.emptied.items()},
        )
        for one in witness.blocks
    )
    changed = replace(witness, blocks=blocks)
    assert at.bound(changed, rung.distance, at.program.rates)[0] < before


def test_what_holds_for_all_that_are_nearer_than_a_holds_for_fewer() -> None:
    at = Evaluation(coherent_setting("1+1+1"))
    course = _Ladder(at, "CLARABEL", (0.0, 1e-6, 1e-4), np.inf, 0.0, lambda: False)
    given = {0.0: 0.1, 1e-6: 0.2, 1e-4: 0.0}
    found = course._falling({a: CertifiedRung(distance=a, lower=b) for a, b in given.items()})
    assert [(one.distance, one.lower) for one in found] == [(0.0, 0.2), (1e-6, 0.2), (1e-4, 0.0)]


def test_an_exclusion_needs_every_s_or_the_sum_of_the_rule_to_be_positive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at, rung = _rung("1+1+1", FREE, 2)
    witness = rung.witness
    assert witness is not None
    for smallest, free, fixed in (
        ((1.0, -0.5), False, True),
        ((0.5, -1.0), False, False),
        ((1.0, 0.0), False, True),
        ((1.0, 1e-9), True, True),
    ):
        monkeypatch.setattr(
            Evaluation, "smallest", lambda *_, s=smallest: (np.array(s), witness.blocks)
        )
        assert (at.excludes(witness, 1e-4, FREE.bounds(2)) is not None) == free
        assert (at.excludes(witness, 1e-4, EACH.bounds(2)) is not None) == fixed


def test_a_tolerance_above_1_is_one_of_1() -> None:
    setting = coherent_setting("two sites")
    found = coherence_ladder(setting, "CLARABEL", distances=(1.0, 2.0))
    assert found.rungs[-1].lower == found.rungs[-2].lower


def test_a_witness_of_nonsense_certifies_nothing_wrong() -> None:
    """Whatever a solver returns is repaired: random Y, W, U and M bound no R from above."""
    name = "1+0+2, g = 0.1"
    at, rung = _rung(name, FREE, 1)
    known = rung.witness
    assert known is not None
    generator = np.random.default_rng(2)
    best = nearest(name)
    for size in 10.0 ** -np.arange(0, 9.0):
        for _ in range(5):
            y = known.multiplier * (1 + size * generator.normal(size=known.multiplier.shape))
            noise = [size * generator.normal() * np.eye(len(one.below)) for one in known.blocks]
            blocks = tuple(
                replace(one, below=one.below - n, above=one.above - 2 * n)
                for one, n in zip(known.blocks, noise, strict=True)
            )
            changed = ErrorProposal(multiplier=y, blocks=blocks, locals=known.locals)
            assert at.bound(changed, rung.distance, at.program.rates)[0] <= best.error


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("what", ["multiplier", "locals", "below", "above", "emptied"])
def test_what_is_no_number_certifies_nothing(what: str, value: float) -> None:
    at, rung = _rung("1+0+2, g = 0.1", EACH, 3)
    known = rung.witness
    assert known is not None
    if what in ("multiplier", "locals"):
        broken = replace(known, **{what: np.full_like(getattr(known, what), value)})
    else:
        old = known.blocks[0]
        changed = {g: m * value for g, m in old.emptied.items()}
        new = changed if what == "emptied" else np.full_like(getattr(old, what), value)
        broken = replace(known, blocks=(replace(old, **{what: new}), *known.blocks[1:]))
    assert at.bound(broken, rung.distance, at.program.rates)[0] == 0.0
    far, exclusion = _rung("1+1+1", FREE, 2)
    assert exclusion.witness is not None
    assert far.excludes(exclusion.witness, 1e-4, far.program.rates) is not None
    if what == "multiplier":
        y = np.full_like(exclusion.witness.multiplier, value)
        assert far.excludes(replace(exclusion.witness, multiplier=y), 1e-4, EACH.bounds(2)) is None


def test_bounds_for_any_rates_need_every_s_to_be_positive() -> None:
    """With the fixed rates of the question s_r < 0 may be paid for; with any rates not."""
    name = "1+2+1"
    at = Evaluation(coherent_setting(name, EACH))
    proposal = least_error(at.data, 1e-2, at.program.rates, None, "CLARABEL")
    assert proposal is not None
    assert at.bound(proposal, 1e-2, at.program.rates)[0] > 0.5
    free = RateBounds(lower=(0.0, 0.0), upper=(ANY_RATE,) * 2)
    assert at.bound(proposal, 1e-2, free)[0] == 0.0
