"""``lindfeas certify``: one problem, one certified answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lindfeas.cli import options
from lindfeas.cli.group import ExitCode, main, show, show_json
from lindfeas.errors import ProofRejectedError
from lindfeas.program.verdict import Verdict

if TYPE_CHECKING:
    from lindfeas.answers.answer import Answer
    from lindfeas.answers.score import Score
    from lindfeas.files.problem_file import ProblemFile


@main.command()
@options.problem
@options.settings("Change the problem, such as bath.right.beta=5; may be repeated.")
@options.solver
@options.out(
    "Write PROBLEM.answer.json, and PROBLEM.certificate.json if there is a proof, into DIR."
)
@options.prove
@options.sharp
@click.option(
    "--box",
    "box",
    metavar="KEY=LOW:HIGH",
    multiple=True,
    help="Prove it for all values of a parameter from LOW to HIGH; may be repeated.",
)
@click.option(
    "--max-cells",
    "most_cells",
    metavar="N",
    type=click.IntRange(min=1),
    help="With --box: try at most so many cells of the box; 1000 by default.",
)
@options.time_limit
@click.option(
    "-v",
    "--verbose",
    "detail",
    count=True,
    help="Show the solves and the Lindbladian put to work; twice for everything.",
)
@options.as_json
def certify(
    path: Path,
    settings: tuple[str, ...],
    solver: str | None,
    out: str | None,
    prove: bool | None,
    sharp: bool | None,
    box: tuple[str, ...],
    most_cells: int | None,
    time_limit: float | None,
    detail: int,
    as_json: bool,
) -> int:
    """Answer the question of the TOML file PROBLEM, - for standard input, with certified bounds.

    The verdict is about the distance of steady states, or with `criterion = "defect"` about the
    defect: how wrong the best Lindbladian is on the true state.
    """
    from lindfeas.answers.certify import Interrupted
    from lindfeas.cli.box import certify_box

    _check_options(box, prove=prove, sharp=sharp, most_cells=most_cells)
    problem = options.read(path, settings)
    stem = "standard-input" if problem.path is None else problem.path.stem
    _note_idle_norm(problem)
    if box:
        return certify_box(
            problem,
            stem,
            box,
            solver=solver,
            out=out,
            most_cells=most_cells,
            as_json=as_json,
        )
    try:
        answer = _answered(
            problem,
            stem,
            out,
            solver=solver,
            sharp=sharp,
            proof=prove,
            time_limit=time_limit,
        )
    except ProofRejectedError as error:
        click.echo(f"error: {error}", err=True)
        return ExitCode.FAILED
    except Interrupted as interrupted:
        click.echo("interrupted: what follows is certified so far", err=True)
        _print(problem, interrupted.answer, detail, as_json=as_json)
        return ExitCode.INTERRUPTED
    _print(problem, answer, detail, as_json=as_json)
    return ExitCode.UNDECIDED if answer.verdict == Verdict.UNDECIDED else ExitCode.ANSWERED


def _print(problem: ProblemFile, answer: Answer, detail: int, *, as_json: bool) -> None:
    from lindfeas.answers.report import sections
    from lindfeas.text import rich_report

    if as_json:
        show_json(_content(problem, answer))
    else:
        parts = sections(answer, problem.title or str(problem.path or ""), detail=detail)
        own = _score(problem, answer)
        show(rich_report(parts if own is None else [*parts, *own.sections()]))


def _check_options(
    box: tuple[str, ...], *, prove: bool | None, sharp: bool | None, most_cells: int | None
) -> None:
    """Refuse what has no meaning with, or without, a box."""
    if not box and most_cells is not None:
        raise click.UsageError("--max-cells needs --box")
    if box and prove is False:
        raise click.UsageError("--no-prove does not go with --box: a box is always proved")
    if box and sharp is not None:
        raise click.UsageError("--sharp and --no-sharp do not go with --box")


def _note_idle_norm(problem: ProblemFile) -> None:
    """Say that a norm was given which the answer does not depend on."""
    from lindfeas.program.question import DEFAULT_NORM

    norm = problem.document.get("question", {}).get("norm", DEFAULT_NORM)
    if problem.question.target_norm is None and norm != DEFAULT_NORM:
        click.echo(
            f"note: question.norm: {norm!r} plays no role for target 'populations', whose defect "
            "is a sum of absolute values",
            err=True,
        )


def _answered(
    problem: ProblemFile,
    stem: str,
    out: str | None,
    **how: Any,
) -> Answer:
    """The answer, written with its certificate into ``out`` if that is given."""
    from dataclasses import replace

    from lindfeas.checker.schema import certificate_text
    from lindfeas.files.atomic import pending_file
    from lindfeas.theorems.proving import answered

    if out is None:
        return answered(problem, **how)[0]
    with (
        pending_file(out, f"{stem}.answer.json") as file,
        pending_file(out, f"{stem}.certificate.json") as certificate_file,
    ):
        answer, certificate = answered(problem, **how)
        if certificate is not None:
            where = certificate_file.write(certificate_text(certificate))
            answer = replace(answer, certificate=str(where))
            click.echo(f"written: {where}", err=True)
        text = json.dumps(_content(problem, answer), indent=2, allow_nan=False)
        where = file.write(text + "\n")
        click.echo(f"written: {where}", err=True)
    return answer


def _content(problem: ProblemFile, answer: Answer) -> dict[str, Any]:
    own = _score(problem, answer)
    return {
        **answer.to_dict(),
        "candidate_score": None if own is None else own.to_dict(),
        "problem": problem.json_document(),
    }


def _score(problem: ProblemFile, answer: Answer) -> Score | None:
    """How the problem's own Lindbladian does, if it has one."""
    from lindfeas.answers.score import score

    if problem.candidate is None:
        return None
    return score(problem.question, problem.candidate, answer=answer)
