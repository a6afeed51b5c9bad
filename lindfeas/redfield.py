"""The exact steady state to leading order in the coupling, from the Redfield equation.

d rho/dt = i[rho, H_S] + eps^2 L2(rho), with (SDP-paper Eqs. 38-41, signs and 1/(2 pi) mended)

    L2(rho) = - sum_l ( [S_l^dag, S_l^D rho] + [rho S_l^C, S_l^dag] + h.c. ).

Everything here is in the eigenbasis of H_S, in the spectrum's order of levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from lindfeas import bath_functions
from lindfeas.errors import InputError, PhysicsError, require
from lindfeas.spectral_density import SpectralDensity
from lindfeas.spectrum import UNIT_ROUNDOFF, Spectrum, diagonalise
from lindfeas.system import Bath, OpenSystem, shifts

SIGNIFICANT_ELEMENT = 1e-11
"""Matrix elements of S below this fraction of ||S|| cannot be told from rounding."""


@dataclass(frozen=True, kw_only=True)
class Coupling:
    """One coupling operator S_l in the eigenbasis.

    Parameters
    ----------
    bath, number
        Which bath, and which of its couplings.
    matrix
        <a|S_l|g>, shape (d, d).
    bohr
        E_g - E_a, shape (d, d): the energy that S_l gives to the bath.
    """

    bath: Bath
    number: int
    matrix: NDArray[Any]
    bohr: NDArray[np.float64]

    @property
    def density(self) -> SpectralDensity:
        """Spectral density of this coupling's own bath copy."""
        return self.bath.density_of(self.number)

    @property
    def where(self) -> str:
        """Path for error messages."""
        return f"bath.{self.bath.name}"

    @cached_property
    def is_hermitian(self) -> bool:
        """Whether S_l = S_l^dagger up to rounding."""
        difference = np.abs(self.matrix - self.matrix.conj().T).max(initial=0.0)
        return bool(difference <= 1e-12 * np.abs(self.matrix).max(initial=0.0))

    @cached_property
    def rates(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(J n, J (n+1)) at every Bohr energy, each of shape (d, d)."""
        return self.rates_at(self.bohr)

    def rates_at(
        self, energies: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(J n, J (n+1)) of this coupling's bath at the given energies."""
        return bath_functions.rates(self.density, self.bath.beta, self.bath.mu, energies)

    @cached_property
    def half_sided(self) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """(S^C, S^D): the elements of S times C(E) and D(E), each of shape (d, d)."""
        zero = self.elastic
        active = (self.matrix != 0) & ~self._without_energy
        absorbed = np.zeros(self.matrix.shape, dtype=complex)
        emitted = np.zeros(self.matrix.shape, dtype=complex)
        if active.any():
            c, d = bath_functions.half_sided(
                self.density, self.bath.beta, self.bath.mu, self.bohr[active]
            )
            absorbed[active] = c * self.matrix[active]
            emitted[active] = d * self.matrix[active]
        if zero.any():
            # C and D enter as D(0) + conj(C(0)) only; all of that finite sum goes to D.
            emitted[zero] = self._zero_frequency() * self.matrix[zero]
        return absorbed, emitted

    @cached_property
    def _without_energy(self) -> NDArray[np.bool_]:
        """Pairs of levels of equal energy, up to rounding."""
        scale = np.abs(self.bohr).max(initial=0.0)
        equal: NDArray[np.bool_] = np.abs(self.bohr) <= 1e-13 * scale
        return equal

    @cached_property
    def elastic(self) -> NDArray[np.bool_]:
        """Elements that transfer no energy and are not zero by rounding, shape (d, d)."""
        size = np.abs(self.matrix)
        return self._without_energy & (size > SIGNIFICANT_ELEMENT * size.max(initial=0.0))

    def require_inelastic(self) -> None:
        """Refuse transitions between different levels of equal energy.

        J(E) n(E) jumps at E = 0, so that such a rate is not defined.
        """
        if (self.elastic & ~np.eye(len(self.matrix), dtype=bool)).any():
            raise PhysicsError(
                "must not connect different levels of equal energy, but coupling "
                f"{self.number} does: its rate jumps at zero frequency",
                f"{self.where}.couplings",
            )

    def _zero_frequency(self) -> complex:
        if not self.is_hermitian:
            raise PhysicsError(
                "must not connect levels of equal energy unless it is Hermitian, but coupling "
                f"{self.number} does: its principal-value integrals diverge at zero frequency",
                f"{self.where}.couplings",
            )
        try:
            return bath_functions.zero_frequency_hermitian(
                self.density, self.bath.beta, self.bath.mu
            )
        except InputError as error:
            raise error.under(f"{self.where}.spectral_density") from None


@dataclass(frozen=True, kw_only=True)
class Redfield:
    """The Redfield equation of one open system, and its leading-order steady state."""

    system: OpenSystem
    spectrum: Spectrum
    couplings: tuple[Coupling, ...]

    @cached_property
    def transition_rates(self) -> NDArray[np.float64]:
        """W[k, a]: rate from level a to level k at leading order, zero diagonal, (d, d).

        |<k|S|a>|^2 J(E)(n(E)+1) downwards and |<a|S|k>|^2 J(E) n(E) upwards (Fermi's rule).
        """
        total = np.zeros((self.spectrum.dimension,) * 2)
        for coupling in self.couplings:
            coupling.require_inelastic()
            absorption, emission = coupling.rates
            strength = np.abs(coupling.matrix) ** 2
            total += strength * emission + (strength * absorption).T
        np.fill_diagonal(total, 0.0)
        return total

    @cached_property
    def populations(self) -> NDArray[np.float64]:
        """Zeroth-order populations p, shape (d,), each to a few ulp (no cancellation).

        Raises
        ------
        PhysicsError
            If the baths do not connect all levels, so that p is not unique.
        """
        return stationary_distribution(self.transition_rates, self._connections())

    @cached_property
    def coherence_source(self) -> NDArray[np.complex128]:
        """L2[rho0], shape (d, d): the action that leading coherences must balance."""
        return self.apply(np.diag(self.populations))

    @cached_property
    def coherences(self) -> NDArray[np.complex128]:
        """rho2, shape (d, d), zero diagonal: 0 = i[rho2, H_S] + L2(rho0).

        <a|rho2|g> = -i <a|L2[rho0]|g> / (E_a - E_g); SDP-paper Eq. (15) has the opposite sign.
        """
        energies = self.spectrum.energies
        gaps = np.subtract.outer(energies, energies)
        same = np.equal.outer(self.spectrum.charges, self.spectrum.charges)
        keep = same & ~np.eye(len(energies), dtype=bool)
        result = np.zeros_like(self.coherence_source)
        result[keep] = -1j * self.coherence_source[keep] / gaps[keep]
        return result

    def apply(self, state: NDArray[Any]) -> NDArray[np.complex128]:
        """L2(state) for a (d, d) ``state`` in the eigenbasis; no superoperator is formed."""
        total = np.zeros((self.spectrum.dimension,) * 2, dtype=complex)
        adjoint = state.conj().T
        for coupling in self.couplings:
            absorbed, emitted = coupling.half_sided
            raised = coupling.matrix.conj().T
            total -= _half(raised, absorbed, emitted, state)
            total -= _half(raised, absorbed, emitted, adjoint).conj().T
        return total

    def _connections(self) -> NDArray[np.bool_]:
        """Transitions whose matrix elements are certainly not rounding."""
        found = np.zeros((self.spectrum.dimension,) * 2, dtype=bool)
        for coupling in self.couplings:
            size = np.abs(coupling.matrix)
            large = size > SIGNIFICANT_ELEMENT * size.max(initial=0.0)
            found |= large | large.T
        return found & (self.transition_rates > 0)


def redfield_equation(system: OpenSystem) -> Redfield:
    """Diagonalise H_S and put every coupling into its eigenbasis.

    Raises
    ------
    PhysicsError
        If levels of one charge sector are degenerate.
    """
    require(system, OpenSystem, "system")
    spectrum = diagonalise(system)
    energies = spectrum.energies
    bohr = energies[None, :] - energies[:, None]
    charges = system.charges()
    couplings = tuple(
        Coupling(
            bath=bath,
            number=number,
            matrix=spectrum.in_eigenbasis(operator, next(iter(shifts(operator, charges))))
            if system.charge is not None
            else spectrum.in_eigenbasis(operator, 0),
            bohr=bohr,
        )
        for bath, number, operator in system.couplings()
    )
    return Redfield(system=system, spectrum=spectrum, couplings=couplings)


def stationary_distribution(
    rates: NDArray[np.float64], connections: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Stationary distribution of the Markov chain with rates W[k, a] from a to k.

    State reduction (Grassmann, Taksar and Heyman, Oper. Res. 33, 1107 (1985)) never subtracts,
    so that every entry has full relative accuracy, also those of 1e-26.

    Parameters
    ----------
    rates
        Shape (d, d), non-negative off the diagonal.
    connections
        Which of them may be relied upon to connect levels; all positive ones by default.

    Raises
    ------
    PhysicsError
        If more than one set of levels, once entered, is never left.
    """
    connections = rates > 0 if connections is None else connections
    classes, labels = connected_components(connections.T, directed=True, connection="strong")
    leaves = np.zeros(classes, dtype=bool)
    target, source = np.nonzero(connections)
    leaves[labels[source[labels[source] != labels[target]]]] = True
    closed = np.flatnonzero(~leaves)
    if closed.size != 1:
        raise PhysicsError(
            "must connect all levels, but they fall into "
            f"{closed.size} groups without transitions between them, so the steady state is not "
            "unique (a coupling acts only where it takes energy E with J(|E|) > 0 down; at large "
            "beta upward rates can underflow)",
            "bath",
        )
    members = np.flatnonzero(labels == closed[0])
    populations = np.zeros(len(rates))
    # the levels that are left fastest go first, so that what remains is never left too slowly
    members = members[np.argsort(rates[np.ix_(members, members)].sum(axis=0))]
    populations[members] = _reduce(rates[np.ix_(members, members)].T.copy())
    return populations


def _reduce(chain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stationary distribution of an irreducible chain with rates chain[from, to]."""
    for last in range(len(chain) - 1, 0, -1):
        exit_rate = chain[last, :last].sum()
        if not exit_rate > 0:
            raise PhysicsError(
                "must be such that rates do not underflow, but at this temperature a level is "
                "left at a rate below 1e-308; use a smaller beta, or inf",
                "bath",
            )
        chain[:last, last] /= exit_rate
        chain[:last, :last] += np.multiply.outer(chain[:last, last], chain[last, :last])
    weights = np.ones(len(chain))
    for last in range(1, len(chain)):
        weights[last] = weights[:last] @ chain[:last, last]
    distribution: NDArray[np.float64] = weights / weights.sum()
    return distribution


def _half(
    raised: NDArray[Any], absorbed: NDArray[Any], emitted: NDArray[Any], state: NDArray[Any]
) -> NDArray[np.complex128]:
    """[S^dag, S^D rho] + [rho S^C, S^dag]."""
    outgoing = emitted @ state
    incoming = state @ absorbed
    result: NDArray[np.complex128] = (
        raised @ outgoing - outgoing @ raised + incoming @ raised - raised @ incoming
    )
    return result


def population_error(reference: Redfield) -> NDArray[np.float64]:
    """First-order bound on the rounding error of every population, shape (d,).

    delta p = W^# (delta W) p, with the group inverse W^# of the rate matrix. (delta W) p has the
    relative rounding of the rates, and what a rotation of levels k, c by the angle theta does to
    the flow through k: 2 theta |X_kc| for the secular part X_kc = in_kc - p_k out_ck of L2(rho0),
    and to the flow into other levels (`_rotated_sources`).
    """
    populations = reference.populations
    rates = reference.transition_rates
    angles = reference.spectrum.rotation_angles()
    inflow = np.zeros_like(angles, dtype=complex)
    outflow = np.zeros_like(angles, dtype=complex)
    for coupling in reference.couplings:
        absorption, emission = coupling.rates
        down, up = coupling.matrix, coupling.matrix.conj().T
        inflow += (down * emission * populations) @ up + (up * absorption.T * populations) @ down
        outflow += up @ (down * emission) + down @ (up * absorption.T)
    flow = np.abs(inflow - populations[:, None] * outflow.T)
    kick: NDArray[np.float64] = 2 * np.sum(angles * flow, axis=1)
    kick += _rotated_sources(reference, angles)
    errors = _rate_errors(reference)
    kick += errors @ populations + populations * errors.sum(axis=0)
    error: NDArray[np.float64] = np.abs(group_inverse(rates, populations)) @ kick
    return error + 8 * UNIT_ROUNDOFF * reference.spectrum.dimension * populations


def _rotated_sources(reference: Redfield, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the rotation of two levels a, b into each other does to the flow into any level.

    Into k: |S_ka S_kb| |g_ka p_a - g_kb p_b| theta with the rates g = J (n+1) or J n, at most the
    sum of g |p_a - p_b| theta and of p |g_ka - g_kb| theta. For close levels the second term is
    small as g is smooth, so that theta ~ eta / gap is cancelled there by the gap, which
    `_rate_errors` counts; what is left is the rounding of the vectors, 4 u.
    """
    populations = reference.populations
    spread = angles * np.abs(np.subtract.outer(populations, populations))
    together = (angles > 0).astype(float)
    total = np.zeros(len(populations))
    for coupling in reference.couplings:
        absorption, emission = coupling.rates
        size = np.abs(coupling.matrix)
        for into, gain in ((size, emission), (size.T, absorption.T)):
            flow = into * gain
            total += np.sum((flow @ spread) * into, axis=1)
            apart = ((flow * populations) @ together) * into
            apart += ((into * populations) @ together) * flow
            total += 4 * UNIT_ROUNDOFF * np.sum(apart, axis=1)
    return total


def group_inverse(
    rates: NDArray[np.float64], populations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """W^# of the generator W with kernel p: (W - s p 1^T)^-1 + p 1^T / s for any s > 0."""
    generator = rates - np.diag(rates.sum(axis=0))
    scale = float(np.abs(np.diag(generator)).max())
    projector = np.multiply.outer(populations, np.ones_like(populations))
    return np.asarray(np.linalg.inv(generator / scale - projector) + projector) / scale


def _rate_errors(reference: Redfield) -> NDArray[np.float64]:
    """Rounding error of every transition rate, rotated levels apart, shape (d, d).

    The bath functions are evaluated at both ends of the rounding interval of every Bohr energy.
    """
    energies = reference.spectrum.energies
    shift = 4 * UNIT_ROUNDOFF * float(np.abs(energies).max())
    total = 32 * UNIT_ROUNDOFF * reference.transition_rates
    for coupling in reference.couplings:
        low = coupling.rates_at(coupling.bohr - shift)
        high = coupling.rates_at(coupling.bohr + shift)
        strength = np.abs(coupling.matrix) ** 2
        total += strength * np.abs(high[1] - low[1])
        total += (strength * np.abs(high[0] - low[0])).T
    np.fill_diagonal(total, 0.0)
    return total
