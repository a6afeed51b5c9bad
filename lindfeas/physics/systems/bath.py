"""Baths as the user describes them: a region, what couples to it, and what it is like there."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import scipy.sparse as sp

from lindfeas.errors import InputError, quoted, require
from lindfeas.physics.baths.correlation import Correlation, Thermal
from lindfeas.physics.baths.spectral_density import Family, Ohmic, SpectralDensity
from lindfeas.physics.systems.checks import finite_number, real_number
from lindfeas.text import Facts, Heading, Section, Shown, short_list

BATH_NAME = r"[A-Za-z0-9_-]{1,200}"
"""What the name of a bath must match: it is part of dotted keys, and printed in theorems."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bath(Shown):
    """A thermal bosonic bath at one temperature, on one region of sites.

    H_SB = sum_l (S_l B_l^dagger + h.c.): every coupling operator S_l has its own independent
    copy of the bath (design of SDP-paper Eq. 35). The sites are the region on which a
    Lindbladian may act for this bath.

    Parameters
    ----------
    name
        Unique, 1 to 200 of a-z, A-Z, 0-9, ``-`` and ``_``; paths such as ``bath.left.beta``
        use it.
    sites
        The region, as site numbers counted from 0.
    couplings
        Operators S_l as matrices on the region (d_r x d_r, tensor factors in the order of
        ``sites``) or on the whole system (d x d, tensor factors in the order of the system's
        ``dimensions``, identity outside the region). Where the region is the whole system, listed
        in another order, both readings are possible; a matrix that means different operators in
        the two is refused. Models fill it in when it is None.
    beta
        Inverse temperature in units of 1/energy; ``inf`` is zero temperature.
    mu
        Chemical potential (energy), at most 0 for bosons whose spectrum starts at 0.
    spectral_density
        One for all couplings, or one for each.
    region_order
        True decides for the order of ``sites`` where both readings of the couplings are possible.

    Raises
    ------
    InputError
        If anything above does not hold; the message names the argument.
    """

    name: str
    sites: tuple[int, ...]
    beta: float
    mu: float = 0.0
    couplings: tuple[Any, ...] | None = None
    spectral_density: SpectralDensity | tuple[SpectralDensity, ...] = field(default_factory=Ohmic)
    region_order: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name)
        where = f"bath.{self.name}"
        object.__setattr__(self, "sites", site_numbers(self.sites, where))
        object.__setattr__(self, "beta", _beta(self.beta, f"{where}.beta"))
        object.__setattr__(self, "mu", finite_number(self.mu, f"{where}.mu"))
        if self.mu > 0:
            raise InputError(
                f"must be <= 0 for bosons with spectrum from 0, but is {self.mu:g}", f"{where}.mu"
            )
        if self.couplings is not None:
            object.__setattr__(self, "couplings", _operators(self.couplings, where))
        _check_densities(self.spectral_density, where)
        if not isinstance(self.region_order, bool | np.bool_):
            raise InputError(
                f"must be True or False, but is {quoted(self.region_order)}",
                f"{where}.region_order",
            )

    def correlation(self, coupling: int) -> Correlation:
        """What the bath copy behind coupling number ``coupling`` does."""
        return Thermal(self.density_of(coupling), self.beta, self.mu)

    def density_of(self, coupling: int) -> SpectralDensity:
        """Spectral density of the bath copy behind coupling number ``coupling``."""
        if isinstance(self.spectral_density, tuple | list):
            return self.spectral_density[coupling]
        return self.spectral_density

    @property
    def cells(self) -> tuple[str, ...]:
        """Name, sites, beta, mu, couplings and spectral density, as tables show them."""
        count = "the model's" if self.couplings is None else str(len(self.couplings))
        density = self.spectral_density
        densities = density if isinstance(density, tuple | list) else (density,)
        shown = list(dict.fromkeys(_density_text(one) for one in densities))
        sites = short_list(self.sites)
        return self.name, sites, f"{self.beta:g}", f"{self.mu:g}", count, "; ".join(shown)

    def _sections(self) -> list[Section]:
        return [Heading("Thermal bath"), Facts(list(zip(BATH_HEADER, self.cells, strict=True)))]


BATH_HEADER = ("name", "sites", "beta", "mu", "couplings", "spectral density")


def _density_text(density: SpectralDensity) -> str:
    if not isinstance(density, Family):
        return type(density).__name__
    values = ", ".join(f"{one.name} {getattr(density, one.name):g}" for one in fields(density))  # type: ignore[arg-type]
    return f"{type(density).__name__}, {values}"


def checked_baths(baths: Any) -> tuple[Bath, ...]:
    """Several baths as a tuple; anything else is refused."""
    try:
        several = () if isinstance(baths, Bath) else tuple(baths)
    except TypeError:
        raise InputError(f"must be a list of Bath, but is {type(baths).__name__}", "bath") from None
    if isinstance(baths, Bath):
        raise InputError("must be a list of Bath, but is one Bath", "bath")
    for bath in several:
        require(bath, Bath, "bath")
    return several


def _beta(value: Any, where: str) -> float:
    beta = real_number(value, where)
    if math.isnan(beta):
        raise InputError("must be a number > 0 (inf is allowed), but is nan", where)
    if not beta > 0:
        raise InputError(f"must be > 0, but is {beta:g}", where)
    if math.isinf(beta) and isinstance(value, int):
        raise InputError(f"must fit a double-precision number, but is {quoted(value)}", where)
    return beta


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not re.fullmatch(BATH_NAME, name):
        # escapes, because a name that looks like another one is what is wrong with it
        raise InputError(
            f"must be 1 to 200 letters a-z or A-Z, digits, - and _, but is "
            f"{quoted(name, how=ascii)}",
            "bath.name",
        )


def site_numbers(sites: Any, where: str) -> tuple[int, ...]:
    """Site numbers as whole numbers, each once."""
    try:
        numbers = tuple(sites)
    except TypeError:
        raise InputError(
            f"must list site numbers, but is {quoted(sites)}", f"{where}.sites"
        ) from None
    if not numbers:
        raise InputError("must list at least one site, but is empty", f"{where}.sites")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise InputError(
                f"must list whole numbers, but holds {quoted(number)}", f"{where}.sites"
            )
    if len(set(numbers)) < len(numbers):
        raise InputError(
            f"must not repeat a site, but is {quoted(list(numbers))}", f"{where}.sites"
        )
    return tuple(int(number) for number in numbers)


def _operators(couplings: Any, where: str) -> tuple[Any, ...]:
    where = f"{where}.couplings"
    if sp.issparse(couplings) or hasattr(couplings, "full") or _is_one_matrix(couplings):
        raise InputError("must be a list of operators, but is one matrix", where)
    try:
        return tuple(couplings)
    except TypeError:
        raise InputError(
            f"must be a list of operators, but is {quoted(couplings)}", where
        ) from None


def _is_one_matrix(value: Any) -> bool:
    """Whether this is a matrix as an array, or as a list of rows."""
    if isinstance(value, np.ndarray):
        return value.ndim == 2
    rows = value if isinstance(value, list | tuple) else ()
    return any(isinstance(row, list | tuple) and row and np.isscalar(row[0]) for row in rows)


def _check_densities(density: Any, where: str) -> None:
    for one in density if isinstance(density, tuple | list) else (density,):
        if not isinstance(one, SpectralDensity):
            raise InputError(
                "must be a spectral density such as Ohmic, or CustomDensity for a function, but "
                f"is {type(one).__name__}",
                f"{where}.spectral_density",
            )
