"""Wavelets at samples: approximations, features and importances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse

from ..samples import Samples
from ..trees import GrownForest
from .decomposition import WaveletDecomposition, node_samples, tree_wavelets
from .kernels import add_along_paths, add_unseen

__all__ = [
    "error_of_endless_forest",
    "held_out_norms",
    "kept_values",
    "m_term_approximation",
    "staged_approximations",
    "sums_of_unseen",
    "wavelet_features",
    "wavelet_importances",
]


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
    path_sums = kept_values(decomposition, decomposition.order[:n_terms])
    if unseen is None:
        values = np.zeros((leaves.shape[1], path_sums.shape[1]))
        for leaf, root in zip(leaves, decomposition.roots, strict=True):
            values += path_sums[leaf + root]
        return values / decomposition.n_trees
    sums, counts = sums_of_unseen(decomposition, path_sums, leaves, unseen)
    return sums / np.maximum(counts, 1)[:, None]


def sums_of_unseen(
    decomposition: WaveletDecomposition,
    path_sums: np.ndarray,
    leaves: np.ndarray,
    unseen: np.ndarray,
    trees: slice = slice(None),
) -> tuple[np.ndarray, np.ndarray]:
    """Add the trees up that have not seen a sample.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    path_sums : ndarray of shape (n_nodes, n_outputs)
        Values of the nodes, from :func:`kept_values`.
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
    sums = np.zeros((leaves.shape[1], path_sums.shape[1]))
    counts = np.zeros(len(sums), dtype=np.int64)
    numbers = np.arange(len(leaves))[trees]
    add_unseen(path_sums, decomposition.roots, leaves, unseen, numbers, sums, counts)
    return sums, counts


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
    values, weights = samples.targets.values, samples.weights
    mean = np.average(values, axis=0, weights=weights)
    centred = values - mean
    path_sums = kept_values(decomposition, kept) - mean
    total, squares = np.zeros_like(centred), np.zeros(len(centred))
    for leaf, root, unseen in zip(
        grown.leaves, decomposition.roots, grown.unseen, strict=True
    ):
        rows = np.flatnonzero(unseen)  # far faster than the mask
        approximation = path_sums[leaf[rows] + root]
        total[rows] += approximation
        squares[rows] += np.einsum("ij,ij->i", approximation, approximation)
    n_unseen = grown.unseen.sum(axis=0)
    n_pairs = n_unseen * (n_unseen - 1)
    if not n_pairs.any():
        return 1.0
    own = np.einsum("ij,ij->i", centred, total)
    mutual = np.einsum("ij,ij->i", total, total) - squares
    with_targets = weights @ own / (weights @ n_unseen)
    with_each_other = weights @ mutual / (weights @ n_pairs)
    variance = np.average(np.einsum("ij,ij->i", centred, centred), weights=weights)
    if with_each_other <= 0 or with_targets <= 0 or variance == 0:
        return 1.0
    # Below zero by chance, where few pairs of trees have left out the same sample.
    return float(max(1 - with_targets**2 / (with_each_other * variance), 0.0))


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
    done = 0
    for n in n_terms:
        for node in decomposition.order[done:n]:
            rows = samples[decomposition.tree[node], start[node] : stop[node]]
            values[rows] += decomposition.psi[node] / decomposition.n_trees
        done = n
        yield values


def kept_values(decomposition: WaveletDecomposition, kept: np.ndarray) -> np.ndarray:
    """Add up the root's mean and the kept wavelets above every node, as if it were a leaf.

    ``kept`` are the nodes of these wavelets.
    """
    steps = np.zeros_like(decomposition.psi)
    steps[kept] = decomposition.psi[kept]
    steps[decomposition.roots] = decomposition.mean[decomposition.roots]
    add_along_paths(decomposition.parent, steps)
    return steps


def wavelet_features(
    decomposition: WaveletDecomposition, leaves: np.ndarray, n_terms: int
) -> sparse.csr_matrix:
    """Evaluate the largest wavelets at the samples, one column a wavelet.

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
    heights = np.linalg.norm(decomposition.psi[nodes], axis=1)
    return sparse.csc_matrix(
        (np.repeat(heights, counts), samples.ravel()[positions], ends),
        shape=(leaves.shape[1], len(nodes)),
    ).tocsr()


def held_out_norms(
    decomposition: WaveletDecomposition, grown: GrownForest, samples: Samples
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

    Returns
    -------
    norms : ndarray of shape (n_nodes,), float64
        Norms with a sign.
    """
    norms, offsets = decomposition.norm, decomposition.offsets
    weights = grown.unseen * samples.weights
    if not weights.any(axis=1).all():
        return norms
    for tree, leaf, weight, first, last in zip(
        grown.forest.trees, grown.leaves, weights, offsets[:-1], offsets[1:], strict=True
    ):
        seen, count = decomposition.psi[first:last], decomposition.count[first:last]
        held_out = tree_wavelets(
            tree, leaf, samples.targets.values, weight, decomposition.p
        )
        inner_product = np.einsum("ij,ij->i", seen, held_out["psi"])
        energy = np.einsum("ij,ij->i", seen, seen)
        # Of the shares of the samples, held out and fitted, that are in the node.
        inner_product *= held_out["count"] / held_out["count"][0]
        energy *= count / count[0]
        # Where the fitted wavelet is zero there is nothing to agree with.
        agreement = np.zeros(tree.n_nodes)
        np.divide(inner_product, energy, out=agreement, where=energy > 0)
        norms[first:last] *= agreement
    return norms


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
    sums below zero count as zero.
    """
    nodes = decomposition.order[:n_terms]
    norms = decomposition.norm if norms is None else norms
    sums = np.bincount(
        decomposition.feature[nodes], weights=norms[nodes], minlength=n_features
    )
    sums = np.maximum(sums, 0.0)
    total = sums.sum()
    return sums / total if total > 0 else sums
