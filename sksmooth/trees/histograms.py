"""Search of nodes of many samples: between bins, by a histogram of every feature.

The histogram of one feature fits into the first cache, so that it is filled, read and
forgotten feature by feature. (Keeping those of a parent, to get a child's by subtraction,
would need memory for all features at once, and saves nothing where a few are tried.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from .._lib.compilation import compiled, inner
from .batches import upper_gain
from .bins import MISSING_CODE, MOST_BINS, NodeCodes
from .exact_sums import GrowthSamples
from .kernels import (
    MOST_SAMPLES,
    NO_CUT,
    SAMPLE_MASK,
    mixed,
    scan_sorted,
    split_score,
)
from .keys import keys_of_values
from .lanes import (
    LANES,
    as_floats,
    choose,
    element,
    load,
    running_total,
    spread,
    store,
)
from .problem import GrowthProblem, TopNode
from .thresholds import halfway

__all__ = ["PlacedCut", "find_binned_cut"]


_ONE, _NOTHING = np.float32(1), np.float32(0)


class PlacedCut(NamedTuple):
    """A cut by a threshold, and which samples of the node go left."""

    feature: int
    threshold: Any
    missing_left: bool
    goes_left: np.ndarray


class _BinnedCut(NamedTuple):
    """A cut between two bins.

    ``position`` is that of the feature among those that were searched, ``NO_CUT`` if there
    is none; ``code`` is the last bin on the left.
    """

    score: float
    position: int
    code: int
    missing_left: bool


def find_binned_cut(
    problem: GrowthProblem,
    node: TopNode,
    own: GrowthSamples,
    n_threads: int,
    run: Callable[[Callable[..., Any], list[tuple]], list[Any]],
) -> PlacedCut | None:
    """Find the best cut between bins, placed exactly within the two bins beside it.

    Parameters
    ----------
    problem, node : GrowthProblem, TopNode
        What is grown, and the node.
    own : GrowthSamples
        The samples of the node.
    n_threads : int
        Number of parts in which all features are searched at a time.
    run : callable
        Calls a function with several tuples of arguments, possibly in threads.

    Returns
    -------
    cut : PlacedCut or None
        None if all features vary within bins only.
    """
    n_features = problem.n_features
    if problem.max_features < n_features:
        # One part, since how many of them are tried depends on how many vary.
        seed = int(node.seed & np.uint64(0xFFFFFFFF))
        parts = [np.random.RandomState(seed).permutation(n_features)]
    else:
        first = int(np.uint64(mixed(node.seed, 0)) % np.uint64(n_features))
        features = np.roll(np.arange(n_features), -first)
        parts = np.array_split(features, min(n_threads, n_features))
    codes, counted = problem.binned.of_node(node.rows), _counted(own)
    max_tried = problem.max_features
    found = run(_search, [(codes, part, counted, own.total, max_tried) for part in parts])
    best = int(np.argmax([cut.score for cut in found]))  # the first of equal ones
    cut = found[best]
    if cut.position == NO_CUT:
        return None
    return _placed(problem, node, own, parts[best][cut.position], codes, cut)


def _counted(own: GrowthSamples) -> GrowthSamples:
    """Return samples with class weights as integers, if possible: these add up faster."""
    weights = own.weights
    is_whole = own.n_classes > 0 and (weights == np.rint(weights)).all()
    if not is_whole or weights.sum() >= np.iinfo(np.int32).max:
        return own
    return own._replace(weights=weights.astype(np.int32))


def _search(codes, features, counted, total, max_tried) -> _BinnedCut:
    n_sums = counted.n_classes or counted.values.shape[1] + 1
    histogram = np.empty((n_sums, MOST_BINS + 1), dtype=counted.weights.dtype)
    return _best_binned_cut(*codes, features, *counted, total, max_tried, histogram)


def _placed(problem, node, own, feature, codes: NodeCodes, cut: _BinnedCut) -> PlacedCut:
    binned, column = problem.binned, codes.column(feature)
    missing = column == MISSING_CODE
    missing_left = cut.missing_left
    goes_left = (column <= cut.code) | (missing & missing_left)
    beyond = column[(column > cut.code) & ~missing]
    if len(beyond) == 0:
        return PlacedCut(feature, np.inf, missing_left, goes_left)
    following = beyond.min()
    near = np.flatnonzero((column == cut.code) | (column == following))
    if problem.is_exact and len(near) <= MOST_SAMPLES:
        values = problem.X[node.rows[near], feature]
        if sparse.issparse(problem.X):
            values = np.asarray(values.todense())
        values = np.asarray(values).ravel()
        before = own.take(np.flatnonzero(goes_left & (column != cut.code)))
        below, above = _exact_ends(values, before, own.take(near), own)
        goes_left[near] = values <= below
    else:
        below = binned.highest[feature, cut.code]
        above = binned.lowest[feature, following]
    if not missing.any():  # if some come later, they go with most of the samples
        missing_left = bool(2 * own.weights[goes_left].sum() > own.weights.sum())
    return PlacedCut(feature, halfway(below, above), missing_left, goes_left)


def _exact_ends(values, before, near, own):
    """Values beside the best cut among some samples, others being left of all of them."""
    keys = np.empty(len(values), dtype=np.uint32)
    keys_of_values(values[:, None], np.arange(len(values)), keys[None])
    _, _, cut = scan_sorted(
        keys,
        0,
        len(keys),
        near.labels,
        near.values,
        near.weights,
        own.total,
        before.total,
        before.weights.sum(),
        own.weights.sum(),
        -1.0,
        1.0,
    )
    below, above = keys[cut - 1] & SAMPLE_MASK, keys[cut] & SAMPLE_MASK
    return values[below], values[above]


# -------------------------------------------------------------------------------- kernels


@compiled
def _best_binned_cut(
    dense, rows, data, indices, indptr, zero_codes, n_bins, features, labels, values,
    weights, n_classes, total, max_tried, hist
):  # fmt: skip
    """Find the best cut of some samples between two bins of a feature.

    Parameters
    ----------
    dense, rows, data, indices, indptr, zero_codes, n_bins : as in ``NodeCodes``, one by
        one: numba 0.60 keeps something of every tuple that a kernel is called with
    features : in the order in which they are tried; the first of equal cuts is taken
    labels, values, weights, n_classes : as in ``GrowthSamples``, with weights that are
        integers if they can be summed as such
    total : their sums, as ``GrowthSamples.total``
    max_tried : number of features that vary which are tried
    hist : (n_sums, MOST_BINS + 1) scratch in the dtype of the weights

    Returns
    -------
    _BinnedCut
    """
    n_outputs = values.shape[1]
    left = np.zeros(len(total))
    weight = np.float64(weights.sum())
    whole = (total * total).sum() / weight
    shares = (total / weight).astype(np.float32)
    sums_left = np.empty(hist.size, dtype=np.float32)
    flat = hist.ravel()
    best, position, best_code, missing_left = -1.0, NO_CUT, -1, False
    n_tried = 0
    everyone = np.arange(len(labels))
    for place in range(len(features)):
        feature = features[place]
        n_used = n_bins[feature]
        flat[:] = 0
        if dense.size > 0:
            _count(hist, flat, dense[feature], rows, labels, values, weights)
        else:
            start, stop = indptr[feature], indptr[feature + 1]
            if start == stop:
                continue
            these, places = indices[start:stop], everyone[: stop - start]
            own = labels[these], values[these], weights[these]
            _count(hist, flat, data[start:stop], places, *own)
            if stop - start < len(labels):
                _count_others(hist, zero_codes[feature], *own, total, weight)
        upper, varies = _bound_gain(
            hist, flat, n_used, n_outputs, sums_left, shares, weight
        )
        if upper + whole >= best:
            score, code, with_missing, varies = _scan_bins(
                hist, n_used, n_outputs, total, left, weight, best
            )
            if code >= 0:
                best, position, best_code = score, place, code
                missing_left = with_missing
        n_tried += varies
        if n_tried >= max_tried and position != NO_CUT:
            break
    return _BinnedCut(best, position, best_code, missing_left)


@inner
def _count(hist, flat, codes, places, labels, values, weights):
    """Add samples to their bins: by class, or their values and then their weights.

    Classes are counted in the one-dimensional view of the histogram: one product less.
    """
    n_outputs = values.shape[1]
    if n_outputs == 0:
        for j in range(len(places)):
            code = np.uint32(codes[np.uint64(places[j])])
            flat[np.uint32(labels[j]) * np.uint32(MOST_BINS + 1) + code] += weights[j]
    else:
        for j in range(len(places)):
            code = np.uint32(codes[np.uint64(places[j])])
            hist[n_outputs, code] += weights[j]
            for k in range(n_outputs):
                hist[k, code] += values[j, k]


@inner
def _bound_gain(hist, flat, n_bins, n_outputs, left, shares, weight):
    """Bound what the best cut of a histogram gains, as :mod:`batches` does for runs.

    Parameters
    ----------
    hist, flat, n_bins : bins, the same in one dimension, and how many are used
    n_outputs : 0 for classes
    left : float32 scratch of the size of ``flat``
    shares : float32, of every class in the weight
    weight : of all samples

    Returns
    -------
    upper : infinite where no bound is known
    varies : as in ``_scan_bins``, and only known where there is a bound
    """
    if n_outputs > 0 or hist.itemsize > 4 or _bin_weight(hist, MISSING_CODE, 0) > 0:
        return np.inf, True  # of weights that are no integers, squares might vanish
    nothing, one, all_weight = spread(_NOTHING), spread(_ONE), spread(np.float32(weight))
    row = MOST_BINS + 1
    for c in range(len(shares)):
        before = nothing
        for start in range(c * row, c * row + n_bins, LANES):
            below = running_total(as_floats(load(flat, start))) + before
            store(left, start, below)
            before = spread(element(below, LANES - 1))
    best = spread(-_ONE)
    for start in range(0, n_bins, LANES):
        left_weight, squares = nothing, nothing
        for c in range(len(shares)):
            left_weight = left_weight + load(left, c * row + start)
        for c in range(len(shares)):
            apart = load(left, c * row + start) - spread(shares[c]) * left_weight
            squares = squares + apart * apart
        right_weight = all_weight - left_weight
        gains = squares * (one / left_weight + one / right_weight)
        is_cut = (left_weight > nothing) & (right_weight > nothing)
        best = choose(is_cut & (gains > best), gains, best)
    gain = -_ONE
    for k in range(LANES):
        gain = max(gain, element(best, k))
    if gain < 0:
        return -np.inf, False
    # Large sums of counts are rounded at every bin.
    largest = weight * np.sqrt(len(shares)) * (1 if weight < 2**24 else n_bins)
    return upper_gain(gain, largest), True


@inner
def _count_others(hist, code, labels, values, weights, total, weight):
    """Add all samples but these to one bin; the sums are exact, so nothing is lost."""
    n_outputs = values.shape[1]
    for k in range(len(total)):
        hist[k, code] += total[k]
    if n_outputs > 0:
        hist[n_outputs, code] += weight
    for j in range(len(weights)):
        if n_outputs == 0:
            hist[labels[j], code] -= weights[j]
        else:
            hist[n_outputs, code] -= weights[j]
            for k in range(n_outputs):
                hist[k, code] -= values[j, k]


@inner
def _scan_bins(hist, n_bins, n_outputs, total, left, weight, floor):
    """Find the best cut of the first bins of a histogram above ``floor``.

    Returns
    -------
    best, code, missing_left : as in ``_BinnedCut``; the code is -1 if there is none
    varies : whether there are two bins with samples, or one and samples without a value
    """
    best, best_code, missing_left, varies = floor, -1, False, False
    missing_weight = _bin_weight(hist, MISSING_CODE, n_outputs)
    for with_missing in range(1 + (missing_weight > 0)):
        # Samples without a value are right of all cuts, then left of all of them.
        left_weight = missing_weight if with_missing else 0.0
        left_square, right_square = 0.0, 0.0
        for c in range(len(total)):
            left[c] = hist[c, MISSING_CODE] if with_missing else 0.0
            left_square += left[c] ** 2
            right_square += (total[c] - left[c]) ** 2
        for code in range(n_bins):
            bin_weight = _bin_weight(hist, code, n_outputs)
            if bin_weight == 0:
                continue
            if n_outputs == 0:
                # Squares change by (l + w)^2 - l^2, as where samples are scanned.
                for c in range(len(total)):
                    w = np.float64(hist[c, code])
                    before = left[c]
                    beyond = before - total[c]
                    left_square += w * (before + before + w)
                    right_square += w * (beyond + beyond + w)
                    left[c] = before + w
            else:
                left_square, right_square = 0.0, 0.0
                for c in range(len(total)):
                    left[c] += hist[c, code]
                    left_square += left[c] ** 2
                    right_square += (total[c] - left[c]) ** 2
            left_weight += bin_weight
            right_weight = weight - left_weight
            if right_weight <= 0:
                break
            varies = True
            score = split_score(left_square, left_weight, right_square, right_weight)
            if score > best:
                best, best_code, missing_left = score, code, with_missing == 1
    return best, best_code, missing_left, varies


@inner
def _bin_weight(hist, code, n_outputs):
    if n_outputs > 0:
        return np.float64(hist[n_outputs, code])
    weight = np.float64(0)
    for c in range(hist.shape[0]):
        weight += hist[c, code]
    return weight
