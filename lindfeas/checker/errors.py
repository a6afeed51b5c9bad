"""Why a proof stops."""

from __future__ import annotations

from lindfeas.errors import LindfeasError


class Rejected(LindfeasError):  # noqa: N818 - a verdict, not a mishap
    """A claim is false, contradicts itself, or is about something this checker does not know."""


class Unsettled(LindfeasError):  # noqa: N818
    """The balls are too wide to decide; more bits may help."""
