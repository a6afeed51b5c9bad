"""The ready-made spectral densities, by the names that problem files give them."""

from lindfeas.physics.baths.ohmic_quartic import OhmicQuartic
from lindfeas.physics.baths.spectral_density import DrudeLorentz, Ohmic, OhmicExponential, PowerLaw

FAMILIES: dict[str, type[PowerLaw] | type[DrudeLorentz]] = {
    "ohmic": Ohmic,
    "ohmic_exponential": OhmicExponential,
    "drude_lorentz": DrudeLorentz,
    "ohmic_quartic": OhmicQuartic,
}
"""The first is meant where a problem file names none.

Every parameter of a family is a key of problem files, with the range, default, symbol and unit that
its field has (see `parameter`).
"""
