"""Random subsamples that depend on the data set alone, not on how it is written down.

A tree's rows are drawn on the axis of cumulated sample weight, with the samples in a
canonical order. Shuffled rows, rescaled columns, and a repeated row in place of an
integer weight therefore give the same subsamples, hence the same trees and the same
index. (Drawing row numbers, as usual, gives none of these.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import sparse

from .structure import column_ranges

__all__ = ["CanonicalOrder", "canonical_order", "draw_bags"]

_SLOTS_PER_SAMPLE = 8  # at most: bounds the work for very uneven weights


@dataclass(frozen=True, eq=False)
class CanonicalOrder:
    """Order of the samples, whatever the order of the rows.

    Attributes
    ----------
    order : ndarray of shape (n_samples,), intp
        Sample numbers in canonical order.
    group : ndarray of shape (n_samples,), intp
        Samples with equal features and targets are of one group.
    """

    order: np.ndarray
    group: np.ndarray

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
        position = _project(X, direction, half_range)
    order = np.lexsort((tie_break, position))
    differs = (np.diff(position[order]) != 0) | (np.diff(tie_break[order]) != 0)
    group = np.empty(len(order), dtype=np.intp)
    group[order] = np.concatenate([[0], np.cumsum(differs)])
    return CanonicalOrder(order, group)


@njit(cache=True, nogil=True)
def _project(X, direction, half_range):
    # Not a BLAS product: that may round equal rows differently.
    position = np.zeros(X.shape[0])
    for i in range(X.shape[0]):
        for k in range(X.shape[1]):
            position[i] += direction[k] * (X[i, k] * 0.5 / half_range[k])
    return position


def draw_bags(
    order: np.ndarray,
    weights: np.ndarray,
    n_trees: int,
    fraction: float,
    rng: np.random.RandomState,
) -> np.ndarray:
    """In-bag weight of every sample in every tree, drawn without replacement.

    The axis of cumulated weight is cut into slots as long as the smallest weight, and
    a fraction of the slots is drawn: with equal weights a slot is a sample.

    Parameters
    ----------
    order : ndarray of shape (n_samples,)
        Canonical order of the samples.
    weights : ndarray of shape (n_samples,), float64
        Positive sample weights.
    n_trees : int
        Number of subsamples.
    fraction : float
        Fraction of the weight that each tree gets.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    bags : ndarray of shape (n_trees, n_samples), float64
        Between 0 (out of bag) and the sample's weight (all of it in the bag).
    """
    if fraction == 1.0:
        return np.tile(weights, (n_trees, 1))
    total = weights.sum()
    unit = max(weights.min(), total / (_SLOTS_PER_SAMPLE * len(weights)))
    edges = np.concatenate([[0.0], np.cumsum(weights[order] / unit)])
    whole = np.rint(edges)
    edges = np.where(np.abs(edges - whole) < 1e-9, whole, edges)  # 0.3 / 0.1 is 3
    n_slots = int(np.ceil(edges[-1]))
    n_drawn = min(max(round(fraction * n_slots), 1), n_slots)
    bags = np.empty((n_trees, len(weights)))
    for bag in bags:
        chosen = np.zeros(n_slots)
        chosen[rng.permutation(n_slots)[:n_drawn]] = 1.0
        drawn = np.concatenate([[0.0], np.cumsum(chosen)])
        bag[order] = np.diff(np.interp(edges, np.arange(n_slots + 1), drawn)) * unit
    # Nothing in the bag or nothing out of it must be exactly so.
    bags[bags < 1e-12 * weights] = 0.0
    return np.where(bags > (1 - 1e-12) * weights, weights, bags)
