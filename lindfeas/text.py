"""Numbers and tables as text: intervals rounded outwards, tables for terminals and notebooks.

A report is a list of parts, such as `Facts` and `Grid`. It is listed once and rendered by
`rich_report` (terminals), `plain_report` (``print``) and `html_report` (notebooks).
"""

from __future__ import annotations

import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import RenderableType


RATE = "epsilon^2"
"""Unit of defects and rates: the strength of the coupling to the baths is taken out."""

Row = tuple[str, str]
"""A name, and what stands beside it."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a number is called, its symbol in mathtext, and its unit.

    Units are ``energy``, ``1/energy``, ``epsilon^2`` (rates), ``dimensionless``, and so on.
    """

    name: str
    symbol: str
    unit: str


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
    return f"[{rounded(lower, digits, ROUND_FLOOR)}, {rounded(upper, digits, ROUND_CEILING)}]"


def rounded(value: float, digits: int, direction: str) -> str:
    """``value`` to ``digits`` significant digits, exactly rounded in the given direction."""
    if not math.isfinite(value):
        return str(value)
    decimal = Context(prec=digits, rounding=direction).create_decimal(Decimal(value))
    return f"{decimal:{_style(decimal)}}"


def _style(value: Decimal) -> str:
    return "f" if value == 0 or -5 <= value.adjusted() < 6 else "e"


def short_text(value: float | None, direction: str, digits: int = 7) -> str:
    """``value`` to some digits, rounded in a direction of `decimal`; a dash for None."""
    return "-" if value is None else rounded(value, digits, direction)


def text_grid(rows: Sequence[Row]) -> RenderableType:
    """Names and texts side by side, for a terminal."""
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


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a report."""

    text: str


Tone = Literal["no", "yes", "open"]
"""How a badge is coloured."""


@dataclass(frozen=True, slots=True)
class Badge:
    """What matters most, after its name, coloured."""

    name: str
    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Sentence:
    """A line of prose."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and texts side by side."""

    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Grid:
    """A titled table."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


Section = Heading | Badge | Sentence | Facts | Grid

_COLOURS: dict[Tone, str] = {"no": "red", "yes": "green", "open": "yellow"}


def rich_report(sections: Sequence[Section]) -> RenderableType:
    """A report for a terminal."""
    from rich.console import Group

    return Group(*map(_rich, sections))


def _rich(section: Section) -> RenderableType:
    from rich.text import Text

    match section:
        case Heading(text):
            return Text(text, style="bold")
        case Badge(name, text, tone):
            return Text(f"{name}  ") + Text(text, style=f"bold {_COLOURS[tone]}")
        case Sentence(text):
            return Text(text)
        case Facts(rows):
            return text_grid(rows)
        case Grid(title, header, rows):
            return rich_table(title, header, rows)


def plain_report(sections: Sequence[Section], width: int | None = None) -> str:
    """A report as plain text, in the terminal's width unless one is given."""
    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(rich_report(sections))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


STYLE = """
.lindfeas{--lf-line:rgba(128,128,128,.35);--lf-soft:rgba(128,128,128,.10);color:inherit;
font-size:.92em;line-height:1.45;max-width:60em}
.lindfeas p{margin:.4em 0}
.lindfeas .lf-title{font-weight:600;font-size:1.1em}
.lindfeas .lf-badge{display:inline-block;padding:.05em .7em;border-radius:.8em;color:#fff;
font-weight:600}
.lindfeas .lf-no{background:#b3362c}.lindfeas .lf-yes{background:#20783b}
.lindfeas .lf-open{background:#8a6410}
.lindfeas table{border-collapse:collapse;margin:.5em 0;background:none;border:none;
font-size:inherit;color:inherit}
.lindfeas caption{caption-side:top;text-align:left;font-weight:600;padding:.3em 0;color:inherit}
.lindfeas tr,.lindfeas tr:nth-child(even),.lindfeas tr:hover{background:none}
.lindfeas th,.lindfeas td{padding:.15em .8em .15em 0;text-align:left;vertical-align:top;
border:none;border-bottom:1px solid var(--lf-line);font-variant-numeric:tabular-nums;color:inherit}
.lindfeas tr.lf-head th{border-bottom:2px solid var(--lf-line)}
.lindfeas table.lf-facts th{font-weight:normal;opacity:.72;white-space:nowrap}
"""
"""The one stylesheet of all HTML. No colour but the badges' is set, so that it fits light and dark
pages, and every rule is held to what lindfeas has drawn."""


def html_report(sections: Sequence[Section]) -> str:
    """A report as an HTML fragment, for a notebook's ``_repr_html_``."""
    body = "".join(map(_html, sections))
    return f'<div class="lindfeas"><style>{STYLE}</style>{body}</div>'


class Shown:
    """What a notebook shows as a report."""

    __slots__ = ()

    def _sections(self) -> list[Section]:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return html_report(self._sections())


def short_list(items: Sequence[object], most: int = 6) -> str:
    """Some things one after the other, and how many more there are."""
    shown = ", ".join(map(str, items[:most]))
    return shown if len(items) <= most else f"{shown}, ... ({len(items)})"


def _html(section: Section) -> str:
    match section:
        case Heading(text):
            return f'<p class="lf-title">{html.escape(text)}</p>'
        case Badge(name, text, tone):
            badge = f'<span class="lf-badge lf-{tone}">{html.escape(text)}</span>'
            return f"<p>{html.escape(name)} {badge}</p>"
        case Sentence(text):
            return f"<p>{html.escape(text)}</p>"
        case Facts(rows):
            named = (_cells("th", [name]) + _cells("td", [value]) for name, value in rows)
            body = "".join(f"<tr>{cells}</tr>" for cells in named)
            return f'<table class="lf-facts">{body}</table>'
        case Grid(title, header, rows):
            caption = f"<caption>{html.escape(title)}</caption>" if title else ""
            head = f'<tr class="lf-head">{_cells("th", header)}</tr>'
            body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
            return f"<table>{caption}{head}{body}</table>"


def _cells(tag: str, cells: Sequence[str]) -> str:
    return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
