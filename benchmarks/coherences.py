"""tau_popcoh as the SDP-paper writes it, against lindfeas, and lindfeas on 64 levels.

``python -m benchmarks.coherences`` prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import statistics
import time
import warnings
from typing import Any

import cvxpy as cp
import numpy as np

import lindfeas as lf
from benchmarks.chains import two_bath_chain
from benchmarks.transliteration import region_basis

COUPLING = 0.01
REPETITIONS = 3


def literal(reference: lf.Redfield) -> dict[str, Any]:
    """SDP-paper Eqs. (23), (32), (33) at 1+2+1 sites: double loop, H_LS, d x d expressions."""
    vectors, populations = reference.spectrum.vectors, reference.populations
    started = time.perf_counter()
    d = len(populations)
    rho0 = vectors @ np.diag(populations) @ vectors.conj().T
    wanted = vectors @ reference.coherence_source @ vectors.conj().T
    constraints, action = [], 0
    for place in ("left", "right"):

        def lifted(local: Any, place: str = place) -> Any:
            rest = np.eye(d // 2)
            return np.kron(local, rest) if place == "left" else np.kron(rest, local)

        basis = [lifted(f) / np.sqrt(d // 2) for f in region_basis(1)]
        gamma = cp.Variable((len(basis), len(basis)), hermitian=True)
        constraints += [gamma >> 0, cp.real(cp.trace(gamma)) == 1]
        shift = cp.Variable((2, 2), hermitian=True)
        rest = np.eye(d // 2)
        full = cp.kron(shift, rest) if place == "left" else cp.kron(rest, shift)
        action = action + 1j * (rho0 @ full - full @ rho0)
        for i, first in enumerate(basis):
            for j, second in enumerate(basis):
                jump = second @ rho0 @ first.conj().T
                loss = first.conj().T @ second
                action = action + gamma[i, j] * (jump - (loss @ rho0 + rho0 @ loss) / 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = cp.Problem(cp.Minimize(cp.sigma_max(action - wanted)), constraints)
        program.solve(solver="CLARABEL")
    return {"seconds": time.perf_counter() - started, "optimum": float(program.value)}


def answered(left: int, middle: int, right: int, norm: str) -> dict[str, Any]:
    """Median time from the system to the certified answer, imports done."""
    times = []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        system = two_bath_chain(left, middle, right, coupling=COUPLING)
        question = lf.Question(system=system, target="populations+coherences", norm=norm)
        answer = lf.certify(question, check=False)
        times.append(time.perf_counter() - started)
    return {
        "sites": f"{left}+{middle}+{right}",
        "norm": norm,
        "seconds": statistics.median(times),
        "lower": answer.lower,
        "upper": answer.upper,
        "reference": answer.reference,
    }


def main() -> dict[str, Any]:
    """All measurements, with the peak memory of the process before the literal program."""
    answered(1, 1, 1, "spectral")
    rows = [
        answered(1, 2, 1, "spectral"),
        answered(1, 2, 1, "frobenius"),
        answered(2, 2, 2, "spectral"),
        answered(2, 2, 2, "frobenius"),
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    reference = rows[0]["reference"]
    for row in rows:
        del row["reference"]
    return {"rows": rows, "megabytes": peak, "literal": literal(reference)}


if __name__ == "__main__":
    print(json.dumps(main()))
