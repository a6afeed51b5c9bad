"""A power law whose cutoff is flatter than a Gaussian below it, and steeper above."""

from dataclasses import dataclass
from typing import ClassVar

from lindfeas.physics.baths.spectral_density import PowerLaw


@dataclass(frozen=True, slots=True, kw_only=True)
class OhmicQuartic(PowerLaw):
    """Power law with a quartic cutoff, J(w) = strength * w**exponent * exp(-(w/cutoff)**4).

    Zero for w <= 0.

    Parameters
    ----------
    strength
        Prefactor, >= 0; unit energy**(1 - exponent).
    exponent
        Power s > 0.
    cutoff
        Cutoff frequency, > 0; unit energy.

    Raises
    ------
    InputError
        A parameter is out of range; `where` is its name.

    Examples
    --------
    >>> float(OhmicQuartic(strength=3.0, cutoff=1e9)(2.0))
    6.0
    """

    squarings: ClassVar[int] = 2
