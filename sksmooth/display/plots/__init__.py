"""Pictures of smoothness indices, drawn with matplotlib (``sksmooth[plot]``)."""

from .error_decay import ErrorDecayDisplay
from .layer_smoothness import LayerSmoothnessDisplay, SmoothnessHistoryDisplay

__all__ = ["ErrorDecayDisplay", "LayerSmoothnessDisplay", "SmoothnessHistoryDisplay"]
