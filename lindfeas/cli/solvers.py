"""``lindfeas solvers``: what can be used here."""

from __future__ import annotations

import json

import click

from lindfeas.cli.group import ExitCode, json_option, main, show


@main.command()
@json_option
def solvers(as_json: bool) -> int:
    """List the solvers, and for each whether it can be used here."""
    from lindfeas.solvers.catalogue import solver_status

    status = solver_status()
    if as_json:
        fields = ("name", "version", "installed", "usable", "message")
        rows = [{field: getattr(row, field) for field in fields} for row in status]
        click.echo(json.dumps({"solvers": rows}, indent=2))
    else:
        from lindfeas.cli.answer_text import solvers_table

        show(solvers_table(status))
    return ExitCode.ANSWERED
