"""The group of all commands: exit codes, and errors in one line."""

from __future__ import annotations

import errno
import json
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

import click

from lindfeas.errors import LindfeasError, printable

if TYPE_CHECKING:
    from rich.console import RenderableType


class ExitCode(IntEnum):
    """How a command ends."""

    ANSWERED = 0
    FAILED = 1
    BAD_INPUT = 2
    UNDECIDED = 3
    INTERRUPTED = 130
    BROKEN_PIPE = 141


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""What printing to a file may end with; the names of the files are not known then."""


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
            _fail(_usage(error), ExitCode.BAD_INPUT)
        except click.Abort:
            sys.exit(ExitCode.INTERRUPTED)
        sys.exit(code if isinstance(code, int) else ExitCode.ANSWERED)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command, and put what stops it into one line."""
        try:
            with warnings.catch_warnings(record=True) as noted:
                code = super().invoke(ctx)
            for message in dict.fromkeys(str(warning.message) for warning in noted):
                click.echo(f"warning: {printable(message.strip())}", err=True)
            return code
        except LindfeasError as error:
            _fail(str(error), ExitCode.BAD_INPUT)
        except MemoryError as error:
            reason = f": {error}" if str(error) else ""
            _fail(f"system: must fit into memory, but does not{reason}", ExitCode.BAD_INPUT)
        except KeyboardInterrupt:
            _fail("interrupted", ExitCode.INTERRUPTED)
        except BrokenPipeError:
            _drop_output()
            sys.exit(ExitCode.BROKEN_PIPE)
        except OSError as error:
            if error.errno in _FULL:
                _drop_output()
            _fail(_refusal(error), ExitCode.BAD_INPUT)


@click.group("lindfeas", cls=OneLineErrors, no_args_is_help=False)
@click.version_option(package_name="lindfeas", message="%(prog)s %(version)s")
def main() -> None:
    """Can any Lindblad equation with local conservation laws have the true steady state?

    Exit codes: 0 answered, 1 a check failed, 2 bad input or an unusable solver, 3 undecided.
    """


def show_json(content: Any) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(content, indent=2, allow_nan=False))


def show(renderable: RenderableType) -> None:
    """Print tables in the terminal's width and encoding."""
    from rich.console import Console

    if sys.stdout is None:  # closed by whoever started us
        return
    console = Console()
    with console.capture() as capture:
        console.print(renderable)
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(capture.get().encode(encoding, "replace").decode(encoding), nl=False)


def _drop_output() -> None:
    """What is still buffered must not raise again at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refusal(error: OSError) -> str:
    """What the system refused that no command has expected."""
    known = error.filename or ("output or temporary files" if error.errno in _FULL else "system")
    return f"{known}: must be usable, but: {error.strerror or error}"


def _usage(error: click.ClickException) -> str:
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    message = error.format_message().rstrip(".")
    return f"{where}: {message}; see `{where} --help`" if where else message


def _fail(message: str, code: int) -> NoReturn:
    """Exit with one line on standard error."""
    click.echo(f"error: {printable(message.strip())}", err=True)
    sys.exit(code)
