"""Folds of class labels: scores of unlike classes are refused, with the mend."""

import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import BesovSmoothnessEstimator, SmoothnessSearch, smoothness_difference
from sksmooth.exceptions import SmoothnessWarning, UnseenClassesWarning

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

MEND = r"cv=StratifiedKFold\(5, shuffle=True, random_state=0\)"
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)  # as the mend says


def estimator(**options):
    return BesovSmoothnessEstimator(3, random_state=0, **options)


@pytest.fixture(scope="module")
def iris():
    """Sorted by class, as it comes."""
    return load_iris(return_X_y=True)


@pytest.mark.parametrize("n_folds", [2, 3, 5, 7])
@pytest.mark.parametrize("names", [["a", "b", "c"], [7, 5, 2]])
def test_sorted_rows_are_refused_in_unstratified_folds(iris, n_folds, names):
    X, y = iris[0], np.array(names)[iris[1]]
    with pytest.raises(ValueError, match=MEND):
        cross_val_score(estimator(), X, y, cv=KFold(n_folds), error_score="raise")


def test_by_default_no_number_comes_of_sorted_rows(iris):
    """scikit-learn makes NaN of errors, and warns with their text."""
    with pytest.warns(UserWarning, match=MEND):
        scores = cross_val_score(estimator(), *iris)
    assert np.isnan(scores).all()


def test_the_mend_scores(iris):
    X, y = iris
    scores = cross_val_score(estimator(), X, y, cv=FOLDS, error_score="raise")
    assert scores.min() > 0.2
    order = np.random.RandomState(0).permutation(len(y))
    shuffled = cross_val_score(estimator(), X[order], y[order], error_score="raise")
    assert shuffled.mean() == pytest.approx(scores.mean(), abs=0.15)


def test_single_samples_of_a_class_do_not_stop_folds(iris):
    X, y = iris
    y = y.copy()
    y[[3, 70, 120]] = [3, 4, 5]
    with pytest.warns(UnseenClassesWarning, match="so they count as errors"):
        scores = cross_val_score(estimator(), X, y, cv=FOLDS, error_score="raise")
    assert (scores > 0.1).all()


def test_a_few_unseen_samples_count_as_errors(iris):
    X, y = iris
    fitted = estimator().fit(X[:100], y[:100])
    alone = fitted.score(X[:100], y[:100])
    with pytest.warns(UnseenClassesWarning, match="'2'"):
        joined = fitted.score(X[:103], y[:103])
    assert 0 < joined < alone


@pytest.mark.parametrize(
    "names", [[("a", 0), ("a", 1), ("b", 0)], ["a", 1, 2.5], [frozenset("a"), "b", ("c",)]]
)
def test_unseen_labels_may_be_any_objects(iris, names):
    X, y = iris[0], [names[code] for code in iris[1]]
    fitted = estimator().fit(X[:100], y[:100])
    with pytest.warns(UnseenClassesWarning, match=re.escape(repr(str(names[2])))):
        score = fitted.score(X[:103], y[:103])
    codes = estimator().fit(X[:100], iris[1][:100])
    with pytest.warns(UnseenClassesWarning):
        assert score == pytest.approx(codes.score(X[:103], iris[1][:103]))
    with pytest.raises(ValueError, match="50 of 150 samples"):
        fitted.score(X, y)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (slice(80, 150), "50 of 70 samples .* such as '2'"),
        (slice(100, 101), "1 of 1 samples"),
        (slice(0, 120), "20 of 120 samples"),
        (slice(50, 100), "lacks classes that fit has seen, such as '0'"),
    ],
)
def test_what_score_refuses(iris, rows, reason):
    X, y = iris
    fitted = estimator().fit(X[:100], y[:100])
    with pytest.raises(ValueError, match=reason):
        fitted.score(X[rows], y[rows])


def test_few_samples_may_lack_classes(iris):
    X, y = iris
    assert len(cross_val_score(estimator(), X[::8], y[::8], cv=LeaveOneOut())) == 19
    assert np.isfinite(estimator().fit(X, y).score(X[:4], y[:4]))


def test_regression_takes_the_folds_that_it_took(iris):
    X, _ = iris
    for y in (X[:, 0], np.rint(10 * X[:, 0]), np.sort(X[:, 0]), X[:, :2]):
        scores = cross_val_score(estimator(), X[:, 2:], y, error_score="raise")
        expected = [
            estimator().fit(X[train, 2:], y[train]).score(X[test, 2:], y[test])
            for train, test in KFold(5).split(X)
        ]
        np.testing.assert_array_equal(scores, expected)


def test_searches_and_selectors_say_the_mend(iris):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), estimator())
    grid = {"besovsmoothnessestimator__max_depth": [2, None]}
    search = GridSearchCV(pipeline, grid, error_score="raise")
    with pytest.raises(ValueError, match=MEND):
        search.fit(X, y)
    assert np.isfinite(search.set_params(cv=FOLDS).fit(X, y).best_score_)
    selector = SequentialFeatureSelector(estimator(), n_features_to_select=2, cv=FOLDS)
    assert set(selector.fit(X, y).get_support(indices=True)) & {2, 3}
    options = dict(cv=FOLDS, train_sizes=[0.5, 1.0], error_score="raise")
    with pytest.raises(ValueError, match="to learning_curve also shuffle=True"):
        learning_curve(estimator(), X, y, **options)
    curves = learning_curve(estimator(), X, y, shuffle=True, random_state=0, **options)
    assert np.isfinite(curves[2]).all()


def test_folds_of_groups(iris):
    X, y = iris
    groups = np.arange(len(y)) // 10  # each of one class
    with pytest.raises(ValueError, match="for groups StratifiedGroupKFold"):
        cross_val_score(estimator(), X, y, groups=y, cv=GroupKFold(3), error_score="raise")
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    scores = cross_val_score(
        estimator(), X, y, groups=groups, cv=folds, error_score="raise"
    )
    assert np.isfinite(scores).all()


def test_comparisons_in_folds_refuse_unseen_classes_too(iris):
    X, y = iris
    search = SmoothnessSearch(StandardScaler(), {}, cv=KFold(3), random_state=0)
    with pytest.raises(ValueError, match=MEND):
        search.fit(X, y)
    learned = [None, StandardScaler()]
    with pytest.raises(ValueError, match=MEND):
        smoothness_difference(X, X, y, transformers=learned, cv=KFold(3))
    assert np.isfinite(search.set_params(cv=3).fit(X, y).best_score_)
    # Each fold lacks a class to score, but none to learn: the errors are joined.
    groups = np.arange(len(y)) // 10
    search.set_params(cv=GroupKFold(15)).fit(X, y, groups=groups)
    assert search.best_score_ > 0.2


def test_folds_that_are_drawn_are_scored(iris):
    """Also where classes are many and rare, so that folds lack some of them."""
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(400, 2))
    y = (30 * X[:, 0] ** 3).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)
        for seed in range(5):
            parts = train_test_split(X, y, test_size=0.2, random_state=seed)
            X_train, X_test, y_train, y_test = parts
            assert set(y_test) != set(y)
            assert estimator().fit(X_train, y_train).score(X_test, y_test) > 0.1


def test_new_labels_of_any_type_count_as_errors(iris):
    """They need no order among them."""
    X = iris[0]
    names = np.array(["setosa", "versicolor", "virginica"], dtype=object)[iris[1]]
    fitted = BesovSmoothnessEstimator(random_state=0).fit(X, names)
    some_new = names.copy()
    for row, label in enumerate([(1, 2), 7, "other"]):
        some_new[row] = label
    with pytest.warns(UnseenClassesWarning, match="count as errors"):
        assert 0 < fitted.score(X, some_new) < fitted.score(X, names)
