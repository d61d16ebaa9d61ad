"""Exact search of nodes of few samples that try a few of many features.

A node sorts the features that it tries, by their ranks, into the same runs of keys that
:mod:`presorted` keeps for all features, and grows the same tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from .._lib.compilation import compiled, inner
from .batches import Batch, is_enough, most_at_once, new_batch, new_best, scan_batch
from .exact_sums import GrowthSamples
from .kernels import NO_CUT, Cut, drawn, find_cut, grow_nodes, hand_down
from .lanes import LANES
from .problem import GrowthProblem, TopNode
from .thresholds import tree_of_nodes
from .tree import Tree

__all__ = ["grow_sampled"]

_SHORT = 40  # run that is sorted by insertion, beyond which by counting bytes


def grow_sampled(problem: GrowthProblem, node: TopNode) -> Tree:
    """Grow the subtree of a node of few samples, given the ranks of all."""
    rows = problem.summed.in_order_of_labels(node.rows)
    nodes = _grow(
        problem.ranks,
        rows,
        *problem.summed.take(rows),
        problem.levels_below(node),
        problem.max_features,
        node.seed,
    )
    return tree_of_nodes(problem, nodes, problem.values_of(rows))


# -------------------------------------------------------------------------------- kernels


class Sampled(NamedTuple):
    """State of the search.

    Attributes
    ----------
    ranks : ndarray of shape (n_all_samples, n_features), uint16
        Ranks of the values of every feature.
    rows : ndarray of shape (n_samples,), intp
        Rows of the samples in ``ranks``.
    max_features : int
        Number of features that vary which are tried at a node.
    own_rows, features, differing, runs, spare : ndarray
        Scratch: rows of the node's samples; features; the bits in which their ranks
        differ; the runs of a batch, and that of the best cut; one more run.
    batch : Batch
        Scratch.
    """

    ranks: np.ndarray
    rows: np.ndarray
    max_features: int
    own_rows: np.ndarray
    features: np.ndarray
    differing: np.ndarray
    runs: np.ndarray
    spare: np.ndarray
    batch: Batch


@compiled
def _grow(ranks, rows, labels, values, weights, n_classes, max_depth, max_features, seed):
    """Grow a tree by least squares until its leaves are pure.

    Parameters
    ----------
    ranks, rows, max_features : as in ``Sampled``
    labels, values, weights, n_classes : as in ``GrowthSamples``, one by one: numba 0.60
        keeps something of every tuple that a kernel is called with
    max_depth, seed : as in ``grow_nodes``

    Returns
    -------
    Nodes
    """
    n_samples, n_features = len(rows), ranks.shape[1]
    search = Sampled(
        ranks,
        rows,
        max_features,
        np.empty(n_samples, dtype=np.int64),
        np.empty(n_features, dtype=np.int32),
        np.empty(n_features, dtype=np.uint16),
        np.empty((LANES + 1) * n_samples, dtype=np.uint32),
        np.empty(n_samples, dtype=np.uint32),
        new_batch(weights, n_classes),
    )
    samples = GrowthSamples(labels, values, weights, n_classes)
    return grow_nodes(search, samples, 0, max_depth, seed)


@overload(find_cut, inline="always")
def _overload_find_cut(search, samples, sums, own, node):
    if isinstance(search, types.NamedTuple) and search.instance_class is Sampled:
        return lambda search, samples, sums, own, node: _find_cut(
            search, samples, sums, own, node
        )
    return None


@overload(hand_down, inline="always")
def _overload_hand_down(search, node, goes_left, n_left, left_grows, right_grows):
    if isinstance(search, types.NamedTuple) and search.instance_class is Sampled:
        # Children find all that they need in the ranks.
        return lambda search, node, goes_left, n_left, left_grows, right_grows: (0, 0, 0)
    return None


@inner
def _find_cut(search, samples, sums, own, node):
    """Find the best cut, the first of several equal ones.

    Features that vary are tried in random order, until there are enough and a cut, or no
    other cut can be better.
    """
    ranks, features, differing = search.ranks, search.features, search.differing
    batch, keys, n = search.batch, search.runs, len(own)
    starts = batch.starts
    rows = search.own_rows[:n]
    for j in range(n):
        rows[j] = search.rows[own[j]]
    best = new_best(n, samples.values, sums)
    best_feature = NO_CUT
    best_run = keys[LANES * n : (LANES + 1) * n]
    n_visits = _find_varying(ranks, rows, differing, features)
    visit, n_tried = 0, 0
    while visit < n_visits and not is_enough(best, n_tried, search.max_features):
        most = min(most_at_once(n, n_tried, search.max_features), n_visits - visit)
        for k in range(most):
            feature = drawn(features, visit + k, n_visits, node.seed)
            starts[k] = k * n
            run = keys[k * n : (k + 1) * n]
            for j in range(n):
                run[j] = np.uint32(ranks[rows[j], feature]) << np.uint32(16) | own[j]
            _sort(run, differing[feature], search.spare[:n])
        best, n_tried = scan_batch(
            batch, most, keys, n, samples, sums, best, n_tried, search.max_features
        )
        if best.is_new:
            best_feature = features[visit + best.start // n]
            best_run[:] = keys[best.start : best.start + n]
        visit += most
    return Cut(best_feature, best_run, best.n_left, best.missing_left)


@inner
def _sort(run, differing, spare):
    """Sort keys, given the bits in which their ranks differ."""
    if len(run) <= _SHORT:
        _sort_by_insertion(run)
        return
    # Of a byte in which all ranks agree, counting would change nothing.
    low, high = differing & 0xFF != 0, differing >> 8 != 0
    if low:
        _sort_by_byte(run, np.uint32(16), spare)
    if low and high:
        _sort_by_byte(spare, np.uint32(24), run)
    elif high:
        _sort_by_byte(run, np.uint32(24), spare)
    if low != high:
        run[:] = spare


@inner
def _find_varying(ranks, rows, differing, features):
    """Write which features vary in some samples, and the bits that differ; how many do."""
    n, n_features = len(rows), ranks.shape[1]
    differing[:] = 0
    first = ranks[rows[0]]
    # Four rows at a time, since memory is the limit; the last one again if there are fewer.
    for j in range(0, n, 4):
        a, b = ranks[rows[j]], ranks[rows[min(j + 1, n - 1)]]
        c, d = ranks[rows[min(j + 2, n - 1)]], ranks[rows[min(j + 3, n - 1)]]
        for k in range(n_features):
            x = first[k]
            differing[k] |= (x ^ a[k]) | (x ^ b[k]) | (x ^ c[k]) | (x ^ d[k])
    n_varying = 0
    for k in range(n_features):
        features[n_varying] = k
        n_varying += differing[k] != 0
    return n_varying


@inner
def _sort_by_insertion(run):
    for j in range(1, len(run)):
        key = run[j]
        place = j
        while place > 0 and run[place - 1] > key:
            run[place] = run[place - 1]
            place -= 1
        run[place] = key


@inner
def _sort_by_byte(run, shift, out):
    """Write a run in the order of one byte, equal ones in the order in which they are."""
    places = np.zeros(257, dtype=np.int64)
    for key in run:
        places[(key >> shift & np.uint32(0xFF)) + 1] += 1
    for byte in range(256):
        places[byte + 1] += places[byte]
    for key in run:
        byte = key >> shift & np.uint32(0xFF)
        out[places[byte]] = key
        places[byte] += 1
