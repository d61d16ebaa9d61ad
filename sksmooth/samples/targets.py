"""Targets as samples of a vector-valued function.

Class labels become vertices of a simplex, regression targets stay as they are. Which of
the two ``y`` holds is read from its dtype.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets

from .._lib.warn import warn_caller
from ..exceptions import TargetTypeWarning
from .checks import reading, refuse_dates
from .containers import as_array, holds_categories, in_memory
from .kinds import are_labels, refuse_many_classes
from .labels import class_codes, distinct_labels, label_vector
from .simplex import simplex_vertices
from .wording import refuse_bounds

__all__ = [
    "Targets",
    "encode_labels",
    "encode_targets",
    "encode_values",
    "output_blocks",
    "refuse_no_targets",
]

# Sums of squares of larger values overflow, of smaller spreads underflow, in float64; there
# is room for weights of twelve decades.
_LARGEST_VALUE, _SMALLEST_SPREAD = 1e140, 1e-140

# Columns are worked on in blocks of so many numbers, and of so many columns at least.
_BLOCK_NUMBERS, _NARROWEST = 1 << 20, 8

# For each sample and class: a fit holds a few approximations of all samples, one number for
# every class; 70 bytes were measured at 5,000 samples of labels that are noise, so that
# trees have as many nodes as they can. A forest that predicts holds the values of all its
# leaves: 315 float64 numbers. The limit is the memory of a common computer.
_BYTES_TO_FIT, _BYTES_TO_PREDICT, _BYTES_TO_SCORE = 80, 2500, 24
_GIGABYTES, _LIMIT = 16, "SKSMOOTH_MAX_GIGABYTES"


@dataclass(frozen=True, eq=False)
class Targets:
    """Target samples ready for the decomposition.

    Attributes
    ----------
    points : ndarray of shape (n_points, n_outputs), float64
        Regression targets, one per sample; or the few points that class labels stand for,
        which are simplex vertices.
    floor : ndarray of shape (n_samples,), float64
        Squared distance of each true target to ``values`` that no approximation can
        remove: not zero only for labels of classes that were not fitted, which are
        orthogonal to the simplex of the fitted ones.
    codes : ndarray of shape (n_samples,), intp or None
        Class numbers; None for regression.
    caution : TargetTypeWarning or None
        Why they may be of another kind than their dtype says.
    place : ndarray of shape (n_samples,), intp or None
        Point of every sample; None where each has its own.
    """

    points: np.ndarray
    floor: np.ndarray
    codes: np.ndarray | None
    caution: TargetTypeWarning | None = None
    place: np.ndarray | None = None

    @property
    def n_outputs(self) -> int:
        """Number of columns."""
        return self.points.shape[1]

    @property
    def values(self) -> np.ndarray:
        """The targets, of shape (n_samples, n_outputs); made anew for class labels."""
        return self.points if self.place is None else self.points[self.place]

    def columns(self, outputs: slice) -> np.ndarray:
        """Return some columns of the values, as a contiguous array."""
        points, _ = self.of_columns(outputs)
        return points if self.place is None else points[self.place]

    @property
    def places(self) -> np.ndarray:
        """Number of every sample's point."""
        return np.arange(len(self.points)) if self.place is None else self.place

    def of_columns(self, outputs: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return some columns of the points, contiguous, and every sample's place."""
        return np.ascontiguousarray(self.points[:, outputs]), self.places

    def rows(self, rows: slice) -> np.ndarray:
        """Return the values of some samples."""
        return self.points[rows if self.place is None else self.place[rows]]

    def of_values(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Compute a number for the value of every sample, once for equal class labels."""
        numbers = function(self.points)
        return numbers if self.place is None else numbers[self.place]

    def mean(self, weights: np.ndarray) -> np.ndarray:
        """Average the values, so many columns at a time that memory is bounded."""
        means = [
            np.average(self.columns(outputs), axis=0, weights=weights)
            for outputs in output_blocks(self.n_outputs, len(weights))
        ]
        return np.concatenate(means)

    def spread_about(self, centre: np.ndarray) -> float:
        """Find the largest distance of a coordinate from that of a centre."""
        return float(
            self.of_values(lambda points: np.abs(points - centre).max(axis=1)).max()
        )

    def take(self, rows: np.ndarray) -> Targets:
        """Select rows."""
        floor, caution = self.floor[rows], self.caution
        codes = None if self.codes is None else self.codes[rows]
        if self.place is None:
            return Targets(self.points[rows], floor, codes, caution)
        return Targets(self.points, floor, codes, caution, self.place[rows])

    @property
    def tie_break(self) -> np.ndarray:
        """One number per sample, which tells samples with equal features apart."""
        if self.codes is not None:
            return self.codes
        if self.n_outputs == 1:
            return self.points[:, 0]
        return np.unique(self.values, axis=0, return_inverse=True)[1].ravel()


def output_blocks(n_outputs: int, n_rows: int) -> list[slice]:
    """Cut the columns of an array of so many rows into blocks of bounded size.

    None of them is of one column, which NumPy and BLAS add up in another order.

    Parameters
    ----------
    n_outputs, n_rows : int
        Numbers of columns, and of rows.

    Returns
    -------
    blocks : list of slice
        One block, if that is small enough.
    """
    most = max(_BLOCK_NUMBERS // max(n_rows, 1), _NARROWEST)
    n_blocks = math.ceil(n_outputs / most)
    ends = np.linspace(0, n_outputs, n_blocks + 1).round().astype(int).tolist()
    return [slice(*pair) for pair in pairwise(ends)]


def encode_targets(
    y: ArrayLike, *, classes: np.ndarray | None = None, n_outputs: int | None = None
) -> tuple[Targets, np.ndarray | None]:
    """Encode ``y`` by its dtype and values.

    Which are class labels and which are numbers is told in
    :func:`~sksmooth.samples.kinds.are_labels`.

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
        is_classification, caution = are_labels(y)
    if not is_classification:
        targets, classes = _numeric_targets(y, n_outputs), None
    else:
        labels = label_vector(y)
        if classes is None:
            classes = _classes_of(labels, "measure")
            refuse_many_classes(len(classes), len(labels))
            _refuse_memory(len(labels), len(classes), _BYTES_TO_FIT)
        else:
            _refuse_memory(len(labels), len(classes), _BYTES_TO_SCORE)
        targets = _simplex_targets(labels, classes)
    if caution is not None:
        warn_caller(caution)
    return replace(targets, caution=caution), classes


def encode_labels(y: ArrayLike) -> tuple[Targets, np.ndarray]:
    """Take ``y`` as class labels to be predicted, whatever its dtype.

    Returns
    -------
    targets : Targets
        The encoded labels.
    classes : ndarray
        The sorted class labels, two at least.
    """
    labels = label_vector(y)
    if labels.dtype.kind == "f" and not holds_categories(in_memory(y)):
        with np.errstate(invalid="ignore"):  # of floats beyond int64, which are no labels
            check_classification_targets(labels)
    classes = _classes_of(labels, "tell apart")
    _refuse_memory(len(labels), len(classes), _BYTES_TO_PREDICT)
    return _simplex_targets(labels, classes), classes


def _classes_of(labels: np.ndarray, purpose: str) -> np.ndarray:
    classes = distinct_labels(labels)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only ({str(classes[0])!r}): there is nothing to {purpose}; "
            "at least 2 classes are needed."
        )
    return classes


def _refuse_memory(n_samples: int, n_classes: int, n_bytes_each: int) -> None:
    """Reject class labels that would take more memory than common computers have."""
    n_bytes = n_bytes_each * n_samples * (n_classes - 1)
    limit = float(os.environ.get(_LIMIT, _GIGABYTES))
    if n_bytes > limit * 1e9:
        raise ValueError(
            f"y holds {n_classes} classes in {n_samples} samples, which may take "
            f"{n_bytes / 1e9:,.0f} GB of memory: it grows with the product of both. For "
            "regression, pass y.astype(float). If they are class labels, merge the rare "
            "ones, or pass fewer samples (BesovSmoothnessEstimator draws some if "
            f"max_samples is a number of rows); or allow more than {limit:g} GB by the "
            f"environment variable {_LIMIT}."
        )


def _simplex_targets(labels: np.ndarray, classes: np.ndarray) -> Targets:
    codes, known = class_codes(labels, classes)
    points, n_classes = simplex_vertices(len(classes)), len(classes)
    # A class that was not fitted is one more one-hot axis: in the coordinates of the
    # fitted simplex it sits at the centroid, at squared distance 1 + 1/L from it.
    if not known.all():
        points = np.concatenate([points, np.zeros((1, n_classes - 1))])
    place = np.where(known, codes, n_classes)
    floor = np.where(known, 0.0, 1.0 + 1.0 / n_classes)
    return Targets(points, floor, np.where(known, codes, -1), place=place)


def encode_values(y: ArrayLike) -> tuple[Targets, None]:
    """Take ``y`` as regression targets, whatever its dtype, equal values or not.

    Categories that are numbers count as these, as for the regressors of scikit-learn.
    """
    return _numeric_targets(y, n_outputs=np.atleast_2d(as_array(y).T).shape[0]), None


def refuse_no_targets(y: ArrayLike | None) -> None:
    """Raise the ValueError that scikit-learn expects where ``y`` is missing."""
    if y is None:
        raise ValueError(
            "This estimator requires y to be passed, but the target y is None."
        )


@contextmanager
def _saying_what_is_no_number(y: ArrayLike) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if "contains NaN" in str(error):
            raise ValueError(
                f"{error} There is nothing to measure without a target; drop those rows: "
                "kept = pd.notna(y), then X[kept] and y[kept]."
            ) from error
        if "contains infinity" in str(error):
            raise ValueError(
                f"{error} A target that is infinite has no mean; drop those rows: kept = "
                "np.isfinite(y), then X[kept] and y[kept]."
            ) from error
        if "could not convert" not in str(error):
            raise
        refuse_bounds(as_array(y))
        raise ValueError(
            f"y holds text where numbers are needed ({error}). Several columns are "
            "regression targets; class labels are a single column, so measure one after "
            "the other."
        ) from error


def _numeric_targets(y: ArrayLike, n_outputs: int | None) -> Targets:
    y = in_memory(y)
    refuse_dates(y, "y", may_be_array=False)
    with reading(y, "y"), _saying_what_is_no_number(y):
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
            f"The targets are up to {largest:.3g}, and sums of their squares overflow "
            "float64; rescale y."
        )
    spread = np.abs(values - values[0]).max()
    if 0 < spread < _SMALLEST_SPREAD:
        raise ValueError(
            f"The targets spread over {spread:.3g}, whose square underflows float64; "
            "rescale y."
        )
    if n_outputs is None and spread == 0:
        raise ValueError("y is constant: there is nothing to measure.")
    return Targets(np.ascontiguousarray(values), np.zeros(len(values)), None)
