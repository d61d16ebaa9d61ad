"""The promises of the package, one a test, each tried on many arguments.

Whatever the arguments are, a public entry gives a finished and sound result, or raises a
ValueError or TypeError that says what is wrong; it changes no argument, and warns by named
classes, once. Equal numbers give equal bits, in whatever form they come and whoever does
the work.

The default run tries some hundred cases. The long run tries more than ten thousand, prints
how many of each, and ends with an error if they were fewer::

    SKSMOOTH_FUZZ=long python -m pytest tests/test_promises.py --hypothesis-seed=0

That the results on Dask and Ray are those of threads is tried in test_scale_out.py; that
trees are those of a plain reference, and the same for sparse and dense samples, for any
monotone transform of a column and for repeated rows, in test_grow.py; interrupted fits,
damaged files and memory in test_faults.py.
"""

import contextlib
import functools
import io
import os
import pickle
import subprocess
import sys
import warnings
from collections import Counter
from functools import singledispatch

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import ensemble, tree
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import DataConversionWarning
from strategies import (
    ANYTHING,
    FORMS,
    ODD_VALUES,
    SPARSE_FORMS,
    hostile_samples,
    hostile_targets,
    hostile_weights,
    read_only,
    targets_of,
    whole_numbers,
)

from sksmooth import (
    BesovSmoothnessEstimator,
    ErrorForecast,
    PermutationBaseline,
    SimplexEncoder,
    SmoothnessDifference,
    WaveletDecomposition,
    WaveletForestClassifier,
    WaveletForestRegressor,
    class_smoothness,
    forecast_error,
    permutation_baseline,
    sample_roughness,
    smoothness_difference,
    wavelet_decomposition,
)
from sksmooth.datasets import corrupt_labels, make_known_smoothness
from sksmooth.exceptions import SmoothnessWarning
from sksmooth.images import image_wavelets

IS_LONG = os.environ.get("SKSMOOTH_FUZZ") == "long"
TRIED = Counter()

INDICES = ["mterm", "weak-lp", "elisha-dekel", "sparsity-probe"]
SKLEARN_FORESTS = [
    tree.DecisionTreeClassifier(random_state=0),
    tree.ExtraTreeRegressor(random_state=0),
    ensemble.RandomForestClassifier(2, class_weight="balanced", random_state=0),
    ensemble.ExtraTreesRegressor(2, random_state=0),
    ensemble.BaggingRegressor(n_estimators=2, random_state=0),
    ensemble.AdaBoostRegressor(n_estimators=2, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=2, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=1),
]


def promise(share=1, **arguments):
    """Try a test on drawn arguments: 15 times its share of them, or 320 times."""

    def decorate(test):
        @settings(max_examples=share * (320 if IS_LONG else 15), derandomize=not IS_LONG)
        @given(**arguments)
        @functools.wraps(test)
        def tried(**case):
            TRIED[test.__name__] += 1
            test(**case)

        return tried

    return decorate


# ----------------------------------------------------------------------- what is promised


class Refusal(str):
    """The message of an error that refuses some arguments."""


@contextlib.contextmanager
def only_named_warnings():
    """Warnings are of named classes, for readers, and none is given again and again."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        # Of classes as many as samples, scikit-learn warns without a name.
        is_of_classes = "number of unique classes" in str(warning.message)
        is_named = issubclass(warning.category, SmoothnessWarning | DataConversionWarning)
        # Old matplotlib calls what pyparsing has renamed.
        is_of_matplotlib = (
            "matplotlib" in warning.filename or "pyparsing" in warning.filename
        )
        # Python 3.12 warns of every fork of a process with threads, which the caller chose.
        is_of_fork = "use of fork()" in str(warning.message)
        allowed = (is_named, is_of_classes, is_of_matplotlib, is_of_fork)
        assert any(allowed), str(warning)
    given_times = Counter(
        (each.category, str(each.message))
        for each in caught
        if issubclass(each.category, SmoothnessWarning | DataConversionWarning)
    )
    assert max(given_times.values(), default=0) <= 3, given_times


def outcome(function, *arguments, **options):
    """A result, or the refusal of the arguments."""
    with only_named_warnings():
        try:
            return function(*arguments, **options)
        except (ValueError, TypeError) as error:
            assert len(str(error)) > 9  # noqa: PT017
            return Refusal(error)


def written(data):
    """All that could be changed in an argument."""
    if sparse.issparse(data):
        parts = [part for part in vars(data).values() if isinstance(part, np.ndarray)]
        return [written(part) for part in (*parts, data.toarray())]
    return repr(np.asarray(data, dtype=object).tolist())


@contextlib.contextmanager
def unchanged(*arguments):
    before = [written(data) for data in arguments]
    yield
    assert [written(data) for data in arguments] == before


def enlarged(X, y, w):
    """So many equal rows and columns that the large nodes are split by histograms."""
    n_rows, n_columns = X.shape if getattr(X, "ndim", 0) == 2 else (0, 0)
    if min(n_rows, n_columns) == 0 or n_rows != len(y):
        return X, y, w
    rows, columns = (np.arange(most) % n for most, n in ((520, n_rows), (1100, n_columns)))
    if isinstance(w, np.ndarray) and len(w) == n_rows:
        w = w[rows]
    y = y.iloc[rows] if isinstance(y, pd.Series) else y[rows]
    return X[rows][:, columns], y, w


def small(**options):
    return BesovSmoothnessEstimator(2, random_state=0).set_params(**options)


def _fit(estimator):
    return lambda X, y, w: clone(estimator).fit(X, y, w)


# Every public entry that takes samples, targets and weights.
ENTRIES = {
    **{index: _fit(small(index=index)) for index in INDICES},
    "volume, p=1": _fit(small(measure="volume", p=1)),
    "p=50": _fit(small(p=50)),
    "bins": _fit(small(max_bins=3, max_depth=4)),
    "few features": _fit(small(max_features="sqrt", max_samples=0.5)),
    "all rows": _fit(small(max_samples=1.0)),
    "classifier": _fit(WaveletForestClassifier(3, random_state=0)),
    "regressor": _fit(WaveletForestRegressor(3, random_state=0)),
    "folds": _fit(WaveletForestRegressor(2, n_terms="cv", cv=2, random_state=0)),
    "wavelets": lambda X, y, w: wavelet_decomposition(
        tree.DecisionTreeRegressor(max_depth=3, random_state=0).fit(*_some_data(X)),
        X,
        y,
        sample_weight=w,
    ),
    "roughness": lambda X, y, w: sample_roughness(
        X, y, estimator=small(), sample_weight=w, random_state=0
    ),
    "classes": lambda X, y, w: class_smoothness(
        X, y, estimator=small(), sample_weight=w, random_state=0
    ),
    "difference": lambda X, y, w: smoothness_difference(
        X, X, y, estimator=small(), sample_weight=w
    ),
    "forecast": lambda X, y, w: forecast_error(X, y, random_state=0),
    "permutations": lambda X, y, w: permutation_baseline(
        small(), X, y, n_permutations=1, random_state=0
    ),
}


def _some_data(X):
    """What a tree of as many columns can be fitted to."""
    n_columns = max(np.shape(X)[1] if len(np.shape(X)) == 2 else 1, 1)
    rows = np.arange(20.0)[:, None] * np.ones(n_columns)
    return rows, np.sin(rows[:, 0])


@singledispatch
def assert_sound(result, X, y):
    """What must hold of every result of an entry, whatever the arguments."""
    raise TypeError(type(result))


@assert_sound.register
def _(result: Refusal, X, y):
    pass


def _assert_interval(low, alpha, high):
    assert np.isfinite(alpha)
    assert low <= alpha <= high


def _assert_measured(result):
    """The index, what is explained, and what is noise: in range, and in their intervals."""
    if result.decay_.convention.has_variance:  # published procedures may fall below zero
        assert result.alpha_ >= 0
    floats = [result.alpha_, *result.alpha_interval_, result.oob_score_, result.n_relevant_]
    for name in ("explained_", "noise_", "wrong_labels_", "signal_alpha_", "roughness_"):
        value, (low, high) = (
            getattr(result, name),
            getattr(result, f"{name[:-1]}_interval_"),
        )
        floats += [value, low, high]
        if not np.isnan(value):
            assert 0 <= low <= value <= high, (name, low, value, high)
            assert value <= 1 or name == "signal_alpha_", (name, value)
    assert {type(value) for value in floats} == {float}
    assert type(result.noise_is_bound_) is bool
    assert not np.isnan(result.signal_alpha_)
    assert 0 <= result.n_relevant_ <= result.n_features_in_ * (1 + 1e-9)
    n_terms = [result.n_terms_for(share) for share in (0.01, 0.5, 0.9, 0.999)]
    assert 0 <= n_terms[0] <= n_terms[1] <= n_terms[2] <= n_terms[3] <= len(result.errors_)
    known = not np.isnan(result.oob_score_)
    assert known == (not np.isnan(result.explained_)) == (not np.isnan(result.roughness_))
    assert not result.oob_score_ < 0


def _assert_shares(importances, n_columns):
    assert importances.shape == (n_columns,)
    assert (importances >= 0).all()
    assert np.isclose(importances.sum(), 1) or not importances.any()


def _leaves_rows_out(estimator):
    return estimator.max_samples != 1.0 and estimator.forest is None


@assert_sound.register
def _(result: BesovSmoothnessEstimator, X, y):
    low, high = result.alpha_interval_
    _assert_interval(low, result.alpha_, high)
    _assert_measured(result)
    assert result.n_terms_.shape == result.errors_.shape
    assert (np.diff(result.n_terms_) > 0).all()
    assert np.isfinite(result.errors_).all()
    first, last = result.fit_range_
    assert 0 < first <= last
    _assert_shares(result.feature_importances_, X.shape[1])
    assert np.isfinite(result.oob_score_) or not _leaves_rows_out(result)
    features = result.transform(X)
    assert features.shape == (X.shape[0], len(result.get_feature_names_out()))
    assert np.isfinite(features.data).all()
    assert 0 <= result.score(X, y) < np.inf
    assert_sound(result.wavelets_, X, y)


@assert_sound.register
def _(result: WaveletDecomposition, X, y):
    assert not any(a.flags.writeable for a in vars(result).values() if hasattr(a, "flags"))
    assert np.isfinite(result.mean).all()
    assert np.isfinite(result.psi).all()
    assert (result.count >= 0).all()
    assert not np.isnan(result.log_norm).any()
    falling = -result.log_norm[result.order].astype(np.float32)
    assert (falling[1:] >= falling[:-1]).all()
    inner = result.parent >= 0
    assert (result.parent[inner] < np.flatnonzero(inner)).all()


@assert_sound.register(WaveletForestClassifier)
@assert_sound.register(WaveletForestRegressor)
def _(result, X, y):
    assert 0 <= result.n_terms_ <= result.wavelets_.n_terms
    if hasattr(result, "validation_errors_"):
        assert np.isfinite(result.validation_errors_).all()
    predicted = result.predict(X)
    assert predicted.shape == np.shape(y)[: predicted.ndim]
    *_, last = result.staged_predict(X)
    # Sums in another order may tell another of two equally near classes.
    if isinstance(result, WaveletForestClassifier):
        assert np.isin(predicted, result.classes_).all()
        shares = result.predict_proba(X)
        assert (shares >= 0).all()
        assert np.allclose(shares.sum(axis=1), 1)
    else:
        spread = np.ptp(np.asarray(y, dtype=float))
        assert np.allclose(last, predicted, atol=1e-9 * spread)
    assert_array_equal(result.compress().predict(X), predicted)
    _assert_shares(result.feature_importances_, X.shape[1])
    assert_sound(result.wavelets_, X, y)


@assert_sound.register
def _(result: ErrorForecast, X, y):
    table = result.to_frame()
    assert np.isfinite(table["error"]).all()
    assert (table["low"] <= table["error"]).all()
    assert (table["error"] <= table["high"]).all()
    assert (np.diff(table["error"][table["is_forecast"]]) <= 1e-12).all()
    low, high = result.floor_interval
    assert 0 <= low <= result.floor <= high
    assert result.floor <= result.error
    assert repr(result).startswith("With ")


@assert_sound.register
def _(result: pd.DataFrame, X, y):
    if "class" in result:
        for row in result.itertuples():
            _assert_interval(row.alpha_low, row.alpha, row.alpha_high)
        assert result["n_samples"].sum() <= X.shape[0]
        return
    assert len(result) == X.shape[0]
    weighty = result.dropna()
    assert len(weighty) > 0
    assert np.isfinite(weighty["roughness"]).all()
    assert (weighty["roughness"] >= 0).all()


@assert_sound.register
def _(result: SmoothnessDifference, X, y):
    low, high = result.interval
    assert result.alpha_a == result.alpha_b  # of a representation and itself
    if np.isfinite(result.alpha_a):
        assert low <= result.difference == 0 <= high
        assert result.p_value == 1


@assert_sound.register
def _(result: PermutationBaseline, X, y):
    assert not np.isnan([result.alpha, *result.alphas]).any()
    assert 1 / (len(result.alphas) + 1) <= result.p_value <= 1


NUMBERS = ["alpha_", "oob_score_", "explained_", "noise_", "wrong_labels_", "signal_alpha_"]
NUMBERS += ["roughness_"]
MEASURED = [*NUMBERS, *(f"{name}interval_" for name in NUMBERS if name != "oob_score_")]
MEASURED += ["noise_is_bound_", "n_relevant_", "r_squared_", "errors_", "n_terms_"]
MEASURED += ["feature_importances_", "validation_errors_", "wavelets_"]


def bits(result):
    """All numbers of a result, by which two of them are compared."""
    if isinstance(result, Refusal):
        return ["refused"]
    if isinstance(result, pd.DataFrame):
        return [result.to_numpy().astype(str)]
    if isinstance(result, BaseEstimator):
        told = [getattr(result, name) for name in MEASURED if hasattr(result, name)]
    else:
        told = [
            value
            for name, value in vars(result).items()
            if name not in ("estimators", "means")
        ]
    if isinstance(result, WaveletDecomposition):
        told += [result.mean, result.psi]
    return [
        part
        for value in told
        for part in (bits(value) if isinstance(value, WaveletDecomposition) else [value])
    ]


def assert_same_bits(first, second):
    for one, other in zip(bits(first), bits(second), strict=True):
        assert_array_equal(one, other)


def well_formed(**limits):
    """Samples, targets and weights that are well-formed."""
    weights = st.sampled_from([None, 1.0, "whole"])

    def with_weights(X, y, kind):
        return X, y, np.arange(len(y)) % 3 + 1.0 if kind == "whole" else kind

    return whole_numbers(**limits).flatmap(
        lambda X: st.builds(with_weights, st.just(X), targets_of(len(X)), weights)
    )


def hostile():
    """Samples, targets and weights, any of which may be hostile and the others plain."""

    def of_rows(n):
        plain = st.integers(0, 999).map(
            lambda seed: read_only(np.random.RandomState(seed).randint(0, 9, (n, 2)) * 1.0)
        )
        return st.tuples(
            plain | hostile_samples(n),
            targets_of(n) | hostile_targets(n),
            st.none() | hostile_weights(n),
        )

    return st.integers(0, 30).flatmap(of_rows)


# ------------------------------------------------------------- equal numbers, equal bits


@promise(
    4, data=well_formed(), entry=st.sampled_from([*ENTRIES]), form=st.sampled_from([*FORMS])
)
def test_samples_of_any_form_give_the_bits_of_a_plain_array(data, entry, form):
    """Memory layouts, dtypes, lists and the frames of pandas, polars and Arrow."""
    X, y, w = data
    given_form = FORMS[form](X)
    with unchanged(y, given_form):
        result = outcome(ENTRIES[entry], given_form, y, w)
    assert_same_bits(result, outcome(ENTRIES[entry], X, y, w))


@promise(
    3,
    data=well_formed(),
    entry=st.sampled_from([*ENTRIES]),
    form=st.sampled_from([*SPARSE_FORMS]),
)
def test_sparse_samples_of_any_form_give_the_bits_of_a_csr_matrix(data, entry, form):
    """All formats, as matrices and arrays, in any state."""
    X, y, w = data
    given_form = SPARSE_FORMS[form](X)
    with unchanged(y, given_form):
        result = outcome(ENTRIES[entry], given_form, y, w)
    assert_same_bits(result, outcome(ENTRIES[entry], sparse.csr_matrix(X), y, w))


LABELS = {
    "read-only": read_only,
    "byte-swapped": lambda y: y.astype(">i8"),
    "int8": lambda y: y.astype(np.int8),
    "uint64": lambda y: y.astype(np.uint64),
    "negative stride": lambda y: y[::-1].copy()[::-1],
    "objects": lambda y: y.astype(object),
    "list": lambda y: y.tolist(),
    "series": lambda y: pd.Series(y, index=np.arange(len(y))[::-1]),
    "nullable": lambda y: pd.Series(y, dtype="Int64"),
    "category": lambda y: pd.Series(y, dtype="category"),
    "strings": lambda y: np.array(["a", "b", "c", "d"])[y],
    "text": lambda y: pd.Series(np.array(["a", "b", "ca", "ç"])[y], dtype="string"),
    "other numbers": lambda y: 7 * y - 3,
}


@promise(
    2,
    X=whole_numbers(min_rows=20, max_rows=20),
    y=hnp.arrays(np.int64, 20, elements=st.integers(0, 3)),
    entry=st.sampled_from([e for e in ENTRIES if e not in ("regressor", "folds")]),
    form=st.sampled_from([*LABELS]),
)
def test_labels_of_any_form_and_name_give_the_bits_of_integers(X, y, entry, form):
    """The names of classes do not matter as long as they sort alike."""
    labels = LABELS[form](y)
    with unchanged(X, labels):
        result = outcome(ENTRIES[entry], X, labels, None)
    if isinstance(result, pd.DataFrame):  # which hold the names
        result = result.drop(columns=["class", "suggested"], errors="ignore")
    expected = outcome(ENTRIES[entry], X, y, None)
    if isinstance(expected, pd.DataFrame):
        expected = expected.drop(columns=["class", "suggested"], errors="ignore")
    assert_same_bits(result, expected)


@promise(
    2,
    data=well_formed(),
    entry=st.sampled_from([*ENTRIES]),
    n_jobs=st.sampled_from([2, 3, -1]),
    is_large=st.sampled_from([False, False, True]),
)
def test_threads_give_the_bits_of_one(data, entry, n_jobs, is_large):
    """However many workers there are, and however nodes are split."""
    data = enlarged(*data) if is_large else data
    expected = outcome(ENTRIES[entry], *data)
    with parallel_config(backend="threading", n_jobs=n_jobs):
        assert_same_bits(outcome(ENTRIES[entry], *data), expected)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_processes_give_the_bits_of_one(backend):
    """For Dask and Ray see test_scale_out.py."""
    X = np.random.RandomState(0).randint(0, 9, size=(60, 3)).astype(float)
    for entry in ("mterm", "few features", "classifier", "roughness"):
        y = (X[:, 0] + X[:, 1] > 8).astype(int)
        expected = outcome(ENTRIES[entry], X, y, None)
        with parallel_config(backend=backend, n_jobs=2):
            assert_same_bits(outcome(ENTRIES[entry], X, y, None), expected)


@promise(2, data=well_formed(), index=st.sampled_from(INDICES))
def test_a_seed_gives_the_same_bits_again(data, index):
    """In a second fit, in a clone, from a pickle, and after the fit of other data."""
    X, y, w = data
    first = outcome(small(index=index).fit, X, y, w)
    assume(not isinstance(first, Refusal))
    estimator = pickle.loads(pickle.dumps(small(index=index)))
    outcome(estimator.fit, X[::-1, :1], np.arange(len(X)) / 3)
    assert_same_bits(estimator.fit(X, y, w), first)
    assert_same_bits(clone(first).fit(X, y, w), first)
    copied = pickle.loads(pickle.dumps(first))
    assert_same_bits(copied, first)
    assert_array_equal(copied.transform(X).toarray(), first.transform(X).toarray())
    assert copied.score(X, y, w) == first.score(X, y, w)


@promise(
    2,
    data=well_formed(min_rows=8),
    index=st.sampled_from(INDICES),
    exponents=st.lists(st.integers(-40, 40), min_size=4, max_size=4),
)
def test_units_of_the_features_do_not_matter(data, index, exponents):
    """Powers of two, which round nothing, do not change a bit."""
    X, y, w = data
    factors = 2.0 ** np.array(exponents[: X.shape[1]])
    result = outcome(small(index=index).fit, X * factors, y, w)
    assert_same_bits(result, outcome(small(index=index).fit, X, y, w))


def _assert_close(one, other):
    """But for the rounding of sums, which may decide for another number of terms."""
    for name in (*NUMBERS, "n_relevant_"):
        first, second = getattr(one, name), getattr(other, name)
        assert_allclose(first, second, rtol=1e-6, atol=1e-6, err_msg=name)


@promise(
    2, data=well_formed(min_rows=8), index=st.sampled_from(INDICES), seed=st.integers(0, 99)
)
def test_the_order_of_the_rows_does_not_matter(data, index, seed):
    """But for the rounding of sums."""
    X, y, w = data
    rows = np.random.RandomState(seed).permutation(len(X))
    first = outcome(small(index=index).fit, X, y, w)
    w = w[rows] if isinstance(w, np.ndarray) else w
    other = outcome(small(index=index).fit, X[rows], y[rows], w)
    assert isinstance(first, Refusal) == isinstance(other, Refusal)
    if not isinstance(first, Refusal):
        _assert_close(first, other)


@promise(
    2,
    seed=st.integers(0, 9999),
    n_rows=st.integers(8, 40),
    index=st.sampled_from(INDICES),
    scale=st.sampled_from([1.0, 0.1, 1e-300, 1e300]),
)
def test_whole_weights_are_repeated_rows(seed, n_rows, index, scale):
    """In any unit, the smallest of them, where the features of no two rows are equal."""
    rng = np.random.RandomState(seed)
    X = np.column_stack([rng.permutation(n_rows), rng.randint(0, 3, n_rows)]).astype(float)
    y, repeats = rng.randint(0, 2, n_rows), rng.randint(1, 4, n_rows)
    repeats[0] = 1
    weighted = outcome(small(index=index).fit, X, y, repeats * scale)
    rows = np.repeat(np.arange(n_rows), repeats)
    repeated = outcome(small(index=index).fit, X[rows], y[rows])
    assert isinstance(weighted, Refusal) == isinstance(repeated, Refusal)
    if not isinstance(weighted, Refusal):
        _assert_close(weighted, repeated)


def test_cases_that_rounding_or_repeated_rows_decided_once():
    X = np.array([[0, 1, 1, 0, *[1] * 7, 0, 0, 1, *[0] * 5, 1, 0, 1, 1, 0]], float).T
    y = np.array([2, 0, *[1] * 22])
    rows = np.random.RandomState(0).permutation(24)
    first, other = (
        small(index="mterm").fit(X, y),
        small(index="mterm").fit(X[rows], y[rows]),
    )
    assert first.n_relevant_ == other.n_relevant_ == 0  # no importance but rounding
    rng = np.random.RandomState(5686)
    X = np.column_stack([rng.permutation(36), rng.randint(0, 3, 36)]).astype(float)
    y, repeats = rng.randint(0, 2, 36), rng.randint(1, 4, 36)
    repeats[0] = 1
    rows = np.repeat(np.arange(36), repeats)
    weighted = small(index="mterm").fit(X, y, repeats.astype(float))
    _assert_close(weighted, small(index="mterm").fit(X[rows], y[rows]))


# ------------------------------------------------------- a sound result, or a clear refusal


@promise(
    10,
    data=hostile(),
    entry=st.sampled_from([*ENTRIES]),
    is_large=st.sampled_from([False, False, False, False, True]),
)
def test_hostile_data_give_a_sound_result_or_a_refusal(data, entry, is_large):
    """Extreme values, gaps, equal rows, few or no rows, any targets and weights."""
    data = enlarged(*data) if is_large else data
    with unchanged(*data):
        result = outcome(ENTRIES[entry], *data)
        assert_sound(result, *data[:2])


@promise(
    3,
    data=hostile(),
    forest=st.sampled_from(SKLEARN_FORESTS),
    index=st.sampled_from(INDICES),
)
def test_hostile_data_and_forests_of_scikit_learn(data, forest, index):
    """Its own fits may warn, and refuse what they like."""
    with warnings.catch_warnings(), unchanged(*data):
        warnings.simplefilter("ignore")
        try:
            result = small(forest=forest, index=index).fit(*data)
        except (ValueError, TypeError) as error:
            result = Refusal(error)
        assert_sound(result, *data[:2])


@promise(
    3,
    entry=st.sampled_from([*ENTRIES]),
    place=st.sampled_from([0, 1, 2]),
    thing=ANYTHING,
)
def test_anything_in_place_of_an_argument_is_refused_or_right(entry, place, thing):
    """Objects that are no samples, targets or weights."""
    rng = np.random.RandomState(0)
    arguments = [rng.randint(0, 9, size=(9, 2)).astype(float), np.arange(9) % 2, None]
    arguments[place] = thing
    outcome(ENTRIES[entry], *arguments)


ESTIMATORS = [small(), WaveletForestClassifier(2), WaveletForestRegressor(2)]


@promise(
    5,
    estimator=st.sampled_from(ESTIMATORS),
    place=st.integers(0, 99),
    value=ODD_VALUES,
)
def test_parameters_of_any_kind_are_refused_by_name_or_right(estimator, place, value):
    """Each alone, and before the work begins if they are refused."""
    names = sorted(estimator.get_params())
    name = names[place % len(names)]
    # So many trees would take the time or memory that was asked for.
    is_large = isinstance(value, int) and name == "n_estimators" and value > 100
    assume(not is_large and not isinstance(value, np.uint64))
    X = np.random.RandomState(0).randint(0, 9, size=(20, 2)).astype(float)
    y = (X[:, 0] > 4).astype(int)
    with contextlib.redirect_stderr(io.StringIO()):  # of verbose
        result = outcome(clone(estimator).set_params(**{name: value}).fit, X, y)
    if isinstance(result, Refusal):
        assert name in result or name in ("forest", "cv"), result
    else:
        assert_sound(result, X, y)


@promise(3, data=well_formed(min_rows=10), new=hostile_samples(7), index=st.integers(0, 5))
def test_hostile_new_samples_are_scored_transformed_or_refused(data, new, index):
    """Row by row, and whatever came with them."""
    X, y, _ = data
    X = X[:, :2] if X.shape[1] > 1 else np.hstack([X, X])
    fitted = outcome([small(), *ESTIMATORS[1:]][index % 3].fit, X, y)
    assume(not isinstance(fitted, Refusal))
    use = fitted.transform if hasattr(fitted, "transform") else fitted.predict
    with unchanged(new):
        result = outcome(use, new)
        if isinstance(result, Refusal):
            return
        for row in range(7):
            one, all_ = use(new[[row]]), result[[row]]
            assert_array_equal(
                *(r.toarray() if sparse.issparse(r) else r for r in (one, all_))
            )


@promise(
    3,
    data=well_formed(min_rows=10),
    y=hostile_targets(7),
    w=hostile_weights(7),
    entry=st.sampled_from([*INDICES, "volume, p=1", "p=50"]),
)
def test_hostile_new_targets_are_scored_or_refused(data, y, w, entry):
    """Whatever the fitted ones were."""
    fitted = outcome(ENTRIES[entry], *data)
    if isinstance(fitted, Refusal):
        return
    with unchanged(y, w):
        score = outcome(fitted.score, data[0][:7], y, w)
    assert isinstance(score, Refusal) or 0 <= score < np.inf


@promise(
    3,
    y=st.integers(0, 12).flatmap(hostile_targets) | ANYTHING,
    fraction=st.sampled_from([0, 0.3, 1.0]),
)
def test_labels_of_any_kind_are_encoded_and_corrupted_or_refused(y, fraction):
    """SimplexEncoder and corrupt_labels: what comes back are the labels that went in."""
    with unchanged(y) if isinstance(y, np.ndarray) else contextlib.nullcontext():
        encoder = outcome(SimplexEncoder().fit, y)
        corrupted = outcome(corrupt_labels, y, fraction, 0, return_mask=True)
    if not isinstance(encoder, Refusal):
        points = encoder.transform(y)
        assert np.isfinite(points).all()
        assert (encoder.inverse_transform(points) == np.ravel(np.asarray(y))).all()
    if not isinstance(corrupted, Refusal):
        labels, changed = corrupted
        assert ((labels != np.ravel(np.asarray(y))) == changed).all()
        assert changed.sum() == round(fraction * len(labels))


@promise(
    2,
    kind=st.sampled_from(
        ["smooth", "jump", "hoelder", "fractional-brownian", "boxes", "noise"]
    ),
    n_samples=st.integers(1, 60),
    options=st.fixed_dictionaries(
        {},
        optional={
            "n_irrelevant": st.integers(0, 9),
            "n_classes": st.integers(0, 300),
            "exponent": st.floats(),
            "noise": st.floats(-1, 1e9),
            "random_state": st.integers(-1, 2**33),
        },
    ),
)
def test_functions_of_known_smoothness_are_finite_or_refused(kind, n_samples, options):
    """And their samples lie in the unit cube."""
    result = outcome(make_known_smoothness, kind, n_samples, **options)
    if not isinstance(result, Refusal):
        X, y, alpha = result
        assert len(X) == len(y) == n_samples
        assert ((X >= 0) & (X <= 1)).all()
        assert np.isfinite(y).all()
        assert alpha >= 0


@promise(
    3,
    image=hnp.arrays(
        st.sampled_from([np.uint8, np.float64, np.float16, np.bool_, np.int32, ">u2"]),
        hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6),
    ),
)
def test_images_of_any_kind_come_back_from_all_terms_or_are_refused(image):
    """Whatever their pixels are."""
    with unchanged(image):
        wavelets = outcome(image_wavelets, image, random_state=0)
    if isinstance(wavelets, Refusal):
        return
    pixels = image.astype(float) / (
        np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1
    )
    spread = np.ptp(pixels)
    largest = np.abs(pixels).max()
    approximation = wavelets.approximate(wavelets.n_terms)
    assert np.allclose(approximation, pixels, rtol=0, atol=1e-9 * spread + 1e-15 * largest)


CELLS = st.sampled_from(
    [
        *("0", "1", "2.5", "-3", "1e400", "nan", "NA", "", " ", "inf", "a", "=1+1", "@x"),
        *("'", '"', '""', '"a,b"', "1;2"),
        *("\t", "\0", "\x1b[31m", "9" * 30, "0x1f", "True", "ä"),
        *("18446744073709551615", "2020-01-01", "1_000", "x" * 500),
    ]
)


@promise(
    3,
    cells=st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=6),
    separator=st.sampled_from([",", ";", "\t", " "]),
    ending=st.sampled_from([".csv", ".tsv", ".txt", ".npz", ".parquet", ".csv.gz"]),
    task=st.sampled_from(["auto", "classification", "regression"]),
)
def test_files_of_any_content_are_measured_or_refused(
    tmp_path_factory, cells, separator, ending, task
):
    """Cells of all kinds, in rows of all lengths, in files of another kind than named."""
    from sksmooth.command_line import main

    text = "\n".join(separator.join(row) for row in [["x", "y"], *cells])
    path = tmp_path_factory.getbasetemp() / f"cells{ending}"
    path.write_text(text, encoding="utf-8")
    told, out = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(out):
        code = main(["measure", str(path), "--target", "y", "--task", task, "--quiet"])
    if code == 0:
        assert "nan" not in out.getvalue()
    else:
        assert code == 2
        assert told.getvalue().startswith("sksmooth: error: ")
        assert told.getvalue().count("\n") == 1
        assert out.getvalue() == ""


@promise(
    2,
    rows=st.integers(0, 12).flatmap(hostile_samples) | ANYTHING,
    width=st.integers(1, 3),
    options=st.fixed_dictionaries(
        {},
        optional={
            "batch_size": st.sampled_from([1, 3, 0, "a"]),
            "pooling": st.sampled_from(["flatten", "mean", "cls", "none"]),
            "n_components": st.sampled_from([None, 1, 0, 10**9, 1.5]),
            "layers": st.sampled_from([None, ["0"], [], ["x"], [-1], "0"]),
        },
    ),
)
def test_samples_of_networks_are_features_or_refused(rows, width, options):
    """And a network's own errors, such as those of shapes that do not fit, come out."""
    torch = pytest.importorskip("torch")
    from sksmooth import (
        LayerFeatureTransformer,
        SmoothnessMonitor,
        compare_layers,
        list_layers,
    )

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(width, 2), torch.nn.ReLU()
    )
    n_rows = rows.shape[0] if getattr(rows, "shape", ()) else 9
    y = np.arange(n_rows) % 2
    try:
        frame = outcome(compare_layers, network, rows, y, estimator=small(), **options)
        listed = outcome(list_layers, network, rows)
        features = outcome(LayerFeatureTransformer(network, 1).fit_transform, rows)
        monitor = outcome(SmoothnessMonitor, network, rows, y, estimator=small())
        outcome(getattr(monitor, "record", str))
    except RuntimeError as error:
        assert "mat1 and mat2" in str(error)  # noqa: PT017
        return
    assert isinstance(listed, Refusal | pd.DataFrame)
    assert isinstance(features, Refusal) or np.isfinite(features).all()
    if not isinstance(frame, Refusal):
        for row in frame.itertuples():
            _assert_interval(row.alpha_low, row.alpha, row.alpha_high)


@promise(1, data=hostile(), index=st.sampled_from(INDICES))
def test_any_result_can_be_drawn_and_shown(data, index):
    """Infinite, without a term, or of one: as a picture, a card and a page of HTML."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    from sksmooth.plotting import ErrorDecayDisplay

    estimator = small(index=index)
    assert isinstance(estimator._repr_html_(), str)
    fitted = outcome(estimator.fit, *data)
    if isinstance(fitted, Refusal):
        return
    with only_named_warnings():
        display = ErrorDecayDisplay.from_estimator(fitted)
        display.figure_.canvas.draw()
        pyplot.close(display.figure_)
        assert "</" in fitted._repr_html_()


@pytest.mark.parametrize(
    "form", [form for form in FORMS if "olars" in form or "Arrow" in form]
)
def test_frames_of_other_libraries_give_names_and_are_given_back(form):
    """Names of columns are kept and compared, and ``set_output`` gives what it is asked."""
    X = np.random.RandomState(0).randint(0, 9, size=(30, 2)).astype(float)
    y = (X[:, 0] > 4).astype(int)
    frame = FORMS[form](X)
    fitted = outcome(small().fit, frame, y)
    if not form.startswith("Arrow c"):  # whose names are numbers
        assert fitted.feature_names_in_.tolist() == ["c0", "c1"]
    plain = fitted.transform(frame).toarray()
    for container, library in (("pandas", "pandas"), ("polars", "polars")):
        pytest.importorskip(library)
        features = (
            clone(fitted).set_output(transform=container).fit(frame, y).transform(frame)
        )
        assert type(features).__module__.startswith(library)
        assert list(features.columns) == fitted.get_feature_names_out().tolist()
        assert_array_equal(features.to_numpy(), plain)


# ------------------------------------------------------------------------ large numbers


def test_two_thousand_trees():
    """A forest is as good with any number of trees."""
    X, y = np.arange(24.0)[:, None], np.arange(24) // 12
    forest = small(n_estimators=2000, max_depth=1).fit(X, y)
    assert forest.wavelets_.n_trees == 2000
    assert_sound(forest, X, y)


@pytest.mark.slow
def test_a_thousand_classes_of_two_samples():
    X = np.arange(2000.0)[:, None]
    for estimator in (small(), WaveletForestClassifier(2, random_state=0)):
        assert_sound(estimator.fit(X, np.arange(2000) // 2), X, np.arange(2000) // 2)


@pytest.mark.skipif(not IS_LONG, reason="compiles all loops anew")
def test_loops_stay_within_their_arrays(tmp_path):
    """The compiled loops read and write nothing out of range, which Numba checks if asked.

    The promises on hostile and on well-formed data are tried with such loops.
    """
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", __file__, "-k"]
    tests = "hostile or any_form or threads_give or parameters"
    environment = {**os.environ, **checked, "SKSMOOTH_FUZZ": ""}
    run = subprocess.run(
        [*command, tests], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-3000:]


@pytest.mark.skipif(not IS_LONG, reason="counts the cases of the long run")
def test_the_long_run_has_tried_ten_thousand_cases(capsys):
    with capsys.disabled():
        print()
        for name, n_cases in TRIED.items():
            print(f"{n_cases:7d} {name}")
        print(f"{TRIED.total():7d} in all")
    assert TRIED.total() >= 10_000
