"""Roughness: what is left of the spread of the targets on the way to many cells."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import (
    corrupt_labels,
    make_known_smoothness,
    make_mount_fuji,
    make_nk_landscape,
)
from sksmooth.index import cells_allowed, randomised_error
from sksmooth.index.held_out import held_out_error
from sksmooth.index.roughness import roughness, spread_left
from sksmooth.samples import read_samples
from sksmooth.trees import Growth, grow, randomised
from sksmooth.wavelets import decompose, m_term_approximation, m_term_errors

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

INDICES = ["mterm", "weak-lp", "elisha-dekel", "sparsity-probe"]


def fit(X, y, **options):
    return BesovSmoothnessEstimator(**{"random_state": 0, **options}).fit(X, y)


# ---------------------------------------------------------------- the integral


@given(
    st.lists(st.floats(0.0, 2.0), min_size=1, max_size=40),
    st.integers(1, 60),
    st.floats(2.0, 1e6),
)
def test_integral_is_the_area_below_the_relative_error(errors, n_trees, n_cells):
    errors = np.array([1.0, *errors])
    expected = reference.roughness(errors, n_trees, n_cells)
    assert_allclose(spread_left(errors, n_trees, n_cells), expected, atol=1e-12)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("n_cells", [2.0, 30.0, 1000.0])
def test_a_power_law_has_the_roughness_of_the_formula(rate, n_cells):
    n_trees = 1000  # whose terms make the curve fine
    cells = 1 + np.arange(2 * n_trees * int(n_cells + 1)) / (2 * n_trees)
    expected = (1 - n_cells**-rate) / (rate * np.log(n_cells))
    assert_allclose(spread_left(cells**-rate, n_trees, n_cells), expected, rtol=1e-5)


def test_a_curve_that_ends_keeps_its_error_and_none_exceeds_the_spread():
    assert spread_left(np.array([3.0]), 5, 40.0) == 1
    assert spread_left(np.array([1.0, 1.5, 2.0]), 1, 40.0) == 1
    assert spread_left(np.zeros(4), 1, 40.0) == 1  # no spread, of which nothing is found
    half = spread_left(np.array([4.0, 2.0]), 10**6, 40.0)
    assert_allclose(half, 0.5, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 999),
    st.sampled_from([0, 2, 3]),
    st.sampled_from([1.0, 2.0, 3.0]),
    st.sampled_from(INDICES),
)
def test_roughness_is_that_of_the_randomised_forest_out_of_its_bags(
    seed, n_classes, p, index
):
    rng = np.random.RandomState(seed)
    X = rng.uniform(size=(60, 3))
    signal = 2 * X[:, 0] + 0.3 * rng.standard_normal(60)
    y = signal if n_classes == 0 else (n_classes * signal / 2.5).astype(int)
    options = dict(n_estimators=3, max_samples=0.6, random_state=seed)
    estimator = BesovSmoothnessEstimator(index=index, p=p, **options).fit(X, y)

    samples, growth = read_samples(X, y), Growth(**options)
    grown = grow(samples, randomised(growth))
    wavelets = decompose(grown, samples, p=estimator.wavelets_.p)
    errors = m_term_errors(wavelets, grown.leaves, samples.targets, unseen=grown.unseen)
    n_cells = cells_allowed(grow(samples, growth).n_grown)
    expected = reference.roughness(errors, wavelets.n_trees, n_cells)
    assert_allclose(estimator.roughness_, expected, rtol=1e-9)


# ---------------------------------------------------------------- the interval


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("n_classes", [0, 3])
def test_interval_is_that_of_slow_sums_over_samples_and_trees(p, n_classes):
    n_samples, n_trees, n_cells = 60, 7, 5.0
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(n_samples, 3))
    signal = 2 * X[:, 0] + 0.1 * rng.standard_normal(n_samples)
    y = signal if n_classes == 0 else (n_classes * signal / 2.5).astype(int)
    samples = read_samples(X, y, rng.randint(1, 4, n_samples).astype(float))
    grown = grow(samples, Growth(n_trees, max_samples=0.6, random_state=0, max_depth=4))
    wavelets = decompose(grown, samples, p=p)
    error = held_out_error(wavelets, grown, samples)

    places, shares = np.polynomial.legendre.leggauss(5)
    numbers = [round(2 * n_trees * (n_cells ** ((x + 1) / 2) - 1)) for x in places]
    numbers = [min(number, wavelets.n_terms) for number in numbers]

    def losses(n_terms, without=None):
        """p-th powers of the errors, by the unseen trees but one; NaN if there are none."""
        values = samples.targets.values
        found = np.full(n_samples, np.nan)
        for i in range(n_samples):
            trees = [j for j in range(n_trees) if grown.unseen[j, i] and j != without]
            if trees:
                own = np.isin(np.arange(n_trees), trees)[:, None]
                mean = m_term_approximation(wavelets, grown.leaves[:, [i]], n_terms, own)
                found[i] = np.linalg.norm(values[i] - mean[0]) ** p
        return found

    known = grown.unseen.any(axis=0)
    weights = np.where(known, samples.weights, 0.0)
    spreads = losses(0)

    def integral(weights):
        """The roughness of other weights of the same samples and trees."""
        total = np.nansum(weights * spreads)
        left = [np.nansum(weights * losses_of[n]) / total for n in numbers]
        return sum(s / 2 * e ** (1 / p) for s, e in zip(shares, left, strict=True))

    losses_of = {n: losses(n) for n in numbers}
    influence = np.zeros(n_samples)
    for i in np.flatnonzero(known):
        step = 1e-5 * weights[i] * (np.arange(n_samples) == i)
        slope = (integral(weights + step) - integral(weights - step)) / 2e-5
        influence[i] = slope
    of_samples = np.sum(influence**2) * n_samples / (n_samples - 1)

    without_trees = []
    for tree in range(n_trees):
        value = 0.0
        for share, n_terms in zip(shares, numbers, strict=True):
            lost = losses(n_terms, without=tree)
            seen = weights * ~np.isnan(lost)
            loss = np.nansum(seen * lost) * weights.sum() / seen.sum()
            value += share / 2 * (loss / np.nansum(weights * spreads)) ** (1 / p)
        without_trees.append(value)
    of_trees = (n_trees - 1) * np.var(without_trees)

    variance = of_samples + of_trees
    freedom = variance**2 / (of_samples**2 / (n_samples - 1) + of_trees**2 / (n_trees - 1))
    margin = stats.t.ppf(0.95, freedom) * np.sqrt(variance)
    found = roughness(error, samples, n_cells, confidence_level=0.9)
    low, high = found.interval
    assert 0 < low < high < 1
    assert_allclose([found.value - low, high - found.value], margin, rtol=1e-6)


def test_intervals_hold_the_mean_over_samples():
    n_samples, n_draws = 200, 25
    shares = []
    for X, y, _ in (
        make_known_smoothness("jump", n_samples * n_draws, noise=0.1, random_state=0),
        make_nk_landscape(n_samples * n_draws, 12, 2, random_state=0),
    ):
        fits = [fit(X[k::n_draws], y[k::n_draws]) for k in range(n_draws)]
        mean = np.mean([f.roughness_ for f in fits])
        ends = np.array([f.roughness_interval_ for f in fits])
        shares.append(np.mean((ends[:, 0] <= mean) & (mean <= ends[:, 1])))
    assert min(shares) >= 0.8  # of 95 %, in 25 draws


def test_a_higher_level_and_fewer_samples_make_it_longer():
    X, y, _ = make_nk_landscape(1600, random_state=0)
    low, high = fit(X, y).roughness_interval_
    wider = fit(X, y, confidence_level=0.99).roughness_interval_
    assert wider[0] < low < high < wider[1]
    few = np.diff(fit(X[:200], y[:200]).roughness_interval_)
    assert few > 2 * (high - low)


def test_a_few_samples_that_carry_the_spread_tell_nothing():
    X = np.random.RandomState(0).uniform(size=(100, 2))
    outlier = fit(X, np.where(np.arange(100) == 3, 1e3, X[:, 0]))
    assert outlier.roughness_interval_ == (0.0, 1.0)


# ---------------------------------------------------------------- what it tells


@pytest.mark.parametrize("n_samples", [100, 400, 2000])
def test_noise_has_roughness_one(n_samples):
    X = np.random.RandomState(0).normal(size=(n_samples, 8))
    for seed in range(3):
        rng = np.random.RandomState(seed)
        for y in (rng.normal(size=n_samples), rng.randint(0, 4, size=n_samples)):
            estimator = fit(X, y)
            assert estimator.roughness_ > 0.97
            assert estimator.roughness_interval_[1] == 1


def test_simple_functions_become_smoother_with_more_samples():
    kinds = [dict(kind="linear", n_relevant=1), dict(kind="smooth"), dict(kind="boxes")]
    for options in kinds:
        found = [
            fit(*make_known_smoothness(n_samples=n, random_state=0, **options)[:2])
            for n in (200, 1000, 5000)
        ]
        values = [estimator.roughness_ for estimator in found]
        assert values[0] > values[1] > values[2]
        assert values[2] < 0.3


def test_a_line_has_the_roughness_of_its_power_law():
    X, y, _ = make_known_smoothness("linear", 5000, n_relevant=1, random_state=0)
    n_cells = cells_allowed(4000)
    expected = (1 - 1 / n_cells) / np.log(n_cells)
    assert_allclose(fit(X, y).roughness_, expected, rtol=0.05)


def test_roughness_and_rate_are_different_questions():
    """Two functions of the same rate, of which one has a long way to it."""
    rng = np.random.RandomState(0)
    x = rng.uniform(size=(4000, 1))
    slow, fast = (fit(x, np.sin(np.pi * k * x[:, 0])) for k in (1, 6))
    assert fast.alpha_ == pytest.approx(slow.alpha_, abs=0.2)
    assert fast.roughness_ > 1.3 * slow.roughness_


@pytest.mark.parametrize("seed", range(4))
def test_roughness_rises_with_the_neighbours_of_nk_landscapes(seed):
    found = [
        fit(*make_nk_landscape(1000, 14, k, random_state=seed)[:2]).roughness_
        for k in (0, 1, 2, 3, 4, 6, 8, 13)
    ]
    assert (np.diff(found) > 0).all()
    assert found[0] < 0.7
    assert found[-1] > 0.98


@pytest.mark.parametrize("n_letters", [2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_roughness_rises_with_the_ruggedness_of_mount_fuji(seed, n_letters):
    found = [
        fit(
            *make_mount_fuji(1000, 10, r, n_letters=n_letters, random_state=seed)[:2]
        ).roughness_
        for r in (0.0, 0.5, 1.0, 2.0, 8.0)
    ]
    assert (np.diff(found) > 0).all()
    assert found[-1] > 0.97


@pytest.mark.parametrize("n_classes", [2, 5])
def test_roughness_rises_with_wrong_labels(n_classes):
    X, clean, _ = make_known_smoothness(
        "jump", 1000, n_classes=n_classes, n_irrelevant=2, random_state=0
    )
    found = [
        fit(X, corrupt_labels(clean, q, random_state=0)).roughness_
        for q in (0.0, 0.05, 0.1, 0.2, 0.4)
    ]
    assert (np.diff(found) > 0).all()


def test_roughness_rises_with_columns_of_noise_and_of_shuffled_features():
    X, y, _ = make_nk_landscape(1000, random_state=0)
    rng = np.random.RandomState(0)
    noise = rng.randint(0, 2, size=(1000, 100))
    found = [
        fit(features, y).roughness_
        for features in (X, np.hstack([X, noise]), X[rng.permutation(1000)])
    ]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.97


@pytest.mark.parametrize("n_sites", [4, 6])
def test_features_of_two_values_have_finitely_many_boxes(n_sites):
    """Where every word is drawn many times, no error is left and there is no rate."""
    X, y, _ = make_nk_landscape(2000, n_sites, n_sites - 1, random_state=0)
    estimator = fit(X, y)
    assert estimator.signal_alpha_ == estimator.alpha_interval_[1] == np.inf
    assert estimator.explained_ > 0.99
    assert estimator.roughness_ < 0.6
    # Of fewer neighbours, fewer boxes are needed.
    simple = fit(*make_nk_landscape(2000, n_sites, 0, random_state=0)[:2])
    assert simple.roughness_ < estimator.roughness_


# ---------------------------------------------------------------- what does not matter


def told(estimator):
    return [estimator.roughness_, *estimator.roughness_interval_]


@pytest.fixture(scope="module")
def numbers():
    return make_known_smoothness("smooth", 300, n_relevant=3, noise=0.3, random_state=0)[:2]


@pytest.fixture(scope="module")
def labels():
    X, y, _ = make_known_smoothness("jump", 300, n_classes=3, noise=0.1, random_state=0)
    return X, y


def test_powers_of_two_in_units_of_y_do_not_change_a_bit(numbers):
    X, y = numbers
    expected = told(fit(X, y))
    for factor in (2.0**-4, 2.0**10):
        assert told(fit(X, factor * y)) == expected
    assert_allclose(told(fit(X, 2.0**-60 * y)), expected, rtol=1e-6)
    assert_allclose(told(fit(X, -y)), expected, rtol=1e-5)  # equal splits, the other way
    assert_allclose(told(fit(X, 3e5 * y - 1e6)), expected, rtol=1e-6)
    assert_allclose(told(fit(X, np.column_stack([y, y]))), expected, rtol=1e-6)


@pytest.mark.parametrize("which", ["numbers", "labels"])
def test_rows_units_of_features_weights_and_duplicates_do_not_matter(which, request):
    X, y = request.getfixturevalue(which)
    expected = told(fit(X, y))
    rows = np.random.RandomState(0).permutation(len(y))
    others = [
        fit(X[rows], y[rows]),
        fit(X * [1e-9, 3.0, *np.full(X.shape[1] - 2, 7.0)] + 2, y),
        fit(np.vstack([X, X]), np.concatenate([y, y])),
        BesovSmoothnessEstimator(random_state=0).fit(X, y, np.full(len(y), 0.3)),
        fit(np.column_stack([X, np.zeros(len(y))]), y),
    ]
    for other in others[:-1]:
        assert_allclose(told(other), expected, rtol=1e-6)
    assert others[-1].roughness_ == pytest.approx(expected[0], rel=0.05)


def test_names_of_classes_do_not_matter(labels):
    X, y = labels
    expected = told(fit(X, y))
    for names in (["a", "b", "c"], ["z", "b", "m"]):
        assert_allclose(told(fit(X, np.array(names)[y])), expected, rtol=1e-6)


def test_one_hot_numbers_are_classes(labels):
    X, y = labels
    assert_allclose(told(fit(X, np.eye(3)[y])), told(fit(X, y)), rtol=1e-6)


@pytest.mark.parametrize("index", INDICES)
def test_it_is_the_same_for_every_index(labels, index):
    X, y = labels
    expected = told(fit(X, y))
    assert told(fit(X, y, index=index)) == expected
    assert told(fit(X, y, measure="volume")) == expected
    assert told(fit(X, y, class_pairs=False)) == expected


# ---------------------------------------------------------------- where there is none


def test_without_rows_out_of_the_bag_it_is_not_known(numbers):
    X, y = numbers
    for options in (dict(max_samples=1.0), dict(forest=GradientBoostingRegressor())):
        assert np.isnan(told(fit(X, y, **options))).all()


def test_forests_of_other_libraries_have_one_where_they_leave_rows_out(numbers):
    X, y = numbers
    forest = RandomForestRegressor(30, random_state=0)
    low, value, high = np.sort(told(fit(X, y, forest=forest)))
    assert low < value < high
    assert value == pytest.approx(fit(X, y).roughness_, abs=0.1)


@pytest.mark.parametrize("n_samples", [5, 6, 8, 12])
def test_a_handful_of_samples_gives_a_number_and_admits_that_it_is_not_known(n_samples):
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(n_samples, 2))
    estimator = fit(X, rng.normal(size=n_samples))
    assert 0 <= estimator.roughness_ <= 1
    assert estimator.roughness_interval_ == (0.0, 1.0)


def test_the_error_of_the_level_has_the_whole_curve(numbers):
    samples = read_samples(*numbers)
    error = randomised_error(samples, randomised(Growth(random_state=0)), 2.0)
    assert len(error.errors) == error.wavelets.n_terms + 1
    assert error.errors[1:].argmin() + 1 == error.n_terms
    assert_allclose(error.left, (error.errors.min() / error.errors[0]) ** 2, rtol=1e-9)
