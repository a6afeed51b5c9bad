"""The relative error of the steady state's leading coherences, for Lindbladians that are near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """What is certified for all allowed Lindbladians with T <= ``distance``.

    Parameters
    ----------
    distance
        A trace distance of the populations.
    lower
        Least relative error R of the leading coherences; None where ``excluded``.
    excluded
        Whether no allowed Lindbladian with a unique steady state is so near.
    """

    distance: float
    lower: float | None
    excluded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CoherenceError:
    """R = ||rho2' - rho2||_F / ||rho2||_F off the diagonal, as a function of T.

    Parameters
    ----------
    lower
        Of the rung of the question's distance tolerance; None where that is excluded.
    upper
        R of the nearest Lindbladian found, or None.
    ladder
        One rung per distance, rising.
    """

    lower: float | None
    upper: float | None
    ladder: tuple[Rung, ...]

    @property
    def is_excluded(self) -> bool:
        """Whether no allowed Lindbladian is within the question's distance tolerance."""
        return self.lower is None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, without infinities."""
        rungs = [
            {"distance": one.distance, "lower": one.lower, "excluded": one.excluded}
            for one in self.ladder
        ]
        return {"lower": self.lower, "upper": self.upper, "ladder": rungs}
