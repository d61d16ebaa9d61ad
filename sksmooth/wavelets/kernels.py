"""Compiled loops over nodes and samples, on plain arrays and without the GIL."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled

__all__ = [
    "Columns",
    "NodeSamples",
    "Steps",
    "add_along_paths",
    "add_unseen",
    "depths",
    "inherit_means",
    "log_box_volumes",
    "node_sums",
    "sample_ranges",
    "sample_states",
    "sweep_errors",
]


@compiled
def node_sums(parent, leaf, weights, values):
    """Add up the weights and weighted values in every node of a tree, bottom-up.

    Parents have smaller numbers than their children, so one pass from the last node to the
    first hands every sum to the parent.
    """
    n_nodes, n_outputs = len(parent), values.shape[1]
    weight = np.zeros(n_nodes)
    total = np.zeros((n_nodes, n_outputs))
    for i in range(len(leaf)):
        weight[leaf[i]] += weights[i]
        for k in range(n_outputs):
            total[leaf[i], k] += weights[i] * values[i, k]
    for node in range(n_nodes - 1, 0, -1):
        weight[parent[node]] += weight[node]
        for k in range(n_outputs):
            total[parent[node], k] += total[node, k]
    return weight, total


@compiled
def depths(parent):
    """Count the nodes above every node: parents have smaller numbers than children."""
    depth = np.zeros(len(parent), dtype=np.int32)
    for node in range(1, len(parent)):
        depth[node] = depth[parent[node]] + 1
    return depth


@compiled
def inherit_means(parent, count, mean):
    """Give nodes without samples the mean of their parent: their wavelet is zero."""
    for node in range(1, len(parent)):
        if count[node] == 0:
            for k in range(mean.shape[1]):
                mean[node, k] = mean[parent[node], k]


@compiled
def add_unseen(path_sums, roots, leaves, unseen, trees, sums, counts):
    """Add the values of some trees at the samples that they have not seen."""
    for tree in trees:
        for i in range(leaves.shape[1]):
            if unseen[tree, i]:
                counts[i] += 1
                node = roots[tree] + leaves[tree, i]
                for k in range(path_sums.shape[1]):
                    sums[i, k] += path_sums[node, k]


@compiled
def add_along_paths(parent, values):
    """Add to the values of every node those of all nodes above it, in place, top-down."""
    for node in range(len(parent)):
        up = parent[node]
        if up >= 0:
            for k in range(values.shape[1]):
                values[node, k] += values[up, k]


@compiled
def sample_ranges(parent, leaf, start, stop, samples):
    """Sort the samples so that those of any node are ``samples[start:stop]``.

    Samples with a negative leaf are in no node.
    """
    n_nodes = len(parent)
    # Count the samples of leaves, and hand the counts up: children come after parents.
    count = np.zeros(n_nodes, dtype=np.int64)
    for i in range(len(leaf)):
        if leaf[i] >= 0:
            count[leaf[i]] += 1
    for node in range(n_nodes - 1, 0, -1):
        count[parent[node]] += count[node]
    # Ranges nest: a child takes the next part of its parent's range, from `cursor` on.
    cursor = np.zeros(n_nodes, dtype=np.int64)
    start[0] = 0
    stop[0] = count[0]
    for node in range(1, n_nodes):
        up = parent[node]
        start[node] = start[up] + cursor[up]
        stop[node] = start[node] + count[node]
        cursor[up] += count[node]
    # From here on `cursor` is where the next sample of a leaf goes.
    for node in range(n_nodes):
        cursor[node] = start[node]
    for i in range(len(leaf)):
        if leaf[i] >= 0:
            samples[cursor[leaf[i]]] = i
            cursor[leaf[i]] += 1


@compiled
def log_box_volumes(parent, is_left, feature, threshold, low, high):
    """Measure the log volume of every node's box in the unit cube of the data.

    ``feature`` and ``threshold`` describe the split that made the node. The side of the
    parent's box along that feature is found among the ancestors, so no box is stored.
    """
    n_nodes = len(parent)
    log_volume = np.zeros(n_nodes)
    for node in range(1, n_nodes):
        k = feature[node]
        left_end, right_end = low[k], high[k]
        # The nearest ancestors that cut the same feature bound the parent's box; where
        # there is none on a side, the box ends where the data end.
        found_left, found_right = False, False
        up = parent[node]
        while up > 0 and not (found_left and found_right):
            if feature[up] == k:
                end = min(max(threshold[up], low[k]), high[k])
                if is_left[up] and not found_right:
                    right_end, found_right = end, True
                elif not is_left[up] and not found_left:
                    left_end, found_left = end, True
            up = parent[up]
        # Halves, since the side may exceed the largest float64.
        side = 0.5 * right_end - 0.5 * left_end
        cut = 0.5 * min(max(threshold[node], left_end), right_end)
        part = cut - 0.5 * left_end if is_left[node] else 0.5 * right_end - cut
        log_volume[node] = log_volume[parent[node]]
        if side > 0:  # else the data are constant along the feature, and nothing is cut
            log_volume[node] += np.log(part / side) if part > 0 else -np.inf
    return log_volume


_BLOCK_ENTRIES = 1 << 13  # of heights that a sweep gathers: few enough for the caches


class NodeSamples(NamedTuple):
    """The samples of every tree, sorted so that those of a node stand side by side.

    Those of a node of tree j are ``samples[j, start[node]:stop[node]]``.
    """

    start: np.ndarray
    stop: np.ndarray
    samples: np.ndarray


class Steps(NamedTuple):
    """What is added to an approximation, step by step.

    ``order`` holds node numbers; a node adds ``height[node]`` at its samples, in tree
    ``tree[node]``.
    """

    order: np.ndarray
    tree: np.ndarray
    height: np.ndarray


# Columns of the states of the samples in a sweep, before those of the residual. They lie
# side by side, since a sweep meets samples in no order, and lines of the cache cost time.
_POWER, _WEIGHT, _SHARE, _FLOOR, _N_STATES = 0, 1, 2, 3, 4


def sample_states(
    values: np.ndarray,
    start: np.ndarray,
    floor: np.ndarray,
    weight: np.ndarray,
    share: np.ndarray | float,
) -> np.ndarray:
    """Put together what a sweep reads and writes at every sample.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_outputs)
        Targets.
    start : ndarray of shape (n_outputs,) or (n_samples, n_outputs)
        Approximation without any term.
    floor : ndarray of shape (n_samples,)
        Squared error that no approximation removes.
    weight : ndarray of shape (n_samples,)
        Weights of the samples.
    share : ndarray of shape (n_samples,) or float
        Factor of all steps at a sample.

    Returns
    -------
    states : ndarray of shape (n_samples, 4 + n_outputs)
        The states.
    """
    states = np.empty((len(values), _N_STATES + values.shape[1]))
    states[:, _WEIGHT], states[:, _SHARE], states[:, _FLOOR] = weight, share, floor
    np.subtract(values, start, out=states[:, _N_STATES:])
    return states


class Columns(NamedTuple):
    """Which of ``n_columns`` sums a sample belongs to, and how sums are added up.

    The side of a column is ``column % n_sides``. All columns are recorded at the numbers of
    terms in ``kept`` (increasing), the sides at all numbers of terms.
    """

    column: np.ndarray
    n_columns: int
    n_sides: int
    kept: np.ndarray


@compiled
def sweep_errors(
    order, tree, height, start, stop, samples, states, column, n_columns, n_sides, kept, p
):  # fmt: skip
    """Sum weighted p-th powers of errors while terms are added one by one.

    A term changes the residual only at the samples of its node, so all M-term errors cost
    no more than the sum of the sizes of the nodes. Steps follow no order in memory, so they
    are gathered in blocks, which lets the processor fetch several at a time.

    Parameters
    ----------
    order, tree, height : as in ``Steps``, one by one, as all that follow: numba 0.60 keeps
        something of every tuple that a kernel is called with
    start, stop, samples : as in ``NodeSamples``
    states : of ``sample_states``, without any term; overwritten
    column, n_columns, n_sides, kept : as in ``Columns``
    p : exponent of the errors

    Returns
    -------
    sums : (len(order) + 1, n_sides)
    by_column : (len(kept), n_columns)
    """
    n_steps, n_outputs = len(order), height.shape[1]
    _set_powers(states, p)
    sums = np.zeros((n_steps + 1, n_sides))
    by_column = np.zeros((len(kept), n_columns))
    current = np.zeros(n_columns)
    _sum_columns(states, column, current)
    for side in range(n_sides):
        sums[0, side] = _sum_of_side(current, side, n_sides)
    summed = sums[0].copy()
    n_kept = 0
    if len(kept) > 0 and kept[0] == 0:
        by_column[0] = current
        n_kept = 1
    size = max(_BLOCK_ENTRIES // n_outputs, 1)
    first = np.empty(size, dtype=np.int64)
    last = np.empty(size, dtype=np.int64)
    heights = np.empty((size, n_outputs))
    all_samples, stride = samples.reshape(-1), samples.shape[1]
    for begin in range(0, n_steps, size):
        n_own = min(size, n_steps - begin)
        for step in range(n_own):
            node = order[begin + step]
            first[step] = tree[node] * stride + start[node]
            last[step] = tree[node] * stride + stop[node]
            for k in range(n_outputs):
                heights[step, k] = height[node, k]
        for step in range(n_own):
            m = begin + step + 1
            for position in range(first[step], last[step]):
                i = all_samples[position]
                squared, factor = states[i, _FLOOR], states[i, _SHARE]
                for k in range(n_outputs):
                    states[i, _N_STATES + k] -= factor * heights[step, k]
                    squared += states[i, _N_STATES + k] ** 2
                # A power takes longer than all the rest, so L2 goes without.
                after = squared if p == 2.0 else squared ** (0.5 * p)
                current[column[i]] += states[i, _WEIGHT] * (after - states[i, _POWER])
                states[i, _POWER] = after
            has_fallen = False
            for side in range(n_sides):
                sums[m, side] = sums[m - 1, side]
                if first[step] < last[step]:
                    sums[m, side] = _sum_of_side(current, side, n_sides)
                has_fallen |= sums[m, side] < 0.25 * summed[side]
            # Differences lose digits as the sums fall, so they are taken afresh at times.
            if has_fallen:
                _sum_columns(states, column, current)
                for side in range(n_sides):
                    sums[m, side] = _sum_of_side(current, side, n_sides)
                    summed[side] = sums[m, side]
            if n_kept < len(kept) and kept[n_kept] == m:
                by_column[n_kept] = current
                n_kept += 1
    return sums, by_column


@compiled
def _set_powers(states, p):
    for i in range(len(states)):
        power = states[i, _FLOOR]
        for k in range(_N_STATES, states.shape[1]):
            power += states[i, k] ** 2
        states[i, _POWER] = power ** (0.5 * p)


@compiled
def _sum_columns(states, column, sums):
    sums[:] = 0.0
    for i in range(len(states)):
        sums[column[i]] += states[i, _WEIGHT] * states[i, _POWER]


@compiled
def _sum_of_side(current, side, n_sides):
    total, column = 0.0, side
    while column < len(current):
        total += current[column]
        column += n_sides
    return total
