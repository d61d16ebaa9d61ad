"""Forests as expansions in geometric wavelets, and the errors of their largest terms."""

from .decomposition import (
    WaveletDecomposition,
    decompose,
    decompose_boosting,
    wavelet_decomposition,
)
from .errors import (
    ErrorCurves,
    error_curves,
    m_term_errors,
    padded,
    squared_errors_with_ranked_roots,
    without_rounding,
)
from .kernels import node_sums
from .measures import MEASURES
from .values import (
    error_of_endless_forest,
    held_out_norms,
    kept_values,
    m_term_approximation,
    staged_approximations,
    sums_of_unseen,
    values_by_tree,
    wavelet_features,
    wavelet_importances,
)

__all__ = [
    "MEASURES",
    "ErrorCurves",
    "WaveletDecomposition",
    "decompose",
    "decompose_boosting",
    "error_curves",
    "error_of_endless_forest",
    "held_out_norms",
    "kept_values",
    "m_term_approximation",
    "m_term_errors",
    "node_sums",
    "padded",
    "squared_errors_with_ranked_roots",
    "staged_approximations",
    "sums_of_unseen",
    "values_by_tree",
    "wavelet_decomposition",
    "wavelet_features",
    "wavelet_importances",
    "without_rounding",
]
