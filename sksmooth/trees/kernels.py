"""What the searches for splits share: keys, scores, scans of a sorted run, the node loop.

A tree on few samples is grown by one loop over its nodes, ``grow_nodes``. How the best cut
of a node is found, and what its children must be given for theirs, depends on the search:
those two steps are functions of which every search registers its own version, chosen by
numba from the type of the search state when it compiles the loop.

Sorted features are runs of 32-bit keys, with the rank of a sample's value in the upper half
and the number of the sample in the lower one, so that one array is sorted, scanned and
partitioned, and not two. Sums are of whole numbers, hence exact and independent of the
order of the samples (:mod:`exact_sums`).

Functions that are called once a node take NamedTuples; those that are called for every run
of a node take the arrays in them one by one. To fetch an array from a NamedTuple, or to
slice it, counts references, which is atomic and takes as long as to read ten keys: whole
fits took a fifth longer. Loops over entries call nothing that takes arrays, since numba
does not inline that. Places in arrays that are not loop counters are unsigned: numba tests
signed ones for those that count from the end, which halves the speed of a partition.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled, inner

__all__ = [
    "MISSING_KEY",
    "MOST_SAMPLES",
    "NO_CUT",
    "RANK_STEP",
    "SAMPLE_MASK",
    "Cut",
    "NodeSums",
    "Nodes",
    "OpenNode",
    "drawn",
    "find_cut",
    "grow_nodes",
    "hand_down",
    "largest_class_score",
    "mixed",
    "scan_run",
    "scan_sorted",
    "split_score",
    "unbeaten_score",
]

MOST_SAMPLES = (1 << 16) - 1  # that the lower half of a key can number
SAMPLE_MASK = np.uint32(0xFFFF)
RANK_STEP = np.uint32(0x10000)
MISSING_KEY = np.uint32(0xFFFF0000)  # rank of samples without a value: above all others
NO_CUT = -1
_MOST_CLASSES = 5  # of which all ways to be on one side are tried


class Nodes(NamedTuple):
    """Nodes of a tree, parents before children; arrays with one entry a node.

    Cuts are told by the samples beside them: ``below`` has the largest value to the left,
    ``above`` the smallest one to the right, or none.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    below: np.ndarray
    above: np.ndarray
    missing_left: np.ndarray


class OpenNode(NamedTuple):
    """A node that is to be split.

    ``samples[start:stop]`` are its samples. ``n_runs`` and ``base`` are what ``hand_down``
    of its parent returned: the number of its runs and where they lie.
    """

    number: int
    start: int
    stop: int
    depth: int
    n_runs: int
    base: int
    seed: np.uint64


class NodeSums(NamedTuple):
    """Sums over the samples of a node, which numbers the classes that are in it itself.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int32
        Of the samples of the node: place of their class among those of the node.
    firsts : ndarray of shape (n_present,), uint32
        First sample of every class of the node; empty for regression.
    total : ndarray of shape (n_present,) or (n_outputs,), float64
        Weight of every class, or sums of the values.
    left : ndarray
        Scratch like ``total``.
    weight : float
        Weight of all samples.
    """

    labels: np.ndarray
    firsts: np.ndarray
    total: np.ndarray
    left: np.ndarray
    weight: float


class Cut(NamedTuple):
    """The best cut of a node: of a sorted run of its samples, after so many of them.

    ``feature`` is ``NO_CUT`` if there is none.
    """

    feature: int
    run: np.ndarray
    n_left: int
    missing_left: bool


# ------------------------------------------------------------------------- the node loop


def find_cut(search, samples, sums, own, node):
    """Find the best cut of a node; every search has its own version.

    Parameters
    ----------
    search : NamedTuple, the state of the search
    samples : GrowthSamples, of the tree
    sums : NodeSums, of the node
    own : (n,) uint32, the samples of the node
    node : OpenNode

    Returns
    -------
    Cut
    """
    raise NotImplementedError


def hand_down(search, node, goes_left, n_left, left_grows, right_grows):
    """Prepare the search for the children of a node; every search has its own version.

    Parameters
    ----------
    search, node : as in ``find_cut``
    goes_left : (n_samples,) uint64, 1 for samples that go left, of those in the node
    n_left : how many these are
    left_grows, right_grows : whether the child is to be split; one of them is

    Returns
    -------
    n_runs, left_base, right_base : of the children, as in ``OpenNode``
    """
    raise NotImplementedError


@inner
def grow_nodes(search, samples, n_runs, max_depth, seed):
    """Grow a tree by least squares until its leaves are pure.

    Parameters
    ----------
    search : NamedTuple, for which ``find_cut`` and ``hand_down`` are registered
    samples : GrowthSamples, in the order of their labels
    n_runs : of the root, as in ``OpenNode``
    max_depth : largest depth, negative for none
    seed : uint64, of the order in which features are tried

    Returns
    -------
    Nodes
    """
    labels, values, weights = samples.labels, samples.values, samples.weights
    n_samples = len(weights)
    n_sums = values.shape[1] if values.shape[1] > 0 else samples.n_classes
    own_labels = np.zeros(n_samples, dtype=np.int32)
    firsts = np.zeros(samples.n_classes, dtype=np.uint32)
    nodes = _leaves_only(2 * n_samples)
    n_nodes = 1
    members = np.arange(n_samples).astype(np.uint32)  # those of a node side by side
    goes_left = np.zeros(n_samples, dtype=np.uint64)
    buffer = np.empty(n_samples, dtype=np.uint32)
    total, left = np.zeros(n_sums), np.zeros(n_sums)
    # Depth first, left before right: the searches reuse the memory of finished branches.
    stack = np.empty((n_samples + 1, 6), dtype=np.int64)
    seeds = np.empty(n_samples + 1, dtype=np.uint64)
    stack[0] = (0, 0, n_samples, 0, n_runs, 0)
    seeds[0] = seed
    n_open = 0 if max_depth == 0 or _is_pure(members, labels) else 1
    while n_open > 0:
        n_open -= 1
        number, start, stop = stack[n_open, 0], stack[n_open, 1], stack[n_open, 2]
        depth, n_runs, base = stack[n_open, 3], stack[n_open, 4], stack[n_open, 5]
        node = OpenNode(number, start, stop, depth, n_runs, base, seeds[n_open])
        own = members[start:stop]
        weight, n = _sum_up(own, labels, values, weights, own_labels, firsts, total)
        n_present = n if values.shape[1] == 0 else 0
        sums = NodeSums(own_labels, firsts[:n_present], total[:n], left[:n], weight)
        cut = find_cut(search, samples, sums, own, node)
        if cut.feature == NO_CUT:
            continue
        n_left = _split_node(nodes, number, n_nodes, cut, weight, weights, goes_left)
        _partition(own, goes_left, buffer)
        middle = start + n_left
        may_grow = depth + 1 != max_depth
        left_grows = may_grow and not _is_pure(members[start:middle], labels)
        right_grows = may_grow and not _is_pure(members[middle:stop], labels)
        if left_grows or right_grows:
            n_runs, left_base, right_base = hand_down(
                search, node, goes_left, n_left, left_grows, right_grows
            )
            if right_grows:
                stack[n_open] = (n_nodes + 1, middle, stop, depth + 1, n_runs, right_base)
                seeds[n_open] = mixed(node.seed, 2)
                n_open += 1
            if left_grows:
                stack[n_open] = (n_nodes, start, middle, depth + 1, n_runs, left_base)
                seeds[n_open] = mixed(node.seed, 1)
                n_open += 1
        n_nodes += 2
    return _first_nodes(nodes, n_nodes)


@inner
def _leaves_only(size):
    """Allocate nodes, all of them leaves."""
    nothing = np.full((3, size), -1, dtype=np.int32)
    beside = np.zeros((2, size), dtype=np.int32)
    missing_left = np.zeros(size, dtype=np.bool_)
    return Nodes(nothing[0], nothing[1], nothing[2], beside[0], beside[1], missing_left)


@inner
def _first_nodes(nodes, n_nodes):
    """Copy the first nodes, so that the memory of all of them is freed."""
    return Nodes(
        nodes.left[:n_nodes].copy(),
        nodes.right[:n_nodes].copy(),
        nodes.feature[:n_nodes].copy(),
        nodes.below[:n_nodes].copy(),
        nodes.above[:n_nodes].copy(),
        nodes.missing_left[:n_nodes].copy(),
    )


@inner
def _sum_up(own, labels, values, weights, own_labels, firsts, total):
    """Write what :class:`NodeSums` holds of some samples; their weight, and how many sums."""
    n_outputs = values.shape[1]
    total[:n_outputs] = 0.0
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
    """Tell whether all samples have the same label, given in the order of their labels."""
    return labels[own[0]] == labels[own[-1]]


@inner
def _split_node(nodes, number, n_nodes, cut, weight, weights, goes_left):
    """Make a leaf an inner node, and mark its samples on the left; how many there are."""
    run = cut.run
    n_left, left_weight = 0, 0.0
    for j, key in enumerate(run):
        i = key & SAMPLE_MASK
        is_left = j < cut.n_left or (cut.missing_left and key >= MISSING_KEY)
        goes_left[i] = is_left
        n_left += is_left
        left_weight += is_left * weights[i]
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
    own[p:] = buffer[:q]


# ------------------------------------------------------------ the best cut of a sorted run


@partial(compiled, inline="always")
def scan_run(keys, start, n, labels, values, weights, total, left, weight, best, scale):
    """Find the best cut of a run, if its score is above ``best / scale``.

    Parameters
    ----------
    keys, start, n : the run is ``keys[start : start + n]``
    labels, values, weights : as in ``GrowthSamples``
    total, left, weight : as in ``NodeSums``
    best, scale : numerator and denominator of the best score so far; scores are compared
        as fractions, since a division takes longer than all the rest

    Returns
    -------
    best, scale : of the best score so far
    cut : how many keys are left of the cut, ``NO_CUT`` if none is better
    missing_left : whether the samples without a value are, too
    """
    best_cut, missing_left, n_missing = NO_CUT, False, 0
    while keys[start + n - 1 - n_missing] >= MISSING_KEY:
        n_missing += 1
    for with_missing in range(1 + (n_missing > 0)):
        # Missing values are right of all cuts, then left of all of them.
        n_added = n_missing if with_missing else 0
        best, scale, cut = _scan(
            keys, start, n - n_added, n_added, labels, values, weights, total, left, weight,
            best, scale,
        )  # fmt: skip
        if cut != NO_CUT:
            best_cut, missing_left = cut, with_missing == 1
    return best, scale, best_cut, missing_left


@inner
def _scan(
    keys, start, n, n_added, labels, values, weights, total, left, weight, best, scale
):
    """Find the best cut of a run; ``n_added`` samples behind it are left of all cuts."""
    left[:] = 0.0
    left_weight = 0.0
    for j in range(start + n, start + n + n_added):
        i = keys[j] & SAMPLE_MASK
        left_weight += weights[i]
        if values.shape[1] == 0:
            left[labels[i]] += weights[i]
        for k in range(values.shape[1]):
            left[k] += values[i, k]
    return scan_sorted(
        keys, start, n, labels, values, weights, total, left, left_weight, weight, best,
        scale,
    )  # fmt: skip


@partial(compiled, inline="always")
def scan_sorted(
    keys, start, n, labels, values, weights, total, left, left_weight, weight, best, scale
):
    """Find the best cut of a run, as :func:`scan_run`, in which no value is missing.

    ``left`` and ``left_weight`` are of samples that are left of all cuts; the former is
    overwritten.
    """
    if values.shape[1] == 0:
        return _scan_classes(
            keys, start, n, labels, weights, total, left, left_weight, weight, best, scale
        )
    if values.shape[1] == 1:
        return _scan_one_output(
            keys, start, n, values, weights, total[0], left[0], left_weight, weight, best,
            scale,
        )  # fmt: skip
    return _scan_outputs(
        keys, start, n, values, weights, total, left, left_weight, weight, best, scale
    )


@inner
def _scan_classes(
    keys, start, n, labels, weights, total, left, left_weight, weight, best, scale
):
    """Scan with class counts, whose squares change by ``(l + w)^2 - l^2`` a sample."""
    cut = NO_CUT
    left_square, right_square = 0.0, 0.0
    for c in range(len(total)):
        left_square += left[c] * left[c]
        right_square += (total[c] - left[c]) ** 2
    place = np.uint64(start)
    following = keys[place]
    for j in range(1, n):
        place += np.uint64(1)
        key, following = following, keys[place]
        i = key & SAMPLE_MASK
        c, w = np.uint32(labels[i]), weights[i]
        before = left[c]
        beyond = before - total[c]
        left_square += w * (before + before + w)
        right_square += w * (beyond + beyond + w)
        left[c] = before + w
        left_weight += w
        right_weight = weight - left_weight
        score = left_square * right_weight + right_square * left_weight
        product = left_weight * right_weight
        # Few scores are above the best one, so that branches are cheap if that is tested
        # first. The last test always holds: without it LLVM replaces the branches by
        # conditional moves, so that every score waits for the one before (twice as slow).
        if (
            score * scale > best * product
            and (key ^ following) >= RANK_STEP
            and min(left_weight, right_weight) > 0
        ):
            best, scale, cut = score, product, j
    return best, scale, cut


@inner
def _scan_outputs(
    keys, start, n, values, weights, total, left, left_weight, weight, best, scale
):
    """Scan with sums of values of several outputs."""
    cut = NO_CUT
    place = np.uint64(start)
    following = keys[place]
    for j in range(1, n):
        place += np.uint64(1)
        key, following = following, keys[place]
        i = key & SAMPLE_MASK
        left_weight += weights[i]
        for k in range(len(left)):
            left[k] += values[i, k]
        right_weight = weight - left_weight
        if (key ^ following) < RANK_STEP or min(left_weight, right_weight) < 0:
            continue
        left_square, right_square = 0.0, 0.0
        for k in range(len(left)):
            left_square += left[k] * left[k]
            right_square += (total[k] - left[k]) ** 2
        score = left_square * right_weight + right_square * left_weight
        product = left_weight * right_weight
        if score * scale > best * product:
            best, scale, cut = score, product, j
    return best, scale, cut


@inner
def _scan_one_output(
    keys, start, n, values, weights, total, left, left_weight, weight, best, scale
):
    """Scan with a sum that is a number: twice as fast as :func:`_scan_outputs`."""
    cut = NO_CUT
    place = np.uint64(start)
    following = keys[place]
    for j in range(1, n):
        place += np.uint64(1)
        key, following = following, keys[place]
        i = key & SAMPLE_MASK
        left_weight += weights[i]
        left += values[i, 0]
        right_weight = weight - left_weight
        score = left * left * right_weight + (total - left) ** 2 * left_weight
        product = left_weight * right_weight
        if (  # in this order, as in _scan_classes
            score * scale > best * product
            and (key ^ following) >= RANK_STEP
            and min(left_weight, right_weight) > 0
        ):
            best, scale, cut = score, product, j
    return best, scale, cut


# --------------------------------------------------------------------------------- scores


@compiled
def split_score(left_square, left_weight, right_square, right_weight):
    """``|S_left|^2 / W_left + |S_right|^2 / W_right``, with sums S and weights W.

    The larger it is, the smaller is the squared error (or the Gini impurity) that a split
    leaves. It does not depend on which side is called left, not even by rounding.
    """
    return (left_square * right_weight + right_square * left_weight) / (
        left_weight * right_weight
    )


@inner
def unbeaten_score(n, values, total):
    """Score of a node of ``n`` samples that ends the search, since no other is larger.

    Two samples have one split, so that any feature that varies will do. Small nodes of few
    classes are often separated by one of the first features, and most nodes are small.
    """
    if n == 2:
        return -1.0
    return np.inf if values.shape[1] > 0 else largest_class_score(total)


@compiled
def largest_class_score(total):
    """Score that no split of some samples exceeds, given their weights by class.

    The score is convex in the class weights on the left, so it is largest where every
    class is on one side. Infinite (no bound) where there are too many ways to do that.
    """
    present = np.empty(len(total), dtype=np.int64)
    n_present = 0
    weight = 0.0
    for c in range(len(total)):
        if total[c] > 0:
            present[n_present] = c
            n_present += 1
            weight += total[c]
    if n_present < 2 or n_present > _MOST_CLASSES:
        return np.inf
    largest = 0.0
    for subset in range(1, 1 << (n_present - 1)):
        left_square, right_square, left_weight = 0.0, 0.0, 0.0
        for bit in range(n_present):
            part = total[present[bit]]
            if subset >> bit & 1:
                left_square += part * part
                left_weight += part
            else:
                right_square += part * part
        score = split_score(left_square, left_weight, right_square, weight - left_weight)
        largest = max(largest, score)
    return largest


# ------------------------------------------------------------------------- random numbers


@compiled
def mixed(seed, number):
    """Draw the ``number``-th of a stream of random 64-bit integers (SplitMix64).

    Every node has a stream of its own, so that what it draws depends on its path from the
    root alone, and not on which nodes were split before it, or by which thread. Its first
    numbers are: 0, the feature that is tried first; 1 and 2, the seeds of the children;
    from 3 on, the features that are drawn.
    """
    state = np.uint64(seed) + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@inner
def drawn(order, visit, n_visits, seed):
    """Draw one of ``order[visit:n_visits]``, and exchange it with ``order[visit]``."""
    other = visit + np.int64(mixed(seed, 3 + visit) % np.uint64(n_visits - visit))
    order[visit], order[other] = order[other], order[visit]
    return np.int64(order[visit])
