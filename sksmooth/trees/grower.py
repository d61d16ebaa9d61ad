"""The built-in forest: least-squares trees on subsamples, grown from the top by histograms.

Nodes of many samples are split between 255 quantiles of every feature, and the winner's cut
is then placed exactly; nodes of few samples, where most of the wavelets are, are grown
exactly. All features are sorted before that; or, where a few of many are tried, those at
the node. Nothing depends on the order of the samples, or on how many workers there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from scipy import sparse
from sklearn.utils import check_random_state

from .._lib.parallel import run_parallel
from ..samples.samples import Samples
from ..samples.units import draw_bags
from .bins import MISSING_CODE, MOST_BINS, BinnedFeatures, bin_features
from .histograms import best_binned_cut
from .presorted import (
    MOST_SAMPLES,
    Subtree,
    grow_presorted,
    keep_varying_runs,
    keys_of_codes,
    keys_of_values,
    scan_classes,
    scan_values,
)
from .ranks import rank_codes, rank_features
from .sampled import grow_sampled
from .splits import GrowthSamples, growth_samples, mixed
from .tree import Forest, Tree, find_leaves

if TYPE_CHECKING:
    from .growth import Growth

__all__ = ["grow_trees"]

# Nodes are small, and grown exactly, up to so many samples; more where rows are short.
_FEW_SAMPLES, _ENOUGH_SAMPLES = 256, 512
_FEW_ENTRIES, _MOST_ENTRIES = 1 << 19, 1 << 22
_FEW_RANKS = 1 << 21  # entries where nodes sort what they try, and nothing else
# A node of a 64th of the samples still spreads over four bins of any feature.
_SMALL_SHARE = 64
# Nodes sort the features that they try, if there are so many times as many.
_FEW_TRIED = 3
# Samples halfway between the two sides of a cut go left whatever the rounding.
_LEANING = 1e-9


class GrowthLimits(NamedTuple):
    """When and where trees stop; ``max_depth`` is negative for no limit."""

    max_depth: int
    min_samples_leaf: int
    max_features: int
    few_are_tried: bool
    is_exact: bool


def grow_trees(samples: Samples, growth: Growth) -> tuple[Forest, np.ndarray, np.ndarray]:
    """Grow trees by least squares (or Gini, which is the same) on subsamples.

    Parameters
    ----------
    samples : Samples
        Checked samples: float32 or float64, NaN where there is no value, but not infinite.
    growth : Growth
        How they are grown.

    Returns
    -------
    forest : Forest
        The trees.
    bags : ndarray of shape (n_estimators, n_samples), float64
        The weight of every sample in every tree, 0 where it is out of the bag.
    leaves : ndarray of shape (n_estimators, n_samples), int32
        The leaf of every sample in every tree.
    """
    X, weights = samples.X, samples.weights
    n_estimators, n_jobs = int(growth.n_estimators), growth.n_jobs
    rng = check_random_state(growth.random_state)
    fraction = _bag_fraction(growth.max_samples, len(weights))
    bags = draw_bags(samples.units, weights, n_estimators, fraction, rng)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_estimators)
    summed = growth_samples(samples.targets, weights)
    n_tried = _number_of_features(growth.max_features, X.shape[1])
    limits = GrowthLimits(
        -1 if growth.max_depth is None else min(int(growth.max_depth), len(weights)),
        1,
        n_tried,
        few_are_tried=_FEW_TRIED * n_tried <= X.shape[1],
        is_exact=growth.max_bins is None,
    )
    n_largest = int((bags > 0).sum(axis=1).max())
    binned, ranks = _prepared_features(
        X, summed.weights, n_largest, limits, growth.max_bins, n_jobs
    )
    # Arrays on their own, not inside of others, so that distributed backends send each
    # of them once and not with every tree.
    bins = () if binned is None else tuple(vars(binned).values())
    n_threads = math.ceil(effective_n_jobs(n_jobs) / n_estimators)
    grown = run_parallel(
        (
            delayed(_grow_tree)(X, ranks, bag, limits, seed, n_threads, *summed, *bins)
            for seed, bag in zip(seeds.tolist(), bags, strict=True)
        ),
        n_estimators,
        n_jobs=n_jobs,
        label="trees",
        verbose=growth.verbose,
    )
    trees, leaves = zip(*grown, strict=True)
    return Forest(trees, X.shape[1], single_precision=False), bags, np.stack(leaves)


def _prepared_features(X, weights, n_largest: int, limits: GrowthLimits, max_bins, n_jobs):
    """Bins and ranks of the features, as far as trees of that many samples need them."""
    binned = ranks = None
    most_small = _most_small(n_largest, X.shape[1], limits.few_are_tried)
    if max_bins is not None or n_largest > most_small:
        binned = bin_features(X, weights, max_bins or MOST_BINS, n_jobs)
    if limits.few_are_tried:
        if binned is None or limits.is_exact:
            ranks = rank_features(X, n_jobs)
        else:
            ranks = rank_codes(binned.codes)
    return binned, ranks


def _bag_fraction(max_samples: float | int, n_samples: int) -> float:
    if not isinstance(max_samples, Integral):
        return max_samples
    if max_samples > n_samples:
        raise ValueError(
            f"max_samples={max_samples} is more than the {n_samples} rows (of a fold, in "
            "cross-validation); lower it, or pass a fraction."
        )
    return max_samples / n_samples


def _number_of_features(max_features: float | int | str | None, n_features: int) -> int:
    if max_features is None:
        return n_features
    if max_features == "sqrt":
        return max(1, int(math.sqrt(n_features)))
    if max_features == "log2":
        return max(1, int(math.log2(n_features)))
    if isinstance(max_features, Integral):
        return min(int(max_features), n_features)
    return max(1, int(max_features * n_features))


def _most_small(n_samples: int, n_features: int, few_are_tried: bool = False) -> int:
    """Largest number of samples of a small node, of a tree of so many samples."""
    few_entries = _FEW_RANKS if few_are_tried else _FEW_ENTRIES
    enough = min(_ENOUGH_SAMPLES, _MOST_ENTRIES // n_features)
    most = max(_FEW_SAMPLES, enough, few_entries // n_features, n_samples // _SMALL_SHARE)
    return min(most, MOST_SAMPLES)


class _Room:
    """Memory for keys, used again, since allocators keep large pieces that are freed."""

    def __init__(self) -> None:
        self.halves = np.empty((2, 0), dtype=np.uint32)

    def of_shape(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """An array of this shape, and a flat one of the same size."""
        size = math.prod(shape)
        if size > self.halves.shape[1]:
            del self.halves  # before there are more
            self.halves = np.empty((2, size), dtype=np.uint32)
        first, second = self.halves[:, :size]
        return first.reshape(shape), second


@dataclass(frozen=True)
class _Growth:
    """All that the growth of one tree reads, and the rooms that its threads work in."""

    X: np.ndarray | sparse.csr_matrix
    ranks: np.ndarray | None
    binned: Any  # BinnedFeatures, or None if cuts are exact
    samples: GrowthSamples
    limits: GrowthLimits
    least: float
    most_small: int
    n_threads: int
    rooms: list[_Room] = field(default_factory=list)

    @property
    def n_features(self) -> int:
        return self.X.shape[1]

    @contextmanager
    def room(self) -> Iterator[_Room]:
        """Room of this thread alone, as long as it is needed."""
        try:
            room = self.rooms.pop()
        except IndexError:  # all are in use
            room = _Room()
        yield room
        self.rooms.append(room)

    def run(self, function: Callable, arguments: Iterable[tuple]) -> list[Any]:
        """Results of calls, in threads if there are more workers than trees."""
        if self.n_threads == 1:  # joblib takes longer than a small node does
            return [function(self, *each) for each in arguments]
        return Parallel(n_jobs=self.n_threads, backend="threading")(
            delayed(function)(self, *each) for each in arguments
        )


class _Node(NamedTuple):
    number: int
    rows: np.ndarray
    depth: int
    seed: np.uint64


def _grow_tree(
    X, ranks, bag, limits, seed, n_threads, labels, values, weights, n_classes, *bins
):
    """One tree, and the leaf of every sample in it."""
    rows = np.flatnonzero(bag)
    growth = _Growth(
        X,
        ranks,
        BinnedFeatures(*bins) if bins else None,
        GrowthSamples(labels, values, weights, n_classes),
        limits,
        limits.min_samples_leaf * weights.min(),
        _most_small(len(rows), X.shape[1], limits.few_are_tried),
        min(n_threads, cpu_count()),  # of this machine, which may be one of many
    )
    top = _TopNodes()
    small = _grow_top(growth, top, _Node(top.add(), rows, 0, np.uint64(seed)))
    subtrees = growth.run(_grow_small, ((node,) for node in small))
    tree = top.with_subtrees([node.number for node in small], subtrees)
    grown = Forest((tree,), growth.n_features, single_precision=False)
    return tree, find_leaves(grown, X)[0]


class _TopNodes:
    """Nodes of a tree under construction, one entry a node."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self.right: list[int] = []
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.missing_left: list[bool] = []

    def add(self) -> int:
        leaf = (-1, -1, -1, 0.0, False)
        for column, value in zip(vars(self).values(), leaf, strict=True):
            column.append(value)
        return len(self.left) - 1

    def split(self, node: int, cut: _Cut) -> tuple[int, int]:
        """Make a leaf an inner node, and number its children."""
        self.feature[node], self.threshold[node] = cut.feature, cut.threshold
        self.missing_left[node] = cut.missing_left
        self.left[node], self.right[node] = self.add(), self.add()
        return self.left[node], self.right[node]

    def with_subtrees(self, roots: list[int], subtrees: list[Tree]) -> Tree:
        """The tree in which some leaves are the roots of others."""
        columns = [[np.array(column)] for column in vars(self).values()]
        n_nodes = len(self.left)
        for root, subtree in zip(roots, subtrees, strict=True):
            shift = n_nodes - 1  # of all nodes but the root
            for column, part in zip(columns, vars(subtree).values(), strict=True):
                if column is columns[0] or column is columns[1]:
                    part = np.where(part >= 0, part + shift, -1)
                column[0][root] = part[0]
                column.append(part[1:])
            n_nodes += subtree.n_nodes - 1
        left, right, feature, threshold, missing_left = map(np.concatenate, columns)
        return Tree(
            left.astype(np.int32),
            right.astype(np.int32),
            feature.astype(np.int32),
            threshold.astype(np.float64),
            missing_left.astype(bool),
        )


# ------------------------------------------------------------------ nodes of many samples


class _Cut(NamedTuple):
    feature: int
    threshold: float
    missing_left: bool
    goes_left: np.ndarray


def _grow_top(growth: _Growth, top: _TopNodes, root: _Node) -> list[_Node]:
    """Split nodes until they are small, and give the small ones."""
    small, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if len(node.rows) <= growth.most_small:
            small.append(node)
            continue
        own = growth.samples.take(node.rows)
        if node.depth == growth.limits.max_depth or (own.labels == own.labels[0]).all():
            continue
        cut = _best_cut(growth, node, own)
        if cut is None:
            # All varies within bins only, as it can with very unequal weights.
            if growth.limits.is_exact and len(node.rows) <= MOST_SAMPLES:
                small.append(node)
            continue
        left, right = top.split(node.number, cut)
        depth = node.depth + 1
        waiting += [
            _Node(right, node.rows[~cut.goes_left], depth, _draw(node.seed, 2)),
            _Node(left, node.rows[cut.goes_left], depth, _draw(node.seed, 1)),
        ]
    return small


def _best_cut(growth: _Growth, node: _Node, own: GrowthSamples) -> _Cut | None:
    """The best cut between bins, placed exactly within the two bins beside it."""
    n_features, max_features = growth.n_features, growth.limits.max_features
    if max_features < n_features:
        seed = int(node.seed & np.uint64(0xFFFFFFFF))
        parts = [np.random.RandomState(seed).permutation(n_features)]
    else:
        first = int(_draw(node.seed, 0) % np.uint64(n_features))
        features = np.roll(np.arange(n_features), -first)
        parts = np.array_split(features, min(growth.n_threads, n_features))
    stored = growth.binned.stored(node.rows)
    found = growth.run(_search_features, ((part, node.rows, stored, own) for part in parts))
    scores = [score for score, *_ in found]
    best = int(np.argmax(scores))  # the first of equal ones
    _, position, code, missing_left = found[best]
    if position < 0:
        return None
    feature = parts[best][position]
    codes = growth.binned.column(feature, node.rows, stored)
    return _placed_cut(growth, node, own, feature, codes, code, missing_left)


def _draw(seed: np.uint64, number: int) -> np.uint64:
    return np.uint64(mixed(seed, number))  # compiled functions give plain integers back


def _search_features(growth, features, rows, stored, own):
    counted, n_sums = own.weights, own.n_classes
    if own.n_classes == 0:
        n_sums = own.values.shape[1] + 1
    elif (counted == np.rint(counted)).all() and counted.sum() < np.iinfo(np.int32).max:
        counted = counted.astype(np.int32)
    histogram = np.empty((MOST_BINS + 1, n_sums), dtype=counted.dtype)
    binned = growth.binned
    return best_binned_cut(
        binned.dense_codes, rows, stored, binned.zero_codes, features, own.labels,
        own.values, counted, own.total, growth.least, growth.limits.max_features, histogram,
    )  # fmt: skip


def _placed_cut(growth, node, own, feature, codes, code, missing_left) -> _Cut:
    binned = growth.binned
    missing = codes == MISSING_CODE
    goes_left = (codes <= code) | (missing & missing_left)
    beyond = codes[(codes > code) & ~missing]
    if len(beyond) == 0:
        return _Cut(feature, np.inf, missing_left, goes_left)
    following = beyond.min()
    near = np.flatnonzero((codes == code) | (codes == following))
    if growth.limits.is_exact and len(near) <= MOST_SAMPLES:
        values = growth.X[node.rows[near], feature]
        if sparse.issparse(growth.X):
            values = np.asarray(values.todense())
        values = np.asarray(values).ravel()
        before = own.take(np.flatnonzero(goes_left & (codes != code)))
        below, above = _exact_ends(values, before, own.take(near), own, growth.least)
        goes_left[near] = values <= below
    else:
        below, above = binned.highest[feature, code], binned.lowest[feature, following]
    if not missing.any():  # if some come later, they go with most of the samples
        missing_left = bool(2 * own.weights[goes_left].sum() > own.weights.sum())
    return _Cut(feature, _between(below, above), missing_left, goes_left)


def _exact_ends(values, before, near, own, least):
    """Values beside the best cut among some samples, others being left of all of them."""
    keys = np.empty(len(values), dtype=np.uint32)
    keys_of_values(values[:, None], np.arange(len(values)), keys[None])
    weight, left_weight = own.weights.sum(), before.weights.sum()
    sums = (near.weights, own.total, before.total, left_weight, weight, least, -1.0, 1.0)
    if own.n_classes > 0:
        _, _, cut = scan_classes(keys, 0, len(keys), near.labels, *sums)
    else:
        _, _, cut = scan_values(keys, 0, len(keys), near.values, *sums)
    below, above = keys[cut - 1] & MOST_SAMPLES, keys[cut] & MOST_SAMPLES
    return values[below], values[above]


def _between(below, above):
    """Thresholds halfway between values, whatever the rounding not above the larger one."""
    below, above = np.asarray(below, np.float64), np.asarray(above, np.float64)
    middle = (0.5 - _LEANING) * below + (0.5 + _LEANING) * above
    return np.clip(middle, below, np.nextafter(above, -np.inf))


# ------------------------------------------------------------------- nodes of few samples


def _grow_small(growth: _Growth, node: _Node) -> Tree:
    """The subtree of a small node."""
    limits, own = growth.limits, growth.samples.take(node.rows)
    max_depth = limits.max_depth - node.depth if limits.max_depth >= 0 else -1
    options = max_depth, growth.least, limits.max_features, node.seed
    if growth.ranks is not None:
        subtree = grow_sampled(growth.ranks, node.rows, *own, *options)
        return _with_thresholds(growth, subtree, _value_of(growth, node.rows))
    is_sampled = limits.max_features < growth.n_features
    with growth.room() as room:
        value_of, features, keys, spare = _sorted_columns(growth, node.rows, room)
        # Those that do not vary would only be passed over, and a sparse block has fewer.
        varying = keep_varying_runs(keys)
        if len(varying) == 0:
            return _leaf()
        keys = keys[: len(varying)]
        subtree = grow_presorted(keys, spare, *own, *options, is_sampled)
    inner = subtree.left >= 0
    subtree.feature[inner] = features[varying[subtree.feature[inner]]]
    return _with_thresholds(growth, subtree, value_of)


def _with_thresholds(growth: _Growth, subtree: Subtree, value_of: Callable) -> Tree:
    """The tree of a subtree, given the values or codes of its samples by feature."""
    inner = np.flatnonzero(subtree.left >= 0)
    feature = subtree.feature[inner]
    below = value_of(subtree.below[inner], feature)
    above = value_of(subtree.above[inner], feature)
    if not growth.limits.is_exact:
        is_last = above == MISSING_CODE
        below = growth.binned.highest[feature, below]
        above = growth.binned.lowest[feature, np.where(is_last, 0, above)]
        above = np.where(is_last, np.nan, above)
    threshold = np.zeros(len(subtree.left))
    # Beyond the last value, if all that is right of the cut has none.
    threshold[inner] = np.where(np.isnan(above), np.inf, _between(below, above))
    return Tree(
        subtree.left, subtree.right, subtree.feature, threshold, subtree.missing_left
    )


def _value_of(growth: _Growth, rows: np.ndarray) -> Callable:
    """Values of dense samples by feature, or their codes."""
    if growth.limits.is_exact:
        return lambda sample, feature: growth.X[rows[sample], feature]
    return lambda sample, feature: growth.binned.codes[feature, rows[sample]]


def _sorted_columns(growth: _Growth, rows: np.ndarray, room: _Room):
    """Values or codes by sample and feature; features of the keys; keys; spare room."""
    features = np.arange(growth.n_features)
    if not growth.limits.is_exact:
        codes = growth.binned.take(rows)
        keys, spare = room.of_shape(codes.shape)
        keys_of_codes(codes, MISSING_CODE, keys)
        return lambda sample, feature: codes[feature, sample], features, keys, spare
    if not sparse.issparse(growth.X):
        keys, spare = room.of_shape((growth.n_features, len(rows)))
        keys_of_values(growth.X, rows, keys)
        return _value_of(growth, rows), features, keys, spare
    columns = sparse.csc_matrix(growth.X[rows])
    features = np.flatnonzero(np.diff(columns.indptr))
    block = columns[:, features].toarray(order="C")
    keys, spare = room.of_shape(block.T.shape)
    keys_of_values(block, np.arange(len(rows)), keys)

    def value_of(sample: np.ndarray, feature: np.ndarray) -> np.ndarray:
        return block[sample, np.searchsorted(features, feature)]

    return value_of, features, keys, spare


def _leaf() -> Tree:
    nothing = np.array([-1], dtype=np.int32)
    return Tree(nothing, nothing.copy(), nothing.copy(), np.zeros(1))
