"""``lindfeas solvers``: what can be used here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from lindfeas.cli import options
from lindfeas.cli.group import ExitCode, main, show, show_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lindfeas.solvers.catalogue import SolverStatus


@main.command()
@options.as_json
def solvers(as_json: bool) -> int:
    """List the solvers, and for each whether it can be used here."""
    from lindfeas.solvers.catalogue import solver_status

    status = solver_status()
    if as_json:
        show_json({"solvers": [asdict(row) for row in status]})
    else:
        show(_table(status))
    return ExitCode.ANSWERED


def _table(status: Iterable[SolverStatus]) -> RenderableType:
    from lindfeas.text import rich_table

    rows = [
        (row.name, row.version or "-", "yes" if row.usable else "no", row.message) for row in status
    ]
    return rich_table("solvers", ("solver", "version", "usable", "message"), rows)
