"""The noise floor: a power law over a constant, fitted to the averaged curve."""

import warnings

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from index_cases import curves_of, equal_trees, in_and_out, power_law
from numpy.testing import assert_allclose

from sksmooth import BesovSmoothnessEstimator
from sksmooth.exceptions import SmoothnessWarning
from sksmooth.index.floor import fit_noise_floor
from sksmooth.index.window import log_spaced

GRID = np.geomspace(0.15, 4.0, 24)  # of exponents


def floored(level, exponent, n_terms=1000, start=1):
    """Powers that fall by a law over a floor, from a number of terms on."""
    terms = np.maximum(np.arange(1, n_terms + 1) / start, 1.0)
    return np.append(1.0, level + (1 - level) * terms**-exponent)


def fitted(powers, **options):
    return fit_noise_floor(curves_of(equal_trees(powers, 3), **options))


@given(
    st.floats(0.0, 0.9),
    st.floats(0.1, 5.0),
    st.integers(0, 99),
    st.floats(0.0, 0.1),
    st.sampled_from([50, 2000, 10**6]),
)
def test_fit_is_that_of_non_negative_least_squares(level, exponent, seed, waver, n_samples):
    powers = floored(level, exponent)
    powers[1:] *= np.exp(waver * np.random.RandomState(seed).standard_normal(1000))
    floor = fitted(powers, n_samples=n_samples)
    first, last = floor.fit_range
    assert 1 <= first <= last <= max(n_samples / 5, 1)
    points = log_spaced(first, last, last)
    if len(points) < 3:  # two lines through two points fit alike
        return
    of_all = powers[points] / powers[0]
    expected = reference.power_law_over_a_floor(points, of_all, 1 / n_samples)
    # Exponents that fit alike, as those of a flat curve, may change places.
    for one, other in ((floor.level, expected[0]), (floor.exponent, expected[2])):
        if one != pytest.approx(other, rel=1e-6, abs=1e-9):
            ours = misfit(floor.level, floor.exponent, points, of_all, 1 / n_samples)
            theirs = misfit(expected[0], expected[2], points, of_all, 1 / n_samples)
            assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def misfit(level, exponent, points, powers, least):
    """Sum of squared relative errors with the best fall."""
    weight = 1 / np.maximum(powers, least)
    falling = (points / points[0]) ** -exponent * weight
    left = (powers - level) * weight
    fall = max(falling @ left / (falling @ falling), 0.0)
    return np.sum((fall * falling - left) ** 2)


@pytest.mark.parametrize("exponent", GRID[[6, 12, 18]])
@pytest.mark.parametrize("level", [0.05, 0.3, 0.8])
def test_law_over_a_floor_is_recovered(level, exponent):
    floor = fitted(floored(level, exponent))
    assert_allclose(floor.level, level, rtol=1e-6)
    assert_allclose(floor.exponent, exponent, rtol=1e-9)
    assert_allclose(floor.levels, level, rtol=1e-6)
    assert_allclose(floor.exponents, exponent, rtol=1e-9)
    assert floor.deviation(floor.levels) < 1e-6


@pytest.mark.parametrize("exponent", GRID[[3, 10, 16]])
def test_law_without_a_floor_has_none(exponent):
    floor = fitted(floored(0.0, exponent), n_samples=10**6)
    assert_allclose(floor.level, 0, atol=1e-9)
    assert not floor.is_reached
    assert floor.share_at(400, curves_of(equal_trees(floored(0.0, exponent)))) < 1e-6


@pytest.mark.parametrize("scale", [30, 100, 300])
def test_curves_that_bend_down_have_no_floor_and_the_law_without_one(scale):
    # A floor below zero would fit better.
    powers = np.exp(-np.arange(1001) / scale)
    floor = fitted(powers, n_samples=10**6)
    points = log_spaced(*floor.fit_range, floor.fit_range[1])
    expected = reference.power_law_over_a_floor(points, powers[points], 1e-6)
    assert floor.level == expected[0] == 0
    assert_allclose(floor.exponent, expected[2], rtol=1e-9)
    # A twentieth of the fall is left where the law from the first point on reaches it.
    reached = np.ceil(points[0] * (expected[1] / 0.05) ** (1 / expected[2]))
    assert floor.n_terms == np.clip(reached, points[0], points[-1])


@pytest.mark.parametrize(
    ("exponent", "is_reached"), [(GRID[14], True), (GRID[8], False), (GRID[2], False)]
)
def test_floor_is_reached_where_a_tenth_of_the_fall_is_left(exponent, is_reached):
    # The faster law reaches it within 400 terms; and so slowly as the others fall, the
    # noise is not told from the function.
    powers = in_and_out(np.tile(floored(0.3, exponent), (3, 1)), gap=0.02)
    floor = fit_noise_floor(curves_of(powers))
    assert floor.is_reached == is_reached
    assert floor.bound >= 0.3


def test_floor_is_not_reached_where_errors_out_of_the_bag_are_larger():
    powers = np.tile(floored(0.3, GRID[14]), (3, 1))
    assert fit_noise_floor(curves_of(in_and_out(powers, gap=0.05))).is_reached
    assert not fit_noise_floor(curves_of(in_and_out(powers, gap=0.1))).is_reached


def test_share_at_is_that_of_the_error_that_is_floor():
    powers = floored(0.3, GRID[12])
    curves = curves_of(equal_trees(powers))
    floor = fit_noise_floor(curves)
    for n_terms in (1, 20, 400):
        share = floor.share_at(n_terms, curves)
        assert_allclose(share, 0.3 / powers[n_terms], rtol=1e-6)


def test_nothing_is_known_without_errors_out_of_the_bag():
    powers = equal_trees(power_law(0.5) ** 2, 3)
    powers[1, :, 1] = np.nan
    assert fit_noise_floor(curves_of(powers)) is None
    assert fit_noise_floor(curves_of(np.zeros_like(powers))) is None


def test_unknown_replicates_have_an_infinite_deviation():
    floor = fitted(floored(0.3, GRID[12]))
    assert floor.deviation(np.array([0.3, np.nan, 0.3])) == np.inf
    assert_allclose(floor.deviation(np.array([0.2, 0.3, 0.4])), np.sqrt(2 * 0.02 / 3))


def test_errors_that_one_group_of_samples_holds_alone_give_no_warning():
    """Without that group nothing is left to compare with, and its replicate is unknown."""
    x = [int(digit) for digit in "00011000011001111010110100000"]
    labels = [1, 1] + 27 * [0]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", SmoothnessWarning)
        measured = BesovSmoothnessEstimator(2, p=50, random_state=0).fit(np.c_[x], labels)
    assert measured.alpha_ >= 0
