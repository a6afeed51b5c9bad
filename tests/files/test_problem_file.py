"""Reading problem files: what they mean, and that their decimals survive."""

from __future__ import annotations

import copy
import importlib.resources
import itertools
import json
import math
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lindfeas.errors import InputError
from lindfeas.files import schema
from lindfeas.files.decimals import RANGE_DIGITS, evenly_spaced
from lindfeas.files.problem_file import (
    parse_setting,
    problem_from_document,
    read_problem,
    set_value,
)
from lindfeas.physics.baths.ohmic_quartic import OhmicQuartic
from lindfeas.physics.baths.spectral_density import DrudeLorentz, Ohmic, OhmicExponential
from lindfeas.physics.models.xxz import SIGMA_X, SPIN_OPERATORS
from lindfeas.program import question, rates

FOLDER = Path(__file__).parents[2] / "problems"
FILES = sorted(FOLDER.glob("*.toml"))

SMALL = """\
[system]
model = "xxz_chain"
sites = 2
[[bath]]
name = "left"
sites = [0]
beta = 1
"""


def read(tmp_path: Path, text: str, *settings: str) -> Any:
    path = tmp_path / "problem.toml"
    path.write_text(text)
    return read_problem(path, settings)


def document(text: str = SMALL) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=Decimal)


def test_defaults_are_those_of_the_library(tmp_path: Path) -> None:
    problem = read(tmp_path, SMALL)
    asked = problem.question
    plain = question.Question(system=asked.system)
    assert asked.system.baths[0].spectral_density == Ohmic()
    assert asked.system.baths[0].mu == 0.0
    for name in ("rates", "lamb_shift", "target", "norm", "tolerance"):
        assert getattr(asked, name) == getattr(plain, name)
    assert (problem.title, problem.sweep, problem.expected) == ("", (), None)


def test_schema_offers_what_the_library_knows() -> None:
    fields = schema.QuestionTable.model_fields
    assert get_args(fields["target"].annotation) == question.TARGETS
    assert get_args(fields["norm"].annotation) == question.NORMS
    assert tuple(schema.RULES) == rates.RATE_RULES
    (bath,) = get_args(schema.PROBLEMS["xxz_chain"].model_fields["bath"].annotation)
    assert set(get_args(bath.model_fields["operator"].annotation)) == set(SPIN_OPERATORS)


def test_chain_is_built_as_written(tmp_path: Path) -> None:
    text = SMALL.replace("sites = 2", "sites = 2\nfield = [0.5, 0.25]\ncoupling = 0")
    system = read(tmp_path, text).question.system
    np.testing.assert_allclose(system.hamiltonian.diagonal(), [0.75, 0.25, -0.25, -0.75])
    assert system.dimensions == (2, 2)


@pytest.mark.parametrize("operator", SPIN_OPERATORS)
def test_chain_takes_the_named_operator(operator: str, tmp_path: Path) -> None:
    text = SMALL + f'operator = "{operator}"\n'
    coupling = read(tmp_path, text).question.system.baths[0].couplings[0]
    np.testing.assert_array_equal(coupling, SPIN_OPERATORS[operator])


def test_transverse_coupling_leaves_no_charge(tmp_path: Path) -> None:
    system = read(tmp_path, SMALL + 'operator = "sigma_x"\n').question.system
    np.testing.assert_array_equal(system.baths[0].couplings[0], SIGMA_X)
    assert system.charge is None


@pytest.mark.parametrize(
    ("table", "density"),
    [
        ('{ family = "ohmic", exponent = 0.5 }', Ohmic(exponent=0.5)),
        ("{ cutoff = 3 }", Ohmic(cutoff=3.0)),
        ('{ family = "ohmic_exponential", cutoff = 2.5 }', OhmicExponential(cutoff=2.5)),
        ('{ family = "drude_lorentz", strength = 2.0 }', DrudeLorentz(strength=2.0)),
        ('{ family = "ohmic_quartic", exponent = 2 }', OhmicQuartic(exponent=2.0)),
        (
            "{ strength = [1.0, 0.5] }",
            (Ohmic(strength=1.0), Ohmic(strength=0.5)),
        ),
    ],
)
def test_spectral_density(table: str, density: object, tmp_path: Path) -> None:
    text = SMALL.replace("[0]", "[0, 1]") + f"spectral_density = {table}\n"
    assert read(tmp_path, text).question.system.baths[0].spectral_density == density


def test_temperature_zero(tmp_path: Path) -> None:
    problem = read(tmp_path, SMALL, "bath.left.beta=inf")
    assert problem.question.system.baths[0].beta == math.inf


@pytest.mark.parametrize(
    ("table", "rates"),
    [
        ('{ rule = "each", value = 2 }', question.Rates.each(2.0)),
        ('{ rule = "each", value = [2] }', question.Rates.each([2.0])),
        ('{ rule = "total", value = 2 }', question.Rates.total(2.0)),
        ('{ rule = "range", min = 0.5, max = 1e4 }', question.Rates.range(0.5, 1e4)),
    ],
)
def test_rates(table: str, rates: question.Rates, tmp_path: Path) -> None:
    assert read(tmp_path, SMALL, f"ansatz.rates={table}").question.rates == rates


def test_matrices_are_found_beside_the_problem_file(tmp_path: Path) -> None:
    lowering = np.array([[0.0, 0.0], [1.0, 0.0]])
    hamiltonian = np.diag([1.0, 0.1, -0.1, -1.0]).astype(complex)
    hamiltonian[1, 2], hamiltonian[2, 1] = 0.2j, -0.2j
    np.savez(tmp_path / "own.npz", H=hamiltonian, couplings=[lowering], note="anything")
    text = SMALL.replace('model = "xxz_chain"\nsites = 2', 'matrices = "own.npz"')
    text = text.replace("[[bath]]", "dimensions = [2, 2]\n[[bath]]\ncouplings = [0]")
    system = read(tmp_path, text).question.system
    np.testing.assert_array_equal(system.hamiltonian.toarray(), hamiltonian)
    np.testing.assert_array_equal(system.baths[0].couplings[0], lowering)
    with pytest.raises(InputError, match="No such file"):
        problem_from_document(document(text), tmp_path / "elsewhere")


def test_decimals_survive(tmp_path: Path) -> None:
    text = SMALL.replace("beta = 1", "beta = 0.10000000000000000000000000000001")
    problem = read(tmp_path, text)
    kept = problem.document["bath"][0]["beta"]
    assert str(kept) == "0.10000000000000000000000000000001"
    assert problem.json_document()["bath"][0]["beta"] == str(kept)
    assert problem.question.system.baths[0].beta == 0.1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_problem_survives_json(path: Path) -> None:
    problem = read_problem(path)
    text = json.dumps(problem.json_document(), allow_nan=False)
    again = problem_from_document(json.loads(text), path.parent, decimal_strings=True)
    assert again.json_document() == problem.json_document()
    first, second = problem.question, again.question
    assert (first.rates, first.tolerance) == (second.rates, second.tolerance)
    difference = first.system.hamiltonian - second.system.hamiltonian
    assert abs(difference).max() == 0
    for one, other in zip(first.system.baths, second.system.baths, strict=True):
        assert (one.beta, one.mu, one.sites) == (other.beta, other.mu, other.sites)


def test_json_holds_every_default(tmp_path: Path) -> None:
    content = read(tmp_path, SMALL).json_document()
    assert content["question"] == {
        "target": "populations",
        "norm": "spectral",
        "criterion": "distance",
        "coherence_tolerance": "0.001",
        "tolerance": "0.000001",
    }
    assert content["ansatz"] == {"rates": {"rule": "each", "value": "1.0"}, "lamb_shift": True}
    assert content["system"]["field"] == "0.5"
    assert content["bath"][0]["spectral_density"]["cutoff"] == "10.0"
    assert "sweep" not in content and "expected" not in content


def test_infinity_survives_json(tmp_path: Path) -> None:
    problem = read(tmp_path, SMALL, "bath.left.beta=inf")
    again = problem_from_document(problem.json_document(), decimal_strings=True)
    assert again.question.system.baths[0].beta == math.inf


def test_document_is_not_shared() -> None:
    given_document = document()
    problem = problem_from_document(given_document)
    given_document["system"]["sites"] = 7
    assert problem.document["system"]["sites"] == 2


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("a.b=1", 1),
        ("a.b = 0.50", Decimal("0.50")),
        ("a.b=true", True),
        ('a.b="1"', "1"),
        ("a.b=[1, 2.5]", [1, Decimal("2.5")]),
        ("a.b={ c = 1 }", {"c": 1}),
        ("a.b=sigma_x", "sigma_x"),
        ("a.b=populations+coherences", "populations+coherences"),
        ("a.b=x=y", "x=y"),
        ("a.b=1 # one", 1),
    ],
)
def test_setting_is_a_toml_value_or_a_word(setting: str, value: object) -> None:
    key, parsed = parse_setting(setting)
    assert key == "a.b"
    assert parsed == value
    assert type(parsed) is type(value)


def test_setting_makes_the_tables_that_it_needs(tmp_path: Path) -> None:
    settings = ["ansatz.rates.value=3", "question.tolerance=1e-3", "ansatz.lamb_shift=false"]
    problem = read(tmp_path, SMALL, *settings)
    assert problem.question.rates == question.Rates.each(3.0)
    assert problem.question.tolerance == 1e-3
    assert not problem.question.lamb_shift


def test_setting_reaches_into_a_default_density(tmp_path: Path) -> None:
    problem = read(tmp_path, SMALL, "bath.left.spectral_density.cutoff=3")
    assert problem.question.system.baths[0].spectral_density == Ohmic(cutoff=3.0)


def test_baths_are_set_by_name() -> None:
    changed = document(SMALL + SMALL[SMALL.index("[[bath]]") :].replace("left", "right"))
    set_value(changed, "bath.right.beta", Decimal(5))
    assert [bath["beta"] for bath in changed["bath"]] == [1, 5]


def test_sweep_axes(tmp_path: Path) -> None:
    text = SMALL + (
        '[sweep]\n"bath.left.beta" = [10.0, 5]\n'
        '"system.coupling" = { start = 0.001, stop = 1.0, points = 4, scale = "log" }\n'
        '"system.field" = [0.5, [0.5, 0.6]]\n'
    )
    axes = read(tmp_path, text).sweep
    assert [axis.key for axis in axes] == ["bath.left.beta", "system.coupling", "system.field"]
    assert axes[0].values == (Decimal(10), 5)
    assert axes[1].values == (Decimal("0.001"), Decimal("0.01"), Decimal("0.1"), Decimal(1))
    assert axes[2].values == (Decimal("0.5"), [Decimal("0.5"), Decimal("0.6")])


def test_every_point_of_a_sweep_is_a_problem(tmp_path: Path) -> None:
    text = SMALL + '[sweep]\n"bath.left.beta" = [10.0, 5]\n"system.coupling" = [0.1, 0.2]\n'
    problem = read(tmp_path, text)
    before = copy.deepcopy(problem.document)
    for values in itertools.product(*(axis.values for axis in problem.sweep)):
        keys = [axis.key for axis in problem.sweep]
        point = problem.at(dict(zip(keys, values, strict=True)))
        assert point.question.system.baths[0].beta == values[0]
        assert point.document["system"]["coupling"] == values[1]
        assert point.path == problem.path
    assert problem.document == before


def test_point_outside_the_problem_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^bath\.left\.beta: must be > 0"):
        read(tmp_path, SMALL).at({"bath.left.beta": Decimal(-1)})


def test_setting_may_repair_a_file(tmp_path: Path) -> None:
    broken = SMALL.replace("beta = 1\n", "")
    assert read(tmp_path, broken, "bath.left.beta=2").question.system.baths[0].beta == 2.0


def test_expected(tmp_path: Path) -> None:
    text = SMALL + '[expected]\nverdict = "possible"\nupper = 1e-9\nsource = "theory"\n'
    expected = read(tmp_path, text).expected
    assert expected.verdict == "possible"
    assert (expected.lower, expected.upper) == (None, 1e-9)


def test_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_bytes(SMALL.replace("\n", "\r\n").encode())
    assert read_problem(tmp_path / "problem.toml").question.system.dimension == 4


POSITIVE = st.decimals("1e-9", "1e9", allow_nan=False, allow_infinity=False)


@given(start=POSITIVE, stop=POSITIVE, points=st.integers(2, 40), log=st.booleans())
def test_ranges(start: Decimal, stop: Decimal, points: int, log: bool) -> None:
    values = evenly_spaced(start, stop, points, log=log)
    assert len(values) == points
    assert (values[0], values[-1]) == (start, stop)
    assert all(len(value.as_tuple().digits) <= RANGE_DIGITS for value in values[1:-1])
    space = np.geomspace if log else np.linspace
    expected = space(float(start), float(stop), points)
    np.testing.assert_allclose([float(value) for value in values], expected, rtol=1e-10)


def test_published_schema_is_the_generated_one() -> None:
    published = importlib.resources.files("lindfeas").joinpath(schema.SCHEMA_FILE)
    assert published.read_text(encoding="utf-8") == schema.schema_text(), (
        "run `python -m lindfeas.files.schema > lindfeas/files/problem.schema.json`"
    )


def plain(value: Any) -> Any:
    """TOML data as a JSON Schema validator wants them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def validator() -> jsonschema.Draft202012Validator:
    generated = schema.problem_schema()
    jsonschema.Draft202012Validator.check_schema(generated)
    return jsonschema.Draft202012Validator(generated)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_problems_fit_the_schema(path: Path) -> None:
    validator().validate(plain(read_problem(path).document))


def test_the_interface_document_fits_the_schema(tmp_path: Path) -> None:
    text = (
        SMALL
        + """\
spectral_density = { family = "ohmic", strength = 1.0, exponent = 1.0, cutoff = 10.0 }
[ansatz]
rates = { rule = "range", min = 0.0, max = 1e4 }
[question]
target = "populations+coherences"
norm = "spectral"
tolerance = 1e-6
[sweep]
"system.coupling" = { start = 0.001, stop = 1.0, points = 12, scale = "log" }
"bath.left.beta" = [10.0, 5.0, 1.0, 0.5]
"""
    )
    problem = read(tmp_path, text)
    validator().validate(plain(problem.document))
    assert problem.question.target == "populations+coherences"
    assert [len(axis.values) for axis in problem.sweep] == [12, 4]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("beta = 1", "betta = 1"),
        ("beta = 1", 'beta = "1"'),
        ("beta = 1", "beta = 0"),
        ("sites = [0]", "sites = [0.5]"),
        ("sites = 2", "sites = 0"),
        ("xxz_chain", "ising"),
        ("[system]", "[solver]\n[system]"),
    ],
)
def test_schema_refuses_what_the_reader_refuses(old: str, new: str) -> None:
    wrong = document(SMALL.replace(old, new))
    assert not validator().is_valid(plain(wrong))
    with pytest.raises(InputError):
        problem_from_document(wrong)


NUMBERS = "bath.left.spectral_density"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("system.coupling", Decimal("inf"), "system.coupling: must be finite, but is inf"),
        ("system.coupling", [Decimal("-inf")], "system.coupling[0]: must be finite, but is -inf"),
        ("bath.left.beta", Decimal("-inf"), "bath.left.beta: must be > 0, but is -inf"),
        ("bath.left.beta", 0, "bath.left.beta: must be > 0, but is 0"),
        ("bath.left.mu", Decimal("inf"), "bath.left.mu: must be finite, but is inf"),
        (f"{NUMBERS}.strength", -1, f"{NUMBERS}.strength: must be >= 0, but is -1"),
        (f"{NUMBERS}.strength", [0, -2], f"{NUMBERS}.strength[1]: must be >= 0, but is -2"),
        (f"{NUMBERS}.cutoff", Decimal("0.0"), f"{NUMBERS}.cutoff: must be > 0, but is 0.0"),
        (f"{NUMBERS}.cutoff", Decimal("inf"), f"{NUMBERS}.cutoff: must be finite, but is inf"),
    ],
)
def test_numbers_out_of_range_are_refused_by_the_schema(key: str, value: Any, says: str) -> None:
    content = document()
    set_value(content, key, value)
    with pytest.raises(InputError) as refused:
        schema.validate(content)
    assert str(refused.value) == says


def test_zero_and_infinity_pass_where_they_may() -> None:
    content = document()
    set_value(content, f"{NUMBERS}.strength", Decimal("-0.0"))
    set_value(content, "bath.left.beta", Decimal("inf"))
    assert schema.validate(content).bath[0].beta == Decimal("inf")


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("system.model", "xxz_chain"),
        (f"{NUMBERS}.family", ", ".join(schema.DENSITIES)),
        ("ansatz.rates.rule", "each, total, range"),
    ],
)
@pytest.mark.parametrize(("value", "shown"), [([1], "a list"), ({}, "a table"), (3, "3")])
def test_what_chooses_a_table_is_a_known_word(key: str, value: Any, known: str, shown: str) -> None:
    content = document()
    set_value(content, key, value)
    with pytest.raises(InputError) as refused:
        schema.validate(content)
    assert str(refused.value) == f"{key}: must be one of {known}, but is {shown}"


@pytest.mark.parametrize(
    ("given", "charge", "written"),
    [
        ("", ((0, 1), (0, 1)), [[0, 1], [0, 1]]),
        ('charge = "find"\n', ((0, 1), (0, 1)), [[0, 1], [0, 1]]),
        ('charge = "none"\n', None, "none"),
        ("charge = [[1, 0], [1, 0]]\n", ((1, 0), (1, 0)), [[1, 0], [1, 0]]),
    ],
)
def test_the_charge_of_matrices(
    tmp_path: Path, given: str, charge: object, written: object
) -> None:
    """Found unless something else is said; the JSON object has a found one like a given one."""
    lower = np.array([[0.0, 0.0], [1.0, 0.0]])
    exchange = 0.1 * (np.kron(lower, lower.T) + np.kron(lower.T, lower))
    np.savez(tmp_path / "m.npz", H=np.diag([1.0, 0.3, 0.0, -1.0]) + exchange, couplings=[lower])
    content = f"""[system]
matrices = "m.npz"
dimensions = [2, 2]
{given}[[bath]]
name = "b"
sites = [0]
couplings = [0]
beta = 1.0
"""
    problem = read(tmp_path, content)
    assert problem.question.system.charge == charge
    assert problem.json_document()["system"]["charge"] == written
