"""The exact steady state at leading order, from Fermi's rule, in balls."""

from __future__ import annotations

from flint import acb_mat, arb, arb_mat

from lindfeas.checker.balls import dagger
from lindfeas.checker.baths import jumps, transition_rates
from lindfeas.checker.errors import Rejected, Unsettled
from lindfeas.checker.exact import embedded
from lindfeas.checker.levels import Levels, Sector, coincide
from lindfeas.checker.model import Bath, Coupling, Model


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
    generator = arb_mat(levels.size, levels.size)
    for bath in model.baths:
        for coupling in bath.couplings:
            _add_rates(generator, model, levels, bath, coupling)
    right = arb_mat(levels.size, 1)
    for level in range(levels.size):
        generator[0, level] = 1
    right[0, 0] = 1
    try:
        solution = generator.solve(right, algorithm="precond")
    except ZeroDivisionError:
        raise Unsettled("whether the steady state is unique") from None
    return [solution[level, 0].nonnegative_part() for level in range(levels.size)]


def _add_rates(
    generator: arb_mat, model: Model, levels: Levels, bath: Bath, coupling: Coupling
) -> None:
    """Rates |<k|S|a>|^2 J (n+1) from a to k and |<k|S|a>|^2 J n back, with E = E_a - E_k."""
    operator = embedded(coupling.operator, model.dimensions, bath.sites)
    for final, initial, block in levels.blocks(operator, coupling.shift):
        strengths = _strengths(final, initial, block)
        for row, k in enumerate(final.levels):
            for column, a in enumerate(initial.levels):
                if k == a or strengths[row][column].is_zero():
                    continue
                energy = initial.energies[column] - final.energies[row]
                if not (energy > 0 or energy < 0):
                    _check_limits(bath, coupling, (final, row), (initial, column), strengths)
                absorbed, emitted = transition_rates(bath, coupling.density, energy)
                for source, target, rate in ((a, k, emitted), (k, a, absorbed)):
                    flow = strengths[row][column] * rate
                    generator[target, source] += flow
                    generator[source, source] -= flow


def _check_limits(
    bath: Bath,
    coupling: Coupling,
    final: tuple[Sector, int],
    initial: tuple[Sector, int],
    strengths: list[list[arb]],
) -> None:
    """Refuse a transition of an energy that may be zero where the limits of its rate differ."""
    beta = None if bath.beta is None else arb(bath.beta)
    if not jumps(coupling.density, beta, arb(bath.mu)):
        return
    (one, row), (other, column) = final, initial
    pair = f"levels {one.first + row} and {other.first + column}"
    if not coincide(one, row, other, column):
        raise Unsettled(f"whether {pair} coincide, where the rates of bath {bath.name} jump")
    if strengths[row][column] > 0:
        raise Rejected(
            f"{pair} coincide and bath {bath.name} connects them, where its rates jump: their "
            "limits at zero energy from above and from below differ"
        )
    raise Unsettled(f"whether bath {bath.name} connects {pair}, which coincide, where rates jump")


def _strengths(final: Sector, initial: Sector, block: acb_mat) -> list[list[arb]]:
    """|<k|S|a>|^2 = (L_k S R_a)(L_a S^dagger R_k), whatever the normalisation of R."""
    forth = (final.left * block * initial.right).tolist()
    back = (initial.left * dagger(block) * final.right).transpose().tolist()
    return [
        [(one * other).real.nonnegative_part() for one, other in zip(row, column, strict=True)]
        for row, column in zip(forth, back, strict=True)
    ]
