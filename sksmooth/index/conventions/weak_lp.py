"""The decay of the sorted norms: membership in a weak-type space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...exceptions import PoorFitWarning
from ...wavelets import ErrorCurves
from ..fit import IndexFit
from ..rate import rate_in_window
from .base import Convention

__all__ = ["WeakLp"]

_CONFIRMED_NORMS = 0.5  # of those in the window, for a rate to mean something


class WeakLp(Convention):
    """Index from the decay of the sorted norms of every tree, ``k^-(alpha + 1/p)``.

    The norms are averaged over trees rank by rank. Small cells make them too large: the
    terms of a third of an octave remove more of the in-bag error than of the out-of-bag
    error. Half of the difference is bias, and the norms are scaled down by it.
    """

    name = "weak-lp"
    summary = "decay of the sorted norms"
    x_label = "Rank of the wavelet"
    y_label = "Norm of the wavelet"
    has_variance = True

    def read(self, curves: ErrorCurves, window: tuple[int, int]) -> IndexFit:
        """Fit the decay rate of the norms, and subtract 1/p."""
        p = curves.p
        norms = curves.decomposition.norms_by_tree()
        n_terms = norms.shape[1]
        edges = np.unique(
            np.round(np.geomspace(1, n_terms + 1, 1 + 3 * n_terms.bit_length())).astype(int)
        )
        # Norms are too noisy to correct one by one, so terms go by thirds of octaves.
        third = np.repeat(np.arange(len(edges) - 1), np.diff(edges))

        def unbiased_norms(kept: np.ndarray) -> np.ndarray:
            drops = [
                -np.diff(curve[kept].mean(axis=0)[edges - 1])
                for curve in (curves.averages, curves.by_tree[:, :, 0])
            ]
            # The share of the in-bag drop that is real, by the average of both curves.
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(drops[1] > 0, np.clip(drops[0] / drops[1], 0.0, 1.0), 0.0)
            return ((norms[kept] ** p).mean(axis=0) * share[third]) ** (1 / p)

        fit = rate_in_window(unbiased_norms, curves, window, excess=1 / p)
        first, last = fit.fit_range
        if np.mean(fit.errors[first - 1 : last] > 0) >= _CONFIRMED_NORMS:
            return fit
        caution = PoorFitWarning(
            f"Most wavelets in the fit window {fit.fit_range} do not reduce the error on "
            "rows that the trees have not seen, so their norms are noise and have no rate."
        )
        return replace(fit, cautions=(*fit.cautions, caution))
