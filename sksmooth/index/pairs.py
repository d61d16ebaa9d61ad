"""The rate of the M-term error of classes two at a time.

With many classes, the samples of a node tell a border between two of them no longer from
one between the next two, so the error of all classes falls too slowly, and the index is too
low. Two classes at a time are resolved with far fewer terms. Here trees are grown on the
samples of every pair of classes that meet, and the rate is read from the sum of their
curves. How, and with what constants, is what came out best on functions of known index
(``benchmarks/known_smoothness.py`` and others like them); no theory fixes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from joblib import delayed
from scipy import sparse
from sklearn.utils import check_random_state

from .._lib.parallel import run_parallel
from ..samples import Samples, SamplingUnits, Targets, simplex_vertices
from ..trees import GrownForest, Growth, Tree, grow
from ..wavelets import ErrorCurves, WaveletDecomposition, node_sums
from .power_law import fit_power_law
from .window import log_spaced

__all__ = ["PairsRate", "pairs_rate"]

# Classes meet in nodes of the forest that hold at most this share of the samples, or so
# many of them: small enough that only neighbours do.
_SMALL_SHARE, _FEWEST_IN_SMALL = 0.002, 8
_MOST_TREES = 5  # a pair; more change the rate by less than 1 %
# Rows times trees, relative to those of the forest. A row of two classes takes 0.4 to 0.9
# of the time of one of ten, so the pairs take half of the time of the forest, or less.
_BUDGET = 0.6
_FEWEST_PAIRS = 0.5  # a class: with fewer, some class is in none
# The window is one of cells, which are splits plus 1, of every pair.
_CELLS_PER_SAMPLE = 0.16  # of one class, where the window ends: 12.5 samples of the pair
_EXCESS = 4.0  # out-of-bag over in-bag squared error where it ends, if that is earlier
_FIRST_CELL = 30
_COARSE_SHAPE = 0.5  # of the fall is over where the window starts, if that is later
_SHORTEST_SPAN = 3  # last over first number of cells
# The weight grows from that of two classes, whose rate is known already, to that of ten.
_LARGEST_WEIGHT, _FULL_RATIO = 0.8, 5.0
# Few classes need windows that end between these numbers of cells to be worth a weight.
_FEW_CLASSES, _FEWEST_CELLS, _ENOUGH_RATIO = 5, 12, 4.0


@dataclass(frozen=True)
class PairsRate:
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
    """Read a decay rate from trees that tell apart two classes each.

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
        The rate. None for numbers, for fewer than three classes, for forests of other
        libraries or without out-of-bag samples, and where the pairs take too long or their
        error does not fall.

    Notes
    -----
    The curves of the pairs are added up at equal numbers of cells, each weighted with its
    share of the samples, and fitted from ``max(30, C_half)``, at most a third of the end,
    to ``0.16 N / L`` cells, or to where the out-of-bag squared error is four times the
    in-bag one if that comes first.
    """
    samples, grown = curves.samples, curves.grown
    if growth.forest is not None or grown.fitted is not None:
        return None
    if samples.targets.codes is None or not curves.has_out_of_bag:
        return None
    codes, n_classes = _canonical_codes(samples)
    if n_classes < 3:
        return None
    pairs, n_trees = _affordable(
        _pairs_that_meet(curves, codes, n_classes), codes, samples.units, growth
    )
    if not len(pairs):
        return None

    seed = check_random_state(growth.random_state).randint(np.iinfo(np.int32).max)
    own = replace(growth, n_estimators=n_trees, random_state=seed, n_jobs=1, verbose=0)
    own = replace(own, max_samples=grown.n_grown / samples.units.n_units)
    errors = run_parallel(
        (delayed(_errors_of_pair)(samples, codes, pair, own) for pair in pairs.tolist()),
        len(pairs),
        n_jobs=n_jobs,
        label="pairs",
        verbose=0,
    )
    total = _added_up(errors, [_weight_of(samples, codes, pair) for pair in pairs])
    first, last = _window(total, _CELLS_PER_SAMPLE * samples.units.n_units / n_classes)
    cells = log_spaced(first, last, len(total))
    # Squared errors; the p-th power of an error of classes is the measure of the cells in
    # which they are mixed, whatever p, so rates of L_p are 2 / p times those of L_2.
    rate = -fit_power_law(cells, total.mean(axis=1)[cells - 1]).slope / curves.p
    if not rate > 0:
        return None
    return PairsRate(float(rate), _weight(n_classes, last), len(pairs))


# ---------------------------------------------------------------------- which pairs


def _canonical_codes(samples: Samples) -> tuple[np.ndarray, int]:
    """Number the classes by their first unit, so that their names do not count."""
    _, codes = np.unique(samples.targets.codes, return_inverse=True)
    first = np.full(codes.max() + 1, samples.units.n_units)
    np.minimum.at(first, codes, samples.units.unit)
    return np.argsort(np.argsort(first, kind="stable"))[codes], len(first)


def _pairs_that_meet(
    curves: ErrorCurves, codes: np.ndarray, n_classes: int
) -> np.ndarray:
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
    for j, leaves in enumerate(grown.leaves):
        node = _small_nodes(wavelets, j, small)[leaves]
        weights = np.where(node >= 0, curves.samples.weights, 0.0)
        held = sparse.csr_matrix(
            (weights, (np.maximum(node, 0), codes)), shape=(node.max() + 1, n_classes)
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
    own = slice(*wavelets.offsets[tree : tree + 2])
    is_small = wavelets.count[own] <= small * wavelets.count[own][0]
    parent = np.maximum(wavelets.parent[own] - own.start, 0)
    top = np.where(is_small & is_small[parent], parent, np.arange(len(parent)))
    while (top != top[top]).any():
        top = top[top]
    return np.where(is_small, top, -1)


def _affordable(
    pairs: np.ndarray, codes: np.ndarray, units: SamplingUnits, growth: Growth
) -> tuple[np.ndarray, int]:
    """Choose how many trees a pair gets, and which pairs, within the budget.

    Units are counted, of which repeated rows have as many as weighted ones.
    """
    n_classes = codes.max() + 1
    of_class = np.bincount(
        np.unique(codes * units.n_units + units.unit) // units.n_units, minlength=n_classes
    )
    cost = np.cumsum(of_class[pairs].sum(axis=1))
    budget = _BUDGET * growth.n_estimators * units.n_units
    if not len(pairs) or cost[-1] <= budget:
        n_trees = int(min(_MOST_TREES, budget // max(cost[-1:].sum(), 1)))
        return pairs, n_trees
    kept = pairs[cost <= budget]
    return kept[: len(kept) * (len(kept) >= _FEWEST_PAIRS * n_classes)], 1


# ---------------------------------------------------------------------- their errors


def _rows_of(codes: np.ndarray, pair: list[int]) -> np.ndarray:
    return np.flatnonzero((codes == pair[0]) | (codes == pair[1]))


def _weight_of(samples: Samples, codes: np.ndarray, pair: list[int]) -> float:
    return float(samples.weights[_rows_of(codes, pair)].sum())


def _errors_of_pair(
    samples: Samples, codes: np.ndarray, pair: list[int], growth: Growth
) -> np.ndarray:
    """Grow trees on two classes, and measure their errors with 1, 2, ... cells.

    Returns
    -------
    errors : ndarray of shape (n_cells, 2)
        Mean squared error in the bag and out of it, averaged over the trees.
    """
    rows = _rows_of(codes, pair)
    own = _two_classes(samples, rows, codes[rows] == pair[1])
    grown = grow(own, growth)
    signs = 2.0 * own.targets.codes[:, None] - 1  # whole numbers, whose sums are exact
    by_tree = [
        _errors_by_cells(tree, leaf, bag, own.weights - bag, signs)
        for tree, leaf, bag in zip(
            grown.forest.trees, grown.leaves, grown.bags, strict=True
        )
    ]
    return _added_up(by_tree, np.ones(len(by_tree)))


def _two_classes(samples: Samples, rows: np.ndarray, is_second: np.ndarray) -> Samples:
    """Take the samples of two classes, to be drawn in the order that all samples have."""
    codes = is_second.astype(np.intp)
    targets = Targets(simplex_vertices(2)[codes], np.zeros(len(rows)), codes)
    unit = np.unique(samples.units.unit[rows], return_inverse=True)[1]
    own = replace(samples.take(rows), targets=targets, y=codes, classes=np.arange(2))
    return own.drawn_by(SamplingUnits(unit.ravel()))


def _errors_by_cells(
    tree: Tree, leaf: np.ndarray, bag: np.ndarray, rest: np.ndarray, signs: np.ndarray
) -> np.ndarray:
    """Measure the squared error of one tree while its nodes are split, best gain first.

    A node can be split only after its parent, so a gain counts no more than those of the
    nodes above it.
    """
    parent = tree.parent
    weight, total = node_sums(parent, leaf, bag, signs)
    weight_out, total_out = node_sums(parent, leaf, rest, signs)
    total, total_out = total[:, 0], total_out[:, 0]
    mean = total / np.maximum(weight, np.finfo(float).tiny)
    # Squares of targets are 1, so a cell of mean c leaves W - 2 c T + c^2 W.
    error = np.column_stack(
        [
            weight - 2 * mean * total + mean**2 * weight,
            weight_out - 2 * mean * total_out + mean**2 * weight_out,
        ]
    )
    inner = np.flatnonzero(tree.left >= 0)
    falls = error[inner] - error[tree.left[inner]] - error[tree.right[inner]]
    gain = np.zeros(tree.n_nodes)
    gain[inner] = falls[:, 0]
    order = np.argsort(-_least_above(gain, parent)[inner].astype(np.float32), kind="stable")
    left_over = error[0] - np.cumsum(falls[order], axis=0)
    curve = np.maximum(np.concatenate([error[:1], left_over]), 0.0)
    return curve / np.maximum([weight[0], weight_out[0]], np.finfo(float).tiny)


def _least_above(values: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Find the least value on the way from the root to each node, by pointer doubling."""
    ancestor = np.maximum(parent, 0)
    while True:
        values = np.minimum(values, values[ancestor])
        if not ancestor.any():
            return values
        ancestor = ancestor[ancestor]


def _added_up(curves: list[np.ndarray], weights: np.ndarray | list[float]) -> np.ndarray:
    """Average curves with weights; beyond its end a curve stays as it is there."""
    longest = max(map(len, curves))
    padded = [np.pad(c, ((0, longest - len(c)), (0, 0)), mode="edge") for c in curves]
    return np.average(padded, axis=0, weights=weights)


# ---------------------------------------------------------------------- their rate


def _window(total: np.ndarray, most: float) -> tuple[int, int]:
    """Find the numbers of cells between which the sum of the curves is fitted."""
    last = min(most, len(total))
    excessive = total[:, 1] > _EXCESS * total[:, 0]
    if excessive.any():
        last = min(last, int(np.argmax(excessive)))
    last = max(int(last), 2)
    error = total.mean(axis=1)
    half = error[0] - _COARSE_SHAPE * (error[0] - error[:last].min())
    first = max(_FIRST_CELL, 1 + int(np.argmax(error <= half)))
    return max(int(min(first, last / _SHORTEST_SPAN)), 1), last


def _weight(n_classes: int, last: int) -> float:
    """Weigh the rate by the number of classes and, where these are few, the window's end."""
    weight = _LARGEST_WEIGHT * min(np.log(n_classes / 2) / np.log(_FULL_RATIO), 1.0)
    if n_classes <= _FEW_CLASSES:
        resolved = np.log(last / _FEWEST_CELLS) / np.log(_ENOUGH_RATIO)
        weight *= np.clip(resolved, 0.0, 1.0)
    return float(weight)
