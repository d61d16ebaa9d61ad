"""Where trees come from: grown here, or read from other libraries' forests."""

from .binning import MOST_BINS
from .grow import grow_forest
from .libraries import allow_copies
from .read import in_bag_rows, read_forest
from .sampling import CanonicalOrder, canonical_order
from .structure import Forest, Tree, column_ranges

__all__ = [
    "MOST_BINS",
    "CanonicalOrder",
    "Forest",
    "Tree",
    "allow_copies",
    "canonical_order",
    "column_ranges",
    "grow_forest",
    "in_bag_rows",
    "read_forest",
]
