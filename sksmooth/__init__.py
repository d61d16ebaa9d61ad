"""Smoothness of labelled data by the geometric wavelets of decision forests."""

from . import datasets, exceptions, images
from ._progress import announce_compilation
from .besov import BesovSmoothnessEstimator
from .comparison import (
    PermutationBaseline,
    SmoothnessDifference,
    compare_layers,
    permutation_baseline,
    smoothness_difference,
)
from .forest_models import WaveletForestClassifier, WaveletForestRegressor
from .layers import LayerFeatureTransformer, list_layers
from .monitor import SmoothnessMonitor
from .roughness import class_smoothness, sample_roughness
from .targets import SimplexEncoder
from .wavelets import WaveletDecomposition, wavelet_decomposition

__version__ = "0.1.0.dev0"

__all__ = [
    "BesovSmoothnessEstimator",
    "LayerFeatureTransformer",
    "PermutationBaseline",
    "SimplexEncoder",
    "SmoothnessDifference",
    "SmoothnessMonitor",
    "WaveletDecomposition",
    "WaveletForestClassifier",
    "WaveletForestRegressor",
    "class_smoothness",
    "compare_layers",
    "datasets",
    "exceptions",
    "images",
    "list_layers",
    "permutation_baseline",
    "sample_roughness",
    "smoothness_difference",
    "wavelet_decomposition",
]

announce_compilation()
