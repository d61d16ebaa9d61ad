"""Checks of samples, weights and frames that several public entries share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from .._lib.scikit_learn import check_sample_weight, safe_indexing

__all__ = [
    "feature_dtype",
    "has_weight",
    "is_dask",
    "number_of_rows",
    "plain_features",
    "positively_weighted",
    "read_rows",
    "reading",
    "refuse_hidden_gaps",
]

# The smallest weight that counts beside the largest: float64 sums would lose others.
_LEAST_WEIGHT = 1e-12


def plain_features(X: np.ndarray | sparse.csr_matrix) -> np.ndarray | sparse.csr_matrix:
    """Sparse samples with one sorted entry per place and 32-bit indices; dense as is."""
    if not sparse.issparse(X):
        return X
    X = sparse.csr_matrix(X)
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    if X.indices.dtype != np.int32 and max(X.nnz, *X.shape) <= np.iinfo(np.int32).max:
        indices, indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
        X = sparse.csr_matrix((X.data, indices, indptr), X.shape)
    return X


def feature_dtype(X: Any) -> type:
    """float32 where it holds all values exactly, as for pixels; float64 otherwise."""
    dtypes = [X.dtype] if hasattr(X, "dtype") else list(getattr(X, "dtypes", [None]))
    is_narrow = all(
        isinstance(dtype, np.dtype) and np.can_cast(dtype, np.float32) for dtype in dtypes
    )
    return np.float32 if is_narrow else np.float64


@contextmanager
def reading(data: Any, name: str) -> Iterator[None]:
    """Where an argument becomes float64 numbers: say what cannot, and do not warn, too."""
    refuse_hidden_gaps(data, name)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(f"{name} holds numbers that are too large for float64.") from error


def refuse_hidden_gaps(data: Any, name: str) -> None:
    """Refuse missing values that would become numbers: masked entries, missing dates."""
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise ValueError(
            f"{name} is a masked array, of which the masked entries would count as "
            f"numbers; fill them (in X by NaN: X.filled(np.nan)), or drop those rows."
        )
    if _holds_dates(data) and pd.isna(np.asarray(data)).any():
        raise ValueError(f"{name} holds missing dates (NaT); fill or drop those rows.")


def _holds_dates(data: Any) -> bool:
    dtype, schema = getattr(data, "dtype", None), getattr(data, "schema", None)
    dtypes = getattr(data, "dtypes", getattr(schema, "types", [dtype]))  # Arrow's tables
    names = {str(each).lower() for each in np.atleast_1d(np.array(dtypes, dtype=object))}
    return any(name.startswith(("date", "time", "duration")) for name in names)


def is_dask(data: Any) -> bool:
    """Whether data are a lazy collection of Dask, which need not be installed."""
    return hasattr(data, "__dask_graph__")


def number_of_rows(data: Any, name: str = "X") -> int:
    """Number of rows of anything with a shape or a length; 0 if it has neither.

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
    """Some rows of samples, targets or weights, in memory; None stays None."""
    if data is None:
        return None
    if is_dask(data):
        return data[rows].compute()
    return safe_indexing(data, rows)


def positively_weighted(
    X: Any, y: ArrayLike, sample_weight: ArrayLike | None, fewest: int = 1
) -> tuple[Any, ArrayLike, np.ndarray]:
    """Drop the samples of weight zero, which must be as if they were not there.

    The weights come back in units of the smallest one, in which multiples of one number
    are whole numbers, of which the sums in the trees are exact.
    """
    if sample_weight is None:
        return X, y, np.ones(X.shape[0])
    weights = _checked_weights(sample_weight, X)
    kept = weights > 0
    if not kept.any():
        raise ValueError("sample_weight is zero for all samples.")
    unit = max(weights[kept].min(), _LEAST_WEIGHT * weights.max())
    with np.errstate(over="ignore"):  # old NumPy warns of subnormal units without a reason
        weights = np.where(kept, np.maximum(weights / unit, 1.0), 0.0)
    whole = np.rint(weights)
    weights = np.where(np.abs(weights - whole) < 1e-9 * weights, whole, weights)
    if kept.all():
        return X, y, weights
    if kept.sum() < fewest:
        raise ValueError(
            f"Only {kept.sum()} samples have a positive weight; "
            f"at least {fewest} are needed."
        )
    return X[kept], safe_indexing(y, np.flatnonzero(kept)), weights[kept]


def has_weight(sample_weight: ArrayLike | None, X: Any) -> np.ndarray:
    """Which samples have a positive weight: all of them if there are no weights."""
    return _checked_weights(sample_weight, X) > 0


def _checked_weights(sample_weight: ArrayLike | None, X: Any) -> np.ndarray:
    if np.iscomplexobj(np.asarray(sample_weight)):
        raise ValueError("sample_weight holds complex numbers; weights must be >= 0.")
    with reading(sample_weight, "sample_weight"):
        weights = check_sample_weight(sample_weight, X, dtype=np.float64)
    if (weights < 0).any():
        raise ValueError("sample_weight holds negative values; weights must be >= 0.")
    return weights
