"""forecast_error: what error an estimator would have with more samples."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import ErrorForecast, forecast_error
from sksmooth.exceptions import LearningCurveWarning


class KnownCurve(ClassifierMixin, BaseEstimator):
    """Wrong about a share of the samples that is a power law over a floor.

    The first feature is uniform, and the sample is wrong where it is below the error; with
    ``is_sure`` the others are predicted with certainty.
    """

    def __init__(self, exponent=0.5, floor=0.0, level=0.3, rises=False):
        self.exponent = exponent
        self.floor = floor
        self.level = level
        self.rises = rises

    def error(self, n):
        sign = 1 if self.rises else -1
        return self.level * (
            self.floor + (1 - self.floor) * (n / 100) ** (sign * self.exponent)
        )

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_ = len(y)
        return self

    def predict(self, X):
        return np.where(X[:, 0] < self.error(self.n_), 1 - X[:, 1], X[:, 1]).astype(int)


def samples_of_known_curve(n, seed=0):
    rng = np.random.RandomState(seed)
    y = rng.randint(2, size=n)
    return np.column_stack([rng.permutation(n) / n, y]), y


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def forecast(digits):
    X, y = digits
    return forecast_error(X[:600], y[:600], estimator=GaussianNB(), random_state=0)


# ------------------------------------------------------------------ the forecast is right


@pytest.mark.parametrize(("exponent", "floor"), [(0.5, 0.0), (0.7, 0.3), (0.3, 0.0)])
def test_a_known_curve_is_continued(exponent, floor):
    model = KnownCurve(exponent, floor)
    found = forecast_error(*samples_of_known_curve(2000), estimator=model, random_state=0)
    for times in (1, 4, 16):
        n = times * 2000
        low, high = found.interval(n)
        assert low <= model.error(n) <= high
    # Nine in ten curves of the prior have a floor, so one without it is forecast too high.
    assert_allclose(found.predict(8000), model.error(8000), rtol=0.3)
    assert found.floor_interval[0] <= 0.3 * floor <= found.floor_interval[1]
    assert found.caution == ""


def test_a_forest_on_digits_does_as_forecast(digits):
    X, y = digits
    order = np.random.RandomState(0).permutation(len(y))
    few, more, test = order[:300], order[:1200], order[1200:]
    model = RandomForestClassifier(random_state=0)
    found = forecast_error(X[few], y[few], estimator=model, random_state=0)
    error = np.mean(clone(model).fit(X[more], y[more]).predict(X[test]) != y[test])
    low, high = found.interval(1200)
    # 600 test samples: the measured error has a standard deviation of 0.007.
    assert low - 0.014 <= error <= high + 0.014
    assert found.predict(1200) < found.error


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4])
def test_wrong_labels_are_the_floor(share):
    X, y = make_blobs(1500, centers=4, cluster_std=0.5, random_state=2)
    rng = np.random.RandomState(0)
    is_wrong = rng.uniform(size=len(y)) < share
    y = np.where(is_wrong, (y + rng.randint(1, 4, len(y))) % 4, y)
    # Trees that are grown until each leaf is pure would memorise wrong labels.
    model = RandomForestClassifier(min_samples_leaf=10, random_state=0)
    found = forecast_error(X, y, estimator=model, random_state=0)
    # The share of errors among 750 sure predictions has a deviation of up to 0.018.
    assert found.floor == pytest.approx(is_wrong.mean(), abs=0.02)
    low, high = found.floor_interval
    assert low - 0.001 <= is_wrong.mean() <= high
    assert found.wrong_labels == pytest.approx(is_wrong.mean(), abs=0.02)
    low, high = found.wrong_labels_interval
    assert low <= found.wrong_labels <= high


def test_noise_is_not_learned():
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(400, 3)), rng.randint(2, size=400)
    found = forecast_error(X, y, random_state=0)
    assert found.predict(25_600) > 0.3


def test_errors_of_regression_are_shares_of_the_variance():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((900, 4))
    noise = rng.standard_normal(900)
    y = 3 * (X @ [1.0, 1.0, 1.0, 1.0] / 2) + noise
    found = forecast_error(X, y, estimator=Ridge(1e-6), random_state=0)
    # A linear model in four features reaches the noise, 1 of 10, with few samples.
    assert found.unit == "unexplained variance"
    assert found.predict(9000) == pytest.approx(0.1, abs=0.02)
    assert found.floor_interval[0] <= 0.1 <= found.floor_interval[1]
    assert np.isnan([found.wrong_labels, *found.wrong_labels_interval]).all()
    scaled = forecast_error(X, 100 * y, estimator=Ridge(1e-6), random_state=0)
    assert_allclose(scaled.predict(9000), found.predict(9000), rtol=1e-6)


# ---------------------------------------------------------------------- how it is measured


class Memory(ClassifierMixin, BaseEstimator):
    """Knows the rows that it has seen, by their number in the first column."""

    fits = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = np.asarray(X)[:, 0]
        return self

    def predict(self, X):
        type(self).fits.append((self.seen_, np.asarray(X)[:, 0]))
        return np.zeros(len(X), dtype=int)


@pytest.fixture
def fits():
    Memory.fits = []
    yield Memory.fits
    Memory.fits = []


def test_no_sample_is_predicted_by_a_fit_that_saw_it_and_three_fits_are_enough(fits):
    n = 1200
    X, y = np.arange(n, dtype=float)[:, None], np.arange(n) % 3
    found = forecast_error(X, y, estimator=Memory(), random_state=0)
    assert all(len(np.intersect1d(seen, tested)) == 0 for seen, tested in fits)
    assert sum(len(seen) for seen, _ in fits) <= 3 * n
    assert_array_equal(found.measured.sizes, [100, 200, 400, 800])
    largest = [tested for seen, tested in fits if len(seen) == 800]
    assert_array_equal(np.sort(np.concatenate(largest)), np.arange(n))


def test_smaller_parts_hold_all_classes_in_their_shares(fits):
    y = np.repeat([0, 1, 2], [600, 300, 100])
    X = np.arange(1000, dtype=float)[:, None]
    forecast_error(X, y, estimator=Memory(), random_state=0)
    for seen, _ in fits:
        counts = np.bincount(y[seen.astype(int)], minlength=3)
        assert_allclose(counts, len(seen) * np.array([0.6, 0.3, 0.1]), atol=2)


def test_groups_are_trained_on_or_held_out_whole(fits):
    n = 600
    groups = np.arange(n) // 6
    X, y = np.arange(n, dtype=float)[:, None], np.arange(n) % 2
    forecast_error(X, y, estimator=Memory(), groups=groups, random_state=0)
    for seen, tested in fits:
        seen, tested = groups[seen.astype(int)], groups[tested.astype(int)]
        assert len(np.intersect1d(seen, tested)) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecast_error(
            X, y, estimator=Memory(), groups=groups, cv=GroupKFold(4), random_state=0
        )


def test_results_repeat_and_do_not_depend_on_the_number_of_workers(digits):
    X, y = digits
    one, other = (
        forecast_error(X[:300], y[:300], n_jobs=n_jobs, random_state=3) for n_jobs in (1, 2)
    )
    assert_frame_equal(one.to_frame(), other.to_frame())
    different = forecast_error(X[:300], y[:300], random_state=4)
    assert different.error != one.error


def test_the_estimator_stays_as_it_is(digits):
    X, y = digits
    model = RandomForestClassifier(10)
    forecast_error(X[:300], y[:300], estimator=model, random_state=0)
    assert not hasattr(model, "classes_")
    assert model.random_state is None


# ------------------------------------------------------------------------- what is taken


def test_tables_names_texts_and_sparse_features_are_taken(digits):
    X, y = digits
    X, y = X[:400], y[:400]
    plain = forecast_error(X, y, estimator=GaussianNB(), random_state=0)
    names = np.array([f"digit {label}" for label in y], dtype=object)
    named = forecast_error(
        pd.DataFrame(X).add_prefix("pixel "),
        pd.Series(names, index=range(5, 405)),
        estimator=GaussianNB(),
        random_state=0,
    )
    assert named.error == plain.error
    assert sorted(named.per_class["class"]) == sorted(set(names))
    linear = LogisticRegression(max_iter=50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dense, thin = (
            forecast_error(data, y, estimator=linear, random_state=0)
            for data in (X, sparse.csr_matrix(X))
        )
    assert_allclose(thin.error, dense.error, rtol=0.1)
    texts = [f"{'good' if label % 2 else 'bad'} {label}" for label in y]
    model = make_pipeline(CountVectorizer(), LogisticRegression())
    assert forecast_error(texts, y % 2, estimator=model, random_state=0).error < 0.05
    assert forecast_error(texts, y % 2, estimator=model).estimator == "LogisticRegression"


def test_a_regressor_reads_whole_numbers_as_numbers():
    X, y = load_diabetes(return_X_y=True)
    found = forecast_error(
        X, y.astype(int), estimator=make_pipeline(StandardScaler(), Ridge()), random_state=0
    )
    assert found.classes is None
    assert 0.4 < found.error < 0.6


def test_several_outputs_are_taken():
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(300, 2))
    found = forecast_error(X, np.column_stack([X[:, 0], X.sum(axis=1)]), random_state=0)
    assert found.predict(3000) < found.error < 0.2


def test_constant_predictions_have_an_error_of_one():
    class Mean(RegressorMixin, BaseEstimator):
        def fit(self, X, y):
            self.mean_ = np.mean(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.mean_)

    rng = np.random.RandomState(0)
    found = forecast_error(
        rng.uniform(size=(500, 1)), rng.uniform(size=500), estimator=Mean(), random_state=0
    )
    assert found.error == pytest.approx(1, abs=0.05)
    assert found.predict(5000) > 0.85
    assert found.interval(5000)[1] > 1


# --------------------------------------------------------------------- what it gives back


def test_numbers_and_arrays_are_forecast_alike(forecast):
    n = np.array([[600, 1200], [2400, 38_400]])
    errors, (low, high) = forecast.predict(n), forecast.interval(n)
    assert errors.shape == low.shape == high.shape == (2, 2)
    assert errors[0, 1] == forecast.predict(1200)
    assert (low[1, 1], high[1, 1]) == forecast.interval(38_400)
    assert isinstance(forecast.predict(1200), float)
    assert forecast.interval(1200, 0.5)[0] > forecast.interval(1200, 0.99)[0]


def test_the_samples_for_an_error_are_those_where_it_is_forecast(forecast):
    error = forecast.predict(3000)
    n = forecast.samples_for(error)
    assert n <= 3000
    assert forecast.predict(n) <= error < forecast.predict(n - 1)
    low, high = forecast.samples_interval(error)
    assert low <= n <= high
    assert forecast.samples_for(0.0) == np.inf
    assert forecast.samples_for(1.0) == forecast.measured.sizes[0]
    halved = forecast.floor + (forecast.error - forecast.floor) / 2
    assert forecast.samples_to_halve == forecast.samples_for(halved)


def test_the_table_holds_what_was_measured_and_what_is_forecast(forecast):
    table = forecast.to_frame()
    assert list(table) == ["n_samples", "is_forecast", "error", "low", "high"]
    assert_array_equal(table["n_samples"][:4], forecast.measured.sizes)
    assert_array_equal(table["n_samples"][4:], 600 * 2 ** np.arange(7))
    assert_array_equal(table["is_forecast"], [False] * 4 + [True] * 7)
    assert (table["low"] <= table["error"]).all()
    assert (table["error"] <= table["high"]).all()


def test_classes_that_are_learned_gain_more_than_those_that_are_noise():
    rng = np.random.RandomState(0)
    n = 1200
    region = rng.randint(2, size=n)
    X = np.column_stack([region, rng.uniform(size=(n, 4))])
    signal = (X[:, 1] + X[:, 2] + X[:, 3] > 1.5).astype(int)
    y = np.where(region == 1, signal, rng.randint(2, size=n))
    found = forecast_error(X, y, random_state=0)
    table = found.by(np.where(region == 1, "learnable", "noise"))
    assert list(table["group"]) == ["learnable", "noise"]
    assert table["n_samples"].sum() == n
    assert table["forecast"][1] > 0.35
    assert table["forecast"][0] < 0.15
    assert table["gain"][0] > table["gain"][1]
    assert list(found.by(region, n=2400)["forecast"]) != list(table["forecast"])


def test_classes_are_forecast_one_by_one(forecast):
    table = forecast.per_class
    columns = ["class", "n_samples", "error", "forecast", "low", "high", "gain"]
    assert list(table) == columns
    assert len(table) == 10
    assert table["n_samples"].sum() == 600
    # The classes together make the whole error, up to how each curve bends.
    mean = np.average(table["error"], weights=table["n_samples"])
    assert mean == pytest.approx(forecast.error, rel=0.2)
    assert table["gain"].is_monotonic_decreasing


def test_it_says_in_words_what_more_samples_bring(forecast):
    text = repr(forecast)
    assert text.startswith("With 600 samples the error rate of GaussianNB is ")
    assert "with 6,000, " in text
    assert "With 600 samples" in forecast._repr_html_()


def test_it_comes_back_from_a_pickle(forecast):
    copy = pickle.loads(pickle.dumps(forecast))
    assert isinstance(copy, ErrorForecast)
    assert_frame_equal(copy.to_frame(), forecast.to_frame())


# ----------------------------------------------------------------- cautions and refusals


def test_few_samples_are_cautioned_against():
    X, y = load_iris(return_X_y=True)
    with pytest.warns(LearningCurveWarning, match="100 samples are few"):
        found = forecast_error(X[:100], y[:100], random_state=0)
    assert "100 samples are few" in repr(found)


def test_errors_that_rise_are_cautioned_against():
    model = KnownCurve(0.4, level=0.1, rises=True)
    with pytest.warns(LearningCurveWarning, match="do not fall"):
        forecast_error(*samples_of_known_curve(2000), estimator=model, random_state=0)


@pytest.mark.parametrize("n", [1, 600 * 64 + 1, -5, np.nan, "many", [600, 10**6]])
def test_nothing_is_promised_far_away(forecast, n):
    with pytest.raises(ValueError, match="64 times the available samples"):
        forecast.predict(n)
    with pytest.raises(ValueError, match="64 times the available samples"):
        forecast.interval(n)


@pytest.mark.parametrize("error", [-0.1, np.nan, "low", None])
def test_an_error_must_be_one(forecast, error):
    with pytest.raises(ValueError, match="error must be a number"):
        forecast.samples_for(error)


def test_groups_must_be_those_of_the_rows(forecast):
    with pytest.raises(ValueError, match="one group for each row"):
        forecast.by(np.zeros(5))


def test_regression_has_no_classes():
    X, y = load_diabetes(return_X_y=True)
    found = forecast_error(X, y, estimator=Ridge(), random_state=0)
    with pytest.raises(AttributeError, match=r"by\(groups\)"):
        _ = found.per_class


def test_bad_input_is_named(digits):
    X, y = digits
    with pytest.raises(ValueError, match="X has 10 rows, but y has 20"):
        forecast_error(X[:10], y[:20])
    with pytest.raises(ValueError, match="12 samples are too few"):
        forecast_error(X[:12], np.arange(12) % 2)
    with pytest.raises(ValueError, match="All classes have fewer than 3 samples"):
        forecast_error(X[:20], y[:20])
    with pytest.raises(ValueError, match=r"too few .* with 30 classes"):
        forecast_error(X[:60], (np.arange(60) % 30).astype(str), cv=2)
    with pytest.raises(TypeError, match="a classifier or a regressor"):
        forecast_error(X, y, estimator=KMeans(10))
    with pytest.raises(ValueError, match="'estimator' parameter"):
        forecast_error(X, y, estimator=StandardScaler())
    with pytest.raises(ValueError, match="'confidence_level' parameter"):
        forecast_error(X, y, confidence_level=1.5)
