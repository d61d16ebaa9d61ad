"""Whether levels rise in their order: over the depth of a network, or over its training.

Levels of the same samples, approximated by trees of the same bags, vary together. What is
compared with the isotonic fit of their scores is therefore drawn jointly, with the
covariance of all levels over samples and over the choice of trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .._lib.state import Versioned
from .held_out import Level

__all__ = ["Rise", "rise"]

_N_DIRECTIONS = 2000  # with as many opposite ones; p-values scatter by 2 % or so
_LEVEL = 0.05  # of the two tests


@dataclass(frozen=True, eq=False)
class Rise(Versioned):
    """A test of whether levels rise in their order, and of whether they fall anywhere.

    Attributes
    ----------
    scores : ndarray of shape (n_levels,)
        The scores.
    fitted : ndarray of shape (n_levels,)
        Their isotonic regression, weighted by the inverse of their variances.
    statistic : float
        Sum of squares of the isotonic fit around the mean, less that of the antitonic one.
    p_value : float
        One-sided p-value for levels that are all equal, against levels that rise. NaN if
        there are fewer than two.
    drop : tuple of int
        The earlier and the later level between which the score falls most, in standard
        errors; of a score that never falls, those between which it rises least.
    drop_p_value : float
        p-value for levels that fall nowhere, adjusted for all pairs of levels.
    names : tuple of str
        Names of the levels.
    over : str
        What they are: ``"layers"`` or ``"training"``, say.
    """

    scores: np.ndarray
    fitted: np.ndarray
    statistic: float
    p_value: float
    drop: tuple[int, int]
    drop_p_value: float
    names: tuple[str, ...]
    over: str

    def __post_init__(self) -> None:
        for array in (self.scores, self.fitted):
            array.setflags(write=False)

    @property
    def rises(self) -> bool:
        """Whether a rise is shown, at level 5 %."""
        return self.p_value <= _LEVEL

    @property
    def falls(self) -> bool:
        """Whether a fall between two levels is shown, at level 5 %."""
        return self.drop_p_value <= _LEVEL

    def __str__(self) -> str:
        """Say in a sentence what the tests show."""
        if np.isnan(self.p_value):
            return "A rise takes two levels."
        told = _told(self.p_value)
        first, last = (self.names[level] for level in self.drop)
        fall = f"falls from {first} to {last} ({_told(self.drop_p_value)})"
        if self.rises and self.falls:
            return f"Smoothness rises over the {self.over} ({told}), but {fall}."
        if self.rises:
            return f"Smoothness rises over the {self.over} ({told})."
        if self.falls:
            return f"No rise over the {self.over} is shown ({told}); smoothness {fall}."
        return f"No rise over the {self.over} is shown ({told})."


def rise(levels: Sequence[Level], names: Sequence[str] = (), over: str = "levels") -> Rise:
    r"""Test whether levels rise in their order.

    The statistic compares the isotonic fit of the scores with the antitonic one, each by
    its sum of squares around the mean, :math:`\bar E^2` of [1]_ and [2]_ without its
    denominator, so that a curve which falls as much as it rises shows no rise. Unlike the
    sum of ranks of Page [3]_, it does not ask for equal steps. Its null distribution is
    that of a multivariate t with the covariance of the levels, where all are equal: the
    paired influences of the samples, and the jackknife over groups of trees, as in
    :func:`level_difference`, whose one-sided test it is for two levels. Its degrees of
    freedom are those of [4]_.

    A curve may rise on the whole and fall at one place. The largest fall between any two
    levels, in standard errors, is compared with the largest one among equal levels, which
    are the least favourable ones among all that do not fall.

    Parameters
    ----------
    levels : sequence of Level
        Levels of the same samples, approximated by trees of the same bags, in order.
    names : sequence of str, default=()
        Their names; numbers from 1 if there are none.
    over : str, default="levels"
        What they are, for the sentence that ``str`` gives.

    Returns
    -------
    rise : Rise
        The two tests.

    References
    ----------
    .. [1] R. Barlow, D. Bartholomew, J. Bremner and H. Brunk, *Statistical inference under
       order restrictions*, Wiley (1972), chapter 3.
    .. [2] T. Robertson, F. Wright and R. Dykstra, *Order restricted statistical inference*,
       Wiley (1988), chapter 2.
    .. [3] E. Page, *Ordered hypotheses for multiple treatments: a significance test for
       linear ranks*, JASA 58 (1963).
    .. [4] D. Nel and C. van der Merwe, *A solution to the multivariate Behrens-Fisher
       problem*, Communications in Statistics 15 (1986).

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.index import Level, rise
    >>> rng = np.random.RandomState(0)
    >>> influence = 0.001 * rng.standard_normal((4, 400))
    >>> levels = [Level(s, i, np.empty(0)) for s, i in zip((0.1, 0.2, 0.3, 0.2), influence)]
    >>> found = rise(levels, ["input", "conv1", "conv2", "logits"], over="layers")
    >>> print(found)
    Smoothness rises over the layers (p < 0.001), but falls from conv2 to logits (p = 0.002).
    >>> found.fitted.round(2)
    array([0.1 , 0.2 , 0.25, 0.25])
    """
    scores = np.array([level.score for level in levels], dtype=float)
    names = tuple(names) or tuple(str(1 + number) for number in range(len(levels)))
    if len(levels) < 2:
        nothing = (scores.copy(), np.nan, np.nan, (0, 0), np.nan)
        return Rise(scores, *nothing, names, over)
    null = _EqualLevels(levels)
    # Relative to the first, so that equal scores are exactly so.
    steps = scores - scores[0]
    statistic = null.statistic(steps[None])[0]
    falls = null.falls(steps[None])[0]
    largest = int(np.argmax(falls))
    return Rise(
        scores,
        scores[0] + _isotonic(steps[None], null.weights)[0],
        float(statistic),
        null.tail(statistic, null.statistic(null.draws), degree=2),
        (int(null.pairs[0][largest]), int(null.pairs[1][largest])),
        null.tail(falls[largest], null.falls(null.draws).max(axis=1), degree=1),
        names,
        over,
    )


class _EqualLevels:
    """How the scores of levels would vary if all levels were equal.

    Attributes
    ----------
    weights : ndarray of shape (n_levels,)
        Inverse of the variance of each score.
    pairs : tuple of two ndarrays
        Earlier and later level of all pairs.
    draws : ndarray of shape (2 * n_directions, n_levels)
        The centred scores in random directions, of length one where they are independent.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        influence = np.stack([level.influence for level in levels])
        n_levels, n_units = influence.shape
        groups = {len(level.without_trees) for level in levels}
        n_groups = groups.pop() if len(groups) == 1 else 0
        without = np.stack([level.without_trees[:n_groups] for level in levels])
        of_samples = n_units / max(n_units - 1, 1)
        of_trees = (n_groups - 1) / max(n_groups, 1)
        if n_groups > 1:
            without = without - without.mean(axis=1, keepdims=True)
        else:
            without, of_trees = np.zeros((n_levels, 1)), 0.0
        variances = of_samples * (influence**2).sum(axis=1)
        variances += of_trees * (without**2).sum(axis=1)
        # Levels that do not vary at all have large weights, but no infinite ones.
        least = 1e-6 * variances.max() or 1.0
        self.weights = 1 / np.maximum(variances, least)
        parts = of_samples * _covariance(influence), of_trees * _covariance(without)
        self._freedom = _freedom(parts, (n_units - 1, n_groups - 1))
        covariance = parts[0] + parts[1]
        self.pairs = np.triu_indices(n_levels, 1)
        diagonal = np.diag(covariance)
        squares = diagonal[:, None] + diagonal - 2 * covariance
        self._errors = np.sqrt(np.maximum(squares, 0.0))[self.pairs]
        self.draws = _directions(covariance)

    def statistic(self, scores: np.ndarray) -> np.ndarray:
        """Compare the isotonic fits of rows of scores with the antitonic ones."""
        # Both fits have the mean of the scores, whose square cancels.
        up, down = _isotonic(scores, self.weights), _isotonic(-scores, self.weights)
        return (up**2 - down**2) @ self.weights

    def falls(self, scores: np.ndarray) -> np.ndarray:
        """Compute the fall between all pairs of levels, in standard errors."""
        earlier, later = self.pairs
        fall = scores[:, earlier] - scores[:, later]
        return np.divide(fall, self._errors, where=self._errors > 0, out=np.zeros_like(fall))

    def tail(self, observed: float, drawn: np.ndarray, degree: int) -> float:
        """Find the probability of at least what is observed.

        A statistic of scores that are r times as large is r^degree times as large, so each
        direction gives the probability of a length, which is that of an F variable.
        """
        sign = 1.0 if observed > 0 else -1.0
        alike = sign * drawn[sign * drawn > 0]
        n_free = len(self.weights) - 1
        with np.errstate(over="ignore"):
            squares = (sign * observed / alike) ** (2 / degree) / n_free
        beyond = stats.f.sf(squares, n_free, self._freedom).sum() / len(drawn)
        return float(beyond if observed > 0 else 1 - beyond)


def _covariance(replicates: np.ndarray) -> np.ndarray:
    """Sum the products of centred levels over replicates, without what all share."""
    apart = replicates - replicates[0]
    apart = apart - apart.mean(axis=0)
    return apart @ apart.T


def _freedom(parts: Sequence[np.ndarray], freedoms: Sequence[int]) -> float:
    """Approximate the degrees of freedom of a sum of covariances."""

    def size(covariance: np.ndarray) -> float:
        return float(np.sum(covariance**2) + np.trace(covariance) ** 2)

    squares = sum(
        size(part) / max(freedom, 1) for part, freedom in zip(parts, freedoms, strict=True)
    )
    return size(sum(parts, np.zeros_like(parts[0]))) / squares if squares > 0 else 1.0


def _directions(covariance: np.ndarray) -> np.ndarray:
    """Draw directions, and their opposites, and stretch them as the covariance does."""
    values, vectors = np.linalg.eigh(covariance)
    # The smallest value is zero, since levels are centred.
    root = vectors[:, 1:] * np.sqrt(np.maximum(values[1:], 0.0))
    normal = np.random.RandomState(0).standard_normal((_N_DIRECTIONS, len(values) - 1))
    drawn = (normal / np.linalg.norm(normal, axis=1, keepdims=True)) @ root.T
    return np.concatenate([drawn, -drawn])


def _isotonic(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fit non-decreasing values to rows: max-min formula (Robertson et al., theorem 1.4.4).

    The fit at k is the largest over i <= k of the least mean over j >= k of the values
    from i to j.
    """
    n_levels = len(weights)
    sums = np.cumsum(np.pad(values * weights, ((0, 0), (1, 0))), axis=1)
    total = np.cumsum(np.pad(weights, (1, 0)))
    upper = np.triu(np.ones((n_levels, n_levels), dtype=bool))
    width = np.where(upper, total[1:] - total[:-1, None], 1.0)
    means = np.where(upper, (sums[:, None, 1:] - sums[:, :-1, None]) / width, np.inf)
    least = np.minimum.accumulate(means[:, :, ::-1], axis=2)[:, :, ::-1]
    return np.where(upper, least, -np.inf).max(axis=1)


def _told(p_value: float) -> str:
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"
