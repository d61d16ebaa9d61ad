"""Axes to draw on, of matplotlib, which is imported when something is drawn."""

from __future__ import annotations

from typing import Any

__all__ = ["new_axes"]


def new_axes(**options: Any) -> Any:
    """Axes of a new figure; the options are those of ``pyplot.subplots``."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib, which is not installed; "
            'install it with: pip install "sksmooth[plot]"'
        ) from error
    return plt.subplots(**options)[1]
