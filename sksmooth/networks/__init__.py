"""Features of the hidden layers of networks. PyTorch is imported when it is needed."""

from .extraction import LayerFeatures, extract_layers
from .listing import default_layers, list_layers
from .transformer import LayerFeatureTransformer

__all__ = [
    "LayerFeatureTransformer",
    "LayerFeatures",
    "default_layers",
    "extract_layers",
    "list_layers",
]
