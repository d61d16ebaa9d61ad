"""Lines through decaying curves, and the numbers of terms between which they are fitted."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_cases import MANY, curves_of, power_law
from numpy.testing import assert_allclose

from sksmooth.index import fit_window
from sksmooth.index.power_law import fit_power_law

EXPONENTS = pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
exponents = st.sampled_from([1.0, 2.0, 3.0])


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# ---------------------------------------------------------------- lines


@given(st.floats(-3, 3), st.floats(1e-8, 1e8), st.integers(3, 200))
def test_power_laws_are_fitted_exactly(slope, scale, n):
    terms = np.arange(1, n + 1)
    law = fit_power_law(terms, scale * terms**slope)
    # The intercept may be as large as log 1e8, so slopes lose a few digits to it.
    assert_allclose(law.slope, slope, atol=1e-11)
    assert_allclose(law.intercept, np.log(scale), atol=1e-10)
    assert_allclose(law.drop, abs(slope) * np.log(n), atol=1e-10)
    assert_allclose(law(terms), scale * terms**slope, rtol=1e-9)
    if abs(slope) > 1e-3:
        assert_allclose(law.r_squared, 1, atol=1e-9)


def test_line_is_that_of_least_squares_through_errors_that_are_not_zero():
    errors = np.random.RandomState(0).uniform(1, 2, size=29)
    errors[[0, 10, 28]] = 0
    terms = np.arange(1, 30)
    law, kept = fit_power_law(terms, errors), errors > 0
    x, y = np.log(terms[kept]), np.log(errors[kept])
    assert_allclose([law.slope, law.intercept], np.polyfit(x, y, 1), rtol=1e-10)
    assert_allclose(law.r_squared, np.corrcoef(x, y)[0, 1] ** 2, rtol=1e-10)
    assert law.n_points == 26


@pytest.mark.parametrize("errors", [[0.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
def test_fewer_than_two_errors_give_a_flat_line(errors):
    law = fit_power_law(np.array([1, 2, 3]), np.array(errors))
    assert (law.slope, law.intercept, law.r_squared, law.drop) == (0.0, 0.0, 0.0, 0.0)
    assert law.n_points == np.count_nonzero(errors)


# ---------------------------------------------------------------- window


def steps(*falls, n_terms=600):
    """Errors that are 1 and then, from each number of terms, as large as told."""
    errors = np.ones(n_terms + 1)
    for at, level in falls:
        errors[at:] = level
    return errors


def window_of(in_bag, out_of_bag=None, *, n_samples=MANY, n_terms=(600,), p=2.0):
    """Window of these p-th powers of errors; where they fall at once, (14, 300)."""
    powers = np.stack([in_bag, in_bag if out_of_bag is None else out_of_bag], axis=1)
    norms = np.arange(max(n_terms)) < np.array(n_terms)[:, None]
    powers = np.tile(powers, (len(n_terms), 1, 1))
    return fit_window(curves_of(powers, p, n_samples=n_samples, norms=norms * 1.0))


@EXPONENTS
@pytest.mark.parametrize(
    ("coarse", "level", "first"),
    [(1, 0.2, 14), (14, 0.2, 14), (15, 0.499, 15), (99, 0.499, 99), (50, 0.501, 14)],
)
def test_window_starts_at_fourteen_terms_or_when_the_coarse_shape_is_found(
    coarse, level, first, p
):
    # If that is later, and of an error more than half of which goes away; noise has no
    # shape.
    assert window_of(steps((coarse, level)), p=p) == (first, 300)


def test_coarse_shape_is_found_when_half_of_what_goes_away_is_gone():
    assert window_of(steps((30, 0.625), (60, 0.25))) == (30, 300)
    assert window_of(steps((30, 0.626), (60, 0.25))) == (60, 300)


def test_coarse_shape_is_that_of_the_window():
    # What goes away after its end does not count, and what goes away in it and comes
    # back, as out-of-bag errors do, counts.
    assert window_of(steps((30, 0.4), (101, 0.0)), n_samples=500) == (30, 100)
    assert window_of(steps((30, 0.6), (100, 0.1)), n_samples=500) == (33, 100)
    assert window_of(steps((30, 0.6), (101, 0.1)), n_samples=500) == (14, 100)
    assert window_of(steps((30, 0.4), (80, 0.8))) == (30, 300)


def test_window_spans_a_factor_of_three_at_least():
    for coarse in (100, 101, 300):
        assert window_of(steps((coarse, 0.4))) == (100, 300)
    assert window_of(steps((1, 0.4)), n_terms=(60,)) == (10, 30)


def test_coarse_shape_is_that_of_samples_in_the_bag_and_out_of_it():
    # Of the average, 0.6 goes away: 0.35 when one falls to 0.3, 0.25 when the other does.
    for early, late, first in (((30, 0.3), (60, 0.5), 30), ((30, 0.5), (60, 0.3), 60)):
        assert window_of(steps(early), steps(late)) == (first, 300)
        assert window_of(steps(late), steps(early)) == (first, 300)
    unknown = np.full(601, np.nan)  # without errors out of the bag, that of the others
    assert window_of(steps((30, 0.3)), unknown) == (30, 300)
    assert window_of(steps((30, 0.3)), unknown, n_samples=400) == (26, 80)


@pytest.mark.parametrize(
    ("options", "last"),
    [
        ({"n_samples": 500}, 100),
        ({"n_samples": 504.9}, 100),
        ({"n_samples": 505}, 101),
        ({"n_samples": 1499}, 299),
        ({"n_samples": 1500}, 300),
        ({"n_terms": (100,)}, 50),
        ({"n_terms": (100, 101, 300)}, 50),  # the median
        ({"n_terms": (102,)}, 51),
    ],
)
def test_window_ends_at_ten_samples_a_cell_or_half_of_the_terms(options, last):
    # M terms are M / 2 cells.
    assert window_of(steps((1, 0.2)), **options) == (14, last)


@EXPONENTS
def test_window_ends_where_the_error_out_of_the_bag_is_twice_that_in_it(p):
    # Four times for squares.
    in_bag = steps((1, 0.2))
    assert window_of(in_bag, in_bag * steps((80, 2.01**p)), p=p) == (14, 80)
    assert window_of(in_bag, in_bag * steps((80, 1.99**p)), p=p) == (14, 300)
    ratio = np.ones(601)
    ratio[[80, 200, 500]] = 2.01**p  # for the first time
    assert window_of(in_bag, ratio * in_bag, p=p) == (14, 80)
    assert window_of(in_bag, ratio * in_bag, n_samples=300, p=p) == (14, 60)
    assert window_of(in_bag, 2.01**p * in_bag, p=p) == (1, 2)


def test_window_ends_where_no_error_is_left_in_the_bag_but_out_of_it():
    in_bag = steps((90, 0.0))
    assert window_of(in_bag, np.maximum(in_bag, 1e-9)) == (30, 90)
    assert window_of(in_bag, in_bag) == (90, 300)
    assert window_of(np.zeros(601)) == (14, 300)


@pytest.mark.parametrize(("n_samples", "n_terms"), [(1, 600), (9, 600), (MANY, 1), (3, 4)])
def test_smallest_window_is_that_of_one_split(n_samples, n_terms):
    errors = power_law(0.5, max(n_terms, 2)) ** 2
    assert window_of(errors, n_samples=n_samples, n_terms=(n_terms,)) == (1, 2)


def curves_of_squares(falls, ratios):
    in_bag = np.append(1.0, np.sort(falls)[::-1])
    return np.stack([in_bag, in_bag * np.resize(ratios, len(in_bag))], axis=0)


@given(
    st.builds(
        curves_of_squares,
        st.lists(st.floats(0.0, 1.0), min_size=2, max_size=500),
        st.lists(st.floats(0.5, 5.0) | st.just(1.0), min_size=1, max_size=50),
    ),
    st.floats(1, 1e5),
    st.integers(1, 10),
    st.integers(-200, 200),
    st.integers(0, 10**6),
    exponents,
)
def test_window_of_any_curve(curve, n_samples, factor, exponent, seed, p):
    n_terms = curve.shape[1] - 1
    options = {"n_samples": n_samples, "n_terms": (n_terms,), "p": p}
    first, last = window_of(*curve, **options)
    assert isinstance(first, int)
    assert isinstance(last, int)
    assert 1 <= first < last <= n_terms
    assert first == 1 or 3 * first <= last
    # Above the smallest trees, it ends halfway at the latest, and at 10 samples a cell.
    assert last <= max(n_terms / 2, 2)
    assert last <= max(n_samples / 5, 2)
    # It moves up with samples and terms.
    for more in ({"n_samples": n_samples * factor}, {"n_terms": (n_terms * factor,)}):
        later_first, later_last = window_of(*curve, **{**options, **more})
        assert later_first >= first
        assert later_last >= last
    # It has no unit; a power of two rounds nothing.
    assert window_of(*(curve * 2.0**exponent), **options) == (first, last)
    # It knows nothing of what comes after it.
    after = curve[:, last + 1 :]
    after[:] = np.random.RandomState(seed).uniform(0, 5, size=after.shape)
    assert window_of(*curve, **options) == (first, last)
