"""Topology and training rows of forests that other code has fitted.

Nothing else is taken from them: counts and means are always computed anew from the
samples, so that it does not matter what a library stores in its nodes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._lib.optional import comes_from
from .libraries import reader
from .tree import Forest, Tree

__all__ = ["in_bag_rows", "read_forest", "read_tree"]


def read_forest(fitted: Any) -> Forest:
    """Trees of a fitted tree or ensemble of trees.

    Parameters
    ----------
    fitted : estimator or model
        Of scikit-learn, a fitted DecisionTree*, ExtraTree*, RandomForest*, ExtraTrees*,
        Bagging* of trees, AdaBoost* of trees, GradientBoosting* or
        HistGradientBoosting*; RandomForest* and ExtraTrees* of scikit-learn-intelex;
        estimators and a Booster of LightGBM and XGBoost; or a treelite.Model. Each stage
        of boosting is a tree, or one tree per class. All stages are read: also those
        after the best one of early stopping, and those that DART scales down.

    Returns
    -------
    forest : Forest
        The trees, in the order in which they were fitted.

    Raises
    ------
    TypeError
        If the model is not made of trees.
    ValueError
        If its splits are not all cuts by a threshold: splits by categories, by
        operators other than < and <=, or by a number taken for a missing value
        (``missing`` of XGBoost; ``zero_as_missing`` of LightGBM, unless all zeros go
        where their neighbours go).
    NotFittedError
        If it is not fitted.

    Notes
    -----
    Entries that a sparse matrix leaves out are zeros to these trees, also to those of
    XGBoost and treelite, which themselves take them for missing.
    """
    read = reader(fitted)
    if read is not None:
        return read(fitted)
    estimators = _tree_estimators(fitted)
    columns = getattr(fitted, "estimators_features_", None)
    trees = [read_tree(estimator.tree_) for estimator in estimators]
    if columns is not None:
        trees = [
            _rename_features(tree, np.asarray(names))
            for tree, names in zip(trees, columns, strict=True)
        ]
    is_exact = any(_grown_by_onedal(fitted, estimator) for estimator in estimators)
    return Forest(tuple(trees), fitted.n_features_in_, single_precision=not is_exact)


def in_bag_rows(fitted: Any, n_samples: int) -> np.ndarray | None:
    """Which samples each tree was grown on.

    How often a bootstrap drew a sample is left aside: some versions of scikit-learn draw
    by sample weight and others multiply by it, so only the rows mean the same in all.

    Returns
    -------
    rows : ndarray of shape (n_trees, n_samples), bool, or None
        None if the library does not say (every tree is then taken to have seen all
        samples): only scikit-learn's forests and bags do.
    """
    members = getattr(fitted, "estimators_", ())
    if any(_grown_by_onedal(fitted, member) for member in members):
        return None  # its bootstrap is not the one that scikit-learn's code works out
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
        tree.missing_go_to_left.astype(bool) & ~is_leaf,
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
            "HistGradientBoosting*, Bagging* and AdaBoost* of trees, the forests of "
            "scikit-learn-intelex, and the models of LightGBM, XGBoost and treelite."
        )
    return members


def _grown_by_onedal(fitted: Any, member: Any) -> bool:
    """Whether a tree of scikit-learn-intelex comes from oneDAL, not from scikit-learn.

    Both give scikit-learn's tree objects, but oneDAL compares samples in the precision
    that they have. Only ``fit`` of scikit-learn sets ``max_features_``.
    """
    return comes_from(fitted, "sklearnex") and not hasattr(member, "max_features_")


def _rename_features(tree: Tree, columns: np.ndarray) -> Tree:
    """The tree of an ensemble member that saw some columns only, in the full numbering."""
    feature = np.where(tree.left >= 0, columns[tree.feature], -1).astype(np.int32)
    return replace(tree, feature=feature)
