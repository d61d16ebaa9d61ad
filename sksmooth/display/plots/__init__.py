"""Pictures of smoothness indices, drawn with matplotlib (``sksmooth[plot]``)."""

from .error_decay import ErrorDecayDisplay
from .error_forecast import ErrorForecastDisplay
from .layer_smoothness import LayerSmoothnessDisplay, SmoothnessHistoryDisplay
from .representation_smoothness import RepresentationSmoothnessDisplay

__all__ = [
    "ErrorDecayDisplay",
    "ErrorForecastDisplay",
    "LayerSmoothnessDisplay",
    "RepresentationSmoothnessDisplay",
    "SmoothnessHistoryDisplay",
]
