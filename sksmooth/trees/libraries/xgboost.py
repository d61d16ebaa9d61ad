"""Boosted trees and random forests of XGBoost."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier

from ..._lib.optional import comes_from
from ...samples import Samples
from ..tree import Forest, Tree
from .base import (
    Library,
    categorical,
    not_fitted,
    not_made_of_trees,
    number_below,
    numbered_tree,
)

__all__ = ["XGBoost"]


class XGBoost(Library):
    """Estimators and the Booster of XGBoost."""

    def owns(self, model: Any) -> bool:
        """Return whether a model is one of XGBoost."""
        return comes_from(model, "xgboost")

    def read(self, model: Any) -> Forest:
        """Read the trees from the JSON in which a model is saved."""
        booster = _booster(model)
        if not hasattr(booster, "num_boosted_rounds"):
            raise not_made_of_trees(model)
        if not _has_rounds(booster):
            raise not_fitted(model)
        missing = getattr(model, "missing", None)
        if missing is not None and not np.isnan(missing):
            raise ValueError(
                f"This XGBoost model treats the number {missing!r} as missing, which is "
                "not a cut by a threshold; fit it with missing=np.nan."
            )
        saved = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
        saved = _tree_booster(saved)
        if "trees" not in saved["model"]:
            raise not_made_of_trees(model, " with booster='gblinear'")
        trees = tuple(map(_read_tree, saved["model"]["trees"]))
        return Forest(trees, booster.num_features())

    def learning_rate(self, model: Any) -> float | None:
        """Return ``eta``; None for one round of a random forest.

        Raises
        ------
        ValueError
            If forests are boosted, whose trees are neither stages nor an average.
        """
        booster = _booster(model)
        if (model.get_xgb_params().get("num_parallel_tree") or 1) > 1:
            if booster.num_boosted_rounds() == 1:
                return None
            raise ValueError(
                "This XGBoost model boosts forests (num_parallel_tree > 1), whose trees "
                "are neither stages nor an average; set num_parallel_tree=1."
            )
        # The default of the library is not among the parameters of the estimator.
        config = json.loads(booster.save_config())["learner"]["gradient_booster"]
        return float(_tree_booster(config)["tree_train_param"]["eta"])

    def fit(self, model: Any, samples: Samples) -> Any:
        """Fit a clone, unless zeros would be taken for missing values."""
        if sparse.issparse(samples.X):
            raise ValueError(
                "XGBoost treats the entries that a sparse X does not store as missing "
                "values, not as zeros; pass X.toarray() or use another forest."
            )
        return super().fit(model, samples)

    def targets_of(self, estimator: Any, samples: Samples) -> Any:
        """Return class numbers for classifiers, which take no labels but 0, 1, ..."""
        if samples.targets.codes is not None and is_classifier(estimator):
            return samples.targets.codes
        return super().targets_of(estimator, samples)


def _booster(model: Any) -> Any:
    return model.get_booster() if hasattr(model, "get_booster") else model


def _tree_booster(saved: dict[str, Any]) -> Any:
    """Return the part about trees: dart holds it one level deeper than gbtree."""
    return saved.get("gbtree", saved)


def _has_rounds(booster: Any) -> bool:
    try:
        return booster.num_boosted_rounds() > 0
    except ValueError:  # as a Booster says that knows of no features
        return False


def _read_tree(tree: dict[str, Any]) -> Tree:
    if any(tree["split_type"]):
        raise categorical("XGBoost", "enable_categorical")
    return numbered_tree(
        np.array(tree["left_children"]),
        np.array(tree["right_children"]),
        np.array(tree["split_indices"]),
        number_below(np.array(tree["split_conditions"], dtype=np.float32)),
        np.array(tree["default_left"], dtype=bool),
    )
