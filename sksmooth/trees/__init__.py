"""Trees: grown here, or read from other libraries' forests."""

from .bins import MOST_BINS
from .growth import GrownForest, grow, grow_in_batches
from .libraries import allow_copies, in_bag_rows, read_forest
from .options import Growth, number_of_trees, randomised
from .pruning import prune_tree
from .tree import Forest, Tree, row_blocks

__all__ = [
    "MOST_BINS",
    "Forest",
    "GrownForest",
    "Growth",
    "Tree",
    "allow_copies",
    "grow",
    "grow_in_batches",
    "in_bag_rows",
    "number_of_trees",
    "prune_tree",
    "randomised",
    "read_forest",
    "row_blocks",
]
