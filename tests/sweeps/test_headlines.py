"""Printed values and claims beside certified intervals: what becomes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from click.testing import CliRunner

from lindfeas.cli import main
from lindfeas.program.verdict import Verdict
from lindfeas.sweeps.headlines import HEADLINES, Fate, Headline, Outcome, question

VALUE = Headline(where="Fig. 0", printed=Decimal("1.50e-4"), coupling=0.1)
CLAIM = Headline(where="Sec. 0", claim=Verdict.IMPOSSIBLE, coupling=0.1)


@pytest.mark.parametrize(
    ("lower", "upper", "fate"),
    [
        (1.4e-4, 1.6e-4, Fate.AGREES),
        (1.504e-4, 1.6e-4, Fate.AGREES),  # the digits stand for 1.495 to 1.505
        (1.506e-4, 1.6e-4, Fate.TOO_LOW),
        (0.0, 1.494e-4, Fate.TOO_HIGH),
        (0.0, 1.496e-4, Fate.AGREES),
    ],
)
def test_a_printed_value_stands_for_what_rounds_to_it(
    lower: float, upper: float, fate: Fate
) -> None:
    assert Outcome(headline=VALUE, lower=lower, upper=upper).fate == fate


@pytest.mark.parametrize(
    ("lower", "upper", "if_impossible", "if_possible"),
    [
        (1e-6, 1e-3, Fate.SURVIVES, Fate.FALLS),
        (0.0, 0.9e-6, Fate.FALLS, Fate.SURVIVES),
        (0.9e-6, 1e-6, Fate.OPEN, Fate.OPEN),
    ],
)
def test_a_claim_is_judged_by_the_interval(
    lower: float, upper: float, if_impossible: Fate, if_possible: Fate
) -> None:
    for claim, fate in ((Verdict.IMPOSSIBLE, if_impossible), (Verdict.POSSIBLE, if_possible)):
        headline = replace(CLAIM, claim=claim)
        assert Outcome(headline=headline, lower=lower, upper=upper).fate == fate


def test_how_far_a_value_is_off_is_relative_to_the_nearer_end() -> None:
    assert Outcome(headline=VALUE, lower=3e-4, upper=4e-4).off == pytest.approx(0.5)
    assert Outcome(headline=VALUE, lower=0.0, upper=1e-4).off == pytest.approx(0.5)
    assert Outcome(headline=VALUE, lower=1e-4, upper=2e-4).off is None
    assert Outcome(headline=CLAIM, lower=1e-4, upper=2e-4).off is None


def test_every_headline_is_a_value_or_a_claim() -> None:
    for headline in HEADLINES:
        assert (headline.printed is None) != (headline.claim is None)


def test_the_chain_is_the_one_that_is_named() -> None:
    biased = replace(VALUE, left=2, middle=1, right=2, bias=0.01, coherences=True)
    asked = question(biased)
    assert [bath.sites for bath in asked.system.baths] == [(0, 1), (3, 4)]
    assert asked.system.dimensions == (2,) * 5
    assert asked.target_name == "populations+coherences"
    trace = asked.system.hamiltonian.toarray()[0, 0].real  # all up: fields and exchange
    assert trace == pytest.approx(2 * 0.5 + 3 * 0.505 + 4 * 0.1)


def test_the_command_shows_what_the_pages_say() -> None:
    """Four digits of the certified values on the page of the published figures."""
    printed = CliRunner().invoke(main, ["paper", "--json"])
    assert printed.exit_code == 0
    found = json.loads(printed.output)
    assert found["version"] == "3 February 2026"
    rows = {(row["where"], row["coupling"]): row for row in found["headlines"]}
    assert len(rows) == len(HEADLINES)
    biased = rows["Fig. A1(a)", 0.1]
    assert (biased["lower"], biased["fate"]) == (pytest.approx(1.324887161e-3), Fate.TOO_LOW)
    assert rows["Fig. 2(c)", 0.001]["fate"] == Fate.AGREES
    assert rows["Fig. 3(a)", 0.01]["lower"] >= 4.56198e-8
    assert rows["Sec. III B, at equilibrium", 0.01]["lower"] == pytest.approx(6.6067e-6, rel=1e-4)
    free, fixed = rows["Sec. I, for any Lindbladian", 0.0123], rows[HEADLINES[10].where, 0.0123]
    assert (free["fate"], fixed["fate"]) == (Fate.FALLS, Fate.SURVIVES)
    for row in found["headlines"]:
        assert row["lower"] <= row["upper"] < max(1.01 * row["lower"], 1e-10)
