"""What counts as a line of code, and how many of them the package has."""

from __future__ import annotations

from benchmarks.lines import PACKAGE, code_lines, count, table

SOURCE = '''"""A module
of two lines."""

import os  # a comment at the end

# a comment

NAMES = {
    "one": 1,

    # a comment inside
    "two": """a string
    that is a value""",
}
"""What the names mean."""


def f(
    x: int,
) -> int:
    """A docstring."""
    return (
        x
    )


class Empty:
    ...
'''


def test_neither_comments_nor_docstrings_nor_empty_lines_count() -> None:
    assert code_lines("") == code_lines('# nothing\n\n"""a docstring"""\n') == 0
    assert code_lines(SOURCE) == 1 + 5 + 3 + 3 + 2


def test_all_lines_of_the_package_are_in_the_table() -> None:
    assert {"pictures/", "checker/", "text.py", "__init__.py"} <= set(count())
    total = sum(code_lines(file.read_text(encoding="utf-8")) for file in PACKAGE.rglob("*.py"))
    assert list(table())[-1] == f"| **lindfeas** | **{total:,}** |"
