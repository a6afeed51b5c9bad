"""What a thermal bosonic bath does at first order: its rates and half-sided transforms.

With J(w) the spectral density and n(w) = 1/(exp(beta (w - mu)) - 1),

    C(E) = J(E) n(E) / 2       - (i / 2 pi) P int_0^inf J(w) n(w)       / (w - E) dw
    D(E) = J(E) (n(E)+1) / 2   - (i / 2 pi) P int_0^inf J(w) (n(w)+1)   / (w - E) dw

(Eq. (41) of "Semidefinite programming for understanding limitations of Lindblad equations",
which lacks the 1/(2 pi)). Units: hbar = k_B = 1.

The principal values are those of `lindfeas.physics.baths.principal_value`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lindfeas.errors import InputError, PhysicsError
from lindfeas.physics.baths.principal_value import (
    SMALLEST,
    FloatArray,
    buckets,
    low_frequency_power,
    occupied,
    principal_values,
)
from lindfeas.physics.baths.spectral_density import SpectralDensity

ComplexArray = NDArray[np.complex128]


def occupation(frequency: ArrayLike, beta: float, mu: float = 0.0) -> FloatArray:
    """Mean number of bosons n(w) = 1/(exp(beta (w - mu)) - 1) in a mode of frequency w.

    Parameters
    ----------
    frequency
        Frequencies w > mu (energy), any shape.
    beta
        Inverse temperature (1/energy), > 0; inf is zero temperature.
    mu
        Chemical potential (energy), <= 0.

    Returns
    -------
    n(w), in the shape of `frequency`; relative error a few ulp times max(1, beta (w - mu)).

    Raises
    ------
    InputError
        A parameter is out of range, or a frequency is not above mu.
    """
    beta, mu = _bath(beta, mu)
    above = _finite(frequency, "frequency") - mu
    if np.any(above <= 0.0):
        raise InputError(f"must be above mu = {mu}, but reaches {above.min() + mu}", "frequency")
    with np.errstate(over="ignore", under="ignore"):
        occupied: FloatArray = -np.exp(-beta * above) / np.expm1(-beta * above)
    return occupied


def rates(
    density: SpectralDensity, beta: float, mu: float, energies: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Rates of absorption J(E) n(E) and of emission J(E) (n(E) + 1), per |<a|S|g>|^2.

    Zero for E <= 0: at E = 0 no energy is exchanged and no population moves, whatever the
    limit E -> 0 may be; see `zero_frequency_hermitian` for what dephases at E = 0.

    Parameters
    ----------
    density
        Spectral density J.
    beta
        Inverse temperature (1/energy), > 0; inf is zero temperature.
    mu
        Chemical potential (energy), <= 0.
    energies
        Energies E that the system gives to the bath in an emission, any shape.

    Returns
    -------
    (absorption, emission), in the shape of `energies`; relative error a few ulp times
    max(1, beta (E - mu)) in the absorption. Their ratio is exp(-beta (E - mu)).

    Raises
    ------
    InputError
        A parameter is out of range.
    """
    beta, mu = _bath(beta, mu)
    absorption, emission = occupied(density, beta, mu, _finite(energies, "energies"))
    return absorption, emission


def half_sided(
    density: SpectralDensity, beta: float, mu: float, energies: ArrayLike
) -> tuple[ComplexArray, ComplexArray]:
    """Half-sided transforms C(E) and D(E) of the bath correlation functions.

    Real parts are half the rates of absorption and emission, imaginary parts -1/(2 pi) times
    the principal values (module docstring). Energies are treated together: the cost is one
    mesh, and about a thousand kernel values per energy.

    Parameters
    ----------
    density
        Spectral density J.
    beta
        Inverse temperature (1/energy), > 0; inf is zero temperature.
    mu
        Chemical potential (energy), <= 0.
    energies
        Energies E, any sign and any shape.

    Returns
    -------
    (C(E), D(E)), in the shape of `energies`; relative error below 1e-12, and about 1e-15 for
    the built-in families. Close to a jump of J at b it grows like 1e-16 b / |E - b|.

    Raises
    ------
    InputError
        A parameter is out of range.
    PhysicsError
        An energy at which the principal value diverges: E = 0 when J(w) n(w) does not vanish
        for w -> 0 (exponent <= 1 at a positive temperature with mu = 0), or a jump of J.
    AccuracyError
        J is too rough to be resolved, or decays too slowly at high frequency.

    Examples
    --------
    >>> from lindfeas.physics.baths.spectral_density import DrudeLorentz
    >>> c, d = half_sided(DrudeLorentz(cutoff=1.0), math.inf, 0.0, -1.0)
    >>> bool(abs(d + 1j / 8) < 1e-15)  # (1/2 pi) int_0^inf w / (1 + w^2) / (w + 1) dw = 1/8
    True
    >>> bool(c == 0.0)
    True
    """
    beta, mu = _bath(beta, mu)
    given = _finite(energies, "energies")
    if np.any((np.abs(given) < SMALLEST) & (given != 0.0)):
        raise InputError(f"must be zero or at least {SMALLEST:g} in size", "energies")
    distinct, position = np.unique(given.ravel(), return_inverse=True)
    both = np.array(occupied(density, beta, mu, distinct))
    transform = np.empty_like(both)
    for members in buckets(distinct):
        transform[:, members] = principal_values(
            density, beta, mu, distinct[members], both[:, members]
        )
    absorbed, emitted = (0.5 * both - 0.5j / math.pi * transform)[:, position]
    return absorbed.reshape(given.shape), emitted.reshape(given.shape)


def rate_from_above(density: SpectralDensity, beta: float, mu: float = 0.0) -> float:
    """Limit of J(E) (n(E) + 1), and of J(E) n(E), as E -> 0 from above; from below it is 0.

    leading_coefficient / beta for exponent 1 and mu = 0 at a positive temperature, infinite for
    a lower exponent; zero for a higher one, for mu < 0 and at zero temperature, where the rate
    is continuous.
    """
    beta, mu = _bath(beta, mu)
    power = low_frequency_power(density, beta, mu)
    if power < 0.0:
        return math.inf
    return density.leading_coefficient / beta if power == 0.0 else 0.0


def converges_at_zero(density: SpectralDensity, beta: float, mu: float = 0.0) -> bool:
    """Whether the principal values of C and D converge at E = 0: J n vanishes there like a power.

    For mu < 0, at zero temperature, or with an exponent above 1.
    """
    beta, mu = _bath(beta, mu)
    return low_frequency_power(density, beta, mu) > 0.0


def zero_frequency_hermitian(density: SpectralDensity, beta: float, mu: float = 0.0) -> complex:
    """Limit K(0) of D(E) + conj(C(-E)) as E -> 0, all that a Hermitian coupling needs at E = 0.

    K(0) = lim_{w->0+} J(w) (n(w) + 1) / 2 - (i / 2 pi) int_0^inf J(w)/w dw: the divergent
    parts of C and D cancel, and the imaginary part, the reorganisation energy, depends neither
    on temperature nor on mu. The limit is leading_coefficient / beta for exponent 1 and mu = 0
    at a positive temperature, and zero for a higher exponent, mu < 0 or zero temperature.

    Parameters
    ----------
    density
        Spectral density J.
    beta
        Inverse temperature (1/energy), > 0; inf is zero temperature.
    mu
        Chemical potential (energy), <= 0.

    Returns
    -------
    K(0).

    Raises
    ------
    InputError
        A parameter is out of range.
    PhysicsError
        Exponent < 1 at a positive temperature with mu = 0: J(w) n(w) diverges for w -> 0.
    AccuracyError
        As in `half_sided`.
    """
    beta, mu = _bath(beta, mu)
    dephasing = rate_from_above(density, beta, mu)
    if math.isinf(dephasing):
        raise PhysicsError(
            "must be at least 1 for a coupling that acts at zero frequency (positive temperature, "
            f"mu = 0), but is {density.exponent}: the dephasing rate diverges",
            "exponent",
        )
    _, reorganisation = half_sided(density, math.inf, 0.0, 0.0)
    return complex(0.5 * dephasing, float(reorganisation.imag))


def _bath(beta: float, mu: float) -> tuple[float, float]:
    """Validate the parameters of a bosonic bath whose spectrum starts at 0."""
    if not (_is_number(beta) and beta > 0.0):
        raise InputError(f"must be > 0, but is {beta!r}", "beta")
    if not (_is_number(mu) and -math.inf < mu <= 0.0):
        raise InputError(f"must be finite and <= 0, but is {mu!r}", "mu")
    return float(beta), float(mu)


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool)


def _finite(values: ArrayLike, where: str) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise InputError(f"must be finite, but holds {array[~np.isfinite(array)][0]}", where)
    return array
