"""The rate of the whole way: from no terms to the best number of them."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from index_cases import curves_of, equal_trees, fit, power_law
from numpy.testing import assert_allclose

from sksmooth.index import cells_allowed, whole_way_rate

shares = st.floats(0.0, 1.0)
numbers = st.floats(1.0, 1e9)
exponents = st.floats(1.0, 50.0)


@given(shares, numbers, numbers, exponents)
def test_rate_is_that_of_the_formula(left, n_grown, n_samples, p):
    expected = reference.whole_way_rate(left, n_grown, n_samples, p)
    assert_allclose(whole_way_rate(left, n_grown, n_samples, p), expected, atol=1e-12)


@pytest.mark.parametrize("p", [1.0, 2.0, 4.0])
@pytest.mark.parametrize(("n_grown", "n_samples"), [(800, 1000), (5, 7), (10**6, 30)])
def test_perfect_fits_have_the_rate_of_an_error_of_one_sample(n_grown, n_samples, p):
    expected = -np.log(1 / n_samples) / p / np.log(max(n_grown / 10, 2))
    for left in (0.0, 1e-300, 0.5 / n_samples, 1 / n_samples):
        assert_allclose(whole_way_rate(left, n_grown, n_samples, p), expected, rtol=1e-12)
    assert whole_way_rate(2 / n_samples, n_grown, n_samples, p) < expected


@given(numbers, numbers, exponents, st.floats(1.0, 1e9))
def test_rate_of_what_is_not_better_than_the_mean_is_zero(n_grown, n_samples, p, left):
    rate = whole_way_rate(left, n_grown, n_samples, p)
    assert rate == 0
    assert np.copysign(1, rate) == 1  # not -0.0


@given(shares, shares, numbers, numbers, exponents)
def test_rate_falls_with_the_error(one, other, n_grown, n_samples, p):
    one, other = sorted([one, other])
    assert whole_way_rate(one, n_grown, n_samples, p) >= whole_way_rate(
        other, n_grown, n_samples, p
    )


@given(st.floats(0.0, 1e9))
def test_ten_samples_are_a_cell_and_there_are_two(n_grown):
    assert cells_allowed(n_grown) == max(n_grown / 10, 2)


# ---------------------------------------------------------------- as an index


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_index_on_a_floor_is_the_rate_of_the_whole_way(p):
    # Three quarters of the fall in one term, and a flat floor then.
    errors = np.append(1.0, np.full(1000, 0.25 ** (1 / p)))
    fitted = fit(curves_of(equal_trees(errors**p, 3), p))
    assert fitted.share_of_whole_way == 1
    assert_allclose(fitted.rate_in_window, 0, atol=1e-10)
    expected = -np.log(0.25) / p / np.log(200)
    assert_allclose([fitted.alpha, fitted.rate_of_whole_way], expected, rtol=1e-10)
    assert_allclose(fitted.replicates.trees, expected, rtol=1e-10)
    assert_allclose(fitted.replicates.groups, expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("last", "share"), [(14, 1.0), (20, 0.660), (30, 0.274), (39, 0.0241), (40, 0.0)]
)
def test_short_windows_give_way_to_the_whole_way(last, share):
    # As log M goes from 14 to 40 terms, which are ten samples a cell.
    fitted = fit(curves_of(equal_trees(power_law(0.5) ** 2), n_samples=5 * last))
    assert fitted.window[1] == last
    assert_allclose(fitted.share_of_whole_way, share, atol=1e-3)
    rates = fitted.rate_in_window, fitted.rate_of_whole_way
    assert_allclose(fitted.alpha, (1 - share) * rates[0] + share * rates[1], atol=1e-3)


@pytest.mark.parametrize(("rate", "share"), [(1.0, 0.0), (1.1, 0.4), (1.25, 1.0)])
def test_rates_of_boxes_give_way_to_the_whole_way(rate, share):
    # Errors above that of one sample.
    options = dict(n_samples=10**9)
    fitted = fit(curves_of(equal_trees(power_law(rate) ** 2), **options))
    assert_allclose(fitted.share_of_whole_way, share, atol=1e-6)
    assert_allclose(fitted.rate_in_window, rate, rtol=1e-9)


def test_index_does_not_jump_as_a_floor_rises():
    """From none of the error at the window's end to nearly all, by a third at a time."""
    levels = np.append(0.0, 0.003 * 1.3 ** np.arange(22))
    alphas = []
    for level in levels:
        powers = np.append(1.0, (1 - level) * np.arange(1, 1001.0) ** -0.8 + level)
        alphas.append(fit(curves_of(equal_trees(powers))).alpha)
    assert_allclose(alphas[0], 0.4, atol=1e-6)
    steps = np.array(alphas[1:]) / alphas[:-1]
    assert (steps < 1).all()
    # In the end the rate falls like log(1 / level), and the logarithm goes to zero.
    assert steps[levels[1:] < 0.5].min() > 0.7
