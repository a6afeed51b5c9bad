"""Sphinx settings: ``sphinx-build -W -n --keep-going -b html docs docs/_build/html``."""

from __future__ import annotations

import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import lindfeas

sys.path.insert(0, str(Path(__file__).resolve().parent / "_ext"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import plain_formulas

from benchmarks import rooms

project = "lindfeas"
author = "the lindfeas authors"
project_copyright = author
version = release = lindfeas.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml"]
extensions += ["sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build", "gallery", "tutorials"]
html_theme = "furo"
html_title = f"lindfeas {release}"
html_static_path = ["_static"]
html_css_files = ["pictures.css", "formulas.css"]
html_math_renderer = "mathml"
default_role = "code"

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = False
napoleon_use_rtype = False

sphinx_gallery_conf = {
    "examples_dirs": ["tutorials", "gallery"],
    "gallery_dirs": ["_gallery/tutorials", "_gallery/examples"],
    "filename_pattern": r"/\w+\.py$",
    "ignore_pattern": r"__init__",
    "within_subsection_order": "ExampleTitleSortKey",
    "abort_on_example_error": True,
    "image_scrapers": ("figures.scrape",),
    "reset_modules": (),
    "min_reported_time": 10**6,
    "write_computation_times": False,
    "show_signature": False,
    "first_notebook_cell": "%matplotlib inline",
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "matplotlib_animations": False,
}

nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|scipy|sp|flint|pandas|collections|pathlib|decimal|os)\..*"),
    ("py:.*", r"(NDArray|ArrayLike|FloatArray|ComplexArray)(\[.*)?"),
]
"""Types of other packages, which have their own manuals; every name of lindfeas must resolve."""

MODULE = """## {name}

```{{eval-rst}}
.. automodule:: {name}
   :members:
   :ignore-module-all:
```
"""

_LISTED = set(re.findall(r"auto\w+:: (\S+)", Path(__file__).with_name("api.md").read_text()))
"""What api.md describes, by the paths that it gives."""

_LITERAL = re.compile(r"(``.*?``|`.*?`)")


def _separate_name(
    _app: Any, what: str, _name: str, _obj: Any, _opts: Any, lines: list[str]
) -> None:
    """Napoleon reads "words: text" of an attribute as its type; a dash says the same."""
    if what in ("attribute", "data", "property") and lines:
        lines[0] = re.sub(r":(?=\s)", " --", lines[0], count=1)


def _typeset_formulas(
    _app: Any, _what: str, name: str, _obj: Any, _opts: Any, lines: list[str]
) -> None:
    """LaTeX for the formulas of public names; those of modules stay as they are written."""
    if any(f"{name}.".startswith(f"{public}.") for public in _LISTED):
        lines[:] = plain_formulas.rendered("\n".join(lines)).split("\n")


def _escape_formulas(
    _app: Any, _what: str, _name: str, _obj: Any, _opts: Any, lines: list[str]
) -> None:
    """Keep the plain-text formulas of docstrings from being read as reStructuredText."""
    in_formula = in_session = False
    for number, line in enumerate(lines):
        in_session = bool(line.strip()) and (in_session or line.lstrip().startswith(">>>"))
        if in_session:
            continue
        if line and not line.startswith(" "):
            in_formula = False
        elif _opens_formula(lines, number):
            lines[number] = f"\n::\n\n{line}"
            in_formula = True
        if not in_formula:
            lines[number] = _escaped(line)
    lines[:] = "\n".join(lines).split("\n")


def _opens_formula(lines: list[str], number: int) -> bool:
    """Whether an indented block under plain text begins here."""
    if number < 2 or not lines[number].startswith("    ") or lines[number - 1].strip():
        return False
    above = lines[number - 2]
    return bool(above) and not above.startswith((" ", ".", ":"))


def _escaped(line: str) -> str:
    parts = _LITERAL.split(line)
    return "".join(
        part if part.startswith("`") else re.sub(r"([|*]|_(?!\w))", r"\\\1", part) for part in parts
    )


def _resolve_short_name(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Link a bare name, such as an error after "Raises", to the one object of that name."""
    if node.get("refdomain") != "py" or "." in node["reftarget"]:
        return None
    domain = env.get_domain("py")
    found = domain.find_obj(env, None, None, node["reftarget"], None, 1)
    if len(found) != 1:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0][0], node, content)


def _list_modules(_app: Any, document: str, source: list[str]) -> None:
    """Put the rooms where internals.md says ROOMS, and every module where it says MODULES."""
    if document == "internals":
        found = pkgutil.walk_packages(lindfeas.__path__, "lindfeas.")
        without = {f"lindfeas.{name}" for name in rooms.FACES}  # see api.md
        names = [module.name for module in found if module.name not in without]
        parts = [MODULE.format(name=name) for name in names]
        source[0] = source[0].replace("ROOMS", "\n".join(rooms.table()))
        source[0] = source[0].replace("MODULES", "\n".join(parts))


def _skip_public(_app: Any, what: str, name: str, obj: Any, _skip: bool, _opts: Any) -> bool | None:
    """What stands in api.md stands there only."""
    own = f"{getattr(obj, '__module__', '')}.{name}"
    faces = (getattr(face, name, None) for face in (lindfeas, lindfeas.models))
    public = own in _LISTED or any(obj is found for found in faces)
    return True if what == "module" and public else None


def setup(app: Any) -> None:
    """Connect the filters; napoleon's own stands at priority 500."""
    app.connect("source-read", _list_modules)
    app.connect("autodoc-skip-member", _skip_public)
    app.connect("autodoc-process-docstring", _separate_name, priority=400)
    app.connect("autodoc-process-docstring", _typeset_formulas, priority=550)
    app.connect("autodoc-process-docstring", _escape_formulas, priority=600)
    app.connect("missing-reference", _resolve_short_name)
