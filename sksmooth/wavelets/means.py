"""Means of the nodes of a forest: stored, or recomputed for some outputs at a time.

A mean has one number per output, of which class labels have the number of classes minus
one. So the means of all nodes may take thousands of times the memory of the samples; they
are then recomputed from these whenever they are read. Both ways give the same numbers, bit
for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from .._lib.state import Versioned
from ..samples import Targets, output_blocks
from .many import means_of_points

__all__ = [
    "ComputedMeans",
    "HeldMeans",
    "NodeMeans",
    "TreeSamples",
    "can_be_held",
    "heights_of",
]

_ROUNDING = 1e-13  # of means, relative to the largest difference
# Means of few outputs are held however many nodes there are: to do without them takes more
# memory, a number for every sample of every node. Others up to so many numbers.
_FEW_OUTPUTS, _MOST_NUMBERS = 32, 1 << 24
# NumPy adds up rows of more numbers in halves, and sums have the same bits if we do so.
_ADDED_AT_ONCE, _MULTIPLE = 128, 8


def can_be_held(n_nodes: int, n_outputs: int) -> bool:
    """Return whether the means of this number of nodes are stored, not recomputed."""
    return n_outputs <= _FEW_OUTPUTS or n_nodes * n_outputs <= _MOST_NUMBERS


class TreeSamples(NamedTuple):
    """The samples of a tree: all that counts and means of its nodes depend on.

    ``parent`` has one entry per node; ``leaf`` and ``weight``, which is 0 out of bag, have
    one per sample.
    """

    parent: np.ndarray
    leaf: np.ndarray
    weight: np.ndarray

    def means(
        self, points: np.ndarray, place: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute counts, means less the first value, and their steps from the parents.

        The value of sample i is ``points[place[i]]``. A node without samples has the mean
        of its parent.
        """
        # Means of centred values do not lose digits to a large common offset.
        centred = points - points[place[0]]
        return means_of_points(self.parent, self.leaf, self.weight, centred, place)


def heights_of(psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure the heights of wavelets, and tell which are zero but for rounding.

    Rounding makes impurities that grow empty splits; their wavelets are zero.
    """
    largest = np.abs(psi).max(axis=1)
    return _heights(np.add.reduce(psi * psi, axis=1), largest)


def _heights(squared: np.ndarray, largest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    is_zero = largest <= _ROUNDING * largest.max(initial=0.0)
    return np.where(is_zero, 0.0, np.sqrt(squared)), is_zero


class NodeMeans(Protocol):
    """Means of all nodes of a forest, and their steps from the parents."""

    @property
    def are_held(self) -> bool:
        """Whether ``mean`` and ``psi`` are in memory."""

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""

    @property
    def of_roots(self) -> np.ndarray:
        """Means of the roots, of shape (n_trees, n_outputs)."""

    @property
    def mean(self) -> np.ndarray:
        """Mean of every node, of shape (n_nodes, n_outputs)."""

    @property
    def psi(self) -> np.ndarray:
        """Mean of every node less that of its parent, of the same shape; 0 for roots."""

    def blocks(self, n_rows: int) -> list[slice]:
        """Cut the outputs of so many rows into parts that are worked on in turn."""

    def psi_of_tree(self, tree: int, outputs: slice) -> np.ndarray:
        """Return some outputs of the wavelets of one tree."""

    def psi_of_all(self, outputs: slice) -> np.ndarray:
        """Return some outputs of the wavelets of all trees."""

    def heights(self, nodes: np.ndarray) -> np.ndarray:
        """Return the norms of the wavelets' values at some nodes."""


@dataclass(frozen=True, eq=False)
class HeldMeans(Versioned):
    """Means of which all outputs are in memory.

    Attributes
    ----------
    mean, psi : ndarray of shape (n_nodes, n_outputs)
        Means, and their steps.
    offsets : ndarray of shape (n_trees + 1,)
        Tree j is ``[offsets[j]:offsets[j + 1]]``.
    """

    mean: np.ndarray
    psi: np.ndarray
    offsets: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.mean, self.psi):
            array.setflags(write=False)

    are_held = True

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.mean.shape[1]

    @property
    def of_roots(self) -> np.ndarray:
        """Means of the roots."""
        return self.mean[self.offsets[:-1]]

    def blocks(self, n_rows: int) -> list[slice]:
        """All outputs are one part."""
        return [slice(0, self.n_outputs)]

    def psi_of_tree(self, tree: int, outputs: slice) -> np.ndarray:
        """Return some outputs of the wavelets of one tree."""
        return self.psi[self.offsets[tree] : self.offsets[tree + 1], outputs]

    def psi_of_all(self, outputs: slice) -> np.ndarray:
        """Return some outputs of the wavelets of all trees."""
        return self.psi[:, outputs]

    def heights(self, nodes: np.ndarray) -> np.ndarray:
        """Return the norms of the wavelets' values at some nodes."""
        return np.linalg.norm(self.psi[nodes], axis=1)


@dataclass(frozen=True, eq=False)
class ComputedMeans(Versioned):
    """Means that are computed from the samples, some outputs at a time.

    Attributes
    ----------
    trees : tuple of TreeSamples
        The samples of every tree.
    targets : Targets
        Their targets.
    of_roots : ndarray of shape (n_trees, n_outputs)
        Means of the roots.
    height : ndarray of shape (n_nodes,)
        Norms of the wavelets' values.
    offsets : ndarray of shape (n_trees + 1,)
        Tree j is ``[offsets[j]:offsets[j + 1]]``.
    """

    trees: tuple[TreeSamples, ...]
    targets: Targets
    of_roots: np.ndarray
    height: np.ndarray
    offsets: np.ndarray

    are_held = False

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.targets.n_outputs

    @property
    def mean(self) -> np.ndarray:
        """Mean of every node."""
        return self._of_all_nodes(self._mean_of_tree)

    @property
    def psi(self) -> np.ndarray:
        """Mean of every node less that of its parent."""
        return self._of_all_nodes(self.psi_of_tree)

    def _of_all_nodes(self, of_tree: Callable[[int, slice], np.ndarray]) -> np.ndarray:
        numbers = np.empty((len(self.height), self.n_outputs))
        for tree in range(len(self.trees)):
            own = numbers[self.offsets[tree] : self.offsets[tree + 1]]
            for outputs in self.blocks(len(own)):
                own[:, outputs] = of_tree(tree, outputs)
        numbers.setflags(write=False)
        return numbers

    def blocks(self, n_rows: int) -> list[slice]:
        """Cut the outputs of so many rows into parts that are worked on in turn."""
        return output_blocks(self.n_outputs, max(n_rows, len(self.trees[0].leaf)))

    def psi_of_tree(self, tree: int, outputs: slice) -> np.ndarray:
        """Return some outputs of the wavelets of one tree."""
        _, _, psi = self.trees[tree].means(*self.targets.of_columns(outputs))
        psi[self.height[self.offsets[tree] : self.offsets[tree + 1]] == 0] = 0.0
        psi.setflags(write=False)
        return psi

    def psi_of_all(self, outputs: slice) -> np.ndarray:
        """Return some outputs of the wavelets of all trees."""
        psi = np.concatenate(
            [self.psi_of_tree(tree, outputs) for tree in range(len(self.trees))]
        )
        psi.setflags(write=False)
        return psi

    def _mean_of_tree(self, tree: int, outputs: slice) -> np.ndarray:
        points, place = self.targets.of_columns(outputs)
        return self.trees[tree].means(points, place)[1] + points[place[0]]

    def heights(self, nodes: np.ndarray) -> np.ndarray:
        """Return the norms of the wavelets' values at some nodes."""
        return self.height[nodes]


@dataclass(frozen=True, eq=False)
class MeasuredTree:
    """What one tree adds to a decomposition, but for its means: counts and heights."""

    count: np.ndarray
    height: np.ndarray
    of_root: np.ndarray


def measure_tree(
    tree: TreeSamples,
    targets: Targets,
    keep: Callable[[slice, np.ndarray], None] = lambda outputs, psi: None,
) -> MeasuredTree:
    """Measure the wavelets of one tree, some outputs at a time.

    Parameters
    ----------
    tree : TreeSamples
        The samples of the tree.
    targets : Targets
        Their targets.
    keep : callable, default=nothing
        Called with every part of the outputs, and the wavelets there; those that are zero
        but for rounding are not told yet.

    Returns
    -------
    measured : MeasuredTree
        Counts and heights of all nodes, and the mean of the root.
    """
    largest, of_root = np.zeros(len(tree.parent)), np.empty(targets.n_outputs)
    count = np.empty(0)

    def squares(outputs: slice) -> np.ndarray:
        nonlocal count
        points, place = targets.of_columns(outputs)
        count, mean, psi = tree.means(points, place)
        of_root[outputs] = mean[0] + points[place[0]]
        keep(outputs, psi)
        np.maximum(largest, np.abs(psi).max(axis=1), out=largest)
        return np.add.reduce(np.square(psi, out=psi), axis=1)

    squared = _added_in_halves(0, targets.n_outputs, squares)
    height, _ = _heights(squared, largest)
    return MeasuredTree(count, height, of_root)


def _added_in_halves(
    first: int, last: int, part: Callable[[slice], np.ndarray]
) -> np.ndarray:
    """Add up columns in the order of ``numpy.add.reduce``, and so with the same bits."""
    n_columns = last - first
    if n_columns <= _ADDED_AT_ONCE:
        return part(slice(first, last))
    middle = n_columns // 2
    middle = first + middle - middle % _MULTIPLE
    return _added_in_halves(first, middle, part) + _added_in_halves(middle, last, part)
