"""Matrices of features: their dtype, their form and their ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["column_ranges", "feature_dtype", "plain_features"]

_LARGEST_COUNT = 1 << 24  # beyond which float32 has not every integer


def feature_dtype(X: Any) -> type:
    """Choose float32 where it holds all values exactly, else float64.

    It does those of pixels, bits and counts, of whatever type these integers are.
    """
    dtypes = [X.dtype] if hasattr(X, "dtype") else list(getattr(X, "dtypes", [None]))
    if not all(isinstance(dtype, np.dtype) for dtype in dtypes):
        return np.float64
    if all(np.can_cast(dtype, np.float32) for dtype in dtypes):
        return np.float32
    are_counts = all(dtype.kind in "iu" for dtype in dtypes) and _are_counts(X)
    return np.float32 if are_counts else np.float64


def _are_counts(X: Any) -> bool:
    """Return whether float32 has all of these integers."""
    matrix: Any = X
    stored = matrix.tocsr().data if sparse.issparse(X) else np.asarray(X)
    if stored.size == 0:
        return False
    return bool(stored.min() >= -_LARGEST_COUNT and stored.max() <= _LARGEST_COUNT)


def plain_features(X: np.ndarray | sparse.csr_matrix) -> np.ndarray | sparse.csr_matrix:
    """Bring sparse features to one sorted entry per place and 32-bit indices."""
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
