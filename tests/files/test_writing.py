"""A question written down is the same question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lindfeas import (
    Bath,
    CustomDensity,
    DrudeLorentz,
    InputError,
    Ohmic,
    OpenSystem,
    Question,
    Rates,
    certify,
    read_problem,
    redfield_equation,
    write_problem,
)
from lindfeas.program.target import coherences
from tests.systems import SIGMA_MINUS, SIGMA_Z, oscillator_and_qubit, two_ended_chain

CHAIN = two_ended_chain(2, 0, 1, coupling=0.1, beta_right=float("inf"))
QUTRIT = oscillator_and_qubit(beta=0.3, mu=-0.1)
FREE = replace(QUTRIT, charge=None)
FOUND = QUTRIT.with_found_charge()


def reordered() -> OpenSystem:
    """One bath on all of the system, its sites listed backwards."""
    coupling = np.kron(SIGMA_Z + SIGMA_MINUS, np.diag([1.0, 0.3]))
    bath = Bath(name="b", sites=(1, 0), beta=1.0, couplings=(coupling,), region_order=True)
    return OpenSystem(np.diag([1.0, 0.2, -0.3, -1.0]), dimensions=(2, 2), baths=(bath,))


def densities() -> OpenSystem:
    one = Bath(
        name="a",
        sites=(0,),
        beta=1 / 3,
        couplings=(SIGMA_MINUS, SIGMA_Z),
        spectral_density=(Ohmic(strength=0.1, exponent=1.5), Ohmic(strength=0.2, exponent=1.5)),
    )
    two = Bath(
        name="b",
        sites=(1,),
        beta=2.0,
        couplings=(SIGMA_MINUS,),
        spectral_density=DrudeLorentz(strength=0.7, cutoff=3.3),
    )
    return OpenSystem(np.diag([1.0, 0.2, -0.3, -1.0]), dimensions=(2, 2), baths=(one, two))


QUESTIONS = [
    Question(system=CHAIN),
    Question(system=QUTRIT, rates=Rates.total(0.3), tolerance=1.7e-5),
    Question(system=FREE, rates=Rates.each((0.1, 0.2)), lamb_shift=False),
    Question(
        system=FOUND,
        target="populations+coherences",
        norm="trace",
        rates=Rates.range((0.0, 0.1), (1e4, 3e3)),
        hamiltonian_limit=0.7,
    ),
    Question(system=reordered()),
    Question(system=densities()),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_round_trip(question: Question, tmp_path: Path) -> None:
    file = write_problem(question, tmp_path / "p.toml", title='a "title"\twith \\ marks')
    problem = read_problem(file)
    again, old = problem.question, question.system
    assert problem.title == 'a "title"\twith \\ marks'
    for name in ("rates", "lamb_shift", "target", "norm", "tolerance", "hamiltonian_limit"):
        assert getattr(again, name) == getattr(question, name), name
    new = again.system
    assert new.dimensions == old.dimensions and new.charge == old.charge
    assert new.charge_is_found == old.charge_is_found
    assert abs(new.hamiltonian - old.hamiltonian).max() == 0
    for (one, number, operator), (other, _, before) in zip(
        new.couplings(), old.couplings(), strict=True
    ):
        assert abs(operator - before).max() == 0
        assert (one.name, one.beta, one.mu) == (other.name, other.beta, other.mu)
        assert set(one.sites) == set(other.sites)
        assert one.density_of(number) == other.density_of(number)


def test_the_answer_is_the_same(tmp_path: Path) -> None:
    own = Question(system=QUTRIT)
    again = read_problem(write_problem(own, tmp_path / "p.toml")).question
    one, other = certify(own, sharp=False), certify(again, sharp=False)
    assert (one.lower, one.upper) == (other.lower, other.upper)


@pytest.mark.parametrize(
    ("question", "name", "says"),
    [
        (Question(system=QUTRIT), "p.txt", "must end in .toml"),
        (3, "p.toml", "must be of type Question"),
        (
            Question(system=QUTRIT, target=coherences(redfield_equation(QUTRIT))),
            "p.toml",
            "but is a Target",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(
    question: Any, name: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        write_problem(question, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mixed", [False, True])
def test_densities_that_no_file_can_hold_are_refused(mixed: bool, tmp_path: Path) -> None:
    band = CustomDensity(function=lambda w: w * np.exp(-w), leading_coefficient=1.0, scale=1.0)
    several = (Ohmic(exponent=1.0), Ohmic(exponent=2.0)) if mixed else band
    bath = Bath(
        name="b",
        sites=(0,),
        beta=1.0,
        couplings=(SIGMA_MINUS, SIGMA_Z),
        spectral_density=several,
    )
    system = OpenSystem(SIGMA_Z, dimensions=(2,), baths=(bath,))
    with pytest.raises(InputError, match=r"bath\.b\.spectral_density: must be of one family"):
        write_problem(system, tmp_path / "p.toml")
