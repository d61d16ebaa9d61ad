"""Read columns of tables: row labels, dates, booleans, categories and targets."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from .._lib.messages import MOST_NAMES, listed
from ..samples import (
    are_distinct_numbers,
    are_molecules,
    fill_their_range,
    has_no_name,
    rise_or_fall,
)
from .errors import CommandError, one_line

__all__ = [
    "Note",
    "check_finite",
    "features_of",
    "labels_rows",
    "note",
    "note_identifiers",
    "number_matrix",
    "numbers_rows",
    "refuse_decimal_comma",
    "target_column",
    "without_row_labels",
]

# If day and month are ambiguous, the day comes first with dots, else the month.
_DATES = (
    *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y/%m/%d"),
    *("%m/%d/%y", "%d/%m/%y", "%d-%b-%y", "%d-%b-%Y", "%d%b%Y"),
    *("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"),
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DAY = 24 * 60 * 60  # seconds
_FEW = 20  # up to this number, texts are categories in any table of twice as many rows
_COMMA = r"\s*[-+]?\d+(?:,\d+)+\s*"
_THOUSANDS = r"\s*[-+]?[1-9]\d{0,2}(?:,\d{3})+\s*"


class Note(UserWarning):
    """The data were changed in a way that the user may not expect."""


def note(message: str) -> None:
    """Warn about a change to the data."""
    warnings.warn(message, Note, stacklevel=2)


# --- labels of rows ------------------------------------------------------------------


def without_row_labels(
    frame: pd.DataFrame, path: Path, wanted: Collection[str] = ()
) -> pd.DataFrame:
    """Move row numbers and names, which R and pandas write as a column, to the index.

    As a feature they would separate the classes of sorted rows; as a target there would be
    two. Only columns without a name are left out, unless they are ``wanted`` by the name
    that they get.
    """
    empty, labels = [], []
    for name in _unnamed(frame):
        if name in wanted:
            continue
        if frame[name].isna().all():
            empty.append(name)
        elif labels_rows(frame[name]):
            labels.append(name)
    if len(empty) + len(labels) in (0, frame.shape[1]):
        return frame
    for names, what in ((labels, "row numbers or names"), (empty, "empty")):
        if names:
            note(f"{path}: left out {listed(names, 'column')} ({what} without a heading).")
    others = frame.drop(columns=[*empty, *labels])
    return others.set_axis(frame[labels[0]], axis=0) if labels else others


def note_identifiers(frame: pd.DataFrame, path: Path) -> None:
    """Warn about columns that number the rows or have no name, and how to drop them."""
    identifiers = _identifiers(frame)
    if identifiers:
        several = len(identifiers) > 1
        looks = "look like identifiers" if several else "looks like an identifier"
        note(
            f"{path}: {listed(identifiers, 'column')} {looks}: whole numbers, different in "
            f"every row; if so, {_how_to_drop(identifiers)}."
        )
    unnamed = [name for name in _unnamed(frame) if name not in identifiers]
    if unnamed:
        note(
            f"{path}: {listed(unnamed, 'column')} has no heading; if it labels the rows, "
            f"{_how_to_drop(unnamed)}."
        )


def _identifiers(frame: pd.DataFrame) -> list[str]:
    numeric = frame.loc[:, [dtype.kind in "iuf" for dtype in frame.dtypes]]
    # A hundred rows rule most columns out.
    head = np.sort(numeric.iloc[:100].to_numpy(np.float64, na_value=np.nan), axis=0)
    may_be = (head == np.rint(head)).all(axis=0) & (np.diff(head, axis=0) > 0).all(axis=0)
    return [str(name) for name in numeric.columns[may_be] if numbers_rows(numeric[name])]


def _unnamed(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns if has_no_name(name)]


def _how_to_drop(names: Sequence[str]) -> str:
    return f"leave it out: --drop {shlex.join(names[:MOST_NAMES])}"


def labels_rows(column: pd.Series) -> bool:
    """Return whether it holds a different whole number or text in every row."""
    return (_is_text(column) or _is_whole(column)) and column.is_unique


def numbers_rows(column: pd.Series) -> bool:
    """Return whether it holds a different whole number in every row, as counters do.

    They rise or fall throughout, or are in any order without large gaps.
    """
    if len(column) < 3 or not _is_whole(column):
        return False
    values = column.to_numpy(np.float64)
    return are_distinct_numbers(values) and (
        rise_or_fall(values) or fill_their_range(values)
    )


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.infer_dtype(column, skipna=False) == "string"


def _is_whole(column: pd.Series) -> bool:
    if column.dtype.kind not in "iuf" or column.isna().any():
        return False
    return bool((column % 1 == 0).all())


# --- features ------------------------------------------------------------------------


def features_of(frame: pd.DataFrame, path: Path) -> np.ndarray | pd.DataFrame:
    """Convert columns to numbers, and columns of few texts to categories."""
    frame = _with_numbers(frame, path)
    categories = [name for name in _not_numeric(frame) if _are_categories(frame[name])]
    numbers = number_matrix(frame.drop(columns=categories), path)
    if not categories:
        return numbers
    note(f"{path}: {listed(categories, 'column')} taken as categories.")
    parts = pd.DataFrame(numbers, frame.index, frame.columns.drop(categories))
    return pd.concat([parts, frame[categories].astype("category")], axis=1)[frame.columns]


def number_matrix(frame: pd.DataFrame, path: Path) -> np.ndarray:
    """Convert columns to floating-point numbers, NaN where a cell is empty."""
    frame = _with_numbers(frame, path)
    _refuse_text(frame, path)
    # Narrow columns stay narrow. Nullable dtypes wrap one of numpy.
    dtypes = [getattr(dtype, "numpy_dtype", dtype) for dtype in frame.dtypes.unique()]
    matrix = frame.to_numpy(np.result_type(np.float32, *dtypes), na_value=np.nan)
    check_finite(matrix, list(frame.columns), path, allow_nan=True)
    return matrix


def _are_categories(column: pd.Series) -> bool:
    """Return whether texts repeat often and are mostly not numbers."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return True
    if pd.api.types.infer_dtype(column) != "string":
        return False
    values = pd.Series(column.dropna().unique())
    numbers = pd.to_numeric(values, errors="coerce").notna() | values.str.fullmatch(_COMMA)
    n_most = min(len(column) // 2, max(_FEW, len(column) // 10))
    return bool(len(values) <= n_most and numbers.mean() < 0.5)


def _with_numbers(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    frame = frame.copy(deep=False)
    for name in _not_numeric(frame):
        frame[name] = _as_numbers(frame[name], path)
    return frame


def _not_numeric(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name, kind in frame.dtypes.items() if kind.kind not in "biuf"]


def _as_numbers(column: pd.Series, path: Path) -> pd.Series:
    """Convert numbers, booleans and dates among missing values; keep other columns."""
    days = _days(column, path)
    if days is not None:
        return days
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column
    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError, OverflowError):
        return column


def _days(column: pd.Series, path: Path) -> pd.Series | None:
    """Count the days since 1970, or of a duration; None for anything else."""
    kind, name = column.dtype.kind, repr(column.name)
    if kind == "m":
        note(f"{path}: column {name} holds durations, taken in days.")
        return column.dt.total_seconds() / _DAY
    dates = column if kind == "M" else _dates(column)
    if dates is None:
        return None
    days = (dates - pd.Timestamp(0, tz=dates.dt.tz)).dt.total_seconds() / _DAY
    example = ""
    if days.notna().any():  # the last date, whose month is easiest to recognise
        last = column.iloc[days.argmax()]
        text = str(last).removesuffix(" 00:00:00") if kind == "M" else last
        example = f" ({text} is {days.max():g})"
    note(f"{path}: column {name} holds dates, taken as days since 1970-01-01{example}.")
    return days


def _dates(column: pd.Series) -> pd.Series | None:
    """Parse dates, all in one format."""
    if pd.api.types.infer_dtype(column) not in ("string", "date", "datetime"):
        return None
    values = column.dropna().unique()  # the first one rules out most formats
    for each in ("ISO8601", *(date + time for date in _DATES for time in _TIMES)):
        try:
            pd.to_datetime(values, format=each, utc=True, cache=False)
        except ValueError:
            continue
        return pd.to_datetime(column, format=each, utc=True)
    return None


def _refuse_text(frame: pd.DataFrame, path: Path) -> None:
    text = _not_numeric(frame)
    if not text:
        return
    present = frame[text[0]].dropna().astype(str)
    wrong = present[pd.to_numeric(present, errors="coerce").isna()]
    example = f" (such as {one_line(wrong.iloc[0])!r})" if len(wrong) else ""
    hint = f"encode it as numbers, or {_how_to_drop(text)}"
    molecules = [name for name in text if are_molecules(frame[name])]
    if molecules:
        hint = (
            f"{listed(molecules, 'column')} holds molecules (SMILES): write their "
            "fingerprints to a file, which scikit-fingerprints makes "
            f"(ECFPFingerprint().transform(smiles)), or {_how_to_drop(text)}"
        )
    elif len(wrong) and wrong.str.fullmatch(_COMMA).all():
        kind, mend = _comma(wrong)
        hint = f"if that is {kind}, {mend}"
    elif len(wrong) and labels_rows(frame[text[0]]):
        hint = f"the first differs in every row, like an identifier; {_how_to_drop(text)}"
    raise CommandError(
        f"{path}: text, not numbers, in {listed(text, 'column')}{example}; {hint}"
    )


# --- targets -------------------------------------------------------------------------


def target_column(column: pd.Series, path: Path) -> np.ndarray:
    """Convert labels to the dtype by which the estimator recognises their kind."""
    missing = column.isna().sum()
    if missing:
        raise CommandError(
            f"{path}: the target {column.name!r} is missing (empty or NaN) in "
            f"{missing} of {len(column)} rows; fill or drop those rows"
        )
    days = _days(column, path)
    if days is not None:
        column = days
    elif pd.api.types.infer_dtype(column) == "decimal":
        column = column.astype(float)
    kinds = {"f": np.float64, "b": bool, "i": np.int64, "u": np.uint64}
    if column.dtype.kind not in kinds:
        return column.astype(str).to_numpy(object)
    y = column.to_numpy(kinds[column.dtype.kind])
    check_finite(y[:, None], [str(column.name)], path)
    return y


def refuse_decimal_comma(y: np.ndarray, what: str) -> None:
    """Reject texts that people read as numbers, but which would become classes."""
    if y.dtype.kind != "O":
        return
    texts = pd.Series(y).astype(str)
    wrong = texts[pd.to_numeric(texts, errors="coerce").isna()]
    if len(wrong) and wrong.str.fullmatch(_COMMA).all():
        kind, mend = _comma(wrong)
        raise CommandError(
            f"{what} holds numbers with {kind}, such as {wrong.iloc[0]!r}; {mend} (or "
            "--task classification if they are names)"
        )


def _comma(numbers: pd.Series) -> tuple[str, str]:
    """Describe the comma in numbers, and how to fix it."""
    if numbers.str.fullmatch(_THOUSANDS).all():
        return "a thousands separator", "remove it; for a decimal comma pass --decimal ,"
    return "a decimal comma", "pass --decimal ,"


def check_finite(
    matrix: np.ndarray, columns: Sequence[str], path: Path, *, allow_nan: bool = False
) -> None:
    """Reject infinity and, unless allowed, NaN."""
    if matrix.dtype.kind != "f":
        return
    bad = np.isinf(matrix) if allow_nan else ~np.isfinite(matrix)
    if not bad.any():
        return
    rows, places = np.nonzero(bad)
    names = list(dict.fromkeys(columns[place] for place in np.unique(places)))
    problem = "infinity" if allow_nan else "NaN, infinity or an empty cell"
    raise CommandError(
        f"{path}: {problem} in {len(np.unique(rows))} of {len(matrix)} rows, "
        f"{listed(names, 'column')}; fill or drop them"
    )
