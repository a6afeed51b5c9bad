"""What the user describes: a small system, and the thermal baths it touches.

Conventions (hbar = k_B = 1): the leftmost tensor factor is the most significant, and for a
qubit state 0 is up (excited), so that ``sigma_minus = |1><0|`` lowers the energy of
``H = field * sigma_z`` with a positive field. These are QuTiP's conventions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from lindfeas.errors import InputError, quoted
from lindfeas.physics.systems.bath import BATH_HEADER, Bath, checked_baths, site_numbers
from lindfeas.physics.systems.charge_search import Charge, find_charge
from lindfeas.physics.systems.checks import square_matrix
from lindfeas.physics.systems.sites import (
    embed,
    partial_trace,
    product_charges,
    shifted_part,
    shifts,
)
from lindfeas.text import Facts, Grid, Heading, Section, Shown, short_list

HERMITICITY_TOLERANCE = 1e-13
"""Largest |H - H^dagger| entry put down to rounding, relative to the largest |H| entry (for a
Hamiltonian after the middle of its diagonal is taken out, so that an offset hides nothing)."""

LARGEST_CHARGE = 1_000_000
"""Largest absolute charge of a basis state."""

FIND = "find"
"""In the place of a charge: take the finest one that the matrices conserve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenSystem(Shown):
    """A finite system with Hamiltonian H_S, weakly coupled to thermal baths.

    Parameters
    ----------
    hamiltonian
        H_S, Hermitian d x d: numpy array, scipy sparse matrix or QuTiP ``Qobj`` (energy).
    dimensions
        Local dimension of every site; their product is d. May be left out for a ``Qobj``, whose
        ``dims`` say it. Where the ``dims`` of H_S or of a coupling say something else, they are
        refused.
    baths
        The baths; their regions must not overlap.
    charge
        One integer for every basis state of every site (for spins, the magnetisation), so that the
        total is conserved by H_S and shifted by a fixed amount by every coupling. It makes the
        problem block diagonal, exactly and without changing the answer. ``"find"``, the default,
        takes the finest charge that the matrices conserve, if there is one; a charge that is given
        is verified; None leaves them all unused.

    Raises
    ------
    InputError
        If anything above does not hold; the message names the argument.
    """

    hamiltonian: Any = field(kw_only=False)
    dimensions: tuple[int, ...] = None  # type: ignore[assignment]  # what H says
    baths: tuple[Bath, ...]
    charge: tuple[tuple[int, ...], ...] | None = FIND  # type: ignore[assignment]
    charge_is_found: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        given = _own_factors(self.hamiltonian) if self.dimensions is None else self.dimensions
        set_(self, "dimensions", _dimensions(given))
        _check_factors(self.hamiltonian, [self.dimensions], "system.H")
        set_(self, "hamiltonian", _hermitian(self.hamiltonian, self.dimension, "system.H"))
        set_(self, "baths", checked_baths(self.baths))
        searched = isinstance(self.charge, str) and self.charge == FIND
        if not searched:
            set_(self, "charge", _charge(self.charge, self.dimensions))
        _check_regions(self.baths, len(self.dimensions))
        set_(self, "baths", tuple(self._with_local_couplings(bath) for bath in self.baths))
        if searched:
            set_(self, "charge", self._found_charge())
            set_(self, "charge_is_found", self.charge is not None)
        self._check_charge()

    @property
    def dimension(self) -> int:
        """Dimension d of the system's Hilbert space."""
        return math.prod(self.dimensions)

    @property
    def charge_text(self) -> str:
        """The charge on one line, and whether it was found; empty if there is none."""
        if self.charge is None:
            return ""
        several = len(self.charge) > 1 and len(set(self.charge)) == 1
        listed = f"{self.charge[0]} on every site" if several else ", ".join(map(str, self.charge))
        return quoted(listed, how=str) + (", found" if self.charge_is_found else "")

    def region_dimension(self, bath: Bath) -> int:
        """Dimension d_r of the region that ``bath`` acts on."""
        return math.prod(self.dimensions[site] for site in bath.sites)

    def charges(self) -> NDArray[np.int64]:
        """Total charge of every product basis state, shape (d,); zeros without a charge."""
        return product_charges(self.charge, self.dimensions)

    def region_charges(self, bath: Bath) -> NDArray[np.int64]:
        """Charge of every product basis state of the bath's region, shape (d_r,)."""
        dimensions = [self.dimensions[site] for site in bath.sites]
        local = None if self.charge is None else [self.charge[site] for site in bath.sites]
        return product_charges(local, dimensions)

    def embed(self, operator: ArrayLike | sp.sparray, sites: Sequence[int]) -> sp.csr_array:
        """``operator`` on ``sites``, times the identity elsewhere, as a sparse d x d matrix.

        Its tensor factors are those of ``sites``, in the listed order.

        Raises
        ------
        InputError
            If the sites are not sites of the system, or the operator does not fit them.
        """
        numbers = site_numbers(sites, "embed")
        _check_range(numbers, len(self.dimensions), "embed.sites")
        matrix = square_matrix(operator, "embed.operator")
        size = math.prod(self.dimensions[site] for site in numbers)
        if matrix.shape[0] != size:
            raise InputError(
                f"must be {size} x {size} on sites {list(numbers)}, but is "
                f"{matrix.shape[0]} x {matrix.shape[1]}",
                "embed.operator",
            )
        return embed(matrix, numbers, self.dimensions)

    def with_found_charge(self) -> OpenSystem:
        """The same system with the finest charge that its matrices conserve, or none.

        Examples
        --------
        >>> import numpy as np
        >>> import lindfeas as lf
        >>> lower = np.diag(np.sqrt([1.0, 2.0]), 1)
        >>> swap = np.kron(lower, lower.T)
        >>> number = np.diag([0.0, 1.0, 2.0])
        >>> energy = 5 * np.kron(number, np.eye(3)) + 7 * np.kron(np.eye(3), number)
        >>> bath = lf.Bath(name="bath", sites=(1,), beta=0.5, couplings=(lower,))
        >>> pair = lf.OpenSystem(
        ...     hamiltonian=energy + 0.1 * (swap + swap.T),
        ...     dimensions=(3, 3),
        ...     baths=(bath,),
        ...     charge=None,
        ... )
        >>> pair.charge, pair.with_found_charge().charge
        (None, ((0, 1, 2), (0, 1, 2)))
        """
        return replace(self, charge=FIND)  # type: ignore[arg-type]

    def _found_charge(self) -> Charge | None:
        """See `find_charge`."""
        return find_charge(
            self.hamiltonian,
            [(bath.sites, operator) for bath in self.baths for operator in bath.couplings or ()],
            self.dimensions,
            width=_width(self.hamiltonian),
            largest=LARGEST_CHARGE,
        )

    def _sections(self) -> list[Section]:
        sizes = short_list(self.dimensions, most=12)
        rows = [("levels", str(self.dimension)), ("dimensions", sizes)]
        rows.append(("charge", self.charge_text or "none"))
        return [
            Heading("Open system"),
            Facts(rows),
            Grid("baths", BATH_HEADER, [bath.cells for bath in self.baths]),
        ]

    def couplings(self) -> list[tuple[Bath, int, sp.csr_array]]:
        """All couplings as (bath, number within the bath, sparse d x d operator)."""
        return [
            (bath, number, self.embed(operator, bath.sites))
            for bath in self.baths
            for number, operator in enumerate(bath.couplings or ())
        ]

    def _with_local_couplings(self, bath: Bath) -> Bath:
        where = f"bath.{bath.name}.couplings"
        if not bath.couplings:
            raise InputError("must hold at least one coupling operator, but is empty", where)
        local = tuple(
            self._local_coupling(operator, bath, f"{where}[{number}]")
            for number, operator in enumerate(bath.couplings)
        )
        density = bath.spectral_density
        if isinstance(density, tuple | list) and len(density) != len(local):
            raise InputError(
                f"must be one, or one per coupling ({len(local)}), but there are {len(density)}",
                f"bath.{bath.name}.spectral_density",
            )
        own = tuple(density) if isinstance(density, tuple | list) else density
        return replace(bath, couplings=local, spectral_density=own)

    def _local_coupling(self, operator: Any, bath: Bath, where: str) -> NDArray[Any]:
        own = [self.dimensions[site] for site in bath.sites]
        _check_factors(operator, [own, self.dimensions], where)
        matrix = square_matrix(operator, where)
        region = self.region_dimension(bath)
        if matrix.shape == (self.dimension, self.dimension) and region != self.dimension:
            return self._restricted(matrix, bath, where)
        if matrix.shape != (region, region):
            raise InputError(
                f"must be {region} x {region} (the region) or {self.dimension} x {self.dimension} "
                f"(the system), but is {matrix.shape[0]} x {matrix.shape[1]}",
                where,
            )
        if region == self.dimension and not bath.region_order:
            self._check_order(matrix, bath, where)
        return _frozen(matrix.toarray())

    def _check_order(self, matrix: sp.csr_array, bath: Bath, where: str) -> None:
        """Refuse a d x d matrix that means another operator in the region's order of sites."""
        other = self.embed(matrix, bath.sites)
        parts = ((_diagonal(matrix), _diagonal(other)), (_rest(matrix), _rest(other)))
        # apart, as a large diagonal moves no populations and must not hide the rest
        if any(abs(b - a).max() > HERMITICITY_TOLERANCE * abs(a).max() for a, b in parts):
            raise InputError(
                "must have one meaning, but its tensor factors could be the bath's sites "
                f"{list(bath.sites)} or the system's sites {sorted(bath.sites)}, and the operators "
                "differ: list the bath's sites in ascending order",
                where,
            )

    def _restricted(self, matrix: sp.csr_array, bath: Bath, where: str) -> NDArray[Any]:
        """The region's part S_r of S = S_r (x) 1, after checking that S is of that form."""
        local = partial_trace(matrix, bath.sites, self.dimensions)
        local = local * (self.region_dimension(bath) / self.dimension)
        difference = abs(matrix - self.embed(local, bath.sites)).max()
        if difference > HERMITICITY_TOLERANCE * max(abs(matrix).max(), 1e-300):
            raise InputError(
                f"must act on the bath's sites {list(bath.sites)} only, but also acts elsewhere",
                where,
            )
        return _frozen(local)

    def _check_charge(self) -> None:
        """Verify the claim, and leave out what violates it by rounding."""
        if self.charge is None:
            return
        charges = self.charges()
        found = shifts(self.hamiltonian, charges, _width(self.hamiltonian))
        if found - {0}:
            raise InputError(
                "must be conserved by H, but H connects states of different charge",
                "system.charge",
            )
        object.__setattr__(self, "hamiltonian", shifted_part(self.hamiltonian, charges, 0))
        baths = tuple(self._with_shifts(bath) for bath in self.baths)
        object.__setattr__(self, "baths", baths)

    def _with_shifts(self, bath: Bath) -> Bath:
        """The bath with every coupling reduced to the one shift of the charge that it has."""
        charges = self.region_charges(bath)
        reduced = []
        for number, operator in enumerate(bath.couplings or ()):
            matrix = sp.csr_array(operator)
            found = sorted(shifts(matrix, charges))
            if len(found) > 1:
                raise InputError(
                    "must be shifted by one fixed amount by every coupling, but coupling "
                    f"{number} of bath {bath.name!r} shifts it by {found}",
                    "system.charge",
                )
            reduced.append(_frozen(shifted_part(matrix, charges, found[0]).toarray()))
        return replace(bath, couplings=tuple(reduced))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _own_factors(hamiltonian: Any) -> list[int]:
    """The tensor factors that a QuTiP object says it has."""
    dims = getattr(hamiltonian, "dims", None)
    if not isinstance(dims, list) or len(dims) != 2 or dims[0] != dims[1]:
        raise InputError(
            "must be given, one number of levels per site, unless H is a QuTiP operator, whose "
            f"dims say it, but H is {_kind(hamiltonian)}",
            "system.dimensions",
        )
    return list(dims[0])


def _kind(value: Any) -> str:
    dims = getattr(value, "dims", None)
    own = f" with dims {quoted(dims)}" if isinstance(dims, list) else ""
    return f"of type {type(value).__name__}{own}"


def _dimensions(dimensions: Any) -> tuple[int, ...]:
    try:
        values = tuple(dimensions)
    except TypeError:
        raise InputError(
            f"must be a list, one per site, but is {quoted(dimensions)}", "system.dimensions"
        ) from None
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 2:
            raise InputError(
                f"must hold whole numbers >= 2, but is {quoted(list(values))}", "system.dimensions"
            )
    if not values:
        raise InputError("must hold at least one site, but is empty", "system.dimensions")
    return tuple(int(value) for value in values)


def _diagonal(matrix: sp.csr_array) -> sp.csr_array:
    return sp.csr_array(sp.diags_array(matrix.diagonal()))


def _rest(matrix: sp.csr_array) -> sp.csr_array:
    return sp.csr_array(matrix - _diagonal(matrix))


def _width(matrix: sp.csr_array) -> float:
    """Largest entry once the middle of the diagonal, an offset of the energy, is taken out."""
    diagonal = matrix.diagonal().real
    middle = float(diagonal.min() / 2 + diagonal.max() / 2)
    return float(abs(matrix - middle * sp.eye_array(matrix.shape[0])).max())


def _check_factors(value: Any, allowed: Sequence[Sequence[int]], where: str) -> None:
    """Refuse a QuTiP object whose own ``dims`` say that its tensor factors are others."""
    dims = getattr(value, "dims", None)
    if not isinstance(dims, list) or len(dims) != 2 or not isinstance(dims[0], list):
        return
    known = [list(one) for one in allowed]
    if len(dims[0]) > 1 and (dims[0] != dims[1] or dims[0] not in known):
        ways = " or ".join(str([one, one]) for one in known)
        raise InputError(f"must have the tensor factors {ways}, but has dims {dims}", where)


def _hermitian(value: Any, dimension: int, where: str) -> sp.csr_array:
    matrix = square_matrix(value, where)
    if matrix.shape[0] != dimension:
        raise InputError(
            f"must be {quoted(dimension)} x {quoted(dimension)} to fit the dimensions, but is "
            f"{matrix.shape[0]} x {matrix.shape[1]}",
            where,
        )
    half = matrix / 2
    adjoint = half.conj().T
    difference, allowed = 2 * abs(half - adjoint).max(), HERMITICITY_TOLERANCE * _width(matrix)
    if difference > allowed:
        row, column = np.unravel_index(int(np.argmax(abs(half - adjoint).toarray())), matrix.shape)
        raise InputError(
            f"must be Hermitian, but entries [{row}, {column}] and [{column}, {row}], "
            f"{matrix[row, column]:.6g} and {matrix[column, row]:.6g}, are conjugate only up to "
            f"{difference:.3e}, where {allowed:.1e} is allowed for rounding",
            where,
        )
    hermitian = sp.csr_array(half + adjoint)  # the matrix that every answer is about
    hermitian.data.flags.writeable = False
    return hermitian


def _charge(charge: Any, dimensions: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
    if charge is None:
        return None
    where = "system.charge"
    try:
        if isinstance(charge, str):
            raise TypeError
        values = tuple(tuple(local) for local in charge)
    except TypeError:
        raise InputError(
            f"must hold one list of integers per site, or be 'find' or None, but is "
            f"{quoted(charge)}",
            where,
        ) from None
    if [len(local) for local in values] != list(dimensions):
        raise InputError(
            f"must hold one integer per basis state of every site (dimensions "
            f"{list(dimensions)}), but has lengths "
            f"{quoted([len(local) for local in values])}",
            where,
        )
    for local in values:
        for value in local:
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise InputError(f"must hold integers, but holds {quoted(value)}", where)
            if abs(int(value)) > LARGEST_CHARGE:
                raise InputError(
                    f"must hold integers up to {LARGEST_CHARGE}, but holds {quoted(value)}", where
                )
    return tuple(tuple(int(value) for value in local) for local in values)


def _check_range(sites: Sequence[int], count: int, where: str) -> None:
    for site in sites:
        if not 0 <= site < count:
            raise InputError(
                f"must be site numbers from 0 to {count - 1}, but holds {quoted(site)}", where
            )


def _check_regions(baths: tuple[Bath, ...], sites: int) -> None:
    if not baths:
        raise InputError("must hold at least one bath, but is empty", "bath")
    owner: dict[int, str] = {}
    names: set[str] = set()
    for bath in baths:
        if bath.name in names:
            raise InputError(f"must be unique, but {bath.name!r} is used twice", "bath.name")
        names.add(bath.name)
        _check_range(bath.sites, sites, f"bath.{bath.name}.sites")
        for site in bath.sites:
            if site in owner:
                raise InputError(
                    f"must not overlap, but site {site} is also in bath {owner[site]!r}",
                    f"bath.{bath.name}.sites",
                )
            owner[site] = bath.name
