import warnings

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth import decay
from sksmooth.exceptions import (
    ConstantFeaturesWarning,
    FewTermsWarning,
    InSampleOnlyWarning,
    PoorFitWarning,
    UnresolvedIndexWarning,
)

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


def width(fit):
    return fit.interval[1] - fit.interval[0]


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
    assert_allclose(law.slope_error, 0, atol=1e-10)
    assert_allclose(law.drop, abs(slope) * np.log(n), atol=1e-10)
    assert_allclose(law(terms), scale * terms**slope, rtol=1e-9)
    if abs(slope) > 1e-3:
        assert_allclose(law.r_squared, 1, atol=1e-9)


def test_line_is_that_of_least_squares():
    rng = np.random.RandomState(0)
    terms, errors = np.arange(1, 30), rng.uniform(1, 2, size=29)
    law = decay.fit_power_law(terms, errors)
    x, y = np.log(terms), np.log(errors)
    (slope, intercept), covariance = np.polyfit(x, y, 1, cov=True)
    assert_allclose([law.slope, law.intercept], [slope, intercept], rtol=1e-10)
    assert_allclose(law.slope_error, np.sqrt(covariance[0, 0]), rtol=1e-10)
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


@given(st.floats(1, 1e7), st.integers(2, 10**7))
def test_window_lies_in_the_curve(n_samples, n_terms):
    first, last = decay.fit_window(n_samples, n_terms)
    assert isinstance(first, int)
    assert isinstance(last, int)
    assert 1 <= first < last <= n_terms
    # Above the smallest trees, it ends halfway at the latest, and at 20 samples a cell.
    assert last <= max(n_terms / 2, 2)
    assert last <= max(n_samples / 10, 2)


@given(st.floats(1, 1e7), st.integers(2, 10**7), st.floats(1, 10))
def test_window_moves_up_with_samples_and_terms(n_samples, n_terms, factor):
    first, last = decay.fit_window(n_samples, n_terms)
    for more in (
        decay.fit_window(n_samples * factor, n_terms),
        decay.fit_window(n_samples, int(n_terms * factor)),
    ):
        assert more[0] >= first
        assert more[1] >= last


def test_window_spans_a_factor_of_twenty_when_there_is_room():
    first, last = decay.fit_window(20_000, 30_000)
    assert (first, last) == (100, 2000)


# ---------------------------------------------------------------- m-term


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.3])
def test_m_term_index_recovers_an_exact_power_law(alpha, p):
    curves = equal_trees(power_law(alpha, scale=7.0) ** p, 4)
    fit = silently(decay.m_term_index, curves, WINDOW, p, 0.95)
    assert_allclose(fit.alpha, alpha, atol=1e-10)
    assert_allclose(fit.interval, alpha, atol=1e-8)  # trees alike: no width but rounding
    assert_allclose(fit.line.r_squared, 1, atol=1e-10)
    assert fit.fit_range == WINDOW
    assert_array_equal(fit.n_terms, np.arange(1, 1001))
    assert_allclose(fit.errors, 7 * fit.n_terms**-alpha, rtol=1e-10)
    assert_allclose(fit.line(fit.n_terms), fit.errors, rtol=1e-8)


def test_only_the_window_counts():
    curve = power_law(0.5)
    curve[: WINDOW[0]] *= 3
    curve[WINDOW[1] + 1 :] = 0
    fit = decay.m_term_index(equal_trees(curve**2), WINDOW, 2, 0.95)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)


def test_curves_are_averaged_before_the_root():
    curves = np.array([power_law(0.3) ** 2, 4 * power_law(0.8) ** 2])
    curves, plain = in_and_out(curves), curves
    fit = decay.m_term_index(curves, WINDOW, 2, 0.95)
    errors = np.sqrt((plain[0] + plain[1]) / 2)
    assert_allclose(fit.errors, errors[1:], rtol=1e-12)
    assert 0.3 < fit.alpha < 0.8


def test_in_bag_and_out_of_bag_errors_are_averaged():
    # Biases of (1 - 1/k) and (1 + 1/k) cancel, whatever their decay.
    powers = power_law(0.5) ** 2
    bias = powers * np.linspace(0, 0.9, 1001)
    curves = np.stack([powers - bias, powers + bias], axis=-1)[None]
    fit = decay.m_term_index(curves, WINDOW, 2, 0.95)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)
    assert fit.cautions == ()


@pytest.mark.parametrize("n_unseen", [0, 1])
def test_trees_that_have_seen_all_samples_are_cautioned_against(n_unseen):
    # One is enough: averages over unequal trees would say nothing.
    curves = equal_trees(power_law(0.5) ** 2, 3)
    curves[n_unseen:, :, 1] = np.nan
    fit = silently(decay.m_term_index, curves, WINDOW, 2, 0.95)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)
    assert_allclose(fit.errors, np.sqrt(0.8) * power_law(0.5)[1:], rtol=1e-12)
    assert kinds_of_cautions(fit) == [InSampleOnlyWarning]


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_errors_of_rounding_size_are_none(p):
    errors = power_law(0.5)
    errors[101:] = 0.9e-6 * errors[0]
    fit = decay.m_term_index(equal_trees(errors**p), WINDOW, p, 0.95)
    assert_array_equal(fit.errors[100:], 0)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)
    errors[101:] = 1.1e-6 * errors[0]
    fit = decay.m_term_index(equal_trees(errors**p), WINDOW, p, 0.95)
    assert (fit.errors > 0).all()
    assert fit.alpha > 1


def test_window_ends_with_the_longest_tree():
    fit = decay.m_term_index(equal_trees(power_law(0.5, 100) ** 2), WINDOW, 2, 0.95)
    assert fit.fit_range == (20, 100)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)


@given(st.integers(0, 10**4), st.integers(0, 10**6), st.integers(0, 10**6))
def test_log_spaced_points_stay_among_the_terms(first, more, most):
    points = decay._log_spaced(first, first + more, most)
    assert points[0] == max(min(first, most), 1)
    assert points[-1] == max(min(first + more, most), 1)
    assert (np.diff(points) > 0).all()
    assert len(points) <= 60


# ---------------------------------------------------------------- held-out rate

N_FITTED = 4000  # for which the window is WINDOW
MANY = 10**13  # samples, of which one counts for nothing


def rate_of(errors, n_trees=1, n_samples=MANY, p=2.0):
    return decay.held_out_rate(errors, n_trees, N_FITTED, n_samples, p)


def test_held_out_window_is_that_of_large_trees():
    assert decay.fit_window(N_FITTED, np.inf) == WINDOW


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
    fits = [
        decay.m_term_index(jittered_curves(0.5, 6, jitter), WINDOW, 2, 0.95)
        for jitter in (0.1, 0.01, 0.001)
    ]
    for fit in fits:
        assert fit.interval[0] < fit.alpha < fit.interval[1]
    # The width is proportional to the spread of the trees, to first order.
    assert_allclose(width(fits[1]) / width(fits[0]), 0.1, rtol=0.1)
    assert_allclose(width(fits[2]) / width(fits[1]), 0.1, rtol=0.1)


def test_interval_shrinks_with_more_trees_and_grows_with_its_level():
    few, many = (jittered_curves(0.5, n_trees, 0.05) for n_trees in (5, 20))
    narrow, wide = (decay.m_term_index(few, WINDOW, 2, level) for level in (0.5, 0.99))
    assert width(narrow) < width(wide)
    assert narrow.alpha == wide.alpha
    assert width(decay.m_term_index(many, WINDOW, 2, 0.99)) < width(wide) / 2


def test_interval_is_the_jackknife_of_the_trees():
    curves = jittered_curves(0.5, 5, 0.05)
    fit = decay.m_term_index(curves, WINDOW, 2, 0.95)
    others = [
        decay.m_term_index(np.delete(curves, j, axis=0), WINDOW, 2, 0.95).alpha
        for j in range(5)
    ]
    error = np.sqrt(4 / 5 * np.sum((np.array(others) - np.mean(others)) ** 2))
    quantile = 2.7764451  # of Student's t with 4 degrees of freedom at 0.975
    assert_allclose(fit.interval[1] - fit.alpha, quantile * error, rtol=1e-6)
    assert_allclose(fit.alpha - fit.interval[0], quantile * error, rtol=1e-6)


def test_interval_of_one_tree_is_that_of_its_line():
    wavy = power_law(0.5) * (1 + 0.1 * np.sin(np.arange(1001) / 9))
    fit = decay.m_term_index(in_and_out(wavy[None, :] ** 2), WINDOW, 2, 0.95)
    assert fit.interval[0] < fit.alpha < fit.interval[1]
    # Student's t with 58 degrees of freedom is 2.0017 at 0.975.
    assert_allclose(width(fit), 2 * 2.0017 * fit.line.slope_error, rtol=1e-4)


# ---------------------------------------------------------------- weak l_p


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("n_trees", [1, 3, 8])
@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_weak_lp_index_recovers_the_decay_of_the_norms(alpha, n_trees, p):
    # Every tree has the norms k^-(alpha + 1/p), so that each occurs J times in a row.
    ranks = np.repeat(np.arange(1, 801), n_trees)
    norms, tree = ranks ** -(alpha + 1 / p), np.tile(np.arange(n_trees), 800)
    fit = silently(decay.weak_lp_index, norms, tree, n_trees, WINDOW, p, 0.95)
    # Repeats make the curve a staircase, whose steps at M = 20 are a twentieth wide.
    assert_allclose(fit.alpha, alpha, atol=1e-10 if n_trees == 1 else 0.03)
    assert fit.fit_range == (20 * n_trees, 400 * n_trees)
    assert_array_equal(fit.errors, norms)
    assert_array_equal(fit.n_terms, np.arange(1, len(norms) + 1))
    assert fit.interval[0] <= fit.alpha <= fit.interval[1]


def test_weak_lp_window_ends_with_the_terms():
    norms = np.arange(1, 301.0) ** -1
    fit = decay.weak_lp_index(norms, np.zeros(300, dtype=int), 1, WINDOW, 2, 0.95)
    assert fit.fit_range == (20, 300)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)


# ---------------------------------------------------------------- sparsity probe


@pytest.mark.parametrize("n_trees", [1, 5])
@pytest.mark.parametrize("decay_rate", [0.7, 1.0, 1.5])
def test_critical_taus_are_those_of_the_formula(decay_rate, n_trees):
    norms = np.arange(1, 401) ** -decay_rate
    taus = decay.critical_taus(np.log(norms), n_trees)
    # Points of a grid of 0.01.
    assert_allclose(taus, reference.critical_taus(norms, n_trees), atol=1e-9)


def test_sparsity_probe_index_is_the_mean_over_the_critical_taus():
    norms = np.arange(1, 401) ** -1.0
    tree = np.arange(400) % 4
    fit = decay.sparsity_probe_index(norms, tree, 4, 2.0, 0.95)
    taus = np.array(reference.critical_taus(norms, 4))
    assert_allclose(fit.alpha, np.mean(1 / taus - 0.5), atol=1e-9)
    assert fit.interval[0] <= fit.alpha <= fit.interval[1]
    assert_allclose(fit.line.slope, -(fit.alpha + 0.5))


@pytest.mark.parametrize("rate", [0.3, 1.0, 1.5, 3.0])
def test_sparsity_probe_line_never_explains_less_than_nothing(rate):
    # Its slope is not fitted, so the plain formula falls below zero.
    norms = np.arange(1, 401) ** -rate
    fit = decay.sparsity_probe_index(norms, np.arange(400) % 4, 4, 2.0, 0.95)
    assert np.isfinite(fit.alpha)
    assert 0 <= fit.line.r_squared <= 1


def test_sparsity_probe_interval_of_trees_that_agree_is_a_point():
    norms = np.repeat(np.arange(1, 101) ** -1.0, 4)
    fit = decay.sparsity_probe_index(norms, np.tile(np.arange(4), 100), 4, 2.0, 0.95)
    assert fit.interval == (fit.alpha, fit.alpha)


def test_critical_taus_do_not_overflow():
    # Their powers between tau = 0.1 and 2 leave the range of float64 both ways.
    log_norms = -np.linspace(0, 5000, 2000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taus = decay.critical_taus(log_norms, 3)
    assert np.isfinite(taus).all()


def test_sparsity_probe_drifts_with_the_number_of_nodes():
    # A flaw of the published procedure, kept for comparison: for one and the same decay,
    # k^-1 (rate 1/2), the index falls as the trees grow.
    alphas = [
        decay.sparsity_probe_index(
            np.arange(1, n + 1) ** -1.0, np.zeros(n, dtype=int), 1, 2.0, 0.95
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
        return 3.0 * n_terms**-0.9

    fit = silently(decay.elisha_dekel_index, squared_errors, np.full(4, 500), 0.95)
    assert_allclose(fit.alpha, 0.9, atol=1e-10)  # not halved
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
    fit = decay.m_term_index(curves, (2, last), 2, 0.95)
    assert kinds_of_cautions(decay.checked(fit, (2, last), power_law=True)) == expected


@pytest.mark.parametrize(("n_nodes", "expected"), [(10, [FewTermsWarning]), (11, [])])
def test_few_points_of_other_procedures_are_cautioned_against(n_nodes, expected):
    # M = 1, 3, 5, 7 with ten nodes, and 9 with eleven.
    fit = decay.elisha_dekel_index(lambda m, trees: 1.0 / m, np.array([n_nodes]), 0.95)
    assert kinds_of_cautions(decay.checked(fit, (2, 500), power_law=False)) == expected


def test_curves_that_are_no_power_law_are_cautioned_against():
    # Slowly falling, but for a dip in the middle of the window.
    curve = power_law(0.05)
    curve[60:120] *= 0.5
    fit = decay.m_term_index(equal_trees(curve**2), WINDOW, 2, 0.95)
    assert fit.line.r_squared < 0.8
    assert decay.checked(fit, WINDOW, power_law=False).cautions == ()
    fit = decay.checked(fit, WINDOW, power_law=True)
    assert kinds_of_cautions(fit) == [PoorFitWarning]
    assert str(WINDOW) in str(fit.cautions[0])


def test_flat_curves_of_noise_are_no_poor_fit():
    # R^2 is low, but there is no decay to be fitted.
    noise = 1 + 1e-3 * np.random.RandomState(0).standard_normal(1001)
    fit = decay.m_term_index(equal_trees(noise), WINDOW, 2, 0.95)
    assert fit.line.r_squared < 0.8
    assert abs(fit.alpha) < 1e-3
    assert decay.checked(fit, WINDOW, power_law=True).cautions == ()


def test_power_laws_need_no_caution():
    fit = decay.m_term_index(jittered_curves(0.5, 4, 0.01), WINDOW, 2, 0.95)
    assert decay.checked(fit, WINDOW, power_law=True).cautions == ()


def test_one_term_leaves_the_sparsity_probe_unresolved():
    # D(tau) = -1 / tau is -10 at most, 5.7 degrees from the vertical.
    fit = decay.sparsity_probe_index(np.array([1.0, 0.0]), np.zeros(2), 1, 2.0, 0.95)
    assert fit.alpha == np.inf
    assert fit.interval[1] == np.inf
    assert kinds_of_cautions(fit) == [UnresolvedIndexWarning]
    assert decay.critical_taus(np.array([]), 1) is None


def test_unresolved_fits_keep_their_curve():
    fit = decay.m_term_index(jittered_curves(0.5, 4, 0.01), (2, 30), 2, 0.95)
    unbounded = decay.unresolved(fit, unbounded=True)
    assert unbounded.alpha == np.inf
    assert unbounded.interval == (0.0, np.inf)
    assert unbounded.errors is fit.errors
    assert kinds_of_cautions(unbounded) == [UnresolvedIndexWarning]
    assert "alpha_ is infinite" in str(unbounded.cautions[0])


def test_unresolved_fits_may_keep_their_index():
    fit = decay.m_term_index(jittered_curves(0.5, 4, 0.01), (2, 30), 2, 0.95)
    fit = decay.checked(fit, (2, 30), power_law=True)
    kept = decay.unresolved(fit, unbounded=False)
    assert (kept.alpha, kept.interval) == (fit.alpha, fit.interval)
    assert kept.errors is fit.errors
    assert kinds_of_cautions(kept) == [FewTermsWarning, UnresolvedIndexWarning]
    assert "what the procedure gives" in str(kept.cautions[1])


def test_in_sample_fits_keep_their_other_cautions():
    curves = equal_trees(power_law(0.5) ** 2)
    curves[:, :, 1] = np.nan
    fit = decay.m_term_index(curves, (2, 30), 2, 0.95)
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
    assert (fit.alpha, fit.interval) == (0.0, (0.0, 0.0))
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
