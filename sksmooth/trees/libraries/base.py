"""Interface of a library of forests, and helpers that several libraries share."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from ..._lib.optional import comes_from
from ...samples import Samples
from ..tree import Forest, Tree

__all__ = [
    "Library",
    "categorical",
    "is_instance",
    "not_fitted",
    "not_made_of_trees",
    "number_below",
    "numbered_tree",
]


class Library:
    """Models of one library: how they are fitted, and how their trees are read.

    A subclass recognises its models and reads their trees; the defaults of the other
    methods are for libraries that average their trees, fit like scikit-learn's estimators,
    and do not record the samples of a tree. An instance in ``LIBRARIES`` registers it. No
    method may import a library before it has seen a model of it.
    """

    def owns(self, model: Any) -> bool:
        """Return whether a model is one of this library."""
        raise NotImplementedError

    def read(self, model: Any) -> Forest:
        """Read the trees of a fitted model, as :func:`sksmooth.trees.read_forest`."""
        raise NotImplementedError

    def learning_rate(self, model: Any) -> float | None:
        """Return the factor of every tree in a boosted sum; None for averages."""
        return None

    def in_bag_rows(self, model: Any, n_samples: int) -> np.ndarray | None:
        """Tell which samples each tree was grown on; None if the library does not."""
        return None

    def fit(self, model: Any, samples: Samples) -> Any:
        """Fit a clone of an estimator; return an already fitted model unchanged."""
        if not hasattr(model, "fit"):
            return model
        fitted = clone(model)
        y = self.targets_of(fitted, samples)
        # Not all estimators take sample_weight, and equal weights change nothing.
        uniform = (samples.weights == samples.weights[0]).all()
        options = {} if uniform else {"sample_weight": samples.weights}
        fitted.fit(samples.X, y, **options)
        return fitted

    def targets_of(self, estimator: Any, samples: Samples) -> Any:
        """Return the targets as an estimator fits them.

        They are labels for a classifier and vertices of the simplex for a regressor.
        """
        codes = samples.targets.codes
        if codes is not None and is_classifier(estimator):
            return samples.plain_y
        values = samples.targets.values
        if values.shape[1] == 1:
            return values.ravel()  # since estimators warn of a column
        if codes is None:
            return samples.y
        if not get_tags(estimator).target_tags.multi_output:
            name = type(estimator).__name__
            raise ValueError(
                f"{name} fits one output, but {values.shape[1] + 1} classes need "
                f"{values.shape[1]}; use {name.replace('Regressor', 'Classifier')} or a "
                "forest that fits several outputs."
            )
        return values

    def allow_copies(self, model: Any) -> None:
        """Let a model be copied and pickled, where its library does not."""


def is_instance(model: Any, library: str, names: set[str]) -> bool:
    """Return whether a model is of one of these classes, without importing the library."""
    return comes_from(model, library) and any(
        cls.__name__ in names and cls.__module__.partition(".")[0] == library
        for cls in type(model).__mro__
    )


def numbered_tree(
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    missing_left: np.ndarray,
) -> Tree:
    """Make a tree of the nodes that can be reached from the first one.

    Pruning leaves nodes that no other one leads to, and libraries may reuse their numbers.
    Nodes keep their numbers where all of them are reached, parents before children.
    """
    levels = [np.zeros(1, dtype=np.int64)]
    while len(levels[-1]):
        inner = levels[-1][left[levels[-1]] >= 0]
        levels.append(np.concatenate((left[inner], right[inner])))
    order = np.concatenate(levels)
    inner = order[left[order] >= 0]
    if np.all(np.minimum(left[inner], right[inner]) > inner):
        order = np.sort(order)
    number = np.full(len(left), -1, dtype=np.int32)
    number[order] = np.arange(len(order))
    left, right = left[order], right[order]
    is_leaf = left < 0
    return Tree(
        left=np.where(is_leaf, -1, number[left]).astype(np.int32),
        right=np.where(is_leaf, -1, number[right]).astype(np.int32),
        feature=np.where(is_leaf, -1, feature[order]).astype(np.int32),
        threshold=np.where(is_leaf, 0.0, threshold[order]).astype(np.float64),
        missing_left=missing_left[order].astype(bool) & ~is_leaf,
    )


def number_below(threshold: np.ndarray) -> np.ndarray:
    """Turn thresholds of ``<`` into those of ``<=``, in the precision that they have."""
    return np.nextafter(threshold, -np.inf, dtype=threshold.dtype)


def not_made_of_trees(model: Any, how: str = "") -> TypeError:
    """Return the error for a model of a library that holds no trees."""
    return TypeError(f"{type(model).__name__}{how} is not made of trees.")


def not_fitted(model: Any) -> NotFittedError:
    """Return the error for a model that has no trees yet."""
    return NotFittedError(f"This {type(model).__name__} has no trees; fit it first.")


def categorical(library: str, option: str | None) -> ValueError:
    """Return the error for splits by sets of categories."""
    remedy = f" Fit it without {option}." if option else ""
    return ValueError(
        f"This {library} model splits by sets of categories, which are not cuts by a "
        f"threshold.{remedy}"
    )
