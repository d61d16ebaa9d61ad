"""Histogram-based gradient boosting of scikit-learn, which has a tree type of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..tree import Forest, Tree
from .base import Library, categorical, is_instance, numbered_tree

__all__ = ["HistGradientBoosting"]


class HistGradientBoosting(Library):
    """``HistGradientBoostingClassifier`` and ``HistGradientBoostingRegressor``."""

    def owns(self, model: Any) -> bool:
        """Return whether a model is histogram-based boosting of scikit-learn."""
        names = {"HistGradientBoostingClassifier", "HistGradientBoostingRegressor"}
        return is_instance(model, "sklearn", names)

    def read(self, model: Any) -> Forest:
        """Read the trees, which compare samples in double precision."""
        check_is_fitted(model)
        if model.is_categorical_ is not None and np.any(model.is_categorical_):
            raise categorical("HistGradientBoosting", "categorical_features")
        # A private name: scikit-learn gives these trees out in no other way.
        stages = model._predictors
        trees = tuple(_read_tree(tree.nodes) for stage in stages for tree in stage)
        return Forest(trees, model.n_features_in_, single_precision=False)

    def learning_rate(self, model: Any) -> float:
        """Return the learning rate of the model."""
        return float(model.learning_rate)


def _read_tree(nodes: np.ndarray) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return numbered_tree(
        np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        nodes["feature_idx"],
        nodes["num_threshold"],
        nodes["missing_go_to_left"],
    )
