"""The checks of the built pages find what they are for; docstrings and their LaTeX go together."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from benchmarks import claim_picture
from docs._ext.plain_formulas import LATEX, pattern, rendered
from docs.html_checks import complaints, main

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [path.read_text(encoding="utf-8") for path in (ROOT / "lindfeas").rglob("*.py")]

GOOD = """<html><head><link rel="stylesheet" href="look.css"></head><body>
<h1 id="top">A page</h1> <a href="#top">up</a> <a href="other.html#there">there</a>
<a href="https://example.org/">elsewhere</a> <img src="picture.png">
<p>A defect of <math><mi>τ</mi><annotation>\\tau</annotation></math>, see <code>$X_1^2$</code>.
</p>
<dl><dt class="sig">f(x=<em>'\\Delta'</em>)</dt></dl> <pre>$ lindfeas --set x_1</pre>
</body></html>"""


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(GOOD)
    (tmp_path / "other.html").write_text('<p id="there">text</p>')
    (tmp_path / "look.css").write_text("p { color: black }")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    return tmp_path


def test_good_pages_have_no_complaints(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert complaints(pages) == []
    assert main([str(pages)]) == 0
    assert "nothing to complain about" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("other.html#there", "missing.html", "dead link missing.html"),
        ("other.html#there", "other.html#gone", "dead place other.html#gone"),
        ("#top", "#bottom", "dead place #bottom"),
        ("picture.png", "gone.png", "missing file gone.png"),
        ("look.css", "https://example.org/look.css", "fetched from elsewhere"),
        ("picture.png", "//example.org/a.png", "fetched from elsewhere"),
        ("A defect of", r"A defect of \(\tau\),", "formula as source"),
        ("A defect of", r"A defect of $\tau_0$,", "formula as source"),
        ("A defect of", r"A defect of \alpha,", "formula as source"),
        ("<mi>", "<merror><mi>", "1 formulas with an error"),
    ],
)
def test_every_fault_is_one_line(
    old: str, new: str, complaint: str, pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pages / "index.html").write_text(GOOD.replace(old, new, 1))
    found = complaints(pages)
    assert len(found) == 1
    assert found[0].startswith("index.html: ") and complaint in found[0]
    assert main([str(pages)]) == 1
    assert capsys.readouterr().out.strip() == found[0]


@pytest.mark.parametrize("plain", ["sum_r H_r", "tr Gamma^r of", "w**exponent", "rho0, shape"])
def test_plain_formulas_are_refused_on_the_page_of_public_names_only(
    plain: str, pages: Path
) -> None:
    for name, expected in (("other.html", 0), ("api.html", 1)):
        (pages / name).write_text(f'<p id="there">{plain}</p>')
        assert len(complaints(pages)) == expected


def test_an_entry_of_the_gallery_needs_a_picture(pages: Path) -> None:
    folder = pages / "_gallery" / "examples"
    folder.mkdir(parents=True)
    (folder / "plot_chain.html").write_text("<p>text</p>")
    assert len(complaints(pages)) == 1
    (folder / "sphx_glr_chain_001.png").write_bytes(b"\x89PNG")
    (folder / "plot_chain.html").write_text('<img src="sphx_glr_chain_001.png">')
    assert complaints(pages) == []


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_both_first_pages_begin_with_the_picture(page: str) -> None:
    _, first, claim, *_ = (ROOT / page).read_text(encoding="utf-8").split("\n\n")
    picture = re.fullmatch(r"!\[[^\]]+\]\((.+)\)", first)
    assert picture and (ROOT / page).parent / picture[1] == claim_picture.FILE
    assert claim.startswith("**Which Lindblad equation has the true steady state?")


def test_the_picture_shows_what_the_table_holds() -> None:
    """`python -m benchmarks.claim_picture` draws it anew."""
    axes = claim_picture.figure().axes[1]
    (bound,) = (line for line in axes.lines if line.get_gid() == "bound")
    (found,) = (line for line in axes.lines if line.get_gid() == "found")
    rows = claim_picture.points()
    assert bound.get_ydata().tolist() == rows["trace_distance_lower"].tolist()
    assert found.get_ydata().tolist() == rows["trace_distance_upper"].tolist()
    assert (bound.get_ydata() <= found.get_ydata()).all()
    assert claim_picture.FILE.read_bytes().startswith(b"\x89PNG")


SCRIPTS = sorted([*(ROOT / "docs/gallery").glob("*.py"), *(ROOT / "docs/tutorials").glob("*.py")])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_of_the_gallery_draws_and_has_a_title(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    title = (ast.get_docstring(ast.parse(source)) or "").splitlines()
    assert title[1] == "=" * len(title[0])
    assert re.search(r"^figure = ", source, re.MULTILINE)


def test_a_folder_without_pages_is_a_fault(tmp_path: Path) -> None:
    assert complaints(tmp_path) == [f"{tmp_path}: must hold pages, but holds none"]


@pytest.mark.parametrize("plain", LATEX)
def test_every_formula_with_a_latex_form_stands_in_a_docstring(plain: str) -> None:
    assert any(pattern(plain).search(source) for source in SOURCES)


def test_docstrings_are_typeset_outside_of_sessions_and_literals() -> None:
    text = "H_S of ``H_S``:\n\n>>> H_S = tr Gamma^r = value\nH_S\n\nH_S; tr Gamma^r\n= value"
    first, session, last = re.fullmatch(r"(.*?)\n\n(.*?)\n\n(.*)", rendered(text), re.S).groups()
    assert first == ":math:`H_S`\\ of ``H_S``:"
    assert session == ">>> H_S = tr Gamma^r = value\nH_S"
    assert last == r":math:`H_S`\; :math:`\operatorname{tr}\Gamma^r = t_r`"
