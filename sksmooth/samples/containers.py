"""What holds samples: arrays and tables of many libraries, in memory or not."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import partial
from itertools import chain
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .._lib.optional import comes_from
from .._lib.scikit_learn import safe_indexing
from .maps import has_rows_in_a_map, read_mapped_rows

__all__ = [
    "as_array",
    "column_at",
    "column_names",
    "columns_of",
    "holds_categories",
    "in_memory",
    "is_categorical",
    "is_dask",
    "number_of_rows",
    "objects",
    "read_rows",
]

_KNOWN = (np.ndarray, np.generic, pd.Index, pd.Series, pd.api.extensions.ExtensionArray)


def is_dask(data: Any) -> bool:
    """Return whether data are a lazy collection of Dask, which need not be installed."""
    graph = getattr(data, "__dask_graph__", None)
    return graph is not None and graph() is not None  # xarray has none in memory


def number_of_rows(data: Any, name: str = "X") -> int:
    """Count the rows of anything with a shape or a length; 0 if it has neither.

    Raises
    ------
    ValueError
        If it is a lazy array of unknown length, or a lazy data frame.
    """
    shape: Any = getattr(data, "shape", None)
    if shape is None:
        shape = (len(data),) if hasattr(data, "__len__") else ()
    n_rows = shape[0] if len(shape) else 0
    if is_dask(data) and not isinstance(n_rows, int):
        raise ValueError(
            f"The number of rows of {name} is not known; pass a Dask array with known "
            "chunks: array.compute_chunk_sizes(), or frame.to_dask_array(lengths=True)."
        )
    return n_rows


def read_rows(data: Any, rows: np.ndarray) -> Any:
    """Read some rows of samples, targets or weights into memory; None stays None.

    Parameters
    ----------
    data : array, table or sparse matrix of any library, or None
        Whatever gives rows by a list of their numbers.
    rows : ndarray of intp
        Their numbers, in increasing order, as files of HDF5 want them.

    Returns
    -------
    data : object
        The rows, of the same type where it is one of NumPy, pandas, polars or SciPy.
    """
    if is_dask(data):
        return in_memory(data[rows].compute())
    if _is_arrow(data):
        return in_memory(data.take(rows))
    if sparse.issparse(data):
        matrix: Any = data
        data = matrix.tocsr()  # some formats have no rows to take
    if hasattr(data, "shape") and not _is_known(data):
        return data[rows.tolist()]
    if has_rows_in_a_map(data):
        return read_mapped_rows(data, rows)
    return None if data is None else safe_indexing(data, rows)


def in_memory(data: Any) -> Any:
    """Read arrays of other libraries into NumPy, and Arrow's tables into pandas.

    Sparse matrices, and arrays and frames of pandas and polars, are left as they are.
    """
    if comes_from(data, "polars") and hasattr(data, "collect"):
        raise TypeError("A polars LazyFrame has no rows yet; pass frame.collect().")
    if is_dask(data):
        data = data.compute()
    if _is_arrow(data):
        return data.to_pandas(date_as_object=False)
    if hasattr(data, "shape") and not _is_known(data):
        return np.asarray(data if hasattr(data, "__array__") else data[:])
    return data


def as_array(y: Any) -> np.ndarray:
    """Make an array of targets, in which labels stay the objects that they are.

    NumPy makes text of a list of text and numbers, and a matrix of a list of tuples.
    """
    y = in_memory(y)
    if isinstance(y, list | tuple):
        if _holds_tuples(y):
            return objects(y)
        array = np.asarray(y)
        is_mixed = array.dtype.kind == "U" and array.ndim == 1
        if is_mixed and any(type(label) not in (str, np.str_) for label in y):
            return objects(y)
        return array
    return np.asarray(y)


def objects(values: Any) -> np.ndarray:
    """Make a vector of objects, sequences among them."""
    vector = np.empty(len(values), dtype=object)
    vector[:] = list(values)
    return vector


def _holds_tuples(y: list | tuple) -> bool:
    """Return whether some elements are tuples, but not rows of numbers."""
    tuples = [label for label in y if isinstance(label, tuple)]
    if len(tuples) < len(y):
        return len(tuples) > 0
    return not all(isinstance(part, Number) for part in chain.from_iterable(tuples))


def columns_of(data: Any) -> Iterator[tuple[Hashable, Any, Callable[[], Any]]]:
    """Yield the name and the dtype of every column of a table or an array, and its values.

    The values are what a function gives, since to take all columns of a wide frame takes
    longer than all else that is read of it. The name is None where there is one column of
    no name. Numbers are one column, since they have one dtype.
    """
    if hasattr(data, "columns") and hasattr(data, "dtypes"):
        for k, (name, dtype) in enumerate(zip(data.columns, data.dtypes, strict=True)):
            yield name, dtype, partial(column_at, data, k)
        return
    if isinstance(data, list | tuple):
        data = as_array(data)
    dtype = getattr(data, "dtype", None)
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.dtype.kind == "O":
        for k in range(data.shape[1]):
            yield k, dtype, partial(column_at, data, k)
    elif dtype is not None:
        yield getattr(data, "name", None), dtype, lambda: data


def column_names(data: Any) -> list[Any]:
    """Return the names of the columns of a table, or their positions in an array."""
    return list(getattr(data, "columns", range(np.shape(data)[1])))


def column_at(data: Any, place: int) -> Any:
    """Take one column of a table or an array, as a Series of pandas or an array."""
    if isinstance(data, pd.DataFrame):
        return data.iloc[:, place]
    if hasattr(data, "columns"):
        return objects(data[data.columns[place]].to_list())
    return np.asarray(data)[:, place]


def holds_categories(data: Any) -> bool:
    """Return whether a column of the data is of a dtype of categories, of any library."""
    return any(is_categorical(dtype) for _, dtype, _ in columns_of(data))


def is_categorical(dtype: Any) -> bool:
    """Return whether a dtype is one of categories, of pandas, polars or Arrow."""
    name = str(dtype).lower()
    return name == "category" or name.startswith(("categorical", "enum", "dictionary"))


def _is_arrow(data: Any) -> bool:
    return comes_from(data, "pyarrow") and hasattr(data, "to_pandas")


def _is_known(data: Any) -> bool:
    """Return whether scikit-learn takes rows and dtypes of the data as they are."""
    is_frame = hasattr(data, "dtypes") or comes_from(data, "polars")
    return is_frame or isinstance(data, _KNOWN) or sparse.issparse(data)
