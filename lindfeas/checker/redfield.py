"""What the Redfield equation does to the steady state: leading coherences, in balls.

    L2(rho) = - sum_l ( [S_l^dag, S_l^D rho] + [rho S_l^C, S_l^dag] + h.c. ),

(S^C)_ag = C(E_g - E_a) S_ag and (S^D)_ag = D(E_g - E_a) S_ag between levels a and g.

Where E_g = E_a, C(0) and D(0) are the values of their integrals if these converge. Of a Hermitian
coupling, also times a phase, only D(0) + conj(C(0)) counts in its diagonal elements, whose limit
is finite more often.
"""

from __future__ import annotations

from flint import acb, acb_mat, arb, fmpq

from lindfeas.checker.model import ZERO, Bath, Coupling, Density, Entries, Model, embedded
from lindfeas.checker.principal_values import at_zero, half_sided, zero_frequency
from lindfeas.checker.steady_state import Levels, Sector, block, coincide, dagger


def redfield_action(model: Model, levels: Levels, state: acb_mat) -> acb_mat:
    """L2(state) in the product basis, for a Hermitian ``state``.

    Raises
    ------
    Unsettled
        If the sign of a Bohr frequency is in doubt, or an integral did not converge.
    Rejected
        If a transform may diverge at zero frequency.
    """
    total = acb_mat(levels.size, levels.size)
    for bath in model.baths:
        transforms = _Transforms(bath)
        for coupling in bath.couplings:
            operator = embedded(coupling.operator, model.dimensions, bath.sites)
            raised = dagger(block(operator, range(levels.size), range(levels.size)))
            absorbed, emitted = _half_sided(levels, coupling, operator, transforms)
            outgoing, incoming = emitted * state, state * absorbed
            half = raised * outgoing - outgoing * raised + incoming * raised - raised * incoming
            total -= half + dagger(half)
    return total


class _Transforms:
    """C and D of one bath at its Bohr frequencies, each computed once.

    The value belongs to a density and a pair of levels, which determine all that it depends on.
    What also depends on the coupling is not kept.
    """

    def __init__(self, bath: Bath) -> None:
        self.bath = bath
        self.known: dict[tuple[Density, int, int], tuple[acb, acb]] = {}

    def at(self, density: Density, a: int, g: int, energy: arb) -> tuple[acb, acb]:
        """(C, D) between levels a and g, which are ``energy`` apart."""
        key = (density, a, g)
        if key not in self.known:
            self.known[key] = half_sided(self.bath, density, energy)
        return self.known[key]

    def elastic(self, coupling: Coupling) -> tuple[acb, acb]:
        """(C, D) at E = 0; where only D + conj(C) counts, all of it in D."""
        if _is_hermitian_up_to_a_phase(coupling.operator):
            return acb(0), zero_frequency(self.bath, coupling.density)
        return at_zero(self.bath, coupling.density)


def _is_hermitian_up_to_a_phase(operator: Entries) -> bool:
    """Whether S^dag = z S, exactly; |z| = 1 follows, as S^dag and S have the same norm."""
    entries = {place: value for place, value in operator.items() if value != (ZERO, ZERO)}
    if not entries:
        return True
    adjoint = {(c, r): (real, -imaginary) for (r, c), (real, imaginary) in entries.items()}
    if adjoint.keys() != entries.keys():
        return False
    some = next(iter(entries))
    return all(
        _product(adjoint[place], entries[some]) == _product(adjoint[some], entries[place])
        for place in entries
    )


def _product(one: tuple[fmpq, fmpq], other: tuple[fmpq, fmpq]) -> tuple[fmpq, fmpq]:
    """The product of two complex numbers."""
    (a, b), (c, d) = one, other
    return a * c - b * d, a * d + b * c


def _half_sided(
    levels: Levels, coupling: Coupling, operator: Entries, transforms: _Transforms
) -> tuple[acb_mat, acb_mat]:
    """S^C and S^D in the product basis."""
    absorbed, emitted = [], []
    for final, initial, part in levels.blocks(operator, coupling.shift):
        elements = final.left * part * initial.right
        c_part, d_part = acb_mat(elements), acb_mat(elements)
        for row, a in enumerate(final.levels):
            for column, g in enumerate(initial.levels):
                if elements[row, column].is_zero():
                    continue
                energy = initial.energies[column] - final.energies[row]
                if a == g or _is_zero(energy, (final, row), (initial, column)):
                    c, d = transforms.elastic(coupling)
                else:
                    c, d = transforms.at(coupling.density, a, g, energy)
                c_part[row, column] *= c
                d_part[row, column] *= d
        absorbed.append((final, initial, final.right * c_part * initial.left))
        emitted.append((final, initial, final.right * d_part * initial.left))
    return levels.assembled(absorbed), levels.assembled(emitted)


def _is_zero(energy: arb, final: tuple[Sector, int], initial: tuple[Sector, int]) -> bool:
    """Whether the levels of two sectors coincide exactly; then the coupling shifts the charge."""
    return not (energy > 0 or energy < 0) and coincide(*final, *initial)
