"""Checks of single arguments: features, weights, numbers of rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from .._lib.scikit_learn import check_sample_weight, safe_indexing

__all__ = [
    "check_weights",
    "is_dask",
    "number_of_rows",
    "read_rows",
    "reading",
    "refuse_hidden_gaps",
    "weights_in_units",
]

# Smallest weight, relative to the largest, that float64 sums do not lose.
_LEAST_WEIGHT = 1e-12


@contextmanager
def reading(data: Any, name: str) -> Iterator[None]:
    """Turn the errors of a conversion to float64 into ones that name the argument."""
    refuse_hidden_gaps(data, name)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(f"{name} holds numbers that are too large for float64.") from error


def refuse_hidden_gaps(data: Any, name: str) -> None:
    """Refuse missing values that would count as numbers: masked entries and NaT."""
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise ValueError(
            f"{name} is a masked array, of which the masked entries would count as "
            f"numbers; fill them (in X by NaN: X.filled(np.nan)), or drop those rows."
        )
    if _holds_dates(data) and pd.isna(np.asarray(data)).any():
        raise ValueError(f"{name} holds missing dates (NaT); fill or drop those rows.")


def _holds_dates(data: Any) -> bool:
    dtype, schema = getattr(data, "dtype", None), getattr(data, "schema", None)
    dtypes = getattr(data, "dtypes", getattr(schema, "types", [dtype]))  # Arrow's tables
    names = {str(each).lower() for each in np.atleast_1d(np.array(dtypes, dtype=object))}
    return any(name.startswith(("date", "time", "duration")) for name in names)


def is_dask(data: Any) -> bool:
    """Tell whether data are a lazy collection of Dask, which need not be installed."""
    return hasattr(data, "__dask_graph__")


def number_of_rows(data: Any, name: str = "X") -> int:
    """Count the rows of anything with a shape or a length; 0 if it has neither.

    Raises
    ------
    ValueError
        If it is a lazy array of unknown length, or a lazy data frame.
    """
    shape: Any = getattr(data, "shape", None)
    if shape is None:
        shape = (len(data),) if hasattr(data, "__len__") else ()
    n_rows = shape[0] if len(shape) else 0
    if is_dask(data) and not isinstance(n_rows, int):
        raise ValueError(
            f"The number of rows of {name} is not known; pass a Dask array with known "
            "chunks: array.compute_chunk_sizes(), or frame.to_dask_array(lengths=True)."
        )
    return n_rows


def read_rows(data: Any, rows: np.ndarray) -> Any:
    """Read some rows of samples, targets or weights into memory; None stays None."""
    if data is None:
        return None
    if is_dask(data):
        return data[rows].compute()
    if sparse.issparse(data):
        matrix: Any = data
        data = matrix.tocsr()  # some formats have no rows to take
    return safe_indexing(data, rows)


def weights_in_units(weights: np.ndarray) -> np.ndarray:
    """Scale weights to units of the smallest positive one.

    Multiples of one number are then whole numbers, of which the sums in the trees are
    exact. Weights below 1e-12 of the largest one count as that: float64 sums would lose
    them.
    """
    kept = weights > 0
    if not kept.any():
        return weights
    unit = max(weights[kept].min(), _LEAST_WEIGHT * weights.max())
    with np.errstate(over="ignore"):  # old NumPy warns of subnormal units without a reason
        weights = np.where(kept, np.maximum(weights / unit, 1.0), 0.0)
    whole = np.rint(weights)
    return np.where(np.abs(weights - whole) < 1e-9 * weights, whole, weights)


def check_weights(sample_weight: ArrayLike | None, X: Any) -> np.ndarray:
    """Check weights, and repeat a single one for all samples; None stands for ones.

    Raises
    ------
    ValueError
        If they are complex, negative or not finite, or not one a sample.
    """
    if np.iscomplexobj(np.asarray(sample_weight)):
        raise ValueError("sample_weight holds complex numbers; weights must be >= 0.")
    with reading(sample_weight, "sample_weight"):
        weights = check_sample_weight(sample_weight, X, dtype=np.float64)
    if (weights < 0).any():
        raise ValueError("sample_weight holds negative values; weights must be >= 0.")
    return weights
