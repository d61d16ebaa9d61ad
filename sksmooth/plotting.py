"""Pictures of smoothness indices, drawn with matplotlib (``sksmooth[plot]``)."""

from .display.plots import (
    ErrorDecayDisplay,
    LayerSmoothnessDisplay,
    RepresentationSmoothnessDisplay,
    SmoothnessHistoryDisplay,
)

__all__ = [
    "ErrorDecayDisplay",
    "LayerSmoothnessDisplay",
    "RepresentationSmoothnessDisplay",
    "SmoothnessHistoryDisplay",
]
