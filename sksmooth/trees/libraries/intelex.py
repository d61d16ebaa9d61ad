"""Forests of scikit-learn-intelex, which oneDAL or scikit-learn may have grown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..._lib.optional import comes_from
from ..tree import Forest
from .scikit_learn import ScikitLearn, members_of

__all__ = ["Intelex"]


class Intelex(ScikitLearn):
    """``RandomForest*`` and ``ExtraTrees*`` of scikit-learn-intelex.

    Both oneDAL and scikit-learn, to which it hands over what oneDAL cannot do, give
    scikit-learn's tree objects.
    """

    def owns(self, model: Any) -> bool:
        """Return whether a model is one of scikit-learn-intelex."""
        return comes_from(model, "sklearnex")

    def read(self, model: Any) -> Forest:
        """Read the trees: oneDAL compares samples in the precision that they have."""
        is_exact = any(map(_grown_by_onedal, members_of(model)))
        return replace(super().read(model), single_precision=not is_exact)

    def in_bag_rows(self, model: Any, n_samples: int) -> np.ndarray | None:
        """Tell the rows of trees that scikit-learn has grown.

        The bootstrap of oneDAL is not the one that scikit-learn's code works out.
        """
        if any(map(_grown_by_onedal, getattr(model, "estimators_", ()))):
            return None
        return super().in_bag_rows(model, n_samples)


def _grown_by_onedal(member: Any) -> bool:
    # Only fit of scikit-learn sets it.
    return not hasattr(member, "max_features_")
