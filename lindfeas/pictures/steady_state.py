"""The errors of a Lindbladian's steady state against the coupling strength."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from lindfeas.answers.steady_state_check import (
    NO_FLOOR,
    ZERO,
    SteadyStateCheck,
    SteadyStateRow,
)
from lindfeas.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_check(check: SteadyStateCheck, title: str) -> Figure:
    """Both errors against eps, double logarithmic, with their limits and an eps^2 slope.

    Raises
    ------
    InputError
        If the check was refused.
    """
    if check.limit is None:
        raise InputError(f"must have been computed, but was not: {check.reason}", "check")
    drawn = Figure(figsize=(5.5, 4.0), layout="constrained")
    axes = drawn.subplots()
    _draw(axes, check.rows, check.limit)
    axes.set_title(title)
    return drawn


def _draw(ax: Axes, rows: tuple[SteadyStateRow, ...], limit: SteadyStateRow) -> None:
    rows = tuple(sorted(rows, key=lambda row: row.epsilon))
    strengths = np.array([row.epsilon for row in rows])
    # the reference slope starts at the largest error, or touches a curve that falls with it
    anchor = (strengths[-1], max(row.population_error for row in rows))
    for label, name, colour, marker in (
        ("populations (trace distance)", "population_error", "C0", "o"),
        ("coherences (relative)", "coherence_error", "C1", "s"),
    ):
        errors = [getattr(row, name) for row in rows]
        if None in errors:
            continue
        ax.loglog(strengths, errors, marker=marker, color=colour, label=label)
        floor = getattr(limit, name)
        if floor > max(ZERO, NO_FLOOR * errors[0]):
            label = rf"{label.split()[0]}, limit $\varepsilon \to 0$"
            ax.axhline(floor, color=colour, linestyle=":", label=label)
        elif errors[0] > ZERO:
            anchor = (strengths[0], errors[0])
    slope = anchor[1] * (strengths / anchor[0]) ** 2
    ax.loglog(strengths, slope, color="0.6", linestyle="--", label=r"slope $\varepsilon^2$")
    ax.set_xlabel(r"system-bath coupling $\varepsilon$")
    ax.set_ylabel("error of the steady state")
    ax.legend(frameon=False, fontsize="small")
