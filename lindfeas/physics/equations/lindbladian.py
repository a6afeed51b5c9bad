"""Lindbladians with a dissipator and a Hamiltonian on every region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindfeas.errors import MissingExtraError
from lindfeas.physics.systems.sites import embed
from lindfeas.text import Facts, Grid, Heading, Section, Shown

STRONGEST = 3
"""How many jump operators of a region, and how many terms of each, are shown."""

SMALLEST_RATE = 1e-6
"""Jump operators with rates below this fraction of the region's largest are left out."""

SMALLEST_TERM = 0.1
"""Terms of a normalised jump operator below this are left out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionDissipator:
    """One bath's part of the candidate: D(rho) = sum_ij Gamma_ij (F_j rho F_i^dag - ...).

    Parameters
    ----------
    name, sites
        The bath and its region.
    dimension
        d_r, levels of the region.
    hamiltonian
        H_r, shape (d_r, d_r).
    kossakowski
        Gamma, shape (d_r^2 - 1, d_r^2 - 1), positive semidefinite.
    basis
        f_i, shape (d_r^2 - 1, d_r, d_r), orthonormal; F_i = f_i (x) 1 / sqrt(d/d_r).
    basis_labels
        One name per basis operator.
    """

    name: str
    sites: tuple[int, ...]
    dimension: int
    hamiltonian: NDArray[Any]
    kossakowski: NDArray[Any]
    basis: NDArray[Any]
    basis_labels: tuple[str, ...]

    @property
    def rate(self) -> float:
        """tr Gamma."""
        return float(np.trace(self.kossakowski).real)

    @property
    def hamiltonian_norm(self) -> float:
        """Largest absolute eigenvalue of H_r (rate unit)."""
        return float(np.linalg.norm(self.hamiltonian, 2))

    @property
    def jump_rates(self) -> NDArray[np.float64]:
        """Rates gamma_n of the diagonal form, largest first, shape (d_r^2 - 1,)."""
        return self._diagonal()[0]

    @property
    def jump_operators(self) -> NDArray[Any]:
        """L_n on the region, shape (d_r^2 - 1, d_r, d_r), orthonormal.

        D(rho) = sum_n gamma_n/(d/d_r) (L_n rho L_n^dag - {L_n^dag L_n, rho}/2).
        """
        return self._diagonal()[1]

    def _diagonal(self) -> tuple[NDArray[np.float64], NDArray[Any]]:
        values, vectors = np.linalg.eigh(self.kossakowski)
        order = np.argsort(values)[::-1]
        operators = np.einsum("jn,jab->nab", vectors[:, order].conj(), self.basis)
        return np.maximum(values[order], 0.0), operators


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lindbladian(Shown):
    """L'(rho) = sum_r i[rho, H_r] + D_r(rho), and its leading-order steady state.

    Parameters
    ----------
    regions
        One dissipator per bath.
    populations
        Its steady populations in the eigenbasis of H_S at leading order, shape (d,); None if they
        are not unique.
    spectral_gap
        Slowest nonzero relaxation rate of populations and coherences under the secular
        (weak-coupling) part of L', in units of eps^2.
    steady_state_unique
        Whether the steady state is unique.
    dimensions
        Local dimensions of the system.
    """

    regions: tuple[RegionDissipator, ...]
    populations: NDArray[np.float64] | None
    spectral_gap: float
    steady_state_unique: bool
    dimensions: tuple[int, ...]

    def apply(self, state: NDArray[Any]) -> NDArray[np.complex128]:
        """L'(state) for a Hermitian (d, d) ``state`` in the product basis."""
        total = np.zeros(state.shape, dtype=complex)
        for region in self.regions:
            shift = embed(region.hamiltonian, region.sites, self.dimensions)
            half = -1j * (shift @ state)
            scale = region.dimension / len(state)
            for rate, jump in zip(region.jump_rates, region.jump_operators, strict=True):
                full = embed(jump, region.sites, self.dimensions)
                adjoint = full.conj().T
                total += rate * scale * ((full @ state) @ adjoint)
                half -= rate * scale / 2 * (adjoint @ (full @ state))
            total += half + half.conj().T
        return total

    def _sections(self) -> list[Section]:
        unique = "unique" if self.steady_state_unique else "not unique"
        rows = [("steady state", unique), ("spectral gap", f"{self.spectral_gap:.4g}")]
        return [Heading("Lindbladian"), Facts(rows), Grid("jump operators", *jump_operators(self))]

    def qobj(self) -> tuple[Any, list[Any]]:
        """(sum_r H_r, collapse operators with their rates) as QuTiP objects on the system.

        Raises
        ------
        MissingExtraError
            Without QuTiP.
        """
        try:
            import qutip
        except ImportError:
            raise MissingExtraError("qutip", "qutip", "Lindbladian.qobj()") from None
        dims = [list(self.dimensions)] * 2
        size = int(np.prod(self.dimensions))
        shift = qutip.Qobj(np.zeros((size, size)), dims=dims)
        collapse = []
        for region in self.regions:
            full = embed(region.hamiltonian, region.sites, self.dimensions).toarray()
            shift = shift + qutip.Qobj(full, dims=dims)
            scale = region.dimension / size
            for rate, jump in zip(region.jump_rates, region.jump_operators, strict=True):
                if rate > 0:
                    full = embed(jump, region.sites, self.dimensions).toarray()
                    collapse.append(qutip.Qobj(np.sqrt(rate * scale) * full, dims=dims))
        return shift, collapse


def jump_operators(candidate: Lindbladian) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of each region's strongest jump operators."""
    header = ("region", "sites", "rate", "jump rate", "jump operator (normalised)")
    rows: list[Sequence[str]] = []
    for region in candidate.regions:
        first = (region.name, ", ".join(map(str, region.sites)), f"{region.rate:.6g}")
        # expanded in the orthonormal basis: tr(f_i^dag L_n)
        terms = np.einsum("iab,nab->ni", region.basis.conj(), region.jump_operators)
        shown = region.jump_rates > SMALLEST_RATE * region.jump_rates[0]
        for number, rate in enumerate(region.jump_rates[shown][:STRONGEST]):
            operator = _operator(terms[number], region.basis_labels)
            rows.append((*(first if number == 0 else ("", "", "")), f"{rate:.4g}", operator))
    return header, rows


def _operator(vector: NDArray[Any], labels: Sequence[str]) -> str:
    """A normalised combination of basis operators, its largest term real and positive."""
    order = np.argsort(-np.abs(vector), kind="stable")
    phase = vector[order[0]] / abs(vector[order[0]])
    terms = [(complex(vector[k] / phase), labels[k]) for k in order[:STRONGEST]]
    return " + ".join(
        f"{_coefficient(c)} [{label}]" for c, label in terms if abs(c) >= SMALLEST_TERM
    ).replace("+ -", "- ")


def _coefficient(value: complex) -> str:
    if abs(value.imag) < 5e-3:
        return f"{value.real:.2f}"
    return f"({value.real:.2f}{value.imag:+.2f}i)"
