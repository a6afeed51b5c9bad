"""How far two states are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def trace_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """T between two states that are diagonal in the same basis, shapes (d,)."""
    return float(np.abs(first - second).sum() / 2)
