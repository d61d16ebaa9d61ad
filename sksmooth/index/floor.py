"""The noise floor: the error that remains with any number of terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._lib.state import Versioned
from ..wavelets import ErrorCurves, error_of_endless_forest
from .variance import jackknife_variance
from .window import first_or_last, log_spaced, terms_allowed

__all__ = ["NoiseFloor", "fit_noise_floor"]

_LEAD = 0.95  # of the fall is over at twice the number of terms where the fit starts
_HALF = 0.5  # likewise, for the fit that starts early
_EXPONENTS = np.geomspace(0.15, 4.0, 24)  # of the falling part; 2 alpha for p = 2
_LARGEST_EXCESS = 3.0  # out-of-bag over in-bag error where the fit ends
_REACHED = 0.05  # of the fall is left where the floor counts as reached
_FLAT = 0.1  # of the fall, at most, may be left at the end of the fit
_SMALL_EXCESS = 1.18  # out-of-bag over in-bag error where the floor is reached
_TIE = 1e-9  # of relative squared residuals, which rounding would decide
_MARGIN = 2.0  # standard deviations
_FEW_TERMS = 14
_FEWEST_SAMPLES = 5  # whose error a floor is worth
# Out-of-bag over in-bag error up to which the average bounds the noise: trees that have
# fitted most of it make their average waver.
_TRUSTED_EXCESS = 2.0


@dataclass(frozen=True, eq=False)
class NoiseFloor(Versioned):
    """A power law over a floor, ``F + C M^-b``, fitted to the averaged curve.

    In-bag errors are too low and out-of-bag errors too high by the variance of a cell mean,
    so their average is the approximation error plus the noise at any number of terms
    (:attr:`~sksmooth.wavelets.errors.ErrorCurves.averages`). The approximation error falls
    like a power of the number of terms, and the noise stays.

    All errors are p-th powers, relative to that without any term; for p = 2 they are shares
    of the variance of the targets.

    Attributes
    ----------
    level : float
        F, in [0, 1].
    early_level : float
        F of a fit that starts where half of the fall is over. It sees a floor that bends
        where the other one sees a slow power law.
    exponent : float
        b; the rate of the L_p error above the floor is ``b / p``.
    n_terms : int
        Number of terms of a tree at which the floor is reached, as far as it is.
    fit_range : tuple of int
        First and last number of terms of the fit.
    bound : float
        A level that the noise does not exceed, whether there is a floor or not.
    is_reached : bool
        Whether the curve shows the floor, so that ``level`` estimates the noise. Otherwise
        the curve still falls, or averages of trees explain what single trees do not.
    levels, exponents, bounds : ndarray of shape (n_groups,)
        Level, exponent and lowest point of the curve with one group of samples at a time
        left out of the errors.
    """

    level: float
    early_level: float
    exponent: float
    n_terms: int
    fit_range: tuple[int, int]
    bound: float
    is_reached: bool
    levels: np.ndarray
    exponents: np.ndarray
    bounds: np.ndarray

    def share_at(self, n_terms: int, curves: ErrorCurves) -> float:
        """Share of the error with a number of terms that is floor, at most 1.

        Unless the curve shows the floor, the share is shrunk by its relative variance,
        since a power law that bends is mistaken for one over a small and uncertain floor.
        """
        power = curves.mean_powers
        share = _share(self.level, power[[0, min(n_terms, len(power) - 1)]])
        if self.is_reached:
            return share
        without = curves.powers_without_a_group
        at = np.searchsorted(curves.groups.n_terms, n_terms, side="right") - 1
        replicates = [
            _share(level, row[[0, at]])
            for level, row in zip(self.levels, without, strict=True)
        ]
        deviation = self.deviation(np.array(replicates))
        return max(share - deviation**2 / share, 0.0) if share > 0 else 0.0

    def early_share_at(self, n_terms: int, curves: ErrorCurves) -> float:
        """Share of the error that is floor by the fit that starts early."""
        power = curves.mean_powers
        return _share(self.early_level, power[[0, min(n_terms, len(power) - 1)]])

    @staticmethod
    def deviation(replicates: np.ndarray) -> float:
        """Standard deviation of level, exponent or bound, by the jackknife of groups.

        Infinite where a replicate is unknown, as where a group holds all samples of a tree.
        """
        if not np.isfinite(replicates).all():
            return np.inf
        return float(np.sqrt(jackknife_variance(replicates)))

    def __post_init__(self) -> None:
        for array in (self.levels, self.exponents, self.bounds):
            array.setflags(write=False)


def _share(level: float, power: np.ndarray) -> float:
    """Share of the floor in the second of two errors, given relative to the first."""
    return min(level * power[0] / power[1], 1.0) if power[1] > 0 else 0.0


def fit_noise_floor(curves: ErrorCurves) -> NoiseFloor | None:
    """Fit a power law over a floor to the averaged curve, and judge whether it is one.

    Parameters
    ----------
    curves : ErrorCurves
        Errors of the trees.

    Returns
    -------
    floor : NoiseFloor or None
        None if there are no out-of-bag errors or no terms, so that nothing is known.
    """
    by_bag = curves.by_tree.mean(axis=0)
    if not curves.has_out_of_bag or len(by_bag) == 1 or by_bag[0].min() == 0:
        return None
    power = by_bag.mean(axis=1) / by_bag[0].mean()
    with np.errstate(divide="ignore", invalid="ignore"):  # no error is left
        excess = np.where(by_bag[:, 0] > 0, by_bag[:, 1] / by_bag[:, 0], np.inf)
    most = min(int(terms_allowed(curves.grown.n_grown)), len(power) - 1)
    last = max(first_or_last(excess[: most + 1] > _LARGEST_EXCESS), 1)
    first, early = (_first_of_fit(power[: last + 1], lead) for lead in (_LEAD, _HALF))
    least = 1 / curves.samples.weights.sum()
    points = log_spaced(first, last, last)
    law = _power_law_over_a_floor(points, power[points], least)
    points = log_spaced(early, last, last)
    early_law = _power_law_over_a_floor(points, power[points], least)

    without = curves.powers_without_a_group
    with np.errstate(invalid="ignore"):  # all errors are in one group, so none is left
        without = without / without[:, :1]
    kept = curves.groups.n_terms
    inside = (kept >= first) & (kept <= last)
    replicates = np.array(
        [_power_law_over_a_floor(kept[inside], row[inside], least) for row in without]
    ).reshape(-1, 3)

    reached = law.reached(first)
    n_terms = int(min(reached, last))
    endless = error_of_endless_forest(
        curves.decomposition, curves.grown, curves.samples, n_terms
    ) ** (curves.p / 2)  # it is that of squares
    # As many units of samples tell the products from which it is estimated.
    is_told = curves.grown.unseen.sum(axis=0) > 1
    n_told = max(len(np.unique(curves.grown.units.unit[is_told])), 1)
    endless += 2 * np.sqrt(max(endless * (1 - endless), least) / n_told)
    deviation = NoiseFloor.deviation(replicates[:, 0])
    # Few cells are the same in all trees, whose average explains as much as each of them.
    margin = _MARGIN * deviation if n_terms <= _FEW_TERMS else 0.0
    is_reached = (
        reached <= last
        and law.fall * (last / first) ** -law.exponent <= _FLAT * (1 - law.level)
        and excess[n_terms] <= _SMALL_EXCESS
        and law.level > max(_MARGIN * deviation, _FEWEST_SAMPLES * least)
        and endless >= law.level - margin
    )
    trusted = max(first_or_last(excess[: last + 1] > _TRUSTED_EXCESS), 1)
    return NoiseFloor(
        level=law.level,
        early_level=early_law.level,
        exponent=law.exponent,
        n_terms=n_terms,
        fit_range=(first, last),
        bound=float(max(min(power[: trusted + 1].min(), endless), 0.0)),
        is_reached=bool(is_reached),
        levels=replicates[:, 0],
        exponents=replicates[:, 2],
        bounds=without[:, kept <= trusted].min(axis=1),
    )


def _first_of_fit(power: np.ndarray, lead: float) -> int:
    """Choose where a fit starts: at half of the terms after which so much is gone."""
    lowest = power.min()
    led = int(np.argmax(power <= lowest + (1 - lead) * (1 - lowest)))
    return max(led // 2, 1)


class _Law(NamedTuple):
    level: float
    fall: float
    exponent: float

    def reached(self, first: int) -> float:
        """Solve for the number of terms at which little of the fall is left."""
        left = _REACHED * (1 - self.level)
        if self.fall <= left:
            return float(first)
        if left <= 0:
            return np.inf
        return float(np.ceil(first * (self.fall / left) ** (1 / self.exponent)))


def _power_law_over_a_floor(n_terms: np.ndarray, power: np.ndarray, least: float) -> _Law:
    """Fit ``F + C (M / M_0)^-b`` by relative least squares, F and C not negative.

    For each exponent of a grid the problem is linear in F and C. Errors below ``least``,
    that of one sample, do not weigh more than it.
    """
    weight = 1 / np.maximum(power, least)
    falling = (n_terms / n_terms[0]) ** -_EXPONENTS[:, None] * weight
    target = power * weight
    ones, cross = weight @ weight, falling @ weight
    falls, rise = np.sum(falling**2, axis=1), falling @ target
    total = weight @ target
    determinant = ones * falls - cross**2
    with np.errstate(divide="ignore", invalid="ignore"):  # one point only
        floor = (total * falls - rise * cross) / determinant
        fall = (rise * ones - total * cross) / determinant
    # Where one of the two would be negative it is zero, and the other fits alone.
    floor, fall = (
        np.where(fall < 0, total / ones, floor),
        np.where(floor < 0, rise / falls, fall),
    )
    singular = determinant <= 1e-12 * ones * falls
    floor = np.clip(np.where(singular, total / ones, floor), 0.0, 1.0)
    fall = np.maximum(np.where(singular, 0.0, fall), 0.0)
    fitted = floor[:, None] * weight + fall[:, None] * falling
    residual = np.sum((fitted - target) ** 2, axis=1)
    # The smallest exponent of those that fit alike, as all do through two points.
    best = int(np.argmax(residual <= residual.min() + _TIE * len(target)))
    return _Law(float(floor[best]), float(fall[best]), float(_EXPONENTS[best]))
