"""The page of the layers of a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..._lib.html import Html, element, visible
from ...networks.columns import column_help
from ...networks.table import layers_html
from ..plots import LayerSmoothnessDisplay
from .page import explained, listed, make_page, section
from .pictures import picture

__all__ = ["layers_page"]

_MOST_ROWS = 200
_MOST_DRAWN = 200  # layers
_MOST_NAMED = 25  # below the picture
_MOST_ON_SMALL = 8  # layers in a picture as wide as a telephone
_LONGEST_NAME = 60


def layers_page(frame: pd.DataFrame, title: str) -> str:
    """Render a table of :func:`sksmooth.compare_layers` as one HTML page."""
    sections = [
        element("section", *(element("p", text) for text in _in_words(frame))),
        section("Layer by layer", _curve(frame)),
        section(
            "All numbers",
            layers_html(frame, _MOST_ROWS),
            listed(column_help(frame.columns)),
            explained(frame.get("cautions", [])),
        ),
    ]
    return make_page(title, f"{len(frame):,} layers", sections)


def _in_words(frame: pd.DataFrame) -> list[str]:
    if frame["alpha"].isna().all():
        return ["No layer has an index."]
    best = frame.iloc[int(np.argmax(frame["alpha"].fillna(-np.inf)))]
    losses = frame["layer"][frame["loses_smoothness"]]
    name = visible(best["layer"], _LONGEST_NAME)
    smoothest = f"The labels are smoothest on layer “{name}”"
    if best.get("explained", np.nan) >= 0:  # not of trees that have seen all samples
        smoothest += f", where trees explain {best['explained']:.0%} of their variance"
    smoothest += ". A good layer makes them smoother than they are on the layer before."
    if losses.empty:
        return [smoothest, "No layer is shown to lose smoothness."]
    named = ", ".join(f"“{visible(name, _LONGEST_NAME)}”" for name in losses[:5])
    more = f" and {len(losses) - 5} more" if len(losses) > 5 else ""
    verb = "loses" if len(losses) == 1 else "lose"
    return [smoothest, f"{len(losses)} of {len(frame)} {verb} smoothness: {named}{more}."]


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
