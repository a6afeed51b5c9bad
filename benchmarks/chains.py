"""The spin chains that the benchmarks are run on."""

from __future__ import annotations

from typing import Any

from lindfeas import Bath, OpenSystem, models


def two_bath_chain(
    left: int,
    middle: int,
    right: int,
    *,
    coupling: float,
    betas: tuple[float, float] = (1.0, 10.0),
    operator: Any = None,
) -> OpenSystem:
    """An isotropic chain of left + middle + right qubits with a bath on either end.

    Parameters
    ----------
    left, middle, right
        Sites of the left region, without a bath, and of the right region.
    coupling
        Exchange g.
    betas
        Inverse temperatures of the left and the right bath.
    operator
        Coupling operator, for regions of one qubit; sigma_minus on every site by default.
    """
    sites = left + middle + right
    couplings = None if operator is None else (operator,)
    ends = {"left": range(left), "right": range(sites - right, sites)}
    baths = [
        Bath(name=name, sites=tuple(region), beta=beta, couplings=couplings)
        for (name, region), beta in zip(ends.items(), betas, strict=True)
    ]
    return models.xxz_chain(sites=sites, coupling=coupling, baths=baths)
