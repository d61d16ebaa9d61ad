"""Round targets and weights so that no sum depends on the order of the samples."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..samples import Targets

__all__ = ["GrowthSamples", "growth_samples"]

# Sums of values are exact in 52 bits; squares of weights, as class counts need, in 26.
_SUM_BITS, _SQUARE_BITS = 52, 26


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

    def in_order_of_labels(self, rows: np.ndarray) -> np.ndarray:
        """Return samples class by class, as the node loop takes them."""
        return rows[np.argsort(self.labels[rows], kind="stable")]

    def take(self, rows: np.ndarray) -> GrowthSamples:
        """Return some of the samples."""
        return GrowthSamples(
            self.labels[rows], self.values[rows], self.weights[rows], self.n_classes
        )


def growth_samples(targets: Targets, weights: np.ndarray) -> GrowthSamples:
    """Prepare targets for growth, so that no sum depends on the order of the samples.

    Floating-point sums do, in their last bits, and so would the trees where two splits
    score nearly the same. All addends are therefore rounded to multiples of one power of
    two, so coarse that any sum of them has no more bits than a float64 holds.
    """
    codes = targets.codes
    bits = _SUM_BITS if codes is None else _SQUARE_BITS
    if weights.sum() > 2.0**bits or (weights != np.rint(weights)).any():
        weights = _whole(weights, bits, at_least=1.0)
    if codes is not None:
        labels = codes.astype(np.int32)
        values = np.empty((len(labels), 0))
        return GrowthSamples(labels, values, weights, targets.n_outputs + 1)
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
    """Round to multiples of a unit, so that any sum is exact in this number of bits.

    The unit is a power of two, so that whole numbers of moderate size stay as they are.
    """
    columns = np.abs(numbers).reshape(len(numbers), -1).T
    largest_sum = max(math.fsum(column) for column in columns)
    if largest_sum == 0:
        return numbers
    unit = 2.0 ** (math.ceil(math.log2(largest_sum)) - bits)
    return np.maximum(np.rint(numbers / unit), at_least) * unit
