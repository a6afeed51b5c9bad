"""Pictures of the gallery: every matplotlib figure that a script holds in a variable of its own."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

DOTS_PER_INCH = 200

_drawn: set[int] = set()
"""Figures that are in the page already, by identity; they live as long as their script."""


def scrape(_block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Save the new figures of a block, and show them; for ``image_scrapers`` of sphinx-gallery."""
    found = [value for value in variables["example_globals"].values() if isinstance(value, Figure)]
    paths = []
    for figure in found:
        if id(figure) not in _drawn:
            _drawn.add(id(figure))
            paths.append(next(variables["image_path_iterator"]))
            figure.savefig(paths[-1], format="png", dpi=DOTS_PER_INCH)
    return figure_rst(paths, settings["src_dir"])
