"""The curve from which an index was read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from ..._lib.html import number
from .axes import name_curves, new_axes, plain

__all__ = ["ErrorDecayDisplay"]

_MOST_POINTS = 1000  # more are not visible, but enlarge vector graphics
_FEW_POINTS = 30  # up to this number, points are marked one by one


class ErrorDecayDisplay:
    """The decaying curve from which a smoothness index was read.

    It is recommended to use :meth:`from_estimator` to create a display. All parameters
    are stored as attributes, and :meth:`plot` can be called again on other axes.

    Parameters
    ----------
    n_terms : array-like of shape (n_points,)
        Numbers of terms M, increasing, or ranks of wavelets.
    errors : array-like of shape (n_points,)
        Their errors, or norms of wavelets. Zeros are not drawn, since the axes are
        logarithmic.
    slope, intercept : float
        The fitted line, ``log error = intercept + slope * log M``; NaN if the index was not
        read from it. Then neither the line nor its window is drawn.
    fit_range : tuple of int
        First and last number of terms of the window in which the line was fitted.
    alpha : float
        The smoothness index.
    alpha_interval : tuple of float
        Lower and upper end of its confidence interval; without an upper end, the index is
        a lower bound.
    noise : float, default=NaN
        Error of the noise alone, below which the curve does not fall; NaN if none was
        found.
    x_label, y_label : str
        Labels of the axes, which depend on the convention of the estimator.
    estimator_name : str, default=None
        Name of the curve in the title and in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure that holds them.
    curve_ : matplotlib Line2D
        The curve.
    line_ : matplotlib Line2D or None
        The fitted line over its window; None if the index was not read from it.
    window_ : matplotlib Patch or None
        The shaded window; None without a line or if ``show_window=False``.
    floor_ : matplotlib Line2D or None
        Horizontal line at the error of the noise; None if no noise was found.

    See Also
    --------
    sksmooth.BesovSmoothnessEstimator : Measures the index.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import BesovSmoothnessEstimator
    >>> from sksmooth.plotting import ErrorDecayDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    >>> display = ErrorDecayDisplay.from_estimator(estimator, name="digits")
    >>> display.ax_.get_xlabel()
    'Number of terms M of a tree'
    >>> plt.show()
    """

    def __init__(
        self,
        *,
        n_terms: ArrayLike,
        errors: ArrayLike,
        slope: float,
        intercept: float,
        fit_range: tuple[int, int],
        alpha: float,
        alpha_interval: tuple[float, float],
        noise: float = np.nan,
        x_label: str = "Number of terms M",
        y_label: str = "Error with M terms",
        estimator_name: str | None = None,
    ) -> None:
        self.n_terms = n_terms
        self.errors = errors
        self.slope = slope
        self.intercept = intercept
        self.fit_range = fit_range
        self.alpha = alpha
        self.alpha_interval = alpha_interval
        self.noise = noise
        self.x_label = x_label
        self.y_label = y_label
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Any = None,
        name: str | None = None,
        curve_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
        show_window: bool = True,
    ) -> ErrorDecayDisplay:
        """Draw the curve of a fitted estimator.

        Parameters
        ----------
        estimator : BesovSmoothnessEstimator
            A fitted estimator.
        ax, name, curve_kwargs, line_kwargs, show_window : optional
            As in :meth:`plot`.

        Returns
        -------
        display : ErrorDecayDisplay
            The display, already drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no error curve.
        ImportError
            If matplotlib is not installed.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "decay_"):
            raise TypeError(
                f"{type(estimator).__name__} has no error curve; pass a fitted "
                "BesovSmoothnessEstimator (for a pipeline its last step, pipeline[-1])."
            )
        fit = estimator.decay_
        is_read_from_line = fit.share_of_whole_way < 1
        display = cls(
            n_terms=fit.n_terms,
            errors=fit.errors,
            slope=fit.line.slope if is_read_from_line else np.nan,
            intercept=fit.line.intercept if is_read_from_line else np.nan,
            fit_range=fit.fit_range,
            alpha=fit.alpha,
            alpha_interval=fit.interval,
            noise=_error_of_noise(estimator),
            x_label=fit.convention.x_label,
            y_label=fit.convention.y_label,
            estimator_name=name,
        )
        return display.plot(
            ax,
            curve_kwargs=curve_kwargs,
            line_kwargs=line_kwargs,
            show_window=show_window,
        )

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        curve_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
        show_window: bool = True,
    ) -> ErrorDecayDisplay:
        """Draw the curve, the fitted line, its window and the noise on logarithmic axes.

        The title shows the index. If several displays share axes, a legend shows it
        instead.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            Name of the curve; None takes ``estimator_name``.
        curve_kwargs, line_kwargs : dict, default=None
            Options of matplotlib's ``plot`` for the curve and for the fitted line.
        show_window : bool, default=True
            Whether to shade the fit window.

        Returns
        -------
        self : ErrorDecayDisplay
            The display, with the attributes ``ax_``, ``figure_``, ``curve_``,
            ``line_``, ``window_`` and ``floor_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = new_axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        name = self.estimator_name if name is None else name
        points = self.frame()
        style = {"marker": "." if len(points) < _FEW_POINTS else None}
        style |= {"label": self._label(name)} | (curve_kwargs or {})
        (self.curve_,) = self.ax_.plot(points["n_terms"], points["error"], **style)
        self.line_ = self.window_ = self.floor_ = None
        color = self.curve_.get_color()
        if self.noise > 0:
            style = {"color": color, "linestyle": ":", "linewidth": 1.2}
            self.floor_ = self.ax_.axhline(self.noise, **style)
        if np.isfinite(self.slope):
            fitted = points.dropna()
            style = {"color": "black", "linestyle": "--", "linewidth": 1.2}
            style |= {"zorder": self.curve_.get_zorder() + 0.1} | (line_kwargs or {})
            (self.line_,) = self.ax_.plot(fitted["n_terms"], fitted["fitted"], **style)
        if show_window and self.line_ is not None:
            self.window_ = self.ax_.axvspan(*self.fit_range, color=color, alpha=0.1, lw=0)
        self._annotate()
        return self

    def frame(self) -> pd.DataFrame:
        """Return the plotted points.

        Returns
        -------
        frame : DataFrame
            Columns ``n_terms``, ``error`` and ``fitted``: the line within its window, NaN
            elsewhere. Points with zero error are left out, and a long curve is thinned to
            about 1000 points, equally spaced in log M.
        """
        n_terms, errors = np.asarray(self.n_terms), np.asarray(self.errors)
        visible = np.flatnonzero(errors > 0)
        visible = visible[_log_spaced(len(visible))]
        # Thinning must not shorten the line.
        ends = np.flatnonzero(np.isin(n_terms, self.fit_range) & (errors > 0))
        visible = np.union1d(visible, ends)
        n_terms, errors = n_terms[visible], errors[visible]
        first, last = self.fit_range
        in_window = (n_terms >= first) & (n_terms <= last)
        fitted = np.exp(self.intercept + self.slope * np.log(n_terms))
        fitted = np.where(in_window, fitted, np.nan)
        return pd.DataFrame({"n_terms": n_terms, "error": errors, "fitted": fitted})

    def _label(self, name: str | None) -> str:
        low, high = self.alpha_interval
        # An interval from 0 to infinity means unknown, not a lower bound.
        sign = r"$\geq$" if low > 0 and np.isinf(high) else "="
        ends = ", ".join(number(end, 2) for end in (low, high))
        text = rf"$\alpha$ {sign} {number(self.alpha, 2)} [{ends}]"
        return text if name is None else f"{plain(name)}: {text}"

    def _annotate(self) -> None:
        """Set scales and labels, and show the index in the title or the legend."""
        self.ax_.set(xscale="log", yscale="log", xlabel=self.x_label, ylabel=self.y_label)
        _label_in_plain_numbers(self.ax_)
        name_curves(self.ax_)


def _error_of_noise(estimator: Any) -> float:
    """Find the error of the noise on the curve that is drawn; NaN if there is none."""
    fit, shares = estimator.decay_, estimator.shares_
    # Noise is measured on the M-term curve; curves of published procedures have other
    # units.
    if shares.noise_is_bound or not np.array_equal(fit.errors, fit.m_term_errors):
        return np.nan
    return float(shares.error_of_mean * shares.noise ** (1 / estimator.wavelets_.p))


def _label_in_plain_numbers(ax: Any) -> None:
    # Errors often span less than a decade, for which 0.3 is clearer than 3 x 10^-1.
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = ax.get_ylim()
    if high < 30 * low:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 5, 7)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())


def _log_spaced(n_points: int) -> np.ndarray:
    """Choose all positions below ``n_points``, or a thousand equally spaced in log."""
    if n_points <= _MOST_POINTS:
        return np.arange(n_points)
    return np.unique(np.geomspace(1, n_points, _MOST_POINTS).round().astype(int)) - 1
