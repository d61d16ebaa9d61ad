"""Shared parts of the searches for splits: keys, scores, and scans of a sorted run.

Sorted features are runs of 32-bit keys, with the rank of a sample's value in the upper half
and the number of the sample in the lower one, so that one array is sorted, scanned and
partitioned, and not two. Sums are of whole numbers, hence exact and independent of the
order of the samples (:mod:`exact_sums`).

Functions that are called once a node take NamedTuples; those that are called for every run
of a node take the arrays in them one by one. To fetch an array from a NamedTuple, or to
slice it, counts references, which is atomic and takes as long as to read ten keys: whole
fits took a fifth longer. Loops over entries call nothing that takes arrays, since numba
does not inline that. Places in arrays that are not loop counters are unsigned: numba tests
signed ones for those that count from the end, which halves the speed of a partition.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled, inner

__all__ = [
    "MISSING_CODE",
    "MISSING_KEY",
    "MOST_BINS",
    "MOST_SAMPLES",
    "NO_CUT",
    "RANK_STEP",
    "SAMPLE_MASK",
    "Cut",
    "NodeSums",
    "OpenNode",
    "drawn",
    "largest_class_score",
    "mixed",
    "scan_run",
    "scan_sorted",
    "split_score",
    "unbeaten_score",
]

MOST_BINS = 255  # of a feature
MISSING_CODE = 255  # of samples without a value
MOST_SAMPLES = (1 << 16) - 1  # that the lower half of a key can number
SAMPLE_MASK = np.uint32(0xFFFF)
RANK_STEP = np.uint32(0x10000)
MISSING_KEY = np.uint32(0xFFFF0000)  # rank of samples without a value: above all others
NO_CUT = -1
_MOST_CLASSES = 5  # of which all ways to be on one side are tried


class OpenNode(NamedTuple):
    """A node that is to be split.

    ``samples[start:stop]`` are its samples. ``n_runs`` and ``base`` are what ``hand_down``
    of its parent returned: the number of its runs and where they lie.
    """

    number: int
    start: int
    stop: int
    depth: int
    n_runs: int
    base: int
    seed: np.uint64


class NodeSums(NamedTuple):
    """Sums over the samples of a node, which numbers the classes that are in it itself.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int32
        Of the samples of the node: place of their class among those of the node.
    firsts : ndarray of shape (n_present,), uint32
        First sample of every class of the node; empty for regression.
    total : ndarray of shape (n_present,) or (n_outputs,), float64
        Weight of every class, or sums of the values.
    left : ndarray
        Scratch like ``total``.
    weight : float
        Weight of all samples.
    """

    labels: np.ndarray
    firsts: np.ndarray
    total: np.ndarray
    left: np.ndarray
    weight: float


class Cut(NamedTuple):
    """The best cut of a node: of a sorted run of its samples, after so many of them.

    ``feature`` is ``NO_CUT`` if there is none.
    """

    feature: int
    run: np.ndarray
    n_left: int
    missing_left: bool


# ------------------------------------------------------------ the best cut of a sorted run


@partial(compiled, inline="always")
def scan_run(keys, start, n, labels, values, weights, total, left, weight, best, scale):
    """Find the best cut of a run, if its score is above ``best / scale``.

    Parameters
    ----------
    keys, start, n : the run is ``keys[start : start + n]``
    labels, values, weights : as in ``GrowthSamples``
    total, left, weight : as in ``NodeSums``
    best, scale : numerator and denominator of the best score so far; scores are compared
        as fractions, since a division takes longer than all the rest

    Returns
    -------
    best, scale : of the best score so far
    cut : how many keys are left of the cut, ``NO_CUT`` if none is better
    missing_left : whether the samples without a value are, too
    """
    best_cut, missing_left, n_missing = NO_CUT, False, 0
    while keys[start + n - 1 - n_missing] >= MISSING_KEY:
        n_missing += 1
    for with_missing in range(1 + (n_missing > 0)):
        # Missing values are right of all cuts, then left of all of them.
        n_added = n_missing if with_missing else 0
        best, scale, cut = _scan(
            keys, start, n - n_added, n_added, labels, values, weights, total, left, weight,
            best, scale,
        )  # fmt: skip
        if cut != NO_CUT:
            best_cut, missing_left = cut, with_missing == 1
    return best, scale, best_cut, missing_left


@inner
def _scan(
    keys, start, n, n_added, labels, values, weights, total, left, weight, best, scale
):
    """Find the best cut of a run; ``n_added`` samples behind it are left of all cuts."""
    left_weight = 0.0
    for k in range(len(left)):
        left[k] = 0.0
    for j in range(start + n, start + n + n_added):
        i = keys[j] & SAMPLE_MASK
        left_weight += weights[i]
        if values.shape[1] == 0:
            left[labels[i]] += weights[i]
        for k in range(values.shape[1]):
            left[k] += values[i, k]
    return scan_sorted(
        keys, start, n, labels, values, weights, total, left, left_weight, weight, best,
        scale,
    )  # fmt: skip


@partial(compiled, inline="always")
def scan_sorted(
    keys, start, n, labels, values, weights, total, left, left_weight, weight, best, scale
):
    """Find the best cut of a run, as :func:`scan_run`, in which no value is missing.

    ``left`` and ``left_weight`` are of samples that are left of all cuts; the former is
    overwritten.
    """
    if values.shape[1] == 0:
        return _scan_classes(
            keys, start, n, labels, weights, total, left, left_weight, weight, best, scale
        )
    if values.shape[1] == 1:
        return _scan_one_output(
            keys, start, n, values, weights, total[0], left[0], left_weight, weight, best,
            scale,
        )  # fmt: skip
    return _scan_outputs(
        keys, start, n, values, weights, total, left, left_weight, weight, best, scale
    )


@inner
def _scan_classes(
    keys, start, n, labels, weights, total, left, left_weight, weight, best, scale
):
    """Scan with class counts, whose squares change by ``(l + w)^2 - l^2`` a sample."""
    cut = NO_CUT
    left_square, right_square = 0.0, 0.0
    for c in range(len(total)):
        left_square += left[c] * left[c]
        right_square += (total[c] - left[c]) ** 2
    place = np.uint64(start)
    following = keys[place]
    for j in range(1, n):
        place += np.uint64(1)
        key, following = following, keys[place]
        i = key & SAMPLE_MASK
        c, w = np.uint32(labels[i]), weights[i]
        before = left[c]
        beyond = before - total[c]
        left_square += w * (before + before + w)
        right_square += w * (beyond + beyond + w)
        left[c] = before + w
        left_weight += w
        right_weight = weight - left_weight
        score = left_square * right_weight + right_square * left_weight
        product = left_weight * right_weight
        # Few scores are above the best one, so that branches are cheap if that is tested
        # first. The last test always holds: without it LLVM replaces the branches by
        # conditional moves, so that every score waits for the one before (twice as slow).
        if (
            score * scale > best * product
            and (key ^ following) >= RANK_STEP
            and min(left_weight, right_weight) > 0
        ):
            best, scale, cut = score, product, j
    return best, scale, cut


@inner
def _scan_outputs(
    keys, start, n, values, weights, total, left, left_weight, weight, best, scale
):
    """Scan with sums of values of several outputs."""
    cut = NO_CUT
    place = np.uint64(start)
    following = keys[place]
    for j in range(1, n):
        place += np.uint64(1)
        key, following = following, keys[place]
        i = key & SAMPLE_MASK
        left_weight += weights[i]
        for k in range(len(left)):
            left[k] += values[i, k]
        right_weight = weight - left_weight
        if (key ^ following) < RANK_STEP or min(left_weight, right_weight) < 0:
            continue
        left_square, right_square = 0.0, 0.0
        for k in range(len(left)):
            left_square += left[k] * left[k]
            right_square += (total[k] - left[k]) ** 2
        score = left_square * right_weight + right_square * left_weight
        product = left_weight * right_weight
        if score * scale > best * product:
            best, scale, cut = score, product, j
    return best, scale, cut


@inner
def _scan_one_output(
    keys, start, n, values, weights, total, left, left_weight, weight, best, scale
):
    """Scan with a sum that is a number: twice as fast as :func:`_scan_outputs`."""
    cut = NO_CUT
    place = np.uint64(start)
    following = keys[place]
    for j in range(1, n):
        place += np.uint64(1)
        key, following = following, keys[place]
        i = key & SAMPLE_MASK
        left_weight += weights[i]
        left += values[i, 0]
        right_weight = weight - left_weight
        score = left * left * right_weight + (total - left) ** 2 * left_weight
        product = left_weight * right_weight
        if (  # in this order, as in _scan_classes
            score * scale > best * product
            and (key ^ following) >= RANK_STEP
            and min(left_weight, right_weight) > 0
        ):
            best, scale, cut = score, product, j
    return best, scale, cut


# --------------------------------------------------------------------------------- scores


@compiled
def split_score(left_square, left_weight, right_square, right_weight):
    """``|S_left|^2 / W_left + |S_right|^2 / W_right``, with sums S and weights W.

    The larger it is, the smaller is the squared error (or the Gini impurity) that a split
    leaves. It does not depend on which side is called left, not even by rounding.
    """
    return (left_square * right_weight + right_square * left_weight) / (
        left_weight * right_weight
    )


@inner
def unbeaten_score(n, values, total):
    """Score of a node of ``n`` samples that ends the search, since no other is larger.

    Two samples have one split, so that any feature that varies will do. Small nodes of few
    classes are often separated by one of the first features, and most nodes are small.
    """
    if n == 2:
        return -1.0
    return np.inf if values.shape[1] > 0 else largest_class_score(total)


@compiled
def largest_class_score(total):
    """Score that no split of some samples exceeds, given their weights by class.

    The score is convex in the class weights on the left, so it is largest where every
    class is on one side. Infinite (no bound) where there are too many ways to do that.
    """
    present = np.empty(len(total), dtype=np.int64)
    n_present = 0
    weight = 0.0
    for c in range(len(total)):
        if total[c] > 0:
            present[n_present] = c
            n_present += 1
            weight += total[c]
    if n_present < 2 or n_present > _MOST_CLASSES:
        return np.inf
    largest = 0.0
    for subset in range(1, 1 << (n_present - 1)):
        left_square, right_square, left_weight = 0.0, 0.0, 0.0
        for bit in range(n_present):
            part = total[present[bit]]
            if subset >> bit & 1:
                left_square += part * part
                left_weight += part
            else:
                right_square += part * part
        score = split_score(left_square, left_weight, right_square, weight - left_weight)
        largest = max(largest, score)
    return largest


# ------------------------------------------------------------------------- random numbers


@compiled
def mixed(seed, number):
    """Draw the ``number``-th of a stream of random 64-bit integers (SplitMix64).

    Every node has a stream of its own, so that what it draws depends on its path from the
    root alone, and not on which nodes were split before it, or by which thread. Its first
    numbers are: 0, the feature that is tried first; 1 and 2, the seeds of the children;
    from 3 on, the features that are drawn.
    """
    state = np.uint64(seed) + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@inner
def drawn(order, visit, n_visits, seed):
    """Draw one of ``order[visit:n_visits]``, and exchange it with ``order[visit]``."""
    other = visit + np.int64(mixed(seed, 3 + visit) % np.uint64(n_visits - visit))
    order[visit], order[other] = order[other], order[visit]
    return np.int64(order[visit])
