"""Does the Lindblad equation that was found have the steady state that it should have?

The candidate L' is put to work: the steady state of d rho/dt = i[rho, H_S] + eps^2 L'(rho) is
solved for at several strengths eps and compared with the true one, rho0 + eps^2 rho2. With
rho = diag(p) + eps^2 c (c without diagonal), in the eigenbasis of H_S, and after division by eps^2,

    <a|L'[diag p + eps^2 c]|a> = 0,   i (E_g - E_a) c_ag + <a|L'[diag p + eps^2 c]|g> = 0,

with sum p = 1 (design of SDP-paper Eqs. 12-15). L' is taken in units of its largest entry, energies
in units of their largest difference, and c in units of the ratio: all coefficients are then of
order one, whatever the scales of L' and H_S, and small eps costs no digits; eps = 0 is the limit
itself. A candidate that respects the charge leaves the
unknowns between levels of equal charge only: sum_q n_q^2 instead of d^2.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, lu_factor, lu_solve

from lindfeas.ansatz import Group, Region, merged, regions, whole_space
from lindfeas.distance import trace_distance
from lindfeas.errors import InputError, LindfeasError, MissingExtraError, quoted, require
from lindfeas.lindbladian import Lindbladian, RegionDissipator
from lindfeas.redfield import Redfield
from lindfeas.spectrum import Sector
from lindfeas.system import finite_number, shifts

if TYPE_CHECKING:
    from lindfeas.answer import Answer

EPSILONS = (0.1, 0.03, 0.01, 0.003)

LARGEST = 3000
"""More unknowns than this are refused."""

RESOLVED = 1e-9
"""Reciprocal condition numbers below this leave the steady state undetermined.

Rounding counts by the condition number, so that errors are right to about 1e-6 in the worst case.
"""

NEUTRAL_TOLERANCE = 1e-13
"""Largest entry between charges, relative to the largest, put down to rounding."""

NO_FLOOR = 0.1
"""An error converges to zero visibly if its limit is below this fraction of its last value."""

ZERO = 1e-12
"""Errors below this are rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStateRow:
    """How far the candidate's steady state is from the true one, at one strength.

    Parameters
    ----------
    epsilon
        System-bath coupling strength; 0 for the limit.
    population_error
        T = ||diag(rho_eps) - p||_1 / 2.
    coherence_error
        ||offdiag(rho_eps)/eps^2 - rho2||_F / ||rho2||_F between levels of equal charge; None if
        the true state has no coherences there, or they are not defined.
    residual
        ||i[rho, H_S]/eps^2 + L'(rho)||_F of the solution (rate unit), at eps = 0 its limit.
    """

    epsilon: float
    population_error: float
    coherence_error: float | None
    residual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStateCheck:
    """The candidate's steady state against the true one, for falling strength.

    Solved in double precision: its errors are right to about 1e-13 where all rates are comparable,
    and to 1e-6 at worst, where the slowest hardly connect the levels.

    The exact steady state is rho0 + eps^2 rho2 + ... with corrections to the populations that
    the Redfield equation does not give, so that errors of order eps^2 count as agreement.

    Parameters
    ----------
    rows
        One per strength, in the order asked for; empty if the check was refused.
    limit
        eps -> 0, solved for directly; None if the check was refused.
    unknowns
        Size of the linear system.
    coherences_asked
        Whether the candidate was chosen for its coherences too.
    reason
        Why the check was refused, else None.
    """

    rows: tuple[SteadyStateRow, ...]
    limit: SteadyStateRow | None
    unknowns: int
    coherences_asked: bool = True
    reason: str | None = None

    @property
    def population_order(self) -> float | None:
        """k in population error ~ eps^k at small eps: 2 for agreement, 0 for a difference."""
        return _order([(row.epsilon, row.population_error) for row in self.rows])

    @property
    def coherence_order(self) -> float | None:
        """k in coherence error ~ eps^k at small eps: 2 for agreement, 0 for a difference."""
        return _order([(row.epsilon, row.coherence_error) for row in self.rows])

    @property
    def conclusion(self) -> str:
        """What the numbers say, in words."""
        if self.limit is None:
            return f"not computed: {self.reason}"
        last = min(self.rows, key=lambda row: row.epsilon)
        found = [
            _sentence(
                "populations",
                (last.epsilon, last.population_error),
                self.limit.population_error,
                self.population_order,
                "trace distance",
            )
        ]
        if last.coherence_error is not None and self.limit.coherence_error is not None:
            found.append(
                _sentence(
                    "coherences",
                    (last.epsilon, last.coherence_error),
                    self.limit.coherence_error,
                    self.coherence_order,
                    "relative to their size",
                )
                + ("" if self.coherences_asked else " (they were not asked for)")
            )
        return "; ".join(found)

    def to_list(self) -> list[dict[str, Any]] | None:
        """Rows as plain dictionaries, the limit (epsilon 0) last; None if refused."""
        if self.limit is None:
            return None
        return [asdict(row) for row in (*self.rows, self.limit)]

    def plot(self, ax: Any = None) -> Any:
        """Both errors against eps, double logarithmic, with their limits and an eps^2 slope.

        Parameters
        ----------
        ax
            Matplotlib axes to draw into; new ones by default.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            Without matplotlib.
        InputError
            If the check was refused.
        """
        if self.limit is None:
            raise InputError(f"must have been computed, but was not: {self.reason}", "check")
        try:
            from matplotlib import pyplot
        except ImportError:
            raise MissingExtraError("matplotlib", "plot", "SteadyStateCheck.plot()") from None
        if ax is None:
            ax = pyplot.subplots(figsize=(5.5, 4.0), layout="constrained")[1]
        _draw(ax, self.rows, self.limit)
        return ax


def steady_state_check(answer: Answer, epsilons: Sequence[float] = EPSILONS) -> SteadyStateCheck:
    """The steady state of i[., H_S] + eps^2 L' for the answer's candidate L'.

    Parameters
    ----------
    answer
        What `lindfeas.certify` returned.
    epsilons
        Coupling strengths, each > 0.

    Returns
    -------
    SteadyStateCheck
        With a ``reason`` and no rows where it cannot be computed.

    Examples
    --------
    >>> import lindfeas as lf
    >>> from lindfeas.dynamics import steady_state_check
    >>> bath = lf.Bath(name="bath", sites=(0, 1), beta=1.0)
    >>> pair = lf.models.xxz_chain(sites=2, coupling=0.1, baths=[bath])
    >>> check = steady_state_check(lf.certify(lf.Question(system=pair)))
    >>> check.limit.population_error < 1e-6
    True
    """
    if not all(hasattr(answer, name) for name in ("candidate", "reference", "target")):
        raise InputError(f"must be what lf.certify returns, but is {quoted(answer)}", "answer")
    if answer.candidate is None:
        return _refused(0, "no Lindbladian was found")
    return check_candidate(
        answer.candidate,
        answer.reference,
        epsilons,
        coherences_asked=answer.target != "populations",
    )


def check_candidate(
    candidate: Lindbladian,
    reference: Redfield,
    epsilons: Sequence[float] = EPSILONS,
    *,
    ansatz: tuple[Region, ...] | None = None,
    coherences_asked: bool = True,
    largest: int = LARGEST,
) -> SteadyStateCheck:
    """`steady_state_check` of any Lindbladian of this system.

    Parameters
    ----------
    candidate, reference
        The Lindbladian, and the Redfield equation with the true state.
    epsilons
        Coupling strengths, each > 0.
    ansatz
        The regions' operators in the eigenbasis, if they are at hand.
    coherences_asked
        Whether the Lindbladian should have the true coherences too.
    largest
        Refuse more unknowns than this.

    Raises
    ------
    InputError
        If a strength is not > 0.
    """
    require(candidate, Lindbladian, "candidate")
    require(reference, Redfield, "reference", "give lf.redfield_equation(system)")
    epsilons = _strengths(epsilons)
    if not len(epsilons):
        raise InputError("must hold at least one strength, but is empty", "epsilons")
    sectors = _sectors(candidate, reference)
    unknowns = sum(sector.states.size**2 for sector in sectors)
    if unknowns > largest:
        return _refused(unknowns, f"{unknowns} unknowns are more than {largest}")
    try:
        truth = _truth(reference)
    except LindfeasError as error:
        return _refused(unknowns, f"the true state is not known: {error}")
    ansatz = regions(reference.system, reference.spectrum) if ansatz is None else ansatz
    equations = _equations(candidate, reference, ansatz, sectors)
    rows = []
    for epsilon in (*epsilons, 0.0):
        state = equations.steady_state(epsilon)
        if state is None:
            return _refused(
                unknowns, f"the steady state cannot be told from others at eps = {epsilon:g}"
            )
        rows.append(_row(epsilon, state, equations, truth))
    return SteadyStateCheck(
        rows=tuple(rows[:-1]),
        limit=rows[-1],
        unknowns=unknowns,
        coherences_asked=coherences_asked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Equations:
    """(A0 + eps^2 (rate/energy) A1) x = 0 for x = (p, Re c', Im c'), for pairs of levels a < g.

    The rows are in the same order; the rows of p add up to zero. ``rate`` and ``energy`` are the
    units of L' and H_S, and c = c' rate/energy.
    """

    constant: NDArray[np.float64]
    quadratic: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    dimension: int
    rate: float
    energy: float

    def matrix(self, epsilon: float) -> NDArray[np.float64]:
        return self.constant + epsilon**2 * (self.rate / self.energy) * self.quadratic

    def steady_state(self, epsilon: float) -> NDArray[np.float64] | None:
        """The x with sum p = 1, or None if there is more than one.

        s (sum p) = s is added to every population row: their sum then says sum p = 1, and each
        of them what it said before.
        """
        d = self.dimension
        system = self.matrix(epsilon)
        scale = float(np.abs(np.diag(system)[:d]).max(initial=0.0))
        if scale == 0.0:
            return None
        system[:d, :d] += scale / d
        wanted = np.zeros(len(system))
        wanted[:d] = scale / d
        sizes = np.abs(system).max(axis=1)
        if not sizes.all():
            return None
        system /= sizes[:, None]
        factors = lu_factor(system, check_finite=False)
        norm = float(np.abs(system).sum(axis=0).max())
        if not lapack.dgecon(factors[0], norm)[0] > RESOLVED:
            return None
        target = wanted / sizes
        solution: NDArray[np.float64] = lu_solve(factors, target)
        solution += lu_solve(factors, target - system @ solution)
        return solution

    def coherences(self, state: NDArray[np.float64]) -> NDArray[np.complex128]:
        """c_ag for all pairs a < g."""
        pairs = len(self.first)
        real, imaginary = np.split(state[self.dimension :], [pairs])
        result: NDArray[np.complex128] = real + 1j * imaginary
        result *= self.rate / self.energy
        return result

    def residual(self, epsilon: float, state: NDArray[np.float64]) -> float:
        """Frobenius norm of what the state leaves over; every pair stands for two entries."""
        left = self.matrix(epsilon) @ state
        left[self.dimension :] *= np.sqrt(2)
        return self.rate * float(np.linalg.norm(left))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    populations: NDArray[np.float64]
    coherences: NDArray[np.complex128] | None


def _truth(reference: Redfield) -> _Truth:
    populations = reference.populations
    try:
        coherences = reference.coherences
    except LindfeasError:
        return _Truth(populations=populations, coherences=None)
    return _Truth(populations=populations, coherences=coherences)


def _row(
    epsilon: float, state: NDArray[np.float64], equations: _Equations, truth: _Truth
) -> SteadyStateRow:
    error = None
    if truth.coherences is not None:
        true = truth.coherences[equations.first, equations.second]
        size = float(np.linalg.norm(true))
        if size > 0:
            error = float(np.linalg.norm(equations.coherences(state) - true)) / size
    return SteadyStateRow(
        epsilon=epsilon,
        population_error=trace_distance(state[: equations.dimension], truth.populations),
        coherence_error=error,
        residual=equations.residual(epsilon, state),
    )


def _strengths(epsilons: Any) -> tuple[float, ...]:
    try:
        several = tuple(epsilons)
    except TypeError:
        raise InputError(f"must list numbers, but is {quoted(epsilons)}", "epsilons") from None
    for epsilon in several:
        if not finite_number(epsilon, "epsilons") > 0:
            raise InputError(f"must be > 0, but holds {quoted(epsilon)}", "epsilons")
    return tuple(map(float, several))


def _refused(unknowns: int, reason: str) -> SteadyStateCheck:
    return SteadyStateCheck(rows=(), limit=None, unknowns=unknowns, reason=reason)


def _sectors(candidate: Lindbladian, reference: Redfield) -> tuple[Sector, ...]:
    """Blocks of the state that the candidate does not mix: by charge if it respects it."""
    baths = reference.system.baths
    for region, bath in zip(candidate.regions, baths, strict=True):
        charges = reference.system.region_charges(bath)
        if not _is_neutral(region, charges):
            return (whole_space(reference.spectrum),)
    return reference.spectrum.sectors


def _is_neutral(region: RegionDissipator, charges: NDArray[np.int64]) -> bool:
    """Whether H_r has charge 0, and Gamma connects operators of equal charge only."""
    carried = [next(iter(shifts(operator, charges))) for operator in region.basis]
    return _is_block_diagonal(region.hamiltonian, charges) and _is_block_diagonal(
        region.kossakowski, np.array(carried)
    )


def _is_block_diagonal(matrix: NDArray[Any], labels: NDArray[np.int64]) -> bool:
    apart = np.not_equal.outer(labels, labels)
    size = np.abs(matrix)
    outside = size[apart].max(initial=0.0)
    return bool(outside <= NEUTRAL_TOLERANCE * size.max(initial=0.0))


def _equations(
    candidate: Lindbladian,
    reference: Redfield,
    ansatz: tuple[Region, ...],
    sectors: tuple[Sector, ...],
) -> _Equations:
    size = reference.spectrum.dimension
    level, other = _pairs(sectors)
    full = _superoperator(candidate, reference, ansatz, sectors)
    rate = _unit(np.abs(full))
    generator: NDArray[np.complex128] = full / rate
    diagonal = level == other
    upper = level < other
    # (g, a) stands where (a, g) would stand with rows and columns of its block exchanged
    place = {pair: number for number, pair in enumerate(zip(level, other, strict=True))}
    first, second = level[upper], other[upper]
    lower = np.array([place[pair] for pair in zip(second, first, strict=True)], dtype=int)
    columns = np.hstack(
        [
            generator[:, diagonal],
            generator[:, upper] + generator[:, lower],
            1j * (generator[:, upper] - generator[:, lower]),
        ]
    )
    rows = np.vstack([columns[diagonal].real, columns[upper].real, columns[upper].imag])
    constant, quadratic = np.zeros_like(rows), np.zeros_like(rows)
    constant[:, :size] = rows[:, :size]
    quadratic[:, size:] = rows[:, size:]
    # i (E_g - E_a) (Re c + i Im c)
    gaps = reference.spectrum.bohr[first, second]
    energy = _unit(gaps)
    gaps = gaps / energy
    real = size + np.arange(len(first))
    imaginary = real + len(first)
    constant[real, imaginary] -= gaps
    constant[imaginary, real] += gaps
    return _Equations(
        constant=constant,
        quadratic=quadratic,
        first=first,
        second=second,
        dimension=size,
        rate=rate,
        energy=energy,
    )


def _unit(values: NDArray[np.float64]) -> float:
    """The power of two below the largest absolute value, so that dividing by it rounds nothing."""
    largest = float(np.abs(values).max(initial=0.0))
    return 2.0 ** math.floor(math.log2(largest)) if largest > 0 else 1.0


def _pairs(sectors: tuple[Sector, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Levels (a, g) of every entry of the state, block after block, row by row."""
    levels = [np.arange(sector.levels.start, sector.levels.stop) for sector in sectors]
    level = [np.repeat(members, members.size) for members in levels]
    other = [np.tile(members, members.size) for members in levels]
    return np.concatenate(level), np.concatenate(other)


def _superoperator(
    candidate: Lindbladian,
    reference: Redfield,
    ansatz: tuple[Region, ...],
    sectors: tuple[Sector, ...],
) -> NDArray[np.complex128]:
    """L' as a matrix on the entries `_pairs` of the state, shape (unknowns, unknowns)."""
    sizes = [sector.states.size for sector in sectors]
    ends = np.cumsum([0, *(n * n for n in sizes)])
    spans = [slice(a, b) for a, b in itertools.pairwise(ends)]
    place = {sector.charge: number for number, sector in enumerate(sectors)}
    result = np.zeros((ends[-1], ends[-1]), dtype=complex)
    # d rho/dt = K rho + rho K^dag + sum_n L_n rho L_n^dag, K = -i H_LS - sum_n L_n^dag L_n / 2
    drift = [-1j * block for block in _shift_blocks(candidate, reference, sectors)]
    for group, gamma in _parts(candidate, reference, ansatz, sectors):
        values, vectors = np.linalg.eigh(gamma)
        weights = (vectors * np.sqrt(np.maximum(values, 0.0))).conj().T
        for final, initial, block in group.blocks:
            jumps = np.tensordot(weights, block, axes=1)
            f, i = place[final.charge], place[initial.charge]
            flat = jumps.reshape(len(jumps), -1)
            gain = (flat.T @ flat.conj()).reshape(sizes[f], sizes[i], sizes[f], sizes[i])
            result[spans[f], spans[i]] += gain.transpose(0, 2, 1, 3).reshape(
                sizes[f] ** 2, sizes[i] ** 2
            )
            down = jumps.reshape(-1, sizes[i])
            drift[i] = drift[i] - down.conj().T @ down / 2
    for span, half, n in zip(spans, drift, sizes, strict=True):
        result[span, span] += np.kron(half, np.eye(n)) + np.kron(np.eye(n), half.conj())
    return result


def _parts(
    candidate: Lindbladian,
    reference: Redfield,
    ansatz: tuple[Region, ...],
    sectors: tuple[Sector, ...],
) -> Iterator[tuple[Group, NDArray[Any]]]:
    """The operators of every region between levels, with their Kossakowski block."""
    by_charge = sectors is reference.spectrum.sectors
    for region, dissipator in zip(ansatz, candidate.regions, strict=True):
        start = 0
        groups = region.groups if by_charge else (merged(region, reference.spectrum),)
        for group in groups:
            stop = start + group.size
            yield group, dissipator.kossakowski[start:stop, start:stop]
            start = stop


def _shift_blocks(
    candidate: Lindbladian, reference: Redfield, sectors: tuple[Sector, ...]
) -> list[NDArray[Any]]:
    """sum_r H_r (x) 1 between the levels of every block."""
    system = reference.system
    total = sum(system.embed(region.hamiltonian, region.sites) for region in candidate.regions)
    blocks = []
    for sector in sectors:
        part = total[sector.states][:, sector.states]
        block = sector.vectors.conj().T @ (part @ sector.vectors)
        # exactly Hermitian, so that no rounding of a large H_r counts as a small rate
        blocks.append((block + block.conj().T) / 2)
    return blocks


def _order(points: Sequence[tuple[float, float | None]]) -> float | None:
    """Slope of log(error) over log(eps) between the two smallest eps; None below rounding."""
    known = sorted((eps, error) for eps, error in points if error is not None and error > ZERO)
    if len(known) < 2 or known[0][0] == known[1][0]:
        return None
    (small, lower), (large, upper) = known[:2]
    return math.log(upper / lower) / math.log(large / small)


def _sentence(
    what: str, last: tuple[float, float], limit: float, order: float | None, unit: str
) -> str:
    epsilon, error = last
    if limit <= max(ZERO, NO_FLOOR * error):
        how = "" if order is None else f" as eps^{order:.1f}"
        return (
            f"its {what} converge to the true ones{how}: {error:.1e} ({unit}) at "
            f"eps = {epsilon:g}, {limit:.1e} as eps -> 0"
        )
    return f"its {what} stay {limit:.3g} ({unit}) away from the true ones as eps -> 0"


def _draw(ax: Any, rows: tuple[SteadyStateRow, ...], limit: SteadyStateRow) -> None:
    rows = tuple(sorted(rows, key=lambda row: row.epsilon))
    strengths = np.array([row.epsilon for row in rows])
    # the reference slope starts at the largest error, or touches a curve that falls with it
    anchor = (strengths[-1], max(row.population_error for row in rows))
    for label, name, colour, marker in (
        ("populations (trace distance)", "population_error", "C0", "o"),
        ("coherences (relative)", "coherence_error", "C1", "s"),
    ):
        errors = [getattr(row, name) for row in rows]
        if None in errors:
            continue
        ax.loglog(strengths, errors, marker=marker, color=colour, label=label)
        floor = getattr(limit, name)
        if floor > max(ZERO, NO_FLOOR * errors[0]):
            label = rf"{label.split()[0]}, limit $\varepsilon \to 0$"
            ax.axhline(floor, color=colour, linestyle=":", label=label)
        elif errors[0] > ZERO:
            anchor = (strengths[0], errors[0])
    slope = anchor[1] * (strengths / anchor[0]) ** 2
    ax.loglog(strengths, slope, color="0.6", linestyle="--", label=r"slope $\varepsilon^2$")
    ax.set_xlabel(r"system-bath coupling $\varepsilon$")
    ax.set_ylabel("error of the steady state")
    ax.legend(frameon=False, fontsize="small")
