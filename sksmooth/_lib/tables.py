"""Tables of results: data frames whose columns say what they hold and how they are shown.

A table holds a DataFrame and reads like one. Notebooks show it with bars for intervals and
marks, as the formats of its columns say. Nothing here knows what the rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from .html import (
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
from .state import Versioned

__all__ = [
    "Column",
    "Format",
    "FrameTable",
    "Mark",
    "frame_html",
    "help_of",
    "with_interval",
]

_AT_MOST = "\N{LESS-THAN OR EQUAL TO} {}"
_MOST_COLUMNS = 30
_LONGEST_NAME = 120

_Column = TypeVar("_Column", bound="Column")


class Mark(NamedTuple):
    """What a column of bool says at the bar of a row.

    Attributes
    ----------
    column : str
        Name of the column.
    text : str
        What it says.
    is_loss : bool
        Whether it is bad news.
    """

    column: str
    text: str
    is_loss: bool = True


@dataclass(frozen=True)
class Format:
    """How the numbers of a column are shown.

    Attributes
    ----------
    places : int
        Digits after the point.
    sign : str
        ``"+"`` shows the sign of positive numbers, too.
    interval : tuple of str
        The two columns of its interval, which are shown in the same cell.
    has_bar : bool
        Whether the interval is drawn as a bar, too.
    marks : tuple of Mark
        Marks at a bar.
    bound : str or None
        Column of bool that says where the number is an upper bound.
    """

    places: int = 3
    sign: str = ""
    interval: tuple[str, ...] = ()
    has_bar: bool = False
    marks: tuple[Mark, ...] = ()
    bound: str | None = None

    @property
    def columns_of_bool(self) -> tuple[str, ...]:
        """The columns of its marks and its bound."""
        bound = () if self.bound is None else (self.bound,)
        return (*(mark.column for mark in self.marks), *bound)

    @property
    def columns_within(self) -> tuple[str, ...]:
        """The columns that are shown in the cells of this one and not on their own."""
        return (*self.interval, *self.columns_of_bool)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Its name.
    help : str
        What it holds, in plain words that fit into docstrings and pages.
    get : callable
        ``get(measured)`` gives its entry for what was measured.
    format : Format
        How it is shown.
    """

    name: str
    help: str
    get: Callable[[Any], Any]
    format: Format = Format()


def with_interval(
    kind: type[_Column],
    names: tuple[str, str, str],
    help: str,
    of_interval: str,
    get: Callable[[Any], tuple[float, float, float]],
    **options: Any,
) -> tuple[_Column, ...]:
    """Make the columns of a number and of the two ends of its interval.

    Parameters
    ----------
    kind : type of Column
        The class of the columns.
    names : tuple of str
        Their names.
    help : str
        What the number is.
    of_interval : str
        What the interval is.
    get : callable
        Gives the number and the two ends.
    **options
        Of the format.

    Returns
    -------
    columns : tuple of Column
        The three columns.
    """

    def part(place: int) -> Callable[[Any], float]:
        return lambda measured: get(measured)[place]

    name, low, high = names
    form = Format(interval=(low, high), **options)
    return (
        kind(name, help, part(0), form),
        kind(low, f"lower end of {of_interval} of {name}", part(1)),
        kind(high, "upper end", part(2)),
    )


def help_of(names: Iterable[Hashable], known: Mapping[Hashable, Column]) -> dict[str, str]:
    """Describe the columns in plain text; unknown columns are left out."""
    return {str(name): known[name].help for name in names if name in known}


@dataclass(frozen=True, eq=False, repr=False)
class FrameTable(Versioned):
    """Base of tables: holds a DataFrame, and reads like one.

    Attributes
    ----------
    frame : DataFrame
        The table.
    """

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        if not isinstance(self.frame, pd.DataFrame):
            raise TypeError(f"Expected a DataFrame, got {type(self.frame).__name__}.")

    def _known(self) -> Mapping[Hashable, Column]:
        """The columns that such a table may have, by their names."""
        raise NotImplementedError

    def _rows(self) -> str:
        """What the rows are called."""
        raise NotImplementedError

    def _why_missing(self, name: str) -> str | None:
        """Why an attribute of such tables is missing; None for any other name."""
        return None

    def _in_words(self) -> list[str]:
        """What is said below the table in notebooks."""
        return []

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
        raise TypeError(
            f"A {type(self).__name__} is no array; take its frame: table.frame."
        )

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not found otherwise. copy and pickle look for private names, and
        # for all names before there is a frame, of which pandas must not answer.
        if name.startswith("_") or "frame" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            )
        why = self._why_missing(name)
        if why is not None:
            raise AttributeError(why)
        return getattr(self.frame, name)

    def __dir__(self) -> list[str]:
        of_frame = [name for name in dir(self.frame) if not name.startswith("_")]
        return sorted({*super().__dir__(), *of_frame})

    def __repr__(self) -> str:
        return repr(self.frame)

    def _repr_html_(self) -> str | None:
        known = self._known()
        if not (
            pd.get_option("display.notebook_repr_html") and _has_bars(self.frame, known)
        ):
            return self.frame._repr_html_()  # type: ignore[operator]
        most_rows = pd.get_option("display.max_rows") or len(self.frame)
        shown = [frame_html(self.frame, known, self._rows(), most_rows)]
        return card(*shown, *(element("p", text) for text in self._in_words()))


def _has_bars(frame: pd.DataFrame, known: Mapping[Hashable, Column]) -> bool:
    """Return whether a frame has the columns of bars and marks, with values as measured.

    Users may build a table from any frame, or change the one that it holds. Columns other
    than that of the bars may be missing.
    """
    if len(frame) == 0 or frame.columns.nlevels > 1 or not frame.columns.is_unique:
        return False
    kinds: dict[Hashable, str] = {}
    for column in known.values():
        form = column.format
        if form.interval:
            kinds |= dict.fromkeys((column.name, *form.interval), "iuf")
        kinds |= dict.fromkeys(form.columns_of_bool, "b")
    bar = _with_bar(known)
    return {bar.name, *bar.format.interval} <= set(frame.columns) and all(
        # pandas' own types do not count: an entry of theirs may be NA.
        isinstance(frame[name].dtype, np.dtype) and frame[name].dtype.kind in kind
        for name, kind in kinds.items()
        if name in frame.columns
    )


def _with_bar(known: Mapping[Hashable, Column]) -> Column:
    return next(column for column in known.values() if column.format.has_bar)


def frame_html(
    frame: pd.DataFrame, known: Mapping[Hashable, Column], rows: str, most_rows: int
) -> Html:
    """Make an HTML table with bars and marks.

    Parameters
    ----------
    frame : DataFrame
        The table.
    known : dict of Column
        The columns whose formats are known; others are shown, too.
    rows : str
        What the rows are called.
    most_rows : int
        Largest number of rows. Of more, those in the middle are left out.

    Returns
    -------
    html : Html
        The table, and a line that says where its bars begin and end.
    """
    within = {name for column in known.values() for name in column.format.columns_within}
    names = [name for name in frame.columns if name not in within][:_MOST_COLUMNS]
    formats = {name: _format_in(frame, known, name) for name in names}
    bar = _with_bar(known)
    ends = ends_of_bars(*(frame[name] for name in (bar.name, *bar.format.interval)))
    n_first = min(len(frame), (most_rows + 1) // 2)
    n_last = min(len(frame) - n_first, most_rows // 2)
    shown = frame.iloc[[*range(n_first), *range(len(frame) - n_last, len(frame))]]
    heads = [
        head
        for name, form in formats.items()
        for head in _heads(visible(name, _LONGEST_NAME), form, frame[name])
    ]
    cells = [
        [cell for name, form in formats.items() for cell in _cells(row, name, form, ends)]
        for row in shown.to_dict("records")
    ]
    caption = f"Smoothness of {len(frame)} {rows}"
    if len(shown) < len(frame):
        caption += f"; {len(frame) - len(shown)} in the middle are left out here"
    scale = (
        f"Bars go from {number(ends[0], 2)} to {number(ends[1], 2)}; intervals are shaded."
    )
    return joined([table(heads, cells, caption), element("p", scale)])


def _format_in(frame: pd.DataFrame, known: Mapping[Hashable, Column], name: Any) -> Format:
    """Return how a column is shown, without an interval if the frame lacks its columns."""
    form = known[name].format if name in known else Format()
    form = replace(form, marks=tuple(mark for mark in form.marks if mark.column in frame))
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
    marks = [mark for mark in form.marks if row[mark.column]]
    is_loss = any(mark.is_loss for mark in marks)
    bar = interval_bar(value, low, high, ends, is_loss=is_loss)
    spans = [element("span", f" {mark.text}", class_="sksmooth-mark") for mark in marks]
    return [text, joined([bar, *spans])]
