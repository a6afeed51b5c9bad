"""What a bath does at first order: its rates, and the half-sided transforms of its correlations.

For a thermal bosonic bath, with J(w) the spectral density and n(w) = 1/(exp(beta (w - mu)) - 1),

    C(E) = J(E) n(E) / 2       - (i / 2 pi) P int_0^inf J(w) n(w)       / (w - E) dw
    D(E) = J(E) (n(E)+1) / 2   - (i / 2 pi) P int_0^inf J(w) (n(w)+1)   / (w - E) dw

(Eq. (41) of "Semidefinite programming for understanding limitations of Lindblad equations",
which lacks the 1/(2 pi)). Units: hbar = k_B = 1.

The principal values are those of `lindfeas.physics.baths.principal_value`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lindfeas.errors import InputError, PhysicsError
from lindfeas.physics.baths.custom_density import CustomDensity
from lindfeas.physics.baths.occupation import FloatArray, Occupied, finite
from lindfeas.physics.baths.principal_value import SMALLEST, buckets, principal_values

ComplexArray = NDArray[np.complex128]

FAMILY_ERROR = 1e-13
"""Relative accuracy of C(E) and D(E) for the built-in spectral densities (tested at 3e-14)."""

CUSTOM_ERROR = 1e-12
"""The same for a user's spectral density, which is only as smooth as it is."""


DENORMAL = 8 * 5e-324
"""Absolute rounding of a spectral density, or a rate, that is as small as doubles can be."""


class Correlation(Protocol):
    """All that the equations ask of a bath."""

    @property
    def relative_error(self) -> float:
        """Relative accuracy of the transforms."""

    @property
    def converges_at_zero(self) -> bool:
        """Whether both transforms converge at E = 0."""

    @property
    def rate_from_above(self) -> float:
        """Limit of both rates as E -> 0 from above; from below it is 0."""

    def rates(self, energies: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """(absorption, emission) at energies E, per |<a|S|g>|^2."""

    def rate_rounding(self, energies: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Relative rounding of both rates, beyond a few ulp times max(1, beta |E|)."""

    def transforms(self, energies: ArrayLike) -> tuple[ComplexArray, ComplexArray]:
        """(C(E), D(E))."""

    def at_zero(self) -> complex:
        """Limit of D(E) + conj(C(-E)) as E -> 0: all that a Hermitian coupling needs there."""


@dataclass(frozen=True)
class Thermal(Occupied):
    """The correlations of independent bosons in thermal equilibrium."""

    @property
    def relative_error(self) -> float:
        """Relative accuracy of the transforms."""
        return CUSTOM_ERROR if isinstance(self.density, CustomDensity) else FAMILY_ERROR

    @property
    def converges_at_zero(self) -> bool:
        """Whether the principal values of C and D converge at E = 0: J n vanishes like a power.

        For mu < 0, at zero temperature, or with an exponent above 1.
        """
        return self.low_frequency_power > 0.0

    @property
    def rate_from_above(self) -> float:
        """Limit of J(E) (n(E) + 1), and of J(E) n(E), as E -> 0 from above; from below it is 0.

        leading_coefficient / beta for exponent 1 and mu = 0 at a positive temperature, infinite
        for a lower exponent; zero for a higher one, for mu < 0 and at zero temperature, where the
        rate is continuous.
        """
        power = self.low_frequency_power
        if power < 0.0:
            return math.inf
        return self.density.leading_coefficient / self.beta if power == 0.0 else 0.0

    def rates(self, energies: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Rates of absorption J(E) n(E) and of emission J(E) (n(E) + 1), per |<a|S|g>|^2.

        Zero for E <= 0: at E = 0 no energy is exchanged and no population moves, whatever the
        limit E -> 0 may be; see `at_zero` for what dephases at E = 0.

        Parameters
        ----------
        energies
            Energies E that the system gives to the bath in an emission, any shape.

        Returns
        -------
        (absorption, emission), in the shape of `energies`; relative error a few ulp times
        max(1, beta (E - mu)) in the absorption. Their ratio is exp(-beta (E - mu)).

        Raises
        ------
        InputError
            An energy is not finite.
        """
        absorption, emission = self.occupied(finite(energies, "energies"))
        return absorption, emission

    def rate_rounding(self, energies: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Relative rounding of both rates: of exp(beta mu), and where J is hardly a double."""
        denormal = DENORMAL / np.maximum(self.density(energies), DENORMAL)
        singular = self.mu < 0 and self.beta < math.inf
        fugacity = -2 * np.finfo(float).eps * self.beta * self.mu if singular else 0.0
        return fugacity + denormal, denormal

    def transforms(self, energies: ArrayLike) -> tuple[ComplexArray, ComplexArray]:
        """Half-sided transforms C(E) and D(E) of the bath correlation functions.

        Real parts are half the rates of absorption and emission, imaginary parts -1/(2 pi) times
        the principal values (module docstring). Energies are treated together: the cost is one
        mesh, and about a thousand kernel values per energy.

        Parameters
        ----------
        energies
            Energies E, any sign and any shape.

        Returns
        -------
        (C(E), D(E)), in the shape of `energies`; relative error below 1e-12, and about 1e-15 for
        the built-in families. Close to a jump of J at b it grows like 1e-16 b / |E - b|.

        Raises
        ------
        InputError
            An energy is not finite.
        PhysicsError
            An energy at which the principal value diverges: E = 0 when J(w) n(w) does not vanish
            for w -> 0 (exponent <= 1 at a positive temperature with mu = 0), or a jump of J.
        AccuracyError
            J is too rough to be resolved, or decays too slowly at high frequency.

        Examples
        --------
        >>> from lindfeas.physics.baths.spectral_density import DrudeLorentz
        >>> c, d = Thermal(DrudeLorentz(cutoff=1.0), math.inf).transforms(-1.0)
        >>> bool(abs(d + 1j / 8) < 1e-15)  # (1/2 pi) int_0^inf w / (1 + w^2) / (w + 1) dw = 1/8
        True
        >>> bool(c == 0.0)
        True
        """
        given = finite(energies, "energies")
        if np.any((np.abs(given) < SMALLEST) & (given != 0.0)):
            raise InputError(f"must be zero or at least {SMALLEST:g} in size", "energies")
        distinct, position = np.unique(given.ravel(), return_inverse=True)
        both = self.occupied(distinct)
        transform = np.empty_like(both)
        for members in buckets(distinct):
            transform[:, members] = principal_values(self, distinct[members], both[:, members])
        absorbed, emitted = (0.5 * both - 0.5j / math.pi * transform)[:, position]
        return absorbed.reshape(given.shape), emitted.reshape(given.shape)

    def at_zero(self) -> complex:
        """Limit K(0) of D(E) + conj(C(-E)) as E -> 0, all that a Hermitian coupling needs at E = 0.

        K(0) = lim_{w->0+} J(w) (n(w) + 1) / 2 - (i / 2 pi) int_0^inf J(w)/w dw: the divergent
        parts of C and D cancel, and the imaginary part, the reorganisation energy, depends neither
        on temperature nor on mu. The limit is leading_coefficient / beta for exponent 1 and mu = 0
        at a positive temperature, and zero for a higher exponent, mu < 0 or zero temperature.

        Raises
        ------
        PhysicsError
            Exponent < 1 at a positive temperature with mu = 0: J(w) n(w) diverges for w -> 0.
        AccuracyError
            As in `transforms`.
        """
        dephasing = self.rate_from_above
        if math.isinf(dephasing):
            raise PhysicsError(
                "must be at least 1 for a coupling that acts at zero frequency (positive "
                f"temperature, mu = 0), but is {self.density.exponent}: the dephasing rate "
                "diverges",
                "exponent",
            )
        _, reorganisation = Thermal(self.density, math.inf).transforms(0.0)
        return complex(0.5 * dephasing, float(reorganisation.imag))
