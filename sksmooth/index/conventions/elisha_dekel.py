"""The procedure of the authors' tool, for comparison with published values."""

from __future__ import annotations

import numpy as np

from ...wavelets import ErrorCurves, squared_errors_with_ranked_roots
from ..fit import IndexFit
from ..power_law import fit_power_law
from ..rate import without_a_tree
from ..variance import Replicates
from .base import Convention

__all__ = ["ElishaDekel"]


class ElishaDekel(Convention):
    """Slope of the log of the mean squared error of the forest, twice the L2 rate.

    The wavelets are ranked by box volume, with the root means among them, and the error is
    taken at ``M = 1, 1 + 2J, 1 + 4J, ...`` for J trees (Elisha and Dekel, arXiv
    1710.03263, and their tool).
    """

    name = "elisha-dekel"
    summary = "slope of the log squared error, as in the authors' tool"
    x_label = "Number of terms M of the forest"
    y_label = "Mean squared error with M terms"

    def exponent(self, p: float) -> float:
        """Take L2, whatever p is."""
        return 2.0

    def measure(self, measure: str) -> str:
        """Take volumes, whatever the measure is."""
        return "volume"

    def lp_rate(self, alpha: float) -> float | None:
        """Halve the index: squared errors fall twice as fast."""
        return alpha / 2

    def error_of_mean(self, error: float) -> float:
        """Square the error, as all of the curve."""
        return error**2

    def read(self, curves: ErrorCurves, window: tuple[int, int]) -> IndexFit:
        """Fit a line to the log of the squared errors over all numbers of terms."""
        n_nodes = np.diff(curves.decomposition.offsets)

        def curve(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            n_terms = _numbers_of_terms(n_nodes[kept].sum(), len(kept))
            return n_terms, squared_errors_with_ranked_roots(curves, n_terms, kept)

        n_terms, errors = curve(np.arange(len(n_nodes)))
        law = fit_power_law(n_terms, errors)

        def index(kept: np.ndarray) -> float:
            return -fit_power_law(*curve(kept)).slope

        return IndexFit(
            0.0 - law.slope,
            n_terms=n_terms,
            errors=errors,
            fit_range=(int(n_terms[0]), int(n_terms[-1])),
            line=law,
            replicates=Replicates(
                np.empty(0),
                without_a_tree(index, len(n_nodes)),
                np.empty(0),
                curves.grown.n_apart,
            ),
        )


def _numbers_of_terms(n_nodes: int, n_trees: int) -> np.ndarray:
    """Space the numbers of terms as the authors' tool does.

    They are 1, 1 + 2J, 1 + 4J, ... below 1000, as long as 2J nodes are left beyond.
    """
    step = 2 * n_trees
    return np.arange(1, max(min(1000, n_nodes - step + 1), 2), step)
