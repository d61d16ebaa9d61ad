"""Result of a forecast: the error with more samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from ..._lib.state import Versioned
from ...index import LearningCurve, SureErrors, fit_learning_curve
from ...samples import numbered
from ..summary import card_of, forecast_summary, text_of
from ..verdict import percent

__all__ = ["FARTHEST", "ErrorForecast", "RowLosses"]

FARTHEST = 64  # times the samples: no forecast was checked beyond
_TIMES = 10  # the samples, where a table shows one forecast only
_FEWEST_SAMPLES = 256  # with fewer, intervals are too narrow where there is no noise
_SUREST = 0.5  # of the predictions
_SHOWN = 2 ** np.arange(int(np.log2(FARTHEST)) + 1)


@dataclass(frozen=True, eq=False)
class RowLosses(Versioned):
    """Losses of every sample by the number of training samples.

    Attributes
    ----------
    sizes : ndarray of shape (n_sizes,)
        Numbers of training samples, increasing.
    losses : ndarray of shape (n_sizes, n_samples)
        Whether a sample was wrong, or its squared error relative to the variance of the
        target; averaged over fits, NaN where none tested it.
    constant : ndarray of shape (n_samples,)
        The same for the best constant prediction.
    unit : ndarray of shape (n_samples,)
        Sampling unit of every sample; units are independent.
    are_shares : bool
        Whether losses are shares of wrong predictions.
    margins : ndarray of shape (n_samples,) or None
        Confidence of the predictions.
    """

    sizes: np.ndarray
    losses: np.ndarray
    constant: np.ndarray
    unit: np.ndarray
    are_shares: bool
    margins: np.ndarray | None

    def take(self, rows: np.ndarray) -> RowLosses:
        """Select samples."""
        margins = None if self.margins is None else self.margins[rows]
        return RowLosses(
            self.sizes,
            self.losses[:, rows],
            self.constant[rows],
            self.unit[rows],
            self.are_shares,
            margins,
        )

    def errors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute the mean errors of the sizes that were tested, and their covariance.

        Returns
        -------
        places : ndarray of shape (n_known,), intp
            Places of the sizes at which samples were tested.
        errors : ndarray of shape (n_known,)
            Mean errors. For shares, half a wrong prediction is added to all, so that none
            is zero.
        covariance : ndarray of shape (n_known, n_known)
            Of their logs, over the samples.
        """
        is_tested = np.isfinite(self.losses)
        places = np.flatnonzero(is_tested.any(axis=1))
        losses, is_tested = self.losses[places].astype(float), is_tested[places]
        n_tested = is_tested.sum(axis=1)
        means = np.sum(losses, axis=1, where=is_tested) / n_tested
        less, least = 0.0, np.finfo(float).tiny
        errors = np.maximum(means, least)
        if self.are_shares:
            errors = (means * n_tested + 0.5) / (n_tested + 1)
            less = 0.5 / (n_tested + 1) ** 2
        deviations = np.where(is_tested, losses - means[:, None], 0.0)
        _, unit = np.unique(self.unit, return_inverse=True)
        of_units = np.stack([np.bincount(unit, row) for row in deviations])
        covariance = of_units @ of_units.T / np.outer(n_tested, n_tested)
        covariance += np.diag(np.full(len(places), less))
        return places, errors, covariance / np.outer(errors, errors)

    def surest(self) -> SureErrors | None:
        """Count errors among the most confident predictions, if these are known."""
        if self.margins is None or not self.are_shares:
            return None
        n_surest = int(_SUREST * len(self.margins))
        rows = np.argsort(-self.margins, kind="stable")[:n_surest]
        return SureErrors(int(np.floor(self.losses[-1, rows].sum() + 1e-6)), n_surest)

    def curve(self, like: LearningCurve | None = None) -> LearningCurve:
        """Weight the curves that fit, alike for a part of the samples and for all."""
        places, errors, covariance = self.errors()
        constant = max(self.constant.mean(), errors[-1])
        return fit_learning_curve(
            self.sizes[places],
            errors,
            covariance,
            error_of_constant=constant,
            sure=self.surest(),
            like=like,
        )


@dataclass(frozen=True, eq=False, repr=False)
class ErrorForecast(Versioned):
    """The error of an estimator at other numbers of samples.

    Errors are shares of wrong predictions; for regression, mean squared errors as shares of
    the variance of the target, which is 1 - R².

    Attributes
    ----------
    estimator : str
        Name of the estimator.
    n_samples : int
        N, the number of samples at hand.
    confidence_level : float
        Level of all intervals.
    classes : ndarray of shape (n_classes,) or None
        Class labels; None for regression.
    codes : ndarray of shape (n_samples,) or None
        Number of the class of every sample.
    rows : ndarray of shape (n_samples,)
        Row numbers of the samples in the input.
    measured : RowLosses
        What was measured.
    curve : LearningCurve
        Curves that fit it.

    See Also
    --------
    forecast_error : Computes it.
    sksmooth.plotting.ErrorForecastDisplay : Draws it.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import forecast_error
    >>> X, y = load_digits(return_X_y=True)
    >>> forecast = forecast_error(X[:500], y[:500], random_state=0)
    >>> forecast.samples_for(0.01) > 2000
    True
    """

    estimator: str
    n_samples: int
    confidence_level: float
    classes: np.ndarray | None
    codes: np.ndarray | None
    rows: np.ndarray
    measured: RowLosses
    curve: LearningCurve

    def predict(self, n: ArrayLike) -> Any:
        """Forecast the error with n training samples.

        Parameters
        ----------
        n : int or array-like of int
            Numbers of samples, from the smallest size that was measured to 64 times those
            available.

        Returns
        -------
        error : float or ndarray of float64
            The median forecast, which falls with n.

        Raises
        ------
        ValueError
            If n is outside of that range.
        """
        return self._at(n, self.curve.error)

    def interval(
        self, n: ArrayLike, confidence_level: float | None = None
    ) -> tuple[Any, Any]:
        """Forecast an interval for the error with n training samples.

        Parameters
        ----------
        n : int or array-like of int
            As in :meth:`predict`.
        confidence_level : float, default=None
            Level of the interval; None means that of the forecast.

        Returns
        -------
        low, high : float or ndarray of float64
            Ends of the interval.
        """
        level = self.confidence_level if confidence_level is None else confidence_level
        if not 0 < level < 1:
            raise ValueError(f"confidence_level must lie between 0 and 1, got {level!r}.")
        low = self._at(n, lambda n: self._interval(n, level)[0])
        return low, self._at(n, lambda n: self._interval(n, level)[1])

    def samples_for(self, error: float) -> float:
        """Forecast the number of samples needed to reach an error.

        Parameters
        ----------
        error : float
            The error to reach.

        Returns
        -------
        n : float
            The fewest samples with which the forecast is at most ``error``: an integer, or
            infinite if 64 times the available samples are not enough.
        """
        return self._first(self.curve.error, error)

    def samples_interval(self, error: float) -> tuple[float, float]:
        """Forecast an interval for the number of samples needed to reach an error.

        Parameters
        ----------
        error : float
            The error to reach.

        Returns
        -------
        low, high : float
            Where the two ends of :meth:`interval` reach it.
        """
        level = self.confidence_level
        low = self._first(lambda n: self._interval(n, level)[0], error)
        return low, self._first(lambda n: self._interval(n, level)[1], error)

    @property
    def error(self) -> float:
        """Forecast with all available samples; each measured fit held some of them out."""
        return self.curve.error(self.n_samples)

    @cached_property
    def floor(self) -> float:
        """Error that remains with any number of samples: noise, or model error."""
        return self.curve.floor

    @cached_property
    def floor_interval(self) -> tuple[float, float]:
        """Interval of ``floor``."""
        return self.curve.floor_interval(self.confidence_level)

    @property
    def wrong_labels(self) -> float:
        """Share of wrong labels, if they are wrong at random.

        It is the share of errors among the more confident half of the predictions. NaN for
        regression, and for estimators without a measure of confidence.
        """
        sure = self.measured.surest()
        return np.nan if sure is None else sure.share

    @property
    def wrong_labels_interval(self) -> tuple[float, float]:
        """Interval of ``wrong_labels``, over the samples."""
        sure = self.measured.surest()
        if sure is None:
            return np.nan, np.nan
        low, high = (
            sure.quantile(0.5 + sign * 0.5 * self.confidence_level) for sign in (-1, 1)
        )
        return min(low, sure.share), max(high, sure.share)

    @property
    def samples_to_halve(self) -> float:
        """Number of samples with which half of the error above the floor is left."""
        return self.samples_for(self.floor + 0.5 * (self.error - self.floor))

    @property
    def caution(self) -> str:
        """Why not to rely on the forecast; empty if there is no reason."""
        if not self.curve.is_regular:
            return (
                "The measured errors do not fall as a power law over a floor does, so the "
                "forecast may be far off; look at the points."
            )
        if self.n_samples < _FEWEST_SAMPLES:
            return (
                f"{self.n_samples} samples are few for a forecast: with fewer than "
                f"{_FEWEST_SAMPLES}, its intervals may be too narrow."
            )
        return ""

    @property
    def unit(self) -> str:
        """What the error is."""
        return "error rate" if self.measured.are_shares else "unexplained variance"

    @property
    def per_class(self) -> pd.DataFrame:
        """Error of every class with ten times the samples, as :meth:`by` returns it."""
        if self.classes is None or self.codes is None:
            raise AttributeError(
                "A forecast for regression has no 'per_class'; use by(groups)."
            )
        return self._table(self.classes, self.codes, "class", _TIMES * self.n_samples)

    def by(self, groups: ArrayLike, n: int | None = None) -> pd.DataFrame:
        """Forecast the error of groups of samples, each by its own curve.

        Parameters
        ----------
        groups : array-like of shape (n_rows,)
            Group of every row of the input, such as a region, a site or a decade.
        n : int, default=None
            Number of samples, all groups together; None means ten times those available.

        Returns
        -------
        table : DataFrame
            One row per group, largest gain first: ``group``, ``n_samples``, ``error`` with
            the samples at hand, ``forecast`` with n and the ends ``low`` and ``high`` of
            its interval, and ``gain``, by how much this group would lower the error of all
            samples.
        """
        groups = np.asarray(groups)
        if groups.ndim != 1 or len(groups) <= self.rows.max(initial=-1):
            raise ValueError(
                "groups must hold one group for each row of the input, got shape "
                f"{groups.shape}."
            )
        names, codes = numbered(groups[self.rows])
        return self._table(
            names, codes, "group", _TIMES * self.n_samples if n is None else n
        )

    @property
    def sentence(self) -> str:
        """The effect of more samples, in a sentence or two."""
        n = _TIMES * self.n_samples
        later, floor = (
            f"{percent(middle, 1)} ({percent(low, 1)} to {percent(high, 1)})"
            for middle, (low, high) in (
                (self.predict(n), self.interval(n)),
                (self.floor, self.floor_interval),
            )
        )
        text = (
            f"With {self.n_samples:,} samples the {self.unit} of {self.estimator} is "
            f"{percent(self.error, 1)}; with {n:,}, {later} is expected, and with "
            f"unlimited samples {floor}."
        )
        half = self.samples_to_halve
        if np.isfinite(half):
            text += f" {half:,} samples in all would halve the distance to that."
        return text

    def __repr__(self) -> str:
        return " ".join(filter(None, [self.sentence, self.caution]))

    def __str__(self) -> str:
        return text_of(forecast_summary(self))

    def _repr_html_(self) -> str:
        return card_of(forecast_summary(self))

    def to_frame(self) -> pd.DataFrame:
        """Return measured and forecast errors as a table.

        Returns
        -------
        table : DataFrame
            Columns ``n_samples``, ``is_forecast``, ``error``, ``low`` and ``high``: the
            measured sizes, then 1, 2, 4, ... 64 times the available samples.
        """
        places, errors, covariance = self.measured.errors()
        margin = stats.norm.ppf(0.5 + 0.5 * self.confidence_level)
        factor = np.exp(margin * np.sqrt(np.diag(covariance)))
        columns = ["n_samples", "error", "low", "high"]
        measured = pd.DataFrame(
            zip(
                self.measured.sizes[places],
                errors,
                errors / factor,
                errors * factor,
                strict=True,
            ),
            columns=columns,
        )
        n = _SHOWN * self.n_samples
        forecast = pd.DataFrame(
            zip(n, self.predict(n), *self.interval(n), strict=True), columns=columns
        )
        table = pd.concat([measured, forecast], keys=[False, True], names=["is_forecast"])
        table = table.reset_index("is_forecast").reset_index(drop=True)
        return table[["n_samples", "is_forecast", "error", "low", "high"]]

    def _interval(self, n: float, confidence_level: float) -> tuple[float, float]:
        low, high = self.curve.interval(n, confidence_level)
        return max(low, self.curve.floor_interval(confidence_level)[0]), high

    def _at(self, n: ArrayLike, compute: Any) -> Any:
        numbers = np.asarray(n)
        fewest, most = int(self.measured.sizes[0]), FARTHEST * self.n_samples
        if numbers.dtype.kind not in "iuf" or not np.all(
            (numbers >= fewest) & (numbers <= most)
        ):
            raise ValueError(
                f"n must lie between {fewest:,}, the smallest measured number of training "
                f"samples, and {most:,}, {FARTHEST} times the available samples; got "
                f"{n!r}. No forecast was checked beyond."
            )
        if numbers.ndim == 0:
            return float(compute(float(numbers)))
        values = [compute(float(each)) for each in numbers.ravel()]
        return np.reshape(np.array(values, dtype=float), numbers.shape)

    def _first(self, curve: Any, error: float) -> float:
        """Find the smallest number of samples at which a falling curve reaches an error."""
        if not isinstance(error, Real) or not error >= 0:
            raise ValueError(f"error must be a number >= 0, got {error!r}.")
        low, high = int(self.measured.sizes[0]), FARTHEST * self.n_samples
        if curve(high) > error:
            return np.inf
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if curve(middle) <= error else (middle + 1, high)
        return low

    def _table(
        self, names: np.ndarray, codes: np.ndarray, kind: str, n: int
    ) -> pd.DataFrame:
        self._at(n, lambda n: n)
        rows = []
        for code, name in enumerate(names):
            of_group = np.flatnonzero(codes == code)
            curve = self.measured.take(of_group).curve(like=self.curve)
            now, later = curve.error(self.n_samples), curve.error(n)
            low, high = curve.interval(n, self.confidence_level)
            gain = (now - later) * len(of_group) / len(codes)
            rows.append((name, len(of_group), now, later, low, high, gain))
        columns = [kind, "n_samples", "error", "forecast", "low", "high", "gain"]
        table = pd.DataFrame(rows, columns=columns)
        return table.sort_values("gain", ascending=False, kind="stable", ignore_index=True)
