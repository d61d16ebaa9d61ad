"""Exact search of nodes of few samples: every feature is sorted once, then partitioned.

For every feature, the samples of a node are one sorted run of keys. A split is found by
reading each run once; the runs of the two children are written side by side, so small nodes
are dense in the cache.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._lib.compilation import inner
from .batches import Batch, is_enough, most_at_once, new_best, scan_batch
from .kernels import NO_CUT, RANK_STEP, SAMPLE_MASK, Cut, drawn, mixed

__all__ = ["Presorted", "find_presorted_cut", "hand_down", "new_presorted"]


class Presorted(NamedTuple):
    """State of the search.

    Attributes
    ----------
    runs : two arrays of shape (n_features * n_samples,), uint32
        Keys of nodes of even and of odd depth. Those of a node lie from its ``base`` on,
        one run for each feature that varied in its parent. What a node leaves behind is
        overwritten by its grandchildren.
    varying : ndarray of shape (n_samples, n_features), int32
        Row r of a node of depth d is the run of feature ``varying[d, r]``. Siblings share
        a row of it, as they come from one parent. Few trees are deep, and the rows that no
        node reaches are memory that is never touched.
    order : ndarray of shape (n_features,), int32
        Scratch.
    max_features : int
        Number of features that vary which are tried at a node.
    is_sampled : bool
        Whether they are drawn at random, there being more than are tried.
    batch : Batch
        Scratch.
    """

    runs: tuple[np.ndarray, np.ndarray]
    varying: np.ndarray
    order: np.ndarray
    max_features: int
    is_sampled: bool
    batch: Batch


@inner
def new_presorted(keys, spare, n_features, n_samples, max_features, is_sampled, batch):
    """Begin with the sorted keys of all samples."""
    varying = np.empty((n_samples, n_features), dtype=np.int32)
    for k in range(n_features):
        varying[0, k] = k
    order = np.empty(n_features, dtype=np.int32)
    return Presorted((keys, spare), varying, order, max_features, is_sampled, batch)


@inner
def _varies(keys, start, n):
    return (keys[start] ^ keys[start + n - 1]) >= RANK_STEP


@inner
def find_presorted_cut(search, samples, sums, node):
    """Find the best cut, the first of several equal ones.

    Runs are tried in a cyclic order that begins at random; or those that vary in random
    order, if only some are to be tried. Ends when no other cut can be better.
    """
    batch, starts = search.batch, search.batch.starts
    keys, order, is_sampled = search.runs[node.depth % 2], search.order, search.is_sampled
    n, n_runs, base = node.stop - node.start, node.n_runs, node.base
    best = new_best(n, samples.values, sums)
    first = np.int64(mixed(node.seed, 0) % np.uint64(n_runs))
    n_visits = n_runs
    if is_sampled:
        n_visits = 0
        for r in range(n_runs):
            order[n_visits] = r
            n_visits += _varies(keys, base + r * n, n)
    visit, n_tried = np.int64(0), np.int64(0)
    while visit < n_visits and not is_enough(best, n_tried, search.max_features):
        most = most_at_once(n, n_tried, search.max_features)
        n_batch = 0
        while n_batch < most and visit < n_visits:
            if is_sampled:
                r = drawn(order, visit, n_visits, node.seed)
            else:
                r = first + visit
                if r >= n_runs:
                    r -= n_runs
            visit += 1
            start = base + r * n
            if _varies(keys, start, n):
                starts[n_batch] = start
                n_batch += 1
        best, n_tried = scan_batch(
            batch, n_batch, keys, n, samples, sums, best, n_tried, search.max_features
        )
    if best.start == NO_CUT:
        return Cut(NO_CUT, keys[:0], 0, False)
    feature: Any = np.int64(search.varying[node.depth, (best.start - base) // n])
    run = keys[best.start : best.start + n]
    return Cut(feature, run, best.n_left, best.missing_left)


@inner
def hand_down(search, node, goes_left, n_left, left_grows, right_grows):
    """Write the runs of the children that grow; how many, and where they begin.

    Features that did not vary in the node do not vary in its children.
    """
    now, then = search.runs[node.depth % 2], search.runs[(node.depth + 1) % 2]
    varying, varying_then = search.varying[node.depth], search.varying[node.depth + 1]
    order = search.order
    n, base = node.stop - node.start, node.base
    n_varying = 0
    for r in range(node.n_runs):
        order[n_varying] = r
        varying_then[n_varying] = varying[r]
        n_varying += _varies(now, base + r * n, n)
    kept = order[:n_varying]
    if left_grows and right_grows:
        right_base = base + n_varying * n_left
        _split_runs(now, base, n, kept, goes_left, then, base, n_left, right_base)
        return n_varying, base, right_base
    n_kept = n_left if left_grows else n - n_left
    _keep_runs(now, base, n, kept, goes_left, left_grows, then, base, n_kept)
    return n_varying, base, base


@inner
def _split_runs(keys, start, n, rows, goes_left, out, left_base, n_left, right_base):
    """Write the runs of both children, without branches."""
    n_right, one = n - n_left, np.uint64(1)
    for r in range(len(rows)):
        left, right = np.uint64(left_base + r * n_left), np.uint64(right_base + r * n_right)
        first = np.uint64(start + rows[r] * n)
        for place in range(first, first + np.uint64(n)):
            key = keys[place]
            side = goes_left[key & SAMPLE_MASK]
            out[left if side else right] = key
            left += side
            right += one - side


@inner
def _keep_runs(keys, start, n, rows, goes_left, side, out, base, n_kept):
    """Write the runs of one child alone, the other one being a leaf."""
    for r in range(len(rows)):
        p = np.uint64(base + r * n_kept)
        end = p + np.uint64(n_kept)
        first = np.uint64(start + rows[r] * n)
        for place in range(first, first + np.uint64(n)):
            if p == end:
                break
            key = keys[place]
            out[p] = key
            p += np.uint64((goes_left[key & SAMPLE_MASK] != 0) == side)
