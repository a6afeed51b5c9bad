"""How an answer looks to a reader: tables for the terminal, HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lindfeas.answers.answer import (
    STEADY_STATE,
    attempts,
    candidate_rows,
    jump_operators,
    steady_state,
    summary_rows,
)
from lindfeas.program.verdict import Verdict
from lindfeas.text import rich_table, text_grid

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lindfeas.answers.answer import Answer
    from lindfeas.solvers.catalogue import SolverStatus

_COLOURS = {Verdict.IMPOSSIBLE: "red", Verdict.POSSIBLE: "green", Verdict.UNDECIDED: "yellow"}


def answer_table(title: str, answer: Answer) -> RenderableType:
    """The whole answer as tables for a terminal.

    Parameters
    ----------
    title
        Headline, such as the problem's title.
    answer
        What `lindfeas.answers.certify.certify` returned.
    """
    from rich.console import Group
    from rich.text import Text

    verdict = Text(answer.verdict, style=f"bold {_COLOURS.get(answer.verdict, '')}".strip())
    parts: list[RenderableType] = [Text(title, style="bold"), Text("verdict  ") + verdict]
    parts.append(text_grid(summary_rows(answer)))
    parts.append(rich_table("attempts", *attempts(answer)))
    if answer.candidate is not None:
        parts.append(rich_table("Lindbladian found", *jump_operators(answer.candidate)))
        parts.append(text_grid(candidate_rows(answer)))
        if answer.check is not None:
            if answer.check.rows:
                parts.append(rich_table(STEADY_STATE, *steady_state(answer.check)))
            parts.append(Text(answer.check.conclusion))
    return Group(*parts)


def solvers_table(status: Iterable[SolverStatus]) -> RenderableType:
    """Which solvers can be used here, as a table for a terminal."""
    rows = [
        (row.name, row.version or "-", "yes" if row.usable else "no", row.message) for row in status
    ]
    return rich_table("solvers", ("solver", "version", "usable", "message"), rows)
