"""Step 2: the problem, rebuilt from the certificate's decimals in exact rational arithmetic.

Lemma: `model` returns the open system, the allowed rates and the question that the certificate
states, in exact numbers. H_S is Hermitian and conserves the charge, every coupling shifts it by a
fixed amount, regions do not overlap, and some rates are allowed; or the certificate is rejected.

Conventions: the leftmost tensor factor is the most significant; state 0 of a qubit is up,
sigma_minus = |1><0|.
"""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from flint import fmpq

from lindfeas.checker.format import require

Entries = dict[tuple[int, int], tuple[Any, Any]]
"""A sparse matrix: (row, column) to (real part, imaginary part), exact numbers or balls."""

ZERO, ONE = fmpq(0), fmpq(1)

SPIN_OPERATORS: dict[str, Entries] = {
    "sigma_minus": {(1, 0): (ONE, ZERO)},
    "sigma_x": {(0, 1): (ONE, ZERO), (1, 0): (ONE, ZERO)},
    "sigma_z": {(0, 0): (ONE, ZERO), (1, 1): (-ONE, ZERO)},
}

MOST_REGION_LEVELS = 16
"""Levels d_r of a region that this checker takes on: four qubits."""

MOST_LEVELS = 256
"""Levels d that this checker takes on: eight qubits."""


PRICE = {"levels": 10, "digits": 4e-5, "product": 7e-3, "positive": 0.1, "entry": 1, "rate": 10}
"""Microseconds of one core at the first precision: per n^3 of a charge sector; per n^4 and bit of
the Hamiltonian's entries; per multiplication in a product of matrices of balls; per n^3 of a matrix
that may be positive definite; per entry that Python moves about; per transition and coupling. All
precisions together take up to 16 times as long. The estimate is there to refuse what would keep a
checker busy for hours, and is no more exact than that takes."""

MOST_WORK = 120_000_000
"""Of a point's certificate, and of one cell of a box: two minutes."""


def rational(text: str) -> fmpq:
    """A decimal string as the exact rational number that it denotes."""
    return fmpq(*Fraction(text).as_integer_ratio())


def gaussian(value: str | list[str]) -> tuple[fmpq, fmpq]:
    """A complex number of a certificate as its exact real and imaginary parts."""
    real, imaginary = (value, "0") if isinstance(value, str) else value
    return rational(real), rational(imaginary)


def placement(dimensions: Sequence[int], sites: Sequence[int]) -> list[list[int]]:
    """Number of the basis state with the region in state a and the rest in e, as [a][e]."""

    def offsets(chosen: Sequence[int]) -> list[int]:
        strides = [math.prod(dimensions[site + 1 :]) for site in chosen]
        states = itertools.product(*(range(dimensions[site]) for site in chosen))
        return [sum(map(int.__mul__, state, strides)) for state in states]

    outside = offsets([site for site in range(len(dimensions)) if site not in sites])
    return [[a + e for e in outside] for a in offsets(sites)]


def embedded(operator: Entries, dimensions: Sequence[int], sites: Sequence[int]) -> Entries:
    """``operator`` on a region times the identity on the rest."""
    spots = placement(dimensions, sites)
    return {s: x for (a, b), x in operator.items() for s in zip(spots[a], spots[b], strict=True)}


def product_charges(charge: Any) -> list[int]:
    """Total charge of every product state of sites with these local charges."""
    return [sum(state) for state in itertools.product(*charge)]


def charge_shifts(operator: Entries, charges: list[int]) -> set[int]:
    """By how much ``operator`` shifts the charge: all final minus initial charges."""
    return {charges[a] - charges[b] for (a, b), x in operator.items() if x != (ZERO, ZERO)}


class Density(NamedTuple):
    """J(w) of one of the families in `lindfeas.checker.forms`."""

    family: str
    strength: fmpq
    exponent: fmpq
    cutoff: fmpq


class Coupling(NamedTuple):
    """One operator S_l on its bath's region, which shifts the charge by ``shift``."""

    operator: Entries
    shift: int
    density: Density


class Bath(NamedTuple):
    """A thermal bath on a region of ``levels`` levels d_r; ``beta`` None is infinite."""

    name: str
    sites: tuple[int, ...]
    levels: int
    beta: fmpq | None
    mu: fmpq
    couplings: tuple[Coupling, ...]


class Rates(NamedTuple):
    """Which traces of the Kossakowski matrices are allowed.

    lowest <= tr Gamma^r <= highest for every region; or, if ``total``, all traces together are
    ``highest[0]``.
    """

    total: bool
    lowest: tuple[fmpq, ...]
    highest: tuple[fmpq, ...]

    def smallest(self, eigenvalues: Sequence[fmpq]) -> fmpq:
        """min sum_r tr(Gamma^r) lambda_r over the allowed traces."""
        if self.total:
            return self.highest[0] * min(eigenvalues)
        triples = zip(eigenvalues, self.lowest, self.highest, strict=True)
        return sum((value * (low if value > 0 else high) for value, low, high in triples), ZERO)

    def factors(self, traces: Sequence[fmpq]) -> list[fmpq]:
        """By what to multiply every region's Gamma so that the rule holds exactly; 0/0 is 0."""
        wanted = list(map(min, map(max, traces, self.lowest), self.highest))
        if self.total:
            traces, wanted = [sum(traces, ZERO)] * len(traces), list(self.highest)
        pairs = list(zip(traces, wanted, strict=True))
        possible = all(trace > 0 or want == 0 for trace, want in pairs)
        require(possible, "a candidate without rates cannot meet the rate rule")
        return [want / trace if trace > 0 else ZERO for trace, want in pairs]


class Model(NamedTuple):
    """The open system, the allowed Lindbladians and the question, all exact.

    Parameters
    ----------
    size, dimensions
        Levels d of the system, and of every site.
    charge, sectors
        Conserved charge of every basis state of every site, all zero if none is claimed; and how
        many levels have each charge.
    hamiltonian
        H_S; Hermitian, because only its upper triangle is read.
    hamiltonian_limit
        The largest Hilbert-Schmidt norm of every traceless H_r on its region; None if there is no
        limit, or no H_r counts.
    """

    size: int
    dimensions: tuple[int, ...]
    charge: tuple[tuple[int, ...], ...]
    sectors: Counter[int]
    hamiltonian: Entries
    baths: tuple[Bath, ...]
    rates: Rates
    lamb_shift: bool
    hamiltonian_limit: fmpq | None
    target: str
    norm: str
    tolerance: fmpq


def model(problem: Any) -> Model:
    """The model that the ``problem`` of a certificate describes.

    Raises
    ------
    Rejected
        If its parts do not fit together.
    """
    system, listed, question = problem["system"], problem["bath"], problem["question"]
    chain = "model" in system
    dimensions = (2,) * system["sites"] if chain else tuple(system["dimensions"])
    size = math.prod(dimensions)
    require(size <= MOST_LEVELS, f"the system has {size} levels, beyond {MOST_LEVELS}")
    used = [site for bath in listed for site in bath["sites"]]
    require(max(used) < len(dimensions), "a bath acts on a site that does not exist")
    require(len(set(used)) == len(used), "the baths' regions overlap")
    require(len({bath["name"] for bath in listed}) == len(listed), "two baths have the same name")
    operators = [_operators(bath, [dimensions[site] for site in bath["sites"]]) for bath in listed]
    if chain:
        hamiltonian = _chain(system)
        # the magnetisation, if every coupling shifts it by a fixed amount, wherever its region is
        up = product_charges([(1, 0)] * len(used))
        shifts = [charge_shifts(operator, up) for own in operators for operator in own]
        charge = ((1, 0) if all(len(own) == 1 for own in shifts) else (0, 0),) * len(dimensions)
    else:
        hamiltonian = _matrix(system["hamiltonian"], size)
        charge = tuple(map(tuple, system["charge"] or [[0] * levels for levels in dimensions]))
    require(tuple(map(len, charge)) == dimensions, "system.charge has another shape")
    charges = product_charges(charge)
    require(charge_shifts(hamiltonian, charges) <= {0}, "H does not conserve the charge")
    baths = tuple(_bath(*pair, charge) for pair in zip(listed, operators, strict=True))
    ansatz, limit = problem["ansatz"], problem["ansatz"].get("hamiltonian_limit")
    tolerance, rates = rational(question["tolerance"]), _rates(ansatz["rates"], len(baths))
    require(tolerance > 0, "question.tolerance is not positive")
    asked = {"target": question["target"], "norm": question["norm"], "tolerance": tolerance}
    asked |= {"lamb_shift": ansatz["lamb_shift"], "hamiltonian_limit": limit and rational(limit)}
    return Model(size, dimensions, charge, Counter(charges), hamiltonian, baths, rates, **asked)


def _numbers(value: str | list[str], count: int, where: str) -> tuple[fmpq, ...]:
    """One number, or one for each of ``count`` things."""
    values = [value] * count if isinstance(value, str) else value
    require(len(values) == count, f"{where} has {len(values)} values for {count}")
    return tuple(map(rational, values))


def _chain(system: Any) -> Entries:
    """sum_l field sigma_z + sum_l coupling (xx + yy + anisotropy zz) between neighbours.

    Of two neighbours, xx + yy exchanges up and down, with the factor 2.
    """
    sites = system["sites"]
    field = _numbers(system["field"], sites, "system.field")
    coupling = _numbers(system["coupling"], sites - 1, "system.coupling")
    anisotropy = _numbers(system["anisotropy"], sites - 1, "system.anisotropy")
    total: Entries = {}
    for state, spins in enumerate(itertools.product((1, -1), repeat=sites)):
        energy = sum((h * s for h, s in zip(field, spins, strict=True)), ZERO)
        for bond, (s, t) in enumerate(itertools.pairwise(spins)):
            energy += coupling[bond] * anisotropy[bond] * (s * t)
            if s != t:
                total[state, state ^ (3 << (sites - 2 - bond))] = (2 * coupling[bond], ZERO)
        total[state, state] = (energy, ZERO)
    return total


def _matrix(listed: list[Any], size: int) -> Entries:
    """The listed upper triangle, completed to a Hermitian matrix."""
    upper = _entries(listed, size, "system.hamiltonian")
    for (row, column), (_, imaginary) in upper.items():
        fits = row < column or (row == column and imaginary == 0)
        require(fits, "system.hamiltonian has an entry below the diagonal, or a complex one on it")
    return upper | {(c, r): (real, -imag) for (r, c), (real, imag) in upper.items()}


def _entries(listed: list[Any], size: int, where: str) -> Entries:
    entries: Entries = {}
    for row, column, value in listed:
        indices = isinstance(row, int) and isinstance(column, int) and not isinstance(value, int)
        require(indices, f"{where} must list [row, column, value]")
        require(max(row, column) < size, f"{where} has an entry outside the matrix")
        require((row, column) not in entries, f"{where} lists entry {row}, {column} twice")
        entries[row, column] = gaussian(value)
    return entries


def _operators(bath: Any, dimensions: list[int]) -> list[Entries]:
    """The coupling operators on the bath's region of these local dimensions."""
    if "operator" in bath:
        single = SPIN_OPERATORS[bath["operator"]]
        return [embedded(single, dimensions, [place]) for place in range(len(dimensions))]
    where, size = f"bath.{bath['name']}.couplings", math.prod(dimensions)
    return [_entries(listed, size, where) for listed in bath["couplings"]]


def _bath(bath: Any, operators: list[Entries], charge: Sequence[Any]) -> Bath:
    where, shape = f"bath.{bath['name']}", bath["spectral_density"]
    beta = None if bath["beta"] == "Infinity" else rational(bath["beta"])
    mu, cutoff = rational(bath["mu"]), rational(shape["cutoff"])
    exponent = rational(shape.get("exponent", "1"))
    strengths = _numbers(shape["strength"], len(operators), f"{where}.spectral_density.strength")
    require(beta is None or beta > 0, f"{where}.beta is not positive")
    require(mu <= 0, f"{where}.mu is positive")
    require(exponent > 0 and cutoff > 0 and min(strengths) >= 0, f"{where} has a bad density")
    charges, couplings = product_charges([charge[site] for site in bath["sites"]]), []
    levels, most = len(charges), f"levels, beyond {MOST_REGION_LEVELS}"
    require(levels <= MOST_REGION_LEVELS, f"{where} has {levels} {most}")
    for operator, strength in zip(operators, strengths, strict=True):
        shifts = charge_shifts(operator, charges) or {0}
        require(len(shifts) == 1, f"{where}: a coupling shifts the charge by {sorted(shifts)}")
        density = Density(shape["family"], strength, exponent, cutoff)
        couplings.append(Coupling(operator, shifts.pop(), density))
    return Bath(bath["name"], tuple(bath["sites"]), levels, beta, mu, tuple(couplings))


def _rates(rates: Any, regions: int) -> Rates:
    low, high = ("min", "max") if rates["rule"] == "range" else ("value", "value")
    lowest = _numbers(rates[low], regions, f"ansatz.rates.{low}")
    highest = _numbers(rates[high], regions, f"ansatz.rates.{high}")
    ordered = all(0 <= a <= b and b > 0 for a, b in zip(lowest, highest, strict=True))
    require(ordered, "ansatz.rates allows no rates")
    return Rates(rates["rule"] == "total", lowest, highest)


# What the check will cost.


def require_little(work: float, most: float, what: str) -> None:
    """Refuse what takes too long; ``work`` and ``most`` are in microseconds."""
    cost = f"{what} would take about {work / 1e6:.3g} s at the first precision"
    require(work <= most, f"{cost}, beyond this checker's {most / 1e6:.0f} s")


def work(model: Model) -> dict[str, float]:
    """Microseconds at the first precision by part, estimated from the shape of the problem.

    ``levels``: of the enclosures of all levels, by both routes. ``rates``: of the rate equation.
    ``dual``: of A(Y) of all regions. ``positive``: of deciding whether all blocks are positive.
    """
    numbers = [value for entry in model.hamiltonian.values() for value in entry]
    digits = PRICE["digits"] * max((len(f"{int(v.p):b}{int(v.q):b}") for v in numbers), default=1)
    copies = 2 if any(imaginary != 0 for _, imaginary in model.hamiltonian.values()) else 1
    counts, size, product = model.sectors, model.size, PRICE["product"]
    levels = sum(PRICE["levels"] * n**3 + digits * (copies * n) ** 4 for n in counts.values())
    found = {"levels": levels, "rates": 10 * product * size**3, "dual": 0.0, "positive": 0.0}
    for bath in model.baths:
        charges, d = product_charges([model.charge[site] for site in bath.sites]), bath.levels
        groups = Counter(a - b for a in charges for b in charges).values()
        found["positive"] += PRICE["positive"] * sum(n**3 for n in groups)
        found["dual"] += product * (size**2 * d**2 + 4 * d**6) + PRICE["entry"] * (size**2 + d**4)
        for coupling in bath.couplings:
            for n, m in ((n, counts[charge + coupling.shift]) for charge, n in counts.items()):
                found["rates"] += m * n * (PRICE["rate"] + 4 * product * (m + n))
    return found
