"""CONTRIBUTING.md: its additions are made to a copy of the package, and its examples run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)
ADDITIONS = ("A spectral density", "A model", "A recipe", "A solver", "A column")


def changed(source: str, hunk: str) -> str:
    """A source with one hunk of a diff applied, wherever its lines stand."""
    lines = hunk.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] in marks) for marks in (" -", " +"))
    assert source.count(old) == 1, f"must stand once in the source:\n{old}"
    return source.replace(old, new)


def apply(diff: str, folder: Path) -> None:
    """Make the changes of a diff whose hunks have no line numbers."""
    for part in re.split(r"^--- a/.*\n", diff, flags=re.M)[1:]:
        header, *hunks = re.split(r"^@@\n", part, flags=re.M)
        file = folder / header.removeprefix("+++ b/").strip()
        source = file.read_text(encoding="utf-8")
        for hunk in hunks:
            source = changed(source, hunk)
        file.write_text(source, encoding="utf-8")


def test_every_addition_has_an_example() -> None:
    for addition in ADDITIONS:
        section = PAGE.split(f"\n### {addition}\n")[1].split("\n### ")[0]
        assert re.search(r"^```python\n>>> ", section, re.M), addition


def test_the_examples_run_in_a_copy_with_the_changes(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "lindfeas", tmp_path / "lindfeas", ignore=shutil.ignore_patterns("__py*")
    )
    (tmp_path / "problems").symlink_to(ROOT / "problems")
    for kind, text in BLOCKS:
        if kind == "diff":
            apply(text, tmp_path)
    examples = "\n\n".join(text for kind, text in BLOCKS if kind == "python")
    (tmp_path / "examples.txt").write_text(examples, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "doctest", "examples.txt"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w.-]+/[\w./-]*)`", PAGE))))
def test_what_it_points_to_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_one_command_is_there_and_can_be_run() -> None:
    assert "$ .ci/run\n" in PAGE
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_a_change_that_does_not_fit_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("a = 1\nb = 2\n")
    apply("--- a/one.py\n+++ b/one.py\n@@\n a = 1\n-b = 2\n+b = 3\n", tmp_path)
    assert (tmp_path / "one.py").read_text() == "a = 1\nb = 3\n"
    with pytest.raises(AssertionError, match="must stand once"):
        apply("--- a/one.py\n+++ b/one.py\n@@\n-b = 2\n+b = 4\n", tmp_path)
