"""Tools of scikit-learn and imbalanced-learn: those that score, and those that predict."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import BesovSmoothnessEstimator, WaveletForestClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def estimator(**options):
    return BesovSmoothnessEstimator(3, random_state=0, **options)


@pytest.fixture(scope="module")
def iris():
    """Only the last two of its features tell much; then come two of noise."""
    X, y = load_iris(return_X_y=True)
    noise = np.random.RandomState(0).normal(size=(len(y), 2))
    return np.column_stack([X, noise]), y


PREDICTING = ["predict", "predict_proba", "decision_function"]


@pytest.mark.parametrize("method", PREDICTING)
@pytest.mark.parametrize("is_fitted", [False, True])
def test_there_is_no_prediction_and_the_error_says_what_predicts(iris, method, is_fitted):
    measure = estimator().fit(*iris) if is_fitted else estimator()
    assert not hasattr(measure, method)
    assert not hasattr(BesovSmoothnessEstimator, method)
    with pytest.raises(AttributeError, match=f"has no '{method}': it measures") as caught:
        getattr(measure, method)
    for advice in (
        "WaveletForestClassifier",
        "WaveletForestRegressor",
        "scoring=BesovSmoothnessEstimator.score",
    ):
        assert advice in str(caught.value)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda measure: make_pipeline(StandardScaler(), measure),
        lambda measure: GridSearchCV(measure, {"max_depth": [3]}, cv=FOLDS),
        lambda measure: RFE(measure),
    ],
)
def test_what_wraps_it_passes_the_advice_on(iris, wrap):
    X, y = iris
    with pytest.raises(AttributeError) as caught:
        wrap(estimator()).fit(X, y).predict(X)
    assert "Use WaveletForestClassifier" in str(caught.value.__cause__)


def test_selectors_choose_by_score_and_importance(iris):
    X, y = iris
    selectors = [
        RFE(estimator(), n_features_to_select=2),
        RFECV(
            estimator(),
            cv=FOLDS,
            min_features_to_select=2,
            scoring=BesovSmoothnessEstimator.score,  # as the advice says
        ),
        SelectFromModel(estimator()),
        SequentialFeatureSelector(estimator(), n_features_to_select=2, cv=FOLDS),
    ]
    for selector in selectors:
        chosen = set(selector.fit(X, y).get_support(indices=True))
        assert chosen & {2, 3}
        assert not chosen & {4, 5}


def test_rfecv_needs_a_score_or_a_forest_that_predicts(iris):
    X, y = iris
    with pytest.raises(AttributeError, match="predict"):
        RFECV(estimator(), cv=FOLDS).fit(X, y)
    forest = WaveletForestClassifier(20, random_state=0)
    chosen = RFECV(forest, cv=FOLDS).fit(X, y).get_support(indices=True)
    assert set(chosen) & {2, 3}


def test_curves_and_permutations_use_the_score(iris):
    X, y = iris
    fitted = estimator().fit(X, y)
    importances = permutation_importance(fitted, X, y, n_repeats=3, random_state=0)
    assert set(np.argsort(importances.importances_mean)[-2:]) == {2, 3}
    drawn = dict(cv=FOLDS, shuffle=True, random_state=0, train_sizes=[0.5, 1.0])
    scores = learning_curve(estimator(), X, y, **drawn)[2]
    assert (scores.mean(axis=1) > 0.2).all()
    _, scores = validation_curve(
        estimator(), X, y, param_name="max_depth", param_range=[1, 4], cv=FOLDS
    )
    assert scores[1].mean() > scores[0].mean()
    found = permutation_test_score(
        estimator(), X, y, cv=FOLDS, n_permutations=5, random_state=0
    )
    assert found[0] > max(found[1])


@pytest.mark.parametrize(
    "use",
    [
        lambda X, y: CalibratedClassifierCV(estimator()).fit(X, y),
        lambda X, y: VotingClassifier([("measure", estimator())]).fit(X, y),
        lambda X, y: StackingClassifier([("measure", estimator())]).fit(X, y),
        lambda X, y: cross_val_predict(estimator(), X, y),
        lambda X, y: partial_dependence(estimator().fit(X, y), X, [0]),
    ],
)
def test_what_only_predicts_refuses_it_and_takes_the_forest(iris, use):
    X, y = iris
    with pytest.raises((AttributeError, ValueError)):
        use(X, y)


def test_the_forest_takes_its_place(iris):
    X, y = iris
    forest = WaveletForestClassifier(20, random_state=0)
    for ensemble in (
        CalibratedClassifierCV(forest, cv=FOLDS),
        VotingClassifier([("forest", forest)]),
        StackingClassifier([("forest", forest)], cv=FOLDS),
    ):
        assert ensemble.fit(X, y).score(X, y) > 0.9
    predicted = cross_val_predict(forest, X, y, cv=FOLDS)
    assert np.mean(predicted == y) > 0.85
    curve = partial_dependence(forest.fit(X, y), X, [3], response_method="predict_proba")
    assert np.ptp(curve["average"], axis=1).min() > 0.1


def test_imbalanced_learn(iris):
    pipeline = pytest.importorskip("imblearn.pipeline")
    sampling = pytest.importorskip("imblearn.over_sampling")
    X, y = iris
    rare = np.r_[0:50, 50:100, 100:112]
    X, y = X[rare], y[rare]
    sampled = pipeline.make_pipeline(
        sampling.RandomOverSampler(random_state=0), StandardScaler(), estimator()
    )
    scores = GridSearchCV(
        sampled, {"besovsmoothnessestimator__max_depth": [2, None]}, cv=FOLDS
    ).fit(X, y)
    assert scores.best_score_ > 0.3
    fitted = sampled.fit(X, y)
    assert fitted[-1].n_samples_ == 150  # three classes of fifty
    assert np.isfinite(fitted.score(X, y))
    with pytest.raises(AttributeError) as caught:
        fitted.predict(X)
    assert "Use WaveletForestClassifier" in str(caught.value.__cause__)
