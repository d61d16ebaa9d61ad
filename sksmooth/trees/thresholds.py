"""From cuts between two samples to cuts by a threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .bins import MISSING_CODE
from .problem import GrowthProblem, ValueOf
from .tree import Tree

__all__ = ["Nodes", "halfway", "tree_of_nodes"]

# Samples halfway between the two sides of a cut go left whatever the rounding.
_LEANING = 1e-9


class Nodes(NamedTuple):
    """Nodes of a tree, parents before children; arrays with one entry per node.

    Cuts are told by the samples beside them: ``below`` has the largest value to the left,
    ``above`` the smallest one to the right, or none.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    below: np.ndarray
    above: np.ndarray
    missing_left: np.ndarray


def halfway(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return thresholds between values, whatever the rounding not above the larger one."""
    below, above = np.asarray(below, np.float64), np.asarray(above, np.float64)
    middle = (0.5 - _LEANING) * below + (0.5 + _LEANING) * above
    return np.clip(middle, below, np.nextafter(above, -np.inf))


def tree_of_nodes(
    problem: GrowthProblem,
    nodes: Nodes,
    value_of: ValueOf,
) -> Tree:
    """Return the tree of nodes whose cuts are told by the samples beside them.

    Parameters
    ----------
    problem : GrowthProblem
        What the nodes were grown on.
    nodes : Nodes
        Nodes, with features numbered as those of ``problem``.
    value_of : callable
        The values, or codes of bins, of some samples in some features.
    """
    inner = np.flatnonzero(nodes.left >= 0)
    feature = nodes.feature[inner]
    below = value_of(nodes.below[inner], feature)
    above = value_of(nodes.above[inner], feature)
    if not problem.is_exact:
        is_last = above == MISSING_CODE
        below = problem.binned.highest[feature, below]
        above = problem.binned.lowest[feature, np.where(is_last, 0, above)]
        above = np.where(is_last, np.nan, above)
    threshold = np.zeros(len(nodes.left))
    # Beyond the last value, if all that is right of the cut has none.
    threshold[inner] = np.where(np.isnan(above), np.inf, halfway(below, above))
    return Tree(nodes.left, nodes.right, nodes.feature, threshold, nodes.missing_left)
