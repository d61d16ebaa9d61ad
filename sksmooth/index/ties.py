"""Which of many levels of the same samples cannot be told apart from the best of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from .held_out import Level, joint_covariances, variances_of_pairs

__all__ = ["holm", "p_values_of_best"]

_N_DRAWS = 10_000
_SEED = 0
# Standard errors below a level from which on another one is no rival of it. Without that,
# hundreds of hopeless candidates would hide a loss among the few good ones.
_NO_RIVAL = 3.0


def p_values_of_best(levels: Sequence[Level]) -> np.ndarray:
    """Test of every level that it is the highest one, however many there are.

    The statistic of a level is how far the others exceed it, by the largest of the
    differences in standard errors. It is compared with draws from the joint normal
    distribution of all levels, as if no rival were truly higher. So the levels whose
    p-value is above 5 % hold the truly highest one with a probability of 95 %: they are a
    confidence set of the best [1]_. Levels that a level exceeds by far count for what they
    are, as in [2]_. A single difference is that of :func:`level_difference`, and so is its
    one-sided p-value, by the quantile of Student's t.

    Parameters
    ----------
    levels : sequence of Level
        Levels of the same samples, approximated by trees of the same bags.

    Returns
    -------
    p_values : ndarray of shape (n_levels,)
        P-values, 1 for the level that was found to be the highest and its equals.

    References
    ----------
    .. [1] J. Hsu, *Constrained simultaneous confidence intervals for multiple comparisons
       with the best*, Annals of Statistics 12 (1984).
    .. [2] P. Hansen, *A test for superior predictive ability*, Journal of Business and
       Economic Statistics 23 (2005).
    """
    scores = np.array([level.score for level in levels])
    order = np.argsort(-scores, kind="stable")  # draws do not depend on the given order
    p_values = np.empty(len(levels))
    p_values[order] = _of_descending([levels[i] for i in order], scores[order])
    return p_values


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p-values for their number (Holm, Scand. J. Statist. 6, 1979); NaN stays.

    Parameters
    ----------
    p_values : ndarray of shape (n_tests,)
        P-values of single tests, of which NaN count as none.

    Returns
    -------
    corrected : ndarray of shape (n_tests,)
        Corrected p-values.
    """
    corrected = np.array(p_values, dtype=np.float64)
    order = np.argsort(corrected)[: np.count_nonzero(~np.isnan(corrected))]  # NaN is last
    steps = corrected[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def _of_descending(levels: Sequence[Level], scores: np.ndarray) -> np.ndarray:
    """Compute the p-values of levels in descending order."""
    of_samples, of_trees = joint_covariances(levels)
    covariance = of_samples + of_trees
    errors = np.sqrt(variances_of_pairs(covariance))
    freedom = _freedom(levels, of_samples, of_trees)
    excess = _normal_quantiles(scores - scores[:, None], errors, freedom)
    values, vectors = np.linalg.eigh(covariance)
    factor = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = factor @ _stratified_normal(len(levels))
    p_values = np.empty(len(levels))
    for i, level_draws in enumerate(draws):
        rivals = (excess[i] > -_NO_RIVAL) & (errors[i] > 0)
        largest = np.zeros(_N_DRAWS)  # the level itself
        for rival_draws, error in zip(draws[rivals], errors[i, rivals], strict=True):
            np.maximum(largest, (rival_draws - level_draws) / error, out=largest)
        p_values[i] = 1 + np.count_nonzero(largest >= excess[i].max())
    return p_values / (_N_DRAWS + 1)


def _freedom(
    levels: Sequence[Level], of_samples: np.ndarray, of_trees: np.ndarray
) -> np.ndarray:
    """Compute the degrees of freedom of every difference, see :class:`LevelDifference`."""
    of_samples, of_trees = map(variances_of_pairs, (of_samples, of_trees))
    squares = of_samples**2 / max(len(levels[0].influence) - 1, 1)
    squares += of_trees**2 / max(len(levels[0].without_trees) - 1, 1)
    whole = (of_samples + of_trees) ** 2
    return np.divide(whole, squares, out=np.ones_like(whole), where=squares > 0)


def _normal_quantiles(
    difference: np.ndarray, errors: np.ndarray, freedom: np.ndarray
) -> np.ndarray:
    """Express differences as the normal quantiles of their p-values by Student's t."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = stats.norm.isf(stats.t.sf(np.abs(difference) / errors, freedom))
    return np.where(difference == 0, 0.0, np.sign(difference) * size)


def _stratified_normal(n_rows: int) -> np.ndarray:
    """Draw standard normal numbers, in every row the same quantiles in another order.

    So the p-values of two levels are exact, and those of many vary less.
    """
    rng = np.random.RandomState(_SEED)
    quantiles = stats.norm.ppf((np.arange(_N_DRAWS) + 0.5) / _N_DRAWS)
    return np.stack([rng.permutation(quantiles) for _ in range(n_rows)])
