"""What public entries accept and refuse: the same inputs everywhere, in the same words."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.tree import DecisionTreeRegressor

from sksmooth import (
    BesovSmoothnessEstimator,
    WaveletForestClassifier,
    WaveletForestRegressor,
    class_smoothness,
    permutation_baseline,
    sample_roughness,
    smoothness_difference,
    wavelet_decomposition,
)

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

N = 40
X = np.random.RandomState(0).uniform(size=(N, 2))
CLASSES = (X[:, 0] > 0.5).astype(int)
NUMBERS = X[:, 0]


def small(**options):
    return BesovSmoothnessEstimator(2, random_state=0, **options)


ENTRIES = {
    "fit": lambda X, y, w: small().fit(X, y, w),
    "fit of rows drawn": lambda X, y, w: small(max_samples=10).fit(X, y, w),
    "score": lambda X, y, w: small().fit(*_same_kind(y)).score(X, y, w),
    "classifier": lambda X, y, w: WaveletForestClassifier(3).fit(X, y, w),
    "regressor": lambda X, y, w: WaveletForestRegressor(3).fit(X, y, w),
    "wavelets": lambda X, y, w: wavelet_decomposition(
        DecisionTreeRegressor(max_depth=3).fit(*_same_kind(1.0)), X, y, sample_weight=w
    ),
    "classes": lambda X, y, w: class_smoothness(X, y, estimator=small(), sample_weight=w),
    "roughness": lambda X, y, w: sample_roughness(X, y, estimator=small(), sample_weight=w),
    "difference": lambda X, y, w: smoothness_difference(
        np.random.RandomState(1).uniform(size=(N, 3)),
        X,
        y,
        estimator=small(),
        sample_weight=w,
    ),
    "permutations": lambda X, y, w: permutation_baseline(small(), X, y, n_permutations=1),
}


def _same_kind(y):
    """Samples to fit, with classes or numbers as y holds them."""
    return X, NUMBERS if np.asarray(y).dtype.kind == "f" else CLASSES


def dask_array(values):
    return pytest.importorskip("dask.array").from_array(np.asarray(values))


def dask_frame(values):
    frame = pytest.importorskip("dask.dataframe")
    return frame.from_pandas(pd.DataFrame(values), npartitions=1)


def with_some(values, other):
    """A copy of which every third entry is another, so that drawn rows hold it."""
    changed = np.array(values, dtype=float)
    changed.flat[::3] = other
    return changed


DATES = np.array(["2020-01-01", "NaT"] * (N // 2), dtype="datetime64[D]")
MASKED = "{} is a masked array, whose masked entries would count as numbers"
NOT_TOGETHER = "inconsistent numbers of samples"
BAD_X = {
    "infinite": (with_some(X, np.inf), "Input X contains infinity"),
    "minus infinite": (with_some(X, -np.inf), "Input X contains infinity"),
    "sparse, infinite": (sparse.csc_array(with_some(X, np.inf)), "X contains infinity"),
    "float32, infinite": (with_some(X, np.inf).astype("f4"), "X contains infinity"),
    "masked": (np.ma.masked_greater(X, 0.5), MASKED.format("X")),
    "missing dates": (DATES[:, None], r"X holds missing dates \(NaT\)"),
    "missing dates in a frame": (pd.DataFrame({"day": DATES}), r"X holds missing dates"),
    "beyond float64": ([[10**400, 1]] * N, "X holds numbers that are too large"),
    "complex": (X * 1j, "Complex data not supported"),
    "text": (np.full((N, 2), "red"), "X holds text, not numbers"),
    "a column of text": (
        pd.DataFrame({"a": X[:, 0], "b": "red"}),
        "X holds text, not numbers",
    ),
    "a vector": (X[:, 0], "Expected 2D array, got 1D array"),
    "a cube": (np.ones((N, 2, 2)), "Found array with dim 3"),
    "a number": (3.0, "Expected 2D array, got scalar array"),
    "no column": (np.ones((N, 0)), r"0 feature\(s\)"),
    "other rows": (X[1:], NOT_TOGETHER),
    "other sparse rows": (sparse.csr_matrix(X[1:]), NOT_TOGETHER),
}
BAD_Y = {
    "missing": (None, "requires y to be passed, but the target y is None"),
    "other rows": (CLASSES[1:], NOT_TOGETHER),
    "NaN": (with_some(NUMBERS, np.nan), "Input y contains NaN"),
    "infinite": (with_some(NUMBERS, -np.inf), "Input y contains .*infinity"),
    "masked classes": (np.ma.masked_greater(CLASSES, 0), MASKED.format("y")),
    "masked numbers": (np.ma.masked_greater(NUMBERS, 0.5), MASKED.format("y")),
    "missing dates": (DATES, r"y holds missing dates \(NaT\)"),
    "a number": (3, "Expected sequence or array-like"),
    "a cube": (np.ones((N, 2, 2)), "Found array with dim 3"),
    "sparse": (sparse.csr_matrix(CLASSES), NOT_TOGETHER),
}
# Of classes alone or of numbers alone, so that not every entry refuses them.
BAD_CLASSES = {
    "a missing label": (["a", None] * (N // 2), "Input y contains NaN or None"),
    "two types, one missing": (["a", 0, None, 2.5] * (N // 4), "Input y contains NaN"),
    "lists": (pd.Series([[0], [1]] * (N // 2)), "cannot be a class label .unhashable"),
    "one class": (["a"] * N, "one class only"),
}
BAD_NUMBERS = {
    "squares beyond float64": (with_some(NUMBERS, 1e300), "rescale y"),
    "squares below float64": (1e-300 * NUMBERS, "rescale y"),
}
BAD_WEIGHTS = {
    "zero": (np.zeros(N), "zero"),
    "negative": (with_some(np.ones(N), -1), "sample_weight holds negative values"),
    "one negative number": (-1.0, "sample_weight holds negative values"),
    "NaN": (with_some(np.ones(N), np.nan), "Input sample_weight contains NaN"),
    "too few": (np.ones(3), r"sample_weight.shape == \(3,\), expected \(40,\)"),
    "a matrix": (np.ones((N, 2)), "Sample weights must be 1D array or scalar"),
    "masked": (np.ma.masked_greater(np.arange(N), 9), MASKED.format("sample_weight")),
    "beyond float64": (np.array([10**400] * N), "sample_weight holds numbers that are too"),
    "complex": (1 + 2j, "sample_weight holds complex numbers"),
    "text": ("a", "could not convert string to float"),
}


def cases():
    for entry in ENTRIES:
        numbers = NUMBERS if entry == "regressor" else CLASSES
        for kind, (bad, message) in BAD_X.items():
            yield pytest.param(entry, bad, numbers, None, message, id=f"{entry}: X {kind}")
        kinds = BAD_Y
        if entry not in ("regressor", "score"):
            kinds = kinds | BAD_CLASSES
        if entry not in ("classifier", "classes"):
            kinds = kinds | BAD_NUMBERS
        for kind, (bad, message) in kinds.items():
            yield pytest.param(entry, X, bad, None, message, id=f"{entry}: y {kind}")
        for kind, (bad, message) in BAD_WEIGHTS.items():
            if entry != "permutations":
                name = f"{entry}: weights {kind}"
                yield pytest.param(entry, X, numbers, bad, message, id=name)


@pytest.mark.parametrize(("entry", "X", "y", "w", "message"), list(cases()))
def test_bad_samples_are_refused_in_the_same_words(entry, X, y, w, message):
    with pytest.raises((ValueError, TypeError), match=message):
        ENTRIES[entry](X, y, w)


@pytest.mark.parametrize("entry", ENTRIES)
def test_collections_of_dask_are_read_where_rows_are_drawn_only(entry):
    if entry == "fit of rows drawn":
        assert ENTRIES[entry](dask_array(X), dask_array(CLASSES), None).n_samples_ == 20
        with pytest.raises(ValueError, match="pass a Dask array with known chunks"):
            ENTRIES[entry](dask_frame(X), CLASSES, None)
        return
    for collection in (dask_array(X), dask_frame(X)):
        with pytest.raises(ValueError, match="X is a Dask collection, which is not read"):
            ENTRIES[entry](collection, CLASSES, None)


GOOD = {
    "lists": (X.tolist(), CLASSES.tolist(), [1.0] * N),
    "frames": (pd.DataFrame(X).add_prefix("x"), pd.Series(CLASSES), pd.Series(np.ones(N))),
    "one weight": (X, CLASSES, 2.0),
    "whole weights": (X, CLASSES, np.arange(N) % 3 + 1),
    "missing values": (with_some(X, np.nan), CLASSES, None),
    "classes in a column": (X, CLASSES[:, None], None),
    "dates": (X.astype("datetime64[D]"), CLASSES, None),
    **{
        kind: (getattr(sparse, kind)(X), CLASSES, None)
        for kind in ("csr_matrix", "csc_array", "coo_matrix", "lil_array", "dia_matrix")
    },
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_good_samples_are_accepted(entry, kind):
    given_X, y, w = GOOD[kind]
    if entry == "score" and kind == "frames":
        given_X = given_X.to_numpy()  # since the fitted samples have no names
    assert ENTRIES[entry](given_X, y, w) is not None


FEWEST = {"classifier": 2, "regressor": 2, "score": 1, "wavelets": 1}


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if FEWEST.get(entry) != 1])
def test_too_few_samples_are_counted(entry):
    fewest = FEWEST.get(entry, 5)
    rows = np.r_[: fewest - 1]
    if entry != "difference":  # whose other representation has all rows
        with pytest.raises(ValueError, match=f"minimum of {fewest} is required"):
            ENTRIES[entry](X[rows], CLASSES[rows], None)
    if entry != "permutations":
        with pytest.raises(ValueError, match=f"positive weight; at least {fewest} are"):
            ENTRIES[entry](X, CLASSES, (np.arange(N) < fewest - 1).astype(float))


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    "y", [["a", "b", None, 3], np.full(N, 0.5)], ids=["mixed", "equal"]
)
def test_targets_without_a_difference_or_an_order(entry, y):
    """Of equal numbers there is nothing to measure, though something to predict."""
    y = y * (N // 4) if isinstance(y, list) else y
    if not isinstance(y, list) and entry in ("regressor", "score"):
        assert ENTRIES[entry](X, y, None) is not None
        return
    with pytest.raises(ValueError, match=r"is constant|NaN or None|convert|Unknown label"):
        ENTRIES[entry](X, y, None)


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e not in ("wavelets", "score")])
def test_columns_need_names_of_one_kind(entry):
    with pytest.raises(TypeError, match="string names"):
        ENTRIES[entry](pd.DataFrame(X, columns=["a", 1]), CLASSES, None)
