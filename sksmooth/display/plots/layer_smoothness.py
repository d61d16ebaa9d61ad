"""The index over the layers of a network, and over its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...index import Rise
from ...networks.columns import MARKS
from ...networks.comparison import compare_layers
from ...networks.monitor import SmoothnessMonitor
from ...networks.table import LayerComparison
from .axes import checked_frame, new_axes, plain

__all__ = ["LayerSmoothnessDisplay", "SmoothnessHistoryDisplay"]

_ALPHA = r"Smoothness index $\alpha$"
_INDEX = ["layer", "alpha", "alpha_low", "alpha_high"]  # columns that are drawn
_GIVERS = "compare_layers or SmoothnessMonitor.to_frame"  # of tables
_LONGEST_NAME = 24
_SHORT_NAME = 6  # characters of names that need no slope
_WIDTH_OF_LAYER = 0.55  # inches
_SPREAD = 0.5  # of the networks at one layer, at most
_NEAR_TOP = 0.97  # of the axes, where intervals without an upper end are drawn to
_MARGIN = 0.12  # of the axes above the highest point, which leaves room for their arrows
_MOST_TICKS = 15
_UPWARDS, _DOWNWARDS = "\N{NORTH EAST ARROW}", "\N{SOUTH EAST ARROW}"
_LEGEND = f"{_UPWARDS} rises during training, {_DOWNWARDS} falls between two steps"
_COLORS = dict(zip(MARKS, ("tab:red", "tab:orange", "tab:purple"), strict=True))


class LayerSmoothnessDisplay:
    """The smoothness index over the depth of one or several networks.

    It is recommended to use :meth:`from_frame` or :meth:`from_module` to create a display.
    All parameters are stored as attributes, and :meth:`plot` can be called again on other
    axes.

    Parameters
    ----------
    frames : dict of str to DataFrame
        For every network, or every training step, a table from
        :func:`~sksmooth.compare_layers`: columns ``layer``, ``alpha``, ``alpha_low`` and
        ``alpha_high``, and ``loses_smoothness``, ``gains_nothing`` or
        ``loses_to_reference`` if layers are to be marked.
    rise : Rise, default=None
        A test of whether smoothness rises over the layers; the title shows its result.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that holds them.
    curves_ : list of matplotlib ErrorbarContainer
        One curve with its intervals for each network.
    unbounded_ : list of matplotlib Line2D
        Arrows at the upper edge, with lines to their points, for intervals without an upper
        end, such as those of lower bounds; one entry for each network with such layers.
    marks_ : dict of str to matplotlib PathCollection
        Circles around the layers of each mark, such as those that lose smoothness; empty if
        none is to be marked.

    See Also
    --------
    sksmooth.compare_layers : Measures the layers.
    SmoothnessHistoryDisplay : All steps of a training run in one picture.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from sksmooth.plotting import LayerSmoothnessDisplay
    >>> frame = pd.DataFrame({
    ...     "layer": ["input", "conv", "linear"],
    ...     "alpha": [0.1, 0.2, 0.4],
    ...     "alpha_low": [0.08, 0.17, 0.3],
    ...     "alpha_high": [0.12, 0.23, 0.5],
    ... })
    >>> display = LayerSmoothnessDisplay.from_frame(frame)
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['input', 'conv', 'linear']
    >>> plt.show()
    """

    def __init__(
        self, *, frames: dict[str, pd.DataFrame], rise: Rise | None = None
    ) -> None:
        self.frames, self.rise = frames, rise

    @classmethod
    def from_frame(
        cls,
        frame: LayerComparison | pd.DataFrame | Mapping[str, Any],
        *,
        ax: Any = None,
        curve_kwargs: dict[str, Any] | None = None,
        mark_losses: bool = True,
    ) -> LayerSmoothnessDisplay:
        """Draw tables of ``compare_layers``, or of a ``SmoothnessMonitor``.

        Parameters
        ----------
        frame : LayerComparison, DataFrame or dict of str to these
            One table, or a dict of one per network, by name. A table with a column ``step``
            gives one curve per step, and one with a column ``labels`` one curve per
            labelling.
        ax, curve_kwargs, mark_losses : optional
            As in :meth:`plot`.

        Returns
        -------
        display : LayerSmoothnessDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If a table is empty or lacks a column.
        ImportError
            If matplotlib is not installed.
        """
        frames = dict(frame) if isinstance(frame, Mapping) else {"": frame}
        if not frames:
            raise ValueError("There is no table to draw.")
        apart: dict[str, pd.DataFrame] = {}
        for name, each in frames.items():
            for words, part in _parts(checked_frame(each, _INDEX, _GIVERS)):
                apart[", ".join([*filter(None, [name]), *words])] = part
        display = cls(frames=apart, rise=_rise_of(list(frames.values())))
        return display.plot(ax, curve_kwargs=curve_kwargs, mark_losses=mark_losses)

    @classmethod
    def from_module(
        cls,
        module: Any,
        X: Any,
        y: Any = None,
        layers: Sequence[str | int] | None = None,
        *,
        ax: Any = None,
        curve_kwargs: dict[str, Any] | None = None,
        mark_losses: bool = True,
        **options: Any,
    ) -> LayerSmoothnessDisplay:
        """Measure the layers of a network and draw them.

        Parameters
        ----------
        module : torch.nn.Module or fitted skorch net
            The network.
        X, y, layers : optional
            As in :func:`~sksmooth.compare_layers`.
        ax, curve_kwargs, mark_losses : optional
            As in :meth:`plot`.
        **options : optional
            Other parameters of :func:`~sksmooth.compare_layers`.

        Returns
        -------
        display : LayerSmoothnessDisplay
            The display, already drawn.
        """
        frame = compare_layers(module, X, y, layers, **options)
        return cls.from_frame(
            frame, ax=ax, curve_kwargs=curve_kwargs, mark_losses=mark_losses
        )

    def plot(
        self,
        ax: Any = None,
        *,
        curve_kwargs: dict[str, Any] | None = None,
        mark_losses: bool = True,
    ) -> LayerSmoothnessDisplay:
        """Draw the index of every layer, with its interval.

        At every depth, networks are side by side. Layers are named below the axes if they
        have the same names in all networks, and numbered otherwise.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure, as wide as the layers need.
        curve_kwargs : dict, default=None
            Options of matplotlib's ``errorbar``.
        mark_losses : bool, default=True
            Whether to mark layers that lose smoothness compared with the previous layer or
            a reference, or that gain nothing.

        Returns
        -------
        self : LayerSmoothnessDisplay
            The display, with the attributes ``ax_``, ``figure_``, ``curves_``,
            ``unbounded_`` and ``marks_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        points = self.frame()
        n_layers = points["depth"].max() + 1
        if ax is None:
            width = max(6.4, 1.5 + _WIDTH_OF_LAYER * n_layers)
            ax = new_axes(figsize=(width, 4.8), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        points["place"] = points["depth"] + _offsets(points["network"], len(self.frames))
        self.curves_: list[Any] = []
        self.unbounded_: list[Any] = []
        for name in self.frames:
            of_network = points[points["network"] == name]
            self._plot_network(name, of_network, curve_kwargs or {})
        if self.unbounded_:
            self.ax_.margins(y=_MARGIN)
        self.marks_ = {
            mark: self._mark(mark, points[points[mark]])
            for mark in _COLORS
            if mark_losses and points[mark].any()
        }
        self.ax_.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        self.ax_.set(ylabel=_ALPHA, xlim=(-0.6, n_layers - 0.4))
        self._name_layers(n_layers)
        if self.rise is not None:
            self.ax_.set_title(plain(str(self.rise)), fontsize="medium", wrap=True)
        handles, labels = self.ax_.get_legend_handles_labels()
        if labels:
            # Marks come last; unlike curves with intervals, they are not containers.
            is_mark = [not isinstance(handle, tuple) for handle in handles]
            order = np.argsort(is_mark, kind="stable")
            self.ax_.legend([handles[k] for k in order], [labels[k] for k in order])
        return self

    def frame(self) -> pd.DataFrame:
        """Return the plotted points.

        Returns
        -------
        frame : DataFrame
            Columns ``network``, ``depth`` (from 0), ``layer``, ``alpha``, ``alpha_low``,
            ``alpha_high``, ``loses_smoothness``, ``gains_nothing`` and
            ``loses_to_reference``.
        """
        parts = []
        for name, frame in self.frames.items():
            part = frame[_INDEX].reset_index(drop=True)
            part.insert(0, "network", name)
            part.insert(1, "depth", np.arange(len(part)))
            for mark in MARKS:
                marked = frame.get(mark, pd.Series(False, index=frame.index))
                part[mark] = marked.to_numpy(dtype=bool)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def _plot_network(self, name: str, points: pd.DataFrame, options: dict) -> None:
        alpha = points["alpha"]
        ends = [alpha - points["alpha_low"], points["alpha_high"] - alpha]
        ends = [np.where(end == np.inf, 0.0, end) for end in ends]
        style = {"marker": "o", "markersize": 5, "capsize": 3, "linewidth": 1.5}
        style |= {"label": plain(name) or None} | options
        curve = self.ax_.errorbar(points["place"], alpha, yerr=ends, **style)
        self.curves_.append(curve)
        unbounded = points[(points["alpha_high"] == np.inf) & np.isfinite(alpha)]
        if not unbounded.empty:
            self._point_upwards(unbounded, curve.lines[0].get_color())

    def _point_upwards(self, points: pd.DataFrame, color: Any) -> None:
        """Draw intervals without an upper end up to the edge, wherever it is."""
        (arrows,) = self.ax_.plot(
            points["place"],
            np.full(len(points), _NEAR_TOP),
            linestyle="",
            marker="^",
            color=color,
            transform=self.ax_.get_xaxis_transform(),
            label=None if self.unbounded_ else "no upper end",
        )
        self.unbounded_.append(arrows)
        for place, alpha in points[["place", "alpha"]].to_numpy():
            self.ax_.annotate(
                "",
                xy=(place, _NEAR_TOP),
                xycoords=("data", "axes fraction"),
                xytext=(place, alpha),
                textcoords="data",
                arrowprops={"arrowstyle": "-", "color": color, "linestyle": ":"},
            )

    def _mark(self, mark: str, points: pd.DataFrame) -> Any:
        return self.ax_.scatter(
            points["place"],
            points["alpha"],
            s=140 + 90 * MARKS.index(mark),  # one around the other
            facecolors="none",
            edgecolors=_COLORS[mark],
            linewidths=1.5,
            zorder=3,
            label=mark.replace("_", " "),
        )

    def _name_layers(self, n_layers: int) -> None:
        names = [list(frame["layer"]) for frame in self.frames.values()]
        if all(other == names[0] for other in names):
            labels = [plain(_shortened(str(name))) for name in names[0]]
            self.ax_.set_xlabel("Layer")
        else:
            labels = [str(depth) for depth in range(n_layers)]
            self.ax_.set_xlabel("Depth of the layer")
        _label_slanted(self.ax_, np.arange(n_layers), labels)


class SmoothnessHistoryDisplay:
    """Heat map of the smoothness index of all layers during training.

    It is recommended to use :meth:`from_monitor` to create a display. All parameters are
    stored as attributes, and :meth:`plot` can be called again on other axes.

    Parameters
    ----------
    alpha : DataFrame of shape (n_layers, n_steps)
        The indices: one row per layer, in order, and one column per step.
    rises : dict of str to Rise, default=None
        For each layer, a test of whether smoothness rises during training; arrows at the
        names of the layers show the results.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the map.
    figure_ : matplotlib Figure
        Figure that holds them.
    image_ : matplotlib AxesImage
        The map. A lower bound is coloured by its value, like any other index.
    colorbar_ : matplotlib Colorbar
        Its scale.

    See Also
    --------
    sksmooth.SmoothnessMonitor : Records the indices.
    LayerSmoothnessDisplay : Some steps as curves with intervals.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from sksmooth.plotting import SmoothnessHistoryDisplay
    >>> frame = pd.DataFrame({
    ...     "step": [0, 0, 1, 1],
    ...     "layer": ["input", "linear", "input", "linear"],
    ...     "alpha": [0.1, 0.08, 0.1, 0.3],
    ... })
    >>> display = SmoothnessHistoryDisplay.from_monitor(frame)
    >>> display.image_.get_array().shape
    (2, 2)
    >>> plt.show()
    """

    def __init__(
        self, *, alpha: pd.DataFrame, rises: Mapping[str, Rise] | None = None
    ) -> None:
        self.alpha, self.rises = alpha, dict(rises or {})

    @classmethod
    def from_monitor(
        cls,
        monitor: SmoothnessMonitor | pd.DataFrame,
        *,
        ax: Any = None,
        **image_kwargs: Any,
    ) -> SmoothnessHistoryDisplay:
        """Draw what a monitor has recorded.

        Parameters
        ----------
        monitor : SmoothnessMonitor or DataFrame
            A monitor, or its table with columns ``step``, ``layer`` and ``alpha``.
        ax, **image_kwargs : optional
            As in :meth:`plot`.

        Returns
        -------
        display : SmoothnessHistoryDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If nothing was recorded, or the table lacks a column.
        ImportError
            If matplotlib is not installed.
        """
        given = monitor.to_frame() if isinstance(monitor, SmoothnessMonitor) else monitor
        frame = checked_frame(given, ["step", "layer", "alpha"], _GIVERS)
        alpha = frame.pivot(index="layer", columns="step", values="alpha")
        layers, steps = frame["layer"].unique(), frame["step"].unique()
        rises = {}
        if isinstance(monitor, SmoothnessMonitor) and len(steps) > 1:
            rises = {layer: monitor.rise(layer) for layer in layers}
        return cls(alpha=alpha.loc[layers, steps], rises=rises).plot(ax, **image_kwargs)

    def plot(self, ax: Any = None, **image_kwargs: Any) -> SmoothnessHistoryDisplay:
        """Draw the map: steps from left to right, the first layer at the bottom.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **image_kwargs
            Options of matplotlib's ``imshow``.

        Returns
        -------
        self : SmoothnessHistoryDisplay
            The display, with the attributes ``ax_``, ``figure_``, ``image_`` and
            ``colorbar_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        values = self.alpha.to_numpy(dtype=float)
        n_layers, n_steps = values.shape
        if ax is None:
            size = (6.4, max(3.0, 1.5 + 0.35 * n_layers))
            ax = new_axes(figsize=size, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        known = values[~np.isnan(values)]  # a layer may be missing at some steps
        style: dict[str, Any] = {
            "origin": "lower",
            "aspect": "auto",
            "interpolation": "nearest",
        }
        if "norm" not in image_kwargs:
            style |= {"vmin": known.min(initial=0.0), "vmax": known.max(initial=0.0) or 1.0}
        style |= image_kwargs
        self.image_ = ax.imshow(values, **style)
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=ax, label=_ALPHA)
        names = [self._named(name) for name in self.alpha.index]
        ax.set_yticks(range(n_layers), names)
        shown = np.arange(0, n_steps, max(1, -(-n_steps // _MOST_TICKS)))
        ax.set_xticks(shown, [plain(step) for step in self.alpha.columns[shown]])
        ax.set(xlabel="Step", ylabel="Layer")
        if self.rises:
            ax.set_title(_LEGEND, fontsize="medium")
        return self

    def frame(self) -> pd.DataFrame:
        """Return the plotted values.

        Returns
        -------
        frame : DataFrame
            Columns ``step``, ``layer`` and ``alpha``.
        """
        steps: Any = self.alpha.rename_axis(index="layer", columns="step").T
        return steps.stack(future_stack=True).rename("alpha").reset_index()

    def _named(self, layer: Any) -> str:
        """Name a layer, with an arrow for the result of its test."""
        name = plain(_shortened(str(layer)))
        test = self.rises.get(layer)
        if test is None or not (test.rises or test.falls):
            return name
        return f"{name} {_UPWARDS if test.rises else _DOWNWARDS}"


def _rise_of(tables: Sequence[Any]) -> Rise | None:
    """Test one network if its table has levels."""
    if len(tables) > 1 or not isinstance(tables[0], LayerComparison):
        return None
    tested: Rise | None = getattr(tables[0], "rise_", None)
    return tested if len(tables[0].levels_) > 1 else None


def _offsets(networks: pd.Series, n_networks: int) -> np.ndarray:
    """Shift networks horizontally, so that their intervals do not overlap."""
    number = pd.factorize(networks)[0]
    step = min(0.12, _SPREAD / max(n_networks - 1, 1))
    return (number - (n_networks - 1) / 2) * step


def _shortened(name: str) -> str:
    """Shorten a long name to its end, at a dot if possible."""
    if len(name) <= _LONGEST_NAME:
        return name
    end = name[1 - _LONGEST_NAME :]
    if name[-_LONGEST_NAME] != ".":
        end = end.partition(".")[2] or end
    return "\N{HORIZONTAL ELLIPSIS}" + end


def _parts(table: pd.DataFrame) -> list[tuple[list[str], pd.DataFrame]]:
    """Split a table of several labellings or steps into named parts."""
    keys = [key for key in ("labels", "step") if key in table]
    if not keys:
        return [([], table)]
    return [
        (
            [
                f"step {value}" if key == "step" else str(value)
                for key, value in zip(keys, values, strict=True)
            ],
            part,
        )
        for values, part in table.groupby(keys, sort=False)
    ]


def _label_slanted(ax: Any, ticks: np.ndarray, labels: list[str]) -> None:
    if max(map(len, labels)) <= _SHORT_NAME:
        ax.set_xticks(ticks, labels)
    else:
        ax.set_xticks(ticks, labels, rotation=35, ha="right", rotation_mode="anchor")
