"""How an answer looks to a reader: tables for the terminal, HTML for a notebook."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lindfeas.answer import Answer
    from lindfeas.backends import SolverStatus
    from lindfeas.dynamics import SteadyStateCheck
    from lindfeas.lindbladian import Lindbladian

STRONGEST = 3
"""How many jump operators of a region, and how many terms of each, are shown."""

SMALLEST_RATE = 1e-6
"""Jump operators with rates below this fraction of the region's largest are left out."""

SMALLEST_TERM = 0.1
"""Terms of a normalised jump operator below this are left out."""

STEADY_STATE = "Steady state of the candidate"

_COLOURS = {"impossible": "red", "possible": "green", "undecided": "yellow"}
_UNKNOWN = "unknown"

Row = tuple[str, str]


def answer_table(title: str, answer: Answer) -> RenderableType:
    """The whole answer as tables for a terminal.

    Parameters
    ----------
    title
        Headline, such as the problem's title.
    answer
        What `lindfeas.certification.certify` returned.
    """
    from rich.console import Group
    from rich.text import Text

    verdict = Text(answer.verdict, style=f"bold {_COLOURS.get(answer.verdict, '')}".strip())
    parts: list[RenderableType] = [Text(title, style="bold"), Text("verdict  ") + verdict]
    parts.append(_grid(summary_rows(answer)))
    parts.append(rich_table("attempts", *attempts(answer)))
    if answer.candidate is not None:
        parts.append(rich_table("Lindbladian found", *jump_operators(answer.candidate)))
        parts.append(_grid(candidate_rows(answer.candidate)))
        if answer.check is not None:
            if answer.check.rows:
                parts.append(rich_table(STEADY_STATE, *steady_state(answer.check)))
            parts.append(Text(answer.check.conclusion))
    return Group(*parts)


def answer_html(answer: Answer) -> str:
    """The whole answer as an HTML fragment, for a notebook's ``_repr_html_``."""
    parts = [f"<p><b>{html.escape(answer.verdict)}</b></p>", _html_rows(summary_rows(answer))]
    parts.append(_html_table("attempts", *attempts(answer)))
    if answer.candidate is not None:
        parts.append(_html_table("Lindbladian found", *jump_operators(answer.candidate)))
        parts.append(_html_rows(candidate_rows(answer.candidate)))
        if answer.check is not None:
            if answer.check.rows:
                parts.append(_html_table(STEADY_STATE, *steady_state(answer.check)))
            parts.append(f"<p>{html.escape(answer.check.conclusion)}</p>")
    return "<div>" + "".join(parts) + "</div>"


def solvers_table(status: Iterable[SolverStatus]) -> RenderableType:
    """Which solvers can be used here, as a table for a terminal."""
    rows = [
        (row.name, row.version or "-", "yes" if row.usable else "no", row.message) for row in status
    ]
    return rich_table("solvers", ("solver", "version", "usable", "message"), rows)


def summary_rows(answer: Answer) -> list[Row]:
    """The answer's main facts as (name, text)."""
    rows = [("reason", answer.reason)] if answer.reason else []
    rows.append(("target", answer.target))
    if answer.norm:
        rows.append(("norm", answer.norm))
    rows.append(("optimal defect", interval_text(answer.lower, answer.upper)))
    rows.append(("", "lower bound proved" if answer.proved else "certified in double precision"))
    rows.append(("tolerance", f"{answer.tolerance:g}"))
    if answer.hamiltonian_limit is not None:
        rows.append(("local Hamiltonians", f"up to {answer.hamiltonian_limit:g} (norm of each)"))
    distance = answer.trace_distance
    if distance.lower is not None or distance.upper is not None:
        rows.append(("trace distance", interval_text(distance.lower, distance.upper)))
    if distance.lemma1 is not None:
        rows.append(("  by Lemma 1", f">= {_rounded(distance.lemma1, 4, ROUND_FLOOR)}"))
    rows.append(("solver", f"{answer.solver or 'none'}, {answer.seconds:.2f} s in all"))
    if answer.certificate:
        rows.append(("certificate", str(answer.certificate)))
    return rows


def attempts(answer: Answer) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of solver runs, the failed ones among them."""
    header = ("solver", "scale", "status", "lower", "upper", "seconds", "message")
    rows = [
        (
            attempt.solver,
            f"{attempt.scale:.3g}",
            str(attempt.status).replace("_", " "),
            short_text(attempt.lower, ROUND_FLOOR, 4),
            short_text(attempt.upper, ROUND_CEILING, 4),
            f"{attempt.seconds:.2f}",
            attempt.message or "",
        )
        for attempt in answer.attempts
    ]
    return header, list(rows)


def jump_operators(candidate: Lindbladian) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of each region's strongest jump operators."""
    header = ("region", "sites", "rate", "jump rate", "jump operator (normalised)")
    rows: list[Sequence[str]] = []
    for region in candidate.regions:
        first = (region.name, ", ".join(map(str, region.sites)), f"{region.rate:.6g}")
        # expanded in the orthonormal basis: tr(f_i^dag L_n)
        terms = np.einsum("iab,nab->ni", region.basis.conj(), region.jump_operators)
        shown = region.jump_rates > SMALLEST_RATE * region.jump_rates[0]
        for number, rate in enumerate(region.jump_rates[shown][:STRONGEST]):
            operator = _operator(terms[number], region.basis_labels)
            rows.append((*(first if number == 0 else ("", "", "")), f"{rate:.4g}", operator))
    return header, rows


def candidate_rows(candidate: Lindbladian) -> list[Row]:
    """What is known about the Lindbladian found, as (name, text)."""
    unique = {True: "unique", False: "not unique"}.get(candidate.steady_state_unique, _UNKNOWN)
    gap = candidate.spectral_gap
    return [
        ("its steady state", unique),
        ("its spectral gap", _UNKNOWN if gap is None else f"{gap:.4g}"),
    ]


def steady_state(check: SteadyStateCheck) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of errors at falling strength, the limit last."""
    header = ("eps", "population error", "coherence error")
    shown = [*check.rows, *([] if check.limit is None else [check.limit])]
    rows = [
        (
            f"{row.epsilon:g}" if row.epsilon else "-> 0",
            f"{row.population_error:.3g}",
            "-" if row.coherence_error is None else f"{row.coherence_error:.3g}",
        )
        for row in shown
    ]
    return header, list(rows)


def interval_text(lower: float | None, upper: float | None) -> str:
    """A certified interval with as many digits as its ends share, rounded outwards.

    Examples
    --------
    >>> interval_text(2.038781797e-09, 2.043279042e-09)
    '[2.03878e-9, 2.04328e-9]'
    """
    if lower is None or upper is None:
        known = (
            short_text(upper, ROUND_CEILING) if lower is None else short_text(lower, ROUND_FLOOR)
        )
        return known if known == "-" else f"{'<=' if lower is None else '>='} {known}"
    digits = 4
    width, size = abs(upper - lower), max(abs(lower), abs(upper))
    if width > 0 and math.isfinite(size):
        digits = max(digits, 3 + math.ceil(math.log10(size / width)))
    elif width == 0:
        digits = 17
    digits = min(digits, 17)
    return f"[{_rounded(lower, digits, ROUND_FLOOR)}, {_rounded(upper, digits, ROUND_CEILING)}]"


def _rounded(value: float, digits: int, direction: str) -> str:
    """``value`` to ``digits`` significant digits, exactly rounded in the given direction."""
    if not math.isfinite(value):
        return str(value)
    decimal = Context(prec=digits, rounding=direction).create_decimal(Decimal(value))
    return f"{decimal:{_style(decimal)}}"


def _style(value: Decimal) -> str:
    return "f" if value == 0 or -5 <= value.adjusted() < 6 else "e"


def short_text(value: float | None, direction: str, digits: int = 7) -> str:
    """``value`` to some digits, rounded in a direction of `decimal`; a dash for None."""
    return "-" if value is None else _rounded(value, digits, direction)


def _operator(vector: NDArray[Any], labels: Sequence[str]) -> str:
    """A normalised combination of basis operators, its largest term real and positive."""
    order = np.argsort(-np.abs(vector), kind="stable")
    phase = vector[order[0]] / abs(vector[order[0]])
    terms = [(complex(vector[k] / phase), labels[k]) for k in order[:STRONGEST]]
    return " + ".join(
        f"{_coefficient(c)} [{label}]" for c, label in terms if abs(c) >= SMALLEST_TERM
    ).replace("+ -", "- ")


def _coefficient(value: complex) -> str:
    if abs(value.imag) < 5e-3:
        return f"{value.real:.2f}"
    return f"({value.real:.2f}{value.imag:+.2f}i)"


def _grid(rows: Sequence[Row]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    return table


def rich_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    """A titled table for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _html_rows(rows: Sequence[Row]) -> str:
    return "<table>" + "".join(_html_row(row, "td") for row in rows) + "</table>"


def _html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = "".join(_html_row(row, "td") for row in rows)
    caption = f"<caption>{html.escape(title)}</caption>"
    return f"<table>{caption}{_html_row(header, 'th')}{body}</table>"


def _html_row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"
