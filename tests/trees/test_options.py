"""The number of trees where it is chosen by the number of samples."""

import numpy as np
import pytest

from sksmooth import BesovSmoothnessEstimator
from sksmooth.trees import number_of_trees

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")


@pytest.mark.parametrize(
    ("n_samples", "expected"),
    [(10**7, 10), (1000, 10), (999, 11), (500, 20), (101, 100), (100, 100), (5, 100)],
)
def test_ten_trees_or_so_many_that_they_have_ten_thousand_samples(n_samples, expected):
    assert number_of_trees("auto", 0.8, n_samples) == expected
    # So many samples of each, if told.
    assert number_of_trees("auto", n_samples, 10**9) == expected
    assert number_of_trees("auto", 10**9, n_samples) == expected


@pytest.mark.parametrize("n_samples", [5, 10**7])
@pytest.mark.parametrize("n_estimators", [1, 3, 1000, np.int8(3)])
def test_numbers_are_taken_as_they_are(n_estimators, n_samples):
    n_trees = number_of_trees(n_estimators, 0.8, n_samples)
    assert n_trees == n_estimators
    assert type(n_trees) is int


@pytest.mark.parametrize(
    ("n_samples", "options", "expected"),
    [
        (1000, {}, 10),
        (1500, {}, 10),
        (400, {}, 25),
        (20, {}, 100),
        (400, dict(max_samples=200), 50),
    ],
)
def test_trees_of_the_estimator(n_samples, options, expected):
    X = np.random.RandomState(0).uniform(size=(n_samples, 2))
    estimator = BesovSmoothnessEstimator(random_state=0, max_depth=2, **options)
    assert estimator.n_estimators == "auto"
    assert estimator.fit(X, X[:, 0]).wavelets_.n_trees == expected


def test_whole_weights_have_the_trees_of_repeated_rows():
    # 400 rows of which each counts one to three times: 25 trees of either.
    rng = np.random.RandomState(0)
    X, repeats = rng.uniform(size=(400, 2)), rng.randint(1, 4, size=400)
    y = (X.sum(axis=1) > 1).astype(int)
    rows = np.repeat(np.arange(400), repeats)
    weighted = BesovSmoothnessEstimator(random_state=0).fit(X, y, repeats)
    repeated = BesovSmoothnessEstimator(random_state=0).fit(X[rows], y[rows])
    assert weighted.wavelets_.n_trees == repeated.wavelets_.n_trees == 25
    assert weighted.alpha_ == pytest.approx(repeated.alpha_, rel=1e-9)
    assert weighted.oob_score_ == pytest.approx(repeated.oob_score_, rel=1e-9)
    assert weighted.noise_ == pytest.approx(repeated.noise_, rel=1e-6)
