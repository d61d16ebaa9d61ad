"""Models that treelite has imported from other libraries; they come fitted."""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._lib.optional import comes_from
from ..tree import Forest, Tree
from .base import (
    Library,
    categorical,
    not_fitted,
    not_made_of_trees,
    number_below,
    numbered_tree,
)

__all__ = ["Treelite"]

# Codes of treelite's model format, version 4.
_CATEGORICAL, _LESS, _LESS_EQUAL = 2, 2, 3


class Treelite(Library):
    """``treelite.Model``."""

    def owns(self, model: Any) -> bool:
        """Return whether a model is one of treelite."""
        return comes_from(model, "treelite")

    def read(self, model: Any) -> Forest:
        """Read the trees through the model's accessors."""
        if not hasattr(model, "get_tree_accessor"):
            raise not_made_of_trees(model)
        fields = [model.get_tree_accessor(i).get_field for i in range(model.num_tree)]
        if not fields:
            raise not_fitted(model)
        single_precision = fields[0]("threshold").dtype == np.float32
        return Forest(tuple(map(_read_tree, fields)), model.num_feature, single_precision)

    def allow_copies(self, model: Any) -> None:
        """Register a reduction, since treelite's models cannot be pickled by themselves."""
        copyreg.pickle(type(model), _state)


def _state(model: Any) -> tuple[Callable, tuple[type, bytes]]:
    return _model_of, (type(model), model.serialize_bytes())


def _model_of(cls: Any, state: bytes) -> Any:
    return cls.deserialize_bytes(state)


def _read_tree(field: Callable[[str], np.ndarray]) -> Tree:
    # Its arrays are views of memory that goes with the model; the tree's are copies.
    left, threshold, operator = field("cleft"), field("threshold"), field("cmp")
    if (field("node_type") == _CATEGORICAL).any():
        raise categorical("treelite", None)
    is_less = operator == _LESS
    if not (is_less | (operator == _LESS_EQUAL))[left >= 0].all():
        raise ValueError(
            "This treelite model compares with operators other than < and <=; they are "
            "not supported."
        )
    return numbered_tree(
        left,
        field("cright"),
        field("split_index"),
        np.where(is_less, number_below(threshold), threshold),
        field("default_left"),
    )
