"""Whether levels rise in their order: over the depth of a network, or over its training.

Levels of the same samples, approximated by trees of the same bags, vary together. What is
compared with the isotonic fit of their scores is therefore drawn jointly, with the
covariance of all levels over samples and over the choice of trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from .._lib.state import Versioned
from .._lib.text import told_p_value
from .held_out import Level, joint_covariances, variances_of_pairs

__all__ = ["Move", "Rise", "rise"]

_N_DIRECTIONS = 1000  # with as many opposite ones
_LEVEL = 0.05  # of the two tests


class Move(NamedTuple):
    """The largest change from one of some levels to a later one, in standard errors.

    Attributes
    ----------
    first, last : int
        The two levels.
    p_value : float
        One-sided p-value of no change in this direction between any two levels.
    """

    first: int
    last: int
    p_value: float


@dataclass(frozen=True, eq=False)
class Rise(Versioned):
    """A test of whether levels rise in their order, and of where they fall.

    Attributes
    ----------
    scores : ndarray of shape (n_levels,)
        The scores.
    fitted : ndarray of shape (n_levels,)
        Their isotonic regression, weighted by the inverse of their variances.
    statistic : float
        Sum of squares of the isotonic fit around the mean, less that of the scores around
        the fit.
    p_value : float
        One-sided p-value for levels that are all equal, against levels that rise. NaN if
        there are fewer than two.
    climb, drop : Move
        The largest rise from any level to a later one, and the largest fall.
    names : tuple of str
        Names of the levels.
    over : str
        What they are: ``"layers"`` or ``"training"``, say.
    """

    scores: np.ndarray
    fitted: np.ndarray
    statistic: float
    p_value: float
    climb: Move
    drop: Move
    names: tuple[str, ...]
    over: str

    def __post_init__(self) -> None:
        for array in (self.scores, self.fitted):
            array.setflags(write=False)

    @property
    def rises(self) -> bool:
        """Whether a rise is shown and no fall, each at level 5 %."""
        return self.p_value <= _LEVEL and not self.falls

    @property
    def falls(self) -> bool:
        """Whether a fall between two levels is shown, at level 5 %."""
        return self.drop.p_value <= _LEVEL

    def __str__(self) -> str:
        """Summarise the tests in a sentence."""
        if np.isnan(self.p_value):
            return "A rise needs at least two levels."
        told = f"({told_p_value(self.p_value)})"
        if self.rises:
            return f"Smoothness rises over the {self.over} {told}."
        fall = f"falls {self._place(self.drop)}"
        if self.falls and self.climb.p_value <= _LEVEL:
            return f"Smoothness rises {self._place(self.climb)}, but {fall}."
        if self.falls:
            return f"Smoothness does not rise over the {self.over}: it {fall}."
        return f"No rise over the {self.over} is shown {told}."

    def _place(self, move: Move) -> str:
        first, last = self.names[move.first], self.names[move.last]
        return f"from {first} to {last} ({told_p_value(move.p_value)})"


def rise(levels: Sequence[Level], names: Sequence[str] = (), over: str = "levels") -> Rise:
    r"""Test whether levels rise in their order.

    The statistic is the sum of squares that the isotonic fit of the scores explains, less
    that which it leaves: it is positive where :math:`\bar E^2` of [1]_ and [2]_, the share
    that is explained, is more than a half. So a curve that falls as much as it rises shows
    no rise, and unlike the sum of ranks of Page [3]_, the statistic does not ask for equal
    steps. Its null distribution is
    that of a multivariate t with the covariance of the levels, where all are equal: the
    paired influences of the samples, and the jackknife over groups of trees, as in
    :func:`level_difference`, whose one-sided test it is for two levels. Its degrees of
    freedom are those of [4]_.

    A curve may rise on the whole and fall at one place, or rise and fall as much. So the
    largest fall from any level to a later one, in standard errors, is compared with the
    largest one among equal levels, which are the least favourable ones among all that do
    not fall; and the largest rise likewise. Where a fall is shown, levels are not equal,
    and these two tell more than ``p_value``.

    Level and power are measured in ``benchmarks/trends.py``.

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
        The tests.

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
    >>> levels = [
    ...     Level(score, influence_of_level, np.empty(0))
    ...     for score, influence_of_level in zip((0.1, 0.2, 0.3, 0.2), influence)
    ... ]
    >>> names = ["input", "conv1", "conv2", "logits"]
    >>> print(rise(levels[:3], names, over="layers"))
    Smoothness rises over the layers (p < 0.001).
    >>> found = rise(levels, names, over="layers")
    >>> found.rises, found.falls, found.drop[:2]
    (False, True, (2, 3))
    >>> print(str(found)[:49])
    Smoothness rises from input to conv2 (p < 0.001),
    >>> found.fitted.round(2)
    array([0.1 , 0.2 , 0.25, 0.25])
    """
    scores = np.array([level.score for level in levels], dtype=float)
    names = tuple(names) or tuple(str(1 + number) for number in range(len(levels)))
    if len(levels) < 2:
        none = Move(0, 0, np.nan)
        return Rise(scores, scores.copy(), np.nan, np.nan, none, none, names, over)
    null = _EqualLevels(levels)
    # Relative to the first, so that equal scores are exactly so.
    steps = scores - scores[0]
    statistic = null.statistic(steps[None])[0]
    return Rise(
        scores,
        scores[0] + _isotonic(steps[None], null.weights)[0],
        float(statistic),
        null.tail(statistic, null.drawn_statistic(), degree=2),
        null.largest_fall(-steps),
        null.largest_fall(steps),
        names,
        over,
    )


class _EqualLevels:
    """How the scores of levels would vary if all levels were equal.

    Attributes
    ----------
    weights : ndarray of shape (n_levels,)
        Inverse of the variance of each score.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        variances = np.array([level.variance for level in levels])
        # Levels that do not vary at all have large weights, but no infinite ones.
        least = 1e-6 * variances.max() or 1.0
        self.weights = 1 / np.maximum(variances, least)
        parts = joint_covariances(levels)
        self._pairs = np.triu_indices(len(levels), 1)
        self._errors = np.sqrt(variances_of_pairs(parts[0] + parts[1]))[self._pairs]
        sizes = len(levels[0].influence), len(levels[0].without_trees)
        centred = [_centred(part) for part in parts]
        self._freedom = _freedom(centred, [size - 1 for size in sizes])
        self._draws = _directions(centred[0] + centred[1])

    def statistic(self, scores: np.ndarray) -> np.ndarray:
        """Compare what isotonic fits of rows of scores explain with what they leave."""
        shares = self.weights / self.weights.sum()
        fitted = _isotonic(scores, self.weights)
        mean = np.sum(scores * shares, axis=1, keepdims=True)
        return np.sum(
            ((fitted - mean) ** 2 - (scores - fitted) ** 2) * self.weights, axis=1
        )

    def drawn_statistic(self) -> np.ndarray:
        """Compute the statistic in all directions, and in the opposite ones."""
        return self.statistic(np.concatenate([self._draws, -self._draws]))

    def largest_fall(self, scores: np.ndarray) -> Move:
        """Find the pair of levels between which scores fall most, in standard errors."""
        falls = self._falls(scores[None])[0]
        pair = int(np.argmax(falls))
        drawn = self._falls(self._draws)
        largest = np.concatenate([drawn.max(axis=1), -drawn.min(axis=1)])
        p_value = self.tail(falls[pair], largest, degree=1)
        return Move(int(self._pairs[0][pair]), int(self._pairs[1][pair]), p_value)

    def _falls(self, scores: np.ndarray) -> np.ndarray:
        earlier, later = self._pairs
        fall = scores[:, earlier] - scores[:, later]
        return np.divide(
            fall, self._errors, where=self._errors > 0, out=np.zeros_like(fall)
        )

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


def _centred(covariance: np.ndarray) -> np.ndarray:
    """Turn covariances of differences to one level into those of deviations from a mean."""
    apart = covariance - covariance.mean(axis=0)
    return apart - apart.mean(axis=1, keepdims=True)


def _freedom(parts: Sequence[np.ndarray], freedoms: Sequence[int]) -> float:
    """Approximate the degrees of freedom of a sum of covariances."""

    def size(covariance: np.ndarray) -> float:
        return float(np.sum(covariance**2) + np.trace(covariance) ** 2)

    squares = sum(
        size(part) / max(freedom, 1) for part, freedom in zip(parts, freedoms, strict=True)
    )
    return size(sum(parts, np.zeros_like(parts[0]))) / squares if squares > 0 else 1.0


def _directions(covariance: np.ndarray) -> np.ndarray:
    """Draw directions of the scores, stretched as the covariance stretches a sphere."""
    values, vectors = np.linalg.eigh(covariance)
    # The smallest value is zero, since levels are centred.
    root = vectors[:, 1:] * np.sqrt(np.maximum(values[1:], 0.0))
    normal = np.random.RandomState(0).standard_normal((_N_DIRECTIONS, len(values) - 1))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return np.einsum("dr,lr->dl", normal, root)


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
