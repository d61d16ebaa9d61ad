"""Boosted trees and random forests of LightGBM."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..._lib.optional import comes_from
from ..tree import Forest, Tree
from .base import Library, categorical, not_fitted, not_made_of_trees, numbered_tree

__all__ = ["LightGBM"]

# LightGBM takes numbers of this size and below for zeros.
_ZERO = float(np.float32(1e-35))
# Bits of decision_type; the two above them hold how missing values are treated.
_IS_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_NO_MISSING, _ZERO_IS_MISSING = 0, 1


class LightGBM(Library):
    """Estimators and the Booster of LightGBM."""

    def owns(self, model: Any) -> bool:
        """Return whether a model is one of LightGBM."""
        return comes_from(model, "lightgbm")

    def read(self, model: Any) -> Forest:
        """Read the trees from the text in which a model is saved."""
        booster = _booster(model)
        if not hasattr(type(booster), "num_trees"):
            raise not_made_of_trees(model)
        if booster.num_trees() == 0:
            raise not_fitted(model)
        # The text of a saved model is flat, where dump_model() nests its nodes: deep trees
        # would exceed the recursion limit. By default it ends at the best iteration.
        text = booster.model_to_string(num_iteration=-1).partition("\nend of trees")[0]
        trees = text.split("\nTree=")[1:]
        return Forest(
            tuple(map(_read_tree, trees)), booster.num_feature(), single_precision=False
        )

    def learning_rate(self, model: Any) -> float | None:
        """Return the learning rate; None for ``boosting_type="rf"``."""
        # Its parameters have several names each, but one alone in what it saves.
        saved = _booster(model).model_to_string(num_iteration=1)
        options = dict(re.findall(r"^\[(\w+): (.*)\]$", saved, flags=re.MULTILINE))
        return None if options["boosting"] == "rf" else float(options["learning_rate"])


def _booster(model: Any) -> Any:
    # Asked of the class, as the property raises where the model is not fitted.
    return model.booster_ if hasattr(type(model), "booster_") else model


def _read_tree(text: str) -> Tree:
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    decision = np.array(fields["decision_type"].split(), dtype=np.int64)
    if (decision & _IS_CATEGORICAL).any():
        raise categorical("LightGBM", "categorical_feature")
    left, right, feature = (
        np.array(fields[name].split(), dtype=np.int64)
        for name in ("left_child", "right_child", "split_feature")
    )
    threshold, missing_left = _cuts(
        np.array(fields["threshold"].split(), dtype=np.float64),
        default_left=(decision & _DEFAULT_LEFT) > 0,
        missing_type=decision >> 2 & 3,
    )
    # Negative children are leaves, counted from -1; here they follow the inner nodes.
    n_inner, n_leaves = len(left), int(fields["num_leaves"])
    left, right = (np.where(c >= 0, c, n_inner - 1 - c) for c in (left, right))
    pad = (0, n_leaves)
    return numbered_tree(
        np.pad(left, pad, constant_values=-1),
        np.pad(right, pad, constant_values=-1),
        np.pad(feature, pad),
        np.pad(threshold, pad),
        np.pad(missing_left, pad),
    )


def _cuts(
    threshold: np.ndarray, default_left: np.ndarray, missing_type: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return thresholds and sides of NaN that send all samples where LightGBM does.

    NaN goes the default way if it was missing in training, and is 0 otherwise. With
    ``zero_as_missing``, zeros go the default way as well: that is a cut only if numbers
    next to them go there too.
    """
    below = np.nextafter(-_ZERO, -np.inf)
    zeros_left = np.where(missing_type == _ZERO_IS_MISSING, default_left, threshold >= 0)
    if np.where(zeros_left, threshold < below, threshold > _ZERO).any():
        raise ValueError(
            "This LightGBM model was fitted with zero_as_missing=True and sends zeros to "
            "one side of a split and the numbers around them to the other, which is not "
            "a cut by a threshold; fit it with zero_as_missing=False."
        )
    cuts = np.where(zeros_left, threshold.clip(min=_ZERO), threshold.clip(max=below))
    return cuts, np.where(missing_type == _NO_MISSING, zeros_left, default_left)
