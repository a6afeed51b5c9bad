"""What a sceptic has to read for populations at a point: few files, in order, and no others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from scipy.integrate import quad

from benchmarks.lines import POPULATIONS_TEXT, code_lines
from lindfeas.checker import forms, schema, statement
from lindfeas.checker.format import check_certificate
from lindfeas.checker.model import Bath, Density, model
from lindfeas.checker.principal_values import half_sided, zero_frequency
from lindfeas.checker.steady_state import spectral_density
from lindfeas.theorems.certificate import write_certificate
from tests.mutations import changed
from tests.shipped import written

CHECKER = Path(forms.__file__).parent
ROOT = CHECKER.parents[1]
MOST_FILES = 8
MOST_LINES = 900

CHAIN = "xxz-1+2+1"
COHERENT = (
    "system.sites=2",
    "bath.right.sites=[1]",
    "question.target=populations+coherences",
)


def imported(path: Path) -> set[str]:
    """Modules of the checker that are loaded when a certificate file is read and checked."""
    code = f"""
import sys
from lindfeas.checker.format import read_certificate
from lindfeas.proof import verify
assert verify(read_certificate({str(path)!r})).status == "accepted"
names = [name for name in sys.modules if name.startswith("lindfeas.checker")]
print(*(name.removeprefix("lindfeas.checker").lstrip(".") or "__init__" for name in names))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", [CHAIN, "qutrit-qubit", "xxz-3+0"])
def test_populations_at_a_point_load_their_own_text_only(name: str, tmp_path: Path) -> None:
    content = changed(written(name), ("trace_distance",), None)
    assert imported(write_certificate(tmp_path / "c.json", content)) == set(POPULATIONS_TEXT)


def test_the_text_is_short() -> None:
    assert len(POPULATIONS_TEXT) <= MOST_FILES
    sources = [(CHECKER / f"{name}.py").read_text(encoding="utf-8") for name in POPULATIONS_TEXT]
    assert sum(map(code_lines, sources)) <= MOST_LINES


def test_what_else_is_claimed_is_loaded_where_it_is(tmp_path: Path) -> None:
    apart = imported(ROOT / "results" / f"{CHAIN}.certificate.json")
    assert "distances" in apart
    assert not {"coherences", "boxes"} & apart
    coherent = changed(written(CHAIN, *COHERENT), ("trace_distance",), None)
    loaded = imported(write_certificate(tmp_path / "coherent.json", coherent))
    assert {"coherences", "redfield", "principal_values", "local_hamiltonians"} <= loaded
    assert not {"distances", "boxes"} & loaded


def test_every_file_states_its_lemma() -> None:
    for name in POPULATIONS_TEXT:
        if name != "__init__":
            assert "\nLemma: " in (CHECKER / f"{name}.py").read_text(encoding="utf-8"), name


def test_the_published_schemas_are_the_forms() -> None:
    published = (CHECKER / schema.SCHEMA_FILE, CHECKER / schema.BOX_SCHEMA_FILE)
    for path, known in zip(
        published, (schema.certificate_schema(), schema.box_schema()), strict=True
    ):
        text = path.read_text(encoding="utf-8")
        assert json.loads(text) == known, "run `python -m lindfeas.checker.schema`"


# Without python-flint.


def without_flint(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "flint":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "flint" else find(name, *rest)
from lindfeas.cli import main
sys.argv = ["lindfeas", *{list(arguments)!r}]
main()
"""
    run = [sys.executable, "-c", code]
    return subprocess.run(run, capture_output=True, text=True, check=False, cwd=ROOT)


def test_without_python_flint_answers_stay_and_a_proof_says_what_it_needs() -> None:
    done = without_flint("verify", f"results/{CHAIN}.certificate.json")
    assert done.returncode == 2
    assert "lindfeas[proof]" in done.stderr
    assert "Traceback" not in done.stderr
    done = without_flint("certify", f"problems/{CHAIN}.toml")
    assert done.returncode == 0, done.stderr


# A new spectral density, J = strength w^s exp(-(w/cutoff)^4).


QUARTIC = '    "quartic": (4, "J_l(w) = {strength} w^{exponent} exp(-(w/{cutoff})^4)"),\n'


def test_a_spectral_density_is_one_line_and_its_name_in_the_schema(tmp_path: Path) -> None:
    package = tmp_path / "lindfeas"
    shutil.copytree(CHECKER.parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
    source = (package / "checker" / "forms.py").read_text(encoding="utf-8")
    first = "FAMILIES = {\n"
    assert first in source
    (package / "checker" / "forms.py").write_text(source.replace(first, first + QUARTIC))
    here: dict[str, Any] = {"cwd": tmp_path, "env": {"PYTHONPATH": str(tmp_path)}}
    subprocess.run([sys.executable, "-Bm", "lindfeas.checker.schema"], check=True, **here)
    after = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
    assert before.keys() == after.keys()
    different = {path.name for path in before if before[path] != after[path]}
    assert different == {"forms.py", schema.SCHEMA_FILE}
    content = changed(quartic_certificate(), ("trace_distance",), None)
    (tmp_path / "c.json").write_text(schema.certificate_text(content))
    code = """
from lindfeas.checker import verify
from lindfeas.checker.format import read_certificate
proof = verify(read_certificate("c.json"))
print(proof.status, proof.statement)
"""
    done = subprocess.run(
        [sys.executable, "-Bc", code], capture_output=True, text=True, check=True, **here
    )
    assert done.stdout.startswith("accepted Theorem.")
    assert "J_l(w) = 1.0 w^1.0 exp(-(w/10.0)^4)" in done.stdout


def quartic_certificate() -> dict[str, Any]:
    """Without a lower bound, and with an upper one that holds for any bath."""
    content = written(CHAIN)
    for number in (0, 1):
        path = ("problem", "bath", number, "spectral_density", "family")
        content = changed(content, path, "quartic")
    content = changed(content, ("lower_bound", "value"), "0")
    return changed(content, ("upper_bound", "value"), "10")


def test_a_new_density_is_integrated_by_the_same_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(forms.FAMILIES, "quartic", (4, "J_l(w) = {strength} w^{exponent} ..."))
    density = Density("quartic", fmpq(3, 2), fmpq(2), fmpq(7))
    bath = Bath("A", (0,), levels=2, beta=fmpq(7, 10), mu=fmpq(-3, 10), couplings=())

    def j(w: float) -> float:
        return float(1.5 * w**2 * np.exp(-((w / 7) ** 4)))

    with ctx.workprec(128):
        assert float(spectral_density(density, arb(3))) == pytest.approx(j(3), rel=1e-12)
        moment = quad(lambda w: j(w) / w, 0, 40)[0]
        assert float(zero_frequency(bath, density).imag) == pytest.approx(-moment / (2 * np.pi))
        emitted = half_sided(bath, density, arb(3))[1]
    assert float(emitted.real) == pytest.approx(j(3) * (1 / np.expm1(0.7 * 3.3) + 1) / 2)
    filled = lambda w: j(w) * (1 / np.expm1(0.7 * (w + 0.3)) + 1)  # noqa: E731
    value = quad(filled, 0, 6, weight="cauchy", wvar=3)[0]
    value += quad(lambda w: filled(w) / (w - 3), 6, 40)[0]
    assert float(emitted.imag) == pytest.approx(-value / (2 * np.pi), rel=1e-7)


def test_the_shipped_families_are_known_to_the_words() -> None:
    problem = written(CHAIN)["problem"]
    for family in forms.FAMILIES:
        density = {"family": family, "strength": "1", "exponent": "1", "cutoff": "2"}
        if forms.FAMILIES[family][0] is None:
            del density["exponent"]
        content = {**problem, "bath": [{**problem["bath"][0], "spectral_density": density}]}
        check_certificate_with(content)
        words = " ".join(statement.subject(content, model(content)))
        assert forms.FAMILIES[family][1].format(**density) in words


def check_certificate_with(problem: dict[str, Any]) -> None:
    check_certificate(changed(written(CHAIN), ("problem",), problem))
