"""What a reader sees: intervals that still enclose, and every attempt."""

from __future__ import annotations

import html
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from lindfeas.answers.answer import Answer
from lindfeas.answers.certify import certify
from lindfeas.answers.report import sections, summary_rows
from lindfeas.answers.trace_distance import TraceDistance
from lindfeas.cli import main
from lindfeas.files.problem_file import read_problem
from lindfeas.text import html_report, interval_text, plain_report, rich_report
from tests.console import printed

PROBLEM = Path(__file__).parents[2] / "problems" / "qutrit-qubit.toml"
FINITE = st.floats(0, 1e6, allow_nan=False)


@cache
def answer() -> Answer:
    return certify(read_problem(PROBLEM).question)


@given(st.tuples(FINITE, FINITE).map(sorted))
def test_printed_interval_encloses_the_interval(ends: list[float]) -> None:
    lower, upper = interval_text(*ends).strip("[]").split(", ")
    assert Decimal(lower) <= Decimal(ends[0])
    assert Decimal(upper) >= Decimal(ends[1])


@given(st.floats(1e-12, 1.0), st.floats(1e-9, 1.0))
def test_printed_interval_is_hardly_wider(lower: float, relative: float) -> None:
    upper = lower * (1 + relative)
    low, high = map(float, interval_text(lower, upper).strip("[]").split(", "))
    assert high - low <= 1.1 * (upper - lower)


@pytest.mark.parametrize(
    ("lower", "upper", "text"),
    [
        (None, None, "-"),
        (None, 0.5, "<= 0.5"),
        (0.5, None, ">= 0.5"),
        (0.0, 0.0, "[0, 0]"),
        (0.25, float("inf"), "[0.25, inf]"),
        (2.038781797e-09, 2.043279042e-09, "[2.03878e-9, 2.04328e-9]"),
    ],
)
def test_interval_text(lower: float | None, upper: float | None, text: str) -> None:
    assert interval_text(lower, upper) == text


def test_table_shows_the_candidate() -> None:
    text = printed(rich_report(sections(answer(), "the title")))
    for part in ("the title", "possible", "hot", "cold", "spectral gap", "unique", "|0><1|"):
        assert part in text


def test_table_shows_failed_attempts() -> None:
    failed = replace(
        answer().attempts[0],
        solver="SCS",
        status="failed",
        message="SolverError: ran [bold]out[/bold]",
        lower=None,
        upper=None,
    )
    whole = replace(answer(), attempts=(failed, *answer().attempts))
    text = printed(rich_report(sections(whole, detail=1)))
    assert "ran [bold]out[/bold]" in text
    assert "CLARABEL" in text and "SCS" in text


def test_without_a_candidate() -> None:
    bare = replace(
        answer(),
        verdict="undecided",
        reason="the interval straddles",
        optimal=None,
        nearest=None,
        trace_distance=TraceDistance(lower=None, upper=None, lemma1=None),
    )
    text = printed(rich_report(sections(bare)))
    assert "The interval straddles." in text
    assert "trace distance T" not in text
    assert "The interval straddles." in html_report(sections(bare))


def test_proved_and_certified_are_told_apart() -> None:
    proved = replace(answer(), proved=True, proved_quantities=("defect", "exact", "distance"))

    def words(one: Answer) -> str:
        return " ".join(text for _, text in summary_rows(one))

    assert "certified in double precision" in words(answer())
    assert "its lower end proved" in words(proved)


def test_html_is_escaped() -> None:
    failed = replace(answer().attempts[0], message="<script>")
    text = html_report(sections(replace(answer(), attempts=(failed,)), detail=1))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "|0&gt;&lt;1|" in text
    assert answer()._repr_html_() == html_report(sections(answer(), detail=1))


def test_print_shows_what_the_command_shows() -> None:
    command = CliRunner().invoke(main, ["certify", str(PROBLEM)], env={"COLUMNS": "100"})
    shown = plain_report(sections(answer(), read_problem(PROBLEM).title), width=100)

    def without_times(text: str) -> list[str]:
        # the solver's seconds differ from run to run, and the command also proves
        skipped = ("CLARABEL", "solver", "certified in", "lower bound proved", "optimal", "trace")
        lines = (line.rstrip() for line in text.splitlines())
        return [line for line in lines if not any(word in line for word in skipped)]

    assert without_times(command.stdout) == without_times(shown)
    assert str(answer()).splitlines()[0].startswith("verdict  possible within T < 1e-4; exactly: ")
    assert not any(line.endswith(" ") for line in str(answer()).splitlines())


def test_both_renderings_have_every_word() -> None:
    whole = replace(answer(), reason="why <not>", certificate="here.json")
    page, text = html_report(sections(whole)), plain_report(sections(whole), width=300)
    words = {html.escape(word) for word in text.split() if set(word) - set("─━")}
    assert len(words) > 50
    assert {word for word in words if word not in page} == set()
