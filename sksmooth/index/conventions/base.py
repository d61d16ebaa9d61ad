"""Conventions: everything that the rest of the package needs of a choice of ``index``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np

from ...exceptions import ConstantFeaturesWarning
from ...trees import Growth
from ...wavelets import ErrorCurves, held_out_norms, wavelet_importances
from ..cautions import checked, is_finite_box_function, unresolved
from ..fit import IndexFit
from ..floor import fit_noise_floor
from ..power_law import PowerLaw
from ..smoothness import with_pairs, with_whole_way
from ..variance import Replicates
from ..window import fit_window

__all__ = ["Convention"]


class Convention(ABC):
    """A way to read a smoothness index from error curves.

    A subclass defines its name and needs, and reads the index in :meth:`read`; :meth:`fit`
    adds what all have in common: trees without a split, functions that are constant on
    finitely many boxes, and cautions. An instance has no state. Register it in
    :mod:`sksmooth.index.conventions`.

    Attributes
    ----------
    name : str
        The value of ``index=`` that chooses it.
    summary : str
        What alpha is, in a few words.
    x_label, y_label : str
        Labels of the axes of the curve that it reads.
    has_variance : bool
        Whether alpha is the rate of that curve in the fit window of
        :func:`~sksmooth.index.window.fit_window`, so that a poor line is a reason for
        caution, the index of a function constant on few boxes is a lower bound, and the
        variance over the window is known, by which indices are compared. The published
        procedures have windows of their own, whose variance is not known.
    is_calibrated : bool
        Whether the constants of :class:`~sksmooth.index.variance.BeyondReplicates`, which
        were fitted to functions of known rate, hold for it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    x_label: ClassVar[str]
    y_label: ClassVar[str]
    has_variance: ClassVar[bool] = False
    is_calibrated: ClassVar[bool] = False

    def exponent(self, p: float) -> float:
        """Choose the exponent of norms and errors, given that of the user."""
        return float(p)

    def measure(self, measure: str) -> str:
        """Choose the measure of a node, given that of the user."""
        return measure

    def lp_rate(self, alpha: float) -> float | None:
        """Convert an index to the L_p rate of the M-term error; None if it is not one."""
        return alpha

    @abstractmethod
    def read(self, curves: ErrorCurves, window: tuple[int, int]) -> IndexFit:
        """Read the index.

        Parameters
        ----------
        curves : ErrorCurves
            M-term errors of the trees, with the wavelets and samples they come from; there
            is at least one term.
        window : tuple of int
            Fit window of the M-term error of one tree.

        Returns
        -------
        fit : IndexFit
            The index, the curve it was read from, the line and the replicates.
        """

    def error_of_mean(self, error: float) -> float:
        """Convert the L_p error without any term to the unit of the curve that is read."""
        return error

    def fit(
        self,
        curves: ErrorCurves,
        confidence_level: float = 0.95,
        growth: Growth | None = None,
    ) -> IndexFit:
        """Read the index, and add reasons to read it with care.

        Parameters
        ----------
        curves : ErrorCurves
            M-term errors of the trees.
        confidence_level : float, default=0.95
            Level of the interval, in (0, 1).
        growth : Growth, default=None
            How the forest was grown, by which trees of pairs of classes are; None leaves
            the pairs out.

        Returns
        -------
        fit : IndexFit
            The index.
        """
        if curves.decomposition.n_terms == 0:
            fit = self._without_a_split(curves)
        else:
            fit = self._checked(curves, growth)
        return replace(fit, convention=self, confidence_level=float(confidence_level))

    def _checked(self, curves: ErrorCurves, growth: Growth | None) -> IndexFit:
        window = fit_window(curves)
        fit = self.read(curves, window)
        errors = curves.m_term_errors
        # Trees may have fewer terms than the window requires.
        first, last = np.clip(window, 1, len(errors)).tolist()
        fit = replace(
            fit,
            window=(first, last),
            m_term_errors=errors,
            importances=_importances(curves, last),
            floor=fit_noise_floor(curves),
        )
        is_boxes = is_finite_box_function(curves)
        if self.is_calibrated and growth is not None and not is_boxes:
            fit = with_pairs(fit, curves, growth)
        if self.has_variance:
            fit = with_whole_way(fit, curves, is_boxes=is_boxes)
        if not self.is_calibrated:
            fit = replace(fit, beyond_replicates=None)
        if is_boxes:
            return unresolved(fit, is_bound=self.has_variance)
        return checked(fit, power_law=self.has_variance)

    def _without_a_split(self, curves: ErrorCurves) -> IndexFit:
        """Index zero: the trees know only the mean."""
        samples, p = curves.samples, curves.p
        targets, weights = samples.targets, samples.weights
        mean = targets.mean(weights)
        distance = targets.of_values(lambda values: np.linalg.norm(values - mean, axis=1))
        error = np.average(distance**p, weights=weights) ** (1 / p)
        caution = ConstantFeaturesWarning(
            "No feature separates the samples (all are constant, or max_depth, max_samples "
            "or the forest allow no split), so no term reduces the error: the index is 0."
        )
        read = self.error_of_mean(error)
        # Zeros for the blocks of the window: the index is zero for certain.
        return IndexFit(
            alpha=0.0,
            n_terms=np.ones(1, dtype=np.int64),
            errors=np.array([read]),
            fit_range=(1, 1),
            line=PowerLaw(0.0, float(np.log(read)), 1.0, 0.0),
            replicates=Replicates(np.empty(0), np.empty(0), np.zeros(2), 1.0),
            cautions=(caution,),
            m_term_errors=np.array([error]),
            importances=np.zeros(samples.X.shape[1]),
        )


def _importances(curves: ErrorCurves, last: int) -> np.ndarray:
    """Importances of the features for the terms of all trees up to the window's end.

    Norms on unseen samples: those of splits on noise cancel in the sum.
    """
    decomposition, grown, samples = curves.decomposition, curves.grown, curves.samples
    n_terms = decomposition.n_trees * last
    norms = held_out_norms(decomposition, grown, samples, n_terms)
    return wavelet_importances(decomposition, samples.X.shape[1], n_terms, norms)
