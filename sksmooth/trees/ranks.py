"""Ranks of the values of every feature, two bytes an entry, computed once for all trees.

They lie as samples do in memory, so that a node of few samples, which tries a few of many
features, reads from a few lines of the cache.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._lib.compilation import compiled
from .bins import MISSING_CODE, in_blocks
from .radix import NO_NUMBER, bits_of, scratch_for, sort_column

__all__ = ["MISSING_RANK", "rank_codes", "rank_features", "with_ranks"]

MISSING_RANK = (1 << 16) - 1  # of samples without a value: above all others


def rank_features(
    X: np.ndarray | sparse.csr_matrix, n_jobs: int | None = None
) -> np.ndarray | None:
    """Rank of every value among the distinct ones of its column.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples; NaN where there is no value. Copied a block of columns at a time.
    n_jobs : int or None
        Number of joblib workers, over blocks of columns.

    Returns
    -------
    ranks : ndarray of shape (n_samples, n_features), uint16, or None
        None if X is sparse, or a column has more distinct values than 16 bits can number.
    """
    if sparse.issparse(X):
        return None
    ranks = np.empty(X.shape, dtype=np.uint16)

    def fill(block: slice, columns: np.ndarray) -> bool:
        return _rank_columns(bits_of(columns), ranks[:, block])

    if not all(in_blocks(X, fill, n_jobs)):
        return None
    return _read_only(ranks)


def rank_codes(codes: np.ndarray | sparse.csr_matrix) -> np.ndarray | None:
    """Codes of bins, one row per feature, as ranks; None if they are sparse."""
    if sparse.issparse(codes):
        return None
    ranks = np.ascontiguousarray(codes.T).astype(np.uint16)
    ranks[ranks == MISSING_CODE] = MISSING_RANK
    return _read_only(ranks)


def with_ranks(
    ranks: np.ndarray, features: np.ndarray, other: np.ndarray | None
) -> np.ndarray | None:
    """Return ranks in which some features have others; None if those have none."""
    if other is None:
        return None
    ranks = ranks.copy()
    ranks[:, features] = other
    return _read_only(ranks)


def _read_only(ranks: np.ndarray) -> np.ndarray:
    # As memory maps in other processes are, so that kernels are compiled for one kind.
    ranks.setflags(write=False)
    return ranks


@compiled
def _rank_columns(bits, ranks):
    """Write ranks, unless there are too many, of numbers given by their bits."""
    n = bits.shape[1]
    keys, order, counts = scratch_for(n)
    for k in range(len(bits)):
        side = sort_column(bits[k], keys, order, counts)
        rank, previous = -1, NO_NUMBER
        for j in range(n):
            key = keys[side, j]
            if key != previous:
                rank, previous = rank + 1, key
            if rank == MISSING_RANK and key != NO_NUMBER:
                return False
            ranks[order[side, j], k] = MISSING_RANK if key == NO_NUMBER else rank
    return True
