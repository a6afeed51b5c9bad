"""Small accepted certificates of every kind, made on the fly: what the fuzzer changes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import lindfeas as lf
from lindfeas.checker import verify
from lindfeas.theorems.box import parse_interval, prove_box

ACCEPTED = ("accepted", "accepted in part")

COHERENCES = "populations+coherences"

CHAIN = """
[system]
model = "xxz_chain"
sites = {sites}
field = {field}
coupling = {coupling}
[[bath]]
name = "hot"
sites = [0]
beta = 1.0
{bath}
[[bath]]
name = "cold"
sites = [{last}]
beta = 4.0
mu = -0.25
[ansatz]
rates = {rates}
[question]
target = "{target}"
norm = "{norm}"
"""


@cache
def chain(
    *,
    sites: int = 2,
    target: str = "populations",
    norm: str = "spectral",
    rates: str = '{ rule = "each", value = 1.0 }',
    field: str = "0.5",
    coupling: str = "0.3",
    bath: str = "",
) -> Any:
    """A chain's problem file."""
    text = CHAIN.format(
        sites=sites,
        last=sites - 1,
        target=target,
        norm=norm,
        rates=rates,
        field=field,
        coupling=coupling,
        bath=bath,
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "problem.toml"
        file.write_text(text, encoding="utf-8")
        return lf.read_problem(file)


def proved_chain(**settings: Any) -> dict[str, Any]:
    """The accepted certificate of a chain."""
    problem = chain(**settings)
    return _proved(lf.certify(problem.question), problem)


def proved_matrices(
    dimensions: tuple[int, ...], *, charge: bool = False, seed: int = 1, **question: Any
) -> dict[str, Any]:
    """The accepted certificate of a random system that was given as matrices."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(dimensions))
    labels = tuple(tuple(range(n)) for n in dimensions) if charge else None
    matrix = np.round(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)), 2)
    matrix = (matrix + matrix.conj().T) / 2
    if charge:
        total = np.add.outer(*map(np.arange, dimensions)).ravel()
        matrix = np.where(np.equal.outer(total, total), matrix, 0)
    baths = []
    for site, n in enumerate(dimensions):
        local = np.round(rng.normal(size=(n, n)), 1)
        local = np.diag(np.arange(1.0, n), -1) if charge else local + local.T
        baths.append(
            lf.Bath(name=f"bath{site}", sites=(site,), beta=1.0 + 2 * site, couplings=(local,))
        )
    system = lf.OpenSystem(
        hamiltonian=matrix, dimensions=dimensions, baths=tuple(baths), charge=labels
    )
    return _proved(lf.certify(lf.Question(system=system, **question)), None)


def proved_box(*intervals: str, most_cells: int = 8, **settings: Any) -> dict[str, Any]:
    """The certificate of a box of parameters, accepted at least in part."""
    problem = chain(**settings)
    answer = prove_box(problem, [parse_interval(text) for text in intervals], most_cells=most_cells)
    assert verify(answer.certificate).status in ACCEPTED
    return answer.certificate


def _proved(answer: Any, problem: Any) -> dict[str, Any]:
    certificate, proof = lf.prove(answer, problem)
    assert proof.status == "accepted", proof.statement
    return certificate


ORIGINALS: dict[str, Callable[[], dict[str, Any]]] = {
    name: cache(make)
    for name, make in {
        "chain": lambda: proved_chain(),
        "chain, total": lambda: proved_chain(sites=3, rates='{ rule = "total", value = 1.5 }'),
        "chain, sigma_x": lambda: proved_chain(
            bath='operator = "sigma_x"\nspectral_density = { family = "drude_lorentz", cutoff = 3 }'
        ),
        "chain, frobenius": lambda: proved_chain(target=COHERENCES, norm="frobenius"),
        "chain, spectral": lambda: proved_chain(
            target=COHERENCES, rates='{ rule = "range", min = 0.0, max = 100.0 }'
        ),
        "matrices": lambda: proved_matrices((2, 2), seed=3),
        "matrices, charge": lambda: proved_matrices((2, 3), charge=True),
        "matrices, trace": lambda: proved_matrices((2, 2), target=COHERENCES, norm="trace"),
        "box": lambda: proved_box("system.coupling=0.29:0.31"),
        "box of two": lambda: proved_box("bath.hot.beta=0.9:1.1", "system.field=0.45:0.55"),
        "box in part": lambda: proved_box("system.coupling=0.2:0.4", most_cells=6),
    }.items()
}
