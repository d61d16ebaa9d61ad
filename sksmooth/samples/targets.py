"""Targets as samples of a vector-valued function.

L classes become the vertices of a regular simplex in R^(L-1) with edge sqrt(2). That
map is an isometry of the centred one-hot vectors, so distances between class means are
distances between class proportions, and the variance of the embedded labels is their
Gini impurity. Regression targets stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.linalg import helmert
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from .._lib.state import Versioned, whole_fit
from .._lib.warn import warn_caller
from ..exceptions import TargetTypeWarning
from .checks import reading, refuse_hidden_gaps

__all__ = [
    "SimplexEncoder",
    "Targets",
    "encode_classes",
    "encode_numbers",
    "encode_targets",
    "nearest_vertex",
    "refuse_no_targets",
    "simplex_vertices",
]

# Sums of squares of larger values overflow, of smaller spreads underflow, in float64; there
# is room for weights of twelve decades.
_LARGEST_VALUE, _SMALLEST_SPREAD = 1e140, 1e-140


def simplex_vertices(n_classes: int) -> np.ndarray:
    """Vertices of the centred regular simplex with edge sqrt(2), one per class.

    The rows of the Helmert matrix are an orthonormal basis of the hyperplane that
    holds the centred one-hot vectors; its columns are their coordinates.
    """
    return np.ascontiguousarray(helmert(n_classes).T)


def nearest_vertex(points: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Number of the nearest vertex of a simplex, the first of several."""
    # All vertices have one norm, so the nearest has the largest inner product.
    return np.argmax(points @ vertices.T, axis=1)


class SimplexEncoder(Versioned, TransformerMixin, BaseEstimator):
    """Map class labels to the vertices of a regular simplex, and back.

    The L classes of a label vector become L points of R^(L-1) at mutual distance
    sqrt(2), with their centroid at the origin: the centred one-hot vectors in an
    orthonormal basis of the hyperplane in which they lie. Averages of encoded labels
    are class proportions in the same coordinates, and their variance is the Gini
    impurity [1]_.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The sorted class labels.
    vertices_ : ndarray of shape (n_classes, n_classes - 1), float64
        Row i is the vertex of ``classes_[i]``.

    See Also
    --------
    BesovSmoothnessEstimator : Encodes its class labels in this way.

    References
    ----------
    .. [1] O. Elisha and S. Dekel, *Wavelet decompositions of Random Forests*, JMLR 17
       (2016), section 3.

    Examples
    --------
    >>> from sksmooth import SimplexEncoder
    >>> encoder = SimplexEncoder().fit(["ant", "bee", "cat"])
    >>> encoder.transform(["ant", "cat"]).round(3)
    array([[ 0.707,  0.408],
           [ 0.   , -0.816]])
    >>> encoder.inverse_transform([[0.5, 0.5]])
    array(['ant'], dtype='<U3')
    """

    @whole_fit
    def fit(self, y: ArrayLike) -> SimplexEncoder:
        """Learn the classes.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class labels of any dtype that can be sorted; at least two classes.

        Returns
        -------
        self : SimplexEncoder
            The fitted encoder.
        """
        classes = np.unique(_label_vector(y))
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class only ({classes[0]!r}); a simplex needs at least two."
            )
        if not (classes[:-1] < classes[1:]).all():
            raise ValueError(
                f"Labels such as {classes[0]!r} have no order to sort them by."
            )
        self.classes_ = classes
        self.vertices_ = simplex_vertices(len(classes))
        return self

    def fit_transform(self, y: ArrayLike) -> np.ndarray:
        """Learn the classes and encode the labels.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        points : ndarray of shape (n_samples, n_classes - 1), float64
            The vertex of each label.
        """
        return self.fit(y).transform(y)

    def transform(self, y: ArrayLike) -> np.ndarray:
        """Encode labels as simplex vertices.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class labels, all of them seen in ``fit``.

        Returns
        -------
        points : ndarray of shape (n_samples, n_classes - 1), float64
            The vertex of each label.

        Raises
        ------
        ValueError
            If a label was not seen in ``fit``.
        """
        check_is_fitted(self)
        y = _label_vector(y)
        codes, known = class_codes(y, self.classes_)
        if not known.all():
            unknown = np.unique(y[~known])[:5].tolist()
            raise ValueError(f"y holds labels that fit has not seen: {unknown}.")
        return self.vertices_[codes]

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Label points by their nearest vertex.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_classes - 1)
            Points of the embedding space, such as averages of encoded labels.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The class of the nearest vertex; the first one of several at equal distance.
        """
        check_is_fitted(self)
        with reading(X, "X"):
            X = check_array(X, dtype=np.float64)
        if X.shape[1] != self.vertices_.shape[1]:
            raise ValueError(
                f"X has {X.shape[1]} columns, but the simplex of {len(self.classes_)} "
                f"classes lies in {self.vertices_.shape[1]} dimensions."
            )
        return self.classes_[nearest_vertex(X, self.vertices_)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.one_d_labels = True
        tags.target_tags.required = True
        tags.requires_fit = True
        return tags


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
        """Some of the samples."""
        codes = None if self.codes is None else self.codes[rows]
        return Targets(self.values[rows], self.floor[rows], codes, self.caution)

    @property
    def tie_break(self) -> np.ndarray:
        """One number a sample, by which samples with equal features are told apart."""
        if self.codes is not None:
            return self.codes
        if self.values.shape[1] == 1:
            return self.values[:, 0]
        return np.unique(self.values, axis=0, return_inverse=True)[1].ravel()


def encode_targets(
    y: ArrayLike, *, classes: np.ndarray | None = None, n_outputs: int | None = None
) -> tuple[Targets, np.ndarray | None]:
    """Turn ``y`` into targets, and say which classes it holds.

    Floating-point and two-dimensional ``y`` are numbers, anything else is class labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    classes, n_outputs : ndarray, int
        What the fitted targets were, to encode new ones alike: ``n_outputs`` numbers
        if ``classes`` is None. Both None at fit.

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
    y = _label_vector(y)
    if classes is None:
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class only ({classes[0]!r}): there is nothing to measure; "
                "at least 2 classes are needed."
            )
    codes, known = class_codes(y, classes)
    values = simplex_vertices(len(classes))[codes]
    # A class that was not fitted is one more one-hot axis: in the coordinates of the
    # fitted simplex it sits at the centroid, at squared distance 1 + 1/L from it.
    values[~known] = 0.0
    floor = np.where(known, 0.0, 1.0 + 1.0 / len(classes))
    return Targets(values, floor, np.where(known, codes, -1), caution), classes


def encode_classes(y: ArrayLike) -> tuple[Targets, np.ndarray]:
    """Turn class labels of any dtype, floating-point ones too, into targets.

    Returns
    -------
    targets : Targets
        The encoded labels.
    classes : ndarray
        The sorted class labels, two at least.
    """
    labels = _label_vector(y)
    with np.errstate(invalid="ignore"):  # of floats beyond int64, which are no labels
        type_of_target(labels, input_name="y", raise_unknown=True)
        check_classification_targets(labels)
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only ({classes[0]!r}): there is nothing to tell apart; "
            "at least 2 classes are needed."
        )
    targets, _ = encode_targets(labels, classes=classes, n_outputs=len(classes) - 1)
    return targets, classes


def encode_numbers(y: ArrayLike) -> Targets:
    """Turn numbers of any dtype, all of them equal or not, into targets."""
    return _numeric_targets(y, n_outputs=np.atleast_2d(np.asarray(y).T).shape[0])


def refuse_no_targets(y: ArrayLike | None) -> None:
    """Raise the ValueError that scikit-learn expects if there is no ``y``."""
    if y is None:
        raise ValueError(
            "This estimator requires y to be passed, but the target y is None."
        )


def class_codes(y: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of labels in the sorted ``classes``, and which of them are in it."""
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


def _are_numbers(labels: np.ndarray) -> bool:
    return isinstance(labels[0], Number | np.bool_)


def _holds_labels(given: ArrayLike) -> tuple[bool, TargetTypeWarning | None]:
    """Whether these are class labels, and a caution if that may be wrong."""
    y = np.asarray(given)
    if not (y.ndim < 2 or y.shape[1:] == (1,)):
        return False, None
    if y.dtype.kind != "f":
        # Numbers in an object array may turn out to be floats.
        y = _label_vector(given, warn=False)
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


def _label_vector(y: ArrayLike, warn: bool = True) -> np.ndarray:
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
