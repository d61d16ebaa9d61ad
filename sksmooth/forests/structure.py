"""Forests as plain arrays: topology, thresholds, and the leaf of every sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import delayed
from numba import njit
from scipy import sparse

from .._progress import run_parallel

__all__ = ["Forest", "Tree", "column_ranges", "dense_rows", "row_blocks"]

_BLOCK_BYTES = 1 << 26  # of X are prepared at a time, whatever its size


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree; every parent is numbered before its children, the root is 0.

    Attributes
    ----------
    left, right : ndarray of shape (n_nodes,), int32
        Children, -1 at leaves.
    feature : ndarray of shape (n_nodes,), int32
        Column that an inner node splits, -1 at leaves.
    threshold : ndarray of shape (n_nodes,), float64
        Samples with ``x[feature] <= threshold`` go left.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray

    def __post_init__(self) -> None:
        inner = np.flatnonzero(self.left >= 0)
        if np.any(self.left[inner] <= inner) or np.any(self.right[inner] <= inner):
            raise ValueError("Every parent must be numbered before its children.")
        for array in (self.left, self.right, self.feature, self.threshold):
            array.setflags(write=False)

    def __setstate__(self, state: dict[str, np.ndarray]) -> None:
        vars(self).update(state)
        self.__post_init__()  # pickles forget that arrays are read-only

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.left)

    @property
    def is_left(self) -> np.ndarray:
        """Whether a node is the left child of its parent."""
        is_left = np.zeros(self.n_nodes, dtype=bool)
        is_left[self.left[self.left >= 0]] = True
        return is_left

    @property
    def parent(self) -> np.ndarray:
        """Parent of every node, -1 for the root."""
        parent = np.full(self.n_nodes, -1, dtype=np.int32)
        inner = np.flatnonzero(self.left >= 0)
        parent[self.left[inner]] = inner
        parent[self.right[inner]] = inner
        return parent


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees over the same columns.

    Attributes
    ----------
    trees : tuple of Tree
        The topologies.
    n_features : int
        Number of columns of the samples.
    single_precision : bool
        Whether samples are rounded to float32 before they are compared with thresholds,
        as scikit-learn's trees do.
    """

    trees: tuple[Tree, ...]
    n_features: int
    single_precision: bool = True

    def apply(self, X: np.ndarray | sparse.csr_matrix, n_jobs: int | None = None):
        """Leaf of every sample in every tree.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Samples; prepared in blocks of rows, never copied whole.
        n_jobs : int or None
            Number of joblib workers over blocks of rows.

        Returns
        -------
        leaves : ndarray of shape (n_trees, n_samples), int32
            Node numbers.
        """
        blocks = row_blocks(X.shape)
        leaves = run_parallel(
            (delayed(self._apply_block)(X[rows]) for rows in blocks),
            len(blocks),
            n_jobs=n_jobs,
            label="leaves",
            verbose=0,
        )
        return np.concatenate(leaves, axis=1)

    def _apply_block(self, X: np.ndarray | sparse.csr_matrix) -> np.ndarray:
        X = dense_rows(X)
        if self.single_precision:
            with np.errstate(over="ignore"):  # beyond float32 is beyond all thresholds
                X = X.astype(np.float32, copy=False)
        leaves = np.empty((len(self.trees), len(X)), dtype=np.int32)
        for tree, row in zip(self.trees, leaves, strict=True):
            _find_leaves(X, tree.left, tree.right, tree.feature, tree.threshold, row)
        return leaves


@njit(cache=True, nogil=True)
def _find_leaves(X, left, right, feature, threshold, out):
    for i in range(X.shape[0]):
        node = 0
        while left[node] >= 0:
            if X[i, feature[node]] <= threshold[node]:
                node = left[node]
            else:
                node = right[node]
        out[i] = node


def dense_rows(X: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """A block of rows as a dense array."""
    return X.toarray() if sparse.issparse(X) else X


def row_blocks(shape: tuple[int, int]) -> list[slice]:
    """Slices that cut a matrix of this shape into blocks of bounded size."""
    rows = max(1, _BLOCK_BYTES // (8 * shape[1]))
    return [slice(start, start + rows) for start in range(0, shape[0], rows)]


def column_ranges(X: np.ndarray | sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of every column."""
    if sparse.issparse(X):
        return (
            X.min(axis=0).toarray().ravel().astype(np.float64),
            X.max(axis=0).toarray().ravel().astype(np.float64),
        )
    return X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
