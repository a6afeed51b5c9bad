"""What a notebook shows of every object that a user holds."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser

import polars
import pytest

from lindfeas import Answer, Question, Rates, certify, score
from lindfeas.files.columns import Axis, Column
from lindfeas.files.table import Table, make_table
from lindfeas.text import STYLE, html_report, short_list
from tests.systems import two_ended_chain

CHAIN = two_ended_chain(1, 1, 1, coupling=0.1, beta_right=5.0)
LOWER, UPPER = 0.123456789, 0.123456999


@cache
def answer() -> Answer:
    return certify(Question(system=CHAIN))


def table(rows: int = 20) -> Table:
    columns = [
        Column(name="g", type="float64", description="", unit="energy"),
        Column(name="lower", type="float64", description="", unit="epsilon^2"),
        Column(name="upper", type="float64", description="", unit="epsilon^2"),
        Column(name="trace_distance_upper", type="float64", description="", unit="dimensionless"),
        Column(name="error", type="string", description=""),
        Column(name="seconds", type="float64", description="", unit="second"),
    ]
    content = [
        {"g": float(n), "lower": LOWER, "upper": UPPER, "trace_distance_upper": 0.5}
        for n in range(rows)
    ]
    axes = [Axis(key="g", values=tuple(float(n) for n in range(rows)))]
    return make_table(content, columns, kind="sweep", problem={"title": "<b>"}, axes=axes)


class Balance(HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


THINGS = {
    "system": (lambda: CHAIN, ("Open system", "2, 2, 2", "(1, 0) on every site", "right")),
    "bath": (lambda: CHAIN.baths[1], ("Thermal bath", "right", "Ohmic, strength 1")),
    "question": (
        lambda: Question(system=CHAIN, rates=Rates.range(0.5, 2.0)),
        ("populations", "between 0.5 and 2.0", "0.0001", "Open system"),
    ),
    "redfield": (lambda: answer().reference, ("Redfield equation", "population", "-1.3")),
    "lindbladian": (lambda: answer().candidate, ("Lindbladian", "unique", "[-]", "[+]")),
    "table": (table, ("&lt;b&gt;", "20 rows, the first 12", "g [energy]")),
    "answer": (answer, ("impossible", "attempts")),
    "score": (
        lambda: score(answer().question, answer().candidate, answer=answer()),
        ("Your Lindbladian", "moves site 1 by"),
    ),
}


@pytest.mark.parametrize("name", sorted(THINGS))
def test_it_shows_what_it_is(name: str) -> None:
    build, words = THINGS[name]
    text = build()._repr_html_()
    for word in words:
        assert word in text, word
    assert Balance(text).open == []
    assert text.startswith('<div class="lindfeas"><style>')


def test_the_style_sets_no_colour_of_text_or_page() -> None:
    """It must be readable on light and dark pages: only a badge has both of its colours."""
    rules = re.findall(r"([^{}]+)\{([^}]*)\}", STYLE)
    assert len(rules) > 10
    for selector, body in rules:
        assert all(part.strip().startswith(".lindfeas") for part in selector.split(",")), selector
        for name, value in re.findall(r"(?<![-\w])(color|background):([^;]+)", body):
            badge = re.search(r"lf-(badge|no|yes|open)", selector)
            assert badge or value.strip() in ("inherit", "none"), (selector, name, value)


def test_ends_of_intervals_are_rounded_outwards() -> None:
    cells = re.findall(r"<td>(0\.\d+)</td>", table(1)._repr_html_())
    assert Decimal(cells[0]) <= Decimal(LOWER) and Decimal(cells[1]) >= Decimal(UPPER)


def test_columns_without_content_are_left_out() -> None:
    text = table()._repr_html_()
    assert "error" not in text and "seconds" not in text and "dimensionless" not in text


def test_the_table_in_polars_and_pandas() -> None:
    own = table(3)
    frame = own.to_polars()
    assert isinstance(frame, polars.DataFrame) and frame["g"].to_list() == [0.0, 1.0, 2.0]
    assert own.to_pandas().attrs["axes"] == {"g": [0.0, 1.0, 2.0]}
    assert own.to_pandas().attrs["units"]["lower"] == "epsilon^2"


def test_a_long_list_is_cut() -> None:
    assert short_list(range(3)) == "0, 1, 2"
    assert short_list(range(9), most=2) == "0, 1, ... (9)"
    assert html_report([]).endswith("</style></div>")
