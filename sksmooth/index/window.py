"""The numbers of terms between which a decay can be trusted."""

from __future__ import annotations

import numpy as np

from ..wavelets import ErrorCurves

__all__ = [
    "SAMPLES_PER_CELL",
    "first_or_last",
    "fit_window",
    "log_spaced",
    "terms_allowed",
]

# The window starts when the terms have found the coarse shape of the function, and ends
# before the errors say more about the sampling than about the function. Each split makes
# two terms, so M terms are about M / 2 cells.
_FIRST_TERM = 14
_COARSE_SHAPE = 0.5  # of what the terms take away is left when that shape is found
SAMPLES_PER_CELL = 10
_OUT_OF_BAG_EXCESS = 4.0  # out-of-bag over in-bag squared error where the window ends
_SHORTEST_SPAN = 3  # last over first number of terms
_N_POINTS = 60  # equally spaced in log M, so that every octave weighs the same


def fit_window(curves: ErrorCurves) -> tuple[int, int]:
    """Find the numbers of terms at which the decay of one tree can be trusted.

    The window starts at 14 terms. Where more than half of the p-th power of the error goes
    away, it starts when half of what goes away is gone, if that is later. It ends at 10
    samples a cell, at half of the terms, or where the squared error out of bag is four
    times that in it, whichever comes first; the two are 1 + 1/n and 1 - 1/n times the
    variance of a cell of n samples if its bounds do not depend on them, so a ratio of four
    means that most of what is seen is the sampling.

    Parameters
    ----------
    curves : ErrorCurves
        Errors of the trees. Without out-of-bag errors the ratio has no effect.

    Returns
    -------
    first, last : int
        Ends of the window, both in it; ``first < last`` if there are two terms.
    """
    curve, p = curves.by_tree.mean(axis=0), curves.p
    n_terms = np.median(curves.decomposition.n_terms_per_tree)
    last = min(terms_allowed(curves.grown.n_grown), n_terms / 2)
    # The excess is a ratio of squared errors; of p-th powers it is that to the p / 2.
    excessive = curve[:, 1] > _OUT_OF_BAG_EXCESS ** (p / 2) * curve[:, 0]
    last = max(int(min(last, first_or_last(excessive))), 2)
    error = curve[:, 0] if np.isnan(curve[0, 1]) else curve.mean(axis=1)
    lowest = error[: last + 1].min()
    coarse = 0
    if lowest < _COARSE_SHAPE * error[0]:  # else noise hides when the shape is found
        coarse = np.argmax(error <= lowest + _COARSE_SHAPE * (error[0] - lowest))
    # Short curves still get a window of some span, at the price of an early start.
    first = min(max(_FIRST_TERM, coarse), last / _SHORTEST_SPAN)
    return max(int(first), 1), last


def terms_allowed(n_grown: float) -> float:
    """Count the terms of a tree that a number of samples allows: ten samples per cell."""
    return 2 * n_grown / SAMPLES_PER_CELL


def first_or_last(condition: np.ndarray) -> int:
    """Find the first place where a condition holds, or the last place if it never does."""
    return int(np.argmax(condition)) if condition.any() else len(condition) - 1


def log_spaced(first: int, last: int, most: int) -> np.ndarray:
    """Space numbers of terms evenly in log M from first to last, at most ``most``."""
    first, last = (max(min(end, most), 1) for end in (first, last))
    return np.unique(np.round(np.geomspace(first, last, _N_POINTS)).astype(np.int64))
