"""The best cut of up to sixteen sorted runs at a time, of which most are not scanned.

Nearly all features of a node are worse than the best one, which can be shown without exact
scores. So the gains of sixteen runs are bounded from above at once, by vectors
(:mod:`lanes`) of sums in single precision plus the largest rounding error, in a third of
the time of exact scans. Only runs that might beat the best cut so far are scanned exactly,
so the result is the same, bit for bit.

The gain of a cut with j of n samples of equal weight on the left is, for class counts l of
those and t of all,

    n / (j (n - j)) * sum over classes of (l - t j / n)^2,

the score of :func:`kernels.split_score` less that of the whole node.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._lib.compilation import inner
from .kernels import (
    MISSING_KEY,
    NO_CUT,
    RANK_STEP,
    SAMPLE_MASK,
    scan_run,
    unbeaten_score,
)
from .lanes import LANES, choose, element, gather, load, pick, spread, store

__all__ = [
    "Batch",
    "Best",
    "is_enough",
    "most_at_once",
    "new_batch",
    "new_best",
    "scan_batch",
    "upper_gain",
]

# Exact scans are as fast for fewer runs, or more classes in the node.
_FEWEST_RUNS, _MOST_CLASSES = 8, 24
_ROUNDING = 2.0**-22  # four times that of one number in single precision
_RELATIVE = 1e-5  # more than that of a sum of squares
_ONE, _NOTHING = np.float32(1), np.float32(0)


class Batch(NamedTuple):
    """Runs that are looked at together, and scratch.

    Attributes
    ----------
    starts : ndarray of shape (LANES,), int64
        Where their keys begin.
    upper : ndarray of shape (LANES,), float64
        Bounds of their gains.
    counts : ndarray of shape (LANES * n_classes,), float32
        Scratch.
    reciprocals : ndarray of shape (n_samples + 1,), float32
        ``1 / j``.
    unit : float
        Weight of every sample, 0 if they differ.
    """

    starts: np.ndarray
    upper: np.ndarray
    counts: np.ndarray
    reciprocals: np.ndarray
    unit: float


class Best(NamedTuple):
    """The best cut so far.

    ``score / scale`` is its score, of which a division is saved. ``start`` is where its run
    begins, or ``NO_CUT``, and ``is_new`` says whether it is of the last batch. The search
    ends at a score of ``enough``. ``whole`` is the score of the node without a cut.
    """

    score: float
    scale: float
    start: int
    n_left: int
    missing_left: bool
    is_new: bool
    enough: float
    whole: float


@inner
def new_batch(weights, n_classes):
    """Allocate a batch for runs of some samples."""
    unit = weights[0]
    for w in weights:
        if w != unit:
            unit = 0.0
    reciprocals = np.empty(len(weights) + 1, dtype=np.float32)
    for j in range(1, len(reciprocals)):
        reciprocals[j] = 1 / j
    return Batch(
        np.empty(LANES, dtype=np.int64),
        np.empty(LANES),
        np.empty(LANES * min(n_classes, _MOST_CLASSES), dtype=np.float32),
        reciprocals,
        unit,
    )


@inner
def new_best(n, values, sums):
    """Begin the search of a node of ``n`` samples."""
    squares = 0.0
    for each in sums.total:
        squares += each * each
    enough = unbeaten_score(n, values, sums.total)
    return Best(-1.0, 1.0, NO_CUT, 0, False, False, enough, squares / sums.weight)


@inner
def is_enough(best, n_tried, max_features):
    """Return whether no better cut exists or needs to be searched for."""
    is_unbeaten = best.score >= best.enough * best.scale
    return best.start != NO_CUT and (is_unbeaten or n_tried >= max_features)


@inner
def most_at_once(n, n_tried, max_features):
    """Return how many runs of ``n`` samples the next batch may have."""
    if n == 2:  # the first one will do
        return 1
    return min(LANES, max(1, max_features - n_tried))


@inner
def scan_batch(batch, n_runs, keys, n, samples, sums, best, n_tried, max_features):
    """Find the best cut of some runs, the first of several equal ones.

    Parameters
    ----------
    batch : Batch, with the starts of runs of ``n`` keys
    n_runs : how many runs there are
    samples, sums : as for ``find_cut``
    best : Best, of the batches before
    n_tried, max_features : number of runs that were tried, and that are to be tried

    Returns
    -------
    best, n_tried : after this batch
    """
    labels, values, weights = samples.labels, samples.values, samples.weights
    total, left, weight = sums.total, sums.left, sums.weight
    if values.shape[1] == 0:
        labels = sums.labels
    starts, upper = batch.starts, batch.upper
    _bound_gains(batch, n_runs, keys, n, values, sums)
    score, scale, enough, whole = best.score, best.scale, best.enough, best.whole
    best = Best(
        score, scale, best.start, best.n_left, best.missing_left, False, enough, whole
    )
    for k in range(n_runs):
        n_tried += 1
        if upper[k] + whole >= score / scale:
            score, scale, cut, with_missing = scan_run(
                keys, starts[k], n, labels, values, weights, total, left, weight, score,
                scale,
            )  # fmt: skip
            if cut != NO_CUT:
                best = Best(score, scale, starts[k], cut, with_missing, True, enough, whole)
        if is_enough(best, n_tried, max_features):
            break
    return best, n_tried


@inner
def upper_gain(gain, largest):
    """Bound a gain, given what sums in single precision say of it.

    Its root is the length of a vector of differences, which are between numbers up to
    ``largest`` (a length as well), so that it is wrong by no more than their rounding.
    """
    root = np.sqrt(np.float64(gain)) * (1 + _RELATIVE) + largest * _ROUNDING
    return root * root


@inner
def _bound_gains(batch, n_runs, keys, n, values, sums):
    """Write bounds of the gains of the runs; infinite where none is known."""
    starts, upper, unit = batch.starts, batch.upper, batch.unit
    n_outputs, n_sums = values.shape[1], len(sums.total)
    if n_runs < _FEWEST_RUNS or n_sums > _MOST_CLASSES or n_outputs > 1 or unit == 0:
        for k in range(n_runs):
            upper[k] = np.inf
        return
    for k in range(n_runs, LANES):
        starts[k] = starts[0]
    if n_outputs == 0:
        _gains_of_classes(batch, keys, n, sums.firsts, sums.total, 1 / sums.weight)
        factor, largest = unit, n * np.sqrt(n_sums)
    else:
        _gains_of_output(batch, keys, n, values, sums.total[0] / n)
        factor, largest = 1 / unit, abs(sums.total[0])
    for k in range(n_runs):
        has_missing = keys[starts[k] + n - 1] >= MISSING_KEY
        upper[k] = np.inf if has_missing else factor * upper_gain(upper[k], largest)


@inner
def _gains_of_classes(batch, keys, n, firsts, total, scale):
    """Write gains, given where the samples of every class begin, and scaled weights."""
    counts, reciprocals, starts = batch.counts, batch.reciprocals, batch.starts
    n_classes = len(total)
    best, one = spread(_NOTHING), spread(_ONE)
    for c in range(1, n_classes):
        store(counts, c * LANES, spread(_NOTHING))
    following = pick(keys, starts, 0)
    for j in range(1, n):
        key, following = following, pick(keys, starts, j)
        sample, n_left = key & spread(SAMPLE_MASK), spread(np.float32(j))
        squares = spread(_NOTHING)
        # Samples are numbered class by class: those of a class are those from its first
        # one on, less those from the first one of the next class on.
        from_here = n_left
        for c in range(1, n_classes):
            count = load(counts, c * LANES)
            count = choose(sample >= spread(firsts[c]), count + one, count)
            store(counts, c * LANES, count)
            apart = from_here - count - spread(np.float32(total[c - 1] * scale)) * n_left
            squares = squares + apart * apart
            from_here = count
        apart = from_here - spread(np.float32(total[n_classes - 1] * scale)) * n_left
        squares = squares + apart * apart
        gains = squares * spread(reciprocals[j] + reciprocals[n - j])
        is_cut = (key ^ following) >= spread(RANK_STEP)
        best = choose(is_cut & (gains > best), gains, best)
    for k in range(LANES):
        batch.upper[k] = element(best, k)


@inner
def _gains_of_output(batch, keys, n, values, mean):
    """Write gains, given the mean of the values."""
    starts, reciprocals, column = batch.starts, batch.reciprocals, values[:, 0]
    best, left = spread(0.0), spread(0.0)
    following = pick(keys, starts, 0)
    for j in range(1, n):
        key, following = following, pick(keys, starts, j)
        left = left + gather(column, key & spread(SAMPLE_MASK))
        apart = left - spread(mean * j)
        gains = apart * apart * spread(np.float64(reciprocals[j] + reciprocals[n - j]))
        is_cut = (key ^ following) >= spread(RANK_STEP)
        best = choose(is_cut & (gains > best), gains, best)
    for k in range(LANES):
        batch.upper[k] = element(best, k)
