"""Random subsamples that depend on the data set alone, not on how it is written down.

Samples are drawn in a canonical order, and equal ones together. Shuffled rows, rescaled
columns, and a repeated row in place of an integer weight therefore give the same
subsamples, hence the same trees and the same index. (Drawing row numbers, as usual, gives
none of these.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .._lib.compilation import compiled
from .features import column_ranges

__all__ = ["SamplingUnits", "draw_bags", "sampling_units"]

# With so many rows to every distinct one, the features take a few values only.
_ROWS_OF_DISCRETE_FEATURES = 20
_NO_VALUE = 2.0  # where NaN lies in the scaled features


@dataclass(frozen=True, eq=False)
class SamplingUnits:
    """What is drawn into bags, in an order that does not depend on that of the rows.

    Equal samples (features and target) are one unit, in the bag or out of it together: a
    tree that has seen one of them has seen the others. But where the same features come
    with several targets, or all features take a few values only, equal samples are
    independent draws of the target, and each is a unit.

    Attributes
    ----------
    unit : ndarray of shape (n_samples,), intp
        Unit of every sample; units are numbered in canonical order.
    """

    unit: np.ndarray

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.unit.max()) + 1

    def count_in_bag(self, bags: np.ndarray) -> float:
        """Number of units in the bag, on the average of the trees."""
        return float(np.mean([len(np.unique(self.unit[bag > 0])) for bag in bags]))


def sampling_units(
    representations: Sequence[np.ndarray | sparse.csr_matrix],
    tie_break: np.ndarray,
    weights: np.ndarray,
) -> SamplingUnits:
    """Order the samples along a fixed direction in the space of the scaled features.

    Parameters
    ----------
    representations : sequence of ndarray or CSR matrix of shape (n_samples, n_features)
        Samples. With several, those that are one unit in any of them are one.
    tie_break : ndarray of shape (n_samples,)
        Orders samples with equal features: their targets.
    weights : ndarray of shape (n_samples,)
        Orders equal samples.

    Returns
    -------
    canonical : SamplingUnits
        The units to draw.
    """
    keys = [(_positions(X), _row_codes(X)) for X in representations]
    alone = [_units(*key, tie_break, weights) for key in keys]
    if len(alone) == 1:
        return SamplingUnits(alone[0])
    # Squares and odd factors, so that X and -X do not cancel. Products wrap around.
    position: Any = sum(position**2 for position, _ in keys)
    code = np.multiply.reduce([2 * code + 1 for _, code in keys])
    order = np.lexsort((weights, tie_break, code, position))
    return SamplingUnits(_joined_units(alone, order))


def _units(position, code, tie_break, weights) -> np.ndarray:
    """Units of the samples of one representation."""
    order = np.lexsort((weights, tie_break, code, position))
    other_features = (np.diff(position[order]) != 0) | (np.diff(code[order]) != 0)
    other_target = np.diff(tie_break[order]) != 0
    starts_unit = np.concatenate([[True], other_features | other_target])
    n_distinct = 1 + other_features.sum()
    if len(order) >= _ROWS_OF_DISCRETE_FEATURES * n_distinct:
        starts_unit[:] = True
    else:
        place = np.concatenate([[0], np.cumsum(other_features)])
        contested = np.zeros(n_distinct, dtype=bool)
        contested[place[1:][~other_features & other_target]] = True
        starts_unit |= contested[place]
    unit = np.empty(len(order), dtype=np.intp)
    unit[order] = np.cumsum(starts_unit) - 1
    return unit


def _joined_units(alone: list[np.ndarray], order: np.ndarray) -> np.ndarray:
    """Units of samples that are together in any representation, numbered in order."""
    n_samples = len(order)
    offsets = n_samples * np.arange(1, len(alone) + 1)
    links = np.concatenate(
        [unit + start for unit, start in zip(alone, offsets, strict=True)]
    )
    samples = np.tile(np.arange(n_samples), len(alone))
    size = n_samples * (len(alone) + 1)
    graph = sparse.coo_matrix((np.ones(len(links)), (samples, links)), (size, size))
    component = connected_components(graph, directed=False)[1][:n_samples]
    _, first, unit = np.unique(component[order], return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.intp)
    number[np.argsort(first)] = np.arange(len(first))
    joined = np.empty(n_samples, dtype=np.intp)
    joined[order] = number[unit.ravel()]
    return joined


def _positions(X: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    low, high = column_ranges(X)
    half_range = 0.5 * high - 0.5 * low
    half_range[half_range == 0] = np.inf  # constant columns order nothing
    direction = np.random.RandomState(0).uniform(0.5, 1.5, size=(X.shape[1],))
    if sparse.issparse(X):
        scaled = np.nan_to_num(X.data * 0.5 / half_range[X.indices], nan=_NO_VALUE)
        matrix: Any = sparse.csr_matrix((scaled, X.indices, X.indptr), X.shape)
        return matrix @ direction
    return _project(X, direction, 0.5 * low, half_range)


@compiled
def _project(X, direction, half_low, half_range):
    # Not a BLAS product: that may round equal rows differently.
    position = np.zeros(X.shape[0])
    for i in range(X.shape[0]):
        for k in range(X.shape[1]):
            place = (X[i, k] * 0.5 - half_low[k]) / half_range[k]
            position[i] += direction[k] * (_NO_VALUE if np.isnan(place) else place)
    return position


def _row_codes(X: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """A number that tells rows apart whose positions agree by rounding."""
    if sparse.issparse(X):
        return _sparse_row_codes(X.data, X.indices, X.indptr)
    return _dense_row_codes(X)


@compiled
def _mixed(code, value, column):
    # Wraps around; the odd factors are those of Knuth and of FNV.
    mantissa, exponent = (_NO_VALUE, 0) if np.isnan(value) else math.frexp(value)
    code = (code + column) * 6364136223846793005 + np.int64(mantissa * 2.0**53)
    return code * 1099511628211 + exponent


@compiled
def _dense_row_codes(X):
    codes = np.zeros(X.shape[0], dtype=np.int64)
    for i in range(X.shape[0]):
        for k in range(X.shape[1]):
            if X[i, k] != 0:
                codes[i] = _mixed(codes[i], X[i, k], k)
    return codes


@compiled
def _sparse_row_codes(data, indices, indptr):
    codes = np.zeros(len(indptr) - 1, dtype=np.int64)
    for i in range(len(codes)):
        for entry in range(indptr[i], indptr[i + 1]):
            if data[entry] != 0:
                codes[i] = _mixed(codes[i], data[entry], indices[entry])
    return codes


def draw_bags(
    canonical: SamplingUnits,
    weights: np.ndarray,
    n_trees: int,
    fraction: float,
    rng: np.random.RandomState,
) -> np.ndarray:
    """In-bag weight of every sample in every tree, drawn without replacement.

    Parameters
    ----------
    canonical : SamplingUnits
        The units to draw.
    weights : ndarray of shape (n_samples,), float64
        Positive sample weights.
    n_trees : int
        Number of subsamples.
    fraction : float
        Fraction of the units that each tree gets; if less than 1, at least one of
        several is left out.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    bags : ndarray of shape (n_trees, n_samples), float64
        The sample's weight in the bag, 0 out of it.
    """
    if fraction == 1.0:
        return np.tile(weights, (n_trees, 1))
    n_units = canonical.n_units
    n_drawn = min(max(round(fraction * n_units), 1), max(n_units - 1, 1))
    bags = np.empty((n_trees, len(weights)))
    for bag in bags:
        drawn = np.zeros(n_units, dtype=bool)
        drawn[rng.permutation(n_units)[:n_drawn]] = True
        bag[:] = np.where(drawn[canonical.unit], weights, 0.0)
    return bags
