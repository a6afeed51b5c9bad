"""One answer of lindfeas against the dense reference: every number in it, with 60 digits."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from tests import reference_program as program
from tests.bath_integrals import UndefinedError
from tests.decimal_matrices import Matrix, dagger
from tests.dense_reference import Reference
from tests.dense_regions import dissipator_tensor, hermitian_basis, mended_basis
from tests.system_data import Asked

POPULATIONS = 1e-10
"""Largest error of a population, absolute."""

RATES = (1e-9, 1e-12)
"""Largest error of a rate: relative to itself, and to the largest rate."""

ACTION = (1e-9, 1e-12)
"""Largest error of L2[rho0] (Frobenius): relative, and in units of the largest rate."""

COHERENCES = (1e-9, 1e-14)
"""Largest relative error of rho2: a constant, and this times spectrum over the smallest gap."""

DISTANCES = (1e-6, 1e-9)
"""Largest error of a T that lindfeas computes: relative, absolute."""

TRACES = 1e-9
"""Largest relative violation of the rate rule by a candidate, and of its positivity."""

WIDE = Decimal("1e-4")
"""How far an upper end may be above the trivial defect, as a fraction of it."""

KNOWN = 1e-2
"""Trace distance up to which rounding leaves a state known."""

SAMPLES = 24
"""Random Lindbladians that try to beat a bound on T."""

Contradiction = tuple[str, str]


@dataclass(slots=True)
class Comparison:
    """Numbers for the report, and what contradicts the reference."""

    numbers: dict[str, Any] = field(default_factory=dict)
    contradictions: list[Contradiction] = field(default_factory=list)


def compared(truth: Reference, asked: Asked, answer: Any, *, seed: int, first: bool) -> Comparison:
    """Everything that an answer says, against the reference.

    Parameters
    ----------
    first
        Whether to compare what does not depend on the question, too.

    Raises
    ------
    UndefinedError
        If the question has no answer.
    """
    if not asked.plain:
        assert truth.action is not None
    found = Comparison()
    if first:
        found.contradictions += _steady_state(truth, answer.reference)
    if not asked.plain:
        found.contradictions += _redfield_action(truth, answer.reference)
    found.contradictions += _interval(truth, asked, answer, found.numbers, seed)
    if answer.candidate is not None:
        found.contradictions += _candidate(truth, asked, answer, found.numbers)
    found.contradictions += _unbeaten(truth, asked, answer, seed)
    return found


def _steady_state(truth: Reference, claimed: Any) -> Iterator[Contradiction]:
    """Populations and rates, level by level."""
    exact = truth.populations.astype(float)
    error = np.abs(claimed.populations - exact).max()
    if not error <= POPULATIONS:
        yield "populations", f"off by {error:.3g}"
    rates = truth.rates.astype(float)
    allowed = RATES[0] * rates + RATES[1] * rates.max()
    difference = np.abs(claimed.transition_rates - rates)
    if not (difference <= allowed).all():
        where = np.unravel_index(np.argmax(difference - allowed), rates.shape)
        yield "rates", f"{claimed.transition_rates[where]:.12g} for {rates[where]:.12g}"


def _redfield_action(truth: Reference, claimed: Any) -> Iterator[Contradiction]:
    """L2[rho0] and rho2, in the product basis."""
    vectors = claimed.spectrum.vectors
    wanted = truth.action.numpy()
    found = vectors @ claimed.coherence_source @ vectors.conj().T
    error = np.linalg.norm(found - wanted)
    size, unit = np.linalg.norm(wanted), float(truth.rates.max())
    if not error <= ACTION[0] * size + ACTION[1] * unit:
        yield "L2", f"error {error:.3g}, norm {size:.3g}, largest rate {unit:.3g}"
    wanted = truth.coherences.numpy()
    found = vectors @ claimed.coherences @ vectors.conj().T
    error, size = np.linalg.norm(found - wanted), np.linalg.norm(wanted)
    # what the rounding of L2 in units of the largest rate may become over the smallest gap
    spread = _spread(truth)
    floor = ACTION[1] * unit / float(truth.width) * spread
    if not error <= (COHERENCES[0] + COHERENCES[1] * spread) * size + floor:
        yield "rho2", f"error {error:.3g}, norm {size:.3g}"


def _spread(truth: Reference) -> float:
    """Width of the spectrum over its smallest spacing."""
    values = sorted(truth.energies)
    gaps = [b - a for a, b in itertools.pairwise(values) if b > a]
    return float(truth.width / min(gaps)) if gaps else 1.0


def _interval(
    truth: Reference, asked: Asked, answer: Any, numbers: dict[str, Any], seed: int
) -> Iterator[Contradiction]:
    """Both ends against feasible points and dual values of the reference."""
    lower, upper = answer.lower, answer.upper
    if not (math.isfinite(lower) and math.isfinite(upper) and lower <= upper):
        yield "interval", f"[{lower}, {upper}]"
        return
    trivial, scale, highest = trivial_defects(truth, asked)
    numbers["trivial"] = float(scale)
    numbers["width"] = (upper - lower) / max(upper, 1e-6 * float(scale), 1e-300)
    numbers["width_at_highest"] = (upper - lower) / max(upper, 1e-6 * float(highest), 1e-300)
    best, least = trivial, Decimal(0)
    if program.is_small(truth, asked):
        optimum = program.optimum(truth, asked, seed)
        best, least = min(best, optimum.upper), optimum.lower
        numbers["reference"] = [float(least), float(best)]
    if best < Decimal(lower):
        yield "lower end", f"{lower!r} > {float(best)!r} of an allowed Lindbladian"
    if least > Decimal(upper):
        yield "upper end", f"{upper!r} < {float(least)!r}, which no Lindbladian is below"
    # where the state itself is not known, what some Gamma does to it is not either
    known = answer.setting.population_distance < KNOWN
    if known and Decimal(upper) > trivial * (1 + WIDE) + scale / 10**6:
        yield "trivial", f"upper {upper!r}, but Gamma ~ 1 has {float(trivial)!r}"
    if asked.plain and lower > 0:
        y = np.array([Decimal(float(v)) for v in np.clip(answer.multiplier, -1, 1)], dtype=object)
        value = truth.dual_value(truth.in_product_basis(y), asked)
        if value < Decimal(lower):
            yield "multiplier", f"lower {lower!r}, but its multiplier gives {float(value)!r}"


def trivial_defects(truth: Reference, asked: Asked) -> tuple[Decimal, Decimal, Decimal]:
    """The least defect of some multiples of 1, and that of the rule's multiple, without H_r.

    For ``range`` two of them count as the rule's: the largest golden-rule rate, as far as it is
    allowed, and the highest rate that is.
    """
    largest = truth.rates.max()
    middle = tuple(
        min(max(largest, Decimal(low)), Decimal(high))
        for low, high in zip(asked.rule.low, asked.rule.high, strict=True)
    )
    found = []
    for traces in (middle, asked.rule.low, asked.rule.high):
        tensors = []
        for region, trace in zip(truth.regions, traces, strict=True):
            share = Decimal(trace) / (region.levels**2 - 1)
            if asked.rule.name == "total":
                share /= len(traces)
            basis = hermitian_basis(region.levels)
            tensors.append(basis.T @ basis.conj() * share)
        found.append(truth.defect(truth.change(tensors), asked))
        if asked.rule.name != "range":
            break
    return min(found), found[0], found[-1]


def _candidate(
    truth: Reference, asked: Asked, answer: Any, numbers: dict[str, Any]
) -> Iterator[Contradiction]:
    """The candidate is allowed, its defect is inside the interval, its steady state as stated."""
    regions = answer.candidate.regions
    yield from _allowed(asked, regions)
    tensors = tensors_of(regions, asked)
    free = [region.hamiltonian for region in regions] if asked.hamiltonian_limit else []
    defect = truth.defect(truth.change(tensors, free), asked)
    numbers["defect"] = float(defect)
    if defect > Decimal(answer.candidate_defect):
        stated = answer.candidate_defect
        yield "defect", f"{float(defect)!r} of the candidate, stated as {stated!r}"
    if answer.candidate_defect < answer.upper:
        yield "interval", f"upper {answer.upper!r}, candidate {answer.candidate_defect!r}"
    if defect < Decimal(answer.lower):
        yield "defect", f"{float(defect)!r} of the candidate < lower {answer.lower!r}"
    yield from _steady_populations(truth, asked, answer, tensors)


def _allowed(asked: Asked, regions: Any) -> Iterator[Contradiction]:
    traces = []
    for region in regions:
        values = np.linalg.eigvalsh(region.kossakowski)
        trace = float(np.trace(region.kossakowski).real)
        traces.append(trace)
        if values[0] < -TRACES * max(trace, 1e-300):
            yield "candidate", f"Gamma of {region.name} has an eigenvalue {values[0]:.3g}"
        if asked.hamiltonian_limit is not None:
            local = region.hamiltonian - np.eye(region.dimension) * (
                np.trace(region.hamiltonian) / region.dimension
            )
            length = np.linalg.norm(local)
            if length > float(asked.hamiltonian_limit) * (1 + TRACES):
                yield "candidate", f"||H|| of {region.name} is {length:.6g}"
    if asked.rule.name == "total":
        traces, low, high = [sum(traces)], asked.rule.low[:1], asked.rule.high[:1]
    else:
        low, high = asked.rule.low, asked.rule.high
    for trace, a, b in zip(traces, low, high, strict=True):
        if not a * (1 - TRACES) - TRACES * b * 1e-3 <= trace <= b * (1 + TRACES):
            yield "candidate", f"trace {trace!r}, allowed from {a} to {b}"


def tensors_of(regions: Any, asked: Asked) -> list[Matrix]:
    """The dissipators of a candidate, its traces exactly those of the rate rule."""
    gammas = [Matrix.of((r.kossakowski + r.kossakowski.conj().T) / 2) for r in regions]
    traces = [gamma.trace() for gamma in gammas]
    factors = [Decimal(1)] * len(traces)
    if asked.rule.name == "total":
        factors = [Decimal(asked.rule.high[0]) / sum(traces)] * len(traces)
    elif asked.rule.name == "each":
        factors = [Decimal(t) / own for t, own in zip(asked.rule.high, traces, strict=True)]
    return [
        dissipator_tensor(gamma * factor, mended_basis(region.basis))
        for gamma, factor, region in zip(gammas, factors, regions, strict=True)
    ]


def _steady_populations(
    truth: Reference, asked: Asked, answer: Any, tensors: list[Matrix]
) -> Iterator[Contradiction]:
    """T of the candidate, of the nearest Lindbladian, and of the check."""
    stated = answer.trace_distance
    try:
        own = float(truth.distance(tensors))
    except (UndefinedError, ArithmeticError):
        own = None
    if own is not None and answer.candidate.populations is not None:
        shown = np.abs(answer.candidate.populations - truth.populations.astype(float)).sum() / 2
        if not _close(shown, own):
            yield "steady state", f"T of the candidate {own!r}, its populations give {shown!r}"
        limit = None if answer.check is None else answer.check.limit
        if limit is not None and abs(limit.population_error - own) > CHECKED * max(1.0, own):
            yield "check", f"limit {limit.population_error!r}, T of the candidate {own!r}"
    distances = [] if own is None else [own]
    if answer.nearest is not None:
        with contextlib.suppress(UndefinedError, ArithmeticError):
            distances.append(
                float(truth.distance(tensors_of(answer.nearest.lindbladian.regions, asked)))
            )
    if stated.upper is not None and distances:
        # the upper end counts what rounding may do to the populations, true ones and the nearest's
        least, moved = min(distances), answer.setting.population_distance
        loose = least < stated.upper <= least * (1 + LOOSE) + 2 * moved
        if not (_close(stated.upper, least) or loose):
            yield "distance", f"upper {stated.upper!r}, the Lindbladians found have {distances!r}"
    for value in distances:
        if stated.lower is not None and value < stated.lower * (1 - 1e-12):
            yield "distance", f"lower {stated.lower!r}, but one found has {value!r}"


LOOSE = 1e-2
"""How far an upper end may be above the T that it is a bound for, relative."""

CHECKED = 1e-6
"""What is promised of the steady state that the candidate is put to work for."""


def _close(one: float, two: float) -> bool:
    return abs(one - two) <= DISTANCES[0] * max(abs(one), abs(two)) + DISTANCES[1]


def _unbeaten(truth: Reference, asked: Asked, answer: Any, seed: int) -> Iterator[Contradiction]:
    """No random Lindbladian is nearer than the bound on T; suspects are computed exactly."""
    bound = answer.trace_distance.lower
    if not bound or not bound > 0:
        return
    rng = np.random.default_rng([seed, 3])
    bases = [hermitian_basis(region.levels) for region in truth.regions]
    vectors, p = truth.vectors.numpy(), truth.populations.astype(float)
    jumps = []
    for region, basis in zip(truth.regions, bases, strict=True):
        local = basis.numpy().reshape(-1, region.levels, region.levels)
        full = [vectors.conj().T @ region.embedded(f) @ vectors for f in local]
        jumps.append(np.array(full) / np.sqrt(region.rest))
    found = [answer.candidate, answer.nearest and answer.nearest.lindbladian]
    starts = [_in_basis(one, bases) for one in reversed(found) if one]
    best, nearest = np.inf, None
    for number in range(SAMPLES):
        gammas = _random_gammas(rng, asked, [len(own) for own in jumps], starts, number)
        distance = _float_distance(gammas, jumps, p)
        if distance < best:
            best, nearest = distance, gammas
            if number % 2:
                starts = [gammas, *starts[:2]]
    if nearest is not None and best < bound * (1 + 1e-9):
        allowed = program.feasible(asked, nearest)
        tensors = [dissipator_tensor(g, b) for g, b in zip(allowed, bases, strict=True)]
        distance = truth.distance(tensors)
        if distance < Decimal(bound):
            yield "beaten", f"T >= {bound!r} claimed, {float(distance)!r} found"


def _in_basis(lindbladian: Any, bases: list[Matrix]) -> list[np.ndarray]:
    """Kossakowski matrices in the reference's basis."""
    found = []
    for region, basis in zip(lindbladian.regions, bases, strict=True):
        own = region.basis.reshape(len(region.basis), -1)
        # f'_i = sum_j c_ij f_j, and Gamma -> conj(c) Gamma c^T for the dissipator to stay
        change = own @ dagger(basis.numpy())
        found.append(change.T @ region.kossakowski @ change.conj())
    return found


def _random_gammas(
    rng: np.random.Generator,
    asked: Asked,
    sizes: list[int],
    starts: list[list[np.ndarray]],
    number: int,
) -> list[np.ndarray]:
    """Random positive matrices, every other time near one that was found."""
    fresh = []
    for size in sizes:
        rank = int(rng.integers(1, size + 1))
        factor = rng.normal(size=(size, rank)) + 1j * rng.normal(size=(size, rank))
        gamma = factor @ factor.conj().T
        fresh.append(gamma / np.trace(gamma).real)
    share = 1.0
    if starts and number % 2:
        share = 10 ** rng.uniform(-5, -0.3)
        start = starts[int(rng.integers(len(starts)))]
        total = sum(np.trace(gamma).real for gamma in start)
        fresh = [(1 - share) * a / total + share * b for a, b in zip(start, fresh, strict=True)]
    return [gamma.numpy() for gamma in program.feasible(asked, _scaled(rng, asked, fresh))]


def _scaled(rng: np.random.Generator, asked: Asked, gammas: list[np.ndarray]) -> list[np.ndarray]:
    """For ``range``: traces of random size, to be cut to what is allowed."""
    if asked.rule.name != "range":
        return gammas
    size = float(asked.rule.high[0]) * 10 ** rng.uniform(-2, 0.5)
    return [gamma * size for gamma in gammas]


def _float_distance(gammas: list[np.ndarray], jumps: list[np.ndarray], p: np.ndarray) -> float:
    """T in doubles."""
    size = len(p)
    flow = np.zeros((size, size))
    for gamma, own in zip(gammas, jumps, strict=True):
        values, vectors = np.linalg.eigh(gamma)
        weights = (vectors * np.sqrt(np.maximum(values, 0))).conj().T
        flow += (np.abs(np.tensordot(weights, own, axes=1)) ** 2).sum(axis=0)
    np.fill_diagonal(flow, 0.0)
    scale = flow.max()
    if scale <= 0:
        return np.inf
    generator = (flow - np.diag(flow.sum(axis=0))) / scale
    system = np.vstack([generator, np.ones((1, size))])
    steady, *_ = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)
    return float(np.abs(steady - p).sum() / 2) if np.isfinite(steady).all() else np.inf
