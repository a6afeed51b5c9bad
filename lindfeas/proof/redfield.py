"""What the Redfield equation does to the steady state: leading coherences, in balls.

    L2(rho) = - sum_l ( [S_l^dag, S_l^D rho] + [rho S_l^C, S_l^dag] + h.c. ),

(S^C)_ag = C(E_g - E_a) S_ag and (S^D)_ag = D(E_g - E_a) S_ag between levels a and g.
"""

from __future__ import annotations

from flint import acb, acb_mat, arb

from lindfeas.proof.balls import dagger, sparse
from lindfeas.proof.errors import Rejected
from lindfeas.proof.exact import Entries, embedded
from lindfeas.proof.levels import Levels
from lindfeas.proof.model import Bath, Coupling, Density, Model
from lindfeas.proof.principal_values import half_sided, zero_frequency


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
            raised = dagger(sparse(operator, levels.size, levels.size))
            absorbed, emitted = _half_sided(levels, coupling, operator, transforms)
            outgoing, incoming = emitted * state, state * absorbed
            half = raised * outgoing - outgoing * raised + incoming * raised - raised * incoming
            total -= half + dagger(half)
    return total


class _Transforms:
    """C and D of one bath at its Bohr frequencies, each computed once."""

    def __init__(self, bath: Bath) -> None:
        self.bath = bath
        self.known: dict[tuple[Density, int, int], tuple[acb, acb]] = {}

    def at(self, coupling: Coupling, a: int, g: int, energy: arb) -> tuple[acb, acb]:
        """(C, D) between levels a and g, which are ``energy`` apart."""
        key = (coupling.density, a, g)
        if key not in self.known:
            self.known[key] = (
                self._elastic(coupling)
                if a == g
                else half_sided(self.bath, coupling.density, energy)
            )
        return self.known[key]

    def _elastic(self, coupling: Coupling) -> tuple[acb, acb]:
        """Of a Hermitian coupling only D(E) + conj(C(-E)) counts, so all of it may go to D."""
        operator = coupling.operator
        adjoint = {(c, r): (real, -imaginary) for (r, c), (real, imaginary) in operator.items()}
        if operator != adjoint:
            raise Rejected(
                f"bath {self.bath.name} has a coupling that is not Hermitian and shifts no charge: "
                "its transforms may diverge at zero frequency"
            )
        return acb(0), zero_frequency(self.bath, coupling.density)


def _half_sided(
    levels: Levels, coupling: Coupling, operator: Entries, transforms: _Transforms
) -> tuple[acb_mat, acb_mat]:
    """S^C and S^D in the product basis."""
    absorbed, emitted = [], []
    for final, initial, block in levels.blocks(operator, coupling.shift):
        elements = final.left * block * initial.right
        c_part, d_part = acb_mat(elements), acb_mat(elements)
        for row, a in enumerate(final.levels):
            for column, g in enumerate(initial.levels):
                if elements[row, column].is_zero():
                    continue
                energy = initial.energies[column] - final.energies[row]
                c, d = transforms.at(coupling, a, g, energy)
                c_part[row, column] *= c
                d_part[row, column] *= d
        absorbed.append((final, initial, final.right * c_part * initial.left))
        emitted.append((final, initial, final.right * d_part * initial.left))
    return levels.assembled(absorbed), levels.assembled(emitted)
