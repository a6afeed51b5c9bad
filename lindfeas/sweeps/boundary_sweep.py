"""Boundary sweeps: one search along a key for each point of the other swept keys."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from lindfeas.errors import InputError
from lindfeas.files.columns import Axis, boundary_columns, named
from lindfeas.files.problem_file import ProblemFile, problem_from_document
from lindfeas.sweeps import points
from lindfeas.sweeps.boundary import WIDTH, find_boundary, require_numbers, rows, without_key
from lindfeas.sweeps.engine import Outcome
from lindfeas.sweeps.folder import Form
from lindfeas.sweeps.points import Options, PointTask
from lindfeas.sweeps.sweep import Plan, require_tools


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryTask:
    """One search, ready to be sent to a worker.

    Parameters
    ----------
    key
        Names the search, as `lindfeas.sweeps.points.point_key` names a point.
    point
        The point of the other axes; its own key is not used.
    axis
        The key along which the verdict changes, and the values to begin with.
    width
        See `lindfeas.sweeps.boundary.find_boundary`.
    """

    key: str
    point: PointTask
    axis: Axis
    width: float

    @property
    def values(self) -> dict[str, float | int | bool | str]:
        """The other swept keys as they stand in the table."""
        return self.point.values


def boundary_plan(
    problem: ProblemFile,
    key: str,
    options: Options | None = None,
    fixed: Collection[str] = (),
    *,
    width: float = WIDTH,
) -> Plan:
    """One search along ``key`` for every point of the other swept keys.

    Parameters
    ----------
    key
        Swept key of numbers; see `lindfeas.sweeps.boundary.find_boundary`, also for ``width``.
    options, fixed
        As in `lindfeas.sweeps.sweep.sweep_plan`; proofs only if asked for, neither ``sharp`` nor
        ``certificates``.

    Raises
    ------
    InputError
        If the key cannot be searched, or an option does not go with it.
    SolverError
        If the solver cannot be used.
    MissingExtraError
        If proofs are asked for and python-flint is not installed.
    """
    options = Options() if options is None else options
    if options.certificates or options.sharp:
        raise InputError("must be without --certificates and --sharp, but is not", "--boundary")
    options = replace(options, prove=bool(options.prove), sharp=False)
    require_tools(options)
    axes = points.free_axes(problem, fixed)
    axis = named(axes, key, "--boundary")
    require_numbers(problem, axis, width)
    others = [other for other in axes if other.key != key]
    tasks = tuple(
        BoundaryTask(key=_key(point, axis, width), point=point, axis=axis, width=width)
        for point in points.grid(problem, others, options)
    )
    form = Form(
        kind="boundary",
        problem=problem.json_document(),
        axes=tuple(axis.plain() for axis in axes),
        columns=(*(other.plain().column for other in others), *boundary_columns(key)),
    )
    return Plan(form=form, tasks=tasks, evaluate=evaluate, blank=blank_row)


def evaluate(task: BoundaryTask) -> Outcome:
    """Search along the key: one row per change, or one if there is none."""
    points.require_result_version(task.point.result_version)
    problem = problem_from_document(task.point.document, task.point.base_directory)
    boundary = find_boundary(
        problem,
        task.axis.key,
        task.axis.values,
        scale=task.axis.scale,
        width=task.width,
        solver=task.point.options.solver,
        prove=task.point.options.prove is True,
    )
    place = {**task.values, "point": task.key}
    first, *more = ({**place, **row} for row in rows(boundary, problem))
    return Outcome(row=first, more=tuple(more))


def blank_row(task: BoundaryTask) -> dict[str, Any]:
    """The row of a search of which nothing is known but what it asks."""
    row = {**points.blank_row(task.point), "point": task.key, "boundary_key": task.axis.key}
    return without_key(row, task.axis.key)


def _key(point: PointTask, axis: Axis, width: float) -> str:
    """Name of a search: its values count as numbers, however they were written."""
    return points.point_key(
        {
            "point": point.key,
            "boundary": axis.key,
            "values": [float(value) for value in axis.values],
            "scale": axis.scale,
            "width": width,
        }
    )
