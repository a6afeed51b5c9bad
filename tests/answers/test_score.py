"""A Lindbladian of one's own: lindfeas's own scores as it says, recipes score what they should."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qutip
from click.testing import CliRunner

from lindfeas import Answer, InputError, OpenSystem, Question, Rates, certify, score
from lindfeas.answers.score import Score
from lindfeas.cli import main
from lindfeas.files.columns import Axis
from lindfeas.files.problem_file import read_problem
from lindfeas.physics.equations.jumps import Jumps, jumps_of
from lindfeas.physics.systems.bath import Bath
from lindfeas.sweeps.points import Options, grid
from tests.systems import SIGMA_MINUS, SIGMA_X, SIGMA_Z, oscillator_and_qubit, two_ended_chain

CHAIN = two_ended_chain(1, 1, 1, coupling=0.1, beta_right=5.0)
QUESTIONS = {
    "populations": Question(system=CHAIN),
    "coherences": Question(
        system=CHAIN,
        target="populations+coherences",
        norm="frobenius",
        rates=Rates.range(0.0, 1e4),
        criterion="defect",
    ),
}


@cache
def answer(name: str) -> Answer:
    return certify(QUESTIONS[name])


def scored(candidate: Any, name: str = "populations", **options: Any) -> Score:
    return score(QUESTIONS[name], candidate, answer=answer(name), **options)


def local_recipe() -> dict[str, list[np.ndarray]]:
    """sigma_- and sigma_+ at each end, at the rates n + 1 and n of a lone spin of splitting 1."""
    recipe = {}
    for bath in CHAIN.baths:
        n = 1 / np.expm1(bath.beta)
        recipe[bath.name] = [np.sqrt(n + 1) * SIGMA_MINUS, np.sqrt(n) * SIGMA_MINUS.T]
    return recipe


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_what_lindfeas_found_scores_as_it_says(name: str) -> None:
    own = answer(name)
    found = scored(own.candidate, name)
    assert found.defect == pytest.approx(own.candidate_defect, rel=1e-8)
    assert own.check is not None and own.check.limit is not None
    assert found.trace_distance == pytest.approx(own.check.limit.population_error, rel=1e-9)
    assert found.coherence_error == pytest.approx(own.check.limit.coherence_error, rel=1e-6)
    assert found.spectral_gap == pytest.approx(own.candidate.spectral_gap, rel=1e-9)
    assert found.steady_state_unique and found.allowed and found.reason is None
    broken = found.laws
    worst = [*broken.sites.values(), *broken.baths.values(), broken.nonlocal_rate]
    assert max(*worst, broken.nonlocal_hamiltonian, broken.charge) < 1e-14
    for region in own.candidate.regions:
        assert found.rates[region.name] == pytest.approx(region.rate)


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_through_qutip_and_back(name: str) -> None:
    direct = scored(answer(name).candidate, name)
    shift, collapse = answer(name).candidate.qobj()
    for own in (scored((shift, collapse), name), scored(collapse, name, hamiltonian=shift)):
        assert own.defect == pytest.approx(direct.defect, rel=1e-10)
        assert own.trace_distance == pytest.approx(direct.trace_distance, rel=1e-10)
        assert own.allowed


def test_the_ways_to_write_a_candidate_agree() -> None:
    recipe = local_recipe()
    full = [
        CHAIN.embed(operator, bath.sites).toarray()
        for bath in CHAIN.baths
        for operator in recipe[bath.name]
    ]
    sites = [(bath.sites, one) for bath in CHAIN.baths for one in recipe[bath.name]]
    dims = [list(CHAIN.dimensions)] * 2
    weights = [3.0] * 4
    ways = [recipe, full, np.array(full), sites, [qutip.Qobj(one, dims=dims) for one in full]]
    ways.append(jumps_of(CHAIN, full))
    defects = [scored(way).defect for way in ways]
    np.testing.assert_allclose(defects, defects[0], rtol=1e-13)
    assert scored(full, rates=weights).defect == pytest.approx(3 * defects[0])
    assert scored(full, rates=weights).trace_distance == pytest.approx(
        scored(full).trace_distance, rel=1e-9
    )


def test_the_local_recipe_keeps_the_laws_and_misses_the_state() -> None:
    found = scored(local_recipe())
    assert found.laws.nonlocal_rate == 0 and found.laws.sites[1] < 1e-14
    assert found.laws.charge == 0
    assert found.trace_distance > answer("populations").trace_distance.lower > 1e-3
    assert not found.allowed  # its rates are not 1 each


def test_davies_has_the_populations_and_breaks_the_laws() -> None:
    """Jumps |k><a| at the golden-rule rates: exact populations, at the price of locality."""
    reference = answer("populations").reference
    vectors, rates = reference.spectrum.vectors, reference.transition_rates
    final, initial = np.nonzero(rates)
    jumps = [
        np.outer(vectors[:, k], vectors[:, a].conj()) for k, a in zip(final, initial, strict=True)
    ]
    found = scored(jumps, rates=rates[final, initial])
    assert found.defect < 1e-13 and found.trace_distance < 1e-12
    assert found.coherence_error == pytest.approx(1.0)  # it makes none
    assert found.laws.sites[1] > 0.1 and found.laws.nonlocal_rate > 0.1
    assert found.laws.charge < 1e-14 and not found.allowed


@pytest.mark.parametrize("rate", [0.25, 4.0])
def test_dephasing_of_a_site_without_a_bath_moves_it_by_a_known_amount(rate: float) -> None:
    """L'^dag(sigma_x) = -2 rate sigma_x for jumps sigma_z; ||K|| is rate ||sigma_z||^2."""
    jumps = [*[(bath.sites, one) for bath in CHAIN.baths for one in local_recipe()[bath.name]]]
    jumps.append(((1,), np.sqrt(rate) * SIGMA_Z))
    found = scored(jumps)
    assert found.laws.sites == {1: pytest.approx(2 * rate)}
    assert found.laws.nonlocal_rate == pytest.approx(8 * rate)
    assert max(found.laws.baths.values()) < 1e-14 and found.laws.charge < 1e-14


def test_a_jump_on_both_ends_couples_them() -> None:
    """L = sqrt(c) (sigma_- on the left + sigma_- on the right): L'^dag(sigma_z) of the left end has
    -c (sigma_+ sigma_- + h.c.) across, of norm c / sqrt(2); the site between is left alone."""
    both = CHAIN.embed(SIGMA_MINUS, (0,)) + CHAIN.embed(SIGMA_MINUS, (2,))
    found = scored([np.sqrt(0.3) * both.toarray()])
    assert found.laws.sites[1] < 1e-15
    assert found.laws.baths["left"] == pytest.approx(0.3 / np.sqrt(2))
    # K = c |a + b><a + b| without its diagonal blocks, ||a||^2 = ||b||^2 = d/2
    assert found.laws.nonlocal_rate == pytest.approx(0.3 * 4 * np.sqrt(2))


def test_a_jump_that_mixes_charges_says_by_how_much() -> None:
    """sigma_x = sigma_+ + sigma_-: two blocks off the diagonal, each of norm c d/2."""
    found = scored([((0,), np.sqrt(0.2) * SIGMA_X)])
    assert found.laws.charge == pytest.approx(0.2 * 4 * np.sqrt(2))
    assert found.laws.nonlocal_rate == 0
    assert scored([((0,), SIGMA_MINUS)], hamiltonian=CHAIN.embed(SIGMA_X, (0,))).laws.charge == (
        pytest.approx(1.0)
    )


def test_a_hamiltonian_across_is_not_local() -> None:
    across = CHAIN.embed(np.kron(SIGMA_Z, SIGMA_Z), (0, 2)).toarray()
    found = scored(local_recipe(), hamiltonian=across)
    assert found.laws.nonlocal_hamiltonian == pytest.approx(1.0) and not found.allowed


def test_a_constant_in_a_jump_changes_nothing() -> None:
    """(L + c, H) and (L, H + i (c* L - c L^dag)/2) are one Lindbladian."""
    lower = CHAIN.embed(SIGMA_MINUS, (0,)).toarray()
    shifted = jumps_of(CHAIN, [lower + (0.3 - 0.7j) * np.eye(8)])
    state = np.diag(np.arange(1.0, 9)) / 36 + 0.01j * (np.eye(8, k=1) - np.eye(8, k=-1))
    plain = shifted.canonical()
    np.testing.assert_allclose(plain.operators[0], lower, atol=1e-15)
    np.testing.assert_allclose(plain.apply(state), shifted.apply(state), atol=1e-14)
    observable = np.diag(np.arange(8.0)) + np.eye(8, k=1) + np.eye(8, k=-1)
    assert np.trace(shifted.adjoint(observable) @ state) == pytest.approx(
        np.trace(observable @ shifted.apply(state))
    )


def test_no_unique_steady_state_is_said() -> None:
    found = scored([((0,), SIGMA_Z)])
    assert not found.steady_state_unique and found.trace_distance is None
    assert found.coherence_error is None and "not unique" in str(found.reason)
    weak = [(bath.sites, one) for bath in CHAIN.baths for one in local_recipe()[bath.name]]
    hardly = scored([*weak, ((0,), SIGMA_Z)], rates=[1.0] * 4 + [1e12])
    assert hardly.trace_distance is None and 0 < hardly.relative_gap < 1e-10
    assert "cannot be told" in str(hardly.reason)
    nothing = scored([])
    assert nothing.trace_distance is None and nothing.defect == 0 and nothing.spectral_gap == 0


def test_where_levels_coincide_a_mixture_of_charges_has_no_diagonal_state() -> None:
    """Two free spins of equal splitting, the charges (0, 1) and (0, 2) apart: |ud> and |du>."""
    free = np.diag([1.0, 0.0, 0.0, -1.0])
    baths = [
        Bath(name=name, sites=(site,), beta=1.0 + site, couplings=(SIGMA_MINUS,))
        for site, name in enumerate("ab")
    ]
    pair = OpenSystem(free, dimensions=(2, 2), baths=baths)
    own = certify(pair)
    assert own.levels_coincide
    thermal = [((0,), SIGMA_MINUS), ((0,), SIGMA_MINUS.T), ((1,), SIGMA_MINUS)]
    assert score(pair, thermal, answer=own).trace_distance is not None
    mixed = score(pair, [*thermal, ((1,), SIGMA_X)], answer=own)
    assert mixed.trace_distance is None and "mixes charges" in str(mixed.reason)


def test_the_rate_rule_and_the_limit_decide_what_is_allowed() -> None:
    own = answer("populations").candidate
    jumps = jumps_of(CHAIN, own)
    doubled = Jumps(operators=jumps.operators, rates=2 * jumps.rates, hamiltonian=jumps.hamiltonian)
    assert not scored(doubled).allowed
    free = answer("coherences")
    jumps = jumps_of(CHAIN, free.candidate)
    assert scored(jumps, "coherences").allowed
    # the norm is that on the region: sqrt(2) for sigma_z
    unit = free.hamiltonian_limit / np.sqrt(2) * CHAIN.embed(SIGMA_Z, (0,)).toarray()
    for factor, is_allowed in ((0.999, True), (1.001, False)):
        own = Jumps(operators=jumps.operators, rates=jumps.rates, hamiltonian=factor * unit)
        assert scored(own, "coherences").allowed is is_allowed


@pytest.mark.parametrize(
    ("candidate", "options", "says"),
    [
        (3, {}, "jump_operators: must be a Lindbladian or a list"),
        ([np.eye(4)], {}, r"jump_operators\[0\]: must be 8 x 8, but is 4 x 4"),
        ([np.eye(8)], {"rates": [1.0, 2.0]}, "rates: must be one per jump operator"),
        ([np.eye(8)], {"rates": [-1.0]}, "rates: must be >= 0"),
        ([np.eye(8)], {"hamiltonian": np.eye(8, k=1)}, "hamiltonian: must be Hermitian"),
        ({"middle": [SIGMA_Z]}, {}, "candidate: must be one of left, right"),
        ([qutip.tensor(*[qutip.sigmaz()] * 2)], {}, r"tensor factors \[\[2, 2, 2\]"),
        (oscillator_and_qubit, {}, "must be a Lindbladian"),
        (jumps_of(CHAIN, []), {"rates": []}, "left out for a Lindbladian"),
        ((np.eye(8), []), {"hamiltonian": np.eye(8)}, "hamiltonian: must be given once"),
    ],
)
def test_what_does_not_fit_is_refused(candidate: Any, options: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        scored(candidate, **options)


def test_the_lindbladian_of_another_system_is_refused() -> None:
    other = Question(system=oscillator_and_qubit())
    own = certify(other, sharp=False, check=False)
    with pytest.raises(InputError, match=r"dimensions \[3, 2\], but is of one with \[2, 2, 2\]"):
        score(other, answer("populations").candidate, answer=own)


def test_another_questions_answer_is_refused() -> None:
    with pytest.raises(InputError, match="answer to this question"):
        score(QUESTIONS["populations"], [], answer=answer("coherences"))


def test_it_is_printed_and_drawn() -> None:
    found = scored(local_recipe())
    assert "moves site 1 by" in str(found) and "moves site 1 by" in found._repr_html_()
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["broken"]["sites"]["1"] < 1e-14
    assert content["optimum"]["lower"] == answer("populations").lower


def problem(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "own.npz", **arrays)
    (folder / "p.toml").write_text(
        '[system]\nmodel = "xxz_chain"\nsites = 3\ncoupling = 0.1\n'
        '[[bath]]\nname = "left"\nsites = [0]\nbeta = 1.0\n'
        '[[bath]]\nname = "right"\nsites = [2]\nbeta = 5.0\n'
        '[candidate]\nfile = "own.npz"\n'
    )
    return folder / "p.toml"


def test_in_a_problem_file(tmp_path: Path) -> None:
    own = jumps_of(CHAIN, local_recipe())
    file = problem(tmp_path, jump_operators=own.operators, rates=2 * own.rates)
    result = CliRunner().invoke(main, ["certify", str(file), "--json"])
    content = json.loads(result.stdout)
    expected = scored(own.operators, rates=2 * own.rates)
    assert content["candidate_score"]["defect"] == pytest.approx(expected.defect, rel=1e-12)
    assert content["candidate_score"]["broken"]["charge"] == 0
    assert "candidate" not in content["problem"]
    problem_file = read_problem(file)
    axis = Axis(key="system.coupling", values=(Decimal("0.1"),))
    assert "candidate" not in grid(problem_file, [axis], Options())[0].document
    shown = CliRunner().invoke(main, ["certify", str(file)])
    assert "moves site 1 by" in shown.stdout


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    for arrays, says in (
        ({"jumps": np.eye(8)}, "jump_operators"),
        ({"jump_operators": np.eye(8)}, "3 axes"),
        ({"jump_operators": np.zeros((1, 4, 4))}, "8 x 8"),
        ({"jump_operators": np.zeros((1, 8, 8)), "rates": np.ones(2)}, "one per jump"),
    ):
        with pytest.raises(InputError, match=says):
            read_problem(problem(tmp_path, **arrays))
