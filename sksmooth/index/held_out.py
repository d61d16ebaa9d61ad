"""The rate at which fitted wavelets approximate samples that they have not seen."""

from __future__ import annotations

import numpy as np

from .power_law import fit_power_law
from .window import log_spaced

__all__ = ["held_out_rate"]

_HELD_OUT_PER_CELL = 20  # where the window ends
_LONGEST_SPAN = 20  # last over first number of terms


def held_out_rate(
    errors: np.ndarray, n_trees: int, n_fitted: float, n_samples: float, p: float
) -> float:
    """Fit the rate at which given wavelets, in their order, approximate other samples.

    It is the faster of two: the slope in a window that ends at 20 samples a cell, M =
    n / 10, and starts at max(20, M / 20) or M / 4 if that is less, and the slope from no
    terms to the end of that window, which takes over where most of the error is
    gone before the window begins. An error below that of one sample cannot be told from
    none, so the error of one sample is added, which bounds the rate.

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
    first, last = _held_out_window(n_fitted)  # terms of one tree
    if errors[0] == 0:
        return 0.0
    relative = ((errors / errors[0]) ** p + 1 / n_samples) ** (1 / p)
    points = log_spaced(first * n_trees, last * n_trees, last * n_trees)
    # Forests with fewer terms keep the error of their last one.
    relative = relative[np.minimum(points, len(errors) - 1)]
    in_window = -fit_power_law(points, relative).slope
    # The rate from no terms to the end: log M is that of one tree, as alpha counts terms.
    return float(max(in_window, -np.log(relative[-1]) / np.log(last)))


def _held_out_window(n_samples: float) -> tuple[int, int]:
    """Choose the terms between which held-out errors are compared, down to 20 a cell.

    It depends on the number of samples alone, so that representations of the same samples
    are scored at the same numbers of terms.
    """
    last = max(int(2 * n_samples / _HELD_OUT_PER_CELL), 2)
    return max(int(min(max(20, last / _LONGEST_SPAN), last / 4)), 1), last
