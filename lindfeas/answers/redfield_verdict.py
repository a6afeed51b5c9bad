"""How far the Redfield equation itself is from a Lindblad equation, and which one is nearest.

Written out, the generator of `lindfeas.physics.equations.redfield` is (for every coupling, index l
left out)

    L2(rho) = K rho + rho K^dag + S^D rho S^dag + S rho S^D^dag + S^C^dag rho S + S^dag rho S^C,
    K = - S^dag S^D - S S^C^dag.

Its sandwich terms are sum_mn M_mn V_m rho V_n^dag for V = (S^D, S, S^C^dag, S^dag) and M = 1 on the
pairs (S^D, S) and (S^C^dag, S^dag). With V_m = (tr V_m/d) 1 + V~_m, the Kossakowski matrix in any
orthonormal traceless basis F_i is c = v M v^dag, v_im = tr(F_i^dag V_m): all but 4 eigenvalues per
coupling are zero, and L2 is of GKSL form exactly if none is negative (Gorini, Kossakowski and
Sudarshan, J. Math. Phys. 17, 821 (1976), Theorem 2.2). For one pair with a = ||V~_1||^2,
b = ||V~_2||^2, c = tr(V~_2^dag V~_1) the two eigenvalues are Re c +- sqrt(a b - (Im c)^2): one is
negative unless S^D is a multiple of S.

With B = sum_ij c_ij F_j^dag F_i and ~ for traceless parts, every generator A = (H, c) has

    ||A||_HS^2 = ||c||_F^2 + (tr c)^2 + 2 d ||H~||_F^2 + (d/2) ||B~||_F^2,

so that distances never need d^2 x d^2 matrices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.answers.candidate import lindbladian
from lindfeas.answers.enclosure import enclose
from lindfeas.errors import SolverError, require
from lindfeas.physics.equations.generator import (
    RedfieldGenerator,
    redfield_generator,
    traceless_part,
    triangular_factor,
)
from lindfeas.physics.equations.lindbladian import Lindbladian
from lindfeas.physics.equations.operator_basis import Region, regions_of
from lindfeas.physics.equations.redfield import Redfield, redfield_equation
from lindfeas.physics.equations.reference_state import transform_errors
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.physics.systems.sites import partial_trace
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF
from lindfeas.program.ansatz import Ansatz
from lindfeas.program.bounds import Interval
from lindfeas.program.hermitian import Layout, hermitian_coordinates, hermitian_matrix
from lindfeas.program.program import GammaBlock, Program, ShiftDirections
from lindfeas.program.question import Question, require_question
from lindfeas.program.rates import Rates
from lindfeas.program.rounding import (
    SAFETY,
    HamiltonianUncertainty,
    RateUncertainty,
    Uncertainty,
)
from lindfeas.solvers.catalogue import usable_solvers

LARGEST = 2000
"""The nearest Lindbladian is not searched for among more real parameters than this."""

NEGATIVE = 1e-12
"""Kossakowski eigenvalues above minus this fraction of the largest are zero up to rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RedfieldVerdict:
    """How far the Redfield generator is from GKSL form, and the nearest one that is allowed.

    Parameters
    ----------
    generator
        L2 in the form that shows its Kossakowski matrix.
    eigenvalues
        Its nonzero Kossakowski eigenvalues, largest first (rate unit).
    distance
        Certified bounds on min ||L2 - L'||_HS over the allowed L'; None if not searched for.
    relative_distance
        The same in units of ||L2||_HS.
    nearest
        The L' that attains the upper one.
    population_defect
        sum_a |<a|L'[rho0]|a>| of it (SDP-paper Eq. 28).
    coherence_defect
        Spectral norm of L'[rho0] - L2[rho0] (SDP-paper Eq. 32).
    reason
        Why there is no ``nearest``, else None.
    """

    generator: RedfieldGenerator = field(repr=False)
    eigenvalues: NDArray[np.float64]
    distance: Interval | None = None
    relative_distance: Interval | None = None
    nearest: Lindbladian | None = None
    population_defect: float | None = None
    coherence_defect: float | None = None
    reason: str | None = None

    @property
    def most_negative(self) -> float:
        """The smallest Kossakowski eigenvalue, 0 if none is negative."""
        return min(0.0, float(self.eigenvalues.min(initial=0.0)))

    @property
    def is_lindblad(self) -> bool:
        """Whether L2 is of GKSL form, up to rounding."""
        return -self.most_negative <= NEGATIVE * float(np.abs(self.eigenvalues).max(initial=0.0))

    @property
    def negative_fraction(self) -> float:
        """Sum of the negative eigenvalues, over the trace: 0 for a Lindblad equation."""
        negative = float(np.minimum(self.eigenvalues, 0.0).sum())
        return negative / self.generator.trace if negative else 0.0

    @property
    def distance_to_any(self) -> float:
        """At least how far every Lindbladian is, local or not: the norm of c's negative part."""
        return float(np.linalg.norm(np.minimum(self.eigenvalues, 0.0)))

    def __repr__(self) -> str:
        parts = ["of GKSL form"]
        if not self.is_lindblad:
            parts = [
                f"not of GKSL form: most negative Kossakowski eigenvalue {self.most_negative:.4g}",
                f"negative ones {100 * self.negative_fraction:.3g} % of the trace",
            ]
        if self.distance is None or self.relative_distance is None:
            parts.append(f"nearest local Lindbladian not searched for: {self.reason}")
        else:
            parts += [
                f"nearest local Lindbladian at {self.distance.lower:.6g} to "
                f"{self.distance.upper:.6g}, {100 * self.relative_distance.upper:.3g} % of ||L2||",
                f"its defect {self.population_defect:.4g} for populations, "
                f"{self.coherence_defect:.4g} with coherences",
            ]
        return f"RedfieldVerdict({'; '.join(parts)})"


def redfield_verdict(
    question: Question, *, rates: Rates | None = None, solver: str | None = None
) -> RedfieldVerdict:
    """Is the Redfield equation a Lindblad equation, and which allowed one is nearest to it?

    Parameters
    ----------
    question
        The system, and whether local Hamiltonians are allowed; its target plays no role.
    rates
        The rate rule for the nearest Lindbladian; by default its rates are free. (They are
        bounded all the same: nothing with tr Gamma > tr c + ||L2|| is nearer than L' = 0.)
    solver
        See `lindfeas.certify`.

    Returns
    -------
    RedfieldVerdict

    Raises
    ------
    InputError
        If the Redfield equation of this system is not defined, or has no unique steady state.

    Examples
    --------
    >>> import lindfeas as lf
    >>> from lindfeas.answers.redfield_verdict import redfield_verdict
    >>> bath = lf.Bath(name="bath", sites=(0,), beta=1.0)
    >>> pair = lf.models.xxz_chain(sites=2, coupling=0.1, baths=[bath])
    >>> redfield_verdict(lf.Question(system=pair)).is_lindblad
    False
    """
    require_question(question)
    if rates is not None:
        require(rates, Rates, "rates", "give Rates.each, Rates.total or Rates.range")
        rates.check_regions(len(question.system.baths))
    reference = redfield_equation(question.system)
    generator = redfield_generator(reference)
    eigenvalues = generator.kossakowski_eigenvalues
    count = _parameters(question.system)
    if count > LARGEST:
        reason = f"{count} real parameters are more than {LARGEST}"
        return RedfieldVerdict(generator=generator, eigenvalues=eigenvalues, reason=reason)
    allowed = regions_of(question.system, reference.spectrum)
    if rates is None:
        rates = Rates.range(0.0, generator.trace + generator.norm)
    ansatz = Ansatz(
        regions=allowed, rates=rates.bounds(len(allowed)), lamb_shift=question.lamb_shift
    )
    program = nearest_program(generator, reference, ansatz)
    enclosure = enclose(program, usable_solvers(solver))
    if enclosure.point is None:
        raise SolverError("no solver returned a usable solution")
    nearest = lindbladian(program, enclosure.point, reference, allowed)
    vectors = reference.spectrum.vectors
    state = (vectors * reference.populations) @ vectors.conj().T
    action = vectors.conj().T @ nearest.apply(state) @ vectors
    return RedfieldVerdict(
        generator=generator,
        eigenvalues=eigenvalues,
        distance=enclosure.interval,
        relative_distance=Interval(
            enclosure.interval.lower / generator.norm, enclosure.interval.upper / generator.norm
        ),
        nearest=nearest,
        population_defect=float(np.abs(np.diag(action).real).sum()),
        coherence_defect=float(np.linalg.norm(action - reference.coherence_source, 2)),
    )


def nearest_program(generator: RedfieldGenerator, reference: Redfield, ansatz: Ansatz) -> Program:
    """min ||L2 - L'||_HS over the ansatz, as a program with hardly more rows than parameters.

    The operators F_i of all regions are orthonormal, so the Kossakowski matrix of L2 enters by
    its local diagonal blocks, H and B by their local parts. One row holds the norm of all that
    is out of reach. The best H_r is the local part of H: one row per region, along it.
    """
    regions = ansatz.regions
    parts = _local_parts(generator, regions)
    shifts = [part for part in parts if ansatz.lamb_shift and part.shift_norm > 0]
    rows = [row for part in parts for row in (*part.kossakowski_rows(), part.loss_rows())]
    everything = {n: np.eye(size)[None] for part in parts for n, size in part.blocks}
    rows.append(_Rows(offset=np.array([-generator.trace]), coefficients=everything))
    rows.append(_constant([_out_of_reach(generator, parts, ansatz.lamb_shift)]))
    rows.append(_constant([-part.shift_weight * part.shift_norm for part in shifts]))
    offset = np.concatenate([row.offset for row in rows])
    groups = [(number, group) for number, region in enumerate(regions) for group in region.groups]
    blocks = tuple(
        GammaBlock(region=region, charge=group.charge, rows=_stacked(rows, number, group.size))
        for number, (region, group) in enumerate(groups)
    )
    count = len(shifts)
    return Program(
        offset=offset,
        blocks=blocks,
        shifts=ShiftDirections(
            basis=tuple((part.number, part.shift / part.shift_norm) for part in shifts),
            columns=np.eye(len(offset))[:, len(offset) - count :]
            * np.array([part.shift_weight for part in shifts]),
            limit=2 * max((part.shift_norm for part in shifts), default=0.0),
            scale=max((part.shift_weight for part in shifts), default=0.0),
        ),
        regions=tuple(region.name for region in regions),
        rates=ansatz.rates,
        layout=Layout(sizes=(1,) * len(offset)),
        norm="frobenius",
        uncertainty=_uncertainty(generator, reference, regions, blocks, shifts),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """offset + <A, Gamma_b>, with A of shape (rows, n, n) for the blocks b that enter."""

    offset: NDArray[np.float64]
    coefficients: dict[int, NDArray[Any]]


def _constant(values: Sequence[float]) -> _Rows:
    return _Rows(offset=np.array(values, dtype=float), coefficients={})


def _stacked(rows: Sequence[_Rows], block: int, size: int) -> NDArray[Any]:
    """A of one block for all rows, shape (rows, n, n); real where nothing is imaginary."""
    stack = np.concatenate(
        [r.coefficients.get(block, np.zeros((r.offset.size, size, size))) for r in rows]
    )
    return stack if np.iscomplexobj(stack) and stack.imag.any() else stack.real.copy()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _LocalPart:
    """What of L2 one region's Lindbladian can reach.

    Parameters
    ----------
    number, region, ratio
        Which region, and d/d_r.
    first
        Number of its first Kossakowski block.
    components
        v_im = tr(F_i^dag V_m), shape (d_r^2 - 1, m).
    kossakowski
        Its diagonal block of c, transposed: the Gamma that it would be.
    shift, loss
        The X on the region for which X (x) 1 is nearest to H and to B~, traceless, (d_r, d_r).
    """

    number: int
    region: Region
    ratio: float
    first: int
    components: NDArray[np.complex128]
    kossakowski: NDArray[np.complex128]
    shift: NDArray[np.complex128]
    loss: NDArray[np.complex128]

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """(number, order) of its Kossakowski blocks."""
        return [(self.first + k, group.size) for k, group in enumerate(self.region.groups)]

    @property
    def shift_norm(self) -> float:
        return float(np.linalg.norm(self.shift))

    @property
    def shift_weight(self) -> float:
        """||i[., X (x) 1]||_HS / ||X||_F = sqrt(2 d d/d_r) for traceless X."""
        return math.sqrt(2 * self.region.dimension) * self.ratio

    def kossakowski_rows(self) -> list[_Rows]:
        """Coordinates of Gamma_b minus the block of L2, for every group."""
        found, start = [], 0
        is_complex = bool(self.kossakowski.imag.any())
        for number, size in self.blocks:
            wanted = self.kossakowski[start : start + size, start : start + size]
            offset = -hermitian_coordinates(wanted, is_complex).real
            units = [hermitian_matrix(unit, size, is_complex).T for unit in np.eye(offset.size)]
            found.append(_Rows(offset=offset, coefficients={number: np.array(units)}))
            start += size
        return found

    def loss_rows(self) -> _Rows:
        """Coordinates of B~(Gamma) - B~, times sqrt(d/2); F_i^dag F_j = f_i^dag f_j d_r/d."""
        scale = math.sqrt(self.region.dimension / 2)
        coefficients = {}
        is_complex = bool(self.loss.imag.any())
        for (number, size), group in zip(self.blocks, self.region.groups, strict=True):
            products = np.einsum("iba,jbc->ijac", group.local.conj(), group.local)
            rows = hermitian_coordinates(traceless_part(products), is_complex)
            coefficients[number] = scale * rows.reshape(size, size, -1).transpose(2, 0, 1)
        wanted = hermitian_coordinates(self.loss, is_complex).real
        return _Rows(offset=-scale * self.ratio * wanted, coefficients=coefficients)


def _local_parts(generator: RedfieldGenerator, regions: tuple[Region, ...]) -> list[_LocalPart]:
    parts, first = [], 0
    for number, region in enumerate(regions):
        ratio = generator.dimension / region.dimension
        reduced = _reduced(generator.operators, region, generator.system)
        components = np.einsum("iab,mab->im", region.basis.conj(), reduced) * math.sqrt(ratio)
        kossakowski = components @ generator.weights @ components.conj().T
        shift, loss = _reduced(
            np.array([generator.lamb_shift, generator.loss]), region, generator.system
        )
        parts.append(
            _LocalPart(
                number=number,
                region=region,
                ratio=ratio,
                first=first,
                components=components,
                kossakowski=kossakowski.T,
                shift=shift,
                loss=loss,
            )
        )
        first += len(region.groups)
    return parts


def _reduced(stack: NDArray[Any], region: Region, system: OpenSystem) -> NDArray[Any]:
    """The traceless X on the region for which X (x) 1 is nearest, for every matrix of a stack."""
    ratio = system.dimension / region.dimension
    traced = [partial_trace(m, region.sites, system.dimensions) / ratio for m in stack]
    return traceless_part(np.array(traced))


def _out_of_reach(
    generator: RedfieldGenerator, parts: Sequence[_LocalPart], lamb_shift: bool
) -> float:
    """||.||_HS of what no Lindbladian of the ansatz can change about L2.

    Kossakowski blocks between regions and outside them, and the parts of H and B~ that are not
    sums of local ones; every part is subtracted before its norm is taken.
    """
    system, size = generator.system, generator.dimension
    others, shift, loss = generator.operators, generator.lamb_shift, traceless_part(generator.loss)
    for part in parts:
        for number, operator in enumerate(_reduced(others, part.region, system)):
            others = others.copy()
            others[number] -= system.embed(operator, part.region.sites).toarray()
        if lamb_shift:
            shift = shift - system.embed(part.shift, part.region.sites).toarray()
        loss = loss - system.embed(part.loss, part.region.sites).toarray()
    factors = [*(np.linalg.qr(part.components)[1] for part in parts), triangular_factor(others)]
    missed = [
        float(np.linalg.norm(left @ generator.weights @ right.conj().T))
        for m, left in enumerate(factors)
        for n, right in enumerate(factors)
        if m != n or m == len(parts)
    ]
    missed.append(math.sqrt(2 * size) * float(np.linalg.norm(shift)))
    missed.append(math.sqrt(size / 2) * float(np.linalg.norm(loss)))
    return math.hypot(*missed)


def _parameters(system: OpenSystem) -> int:
    """Real parameters of all Kossakowski blocks: pairs of operators of equal charge."""
    total = 0
    for bath in system.baths:
        charges = system.region_charges(bath)
        carried = np.subtract.outer(charges, charges)
        counts = np.unique(carried, return_counts=True)[1]
        total += int((counts**2).sum())
    return total


def _uncertainty(
    generator: RedfieldGenerator,
    reference: Redfield,
    regions: tuple[Region, ...],
    blocks: Sequence[GammaBlock],
    shifts: Sequence[_LocalPart],
) -> Uncertainty:
    """The coefficients of Gamma are exact numbers; L2 has the errors of the bath functions."""
    rows = len(blocks[0].rows)
    parts = tuple(
        RateUncertainty(
            pair=np.zeros((0, 0)),
            row=SAFETY * region.dimension**2 * UNIT_ROUNDOFF * _largest(blocks, number),
            whole=0.0,
        )
        for number, region in enumerate(regions)
    )
    # the multiplier's largest entry multiplies it, and its Euclidean norm is at most sqrt(rows)
    action = SAFETY * math.sqrt(rows) * _generator_error(generator, reference)
    weight = max((part.shift_weight for part in shifts), default=0.0)
    return Uncertainty(
        regions=parts,
        action=action,
        hamiltonian=HamiltonianUncertainty(product=SAFETY * rows * UNIT_ROUNDOFF * weight),
    )


def _largest(blocks: Sequence[GammaBlock], region: int) -> NDArray[np.float64]:
    sizes = [np.abs(b.rows).max(axis=(1, 2)) for b in blocks if b.region == region]
    largest: NDArray[np.float64] = np.max(sizes, axis=0)
    return largest


def _generator_error(generator: RedfieldGenerator, reference: Redfield) -> float:
    """||delta L2||_HS: an error of S^C or S^D counts at most 4 sqrt(d) ||S|| ||delta S^C||_F."""
    spectrum = reference.spectrum
    angle = float(np.linalg.norm(spectrum.rotation_angles(), 2))
    error = (2 * angle + spectrum.dimension * UNIT_ROUNDOFF) * generator.norm
    for coupling in reference.couplings:
        strength = 4 * math.sqrt(spectrum.dimension) * float(np.linalg.norm(coupling.matrix, 2))
        for part, wrong in zip(coupling.half_sided, transform_errors(coupling), strict=True):
            error += strength * float(np.linalg.norm(wrong + 2 * angle * np.abs(part)))
    return error
