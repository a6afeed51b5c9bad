"""Half-sided transforms of the bath correlation functions, in balls.

    C(E) = J(E) n(E) / 2     - (i / 2 pi) P int_0^inf J(w) n(w)     / (w - E) dw
    D(E) = J(E) (n(E)+1) / 2 - (i / 2 pi) P int_0^inf J(w) (n(w)+1) / (w - E) dw

A principal value up to a frequency W is the real part of the integral along 0, ih, W + ih, W,
below the poles of n and J in the upper half plane; the imaginary part must contain -pi f(E), which
checks the contour. What lies beyond W is bounded with incomplete gamma functions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from flint import acb, arb, ctx, fmpq

from lindfeas.checker.format import Rejected, Unsettled
from lindfeas.checker.forms import FAMILIES
from lindfeas.checker.model import Bath, Density
from lindfeas.checker.steady_state import cut, spectral_density, transition_rates

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
    unit, scale = density._replace(strength=fmpq(1)), arb(density.strength) / (2 * arb.pi())
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
    strength, limit = arb(density.strength), arb(0)
    if singular and density.exponent == 1 and bath.beta is not None:
        limit = strength / arb(bath.beta)
    return acb(limit / 2, -strength * _moment(density) / (2 * arb.pi()))


def at_zero(bath: Bath, density: Density) -> tuple[acb, acb]:
    """(C(0), D(0)) where both integrals converge; the rates then vanish at E = 0.

    C(0) = -(i / 2 pi) int_0^inf J n / w dw, and D(0) the same with n + 1 for n.

    Raises
    ------
    Rejected
        If they diverge, or f(w)/w has no power series at w = 0 that this checker knows.
    Unsettled
        If an integral did not converge numerically.
    """
    warm = bath.beta is not None and density.strength > 0
    smooth = density.exponent - (1 if bath.mu == 0 else 0)
    if warm and not smooth > 0:
        raise Rejected(
            f"bath {bath.name} has a coupling with elements between levels of the same energy that "
            "is not Hermitian up to a phase: its transforms diverge at zero frequency"
        )
    if warm and smooth < 1:
        raise Rejected(
            f"bath {bath.name} has a coupling with elements between levels of the same energy that "
            "is not Hermitian up to a phase, with an exponent beyond this checker at E = 0"
        )
    scale = arb(density.strength) / (2 * arb.pi())
    thermal = _thermal_at_zero(bath, density._replace(strength=fmpq(1))) if warm else arb(0)
    return acb(0, -scale * thermal), acb(0, -scale * (thermal + _moment(density)))


def _moment(density: Density) -> arb:
    """int_0^inf J(w)/w dw for unit strength; with exp(-x^k), x = w/cutoff: Gamma(s/k)/k."""
    cutoff, exponent, power = arb(density.cutoff), arb(density.exponent), _power_of(density)
    if power is None:
        return cutoff * arb.pi() / 2
    return cutoff**exponent * (exponent / power).gamma() / power


def _thermal_at_zero(bath: Bath, density: Density) -> arb:
    """int_0^inf J(w) n(w) / w dw for unit strength at a temperature > 0, along the real axis."""
    beta, mu, lowered = arb(bath.beta or 0), arb(bath.mu), density.exponent - 1
    end = min(_end(density, arb(0)), (ctx.prec / beta).mid())
    # see `_thermal` for the tail; here w is at least the end
    lorentzian = _power_of(density) is None
    moment = 1 / beta if lorentzian else _moment_beyond(density._replace(exponent=lowered), end)
    shape, occupied = _cut(density), _occupied(bath, lowered)
    integral = _integral(lambda w, analytic: shape(w) * occupied(w, analytic), (acb(0), acb(end)))
    return integral.real + arb(0, (moment / (beta * (end - mu)).expm1()).upper())


def _plain(density: Density, energy: arb) -> arb:
    """P int J(w) / (w - E) dw for unit strength."""
    cutoff = arb(density.cutoff)
    if _power_of(density) is None:
        # by partial fractions
        logarithm = energy * (abs(energy) / cutoff).log()
        return cutoff**2 * (cutoff * arb.pi() / 2 - logarithm) / (energy**2 + cutoff**2)
    power, shape, end = _power(density.exponent), _cut(density), _end(density, energy)
    return _principal_value(
        lambda w, analytic: power(w, analytic) * shape(w),
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
    lorentzian = _power_of(density) is None
    moment = cutoff / (2 * beta) if lorentzian else _moment_beyond(density, end)
    shape, occupied = _cut(density), _occupied(bath, density.exponent)
    return _principal_value(
        lambda w, analytic: shape(w) * occupied(w, analytic),
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
    corners = (acb(0), acb(0, height), acb(end, height), acb(end))
    total = _integral(lambda w, analytic: function(w, analytic) / (w - energy), corners)
    if not total.imag.overlaps(-arb.pi() * value):
        raise Rejected("a principal value contradicts its residue")
    return total.real + arb(0, (beyond / (end - energy)).upper())


def _integral(function: Integrand, corners: Sequence[acb]) -> acb:
    """The integral along straight lines from 0 through the others to the last one, the end."""
    bits = min(ctx.prec // 2, MOST_ACCURATE)
    goal = corners[-1].real * arb(2) ** -bits
    total = acb(0)
    with ctx.workprec(2 * bits):
        for start, stop in itertools.pairwise(corners):
            total += acb.integral(
                function,
                start,
                stop,
                rel_tol=arb(2) ** -bits,
                abs_tol=goal,
                eval_limit=MOST_EVALUATIONS,
            )
    if not total.rad() < (1 + total.abs_upper() + goal) * arb(2) ** -(bits // 2):
        raise Unsettled("a principal value")
    return total


def _power_of(density: Density) -> int | None:
    """k of the cutoff function exp(-(w/cutoff)^k); None for the Lorentzian one."""
    return FAMILIES[density.family][0]


def _end(density: Density, energy: arb) -> arb:
    """W, far above the energy and where J is negligible."""
    reach = arb(ctx.prec).root(_power_of(density) or 1)
    return (2 * abs(energy) + arb(density.cutoff) * reach).mid()


def _moment_beyond(density: Density, end: arb) -> arb:
    """int_W^inf J(w) dw for unit strength and the families that decay exponentially.

    With exp(-x^k), x = w/cutoff, the incomplete Gamma((s + 1)/k, (W/cutoff)^k)/k.
    """
    cutoff, order, power = arb(density.cutoff), arb(density.exponent) + 1, _power_of(density) or 1
    return cutoff**order / power * ((end / cutoff) ** power).gamma_upper(order / power)


def _cut(density: Density) -> Callable[[acb], acb]:
    """The cutoff function of complex frequencies."""
    inverse = 1 / arb(density.cutoff)
    return lambda w: cut(density, w * inverse)


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
