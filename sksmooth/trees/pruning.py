"""Trees cut back to the nodes that a model still needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._lib.compilation import compiled, readable
from .tree import Tree

__all__ = ["prune_tree"]


def prune_tree(tree: Tree, is_wanted: np.ndarray) -> tuple[Tree, np.ndarray]:
    """Find the smallest tree of the same splits in which the wanted nodes are nodes.

    Parameters
    ----------
    tree : Tree
        A tree.
    is_wanted : ndarray of shape (n_nodes,), bool
        Nodes that must remain nodes.

    Returns
    -------
    pruned : Tree
        The tree without the splits below which no node is wanted.
    nodes : ndarray of shape (pruned.n_nodes,), intp
        Numbers of its nodes in ``tree``.
    """
    parent = tree.parent
    holds_wanted = is_wanted.copy()
    _mark_ancestors(readable(parent, np.int32), holds_wanted)
    inner = np.flatnonzero(tree.left >= 0)
    splits = np.zeros(tree.n_nodes, dtype=bool)
    splits[inner] = holds_wanted[tree.left[inner]] | holds_wanted[tree.right[inner]]
    nodes = np.flatnonzero((parent < 0) | splits[parent])
    number = np.full(tree.n_nodes, -1, dtype=np.int32)
    number[nodes] = np.arange(len(nodes))
    splits = splits[nodes]
    return (
        replace(
            tree,
            left=np.where(splits, number[tree.left[nodes]], -1).astype(np.int32),
            right=np.where(splits, number[tree.right[nodes]], -1).astype(np.int32),
            feature=np.where(splits, tree.feature[nodes], -1).astype(np.int32),
            threshold=np.where(splits, tree.threshold[nodes], 0.0),
            missing_left=tree.missing_left[nodes] & splits,
        ),
        nodes,
    )


@compiled
def _mark_ancestors(parent, is_marked):
    for node in range(len(parent) - 1, 0, -1):
        is_marked[parent[node]] |= is_marked[node]
