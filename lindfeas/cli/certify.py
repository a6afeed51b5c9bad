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
    as_json: bool,
) -> int:
    """Answer the question of the TOML file PROBLEM with a certified interval."""
    from lindfeas.cli.box import certify_box
    from lindfeas.files.problem_file import read_problem

    _check_options(box, prove=prove, sharp=sharp, most_cells=most_cells)
    problem = read_problem(path, settings)
    _note_idle_norm(problem)
    if box:
        return certify_box(
            problem,
            path.stem,
            box,
            solver=solver,
            out=out,
            most_cells=most_cells,
            as_json=as_json,
        )
    try:
        answer = _answered(problem, path.stem, out, (solver, sharp, prove))
    except ProofRejectedError as error:
        click.echo(f"error: {error}", err=True)
        return ExitCode.FAILED
    if as_json:
        show_json(_content(problem, answer))
    else:
        from lindfeas.answers.answer import sections
        from lindfeas.text import rich_report

        parts = sections(answer, problem.title or str(problem.path))
        own = _score(problem, answer)
        show(rich_report(parts if own is None else [*parts, *own.sections()]))
    return ExitCode.UNDECIDED if answer.verdict == Verdict.UNDECIDED else ExitCode.ANSWERED


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
    how: tuple[str | None, bool | None, bool | None],
) -> Answer:
    """The answer, written with its certificate into ``out`` if that is given."""
    from dataclasses import replace

    from lindfeas.checker.schema import certificate_text
    from lindfeas.files.atomic import pending_file
    from lindfeas.theorems.proving import answered

    solver, sharp, prove = how
    if out is None:
        return answered(problem, solver=solver, sharp=sharp, proof=prove)[0]
    with (
        pending_file(out, f"{stem}.answer.json") as file,
        pending_file(out, f"{stem}.certificate.json") as certificate_file,
    ):
        answer, certificate = answered(problem, solver=solver, sharp=sharp, proof=prove)
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
