"""The command line: ``lindfeas certify``, ``lindfeas solvers``.

Only click is imported here; everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from lindfeas import __version__
from lindfeas.errors import LindfeasError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lindfeas.answer import Answer
    from lindfeas.files import ProblemFile

ANSWERED = 0
BAD_INPUT = 2
UNDECIDED = 3
INTERRUPTED = 130
BROKEN_PIPE = 141


class OneLineErrors(click.Group):
    """A group whose errors are one line on standard error and an exit code, no traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command line and exit; see the module's exit codes."""
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            _fail(_usage(error), BAD_INPUT)
        except click.Abort:
            sys.exit(INTERRUPTED)
        sys.exit(code if isinstance(code, int) else ANSWERED)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command, and put what stops it into one line."""
        try:
            with warnings.catch_warnings(record=True) as noted:
                code = super().invoke(ctx)
            for message in dict.fromkeys(str(warning.message) for warning in noted):
                click.echo(f"warning: {_printable(message)}", err=True)
            return code
        except LindfeasError as error:
            _fail(str(error), BAD_INPUT)
        except MemoryError as error:
            reason = f": {error}" if str(error) else ""
            _fail(f"system: must fit into memory, but does not{reason}", BAD_INPUT)
        except KeyboardInterrupt:
            _fail("interrupted", INTERRUPTED)
        except BrokenPipeError:
            # the reader has gone; what is still buffered must not raise again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(BROKEN_PIPE)


@click.group("lindfeas", cls=OneLineErrors, no_args_is_help=False)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Can any Lindblad equation with local conservation laws have the true steady state?

    Exit codes: 0 answered, 2 bad input or a solver that cannot be used, 3 undecided.
    """


@main.command()
@click.argument("path", metavar="PROBLEM", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change the problem, such as bath.right.beta=5; may be repeated.",
)
@click.option("--solver", metavar="NAME", help="Use this solver only; see `lindfeas solvers`.")
@click.option("--out", metavar="DIR", help="Write PROBLEM.answer.json into this directory.")
@click.option(
    "--sharp/--no-sharp",
    default=None,
    help="Sharpen the trace distance; by default where that is quick.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def certify(
    path: Path,
    settings: tuple[str, ...],
    solver: str | None,
    out: str | None,
    sharp: bool | None,
    as_json: bool,
) -> int:
    """Answer the question of the TOML file PROBLEM with a certified interval."""
    from lindfeas.files import read_problem

    problem = read_problem(path, settings)
    if out is None:
        answer = _certified(problem, solver, sharp)
        _show_answer(problem, answer, as_json)
    else:
        from lindfeas.output import pending_file

        with pending_file(out, f"{path.stem}.answer.json") as file:
            answer = _certified(problem, solver, sharp)
            written = file.write(_answer_json(problem, answer) + "\n")
        _show_answer(problem, answer, as_json)
        click.echo(f"written: {written}", err=True)
    return UNDECIDED if answer.verdict == "undecided" else ANSWERED


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def solvers(as_json: bool) -> int:
    """List the solvers, and for each whether it can be used here."""
    from lindfeas.backends import solver_status

    status = solver_status()
    if as_json:
        fields = ("name", "version", "installed", "usable", "message")
        rows = [{field: getattr(row, field) for field in fields} for row in status]
        click.echo(json.dumps({"solvers": rows}, indent=2))
    else:
        from lindfeas.report import solvers_table

        _show(solvers_table(status))
    return ANSWERED


def _certified(problem: ProblemFile, solver: str | None, sharp: bool | None) -> Answer:
    from lindfeas.certification import certify as certify_question

    return certify_question(problem.question, solver=solver, sharp=sharp)


def _show_answer(problem: ProblemFile, answer: Answer, as_json: bool) -> None:
    if as_json:
        click.echo(_answer_json(problem, answer))
        return
    from lindfeas.report import answer_table

    _show(answer_table(problem.title or str(problem.path), answer))


def _answer_json(problem: ProblemFile, answer: Answer) -> str:
    content = {**answer.to_dict(), "problem": problem.json_document()}
    return json.dumps(content, indent=2, allow_nan=False)


def _show(renderable: RenderableType) -> None:
    from rich.console import Console

    console = Console()
    with console.capture() as capture:
        console.print(renderable)
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(capture.get().encode(encoding, "replace").decode(encoding), nl=False)


def _usage(error: click.ClickException) -> str:
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    message = error.format_message().rstrip(".")
    return f"{where}: {message}; see `{where} --help`" if where else message


def _fail(message: str, code: int) -> NoReturn:
    """Exit with one line on standard error."""
    click.echo(f"error: {_printable(message)}", err=True)
    sys.exit(code)


def _printable(message: str) -> str:
    """``message`` on one line, control characters escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message.strip())


if __name__ == "__main__":
    main(prog_name="lindfeas")
