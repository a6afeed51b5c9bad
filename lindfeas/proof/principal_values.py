"""Half-sided transforms of the bath correlation functions, in balls.

    C(E) = J(E) n(E) / 2     - (i / 2 pi) P int_0^inf J(w) n(w)     / (w - E) dw
    D(E) = J(E) (n(E)+1) / 2 - (i / 2 pi) P int_0^inf J(w) (n(w)+1) / (w - E) dw

A principal value up to a frequency W is the real part of the integral along 0, ih, W + ih, W,
below the poles of n and J in the upper half plane; the imaginary part must contain -pi f(E), which
checks the contour. What lies beyond W is bounded with incomplete gamma functions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from flint import acb, arb, ctx, fmpq

from lindfeas.proof.baths import spectral_density, transition_rates
from lindfeas.proof.errors import Rejected, Unsettled
from lindfeas.proof.model import Bath, Density

MOST_ACCURATE = 160
"""Bits of an integral beyond which no claim profits."""

MOST_EVALUATIONS = 20_000
"""Evaluations of an integrand before it counts as too hard."""


Integrand = Callable[[acb, bool], acb]
"""f(w) for complex w; the flag asks for a non-finite ball where f is not analytic."""


def half_sided(bath: Bath, density: Density, energy: arb) -> tuple[acb, acb]:
    """(C(E), D(E)) at an energy that is certainly not zero.

    Raises
    ------
    Unsettled
        If the energy may be zero, or an integral did not converge.
    Rejected
        If J n has no power series that this checker knows (exponent < 1 at a temperature > 0).
    """
    if not (energy > 0 or energy < 0):
        raise Unsettled("the sign of a Bohr frequency")
    absorption, emission = transition_rates(bath, density, energy)
    unit, scale = replace(density, strength=fmpq(1)), arb(density.strength) / (2 * arb.pi())
    thermal = arb(0) if bath.beta is None else _thermal(bath, unit, energy)
    both = thermal + _plain(unit, energy)
    return acb(absorption / 2, -scale * thermal), acb(emission / 2, -scale * both)


def zero_frequency(bath: Bath, density: Density) -> acb:
    """lim D(E) + conj(C(-E)) as E -> 0: all that a Hermitian coupling needs at E = 0.

    lim J (n+1) / 2 - (i / 2 pi) int_0^inf J(w)/w dw; the limit is strength / beta for exponent 1
    and mu = 0 at a temperature > 0.

    Raises
    ------
    Rejected
        If it diverges.
    """
    singular = bath.beta is not None and bath.mu == 0
    if singular and density.exponent < 1:
        raise Rejected(f"bath {bath.name} dephases at an infinite rate")
    strength, cutoff, power = arb(density.strength), arb(density.cutoff), arb(density.exponent)
    limit = arb(0)
    if singular and density.exponent == 1 and bath.beta is not None:
        limit = strength / arb(bath.beta)
    if density.family == "drude_lorentz":
        moment = cutoff * arb.pi() / 2
    elif density.family == "ohmic":
        moment = cutoff**power * (power / 2).gamma() / 2
    else:
        moment = cutoff**power * power.gamma()
    return acb(limit / 2, -strength * moment / (2 * arb.pi()))


def _plain(density: Density, energy: arb) -> arb:
    """P int J(w) / (w - E) dw for unit strength."""
    cutoff = arb(density.cutoff)
    if density.family == "drude_lorentz":
        # by partial fractions
        logarithm = energy * (abs(energy) / cutoff).log()
        return cutoff**2 * (cutoff * arb.pi() / 2 - logarithm) / (energy**2 + cutoff**2)
    power, cut, end = _power(density.exponent), _cut(density), _end(density, energy)
    return _principal_value(
        lambda w, analytic: power(w, analytic) * cut(w),
        energy,
        spectral_density(density, energy) if energy > 0 else arb(0),
        height=(cutoff / 2).mid(),
        end=end,
        beyond=_moment_beyond(density, end),
    )


def _thermal(bath: Bath, density: Density, energy: arb) -> arb:
    """P int J(w) n(w) / (w - E) dw for unit strength at a temperature > 0."""
    if bath.mu == 0 and density.exponent < 1:
        raise Rejected("coherences with exponent < 1 at a temperature > 0 are beyond this checker")
    beta, mu, cutoff = arb(bath.beta or 0), arb(bath.mu), arb(density.cutoff)
    end = min(_end(density, energy), (2 * abs(energy) + ctx.prec / beta).mid())
    occupation = 1 / (beta * (end - mu)).expm1()
    # int_W^inf n <= n(W)/beta, and the maximum of w/(1 + (w/c)^2) is c/2
    lorentzian = density.family == "drude_lorentz"
    moment = cutoff / (2 * beta) if lorentzian else _moment_beyond(density, end)
    cut, occupied = _cut(density), _occupied(bath, density.exponent)
    return _principal_value(
        lambda w, analytic: cut(w) * occupied(w, analytic),
        energy,
        transition_rates(bath, density, energy)[0],
        height=min((arb.pi() / beta).mid(), (cutoff / 2).mid()),
        end=end,
        beyond=moment * occupation,
    )


def _principal_value(
    function: Integrand, energy: arb, value: arb, *, height: arb, end: arb, beyond: arb
) -> arb:
    """P int f(w) / (w - E) dw, from f(E), the contour, and a bound on int_W^inf f."""
    bits = min(ctx.prec // 2, MOST_ACCURATE)
    goal = end * arb(2) ** -bits
    corners = (acb(0), acb(0, height), acb(end, height), acb(end))
    total = acb(0)
    with ctx.workprec(2 * bits):
        for start, stop in itertools.pairwise(corners):
            total += acb.integral(
                lambda w, analytic: function(w, analytic) / (w - energy),
                start,
                stop,
                rel_tol=arb(2) ** -bits,
                abs_tol=goal,
                eval_limit=MOST_EVALUATIONS,
            )
    if not total.rad() < (1 + total.abs_upper() + goal) * arb(2) ** -(bits // 2):
        raise Unsettled("a principal value")
    if not total.imag.overlaps(-arb.pi() * value):
        raise Rejected("a principal value contradicts its residue")
    return total.real + arb(0, (beyond / (end - energy)).upper())


def _end(density: Density, energy: arb) -> arb:
    """W, far above the energy and where J is negligible."""
    reach = arb(ctx.prec).sqrt() if density.family == "ohmic" else arb(ctx.prec)
    return (2 * abs(energy) + arb(density.cutoff) * reach).mid()


def _moment_beyond(density: Density, end: arb) -> arb:
    """int_W^inf J(w) dw for unit strength and the families that decay exponentially."""
    cutoff, order = arb(density.cutoff), arb(density.exponent) + 1
    if density.family == "ohmic":
        return cutoff**order / 2 * ((end / cutoff) ** 2).gamma_upper(order / 2)
    return cutoff**order * (end / cutoff).gamma_upper(order)


def _cut(density: Density) -> Callable[[acb], acb]:
    """The cutoff function of complex w/cutoff."""
    inverse = 1 / arb(density.cutoff)
    if density.family == "ohmic":
        return lambda w: (-((w * inverse) ** 2)).exp()
    if density.family == "ohmic_exponential":
        return lambda w: (-w * inverse).exp()
    return lambda w: 1 / (1 + (w * inverse) ** 2)


def _power(exponent: fmpq) -> Integrand:
    """w^s, without a branch cut for integer s."""
    if exponent.q == 1:
        whole = int(exponent.p)
        return lambda w, _: w**whole
    power = acb(arb(exponent))
    return lambda w, analytic: w.pow(power, analytic=analytic)


def _occupied(bath: Bath, exponent: fmpq) -> Integrand:
    """w^s n(w); for mu = 0 through w n(w) = exp(-x/2) / (beta sinc(i x/2)), x = beta w, which
    has no 0/0 at w = 0.
    """
    beta, mu = arb(bath.beta or 0), arb(bath.mu)
    if bath.mu < 0:
        power = _power(exponent)
        return lambda w, analytic: power(w, analytic) / (beta * (w - mu)).expm1()
    lowered, half, turn = _power(exponent - 1), beta / 2, acb(0, 1)

    def occupied(w: acb, analytic: bool) -> acb:
        x = w * half
        return lowered(w, analytic) * (-x).exp() / ((x * turn).sinc() * beta)

    return occupied
