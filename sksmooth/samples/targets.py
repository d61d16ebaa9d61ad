"""Targets as samples of a vector-valued function.

Class labels become vertices of a simplex, regression targets stay as they are. Which of
the two ``y`` holds is read from its dtype.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .._lib.warn import warn_caller
from ..exceptions import TargetTypeWarning
from .checks import reading
from .labels import class_codes, label_vector
from .simplex import simplex_vertices

__all__ = [
    "Targets",
    "encode_labels",
    "encode_targets",
    "encode_values",
    "refuse_no_targets",
]

# Sums of squares of larger values overflow, of smaller spreads underflow, in float64; there
# is room for weights of twelve decades.
_LARGEST_VALUE, _SMALLEST_SPREAD = 1e140, 1e-140


@dataclass(frozen=True, eq=False)
class Targets:
    """Target samples ready for the decomposition.

    Attributes
    ----------
    values : ndarray of shape (n_samples, n_outputs), float64
        Simplex vertices or regression targets.
    floor : ndarray of shape (n_samples,), float64
        Squared distance of each true target to ``values`` that no approximation can
        remove: not zero only for labels of classes that were not fitted, which are
        orthogonal to the simplex of the fitted ones.
    codes : ndarray of shape (n_samples,), intp or None
        Class numbers; None for regression.
    caution : TargetTypeWarning or None
        Why they may be of another kind than their dtype says.
    """

    values: np.ndarray
    floor: np.ndarray
    codes: np.ndarray | None
    caution: TargetTypeWarning | None = None

    def take(self, rows: np.ndarray) -> Targets:
        """Select rows."""
        codes = None if self.codes is None else self.codes[rows]
        return Targets(self.values[rows], self.floor[rows], codes, self.caution)

    @property
    def tie_break(self) -> np.ndarray:
        """One number a sample, which tells samples with equal features apart."""
        if self.codes is not None:
            return self.codes
        if self.values.shape[1] == 1:
            return self.values[:, 0]
        return np.unique(self.values, axis=0, return_inverse=True)[1].ravel()


def encode_targets(
    y: ArrayLike, *, classes: np.ndarray | None = None, n_outputs: int | None = None
) -> tuple[Targets, np.ndarray | None]:
    """Encode ``y`` by its dtype.

    Floating-point and two-dimensional ``y`` are regression targets, anything else holds
    class labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    classes, n_outputs : ndarray, int
        Classes and dimension of the fitted targets, to encode new ones alike: regression
        targets of ``n_outputs`` columns if ``classes`` is None. Both None at fit.

    Returns
    -------
    targets : Targets
        The encoded targets.
    classes : ndarray or None
        The class labels; None for regression.
    """
    refuse_no_targets(y)
    if n_outputs:
        is_classification, caution = classes is not None, None
    else:
        is_classification, caution = _holds_labels(y)
    if caution is not None:
        warn_caller(caution)
    if not is_classification:
        return replace(_numeric_targets(y, n_outputs), caution=caution), None
    y = label_vector(y)
    if classes is None:
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class only ({str(classes[0])!r}): there is nothing to "
                "measure; at least 2 classes are needed."
            )
    codes, known = class_codes(y, classes)
    values = simplex_vertices(len(classes))[codes]
    # A class that was not fitted is one more one-hot axis: in the coordinates of the
    # fitted simplex it sits at the centroid, at squared distance 1 + 1/L from it.
    values[~known] = 0.0
    floor = np.where(known, 0.0, 1.0 + 1.0 / len(classes))
    return Targets(values, floor, np.where(known, codes, -1), caution), classes


def encode_labels(y: ArrayLike) -> tuple[Targets, np.ndarray]:
    """Take ``y`` as class labels, whatever its dtype.

    Returns
    -------
    targets : Targets
        The encoded labels.
    classes : ndarray
        The sorted class labels, two at least.
    """
    labels = label_vector(y)
    with np.errstate(invalid="ignore"):  # of floats beyond int64, which are no labels
        type_of_target(labels, input_name="y", raise_unknown=True)
        check_classification_targets(labels)
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only ({str(classes[0])!r}): there is nothing to "
            "tell apart; at least 2 classes are needed."
        )
    targets, _ = encode_targets(labels, classes=classes, n_outputs=len(classes) - 1)
    return targets, classes


def encode_values(y: ArrayLike) -> tuple[Targets, None]:
    """Take ``y`` as regression targets, whatever its dtype, equal values or not."""
    return _numeric_targets(y, n_outputs=np.atleast_2d(np.asarray(y).T).shape[0]), None


def refuse_no_targets(y: ArrayLike | None) -> None:
    """Raise the ValueError that scikit-learn expects where ``y`` is missing."""
    if y is None:
        raise ValueError(
            "This estimator requires y to be passed, but the target y is None."
        )


def _holds_labels(given: ArrayLike) -> tuple[bool, TargetTypeWarning | None]:
    """Tell whether these are class labels, with a caution if that may be wrong."""
    y = np.asarray(given)
    if not (y.ndim < 2 or y.shape[1:] == (1,)):
        return False, None
    if y.dtype.kind != "f":
        # Numbers in an object array may turn out to be floats.
        y = label_vector(given, warn=False)
        with np.errstate(invalid="ignore"):  # of floats beyond int64
            type_of_target(y, input_name="y", raise_unknown=True)
    return y.dtype.kind != "f", _mistyping(y.ravel())


def _mistyping(y: np.ndarray) -> TargetTypeWarning | None:
    n_distinct = len(np.unique(y))
    if y.dtype.kind == "f":
        if 3 <= n_distinct <= min(20, len(y) // 10) and (y == np.rint(y)).all():
            return TargetTypeWarning(
                "y is of a floating-point dtype, so it is taken as numbers, but it "
                "holds a few whole numbers only; if they are class labels, pass "
                "y.astype(int)."
            )
    elif n_distinct > max(10, len(y) // 2):
        raise ValueError(
            f"y holds {n_distinct} classes in {len(y)} samples, too many to measure; if "
            "they are numbers, pass y.astype(float)."
        )
    elif y.dtype.kind in "iu" and n_distinct > max(20, len(y) // 20):
        return TargetTypeWarning(
            "y holds integers, so they are taken as class labels, but there are many "
            "for so few samples; if they are numbers, pass y.astype(float)."
        )
    return None


def _numeric_targets(y: ArrayLike, n_outputs: int | None) -> Targets:
    with reading(y, "y"):
        values = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
    values = values.reshape(len(values), -1)
    if n_outputs is not None and values.shape[1] != n_outputs:
        raise ValueError(
            f"y has {values.shape[1]} output columns, but the estimator was fitted with "
            f"{n_outputs}."
        )
    largest = np.abs(values).max()
    if largest > _LARGEST_VALUE:
        raise ValueError(
            f"The targets are up to {largest:.3g}, whose squares are not float64 numbers "
            "that can be summed; rescale y."
        )
    spread = np.abs(values - values[0]).max()
    if 0 < spread < _SMALLEST_SPREAD:
        raise ValueError(
            f"The targets spread over {spread:.3g}, whose square is not a float64 number; "
            "rescale y."
        )
    if n_outputs is None and spread == 0:
        raise ValueError("y is constant: there is nothing to measure.")
    return Targets(np.ascontiguousarray(values), np.zeros(len(values)), None)
