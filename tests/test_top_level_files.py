"""What stands beside the package: how it is cited, and what runs on a commit and on a change."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

CFF_KEYS = {
    *("abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi"),
    *("identifiers", "keywords", "license", "license-url", "message", "preferred-citation"),
    *("references", "repository", "repository-artifact", "repository-code", "title", "type"),
    *("url", "version"),
}
"""All that the Citation File Format 1.2.0 knows."""


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_citation_is_one_of_version_1_2() -> None:
    citation = loaded("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert {"authors", "cff-version", "message", "title"} <= set(citation) <= CFF_KEYS
    assert citation["type"] == "software"
    assert citation["authors"]
    for author in citation["authors"]:
        assert author.get("name") or author.get("family-names")


def test_the_citation_is_of_this_version() -> None:
    citation = loaded("CITATION.cff")
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]
    assert citation["keywords"] == PROJECT["project"]["keywords"]


def test_hooks_are_local_and_need_no_network() -> None:
    for repository in loaded(".pre-commit-config.yaml")["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert {"id", "name", "entry", "language"} <= set(hook)
            assert hook["language"] == "system"


def entries() -> list[str]:
    repositories = loaded(".pre-commit-config.yaml")["repos"]
    return [hook["entry"] for repository in repositories for hook in repository["hooks"]]


@pytest.mark.parametrize("tool", ["ruff check", "ruff format --check", "mypy"])
def test_what_runs_on_a_commit_runs_on_a_change_too(tool: str) -> None:
    assert any(tool in entry for entry in entries())
    assert re.search(rf"^\.venv/bin/(python -m )?{tool}\b", CI, re.M)


def test_tools_are_installed_with_the_tests() -> None:
    extras = " ".join(PROJECT["project"]["optional-dependencies"]["test"])
    for entry in entries():
        tool = entry.removeprefix("python -m ").split()[0]
        assert re.search(rf"\b{tool}>=", extras), tool


@pytest.mark.parametrize("pattern", ["*.md", "*.cff", "LICENSE"])
def test_the_sources_hold_every_file_of_the_top(pattern: str) -> None:
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    found = {path.name for path in ROOT.glob(pattern)}
    assert found and found <= set(included)
