"""How a forest is grown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Growth"]


@dataclass(frozen=True)
class Growth:
    """How a forest is grown.

    Attributes
    ----------
    n_estimators, max_depth, max_features, max_samples, max_bins, random_state, n_jobs, \
verbose
        As in :class:`sksmooth.BesovSmoothnessEstimator`; ``n_jobs`` is used for finding
        leaves, too.
    forest : estimator, treelite.Model or None
        A model of another library in place of the built-in trees, to which only
        ``n_jobs`` applies then. An estimator is cloned and fitted.
    """

    n_estimators: int = 10
    max_depth: int | None = None
    max_features: float | int | str | None = None
    max_samples: float | int = 1.0
    max_bins: int | None = None
    forest: Any = None
    random_state: int | np.random.RandomState | None = None
    n_jobs: int | None = None
    verbose: int = 0
