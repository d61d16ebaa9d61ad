"""From the rate in the fit window to the index: where the window tells nothing.

The curve of error against terms is read in three ways. The *rate in the window* is the
theory's index. The *rate of the whole way* says how far the error falls at all. The *index*
is the first, and changes into the second where the window shows no rate:

- on the noise floor, where more terms do not reduce the error and the slope is zero for any
  function;
- within the coarse shape, where there are not enough terms for a rate;
- where no error is left, or it falls faster than that of any function but finitely many
  boxes, whose index is infinite.

The weights are continuous functions of the curve, so the index does not jump from a clean
data set to one with a few wrong labels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..trees import Growth
from ..wavelets import ErrorCurves
from .fit import IndexFit
from .pairs import pairs_rate
from .variance import BeyondReplicates, Replicates
from .whole_way import whole_way_rate
from .window import terms_allowed

__all__ = ["with_pairs", "with_whole_way"]

# Shares of the error at the window's end that are noise floor: below the first the window
# tells the rate, above the second it tells none. Clean functions have up to 0.5, since a
# power law that bends is mistaken for one over a floor.
_SOME_FLOOR, _ALL_FLOOR = 0.5, 0.9
# Rate of the whole way over that in the window. Clean functions have up to 1.3: a path of
# fractional Brownian motion with a trend.
_TOO_LOW, _FAR_TOO_LOW, _SURELY_TOO_LOW = 1.25, 1.4, 2.0
_TOO_FEW_TERMS, _ENOUGH_TERMS = 14, 40  # at the window's end
# A smooth function of one variable has the rate 1, and none but boxes have a larger one.
_LARGEST_RATE, _SURELY_BOXES = 1.0, 1.25
_LEAST_LOG_SPAN = 0.4  # of a window, for its variance
# Relevant features over the number of times that cells are halved: each feature is cut once
# or twice, and the rate is that of few features.
_CROWDED = 0.32


def with_whole_way(fit: IndexFit, curves: ErrorCurves, *, is_boxes: bool) -> IndexFit:
    """Mix the rate in the window with that of the whole way.

    Parameters
    ----------
    fit : IndexFit
        The rate in the window, with the noise floor of the averaged curve.
    curves : ErrorCurves
        The curves that it was read from.
    is_boxes : bool
        Whether the trees see finitely many boxes, so that no error is left.

    Returns
    -------
    fit : IndexFit
        The index, never negative, with its replicates.
    """
    rate, p = fit.alpha, curves.p
    n_grown, n_samples = curves.grown.n_grown, curves.samples.weights.sum()
    last = int(min(terms_allowed(n_grown), curves.by_tree.shape[1] - 1))

    def whole_way(powers: np.ndarray) -> float:
        lowest = powers.min() / powers[0] if powers[0] > 0 else 1.0
        return whole_way_rate(lowest, n_grown, n_samples, p)

    averages = curves.averages[:, : last + 1]
    whole = whole_way(curves.mean_powers[: last + 1])
    on_floor = _share_on_floor(fit, curves, whole)
    too_short = _share_of_short_window(fit.window[1], rate)
    share = 1 - (1 - on_floor) * (1 - too_short)
    if is_boxes and whole > rate:  # both are lower bounds
        share, too_short = 1.0, 0.0

    inside = curves.groups.n_terms <= last
    groups = np.array([whole_way(row[inside]) for row in curves.powers_without_a_group])
    total, n_trees = averages.sum(axis=0), len(averages)
    trees = np.array(
        [whole_way((total - own) / (n_trees - 1)) for own in averages if n_trees > 1]
    )
    return replace(
        fit,
        alpha=float(max((1 - share) * rate + share * whole, 0.0)),
        rate_in_window=rate,
        rate_of_whole_way=whole,
        share_of_whole_way=share,
        replicates=_mixed(fit.replicates, groups, trees, share),
        beyond_replicates=_beyond_replicates(fit, curves, on_floor, too_short, whole),
    )


def with_pairs(fit: IndexFit, curves: ErrorCurves, growth: Growth) -> IndexFit:
    """Mix the rate in the window with that of pairs of classes, on the logarithmic scale.

    It has no weight where the window lies on the noise floor: there all classes meet, and
    pairs are on the floor themselves.

    Parameters
    ----------
    fit : IndexFit
        The rate in the window, with the noise floor of the averaged curve.
    curves : ErrorCurves
        The curves that it was read from.
    growth : Growth
        How their forest was grown.

    Returns
    -------
    fit : IndexFit
        The mixed rate, with its replicates; as it was for fewer than five classes.
    """
    clear = 1.0
    if fit.floor is not None:
        # The fit that starts early is the steadier one where classes are many.
        at_end = fit.floor.early_share_at(fit.window[1], curves)
        clear = 1 - _ramp(at_end, _SOME_FLOOR, _ALL_FLOOR)
    if not fit.alpha > 0 or clear == 0:
        return fit
    pairs = pairs_rate(curves, growth, growth.n_jobs)
    if pairs is None:
        return fit
    pairs = replace(pairs, weight=clear * pairs.weight)
    own = 1 - pairs.weight
    rate = fit.alpha**own * pairs.rate**pairs.weight

    def mixed(replicates: np.ndarray) -> np.ndarray:
        return rate + own * rate * (replicates / fit.alpha - 1)

    replicates = replace(
        fit.replicates,
        groups=mixed(fit.replicates.groups),
        trees=mixed(fit.replicates.trees),
        blocks=own * rate / fit.alpha * fit.replicates.blocks,
    )
    return replace(fit, alpha=float(rate), pairs=pairs, replicates=replicates)


def _share_on_floor(fit: IndexFit, curves: ErrorCurves, whole: float) -> float:
    """Judge how far the window lies on the noise floor, which makes its rate too low.

    The fitted floor tells it; where the two rates are far apart, a fit that starts early
    tells it, too.
    """
    floor, last = fit.floor, fit.window[1]
    if floor is None or whole <= fit.alpha:
        return 0.0
    too_low = np.log(whole / fit.alpha) if fit.alpha > 0 else np.inf
    late = _ramp(floor.share_at(last, curves), _SOME_FLOOR, _ALL_FLOOR)
    early = _ramp(floor.early_share_at(last, curves), _SOME_FLOOR, _ALL_FLOOR)
    return max(
        late * _ramp(too_low, 0, np.log(_TOO_LOW)),
        early * _ramp(too_low, np.log(_FAR_TOO_LOW), np.log(_SURELY_TOO_LOW)),
    )


def _share_of_short_window(last: int, rate: float) -> float:
    """Judge how far the window is too short, or the rate too large, for a rate."""
    long = _ramp(np.log(last), np.log(_TOO_FEW_TERMS), np.log(_ENOUGH_TERMS))
    return float(1 - long * (1 - _ramp(rate, _LARGEST_RATE, _SURELY_BOXES)))


def _beyond_replicates(
    fit: IndexFit, curves: ErrorCurves, on_floor: float, too_short: float, whole: float
) -> BeyondReplicates:
    """Collect what the replicates do not show of the variance.

    Where both rates count they may be far apart, and where the window is too short neither
    is that of more samples. On the floor the whole-way rate has no true value but itself.
    """
    first, last = fit.window
    few = (curves.grown.units.n_units / 20_000) ** -0.22
    span = max(np.log(last / first), _LEAST_LOG_SPAN) / 4
    crowded = 0.0
    if curves.samples.classes is None:
        crowded = max(fit.n_relevant / np.log2(1 + last / 2) - _CROWDED, 0.0)
    apart = 1.0
    if fit.alpha > 0 and whole > 0:
        apart = np.clip(np.log(whole / fit.alpha), -1, 1)
    of_pairs = 0.0 if fit.pairs is None else 0.17 * few * fit.pairs.weight
    unclear = on_floor * (1 - on_floor) + (1 - on_floor) * too_short / 4
    return BeyondReplicates(
        of_window=float((1 - on_floor) * 0.050 * few * span**-0.46) ** 2,
        of_model=float((0.8 * crowded / few) ** 2 + of_pairs**2 + unclear * apart**2),
    )


def _ramp(value: float, start: float, end: float) -> float:
    """Rise from 0 at ``start`` to 1 at ``end``."""
    return float(np.clip((value - start) / (end - start), 0.0, 1.0))


def _mixed(
    window: Replicates, groups: np.ndarray, trees: np.ndarray, share: float
) -> Replicates:
    """Mix replicates as the index is mixed."""

    def mixed(own: np.ndarray, whole: np.ndarray) -> np.ndarray:
        if share == 0 or len(own) != len(whole):
            return own
        return whole if share == 1 else (1 - share) * own + share * whole

    blocks = np.zeros_like(window.blocks) if share == 1 else (1 - share) * window.blocks
    return replace(
        window,
        groups=mixed(window.groups, groups),
        trees=mixed(window.trees, trees),
        blocks=blocks,
    )
