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

from lindfeas.errors import InputError, PhysicsError, require
from lindfeas.physics.baths.correlation import Correlation
from lindfeas.physics.equations.rate_equation import stationary_distribution
from lindfeas.physics.systems.bath import Bath
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.physics.systems.sites import shifts
from lindfeas.physics.systems.spectrum import Spectrum, diagonalise
from lindfeas.text import Facts, Grid, Heading, Section, Shown

SHOWN_LEVELS = 16
"""Levels that a notebook shows."""

HERMITIAN_TOLERANCE = 1e-12
"""Largest entry of S - exp(2 i phi) S^dagger, relative to that of S, put down to rounding."""


@dataclass(frozen=True, kw_only=True)
class Coupling:
    """One coupling operator S_l in the eigenbasis.

    Parameters
    ----------
    bath, number
        Which bath, and which of its couplings.
    matrix
        <a|S_l|g>, shape (d, d).
    spectrum
        The levels that it stands between.
    """

    bath: Bath
    number: int
    matrix: NDArray[Any]
    spectrum: Spectrum

    @property
    def bohr(self) -> NDArray[np.float64]:
        """E_g - E_a, shape (d, d): the energy that S_l gives to the bath."""
        return self.spectrum.bohr

    @cached_property
    def correlation(self) -> Correlation:
        """What this coupling's own bath copy does."""
        return self.bath.correlation(self.number)

    @property
    def where(self) -> str:
        """Path for error messages."""
        return f"bath.{self.bath.name}"

    @cached_property
    def is_hermitian(self) -> bool:
        """Whether S_l is Hermitian up to a phase, S_l = exp(2 i phi) S_l^dagger, and rounding.

        L2 does not depend on the phase: S_l enters it with S_l^dagger in every term.
        """
        adjoint = self.matrix.conj().T
        place = np.unravel_index(int(np.argmax(np.abs(self.matrix))), self.matrix.shape)
        largest, opposite = self.matrix[place], adjoint[place]
        if opposite == 0:
            return bool(largest == 0)
        phase = largest / opposite
        difference = np.abs(self.matrix - phase / abs(phase) * adjoint).max()
        return bool(difference <= HERMITIAN_TOLERANCE * abs(largest))

    @cached_property
    def element_errors(self) -> NDArray[np.float64]:
        """Bound on |delta <a|S|g>|, shape (d, d); zero where the charge forbids an element."""
        return self.spectrum.element_errors(np.abs(self.matrix))

    @cached_property
    def significant(self) -> NDArray[np.bool_]:
        """Elements that are not rounding, neither ours nor that of H as given, shape (d, d)."""
        size = np.abs(self.matrix)
        certain: NDArray[np.bool_] = size > self.spectrum.element_errors(size, of_input=True)
        return certain

    @cached_property
    def rates(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Absorption and emission at every Bohr energy, each of shape (d, d)."""
        return self.correlation.rates(self.bohr)

    @cached_property
    def half_sided(self) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """(S^C, S^D): the elements of S times C(E) and D(E), each of shape (d, d).

        Raises
        ------
        PhysicsError
            If S has an elastic element, and neither do its transforms converge at E = 0 nor do
            the divergent parts cancel, as for Hermitian S.
        """
        elastic = self.elastic
        converges = self.correlation.converges_at_zero
        apart = ~self.spectrum.coinciding | (elastic & converges)
        active = (self.matrix != 0) & apart
        absorbed = np.zeros(self.matrix.shape, dtype=complex)
        emitted = np.zeros(self.matrix.shape, dtype=complex)
        if active.any():
            c, d = self.correlation.transforms(self.bohr[active])
            absorbed[active] = c * self.matrix[active]
            emitted[active] = d * self.matrix[active]
        if elastic.any() and not converges:
            # C and D enter as D(0) + conj(C(0)) only; all of that finite sum goes to D.
            emitted[elastic] = self._zero_frequency() * self.matrix[elastic]
        return absorbed, emitted

    @cached_property
    def elastic(self) -> NDArray[np.bool_]:
        """Elements that transfer no energy and are not zero by rounding, shape (d, d)."""
        return self.spectrum.coinciding & self.significant

    def require_defined_rates(self) -> None:
        """Refuse transitions between different levels of equal energy where the rate jumps.

        From below its limit is 0. From above it is that of J(E) (n(E) + 1), which must then be
        zero, or, if it is finite, come with a matrix element that is zero within its error.
        """
        limit = self.correlation.rate_from_above
        if limit == 0.0:
            return
        between = self.significant if np.isfinite(limit) else self.element_errors > 0
        refused = self.spectrum.coinciding & between
        np.fill_diagonal(refused, False)
        if refused.any():
            final, initial = (int(level[0]) for level in np.nonzero(refused))
            energy = self.spectrum.energies[initial]
            raise PhysicsError(
                f"must not connect different levels of equal energy, but coupling {self.number} "
                f"connects two near energy {energy:.6g} whose distance cannot be told from zero: "
                f"its rate there is 0 or {limit:.6g}, depending on the sign of that distance "
                f"(levels {initial} and {final})",
                f"{self.where}.couplings",
            )

    def _zero_frequency(self) -> complex:
        if not self.is_hermitian:
            raise PhysicsError(
                "must not connect levels of equal energy unless it is Hermitian up to a phase, "
                f"but coupling {self.number} does: its principal-value integrals diverge at zero "
                "frequency (mu = 0, exponent <= 1 and a positive temperature)",
                f"{self.where}.couplings",
            )
        try:
            return self.correlation.at_zero()
        except InputError as error:
            raise error.under(f"{self.where}.spectral_density") from None


@dataclass(frozen=True, kw_only=True)
class Redfield(Shown):
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
            coupling.require_defined_rates()
            absorption, emission = coupling.rates
            strength = np.abs(coupling.matrix) ** 2
            total += strength * emission + (strength * absorption).T
        np.fill_diagonal(total, 0.0)
        return total

    @cached_property
    def populations(self) -> NDArray[np.float64]:
        """Zeroth-order populations p, shape (d,).

        As exact as the rates are: state reduction loses no digit of any of them, however small,
        but rates between levels whose matrix elements are zero within their error are rounding.
        Where such rates compete with the weakest links of the chain, p can be wrong by as much as
        `lindfeas.physics.equations.population_error.population_error` says, in every digit at
        worst.

        Raises
        ------
        PhysicsError
            If the baths do not connect all levels, so that p is not unique, or if a rate jumps
            at the energy of two levels that it connects.
        """
        return stationary_distribution(self.transition_rates, self._connections())

    @cached_property
    def coherence_source(self) -> NDArray[np.complex128]:
        """L2[rho0], shape (d, d), Hermitian: the action that leading coherences must balance."""
        action = self.apply(np.diag(self.populations))
        return (action + action.conj().T) / 2  # exactly, also where all of it nearly cancels

    @cached_property
    def coherences(self) -> NDArray[np.complex128]:
        """rho2, shape (d, d), zero diagonal: 0 = i[rho2, H_S] + L2(rho0).

        <a|rho2|g> = -i <a|L2[rho0]|g> / (E_a - E_g); SDP-paper Eq. (15) has the opposite sign.
        """
        gaps = -self.spectrum.bohr
        same = np.equal.outer(self.spectrum.charges, self.spectrum.charges)
        keep = same & ~np.eye(len(gaps), dtype=bool)
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

    def _sections(self) -> list[Section]:
        charges, energies = self.spectrum.charges, self.spectrum.energies
        header = ("level", "charge", "energy", "population")
        try:
            known = [f"{p:.6g}" for p in self.populations[:SHOWN_LEVELS]]
        except PhysicsError:
            known = ["not unique"] * len(energies[:SHOWN_LEVELS])
        rows = [(str(k), str(charges[k]), f"{energies[k]:.6g}", own) for k, own in enumerate(known)]
        more = len(energies) - len(rows)
        title = "exact steady state at leading order" + (f", {more} levels more" if more else "")
        return [
            Heading("Redfield equation"),
            Facts([("levels", str(len(energies))), ("couplings", str(len(self.couplings)))]),
            Grid(title, header, rows),
        ]

    def _connections(self) -> NDArray[np.bool_]:
        """Transitions whose matrix elements are certainly not rounding."""
        found = np.zeros((self.spectrum.dimension,) * 2, dtype=bool)
        for coupling in self.couplings:
            found |= coupling.significant | coupling.significant.T
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
    charges = system.charges()
    couplings = tuple(
        Coupling(
            bath=bath,
            number=number,
            matrix=spectrum.elements(
                operator, next(iter(shifts(operator, charges))) if system.charge is not None else 0
            ),
            spectrum=spectrum,
        )
        for bath, number, operator in system.couplings()
    )
    return Redfield(system=system, spectrum=spectrum, couplings=couplings)


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
