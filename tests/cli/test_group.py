"""The command line's promises: what goes where, which exit code, and what is left on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result

import lindfeas
from lindfeas.answers.answer import Answer
from lindfeas.answers.certify import certify
from lindfeas.checker import Proof
from lindfeas.cli import main
from lindfeas.files.problem_file import problem_from_document, read_problem

PROBLEM = Path(__file__).parents[2] / "problems" / "xxz-1+2+1.toml"
REQUIRED = {
    "verdict",
    "target",
    "tolerance",
    "lower",
    "upper",
    "proved",
    "trace_distance",
    "solver",
    "seconds",
    "certificate",
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def strict_json(text: str) -> Any:
    """The one JSON document that ``text`` is, without NaN and infinities."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def test_json_is_one_object_with_the_promised_keys() -> None:
    result = run("certify", str(PROBLEM), "--json")
    answer = strict_json(result.stdout)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert set(answer) >= REQUIRED
    assert set(answer["trace_distance"]) >= {"lower", "upper", "lemma1"}
    assert answer["verdict"] == "impossible"
    assert answer["target"] == "populations"
    assert 1e-6 < answer["lower"] <= answer["upper"]
    assert isinstance(answer["proved"], bool)


def test_json_holds_the_problem_that_was_answered() -> None:
    settings = ("--set", "bath.right.beta=5", "--set", "ansatz.rates.value=2.50")
    answer = strict_json(run("certify", str(PROBLEM), "--json", *settings).stdout)
    again = problem_from_document(answer["problem"], decimal_strings=True)
    assert again.question.system.baths[1].beta == 5.0
    assert str(again.document["ansatz"]["rates"]["value"]) == "2.50"


def test_table_names_the_verdict_and_the_interval() -> None:
    result = run("certify", str(PROBLEM))
    assert result.exit_code == 0
    assert "impossible" in result.stdout
    assert "0.0010825824" in result.stdout
    assert "CLARABEL" in result.stdout


def test_setting_changes_the_answer() -> None:
    same = ("--set", "bath.right.beta=1.0", "--set", "system.coupling=1.0")
    cold = strict_json(run("certify", str(PROBLEM), "--json").stdout)
    warm = strict_json(run("certify", str(PROBLEM), "--json", *same).stdout)
    assert warm["upper"] != cold["upper"]


def test_later_setting_wins() -> None:
    settings = ("--set", "bath.right.beta=2", "--set", "bath.right.beta=3")
    answer = strict_json(run("certify", str(PROBLEM), "--json", *settings).stdout)
    assert answer["problem"]["bath"][1]["beta"] == "3"


def test_out_writes_what_json_prints(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "down"
    result = run("certify", str(PROBLEM), "--json", "--out", str(out))
    written = out / "xxz-1+2+1.answer.json"
    assert result.exit_code == 0
    certificate = out / "xxz-1+2+1.certificate.json"
    assert sorted(out.iterdir()) == [written, certificate]
    assert strict_json(result.stdout)["certificate"] == str(certificate)
    assert written.read_text() == result.stdout
    assert str(written) in result.stderr


def test_out_replaces_an_older_answer(tmp_path: Path) -> None:
    older = tmp_path / "xxz-1+2+1.answer.json"
    older.write_text("older")
    assert run("certify", str(PROBLEM), "--no-prove", "--out", str(tmp_path)).exit_code == 0
    assert strict_json(older.read_text())["verdict"] == "impossible"
    assert list(tmp_path.iterdir()) == [older]


def test_undecided_has_its_own_exit_code(tmp_path: Path) -> None:
    found = strict_json(run("certify", str(PROBLEM), "--json").stdout)
    between = repr((found["lower"] + found["upper"]) / 2)
    settings = ("--set", "question.criterion=defect", "--set", f"question.tolerance={between}")
    result = run("certify", str(PROBLEM), "--json", *settings, "--out", str(tmp_path))
    answer = strict_json(result.stdout)
    assert result.exit_code == 3
    assert answer["verdict"] == "undecided"
    assert answer["reason"]
    assert len(list(tmp_path.iterdir())) == 2


def test_certificate_is_proved_where_cvxpy_and_numpy_cannot_be_imported(tmp_path: Path) -> None:
    """The done-when of a proof: another process, without the code that made the numbers."""
    answer = strict_json(run("certify", str(PROBLEM), "--json", "--out", str(tmp_path)).stdout)
    assert answer["proved"] is True
    code = (
        "import sys\n"
        "for name in ('cvxpy', 'numpy', 'scipy', 'clarabel', 'scs'):\n"
        "    sys.modules[name] = None\n"
        "from lindfeas.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "verify", answer["certificate"]]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("accepted")
    assert "Theorem" in result.stdout
    assert "0.0010825824" in result.stdout


def test_no_answer_is_given_when_its_proof_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Proof(status="rejected", proved=False, statement="Nothing is proved.", seconds=0.0)
    monkeypatch.setattr("lindfeas.checker.verify", lambda certificate: refused)
    result = run("certify", str(PROBLEM), "--json", "--out", str(tmp_path / "new"))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "the proof was rejected" in result.stderr
    assert not (tmp_path / "new").exists()


def test_wrong_certificates_are_rejected(tmp_path: Path) -> None:
    run("certify", str(PROBLEM), "--json", "--out", str(tmp_path))
    path = tmp_path / "xxz-1+2+1.certificate.json"
    text = path.read_text()
    for changed in (text.replace('"0.01"', '"0.011"'), text[:-40], "", "[]", "{}"):
        path.write_text(changed)
        result = run("verify", str(path))
        assert result.exit_code == 1
        assert len((result.stderr or result.stdout).strip().splitlines()) >= 1
    assert run("verify", str(tmp_path / "none.json")).exit_code == 2


def test_no_prove_leaves_the_answer_unproved(tmp_path: Path) -> None:
    answer = strict_json(run("certify", str(PROBLEM), "--json", "--no-prove").stdout)
    assert answer["proved"] is False
    assert answer["certificate"] is None


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted"),
        (MemoryError("8 TiB"), 2, "error: system: must fit into memory"),
        (lindfeas.SolverError("solver SCS: failed\ntwice"), 2, "error: solver SCS: failed\\ntwice"),
        (lindfeas.AccuracyError("no digits left"), 2, "error: no digits left"),
    ],
    ids=["interrupted", "memory", "solver", "accuracy"],
)
def test_what_stops_the_computation_is_one_line(
    error: BaseException,
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr("lindfeas.theorems.proving.certify", stopped)
    result = run("certify", str(PROBLEM), "--json", "--out", str(tmp_path / "new" / "out"))
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.startswith(says)
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_solver_option_is_obeyed() -> None:
    answer = strict_json(run("certify", str(PROBLEM), "--json", "--solver", "CLARABEL").stdout)
    assert answer["solver"] == "CLARABEL"
    assert {attempt["solver"] for attempt in answer["attempts"]} == {"CLARABEL"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_nowhere_to_print_is_one_line(options: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "lindfeas", "solvers", *options]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: output or temporary files: must be usable, but: No space left on device\n"
    )


def test_closed_standard_output_is_no_error() -> None:
    command = f"exec {sys.executable} -m lindfeas solvers >&-"
    ended = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_empty_folder_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the shell that was not set must not fill the current folder."""
    monkeypatch.chdir(tmp_path)
    for command in ("certify", "sweep", "compare"):
        result = run(command, str(PROBLEM), "--out", "")
        assert result.exit_code == 2
        assert "'--out': must be a directory, but is empty" in result.stderr
        assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_solvers_lists_every_solver() -> None:
    listed = strict_json(run("solvers", "--json").stdout)["solvers"]
    table = run("solvers").stdout
    status = lindfeas.solver_status()
    assert [row["name"] for row in listed] == [row.name for row in status]
    assert all(row["usable"] is False or row["installed"] for row in listed)
    assert all(row.name in table for row in status)


def test_version() -> None:
    result = run("--version")
    assert result.stdout == f"lindfeas {lindfeas.__version__}\n"


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from lindfeas.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit as done:\n"
        "    heavy = {'numpy', 'scipy', 'cvxpy', 'rich', 'pydantic', 'qutip', 'matplotlib'}\n"
        "    sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else done.code)\n"
    )
    done = process("-c", code)
    assert done.returncode == 0, done.stderr
    assert "certify" in done.stdout


def test_real_process_answers_on_standard_output_only() -> None:
    done = process("-W", "error", "-m", "lindfeas", "certify", str(PROBLEM), "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    assert strict_json(done.stdout)["verdict"] == "impossible"


def test_what_a_solver_prints_stays_out_of_standard_output() -> None:
    # SCS prints when it cannot cope with the data
    rates = "ansatz.rates={rule='range', min=1.0, max=1e300}"
    settings = ("--set", rates, "--solver", "SCS")
    done = process("-m", "lindfeas", "certify", str(PROBLEM), "--json", *settings)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_warning_is_one_line_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def warned(*arguments: Any, **options: Any) -> Answer:
        warnings.warn("first\nsecond", RuntimeWarning, stacklevel=1)
        return certify(*arguments, **options)

    monkeypatch.setattr("lindfeas.theorems.proving.certify", warned)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = run("certify", str(PROBLEM), "--json")
    assert result.exit_code == 0
    assert strict_json(result.stdout)["verdict"] == "impossible"
    assert result.stderr == "warning: first\\nsecond\n"


def test_table_survives_an_ascii_terminal(tmp_path: Path) -> None:
    text = PROBLEM.read_text().replace("Four qubits", "Σ qubits")
    (tmp_path / "greek.toml").write_text(text, encoding="utf-8")
    done = process(
        "-m", "lindfeas", "certify", str(tmp_path / "greek.toml"), PYTHONIOENCODING="ascii"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("? qubits")


def test_reader_that_goes_away_is_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lindfeas", "solvers"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 141


def test_exit_codes_are_in_the_help() -> None:
    text = " ".join(run("--help").stdout.split())
    assert "0 answered" in text and "2 bad input" in text and "3 undecided" in text


def test_read_problem_gives_what_the_command_uses() -> None:
    problem = read_problem(PROBLEM)
    answer = certify(problem.question)
    found = strict_json(run("certify", str(PROBLEM), "--json").stdout)
    assert (answer.lower, answer.upper) == (found["lower"], found["upper"])
