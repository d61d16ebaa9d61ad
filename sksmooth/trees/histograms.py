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
from .problem import GrowthProblem, TopNode
from .thresholds import halfway

__all__ = ["PlacedCut", "find_binned_cut"]


_inner = inner


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
    histogram = np.empty((MOST_BINS + 1, n_sums), dtype=counted.weights.dtype)
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
    dense, rows, data, indices, indptr, zero_codes, features, labels, values, weights,
    n_classes, total, max_tried, hist
):  # fmt: skip
    """Find the best cut of some samples between two bins of a feature.

    Parameters
    ----------
    dense, rows, data, indices, indptr, zero_codes : as in ``NodeCodes``, one by one: numba
        0.60 keeps something of every tuple that a kernel is called with
    features : in the order in which they are tried; the first of equal cuts is taken
    labels, values, weights, n_classes : as in ``GrowthSamples``, with weights that are
        integers if they can be summed as such
    total : their sums, as ``GrowthSamples.total``
    max_tried : number of features that vary which are tried
    hist : (MOST_BINS + 1, n_sums) scratch in the dtype of the weights

    Returns
    -------
    _BinnedCut
    """
    n_outputs = values.shape[1]
    left = np.zeros(len(total))
    weight = np.float64(weights.sum())
    best, position, best_code, missing_left = -1.0, NO_CUT, -1, False
    n_tried = 0
    everyone = np.arange(len(labels))
    for place in range(len(features)):
        feature = features[place]
        hist[:] = 0
        if dense.size > 0:
            _count(hist, dense[feature], rows, labels, values, weights)
        else:
            start, stop = indptr[feature], indptr[feature + 1]
            if start == stop:
                continue
            these, places = indices[start:stop], everyone[: stop - start]
            own = labels[these], values[these], weights[these]
            _count(hist, data[start:stop], places, *own)
            if stop - start < len(labels):
                _count_others(hist, zero_codes[feature], *own, total, weight)
        score, code, with_missing, varies = _scan_bins(
            hist, n_outputs, total, left, weight, best
        )
        if code >= 0:
            best, position, best_code, missing_left = score, place, code, with_missing
        n_tried += varies
        if n_tried >= max_tried and position != NO_CUT:
            break
    return _BinnedCut(best, position, best_code, missing_left)


@_inner
def _count(hist, codes, places, labels, values, weights):
    """Add samples to their bins: by class, or their values and then their weights."""
    n_outputs = values.shape[1]
    for j in range(len(places)):
        code = codes[places[j]]
        if n_outputs == 0:
            hist[code, labels[j]] += weights[j]
        else:
            hist[code, n_outputs] += weights[j]
            for k in range(n_outputs):
                hist[code, k] += values[j, k]


@_inner
def _count_others(hist, code, labels, values, weights, total, weight):
    """Add all samples but these to one bin; the sums are exact, so nothing is lost."""
    n_outputs = values.shape[1]
    for k in range(len(total)):
        hist[code, k] += total[k]
    if n_outputs > 0:
        hist[code, n_outputs] += weight
    for j in range(len(weights)):
        if n_outputs == 0:
            hist[code, labels[j]] -= weights[j]
        else:
            hist[code, n_outputs] -= weights[j]
            for k in range(n_outputs):
                hist[code, k] -= values[j, k]


@_inner
def _scan_bins(hist, n_outputs, total, left, weight, floor):
    """Find the best cut of a histogram above ``floor``.

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
            left[c] = hist[MISSING_CODE, c] if with_missing else 0.0
            left_square += left[c] ** 2
            right_square += (total[c] - left[c]) ** 2
        for code in range(MOST_BINS):
            bin_weight = _bin_weight(hist, code, n_outputs)
            if bin_weight == 0:
                continue
            if n_outputs == 0:
                # Squares change by (l + w)^2 - l^2, as where samples are scanned.
                for c in range(len(total)):
                    w = np.float64(hist[code, c])
                    before = left[c]
                    beyond = before - total[c]
                    left_square += w * (before + before + w)
                    right_square += w * (beyond + beyond + w)
                    left[c] = before + w
            else:
                left_square, right_square = 0.0, 0.0
                for c in range(len(total)):
                    left[c] += hist[code, c]
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


@_inner
def _bin_weight(hist, code, n_outputs):
    if n_outputs > 0:
        return np.float64(hist[code, n_outputs])
    weight = 0.0
    for c in range(hist.shape[1]):
        weight += hist[code, c]
    return weight
