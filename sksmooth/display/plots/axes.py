"""Axes and figures of matplotlib, which is imported on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ..._lib.html import visible
from ..._lib.optional import require
from ..._lib.tables import FrameTable

__all__ = [
    "checked_frame",
    "name_curves",
    "new_axes",
    "new_figure",
    "plain",
    "require_matplotlib",
]


def require_matplotlib(purpose: str, module: str = "matplotlib") -> Any:
    """Import matplotlib or a module of it, or say what needs it and how to install it."""
    return require(module, purpose=purpose, install="matplotlib", extra="plot")


def new_axes(**options: Any) -> Any:
    """Make axes in a new figure; the options are those of ``pyplot.subplots``."""
    return require_matplotlib("Drawing", "matplotlib.pyplot").subplots(**options)[1]


def new_figure(width: float, height: float) -> Any:
    """Make a figure that needs no display, unlike those of pyplot; sizes in inches."""
    figure = require_matplotlib("Drawing", "matplotlib.figure")
    return figure.Figure(figsize=(width, height), layout="constrained")


def name_curves(ax: Any) -> None:
    """Put the label of a single curve into the title, those of several into a legend."""
    labels = ax.get_legend_handles_labels()[1]
    if len(labels) == 1:
        ax.set_title(labels[0])
    elif len(labels) > 1:
        ax.legend()
        if ax.get_title() == labels[0]:  # set here, for the first curve alone
            ax.set_title("")


def checked_frame(table: Any, columns: Sequence[str], givers: str) -> pd.DataFrame:
    """Get the DataFrame of a table, which must have the columns and at least one row.

    Parameters
    ----------
    table : FrameTable or DataFrame
        The table.
    columns : sequence of str
        Names of the columns.
    givers : str
        Functions that return such tables.

    Returns
    -------
    frame : DataFrame
        Its frame.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If it lacks a column, or has no rows.
    """
    frame = table.frame if isinstance(table, FrameTable) else table
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"Expected a DataFrame, got {type(frame).__name__}.")
    missing = [column for column in columns if column not in frame]
    if missing:
        raise ValueError(
            f"The table lacks the columns {missing}; pass one returned by {givers}."
        )
    if frame.empty:
        raise ValueError("The table has no rows.")
    return frame


def plain(text: Any) -> str:
    r"""Escape text that matplotlib is to draw literally: on one line, without formulas.

    Examples
    --------
    >>> from sksmooth.display.plots.axes import plain
    >>> print(plain("cost in $\n$"))
    cost in \$\n\$
    """
    return visible(text).replace("$", r"\$")
