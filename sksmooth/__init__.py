"""Smoothness of labelled data by the geometric wavelets of decision forests."""

from . import datasets, exceptions
from .besov import BesovSmoothnessEstimator
from .targets import SimplexEncoder
from .wavelets import WaveletDecomposition, wavelet_decomposition

__version__ = "0.1.0.dev0"

__all__ = [
    "BesovSmoothnessEstimator",
    "SimplexEncoder",
    "WaveletDecomposition",
    "datasets",
    "exceptions",
    "wavelet_decomposition",
]
