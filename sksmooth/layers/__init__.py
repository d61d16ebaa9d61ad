"""Features of the hidden layers of networks. PyTorch is imported when it is needed."""

from .extraction import LayerFeatures, default_layers, extract_layers, list_layers

__all__ = ["LayerFeatures", "default_layers", "extract_layers", "list_layers"]
