"""Lines of code of the package: ``python -m benchmarks lines``.

A line counts if a token of the program stands on it: not if it is empty, a comment or a part of a
docstring. Lines are at most 100 characters long.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import ROOT

PACKAGE = ROOT / "lindfeas"

POPULATIONS_TEXT = (
    "__init__",
    "forms",
    "format",
    "model",
    "steady_state",
    "bounds",
    "statement",
    "verification",
)
"""Files of the checker that a proof about populations at a point loads, in the order of reading."""

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
"""Tokens that do not make a line one of code."""


def code_lines(source: str) -> int:
    """Number of lines that are neither empty nor comments nor docstrings.

    >>> code_lines('x = 1  # one\\n\\n# two\\n"three"\\n')
    1
    """
    return len(_token_lines(source) - _string_lines(ast.parse(source)))


def count(package: Path = PACKAGE) -> Counter[str]:
    """Lines of every folder and module at the top of the package; ``.`` is its own face."""
    lines: Counter[str] = Counter()
    for file in sorted(package.rglob("*.py")):
        top, *inner = file.relative_to(package).parts
        lines[f"{top}/" if inner else top] += code_lines(file.read_text(encoding="utf-8"))
    return lines


def table() -> Iterator[str]:
    """The count as a table."""
    yield "## Lines\n"
    yield "Neither empty, nor comments, nor docstrings; at most 100 characters long.\n"
    yield "| folder or module | lines |"
    yield "|---|---:|"
    lines = count()
    for name, number in lines.most_common():
        yield f"| `{name}` | {number:,} |"
    yield f"| **lindfeas** | **{lines.total():,}** |"


def _token_lines(source: str) -> set[int]:
    """Every line on which a token stands, whole strings included."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        line
        for token in tokens
        if token.type not in _LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }


def _string_lines(tree: ast.AST) -> set[int]:
    """Every line of a statement that is nothing but a string."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
