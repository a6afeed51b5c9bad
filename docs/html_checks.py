"""What must hold in the built pages: ``python docs/html_checks.py docs/_build/html``.

Every link inside of the pages leads to a file and to a place in it, every picture is there, every
formula is rendered, and nothing is fetched from elsewhere.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VERBATIM = {"code", "pre", "script", "style", "annotation", "textarea", "title", "kbd"}
"""Elements in which LaTeX source is meant as it stands, beside signatures."""

VOID = {"img", "br", "hr", "input", "meta", "link", "source", "wbr", "col", "area", "mspace"}

LATEX = re.compile(r"\\\(|\\\[|\$[^$]*[\\^_][^$]*\$|\\(?:[a-zA-Z]{3,}|ge|le|ne|mu|to|in)\b")
"""Source of a formula in running text."""

PLAIN = re.compile(
    r"\b(?:sum|int|tr)_\w|\btr (?:Gamma|rho)|\w \*\* ?\w|\w\*\*\w|\brho[02]?\b|\bGamma\^"
)
"""A formula as docstrings write it, which belongs into LaTeX on the page of public names."""

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""Elements that a browser loads as soon as it shows the page."""


@dataclass
class Page(HTMLParser):
    """What one page holds: the places that can be linked to, what it links to, and its text."""

    path: Path
    places: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    formulas: int = 0
    broken_formulas: int = 0
    pictures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, bool]] = []
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") not in ("stylesheet", "icon", "preload"):
            self.links.append(given.get("href", ""))
        elif tag in FETCHED and given.get(FETCHED[tag]):
            self.loaded.append(given[FETCHED[tag]])
        if tag == "img":
            self.pictures.append(given.get("src", ""))
        self.formulas += tag == "math"
        self.broken_formulas += tag == "merror"
        if tag not in VOID:
            self._open.append((tag, tag in VERBATIM or "sig" in given.get("class", "").split()))

    def handle_endtag(self, tag: str) -> None:
        if any(tag == inside for inside, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(verbatim for _, verbatim in self._open):
            self.texts.append(data)


def complaints(folder: Path) -> list[str]:
    """One line for everything that is wrong with the pages in ``folder``."""
    pages = {path.resolve(): Page(path) for path in sorted(folder.rglob("*.html"))}
    if not pages:
        return [f"{folder}: must hold pages, but holds none"]
    found = []
    for page in pages.values():
        name = page.path.relative_to(folder)
        problems = [*_links(page, pages), *_loaded(page), *_formulas(page), *_entry(page, folder)]
        found += [f"{name}: {problem}" for problem in problems]
    return found


def _links(page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    for link in dict.fromkeys(page.links):
        address = urlsplit(link)
        if address.scheme or address.netloc or not link:
            continue
        target = _file(page, address.path)
        if not target.exists():
            yield f"dead link {link}"
        elif address.fragment and target in pages:
            places = pages[target].places
            yield from () if unquote(address.fragment) in places else [f"dead place {link}"]


def _loaded(page: Page) -> Iterator[str]:
    for source in dict.fromkeys(page.loaded):
        address = urlsplit(source)
        if address.scheme == "data":
            continue
        if address.scheme or address.netloc:
            yield f"fetched from elsewhere {source}"
        elif (
            not _file(page, address.path).is_file() or not _file(page, address.path).stat().st_size
        ):
            yield f"missing file {source}"


def _formulas(page: Page) -> Iterator[str]:
    if page.broken_formulas:
        yield f"{page.broken_formulas} formulas with an error"
    patterns = (LATEX, PLAIN) if page.path.stem == "api" else (LATEX,)
    for text in page.texts:
        for pattern in patterns:
            if raw := pattern.search(text):
                yield f"formula as source {' '.join(text[raw.start() :].split())[:60]!r}"


def _entry(page: Page, folder: Path) -> Iterator[str]:
    """Every script of the gallery has made a picture."""
    place = page.path.relative_to(folder)
    scripted = place.parts[0] == "_gallery" and page.path.stem not in (
        "index",
        "sg_execution_times",
    )
    if scripted and not any("sphx_glr" in source for source in page.pictures):
        yield "an entry of the gallery must show a picture, but shows none"


def _file(page: Page, path: str) -> Path:
    return (page.path.parent / unquote(path)).resolve() if path else page.path.resolve()


def main(arguments: list[str]) -> int:
    """0 if nothing is wrong."""
    (folder,) = map(Path, arguments)
    found = complaints(folder)
    print("\n".join(found) or f"{folder}: nothing to complain about")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
