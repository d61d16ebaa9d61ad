"""Smoothness of targets on many representations, as points or as a map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..._lib.html import number, visible
from ...estimators.representations.table import RepresentationComparison
from .axes import checked_frame, new_axes, plain

__all__ = ["RepresentationSmoothnessDisplay", "size_of_picture"]

_LABELS = {
    "held_out": "Held-out score",
    "alpha": r"Smoothness index $\alpha$",
    "explained": "Share explained",
    "roughness": "Roughness",
    "n_features": "Number of features",
}
_LONGEST_NAME = 32
_INCHES_PER_ROW, _INCHES_PER_CELL, _INCHES_PER_LETTER = 0.34, (0.66, 0.3), 0.085
_NEAR_EDGE = 0.985  # of the axes, to which intervals without an end are drawn
_BLUE = "tab:blue"


class RepresentationSmoothnessDisplay:
    """Smoothness of the target on each of many representations.

    It is recommended to use :meth:`from_comparison` to create a display. All parameters are
    stored as attributes, and :meth:`plot` can be called again on other axes.

    For one target, every representation is a row, the best at the top: a point with its
    interval, filled if it is tied with the best and hollow if it is worse. A band shows the
    interval of the best, and a dashed line the baseline. For several targets, the picture
    is a map with a row for each target and a column for each representation, the one that
    ranks best first. The cells hold the numbers, bold where tied with the best; the paler a
    cell, the farther it is from the best representation of its row.

    Parameters
    ----------
    table : DataFrame
        A table from :func:`~sksmooth.compare_representations`: columns ``representation``,
        ``held_out``, ``tied_with_best`` and ``value``, with the ends ``{value}_low`` and
        ``{value}_high`` of its intervals if it has any; ``target`` if there are several.
    value : str, default="held_out"
        The column to draw. Representations are always ranked by ``held_out``.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure that holds them.
    points_ : dict of bool to matplotlib ErrorbarContainer
        Points with their intervals: under True those tied with the best, under False the
        others. For one target only, like the next three.
    unbounded_ : list of matplotlib Line2D
        Arrows at the edge, for intervals without an end.
    band_ : matplotlib Polygon or None
        The interval of the best representation; None if there is none.
    baseline_ : matplotlib Line2D or None
        The line at the baseline; None if the table has none.
    image_ : matplotlib AxesImage
        The map: minus the distance to the best representation of the row. For several
        targets only, like the next.
    texts_ : dict of (str, str) to matplotlib Text
        The values in its cells, by target and representation.

    See Also
    --------
    sksmooth.compare_representations : Measures them.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import compare_representations
    >>> from sksmooth.plotting import RepresentationSmoothnessDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> parts = {"sepals": X[:, :2], "petals": X[:, 2:], "all": X}
    >>> table = compare_representations(parts, y=y, random_state=0)
    >>> display = RepresentationSmoothnessDisplay.from_comparison(table)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['petals', 'all', 'sepals']
    >>> plt.show()
    """

    def __init__(self, *, table: pd.DataFrame, value: str = "held_out") -> None:
        self.table, self.value = table, value

    @classmethod
    def from_comparison(
        cls,
        table: RepresentationComparison | pd.DataFrame,
        *,
        value: str = "held_out",
        ax: Any = None,
        **kwargs: Any,
    ) -> RepresentationSmoothnessDisplay:
        """Draw a table of ``compare_representations``.

        Parameters
        ----------
        table : RepresentationComparison or DataFrame
            The table, of one target or of several.
        value : str, default="held_out"
            The column to draw, such as ``"explained"``, ``"alpha"`` or ``"roughness"``.
        ax, **kwargs : optional
            As in :meth:`plot`.

        Returns
        -------
        display : RepresentationSmoothnessDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If the table is empty, lacks a column, or has no numbers in it.
        ImportError
            If matplotlib is not installed.
        """
        return cls(table=_with_value(table, value), value=value).plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> RepresentationSmoothnessDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure, as large as the rows need.
        **kwargs
            Options of matplotlib's ``errorbar``, or of ``imshow`` for several targets.

        Returns
        -------
        self : RepresentationSmoothnessDisplay
            The display, with its attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            ax = new_axes(figsize=size_of_picture(self.table), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        if "target" in self.table:
            self._plot_map(kwargs)
        else:
            self._plot_rows(kwargs)
        return self

    def frame(self) -> pd.DataFrame:
        """Return the plotted values.

        Returns
        -------
        frame : DataFrame
            In the order of the picture: ``target`` if there are several,
            ``representation``, the value with the ends of its interval if it has any,
            ``held_out``, ``tied_with_best``, and ``is_baseline`` if the table has one.
        """
        frame = self.table
        keys = [key for key in ("target", "representation") if key in frame]
        ends = [end for end in _ends(self.value) if end in frame]
        others = {self.value: None, **dict.fromkeys(ends), "held_out": None}
        drawn = frame[[*keys, *others, "tied_with_best"]].copy()
        if "baseline_p_value" in frame:
            no_difference = frame["difference_to_baseline"].eq(0)
            drawn["is_baseline"] = no_difference & frame["baseline_p_value"].isna()
        if "target" not in frame:
            return drawn.sort_values(
                "held_out", ascending=False, kind="stable", ignore_index=True
            )
        places = [
            pd.Index(names).get_indexer(drawn[key])
            for key, names in zip(keys, self._order(), strict=True)
        ]
        return drawn.iloc[np.lexsort(places[::-1])].reset_index(drop=True)

    # ------------------------------------------------------------------ one target

    def _plot_rows(self, options: dict[str, Any]) -> None:
        rows = self.frame()
        place = pd.Series(np.arange(len(rows)))
        given = rows[self.value].astype(float)
        low, high = (rows.get(end, given) for end in _ends(self.value))
        value = given.where(np.isfinite(given))
        lengths = [_finite(value - low), _finite(high - value)]
        self.points_ = {}
        for is_tied in (True, False):
            of_kind = rows["tied_with_best"].to_numpy(dtype=bool) == is_tied
            if of_kind.any():
                self.points_[is_tied] = self.ax_.errorbar(
                    value[of_kind].to_numpy(),
                    place[of_kind].to_numpy(),
                    xerr=[length[of_kind].to_numpy() for length in lengths],
                    **_style(is_tied) | options,
                )
        self._mark_best(low[0], high[0])
        self._draw_baseline(rows)
        self.unbounded_: list[Any] = []
        for ends, edge, marker in ((high, _NEAR_EDGE, ">"), (low, 1 - _NEAR_EDGE, "<")):
            is_open = np.isposinf(ends) if marker == ">" else np.isneginf(ends)
            if is_open.any():
                self._point_outwards(value[is_open], place[is_open], edge, marker)
        if value.min() < 0 < value.max():
            self.ax_.axvline(0, color="0.7", linewidth=0.8, zorder=0)
        self.ax_.set_yticks(place, [_named(name) for name in rows["representation"]])
        self.ax_.set(xlabel=self._label(), ylim=(len(rows) - 0.4, -0.6))
        self.ax_.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False
        )

    def _mark_best(self, low: float, high: float) -> None:
        has_interval = low < high and np.isfinite([low, high]).all()
        self.band_ = None
        if has_interval:
            self.band_ = self.ax_.axvspan(low, high, color=_BLUE, alpha=0.1, linewidth=0)

    def _draw_baseline(self, rows: pd.DataFrame) -> None:
        of_baseline = rows[rows.get("is_baseline", pd.Series(False, rows.index))]
        self.baseline_ = None
        for value in of_baseline[self.value]:
            self.baseline_ = self.ax_.axvline(
                value, color="0.3", linestyle="--", linewidth=1, zorder=1, label="baseline"
            )

    def _point_outwards(
        self, value: pd.Series, place: pd.Series, edge: float, marker: str
    ) -> None:
        """Draw intervals without an end up to the edge, wherever it is."""
        across = self.ax_.get_yaxis_transform()
        (arrows,) = self.ax_.plot(
            np.full(len(place), edge),
            place,
            linestyle="",
            marker=marker,
            color=_BLUE,
            transform=across,
            label=None if self.unbounded_ else "no end",
        )
        self.unbounded_.append(arrows)
        for x, y in zip(value, place, strict=True):
            if np.isfinite(x):
                self.ax_.annotate(
                    "",
                    xy=(edge, y),
                    xycoords=across,
                    xytext=(x, y),
                    textcoords="data",
                    arrowprops={"arrowstyle": "-", "color": _BLUE, "linestyle": ":"},
                )

    # ------------------------------------------------------------------ several targets

    def _order(self) -> tuple[pd.Index, pd.Index]:
        """Order targets as in the table, and representations by their mean rank."""
        held_out = self._arranged("held_out")
        ranks = held_out.rank(axis=1, ascending=False).mean()
        return held_out.index, ranks.sort_values(kind="stable").index

    def _arranged(self, value: str) -> pd.DataFrame:
        return RepresentationComparison(self.table).profile(value)

    def _plot_map(self, options: dict[str, Any]) -> None:
        targets, names = self._order()
        values, held_out, tied = (
            self._arranged(name).loc[targets, names]
            for name in (self.value, "held_out", "tied_with_best")
        )
        places = held_out.fillna(-np.inf).to_numpy(dtype=float).argmax(axis=1)
        numbers = values.to_numpy(dtype=float)
        finite = np.where(np.isfinite(numbers), numbers, np.nan)
        best = finite[np.arange(len(targets)), places]
        closeness = -np.abs(finite - best[:, None])
        self.image_ = self.ax_.imshow(closeness, **_colors(closeness) | options)
        self.image_.cmap = self.image_.cmap.with_extremes(bad="0.9")
        self.texts_ = {}
        is_tied = tied.eq(True).to_numpy()  # a missing one is NaN
        for (row, column), entry in np.ndenumerate(numbers):
            self.texts_[targets[row], names[column]] = self.ax_.text(
                column,
                row,
                number(entry, 0 if self.value == "n_features" else 2),
                ha="center",
                va="center",
                fontsize=8,
                color=_ink(self.image_, closeness[row, column]),
                weight="bold" if is_tied[row, column] else "normal",
            )
        self.ax_.set_yticks(range(len(targets)), map(_named, targets))
        self.ax_.set_xticks(
            range(len(names)),
            map(_named, names),
            rotation=40,
            ha="left",
            rotation_mode="anchor",
        )
        self.ax_.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
        self.ax_.set_xlabel(
            f"{self._label()}\nbold: tied with the best of the row\n"
            "paler: farther from the best"
        )

    def _label(self) -> str:
        return _LABELS.get(self.value, plain(self.value))


def size_of_picture(table: pd.DataFrame) -> tuple[float, float]:
    """Choose the size of a picture of a table, in inches, by its rows and names."""
    longest = _length_of_names(table["representation"])
    if "target" not in table:
        return 5.0 + _INCHES_PER_LETTER * longest, 1.4 + _INCHES_PER_ROW * len(table)
    n_targets, n_names = (table[key].nunique() for key in ("target", "representation"))
    beside = _INCHES_PER_LETTER * _length_of_names(table["target"])
    above = 0.65 * _INCHES_PER_LETTER * longest
    width, height = _INCHES_PER_CELL
    return max(
        5.0, 0.8 + beside + above + width * n_names
    ), 1.4 + above + height * n_targets


def _length_of_names(names: pd.Series) -> int:
    return max(len(_named(name)) for name in names.unique())


def _with_value(table: Any, value: str) -> pd.DataFrame:
    """Get the DataFrame of a table, checking that the column can be drawn."""
    needed = ["representation", "held_out", "tied_with_best"]
    frame = checked_frame(table, needed, "compare_representations")
    if value not in _drawable(frame):
        raise ValueError(
            f"value={value!r} is not a numeric column; choose one of {_drawable(frame)}."
        )
    return frame


def _drawable(frame: pd.DataFrame) -> list[str]:
    """List the numeric columns that are not ends of intervals."""
    return [
        str(name)
        for name, dtype in frame.dtypes.items()
        if dtype.kind in "iuf" and not str(name).endswith(("_low", "_high"))
    ]


def _ends(value: str) -> tuple[str, str]:
    return f"{value}_low", f"{value}_high"


def _finite(length: pd.Series) -> pd.Series:
    """Draw no line if an end or the interval is missing."""
    return length.where(np.isfinite(length), 0.0).clip(lower=0.0)


def _style(is_tied: bool) -> dict[str, Any]:
    return {
        "fmt": "o",
        "markersize": 6,
        "capsize": 3,
        "linewidth": 1.5,
        "color": _BLUE,
        "markerfacecolor": _BLUE if is_tied else "white",
        "label": "tied with the best" if is_tied else "worse",
    }


def _colors(closeness: np.ndarray) -> dict[str, Any]:
    """Choose a colour scale that outliers do not dominate."""
    farness = -closeness[closeness < 0]
    reach = min(3 * np.median(farness), farness.max()) if farness.size else 1.0
    return {
        "aspect": "auto",
        "interpolation": "nearest",
        "cmap": "Blues",
        "vmin": -reach,
        "vmax": 0.8 * reach,  # keep cells light enough for their text
    }


def _ink(image: Any, value: float) -> str:
    """Choose black or white text, whichever is more legible on the colour of a cell."""
    if not np.isfinite(value):
        return "black"
    red, green, blue, _ = image.to_rgba(value)
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"


def _named(name: Any) -> str:
    return plain(visible(name, _LONGEST_NAME))
