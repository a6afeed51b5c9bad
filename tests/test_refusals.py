"""Every refusal has an entry in docs/faq.md, and every entry there is a refusal's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lindfeas.errors import MissingExtraError, ProofRejectedError

ROOT = Path(__file__).resolve().parent.parent
FAQ = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")

RAISED = {
    *("InputError", "PhysicsError", "AccuracyError", "SolverError", "LindfeasError"),
    *("CertificateError", "UsageError", "WorkersLostError"),
}
"""Errors whose first argument is what the user reads."""

GENERAL = "## Wrong values in general"

HOLE = "..."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message in the sources; what depends on the problem is `HOLE`."""

    kind: str
    text: str
    place: str


def refusals() -> Iterator[Refusal]:
    yield Refusal("MissingExtraError", str(MissingExtraError("p", "e", "This")), "errors.py")
    yield Refusal("ProofRejectedError", str(ProofRejectedError(HOLE)), "errors.py")
    for path in sorted((ROOT / "lindfeas").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for scope in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and node.args:
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    text = words(resolved(node.args[0], scope))
                    if name in RAISED and text.strip(". "):
                        yield Refusal(name, text, f"{path.name}:{node.lineno}")


def resolved(message: ast.AST, scope: ast.FunctionDef) -> ast.AST:
    """What the function has assigned to the name, if the message is one."""
    for node in ast.walk(scope):
        targets = node.targets if isinstance(node, ast.Assign) else []
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.Assign) and getattr(message, "id", None) in names:
            return node.value
    return message


def words(node: ast.AST) -> str:
    """The literal text of a message."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(words, node.values))
    if isinstance(node, ast.BinOp):
        return words(node.left) + words(node.right)
    return HOLE


def entries(text: str) -> list[re.Pattern[str]]:
    """The messages that headings quote, as patterns."""
    quoted = re.findall(r"^### `(.+)`$", text, re.MULTILINE)
    return [re.compile(".*".join(map(re.escape, entry.split(HOLE))), re.S) for entry in quoted]


REFUSALS = [*refusals()]
SPECIFIC, WRONG_VALUES = map(entries, FAQ.split(GENERAL))


def test_the_sources_refuse_a_lot() -> None:
    assert len(REFUSALS) > 180


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.place)
def test_every_refusal_has_an_entry(refusal: Refusal) -> None:
    """What is not plain bad input, or says how to mend it, has one of its own."""
    plain = refusal.kind in ("InputError", "CertificateError") and ";" not in refusal.text
    allowed = [*SPECIFIC, *WRONG_VALUES] if plain else SPECIFIC
    assert any(entry.fullmatch(refusal.text) for entry in allowed), refusal.text


@pytest.mark.parametrize("entry", [*SPECIFIC, *WRONG_VALUES], ids=lambda entry: entry.pattern)
def test_every_entry_is_of_a_refusal(entry: re.Pattern[str]) -> None:
    known = [refusal.text for refusal in REFUSALS] + BUILT
    assert any(entry.fullmatch(text) for text in known)


BUILT = [
    "must be KEY=VALUE, but is ...",  # files/complaints.py
    "must be a swept key, but is ...",  # files/columns.py
    "must be of type float, but is int",  # errors.py, require
    "unknown key; ...",  # files/schema.py
    "rejected: ...",  # cli/verify.py
]
"""Messages that the sources put together before they raise them."""
