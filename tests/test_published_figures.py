"""The panels of the published figures: their problem files, tables, pictures and page."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lindfeas.answers.certify import certify, verdict_of
from lindfeas.checker import verify
from lindfeas.files.problem_file import ProblemFile, problem_from_document, read_problem
from lindfeas.files.table import Table, read_table
from lindfeas.program.bounds import Interval
from lindfeas.sweeps.sweep import sweep_plan
from lindfeas.theorems.certificate import read_certificate

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "published-figures.md"
NAMES = sorted(path.stem for path in (ROOT / "problems").glob("figure-*.toml"))
FREE = "-free-rates"
"""Tables of a panel's file with ``--set`` of `FREE_RATES`."""
FREE_RATES = 'ansatz.rates={ rule = "range", min = 0.0, max = 1e4 }'
FREED = [
    f"figure-{panel}{FREE}" for panel in ("2b", "2d", "3d", "5-equilibrium", "5-nonequilibrium")
]
TABLES = NAMES + FREED
REFERENCE = list(csv.DictReader((ROOT / "tests/data/xxz-certified.csv").read_text().splitlines()))

DIGITS = 8
"""Decimals of the published grid."""
COUPLINGS = [float(x) for x in np.geomspace(1e-3, 1, 12).round(DIGITS)]
BETAS = [float(x) for x in np.geomspace(0.1, 10, 12).round(DIGITS)]
CURVES = [10.0, 5.0, 1.0, 0.5]
"""Right inverse temperatures of Figs. 2, 3, A1 and A2."""

LEFT, RIGHT, EXCHANGE = "bath.left.beta", "bath.right.beta", "system.coupling"
TWO_BATHS = {"2": 1, "3": 2, "a1": 1, "a2": 2}
"""Figure: sites in each of the two baths; two more are between them."""

PRINTED = 1e-9
"""Relative: the reference has ten digits."""

SHOWN = 1e-3
"""Relative: the page shows four digits."""


@cache
def problem(name: str) -> ProblemFile:
    file = ROOT / "problems" / f"{name.removesuffix(FREE)}.toml"
    return read_problem(file, [FREE_RATES] if name.endswith(FREE) else [])


@cache
def table(name: str) -> Table:
    return read_table(ROOT / "results" / name)


def axes(name: str) -> dict[str, list[float]]:
    return {axis.key: [float(value) for value in axis.values] for axis in problem(name).sweep}


def target(letter: str) -> str:
    return "populations" if letter in "ac" else "populations+coherences"


def _two_bath_panels() -> Iterator[tuple[str, str, str]]:
    """(name of the file, figure, letter)."""
    for figure, ends in TWO_BATHS.items():
        for letter in "abcd":
            yield f"figure-{figure}{letter}", figure, letter
            if ends == 1 and letter in "ab":
                yield f"figure-{figure}{letter}-captioned", figure, letter


TWO = list(_two_bath_panels())
SINGLE = [f"figure-4{letter}{what}" for letter in "ab" for what in ("", "-temperature")]
FIFTH = ["figure-5-equilibrium", "figure-5-nonequilibrium"]


# What the files ask.


def test_every_panel_has_a_file() -> None:
    assert sorted([name for name, _, _ in TWO] + SINGLE + FIFTH) == NAMES


@pytest.mark.parametrize(("name", "figure", "letter"), TWO)
def test_a_chain_between_two_baths(name: str, figure: str, letter: str) -> None:
    ends = TWO_BATHS[figure]
    sites = 2 * ends + 2
    along = {LEFT: BETAS} if letter in "ab" else {EXCHANGE: COUPLINGS}
    assert axes(name) == {RIGHT: CURVES, **along}
    system = problem(name).document["system"]
    bias = 0.005 if figure.startswith("a") else 0.0
    fields = np.broadcast_to(np.array(system["field"], dtype=float), sites)
    assert fields == pytest.approx(0.5 + bias * (np.arange(sites) >= sites // 2), abs=1e-15)
    assert system["sites"] == sites
    left, right = problem(name).question.system.baths
    assert left.sites == tuple(range(ends))
    assert right.sites == tuple(range(sites - ends, sites))
    assert left.beta == 1.0
    if letter in "ab":
        at_a_tenth = ends == 1 and not name.endswith("captioned")
        assert float(system["coupling"]) == (0.1 if at_a_tenth else 0.01)
    assert problem(name).question.target == target(letter)


@pytest.mark.parametrize("name", SINGLE)
def test_three_qubits_in_one_bath(name: str) -> None:
    along = {LEFT: BETAS} if name.endswith("temperature") else {EXCHANGE: COUPLINGS}
    assert axes(name) == {"system.sites": [3, 4, 5, 6], **along}
    (bath,) = problem(name).question.system.baths
    assert (bath.sites, bath.beta) == ((0, 1, 2), 1.0)
    assert problem(name).question.target == target(name[len("figure-4")])


def test_three_qubits_with_a_bath_each() -> None:
    for name in FIFTH:
        assert axes(name) == {EXCHANGE: COUPLINGS}
        assert problem(name).question.target == "populations+coherences"
    (bath,) = problem(FIFTH[0]).question.system.baths
    assert [bath.density_of(site)(1e-9) * 1e9 for site in range(3)] == pytest.approx([1, 1.5, 2])
    left, right = problem(FIFTH[1]).question.system.baths
    assert (left.sites, left.beta, right.sites, right.beta) == ((0,), 1.0, (1, 2), 5.0)


@pytest.mark.parametrize("name", NAMES)
def test_what_all_panels_share(name: str) -> None:
    asked = problem(name).question
    assert (asked.norm, asked.tolerance) == ("spectral", 1e-6)
    assert asked.rates.rule == "each"
    assert set(asked.rates.bounds(len(asked.system.baths)).upper) == {1.0}
    assert float(problem(name).document["system"]["anisotropy"]) == 1.0


# What the tables hold.

SHORT_OF_POSSIBLE = ("figure-2d-free-rates", "figure-4b", "figure-4b-temperature")
"""Tables with points that are undecided although their optimum is below the tolerance."""


@pytest.mark.parametrize("name", TABLES)
def test_the_table_answers_every_point_of_its_file(name: str) -> None:
    asked = sweep_plan(problem(name)).tasks
    if "criterion" in table(name).arrow.column_names:  # older tables have other names
        assert table(name).column("point") == [task.key for task in asked]
    for row, task in zip(table(name).rows(), asked, strict=True):
        assert row["error"] is None
        assert {key: row[key] for key in task.values} == task.values
        expected = verdict_of(Interval(row["lower"], row["upper"]), row["tolerance"])
        # below the tolerance, but by a Lindbladian whose rates or populations do not count
        short = name in SHORT_OF_POSSIBLE and row["verdict"] == "undecided"
        assert row["verdict"] == expected or (short and expected == "possible")


@pytest.mark.parametrize("name", TABLES)
def test_a_point_of_the_table_is_found_again(name: str) -> None:
    row = min(table(name).rows(), key=lambda row: row["seconds"])  # the quickest: tests are many
    points = product(*(axis.values for axis in problem(name).sweep))
    keys = [axis.key for axis in problem(name).sweep]
    asked = [dict(zip(keys, values, strict=True)) for values in points]
    (point,) = [p for p in asked if all(float(p[key]) == row[key] for key in keys)]
    answer = certify(problem(name).at(point).question, sharp=False, check=False)
    assert answer.verdict == row["verdict"]
    assert answer.lower <= row["upper"]
    assert answer.upper >= row["lower"]


@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row["panel"])
def test_the_tables_agree_with_the_reference(row: dict[str, str]) -> None:
    figure, letter = row["panel"][0], row["panel"][2]
    found = reference_point(f"figure-{figure}{letter}", row)
    assert found["lower"] <= float(row["tau_pop_upper"]) * (1 + PRINTED)
    assert found["upper"] >= float(row["tau_pop_lower"]) * (1 - PRINTED)
    if row["tau_popcoh_spectral"]:
        value = float(row["tau_popcoh_spectral"])
        accuracy = max(1e-6 * value, 2e-9)
        found = reference_point(f"figure-{figure}{'b' if letter == 'a' else 'd'}", row)
        assert found["lower"] <= value + accuracy
        assert found["upper"] >= value - accuracy


def reference_point(name: str, row: dict[str, str]) -> dict[str, Any]:
    columns = {LEFT: "beta_left", RIGHT: "beta_right", EXCHANGE: "coupling"}
    wanted = {key: float(row[columns[key]]) for key in axes(name)}
    (found,) = [r for r in table(name).rows() if all(r[k] == v for k, v in wanted.items())]
    return found


# The counterexample of Fig. 5.


def test_a_steady_state_between_two_temperatures_has_a_lindbladian() -> None:
    """With free rates, where Sec. I and Fig. 5 of the SDP-paper say that there is none."""
    content = read_certificate(ROOT / "results" / f"{FIFTH[1]}{FREE}.certificate.json")
    proof = verify(content)
    assert proof.status == "accepted", proof.reason
    assert float(proof.upper or "nan") < 1e-11
    asked = problem_from_document(content["problem"], decimal_strings=True).question
    left, right = asked.system.baths
    assert (left.sites, left.beta, right.sites, right.beta) == ((0,), 1.0, (1, 2), 5.0)
    answer = certify(asked)
    assert answer.verdict == "possible"
    assert answer.candidate is not None
    for region in answer.candidate.regions:
        assert np.linalg.eigvalsh(region.kossakowski)[0] > 1e-3
    assert answer.check is not None
    limit = answer.check.limit
    assert limit is not None and limit.coherence_error is not None
    assert max(limit.population_error, limit.coherence_error) < 1e-12


# What the page says.


def panel_lines() -> dict[str, list[str]]:
    """Lines of the page's overview, by the name of the file."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [
        [c.strip() for c in line.strip("|").split("|")] for line in lines if "`figure-" in line
    ]
    return {line[0].strip("`"): line[1:] for line in cells if line[0].startswith("`figure-")}


def test_the_overview_has_every_panel() -> None:
    assert sorted(panel_lines()) == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_the_overview_counts_what_the_table_holds(name: str) -> None:
    rows = table(name).rows()
    verdicts = Counter(row["verdict"] for row in rows)
    counts = [verdicts[key] for key in ("impossible", "possible", "undecided")]
    counts += [sum(row["lower"] > 0 for row in rows), sum(row["proved"] for row in rows)]
    *numbers, smallest, largest = panel_lines()[name][1:]
    assert [int(number) for number in numbers] == [len(rows), *counts]
    uppers = [row["upper"] for row in rows]
    assert float(smallest) == pytest.approx(min(uppers), rel=SHOWN)
    assert float(largest) == pytest.approx(max(uppers), rel=SHOWN)


@pytest.mark.parametrize("name", TABLES)
def test_the_page_shows_the_picture(name: str) -> None:
    """Its own, or that of all four panels of its figure."""
    names = {name, re.sub(r"^(figure-(2|3|a1|a2))[a-d]$", r"\1", name)}
    page = PAGE.read_text(encoding="utf-8")
    shown = set(re.findall(r"!\[[^\]]+\]\(\.\./results/([\w-]+)\.png\)", page))
    assert names & shown
    assert all((ROOT / "results" / f"{picture}.png").is_file() for picture in shown)
    assert (ROOT / "results" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
