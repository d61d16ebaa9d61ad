"""The rate of the M-term error of classes two at a time.

With many classes there are few samples to each border between two of them, and the trees
use them up before the error falls at its final rate: the index is too low. Two classes at a
time are resolved with fewer terms. So trees are grown on every pair of classes that meet,
and the rate is read from all of them together.

The procedure and its constants are measured, not derived: they are what came out best on
functions of known index like those of ``benchmarks/known_smoothness.py``. On ten fresh ones
of nine classes and more, 20,000 samples, the mean error falls from 26 % to 10 %.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from joblib import delayed
from scipy import sparse
from sklearn.utils import check_random_state

from .._lib.parallel import run_parallel
from .._lib.state import Versioned
from ..samples import Samples, SamplingUnits, Targets, simplex_vertices
from ..trees import Growth, Tree, grow
from ..wavelets import ErrorCurves, WaveletDecomposition, node_sums, padded
from .power_law import fit_power_law
from .window import first_or_last, log_spaced

__all__ = ["PairsRate", "pairs_rate"]

# Classes meet in nodes that hold at most this share of the samples, or so many of them: few
# enough that only neighbours are together. A few trees of the forest show it.
_SMALL_SHARE, _FEWEST_IN_SMALL, _TREES_TO_MEET = 0.002, 8, 3
_MOST_TREES = 5  # a pair; more do not change the rate by more than a few per cent
# Rows times trees, relative to those of the forest. A row of two classes takes as long as
# one of ten, or less, so the pairs take 0.3 to 0.9 of the time of the forest. Where nodes
# try some features only, all are sorted for every pair anew, longer than a tree takes.
_BUDGET, _BUDGET_OF_FEW_FEATURES = 0.6, 0.25
# A pair costs 0.7 ms beyond its rows, the time of so many entries of X in the forest. A few
# pairs may, or small data would never have any: there they take longer than the forest.
_CALL_ENTRIES, _FREE_CALLS = 3000, 8
_FEWEST_PAIRS = 0.5  # a class: with fewer, some class is in none
# The window, in splits of all pairs together.
_EXCESS = 4.0  # out-of-bag over in-bag squared error where it ends, as for all classes
_LONGEST_SPAN, _SHORTEST_SPAN = 6, 3  # last over first number of splits
_COARSE_SHAPE = 0.5  # of the fall is over at half of the number where it starts, or before
# The weight is full for ten classes, and 0 for two, whose rate is known already. The index
# of three or four is good enough for the pairs to have no weight worth their time.
_LARGEST_WEIGHT, _ENOUGH_CLASSES, _FEWEST_CLASSES = 0.8, 10, 5
_ENOUGH_SPLITS = 8  # of a pair at the end of the window; with fewer, its border is coarse


@dataclass(frozen=True)
class PairsRate(Versioned):
    """The rate of pairs of classes, and what it counts.

    Attributes
    ----------
    rate : float
        Decay rate of the L_p error of the pairs with their number of terms, positive.
    weight : float
        Weight of its logarithm beside that of the index of all classes, in [0, 0.8].
    n_pairs : int
        Number of pairs that it was read from.
    """

    rate: float
    weight: float
    n_pairs: int


def pairs_rate(
    curves: ErrorCurves, growth: Growth, n_jobs: int | None = None
) -> PairsRate | None:
    """Read a decay rate from trees that separate two classes each.

    Parameters
    ----------
    curves : ErrorCurves
        Errors of the forest of all classes, with the forest and the samples.
    growth : Growth
        How that forest was grown. The trees of the pairs are grown alike, with one seed
        for all pairs.
    n_jobs : int or None, default=None
        Number of joblib workers, over pairs.

    Returns
    -------
    rate : PairsRate or None
        The rate. None for regression, for fewer than five classes, for forests of other
        libraries or without out-of-bag samples, and where the pairs take too long or their
        error does not fall.

    Notes
    -----
    Of every pair one tree is taken, and their nodes are split in one order, that of the
    falling gain, as if they were one tree; such curves are averaged over the trees. The
    squared error, the mean of that in the bag and out of it, is fitted against the number
    of splits S, up to the one at which the out-of-bag error is four times the in-bag one,
    from a sixth of that, or from twice the number at which half of the fall is over if
    that is later, but from a third at most.
    """
    samples, grown = curves.samples, curves.grown
    if growth.forest is not None or grown.fitted is not None:
        return None
    if samples.targets.codes is None or not curves.has_out_of_bag:
        return None
    codes, n_classes = _canonical_codes(samples.targets.codes, samples.units)
    if n_classes < _FEWEST_CLASSES:
        return None
    pairs, n_trees = _affordable(
        _pairs_that_meet(curves, codes, n_classes), codes, curves, growth
    )
    if len(pairs) == 0:
        return None

    own = _alike(growth, n_trees, grown.n_grown / samples.units.n_units)
    splits = run_parallel(
        (delayed(_splits_of_pair)(samples, codes, pair, own) for pair in pairs.tolist()),
        len(pairs),
        n_jobs=n_jobs,
        label="pairs",
        verbose=0,
    )
    by_tree = [_pooled_errors(trees) for trees in zip(*splits, strict=True)]
    errors = padded(by_tree).mean(axis=0)
    if len(errors) < 2:  # no tree has a split
        return None
    first, last = _window(errors)
    points = log_spaced(first, last, len(errors) - 1)
    # The p-th power of an error of classes is the share of the samples whose cells are
    # mixed, whatever p, so the rate of L_p is 2 / p times that of L_2.
    rate = -fit_power_law(points, errors.mean(axis=1)[points]).slope / curves.p
    if not rate > 0:
        return None
    return PairsRate(float(rate), _weight(n_classes, last / len(pairs)), len(pairs))


# ---------------------------------------------------------------------- which pairs


def _canonical_codes(codes: np.ndarray, units: SamplingUnits) -> tuple[np.ndarray, int]:
    """Number the classes by their first unit, so that their names do not count."""
    names = np.unique(codes)
    codes = np.searchsorted(names, codes)
    first = np.full(len(names), units.n_units)
    np.minimum.at(first, codes, units.unit)
    return np.argsort(np.argsort(first, kind="stable"))[codes], len(names)


def _pairs_that_meet(curves: ErrorCurves, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """List the pairs of classes that share a small node of the forest.

    Returns
    -------
    pairs : ndarray of shape (n_pairs, 2)
        Pairs of classes, first those with the most neighbours in the other class: for
        every sample, the share of the other class in its small node.
    """
    grown, wavelets = curves.grown, curves.decomposition
    small = max(_SMALL_SHARE, _FEWEST_IN_SMALL / grown.n_grown)
    neighbours = sparse.csr_matrix((n_classes, n_classes))
    for j, leaves in enumerate(grown.leaves[:_TREES_TO_MEET]):
        node = _small_nodes(wavelets, j, small)[leaves]
        weights = np.where(node >= 0, curves.samples.weights, 0.0)
        held = sparse.csr_matrix(
            (weights, (np.maximum(node, 0), codes)),
            shape=(max(node.max() + 1, 1), n_classes),
        )
        total = np.asarray(held.sum(axis=1)).ravel()
        neighbours += held.T @ sparse.diags(1 / np.maximum(total, 1.0)) @ held
    shared = sparse.triu(neighbours, k=1).tocoo()
    shared.eliminate_zeros()
    # In single precision, since sums in another order differ by rounding.
    order = np.lexsort((shared.col, shared.row, -shared.data.astype(np.float32)))
    return np.column_stack([shared.row, shared.col])[order]


def _small_nodes(wavelets: WaveletDecomposition, tree: int, small: float) -> np.ndarray:
    """Find the largest small node that holds each node of a tree; -1 if none does."""
    own = wavelets.nodes_of(tree)
    is_small = wavelets.count[own] <= small * wavelets.count[own][0]
    parent = np.maximum(wavelets.parent[own] - own.start, 0)
    top = np.where(is_small & is_small[parent], parent, np.arange(len(parent)))
    while (top != top[top]).any():
        top = top[top]
    return np.where(is_small, top, -1)


def _affordable(
    pairs: np.ndarray, codes: np.ndarray, curves: ErrorCurves, growth: Growth
) -> tuple[np.ndarray, int]:
    """Choose which pairs get trees, and how many, within the budget."""
    units, n_classes = curves.samples.units, codes.max() + 1
    # Units are counted, since repeated rows have as many as weighted ones.
    of_class = np.bincount(np.unique(codes * units.n_units + units.unit) // units.n_units)
    rows = np.cumsum(of_class[pairs].sum(axis=1))
    calls = np.maximum(np.arange(1, len(pairs) + 1) - _FREE_CALLS, 0)
    share = _BUDGET if growth.max_features is None else _BUDGET_OF_FEW_FEATURES
    left = share * len(curves.grown.leaves) * units.n_units
    left = left - calls * _CALL_ENTRIES / curves.samples.X.shape[1]
    n_kept = np.count_nonzero(rows <= left)  # which falls, once it does
    if n_kept < max(_FEWEST_PAIRS * n_classes, 1):
        return pairs[:0], 0
    n_trees = left[n_kept - 1] // rows[n_kept - 1]
    return pairs[:n_kept], int(min(n_trees, _MOST_TREES))


# ---------------------------------------------------------------------- their errors


def _alike(growth: Growth, n_trees: int, share: float) -> Growth:
    """Let the trees of a pair be grown as those of the forest are."""
    seed = check_random_state(growth.random_state).randint(np.iinfo(np.int32).max)
    return replace(
        growth,
        n_estimators=n_trees,
        max_samples=share,  # not a number of samples, of which a pair has fewer
        random_state=seed,
        n_jobs=1,  # pairs run beside each other
        verbose=0,
    )


@dataclass(frozen=True, eq=False)
class _Splits:
    """One tree of two classes, split by split.

    Every array has a column of the samples in the bag, and one of those out of it.

    Attributes
    ----------
    weight, start : ndarray of shape (2,)
        Weight of the samples, and their squared error without any split, summed.
    falls : ndarray of shape (n_splits, 2)
        What each split takes away from it.
    gain : ndarray of shape (n_splits,)
        The fall in the bag, at most that of any split above it.
    """

    weight: np.ndarray
    start: np.ndarray
    falls: np.ndarray
    gain: np.ndarray


def _splits_of_pair(
    samples: Samples, codes: np.ndarray, pair: list[int], growth: Growth
) -> list[_Splits]:
    """Grow trees on two classes."""
    own = _two_classes(samples, codes, pair)
    grown = grow(own, growth)
    signs = 2.0 * own.y[:, None] - 1  # whole numbers, whose sums are exact
    return [
        _splits_of_tree(tree, leaf, bag, np.where(bag > 0, 0.0, own.weights), signs)
        for tree, leaf, bag in zip(
            grown.forest.trees, grown.leaves, grown.bags, strict=True
        )
    ]


def _two_classes(samples: Samples, codes: np.ndarray, pair: list[int]) -> Samples:
    """Take the samples of two classes, to be drawn in the order that all samples have."""
    rows = np.flatnonzero((codes == pair[0]) | (codes == pair[1]))
    own_codes = (codes[rows] == pair[1]).astype(np.intp)
    targets = Targets(simplex_vertices(2)[own_codes], np.zeros(len(rows)), own_codes)
    unit = np.unique(samples.units.unit[rows], return_inverse=True)[1]
    return Samples(
        samples.X[rows],
        own_codes,
        targets,
        samples.weights[rows],
        np.arange(2),
        category_counts=samples.category_counts,
        joint_units=SamplingUnits(unit.ravel()),
    )


def _splits_of_tree(
    tree: Tree, leaf: np.ndarray, bag: np.ndarray, rest: np.ndarray, signs: np.ndarray
) -> _Splits:
    """Measure what every split of a tree takes away from the squared error."""
    weight, total = (
        np.column_stack(both)
        for both in zip(
            *(node_sums(tree.parent, leaf, each, signs) for each in (bag, rest)),
            strict=True,
        )
    )
    mean = total[:, :1] / np.maximum(weight[:, :1], np.finfo(float).tiny)
    # Targets are 1 and -1, so a cell with the mean c leaves W - 2 c T + c^2 W.
    error = weight - 2 * mean * total + mean**2 * weight
    inner = np.flatnonzero(tree.left >= 0)
    falls = error[inner] - error[tree.left[inner]] - error[tree.right[inner]]
    gain = np.full(tree.n_nodes, np.inf)
    gain[inner] = falls[:, 0]
    return _Splits(weight[0], error[0], falls, _least_above(gain, tree.parent)[inner])


def _least_above(values: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Find the least value on the way from the root to each node, by pointer doubling."""
    ancestor = np.maximum(parent, 0)
    while ancestor.any():
        values = np.minimum(values, values[ancestor])
        ancestor = ancestor[ancestor]
    return np.minimum(values, values[0])


def _pooled_errors(trees: tuple[_Splits, ...]) -> np.ndarray:
    """Follow the errors of trees of several pairs while the largest gain left is taken.

    Returns
    -------
    errors : ndarray of shape (n_splits + 1, 2)
        Mean squared error with 0, 1, ... splits, in the bag and out of it.
    """
    gain = np.concatenate([tree.gain for tree in trees])
    falls = np.concatenate([tree.falls for tree in trees])
    # Parents come before their children, whose gain is no larger here. In single precision,
    # since equal gains may differ by rounding.
    order = np.argsort(-gain.astype(np.float32), kind="stable")
    start = np.sum([tree.start for tree in trees], axis=0)
    errors = np.concatenate([start[None], start - np.cumsum(falls[order], axis=0)])
    return np.maximum(errors, 0.0) / np.sum([tree.weight for tree in trees], axis=0)


# ---------------------------------------------------------------------- their rate


def _window(errors: np.ndarray) -> tuple[int, int]:
    """Find the numbers of splits between which the errors of the pairs are fitted."""
    last = max(first_or_last(errors[:, 1] > _EXCESS * errors[:, 0]), 2)
    error = errors.mean(axis=1)
    half = error[0] - _COARSE_SHAPE * (error[0] - error[: last + 1].min())
    first = max(last / _LONGEST_SPAN, 2 * int(np.argmax(error <= half)))
    return max(int(min(first, last / _SHORTEST_SPAN)), 1), last


def _weight(n_classes: int, splits_of_pair: float) -> float:
    """Weigh the rate by the number of classes, and by how well the pairs are resolved."""
    classes = np.log(n_classes / 2) / np.log(_ENOUGH_CLASSES / 2)
    splits = np.log(splits_of_pair) / np.log(_ENOUGH_SPLITS)
    return _LARGEST_WEIGHT * float(min(classes, 1.0) ** 2 * np.clip(splits, 0.0, 1.0))
