"""What all searches for a split share: the samples, the score, and where ties go."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled
from ..samples.targets import Targets

__all__ = ["GrowthSamples", "growth_samples", "largest_class_score", "mixed", "split_score"]

# Sums of values are exact in 52 bits; squares of weights, as class counts need, in 26.
_SUM_BITS, _SQUARE_BITS = 52, 26
_MOST_CLASSES = 5  # of which all ways to be on one side are tried


class GrowthSamples(NamedTuple):
    """Targets as the kernels sum them up.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int32
        Equal if the targets are: class numbers, or numbers of distinct values.
    values : ndarray of shape (n_samples, n_outputs), float64
        Weighted targets, centred and scaled, of which all sums are exact; no columns for
        classes.
    weights : ndarray of shape (n_samples,), float64
        Positive weights, of which all sums are exact, and for classes their squares.
    n_classes : int
        Number of classes; 0 for regression.
    """

    labels: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    n_classes: int

    @property
    def total(self) -> np.ndarray:
        """Weight of every class, or sums of the values."""
        if self.n_classes == 0:
            return self.values.sum(axis=0)
        return np.bincount(self.labels, self.weights, minlength=self.n_classes)

    def take(self, rows: np.ndarray) -> GrowthSamples:
        """Some of the samples."""
        return GrowthSamples(
            self.labels[rows], self.values[rows], self.weights[rows], self.n_classes
        )


def growth_samples(targets: Targets, weights: np.ndarray) -> GrowthSamples:
    """Prepare targets for growth, so that no sum depends on the order of the samples."""
    codes = targets.codes
    bits = _SUM_BITS if codes is None else _SQUARE_BITS
    if weights.sum() > 2.0**bits or (weights != np.rint(weights)).any():
        weights = _whole(weights, bits, at_least=1.0)
    if codes is not None:
        labels = codes.astype(np.int32)
        values = np.empty((len(labels), 0))
        return GrowthSamples(labels, values, weights, targets.values.shape[1] + 1)
    values = targets.values
    labels = np.unique(values, axis=0, return_inverse=True)[1].ravel().astype(np.int32)
    # The middle, unlike a mean, does not depend on the order of the samples by rounding.
    low, high = values.min(axis=0), values.max(axis=0)
    centred = values - (0.5 * low + 0.5 * high)
    largest = np.abs(centred).max()
    if largest > 0:
        centred /= 2.0 ** np.ceil(np.log2(largest))
    values = _whole(weights[:, None] * centred, _SUM_BITS)
    return GrowthSamples(labels, values, weights, 0)


def _whole(numbers: np.ndarray, bits: int, at_least: float = -np.inf) -> np.ndarray:
    """Round to multiples of a unit, of which any sum is exact in so many bits.

    The unit is a power of two, so that whole numbers of moderate size stay as they are.
    """
    columns = np.abs(numbers).reshape(len(numbers), -1).T
    largest_sum = max(math.fsum(column) for column in columns)
    if largest_sum == 0:
        return numbers
    unit = 2.0 ** (math.ceil(math.log2(largest_sum)) - bits)
    return np.maximum(np.rint(numbers / unit), at_least) * unit


@compiled
def split_score(left_square, left_weight, right_square, right_weight):
    """``|S_left|^2 / W_left + |S_right|^2 / W_right``, with sums S and weights W.

    The larger it is, the smaller is the squared error (or the Gini impurity) that a split
    leaves. It does not depend on which side is called left, not even by rounding.
    """
    return (left_square * right_weight + right_square * left_weight) / (
        left_weight * right_weight
    )


@compiled
def largest_class_score(total):
    """Score that no split of some samples exceeds, given their weights by class.

    The score is convex in the class weights on the left, so it is largest where every
    class is on one side. Infinite (no bound) where there are too many ways to do that.
    """
    present = np.empty(len(total), dtype=np.int64)
    n_present = 0
    weight = 0.0
    for c in range(len(total)):
        if total[c] > 0:
            present[n_present] = c
            n_present += 1
            weight += total[c]
    if n_present < 2 or n_present > _MOST_CLASSES:
        return np.inf
    largest = 0.0
    for subset in range(1, 1 << (n_present - 1)):
        left_square, right_square, left_weight = 0.0, 0.0, 0.0
        for bit in range(n_present):
            part = total[present[bit]]
            if subset >> bit & 1:
                left_square += part * part
                left_weight += part
            else:
                right_square += part * part
        score = split_score(left_square, left_weight, right_square, weight - left_weight)
        largest = max(largest, score)
    return largest


@compiled
def mixed(seed, number):
    """The ``number``-th draw of a stream of random 64-bit integers (SplitMix64)."""
    state = np.uint64(seed) + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
