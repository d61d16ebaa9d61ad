"""The critical exponent of Sparsity-Probe, for comparison with published values."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from ...wavelets import ErrorCurves
from ..cautions import unresolved
from ..fit import IndexFit
from ..power_law import PowerLaw, fit_power_law, line_of_slope
from ..rate import without_a_tree
from ..variance import Replicates
from .base import Convention

__all__ = ["SparsityProbe"]

# Degrees from the vertical, and the grid of tau, of the published code.
_ANGLES = np.arange(0.1, 0.4 - 1e-12, 0.03)
_TAUS = np.arange(0.1, 2.0 - 1e-12, 0.01)


class SparsityProbe(Convention):
    """Critical exponent of the tau-sparsity, as in the code of Sparsity-Probe.

    With ``D(tau) = -(1 / (J tau)) (sum ||psi||^tau)^(1/tau - 1) sum ||psi||^(tau - 1)``,
    tau is the largest of a grid at which the angle of a line of slope D(tau) is within
    epsilon of -90 degrees, and the index is the mean of ``1/tau - 1/p`` over ten values
    of epsilon between 0.1 and 0.4 degrees (Ben-Shaul and Dekel, arXiv 2105.06849, and
    their code). D is not the derivative of the tau-norm in tau, and the index drifts
    with the number of terms; it is here to compare with published values.
    """

    name = "sparsity-probe"
    summary = "critical exponent of the tau-sparsity, as published"
    x_label = "Rank of the wavelet"
    y_label = "Norm of the wavelet"

    def lp_rate(self, alpha: float) -> float | None:
        """Return None: the index drifts with the number of terms, so it is no rate."""
        return None

    def read(self, curves: ErrorCurves, window: tuple[int, int]) -> IndexFit:
        """Find the critical exponent of the norms of all trees."""
        decomposition, n_trees, p = curves.decomposition, len(curves.by_tree), curves.p
        norms = decomposition.norm[decomposition.order]
        tree = decomposition.tree[decomposition.order]
        positive = norms > 0
        log_norms, tree = np.log(norms[positive]), tree[positive]
        log_sums = np.array([_log_sums(log_norms[tree == j]) for j in range(n_trees)])

        def critical(kept: np.ndarray) -> float:
            taus = _critical_taus(np.logaddexp.reduce(log_sums[kept], axis=0), len(kept))
            # Beyond the grid, the index of its smallest tau is a lower bound.
            return float(np.mean(1 / (_TAUS[0] if taus is None else taus) - 1 / p))

        alpha = critical(np.arange(n_trees))
        trees = without_a_tree(critical, n_trees)
        ranks = np.arange(1, len(norms) + 1)
        fit = IndexFit(
            alpha,
            n_terms=ranks,
            errors=norms,
            fit_range=(1, len(norms)),
            line=_line(-(alpha + 1 / p), ranks, norms),
            replicates=Replicates(np.empty(0), trees, np.empty(0), curves.grown.n_apart),
        )
        is_beyond_the_grid = alpha >= 1 / _TAUS[0] - 1 / p
        return unresolved(fit, is_bound=True) if is_beyond_the_grid else fit


def _log_sums(log_norms: np.ndarray) -> np.ndarray:
    """Sum ``norm^tau`` and ``norm^(tau - 1)``, in logarithms: shape (2, n_taus)."""
    if not len(log_norms):
        return np.full((2, len(_TAUS)), -np.inf)
    return np.array(
        [[logsumexp(power * log_norms) for power in _TAUS - less] for less in (0, 1)]
    )


def _critical_taus(log_sums: np.ndarray, n_trees: int) -> np.ndarray | None:
    """Find the critical tau for each epsilon; None if the smallest tau is beyond it."""
    if not np.isfinite(log_sums).all():
        return None
    taus = _TAUS
    # log |D(tau)|, see the class; sums of powers in logarithms, since they overflow.
    log_slope = (1 / taus - 1) * log_sums[0] + log_sums[1] - np.log(n_trees * taus)
    with np.errstate(over="ignore"):
        # The angle to the vertical is arctan(1 / |D|).
        from_vertical = np.rad2deg(np.arctan(np.exp(-log_slope)))
    steep = from_vertical <= _ANGLES[:, None]
    if not steep.any(axis=1).all():
        return None
    # The largest tau of the grid that is steep, as the published loop ends at it.
    return taus[steep.shape[1] - 1 - np.argmax(steep[:, ::-1], axis=1)]


def _line(slope: float, ranks: np.ndarray, norms: np.ndarray) -> PowerLaw:
    kept = norms > 0
    if not np.isfinite(slope) or kept.sum() < 2:
        return fit_power_law(ranks, norms)
    return line_of_slope(np.log(ranks[kept]), np.log(norms[kept]), slope)
