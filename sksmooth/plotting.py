"""Pictures of smoothness indices, drawn with matplotlib (``sksmooth[plot]``)."""

from .display.plots import (
    ErrorDecayDisplay,
    ErrorForecastDisplay,
    LayerSmoothnessDisplay,
    RepresentationSmoothnessDisplay,
    SmoothnessHistoryDisplay,
)

__all__ = [
    "ErrorDecayDisplay",
    "ErrorForecastDisplay",
    "LayerSmoothnessDisplay",
    "RepresentationSmoothnessDisplay",
    "SmoothnessHistoryDisplay",
]
