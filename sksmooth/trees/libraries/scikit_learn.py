"""Trees of scikit-learn, alone and in its forests, bags and boosted ensembles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..tree import Forest, Tree
from .base import Library, is_instance

__all__ = ["ScikitLearn"]


class ScikitLearn(Library):
    """Every model that no other library owns, if it is made of scikit-learn's trees."""

    def owns(self, model: Any) -> bool:
        """Take every model; :meth:`read` refuses those without trees."""
        return True

    def read(self, model: Any) -> Forest:
        """Read the trees of the model, or of its members."""
        trees = [_read_tree(member.tree_) for member in members_of(model)]
        columns = getattr(model, "estimators_features_", None)
        if columns is not None:  # bagging with max_features
            trees = [
                _with_features(tree, np.asarray(names))
                for tree, names in zip(trees, columns, strict=True)
            ]
        return Forest(tuple(trees), model.n_features_in_)

    def learning_rate(self, model: Any) -> float | None:
        """Return the learning rate of gradient boosting; AdaBoost averages its trees."""
        names = {"GradientBoostingClassifier", "GradientBoostingRegressor"}
        if is_instance(model, "sklearn", names):
            return float(model.learning_rate)
        return None

    def in_bag_rows(self, model: Any, n_samples: int) -> np.ndarray | None:
        """Tell which samples each tree of a forest or a bag was grown on."""
        samples = getattr(model, "estimators_samples_", None)
        if samples is None:
            return None
        in_bag = np.zeros((len(samples), n_samples), dtype=bool)
        for row, drawn in zip(in_bag, samples, strict=True):
            row[drawn] = True
        return in_bag


def members_of(model: Any) -> list[Any]:
    """Return the estimators with a ``tree_`` that a fitted model consists of."""
    if not hasattr(model, "fit"):
        raise TypeError(f"forest must be a tree or forest estimator, got {model!r}.")
    check_is_fitted(model)
    if hasattr(model, "tree_"):
        return [model]
    members = getattr(model, "estimators_", [])
    if isinstance(members, np.ndarray):  # boosting: stages x classes
        members = members.ravel().tolist()
    if not members or not all(hasattr(member, "tree_") for member in members):
        raise TypeError(
            f"{type(model).__name__} is not made of scikit-learn trees. Supported are "
            "DecisionTree*, ExtraTree*, RandomForest*, ExtraTrees*, GradientBoosting*, "
            "HistGradientBoosting*, Bagging* and AdaBoost* of trees, the forests of "
            "scikit-learn-intelex, and the models of LightGBM, XGBoost and treelite."
        )
    return members


def _read_tree(tree: Any) -> Tree:
    is_leaf = tree.children_left < 0
    return Tree(
        left=tree.children_left.astype(np.int32),
        right=tree.children_right.astype(np.int32),
        feature=np.where(is_leaf, -1, tree.feature).astype(np.int32),
        threshold=np.where(is_leaf, 0.0, tree.threshold),
        missing_left=tree.missing_go_to_left.astype(bool) & ~is_leaf,
    )


def _with_features(tree: Tree, columns: np.ndarray) -> Tree:
    """Translate the features of a tree that saw only some columns to those of all."""
    feature = np.where(tree.left >= 0, columns[tree.feature], -1).astype(np.int32)
    return replace(tree, feature=feature)
