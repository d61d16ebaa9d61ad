"""Learning curves: the error at other numbers of samples, from a few that were measured.

A learning curve is modelled as a power law with a floor,

    e(n) = e(m) (s + (1 - s) (n / m)^-b),

where m is the largest measured size, s the share of its error that is floor, and b the
exponent. A handful of measured errors cannot separate s from b, so neither is estimated:
every pair on a grid is weighted by how well its curve fits, times a prior, and forecasts
are quantiles over all of them.

The constants below were chosen on half of the data sets of LCDB (Mohr and others, *LCDB
1.0: an extensive learning curves database for classification tasks*, ECML PKDD 2022), and
are judged on the other half (``benchmarks/forecasts.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from .._lib.state import Versioned

__all__ = ["LearningCurve", "SureErrors", "fit_learning_curve"]

_EXPONENTS = np.geomspace(0.02, 2.5, 32)
_SHARES = np.concatenate([[0.0], (np.arange(30) + 0.5) / 30])
_B, _S = (grid.ravel() for grid in np.meshgrid(_EXPONENTS, _SHARES, indexing="ij"))
# Most learners adapt to what they see: the logs of their exponents are normal, and their
# median falls with the error, relative to that of a constant, since what is nearly as bad
# as a guess learns slowly. A fifth of them has no floor; all other shares of it are equally
# likely.
_EXPONENT, _PER_ERROR, _SPREAD = 0.8, -1.4, 0.55
_MOST_RELATIVE = 1.2
_WITHOUT_FLOOR = 0.2
# Others, such as linear models, have learned nearly all that they can, and what they lack
# falls like 1 / n.
_SATURATED = 0.3  # share of the curves
_FAST, _FAST_SPREAD = 1.0, 0.4  # their exponents
_NEAR_FLOOR = 3  # the density of their share of floor grows like this power of it
_MISFIT, _MISFIT_PER_LOG = 0.01, 0.1  # deviations of log errors, at m and away from it
# Beyond these, errors are of no such curve: on all learners of LCDB, that finds five in six
# of the curves that rise or bend the wrong way where they were measured, and 2 % of others.
_PARAMETERS, _UNLIKELY = 2, 0.01  # of a curve; p-value of its misfit
_LARGEST_RISE = 2.5  # standard deviations
_SURELY = 0.02  # probability of a floor below the bound by the surest predictions
# Intervals are widened by these powers: real curves do not keep to a power law, and fall
# below it more often than they stay above. With them, 90 % intervals hold 90 %.
_WIDER_LOW, _WIDER_HIGH = 1.85, 1.1
_NORMAL = stats.norm.ppf((np.arange(9) + 0.5) / 9)  # equally likely
_NORMAL = _NORMAL / _NORMAL.std()


class SureErrors(NamedTuple):
    """Errors among the most confident predictions of an estimator.

    Labels that are wrong at random are wrong as often there as elsewhere, and other errors
    are rare, so the share of errors is a lower bound on the floor.

    Attributes
    ----------
    n_wrong, n_predicted : int
        Number of errors, and of predictions.
    """

    n_wrong: int
    n_predicted: int

    @property
    def share(self) -> float:
        """Share of the predictions that are wrong."""
        return self.n_wrong / self.n_predicted

    def quantile(self, probability: float) -> float:
        """Compute a quantile of the true share, with the prior of Jeffreys."""
        n_right = self.n_predicted - self.n_wrong
        return float(stats.beta.ppf(probability, self.n_wrong + 0.5, n_right + 0.5))


@dataclass(frozen=True, eq=False)
class LearningCurve(Versioned):
    """Candidate curves for a few measured errors.

    Attributes
    ----------
    size : int
        m, the largest measured number of training samples.
    weights : ndarray of shape (n_curves,)
        Their probabilities.
    levels : ndarray of shape (n_curves,)
        log e(m) of each.
    least : float
        Error below which none of them falls.
    deviation : float
        Standard deviation of the levels, given the curve.
    misfit : float
        Sum of squared deviations of the best curve from the measured errors, each in units
        of its standard deviation.
    rise : float
        By how much an error is larger than one with fewer samples, in standard deviations
        of their difference; the largest of all pairs.
    is_regular : bool
        Whether the errors fall as such a curve does, as far as they tell.
    """

    size: int
    weights: np.ndarray
    levels: np.ndarray
    least: float
    deviation: float
    misfit: float
    rise: float
    is_regular: bool

    def __post_init__(self) -> None:
        self.weights.setflags(write=False)
        self.levels.setflags(write=False)

    def error(self, n: float) -> float:
        """Compute the median of the error with n training samples."""
        return float(self._quantiles(self._logs(n), 0.5))

    def interval(self, n: float, confidence_level: float) -> tuple[float, float]:
        """Compute an interval of the error with n training samples."""
        return self._interval(self._logs(n), confidence_level)

    @property
    def floor(self) -> float:
        """Median of the error that remains with any number of samples."""
        return float(self._quantiles(self._logs(np.inf), 0.5))

    def floor_interval(self, confidence_level: float) -> tuple[float, float]:
        """Compute an interval of that error."""
        return self._interval(self._logs(np.inf), confidence_level)

    def _logs(self, n: float) -> np.ndarray:
        """Compute the log error of all curves with n training samples."""
        floors = _floors(self.levels, self.least)
        with np.errstate(divide="ignore"):  # without a floor, no error is left at infinity
            return self.levels + np.log(_shapes(np.array([n]), self.size, floors)[:, 0])

    def _interval(self, logs: np.ndarray, confidence_level: float) -> tuple[float, float]:
        ends = 0.5 + 0.5 * confidence_level * np.array([-1, 0, 1])
        low, middle, high = self._quantiles(logs, ends)
        if middle == 0:
            return 0.0, float(high)
        wider = middle * (low / middle) ** _WIDER_LOW
        return (
            float(min(max(wider, self.least), middle)),
            float(middle * (high / middle) ** _WIDER_HIGH),
        )

    def _quantiles(self, values: np.ndarray, probabilities: ArrayLike) -> np.ndarray:
        """Compute quantiles over all curves and levels, of errors whose logs are given."""
        values = (values[:, None] + self.deviation * _NORMAL).ravel()
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(np.repeat(self.weights, len(_NORMAL))[order])
        places = np.searchsorted(reached / reached[-1], probabilities)
        return np.exp(values[order][np.minimum(places, len(values) - 1)])


def fit_learning_curve(
    sizes: np.ndarray,
    errors: np.ndarray,
    covariance: np.ndarray,
    *,
    error_of_constant: float = 1.0,
    sure: SureErrors | None = None,
    like: LearningCurve | None = None,
) -> LearningCurve:
    """Weight power laws with a floor by how well they fit measured errors.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
        Numbers of training samples, increasing.
    errors : ndarray of shape (n_sizes,)
        Positive errors.
    covariance : ndarray of shape (n_sizes, n_sizes)
        Of the logs of the errors.
    error_of_constant : float, default=1.0
        Error of the best constant prediction.
    sure : SureErrors, default=None
        Errors of the most confident predictions.
    like : LearningCurve, default=None
        The curve of a larger sample that these errors are a part of. Its probabilities take
        the place of the prior.

    Returns
    -------
    curve : LearningCurve
        The curves and their probabilities.
    """
    size, away = int(sizes[-1]), np.log(sizes[-1] / sizes)
    misfit = np.diag(_MISFIT**2 + (_MISFIT_PER_LOG * away) ** 2)
    precision = np.linalg.inv(covariance + misfit)
    total = precision.sum()
    least = 0.0 if sure is None else sure.quantile(_SURELY)
    # The level has a flat prior, and is integrated out. The share of the bound in e(m)
    # depends on it, and hardly changes with the curve.
    around = np.full(len(_B), np.log(errors) @ precision.sum(axis=0) / total)
    rest = np.log(errors) - np.log(_shapes(sizes, size, _floors(around, least)))
    levels = rest @ precision.sum(axis=0) / total
    centred = rest - levels[:, None]
    misfits = np.einsum("gi,ij,gj->g", centred, precision, centred)
    n_free = max(len(sizes) - _PARAMETERS, 1)
    is_likely = bool(stats.chi2.sf(misfits.min(), n_free) >= _UNLIKELY)
    rise = _largest_rise(np.log(errors), covariance)
    relative = min(errors[-1] / error_of_constant, _MOST_RELATIVE)
    prior = _prior(relative) if like is None else like.weights
    weights = np.exp(-0.5 * (misfits - misfits.min())) * prior
    return LearningCurve(
        size,
        weights / weights.sum(),
        levels,
        least,
        float(total**-0.5),
        float(misfits.min()),
        rise,
        is_likely and rise <= _LARGEST_RISE,
    )


def _largest_rise(logs: np.ndarray, covariance: np.ndarray) -> float:
    """Compare each log error with all those that were measured with fewer samples."""
    variance = np.diag(covariance) + _MISFIT**2
    first, second = np.triu_indices(len(logs), 1)
    of_difference = variance[first] + variance[second] - 2 * covariance[first, second]
    rises = (logs[second] - logs[first]) / np.sqrt(of_difference)
    return float(np.max(rises, initial=-np.inf))


def _floors(levels: np.ndarray, least: float) -> np.ndarray:
    """Compute the share of floor in e(m) of all curves, of which a part is known."""
    known = np.minimum(least / np.exp(levels), _SHARES[-1])
    return known + (1 - known) * _S


def _shapes(sizes: np.ndarray, size: int, floors: np.ndarray) -> np.ndarray:
    """Compute e(n) / e(m) of all curves."""
    falls = (sizes / size) ** -_B[:, None]
    return floors[:, None] + (1 - floors[:, None]) * falls


def _prior(relative: float) -> np.ndarray:
    """Compute the prior of all curves, by the error relative to that of a constant."""
    median = _EXPONENT * np.exp(_PER_ERROR * relative)
    with_floor = (1 - _WITHOUT_FLOOR) / (len(_SHARES) - 1)
    adapting = _of_exponents(median, _SPREAD) * np.where(
        _S == 0, _WITHOUT_FLOOR, with_floor
    )
    near_floor = _S**_NEAR_FLOOR / np.sum(_SHARES**_NEAR_FLOOR)
    saturated = _of_exponents(_FAST, _FAST_SPREAD) * near_floor
    return (1 - _SATURATED) * adapting + _SATURATED * saturated


def _of_exponents(median: float, spread: float) -> np.ndarray:
    """Compute the prior of the exponent of each curve, whose log is normal."""
    density = np.exp(-0.5 * (np.log(_B / median) / spread) ** 2)
    return density / density.sum() * len(_SHARES)
