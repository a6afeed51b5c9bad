"""``lindfeas solvers``: what can be used here."""

from __future__ import annotations

from dataclasses import asdict

from lindfeas.cli import options
from lindfeas.cli.group import ExitCode, main, show, show_json


@main.command()
@options.as_json
def solvers(as_json: bool) -> int:
    """List the solvers, and for each whether it can be used here."""
    from lindfeas.solvers.catalogue import solver_status

    status = solver_status()
    if as_json:
        show_json({"solvers": [asdict(row) for row in status]})
    else:
        from lindfeas.cli.answer_text import solvers_table

        show(solvers_table(status))
    return ExitCode.ANSWERED
