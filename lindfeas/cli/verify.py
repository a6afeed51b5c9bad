"""``lindfeas verify``: one certificate, checked."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lindfeas.cli.group import ExitCode, json_option, main


@main.command()
@click.argument("path", metavar="CERTIFICATE", type=click.Path(path_type=Path))
@json_option
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
        click.echo(json.dumps(asdict(proof), indent=2, allow_nan=False))
    else:
        click.echo(f"{proof.status}\n\n{proof.statement}")
        for done in proof.checks:
            click.echo(f"  {done}")
    if proof.status in ("undecided", "accepted in part"):
        return ExitCode.UNDECIDED
    return ExitCode.ANSWERED if proof.status == "accepted" else ExitCode.FAILED
