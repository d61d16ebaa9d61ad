"""From norms or error curves to a smoothness index: windows, fits, intervals.

Everything here works on plain arrays. The rates are those of nonlinear approximation
(DeVore, Acta Numerica 7, 1998): ``sigma_M ~ C M^(-alpha)`` for the error of the M-term
approximation in L_p, and ``k^-(alpha + 1/p)`` for the k-th largest norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from .exceptions import (
    ConstantFeaturesWarning,
    FewTermsWarning,
    InSampleOnlyWarning,
    PoorFitWarning,
    SmoothnessWarning,
    UnresolvedIndexWarning,
)

__all__ = [
    "IndexFit",
    "PowerLaw",
    "checked",
    "elisha_dekel_index",
    "fit_power_law",
    "fit_window",
    "flat_fit",
    "held_out_rate",
    "is_finite_box_function",
    "m_term_index",
    "sparsity_probe_index",
    "unresolved",
    "weak_lp_index",
]

# The window of terms that the line is fitted on. Each split makes two terms, so M terms
# are about M / 2 cells. With fewer than 20 samples a cell, the error says more about
# the sampling than about the function; so the window ends there, and in any case well
# before the trees run out of nodes. It starts after the terms that find the coarse
# shape, and a twentieth of its end gives the slope more than a decade of support.
_SAMPLES_PER_CELL = 20
_FIRST_TERM = 20
_SPAN = 20
_N_POINTS = 60  # equally spaced in log M, so that every octave weighs the same

_FEWEST_TERMS = 40  # the window must end beyond them, or a warning says so
_FEWEST_POINTS = 5  # of the curves of procedures that have no window
_POOREST_R_SQUARED = 0.8
_ROUNDING = 1e-6  # of errors, whose squares lose half of the digits of float64
_NO_RESIDUAL = 1e-6  # of p-th powers: the share of samples with an error, for classes
_SMALL_RESIDUAL = 0.05  # out of the bag, where cuts are a little off
_FEWEST_SAMPLES_FOR_BOXES = 500  # fewer do not tell boxes from a coarse boundary
_GROWTH_OF_BOXES = 0.15  # exponent; half of the least that a curved boundary shows
_NEGLIGIBLE_DECAY = 0.05  # of log error over the window: noise, for which R^2 is void


@dataclass(frozen=True)
class PowerLaw:
    """A least-squares line ``log error = intercept + slope * log M``."""

    slope: float
    intercept: float
    slope_error: float
    r_squared: float
    drop: float
    n_points: int = 0

    def __call__(self, n_terms: np.ndarray) -> np.ndarray:
        """Errors on the line."""
        return np.exp(self.intercept + self.slope * np.log(n_terms))


@dataclass(frozen=True, eq=False)
class IndexFit:
    """A smoothness index and what it was read from.

    Attributes
    ----------
    alpha : float
        The index.
    interval : tuple of float
        Lower and upper end of the confidence interval.
    n_terms, errors : ndarray of shape (n_points,)
        The decaying curve.
    fit_range : tuple of int
        First and last number of terms of the fit window, both in it.
    line : PowerLaw
        The line over the window.
    cautions : tuple of SmoothnessWarning
        Why the index should be read with care.
    """

    alpha: float
    interval: tuple[float, float]
    n_terms: np.ndarray
    errors: np.ndarray
    fit_range: tuple[int, int]
    line: PowerLaw
    cautions: tuple[SmoothnessWarning, ...] = ()


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
        return PowerLaw(0.0, 0.0, 0.0, 0.0, 0.0, len(x))
    centred = x - x.mean()
    return _line(x, y, centred @ (y - y.mean()) / (centred @ centred))


def _line(x: np.ndarray, y: np.ndarray, slope: float) -> PowerLaw:
    """The best line of this slope through logarithms, and how good it is."""
    centred, fall = x - x.mean(), y - y.mean()
    residual, total = fall - slope * centred, fall @ fall
    variance = residual @ residual / max(len(x) - 2, 1) / (centred @ centred)
    explained = 1 - residual @ residual / total if total > 1e-20 * len(x) else 1.0
    return PowerLaw(
        slope=float(slope),
        intercept=float(y.mean() - slope * x.mean()),
        slope_error=float(np.sqrt(variance)),
        r_squared=float(max(explained, 0.0)),
        drop=float(abs(slope) * np.ptp(x)),
        n_points=len(x),
    )


def fit_window(n_samples: float, n_terms: int) -> tuple[int, int]:
    """First and last number of terms at which the decay of one tree can be trusted.

    Parameters
    ----------
    n_samples : float
        Number of samples that a tree was grown on.
    n_terms : int
        Number of terms of a typical tree.

    Returns
    -------
    first, last : int
        Ends of the window, both in it; ``first < last`` if there are two terms.
    """
    last = max(min(2 * n_samples / _SAMPLES_PER_CELL, n_terms / 2), 2)
    first = min(max(_FIRST_TERM, last / _SPAN), last / 4)
    return max(int(first), 1), int(last)


def m_term_index(
    curves: np.ndarray, window: tuple[int, int], p: float, confidence_level: float
) -> IndexFit:
    """Rate of the M-term error, averaged over trees.

    In-bag errors are biased low and out-of-bag errors high, by the variance of a cell
    mean each, so their average is nearly unbiased.

    Parameters
    ----------
    curves : ndarray of shape (n_trees, n_terms + 1, 2)
        Mean p-th power of every tree's error with 0, 1, ... terms, in the bag and out
        of it; the latter is NaN for a tree that has seen all samples.
    window : tuple of int
        First and last number of terms of the fit, from :func:`fit_window`.
    p : float
        Exponent of the error norm.
    confidence_level : float
        Level of the interval.

    Returns
    -------
    fit : IndexFit
        The index.
    """
    in_sample_only = np.isnan(curves[:, 0, 1]).any()
    averages = curves[:, :, 0] if in_sample_only else curves.mean(axis=2)
    points = _log_spaced(*window, averages.shape[1] - 1)

    def errors(kept: np.ndarray) -> np.ndarray:
        return _without_rounding(averages[kept].mean(axis=0) ** (1 / p))

    def line(kept: np.ndarray) -> PowerLaw:
        return fit_power_law(points, errors(kept)[points])

    alpha, interval = _jackknifed(
        line, lambda law: -law.slope, len(curves), confidence_level
    )
    caution = InSampleOnlyWarning(
        "No rows are left out of the trees, so the error is that on the rows they were "
        "grown on, which is biased low where cells are small: alpha_ is too high. Let "
        "max_samples be less than 1, or the forest draw subsamples."
    )
    everything = np.arange(len(curves))
    return IndexFit(
        alpha,
        interval,
        n_terms=np.arange(1, averages.shape[1]),
        errors=errors(everything)[1:],
        fit_range=(int(points[0]), int(points[-1])),
        line=line(everything),
        cautions=(caution,) if in_sample_only else (),
    )


def flat_fit(values: np.ndarray, weights: np.ndarray) -> IndexFit:
    """Index zero, for trees without a split.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_outputs)
        Targets.
    weights : ndarray of shape (n_samples,)
        Their weights.

    Returns
    -------
    fit : IndexFit
        One point: the error of the mean.
    """
    centred = values - np.average(values, axis=0, weights=weights)
    error = np.sqrt(np.average(np.sum(centred**2, axis=1), weights=weights))
    caution = ConstantFeaturesWarning(
        "No feature separates the samples (all are constant, or max_depth, max_samples "
        "or the forest leave nothing to split), so no term reduces the error: the index "
        "is 0."
    )
    return IndexFit(
        alpha=0.0,
        interval=(0.0, 0.0),
        n_terms=np.ones(1, dtype=np.int64),
        errors=np.array([error]),
        fit_range=(1, 1),
        line=PowerLaw(0.0, float(np.log(error)), 0.0, 1.0, 0.0),
        cautions=(caution,),
    )


def unresolved(fit: IndexFit, *, unbounded: bool) -> IndexFit:
    """The fit of a function that is constant on few boxes.

    Parameters
    ----------
    fit : IndexFit
        The fit.
    unbounded : bool
        Whether the index becomes infinite; else it stays what the procedure gives, and
        only the caution is added.
    """
    reading = "alpha_ is infinite" if unbounded else "alpha_ is what the procedure gives"
    caution = UnresolvedIndexWarning(
        "A few terms leave no error: the function looks constant on finitely many "
        f"boxes, which is smoother than any index says. {reading}; read it as "
        "unresolved at this number of samples."
    )
    if unbounded:
        return replace(fit, alpha=np.inf, interval=(0.0, np.inf), cautions=(caution,))
    return replace(fit, cautions=(*fit.cautions, caution))


def is_finite_box_function(
    curves: np.ndarray, cell_sizes: np.ndarray, n_samples: float, p: float
) -> bool:
    """Whether the trees see a function that is constant on finitely many boxes.

    If no error is left in the bag nor out of it, they do. Otherwise, cuts that are a
    little off leave a small error out of the bag, and the growth of the trees decides.
    The number of terms that split cells of at least n samples grows as n falls: like
    ``(n_samples / n)^((d - 1) / d)`` for a jump across a surface in d dimensions, so
    with an exponent of 1/2 or more (0.3 to 0.4 is what greedy trees show in two
    dimensions), and faster for functions without constant pieces. On finitely many
    boxes it stops growing, and the exponent is near 0.

    Parameters
    ----------
    curves : ndarray of shape (n_trees, n_terms + 1, 2)
        As in :func:`m_term_index`.
    cell_sizes : ndarray of shape (n_terms,)
        For the terms of all trees, number of samples in the parent.
    n_samples : float
        Number of samples that a tree was grown on.
    p : float
        Exponent of the error norm.
    """
    start, end = curves[:, 0].mean(axis=0), curves[:, -1].mean(axis=0)
    in_bag, left_out = end / start
    if not (in_bag < _NO_RESIDUAL and left_out < _SMALL_RESIDUAL):  # NaN is not small
        return False
    if n_samples < _SAMPLES_PER_CELL:
        return False
    if left_out ** (1 / p) < _ROUNDING:
        return True
    if n_samples < _FEWEST_SAMPLES_FOR_BOXES:
        return False
    # From cells large enough to hold a boundary down to a few samples.
    sizes = np.geomspace(max(4, n_samples / 2000), n_samples / 20, 20)
    n_terms = (cell_sizes >= sizes[:, None]).sum(axis=1)
    return -fit_power_law(sizes, n_terms).slope < _GROWTH_OF_BOXES


def held_out_rate(
    errors: np.ndarray, n_trees: int, n_fitted: float, n_samples: float, p: float
) -> float:
    """Rate at which given wavelets, in their order, approximate other samples.

    It is the faster of two: the slope in the fit window of large trees, and the slope
    from no terms to the end of that window, which takes over where most of the error is
    gone before the window begins. An error less than that of one sample cannot be told
    from none, so so much is added; that bounds the rate.

    Parameters
    ----------
    errors : ndarray of shape (n_terms + 1,)
        L_p error on those samples with 0, 1, ... terms of the whole forest.
    n_trees : int
        Number of trees.
    n_fitted : float
        Number of samples that a tree was grown on.
    n_samples : float
        Number, or weight, of those samples.
    p : float
        Exponent of the error norm.

    Returns
    -------
    rate : float
        Positive if the error falls, zero or negative if the terms fitted noise.
    """
    first, last = fit_window(n_fitted, np.inf)
    if errors[0] == 0:
        return 0.0
    relative = ((errors / errors[0]) ** p + 1 / n_samples) ** (1 / p)
    points = _log_spaced(first * n_trees, last * n_trees, last * n_trees)
    relative = relative[np.minimum(points, len(errors) - 1)]
    in_window = -fit_power_law(points, relative).slope
    return float(max(in_window, -np.log(relative[-1]) / np.log(last)))


def weak_lp_index(
    norms: np.ndarray,
    tree: np.ndarray,
    n_trees: int,
    window: tuple[int, int],
    p: float,
    confidence_level: float,
) -> IndexFit:
    """Index from the decay of the sorted norms of all trees, ``k^-(alpha + 1/p)``.

    Parameters
    ----------
    norms : ndarray of shape (n_terms,)
        Norms of the terms of all trees, falling.
    tree : ndarray of shape (n_terms,)
        Tree of every term.
    n_trees : int
        Number of trees J.
    window : tuple of int
        Fit window of one tree. The norms of J trees alike decay like those of one, J
        times stretched, so it is multiplied by J.
    p, confidence_level
        As in :func:`m_term_index`.

    Returns
    -------
    fit : IndexFit
        ``errors`` holds the norms.
    """

    def points(n_trees: int, n_terms: int) -> np.ndarray:
        return _log_spaced(window[0] * n_trees, window[1] * n_trees, n_terms)

    def line(kept: np.ndarray) -> PowerLaw:
        own = norms[np.isin(tree, kept)]
        ranks = points(len(kept), len(own))[: len(own)]  # trees may have no terms
        return fit_power_law(ranks, own[ranks - 1])

    alpha, interval = _jackknifed(
        line, lambda law: -law.slope - 1 / p, n_trees, confidence_level
    )
    return IndexFit(
        alpha,
        interval,
        n_terms=np.arange(1, len(norms) + 1),
        errors=norms,
        fit_range=tuple(points(n_trees, len(norms))[[0, -1]].tolist()),
        line=line(np.arange(n_trees)),
    )


def elisha_dekel_terms(n_nodes: int, n_trees: int) -> np.ndarray:
    """Numbers of terms at which the authors' tool takes the error.

    They are 1, 1 + 2J, 1 + 4J, ... below 1000, as long as 2J nodes are left beyond.
    """
    step = 2 * n_trees
    return np.arange(1, max(min(1000, n_nodes - step + 1), 2), step)


def elisha_dekel_index(
    squared_errors: Callable[[np.ndarray, np.ndarray], np.ndarray],
    n_nodes: np.ndarray,
    confidence_level: float,
) -> IndexFit:
    """Slope of log mean squared error, the procedure of the authors' tool.

    The index is twice the L2 rate (Elisha and Dekel, arXiv 1710.03263).

    Parameters
    ----------
    squared_errors : callable
        Takes numbers of terms and the numbers of the trees to use; gives the mean
        squared errors, with root means among the ranked terms.
    n_nodes : ndarray of shape (n_trees,)
        Number of nodes of every tree.
    confidence_level : float
        Level of the interval.

    Returns
    -------
    fit : IndexFit
        ``errors`` holds mean squared errors.
    """

    def curve(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n_terms = elisha_dekel_terms(n_nodes[kept].sum(), len(kept))
        return n_terms, squared_errors(n_terms, kept)

    alpha, interval = _jackknifed(
        lambda kept: fit_power_law(*curve(kept)),
        lambda law: -law.slope,
        len(n_nodes),
        confidence_level,
    )
    n_terms, errors = curve(np.arange(len(n_nodes)))
    return IndexFit(
        alpha,
        interval,
        n_terms=n_terms,
        errors=errors,
        fit_range=(int(n_terms[0]), int(n_terms[-1])),
        line=fit_power_law(n_terms, errors),
    )


# Degrees from the vertical, and the grid of tau, of the published code.
_PROBE_ANGLES = np.arange(0.1, 0.4 - 1e-12, 0.03)
_PROBE_TAUS = np.arange(0.1, 2.0 - 1e-12, 0.01)


def sparsity_probe_index(
    norms: np.ndarray,
    tree: np.ndarray,
    n_trees: int,
    p: float,
    confidence_level: float,
) -> IndexFit:
    """Critical exponent of the tau-sparsity, as in the code of Sparsity-Probe.

    With ``D(tau) = -(1 / (J tau)) (sum ||psi||^tau)^(1/tau - 1) sum ||psi||^(tau - 1)``,
    tau is the largest of a grid at which the angle of a line of slope D(tau) is within
    epsilon of -90 degrees, and the index is the mean of ``1/tau - 1/p`` over ten values
    of epsilon between 0.1 and 0.4 degrees (Ben-Shaul and Dekel, arXiv 2105.06849, and
    their code). D is not the derivative of the tau-norm in tau, and the index drifts
    with the number of terms; it is here to compare with published values.

    Parameters
    ----------
    norms, tree, n_trees, p, confidence_level
        As in :func:`weak_lp_index`.

    Returns
    -------
    fit : IndexFit
        ``errors`` holds the norms; the line has the slope ``-(alpha + 1/p)``.
    """

    def critical(kept: np.ndarray) -> float:
        own = norms[np.isin(tree, kept)]
        taus = critical_taus(np.log(own[own > 0]), len(kept))
        return np.inf if taus is None else float(np.mean(1 / taus - 1 / p))

    alpha, interval = _jackknifed(critical, lambda alpha: alpha, n_trees, confidence_level)
    ranks = np.arange(1, len(norms) + 1)
    fit = IndexFit(
        alpha,
        interval,
        n_terms=ranks,
        errors=norms,
        fit_range=(1, len(norms)),
        line=_line_of_slope(-(alpha + 1 / p), ranks, norms),
    )
    return unresolved(fit, unbounded=True) if np.isinf(fit.alpha) else fit


def critical_taus(log_norms: np.ndarray, n_trees: int) -> np.ndarray | None:
    """The critical tau for each epsilon; None if even the smallest tau is beyond it."""
    if not len(log_norms):
        return None
    taus = _PROBE_TAUS
    with np.errstate(over="ignore"):
        log_slope = np.array(
            [
                (1 / tau - 1) * np.logaddexp.reduce(tau * log_norms)
                + np.logaddexp.reduce((tau - 1) * log_norms)
                for tau in taus
            ]
        ) - np.log(n_trees * taus)
        # The angle to the vertical is arctan(1 / |D|).
        from_vertical = np.rad2deg(np.arctan(np.exp(-log_slope)))
    steep = from_vertical <= _PROBE_ANGLES[:, None]
    if not steep.any(axis=1).all():
        return None
    return taus[steep.shape[1] - 1 - np.argmax(steep[:, ::-1], axis=1)]


def _line_of_slope(slope: float, ranks: np.ndarray, norms: np.ndarray) -> PowerLaw:
    kept = norms > 0
    if not np.isfinite(slope) or kept.sum() < 2:
        return fit_power_law(ranks, norms)
    return _line(np.log(ranks[kept]), np.log(norms[kept]), slope)


def _log_spaced(first: int, last: int, most: int) -> np.ndarray:
    """Numbers of terms from first to last, as far as there are so many."""
    first, last = (max(min(end, most), 1) for end in (first, last))
    return np.unique(np.round(np.geomspace(first, last, _N_POINTS)).astype(np.int64))


def _without_rounding(errors: np.ndarray) -> np.ndarray:
    """Errors with what rounding leaves of them set to zero."""
    return np.where(errors > _ROUNDING * errors[0], errors, 0.0)


def _jackknifed(
    estimate: Callable, index: Callable, n_trees: int, confidence_level: float
) -> tuple[float, tuple[float, float]]:
    """The index of all trees, and an interval from leaving out one at a time.

    The interval covers the randomness of the trees and of their subsamples. With one
    tree, or equal ones, there is only the standard error of the line.
    """
    everything = np.arange(n_trees)
    law = estimate(everything)
    alpha = float(index(law))
    error, freedom = 0.0, n_trees - 1
    if n_trees > 1:
        others = np.array([index(estimate(np.delete(everything, j))) for j in everything])
        spread = np.std(others) if np.isfinite(others).all() else np.inf
        error = np.sqrt(n_trees - 1) * spread
    if error < 1e-12 and isinstance(law, PowerLaw) and law.n_points > 2:
        error, freedom = law.slope_error, law.n_points - 2
    elif n_trees == 1:
        error, freedom = np.inf, 1
    margin = stats.t.ppf(0.5 + confidence_level / 2, freedom) * error
    interval = (alpha - margin, alpha + margin) if np.isfinite(alpha) else (0.0, np.inf)
    return alpha, (float(interval[0]), float(interval[1]))


def checked(fit: IndexFit, window: tuple[int, int], *, power_law: bool) -> IndexFit:
    """The fit with a caution if its window is short or its line is poor.

    Parameters
    ----------
    fit : IndexFit
        The fit.
    window : tuple of int
        Fit window of one tree, from :func:`fit_window`.
    power_law : bool
        Whether a line is expected to be good; procedures that are followed for
        comparison with published values are known not to give one, and have windows of
        their own.
    """
    few = window[1] < _FEWEST_TERMS if power_law else len(fit.n_terms) < _FEWEST_POINTS
    if few:
        caution = FewTermsWarning(
            f"The fit window {fit.fit_range} holds few terms: with so few samples, or so "
            "shallow trees, the index is rough. More samples or deeper trees help."
        )
    elif (
        power_law
        and fit.line.r_squared < _POOREST_R_SQUARED
        and fit.line.drop > _NEGLIGIBLE_DECAY
    ):
        caution = PoorFitWarning(
            f"The decay is not a power law over the fit window {fit.fit_range} "
            f"(r_squared_ = {fit.line.r_squared:.2f} < {_POOREST_R_SQUARED}); look at "
            "errors_ before reading the index."
        )
    else:
        return fit
    return replace(fit, cautions=(caution, *fit.cautions))
