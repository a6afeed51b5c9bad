"""The examples run, the commands print what is shown, and everything public is documented."""

from __future__ import annotations

import ast
import io
import re
import shlex
import tokenize
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sybil import Example, Sybil
from sybil.evaluators.doctest import NUMBER
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser

import lindfeas
from benchmarks.lines import POPULATIONS_TEXT
from lindfeas import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
]
MODULES = sorted((ROOT / "lindfeas").rglob("*.py"))
FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE | NUMBER

LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
"""Tokens that do not make a line one of code."""

SHOWN_ACCURACY = 1e-2
"""Relative: solvers and machines differ in more digits of a candidate than of a certified bound."""

pytestmark = pytest.mark.filterwarnings("ignore:matplotlib not found")


def check_commands(example: Example) -> str | None:
    """Run the ``lindfeas`` commands of a console block; every line shown must be printed."""
    for command, shown in _commands(example.parsed):
        program, *arguments = shlex.split(command.rpartition("&&")[2])
        if Path(program).name == "lindfeas":
            printed = _output(arguments)
            for line in shown:
                if not any(_same(line, other) for other in printed):
                    return f"{command}\nshould print\n{line}\nbut prints\n" + "\n".join(printed)
    return None


EXAMPLES_IN_PAGES = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=FLAGS),
        CodeBlockParser(language="console", evaluator=check_commands),
    ]
)
EXAMPLES_IN_DOCSTRINGS = Sybil(parsers=[DocTestParser(FLAGS)])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_in_pages(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "problems").symlink_to(ROOT / "problems")
    monkeypatch.chdir(tmp_path)
    for example in EXAMPLES_IN_PAGES.parse(page):
        example.evaluate()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_examples_in_docstrings(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for example in EXAMPLES_IN_DOCSTRINGS.parse(module):
        example.evaluate()


@pytest.mark.parametrize("name", sorted(set(lindfeas.__all__) - {"models"}))
def test_every_public_name_is_in_the_reference(name: str) -> None:
    reference = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert re.search(rf":: lindfeas\.{name}$", reference, re.MULTILINE)


@pytest.mark.parametrize("command", cli.main.commands)
def test_every_command_is_documented(command: str) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert f"$ lindfeas {command}" in pages
    for option in cli.main.commands[command].params:
        if option.param_type_name == "option":
            assert any(f"`{name}" in pages or f" {name} " in pages for name in option.opts)


def test_every_key_of_a_problem_file_is_documented() -> None:
    page = (ROOT / "docs" / "problem-files.md").read_text(encoding="utf-8")
    missing = {key for key in _keys(lindfeas.problem_schema()) if f"`{key}`" not in page}
    assert missing <= {"title", "system", "bath", "ansatz", "question", "sweep", "expected"}


def test_every_key_of_an_answer_is_documented() -> None:
    page = (ROOT / "docs" / "problem-files.md").read_text(encoding="utf-8")
    bath = lindfeas.Bath(name="bath", sites=(0,), beta=1.0)
    chain = lindfeas.physics.models.xxz_chain(sites=2, coupling=0.1, baths=[bath])
    answer = lindfeas.certify(lindfeas.Question(system=chain)).to_dict()
    nested = [answer["trace_distance"], *answer["attempts"], *(answer.get("check") or [])]
    if answer["candidate"]:
        nested.extend([answer["candidate"], *answer["candidate"]["regions"]])
    keys = {key for table in (answer, *nested) for key in table}
    assert not {key for key in keys if f"`{key}`" not in page}


def _keys(schema: Any) -> Iterator[str]:
    """All property names of a JSON Schema."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _keys(part)


def _commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """(command, the lines shown below it)."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, [line for line in shown if _words(line)]


def _output(arguments: list[str]) -> list[str]:
    """Everything that ``lindfeas`` prints, line by line; a process of its own costs a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        return CliRunner().invoke(cli.main, arguments, prog_name="lindfeas").output.splitlines()


def _words(line: str) -> list[str]:
    """The words of a line, without rules and what depends on the machine's speed and version."""
    line = re.sub(r"\d[\d.]* s\b", "some s", line)
    line = re.sub(r"\b\d+\.\d\d$|\b\d+(\.\d+){2,}\b", "some", line.strip())
    return re.findall(r"[^\s\[\],─]+", line)


def _same(shown: str, printed: str) -> bool:
    expected, found = _words(shown), _words(printed)
    return len(expected) == len(found) and all(map(_same_word, expected, found))


def _same_word(shown: str, printed: str) -> bool:
    try:
        return isclose(float(shown), float(printed), rel_tol=SHOWN_ACCURACY)
    except ValueError:
        return shown == printed


def test_the_lines_that_must_be_trusted_are_counted() -> None:
    """What docs/proofs.md says of the checker's size: every file of it, and every row's total."""
    page = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")
    checker, listed = ROOT / "lindfeas" / "checker", set()
    for step, names, lines in re.findall(r"^\| ([^|]+) \| (`[^|]+) \| ([0-9,]+) \|$", page, re.M):
        files = re.findall(r"`(\w+)\.py`", names)
        assert not listed & set(files), f"{step}: counted twice"
        listed |= set(files)
        found = _code_lines([checker / f"{name}.py" for name in files])
        assert lines == f"{found:,}", f"{step} must count {found:,} lines"
    assert listed == {path.stem for path in checker.glob("*.py")}
    text = _code_lines([checker / f"{name}.py" for name in POPULATIONS_TEXT])
    whole = _code_lines(list(checker.glob("*.py")))
    words = " ".join(page.split())
    for count in (text, whole):
        assert f"{count:,} lines of code" in words, f"must count {count:,} lines"


def _code_lines(paths: list[Path]) -> int:
    """Lines that are neither empty nor comments nor docstrings."""
    total = 0
    for path in paths:
        source = path.read_text(encoding="utf-8")
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        code = {
            line
            for token in tokens
            if token.type not in LAYOUT
            for line in range(token.start[0], token.end[0] + 1)
        }
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                code -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        total += len(code)
    return total
