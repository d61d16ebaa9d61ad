"""The rate of the M-term error: the default."""

from __future__ import annotations

from dataclasses import replace

from ...wavelets import ErrorCurves
from ..fit import IndexFit
from ..rate import rate_in_window, rates_without_a_group
from .base import Convention

__all__ = ["MTerm"]


class MTerm(Convention):
    """Rate of the M-term error of one tree in L_p, averaged over trees.

    In-bag errors are biased low and out-of-bag errors high, by the variance of a cell
    mean each, so their average is nearly unbiased.
    """

    name = "mterm"
    summary = "L_p rate of the M-term error"
    x_label = "Number of terms M of a tree"
    y_label = "Error with M terms"
    has_variance = is_calibrated = True

    def read(self, curves: ErrorCurves, window: tuple[int, int]) -> IndexFit:
        """Fit the decay rate of the average of in-bag and out-of-bag errors."""
        fit = rate_in_window(curves.errors_of, curves, window)
        groups = rates_without_a_group(curves, window)
        replicates = replace(fit.replicates, groups=groups)
        return replace(fit, errors=curves.m_term_errors, replicates=replicates)
