"""Step 3: the exact steady state at leading order, rho0 = sum_a p_a P_a, in balls.

Lemma: every ball holds the exact number. `levels` encloses all energies and eigenvectors of H_S,
no two levels of one charge coincide, and two independent routes agree on every level.
`populations` encloses the only p with sum_a p_a = 1 and

    sum_a (w_ka p_a - w_ak p_k) = 0,    w_ka = sum_l |<k|S_l|a>|^2 J_l(E) (n_l(E) + 1) + ...,

Fermi's rule for a transition that gives the energy E = E_a - E_k to a bath, or takes it away, with
J (n + 1) and J n, n(w) = 1/(exp(beta (w - mu)) - 1), both zero for w <= 0.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from flint import acb, acb_mat, arb, arb_mat, fmpq, fmpq_mat, fmpq_poly

from lindfeas.checker.format import Rejected, Unsettled, require
from lindfeas.checker.forms import FAMILIES
from lindfeas.checker.model import ZERO, Bath, Density, Entries, Model, embedded, product_charges

# Matrices of balls.


def block(operator: Entries, rows: Any, columns: Any) -> acb_mat:
    """The entries of a sparse matrix in ``rows`` and ``columns``, as balls."""
    row_of, column_of = ({n: k for k, n in enumerate(chosen)} for chosen in (rows, columns))
    matrix = acb_mat(len(rows), len(columns))
    for (a, b), (real, imaginary) in operator.items():
        if a in row_of and b in column_of:
            matrix[row_of[a], column_of[b]] = acb(arb(real), arb(imaginary))
    return matrix


def diagonal(values: list[Any]) -> acb_mat:
    """The diagonal matrix of ``values``."""
    return acb_mat([[x if n == k else 0 for k in range(len(values))] for n, x in enumerate(values)])


def identity(size: int) -> acb_mat:
    """The identity matrix."""
    return diagonal([arb(1)] * size)


def dagger(matrix: acb_mat) -> acb_mat:
    """The conjugate transpose."""
    return matrix.transpose().conjugate()


# Levels.


class Sector(NamedTuple):
    """The levels of one charge.

    Parameters
    ----------
    charge, states
        The charge, and the numbers of the product states that carry it.
    levels
        Their numbers among all levels.
    energies
        In ascending order, certainly.
    right, left
        Eigenvectors as columns, in some normalisation, and the inverse matrix. Only products of
        a column with the row of the same level are used: the projector is P_a = R_a L_a.
    polynomial
        Exact, with every level of the sector as a simple root, and no other.
    """

    charge: int
    states: tuple[int, ...]
    levels: range
    energies: tuple[arb, ...]
    right: acb_mat
    left: acb_mat
    polynomial: fmpq_poly


_Block = tuple[Sector, Sector, acb_mat]
_Level = tuple[Sector, int]


class Levels(NamedTuple):
    """All levels, by ascending charge and then energy."""

    size: int
    sectors: tuple[Sector, ...]

    def weighted(self, weights: list[Any]) -> acb_mat:
        """sum_a weights_a P_a in the product basis, shape (d, d)."""
        parts = [s.right * diagonal([weights[a] for a in s.levels]) * s.left for s in self.sectors]
        return self.assembled(zip(self.sectors, self.sectors, parts, strict=True))

    def assembled(self, blocks: Iterable[_Block]) -> acb_mat:
        """A matrix in the product basis from its parts (final, initial, block)."""
        total = acb_mat(self.size, self.size)
        for final, initial, block in blocks:
            for i, row in enumerate(final.states):
                for j, column in enumerate(initial.states):
                    total[row, column] = block[i, j]
        return total

    def blocks(self, operator: Entries, shift: int) -> Iterator[_Block]:
        """An operator in the product basis that shifts the charge, as (final, initial, block)."""
        for final, initial in itertools.product(self.sectors, repeat=2):
            if final.charge == initial.charge + shift:
                yield final, initial, block(operator, final.states, initial.states)


def levels(model: Model) -> Levels:
    """The eigensystem of H_S, by two routes that must agree.

    Raises
    ------
    Rejected
        If two levels of one sector are exactly degenerate.
    Unsettled
        If the levels of a sector cannot be told apart in balls.
    """
    charges, sectors, count = product_charges(model.charge), [], 0
    for charge in sorted(set(charges)):
        states = tuple(number for number, own in enumerate(charges) if own == charge)
        polynomial = _characteristic(model.hamiltonian, states, charge)
        energies, right = _eigensystem(block(model.hamiltonian, states, states), charge)
        if not all(_has_root(polynomial, *_ends(energy)) for energy in energies):
            raise Rejected(f"two enclosures of a level of charge sector {charge} contradict")
        left = _solved(right, identity(len(states)), "the eigenvectors of H_S")
        own = range(count, count := count + len(states))
        sectors.append(Sector(charge, states, own, tuple(energies), right, left, polynomial))
    return Levels(model.size, tuple(sectors))


def coincide(one: Sector, level: int, other: Sector, another: int) -> bool:
    """Whether a level of each of two sectors, by place, have exactly the same energy.

    A common root of the two exact polynomials in both enclosures is that energy, because each
    enclosure holds one root. Where there is none, enough bits tell the energies apart.
    """
    common = one.polynomial.gcd(other.polynomial)
    lows, highs = zip(*map(_ends, (one.energies[level], other.energies[another])), strict=True)
    low, high = max(lows), min(highs)
    return common.degree() > 0 and low <= high and _has_root(common, low, high)


def _eigensystem(block: acb_mat, charge: int) -> tuple[list[arb], acb_mat]:
    """Enclosures of all eigenvalues, ascending, and of eigenvectors (Rump's algorithm)."""
    size = block.nrows()
    try:
        values, vectors = block.eig(right=True, algorithm="rump")
    except ValueError:
        raise Unsettled(f"the levels of charge sector {charge}") from None
    order = sorted(range(size), key=lambda n: values[n].real.mid())
    energies = [values[n].real for n in order]
    if not all(low.upper() < high.lower() for low, high in itertools.pairwise(energies)):
        raise Unsettled(f"the order of the levels of charge sector {charge}")
    return energies, acb_mat([[vectors[row, n] for n in order] for row in range(size)])


def _solved(matrix: Any, right: Any, what: str) -> Any:
    """matrix^-1 right; the enclosure proves that the exact matrix is regular."""
    try:
        return matrix.solve(right, algorithm="precond")
    except ZeroDivisionError:
        raise Unsettled(what) from None


def _characteristic(hamiltonian: Entries, states: Any, charge: int) -> fmpq_poly:
    """The exact characteristic polynomial of one sector, as a product of distinct factors.

    A complex Hermitian H = A + iB is replaced by the real [[A, -B], [B, A]], which has every
    eigenvalue twice. Division by the greatest common divisor with the derivative leaves every
    root once.
    """
    size, turned = len(states), any(imaginary != 0 for _, imaginary in hamiltonian.values())
    own = [[hamiltonian.get((row, column), (ZERO, ZERO)) for column in states] for row in states]
    rows = [[a for a, _ in row] + [-b for _, b in row] * turned for row in own]
    rows += [[b for _, b in row] + [a for a, _ in row] for row in own] * turned
    polynomial = fmpq_mat(rows).charpoly()
    distinct = polynomial // polynomial.gcd(polynomial.derivative())
    require(distinct.degree() >= size, f"levels of charge sector {charge} are exactly degenerate")
    return distinct


def _has_root(polynomial: fmpq_poly, low: fmpq, high: fmpq) -> bool:
    """The second route: whether the exact polynomial changes its sign between the ends of a ball.

    As many disjoint balls as the polynomial's degree then hold one root each.
    """
    return bool(polynomial(low) * polynomial(high) <= 0)


def _ends(energy: arb) -> tuple[fmpq, fmpq]:
    return energy.lower().fmpq(), energy.upper().fmpq()


# Rates.


def spectral_density(density: Density, frequency: Any) -> Any:
    """J(w) at a frequency that is certainly positive, or the power series of J there."""
    power = arb(density.strength) * frequency ** arb(density.exponent)
    return power * cut(density, frequency / arb(density.cutoff))


def cut(density: Density, ratio: Any) -> Any:
    """The cutoff function of w / cutoff: a real or complex ball, or a power series."""
    power = FAMILIES[density.family][0]
    return 1 / (1 + ratio**2) if power is None else (-(ratio**power)).exp()


def transition_rates(bath: Bath, density: Density, energy: arb) -> tuple[arb, arb]:
    """(J n, J (n+1)) at the energy that the system gives to the bath; zero from 0 downwards.

    Where the sign of the energy is in doubt, both enclose everything from 0 to a bound on either
    side's values; see `jumps` for when that is not good enough.
    """
    beta, mu = None if bath.beta is None else arb(bath.beta), arb(bath.mu)
    if not energy > 0:
        largest = largest_rate(density, beta, mu, energy.upper())
        either = arb(0) if energy <= 0 else arb(0).union(largest)
        return either, either
    coupling = spectral_density(density, energy)
    if beta is None:
        return arb(0), coupling
    thermal = beta * (energy - mu)
    return coupling / thermal.expm1(), coupling / -(-thermal).expm1()


def jumps(density: Density, beta: arb | None, mu: arb) -> bool:
    """Whether a rate at zero energy may depend on the side from which that is reached.

    From below it is zero. From above J n and J (n + 1) tend to strength / beta for exponent 1, to
    infinity for a smaller one, and to zero for a larger one, at mu < 0, and at zero temperature.
    ``beta`` None is infinite; it and ``mu`` may be wide balls.
    """
    return beta is not None and not mu < 0 and density.exponent <= 1 and density.strength > 0


def largest_rate(density: Density, beta: arb | None, mu: arb, energy: arb) -> arb:
    """An upper bound on J (n+1) on (0, energy]: J <= strength w^s, n <= 1/(beta w), 1/(-beta mu).

    Not finite where J n diverges. ``beta`` None is infinite; it and ``mu`` may be wide balls.
    """
    power, cold = arb(density.exponent), arb(0) if beta is None else 1 / beta
    if not mu < 0 and density.exponent < 1 and beta is not None:
        return arb.pos_inf()
    occupied = -(energy**power) / mu if mu < 0 else energy ** (power - 1)
    return arb(density.strength) * (energy**power + cold * occupied)


# The steady state.


def steady_state(model: Model) -> tuple[Levels, list[arb], acb_mat]:
    """The levels, the populations p, and rho0 = sum_a p_a P_a in the product basis."""
    p = populations(model, found := levels(model))
    return found, p, found.weighted(p)


def populations(model: Model, levels: Levels) -> list[arb]:
    """The populations p of rho0 = sum_a p_a P_a: the steady state of the rate equation.

    The columns of the generator G add up to zero, so that one row may be replaced by
    sum_a p_a = 1. If the resulting matrix is regular, which the enclosure of the solution proves,
    then the kernel of G has dimension one, p is unique, and as the stationary vector of a Markov
    chain it is not negative.

    Raises
    ------
    Unsettled
        If the matrix could not be shown to be regular, or a rate may jump between two levels whose
        energies were not told apart.
    Rejected
        If a rate jumps between two levels of exactly the same energy.
    """
    generator, right = arb_mat(levels.size, levels.size), arb_mat(levels.size, 1)
    for bath in model.baths:
        for coupling in bath.couplings:
            operator = embedded(coupling.operator, model.dimensions, bath.sites)
            for block in levels.blocks(operator, coupling.shift):
                _add_rates(generator, bath, coupling.density, block)
    for level in range(levels.size):
        generator[0, level] = 1
    right[0, 0] = 1
    p = _solved(generator, right, "whether the steady state is unique")
    return [p[level, 0].nonnegative_part() for level in range(levels.size)]


def _add_rates(generator: arb_mat, bath: Bath, density: Density, block: _Block) -> None:
    """Rates |<k|S|a>|^2 J (n+1) from a to k and |<k|S|a>|^2 J n back, with E = E_a - E_k.

    |<k|S|a>|^2 = (L_k S R_a)(L_a S^dagger R_k), whatever the normalisation of R.
    """
    final, initial, part = block
    forth, back = final.left * part * initial.right, initial.left * dagger(part) * final.right
    for row, column in itertools.product(range(forth.nrows()), range(forth.ncols())):
        k, a = final.levels[row], initial.levels[column]
        strength = (forth[row, column] * back[column, row]).real.nonnegative_part()
        if k == a or strength.is_zero():
            continue
        energy = initial.energies[column] - final.energies[row]
        if not (energy > 0 or energy < 0):
            _check_limits(bath, density, (final, row), (initial, column), strength)
        absorbed, emitted = transition_rates(bath, density, energy)
        for source, target, rate in ((a, k, emitted), (k, a, absorbed)):
            generator[target, source] += strength * rate
            generator[source, source] -= strength * rate


def _check_limits(bath: Bath, density: Density, one: _Level, other: _Level, strength: arb) -> None:
    """Refuse a transition of an energy that may be zero where the limits of its rate differ."""
    if jumps(density, None if bath.beta is None else arb(bath.beta), arb(bath.mu)):
        pair = " and ".join(str(sector.levels[place]) for sector, place in (one, other))
        what = f"bath {bath.name} connects levels {pair}, which coincide, where its rates jump"
        if not coincide(*one, *other) or not strength > 0:
            raise Unsettled(f"whether {what}")
        raise Rejected(f"{what}: their limits at zero energy from above and from below differ")
