"""Labelled samples that have been checked: what all later steps start from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from .._lib.scikit_learn import safe_indexing
from .features import column_ranges
from .targets import Targets
from .units import SamplingUnits, sampling_units

__all__ = ["Samples"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Checked samples of positive weight, and their targets.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features), float32 or float64
        Features, NaN where there is no value.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets as they were given.
    targets : Targets
        Targets as points of a vector space.
    weights : ndarray of shape (n_samples,), float64
        Positive weights, in units of the smallest one.
    classes : ndarray of shape (n_classes,) or None
        Class labels; None for regression.
    rows : ndarray of shape (n_samples,), intp, or None
        Row numbers of the samples in what was given, where rows of weight zero were
        dropped; None if these are all rows.
    category_counts : dict of int to int
        Columns of categories, whose values are numbers from 0 on, and how many there are.
    joint_units : SamplingUnits or None
        Units to draw into bags, where they do not depend on X alone: several
        representations of the same samples are drawn alike. None means those of X.
    """

    X: np.ndarray | sparse.csr_matrix
    y: Any
    targets: Targets
    weights: np.ndarray
    classes: np.ndarray | None
    rows: np.ndarray | None = None
    category_counts: dict[int, int] = field(default_factory=dict)
    joint_units: SamplingUnits | None = None

    @property
    def plain_y(self) -> Any:
        """Targets as other libraries take them: numbers of classes that they would refuse.

        These are labels other than text and whole numbers.
        """
        if self.classes is None or self.classes.dtype.kind in "biuU":
            return self.y
        if self.classes.dtype.kind == "f" and (self.classes == np.rint(self.classes)).all():
            return self.y
        is_text = all(isinstance(label, str) for label in self.classes)
        return self.y if is_text else self.targets.codes

    @cached_property
    def units(self) -> SamplingUnits:
        """What is drawn into bags."""
        if self.joint_units is not None:
            return self.joint_units
        of_categories = [self.holds_categories_alone]
        return sampling_units(
            (self.X,), self.targets.tie_break, self.weights, of_categories
        )

    @property
    def holds_categories_alone(self) -> bool:
        """Whether all features are categories, so that equal rows are no copies."""
        return len(self.category_counts) == self.X.shape[1]

    @cached_property
    def ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest value of every feature."""
        return column_ranges(self.X)

    def take(self, rows: np.ndarray) -> Samples:
        """Select samples by their places."""
        return Samples(
            self.X[rows],
            safe_indexing(self.y, rows),
            self.targets.take(rows),
            self.weights[rows],
            self.classes,
            rows if self.rows is None else self.rows[rows],
            self.category_counts,
        )

    def drawn_by(self, units: SamplingUnits) -> Samples:
        """Return the same samples, drawn by units of several representations."""
        return replace(self, joint_units=units)
