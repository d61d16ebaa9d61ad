"""Compiled loops over nodes and samples, on plain arrays and without the GIL."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled

__all__ = [
    "Columns",
    "NodeSamples",
    "Residual",
    "Steps",
    "add_along_paths",
    "log_box_volumes",
    "node_sums",
    "sample_ranges",
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


class Residual(NamedTuple):
    """The error of an approximation at the samples.

    ``values`` is the residual, of shape (n_samples, n_outputs), which the sweep overwrites;
    ``floor`` the squared error that no approximation removes; ``weight`` the weight of a
    sample, and ``share`` the factor of all steps at it.
    """

    values: np.ndarray
    floor: np.ndarray
    weight: np.ndarray
    share: np.ndarray


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
    order, tree, height, start, stop, samples, residual, floor, weight, share, column,
    n_columns, n_sides, kept, p
):  # fmt: skip
    """Sum weighted p-th powers of errors while terms are added one by one.

    A term changes the residual only at the samples of its node, so all M-term errors cost
    no more than the sum of the sizes of the nodes.

    Parameters
    ----------
    order, tree, height : as in ``Steps``, one by one, as all that follow: numba 0.60 keeps
        something of every tuple that a kernel is called with
    start, stop, samples : as in ``NodeSamples``
    residual, floor, weight, share : as in ``Residual``, without any term
    column, n_columns, n_sides, kept : as in ``Columns``
    p : exponent of the errors

    Returns
    -------
    sums : (len(order) + 1, n_sides)
    by_column : (len(kept), n_columns)
    """
    n_samples, n_outputs = residual.shape
    power = floor.copy()  # p-th power of the error at every sample
    for i in range(n_samples):
        for k in range(n_outputs):
            power[i] += residual[i, k] ** 2
        power[i] **= 0.5 * p
    sums = np.zeros((len(order) + 1, n_sides))
    by_column = np.zeros((len(kept), n_columns))
    current = column_sums(power, weight, column, n_columns)
    sum_sides(current, sums[0])
    summed = sums[0].copy()
    n_kept = 0
    for m in range(len(order) + 1):
        if m > 0:
            node = order[m - 1]
            for position in range(start[node], stop[node]):
                i = samples[tree[node], position]
                squared, factor = floor[i], share[i]
                for k in range(n_outputs):
                    residual[i, k] -= factor * height[node, k]
                    squared += residual[i, k] ** 2
                # A power takes longer than all the rest, so L2 goes without.
                after = squared if p == 2.0 else squared ** (0.5 * p)
                current[column[i]] += weight[i] * (after - power[i])
                power[i] = after
            sum_sides(current, sums[m])
            # Differences lose digits as the sums fall, so they are taken afresh at times.
            if (sums[m] < 0.25 * summed).any():
                current = column_sums(power, weight, column, n_columns)
                sum_sides(current, sums[m])
                summed[:] = sums[m]
        if n_kept < len(kept) and kept[n_kept] == m:
            by_column[n_kept] = current
            n_kept += 1
    return sums, by_column


@compiled
def column_sums(power, weight, column, n_columns):
    sums = np.zeros(n_columns)
    for i in range(len(power)):
        sums[column[i]] += weight[i] * power[i]
    return sums


@compiled
def sum_sides(current, out):
    out[:] = 0.0
    for j in range(len(current)):
        out[j % len(out)] += current[j]
