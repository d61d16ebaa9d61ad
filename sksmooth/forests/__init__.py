"""Where trees come from: grown here, or read from other libraries' forests."""

from .binning import MOST_BINS
from .boosting import boosting_step
from .grow import grow_forest
from .libraries import allow_copies
from .pruning import prune_tree
from .read import in_bag_rows, read_forest
from .sampling import CanonicalOrder, canonical_order
from .structure import Forest, Tree, column_ranges

__all__ = [
    "MOST_BINS",
    "CanonicalOrder",
    "Forest",
    "Tree",
    "allow_copies",
    "boosting_step",
    "canonical_order",
    "column_ranges",
    "grow_forest",
    "in_bag_rows",
    "prune_tree",
    "read_forest",
]
