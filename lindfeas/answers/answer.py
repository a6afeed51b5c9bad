"""What `certify` returns: the verdict, what certifies it, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass

from lindfeas.answers.findings import Findings
from lindfeas.answers.report import sections
from lindfeas.text import html_report, plain_report


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer(Findings):
    """The certified answer to a `Question`: `Findings` that can be printed.

    ``print(answer)`` is the report of ``lindfeas certify``, notebooks show it as HTML; the fields
    are those of `Findings`.
    """

    def report(self, detail: int = 0, title: str = "") -> str:
        """The answer as plain text.

        Parameters
        ----------
        detail
            0 for one screen, 1 with the solves and the candidate put to work, 2 for everything.
        title
            Headline.
        """
        return plain_report(sections(self, title, detail=detail))

    def _repr_html_(self) -> str:
        return html_report(sections(self, detail=1))

    def __str__(self) -> str:
        return self.report()
