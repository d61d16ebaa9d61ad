"""Compiled loops over nodes and samples, on plain arrays and without the GIL."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled, inner, readable

__all__ = [
    "Columns",
    "NodeSamples",
    "Steps",
    "add_unseen",
    "depths",
    "have_fallen",
    "log_box_volumes",
    "node_sums",
    "record",
    "sample_ranges",
    "sample_states",
    "sum_columns",
    "sum_sides",
    "sweep_errors",
]


def node_sums(
    parent: np.ndarray, leaf: np.ndarray, weights: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add up the weights and weighted values in every node of a tree.

    Parents have smaller numbers than their children. ``leaf`` is that of every sample.
    """
    weight = np.zeros(len(parent))
    total = np.zeros((len(parent), values.shape[1]))
    _add_up(
        readable(parent, np.int32),
        readable(leaf, np.int32),
        readable(weights, np.float64),
        readable(values, np.float64),
        weight,
        total,
    )
    return weight, total


@compiled
def _add_up(parent, leaf, weights, values, weight, total):
    """Add samples to their leaves, then every node to its parent, children first."""
    n_nodes, n_outputs = total.shape
    for i in range(len(leaf)):
        weight[leaf[i]] += weights[i]
        for k in range(n_outputs):
            total[leaf[i], k] += weights[i] * values[i, k]
    for node in range(n_nodes - 1, 0, -1):
        weight[parent[node]] += weight[node]
        for k in range(n_outputs):
            total[parent[node], k] += total[node, k]


def depths(parent: np.ndarray) -> np.ndarray:
    """Count the nodes above every node: parents have smaller numbers than children."""
    depth = np.zeros(len(parent), dtype=np.int32)
    _count_above(readable(parent, np.int32), depth)
    return depth


@compiled
def _count_above(parent, depth):
    for node in range(1, len(parent)):
        depth[node] = depth[parent[node]] + 1


def add_unseen(
    values: np.ndarray, leaf: np.ndarray, unseen: np.ndarray, sums: np.ndarray
) -> None:
    """Add the values of one tree at the samples that it has not seen."""
    _add_unseen(
        readable(values, np.float64),
        readable(leaf, np.int32),
        readable(unseen, np.bool_),
        sums,
    )


@compiled
def _add_unseen(values, leaf, unseen, sums):
    for i in range(len(leaf)):
        if unseen[i]:
            for k in range(values.shape[1]):
                sums[i, k] += values[leaf[i], k]


def sample_ranges(
    parent: np.ndarray,
    leaf: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    samples: np.ndarray,
) -> None:
    """Sort the samples so that those of any node are ``samples[start:stop]``.

    Samples with a negative leaf are in no node. The last three are written.
    """
    count, cursor = np.zeros((2, len(parent)), dtype=np.int64)
    parent, leaf = readable(parent, np.int32), readable(leaf, np.int32)
    _sort_by_node(parent, leaf, count, cursor, start, stop, samples)


@compiled
def _sort_by_node(parent, leaf, count, cursor, start, stop, samples):
    n_nodes = len(parent)
    # Count the samples of leaves, and hand the counts up: children come after parents.
    for i in range(len(leaf)):
        if leaf[i] >= 0:
            count[leaf[i]] += 1
    for node in range(n_nodes - 1, 0, -1):
        count[parent[node]] += count[node]
    # Ranges nest: a child takes the next part of its parent's range, from `cursor` on.
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


def log_box_volumes(
    parent: np.ndarray,
    is_left: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """Measure the log volume of every node's box in the unit cube of the data.

    ``feature`` and ``threshold`` describe the split that made the node. The side of the
    parent's box along that feature is found among the ancestors, so no box is stored.
    """
    log_volume = np.zeros(len(parent))
    _add_log_shares(
        readable(parent, np.int32),
        readable(is_left, np.bool_),
        readable(feature, np.int32),
        readable(threshold, np.float64),
        readable(low, np.float64),
        readable(high, np.float64),
        log_volume,
    )
    return log_volume


@compiled
def _add_log_shares(parent, is_left, feature, threshold, low, high, log_volume):
    """Add to each node the log share that it has in the box of its parent, and that box."""
    for node in range(1, len(parent)):
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
# side by side, since a sweep meets samples in no order, and each line of the cache costs.
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


def sweep_errors(
    steps: Steps, nodes: NodeSamples, states: np.ndarray, columns: Columns, p: float
) -> tuple[np.ndarray, np.ndarray]:
    """Sum weighted p-th powers of errors while terms are added one by one.

    A term changes the residual only at the samples of its node, so all M-term errors cost
    no more than the sum of the sizes of the nodes. Steps follow no order in memory, so they
    are gathered in blocks, which lets the processor fetch several at a time.

    Parameters
    ----------
    steps : Steps
        The terms.
    nodes : NodeSamples
        Their samples.
    states : ndarray of shape (n_samples, 4 + n_outputs)
        Of ``sample_states``, without any term; overwritten.
    columns : Columns
        How errors are added up.
    p : float
        Exponent of the errors.

    Returns
    -------
    sums : ndarray of shape (len(steps.order) + 1, n_sides)
        Sums of the sides, with 0, 1, ... terms.
    by_column : ndarray of shape (len(columns.kept), n_columns)
        Sums of the columns.
    """
    sums = np.zeros((len(steps.order) + 1, columns.n_sides))
    by_column = np.zeros((len(columns.kept), columns.n_columns))
    n_outputs = steps.height.shape[1]
    size = max(_BLOCK_ENTRIES // n_outputs, 1)
    _sweep(
        readable(steps.order, np.int32),
        readable(steps.tree, np.int32),
        readable(steps.height, np.float64),
        readable(nodes.start, np.int64),
        readable(nodes.stop, np.int64),
        readable(nodes.samples, np.int32).reshape(-1),
        nodes.samples.shape[1],
        states,
        readable(columns.column, np.int64),
        readable(columns.kept, np.int64),
        float(p),
        np.empty((2, size), dtype=np.int64),
        np.empty((size, n_outputs)),
        np.zeros(columns.n_columns),
        np.zeros((1, columns.n_sides)),
        sums,
        by_column,
    )
    return sums, by_column


@compiled
def _sweep(
    order, tree, height, start, stop, samples, stride, states, column, kept, p, ends,
    heights, current, summed, sums, by_column
):  # fmt: skip
    """Write the sums; ``ends``, ``heights``, ``current`` and ``summed`` are scratch.

    Arrays are not in their tuples, of which numba 0.60 keeps something at every call.
    """
    n_steps, n_outputs = len(order), height.shape[1]
    first, last = ends[0], ends[1]
    power, weight = states[:, _POWER], states[:, _WEIGHT]
    _set_powers(states, p)
    sum_columns(power, weight, column, current)
    none = np.int64(0)  # not 0, for which loops would be compiled on its own
    sum_sides(current, sums, none)
    sum_sides(current, summed, none)
    n_kept = record(none, current, kept, none, by_column)
    for begin in range(0, n_steps, len(first)):
        n_own = min(len(first), n_steps - begin)
        for step in range(n_own):
            node = order[begin + step]
            first[step] = tree[node] * stride + start[node]
            last[step] = tree[node] * stride + stop[node]
            for k in range(n_outputs):
                heights[step, k] = height[node, k]
        for step in range(n_own):
            m = begin + step + 1
            for position in range(first[step], last[step]):
                i = samples[position]
                squared, factor = states[i, _FLOOR], states[i, _SHARE]
                for k in range(n_outputs):
                    states[i, _N_STATES + k] -= factor * heights[step, k]
                    squared += states[i, _N_STATES + k] ** 2
                # A power takes longer than all the rest, so L2 goes without.
                after = squared if p == 2.0 else squared ** (0.5 * p)
                current[column[i]] += states[i, _WEIGHT] * (after - states[i, _POWER])
                states[i, _POWER] = after
            if first[step] < last[step]:
                sum_sides(current, sums, m)
                if have_fallen(sums, m, summed):
                    sum_columns(power, weight, column, current)
                    sum_sides(current, sums, m)
                    sum_sides(current, summed, none)
            else:
                for side in range(sums.shape[1]):
                    sums[m, side] = sums[m - 1, side]
            n_kept = record(m, current, kept, n_kept, by_column)


@inner
def _set_powers(states, p):
    for i in range(len(states)):
        power = states[i, _FLOOR]
        for k in range(_N_STATES, states.shape[1]):
            power += states[i, k] ** 2
        states[i, _POWER] = power ** (0.5 * p)


@inner
def sum_columns(power, weight, column, out):
    """Write the weighted sums of the columns."""
    for j in range(len(out)):
        out[j] = 0.0
    for i in range(len(power)):
        out[column[i]] += weight[i] * power[i]


@inner
def sum_sides(current, out, row):
    """Write the sums of the sides, of which columns take turns, to a row."""
    n_sides = out.shape[1]
    for side in range(n_sides):
        total, j = 0.0, side
        while j < len(current):
            total += current[j]
            j += n_sides
        out[row, side] = total


@inner
def have_fallen(sums, m, summed):
    """Return whether a side is far below what was summed up: differences lose digits."""
    for side in range(sums.shape[1]):  # noqa: SIM110 (numba compiles no generators)
        if sums[m, side] < 0.25 * summed[0, side]:
            return True
    return False


@inner
def record(m, current, kept, n_kept, by_column):
    """Write the columns if they are kept at ``m`` terms; how many times they were."""
    if n_kept == len(kept) or kept[n_kept] != m:
        return n_kept
    for j in range(len(current)):
        by_column[n_kept, j] = current[j]
    return n_kept + 1
