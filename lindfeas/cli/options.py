"""Arguments and options that several commands have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lindfeas.files.problem_file import ProblemFile

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

problem = click.argument("path", metavar="PROBLEM", type=click.Path(path_type=Path))
"""A file; `read` takes ``-`` for standard input."""
solver = click.option(
    "--solver", metavar="NAME", help="Use this solver only; see `lindfeas solvers`."
)
prove = click.option(
    "--prove/--no-prove",
    default=None,
    help="Prove the bounds in ball arithmetic; by default where python-flint makes it quick.",
)
sharp = click.option(
    "--sharp/--no-sharp",
    default=None,
    help="Sharpen the trace distance; by default where that is quick.",
)
time_limit = click.option(
    "--time-limit",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Begin nothing more after so many seconds; what is certified by then is the answer.",
)
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)


def read(path: Path, settings: tuple[str, ...]) -> ProblemFile:
    """The problem of a file, or of standard input for ``-``."""
    from lindfeas.files.problem_file import problem_from_stream, read_problem

    if str(path) != "-":
        return read_problem(path, settings)
    return problem_from_stream(sys.stdin.buffer, settings)


def settings(help: str) -> Decorator:
    """``--set KEY=VALUE``, with what it changes in words."""
    return click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help=help)


def out(help: str, *, required: bool = False) -> Decorator:
    """``--out DIR``, with what is written into it in words."""
    return click.option("--out", metavar="DIR", required=required, callback=_folder_name, help=help)


def _folder_name(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """An empty value is a variable that was not set, not this folder."""
    if value == "":
        raise click.BadParameter("must be a directory, but is empty", context, option)
    return value
