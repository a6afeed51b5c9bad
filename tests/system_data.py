"""Open systems as plain data: what both lindfeas and the dense reference are built from.

Numbers are floats or Decimals, operators are complex arrays or `decimal_matrices.Matrix`.
Nothing of lindfeas is imported here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """J(w) of a built-in family: ohmic, ohmic_exponential or drude_lorentz."""

    family: str
    strength: Any
    exponent: Any
    cutoff: Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BathData:
    """A bath: couplings on the region of ``sites`` in the listed order, a density for each."""

    name: str
    sites: tuple[int, ...]
    beta: Any
    mu: Any
    densities: tuple[Density, ...]
    couplings: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SystemData:
    """A Hamiltonian in the product basis, and its baths."""

    dimensions: tuple[int, ...]
    hamiltonian: Any
    baths: tuple[BathData, ...]
    charge: tuple[tuple[int, ...], ...] | None = None

    @property
    def dimension(self) -> int:
        return math.prod(self.dimensions)

    def region_dimension(self, bath: BathData) -> int:
        return math.prod(self.dimensions[site] for site in bath.sites)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The rate rule: ``each`` and ``total`` have low = high."""

    name: str
    low: tuple[Any, ...]
    high: tuple[Any, ...]

    def smallest(self, eigenvalues: list[Decimal]) -> Decimal:
        """min sum_r tr(Gamma_r) lambda_r over the allowed traces."""
        if self.name == "total":
            return Decimal(self.high[0]) * min(eigenvalues)
        pairs = zip(eigenvalues, self.low, self.high, strict=True)
        terms = (Decimal(low if value > 0 else high) * value for value, low, high in pairs)
        return sum(terms, Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question about a system; ``hamiltonian_limit`` is the largest ||H_r||, None for no H_r."""

    target: str
    norm: str
    rule: Rule
    hamiltonian_limit: Any = None

    @property
    def plain(self) -> bool:
        """Whether it is about populations alone."""
        return self.target == "populations"
