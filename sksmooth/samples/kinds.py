"""Decide whether targets are class labels or regression, by their dtype and values."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from ..exceptions import TargetTypeWarning
from .checks import date_error, is_of_dates
from .containers import as_array, columns_of, holds_categories, in_memory
from .labels import label_vector
from .wording import count_decimals, refuse_bounds

__all__ = ["are_labels", "refuse_many_classes"]

_FEWEST = 3  # fewer are the same as numbers and as classes
_ANY = 10  # as many classes may be in any data
_MANY = 20  # as many whole numbers are class labels without asking
# More are numbers, unless they count up or nearly all occur as often as folds need it.
_MOST = 100
_OFTEN = 5
_NEARLY_ALL = 0.9


def are_labels(y: Any) -> tuple[bool, TargetTypeWarning | None]:
    """Return whether these are class labels, with a caution if that may be wrong.

    Categories are labels, whatever they are called; floating-point numbers are none, and
    neither are several columns. Whole numbers are labels, unless there are more than 100,
    or than half of the samples, which neither count up from zero or one as class numbers do
    (nine tenths of the numbers up to the largest occur), nor come often (nine tenths of
    them five times). Objects that are numbers, such as decimals, are taken as whole numbers
    are. Anything else is a label.

    Raises
    ------
    ValueError
        If these are dates, several columns of categories, or text that bounds numbers.
    """
    y = in_memory(y)
    if holds_categories(y):
        if np.shape(y)[1:] not in ((), (1,)):
            raise ValueError(
                f"y holds categories in {np.shape(y)[1]} columns, but only one labelling "
                "is measured at a time; pass one of the columns."
            )
        return True, None
    if any(is_of_dates(dtype) for _, dtype, _ in columns_of(y)):
        error = date_error("y", gaps=bool(np.any(pd.isna(np.asarray(y)))))
        raise ValueError(f"{error} If each date is a class, pass y.astype(str).")
    array = as_array(y)
    if array.shape[1:] not in ((), (1,)):
        return False, None
    if array.dtype.kind not in "biufcmM" and array.ndim > 0:
        refuse_bounds(array)
    if array.dtype.kind != "f":  # numbers in an array of objects may turn out to be floats
        array = label_vector(y, warn=False)
    if array.dtype.kind == "O" and all(isinstance(label, Number) for label in array):
        return _are_class_numbers(array.astype(np.float64))  # as the decimals of databases
    if array.dtype.kind == "f":
        return False, _caution_of_floats(array)
    if array.dtype.kind in "iu":
        return _are_class_numbers(array)
    return True, _caution_of_text(array)


def refuse_many_classes(n_classes: int, n_samples: int) -> None:
    """Reject classes of which most samples have their own."""
    if n_classes > _most_classes(n_samples):
        raise ValueError(
            f"y holds {n_classes} classes in {n_samples} samples, too many to measure; for "
            "regression, pass y.astype(float); if they are names of classes, leave out or "
            "merge the rare ones. An identifier of the rows is not a target."
        )


def _most_classes(n_samples: int) -> int:
    return max(_ANY, n_samples // 2)


def _caution_of_floats(y: np.ndarray) -> TargetTypeWarning | None:
    values = np.unique(y)
    n_few = min(max(_FEWEST, min(_MANY, len(y) // 10)), len(y) // 4)
    if _FEWEST <= len(values) <= n_few and (values == np.rint(values)).all():
        return TargetTypeWarning(
            "y has a floating-point dtype, so it is taken as regression targets, but it "
            "holds only a few whole numbers; if they are class labels, pass y.astype(int)."
        )
    return None


def _caution_of_text(labels: np.ndarray) -> TargetTypeWarning | None:
    """Doubt many labels that read as decimals, as of a column that also held words."""
    if labels.dtype.kind not in "OUT":
        return None
    values = set(labels.tolist())
    if len(values) <= _MANY or count_decimals(values) < _NEARLY_ALL * len(values):
        return None
    return TargetTypeWarning(
        f"y is text, so it is taken as class labels, but most of its {len(values)} "
        "different values look like numbers; for regression, pass y.astype(float), "
        "without the samples whose y is not a number."
    )


def _are_class_numbers(y: np.ndarray) -> tuple[bool, TargetTypeWarning | None]:
    values, counts = np.unique(y, return_counts=True)
    n_values, n_samples = len(values), len(y)
    n_whole = np.count_nonzero((values >= 0) & (values % 1 == 0))
    counts_up = n_whole >= _NEARLY_ALL * (int(values[-1]) + 1)
    comes_often = np.mean(counts >= _OFTEN) >= _NEARLY_ALL
    if n_values > min(_MOST, _most_classes(n_samples)) and not counts_up | comes_often:
        return False, TargetTypeWarning(
            f"y holds {n_values} different numbers in {n_samples} samples, so it is taken "
            "as regression targets; if they are class labels, pass y.astype(str). Pass "
            "y.astype(float) to avoid this warning."
        )
    if n_values > max(_MANY, n_samples // 20):
        return True, TargetTypeWarning(
            "y holds integers, so they are taken as class labels, but there are many for "
            "so few samples; for regression, pass y.astype(float)."
        )
    if n_values > _MANY and not counts_up:
        return True, TargetTypeWarning(
            f"y holds {n_values} different integers, which are taken as class labels; for "
            "regression, pass y.astype(float)."
        )
    return True, None
