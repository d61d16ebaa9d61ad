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
_NO_LOSS = "No layer is shown to lose smoothness."
_VERBS = {
    "loses_smoothness": ("loses smoothness", "lose smoothness"),
    "gains_nothing": (
        "gains nothing, between others that gain",
        "gain nothing, between others that gain",
    ),
    "loses_to_reference": ("loses to the reference", "lose to the reference"),
}


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
    name = visible(best["layer"], _LONGEST_NAME)
    which = f" “{visible(best['labels'], _LONGEST_NAME)}”" if "labels" in frame else ""
    smoothest = f"The labels{which} are smoothest on layer “{name}”"
    if best.get("explained", np.nan) >= 0:  # not of trees that have seen all samples
        smoothest += f", where trees explain {best['explained']:.0%} of their variance"
    smoothest += ". A good layer makes them smoother than they are on the layer before."
    marked = [
        _marked(frame, mark, *verbs) for mark, verbs in _VERBS.items() if mark in frame
    ]
    return [smoothest, *filter(None, marked)] if any(marked) else [smoothest, _NO_LOSS]


def _marked(frame: pd.DataFrame, mark: str, of_one: str, of_several: str) -> str:
    """Say which layers have a mark; nothing if none has."""
    layers = frame["layer"][frame[mark]]
    if layers.empty:
        return ""
    named = ", ".join(f"“{visible(name, _LONGEST_NAME)}”" for name in layers[:5])
    more = f" and {len(layers) - 5} more" if len(layers) > 5 else ""
    verb = of_one if len(layers) == 1 else of_several
    return f"{len(layers)} of {len(frame)} {verb}: {named}{more}."


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
