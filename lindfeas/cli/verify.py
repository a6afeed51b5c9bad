"""``lindfeas verify``: one certificate, checked."""

from __future__ import annotations

from pathlib import Path

import click

from lindfeas.cli import options
from lindfeas.cli.group import ExitCode, main, show_json


@main.command()
@click.argument("path", metavar="CERTIFICATE", type=click.Path(path_type=Path))
@options.as_json
def verify(path: Path, as_json: bool) -> int:
    """Prove the claims of the file CERTIFICATE in ball arithmetic, trusting nothing in it."""
    from dataclasses import asdict

    from lindfeas.checker.format import CertificateError, read_certificate
    from lindfeas.errors import MissingExtraError

    try:
        import flint  # noqa: F401
    except ImportError:
        raise MissingExtraError("python-flint", "proof", "lindfeas verify") from None
    from lindfeas.checker import verify as check

    try:
        proof = check(read_certificate(path))
    except CertificateError as error:
        if not path.is_file():
            raise
        click.echo(f"rejected: {error}", err=True)
        return ExitCode.FAILED
    if as_json:
        show_json(asdict(proof))
    else:
        click.echo(f"{proof.status}\n\n{proof.statement}")
        for done in proof.checks:
            click.echo(f"  {done}")
    if proof.status in ("undecided", "accepted in part"):
        return ExitCode.UNDECIDED
    return ExitCode.ANSWERED if proof.status == "accepted" else ExitCode.FAILED
