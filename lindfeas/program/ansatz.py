"""The allowed Lindbladians: which regions, what rates, which local Hamiltonians."""

from __future__ import annotations

from dataclasses import dataclass

from lindfeas.physics.equations.operator_basis import Region
from lindfeas.program.rates import RateBounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansatz:
    """L'(rho) = sum_r i[rho, H_r] + D_r(rho) with Gamma^r >= 0 (SDP-paper Eq. 23).

    Parameters
    ----------
    regions
        What each dissipator acts on, and its operators.
    rates
        What tr Gamma^r may be.
    lamb_shift
        Whether there are local Hamiltonians H_r.
    hamiltonian_limit
        Their largest Hilbert-Schmidt norm (rate unit); None for
        `lindfeas.program.assembly.default_hamiltonian_limit`.
    """

    regions: tuple[Region, ...]
    rates: RateBounds
    lamb_shift: bool = True
    hamiltonian_limit: float | None = None
