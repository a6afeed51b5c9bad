"""Certificate files: what is written, and how strictly they are read."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import lindfeas as lf
from lindfeas.checker import schema as certificate_file
from lindfeas.checker import verify
from lindfeas.checker.format import (
    CertificateError,
    check_certificate,
    checksum,
    parse_certificate,
)
from lindfeas.checker.schema import certificate_schema, certificate_text
from lindfeas.errors import InputError, LindfeasError
from lindfeas.files.problem_file import read_problem
from lindfeas.physics.baths.ohmic_quartic import OhmicQuartic
from lindfeas.theorems import exact_problem
from lindfeas.theorems.certificate import certificate, read_certificate, write_certificate
from lindfeas.theorems.proving import answered
from tests.mutations import JUNK, MALFORMED, changed, containers, leaves, without
from tests.shipped import PROBLEMS, solved, written


def test_a_certificate_claims_what_was_certified() -> None:
    _, answer = solved("xxz-1+2+1")
    content = written("xxz-1+2+1")
    lower, upper = content["lower_bound"]["value"], content["upper_bound"]["value"]
    assert Decimal(lower) <= Decimal(answer.lower)
    assert Decimal(upper) >= Decimal(answer.upper)
    assert float(lower) == pytest.approx(answer.lower, rel=1e-9)
    assert float(upper) == pytest.approx(answer.upper, rel=1e-9)
    assert all(abs(Decimal(y)) <= 1 for y in content["lower_bound"]["multiplier"])


def test_a_certificate_keeps_the_decimals_of_the_problem_file() -> None:
    problem = written("xxz-1+2+1", "system.coupling=0.0100000000000000000001")["problem"]
    assert problem["system"]["coupling"] == "0.0100000000000000000001"
    assert problem["bath"][1]["beta"] == "10.0"
    assert problem["bath"][0]["spectral_density"]["cutoff"] == "10.0"
    assert "sweep" not in problem
    assert "expected" not in problem


def test_matrices_are_written_as_exact_doubles() -> None:
    problem, _ = solved("chiral-ring")
    system = written("chiral-ring")["problem"]["system"]
    hamiltonian = problem.question.system.hamiltonian.toarray()
    for row, column, value in system["hamiltonian"]:
        real, imaginary = value if isinstance(value, list) else (value, "0")
        assert Decimal(real) == Decimal(float(hamiltonian[row, column].real))
        assert Decimal(imaginary) == Decimal(float(hamiltonian[row, column].imag))


def test_a_certificate_is_small_and_readable() -> None:
    text = certificate_text(written("xxz-1+2+1"))
    assert len(text) < 4000
    assert max(len(line) for line in text.splitlines()) < 500


@pytest.mark.parametrize("name", ["xxz-1+2+1", "chiral-ring", "qutrit-qubit"])
def test_the_published_schema_holds(name: str) -> None:
    validator = jsonschema.Draft202012Validator(certificate_schema())
    validator.check_schema(certificate_schema())
    validator.validate(written(name))


def test_the_reader_and_the_schema_agree_on_what_is_malformed() -> None:
    """The reader's own validator against the reference implementation, on tampered files."""
    validator = jsonschema.Draft202012Validator(certificate_schema())
    original = written("xxz-1+2+1")
    cases = [without(original, path) for path in (*leaves(original), *containers(original))]
    for path in list(leaves(original))[::3]:
        # "$" of a pattern allows a line break in Python's re, which the reader does not
        cases += [changed(original, path, junk) for junk in JUNK if junk != "1\n"]
    disagreements = [case for case in cases if validator.is_valid(case) != well_formed(case)]
    assert len(cases) > 200
    assert not disagreements


def well_formed(content: dict[str, Any]) -> bool:
    sealed = copy.deepcopy(content)
    try:
        sealed["sha256"] = checksum(sealed)
        check_certificate(sealed)
    except CertificateError:
        return False
    except (TypeError, ValueError):
        return False
    return True


def test_round_trip(tmp_path: Path) -> None:
    path = write_certificate(tmp_path / "new" / "chain.json", written("xxz-1+2+1"))
    assert read_certificate(path) == written("xxz-1+2+1")
    assert [file.name for file in path.parent.iterdir()] == ["chain.json"]


def test_writing_replaces_a_file_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    write_certificate(path, written("xxz-1+2+1"))
    before = path.read_bytes()
    with pytest.raises(CertificateError):
        write_certificate(path, changed(written("xxz-1+2+1"), ("versions",), None))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["chain.json"]


def test_an_answer_without_a_problem_file_is_written_as_matrices() -> None:
    _, answer = solved("xxz-1+2+1")
    content = certificate(None, answer)
    system = content["problem"]["system"]
    assert system["dimensions"] == [2, 2, 2, 2]
    assert system["charge"] == [[1, 0]] * 4
    assert content["lower_bound"] == written("xxz-1+2+1")["lower_bound"]


def test_an_answer_to_another_question_is_refused() -> None:
    problem, _ = solved("xxz-1+2+1")
    _, answer = solved("xxz-1+2+1", "system.coupling=0.02")
    with pytest.raises(InputError, match="must be the answer to the problem's question"):
        certificate(problem, answer)


def test_a_custom_density_is_refused() -> None:
    density = lf.CustomDensity(function=lambda w: w, leading_coefficient=1.0, scale=1.0, support=9)
    bath = lf.Bath(name="left", sites=(0,), beta=1.0, spectral_density=density)
    chain = lf.models.xxz_chain(sites=2, coupling=0.1, baths=[bath])
    with pytest.raises(InputError, match=r"bath\.left\.spectral_density"):
        certificate(None, lf.certify(lf.Question(system=chain)))


def test_couplings_of_one_bath_with_different_cutoffs_are_refused() -> None:
    densities = (lf.Ohmic(strength=2.0, cutoff=5.0), lf.Ohmic(cutoff=6.0))
    bath = lf.Bath(name="left", sites=(0, 1), beta=1.0, spectral_density=densities)
    chain = lf.models.xxz_chain(sites=2, coupling=0.1, baths=[bath])
    answer = lf.certify(lf.Question(system=chain), sharp=False, check=False)
    with pytest.raises(InputError, match=r"^bath\.left\.spectral_density: .* one shape for all"):
        certificate(None, answer)


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_files_are_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    content, message = MALFORMED[kind]
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(CertificateError, match=message) as caught:
        read_certificate(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "zeros.json"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    with pytest.raises(CertificateError, match="bytes"):
        read_certificate(path)


def test_an_unreadable_file_is_an_error_of_ours(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.json", tmp_path / "nul\0"):
        with pytest.raises(LindfeasError):
            read_certificate(path)


@pytest.mark.parametrize("end", range(1, 40))
def test_a_truncated_certificate_is_refused(end: int) -> None:
    content = certificate_text(written("xxz-1+2+1")).encode()
    with pytest.raises(CertificateError):
        check_certificate(parse_certificate(content[: end * len(content) // 40]))


def test_any_changed_byte_is_noticed() -> None:
    """By the checksum, or already by the form; except in the white space between the numbers."""
    content = certificate_text(written("xxz-1+2+1")).encode()
    for position in range(0, len(content), 17):
        byte = content[position : position + 1]
        if byte.isspace():
            continue
        other = bytes([byte[0] ^ 1])
        with pytest.raises(CertificateError):
            check_certificate(
                parse_certificate(content[:position] + other + content[position + 1 :])
            )


def test_the_schema_file_is_the_one_that_is_enforced() -> None:
    path = Path(certificate_file.__file__).parent / certificate_file.SCHEMA_FILE
    assert json.loads(path.read_text()) == certificate_schema()


def test_no_name_is_defined_twice_in_the_schemas() -> None:
    """A reference is looked up by its name alone."""
    assert not certificate_schema()["$defs"].keys() & certificate_file.box_schema()["$defs"].keys()


def test_a_quartic_cutoff_is_proved() -> None:
    quartic = 'bath.left.spectral_density={family = "ohmic_quartic", cutoff = 5}'
    problem = read_problem(PROBLEMS / "xxz-1+2+1.toml", [quartic])
    answer, content = answered(problem, sharp=False)
    assert content is not None
    assert (answer.verdict, answer.proved) == ("impossible", True)
    assert "exp(-(w/5)^4)" in verify(content).statement


def test_a_density_that_no_certificate_holds_is_refused_or_left_unproved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a family is that the checker does not know yet."""
    monkeypatch.delitem(exact_problem.FAMILIES, OhmicQuartic)
    quartic = 'bath.left.spectral_density={family = "ohmic_quartic", cutoff = 5}'
    problem = read_problem(
        PROBLEMS / "xxz-1+2+1.toml", [quartic, "system.sites=2", "bath.right.sites=[1]"]
    )
    answer, written = answered(problem, sharp=False)
    assert (answer.verdict, answer.proved, written) == ("impossible", False, None)
    says = r"^bath\.left\.spectral_density: must be of one family, ohmic, .* into a certificate$"
    with pytest.raises(InputError, match=says):
        answered(problem, sharp=False, proof=True)
