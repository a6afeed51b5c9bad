"""lindfeas against an independent dense reference on many random systems.

    python -m benchmarks differential --seeds 0:2000 --out report.json

Runs from a checkout: the reference and the random systems are those of ``tests/``. Every seed is
one system, with seven questions (``--quick``: three of them); what is compared says
`tests.differential`. Finished systems are
kept in a file beside the report (``report.jsonl``), so that a run that was stopped goes on when the
same command is given again. The report counts everything, and lists every contradiction, every
exception that is not a `LindfeasError`, and every wide interval with its seed and cause.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

WIDE = 1e-4
"""Intervals wider than this fraction of max(upper, 1e-6 times the trivial defect) are listed.

The trivial defect is that of Gamma = a multiple of 1. With ranged rates it has the largest rate of
the Redfield equation, the stricter choice; the share with the highest rate allowed stands beside.
"""

KNOWN = 0.05
"""A part of a wide interval counts as its cause from this fraction of its width on."""

SHARE = 0.99
"""Of intervals that must not be wider."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class OutOfTime(BaseException):
    """A system took too long. No Exception, so that nothing on the way catches it."""


def main(arguments: list[str]) -> int:
    """Run the seeds that are not done yet, write the report; 1 if there is a contradiction."""
    asked = _parser().parse_args(arguments)
    start, stop = (int(number) for number in asked.seeds.split(":"))
    for name in THREADS:
        os.environ.setdefault(name, "1")
    kept = asked.out.with_suffix(".jsonl")
    done = {case["seed"]: case for case in _kept(kept)}
    left = [seed for seed in range(start, stop) if seed not in done]
    with kept.open("a", encoding="utf-8") as file:
        for case in _computed(left, asked.workers, asked.limit, not asked.quick):
            file.write(json.dumps(case) + "\n")
            file.flush()
            done[case["seed"]] = case
            _progress(case, len(done), stop - start)
    found = report([done[seed] for seed in range(start, stop)])
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(summary(found)))
    return 1 if found["contradictions"] else 0


def report(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts, contradictions, and wide intervals with their causes.

    Parameters
    ----------
    cases
        As `tests.differential.check_case` returns them, or with an ``error`` instead.
    """
    whole = [case for case in cases if "error" not in case]
    questions = [(case, entry) for case in whole for entry in case["questions"]]
    measured = [(case, entry) for case, entry in questions if "width" in entry]
    wide = [(case, entry) for case, entry in measured if not entry["width"] <= WIDE]
    refusals = Counter(_general(r["error"]) for case in whole for r in case["refusals"])
    return {
        "systems": len(cases),
        "answers": len(questions),
        "intervals_measured": len(measured),
        "share_not_wide": _share([entry["width"] for _, entry in measured]),
        "share_not_wide_at_highest_rates": _share(
            [entry["width_at_highest"] for _, entry in measured]
        ),
        "share_not_wide_by_kind": {
            kind: _share([entry["width"] for case, entry in measured if case["kind"] == kind])
            for kind in sorted({case["kind"] for case in whole})
        },
        "references": sum("reference" in entry for _, entry in measured),
        "undefined": Counter(case["undefined"] for case in whole if case["undefined"]),
        "verdicts": Counter(entry["verdict"] for _, entry in questions),
        "kinds": Counter(case["kind"] for case in whole),
        "contradictions_by_check": Counter(
            found["check"] for case in whole for found in case["findings"]
        ),
        "contradictions": [
            {"seed": case["seed"], "kind": case["kind"], "about": case["about"], **found}
            for case in whole
            for found in case["findings"]
        ],
        "refusals": refusals,
        "wide": [
            {"seed": case["seed"], "kind": case["kind"], "cause": cause(entry), **entry}
            for case, entry in wide
        ],
        "unfinished": [case for case in cases if "error" in case],
        "warnings": Counter(text for case in whole for text in case["warnings"]),
        "seconds": {
            name: sum(case["seconds"].get(name, 0.0) for case in whole)
            for name in ("lindfeas", "reference", "comparison", "all")
        },
    }


def _share(widths: list[float]) -> float:
    """Of intervals that are not wide."""
    return sum(width <= WIDE for width in widths) / max(1, len(widths))


def cause(entry: dict[str, Any]) -> str:
    """What makes an interval wide: the largest part of it, relative to the interval."""
    width = entry["upper"] - entry["lower"]
    parts = {}
    if "defect" in entry:
        parts["allowance for rounding at the upper end"] = entry["upper"] - entry["defect"]
    if "reference" in entry:
        least, best = entry["reference"]
        parts["lower end"] = least - entry["lower"]
        if "defect" in entry:
            parts["candidate is not the best"] = min(entry["defect"], entry["upper"]) - best
    name, size = max(parts.items(), key=lambda item: item[1], default=("", 0.0))
    if not size > KNOWN * width:
        return "not known"
    return f"{name} ({size / width:.0%})"


def summary(found: dict[str, Any]) -> Iterator[str]:
    """The report in a few lines."""
    yield (
        f"{found['systems']} systems, {found['answers']} answers, "
        f"{found['references']} of them with an independent optimum; "
        f"{sum(found['refusals'].values())} refusals, {len(found['unfinished'])} unfinished"
    )
    yield (
        f"intervals not wider than {WIDE:g}: {found['share_not_wide']:.2%} of "
        f"{found['intervals_measured']} (wanted: {SHARE:.0%}); with the highest rates that the "
        f"rule allows in the yardstick: {found['share_not_wide_at_highest_rates']:.2%}"
    )
    shares = found["share_not_wide_by_kind"]
    yield "by kind of system: " + ", ".join(f"{kind} {shares[kind]:.1%}" for kind in shares)
    for check, count in sorted(found["contradictions_by_check"].items()):
        yield f"CONTRADICTION {check}: {count}"
    for line in found["contradictions"]:
        yield f"  seed {line['seed']}, {line['question']}, {line['check']}: {line['detail']}"
    for text, count in Counter(found["refusals"]).most_common():
        yield f"refused {count} times: {text}"
    for line in found["wide"]:
        yield (
            f"wide: seed {line['seed']} ({line['kind']}), {line['question']}, "
            f"[{line['lower']:.6g}, {line['upper']:.6g}]: {line['cause']}"
        )
    for case in found["unfinished"]:
        yield f"unfinished: seed {case['seed']}: {case['error'].splitlines()[-1]}"


def _computed(
    seeds: list[int], workers: int, limit: int, thorough: bool
) -> Iterator[dict[str, Any]]:
    with ProcessPoolExecutor(workers) as pool:
        for done in as_completed(pool.submit(_case, seed, limit, thorough) for seed in seeds):
            yield done.result()


def _case(seed: int, limit: int, thorough: bool) -> dict[str, Any]:
    from tests.differential import check_case

    signal.signal(signal.SIGPROF, _out_of_time)
    # time of the processor, so that a busy machine cuts nothing short
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        return check_case(seed, thorough=thorough)
    except OutOfTime:
        return {"seed": seed, "error": f"more than {limit} s of processor time"}
    except Exception:
        return {"seed": seed, "error": traceback.format_exc()[-2000:]}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _out_of_time(signum: int, frame: Any) -> None:
    raise OutOfTime


def _kept(file: Path) -> Iterator[dict[str, Any]]:
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _progress(case: dict[str, Any], done: int, total: int) -> None:
    found = [entry["check"] for entry in case.get("findings", ())]
    text = case["error"].splitlines()[-1] if "error" in case else ", ".join(found)
    print(f"{done}/{total}: seed {case['seed']} {text}", file=sys.stderr, flush=True)


def _general(message: str) -> str:
    """An error without its numbers and names of baths."""
    words = message.split(": ")
    return ": ".join(word for word in words if not word.startswith("bath."))[:100]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks differential")
    parser.add_argument("--seeds", default="0:2000", help="first:last+1")
    parser.add_argument("--out", type=Path, default=Path("differential.json"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=int, default=120, help="processor seconds for one system")
    parser.add_argument(
        "--quick", action="store_true", help="three of the seven questions a system"
    )
    return parser
