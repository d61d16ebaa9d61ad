"""The variance of an index, from its samples, trees and fit window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .._lib.state import Versioned

__all__ = [
    "BeyondReplicates",
    "Replicates",
    "jackknife_variance",
    "log_scale_interval",
    "student_margin",
    "two_sided_p_value",
    "variance_of_difference",
]

_ROUNDING = 1e-12  # of a variance, relative to the whole
_FREEDOM_OF_POOL = 7.7  # of the variance over windows of functions of known rate


@dataclass(frozen=True, eq=False)
class Replicates(Versioned):
    """What an index becomes with a part of the data left out: the sources of its variance.

    Attributes
    ----------
    groups : ndarray of shape (n_groups,)
        The index with one group of samples at a time left out of the errors.
    trees : ndarray of shape (n_trees,)
        The index with one tree at a time left out; empty if there is one tree only.
    blocks : ndarray of shape (n_blocks,)
        What every block of the fit window adds to the slope, less its share in a
        straight line.
    n_apart : float
        Number of trees that see samples apart: if each leaves out the share s of them,
        at most 1 / s trees leave out different ones.
    """

    groups: np.ndarray
    trees: np.ndarray
    blocks: np.ndarray
    n_apart: float

    def __sub__(self, other: Replicates) -> Replicates:
        """Replicates of a difference of indices of the same samples and trees."""
        with np.errstate(invalid="ignore"):  # inf - inf is as unknown as inf
            return Replicates(
                self.groups - other.groups,
                self.trees - other.trees,
                self.blocks - other.blocks,
                self.n_apart,
            )

    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Variances from samples, trees and window, as far as known, and their freedoms.

        Samples: delete-a-group jackknife. Trees: variance of the jackknife's pseudo-values,
        over the number of trees that are as good as independent. Window: sum of squares.
        (Efron and Tibshirani, An introduction to the bootstrap, 1993, chapter 11.)
        """
        variances = self.by_source()
        # Trees that all agree tell nothing.
        n_trees = len(self.trees) if variances[1] != 0 else 0
        sizes = (len(self.groups), n_trees, len(self.blocks))
        known = [
            (variance, size - 1)
            for variance, size in zip(variances, sizes, strict=True)
            if size > 1
        ]
        of_known, freedoms = zip(*known, strict=True) if known else ((), ())
        return np.array(of_known), np.array(freedoms)

    def by_source(self) -> tuple[float, float, float]:
        """Variances from samples, trees and window; zero where there is nothing to tell."""
        n_groups, n_trees, n_blocks = map(len, (self.groups, self.trees, self.blocks))
        samples = trees = window = 0.0
        with np.errstate(invalid="ignore"):  # infinite replicates
            if n_groups > 1:
                samples = jackknife_variance(self.groups)
            if n_trees > 1:
                of_one_tree = (n_trees - 1) ** 2 * np.var(self.trees, ddof=1)
                trees = of_one_tree / min(n_trees, self.n_apart)
            if n_blocks > 1:
                window = np.sum(self.blocks**2) * n_blocks / (n_blocks - 1)
        return float(samples), float(trees), float(window)

    @property
    def variance(self) -> float:
        """Variance of the index; infinite where there is nothing to judge by."""
        variances, _ = self.parts()
        known = len(variances) > 0 and np.isfinite(variances).all()
        return float(variances.sum()) if known else np.inf

    @property
    def freedom(self) -> int:
        """The fewest degrees of freedom of the parts that vary.

        Not those of the sum: a finite number of samples has a bias too, which no
        replicate shows.
        """
        variances, freedoms = self.parts()
        varies = ~(variances <= _ROUNDING * np.sum(variances))  # so does NaN
        return int(min(freedoms[varies], default=1))


def jackknife_variance(replicates: np.ndarray) -> float:
    """Variance of an estimate, by replicates with one group left out at a time."""
    return float((len(replicates) - 1) * np.var(replicates))


def variance_of_difference(ours: Replicates, theirs: Replicates) -> tuple[float, int]:
    """Variance of the difference of two indices, and its degrees of freedom.

    Replicates are paired; where they are no pairs, since the forests have different
    numbers of trees or the windows different numbers of blocks, nothing cancels.
    """
    if all(
        len(getattr(ours, part)) == len(getattr(theirs, part))
        for part in ("groups", "trees", "blocks")
    ):
        difference = ours - theirs
        return difference.variance, difference.freedom
    varying = [one.freedom for one in (ours, theirs) if one.variance > 0]
    return ours.variance + theirs.variance, min(varying, default=1)


def student_margin(variance: float, freedom: float, confidence_level: float) -> float:
    """Half the length of Student's interval; infinite if the variance is."""
    if variance == np.inf:  # also at a level whose quantile is zero by rounding
        return np.inf
    quantile = stats.t.ppf(0.5 + confidence_level / 2, freedom)
    return float(quantile * np.sqrt(variance))


def two_sided_p_value(difference: float, variance: float, freedom: float) -> float:
    """Two-sided p-value of Student's t; 0 for any difference that has no variance."""
    if difference == 0:
        return 1.0
    if variance == 0:
        return 0.0
    return float(2 * stats.t.sf(abs(difference) / np.sqrt(variance), freedom))


@dataclass(frozen=True)
class BeyondReplicates(Versioned):
    """What replicates do not show of the variance of a rate, relative to its square.

    The slopes of four blocks give the variance of the window with three degrees of freedom,
    so that interval lengths would scatter. It is pooled with what the window cost on
    average over functions of known rate, and where the rate is biased in a known way,
    that counts as variance. All constants were fitted to such functions.

    Attributes
    ----------
    of_window : float
        Variance over the window of a function like those, with 7.7 degrees of freedom.
    of_model : float
        Variance that comes on top of it.
    """

    of_window: float
    of_model: float


def log_scale_interval(
    alpha: float, replicates: Replicates, beyond: BeyondReplicates, confidence_level: float
) -> tuple[float, float]:
    """Compute a pooled interval for a rate, on the scale of its logarithm.

    ``alpha exp(-+t s)``, so it does not reach below zero. s^2 adds the variances of samples
    and trees, each relative to alpha^2 and at most 0.1, the pooled variance of the window,
    and that of the model. Coverage and lengths: ``benchmarks/known_smoothness.py``.
    """
    of_samples, of_trees, of_window = (
        min(variance / alpha**2, cap) if np.isfinite(variance) else cap
        for variance, cap in zip(replicates.by_source(), (0.1, 0.1, 1.0), strict=True)
    )
    n_blocks = max(len(replicates.blocks) - 1, 0)
    freedom = _FREEDOM_OF_POOL + n_blocks
    pooled = (_FREEDOM_OF_POOL * beyond.of_window + n_blocks * of_window) / freedom
    deviation = np.sqrt(of_samples + of_trees + pooled + beyond.of_model)
    factor = np.exp(stats.t.ppf(0.5 + confidence_level / 2, freedom) * deviation)
    return float(alpha / factor), float(alpha * factor)
