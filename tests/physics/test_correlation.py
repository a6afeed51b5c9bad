"""Bath functions against mpmath, closed forms, and the identities that they must obey."""

import csv
import doctest
import importlib.util
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lindfeas.errors import AccuracyError, InputError, PhysicsError
from lindfeas.physics.baths import correlation, families, principal_value
from lindfeas.physics.baths.correlation import Thermal
from lindfeas.physics.baths.custom_density import CustomDensity
from lindfeas.physics.baths.occupation import occupation
from lindfeas.physics.baths.ohmic_quartic import OhmicQuartic
from lindfeas.physics.baths.spectral_density import (
    DrudeLorentz,
    Ohmic,
    OhmicExponential,
)

pytestmark = pytest.mark.filterwarnings("error")


def half_sided(density, beta, mu, energies):
    return Thermal(density, beta, mu).transforms(energies)


def rates(density, beta, mu, energies):
    return Thermal(density, beta, mu).rates(energies)


def zero_frequency_hermitian(density, beta, mu=0.0):
    return Thermal(density, beta, mu).at_zero()


DATA = Path(__file__).parents[1] / "data"
FAMILIES = {
    "ohmic": Ohmic,
    "ohmic_exponential": OhmicExponential,
    "drude_lorentz": DrudeLorentz,
    "ohmic_quartic": OhmicQuartic,
}
SMOOTH = [
    Ohmic(),
    Ohmic(exponent=3.0, cutoff=2.0),
    OhmicExponential(exponent=2.0, cutoff=0.5),
    DrudeLorentz(strength=0.3),
    OhmicQuartic(strength=0.4, exponent=2.0),
]

# |error| / |value| of C and D for the built-in families; the largest in the table is 7e-15
TRANSFORM_TOLERANCE = 3e-14
# the same for densities with kinks and edges, on which the mesh is refined to 1e-13
ROUGH_TOLERANCE = 1e-12
# a few ulp
RATE_TOLERANCE = 2e-15
# the rounding of x moves exp(x) by x ulp
EXPONENT_TOLERANCE = 4e-16
# two sums over the same mesh in another order
ROUNDING = 2e-15
# mpmath to the digits that the table stores
TABLE_TOLERANCE = 1e-18

SIDES = np.array([1.0, -1.0])
ENERGIES = np.outer([1e-12, 1e-7, 1e-3, 0.3, 1.0, 4.0, 9.9, 10.0, 37.0, 1e3], SIDES).ravel()


def relative_error(computed, expected):
    return np.abs(np.asarray(computed) - expected) / np.abs(expected)


def triangle(**changes):
    """J rises to 1 at w = 1 and falls back to 0 at w = 2."""
    parameters = {
        "function": lambda w: np.where(w < 1.0, w, 2.0 - w),
        "leading_coefficient": 1.0,
        "scale": 1.0,
        "support": 2.0,
        "breakpoints": (1.0,),
    }
    return CustomDensity(**(parameters | changes))


# ---------------------------------------------------------------- table from mpmath


def table():
    with (DATA / "bath_functions_mpmath.csv").open() as file:
        return list(csv.DictReader(file))


def by_bath():
    """Rows of the table grouped by everything but the energy."""
    keys = ("family", "exponent", "cutoff", "beta", "mu")
    groups = {}
    for row in table():
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def density_of(family, exponent, cutoff):
    power = {} if family == "drude_lorentz" else {"exponent": float(exponent)}
    return FAMILIES[family](cutoff=float(cutoff), **power)


def column(rows, key):
    return np.array([float(row[key]) for row in rows])


@pytest.mark.parametrize(("bath", "rows"), by_bath().items(), ids=map("-".join, by_bath()))
def test_table_from_mpmath(bath, rows):
    *shape, beta, mu = bath
    density, beta, mu = density_of(*shape), float(beta), float(mu)
    energies = column(rows, "energy")
    computed = half_sided(density, beta, mu, energies)
    for name, value, rate in zip(
        ("absorption", "emission"), computed, rates(density, beta, mu, energies), strict=True
    ):
        expected = 0.5 * rate - 0.5j / math.pi * column(rows, name)
        size = np.maximum(np.abs(expected), np.finfo(float).tiny)
        assert np.all(np.abs(value - expected) <= TRANSFORM_TOLERANCE * size)


def test_table_covers_the_regimes():
    rows = table()
    assert len(rows) > 900
    assert {row["family"] for row in rows} == set(families.FAMILIES)
    assert {row["beta"] for row in rows} >= {"0.1", "1", "10", "1000", "10000", "inf"}
    assert {row["exponent"] for row in rows} >= {"0.1", "0.5", "1", "2", "3", "7"}
    assert {row["energy"] for row in rows} >= {"1e-13", "-1e-10", "1e-3", "7", "1000", "-1000"}


def test_table_is_what_its_generator_writes():
    path = DATA / "make_bath_functions_mpmath.py"
    spec = importlib.util.spec_from_file_location("make_bath_functions_mpmath", path)
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    rows = table()
    parameters = [{key: row[key] for key in generator.FIELDS[:6]} for row in rows]
    assert parameters == list(generator.rows())
    for row, bare in list(zip(rows, parameters, strict=True))[13::97]:
        fresh = generator.filled(bare)
        for name in ("absorption", "emission"):
            value, stored = mpmath.mpf(fresh[name]), mpmath.mpf(row[name])
            assert abs(value - stored) <= TABLE_TOLERANCE * abs(stored)


# ---------------------------------------------------------------- closed forms


def gaussian_principal_value(x):
    """P int_0^inf t exp(-t^2)/(t - x) dt, from Ei and Dawson's function.

    With t/(t - x) = 1 + x/(t - x) and 1/(t - x) = (t + x)/(t^2 - x^2), what remains is
    P int_0^inf exp(-t^2)/(t - x) dt = -exp(-x^2) (Ei(x^2)/2 + sqrt(pi)/2 * sqrt(pi) erfi(x)).
    """
    inner = mpmath.ei(x * x) / 2 + mpmath.pi / 2 * mpmath.erfi(x)
    return mpmath.sqrt(mpmath.pi) / 2 - x * mpmath.exp(-x * x) * inner


def exponential_principal_value(x):
    """P int_0^inf t exp(-t)/(t - x) dt = 1 - x exp(-x) Ei(x)."""
    return 1 - x * mpmath.exp(-x) * mpmath.ei(x)


def drude_principal_value(x):
    """P int_0^inf t/(1 + t^2)/(t - x) dt = (pi/2 - x log|x|)/(1 + x^2)."""
    return (mpmath.pi / 2 - x * mpmath.log(abs(x))) / (1 + x * x)


@pytest.mark.parametrize(
    ("family", "closed_form"),
    [
        (Ohmic, gaussian_principal_value),
        (OhmicExponential, exponential_principal_value),
        (DrudeLorentz, drude_principal_value),
    ],
)
@pytest.mark.parametrize("cutoff", [0.1, 10.0])
def test_zero_temperature_closed_forms(family, closed_form, cutoff):
    density = family(strength=0.7, cutoff=cutoff)
    energies = cutoff * np.concatenate([ENERGIES, np.linspace(-12.0, 12.0, 100)])
    absorbed, emitted = half_sided(density, math.inf, 0.0, energies)
    with mpmath.workdps(40):
        principal = [closed_form(mpmath.mpf(e) / mpmath.mpf(cutoff)) for e in energies.tolist()]
        shift = np.array([float(0.7 * cutoff * v / (2 * mpmath.pi)) for v in principal])
    expected = 0.5 * density(energies) - 1j * shift
    assert np.all(relative_error(emitted, expected) < TRANSFORM_TOLERANCE)
    assert np.all(absorbed == 0.0)


def drude_correlation_transform(density, beta, energy):
    """K(E) = int_0^inf <B(t) B> exp(iEt) dt of a Drude bath from its Matsubara expansion.

    <B(t) B> = sum_k c_k exp(-nu_k t) with nu_0 = cutoff =: a, nu_k = 2 pi k / beta,
    c_0 = g a^2 (cot(beta a / 2) - i) / 4 and c_k = (g a^2 / beta) nu_k / (nu_k^2 - a^2), so that
    K(E) = sum_k c_k / (nu_k - iE); partial fractions turn the sum over k into digammas.
    """
    a, e, b = (mpmath.mpf(float(v)) for v in (density.cutoff, energy, beta))
    weight, z = mpmath.mpf(density.strength) * a**2, 1j * e
    total = weight * (mpmath.cot(b * a / 2) - 1j) / (4 * (a - z))
    parts = [(1 / (2 * (a - z)), a), (-1 / (2 * (a + z)), -a), (z / (z * z - a * a), z)]
    digammas = sum(part * mpmath.digamma(1 - b * pole / (2 * mpmath.pi)) for part, pole in parts)
    return total - weight / (2 * mpmath.pi) * digammas


@pytest.mark.parametrize("beta", [0.05, 1.0, 30.0])
def test_drude_bath_from_its_matsubara_expansion(beta):
    density = DrudeLorentz(strength=0.3, cutoff=2.5)
    absorbed, _ = half_sided(density, beta, 0.0, -ENERGIES)
    _, emitted = half_sided(density, beta, 0.0, ENERGIES)
    with mpmath.workdps(40):
        expected = [complex(drude_correlation_transform(density, beta, e)) for e in ENERGIES]
    # C and D diverge for E -> 0, but their sum does not
    size = np.abs(absorbed) + np.abs(emitted)
    difference = np.abs(emitted + absorbed.conj() - np.array(expected))
    assert np.all(difference < TRANSFORM_TOLERANCE * size)


def test_principal_value_carries_one_over_two_pi():
    # far below: C(-E) = (-i / 2 pi) int J n dw / E to leading order
    energy, width = 1e9, 1e-4
    density = OhmicExponential(strength=3.0, exponent=2.0, cutoff=width)
    _, emitted = half_sided(density, math.inf, 0.0, -energy)
    total = 3.0 * 2.0 * width**3
    assert emitted.real == 0.0
    assert float(emitted.imag) == pytest.approx(-total / (2 * math.pi * energy), rel=1e-12, abs=0.0)


# ---------------------------------------------------------------- zero frequency


@pytest.mark.parametrize("exponent", [1.0, 1.5, 3.0])
@pytest.mark.parametrize(("beta", "mu"), [(0.3, 0.0), (2.0, -0.4), (math.inf, 0.0)])
def test_zero_frequency_closed_form(exponent, beta, mu):
    # int_0^inf J/w dw = g c^s Gamma(s/2)/2 for the Gaussian cutoff, g c^s Gamma(s) for the other
    gamma = math.gamma
    for density, reorganisation in (
        (Ohmic(strength=0.7, exponent=exponent, cutoff=2.0), gamma(exponent / 2) / 2),
        (OhmicExponential(strength=0.7, exponent=exponent, cutoff=2.0), gamma(exponent)),
    ):
        value = zero_frequency_hermitian(density, beta, mu)
        dephasing = 0.7 / beta if exponent == 1.0 and mu == 0.0 else 0.0
        shift = 0.7 * 2.0**exponent * reorganisation / (2 * math.pi)
        assert value == pytest.approx(
            complex(dephasing / 2, -shift), rel=TRANSFORM_TOLERANCE, abs=0.0
        )


@pytest.mark.parametrize("density", [*SMOOTH, triangle()])
@pytest.mark.parametrize(("beta", "mu"), [(0.5, 0.0), (0.5, -0.1), (math.inf, 0.0)])
@pytest.mark.parametrize("side", SIDES)
def test_zero_frequency_is_the_limit_from_both_sides(density, beta, mu, side):
    limit = zero_frequency_hermitian(density, beta, mu)
    differences = []
    for size in (1e-4, 1e-10):
        absorbed, _ = half_sided(density, beta, mu, -side * size)
        _, emitted = half_sided(density, beta, mu, side * size)
        differences.append(abs(emitted + absorbed.conjugate() - limit) / abs(limit))
    assert differences[1] < 1e-6
    # E log E, not a constant
    assert differences[1] < 1e-2 * differences[0] + 1e-13


def test_sub_ohmic_zero_frequency():
    density = Ohmic(exponent=0.5)
    with pytest.raises(PhysicsError, match=r"^exponent: must be at least 1 .*but is 0\.5"):
        zero_frequency_hermitian(density, 1.0, 0.0)
    shift = math.sqrt(10.0) * math.gamma(0.25) / (4 * math.pi)
    for beta, mu in ((math.inf, 0.0), (1.0, -0.2)):
        value = zero_frequency_hermitian(density, beta, mu)
        assert value == pytest.approx(-1j * shift, rel=TRANSFORM_TOLERANCE, abs=0.0)


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_zero_energy_is_refused_where_it_diverges(exponent):
    with pytest.raises(PhysicsError, match=r"^energies: must not be 0.*but one is"):
        half_sided(Ohmic(exponent=exponent), 1.0, 0.0, [1.0, 0.0])
    # the divergence that is refused is real
    absorbed, _ = half_sided(Ohmic(exponent=exponent), 1.0, 0.0, [-1e-4, -1e-8, -1e-12])
    assert np.all(np.diff(np.abs(absorbed)) > 1.0)


@pytest.mark.parametrize(
    ("exponent", "beta", "mu"),
    [(1.5, 1.0, 0.0), (2.0, 1.0, 0.0), (0.5, 1.0, -0.3), (0.5, math.inf, 0.0), (1.0, 2.0, -1.0)],
)
def test_zero_energy_is_the_limit_where_it_exists(exponent, beta, mu):
    density = Ohmic(exponent=exponent, cutoff=1.0)
    at_zero = np.array(half_sided(density, beta, mu, 0.0))
    nearby = np.array(half_sided(density, beta, mu, [1e-24, -1e-24]))
    assert np.allclose(nearby, at_zero[:, None], rtol=1e-9, atol=0.0)


def test_zero_energy_value():
    # int_0^inf J n / w dw for J = w^2 exp(-w/c) is sum_{k>0} 1/(k beta + 1/c)^2
    density = OhmicExponential(exponent=2.0, cutoff=4.0)
    absorbed, _ = half_sided(density, 0.5, 0.0, 0.0)
    expected = float(mpmath.polygamma(1, 1.5)) / 0.25 / (2 * math.pi)
    assert complex(absorbed) == pytest.approx(-1j * expected, rel=TRANSFORM_TOLERANCE, abs=0.0)


# ---------------------------------------------------------------- rates and occupation


@pytest.mark.parametrize("beta", [1e-3, 1.0, 40.0])
@pytest.mark.parametrize("mu", [0.0, -0.5])
@pytest.mark.parametrize("density", [Ohmic(), DrudeLorentz(), OhmicExponential(exponent=0.5)])
def test_rates_against_mpmath(density, beta, mu):
    energies = np.geomspace(1e-13, 15.0, 60)
    absorption, emission = rates(density, beta, mu, energies)
    with mpmath.workdps(40):
        x = [mpmath.mpf(beta) * (mpmath.mpf(e) - mpmath.mpf(mu)) for e in energies.tolist()]
        occupied = np.array([float(1 / mpmath.expm1(v)) for v in x])
        vacant = np.array([float(-1 / mpmath.expm1(-v)) for v in x])
    spectral = density(energies)
    allowed = RATE_TOLERANCE + EXPONENT_TOLERANCE * beta * (energies - mu)
    assert np.all(relative_error(emission, spectral * vacant) < RATE_TOLERANCE)
    assert np.all(relative_error(absorption, spectral * occupied) < allowed)
    assert np.all(relative_error(occupation(energies, beta, mu), occupied) < allowed)


@settings(max_examples=60, deadline=None)
@given(
    beta=st.floats(1e-3, 10.0),
    mu=st.floats(-3.0, 0.0),
    energy=st.floats(1e-9, 30.0),
    density=st.sampled_from(SMOOTH),
)
def test_detailed_balance(beta, mu, energy, density):
    absorption, emission = rates(density, beta, mu, energy)
    exponent = beta * (energy - mu)
    allowed = RATE_TOLERANCE + 2 * EXPONENT_TOLERANCE * exponent
    assert float(emission) == pytest.approx(
        float(absorption) * math.exp(exponent), rel=allowed, abs=0.0
    )


def test_emission_exceeds_absorption_by_the_density():
    energies = np.geomspace(1e-3, 30.0, 50)
    absorption, emission = rates(Ohmic(), 0.2, -0.1, energies)
    np.testing.assert_allclose(emission - absorption, Ohmic()(energies), rtol=1e-11)


def test_no_rates_at_or_below_zero():
    for beta in (1.0, 1e4, math.inf):
        for rate in rates(Ohmic(), beta, 0.0, [-1e5, -1.0, -1e-300, -0.0, 0.0]):
            assert np.array_equal(rate, np.zeros(5))


def test_zero_temperature_only_emits():
    energies = np.array([1e-300, 1e-3, 1.0, 20.0])
    absorption, emission = rates(Ohmic(), math.inf, -0.0, energies)
    assert np.array_equal(absorption, np.zeros(4))
    assert np.array_equal(emission, Ohmic()(energies))
    assert np.array_equal(occupation(energies, math.inf, -1.0), np.zeros(4))


def test_extreme_rates_neither_warn_nor_become_nan():
    for beta in (1e-50, 1e-3, 1e300, math.inf):
        for mu in (0.0, -1e-200, -1e200):
            for rate in rates(Ohmic(), beta, mu, [1e-250, 1.0, 1e200, 1e308]):
                assert not np.any(np.isnan(rate))
    absorption, _ = rates(Ohmic(), 1.0, 0.0, 5e-324)
    assert float(absorption) == 1.0


@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (3, 0)])
def test_shapes_are_kept(shape):
    energies = np.full(shape, 0.3)
    arrays = (*rates(Ohmic(), 1.0, 0.0, energies), *half_sided(Ohmic(), 1.0, 0.0, energies))
    assert [a.shape for a in arrays] == [shape] * 4
    assert [a.dtype for a in arrays] == [np.float64] * 2 + [np.complex128] * 2
    assert occupation(energies, 1.0).shape == shape


@pytest.mark.parametrize(
    "function",
    [
        lambda beta=1.0, mu=0.0, e=1.0: occupation(e, beta, mu),
        lambda beta=1.0, mu=0.0, e=1.0: rates(Ohmic(), beta, mu, e),
        lambda beta=1.0, mu=0.0, e=1.0: half_sided(Ohmic(), beta, mu, e),
    ],
)
def test_bad_parameters_are_named(function):
    for beta in (0.0, -1.0, math.nan, True, None, "1"):
        with pytest.raises(InputError, match=r"^beta: must be > 0, but is "):
            function(beta=beta)
    for mu in (0.1, math.nan, -math.inf, False, None, "0"):
        with pytest.raises(InputError, match=r"^mu: must be finite and <= 0, but is "):
            function(mu=mu)
    for energy in (math.nan, math.inf, [1.0, -math.inf]):
        with pytest.raises(InputError, match=r"must be finite, but holds "):
            function(e=energy)


def test_bad_parameters_at_zero_frequency_are_named():
    with pytest.raises(InputError, match=r"^beta: "):
        zero_frequency_hermitian(Ohmic(), -1.0)
    with pytest.raises(InputError, match=r"^mu: "):
        zero_frequency_hermitian(Ohmic(), 1.0, 2.0)


@pytest.mark.parametrize(("frequency", "mu"), [(0.0, 0.0), (-1.0, 0.0), ([1.0, -0.5], -0.5)])
def test_occupation_needs_frequencies_above_mu(frequency, mu):
    with pytest.raises(InputError, match=r"^frequency: must be above mu = "):
        occupation(frequency, 1.0, mu)


# ---------------------------------------------------------------- identities of C and D


@pytest.mark.parametrize("density", SMOOTH)
@pytest.mark.parametrize(("beta", "mu"), [(0.5, 0.0), (50.0, -0.3), (math.inf, 0.0)])
def test_real_parts_are_half_the_rates(density, beta, mu):
    for transform, rate in zip(
        half_sided(density, beta, mu, ENERGIES), rates(density, beta, mu, ENERGIES), strict=True
    ):
        assert np.array_equal(transform.real, 0.5 * rate)


@pytest.mark.parametrize("density", SMOOTH)
@pytest.mark.parametrize(("beta", "mu"), [(0.2, 0.0), (7.0, -0.3)])
def test_emission_minus_absorption_is_the_vacuum(density, beta, mu):
    absorbed, emitted = half_sided(density, beta, mu, ENERGIES)
    _, vacuum = half_sided(density, math.inf, 0.0, ENERGIES)
    size = np.abs(absorbed) + np.abs(emitted)
    assert np.all(np.abs(emitted - absorbed - vacuum) < TRANSFORM_TOLERANCE * size)


@settings(max_examples=40, deadline=None)
@given(
    unit=st.floats(1e-6, 1e6),
    exponent=st.floats(0.2, 4.0),
    beta=st.floats(0.01, 100.0),
    mu=st.sampled_from([0.0, -1e-3, -2.0]),
    energy=st.floats(1e-6, 50.0) | st.floats(-50.0, -1e-6),
)
def test_units_do_not_matter(unit, exponent, beta, mu, energy):
    one = half_sided(Ohmic(exponent=exponent, cutoff=3.0), beta, mu, energy)
    scaled = Ohmic(strength=unit ** (1.0 - exponent), exponent=exponent, cutoff=3.0 * unit)
    other = half_sided(scaled, beta / unit, mu * unit, energy * unit)
    # the rounding of beta * unit moves exp(-beta w) where C is dominated by w ~ E or less
    allowed = TRANSFORM_TOLERANCE + 4 * EXPONENT_TOLERANCE * beta * (abs(energy) - mu)
    for value, expected in zip(other, one, strict=True):
        assert abs(value - unit * expected) <= allowed * abs(unit * expected) + 1e-300


def test_transforms_are_linear_in_the_density():
    first, second = Ohmic(cutoff=2.0), DrudeLorentz(strength=0.5, cutoff=6.0)
    both = CustomDensity(
        function=lambda w: first(w) + second(w), leading_coefficient=1.5, scale=2.0
    )
    for total, *parts in zip(
        *(half_sided(d, 0.7, 0.0, ENERGIES) for d in (both, first, second)), strict=True
    ):
        size = np.abs(parts[0]) + np.abs(parts[1])
        assert np.all(np.abs(total - sum(parts)) < TRANSFORM_TOLERANCE * size)


@pytest.mark.parametrize("density", SMOOTH)
def test_an_energy_does_not_notice_the_others(density):
    together = np.array(half_sided(density, 2.0, 0.0, ENERGIES))
    alone = np.array([half_sided(density, 2.0, 0.0, e) for e in ENERGIES]).T
    assert np.all(relative_error(alone, together) < TRANSFORM_TOLERANCE)


def test_repeated_and_shuffled_energies():
    order = np.random.default_rng(1).permutation(3 * ENERGIES.size) % ENERGIES.size
    for sorted_, shuffled in zip(
        half_sided(Ohmic(), 1.0, 0.0, ENERGIES),
        half_sided(Ohmic(), 1.0, 0.0, ENERGIES[order].reshape(3, -1)),
        strict=True,
    ):
        assert np.all(relative_error(shuffled.ravel(), sorted_[order]) < ROUNDING)


def test_energies_at_and_beside_panel_ends():
    # a mesh that starts at BOTTOM * 1 has these among its ends
    ends = principal_value.BOTTOM * 2.0 ** np.arange(6, 9)
    energies = np.concatenate([ends, np.nextafter(ends, 0.0), np.nextafter(ends, 9.0), [1.0]])
    _, emitted = half_sided(OhmicExponential(cutoff=1.0), math.inf, 0.0, energies)
    with mpmath.workdps(40):
        expected = [float(exponential_principal_value(mpmath.mpf(e))) for e in energies.tolist()]
    assert np.all(relative_error(-2 * math.pi * emitted.imag, expected) < TRANSFORM_TOLERANCE)


def test_no_energies_and_no_bath():
    for transform in half_sided(Ohmic(), 1.0, 0.0, []):
        assert transform.shape == (0,)
    for transform in half_sided(Ohmic(strength=0.0), 1.0, 0.0, [-1.0, 0.5, 100.0]):
        assert np.array_equal(transform, np.zeros(3))


def test_energies_far_from_every_scale():
    energies = np.outer([1e-250, 1e-100, 1e100, 1e200], SIDES).ravel()
    for beta in (0.1, 1e4, 1e300, math.inf):
        for transform in half_sided(Ohmic(exponent=1.5), beta, 0.0, energies):
            assert np.all(np.isfinite(transform))
    with pytest.raises(InputError, match=r"^energies: must be zero or at least "):
        half_sided(Ohmic(), 1.0, 0.0, 1e-300)


# ---------------------------------------------------------------- kinks, edges and bad densities


def semicircle_principal_value(energy):
    """P int_0^2 sqrt(w(2 - w))/(w - E) dw."""
    x = energy - 1
    return -mpmath.pi * (x if abs(x) <= 1 else x - mpmath.sign(x) * mpmath.sqrt(x * x - 1))


def triangle_principal_value(energy):
    """E log|(1 - E)/E| + (2 - E) log|(2 - E)/(1 - E)|, from J linear on [0, 1] and [1, 2]."""
    rising = energy * mpmath.log(abs((1 - energy) / energy))
    return rising + (2 - energy) * mpmath.log(abs((2 - energy) / (1 - energy)))


def box_principal_value(energy):
    """P int_1^2 dw/(w - E)."""
    return mpmath.log(abs((2 - energy) / (1 - energy)))


SEMICIRCLE = CustomDensity(
    function=lambda w: np.sqrt(w * (2.0 - w)),
    exponent=0.5,
    leading_coefficient=math.sqrt(2.0),
    scale=1.0,
    support=2.0,
)
BOX = CustomDensity(
    function=lambda w: np.where(w < 1.0, 0.0, 1.0),
    leading_coefficient=0.0,
    scale=1.0,
    support=2.0,
    breakpoints=(1.0,),
)


@pytest.mark.parametrize(
    ("density", "closed_form"),
    [
        (SEMICIRCLE, semicircle_principal_value),
        (triangle(), triangle_principal_value),
        (triangle(breakpoints=()), triangle_principal_value),
        (BOX, box_principal_value),
    ],
    ids=["semicircle", "triangle", "triangle, kink not declared", "box"],
)
def test_rough_densities(density, closed_form):
    energies = np.concatenate([np.linspace(-3.0, 4.0, 58), [1e-9, 0.995, 1.004, 1.996, 2.003]])
    # a box below E is as large as one above it at 1.5, where the principal value vanishes
    energies = energies[np.all(np.abs(energies[:, None] - [0.0, 1.0, 1.5, 2.0]) > 1e-9, axis=1)]
    _, emitted = half_sided(density, math.inf, 0.0, energies)
    with mpmath.workdps(30):
        principal = np.array([float(closed_form(mpmath.mpf(e))) for e in energies.tolist()])
    expected = 0.5 * density(energies) - 0.5j / math.pi * principal
    assert np.all(relative_error(emitted, expected) < ROUGH_TOLERANCE)


def test_energies_at_and_beside_a_kink():
    # at 1 the two logarithms of triangle_principal_value cancel
    energies = np.array([1.0, 1.0 + 1e-12, 1.0 - 1e-9, 1.0 + 1e-6])
    _, emitted = half_sided(triangle(), math.inf, 0.0, energies)
    with mpmath.workdps(40):
        beside = [float(triangle_principal_value(mpmath.mpf(e))) for e in energies[1:].tolist()]
    principal = -2 * math.pi * emitted.imag
    assert np.all(np.abs(principal - [0.0, *beside]) < ROUGH_TOLERANCE)


def test_tabulated_density():
    # on [a, b] with J linear: P int J/(w - E) = J(b) - J(a) + J(E) log|(b - E)/(a - E)|
    knots = np.linspace(0.0, 6.0, 61)
    values = knots * np.exp(-knots)
    values[-1] = 0.0
    density = CustomDensity(
        function=lambda w: np.interp(w, knots, values),
        leading_coefficient=values[1] / knots[1],
        scale=knots[1],
        support=knots[-1],
        breakpoints=tuple(knots[1:-1]),
    )
    energies = np.random.default_rng(2).uniform(-2.0, 8.0, 200)

    def principal(e):
        line = values[:-1] + np.diff(values) / np.diff(knots) * (e - knots[:-1])
        return np.sum(np.diff(values) + line * np.log(np.abs((knots[1:] - e) / (knots[:-1] - e))))

    _, emitted = half_sided(density, math.inf, 0.0, energies)
    shift = np.array([principal(e) for e in energies.tolist()])
    expected = 0.5 * density(energies) - 0.5j / math.pi * shift
    assert np.all(relative_error(emitted, expected) < ROUGH_TOLERANCE)


def test_close_breakpoints():
    # J = w up to 1, then down to 0 within a ramp r: int_0^inf J/w = 1 + ((1 + r) log(1 + r) - r)/r
    ramp = 2.0**-8
    density = CustomDensity(
        function=lambda w: np.minimum(w, (1.0 + ramp - w) / ramp),
        leading_coefficient=1.0,
        scale=1.0,
        support=1.0 + ramp,
        breakpoints=(1.0,),
    )
    _, emitted = half_sided(density, math.inf, 0.0, [0.0, 1.0, 1.0 + ramp])
    expected = (1.0 + ramp) * math.log1p(ramp) / ramp
    computed = -2 * math.pi * float(emitted.imag[0])
    assert computed == pytest.approx(expected, rel=ROUGH_TOLERANCE, abs=0.0)
    # P int_0^1 w/(w - 1) + P int_1^(1+r) (1 + r - w)/r/(w - 1): the logarithms at 1 leave log r
    assert float(-2 * math.pi * emitted.imag[1]) == pytest.approx(
        math.log(ramp), rel=ROUGH_TOLERANCE, abs=0.0
    )
    assert np.all(np.isfinite(emitted))


@pytest.mark.parametrize("width", [1e-2, 1e-3])
def test_energies_on_a_resonance(width):
    # J = w G / ((w^2 - 1)^2 + (G w)^2); by residues, -sum Res[J(z) log(-z)/(z - E)] - J(E) log E
    def resonance(w):
        return w * width / (((w - 1.0) * (w + 1.0)) ** 2 + (width * w) ** 2)

    density = CustomDensity(
        function=resonance, leading_coefficient=width, scale=1.0, breakpoints=(1.0,)
    )
    energies = 1.0 + width * np.array([0.0, 0.3, -0.5, 2.0, -5.0, 30.0])
    _, emitted = half_sided(density, math.inf, 0.0, energies)
    with mpmath.workdps(40):
        damping = mpmath.mpf(width) ** 2
        root = mpmath.sqrt((2 - damping) / 2 + mpmath.sqrt(damping * (damping / 4 - 1)))
        poles = [root, -root, mpmath.conj(root), -mpmath.conj(root)]

        def principal(e):
            residues = sum(
                width * mpmath.log(-z) / ((4 * z * z + 2 * (damping - 2)) * (z - e)) for z in poles
            )
            return float(mpmath.re(-residues) - resonance(e) * mpmath.log(e))

        shift = np.array([principal(mpmath.mpf(e)) for e in energies.tolist()])
    expected = 0.5 * density(energies) - 0.5j / math.pi * shift
    assert np.all(relative_error(emitted, expected) < ROUGH_TOLERANCE)


def test_zero_energy_below_a_gap():
    _, emitted = half_sided(BOX, math.inf, 0.0, 0.0)
    assert float(emitted.imag) == pytest.approx(-math.log(2.0) / (2 * math.pi), rel=1e-14, abs=0.0)
    absorbed, _ = half_sided(BOX, 1.0, 0.0, 0.0)
    thermal = float(mpmath.quad(lambda w: 1 / w / mpmath.expm1(w), [1, 2]))
    assert float(absorbed.imag) == pytest.approx(-thermal / (2 * math.pi), rel=1e-14, abs=0.0)
    value = zero_frequency_hermitian(BOX, 1.0, 0.0)
    assert value == pytest.approx(-1j * math.log(2.0) / (2 * math.pi), rel=1e-14, abs=0.0)


@pytest.mark.parametrize("energy", [1.0, 2.0])
def test_energy_on_a_jump_is_refused(energy):
    with pytest.raises(
        PhysicsError, match=rf"^energies: must differ from {energy}, .*but one does"
    ):
        half_sided(BOX, 1.0, 0.0, [0.3, energy])


@pytest.mark.parametrize(("tail", "expected"), [(1.25, 3.2), (1.5, 4.0 / 3.0), (3.0, 1.0 / 6.0)])
def test_slow_algebraic_tails(tail, expected):
    # P int_0^inf w (1 + w)^-p / (w + 1) dw = B(2, p - 1) = 1/((p - 1) p)
    density = CustomDensity(
        function=lambda w: w * (1.0 + w) ** -tail, leading_coefficient=1.0, scale=1.0
    )
    assert expected == pytest.approx(1.0 / ((tail - 1.0) * tail))
    _, emitted = half_sided(density, math.inf, 0.0, -1.0)
    assert float(-2 * math.pi * emitted.imag) == pytest.approx(
        expected, rel=ROUGH_TOLERANCE, abs=0.0
    )


def test_non_analytic_start():
    # int_0^inf w (1 + sqrt(w)) exp(-w) / w dw = 1 + Gamma(3/2)
    density = CustomDensity(
        function=lambda w: w * (1.0 + np.sqrt(w)) * np.exp(-w), leading_coefficient=1.0, scale=1.0
    )
    value = zero_frequency_hermitian(density, math.inf)
    expected = (1.0 + math.gamma(1.5)) / (2 * math.pi)
    assert value == pytest.approx(-1j * expected, rel=ROUGH_TOLERANCE, abs=0.0)


def test_narrow_peak():
    # J = w G / ((w^2 - 1)^2 + (G w)^2): int_0^inf J/w dw = pi/2 for every width G
    width = 1e-3
    density = CustomDensity(
        function=lambda w: w * width / (((w - 1.0) * (w + 1.0)) ** 2 + (width * w) ** 2),
        leading_coefficient=width,
        scale=1.0,
        breakpoints=(1.0,),
    )
    value = zero_frequency_hermitian(density, math.inf)
    assert value == pytest.approx(-0.25j, rel=ROUGH_TOLERANCE, abs=0.0)


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda w: w / (1.0 + w), id="does not decay"),
        pytest.param(lambda w: w * np.exp(-w) * (1.0 + 1e-9 * (w > 1.0)), id="hidden jump"),
        pytest.param(lambda w: w * np.exp(-w) * (1.0 + 1e-9 * np.sin(1e13 * w)), id="noise"),
        pytest.param(
            lambda w: w * np.exp(-w) * (1.0 + 1e-18 / ((w - 1.0) ** 2 + 1e-18)),
            id="peak narrower than doubles resolve",
        ),
    ],
)
def test_unresolvable_density_is_refused(function):
    density = CustomDensity(function=function, leading_coefficient=1.0, scale=1.0)
    with pytest.raises(AccuracyError, match=r"cannot be resolved .* near frequency") as caught:
        half_sided(density, math.inf, 0.0, [-1.0, 1.0])
    assert "\n" not in str(caught.value)


def test_docstring_examples_run():
    assert doctest.testmod(correlation).failed == 0
