"""What forests explain of samples that their trees have not seen, with its uncertainty.

The score of a representation is the level of its held-out error, as a rate. Two levels of
the same samples are compared sample by sample, so that samples that are hard in both
cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from scipy import stats

from .._lib.state import Versioned
from ..samples import Samples
from ..trees import GrownForest, Growth, grow, randomised, row_blocks
from ..wavelets import (
    WaveletDecomposition,
    decompose,
    m_term_errors,
    sums_of_unseen,
    values_by_tree,
)
from .variance import jackknife_variance, student_margin, two_sided_p_value
from .whole_way import cells_allowed

__all__ = [
    "HeldOutError",
    "Level",
    "LevelDifference",
    "error_on_others",
    "held_out_error",
    "joined",
    "joint_covariances",
    "least",
    "level_difference",
    "out_of_bag_errors",
    "randomised_error",
    "variances_of",
    "variances_of_pairs",
    "with_terms",
]

_TREE_GROUPS = 10  # of which one at a time is left out
_UNITS_AT_ONCE = 8192  # whose influences on all levels are in memory
# A difference that is smaller, relative to the variances, is one of rounding.
_ROUNDING = 1e-12
# With fewer samples that carry the variance, by the inverse Simpson index, such as one
# outlier, samples say nothing of others.
_FEWEST_SAMPLES = 10


@dataclass(frozen=True, eq=False)
class HeldOutError:
    """The error of a forest on samples approximated by trees that have not seen them.

    Attributes
    ----------
    wavelets : WaveletDecomposition
        The wavelets of the forest.
    grown : GrownForest
        The forest, over the samples that it was grown on.
    n_terms : int
        Number of terms that approximate.
    losses, spreads : ndarray of shape (n_samples,)
        p-th power of the error with so many terms, and without any.
    weights : ndarray of shape (n_samples,)
        Weights of the samples; 0 where every tree has seen one.
    without_trees : ndarray of shape (n_tree_groups,)
        Weighted sum of the losses with one group of trees at a time left out; empty if
        there is one tree only, or if no level is to be read.
    errors : ndarray of shape (n_points,)
        L_p errors with 0, 1, ... terms; empty for samples that no tree was grown on.
    """

    wavelets: WaveletDecomposition
    grown: GrownForest
    n_terms: int
    losses: np.ndarray
    spreads: np.ndarray
    weights: np.ndarray
    without_trees: np.ndarray
    errors: np.ndarray

    @cached_property
    def loss(self) -> float:
        """Weighted sum of the losses."""
        return float(np.sum(self.weights * self.losses))

    @cached_property
    def spread(self) -> float:
        """Weighted sum of the spreads."""
        return float(np.sum(self.weights * self.spreads))

    @property
    def left(self) -> float:
        """Share of the spread that is left."""
        return self.loss / self.spread if self.spread > 0 else 1.0

    def is_carried_by_few(self, unit: np.ndarray) -> bool:
        """Whether a few samples carry the spread, so that it says nothing about others."""
        carried = np.bincount(unit, self.weights * self.spreads)
        return bool(self.spread**2 < _FEWEST_SAMPLES * np.sum(carried**2))

    def interval_of_explained(
        self, unit: np.ndarray, confidence_level: float
    ) -> tuple[float, float]:
        """Compute an interval for ``1 - left``, by the influence of every sampling unit."""
        if self.is_carried_by_few(unit):
            return 0.0, 1.0
        spread, left = self.spread, self.left
        influence = np.bincount(unit, self.weights * (self.losses - left * self.spreads))
        quantile = stats.norm.ppf(0.5 + confidence_level / 2)
        margin = quantile * np.sqrt(np.sum(influence**2)) / spread
        low, high = np.clip([1 - left - margin, 1 - left + margin], 0.0, 1.0)
        return float(low), float(high)

    def level(self, unit: np.ndarray, n_grown: float) -> Level:
        """Read the level of the error, on the scale of rates.

        Parameters
        ----------
        unit : ndarray of shape (n_samples,)
            Sampling unit of every sample.
        n_grown : float
            Number of samples that sets the scale, see :func:`cells_allowed`: the same for
            levels that are compared.

        Returns
        -------
        level : Level
            The level.
        """
        scale = self.wavelets.p * np.log(cells_allowed(n_grown))
        spread = max(self.spread, np.finfo(float).tiny)
        # An error below that of one sample cannot be told from none.
        least = spread / self.weights.sum()
        change = -self.spreads / spread
        if self.loss > least:
            change = change + self.losses / self.loss
        return Level(
            float(-np.log(max(self.loss, least) / spread) / scale),
            -np.bincount(unit, self.weights * change) / scale,
            -np.log(np.maximum(self.without_trees, least) / spread) / scale,
        )


@dataclass(frozen=True, eq=False)
class Level(Versioned):
    """The level of a held-out error as a rate, with the influence of samples and trees.

    Attributes
    ----------
    score : float
        The rate of the whole way; negative where trees do worse than the mean.
    influence : ndarray of shape (n_units,)
        What every sampling unit adds to the score, to first order.
    without_trees : ndarray of shape (n_tree_groups,)
        The score with one group of trees at a time left out.
    """

    score: float
    influence: np.ndarray
    without_trees: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.influence, self.without_trees):
            array.setflags(write=False)

    @property
    def variance(self) -> float:
        """Variance of the score, over samples and the choice of the trees."""
        return self._from_zero.variance

    def interval(self, confidence_level: float) -> tuple[float, float]:
        """Compute a confidence interval for the score."""
        return self._from_zero.interval(confidence_level)

    @property
    def _from_zero(self) -> LevelDifference:
        """The score as the difference to a level of zero that does not vary."""
        return LevelDifference(
            self.score,
            *variances_of(self.influence, self.without_trees),
            len(self.influence),
            len(self.without_trees),
        )


class LevelDifference(NamedTuple):
    """The second level minus the first, with its two variances.

    Attributes
    ----------
    difference : float
        The difference.
    of_samples, of_trees : float
        Its variance over samples, and over the choice of so many trees.
    n_units, n_tree_groups : int
        Numbers of values from which these were estimated.
    """

    difference: float
    of_samples: float
    of_trees: float
    n_units: int
    n_tree_groups: int

    @property
    def variance(self) -> float:
        """Variance of the difference."""
        return self.of_samples + self.of_trees

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the variance (Satterthwaite, Biometrics 2, 1946)."""
        squares = self.of_samples**2 / max(self.n_units - 1, 1)
        squares += self.of_trees**2 / max(self.n_tree_groups - 1, 1)
        return self.variance**2 / squares if squares > 0 else 1.0

    @property
    def p_value(self) -> float:
        """Two-sided p-value of Student's t for equal levels."""
        return two_sided_p_value(self.difference, self.variance, self.freedom)

    def interval(self, confidence_level: float) -> tuple[float, float]:
        """Compute its confidence interval."""
        margin = student_margin(self.variance, self.freedom, confidence_level)
        return self.difference - margin, self.difference + margin


def level_difference(first: Level, second: Level) -> LevelDifference:
    """Compare two levels of the same samples, approximated by trees of the same bags.

    The variance adds that of the paired influences of the samples and, by the jackknife
    over groups of trees, that of the choice of the trees. The first alone rejects 8 to 12 %
    of true null hypotheses at level 5 %: ``benchmarks/compare_representations.py``.

    Parameters
    ----------
    first, second : Level
        The levels.

    Returns
    -------
    difference : LevelDifference
        The second minus the first.
    """
    influence = second.influence - first.influence
    without_trees = np.empty(0)  # of other trees, nothing is known
    if len(first.without_trees) == len(second.without_trees):
        without_trees = second.without_trees - first.without_trees
    return LevelDifference(
        second.score - first.score,
        *variances_of(influence, without_trees),
        len(influence),
        len(first.without_trees),
    )


def variances_of(influence: np.ndarray, without_trees: np.ndarray) -> tuple[float, float]:
    """Compute variances over samples and over the choice of the trees.

    Parameters
    ----------
    influence : ndarray of shape (n_units,)
        What every sampling unit adds to a number, to first order.
    without_trees : ndarray of shape (n_tree_groups,)
        The number with one group of trees at a time left out.

    Returns
    -------
    of_samples, of_trees : float
        Its variances; the second is 0 where less than two groups are known.
    """
    n_units = len(influence)
    of_samples = float(np.sum(influence**2)) * n_units / max(n_units - 1, 1)
    is_known = len(without_trees) > 1
    return of_samples, jackknife_variance(without_trees) if is_known else 0.0


def joint_covariances(levels: Sequence[Level]) -> tuple[np.ndarray, np.ndarray]:
    """Compute the covariances of the differences of levels to the first of them.

    Those of two levels give the variances of :func:`level_difference`.

    Parameters
    ----------
    levels : sequence of Level
        Levels of the same samples, approximated by trees of the same bags.

    Returns
    -------
    of_samples, of_trees : ndarray of shape (n_levels, n_levels)
        Over the samples and, by the jackknife, over the choice of the trees.
    """
    n_units = len(levels[0].influence)
    of_samples = np.zeros((len(levels), len(levels)))
    for start in range(0, n_units, _UNITS_AT_ONCE):
        some = slice(start, start + _UNITS_AT_ONCE)
        influence = np.stack([level.influence[some] for level in levels])
        influence -= influence[0].copy()
        of_samples += influence @ influence.T
    of_samples *= n_units / max(n_units - 1, 1)
    sizes = {len(level.without_trees) for level in levels}
    if len(sizes) > 1 or max(sizes) < 2:
        return of_samples, np.zeros_like(of_samples)
    without = np.stack([level.without_trees for level in levels])
    without -= without[0].copy()
    without -= without.mean(axis=1, keepdims=True)
    n_groups = without.shape[1]
    return of_samples, without @ without.T * ((n_groups - 1) / n_groups)


def variances_of_pairs(covariance: np.ndarray) -> np.ndarray:
    """Compute the variance of the difference of any two levels.

    Parameters
    ----------
    covariance : ndarray of shape (n_levels, n_levels)
        Covariances, of :func:`joint_covariances`.

    Returns
    -------
    variances : ndarray of shape (n_levels, n_levels)
        Variances, 0 where they are rounding errors.
    """
    sums = np.diag(covariance) + np.diag(covariance)[:, None]
    variance = sums - 2 * covariance
    return np.where(variance > _ROUNDING * sums, variance, 0.0)


def out_of_bag_errors(
    wavelets: WaveletDecomposition, grown: GrownForest, samples: Samples, growth: Growth
) -> list[HeldOutError]:
    """Measure what trees explain of the samples that are out of their bags.

    The forest that the index is read from has few trees, which try all features, as the
    theory asks. Fifty trees that try few features, on half of the samples, usually explain
    more at less cost, but explain less if nearly all features are noise. So both are used.

    Parameters
    ----------
    wavelets : WaveletDecomposition
        Wavelets of the forest that the index is read from.
    grown : GrownForest
        That forest.
    samples : Samples
        The samples.
    growth : Growth
        How it was grown.

    Returns
    -------
    errors : list of HeldOutError
        That of the forest, and last that of a randomised one, unless a model of another
        library took its place; none if no samples are out of bag.
    """
    if not grown.unseen.any():
        return []
    if growth.forest is not None:
        return [held_out_error(wavelets, grown, samples)]
    own = held_out_error(wavelets, grown, samples, has_level=False)
    return [own, randomised_error(samples, randomised(growth), wavelets.p, grown)]


def least(errors: Sequence[HeldOutError]) -> HeldOutError:
    """Choose the error that is the least, where one below a sample's counts as that."""
    return min(errors, key=lambda error: max(error.left, 1 / error.weights.sum()))


def randomised_error(
    samples: Samples, growth: Growth, p: float, beside: GrownForest | None = None
) -> HeldOutError:
    """Grow a forest, and measure what it explains of samples that trees have not seen.

    ``beside`` is another forest on the same samples, whose bins are used again.
    """
    # Without the bins and ranks of all features, since errors are kept.
    grown = replace(grow(samples, growth, beside), problem=None)
    return held_out_error(decompose(grown, samples, p=p), grown, samples)


def held_out_error(
    wavelets: WaveletDecomposition,
    grown: GrownForest,
    samples: Samples,
    *,
    has_level: bool = True,
) -> HeldOutError:
    """Measure the error out of bag at the best number of terms.

    Parameters
    ----------
    wavelets : WaveletDecomposition
        Wavelets of the forest.
    grown : GrownForest
        The forest.
    samples : Samples
        The samples that it was grown on.
    has_level : bool, default=True
        Whether a level is to be read from the error, for which trees are left out.

    Returns
    -------
    error : HeldOutError
        The error.
    """
    weights = np.where(grown.unseen.any(axis=0), samples.weights, 0.0)
    errors = m_term_errors(
        wavelets, grown.leaves, samples.targets, weights, unseen=grown.unseen
    )
    # Where no number of terms beats the mean, one still tells what may have been missed.
    best = 1 + int(np.argmin(errors[1:])) if len(errors) > 1 else 0
    error = _error_at(
        wavelets, grown, best, grown.leaves, grown.unseen, samples, has_level=has_level
    )
    return replace(error, errors=errors)


def with_terms(error: HeldOutError, n_terms: int, samples: Samples) -> HeldOutError:
    """Measure the error out of bag with another number of terms.

    Parameters
    ----------
    error : HeldOutError
        Error out of bag.
    n_terms : int
        Number of terms.
    samples : Samples
        The samples that the forest was grown on.

    Returns
    -------
    error : HeldOutError
        The error of the same forest.
    """
    grown = error.grown
    some = _Approximation(error.wavelets, grown.leaves, grown.unseen, n_terms)
    return replace(
        error,
        n_terms=n_terms,
        losses=some.losses(samples),
        without_trees=some.losses_without_trees(samples, error.weights),
    )


def error_on_others(fitted: HeldOutError, others: Samples) -> HeldOutError:
    """Measure the error on samples that no tree has seen, with the same number of terms.

    Parameters
    ----------
    fitted : HeldOutError
        Error out of bag, which has the forest and its best number of terms.
    others : Samples
        The other samples.

    Returns
    -------
    error : HeldOutError
        Their error.
    """
    leaves = fitted.grown.forest.apply(others.X)
    unseen = np.ones(leaves.shape, dtype=bool)
    return _error_at(fitted.wavelets, fitted.grown, fitted.n_terms, leaves, unseen, others)


def joined(errors: Sequence[HeldOutError]) -> HeldOutError:
    """Join the errors on several parts of the samples, one part after the other.

    Parameters
    ----------
    errors : sequence of HeldOutError
        Errors of several forests, of the same number of trees.

    Returns
    -------
    error : HeldOutError
        The error on all parts; wavelets, forest and number of terms are the first ones.
    """
    losses, spreads, weights = (
        np.concatenate([getattr(error, name) for error in errors])
        for name in ("losses", "spreads", "weights")
    )
    without_trees = np.sum([error.without_trees for error in errors], axis=0)
    return replace(
        errors[0],
        losses=losses,
        spreads=spreads,
        weights=weights,
        without_trees=without_trees,
    )


def _error_at(
    wavelets: WaveletDecomposition,
    grown: GrownForest,
    n_terms: int,
    leaves: np.ndarray,
    unseen: np.ndarray,
    samples: Samples,
    *,
    has_level: bool = True,
) -> HeldOutError:
    weights = np.where(unseen.any(axis=0), samples.weights, 0.0)
    spreads = _Approximation(wavelets, leaves, unseen, 0).losses(samples)
    approximation = _Approximation(wavelets, leaves, unseen, n_terms)
    without_trees = np.empty(0)
    if has_level:
        without_trees = approximation.losses_without_trees(samples, weights)
    return HeldOutError(
        wavelets,
        grown,
        n_terms,
        approximation.losses(samples),
        spreads,
        weights,
        without_trees,
        np.empty(0),
    )


class _Approximation:
    """Approximate every sample by the average of the trees that have not seen it."""

    def __init__(
        self,
        wavelets: WaveletDecomposition,
        leaves: np.ndarray,
        unseen: np.ndarray,
        n_terms: int,
    ) -> None:
        values_of = values_by_tree(wavelets, wavelets.order[:n_terms])
        self._added = partial(sums_of_unseen, wavelets, values_of, leaves, unseen)
        self._n_trees, self._p = len(leaves), wavelets.p
        self._sums, self._counts = self._added()

    def losses(self, samples: Samples) -> np.ndarray:
        """Compute the p-th powers of the errors."""
        return self._powers(samples, lambda rows: self._sums[rows], self._counts)

    def losses_without_trees(self, samples: Samples, weights: np.ndarray) -> np.ndarray:
        """Add up the losses with every tenth tree left out.

        Where samples are then known to no tree any more, the others count for them.
        """
        n_groups = min(_TREE_GROUPS, self._n_trees)
        if n_groups == 1:
            return np.empty(0)
        totals = np.empty(n_groups)
        for group in range(n_groups):
            sums, counts = self._added(slice(group, None, n_groups))
            counts = self._counts - counts
            known = weights * (counts > 0)
            powers = self._powers(
                samples,
                lambda rows: self._sums[rows] - sums[rows],  # noqa: B023
                counts,
            )
            totals[group] = np.sum(known * powers) * (weights.sum() / known.sum())
        return totals

    def _powers(
        self, samples: Samples, sums_of: Callable[[slice], np.ndarray], counts: np.ndarray
    ) -> np.ndarray:
        """Compute powers of errors in blocks of samples, which bounds the memory."""
        targets, squares = samples.targets, np.empty(len(counts))
        for rows in row_blocks(self._sums.shape):
            error = targets.rows(rows)
            error = error - sums_of(rows) / np.maximum(counts[rows], 1)[:, None]
            squares[rows] = np.einsum("ij,ij->i", error, error)
        return (squares + targets.floor) ** (self._p / 2)
