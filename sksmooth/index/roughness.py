"""Roughness: how much of the spread of the targets is left as cells are added.

The rate measures how fast more cells help. The roughness is an amplitude: what is left
between one cell and as many as the samples allow, averaged over the logarithm of their
number. ROGI-XD (Graff, Pyzer-Knapp, Jordan, Shakhnovich and Coley, Digital Discovery 2,
2023) integrates what clusters leave over the same scale. Here cells are fitted to the
targets, and errors are those on samples that the trees have not seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..samples import Samples
from .held_out import HeldOutError, LevelDifference, variances_of, with_terms

__all__ = ["Roughness", "roughness", "spread_left"]

_N_NODES = 5  # of the quadrature of the variance, each of which costs two passes


class Roughness(NamedTuple):
    """The roughness and its interval."""

    value: float
    interval: tuple[float, float]


def spread_left(errors: np.ndarray, n_trees: int, n_cells: float) -> float:
    """Integrate a relative error over the logarithm of the number of cells.

    ``int_0^1 min(sigma_M / sigma_0, 1) du`` with ``u = log(cells) / log(n_cells)``, by the
    trapezoidal rule. A split is two terms and makes one cell more, so M terms of J trees
    are ``1 + M / (2 J)`` cells of a tree. A forest without further terms keeps its error.

    Parameters
    ----------
    errors : ndarray of shape (n_terms + 1,)
        L_p error with 0, 1, ... terms of a forest.
    n_trees : int
        Number of its trees.
    n_cells : float
        Number of cells at which the way ends.

    Returns
    -------
    roughness : float
        In [0, 1]; 1 if there is no spread.
    """
    if errors[0] == 0:
        return 1.0
    left = np.minimum(errors / errors[0], 1.0)
    place = np.log1p(np.arange(len(left)) / (2 * n_trees)) / np.log(n_cells)
    inside = place < 1
    place, left = (
        np.append(place[inside], 1.0),
        np.append(left[inside], np.interp(1.0, place, left)),
    )
    return float(np.sum(np.diff(place) * (left[1:] + left[:-1])) / 2)


def roughness(
    error: HeldOutError, samples: Samples, n_cells: float, confidence_level: float
) -> Roughness:
    """Measure the roughness and its uncertainty, over samples and the choice of the trees.

    The variance is that of a sum over samples, to first order, plus the jackknife over
    groups of trees, at five points of a Gauss-Legendre quadrature.

    Parameters
    ----------
    error : HeldOutError
        Error of a forest on samples that its trees have not seen.
    samples : Samples
        The samples.
    n_cells : float
        Number of cells that they allow.
    confidence_level : float
        Level of the interval, in (0, 1).

    Returns
    -------
    roughness : Roughness
        In [0, 1], with its interval.
    """
    unit, n_trees = error.grown.units.unit, error.wavelets.n_trees
    value = spread_left(error.errors, n_trees, n_cells)
    if error.spread == 0 or error.is_carried_by_few(unit):
        return Roughness(value, (0.0, 1.0))
    parts = []
    for place, share in zip(*_quadrature(), strict=True):
        n_terms = round(2 * n_trees * (n_cells**place - 1))
        on_the_way = with_terms(error, min(n_terms, error.wavelets.n_terms), samples)
        parts.append([share * part for part in _of_spread_left(on_the_way, unit)])
    influence, without_trees = (sum(part) for part in zip(*parts, strict=True))
    variances = variances_of(influence, without_trees)
    found = LevelDifference(value, *variances, len(influence), len(without_trees))
    low, high = np.clip(found.interval(confidence_level), 0.0, 1.0)
    return Roughness(value, (float(low), float(high)))


def _of_spread_left(error: HeldOutError, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What units add to ``sigma_M / sigma_0``, and its values without a group of trees."""
    p, spread = error.wavelets.p, error.spread
    # An error below that of one sample cannot be told from none.
    left = max(error.left, 1 / error.weights.sum())
    change = error.weights * (error.losses - left * error.spreads) / spread
    influence = np.bincount(unit, change) * left ** (1 / p - 1) / p
    return influence, (error.without_trees / spread) ** (1 / p)


def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    places, shares = np.polynomial.legendre.leggauss(_N_NODES)
    return (places + 1) / 2, shares / 2
