"""Certificates: the answer to a question as data from which anyone can prove it.

The checker is `lindfeas.checker.verify`; it reads the file through `lindfeas.checker.format` and
shares no other code with this module.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.answer import Answer
from lindfeas.answers.candidate import Candidate
from lindfeas.answers.coherence_witness import CoherenceLadder
from lindfeas.answers.distance_witness import Cell, Cut, Witness
from lindfeas.checker.format import (
    CertificateError,
    check_certificate,
    checksum,
    read_certificate,
)
from lindfeas.checker.forms import VERSION
from lindfeas.checker.schema import certificate_text
from lindfeas.errors import InputError
from lindfeas.files.atomic import pending_file
from lindfeas.files.problem_file import ProblemFile
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.physics.equations.operator_basis import Region
from lindfeas.physics.systems.sites import partial_trace
from lindfeas.program import bounds
from lindfeas.program.hermitian import DUAL_NORM, hermitian_root
from lindfeas.program.program import Point, Program
from lindfeas.program.question import TARGETS
from lindfeas.theorems.coherence_claims import coherence_claims, upper_triangle
from lindfeas.theorems.exact_problem import complex_number, problem_document, shortest

__all__ = [
    "CertificateError",
    "certificate",
    "read_certificate",
    "write_certificate",
]

CLAIMED = 12
"""Significant digits of claimed bounds: the float-certified ones, rounded outwards."""

MULTIPLIER_DECIMALS = range(4, 18)
"""Decimals of y to try; the fewest that keep the bound are taken."""

FACTOR_DIGITS = range(6, 18)
"""Significant digits of the candidate to try."""

SMALLEST_ROOM = 1e-14
"""Of the limit on H_r, relative: what is left below it for rounding."""

SMALLEST_RATE = 1e-18
"""Eigenvalues of Gamma below this fraction of the largest are left out."""


def certificate(
    problem: ProblemFile | None,
    answer: Answer,
    *,
    distance: Witness | None = None,
    coherence: CoherenceLadder | None = None,
) -> dict[str, Any]:
    """The certificate of an answer.

    Parameters
    ----------
    problem
        The file that asked the question, so that the certificate holds its decimals. Without one,
        the system is written down as matrices of exact doubles.
    answer
        What `lindfeas.certify` returned for it.
    distance
        Witnesses of a trace distance, if there are any.
    coherence
        Witnesses of the error of the coherences, if there are any.

    Returns
    -------
    dict
        Of the form of ``checker/certificate.schema.json``; see `write_certificate`.

    Raises
    ------
    InputError
        If the answer is to another question, or is of a kind that cannot be written down.

    Examples
    --------
    >>> import lindfeas as lf
    >>> problem = lf.read_problem("problems/xxz-1+2+1.toml")
    >>> written = certificate(problem, lf.certify(problem.question))
    >>> written["lower_bound"]["value"][:10]
    '0.00108258'
    """
    setting = answer.setting
    question, program = setting.question, setting.program
    if not isinstance(question.target, str):
        raise InputError(
            f"must be one of {', '.join(TARGETS)} for a certificate, but is a target of one's own",
            "question.target",
        )
    if problem is not None and problem.question is not question:
        raise InputError("must be the answer to the problem's question, but is not", "answer")
    limit = answer.hamiltonian_limit if program.shifts.count else None
    written = _Written(answer=answer, limit=limit)
    content: dict[str, Any] = {
        "schema_version": VERSION,
        "problem": problem_document(problem, question, limit=limit),
        "lower_bound": _lower_bound(written),
        "upper_bound": _upper_bound(written, answer.optimal),
        "trace_distance": None if distance is None else _trace_distance(distance, program.regions),
        "versions": versions(answer.solver),
    }
    if coherence is not None and (claims := coherence_claims(setting, coherence)):
        content["coherence_error"] = claims
    content["sha256"] = checksum(content)
    check_certificate(content)
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """An answer with the program behind it, and the limit of the H_r."""

    answer: Answer
    limit: float | None

    @property
    def program(self) -> Program:
        """The question in arrays."""
        return self.answer.setting.program

    @property
    def regions(self) -> tuple[Region, ...]:
        """What the dissipators act on."""
        return self.answer.setting.ansatz.regions

    @property
    def plain(self) -> bool:
        """Whether the target is populations alone."""
        return self.answer.target == "populations"

    def multiplier(self, decimals: int) -> tuple[list[Any], NDArray[np.float64]]:
        """The multiplier to so many decimals: as the certificate lists it, and its coordinates.

        With coherences it is written in the product basis, where it does not depend on anyone's
        eigenvectors; without a limit of the H_r, the coordinates leave out what they would cancel.
        """
        y = self.answer.multiplier
        if self.plain:
            rounded = np.clip(y.round(decimals), -1.0, 1.0)
            return [shortest(value) for value in rounded], rounded
        listed, blocks = [], []
        sectors = self.answer.reference.spectrum.sectors
        for sector, block in zip(sectors, self.program.layout.blocks(y), strict=True):
            product = (sector.vectors @ block @ sector.vectors.conj().T).round(decimals)
            listed.append(upper_triangle(product))
            blocks.append(sector.vectors.conj().T @ product @ sector.vectors)
        coordinates = self.program.layout.coordinates(blocks)
        if self.limit is not None:
            return listed, coordinates
        directions = self.program.shifts.directions
        return listed, coordinates - directions @ (directions.T @ coordinates)

    def gained(self, y: NDArray[np.float64]) -> float:
        """h sum_r ||tr_(not r) i[Y, rho0]||, by which the H_r can lower what Y gives."""
        if self.limit is None:
            return 0.0
        reference = self.answer.reference
        spectrum, p = reference.spectrum, reference.populations
        weight = np.zeros((spectrum.dimension, spectrum.dimension), complex)
        for sector, block in zip(spectrum.sectors, self.program.layout.blocks(y), strict=True):
            own = p[sector.levels]
            weight[sector.levels, sector.levels] = 1j * block * (own - own[:, None])
        commutator = spectrum.vectors @ weight @ spectrum.vectors.conj().T
        local = (
            partial_trace(commutator, region.sites, reference.system.dimensions)
            for region in self.regions
        )
        return self.limit * sum(float(np.linalg.norm(matrix)) for matrix in local)

    def value(self, y: NDArray[np.float64]) -> float:
        """The dual function, of which the lower bound is a multiple."""
        smallest = _smallest_eigenvalues(self.program, y)
        rates = float(self.program.rates.smallest(np.array(smallest)))
        return float(y @ self.program.offset) + rates - self.gained(y)

    def defect(self, roots: Sequence[NDArray[Any]], hamiltonians: Sequence[NDArray[Any]]) -> float:
        """Defect of Gamma = W W^dagger, rescaled to the rate rule, and H_r."""
        program, reference = self.program, self.answer.reference
        gammas = [root @ root.conj().T for root in roots]
        point = Point(gammas=gammas, shift=np.zeros(program.shifts.count))
        residual = program.dissipation(bounds.repair_point(program, point).gammas)
        if not self.plain:
            p, vectors = reference.populations, reference.spectrum.vectors
            total = sum(
                reference.system.embed(local, region.sites)
                for local, region in zip(hamiltonians, self.regions, strict=True)
            )
            rotation = 1j * np.subtract.outer(p, p) * (vectors.conj().T @ (total @ vectors))
            blocks = [rotation[s.levels, s.levels] for s in reference.spectrum.sectors]
            residual = residual + program.layout.coordinates(blocks)
        return program.layout.norm(residual, program.norm)


def _lower_bound(of: _Written) -> dict[str, Any]:
    """The certified bound rounded down, and the shortest multiplier that still gives it."""
    program, answer = of.program, of.answer
    claimed = _outwards(answer.lower, ROUND_FLOOR)
    reserve = (of.value(answer.multiplier) - answer.lower) / 2
    for decimals in MULTIPLIER_DECIMALS:
        listed, y = of.multiplier(decimals)
        size = 1.0 if of.plain else program.layout.norm(y, DUAL_NORM[program.norm])
        slack = of.value(y) - size * float(claimed)
        if slack >= reserve:
            break
    lowered = np.array(_smallest_eigenvalues(program, y)) - slack / (
        2 * program.rates.largest([1.0] * len(program.regions))
    )
    return {
        "value": claimed,
        "multiplier": listed,
        "smallest_eigenvalues": {
            name: shortest(value) for name, value in zip(program.regions, lowered, strict=True)
        },
    }


def _smallest_eigenvalues(program: Program, y: NDArray[np.float64]) -> list[float]:
    """lambda_min of A^r(y) for every region."""
    return [
        min(
            float(np.linalg.eigvalsh(program.blocks[number].combine(y))[0])
            for number in program.of_region(region)
        )
        for region in range(len(program.regions))
    ]


def _upper_bound(of: _Written, optimal: Candidate | None) -> dict[str, Any] | None:
    """The Lindbladian of least defect, with as few digits as keep that, and the defect rounded up.

    It is not the one that is nearest, whose defect is larger.
    """
    if optimal is None:
        return None
    candidate, known = optimal.lindbladian, optimal.defect
    roots = _roots(of.regions, candidate)
    traces = np.array([region.rate for region in candidate.regions])
    program = of.program
    allowance = program.uncertainty.of_defect(traces, program.layout, program.norm)
    for digits in FACTOR_DIGITS:
        rounded = [_rounded(root, digits) for root in roots]
        hamiltonians = [
            np.zeros((0, 0)) if of.plain else _within(own.hamiltonian, of.limit, digits)
            for own in candidate.regions
        ]
        upper = of.defect(rounded, hamiltonians) + allowance
        if upper <= known + allowance / 2:
            break
    columns = iter(rounded)
    return {
        "value": _outwards(max(upper, known), ROUND_CEILING),
        "candidate": {
            region.name: {
                "hamiltonian": upper_triangle(hamiltonian) if hamiltonian.any() else None,
                "kossakowski": [
                    {
                        "charge": int(group.charge),
                        "basis": list(group.labels),
                        "factors": [
                            [complex_number(value, shortest) for value in factor]
                            for factor in next(columns).T
                        ],
                    }
                    for group in region.groups
                ],
            }
            for region, hamiltonian in zip(of.regions, hamiltonians, strict=True)
        },
    }


def _roots(regions: Sequence[Region], candidate: Lindbladian) -> list[NDArray[Any]]:
    """W with Gamma = W W^dagger for every group of every region, tiny rates left out."""
    blocks = [
        dissipator.kossakowski[members, members]
        for region, dissipator in zip(regions, candidate.regions, strict=True)
        for members in _spans([group.size for group in region.groups])
    ]
    smallest = SMALLEST_RATE * max(float(np.trace(block).real) for block in blocks)
    full = [hermitian_root(block) for block in blocks]
    return [root[:, (np.abs(root) ** 2).sum(axis=0) > smallest] for root in full]


def _spans(sizes: Sequence[int]) -> list[slice]:
    ends = np.cumsum(sizes)
    return [slice(int(end) - size, int(end)) for size, end in zip(sizes, ends, strict=True)]


def _within(hamiltonian: NDArray[Any], limit: float | None, digits: int) -> NDArray[np.complex128]:
    """H_r to so many digits of its largest entry, rounded towards zero, its norm within the limit.

    Shorter entries have a smaller norm; what exceeds the limit by rounding is scaled away.
    """
    size = float(np.linalg.norm(hamiltonian))
    if limit is not None and size > limit * (1 - SMALLEST_ROOM):
        hamiltonian = hamiltonian * (limit / size * (1 - SMALLEST_ROOM))
    largest = np.abs(hamiltonian).max(initial=0.0)
    if largest == 0:
        return hamiltonian.astype(complex)
    unit = 10.0 ** (digits - 1 - int(np.floor(np.log10(largest))))
    real, imaginary = (
        np.trunc(part * unit) / unit for part in (hamiltonian.real, hamiltonian.imag)
    )
    return real + 1j * imaginary


def _rounded(root: NDArray[Any], digits: int) -> NDArray[Any]:
    """Every column to so many digits of its largest entry."""
    largest = np.abs(root).max(axis=0, initial=0.0)
    columns = [
        column.round(digits - 1 - int(np.floor(np.log10(size))))
        for column, size in zip(root.T, largest, strict=True)
    ]
    return np.array(columns).reshape(root.T.shape).T


def _trace_distance(witness: Witness, names: Sequence[str]) -> dict[str, Any]:
    def by_region(blocks: Sequence[Any]) -> dict[str, list[Any]]:
        """Of every region's name what belongs to its blocks, in their order."""
        return {
            name: [own for own, at in zip(blocks, witness.regions, strict=True) if at == region]
            for region, name in enumerate(names)
        }

    def cell(part: Cell | Cut) -> dict[str, Any]:
        if isinstance(part, Cut):
            weights = by_region([shortest(value) for value in part.weights])
            return {"cut": weights, "above": cell(part.above), "below": cell(part.below)}
        return {
            "multiplier": [shortest(value) for value in part.multiplier],
            "shifts": by_region([upper_triangle(block) for block in part.shifts]),
            "slopes": [[shortest(value) for value in row] for row in part.slopes],
        }

    return {"norm1_lower": shortest(witness.length), **cell(witness.whole)}


def _outwards(value: float, direction: str) -> str:
    """``value`` to `CLAIMED` digits, rounded so that the claim gets weaker."""
    exact = Decimal(float(value))
    return str(Context(prec=CLAIMED, rounding=direction).create_decimal(exact).normalize())


def versions(solver: str = "") -> dict[str, str]:
    """Versions of what computes the numbers of a certificate, for information."""
    packages = ("numpy", "scipy", "cvxpy", *([solver.lower()] if solver else []))
    found = {
        "lindfeas": importlib.metadata.version("lindfeas"),
        "python": platform.python_version(),
    }
    for package in packages:
        found[package] = importlib.metadata.version(package)
    return found


def write_certificate(path: str | os.PathLike[str], certificate: Mapping[str, Any]) -> Path:
    """Write a certificate file, which appears whole or not at all.

    Raises
    ------
    CertificateError
        If ``certificate`` does not have the published form.
    InputError
        If the file cannot be written.
    """
    check_certificate(certificate)
    target = Path(path)
    with pending_file(target.parent, target.name) as file:
        return file.write(certificate_text(certificate))
