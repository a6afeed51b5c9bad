"""What a problem file may hold: the strict models behind the reader and its JSON Schema.

Numbers stay `decimal.Decimal`, because a proof starts from the decimals that the user wrote.
``python -m lindfeas.files.schema`` prints the JSON Schema that ships with the package.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Union

from pydantic import (
    BaseModel,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema

from lindfeas.errors import InputError
from lindfeas.files.complaints import complaint, key_path, message, shown, suggestion
from lindfeas.files.toml_table import (
    DECIMAL_STRINGS,
    Choice,
    NonNegatives,
    Number,
    Numbers,
    Positive,
    PositiveOrInfinite,
    Positives,
    TomlTable,
)
from lindfeas.physics.baths.families import FAMILIES
from lindfeas.physics.models import MODELS
from lindfeas.physics.models.model_spec import ModelSpec
from lindfeas.physics.systems.bath import BATH_NAME
from lindfeas.physics.systems.open_system import LARGEST_CHARGE

SCHEMA_FILE = "files/problem.schema.json"
"""Where the JSON Schema stands in the package."""

SiteNumber = Annotated[int, Field(ge=0)]


Charges = list[list[Annotated[int, Field(ge=-LARGEST_CHARGE, le=LARGEST_CHARGE)]]]
_CHARGES: TypeAdapter[Charges] = TypeAdapter(Charges)


def _charge(value: Any, _: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """A word or a list, without the union's tags in the error's path."""
    if isinstance(value, str):
        if value not in ("find", "none"):
            raise complaint(f"must be 'find', 'none' or a list, but is {shown(value)}")
        return value
    return _CHARGES.validate_python(value, context=info.context, strict=True)


class MatrixSystem(TomlTable):
    """A system of the user's own, given by matrices."""

    kind: ClassVar[str] = "a system given by matrices"
    matrices: Annotated[
        str,
        Field(
            min_length=1,
            description="npz file beside the problem file: H (d, d) and couplings (n, m, m), each "
            "on its bath's region (m = d_r, sites in the bath's order) or on the whole system "
            "(m = d)",
        ),
    ]
    dimensions: Annotated[
        list[Annotated[int, Field(ge=2)]],
        Field(min_length=1, description="levels of every site, leftmost tensor factor first"),
    ]
    charge: Annotated[
        Literal["find", "none"] | Charges,
        WrapValidator(_charge),
        Field(
            description="conserved charge: one integer per basis state of every site; or 'find', "
            "the finest one that the matrices conserve, or 'none'"
        ),
    ] = "find"


def _density(name: str) -> type[TomlTable]:
    """The table of one family of spectral densities."""
    family = FAMILIES[name]
    default = name if name == next(iter(FAMILIES)) else ...
    keys: dict[str, Any] = {"family": (Literal[name], default)}
    for one in fields(family):
        kind = NonNegatives if one.name == "strength" else Positive
        keys[one.name] = (kind, Decimal(repr(one.default)))
    title = f"{family.__name__}Density"
    sentence = (family.__doc__ or "").partition("\n")[0]
    return TomlTable.variant(title, sentence, f"family {name!r}", **keys)


DENSITIES = {name: _density(name) for name in FAMILIES}


class BathTable(TomlTable):
    """A thermal bath on one region of sites."""

    name: Annotated[
        str,
        Field(
            pattern=f"^{BATH_NAME}$",
            description="1 to 200 of a-z, A-Z, 0-9, - and _; unique; part of paths",
        ),
    ]
    sites: Annotated[list[SiteNumber], Field(min_length=1, description="counted from 0")]
    beta: Annotated[
        PositiveOrInfinite, Field(description="inverse temperature (1/energy); inf is allowed")
    ]
    mu: Annotated[Number, Field(description="chemical potential (energy)")] = Decimal("0.0")
    spectral_density: Annotated[
        TomlTable,
        Choice("family", DENSITIES),
        Field(description="strength: one, or one per coupling (per site in a chain)"),
    ] = next(iter(DENSITIES.values()))()


class ModelBath(BathTable):
    """A bath of a ready-made system: one coupling operator on each of its sites."""

    operator: str


class MatrixBath(BathTable):
    """A bath of a user's system: its coupling operators are among the file's."""

    kind: ClassVar[str] = "a bath of a system given by matrices"
    couplings: Annotated[
        list[SiteNumber], Field(min_length=1, description="indices into the file's couplings")
    ]


class EachRates(TomlTable):
    """tr Gamma^r = value for every bath r."""

    kind: ClassVar[str] = "rule 'each'"
    rule: Literal["each"] = "each"
    value: Annotated[Positives, Field(description="one, or one per bath")] = Decimal("1.0")


class TotalRates(TomlTable):
    """sum_r tr Gamma^r = value."""

    kind: ClassVar[str] = "rule 'total'"
    rule: Literal["total"]
    value: Positive = Decimal("1.0")


class RangeRates(TomlTable):
    """min <= tr Gamma^r <= max for every bath r."""

    kind: ClassVar[str] = "rule 'range'"
    rule: Literal["range"]
    min: Annotated[NonNegatives, Field(description="one, or one per bath")] = Decimal("0.0")
    max: Annotated[Positives, Field(description="one, or one per bath")]


RULES: dict[str, type[TomlTable]] = {"each": EachRates, "total": TotalRates, "range": RangeRates}


class AnsatzTable(TomlTable):
    """Which Lindbladians are allowed."""

    rates: Annotated[EachRates | TotalRates | RangeRates, Choice("rule", RULES)] = EachRates()
    lamb_shift: Annotated[bool, Field(description="false forbids the local Hamiltonians")] = True
    hamiltonian_limit: Annotated[
        Positive | None,
        Field(
            description="largest Hilbert-Schmidt norm of every local Hamiltonian (rate unit), for "
            "coherences; by default 10 times the Redfield equation's largest rate"
        ),
    ] = None


class QuestionTable(TomlTable):
    """What the Lindbladian must reproduce, and how well."""

    target: Literal["populations", "populations+coherences"] = "populations"
    norm: Annotated[
        Literal["spectral", "frobenius", "trace"], Field(description="for coherences")
    ] = "spectral"
    criterion: Annotated[
        Literal["distance", "defect"],
        Field(
            description="what the verdict is about: how far the steady state is from the true one, "
            "or the defect"
        ),
    ] = "distance"
    distance_tolerance: Annotated[
        Positive | None,
        Field(
            description="trace distance of the populations; by default 1e-4, for "
            "populations+coherences 1e-6"
        ),
    ] = None
    coherence_tolerance: Annotated[
        Positive, Field(description="relative error of the leading coherences")
    ] = Decimal("1e-3")
    tolerance: Annotated[Positive, Field(description="of the defect")] = Decimal("1e-6")


class SweepRange(TomlTable):
    """Evenly spaced numbers from start to stop, both included, with 12 significant digits."""

    kind: ClassVar[str] = "a range"
    start: Number
    stop: Number
    points: Annotated[int, Field(ge=2, le=1_000_000)]
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _has_a_logarithm(self) -> SweepRange:
        for key in ("start", "stop") if self.scale == "log" else ():
            number = getattr(self, key)
            if not number > 0:
                raise complaint(f"must be > 0 for scale 'log', but is {shown(number)}", key)
        return self


def _sweep_values(value: Any, _: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """A list or a range, without the union's tags in the error's path."""
    if isinstance(value, dict):
        return SweepRange.model_validate(value, context=info.context)
    if not isinstance(value, list) or not value:
        wanted = "a list of values, or a range { start, stop, points, scale }"
        raise complaint(f"must be {wanted}, but is {shown(value)}")
    return value


Values = SweepRange | Annotated[list[Any], Field(min_length=1)]
Sweep = dict[str, Annotated[Values, WrapValidator(_sweep_values)]]


class ExpectedInterval(TomlTable):
    """Between which numbers a certified interval must lie."""

    lower: Number | None = None
    upper: Number | None = None


class ExpectedTable(TomlTable):
    """What is known about the answer; a test holds the shipped problems to it.

    Both ends of the certified interval of the defect must lie within [lower, upper], and those of
    the trace distance within ``distance``.
    """

    verdict: Annotated[
        Literal["impossible", "possible", "undecided"],
        Field(description="by the question's criterion"),
    ]
    lower: Number | None = None
    upper: Number | None = None
    distance: ExpectedInterval = ExpectedInterval()
    source: Annotated[str, Field(min_length=1, description="who computed it, and how")]


class CandidateTable(TomlTable):
    """A Lindbladian of the user's own, to be scored beside the answer."""

    file: Annotated[
        str,
        Field(
            min_length=1,
            description="npz file beside the problem file: jump_operators (n, d, d) on the whole "
            "system; rates (n), 1 each if left out; hamiltonian (d, d), 0 if left out",
        ),
    ]


class _ProblemTable(TomlTable):
    title: str = ""
    ansatz: AnsatzTable = AnsatzTable()
    question: QuestionTable = QuestionTable()
    sweep: Sweep = Field({}, description="dotted keys, each with a list of values or a range")
    candidate: CandidateTable | None = None
    expected: ExpectedTable | None = None

    @field_validator("sweep", mode="before")
    @classmethod
    def _has_dotted_keys(cls, sweep: Any) -> Any:
        for key in sweep if isinstance(sweep, dict) else ():
            if "." not in key:
                raise complaint('must be a dotted key in quotes, such as "system.coupling"', key)
        return sweep


class ModelProblem(_ProblemTable):
    """A problem about a ready-made system."""

    spec: ClassVar[ModelSpec]
    system: TomlTable
    bath: Annotated[list[ModelBath], Field(min_length=1)]


class MatrixProblem(_ProblemTable):
    """A problem about a system given by matrices."""

    system: MatrixSystem
    bath: Annotated[list[MatrixBath], Field(min_length=1)]


def _model_problem(spec: ModelSpec) -> type[ModelProblem]:
    """What a problem file about one ready-made system may hold."""
    keys: dict[str, Any] = {"model": (Literal[spec.name], ...)}
    for name, key in spec.keys.items():
        kind: Any = Annotated[int, Field(ge=1)] if key.is_count else Numbers
        default = ... if key.default is None else Decimal(repr(key.default))
        keys[name] = (Annotated[kind, Field(description=key.description)], default)
    operators: Any = Literal[tuple(spec.operators)]
    model = f"model {spec.name!r}"
    system = TomlTable.variant(f"{spec.title}System", spec.description, model, **keys)
    bath: Any = ModelBath.variant(
        f"{spec.title}Bath", kind=f"a bath of {model}", operator=(operators, spec.operators[0])
    )
    problem = ModelProblem.variant(
        f"{spec.title}Problem",
        system=(system, ...),
        bath=(Annotated[list[bath], Field(min_length=1)], ...),
    )
    problem.spec = spec
    return problem


PROBLEMS = {name: _model_problem(spec) for name, spec in MODELS.items()}
SYSTEMS = ("model", "matrices")
"""Keys of ``[system]``, one of which it must hold."""


def validate(
    document: dict[str, Any], *, decimal_strings: bool = False
) -> ModelProblem | MatrixProblem:
    """The checked problem that ``document`` describes.

    Parameters
    ----------
    document
        A problem file as `tomllib` gives it, with Decimals for floats.
    decimal_strings
        Also take strings such as ``"0.5"`` where a number belongs.

    Raises
    ------
    InputError
        At the first key that is wrong; its ``where`` is the key's path.
    """
    table = _problem_table(document)
    try:
        return table.model_validate(document, context={DECIMAL_STRINGS: decimal_strings})
    except ValidationError as error:
        raise _input_error(error, document) from None


class _SchemaWriter(GenerateJsonSchema):
    """Writes default values as JSON numbers, where pydantic would write decimal strings."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, BaseModel):
            return {key: self.encode_default(getattr(dft, key)) for key in type(dft).model_fields}
        return float(dft) if isinstance(dft, Decimal) else super().encode_default(dft)


def problem_schema() -> dict[str, Any]:
    """JSON Schema of a problem file, generated from the models that read it."""
    every: Any = Union[(*PROBLEMS.values(), MatrixProblem)]
    schema = TypeAdapter(every).json_schema(schema_generator=_SchemaWriter)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lindfeas problem file",
        **schema,
    }


def schema_text() -> str:
    """`problem_schema` as the text of the file that ships with the package."""
    return json.dumps(problem_schema(), indent=2) + "\n"


def _problem_table(document: dict[str, Any]) -> type[ModelProblem] | type[MatrixProblem]:
    """What the document must fit, by the keys of its ``[system]``."""
    for key in document:
        if key not in MatrixProblem.model_fields:
            raise InputError(f"unknown key{suggestion(key, MatrixProblem.model_fields)}", key)
    if "system" not in document:
        raise InputError("must be given, but is missing", "system")
    system = document["system"]
    if not isinstance(system, dict):
        raise InputError(f"must be a table, but is {shown(system)}", "system")
    chosen = [key for key in SYSTEMS if key in system]
    if len(chosen) > 1:
        raise InputError("must hold 'model' or 'matrices', but holds both", "system")
    if chosen == ["model"]:
        return _named_problem(system["model"])
    if chosen:
        return MatrixProblem
    for key in system:
        if difflib.get_close_matches(key, SYSTEMS, n=1):
            raise InputError(f"unknown key{suggestion(key, SYSTEMS)}", f"system.{key}")
    raise InputError("must hold 'model' or 'matrices', but holds neither", "system")


def _named_problem(model: Any) -> type[ModelProblem]:
    if not isinstance(model, str) or model not in PROBLEMS:
        message = f"must be one of {', '.join(PROBLEMS)}, but is {shown(model)}"
        raise InputError(message, "system.model")
    return PROBLEMS[model]


def _input_error(error: ValidationError, document: Mapping[str, Any]) -> InputError:
    """The first of pydantic's complaints in this project's words."""
    details = error.errors(include_url=False)
    first = min(details, key=lambda detail: not message(detail).startswith("unknown key"))
    keys = list(first["loc"])
    if key := first.get("ctx", {}).get("key"):
        keys.append(key)
    return InputError(message(first), key_path(keys, document))


if __name__ == "__main__":
    print(schema_text(), end="")
