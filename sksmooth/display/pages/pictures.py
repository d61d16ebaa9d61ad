"""Pictures within a page, in the same style whatever the user's settings are."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

from ..._lib.html import Html, element, scrolling
from ..plots.axes import new_figure

__all__ = ["picture"]

_LARGEST_SVG = 300_000  # bytes; beyond it pixels take less
# Ids in the file would differ from run to run without a salt.
_SETTINGS = {"svg.fonttype": "path", "svg.hashsalt": "sksmooth"}


def picture(
    draw: Callable[[Any], None],
    size: tuple[float, float],
    alt: str,
    caption: str,
    *,
    is_wide: bool = False,
) -> Html:
    """Embed a figure that ``draw`` puts on the axes it is given.

    Parameters
    ----------
    draw : callable
        Draws on matplotlib axes.
    size : tuple of float
        Width and height in inches.
    alt, caption : str
        What those who do not see the picture read, and what stands below it.
    is_wide : bool, default=False
        Whether the picture scrolls on small screens, rather than shrinks.
    """
    new_figure(*size)  # names the extra if matplotlib is missing
    from matplotlib import style

    # With the user's own settings, text might go to LaTeX, which runs commands.
    with style.context(["default", _SETTINGS]):
        figure = new_figure(*size)
        draw(figure.subplots())
        data, kind = _saved(figure, format="svg", metadata={"Date": None}), "svg+xml"
        if len(data) > _LARGEST_SVG:
            data, kind = _saved(figure, format="png", dpi=110), "png"
    source = Html(f"data:image/{kind};base64,{base64.b64encode(data).decode()}")
    image = element("img", src=source, alt=alt)
    if is_wide:
        image = scrolling(image, caption, class_="sksmooth-scroll sksmooth-wide")
    return element("figure", image, element("figcaption", caption, class_="quiet"))


def _saved(figure: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, **options)
    return buffer.getvalue()
