"""``lindfeas paper``: the published headline numbers, computed again."""

from __future__ import annotations

from lindfeas.cli import options
from lindfeas.cli.group import ExitCode, main, show, show_json


@main.command()
@options.as_json
def paper(as_json: bool) -> int:
    """Compute headline numbers of the published figures again, and say what becomes of each.

    Source: Sarma et al., "Semidefinite programming for understanding limitations of Lindblad
    equations", version of 3 February 2026. Intervals are certified, rounding included.
    """
    from lindfeas.sweeps.headlines import TOLERANCE, VERSION, outcomes

    found = [*outcomes()]
    if as_json:
        rows = [outcome.to_dict() for outcome in found]
        show_json({"version": VERSION, "tolerance": TOLERANCE, "headlines": rows})
        return ExitCode.ANSWERED
    from lindfeas.cli.paper_text import headlines_report

    introduction = f"Smallest defects (epsilon^2), tolerance {TOLERANCE:g}; paper of {VERSION}"
    show(headlines_report(found, introduction))
    return ExitCode.ANSWERED
