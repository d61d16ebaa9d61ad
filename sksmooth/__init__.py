"""Smoothness of labelled data by the geometric wavelets of decision forests."""

from . import datasets, exceptions
from ._progress import announce_compilation
from .besov import BesovSmoothnessEstimator
from .comparison import (
    PermutationBaseline,
    SmoothnessDifference,
    permutation_baseline,
    smoothness_difference,
)
from .layers import list_layers
from .targets import SimplexEncoder
from .wavelets import WaveletDecomposition, wavelet_decomposition

__version__ = "0.1.0.dev0"

__all__ = [
    "BesovSmoothnessEstimator",
    "PermutationBaseline",
    "SimplexEncoder",
    "SmoothnessDifference",
    "WaveletDecomposition",
    "datasets",
    "exceptions",
    "list_layers",
    "permutation_baseline",
    "smoothness_difference",
    "wavelet_decomposition",
]

announce_compilation()
