"""How long proofs take: ``python -m benchmarks.proofs`` prints one JSON object."""

from __future__ import annotations

import json
from typing import Any

import lindfeas as lf
from benchmarks.chains import two_bath_chain

CASES = (
    ((1, 2, 1), "populations", 0.2),
    ((2, 2, 2), "populations", 5.0),
    ((1, 2, 1), "populations+coherences", 10.0),
    ((2, 2, 2), "populations+coherences", 180.0),
)
"""(sites, target, most seconds)."""

COUPLING = 0.01


def main() -> list[dict[str, Any]]:
    """The checker's own time for every case, with what it proved."""
    rows = []
    for sites, target, most in CASES:
        system = two_bath_chain(*sites, coupling=COUPLING)
        question = lf.Question(system=system, target=target, norm="frobenius")
        answer = lf.certify(question, sharp=False, check=False)
        _, proof = lf.prove(answer)
        rows.append(
            {
                "sites": "+".join(map(str, sites)),
                "levels": system.dimension,
                "target": target,
                "seconds": proof.seconds,
                "most": most,
                "bits": proof.bits,
                "lower": proof.lower,
                "status": proof.status,
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(main()))
