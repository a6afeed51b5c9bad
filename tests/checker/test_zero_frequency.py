"""What the checker does at zero frequency: elastic couplings, and levels that coincide."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import acb_mat, arb, ctx, fmpq
from scipy.integrate import quad

from lindfeas.checker import boxes, cells, coherences, verify
from lindfeas.checker.bounds import enclosed
from lindfeas.checker.format import Rejected, Unsettled
from lindfeas.checker.model import Bath, Density, model
from lindfeas.checker.principal_values import at_zero, zero_frequency
from lindfeas.checker.steady_state import coincide, levels
from lindfeas.files.problem_file import problem_from_document
from lindfeas.theorems.exact_problem import problem_document
from tests.documents import CROSSING, SIGMA_MINUS, SIGMA_PLUS, SIGMA_X, SIGMA_Y, tilted_qubits
from tests.mutations import changed
from tests.shipped import certificate_of

QUADRATURE = 1e-8

TURNED_X = [[0, 1, ["0.6", "0.8"]], [1, 0, ["0.6", "0.8"]]]
"""(3 + 4i)/5 sigma_x."""


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    with ctx.workprec(128):
        yield


# Couplings with elements between levels of the same energy.


def action(*couplings: list[Any], **density: Any) -> acb_mat:
    return coherences.enclosed(model(tilted_qubits(*couplings, **density))).action


@pytest.mark.parametrize("couplings", [(SIGMA_X, SIGMA_MINUS), (SIGMA_MINUS, SIGMA_X)])
def test_a_hermitian_coupling_lends_its_limit_to_no_other(couplings: tuple[list[Any], ...]) -> None:
    """Of sigma_minus C(0) and D(0) count each, and at a temperature > 0 both are infinite."""
    assert action(SIGMA_X).nrows() == 4
    with pytest.raises(Rejected, match="diverge"):
        action(*couplings)


@pytest.mark.parametrize("lopsided", [["2", "1"], [["0", "1"], "1"]])
def test_only_multiples_of_hermitian_couplings_have_a_limit(lopsided: list[Any]) -> None:
    """i|0><1| + |1><0| is a phase times a Hermitian matrix, 2|0><1| + |1><0| is none."""
    coupling = [[0, 1, lopsided[0]], [1, 0, lopsided[1]]]
    if lopsided[0] == "2":
        with pytest.raises(Rejected, match="diverge"):
            action(coupling)
    else:
        assert action(coupling).nrows() == 4


CONVERGENT = ({"mu": "-0.3"}, {"mu": "-0.3", "exponent": "2.5"}, {"exponent": "2"})


@pytest.mark.parametrize("density", CONVERGENT)
def test_equal_baths_may_be_mixed_by_any_unitary(density: dict[str, str]) -> None:
    """L2 is bilinear: (sigma_-, sigma_+) = U (sigma_x, sigma_y)/sqrt(2), whatever is elastic."""
    one = action(SIGMA_MINUS, SIGMA_PLUS, **density)
    other = action(SIGMA_X, SIGMA_Y, strength="0.5", **density)
    assert close(one, other)
    assert not close(one, action(SIGMA_X, SIGMA_Y, **density))


def test_a_phase_of_a_coupling_means_nothing() -> None:
    assert close(action(TURNED_X), action(SIGMA_X))


def close(one: acb_mat, other: acb_mat) -> bool:
    """Whether the balls overlap, and are small."""
    assert max(float(entry.rad()) for entry in one.entries()) < 1e-12
    return bool(one.overlaps(other))


def test_where_the_integrals_at_zero_diverge_or_are_unknown_there_is_no_theorem() -> None:
    for density, reason in (({}, "diverge"), ({"mu": "-0.3", "exponent": "0.5"}, "beyond")):
        with pytest.raises(Rejected, match=reason):
            action(SIGMA_MINUS, **density)


CASES = [
    ("ohmic", "1", "-0.3"),
    ("ohmic", "2.5", "-0.3"),
    ("ohmic", "2", "0"),
    ("ohmic_exponential", "3", "0"),
    ("ohmic_exponential", "1", "-0.1"),
    ("drude_lorentz", "1", "-0.4"),
]


@pytest.mark.parametrize(("family", "exponent", "mu"), CASES)
def test_the_transforms_at_zero_are_their_integrals(family: str, exponent: str, mu: str) -> None:
    power, potential = Fraction(exponent), Fraction(mu)
    density = Density(family=family, strength=fmpq(3, 2), exponent=exact(power), cutoff=fmpq(7))
    bath = Bath("A", (0,), levels=2, beta=fmpq(7, 10), mu=exact(potential), couplings=())
    absorbed, emitted = at_zero(bath, density)

    def cut(x: float) -> float:
        shapes = {"ohmic": -(x**2), "ohmic_exponential": -x}
        return float(np.exp(shapes[family])) if family in shapes else 1 / (1 + x**2)

    def thermal(w: float) -> float:
        n = 1 / np.expm1(0.7 * (w - float(potential)))
        return float(1.5 * w ** (float(power) - 1) * cut(w / 7) * n)

    expected = -quad(thermal, 0, 200, epsabs=1e-12, epsrel=1e-12, limit=200)[0] / (2 * np.pi)
    assert absorbed.real.is_zero()
    assert float(absorbed.imag) == pytest.approx(expected, rel=QUADRATURE)
    # of a Hermitian coupling only D + conj(C) counts, which another integral gives
    assert (emitted + absorbed.conjugate()).overlaps(zero_frequency(bath, density))


def exact(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


# Transitions between different levels of the same energy.


def crossing(field: str = "0.5", **changes: Any) -> dict[str, Any]:
    """Two isotropic qubits: the singlet, -3g, meets the level of both down, g - 2 field."""
    problem = problem_from_document(CROSSING)
    document = problem_document(problem, problem.question)
    document["system"]["field"] = field
    for bath in document["bath"]:
        bath |= {"mu": "0"} | {k: v for k, v in changes.items() if k in ("mu", "beta")}
        bath["spectral_density"] |= {k: v for k, v in changes.items() if k == "exponent"}
    return document


def test_levels_that_coincide_exactly_are_found() -> None:
    for field, meeting in (("0.5", 1), ("0.5000000000000000000000000000000000001", 0)):
        spectrum = levels(model(crossing(field)))
        pairs = itertools.combinations(spectrum.sectors, 2)
        found = [
            (one.charge, other.charge)
            for one, other in pairs
            for a, b in itertools.product(range(len(one.states)), range(len(other.states)))
            if coincide(one, a, other, b)
        ]
        assert found == [(0, 1)] * meeting


@pytest.mark.parametrize("exponent", ["1", "0.5"])
def test_a_rate_that_jumps_between_levels_that_coincide_is_refused(exponent: str) -> None:
    with pytest.raises(Rejected, match=r"bath left connects levels .* which coincide"):
        enclosed(model(crossing(exponent=exponent)))


@pytest.mark.parametrize("field", ["0.5000000000000000001", "0.4999999999999999999"])
def test_however_near_levels_are_no_obstacle(field: str) -> None:
    assert len(enclosed(model(crossing(field))).populations) == 4


@pytest.mark.parametrize("vanishing", [{"mu": "-0.2"}, {"exponent": "1.5"}, {"beta": "Infinity"}])
def test_where_both_limits_of_the_rates_are_zero_levels_may_coincide(
    vanishing: dict[str, str],
) -> None:
    """The populations are continuous there."""

    def populations(field: str) -> list[arb]:
        document = crossing(field, **vanishing)
        document["bath"][1]["mu"] = "-0.2"  # lest there be two steady states at zero temperature
        document["bath"][1]["beta"] = "1"
        return enclosed(model(document)).populations

    here = populations("0.5")
    for field in ("0.5000000000000000000001", "0.4999999999999999999999"):
        near = populations(field)
        assert max(abs(float(a - b)) for a, b in zip(here, near, strict=True)) < 1e-9


def test_a_certificate_about_a_transition_of_no_energy_is_rejected() -> None:
    problem = problem_from_document(
        {**CROSSING, "bath": [{**bath, "mu": 0} for bath in CROSSING["bath"]]}
    ).at({"system.field": Decimal("0.5001")})
    content = certificate_of(problem)
    assert verify(content).status == "accepted"
    proof = verify(changed(content, ("problem", "system", "field"), "0.5"))
    assert proof.status == "rejected"
    assert "coincide" in (proof.reason or "")


def symmetric_qubits(both: bool) -> dict[str, Any]:
    """The antisymmetric level, which sigma_- + sigma_- does not connect, meets the ground level."""
    document = tilted_qubits()
    document["question"]["target"] = "populations"
    document["system"] = {
        "dimensions": [2, 2],
        "charge": [[1, 0], [1, 0]],
        "hamiltonian": [[0, 0, "3"], [1, 1, "1"], [1, 2, "1"], [2, 2, "1"]],
    }
    lowered = [[1, 0, "1"], [3, 2, "1"]]
    lowered += [[2, 0, "1"], [3, 1, "1"]] if both else []
    document["bath"][0] |= {"sites": [0, 1], "couplings": [lowered]}
    return document


def test_an_element_that_may_vanish_is_not_taken_to_be_zero() -> None:
    with pytest.raises(Unsettled, match="whether bath A connects"):
        enclosed(model(symmetric_qubits(both=True)))
    with pytest.raises(Rejected, match="coincide"):
        enclosed(model(symmetric_qubits(both=False)))


def three_levels(energies: tuple[str, str], *couplings: list[Any]) -> dict[str, Any]:
    """One site of charges 0, 1, 2, whose ground level has no energy."""
    document = tilted_qubits(*couplings)
    document["question"]["target"] = "populations"
    document["system"] = {
        "dimensions": [3],
        "charge": [[0, 1, 2]],
        "hamiltonian": [[n, n, energy] for n, energy in enumerate(energies, start=1)],
    }
    return document


TO_GROUND = ([[0, 1, "1"]], [[0, 2, "1"]])


def test_elements_that_are_zero_by_structure_do_no_harm() -> None:
    """The first coupling shifts the charge from 2 to 1 just as well, but has no such element."""
    document = three_levels(("1", "1"), *TO_GROUND)
    assert len(enclosed(model(document)).populations) == 3
    cell = boxes.cell(document, ["bath.A.beta"], ((fmpq(1), fmpq(2)),), 2)
    assert len(cells.cell_setting(cell).populations) == 3


# Over a cell.


def over_crossing(low: str, high: str, **changes: Any) -> cells.CellSetting:
    ranges = ((exact(Fraction(low)), exact(Fraction(high))),)
    document = crossing(**changes)
    return cells.cell_setting(boxes.cell(document, ["system.field"], ranges, 4))


def test_a_rate_that_jumps_inside_a_cell_leaves_it_open() -> None:
    for low, high in (("0.48", "0.52"), ("0.5", "0.52"), ("0.48", "0.5"), ("0.5", "0.5")):
        with pytest.raises(Unsettled, match="may be zero in the cell"):
            over_crossing(low, high)
        assert over_crossing(low, high, mu="-0.2").populations
    assert over_crossing("0.4999", "0.5001", exponent="1.5").populations
    assert over_crossing("0.51", "0.52").populations
    assert over_crossing("0.48", "0.49").populations


def test_a_chemical_potential_that_reaches_zero_leaves_the_cell_open() -> None:
    document = crossing("0.5")
    for high, settled in ((fmpq(0), False), (fmpq(-1, 10), True)):
        cell = boxes.cell(document, ["bath.left.mu"], ((fmpq(-1, 5), high),), 4)
        document["bath"][1]["mu"] = "-0.2"
        if settled:
            assert cells.cell_setting(cell).populations
        else:
            with pytest.raises(Unsettled, match="may be zero"):
                cells.cell_setting(cell)


def test_a_transition_of_exactly_no_energy_leaves_every_cell_open() -> None:
    document = three_levels(("0", "1"), *TO_GROUND)
    with pytest.raises(Unsettled, match="may be zero"):
        cells.cell_setting(boxes.cell(document, ["bath.A.beta"], ((fmpq(1), fmpq(2)),), 2))
