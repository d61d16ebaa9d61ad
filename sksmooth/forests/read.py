"""Topology and training rows of forests that other code has fitted.

Nothing else is taken from them: counts and means are always computed anew from the
samples, so that it does not matter what a library stores in its nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .structure import Forest, Tree

__all__ = ["in_bag_rows", "read_forest", "read_tree"]


def read_forest(fitted: Any) -> Forest:
    """Trees of a fitted scikit-learn tree or ensemble of trees.

    Parameters
    ----------
    fitted : estimator
        A fitted DecisionTree*, ExtraTree*, RandomForest*, ExtraTrees*, Bagging* of
        trees, AdaBoost* of trees or GradientBoosting* (each stage is a tree, or one
        tree per class).

    Returns
    -------
    forest : Forest
        The trees, in the order in which they were fitted.

    Raises
    ------
    TypeError
        If the estimator is not made of trees.
    NotFittedError
        If it is not fitted.
    """
    estimators = _tree_estimators(fitted)
    columns = getattr(fitted, "estimators_features_", None)
    trees = [read_tree(estimator.tree_) for estimator in estimators]
    if columns is not None:
        trees = [
            _rename_features(tree, np.asarray(names))
            for tree, names in zip(trees, columns, strict=True)
        ]
    return Forest(tuple(trees), fitted.n_features_in_)


def in_bag_rows(fitted: Any, n_samples: int) -> np.ndarray | None:
    """Which samples each tree was grown on.

    How often a bootstrap drew a sample is left aside: some versions of scikit-learn draw
    by sample weight and others multiply by it, so only the rows mean the same in all.

    Returns
    -------
    rows : ndarray of shape (n_trees, n_samples), bool, or None
        None if the library does not say (every tree is then taken to have seen all
        samples).
    """
    samples = getattr(fitted, "estimators_samples_", None)
    if samples is None:
        return None
    in_bag = np.zeros((len(samples), n_samples), dtype=bool)
    for row, drawn in zip(in_bag, samples, strict=True):
        row[drawn] = True
    return in_bag


def read_tree(tree: Any) -> Tree:
    """Plain arrays of a scikit-learn ``tree_``."""
    is_leaf = tree.children_left < 0
    return Tree(
        tree.children_left.astype(np.int32),
        tree.children_right.astype(np.int32),
        np.where(is_leaf, -1, tree.feature).astype(np.int32),
        np.where(is_leaf, 0.0, tree.threshold),
    )


def _tree_estimators(fitted: Any) -> list[Any]:
    if not hasattr(fitted, "fit"):
        raise TypeError(f"forest must be a tree or forest estimator, got {fitted!r}.")
    check_is_fitted(fitted)
    if hasattr(fitted, "tree_"):
        return [fitted]
    members = getattr(fitted, "estimators_", [])
    if isinstance(members, np.ndarray):  # boosting: stages x classes
        members = members.ravel().tolist()
    if not members or not all(hasattr(member, "tree_") for member in members):
        raise TypeError(
            f"{type(fitted).__name__} is not made of scikit-learn trees. Supported are "
            "DecisionTree*, ExtraTree*, RandomForest*, ExtraTrees*, GradientBoosting*, "
            "and Bagging* and AdaBoost* of trees."
        )
    return members


def _rename_features(tree: Tree, columns: np.ndarray) -> Tree:
    """The tree of an ensemble member that saw some columns only, in the full numbering."""
    feature = np.where(tree.left >= 0, columns[tree.feature], -1).astype(np.int32)
    return Tree(tree.left, tree.right, feature, tree.threshold)
