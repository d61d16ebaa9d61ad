"""What columns look like that number or name the rows, and are no features."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["are_distinct_numbers", "fill_their_range", "has_no_name", "rise_or_fall"]

# As pandas calls columns without a name, in text and in Parquet files.
_UNNAMED = re.compile(r"\s*|Unnamed: \d+(\.\d+)*|__index_level_\d+__")


def has_no_name(column: object) -> bool:
    """Return whether a name is empty, or one that pandas makes up for an empty one."""
    return _UNNAMED.fullmatch(str(column)) is not None


def are_distinct_numbers(values: np.ndarray) -> bool:
    """Return whether values are whole numbers of which none comes twice."""
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        return False
    return bool((np.diff(np.sort(values)) > 0).all())


def rise_or_fall(values: np.ndarray) -> bool:
    """Return whether distinct values are sorted, one way or the other."""
    rises = np.diff(values) > 0
    return bool(rises.all() or not rises.any())


def fill_their_range(values: np.ndarray) -> bool:
    """Return whether n draws from so few numbers N would have repeated one.

    They do with probability ``1 - exp(-n^2 / (2 N))``.
    """
    return bool(len(values) ** 2 > 20 * np.ptp(values))
