"""The open XXZ spin chain of the SDP-paper (Eq. 35), with its factor-of-two slip mended."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from lindfeas.errors import InputError, quoted
from lindfeas.physics.models.model_spec import Key, ModelSpec
from lindfeas.physics.systems.bath import Bath, checked_baths
from lindfeas.physics.systems.checks import finite_number, square_matrix
from lindfeas.physics.systems.open_system import OpenSystem
from lindfeas.physics.systems.sites import embed, product_charges, shifts

SIGMA_Z = np.diag([1.0, -1.0])
SIGMA_MINUS = np.array([[0.0, 0.0], [1.0, 0.0]])
SIGMA_X = np.array([[0.0, 1.0], [1.0, 0.0]])
EXCHANGE = np.array([[0, 0, 0, 0], [0, 0, 2.0, 0], [0, 2.0, 0, 0], [0, 0, 0, 0]])
"""sigma_x sigma_x + sigma_y sigma_y of two qubits."""

DENSE_MATRICES = 8
"""So many dense d x d arrays of doubles are needed at the very least."""

SPIN_OPERATORS = {"sigma_minus": SIGMA_MINUS, "sigma_x": SIGMA_X, "sigma_z": SIGMA_Z}
"""Coupling operators that a problem file can name."""


def xxz_chain(
    *,
    sites: int,
    baths: Sequence[Bath],
    field: float | Sequence[float] = 0.5,
    coupling: float | Sequence[float] = 1.0,
    anisotropy: float | Sequence[float] = 1.0,
) -> OpenSystem:
    """An open chain of qubits with XXZ exchange between neighbours.

    H = sum_l field_l sigma_z^l + sum_l coupling_l (sigma_x sigma_x + sigma_y sigma_y
    + anisotropy_l sigma_z sigma_z)^(l,l+1). SDP-paper Eq. (35) writes omega_0 where its data use
    omega_0/2: its figures are ``field=0.5``.

    Parameters
    ----------
    sites
        Number of qubits, at least 1.
    baths
        Baths on any sites; one without ``couplings`` gets sigma_minus on each of its sites.
    field
        Coefficient of sigma_z (energy): one number, or one per site.
    coupling, anisotropy
        Exchange (energy) and its dimensionless anisotropy: one number, or one per bond.

    Returns
    -------
    OpenSystem
        With the magnetisation (number of up spins) as charge where the couplings respect it.

    Raises
    ------
    InputError
        If a list has the wrong length or a bath does not fit.

    Examples
    --------
    >>> from lindfeas import Bath, models
    >>> chain = models.xxz_chain(
    ...     sites=2, coupling=0.1, baths=[Bath(name="left", sites=(0,), beta=1.0)]
    ... )
    >>> chain.dimension
    4
    """
    if isinstance(sites, bool) or not isinstance(sites, int | np.integer) or sites < 1:
        raise InputError(f"must be a whole number >= 1, but is {quoted(sites)}", "system.sites")
    sites = int(sites)
    check_memory(sites)
    baths = checked_baths(baths)
    fields = _values(field, sites, "system.field", "site")
    exchange = _values(coupling, sites - 1, "system.coupling", "bond")
    ratios = _values(anisotropy, sites - 1, "system.anisotropy", "bond")
    dimensions = (2,) * sites
    size = 2**sites
    hamiltonian = sp.csr_array((size, size))
    for site, value in enumerate(fields):
        hamiltonian = hamiltonian + value * embed(SIGMA_Z, (site,), dimensions)
    for bond, (value, ratio) in enumerate(zip(exchange, ratios, strict=True)):
        with np.errstate(over="ignore"):  # what is infinite then, OpenSystem refuses
            pair = value * (EXCHANGE + ratio * np.kron(SIGMA_Z, SIGMA_Z))
        hamiltonian = hamiltonian + embed(pair, (bond, bond + 1), dimensions)
    full = tuple(_with_spin_couplings(bath) for bath in baths)
    return OpenSystem(
        hamiltonian=hamiltonian,
        dimensions=dimensions,
        baths=full,
        charge=((1, 0),) * sites if _respects_magnetisation(full) else None,
    )


def check_memory(qubits: int) -> None:
    """Refuse a chain that cannot fit, before the operating system ends the process."""
    if not hasattr(os, "sysconf"):
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    largest = max((memory // (8 * DENSE_MATRICES)).bit_length() - 1, 0) // 2
    if qubits > largest:
        raise InputError(
            f"must be at most {largest} for the {memory / 1e9:.0f} GB of this machine, but is "
            f"{quoted(qubits)} (2^{quoted(qubits)} levels)",
            "system.sites",
        )


def _values(value: float | Sequence[float], count: int, where: str, what: str) -> list[float]:
    several = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim)
    values = list(value) if several else [value] * count  # type: ignore[arg-type]
    if len(values) != count:
        raise InputError(
            f"must be one number, or one per {what} ({count}), but has {len(values)}", where
        )
    return [finite_number(item, where) for item in values]


def _with_spin_couplings(bath: Bath) -> Bath:
    return bath if bath.couplings is not None else with_spin_couplings(bath, "sigma_minus")


def with_spin_couplings(bath: Bath, operator: str) -> Bath:
    """``bath`` with the named spin operator on each of its sites as couplings."""
    dimensions = (2,) * len(bath.sites)
    single = SPIN_OPERATORS[operator]
    return replace(
        bath,
        couplings=tuple(
            embed(single, (site,), dimensions).toarray() for site in range(len(bath.sites))
        ),
        region_order=True,
    )


def _respects_magnetisation(baths: Sequence[Bath]) -> bool:
    for bath in baths:
        charges = product_charges(((1, 0),) * len(bath.sites), (2,) * len(bath.sites))
        for number, operator in enumerate(bath.couplings or ()):
            matrix = square_matrix(operator, f"bath.{bath.name}.couplings[{number}]")
            if matrix.shape[0] != charges.size or len(shifts(matrix, charges)) > 1:
                return False
    return True


def _sites(keys: Mapping[str, Any]) -> int:
    check_memory(keys["sites"])
    return int(keys["sites"])


XXZ_CHAIN = ModelSpec(
    name="xxz_chain",
    title="Chain",
    description="An open chain of qubits with XXZ exchange between neighbours.",
    keys={
        "sites": Key("number of sites", "N", "dimensionless", "number of qubits", is_count=True),
        "field": Key(
            "field", "h", "energy", "coefficient of sigma_z (energy): one, or one per site", 0.5
        ),
        "coupling": Key(
            "coupling", "g", "energy", "exchange g (energy): one, or one per bond", 1.0
        ),
        "anisotropy": Key(
            "anisotropy",
            r"\Delta",
            "dimensionless",
            "of sigma_z sigma_z; 1 is isotropic: one, or one per bond",
            1.0,
        ),
    },
    operators=tuple(SPIN_OPERATORS),
    sites=_sites,
    couple=with_spin_couplings,
    build=xxz_chain,
)
