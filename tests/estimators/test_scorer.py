"""The scorer: which features it scores, in all that takes a scorer."""

from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    BesovSmoothnessEstimator,
    SmoothnessSearch,
    WaveletForestClassifier,
    smoothness_scorer,
)

FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def iris():
    """Iris with two columns of noise, in places 4 and 5."""
    X, y = load_iris(return_X_y=True)
    return np.hstack([X, np.random.RandomState(0).normal(size=(len(X), 2))]), y


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400]


def test_it_is_about_the_out_of_bag_score(digits):
    X, y = digits
    model = DummyClassifier().fit(X, y)
    score = smoothness_scorer(model, X, y)
    fitted = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    assert score == pytest.approx(fitted.oob_score_, abs=0.02)
    assert smoothness_scorer(model, X, y) == score  # the same seed each time
    noise = np.random.RandomState(0).normal(size=(400, 3))
    assert abs(smoothness_scorer(model, noise, y)) < 0.02
    assert isinstance(score, float)


def test_the_features_that_reach_the_model(digits):
    X, y = digits
    pca = PCA(8, random_state=0).fit(X)
    alone = DummyClassifier().fit(X, y)
    expected = smoothness_scorer(alone, pca.transform(X), y)
    assert expected != smoothness_scorer(alone, X, y)
    for last in (
        LogisticRegression(max_iter=10_000),
        LinearDiscriminantAnalysis(),  # which transforms, too
        WaveletForestClassifier(5, random_state=0),
        make_pipeline(DummyClassifier()),
        "passthrough",
    ):
        pipeline = make_pipeline(PCA(8, random_state=0), last).fit(X, y)
        assert smoothness_scorer(pipeline, X, y) == expected
    for transformer in (
        pca,
        make_pipeline("passthrough", PCA(8, random_state=0)).fit(X, y),
        Pipeline([("none", None), ("pca", PCA(8, random_state=0)), ("end", None)]).fit(X),
        ColumnTransformer([("pca", PCA(8, random_state=0), slice(0, 64))]).fit(X),
    ):
        assert smoothness_scorer(transformer, X, y) == expected
    grid = {"pca__n_components": [8]}
    pipeline = make_pipeline(PCA(random_state=0), DummyClassifier())
    search = GridSearchCV(pipeline, grid, scoring=smoothness_scorer, cv=2).fit(X, y)
    assert smoothness_scorer(search, X, y) == expected
    search = SmoothnessSearch(PCA(), {"n_components": [8]}, cv=2, random_state=0)
    assert smoothness_scorer(search.fit(X, y), X, y) == pytest.approx(expected, abs=0.02)


def test_an_estimator_of_ours_scores_itself(digits):
    X, y = digits
    pipeline = make_pipeline(StandardScaler(), BesovSmoothnessEstimator(random_state=0))
    pipeline.fit(X[:200], y[:200])
    held_out = X[200:], y[200:]
    assert smoothness_scorer(pipeline, *held_out) == pipeline.score(*held_out)


def test_targets_weights_and_options(digits):
    X, y = digits
    numbers = DummyRegressor().fit(X, y)
    assert smoothness_scorer(numbers, X, X[:, 20] / 16) > 0.3
    weights = np.r_[np.ones(200), np.zeros(200)]
    first = smoothness_scorer(numbers, X[:200], y[:200])
    assert smoothness_scorer(numbers, X, y, weights) == pytest.approx(first)
    for chosen in (
        BesovSmoothnessEstimator(max_samples=0.3),
        BesovSmoothnessEstimator(random_state=1),
        BesovSmoothnessEstimator(forest=RandomForestClassifier(20)),
    ):
        own = partial(smoothness_scorer, smoothness=chosen)
        assert own(numbers, X, y) != smoothness_scorer(numbers, X, y)
        assert own(numbers, X, y) == own(numbers, X, y)


class Memoriser(TransformerMixin, BaseEstimator):
    """Gives the label of a sample that it has seen, and noise for others."""

    def fit(self, X, y):
        self.seen_ = {row.tobytes(): label for row, label in zip(X, y, strict=True)}
        return self

    def transform(self, X):
        noise = np.random.RandomState(0).randint(10, size=len(X))
        return np.array(
            [
                [self.seen_.get(row.tobytes(), drawn)]
                for row, drawn in zip(X, noise, strict=True)
            ],
            dtype=float,
        )


def test_searches_and_selectors(iris, digits):
    X, y = digits
    pipeline = Pipeline([("features", PCA()), ("model", DummyClassifier())])
    grid = {"features": [PCA(2, random_state=0), PCA(10, random_state=0), Memoriser()]}
    options = dict(scoring=smoothness_scorer, cv=FOLDS)
    search = GridSearchCV(pipeline, grid, **options, return_train_score=True).fit(X, y)
    assert search.best_index_ == 1
    # What has memorised the labels is the best only where it is not held out.
    assert search.cv_results_["mean_test_score"][2] < 0.02
    assert np.argmax(search.cv_results_["mean_train_score"]) == 2
    by_workers = GridSearchCV(pipeline, grid, **options, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(
        by_workers.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )

    X, y = iris
    dummy = DummyClassifier()
    selector = SequentialFeatureSelector(dummy, n_features_to_select=2, **options)
    chosen = set(selector.fit(X, y).get_support(indices=True))
    assert chosen & {2, 3}
    assert not chosen & {4, 5}
    chosen = RFECV(BesovSmoothnessEstimator(random_state=0), **options).fit(X, y)
    assert set(chosen.get_support(indices=True)) & {2, 3}
    importances = permutation_importance(
        dummy.fit(X, y), X, y, scoring=smoothness_scorer, n_repeats=2, random_state=0
    )
    assert set(np.argsort(importances.importances_mean)[-2:]) == {2, 3}


def test_beside_other_scores(iris):
    X, y = iris
    scoring = {"smoothness": smoothness_scorer, "accuracy": "accuracy"}
    model = make_pipeline(StandardScaler(), LogisticRegression())
    found = cross_validate(model, X, y, cv=FOLDS, scoring=scoring)
    assert (found["test_accuracy"] > 0.8).all()
    scores = cross_val_score(model, X, y, cv=FOLDS, scoring=smoothness_scorer)
    np.testing.assert_array_equal(found["test_smoothness"], scores)
    assert (scores > 0.2).all()


def test_what_resamples_is_passed_over(iris):
    pipeline = pytest.importorskip("imblearn.pipeline")
    sampling = pytest.importorskip("imblearn.over_sampling")
    X, y = iris
    steps = StandardScaler(), sampling.RandomOverSampler(random_state=0), DummyClassifier()
    fitted = pipeline.make_pipeline(*steps).fit(X[:120], y[:120])
    expected = smoothness_scorer(DummyClassifier().fit(X, y), fitted[0].transform(X), y)
    assert smoothness_scorer(fitted, X, y) == expected
