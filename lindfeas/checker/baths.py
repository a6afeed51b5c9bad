"""What a thermal bath does, in balls.

    J(w) = strength w^exponent exp(-(w/cutoff)^2)     ohmic
    J(w) = strength w^exponent exp(-w/cutoff)         ohmic_exponential
    J(w) = strength w / (1 + (w/cutoff)^2)            drude_lorentz

for w > 0, zero otherwise, and n(w) = 1/(exp(beta (w - mu)) - 1); J n and J (n + 1) are zero for
w <= 0. Their limits for w -> 0 from above are not, if `jumps`.
"""

from __future__ import annotations

from typing import Any

from flint import arb

from lindfeas.checker.model import Bath, Density


def spectral_density(density: Density, frequency: Any) -> Any:
    """J(w) at a frequency that is certainly positive, or the power series of J there."""
    ratio = frequency / arb(density.cutoff)
    if density.family == "drude_lorentz":
        return arb(density.strength) * frequency / (1 + ratio**2)
    power = arb(density.strength) * frequency ** arb(density.exponent)
    return power * (-(ratio**2) if density.family == "ohmic" else -ratio).exp()


def transition_rates(bath: Bath, density: Density, energy: arb) -> tuple[arb, arb]:
    """(J n, J (n+1)) at the energy that the system gives to the bath; zero from 0 downwards.

    Where the sign of the energy is in doubt, both enclose everything from 0 to a bound on either
    side's values; see `jumps` for when that is not good enough.
    """
    if energy > 0:
        return _above_zero(bath, density, energy)
    if energy <= 0:
        return arb(0), arb(0)
    beta = None if bath.beta is None else arb(bath.beta)
    largest = arb(0).union(largest_rate(density, beta, arb(bath.mu), energy.upper()))
    return largest, largest


def _above_zero(bath: Bath, density: Density, energy: arb) -> tuple[arb, arb]:
    coupling = spectral_density(density, energy)
    if bath.beta is None:
        return arb(0), coupling
    thermal = arb(bath.beta) * (energy - arb(bath.mu))
    return coupling / thermal.expm1(), coupling / -(-thermal).expm1()


def jumps(density: Density, beta: arb | None, mu: arb) -> bool:
    """Whether a rate at zero energy may depend on the side from which that is reached.

    From below it is zero. From above J n and J (n + 1) tend to strength / beta for exponent 1, to
    infinity for a smaller one, and to zero for a larger one, at mu < 0, and at zero temperature.
    ``beta`` None is infinite; it and ``mu`` may be wide balls.
    """
    return beta is not None and not mu < 0 and density.exponent <= 1 and density.strength > 0


def largest_rate(density: Density, beta: arb | None, mu: arb, energy: arb) -> arb:
    """An upper bound on J (n+1) on (0, energy]: J <= strength w^s, n <= 1/(beta w), 1/(-beta mu).

    Not finite where J n diverges. ``beta`` None is infinite; it and ``mu`` may be wide balls.
    """
    power = arb(density.exponent)
    plain = arb(density.strength) * energy**power
    if beta is None:
        return plain
    if mu < 0:
        return plain * (1 - 1 / (beta * mu))
    if density.exponent < 1:
        return arb.pos_inf()
    return plain + arb(density.strength) * energy ** (power - 1) / beta
