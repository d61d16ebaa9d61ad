"""Measures of a node, by which the norm of a wavelet weights its support.

A measure is built from the samples. Given a tree and the weights in its nodes, it returns
the logarithm of the measure of every node relative to the root, since volumes underflow in
high dimension. To add one, write such a function and register it in ``MEASURES``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..samples import Samples
from ..trees import Tree
from .kernels import log_box_volumes

__all__ = ["MEASURES", "NodeMeasure", "log_share", "split_of_parent"]

NodeMeasure = Callable[[Tree, np.ndarray], np.ndarray]


def log_share(tree: Tree, count: np.ndarray) -> np.ndarray:
    """Measure nodes by their share of the samples' weight."""
    with np.errstate(divide="ignore"):
        return np.log(count / count[0])


def _by_samples(samples: Samples) -> NodeMeasure:
    return log_share


def _by_volume(samples: Samples) -> NodeMeasure:
    """Measure nodes by their share of the volume of the box that the data span."""

    def log_volume(tree: Tree, count: np.ndarray) -> np.ndarray:
        parent = tree.parent
        feature = split_of_parent(tree.feature, parent)
        threshold = split_of_parent(tree.threshold, parent)
        ranges = samples.ranges
        if tree.places is not None:
            ranges = tree.places.ranges(*ranges)
        return log_box_volumes(parent, tree.is_left, feature, threshold, *ranges)

    return log_volume


def split_of_parent(column: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Look up, for every node, the entry of its parent in a column; -1 for the root."""
    return np.where(parent < 0, -1, column[np.maximum(parent, 0)]).astype(column.dtype)


MEASURES: dict[str, Callable[[Samples], NodeMeasure]] = {
    "samples": _by_samples,
    "volume": _by_volume,
}
