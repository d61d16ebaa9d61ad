"""Power laws over a floor, weighed by how well they fit a few errors."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sksmooth.index import SureErrors, fit_learning_curve

SIZES = np.array([100, 200, 400, 800])
PRECISE = np.diag(np.full(4, 1e-8))


def power_law(n, exponent, floor=0.0, level=0.2):
    return level * (floor + (1 - floor) * (np.asarray(n) / SIZES[-1]) ** -exponent)


def fitted(errors, covariance=PRECISE, **options):
    return fit_learning_curve(SIZES, np.asarray(errors), covariance, **options)


@pytest.mark.parametrize(("exponent", "floor"), [(0.5, 0.0), (0.8, 0.3), (0.25, 0.0)])
def test_a_power_law_is_continued(exponent, floor):
    curve = fitted(power_law(SIZES, exponent, floor))
    low, high = curve.interval(3200, 0.9)
    assert low < power_law(3200, exponent, floor) < high
    # Four errors do not tell the floor from the exponent, and the prior has a floor.
    assert_allclose(curve.error(3200), power_law(3200, exponent, floor), rtol=0.25)


def test_a_curve_that_has_levelled_off_stays_there():
    curve = fitted([0.31, 0.302, 0.3, 0.3], np.diag(np.full(4, 1e-4)))
    assert 0.25 < curve.error(51_200) < 0.3
    assert curve.floor > 0.2


@given(
    st.lists(st.floats(0.001, 1.0), min_size=4, max_size=4),
    st.floats(1e-6, 0.3),
    st.none() | st.integers(0, 50).map(lambda n_wrong: SureErrors(n_wrong, 100)),
)
def test_forecasts_fall_and_stay_above_the_floor(errors, deviation, sure):
    curve = fitted(errors, np.diag(np.full(4, deviation**2)), sure=sure)
    n = np.geomspace(100, 51_200, 12)
    forecasts = np.array([curve.error(each) for each in n])
    assert (np.diff(forecasts) <= 1e-12).all()
    assert (forecasts >= curve.floor - 1e-12).all()
    for each, forecast in zip(n, forecasts, strict=True):
        low, high = curve.interval(each, 0.9)
        inner_low, inner_high = curve.interval(each, 0.5)
        assert 0 <= low <= inner_low <= forecast <= inner_high <= high


@given(st.floats(0.01, 10.0))
def test_the_unit_of_the_error_does_not_matter(unit):
    errors = power_law(SIZES, 0.4, 0.2)
    one, other = fitted(errors), fitted(unit * errors, error_of_constant=unit)
    assert_allclose(other.error(6400), unit * one.error(6400), rtol=1e-9)
    assert_allclose(other.interval(6400, 0.9), np.multiply(one.interval(6400, 0.9), unit))


def test_intervals_widen_with_the_distance_and_with_the_noise_of_the_errors():
    def width(curve, n):
        low, high = curve.interval(n, 0.9)
        return np.log(high / low)

    errors = power_law(SIZES, 0.5, 0.1)
    precise, rough = fitted(errors), fitted(errors, np.diag(np.full(4, 0.01)))
    assert width(precise, 1600) < width(precise, 51_200)
    assert width(precise, 3200) < width(rough, 3200)


def test_errors_of_the_surest_predictions_bound_the_floor():
    errors = [0.35, 0.31, 0.28, 0.26]
    covariance = np.diag(np.full(4, 1e-3))
    free = fitted(errors, covariance)
    bound = fitted(errors, covariance, sure=SureErrors(80, 400))
    assert free.floor_interval(0.9)[0] < 0.1
    # One-sided bound of 80 in 400, by the normal approximation to 2 %.
    least = 0.2 - 2.05 * np.sqrt(0.2 * 0.8 / 400)
    assert bound.floor_interval(0.9)[0] >= least - 0.005
    assert bound.floor > free.floor


def test_what_is_nearly_as_bad_as_a_guess_is_expected_to_learn_slowly():
    errors, rough = np.full(4, 0.4), np.diag(np.full(4, 0.25))
    good = fitted(errors, rough, error_of_constant=4.0)
    bad = fitted(errors, rough, error_of_constant=0.4)
    assert good.error(51_200) < bad.error(51_200)


def test_the_misfit_tells_rising_errors_from_falling_ones():
    covariance = np.diag(np.full(4, 0.02**2))
    falling = fitted(power_law(SIZES, 0.5, 0.2), covariance)
    rising = fitted(power_law(SIZES, 0.5, 0.2)[::-1], covariance)
    assert falling.misfit < 1 < 10 < rising.misfit


def test_correlated_errors_are_weighed_as_such():
    errors = power_law(SIZES, 0.5)
    alone = np.diag(np.full(4, 0.01))
    # What all share moves the level, and says nothing about the shape.
    shared = np.diag(np.full(4, 1e-6)) + 0.01
    one, other = fitted(errors, alone), fitted(errors, shared)
    assert_allclose(other.deviation, 0.1, rtol=0.1)

    def ratio_of_ends(curve):
        weights = curve.weights.reshape(32, -1).sum(axis=1)
        return weights.max()

    assert ratio_of_ends(other) > 1.3 * ratio_of_ends(one)


def test_a_curve_comes_back_from_a_pickle():
    curve = fitted(power_law(SIZES, 0.5, 0.2), sure=SureErrors(1, 100))
    copy = pickle.loads(pickle.dumps(curve))
    assert copy.interval(5000, 0.9) == curve.interval(5000, 0.9)
    assert not copy.weights.flags.writeable


def test_errors_of_a_part_are_continued_like_those_of_all_where_they_tell_little():
    rough = np.diag(np.full(4, 0.25))
    flat, steep = (
        fitted(errors) for errors in ([0.3, 0.299, 0.298, 0.298], power_law(SIZES, 0.9))
    )
    part = np.array([0.2, 0.15, 0.16, 0.12])
    alone = fitted(part, rough).error(51_200)
    assert fitted(part, rough, like=steep).error(51_200) < alone
    assert alone < fitted(part, rough, like=flat).error(51_200)
