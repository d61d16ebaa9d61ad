"""Compiled loops for targets of many outputs, of which some are worked on at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled
from .kernels import column_sums, sum_sides

__all__ = [
    "SampleErrors",
    "add_rows",
    "add_squares",
    "floor_of_steps",
    "means_of_sums",
    "sum_paths",
    "sum_squares",
    "sums_of_points",
]


@compiled
def sums_of_points(parent, leaf, weights, points, place):
    """Add up the weights and weighted values in every node of a tree, bottom-up.

    As ``node_sums`` for the values ``points[place]``, which are never put together.
    """
    n_nodes, n_outputs = len(parent), points.shape[1]
    weight = np.zeros(n_nodes)
    total = np.zeros((n_nodes, n_outputs))
    for i in range(len(leaf)):
        if weights[i] > 0:
            node, point = leaf[i], place[i]
            weight[node] += weights[i]
            for k in range(n_outputs):
                total[node, k] += weights[i] * points[point, k]
    for node in range(n_nodes - 1, 0, -1):
        up = parent[node]
        weight[up] += weight[node]
        for k in range(n_outputs):
            total[up, k] += total[node, k]
    return weight, total


@compiled
def means_of_sums(parent, weight, total):
    """Divide sums by weights, in place, and subtract the means of the parents.

    Nodes without samples have the mean of their parent; the root is its own parent.
    """
    step = np.empty_like(total)
    for node in range(len(parent)):
        up = max(parent[node], 0)
        if weight[node] == 0:
            total[node] = total[up]
        else:
            total[node] /= weight[node]
        for k in range(total.shape[1]):
            step[node, k] = total[node, k] - total[up, k]
    return total, step


@compiled
def sum_paths(parent, step, is_kept, of_root):
    """Add up the root's mean and the kept steps above every node, top-down."""
    sums = np.empty_like(step)
    sums[0] = of_root
    for node in range(1, len(parent)):
        up = parent[node]
        if is_kept[node]:
            for k in range(step.shape[1]):
                sums[node, k] = sums[up, k] + step[node, k]
        else:
            sums[node] = sums[up]
    return sums


@compiled
def add_rows(sums, rows, values, leaves):
    """Add to some rows of the sums the values at their leaves."""
    for i in rows:
        for k in range(values.shape[1]):
            sums[i, k] += values[leaves[i], k]


class SampleErrors(NamedTuple):
    """What the errors at the samples depend on, beside their residuals.

    ``floor`` is the squared error that no approximation removes; ``weight`` the weight of a
    sample, and ``share`` the factor of all steps at it.
    """

    floor: np.ndarray
    weight: np.ndarray
    share: np.ndarray


@compiled
def floor_of_steps(order, tree, start, stop, samples, floor):
    """Give squared errors of no outputs: of all samples, then of those of each node."""
    n_entries = len(floor)
    for node in order:
        n_entries += stop[node] - start[node]
    squared = np.empty(n_entries)
    squared[: len(floor)] = floor
    entry = len(floor)
    for node in order:
        for position in range(start[node], stop[node]):
            squared[entry] = floor[samples[tree[node], position]]
            entry += 1
    return squared


@compiled
def add_squares(order, tree, height, start, stop, samples, residual, share, squared):
    """Add the squared errors of some outputs: without a term, and after each of them.

    The entries of ``squared`` are those of :func:`floor_of_steps`; the residual is
    overwritten.
    """
    n_samples, n_outputs = residual.shape
    for i in range(n_samples):
        error = squared[i]
        for k in range(n_outputs):
            error += residual[i, k] ** 2
        squared[i] = error
    entry = n_samples
    for node in order:
        for position in range(start[node], stop[node]):
            i = samples[tree[node], position]
            error, factor = squared[entry], share[i]
            for k in range(n_outputs):
                residual[i, k] -= factor * height[node, k]
                error += residual[i, k] ** 2
            squared[entry] = error
            entry += 1


@compiled
def sum_squares(
    order, tree, start, stop, samples, squared, weight, column, n_columns, n_sides, kept, p
):  # fmt: skip
    """Sum weighted p-th powers of squared errors, as ``sweep_errors`` does."""
    n_samples = len(weight)
    power = squared[:n_samples] ** (0.5 * p)
    sums = np.zeros((len(order) + 1, n_sides))
    by_column = np.zeros((len(kept), n_columns))
    current = column_sums(power, weight, column, n_columns)
    sum_sides(current, sums[0])
    summed = sums[0].copy()
    n_kept, entry = 0, n_samples
    for m in range(len(order) + 1):
        if m > 0:
            node = order[m - 1]
            for position in range(start[node], stop[node]):
                i = samples[tree[node], position]
                after = squared[entry] if p == 2.0 else squared[entry] ** (0.5 * p)
                entry += 1
                current[column[i]] += weight[i] * (after - power[i])
                power[i] = after
            sum_sides(current, sums[m])
            if (sums[m] < 0.25 * summed).any():
                current = column_sums(power, weight, column, n_columns)
                sum_sides(current, sums[m])
                summed[:] = sums[m]
        if n_kept < len(kept) and kept[n_kept] == m:
            by_column[n_kept] = current
            n_kept += 1
    return sums, by_column
