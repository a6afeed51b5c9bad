"""The certified intervals that a table gives for the quantity along y, point by point."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame

DEFECT = "defect"
TRACE_DISTANCE = "trace-distance"
QUANTITIES = (DEFECT, TRACE_DISTANCE)

SMALLEST = 1e-16
"""What is below is drawn at the bottom of a logarithmic axis, with an arrow."""

NOISE = 1e-9
"""Upper ends below this that come without a lower end are rounding: they say "not told from 0"."""

LARGEST_DISTANCE = 1.0
"""No two states are farther apart in trace distance."""


def certified(points: DataFrame, quantity: str) -> DataFrame:
    """The points with what is certified of the quantity, in further columns.

    ``low``, ``high``
        Both ends; nan for a lower end that is not known, inf where there is no upper end.
    ``found``
        The upper end, the best Lindbladian found, as a logarithmic axis can show it; where nothing
        was found, the lower end.
    ``lemma1``
        Lemma 1, for the trace distance only.
    ``noise``
        Whether it cannot be told from 0, so that the upper end is rounding.
    ``known``
        Whether there is anything: if not, all of these are nan.
    """
    prefix = "" if quantity == DEFECT else "trace_distance_"
    low, high = points[f"{prefix}lower"], points[f"{prefix}upper"]
    lemma1 = points["trace_distance_lemma1"]
    if quantity == DEFECT:
        lemma1 = lemma1 * np.nan
    else:
        high = high.mask(high.isna() & low.notna(), LARGEST_DISTANCE)
    is_open = np.isinf(high)
    known = points["verdict"].notna() & high.notna() & (~is_open | (low > 0))
    found = high.mask(is_open, low).clip(lower=SMALLEST)
    columns = {"low": low, "high": high, "found": found, "lemma1": lemma1}
    seen = {name: column.where(known) for name, column in columns.items()}
    noise = known & (low < SMALLEST) & (high < NOISE)
    return points.assign(**seen, noise=noise, known=known)
