"""Errors of M-term approximations, for all M in one sweep over the samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from joblib import delayed

from .._lib.parallel import run_parallel
from ..samples import Samples, Targets
from ..trees import GrownForest
from .decomposition import (
    WaveletDecomposition,
    falling_order,
    node_samples,
    write_ranges,
)
from .kernels import Columns, NodeSamples, Steps, sample_states, sweep_errors
from .many import SampleErrors, Terms, add_squares, floor_of_terms, sum_squares
from .means import NodeMeans

__all__ = [
    "ErrorCurves",
    "SampleGroups",
    "error_curves",
    "m_term_errors",
    "padded",
    "squared_errors_with_ranked_roots",
    "without_rounding",
]

_ROUNDING = 1e-6  # of errors, relative to that without any term
_N_GROUPS = 10  # of samples, of which the index leaves out one at a time


def without_rounding(errors: np.ndarray) -> np.ndarray:
    """Set errors to zero that are only due to rounding.

    Errors are roots of sums of squares, which lose half of the digits of float64.
    """
    return np.where(errors > _ROUNDING * errors[0], errors, 0.0)


@dataclass(frozen=True, eq=False)
class SampleGroups:
    """Errors of all trees, group of samples by group.

    Attributes
    ----------
    n_terms : ndarray of shape (n_points,)
        Numbers of terms, log-spaced.
    sums : ndarray of shape (n_trees, n_points, n_groups, 2)
        Weighted sums of the p-th powers of errors, in the bag and out of it.
    weights : ndarray of shape (n_trees, n_groups, 2)
        Weights of the samples.
    """

    n_terms: np.ndarray
    sums: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class ErrorCurves:
    """The M-term errors of every single tree, from which an index is read.

    Attributes
    ----------
    by_tree : ndarray of shape (n_trees, n_terms + 1, 2), float64
        Mean p-th power of every tree's error with 0, 1, ... of its terms, in the bag and
        out of it. A tree without further terms keeps its error; out-of-bag errors are NaN
        for a tree that has seen all samples.
    groups : SampleGroups
        The same errors by groups of samples.
    decomposition : WaveletDecomposition
        The wavelets, whose exponent p is that of the errors.
    grown : GrownForest
        The forest.
    samples : Samples
        The samples that it was grown on.
    """

    by_tree: np.ndarray
    groups: SampleGroups
    decomposition: WaveletDecomposition
    grown: GrownForest
    samples: Samples

    @property
    def p(self) -> float:
        """Exponent of the errors and norms."""
        return self.decomposition.p

    @property
    def has_out_of_bag(self) -> bool:
        """Whether every tree has left out some samples."""
        return not np.isnan(self.by_tree[:, 0, 1]).any()

    @cached_property
    def averages(self) -> np.ndarray:
        """Mean p-th powers of shape (n_trees, n_terms + 1), nearly without bias.

        With n samples in a cell, the in-bag error is (1 - 1/n) and the out-of-bag error
        (1 + 1/n) times the variance left in the cell, so their average is taken; without
        out-of-bag errors, the in-bag errors.
        """
        return self.by_tree.mean(axis=2) if self.has_out_of_bag else self.by_tree[:, :, 0]

    def errors_of(self, trees: np.ndarray) -> np.ndarray:
        """Average the L_p error with 1, 2, ... terms over some of the trees.

        Errors at the level of rounding, which takes half of the digits of their squares,
        are set to zero.
        """
        errors = self.averages[trees].mean(axis=0) ** (1 / self.p)
        return without_rounding(errors)[1:]

    @cached_property
    def mean_powers(self) -> np.ndarray:
        """The same averaged over trees, of shape (n_terms + 1,)."""
        return self.averages.mean(axis=0)

    @cached_property
    def powers_without_a_group(self) -> np.ndarray:
        """Mean p-th powers with one group of samples at a time left out.

        Of shape (n_groups, n_points), at the numbers of terms of ``groups``; NaN where a
        tree has no other samples. The trees stay as they are.
        """
        sums, weights = self.groups.sums, self.groups.weights
        if not self.has_out_of_bag:
            sums, weights = sums[..., :1], weights[..., :1]
        left_sums = sums.sum(axis=2, keepdims=True) - sums
        left_weights = weights.sum(axis=1, keepdims=True) - weights
        with np.errstate(divide="ignore", invalid="ignore"):
            powers = left_sums / left_weights[:, None]
        # Of trees, points, groups and bags, the mean over trees and bags.
        return np.maximum(powers.mean(axis=(0, 3)).T, 0.0)

    @cached_property
    def m_term_errors(self) -> np.ndarray:
        """L_p error with 1, 2, ... terms of a tree, averaged over all trees."""
        return self.errors_of(np.arange(len(self.by_tree)))


def error_curves(
    decomposition: WaveletDecomposition,
    grown: GrownForest,
    samples: Samples,
    n_jobs: int | None = None,
) -> ErrorCurves:
    """Measure the M-term errors of every tree, for all M in one sweep a tree.

    Parameters
    ----------
    decomposition : WaveletDecomposition
        Wavelets of the forest.
    grown : GrownForest
        The forest.
    samples : Samples
        The samples that it was grown on.
    n_jobs : int or None
        Number of joblib workers, over trees.

    Returns
    -------
    curves : ErrorCurves
        The curves.
    """
    units, leaves = grown.units, grown.leaves
    n_groups = min(_N_GROUPS, units.n_units)
    # Whole units, since samples of one unit are in the bag or out of it together. A fixed
    # seed: groups must not depend on random_state, or paired replicates would not be pairs.
    unit_group = np.random.RandomState(0).permutation(units.n_units) % n_groups
    group = unit_group[units.unit]
    longest = int(decomposition.n_terms_per_tree.max())
    kept = _group_terms(longest)
    errors = run_parallel(
        (
            delayed(tree_errors)(
                decomposition,
                j,
                leaf,
                samples.targets,
                samples.weights,
                bag > 0,
                group,
                kept,
            )
            for j, (leaf, bag) in enumerate(
                zip(leaves, np.broadcast_to(grown.bags, leaves.shape), strict=True)
            )
        ),
        len(leaves),
        n_jobs=n_jobs,
        label="errors",
        verbose=0,
        are_short=True,
    )
    by_tree = padded([e.curve for e in errors])
    sums = np.stack([e.group_sums for e in errors])
    weights = np.stack([e.group_weights for e in errors])
    groups = SampleGroups(kept, sums, weights)
    return ErrorCurves(by_tree, groups, decomposition, grown, samples)


def padded(curves: list[np.ndarray]) -> np.ndarray:
    """Stack curves of several lengths, which stay as they are beyond their ends.

    Parameters
    ----------
    curves : list of ndarray of shape (n_points, n_sides)
        Curves.

    Returns
    -------
    stacked : ndarray of shape (n_curves, longest n_points, n_sides)
        All of them.
    """
    longest = max(map(len, curves))
    return np.stack(
        [np.pad(c, ((0, longest - len(c)), (0, 0)), mode="edge") for c in curves]
    )


def m_term_errors(
    decomposition: WaveletDecomposition,
    leaves: np.ndarray,
    targets: Targets,
    weights: np.ndarray | None = None,
    n_terms: int | None = None,
    trees: np.ndarray | None = None,
    unseen: np.ndarray | None = None,
) -> np.ndarray:
    """Measure the M-term error of the pooled forest, for all M in one sweep.

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
    unseen : ndarray of shape (n_trees, n_samples), bool, default=None
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
    means = decomposition.means
    share, used = np.full(len(weights), 1 / len(trees)), None
    if unseen is not None:
        # A sample is approximated by the mean of its own trees; the others get no leaf.
        n_unseen = unseen.sum(axis=0)
        weights = np.where(n_unseen > 0, weights, 0.0)
        share, used = 1 / np.maximum(n_unseen, 1), unseen.T.astype(float)
        leaves = np.where(unseen, leaves, -1)

    def start_of(outputs: slice) -> np.ndarray:
        if used is None:
            return means.of_roots[trees][:, outputs].mean(axis=0)
        return share[:, None] * (used @ means.of_roots[:, outputs])

    sums, _ = _swept(
        means,
        means.psi_of_all,
        order[:n_terms],
        decomposition.tree,
        node_samples(decomposition, leaves),
        targets,
        start_of,
        SampleErrors(targets.floor, weights, share),
        _one_column(len(weights)),
        decomposition.p,
    )
    return _as_norms(sums[:, 0] / weights.sum(), decomposition.p)


def _swept(
    means: NodeMeans,
    psi_of: Callable[[slice], np.ndarray],
    order: np.ndarray,
    tree: np.ndarray,
    nodes: NodeSamples,
    targets: Targets,
    start_of: Callable[[slice], np.ndarray],
    of_samples: SampleErrors,
    columns: Columns,
    p: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Sum errors as :func:`sweep_errors` does; of many outputs, some at a time.

    ``psi_of`` and ``start_of`` give some outputs of the wavelets, and of the approximation
    without any. Where means are not held, what is in memory at once is a number for every
    sample of every node, whatever the number of outputs, and the sums have the same bits.
    """
    floor, weight, share = of_samples
    if means.are_held:
        everything = slice(None)
        return sweep_errors(
            Steps(order, tree, psi_of(everything)),
            nodes,
            sample_states(targets.values, start_of(everything), floor, weight, share),
            columns,
            p,
        )
    terms = Terms.of(order, tree, nodes)
    squared = floor_of_terms(terms, floor)
    for outputs in means.blocks(len(tree)):
        residual = targets.columns(outputs) - start_of(outputs)
        add_squares(terms, psi_of(outputs), residual, share, squared)
    return sum_squares(terms, squared, weight, columns, p)


def _one_column(n_samples: int) -> Columns:
    """Sum over all samples at once, and record nothing else."""
    return Columns(np.zeros(n_samples, dtype=np.intp), 1, 1, np.zeros(0, dtype=np.int64))


def squared_errors_with_ranked_roots(
    curves: ErrorCurves, n_terms: np.ndarray, trees: np.ndarray
) -> np.ndarray:
    """Measure the forest's mean squared errors when root means count among the terms.

    So does the authors' tool: a root has the norm of its mean, classes being one-hot
    vectors. Roots are part of every approximation all the same, so each one that is
    among the first terms leaves room for one wavelet less.

    Parameters
    ----------
    curves : ErrorCurves
        Wavelets, leaves and samples.
    n_terms : ndarray of int
        Increasing numbers of terms, roots included.
    trees : ndarray of int
        Numbers of the trees that make up the forest.

    Returns
    -------
    squared_errors : ndarray of shape (len(n_terms),)
        Mean squared errors.
    """
    decomposition, leaves = curves.decomposition, curves.grown.leaves
    targets, weights = curves.samples.targets, curves.samples.weights
    roots = decomposition.roots[trees]
    # A one-hot mean is the centred mean plus 1/L in every coordinate.
    squared_centre = 0.0 if targets.codes is None else 1 / (targets.n_outputs + 1)
    of_roots = decomposition.means.of_roots[trees]
    root_norm = np.sqrt(np.sum(of_roots**2, axis=1) + squared_centre)
    log_norm = decomposition.log_norm.copy()
    with np.errstate(divide="ignore"):
        log_norm[roots] = np.log(root_norm)
    ranked = falling_order(log_norm, np.flatnonzero(np.isin(decomposition.tree, trees)))
    # Among the first M terms so many are roots, which leaves M - roots wavelets.
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
    """Measure the M-term errors of one tree alone, for all M in one sweep.

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
        Increasing numbers of terms at which errors are kept by group.

    Returns
    -------
    errors : TreeErrors
        The curves.
    """
    own = decomposition.nodes_of(tree)
    n_nodes, n_samples = own.stop - own.start, len(leaves)
    nodes = NodeSamples(
        np.empty(n_nodes, dtype=np.int64),
        np.empty(n_nodes, dtype=np.int64),
        np.empty((1, n_samples), dtype=np.int32),
    )
    write_ranges(decomposition, tree, leaves, nodes.start, nodes.stop, nodes.samples[0])
    order = decomposition.tree_order(tree) - own.start
    n_groups = int(group.max()) + 1
    column = 2 * group + ~in_bag  # of each group two columns: in the bag, and out of it
    kept_terms = np.unique(np.minimum(kept, len(order)))
    means, root_mean = decomposition.means, decomposition.means.of_roots[tree]
    sums, by_column = _swept(
        means,
        partial(means.psi_of_tree, tree),
        order,
        np.zeros(n_nodes, dtype=np.int32),
        nodes,
        targets,
        lambda outputs: root_mean[outputs],
        SampleErrors(targets.floor, weights, np.ones(n_samples)),
        Columns(column, 2 * n_groups, 2, kept_terms),
        decomposition.p,
    )
    group_weights = np.bincount(column, weights, minlength=2 * n_groups).reshape(-1, 2)
    with np.errstate(invalid="ignore"):  # 0 / 0 where no sample is out of bag
        curve = np.maximum(sums, 0.0) / group_weights.sum(axis=0)
    beyond = ((0, len(kept) - len(by_column)), (0, 0))
    group_sums = np.maximum(np.pad(by_column, beyond, mode="edge"), 0.0)
    return TreeErrors(curve, group_sums.reshape(len(kept), -1, 2), group_weights)


def _as_norms(mean_powers: np.ndarray, p: float) -> np.ndarray:
    return np.maximum(mean_powers, 0.0) ** (1.0 / p)


def _group_terms(n_terms: int) -> np.ndarray:
    """Space the numbers of terms at which groups are kept: 0, and 16 per octave."""
    terms = np.geomspace(1, max(n_terms, 1), 16 * max(n_terms, 2).bit_length())
    return np.unique(np.append(0, terms.round().astype(np.int64)))
