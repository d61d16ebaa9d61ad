"""From samples to a forest over them: grown here, or by an estimator of another library."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..samples import Samples, SamplingUnits
from .grower import grow_batches
from .libraries import library_of
from .options import Growth, batches
from .problem import GrowthProblem
from .tree import Forest

__all__ = ["GrownForest", "grow", "grow_in_batches"]


@dataclass(frozen=True, eq=False)
class GrownForest:
    """A forest over the samples that it was grown on.

    Attributes
    ----------
    forest : Forest
        The trees.
    bags : ndarray of shape (n_trees, n_samples), float64
        The weight of every sample in every tree, 0 where it is out of bag.
    leaves : ndarray of shape (n_trees, n_samples), int32
        The leaf of every sample in every tree.
    fitted : estimator, model or None
        What the trees were read from; None for the built-in trees.
    units : SamplingUnits
        What is drawn into the bags.
    problem : GrowthProblem or None
        What the growth of the built-in trees has read.
    """

    forest: Forest
    bags: np.ndarray
    leaves: np.ndarray
    fitted: Any
    units: SamplingUnits
    problem: GrowthProblem | None = None

    @cached_property
    def unseen(self) -> np.ndarray:
        """Samples that are out of the bag of a tree, shape (n_trees, n_samples)."""
        return self.bags == 0

    @cached_property
    def n_grown(self) -> float:
        """Number of units on which a tree was grown, averaged over the trees."""
        return self.units.count_in_bag(self.bags)

    @property
    def n_apart(self) -> float:
        """Number of trees whose out-of-bag samples are together as many as all samples.

        One over the share of the units that a tree has not seen: at most this number of
        trees leave out different samples. Infinite if every tree has seen all samples.
        """
        share_unseen = 1 - self.n_grown / self.units.n_units
        return 1 / share_unseen if share_unseen > 0 else math.inf

    @property
    def learning_rate(self) -> float | None:
        """Factor of every tree in the sum of gradient boosting; None for averages.

        Raises
        ------
        ValueError
            If the trees are neither stages nor an average: boosted forests of XGBoost.
        """
        if self.fitted is None:
            return None
        return library_of(self.fitted).learning_rate(self.fitted)


def grow(
    samples: Samples, growth: Growth, beside: GrownForest | None = None
) -> GrownForest:
    """Grow a forest on samples, and find the leaf of every sample in it.

    Parameters
    ----------
    samples : Samples
        Checked samples.
    growth : Growth
        How the forest is grown.
    beside : GrownForest, default=None
        Another forest on the same samples, whose bins are used again.

    Returns
    -------
    grown : GrownForest
        The forest over the samples.

    Raises
    ------
    ValueError
        If ``max_samples`` is more than there are samples, or if ``growth.forest`` cannot
        be fitted to samples such as these or was fitted to other features.
    TypeError
        If ``growth.forest`` is not made of trees.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sksmooth.samples import read_samples
    >>> from sksmooth.trees import Growth, grow
    >>> samples = read_samples(*load_iris(return_X_y=True))
    >>> grown = grow(samples, Growth(n_estimators=3, max_samples=0.8, random_state=0))
    >>> grown.leaves.shape, grown.unseen.sum(axis=1)
    ((3, 150), array([30, 30, 31]))
    >>> stump = DecisionTreeClassifier(max_depth=1)
    >>> grow(samples, Growth(forest=stump)).forest.trees[0].n_nodes
    3
    """
    if growth.forest is None:
        return next(_batches(samples, growth, lambda n_trees: [n_trees], beside))
    return _fitted_forest(samples, growth)


def grow_in_batches(samples: Samples, growth: Growth) -> Iterator[GrownForest]:
    """Grow the built-in forest of :func:`grow`, first a few trees of it, then more.

    Parameters
    ----------
    samples, growth
        As in :func:`grow`, of which ``growth.forest`` is None.

    Returns
    -------
    grown : iterator of GrownForest
        The first 4, 16, 64, ... trees over the samples; at last all.
    """
    return _batches(samples, growth, batches)


def _batches(
    samples: Samples,
    growth: Growth,
    sizes: Callable[[int], list[int]],
    beside: GrownForest | None = None,
) -> Iterator[GrownForest]:
    known = None if beside is None else beside.problem
    for forest, bags, leaves, problem in grow_batches(samples, growth, sizes, beside=known):
        yield GrownForest(forest, bags, leaves, None, samples.units, problem)


def _fitted_forest(samples: Samples, growth: Growth) -> GrownForest:
    if samples.category_counts:
        raise ValueError(
            f"X has columns of categories ({list(samples.category_counts)}), but forest= "
            "splits only numbers; encode them (as sklearn.preprocessing.TargetEncoder "
            "does), or leave out forest=. With categorical_features=None, numeric "
            "categories are read as numbers."
        )
    library = library_of(growth.forest)
    fitted = library.fit(growth.forest, samples)
    forest = library.read(fitted)
    if forest.n_features != samples.X.shape[1]:
        raise ValueError(
            f"X has {samples.X.shape[1]} features, but forest was fitted with "
            f"{forest.n_features}."
        )
    in_bag = library.in_bag_rows(fitted, len(samples.weights))
    if in_bag is None:
        in_bag = np.ones((len(forest.trees), 1), dtype=bool)
    leaves = forest.apply(samples.X, growth.n_jobs)
    return GrownForest(forest, in_bag * samples.weights, leaves, fitted, samples.units)
