"""Numbers and tables as text: intervals rounded outwards, tables for terminals and notebooks."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING

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


def html_rows(rows: Sequence[Row]) -> str:
    """Names and texts as an HTML table."""
    return "<table>" + "".join(_html_row(row, "td") for row in rows) + "</table>"


def html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A titled table as HTML."""
    body = "".join(_html_row(row, "td") for row in rows)
    caption = f"<caption>{html.escape(title)}</caption>"
    return f"<table>{caption}{_html_row(header, 'th')}{body}</table>"


def _html_row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"
