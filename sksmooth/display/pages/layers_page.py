"""The page of the layers of a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..._lib.html import Html, element
from ...networks.columns import column_help
from ...networks.table import layers_html
from ...networks.words import in_words
from ..plots import LayerSmoothnessDisplay
from .page import explained, listed, make_page, section
from .pictures import picture

__all__ = ["layers_page"]

_MOST_ROWS = 200
_MOST_DRAWN = 200  # layers
_MOST_NAMED = 25  # below the picture
_ABOUT = "A good layer makes the labels smoother than they are on the layer before."
_MOST_ON_SMALL = 8  # layers in a picture as wide as a telephone


def layers_page(frame: pd.DataFrame, title: str) -> str:
    """Render a table of :func:`sksmooth.compare_layers` as one HTML page."""
    sections = [
        element("section", *(element("p", text) for text in [*in_words(frame), _ABOUT])),
        section("Layer by layer", _curve(frame)),
        section(
            "All numbers",
            layers_html(frame, _MOST_ROWS),
            listed(column_help(frame.columns)),
            explained(frame.get("cautions", [])),
        ),
    ]
    return make_page(title, f"{len(frame):,} layers", sections)


def _curve(frame: pd.DataFrame) -> Html:
    drawn = frame.iloc[:_MOST_DRAWN]

    def draw(axes: Any) -> None:
        LayerSmoothnessDisplay.from_frame(drawn, ax=axes)
        if len(drawn) > _MOST_NAMED:
            places = range(0, len(drawn), -(-len(drawn) // _MOST_NAMED))
            axes.set_xticks(places, map(str, places), rotation=0, ha="center")
            axes.set_xlabel("Number of the layer, from 0")

    alpha = drawn["alpha"][np.isfinite(drawn["alpha"])]
    reach = f" between {alpha.min():.3f} and {alpha.max():.3f}" if len(alpha) else ""
    alt = f"Index over {len(drawn)} layers{reach}; the table below holds the numbers."
    caption = "The index of each layer with its interval."
    if (drawn["alpha_high"] == np.inf).any():
        caption += " Where it has no upper end, the index is a lower bound or its error is "
        caption += "not known."
    if len(drawn) < len(frame):
        caption += f" The first {len(drawn)} of {len(frame)} layers are drawn."
    return picture(draw, (8, 4.6), alt, caption, is_wide=len(drawn) > _MOST_ON_SMALL)
