"""From norms or error curves to a smoothness index: windows, fits, intervals.

Everything here works on plain arrays. The rates are those of nonlinear approximation
(DeVore, Acta Numerica 7, 1998): ``sigma_M ~ C M^(-alpha)`` for the error of the M-term
approximation in L_p, and ``k^-(alpha + 1/p)`` for the k-th largest norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from .._lib.state import Versioned
from ..exceptions import (
    BentDecayWarning,
    ConstantFeaturesWarning,
    FewTermsWarning,
    InSampleOnlyWarning,
    PoorFitWarning,
    SmoothnessWarning,
    UnresolvedIndexWarning,
)
from .variance import Replicates, student_margin

__all__ = [
    "SAMPLES_PER_CELL",
    "IndexFit",
    "PowerLaw",
    "SampleGroups",
    "checked",
    "elisha_dekel_index",
    "fit_power_law",
    "fit_window",
    "flat_fit",
    "group_terms",
    "held_out_rate",
    "is_finite_box_function",
    "m_term_index",
    "n_groups",
    "sparsity_probe_index",
    "unresolved",
    "weak_lp_index",
]

# The window of terms that the line is fitted on. It starts when the terms have found the
# coarse shape of the function, and ends before the errors say more about the sampling
# than about the function: each split makes two terms, so M terms are about M / 2 cells.
_FIRST_TERM = 14
_COARSE_SHAPE = 0.5  # of what the terms take away is left when that shape is found
SAMPLES_PER_CELL = 10
_OUT_OF_BAG_EXCESS = 4.0  # out-of-bag over in-bag squared error where the window ends
_SHORTEST_SPAN = 3  # last over first number of terms
_N_GROUPS = 10  # of samples, of which one at a time is left out
_N_POINTS = 60  # equally spaced in log M, so that every octave weighs the same
_HELD_OUT_SAMPLES, _HELD_OUT_SPAN = 20, 20  # a cell; last over first term, at most
_N_BLOCKS = 4  # of the window, whose slopes say how straight the curve is

_FEWEST_TERMS = 40  # the window must end beyond them, or a warning says so
_FEWEST_POINTS = 5  # of the curves of procedures that have no window
_POOREST_R_SQUARED = 0.8
_ROUNDING = 1e-6  # of errors, whose squares lose half of the digits of float64
_NO_RESIDUAL = 1e-6  # of p-th powers: the share of samples with an error, for classes
_SMALL_RESIDUAL = 0.05  # out of the bag, where cuts are a little off
_FEWEST_SAMPLES_OF_ONE_BOX = 20
_FEWEST_SAMPLES_FOR_BOXES = 500  # fewer do not tell boxes from a coarse boundary
_GROWTH_OF_BOXES = 0.15  # exponent; half of the least that a curved boundary shows
_NEGLIGIBLE_DECAY = 0.05  # of log error over the window: noise, for which R^2 is void
_CONFIRMED_NORMS = 0.5  # of those in the window, for a rate to mean something
_BEND = 0.5  # of the index, by which the slopes of the window's halves may differ


@dataclass(frozen=True)
class PowerLaw(Versioned):
    """A least-squares line ``log error = intercept + slope * log M``."""

    slope: float
    intercept: float
    r_squared: float
    drop: float
    n_points: int = 0

    def __call__(self, n_terms: np.ndarray) -> np.ndarray:
        """Errors on the line."""
        return np.exp(self.intercept + self.slope * np.log(n_terms))


@dataclass(frozen=True, eq=False)
class SampleGroups:
    """Errors of all trees, group of samples by group.

    Attributes
    ----------
    n_terms : ndarray of shape (n_points,)
        Numbers of terms, from :func:`group_terms`.
    sums : ndarray of shape (n_trees, n_points, n_groups, 2)
        Weighted sums of the p-th powers of errors, in the bag and out of it.
    weights : ndarray of shape (n_trees, n_groups, 2)
        Weights of the samples.
    """

    n_terms: np.ndarray
    sums: np.ndarray
    weights: np.ndarray

    def indices_without_one(self, window: tuple[int, int], p: float) -> np.ndarray:
        """The M-term index with each group left out of the errors."""
        inside = (self.n_terms >= window[0]) & (self.n_terms <= window[1])
        sums, weights = self.sums, self.weights
        if (weights[:, :, 1].sum(axis=1) == 0).any():  # in-bag errors only
            sums, weights = sums[..., :1], weights[..., :1]
        indices, all_sums, all_weights = [], sums.sum(axis=2), weights.sum(axis=1)
        for g in range(weights.shape[1]):
            left_sums = all_sums - sums[:, :, g]
            left_weights = all_weights - weights[:, g]
            with np.errstate(divide="ignore", invalid="ignore"):
                errors = (left_sums / left_weights[:, None]).mean(axis=(0, 2)) ** (1 / p)
            law = fit_power_law(self.n_terms[inside], _without_rounding(errors)[inside])
            indices.append(-law.slope if np.isfinite(errors).all() else np.nan)
        return np.array(indices)


def group_terms(n_terms: int) -> np.ndarray:
    """Numbers of terms, none and 16 to the octave, at which groups are told apart."""
    terms = np.geomspace(1, max(n_terms, 1), 16 * max(n_terms, 2).bit_length())
    return np.unique(np.append(0, terms.round().astype(np.int64)))


def n_groups(n_samples: int) -> int:
    """Number of groups of samples for the interval."""
    return min(_N_GROUPS, n_samples)


@dataclass(frozen=True, eq=False)
class IndexFit(Versioned):
    """A smoothness index and what it was read from.

    Attributes
    ----------
    alpha : float
        The index.
    n_terms, errors : ndarray of shape (n_points,)
        The decaying curve.
    fit_range : tuple of int
        First and last number of terms of the fit window, both in it.
    line : PowerLaw
        The line over the window.
    replicates : Replicates
        The index with parts of the data left out.
    cautions : tuple of SmoothnessWarning
        Why the index should be read with care.
    """

    alpha: float
    n_terms: np.ndarray
    errors: np.ndarray
    fit_range: tuple[int, int]
    line: PowerLaw
    replicates: Replicates
    cautions: tuple[SmoothnessWarning, ...] = ()

    def interval(self, confidence_level: float) -> tuple[float, float]:
        """Student's interval for the index; (0, inf) if it is infinite."""
        if not np.isfinite(self.alpha):
            return 0.0, np.inf
        margin = student_margin(
            self.replicates.variance, self.replicates.freedom, confidence_level
        )
        return float(self.alpha - margin), float(self.alpha + margin)


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
    return _line(x, y, centred @ (y - y.mean()) / (centred @ centred))


def _line(x: np.ndarray, y: np.ndarray, slope: float) -> PowerLaw:
    """The best line of this slope through logarithms, and how good it is."""
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


def fit_window(
    curve: np.ndarray, n_samples: float, n_terms: float, p: float
) -> tuple[int, int]:
    """First and last number of terms at which the decay of one tree can be trusted.

    It starts at 14 terms. Where more than half of the p-th power of the error goes away, it
    starts when half of what goes away is gone, if that is later. It ends at 10 samples a
    cell, at half of the terms, or where the squared error out of the bag is four times that
    in it, whichever comes first; the two are 1 + 1/n and 1 - 1/n times the variance of a
    cell of n samples if its bounds do not depend on them, so a ratio of four means that
    most of what is seen is the sampling.

    Parameters
    ----------
    curve : ndarray of shape (n_terms + 1, 2)
        Mean p-th power of the error with 0, 1, ... terms, in the bag and out of it, over
        all trees. Without out-of-bag errors (NaN) the ratio has no effect.
    n_samples : float
        Number of samples that a tree was grown on.
    n_terms : float
        Number of terms of a typical tree.
    p : float
        Exponent of the error norm.

    Returns
    -------
    first, last : int
        Ends of the window, both in it; ``first < last`` if there are two terms.
    """
    last = min(2 * n_samples / SAMPLES_PER_CELL, n_terms / 2)
    excessive = curve[:, 1] > _OUT_OF_BAG_EXCESS ** (p / 2) * curve[:, 0]
    if excessive.any():
        last = min(last, int(np.argmax(excessive)))
    last = max(int(last), 2)
    error = curve[:, 0] if np.isnan(curve[0, 1]) else curve.mean(axis=1)
    lowest = error[: last + 1].min()
    coarse = 0
    if lowest < _COARSE_SHAPE * error[0]:  # else noise hides when the shape is found
        coarse = np.argmax(error <= lowest + _COARSE_SHAPE * (error[0] - lowest))
    first = min(max(_FIRST_TERM, coarse), last / _SHORTEST_SPAN)
    return max(int(first), 1), last


def m_term_index(
    curves: np.ndarray,
    groups: SampleGroups,
    window: tuple[int, int],
    p: float,
    n_apart: float,
) -> IndexFit:
    """Rate of the M-term error, averaged over trees.

    In-bag errors are biased low and out-of-bag errors high, by the variance of a cell
    mean each, so their average is nearly unbiased.

    Parameters
    ----------
    curves : ndarray of shape (n_trees, n_terms + 1, 2)
        Mean p-th power of every tree's error with 0, 1, ... terms, in the bag and out
        of it; the latter is NaN for a tree that has seen all samples.
    groups : SampleGroups
        The same errors by groups of samples.
    window : tuple of int
        First and last number of terms of the fit, from :func:`fit_window`.
    p : float
        Exponent of the error norm.
    n_apart : float
        As in :class:`Replicates`.

    Returns
    -------
    fit : IndexFit
        The index.
    """
    averages, cautions = _unbiased(curves)

    def errors(kept: np.ndarray) -> np.ndarray:
        return _without_rounding(averages[kept].mean(axis=0) ** (1 / p))[1:]

    fit = _rate_fit(errors, 0.0, len(curves), window, n_apart, cautions)
    without_one = groups.indices_without_one(window, p)
    return replace(fit, replicates=replace(fit.replicates, groups=without_one))


def weak_lp_index(
    curves: np.ndarray,
    norms: np.ndarray,
    window: tuple[int, int],
    p: float,
    n_apart: float,
) -> IndexFit:
    """Index from the decay of the sorted norms of every tree, ``k^-(alpha + 1/p)``.

    The norms are averaged over trees rank by rank. Small cells make them too large: of
    the error that the terms of an octave third take away in the bag, less is gone out of
    the bag. Half of the difference is bias, and the norms are scaled down by it.

    Parameters
    ----------
    curves : ndarray of shape (n_trees, n_terms + 1, 2)
        As in :func:`m_term_index`.
    norms : ndarray of shape (n_trees, n_terms)
        Falling norms of every tree, 0 beyond its last term.
    window, p, n_apart
        As in :func:`m_term_index`.

    Returns
    -------
    fit : IndexFit
        ``errors`` holds the norms.
    """
    averages, cautions = _unbiased(curves)
    n_terms = norms.shape[1]
    edges = np.unique(
        np.round(np.geomspace(1, n_terms + 1, 1 + 3 * n_terms.bit_length())).astype(int)
    )
    third = np.repeat(np.arange(len(edges) - 1), np.diff(edges))

    def unbiased_norms(kept: np.ndarray) -> np.ndarray:
        drops = [
            -np.diff(curve[kept].mean(axis=0)[edges - 1])
            for curve in (averages, curves[:, :, 0])
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(drops[1] > 0, np.clip(drops[0] / drops[1], 0.0, 1.0), 0.0)
        return ((norms[kept] ** p).mean(axis=0) * share[third]) ** (1 / p)

    fit = _rate_fit(unbiased_norms, 1 / p, len(curves), window, n_apart, cautions)
    if np.mean(fit.errors[fit.fit_range[0] - 1 : fit.fit_range[1]] > 0) >= _CONFIRMED_NORMS:
        return fit
    caution = PoorFitWarning(
        f"Most wavelets in the fit window {fit.fit_range} do not reduce the error on rows "
        "that the trees have not seen, so their norms are noise and have no rate."
    )
    return replace(fit, cautions=(*fit.cautions, caution))


def _unbiased(curves: np.ndarray) -> tuple[np.ndarray, tuple[SmoothnessWarning, ...]]:
    """Averages of in-bag and out-of-bag errors, if all trees have both."""
    if not np.isnan(curves[:, 0, 1]).any():
        return curves.mean(axis=2), ()
    caution = InSampleOnlyWarning(
        "No rows are left out of the trees, so the error is that on the rows they were "
        "grown on, which is biased low where cells are small: alpha_ is too high. Let "
        "max_samples be less than 1, or the forest draw subsamples."
    )
    return curves[:, :, 0], (caution,)


def _rate_fit(
    curve: Callable[[np.ndarray], np.ndarray],
    excess: float,
    n_trees: int,
    window: tuple[int, int],
    n_apart: float,
    cautions: tuple[SmoothnessWarning, ...],
) -> IndexFit:
    """Rate at which a curve of some trees at M = 1, 2, ... falls, less the excess."""
    everything = np.arange(n_trees)
    errors = curve(everything)
    points = _log_spaced(*window, len(errors))

    def line(kept: np.ndarray) -> PowerLaw:
        return fit_power_law(points, curve(kept)[points - 1])

    law = line(everything)
    trees = _without_one_tree(lambda kept: -line(kept).slope - excess, n_trees)
    blocks = _block_deviations(points, errors[points - 1], law)
    return IndexFit(
        0.0 - law.slope - excess,  # not -0.0
        n_terms=np.arange(1, len(errors) + 1),
        errors=errors,
        fit_range=(int(points[0]), int(points[-1])),
        line=law,
        replicates=Replicates(np.empty(0), trees, blocks, n_apart),
        cautions=cautions,
    )


def flat_fit(
    values: np.ndarray, weights: np.ndarray, p: float = 2.0, *, is_squared: bool = False
) -> IndexFit:
    """Index zero, for trees without a split.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_outputs)
        Targets.
    weights : ndarray of shape (n_samples,)
        Their weights.
    p : float, default=2
        Exponent of the error.
    is_squared : bool, default=False
        Whether errors are given as squares.

    Returns
    -------
    fit : IndexFit
        One point: the error of the mean.
    """
    distance = np.linalg.norm(values - np.average(values, axis=0, weights=weights), axis=1)
    error = np.average(distance**p, weights=weights) ** (1 / p)
    error = error**2 if is_squared else error
    caution = ConstantFeaturesWarning(
        "No feature separates the samples (all are constant, or max_depth, max_samples "
        "or the forest leave nothing to split), so no term reduces the error: the index "
        "is 0."
    )
    return IndexFit(
        alpha=0.0,
        n_terms=np.ones(1, dtype=np.int64),
        errors=np.array([error]),
        fit_range=(1, 1),
        line=PowerLaw(0.0, float(np.log(error)), 1.0, 0.0),
        replicates=Replicates(np.empty(0), np.empty(0), np.zeros(2), 1.0),
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
        return replace(fit, alpha=np.inf, cautions=(caution,))
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
    with np.errstate(divide="ignore", invalid="ignore"):  # targets equal but for rounding
        in_bag, left_out = end / start
    if not (in_bag < _NO_RESIDUAL and left_out < _SMALL_RESIDUAL):  # NaN is not small
        return False
    if n_samples < _FEWEST_SAMPLES_OF_ONE_BOX:
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

    It is the faster of two: the slope in a window that ends at 20 samples a cell, M =
    n / 10, and starts at max(20, M / 20) or M / 4 if that is less, and the slope from no
    terms to the end of that window, which takes over where most of the error is
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
    first, last = _held_out_window(n_fitted)
    if errors[0] == 0:
        return 0.0
    relative = ((errors / errors[0]) ** p + 1 / n_samples) ** (1 / p)
    points = _log_spaced(first * n_trees, last * n_trees, last * n_trees)
    relative = relative[np.minimum(points, len(errors) - 1)]
    in_window = -fit_power_law(points, relative).slope
    return float(max(in_window, -np.log(relative[-1]) / np.log(last)))


def _held_out_window(n_samples: float) -> tuple[int, int]:
    """Terms between which held-out errors are compared: those of cells of 20 samples.

    It depends on the number of samples alone, so that representations of the same samples
    are scored at the same numbers of terms.
    """
    last = max(int(2 * n_samples / _HELD_OUT_SAMPLES), 2)
    return max(int(min(max(20, last / _HELD_OUT_SPAN), last / 4)), 1), last


def elisha_dekel_terms(n_nodes: int, n_trees: int) -> np.ndarray:
    """Numbers of terms at which the authors' tool takes the error.

    They are 1, 1 + 2J, 1 + 4J, ... below 1000, as long as 2J nodes are left beyond.
    """
    step = 2 * n_trees
    return np.arange(1, max(min(1000, n_nodes - step + 1), 2), step)


def elisha_dekel_index(
    squared_errors: Callable[[np.ndarray, np.ndarray], np.ndarray],
    n_nodes: np.ndarray,
    n_apart: float,
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
    n_apart
        As in :func:`m_term_index`.

    Returns
    -------
    fit : IndexFit
        ``errors`` holds mean squared errors.
    """

    def curve(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n_terms = elisha_dekel_terms(n_nodes[kept].sum(), len(kept))
        return n_terms, squared_errors(n_terms, kept)

    n_terms, errors = curve(np.arange(len(n_nodes)))
    law = fit_power_law(n_terms, errors)
    trees = _without_one_tree(lambda kept: -fit_power_law(*curve(kept)).slope, len(n_nodes))
    return IndexFit(
        0.0 - law.slope,
        n_terms=n_terms,
        errors=errors,
        fit_range=(int(n_terms[0]), int(n_terms[-1])),
        line=law,
        replicates=Replicates(np.empty(0), trees, np.empty(0), n_apart),
    )


# Degrees from the vertical, and the grid of tau, of the published code.
_PROBE_ANGLES = np.arange(0.1, 0.4 - 1e-12, 0.03)
_PROBE_TAUS = np.arange(0.1, 2.0 - 1e-12, 0.01)


def sparsity_probe_index(
    norms: np.ndarray,
    tree: np.ndarray,
    n_trees: int,
    p: float,
    n_apart: float,
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
    norms : ndarray of shape (n_terms,)
        Norms of the terms of all trees, falling.
    tree : ndarray of shape (n_terms,)
        Tree of every term.
    n_trees : int
        Number of trees J.
    p, n_apart
        As in :func:`m_term_index`.

    Returns
    -------
    fit : IndexFit
        ``errors`` holds the norms; the line has the slope ``-(alpha + 1/p)``.
    """
    positive = norms > 0
    log_norms, tree = np.log(norms[positive]), tree[positive]
    log_sums = np.array([probe_log_sums(log_norms[tree == j]) for j in range(n_trees)])

    def critical(kept: np.ndarray) -> float:
        taus = critical_taus(np.logaddexp.reduce(log_sums[kept], axis=0), len(kept))
        return np.inf if taus is None else float(np.mean(1 / taus - 1 / p))

    alpha = critical(np.arange(n_trees))
    trees = _without_one_tree(critical, n_trees)
    ranks = np.arange(1, len(norms) + 1)
    fit = IndexFit(
        alpha,
        n_terms=ranks,
        errors=norms,
        fit_range=(1, len(norms)),
        line=_line_of_slope(-(alpha + 1 / p), ranks, norms),
        replicates=Replicates(np.empty(0), trees, np.empty(0), n_apart),
    )
    return unresolved(fit, unbounded=True) if np.isinf(fit.alpha) else fit


def probe_log_sums(log_norms: np.ndarray) -> np.ndarray:
    """Logs of the sums of ``norm^tau`` and of ``norm^(tau - 1)``, shape (2, n_taus)."""
    if not len(log_norms):
        return np.full((2, len(_PROBE_TAUS)), -np.inf)
    return np.array(
        [[logsumexp(power * log_norms) for power in _PROBE_TAUS - less] for less in (0, 1)]
    )


def critical_taus(log_sums: np.ndarray, n_trees: int) -> np.ndarray | None:
    """The critical tau for each epsilon; None if even the smallest tau is beyond it."""
    if not np.isfinite(log_sums).all():
        return None
    taus = _PROBE_TAUS
    log_slope = (1 / taus - 1) * log_sums[0] + log_sums[1] - np.log(n_trees * taus)
    with np.errstate(over="ignore"):
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


def _without_one_tree(estimate: Callable[[np.ndarray], float], n_trees: int) -> np.ndarray:
    """An estimate from all trees but one; empty if there is only one."""
    everything = np.arange(n_trees if n_trees > 1 else 0)
    return np.array([estimate(np.delete(everything, j)) for j in everything])


def _block_deviations(n_terms: np.ndarray, errors: np.ndarray, law: PowerLaw) -> np.ndarray:
    """What blocks of the window add to the slope, beyond the mean slope.

    The curve of a finite number of samples is no exact power law: it bends, and it
    wavers, since trees halve cells. A least-squares slope is the mean of local slopes,
    with weights that fall to zero at both ends like a parabola.
    """
    ends = np.unique(np.linspace(0, len(n_terms) - 1, _N_BLOCKS + 1).round().astype(int))
    ends = ends[errors[ends] > 0]
    if len(ends) < 3:
        return np.full(2, np.inf)
    x, y = np.log(n_terms[ends]), np.log(errors[ends])
    middle = (0.5 * (x[1:] + x[:-1]) - x[0]) / (x[-1] - x[0])
    weights = np.diff(x) * middle * (1 - middle)
    return weights / weights.sum() * (law.slope - np.diff(y) / np.diff(x))


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
    elif not power_law or fit.line.drop <= _NEGLIGIBLE_DECAY:
        return fit
    elif fit.line.r_squared < _POOREST_R_SQUARED:
        caution = PoorFitWarning(
            f"The decay is not a power law over the fit window {fit.fit_range} "
            f"(r_squared_ = {fit.line.r_squared:.2f} < {_POOREST_R_SQUARED}); look at "
            "errors_ before reading the index."
        )
    else:
        early, late = _rates_of_halves(fit)
        # Curves of rows that the trees have seen always bend down in the end.
        bends = abs(late - early) > _BEND * abs(fit.alpha)  # not if one is NaN
        if fit.cautions or not bends:
            return fit
        caution = BentDecayWarning(
            f"The decay is still bending in the fit window {fit.fit_range}: its rate is "
            f"{early:.2f} in the first half and {late:.2f} in the second. The index holds "
            "for this number of samples only"
            + (
                "; with more of them it would be larger."
                if late > early
                else "; with more of them, or less noise, it would change."
            )
        )
    return replace(fit, cautions=(caution, *fit.cautions))


def _rates_of_halves(fit: IndexFit) -> list[float]:
    """Rates in the two halves of the window, in units of the index; NaN if unknown."""
    first, last = fit.fit_range
    middle = int(np.sqrt(first * last))
    rates = []
    for ends in ((first, middle), (middle, last)):
        points = _log_spaced(*ends, last)
        law = fit_power_law(points, fit.errors[points - 1])
        rate = fit.alpha - (law.slope - fit.line.slope)
        rates.append(rate if law.n_points > 1 else np.nan)
    return rates
