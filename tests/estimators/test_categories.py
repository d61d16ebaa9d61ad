"""Columns of categories in everything that is measured."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    BesovSmoothnessEstimator,
    SmoothnessSearch,
    WaveletForestClassifier,
    WaveletForestRegressor,
    class_smoothness,
    permutation_baseline,
    report,
    sample_roughness,
    smoothness_difference,
)

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

N, K = 600, 30


def frame_and_targets(seed=0):
    """Thirty towns, the effect of each, and a column of names that says nothing."""
    rng = np.random.default_rng(seed)
    towns = np.array([f"town {k}" for k in rng.permutation(K)])
    code, effect = rng.integers(K, size=N), rng.normal(size=K)
    x = rng.normal(size=N)
    y = effect[code] + x + 0.5 * rng.normal(size=N)
    X = pd.DataFrame({"x": x, "town": towns[code], "name": np.arange(N).astype(str)})
    return X.astype({"town": "category", "name": "category"}), y, effect[code]


X, Y, EFFECT = frame_and_targets()
LABELS = np.where(Y > 0, "high", "low")


def measured(X, y, **options):
    return BesovSmoothnessEstimator(random_state=0, **options).fit(X, y)


@pytest.mark.parametrize("y", [Y, LABELS], ids=["numbers", "classes"])
def test_categories_explain_nearly_what_their_effects_do(y):
    """And clearly more than their numbers, which are in no order; names cost nothing."""
    by_categories = measured(X, y)
    by_effects = measured(np.column_stack([X.x, EFFECT]), y)
    by_numbers = measured(np.column_stack([X.x, X.town.cat.codes]), y)
    assert by_categories.explained_ > by_effects.explained_ - 0.07
    assert by_categories.explained_ > by_numbers.explained_ + 0.05
    assert by_categories.alpha_ > by_numbers.alpha_
    assert abs(by_categories.feature_importances_[2]) < 0.05
    with_town = measured(X[["x", "town"]], y)
    assert_allclose(by_categories.explained_, with_town.explained_, atol=0.04)


@pytest.mark.parametrize(("n", "n_categories"), [(30, 2), (60, 5), (100, 10), (200, 12)])
def test_equal_rows_of_categories_are_samples_of_their_own(n, n_categories):
    """However few: labels that follow from the category are explained."""
    codes = np.random.default_rng(0).integers(n_categories, size=n)
    frame = pd.DataFrame({"category": pd.Categorical(codes)})
    fitted = measured(frame, codes % 2)
    assert fitted.explained_ > 0.9
    compared = smoothness_difference(
        frame.sample(frac=1, random_state=0), frame, codes % 2, random_state=0
    )
    assert compared.difference > 0
    assert compared.p_value < 0.05


@pytest.mark.parametrize(
    "options",
    [
        {"measure": "volume"},
        {"max_bins": 32},
        {"index": "elisha-dekel"},
        {"index": "sparsity-probe"},
        {"index": "weak-lp"},
        {"max_features": "sqrt"},
        {"max_samples": 100},
        {"p": 1},
    ],
    ids=str,
)
def test_every_option_takes_them(options):
    fitted = measured(X[["x", "town"]], Y, **options)
    assert fitted.explained_ > 0.5
    assert 0 <= fitted.alpha_ < 3
    assert fitted.transform(X[["x", "town"]][:20]).shape[0] == 20


def test_scores_of_new_samples_know_the_fitted_categories():
    X_new, y_new, _ = frame_and_targets()
    fitted = measured(X[:400], Y[:400])
    score = fitted.score(X_new[400:], y_new[400:])
    assert score > 0.1
    strange = X_new[400:].assign(town=pd.Categorical(["elsewhere"] * 200))
    missing = X_new[400:].assign(town=pd.Categorical([None] * 200, categories=["town 1"]))
    assert fitted.score(strange, y_new[400:]) == fitted.score(missing, y_new[400:])
    assert 0 < fitted.score(strange, y_new[400:]) < score
    again = pickle.loads(pickle.dumps(fitted))
    assert again.score(X_new[400:], y_new[400:]) == score


def test_skops_keeps_categories():
    skops = pytest.importorskip("skops.io")
    fitted = measured(X[["x", "town"]], Y)
    data = skops.dumps(fitted)
    loaded = skops.loads(data, trusted=skops.get_untrusted_types(data=data))
    assert loaded.score(X[["x", "town"]], Y) == fitted.score(X[["x", "town"]], Y)


def test_shuffled_rows_give_the_same_index():
    shuffled = np.random.RandomState(0).permutation(N)
    fitted, other = measured(X, Y), measured(X.iloc[shuffled], Y[shuffled])
    assert_allclose(other.alpha_, fitted.alpha_, rtol=1e-9)
    assert_allclose(other.explained_, fitted.explained_, rtol=1e-9)


def test_predictions_by_categories():
    forest = WaveletForestRegressor(50, random_state=0).fit(X[:400], Y[:400])
    assert forest.score(X[400:], Y[400:]) > 0.6
    assert_allclose(forest.compress().predict(X), forest.predict(X))
    classes = WaveletForestClassifier(50, n_terms="cv", random_state=0)
    assert cross_val_score(classes, X, LABELS, cv=3).mean() > 0.75


def test_comparisons_of_frames_of_categories():
    with_town, without = X[["x", "town"]], X[["x"]]
    for options in ({}, {"transformers": ["passthrough", "passthrough"]}):
        compared = smoothness_difference(
            without, with_town, LABELS, random_state=0, **options
        )
        assert compared.difference > 0
        assert compared.p_value < 0.001


def test_searches_over_what_is_done_to_frames_of_categories():
    keep = make_column_transformer(
        (StandardScaler(), ["x"]), remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    drop = make_column_transformer((StandardScaler(), ["x"])).set_output(transform="pandas")
    search = SmoothnessSearch(
        make_pipeline("passthrough"), {"passthrough": [drop, keep]}, random_state=0
    ).fit(X, LABELS)
    assert search.best_index_ == 1


def test_what_else_is_measured_of_samples():
    estimator = BesovSmoothnessEstimator(5, random_state=0)
    table = class_smoothness(X, LABELS, estimator=estimator)
    assert (table.held_out > 0.05).all()
    rough = sample_roughness(X, LABELS, random_state=0)
    assert np.isfinite(rough.excess).all()
    chance = permutation_baseline(estimator, X, LABELS, n_permutations=2, random_state=0)
    assert chance.alphas.max() < chance.alpha


def test_reports_of_frames_of_categories(tmp_path):
    pytest.importorskip("matplotlib")
    fitted = measured(X, LABELS)
    report(fitted, tmp_path / "towns.html", X=X, y=LABELS)
    assert "town" in (tmp_path / "towns.html").read_text(encoding="utf-8")


def test_forests_of_other_libraries_split_numbers_only():
    with pytest.raises(ValueError, match=r"columns of categories \(\[1, 2\]\).*forest="):
        measured(X, LABELS, forest=RandomForestClassifier(3))
    numbers = X[["x"]].assign(town=X.town.cat.codes.astype("category"))
    fitted = measured(
        numbers, LABELS, forest=RandomForestClassifier(3), categorical_features=None
    )
    assert fitted.is_categorical_ is None


def test_text_that_skrub_encodes():
    """The recipe of the page on data frames: few values are categories, words are not."""
    skrub = pytest.importorskip("skrub")
    text = X.assign(town=X.town.astype(str), name="house of " + X.name.astype(str))
    steps = skrub.TableVectorizer(low_cardinality=skrub.ToCategorical())
    pipeline = make_pipeline(steps, BesovSmoothnessEstimator(random_state=0))
    by_skrub = pipeline.fit(text, LABELS)[-1]
    assert by_skrub.is_categorical_.sum() == 1
    assert by_skrub.explained_ > 0.4  # noise of words costs a little
