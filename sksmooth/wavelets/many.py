"""Compiled loops over nodes and samples of which some outputs are worked on at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled, readable
from .kernels import (
    Columns,
    NodeSamples,
    have_fallen,
    record,
    sum_columns,
    sum_sides,
)

__all__ = [
    "SampleErrors",
    "Terms",
    "add_squares",
    "floor_of_terms",
    "means_of_points",
    "sum_paths",
    "sum_squares",
]


def means_of_points(
    parent: np.ndarray,
    leaf: np.ndarray,
    weights: np.ndarray,
    points: np.ndarray,
    place: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average the values ``points[place]``, which are never put together, in every node.

    Parents have smaller numbers than their children, and ``leaf`` is that of every sample.
    A node without samples has the mean of its parent.

    Returns
    -------
    weight : ndarray of shape (n_nodes,)
        Sum of the weights.
    mean, step : ndarray of shape (n_nodes, n_outputs)
        Means, and these less that of the parent; the root is its own parent.
    """
    parent = readable(parent, np.int32)
    weight, mean = np.zeros(len(parent)), np.zeros((len(parent), points.shape[1]))
    _add_points(
        parent,
        readable(leaf, np.int32),
        readable(weights, np.float64),
        readable(points, np.float64),
        readable(place, np.int64),
        weight,
        mean,
    )
    if weight[0] <= 0:
        raise ValueError("A tree holds no sample with a positive weight.")
    step = np.empty_like(mean)
    _to_means(parent, weight, mean, step)
    return weight, mean, step


@compiled
def _add_points(parent, leaf, weights, points, place, weight, total):
    """Add samples to their leaves, then every node to its parent, children first."""
    n_nodes, n_outputs = total.shape
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


@compiled
def _to_means(parent, weight, mean, step):
    """Divide sums by weights, in place, parents first, and write the steps."""
    n_nodes, n_outputs = mean.shape
    for node in range(n_nodes):
        up = max(parent[node], 0)
        if weight[node] == 0:
            for k in range(n_outputs):
                mean[node, k] = mean[up, k]
        else:
            for k in range(n_outputs):
                mean[node, k] /= weight[node]
        for k in range(n_outputs):
            step[node, k] = mean[node, k] - mean[up, k]


def sum_paths(
    parent: np.ndarray, step: np.ndarray, is_kept: np.ndarray, of_roots: np.ndarray
) -> np.ndarray:
    """Add up the root's mean and the kept steps above every node, of one tree or several.

    Parents have smaller numbers than their children; those of roots are negative.
    """
    sums = np.empty_like(step)
    sums[parent < 0] = of_roots
    _add_from_above(
        readable(parent, np.int32),
        readable(step, np.float64),
        readable(is_kept, np.bool_),
        sums,
    )
    return sums


@compiled
def _add_from_above(parent, step, is_kept, sums):
    for node in range(len(parent)):
        up = parent[node]
        if up < 0:
            continue
        if is_kept[node]:
            for k in range(step.shape[1]):
                sums[node, k] = sums[up, k] + step[node, k]
        else:
            for k in range(step.shape[1]):
                sums[node, k] = sums[up, k]


# ------------------------------------------------------------------------------- errors


class Terms(NamedTuple):
    """Terms that are added one by one, and the samples of their nodes.

    As ``order`` and ``tree`` of ``Steps``, and ``NodeSamples``.
    """

    order: np.ndarray
    tree: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    samples: np.ndarray

    @classmethod
    def of(cls, order: np.ndarray, tree: np.ndarray, nodes: NodeSamples) -> Terms:
        """Put them together as the kernels take them."""
        return cls(
            readable(order, np.int32),
            readable(tree, np.int32),
            readable(nodes.start, np.int64),
            readable(nodes.stop, np.int64),
            readable(nodes.samples, np.int32),
        )


class SampleErrors(NamedTuple):
    """What the errors at the samples depend on, beside their residuals.

    ``floor`` is the squared error that no approximation removes; ``weight`` the weight of a
    sample, and ``share`` the factor of all steps at it.
    """

    floor: np.ndarray
    weight: np.ndarray
    share: np.ndarray


def floor_of_terms(terms: Terms, floor: np.ndarray) -> np.ndarray:
    """Return squared errors of no outputs: of all samples, then of those of each node."""
    n_entries = int((terms.stop - terms.start)[terms.order].sum())
    squared = np.empty(len(floor) + n_entries)
    squared[: len(floor)] = floor
    _write_floor(*terms, readable(floor, np.float64), squared)
    return squared


@compiled
def _write_floor(order, tree, start, stop, samples, floor, squared):
    entry = len(floor)
    for node in order:
        for position in range(start[node], stop[node]):
            squared[entry] = floor[samples[tree[node], position]]
            entry += 1


def add_squares(
    terms: Terms,
    height: np.ndarray,
    residual: np.ndarray,
    share: np.ndarray,
    squared: np.ndarray,
) -> None:
    """Add the squared errors of some outputs: without a term, and after each of them.

    The entries of ``squared`` are those of :func:`floor_of_terms`; the residual is
    overwritten.
    """
    height, share = readable(height, np.float64), readable(share, np.float64)
    _add_squares(*terms, height, share, residual, squared)


@compiled
def _add_squares(order, tree, start, stop, samples, height, share, residual, squared):
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


def sum_squares(
    terms: Terms, squared: np.ndarray, weight: np.ndarray, columns: Columns, p: float
) -> tuple[np.ndarray, np.ndarray]:
    """Sum weighted p-th powers of squared errors, as ``sweep_errors`` does."""
    sums = np.zeros((len(terms.order) + 1, columns.n_sides))
    by_column = np.zeros((len(columns.kept), columns.n_columns))
    _sum_squares(
        *terms,
        readable(squared, np.float64),
        readable(weight, np.float64),
        readable(columns.column, np.int64),
        readable(columns.kept, np.int64),
        float(p),
        squared[: len(weight)] ** (0.5 * p),
        np.zeros(columns.n_columns),
        np.zeros((1, columns.n_sides)),
        sums,
        by_column,
    )
    return sums, by_column


@compiled
def _sum_squares(
    order, tree, start, stop, samples, squared, weight, column, kept, p, power, current,
    summed, sums, by_column
):  # fmt: skip
    entry = len(weight)
    sum_columns(power, weight, column, current)
    none = np.int64(0)
    sum_sides(current, sums, none)
    sum_sides(current, summed, none)
    n_kept = record(none, current, kept, none, by_column)
    for step in range(len(order)):
        node, m = order[step], step + 1
        for position in range(start[node], stop[node]):
            i = samples[tree[node], position]
            after = squared[entry] if p == 2.0 else squared[entry] ** (0.5 * p)
            entry += 1
            current[column[i]] += weight[i] * (after - power[i])
            power[i] = after
        sum_sides(current, sums, m)
        if have_fallen(sums, m, summed):
            sum_columns(power, weight, column, current)
            sum_sides(current, sums, m)
            sum_sides(current, summed, none)
        n_kept = record(m, current, kept, n_kept, by_column)
