"""How much of the targets is explained, how much is noise, and how the rest falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._lib.state import Versioned
from ..wavelets import ErrorCurves
from .fit import IndexFit
from .floor import NoiseFloor
from .held_out import HeldOutError, Level, least
from .roughness import Roughness, roughness
from .variance import student_margin
from .whole_way import cells_allowed, whole_way_rate
from .window import terms_allowed

__all__ = ["Shares", "variance_shares"]

Interval = tuple[float, float]
_UNKNOWN = (np.nan, np.nan)
# Of what is not floor, not explained, where the floor is noise; or of the variance.
_MISSING, _NOTHING_MISSING = 0.08, 0.015
# Of the level, relative: what a power law over a floor missed on known functions.
_DEVIATION_OF_LEVEL = 0.07
# A floor that is reached within fewer terms leaves no stretch to read a rate from.
_FEWEST_TERMS = 40
# Above a floor reached so soon, smooth functions of one variable, of rate 1, show less.
_LARGEST_RATE = 0.9
# Of the rate above a floor, relative, as the fit starts in the coarse shape of the
# function; the second where the floor is reached within fewer terms.
_DEVIATION_OF_SIGNAL, _DEVIATION_IN_FEW_TERMS = 0.15, 0.25


@dataclass(frozen=True, eq=False)
class Shares(Versioned):
    """What a forest explains of its targets, and what it cannot.

    For p = 2 errors are shares of the variance of the targets, otherwise of the p-th
    power of their distance from the mean.

    Attributes
    ----------
    explained : float
        Share that the wavelets explain of samples which their trees have not seen, at the
        best number of terms, by the better of two forests; in [0, 1].
    explained_interval : tuple of float
        Its interval, over samples; of these forests, so not over trees.
    oob_score : float
        The same error as a rate, that of the whole way.
    noise : float
        Share that no number of terms explains; an upper bound where ``noise_is_bound``.
    noise_interval : tuple of float
        Its interval; from 0 to above the bound where ``noise_is_bound``.
    noise_is_bound : bool
        Whether the curve shows no floor, so that the noise may be anything up to the bound.
    wrong_labels : float
        The noise of classes as a share of wrong labels, if these are spread evenly over the
        other classes; NaN for regression.
    wrong_labels_interval : tuple of float
        The ends of ``noise_interval`` in this unit.
    signal_alpha : float
        Rate at which the error above the floor falls; infinite for finitely many boxes.
    signal_alpha_interval : tuple of float
        Its interval.
    roughness : float
        What is left of the spread of the targets as cells are added, see
        :func:`~sksmooth.index.roughness.roughness`; of the forest of the level, in [0, 1].
    roughness_interval : tuple of float
        Its interval, over samples and trees.
    level : Level or None
        The level of the error of the randomised forest, by which representations are
        compared; None if no samples are left out of the trees.
    error_of_mean : float
        L_p error without any term, in units of the targets.
    terms_needed : ndarray of shape (n_points,)
        Falling curve from which :meth:`n_terms_for` is read: what 0, 1, 2, ... terms of a
        tree leave of what can be explained.
    """

    explained: float
    explained_interval: Interval
    oob_score: float
    noise: float
    noise_interval: Interval
    noise_is_bound: bool
    wrong_labels: float
    wrong_labels_interval: Interval
    signal_alpha: float
    signal_alpha_interval: Interval
    roughness: float
    roughness_interval: Interval
    level: Level | None
    error_of_mean: float
    terms_needed: np.ndarray

    def __post_init__(self) -> None:
        self.terms_needed.setflags(write=False)

    def n_terms_for(self, share: float) -> int:
        """Count the terms that a tree needs for a share of what can be explained."""
        return int(np.argmax(self.terms_needed <= 1 - share))


def variance_shares(
    curves: ErrorCurves, fit: IndexFit, errors: Sequence[HeldOutError]
) -> Shares:
    """Measure what is explained and what is noise.

    Parameters
    ----------
    curves : ErrorCurves
        Errors of the trees.
    fit : IndexFit
        The index that was read from them, with the noise floor and the level of intervals.
    errors : sequence of HeldOutError
        Errors of forests on samples that their trees have not seen, of which the last is
        that of the level; empty if there are none.

    Returns
    -------
    shares : Shares
        NaN where no samples are out of bag.
    """
    explained = _explained(curves, errors, fit.confidence_level)
    floor = _floor_that_adds_up(fit.floor, explained.share, fit.confidence_level)
    noise = _noise(fit.floor, floor, explained.share, fit.confidence_level)
    of_labels = [_wrong_labels(share, curves) for share in (noise.share, *noise.interval)]
    rough = _roughness(curves, errors, fit.confidence_level)
    signal, signal_interval = _signal(curves, fit, is_told=floor is not None)
    return Shares(
        explained=explained.share,
        explained_interval=explained.interval,
        oob_score=explained.rate,
        noise=noise.share,
        noise_interval=noise.interval,
        noise_is_bound=noise.is_bound,
        wrong_labels=of_labels[0],
        wrong_labels_interval=(of_labels[1], of_labels[2]),
        signal_alpha=signal,
        signal_alpha_interval=signal_interval,
        roughness=rough.value,
        roughness_interval=rough.interval,
        level=_level(curves, errors),
        error_of_mean=float(curves.averages[:, 0].mean() ** (1 / curves.p)),
        terms_needed=_terms_needed(curves, explained.share),
    )


class _Explained(NamedTuple):
    share: float
    interval: Interval
    rate: float


def _explained(
    curves: ErrorCurves, errors: Sequence[HeldOutError], confidence_level: float
) -> _Explained:
    """Read what the forest with the least held-out error explains."""
    if not errors:
        return _Explained(np.nan, _UNKNOWN, np.nan)
    best = least(errors)
    if best.spread == 0 or best.n_terms == 0:
        return _Explained(0.0, (0.0, 0.0), 0.0)
    interval = best.interval_of_explained(curves.grown.units.unit, confidence_level)
    n_grown, total = curves.grown.n_grown, best.weights.sum()
    rate = whole_way_rate(best.left, n_grown, total, curves.p)
    return _Explained(max(1 - best.left, 0.0), interval, rate)


def _level(curves: ErrorCurves, errors: Sequence[HeldOutError]) -> Level | None:
    if not errors:
        return None
    return errors[-1].level(curves.grown.units.unit, curves.grown.n_grown)


def _roughness(
    curves: ErrorCurves, errors: Sequence[HeldOutError], confidence_level: float
) -> Roughness:
    if not errors:
        return Roughness(np.nan, _UNKNOWN)
    n_cells = cells_allowed(curves.grown.n_grown)
    return roughness(errors[-1], curves.samples, n_cells, confidence_level)


class _Noise(NamedTuple):
    share: float
    interval: Interval
    is_bound: bool


def _floor_that_adds_up(
    floor: NoiseFloor | None, explained: float, confidence_level: float
) -> NoiseFloor | None:
    """Keep a floor that is noise: what the forest explains and the floor add up to one.

    Where more than a twelfth of the rest is missing, there is structure that the trees do
    not find in this noise, and the floor is not the noise.
    """
    if floor is None or not floor.is_reached:
        return None
    if floor.level <= _margin(floor, floor.levels, confidence_level):
        return None
    signal = 1 - floor.level
    missing = signal - explained
    return floor if missing <= max(_MISSING * signal, _NOTHING_MISSING) else None


def _noise(
    curve: NoiseFloor | None, told: NoiseFloor | None, explained: float, level: float
) -> _Noise:
    """Read the noise from the floor, or bound it."""
    if curve is None:
        return _Noise(np.nan, _UNKNOWN, is_bound=True)
    most = 1.0 if np.isnan(explained) else 1 - explained
    replicates = curve.bounds if told is None else told.levels
    share = min(curve.bound if told is None else told.level, most)
    margin = _margin(curve, replicates, level)
    low = 0.0 if told is None else max(share - margin, 0.0)
    return _Noise(share, (low, min(share + margin, 1.0)), told is None)


def _margin(floor: NoiseFloor, replicates: np.ndarray, confidence_level: float) -> float:
    """Half the length of an interval for the level: of its samples, and of its model."""
    variance = floor.deviation(replicates) ** 2 + (_DEVIATION_OF_LEVEL * floor.level) ** 2
    return student_margin(variance, len(replicates) - 1, confidence_level)


def _wrong_labels(noise: float, curves: ErrorCurves) -> float:
    """Convert a share of the variance of classes to a share of wrong labels.

    If the share q of the labels is wrong, any of the L - 1 others as likely, the variance
    about the true class is ``1 - (1 - q)^2 - q^2 / (L - 1)`` in one-hot units.
    """
    samples = curves.samples
    if samples.classes is None or curves.p != 2:
        return np.nan
    n_classes = len(samples.classes)
    mean = samples.targets.mean(samples.weights)
    squares = samples.targets.of_values(lambda each: np.sum((each - mean) ** 2, axis=1))
    variance = np.average(squares, weights=samples.weights)
    largest = 1 - 1 / n_classes  # of q, where labels tell nothing
    return float(largest * (1 - np.sqrt(max(1 - noise * variance / largest, 0.0))))


def _signal(curves: ErrorCurves, fit: IndexFit, *, is_told: bool) -> tuple[float, Interval]:
    """Read the rate of what lies above the floor.

    Without a floor it is the index. Where there may be one, but the curve still falls, the
    truth lies between that and the rate above the fitted floor, and half of the way between
    them is taken. The interval has no upper end where the window lies on the floor, so that
    the index says nothing of the signal.
    """
    low, high = fit.interval
    if fit.is_bound:
        return np.inf, (low, np.inf)
    floor, p = fit.floor, curves.p
    if floor is None:
        return fit.alpha, (low, high)
    if floor.level >= 1 - 2 * floor.deviation(floor.levels):
        return fit.alpha, (0.0, np.inf)  # there is no signal to speak of
    above = floor.exponent / p
    spread = floor.deviation(np.log(floor.exponents))
    of_start = (
        _DEVIATION_OF_SIGNAL if floor.n_terms >= _FEWEST_TERMS else _DEVIATION_IN_FEW_TERMS
    )
    factor = np.exp(2 * np.hypot(spread, of_start))
    if not is_told:
        weight = floor.share_at(fit.window[1], curves) / 2
        middle = fit.alpha ** (1 - weight) * above**weight
        is_on_floor = fit.share_of_whole_way > 0 and fit.rate_of_whole_way > (
            fit.rate_in_window
        )
        high = np.inf if is_on_floor else max(high, above * factor)
        return float(middle), (float(min(low, middle)), float(high))
    if floor.n_terms >= _FEWEST_TERMS:
        return above, (float(above / factor), float(above * factor))
    # At least what is left above the floor, within its uncertainty.
    uncertain = max(floor.deviation(floor.levels), 1 / curves.samples.weights.sum())
    n_cells = cells_allowed(curves.grown.n_grown)
    least = max(-np.log(uncertain / (1 - floor.level)) / p / np.log(n_cells), 0.0)
    lowest = float(min(least, above / factor))
    if above > _LARGEST_RATE:
        return np.inf, (lowest, np.inf)
    return above, (lowest, float(above * factor))


def _terms_needed(curves: ErrorCurves, explained: float) -> np.ndarray:
    """What terms of a tree leave of what they can explain, as a falling curve."""
    last = int(terms_allowed(curves.grown.n_grown))
    power = curves.mean_powers[: max(last, 2) + 1]
    fall = power[0] - power.min()
    if fall <= 0 or explained == 0:  # no term is needed for nothing
        return np.zeros(1)
    return np.minimum.accumulate((power - power.min()) / fall)
