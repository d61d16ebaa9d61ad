"""The built-in forest: subsampled trees with exact splits.

The one entry, :func:`grow_forest`, takes prepared targets and gives plain trees and the
weights each of them was grown on; who grows them is hidden behind it.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np
from joblib import delayed
from scipy import sparse
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import check_random_state

from .._progress import run_parallel
from ..targets import Targets
from .read import read_tree
from .sampling import draw_bags
from .structure import FeatureScaling, Forest, Tree, column_ranges

__all__ = ["grow_forest"]

# scikit-learn's trees take values closer than 1e-7 as equal; columns of this range keep
# enough of their resolution in float32 to be used as they are.
_SMALLEST_RANGE, _LARGEST_VALUE = 1e-2, 1e30


def grow_forest(
    X: np.ndarray | sparse.csr_matrix,
    targets: Targets,
    weights: np.ndarray,
    order: np.ndarray,
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
    order : ndarray of shape (n_samples,)
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
    bags = draw_bags(order, weights, n_estimators, fraction, rng)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_estimators)
    scaling = _scaling(X)
    grown_on, edges = _prepare_features(X, scaling, max_bins)
    labels = _growth_targets(targets, weights)
    grower = DecisionTreeRegressor if targets.codes is None else DecisionTreeClassifier
    trees = run_parallel(
        (
            delayed(_grow_tree)(
                grower(max_depth=max_depth, max_features=max_features, random_state=seed),
                grown_on,
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
    if edges is not None:
        trees = [_unbin(tree, edges) for tree in trees]
    return Forest(tuple(trees), X.shape[1], scaling), bags


def _grow_tree(grower, X, labels, bag) -> Tree:
    # A weight of zero leaves a sample out of the growth without copying the others.
    grower.fit(X, labels, sample_weight=bag, check_input=False)
    return read_tree(grower.tree_)


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


def _scaling(X) -> FeatureScaling | None:
    low, high = column_ranges(X)
    if not _needs_scaling(X, low, high):
        return None
    if sparse.issparse(X):  # zeros must stay zeros
        half_low = np.zeros_like(low)
        half_range = 0.5 * np.maximum(np.abs(low), np.abs(high))
    else:
        half_low = 0.5 * low
        half_range = 0.5 * high - half_low
    return FeatureScaling(half_low, np.where(half_range > 0, half_range, 1.0))


def _needs_scaling(X, low: np.ndarray, high: np.ndarray) -> bool:
    if X.dtype != np.float32:
        return True
    varying = high > low
    spread = high[varying] - low[varying]
    largest = np.maximum(np.abs(low), np.abs(high)).max(initial=0.0)
    return bool(spread.min(initial=1.0) < _SMALLEST_RANGE or largest > _LARGEST_VALUE)


def _prepare_features(X, scaling: FeatureScaling | None, max_bins: int | None):
    """Features as the grower wants them, and the edges of their bins if any."""
    if sparse.issparse(X):
        if max_bins is not None:
            raise ValueError(
                "max_bins needs dense features; leave it at None for sparse X."
            )
        scaled = scaling.sparse(X) if scaling else X
        scaled = sparse.csc_matrix(scaled)
        scaled.sort_indices()
        return scaled, None
    scaled = scaling(X) if scaling else X
    if max_bins is None:
        return scaled, None
    edges = [_bin_edges(column, max_bins) for column in scaled.T]
    codes = np.empty(scaled.shape, dtype=np.float32)
    for k, column_edges in enumerate(edges):
        codes[:, k] = np.searchsorted(column_edges, scaled[:, k])
    return codes, edges


def _bin_edges(column: np.ndarray, max_bins: int) -> np.ndarray:
    """Values between which a column is cut: exact if few are distinct, else quantiles."""
    distinct = np.unique(column).astype(np.float64)
    if len(distinct) <= max_bins:
        return 0.5 * (distinct[1:] + distinct[:-1])
    levels = np.arange(1, max_bins) / max_bins
    return np.unique(np.quantile(column, levels, method="midpoint").astype(np.float64))


def _unbin(tree: Tree, edges: list[np.ndarray]) -> Tree:
    """The same tree with thresholds in units of the features instead of bin numbers."""
    threshold = np.zeros(tree.n_nodes)
    for node in np.flatnonzero(tree.left >= 0):
        threshold[node] = edges[tree.feature[node]][int(tree.threshold[node])]
    return Tree(tree.left, tree.right, tree.feature, threshold)
