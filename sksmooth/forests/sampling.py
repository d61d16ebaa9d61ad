"""Random subsamples that depend on the data set alone, not on how it is written down.

Samples are drawn in a canonical order, and equal ones together. Shuffled rows, rescaled
columns, and a repeated row in place of an integer weight therefore give the same
subsamples, hence the same trees and the same index. (Drawing row numbers, as usual, gives
none of these.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import sparse

from .structure import column_ranges

__all__ = ["CanonicalOrder", "canonical_order", "draw_bags"]

_MOST_SHARES = 1000  # of a group of equal samples: bounds the work for uneven weights


@dataclass(frozen=True, eq=False)
class CanonicalOrder:
    """Order of the samples, whatever the order of the rows.

    Attributes
    ----------
    order : ndarray of shape (n_samples,), intp
        Sample numbers in canonical order.
    group : ndarray of shape (n_samples,), intp
        Samples with equal features and targets are of one group; groups are numbered in
        canonical order.
    contested : ndarray of shape (n_groups,), bool
        Whether samples with the same features but other targets exist.
    """

    order: np.ndarray
    group: np.ndarray
    contested: np.ndarray

    def count_distinct(self, bags: np.ndarray) -> float:
        """Number of distinct samples in the bag, on the average of the trees."""
        counts = [len(np.unique(self.group[bag > 0])) for bag in bags]
        return float(np.mean(counts))


def canonical_order(
    X: np.ndarray | sparse.csr_matrix, tie_break: np.ndarray
) -> CanonicalOrder:
    """Order the samples along a fixed direction in the space of the scaled features.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples.
    tie_break : ndarray of shape (n_samples,)
        Orders samples with equal features: their targets.

    Returns
    -------
    canonical : CanonicalOrder
        The order and the groups of equal samples.
    """
    low, high = column_ranges(X)
    half_range = 0.5 * high - 0.5 * low
    half_range[half_range == 0] = np.inf  # constant columns order nothing
    direction = np.random.RandomState(0).uniform(0.5, 1.5, size=X.shape[1])
    if sparse.issparse(X):
        scaled = X.data * 0.5 / half_range[X.indices]
        position = sparse.csr_matrix((scaled, X.indices, X.indptr), X.shape) @ direction
    else:
        position = _project(X, direction, 0.5 * low, half_range)
    order = np.lexsort((tie_break, position))
    other_features = np.diff(position[order]) != 0
    other_target = np.diff(tie_break[order]) != 0
    group = np.empty(len(order), dtype=np.intp)
    group[order] = np.concatenate([[0], np.cumsum(other_features | other_target)])
    contested = np.zeros(group.max() + 1, dtype=bool)
    rivals = np.flatnonzero(~other_features & other_target)
    contested[group[order[rivals]]] = True
    contested[group[order[rivals + 1]]] = True
    return CanonicalOrder(order, group, contested)


@njit(cache=True, nogil=True)
def _project(X, direction, half_low, half_range):
    # Not a BLAS product: that may round equal rows differently.
    position = np.zeros(X.shape[0])
    for i in range(X.shape[0]):
        for k in range(X.shape[1]):
            position[i] += direction[k] * ((X[i, k] * 0.5 - half_low[k]) / half_range[k])
    return position


def draw_bags(
    canonical: CanonicalOrder,
    weights: np.ndarray,
    n_trees: int,
    fraction: float,
    rng: np.random.RandomState,
) -> np.ndarray:
    """In-bag weight of every sample in every tree, drawn without replacement.

    A group of equal samples is drawn or left out as a whole: a tree has seen a sample if
    it has seen its equal. Only where the same features come with several targets, as
    with a few categorical features, are equal samples different draws of the target;
    such a group is divided into shares as large as the smallest weight.

    Parameters
    ----------
    canonical : CanonicalOrder
        Canonical order of the samples, and which are equal.
    weights : ndarray of shape (n_samples,), float64
        Positive sample weights.
    n_trees : int
        Number of subsamples.
    fraction : float
        Fraction of the groups and shares that each tree gets; if less than 1, at least
        one of them is left out.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    bags : ndarray of shape (n_trees, n_samples), float64
        Between 0 (out of bag) and the sample's weight (all of it in the bag).
    """
    if fraction == 1.0:
        return np.tile(weights, (n_trees, 1))
    order, group = canonical.order, canonical.group
    group_weight = np.bincount(group, weights=weights)
    n_shares = np.ones(len(group_weight), dtype=np.int64)
    shares = np.rint(group_weight / weights.min()).clip(1, _MOST_SHARES)
    n_shares[canonical.contested] = shares[canonical.contested]
    owner = np.repeat(np.arange(len(n_shares)), n_shares)
    n_drawn = min(max(round(fraction * len(owner)), 1), max(len(owner) - 1, 1))

    # Weight of the equal samples that come before, in canonical order.
    in_order = weights[order]
    before = np.cumsum(in_order) - in_order
    before -= (np.cumsum(group_weight) - group_weight)[group[order]]
    bags = np.empty((n_trees, len(weights)))
    for bag in bags:
        drawn = owner[rng.permutation(len(owner))[:n_drawn]]
        n_drawn_shares = np.bincount(drawn, minlength=len(n_shares))
        kept = group_weight * (n_drawn_shares / n_shares)
        bag[order] = np.clip(kept[group[order]] - before, 0.0, in_order)
    # Nothing in the bag or nothing out of it must be exactly so.
    bags[bags < 1e-9 * weights] = 0.0
    return np.where(bags > (1 - 1e-9) * weights, weights, bags)
