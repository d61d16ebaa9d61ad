"""The table of layers that comparisons give, which notebooks show with bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
from .._lib.state import Versioned
from ..index import Level, Rise, rise
from .changes import best_layer
from .columns import COLUMNS, Format, format_of

__all__ = ["LayerComparison", "joined_tables", "layers_html"]

_MARK = " \N{BLACK DOWN-POINTING TRIANGLE} {}"
_AT_MOST = "\N{LESS-THAN OR EQUAL TO} {}"
_MOST_COLUMNS = 30
_LONGEST_NAME = 120
_OF_LEVELS = ("best_layer_", "rise_")
_BAR = next(column for column in COLUMNS if column.format.has_bar)


@dataclass(frozen=True, eq=False, repr=False)
class LayerComparison(Versioned):
    """The layers of a network with their indices, one row a layer.

    It holds a DataFrame, and can be read like one: columns by their names, and all public
    attributes and methods of a DataFrame, which then give what pandas gives. Notebooks show
    it with bars for the intervals and marks at layers that lose smoothness. Functions of
    other libraries that want a DataFrame take its ``frame``.

    Parameters
    ----------
    frame : DataFrame
        The table, as :func:`compare_layers` describes it.
    levels_ : tuple of Level, default=()
        Levels of the held-out errors of the layers, by which they are compared; empty in a
        table that was not made by :func:`compare_layers`.
    measured_on_ : str or dict of str, default=""
        What the levels depend on, apart from the features, as a hash: samples, targets,
        weights, estimator and seeds. Only levels with the same one can be compared. A dict
        has one for each of several labellings.

    Attributes
    ----------
    frame, levels_, measured_on_
        The same.
    best_layer_ : str
        Name of the layer at which to cut the network for another task: of the layers that
        are not told apart from the one of the highest level (5 % for all together), that
        of the highest ``held_out``. Only where there are levels.
    rise_ : Rise
        A test of whether smoothness rises from layer to layer, by the held-out levels: its
        ``str`` is a sentence, ``p_value`` that of no rise, and ``drop`` names the layers
        between which smoothness falls most. Only where there are levels.

    See Also
    --------
    compare_layers : Makes it.
    sksmooth.plotting.LayerSmoothnessDisplay : Draws it.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import compare_layers
    >>> X, y = load_digits(return_X_y=True)
    >>> module = torch.nn.Sequential(torch.nn.Linear(64, 10))
    >>> table = compare_layers(module, X, y, random_state=0)
    >>> len(table), list(table["layer"]), type(table.head()).__name__
    (2, ['input', '0'], 'DataFrame')
    """

    frame: pd.DataFrame
    levels_: tuple[Level, ...] = ()
    measured_on_: str | dict[str, str] = ""

    def __post_init__(self) -> None:
        if not isinstance(self.frame, pd.DataFrame):
            raise TypeError(f"Expected a DataFrame, got {type(self.frame).__name__}.")

    @property
    def best_layer_(self) -> str:
        """Name of the layer at which to cut the network for another task."""
        if not self.levels_ or isinstance(self.measured_on_, dict):
            raise AttributeError  # whose message is that of __getattr__
        place = best_layer(self.levels_, list(self.frame["held_out"]))
        return self.frame["layer"].iloc[place]

    @property
    def rise_(self) -> Rise:
        """A test of whether smoothness rises from layer to layer."""
        if not self.levels_ or isinstance(self.measured_on_, dict):
            raise AttributeError  # whose message is that of __getattr__
        return rise(self.levels_, list(map(str, self.frame["layer"])), over="layers")

    def of(self, labels: str) -> LayerComparison:
        """Select the layers of one of several labellings of the samples.

        Parameters
        ----------
        labels : str
            Its name.

        Returns
        -------
        table : LayerComparison
            Its rows, without the column ``labels``.

        Raises
        ------
        ValueError
            If the table has no such labelling.
        """
        if not isinstance(self.measured_on_, dict) or labels not in self.measured_on_:
            known = list(self.measured_on_) if isinstance(self.measured_on_, dict) else []
            raise ValueError(f"The table has no labelling {labels!r}; it has {known}.")
        places = np.flatnonzero(self.frame["labels"] == labels)
        frame = self.frame.iloc[places].drop(columns="labels").reset_index(drop=True)
        levels = tuple(self.levels_[place] for place in places)
        return type(self)(frame, levels, self.measured_on_[labels])

    def to_frame(self) -> pd.DataFrame:
        """Copy the table, so that the copy can be changed.

        Returns
        -------
        frame : DataFrame
            The copy.
        """
        return self.frame.copy()

    def __getitem__(self, key: Any) -> Any:
        return self.frame[key]

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.frame)

    def __contains__(self, key: Any) -> bool:
        return key in self.frame

    def __bool__(self) -> bool:
        return bool(self.frame)  # raises, as pandas does: the truth of a table is ambiguous

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        # pandas and NumPy would drop the names of the columns and mix their dtypes.
        raise TypeError("A LayerComparison is no array; take its frame: table.frame.")

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not found otherwise. copy and pickle look for private names, and
        # for all names before there is a frame, of which pandas must not answer.
        if name.startswith("_") or "frame" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            )
        if name in _OF_LEVELS and isinstance(self.measured_on_, dict):
            raise AttributeError(
                "There are several labellings; choose one, such as "
                f"table.of({next(iter(self.measured_on_))!r}).{name}."
            )
        if name in _OF_LEVELS:
            raise AttributeError(
                f"{name} is found from the held-out levels of the layers, which this "
                "table lacks; only compare_layers makes tables that have them."
            )
        return getattr(self.frame, name)

    def __dir__(self) -> list[str]:
        of_frame = [name for name in dir(self.frame) if not name.startswith("_")]
        return sorted({*super().__dir__(), *of_frame})

    def __repr__(self) -> str:
        return repr(self.frame)

    def _repr_html_(self) -> str | None:
        if not (pd.get_option("display.notebook_repr_html") and _has_bars(self.frame)):
            return self.frame._repr_html_()  # type: ignore[operator]
        most_rows = pd.get_option("display.max_rows") or len(self.frame)
        shown = [layers_html(self.frame, most_rows)]
        tested = getattr(self, "rise_", None)
        if tested is not None and len(self) == len(self.levels_) > 1:
            shown.append(element("p", str(tested)))
        return card(joined(shown))


def _has_bars(frame: pd.DataFrame) -> bool:
    """Tell whether a frame has the columns of bars and marks, with values as measured.

    Users may build a table from any frame, or change the one that it holds. Columns other
    than that of the bars may be missing.
    """
    if len(frame) == 0 or frame.columns.nlevels > 1 or not frame.columns.is_unique:
        return False
    kinds: dict[str, str] = {}
    for column in COLUMNS:
        form = column.format
        if form.interval:
            kinds |= dict.fromkeys((column.name, *form.interval), "iuf")
        kinds |= dict.fromkeys(set(form.columns_within) - set(form.interval), "b")
    needed = {_BAR.name, *_BAR.format.interval}
    return needed <= set(frame.columns) and all(
        # pandas' own types do not count: an entry of theirs may be NA.
        isinstance(frame[name].dtype, np.dtype) and frame[name].dtype.kind in kind
        for name, kind in kinds.items()
        if name in frame.columns
    )


def joined_tables(tables: Mapping[str, LayerComparison]) -> LayerComparison:
    """Join tables of the same layers with several labellings of the samples.

    Parameters
    ----------
    tables : dict of str to LayerComparison
        One table a labelling.

    Returns
    -------
    table : LayerComparison
        Their rows one after the other, with a first column ``labels``.
    """
    parts = [each.frame.assign(labels=name) for name, each in tables.items()]
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "labels", frame.pop("labels"))
    levels = [level for each in tables.values() for level in each.levels_]
    measured_on = {name: str(each.measured_on_) for name, each in tables.items()}
    return LayerComparison(frame, tuple(levels), measured_on)


def layers_html(frame: pd.DataFrame, most_rows: int) -> Html:
    """Make an HTML table of layers, with bars and marks.

    Parameters
    ----------
    frame : DataFrame
        A table of :func:`compare_layers`.
    most_rows : int
        Largest number of rows. Of more, those in the middle are left out.

    Returns
    -------
    html : Html
        The table, and a line that says where its bars begin and end.
    """
    within = {name for column in COLUMNS for name in column.format.columns_within}
    names = [name for name in frame.columns if name not in within][:_MOST_COLUMNS]
    formats = {name: _format_in(frame, name) for name in names}
    ends = ends_of_bars(*(frame[name] for name in (_BAR.name, *_BAR.format.interval)))
    n_first = min(len(frame), (most_rows + 1) // 2)
    n_last = min(len(frame) - n_first, most_rows // 2)
    shown = frame.iloc[[*range(n_first), *range(len(frame) - n_last, len(frame))]]
    heads = [
        head
        for name, form in formats.items()
        for head in _heads(visible(name, _LONGEST_NAME), form, frame[name])
    ]
    rows = [
        [cell for name, form in formats.items() for cell in _cells(row, name, form, ends)]
        for row in shown.to_dict("records")
    ]
    caption = f"Smoothness of {len(frame)} layers"
    if len(shown) < len(frame):
        caption += f"; {len(frame) - len(shown)} in the middle are left out here"
    scale = (
        f"Bars go from {number(ends[0], 2)} to {number(ends[1], 2)}; intervals are shaded."
    )
    return joined([table(heads, rows, caption), element("p", scale)])


def _format_in(frame: pd.DataFrame, name: Any) -> Format:
    """Return how a column is shown, without an interval if the frame lacks its columns."""
    form = format_of(name)
    form = replace(form, marks=tuple(mark for mark in form.marks if mark in frame))
    is_whole = set(form.columns_within) <= set(frame.columns)
    return form if is_whole else Format(form.places, form.sign)


def _heads(name: str, form: Format, column: pd.Series) -> list[str]:
    head = OfNumbers(name) if is_numeric_dtype(column) else name
    return [head, "interval"] if form.has_bar else [head]


def _cells(
    row: dict[Any, Any], name: Any, form: Format, ends: tuple[float, float]
) -> list[Any]:
    """Make the cells of one column in a row: its value, and perhaps a bar."""
    value = row[name]
    if not form.interval:
        is_float = isinstance(value, float)
        return [number(value, form.places) if is_float else visible(value, _LONGEST_NAME)]
    text = number(value, form.places, form.sign)
    if form.bound is not None and row[form.bound] and not np.isnan(value):
        text = _AT_MOST.format(text)
    low, high = (row[bound] for bound in form.interval)
    if not np.isnan(value):
        bounds = (number(bound, form.places, form.sign) for bound in (low, high))
        text += f" [{', '.join(bounds)}]"
    if not form.has_bar:
        return [text]
    marks = [mark for mark in form.marks if row[mark]]
    bar = interval_bar(value, low, high, ends, is_loss=bool(marks))
    texts = [_MARK.format(mark.replace("_", " ")) for mark in marks]
    spans = [element("span", text, class_="sksmooth-mark") for text in texts]
    return [text, joined([bar, *spans])]
