"""Smoothness of labelled data by the geometric wavelets of decision forests."""

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what __getattr__ finds, for type checkers and editors
    from . import datasets as datasets
    from . import exceptions as exceptions
    from . import images as images
    from . import plotting as plotting
    from .besov import BesovSmoothnessEstimator as BesovSmoothnessEstimator
    from .comparison import PermutationBaseline as PermutationBaseline
    from .comparison import SmoothnessDifference as SmoothnessDifference
    from .comparison import compare_layers as compare_layers
    from .comparison import permutation_baseline as permutation_baseline
    from .comparison import smoothness_difference as smoothness_difference
    from .forest_models import WaveletForestClassifier as WaveletForestClassifier
    from .forest_models import WaveletForestRegressor as WaveletForestRegressor
    from .layer_table import LayerComparison as LayerComparison
    from .layers import LayerFeatureTransformer as LayerFeatureTransformer
    from .layers import list_layers as list_layers
    from .monitor import SmoothnessMonitor as SmoothnessMonitor
    from .roughness import class_smoothness as class_smoothness
    from .roughness import sample_roughness as sample_roughness
    from .targets import SimplexEncoder as SimplexEncoder
    from .wavelets import WaveletDecomposition as WaveletDecomposition
    from .wavelets import wavelet_decomposition as wavelet_decomposition

__version__ = "0.1.0.dev0"

# The module of each public name; it is imported when the name is first asked for, since
# scikit-learn and numba take a second to import.
_HOMES = {
    "BesovSmoothnessEstimator": "besov",
    "LayerComparison": "layer_table",
    "LayerFeatureTransformer": "layers",
    "PermutationBaseline": "comparison",
    "SimplexEncoder": "targets",
    "SmoothnessDifference": "comparison",
    "SmoothnessMonitor": "monitor",
    "WaveletDecomposition": "wavelets",
    "WaveletForestClassifier": "forest_models",
    "WaveletForestRegressor": "forest_models",
    "class_smoothness": "roughness",
    "compare_layers": "comparison",
    "list_layers": "layers",
    "permutation_baseline": "comparison",
    "sample_roughness": "roughness",
    "smoothness_difference": "comparison",
    "wavelet_decomposition": "wavelets",
}
_MODULES = ["datasets", "exceptions", "images", "plotting"]

_IMPORTING = RLock()  # scikit-learn's modules are not ready for threads that import them

__all__ = sorted([*_HOMES, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        with _IMPORTING:
            return import_module(f".{name}", __name__)
    if name in _HOMES:
        with _IMPORTING:
            value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value  # so that the next look-up does not come here
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
