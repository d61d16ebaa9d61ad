"""Tables of results: data frames whose columns say what they hold and how they are shown.

A table holds a DataFrame and reads like one. Notebooks show it with bars for intervals and
marks, as the formats of its columns say, ``print`` a summary of a few lines. Nothing here
knows what the rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
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
    folded,
    interval_bar,
    joined,
    number,
    p_value_number,
    table,
    visible,
)
from .state import Versioned
from .text import aligned, paragraphs, plain_number, plain_p_value, with_ends

__all__ = [
    "Column",
    "Format",
    "FrameTable",
    "Look",
    "Mark",
    "frame_html",
    "help_of",
    "with_interval",
]

_AT_MOST = "\N{LESS-THAN OR EQUAL TO} {}"
_MOST_COLUMNS = 30
_PLACES = 2  # that are printed, but of differences, which are small
_MOST_PRINTED, _TOP = 4, 3  # rows; of more, the best
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
    is_p_value : bool
        Whether it is a p-value, of which small ones are shown as a bound.
    """

    places: int = 3
    sign: str = ""
    interval: tuple[str, ...] = ()
    has_bar: bool = False
    marks: tuple[Mark, ...] = ()
    bound: str | None = None
    is_p_value: bool = False

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


@dataclass(frozen=True)
class Look:
    """How tables of one kind are shown.

    Attributes
    ----------
    rows : str
        Name of the rows, in the plural.
    known : dict of str to Column
        The columns that such a table may have, by their names; others are shown, too.
    names : tuple of str
        The columns that name a row, which are repeated where others are folded away.
    first : tuple of str
        The columns that are read first after them, in their order.
    then : tuple of str
        The first ones of the others, which notebooks fold away.
    printed : tuple of str
        The columns that ``print`` shows.
    with_interval : tuple of str
        Those of them that are printed with their intervals.
    ranked_by : str
        Column whose largest values are the best.
    """

    rows: str
    known: Mapping[Hashable, Column]
    names: tuple[str, ...]
    first: tuple[str, ...]
    then: tuple[str, ...]
    printed: tuple[str, ...]
    with_interval: tuple[str, ...] = ()
    ranked_by: str = "held_out"


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

    def _look(self) -> Look:
        """How such tables are shown."""
        raise NotImplementedError

    def _why_missing(self, name: str) -> str | None:
        """Why an attribute of such tables is missing; None for any other name."""
        return None

    def _in_words(self) -> list[str]:
        """What is said below the table in notebooks."""
        return []

    def _in_short(self) -> list[str]:
        """Sentences that ``print`` shows below the rows."""
        return self._in_words()

    def _is_printed_in_rows(self) -> bool:
        """Whether ``print`` shows rows, and not words alone."""
        return True

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

    def __str__(self) -> str:
        """Summarise the table in a few lines; of many rows, the best are shown."""
        look = self._look()
        if not _has_bars(self.frame, look.known):
            return str(self.frame)
        rows = _printed_rows(self.frame, look) if self._is_printed_in_rows() else []
        last = [*self._in_short(), _of_cautions(self.frame, look.rows)]
        return "\n".join(filter(None, [*rows, paragraphs(last)]))

    def _repr_html_(self) -> str | None:
        look = self._look()
        if not (
            pd.get_option("display.notebook_repr_html")
            and _has_bars(self.frame, look.known)
        ):
            return self.frame._repr_html_()  # type: ignore[operator]
        most_rows = pd.get_option("display.max_rows") or len(self.frame)
        return _card_of(self.frame, look, most_rows, self._in_words())


def _printed_rows(frame: pd.DataFrame, look: Look) -> list[str]:
    """Align the main numbers of a few rows, and say how many are left out."""
    names = [name for name in look.printed if name in frame.columns]
    formats = {name: _format_in(frame, look.known, name) for name in names}
    shown, left = frame, ""
    if len(frame) > _MOST_PRINTED:
        by = look.ranked_by if look.ranked_by in frame else _with_bar(look.known).name
        shown = frame.sort_values(by, ascending=False, kind="stable").iloc[:_TOP]
        left = f"... and {len(frame) - _TOP} more {look.rows}; all are in its frame"
    rows = [
        [
            _printed(row, name, form, has_interval=name in look.with_interval)
            for name, form in formats.items()
        ]
        for row in shown.to_dict("records")
    ]
    return [*aligned(names, rows), *filter(None, [left])]


def _printed(row: dict[Any, Any], name: Any, form: Format, *, has_interval: bool) -> str:
    value = row[name]
    if not isinstance(value, float):
        return visible(value, _LONGEST_NAME)
    if form.is_p_value:
        return plain_p_value(value)
    places = form.places if form.sign else min(form.places, _PLACES)
    if has_interval and form.interval:
        return with_ends(value, [row[end] for end in form.interval], places, form.sign)
    return plain_number(value, places, form.sign)


def _of_cautions(frame: pd.DataFrame, rows: str) -> str:
    """Count the rows of each caution, in a sentence."""
    if "cautions" not in frame:
        return ""
    found = [set(filter(None, str(text).split(", "))) for text in frame["cautions"]]
    counts = {
        name: sum(name in each for each in found) for name in sorted(set().union(*found))
    }
    told = ", ".join(f"{visible(name, _LONGEST_NAME)} ({n})" for name, n in counts.items())
    return f"Cautions, and for how many {rows}: {told}." if told else ""


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


def frame_html(frame: pd.DataFrame, look: Look, most_rows: int) -> Html:
    """Make an HTML table of all columns, with bars and marks.

    Parameters
    ----------
    frame : DataFrame
        The table.
    look : Look
        How it is shown.
    most_rows : int
        Largest number of rows. Of more, those in the middle are left out.

    Returns
    -------
    html : Html
        The table, and a line that says where its bars begin and end.
    """
    first, others = _ordered(frame, look)
    names = [*first, *others][:_MOST_COLUMNS]
    return joined([_table_of(frame, look, names, most_rows), _scale(frame, look)])


def _card_of(frame: pd.DataFrame, look: Look, most_rows: int, words: Iterable[str]) -> Html:
    """Show the columns that are read first, what they say in words, and then the others."""
    first, others = _ordered(frame, look)
    parts = [
        _table_of(frame, look, first, most_rows),
        *(element("p", text) for text in words),
        _scale(frame, look),
    ]
    if others:
        names = [name for name in first if name in look.names]
        names = [*names, *others][:_MOST_COLUMNS]
        rest = _table_of(frame, look, names, most_rows, "More numbers")
        parts.append(folded("More columns", rest))
    return card(*parts)


def _ordered(frame: pd.DataFrame, look: Look) -> tuple[list[Any], list[Any]]:
    """List the columns that are read first, and the others; those within cells are none."""
    within = {
        name for column in look.known.values() for name in column.format.columns_within
    }
    names = [name for name in frame.columns if name not in within]
    first = [name for name in (*look.names, *look.first) if name in names]
    then = [name for name in look.then if name in names]
    return first, [*then, *(name for name in names if name not in (*first, *then))]


def _table_of(
    frame: pd.DataFrame, look: Look, names: Sequence[Any], most_rows: int, title: str = ""
) -> Html:
    formats = {name: _format_in(frame, look.known, name) for name in names}
    ends = _ends(frame, look)
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
    caption = f"{title or 'Smoothness'} of {len(frame)} {look.rows}"
    if len(shown) < len(frame):
        caption += f"; {len(frame) - len(shown)} in the middle are left out here"
    return table(heads, cells, caption)


def _ends(frame: pd.DataFrame, look: Look) -> tuple[float, float]:
    bar = _with_bar(look.known)
    return ends_of_bars(*(frame[name] for name in (bar.name, *bar.format.interval)))


def _scale(frame: pd.DataFrame, look: Look) -> Html:
    first, last = (number(end, 2) for end in _ends(frame, look))
    name = _with_bar(look.known).name
    text = f"Bars of {name} go from {first} to {last}; intervals are shaded."
    return element("p", text, class_="sksmooth-quiet")


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
        return [_cell(value, form)]
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


def _cell(value: Any, form: Format) -> str:
    if not isinstance(value, float):
        return visible(value, _LONGEST_NAME)
    write = p_value_number if form.is_p_value else number
    return write(value, form.places)
