"""An index, and what it was read from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._lib.state import Versioned
from ..exceptions import SmoothnessWarning
from .power_law import PowerLaw
from .variance import Replicates, student_margin

__all__ = ["IndexFit"]


@dataclass(frozen=True, eq=False)
class IndexFit(Versioned):
    """A smoothness index and what it was read from.

    Attributes
    ----------
    alpha : float
        The index.
    n_terms, errors : ndarray of shape (n_points,)
        The decaying curve that the convention reads, on axes that it names.
    fit_range : tuple of int
        First and last number of terms on that curve between which the line is fitted, both
        included.
    line : PowerLaw
        The line.
    replicates : Replicates
        The index with parts of the data left out.
    cautions : tuple of SmoothnessWarning
        Why the index should be read with care.
    convention : Convention
        How it was read.
    window : tuple of int
        First and last number of terms of one tree at which its M-term error can be trusted,
        whatever the convention.
    m_term_errors : ndarray of shape (n_terms,)
        The M-term error in L_p with 1, 2, ... terms of a tree, averaged over trees;
        whatever the convention.
    confidence_level : float
        Level of the interval, in (0, 1).
    """

    alpha: float
    n_terms: np.ndarray
    errors: np.ndarray
    fit_range: tuple[int, int]
    line: PowerLaw
    replicates: Replicates
    cautions: tuple[SmoothnessWarning, ...] = ()
    convention: Any = None  # a Convention, whose module imports this one
    window: tuple[int, int] = (1, 1)
    m_term_errors: np.ndarray = field(default_factory=lambda: np.empty(0))
    confidence_level: float = 0.95

    def __post_init__(self) -> None:
        for array in (self.n_terms, self.errors, self.m_term_errors):
            array.setflags(write=False)

    @property
    def interval(self) -> tuple[float, float]:
        """Student's interval for the index; (0, inf) if it is infinite."""
        if not np.isfinite(self.alpha):
            return 0.0, np.inf
        margin = student_margin(
            self.replicates.variance, self.replicates.freedom, self.confidence_level
        )
        return float(self.alpha - margin), float(self.alpha + margin)

    def with_cautions(self, *cautions: SmoothnessWarning) -> IndexFit:
        """Put cautions before those that are there."""
        return replace(self, cautions=(*cautions, *self.cautions))
