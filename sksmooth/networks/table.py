"""The table of layers that comparisons give: a DataFrame that notebooks show with bars."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from .._lib.html import (
    Html,
    OfNumbers,
    card,
    element,
    ends_of_bars,
    interval_bar,
    joined,
    number,
    table,
    visible,
)

__all__ = ["LayerComparison", "layers_html"]

_NUMBERS = ["alpha", "alpha_low", "alpha_high"]
_CHANGES = ["difference", "difference_low", "difference_high"]
# Columns that are shown within the cells of others.
_MERGED = {*_NUMBERS[1:], *_CHANGES[1:], "loses_smoothness"}
_MARK = " \N{BLACK DOWN-POINTING TRIANGLE} loses smoothness"
_MOST_COLUMNS = 30
_LONGEST_NAME = 120
_PLACES = {"seconds": 1, "p_value": 4}


class LayerComparison(pd.DataFrame):
    """The layers of a network with their indices, one row a layer.

    It is a DataFrame, as :func:`compare_layers` describes it. Parts and copies of it are
    ordinary ones.

    Parameters
    ----------
    data, index, columns, dtype, copy : optional
        As of :class:`pandas.DataFrame`.

    See Also
    --------
    compare_layers : Gives it.
    sksmooth.plotting.LayerSmoothnessDisplay : Draws it.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import compare_layers
    >>> X, y = load_digits(return_X_y=True)
    >>> module = torch.nn.Sequential(torch.nn.Linear(64, 10))
    >>> table = compare_layers(module, X, y, random_state=0)
    >>> type(table).__name__, type(table.head()).__name__
    ('LayerComparison', 'DataFrame')
    >>> page = table.to_html()
    >>> page[:15]
    '<!DOCTYPE html>'
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def to_html(self, buf: Any = None, **options: Any) -> str | None:  # type: ignore[override]
        """Report of the layers as one HTML file, or pandas' own table if it has options.

        The file needs no other file and no network, and names in it cannot do harm.

        Parameters
        ----------
        buf : str, path or file object, default=None
            Where to write it. None returns it.
        **options
            Options of :meth:`pandas.DataFrame.to_html`, which is called if there are any,
            such as ``border=1``. The report has none.

        Returns
        -------
        page : str or None
            The HTML if ``buf`` is None.

        Raises
        ------
        ImportError
            If matplotlib is not installed, which draws the picture of the report.

        See Also
        --------
        BesovSmoothnessEstimator.to_html : The report of one estimator.
        """
        if options or not _is_whole(self):
            return super().to_html(buf, **options)
        # A wing above this one, which is opened here only.
        from ..display.pages import layers_report, save_page

        page = layers_report(self)
        if buf is None:
            return page
        if isinstance(buf, str | os.PathLike):
            save_page(page, buf)
        else:
            buf.write(page)
        return None

    def _repr_html_(self) -> str | None:
        if not (pd.get_option("display.notebook_repr_html") and _is_whole(self)):
            return super()._repr_html_()  # type: ignore[misc]
        return card(layers_html(self, pd.get_option("display.max_rows") or len(self)))


def _is_whole(frame: pd.DataFrame) -> bool:
    """Whether the columns that are shown are still there, as they were measured."""
    wanted = ["layer", "loses_smoothness", *_NUMBERS, *_CHANGES]
    return (
        len(frame) > 0
        and frame.columns.nlevels == 1
        and frame.columns.is_unique
        and frame.columns.isin(wanted).sum() == len(wanted)
        and all(_is_plain(frame[name], "iuf") for name in _NUMBERS + _CHANGES)
        and _is_plain(frame["loses_smoothness"], "b")
    )


def _is_plain(column: pd.Series, kinds: str) -> bool:
    """Whether it is one of NumPy's kinds, of which no entry is pandas' NA."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in kinds


def layers_html(frame: pd.DataFrame, most_rows: int) -> Html:
    """The table with bars and marks; rows beyond the most are left out in the middle."""
    names = [name for name in frame.columns if name not in _MERGED][:_MOST_COLUMNS]
    ends = ends_of_bars(*(frame[name] for name in _NUMBERS))
    heads = [head for name in names for head in _heads(name, frame[name])]
    n_first = min(len(frame), (most_rows + 1) // 2)
    n_last = min(len(frame) - n_first, most_rows // 2)
    shown = frame.iloc[[*range(n_first), *range(len(frame) - n_last, len(frame))]]
    rows = [
        [cell for name in names for cell in _cells(name, row, ends)]
        for row in shown.to_dict("records")
    ]
    caption = f"Smoothness of {len(frame)} layers"
    if len(shown) < len(frame):
        caption += f"; {len(frame) - len(shown)} in the middle are left out here"
    scale = (
        f"Bars go from {number(ends[0], 2)} to {number(ends[1], 2)}; intervals are shaded."
    )
    return joined([table(heads, rows, caption), element("p", scale)])


def _heads(name: Any, column: pd.Series) -> list[str]:
    """Heads of the cells of a column."""
    if name == "alpha":
        return [OfNumbers(name), "interval"]
    shown = visible(name, _LONGEST_NAME)
    return [OfNumbers(shown) if is_numeric_dtype(column) else shown]


def _cells(name: Any, row: dict[Any, Any], ends: tuple[float, float]) -> list[Any]:
    value = row[name]
    if name == "alpha":
        low, high = row["alpha_low"], row["alpha_high"]
        loses = row["loses_smoothness"]
        bar = interval_bar(value, low, high, ends, is_loss=loses)
        mark = element("span", _MARK, class_="sksmooth-mark") if loses else Html("")
        return [_with_interval(value, low, high), joined([bar, mark])]
    if name == "difference":
        low, high = row["difference_low"], row["difference_high"]
        return [_with_interval(value, low, high, sign="+")]
    if isinstance(value, float):
        return [number(value, _PLACES.get(name, 3))]
    return [visible(value, _LONGEST_NAME)]


def _with_interval(value: float, low: float, high: float, sign: str = "") -> str:
    if np.isnan(value):
        return number(value)
    interval = f"[{number(low, sign=sign)}, {number(high, sign=sign)}]"
    return f"{number(value, sign=sign)} {interval}"
