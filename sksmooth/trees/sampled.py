"""Exact growth of a tree on few samples, where nodes try a few of many features.

A node sorts the features that it tries, by their ranks, into the same runs of keys that
:mod:`presorted` keeps for all features, and grows the same tree.
"""

from __future__ import annotations

import numpy as np

from .._lib.compilation import compiled
from .presorted import (
    drawn,
    first_nodes,
    is_pure,
    leaves_only,
    partition,
    scan_run,
    split_node,
    sums_of,
    unbeaten_score,
)
from .splits import mixed

__all__ = ["grow_sampled"]

_SHORT = 40  # run that is sorted by insertion, beyond which by counting bytes


@compiled
def grow_sampled(
    ranks, rows, labels, values, weights, n_classes, max_depth, least, max_features, seed
):
    """Grow a tree by least squares until its leaves are pure.

    Parameters
    ----------
    ranks : (n_all_samples, n_features) uint16, ranks of the values of every feature
    rows : the samples in ``ranks``
    labels, values, weights, n_classes : as in ``GrowthSamples``, of these samples
    max_depth : largest depth, negative for none
    least : smallest weight of a leaf
    max_features : number of features that vary which are tried at a node
    seed : uint64, of the order in which features are tried

    Returns
    -------
    Subtree
    """
    n_samples = len(rows)
    n_sums = values.shape[1] if values.shape[1] > 0 else n_classes
    nodes = leaves_only(2 * n_samples)
    n_nodes = 1
    samples = np.arange(n_samples).astype(np.uint32)
    own_rows = np.empty(n_samples, dtype=np.int64)
    features = np.empty(ranks.shape[1], dtype=np.int32)
    differing = np.empty(ranks.shape[1], dtype=np.uint16)
    runs = np.empty((3, n_samples), dtype=np.uint32)
    goes_left = np.zeros(n_samples, dtype=np.int64)
    total, part = np.zeros(n_sums), np.zeros(n_sums)
    stack = np.empty((n_samples + 1, 4), dtype=np.int64)
    seeds = np.empty(n_samples + 1, dtype=np.uint64)
    stack[0] = (0, 0, n_samples, 0)
    seeds[0] = seed
    n_open = 1
    while n_open > 0:
        n_open -= 1
        node, start, stop, depth = stack[n_open]
        node_seed = seeds[n_open]
        own = samples[start:stop]
        weight = sums_of(own, labels, values, weights, total)
        if depth == max_depth or weight < 2 * least or is_pure(own, labels):
            continue
        for j in range(len(own)):
            own_rows[j] = rows[own[j]]
        run, feature, cut, with_missing = _best_cut(
            ranks, own_rows[: len(own)], own, labels, values, weights, total, part, weight,
            least, max_features, node_seed, features, differing, runs,
        )  # fmt: skip
        if feature < 0:
            continue
        n_left = split_node(
            nodes, node, n_nodes, run, cut, with_missing, weight, weights, goes_left
        )
        nodes.feature[node] = feature
        partition(own, goes_left, runs[0])
        middle = start + n_left
        if not is_pure(samples[middle:stop], labels):
            stack[n_open] = (n_nodes + 1, middle, stop, depth + 1)
            seeds[n_open] = mixed(node_seed, 2)
            n_open += 1
        if not is_pure(samples[start:middle], labels):
            stack[n_open] = (n_nodes, start, middle, depth + 1)
            seeds[n_open] = mixed(node_seed, 1)
            n_open += 1
        n_nodes += 2
    return first_nodes(nodes, n_nodes)


@compiled
def _best_cut(
    ranks, rows, own, labels, values, weights, total, part, weight, least, max_features,
    seed, features, differing, runs,
):  # fmt: skip
    """Sorted run and position of the best cut, its feature, and the side of missing ones.

    Features that vary are tried in random order; the first of several equal cuts is taken.
    The feature is -1 if there is none. Ends when no other cut can be better.
    """
    n = len(own)
    best, scale, best_feature, best_cut, best_with_missing = -1.0, 1.0, -1, -1, False
    enough = unbeaten_score(n, values, total)
    best_run, run, spare = runs[0, :n], runs[1, :n], runs[2, :n]
    n_visits = _find_varying(ranks, rows, differing, features)
    for visit in range(n_visits):
        feature = drawn(features, visit, n_visits, seed)
        for j in range(n):
            run[j] = np.uint32(ranks[rows[j], feature]) << np.uint32(16) | own[j]
        if n <= _SHORT:
            _sort_by_insertion(run)
        else:
            if differing[feature] & 0xFF:
                _sort_by_byte(run, np.uint32(16), spare)
                run, spare = spare, run
            if differing[feature] >> 8:
                _sort_by_byte(run, np.uint32(24), spare)
                run, spare = spare, run
        best, scale, cut, with_missing = scan_run(
            run, 0, n, labels, values, weights, total, part, weight, least, best, scale
        )
        if cut >= 0:
            best_feature, best_cut, best_with_missing = feature, cut, with_missing
            run, best_run = best_run, run
        if best / scale >= enough or (visit + 1 >= max_features and best_feature >= 0):
            break
    return best_run, best_feature, best_cut, best_with_missing


@compiled
def _find_varying(ranks, rows, differing, features):
    """How many features vary in some samples; writes which, and the bits that differ."""
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


@compiled
def _sort_by_insertion(run):
    for j in range(1, len(run)):
        key = run[j]
        place = j
        while place > 0 and run[place - 1] > key:
            run[place] = run[place - 1]
            place -= 1
        run[place] = key


@compiled
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
