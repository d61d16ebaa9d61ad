"""An index, and what it was read from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._lib.state import Versioned
from ..exceptions import SmoothnessWarning
from .floor import NoiseFloor
from .pairs import PairsRate
from .power_law import PowerLaw
from .variance import BeyondReplicates, Replicates, log_scale_interval, student_margin

__all__ = ["IndexFit"]

_ALMOST_ZERO = 0.05  # an index below it may be that of noise, which has no logarithm


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
    importances : ndarray of shape (n_features,)
        Share of the norms of the wavelets in the window that splits by each feature made.
    rate_in_window : float
        Slope of the curve in the window, the theory's index, with the rate of pairs of
        classes; NaN for published procedures, which have windows of their own.
    rate_of_whole_way : float
        Rate from no terms to the best number of them, of the averaged curve; NaN likewise.
    share_of_whole_way : float
        Weight of the second in ``alpha``; 0 where the window tells the index, 1 where it
        tells nothing.
    pairs : PairsRate or None
        Rate of pairs of classes, and the weight that it has; None if there is none.
    floor : NoiseFloor or None
        Noise floor of the averaged curve; None if all samples are in every bag.
    is_bound : bool
        Whether no error is left, so that ``alpha`` is a lower bound.
    beyond_replicates : BeyondReplicates or None
        What the replicates do not show of the variance; None for conventions for which it
        is not known.
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
    importances: np.ndarray = field(default_factory=lambda: np.empty(0))
    rate_in_window: float = np.nan
    rate_of_whole_way: float = np.nan
    share_of_whole_way: float = 0.0
    pairs: PairsRate | None = None
    floor: NoiseFloor | None = None
    is_bound: bool = False
    beyond_replicates: BeyondReplicates | None = None
    confidence_level: float = 0.95

    def __post_init__(self) -> None:
        for array in (self.n_terms, self.errors, self.m_term_errors, self.importances):
            array.setflags(write=False)

    @property
    def n_relevant(self) -> float:
        """Effective number of relevant features: the inverse Simpson index of their shares.

        Of equal importances it is their number (Hill, Ecology 54, 1973).
        """
        squares = np.sum(self.importances**2)
        return float(1 / squares) if squares > 0 else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Its confidence interval.

        On the logarithmic scale where the variance is known for it and the index is not
        almost zero; else Student's, cut off at zero, since no index is negative. Without an
        upper end where ``alpha`` is a bound.
        """
        if not np.isfinite(self.alpha):
            return 0.0, np.inf
        if self.beyond_replicates is not None and self.alpha > _ALMOST_ZERO:
            low, high = log_scale_interval(
                self.alpha, self.replicates, self.beyond_replicates, self.confidence_level
            )
        else:
            margin = student_margin(
                self.replicates.variance, self.replicates.freedom, self.confidence_level
            )
            low, high = float(self.alpha - margin), float(self.alpha + margin)
            # What a published procedure gives may be negative all the same.
            low = max(low, min(self.alpha, 0.0))
        return low, np.inf if self.is_bound else high

    @property
    def half_width(self) -> float:
        """Half of the length of the interval; infinite where it has no upper end."""
        low, high = self.interval
        return (high - low) / 2

    def with_cautions(self, *cautions: SmoothnessWarning) -> IndexFit:
        """Put cautions before those that are there."""
        return replace(self, cautions=(*cautions, *self.cautions))
