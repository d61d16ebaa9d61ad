"""Vectors of class labels: what they may hold, and their places among the classes."""

from __future__ import annotations

from numbers import Number

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import column_or_1d

from .checks import refuse_hidden_gaps

__all__ = ["class_codes", "label_vector"]


def class_codes(y: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find labels in the sorted ``classes``: their positions, and which are there."""
    if _are_numbers(y) != _are_numbers(classes):
        raise ValueError(
            f"y holds labels such as {y[0]!r}, but the fitted classes are such as "
            f"{classes[0]!r}; pass labels of the same type."
        )
    try:
        codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    except TypeError as error:
        raise ValueError(
            f"y cannot be compared with the fitted classes ({error}); pass labels of the "
            "same type."
        ) from error
    return codes, classes[codes] == y


def label_vector(y: ArrayLike, warn: bool = True) -> np.ndarray:
    """Check labels: one column, nothing missing, all of one type that can be sorted."""
    refuse_hidden_gaps(y, "y")
    # As an array first: scikit-learn makes floats of nullable integers.
    y = column_or_1d(np.asarray(y), warn=warn)
    if len(y) == 0:
        raise ValueError("y is empty: found array with 0 sample(s).")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity.")
    if y.dtype.kind in "OmM" and pd.isna(y).any():
        raise ValueError("Input y contains NaN or None; drop or fill those rows.")
    if y.dtype.kind == "O":
        kinds = {type(value).__name__ for value in y}
        if len(kinds) > 1:
            raise ValueError(f"y mixes labels of types {sorted(kinds)}; use one type.")
        if _are_numbers(y):
            y = np.array(y.tolist())
    return y


def _are_numbers(labels: np.ndarray) -> bool:
    return isinstance(labels[0], Number | np.bool_)
