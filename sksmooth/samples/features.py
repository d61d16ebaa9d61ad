"""Matrices of features: their dtype, their form and their ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["column_ranges", "feature_dtype", "plain_features"]


def feature_dtype(X: Any) -> type:
    """Choose float32 where it holds all values exactly, as for pixels, else float64."""
    dtypes = [X.dtype] if hasattr(X, "dtype") else list(getattr(X, "dtypes", [None]))
    is_narrow = all(
        isinstance(dtype, np.dtype) and np.can_cast(dtype, np.float32) for dtype in dtypes
    )
    return np.float32 if is_narrow else np.float64


def plain_features(X: np.ndarray | sparse.csr_matrix) -> np.ndarray | sparse.csr_matrix:
    """Give sparse features one sorted entry per place and 32-bit indices."""
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


def column_ranges(X: np.ndarray | sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Find the smallest and largest value of every column; 0 where all are NaN."""
    if sparse.issparse(X):
        ranges = X.nanmin(axis=0).toarray().ravel(), X.nanmax(axis=0).toarray().ravel()
    else:
        ranges = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)
    low, high = (np.nan_to_num(ends.astype(np.float64), nan=0.0) for ends in ranges)
    return low, high
