"""The error with more samples, as a fan of intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .axes import name_curves, new_axes, plain

__all__ = ["ErrorForecastDisplay"]

_POINTS = 60  # of the fan
_BANDS = (0.5, 0.9)  # their confidence levels
_MARGIN = 0.965  # share of the width at which the band of the floor starts


class ErrorForecastDisplay:
    """Measured errors, and the forecast error with more samples.

    It is recommended to use :meth:`from_forecast` to create a display. All parameters are
    stored as attributes, and :meth:`plot` can be called again on other axes.

    Parameters
    ----------
    sizes, errors, low, high : array-like of shape (n_measured,)
        Measured numbers of training samples, their errors, and the ends of the intervals.
    n_samples : int
        Number of available samples.
    n, forecast : array-like of shape (n_points,)
        Numbers of samples from ``n_samples`` on, and the forecast errors.
    bands : dict of float to (array-like, array-like)
        Ends of the intervals of the forecast, by their confidence level.
    floor : float
        Error that remains with any number of samples.
    floor_interval : tuple of float
        Lower and upper end of its interval.
    unit : str
        What the error is.
    estimator_name : str, default=None
        Name of the curve.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure that holds them.
    points_ : matplotlib ErrorbarContainer
        The measured errors.
    line_ : matplotlib Line2D
        The forecast.
    bands_ : list of matplotlib PolyCollection
        Its intervals.
    floor_ : matplotlib Line2D
        Horizontal line at the floor.
    floor_band_ : matplotlib Patch
        Its interval, as a band at the right edge, beyond all numbers of samples.
    size_line_ : matplotlib Line2D
        Vertical line at the number of available samples.

    See Also
    --------
    sksmooth.forecast_error : Makes the forecast.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import forecast_error
    >>> from sksmooth.plotting import ErrorForecastDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> forecast = forecast_error(X[:500], y[:500], random_state=0)
    >>> display = ErrorForecastDisplay.from_forecast(forecast, name="digits")
    >>> display.ax_.get_ylabel()
    'Error rate'
    >>> plt.show()
    """

    def __init__(
        self,
        *,
        sizes: ArrayLike,
        errors: ArrayLike,
        low: ArrayLike,
        high: ArrayLike,
        n_samples: int,
        n: ArrayLike,
        forecast: ArrayLike,
        bands: dict[float, tuple[ArrayLike, ArrayLike]],
        floor: float,
        floor_interval: tuple[float, float],
        unit: str = "error",
        estimator_name: str | None = None,
    ) -> None:
        self.sizes = sizes
        self.errors = errors
        self.low = low
        self.high = high
        self.n_samples = n_samples
        self.n = n
        self.forecast = forecast
        self.bands = bands
        self.floor = floor
        self.floor_interval = floor_interval
        self.unit = unit
        self.estimator_name = estimator_name

    @classmethod
    def from_forecast(
        cls,
        forecast: Any,
        *,
        ax: Any = None,
        name: str | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> ErrorForecastDisplay:
        """Draw what :func:`~sksmooth.forecast_error` returned.

        Parameters
        ----------
        forecast : ErrorForecast
            The forecast.
        ax, name, line_kwargs : optional
            As in :meth:`plot`; the default name is that of the estimator.

        Returns
        -------
        display : ErrorForecastDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        table = forecast.to_frame()
        measured, ahead = (
            table[table["is_forecast"] == is_forecast] for is_forecast in (False, True)
        )
        n = np.geomspace(forecast.n_samples, ahead["n_samples"].max(), _POINTS)
        levels = sorted({*_BANDS, forecast.confidence_level})
        display = cls(
            sizes=measured["n_samples"],
            errors=measured["error"],
            low=measured["low"],
            high=measured["high"],
            n_samples=forecast.n_samples,
            n=n,
            forecast=forecast.predict(n),
            bands={level: forecast.interval(n, level) for level in levels[::-1]},
            floor=forecast.floor,
            floor_interval=forecast.floor_interval,
            unit=forecast.unit,
            estimator_name=forecast.estimator,
        )
        return display.plot(ax, name=name, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> ErrorForecastDisplay:
        """Draw measured errors, the forecast with its intervals, and the floor.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            Name of the curve; None takes ``estimator_name``.
        line_kwargs : dict, default=None
            Options of matplotlib's ``plot`` for the forecast.

        Returns
        -------
        self : ErrorForecastDisplay
            The display, with the attributes ``ax_``, ``figure_``, ``points_``, ``line_``,
            ``bands_``, ``floor_``, ``floor_band_`` and ``size_line_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = new_axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        name = self.estimator_name if name is None else name
        style = {"label": None if name is None else plain(name)} | (line_kwargs or {})
        (self.line_,) = self.ax_.plot(self.n, self.forecast, **style)
        color = self.line_.get_color()
        self.bands_ = [
            self.ax_.fill_between(self.n, low, high, color=color, alpha=0.15, linewidth=0)
            for low, high in self.bands.values()
        ]
        errors = np.asarray(self.errors)
        margins = [errors - np.asarray(self.low), np.asarray(self.high) - errors]
        self.points_ = self.ax_.errorbar(
            self.sizes, errors, margins, fmt="o", markersize=4, color=color
        )
        self._draw_floor(color)
        self.size_line_ = self.ax_.axvline(self.n_samples, color="gray", linewidth=0.8)
        self._annotate()
        return self

    def frame(self) -> pd.DataFrame:
        """Return the plotted points.

        Returns
        -------
        frame : DataFrame
            Columns ``n_samples``, ``is_forecast``, ``error``, ``low`` and ``high``: the
            measured points with their intervals, then those of the line, with the ends of
            the widest band.
        """
        low, high = self.bands[max(self.bands)]
        columns = {
            "n_samples": (self.sizes, self.n),
            "error": (self.errors, self.forecast),
            "low": (self.low, low),
            "high": (self.high, high),
        }
        frame = pd.DataFrame({name: np.concatenate(both) for name, both in columns.items()})
        frame.insert(1, "is_forecast", np.arange(len(frame)) >= np.size(self.sizes))
        return frame

    def _draw_floor(self, color: Any) -> None:
        self.floor_ = self.ax_.axhline(self.floor, color=color, linestyle=":", linewidth=1)
        low, high = self.floor_interval
        # Only at the edge: across the whole width it would hide the fan.
        self.floor_band_ = self.ax_.axhspan(
            low, high, xmin=_MARGIN, color=color, alpha=0.3, linewidth=0
        )

    def _annotate(self) -> None:
        ylabel = self.unit[:1].upper() + self.unit[1:]
        self.ax_.set(xscale="log", xlabel="Number of training samples", ylabel=ylabel)
        self.ax_.set_ylim(bottom=0)
        name_curves(self.ax_)
