"""Layers of networks: their features, and how smooth targets are on them.

PyTorch is imported when it is needed.
"""

from .extraction import LayerFeatures, extract
from .listing import list_layers
from .options import ReaderOptions
from .transformer import LayerFeatureTransformer

__all__ = [
    "LayerFeatureTransformer",
    "LayerFeatures",
    "ReaderOptions",
    "extract",
    "list_layers",
]
