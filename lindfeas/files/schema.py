"""What a problem file may hold: the strict models behind the reader and its JSON Schema.

Numbers stay `decimal.Decimal`, because a proof starts from the decimals that the user wrote.
``python -m lindfeas.files.schema`` prints the JSON Schema that ships with the package.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
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
from lindfeas.files.decimals import (
    DECIMAL_STRINGS,
    NonNegatives,
    Number,
    Numbers,
    Positive,
    PositiveOrInfinite,
    Positives,
)
from lindfeas.physics.systems.bath import BATH_NAME
from lindfeas.physics.systems.open_system import LARGEST_CHARGE

SCHEMA_FILE = "files/problem.schema.json"
"""Where the JSON Schema stands in the package."""

SiteNumber = Annotated[int, Field(ge=0)]


class TomlTable(BaseModel):
    """A TOML table: no key that is not known, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kind: ClassVar[str] = ""
    """What the known keys depend on, for the error message, such as ``rule 'each'``."""

    @model_validator(mode="before")
    @classmethod
    def _knows_every_key(cls, table: Any) -> Any:
        for key in table if isinstance(table, dict) else ():
            if key not in cls.model_fields:
                raise complaint(f"unknown key{suggestion(key, cls.model_fields, cls.kind)}", key)
        return table


class _Choice:
    """Picks the model of a table by one of its keys, so that errors carry plain paths."""

    def __init__(self, key: str, default: str, models: Mapping[str, type[TomlTable]]) -> None:
        self.key, self.default, self.models = key, default, models

    def __call__(
        self, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        if not isinstance(value, dict):
            raise complaint(f"must be a table, but is {shown(value)}")
        choice = value.get(self.key, self.default)
        if not isinstance(choice, str) or choice not in self.models:
            options = ", ".join(self.models)
            raise complaint(f"must be one of {options}, but is {shown(choice)}", self.key)
        return self.models[choice].model_validate(value, context=info.context)


class ChainSystem(TomlTable):
    """An open chain of qubits with XXZ exchange between neighbours."""

    kind: ClassVar[str] = "model 'xxz_chain'"
    model: Literal["xxz_chain"]
    sites: Annotated[int, Field(ge=1, description="number of qubits")]
    field: Annotated[
        Numbers, Field(description="coefficient of sigma_z (energy): one, or one per site")
    ] = Decimal("0.5")
    coupling: Annotated[Numbers, Field(description="exchange g (energy): one, or one per bond")] = (
        Decimal("1.0")
    )
    anisotropy: Annotated[
        Numbers, Field(description="of sigma_z sigma_z; 1 is isotropic: one, or one per bond")
    ] = Decimal("1.0")


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
        list[list[Annotated[int, Field(ge=-LARGEST_CHARGE, le=LARGEST_CHARGE)]]] | None,
        Field(description="conserved charge: one integer per basis state of every site"),
    ] = None


class OhmicDensity(TomlTable):
    """J(w) = strength * w^exponent * exp(-(w / cutoff)^2)."""

    kind: ClassVar[str] = "family 'ohmic'"
    family: Literal["ohmic"] = "ohmic"
    strength: NonNegatives = Decimal("1.0")
    exponent: Positive = Decimal("1.0")
    cutoff: Positive = Decimal("10.0")


class OhmicExponentialDensity(TomlTable):
    """J(w) = strength * w^exponent * exp(-w / cutoff)."""

    kind: ClassVar[str] = "family 'ohmic_exponential'"
    family: Literal["ohmic_exponential"]
    strength: NonNegatives = Decimal("1.0")
    exponent: Positive = Decimal("1.0")
    cutoff: Positive = Decimal("10.0")


class DrudeLorentzDensity(TomlTable):
    """J(w) = strength * w * cutoff^2 / (w^2 + cutoff^2)."""

    kind: ClassVar[str] = "family 'drude_lorentz'"
    family: Literal["drude_lorentz"]
    strength: NonNegatives = Decimal("1.0")
    cutoff: Positive = Decimal("10.0")


FAMILIES: dict[str, type[TomlTable]] = {
    "ohmic": OhmicDensity,
    "ohmic_exponential": OhmicExponentialDensity,
    "drude_lorentz": DrudeLorentzDensity,
}
Density = Annotated[
    OhmicDensity | OhmicExponentialDensity | DrudeLorentzDensity,
    WrapValidator(_Choice("family", "ohmic", FAMILIES)),
]


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
        Density, Field(description="strength: one, or one per coupling (per site in a chain)")
    ] = OhmicDensity()


class ChainBath(BathTable):
    """A bath of a spin chain: one coupling operator on each of its sites."""

    kind: ClassVar[str] = "a bath of model 'xxz_chain'"
    operator: Literal["sigma_minus", "sigma_x", "sigma_z"] = "sigma_minus"


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
RatesTable = Annotated[
    EachRates | TotalRates | RangeRates, WrapValidator(_Choice("rule", "each", RULES))
]


class AnsatzTable(TomlTable):
    """Which Lindbladians are allowed."""

    rates: RatesTable = EachRates()
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
    tolerance: Positive = Decimal("1e-6")


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


class _SweepValues:
    """Validates a list or a range, without the union's tags in the error's path."""

    def __call__(
        self, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        if isinstance(value, dict):
            return SweepRange.model_validate(value, context=info.context)
        if not isinstance(value, list) or not value:
            raise complaint(
                "must be a list of values, or a range { start, stop, points, scale }, but is "
                f"{shown(value)}"
            )
        return value


Sweep = dict[
    str,
    Annotated[
        SweepRange | Annotated[list[Any], Field(min_length=1)], WrapValidator(_SweepValues())
    ],
]


class ExpectedTable(TomlTable):
    """What is known about the answer; a test holds the shipped problems to it.

    Both ends of the certified interval must lie within [lower, upper].
    """

    verdict: Literal["impossible", "possible", "undecided"]
    lower: Number | None = None
    upper: Number | None = None
    source: Annotated[str, Field(min_length=1, description="who computed it, and how")]


class _ProblemTable(TomlTable):
    title: str = ""
    ansatz: AnsatzTable = AnsatzTable()
    question: QuestionTable = QuestionTable()
    sweep: Annotated[
        Sweep, Field(description="dotted keys, each with a list of values or a range")
    ] = {}
    expected: ExpectedTable | None = None

    @field_validator("sweep", mode="before")
    @classmethod
    def _has_dotted_keys(cls, sweep: Any) -> Any:
        for key in sweep if isinstance(sweep, dict) else ():
            if "." not in key:
                raise complaint('must be a dotted key in quotes, such as "system.coupling"', key)
        return sweep


class ChainProblem(_ProblemTable):
    """A problem about a ready-made spin chain."""

    system: ChainSystem
    bath: Annotated[list[ChainBath], Field(min_length=1)]


class MatrixProblem(_ProblemTable):
    """A problem about a system given by matrices."""

    system: MatrixSystem
    bath: Annotated[list[MatrixBath], Field(min_length=1)]


SYSTEMS: dict[str, type[ChainProblem] | type[MatrixProblem]] = {
    "model": ChainProblem,
    "matrices": MatrixProblem,
}


def validate(
    document: dict[str, Any], *, decimal_strings: bool = False
) -> ChainProblem | MatrixProblem:
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
    problem = _problem_model(document)
    try:
        return problem.model_validate(document, context={DECIMAL_STRINGS: decimal_strings})
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
    schema = TypeAdapter(ChainProblem | MatrixProblem).json_schema(schema_generator=_SchemaWriter)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lindfeas problem file",
        **schema,
    }


def schema_text() -> str:
    """`problem_schema` as the text of the file that ships with the package."""
    return json.dumps(problem_schema(), indent=2) + "\n"


def _problem_model(document: dict[str, Any]) -> type[ChainProblem] | type[MatrixProblem]:
    system = document.get("system")
    for key in document:
        if key not in ChainProblem.model_fields:
            raise InputError(f"unknown key{suggestion(key, ChainProblem.model_fields)}", key)
    if system is None:
        raise InputError("must be given, but is missing", "system")
    if not isinstance(system, dict):
        raise InputError(f"must be a table, but is {shown(system)}", "system")
    chosen = [key for key in SYSTEMS if key in system]
    if len(chosen) == 1:
        return SYSTEMS[chosen[0]]
    if chosen:
        raise InputError("must hold 'model' or 'matrices', but holds both", "system")
    for key in system:
        if difflib.get_close_matches(key, SYSTEMS, n=1):
            raise InputError(f"unknown key{suggestion(key, SYSTEMS)}", f"system.{key}")
    raise InputError("must hold 'model' or 'matrices', but holds neither", "system")


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
