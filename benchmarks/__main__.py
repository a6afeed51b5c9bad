"""Run the benchmarks and write their tables: ``python -m benchmarks [SECTION]...``.

Sections: commands, transliteration, coherences, proofs, box, hostile, refusals, sweeps, workers,
bloch-redfield; all of them by default, and only then are the tables written to
``benchmarks/results.md``. Every measurement has a process of its own.

``lines`` counts the lines of code, on request only. Two long runs have options of their own, and
run only when they are named: ``python -m benchmarks differential --help`` and ``python -m
benchmarks fuzz --help``.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import commands, lines

RESULTS = Path(__file__).with_name("results.md")
CHAINS = (("1", "2", "1"), ("2", "2", "2"))
SITES = (2, 4, 6)
LITERAL_TARGET = 300
COHERENCE_TARGET = 50
COHERENCE_SECONDS = {("2+2+2", "spectral"): 2.0, ("2+2+2", "frobenius"): 0.5}
COHERENCE_MEGABYTES = 1000
SWEEP_TARGET = ("2 and 3", "intervals only")
SWEEP_SECONDS = 240
SWEEP_MEGABYTES = 2000
HOSTILE_SECONDS, HOSTILE_MEGABYTES = 10, 500
TRANSFORM_ENERGIES, TRANSFORM_MEGABYTES = 200_000, 200
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PACKAGES = ("lindfeas", "cvxpy", "clarabel", "numpy", "scipy", "qutip")


def transliteration() -> Iterator[str]:
    """The SDP-paper's formulation in plain cvxpy, over lindfeas."""
    yield "## The population question, written down word for word\n"
    yield (
        "SDP-paper Eqs. (23), (28), (29) in cvxpy: a double loop over the entries of Gamma, "
        "Hermitian\nvariables, d x d expressions, Clarabel; time to write, compile and solve. "
        '"level by level" adds\nup |<E_a|L\'(rho0)|E_a>| as Eq. (28) has it, "one matrix" takes '
        "the diagonal of the whole matrix\nat once. lindfeas: everything from `OpenSystem` to "
        "`Answer`, median of 5, imports done, but\nfor the sharp trace distance and the "
        "candidate's own steady state: nothing in the plain program\ncorresponds to them.\n"
    )
    yield "| sites | spelling | plain cvxpy (s) | lindfeas (s) | ratio | its optimum | certified |"
    yield "|---|---|---:|---:|---:|---|---|"
    for sites in CHAINS:
        row = _json("benchmarks.transliteration", *sites)
        certified = f"[{row['lower']:.10g}, {row['upper']:.10g}]"
        for spelling, found in row["literal"].items():
            ratio = found["seconds"] / row["seconds"]
            yield (
                f"| {row['sites']} | {spelling} | {found['seconds']:.3g} | {row['seconds']:.3g} "
                f"| {ratio:.3g} | {found['optimum']:.8g} | {certified} |"
            )
    verdict = "met" if ratio_of(row, "level by level") >= LITERAL_TARGET else "missed"
    yield (
        f"\nTarget: at least {LITERAL_TARGET} times faster than the word-for-word program "
        f'("level by level") at 2+2+2: **{verdict}**.'
    )


def ratio_of(row: dict[str, Any], spelling: str) -> float:
    """Seconds of the literal program over ours."""
    return float(row["literal"][spelling]["seconds"] / row["seconds"])


def coherences() -> Iterator[str]:
    """Populations and coherences: the literal program, and the time on 64 levels."""
    found = _json("benchmarks.coherences")
    yield "## Populations and coherences\n"
    yield (
        "The coupling is 0.01, rates 1 each; everything from `OpenSystem` to `Answer`, median of "
        "3, without\nthe candidate's own steady state. The last row is SDP-paper Eqs. (23), (32), "
        "(33) in plain cvxpy\n(spectral norm) at 1+2+1.\n"
    )
    yield "| sites | norm | seconds | limit (s) | certified | target |"
    yield "|---|---|---:|---:|---|---|"
    for row in found["rows"]:
        limit = COHERENCE_SECONDS.get((row["sites"], row["norm"]))
        verdict = "" if limit is None else "**met**" if row["seconds"] <= limit else "**missed**"
        yield (
            f"| {row['sites']} | {row['norm']} | {row['seconds']:.3g} "
            f"| {'-' if limit is None else limit} | [{row['lower']:.9g}, {row['upper']:.9g}] "
            f"| {verdict} |"
        )
    plain = found["literal"]
    ratio = plain["seconds"] / found["rows"][0]["seconds"]
    yield (
        f"| 1+2+1 | plain cvxpy | {plain['seconds']:.3g} | - | {plain['optimum']:.9g} | |\n\n"
        f"Ratio at 1+2+1: {ratio:.3g}; target, at least {COHERENCE_TARGET}: "
        f"**{'met' if ratio >= COHERENCE_TARGET else 'missed'}**. Peak memory "
        f"{found['megabytes']:.0f} MB; target, below {COHERENCE_MEGABYTES} MB: "
        f"**{'met' if found['megabytes'] < COHERENCE_MEGABYTES else 'missed'}**."
    )


def proofs() -> Iterator[str]:
    """What the checker takes."""
    yield "## Proofs in ball arithmetic\n"
    yield "The checker's own time, from the certificate to the theorem.\n"
    yield "| sites | levels | target | seconds | limit (s) | bits | proved lower bound | |"
    yield "|---|---:|---|---:|---:|---:|---|---|"
    for row in _json("benchmarks.proofs"):
        met = row["status"] == "accepted" and row["seconds"] <= row["most"]
        yield (
            f"| {row['sites']} | {row['levels']} | {row['target']} | {row['seconds']:.3g} "
            f"| {row['most']:g} | {row['bits']} | {row['lower']} "
            f"| **{'met' if met else 'missed'}** |"
        )


def box() -> Iterator[str]:
    """Proofs for all parameters in intervals."""
    yield "## Proofs over a box of parameters\n"
    yield (
        "The 1+2+1 chain of `problems/xxz-1+2+1.toml`, populations; one process. The search solves "
        "at the\ncorners of the cells, encloses each cell, and has the whole certificate checked; "
        "the check alone is\nwhat `lindfeas verify` takes.\n"
    )
    yield "| box | cells proved | undecided | search (s) | check (s) | limit (s) | bound | |"
    yield "|---|---:|---:|---:|---:|---:|---|---|"
    for row in _json("benchmarks.box"):
        met = row["status"] == "accepted" and max(row["seconds"], row["check"]) <= (
            row["most"] or math.inf
        )
        verdict = "" if row["most"] is None else "**met**" if met else "**missed**"
        yield (
            f"| {', '.join(row['box'])} | {row['proved']} | {row['undecided']} "
            f"| {row['seconds']:.3g} | {row['check'] or 0:.3g} | {row['most'] or '-'} "
            f"| {row['lower']} | {verdict} |"
        )


def hostile() -> Iterator[str]:
    """Files that mean harm."""
    yield "## Hostile files\n"
    yield (
        "`lindfeas verify` on files made to cost time or memory, up to the 16 MB that it reads; "
        "cold start\nincluded. CPU time counts, as wall time suffers from other processes.\n"
    )
    yield "| file | MB | CPU (s) | peak (MB) | exit code | it says | |"
    yield "|---|---:|---:|---:|---:|---|---|"
    for row in _json("benchmarks.hostile"):
        met = (
            row["cpu_seconds"] <= HOSTILE_SECONDS
            and row["megabytes"] <= HOSTILE_MEGABYTES
            and row["code"] == 1
        )
        yield (
            f"| {row['file']} | {row['bytes'] / 1e6:.3g} | {row['cpu_seconds']:.2g} "
            f"| {row['megabytes']:.0f} | {row['code']} | {row['said'][:80]} "
            f"| **{'met' if met else 'missed'}** |"
        )
    yield f"\nTarget: below {HOSTILE_SECONDS:g} s and {HOSTILE_MEGABYTES:g} MB, and a rejection."


def refusals() -> Iterator[str]:
    """What is refused, over honest work of the same process."""
    found = _json("benchmarks.refusals")
    yield "## Refusals\n"
    yield (
        "What the worst of the tampered certificates takes until it is refused, over what the "
        "check of its\nhonest original takes in the same process; and the like. The last row is "
        "over the Redfield equation\nof the same chain.\n"
    )
    yield "| what is refused | seconds | honest (s) | ratio | limit | |"
    yield "|---|---:|---:|---:|---:|---|"
    for row in found["rows"]:
        ratio = row["seconds"] / row["honest"]
        yield (
            f"| {row['case']} | {row['seconds']:.2g} | {row['honest']:.2g} | {ratio:.2g} "
            f"| {row['most']:g} | **{'met' if ratio <= row['most'] else 'missed'}** |"
        )
    megabytes = found["transform_megabytes"]
    yield (
        f"\nPeak memory of the transforms at {TRANSFORM_ENERGIES:,} energies: {megabytes:.0f} MB; "
        f"target, below\n{TRANSFORM_MEGABYTES} MB: "
        f"**{'met' if megabytes < TRANSFORM_MEGABYTES else 'missed'}**."
    )


def bloch_redfield() -> Iterator[str]:
    """QuTiP's tensor over `Redfield.apply`."""
    yield "## The Redfield equation\n"
    yield (
        "`qutip.bloch_redfield_tensor` (`fock_basis=True`, no secular approximation) for each of "
        "its\nways to compute it, over lindfeas from `OpenSystem` to the first L2(rho), principal "
        "values included,\nwhich QuTiP lacks. Every further L2(rho) costs what the last column "
        "says. The difference is the\nlargest entry of the two actions on one state without "
        "principal values; sigma_x on both ends.\n"
    )
    yield "| sites | QuTiP's way | QuTiP (s) | lindfeas (s) | ratio | difference | L2 again (s) |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for sites in SITES:
        row = _json("benchmarks.bloch_redfield", str(sites))
        for method, seconds in row["qutip_seconds"].items():
            yield (
                f"| {sites} | {method} | {seconds:.3g} | {row['first_seconds']:.3g} "
                f"| {seconds / row['first_seconds']:.3g} | {row['difference']:.1e} "
                f"| {row['further_seconds']:.1e} |"
            )


def command_table() -> Iterator[str]:
    """Whole commands over their limits."""
    yield "## Whole commands\n"
    yield (
        "Cold process to exit, best of 5 (the last: of 1). CPU time of all threads and peak "
        "resident memory\nas the operating system reports them; wall time suffers from other "
        "processes, CPU time hardly.\n"
    )
    yield "| command | wall (s) | limit (s) | ratio | CPU (s) | peak (MB) | limit (MB) | target |"
    yield "|---|---:|---:|---:|---:|---:|---:|---|"
    for row in commands.main():
        memory = "-" if row.most_megabytes is None else f"{row.most_megabytes:g}"
        yield (
            f"| `{row.command}` | {row.seconds:.3g} | {row.most_seconds:g} "
            f"| {row.seconds / row.most_seconds:.2f} | {row.cpu_seconds:.3g} "
            f"| {row.megabytes:.0f} | {memory} "
            f"| **{'met' if row.met else 'missed'}** |"
        )


def sweeps() -> Iterator[str]:
    """All panels of four figures, by the command."""
    found = _json("benchmarks.sweep")
    yield "## Sweeps: the SDP-paper's figures\n"
    yield (
        "`lindfeas sweep problems/figure-*.toml`, panels (a) to (d) of every figure, one command "
        "after another\nwith "
        f"{found['workers']} processes, cold start included. Memory is the peak over all processes "
        "of a command,\nshared pages counted once. Populations and populations+coherences, 16 and "
        "64 levels.\n"
    )
    yield "| figures | computed | problems | failed | wall (s) | CPU (s) | peak (MB) | target |"
    yield "|---|---|---:|---:|---:|---:|---:|---|"
    for row in found["rows"]:
        within = row["seconds"] <= SWEEP_SECONDS and row["megabytes"] < SWEEP_MEGABYTES
        verdict = f"**{'met' if within and row['failed'] == 0 else 'missed'}**"
        yield (
            f"| {row['figures']} | {row['asked']} | {row['problems']} | {row['failed']} "
            f"| {row['seconds']:.3g} | {row['cpu_seconds']:.3g} | {row['megabytes']:.0f} "
            f"| {verdict if (row['figures'], row['asked']) == SWEEP_TARGET else '-'} |"
        )
    yield (
        f"\nTarget: certified intervals of Figs. 2 and 3 within {SWEEP_SECONDS} s and "
        f"{SWEEP_MEGABYTES} MB on 2 cores."
    )


def workers() -> Iterator[str]:
    """How soon processes end, and what does not answer is given up."""
    yield "## Worker processes\n"
    yield "How long a user waits for an end.\n"
    yield "| what ends | seconds | limit (s) | target |"
    yield "|---|---:|---:|---|"
    for row in _json("benchmarks.workers"):
        verdict = "met" if row["seconds"] <= row["most"] else "missed"
        yield f"| {row['case']} | {row['seconds']:.3g} | {row['most']:g} | **{verdict}** |"


SECTIONS: dict[str, Callable[[], Iterator[str]]] = {
    "commands": command_table,
    "transliteration": transliteration,
    "coherences": coherences,
    "proofs": proofs,
    "box": box,
    "hostile": hostile,
    "refusals": refusals,
    "sweeps": sweeps,
    "workers": workers,
    "bloch-redfield": bloch_redfield,
}

EXTRA: dict[str, Callable[[], Iterator[str]]] = {"lines": lines.table}
"""What takes no time, and is no part of the tables."""


def heading() -> Iterator[str]:
    """What was measured where."""
    yield "# Benchmarks\n"
    yield (
        "Written by `python -m benchmarks`. Read the ratios: both times of a ratio are from one "
        "run on one\nmachine, with one thread for linear algebra. The seconds alone say little "
        "about another machine.\nWhole commands run with the defaults.\n"
    )
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()};"
    yield f"{packages}."


def main(names: list[str]) -> None:
    """Print the tables of the named sections, and keep them if those are all."""
    known = SECTIONS | EXTRA
    unknown = set(names) - set(known)
    if unknown:
        raise SystemExit(f"no section {', '.join(unknown)}; known: {', '.join(known)}")
    written: list[str] = []
    timed = [heading] if set(names) - set(EXTRA) or not names else []
    parts = [*timed, *(known[name] for name in names or SECTIONS)]
    for number, part in enumerate(parts):
        for line in ([""] if number else []) + list(_printed(part())):
            written.append(line)
        print()
    if not names:
        RESULTS.write_text("\n".join(written) + "\n", encoding="utf-8")
        print(f"written: {RESULTS}", file=sys.stderr)


def _printed(part: Iterator[str]) -> Iterator[str]:
    for line in part:
        print(line, flush=True)
        yield line


def _json(module: str, *arguments: str) -> Any:
    run = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=commands.ROOT,
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


RUNS = {"differential": "benchmarks.differential", "fuzz": "benchmarks.fuzz"}
"""Long runs against the dense reference of ``tests/``."""


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in RUNS:
        sys.exit(importlib.import_module(RUNS[sys.argv[1]]).main(sys.argv[2:]))
    main(sys.argv[1:])
