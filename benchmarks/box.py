"""How long proofs over a box take: ``python -m benchmarks.box`` prints one JSON object."""

from __future__ import annotations

import json
from typing import Any

import lindfeas as lf
from benchmarks.commands import ROOT
from lindfeas.theorems.box import parse_interval, prove_box

CASES = (
    (("system.coupling=0.0095:0.0105", "bath.left.beta=0.95:1.05"), 60.0),
    (("system.coupling=0.008:0.012", "bath.left.beta=0.8:1.2"), None),
    (("system.coupling=0.005:0.02", "bath.left.beta=0.5:2"), None),
    (("system.anisotropy=0.8:1.2", "system.coupling=0.0095:0.0105", "bath.right.mu=-0.1:0"), None),
)
"""(box around the problem, most seconds for the search and for the check)."""

PROBLEM = ROOT / "problems" / "xxz-1+2+1.toml"


def main() -> list[dict[str, Any]]:
    """Seconds of the search, its last check included, and of the checker alone."""
    problem = lf.read_problem(PROBLEM)
    # the first answer of a process also pays for its imports
    lf.certify(problem.question, sharp=False, check=False)
    rows = []
    for box, most in CASES:
        answer = prove_box(problem, [parse_interval(text) for text in box])
        proof = answer.proof
        rows.append(
            {
                "box": list(box),
                "proved": answer.proved,
                "undecided": answer.undecided,
                "share": answer.share,
                "seconds": answer.seconds,
                "check": proof.seconds if proof else None,
                "lower": proof.lower if proof else None,
                "status": proof.status if proof else "nothing proved",
                "most": most,
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(main()))
