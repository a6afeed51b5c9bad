"""Formulas as MathML, made while the pages are built: browsers show them without a network.

No script runs on the page. The font with mathematical tables, STIX Two Math (SIL Open Font
Licence), comes from the package ziamath and is copied beside the style sheet.
"""

from __future__ import annotations

from html import escape
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copyfile
from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

FONT = "STIXTwoMath-Regular.ttf"

_CONVERTER = LatexToMathML(annotation=True, fancy_error=False)

_log = logging.getLogger(__name__)


def mathml(latex: str, *, block: bool) -> str:
    """The formula as a ``<math>`` element; its LaTeX stays in it, to be copied.

    Raises
    ------
    math_core.LatexError
        If a command is not known.
    """
    converted: str = _CONVERTER.convert_with_local_state(latex.strip(), displaystyle=block)
    return converted


def _converted(node: nodes.Element, *, block: bool) -> str:
    latex = node.astext()
    try:
        return mathml(latex, block=block)
    except LatexError as error:
        _log.warning(
            "formula %r must be LaTeX that math-core knows: %s", latex, error, location=node
        )
        return f"<code>{escape(latex)}</code>"


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_converted(node, block=False))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    number = get_node_equation_number(translator, node) if node["number"] else ""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if number:
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(_converted(node, block=True) + "</div>\n")
    raise nodes.SkipNode


def _copy_font(app: Sphinx, failure: Exception | None) -> None:
    if failure is None and app.builder.format == "html":
        with as_file(files("ziamath.fonts") / FONT) as font:
            copyfile(font, Path(app.outdir) / "_static" / FONT)


def setup(app: Sphinx) -> dict[str, Any]:
    """Make this the renderer of formulas in HTML."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("build-finished", _copy_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
