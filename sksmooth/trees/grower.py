"""The built-in forest: least-squares trees on subsamples, grown from the root down.

Nodes of many samples are split between 255 quantiles of every feature, and the winner's cut
is then placed exactly; nodes of few samples, where most of the wavelets are, are grown
exactly. ``choose_search`` says how. Nothing depends on the order of the samples, or on how
many workers there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from scipy import sparse
from sklearn.utils import check_random_state

from .._lib.parallel import run_parallel
from ..samples import Samples, draw_bags
from .bins import MISSING_CODE, MOST_BINS, bin_features
from .categories import N_FOLDS, CategoryPlaces, order_categories
from .exact_sums import growth_samples
from .kernels import MOST_SAMPLES, mixed
from .options import Growth, number_of_trees
from .problem import GrowthProblem, Search, TopNode
from .ranks import rank_codes, rank_features, with_ranks
from .tree import Forest, Tree, find_leaves

# The searches are imported where a tree is grown, since defining them needs numba.
if TYPE_CHECKING:
    from .histograms import PlacedCut
    from .subtrees import KeyBuffers

__all__ = ["Search", "choose_search", "grow_batches", "grow_trees"]


# Nodes are grown exactly up to this number of samples; more where rows are short.
_FEW_SAMPLES, _ENOUGH_SAMPLES = 256, 512
_FEW_ENTRIES, _MOST_ENTRIES = 1 << 19, 1 << 22
_FEW_RANKS = 1 << 21  # entries, where nodes sort the few features that they try
_SMALL_SHARE = 64  # of the samples of the tree: such nodes spread over four bins or more
# Nodes sort the features that they try, if there are so many times as many, in forests of
# so many trees at least.
_FEW_TRIED, _SOME_TREES = 3, 2


def choose_search(
    n_node: int,
    n_tree: int,
    *,
    n_features: int,
    n_tried: int,
    n_trees: int,
    is_exact: bool = True,
) -> Search:
    """Choose how a node is split.

    *Exactly or by histogram.* A histogram reads all samples of a feature at every node;
    presorting writes and reads 8 bytes an entry, which is as fast as long as a node's keys
    stay in the caches. So nodes are grown exactly up to 512 samples or 2^19 entries (2^21
    where a few features are tried, and sorted at the node), and up to a 64th of the tree's
    samples, below which bins of all samples are too coarse to help.

    *Presorted or sampled.* Nodes that sort the features that they try save sorting and
    partitioning all of them, but need the ranks of the features of all samples. These
    cost as much as presorting one tree or two. Measured on 500 to 20,000 samples of 20 to
    2,000 features with ``max_features="sqrt"``, forests presorted took 0.4 to 0.8 times as
    long as with ranks for one tree, 0.8 to 1.2 times for two, 0.9 to 1.4 times for three,
    and 1.1 to 1.9 times for five. The ranks of bins cost nothing, so that with ``max_bins``
    sampling is faster for one tree already (presorted: 1.2 to 1.4 times).

    The two grow the same trees, bit for bit; those of histograms may differ, so whether a
    node is split by one does not depend on the number of trees.

    Parameters
    ----------
    n_node, n_tree : int
        Number of samples of the node, and of the tree.
    n_features, n_tried : int
        Number of features, and of those that are tried at a node.
    n_trees : int
        Number of trees of the forest.
    is_exact : bool, default=True
        Whether cuts lie between any two values, not between bins only.

    Returns
    -------
    search : Search
        How to split it. Where the samples cannot be ranked, ``PRESORTED`` takes the place
        of ``SAMPLED``.
    """
    few_are_tried = _FEW_TRIED * n_tried <= n_features
    few_entries = _FEW_RANKS if few_are_tried else _FEW_ENTRIES
    most_exact = max(
        _FEW_SAMPLES,
        min(_ENOUGH_SAMPLES, _MOST_ENTRIES // n_features),
        few_entries // n_features,
        n_tree // _SMALL_SHARE,
    )
    if n_node > min(most_exact, MOST_SAMPLES):
        return Search.HISTOGRAM
    if few_are_tried and (n_trees >= _SOME_TREES or not is_exact):
        return Search.SAMPLED
    return Search.PRESORTED


def grow_trees(
    samples: Samples, growth: Growth, rule: Callable[..., Search] = choose_search
) -> tuple[Forest, np.ndarray, np.ndarray]:
    """Grow trees by least squares (or Gini, which is the same) on subsamples.

    Parameters
    ----------
    samples : Samples
        Checked samples: float32 or float64, NaN where there is no value, but not infinite.
    growth : Growth
        How they are grown.
    rule : callable, default=choose_search
        Chooses how a node is split, given what ``choose_search`` is given.

    Returns
    -------
    forest : Forest
        The trees.
    bags : ndarray of shape (n_estimators, n_samples), float64
        The weight of every sample in every tree, 0 where it is out of bag.
    leaves : ndarray of shape (n_estimators, n_samples), int32
        The leaf of every sample in every tree.
    """
    *_, grown = grow_batches(samples, growth, lambda n_trees: [n_trees], rule=rule)
    return grown[:3]


def grow_batches(
    samples: Samples,
    growth: Growth,
    sizes: Callable[[int], Sequence[int]],
    *,
    rule: Callable[..., Search] = choose_search,
    beside: GrowthProblem | None = None,
) -> Iterator[tuple[Forest, np.ndarray, np.ndarray, GrowthProblem]]:
    """Grow the same trees in batches, each together with those before it.

    Parameters
    ----------
    samples, growth, rule
        As in :func:`grow_trees`.
    sizes : callable
        Gives increasing numbers of trees, of which the last is all, given that.
    beside : GrowthProblem, default=None
        That of another forest on the same samples, whose bins are used again.

    Yields
    ------
    forest, bags, leaves, problem
        As :func:`grow_trees` returns them, of so many trees; and what was searched.
    """
    n_trees = number_of_trees(
        growth.n_estimators, growth.max_samples, samples.units.n_units
    )
    rng = check_random_state(growth.random_state)
    fraction = _bag_fraction(growth.max_samples, len(samples.weights))
    bags = draw_bags(samples.units, samples.weights, n_trees, fraction, rng)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_trees)
    n_largest = int((bags > 0).sum(axis=1).max())
    folds = None
    if samples.category_counts:
        units = samples.units
        folds = (rng.permutation(units.n_units) % N_FOLDS)[units.unit]
    problem = _prepared(samples, growth, n_trees, n_largest, rule, folds, beside)
    grown: list[tuple[Tree, np.ndarray]] = []
    for size in sizes(n_trees):
        batch = slice(len(grown), size)
        n_threads = math.ceil(effective_n_jobs(growth.n_jobs) / (size - len(grown)))
        grown += run_parallel(
            (
                delayed(_grow_tree)(problem, np.packbits(bag > 0), seed, n_threads)
                for seed, bag in zip(seeds[batch].tolist(), bags[batch], strict=True)
            ),
            size - len(grown),
            n_jobs=growth.n_jobs,
            label="trees",
            verbose=growth.verbose,
        )
        trees, leaves = zip(*grown, strict=True)
        forest = Forest(trees, problem.n_features, single_precision=False)
        yield forest, bags[:size], np.stack(leaves, dtype=np.int32), problem


def _prepared(
    samples: Samples,
    growth: Growth,
    n_trees: int,
    n_largest: int,
    rule: Callable[..., Search],
    folds: np.ndarray | None,
    beside: GrowthProblem | None,
) -> GrowthProblem:
    """Bin and rank the features, as far as trees of so many samples need that."""
    X, summed = samples.X, growth_samples(samples.targets, samples.weights)
    n_samples, n_features = X.shape
    n_tried = _number_of_features(growth.max_features, n_features)
    is_exact = growth.max_bins is None
    choose = partial(
        rule,
        n_features=n_features,
        n_tried=n_tried,
        n_trees=n_trees,
        is_exact=is_exact,
    )
    binned: Any = None
    ranks = None
    if choose(n_largest, n_largest) is Search.HISTOGRAM or not is_exact:
        if beside is not None and beside.max_bins == growth.max_bins:
            binned = beside.binned
        if binned is None:
            binned = bin_features(
                X, summed.weights, growth.max_bins or MOST_BINS, growth.n_jobs
            )
    if choose(1, n_largest) is Search.SAMPLED:
        tell_all = binned is not None and (binned.hold_all or not is_exact)
        ranks = rank_codes(binned.codes) if tell_all else rank_features(X, growth.n_jobs)
    keys = None
    are_roots = choose(n_largest, n_largest) is Search.PRESORTED
    if are_roots and not samples.category_counts and n_trees * n_largest >= 2 * n_samples:
        keys = _sorted_keys(X if is_exact else binned.codes, is_exact=is_exact)
    return GrowthProblem(
        X=X,
        summed=summed,
        binned=binned,
        ranks=ranks,
        keys=keys,
        max_depth=-1 if growth.max_depth is None else min(int(growth.max_depth), n_samples),
        max_features=n_tried,
        category_counts=samples.category_counts,
        folds=folds,
        max_bins=growth.max_bins,
        choose=choose,
    )


def _sorted_keys(X: Any, *, is_exact: bool) -> np.ndarray | None:
    """Sort the samples by every feature, or by its bins, for all trees at once."""
    n_samples = X.shape[0 if is_exact else 1]
    if sparse.issparse(X) or n_samples > MOST_SAMPLES:
        return None
    from .keys import keys_of_codes, keys_of_values

    keys = np.empty(X.shape[::-1] if is_exact else X.shape, dtype=np.uint32)
    if is_exact:
        keys_of_values(X, np.arange(n_samples), keys)
    else:
        keys_of_codes(X, MISSING_CODE, keys)
    return keys


def _bag_fraction(max_samples: float | int, n_samples: int) -> float:
    if not isinstance(max_samples, Integral):
        return max_samples
    if max_samples > n_samples:
        raise ValueError(
            f"max_samples={max_samples} exceeds the {n_samples} rows (of a fold, in "
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


# --------------------------------------------------------------------------- one tree


def _grow_tree(
    problem: GrowthProblem, in_bag: np.ndarray, seed: int, n_threads: int
) -> tuple[Tree, np.ndarray]:
    """Grow one tree, and find the leaf of every sample in it.

    The samples in the bag are given by bits, and leaves by the shortest integers that hold
    them, since both are sent if trees grow in other processes.
    """
    if n_threads > 1:  # counting processors takes as long as a small tree
        n_threads = min(n_threads, cpu_count())  # of this machine, which may be one of many
    rows, places, grown_on = np.flatnonzero(np.unpackbits(in_bag)), None, problem
    if problem.folds is not None:
        grown_on, places = _ordered(problem, problem.folds, rows)
    tree = _TreeGrower(grown_on, rows, np.uint64(seed), n_threads).tree()
    if places is not None:
        tree = replace(tree, places=places)
    grown = Forest((tree,), problem.n_features, single_precision=False)
    leaves = find_leaves(grown, problem.X)[0]
    return tree, leaves.astype(np.min_scalar_type(tree.n_nodes))


def _ordered(
    problem: GrowthProblem, folds: np.ndarray, rows: np.ndarray
) -> tuple[GrowthProblem, CategoryPlaces]:
    """Put the places of one tree in the columns of categories."""
    counts, binned, ranks = problem.category_counts, problem.binned, problem.ranks
    columns, X = np.array(list(counts)), np.array(problem.X)
    own_codes = X[np.ix_(rows, columns)]
    values, places = order_categories(
        own_codes, counts, problem.summed.take(rows), folds[rows]
    )
    X[:, columns] = np.nan
    X[np.ix_(rows, columns)] = values
    if binned is not None:
        most_bins = problem.max_bins or MOST_BINS
        own = bin_features(X[:, columns], problem.summed.weights, most_bins)
        binned = binned.with_features(columns, own)
    if ranks is not None:
        own = rank_features(X[:, columns]) if problem.is_exact else rank_codes(own.codes)
        ranks = with_ranks(ranks, columns, own)
    return replace(problem, X=X, binned=binned, ranks=ranks), places


class _TreeGrower:
    """Growth of one tree: nodes of many samples first, then those of few below them."""

    def __init__(
        self, problem: GrowthProblem, rows: np.ndarray, seed: np.uint64, n_threads: int
    ) -> None:
        self.problem = problem
        self.n_samples = len(rows)
        self.n_threads = n_threads
        self.top = _TopNodes()
        self.root = TopNode(self.top.add(), rows, 0, seed)
        self.free_buffers: list[KeyBuffers] = []

    def tree(self) -> Tree:
        """Grow the tree."""
        open_nodes = self._grow_top()
        subtrees = self._run(self._grow_subtree, [(node,) for node in open_nodes])
        return self.top.with_subtrees([node.number for node in open_nodes], subtrees)

    def _search_of(self, node: TopNode) -> Search:
        return self.problem.choose(len(node.rows), self.n_samples)

    def _grow_top(self) -> list[TopNode]:
        """Split nodes by histograms, and return those that are to be split otherwise."""
        from .histograms import find_binned_cut

        problem = self.problem
        open_nodes, waiting = [], [self.root]
        while waiting:
            node = waiting.pop()
            if node.depth == problem.max_depth:
                continue
            if self._search_of(node) is not Search.HISTOGRAM:
                open_nodes.append(node)
                continue
            own = problem.summed.take(node.rows)
            if (own.labels == own.labels[0]).all():
                continue
            cut = find_binned_cut(problem, node, own, self.n_threads, self._run)
            if cut is not None:
                waiting += self._children(node, cut)
            elif problem.is_exact and len(node.rows) <= MOST_SAMPLES:
                # All varies within bins only, as it can with very unequal weights.
                open_nodes.append(node)
        return open_nodes

    def _children(self, node: TopNode, cut: PlacedCut) -> list[TopNode]:
        left, right = self.top.split(node.number, cut)
        # Compiled functions give plain integers back.
        seeds = [np.uint64(mixed(node.seed, side)) for side in (1, 2)]
        return [
            TopNode(right, node.rows[~cut.goes_left], node.depth + 1, seeds[1]),
            TopNode(left, node.rows[cut.goes_left], node.depth + 1, seeds[0]),
        ]

    def _grow_subtree(self, node: TopNode) -> Tree:
        # Samples cannot be ranked if they are sparse, or of too many values.
        from .subtrees import grow_presorted, grow_sampled

        if self._search_of(node) is Search.SAMPLED and self.problem.ranks is not None:
            return grow_sampled(self.problem, node)
        with self._buffers() as buffers:
            return grow_presorted(self.problem, node, buffers)

    @contextmanager
    def _buffers(self) -> Iterator[KeyBuffers]:
        """Lend buffers to one thread, as long as it needs them."""
        try:
            buffers = self.free_buffers.pop()
        except IndexError:  # all are in use
            from .subtrees import KeyBuffers

            buffers = KeyBuffers()
        yield buffers
        self.free_buffers.append(buffers)

    def _run(self, function: Callable[..., Any], arguments: list[tuple]) -> list[Any]:
        """Call a function, in threads if there are more workers than trees."""
        if self.n_threads == 1:  # joblib takes longer than a small node does
            return [function(*each) for each in arguments]
        return Parallel(n_jobs=self.n_threads, backend="threading")(
            delayed(function)(*each) for each in arguments
        )


class _TopNodes:
    """Nodes of a tree under construction, one entry per node."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self.right: list[int] = []
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.missing_left: list[bool] = []

    def add(self) -> int:
        """Add a leaf, and return its number."""
        self.left.append(-1)
        self.right.append(-1)
        self.feature.append(-1)
        self.threshold.append(0.0)
        self.missing_left.append(False)
        return len(self.left) - 1

    def split(self, node: int, cut: PlacedCut) -> tuple[int, int]:
        """Make a leaf an inner node, and return the numbers of its children."""
        self.feature[node], self.threshold[node] = cut.feature, cut.threshold
        self.missing_left[node] = cut.missing_left
        self.left[node], self.right[node] = self.add(), self.add()
        return self.left[node], self.right[node]

    def with_subtrees(self, roots: list[int], subtrees: list[Tree]) -> Tree:
        """Return the tree in which some leaves are the roots of other trees.

        The other nodes of a subtree follow all nodes before it, so that parents keep being
        numbered before their children.
        """
        if roots == [0]:
            return subtrees[0]
        left, right = [np.array(self.left)], [np.array(self.right)]
        feature, threshold = [np.array(self.feature)], [np.array(self.threshold)]
        missing_left = [np.array(self.missing_left)]
        n_nodes = len(self.left)
        for root, subtree in zip(roots, subtrees, strict=True):
            shift = n_nodes - 1  # of all nodes but the root
            for whole, part in (
                (left, np.where(subtree.left >= 0, subtree.left + shift, -1)),
                (right, np.where(subtree.right >= 0, subtree.right + shift, -1)),
                (feature, subtree.feature),
                (threshold, subtree.threshold),
                (missing_left, subtree.missing_left),
            ):
                whole[0][root] = part[0]
                whole.append(part[1:])
            n_nodes += subtree.n_nodes - 1
        return Tree(
            left=np.concatenate(left).astype(np.int32),
            right=np.concatenate(right).astype(np.int32),
            feature=np.concatenate(feature).astype(np.int32),
            threshold=np.concatenate(threshold).astype(np.float64),
            missing_left=np.concatenate(missing_left).astype(bool),
        )
