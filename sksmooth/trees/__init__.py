"""Where trees come from: grown here, or read from other libraries' forests."""

from .bins import MOST_BINS
from .boosting import boosting_step
from .grow import grow_forest
from .libraries import allow_copies
from .pruning import prune_tree
from .read import in_bag_rows, read_forest
from .tree import Forest, Tree

__all__ = [
    "MOST_BINS",
    "Forest",
    "Tree",
    "allow_copies",
    "boosting_step",
    "grow_forest",
    "in_bag_rows",
    "prune_tree",
    "read_forest",
]
