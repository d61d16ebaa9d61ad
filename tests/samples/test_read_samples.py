"""Samples are read in one place: what is checked, dropped, drawn and kept there."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator

from sksmooth.samples import (
    encode_labels,
    encode_values,
    number_of_rows,
    read_features,
    read_samples,
    sampling_units,
)

X = np.random.RandomState(0).uniform(size=(12, 3))
Y = np.arange(12) % 3


def test_samples_without_weights_are_all_there():
    samples = read_samples(X, Y)
    assert samples.X is X  # not copied
    assert_array_equal(samples.y, Y)
    assert_array_equal(samples.weights, np.ones(12))
    assert_array_equal(samples.classes[samples.targets.codes], Y)
    assert samples.rows is None
    assert_array_equal(samples.ranges, [X.min(axis=0), X.max(axis=0)])
    assert_array_equal(
        samples.units.unit, sampling_units((X,), samples.targets.codes, np.ones(12)).unit
    )


@pytest.mark.parametrize("encode", [encode_labels, encode_values])
def test_what_targets_are_may_be_said(encode):
    targets, classes = encode(Y)
    samples = read_samples(X, Y, encode=encode)
    assert_array_equal(samples.targets.values, targets.values)
    assert (samples.classes is None) == (classes is None)


def test_rows_of_weight_zero_are_dropped():
    # Not even their ranges and classes count.
    weights = np.where((Y == 2) | (X[:, 0] > 0.8), 0.0, 1.5)
    kept = np.flatnonzero(weights)
    samples, expected = read_samples(X, Y, weights), read_samples(X[kept], Y[kept])
    assert_array_equal(samples.rows, kept)
    assert_array_equal(samples.X, X[kept])
    assert_array_equal(samples.y, Y[kept])
    assert_array_equal(samples.classes, [0, 1])
    assert_array_equal(samples.ranges, expected.ranges)
    assert_array_equal(samples.units.unit, expected.units.unit)


@pytest.mark.parametrize("unit", [1.0, 0.1, 1 / 3, 7.0, 1e-300])
def test_weights_are_in_units_of_the_smallest(unit):
    # Exactly, so that the sums in the trees are exact.
    whole = 1 + np.arange(12) % 4
    assert_array_equal(read_samples(X, Y, whole * unit).weights, whole)


def test_weights_that_sums_would_lose_count_as_the_smallest_that_they_keep():
    weights = np.append(np.ones(11), 1e-30)
    assert_array_equal(read_samples(X, Y, weights).weights, [1e12] * 11 + [1.0])
    assert_array_equal(read_samples(X, Y, 5.0).weights, np.ones(12))  # one for all


@pytest.mark.parametrize(
    ("dtype", "read"),
    [
        ("f4", "f4"),
        ("u1", "f4"),
        ("i2", "f4"),
        ("i4", "f4"),
        ("u8", "f4"),
        ("f8", "f8"),
        ("O", "f8"),
    ],
)
def test_float32_is_kept_where_it_is_exact(dtype, read):
    whole = np.arange(36).reshape(12, 3).astype(dtype)
    assert read_features(whole).dtype == np.dtype(read)
    assert read_features(pd.DataFrame(whole)).dtype == np.dtype(read)
    assert_array_equal(read_features(whole), whole.astype(float))


@pytest.mark.parametrize("of", [sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix])
def test_sparse_features_are_read_as_csr(of):
    read = read_features(of(X))
    assert read.format == "csr"
    assert_array_equal(read.toarray(), X)
    assert_array_equal(read_samples(of(X), Y).ranges, read_samples(X, Y).ranges)


def test_duplicate_and_unsorted_entries_are_summed_in_a_copy():
    # Every entry in two parts, the columns backwards, and indices of 64 bits.
    parts = np.concatenate([X[:, ::-1] * 0.25, X[:, ::-1] * 0.75], axis=1).ravel()
    columns, rows = np.tile([2, 1, 0], 24), np.arange(0, 73, 6)
    twice = sparse.csr_matrix((parts, columns, rows), X.shape)
    twice.indices, twice.indptr = (a.astype(np.int64) for a in (columns, rows))
    before = twice.data.copy()
    read = read_features(twice)
    assert read.has_canonical_format
    assert read.indices.dtype == read.indptr.dtype == np.int32
    assert_array_equal(read.toarray(), twice.toarray())
    assert_array_equal(twice.data, before)


def test_missing_values_stay_and_do_not_count_in_ranges():
    holed = X.copy()
    holed[0, 0], holed[:, 1] = np.nan, np.nan
    samples = read_samples(holed, Y)
    assert_array_equal(samples.X, holed)
    low, high = samples.ranges
    assert (low[0], high[0]) == (X[1:, 0].min(), X[1:, 0].max())
    assert (low[1], high[1]) == (0.0, 0.0)


def test_columns_are_recorded_and_compared_with_those_of_the_fit():
    estimator = BaseEstimator()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    read_samples(frame, Y, estimator=estimator)
    assert estimator.n_features_in_ == 3
    assert_array_equal(estimator.feature_names_in_, ["a", "b", "c"])
    read_samples(frame[:5], Y[:5], estimator=estimator, reset=False, fewest=9)
    with pytest.raises(ValueError, match="feature names should match"):
        read_samples(frame[["b", "a", "c"]], Y, estimator=estimator, reset=False)
    plain = BaseEstimator()
    read_features(X, plain)
    with pytest.raises(ValueError, match="2 features, but BaseEstimator is expecting 3"):
        read_features(X[:, :2], plain, reset=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(X=np.where(X > 0.9, np.inf, X)), "contains infinity"),
        (dict(X=X[:-1]), "inconsistent numbers of samples"),
        (dict(X=X[:0], y=Y[:0]), "0 sample"),
        (dict(X=X[0], y=Y[:1]), "Expected 2D array"),
        (
            dict(X=np.full((12, 1), 10**400, dtype=object)),
            "X holds numbers that are too large",
        ),
        (dict(X=np.ma.masked_greater(X, 0.5)), "X is a masked array"),
        (dict(X=np.full((12, 1), np.datetime64("NaT"))), "X holds missing dates"),
        (dict(y=None), "y is None"),
        (dict(y=np.where(Y == 1, np.nan, Y)), "y contains NaN"),
        (dict(y=np.zeros(12, dtype=int)), "one class only"),
        (dict(y=np.zeros(12)), "constant"),
        (dict(sample_weight=-np.ones(12)), "negative"),
        (dict(sample_weight=np.ones(11)), "[Ww]eight"),
        (dict(sample_weight=np.zeros(12)), "zero"),
        (dict(sample_weight=np.full(12, np.nan)), "sample_weight contains NaN"),
        (dict(sample_weight=1j * np.ones(12)), "complex"),
        (dict(fewest=13), "minimum of 13"),
        (dict(sample_weight=Y > 1, fewest=5), "Only 4 samples have a positive weight"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_are_no_samples_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        read_samples(**{"X": X, "y": Y, **change})


# ---------------------------------------------------------------- parts of the samples


@pytest.mark.parametrize("weights", [None, np.arange(12) % 5])
def test_samples_are_taken_by_their_places(weights):
    samples, places = read_samples(X, Y, weights), np.array([5, 0, 7])
    taken = samples.take(places)
    rows = places if weights is None else np.flatnonzero(weights)[places]
    assert_array_equal(taken.rows, rows)
    assert_array_equal(taken.X, X[rows])
    assert_array_equal(taken.y, Y[rows])
    assert_array_equal(taken.targets.codes, Y[rows])
    assert_array_equal(taken.weights, samples.weights[places])
    assert_array_equal(taken.classes, [0, 1, 2])  # of all samples
    assert_array_equal(taken.take(np.array([2])).rows, rows[2:])


def test_several_representations_are_drawn_alike():
    # Rows that are equal in one of them are one unit in both.
    first, second = np.arange(12.0)[:, None], np.arange(12.0)[:, None]
    first[1], second[5] = first[0], second[4]
    y = np.repeat([0, 1], 6)
    both = sampling_units((first, second), y, np.ones(12))
    samples = [read_samples(each, y).drawn_by(both) for each in (first, second)]
    for each in samples:
        assert each.units is both
        unit = each.units.unit
        assert unit[0] == unit[1]
        assert unit[4] == unit[5]
        assert each.units.n_units == 10
    assert_array_equal(samples[0].X, first)


@pytest.mark.parametrize("weights", [None, np.arange(12) % 3])
def test_rows_are_drawn_from_those_with_a_weight(weights):
    kept = np.arange(12) if weights is None else np.flatnonzero(weights)
    drawn = read_samples(X, Y, weights, n_drawn=6, random_state=0)
    assert set(drawn.rows) <= set(kept)
    assert len(set(drawn.rows)) == 6
    assert_array_equal(drawn.rows, np.sort(drawn.rows))
    assert_array_equal(drawn.X, X[drawn.rows])
    assert_array_equal(drawn.y, Y[drawn.rows])
    again, other = (read_samples(X, Y, weights, n_drawn=6, random_state=s) for s in (0, 1))
    assert_array_equal(again.rows, drawn.rows)
    assert set(other.rows) != set(drawn.rows)
    for enough in (len(kept), 12):
        everything = read_samples(X, Y, weights, n_drawn=enough, random_state=0)
        assert_array_equal(everything.X, X[kept])
        assert_array_equal(everything.rows, None if weights is None else kept)


def test_rows_drawn_are_all_that_is_read_of_dask_arrays():
    array = pytest.importorskip("dask.array")
    lazy = array.from_array(X, chunks=5)
    drawn = read_samples(lazy, Y, n_drawn=6, random_state=0)
    assert_array_equal(drawn.X, read_samples(X, Y, n_drawn=6, random_state=0).X)
    assert_array_equal(read_samples(lazy, Y, n_drawn=12).X, X)
    with pytest.raises(ValueError, match="X is a Dask collection"):
        read_samples(lazy, Y)
    unknown = lazy[lazy[:, 0] > 0.5]
    with pytest.raises(ValueError, match="number of rows of X is not known"):
        read_samples(unknown, Y, n_drawn=6)


def test_rows_are_counted_of_anything():
    counts = [number_of_rows(each) for each in (X, X.tolist(), sparse.csr_matrix(X), 3.0)]
    assert counts == [12, 12, 12, 0]
