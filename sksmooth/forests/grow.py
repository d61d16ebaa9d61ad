"""The built-in forest: subsampled trees with exact splits.

The one entry, :func:`grow_forest`, takes prepared targets and gives plain trees and the
weights each of them was grown on; who grows them is hidden behind it.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np
from joblib import delayed
from numba import njit
from scipy import sparse
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import check_random_state

from .._progress import run_parallel
from ..targets import Targets
from .read import read_tree
from .sampling import CanonicalOrder, draw_bags
from .structure import Forest, Tree, column_ranges, dense_rows, row_blocks

__all__ = ["grow_forest"]

# scikit-learn's trees round features to float32 and take values closer than 1e-7 as
# equal; columns within these bounds keep enough of their resolution to be used as they
# are.
_SMALLEST_RANGE, _LARGEST_VALUE = 1e-2, 1e30
# Samples halfway between the two sides of a cut go left whatever the rounding.
_LEANING = 1e-9


def grow_forest(
    X: np.ndarray | sparse.csr_matrix,
    targets: Targets,
    weights: np.ndarray,
    canonical: CanonicalOrder,
    *,
    n_estimators: int,
    max_depth: int | None = None,
    max_features: float | int | str | None = None,
    max_samples: float | int = 1.0,
    max_bins: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[Forest, np.ndarray]:
    """Grow trees by least squares (or Gini, which is the same) on subsamples.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Finite samples, float32 or float64.
    targets : Targets
        What to fit.
    weights : ndarray of shape (n_samples,), float64
        Positive sample weights.
    canonical : CanonicalOrder
        Canonical order of the samples, by which the subsamples are drawn.
    n_estimators, max_depth, max_features, max_samples, max_bins, random_state, n_jobs, \
verbose
        As in :class:`sksmooth.BesovSmoothnessEstimator`.

    Returns
    -------
    forest : Forest
        The trees.
    bags : ndarray of shape (n_estimators, n_samples), float64
        The weight of every sample in every tree, 0 where it is out of the bag.
    """
    rng = check_random_state(random_state)
    fraction = _bag_fraction(max_samples, len(weights))
    bags = draw_bags(canonical, weights, n_estimators, fraction, rng)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_estimators)
    codes = _feature_codes(X, weights, max_bins)
    labels = _growth_targets(targets, weights)
    grower = DecisionTreeRegressor if targets.codes is None else DecisionTreeClassifier
    trees = run_parallel(
        (
            delayed(_grow_tree)(
                grower(max_depth=max_depth, max_features=max_features, random_state=seed),
                X,
                codes,
                labels,
                bag,
            )
            for seed, bag in zip(seeds.tolist(), bags, strict=True)
        ),
        n_estimators,
        n_jobs=n_jobs,
        label="trees",
        verbose=verbose,
    )
    return Forest(tuple(trees), X.shape[1], single_precision=False), bags


def _grow_tree(grower, X, codes, labels, bag) -> Tree:
    # A weight of zero leaves a sample out of the growth without copying the others.
    grower.fit(codes, labels, sample_weight=bag, check_input=False)
    return _with_cuts_between_values(read_tree(grower.tree_), X, codes, grower, bag)


def _with_cuts_between_values(tree: Tree, X, codes, grower, bag) -> Tree:
    """The tree with thresholds halfway between the values that they separate."""
    below = np.full(tree.n_nodes, -np.inf)
    above = np.full(tree.n_nodes, np.inf)
    parent, is_left = tree.parent, tree.is_left
    for rows in row_blocks(X.shape):
        in_bag = np.flatnonzero(bag[rows] > 0)
        leaves = grower.tree_.apply(codes[rows])
        _bracket_cuts(
            dense_rows(X[rows]), in_bag, leaves, parent, is_left, tree.feature, below, above
        )
    inner = tree.left >= 0
    below, above = below[inner], above[inner]
    middle = (0.5 - _LEANING) * below + (0.5 + _LEANING) * above
    threshold = np.zeros(tree.n_nodes)
    threshold[inner] = np.clip(middle, below, np.nextafter(above, -np.inf))
    return Tree(tree.left, tree.right, tree.feature, threshold)


@njit(cache=True, nogil=True)
def _bracket_cuts(X, rows, leaves, parent, is_left, feature, below, above):
    """Largest value to the left and smallest to the right of every cut."""
    for i in rows:
        node = leaves[i]
        while node > 0:
            up = parent[node]
            value = X[i, feature[up]]
            if is_left[node]:
                below[up] = max(below[up], value)
            else:
                above[up] = min(above[up], value)
            node = up


def _growth_targets(targets: Targets, weights: np.ndarray) -> np.ndarray:
    if targets.codes is not None:
        return targets.codes.astype(np.float64)[:, None]
    # Splits do not depend on the unit of y, but scikit-learn stops at an impurity of
    # 1e-16, so the variance must be of order one.
    centred = targets.values - np.average(targets.values, axis=0, weights=weights)
    return centred / np.sqrt(np.mean(centred**2))


def _bag_fraction(max_samples: float | int, n_samples: int) -> float:
    if not isinstance(max_samples, Integral):
        return max_samples
    if max_samples > n_samples:
        raise ValueError(
            f"max_samples={max_samples} is more than the {n_samples} rows; lower it, or "
            "pass a fraction."
        )
    return max_samples / n_samples


def _feature_codes(X, weights: np.ndarray, max_bins: int | None):
    """Features as float32 numbers in the same order, on which scikit-learn can grow.

    float32 features of ordinary scale are used as they are; others are replaced by their
    ranks, which float32 holds exactly. Trees depend on the order of the values alone.
    """
    if sparse.issparse(X):
        if max_bins is not None:
            raise ValueError(
                "max_bins needs dense features; leave it at None for sparse X."
            )
        return X if _is_growable(X) else _sparse_ranks(X)
    if max_bins is None and _is_growable(X):
        return X
    codes = np.empty(X.shape, dtype=np.float32, order="F")
    for k in range(X.shape[1]):
        values, ranks = np.unique(X[:, k], return_inverse=True)
        if max_bins is not None and len(values) > max_bins:
            ranks = _bins_of_ranks(ranks, weights, max_bins)
        codes[:, k] = ranks
    return codes


def _is_growable(X) -> bool:
    if X.dtype != np.float32:
        return False
    low, high = column_ranges(X)
    varying = high > low
    smallest = (high[varying] - low[varying]).min(initial=1.0)
    largest = np.maximum(np.abs(low), np.abs(high)).max(initial=0.0)
    return bool(smallest >= _SMALLEST_RANGE and largest <= _LARGEST_VALUE)


def _sparse_ranks(X: sparse.csr_matrix) -> sparse.csr_matrix:
    """Ranks counted from zero up and down, so that zeros stay zeros."""
    columns = sparse.csc_matrix(X)
    data = np.empty(columns.nnz, dtype=np.float32)
    for start, stop in zip(columns.indptr[:-1], columns.indptr[1:], strict=True):
        values, ranks = np.unique(columns.data[start:stop], return_inverse=True)
        n_negative = np.searchsorted(values, 0.0)
        has_no_zero = n_negative == len(values) or values[n_negative] != 0.0
        ranks = ranks - n_negative
        data[start:stop] = ranks + (has_no_zero & (ranks >= 0))
    ranked = sparse.csc_matrix((data, columns.indices, columns.indptr), columns.shape)
    return sparse.csr_matrix(ranked)


def _bins_of_ranks(ranks: np.ndarray, weights: np.ndarray, max_bins: int) -> np.ndarray:
    """Bins of equal weight, up to values that are heavier than a bin."""
    weight = np.bincount(ranks, weights=weights)
    middle = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    return np.floor(middle * max_bins)[ranks]
