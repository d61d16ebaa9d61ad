"""Decision forests read as geometric wavelet expansions.

A node Omega with parent Omega' and means c, c' carries the wavelet
``psi = 1_Omega (c - c')`` with ``||psi||_p = ||c - c'||_2 mu(Omega)^(1/p)``
(Elisha and Dekel, JMLR 17, 2016; Dekel and Leviatan, SIAM J. Numer. Anal. 43, 2005).
The mean of f over a tree's root comes first and is not a term; a forest is the average
of its trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length

from .._lib.scikit_learn import Interval, StrOptions, validate_params
from .._lib.state import Versioned
from ..samples.checks import (
    feature_dtype,
    plain_features,
    positively_weighted,
    reading,
)
from ..samples.targets import Targets, encode_targets
from ..samples.units import column_ranges
from ..trees import Forest, Tree, read_forest
from .kernels import log_box_volumes, node_sums, sample_ranges, sweep_errors

__all__ = [
    "TreeErrors",
    "WaveletDecomposition",
    "decompose",
    "decompose_boosting",
    "held_out_norms",
    "kept_values",
    "m_term_approximation",
    "m_term_errors",
    "staged_approximations",
    "tree_errors",
    "wavelet_decomposition",
]

_ROUNDING = 1e-13  # of means, relative to the largest difference


@dataclass(frozen=True, eq=False)
class WaveletDecomposition(Versioned):
    """The wavelets of a forest: arrays with one entry a node, tree after tree.

    Parents come before their children. All arrays are read-only.

    Attributes
    ----------
    tree : ndarray of shape (n_nodes,), int32
        Tree of the node.
    parent : ndarray of shape (n_nodes,), int32
        Parent within these arrays, -1 for roots.
    depth : ndarray of shape (n_nodes,), int32
        0 for roots.
    feature : ndarray of shape (n_nodes,), int32
        Column of the split that made the node, -1 for roots.
    count : ndarray of shape (n_nodes,), float64
        Sum of the weights of the samples in the node that its tree was given.
    mean : ndarray of shape (n_nodes, n_outputs), float64
        Mean of the targets in the node; that of the parent in a node without samples.
    psi : ndarray of shape (n_nodes, n_outputs), float64
        Value of the wavelet on its node, ``mean - mean[parent]``; 0 for roots.
    log_norm : ndarray of shape (n_nodes,), float64
        Logarithm of ``||psi||_p``, -inf where it is 0.
    order : ndarray of shape (n_terms,), int32
        The terms: all nodes but the roots and those whose mean is that of their parent,
        by falling norm, equal norms by node.
    offsets : ndarray of shape (n_trees + 1,), int64
        Tree j is ``[offsets[j]:offsets[j + 1]]``.
    p : float
        Exponent of the norm.
    measure : {"samples", "volume"}
        Measure of a node: its share of the samples' weight, or of the volume of the
        box that the data span.

    See Also
    --------
    wavelet_decomposition : Makes it.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from sksmooth import wavelet_decomposition
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 4.0, 4.0]
    >>> wavelets = wavelet_decomposition(DecisionTreeRegressor().fit(X, y), X, y)
    >>> wavelets.parent.tolist(), wavelets.mean.ravel().tolist()
    ([-1, 0, 0], [2.0, 0.0, 4.0])
    >>> wavelets.psi.ravel().tolist(), wavelets.order.tolist()
    ([0.0, -2.0, 2.0], [1, 2])
    """

    tree: np.ndarray
    parent: np.ndarray
    depth: np.ndarray
    feature: np.ndarray
    count: np.ndarray
    mean: np.ndarray
    psi: np.ndarray
    log_norm: np.ndarray
    order: np.ndarray
    offsets: np.ndarray
    p: float
    measure: str

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.offsets) - 1

    @property
    def n_terms(self) -> int:
        """Number of terms: wavelets that are not zero."""
        return len(self.order)

    @property
    def norm(self) -> np.ndarray:
        """``||psi||_p`` of every node, in units of the targets."""
        return np.exp(self.log_norm)

    @property
    def roots(self) -> np.ndarray:
        """Node number of every tree's root."""
        return self.offsets[:-1]

    @property
    def n_terms_per_tree(self) -> np.ndarray:
        """Number of terms of every tree."""
        return np.bincount(self.tree[self.order], minlength=self.n_trees)

    def norms_by_tree(self) -> np.ndarray:
        """Give the falling norms of every tree's terms.

        Returns
        -------
        norms : ndarray of shape (n_trees, most terms of a tree), float64
            One row a tree, filled up with zeros.
        """
        n_terms, norm = self.n_terms_per_tree, self.norm
        by_tree = np.zeros((self.n_trees, n_terms.max(initial=0)))
        for tree, n in enumerate(n_terms):
            by_tree[tree, :n] = norm[self.tree_order(tree)]
        return by_tree

    def tree_order(self, tree: int) -> np.ndarray:
        """Give the terms of one tree.

        Parameters
        ----------
        tree : int
            Number of the tree.

        Returns
        -------
        nodes : ndarray of shape (n_terms of the tree,), int32
            Its terms by falling norm.
        """
        return self.order[self.tree[self.order] == tree]

    def __repr__(self) -> str:
        return (
            f"WaveletDecomposition(n_trees={self.n_trees}, n_terms={self.n_terms}, "
            f"n_outputs={self.mean.shape[1]}, p={self.p:g}, measure={self.measure!r})"
        )


def decompose(
    forest: Forest,
    leaves: np.ndarray,
    values: np.ndarray,
    bags: np.ndarray,
    *,
    p: float = 2.0,
    measure: str = "samples",
    ranges: tuple[np.ndarray, np.ndarray] | None = None,
) -> WaveletDecomposition:
    """Wavelets of a forest, with counts and means from the given samples alone.

    Parameters
    ----------
    forest : Forest
        Topology.
    leaves : ndarray of shape (n_trees, n_samples), int32
        Leaf of every sample in every tree.
    values : ndarray of shape (n_samples, n_outputs), float64
        Targets.
    bags : ndarray of shape (n_trees, n_samples) or (1, n_samples), float64
        Weight of every sample in every tree, or in all of them.
    p : float, default=2
        Exponent of the norms, at least 1.
    measure : {"samples", "volume"}, default="samples"
        Measure of a node.
    ranges : tuple of ndarray of shape (n_features,)
        Smallest and largest value of every column; needed for volumes.

    Returns
    -------
    decomposition : WaveletDecomposition
        The wavelets.
    """
    parts = [
        _decompose_tree(tree, leaf, values, bag, p, ranges if measure == "volume" else None)
        for tree, leaf, bag in zip(
            forest.trees, leaves, np.broadcast_to(bags, leaves.shape), strict=True
        )
    ]
    return _pooled(parts, p, measure)


def decompose_boosting(
    forest: Forest,
    leaves: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
    step: float,
) -> WaveletDecomposition:
    """Wavelets of gradient boosting with the squared loss over given trees.

    Each tree in turn fits the residual of those before it, and a share of that is added
    (Friedman, Annals of Statistics 29, 2001, section 4.1, with the partitions given):
    ``f = mean(y) + step * sum_j sum_Omega psi_Omega``. With the partitions of least-squares
    boosting that is its own prediction.

    Parameters
    ----------
    forest : Forest
        Topology, a tree a stage; several outputs are fitted by every tree.
    leaves : ndarray of shape (n_trees, n_samples), int32
        Leaf of every sample in every tree.
    values : ndarray of shape (n_samples, n_outputs), float64
        Targets.
    weights : ndarray of shape (n_samples,), float64
        Sample weights, in all trees.
    step : float
        Learning rate.

    Returns
    -------
    decomposition : WaveletDecomposition
        The wavelets in L2, with means and norms of J times the stages, so that f is the
        average of the J trees, as it is for forests.
    """
    start = np.average(values, axis=0, weights=weights)
    residual = values - start
    scale = step * len(forest.trees)
    parts = []
    for tree, leaf in zip(forest.trees, leaves, strict=True):
        part = _decompose_tree(tree, leaf, residual, weights, 2.0, None)
        residual = residual - step * part["mean"][leaf]
        for name in ("mean", "psi"):
            part[name] *= scale
        part["log_norm"] += np.log(scale)
        parts.append(part)
    parts[0]["mean"] += start * len(forest.trees)
    return _pooled(parts, 2.0, "samples")


def _pooled(
    parts: list[dict[str, np.ndarray]], p: float, measure: str
) -> WaveletDecomposition:
    """One decomposition of all trees."""
    sizes = [len(part["parent"]) for part in parts]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    pooled = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    tree = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    is_root = pooled["parent"] < 0
    parent = np.where(is_root, -1, pooled["parent"] + offsets[tree])
    pooled["parent"] = parent.astype(np.int32)
    return WaveletDecomposition(
        tree=tree,
        order=falling_order(pooled["log_norm"], np.flatnonzero(pooled["psi"].any(axis=1))),
        offsets=offsets,
        p=float(p),
        measure=measure,
        **pooled,
    )


def _decompose_tree(
    tree: Tree,
    leaf: np.ndarray,
    values: np.ndarray,
    bag: np.ndarray,
    p: float,
    ranges: Any,
) -> dict[str, np.ndarray]:
    parent = tree.parent
    feature = _split_of_parent(tree.feature, parent)
    # Means of centred values do not lose digits to a large common offset.
    centre = values[0]
    count, total = node_sums(parent, leaf, bag, values - centre)
    if count[0] <= 0:
        raise ValueError("A tree holds no sample with a positive weight.")
    up = np.maximum(parent, 0)
    with np.errstate(invalid="ignore"):
        mean = total / count[:, None]
    depth = _depths(parent)
    if (count == 0).any():
        mean = _inherit_means(mean, count, parent, depth)
    psi = mean - mean[up]
    # Rounding makes impurities that grow empty splits; their wavelets are zero.
    psi[np.abs(psi).max(axis=1) <= _ROUNDING * np.abs(psi).max(initial=0.0)] = 0.0
    if ranges is None:
        with np.errstate(divide="ignore"):
            log_measure = np.log(count / count[0])
    else:
        log_measure = log_box_volumes(
            parent,
            tree.is_left,
            feature,
            _split_of_parent(tree.threshold, parent),
            *ranges,
        )
    height = np.linalg.norm(psi, axis=1)
    log_norm = np.full(len(height), -np.inf)
    wavelet = height > 0
    log_norm[wavelet] = np.log(height[wavelet]) + log_measure[wavelet] / p
    return {
        "parent": parent,
        "depth": depth,
        "feature": feature,
        "count": count,
        "mean": mean + centre,
        "psi": psi,
        "log_norm": log_norm,
    }


def _split_of_parent(column: np.ndarray, parent: np.ndarray) -> np.ndarray:
    return np.where(parent < 0, -1, column[np.maximum(parent, 0)]).astype(column.dtype)


def _depths(parent: np.ndarray) -> np.ndarray:
    """Depths by pointer doubling: as many array operations as the depth has bits."""
    depth = (parent >= 0).astype(np.int32)
    ancestor = np.maximum(parent, 0)
    while ancestor.any():
        depth = depth + depth[ancestor]
        ancestor = ancestor[ancestor]
    return depth


def _inherit_means(
    mean: np.ndarray, count: np.ndarray, parent: np.ndarray, depth: np.ndarray
) -> np.ndarray:
    # Nodes without samples copy their parent, so that their wavelet is zero.
    for level in range(1, depth.max() + 1):
        empty = np.flatnonzero((depth == level) & (count == 0))
        mean[empty] = mean[parent[empty]]
    return mean


def falling_order(log_norm: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Sort nodes by falling norm, equal ones by their number.

    Norms that are equal in exact arithmetic (of two halves of a node, say) differ by
    rounding, which depends on the order of the samples; so they are compared in
    single precision.
    """
    keys = log_norm[nodes]
    return nodes[np.argsort(-keys.astype(np.float32), kind="stable")].astype(np.int32)


def m_term_errors(
    decomposition: WaveletDecomposition,
    leaves: np.ndarray,
    targets: Targets,
    weights: np.ndarray | None = None,
    n_terms: int | None = None,
    trees: np.ndarray | None = None,
    blind: np.ndarray | None = None,
) -> np.ndarray:
    """Error of the M-term approximation of the pooled forest, for all M in one sweep.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    leaves : ndarray of shape (n_trees, n_samples), int32
        Leaves of the samples, those of the fit or others.
    targets : Targets
        Their targets.
    weights : ndarray of shape (n_samples,), default=None
        Sample weights; None means equal ones.
    n_terms : int, default=None
        Largest M; None means all terms.
    trees : ndarray of int, default=None
        Numbers of the trees that make up the forest; None means all.
    blind : ndarray of shape (n_trees, n_samples), bool, default=None
        Trees whose wavelets are used at a sample, such as those that have not seen it;
        samples without any are left out. None means all of ``trees``; not both.

    Returns
    -------
    errors : ndarray of shape (n_terms + 1,), float64
        ``errors[M]`` is the L_p norm of ``f - f_M`` over the samples, in units of the
        targets.
    """
    weights = np.ones(leaves.shape[1]) if weights is None else weights
    trees = np.arange(decomposition.n_trees) if trees is None else trees
    order = decomposition.order[np.isin(decomposition.tree[decomposition.order], trees)]
    roots = decomposition.mean[decomposition.roots]
    if blind is None:
        share = np.full(len(weights), 1 / len(trees))
        start = roots[trees].mean(axis=0)
    else:
        n_blind = blind.sum(axis=0)
        weights = np.where(n_blind > 0, weights, 0.0)
        share = 1 / np.maximum(n_blind, 1)
        start = share[:, None] * (blind.T.astype(float) @ roots)
        leaves = np.where(blind, leaves, -1)
    sums, _ = sweep_errors(
        order[:n_terms],
        decomposition.tree,
        *_node_samples(decomposition, leaves),
        decomposition.psi,
        share,
        targets.values - start,
        targets.floor,
        weights,
        *_one_sum(len(weights)),
        decomposition.p,
    )
    return _as_norms(sums[:, 0] / weights.sum(), decomposition.p)


def _one_sum(n_samples: int) -> tuple[np.ndarray, int, int, np.ndarray]:
    """Columns, sides and kept terms of a sweep that sums over all samples."""
    return np.zeros(n_samples, dtype=np.intp), 1, 1, np.zeros(0, dtype=np.int64)


def squared_errors_with_ranked_roots(
    decomposition: WaveletDecomposition,
    leaves: np.ndarray,
    targets: Targets,
    weights: np.ndarray,
    n_terms: np.ndarray,
    trees: np.ndarray,
) -> np.ndarray:
    """Mean squared errors when root means count among the ranked terms.

    So does the authors' tool: a root has the norm of its mean, classes being one-hot
    vectors. Roots are part of every approximation all the same, so each one that is
    among the first terms leaves room for one wavelet less.

    Parameters
    ----------
    decomposition, leaves, targets, weights, trees
        As in :func:`m_term_errors`.
    n_terms : ndarray of int
        Increasing numbers of terms, roots included.

    Returns
    -------
    squared_errors : ndarray of shape (len(n_terms),)
        Mean squared errors.
    """
    roots = decomposition.roots[trees]
    # A one-hot mean is the centred mean plus 1/L in every coordinate.
    squared_centre = 0.0 if targets.codes is None else 1 / (targets.values.shape[1] + 1)
    root_norm = np.sqrt(np.sum(decomposition.mean[roots] ** 2, axis=1) + squared_centre)
    log_norm = decomposition.log_norm.copy()
    with np.errstate(divide="ignore"):
        log_norm[roots] = np.log(root_norm)
    ranked = falling_order(log_norm, np.flatnonzero(np.isin(decomposition.tree, trees)))
    n_roots = np.cumsum(decomposition.parent[ranked] < 0)[n_terms - 1]
    n_wavelets = n_terms - n_roots
    errors = m_term_errors(decomposition, leaves, targets, weights, n_wavelets.max(), trees)
    # Beyond the last term there are only wavelets that are zero.
    return errors[np.minimum(n_wavelets, len(errors) - 1)] ** 2


@dataclass(frozen=True, eq=False)
class TreeErrors:
    """Mean p-th powers of the M-term errors of one tree, in the bag and out of it.

    Attributes
    ----------
    curve : ndarray of shape (n_terms_of_the_tree + 1, 2), float64
        Errors with M = 0, 1, ... terms over all samples in the bag, and out of it: NaN
        if there are none.
    group_sums : ndarray of shape (len(kept), n_groups, 2), float64
        Weighted sums of p-th powers over the samples of each group, in the bag and out
        of it, at the kept numbers of terms; constant beyond the last term.
    group_weights : ndarray of shape (n_groups, 2), float64
        Weights of those samples.
    """

    curve: np.ndarray
    group_sums: np.ndarray
    group_weights: np.ndarray


def tree_errors(
    decomposition: WaveletDecomposition,
    tree: int,
    leaves: np.ndarray,
    targets: Targets,
    weights: np.ndarray,
    in_bag: np.ndarray,
    group: np.ndarray,
    kept: np.ndarray,
) -> TreeErrors:
    """Errors of the M-term approximations of one tree alone, for all M in one sweep.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    tree : int
        Tree number.
    leaves : ndarray of shape (n_samples,), int32
        Leaves of the samples in that tree.
    targets : Targets
        Their targets.
    weights : ndarray of shape (n_samples,), float64
        Sample weights.
    in_bag : ndarray of shape (n_samples,), bool
        Which samples the tree was grown on.
    group : ndarray of shape (n_samples,), intp
        Groups of samples, 0, 1, ...
    kept : ndarray of int
        Increasing numbers of terms at which the groups are told apart.

    Returns
    -------
    errors : TreeErrors
        The curves.
    """
    first, last = decomposition.offsets[tree : tree + 2]
    start, stop = np.empty((2, last - first), dtype=np.int64)
    samples = np.empty((1, len(leaves)), dtype=np.int32)
    _write_ranges(decomposition, tree, leaves, start, stop, samples[0])
    order = decomposition.tree_order(tree) - first
    n_groups = int(group.max()) + 1
    column = 2 * group + ~in_bag
    sums, by_column = sweep_errors(
        order,
        np.zeros(last - first, dtype=np.int32),
        start,
        stop,
        samples,
        decomposition.psi[first:last],
        np.ones(len(weights)),
        targets.values - decomposition.mean[first],
        targets.floor,
        weights,
        column,
        2 * n_groups,
        2,
        np.unique(np.minimum(kept, len(order))),
        decomposition.p,
    )
    group_weights = np.bincount(column, weights, minlength=2 * n_groups).reshape(-1, 2)
    with np.errstate(invalid="ignore"):  # 0 / 0 where no sample is out of the bag
        curve = np.maximum(sums, 0.0) / group_weights.sum(axis=0)
    beyond = ((0, len(kept) - len(by_column)), (0, 0))
    group_sums = np.maximum(np.pad(by_column, beyond, mode="edge"), 0.0)
    return TreeErrors(curve, group_sums.reshape(len(kept), -1, 2), group_weights)


def _node_samples(
    decomposition: WaveletDecomposition, leaves: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The samples of each tree, node by node, and the range of every node in them."""
    start = np.empty(len(decomposition.parent), dtype=np.int64)
    stop = np.empty_like(start)
    samples = np.empty(leaves.shape, dtype=np.int32)
    for j in range(decomposition.n_trees):
        own = slice(*decomposition.offsets[j : j + 2])
        _write_ranges(decomposition, j, leaves[j], start[own], stop[own], samples[j])
    return start, stop, samples


def _write_ranges(
    decomposition: WaveletDecomposition,
    tree: int,
    leaves: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    samples: np.ndarray,
) -> None:
    first, last = decomposition.offsets[tree : tree + 2]
    parent = np.maximum(decomposition.parent[first:last] - first, -1)
    sample_ranges(parent, leaves, start, stop, samples)


def _as_norms(mean_powers: np.ndarray, p: float) -> np.ndarray:
    return np.maximum(mean_powers, 0.0) ** (1.0 / p)


def m_term_approximation(
    decomposition: WaveletDecomposition,
    leaves: np.ndarray,
    n_terms: int | None = None,
    blind: np.ndarray | None = None,
) -> np.ndarray:
    """Values at the samples of the approximation by the largest wavelets.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    leaves : ndarray of shape (n_trees, n_samples), int32
        Leaves of the samples.
    n_terms : int, default=None
        Number of terms M; None means all, which is the forest's own prediction.
    blind : ndarray of shape (n_trees, n_samples), bool, default=None
        Trees whose wavelets are used at a sample; None means all.

    Returns
    -------
    values : ndarray of shape (n_samples, n_outputs), float64
        ``f_M`` at the samples; 0 where no tree is used.
    """
    path_sums = kept_values(decomposition, decomposition.order[:n_terms])
    values = np.zeros((leaves.shape[1], path_sums.shape[1]))
    if blind is None:
        for leaf, root in zip(leaves, decomposition.roots, strict=True):
            values += path_sums[leaf + root]
        return values / decomposition.n_trees
    for leaf, root, used in zip(leaves, decomposition.roots, blind, strict=True):
        values[used] += path_sums[leaf[used] + root]
    return values / np.maximum(blind.sum(axis=0), 1)[:, None]


def kept_values(decomposition: WaveletDecomposition, kept: np.ndarray) -> np.ndarray:
    """Value on every node, as if it were a leaf, of its root's mean and the kept wavelets.

    ``kept`` are the nodes of these wavelets.
    """
    steps = np.zeros_like(decomposition.psi)
    steps[kept] = decomposition.psi[kept]
    steps[decomposition.roots] = decomposition.mean[decomposition.roots]
    return path_values(decomposition, steps)


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
    start, stop, samples = _node_samples(decomposition, leaves)
    done = 0
    for n in n_terms:
        for node in decomposition.order[done:n]:
            rows = samples[decomposition.tree[node], start[node] : stop[node]]
            values[rows] += decomposition.psi[node] / decomposition.n_trees
        done = n
        yield values


def path_values(decomposition: WaveletDecomposition, values: np.ndarray) -> np.ndarray:
    """Sum of per-node values along the path from the root to every node."""
    total = values.copy()
    for level in range(1, decomposition.depth.max(initial=0) + 1):
        nodes = np.flatnonzero(decomposition.depth == level)
        total[nodes] += total[decomposition.parent[nodes]]
    return total


def wavelet_features(
    decomposition: WaveletDecomposition, leaves: np.ndarray, n_terms: int
) -> sparse.csr_matrix:
    """Values at the samples of the largest wavelets, one column a wavelet.

    A column is ``||c - c'||_2`` on its node and 0 elsewhere.
    """
    nodes = decomposition.order[:n_terms]
    start, stop, samples = _node_samples(decomposition, leaves)
    counts = stop[nodes] - start[nodes]
    ends = np.concatenate([[0], np.cumsum(counts)])
    # Column c lists samples[tree, start], samples[tree, start + 1], ...
    first = decomposition.tree[nodes] * np.int64(leaves.shape[1]) + start[nodes]
    positions = np.repeat(first - ends[:-1], counts) + np.arange(ends[-1])
    heights = np.linalg.norm(decomposition.psi[nodes], axis=1)
    return sparse.csc_matrix(
        (np.repeat(heights, counts), samples.ravel()[positions], ends),
        shape=(leaves.shape[1], len(nodes)),
    ).tocsr()


def held_out_norms(
    decomposition: WaveletDecomposition,
    forest: Forest,
    leaves: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Norms of the wavelets as samples show them that their trees have not seen.

    ``||psi|| <psi, psi'> / <psi, psi>``, where psi' is the wavelet of the same node with
    the means of those samples: the norm itself if they agree, and zero in the mean where
    psi fits noise. Norms always add up to something; these do not. The squares of norms are
    corrected in this way by X. Li, Y. Wang, S. Basu, K. Kumbier and B. Yu, *A debiased MDI
    feature importance measure for random forests*, NeurIPS 2019.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets.
    forest : Forest
        Their trees.
    leaves : ndarray of shape (n_trees, n_samples), int32
        Leaf of every sample in every tree.
    values : ndarray of shape (n_samples, n_outputs), float64
        Targets.
    weights : ndarray of shape (n_trees, n_samples), float64
        Weights of the samples that a tree has not seen, 0 for the others. If there are
        none for some tree, the norms are given as they are.

    Returns
    -------
    norms : ndarray of shape (n_nodes,), float64
        Norms with a sign.
    """
    norms = decomposition.norm
    if not weights.any(axis=1).all():
        return norms
    offsets = decomposition.offsets
    for tree, leaf, weight, first, last in zip(
        forest.trees, leaves, weights, offsets[:-1], offsets[1:], strict=True
    ):
        seen, count = decomposition.psi[first:last], decomposition.count[first:last]
        held_out = _decompose_tree(tree, leaf, values, weight, decomposition.p, None)
        inner_product = np.einsum("ij,ij->i", seen, held_out["psi"])
        energy = np.einsum("ij,ij->i", seen, seen)
        # Of the shares of the samples, held out and fitted, that are in the node.
        inner_product *= held_out["count"] / held_out["count"][0]
        energy *= count / count[0]
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
    """Sum of the norms of the wavelets that splits by each feature made.

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


@validate_params(
    {
        "forest": "no_validation",
        "X": ["array-like", "sparse matrix"],
        "y": ["array-like"],
        "sample_weight": ["array-like", Interval(Real, 0, None, closed="left"), None],
        "p": [Interval(Real, 1, None, closed="left")],
        "measure": [StrOptions({"samples", "volume"})],
    },
    prefer_skip_nested_validation=True,
)
def wavelet_decomposition(
    forest: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    p: float = 2.0,
    measure: str = "samples",
) -> WaveletDecomposition:
    """Decompose the targets over the partitions of a fitted forest.

    Only the splits are taken from the forest. Counts and means are those of the given
    samples, all of them in every tree, so they need not be the ones the forest was
    fitted on.

    Parameters
    ----------
    forest : fitted estimator or model
        A fitted scikit-learn tree or ensemble of trees (random forest, extra trees,
        bagging, AdaBoost, gradient boosting with or without histograms), forest of
        scikit-learn-intelex, estimator or Booster of LightGBM or XGBoost, or
        treelite.Model. Boosting has one tree per stage, or per stage and class, and all
        of them are taken.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples, NaN where there is no value. Entries that a sparse matrix leaves out are
        zeros, to XGBoost's trees as well.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels (any dtype but floating-point), or numbers.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None means equal ones.
    p : float, default=2
        Exponent of the norms, at least 1.
    measure : {"samples", "volume"}, default="samples"
        Measure of a node: its share of the samples, or of the volume of the box that
        the data span.

    Returns
    -------
    decomposition : WaveletDecomposition
        Read-only arrays with one entry a node.

    Raises
    ------
    NotFittedError
        If the forest is not fitted.
    TypeError
        If it is not made of trees.
    ValueError
        If X is infinite or y is not finite, their lengths differ, or the forest does
        not split by thresholds alone.

    See Also
    --------
    BesovSmoothnessEstimator : Measures the index by them.
    WaveletForestRegressor : Predicts by the largest of them.

    References
    ----------
    .. [1] O. Elisha and S. Dekel, *Wavelet decompositions of Random Forests*, JMLR 17
       (2016).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sksmooth import wavelet_decomposition
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(3, random_state=0).fit(X, y)
    >>> wavelets = wavelet_decomposition(forest, X, y)
    >>> wavelets.n_trees, wavelets.n_terms == len(wavelets.norm) - 3
    (3, True)
    >>> bool(wavelets.norm[wavelets.order[0]] == wavelets.norm[wavelets.order].max())
    True
    """
    topology = read_forest(forest)
    with reading(X, "X"):
        X = check_array(
            X,
            accept_sparse="csr",
            dtype=feature_dtype(X),
            ensure_all_finite="allow-nan",
            input_name="X",
        )
    X = plain_features(X)
    if X.shape[1] != topology.n_features:
        raise ValueError(
            f"X has {X.shape[1]} features, but the forest was fitted with "
            f"{topology.n_features}."
        )
    check_consistent_length(X, y)
    X, y, weights = positively_weighted(X, y, sample_weight)
    targets, _ = encode_targets(y)
    return decompose(
        topology,
        topology.apply(X),
        targets.values,
        weights[None, :],
        p=p,
        measure=measure,
        ranges=column_ranges(X) if measure == "volume" else None,
    )
