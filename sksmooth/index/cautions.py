"""Reasons to read an index with care, each with its own class of warning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..exceptions import (
    BentDecayWarning,
    FewTermsWarning,
    PoorFitWarning,
    PrecisionWarning,
    UnresolvedIndexWarning,
)
from ..trees import GrownForest
from ..wavelets import ErrorCurves
from .fit import IndexFit
from .power_law import fit_power_law
from .window import log_spaced

__all__ = ["checked", "imprecise", "is_finite_box_function", "unresolved"]

_FEWEST_TERMS = 40  # a window that ends earlier gives a warning
_FEWEST_POINTS = 5  # of the curves of procedures that have no window
_POOREST_R_SQUARED = 0.8
_NEGLIGIBLE_DECAY = 0.05  # of log error over the window: noise, for which R^2 is void
_MOSTLY = 0.5  # share of the index that is not the rate in the window
_BEND = 0.5  # of the rate: largest difference between the slopes of the window's halves
_ROUNDING = 1e-6  # of errors, whose squares lose half of the digits of float64
_NO_RESIDUAL = 1e-6  # of p-th powers: the share of samples with an error, for classes
_SMALL_RESIDUAL = 0.05  # out of bag, where cuts are a little off
_FEWEST_SAMPLES_OF_ONE_BOX = 20
_FEWEST_SAMPLES_FOR_BOXES = 500  # fewer do not tell boxes from a coarse boundary
_GROWTH_OF_BOXES = 0.15  # exponent; half of the smallest one of a curved boundary


def checked(fit: IndexFit, *, power_law: bool) -> IndexFit:
    """Add a caution if the window is short, the line poor or the curve bent.

    Parameters
    ----------
    fit : IndexFit
        The fit.
    power_law : bool
        Whether a good line is expected; published procedures, which are followed for
        comparison, do not give one and have windows of their own.
    """
    few = fit.window[1] < _FEWEST_TERMS if power_law else len(fit.n_terms) < _FEWEST_POINTS
    if few:
        caution = FewTermsWarning(
            f"The fit window {fit.fit_range} holds few terms: with so few samples, or such "
            "shallow trees, the index is only approximate. More samples or deeper trees "
            "help."
        )
    elif (
        not power_law
        or fit.line.drop <= _NEGLIGIBLE_DECAY
        or fit.share_of_whole_way > _MOSTLY
    ):
        return fit
    elif fit.line.r_squared < _POOREST_R_SQUARED:
        caution = PoorFitWarning(
            f"The decay is not a power law over the fit window {fit.fit_range} "
            f"(r_squared_ = {fit.line.r_squared:.2f} < {_POOREST_R_SQUARED}); look at "
            "decay_.errors before reading the index."
        )
    else:
        rate = fit.rate_in_window
        early, late = _rates_of_halves(fit)
        # Curves of rows that the trees have seen always bend down at the end.
        bends = abs(late - early) > _BEND * abs(rate)  # not if one is NaN
        if fit.cautions or not bends:
            return fit
        caution = BentDecayWarning(
            f"The decay is still bending in the fit window {fit.fit_range}: its rate is "
            f"{early:.2f} in the first half and {late:.2f} in the second. The index holds "
            "only for this number of samples"
            + (
                "; with more of them it would be larger."
                if late > early
                else "; with more of them, or less noise, it would change."
            )
        )
    return fit.with_cautions(caution)


def imprecise(fit: IndexFit, precision: float, grown: GrownForest) -> IndexFit:
    """Add a caution that all trees leave the interval too wide, and say what narrows it.

    Parameters
    ----------
    fit : IndexFit
        The fit.
    precision : float
        Half of the requested length.
    grown : GrownForest
        Its trees. Of more than ``n_apart``, the variance of the index does not fall.

    Returns
    -------
    fit : IndexFit
        The fit, with the caution.
    """
    n_trees = len(grown.forest.trees)
    of_trees = fit.replicates.by_source()[1]
    without = replace(fit, replicates=replace(fit.replicates, trees=np.empty(0)))
    if fit.is_bound:
        mend = "alpha_ is a lower bound, whose interval has no upper end."
    elif n_trees < grown.n_apart and (of_trees > 0) and without.half_width <= precision:
        mend = "More trees would narrow it: increase n_estimators."
    else:
        mend = (
            "More trees would not narrow it, since its length comes from the samples and "
            "the fit window, or from trees that share most of their samples: measure more "
            "rows, or increase precision."
        )
    caution = PrecisionWarning(
        f"precision = {precision:g} is not reached with {n_trees} trees, the most that "
        "n_estimators allows: half of the length of alpha_interval_ is "
        f"{fit.half_width:.2g}. {mend}"
    )
    return fit.with_cautions(caution)


def _rates_of_halves(fit: IndexFit) -> list[float]:
    """Fit the two halves of the window, in units of the index; NaN if unknown."""
    first, last = fit.fit_range
    middle = int(np.sqrt(first * last))
    rates = []
    for ends in ((first, middle), (middle, last)):
        points = log_spaced(*ends, last)
        law = fit_power_law(points, fit.errors[points - 1])
        rate = fit.rate_in_window - (law.slope - fit.line.slope)
        rates.append(rate if law.n_points > 1 else np.nan)
    return rates


def unresolved(fit: IndexFit, *, is_bound: bool) -> IndexFit:
    """Add a caution that the function is constant on few boxes.

    Parameters
    ----------
    fit : IndexFit
        The fit.
    is_bound : bool
        Whether the index is the largest that the samples can show, so that other cautions
        add nothing; otherwise it is the value of the procedure, and the caution is added.
    """
    reading = (
        f"alpha_ = {fit.alpha:.2f} is a lower bound, the largest value that these samples "
        "can show; signal_alpha_ is infinite."
        if is_bound
        else "alpha_ is the value of the procedure; do not read it as a rate."
    )
    caution = UnresolvedIndexWarning(
        "A few terms leave hardly any error: the function looks constant on finitely many "
        f"boxes, which is smoother than any index says. {reading}"
    )
    if is_bound:
        return replace(fit, is_bound=True, cautions=(caution,))
    return replace(fit, cautions=(*fit.cautions, caution))


def is_finite_box_function(curves: ErrorCurves) -> bool:
    """Return whether the trees see a function that is constant on finitely many boxes.

    They do if no error is left in bag or out of bag. Otherwise, slightly misplaced cuts
    leave a small out-of-bag error, and the growth of the trees decides. The number of terms
    that split cells of at least n samples grows as n falls: like
    ``(n_samples / n)^((d - 1) / d)`` for a jump across a surface in d dimensions, so with
    an exponent of 1/2 or more (0.3 to 0.4 is what greedy trees show in two dimensions), and
    faster for functions without constant pieces. On finitely many boxes it stops growing,
    and the exponent is near 0.
    """
    n_samples, p = curves.grown.n_grown, curves.p
    start, end = (curves.by_tree[:, m].mean(axis=0) for m in (0, -1))
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
    n_terms = (_cell_sizes(curves) >= sizes[:, None]).sum(axis=1)
    return -fit_power_law(sizes, n_terms).slope < _GROWTH_OF_BOXES


def _cell_sizes(curves: ErrorCurves) -> np.ndarray:
    """Count the samples in the parent of every term."""
    decomposition = curves.decomposition
    count, parent = decomposition.count, decomposition.parent[decomposition.order]
    return count[parent] * curves.grown.n_grown / count[0]
