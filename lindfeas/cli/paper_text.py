"""How headlines look to a reader: what was printed, what is certified, what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lindfeas.text import interval_text, text_grid

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lindfeas.sweeps.headlines import Outcome


def headlines_report(outcomes: Sequence[Outcome], introduction: str) -> RenderableType:
    """Four short lines for every headline, below what all of them have in common."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(introduction)]
    for outcome in outcomes:
        headline = outcome.headline
        title = f"\n{headline.where}: {headline.chain}\n{headline.point}"
        said = ("claimed", str(headline.claim))
        if headline.printed is not None:
            said = ("printed", str(headline.printed))
        certified = ("certified", interval_text(outcome.lower, outcome.upper))
        off = "" if outcome.off is None else f", by {100 * outcome.off:.2g} %"
        lines = [said, certified, ("", f"{outcome.fate}{off}"), ("", headline.remark)]
        parts += [Text(title), text_grid([line for line in lines if line[1]])]
    return Group(*parts)
