"""Vectors of class labels: what they may hold, and their places among the classes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import pairwise
from numbers import Number
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import column_or_1d

from .checks import refuse_masked
from .containers import as_array, objects

__all__ = ["class_codes", "distinct_labels", "label_codes", "label_vector", "numbered"]

_NUMBERS = "biuf"  # kinds of dtypes whose values compare with each other


def label_vector(y: ArrayLike, warn: bool = True) -> np.ndarray:
    """Check labels: one column of hashable objects, nothing missing.

    Numbers and booleans in an array of objects become an array of numbers.
    """
    refuse_masked(y, "y")
    # As an array first: scikit-learn makes floats of nullable integers.
    y = column_or_1d(as_array(y), warn=warn)
    if len(y) == 0:
        raise ValueError("y is empty: found array with 0 sample(s).")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity.")
    if y.dtype.kind in "mM" and np.isnat(y).any():
        raise ValueError("y holds missing dates (NaT); fill or drop those rows.")
    if y.dtype.kind == "O" and pd.isna(y).any():
        raise ValueError("Input y contains NaN or None; drop or fill those rows.")
    if y.dtype.kind == "O" and all(isinstance(label, Number | np.bool_) for label in y):
        y = np.array(y.tolist())
    if y.dtype.kind == "c":
        raise ValueError("Complex data not supported: y holds complex numbers.")
    if y.dtype.kind == "O":
        _refuse_unhashable(y)
    return y


def _refuse_unhashable(labels: np.ndarray) -> None:
    for label in labels:
        try:
            hash(label)
        except TypeError as error:
            raise ValueError(
                f"y holds {label!r}, which cannot be a class label ({error}); use numbers, "
                "text or tuples."
            ) from error


def distinct_labels(labels: np.ndarray) -> np.ndarray:
    """Find the classes of a label vector, in an order that does not depend on the rows.

    They are sorted; objects that have no order among them, by their types and then, where
    one type has none, by their text.
    """
    if labels.dtype.kind != "O":
        return np.unique(labels)
    # Equal objects of several types are one label: the one whose type comes first.
    typed = {(_name_of(type(label)), label) for label in labels}
    by_type = sorted(typed, key=itemgetter(0))
    return objects(_in_order(dict.fromkeys(label for _, label in by_type)))


def _in_order(labels: Iterable[Any]) -> list[Any]:
    labels = list(labels)
    if _have_order(labels):
        return sorted(labels)
    types = sorted({type(label) for label in labels}, key=_name_of)
    if len(types) == 1:
        return sorted(labels, key=_text_of)
    return [
        label
        for each in types
        for label in _in_order(label for label in labels if type(label) is each)
    ]


def _text_of(label: Hashable) -> str:
    # The order of the elements of a set changes from process to process.
    return repr(_in_order(label) if isinstance(label, frozenset) else label)


def _name_of(kind: type) -> tuple[str, str]:
    return kind.__qualname__, kind.__module__


def _have_order(labels: list[Any]) -> bool:
    """Return whether sorting depends on the labels alone (that of sets does not)."""
    try:
        return all(first < second for first, second in pairwise(sorted(labels)))
    except TypeError:  # as Python says of objects without an order
        return False


def class_codes(y: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find labels among the ``classes``: their positions, and which are there.

    Raises
    ------
    ValueError
        If none is there, and they are of other types.
    """
    if _compare(y.dtype, classes.dtype):
        codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
        return codes, classes[codes] == y
    places = {label: place for place, label in enumerate(classes)}
    codes = np.array([places.get(label, -1) for label in y], dtype=np.intp)
    known = codes >= 0
    if not known.any() and _types(y).isdisjoint(_types(classes)):
        raise ValueError(
            f"y holds labels such as {y[0]!r}, but fitted classes such as {classes[0]!r}; "
            "pass labels of the same type."
        )
    return codes, known


def numbered(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the classes of a label vector, and the number of each label among them."""
    classes = distinct_labels(labels)
    return classes, class_codes(labels, classes)[0]


def label_codes(y: ArrayLike, *others: ArrayLike) -> tuple[np.ndarray, ...]:
    """Number the classes of ``y``, and label others alike: -1 for what is not in ``y``."""
    classes, codes = numbered(label_vector(y, warn=False))
    found = [class_codes(label_vector(other, warn=False), classes) for other in others]
    return codes, *(np.where(known, places, -1) for places, known in found)


def _compare(first: np.dtype, second: np.dtype) -> bool:
    """Return whether values of two dtypes can be sorted together."""
    kinds = {first.kind, second.kind}
    return kinds <= set(_NUMBERS) or (len(kinds) == 1 and kinds != {"O"})


def _types(labels: np.ndarray) -> set[type]:
    bases = (Number, np.bool_), (str,), (bytes,)
    return {
        next((base[0] for base in bases if isinstance(label, base)), type(label))
        for label in labels
    }
