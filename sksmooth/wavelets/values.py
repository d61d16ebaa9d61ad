"""Wavelets at samples: approximations, features and importances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
from scipy import sparse

from ..samples import Samples
from ..trees import GrownForest, row_blocks
from .decomposition import WaveletDecomposition, node_samples
from .kernels import add_unseen
from .many import sum_paths
from .means import TreeSamples, measure_tree

__all__ = [
    "error_of_endless_forest",
    "held_out_norms",
    "kept_values",
    "m_term_approximation",
    "staged_approximations",
    "sums_of_unseen",
    "values_by_tree",
    "wavelet_features",
    "wavelet_importances",
]

ValuesOfTree = Callable[[int], Iterable[tuple[slice, np.ndarray]]]
_ROUNDING = 1e-12  # of the sum of all fitted norms: a smaller sum is zero


def m_term_approximation(
    decomposition: WaveletDecomposition,
    leaves: np.ndarray,
    n_terms: int | None = None,
    unseen: np.ndarray | None = None,
) -> np.ndarray:
    """Approximate the targets at the samples by the largest wavelets.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    leaves : ndarray of shape (n_trees, n_samples), int32
        Leaves of the samples.
    n_terms : int, default=None
        Number of terms M; None means all, which is the forest's own prediction.
    unseen : ndarray of shape (n_trees, n_samples), bool, default=None
        Trees whose wavelets are used at a sample; None means all.

    Returns
    -------
    values : ndarray of shape (n_samples, n_outputs), float64
        ``f_M`` at the samples; 0 where no tree is used.
    """
    values_of = values_by_tree(decomposition, decomposition.order[:n_terms])
    if unseen is None:
        unseen = np.ones(leaves.shape, dtype=bool)
    sums, counts = sums_of_unseen(decomposition, values_of, leaves, unseen)
    return sums / np.maximum(counts, 1)[:, None]


def sums_of_unseen(
    decomposition: WaveletDecomposition,
    values_of: ValuesOfTree,
    leaves: np.ndarray,
    unseen: np.ndarray,
    trees: slice = slice(None),
) -> tuple[np.ndarray, np.ndarray]:
    """Sum over the trees that have not seen a sample.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    values_of : callable
        Values of the nodes of a tree, from :func:`values_by_tree`.
    leaves : ndarray of shape (n_trees, n_samples), int32
        Leaves of the samples.
    unseen : ndarray of shape (n_trees, n_samples), bool
        Trees that are added at a sample.
    trees : slice, default=slice(None)
        The trees to add; all by default.

    Returns
    -------
    sums : ndarray of shape (n_samples, n_outputs), float64
        Sums of their values.
    counts : ndarray of shape (n_samples,), int64
        Numbers of them.
    """
    sums = np.zeros((leaves.shape[1], decomposition.n_outputs))
    for tree in range(decomposition.n_trees)[trees]:
        for outputs, values in values_of(tree):
            add_unseen(values, leaves[tree], unseen[tree], sums[:, outputs])
    return sums, unseen[trees].sum(axis=0)


def error_of_endless_forest(
    decomposition: WaveletDecomposition,
    grown: GrownForest,
    samples: Samples,
    n_terms: int,
) -> float:
    """Estimate the squared error of the average of infinitely many such trees.

    Two trees f and g that have not seen a sample differ by chance. In the mean over trees,
    ``<y, f>`` and ``<f, g>`` are the products with and of the endless average, so the best
    multiple of it leaves the share ``1 - <y, f>^2 / (<f, g> <y, y>)`` of the variance.
    With few cells, so that trees which share most of their samples agree for no other
    reason than the function, this is the error that is not due to the choice of the trees.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    grown : GrownForest
        Their trees, two at least.
    samples : Samples
        The samples that they were grown on.
    n_terms : int
        Number of terms of every tree.

    Returns
    -------
    error : float
        Mean squared error over the variance, in [0, 1]; 1 if no two trees have left out the
        same sample, so that nothing is known.
    """
    trees = range(decomposition.n_trees)
    kept = np.concatenate([decomposition.tree_order(tree)[:n_terms] for tree in trees])
    values_of = values_by_tree(decomposition, kept)
    targets, weights = samples.targets, samples.weights
    mean = targets.mean(weights)
    total = np.zeros((len(weights), decomposition.n_outputs))
    squares = np.zeros(len(weights))
    for tree, (leaf, unseen) in enumerate(zip(grown.leaves, grown.unseen, strict=True)):
        rows = np.flatnonzero(unseen)  # far faster than the mask
        approximation = np.empty((len(rows), decomposition.n_outputs))
        for outputs, values in values_of(tree):
            approximation[:, outputs] = (values - mean[outputs])[leaf[rows]]
        total[rows] += approximation
        squares[rows] += _products(approximation, approximation)
    n_unseen = grown.unseen.sum(axis=0)
    n_pairs = n_unseen * (n_unseen - 1)
    if not n_pairs.any():
        return 1.0
    own = np.concatenate(
        [
            _products(targets.rows(rows) - mean, total[rows])
            for rows in row_blocks(total.shape)
        ]
    )
    mutual = _products(total, total) - squares
    with_targets = weights @ own / (weights @ n_unseen)
    with_each_other = weights @ mutual / (weights @ n_pairs)
    energy = targets.of_values(lambda values: _products(values - mean, values - mean))
    variance = np.average(energy, weights=weights)
    if with_each_other <= 0 or with_targets <= 0 or variance == 0:
        return 1.0
    # Below zero by chance, where few pairs of trees have left out the same sample.
    return float(max(1 - with_targets**2 / (with_each_other * variance), 0.0))


def _products(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compute the inner product of every row of one array and that of another."""
    return np.einsum("ij,ij->i", first, second)


def staged_approximations(
    decomposition: WaveletDecomposition, leaves: np.ndarray, n_terms: Iterable[int]
) -> Iterator[np.ndarray]:
    """:func:`m_term_approximation` for growing M, each from the one before.

    Yields
    ------
    values : ndarray of shape (n_samples, n_outputs), float64
        The same array each time, to be read before the next one.
    """
    values = m_term_approximation(decomposition, leaves, 0)
    start, stop, samples = node_samples(decomposition, leaves)
    psi, done = decomposition.psi, 0
    for n in n_terms:
        for node in decomposition.order[done:n]:
            rows = samples[decomposition.tree[node], start[node] : stop[node]]
            values[rows] += psi[node] / decomposition.n_trees
        done = n
        yield values


def kept_values(decomposition: WaveletDecomposition, kept: np.ndarray) -> np.ndarray:
    """Add up the root's mean and the kept wavelets above every node, as if it were a leaf.

    ``kept`` are the nodes of these wavelets.
    """
    if decomposition.means.are_held:
        return _held_values(decomposition, kept)
    values_of = values_by_tree(decomposition, kept)
    sums = np.empty((len(decomposition.parent), decomposition.n_outputs))
    for tree in range(decomposition.n_trees):
        own = sums[decomposition.nodes_of(tree)]
        for outputs, values in values_of(tree):
            own[:, outputs] = values
    return sums


def values_by_tree(decomposition: WaveletDecomposition, kept: np.ndarray) -> ValuesOfTree:
    """Make a function that gives :func:`kept_values` at the nodes of one tree.

    Means that are held are added up once, for all trees; others whenever they are asked
    for, some outputs at a time.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    kept : ndarray of int
        Nodes of the wavelets that are kept, of all trees.

    Returns
    -------
    values_of : callable
        Given the number of a tree, yields pairs: some of the outputs, as a slice, and the
        values, of shape (n_nodes of the tree, n of these outputs).
    """
    if not decomposition.means.are_held:
        return partial(_computed_values, decomposition, _marked(decomposition, kept))
    values, outputs = _held_values(decomposition, kept), slice(0, decomposition.n_outputs)
    return lambda tree: [(outputs, values[decomposition.nodes_of(tree)])]


def _held_values(decomposition: WaveletDecomposition, kept: np.ndarray) -> np.ndarray:
    means, is_kept = decomposition.means, _marked(decomposition, kept)
    return sum_paths(decomposition.parent, means.psi, is_kept, means.of_roots)


def _computed_values(
    decomposition: WaveletDecomposition, is_kept: np.ndarray, tree: int
) -> Iterator[tuple[slice, np.ndarray]]:
    nodes = decomposition.nodes_of(tree)
    parent, means = decomposition.parent[nodes] - nodes.start, decomposition.means
    own_kept, of_root = is_kept[nodes], means.of_roots[[tree]]
    for outputs in means.blocks(len(parent)):
        if own_kept.any():
            psi = means.psi_of_tree(tree, outputs)
            yield outputs, sum_paths(parent, psi, own_kept, of_root[:, outputs])
        else:
            yield outputs, np.tile(of_root[:, outputs], (len(parent), 1))


def _marked(decomposition: WaveletDecomposition, nodes: np.ndarray) -> np.ndarray:
    is_marked = np.zeros(len(decomposition.parent), dtype=bool)
    is_marked[nodes] = True
    return is_marked


def wavelet_features(
    decomposition: WaveletDecomposition, leaves: np.ndarray, n_terms: int
) -> sparse.csr_matrix:
    """Evaluate the largest wavelets at the samples, one column per wavelet.

    A column is ``||c - c'||_2`` on its node and 0 elsewhere.
    """
    nodes = decomposition.order[:n_terms]
    start, stop, samples = node_samples(decomposition, leaves)
    counts = stop[nodes] - start[nodes]
    ends = np.concatenate([[0], np.cumsum(counts)])
    # Column c lists samples[tree, start], samples[tree, start + 1], ...: all columns at
    # once, by an index that restarts at the first sample of every column.
    first = decomposition.tree[nodes] * np.int64(leaves.shape[1]) + start[nodes]
    positions = np.repeat(first - ends[:-1], counts) + np.arange(ends[-1])
    heights = decomposition.means.heights(nodes)
    return sparse.csc_matrix(
        (np.repeat(heights, counts), samples.ravel()[positions], ends),
        shape=(leaves.shape[1], len(nodes)),
    ).tocsr()


def held_out_norms(
    decomposition: WaveletDecomposition,
    grown: GrownForest,
    samples: Samples,
    n_terms: int | None = None,
) -> np.ndarray:
    """Measure the norms of the wavelets on samples that their trees have not seen.

    ``||psi|| <psi, psi'> / <psi, psi>``, where psi' is the wavelet of the same node with
    the means of those samples: the norm itself if they agree, and zero in the mean where
    psi fits noise. Norms always add up to something; these do not. The squares of norms are
    corrected in this way by X. Li, Y. Wang, S. Basu, K. Kumbier and B. Yu, *A debiased MDI
    feature importance measure for random forests*, NeurIPS 2019.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    grown : GrownForest
        Their trees. If a tree has seen all samples, the fitted norms are returned.
    samples : Samples
        The samples that they were grown on.
    n_terms : int, default=None
        Number of the largest wavelets that are wanted; the norms of the others are zero.
        None means all.

    Returns
    -------
    norms : ndarray of shape (n_nodes,), float64
        Norms with a sign.
    """
    norms = decomposition.norm
    weights = grown.unseen * samples.weights
    if not weights.any(axis=1).all():
        return norms
    is_wanted = _marked(decomposition, decomposition.order[:n_terms])
    for tree, weight in enumerate(weights):
        nodes = decomposition.nodes_of(tree)
        wanted = np.flatnonzero(is_wanted[nodes])
        agreement = np.zeros(nodes.stop - nodes.start)
        agreement[wanted] = _agreement(decomposition, tree, wanted, grown, samples, weight)
        norms[nodes] *= agreement
    return norms


def _agreement(
    decomposition: WaveletDecomposition,
    tree: int,
    nodes: np.ndarray,
    grown: GrownForest,
    samples: Samples,
    weight: np.ndarray,
) -> np.ndarray:
    """Compare wavelets of one tree with those of its nodes on weighted samples."""
    means, outputs_of_all = decomposition.means, decomposition.n_outputs
    seen = np.empty((len(nodes), outputs_of_all))
    for outputs in means.blocks(grown.forest.trees[tree].n_nodes):
        seen[:, outputs] = means.psi_of_tree(tree, outputs)[nodes]
    held_out = np.empty_like(seen)

    def keep(outputs: slice, psi: np.ndarray) -> None:
        held_out[:, outputs] = psi[nodes]

    own = TreeSamples(grown.forest.trees[tree].parent, grown.leaves[tree], weight)
    measured = measure_tree(own, samples.targets, keep)
    held_out[measured.height[nodes] == 0] = 0.0
    # Of the shares of the samples, held out and fitted, that are in the node.
    count = decomposition.count[decomposition.nodes_of(tree)]
    inner_product = _products(seen, held_out)
    inner_product *= (measured.count / measured.count[0])[nodes]
    energy = _products(seen, seen) * (count / count[0])[nodes]
    # Where the fitted wavelet is zero there is nothing to agree with.
    return np.divide(inner_product, energy, out=np.zeros(len(nodes)), where=energy > 0)


def wavelet_importances(
    decomposition: WaveletDecomposition,
    n_features: int,
    n_terms: int | None = None,
    norms: np.ndarray | None = None,
) -> np.ndarray:
    """Sum the norms of the wavelets that splits by each feature made.

    ``S_k = (1 / J) sum ||psi||_p`` over the nodes made by splits of column k, here over
    the M largest and scaled to sum one (Elisha and Dekel, JMLR 17, 2016, with exponent
    tau = 1). ``norms`` may be those of :func:`held_out_norms`, None means the fitted ones;
    sums below zero, or that rounding alone makes, count as zero.
    """
    nodes = decomposition.order[:n_terms]
    norms = decomposition.norm if norms is None else norms
    sums = np.bincount(
        decomposition.feature[nodes], weights=norms[nodes], minlength=n_features
    )
    sums[sums <= _ROUNDING * decomposition.norm[nodes].sum()] = 0.0
    total = sums.sum()
    return sums / total if total > 0 else sums
