"""Stationary distributions, and the bracket of spanning trees around them."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lindfeas import PhysicsError
from lindfeas.physics.equations.rate_equation import distribution_error, stationary_distribution
from lindfeas.physics.systems.spectrum import UNIT_ROUNDOFF

ROUNDING = 1e-13


def random_rates(random: np.random.Generator, size: int, decades: float) -> np.ndarray:
    rates = 10.0 ** random.uniform(-decades, 0, size=(size, size))
    np.fill_diagonal(rates, 0.0)
    return rates


@pytest.mark.parametrize("size", [47, 48, 49, 97, 150])
def test_levels_are_eliminated_in_blocks(size: int) -> None:
    rates = random_rates(np.random.default_rng(size), size, 8)
    p = stationary_distribution(rates)
    assert p.sum() == pytest.approx(1.0, rel=1e-14)
    np.testing.assert_allclose(rates @ p, rates.sum(axis=0) * p, rtol=ROUNDING)


def tree_weights(rates: np.ndarray) -> np.ndarray:
    """sum over all spanning trees rooted at every level, by enumeration of who leads where."""
    size = len(rates)
    total = np.zeros(size)
    for root in range(size):
        others = [level for level in range(size) if level != root]
        for parents in itertools.product(range(size), repeat=size - 1):
            leads = dict(zip(others, parents, strict=True))
            if all(_arrives(level, leads, root) for level in others):
                total[root] += math.prod(rates[leads[level], level] for level in others)
    return total


def _arrives(level: int, leads: dict[int, int], root: int) -> bool:
    for _ in range(len(leads) + 1):
        if level == root:
            return True
        level = leads[level]
    return False


@pytest.mark.parametrize("seed", range(5))
def test_the_bracket_is_that_of_the_spanning_trees(seed: int) -> None:
    """The odds of p_j between T_j(low)/sum T_i(high) and T_j(high)/sum T_i(low), i != j."""
    random = np.random.default_rng(seed)
    rates = random_rates(random, 4, 5)
    errors = rates * 10 ** random.uniform(-4, 1, size=(4, 4))
    p = stationary_distribution(rates)
    np.testing.assert_allclose(p, tree_weights(rates) / tree_weights(rates).sum(), rtol=ROUNDING)
    low, high = tree_weights(np.maximum(rates - errors, 0)), tree_weights(rates + errors)
    most, least = high / (high + low.sum() - low), low / (low + high.sum() - high)
    found = distribution_error(rates, errors, p)
    np.testing.assert_allclose(found, np.maximum(most - p, p - least), rtol=1e-9)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 8), decades=st.integers(0, 40))
def test_no_rates_within_their_errors_leave_the_bracket(seed: int, size: int, decades: int) -> None:
    """Errors of all sizes, also of rates that vanish: the bound is not one of first order."""
    random = np.random.default_rng(seed)
    rates = random_rates(random, size, decades)
    rates[random.uniform(size=rates.shape) < 0.3] = 0.0
    ring = np.roll(np.arange(size), 1)
    rates[ring, np.arange(size)] = 10.0 ** random.uniform(-decades, 0, size=size)
    errors = random_rates(random, size, decades) * 10.0 ** random.uniform(-16, 0)
    p = stationary_distribution(rates)
    bound = distribution_error(rates, errors, p)
    assert np.all(bound <= np.maximum(p, 1 - p) * (1 + ROUNDING))
    for _ in range(10):
        signs = random.choice([-1.0, 1.0, 0.5], size=rates.shape)
        moved = stationary_distribution(np.maximum(rates + signs * errors, 1e-300))
        # both distributions are rounded themselves: 8 u of each, as `population_error` counts it
        slack = ROUNDING * np.minimum(p, 1 - p) + 8 * UNIT_ROUNDOFF * (p + moved)
        assert np.all(np.abs(moved - p) <= bound + slack)


@pytest.mark.parametrize("relative", [1e-15, 1e-6, 0.1])
def test_relative_errors_of_rates_stay_relative(relative: float) -> None:
    """Every tree changes by at most ((1 + r)/(1 - r))^(d - 1), however small the population."""
    rates = random_rates(np.random.default_rng(1), 6, 100)
    p = stationary_distribution(rates)
    assert p.min() < 1e-30
    odds = ((1 + relative) / (1 - relative)) ** (2 * 5) * (1 + 1e-12)
    assert np.all(distribution_error(rates, relative * rates, p) <= (odds - 1) * p)


def test_two_levels_attain_the_bracket() -> None:
    rates = np.array([[0.0, 3.0], [1e-20, 0.0]])
    errors = np.array([[0.0, 0.5], [1e-21, 0.0]])
    p = stationary_distribution(rates)
    most = 1.1e-20 / (1.1e-20 + 2.5)
    np.testing.assert_allclose(distribution_error(rates, errors, p), most - p[1], rtol=1e-10)


def test_a_link_that_may_not_exist_leaves_everything_open() -> None:
    rates = np.array([[0.0, 1e-30, 1.0], [1e-30, 0.0, 0.0], [1.0, 0.0, 0.0]])
    errors = np.where(rates == 1e-30, 1e-29, 0.0)
    p = stationary_distribution(rates)
    assert np.all(distribution_error(rates, errors, p) >= np.maximum(p, 1 - p) * 0.99)


def test_levels_that_are_left_for_good_have_no_error() -> None:
    """Zero temperature: downward rates only, known to 10 %."""
    rates = np.triu(np.ones((5, 5)), k=1)
    p = stationary_distribution(rates)
    np.testing.assert_array_equal(p, [1, 0, 0, 0, 0])
    np.testing.assert_array_equal(distribution_error(rates, 0.1 * rates, p), 0.0)


def test_a_slow_way_back_to_the_levels_that_remain_costs_nothing() -> None:
    """Level 2 is left for good, and more slowly than the others: it is eliminated first."""
    rates = np.array([[0.0, 1.0, 1e-9], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    p = stationary_distribution(rates)
    assert distribution_error(rates, 1e-12 * rates, p).max() < 1e-11


@pytest.mark.parametrize("seed", range(5))
def test_the_rounding_of_the_reduction_itself_is_counted(seed: int) -> None:
    """No error of the rates: what is left is the arithmetic, against 60 digits."""
    rates = random_rates(np.random.default_rng(seed), 40, 6)
    p = stationary_distribution(rates)
    with mpmath.workdps(60):
        generator = mpmath.matrix(rates.tolist())
        for a in range(40):
            generator[a, a] = -mpmath.fsum(generator[k, a] for k in range(40) if k != a)
        generator[0, :] = mpmath.ones(1, 40)
        right = mpmath.zeros(40, 1)
        right[0] = 1
        pairs = zip(p, mpmath.lu_solve(generator, right), strict=True)
        errors = [abs(mpmath.mpf(x) - q) for x, q in pairs]
    bound = distribution_error(rates, np.zeros_like(rates), p)
    assert all(error <= allowed for error, allowed in zip(errors, bound, strict=True))


def test_rates_that_underflow_are_refused() -> None:
    """1 reaches 0 by way of 2 only, at a rate of 1e-400."""
    rates = np.array([[0.0, 0.0, 1e-200], [1e-210, 0.0, 1.0], [0.0, 1e-200, 0.0]])
    with pytest.raises(PhysicsError, match="underflow"):
        stationary_distribution(rates)
