"""Samples in arrays and tables of other libraries: read as those of NumPy are."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sksmooth import BesovSmoothnessEstimator
from sksmooth.samples import read_features, read_samples

X = np.random.RandomState(0).uniform(size=(120, 3))
Y = (X[:, 0] > 0.5).astype(int)
W = 1.0 + np.arange(120) % 4
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])


class RowLists:
    """As a data set of HDF5: a shape, and rows by slices or increasing lists."""

    def __init__(self, values):
        self.shape, self._values = values.shape, values

    def __getitem__(self, rows):
        if not isinstance(rows, slice) and rows != sorted(rows):
            raise TypeError("rows must be an increasing list")
        return self._values[rows]


def memory_map(values, folder):
    mapped = np.memmap(folder / "values", values.dtype, "w+", shape=values.shape)
    mapped[:] = values
    return mapped


def arrow(kind):
    def made(values):
        pyarrow = pytest.importorskip("pyarrow")
        return getattr(pyarrow, kind).from_pandas(pd.DataFrame(values).add_prefix("x"))

    return made


def named(xarray, values):
    dims = ("rows", "columns")[: values.ndim]
    coords = dict(zip(dims, map(np.arange, values.shape), strict=True))
    return xarray.DataArray(values, dims=dims, coords=coords)


def of(library, make):
    return lambda values: make(pytest.importorskip(library), values)


ARRAYS = {
    "xarray": of("xarray", lambda xarray, values: xarray.DataArray(values)),
    "xarray with names": of("xarray", lambda xarray, values: named(xarray, values)),
    "zarr": of("zarr", lambda zarr, values: zarr.array(values)),
    "row lists": RowLists,
    "torch": of("torch", lambda torch, values: torch.tensor(values)),
}
TABLES = {
    "polars": of("polars", lambda polars, values: polars.DataFrame(values)),
    "Arrow table": arrow("Table"),
    "Arrow batch": arrow("RecordBatch"),
    "DataFrame": lambda values: pd.DataFrame(values).add_prefix("x"),
}
SPARSE = {
    f"{kind}_{form}": getattr(sparse, f"{kind}_{form}")
    for kind in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
    for form in ("matrix", "array")
}
VECTORS = {
    "polars": of("polars", lambda polars, values: polars.Series(values)),
    "Arrow array": of("pyarrow", lambda pyarrow, values: pyarrow.array(values)),
    "Arrow chunks": of("pyarrow", lambda pyarrow, values: pyarrow.chunked_array([values])),
    "dask": of("dask.array", lambda array, values: array.from_array(values, chunks=50)),
    "Series": lambda values: pd.Series(values, index=np.arange(120)[::-1]),
    **ARRAYS,
}


def fitted(X, y, w=None, *, max_samples=0.8):
    estimator = BesovSmoothnessEstimator(3, max_samples=max_samples, random_state=0)
    return estimator.fit(X, y, w)


@pytest.mark.parametrize("max_samples", [0.8, 30])
@pytest.mark.parametrize("kind", [*ARRAYS, *TABLES, *SPARSE])
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_features_of_any_library_give_the_same_index(kind, max_samples):
    given = {**ARRAYS, **TABLES, **SPARSE}[kind](X)
    result = fitted(given, Y, W, max_samples=max_samples)
    expected = fitted(X, Y, W, max_samples=max_samples)
    assert result.alpha_ == expected.alpha_
    assert result.n_samples_ == expected.n_samples_
    if kind in TABLES and kind != "polars":
        assert_array_equal(result.feature_names_in_, ["x0", "x1", "x2"])
    same_rows = read_features(given)
    dense = same_rows.toarray() if sparse.issparse(same_rows) else same_rows
    assert_array_equal(dense, X)


@pytest.mark.parametrize("max_samples", [0.8, 30])
@pytest.mark.parametrize("kind", VECTORS)
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_targets_and_weights_of_any_library_give_the_same_index(kind, max_samples):
    make = VECTORS[kind]
    result = fitted(X, make(Y), make(W), max_samples=max_samples)
    assert result.alpha_ == fitted(X, Y, W, max_samples=max_samples).alpha_
    assert result.score(X, make(Y), make(W)) == result.score(X, Y, W)


def test_memory_maps_are_not_copied(tmp_path):
    mapped = memory_map(X, tmp_path)
    assert np.shares_memory(read_features(mapped), mapped)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_arrays_of_xarray_are_lazy_where_they_hold_dask():
    xarray, array = pytest.importorskip("xarray"), pytest.importorskip("dask.array")
    lazy = xarray.DataArray(array.from_array(X, chunks=50))
    assert fitted(lazy, Y, max_samples=30).alpha_ == fitted(X, Y, max_samples=30).alpha_
    with pytest.raises(ValueError, match="X is a Dask collection"):
        fitted(lazy, Y)
    assert fitted(lazy.compute(), Y).alpha_ == fitted(X, Y).alpha_


def test_lazy_frames_of_polars_are_to_be_collected():
    polars = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"pass frame\.collect\(\)"):
        fitted(polars.LazyFrame(FRAME.to_dict("list")), Y)


@pytest.mark.parametrize("n_drawn", [None, 50])
def test_only_rows_drawn_are_read(n_drawn):
    class Counting(RowLists):
        n_read = 0

        def __getitem__(self, rows):
            read = super().__getitem__(rows)
            self.n_read += len(read)
            return read

    counting = Counting(X)
    samples = read_samples(counting, Y, n_drawn=n_drawn, random_state=0)
    assert counting.n_read == len(samples.X) == (n_drawn or 120)
    assert_array_equal(samples.X, X if n_drawn is None else X[samples.rows])
