"""Topology of forests that libraries other than scikit-learn's trees have fitted.

No library is imported: a model is recognised by the modules of its classes, and read from
what its library gives out for the purpose.
"""

from __future__ import annotations

import copyreg
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._lib.optional import comes_from
from .tree import Forest, Tree

__all__ = ["allow_copies", "reader"]

# LightGBM takes numbers of this size and below for zeros.
_LIGHTGBM_ZERO = float(np.float32(1e-35))
# Codes of treelite's model format, version 4.
_TREELITE_CATEGORICAL, _TREELITE_LESS, _TREELITE_LESS_EQUAL = 2, 2, 3


def reader(model: Any) -> Callable[[Any], Forest] | None:
    """The function that reads models such as this one, None if no other library's."""
    # Imported here, since these bring half of scikit-learn with them.
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    if isinstance(model, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        return _read_histogram_boosting
    for library, read in _READERS.items():
        if comes_from(model, library):
            return read
    return None


# ---------------------------------------------------------------- LightGBM


def _read_lightgbm(model: Any) -> Forest:
    # Asked of the class, as the property raises where the model is not fitted.
    booster = model.booster_ if hasattr(type(model), "booster_") else model
    if not hasattr(type(booster), "num_trees"):
        raise _not_made_of_trees(model)
    if booster.num_trees() == 0:
        raise _not_fitted(model)
    # The text of a saved model is flat, where dump_model() nests its nodes: deep trees
    # would exceed the recursion limit. By default it ends at the best iteration.
    text = booster.model_to_string(num_iteration=-1).partition("\nend of trees")[0]
    trees = text.split("\nTree=")[1:]
    return Forest(
        tuple(_lightgbm_tree(tree) for tree in trees),
        booster.num_feature(),
        single_precision=False,
    )


def _lightgbm_tree(text: str) -> Tree:
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    decision = np.array(fields["decision_type"].split(), dtype=np.int64)
    if (decision & 1).any():
        raise _categorical("LightGBM", "categorical_feature")
    left, right, feature = (
        np.array(fields[name].split(), dtype=np.int64)
        for name in ("left_child", "right_child", "split_feature")
    )
    threshold, missing_left = _lightgbm_cuts(
        np.array(fields["threshold"].split(), dtype=np.float64),
        default_left=(decision & 2) > 0,
        missing_type=decision >> 2 & 3,
    )
    # Negative children are leaves, counted from -1; here they follow the inner nodes.
    n_inner, n_leaves = len(left), int(fields["num_leaves"])
    left, right = (np.where(c >= 0, c, n_inner - 1 - c) for c in (left, right))
    pad = (0, n_leaves)
    return _numbered(
        np.pad(left, pad, constant_values=-1),
        np.pad(right, pad, constant_values=-1),
        np.pad(feature, pad),
        np.pad(threshold, pad),
        np.pad(missing_left, pad),
    )


def _lightgbm_cuts(
    threshold: np.ndarray, default_left: np.ndarray, missing_type: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds and sides of NaN that send all samples where LightGBM sends them.

    NaN goes the default way if it was missing in training, and is 0 otherwise. With
    ``zero_as_missing``, zeros go the default way as well: that is a cut only if numbers
    next to them go there too.
    """
    zero, below = _LIGHTGBM_ZERO, np.nextafter(-_LIGHTGBM_ZERO, -np.inf)
    zeros_left = np.where(missing_type == 1, default_left, threshold >= 0)
    if np.where(zeros_left, threshold < below, threshold > zero).any():
        raise ValueError(
            "This LightGBM model was fitted with zero_as_missing=True and sends zeros to "
            "one side of a split and the numbers around them to the other, which is not "
            "a cut by a threshold; fit it with zero_as_missing=False."
        )
    cuts = np.where(zeros_left, threshold.clip(min=zero), threshold.clip(max=below))
    return cuts, np.where(missing_type == 0, zeros_left, default_left)


# ---------------------------------------------------------------- XGBoost


def _read_xgboost(model: Any) -> Forest:
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    if not hasattr(booster, "num_boosted_rounds"):
        raise _not_made_of_trees(model)
    if not _has_rounds(booster):
        raise _not_fitted(model)
    missing = getattr(model, "missing", None)
    if missing is not None and not np.isnan(missing):
        raise ValueError(
            f"This XGBoost model takes the number {missing!r} for a missing value, which "
            "is not a cut by a threshold; fit it with missing=np.nan."
        )
    boosting = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    boosting = boosting.get("gbtree", boosting)  # dart holds its trees one level deeper
    if "trees" not in boosting["model"]:
        raise _not_made_of_trees(model, " with booster='gblinear'")
    trees = tuple(_xgboost_tree(tree) for tree in boosting["model"]["trees"])
    return Forest(trees, booster.num_features())


def _has_rounds(booster: Any) -> bool:
    try:
        return booster.num_boosted_rounds() > 0
    except ValueError:  # as a Booster says that knows of no features
        return False


def _xgboost_tree(tree: dict[str, Any]) -> Tree:
    if any(tree["split_type"]):
        raise _categorical("XGBoost", "enable_categorical")
    return _numbered(
        np.array(tree["left_children"]),
        np.array(tree["right_children"]),
        np.array(tree["split_indices"]),
        _number_below(np.array(tree["split_conditions"], dtype=np.float32)),
        np.array(tree["default_left"], dtype=bool),
    )


# ---------------------------------------------------------------- treelite


def _read_treelite(model: Any) -> Forest:
    if not hasattr(model, "get_tree_accessor"):
        raise _not_made_of_trees(model)
    fields = [model.get_tree_accessor(i).get_field for i in range(model.num_tree)]
    if not fields:
        raise _not_fitted(model)
    single_precision = fields[0]("threshold").dtype == np.float32
    trees = tuple(_treelite_tree(field) for field in fields)
    return Forest(trees, model.num_feature, single_precision)


def allow_copies(model: Any) -> None:
    """Let a treelite model be copied and pickled, which it cannot be by itself."""
    if comes_from(model, "treelite"):
        copyreg.pickle(type(model), _treelite_state)


def _treelite_state(model: Any) -> tuple[Callable, tuple[type, bytes]]:
    return _treelite_model, (type(model), model.serialize_bytes())


def _treelite_model(cls: Any, state: bytes) -> Any:
    return cls.deserialize_bytes(state)


def _treelite_tree(field: Callable[[str], np.ndarray]) -> Tree:
    # Its arrays are views of memory that goes with the model; the tree's are copies.
    left, threshold, operator = field("cleft"), field("threshold"), field("cmp")
    if (field("node_type") == _TREELITE_CATEGORICAL).any():
        raise _categorical("treelite", None)
    is_less = operator == _TREELITE_LESS
    if not (is_less | (operator == _TREELITE_LESS_EQUAL))[left >= 0].all():
        raise ValueError(
            "This treelite model compares with operators other than < and <=; they are "
            "not supported."
        )
    return _numbered(
        left,
        field("cright"),
        field("split_index"),
        np.where(is_less, _number_below(threshold), threshold),
        field("default_left"),
    )


# ---------------------------------------------------------------- scikit-learn


def _read_histogram_boosting(model: Any) -> Forest:
    check_is_fitted(model)
    if model.is_categorical_ is not None and np.any(model.is_categorical_):
        raise _categorical("HistGradientBoosting", "categorical_features")
    # A private name: scikit-learn gives these trees out in no other way.
    stages = model._predictors
    trees = tuple(_histogram_tree(tree.nodes) for stage in stages for tree in stage)
    return Forest(trees, model.n_features_in_, single_precision=False)


def _histogram_tree(nodes: np.ndarray) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return _numbered(
        np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        nodes["feature_idx"],
        nodes["num_threshold"],
        nodes["missing_go_to_left"],
    )


# ---------------------------------------------------------------- all of them


def _numbered(
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    missing_left: np.ndarray,
) -> Tree:
    """The nodes that the first one leads to, under their own numbers where these will do.

    Pruning leaves nodes that no other one leads to, and their numbers may be given again.
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
        np.where(is_leaf, -1, number[left]).astype(np.int32),
        np.where(is_leaf, -1, number[right]).astype(np.int32),
        np.where(is_leaf, -1, feature[order]).astype(np.int32),
        np.where(is_leaf, 0.0, threshold[order]).astype(np.float64),
        missing_left[order].astype(bool) & ~is_leaf,
    )


def _number_below(threshold: np.ndarray) -> np.ndarray:
    """What ``<`` compares with as ``<=``, in the precision of the threshold."""
    return np.nextafter(threshold, -np.inf, dtype=threshold.dtype)


def _not_made_of_trees(model: Any, how: str = "") -> TypeError:
    return TypeError(f"{type(model).__name__}{how} is not made of trees.")


def _not_fitted(model: Any) -> NotFittedError:
    return NotFittedError(f"This {type(model).__name__} has no trees; fit it first.")


def _categorical(library: str, option: str | None) -> ValueError:
    remedy = f" Fit it without {option}." if option else ""
    return ValueError(
        f"This {library} model splits by sets of categories, which are not cuts by a "
        f"threshold.{remedy}"
    )


_READERS = {
    "lightgbm": _read_lightgbm,
    "xgboost": _read_xgboost,
    "treelite": _read_treelite,
}
