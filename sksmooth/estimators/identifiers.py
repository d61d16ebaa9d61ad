"""Detect columns that look like identifiers: row numbers and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from .._lib.html import visible
from .._lib.messages import MOST_NAMES
from ..exceptions import IdentifierWarning
from ..samples import are_distinct_numbers, fill_their_range, has_no_name, rise_or_fall

__all__ = ["identifier_caution"]

_MUCH = 0.1  # of the importance
_FEWEST_ROWS = 10  # fewer may be sorted by chance
_LONGEST_NAME = 60


def identifier_caution(
    X: Any, importances: np.ndarray, names: Sequence[str] | None = None
) -> IdentifierWarning | None:
    """Find columns that look like identifiers, and say how to drop them.

    They hold distinct whole numbers and have at least a tenth of the importance. Their
    numbers rise or fall from row to row, or, if there is only one such column (several are
    ranks), fill their range, as row numbers of shuffled rows do. An index that pandas has
    read as a column counts whatever its importance.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Features, in the order of the input.
    importances : ndarray of shape (n_features,)
        Their shares of the importance.
    names : sequence of str, default=None
        Names of the features, if they have any.

    Returns
    -------
    caution : IdentifierWarning or None
        None if no column looks like an identifier.
    """
    unnamed = [] if names is None else list(map(has_no_name, names))
    suspects = np.flatnonzero((importances >= _MUCH) | np.array(unnamed or False))
    distinct = {
        column: values
        for column in suspects.tolist()
        if X.shape[0] >= _FEWEST_ROWS and are_distinct_numbers(values := _values(X, column))
    }
    told = [c for c in distinct if (unnamed and unnamed[c]) or rise_or_fall(distinct[c])]
    dense = [c for c in distinct if c not in told and fill_their_range(distinct[c])]
    columns = sorted(told + dense if len(dense) == 1 else told)
    if not columns:
        return None
    caution = IdentifierWarning(_message(columns, importances[columns].sum(), names))
    caution.columns = tuple(columns)
    return caution


def _message(columns: list[int], share: float, names: Sequence[str] | None) -> str:
    said = [f"x{c}" if names is None else str(names[c]) for c in columns[:MOST_NAMES]]
    what = ", ".join(visible(name, _LONGEST_NAME) for name in said)
    column, looks, they = ("Column", "looks like an identifier", "it is")
    if len(columns) > 1:
        column, looks, they = ("Columns", "look like identifiers", "they are")
    mend = f"X.drop(columns={said})"
    if names is None:
        mend = f"np.delete(X, {columns[:MOST_NAMES]}, axis=1)"
    return (
        f"{column} {what} {looks}: distinct whole numbers, like row numbers or keys, with "
        f"{100 * share:.0f} % of the importance. Unless {they} meant to be a feature, drop "
        f"it: {mend}."
    )


def _values(X: Any, column: int) -> np.ndarray:
    is_sparse = isinstance(X, csr_matrix)
    return X[:, [column]].toarray().ravel() if is_sparse else X[:, column]
