"""Exact search of nodes of few samples that try a few of many features.

A node sorts the features that it tries, by their ranks, into the same runs of keys that
:mod:`presorted` keeps for all features, and grows the same tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._lib.compilation import inner
from .batches import Batch, is_enough, most_at_once, new_best, scan_batch
from .kernels import NO_CUT, Cut, drawn
from .lanes import LANES
from .sorting import MOST_ROWS, sort_columns

__all__ = ["Sampled", "find_sampled_cut", "new_sampled"]


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
    own_rows, features, differing, block, runs, spare : ndarray
        Scratch: rows of the node's samples; features; the bits in which their ranks
        differ; keys of a batch, sample by sample; its runs, and that of the best cut; one
        more run.
    batch : Batch
        Scratch.
    """

    ranks: np.ndarray
    rows: np.ndarray
    max_features: int
    own_rows: np.ndarray
    features: np.ndarray
    differing: np.ndarray
    block: np.ndarray
    runs: np.ndarray
    spare: np.ndarray
    batch: Batch


@inner
def new_sampled(ranks, rows, max_features, batch):
    """Begin with the ranks of all samples."""
    n_features = ranks.shape[1]
    n_samples = len(rows) if n_features > 0 else 0
    return Sampled(
        ranks,
        rows,
        max_features,
        np.empty(n_samples, dtype=np.int64),
        np.empty(n_features, dtype=np.int32),
        np.empty(n_features, dtype=np.uint16),
        np.zeros(LANES * min(n_samples, MOST_ROWS), dtype=np.uint32),
        np.empty((LANES + 1) * n_samples, dtype=np.uint32),
        np.empty(n_samples, dtype=np.uint32),
        batch,
    )


@inner
def find_sampled_cut(search, samples, sums, own, node):
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
    visit, n_tried = np.int64(0), np.int64(0)
    while visit < n_visits and not is_enough(best, n_tried, search.max_features):
        most = min(most_at_once(n, n_tried, search.max_features), n_visits - visit)
        for k in range(most):
            drawn(features, visit + k, n_visits, node.seed)
            starts[k] = k * n
        tried = features[visit : visit + most]
        if n <= MOST_ROWS:
            _sort_together(ranks, rows, own, tried, search.block, keys)
        else:
            _sort_apart(ranks, rows, own, tried, differing, search.spare[:n], keys)
        best, n_tried = scan_batch(
            batch, most, keys, n, samples, sums, best, n_tried, search.max_features
        )
        if best.is_new:
            best_feature = features[visit + best.start // n]
            for j in range(n):
                best_run[j] = keys[best.start + j]
        visit += most
    return Cut(best_feature, best_run, best.n_left, best.missing_left)


@inner
def _sort_together(ranks, rows, own, features, block, keys):
    """Write the sorted keys of some features, a run a feature; few samples."""
    n = len(rows)
    for j in range(n):
        of_sample = ranks[rows[j]]
        for k in range(len(features)):
            rank = np.uint32(of_sample[np.uint32(features[k])])
            block[j * LANES + k] = rank << np.uint32(16) | own[j]
    sort_columns(block, block[:0], n)
    for k in range(len(features)):
        for j in range(n):
            keys[k * n + j] = block[j * LANES + k]


@inner
def _sort_apart(ranks, rows, own, features, differing, spare, keys):
    """Write the sorted keys of some features, a run a feature; many samples."""
    n = len(rows)
    for k in range(len(features)):
        feature = features[k]
        run = keys[k * n : (k + 1) * n]
        for j in range(n):
            run[j] = np.uint32(ranks[rows[j], feature]) << np.uint32(16) | own[j]
        # Of a byte in which all ranks agree, counting would change nothing.
        low, high = differing[feature] & 0xFF != 0, differing[feature] >> 8 != 0
        if low:
            _sort_by_byte(run, np.uint32(16), spare)
        if low and high:
            _sort_by_byte(spare, np.uint32(24), run)
        elif high:
            _sort_by_byte(run, np.uint32(24), spare)
        if low != high:
            for j in range(n):
                run[j] = spare[j]


@inner
def _find_varying(ranks, rows, differing, features):
    """Write which features vary in some samples, and the bits that differ; how many do."""
    n, n_features = len(rows), ranks.shape[1]
    for k in range(n_features):
        differing[k] = 0
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
def _sort_by_byte(run, shift, out):
    """Write a run in the order of one byte, equal ones in the order in which they are."""
    places = np.empty(257, dtype=np.int64)
    for byte in range(257):
        places[byte] = 0
    for key in run:
        places[(key >> shift & np.uint32(0xFF)) + 1] += 1
    for byte in range(256):
        places[byte + 1] += places[byte]
    for key in run:
        byte = key >> shift & np.uint32(0xFF)
        out[places[byte]] = key
        places[byte] += 1
