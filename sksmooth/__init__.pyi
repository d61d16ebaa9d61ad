"""The public names: type checkers read this file, and so does ``__init__.py``."""

from . import datasets as datasets
from . import exceptions as exceptions
from . import images as images
from . import integrations as integrations
from . import plotting as plotting
from ._version import __version__ as __version__
from .display.report import report as report
from .estimators.besov import BesovSmoothnessEstimator as BesovSmoothnessEstimator
from .estimators.comparison import PermutationBaseline as PermutationBaseline
from .estimators.comparison import SmoothnessDifference as SmoothnessDifference
from .estimators.comparison import permutation_baseline as permutation_baseline
from .estimators.comparison import smoothness_difference as smoothness_difference
from .estimators.forecasts.forecast import forecast_error as forecast_error
from .estimators.forecasts.result import ErrorForecast as ErrorForecast
from .estimators.representations.comparison import (
    compare_representations as compare_representations,
)
from .estimators.representations.table import (
    RepresentationComparison as RepresentationComparison,
)
from .estimators.roughness import class_smoothness as class_smoothness
from .estimators.roughness import sample_roughness as sample_roughness
from .estimators.scorer import smoothness_scorer as smoothness_scorer
from .estimators.search import SmoothnessSearch as SmoothnessSearch
from .estimators.wavelet_forests import WaveletForestClassifier as WaveletForestClassifier
from .estimators.wavelet_forests import WaveletForestRegressor as WaveletForestRegressor
from .networks.comparison import compare_layers as compare_layers
from .networks.listing import list_layers as list_layers
from .networks.monitor import SmoothnessMonitor as SmoothnessMonitor
from .networks.table import LayerComparison as LayerComparison
from .networks.transformer import LayerFeatureTransformer as LayerFeatureTransformer
from .samples import SimplexEncoder as SimplexEncoder
from .wavelets import WaveletDecomposition as WaveletDecomposition
from .wavelets import wavelet_decomposition as wavelet_decomposition
