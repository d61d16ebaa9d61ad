"""Wavelets as columns of linear models."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits, make_friedman1
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sksmooth import BesovSmoothnessEstimator

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")


@pytest.fixture(scope="module")
def friedman():
    X, y = make_friedman1(600, noise=1.0, random_state=0)
    return X, (y - y.mean()) / y.std()


def test_columns_are_those_of_the_window_of_all_trees(friedman):
    X, y = friedman
    estimator = BesovSmoothnessEstimator(3, random_state=0).fit(X, y)
    features = estimator.transform(X)
    assert features.shape == (600, 3 * estimator.fit_range_[1])
    assert len(estimator.get_feature_names_out()) == features.shape[1]
    wavelets = estimator.wavelets_
    heights = np.abs(wavelets.psi[wavelets.order[: features.shape[1]], 0])
    assert_allclose(features.max(axis=0).toarray().ravel(), heights)
    many = BesovSmoothnessEstimator(50, random_state=0).fit(X, y)
    assert many.transform(X).shape == (600, 1000)


def test_with_raw_columns_in_a_grid_search_they_beat_the_raw_ones(friedman):
    X, y = friedman
    wavelets = BesovSmoothnessEstimator(30, max_features="sqrt", random_state=0)
    both = make_pipeline(make_union(wavelets, StandardScaler()), Ridge())
    grid = {
        "ridge__alpha": [1, 10],
        "featureunion__besovsmoothnessestimator__max_depth": [2, None],
    }
    search = GridSearchCV(both, grid, cv=3).fit(X, y)
    raw = cross_val_score(make_pipeline(StandardScaler(), Ridge()), X, y, cv=3).mean()
    # Measured: 0.87 against 0.73.
    assert search.best_score_ > raw + 0.08
    assert search.best_params_["featureunion__besovsmoothnessestimator__max_depth"] is None


def test_classes_of_any_label_in_a_pipeline():
    X, y = load_digits(n_class=4, return_X_y=True)
    labels = np.array(["zero", "one", "two", "three"])[y]
    wavelets = BesovSmoothnessEstimator(10, max_features="sqrt", random_state=0)
    model = make_pipeline(wavelets, LogisticRegression(max_iter=500)).fit(X, labels)
    assert sparse.issparse(model[:-1].transform(X))
    assert_array_equal(model.classes_, ["one", "three", "two", "zero"])
    accuracy = cross_val_score(model, X, labels, cv=3).mean()
    assert accuracy > 0.95


def test_fitted_wavelets_look_better_than_they_are():
    # On noise: on wavelets that have seen the targets a linear model seems to explain
    # them, in cross-validation, too, unless the wavelets are fitted anew in each fold.
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(300, 5)), rng.standard_normal(300)
    wavelets = BesovSmoothnessEstimator(10, random_state=0)
    leaking = cross_val_score(Ridge(10), wavelets.fit_transform(X, y), y).mean()
    honest = cross_val_score(make_pipeline(wavelets, Ridge(10)), X, y).mean()
    assert leaking > 0.3
    assert honest < 0.05
