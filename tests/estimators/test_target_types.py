"""Targets of any type at the public entries: what is a category is a class everywhere."""

import enum
from operator import eq

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

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
    wavelet_decomposition,
)
from sksmooth.estimators.probes import chosen_probes, measure_probes, probe_rows
from sksmooth.exceptions import TargetTypeWarning

pytestmark = [
    pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning"),
]

N = 120
X = np.random.RandomState(0).uniform(size=(N, 3))
CODES = np.digitize(X[:, 0], [1 / 3, 2 / 3])


class Colour(enum.Enum):
    RED, BLUE, GREEN = range(3)


def named(names):
    y = np.empty(N, dtype=object)
    y[:] = [names[code] for code in CODES]
    return y


TEXT = named("abc")
TARGETS = {
    "category of floats": pd.Series(CODES + 0.5).astype("category"),
    "column of a category": pd.DataFrame({"y": CODES * 1.0}).astype("category"),
    "category of integers": pd.Series(CODES, index=np.arange(N)[::-1]).astype("category"),
    "intervals": pd.cut(X[:, 0], [-1, 1 / 3, 2 / 3, 2]),
    "enum": named([Colour.BLUE, Colour.GREEN, Colour.RED]),
    "tuples": named([("a", 1), ("a", 2), ("b", 1)]).tolist(),
    "mixed": named([2.5, 1, "a"]),
}


def small(**options):
    return BesovSmoothnessEstimator(3, random_state=0, **options)


def forest(y):
    model = WaveletForestClassifier(5, random_state=0).fit(X, y)
    folds = StratifiedKFold(3).split(X, CODES)
    scores = cross_val_score(model, X, y, cv=list(folds))
    return [model.score(X, y), *model.validation_errors_, *scores]


def probes(y):
    names = ["knn", "linear", "forest", "logme", "h_score", "davies_bouldin", "cdnv"]
    rows = probe_rows(y, random_state=0)
    chosen = chosen_probes(names, "classes")
    return list(measure_probes(chosen, X, y, rows, test=(X, y)).values())


ENTRIES = {
    "fit": lambda y: small().fit(X, y).alpha_,
    "fit of rows drawn": lambda y: small(max_samples=30).fit(X, y).alpha_,
    "score": lambda y: small().fit(X, y).score(X, y),
    "folds": lambda y: cross_val_score(
        small(), X, y, cv=list(StratifiedKFold(3).split(X, CODES))
    ),
    "forest of a library": lambda y: (
        small(forest=RandomForestClassifier(5, random_state=0)).fit(X, y).alpha_
    ),
    "classifier": forest,
    "wavelets": lambda y: (
        wavelet_decomposition(
            RandomForestClassifier(3, random_state=0).fit(X, TEXT), X, y
        ).norm
    ),
    "difference": lambda y: (
        smoothness_difference(X, X[:, 1:], y, estimator=small()).difference
    ),
    "difference of learned": lambda y: (
        smoothness_difference(
            X,
            X,
            y,
            transformers=[PCA(2), LinearDiscriminantAnalysis()],
            estimator=small(),
        ).difference
    ),
    "permutations": lambda y: (
        permutation_baseline(small(), X, y, n_permutations=2, random_state=0).alphas
    ),
    "search": lambda y: (
        SmoothnessSearch(
            LinearDiscriminantAnalysis(),
            {"n_components": [1, 2]},
            smoothness=small(),
            random_state=0,
        )
        .fit(X, y)
        .cv_results_["score"]
    ),
    "classes": lambda y: class_smoothness(X, y, estimator=small())["alpha"].to_numpy(),
    "roughness": lambda y: sample_roughness(X, y, random_state=0)["excess"].to_numpy(),
    "probes": probes,
}


@pytest.mark.parametrize(
    "kind", ["category of floats", "column of a category", "intervals", "mixed"]
)
@pytest.mark.parametrize("entry", ENTRIES)
def test_targets_of_any_type_are_measured_as_text_is(entry, kind):
    assert_array_equal(ENTRIES[entry](TARGETS[kind]), ENTRIES[entry](TEXT))


@pytest.mark.parametrize("kind", TARGETS)
def test_names_of_classes_are_the_objects_that_were_given(kind):
    y = TARGETS[kind]
    classes = small().fit(X, y).classes_.tolist()
    labels = list(np.asarray(y).ravel()) if not isinstance(y, list) else y
    assert classes == sorted(set(labels), key=lambda label: CODES[labels.index(label)])
    predicted = WaveletForestClassifier(5, n_terms=None).fit(X, y).predict(X).tolist()
    assert set(predicted) == set(classes)
    assert sum(map(eq, predicted, labels)) > 0.9 * N
    assert list(class_smoothness(X, y, estimator=small())["class"]) == classes
    one = class_smoothness(X, y, estimator=small(), classes=[classes[1]])
    assert list(one["class"]) == classes[1:2]
    assert set(sample_roughness(X, y, random_state=0)["suggested"]) <= set(classes)


@pytest.mark.parametrize("kind", TARGETS)
def test_reports_name_such_classes(kind):
    y = TARGETS[kind]
    page = report(small().fit(X, y), X=X, y=y, X_test=X, y_test=y)
    assert "Classes" in page
    assert page.count("<h2") == report(small().fit(X, TEXT), X=X, y=TEXT).count("<h2")


def test_regressors_take_categories_that_are_numbers_as_numbers():
    y = TARGETS["category of floats"]
    predicted = WaveletForestRegressor(5, random_state=0).fit(X, y).predict(X)
    expected = WaveletForestRegressor(5, random_state=0).fit(X, CODES + 0.5).predict(X)
    assert_array_equal(predicted, expected)
    with pytest.raises(ValueError, match="could not convert string to float"):
        WaveletForestRegressor(5).fit(X, pd.Series(TEXT, dtype="category"))


# ---------------------------------------------------------------- whole numbers

PRICES = np.rint(np.exp(7 + X[:, 0] + 0.1 * X[:, 1])).astype(int)
ONCE = {
    name: ENTRIES[name]
    for name in ("fit", "fit of rows drawn", "score", "difference", "permutations")
} | {
    "search": lambda y: (
        SmoothnessSearch(
            PCA(), {"n_components": [1, 2]}, smoothness=small(), random_state=0
        )
        .fit(X, y)
        .cv_results_["score"]
    ),
    "roughness": lambda y: sample_roughness(X, y, random_state=0)["roughness"].to_numpy(),
}


@pytest.mark.parametrize("entry", ONCE)
def test_prices_are_numbers_and_that_is_said_once(entry):
    with pytest.warns(TargetTypeWarning, match="taken as regression targets") as caught:
        given = ONCE[entry](PRICES)
    assert [w.category for w in caught].count(TargetTypeWarning) == 1
    assert_array_equal(given, ONCE[entry](PRICES.astype(float)))


def test_folds_of_prices_are_numbers_as_the_whole_is():
    given = cross_val_score(small(), X, PRICES)
    assert_array_equal(given, cross_val_score(small(), X, PRICES.astype(float)))


def test_a_report_takes_whole_numbers_as_the_estimator_has():
    y = PRICES.copy()
    y[::2] = 2000  # of which few are left
    estimator = small().fit(X, PRICES)
    page = report(estimator, X=X[:40], y=y[:40], X_test=X, y_test=y)
    assert "2000" in page


# ---------------------------------------------------------------- dates in X

DAYS = pd.to_datetime("2020-01-01") + pd.to_timedelta(np.arange(N), "D")
COLUMNS = {
    "datetime64": DAYS,
    "with gaps": pd.Series(DAYS).where(CODES > 0),
    "time zone": DAYS.tz_localize("UTC"),
    "period": DAYS.to_period("M"),
    "timedelta": DAYS - DAYS[0],
    "objects": pd.Series(DAYS.date, dtype=object),
    "objects with gaps": pd.Series(DAYS.date, dtype=object).where(CODES > 0),
}
MEASURES = {
    "fit": lambda given: small().fit(given, CODES),
    "fit of rows drawn": lambda given: small(max_samples=10).fit(given, CODES),
    "classifier": lambda given: WaveletForestClassifier(3).fit(given, CODES),
    "regressor": lambda given: WaveletForestRegressor(3).fit(given, CODES),
    "difference": lambda given: smoothness_difference(X, given, CODES, estimator=small()),
}


@pytest.mark.parametrize("entry", MEASURES)
@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("gap", [False, True])
def test_columns_of_dates_are_named_whatever_stands_beside_them(kind, entry, gap):
    frame = pd.DataFrame({"size": X[:, 0], "day": COLUMNS[kind], "place": X[:, 1]})
    if gap:
        frame.loc[3, "size"] = np.nan
    with pytest.raises(ValueError, match=r"X holds .*dates .*columns \['day'\].* days"):
        MEASURES[entry](frame)
    with pytest.raises(ValueError, match=r"X holds .*dates .*columns \['day'\]"):
        MEASURES[entry](frame[["day"]])


@pytest.mark.parametrize("kind", ["datetime64", "with gaps", "time zone", "timedelta"])
def test_dates_encoded_as_the_error_says_are_features(kind):
    dates = pd.Series(COLUMNS[kind])
    days = (dates - dates.min()) / np.timedelta64(1, "D")
    fitted = small().fit(pd.DataFrame({"day": days, "size": X[:, 0]}), CODES)
    as_numbers = np.where(dates.isna(), np.nan, np.arange(N) - (dates.argmin()))
    assert fitted.alpha_ == small().fit(np.c_[as_numbers, X[:, 0]], CODES).alpha_


def test_dates_of_other_libraries_are_named_too():
    days = np.array(DAYS, dtype="datetime64[ms]")
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    for table in (
        polars.DataFrame({"size": X[:, 0], "day": days}),
        pyarrow.table({"size": X[:, 0], "day": days}),
        pyarrow.table({"size": X[:, 0], "day": pyarrow.array(DAYS.date)}),
    ):
        with pytest.raises(ValueError, match=r"X holds dates .*columns \['day'\]"):
            small().fit(table, CODES)


def test_dates_among_objects_are_found_by_their_place():
    rows = [[size, day] for size, day in zip(X[:, 0], DAYS.date, strict=True)]
    for given in (rows, np.array(rows, dtype=object)):
        with pytest.raises(ValueError, match=r"X holds dates .*columns \[1\]"):
            small().fit(given, CODES)
