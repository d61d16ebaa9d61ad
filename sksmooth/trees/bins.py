"""Quantile bins of the features, one byte an entry, computed once for all trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from scipy import sparse

from .._lib.compilation import compiled
from .kernels import MISSING_CODE, MOST_BINS
from .radix import NO_NUMBER, bits_of, scratch_for, sort_column

__all__ = [
    "MISSING_CODE",
    "MOST_BINS",
    "BinnedFeatures",
    "NodeCodes",
    "bin_features",
    "in_blocks",
]

# Columns are copied and sorted in blocks. All workers together hold this much of X, or
# this share of it: small data then take little, and maps on disk are read in long pieces.
_BLOCK_BYTES, _BLOCK_SHARE = 1 << 20, 1 / 64
_ROWS_AT_A_TIME = 512
# Placeholders for the unused kind of codes: kernels take both kinds.
_NO_CODES = np.empty((0, 0), dtype=np.uint8)
_NO_CODES.setflags(write=False)
_NOTHING_STORED: Any = (_NO_CODES.ravel().copy(), *np.empty((2, 0), dtype=np.int32))


class NodeCodes(NamedTuple):
    """Codes of the samples of one node, in one of two forms; the other is empty.

    Attributes
    ----------
    dense : ndarray of shape (n_features, n_all_samples), uint8
        Codes of all samples.
    rows : ndarray of shape (n_samples,), intp
        Columns of ``dense`` that are the samples of the node, increasing.
    data, indices, indptr : ndarray
        CSC codes of the samples of the node alone.
    zero_codes : ndarray of shape (n_features,), uint8
        Codes of the entries that are not stored there.
    n_bins : ndarray of shape (n_features,), int32
        Number of bins of every feature.
    """

    dense: np.ndarray
    rows: np.ndarray
    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    zero_codes: np.ndarray
    n_bins: np.ndarray

    def column(self, feature: int) -> np.ndarray:
        """Return the codes of the samples in one feature."""
        if self.dense.size:
            return self.dense[feature, self.rows]
        stored = slice(self.indptr[feature], self.indptr[feature + 1])
        codes = np.full(len(self.rows), self.zero_codes[feature])
        codes[self.indices[stored]] = self.data[stored]
        return codes


@dataclass(frozen=True, eq=False)
class BinnedFeatures:
    """Bins of equal weight, as far as equal values allow; exact for few distinct ones.

    Attributes
    ----------
    codes : ndarray of shape (n_features, n_samples), or CSR matrix of the shape of X, uint8
        Bin of every entry; in a sparse matrix only of those that are stored.
    zero_codes : ndarray of shape (n_features,), uint8
        Bin of zero, for the entries that a sparse matrix does not store.
    lowest, highest : ndarray of shape (n_features, MOST_BINS), dtype of X
        Smallest and largest value in every bin; infinite beyond the last one.
    """

    codes: np.ndarray | sparse.csr_matrix
    zero_codes: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray

    def __post_init__(self) -> None:
        # As memory maps in other processes are, so that kernels are compiled for one kind.
        parts = (self.codes,) if isinstance(self.codes, np.ndarray) else ()
        for array in (*parts, self.zero_codes):
            array.setflags(write=False)

    @cached_property
    def n_bins(self) -> np.ndarray:
        """Number of bins of every feature, shape (n_features,), int32."""
        return np.isfinite(self.lowest).sum(axis=1, dtype=np.int32)

    @cached_property
    def hold_all(self) -> bool:
        """Whether every bin has one value, so that codes are as exact as values."""
        return bool((self.lowest == self.highest).all())

    def of_node(self, rows: np.ndarray) -> NodeCodes:
        """Return the codes of some samples as the histogram kernels take them."""
        if not sparse.issparse(self.codes):
            data, indices, indptr = _NOTHING_STORED
            stored = data, indices, indptr
            return NodeCodes(self.codes, rows, *stored, self.zero_codes, self.n_bins)
        part = sparse.csc_matrix(self.codes[rows])
        stored = part.data, part.indices, part.indptr
        return NodeCodes(_NO_CODES, rows, *stored, self.zero_codes, self.n_bins)

    def with_features(self, features: np.ndarray, other: BinnedFeatures) -> BinnedFeatures:
        """Return dense codes in which some features are those of others."""
        parts = []
        for name in ("codes", "zero_codes", "lowest", "highest"):
            part = getattr(self, name).copy()
            part[features] = getattr(other, name)
            parts.append(part)
        return BinnedFeatures(*parts)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return dense codes of some samples, one row per feature."""
        if not sparse.issparse(self.codes):
            return self.codes[:, rows]
        own = self.of_node(rows)
        dense = np.repeat(self.zero_codes[:, None], len(rows), axis=1)
        features = np.repeat(np.arange(len(dense)), np.diff(own.indptr))
        dense[features, own.indices] = own.data
        return dense


def bin_features(
    X: np.ndarray | sparse.csr_matrix,
    weights: np.ndarray,
    max_bins: int = MOST_BINS,
    n_jobs: int | None = None,
) -> BinnedFeatures:
    """Sort every column once, and cut it at its quantiles.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples; NaN where there is no value. Copied a block of columns at a time.
    weights : ndarray of shape (n_samples,), float64
        Positive sample weights, of which all sums are exact.
    max_bins : int, default=255
        Largest number of bins of a column, at most 255.
    n_jobs : int or None
        Number of joblib workers, over blocks of columns.

    Returns
    -------
    binned : BinnedFeatures
        Codes and bins.
    """
    if sparse.issparse(X):
        return _bin_sparse(X, weights, max_bins)
    codes = np.empty(X.shape[::-1], dtype=np.uint8)
    lowest, highest = _no_bins(X)

    def fill(block: slice, columns: np.ndarray) -> None:
        _bin_columns(
            columns, weights, max_bins, lowest[block], highest[block], codes[block]
        )

    in_blocks(X, fill, n_jobs)
    return BinnedFeatures(codes, np.zeros(X.shape[1], dtype=np.uint8), lowest, highest)


def in_blocks(
    X: np.ndarray, action: Callable[[slice, np.ndarray], Any], n_jobs: int | None
) -> list[Any]:
    """Run an action on all blocks of columns, each with a copy of its columns."""
    n_samples, n_features = X.shape
    n_workers = min(effective_n_jobs(n_jobs), cpu_count())
    block_bytes = max(_BLOCK_BYTES, X.nbytes * _BLOCK_SHARE) / n_workers
    width = max(1, int(block_bytes / (X.itemsize * n_samples)))

    def act(block: slice) -> Any:
        return action(block, _transposed(X[:, block]))

    # Use threads whatever the backend: they write to one array, and X is not sent.
    return Parallel(n_jobs=n_workers, backend="threading")(
        delayed(act)(slice(start, start + width)) for start in range(0, n_features, width)
    )


def _transposed(block: np.ndarray) -> np.ndarray:
    """Copy columns side by side, so many rows at a time that they stay in the cache."""
    columns = np.empty(block.shape[::-1], dtype=block.dtype)
    for start in range(0, len(block), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        columns[:, rows] = block[rows].T
    return columns


def _no_bins(X) -> tuple[np.ndarray, np.ndarray]:
    empty = np.full((X.shape[1], MOST_BINS), np.inf, dtype=X.dtype)
    return empty, empty.copy()


def _bin_sparse(X: sparse.csr_matrix, weights: np.ndarray, max_bins: int):
    columns = sparse.csc_matrix(X)
    lowest, highest = _no_bins(X)
    codes = np.empty(X.nnz, dtype=np.uint8)
    zero_codes = np.empty(X.shape[1], dtype=np.uint8)
    total = weights.sum()
    for k in range(X.shape[1]):
        stored = slice(columns.indptr[k], columns.indptr[k + 1])
        values, values_weights = columns.data[stored], weights[columns.indices[stored]]
        if len(values) < X.shape[0]:  # all zeros that are not stored are one more sample
            values = np.append(values, X.dtype.type(0))
            values_weights = np.append(values_weights, total - values_weights.sum())
        part = np.empty((1, len(values)), dtype=np.uint8)
        ends = lowest[k : k + 1], highest[k : k + 1]
        _bin_columns(values[None], values_weights, max_bins, *ends, part)
        codes[stored] = part[0, : stored.stop - stored.start]
        zero_codes[k] = part[0, -1]
    codes = sparse.csc_matrix((codes, columns.indices, columns.indptr), X.shape)
    return BinnedFeatures(sparse.csr_matrix(codes), zero_codes, lowest, highest)


def _bin_columns(columns, weights, max_bins, lowest, highest, codes) -> None:
    """Bins and codes of the rows of ``columns``, written to the last three arrays."""
    values = columns.astype(np.float64, copy=False)
    ends = np.full((2, len(values), MOST_BINS), np.inf)
    _cut_columns(values, bits_of(values), weights, max_bins, ends[0], ends[1], codes)
    lowest[:], highest[:] = ends


@compiled
def _cut_columns(values, bits, weights, max_bins, lowest, highest, codes):
    """Sort values, given their bits as well, cut them into bins, and write codes."""
    n_samples = values.shape[1]
    keys, order, counts = scratch_for(n_samples)
    for k in range(len(values)):
        side = sort_column(bits[k], keys, order, counts)
        n_present, n_distinct, total, previous = 0, 0, 0.0, NO_NUMBER
        for j in range(n_samples):
            key = keys[side, j]
            if key == NO_NUMBER:
                codes[k, order[side, j]] = MISSING_CODE
            else:
                n_present += 1
                n_distinct += key != previous
                total += weights[order[side, j]]
                previous = key
        n_bins, last_place, before = 0, -1, 0.0
        start = 0
        while start < n_present:
            stop, weight = start, 0.0
            while stop < n_present and keys[side, stop] == keys[side, start]:
                weight += weights[order[side, stop]]
                stop += 1
            place = n_bins
            if n_distinct > max_bins:  # by the middle of the value's weight
                place = int((before + 0.5 * weight) / total * max_bins)
            value = values[k, order[side, start]]
            if place != last_place:
                lowest[k, n_bins] = value
                n_bins += 1
                last_place = place
            highest[k, n_bins - 1] = value
            for j in range(start, stop):
                codes[k, order[side, j]] = n_bins - 1
            before += weight
            start = stop
