"""Where trees come from: grown here, or read from other libraries' forests."""

from .grow import grow_forest
from .read import in_bag_rows, read_forest
from .sampling import canonical_order
from .structure import Forest, Tree, column_ranges

__all__ = [
    "Forest",
    "Tree",
    "canonical_order",
    "column_ranges",
    "grow_forest",
    "in_bag_rows",
    "read_forest",
]
