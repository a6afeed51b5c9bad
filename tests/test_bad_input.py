"""Every wrong input ends in one line that names the key, in exit code 2, and in no file."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import lindfeas as lf
from lindfeas.answers.certify import steady_state_check
from lindfeas.answers.redfield_verdict import redfield_verdict
from lindfeas.cli import main
from lindfeas.program.target import observables, populations
from lindfeas.solvers.catalogue import solver_status
from lindfeas.theorems.box import parse_interval, prove_box

CHAIN = """\
title = "two qubits"
[system]
model = "xxz_chain"
sites = 3
field = 0.5
coupling = 0.1
anisotropy = 1.0
[[bath]]
name = "left"
sites = [0]
beta = 1.0
mu = 0.0
spectral_density = { family = "ohmic", strength = 1.0, exponent = 1.0, cutoff = 10.0 }
[[bath]]
name = "right"
sites = [2]
beta = 10.0
[ansatz]
rates = { rule = "each", value = 1.0 }
lamb_shift = true
[question]
target = "populations"
norm = "spectral"
tolerance = 1e-6
[sweep]
"system.coupling" = [0.1, 0.2]
[expected]
verdict = "impossible"
source = "a test"
"""

MATRICES = """\
[system]
matrices = "two.npz"
dimensions = [2, 2]
charge = [[1, 0], [1, 0]]
[[bath]]
name = "left"
sites = [0]
couplings = [0]
beta = 1.0
[[bath]]
name = "right"
sites = [1]
couplings = [1]
beta = 2.0
"""

RIGHT_BATH = MATRICES[MATRICES.rindex("[[bath]]") :]

LOWERING = np.array([[0.0, 0.0], [1.0, 0.0]])
PAIR = np.diag([1.0, 0.1, -0.1, -1.0])
PAIR[1, 2] = PAIR[2, 1] = 0.2


def changed(*replacements: tuple[str, str], text: str = CHAIN) -> str:
    """``text`` with every replacement made once."""
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@dataclass(frozen=True)
class Wrong:
    """A problem file, the command's further arguments, and what its error must contain."""

    id: str
    text: str | bytes | None
    where: str
    arguments: tuple[str, ...] = ()
    arrays: Callable[[], dict[str, np.ndarray]] | bytes | None = None
    says: str = ""


def arrays(**changes: object) -> Callable[[], dict[str, np.ndarray]]:
    """The arrays of a good npz file, with some of them replaced or (None) left out."""
    good: dict[str, object] = {"H": PAIR, "couplings": np.stack([LOWERING, LOWERING])}
    return lambda: {
        key: np.asarray(value) for key, value in {**good, **changes}.items() if value is not None
    }


def chain(id: str, old: str, new: str, where: str, says: str = "") -> Wrong:
    """The good chain with one replacement."""
    return Wrong(id, changed((old, new)), where, says=says)


def matrices(
    id: str, where: str, *replacements: tuple[str, str], says: str = "", **changes: object
) -> Wrong:
    """The good system of matrices with replacements in the file and in the arrays."""
    text = changed(*replacements, text=MATRICES)
    return Wrong(id, text, where, arrays=arrays(**changes), says=says)


def setting(id: str, value: str, where: str, says: str = "") -> Wrong:
    """The good chain with a wrong ``--set``."""
    return Wrong(id, CHAIN, where, ("--set", value), says=says)


HARDLY = PAIR + 1e-12 * np.eye(4, k=1)
NOT_HERMITIAN = PAIR + 0.3 * np.eye(4, k=1)
NAN_MATRIX = PAIR * np.where(np.eye(4) == 1, np.nan, 1.0)

FILES = [
    Wrong("missing file", None, "problem.toml", says="No such file"),
    Wrong("empty file", "", "problem.toml", says="empty"),
    Wrong("blank file", " \n\n", "problem.toml", says="empty"),
    Wrong("comment only", "# nothing\n", "system", says="missing"),
    Wrong("not TOML", "system: {model: xxz}\n", "problem.toml", says="line 1, column 7"),
    Wrong("unclosed string", 'title = "two\n', "problem.toml", says="line 1"),
    Wrong("binary garbage", b"\x00\xff\xfe\x80" * 40, "problem.toml", says="UTF-8"),
    Wrong("control characters", b"title = 1\x00\x07", "problem.toml", says="must be TOML"),
    Wrong("too deep", "a = " + "[" * 20_000, "problem.toml", says="must be TOML"),
    Wrong("repeated key", changed(("sites = 3", "sites = 3\nsites = 3")), "problem.toml"),
    Wrong("endless exponent", changed(("= 0.1", "= 1e99999999999999999999")), "problem.toml"),
    Wrong("endless integer", changed(("= 0.1", "= " + "9" * 5000)), "problem.toml"),
]

KEYS = [
    Wrong("unknown table", CHAIN + "[solver]\nname = 'SCS'\n", "solver", says="unknown key"),
    chain("unknown system key", "field =", "fields =", "system.fields", "did you mean 'field'?"),
    chain("misspelt model", "model =", "modle =", "system.modle", "did you mean 'model'?"),
    chain("unknown bath key", "beta = 1.0", "betta = 1.0", "bath.left.betta", "mean 'beta'?"),
    chain("unknown density key", "cutoff", "cut_off", "bath.left.spectral_density.cut_off"),
    chain("unknown ansatz key", "lamb_shift", "lambshift", "ansatz.lambshift", "'lamb_shift'"),
    chain("unknown rates key", "value = 1.0", "values = 1.0", "ansatz.rates.values"),
    chain("unknown question key", "norm =", "norms =", "question.norms", "did you mean 'norm'?"),
    chain("unknown expected key", "verdict", "verdikt", "expected.verdikt", "'verdict'"),
    chain("escaped key", "norm =", '"no\\nrm" =', "question.no\\nrm", "unknown key"),
    chain("key of another rule", "value = 1.0", "min = 0.0", "ansatz.rates.min", "of rule 'each'"),
    chain(
        "key of another family",
        '"ohmic"',
        '"drude_lorentz"',
        "bath.left.spectral_density.exponent",
        "of family 'drude_lorentz'",
    ),
    chain("key of another kind", "mu = 0.0", "couplings = [0]", "bath.left.couplings", "unknown"),
    matrices("operator of a chain", "bath.left.operator", ("beta = 1.0", 'operator = "sigma_x"')),
    chain("no sites", "sites = 3\n", "", "system.sites", "missing"),
    chain("no beta", "beta = 10.0\n", "", "bath.right.beta", "missing"),
    chain("no bath name", 'name = "left"\n', "", "bath[0].name", "missing"),
    chain("no source", 'source = "a test"\n', "", "expected.source", "missing"),
    Wrong("no bath", '[system]\nmodel = "xxz_chain"\nsites = 2\n', "bath", says="missing"),
    Wrong("no system", '[[bath]]\nname = "left"\n', "system", says="missing"),
    chain("model and matrices", "sites = 3", 'matrices = "a.npz"', "system", "holds both"),
    chain("neither of them", 'model = "xxz_chain"\n', "", "system", "holds neither"),
]

TYPES = [
    chain("string for number", "beta = 1.0", 'beta = "hot"', "bath.left.beta", "'hot'"),
    chain("decimal string", "beta = 1.0", 'beta = "1.0"', "bath.left.beta", "'1.0'"),
    chain("bool for number", "coupling = 0.1", "coupling = true", "system.coupling", "is true"),
    chain("bool for integer", "sites = 3", "sites = true", "system.sites", "whole number"),
    chain("float for integer", "sites = 3", "sites = 3.0", "system.sites", "is 3.0"),
    chain("float for site", "sites = [0]", "sites = [0.0]", "bath.left.sites[0]", "is 0.0"),
    chain("number for list", "sites = [0]", "sites = 0", "bath.left.sites", "must be a list"),
    chain("date for number", "beta = 1.0", "beta = 2020-01-01", "bath.left.beta", "2020-01-01"),
    chain("table for number", "beta = 1.0", "beta = { a = 1 }", "bath.left.beta", "a table"),
    chain("list for number", "beta = 1.0", "beta = [1.0]", "bath.left.beta", "a list"),
    chain("string in list", "field = 0.5", 'field = [0.5, "a", 1]', "system.field[1]", "'a'"),
    chain("number for bool", "lamb_shift = true", "lamb_shift = 1", "ansatz.lamb_shift"),
    chain("number for string", 'name = "left"', "name = 1", "bath[0].name", "must be a string"),
    chain("number for table", '{ rule = "each", value = 1.0 }', "1.0", "ansatz.rates", "a table"),
    chain("bath as table", '[[bath]]\nname = "left"', '[bath]\nname = "l"', "problem.toml"),
    chain("question as list", "[question]", "[[question]]", "question", "must be a table"),
    Wrong("system as number", "system = 1\n", "system", says="must be a table"),
]

VALUES = [
    chain("NaN", "coupling = 0.1", "coupling = nan", "system.coupling", "is nan"),
    chain("NaN beta", "beta = 1.0", "beta = nan", "bath.left.beta", "is nan"),
    chain("infinite field", "field = 0.5", "field = inf", "system.field", "finite"),
    chain("number too large", "field = 0.5", "field = 1e999", "system.field", "double"),
    chain("number too small", "beta = 1.0", "beta = 1e-999", "bath.left.beta", "double"),
    chain("beta zero", "beta = 1.0", "beta = 0.0", "bath.left.beta", "> 0"),
    chain("beta negative", "beta = 1.0", "beta = -1.0", "bath.left.beta", "> 0"),
    chain("beta minus infinity", "beta = 1.0", "beta = -inf", "bath.left.beta", "> 0"),
    chain("mu positive", "mu = 0.0", "mu = 0.5", "bath.left.mu", "<= 0"),
    chain("no qubit", "sites = 3", "sites = 0", "system.sites", ">= 1"),
    chain("site out of range", "sites = [0]", "sites = [3]", "bath.left.sites", "0 to 2"),
    chain("site negative", "sites = [0]", "sites = [-1]", "bath.left.sites[0]", ">= 0"),
    chain("site repeated", "sites = [0]", "sites = [0, 0]", "bath.left.sites", "repeat"),
    chain("no site", "sites = [0]", "sites = []", "bath.left.sites", "empty"),
    chain("overlap", "sites = [2]", "sites = [0, 2]", "bath.right.sites", "overlap"),
    chain("bath twice", '"right"', '"left"', "bath.left.name", "unique"),
    chain("bath name", '"right"', '"the right"', "bath.the right.name", "letters"),
    chain("bath name empty", '"right"', '""', "bath[1].name", "letters"),
    chain("bath name invisible", '"right"', '"\u3164"', "bath[1].name", "'\\u3164'"),
    chain(
        "bath name of another script", '"right"', '"r\u0456ght"', "bath[1].name", "'r\\u0456ght'"
    ),
    chain("bath name of two lines", '"right"', '"the\\nright"', "bath[1].name", "'the\\nright'"),
    chain("bath name with a line end", '"right"', '"right\\n"', "bath[1].name", "'right\\n'"),
    chain("bath name with a dot", '"right"', '"right.beta"', "bath.right.beta.name", "letters"),
    chain("bath name too long", '"right"', f'"{"r" * 201}"', "bath[1].name", "200 letters"),
    chain("fields missing", "field = 0.5", "field = [0.5, 0.5]", "system.field", "(3)"),
    chain("couplings missing", "coupling = 0.1", "coupling = [0.1]", "system.coupling", "(2)"),
    chain(
        "strengths missing",
        "strength = 1.0",
        "strength = [1.0, 1.0]",
        "bath.left.spectral_density.strength",
        "(1)",
    ),
    chain(
        "strength negative",
        "strength = 1.0",
        "strength = -1.0",
        "bath.left.spectral_density.strength",
    ),
    chain("cutoff zero", "cutoff = 10.0", "cutoff = 0", "bath.left.spectral_density.cutoff"),
    chain(
        "exponent beyond doubles",
        "exponent = 1.0",
        "exponent = 1e6",
        "bath.left.spectral_density.exponent",
    ),
    chain("unknown model", '"xxz_chain"', '"ising"', "system.model", "xxz_chain"),
    chain("unknown family", '"ohmic"', '"omic"', "bath.left.spectral_density.family", "ohmic,"),
    chain("unknown rule", '"each"', '"every"', "ansatz.rates.rule", "each, total, range"),
    chain("unknown target", '"populations"', '"coherences"', "question.target", "populations,"),
    chain("unknown norm", '"spectral"', '"nuclear"', "question.norm", "frobenius"),
    chain("tolerance zero", "1e-6", "0.0", "question.tolerance", "> 0"),
    chain("rate zero", "value = 1.0", "value = 0.0", "ansatz.rates.value", "> 0"),
    chain("rates missing", "value = 1.0", "value = [1, 1, 1]", "ansatz.rates.value", "(2)"),
    chain(
        "range upside down",
        'rule = "each", value = 1.0',
        'rule = "range", min = 2.0, max = 1.0',
        "ansatz.rates.max",
    ),
    chain(
        "range without rates",
        'rule = "each", value = 1.0',
        'rule = "range", max = 1.0',
        "ansatz.rates.min",
        "> 0",
    ),
    chain("40 sites", "sites = 3", "sites = 40", "system.sites", "GB"),
    chain("too many sites for any", "sites = 3", "sites = 4000000000", "system.sites", "GB"),
    chain("region of 40", "sites = [0]", f"sites = {list(range(40))}", "bath.left.sites", "0 to 2"),
]

SWEEPS = [
    chain("sweep unknown key", "system.coupling", "system.copling", "sweep.system.copling"),
    chain("sweep unknown bath", "system.coupling", "bath.middle.beta", "sweep.bath.middle.beta"),
    chain("sweep title", "system.coupling", "title", "sweep.title", "in quotes"),
    chain("sweep unquoted", '"system.coupling"', "system.coupling", "sweep.system", "in quotes"),
    chain("sweep empty", "[0.1, 0.2]", "[]", "sweep.system.coupling", "an empty list"),
    chain("sweep number", "[0.1, 0.2]", "0.1", "sweep.system.coupling", "is 0.1"),
    chain("sweep value", "[0.1, 0.2]", '[0.1, "a"]', "sweep.system.coupling", "'a'"),
    chain(
        "sweep range key",
        "[0.1, 0.2]",
        "{ start = 1, stop = 2, steps = 3 }",
        "sweep.system.coupling.steps",
    ),
    chain(
        "sweep one point",
        "[0.1, 0.2]",
        "{ start = 1, stop = 2, points = 1 }",
        "sweep.system.coupling.points",
    ),
    chain(
        "sweep logarithm of zero",
        "[0.1, 0.2]",
        '{ start = 0, stop = 2, points = 3, scale = "log" }',
        "sweep.system.coupling.start",
    ),
]

SETTINGS = [
    setting("set without value", "system.coupling", "--set", "KEY=VALUE"),
    setting("set empty value", "system.coupling=", "--set", "KEY=VALUE"),
    setting("set empty key", "=1", "--set", "KEY=VALUE"),
    setting("set unknown key", "system.copling=1", "system.copling", "did you mean 'coupling'?"),
    setting("set unknown table", "sistem.coupling=1", "sistem.coupling", "must be a key"),
    setting("set unknown bath", "bath.rihgt.beta=1", "bath.rihgt.beta", "did you mean 'right'?"),
    setting("set bath", "bath.left=1", "bath.left", "must name a key"),
    setting("set below a number", "system.coupling.value=1", "system.coupling", "must be a table"),
    setting("set two keys", "system.coupling=1\nb=2", "system.coupling", "must be a number"),
    setting("set bare word", "bath.left.beta=cold", "bath.left.beta", "'cold'"),
    setting("set bath name", "bath.left.name=a.b", "bath.a.b.name", "letters"),
    setting(
        "set several strengths",
        "bath.left.spectral_density.strength=[1, 2]",
        "bath.left.spectral_density.strength",
    ),
    setting("set range without max", "ansatz.rates={rule='range', min=0.1}", "ansatz.rates.max"),
    setting("set unknown norm", "question.norm=nuclear", "question.norm", "'nuclear'"),
    setting("set NaN", "bath.left.beta=nan", "bath.left.beta", "nan"),
    setting("set negative beta", "bath.right.beta=-5", "bath.right.beta", "> 0"),
]

ARRAYS = [
    matrices("not Hermitian", "system.H", H=NOT_HERMITIAN, says="Hermitian"),
    matrices("hardly not Hermitian", "system.H", H=HARDLY, says="only up to 1.000e-12"),
    matrices("NaN in H", "system.H", H=NAN_MATRIX, says="NaN"),
    matrices("H of another size", "system.H", H=np.eye(3), says="4 x 4"),
    matrices("H not square", "system.H", H=PAIR[:3], says="square"),
    matrices("H of one axis", "system.matrices", H=np.ones(4), says="2 axes"),
    matrices("H of strings", "system.matrices", H=np.full((4, 4), "a"), says="numbers"),
    matrices("no H", "system.matrices", H=None, says="only couplings"),
    matrices("no couplings", "system.matrices", couplings=None, says="only H"),
    matrices("couplings of two axes", "system.matrices", couplings=LOWERING, says="3 axes"),
    matrices(
        "couplings of another size",
        "bath.left.couplings[0]",
        couplings=np.ones((2, 3, 3)),
        says="2 x 2",
    ),
    matrices("NaN in couplings", "bath.left.couplings[0]", couplings=np.full((2, 2, 2), np.nan)),
    matrices(
        "coupling acts elsewhere",
        "bath.left.couplings[0]",
        couplings=np.stack([np.kron(LOWERING, LOWERING)] * 2),
        says="elsewhere",
    ),
    matrices(
        "two meanings of a coupling",
        "bath.left.couplings[0]",
        ("sites = [0]", "sites = [1, 0]"),
        ("charge = [[1, 0], [1, 0]]\n", ""),
        (RIGHT_BATH, ""),
        couplings=np.kron(LOWERING, np.eye(2))[None],
        says="sites [1, 0] or the system's sites [0, 1]",
    ),
    matrices("wrong index", "bath.right.couplings", ("[1]\nbeta = 2.0", "[2]\nbeta = 2.0")),
    matrices("no index", "bath.left.couplings", ("couplings = [0]", "couplings = []")),
    matrices("charge not conserved", "system.charge", ("[1, 0]]", "[3, 0]]"), says="conserved"),
    matrices(
        "coupling mixes charges",
        "system.charge",
        couplings=np.stack([LOWERING + LOWERING.T, LOWERING]),
        says="fixed amount",
    ),
    matrices("charges missing", "system.charge", ("charge = [[1, 0], ", "charge = [")),
    matrices("charge of floats", "system.charge[0][0]", ("[[1, 0]", "[[1.0, 0]")),
    matrices("charge too large", "system.charge[0][0]", ("[[1, 0]", f"[[{10**30}, 0]")),
    matrices("dimension one", "system.dimensions[1]", ("[2, 2]", "[2, 1]")),
    matrices("no dimensions", "system.dimensions", ("dimensions = [2, 2]\n", "")),
    matrices(
        "charge of a word",
        "system.charge",
        ("charge = [[1, 0], [1, 0]]", 'charge = "any"'),
        says="'find'",
    ),
    matrices("charge of a number", "system.charge", ("charge = [[1, 0], [1, 0]]", "charge = 3")),
    matrices("huge dimension", "system.H", ("[2, 2]", f"[2, {10**40}]"), ("charge", "#")),
    matrices(
        "degenerate",
        "system.H",
        ("charge = [[1, 0], [1, 0]]", 'charge = "none"'),
        H=np.diag([1.0, 0.0, 0.0, -1.0]),
        says="apart",
    ),
    matrices(
        "disconnected",
        "bath",
        H=np.diag([1.0, 0.1, -0.2, -0.9]),
        couplings=np.stack([LOWERING, 0 * LOWERING]),
        says="connect all levels",
    ),
    Wrong("npz missing", MATRICES, "system.matrices", says="No such file"),
    Wrong("npz empty", MATRICES, "system.matrices", arrays=b"", says="npz"),
    Wrong("npz garbage", MATRICES, "system.matrices", arrays=b"\x80\x04K\x01." * 9, says="npz"),
    Wrong("npz cut", MATRICES, "system.matrices", arrays=b"PK\x03\x04" + bytes(30), says="npz"),
    matrices("npz directory", "system.matrices", ('"two.npz"', '"."'), says="directory"),
    matrices(
        "pickled objects", "system.matrices", H=np.array([[1, None]], dtype=object), says="pickled"
    ),
]

SOLVERS = [
    Wrong("unknown solver", CHAIN, "solver", ("--solver", "GLPK"), says="CLARABEL"),
    Wrong("two solvers", CHAIN, "solver", ("--solver", "SCS,CLARABEL"), says="CLARABEL"),
]

CASES = [*FILES, *KEYS, *TYPES, *VALUES, *SWEEPS, *SETTINGS, *ARRAYS, *SOLVERS]


def write(wrong: Wrong, folder: Path) -> Path:
    """The case's files in ``folder``; returns the problem file's path."""
    problem = folder / "problem.toml"
    if wrong.text is not None:
        content = wrong.text.encode() if isinstance(wrong.text, str) else wrong.text
        problem.write_bytes(content)
    if isinstance(wrong.arrays, bytes):
        (folder / "two.npz").write_bytes(wrong.arrays)
    elif wrong.arrays is not None:
        np.savez(folder / "two.npz", **wrong.arrays())
    return problem


def listing(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def assert_refused(exit_code: int, out: str, err: str, where: str) -> None:
    assert exit_code == 2, err
    assert out == ""
    assert "Traceback" not in err
    assert err.endswith("\n") and err.count("\n") == 1
    assert err.startswith("error: ")
    assert where in err


@pytest.mark.parametrize("wrong", CASES, ids=lambda wrong: wrong.id)
def test_wrong_input_is_refused_in_one_line(wrong: Wrong, tmp_path: Path) -> None:
    problem = write(wrong, tmp_path)
    before = listing(tmp_path)
    arguments = ["certify", str(problem), "--json", "--out", str(tmp_path / "new" / "out")]
    result = CliRunner().invoke(main, [*arguments, *wrong.arguments])
    assert_refused(result.exit_code, result.stdout, result.stderr, f"{wrong.where}: ")
    assert wrong.says in result.stderr
    assert listing(tmp_path) == before


USAGE = {
    "no command": ((), "Missing command; see `lindfeas --help`"),
    "unknown command": (("certifi", "problem.toml"), "No such command 'certifi'"),
    "no problem": (("certify",), "Missing argument 'PROBLEM'; see `lindfeas certify --help`"),
    "unknown option": (("certify", "problem.toml", "--tolerance", "1"), "--tolerance"),
    "option without value": (("certify", "problem.toml", "--set"), "'--set' requires"),
    "two problems": (("certify", "one.toml", "two.toml"), "two.toml"),
    "argument too many": (("solvers", "SCS"), "SCS"),
}


@pytest.mark.parametrize(("arguments", "says"), USAGE.values(), ids=USAGE.keys())
def test_wrong_usage_is_refused_in_one_line(arguments: tuple[str, ...], says: str) -> None:
    result = CliRunner().invoke(main, list(arguments))
    assert_refused(result.exit_code, result.stdout, result.stderr, says)


@pytest.mark.parametrize(
    "out", ["file", "file/below", "file/further/below", "folder"], ids=lambda out: out
)
def test_unwritable_out_is_found_before_solving(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "problem.toml").write_text(CHAIN)
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "folder" / "problem.answer.json").mkdir(parents=True)
    before = listing(tmp_path)
    monkeypatch.setattr(
        "lindfeas.theorems.proving.certify", lambda *_, **__: pytest.fail("was called")
    )
    arguments = ["certify", str(tmp_path / "problem.toml"), "--out", str(tmp_path / out)]
    result = CliRunner().invoke(main, arguments)
    assert_refused(result.exit_code, result.stdout, result.stderr, "--out: ")
    assert listing(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_text(CHAIN)
    (tmp_path / "locked").mkdir(mode=0o500)
    arguments = ["certify", str(tmp_path / "problem.toml"), "--out", str(tmp_path / "locked")]
    result = CliRunner().invoke(main, arguments)
    assert_refused(result.exit_code, result.stdout, result.stderr, "--out: ")


def test_failure_leaves_an_older_answer_alone(tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_text(CHAIN)
    older = tmp_path / "problem.answer.json"
    older.write_text("older")
    arguments = ["certify", str(tmp_path / "problem.toml"), "--out", str(tmp_path)]
    result = CliRunner().invoke(main, [*arguments, "--solver", "NONE"])
    assert_refused(result.exit_code, result.stdout, result.stderr, "solver: ")
    assert older.read_text() == "older"
    assert listing(tmp_path) == {older, tmp_path / "problem.toml"}


def test_solver_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    unusable = [status for status in solver_status() if not status.usable]
    if not unusable:
        pytest.skip("every solver can be used here")
    (tmp_path / "problem.toml").write_text(CHAIN)
    for status in unusable:
        arguments = ["certify", str(tmp_path / "problem.toml"), "--solver", status.name]
        result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
        assert_refused(result.exit_code, result.stdout, result.stderr, f"solver {status.name}: ")
        assert status.message in result.stderr
        assert status.message.startswith("installed, but" if status.installed else "not installed")
    assert listing(tmp_path) == {tmp_path / "problem.toml"}


def test_missing_solver_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, package=None: None if name == "scs" else real(name, package),
    )
    (tmp_path / "problem.toml").write_text(CHAIN)
    arguments = ["certify", str(tmp_path / "problem.toml"), "--solver", "SCS"]
    result = CliRunner().invoke(main, arguments)
    assert_refused(result.exit_code, result.stdout, result.stderr, "solver SCS: ")
    assert "pip install scs" in result.stderr


@dataclass(frozen=True)
class Call:
    """A call from Python, and what its error must begin with and contain."""

    id: str
    call: Callable[[], object]
    where: str
    says: str


BATH = lf.Bath(name="left", sites=(0,), beta=1.0)
QUBITS = lf.models.xxz_chain(sites=2, coupling=0.1, baths=[BATH])
QUESTION = lf.Question(system=QUBITS)
OWN_TARGET = observables(lf.redfield_equation(QUBITS), [QUBITS.hamiltonian])

CALLS = [
    Call(
        "certify a problem file",
        lambda: lf.certify(lf.read_problem("problems/xxz-1+2+1.toml")),  # type: ignore[arg-type]
        "question",
        "must be of type Question, but is ProblemFile: give its `question`",
    ),
    Call(
        "certify with a number as solver",
        lambda: lf.certify(QUESTION, solver=3),  # type: ignore[arg-type]
        "solver",
        "but is 3",
    ),
    Call("prove a question", lambda: lf.prove(QUESTION), "answer", "lf.certify"),  # type: ignore[arg-type]
    Call(
        "the check of a question",
        lambda: steady_state_check(QUESTION),  # type: ignore[arg-type]
        "answer",
        "must be what lf.certify returns",
    ),
    Call(
        "the Redfield verdict on a system",
        lambda: redfield_verdict(QUBITS),  # type: ignore[arg-type]
        "question",
        "lf.Question(system=...)",
    ),
    Call(
        "the Redfield verdict with a number as rates",
        lambda: redfield_verdict(QUESTION, rates=1.0),  # type: ignore[arg-type]
        "rates",
        "Rates.each",
    ),
    Call(
        "the Redfield verdict with too many rates",
        lambda: redfield_verdict(QUESTION, rates=lf.Rates.each([1.0, 1.0])),
        "ansatz.rates.value",
        "one per bath (1)",
    ),
    Call(
        "the Redfield equation of a question",
        lambda: lf.redfield_equation(QUESTION),  # type: ignore[arg-type]
        "system",
        "must be of type OpenSystem, but is Question",
    ),
    Call(
        "the populations of a system",
        lambda: populations(QUBITS),  # type: ignore[arg-type]
        "reference",
        "lf.redfield_equation(system)",
    ),
    Call(
        "comparing one question",
        lambda: lf.compare(QUESTION),  # type: ignore[arg-type]
        "problems",
        "by name, such as {'chain': question}, but is Question",
    ),
    Call(
        "comparing a system",
        lambda: lf.compare({"chain": QUBITS}),  # type: ignore[dict-item]
        "problems['chain']",
        "lf.Question(system=...)",
    ),
    Call(
        "a box for a question",
        lambda: prove_box(QUESTION, [parse_interval("system.coupling=0.1:0.2")]),  # type: ignore[arg-type]
        "problem",
        "lf.read_problem",
    ),
    Call(
        "a box of text",
        lambda: prove_box(lf.read_problem("problems/xxz-1+2+1.toml"), ["system.coupling=0.1:0.2"]),  # type: ignore[list-item]
        "box",
        "parse_interval",
    ),
    Call("an interval that is no text", lambda: parse_interval(0.1), "--box", "KEY=LOW:HIGH"),  # type: ignore[arg-type]
    Call("a problem that is no path", lambda: lf.read_problem(3), "path", "but is int"),  # type: ignore[arg-type]
    Call(
        "one setting in the place of several",
        lambda: lf.read_problem("problems/xxz-1+2+1.toml", "system.coupling=1"),
        "settings",
        "a list of KEY=VALUE",
    ),
    Call("a table that is no path", lambda: lf.read_table(3), "path", "but is int"),  # type: ignore[arg-type]
    Call(
        "NaN as beta",
        lambda: lf.Bath(name="left", sites=(0,), beta=float("nan")),
        "bath.left.beta",
        "must be a number > 0 (inf is allowed), but is nan",
    ),
    Call(
        "beta beyond the doubles",
        lambda: lf.Bath(name="left", sites=(0,), beta=10**400),
        "bath.left.beta",
        "double-precision",
    ),
    Call(
        "several strengths",
        lambda: lf.Ohmic(strength=[1, 2]),  # type: ignore[arg-type]
        "strength",
        "but is [1, 2]; for one strength per coupling, give the bath a tuple of densities",
    ),
    Call(
        "a range without max",
        lambda: lf.Rates.range(0.1),
        "ansatz.rates.max",
        "such as Rates.range(min=0.0, max=1e4), but is missing",
    ),
    Call("no rates", lambda: lf.Rates.each([]), "ansatz.rates.value", "but is empty"),
    Call(
        "a norm for populations",
        lambda: lf.Question(system=QUBITS, norm="trace"),
        "question.norm",
        "must be left out for target 'populations', whose defect is a sum of absolute values",
    ),
    Call(
        "a norm for a target that has its own",
        lambda: lf.Question(system=QUBITS, target=OWN_TARGET, norm="frobenius"),
        "question.norm",
        "the target's own norm, 'trace', but is 'frobenius'",
    ),
    Call(
        "a target of another system",
        lambda: lf.Question(system=lf.models.xxz_chain(sites=3, baths=[BATH]), target=OWN_TARGET),
        "question.target",
        "with 8 levels, but has matrices of 4",
    ),
    Call(
        "hardly not Hermitian",
        lambda: lf.OpenSystem(hamiltonian=HARDLY, dimensions=(2, 2), baths=[BATH]),
        "system.H",
        "[1, 2] and [2, 1], 0.2 and 0.2, are conjugate only up to 1.000e-12, where 1.0e-13 is "
        "allowed",
    ),
    Call(
        "a state that is not Hermitian",
        lambda: observables(lf.redfield_equation(QUBITS), [NOT_HERMITIAN]),
        "target.operators[0]",
        "must be Hermitian up to 1.0e-10, but differs from its adjoint by 3.000e-01",
    ),
    Call(
        "one observable in the place of several",
        lambda: observables(lf.redfield_equation(QUBITS), QUBITS.hamiltonian),
        "target.operators",
        "is one matrix",
    ),
    Call(
        "no observable",
        lambda: observables(lf.redfield_equation(QUBITS), []),
        "target",
        "least one",
    ),
    Call(
        "an operator that does not fit its site",
        lambda: QUBITS.embed(np.eye(4), (0,)),
        "embed.operator",
        "must be 2 x 2 on sites [0], but is 4 x 4",
    ),
    Call(
        "a site that does not exist",
        lambda: QUBITS.embed(np.eye(2), (-1,)),
        "embed.sites",
        "0 to 1",
    ),
    Call(
        "one bath in the place of several",
        lambda: lf.models.xxz_chain(sites=2, baths=BATH),  # type: ignore[arg-type]
        "bath",
        "is one Bath",
    ),
    Call("40 qubits", lambda: lf.models.xxz_chain(sites=40, baths=[BATH]), "system.sites", "GB"),
]


@pytest.mark.parametrize("wrong", CALLS, ids=lambda wrong: wrong.id)
def test_wrong_calls_get_one_clear_line(wrong: Call) -> None:
    with pytest.raises(lf.InputError if wrong.where != "solver" else lf.SolverError) as refused:
        wrong.call()
    assert str(refused.value).startswith(wrong.where)
    assert wrong.says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_norm_that_plays_no_role_is_mentioned(tmp_path: Path) -> None:
    """A file may keep one for its coherences; the answer is that without it."""
    problem = tmp_path / "problem.toml"
    problem.write_text(CHAIN)
    outputs = []
    for norm in ("spectral", "trace"):
        arguments = [
            "certify",
            str(problem),
            "--json",
            "--no-prove",
            "--set",
            f"question.norm={norm}",
        ]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0
        outputs.append((json.loads(result.stdout), result.stderr))
    (plain, nothing), (answer, note) = outputs
    assert nothing == ""
    assert note == (
        "note: question.norm: 'trace' plays no role for target 'populations', whose defect is a "
        "sum of absolute values\n"
    )
    assert (answer["lower"], answer["norm"]) == (plain["lower"], None)


REAL = ("binary garbage", "not TOML", "40 sites", "degenerate", "pickled objects", "two solvers")


@pytest.mark.parametrize("wrong", [case for case in CASES if case.id in REAL], ids=lambda w: w.id)
def test_wrong_input_is_refused_by_a_real_process(wrong: Wrong, tmp_path: Path) -> None:
    problem = write(wrong, tmp_path)
    before = listing(tmp_path)
    command = [sys.executable, "-m", "lindfeas", "certify", str(problem), *wrong.arguments]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert_refused(done.returncode, done.stdout, done.stderr, f"{wrong.where}: ")
    assert listing(tmp_path) == before
