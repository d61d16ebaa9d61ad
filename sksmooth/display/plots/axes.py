"""Axes and figures of matplotlib, which is imported when something is drawn."""

from __future__ import annotations

from typing import Any

from ..._lib.html import visible
from ..._lib.optional import require

__all__ = ["new_axes", "new_figure", "plain"]

_NEEDS = {"purpose": "Drawing", "install": "sksmooth[plot]"}


def new_axes(**options: Any) -> Any:
    """Make axes in a new figure; the options are those of ``pyplot.subplots``."""
    return require("matplotlib.pyplot", **_NEEDS).subplots(**options)[1]


def new_figure(width: float, height: float) -> Any:
    """Make a figure that needs no display, unlike those of pyplot; sizes in inches."""
    figure = require("matplotlib.figure", **_NEEDS)
    return figure.Figure(figsize=(width, height), layout="constrained")


def plain(text: Any) -> str:
    r"""Make text that matplotlib draws as it is: on one line, without formulas.

    Examples
    --------
    >>> from sksmooth.display.plots.axes import plain
    >>> print(plain("cost in $\n$"))
    cost in \$\n\$
    """
    return visible(text).replace("$", r"\$")
