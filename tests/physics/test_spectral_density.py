"""Spectral densities against their formulas in 30 digits, and every way to misuse them."""

import dataclasses
import doctest
import math

import mpmath
import numpy as np
import pytest

from lindfeas.errors import InputError, LindfeasError
from lindfeas.physics.baths import custom_density, families, ohmic_quartic, spectral_density
from lindfeas.physics.baths.custom_density import CustomDensity
from lindfeas.physics.baths.ohmic_quartic import OhmicQuartic
from lindfeas.physics.baths.spectral_density import (
    DrudeLorentz,
    Ohmic,
    OhmicExponential,
    SpectralDensity,
)

pytestmark = pytest.mark.filterwarnings("error")

# exp(-x) turns a rounding of x <= 70 into 70 ulp, a power of w < 1e4 adds a few
FORMULA_TOLERANCE = 2e-14
# how far beyond the point of 1e-30 the support may reach
SUPPORT_MARGIN = 0.99

FREQUENCIES = np.array([1e-200, 1e-13, 1e-3, 0.7, 3.0, 10.0, 25.0, 60.0])
EXPONENTS = (0.1, 0.5, 1.0, 2.0, 3.0, 7.5)
FAMILIES = (
    Ohmic(),
    Ohmic(strength=0.3, exponent=0.5, cutoff=2.0),
    Ohmic(strength=4.0, exponent=3.0, cutoff=7.0),
    OhmicExponential(),
    OhmicExponential(strength=2.0, exponent=2.5, cutoff=0.1),
    DrudeLorentz(),
    DrudeLorentz(strength=0.2, cutoff=3.0),
    OhmicQuartic(),
    OhmicQuartic(strength=0.7, exponent=0.5, cutoff=4.0),
)


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


def in_30_digits(formula, frequencies):
    with mpmath.workdps(30):
        return np.array([float(formula(mpmath.mpf(float(w)))) for w in frequencies])


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize(
    ("family", "damping"),
    [
        (Ohmic, lambda x: mpmath.exp(-x * x)),
        (OhmicExponential, lambda x: mpmath.exp(-x)),
        (OhmicQuartic, lambda x: mpmath.exp(-(x**4))),
    ],
)
def test_power_laws_follow_their_formula(family, damping, exponent):
    density = family(strength=0.7, exponent=exponent, cutoff=8.0)
    expected = in_30_digits(
        lambda w: mpmath.mpf(0.7) * w ** mpmath.mpf(exponent) * damping(w / 8), FREQUENCIES
    )
    np.testing.assert_allclose(density(FREQUENCIES), expected, rtol=FORMULA_TOLERANCE)


def test_drude_lorentz_follows_its_formula():
    frequencies = np.append(FREQUENCIES, [1e5, 1e100])
    expected = in_30_digits(lambda w: mpmath.mpf(0.7) * w / (1 + (w / 8) ** 2), frequencies)
    density = DrudeLorentz(strength=0.7, cutoff=8.0)
    np.testing.assert_allclose(density(frequencies), expected, rtol=FORMULA_TOLERANCE)


def test_defaults_are_the_published_family():
    assert Ohmic() == Ohmic(strength=1.0, exponent=1.0, cutoff=10.0)
    assert float(Ohmic()(10.0)) == pytest.approx(10.0 / math.e, rel=FORMULA_TOLERANCE, abs=0.0)


@pytest.mark.parametrize("density", [*FAMILIES, triangle()])
def test_no_modes_at_or_below_zero(density):
    assert np.array_equal(density([-np.inf, -1.0, -1e-300, -0.0, 0.0]), np.zeros(5))


@pytest.mark.parametrize("density", [*FAMILIES, triangle()])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4)])
def test_shape_is_kept(density, shape):
    value = density(np.full(shape, 0.5))
    assert value.shape == shape
    assert value.dtype == np.float64


@pytest.mark.parametrize("density", FAMILIES)
def test_extreme_frequencies_neither_warn_nor_become_nan(density):
    values = density([5e-324, 1e-300, 1e160, 1e300, np.inf])
    assert np.all(np.isfinite(values))
    assert np.all(values >= 0.0)
    assert values[-1] <= 1e-140


@pytest.mark.parametrize("density", [*FAMILIES, triangle()])
def test_nan_is_not_turned_into_a_number(density):
    assert np.isnan(density(np.nan))


@pytest.mark.parametrize("density", [*FAMILIES, triangle()])
def test_leading_term_describes_low_frequencies(density):
    w = 1e-9 * density.scale
    leading = density.leading_coefficient * w**density.exponent
    assert float(density(w)) == pytest.approx(leading, rel=1e-8, abs=0.0)


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("family", [Ohmic, OhmicExponential, OhmicQuartic])
def test_support_is_where_the_density_becomes_negligible(family, exponent):
    density = family(exponent=exponent, cutoff=3.0)
    largest = density(np.linspace(0.0, density.support, 20001)).max()
    assert density(density.support) <= 1.001e-30 * largest
    assert density(SUPPORT_MARGIN * density.support) > 1e-30 * largest


def test_every_family_is_tested_here():
    assert {type(density) for density in FAMILIES} == set(families.FAMILIES.values())


def test_drude_lorentz_has_no_end():
    assert DrudeLorentz().support == math.inf


@pytest.mark.parametrize("density", [*FAMILIES, triangle()])
def test_every_family_keeps_to_the_protocol(density):
    assert isinstance(density, SpectralDensity)
    assert isinstance(density.breakpoints, tuple)


@pytest.mark.parametrize("density", [*FAMILIES, triangle()])
def test_densities_are_frozen_and_hashable(density):
    hash(density)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(density, dataclasses.fields(density)[0].name, 2.0)


@pytest.mark.parametrize("family", families.FAMILIES.values())
def test_parameters_are_keywords_only(family):
    with pytest.raises(TypeError):
        family(1.0)


def test_numbers_are_stored_as_floats():
    density = Ohmic(strength=2, exponent=np.float32(0.5), cutoff=np.int64(3))
    assert [type(v) for v in dataclasses.astuple(density)] == [float] * 3


@pytest.mark.parametrize("family", [Ohmic, OhmicExponential, DrudeLorentz])
@pytest.mark.parametrize(
    ("where", "values"),
    [
        ("strength", (-1.0, math.nan, math.inf, True, "1", None, 1j, 10**400)),
        ("cutoff", (0.0, -1.0, math.nan, math.inf, True, "1", None)),
    ],
)
def test_bad_strength_and_cutoff_are_named(family, where, values):
    for value in values:
        with pytest.raises(InputError, match=f"^{where}: must be .*, but is ") as caught:
            family(**{where: value})
        assert caught.value.where == where
        assert repr(value) in str(caught.value)


@pytest.mark.parametrize("family", [Ohmic, OhmicExponential])
@pytest.mark.parametrize("value", [0.0, -0.5, math.nan, math.inf, False, "1", 1e3])
def test_bad_exponent_is_named(family, value):
    with pytest.raises(InputError, match=r"^exponent: must .*, but is "):
        family(exponent=value)


def test_zero_strength_is_no_bath():
    assert np.array_equal(Ohmic(strength=0)(FREQUENCIES), np.zeros(len(FREQUENCIES)))


def test_custom_density_is_cut_at_its_support():
    density = CustomDensity(function=lambda w: w, leading_coefficient=1.0, scale=1.0, support=2.0)
    assert np.array_equal(density([0.5, 2.0, np.nextafter(2.0, 3.0)]), [0.5, 2.0, 0.0])


def test_custom_function_sees_only_its_domain():
    seen = []

    def recorded(w):
        seen.append(w)
        return w

    density = CustomDensity(function=recorded, leading_coefficient=1.0, scale=1.0, support=3.0)
    density([[-1.0, 0.0], [4.0, 2.0]])
    assert all(w.ndim == 1 and np.all((w > 0.0) & (w <= 3.0)) for w in seen)


def test_custom_breakpoints_are_sorted_and_unique():
    density = triangle(breakpoints=[1.5, 1, 0.5, 1.0])
    assert density.breakpoints == (0.5, 1.0, 1.5)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"function": 3.0}, "function"),
        ({"exponent": 0.0}, "exponent"),
        ({"exponent": 0.5}, "leading_coefficient"),
        ({"exponent": 2.0}, "leading_coefficient"),
        ({"leading_coefficient": -1.0}, "leading_coefficient"),
        ({"leading_coefficient": 1.1}, "leading_coefficient"),
        ({"leading_coefficient": 0.0}, "leading_coefficient"),
        ({"scale": 0.0}, "scale"),
        ({"scale": math.inf}, "scale"),
        ({"support": -2.0}, "support"),
        ({"support": math.nan}, "support"),
        ({"breakpoints": (0.0,)}, "breakpoints"),
        ({"breakpoints": (math.nan,)}, "breakpoints"),
        ({"breakpoints": (2.0,)}, "breakpoints"),
        ({"function": lambda w: 1.0}, "function"),
        ({"function": lambda w: np.stack([w, w])}, "function"),
        ({"function": lambda w: np.full_like(w, np.nan)}, "function"),
    ],
)
def test_bad_custom_density_is_named(changes, where):
    with pytest.raises(InputError, match=f"^{where}: must .*, but ") as caught:
        triangle(**changes)
    assert caught.value.where == where


def test_negative_custom_density_is_refused_where_it_is_met():
    density = triangle(function=lambda w: np.where(w < 1.0, w, -1.0))
    with pytest.raises(InputError, match=r"but is -1\.0 at frequency 1\.5"):
        density(1.5)


def test_gapped_custom_density_has_no_leading_term():
    density = CustomDensity(
        function=lambda w: np.where(w < 1.0, 0.0, 1.0),
        leading_coefficient=0.0,
        scale=1.0,
        support=2.0,
        breakpoints=(1.0,),
    )
    assert np.array_equal(density([0.5, 1.5, 2.5]), [0.0, 1.0, 0.0])


def test_errors_share_the_root():
    with pytest.raises(LindfeasError):
        Ohmic(cutoff=-1.0)


def test_docstring_examples_run():
    for module in (spectral_density, custom_density, ohmic_quartic):
        found = doctest.testmod(module)
        assert found.attempted > 0 and found.failed == 0
