"""Forests as plain arrays: topology, thresholds, and the leaf of every sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from joblib import delayed
from scipy import sparse

from .._lib.compilation import compiled, readable
from .._lib.parallel import run_parallel
from .._lib.state import Versioned
from .categories import CategoryPlaces

__all__ = ["Forest", "Tree", "find_leaves", "row_blocks"]

_BLOCK_BYTES = 1 << 26  # of X are prepared at a time, whatever its size
_SIDE_BY_SIDE = 128  # samples that go down a tree at a time


@dataclass(frozen=True, eq=False)
class Tree(Versioned):
    """A binary tree; every parent is numbered before its children, the root is 0.

    Attributes
    ----------
    left, right : ndarray of shape (n_nodes,), int32
        Children, -1 at leaves.
    feature : ndarray of shape (n_nodes,), int32
        Column that an inner node splits, -1 at leaves.
    threshold : ndarray of shape (n_nodes,), float64
        Samples with ``x[feature] <= threshold`` go left.
    missing_left : ndarray of shape (n_nodes,), bool, default=None
        Whether samples without a value (NaN) go left; None means nowhere.
    places : CategoryPlaces or None, default=None
        Numbers that stand for categories in the comparison with thresholds.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray = None  # type: ignore[assignment]  # filled in at once
    places: CategoryPlaces | None = None

    def __post_init__(self) -> None:
        if self.missing_left is None:
            object.__setattr__(self, "missing_left", np.zeros(self.n_nodes, dtype=bool))
        inner = np.flatnonzero(self.left >= 0)
        if np.any(self.left[inner] <= inner) or np.any(self.right[inner] <= inner):
            raise ValueError("Every parent must be numbered before its children.")
        for array in vars(self).values():
            if isinstance(array, np.ndarray):
                array.setflags(write=False)

    @classmethod
    def leaf(cls) -> Tree:
        """Return the tree of one node."""
        nothing = np.array([-1], dtype=np.int32)
        return cls(nothing, nothing.copy(), nothing.copy(), np.zeros(1))

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.left)

    @property
    def n_bytes(self) -> int:
        """Memory of its arrays."""
        places = () if self.places is None else vars(self.places).values()
        arrays = [*vars(self).values(), *places]
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))

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
class Forest(Versioned):
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
        """Find the leaf of every sample in every tree.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Samples; prepared in blocks of rows, never copied whole. NaN where there is no
            value.
        n_jobs : int or None
            Number of joblib workers over blocks of rows.

        Returns
        -------
        leaves : ndarray of shape (n_trees, n_samples), int32
            Node numbers.
        """
        if X.shape[1] != self.n_features:
            raise ValueError(
                f"X has {X.shape[1]} features, but the forest has {self.n_features}."
            )
        blocks = row_blocks(X.shape)
        leaves = run_parallel(
            (delayed(find_leaves)(self, X[rows]) for rows in blocks),
            len(blocks),
            n_jobs=n_jobs,
            label="leaves",
            verbose=0,
            are_short=True,
        )
        return np.concatenate(leaves, axis=1)


def find_leaves(forest: Forest, X: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Find the leaf of every sample as :meth:`Forest.apply` does, in this thread."""
    leaves = np.empty((len(forest.trees), X.shape[0]), dtype=np.int32)
    for rows in row_blocks(X.shape):
        block = X[rows]
        find: Any
        if sparse.issparse(block):
            data = _rounded(block.data, forest.single_precision)
            find = partial(
                _find_sparse_leaves,
                readable(data, np.float64),
                readable(block.indices, np.int64),
                readable(block.indptr, np.int64),
                np.zeros(block.shape[1]),
            )
        else:
            samples = _rounded(block, forest.single_precision)
            find = partial(_find_leaves, *_of_either_dtype(samples))
        for tree, row in zip(forest.trees, leaves, strict=True):
            if tree.places is not None:
                find = partial(_find_leaves, *_of_either_dtype(tree.places.put(samples)))
            find(
                tree.left,
                tree.right,
                tree.feature,
                tree.threshold,
                tree.missing_left,
                row[rows],
            )
    return leaves


_NO_SINGLE = readable(np.zeros((0, 0)), np.float32)
_NO_DOUBLE = readable(np.zeros((0, 0)), np.float64)


def _of_either_dtype(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return samples as float32 or as float64, the other one being empty.

    So one loop reads both as they are; to convert wide ones takes longer than the loop.
    """
    if samples.dtype == np.float32:
        return readable(samples, np.float32), _NO_DOUBLE
    return _NO_SINGLE, readable(samples, np.float64)


def _rounded(values: np.ndarray, single_precision: bool) -> np.ndarray:
    if not single_precision:
        return values
    with np.errstate(over="ignore"):  # beyond float32 is beyond all thresholds
        return values.astype(np.float32, copy=False)


@compiled
def _find_leaves(single, double, left, right, feature, threshold, missing_left, out):
    """Find leaves of the samples in the one of two arrays that is not empty.

    Some samples go down side by side, without branches on values, of which every other one
    would be mispredicted: sample by sample takes 2.5 times as long.
    """
    is_double = len(double) > 0
    n_nodes, n_samples = len(left), len(out)
    # Unsigned, as signed indices are tested for being negative.
    children = np.empty(2 * n_nodes, dtype=np.uint32)
    column = np.empty(n_nodes, dtype=np.uint32)
    for node in range(n_nodes):
        children[2 * node], children[2 * node + 1] = right[node], left[node]
        column[node] = feature[node]
    own = np.empty(_SIDE_BY_SIDE, dtype=np.uint32)
    for start in range(0, n_samples, _SIDE_BY_SIDE):
        n_open = min(_SIDE_BY_SIDE, n_samples - start)
        for j in range(n_open):
            own[j] = start + j
            out[start + j] = 0
        if left[0] < 0:
            continue
        while n_open > 0:
            n_inner = 0
            for j in range(n_open):
                i = own[j]
                node = np.uint32(out[i])
                k = column[node]
                value = double[i, k] if is_double else np.float64(single[i, k])
                goes_left = value <= threshold[node]
                goes_left |= missing_left[node] & (value != value)
                node = children[2 * node + np.uint32(goes_left)]
                out[i] = node
                own[n_inner] = i
                n_inner += left[node] >= 0
            n_open = n_inner


@compiled
def _find_sparse_leaves(
    data, indices, indptr, row, left, right, feature, threshold, missing_left, out
):  # fmt: skip
    """Spread one row at a time over a dense one, which is cleared again entry by entry."""
    for i in range(len(out)):
        start, stop = indptr[i], indptr[i + 1]
        for entry in range(start, stop):
            row[indices[entry]] = data[entry]
        node = 0
        while left[node] >= 0:
            value = row[feature[node]]
            if value <= threshold[node] or (missing_left[node] and np.isnan(value)):
                node = left[node]
            else:
                node = right[node]
        out[i] = node
        for entry in range(start, stop):
            row[indices[entry]] = 0.0


def row_blocks(shape: tuple[int, int]) -> list[slice]:
    """Cut a matrix of this shape into blocks of rows of bounded size."""
    rows = max(1, _BLOCK_BYTES // (8 * shape[1]))
    return [slice(start, start + rows) for start in range(0, shape[0], rows)]
