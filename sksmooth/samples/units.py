"""Subsamples that depend on the data set alone, not on how it is written down.

Samples are drawn in a canonical order, and equal ones together. Shuffled rows, rescaled
columns, and a repeated row in place of an integer weight therefore give the same
subsamples, hence the same trees and the same index. (Drawing row numbers, as is usual,
gives none of these.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .._lib.compilation import readable
from .features import column_ranges
from .kernels import NO_VALUE, dense_row_codes, project, sparse_row_codes

__all__ = ["SamplingUnits", "draw_bags", "group_units", "sampling_units"]

# With so many rows to every distinct one, the features take only a few values, and equal
# rows are independent draws rather than copies. Of a few distinct ones, which hardly
# anybody would copy, fewer rows to each are enough.
_ROWS_OF_DISCRETE_FEATURES = 20
_FEW_ROWS, _FEW_DISTINCT = 4, 25
_BLOCK_ENTRIES = 1 << 17


@dataclass(frozen=True, eq=False)
class SamplingUnits:
    """What is drawn into bags, in an order that does not depend on that of the rows.

    Equal samples (features and target) are one unit, in the bag or out of it together: a
    tree that has seen one of them has seen the others. But where the same features come
    with several targets, or all features take only a few values or are categories, equal
    samples are independent draws of the target, and each is a unit.

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
        """Count the units in the bag, averaged over trees.

        Parameters
        ----------
        bags : ndarray of shape (n_trees, n_samples)
            Weights in the bags, 0 out of them.
        """
        counts = []
        for bag in bags:
            is_drawn = np.zeros(self.n_units, dtype=bool)
            is_drawn[self.unit[bag > 0]] = True
            counts.append(np.count_nonzero(is_drawn))
        return float(np.mean(counts))


def sampling_units(
    representations: Sequence[np.ndarray | sparse.csr_matrix],
    tie_break: np.ndarray,
    weights: np.ndarray,
    are_categories: Sequence[bool] = (),
) -> SamplingUnits:
    """Find the units of samples, ordered along a fixed direction of the scaled features.

    Parameters
    ----------
    representations : sequence of ndarray or CSR matrix of shape (n_samples, n_features)
        Features of the same samples. Samples that are one unit in any representation are
        one.
    tie_break : ndarray of shape (n_samples,)
        Orders samples with equal features: their targets.
    weights : ndarray of shape (n_samples,)
        Orders equal samples.
    are_categories : sequence of bool, default=()
        Which representations hold categories alone, of which equal samples are no copies;
        none by default.

    Returns
    -------
    units : SamplingUnits
        The units to draw.
    """
    if len(representations) == 1:
        keys = [_position_and_code(representations[0])]
    else:
        keys = [(_positions(X), _row_codes(X)) for X in representations]
    are_draws = list(are_categories) or [False] * len(keys)
    alone = [
        _units(*key, tie_break, weights, of_draws)
        for key, of_draws in zip(keys, are_draws, strict=True)
    ]
    if len(alone) == 1:
        return SamplingUnits(alone[0])
    # The order must not depend on which representation comes first. Squares and odd
    # factors, so that X and -X do not cancel; products of integers wrap around. Sums of
    # several squares depend on their order by rounding, so these are sorted.
    position: Any = sum(np.sort([position**2 for position, _ in keys], axis=0))
    code = np.multiply.reduce([2 * code + 1 for _, code in keys])
    order = np.lexsort((weights, tie_break, code, position))
    return SamplingUnits(_joined_units(alone, order))


def _units(
    position: np.ndarray,
    code: np.ndarray,
    tie_break: np.ndarray,
    weights: np.ndarray,
    are_draws: bool,
) -> np.ndarray:
    """Find the units of one representation."""
    order = np.lexsort((weights, tie_break, code, position))
    other_features = (np.diff(position[order]) != 0) | (np.diff(code[order]) != 0)
    other_target = np.diff(tie_break[order]) != 0
    starts_unit = np.concatenate([[True], other_features | other_target])
    n_distinct = 1 + other_features.sum()
    n_each = _FEW_ROWS if n_distinct < _FEW_DISTINCT else _ROWS_OF_DISCRETE_FEATURES
    if are_draws or len(order) >= n_each * n_distinct:
        starts_unit[:] = True
    else:
        # Where one place in the features holds several targets, all its samples are units.
        place = np.concatenate([[0], np.cumsum(other_features)])
        contested = np.zeros(n_distinct, dtype=bool)
        contested[place[1:][~other_features & other_target]] = True
        starts_unit |= contested[place]
    unit = np.empty(len(order), dtype=np.intp)
    unit[order] = np.cumsum(starts_unit) - 1
    return unit


def _joined_units(alone: list[np.ndarray], order: np.ndarray) -> np.ndarray:
    """Find the units of samples that are together in any representation, in order.

    They are the connected components of the graph of samples and their units.
    """
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


def _position_and_code(
    X: np.ndarray | sparse.csr_matrix,
) -> tuple[np.ndarray, np.ndarray]:
    """Project the rows, and hash those that are not alone in their position."""
    position = _positions(X)
    _, place, count = np.unique(position, return_inverse=True, return_counts=True)
    others = np.flatnonzero(count[place] > 1)
    code = np.zeros(X.shape[0], dtype=np.int64)
    if len(others) > 0:
        code[others] = _row_codes(X if len(others) == len(code) else X[others])
    return position, code


def _positions(X: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Project the samples, with each feature scaled to [0, 1], on a fixed direction."""
    low, high = column_ranges(X)
    half_range = 0.5 * high - 0.5 * low
    half_range[half_range == 0] = np.inf  # constant columns order nothing
    direction = np.random.RandomState(0).uniform(0.5, 1.5, size=(X.shape[1],))
    if sparse.issparse(X):
        scaled = np.nan_to_num(X.data * 0.5 / half_range[X.indices], nan=NO_VALUE)
        matrix: Any = sparse.csr_matrix((scaled, X.indices, X.indptr), X.shape)
        return matrix @ direction
    position = np.empty(X.shape[0])
    for rows in _blocks(X.shape[0], X.shape[1]):
        block = readable(X[rows], np.float64)
        project(block, direction, 0.5 * low, half_range, position[rows])
    return position


def _row_codes(X: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Hash the rows, to tell apart those whose positions agree by rounding."""
    codes = np.empty(X.shape[0], dtype=np.int64)
    if not sparse.issparse(X):
        for rows in _blocks(X.shape[0], X.shape[1]):
            dense_row_codes(readable(X[rows], np.float64), codes[rows])
        return codes
    for rows in _blocks(X.shape[0], X.nnz // X.shape[0]):
        ends = X.indptr[rows.start : rows.stop + 1]
        entries = slice(ends[0], ends[-1])
        sparse_row_codes(
            readable(X.data[entries], np.float64),
            readable(X.indices[entries], np.int64),
            readable(ends - ends[0], np.int64),
            codes[rows],
        )
    return codes


def _blocks(n_rows: int, row_length: int) -> list[slice]:
    """Cut rows into blocks of few entries, which are copied if they are not float64."""
    height = max(1, _BLOCK_ENTRIES // max(row_length, 1))
    return [slice(start, min(start + height, n_rows)) for start in range(0, n_rows, height)]


def draw_bags(
    units: SamplingUnits,
    weights: np.ndarray,
    n_trees: int,
    fraction: float,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Draw the subsample of every tree, without replacement.

    Parameters
    ----------
    units : SamplingUnits
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
    n_units = units.n_units
    n_drawn = min(max(round(fraction * n_units), 1), max(n_units - 1, 1))
    bags = np.empty((n_trees, len(weights)))
    for bag in bags:
        drawn = np.zeros(n_units, dtype=bool)
        drawn[rng.permutation(n_units)[:n_drawn]] = True
        bag[:] = np.where(drawn[units.unit], weights, 0.0)
    return bags


def group_units(groups: np.ndarray, units: SamplingUnits) -> SamplingUnits:
    """Draw whole groups of samples, in the order of their first units.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
        Group of every sample, of any type.
    units : SamplingUnits
        Units of the samples alone, which only give the order.

    Returns
    -------
    units : SamplingUnits
        One unit per group.
    """
    _, code = np.unique(groups, return_inverse=True)
    first = np.full(code.max() + 1, units.n_units)
    np.minimum.at(first, code, units.unit)
    # Equal samples may be the first of several groups, whose order is then that of names.
    number = np.empty(len(first), dtype=np.intp)
    number[np.argsort(first, kind="stable")] = np.arange(len(first))
    return SamplingUnits(number[code])
