"""Columns of categories: find them, and number their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .._lib.state import Versioned
from .containers import column_at, column_names, is_categorical

__all__ = ["Categories", "category_columns", "text_columns"]


@dataclass(frozen=True, eq=False)
class Categories(Versioned):
    """The fitted categories of some columns.

    Attributes
    ----------
    columns : tuple of int
        Positions of the columns of categories, increasing.
    known : tuple of ndarray of objects
        The categories of each that were seen: in the order of a categorical dtype,
        otherwise sorted.
    """

    columns: tuple[int, ...] = ()
    known: tuple[np.ndarray, ...] = ()

    @property
    def counts(self) -> dict[int, int]:
        """Number of categories of each column, of those in which there are any."""
        return {
            column: len(known)
            for column, known in zip(self.columns, self.known, strict=True)
            if len(known)
        }

    @classmethod
    def of(cls, X: Any, columns: Sequence[int]) -> Categories:
        """Find the categories of some columns."""
        known = tuple(_seen(column_at(X, place)) for place in columns)
        return cls(tuple(columns), known)

    def coded(self, X: Any) -> Any:
        """Replace categories by their numbers; NaN where they are missing or unknown.

        Parameters
        ----------
        X : data frame or ndarray of shape (n_samples, n_features)
            Samples; they stay as they are.

        Returns
        -------
        coded : data frame or ndarray
            Of the same columns, with numbers for categories.
        """
        if not self.columns:
            return X
        codes = {
            place: _codes(column_at(X, place), known)
            for place, known in zip(self.columns, self.known, strict=True)
            if place < X.shape[1]  # scikit-learn reports that X has other columns
        }
        if not hasattr(X, "columns"):
            X = np.array(X, dtype=object if X.dtype.kind not in "biuf" else np.float64)
            for place, numbers in codes.items():
                X[:, place] = numbers
            return X
        if not isinstance(X, pd.DataFrame):  # such as one of polars
            names = {X.columns[place]: numbers for place, numbers in codes.items()}
            return X.with_columns(**names)
        X = X.copy(deep=False)
        for place, numbers in codes.items():
            X.isetitem(place, numbers)
        return X


def category_columns(X: Any, categorical_features: Any) -> list[int]:
    """Find the columns that hold categories.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples.
    categorical_features : {"from_dtype"}, array-like of bool, int or str, or None
        Those of a categorical dtype; or a mask, positions or names; or none.

    Returns
    -------
    columns : list of int
        Their positions, increasing.

    Raises
    ------
    ValueError
        If there are no such columns, or they are named and X has no names.
    """
    names = list(getattr(X, "columns", ()))
    if categorical_features is None:
        return []
    if isinstance(categorical_features, str):
        dtypes = getattr(X, "dtypes", ()) if len(names) else ()
        return [place for place, dtype in enumerate(dtypes) if is_categorical(dtype)]
    given = np.asarray(categorical_features)
    if given.size == 0 or len(np.shape(X)) != 2:  # of which scikit-learn says more
        return []
    if sparse.issparse(X):
        raise ValueError(
            "X is sparse, and sparse matrices cannot have columns of categories; pass an "
            "array or a data frame, or categorical_features=None."
        )
    n_features = np.shape(X)[1]
    if given.dtype.kind == "b":
        if given.shape != (n_features,):
            raise ValueError(
                f"categorical_features is a mask of shape {given.shape}, but X has "
                f"{n_features} features."
            )
        return np.flatnonzero(given).tolist()
    if given.dtype.kind in "iu":
        if given.min() < -n_features or given.max() >= n_features:
            raise ValueError(
                f"categorical_features={given.tolist()} holds positions beyond the "
                f"{n_features} features of X."
            )
        return np.unique(given % n_features).tolist()
    if given.dtype.kind not in "OU":
        raise ValueError(
            "categorical_features must be 'from_dtype', None, or a list of positions or "
            f"names or a mask, got {categorical_features!r}."
        )
    missing = [name for name in given.tolist() if name not in names]
    if missing:
        raise ValueError(
            f"categorical_features names columns that X does not have: {missing}."
        )
    return sorted({names.index(name) for name in given.tolist()})


def text_columns(X: Any) -> list[Any]:
    """Find the columns that hold anything but numbers: by name, or by position."""
    if len(np.shape(X)) != 2 or sparse.issparse(X):
        return []
    names = enumerate(column_names(X))
    return [name for place, name in names if _holds_text(column_at(X, place))]


def _seen(column: Any) -> np.ndarray:
    """Find the categories that a column holds."""
    if isinstance(getattr(column, "dtype", None), pd.CategoricalDtype):
        categories = column.cat.remove_unused_categories().cat.categories
        return np.array(categories.to_numpy(object))
    values = pd.unique(np.asarray(column, dtype=object))
    values = values[~pd.isna(values)]
    try:
        return np.sort(values)
    except TypeError:  # of several types
        order = np.argsort([f"{type(value)} {value}" for value in values])
        return values[order]


def _codes(column: Any, known: np.ndarray) -> np.ndarray:
    """Number the categories in the order of the known ones; NaN for all else."""
    index = pd.Index(known, dtype=object)
    if isinstance(getattr(column, "dtype", None), pd.CategoricalDtype):
        own = index.get_indexer(pd.Index(column.cat.categories, dtype=object))
        codes = np.append(own, -1)[column.cat.codes.to_numpy()]
    else:
        codes = index.get_indexer(pd.Index(np.asarray(column, dtype=object)))
    return np.where(codes < 0, np.nan, codes).astype(np.float32)


def _holds_text(column: Any) -> bool:
    """Return whether a column of objects has entries that are no numbers."""
    if getattr(column, "dtype", np.dtype(float)) in (bool, int, float):
        return False
    present = pd.Series(np.asarray(column, dtype=object)).dropna()
    return bool(pd.to_numeric(present, errors="coerce").isna().any())
