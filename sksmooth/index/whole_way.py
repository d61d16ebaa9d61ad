"""The rate of the whole way: from no terms to the best number of them."""

from __future__ import annotations

import numpy as np

from .window import terms_allowed

__all__ = ["cells_allowed", "whole_way_rate"]

_FEWEST_CELLS = 2.0


def cells_allowed(n_grown: float) -> float:
    """Count the cells that a number of samples allows, half as many as terms.

    It depends on the number of samples alone, so that the whole-way rates of different
    representations of the same samples differ by their errors only.
    """
    return max(terms_allowed(n_grown) / 2, _FEWEST_CELLS)


def whole_way_rate(
    relative_power: float, n_grown: float, n_samples: float, p: float
) -> float:
    """Convert a relative error to a rate: how fast it would have fallen as a power law.

    ``-log(error / error of the mean) / log(cells)``: the slope, on logarithmic axes, of the
    straight line from no terms to the best number of them. An error of less than one sample
    cannot be told from none and counts as that of one sample, so the rate is finite.

    Parameters
    ----------
    relative_power : float
        p-th power of the error at its best number of terms, over that without any term.
    n_grown : float
        Number of samples that a tree was grown on.
    n_samples : float
        Number, or weight, of the samples that the error was measured on.
    p : float
        Exponent of the error norm.

    Returns
    -------
    rate : float
        Zero if no number of terms beats the mean, else positive.
    """
    counted = min(max(relative_power, 1 / n_samples), 1.0)
    return float(-np.log(counted) / p / np.log(cells_allowed(n_grown))) + 0.0
