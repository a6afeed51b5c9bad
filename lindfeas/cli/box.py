"""``lindfeas certify --box``: one problem, proved over a box of its parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lindfeas.cli.group import ExitCode, show_json
from lindfeas.program.verdict import Verdict

if TYPE_CHECKING:
    from lindfeas.files.problem_file import ProblemFile
    from lindfeas.theorems.box import BoxAnswer


def certify_box(
    problem: ProblemFile,
    stem: str,
    intervals: Sequence[str],
    *,
    solver: str | None,
    out: str | None,
    most_cells: int | None,
    as_json: bool,
) -> int:
    """Prove what ``--box`` asks for, go on from what ``out`` holds, and return the exit code."""
    from lindfeas.theorems.box import MOST_CELLS, parse_interval, prove_box

    target = None if out is None else Path(out) / f"{stem}-box.certificate.json"
    start = None if target is None else _earlier(target)
    answer = prove_box(
        problem,
        [parse_interval(text) for text in intervals],
        solver=solver,
        most_cells=MOST_CELLS if most_cells is None else most_cells,
        start=start,
        progress=None if target is None else lambda found: _write(target, found),
    )
    if target is not None:
        click.echo(f"written: {target}", err=True)
    if answer.proof is not None and answer.proof.status == "rejected":
        blame = "a bug in lindfeas" if start is None else f"false in {target}: remove that"
        click.echo(f"error: the proof was rejected, {answer.proof.reason}: {blame}", err=True)
        return ExitCode.FAILED
    _show(problem, answer, target, as_json)
    return ExitCode.ANSWERED if answer.verdict == Verdict.IMPOSSIBLE else ExitCode.UNDECIDED


def _earlier(target: Path) -> dict[str, Any] | None:
    """The certificate of an earlier run, after proving that another can be written there."""
    from lindfeas.checker.format import CertificateError, read_certificate
    from lindfeas.errors import InputError
    from lindfeas.files.atomic import pending_file

    with pending_file(target.parent, target.name):
        try:
            return read_certificate(target) if target.exists() else None
        except CertificateError as error:
            detail = str(error) if error.where == str(target) else f"{target}: {error}"
            raise InputError(
                f"must hold a certificate to go on from, or none, but {detail}", "--out"
            ) from None


def _write(target: Path, certificate: dict[str, Any]) -> None:
    """Put the certificate so far on disk: what an interrupted run goes on from."""
    from lindfeas.theorems.certificate import write_certificate

    write_certificate(target, certificate)
    cells = [cell for cell in certificate["cells"] if "split" not in cell]
    proved = sum("lower_bound" in cell for cell in cells)
    click.echo(f"{proved} of {len(cells)} cells proved so far", err=True)


def _show(problem: ProblemFile, answer: BoxAnswer, target: Path | None, as_json: bool) -> None:
    found = answer.to_dict()
    if as_json:
        where = None if target is None else str(target)
        show_json({**found, "certificate": where, "problem": problem.json_document()})
        return
    cells = found["cells"]
    click.echo(problem.title or str(problem.path))
    click.echo(f"verdict  {answer.verdict}")
    for key, (low, high) in found["box"].items():
        click.echo(f"{key} from {low} to {high}")
    click.echo(
        f"cells: {cells['proved']} proved, {cells['undecided']} undecided; "
        f"{100 * answer.share:.6g} % of the box proved in {answer.seconds:.3g} s"
    )
    open_cells = Counter(cell["open"] for cell in answer.certificate["cells"] if "open" in cell)
    for reason, _ in open_cells.most_common(1):
        click.echo(f"undecided cells, most often: {reason}")
    click.echo(f"\n{found['statement']}")
