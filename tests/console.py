"""What a terminal shows."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType


def printed(renderable: RenderableType) -> str:
    """Without colours, on lines of 200 characters."""
    stream = io.StringIO()
    Console(file=stream, width=200).print(renderable)
    return stream.getvalue()
