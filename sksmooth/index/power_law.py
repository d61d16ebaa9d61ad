"""Fit a line to log errors against the logarithm of the number of terms.

``sigma_M ~ C M^(-alpha)`` is the error of the M-term approximation of a function of Besov
smoothness alpha (DeVore, Acta Numerica 7, 1998), so the slope of that line is ``-alpha``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._lib.state import Versioned

__all__ = ["PowerLaw", "fit_power_law", "line_of_slope"]


@dataclass(frozen=True)
class PowerLaw(Versioned):
    """A least-squares line ``log error = intercept + slope * log M``."""

    slope: float
    intercept: float
    r_squared: float
    drop: float
    n_points: int = 0

    def __call__(self, n_terms: np.ndarray) -> np.ndarray:
        """Evaluate the line at numbers of terms."""
        return np.exp(self.intercept + self.slope * np.log(n_terms))


def fit_power_law(n_terms: np.ndarray, errors: np.ndarray) -> PowerLaw:
    """Fit a line to log errors against the logarithm of the number of terms.

    Points with a vanishing error are left out.

    Parameters
    ----------
    n_terms : ndarray of shape (n_points,)
        Positive numbers of terms.
    errors : ndarray of shape (n_points,)
        Non-negative errors.

    Returns
    -------
    line : PowerLaw
        Flat (slope and intercept 0) if fewer than two errors are positive.
    """
    kept = errors > 0
    x, y = np.log(n_terms[kept]), np.log(errors[kept])
    if len(np.unique(x)) < 2:
        return PowerLaw(0.0, 0.0, 0.0, 0.0, len(x))
    centred = x - x.mean()
    return line_of_slope(x, y, centred @ (y - y.mean()) / (centred @ centred))


def line_of_slope(x: np.ndarray, y: np.ndarray, slope: float) -> PowerLaw:
    """Put the best line of a given slope through logarithms x and y."""
    centred, fall = x - x.mean(), y - y.mean()
    residual, total = fall - slope * centred, fall @ fall
    explained = 1 - residual @ residual / total if total > 1e-20 * len(x) else 1.0
    return PowerLaw(
        slope=float(slope),
        intercept=float(y.mean() - slope * x.mean()),
        r_squared=float(max(explained, 0.0)),
        drop=float(abs(slope) * np.ptp(x)),
        n_points=len(x),
    )
