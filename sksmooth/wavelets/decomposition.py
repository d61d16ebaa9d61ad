"""Decision forests read as geometric wavelet expansions.

A node Omega with parent Omega' and means c, c' carries the wavelet
``psi = 1_Omega (c - c')`` with ``||psi||_p = ||c - c'||_2 mu(Omega)^(1/p)``
(Elisha and Dekel, JMLR 17, 2016; Dekel and Leviatan, SIAM J. Numer. Anal. 43, 2005).
The mean of f over a tree's root comes first and is not a term; a forest is the average
of its trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._lib.scikit_learn import Interval, StrOptions, validate_params
from .._lib.state import Versioned
from .._lib.text import paragraphs
from ..samples import Samples, read_samples
from ..trees import Forest, GrownForest, Tree, read_forest
from .kernels import NodeSamples, depths, sample_ranges
from .means import (
    ComputedMeans,
    HeldMeans,
    NodeMeans,
    TreeSamples,
    can_be_held,
    heights_of,
    measure_tree,
)
from .measures import MEASURES, NodeMeasure, log_share, split_of_parent

__all__ = [
    "WaveletDecomposition",
    "decompose",
    "decompose_boosting",
    "falling_order",
    "node_samples",
    "tree_wavelets",
    "wavelet_decomposition",
    "write_ranges",
]


@dataclass(frozen=True, eq=False)
class WaveletDecomposition(Versioned):
    """The wavelets of a forest: arrays with one entry per node, tree after tree.

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
        Sum of the weights of the node's samples.
    means : NodeMeans
        Source of ``mean`` and ``psi``: arrays, or the samples if arrays would be large
        (many classes or outputs in many nodes).
    log_norm : ndarray of shape (n_nodes,), float64
        Logarithm of ``||psi||_p``, -inf where it is 0.
    order : ndarray of shape (n_terms,), int32
        The terms: all nodes except roots and those with the mean of their parent, by
        falling norm, equal norms by node.
    offsets : ndarray of shape (n_trees + 1,), int64
        Tree j is ``[offsets[j]:offsets[j + 1]]``.
    p : float
        Exponent of the norm.
    measure : {"samples", "volume"}
        Measure of a node: its share of the samples' weight, or of the volume of the
        box that the data span.

    See Also
    --------
    wavelet_decomposition : Computes it.

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
    means: NodeMeans
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
    def mean(self) -> np.ndarray:
        """Mean of the targets in every node, of shape (n_nodes, n_outputs).

        That of the parent in a node without samples.
        """
        return self.means.mean

    @property
    def psi(self) -> np.ndarray:
        """Value of the wavelet on every node, ``mean - mean[parent]``; 0 for roots."""
        return self.means.psi

    @property
    def n_outputs(self) -> int:
        """Number of outputs: columns of the targets, or number of classes minus one."""
        return self.means.n_outputs

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

    def nodes_of(self, tree: int) -> slice:
        """Return the node numbers of one tree.

        Parameters
        ----------
        tree : int
            Number of the tree.

        Returns
        -------
        nodes : slice
            Its nodes, the root first.
        """
        first, last = self.offsets[tree : tree + 2].tolist()
        return slice(first, last)

    @property
    def n_terms_per_tree(self) -> np.ndarray:
        """Number of terms of every tree."""
        is_term = np.zeros(len(self.tree), dtype=bool)
        is_term[self.order] = True
        return np.add.reduceat(is_term, self.roots, dtype=np.int64)

    def norms_by_tree(self) -> np.ndarray:
        """Return the falling norms of every tree's terms.

        Returns
        -------
        norms : ndarray of shape (n_trees, most terms of a tree), float64
            One row per tree, filled up with zeros.
        """
        n_terms, norm = self.n_terms_per_tree, self.norm
        by_tree = np.zeros((self.n_trees, n_terms.max(initial=0)))
        for tree, n in enumerate(n_terms):
            by_tree[tree, :n] = norm[self.tree_order(tree)]
        return by_tree

    def tree_order(self, tree: int) -> np.ndarray:
        """Return the terms of one tree.

        Parameters
        ----------
        tree : int
            Number of the tree.

        Returns
        -------
        nodes : ndarray of shape (n_terms of the tree,), int32
            Its terms by falling norm.
        """
        nodes = self.nodes_of(tree)
        return self.order[(self.order >= nodes.start) & (self.order < nodes.stop)]

    def __repr__(self) -> str:
        return (
            f"WaveletDecomposition(n_trees={self.n_trees}, n_terms={self.n_terms}, "
            f"n_outputs={self.n_outputs}, p={self.p:g}, measure={self.measure!r})"
        )

    def __str__(self) -> str:
        """Say how many terms there are, and how their norms fall."""
        trees = "1 tree" if self.n_trees == 1 else f"{self.n_trees:,} trees"
        text = f"{self.n_terms:,} wavelets of {trees}"
        if self.n_terms == 0:
            return f"{text}: nothing is split."
        norms = self.norm[self.order]
        text += f", the largest of norm {norms[0]:.2g}"
        n_large = np.count_nonzero(norms >= 0.1 * norms[0])
        return paragraphs([f"{text}; {n_large:,} have at least a tenth of it."])


def decompose(
    grown: GrownForest, samples: Samples, *, p: float = 2.0, measure: str = "samples"
) -> WaveletDecomposition:
    """Read a grown forest as wavelets, with counts and means computed from the samples.

    Parameters
    ----------
    grown : GrownForest
        The trees, the weight of every sample in each of them, and its leaf.
    samples : Samples
        The samples that they were grown on.
    p : float, default=2
        Exponent of the norms, at least 1.
    measure : {"samples", "volume"}, default="samples"
        Measure of a node.

    Returns
    -------
    decomposition : WaveletDecomposition
        The wavelets.
    """
    return _decompose(grown.forest, grown.leaves, samples, grown.bags, p, measure)


def _decompose(
    forest: Forest,
    leaves: np.ndarray,
    samples: Samples,
    bags: Sequence[np.ndarray] | np.ndarray,
    p: float,
    measure: str,
) -> WaveletDecomposition:
    targets, log_measure = samples.targets, MEASURES[measure](samples)
    own_samples = [
        TreeSamples(tree.parent, leaf, bag)
        for tree, leaf, bag in zip(
            forest.trees, leaves, np.broadcast_to(bags, leaves.shape), strict=True
        )
    ]
    n_nodes = sum(tree.n_nodes for tree in forest.trees)
    if can_be_held(n_nodes, targets.n_outputs):
        parts = [
            tree_wavelets(tree, own, targets.points, targets.places, p, log_measure)
            for tree, own in zip(forest.trees, own_samples, strict=True)
        ]
        return _pooled(parts, p, measure)
    measured = [measure_tree(own, targets) for own in own_samples]
    height = np.concatenate([each.height for each in measured])
    parts = [
        _columns(tree, each.count, each.height, p, log_measure)
        for tree, each in zip(forest.trees, measured, strict=True)
    ]
    of_roots = np.stack([each.of_root for each in measured])
    means = ComputedMeans(tuple(own_samples), targets, of_roots, height, _offsets(parts))
    return _joined(parts, means, height > 0, p, measure)


def decompose_boosting(
    grown: GrownForest, samples: Samples, learning_rate: float
) -> WaveletDecomposition:
    """Read gradient boosting with the squared loss over given trees as wavelets.

    Each tree in turn fits the residual of those before it, and a share of that is added
    (Friedman, Annals of Statistics 29, 2001, section 4.1, with the partitions given):
    ``f = mean(y) + step * sum_j sum_Omega psi_Omega``. With the partitions of least-squares
    boosting that is its own prediction.

    Parameters
    ----------
    grown : GrownForest
        The trees, one a stage; several outputs are fitted by every tree.
    samples : Samples
        The samples, all of which are in every tree.
    learning_rate : float
        The step: the factor of every stage.

    Returns
    -------
    decomposition : WaveletDecomposition
        The wavelets in L2, with means and norms of J times the stages, so that f is the
        average of the J trees, as it is for forests.
    """
    values, weights, trees = samples.targets.values, samples.weights, grown.forest.trees
    start = np.average(values, axis=0, weights=weights)
    residual = values - start
    # A decomposition averages its trees, boosting adds them up: J times each is the same.
    scale = learning_rate * len(trees)
    parts = []
    for tree, leaf in zip(trees, grown.leaves, strict=True):
        part = tree_wavelets(
            tree,
            TreeSamples(tree.parent, leaf, weights),
            residual,
            np.arange(len(leaf)),
            2.0,
        )
        residual = residual - learning_rate * part["mean"][leaf]
        for name in ("mean", "psi"):
            part[name] *= scale
        part["log_norm"] += np.log(scale)
        parts.append(part)
    # The mean that boosting starts from is a tree without splits; the first root holds it.
    parts[0]["mean"] += start * len(trees)
    return _pooled(parts, 2.0, "samples")


def _pooled(
    parts: list[dict[str, np.ndarray]], p: float, measure: str
) -> WaveletDecomposition:
    """Join trees whose means are held."""
    mean, psi = (
        np.concatenate([part.pop(name) for part in parts]) for name in ("mean", "psi")
    )
    means = HeldMeans(mean, psi, _offsets(parts))
    return _joined(parts, means, np.any(psi, axis=1), p, measure)


def _offsets(parts: list[dict[str, np.ndarray]]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum([len(part["parent"]) for part in parts])])


def _joined(
    parts: list[dict[str, np.ndarray]],
    means: NodeMeans,
    is_term: np.ndarray,
    p: float,
    measure: str,
) -> WaveletDecomposition:
    """Join the trees to one decomposition, with all terms in one order."""
    offsets = _offsets(parts)
    pooled = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    tree = np.repeat(np.arange(len(parts), dtype=np.int32), np.diff(offsets))
    is_root = pooled["parent"] < 0
    parent = np.where(is_root, -1, pooled["parent"] + offsets[tree])
    pooled["parent"] = parent.astype(np.int32)
    return WaveletDecomposition(
        tree=tree,
        means=means,
        order=falling_order(pooled["log_norm"], np.flatnonzero(is_term)),
        offsets=offsets,
        p=float(p),
        measure=measure,
        **pooled,
    )


def tree_wavelets(
    tree: Tree,
    own: TreeSamples,
    points: np.ndarray,
    place: np.ndarray,
    p: float,
    log_measure: NodeMeasure = log_share,
) -> dict[str, np.ndarray]:
    """Compute the wavelets of one tree, as columns of a :class:`WaveletDecomposition`.

    Parameters
    ----------
    tree : Tree
        Topology and cuts.
    own : TreeSamples
        Its samples.
    points : ndarray of shape (n_points, n_outputs), float64
        Values of targets.
    place : ndarray of shape (n_samples,), intp
        Number of every sample's value among them.
    p : float
        Exponent of the norms.
    log_measure : callable, default=log_share
        Logarithms of the measures of the nodes, see :mod:`sksmooth.wavelets.measures`.

    Returns
    -------
    columns : dict of ndarray
        One entry per node: parent, depth, feature, count, mean, psi and log_norm.
    """
    count, mean, psi = own.means(points, place)
    height, is_zero = heights_of(psi)
    psi[is_zero] = 0.0
    mean += points[place[0]]
    return {**_columns(tree, count, height, p, log_measure), "mean": mean, "psi": psi}


def _columns(
    tree: Tree, count: np.ndarray, height: np.ndarray, p: float, log_measure: NodeMeasure
) -> dict[str, np.ndarray]:
    """Return the columns of one tree, except its means."""
    parent = tree.parent
    # ||psi||_p = ||c - c'|| mu^(1/p), in logarithms since volumes underflow.
    log_norm = np.full(len(height), -np.inf)
    wavelet = height > 0
    log_norm[wavelet] = np.log(height[wavelet]) + log_measure(tree, count)[wavelet] / p
    return {
        "parent": parent,
        "depth": depths(parent),
        "feature": split_of_parent(tree.feature, parent),
        "count": count,
        "log_norm": log_norm,
    }


def falling_order(log_norm: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Sort nodes by falling norm, equal ones by their number.

    Norms that are equal in exact arithmetic (of two halves of a node, say) differ by
    rounding, which depends on the order of the samples; so they are compared in
    single precision.
    """
    keys = 0.0 - log_norm[nodes].astype(np.float32)  # not -0.0, whose bits differ
    # By halves of their bits, in the order of the numbers: NumPy's radix sort takes 16.
    bits = keys.view(np.uint32)
    bits = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31))
    order = np.argsort(bits.astype(np.uint16), kind="stable")
    high = (bits >> 16).astype(np.uint16)
    order = order[np.argsort(high[order], kind="stable")]
    return nodes[order].astype(np.int32)


def node_samples(decomposition: WaveletDecomposition, leaves: np.ndarray) -> NodeSamples:
    """List the samples of each tree node by node, with the range of every node."""
    start = np.empty(len(decomposition.parent), dtype=np.int64)
    stop = np.empty_like(start)
    samples = np.empty(leaves.shape, dtype=np.int32)
    for j in range(decomposition.n_trees):
        own = decomposition.nodes_of(j)
        write_ranges(decomposition, j, leaves[j], start[own], stop[own], samples[j])
    return NodeSamples(start, stop, samples)


def write_ranges(
    decomposition: WaveletDecomposition,
    tree: int,
    leaves: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    samples: np.ndarray,
) -> None:
    """Write the samples of one tree, and the range of every node in them."""
    nodes = decomposition.nodes_of(tree)
    parent = np.maximum(decomposition.parent[nodes] - nodes.start, -1)
    sample_ranges(parent, leaves, start, stop, samples)


@validate_params(
    {
        "forest": "no_validation",
        # The samples are checked where all samples are read, with the same messages.
        "X": "no_validation",
        "y": "no_validation",
        "sample_weight": "no_validation",
        "p": [Interval(Real, 1, None, closed="left")],
        "measure": [StrOptions(MEASURES.keys())],
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
        Samples, NaN where there is no value. Entries that a sparse matrix does not store
        are zeros, also for XGBoost's trees.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels (any dtype but floating-point), or regression targets.
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
        Read-only arrays with one entry per node.

    Raises
    ------
    NotFittedError
        If the forest is not fitted.
    TypeError
        If it is not made of trees.
    ValueError
        If X is infinite or y is not finite, their lengths differ, or the forest does not
        split only by thresholds.

    See Also
    --------
    BesovSmoothnessEstimator : Measures the index from them.
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
    samples = read_samples(X, y, sample_weight)
    if samples.X.shape[1] != topology.n_features:
        raise ValueError(
            f"X has {samples.X.shape[1]} features, but the forest was fitted with "
            f"{topology.n_features}."
        )
    leaves = topology.apply(samples.X)
    return _decompose(topology, leaves, samples, samples.weights[None, :], p, measure)
