"""Layers of networks: their features, and the smoothness of targets on them.

PyTorch is imported on demand.
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
