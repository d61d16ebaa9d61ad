"""Columns that look like identifiers: row numbers and keys, which are no features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from .._lib.html import visible
from ..exceptions import IdentifierWarning

__all__ = ["identifier_caution"]

_MUCH = 0.1  # of the importance
_FEWEST_ROWS = 10  # fewer may be sorted by chance
# As pandas calls columns without a name, in text and in Parquet files.
_UNNAMED = re.compile(r"\s*|Unnamed: \d+(\.\d+)*|__index_level_\d+__")
_LONGEST_NAME, _MOST_NAMES = 60, 5


def identifier_caution(
    X: Any, importances: np.ndarray, names: Sequence[str] | None = None
) -> IdentifierWarning | None:
    """Find columns that look like identifiers, and say how to drop them.

    They hold distinct whole numbers, and a tenth of the importance: numbers that rise or
    fall from row to row, or in one column only (several are ranks) fill their range, as
    those of shuffled rows do. An index that pandas has read as a column is one, too,
    however important it is.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Features, row by row as they were given.
    importances : ndarray of shape (n_features,)
        Their shares of the importance.
    names : sequence of str, default=None
        Names of the features, if they have any.

    Returns
    -------
    caution : IdentifierWarning or None
        None where no column looks like that.
    """
    unnamed = [] if names is None else list(map(bool, map(_UNNAMED.fullmatch, names)))
    suspects = np.flatnonzero((importances >= _MUCH) | np.array(unnamed or False))
    distinct = {
        column: values
        for column in suspects.tolist()
        if _are_distinct(values := _values(X, column))
    }
    told = [c for c in distinct if (unnamed and unnamed[c]) or _is_sorted(distinct[c])]
    dense = [c for c in distinct if c not in told and _fills_range(distinct[c])]
    columns = sorted(told + dense if len(dense) == 1 else told)
    if not columns:
        return None
    caution = IdentifierWarning(_message(columns, importances[columns].sum(), names))
    caution.columns = tuple(columns)
    return caution


def _message(columns: list[int], share: float, names: Sequence[str] | None) -> str:
    said = [f"x{c}" if names is None else str(names[c]) for c in columns[:_MOST_NAMES]]
    what = ", ".join(visible(name, _LONGEST_NAME) for name in said)
    column, looks, they = ("Column", "looks like an identifier", "it is")
    if len(columns) > 1:
        column, looks, they = ("Columns", "look like identifiers", "they are")
    mend = f"X.drop(columns={said})"
    if names is None:
        mend = f"np.delete(X, {columns[:_MOST_NAMES]}, axis=1)"
    return (
        f"{column} {what} {looks}, by distinct whole numbers as of rows or keys, with "
        f"{100 * share:.0f} % of the importance. Unless {they} meant to be a feature, "
        f"measure without: {mend}."
    )


def _values(X: Any, column: int) -> np.ndarray:
    is_sparse = isinstance(X, csr_matrix)
    return X[:, [column]].toarray().ravel() if is_sparse else X[:, column]


def _are_distinct(values: np.ndarray) -> bool:
    """Tell whole numbers of which none comes twice."""
    if len(values) < _FEWEST_ROWS or not np.isfinite(values).all():
        return False
    is_whole = (values == np.rint(values)).all()
    return bool(is_whole and (np.diff(np.sort(values)) > 0).all())


def _is_sorted(values: np.ndarray) -> bool:
    rises = np.diff(values) > 0
    return bool(rises.all() or not rises.any())


def _fills_range(values: np.ndarray) -> bool:
    """Tell whether n draws from so few numbers N would have repeated one.

    They do with probability ``1 - exp(-n^2 / (2 N))``.
    """
    return bool(len(values) ** 2 > 20 * np.ptp(values))
