"""Importances of columns: which columns they find, and what they do not depend on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from sksmooth import (
    BesovSmoothnessEstimator,
    WaveletForestClassifier,
    WaveletForestRegressor,
)
from sksmooth.datasets import make_known_smoothness
from sksmooth.wavelets import wavelet_importances

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

CLOSE = dict(rtol=1e-10, atol=1e-12)  # rounding of some hundred terms
SEEDS = range(3)
REGRESSORS = [BesovSmoothnessEstimator(), WaveletForestRegressor(20)]
CLASSIFIERS = [BesovSmoothnessEstimator(), WaveletForestClassifier(20)]


def by_name(estimator):
    return type(estimator).__name__


def fitted(estimator, X, y, seed=0):
    return clone(estimator).set_params(random_state=seed).fit(X, y)


def many_valued_noise(n, seed):
    """Two binary columns decide, with 20 % errors; five columns of many values do not."""
    rng = np.random.RandomState(seed)
    X = np.column_stack([rng.randint(2, size=(n, 2)), rng.standard_normal((n, 5))])
    y = (X[:, 0] + X[:, 1] >= 1) ^ (rng.uniform(size=n) < 0.2)
    return X, y.astype(int)


# ---------------------------------------------------------------- relevant columns


@pytest.mark.parametrize("estimator", REGRESSORS, ids=by_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_columns_of_noise_get_little(estimator, seed):
    # Measured over ten seeds: at most 3 % for all of the noise columns together, and the
    # weakest of the relevant ones (2 of 25 parts of the variance) has at least 5 %.
    X, y = make_friedman1(800, n_features=15, noise=1.0, random_state=seed)
    importances = fitted(estimator, X, y, seed).feature_importances_
    assert importances.sum() == pytest.approx(1.0)
    assert (importances >= 0).all()
    assert importances[5:].sum() < 0.08
    assert importances[:5].min() > importances[5:].max()


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=by_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_noise_of_many_values_does_not_win_by_its_many_cuts(estimator, seed):
    # Impurity favours columns that can be cut in many places (Strobl et al., BMC
    # Bioinformatics 8, 2007): here noise gets more than half of it.
    X, y = many_valued_noise(500, seed)
    impurity = RandomForestClassifier(50, random_state=seed).fit(X, y).feature_importances_
    importances = fitted(estimator, X, y, seed).feature_importances_
    assert impurity[2:].sum() > 0.5
    assert importances[2:].sum() < 0.25
    assert importances[:2].min() > importances[2:].max()


@pytest.mark.parametrize("seed", SEEDS)
def test_thresholding_shrinks_the_importance_of_noise(seed):
    # Small wavelets are those of small nodes, where nothing is left to be seen but noise.
    # Even the fitted norms of the leading ones have less of it than those of all.
    X, y = make_friedman1(500, n_features=15, noise=2.0, random_state=seed)
    estimator = fitted(BesovSmoothnessEstimator(), X, y, seed)
    leading = estimator.wavelets_.n_trees * estimator.fit_range_[1]
    shares = [
        wavelet_importances(estimator.wavelets_, 15, n_terms)[5:].sum()
        for n_terms in (leading // 4, leading, None)
    ]
    assert np.all(np.diff(shares) > 0.03)
    assert estimator.feature_importances_[5:].sum() < shares[1] / 2
    kept = [
        fitted(WaveletForestRegressor(20, n_terms=n_terms), X, y, seed)
        for n_terms in (20 * 10, None)
    ]
    few, many = (model.feature_importances_[5:].sum() for model in kept)
    assert few < many


def test_copies_share_the_importance_of_a_column():
    X, y = make_friedman1(800, n_features=10, random_state=0)
    alone = fitted(BesovSmoothnessEstimator(), X, y).feature_importances_
    with_copies = np.hstack([X, X[:, [3, 3]]])
    shared = fitted(BesovSmoothnessEstimator(), with_copies, y).feature_importances_
    # Equal columns compete for every split, and the first in an order that starts at a
    # random column wins; together they are worth as much, within the spread of seeds.
    assert shared[[3, 10, 11]].sum() == pytest.approx(alone[3], abs=0.05)
    assert (shared[[3, 10, 11]] > 0.01).all()


@pytest.mark.parametrize("estimator", REGRESSORS, ids=by_name)
def test_strength_decides_the_order_and_constant_columns_have_none(estimator):
    X = np.random.RandomState(0).uniform(size=(1000, 7))
    X[:, 6] = 7.0
    y = X[:, :4] @ np.array([8.0, 4.0, 2.0, 1.0])
    importances = fitted(estimator, X, y).feature_importances_
    assert_array_equal(np.argsort(-importances)[:4], range(4))
    assert importances[6] == 0.0


# ---------------------------------------------------------------- invariance


@pytest.mark.parametrize("seed", SEEDS)
def test_columns_in_another_order(seed):
    # The order of the columns decides which rows a tree gets, so it is no more and no less
    # than another random_state, which moves an importance by up to 0.05.
    X, y = make_friedman1(500, n_features=8, random_state=seed)
    order = np.random.RandomState(seed).permutation(8)
    estimator = BesovSmoothnessEstimator(20, random_state=0)
    importances = estimator.fit(X, y).feature_importances_
    permuted = clone(estimator).fit(X[:, order], y).feature_importances_
    assert_allclose(permuted, importances[order], atol=0.05)


@settings(max_examples=10)
@given(st.lists(st.integers(-20, 20), min_size=5, max_size=5), st.integers(0, 20))
def test_scales_and_the_order_of_the_samples_do_not_matter(powers, seed):
    X, y = make_friedman1(120, n_features=5, random_state=seed)
    rows = np.random.RandomState(seed).permutation(120)
    # Powers of two are exact in floating point, so that every split is the same.
    scaled = X * 2.0 ** np.array(powers)
    for estimator in (BesovSmoothnessEstimator(3), WaveletForestRegressor(3)):
        importances = fitted(estimator, X, y).feature_importances_
        again = fitted(estimator, scaled, 4.0 * y).feature_importances_
        assert_allclose(again, importances, **CLOSE)
        shuffled = fitted(estimator, X[rows], y[rows]).feature_importances_
        assert_allclose(shuffled, importances, rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------- without held-out samples


def test_fitted_norms_are_used_where_trees_have_seen_all():
    X, y = make_friedman1(150, random_state=0)
    for options in ({"max_samples": 1.0}, {"forest": GradientBoostingRegressor()}):
        estimator = BesovSmoothnessEstimator(5, random_state=0, **options).fit(X, y)
        leading = estimator.wavelets_.n_trees * estimator.fit_range_[1]
        expected = wavelet_importances(estimator.wavelets_, 10, leading)
        assert_allclose(estimator.feature_importances_, expected, **CLOSE)


# ---------------------------------------------------------------- selection


@pytest.mark.parametrize("estimator", REGRESSORS, ids=by_name)
def test_select_from_model_finds_the_relevant_columns_by_name(estimator):
    X, y = make_friedman1(800, n_features=15, noise=1.0, random_state=0)
    names = [f"relevant {k}" if k < 5 else f"noise {k}" for k in range(15)]
    frame = pd.DataFrame(X, columns=names)
    model = clone(estimator).set_params(random_state=0)
    selector = SelectFromModel(model, threshold=-np.inf, max_features=5).fit(frame, y)
    assert_array_equal(selector.get_feature_names_out(), names[:5])
    chosen = selector.set_output(transform="pandas").transform(frame)
    pd.testing.assert_frame_equal(chosen, frame[names[:5]])
    by_mean = SelectFromModel(model).fit(frame, y)  # the threshold is the mean
    assert set(by_mean.get_feature_names_out()) <= set(names[:5])
    prefit = SelectFromModel(model.fit(frame, y), prefit=True, threshold="mean")
    assert_array_equal(prefit.fit(frame).transform(frame), by_mean.transform(frame))


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=by_name)
def test_select_from_model_of_labels(estimator):
    X, y, _ = make_known_smoothness("jump", 600, n_irrelevant=6, random_state=0)
    labels = np.where(y == 1, "outer", "inner")
    model = clone(estimator).set_params(random_state=0)
    support = SelectFromModel(model, threshold="mean").fit(X, labels).get_support()
    assert_array_equal(np.flatnonzero(support), [0, 1])


@pytest.mark.parametrize("estimator", REGRESSORS, ids=by_name)
def test_selection_in_a_pipeline_helps_a_linear_model(estimator):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((150, 80))
    y = X[:, :3] @ [3.0, 2.0, 2.0] + rng.standard_normal(150)
    model = clone(estimator).set_params(random_state=0)
    selector = SelectFromModel(model, threshold="3*mean")
    alone = cross_val_score(LinearRegression(), X, y).mean()
    selected = cross_val_score(make_pipeline(selector, LinearRegression()), X, y).mean()
    # 80 coefficients from 120 samples: the error is 120 / (120 - 80 - 1) = 3 times the
    # noise, against about 1 with the three columns, of a variance of 18.
    assert selected > alone + 0.05
