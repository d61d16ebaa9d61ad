"""The one place where samples are read: every public entry goes through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.random import sample_without_replacement
from sklearn.utils.validation import check_consistent_length, validate_data

from .._lib.messages import MOST_NAMES, listed
from .._lib.optional import comes_from
from .._lib.scikit_learn import safe_indexing
from .categories import Categories, category_columns, text_columns
from .checks import check_weights, reading, weights_in_units
from .containers import (
    column_at,
    column_names,
    in_memory,
    is_dask,
    number_of_rows,
    read_rows,
)
from .features import feature_dtype, plain_features
from .samples import Samples
from .targets import Targets, encode_targets, refuse_no_targets
from .wording import are_molecules, molecules_error

__all__ = [
    "Encoder",
    "read_features",
    "read_samples",
    "refuse_molecules",
    "with_features",
]

Encoder = Callable[[ArrayLike], tuple[Targets, np.ndarray | None]]


def read_samples(
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    estimator: BaseEstimator | None = None,
    reset: bool = True,
    encode: Encoder = encode_targets,
    fewest: int = 1,
    n_drawn: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Samples:
    """Check samples, targets and weights, and drop the rows of weight zero.

    Parameters
    ----------
    X : {array-like, sparse matrix, Dask array} of shape (n_samples, n_features)
        Features, NaN where there is no value. A Dask array is read only with ``n_drawn``.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    sample_weight : array-like of shape (n_samples,), float or None, default=None
        Non-negative weights.
    estimator : estimator, default=None
        Where the number, the names and the categories of the features are recorded, or
        compared with what is recorded there. Without one, or a parameter
        ``categorical_features``, all features are numbers.
    reset : bool, default=True
        Whether to record them (in ``fit``) or to compare.
    encode : callable, default=encode_targets
        Turns ``y`` into targets and classes.
    fewest : int, default=1
        Fewest samples of a positive weight.
    n_drawn : int, default=None
        Rows to draw, of those with a positive weight, where there are more. They are drawn
        by their numbers and nothing else is read, so that X may be larger than memory.
        None reads all rows.
    random_state : int, RandomState instance or None, default=None
        Seed of that draw.

    Returns
    -------
    samples : Samples
        The checked samples. The weights are in units of the smallest one, in which
        multiples of one number are whole numbers, whose sums in the trees are exact.

    Raises
    ------
    ValueError
        If y is missing, lengths differ, X is infinite or y is not finite, weights are
        negative or all zero, or there are fewer samples than ``fewest``.
    """
    refuse_no_targets(y)
    rows = None
    if n_drawn is not None:
        X, y, sample_weight, rows = _drawn(
            X, y, sample_weight, n_drawn, fewest, random_state
        )
    X = read_features(X, estimator, reset=reset, fewest=fewest)
    y, sample_weight = in_memory(y), in_memory(sample_weight)
    check_consistent_length(X, y)
    if sample_weight is None:
        weights = np.ones(X.shape[0])
    else:
        weights = weights_in_units(check_weights(sample_weight, X))
        kept = np.flatnonzero(weights)
        if len(kept) < len(weights):
            _check_enough(len(kept), fewest)
            X, y, weights = X[kept], safe_indexing(y, kept), weights[kept]
            rows = kept  # rows that are drawn all have weight
    targets, classes = encode(y)
    return Samples(X, y, targets, weights, classes, rows, _category_counts(estimator))


def with_features(
    samples: Samples, X: Any, estimator: BaseEstimator, *, reset: bool = True
) -> Samples:
    """Replace the features of samples, reading them as an estimator requires.

    Parameters
    ----------
    samples : Samples
        The samples.
    X, estimator, reset
        As in :func:`read_samples`.

    Returns
    -------
    samples : Samples
        The same samples with these features.
    """
    X = read_features(X, estimator, reset=reset)
    return replace(samples, X=X, category_counts=_category_counts(estimator))


def read_features(
    X: Any, estimator: BaseEstimator | None = None, *, reset: bool = True, fewest: int = 1
) -> np.ndarray | sparse.csr_matrix:
    """Check features alone, as :func:`read_samples` does.

    Parameters
    ----------
    X, estimator, reset, fewest
        As in :func:`read_samples`.

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_samples, n_features), float32 or float64
        The features; not copied where they are of one of these kinds already. Categories
        are numbers from 0 on, NaN where they are missing or unknown.
    """
    if is_dask(X):
        raise ValueError(
            "X is a Dask collection, which is not read as a whole: pass some of its rows, "
            "such as X[:10000].compute(), and the same rows of y; or fit a "
            "BesovSmoothnessEstimator with max_samples as the number of rows per tree, "
            "which reads no others."
        )
    coded = _coded(in_memory(X), estimator, reset)
    options: dict[str, Any] = {
        "accept_sparse": "csr",
        "dtype": feature_dtype(coded),
        "ensure_all_finite": "allow-nan",
        "ensure_min_samples": fewest if reset else 1,
    }
    with reading(coded, "X"), _naming_columns(coded):
        if estimator is None:
            X = check_array(coded, input_name="X", **options)
        else:
            X = validate_data(estimator, coded, reset=reset, **options)
    return plain_features(X)


def _coded(X: Any, estimator: Any, reset: bool) -> Any:
    """Replace categories by numbers, as an estimator asks for and has recorded."""
    if not hasattr(estimator, "categorical_features"):
        return X
    if estimator.categorical_features is not None and isinstance(X, list | tuple):
        X = np.asarray(X, dtype=object)  # numbers stay numbers beside text
    if reset:
        columns = category_columns(X, estimator.categorical_features)
        estimator._categories = Categories.of(X, columns)
        estimator.is_categorical_ = None
        if columns:
            estimator.is_categorical_ = np.isin(np.arange(np.shape(X)[1]), columns)
    return estimator._categories.coded(X)


def _category_counts(estimator: Any) -> dict[int, int]:
    return getattr(estimator, "_categories", Categories()).counts


@contextmanager
def _naming_columns(X: Any) -> Iterator[None]:
    """Name the columns in the errors that text, objects or infinity are no numbers."""
    try:
        yield
    except (ValueError, TypeError) as error:
        is_text = "could not convert" in str(error)
        is_object = "float() argument" in str(error)
        if "contains infinity" in str(error):
            raise ValueError(
                f"{error} It is in the {listed(_infinite_columns(X), 'column')}; if it "
                "means a missing value, such as a descriptor that overflowed, pass NaN: "
                "X[np.isinf(X)] = np.nan."
            ) from error
        if not is_text | is_object:
            raise
        refuse_molecules(X, error)
        if len(np.shape(X)) == 1 and is_text:
            raise ValueError(
                f"X is one column of text, not features ({error}). Encode it in a "
                "Pipeline, such as with sklearn.feature_extraction.text.TfidfVectorizer."
            ) from error
        names = text_columns(X)
        if not names:
            raise
        what = "text" if is_text else f"objects ({error})"
        raise type(error)(
            f"X holds {what}, not numbers, in the {listed(names, 'column')}. If it has few "
            f"values, convert it to categories: {_as_categories(X, names[:MOST_NAMES])}. "
            "Otherwise encode it as numbers, as skrub.TableVectorizer does, or drop it."
        ) from error


def refuse_molecules(X: Any, error: Exception) -> None:
    """Advise about molecules if an error says that text is not a number.

    Parameters
    ----------
    X : array-like
        The input for features.
    error : Exception
        The error.

    Raises
    ------
    ValueError
        If X or a column of it holds molecules.
    """
    n_axes = len(np.shape(X))
    if n_axes == 1 and are_molecules(X):
        raise molecules_error() from error
    if n_axes != 2 or sparse.issparse(X):
        return
    names = enumerate(column_names(X))
    molecules = [name for place, name in names if are_molecules(column_at(X, place))]
    if molecules:
        raise molecules_error(f" in the {listed(molecules, 'column')}") from error


def _infinite_columns(X: Any) -> list[Any]:
    names = column_names(X)
    if sparse.issparse(X):
        matrix: Any = X
        entries = matrix.tocoo()
        places = entries.col[np.isinf(entries.data)]
    else:
        places = np.nonzero(np.isinf(np.asarray(X, dtype=np.float64)))[1]
    return [names[place] for place in np.unique(places)]


def _as_categories(X: Any, names: list[Any]) -> str:
    """Return the code that converts columns to categories."""
    if comes_from(X, "polars"):
        return f"X = X.cast(dict.fromkeys({names}, pl.Categorical))"
    if hasattr(X, "columns"):
        return f"X = X.astype({dict.fromkeys(names, 'category')})"
    return f"categorical_features={names}"


def _drawn(
    X: Any, y: Any, sample_weight: Any, n_drawn: int, fewest: int, random_state: Any
) -> tuple[Any, Any, Any, np.ndarray | None]:
    """Read the rows drawn, and no others, where there are more than so many."""
    n_rows = number_of_rows(X)
    number_of_rows(y, "y")  # which must be known, too
    if n_drawn >= n_rows:
        return in_memory(X), y, sample_weight, None
    check_consistent_length(X, y)
    if sample_weight is not None:
        sample_weight = check_weights(in_memory(sample_weight), X)
        _check_enough(int(np.count_nonzero(sample_weight)), fewest)
    rows = _drawn_rows(sample_weight, n_rows, n_drawn, random_state)
    X, y, sample_weight = (read_rows(each, rows) for each in (X, y, sample_weight))
    return X, y, sample_weight, rows


def _drawn_rows(
    sample_weight: np.ndarray | None, n_rows: int, n_drawn: int, random_state: Any
) -> np.ndarray:
    """Draw numbers of rows, of those with a positive weight."""
    weighted = None
    if sample_weight is not None:
        weighted = np.flatnonzero(sample_weight)
        n_rows = len(weighted)
        if n_rows <= n_drawn:
            return weighted
    rows = np.sort(sample_without_replacement(n_rows, n_drawn, random_state=random_state))
    return rows if weighted is None else weighted[rows]


def _check_enough(n_kept: int, fewest: int) -> None:
    if n_kept == 0:
        raise ValueError("sample_weight is zero for all samples.")
    if n_kept < fewest:
        raise ValueError(
            f"Only {n_kept} samples have a positive weight; at least {fewest} are needed."
        )
