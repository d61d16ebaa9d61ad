"""Exact growth of a tree on few samples: every feature is sorted once, then partitioned.

The samples of a node are, for every feature, one run of 32-bit keys: the rank of the value
in the upper half, the number of the sample in the lower one. A split is found by reading
each run once; the runs of the two children are written side by side, so that the smaller a
node gets, the denser it lies in the cache. Sums are of whole numbers, hence exact and
independent of the order of the samples (`GrowthSamples`).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from .._lib.compilation import compiled
from .splits import largest_class_score, mixed

__all__ = [
    "MOST_SAMPLES",
    "Subtree",
    "drawn",
    "first_nodes",
    "grow_presorted",
    "is_pure",
    "keep_varying_runs",
    "keys_of_codes",
    "keys_of_values",
    "leaves_only",
    "partition",
    "scan_classes",
    "scan_run",
    "scan_values",
    "split_node",
    "sums_of",
    "unbeaten_score",
]

MOST_SAMPLES = (1 << 16) - 1  # that 16 bits can number
_SAMPLE = np.uint32(0xFFFF)
_RANK_STEP = np.uint32(0x10000)
_MISSING = np.uint32(0xFFFF0000)  # rank of samples without a value: above all others
_CHUNK = 1 << 17  # entries sorted at a time
_USUAL_DEPTH = 64  # that few subtrees exceed, at which there is room for more


class Subtree(NamedTuple):
    """Nodes of a tree, parents before children; cuts by the samples beside them.

    ``below`` and ``above`` are the samples with the largest value to the left of a cut and
    the smallest to the right.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    below: np.ndarray
    above: np.ndarray
    missing_left: np.ndarray


def keys_of_values(values: np.ndarray, rows: np.ndarray, keys: np.ndarray) -> None:
    """Write the sorted keys of some rows of float32 or float64 values, a run a column."""
    n_features, n_samples = keys.shape
    width = max(1, _CHUNK // n_samples)
    for start in range(0, n_features, width):
        part = slice(start, start + width)
        chunk = np.ascontiguousarray(values[rows, part])
        if values.dtype == np.float32:
            pairs = _value_sample_pairs(chunk.view(np.uint32))
            pairs.sort(axis=1)
            _rank_pairs(pairs, keys[part])
        else:
            columns = np.ascontiguousarray(chunk.T)
            _rank_columns(columns, np.argsort(columns, axis=1), keys[part])


def keys_of_codes(codes: np.ndarray, missing: int, keys: np.ndarray) -> None:
    """Write the sorted keys of binned features, a run a feature, to ``keys``."""
    keys[:] = codes
    keys[codes == missing] = _MISSING >> np.uint32(16)
    keys <<= np.uint32(16)
    keys |= np.arange(codes.shape[1], dtype=np.uint32)
    keys.sort(axis=1)


@compiled
def keep_varying_runs(keys):
    """Move the rows of keys with more than one value to the front; give their numbers."""
    varying = np.empty(len(keys), dtype=np.int64)
    n_varying = 0
    for k in range(len(keys)):
        if (keys[k, 0] ^ keys[k, -1]) >= _RANK_STEP:
            keys[n_varying] = keys[k]
            varying[n_varying] = k
            n_varying += 1
    return varying[:n_varying]


@compiled
def _sortable(bits):
    """The bits of a float32 as an integer in the order of the numbers, NaN last."""
    sign, magnitude = bits & np.uint64(0x80000000), bits & np.uint64(0x7FFFFFFF)
    if magnitude > np.uint64(0x7F800000):
        return np.uint64(0xFFFFFFFF)
    if sign:  # -0 is 0
        return np.uint64(0x80000000) - magnitude
    return np.uint64(0x80000000) + magnitude


@compiled
def _value_sample_pairs(bits):
    """Pairs of float32 values, as integers in the same order, and their samples."""
    n_samples, n_features = bits.shape
    pairs = np.empty((n_features, n_samples), dtype=np.uint64)
    tile = 16  # of the transposition
    for k_tile in range(0, n_features, tile):
        for i_tile in range(0, n_samples, tile):
            for k in range(k_tile, min(n_features, k_tile + tile)):
                for i in range(i_tile, min(n_samples, i_tile + tile)):
                    pairs[k, i] = _sortable(bits[i, k]) << np.uint64(32) | np.uint64(i)
    return pairs


@compiled
def _rank_pairs(pairs, keys):
    for k in range(pairs.shape[0]):
        rank = np.uint32(0)
        previous = pairs[k, 0] >> np.uint64(32)
        for j in range(pairs.shape[1]):
            value = pairs[k, j] >> np.uint64(32)
            if value != previous:
                rank += _RANK_STEP
                previous = value
            if value == np.uint64(0xFFFFFFFF):
                rank = _MISSING
            keys[k, j] = rank | np.uint32(pairs[k, j])


@compiled
def _rank_columns(columns, order, keys):
    for k in range(columns.shape[0]):
        rank = np.uint32(0)
        previous = columns[k, order[k, 0]]
        for j in range(columns.shape[1]):
            i = order[k, j]
            value = columns[k, i]
            if np.isnan(value):
                rank = _MISSING
            elif value != previous:
                rank += _RANK_STEP
                previous = value
            keys[k, j] = rank | np.uint32(i)


@compiled
def grow_presorted(
    keys, spare, labels, values, weights, n_classes, max_depth, least, max_features,
    seed, is_sampled,
):  # fmt: skip
    """Grow a tree by least squares until its leaves are pure.

    Parameters
    ----------
    keys : (n_features, n_samples) uint32, sorted keys, which are overwritten
    spare : (n_features * n_samples,) uint32, which are written to
    labels, values, weights, n_classes : as in ``GrowthSamples``, of these samples
    max_depth : largest depth, negative for none
    least : smallest weight of a leaf
    max_features : number of features that vary which are tried at a node
    seed : uint64, of the order in which features are tried
    is_sampled : whether they are drawn at random, there being more than are tried

    Returns
    -------
    Subtree
    """
    n_features, n_samples = keys.shape
    n_sums = values.shape[1] if values.shape[1] > 0 else n_classes
    nodes = leaves_only(2 * n_samples)
    n_nodes = 1

    # A node's keys lie in one of two arrays, by the parity of its depth, from `base` on,
    # with one run for each feature that varies: row r is the feature `varying[depth][r]`.
    # What a node leaves behind is overwritten by its grandchildren.
    runs = (keys.ravel(), spare)
    varying = np.empty((min(n_samples + 1, _USUAL_DEPTH), n_features), dtype=np.int32)
    for k in range(n_features):
        varying[0, k] = k
    samples = np.arange(n_samples).astype(np.uint32)
    order = np.empty(n_features, dtype=np.int32)
    goes_left = np.zeros(n_samples, dtype=np.int64)
    buffer = np.empty(n_samples, dtype=np.uint32)
    total, part = np.zeros(n_sums), np.zeros(n_sums)
    stack = np.empty((n_samples + 1, 6), dtype=np.int64)
    seeds = np.empty(n_samples + 1, dtype=np.uint64)
    stack[0] = (0, 0, n_samples, 0, n_features, 0)
    seeds[0] = seed
    n_open = 1
    while n_open > 0:
        n_open -= 1
        node, start, stop = stack[n_open, 0], stack[n_open, 1], stack[n_open, 2]
        depth, n_rows, base = stack[n_open, 3], stack[n_open, 4], stack[n_open, 5]
        node_seed = seeds[n_open]
        n = stop - start
        own = samples[start:stop]
        weight = sums_of(own, labels, values, weights, total)
        if depth == max_depth or weight < 2 * least or is_pure(own, labels):
            continue
        now, then = runs[depth % 2], runs[(depth + 1) % 2]
        row, cut, cut_with_missing = _best_cut(
            now, base, n, n_rows, labels, values, weights, total, part, weight, least,
            max_features, is_sampled, node_seed, order,
        )  # fmt: skip
        if row < 0:
            continue
        run = now[base + row * n : base + (row + 1) * n]
        n_left = split_node(
            nodes, node, n_nodes, run, cut, cut_with_missing, weight, weights, goes_left
        )
        nodes.feature[node] = varying[depth, row]
        partition(own, goes_left, buffer)
        middle = start + n_left
        left_grows = not is_pure(samples[start:middle], labels)
        right_grows = not is_pure(samples[middle:stop], labels)
        if depth + 1 == len(varying):
            varying = np.concatenate((varying, np.empty_like(varying)))
        n_varying, right_base = 0, base
        if left_grows or right_grows:
            n_varying, right_base = _hand_down(
                now, base, n, n_rows, varying[depth], goes_left, n_left, left_grows,
                right_grows, then, varying[depth + 1], order,
            )  # fmt: skip
        if right_grows:
            stack[n_open] = (n_nodes + 1, middle, stop, depth + 1, n_varying, right_base)
            seeds[n_open] = mixed(node_seed, 2)
            n_open += 1
        if left_grows:
            stack[n_open] = (n_nodes, start, middle, depth + 1, n_varying, base)
            seeds[n_open] = mixed(node_seed, 1)
            n_open += 1
        n_nodes += 2
    return first_nodes(nodes, n_nodes)


@compiled
def leaves_only(size):
    """Nodes without children; of arrays with one entry a node."""
    nothing = np.full((3, size), -1, dtype=np.int32)
    beside = np.zeros((2, size), dtype=np.int32)
    missing_left = np.zeros(size, dtype=np.bool_)
    return Subtree(nothing[0], nothing[1], nothing[2], beside[0], beside[1], missing_left)


@compiled
def first_nodes(nodes, n_nodes):
    """The first nodes, in arrays that hold no others."""
    return Subtree(
        nodes.left[:n_nodes].copy(),
        nodes.right[:n_nodes].copy(),
        nodes.feature[:n_nodes].copy(),
        nodes.below[:n_nodes].copy(),
        nodes.above[:n_nodes].copy(),
        nodes.missing_left[:n_nodes].copy(),
    )


@compiled
def split_node(nodes, node, n_nodes, run, cut, with_missing, weight, weights, goes_left):
    """Make a leaf an inner node, and mark its samples on the left; how many there are."""
    n_left, left_weight = _send(run, cut, with_missing, weights, goes_left)
    nodes.left[node], nodes.right[node] = n_nodes, n_nodes + 1
    nodes.below[node] = run[cut - 1] & _SAMPLE
    nodes.above[node] = run[cut] & _SAMPLE
    if run[-1] >= _MISSING:
        nodes.missing_left[node] = with_missing
    else:  # none was seen: they go with most of the samples
        nodes.missing_left[node] = 2 * left_weight > weight
    return n_left


@compiled
def sums_of(own, labels, values, weights, total):
    """Weight of some samples; their sums by class or by output go to ``total``."""
    total[:] = 0.0
    weight = 0.0
    for i in own:
        weight += weights[i]
        if values.shape[1] == 0:
            total[labels[i]] += weights[i]
        for k in range(values.shape[1]):
            total[k] += values[i, k]
    return weight


@compiled
def is_pure(own, labels):
    """Whether all samples have the same label."""
    for i in own:  # noqa: SIM110 (numba compiles no generators)
        if labels[i] != labels[own[0]]:
            return False
    return True


@compiled
def _varies(keys, start, n):
    return (keys[start] ^ keys[start + n - 1]) >= _RANK_STEP


@compiled
def _best_cut(
    keys, base, n, n_rows, labels, values, weights, total, part, weight, least,
    max_features, is_sampled, seed, order,
):  # fmt: skip
    """Row and position of the best cut, -1 if there is none, and the side of missing ones.

    Rows are tried in a cyclic order that begins at random, or in random order those that
    vary, if some are to be tried only; the first of several equal cuts is taken. Ends when
    no other cut can be better.
    """
    best, scale, best_row, best_cut, best_with_missing = -1.0, 1.0, -1, -1, False
    enough = unbeaten_score(n, values, total)
    first = np.int64(mixed(seed, 0) % np.uint64(n_rows))
    n_visits = n_rows
    if is_sampled:
        n_visits = 0
        for r in range(n_rows):
            order[n_visits] = r
            n_visits += _varies(keys, base + r * n, n)
    n_tried = 0
    for visit in range(n_visits):
        if is_sampled:
            row = drawn(order, visit, n_visits, seed)
        else:
            row = first + visit
            if row >= n_rows:
                row -= n_rows
        start = base + row * n
        if not _varies(keys, start, n):
            continue
        best, scale, cut, with_missing = scan_run(
            keys, start, n, labels, values, weights, total, part, weight, least, best, scale
        )
        if cut >= 0:
            best_row, best_cut, best_with_missing = row, cut, with_missing
        n_tried += 1
        if best / scale >= enough or (n_tried >= max_features and best_row >= 0):
            break
    return best_row, best_cut, best_with_missing


@compiled
def unbeaten_score(n, values, total):
    """Score of ``n`` samples that ends the search, since no other is larger."""
    if n == 2:
        return -1.0
    return np.inf if values.shape[1] > 0 else largest_class_score(total)


@compiled
def drawn(order, visit, n_visits, seed):
    """The next of so many entries of ``order`` in a random order, which is moved there."""
    other = visit + np.int64(mixed(seed, 3 + visit) % np.uint64(n_visits - visit))
    order[visit], order[other] = order[other], order[visit]
    return np.int64(order[visit])


@partial(compiled, inline="always")
def scan_run(
    keys, start, n, labels, values, weights, total, part, weight, least, best, scale
):
    """Best cut of a run, if its score is above ``best / scale``, and the missing side."""
    best_cut, best_with_missing, n_missing = -1, False, 0
    while keys[start + n - 1 - n_missing] >= _MISSING:
        n_missing += 1
    for with_missing in range(1 + (n_missing > 0)):
        # Missing values are right of all cuts, then left of all of them.
        n_added = n_missing if with_missing else 0
        best, scale, cut = _scan(
            keys, start, n - n_added, n_added, labels, values, weights, total, part, weight,
            least, best, scale,
        )  # fmt: skip
        if cut >= 0:
            best_cut, best_with_missing = cut, with_missing == 1
    return best, scale, best_cut, best_with_missing


@compiled
def _scan(
    keys, start, n, n_added, labels, values, weights, total, left, weight, least, best,
    scale,
):  # fmt: skip
    """Best cut of a run; the ``n_added`` samples that follow it are left of all cuts."""
    # Slices would count references, which takes longer than to read a short run.
    left[:] = 0.0
    left_weight = 0.0
    for j in range(start + n, start + n + n_added):
        i = keys[j] & _SAMPLE
        left_weight += weights[i]
        if values.shape[1] == 0:
            left[labels[i]] += weights[i]
        for k in range(values.shape[1]):
            left[k] += values[i, k]
    sums = (weights, total, left, left_weight, weight, least, best, scale)
    if values.shape[1] == 0:
        return scan_classes(keys, start, n, labels, *sums)
    if values.shape[1] == 1:
        return _scan_numbers(
            keys, start, n, values, weights, total[0], left[0], left_weight, weight, least,
            best, scale,
        )  # fmt: skip
    return scan_values(keys, start, n, values, *sums)


@compiled
def scan_classes(
    keys, start, n, labels, weights, total, left, left_weight, weight, least, best, scale
):  # fmt: skip
    """Best cut of a run of keys, if its score is above ``best / scale``.

    Squares of class counts change by ``(l + w)^2 - l^2`` with every sample. ``left`` holds
    what is left of all cuts, and is overwritten.

    Returns
    -------
    best, scale : numerator and denominator of the best score: a division takes longer
        than all the rest
    cut : how many keys are left of the cut, -1 if none is better
    """
    cut = -1
    left_square, right_square = 0.0, 0.0
    for c in range(len(total)):
        left_square += left[c] * left[c]
        right_square += (total[c] - left[c]) ** 2
    following = keys[start]
    for j in range(1, n):
        key, following = following, keys[start + j]
        i = key & _SAMPLE
        c, w = labels[i], weights[i]
        before = left[c]
        beyond = before - total[c]
        left_square += w * (before + before + w)
        right_square += w * (beyond + beyond + w)
        left[c] = before + w
        left_weight += w
        right_weight = weight - left_weight
        score = left_square * right_weight + right_square * left_weight
        product = left_weight * right_weight
        # Few scores are above the best one, so this order of the tests is the fastest.
        if (
            score * scale > best * product
            and (key ^ following) >= _RANK_STEP
            and min(left_weight, right_weight) >= least
        ):
            best, scale, cut = score, product, j
    return best, scale, cut


@compiled
def scan_values(
    keys, start, n, values, weights, total, left, left_weight, weight, least, best, scale
):  # fmt: skip
    """As :func:`scan_classes`, with sums of values for counts of classes."""
    cut = -1
    following = keys[start]
    for j in range(1, n):
        key, following = following, keys[start + j]
        i = key & _SAMPLE
        left_weight += weights[i]
        for k in range(len(left)):
            left[k] += values[i, k]
        right_weight = weight - left_weight
        if (key ^ following) < _RANK_STEP or min(left_weight, right_weight) < least:
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


@compiled
def _scan_numbers(
    keys, start, n, values, weights, total, left, left_weight, weight, least, best, scale
):
    """As :func:`scan_values`, of one output: in less time, as its sum is a number."""
    cut = -1
    following = keys[start]
    for j in range(1, n):
        key, following = following, keys[start + j]
        i = key & _SAMPLE
        left_weight += weights[i]
        left += values[i, 0]
        right_weight = weight - left_weight
        if (key ^ following) < _RANK_STEP or min(left_weight, right_weight) < least:
            continue
        score = left * left * right_weight + (total - left) ** 2 * left_weight
        product = left_weight * right_weight
        if score * scale > best * product:
            best, scale, cut = score, product, j
    return best, scale, cut


@compiled
def _send(run, cut, with_missing, weights, goes_left):
    """Mark the samples left of a cut; their number and weight."""
    n_left, left_weight = 0, 0.0
    for j, key in enumerate(run):
        i = key & _SAMPLE
        is_left = j < cut or (with_missing and key >= _MISSING)
        goes_left[i] = is_left
        n_left += is_left
        left_weight += is_left * weights[i]
    return n_left, left_weight


@compiled
def partition(samples, goes_left, buffer):
    """Move the samples that go left to the front, in their order."""
    p, q = 0, 0
    for i in samples:
        side = goes_left[i]
        samples[p], buffer[q] = i, i
        p += side
        q += 1 - side
    samples[p:] = buffer[:q]


@compiled
def _hand_down(
    now, base, n, n_rows, varying, goes_left, n_left, left_grows, right_grows, then,
    varying_then, order,
):  # fmt: skip
    """Write the runs of the children that grow; how many, and where the right ones begin.

    Features that did not vary in the node do not vary in its children.
    """
    n_varying = 0
    for r in range(n_rows):
        order[n_varying] = r
        varying_then[n_varying] = varying[r]
        n_varying += _varies(now, base + r * n, n)
    rows = order[:n_varying]
    if left_grows and right_grows:
        right_base = base + n_varying * n_left
        _split_runs(now, base, n, rows, goes_left, then, base, n_left, right_base)
        return n_varying, right_base
    n_kept = n_left if left_grows else n - n_left
    _keep_runs(now, base, n, rows, goes_left, left_grows, then, base, n_kept)
    return n_varying, base


@compiled
def _split_runs(keys, start, n, rows, goes_left, out, left_base, n_left, right_base):
    """Write the runs of both children, without branches but in the last row.

    A key is written to both sides, and the position moves on where it belongs: what is
    written too much lies where the next run begins, which is written later.
    """
    n_right = n - n_left
    for r in range(len(rows)):
        p, q = left_base + r * n_left, right_base + r * n_right
        first = start + rows[r] * n
        if r < len(rows) - 1:
            for j in range(first, first + n):
                key = keys[j]
                side = goes_left[key & _SAMPLE]
                out[p], out[q] = key, key
                p += side
                q += 1 - side
        else:
            for j in range(first, first + n):
                key = keys[j]
                if goes_left[key & _SAMPLE]:
                    out[p] = key
                    p += 1
                else:
                    out[q] = key
                    q += 1


@compiled
def _keep_runs(keys, start, n, rows, goes_left, side, out, base, n_kept):
    """Write the runs of one child alone, the other one being a leaf."""
    for r in range(len(rows)):
        p = base + r * n_kept
        end = p + n_kept
        first = start + rows[r] * n
        for j in range(first, first + n):
            if p == end:
                break
            key = keys[j]
            out[p] = key
            p += goes_left[key & _SAMPLE] == side
