"""The rate of a curve in the fit window, and how it varies with what it was read from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..exceptions import InSampleOnlyWarning, SmoothnessWarning
from ..wavelets import ErrorCurves, without_rounding
from .fit import IndexFit
from .power_law import PowerLaw, fit_power_law
from .variance import Replicates
from .window import log_spaced

__all__ = [
    "rate_in_window",
    "rates_without_a_group",
    "without_a_tree",
]

_N_BLOCKS = 4  # of the window, whose slopes say how straight the curve is


def rate_in_window(
    curve: Callable[[np.ndarray], np.ndarray],
    curves: ErrorCurves,
    window: tuple[int, int],
    excess: float = 0.0,
) -> IndexFit:
    """Fit the decay rate of a tree-averaged curve in the window, and subtract ``excess``.

    Parameters
    ----------
    curve : callable
        Gives the curve at M = 1, 2, ... terms, averaged over the trees whose numbers it is
        passed.
    curves : ErrorCurves
        The curves that it is made of.
    window : tuple of int
        First and last number of terms of the fit, from :func:`fit_window`.
    excess : float, default=0
        Difference between the rate of the curve and the index, ``1/p`` for norms.

    Returns
    -------
    fit : IndexFit
        The index, with one tree at a time and the blocks of the window as replicates.
    """
    n_trees = len(curves.by_tree)
    everything = np.arange(n_trees)
    errors = curve(everything)
    points = log_spaced(*window, len(errors))

    def line(kept: np.ndarray) -> PowerLaw:
        return fit_power_law(points, curve(kept)[points - 1])

    law = line(everything)
    # One tree is left out of the average; the others are not grown again.
    trees = without_a_tree(lambda kept: -line(kept).slope - excess, n_trees)
    blocks = _block_deviations(points, errors[points - 1], law)
    return IndexFit(
        0.0 - law.slope - excess,  # not -0.0
        n_terms=np.arange(1, len(errors) + 1),
        errors=errors,
        fit_range=(int(points[0]), int(points[-1])),
        line=law,
        replicates=Replicates(np.empty(0), trees, blocks, curves.grown.n_apart),
        cautions=_in_sample_cautions(curves),
    )


def _in_sample_cautions(curves: ErrorCurves) -> tuple[SmoothnessWarning, ...]:
    """Warn if there are no out-of-bag errors, so that the rate is biased."""
    if curves.has_out_of_bag:
        return ()
    caution = InSampleOnlyWarning(
        "No rows are left out of the trees, so the error is that on the rows they were "
        "grown on, which is biased low where cells are small: alpha_ is too high, and for "
        "boosted trees it is not a rate of the targets. Pass max_samples below 1, or a "
        "forest that draws subsamples."
    )
    return (caution,)


def without_a_tree(estimate: Callable[[np.ndarray], float], n_trees: int) -> np.ndarray:
    """Repeat an estimate from all trees but one; empty if there is only one."""
    everything = np.arange(n_trees if n_trees > 1 else 0)
    return np.array([estimate(np.delete(everything, j)) for j in everything])


def rates_without_a_group(curves: ErrorCurves, window: tuple[int, int]) -> np.ndarray:
    """Repeat the rate of the M-term error with each group of samples left out.

    The trees stay as they are, so this is a jackknife of the errors alone.
    """
    n_terms = curves.groups.n_terms
    # Groups are recorded at few numbers of terms, so the slope is a little coarser.
    inside = (n_terms >= window[0]) & (n_terms <= window[1])
    rates = []
    for powers in curves.powers_without_a_group:
        errors = without_rounding(powers ** (1 / curves.p))
        law = fit_power_law(n_terms[inside], errors[inside])
        rates.append(-law.slope if np.isfinite(powers).all() else np.nan)
    return np.array(rates)


def _block_deviations(n_terms: np.ndarray, errors: np.ndarray, law: PowerLaw) -> np.ndarray:
    """Measure what blocks of the window add to the slope, beyond the mean slope.

    The curve of a finite number of samples is no exact power law: it bends, and it
    wavers, since trees halve cells. A least-squares slope is the mean of local slopes,
    with weights that fall to zero at both ends like a parabola.
    """
    ends = np.unique(np.linspace(0, len(n_terms) - 1, _N_BLOCKS + 1).round().astype(int))
    ends = ends[errors[ends] > 0]
    if len(ends) < 3:
        return np.full(2, np.inf)  # too few blocks to judge by: no finite interval
    x, y = np.log(n_terms[ends]), np.log(errors[ends])
    middle = (0.5 * (x[1:] + x[:-1]) - x[0]) / (x[-1] - x[0])
    weights = np.diff(x) * middle * (1 - middle)
    return weights / weights.sum() * (law.slope - np.diff(y) / np.diff(x))
