"""The simplest representation that cannot be told apart from the best of many."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksmooth import BesovSmoothnessEstimator, SmoothnessSearch, smoothness_difference

SHALLOW = BesovSmoothnessEstimator(max_depth=4, random_state=0)
GRID = {"n_components": [8, 1, 12]}


class Columns(TransformerMixin, BaseEstimator):
    """Takes the first columns, some times over."""

    def __init__(self, n_columns=1, n_times=1):
        self.n_columns = n_columns
        self.n_times = n_times

    def fit(self, X, y=None):
        if self.n_columns > X.shape[1]:
            raise ValueError("too many columns")
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.hstack([np.asarray(X)[:, : self.n_columns]] * self.n_times)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


@pytest.fixture(scope="module")
def plane():
    """The first two columns tell the classes, a third one is noise."""
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(200, 3))
    return X, (X[:, 0] + X[:, 1] > 1).astype(int)


@pytest.fixture(scope="module")
def searched(digits):
    return search_of().fit(*digits)


def search_of(estimator=None, grid=GRID, **options):
    if estimator is None:
        estimator = PCA()
    options = {"smoothness": SHALLOW, "cv": 3, "random_state": 0, **options}
    return SmoothnessSearch(estimator, grid, **options)


def columns_of(plane, n_columns, **options):
    X, y = plane
    return search_of(Columns(), {"n_columns": n_columns}, **options).fit(X, y)


def results_of(search):
    """All results but the time."""
    left_out = ("seconds", "params")
    return pd.DataFrame(
        {k: v for k, v in search.cv_results_.items() if k not in left_out}
    ).drop(columns=[k for k in search.cv_results_ if k.startswith("param_")])


# --- scikit-learn's contract -------------------------------------------------------


WEIGHTS_ARE_NOT_REPETITIONS = (
    "the folds are drawn by rows, and transformers are not given weights"
)


@parametrize_with_checks(
    [search_of(MaxAbsScaler(), {"copy": [True, False]}, cv=2)],
    expected_failed_checks=lambda search: {
        f"check_sample_weight_equivalence_on_{kind}_data": WEIGHTS_ARE_NOT_REPETITIONS
        for kind in ("dense", "sparse")
    },
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_results_of_a_search(searched):
    search = searched
    results = search.cv_results_
    assert results["params"] == [{"n_components": n} for n in GRID["n_components"]]
    assert results["param_n_components"].tolist() == GRID["n_components"]
    assert_array_equal(results["n_features"], GRID["n_components"])
    assert_array_equal(results["mean_test_score"], results["score"])
    best = search.best_index_
    assert best == np.argmax(results["score"])
    assert search.best_params_ == results["params"][best]
    assert search.best_score_ == results["score"].max()
    assert results["rank_test_score"][best] == 1
    difference = results["difference_to_best"]
    assert_allclose(difference, results["score"] - search.best_score_, atol=1e-12)
    assert (results["difference_to_best_low"] <= difference).all()
    assert (difference <= results["difference_to_best_high"]).all()
    assert results["p_value"][best] == 1
    assert_array_equal(results["tied_with_best"], results["p_value"] > 0.05)
    assert not results["tied_with_best"][1]  # one component of ten digits
    assert (results["seconds"] > 0).all()


def test_frame_is_sorted_by_score(searched):
    frame = searched.to_frame()
    assert frame["score"].is_monotonic_decreasing
    assert frame.index[0] == searched.best_index_
    assert frame.loc[1, "param_n_components"] == 1


def test_text_names_the_simplest(searched):
    assert str(search_of()) == repr(search_of())
    printed = str(searched)
    assert " ".join(printed.split()).endswith(f"is {searched.simplest_params_}.")
    assert f"Best held-out score {searched.best_score_:.2f} with" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert len(printed.splitlines()) <= 8


def test_the_card_shows_the_candidates_below_the_diagram(searched):
    assert "sksmooth-card" not in search_of()._repr_html_()
    page = searched._repr_html_()
    assert "sk-container" in page
    assert page.count('sksmooth-card"') == 1
    card = page[page.rindex("<table>") :]
    for score in searched.cv_results_["score"]:
        assert f">{score:.3f}</td>".replace("-", "\N{MINUS SIGN}") in card
    heads = ("candidate", "held-out score", "difference to best", "p-value")
    assert all(f">{head}</th>" in card for head in heads)
    assert searched._repr_mimebundle_()["text/html"].endswith(card)


def test_clone_and_pickle(searched, digits):
    X, _ = digits
    loaded = pickle.loads(pickle.dumps(searched))
    assert_array_equal(loaded.transform(X), searched.transform(X))
    assert loaded.to_frame().equals(searched.to_frame())
    unfitted = clone(searched)
    assert not hasattr(unfitted, "cv_results_")
    assert unfitted.get_params()["estimator__n_components"] is None


# --- what is chosen ----------------------------------------------------------------


def test_the_difference_is_that_of_smoothness_difference(digits):
    X, y = digits
    results = search_of(grid={"n_components": [2, 6]}).fit(X, y).cv_results_
    pair = smoothness_difference(
        X,
        X,
        y,
        estimator=SHALLOW,
        transformers=[PCA(6, random_state=0), PCA(2, random_state=0)],
        cv=3,
    )
    ends = (results["difference_to_best_low"][0], results["difference_to_best_high"][0])
    assert results["difference_to_best"][0] == pytest.approx(pair.difference)
    assert ends == pytest.approx(pair.interval)
    assert results["p_value"][0] == pytest.approx(pair.p_value / 2, abs=2e-4)


def test_identical_candidates_are_tied(plane):
    X, y = plane
    grid = {"n_columns": [2], "n_times": [1, 1]}
    results = search_of(Columns(), grid).fit(X, y).cv_results_
    assert_array_equal(results["p_value"], 1.0)
    assert_array_equal(results["difference_to_best"], 0.0)
    assert results["rank_test_score"].tolist() == [1, 1]


def test_the_simplest_of_the_tied_is_chosen(plane):
    X, _ = plane
    search = columns_of(plane, [3, 2, 1])
    results = search.cv_results_
    assert results["tied_with_best"].tolist()[1:] == [True, False]
    assert search.simplest_params_ == {"n_columns": 2}
    assert search.transform(X).shape[1] == 2
    tied = [i for i in range(3) if results["tied_with_best"][i]]
    first = columns_of(plane, [3, 2, 1], simplest="order")
    assert first.chosen_index_ == first.simplest_index_ == tied[0]
    most = columns_of(plane, [3, 2, 1], simplest=lambda params, n_features: -n_features)
    assert most.simplest_index_ == tied[0]
    best = columns_of(plane, [3, 2, 1], refit="best")
    assert best.chosen_index_ == best.best_index_
    assert best.transform(X).shape[1] == best.best_params_["n_columns"]


def test_equals_are_chosen_by_the_order_of_the_grid(plane):
    X, y = plane
    grid = [{"n_columns": [1]}, {"n_columns": [2], "n_times": [2, 1, 1]}]
    search = search_of(Columns(), grid).fit(X, y)
    assert search.simplest_index_ == 2
    column = search.cv_results_["param_n_times"]
    assert column.mask.tolist() == [True, False, False, False]
    assert search.to_frame()["param_n_times"].isna().sum() == 1


def test_without_refit_there_are_results_only(plane):
    X, y = plane
    search = columns_of(plane, [2, 1])
    search.set_params(refit=False).fit(X, y)
    assert not hasattr(search, "transformer_")
    assert not hasattr(search, "n_features_in_")
    assert search.simplest_params_ == {"n_columns": 2}
    with pytest.raises(NotFittedError, match="refit=False"):
        search.transform(X)


# --- what does not matter ----------------------------------------------------------


def test_order_of_candidates(plane):
    there, back = (results_of(columns_of(plane, n)) for n in ([1, 2, 3], [3, 2, 1]))
    pd.testing.assert_frame_equal(there, back[::-1].reset_index(drop=True))


def test_names_of_classes(plane):
    X, y = plane
    names = np.array(["zebra", "ant"])[1 - y]  # in the same order
    found = (results_of(columns_of((X, labels), [1, 2])) for labels in (y, names))
    pd.testing.assert_frame_equal(*found)


def test_number_of_jobs(searched, digits):
    X, y = digits
    found = [searched, search_of(n_jobs=2).fit(X, y)]
    pd.testing.assert_frame_equal(*map(results_of, found))
    assert_array_equal(*(search.transform(X) for search in found))


def test_transformers_without_a_seed_are_seeded(digits):
    X, y = digits
    randomised = PCA(svd_solver="randomized", iterated_power=0)
    found = [search_of(randomised, {"n_components": [3, 3]}).fit(X, y) for _ in range(2)]
    pd.testing.assert_frame_equal(*map(results_of, found))
    assert_array_equal(found[0].cv_results_["p_value"], 1.0)
    assert randomised.random_state is None


def test_samples_of_no_weight(plane):
    X, y = plane
    rng = np.random.RandomState(0)
    far = np.vstack([X, 100 + rng.uniform(size=(50, 3))])
    weights = np.r_[np.ones(len(X)), np.zeros(50)]
    scaled = make_pipeline(StandardScaler(), Columns())
    grid = {"columns__n_columns": [1, 2]}
    alone = search_of(scaled, grid).fit(X, y)
    among = search_of(scaled, grid).fit(
        far, np.r_[y, rng.randint(2, size=50)], sample_weight=weights
    )
    pd.testing.assert_frame_equal(results_of(alone), results_of(among))
    assert_array_equal(alone.transform(X), among.transform(X))


def test_weights_matter(plane):
    X, y = plane
    weights = np.random.RandomState(0).randint(1, 4, size=len(y))
    weighted = search_of(Columns(), {"n_columns": [2]}).fit(X, y, sample_weight=weights)
    assert weighted.best_score_ != columns_of(plane, [2]).best_score_


# --- pipelines ---------------------------------------------------------------------


def test_a_pipeline_of_grid_search_works_unchanged(plane):
    X, y = plane
    steps = [("scale", StandardScaler()), ("take", Columns()), ("measure", clone(SHALLOW))]
    grid = {"scale": ["passthrough", StandardScaler()], "take__n_columns": [1, 2]}
    pipeline = Pipeline(steps)
    search = search_of(pipeline, grid, smoothness=None).fit(X, y)
    same = search_of(Pipeline(steps[:2]), grid).fit(X, y)
    pd.testing.assert_frame_equal(results_of(search), results_of(same))
    assert list(search.transformer_.named_steps) == ["scale", "take"]
    assert search.transform(X).shape == (200, 2)
    pipeline.set_params(measure__n_estimators=3)
    by_grid = GridSearchCV(pipeline, grid, cv=KFold(2, shuffle=True, random_state=0))
    best = by_grid.fit(X, y).best_params_
    assert best["take__n_columns"] == search.best_params_["take__n_columns"] == 2


def test_steps_that_pass_everything_through(plane):
    X, y = plane
    pipeline = Pipeline([("scale", StandardScaler()), ("take", Columns(2))])
    grid = [{"take": ["passthrough"], "scale": ["passthrough"]}, {"take__n_columns": [1]}]
    search = search_of(pipeline, grid, simplest="order").fit(X, y)
    assert search.cv_results_["n_features"].tolist() == [3, 1]
    assert_array_equal(search.transform(X), X)


def test_names_and_data_frames(plane):
    X, y = plane
    frame = pd.DataFrame(X, columns=["a", "b", "noise"])
    search = search_of(SelectKBest(), {"k": [1, 2]}).fit(frame, y)
    assert search.n_features_in_ == 3
    assert search.feature_names_in_.tolist() == ["a", "b", "noise"]
    assert search.get_feature_names_out().tolist() == ["a", "b"]
    named = search.set_output(transform="pandas").transform(frame)
    assert named.columns.tolist() == ["a", "b"]


def test_in_the_middle_of_a_pipeline(plane):
    X, y = plane
    model = make_pipeline(
        search_of(Columns(), {"n_columns": [1, 2]}), LogisticRegression()
    ).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model[-1].coef_.shape == (1, 2)


# --- groups ------------------------------------------------------------------------


def test_what_tells_groups_apart_does_not_help():
    """Classes of groups: a column with the number of the group helps only within it."""
    rng = np.random.RandomState(0)
    groups = np.repeat(np.arange(40), 6)
    y = rng.randint(2, size=40)[groups]
    X = np.column_stack([rng.permutation(40)[groups], y + rng.normal(size=240)])
    reverse = FunctionTransformer(np.fliplr, validate=True)
    grid = {"columns__n_columns": [1, 2]}
    pipeline = make_pipeline(reverse, Columns())
    search = search_of(pipeline, grid, smoothness=None).fit(X, y)
    assert search.simplest_params_ == {"columns__n_columns": 2}
    best_of_rows = search.best_score_
    search.fit(X, y, groups=groups)
    assert search.simplest_params_ == {"columns__n_columns": 1}
    assert search.best_score_ < best_of_rows


# --- errors ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(estimator=LogisticRegression()), "'estimator' parameter"),
        (dict(estimator=None), "'estimator' parameter"),
        (dict(smoothness=PCA()), "'smoothness' parameter"),
        (dict(simplest="fewest"), "'simplest' parameter"),
        (dict(refit="simplest"), "'refit' parameter"),
        (dict(param_grid={"n_component": [1]}), "Invalid parameter 'n_component'"),
        (dict(param_grid=[]), "no candidates"),
        (dict(cv=ShuffleSplit(3, random_state=0)), "one test fold"),
        (dict(smoothness=BesovSmoothnessEstimator(p=0.5)), "'p' parameter"),
        (dict(estimator=make_pipeline(clone(SHALLOW)), param_grid={}), "last step"),
        (
            dict(
                estimator=make_pipeline(PCA(), clone(SHALLOW)),
                param_grid={"besovsmoothnessestimator__p": [1]},
            ),
            "comparable",
        ),
        (
            dict(estimator=make_pipeline(PCA(), clone(SHALLOW)), param_grid={}),
            "leave smoothness=None",
        ),
    ],
)
def test_parameters_that_are_refused(plane, options, message):
    X, y = plane
    with pytest.raises(ValueError, match=message):
        search_of().set_params(**options).fit(X, y)


def test_labels_and_groups_that_are_refused(plane):
    X, y = plane
    search = search_of(Columns(), {"n_columns": [1]})
    with pytest.raises(ValueError, match="requires y"):
        search.fit(X, None)
    with pytest.raises(ValueError, match="groups must have shape"):
        search.fit(X, y, groups=np.arange(len(y) - 1))
    with pytest.raises(ValueError, match="inconsistent numbers"):
        search.fit(X[1:], y)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_an_error_names_the_candidate(plane, n_jobs):
    X, y = plane
    search = columns_of(plane, [2], n_jobs=n_jobs)
    fitted = search.to_frame()
    search.set_params(param_grid={"n_columns": [1, 4]})
    with pytest.raises(ValueError, match="too many columns") as caught:
        search.fit(X, y)
    assert caught.value.__notes__ == ["The candidate {'n_columns': 4} raised this error."]
    assert search.to_frame().equals(fitted)
