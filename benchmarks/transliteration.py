"""tau_pop as the SDP-paper writes it, word for word in cvxpy, against lindfeas.

``python -m benchmarks.transliteration LEFT MIDDLE RIGHT`` prints one JSON object.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import warnings
from functools import reduce
from itertools import product
from typing import Any

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

import lindfeas as lf
from benchmarks.chains import two_bath_chain

COUPLING = 0.1
REPETITIONS = 5

QUBIT_BASIS = (
    np.diag([-1.0, 1.0]) / np.sqrt(2),
    np.array([[0.0, 1.0], [0.0, 0.0]]),
    np.array([[0.0, 0.0], [1.0, 0.0]]),
    np.eye(2) / np.sqrt(2),
)
"""-sigma_z/sqrt2, sigma_+, sigma_-, 1/sqrt2 (SDP-paper, below Eq. 42)."""

SPELLINGS = {
    "level by level": lambda action, vectors: sum(
        cp.abs(vector.conj() @ action @ vector) for vector in vectors.T
    ),
    "one matrix": lambda action, vectors: cp.sum(
        cp.abs(cp.diag(vectors.conj().T @ action @ vectors))
    ),
}
"""Two ways to write sum_a |<E_a| L'(rho0) |E_a>| (SDP-paper Eq. 28): as it stands, and tidied."""


def region_basis(sites: int) -> list[NDArray[np.float64]]:
    """All products of `QUBIT_BASIS` but the identity."""
    return [reduce(np.kron, factors) for factors in product(QUBIT_BASIS, repeat=sites)][:-1]


def literal(reference: lf.Redfield, left: int, right: int, spelling: str) -> dict[str, Any]:
    """SDP-paper Eqs. (23), (28), (29), written down, compiled and solved.

    Charitable to the transliteration: rho0 and the eigenbasis are given, all data are real, and
    H_LS is left out (it does not change the diagonal, and only costs time).
    """
    vectors, populations = reference.spectrum.vectors, reference.populations
    started = time.perf_counter()
    d = len(populations)
    rho0 = vectors @ np.diag(populations) @ vectors.conj().T
    baths = [
        [np.kron(f, np.eye(d >> left)) / np.sqrt(d >> left) for f in region_basis(left)],
        [np.kron(np.eye(d >> right), f) / np.sqrt(d >> right) for f in region_basis(right)],
    ]
    constraints, action = [], 0
    for basis in baths:
        gamma = cp.Variable((len(basis), len(basis)), hermitian=True)
        constraints += [gamma >> 0, cp.real(cp.trace(gamma)) == 1]
        for i, first in enumerate(basis):
            for j, second in enumerate(basis):
                jump = second @ rho0 @ first.conj().T
                loss = first.conj().T @ second
                action = action + gamma[i, j] * (jump - (loss @ rho0 + rho0 @ loss) / 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cvxpy warns, rightly, that this is slow
        program = cp.Problem(cp.Minimize(SPELLINGS[spelling](action, vectors)), constraints)
        program.solve(solver="CLARABEL")
    return {"seconds": time.perf_counter() - started, "optimum": float(program.value)}


def lindfeas_answer(left: int, middle: int, right: int) -> tuple[lf.Answer, float]:
    """Everything from the system to the certified answer; median of several runs, imports done.

    But the sharp trace distance and the candidate's own steady state at several couplings, to
    which nothing in the plain program corresponds.
    """
    lf.certify(lf.Question(system=two_bath_chain(1, 1, 1, coupling=COUPLING)))
    times = []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        system = two_bath_chain(left, middle, right, coupling=COUPLING)
        answer = lf.certify(lf.Question(system=system), sharp=False, check=False)
        times.append(time.perf_counter() - started)
    return answer, statistics.median(times)


def main(left: int, middle: int, right: int) -> dict[str, Any]:
    """Time both on one chain, with their answers side by side."""
    answer, seconds = lindfeas_answer(left, middle, right)
    return {
        "sites": f"{left}+{middle}+{right}",
        "seconds": seconds,
        "lower": answer.lower,
        "upper": answer.upper,
        "literal": {
            spelling: literal(answer.reference, left, right, spelling) for spelling in SPELLINGS
        },
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))
