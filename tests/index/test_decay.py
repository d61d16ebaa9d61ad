import warnings

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth.exceptions import (
    BentDecayWarning,
    ConstantFeaturesWarning,
    FewTermsWarning,
    InSampleOnlyWarning,
    PoorFitWarning,
    UnresolvedIndexWarning,
)
from sksmooth.index import decay
from sksmooth.index.variance import Replicates, student_margin, variance_of_difference

WINDOW = (20, 400)


def power_law(alpha, n_terms=1000, scale=1.0):
    """Errors at M = 0, 1, ..., n_terms; the first one is not on the law."""
    terms = np.arange(1, n_terms + 1)
    return np.append(2 * scale, scale * terms**-alpha)


def in_and_out(curves, gap=0.2):
    """Curves in the bag and out of it, biased low and high."""
    return np.stack([(1 - gap) * curves, (1 + gap) * curves], axis=-1)


def equal_trees(curve, n_trees=2):
    return in_and_out(np.tile(curve, (n_trees, 1)))


def jittered_curves(alpha, n_trees, jitter, p=2.0, seed=0):
    """Curves of trees whose own rates differ a little, centred on alpha."""
    rates = alpha + jitter * np.linspace(-1, 1, n_trees)
    np.random.RandomState(seed).shuffle(rates)
    return in_and_out(np.array([power_law(rate) ** p for rate in rates]))


def groups_alike(curves, n_groups=5):
    """Groups of samples that all have these errors."""
    n_terms = decay.group_terms(curves.shape[1] - 1)
    sums = np.repeat(np.nan_to_num(curves[:, n_terms, None]), n_groups, axis=2)
    weights = np.repeat(np.where(np.isnan(curves[:, :1]), 0.0, 1.0), n_groups, axis=1)
    return decay.SampleGroups(n_terms, sums, weights)


def m_term_fit(curves, window=WINDOW, p=2.0, n_apart=np.inf):
    return decay.m_term_index(curves, groups_alike(curves), window, p, n_apart)


def width(fit, level=0.95):
    low, high = fit.interval(level)
    return high - low


def silently(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(*arguments)


# ---------------------------------------------------------------- lines


@given(st.floats(-3, 3), st.floats(1e-8, 1e8), st.integers(3, 200))
def test_power_laws_are_fitted_exactly(slope, scale, n):
    terms = np.arange(1, n + 1)
    law = decay.fit_power_law(terms, scale * terms**slope)
    # The intercept may be as large as log 1e8, so slopes lose a few digits to it.
    assert_allclose(law.slope, slope, atol=1e-11)
    assert_allclose(law.intercept, np.log(scale), atol=1e-10)
    assert_allclose(law.drop, abs(slope) * np.log(n), atol=1e-10)
    assert_allclose(law(terms), scale * terms**slope, rtol=1e-9)
    if abs(slope) > 1e-3:
        assert_allclose(law.r_squared, 1, atol=1e-9)


def test_line_is_that_of_least_squares():
    rng = np.random.RandomState(0)
    terms, errors = np.arange(1, 30), rng.uniform(1, 2, size=29)
    law = decay.fit_power_law(terms, errors)
    x, y = np.log(terms), np.log(errors)
    slope, intercept = np.polyfit(x, y, 1)
    assert_allclose([law.slope, law.intercept], [slope, intercept], rtol=1e-10)
    assert_allclose(law.r_squared, np.corrcoef(x, y)[0, 1] ** 2, rtol=1e-10)


def test_vanishing_errors_are_left_out():
    terms = np.arange(1, 50)
    errors = terms**-0.5
    errors[[10, 20, 48]] = 0
    assert_allclose(decay.fit_power_law(terms, errors).slope, -0.5, atol=1e-12)


@pytest.mark.parametrize("errors", [[0.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
def test_fewer_than_two_errors_give_a_flat_line(errors):
    law = silently(decay.fit_power_law, np.array([1, 2, 3]), np.array(errors))
    assert (law.slope, law.intercept, law.r_squared, law.drop) == (0.0, 0.0, 0.0, 0.0)
    assert law.n_points == np.count_nonzero(errors)


# ---------------------------------------------------------------- window


MANY = 10**13  # samples, so that their number does not count


def steps(*falls, n_terms=600):
    """Errors that are 1 and then, from each number of terms, as large as told."""
    errors = np.ones(n_terms + 1)
    for at, level in falls:
        errors[at:] = level
    return errors


def window_of(in_bag, out_of_bag=None, *, n_samples=MANY, n_terms=600, p=2.0):
    """Window of these p-th powers of errors; where they fall at once, (14, 300)."""
    out_of_bag = in_bag if out_of_bag is None else out_of_bag
    curve = np.stack([in_bag, out_of_bag], axis=1)
    return silently(decay.fit_window, curve, n_samples, n_terms, p)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("coarse", [1, 13, 14])
def test_window_starts_at_fourteen_terms(coarse, p):
    assert window_of(steps((coarse, 0.2)), p=p) == (14, 300)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("coarse", [15, 50, 99])
def test_window_starts_later_if_the_coarse_shape_is_found_later(coarse, p):
    # Of an error more than half of which goes away; noise has no shape.
    assert window_of(steps((coarse, 0.499)), p=p) == (coarse, 300)
    assert window_of(steps((coarse, 0.501)), p=p) == (14, 300)


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
    assert window_of(steps((100, 0.4))) == (100, 300)
    assert window_of(steps((101, 0.4))) == (100, 300)
    assert window_of(steps((300, 0.4))) == (100, 300)
    assert window_of(steps((1, 0.4)), n_terms=60) == (10, 30)


def test_coarse_shape_is_that_of_samples_in_the_bag_and_out_of_it():
    # Of the average, 0.6 goes away: 0.35 when one falls to 0.3, 0.25 when the other does.
    early, late = (steps((at, 0.3)) for at in (30, 60))
    assert window_of(early, steps((60, 0.5))) == (30, 300)
    assert window_of(steps((60, 0.5)), early) == (30, 300)
    assert window_of(steps((30, 0.5)), late) == (60, 300)
    assert window_of(late, steps((30, 0.5))) == (60, 300)


def test_window_without_errors_out_of_the_bag_is_that_of_the_others():
    unknown = np.full(601, np.nan)
    assert window_of(steps((30, 0.3)), unknown) == (30, 300)
    assert window_of(steps((30, 0.3)), unknown, n_samples=400) == (26, 80)


@pytest.mark.parametrize(
    ("n_samples", "last"), [(500, 100), (504.9, 100), (505, 101), (1499, 299), (1500, 300)]
)
def test_window_ends_at_ten_samples_a_cell(n_samples, last):
    # M terms are M / 2 cells.
    assert window_of(steps((1, 0.2)), n_samples=n_samples) == (14, last)


@pytest.mark.parametrize(("n_terms", "last"), [(100, 50), (101.5, 50), (102, 51)])
def test_window_ends_at_half_of_the_terms(n_terms, last):
    assert window_of(steps((1, 0.2)), n_terms=n_terms) == (14, last)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_window_ends_where_the_error_out_of_the_bag_is_twice_that_in_it(p):
    # Four times for squares.
    in_bag = steps((1, 0.2))
    assert window_of(in_bag, in_bag * steps((80, 2.01**p)), p=p) == (14, 80)
    assert window_of(in_bag, in_bag * steps((80, 1.99**p)), p=p) == (14, 300)


def test_window_ends_where_the_ratio_is_exceeded_first():
    in_bag = steps((1, 0.2))
    ratio = np.ones(601)
    ratio[[80, 200, 500]] = 5.0
    assert window_of(in_bag, ratio * in_bag) == (14, 80)
    assert window_of(in_bag, ratio * in_bag, n_samples=300) == (14, 60)
    assert window_of(in_bag, 5 * in_bag) == (1, 2)


def test_window_ends_where_no_error_is_left_in_the_bag_but_out_of_it():
    in_bag = steps((90, 0.0))
    assert window_of(in_bag, np.maximum(in_bag, 1e-9)) == (30, 90)
    assert window_of(in_bag, in_bag) == (90, 300)
    assert window_of(np.zeros(601)) == (14, 300)


@pytest.mark.parametrize(("n_samples", "n_terms"), [(1, 600), (9, 600), (MANY, 1), (3, 4)])
def test_smallest_window_is_that_of_one_split(n_samples, n_terms):
    errors = power_law(0.5, max(n_terms, 2)) ** 2
    assert window_of(errors, n_samples=n_samples, n_terms=n_terms) == (1, 2)


def curves_of_squares(falls, ratios):
    in_bag = np.append(1.0, np.sort(falls)[::-1])
    return np.stack([in_bag, in_bag * np.resize(ratios, len(in_bag))], axis=1)


curves_of_all_kinds = st.builds(
    curves_of_squares,
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=500),
    st.lists(st.floats(0.5, 5.0) | st.just(1.0), min_size=1, max_size=50),
)
numbers_of_samples = st.floats(1, 1e5)
exponents = st.sampled_from([1.0, 2.0, 3.0])


@given(curves_of_all_kinds, numbers_of_samples, exponents)
def test_window_lies_in_the_curve(curve, n_samples, p):
    n_terms = len(curve) - 1
    first, last = silently(decay.fit_window, curve, n_samples, n_terms, p)
    assert isinstance(first, int)
    assert isinstance(last, int)
    assert 1 <= first < last <= n_terms
    assert first == 1 or 3 * first <= last
    # Above the smallest trees, it ends halfway at the latest, and at 10 samples a cell.
    assert last <= max(n_terms / 2, 2)
    assert last <= max(n_samples / 5, 2)


@given(curves_of_all_kinds, numbers_of_samples, st.floats(1, 10), exponents)
def test_window_moves_up_with_samples_and_terms(curve, n_samples, factor, p):
    n_terms = len(curve) - 1
    first, last = decay.fit_window(curve, n_samples, n_terms, p)
    for more in ((n_samples * factor, n_terms), (n_samples, n_terms * factor)):
        later_first, later_last = decay.fit_window(curve, *more, p)
        assert later_first >= first
        assert later_last >= last


@given(curves_of_all_kinds, numbers_of_samples, st.integers(-200, 200), exponents)
def test_window_has_no_unit(curve, n_samples, exponent, p):
    n_terms = len(curve) - 1
    plain = decay.fit_window(curve, n_samples, n_terms, p)
    # A power of two, which rounds nothing.
    assert decay.fit_window(curve * 2.0**exponent, n_samples, n_terms, p) == plain


@given(curves_of_all_kinds, numbers_of_samples, st.integers(0, 10**6), exponents)
def test_window_knows_nothing_of_what_comes_after_it(curve, n_samples, seed, p):
    n_terms = len(curve) - 1
    window = decay.fit_window(curve, n_samples, n_terms, p)
    other = curve.copy()
    after = other[window[1] + 1 :]
    after[:] = np.random.RandomState(seed).uniform(0, 5, size=after.shape)
    assert decay.fit_window(other, n_samples, n_terms, p) == window


# ---------------------------------------------------------------- m-term


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.3])
def test_m_term_index_recovers_an_exact_power_law(alpha, p):
    curves = equal_trees(power_law(alpha, scale=7.0) ** p, 4)
    fit = silently(m_term_fit, curves, WINDOW, p)
    assert_allclose(fit.alpha, alpha, atol=1e-10)
    # Samples and trees alike, and a straight line: no width but rounding.
    assert_allclose(fit.interval(0.95), alpha, atol=1e-8)
    assert_allclose(fit.line.r_squared, 1, atol=1e-10)
    assert fit.fit_range == WINDOW
    assert_array_equal(fit.n_terms, np.arange(1, 1001))
    assert_allclose(fit.errors, 7 * fit.n_terms**-alpha, rtol=1e-10)
    assert_allclose(fit.line(fit.n_terms), fit.errors, rtol=1e-8)


def test_only_the_window_counts():
    curve = power_law(0.5)
    curve[: WINDOW[0]] *= 3
    curve[WINDOW[1] + 1 :] = 0
    fit = m_term_fit(equal_trees(curve**2))
    assert_allclose(fit.alpha, 0.5, atol=1e-10)


def test_curves_are_averaged_before_the_root():
    curves = np.array([power_law(0.3) ** 2, 4 * power_law(0.8) ** 2])
    curves, plain = in_and_out(curves), curves
    fit = m_term_fit(curves)
    errors = np.sqrt((plain[0] + plain[1]) / 2)
    assert_allclose(fit.errors, errors[1:], rtol=1e-12)
    assert 0.3 < fit.alpha < 0.8


def test_in_bag_and_out_of_bag_errors_are_averaged():
    # Biases of (1 - 1/k) and (1 + 1/k) cancel, whatever their decay.
    powers = power_law(0.5) ** 2
    bias = powers * np.linspace(0, 0.9, 1001)
    curves = np.stack([powers - bias, powers + bias], axis=-1)[None]
    fit = m_term_fit(curves)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)
    assert fit.cautions == ()


@pytest.mark.parametrize("n_unseen", [0, 1])
def test_trees_that_have_seen_all_samples_are_cautioned_against(n_unseen):
    # One is enough: averages over unequal trees would say nothing.
    curves = equal_trees(power_law(0.5) ** 2, 3)
    curves[n_unseen:, :, 1] = np.nan
    fit = silently(m_term_fit, curves)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)
    assert_allclose(fit.errors, np.sqrt(0.8) * power_law(0.5)[1:], rtol=1e-12)
    assert kinds_of_cautions(fit) == [InSampleOnlyWarning]


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_errors_of_rounding_size_are_none(p):
    errors = power_law(0.5)
    errors[101:] = 0.9e-6 * errors[0]
    fit = m_term_fit(equal_trees(errors**p), WINDOW, p)
    assert_array_equal(fit.errors[100:], 0)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)
    errors[101:] = 1.1e-6 * errors[0]
    fit = m_term_fit(equal_trees(errors**p), WINDOW, p)
    assert (fit.errors > 0).all()
    assert fit.alpha > 1


def test_window_ends_with_the_longest_tree():
    fit = m_term_fit(equal_trees(power_law(0.5, 100) ** 2))
    assert fit.fit_range == (20, 100)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)


@given(st.integers(0, 10**4), st.integers(0, 10**6), st.integers(0, 10**6))
def test_log_spaced_points_stay_among_the_terms(first, more, most):
    points = decay._log_spaced(first, first + more, most)
    assert points[0] == max(min(first, most), 1)
    assert points[-1] == max(min(first + more, most), 1)
    assert (np.diff(points) > 0).all()
    assert len(points) <= 60


@pytest.mark.parametrize("n_terms", [1, 2])
def test_trees_of_one_split_give_a_rate_and_no_interval(n_terms):
    fit = silently(m_term_fit, equal_trees(power_law(0.5, n_terms) ** 2), (1, 2))
    assert_allclose(fit.alpha, 0.5 * (n_terms - 1), atol=1e-10)
    assert fit.interval(0.5) == (-np.inf, np.inf)


def random_groups(curves, seed=0, n_groups=5):
    """Groups of unequal samples."""
    groups = groups_alike(curves, n_groups)
    rng = np.random.RandomState(seed)
    sums = groups.sums * rng.uniform(0.9, 1.1, size=groups.sums.shape)
    weights = groups.weights * rng.uniform(0.5, 2, size=groups.weights.shape)
    return decay.SampleGroups(groups.n_terms, sums, weights)


@given(st.floats(1e-60, 1e60), exponents, st.integers(0, 100))
def test_m_term_index_has_no_unit(factor, p, seed):
    curves = jittered_curves(0.5, 4, 0.1, p, seed)
    groups = random_groups(curves, seed)
    scaled = decay.SampleGroups(groups.n_terms, groups.sums * factor, groups.weights)
    plain = decay.m_term_index(curves, groups, WINDOW, p, 3.0)
    other = decay.m_term_index(curves * factor, scaled, WINDOW, p, 3.0)
    assert_allclose(other.errors, plain.errors * factor ** (1 / p), rtol=1e-9)
    assert_allclose(other.alpha, plain.alpha, atol=1e-9)
    assert_allclose(width(other), width(plain), atol=1e-8)
    assert width(plain) > 0.01


# ---------------------------------------------------------------- held-out rate

N_FITTED = 4000  # for which the window is WINDOW


def rate_of(errors, n_trees=1, n_samples=MANY, p=2.0):
    return decay.held_out_rate(errors, n_trees, N_FITTED, n_samples, p)


@pytest.mark.parametrize(
    ("n_samples", "window"),
    [(1, (1, 2)), (100, (2, 10)), (N_FITTED, WINDOW), (20_000, (100, 2000))],
)
def test_held_out_window_is_that_of_cells_of_twenty_samples(n_samples, window):
    assert decay._held_out_window(n_samples) == window


@given(st.floats(1, 1e7), st.floats(1, 10))
def test_held_out_window_moves_up_with_samples(n_samples, factor):
    first, last = decay._held_out_window(n_samples)
    assert 1 <= first < last <= max(n_samples / 10, 2)
    more_first, more_last = decay._held_out_window(n_samples * factor)
    assert more_first >= first
    assert more_last >= last


@pytest.mark.parametrize("alpha", [-0.2, 0.0, 0.4])
def test_held_out_rate_is_the_slope_in_the_window(alpha):
    # The secant, from a tenth of the error, falls less.
    errors = power_law(alpha)
    errors[: WINDOW[0]] = 0.1 * errors[WINDOW[0]]
    errors[WINDOW[1] + 1 :] = 9
    assert_allclose(rate_of(errors), alpha, atol=1e-9)


def test_held_out_rate_is_negative_if_the_terms_fit_noise():
    # Rising by the power 0.2: the secant, from 1 at no terms, is the gentler one.
    errors = np.append(1.0, np.maximum(np.arange(1, 1001.0) / 20, 1) ** 0.2)
    secant = -0.2 * np.log(400 / 20) / np.log(400)
    assert_allclose(rate_of(errors), secant, atol=1e-10)


def test_held_out_rate_is_the_secant_if_the_error_is_gone_early():
    errors = np.append(1.0, np.full(1000, 0.01))
    assert_allclose(rate_of(errors), np.log(100) / np.log(400), atol=1e-8)


@pytest.mark.parametrize("n_trees", [1, 3, 10])
def test_held_out_rate_is_per_tree(n_trees):
    # J trees alike reduce the error like one, J times stretched.
    terms = np.arange(1000 * n_trees + 1) / n_trees
    errors = np.maximum(terms, 20) ** -0.4
    assert_allclose(rate_of(errors, n_trees), 0.4, atol=1e-9)
    gone = np.append(1.0, np.full(1000 * n_trees, 0.01))
    assert_allclose(rate_of(gone, n_trees), np.log(100) / np.log(400), atol=1e-8)


def test_errors_stay_after_the_last_term():
    short = np.maximum(np.arange(51), 20) ** -0.4
    padded = np.append(short, np.full(950, short[-1]))
    assert_allclose(rate_of(short), rate_of(padded), rtol=1e-12)
    assert 0 < rate_of(short) < 0.4


@given(st.floats(1e-100, 1e100), st.integers(1, 300), st.integers(1, 10**6))
def test_held_out_rate_of_flat_curves_is_zero(level, n_terms, n_samples):
    errors = np.full(n_terms + 1, level)
    assert_allclose(rate_of(errors, n_samples=n_samples), 0, atol=1e-12)


def test_held_out_rate_without_error_is_zero():
    assert silently(rate_of, np.zeros(5)) == 0.0


falling_curves = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=600).map(
    lambda falls: np.append(1.0, np.sort(falls)[::-1])
)


@given(falling_curves, st.integers(1, 5000), st.sampled_from([1.0, 2.0, 3.0]))
def test_held_out_rate_is_bounded(errors, n_samples, p):
    # A least-squares line over a width falls by half more than its curve at most, and
    # the curve by the error of one sample.
    rate = silently(lambda: rate_of(errors, n_samples=n_samples, p=p))
    assert rate >= -1e-12
    deepest = np.log(n_samples + 1) / p
    assert rate <= 1.6 * deepest / np.log(WINDOW[1] / WINDOW[0])


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("n_samples", [10, 400])
def test_held_out_rate_of_a_vanishing_error_is_that_of_one_sample(n_samples, p):
    errors = np.append(1.0, np.zeros(1000))
    expected = np.log(n_samples) / p / np.log(400)
    assert_allclose(rate_of(errors, n_samples=n_samples, p=p), expected, rtol=1e-12)


@given(
    st.floats(0, 2),
    st.floats(0, 2),
    st.floats(0, 0.9),
    st.floats(0, 0.9),
    st.integers(1, 3),
)
def test_held_out_rate_is_monotone(alpha, more, early, earlier, n_trees):
    # In the rate within the window, and in what is gone before it.
    def curve(rate, gone):
        terms = np.arange(1000 * n_trees + 1) / n_trees
        return np.append(1.0, (1 - gone) * np.maximum(terms[1:], 20) ** -rate)

    def rate(*arguments):
        return rate_of(curve(*arguments), n_trees, 10**4)

    assert rate(alpha, early) <= rate(alpha + more, early) + 1e-9
    early, earlier = sorted([early, earlier])
    assert decay.held_out_rate(curve(0, early), n_trees, N_FITTED, 10**4, 2.0) <= (
        rate(0, earlier) + 1e-9
    )


@given(falling_curves, st.floats(1e-50, 1e50), st.integers(1, 1000))
def test_held_out_rate_has_no_unit(errors, factor, n_samples):
    plain = rate_of(errors, n_samples=n_samples)
    scaled = rate_of(errors * factor, n_samples=n_samples)
    assert_allclose(scaled, plain, atol=1e-9)


# ---------------------------------------------------------------- intervals


def test_interval_contains_alpha_and_shrinks_with_trees_that_agree():
    fits = [m_term_fit(jittered_curves(0.5, 6, jitter)) for jitter in (0.1, 0.01, 0.001)]
    for fit in fits:
        low, high = fit.interval(0.95)
        assert low < fit.alpha < high
    # The width is proportional to the spread of the trees, to first order.
    assert_allclose(width(fits[1]) / width(fits[0]), 0.1, rtol=0.1)
    assert_allclose(width(fits[2]) / width(fits[1]), 0.1, rtol=0.1)


def test_interval_shrinks_with_more_trees_and_grows_with_its_level():
    few, many = (m_term_fit(jittered_curves(0.5, n_trees, 0.05)) for n_trees in (5, 20))
    assert width(few, 0.5) < width(few, 0.9) < width(few, 0.99)
    assert width(many) < width(few) / 2


def test_interval_does_not_shrink_with_trees_that_see_the_same_samples():
    few, many = (
        m_term_fit(jittered_curves(0.5, n_trees, 0.05), n_apart=5) for n_trees in (40, 160)
    )
    assert_allclose(width(many), width(few), rtol=0.05)


def test_interval_is_that_of_students_t():
    fit = m_term_fit(jittered_curves(0.5, 5, 0.05))
    error = np.sqrt(fit.replicates.variance)
    # Of the window's four blocks: quantiles with 3 degrees of freedom.
    for level, quantile in ((0.95, 3.18244631), (0.5, 0.76489233)):
        margin = quantile * error
        expected = (fit.alpha - margin, fit.alpha + margin)
        assert_allclose(fit.interval(level), expected, rtol=1e-7)


def test_replicates_of_trees_are_the_indices_without_one():
    curves = jittered_curves(0.5, 5, 0.05)
    others = [m_term_fit(np.delete(curves, j, axis=0)).alpha for j in range(5)]
    replicates = m_term_fit(curves).replicates
    assert_allclose(replicates.trees, others, rtol=1e-12)
    assert np.ptp(others) > 0.01


def test_replicates_of_groups_are_the_indices_without_one():
    curves = jittered_curves(0.5, 5, 0.05)
    groups = random_groups(curves)
    fit = decay.m_term_index(curves, groups, WINDOW, 2.0, 4.5)
    expected = groups.indices_without_one(WINDOW, 2.0)
    assert_array_equal(fit.replicates.groups, expected)
    assert np.ptp(expected) > 1e-4
    assert fit.replicates.n_apart == 4.5


def test_interval_of_one_tree_is_that_of_its_window():
    wavy = power_law(0.5) * (1 + 0.1 * np.sin(np.arange(1001) / 30))
    fit = m_term_fit(in_and_out(wavy[None, :] ** 2))
    assert len(fit.replicates.trees) == 0
    assert_allclose(fit.replicates.groups, fit.replicates.groups[0], rtol=1e-12)
    of_window = np.sum(fit.replicates.blocks**2) * 4 / 3
    assert_allclose(fit.replicates.variance, of_window, rtol=1e-9)
    assert of_window > 1e-4


# ---------------------------------------------------------------- replicates


def replicates_of(groups=(), trees=(), blocks=(), n_apart=np.inf):
    arrays = (np.array(part, dtype=float) for part in (groups, trees, blocks))
    return Replicates(*arrays, n_apart)


several = st.lists(st.floats(-10, 10), min_size=2, max_size=8)


@given(several, several, several, st.floats(1, 20))
def test_variance_is_that_of_samples_trees_and_window(groups, trees, blocks, n_apart):
    replicates = replicates_of(groups, trees, blocks, n_apart)
    n_groups, n_trees, n_blocks = len(groups), len(trees), len(blocks)
    centre = sum(groups) / n_groups
    of_samples = (n_groups - 1) / n_groups * sum((index - centre) ** 2 for index in groups)
    index_of_all = 7.0  # which cancels
    pseudo = [n_trees * index_of_all - (n_trees - 1) * index for index in trees]
    centre = sum(pseudo) / n_trees
    of_one_tree = sum((value - centre) ** 2 for value in pseudo) / (n_trees - 1)
    of_trees = of_one_tree / min(n_trees, n_apart)
    of_window = n_blocks / (n_blocks - 1) * sum(deviation**2 for deviation in blocks)
    variance = of_samples + of_trees + of_window
    assert_allclose(replicates.variance, variance, rtol=1e-9, atol=1e-9)
    parts = {n_groups: of_samples, n_trees: of_trees, n_blocks: of_window}
    if min(parts.values()) > 1e-9 * variance > 0 and len(parts) == 3:
        assert replicates.freedom == min(parts) - 1


@given(several)
def test_variance_of_a_mean_is_that_of_one_value_over_their_number(values):
    without_one = [np.mean(np.delete(values, j)) for j in range(len(values))]
    expected = np.var(values, ddof=1) / len(values)
    assume(expected > 1e-12)  # trees that all agree tell nothing
    for part in ("groups", "trees"):
        replicates = replicates_of(**{part: without_one})
        assert_allclose(replicates.variance, expected, rtol=1e-9, atol=1e-9)


def margin_of(replicates, level=0.95):
    return student_margin(replicates.variance, replicates.freedom, level)


KNOWN_PARTS = {"groups": [0.1, 0.2, 0.4], "trees": [0.3, 0.7], "blocks": [1, -2, 1, 0.5]}


@pytest.mark.parametrize("missing", KNOWN_PARTS)
@pytest.mark.parametrize("left", [[], [0.3]])
def test_parts_of_fewer_than_two_are_left_out(missing, left):
    # One tree, say, has no jackknife.
    others = {name: part for name, part in KNOWN_PARTS.items() if name != missing}
    expected = sum(replicates_of(**{name: part}).variance for name, part in others.items())
    replicates = replicates_of(**others, **{missing: left})
    assert_allclose(replicates.variance, expected, rtol=1e-12)
    assert replicates.freedom == min(len(part) for part in others.values()) - 1
    assert 0 < expected < replicates_of(**KNOWN_PARTS).variance


def test_nothing_to_judge_by_is_an_infinite_variance():
    for replicates in (replicates_of(), replicates_of([0.5], [0.5], [0.0])):
        assert replicates.variance == np.inf
        assert replicates.freedom == 1
        assert silently(margin_of, replicates) == np.inf


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("part", KNOWN_PARTS)
def test_replicates_that_are_not_finite_make_the_margin_infinite(part, value):
    replicates = replicates_of(**{**KNOWN_PARTS, part: [0.5, value, 0.6]})
    assert silently(margin_of, replicates) == np.inf
    all_alike = replicates_of(**{**KNOWN_PARTS, part: [value, value]})
    assert silently(margin_of, all_alike, 0.5) == np.inf


@pytest.mark.parametrize(
    ("n_groups", "n_trees", "n_blocks", "freedom"),
    [(10, 20, 4, 3), (3, 20, 4, 2), (10, 2, 4, 1), (10, 0, 4, 3), (10, 20, 0, 9)],
)
def test_margin_has_the_fewest_degrees_of_freedom(n_groups, n_trees, n_blocks, freedom):
    replicates = replicates_of(
        *(np.linspace(0, 1, n) for n in (n_groups, n_trees, n_blocks))
    )
    assert replicates.freedom == freedom
    quantile = {1: 12.7062047, 2: 4.30265273, 3: 3.18244631, 9: 2.26215716}[freedom]
    margin = quantile * np.sqrt(replicates.variance)
    assert_allclose(margin_of(replicates), margin, rtol=1e-7)


@given(several)
def test_differences_are_those_of_pairs(values):
    a = np.array(values)
    b = np.cos(np.arange(len(a)))
    difference = replicates_of(a, 2 * a, 3 * a, 4.0) - replicates_of(b, b, b, 4.0)
    assert_array_equal(difference.groups, a - b)
    assert_array_equal(difference.trees, 2 * a - b)
    assert_array_equal(difference.blocks, 3 * a - b)
    assert difference.n_apart == 4.0


def test_what_two_indices_have_in_common_cancels():
    first = replicates_of(**KNOWN_PARTS)
    assert (first - first).variance == 0
    shifted = replicates_of(
        np.array(KNOWN_PARTS["groups"]) + 3,
        np.array(KNOWN_PARTS["trees"]) - 2,
        first.blocks,
    )
    assert_allclose((shifted - first).variance, 0, atol=1e-12)


@pytest.mark.parametrize("part", ["groups", "trees", "blocks"])
def test_variances_of_replicates_that_make_no_pairs_are_added(part):
    ours, theirs = replicates_of(**{part: [1, -2, 3]}), replicates_of(**{part: [4, -5]})
    variance, freedom = variance_of_difference(ours, theirs)
    assert_allclose(variance, ours.variance + theirs.variance, rtol=1e-12)
    assert freedom == 1  # that of two replicates


def test_variance_of_pairs_is_that_of_their_differences():
    ours = replicates_of(groups=[1, 2, 4], trees=[0.1, 0.3], blocks=[1, -2, 3])
    theirs = replicates_of(groups=[2, 3, 5], trees=[0.2, 0.4], blocks=[1, -2, 2])
    variance, freedom = variance_of_difference(ours, theirs)
    assert_allclose(variance, 1.5, rtol=1e-12)  # groups and trees differ by a constant
    assert freedom == 2


@pytest.mark.parametrize("part", KNOWN_PARTS)
def test_difference_of_infinite_replicates_is_unknown_without_a_warning(part):
    # Two curves that vanish in the window, say.
    replicates = replicates_of(**{**KNOWN_PARTS, part: [np.inf, np.inf]})
    difference = silently(lambda: replicates - replicates)
    assert difference.variance == np.inf


def test_difference_to_a_flat_fit_is_as_uncertain_as_the_other():
    # The index of constant features is known to be zero.
    values = np.arange(4.0)[:, None]
    flat = decay.flat_fit(values, np.ones(4)).replicates
    other = m_term_fit(jittered_curves(0.5, 5, 0.05)).replicates
    for pair in ((other, flat), (flat, other)):
        variance, freedom = variance_of_difference(*pair)
        assert_allclose(variance, other.variance, rtol=1e-12)
        assert freedom == other.freedom


# ---------------------------------------------------------------- groups of samples

GROUP_TERMS = np.array([1, 2, 3, 5, 8, 13, 21, 34, 55])


class GroupCase:
    """Errors of every sample in every tree, and their sums by group."""

    def __init__(self, seed=0, n_trees=3, n_samples=40, n_groups=4, all_seen=()):
        rng = np.random.RandomState(seed)
        self.powers = rng.uniform(0.5, 2, size=(n_trees, len(GROUP_TERMS), n_samples))
        self.powers *= GROUP_TERMS[:, None] ** -0.7
        self.weights = rng.uniform(0.2, 3, size=n_samples)
        self.group = np.arange(n_samples) % n_groups
        self.in_bag = rng.uniform(size=(n_trees, n_samples)) < 0.6
        self.in_bag[:, :n_groups], self.in_bag[:, -n_groups:] = True, False
        self.in_bag[list(all_seen)] = True

    def groups(self):
        sides = np.stack([self.in_bag, ~self.in_bag], axis=-1) * self.weights[:, None]
        member = self.group == np.unique(self.group)[:, None]
        return decay.SampleGroups(
            GROUP_TERMS,
            np.einsum("jmi,gi,jis->jmgs", self.powers, member, sides),
            np.einsum("gi,jis->jgs", member, sides),
        )

    def expected(self, window, p):
        inside = (window[0] <= GROUP_TERMS) & (window[1] >= GROUP_TERMS)
        return reference.indices_without_one_group(
            GROUP_TERMS[inside],
            self.powers[:, inside],
            self.weights,
            self.in_bag,
            self.group,
            p,
        )


@pytest.mark.parametrize("all_seen", [[], [1], [0, 1, 2]])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("window", [(1, 55), (3, 21), (4, 9)])
def test_indices_without_one_group_are_those_of_the_reference(window, p, all_seen):
    case = GroupCase(all_seen=all_seen)
    indices = silently(case.groups().indices_without_one, window, p)
    assert_allclose(indices, case.expected(window, p), rtol=1e-9)
    assert np.ptp(indices) > 0.001


@given(st.integers(0, 10**6), st.integers(2, 8), st.integers(1, 5))
def test_indices_without_one_group_of_random_samples(seed, n_groups, n_trees):
    case = GroupCase(seed, n_trees, 4 * n_groups, n_groups)
    indices = case.groups().indices_without_one((2, 40), 2.0)
    assert_allclose(indices, case.expected((2, 40), 2.0), rtol=1e-9)


@pytest.mark.parametrize("side", [True, False])
def test_group_that_holds_all_samples_of_a_side_makes_the_interval_infinite(side):
    # The rest has no errors to average.
    case = GroupCase()
    case.in_bag[1] = (case.group == 2) == side
    indices = silently(case.groups().indices_without_one, (1, 55), 2.0)
    assert_array_equal(np.isnan(indices), [False, False, True, False])
    assert silently(margin_of, replicates_of(indices)) == np.inf


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_groups_alike_give_the_index_of_all(p):
    fit = m_term_fit(equal_trees(power_law(0.5) ** p), WINDOW, p)
    assert_allclose(fit.replicates.groups, fit.alpha, atol=1e-9)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_groups_without_one_leave_out_errors_of_rounding_size_too(p):
    errors = power_law(0.5)
    errors[101:] = 0.9e-6 * errors[0]
    fit = m_term_fit(equal_trees(errors**p), WINDOW, p)
    assert_allclose(fit.alpha, 0.5, atol=1e-9)
    assert_allclose(fit.replicates.groups, fit.alpha, atol=1e-9)


@given(st.integers(1, 10**6))
def test_group_terms_are_sixteen_to_the_octave(n_terms):
    none, *terms = decay.group_terms(n_terms)
    assert (none, terms[0]) == (0, 1)
    assert terms[-1] == n_terms
    steps = np.diff(terms)
    assert (steps >= 1).all()
    # As far as whole numbers are so close.
    assert (steps <= np.maximum(1, np.array(terms[:-1]) * (2 ** (1 / 15) - 1) + 1)).all()
    assert len(terms) <= 16 * (np.log2(n_terms) + 1) + 1


def test_there_are_ten_groups_or_as_many_as_samples():
    assert [decay.n_groups(n) for n in (1, 2, 9, 10, 11, 10**6)] == [1, 2, 9, 10, 10, 10]


# ---------------------------------------------------------------- blocks of the window

POINTS = np.geomspace(20, 400, 60)
BLOCK_ENDS = [0, 15, 30, 44, 59]


def deviations(terms, errors):
    law = decay.fit_power_law(terms, errors)
    return silently(decay._block_deviations, terms, errors, law)


@given(st.floats(-3, 3), st.floats(1e-8, 1e8), st.integers(5, 60))
def test_blocks_of_power_laws_do_not_deviate(slope, scale, n):
    blocks = deviations(POINTS[:n], scale * POINTS[:n] ** slope)
    assert len(blocks) == 4
    assert_allclose(blocks, 0, atol=1e-9)


def test_fit_of_a_power_law_has_blocks_that_do_not_deviate():
    blocks = m_term_fit(equal_trees(power_law(0.5) ** 2)).replicates.blocks
    assert_allclose(blocks, np.zeros(4), atol=1e-10)


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4).map(np.array))
def test_deviations_of_blocks_sum_to_none(slopes):
    # A line's least-squares slope is the mean of the blocks' own slopes, weighted by the
    # integrals of t (1 - t) over the quarters of [0, 1]. Blocks of 60 points are no exact
    # quarters.
    x = np.log(POINTS)
    y = np.append(0, np.cumsum(np.diff(x[BLOCK_ENDS]) * slopes))
    errors = np.exp(np.interp(x, x[BLOCK_ENDS], y))
    slope = decay.fit_power_law(POINTS, errors).slope
    weights = np.array([5, 11, 11, 5]) / 32
    tolerance = 0.03 * np.ptp(slopes) + 1e-9
    assert_allclose(slope, weights @ slopes, atol=tolerance)
    blocks = deviations(POINTS, errors)
    assert_allclose(blocks, weights * (slope - slopes), atol=tolerance)
    assert_allclose(blocks.sum(), 0, atol=tolerance)


@pytest.mark.parametrize(
    ("positive", "n_blocks"), [([0, 59], 0), ([15], 0), ([], 0), ([0, 30, 59], 2)]
)
def test_blocks_need_three_ends_with_an_error(positive, n_blocks):
    errors = POINTS**-0.5
    errors[np.setdiff1d(BLOCK_ENDS, positive)] = 0
    blocks = deviations(POINTS, errors)
    if n_blocks:
        assert_allclose(blocks, np.zeros(n_blocks), atol=1e-10)
    else:
        assert_array_equal(blocks, [np.inf, np.inf])


@pytest.mark.parametrize("n", [1, 2])
def test_blocks_of_one_or_two_points_are_unknown(n):
    assert_array_equal(deviations(POINTS[:n], POINTS[:n] ** -0.5), [np.inf, np.inf])


# ---------------------------------------------------------------- weak l_p


def falling_norms(alpha, p, n_terms=800):
    return np.arange(1, n_terms + 1.0) ** -(alpha + 1 / p)


def weak_lp_curve(norms, p, confirmed=1.0):
    """Errors whose drops are the norms in the bag, and their share confirmed out of it."""
    drops = norms**p
    return np.stack(
        [
            np.append(share_of_all, 0.0)
            for share_of_all in (
                np.cumsum(drops[::-1])[::-1],
                np.cumsum((confirmed * drops)[::-1])[::-1],
            )
        ],
        axis=1,
    )


def weak_lp_fit(norms, p, confirmed=1.0, window=WINDOW, n_apart=np.inf):
    """The fit of trees with these norms, shape (n_trees, n_terms)."""
    curves = np.stack([weak_lp_curve(own, p, confirmed) for own in norms])
    return silently(decay.weak_lp_index, curves, norms, window, p, n_apart)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("n_trees", [1, 3, 8])
@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_weak_lp_index_recovers_the_decay_of_the_norms(alpha, n_trees, p):
    norms = falling_norms(alpha, p)
    fit = weak_lp_fit(np.tile(norms, (n_trees, 1)), p)
    assert_allclose(fit.alpha, alpha, atol=1e-9)
    assert_allclose(fit.interval(0.95), alpha, atol=1e-7)
    assert fit.fit_range == WINDOW
    assert_allclose(fit.errors, norms, rtol=1e-9)
    assert_array_equal(fit.n_terms, np.arange(1, 801))
    assert_allclose(fit.line.slope, -(alpha + 1 / p), atol=1e-9)
    assert fit.cautions == ()


def test_weak_lp_window_ends_with_the_terms():
    fit = weak_lp_fit(falling_norms(0.5, 2.0, 300)[None], 2.0)
    assert fit.fit_range == (20, 300)
    assert_allclose(fit.alpha, 0.5, atol=1e-9)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_norms_are_averaged_over_trees_rank_by_rank(p):
    norms = np.stack([falling_norms(0.3, p), 3 * falling_norms(0.8, p)])
    norms[1, 500:] = 0  # it has no more terms
    fit = weak_lp_fit(norms, p)
    expected = ((norms[0] ** p + norms[1] ** p) / 2) ** (1 / p)
    assert_allclose(fit.errors, expected, rtol=1e-9)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize(
    ("confirmed", "kept"),
    [(1.0, 1.0), (0.5, 0.75), (0.0, 0.5), (-0.5, 0.25), (3.0, 1.0)],
)
def test_norms_shrink_by_half_of_what_is_not_confirmed(confirmed, kept, p):
    norms = falling_norms(0.5, p)
    fit = weak_lp_fit(np.tile(norms, (2, 1)), p, confirmed)
    assert_allclose(fit.errors**p, kept * norms**p, rtol=1e-9)
    assert_allclose(fit.alpha, 0.5, atol=1e-9)


def test_norms_vanish_where_more_is_lost_than_gained():
    norms = np.tile(falling_norms(0.5, 2.0), (2, 1))
    assert_array_equal(weak_lp_fit(norms, 2.0, -1.01).errors, 0)
    beyond = np.where(np.arange(800) < 200, 1.0, -1.5)
    fit = weak_lp_fit(norms, 2.0, beyond)
    # But for the octave third with term 200 in it.
    assert_allclose(fit.errors[:150], norms[0, :150], rtol=1e-9)
    assert_array_equal(fit.errors[260:], 0)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_norms_shrink_octave_third_by_octave_third(rate, p):
    # What is left decays by the rate more, and so does the index by 1 / p of it.
    kept = np.arange(1, 801.0) ** -rate
    norms = falling_norms(0.5, p)
    fit = weak_lp_fit(np.tile(norms, (2, 1)), p, 2 * kept - 1)
    assert_allclose(fit.errors**p, kept * norms**p, rtol=0.35 * rate)
    assert_allclose(fit.alpha, 0.5 + rate / p, rtol=0.02)


def test_share_that_is_confirmed_is_that_of_all_trees():
    # One tree gains as much as another loses.
    norms = np.tile(falling_norms(0.5, 2.0), (2, 1))
    curves = np.stack(
        [weak_lp_curve(norms[0], 2.0, confirmed) for confirmed in (2.0, -1.0)]
    )
    fit = silently(decay.weak_lp_index, curves, norms, WINDOW, 2.0, np.inf)
    assert_allclose(fit.errors**2, 0.75 * norms[0] ** 2, rtol=1e-9)


def test_norms_of_trees_that_have_seen_all_samples_are_taken_as_they_are():
    norms = np.stack([falling_norms(0.4, 2.0), falling_norms(0.6, 2.0)])
    curves = np.stack([weak_lp_curve(own, 2.0, 0.1) for own in norms])
    curves[1, :, 1] = np.nan
    fit = silently(decay.weak_lp_index, curves, norms, WINDOW, 2.0, np.inf)
    assert_allclose(fit.errors**2, (norms**2).mean(axis=0), rtol=1e-9)
    assert kinds_of_cautions(fit) == [InSampleOnlyWarning]


def test_replicates_of_weak_lp_are_those_of_trees_and_window():
    norms = np.stack([falling_norms(alpha, 2.0) for alpha in (0.4, 0.5, 0.7)])
    shrunk = np.arange(1, 801.0) ** -0.2
    fit = weak_lp_fit(norms, 2.0, shrunk, n_apart=2.5)
    others = [weak_lp_fit(np.delete(norms, j, axis=0), 2.0, shrunk) for j in range(3)]
    assert_allclose(fit.replicates.trees, [other.alpha for other in others], rtol=1e-9)
    assert len(fit.replicates.groups) == 0
    assert len(fit.replicates.blocks) == 4
    assert fit.replicates.n_apart == 2.5
    low, high = fit.interval(0.95)
    assert low < fit.alpha < high


@given(st.floats(1e-60, 1e60), exponents)
def test_weak_lp_index_has_no_unit(factor, p):
    norms = np.stack([falling_norms(alpha, p) for alpha in (0.4, 0.5, 0.7)])
    curves = np.stack([weak_lp_curve(own, p, 0.4) for own in norms])
    plain = decay.weak_lp_index(curves, norms, WINDOW, p, 2.0)
    scaled = decay.weak_lp_index(curves * factor**p, norms * factor, WINDOW, p, 2.0)
    assert_allclose(scaled.errors, plain.errors * factor, rtol=1e-9)
    assert_allclose(scaled.alpha, plain.alpha, atol=1e-9)
    assert_allclose(width(scaled), width(plain), rtol=1e-6)


# ---------------------------------------------------------------- sparsity probe


@pytest.mark.parametrize("n_trees", [1, 5])
@pytest.mark.parametrize("decay_rate", [0.7, 1.0, 1.5])
def test_critical_taus_are_those_of_the_formula(decay_rate, n_trees):
    norms = np.arange(1, 401) ** -decay_rate
    taus = decay.critical_taus(decay.probe_log_sums(np.log(norms)), n_trees)
    # Points of a grid of 0.01.
    assert_allclose(taus, reference.critical_taus(norms, n_trees), atol=1e-9)


def test_sparsity_probe_index_is_the_mean_over_the_critical_taus():
    norms = np.arange(1, 401) ** -1.0
    tree = np.arange(400) % 4
    fit = decay.sparsity_probe_index(norms, tree, 4, 2.0, 4.0)
    taus = np.array(reference.critical_taus(norms, 4))
    assert_allclose(fit.alpha, np.mean(1 / taus - 0.5), atol=1e-9)
    taus = np.array(reference.critical_taus(norms[tree != 2], 3))
    assert_allclose(fit.replicates.trees[2], np.mean(1 / taus - 0.5), atol=1e-9)
    assert len(fit.replicates.trees) == 4
    assert fit.replicates.n_apart == 4.0
    assert width(fit) > 0
    assert_allclose(fit.line.slope, -(fit.alpha + 0.5))


@pytest.mark.parametrize("rate", [0.3, 1.0, 1.5, 3.0])
def test_sparsity_probe_line_never_explains_less_than_nothing(rate):
    # Its slope is not fitted, so the plain formula falls below zero.
    norms = np.arange(1, 401) ** -rate
    fit = decay.sparsity_probe_index(norms, np.arange(400) % 4, 4, 2.0, 4.0)
    assert np.isfinite(fit.alpha)
    assert 0 <= fit.line.r_squared <= 1


def test_trees_that_all_agree_tell_nothing():
    norms = np.repeat(np.arange(1, 101) ** -1.0, 4)
    fit = decay.sparsity_probe_index(norms, np.tile(np.arange(4), 100), 4, 2.0, 4.0)
    assert fit.interval(0.95) == (-np.inf, np.inf)


def test_critical_taus_do_not_overflow():
    # Their powers between tau = 0.1 and 2 leave the range of float64 both ways.
    log_norms = -np.linspace(0, 5000, 2000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taus = decay.critical_taus(decay.probe_log_sums(log_norms), 3)
    assert np.isfinite(taus).all()


def test_sparsity_probe_drifts_with_the_number_of_nodes():
    # A flaw of the published procedure, kept for comparison: for one and the same decay,
    # k^-1 (rate 1/2), the index falls as the trees grow.
    alphas = [
        decay.sparsity_probe_index(
            np.arange(1, n + 1) ** -1.0, np.zeros(n, dtype=int), 1, 2.0, 1.0
        ).alpha
        for n in (200, 2_000, 20_000)
    ]
    assert alphas[0] > 1.3 * alphas[1] > 1.3**2 * alphas[2]


# ---------------------------------------------------------------- Elisha and Dekel


@pytest.mark.parametrize(
    ("n_nodes", "n_trees", "expected"),
    [
        (40, 5, [1, 11, 21]),  # 31 would leave 9 nodes beyond, fewer than 2J = 10
        (41, 5, [1, 11, 21, 31]),
        (3, 1, [1]),
        (1, 1, [1]),
        (10**6, 100, [1, 201, 401, 601, 801]),
    ],
)
def test_elisha_dekel_terms(n_nodes, n_trees, expected):
    assert_array_equal(decay.elisha_dekel_terms(n_nodes, n_trees), expected)


@given(st.integers(1, 5000), st.integers(1, 60))
def test_elisha_dekel_terms_leave_two_nodes_a_tree(n_nodes, n_trees):
    terms = decay.elisha_dekel_terms(n_nodes, n_trees)
    assert terms[0] == 1
    assert terms[-1] < 1000
    assert (np.diff(terms) == 2 * n_trees).all()
    if len(terms) > 1:
        assert terms[-1] + 2 * n_trees <= n_nodes


def test_elisha_dekel_index_is_the_slope_of_the_squared_error():
    asked = []

    def squared_errors(n_terms, trees):
        asked.append(tuple(trees))
        rate = 0.9 if len(trees) == 4 else 0.8 + 0.1 * trees[0]
        return 3.0 * n_terms**-rate

    fit = silently(decay.elisha_dekel_index, squared_errors, np.full(4, 500), 2.0)
    assert_allclose(fit.alpha, 0.9, atol=1e-10)  # not halved
    assert_allclose(fit.replicates.trees, [0.9, 0.8, 0.8, 0.8], atol=1e-10)
    # Pseudo-values with a variance of (3 / 2)^2 1e-2, over 2 trees that differ.
    assert_allclose(fit.replicates.variance, 2.25e-2 / 2, rtol=1e-9)
    assert fit.replicates.freedom == 3
    assert_array_equal(fit.n_terms, np.arange(1, 1000, 8))
    assert_allclose(fit.errors, 3 * fit.n_terms**-0.9, rtol=1e-12)
    assert fit.fit_range == (1, 993)
    assert {(0, 1, 2, 3), (1, 2, 3), (0, 2, 3), (0, 1, 3), (0, 1, 2)} == set(asked)


# ---------------------------------------------------------------- cautions


def kinds_of_cautions(fit):
    return [type(caution) for caution in fit.cautions]


@pytest.mark.parametrize(("last", "expected"), [(39, [FewTermsWarning]), (40, [])])
def test_few_terms_are_cautioned_against(last, expected):
    curves = equal_trees(power_law(0.5) ** 2)
    fit = m_term_fit(curves, (2, last))
    assert kinds_of_cautions(decay.checked(fit, (2, last), power_law=True)) == expected


@pytest.mark.parametrize(("n_nodes", "expected"), [(10, [FewTermsWarning]), (11, [])])
def test_few_points_of_other_procedures_are_cautioned_against(n_nodes, expected):
    # M = 1, 3, 5, 7 with ten nodes, and 9 with eleven.
    fit = decay.elisha_dekel_index(lambda m, trees: 1.0 / m, np.array([n_nodes]), 1.0)
    assert kinds_of_cautions(decay.checked(fit, (2, 500), power_law=False)) == expected


def test_curves_that_are_no_power_law_are_cautioned_against():
    # Slowly falling, but for a dip in the middle of the window.
    curve = power_law(0.05)
    curve[60:120] *= 0.5
    fit = m_term_fit(equal_trees(curve**2))
    assert fit.line.r_squared < 0.8
    assert decay.checked(fit, WINDOW, power_law=False).cautions == ()
    fit = decay.checked(fit, WINDOW, power_law=True)
    assert kinds_of_cautions(fit) == [PoorFitWarning]
    assert str(WINDOW) in str(fit.cautions[0])


def test_flat_curves_of_noise_are_no_poor_fit():
    # R^2 is low, but there is no decay to be fitted.
    noise = 1 + 1e-3 * np.random.RandomState(0).standard_normal(1001)
    fit = m_term_fit(equal_trees(noise))
    assert fit.line.r_squared < 0.8
    assert abs(fit.alpha) < 1e-3
    assert decay.checked(fit, WINDOW, power_law=True).cautions == ()


def test_power_laws_need_no_caution():
    fit = m_term_fit(jittered_curves(0.5, 4, 0.01))
    assert decay.checked(fit, WINDOW, power_law=True).cautions == ()


def bent_curve(early, late, scale=1.0):
    """Errors whose rate changes in the middle of the window."""
    middle = int(np.sqrt(WINDOW[0] * WINDOW[1]))
    terms = np.arange(1, 1001) / middle
    errors = np.where(terms < 1, terms**-early, terms**-late)
    return scale * np.append(2 * errors[0], errors)


def cautions_of_bent(early, late, window=WINDOW, **options):
    fit = m_term_fit(equal_trees(bent_curve(early, late) ** 2), window)
    return decay.checked(fit, window, **{"power_law": True, **options}).cautions


@pytest.mark.parametrize(
    ("early", "late", "message"),
    [
        (0.3, 0.7, "with more of them it would be larger"),
        (0.7, 0.3, "with more of them, or less noise, it would change"),
        (-0.3, -0.7, "with more of them, or less noise, it would change"),
    ],
)
def test_bent_curves_are_cautioned_against(early, late, message):
    (caution,) = cautions_of_bent(early, late)
    assert type(caution) is BentDecayWarning
    assert f"{early:.2f} in the first half and {late:.2f} in the second" in str(caution)
    assert str(WINDOW) in str(caution)
    assert message in str(caution)


@pytest.mark.parametrize(
    ("bend", "expected"), [(0.46, []), (-0.46, []), (0.54, [BentDecayWarning])]
)
@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_rates_of_halves_may_differ_by_half_of_the_index(alpha, bend, expected):
    cautions = cautions_of_bent(alpha * (1 - bend / 2), alpha * (1 + bend / 2))
    assert [type(caution) for caution in cautions] == expected


@given(st.floats(-1, 2), st.floats(1e-6, 1e6))
def test_straight_curves_are_not_bent(alpha, scale):
    fit = m_term_fit(equal_trees(bent_curve(alpha, alpha, scale) ** 2))
    assert decay.checked(fit, WINDOW, power_law=True).cautions == ()


def test_curves_are_not_bent_by_the_end_of_the_error():
    # It vanishes in the first half, and the index is that of what is before.
    curve = power_law(0.5)
    curve[61:] = 0
    fit = m_term_fit(equal_trees(curve**2))
    assert_allclose(fit.alpha, 0.5, atol=1e-10)
    assert decay.checked(fit, WINDOW, power_law=True).cautions == ()


@pytest.mark.parametrize(("early", "late"), [(0.002, 0.02), (-0.02, 0.02), (0.02, -0.01)])
def test_flat_curves_may_bend(early, late):
    assert cautions_of_bent(early, late) == ()


def test_bend_does_not_count_where_other_things_do():
    assert cautions_of_bent(0.3, 0.7, power_law=False) == ()
    cautions = cautions_of_bent(0.3, 0.7, window=(60, 80))
    assert cautions == ()  # its halves are alike
    (caution,) = cautions_of_bent(0.1, 1.9, window=(10, 39))
    assert type(caution) is FewTermsWarning


@pytest.mark.parametrize(("early", "late"), [(0.2, 0.6), (0.6, 0.2)])
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_bent_norms_are_cautioned_against_in_units_of_the_index(early, late, p):
    norms = bent_curve(early + 1 / p, late + 1 / p)[1:]
    fit = decay.checked(weak_lp_fit(norms[None], p), WINDOW, power_law=True)
    (caution,) = fit.cautions
    assert type(caution) is BentDecayWarning
    assert f"{early:.2f} in the first half and {late:.2f} in the second" in str(caution)


def test_in_sample_curves_are_not_called_bent():
    # They always are, in the end; the caution that they have says why.
    curves = equal_trees(bent_curve(0.3, 0.7) ** 2)
    curves[:, :, 1] = np.nan
    fit = decay.checked(m_term_fit(curves), WINDOW, power_law=True)
    assert kinds_of_cautions(fit) == [InSampleOnlyWarning]


def test_one_term_leaves_the_sparsity_probe_unresolved():
    # D(tau) = -1 / tau is -10 at most, 5.7 degrees from the vertical.
    fit = decay.sparsity_probe_index(np.array([1.0, 0.0]), np.zeros(2), 1, 2.0, 1.0)
    assert fit.alpha == np.inf
    assert fit.interval(0.95) == (0.0, np.inf)
    assert kinds_of_cautions(fit) == [UnresolvedIndexWarning]
    assert decay.critical_taus(decay.probe_log_sums(np.array([])), 1) is None


def test_unresolved_fits_keep_their_curve():
    fit = m_term_fit(jittered_curves(0.5, 4, 0.01), (2, 30))
    unbounded = decay.unresolved(fit, unbounded=True)
    assert unbounded.alpha == np.inf
    assert unbounded.interval(0.95) == (0.0, np.inf)
    assert unbounded.errors is fit.errors
    assert kinds_of_cautions(unbounded) == [UnresolvedIndexWarning]
    assert "alpha_ is infinite" in str(unbounded.cautions[0])


def test_unresolved_fits_may_keep_their_index():
    fit = m_term_fit(jittered_curves(0.5, 4, 0.01), (2, 30))
    fit = decay.checked(fit, (2, 30), power_law=True)
    kept = decay.unresolved(fit, unbounded=False)
    assert kept.alpha == fit.alpha
    assert kept.interval(0.95) == fit.interval(0.95)
    assert kept.errors is fit.errors
    assert kinds_of_cautions(kept) == [FewTermsWarning, UnresolvedIndexWarning]
    assert "what the procedure gives" in str(kept.cautions[1])


def test_in_sample_fits_keep_their_other_cautions():
    curves = equal_trees(power_law(0.5) ** 2)
    curves[:, :, 1] = np.nan
    fit = m_term_fit(curves, (2, 30))
    assert kinds_of_cautions(fit) == [InSampleOnlyWarning]
    fit = decay.checked(fit, (2, 30), power_law=True)
    assert kinds_of_cautions(fit) == [FewTermsWarning, InSampleOnlyWarning]
    assert_allclose(fit.alpha, 0.5, atol=1e-10)


def test_flat_fit_is_the_error_of_the_mean():
    values = np.array([[0.0, 1.0], [3.0, 1.0], [3.0, 4.0]])
    weights = np.array([1.0, 1.0, 2.0])
    fit = decay.flat_fit(values, weights)
    # The mean is (9/4, 10/4); the variances are 27/16 and 9/4.
    assert_allclose(fit.errors, [np.sqrt(27 / 16 + 9 / 4)], rtol=1e-12)
    assert_allclose(fit.line(fit.n_terms), fit.errors, rtol=1e-12)
    assert (fit.alpha, fit.interval(0.95)) == (0.0, (0.0, 0.0))
    assert kinds_of_cautions(fit) == [ConstantFeaturesWarning]


BOXES = np.repeat([10_000, 6_000, 4_000, 2_500], 2)
# Number of cells of n samples or more for a jump across a surface in d dimensions, the
# k-th largest of which holds N k^(-d / (d - 1)).
CURVE = 10_000 * np.arange(1, 101.0) ** -2
SURFACE = 10_000 * np.arange(1, 401.0) ** -1.5


def two_trees(in_bag, out_of_bag, start=3.0):
    """Curves of trees whose final errors are these on the average."""
    ends = np.array([in_bag, out_of_bag])
    curve = np.stack([[1.0, 1.0], [0.5, 0.5], 0.5 * ends]) * start
    other = np.stack([[1.0, 1.0], [0.2, 0.6], 1.5 * ends]) * start
    return np.stack([curve, other])


@pytest.mark.parametrize("start", [1e-20, 1.0, 1e20])
@pytest.mark.parametrize(
    ("parent_counts", "in_bag", "out_of_bag", "n_samples", "expected"),
    [
        (BOXES, 0.0, 1e-3, 10_000, True),
        (BOXES, 0.0, 0.049, 10_000, True),
        (np.tile(BOXES, 5), 1e-9, 1e-3, 10_000, True),
        (np.append(BOXES, [700, 700]), 0.0, 1e-3, 10_000, True),
        (BOXES, 1e-3, 1e-3, 10_000, False),  # stopped, not resolved
        (BOXES, 0.0, 0.051, 10_000, False),  # boxes that others are not constant on
        (BOXES, 0.0, 1.3, 10_000, False),
        (BOXES, 0.0, np.nan, 10_000, False),  # no sample to tell by
        (BOXES / 100, 0.0, 1e-3, 100, False),  # too few samples to tell
        (BOXES / 100, 0.0, 0.0, 100, True),  # but no error at all is enough
        (BOXES / 100, 1e-9, 1e-13, 100, True),
        (BOXES / 100, 1e-3, 0.0, 100, False),
        (BOXES / 20.01, 0.0, 1e-3, 499, False),
        (BOXES / 20, 0.0, 1e-3, 500, True),
        (CURVE, 0.0, 1e-3, 10_000, False),
        (SURFACE, 0.0, 1e-3, 10_000, False),
        (CURVE, 0.0, 0.0, 10_000, True),
    ],
)
def test_trees_of_finite_boxes_stop_growing(
    parent_counts, in_bag, out_of_bag, n_samples, expected, start
):
    curves = two_trees(in_bag, out_of_bag, start)
    found = silently(decay.is_finite_box_function, curves, parent_counts, n_samples, 2.0)
    assert bool(found) is expected


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_boxes_without_an_error_are_known_up_to_rounding_of_the_error(p):
    # Of the error, not of its power, of which rounding leaves more or less with p.
    for error, expected in ((0.9e-6, True), (1.1e-6, False)):
        curves = two_trees(0.0, error**p)
        found = silently(decay.is_finite_box_function, curves, BOXES / 100, 100, p)
        assert bool(found) is expected


def test_a_margin_without_a_variance_is_infinite_at_any_level():
    for level in (5e-324, 0.5, 0.95):
        assert student_margin(np.inf, 3, level) == np.inf
