import warnings

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth import decay
from sksmooth.exceptions import (
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


def jittered_curves(alpha, n_trees, jitter, p=2.0, seed=0):
    """Curves of trees whose own rates differ a little, centred on alpha."""
    rates = alpha + jitter * np.linspace(-1, 1, n_trees)
    np.random.RandomState(seed).shuffle(rates)
    return np.array([power_law(rate) ** p for rate in rates])


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
    assert law == decay.PowerLaw(0.0, 0.0, 0.0, 0.0, 0.0)


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
    curves = np.tile(power_law(alpha, scale=7.0) ** p, (4, 1))
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
    fit = decay.m_term_index(np.tile(curve**2, (2, 1)), WINDOW, 2, 0.95)
    assert_allclose(fit.alpha, 0.5, atol=1e-10)


def test_curves_are_averaged_before_the_root():
    curves = np.array([power_law(0.3) ** 2, 4 * power_law(0.8) ** 2])
    fit = decay.m_term_index(curves, WINDOW, 2, 0.95)
    errors = np.sqrt((curves[0] + curves[1]) / 2)
    assert_allclose(fit.errors, errors[1:], rtol=1e-12)
    assert 0.3 < fit.alpha < 0.8


def test_held_out_rate_is_the_slope_in_the_window():
    for alpha in (-0.2, 0.0, 0.4):
        errors = power_law(alpha)
        errors[: WINDOW[0]] = 9
        errors[WINDOW[1] + 1 :] = 9
        assert_allclose(decay.held_out_rate(errors, WINDOW), alpha, atol=1e-10)


def test_held_out_window_ends_with_the_terms():
    assert_allclose(decay.held_out_rate(power_law(0.4, 50), WINDOW), 0.4, atol=1e-10)


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
    fit = decay.m_term_index(wavy[None, :] ** 2, WINDOW, 2, 0.95)
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
    curves = np.tile(power_law(0.5) ** 2, (2, 1))
    fit = decay.m_term_index(curves, (2, last), 2, 0.95)
    assert kinds_of_cautions(fit) == expected
    norms = np.arange(1, 2001.0) ** -1
    fit = decay.weak_lp_index(norms, np.zeros(2000), 1, (2, last), 2, 0.95)
    assert kinds_of_cautions(fit) == expected


def test_curves_that_are_no_power_law_are_cautioned_against():
    # Slowly falling, but for a dip in the middle of the window.
    curve = power_law(0.05)
    curve[60:120] *= 0.5
    fit = decay.m_term_index(np.tile(curve**2, (2, 1)), WINDOW, 2, 0.95)
    assert fit.line.r_squared < 0.8
    assert kinds_of_cautions(fit) == [PoorFitWarning]
    assert str(WINDOW) in str(fit.cautions[0])


def test_flat_curves_of_noise_are_no_poor_fit():
    # R^2 is low, but there is no decay to be fitted.
    noise = 1 + 1e-3 * np.random.RandomState(0).standard_normal(1001)
    fit = decay.m_term_index(np.tile(noise, (2, 1)), WINDOW, 2, 0.95)
    assert fit.line.r_squared < 0.8
    assert abs(fit.alpha) < 1e-3
    assert fit.cautions == ()


def test_power_laws_need_no_caution():
    fit = decay.m_term_index(jittered_curves(0.5, 4, 0.01), WINDOW, 2, 0.95)
    assert fit.cautions == ()


def test_one_term_leaves_the_sparsity_probe_unresolved():
    # D(tau) = -1 / tau is -10 at most, 5.7 degrees from the vertical.
    fit = decay.sparsity_probe_index(np.array([1.0, 0.0]), np.zeros(2), 1, 2.0, 0.95)
    assert fit.alpha == np.inf
    assert fit.interval[1] == np.inf
    assert kinds_of_cautions(fit) == [UnresolvedIndexWarning]
    assert decay.critical_taus(np.array([]), 1) is None


def test_unresolved_fits_keep_their_curve():
    fit = decay.m_term_index(jittered_curves(0.5, 4, 0.01), WINDOW, 2, 0.95)
    unbounded = decay.unresolved(fit)
    assert unbounded.alpha == np.inf
    assert unbounded.interval == (0.0, np.inf)
    assert unbounded.errors is fit.errors
    assert kinds_of_cautions(unbounded) == [UnresolvedIndexWarning]


def test_in_sample_fits_keep_their_other_cautions():
    curves = np.tile(power_law(0.5) ** 2, (2, 1))
    fit = decay.in_sample_only(decay.m_term_index(curves, (2, 30), 2, 0.95))
    assert kinds_of_cautions(fit) == [FewTermsWarning, InSampleOnlyWarning]
    assert_allclose(fit.alpha, 0.5, atol=1e-10)


BOXES = np.repeat([10_000, 6_000, 4_000, 2_500], 2)
# Number of cells of n samples or more for a jump across a surface in d dimensions, the
# k-th largest of which holds N k^(-d / (d - 1)).
CURVE = 10_000 * np.arange(1, 101.0) ** -2
SURFACE = 10_000 * np.arange(1, 401.0) ** -1.5


@pytest.mark.parametrize(
    ("parent_counts", "residual", "n_samples", "expected"),
    [
        (BOXES, 0.0, 10_000, True),
        (np.tile(BOXES, 5), 1e-9, 10_000, True),
        (np.append(BOXES, [700, 700]), 0.0, 10_000, True),
        (BOXES, 1e-3, 10_000, False),  # stopped, not resolved
        (BOXES / 100, 0.0, 100, False),  # too few samples to tell
        (CURVE, 0.0, 10_000, False),
        (SURFACE, 0.0, 10_000, False),
    ],
)
def test_trees_of_finite_boxes_stop_growing(parent_counts, residual, n_samples, expected):
    found = decay.is_finite_box_function(parent_counts, residual, n_samples)
    assert bool(found) is expected
