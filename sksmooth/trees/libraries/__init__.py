"""Forests fitted by other libraries, one module per library.

Only topology and training rows are taken from a model: counts and means are always
recomputed from the samples, so it does not matter what a library stores in its nodes. No
library is imported: a model is recognised by the modules of its classes, and read through
public interfaces of its library.

To add a library, write a module with a subclass of :class:`Library`, and put an instance of
it into ``LIBRARIES``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tree import Forest
from .base import Library
from .hist_gradient_boosting import HistGradientBoosting
from .intelex import Intelex
from .lightgbm import LightGBM
from .scikit_learn import ScikitLearn
from .treelite import Treelite
from .xgboost import XGBoost

__all__ = [
    "LIBRARIES",
    "Library",
    "allow_copies",
    "in_bag_rows",
    "library_of",
    "read_forest",
]

# The first one that owns a model is asked about it; the last one owns every model.
LIBRARIES: list[Library] = [
    LightGBM(),
    XGBoost(),
    Treelite(),
    Intelex(),
    HistGradientBoosting(),
    ScikitLearn(),
]


def library_of(model: Any) -> Library:
    """Return the library that knows a model."""
    return next(library for library in LIBRARIES if library.owns(model))


def read_forest(fitted: Any) -> Forest:
    """Read the trees of a fitted tree or ensemble of trees.

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
    Entries that a sparse matrix does not store are zeros for these trees, also for those of
    XGBoost and treelite, which themselves treat them as missing.
    """
    return library_of(fitted).read(fitted)


def in_bag_rows(fitted: Any, n_samples: int) -> np.ndarray | None:
    """Tell which samples each tree was grown on.

    How often a bootstrap drew a sample is left aside: some versions of scikit-learn draw
    by sample weight and others multiply by it, so only the rows mean the same in all.

    Returns
    -------
    rows : ndarray of shape (n_trees, n_samples), bool, or None
        None if the library does not say (every tree is then taken to have seen all
        samples): only scikit-learn's forests and bags do.
    """
    return library_of(fitted).in_bag_rows(fitted, n_samples)


def allow_copies(model: Any) -> None:
    """Let a model be copied and pickled, where its library does not do so."""
    library_of(model).allow_copies(model)
