"""Splits of categories: every tree has its own order of them, by the targets in its bag.

With categories ordered by their mean target, the best split into two subsets is a cut [1]_,
and ordering them once, before a tree is grown, predicts as well as ordering them at every
node [2]_. Vectors, as of more than two classes, are ordered along the first principal
component of the means [3]_. Means of few samples are shrunk towards that of all (empirical
Bayes).

A mean contains the targets from which it is computed, so means of few samples seem to
explain any targets: a column of names would be split first. While a tree is grown, a sample
of a rare category therefore gets the place of its category without the samples of its own
fold.

References
----------
.. [1] W. D. Fisher, *On grouping for maximum homogeneity*, JASA 53 (1958).
.. [2] M. N. Wright and I. R. König, *Splitting on categorical predictors in random
   forests*, PeerJ 7 (2019).
.. [3] D. Coppersmith, S. J. Hong and J. R. M. Hosking, *Partitioning nominal attributes in
   decision trees*, Data Mining and Knowledge Discovery 3 (1999).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .._lib.state import Versioned
from .exact_sums import GrowthSamples

__all__ = ["N_FOLDS", "CategoryPlaces", "order_categories"]

N_FOLDS = 5
_ENOUGH = 20  # samples of a category whose place hardly depends on one of them
_LARGEST_PRIOR = 100.0  # samples that the mean of all counts for in that of a category
_DIGITS = 12  # of a place: what lies beyond depends on the order of the categories


@dataclass(frozen=True, eq=False)
class CategoryPlaces(Versioned):
    """Where a tree puts the categories of some columns, each on a line.

    Attributes
    ----------
    columns : ndarray of shape (n_columns,), intp
        The columns of categories.
    offsets : ndarray of shape (n_columns + 1,), intp
        The categories of column j have the places ``places[offsets[j] : offsets[j + 1]]``.
    places : ndarray of shape (n_categories,), float64
        The places; NaN for categories that the tree has not seen.
    """

    columns: np.ndarray
    offsets: np.ndarray
    places: np.ndarray

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.setflags(write=False)

    def put(self, X: np.ndarray) -> np.ndarray:
        """Return samples with the places of their categories; NaN for those not seen."""
        placed = np.array(X)
        for column, places in self._by_column():
            placed[:, column] = np.append(places, np.nan)[_whole(X[:, column])]
        return placed

    def ranges(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ranges of all columns, with those of the places in place of codes."""
        low, high = low.copy(), high.copy()
        for column, places in self._by_column():
            own = np.append(places, 0.0)  # which is among them: the mean of all
            low[column], high[column] = np.fmin.reduce(own), np.fmax.reduce(own)
        return low, high

    def _by_column(self) -> Iterator[tuple[int, np.ndarray]]:
        return zip(
            self.columns.tolist(), np.split(self.places, self.offsets[1:-1]), strict=True
        )


def order_categories(
    codes: np.ndarray, counts: dict[int, int], own: GrowthSamples, folds: np.ndarray
) -> tuple[np.ndarray, CategoryPlaces]:
    """Order the categories by the targets of the samples of a tree.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_columns)
        Numbers of the categories of the samples of the tree; NaN where there is none.
    counts : dict of int to int
        The columns of categories among all features, and how many there are.
    own : GrowthSamples
        Their targets and weights.
    folds : ndarray of shape (n_samples,), int
        The fold of every sample, below ``N_FOLDS``.

    Returns
    -------
    columns : ndarray of shape (n_samples, n_columns)
        Places of the samples while the tree is grown.
    places : CategoryPlaces
        Where it puts categories.
    """
    ordered = [
        _ordered(_whole(column), n_categories, own, folds)
        for column, n_categories in zip(codes.T, counts.values(), strict=True)
    ]
    columns, places = zip(*ordered, strict=True)
    offsets = np.cumsum([0, *counts.values()])
    return (
        np.column_stack(columns).astype(codes.dtype),
        CategoryPlaces(np.array(list(counts)), offsets, np.concatenate(places)),
    )


def _whole(codes: np.ndarray) -> np.ndarray:
    """Return codes as integers, -1 where there is none."""
    return np.where(np.isnan(codes), -1, codes).astype(np.intp)


def _ordered(
    codes: np.ndarray, n_categories: int, own: GrowthSamples, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Order the categories of one column; places of the samples in growth, and of all."""
    known = np.flatnonzero(codes >= 0)
    all_codes, codes, own, folds = codes, codes[known], own.take(known), folds[known]
    weights, sums = _sums(codes, n_categories, own)
    place = _line(weights, sums, own)
    places = place(weights, sums)
    grown = places[codes]
    is_rare = weights[codes] < _ENOUGH
    for fold in range(N_FOLDS if is_rare.any() else 0):
        in_fold = np.flatnonzero(folds == fold)
        held_out = _sums(codes[in_fold], n_categories, own.take(in_fold))
        others = place(weights - held_out[0], sums - held_out[1])
        moved = in_fold[is_rare[in_fold]]
        grown[moved] = others[codes[moved]]
    placed = np.full(len(all_codes), np.nan)
    placed[known] = grown
    return placed, np.where(weights > 0, places, np.nan)


def _sums(
    codes: np.ndarray, n_categories: int, own: GrowthSamples
) -> tuple[np.ndarray, np.ndarray]:
    """Weight of every category, and its sums by class or output; all of them exact."""
    weights = np.bincount(codes, own.weights, n_categories)
    if own.n_classes:
        places = codes * own.n_classes + own.labels
        sums = np.bincount(places, own.weights, n_categories * own.n_classes)
        return weights, sums.reshape(n_categories, own.n_classes)
    sums = [np.bincount(codes, column, n_categories) for column in own.values.T]
    return weights, np.column_stack(sums)


def _line(
    weights: np.ndarray, sums: np.ndarray, own: GrowthSamples
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return a function that places categories, given their weights and sums, on a line."""
    mean = sums.sum(axis=0) / max(weights.sum(), 1)
    prior = _prior(weights, sums, own)

    def shrunk(weights: np.ndarray, sums: np.ndarray) -> np.ndarray:
        return (sums - weights[:, None] * mean) / np.maximum(weights + prior, 1)[:, None]

    means = shrunk(weights, sums)
    scaled = np.sqrt(weights)[:, None] * means
    direction = np.linalg.svd(scaled, full_matrices=False)[2][0]
    line = means @ direction
    length = np.abs(line).max()
    # Which of the two directions it is depends on the names of classes; the skew does not.
    sign = -1.0 if np.sum(weights * line**3) < 0 else 1.0
    scale = sign / length if length > 0 else 0.0

    def place(weights: np.ndarray, sums: np.ndarray) -> np.ndarray:
        return np.round(shrunk(weights, sums) @ direction * scale, _DIGITS)

    return place


def _prior(weights: np.ndarray, sums: np.ndarray, own: GrowthSamples) -> float:
    """Estimate how many samples the mean of all counts for: the ratio of the variances.

    Those within and between categories, by the analysis of variance.
    """
    seen = weights > 0
    n_samples, n_seen = weights.sum(), np.count_nonzero(seen)
    if n_seen < 2 or n_samples <= n_seen:
        return _LARGEST_PRIOR
    squares = np.sum(sums[seen] ** 2 / weights[seen, None])
    between = squares - np.sum(sums.sum(axis=0) ** 2) / n_samples
    within = max(_sum_of_squares(own) - squares, 0.0) / (n_samples - n_seen)
    usual = (n_samples - np.sum(weights**2) / n_samples) / (n_seen - 1)
    of_means = max((between / (n_seen - 1) - within) / usual, within / _LARGEST_PRIOR)
    return within / of_means if of_means > 0 else 0.0


def _sum_of_squares(own: GrowthSamples) -> float:
    if own.n_classes:
        return float(own.weights.sum())
    return float(np.sum(own.values**2 / own.weights[:, None]))
