"""Forests of their most significant wavelets: terms, sizes, scikit-learn's contract."""

import pickle

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_friedman1
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from sksmooth import (
    BesovSmoothnessEstimator,
    WaveletForestClassifier,
    WaveletForestRegressor,
)
from sksmooth.datasets import corrupt_labels
from sksmooth.trees import in_bag_rows, read_forest

# Sums of some thousand terms of order one: rounding stays far below this.
CLOSE = dict(rtol=1e-9, atol=1e-10)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def noisy_digits():
    """Training samples with 40 % of wrong labels, and test samples with right ones."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    return X_train, corrupt_labels(y_train, 0.4, random_state=0), X_test, y_test


@pytest.fixture(scope="module")
def numbers():
    return make_friedman1(300, noise=3.0, random_state=0)


@parametrize_with_checks(
    [
        WaveletForestClassifier(5, random_state=0),
        WaveletForestRegressor(5, random_state=0),
        WaveletForestClassifier(5, n_terms=20, random_state=0),
        WaveletForestRegressor(5, n_terms=None, max_samples=1.0, random_state=0),
        WaveletForestRegressor(5, n_terms="cv", random_state=0),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# ------------------------------------------------------------------ against the definition


class Reference:
    """A random forest and its plain decomposition, of numbers."""

    def __init__(self, n_outputs=2):
        rng = np.random.RandomState(0)
        self.X = rng.uniform(size=(60, 3)).astype(np.float32)
        self.y = np.column_stack(
            [np.sin(4 * self.X[:, 0]), self.X[:, 1] ** 2 + 0.3 * rng.standard_normal(60)]
        )[:, :n_outputs]
        self.weights = rng.randint(1, 4, size=60).astype(float)
        self.unfitted = RandomForestRegressor(
            6, max_depth=4, max_features=2, random_state=0
        )
        fitted = clone(self.unfitted).fit(
            self.X, self.y.squeeze(), sample_weight=self.weights
        )
        self.trees = read_forest(fitted).trees
        self.bags = in_bag_rows(fitted, 60) * self.weights
        self.nodes = reference.decompose(self.trees, self.X, self.y, self.bags)
        self.order = reference.ranked(self.nodes)

    def model(self, **options):
        model = WaveletForestRegressor(forest=self.unfitted, **options)
        return model.fit(self.X, self.y, sample_weight=self.weights)

    def approximation(self, X, n_terms):
        kept = set(self.order[:n_terms])
        return reference.approximation(self.trees, self.nodes, X, kept)


def test_stages_are_the_approximations_of_the_definition():
    plain = Reference()
    model = plain.model(n_terms=7)
    new_X = np.random.RandomState(1).uniform(size=(20, 3)).astype(np.float32)
    stages = [0, 1, 2, 7, 30, model.wavelets_.n_terms]
    for n_terms, predicted in zip(stages, model.staged_predict(new_X, stages), strict=True):
        assert_allclose(predicted, plain.approximation(new_X, n_terms), **CLOSE)
    assert_allclose(model.predict(new_X), plain.approximation(new_X, 7), **CLOSE)


def test_the_out_of_bag_errors_are_those_of_the_definition():
    plain = Reference()
    model = plain.model()
    powers = reference.unseen_error_powers(
        plain.trees,
        plain.nodes,
        plain.X,
        plain.y,
        plain.bags == 0,
        p=2.0,
        weights=plain.weights,
        floor=np.zeros(60),
    )
    assert_allclose(model.validation_errors_, np.sqrt(powers), **CLOSE)
    assert model.n_terms_ == np.argmin(powers)


def test_the_out_of_bag_score_is_that_of_trees_that_have_not_seen_a_sample():
    plain = Reference(n_outputs=1)
    model = plain.model()
    unseen = plain.bags == 0
    kept = set(plain.order[: model.n_terms_])
    predicted = reference.approximation(plain.trees, plain.nodes, plain.X, kept, unseen)
    rows = unseen.any(axis=0)
    expected = r2_score(plain.y[rows], predicted[rows], sample_weight=plain.weights[rows])
    assert model.oob_score_ == pytest.approx(expected)


def test_cross_validation_matches_terms_by_their_share(numbers):
    X, y = numbers
    cv = KFold(4, shuffle=True, random_state=0)
    options = dict(n_estimators=4, max_depth=4, random_state=0)
    model = WaveletForestRegressor(n_terms="cv", cv=cv, **options).fit(X, y)
    n_all = model.wavelets_.n_terms
    some = [0, n_all // 3, n_all]
    squares = np.zeros(len(some))
    for fit_rows, held_out in cv.split(X):
        fold = WaveletForestRegressor(n_terms=0, **options).fit(X[fit_rows], y[fit_rows])
        n_fold = [round(n * fold.wavelets_.n_terms / n_all) for n in some]
        for k, predicted in enumerate(fold.staged_predict(X[held_out], n_fold)):
            squares[k] += np.sum((predicted - y[held_out]) ** 2)
    assert_allclose(model.validation_errors_[some], np.sqrt(squares / len(y)), **CLOSE)
    assert len(model.validation_errors_) == n_all + 1
    assert model.n_terms_ == np.argmin(model.validation_errors_)
    assert not hasattr(model, "oob_score_")


@pytest.mark.parametrize(
    "forest",
    [
        DecisionTreeClassifier(max_depth=5, random_state=0),
        ExtraTreesClassifier(10, max_depth=6, random_state=0),
        RandomForestClassifier(10, bootstrap=False, random_state=0),
    ],
)
def test_all_wavelets_are_the_forest_itself(iris, forest):
    X, y = iris
    model = WaveletForestClassifier(n_terms=None, forest=forest).fit(X, y)
    expected = clone(forest).fit(X, y).predict_proba(X)
    assert_allclose(model.predict_proba(X), expected, **CLOSE)


@pytest.mark.parametrize(
    "boosting",
    [
        GradientBoostingRegressor(n_estimators=20, learning_rate=0.3, random_state=0),
        HistGradientBoostingRegressor(max_iter=20, min_samples_leaf=5, random_state=0),
    ],
)
def test_all_wavelets_of_squared_loss_boosting_are_its_own_prediction(numbers, boosting):
    X, y = numbers
    with threadpool_limits(1):  # the threads of so small fits wait for each other
        model = WaveletForestRegressor(n_terms=None, forest=boosting).fit(X, y)
        expected = clone(boosting).fit(X, y).predict(X)
    # Histogram boosting sums gradients in single precision.
    assert_allclose(model.predict(X), expected, rtol=1e-5)


def test_boosting_of_classes_keeps_little_and_predicts_as_well(noisy_digits):
    X, y, X_test, y_test = noisy_digits
    boosting = HistGradientBoostingClassifier(max_iter=10, random_state=0)
    with threadpool_limits(1):  # the threads of so small fits wait for each other
        model = WaveletForestClassifier(n_terms="cv", cv=2, forest=boosting).fit(X, y)
        own = clone(boosting).fit(X, y).score(X_test, y_test)
    # By least squares on the same partitions; 0.90 against 0.86 here.
    assert model.score(X_test, y_test) > own - 0.02
    assert 0 < model.n_terms_ < model.wavelets_.n_terms


# --------------------------------------------------------------------------- what it is for


def test_truncation_removes_noise(noisy_digits):
    X, y, X_test, y_test = noisy_digits
    model = WaveletForestClassifier(max_samples=0.8, random_state=0).fit(X, y)
    n_all = model.wavelets_.n_terms
    (everything,) = model.staged_predict(X_test, [n_all])
    # With 450 test samples an accuracy is known to about 0.015, but this is a difference
    # on the same samples: 0.03 here.
    assert model.score(X_test, y_test) > np.mean(everything == y_test) + 0.01
    assert model.n_terms_ < n_all / 4
    full = clone(model).set_params(n_terms=None).fit(X, y)
    assert model.compressed_size_ < full.compressed_size_ / 2


def test_noise_keeps_nearly_nothing():
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(1000, 5)), rng.standard_normal(1000)
    model = WaveletForestRegressor(20, random_state=0).fit(X, y)
    assert model.n_terms_ < model.wavelets_.n_terms / 100
    # The mean predicts as well; what is kept by chance costs a few per cent.
    assert abs(model.oob_score_) < 0.05


def test_clean_labels_keep_nearly_everything():
    X, y = load_digits(return_X_y=True)
    model = WaveletForestClassifier(30, random_state=0).fit(X, y)
    assert model.n_terms_ > 0.9 * model.wavelets_.n_terms


# ----------------------------------------------------------------------------- compression


def test_compressed_forests_predict_the_same(iris):
    X, y = iris
    model = WaveletForestClassifier(10, n_terms=60, random_state=0).fit(X, y)
    small = model.compress()
    assert_array_equal(small.predict_proba(X), model.predict_proba(X))
    assert_array_equal(small.apply(X), model.apply(X))
    assert small.score(X, y) == model.score(X, y)
    assert len(pickle.dumps(small)) < len(pickle.dumps(model)) / 2
    assert hasattr(model, "wavelets_")
    assert not hasattr(small, "wavelets_")
    with pytest.raises(ValueError, match=r"compress\(\) has dropped"):
        small.staged_predict(X)
    assert hasattr(small.fit(X, y), "wavelets_")


def test_the_pickle_of_a_compressed_forest_is_about_its_stated_size(noisy_digits):
    X, y, *_ = noisy_digits
    model = WaveletForestClassifier(20, random_state=0).fit(X, y)
    size = len(pickle.dumps(model.compress()))
    assert model.compressed_size_ < size < 1.2 * model.compressed_size_


def test_no_terms_predict_the_mean(numbers):
    X, y = numbers
    model = WaveletForestRegressor(5, n_terms=0, max_samples=1.0).fit(X, y)
    assert_allclose(model.predict(X), y.mean(), **CLOSE)
    assert (model.apply(X) == 0).all()
    assert_array_equal(model.feature_importances_, np.zeros(X.shape[1]))


@given(st.integers(0, 400), st.integers(0, 5))
def test_leaves_tell_apart_what_the_kept_wavelets_do(n_terms, seed):
    X, y = make_friedman1(60, noise=1.0, random_state=seed)
    model = WaveletForestRegressor(4, n_terms=n_terms, random_state=seed).fit(X, y)
    (stage,) = model.staged_predict(X, [model.n_terms_])
    assert_allclose(model.predict(X), stage, **CLOSE)
    assert model.n_terms_ == min(n_terms, model.wavelets_.n_terms)
    larger = clone(model).set_params(n_terms=n_terms + 1).fit(X, y)
    assert larger.compressed_size_ >= model.compressed_size_


# --------------------------------------------------------------------- the user's contract


def test_probabilities(noisy_digits):
    X, y, X_test, _ = noisy_digits
    model = WaveletForestClassifier(10, random_state=0).fit(X, y)
    shares = model.predict_proba(X_test)
    assert shares.min() >= 0
    assert_allclose(shares.sum(axis=1), 1.0)
    assert_array_equal(model.classes_[shares.argmax(axis=1)], model.predict(X_test))
    prior, last = model.staged_predict_proba(X_test, [0, model.n_terms_])
    assert np.ptp(prior, axis=0).max() < 1e-12
    assert_allclose(last, shares, **CLOSE)
    few = model.set_params(n_terms=9).fit(X, y)
    stages = list(few.staged_predict(X_test))
    assert len(stages) == 10
    assert_array_equal(stages[-1], few.predict(X_test))


@pytest.mark.parametrize("labels", [["ant", "bee", "cat"], [0.0, 1.0, 2.0], [3, 1, 2]])
def test_class_names_do_not_matter(iris, labels):
    X, y = iris
    options = dict(n_estimators=5, random_state=0)
    expected = WaveletForestClassifier(**options).fit(X, y)
    labels = np.array(labels)
    model = WaveletForestClassifier(**options).fit(X, labels[y])
    if labels[0] < labels[1]:
        assert model.n_terms_ == expected.n_terms_
    assert_array_equal(model.classes_, np.unique(labels))
    # Where two classes are equally near, the order of their names decides.
    assert np.mean(model.predict(X) == labels[expected.predict(X)]) > 0.98


def test_order_scale_and_repetition_of_rows_do_not_matter(numbers):
    """Whole weights are repeated rows, zeros among them."""
    X, y = numbers

    def fitted(X, y, weights=None):
        return WaveletForestRegressor(5, random_state=0).fit(X, y, sample_weight=weights)

    expected = fitted(X, y)
    rows = np.random.RandomState(0).permutation(len(y))
    assert_allclose(fitted(X[rows], y[rows]).predict(X), expected.predict(X), **CLOSE)
    scaled = fitted(1024 * X, y)
    assert_allclose(scaled.predict(1024 * X), expected.predict(X), **CLOSE)
    weights = np.random.RandomState(0).randint(0, 3, size=len(y))
    rows = np.repeat(np.arange(len(y)), weights)
    weighted, repeated = fitted(X, y, weights), fitted(X[rows], y[rows])
    assert weighted.n_terms_ == repeated.n_terms_
    assert_allclose(weighted.predict(X), repeated.predict(X), **CLOSE)
    assert weighted.oob_score_ == pytest.approx(repeated.oob_score_)


def test_sparse_samples_and_missing_values():
    X, y = (data[:400] for data in load_digits(return_X_y=True))
    expected = WaveletForestClassifier(5, random_state=0).fit(X, y)
    from_sparse = WaveletForestClassifier(5, random_state=0).fit(sparse.csr_matrix(X), y)
    assert_array_equal(from_sparse.predict(sparse.csc_matrix(X)), expected.predict(X))
    holes = X.copy()
    holes[np.random.RandomState(0).uniform(size=X.shape) < 0.1] = np.nan
    model = WaveletForestClassifier(5, random_state=0).fit(holes, y)
    assert model.score(holes, y) > 0.9


def test_several_outputs_and_columns():
    X, y = make_friedman1(200, random_state=0)
    both = WaveletForestRegressor(5, random_state=0).fit(X, np.column_stack([y, -y]))
    alone = WaveletForestRegressor(5, random_state=0).fit(X, y)
    column = WaveletForestRegressor(5, random_state=0).fit(X, y[:, None])
    assert both.predict(X).shape == (200, 2)
    assert_allclose(both.predict(X)[:, 0], alone.predict(X), **CLOSE)
    assert_allclose(both.predict(X)[:, 1], -alone.predict(X), **CLOSE)
    assert_array_equal(column.predict(X), alone.predict(X)[:, None])


def test_constant_numbers_and_integers():
    X, y = make_friedman1(50, random_state=0)
    constant = WaveletForestRegressor(3).fit(X, np.full(50, 3))
    assert_array_equal(constant.predict(X), 3.0)
    assert constant.n_terms_ == 0
    whole = WaveletForestRegressor(3, random_state=0).fit(X, y.astype(int))
    assert whole.predict(X).dtype == np.float64
    assert whole.score(X, y) > 0.5


def test_search_pipeline_clone_and_pickle(iris):
    X, y = iris
    pipeline = make_pipeline(MinMaxScaler(), WaveletForestClassifier(5, random_state=0))
    search = GridSearchCV(
        pipeline, {"waveletforestclassifier__n_terms": [0, 50, "oob"]}, cv=3
    )
    search.fit(X, y)
    assert search.best_params_["waveletforestclassifier__n_terms"] != 0
    best = search.best_estimator_
    again = pickle.loads(pickle.dumps(best))
    assert_array_equal(again.predict_proba(X), best.predict_proba(X))
    assert_array_equal(clone(best).fit(X, y).predict_proba(X), best.predict_proba(X))
    scores = cross_val_score(
        WaveletForestRegressor(10, random_state=0), *load_diabetes(return_X_y=True)
    )
    assert scores.mean() > 0.35  # a random forest has 0.42


def test_refit_forgets_what_does_not_hold_any_more(iris):
    X, y = iris
    model = WaveletForestClassifier(5, random_state=0).fit(X, y)
    model.set_params(n_terms=3).fit(X, y)
    assert not hasattr(model, "validation_errors_")
    assert not hasattr(model, "oob_score_")
    assert model.n_terms_ == 3


@pytest.mark.parametrize("estimator", [WaveletForestClassifier, BesovSmoothnessEstimator])
def test_progress_bar_goes_to_standard_error(iris, capsys, estimator):
    estimator(3, verbose=1, random_state=0).fit(*iris)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "3/3" in printed.err


# ------------------------------------------------------------------------------- bad input


def test_not_fitted():
    for method in ("predict", "predict_proba", "apply", "staged_predict"):
        with pytest.raises(NotFittedError):
            getattr(WaveletForestClassifier(), method)([[0.0]])
    with pytest.raises(NotFittedError):
        WaveletForestRegressor().compress()


def test_out_of_bag_errors_need_rows_out_of_the_bag(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r'max_samples be less than 1.*n_terms="cv"'):
        WaveletForestClassifier(5, max_samples=1.0).fit(X, y)
    boosting = GradientBoostingClassifier(n_estimators=2)
    with pytest.raises(ValueError, match='use n_terms="cv"'):
        WaveletForestClassifier(forest=boosting).fit(X, y)


def test_folds_that_are_listed(numbers):
    X, y = numbers
    folds = list(KFold(3).split(X))
    weights = np.ones(len(y))
    weights[::4] = 0
    kept = np.flatnonzero(weights)
    number = np.cumsum(weights > 0) - 1
    kept_folds = [[number[np.intersect1d(rows, kept)] for rows in fold] for fold in folds]
    options = dict(n_estimators=3, n_terms="cv", random_state=0)
    weighted = WaveletForestRegressor(cv=folds, **options).fit(X, y, weights)
    dropped = WaveletForestRegressor(cv=kept_folds, **options).fit(X[kept], y[kept])
    assert_array_equal(weighted.validation_errors_, dropped.validation_errors_)


def test_classes_that_a_fold_lacks(iris):
    """Theirs are errors that no wavelet of the fold takes away; they count all the same."""
    X, y = iris
    model = WaveletForestClassifier(3, n_terms="cv", cv=KFold(3), random_state=0)
    model.fit(X, y)  # rows are sorted by class, so each fold holds out one of the three
    assert_array_equal(model.classes_, [0, 1, 2])
    # The squared error of the means of two classes on the third is 1 + 1/2, and a little
    # more where a bag has not the same number of both.
    assert model.validation_errors_[0] == pytest.approx(np.sqrt(1.5), rel=1e-3)


def test_folds_weigh_their_samples(numbers):
    X, y = numbers
    weights = np.random.RandomState(0).uniform(0.1, 3.0, size=len(y))
    folds = list(KFold(3).split(X))
    model = WaveletForestRegressor(3, n_terms="cv", cv=folds, random_state=0)
    model.fit(X, y, sample_weight=weights)
    squares = [
        np.sum(weights[out] * (y[out] - np.average(y[fit], weights=weights[fit])) ** 2)
        for fit, out in folds
    ]
    # Each tree has the mean of its own bag, so this is near.
    expected = np.sqrt(np.sum(squares) / weights.sum())
    assert model.validation_errors_[0] == pytest.approx(expected, rel=0.02)


def test_folds_that_are_used_up(numbers):
    X, y = numbers
    folds = iter(list(KFold(3).split(X)))
    model = WaveletForestRegressor(3, n_terms="cv", cv=folds).fit(X, y)
    with pytest.raises(ValueError, match="cv gives no folds"):
        model.fit(X, y)


@pytest.mark.parametrize("n_terms", [-1, 0.5, "best"])
def test_bad_numbers_of_terms(iris, n_terms):
    with pytest.raises(ValueError, match="The 'n_terms' parameter"):
        WaveletForestClassifier(n_terms=n_terms).fit(*iris)


@pytest.mark.parametrize("stages", [[2, 1], [-1], [10**6], [0.5], 3.0, [[1]]])
def test_bad_stages(iris, stages):
    X, y = iris
    model = WaveletForestClassifier(3, random_state=0).fit(X, y)
    with pytest.raises((ValueError, TypeError), match=r"increasing whole numbers|iterable"):
        model.staged_predict(X, stages)


def test_labels_that_are_measurements(iris):
    X, _ = iris
    with pytest.raises(ValueError, match="Unknown label type"):
        WaveletForestClassifier().fit(X, X[:, 0])
