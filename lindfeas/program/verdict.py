"""The three verdicts."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a certified interval of the optimum tau says about a question.

    Members are strings, and are printed as strings: ``Verdict.POSSIBLE == "possible"``.
    """

    IMPOSSIBLE = "impossible"
    """No allowed Lindbladian comes nearer than the tolerance."""
    UNDECIDED = "undecided"
    """The interval straddles the tolerance, or no Lindbladian was found that shows more."""
    POSSIBLE = "possible"
    """A Lindbladian was found, with all that is demanded of it."""

    def __repr__(self) -> str:
        return repr(self.value)
