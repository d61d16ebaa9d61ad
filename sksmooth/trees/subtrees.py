"""Trees on few samples, grown by one loop over their nodes.

How the best cut of a node is found, and what its children need for theirs, depends on the
search: of features that are sorted once (:mod:`presorted`), or of those that every node
sorts itself (:mod:`sampled`). One loop calls both, since a fit often needs both, and
compiling the loop takes longer than compiling a search.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse

from .._lib.compilation import compiled, inner, readable
from .batches import new_batch
from .bins import MISSING_CODE
from .exact_sums import GrowthSamples
from .kernels import MISSING_KEY, NO_CUT, SAMPLE_MASK, NodeSums, OpenNode, mixed
from .keys import keep_varying_runs, keys_of_codes, keys_of_some, keys_of_values
from .presorted import find_presorted_cut, hand_down, new_presorted
from .problem import GrowthProblem, TopNode
from .sampled import find_sampled_cut, new_sampled
from .thresholds import Nodes, tree_of_nodes
from .tree import Tree

__all__ = ["KeyBuffers", "grow_presorted", "grow_sampled"]


class KeyBuffers:
    """Reusable memory for keys: allocators rarely return large freed blocks."""

    def __init__(self) -> None:
        self.halves = np.empty((2, 0), dtype=np.uint32)

    def of_shape(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return an array of this shape, and a flat one of the same size."""
        size = math.prod(shape)
        if size > self.halves.shape[1]:
            del self.halves  # before there are more
            self.halves = np.empty((2, size), dtype=np.uint32)
        first, second = self.halves[:, :size]
        return first.reshape(shape), second


def grow_presorted(problem: GrowthProblem, node: TopNode, buffers: KeyBuffers) -> Tree:
    """Grow the subtree of a node of few samples.

    Parameters
    ----------
    problem, node : GrowthProblem, TopNode
        What is grown, and the node.
    buffers : KeyBuffers
        Memory that no other thread uses at the same time.
    """
    rows = problem.summed.in_order_of_labels(node.rows)
    value_of, features, keys, spare = _sorted_columns(problem, rows, buffers)
    # Those that do not vary would only be passed over, and a sparse block has fewer.
    varying = keep_varying_runs(keys)
    if len(varying) == 0:
        return Tree.leaf()
    nodes = _grown(problem, node, rows, keys[: len(varying)], spare, _NO_RANKS)
    inner = nodes.left >= 0
    nodes.feature[inner] = features[varying[nodes.feature[inner]]]
    return tree_of_nodes(problem, nodes, value_of)


def _sorted_columns(problem: GrowthProblem, rows: np.ndarray, buffers: KeyBuffers):
    """Values or codes by sample and feature; features of the keys; keys; spare memory."""
    features, X = np.arange(problem.n_features), problem.X
    if problem.keys is not None:
        keys, spare = buffers.of_shape((problem.n_features, len(rows)))
        keys_of_some(problem.keys, rows, keys)
        return problem.values_of(rows), features, keys, spare
    if not problem.is_exact or (problem.bins_hold_all and not sparse.issparse(X)):
        codes = problem.binned.take(rows)
        keys, spare = buffers.of_shape(codes.shape)
        keys_of_codes(codes, MISSING_CODE, keys)
        if problem.is_exact:
            return problem.values_of(rows), features, keys, spare
        return lambda sample, feature: codes[feature, sample], features, keys, spare
    if not sparse.issparse(X):
        keys, spare = buffers.of_shape((problem.n_features, len(rows)))
        keys_of_values(X, rows, keys)
        return problem.values_of(rows), features, keys, spare
    # Only columns with entries: there may be many times as many without.
    columns = sparse.csc_matrix(X[rows])
    features = np.flatnonzero(np.diff(columns.indptr))
    block = columns[:, features].toarray(order="C")
    keys, spare = buffers.of_shape(block.T.shape)
    keys_of_values(block, np.arange(len(rows)), keys)

    def value_of(sample: np.ndarray, feature: np.ndarray) -> np.ndarray:
        return block[sample, np.searchsorted(features, feature)]

    return value_of, features, keys, spare


def grow_sampled(problem: GrowthProblem, node: TopNode) -> Tree:
    """Grow the subtree of a node of few samples, given the ranks of all."""
    rows = problem.summed.in_order_of_labels(node.rows)
    nodes = _grown(problem, node, rows, *_NO_KEYS, problem.ranks)
    return tree_of_nodes(problem, nodes, problem.values_of(rows))


_NO_KEYS = np.empty((0, 0), dtype=np.uint32), np.empty(0, dtype=np.uint32)
_NO_RANKS = readable(np.empty((0, 0)), np.uint16)


def _grown(problem: GrowthProblem, node: TopNode, rows, keys, spare, ranks) -> Nodes:
    table = _grow(
        keys.ravel(),
        spare,
        len(keys),
        ranks,
        rows,
        *problem.summed.take(rows),
        problem.levels_below(node),
        problem.max_features,
        problem.max_features < problem.n_features,
        node.seed,
    )
    left, right, feature, below, above, missing_left = table
    return Nodes(left, right, feature, below, above, missing_left.astype(bool))


# -------------------------------------------------------------------------------- kernels


@compiled
def _grow(
    keys, spare, n_sorted, ranks, rows, labels, values, weights, n_classes, max_depth,
    max_features, is_sampled, seed
):  # fmt: skip
    """Grow a tree by least squares until its leaves are pure.

    Parameters
    ----------
    keys : (n_sorted * n_samples,) uint32, sorted keys feature by feature, which are
        overwritten
    spare : (n_sorted * n_samples,) uint32, scratch
    n_sorted : number of features whose keys are sorted; 0 if every node sorts what it tries
    ranks : (n_all_samples, n_features) uint16, ranks of the values; empty if not
    rows : (n_samples,) intp, the samples in ``ranks``, in the order of their labels
    labels, values, weights, n_classes : as in ``GrowthSamples``, one by one: numba 0.60
        keeps something of every tuple that a kernel is called with
    max_depth : largest depth, negative for none
    max_features : number of features that vary which are tried at a node
    is_sampled : whether there are more, so that they are drawn at random
    seed : uint64, of the order in which features are tried

    Returns
    -------
    nodes : (6, n_nodes) int32, as in ``Nodes``
    """
    is_presorted = n_sorted > 0
    samples = GrowthSamples(labels, values, weights, n_classes)
    n_samples = len(weights)
    batch = new_batch(weights, n_classes)
    presorted = new_presorted(
        keys, spare, n_sorted, n_samples, max_features, is_sampled, batch
    )
    sampled = new_sampled(ranks, rows, max_features, batch)
    n_sums = values.shape[1] if values.shape[1] > 0 else n_classes
    own_labels = np.empty(n_samples, dtype=np.int32)
    firsts = np.empty(n_classes, dtype=np.uint32)
    table = np.empty((6, 2 * n_samples), dtype=np.int32)
    nodes = Nodes(table[0], table[1], table[2], table[3], table[4], table[5])
    n_nodes: Any = np.int64(0)  # not 0, for which loops would be compiled on its own
    _add_leaf(nodes, n_nodes)
    n_nodes += 1
    members = np.empty(n_samples, dtype=np.uint32)  # those of a node side by side
    for i in range(n_samples):
        members[i] = i
    goes_left = np.empty(n_samples, dtype=np.uint64)
    buffer = np.empty(n_samples, dtype=np.uint32)
    total, left = np.empty(n_sums), np.empty(n_sums)
    # Depth first, left before right: the searches reuse the memory of finished branches.
    stack = np.empty((n_samples + 1, 6), dtype=np.int64)
    seeds = np.empty(n_samples + 1, dtype=np.uint64)
    n_open = np.int64(0)
    if max_depth != 0 and not _is_pure(members, labels):
        root = OpenNode(0, 0, n_samples, 0, n_sorted, 0, seed)
        n_open = _open(stack, seeds, n_open, root)
    while n_open > 0:
        n_open -= 1
        number, start, stop = stack[n_open, 0], stack[n_open, 1], stack[n_open, 2]
        depth, n_runs, base = stack[n_open, 3], stack[n_open, 4], stack[n_open, 5]
        node = OpenNode(number, start, stop, depth, n_runs, base, seeds[n_open])
        own = members[start:stop]
        weight, n = _sum_up(own, labels, values, weights, own_labels, firsts, total)
        n_present = n if values.shape[1] == 0 else 0
        sums = NodeSums(own_labels, firsts[:n_present], total[:n], left[:n], weight)
        if is_presorted:
            cut = find_presorted_cut(presorted, samples, sums, node)
        else:
            cut = find_sampled_cut(sampled, samples, sums, own, node)
        if cut.feature == NO_CUT:
            continue
        n_left = _split_node(nodes, number, n_nodes, cut, weight, weights, goes_left)
        _partition(own, goes_left, buffer)
        middle = start + n_left
        may_grow = depth + 1 != max_depth
        left_grows = may_grow and not _is_pure(members[start:middle], labels)
        right_grows = may_grow and not _is_pure(members[middle:stop], labels)
        n_runs, left_base, right_base = 0, 0, 0
        if is_presorted and (left_grows or right_grows):
            n_runs, left_base, right_base = hand_down(
                presorted, node, goes_left, n_left, left_grows, right_grows
            )
        if right_grows:
            child = OpenNode(
                n_nodes + 1, middle, stop, depth + 1, n_runs, right_base,
                mixed(node.seed, 2),
            )  # fmt: skip
            n_open = _open(stack, seeds, n_open, child)
        if left_grows:
            child = OpenNode(
                n_nodes, start, middle, depth + 1, n_runs, left_base, mixed(node.seed, 1)
            )
            n_open = _open(stack, seeds, n_open, child)
        n_nodes += 2
    return table[:, :n_nodes].copy()


@inner
def _add_leaf(nodes, number):
    nodes.left[number], nodes.right[number], nodes.feature[number] = -1, -1, -1
    nodes.below[number], nodes.above[number], nodes.missing_left[number] = 0, 0, 0


@inner
def _open(stack, seeds, n_open, node):
    """Put a node on the stack of those that are to be split; how many these are now."""
    stack[n_open, 0], stack[n_open, 1] = node.number, node.start
    stack[n_open, 2], stack[n_open, 3] = node.stop, node.depth
    stack[n_open, 4], stack[n_open, 5] = node.n_runs, node.base
    seeds[n_open] = node.seed
    return n_open + 1


@inner
def _sum_up(own, labels, values, weights, own_labels, firsts, total):
    """Write what :class:`NodeSums` holds of some samples; their weight, how many sums."""
    n_outputs = values.shape[1]
    for k in range(n_outputs):
        total[k] = 0.0
    weight, n_present = 0.0, 0
    for j in range(len(own)):
        i = own[j]
        weight += weights[i]
        if n_outputs == 0:
            if j == 0 or labels[i] != labels[own[j - 1]]:
                firsts[n_present], total[n_present] = i, 0.0
                n_present += 1
            own_labels[i] = n_present - 1
            total[n_present - 1] += weights[i]
        for k in range(n_outputs):
            total[k] += values[i, k]
    return weight, n_present + n_outputs


@inner
def _is_pure(own, labels):
    """Return whether all samples have the same label; they are sorted by label."""
    return labels[own[0]] == labels[own[-1]]


@inner
def _split_node(nodes, number, n_nodes, cut, weight, weights, goes_left):
    """Split a leaf into two, and mark its samples on the left; how many there are."""
    run = cut.run
    n_left, left_weight = 0, 0.0
    for j in range(len(run)):
        key = run[j]
        i = key & SAMPLE_MASK
        is_left = j < cut.n_left or (cut.missing_left and key >= MISSING_KEY)
        goes_left[i] = is_left
        n_left += is_left
        left_weight += is_left * weights[i]
    _add_leaf(nodes, n_nodes)
    _add_leaf(nodes, n_nodes + 1)
    nodes.left[number], nodes.right[number] = n_nodes, n_nodes + 1
    nodes.feature[number] = cut.feature
    nodes.below[number] = run[cut.n_left - 1] & SAMPLE_MASK
    nodes.above[number] = run[cut.n_left] & SAMPLE_MASK
    if run[-1] >= MISSING_KEY:
        nodes.missing_left[number] = cut.missing_left
    else:  # none was seen: if some come later, they go with most of the samples
        nodes.missing_left[number] = 2 * left_weight > weight
    return n_left


@inner
def _partition(own, goes_left, buffer):
    """Move the samples that go left to the front; both sides stay in their order.

    A sample is written to both sides, and the position moves on where it belongs: a branch
    would be mispredicted for every other sample.
    """
    p, q = np.uint64(0), np.uint64(0)
    for i in own:
        side = goes_left[i]
        own[p], buffer[q] = i, i
        p += side
        q += np.uint64(1) - side
    for j in range(q):
        own[p + j] = buffer[j]
