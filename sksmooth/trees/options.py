"""How a forest is grown."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

__all__ = ["Growth", "batches", "number_of_trees", "randomised"]

_FEWEST_TREES, _MOST_TREES = 10, 100
_SAMPLES_OF_ALL_TREES = 10_000  # below a thousand samples each, more trees make it up
_FIRST_BATCH = 4  # trees, whose variance says a little already
_RANDOMISED_TREES = 50
_RANDOMISED_SHARE = 0.625  # of the samples of other trees: half of all, by default


@dataclass(frozen=True)
class Growth:
    """How a forest is grown.

    Attributes
    ----------
    n_estimators, max_depth, max_features, max_samples, max_bins, random_state, n_jobs, \
verbose
        As in :class:`sksmooth.BesovSmoothnessEstimator`; ``n_jobs`` is used for finding
        leaves, too. ``n_estimators`` may be ``"auto"``, see :func:`number_of_trees`.
    forest : estimator, treelite.Model or None
        A model of another library in place of the built-in trees, to which only
        ``n_jobs`` applies then. An estimator is cloned and fitted.
    """

    n_estimators: int | str = 10
    max_depth: int | None = None
    max_features: float | int | str | None = None
    max_samples: float | int = 1.0
    max_bins: int | None = None
    forest: Any = None
    random_state: int | np.random.RandomState | None = None
    n_jobs: int | None = None
    verbose: int = 0


def number_of_trees(
    n_estimators: int | str, max_samples: float | int, n_samples: int
) -> int:
    """Choose the number of trees: ten, and up to a hundred for fewer than 1,000 samples.

    Trees on few samples are unstable but cheap. The errors of ten trees on a thousand
    samples and of fifty trees on two hundred are averages over equally many samples.

    Parameters
    ----------
    n_estimators : int or "auto"
        The number, or "auto".
    max_samples : float or int
        Samples of a tree; if a number, it counts instead of ``n_samples``.
    n_samples : int
        Number of samples that trees are drawn from.

    Returns
    -------
    n_trees : int
        Number of trees.
    """
    if isinstance(n_estimators, Integral):
        return int(n_estimators)
    if isinstance(max_samples, Integral):
        n_samples = min(n_samples, int(max_samples))
    wanted = math.ceil(_SAMPLES_OF_ALL_TREES / max(n_samples, 1))
    return min(max(wanted, _FEWEST_TREES), _MOST_TREES)


def batches(n_trees: int) -> list[int]:
    """Return the numbers of trees after which the precision is checked: 4, 16, ..., all."""
    looks = [_FIRST_BATCH * 4**k for k in range(n_trees.bit_length())]
    return [*(size for size in looks if size < n_trees), n_trees]


def randomised(growth: Growth, n_trees: int = _RANDOMISED_TREES) -> Growth:
    """Return the growth of a randomised forest, which explains much at little cost.

    Its trees try few features, on half of the samples, and differ more from each other, so
    that their average is better (Breiman, Machine Learning 45, 2001). Without replacement,
    half of the samples make trees as different as a bootstrap does (Buja and Stuetzle,
    Statistica Sinica 16, 2006).

    Parameters
    ----------
    growth : Growth
        How the forest is grown that the index is read from.
    n_trees : int, default=50
        Number of trees.

    Returns
    -------
    randomised : Growth
        As many samples a tree as ``growth`` if that is a number, otherwise 0.625 of its
        share.
    """
    share = growth.max_samples
    if not isinstance(share, Integral):
        share = _RANDOMISED_SHARE * share
    return replace(
        growth,
        n_estimators=n_trees,
        max_features="sqrt",
        max_samples=share,
        forest=None,
        verbose=0,
    )
