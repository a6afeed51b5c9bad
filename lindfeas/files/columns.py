"""What the columns of the tables hold: names, types, units and meanings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import Annotated, Any, Literal, get_args, get_type_hints

from lindfeas.errors import InputError
from lindfeas.files.complaints import shown, suggestion
from lindfeas.files.decimals import with_decimals
from lindfeas.text import RATE

Type = Literal["float64", "int64", "bool", "string"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table; every column may also hold null.

    Parameters
    ----------
    name, type
        As other programs see them.
    description
        For readers.
    unit
        ``dimensionless`` for pure numbers, empty for words.
    """

    name: str
    type: Type
    description: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One swept key.

    Parameters
    ----------
    key
        Dotted key, such as ``bath.right.beta``.
    values
        What it takes: in a problem file TOML values (numbers with a point as Decimals), in a table
        floats, ints, bools or strings (lists and tables as JSON text); see `plain`.
    scale
        ``linear`` or ``log`` for a range, ``list`` for values that were listed.
    """

    key: str
    values: tuple[Any, ...]
    scale: str = "list"

    def plain(self) -> Axis:
        """The same axis with its values as a table holds them."""
        values: list[Any] = with_decimals(list(self.values), float)
        kind = _type(values)
        if kind == "float64":
            values = [float(value) for value in values]
        elif kind == "string":
            values = [value if isinstance(value, str) else json.dumps(value) for value in values]
        return replace(self, values=tuple(values))

    @property
    def column(self) -> Column:
        """The column of the key."""
        return Column(
            name=self.key,
            type=_type(self.values),
            description=f"swept key {self.key} of the problem file",
            unit=_unit(self.key),
        )


def named(axes: Iterable[Axis], key: str, where: str) -> Axis:
    """The axis of a swept key.

    Raises
    ------
    InputError
        If there is none; ``where`` is who asks, such as ``--x``.
    """
    known = {axis.key: axis for axis in axes}
    if key not in known:
        message = f"must be a swept key, but is {shown(key)}{suggestion(key, known)}"
        raise InputError(message, where)
    return known[key]


def _unit(key: str) -> str:
    from lindfeas.files.quantities import quantity  # and all models: to read tables needs none

    return quantity(key).unit


def _type(values: Sequence[Any]) -> Type:
    if all(isinstance(value, bool) for value in values):
        return "bool"
    if any(isinstance(value, bool | str | list | dict) for value in values):
        return "string"
    return "int64" if all(isinstance(value, int) for value in values) else "float64"


def _column(name: str, type: Type, unit: str, description: str) -> Column:
    return Column(name=name, type=type, unit=unit, description=description)


_POINT = _column("point", "string", "", "hash of the point's problem, options and result version")
_TARGET = _column("target", "string", "", "what had to be reproduced")
_NORM = _column("norm", "string", "", "norm of the defect; null for populations")
_TOLERANCE = _column("tolerance", "float64", RATE, "of the defect")
_CRITERION = _column("criterion", "string", "", "what the verdict is about: distance or defect")
_WITHIN = (
    _column(
        "distance_tolerance",
        "float64",
        "dimensionless",
        "of the trace distance of the populations",
    ),
    _column(
        "coherence_tolerance",
        "float64",
        "dimensionless",
        "of the relative error of the leading coherences; null for populations",
    ),
)
_SOLVER = _column("solver", "string", "", "whose numbers gave the interval")
_SECONDS = _column("seconds", "float64", "second", "wall time of the point, its proof included")
_ERROR = _column("error", "string", "", "why the point failed; null if it did not")
_VERSION = _column("lindfeas_version", "string", "", "the version that computed the point")

SWEEP_COLUMNS = (
    _POINT,
    _column("verdict", "string", "", "impossible, possible or undecided; null if it failed"),
    _column(
        "exact",
        "string",
        "",
        "excluded: no allowed Lindbladian has exactly that state, certified; else open",
    ),
    _column("reason", "string", "", "why it is undecided, else null"),
    _TARGET,
    _CRITERION,
    *_WITHIN,
    _NORM,
    _TOLERANCE,
    _column(
        "hamiltonian_limit",
        "float64",
        RATE,
        "largest Hilbert-Schmidt norm of every local Hamiltonian; null where there are none",
    ),
    _column("lower", "float64", RATE, "certified lower end of the optimal defect"),
    _column("upper", "float64", RATE, "certified upper end of the optimal defect"),
    _column("proved", "bool", "", "whether lower was proved in ball arithmetic"),
    _column(
        "proved_quantities",
        "string",
        "",
        "what was proved of defect, exact, distance and coherence, separated by spaces",
    ),
    _column(
        "trace_distance_lower",
        "float64",
        "dimensionless",
        "every allowed Lindbladian with a unique steady state misses the true populations by at "
        "least this trace distance",
    ),
    _column(
        "trace_distance_upper",
        "float64",
        "dimensionless",
        "trace distance of the nearest Lindbladian found",
    ),
    _column(
        "trace_distance_all_lower",
        "float64",
        "dimensionless",
        "the same for all steady populations, unique or not",
    ),
    _column(
        "trace_distance_all_upper",
        "float64",
        "dimensionless",
        "trace distance of the nearest steady populations found, unique or not",
    ),
    _column(
        "trace_distance_lemma1",
        "float64",
        "dimensionless",
        "lower bound on the trace distance by Lemma 1",
    ),
    _column(
        "coherence_error_lower",
        "float64",
        "dimensionless",
        "relative error of the leading coherences of every Lindbladian within the distance "
        "tolerance; null where there is none, or for populations",
    ),
    _column(
        "coherence_error_upper",
        "float64",
        "dimensionless",
        "relative error of the leading coherences of the Lindbladian found",
    ),
    _column(
        "coherence_ladder",
        "string",
        "",
        "JSON: for every trace distance the least relative error of the leading coherences within "
        "it, and whether the distance is excluded altogether",
    ),
    _SOLVER,
    _SECONDS,
    _column("certificate", "string", "", "path of the certificate, relative to the folder"),
    _ERROR,
    _VERSION,
)
"""The columns of a sweep after those of the swept keys."""

BOUNDARY_COLUMNS = (
    _POINT,
    _column("boundary_key", "string", "", "the key along which the verdict changes"),
    _column(
        "change",
        "int64",
        "dimensionless",
        "number of the change, from 0 in rising order of the key; null if there is none",
    ),
    _column("direction", "string", "", "'possible below' or 'impossible below' the change"),
    _column("last_possible", "float64", "", "value of the key, certified possible"),
    _column("first_impossible", "float64", "", "value of the key, certified impossible"),
    _column("possible_upper", "float64", RATE, "certified upper end of the defect at the former"),
    _column("impossible_lower", "float64", RATE, "certified lower end of it at the latter"),
    _column(
        "possible_distance_upper",
        "float64",
        "dimensionless",
        "trace distance of the Lindbladian found at last_possible",
    ),
    _column(
        "impossible_distance_lower",
        "float64",
        "dimensionless",
        "certified lower end of the trace distance at first_impossible",
    ),
    _column("undecided_low", "float64", "", "smallest value between them without a verdict"),
    _column("undecided_high", "float64", "", "largest value between them without a verdict"),
    _column("verdicts", "string", "", "the verdicts along the key, rising, repeated ones once"),
    _column("evaluations", "int64", "dimensionless", "how many values of the key were computed"),
    _column("proved", "bool", "", "whether the verdict at first_impossible was proved"),
    _column("failure", "string", "", "first value of the key that failed, and why, or null"),
    _TARGET,
    _CRITERION,
    *_WITHIN,
    _NORM,
    _TOLERANCE,
    _SOLVER,
    _SECONDS,
    _ERROR,
    _VERSION,
)
"""The columns of a boundary sweep after those of the other swept keys: one row per change."""

KEY_VALUES = ("last_possible", "first_impossible", "undecided_low", "undecided_high")
"""Columns of a boundary sweep in the unit of its key."""


def boundary_columns(key: str) -> tuple[Column, ...]:
    """`BOUNDARY_COLUMNS` with the unit of the key along which the verdict changes."""
    unit = _unit(key)
    return tuple(
        replace(column, unit=unit) if column.name in KEY_VALUES else column
        for column in BOUNDARY_COLUMNS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One solver on one problem; unit and meaning of a column stand beside its type."""

    problem: Annotated[str, "", "name of the problem"]
    title: Annotated[str, "", "title of the problem"]
    target: Annotated[str, "", "what has to be reproduced"]
    norm: Annotated[str | None, "", "norm of the defect; null for populations"]
    tolerance: Annotated[float, RATE, "the problem's tolerance"]
    solver: Annotated[str, "", "name of the solver"]
    version: Annotated[str | None, "", "version of the solver's package"]
    usable: Annotated[bool, "", "whether the solver is installed and licensed"]
    outcome: Annotated[str, "", "answered, unusable, crashed, timed out or failed"]
    message: Annotated[str, "", "what happened, where there is something to say"]
    status: Annotated[str | None, "", "as reported by the plain solve"] = None
    objective: Annotated[float | None, RATE, "as reported by the plain solve"] = None
    objective_error: Annotated[
        float | None,
        RATE,
        "how far the reported objective lies outside of what all solvers together certify",
    ] = None
    objective_holds: Annotated[
        bool | None,
        "",
        "whether objective_error is at most the tolerance; false also for a solver that calls "
        "the program infeasible or unbounded, which it never is",
    ] = None
    iterations: Annotated[int | None, "dimensionless", "as reported by the plain solve"] = None
    compile_seconds: Annotated[
        float | None, "s", "of the plain solve, before the solver starts"
    ] = None
    solve_seconds: Annotated[float | None, "s", "of the plain solve, inside the solver"] = None
    plain_lower: Annotated[
        float | None, RATE, "lower bound certified from the plain solve alone"
    ] = None
    plain_upper: Annotated[
        float | None, RATE, "upper bound certified from the plain solve alone"
    ] = None
    plain_width: Annotated[float | None, RATE, "plain_upper - plain_lower"] = None
    lower: Annotated[
        float | None, RATE, "certified lower bound after rescaling and solving again"
    ] = None
    upper: Annotated[
        float | None, RATE, "certified upper bound after rescaling and solving again"
    ] = None
    width: Annotated[float | None, RATE, "upper - lower"] = None
    solves: Annotated[int | None, "dimensionless", "solves behind lower and upper"] = None
    seconds: Annotated[
        float | None, "s", "until lower and upper were known: these solves, certified"
    ] = None
    lindfeas_version: Annotated[str, "", "version of lindfeas"] = field(
        default_factory=lambda: version("lindfeas")
    )

    def to_dict(self) -> dict[str, Any]:
        """Columns by name."""
        return asdict(self)


_TYPES: dict[type, Type] = {float: "float64", int: "int64", bool: "bool", str: "string"}


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns of a table whose rows are such dataclasses."""
    found = []
    for name, hint in get_type_hints(row, include_extras=True).items():
        plain, (unit, description) = get_args(hint)[0], hint.__metadata__
        kind = next(iter(get_args(plain)), plain)  # the type before "| None"
        found.append(Column(name=name, type=_TYPES[kind], description=description, unit=unit))
    return tuple(found)


COMPARISON_COLUMNS = columns_of(ComparisonRow)
"""The columns of a comparison of solvers: one row per problem and solver."""
