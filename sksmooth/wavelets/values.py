"""Wavelets at samples: approximations, features and importances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse

from ..samples import Samples
from ..trees import GrownForest
from .decomposition import WaveletDecomposition, node_samples, tree_wavelets

__all__ = [
    "held_out_norms",
    "kept_values",
    "m_term_approximation",
    "staged_approximations",
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
    values = np.zeros((leaves.shape[1], path_sums.shape[1]))
    if unseen is None:
        for leaf, root in zip(leaves, decomposition.roots, strict=True):
            values += path_sums[leaf + root]
        return values / decomposition.n_trees
    for leaf, root, used in zip(leaves, decomposition.roots, unseen, strict=True):
        values[used] += path_sums[leaf[used] + root]
    return values / np.maximum(unseen.sum(axis=0), 1)[:, None]


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
    return _path_values(decomposition, steps)


def _path_values(decomposition: WaveletDecomposition, values: np.ndarray) -> np.ndarray:
    """Sum per-node values along the path from the root to every node."""
    total = values.copy()
    for level in range(1, decomposition.depth.max(initial=0) + 1):
        nodes = np.flatnonzero(decomposition.depth == level)
        total[nodes] += total[decomposition.parent[nodes]]
    return total


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
