"""How a comparison looks to a reader: two tables for every problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import TYPE_CHECKING

from lindfeas.errors import End
from lindfeas.files.columns import ComparisonRow
from lindfeas.sweeps.solver_comparison import by_problem
from lindfeas.text import rich_table, short_text

if TYPE_CHECKING:
    from rich.console import RenderableType


def comparison_report(rows: Iterable[ComparisonRow]) -> RenderableType:
    """What the solvers report, what is certified, and what happened to those that did not end."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    for name, group in by_problem(rows).items():
        title = f"{name}: {group[0].title}" if group[0].title else name
        parts.append(Text(title, style="bold"))
        parts.append(rich_table("as reported by one plain solve", *reported(group)))
        parts.append(rich_table("certified", *certified(group)))
        parts += [Text(note) for note in notes(group)]
    return Group(*parts)


def reported(rows: Iterable[ComparisonRow]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows: status and objective as reported, and how far off the latter is."""
    header = ("solver", "status", "objective", "off by", "steps", "compile", "solve")
    return header, [
        (
            row.solver,
            (row.status or row.outcome).replace("_", " "),
            _plain_number(row.objective, 7),
            _off_by(row),
            "-" if row.iterations is None else str(row.iterations),
            _seconds(row.compile_seconds),
            _seconds(row.solve_seconds),
        )
        for row in rows
    ]


def certified(rows: Iterable[ComparisonRow]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows: the certified interval, its width, and that of the plain solve alone."""
    header = ("solver", "lower", "upper", "width", "plain width", "solves", "time")
    return header, [
        (
            row.solver,
            short_text(row.lower, ROUND_FLOOR),
            short_text(row.upper, ROUND_CEILING),
            _plain_number(row.width, 2),
            _plain_number(row.plain_width, 2),
            "-" if row.solves is None else str(row.solves),
            _seconds(row.seconds),
        )
        for row in rows
    ]


def notes(rows: Iterable[ComparisonRow]) -> list[str]:
    """One line for every solver that did not simply answer."""
    return [
        f"{row.solver} {row.outcome}: {row.message}"
        for row in rows
        if row.message or row.outcome != End.ANSWERED
    ]


def _off_by(row: ComparisonRow) -> str:
    wrong = " wrong" if row.objective_holds is False else ""
    return _plain_number(row.objective_error, 2) + wrong


def _plain_number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
