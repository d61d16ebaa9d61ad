"""What the estimators that stand on a forest share: its parameters, samples and growth."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from .._lib.scikit_learn import HasMethods, Interval, StrOptions
from .._lib.state import Versioned
from ..samples.checks import feature_dtype, is_dask, plain_features, reading
from ..samples.samples import Samples
from ..samples.targets import Targets
from ..samples.units import SamplingUnits
from ..trees import MOST_BINS, Forest, Growth, allow_copies, grow

__all__ = ["ForestEstimator", "GrownForest"]


class GrownForest(NamedTuple):
    """A forest over given samples.

    Attributes
    ----------
    forest : Forest
        The trees.
    bags : ndarray of shape (n_trees, n_samples), float64
        The weight of every sample in every tree, 0 where it is out of the bag.
    leaves : ndarray of shape (n_trees, n_samples), int32
        The leaf of every sample in every tree.
    fitted : estimator or None
        What the trees were read from; None for the built-in forest.
    """

    forest: Forest
    bags: np.ndarray
    leaves: np.ndarray
    fitted: Any

    @property
    def unseen(self) -> np.ndarray:
        """Samples that are out of the bag of a tree, shape (n_trees, n_samples)."""
        return self.bags == 0


class ForestEstimator(Versioned, BaseEstimator):
    """Base of estimators with the built-in forest, or one of another library."""

    _parameter_constraints: dict[str, list] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "forest": [
            HasMethods(["fit", "get_params"]),
            HasMethods(["get_tree_accessor"]),  # treelite.Model
            None,
        ],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0.0, 1.0, closed="right"),
            StrOptions({"sqrt", "log2"}),
            None,
        ],
        "max_samples": [
            Interval(Real, 0.0, 1.0, closed="right"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_bins": [Interval(Integral, 2, MOST_BINS, closed="both"), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }
    _fewest_samples = 1  # that fit takes

    def _check_features(self, X: ArrayLike, *, reset: bool) -> Any:
        if is_dask(X):
            raise ValueError(
                "X is a Dask collection, which is not read as a whole here: pass some rows "
                "of it, such as X[:10000].compute(), and the same rows of y."
            )
        with reading(X, "X"):
            X = validate_data(
                self,
                X,
                reset=reset,
                accept_sparse="csr",
                dtype=feature_dtype(X),
                ensure_all_finite="allow-nan",
                ensure_min_samples=self._fewest_samples if reset else 1,
            )
        return plain_features(X)

    def _make_forest(
        self,
        X: np.ndarray | sparse.csr_matrix,
        y: ArrayLike,
        targets: Targets,
        weights: np.ndarray,
        canonical: SamplingUnits,
    ) -> GrownForest:
        samples = Samples(X, y, targets, weights, None, joint_units=canonical)
        growth = Growth(
            self.n_estimators,
            self.max_depth,
            self.max_features,
            self.max_samples,
            self.max_bins,
            self.forest,
            self.random_state,
            self.n_jobs,
            self.verbose,
        )
        grown = grow(samples, growth)
        return GrownForest(grown.forest, grown.bags, grown.leaves, grown.fitted)

    def __sklearn_clone__(self) -> Any:
        allow_copies(self.forest)
        return super().__sklearn_clone__()

    def __getstate__(self) -> dict[str, Any]:
        allow_copies(self.forest)
        return super().__getstate__()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags
