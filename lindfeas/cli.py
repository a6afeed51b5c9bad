"""The command line: ``lindfeas certify``, ``lindfeas verify``, ``lindfeas solvers``.

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
FAILED = 1
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

    Exit codes: 0 answered, 1 a check failed, 2 bad input or an unusable solver, 3 undecided.
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
@click.option(
    "--out",
    metavar="DIR",
    help="Write PROBLEM.answer.json, and PROBLEM.certificate.json if there is a proof, into DIR.",
)
@click.option(
    "--prove/--no-prove",
    default=None,
    help="Prove the bounds in ball arithmetic; by default where python-flint makes it quick.",
)
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
    prove: bool | None,
    sharp: bool | None,
    as_json: bool,
) -> int:
    """Answer the question of the TOML file PROBLEM with a certified interval."""
    from lindfeas.files import read_problem

    problem = read_problem(path, settings)
    if out is None:
        answer, _, accepted = _certified(problem, solver, sharp, prove)
    else:
        answer, accepted = _written(problem, path.stem, out, (solver, sharp, prove))
    _show_answer(problem, answer, as_json)
    if not accepted:
        click.echo("error: the proof was rejected: do not use this answer, and report it", err=True)
        return FAILED
    return UNDECIDED if answer.verdict == "undecided" else ANSWERED


@main.command()
@click.argument("path", metavar="CERTIFICATE", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def verify(path: Path, as_json: bool) -> int:
    """Prove the claims of the file CERTIFICATE in ball arithmetic, trusting nothing in it."""
    from dataclasses import asdict

    from lindfeas.certificate_file import CertificateError, read_certificate
    from lindfeas.errors import MissingExtraError

    try:
        import flint  # noqa: F401
    except ImportError:
        raise MissingExtraError("python-flint", "proof", "lindfeas verify") from None
    from lindfeas.proof import verify as check

    try:
        proof = check(read_certificate(path))
    except CertificateError as error:
        if not path.is_file():
            raise
        click.echo(f"rejected: {error}", err=True)
        return FAILED
    if as_json:
        click.echo(json.dumps(asdict(proof), indent=2, allow_nan=False))
    else:
        click.echo(f"{proof.status}\n\n{proof.statement}")
        for done in proof.checks:
            click.echo(f"  {done}")
    if proof.status == "undecided":
        return UNDECIDED
    return ANSWERED if proof.status == "accepted" else FAILED


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


def _certified(
    problem: ProblemFile, solver: str | None, sharp: bool | None, prove: bool | None
) -> tuple[Answer, dict[str, Any] | None, bool]:
    """(answer, its certificate if it was proved, whether no proof was rejected)."""
    from dataclasses import replace

    from lindfeas import proving
    from lindfeas.certification import certify as certify_question

    answer = certify_question(problem.question, solver=solver, sharp=sharp)
    if prove is None:
        prove = proving.can_prove() and proving.is_quick(answer)
    if not prove:
        return answer, None, True
    certificate, proof = proving.prove(answer, problem)
    answer = replace(answer, proved=proof.proved, seconds=answer.seconds + proof.seconds)
    return answer, certificate if proof.status == "accepted" else None, proof.status != "rejected"


def _written(
    problem: ProblemFile, stem: str, out: str, how: tuple[str | None, bool | None, bool | None]
) -> tuple[Answer, bool]:
    """The answer, written with its certificate into ``out``, and whether its proof stands."""
    from dataclasses import replace

    from lindfeas.certificate_file import certificate_text
    from lindfeas.output import pending_file

    with (
        pending_file(out, f"{stem}.answer.json") as file,
        pending_file(out, f"{stem}.certificate.json") as certificate_file,
    ):
        answer, certificate, accepted = _certified(problem, *how)
        if certificate is not None:
            where = certificate_file.write(certificate_text(certificate))
            answer = replace(answer, certificate=str(where))
            click.echo(f"written: {where}", err=True)
        where = file.write(_answer_json(problem, answer) + "\n")
        click.echo(f"written: {where}", err=True)
    return answer, accepted


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
