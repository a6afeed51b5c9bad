"""``lindfeas plot``: a table as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lindfeas.cli.group import ExitCode, main


@main.command()
@click.argument("paths", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write this PNG, SVG or PDF; by default DIR.png beside DIR.",
)
@click.option(
    "--x",
    metavar="KEY",
    help="Draw against this swept key; by default the one with most numbers.",
)
@click.option(
    "--y",
    type=click.Choice(["defect", "trace-distance"]),
    default="defect",
    show_default=True,
    help="What to draw.",
)
@click.option(
    "--where",
    metavar="KEY=VALUE",
    multiple=True,
    help="Draw only the points with this value of a swept key; may be repeated.",
)
@click.option(
    "--map/--curves",
    "as_map",
    default=None,
    help="Draw two keys as a map or as curves; by default a map where both have 6 values or more.",
)
@click.option("--title", metavar="TEXT", help="Title in place of the problem's; '' for none.")
def plot(paths: tuple[Path, ...], out: Path | None, **how: Any) -> int:
    """Draw the table in the folder DIR, as sweep and compare write it.

    Several folders with tables of sweeps make the panels (a), (b), ... of one figure.
    """
    from lindfeas.files.table import read_table
    from lindfeas.pictures import plot as draw
    from lindfeas.pictures import require_matplotlib
    from lindfeas.pictures.saving import default_path, require_outside, supported_suffix

    require_matplotlib()
    if out is None and len(paths) > 1:
        raise click.UsageError("several tables need --out FILE for their figure")
    file = default_path(paths[0]) if out is None else out
    supported_suffix(file)
    tables = [read_table(path) for path in paths]
    for path in paths:
        require_outside(file, path)
    draw(tables[0] if len(tables) == 1 else [*tables], out=file, **how)
    click.echo(f"written: {file}", err=True)
    return ExitCode.ANSWERED
