"""Checks of single arguments: features, weights, numbers of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api.types import infer_dtype

from .._lib.scikit_learn import check_sample_weight
from .containers import columns_of

__all__ = [
    "check_weights",
    "date_error",
    "is_of_dates",
    "reading",
    "refuse_dates",
    "refuse_masked",
    "weights_in_units",
]

# What pandas calls columns of objects that are dates, times or durations.
_KINDS_OF_DATES = {
    *("date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period"),
}

# Smallest weight, relative to the largest, that float64 sums do not lose.
_LEAST_WEIGHT = 1e-12


@contextmanager
def reading(data: Any, name: str) -> Iterator[None]:
    """Turn the errors of a conversion to float64 into ones that name the argument."""
    refuse_masked(data, name)
    refuse_dates(data, name)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(f"{name} holds numbers that are too large for float64.") from error


def refuse_masked(data: Any, name: str) -> None:
    """Reject masked entries, which would count as numbers."""
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise ValueError(
            f"{name} is a masked array, whose masked entries would count as numbers; fill "
            "them (in X by NaN: X.filled(np.nan)), or drop those rows."
        )


def refuse_dates(data: Any, name: str, *, may_be_array: bool = True) -> None:
    """Reject dates and durations, whose numbers depend on a unit.

    An array of NumPy that holds nothing else, without gaps, has columns of one unit; these
    pass unless ``may_be_array`` is False.
    """
    dates = [
        (column, values)
        for column, dtype, values in columns_of(data)
        if is_of_dates(dtype) or (str(dtype) == "object" and _are_dates(values()))
    ]
    gaps = any(np.any(pd.isna(np.asarray(values()))) for _, values in dates)
    is_plain = isinstance(data, np.ndarray) and data.dtype.kind in "mM" and not gaps
    if dates and not (is_plain and may_be_array):
        raise date_error(name, gaps, [column for column, _ in dates if column is not None])


def date_error(name: str, gaps: bool = False, columns: Sequence[Any] = ()) -> ValueError:
    """Say how dates become numbers."""
    dates = "missing dates (NaT)" if gaps else "dates or durations"
    where = f" in the columns {list(columns)}" if columns else ""
    return ValueError(
        f"{name} holds {dates}{where}, whose numbers depend on a unit. Pass days, such as "
        "(dates - dates.min()) / np.timedelta64(1, 'D') after pandas.to_datetime(dates), "
        "where missing dates become NaN; or, where none is missing, dates.astype('int64')."
    )


def is_of_dates(dtype: Any) -> bool:
    """Return whether a dtype of any library is one of dates, times or durations."""
    return str(dtype).lower().startswith(("date", "time", "duration", "period"))


def _are_dates(values: Any) -> bool:
    """Return whether objects are dates, perhaps with gaps."""
    return infer_dtype(values, skipna=True) in _KINDS_OF_DATES


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
        If they are complex, negative or not finite, or not one per sample.
    """
    if np.iscomplexobj(np.asarray(sample_weight)):
        raise ValueError("sample_weight holds complex numbers; weights must be >= 0.")
    with reading(sample_weight, "sample_weight"):
        weights = check_sample_weight(sample_weight, X, dtype=np.float64)
    if (weights < 0).any():
        raise ValueError("sample_weight holds negative values; weights must be >= 0.")
    return weights
