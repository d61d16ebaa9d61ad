"""Shared input of the growth of all trees of a forest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from .exact_sums import GrowthSamples

__all__ = ["GrowthProblem", "Search", "TopNode", "ValueOf"]

ValueOf = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class GrowthProblem:
    """Samples in the forms in which they are searched, and the options of the search.

    It is the same object for all trees of a forest, so that distributed backends send it
    once and not with every tree.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Features.
    summed : GrowthSamples
        Targets and weights.
    binned : BinnedFeatures or None
        Bins of the features; None if no node is so large that it needs them.
    ranks : ndarray of shape (n_samples, n_features), uint16, or None
        Ranks of the values of every feature; None if nodes do not sort what they try.
    keys : ndarray of shape (n_features, n_samples), uint32, or None
        Sorted keys of all samples, from which those of every root are taken; None if roots
        are not presorted, or sort their own.
    max_depth : int
        Largest depth of a tree, negative for none.
    max_features : int
        Number of features that vary which are tried at a node.
    category_counts : dict of int to int
        Columns of categories, and how many there are.
    folds : ndarray of shape (n_samples,), int, or None
        Folds of the samples by which categories are ordered; None if there are none.
    max_bins : int or None
        Most bins of a feature, if cuts lie between them only; None for exact cuts.
    choose : callable
        How a node is split, given the numbers of samples of the node and of its tree.
    """

    X: np.ndarray | sparse.csr_matrix
    summed: GrowthSamples
    binned: Any  # BinnedFeatures or None: who asks for bins knows that there are some
    ranks: np.ndarray | None
    keys: np.ndarray | None
    max_depth: int
    max_features: int
    category_counts: dict[int, int]
    folds: np.ndarray | None
    max_bins: int | None
    choose: Callable[[int, int], Search]

    @property
    def n_features(self) -> int:
        """Number of columns of X."""
        return self.X.shape[1]

    @property
    def is_exact(self) -> bool:
        """Whether cuts lie between any two values, or between bins only."""
        return self.max_bins is None

    @property
    def bins_hold_all(self) -> bool:
        """Whether there are bins, and each has one value."""
        return self.binned is not None and self.binned.hold_all

    def levels_below(self, node: TopNode) -> int:
        """Return the largest depth of a subtree, negative for no limit."""
        return self.max_depth - node.depth if self.max_depth >= 0 else -1

    def values_of(self, rows: np.ndarray) -> ValueOf:
        """Return a function that gives values of dense samples, or codes of their bins.

        It takes numbers of samples among ``rows``, and of features.
        """
        if self.is_exact:
            return lambda sample, feature: self.X[rows[sample], feature]
        return lambda sample, feature: self.binned.codes[feature, rows[sample]]


class Search(Enum):
    """A way to split nodes."""

    HISTOGRAM = "one node, between bins of all samples"
    PRESORTED = "all nodes below, of which every feature is sorted once"
    SAMPLED = "all nodes below, of which every one sorts the features that it tries"


class TopNode(NamedTuple):
    """A node of a tree under construction: its number, samples, depth, and random seed."""

    number: int
    rows: np.ndarray
    depth: int
    seed: np.uint64
