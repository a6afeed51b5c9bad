"""What it takes to refuse: ``python -m benchmarks.refusals`` prints one JSON object.

Every refusal is held against an honest piece of work of the same process: a certificate that means
harm may take a few times what its honest original takes, and no more.
"""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from lindfeas.physics.baths.transforms import half_sided

import lindfeas as lf
from benchmarks.chains import two_bath_chain
from lindfeas.answers.steady_state_check import check_candidate
from lindfeas.checker import verify
from lindfeas.checker.format import (
    CertificateError,
    certificate_text,
    check_certificate,
    parse_certificate,
)
from tests.mutations import JUNK, MALFORMED, Path, changed, get, is_number, leaves, scaled
from tests.shipped import CHAIN, proved, written

HUGE = ("1e999", "1e-999", "9" * 400, "0." + "3" * 1000)
WIDE = ("system.coupling=0.0095:0.0105", "bath.left.beta=0.95:1.05")
ENERGIES = 200_000


def main() -> dict[str, Any]:
    """Seconds of every case and of the honest work beside it; and memory where it is the point."""
    rows = [
        {"case": case, "seconds": seconds, "honest": honest, "most": most}
        for case, seconds, honest, most in _cases()
    ]
    return {"rows": rows, "transform_megabytes": transform_megabytes()}


def _cases() -> Iterator[tuple[str, float, float, float]]:
    point, box = written(CHAIN), proved(*WIDE)
    text = certificate_text(point).encode()
    reading = best(lambda: check_certificate(parse_certificate(text)))
    checking, box_checking = best(partial(verify, point)), best(partial(verify, box))
    yield "slowest malformed file, over reading a certificate", slowest_file(), reading, 2000
    yield "slowest huge or tiny number", slowest(huge(point)), checking, 50
    yield "slowest junk", slowest(junk(point)), checking, 20
    yield "a chain of 8 sites", slowest([sites(point, 8)]), checking, 5
    yield "slowest huge or tiny number of a box", slowest(huge(box)), box_checking, 20
    yield "slowest junk in a box", slowest(junk(box)), box_checking, 5
    yield "a box of endless terms", slowest([endless(box)]), box_checking, 1
    yield "a candidate of 256 levels, not checked", *unchecked_candidate(), 0.1


def best(work: Callable[[], object], repetitions: int = 5) -> float:
    """Seconds of the fastest run."""
    return min(_seconds(work) for _ in range(repetitions))


def slowest(contents: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> float:
    """Seconds that the check of the worst of these certificates takes."""
    return max(_seconds(partial(verify, content)) for content in contents)


def slowest_file() -> float:
    """Seconds until the worst of the malformed files is refused."""
    return max(_seconds(partial(refused, content)) for content, _ in MALFORMED.values())


def refused(content: bytes) -> None:
    """Read what must be refused."""
    with contextlib.suppress(CertificateError):
        check_certificate(parse_certificate(content))
        raise SystemExit("a malformed file must be refused, but is not")


def _numbers(content: dict[str, Any]) -> Iterator[Path]:
    """Every number outside of the multipliers, and one of them."""
    paths = [path for path in leaves(content) if is_number(get(content, path))]
    inside = [path for path in paths if {"multiplier", "multipliers"} & set(path)]
    yield from [path for path in paths if path not in inside] + inside[:1]


def huge(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One number after the other is much too long, large or small."""
    for path in _numbers(content):
        yield from (changed(content, path, text) for text in HUGE)


def junk(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One number after the other is none, or only slightly wrong."""
    for number, path in enumerate(_numbers(content)):
        yield changed(content, path, JUNK[number % len(JUNK)])
        yield changed(content, path, scaled(get(content, path), "1.000000001"))


def sites(content: dict[str, Any], count: int) -> dict[str, Any]:
    """The certificate of a chain, said to be one of a longer chain."""
    return changed(content, ("problem", "system", "sites"), count)


def endless(content: dict[str, Any]) -> dict[str, Any]:
    """Four parameters to the eighth order."""
    keys = ("system.field", "system.coupling", "bath.left.beta", "bath.right.beta")
    sides = [{"key": key, "low": "0.1", "high": "0.2"} for key in keys]
    return changed(changed(content, ("order",), 8), ("box",), sides)


def unchecked_candidate() -> tuple[float, float]:
    """A steady state that is too large to be solved for, over the Redfield equation."""
    chain = two_bath_chain(1, 6, 1, coupling=0.3)
    answer = lf.certify(lf.Question(system=chain), sharp=False, check=False)
    assert answer.candidate is not None and answer.reference is not None
    candidate, reference = answer.candidate, answer.reference
    return (
        best(lambda: check_candidate(candidate, reference)),
        _seconds(lambda: lf.redfield_equation(chain)),
    )


def transform_megabytes() -> float:
    """Peak memory of the transforms at many energies at once."""
    energies = np.random.default_rng(0).normal(size=ENERGIES)
    tracemalloc.start()
    half_sided(lf.Ohmic(), 1.0, 0.0, energies)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(main()))
